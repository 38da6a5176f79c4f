package sandbox

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// raw sends a request with exactly these headers, written "Name: value".
func (c *client) raw(method, path, body string, headers ...string) answer {
	c.t.Helper()
	req, err := http.NewRequest(method, origin+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	return c.do(req)
}

// TestHabitsOfOtherClients: what other programs send beside a plain GET or POST with application/json.
func TestHabitsOfOtherClients(t *testing.T) {
	c := with(t)
	id := c.want(201, "POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", "")).id()
	one, good := convPath(id, ""), sample("b@b.example", "2021-03-04T05:06:07Z", "")
	const jsonBody = "Content-Type: application/json;charset=UTF-8"
	for _, call := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
	}{
		{"official PHP client", "POST", "/v2/conversations", good, []string{jsonBody, "Accept: application/json;charset=UTF-8"}, 201},
		{"charset in quotes", "POST", "/v2/conversations", good, []string{`Content-Type: application/json; charset="utf-8"`}, 201},
		{"hal body", "POST", "/v2/conversations", good, []string{"Content-Type: application/hal+json"}, 201},
		{"identity coding", "POST", "/v2/conversations", good, []string{jsonBody, "Content-Encoding: identity"}, 201},
		{"packed body", "POST", "/v2/conversations", good, []string{jsonBody, "Content-Encoding: gzip"}, 415},
		{"no content type", "POST", "/v2/conversations", good, nil, 415},
		{"form body", "POST", "/v2/conversations", "subject=x", []string{"Content-Type: application/x-www-form-urlencoded"}, 415},
		{"no body", "POST", "/v2/conversations", "", []string{jsonBody}, 400},
		{"null", "POST", "/v2/conversations", "null", []string{jsonBody}, 400},
		{"byte order mark", "POST", "/v2/conversations", "\ufeff" + good, []string{jsonBody}, 400},
		{"accept html", "GET", one, "", []string{"Accept: text/html"}, 200},
		{"accept gzip", "GET", one, "", []string{"Accept-Encoding: gzip, br"}, 200},
		{"final slash", "GET", one + "/", "", nil, 200},
		{"GET with a type", "GET", one, "", []string{jsonBody}, 200},
		{"GET with a body", "GET", one, "{}", []string{jsonBody}, 200},
		{"DELETE with a body", "DELETE", convPath(1, ""), "{}", []string{jsonBody}, 404},
		{"scheme in lower case", "GET", one, "", []string{"Authorization: bearer " + c.token}, 200},
		{"basic authorization", "GET", one, "", []string{"Authorization: Basic YTpi"}, 401},
		{"id of letters", "GET", "/v2/conversations/abc", "", nil, 404},
		{"id of nothing", "GET", "/v2/conversations/0", "", nil, 400},
		{"id beyond all", "GET", "/v2/conversations/99999999999999999999", "", nil, 404},
		{"wrong method", "PUT", one, "{}", []string{jsonBody}, 405},
		{"method of no use", "TRACE", one, "", nil, 405},
		{"old version", "GET", "/v1/conversations.json", "", nil, 404},
		{"version alone", "GET", "/v2", "", nil, 404},
		{"two slashes", "GET", "//v2/users/me", "", nil, 404},
		{"patch of an object", "PATCH", one, `{"subject":"x"}`, []string{jsonBody}, 400},
		{"patch without slash", "PATCH", one, `{"op":"replace","path":"subject","value":"x"}`, []string{jsonBody}, 400},
		{"patch to null", "PATCH", one, `{"op":"replace","path":"/subject","value":null}`, []string{jsonBody}, 400},
		{"patch of a number", "PATCH", one, `5`, []string{jsonBody}, 400},
	} {
		a := c.raw(call.method, call.path, call.body, call.headers...)
		if a.status != call.status {
			t.Errorf("%s: got %d %s, want %d", call.name, a.status, a.raw, call.status)
		}
		if typ := a.header.Get("Content-Type"); a.status >= 400 && a.status != 401 && (typ != "application/vnd.error+json" || a.at("logRef") == nil) {
			t.Errorf("%s: %d as %s: %s", call.name, a.status, typ, a.raw)
		}
		if call.method == "GET" && a.status == 200 && (a.at("id") != float64(id) || a.header.Get("Content-Encoding") != "") {
			t.Errorf("%s: %s", call.name, a.raw)
		}
	}
	for _, page := range []string{"0", "-1", "x", "1"} {
		if a := c.want(200, "GET", "/v2/conversations?status=all&page="+page, ""); a.at("page/number") != 1.0 || a.at("_embedded/conversations/0/id") == nil {
			t.Errorf("page=%s: %s", page, a.raw)
		}
	}
	if a := c.want(200, "GET", "/v2/conversations?status=all&page=7", ""); a.at("_embedded") != nil || a.at("page/number") != 7.0 || a.at("page/totalPages") != 1.0 {
		t.Errorf("a page past the end: %s", a.raw)
	}
}

// TestHeadAndOptions: a HEAD is a GET without its body; OPTIONS tells the methods, and to browsers without a token if
// the setting says so.
func TestHeadAndOptions(t *testing.T) {
	c, _ := wired(t)
	get, head := c.want(200, "GET", "/v2/users/me", ""), c.want(200, "HEAD", "/v2/users/me", "")
	if len(head.raw) != 0 || head.header.Get("Content-Length") != fmt.Sprint(len(get.raw)) || head.header.Get("Content-Type") != get.header.Get("Content-Type") {
		t.Errorf("HEAD: %d bytes, %v", len(head.raw), head.header)
	}
	if a := c.want(200, "OPTIONS", "/v2/conversations", ""); a.header.Get("Allow") != "GET, HEAD, POST" || len(a.raw) != 0 {
		t.Errorf("OPTIONS: %v %s", a.header, a.raw)
	}
	c.want(404, "OPTIONS", "/v2/nothing", "")
	before := c.s.Stats().Units
	c.token = ""
	c.want(401, "OPTIONS", "/v2/conversations", "")
	ask := func() answer {
		return c.raw("OPTIONS", "/v2/conversations", "", "Origin: https://app.example", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization, content-type")
	}
	if a := ask(); a.status != 401 || a.header.Get("Access-Control-Allow-Headers") != "" {
		t.Errorf("a page of another origin is let in without having been asked for: %d %v", a.status, a.header)
	}
	c.s.Configure(func(s *Settings) { s.Preflight = true })
	a := ask()
	if a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(a.header.Get("Access-Control-Allow-Methods"), "PATCH") ||
		a.header.Get("Access-Control-Allow-Headers") != "authorization, content-type" {
		t.Errorf("preflight: %d %v", a.status, a.header)
	}
	if after := c.s.Stats().Units; after != before {
		t.Errorf("asking cost %d units", after-before)
	}
}

// TestOldAndPatientConnections: HTTP/1.0, and several requests down one connection, the last two sent at once.
func TestOldAndPatientConnections(t *testing.T) {
	c, srv := wired(t)
	ask := func(version, path string, more string) string {
		return "GET " + path + " HTTP/" + version + "\r\nHost: sandbox\r\nAuthorization: Bearer " + c.token + "\r\n" + more + "\r\n"
	}
	dial := func() net.Conn {
		conn, err := net.DialTimeout("tcp", srv.Listener.Addr().String(), 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		return conn
	}
	old := dial()
	_, _ = io.WriteString(old, ask("1.0", "/v2/users/me", ""))
	all, err := io.ReadAll(old) // the server closes
	if err != nil || !strings.HasPrefix(string(all), "HTTP/1.0 200") || !strings.HasSuffix(string(all), "}") {
		t.Errorf("HTTP/1.0: %v %.200s", err, all)
	}
	conn := dial()
	r := bufio.NewReader(conn)
	for _, batch := range [][]string{{"/v2/users/me"}, {"/v2/nothing"}, {"/v2/mailboxes", "/v2/tags"}} {
		for _, path := range batch {
			_, _ = io.WriteString(conn, ask("1.1", path, ""))
		}
		for _, path := range batch {
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatalf("%s on a connection that was used before: %v", path, err)
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil || (res.StatusCode == 200) == (path == "/v2/nothing") {
				t.Errorf("%s: %d %v", path, res.StatusCode, err)
			}
			_ = res.Body.Close()
		}
	}
}

// TestTokenEndpointForms: ways to ask for a token that libraries have beside the three documented ones.
func TestTokenEndpointForms(t *testing.T) {
	s, err := New(Options{AppID: "app", AppSecret: "s3"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	c := &client{t: t, s: s, http: &http.Client{Transport: s.Transport()}}
	const form = "Content-Type: application/x-www-form-urlencoded"
	for _, call := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
	}{
		{"final slash", "POST", "/v2/oauth2/token/", "grant_type=client_credentials&client_id=app&client_secret=s3", []string{form}, 200},
		{"basic", "POST", "/v2/oauth2/token", "grant_type=client_credentials", []string{form, "Authorization: Basic YXBwOnMz"}, 200},
		{"basic with another secret", "POST", "/v2/oauth2/token", "grant_type=client_credentials", []string{form, "Authorization: Basic YXBwOnM0"}, 401},
		{"no grant", "POST", "/v2/oauth2/token", "client_id=app&client_secret=s3", []string{form}, 400},
		{"password grant", "POST", "/v2/oauth2/token", "grant_type=password&client_id=app&client_secret=s3", []string{form}, 400},
		{"JSON that says form", "POST", "/v2/oauth2/token", `{"grant_type":"client_credentials","client_id":"app","client_secret":"s3"}`, []string{form}, 401},
		{"broken JSON", "POST", "/v2/oauth2/token", `{"grant_type"`, []string{"Content-Type: application/json"}, 400},
		{"nothing", "POST", "/v2/oauth2/token", "", nil, 401},
		{"GET", "GET", "/v2/oauth2/token", "", nil, 405},
	} {
		a := c.raw(call.method, call.path, call.body, call.headers...)
		if a.status != call.status || (a.status == 200) != (a.at("access_token") != nil) || (a.status != 200) != (a.at("error") != nil && a.at("error_description") != nil) {
			t.Errorf("%s: %d %s", call.name, a.status, a.raw)
		}
		if a.header.Get("X-RateLimit-Limit-Minute") != "" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", call.name, a.header)
		}
	}
}
