package sandbox

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The conformance suite asks only for what is documented or recorded, so that it can be run against the real service:
//
//	CONFORMANCE_BASE=https://api.helpscout.net HELPSCOUT_APP_ID=... HELPSCOUT_APP_SECRET=... go test -run Conformance -v
//
// It reads. With CONFORMANCE_WRITE=yes it also writes, into the mailbox named by CONFORMANCE_MAILBOX, and deletes what
// it made; then it logs what it learned about each thing that nobody has published, by the name of its setting. Without
// CONFORMANCE_BASE it runs against the sandbox.
func conformanceClient(t *testing.T) *client {
	base := os.Getenv("CONFORMANCE_BASE")
	if base == "" {
		return open(t, Options{})
	}
	c := &client{t: t, http: &http.Client{Transport: &redirected{strings.TrimSuffix(base, "/"), http.DefaultTransport}}}
	a := c.send("POST", "/v2/oauth2/token", fmt.Sprintf(`{"grant_type":"client_credentials","client_id":%q,"client_secret":%q}`,
		os.Getenv("HELPSCOUT_APP_ID"), os.Getenv("HELPSCOUT_APP_SECRET")))
	if a.status != 200 {
		t.Fatalf("token: %d %v", a.status, a.err)
	}
	c.token, _ = a.at("access_token").(string)
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	return c
}

// has fails for values that are missing from an answer.
func (a answer) has(t *testing.T, what string, paths ...string) {
	t.Helper()
	for _, p := range paths {
		if a.at(p) == nil {
			t.Errorf("%s: no %s in %.300s", what, p, a.raw)
		}
	}
}

func TestConformanceReading(t *testing.T) {
	c := conformanceClient(t)
	me := c.want(200, "GET", "/v2/users/me", "")
	me.has(t, "me", "id", "firstName", "lastName", "email", "role", "type")
	if !strings.HasPrefix(me.header.Get("Content-Type"), "application/hal+json") || me.header.Get("Correlation-Id") == "" {
		t.Errorf("headers of a read: %v", me.header)
	}
	left := func(a answer) int {
		n, err := strconv.Atoi(a.header.Get("X-RateLimit-Remaining-Minute"))
		if err != nil || a.header.Get("X-RateLimit-Limit-Minute") == "" {
			t.Errorf("rate headers: %v", a.header)
		}
		return n
	}
	if before, after := left(me), left(c.want(200, "GET", "/v2/users/me", "")); after != before-1 && after < before {
		t.Logf("a read cost %d units; others may be using the account", before-after)
	}
	boxes := c.want(200, "GET", "/v2/mailboxes", "")
	boxes.has(t, "mailboxes", "_embedded/mailboxes/0/id", "_embedded/mailboxes/0/name", "_embedded/mailboxes/0/email", "_embedded/mailboxes/0/slug", "page/size", "page/totalElements", "page/totalPages", "page/number", "_links/self/href")
	box := fmt.Sprintf("/v2/mailboxes/%.0f", boxes.at("_embedded/mailboxes/0/id"))
	c.want(200, "GET", box, "").has(t, "mailbox", "id", "_links/fields/href", "_links/folders/href")
	c.want(200, "GET", box+"/fields", "").has(t, "fields", "page/totalElements")
	c.want(200, "GET", box+"/folders", "").has(t, "folders", "_embedded/folders/0/id", "_embedded/folders/0/type")
	for _, list := range []string{"users", "teams", "tags", "workflows", "webhooks", "customers"} {
		a := c.want(200, "GET", "/v2/"+list, "")
		if total, _ := a.at("page/totalElements").(float64); total == 0 && a.at("_embedded") != nil {
			t.Errorf("%s: empty, and yet _embedded: %.300s", list, a.raw)
		}
	}
	conformLists(t, c)
	missing := c.want(404, "GET", "/v2/conversations/1", "")
	t.Logf("404 answers %s %.200s", missing.header.Get("Content-Type"), missing.raw)
	token := c.token
	c.token = "not-a-token"
	c.want(401, "GET", "/v2/users/me", "").has(t, "401", "error")
	c.token = token
}

func conformLists(t *testing.T, c *client) {
	for _, query := range []string{"", "status=all", "status=closed&sortField=number&sortOrder=desc", "status=all&query=" + url.QueryEscape("(createdAt:[2020-01-01T00:00:00Z TO 2020-01-01T00:00:01Z])")} {
		a := c.want(200, "GET", "/v2/conversations?"+query, "")
		a.has(t, "list "+query, "page/size", "_links/first/href", "_links/last/href", "_links/self/href")
		list, _ := a.at("_embedded/conversations").([]any)
		if total := a.at("page/totalElements").(float64); (total == 0) != (a.at("_embedded") == nil) || total < float64(len(list)) {
			t.Errorf("list %q: %v in all, %d came", query, total, len(list))
		}
		for _, v := range list {
			if status := v.(map[string]any)["status"]; query == "" && status != "active" {
				t.Errorf("the default list shows a conversation that is %v", status)
			}
		}
	}
	c.want(400, "GET", "/v2/conversations?status=nonsense", "")
}

func TestConformanceWriting(t *testing.T) {
	if os.Getenv("CONFORMANCE_BASE") != "" && os.Getenv("CONFORMANCE_WRITE") != "yes" {
		t.Skip("writes only with CONFORMANCE_WRITE=yes")
	}
	c := conformanceClient(t)
	box := 0.0
	for _, v := range c.want(200, "GET", "/v2/mailboxes", "").at("_embedded/mailboxes").([]any) {
		m := v.(map[string]any)
		if name := os.Getenv("CONFORMANCE_MAILBOX"); box == 0 && (name == "" && os.Getenv("CONFORMANCE_BASE") == "" || m["name"] == name) {
			box = m["id"].(float64)
		}
	}
	if box == 0 {
		t.Fatal("CONFORMANCE_MAILBOX names no mailbox of the account")
	}
	who := "conformance@imported.invalid"
	body := func(more, thread string) string {
		return fmt.Sprintf(`{"subject":"Conformance","customer":{"email":%q},"mailboxId":%.0f,"type":"email","assignTo":null%s,"threads":[%s]}`, who, box, more, thread)
	}
	thread := func(typ, at string) string {
		return fmt.Sprintf(`{"type":%q,"customer":{"email":%q},"text":"one<br>two","imported":true,"createdAt":%q}`, typ, who, at)
	}
	const at = "2020-01-02T03:04:05Z"
	made := c.want(201, "POST", "/v2/conversations", body(`,"status":"closed","imported":true,"createdAt":"`+at+`","closedAt":"2020-01-03T00:00:00Z","tags":["Conformance"]`,
		thread("customer", at)+","+thread("reply", at)+","+thread("note", at)))
	if len(made.raw) != 0 || made.id() == 0 || !strings.Contains(made.header.Get("Location"), strconv.FormatInt(made.id(), 10)) {
		t.Fatalf("create answered %q with %v", made.raw, made.header)
	}
	defer func() {
		c.want(204, "DELETE", convPath(made.id(), ""), "")
		t.Logf("delete: a GET after it answers %d", c.send("GET", convPath(made.id(), ""), "").status)
	}()
	got := c.want(200, "GET", convPath(made.id(), ""), "")
	for where, want := range map[string]any{"status": "closed", "createdAt": at, "closedAt": "2020-01-03T00:00:00Z", "threads": 3.0, "primaryCustomer/email": who, "assignee": nil} {
		if have := got.at(where); have != want {
			t.Errorf("%s: got %v, want %v", where, have, want)
		}
	}
	t.Logf("tag-case: %v; imported-modified-at: userUpdatedAt %v; web-location: %q", got.at("tags/0/tag"), got.at("userUpdatedAt"), made.header.Get("Web-Location"))
	conformThreads(t, c, made.id(), who)
	conformRefusals(t, c, body, thread)
}

func conformThreads(t *testing.T, c *client, id int64, who string) {
	threads := c.want(200, "GET", convPath(id, "/threads"), "")
	list, _ := threads.at("_embedded/threads").([]any)
	var types []string
	for _, v := range list {
		types = append(types, fmt.Sprint(v.(map[string]any)["type"]))
	}
	t.Logf("equal-times: customer, reply, note were read as %v; html-rewrite: %v; thread-page-size: %v", types, threads.at("_embedded/threads/0/body"), threads.at("page/size"))
	note := c.want(201, "POST", convPath(id, "/notes"), `{"text":"later","imported":true,"createdAt":"2020-01-02T03:05:00Z"}`)
	t.Logf("thread-ids: Resource-ID %q", note.header.Get("Resource-ID"))
	c.want(201, "POST", convPath(id, "/reply"), fmt.Sprintf(`{"customer":{"email":%q},"text":"x","imported":true,"createdAt":"2020-01-02T03:06:00Z"}`, who))
	if status := c.want(200, "GET", convPath(id, ""), "").at("status"); status != "closed" {
		t.Errorf("an imported reply made it %v", status)
	}
	tid := int64(threads.at("_embedded/threads/0/id").(float64))
	file := base64.StdEncoding.EncodeToString([]byte("hello"))
	up := c.want(201, "POST", convPath(id, fmt.Sprintf("/threads/%d/attachments", tid)), `{"fileName":"a.txt","mimeType":"text/plain","data":"`+file+`"}`)
	t.Logf("attachment-ids: Resource-ID %q", up.header.Get("Resource-ID"))
	before, _ := strconv.Atoi(up.header.Get("X-RateLimit-Remaining-Minute"))
	patched := c.want(204, "PATCH", convPath(id, ""), `{"op":"replace","path":"/subject","value":"Conformance 2"}`)
	after, _ := strconv.Atoi(patched.header.Get("X-RateLimit-Remaining-Minute"))
	t.Logf("quota-patch-units: %d", before-after)
	c.want(204, "PUT", convPath(id, "/tags"), `{"tags":[]}`)
	began := time.Now()
	for range 10 {
		if a := c.want(200, "GET", "/v2/conversations?status=all&query="+url.QueryEscape(`(email:"`+who+`")`), ""); a.at("page/totalElements") != 0.0 {
			t.Logf("index-lag: found after %v", time.Since(began).Round(time.Second))
			return
		}
		time.Sleep(2 * time.Second)
	}
	t.Log("index-lag: not found within 20 s")
}

// conformRefusals tries what is documented as an error, and what is not known to be one.
func conformRefusals(t *testing.T, c *client, body func(more, thread string) string, thread func(typ, at string) string) {
	bad := c.want(400, "POST", "/v2/conversations", strings.Replace(body(`,"status":"closed"`, thread("note", "2020-01-02T03:04:05Z")), "Conformance", "", 1))
	if bad.header.Get("Content-Type") != "application/vnd.error+json" {
		t.Errorf("Content-Type of a 400: %q", bad.header.Get("Content-Type"))
	}
	bad.has(t, "400", "logRef", "message", "_embedded/errors/0/path", "_embedded/errors/0/message", "_links/about/href")
	c.want(400, "POST", "/v2/conversations", body(`,"status":"closed","imported":true,"createdAt":"2020-01-02T03:04:05.000Z"`, thread("note", "2020-01-02T03:04:05Z")))
	for name, call := range map[string]string{
		"created-at-not-imported": body(`,"status":"closed"`, strings.Replace(thread("note", "2020-01-02T03:04:05Z"), `"imported":true`, `"imported":false`, 1)),
		"spam-at-create":          body(`,"status":"spam","imported":true`, thread("note", "2020-01-02T03:04:05Z")),
		"closed-at-open":          body(`,"status":"pending","imported":true,"closedAt":"2020-01-03T00:00:00Z"`, thread("note", "2020-01-02T03:04:05Z")),
		"future-dates":            body(`,"status":"closed","imported":true,"createdAt":"2099-01-01T00:00:00Z"`, thread("note", "2099-01-01T00:00:00Z")),
		"max-subject":             strings.Replace(body(`,"status":"closed","imported":true`, thread("note", "2020-01-02T03:04:05Z")), "Conformance", strings.Repeat("x", 300), 1),
	} {
		a := c.send("POST", "/v2/conversations", call)
		if a.status != 201 {
			t.Logf("%s: %d %s", name, a.status, fieldsOf(a))
			continue
		}
		got := c.want(200, "GET", convPath(a.id(), ""), "")
		t.Logf("%s: 201, reads back with status %v, createdAt %v, closedAt %v", name, got.at("status"), got.at("createdAt"), got.at("closedAt"))
		c.want(204, "DELETE", convPath(a.id(), ""), "")
	}
}
