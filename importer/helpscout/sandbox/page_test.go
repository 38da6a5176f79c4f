package sandbox

import (
	"fmt"
	"strings"
	"testing"
)

// page gets a page of the sandbox as a browser does, without a token.
func (c *client) page(status int, path string) string {
	c.t.Helper()
	token := c.token
	c.token = ""
	defer func() { c.token = token }()
	a := c.want(status, "GET", path, "")
	if csp := a.header.Get("Content-Security-Policy"); status == 200 && !strings.Contains(csp, "default-src 'none'") {
		c.t.Errorf("%s: Content-Security-Policy %q", path, csp)
	}
	return string(a.raw)
}

func TestPageShowsWhatArrived(t *testing.T) {
	c := library(t)
	first := c.s.Dump().Conversations[0]
	for path, want := range map[string][]string{
		"/":                        {"6 conversations", "Coffee and tea", "Größe", "Support", "Sales"},
		"/mailbox/254906":          {"1 conversation<", "other inbox"},
		"/search?q=subject:coffee": {"2 conversations", "Re: coffee"},
		"/search?q=sugar":          {"2 conversations"},
		"/search?q=%28":            {"cannot be read: a term is missing at character 2"},
		"/calls":                   {"POST create", "/v2/conversations", "201"},
		"/settings":                {"quota-limit", "index-lag"},
		fmt.Sprintf("/conversation/%d/%d", first.ID, first.Number): {"Coffee and tea", "please send <b>sugar</b>", "hot", "ann@b.example", "1 Jan 2021"},
	} {
		got := c.page(200, path)
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: no %q in\n%s", path, w, got)
			}
		}
	}
	for _, path := range []string{"/nothing", "/conversation/1", "/mailbox/9", "/file/1/x/y", "/assets/list.html", "/assets/../page.go"} {
		c.page(404, path)
	}
}

// TestPageIsSafeAgainstHostileContent: nothing of a message, subject, name or file name becomes markup of the page.
func TestPageIsSafeAgainstHostileContent(t *testing.T) {
	c := with(t, "html-rewrite=none")
	evil := `<script>alert(1)</script><img src=x onerror=alert(2)><a href=\"javascript:alert(3)\">x</a><style>*{display:none}</style><iframe src=//evil.example></iframe><p style=\"position:fixed\" onclick=alert(4)>text</p><form action=//evil.example><input></form>`
	body := `{"subject":"` + evil + `","customer":{"email":"a@b.example","firstName":"<b onclick=x>"},"mailboxId":254871,"type":"email","status":"active","tags":["<i>"],` +
		`"threads":[{"type":"customer","customer":{"email":"a@b.example"},"text":"` + evil + `","cc":["x@y.example"],"attachments":[{"fileName":"<img src=x>\r\n\".html","mimeType":"text/html","data":"PHNjcmlwdD4="}]}]}`
	id := c.want(201, "POST", "/v2/conversations", body).id()
	for _, page := range []string{"/", "/search?q=%3Cscript%3E", fmt.Sprintf("/conversation/%d/1", id), "/calls"} {
		got := c.page(200, page)
		for _, bad := range []string{"<script", "<img src=x", `href="javascript:`, "<style", "<iframe", "<b onclick", "<p style", "onclick=alert(4)>", "<form action=//", "<i>"} {
			if strings.Contains(got, bad) {
				t.Errorf("%s holds %q", page, bad)
			}
		}
	}
	file := c.s.Dump().Conversations[0].Threads[0].Attachments[0].ID
	a := c.want(200, "GET", fmt.Sprintf("/file/%d/x/y", file), "")
	if a.header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") ||
		strings.ContainsAny(a.header.Get("Content-Disposition"), "\r\n") {
		t.Errorf("a hostile file is served with %v", a.header)
	}
}
