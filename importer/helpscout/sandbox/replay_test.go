package sandbox

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// known are the differences between the recorded traffic of 2019 and the sandbox, and why they stay. Each begins with a
// call, a colon, and a header or the path of a value.
var known = map[string]string{
	"POST /v2/conversations/#/notes:Resource-Id:":                                            "thread calls tell the id since 2023 (setting thread-ids)",
	"GET /v2/conversations/#/threads:/_embedded/threads/*/_embedded/attachments/*/state:":    "attachments have a state since August 2024",
	"GET /v2/conversations/#/threads:/_embedded/threads/*/action/text:":                      "line items say what happened; none was recorded, the documentation has it",
	"GET /v2/conversations/#/threads:/_embedded/threads/*/assignedTo/":                       "of an assignee; recorded were threads of nobody, which have none here either",
	"GET /v2/conversations/#:/closedByUser:":                                                 "documented later than the recordings",
	"GET /v2/conversations/#:/customerWaitingSince/latestReplyFrom:":                         "documented later than the recordings",
	"GET /v2/conversations:/_embedded/conversations/*/customerWaitingSince/latestReplyFrom:": "documented later than the recordings",
	"GET /v2/users/#:/alternateEmails:":                                                      "documented later than the recordings",
	"GET /v2/users/#:/initials:":                                                             "documented later than the recordings",
	"GET /v2/users/#:/jobTitle:":                                                             "documented later than the recordings",
	"GET /v2/users/#:/mention:":                                                              "documented later than the recordings",
	"GET /v2/users/#:/phone:":                                                                "documented later than the recordings",
	"GET /v2/users:/_embedded/users/*/alternateEmails:":                                      "documented later than the recordings",
	"GET /v2/users:/_embedded/users/*/initials:":                                             "documented later than the recordings",
	"GET /v2/users:/_embedded/users/*/jobTitle:":                                             "documented later than the recordings",
	"GET /v2/users:/_embedded/users/*/mention:":                                              "documented later than the recordings",
	"GET /v2/users:/_embedded/users/*/phone:":                                                "documented later than the recordings",
}

// cassette is a file of recorded calls. https://relishapp.com/vcr/vcr/v/5-0-0/docs/cassettes/cassette-format
type cassette struct {
	Interactions []struct {
		Request struct {
			Method  string
			URI     string `yaml:"uri"`
			Body    struct{ String string }
			Headers http.Header
		}
		Response struct {
			Status  struct{ Code int }
			Headers http.Header
			Body    struct{ String string }
		}
	} `yaml:"http_interactions"`
}

// shape is what the answers to one kind of call have in common: types by path, and how many objects and lists had them.
type shape struct {
	types map[string]map[string]bool // path: string, number, bool, null, object, list
	count map[string]int
}

func newShape() *shape { return &shape{map[string]map[string]bool{}, map[string]int{}} }

// add takes in a value; elements of lists share one path.
func (s *shape) add(path string, v any) {
	typ := fmt.Sprintf("%T", v)
	switch x := v.(type) {
	case map[string]any:
		typ = "object"
		for k, sub := range x {
			s.add(path+"/"+k, sub)
		}
	case []any:
		typ = "list"
		for _, sub := range x {
			s.add(path+"/*", sub)
		}
	}
	if s.types[path] == nil {
		s.types[path] = map[string]bool{}
	}
	s.types[path][typ] = true
	s.count[path]++
}

// always says that the path was there each time its parent was.
func (s *shape) always(path string) bool {
	parent := path[:strings.LastIndexByte(path, '/')]
	return s.count[path] == s.count[parent] && !strings.HasSuffix(path, "/*")
}

// missing are the paths of other that s lacks, or has with another type; only those that are always there if so asked.
func (s *shape) missing(other *shape, always bool) (list []string) {
	for path, types := range other.types {
		parent := path[:max(0, strings.LastIndexByte(path, '/'))]
		if path == "" || always && !other.always(path) || s.types[parent] == nil {
			continue
		}
		if s.types[path] == nil {
			list = append(list, path)
			continue
		}
		for typ := range types {
			if !s.types[path][typ] {
				list = append(list, path+" as "+typ)
			}
		}
	}
	return list
}

// forms are headers whose value differs from call to call; others have to be equal.
var forms = map[string]*regexp.Regexp{
	"Correlation-Id":               regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}#\d+$`),
	"Location":                     regexp.MustCompile(`^https://[^/]+/v2/[a-z]+/\d+$`),
	"Resource-Id":                  regexp.MustCompile(`^\d+$`),
	"X-Ratelimit-Limit-Minute":     regexp.MustCompile(`^400$`),
	"X-Ratelimit-Remaining-Minute": regexp.MustCompile(`^\d{1,3}$`),
}

// transportHeaders belong to the connection, not to the service.
var transportHeaders = []string{"Date", "Connection", "Transfer-Encoding", "Content-Length"}

// TestCorpusRecordedTraffic sends the calls that a client of the real service once made, in order, and compares status,
// headers and the shape of the bodies. CORPUS names the folder of recordings.
func TestCorpusRecordedTraffic(t *testing.T) {
	folder := os.Getenv("CORPUS")
	if folder == "" {
		t.Skip("CORPUS names no folder of recorded traffic")
	}
	r := newReplay(t)
	root, calls := filepath.Join(folder, "json", "helpscout-taxjar-sdk", "cassettes"), 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yml" {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var tape cassette
		if err := yaml.Unmarshal(raw, &tape); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, i := range tape.Interactions {
			calls++
			answer := r.send(i.Request.Method, i.Request.URI, i.Request.Body.String, i.Request.Headers)
			r.compare(answer, i.Response.Status.Code, i.Response.Headers, i.Response.Body.String)
		}
		return nil
	})
	if err != nil {
		t.Skipf("no recorded traffic: %v", err)
	}
	for kind, recorded := range r.recorded {
		for _, path := range r.answered[kind].missing(recorded, true) {
			r.differ(kind + ":" + path + ": recorded, but not answered")
		}
		for _, path := range recorded.missing(r.answered[kind], false) {
			r.differ(kind + ":" + path + ": answered, but never recorded")
		}
	}
	r.verdict(calls)
}

// A replay is a recording that is sent to a sandbox whose account resembles the recorded one.
type replay struct {
	*client
	names              *strings.Replacer // of what was blotted out in the recording
	kind               string            // of the call under way
	recorded, answered map[string]*shape
	differences        map[string]bool
}

func newReplay(t *testing.T) *replay {
	seed := DefaultSeed()
	seed.Users[0].PhotoURL = "https://photos.example/1"
	for i := range 50 { // the recorded account has more than one page of them
		seed.Users = append(seed.Users, User{FirstName: "U", LastName: strconv.Itoa(i), Email: fmt.Sprintf("u%d@support.example", i)})
	}
	set := with(t, "token-lifetime=2h", "enrich=true", "thread-page-size=25").s.Settings()
	c := open(t, Options{Seed: seed, Settings: set})
	body := sample("jo@b.example", "2018-04-06T18:43:13Z", `,"tags":["vip","pro"],"closedAt":"2018-04-12T13:33:47Z"`)
	body = strings.Replace(body, `"assignTo":null`, `"assignTo":512341`, 1)
	body = strings.Replace(body, `,"threads":[`, `,"threads":[{"type":"note","user":512344,"text":"a note","createdAt":"2018-04-06T18:43:13Z"},`, 1)
	id := c.want(201, "POST", "/v2/conversations", body).id()
	c.want(204, "PATCH", convPath(id, ""), `{"op":"replace","path":"/assignTo","value":512344}`)
	c.want(204, "PATCH", convPath(id, ""), `{"op":"replace","path":"/assignTo","value":512341}`)
	open := strings.Replace(body, `"status":"closed"`, `"status":"active"`, 1)
	c.want(201, "POST", "/v2/conversations", open)
	conv := c.s.Dump().Conversations[0]
	thread := conv.Threads[1].ID
	c.want(201, "POST", convPath(id, fmt.Sprintf("/threads/%d/attachments", thread)), `{"fileName":"a.txt","mimeType":"text/plain","data":"aGVsbG8="}`)
	c.want(204, "PATCH", fmt.Sprintf("/v2/customers/%d", conv.CustomerID), `[{"op":"replace","path":"/location","value":"Here"},{"op":"replace","path":"/organization","value":"Acme"}]`)
	for part, entry := range map[string]string{"social-profiles": `{"type":"twitter","value":"jo"}`, "websites": `{"value":"https://b.example"}`} {
		c.want(201, "POST", fmt.Sprintf("/v2/customers/%d/%s", conv.CustomerID, part), entry)
	}
	for i := range 50 {
		c.want(201, "POST", "/v2/customers", fmt.Sprintf(`{"firstName":"C","emails":[{"type":"work","value":"c%d@b.example"}]}`, i))
	}
	c.want(201, "POST", "/v2/customers", `{"firstName":"Zoe","location":"Here","organization":"Acme","age":"30-35","emails":[{"type":"work","value":"zoe@b.example"}],"socialProfiles":[{"type":"twitter","value":"z"}],"websites":[{"value":"https://b.example"}]}`)
	c.s.Configure(func(s *Settings) { s.QuotaLimit = 400 })
	text := func(id int64) string { return strconv.FormatInt(id, 10) }
	return &replay{
		client: c, recorded: map[string]*shape{}, answered: map[string]*shape{}, differences: map[string]bool{},
		names: strings.NewReplacer("<TEST_CONVERSATION_ID>", text(id), "<TEST_THREAD_ID>", text(thread), "<TEST_MAILBOX_ID>", mailboxID,
			"<TEST_USER_ID>", "512341", "<TEST_CUSTOMER_ID>", text(conv.CustomerID), "<TEST_CUSTOMER_EMAIL>", "jo@b.example",
			"<HELP_SCOUT_APP_ID>", "id", "<HELP_SCOUT_APP_SECRET>", "secret", "https://api.helpscout.net", origin),
	}
}

func (r *replay) send(method, uri, body string, headers http.Header) answer {
	r.t.Helper()
	method = strings.ToUpper(method)
	req, err := http.NewRequest(method, r.names.Replace(uri), strings.NewReader(r.names.Replace(body)))
	if err != nil {
		r.t.Fatal(err)
	}
	for k, v := range headers {
		req.Header[http.CanonicalHeaderKey(k)] = v
	}
	if req.Header.Get("Authorization") != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	r.kind = method + " " + regexp.MustCompile(`/\d+`).ReplaceAllString(strings.TrimSuffix(req.URL.Path, "/"), "/#")
	a := r.do(req)
	if token, ok := a.at("access_token").(string); ok {
		r.token = token
	}
	return a
}

// compare holds an answer against the recorded one.
func (r *replay) compare(a answer, status int, headers http.Header, body string) {
	r.t.Helper()
	if a.status != status {
		r.differ(fmt.Sprintf("%s: status %d, recorded %d", r.kind, a.status, status))
		return
	}
	for name, want := range headers {
		got := a.header[http.CanonicalHeaderKey(name)]
		if slices.Contains(transportHeaders, name) {
			continue
		}
		if form := forms[name]; form != nil && len(got) == 1 && form.MatchString(got[0]) && form.MatchString(want[0]) {
			continue
		}
		if !slices.Equal(got, want) {
			r.differ(fmt.Sprintf("%s:%s: %q, recorded %q", r.kind, name, got, want))
		}
	}
	for name := range a.header {
		if headers[name] == nil && !slices.Contains(transportHeaders, name) {
			r.differ(r.kind + ":" + name + ": answered, but never recorded")
		}
	}
	var recorded any
	if body = r.names.Replace(body); body != "" {
		if err := json.Unmarshal([]byte(body), &recorded); err != nil {
			r.t.Fatalf("%s: the recorded body: %v", r.kind, err)
		}
	}
	if (recorded == nil) != (len(a.raw) == 0) {
		r.differ(fmt.Sprintf("%s: body %.80q, recorded %.80q", r.kind, a.raw, body))
		return
	}
	if recorded != nil {
		if r.recorded[r.kind] == nil {
			r.recorded[r.kind], r.answered[r.kind] = newShape(), newShape()
		}
		r.recorded[r.kind].add("", recorded)
		r.answered[r.kind].add("", any(a.body))
	}
}

func (r *replay) differ(what string) { r.differences[what] = true }

// verdict fails for differences without a reason, and for reasons without a difference.
func (r *replay) verdict(calls int) {
	r.t.Helper()
	compared, blind := 0, []string{}
	for kind, recorded := range r.recorded {
		for path := range recorded.types {
			if r.answered[kind].types[path] == nil {
				blind = append(blind, kind+":"+path)
			}
			compared++
		}
	}
	slices.Sort(blind)
	r.t.Logf("%d calls; of %d recorded values %d were not answered: %s", calls, compared, len(blind), strings.Join(blind, ", "))
	used := map[string]bool{}
	for what := range r.differences {
		reason := ""
		for prefix, why := range known {
			if strings.HasPrefix(what, prefix) {
				reason, used[prefix] = why, true
			}
		}
		if reason == "" {
			r.t.Errorf("differs: %s", what)
			continue
		}
		r.t.Logf("%s\n\tstays, because %s", what, reason)
	}
	for prefix := range known {
		if !used[prefix] {
			r.t.Errorf("no longer differs: %s", prefix)
		}
	}
}
