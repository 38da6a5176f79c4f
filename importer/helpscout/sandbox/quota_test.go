package sandbox

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestUnitsAndHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute))) // a whole minute ahead
		c := open(t, Options{})
		remaining := func(a answer) int {
			n, err := strconv.Atoi(a.header.Get("X-RateLimit-Remaining-Minute"))
			if err != nil || a.header.Get("X-RateLimit-Limit-Minute") != "400" {
				t.Fatalf("rate headers: %v", a.header)
			}
			return n
		}
		if n := remaining(c.send("GET", "/v2/users/me", "")); n != 399 {
			t.Errorf("after a read: %d", n)
		}
		a := c.send("POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", ""))
		if n := remaining(a); n != 397 {
			t.Errorf("after a write: %d", n)
		}
		if n := remaining(c.send("PATCH", convPath(a.id(), ""), `{"op":"replace","path":"/subject","value":"x"}`)); n != 395 {
			t.Errorf("after a PATCH: %d", n)
		}
		if n := remaining(c.send("POST", "/v2/conversations", `{}`)); n != 393 {
			t.Errorf("after a refused write: %d", n)
		}
		if n := remaining(c.send("GET", "/v2/nothing", "")); n != 392 {
			t.Errorf("after a 404: %d", n)
		}
		token := c.send("POST", "/v2/oauth2/token", `{"grant_type":"client_credentials","client_id":"a","client_secret":"b"}`)
		if token.header.Get("X-RateLimit-Limit-Minute") != "" || !strings.HasSuffix(string(token.raw), "}\n") {
			t.Errorf("token: %v %q", token.header, token.raw)
		}
		if n := remaining(c.send("GET", "/v2/users/me", "")); n != 391 {
			t.Errorf("after a token call: %d", n)
		}
	})
}

// spend calls until it is refused and returns how many reads were let in and what the refusal said.
func spend(c *client) (let int, after time.Duration) {
	for {
		a := c.send("GET", "/v2/users/me", "")
		if a.status == http.StatusTooManyRequests {
			n, _ := strconv.Atoi(a.header.Get("X-RateLimit-Retry-After"))
			if string(a.raw) != `{"message":"API rate limit exceeded"}`+"\n" {
				c.t.Errorf("429 body %q", a.raw)
			}
			return let, time.Duration(n) * time.Second
		}
		let++
	}
}

func TestQuotaWindows(t *testing.T) {
	for _, window := range []string{"fixed", "sliding"} {
		for _, charged := range []string{"true", "false"} {
			t.Run(window+" charged="+charged, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute + 20*time.Second)))
					c := with(t, "quota-limit=100", "quota-window="+window, "quota-charge-429="+charged)
					let, after := spend(c)
					want := map[string]time.Duration{"fixed": 40 * time.Second, "sliding": time.Minute}[window]
					if let != 100 || after != want {
						t.Fatalf("let in %d, then told to wait %v; want 100 and %v", let, after, want)
					}
					for range 10 {
						c.send("GET", "/v2/users/me", "") // these are charged, or not
					}
					time.Sleep(after - time.Second)
					if a := c.send("GET", "/v2/users/me", ""); a.status != 429 {
						t.Errorf("a second too early: %d", a.status)
					}
					time.Sleep(time.Second)
					expect := 100
					if window == "sliding" && charged == "true" {
						expect = 99 // the one of a second ago
					}
					if let, _ = spend(c); let != expect {
						t.Errorf("in the next window %d were let in, want %d", let, expect)
					}
				})
			})
		}
	}
}

func TestCompetitorTakesItsShare(t *testing.T) {
	for _, window := range []string{"fixed", "sliding"} {
		t.Run(window, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)))
				c := with(t, "quota-limit=600", "quota-window="+window, "competitor=50%")
				time.Sleep(2*time.Minute - time.Second)
				a := c.send("GET", "/v2/users/me", "")
				n, _ := strconv.Atoi(a.header.Get("X-RateLimit-Remaining-Minute"))
				if n < 290 || n > 310 {
					t.Errorf("remaining %d at the end of a minute of which another takes half of 600", n)
				}
			})
		})
	}
}

func TestQuotaLifted(t *testing.T) {
	c := with(t, "quota-limit=0")
	if a := c.send("GET", "/v2/users/me", ""); a.status != 200 || a.header.Get("X-RateLimit-Limit-Minute") != "" {
		t.Errorf("%d %v", a.status, a.header)
	}
	c = with(t, "quota-limit=0", "quota-unlimited=huge")
	if a := c.send("GET", "/v2/users/me", ""); a.header.Get("X-RateLimit-Limit-Minute") != "1073741824" {
		t.Errorf("%v", a.header)
	}
}

func TestTokenEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{AppID: "app", AppSecret: "s3"})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		c := &client{t: t, s: s, http: &http.Client{Transport: s.Transport()}}
		form := func(typ, query, body string) answer {
			req, _ := http.NewRequest("POST", origin+"/v2/oauth2/token"+query, strings.NewReader(body))
			req.Header.Set("Content-Type", typ)
			return c.do(req)
		}
		const pair = "grant_type=client_credentials&client_id=app&client_secret=s3"
		for name, a := range map[string]answer{
			"json":  form("application/json;charset=UTF-8", "", `{"grant_type":"client_credentials","client_id":"app","client_secret":"s3"}`),
			"form":  form("application/x-www-form-urlencoded", "", pair),
			"query": form("", "?"+pair, ""),
		} {
			if a.status != 200 || a.at("token_type") != "bearer" || a.at("expires_in") != 172800.0 || a.at("refresh_token") != nil {
				t.Errorf("%s: %d %s", name, a.status, a.raw)
			}
			c.token, _ = a.at("access_token").(string)
		}
		if a := form("application/x-www-form-urlencoded", "", strings.Replace(pair, "s3", "s4", 1)); a.status != 401 || a.at("error") != "invalid_client" {
			t.Errorf("wrong secret: %d %s", a.status, a.raw)
		}
		c.want(200, "GET", "/v2/users/me", "")
		time.Sleep(48 * time.Hour)
		if a := c.want(401, "GET", "/v2/users/me", ""); a.at("error") != "invalid_token" || a.at("error_description") == nil {
			t.Errorf("expired: %s", a.raw)
		}
		c.token = ""
		if a := c.want(401, "GET", "/v2/users/me", ""); a.at("error") != "invalid_request" || a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("no token: %s %v", a.raw, a.header)
		}
	})
}

// TestCustomerRace: two creates at one time with one new address make two customers, unless they are serialised or
// the setting is off.
func TestCustomerRace(t *testing.T) {
	customers := func(t *testing.T, at string, settings ...string) int {
		var n int
		synctest.Test(t, func(t *testing.T) {
			c := with(t, settings...)
			var wg sync.WaitGroup
			for range 2 {
				wg.Go(func() { c.want(201, "POST", "/v2/conversations", sample("new@b.example", at, "")) })
			}
			wg.Wait()
			c.want(201, "POST", "/v2/conversations", sample("NEW@b.example", at, ""))
			n = len(c.s.Dump().Customers)
		})
		return n
	}
	if n := customers(t, "2021-03-04T05:06:07Z"); n != 2 {
		t.Errorf("a race made %d customers, want 2", n)
	}
	if n := customers(t, "2021-03-04T05:06:07Z", "customer-race=false"); n != 1 {
		t.Errorf("without the race there are %d customers", n)
	}
}
