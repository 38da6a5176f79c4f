package sandbox

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// fieldsOf are the paths that a 400 complains about.
func fieldsOf(a answer) string {
	var paths []string
	list, _ := a.at("_embedded/errors").([]any)
	for _, e := range list {
		paths = append(paths, e.(map[string]any)["path"].(string))
	}
	return strings.Join(paths, " ")
}

func TestRefusalsNameTheField(t *testing.T) {
	good := sample("a@b.example", "2021-03-04T05:06:07Z", "")
	for _, tt := range []struct{ name, old, with, fields string }{
		{"empty subject", `"subject":"Where is my order"`, `"subject":""`, "subject"},
		{"blank subject", `"subject":"Where is my order"`, `"subject":"  "`, "subject"},
		{"long subject", `"Where is my order"`, `"` + strings.Repeat("é", 256) + `"`, "subject"},
		{"no mailbox", `"mailboxId":254871,`, ``, "mailboxId"},
		{"foreign mailbox", `"mailboxId":254871`, `"mailboxId":1`, "mailboxId"},
		{"negative mailbox", `"mailboxId":254871`, `"mailboxId":-1`, "mailboxId"},
		{"no status", `"status":"closed",`, ``, "status"},
		{"odd status", `"status":"closed"`, `"status":"solved"`, "status"},
		{"odd type", `"type":"email","status"`, `"type":"fax","status"`, "type"},
		{"no customer", `"customer":{"email":"a@b.example","firstName":"Jo","lastName":"Doe"},`, ``, "customer"},
		{"bad address", `{"email":"a@b.example","firstName"`, `{"email":"a b@b.example","firstName"`, "customer.email"},
		{"empty name", `"firstName":"Jo"`, `"firstName":""`, "customer.firstName"},
		{"long name", `"lastName":"Doe"`, `"lastName":"` + strings.Repeat("x", 41) + `"`, "customer.lastName"},
		{"milliseconds", `"createdAt":"2021-03-04T05:06:07Z","threads"`, `"createdAt":"2021-03-04T05:06:07.000Z","threads"`, "createdAt"},
		{"offset", `"createdAt":"2021-03-04T05:06:07Z","threads"`, `"createdAt":"2021-03-04T05:06:07+00:00","threads"`, "createdAt"},
		{"no such day", `"createdAt":"2021-03-04T05:06:07Z","threads"`, `"createdAt":"2021-02-30T05:06:07Z","threads"`, "createdAt"},
		{"not imported", `"imported":true,"assignTo"`, `"assignTo"`, "createdAt"},
		{"empty text", `"text":"It is on its way"`, `"text":""`, "threads[1].text"},
		{"thread type", `"type":"reply"`, `"type":"message"`, "threads[1].type"},
		{"thread customer", `"type":"customer","customer":{"email":"a@b.example"}`, `"type":"customer"`, "threads[0].customer"},
		{"deleted agent", `"user":512344`, `"user":512347`, "threads[1].user"},
		{"deleted assignee", `"assignTo":null`, `"assignTo":512347`, "assignTo"},
		{"foreign field", `"assignTo":null`, `"fields":[{"id":9,"value":"x"}]`, "fields[0].id"},
		{"label for option", `"assignTo":null`, `"fields":[{"id":31201,"value":"High"}]`, "fields[0].value"},
		{"fraction", `"assignTo":null`, `"fields":[{"id":31204,"value":"1.5"}]`, "fields[0].value"},
		{"date", `"assignTo":null`, `"fields":[{"id":31205,"value":"04/03/2021"}]`, "fields[0].value"},
		{"bad base64", `"text":"It is on its way"`, `"text":"x","attachments":[{"fileName":"a","mimeType":"b/c","data":"***"}]`, "threads[1].attachments[0].data"},
		{"two at once", `"subject":"Where is my order","customer"`, `"subject":null,"tags":"x","customer"`, "subject tags"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := with(t)
			body := strings.Replace(good, tt.old, tt.with, 1)
			if body == good {
				t.Fatal("the case changes nothing")
			}
			a := c.want(400, "POST", "/v2/conversations", body)
			if got := a.header.Get("Content-Type"); got != "application/vnd.error+json" {
				t.Errorf("Content-Type %q", got)
			}
			if got := fieldsOf(a); got != tt.fields {
				t.Errorf("complains of %q, want %q: %s", got, tt.fields, a.raw)
			}
			if n := len(c.s.Dump().Conversations); n != 0 {
				t.Errorf("a refused call made %d conversations", n)
			}
		})
	}
}

func TestToleratedBodies(t *testing.T) {
	good := sample("a@b.example", "2021-03-04T05:06:07Z", "")
	for name, body := range map[string]string{
		"unknown keys":       strings.Replace(good, `"subject"`, `"number":null,"threadCount":null,"source":{"type":null},"state":null,"subject"`, 1),
		"mailbox in quotes":  strings.Replace(good, `254871`, `"254871"`, 1),
		"null optionals":     strings.Replace(good, `"assignTo":null`, `"assignTo":null,"closedAt":null,"user":null,"tags":null,"fields":null`, 1),
		"customer on a note": strings.Replace(good, `"type":"reply"`, `"type":"note"`, 1),
		"thread inherits":    strings.ReplaceAll(good, `yet","imported":true`, `yet"`),
		"read id of customer": strings.Replace(good, `"customer":{"email":"a@b.example","firstName"`,
			`"customer":{"createdAt":"2020-01-01T00:00:00Z","email":"a@b.example","firstName"`, 1),
	} {
		t.Run(name, func(t *testing.T) { with(t).want(201, "POST", "/v2/conversations", body) })
	}
}

func TestBodiesThatAreNoJSON(t *testing.T) {
	c := with(t)
	for _, body := range []string{`{`, `[]`, `"x"`, `{"a":1} x`, "{\"a\":\"\x01\"}"} {
		a := c.want(400, "POST", "/v2/conversations", body)
		if a.at("message") != "Error parsing request body into JSON" || a.at("_links/self/href") == nil {
			t.Errorf("%q: %s", body, a.raw)
		}
	}
	req, _ := http.NewRequest("POST", origin+"/v2/conversations", strings.NewReader(`{}`))
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "text/plain")
	if a := c.do(req); a.status != 415 {
		t.Errorf("text/plain: %d", a.status)
	}
}

// TestThreadLimits: more than 100 at creation, and any on 99 or more, are 412.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/create
func TestThreadLimits(t *testing.T) {
	c := with(t)
	create := func(n int) answer {
		threads := make([]string, n)
		for i := range threads {
			threads[i] = `{"type":"note","text":"x"}`
		}
		return c.send("POST", "/v2/conversations", `{"subject":"s","customer":{"email":"a@b.example"},"mailboxId":254871,"type":"email","status":"closed","threads":[`+
			strings.Join(threads, ",")+`]}`)
	}
	if a := create(101); a.status != 412 {
		t.Errorf("101 threads: %d", a.status)
	}
	if a := create(0); a.status != 400 || fieldsOf(a) != "threads" {
		t.Errorf("no thread: %d %s", a.status, a.raw)
	}
	full, almost := create(100).id(), create(98).id()
	if a := c.send("POST", convPath(full, "/notes"), `{"text":"x"}`); a.status != 412 {
		t.Errorf("note on 100 threads: %d", a.status)
	}
	c.want(201, "POST", convPath(almost, "/notes"), `{"text":"x"}`)
	if a := c.send("POST", convPath(almost, "/notes"), `{"text":"x"}`); a.status != 412 {
		t.Errorf("note on 99 threads: %d", a.status)
	}
}

func TestSizeLimits(t *testing.T) {
	c := with(t, "max-body-create=2kB", "max-body-upload=1kB")
	long := strings.Repeat("x", 3000)
	if a := c.send("POST", "/v2/conversations", strings.Replace(sample("a@b.example", "2021-03-04T05:06:07Z", ""), "It is on", long, 1)); a.status != 413 {
		t.Errorf("long create: %d", a.status)
	}
	id := c.want(201, "POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", "")).id()
	threads := c.want(200, "GET", convPath(id, "/threads"), "")
	thread := int64(threads.at("_embedded/threads/0/id").(float64))
	up := convPath(id, fmt.Sprintf("/threads/%d/attachments", thread))
	file := func(n int) string {
		return `{"fileName":"a.txt","mimeType":"file/txt","data":"` + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("y", n))) + `"}`
	}
	c.want(413, "POST", up, file(1000))
	c.want(201, "POST", up, file(500))
	c.want(201, "POST", up, file(500)) // nothing keeps a client from doing it twice
	threads = c.want(200, "GET", convPath(id, "/threads"), "")
	if threads.at("_embedded/threads/0/_embedded/attachments/1/filename") != "a.txt" || threads.at("_embedded/threads/0/_embedded/attachments/0/size") != 500.0 {
		t.Errorf("attachments read back as %s", threads.raw)
	}
	a := c.want(200, "GET", convPath(id, fmt.Sprintf("/attachments/%.0f/data", threads.at("_embedded/threads/0/_embedded/attachments/0/id"))), "")
	if got, _ := base64.StdEncoding.DecodeString(a.at("data").(string)); string(got) != strings.Repeat("y", 500) {
		t.Errorf("attachment data came back as %q", got)
	}
}

func TestTooOldConversationsAreLocked(t *testing.T) {
	c := with(t, "too-old=720h", "too-old-status=423")
	id := c.want(201, "POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", "")).id()
	c.want(423, "POST", convPath(id, "/notes"), `{"text":"x","imported":true,"createdAt":"2021-03-05T05:06:07Z"}`)
	c = with(t, "too-old=720h", "too-old-imported=false")
	id = c.want(201, "POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", "")).id()
	c.want(201, "POST", convPath(id, "/notes"), `{"text":"x","imported":true,"createdAt":"2021-03-05T05:06:07Z"}`)
	c.want(412, "POST", convPath(id, "/notes"), `{"text":"x"}`)
}

// TestStatusAfterThreads: a reply reactivates, an imported one does not, a status that is sent is set.
func TestStatusAfterThreads(t *testing.T) {
	c := with(t)
	id := c.want(201, "POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", "")).id()
	status := func() any { return c.want(200, "GET", convPath(id, ""), "").at("status") }
	reply := func(more string) {
		t.Helper()
		c.want(201, "POST", convPath(id, "/reply"), `{"customer":{"email":"a@b.example"},"text":"x"`+more+`}`)
	}
	if reply(`,"imported":true`); status() != "closed" {
		t.Errorf("an imported reply made it %v", status())
	}
	if reply(``); status() != "active" {
		t.Errorf("a reply left it %v", status())
	}
	if reply(`,"status":"pending"`); status() != "pending" {
		t.Errorf("a reply with a status made it %v", status())
	}
	if mails := c.s.Dump().Mails; len(mails) != 2 || mails[0].Kind != "reply" || mails[0].To[0] != "a@b.example" {
		t.Errorf("mails: %v", mails)
	}
}

func TestMergedAndDeleted(t *testing.T) {
	c := with(t)
	one := c.want(201, "POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", "")).id()
	two := c.want(201, "POST", "/v2/conversations", sample("b@b.example", "2021-03-04T05:06:07Z", "")).id()
	if err := c.s.Merge(one, two); err != nil {
		t.Fatal(err)
	}
	if a := c.want(301, "GET", convPath(one, ""), ""); a.header.Get("Location") != origin+convPath(two, "") {
		t.Errorf("Location %q", a.header.Get("Location"))
	}
	c.want(404, "POST", convPath(one, "/notes"), `{"text":"x"}`)
	c.want(404, "DELETE", convPath(one, ""), "")
	if n := c.want(200, "GET", convPath(two, ""), "").at("threads"); n != 4.0 {
		t.Errorf("threads after the merge: %v", n)
	}
	c.want(204, "DELETE", convPath(two, ""), "")
	c.want(404, "GET", convPath(two, ""), "")
	if a := c.want(200, "GET", "/v2/conversations?status=all", ""); a.at("_embedded") != nil || a.at("page/totalElements") != 0.0 {
		t.Errorf("list after all is gone: %s", a.raw)
	}
}

// TestPatch: one operation a call, as recorded; what it leaves behind.
func TestPatch(t *testing.T) {
	c := with(t)
	id := c.want(201, "POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", `,"fields":[{"id":31202,"value":"7"}]`)).id()
	for _, op := range []string{
		`{"op":"replace","path":"/subject","value":"New"}`, `{"op":"replace","path":"/status","value":"active"}`,
		`{"op":"replace","path":"/assignTo","value":512351}`, `{"op":"move","path":"/mailboxId","value":254906}`,
	} {
		c.want(204, "PATCH", convPath(id, ""), op)
	}
	got := c.want(200, "GET", convPath(id, ""), "")
	if got.at("subject") != "New" || got.at("status") != "active" || got.at("assignee/id") != 512351.0 || got.at("mailboxId") != 254906.0 ||
		got.at("closedBy") != 0.0 || got.at("closedAt") != nil || got.at("threads") != 2.0 || got.at("customFields/0") != nil {
		t.Errorf("after the patches: %s", got.raw)
	}
	items := 0
	for _, th := range c.want(200, "GET", convPath(id, "/threads"), "").at("_embedded/threads").([]any) {
		if th.(map[string]any)["type"] == "lineitem" {
			items++
		}
	}
	if items != 3 {
		t.Errorf("%d line items, want 3", items)
	}
	c.want(400, "PATCH", convPath(id, ""), `[{"op":"replace","path":"/subject","value":"New"}]`)
	c.want(400, "PATCH", convPath(id, ""), `{"op":"replace","path":"/nothing","value":"New"}`)
	c.want(204, "PATCH", convPath(id, ""), `{"op":"remove","path":"/assignTo"}`)
	if got = c.want(200, "GET", convPath(id, ""), ""); got.at("assignee") != nil {
		t.Errorf("still assigned: %s", got.raw)
	}
}

func TestIgnoredCreatedAt(t *testing.T) {
	c := with(t, "ignore-created-at=true")
	id := c.want(201, "POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", "")).id()
	if at := c.want(200, "GET", convPath(id, ""), "").at("createdAt").(string); strings.HasPrefix(at, "2021") {
		t.Errorf("createdAt is %s", at)
	}
	c = with(t, "created-at-not-imported=ignore")
	id = c.want(201, "POST", "/v2/conversations", strings.ReplaceAll(sample("a@b.example", "2021-03-04T05:06:07Z", ""), `"imported":true,`, "")).id()
	if at := c.want(200, "GET", convPath(id, ""), "").at("createdAt").(string); strings.HasPrefix(at, "2021") {
		t.Errorf("createdAt without imported is %s", at)
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	c := with(t)
	c.want(404, "GET", "/v2/nothing", "")
	c.want(404, "GET", "/v2/conversations/123", "")
	c.want(404, "GET", "/v2/conversations/x", "")
	if a := c.want(405, "PUT", "/v2/mailboxes", "{}"); a.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("Allow %q", a.header.Get("Allow"))
	}
	c.want(200, "GET", "/v2/mailboxes/254871/folders/", "")
	c.want(404, "POST", "/v2/attachments", "{}")
}

// TestSeedDescription: the endpoint that descriptions name and the service does not have.
func TestSeedDescription(t *testing.T) {
	c := with(t)
	id := c.want(201, "POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", "")).id()
	c.want(201, "POST", convPath(id, "/threads"), `{"type":"note","text":"x"}`)
	c.want(400, "POST", convPath(id, "/threads"), `{"text":"x"}`)
	c = with(t, "seed-threads-post=false")
	c.want(404, "POST", "/v2/conversations/1/threads", `{"type":"note","text":"x"}`)
}
