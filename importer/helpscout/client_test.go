package helpscout

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/oauth2"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testID     = "app-0123"
	testSecret = `s3cr&t/"<+>`
)

// api is a server for tests: tokens are handed out by it, everything else by handler.
type api struct {
	*httptest.Server
	mu      sync.Mutex
	tokens  int             // handed out so far; each invalidates the one before
	seen    []string        // "METHOD path?query" of all other requests
	bodies  []string        // and their bodies
	rates   []Rate          // what Observe was told
	grants  int             // reads granted
	refuse  func(n int) int // status of the n-th token request; 0: a token
	handler http.HandlerFunc
}

func newAPI(t *testing.T, handler http.HandlerFunc) *api {
	t.Helper()
	a := &api{handler: handler}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == tokenPath {
		a.token(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	a.seen = append(a.seen, r.Method+" "+r.URL.RequestURI())
	a.bodies = append(a.bodies, string(body))
	a.mu.Unlock()
	a.handler(w, r)
}

func (a *api) token(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tokens++
	if a.refuse != nil {
		if status := a.refuse(a.tokens); status != 0 {
			w.WriteHeader(status)
			io.WriteString(w, `{"error":"invalid_client","error_description":"Invalid client authentication of `+r.FormValue("client_secret")+`"}`)
			return
		}
	}
	if r.FormValue("client_id") != testID || r.FormValue("client_secret") != testSecret || r.FormValue("grant_type") != "client_credentials" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	json.NewEncoder(w).Encode(map[string]any{"token_type": "bearer", "access_token": a.current(), "expires_in": 172800})
}

func (a *api) current() string { return "token-number-" + strings.Repeat("x", a.tokens) }

func (a *api) requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.seen...)
}

// client makes a client of a that is closed with the test; change may be nil.
func (a *api) client(t *testing.T, change func(*Options)) *Client {
	t.Helper()
	o := Options{
		BaseURL: a.URL, AppID: testID, AppSecret: testSecret, UserAgent: "test/1", Timeout: 10 * time.Second,
		Observe: func(r Rate) { a.mu.Lock(); a.rates = append(a.rates, r); a.mu.Unlock() },
		Grant:   func(ctx context.Context) error { a.mu.Lock(); a.grants++; a.mu.Unlock(); return ctx.Err() },
	}
	return newClient(t, o, change)
}

func newClient(t *testing.T, o Options, change func(*Options)) *Client {
	t.Helper()
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func mustBody(t *testing.T, v any) *Body {
	t.Helper()
	b, err := NewBody(v, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCreateConversation(t *testing.T) {
	a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer token-number-x" || r.Header.Get("User-Agent") != "test/1" {
			t.Error("headers:", r.Header)
		}
		w.Header().Set("X-RateLimit-Limit-Minute", "400")
		w.Header().Set("X-RateLimit-Remaining-Minute", "398")
		w.Header().Set("Resource-ID", "77")
		w.WriteHeader(http.StatusCreated)
	})
	c := a.client(t, nil)
	before := time.Now()
	id, err := c.CreateConversation(t.Context(), mustBody(t, NewConversation{Subject: "a <b> & c"}))
	if err != nil || id != 77 {
		t.Fatal(id, err)
	}
	if len(a.rates) != 1 || a.rates[0].Limit != 400 || a.rates[0].Remaining != 398 || a.rates[0].Status != 201 || !a.rates[0].Write ||
		a.rates[0].Sent.Before(before) || a.rates[0].Received.Before(a.rates[0].Sent) {
		t.Errorf("observed %+v", a.rates)
	}
	if a.grants != 0 {
		t.Error("a write asked for a grant")
	}
	if !strings.Contains(a.bodies[0], `"subject":"a <b> & c"`) || !strings.Contains(a.bodies[0], `"assignTo":null`) {
		t.Error("body:", a.bodies[0])
	}
}

// TestCreatedID: an id, or doubt.
func TestCreatedID(t *testing.T) {
	for _, c := range []struct {
		status             int
		resource, location string
		body               string
		want               int64
	}{
		{201, "12", "", "", 12},
		{200, "12", "", "<html>", 12},
		{201, "", "https://api.helpscout.net/v2/conversations/123", "", 123},
		{201, "", "/v2/conversations/123?x=4", "", 123},
		{201, "x", "/v2/conversations/123/", "", 123},
		{201, "", "", "", 0},
		{201, "0", "", "", 0},
		{201, "-5", "", "", 0},
		{201, "99999999999999999999", "", "", 0},
		{201, "", "/v2/conversations", "", 0},
		{200, "", "", "<html>welcome to the hotel</html>", 0},
		{202, "", "", "", 0},
		{204, "", "", "", 0},
	} {
		a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Resource-ID", c.resource)
			w.Header().Set("Location", c.location)
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		})
		id, err := a.client(t, nil).CreateCustomer(t.Context(), mustBody(t, NewCustomer{}))
		if id != c.want || (err == nil) != (c.want != 0) || err != nil && KindOf(err) != InDoubt {
			t.Errorf("%+v: %d, %v", c, id, err)
		}
		if n := len(a.requests()); n != 1 {
			t.Errorf("%+v: %d requests", c, n)
		}
	}
}

// TestWrites: the request that each write makes, and which answers it takes for a success.
func TestWrites(t *testing.T) {
	type reply struct {
		status int
		id     string
		body   string
	}
	ctx := t.Context()
	for _, c := range []struct {
		do      func(c *Client) (int64, error)
		request string
		body    string
		reply   reply
		want    int64
		ok      bool
	}{
		{appendThread(t, ThreadCustomer), "POST /v2/conversations/9/customer", `{"text":"x","imported":true,"createdAt":"2020-01-02T03:04:05Z"}`, reply{201, "5", ""}, 5, true},
		{appendThread(t, ThreadReply), "POST /v2/conversations/9/reply", "", reply{201, "", ""}, 0, true},
		{appendThread(t, ThreadNote), "POST /v2/conversations/9/notes", "", reply{201, "", "<html>"}, 0, false},
		{appendThread(t, ThreadChat), "POST /v2/conversations/9/chats", "", reply{200, "", ""}, 0, false},
		{appendThread(t, ThreadPhone), "POST /v2/conversations/9/phones", "", reply{200, "6", ""}, 6, true},
		{func(c *Client) (int64, error) {
			return 0, c.Upload(ctx, 9, 8, mustBody(t, NewAttachment{FileName: "a", MIMEType: "b", Data: "Yw=="}))
		}, "POST /v2/conversations/9/threads/8/attachments", `{"fileName":"a","mimeType":"b","data":"Yw=="}`, reply{201, "", ""}, 0, true},
		{func(c *Client) (int64, error) {
			return 0, c.Upload(ctx, 9, 8, mustBody(t, NewAttachment{}))
		}, "POST /v2/conversations/9/threads/8/attachments", "", reply{200, "", "<html>"}, 0, false},
		{func(c *Client) (int64, error) { return 0, c.Delete(ctx, 9) }, "DELETE /v2/conversations/9", "", reply{204, "", ""}, 0, true},
		{func(c *Client) (int64, error) { return 0, c.Delete(ctx, 9) }, "DELETE /v2/conversations/9", "", reply{200, "", ""}, 0, true},
		{func(c *Client) (int64, error) { return 0, c.Delete(ctx, 9) }, "DELETE /v2/conversations/9", "", reply{200, "", "<p>"}, 0, false},
		{func(c *Client) (int64, error) { return 0, c.Delete(ctx, 9) }, "DELETE /v2/conversations/9", "", reply{202, "", ""}, 0, false},
		{func(c *Client) (int64, error) {
			return 0, c.Patch(ctx, "/v2/workflows/3", "replace", "/status", "inactive")
		}, "PATCH /v2/workflows/3", `{"op":"replace","path":"/status","value":"inactive"}`, reply{204, "", ""}, 0, true},
		{func(c *Client) (int64, error) {
			return 0, c.Patch(ctx, "/v2/conversations/9", "remove", "/assignTo", nil)
		}, "PATCH /v2/conversations/9", `{"op":"remove","path":"/assignTo"}`, reply{204, "", ""}, 0, true},
	} {
		a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Resource-ID", c.reply.id)
			w.WriteHeader(c.reply.status)
			io.WriteString(w, c.reply.body)
		})
		id, err := c.do(a.client(t, nil))
		if id != c.want || (err == nil) != c.ok || err != nil && KindOf(err) != InDoubt {
			t.Errorf("%s, answered %v: %d, %v", c.request, c.reply, id, err)
		}
		if got := a.requests(); len(got) != 1 || got[0] != c.request || c.body != "" && a.bodies[0] != c.body {
			t.Errorf("requests %q with %q, want %q with %q", got, a.bodies, c.request, c.body)
		}
	}
	a := newAPI(t, func(http.ResponseWriter, *http.Request) {})
	c := a.client(t, nil)
	if _, err := c.AppendThread(ctx, 1, "message", mustBody(t, NewThread{})); err == nil {
		t.Error("a thread of kind message")
	}
	if err := c.Patch(ctx, "https://elsewhere.example/", "replace", "/", 1); err == nil || len(a.requests()) > 0 {
		t.Error("a patch of something else")
	}
}

func appendThread(t *testing.T, kind string) func(*Client) (int64, error) {
	b := mustBody(t, NewThread{Text: "x", Imported: true, CreatedAt: At(time.Date(2020, 1, 2, 3, 4, 5, 6, time.UTC))})
	return func(c *Client) (int64, error) { return c.AppendThread(t.Context(), 9, kind, b) }
}

func TestOrigin(t *testing.T) {
	for base, want := range map[string]string{
		"https://api.helpscout.net":           "https://api.helpscout.net",
		" https://API.helpscout.net:443/v2/ ": "https://api.helpscout.net",
		"http://127.0.0.1:8080/":              "http://127.0.0.1:8080",
		"http://[::1]:80":                     "http://[::1]",
		"http://[::1]:8080/v2":                "http://[::1]:8080",
		"http://api.helpscout.net":            "",
		"api.helpscout.net":                   "",
		"ftp://api.helpscout.net":             "",
		"https://":                            "",
		"https://a:s3cr3t@api.helpscout.net":  "",
		"https://a:s3cr3t@\x00":               "",
		"https://api.helpscout.net/v1":        "",
		"https://api.helpscout.net/?a=b":      "",
		"":                                    "",
	} {
		c, err := New(Options{BaseURL: base, AppID: "i", AppSecret: "s"})
		switch {
		case want == "" && (err == nil || strings.Contains(err.Error(), "s3cr3t")):
			t.Errorf("%q: error %v", base, err)
		case want != "" && (err != nil || c.Origin() != want):
			t.Errorf("%q: %v, %v, want %q", base, c, err, want)
		}
	}
	if _, err := New(Options{BaseURL: "https://api.helpscout.net", AppID: "i"}); err == nil {
		t.Error("no secret, no error")
	}
}

// validToken is a token that no server was asked for.
func validToken() *oauth2.Token { return &oauth2.Token{AccessToken: "abc"} }
