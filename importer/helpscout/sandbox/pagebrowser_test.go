package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// lively is an account in the middle of an import, over sockets: 57 conversations, one of them with everything there is.
func lively(t *testing.T, settings ...string) (c *client, home string, rich int64) {
	t.Helper()
	c, srv := wired(t, append([]string{"quota-limit=400"}, settings...)...)
	names := []string{"Jo Doe", "Ægir Þórsson", "Marie-Claire de la Fontaine", "李 雷", "Zoë O’Brien"}
	subjects := []string{"Where is my order", "Refund for #4711, second request", "Größenänderung vor dem Versand", "Invoice", strings.Repeat("A subject that is far too long ", 6)}
	statuses := []string{"closed", "active", "pending", "closed", "spam"}
	for i := range 56 {
		first, last, _ := strings.Cut(names[i%5], " ")
		body := fmt.Sprintf(`{"subject":%q,"customer":{"email":"p%d@b.example","firstName":%q,"lastName":%q},"mailboxId":%d,"type":"email","status":%q,"imported":true,"assignTo":null,"createdAt":"2021-03-%02dT05:06:07Z","tags":["import"],"threads":[{"type":"customer","customer":{"email":"p%d@b.example"},"text":"Hello, my parcel has not come. Could you have a look?","createdAt":"2021-03-%02dT05:06:07Z"}]}`,
			fmt.Sprintf("%s %d", subjects[i%5], i), i%9, first, last, []int{254871, 254906}[i/40], statuses[i%5], i%28+1, i%9, i%28+1)
		c.want(201, "POST", "/v2/conversations", body)
	}
	text := `<p>Hello,</p><p>I ordered <b>two</b> lamps &amp; got <i>one</i>.<br>See <a href="https://shop.example/orders/4711?x=1&amp;y=2">the order</a>.</p><blockquote>On Monday you wrote:<br>it is on its way</blockquote><table><tr><th>Item</th><th>Count</th></tr><tr><td>Lamp</td><td>2</td></tr></table><pre>tracking: ` + strings.Repeat("0123456789", 30) + `</pre>`
	encoded, _ := json.Marshal(text)
	rich = c.want(201, "POST", "/v2/conversations", fmt.Sprintf(`{"subject":"Two lamps, one came","customer":{"email":"rich@b.example","firstName":"Rich","lastName":"Case"},"mailboxId":254871,"type":"email","status":"active","imported":true,"assignTo":512344,"createdAt":"2022-01-02T03:04:05Z","tags":["vip","billing","a-tag-that-is-rather-long-for-a-tag"],"fields":[{"id":31201,"value":"90514"},{"id":31202,"value":"TICKET-000123456789"},{"id":31205,"value":"2022-02-03"}],"threads":[
		{"type":"customer","customer":{"email":"rich@b.example"},"text":%s,"createdAt":"2022-01-02T03:04:05Z","cc":["cc@b.example"],"attachments":[{"fileName":"Rechnung für März.pdf","mimeType":"application/pdf","data":"JVBERi0="},{"fileName":"%s.txt","mimeType":"text/plain","data":"aGVsbG8="}]},
		{"type":"reply","customer":{"email":"rich@b.example"},"user":512344,"text":"We are sorry. The other one leaves today.","createdAt":"2022-01-02T04:04:05Z"},
		{"type":"note","user":512351,"text":"Packed by hand, ask the warehouse.","createdAt":"2022-01-02T05:04:05Z"},
		{"type":"phone","customer":{"email":"rich@b.example"},"text":"Called: is happy.","createdAt":"2022-01-02T06:04:05Z"}]}`, encoded, strings.Repeat("long-name-", 12))).id()
	c.want(204, "PATCH", convPath(rich, ""), `{"op":"replace","path":"/status","value":"pending"}`)
	c.want(201, "POST", convPath(rich, "/reply"), `{"customer":{"email":"rich@b.example"},"text":"Written today, and mailed.","user":512341}`)
	rules, err := ParseFaults("get#1=503\nlist#1=slow,after:1ms")
	if err != nil {
		t.Fatal(err)
	}
	c.s.SetFaults(rules)
	c.send("GET", convPath(rich, ""), "")
	c.send("GET", "/v2/conversations?query=%28createdAt%3A%5B2021-03-01T00%3A00%3A00Z%20TO%202021-03-02T00%3A00%3A00Z%5D%29&status=all", "")
	c.want(404, "GET", "/v2/conversations/1", "")
	return c, srv.URL, rich
}

// TestPageInABrowser walks the page as a person does.
func TestPageInABrowser(t *testing.T) {
	b := startBrowser(t)
	_, home, rich := lively(t)
	rows := `Array.from(document.querySelectorAll(".list .row .num")).map(e => e.textContent).join(" ")`
	b.open(home + "/")
	first := strings.Fields(b.text(rows))
	b.click("a[rel=next]")
	rest := strings.Fields(b.text(rows))
	seen := map[string]bool{}
	for _, n := range append(append([]string{}, first...), rest...) {
		seen[n] = true
	}
	if len(first) != 50 || len(rest) != 7 || len(seen) != 57 {
		t.Errorf("pages of %d and %d, %d different ones in all; want 50, 7 and 57", len(first), len(rest), len(seen))
	}
	b.click("a[rel=prev]")
	if again := b.text(rows); again != strings.Join(first, " ") {
		t.Error("back on the first page there is something else")
	}

	b.search(`subject:"refund" status:pending`)
	if got := b.text(`document.querySelector("h1").innerText`); !strings.Contains(got, "0 conv") {
		t.Errorf("a search without result: %q", got)
	}
	b.search(`subject:"refund" mailboxid:254906`)
	if got := b.eval(`Array.from(document.querySelectorAll(".subject")).filter(e => e.textContent.startsWith("Refund")).length`); got != b.eval(`document.querySelectorAll(".row").length`) || got == "0" {
		t.Errorf("%s rows with Refund of %s", got, b.eval(`document.querySelectorAll(".row").length`))
	}
	b.search(`(((`)
	if got := b.text(`document.querySelector("[role=alert]").innerText`); !strings.Contains(got, "cannot be read") {
		t.Errorf("a broken query: %q", got)
	}
	b.search(`lamps`)
	if got := b.text(`document.querySelector("input[name=q]").value`); got != "lamps" {
		t.Errorf("the search field has forgotten what was asked: %q", got)
	}

	b.click(".row")
	if got := b.text(`location.pathname`); !strings.HasPrefix(got, fmt.Sprintf("/conversation/%d/", rich)) {
		t.Fatalf("a click on the row leads to %s", got)
	}
	kinds := b.text(`Array.from(document.querySelectorAll("article.thread .kind:not(.loud)")).map(e => e.textContent).join("|")`)
	if kinds != "reply|phone|note, private|reply|customer" {
		t.Errorf("threads, newest first: %s", kinds)
	}
	if got := b.text(`document.querySelector("main").innerText`); !strings.Contains(got, "NOT IMPORTED") && !strings.Contains(got, "not imported") || !strings.Contains(got, "Urgent") ||
		!strings.Contains(got, "Rechnung für März.pdf") || !strings.Contains(got, "cc@b.example") {
		t.Errorf("the conversation shows\n%s", got)
	}
	here := b.text(`location.href`)
	b.press(".files a") // downloads, and goes nowhere
	if got := b.text(`location.href`); got != here {
		t.Errorf("a click on a file leads to %s", got)
	}
	b.click(".facts a")
	if got := b.eval(`document.querySelectorAll(".row").length`); got != "1" {
		t.Errorf("the customer's address finds %s conversations", got)
	}
	b.click(".side li a")
	if got := b.eval(`document.querySelectorAll(".side [aria-current]").length`); got != "1" {
		t.Errorf("%s folders are marked as the current one", got)
	}
	b.click(`a[href="/calls"]`)
	if got := b.text(`document.querySelector("main").innerText`); !strings.Contains(got, "503") || !strings.Contains(got, "get#1") && !strings.Contains(got, "PATCH") {
		t.Errorf("calls:\n%.500s", got)
	}
	b.click(`a[href="/settings"]`)
	if bad := b.complaints(home); len(bad) > 0 {
		t.Errorf("the browser complains:\n%s", strings.Join(bad, "\n"))
	}
}

// faintest is the text of a page that is hardest to read: "ratio what", by the contrast of colours that is defined in
// https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
const faintest = `(() => {
	const parse = s => s.match(/[\d.]+/g).map(Number);
	const light = c => { const f = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2]) };
	let worst = [99, ""];
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const e = walk.currentNode.parentElement;
		if (!walk.currentNode.textContent.trim() || !e.getClientRects().length) continue;
		let back = e, ground;
		do { ground = parse(getComputedStyle(back).backgroundColor); back = back.parentElement } while (back && ground.length > 3 && ground[3] === 0);
		const a = light(parse(getComputedStyle(e).color)), b = light(ground), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < worst[0]) worst = [ratio, e.tagName + "." + e.className + " " + walk.currentNode.textContent.trim().slice(0, 40)];
	}
	return worst;
})()`

// TestPageFitsAndCanBeRead: in both themes and down to the width of a small phone nothing sticks out of the window and
// every text has the contrast of 4.5 that accessibility asks for. SANDBOX_SHOTS names a folder for pictures.
func TestPageFitsAndCanBeRead(t *testing.T) {
	b := startBrowser(t)
	c, home, rich := lively(t)
	if err := c.s.DeleteConversation(c.s.Dump().Conversations[3].ID); err != nil {
		t.Fatal(err)
	}
	gone := c.s.Dump().Conversations[3].ID
	for theme, widths := range map[string][]int{"light": {1280, 390}, "dark": {768, 320}} {
		for _, width := range widths {
			b.look(width, theme)
			for name, path := range map[string]string{
				"list": "/", "page2": "/?page=2", "conversation": convPage(rich), "deleted": convPage(gone), "calls": "/calls", "settings": "/settings", "nothing": "/search?q=nothing", "broken": "/search?q=%28",
			} {
				b.open(home + path)
				if dir := os.Getenv("SANDBOX_SHOTS"); dir != "" {
					b.shot(dir, fmt.Sprintf("%s-%s-%d", name, theme, width))
				}
				if wide := b.eval(`document.documentElement.scrollWidth`); wide != fmt.Sprint(width) {
					t.Errorf("%s, %s: %s pixels wide in a window of %d", path, theme, wide, width)
				}
				var worst []any
				if err := json.Unmarshal([]byte(b.eval(faintest)), &worst); err != nil || worst[0].(float64) < 4.5 {
					t.Errorf("%s, %s, %d: contrast %v", path, theme, width, worst)
				}
				if dark := b.eval(`getComputedStyle(document.body).backgroundColor.match(/\d+/g).every(v => v < 64)`); (dark == "true") != (theme == "dark") {
					t.Errorf("%s is not %s", path, theme)
				}
			}
		}
	}
	if bad := b.complaints(home); len(bad) > 0 {
		t.Errorf("the browser complains:\n%s", strings.Join(bad, "\n"))
	}
}

func convPage(id int64) string { return fmt.Sprintf("/conversation/%d/1", id) }

// attacks each try to set window.hacked, to leave the page or to fetch something.
var attacks = []string{
	`<script>window.hacked=1</script>`, `<img src=x onerror="window.hacked=1">`, `<img src="https://evil.example/pixel.png">`, `<svg onload="window.hacked=1">`,
	`<svg><script>window.hacked=1</script></svg>`, `<iframe srcdoc="<script>parent.hacked=1</script>"></iframe>`, `<a href="javascript:window.hacked=1" autofocus onfocus="window.hacked=1">x</a>`,
	`<style>@import "https://evil.example/x.css"; *{display:none!important}</style>`, `<link rel=stylesheet href="https://evil.example/x.css">`, `<meta http-equiv=refresh content="0;url=https://evil.example/">`,
	`<base href="https://evil.example/">`, `<form action="https://evil.example/"><button autofocus>x</button></form>`, `"><script>window.hacked=1</script>`, `' onmouseover='window.hacked=1`, `{{.}}<!--`, `</title><script>window.hacked=1</script>`,
	`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.hacked=1&gt;">`, `<p style="background:url(https://evil.example/b.png);position:fixed;inset:0">x</p>`, `<object data="https://evil.example/x"></object><embed src="https://evil.example/x">`,
	`<video autoplay src="https://evil.example/v" onerror="window.hacked=1"></video>`, `<details open ontoggle="window.hacked=1">x</details>`, "<div id=left name=left></div><img name=hacked>",
}

// hostile is an account in which every text that a stranger decides is an attack.
func hostile(t *testing.T) (c *client, pages []string) {
	t.Helper()
	c, _ = wired(t, "html-rewrite=none", "tag-case=keep", "max-subject=0")
	quote := func(s string) string { raw, _ := json.Marshal(s); return string(raw) }
	for i, a := range attacks {
		name := quote(string([]rune(a)[:min(40, len([]rune(a)))]))
		body := fmt.Sprintf(`{"subject":%s,"customer":{"email":"e%d@b.example","firstName":%s,"lastName":%s},"mailboxId":254871,"type":"email","status":"active","imported":true,"tags":[%s],"fields":[{"id":31202,"value":%s}],"threads":[{"type":"customer","customer":{"email":"e%d@b.example"},"text":%s,"attachments":[{"fileName":%s,"mimeType":%s,"data":"PHNjcmlwdD4="}]},{"type":"note","text":%s}]}`,
			quote(a), i, name, name, quote(a), quote(a[:min(200, len(a))]), i, quote(a), quote(a), quote(a), quote(strings.Join(attacks, "\n")))
		id := c.want(201, "POST", "/v2/conversations", body).id()
		pages = append(pages, convPage(id), "/search?q="+strings.NewReplacer("%", "%25", "#", "%23", "&", "%26", " ", "%20", "+", "%2B", "\"", "%22", "<", "%3C", ">", "%3E").Replace(a))
		c.send("GET", "/v2/"+strings.ReplaceAll(strings.ReplaceAll(a, "%", "%25"), " ", "%20"), "")
	}
	return c, append(pages, "/", "/calls", "/settings", "/mailbox/254871")
}

// TestHostileContentInABrowser: whatever is in the data, nothing of it runs, loads or leads away.
func TestHostileContentInABrowser(t *testing.T) {
	b := startBrowser(t)
	c, pages := hostile(t)
	home := c.http.Transport.(*redirected).to
	for _, page := range pages {
		b.open(home + page)
		if got := b.eval(`window.hacked === undefined && document.querySelectorAll("main script, main iframe, main style, main link, main meta, main object, main embed, main video, main svg, main img, main form, main [style], main [onerror]").length === 0`); got != "true" {
			t.Errorf("%s: a piece of the data has become part of the page: %s", page, b.text(`document.querySelector("main").innerHTML`))
		}
		if got := b.eval(`document.querySelector("header.bar").getClientRects().length > 0 && document.querySelector("main").getClientRects().length > 0`); got != "true" {
			t.Errorf("%s: the data hides the page", page)
		}
		if got := b.text(`location.origin`); got != home {
			t.Fatalf("%s has led to %s", page, got)
		}
	}
	if bad := b.complaints(home); len(bad) > 0 {
		t.Errorf("the browser complains:\n%s", strings.Join(bad, "\n"))
	}
}

// TestPolicyHoldsAlone: markup that got past the templates all the same neither runs nor loads.
func TestPolicyHoldsAlone(t *testing.T) {
	b := startBrowser(t)
	c := with(t)
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		c.s.ServeHTTP(rec, r)
		page := strings.Replace(rec.Body.String(), "<main>", `<main><script>window.hacked=1</script><img src="https://evil.example/x.png" onerror="window.hacked=1">`, 1)
		rec.Header().Del("Content-Length")
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		_, _ = w.Write([]byte(page))
	}))
	t.Cleanup(broken.Close)
	b.open(broken.URL + "/")
	if got := b.eval(`document.querySelectorAll("main script").length === 1 && window.hacked === undefined`); got != "true" {
		t.Error("the script ran, or the page has not been broken")
	}
	if len(b.complaints(broken.URL)) == 0 {
		t.Error("the browser refused nothing: the test does not test")
	}
}
