package helpscout

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// page writes a page of a list as the API does.
func page(w http.ResponseWriter, key string, number, pages, total int, entries ...string) {
	w.Header().Set("Content-Type", "application/hal+json;charset=UTF-8")
	next := ""
	if number < pages {
		next = `,"next":{"href":"https://elsewhere.example/v2/x?page=99"}`
	}
	embedded := ""
	if len(entries) > 0 {
		embedded = `"_embedded":{"` + key + `":[` + strings.Join(entries, ",") + `]},`
	}
	fmt.Fprintf(w, `{%s"_links":{"self":{"href":"x"}%s},"page":{"size":50,"totalElements":%d,"totalPages":%d,"number":%d}}`, embedded, next, total, pages, number)
}

// TestThreads: all pages, in the server's order, each granted, each thread once.
func TestThreads(t *testing.T) {
	a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.FormValue("page") {
		case "1":
			page(w, "threads", 1, 3, 5, `{"id":5,"type":"message","createdAt":"2020-01-05T00:00:00Z"}`, `{"id":4,"createdAt":"2020-01-04T00:00:00.123Z"}`)
		case "2": // while we turned the page, a thread was added: 4 moved here
			page(w, "threads", 2, 3, 6, `{"id":4}`, `{"id":3,"_embedded":{"attachments":[{"id":9,"filename":"a.txt","size":3}]}}`)
		default:
			page(w, "threads", 3, 3, 6, `{"id":2,"customer":{"id":7,"email":"a@b.example"}}`)
		}
	})
	got, err := a.client(t, nil).Threads(t.Context(), 12)
	if err != nil || len(got) != 4 || got[0].ID != 5 || got[3].ID != 2 || got[0].CreatedType() != ThreadReply ||
		got[2].Embedded.Attachments[0].FileName != "a.txt" || got[3].Customer.Email != "a@b.example" {
		t.Errorf("%+v, %v", got, err)
	}
	want := []string{"GET /v2/conversations/12/threads?page=1", "GET /v2/conversations/12/threads?page=2", "GET /v2/conversations/12/threads?page=3"}
	if fmt.Sprint(a.requests()) != fmt.Sprint(want) || a.grants != 3 || len(a.rates) != 3 || a.rates[0].Write || a.rates[0].Limit != -1 {
		t.Errorf("requests %q, grants %d, rates %+v", a.requests(), a.grants, a.rates)
	}
}

// TestListEnds: a list that does not end as it should ends all the same, and is not taken for whole when it is not.
func TestListEnds(t *testing.T) {
	for name, c := range map[string]struct {
		serve    func(w http.ResponseWriter, number int)
		want, ok int // entries; 1: no error
		requests int
	}{
		"empty":              {func(w http.ResponseWriter, _ int) { page(w, "threads", 1, 0, 0) }, 0, 1, 1},
		"empty page":         {func(w http.ResponseWriter, n int) { page(w, "threads", n, 1, 0) }, 0, 1, 1},
		"gone meantime":      {func(w http.ResponseWriter, n int) { twoThenNone(w, n) }, 2, 1, 2},
		"repeats":            {func(w http.ResponseWriter, n int) { page(w, "threads", n, n+1, 9, `{"id":1}`) }, 0, 0, 2},
		"repeats, but whole": {func(w http.ResponseWriter, n int) { page(w, "threads", n, n+1, 1, `{"id":1}`) }, 1, 1, 2},
		"counts, shows none": {func(w http.ResponseWriter, n int) { page(w, "threads", n, 1, 7) }, 0, 0, 1},
		"empty object":       {func(w http.ResponseWriter, _ int) { io.WriteString(w, `{}`) }, 0, 0, 1},
		"links only":         {func(w http.ResponseWriter, _ int) { io.WriteString(w, `{"_links":{}}`) }, 0, 0, 1},
		"error as 200":       {func(w http.ResponseWriter, _ int) { io.WriteString(w, `{"message":"Internal error"}`) }, 0, 0, 1},
		"html":               {func(w http.ResponseWriter, _ int) { io.WriteString(w, "<html><title>Welcome</title>") }, 0, 0, 1},
		"nothing":            {func(http.ResponseWriter, int) {}, 0, 0, 1},
		"array":              {func(w http.ResponseWriter, _ int) { io.WriteString(w, `[]`) }, 0, 0, 1},
		"wrong shape":        {func(w http.ResponseWriter, n int) { page(w, "threads", n, 1, 1, `{"id":"one"}`) }, 0, 0, 1},
		"no id":              {func(w http.ResponseWriter, n int) { page(w, "threads", n, 1, 1, `{}`) }, 0, 0, 1},
		"other list":         {func(w http.ResponseWriter, n int) { page(w, "users", n, 1, 1, `{"id":1}`) }, 0, 0, 1},
		"no page block":      {func(w http.ResponseWriter, _ int) { io.WriteString(w, `{"_embedded":{"threads":[{"id":1}]}}`) }, 1, 1, 1},
		"byte order mark":    {func(w http.ResponseWriter, _ int) { io.WriteString(w, "\ufeff"+`{"_embedded":{"threads":[{"id":1}]}}`) }, 1, 1, 1},
		"204":                {func(w http.ResponseWriter, _ int) { w.WriteHeader(204) }, 0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) { n++; c.serve(w, n) })
			got, err := a.client(t, nil).Threads(t.Context(), 1)
			if len(got) != c.want || (err == nil) != (c.ok == 1) || err != nil && KindOf(err) != InDoubt {
				t.Errorf("%d entries, %v", len(got), err)
			}
			if len(a.requests()) != c.requests {
				t.Errorf("requests %q", a.requests())
			}
		})
	}
}

func twoThenNone(w http.ResponseWriter, n int) {
	if n == 1 {
		page(w, "threads", 1, 2, 3, `{"id":1}`, `{"id":2}`)
		return
	}
	page(w, "threads", 2, 1, 2)
}

// TestBodiesOfAnswers: packed unasked, or larger than any list.
func TestBodiesOfAnswers(t *testing.T) {
	pack := func(b []byte) []byte {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		w.Write(b)
		w.Close()
		return z.Bytes()
	}
	list := []byte(`{"_embedded":{"users":[{"id":1,"email":"a@b.example"}]}}`)
	huge := bytes.Repeat([]byte(" "), limitList+1)
	for name, c := range map[string]struct {
		packed bool
		body   []byte
		ok     bool
	}{
		"packed":       {true, pack(list), true},
		"cut":          {true, pack(list)[:30], false},
		"not packed":   {true, list, false},
		"packed empty": {true, nil, false},
		"huge":         {false, huge, false},
		"bomb":         {true, pack(huge), false},
	} {
		transport := roundTrip(func(r *http.Request) (*http.Response, error) {
			resp := &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(c.body)), Request: r}
			if c.packed {
				resp.Header.Set("Content-Encoding", "gzip")
			}
			return resp, nil
		})
		cl := newClient(t, Options{BaseURL: "https://x.example", AppID: testID, AppSecret: testSecret, Transport: transport}, nil)
		cl.tokens.token = validToken()
		users, err := cl.Users(t.Context())
		if (err == nil) != c.ok || c.ok && users[0].Email != "a@b.example" || err != nil && KindOf(err) != InDoubt {
			t.Errorf("%s: %v, %v", name, users, err)
		}
	}
}

// TestReferenceLists: each asks where the API page says, and an empty one is no error.
func TestReferenceLists(t *testing.T) {
	var path string
	a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		if path == "/v2/users/me" {
			io.WriteString(w, `{"id":3,"email":"me@b.example"}`)
			return
		}
		io.WriteString(w, `{"_links":{"self":{"href":"x"}}}`)
	})
	c := a.client(t, nil)
	ctx := t.Context()
	for want, ask := range map[string]func() (int, error){
		"/v2/users/me":           func() (int, error) { v, err := c.Me(ctx); return int(v.ID) - 3, err },
		"/v2/users":              func() (int, error) { v, err := c.Users(ctx); return len(v), err },
		"/v2/teams":              func() (int, error) { v, err := c.Teams(ctx); return len(v), err },
		"/v2/mailboxes":          func() (int, error) { v, err := c.Mailboxes(ctx); return len(v), err },
		"/v2/mailboxes/8/fields": func() (int, error) { v, err := c.MailboxFields(ctx, 8); return len(v), err },
		"/v2/tags":               func() (int, error) { v, err := c.Tags(ctx); return len(v), err },
		"/v2/workflows":          func() (int, error) { v, err := c.Workflows(ctx); return len(v), err },
		"/v2/webhooks":           func() (int, error) { v, err := c.Webhooks(ctx); return len(v), err },
	} {
		if n, err := ask(); n != 0 || err != nil || path != want {
			t.Errorf("%s: asked %s: %d, %v", want, path, n, err)
		}
	}
	a.handler = func(w http.ResponseWriter, _ *http.Request) { page(w, "tags", 1, 1, 1, `{"id":4,"name":"vip"}`) }
	if tags, err := c.Tags(ctx); err != nil || len(tags) != 1 || tags[0] != (Tag{ID: 4, Name: "vip"}) {
		t.Error(tags, err)
	}
}

func TestConversations(t *testing.T) {
	a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
		page(w, "conversations", 2, 2, 51, `{"id":7,"number":70,"threads":3,"tags":[{"id":1,"tag":"x"}],"customFields":[{"id":2,"value":5}],"closedAt":null,"_links":{"web":{"href":"https://secure.helpscout.net/conversation/7/70"}}}`)
	})
	c := a.client(t, nil)
	list := ListQuery{
		Query: `(createdAt:[A TO B])`, Mailbox: 3, SortField: "number", SortOrder: "desc", Tag: "t", ModifiedSince: "2020-01-01T00:00:00Z",
		EmbedThreads: true, Number: 9,
	}
	got, p, err := c.Conversations(t.Context(), list, 2)
	if err != nil || len(got) != 1 || got[0].ThreadCount != 3 || got[0].Tags[0].Name != "x" || got[0].CustomFields[0].Value != "5" ||
		p != (Page{Size: 50, TotalElements: 51, TotalPages: 2, Number: 2}) {
		t.Errorf("%+v, %+v, %v", got, p, err)
	}
	u, _ := url.Parse(strings.TrimPrefix(a.requests()[0], "GET "))
	want := url.Values{
		"query": {`(createdAt:[A TO B])`}, "status": {"all"}, "mailbox": {"3"}, "sortField": {"number"}, "sortOrder": {"desc"}, "tag": {"t"},
		"modifiedSince": {"2020-01-01T00:00:00Z"}, "embed": {"threads"}, "number": {"9"}, "page": {"2"},
	}
	if u.Query().Encode() != want.Encode() {
		t.Errorf("asked %v, want %v", u.Query(), want)
	}
	if _, _, err := c.Conversations(t.Context(), ListQuery{Status: "spam"}, 1); err != nil || a.requests()[1] != "GET /v2/conversations?page=1&status=spam" {
		t.Error(a.requests()[1], err)
	}
	a.handler = func(w http.ResponseWriter, _ *http.Request) {
		page(w, "customers", 1, 1, 1, `{"id":5,"_embedded":{"emails":[{"value":"a@b.example"}]}}`)
	}
	people, _, err := c.Customers(t.Context(), `(email:"a@b.example")`, 1)
	if err != nil || len(people) != 1 || people[0].Embedded.Emails[0].Value != "a@b.example" || !strings.Contains(a.requests()[2], "query=%28email%3A") {
		t.Error(people, err, a.requests()[2])
	}
}

func TestConversation(t *testing.T) {
	a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"id":7,"createdAt":"2020-01-02T03:04:05Z","_embedded":{"threads":[{"id":1}]}}`)
	})
	c := a.client(t, nil)
	got, err := c.Conversation(t.Context(), 7, true)
	if err != nil || len(got.Embedded.Threads) != 1 || !got.CreatedAt.Equal(time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)) {
		t.Errorf("%+v, %v", got, err)
	}
	if a.requests()[0] != "GET /v2/conversations/7?embed=threads" {
		t.Error(a.requests())
	}
	if _, err := c.Conversation(t.Context(), 8, false); KindOf(err) != InDoubt {
		t.Errorf("another conversation than asked for: %v", err)
	}
}

func TestAttachmentData(t *testing.T) {
	for body, want := range map[string]string{
		`{"data":"aGVsbG8="}`: "hello", `{"data":"aGVs\r\nbG8"}`: "hello", `{"data":""}`: "", `{"data":"*"}`: "!", `{}`: "!", `<html>`: "!", `{"data":"aGVsb`: "!",
	} {
		a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) })
		got, err := a.client(t, nil).AttachmentData(t.Context(), 1, 2)
		if want == "!" && KindOf(err) != InDoubt || want != "!" && (err != nil || string(got) != want) {
			t.Errorf("%s: %q, %v", body, got, err)
		}
	}
}
