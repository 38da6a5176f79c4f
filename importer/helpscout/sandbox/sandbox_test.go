package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// client speaks with a sandbox as any program would: over HTTP, with its own idea of JSON.
type client struct {
	t     testing.TB
	s     *Sandbox
	http  *http.Client
	token string
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	raw    []byte
	body   map[string]any
	err    error
}

const origin = "https://api.helpscout.test"

func open(t testing.TB, o Options) *client {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	c := &client{t: t, s: s, http: &http.Client{Transport: s.Transport()}}
	c.login()
	return c
}

// with is a sandbox with some settings changed, written "name=value".
func with(t testing.TB, settings ...string) *client {
	t.Helper()
	set := Defaults()
	set.QuotaLimit = 0
	for _, kv := range settings {
		name, value, _ := strings.Cut(kv, "=")
		if err := set.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	return open(t, Options{Settings: set})
}

func (c *client) login() {
	c.t.Helper()
	a := c.send("POST", "/v2/oauth2/token", `{"grant_type":"client_credentials","client_id":"id","client_secret":"secret"}`)
	if a.status != 200 {
		c.t.Fatalf("token: %d %s %v", a.status, a.raw, a.err)
	}
	c.token = a.body["access_token"].(string)
}

func (c *client) send(method, path, body string) answer {
	req, err := http.NewRequest(method, origin+path, bytes.NewReader([]byte(body)))
	if err != nil {
		c.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return c.do(req)
}

func (c *client) do(req *http.Request) answer {
	res, err := c.http.Transport.RoundTrip(req)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close()
	a := answer{status: res.StatusCode, header: res.Header}
	if a.raw, a.err = io.ReadAll(res.Body); a.err == nil {
		_ = json.Unmarshal(a.raw, &a.body)
	}
	return a
}

// want sends and fails on another status.
func (c *client) want(status int, method, path, body string) answer {
	c.t.Helper()
	a := c.send(method, path, body)
	if a.status != status {
		c.t.Fatalf("%s %s: got %d %s %v, want %d", method, path, a.status, a.raw, a.err, status)
	}
	return a
}

// at digs a value out of an answer; numbers in the path are places in lists.
func (a answer) at(path string) any {
	var v any = a.body
	for key := range strings.SplitSeq(path, "/") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func (a answer) id() int64 {
	id, _ := strconv.ParseInt(a.header.Get("Resource-ID"), 10, 64)
	return id
}

const mailboxID = "254871"

// sample is a valid create call of two threads; what more is added to the conversation.
func sample(email, createdAt, more string) string {
	return `{"subject":"Where is my order","customer":{"email":"` + email + `","firstName":"Jo","lastName":"Doe"},"mailboxId":` + mailboxID +
		`,"type":"email","status":"closed","imported":true,"assignTo":null,"createdAt":"` + createdAt + `"` + more + `,"threads":[` +
		`{"type":"customer","customer":{"email":"` + email + `"},"text":"It has not come<br>yet","imported":true,"createdAt":"` + createdAt + `"},` +
		`{"type":"reply","customer":{"email":"` + email + `"},"user":512344,"text":"It is on its way","imported":true,"createdAt":"` + createdAt + `"}]}`
}

func convPath(id int64, rest string) string {
	return "/v2/conversations/" + strconv.FormatInt(id, 10) + rest
}

func TestCreatedConversationReadsBack(t *testing.T) {
	c := with(t)
	a := c.want(201, "POST", "/v2/conversations", sample("jo@customer.example", "2021-03-04T05:06:07Z",
		`,"tags":["VIP","late"],"fields":[{"id":31201,"value":"90513"},{"id":31202,"value":"T-77"}]`))
	if len(a.raw) != 0 || a.header.Get("Location") != origin+convPath(a.id(), "") || a.header.Get("Correlation-Id") == "" {
		t.Errorf("create answered %q with %v", a.raw, a.header)
	}
	got := c.want(200, "GET", convPath(a.id(), ""), "")
	for where, want := range map[string]any{
		"subject": "Where is my order", "status": "closed", "state": "published", "threads": 2.0, "createdAt": "2021-03-04T05:06:07Z",
		"primaryCustomer/email": "jo@customer.example", "tags/0/tag": "vip", "tags/1/tag": "late", "tags/2/tag": nil, "customFields/0/text": "High", "customFields/0/value": "90513",
		"assignee": nil, "source/type": "api", "preview": "It is on its way", "_embedded": nil,
		"_links/web/href": origin + "/conversation/" + strconv.FormatInt(a.id(), 10) + "/" + strconv.FormatInt(int64(got.at("number").(float64)), 10),
	} {
		if have := got.at(where); have != want {
			t.Errorf("%s: got %v, want %v", where, have, want)
		}
	}
	threads := c.want(200, "GET", convPath(a.id(), "/threads"), "")
	for where, want := range map[string]any{
		"_embedded/threads/0/type": "message", "_embedded/threads/0/createdBy/id": 512344.0, "_embedded/threads/0/body": "It is on its way",
		"_embedded/threads/1/type": "customer", "_embedded/threads/1/body": "It has not come<br />yet", "page/totalElements": 2.0,
	} {
		if have := threads.at(where); have != want {
			t.Errorf("%s: got %v, want %v", where, have, want)
		}
	}
	if mails := c.s.Dump().Mails; len(mails) != 0 {
		t.Errorf("an imported conversation mailed people: %v", mails)
	}
}
