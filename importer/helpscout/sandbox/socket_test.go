package sandbox

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// wired is a client that reaches the sandbox over loopback.
func wired(t *testing.T, settings ...string) (*client, *httptest.Server) {
	t.Helper()
	c := with(t, settings...)
	srv := httptest.NewServer(c.s)
	t.Cleanup(srv.Close)
	c.http.Transport = &redirected{srv.URL, &http.Transport{DisableKeepAlives: true}}
	return c, srv
}

// TestTooLargeOverSockets: a client that is still sending sees its 413.
func TestTooLargeOverSockets(t *testing.T) {
	c, _ := wired(t, "max-body-create=100kB")
	body := strings.Replace(sample("a@b.example", "2021-03-04T05:06:07Z", ""), "It is on", strings.Repeat("x", 8<<20), 1)
	if a := c.send("POST", "/v2/conversations", body); a.status != 413 || a.header.Get("Content-Type") != "application/vnd.error+json" {
		t.Errorf("%d %v %v", a.status, a.header, a.err)
	}
	req, _ := http.NewRequest("POST", origin+"/v2/conversations", io.MultiReader(strings.NewReader(body))) // of unknown length
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	req.ContentLength = -1
	if a := c.do(req); a.status != 413 {
		t.Errorf("chunked: %d %v", a.status, a.err)
	}
}

// TestExpectContinue: who asks before it sends gets the refusal instead of the permission.
func TestExpectContinue(t *testing.T) {
	c, srv := wired(t)
	ask := func(token string) string {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprintf(conn, "POST /v2/conversations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\nExpect: 100-continue\r\n\r\n", token)
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(line)
	}
	if got := ask(c.token); got != "HTTP/1.1 100 Continue" {
		t.Errorf("a good request: %q", got)
	}
	if got := ask("wrong"); got != "HTTP/1.1 401 Unauthorized" {
		t.Errorf("a wrong token: %q", got)
	}
}

// TestTornRequest: a body that ends too early is not applied.
func TestTornRequest(t *testing.T) {
	c, srv := wired(t)
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	body := sample("a@b.example", "2021-03-04T05:06:07Z", "")
	fmt.Fprintf(conn, "POST /v2/conversations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", c.token, len(body)+1, body)
	_ = conn.Close()
	for range 100 {
		if st := c.s.Stats(); st.Calls["create"] == 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if st := c.s.Stats(); st.Created != 0 || st.Calls["create"] != 1 {
		t.Errorf("after a torn request: %+v", st)
	}
}

// TestAuthorizationCode: the other grant, whose codes and refresh tokens are good for one use.
func TestAuthorizationCode(t *testing.T) {
	c := with(t)
	a := c.want(302, "GET", "/authentication/authorizeClientApplication?client_id=x&state=s1&redirect_uri=http%3A%2F%2Flocalhost%2Fback", "")
	to := a.header.Get("Location")
	_, rest, _ := strings.Cut(to, "code=")
	code, _, _ := strings.Cut(rest, "&")
	if !strings.Contains(to, "state=s1") || code == "" {
		t.Fatalf("redirected to %q", to)
	}
	trade := func(grant, key, value string) answer {
		return c.send("POST", "/v2/oauth2/token", fmt.Sprintf(`{"grant_type":%q,"client_id":"x","client_secret":"y",%q:%q}`, grant, key, value))
	}
	first := trade("authorization_code", "code", code)
	refresh, _ := first.at("refresh_token").(string)
	if first.status != 200 || refresh == "" {
		t.Fatalf("code: %d %s", first.status, first.raw)
	}
	if again := trade("authorization_code", "code", code); again.status != 400 {
		t.Errorf("the code a second time: %d", again.status)
	}
	second := trade("refresh_token", "refresh_token", refresh)
	if second.status != 200 || second.at("refresh_token") == refresh {
		t.Errorf("refresh: %d %s", second.status, second.raw)
	}
	if again := trade("refresh_token", "refresh_token", refresh); again.status != 400 {
		t.Errorf("the old refresh token: %d", again.status)
	}
	c.token = second.at("access_token").(string)
	c.want(200, "GET", "/v2/users/me", "")
}
