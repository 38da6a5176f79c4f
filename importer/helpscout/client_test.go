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
		if r.Header.Get("Authorization") == "" || r.Header.Get("User-Agent") != "test/1" {
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
	if len(a.rates) != 1 || a.rates[0].Limit != 400 || a.rates[0].Remaining != 398 || a.rates[0].Status != 201 ||
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
