package helpscout

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestKinds: what each status means, once for writes and once for reads.
func TestKinds(t *testing.T) {
	for status, want := range map[int][2]Kind{
		301: {InDoubt, Rejected}, 302: {InDoubt, InDoubt}, 304: {InDoubt, InDoubt}, 307: {InDoubt, InDoubt}, 308: {InDoubt, Rejected},
		400: {Rejected, Rejected}, 401: {Stop, Stop}, 402: {InDoubt, InDoubt}, 403: {Rejected, Rejected}, 404: {Rejected, Rejected},
		405: {InDoubt, InDoubt}, 408: {InDoubt, InDoubt}, 409: {Rejected, Rejected}, 410: {InDoubt, InDoubt}, 412: {Rejected, Rejected},
		413: {Rejected, Rejected}, 415: {Rejected, Rejected}, 422: {Rejected, Rejected}, 423: {Rejected, Rejected}, 429: {Wait, Wait},
		451: {InDoubt, InDoubt}, 500: {InDoubt, InDoubt}, 502: {InDoubt, InDoubt}, 503: {InDoubt, InDoubt}, 504: {InDoubt, InDoubt},
		599: {InDoubt, InDoubt},
	} {
		a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Correlation-Id", "abc#1")
			w.Header().Set("X-RateLimit-Retry-After", "12")
			if status < 400 {
				w.Header().Set("Location", "/v2/conversations/44")
			}
			w.WriteHeader(status)
		})
		c := a.client(t, nil)
		_, write := c.CreateConversation(t.Context(), mustBody(t, NewConversation{}))
		_, read := c.Conversation(t.Context(), 1, false)
		for i, err := range []error{write, read} {
			var e *Error
			if !errors.As(err, &e) || e.Kind != want[i] || e.Status != status || e.CorrelationID != "abc#1" || StatusOf(err) != status {
				t.Errorf("%d (read %d): %v, %+v, want %v", status, i, err, e, want[i])
				continue
			}
			if e.TooLarge != (status == 413) || (e.After == 12*time.Second) != (status == 429) || (IDFromLocation(e.Location) == 44) != (status < 400) {
				t.Errorf("%d: %+v", status, e)
			}
		}
		n := 2
		if status == 401 {
			n = 4 // once more with a fresh token, and no more
		}
		if got := a.requests(); len(got) != n {
			t.Errorf("%d: requests %q", status, got)
		}
	}
}

// TestFreshToken: a 401 was not applied; with a fresh token the request goes out again.
func TestFreshToken(t *testing.T) {
	var a *api
	a = newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		valid := r.Header.Get("Authorization") == "Bearer "+a.current()
		a.mu.Unlock()
		if !valid {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Resource-ID", "1")
		w.WriteHeader(http.StatusCreated)
	})
	c := a.client(t, nil)
	if err := c.Login(t.Context()); err != nil || a.tokens != 1 {
		t.Fatal(err, a.tokens)
	}
	a.tokens++ // the first token dies
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.CreateConversation(t.Context(), mustBody(t, NewConversation{Subject: "s"})); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if a.tokens != 3 {
		t.Errorf("%d tokens for twenty callers, want one more", a.tokens-2)
	}
	for i, b := range a.bodies {
		if !strings.Contains(b, `"subject":"s"`) {
			t.Errorf("body %d is not whole: %q", i, b)
		}
	}
}

// TestLogin: what the token endpoint may do instead of giving a token.
func TestLogin(t *testing.T) {
	for status, want := range map[int]Kind{
		400: Stop, 401: Stop, 403: Stop, 404: Stop, 408: Wait, 429: Wait, 500: Wait, 503: Wait, 302: Wait,
	} {
		a := newAPI(t, func(http.ResponseWriter, *http.Request) { t.Error("a request without a token") })
		a.refuse = func(int) int { return status }
		c := a.client(t, nil)
		err := c.Login(t.Context())
		_, create := c.CreateConversation(t.Context(), mustBody(t, NewConversation{}))
		if KindOf(err) != want || KindOf(create) != want || StatusOf(err) != status {
			t.Errorf("%d: %v and %v, want %v", status, err, create, want)
		}
		if status == 401 && !strings.Contains(err.Error(), "HELPSCOUT_APP_SECRET") {
			t.Errorf("no help: %v", err)
		}
	}
	for _, c := range []struct {
		contentType, body string
		ok                bool
	}{
		{"application/json", `{"access_token":"abc","expires_in":7200}`, true},
		{"text/plain", "\n" + `{"access_token":"abc","expires_in":"7200"}`, true},
		{"text/html", "<html>log in to the hotel</html>", false},
		{"application/json", `{}`, false},
		{"application/json", `[`, false},
		{"", "", false},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.contentType)
			io.WriteString(w, c.body)
		}))
		cl := newClient(t, Options{BaseURL: s.URL, AppID: testID, AppSecret: testSecret}, nil)
		if err := cl.Login(t.Context()); (err == nil) != c.ok || err != nil && KindOf(err) != Wait {
			t.Errorf("%+v: %v", c, err)
		}
		cl.CloseIdleConnections()
		s.Close()
	}
}

// TestRedirects: neither a write, nor a read, nor a token request goes anywhere but to the API.
func TestRedirects(t *testing.T) {
	var elsewhere atomic.Int32
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer trap.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, tokenToo := range []bool{false, true} {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == tokenPath && !tokenToo {
					w.Header().Set("Content-Type", "application/json")
					io.WriteString(w, `{"access_token":"abc"}`)
					return
				}
				http.Redirect(w, r, trap.URL, status)
			}))
			c := newClient(t, Options{BaseURL: s.URL, AppID: testID, AppSecret: testSecret}, nil)
			if _, err := c.CreateConversation(t.Context(), mustBody(t, NewConversation{})); err == nil {
				t.Error("no error")
			}
			if _, err := c.Me(t.Context()); err == nil {
				t.Error("no error")
			}
			c.CloseIdleConnections()
			s.Close()
		}
	}
	if elsewhere.Load() > 0 {
		t.Errorf("%d requests went elsewhere", elsewhere.Load())
	}
}

// raw is a server that speaks TCP: it hands out a token, then treats every other connection as f says.
func raw(t *testing.T, f func(conn *net.TCPConn, request *bufio.Reader)) (url string, requests *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	requests = new(atomic.Int32)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				r := bufio.NewReader(conn)
				if line, _ := r.Peek(16); strings.Contains(string(line), "oauth2") || len(line) == 0 {
					http.ReadRequest(r)
					io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 22\r\n\r\n{\"access_token\":\"abc\"}")
					return
				}
				requests.Add(1)
				f(conn.(*net.TCPConn), r)
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return "http://" + l.Addr().String(), requests
}

// swallow reads a whole request.
func swallow(r *bufio.Reader) {
	if req, err := http.ReadRequest(r); err == nil {
		io.Copy(io.Discard, req.Body)
	}
}

// TestBrokenAnswers: whatever happens after a write went out, it goes out once, and its outcome is in doubt unless the
// head of the answer says it.
func TestBrokenAnswers(t *testing.T) {
	reset := func(c *net.TCPConn) { c.SetLinger(0); c.Close() }
	answer := func(text string) func(*net.TCPConn, *bufio.Reader) {
		return func(c *net.TCPConn, r *bufio.Reader) { swallow(r); io.WriteString(c, text) }
	}
	for name, c := range map[string]struct {
		serve func(*net.TCPConn, *bufio.Reader)
		want  Kind // 0: success
	}{
		"reset before reading": {func(c *net.TCPConn, r *bufio.Reader) { r.Peek(1); reset(c) }, InDoubt},
		"reset after reading":  {func(c *net.TCPConn, r *bufio.Reader) { swallow(r); reset(c) }, InDoubt},
		"close after reading":  {func(_ *net.TCPConn, r *bufio.Reader) { swallow(r) }, InDoubt},
		"close half-way":       {func(_ *net.TCPConn, r *bufio.Reader) { io.CopyN(io.Discard, r, 1000) }, InDoubt},
		"garbage":              {answer("SSH-2.0-OpenSSH_9.2\r\n"), InDoubt},
		"half a head":          {answer("HTTP/1.1 201 Created\r\nResource-I"), InDoubt},
		"endless head":         {answer("HTTP/1.1 201 Created\r\nX: " + strings.Repeat("x", 2<<20)), InDoubt},
		"id, then a cut":       {answer("HTTP/1.1 201 Created\r\nResource-ID: 5\r\nContent-Length: 100\r\n\r\nabc"), 0},
		"id, then bad gzip":    {answer("HTTP/1.1 201 Created\r\nResource-ID: 5\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"), 0},
		"400, then a cut":      {answer("HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\n{\"message\":"), Rejected},
		"bad chunks":           {answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), InDoubt},
		"early hints":          {answer("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 201 Created\r\nResource-ID: 5\r\nContent-Length: 0\r\n\r\n"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			url, requests := raw(t, c.serve)
			cl := newClient(t, Options{BaseURL: url, AppID: testID, AppSecret: testSecret, Timeout: 10 * time.Second}, nil)
			text := strings.Repeat("long enough to be in several packets ", 20_000)
			id, err := cl.CreateConversation(t.Context(), mustBody(t, NewConversation{Subject: text}))
			cl.CloseIdleConnections()
			switch {
			case c.want == 0 && (err != nil || id != 5):
				t.Error(id, err)
			case c.want != 0 && (err == nil || KindOf(err) != c.want):
				t.Error(err)
			case err != nil && len(err.Error()) > 500:
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			if n := requests.Load(); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// TestStaleConnection: a kept connection that the server has closed in the meantime does not double a write.
func TestStaleConnection(t *testing.T) {
	var applied atomic.Int32
	url, _ := raw(t, func(c *net.TCPConn, r *bufio.Reader) {
		swallow(r)
		applied.Add(1)
		io.WriteString(c, "HTTP/1.1 201 Created\r\nResource-ID: 5\r\nContent-Length: 0\r\n\r\n")
		// it promised to stay, and goes
	})
	c := newClient(t, Options{BaseURL: url, AppID: testID, AppSecret: testSecret}, nil)
	var ok, doubt int32
	for range 50 {
		_, err := c.CreateConversation(t.Context(), mustBody(t, NewConversation{}))
		switch {
		case err == nil:
			ok++
		case KindOf(err) == InDoubt:
			doubt++
		default:
			t.Error(err)
		}
	}
	c.CloseIdleConnections()
	if n := applied.Load(); n < ok || n > ok+doubt {
		t.Errorf("%d applied, %d known and %d in doubt", n, ok, doubt)
	}
}

// TestNoConnection: what never reached a server waits, and is not in doubt.
func TestNoConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	secure.Config.ErrorLog = nil
	defer secure.Close()
	for name, base := range map[string]string{
		"refused":             "http://" + l.Addr().String(),
		"no such host":        "http://no-such-host.invalid",
		"no TLS":              strings.Replace(plain.URL, "http:", "https:", 1),
		"unknown certificate": secure.URL,
	} {
		c := newClient(t, Options{BaseURL: base, AppID: testID, AppSecret: testSecret}, nil)
		c.tokens.token = validToken()
		_, err := c.CreateConversation(t.Context(), mustBody(t, NewConversation{}))
		var e *Error
		if !errors.As(err, &e) || e.Kind != Wait || e.Err == nil {
			t.Errorf("%s: %v", name, err)
		}
		c.CloseIdleConnections()
	}
}

// TestCancel: before a request began, the error of the context; once it may have arrived, a write is in doubt.
func TestCancel(t *testing.T) {
	arrived := make(chan struct{}, 1)
	a := newAPI(t, func(_ http.ResponseWriter, r *http.Request) { arrived <- struct{}{}; <-r.Context().Done() })
	c := a.client(t, nil)
	if err := c.Login(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.CreateConversation(ctx, mustBody(t, NewConversation{}))
	if err != context.Canceled || len(a.requests()) != 0 {
		t.Errorf("before: %v, requests %q", err, a.requests())
	}
	for _, write := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-arrived; cancel() }()
		if write {
			err = c.Delete(ctx, 1)
		} else {
			_, err = c.Me(ctx)
		}
		var e *Error
		if !errors.Is(err, context.Canceled) || KindOf(err) != InDoubt || errors.As(err, &e) != write {
			t.Errorf("write %v: %v", write, err)
		}
	}
	refused := errors.New("no quota")
	c = a.client(t, func(o *Options) { o.Grant = func(context.Context) error { return refused } })
	if _, err := c.Me(t.Context()); err != refused {
		t.Errorf("grant refused: %v", err)
	}
}

// roundTrip is a transport in the process.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestDeadlines: a request may take its time-out, and a second for each 64 KiB on top; so may an answer.
func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		c := newClient(t, Options{BaseURL: "https://x.example", AppID: testID, AppSecret: testSecret, Transport: hang, Timeout: time.Minute}, nil)
		c.tokens.token = validToken()
		for size, want := range map[int]time.Duration{1: time.Minute, 10 * slowest: 70 * time.Second} {
			b := mustBody(t, NewThread{Text: strings.Repeat("x", size)})
			start := time.Now()
			_, err := c.AppendThread(t.Context(), 1, ThreadNote, b)
			if took := time.Since(start).Truncate(time.Second); took != want || KindOf(err) != InDoubt || !errors.Is(err, errTimeout) {
				t.Errorf("%d bytes: %v after %v, want %v", size, err, took, want)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		drip := roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: &dripping{ctx: r.Context(), step: time.Second, each: slowest / 2}}, nil
		})
		c := newClient(t, Options{BaseURL: "https://x.example", AppID: testID, AppSecret: testSecret, Transport: drip, Timeout: time.Minute}, nil)
		c.tokens.token = validToken()
		start := time.Now()
		_, err := c.Users(t.Context())
		if took := time.Since(start); KindOf(err) != InDoubt || !strings.Contains(err.Error(), errTimeout.Error()) || took < 100*time.Second || took > 140*time.Second {
			t.Errorf("an answer at half the least rate: %v after %v", err, took)
		}
	})
}

// dripping is an endless body.
type dripping struct {
	ctx  context.Context
	step time.Duration
	each int
}

func (d *dripping) Read(p []byte) (int, error) {
	select {
	case <-time.After(d.step):
		return min(len(p), d.each), nil
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
}

func (d *dripping) Close() error { return nil }

// TestExpect: a large body waits for leave, so that its refusal is read and not a reset; where the server does not
// know how to give leave, it goes without.
func TestExpect(t *testing.T) {
	big := mustBody(t, NewThread{Text: strings.Repeat("x", 8<<20)})
	url, _ := raw(t, func(c *net.TCPConn, r *bufio.Reader) {
		for line := ""; line != "\r\n"; { // the head only
			line, _ = r.ReadString('\n')
		}
		io.WriteString(c, "HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	})
	c := newClient(t, Options{BaseURL: url, AppID: testID, AppSecret: testSecret}, nil)
	_, err := c.AppendThread(t.Context(), 1, ThreadNote, big)
	var e *Error
	if !errors.As(err, &e) || !e.TooLarge {
		t.Error(err)
	}
	c.CloseIdleConnections()

	a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusCreated
		if r.Header.Get("Expect") != "" {
			status = http.StatusExpectationFailed
		}
		w.WriteHeader(status)
	})
	c = a.client(t, nil)
	for i := range 2 {
		if _, err := c.AppendThread(t.Context(), 1, ThreadNote, big); err != nil || len(a.requests()) != 2+i {
			t.Errorf("%v after %d requests", err, len(a.requests()))
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Now().UTC()
	for _, c := range []struct {
		own, general string
		want         time.Duration
	}{
		{"7", "60", 7 * time.Second},
		{"", "60", time.Minute},
		{"1.5", "", 1500 * time.Millisecond},
		{"-3", "9", 9 * time.Second},
		{"soon", "", 0},
		{"NaN", "", 0},
		{"1e300", "", time.Hour},
		{"", now.Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second},
		{"", now.Add(-time.Hour).Format(http.TimeFormat), 0},
		{"", now.AddDate(1, 0, 0).Format(http.TimeFormat), time.Hour},
		{"", "", 0},
	} {
		h := http.Header{"X-Ratelimit-Retry-After": {c.own}, "Retry-After": {c.general}, "Date": {now.Format(http.TimeFormat)}}
		if got := retryAfter(h); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	// A server whose clock is a day ahead still says ninety seconds.
	ahead := now.Add(24 * time.Hour)
	h := http.Header{"Retry-After": {ahead.Add(90 * time.Second).Format(http.TimeFormat)}, "Date": {ahead.Format(http.TimeFormat)}}
	if got := retryAfter(h); got != 90*time.Second {
		t.Error(got)
	}
}

func ExampleError() {
	fmt.Println(&Error{Kind: Rejected, Method: "POST", Path: "/v2/conversations", Status: 400, Fields: []FieldError{{Path: "subject", Message: "may not be empty"}}})
	// Output: POST /v2/conversations: 400 subject may not be empty
}

// TestUnsent: only a request that waits for a connection, at first or again, is certainly unsent.
func TestUnsent(t *testing.T) {
	w := &watch{}
	trace := httptrace.ContextClientTrace(w.trace(t.Context()))
	dial := &net.OpError{Op: "dial", Err: errors.New("refused")}
	reset := &net.OpError{Op: "read", Err: errors.New("reset")}
	if !w.unsent(dial) || w.unsent(reset) {
		t.Error("a transport that traces nothing is judged by its error")
	}
	trace.GetConn("x:443")
	if !w.unsent(reset) {
		t.Error("no connection yet")
	}
	trace.GotConn(httptrace.GotConnInfo{})
	if w.unsent(reset) || w.unsent(dial) {
		t.Error("on a connection, all may have been written")
	}
	trace.GetConn("x:443") // net/http begins again only where it wrote nothing
	if !w.unsent(dial) {
		t.Error("no second connection")
	}
}
