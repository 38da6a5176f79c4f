package sandbox

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func faulty(t *testing.T, script string) *client {
	t.Helper()
	rules, err := ParseFaults(script)
	if err != nil {
		t.Fatal(err)
	}
	return open(t, Options{Faults: rules})
}

// creates sends n distinct create calls and returns their statuses; 0 is no answer.
func (c *client) creates(n int) (statuses []int) {
	for range n {
		statuses = append(statuses, c.send("POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", "")).status)
	}
	return statuses
}

// TestFaultsAppliedOrNot: every kind of fault, and what the account holds a moment later and two minutes later.
func TestFaultsAppliedOrNot(t *testing.T) {
	for _, kind := range []string{"reset", "500", "502", "503", "504", "408", "302", "html200", "empty"} {
		for option, held := range map[string][2]int{"": {0, 0}, ",applied": {1, 1}, ",late:90s": {0, 1}} {
			t.Run(kind+option, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := faulty(t, "create#2="+kind+option)
					if got := c.creates(3); got[0] != 201 || got[1] == 201 || got[2] != 201 {
						t.Errorf("statuses %v", got)
					}
					if n := len(c.s.Dump().Conversations) - 2; n != held[0] {
						t.Errorf("at once %d more, want %d", n, held[0])
					}
					time.Sleep(2 * time.Minute)
					if n := len(c.s.Dump().Conversations) - 2; n != held[1] {
						t.Errorf("two minutes later %d more, want %d", n, held[1])
					}
				})
			})
		}
	}
}

func TestHangLastsUntilTheClientGoes(t *testing.T) {
	for option, held := range map[string][2]int{"": {0, 0}, ",applied": {1, 1}, ",late:60s": {0, 1}} {
		t.Run(option, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := faulty(t, "create=timeout"+option)
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				req, _ := http.NewRequestWithContext(ctx, "POST", origin+"/v2/conversations", strings.NewReader(sample("a@b.example", "2021-03-04T05:06:07Z", "")))
				req.Header.Set("Authorization", "Bearer "+c.token)
				req.Header.Set("Content-Type", "application/json")
				began := time.Now()
				a := c.do(req)
				if !errors.Is(a.err, context.DeadlineExceeded) || time.Since(began) != 30*time.Second {
					t.Fatalf("after %v: %v", time.Since(began), a.err)
				}
				time.Sleep(50 * time.Second)
				if n := len(c.s.Dump().Conversations); n != held[0] {
					t.Errorf("50 s after: %d conversations, want %d", n, held[0])
				}
				time.Sleep(11 * time.Second)
				if n := len(c.s.Dump().Conversations); n != held[1] {
					t.Errorf("61 s after: %d conversations, want %d", n, held[1])
				}
			})
		})
	}
}

func TestOutageWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := faulty(t, "outage@60s+10m")
		c.want(200, "GET", "/v2/users/me", "")
		time.Sleep(time.Minute)
		if a := c.send("GET", "/v2/users/me", ""); !errors.Is(a.err, syscall.ECONNREFUSED) {
			t.Errorf("in the outage: %v", a.err)
		}
		time.Sleep(10*time.Minute - time.Second)
		if a := c.send("GET", "/v2/users/me", ""); a.err == nil {
			t.Error("the outage ended a second early")
		}
		time.Sleep(time.Second)
		c.want(200, "GET", "/v2/users/me", "")
	})
}

// TestChanceIsTheSameInEveryRun: one seed, one outcome; another seed, another.
func TestChanceIsTheSameInEveryRun(t *testing.T) {
	run := func(seed uint64) string {
		rules, _ := ParseFaults("create%30=503")
		c := open(t, Options{Seed: Seed{Number: seed}, Faults: rules, Settings: with(t).s.Settings()})
		var b strings.Builder
		for _, status := range c.creates(200) {
			b.WriteByte("ox"[min(1, status/500)])
		}
		return b.String()
	}
	one, again, other := run(1), run(1), run(2)
	if one != again || one == other {
		t.Errorf("runs of one seed equal: %t; of two seeds equal: %t", one == again, one == other)
	}
	if n := strings.Count(one, "x"); n < 40 || n > 80 {
		t.Errorf("%d of 200 failed, want about 60", n)
	}
}

func TestInjectSeesEveryCall(t *testing.T) {
	c := with(t)
	var seen []string
	c.s.Inject(func(op Op) *Fault {
		seen = append(seen, op.Kind)
		if op.Kind == "create" && strings.Contains(string(op.Body), "poison") {
			return &Fault{Code: 500}
		}
		return nil
	})
	c.want(500, "POST", "/v2/conversations", strings.Replace(sample("a@b.example", "2021-03-04T05:06:07Z", ""), "order", "poison", 1))
	c.want(201, "POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", ""))
	c.s.Inject(nil)
	c.want(200, "GET", "/v2/users/me", "")
	if got := strings.Join(seen, " "); got != "create create" {
		t.Errorf("saw %q", got)
	}
	if st := c.s.Stats(); st.Faults["create 500"] != 1 || st.Created != 1 {
		t.Errorf("stats %+v", st)
	}
}

// TestFaultsOverSockets: what a client of the real wire sees.
func TestFaultsOverSockets(t *testing.T) {
	rules, err := ParseFaults("get#1=reset get#2=cut get#3=empty get#4=html200 get#5=refused get#6=401 get#7=timeout,after:10ms")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{Faults: rules})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	srv := httptest.NewServer(s)
	defer srv.Close()
	c := &client{t: t, s: s, http: &http.Client{Transport: &redirected{srv.URL, &http.Transport{DisableKeepAlives: true}}}}
	c.login()
	id, _ := s.AddNative(Native{Email: "a@b.example", Subject: "s", Text: strings.Repeat("long ", 100)})
	if a := c.send("GET", convPath(id, ""), ""); !errors.Is(a.err, syscall.ECONNRESET) && !errors.Is(a.err, io.EOF) {
		t.Errorf("reset: %d %v", a.status, a.err)
	}
	if a := c.send("GET", convPath(id, ""), ""); a.status != 200 || !errors.Is(a.err, io.ErrUnexpectedEOF) {
		t.Errorf("cut: %d %v", a.status, a.err)
	}
	if a := c.send("GET", convPath(id, ""), ""); a.status != 200 || len(a.raw) != 0 {
		t.Errorf("empty: %d %s", a.status, a.raw)
	}
	if a := c.send("GET", convPath(id, ""), ""); a.status != 200 || !strings.Contains(a.header.Get("Content-Type"), "html") {
		t.Errorf("html: %d %v", a.status, a.header)
	}
	if a := c.send("GET", convPath(id, ""), ""); a.err == nil {
		t.Errorf("refused: %d", a.status)
	}
	c.want(401, "GET", convPath(id, ""), "")
	c.want(401, "GET", "/v2/users/me", "") // the token is gone for good
	c.login()
	if a := c.send("GET", convPath(id, ""), ""); a.err == nil {
		t.Errorf("timeout: %d", a.status)
	}
	c.want(200, "GET", convPath(id, ""), "")
}

// redirected sends requests to a local server, whatever their origin.
type redirected struct {
	to string
	rt http.RoundTripper
}

func (r *redirected) RoundTrip(req *http.Request) (*http.Response, error) {
	out, err := http.NewRequestWithContext(req.Context(), req.Method, r.to+req.URL.RequestURI(), req.Body)
	if err != nil {
		return nil, err
	}
	out.Header, out.ContentLength = req.Header, req.ContentLength
	return r.rt.RoundTrip(out)
}

func TestFaultSyntax(t *testing.T) {
	for text, want := range map[string]string{
		"create#7=504,applied":                       "504,applied",
		"create#3-9=reset,late:120s":                 "reset,late:2m0s",
		"any%0.5=429,after:30s":                      "429,after:30s",
		"outage@60s+10m":                             "refused",
		"  // nothing\n read=slow,after:1s,times:3;": "slow,after:1s",
	} {
		rules, err := ParseFaults(text)
		if err != nil || len(rules) != 1 || rules[0].Fault.String() != want {
			t.Errorf("%q: %v %v", text, rules, err)
		}
	}
	for text, want := range map[string]string{
		"crate#7=504":          `no call is named "crate"`,
		"create":               "no kind of fault",
		"create=oops":          `"oops" is no kind of fault`,
		"create=700":           "no kind of fault",
		"create#0=504":         "#0 is not an ordinal",
		"create#9-3=504":       "#9-3 is not a range",
		"create%200=504":       "%200 is not a percentage",
		"outage@soon":          `"soon" is not a duration`,
		"create=504,late:x":    `"x" is not a duration`,
		"create=504,never":     `no option is named "never"`,
		"any=refused,applied":  "cannot have been applied",
		"get=500\ncreate=oops": `fault rule 2, "create=oops"`,
	} {
		if _, err := ParseFaults(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", text, err, want)
		}
	}
}

func FuzzParseFaults(f *testing.F) {
	for _, s := range []string{"create#7=504,applied", "outage@60s+10m", "any%5=reset,late:2m", "get#1-=cut;list=slow,after:1s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := ParseFaults(text)
		if err != nil {
			return
		}
		again, err := ParseFaults(rules.String())
		if err != nil || len(again) != len(rules) {
			t.Fatalf("%q is read as %d rules, written as %q, read as %d: %v", text, len(rules), rules.String(), len(again), err)
		}
		for i := range rules {
			if rules[i] != again[i] {
				t.Fatalf("rule %d: %+v became %+v", i, rules[i], again[i])
			}
		}
	})
}
