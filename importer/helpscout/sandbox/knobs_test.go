package sandbox

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestKnobsOfCreate: one create call under a setting, and what is read back of it. %d in a path is its id.
func TestKnobsOfCreate(t *testing.T) {
	const at = "2021-03-04T05:06:07Z"
	good := sample("a@b.example", at, "")
	swap := func(pairs ...string) string {
		t.Helper()
		body := strings.NewReplacer(pairs...).Replace(good)
		if body == good {
			t.Fatalf("%q changes nothing", pairs)
		}
		return body
	}
	text := func(s string) string { return swap("It is on its way", s) }
	const conv, threads = "/v2/conversations/%d", "/v2/conversations/%d/threads"
	for _, tt := range []struct {
		setting, body string
		status        int
		path, where   string
		want          any
	}{
		{"spam-at-create=keep", swap(`"closed"`, `"spam"`), 201, conv, "status", "spam"},
		{"spam-at-create=active", swap(`"closed"`, `"spam"`), 201, conv, "status", "active"},
		{"spam-at-create=reject", swap(`"closed"`, `"spam"`), 400, "", "", nil},
		{"closed-without-time=last-thread", good, 201, conv, "closedAt", at},
		{"closed-without-time=absent", good, 201, conv, "closedAt", nil},
		{"closed-at-open=ignore", swap(`"closed"`, `"active","closedAt":"`+at+`"`), 201, conv, "closedAt", nil},
		{"closed-at-open=reject", swap(`"closed"`, `"active","closedAt":"`+at+`"`), 400, "", "", nil},
		{"future-dates=accept", strings.ReplaceAll(good, at, "2199-01-01T00:00:00Z"), 201, conv, "createdAt", "2199-01-01T00:00:00Z"},
		{"future-dates=reject", strings.ReplaceAll(good, at, "2199-01-01T00:00:00Z"), 400, "", "", nil},
		{"thread-imported=required", swap(`yet","imported":true`, `yet"`), 400, "", "", nil},
		{"imported-modified-at=historic", good, 201, conv, "userUpdatedAt", at},
		{"foreign-field=ignore", swap(`"assignTo":null`, `"fields":[{"id":9,"value":"x"}]`), 201, conv, "customFields/0", nil},
		{"max-text=10", text("longer than ten"), 400, "", "", nil},
		{"max-tags=1", swap(`"assignTo":null`, `"tags":["a","b"]`), 400, "", "", nil},
		{"max-tag=2", swap(`"assignTo":null`, `"tags":["abc"]`), 400, "", "", nil},
		{"max-subject=5", good, 400, "", "", nil},
		{"max-subject=0", swap("Where is", strings.Repeat("long ", 100)), 201, conv, "status", "closed"},
		{"max-threads=1", good, 412, "", "", nil},
		{"max-attachments=1", swap(`"text":"It is on its way"`, `"text":"x","attachments":[{"fileName":"a","mimeType":"b","data":"aGk="},{"fileName":"a","mimeType":"b","data":"aGk="}]`), 400, "", "", nil},
		{"html-rewrite=none", text("a<br>b"), 201, threads, "_embedded/threads/0/body", "a<br>b"},
		{"html-rewrite=br", text("a<br>b"), 201, threads, "_embedded/threads/0/body", "a<br />b"},
		{"html-rewrite=sanitise", text("a<script>x</script>b<STYLE>y"), 201, threads, "_embedded/threads/0/body", "ab"},
		{"newlines=keep", text(`a\nb`), 201, threads, "_embedded/threads/0/body", "a\nb"},
		{"newlines=br", text(`a\nb`), 201, threads, "_embedded/threads/0/body", "a<br />b"},
		{"newlines=collapse", text(`a\n b`), 201, threads, "_embedded/threads/0/body", "a b"},
		{"emoji=replace", text("a😀"), 201, threads, "_embedded/threads/0/body", "a?"},
		{"emoji=keep", text("a😀"), 201, threads, "_embedded/threads/0/body", "a😀"},
		{"control=strip", text(`a\u0000b`), 201, threads, "_embedded/threads/0/body", "ab"},
		{"control=reject", text(`a\u0000b`), 400, "", "", nil},
		{"tag-case=keep", swap(`"assignTo":null`, `"tags":["AbC"]`), 201, conv, "tags/0/tag", "AbC"},
		{"equal-times=array", good, 201, threads, "_embedded/threads/0/type", "customer"},
		{"equal-times=newest", good, 201, threads, "_embedded/threads/0/type", "message"},
		{"thread-page-size=1", good, 201, threads, "page/totalPages", 2.0},
		{"delete=gone", good, 201, conv, "state", "published"},
		{"public-url=https://api.helpscout.net", good, 201, conv, "_links/mailbox/href", "https://api.helpscout.net/v2/mailboxes/254871"},
		{"auto-assign=none", swap(`"assignTo":null,`, ``), 201, conv, "assignee", nil},
	} {
		t.Run(tt.setting, func(t *testing.T) {
			c := with(t, tt.setting)
			a := c.want(tt.status, "POST", "/v2/conversations", tt.body)
			if tt.status != 201 {
				return
			}
			got := c.want(200, "GET", fmt.Sprintf(tt.path, a.id()), "")
			if have := got.at(tt.where); have != tt.want {
				t.Errorf("%s: got %v, want %v", tt.where, have, tt.want)
			}
		})
	}
}

func TestKnobsOfHeaders(t *testing.T) {
	c := with(t, "web-location=true", "location-query=true", "resource-ids=false", "thread-ids=false", "attachment-ids=true")
	a := c.want(201, "POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", ""))
	if a.header.Get("Resource-ID") != "" || !strings.HasSuffix(a.header.Get("Location"), "?from=api") || a.header.Get("Web-Location") == "" {
		t.Errorf("create: %v", a.header)
	}
	conv := c.s.Dump().Conversations[0]
	if a = c.want(201, "POST", convPath(conv.ID, "/notes"), `{"text":"x"}`); a.header.Get("Resource-ID") != "" {
		t.Errorf("note: %v", a.header)
	}
	a = c.want(201, "POST", convPath(conv.ID, fmt.Sprintf("/threads/%d/attachments", conv.Threads[0].ID)), `{"fileName":"a","mimeType":"b","data":"aGk="}`)
	if a.id() == 0 {
		t.Errorf("upload: %v", a.header)
	}
	c = with(t, "nested-path=dots")
	if got := fieldsOf(c.want(400, "POST", "/v2/conversations", strings.Replace(sample("a@b.example", "2021-03-04T05:06:07Z", ""), "It is on its way", "", 1))); got != "threads.1.text" {
		t.Errorf("path %q", got)
	}
}

func TestKnobsOfLaterCalls(t *testing.T) {
	create := func(c *client) int64 {
		return c.want(201, "POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", "")).id()
	}
	c := with(t, "delete=trash")
	id := create(c)
	c.want(204, "DELETE", convPath(id, ""), "")
	if state := c.want(200, "GET", convPath(id, ""), "").at("state"); state != "deleted" {
		t.Errorf("trash: %v", state)
	}
	c = with(t, "thread-editing=false")
	id = create(c)
	c.want(403, "PATCH", convPath(id, fmt.Sprintf("/threads/%d", c.s.Dump().Conversations[0].Threads[0].ID)), `{"op":"replace","path":"/text","value":"x"}`)
	c = with(t, "line-items-count=true", "max-threads=5")
	id = create(c)
	c.want(204, "PATCH", convPath(id, ""), `{"op":"replace","path":"/status","value":"active"}`)
	c.want(204, "PATCH", convPath(id, ""), `{"op":"replace","path":"/status","value":"pending"}`)
	c.want(412, "POST", convPath(id, "/notes"), `{"text":"x"}`)
	c = with(t, "email-case=exact")
	create(c)
	c.want(201, "POST", "/v2/customers", `{"emails":[{"type":"work","value":"A@b.example"}]}`)
	c = with(t, "bad-query=empty")
	create(c)
	if n := c.want(200, "GET", "/v2/conversations?status=all&query=(", "").at("page/totalElements"); n != 0.0 {
		t.Errorf("bad-query=empty brings %v", n)
	}
	c = with(t, "bad-query=ignore")
	create(c)
	if n := c.want(200, "GET", "/v2/conversations?status=all&query=(", "").at("page/totalElements"); n != 1.0 {
		t.Errorf("bad-query=ignore brings %v", n)
	}
	c.want(400, "GET", "/v3/conversations/search?query=(", "")
	c = with(t, "max-delete-history=0")
	create(c)
	c.want(409, "DELETE", fmt.Sprintf("/v2/customers/%d", c.s.Dump().Customers[0].ID), "")
	c = with(t, "enrich=true")
	create(c)
	if p := c.s.Dump().Customers[0]; p.PhotoType != "gravatar" || p.JobTitle == "" {
		t.Errorf("enrich: %+v", p)
	}
}

func TestAssignees(t *testing.T) {
	seed := DefaultSeed()
	seed.Users[2].Mailboxes = []int64{254906}
	body := strings.Replace(sample("a@b.example", "2021-03-04T05:06:07Z", ""), `"assignTo":null`, `"assignTo":512351`, 1)
	for rule, want := range map[string]any{"ignore": nil, "accept": 512351.0} {
		set := Defaults()
		set.AssignOutside = rule
		c := open(t, Options{Settings: set, Seed: seed})
		id := c.want(201, "POST", "/v2/conversations", body).id()
		if got := c.want(200, "GET", convPath(id, ""), "").at("assignee/id"); got != want {
			t.Errorf("%s: assigned to %v", rule, got)
		}
	}
	c := open(t, Options{Seed: seed})
	if got := fieldsOf(c.want(400, "POST", "/v2/conversations", body)); got != "assignTo" {
		t.Errorf("complains of %q", got)
	}
	seed.Mailboxes[0].Fields[1].Required = true
	set := Defaults()
	set.RequiredFields = "enforce"
	c = open(t, Options{Settings: set, Seed: seed})
	if got := fieldsOf(c.want(400, "POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", ""))); got != "fields" {
		t.Errorf("required field: complains of %q", got)
	}
}

func TestKnobsOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := with(t, "latency=400ms", "latency-jitter=100ms", "max-in-flight=2", "hang-max=5s", "token-lifetime=1h")
		slowest, fastest := time.Duration(0), time.Hour
		for range 50 {
			began := time.Now()
			c.want(200, "GET", "/v2/users/me", "")
			slowest, fastest = max(slowest, time.Since(began)), min(fastest, time.Since(began))
		}
		if fastest < 300*time.Millisecond || slowest > 500*time.Millisecond || slowest-fastest < 100*time.Millisecond {
			t.Errorf("latency between %v and %v", fastest, slowest)
		}
		c.s.Inject(func(op Op) *Fault {
			if op.Kind == "get" {
				return &Fault{Kind: Hang}
			}
			return nil
		})
		for range 2 {
			go c.send("GET", "/v2/conversations/1", "")
		}
		time.Sleep(time.Second)
		if a := c.send("GET", "/v2/users/me", ""); a.status != 429 {
			t.Errorf("the third call at one time: %d", a.status)
		}
		time.Sleep(5 * time.Second)
		c.want(200, "GET", "/v2/users/me", "")
		time.Sleep(time.Hour)
		c.want(401, "GET", "/v2/users/me", "")
		_ = c.s.Close()
	})
}

func TestKnobsOfOtherActors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := with(t, "workflows-on-imported=false", "keep-attachments=false")
		if _, err := c.s.AddWorkflow(Workflow{Name: "w", AddTag: "seen"}); err != nil {
			t.Fatal(err)
		}
		body := strings.Replace(sample("a@b.example", "2021-03-04T05:06:07Z", ""), `"text":"It is on its way"`,
			`"text":"x","attachments":[{"fileName":"a","mimeType":"b","data":"aGk="}]`, 1)
		imported := c.want(201, "POST", "/v2/conversations", body).id()
		native, err := c.s.AddNative(Native{Email: "a@b.example", Subject: "s", Text: "t"})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := c.want(200, "GET", convPath(imported, ""), "").at("tags/0/tag"); got != nil {
			t.Errorf("a workflow acted on an imported conversation: %v", got)
		}
		if got := c.want(200, "GET", convPath(native, ""), ""); got.at("tags/0/tag") != "seen" || got.at("source/type") != "email" {
			t.Errorf("the mail that arrived: %s", got.raw)
		}
		file := c.s.Dump().Conversations[0].Threads[1].Attachments[0]
		c.want(404, "GET", convPath(imported, fmt.Sprintf("/attachments/%d/data", file.ID)), "")
		if file.Size != 2 || !strings.HasPrefix(file.SHA256, "8f434346648f6b96") {
			t.Errorf("attachment %+v", file)
		}
		_ = c.s.Close()
	})
}
