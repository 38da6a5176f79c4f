package sandbox

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// busy does a bit of everything.
func busy(t *testing.T, c *client) {
	t.Helper()
	var ids []int64
	for i := range 6 {
		body := sample(fmt.Sprintf("p%d@b.example", i%4), fmt.Sprintf("2021-03-04T05:06:%02dZ", i), `,"tags":["a","t`+fmt.Sprint(i)+`"],"fields":[{"id":31202,"value":"T"}]`)
		body = strings.Replace(body, `"text":"It is on its way"`, `"text":"x","attachments":[{"fileName":"ü.txt","mimeType":"text/plain","data":"aGVsbG8="}]`, 1)
		ids = append(ids, c.want(201, "POST", "/v2/conversations", body).id())
	}
	c.want(201, "POST", convPath(ids[0], "/notes"), `{"text":"a note"}`)
	c.want(204, "PATCH", convPath(ids[1], ""), `{"op":"replace","path":"/status","value":"active"}`)
	c.want(204, "PUT", convPath(ids[2], "/tags"), `{"tags":["z"]}`)
	c.want(204, "DELETE", convPath(ids[3], ""), "")
	c.want(201, "POST", "/v2/customers", `{"firstName":"Zoe","emails":[{"type":"work","value":"zoe@b.example"}],"phones":[{"type":"mobile","value":"123"}],"address":{"city":"a","state":"b","postalCode":"c","country":"DE","lines":["l"]}}`)
	c.want(201, "POST", "/v2/webhooks", `{"url":"http://127.0.0.1:1/x","events":["tag.created"],"secret":"s"}`)
	c.want(204, "PATCH", "/v2/workflows/1259811", `{"op":"replace","path":"/status","value":"active"}`)
	if err := c.s.Merge(ids[4], ids[5]); err != nil {
		t.Fatal(err)
	}
	if _, err := c.s.Reply(ids[0], 0, "from an agent"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.s.AddNative(Native{Email: "native@b.example", Subject: "by mail", Text: "hello"}); err != nil {
		t.Fatal(err)
	}
}

func TestLogIsContinued(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.jsonl")
	open1 := func() *client { return open(t, Options{Log: file, Settings: with(t).s.Settings()}) }
	c := open1()
	busy(t, c)
	want := c.s.Dump()
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString(`{"t":"conversation","v":{"id":12`) // the process died in the middle of a line
	_ = f.Close()

	c = open1()
	got := c.s.Dump()
	opts := []cmp.Option{cmpopts.IgnoreFields(State{}, "Time", "Stats", "Mails", "Deliveries"), cmpopts.EquateEmpty(), cmpopts.SortSlices(strings.Compare)}
	if d := cmp.Diff(want, got, opts...); d != "" {
		t.Errorf("after the restart (-was +is):\n%s", d)
	}
	if f := c.want(200, "GET", "/v2/workflows", ""); f.at("_embedded/workflows/0/status") != "active" {
		t.Errorf("workflow: %s", f.raw)
	}
	if h := c.want(200, "GET", "/v2/webhooks", ""); h.at("_embedded/webhooks/0/url") != "http://127.0.0.1:1/x" {
		t.Errorf("webhook: %s", h.raw)
	}
	merged := want.Conversations[4]
	c.want(301, "GET", convPath(merged.ID, ""), "")
	c.want(404, "GET", convPath(want.Conversations[3].ID, ""), "")
	file0 := want.Conversations[0].Threads[1].Attachments[0].ID
	if a := c.want(200, "GET", convPath(want.Conversations[0].ID, fmt.Sprintf("/attachments/%d/data", file0)), ""); a.at("data") != "aGVsbG8=" {
		t.Errorf("attachment: %s", a.raw)
	}
	before := len(got.Conversations)
	a := c.want(201, "POST", "/v2/conversations", sample("p1@b.example", "2021-03-04T05:06:07Z", ""))
	after := c.s.Dump()
	last := after.Conversations[len(after.Conversations)-1]
	if len(after.Conversations) != before+1 || last.ID != a.id() || last.Number <= got.Conversations[before-1].Number || len(after.Customers) != len(got.Customers) {
		t.Errorf("the next create made %+v", last)
	}
	c.want(409, "POST", "/v2/customers", `{"emails":[{"type":"work","value":"ZOE@b.example"}]}`)
}

func TestLogOfAnotherAccountIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.jsonl")
	s, err := New(Options{Log: file})
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	other := DefaultSeed()
	other.Users[0].Email = "eve@support.example"
	if _, err := New(Options{Log: file, Seed: other}); err == nil || !strings.Contains(err.Error(), "another seed") {
		t.Errorf("another seed: %v", err)
	}
	if _, err := New(Options{Log: file, Seed: Seed{Number: 2}}); err == nil || !strings.Contains(err.Error(), "another seed") {
		t.Errorf("another number: %v", err)
	}
	if s, err = New(Options{Log: file, Seed: Seed{Number: 1}}); err != nil {
		t.Errorf("the same seed: %v", err)
	} else {
		_ = s.Close()
	}
	if err := os.WriteFile(file, []byte("id,subject\n1,x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Log: file}); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a CSV file: %v", err)
	}
}

// TestRunsAreAlike: the same calls bring the same ids, numbers and dump.
func TestRunsAreAlike(t *testing.T) {
	run := func() *State {
		var st *State
		synctest.Test(t, func(t *testing.T) {
			c := with(t)
			busy(t, c)
			st = c.s.Dump()
			_ = c.s.Close()
		})
		return st
	}
	if d := cmp.Diff(run(), run(), cmpopts.IgnoreFields(State{}, "Deliveries")); d != "" {
		t.Errorf("two runs differ:\n%s", d)
	}
}

func TestReset(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.jsonl")
	c := open(t, Options{Log: file})
	busy(t, c)
	if err := c.s.Reset(); err != nil {
		t.Fatal(err)
	}
	c.want(401, "GET", "/v2/users/me", "")
	if st := c.s.Dump(); len(st.Conversations)+len(st.Customers) != 0 || st.Stats.Created != 0 {
		t.Errorf("after the reset: %+v", st)
	}
	_ = c.s.Close()
	if c = open(t, Options{Log: file}); len(c.s.Dump().Conversations) != 0 {
		t.Error("the log remembers what was reset")
	}
}

// TestWebhooksAreDelivered: with the event, the signature and the v2 shape, in order.
func TestWebhooksAreDelivered(t *testing.T) {
	var mu sync.Mutex
	var events []string
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mac := hmac.New(sha1.New, []byte("hush"))
		mac.Write(body)
		mu.Lock()
		defer mu.Unlock()
		events = append(events, r.Header.Get("X-HelpScout-Event"))
		if r.Header.Get("X-HelpScout-Signature") != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
			t.Errorf("wrong signature on %s", events[len(events)-1])
		}
		if strings.HasPrefix(events[len(events)-1], "convo.") && !strings.Contains(string(body), `"primaryCustomer":{`) {
			t.Errorf("payload %s", body)
		}
	}))
	defer hook.Close()
	c := with(t)
	a := c.want(201, "POST", "/v2/webhooks", `{"url":"`+hook.URL+`","events":["convo.created","convo.note.created","convo.deleted"],"secret":"hush"}`)
	if !strings.HasPrefix(a.header.Get("Location"), origin+"/v2/webhooks/") {
		t.Errorf("Location %q", a.header.Get("Location"))
	}
	id := c.want(201, "POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", "")).id()
	c.want(201, "POST", convPath(id, "/notes"), `{"text":"x"}`)
	c.want(204, "PUT", convPath(id, "/tags"), `{"tags":["x"]}`) // nobody listens to this
	c.want(204, "DELETE", convPath(id, ""), "")
	for range 200 {
		if len(c.s.Deliveries()) == 4 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(events, " "); got != "helpscout.test convo.created convo.note.created convo.deleted" {
		t.Errorf("delivered %q", got)
	}
	c.want(400, "POST", "/v2/webhooks", `{"url":"ftp://x","events":["conversation.created"],"secret":"`+strings.Repeat("x", 41)+`"}`)
}

// TestWorkflowActs: only when it is active, only on what it matches, and where a reader can see it.
func TestWorkflowActs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := with(t)
		flow, err := c.s.AddWorkflow(Workflow{Name: "Angry", Status: "inactive", Query: "subject:order", AddTag: "angry", Reply: "we are sorry", Assign: 512366})
		if err != nil {
			t.Fatal(err)
		}
		create := func(subject string) int64 {
			return c.want(201, "POST", "/v2/conversations", strings.Replace(sample("a@b.example", "2021-03-04T05:06:07Z", ""), "Where is my order", subject, 1)).id()
		}
		quiet := create("my order")
		c.want(204, "PATCH", fmt.Sprintf("/v2/workflows/%d", flow), `{"op":"replace","path":"/status","value":"active"}`)
		hit, miss := create("my order"), create("thanks")
		time.Sleep(3 * time.Second)
		for id, threads := range map[int64]any{quiet: 2.0, hit: 3.0, miss: 2.0} {
			if got := c.want(200, "GET", convPath(id, ""), ""); got.at("threads") != threads {
				t.Errorf("threads %v, want %v: %s", got.at("threads"), threads, got.raw)
			}
		}
		got := c.want(200, "GET", convPath(hit, ""), "")
		if got.at("tags/0/tag") != "angry" || got.at("assignee/type") != "team" || got.at("status") != "active" {
			t.Errorf("the workflow left %s", got.raw)
		}
		if n := len(c.s.Dump().Mails); n != 1 {
			t.Errorf("%d mails went out, want 1", n)
		}
	})
}

func TestControlEndpoints(t *testing.T) {
	c := open(t, Options{})
	id := c.want(201, "POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", "")).id()
	c.want(204, "POST", "/_sandbox/people/retitle", fmt.Sprintf(`{"id":%d,"subject":"Other"}`, id))
	dump := c.want(200, "GET", "/_sandbox/dump", "")
	if dump.at("conversations/0/subject") != "Other" || dump.at("conversations/0/creation") != 1.0 || dump.at("stats/calls/create") != 1.0 {
		t.Errorf("dump: %s", dump.raw)
	}
	c.want(200, "PUT", "/_sandbox/settings", `{"quota-limit":200}`)
	if a := c.send("GET", "/v2/users/me", ""); a.header.Get("X-RateLimit-Limit-Minute") != "200" {
		t.Errorf("limit %q", a.header.Get("X-RateLimit-Limit-Minute"))
	}
	if a := c.want(400, "PUT", "/_sandbox/settings", `{"quota-limits":200}`); !strings.Contains(string(a.raw), "nearest is quota-limit") {
		t.Errorf("unknown setting: %s", a.raw)
	}
	c.want(204, "PUT", "/_sandbox/faults", "get#1=503")
	c.want(503, "GET", convPath(id, ""), "")
	c.want(200, "GET", convPath(id, ""), "")
	c.want(400, "PUT", "/_sandbox/faults", "get#1=nonsense")
	c.want(400, "POST", "/_sandbox/people/reply", `{"id":1,"text":"x"}`)
	c.want(404, "GET", "/_sandbox/nothing", "")
	req, _ := http.NewRequest("POST", origin+"/_sandbox/reset", nil)
	req.Header.Set("Origin", "https://evil.example")
	if a := c.do(req); a.status != 403 {
		t.Errorf("another origin: %d", a.status)
	}
	c.want(204, "POST", "/_sandbox/reset", "")
	c.want(401, "GET", "/v2/users/me", "")
}

func TestSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("quota-limit: 200\nindex-lag: 30s\ncompetitor: 25%\nmax-body-create: 256kB\nfaults:\n  - create#7=504,applied\n  - outage@60s+10m\n")
	s, faults, err := LoadSettings(file)
	if err != nil || s.QuotaLimit != 200 || s.IndexLag != 30*time.Second || s.Competitor != 0.25 || s.MaxBodyCreate != 256_000 || len(faults) != 2 || s.PageSize != 50 {
		t.Errorf("%+v %v %v", s, faults, err)
	}
	for text, want := range map[string]string{
		"quota-limit: 200\nquota-windw: fixed\n": ":2: quota-windw: no such setting; the nearest is quota-window",
		"quota-window: round\n":                  `:1: quota-window: "round" is not one of fixed, sliding`,
		"index-lag: soon\n":                      "is not a duration",
		"faults: create=oops\n":                  `fault rule 1, "create=oops"`,
		"- a\n":                                  "not name: value pairs",
	} {
		write(text)
		if _, _, err := LoadSettings(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, st := range SettingNames() {
		if st.Help == "" || st.Name == "" {
			t.Errorf("%+v is not documented", st)
		}
	}
}

// FuzzLog: whatever is in a log, it is refused in words or becomes an account that answers.
func FuzzLog(f *testing.F) {
	seed := string(encode(record{T: "seed", V: encode(DefaultSeed())})) + "\n"
	f.Add(`{"t":"customer","v":{"id":1,"emails":[{"id":2,"value":"a@b.example"}]}}` + "\n" + `{"t":"conversation","v":{"id":5,"customerId":1,"mailboxId":254871,"mergedInto":5}}`)
	f.Add(`{"t":"thread","conversation":5,"v":{"id":7,"customerId":1,"attachments":[{"sha256":"00"}]}}`)
	f.Add(`{"t":"webhook","v":{"id":1,"secret":"x"}}` + "\n" + `{"t":"tag","v":{"name":"x"}}` + "\n" + `{"t":"blob","v":{"sha256":"x"}}`)
	file := filepath.Join(f.TempDir(), "state.jsonl")
	f.Fuzz(func(t *testing.T, lines string) {
		if err := os.WriteFile(file, []byte(seed+lines+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := New(Options{Log: file})
		if err != nil {
			if !strings.Contains(err.Error(), "line ") {
				t.Fatalf("no line in %v", err)
			}
			return
		}
		defer s.Close()
		c := &client{t: t, s: s, http: &http.Client{Transport: s.Transport()}}
		c.login()
		for conv := range s.Conversations() {
			if a := c.send("GET", convPath(conv.ID, "?embed=threads"), ""); a.status >= 500 || a.err != nil {
				t.Fatalf("conversation %d: %d %v", conv.ID, a.status, a.err)
			}
		}
		c.want(200, "GET", "/v2/conversations?status=all", "")
		c.want(201, "POST", "/v2/conversations", sample("new@b.example", "2021-03-04T05:06:07Z", ""))
		c.page(200, "/")
	})
}

func FuzzSettings(f *testing.F) {
	for _, st := range SettingNames() {
		f.Add(st.Name, st.Default)
	}
	f.Add("competitor", "30%")
	f.Fuzz(func(t *testing.T, name, value string) {
		s := Defaults()
		if s.Set(name, value) != nil {
			if s != Defaults() {
				t.Fatalf("%s=%q was refused, and changed something", name, value)
			}
			return
		}
		once, _ := s.Get(name)
		again := Defaults()
		if err := again.Set(name, once); err != nil || again != s {
			t.Fatalf("%s=%q is told as %q, which is read as something else: %v", name, value, once, err)
		}
	})
}

// TestLogIsLocked: a second sandbox on one log is refused while the first lives, and leaves its lines alone.
func TestLogIsLocked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.jsonl")
	c := open(t, Options{Log: file})
	busy(t, c)
	before, _ := os.ReadFile(file)
	if s, err := New(Options{Log: file}); err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "in use by another sandbox") {
		t.Errorf("a second sandbox: %v, %v", s, err)
	}
	if after, _ := os.ReadFile(file); string(after) != string(before) {
		t.Error("the refused sandbox changed the log")
	}
	if err := c.s.Reset(); err != nil { // keeps the lock
		t.Fatal(err)
	}
	if _, err := New(Options{Log: file}); err == nil {
		t.Error("a reset let go of the log")
	}
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Log: file, Seed: Seed{Number: 9}}); err == nil { // refused for another reason: it may not keep the lock
		t.Fatal("a log of another seed was taken")
	}
	s, err := New(Options{Log: file})
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestSeedFile(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "seed.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// Keys as Go spells them and as the API does; an owner and tags that are whole; keys that nobody knows.
	snapshot := `{"Bound":true,"Mailboxes":[{"id":77,"name":"Real","slug":"x","email":"real@b.example","_links":{},
		"fields":[{"id":5,"name":"Kind","type":"dropdown","required":true,"order":1,"options":[{"id":9,"label":"A","order":1}]}]}],
		"users":[{"id":21,"firstName":"Olga","lastName":"O","email":"olga@b.example","role":"owner","type":"user"},
		{"id":22,"firstName":"Tom","lastName":"T","email":"tom@b.example","role":"admin"}],
		"teams":[{"id":31,"name":"Crew","members":[22]}],"Owner":{"id":22,"firstName":"Tom"},"tags":["a",{"id":1,"name":"b"}],
		"workflows":[{"id":41,"mailboxId":77,"type":"automatic","status":"active","name":"W"}]}`
	for _, text := range []string{snapshot, strings.Replace(snapshot, `{"id":22,"firstName":"Tom"}`, "22", 1)} {
		seed, err := LoadSeed(write(text))
		if err != nil {
			t.Fatal(err)
		}
		c := open(t, Options{Seed: seed})
		for path, want := range map[string]map[string]any{
			"/v2/users/me":            {"id": 22.0, "email": "tom@b.example"},
			"/v2/mailboxes":           {"_embedded/mailboxes/0/id": 77.0, "page/totalElements": 1.0},
			"/v2/mailboxes/77/fields": {"_embedded/fields/0/id": 5.0, "_embedded/fields/0/options/0/id": 9.0},
			"/v2/teams":               {"_embedded/teams/0/id": 31.0},
			"/v2/tags":                {"page/totalElements": 2.0, "_embedded/tags/1/name": "b"},
			"/v2/workflows":           {"_embedded/workflows/0/status": "active"},
		} {
			a := c.want(200, "GET", path, "")
			for where, v := range want {
				if a.at(where) != v {
					t.Errorf("%s: %s is %v, want %v", path, where, a.at(where), v)
				}
			}
		}
	}
	for text, want := range map[string]string{
		`{"mailboxes":[]}`: "0 mailboxes and 0 users", `[]`: "cannot unmarshal", `{`: "unexpected end", "": "unexpected end",
		strings.Replace(snapshot, `"id":22,"firstName":"Tom","lastName"`, `"id":21,"firstName":"Tom","lastName"`, 1): "same id 21",
		strings.Replace(snapshot, `"Owner":{"id":22`, `"Owner":{"id":23`, 1):                                         "user 23, who is not among",
	} {
		path := write(text)
		seed, err := LoadSeed(path)
		if err == nil {
			var s *Sandbox
			if s, err = New(Options{Seed: seed}); err == nil {
				_ = s.Close()
			}
		} else if !strings.Contains(err.Error(), path) {
			t.Errorf("%v does not name the file", err)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}
