package report

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"hsimport/sources"
)

// evil are values that turn into markup or script where somebody forgets to escape.
var evil = []string{
	`<script>window.hacked=1</script>`,
	`"><img src=x onerror="window.hacked=1">`,
	`'-window.hacked=1-'`,
	`</title></style></script><script>window.hacked=1</script>`,
	`<svg onload=window.hacked=1>`,
	`javascript:window.hacked=1`,
	`{{.}} ${window.hacked=1} <!-- --> ]]> &lt;script&gt;`,
	"\u202eevil\u202c \u2066x\u2069 \x00 \x1b[31m",
	`<iframe srcdoc="&lt;script&gt;parent.hacked=1&lt;/script&gt;"></iframe>`,
	`<meta http-equiv=refresh content="0;url=https://evil.example/">`,
	`<base href=https://evil.example/><form action=https://evil.example/><input name=x autofocus onfocus=window.hacked=1>`,
}

// hostileJob puts every evil value everywhere.
func hostileJob() *memory {
	var all []*sources.Ticket
	for i, x := range evil {
		t := ticket(500+i, epoch.AddDate(0, i, 0), 3, x)
		t.ID, t.Subject, t.URL = x, x, "https://old.example/"+x
		t.Key += sources.Key(x)
		t.Requester.Name = x
		t.Assignee = &sources.Person{Name: x}
		t.Group, t.Channel, t.Priority, t.Tags = x, x, x, []string{x}
		t.Fields = []sources.Field{{Name: x, Value: x}, {Name: "Priority", Value: x}}
		t.Position.File = x
		t.Problems = []sources.Problem{{Severity: sources.Warning, Code: x, Text: x, Position: t.Position}}
		for j, m := range t.Messages {
			m.Body, m.Kind, m.Position = x+"\n"+strings.Join(evil, "\n"), x, t.Position
			m.Author.Name = x
			m.Cc = []sources.Person{{Name: x, Email: x}, {Email: "copy@customers.example"}}
			if j > 0 {
				m.Format = sources.HTML
			}
			attach(m, x, x)
			m.Attachments[0].MIMEType = x
			m.Attachments = append(m.Attachments, &sources.Attachment{Name: x, Missing: x})
		}
		all = append(all, t)
	}
	m := newMemory(all)
	for _, x := range evil {
		m.ledger.Columns = append(m.ledger.Columns, sources.Use{Name: x, Class: sources.NotCarried, Filled: 4, Of: 5, Example: x})
		m.ledger.Records.ExcludedBy[x] = 1
		m.ledger.Problems = append(m.ledger.Problems, sources.Problem{Severity: sources.Warning, Code: x, Text: x})
	}
	return m
}

func hostilePage(t testing.TB) string {
	t.Helper()
	o := options()
	o.Statuses[evil[0]], o.Mailbox = "active", evil[1]
	o.Agents[evil[2]], o.DefaultStatus = "grace@support.example", "closed"
	target := account()
	target.Mailboxes[0].Name, target.Users[0].FirstName = evil[1], evil[3]
	for _, x := range evil {
		target.Mailboxes[0].Fields = append(target.Mailboxes[0].Fields, account().Mailboxes[0].Fields[0])
		target.Mailboxes[0].Fields[len(target.Mailboxes[0].Fields)-1].Name = x
	}
	c, rep, _ := dryRun(t, hostileJob(), o, target)
	c.o.Config, c.o.Offline, c.o.Version = evil[3], evil[0], evil[1]
	rep.Rehearsal = evil[0]
	return pageOf(t, c, rep)
}

// safe tells the elements that the page may be made of.
var pageElements = strings.Fields(`html head meta title link style body a header div nav span input main h1 h2 h3 h4 p ul li bdi dl dt dd br
	table caption thead tbody tfoot tr th td section svg rect line text figure figcaption details summary code b article iframe template noscript wbr time footer script`)

func TestDataNeverBecomesMarkup(t *testing.T) {
	page := hostilePage(t)
	doc := parse(t, page)
	scripts, styles := 0, 0
	for _, n := range find(doc, func(*html.Node) bool { return true }) {
		if !slices.Contains(pageElements, n.Data) && n.Parent.Data != "svg" && n.Parent.Data != "rect" {
			t.Errorf("an element %s is on the page", n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" || a.Key == "action" {
				t.Errorf("<%s %s=%q> is on the page", n.Data, a.Key, a.Val)
			}
		}
		switch n.Data {
		case "script":
			scripts++
			if n.FirstChild.Data != scriptText {
				t.Errorf("another script: %.200s", n.FirstChild.Data)
			}
		case "style":
			styles++
		case "iframe":
			checkFrame(t, n)
		}
	}
	if scripts != 1 || styles != 1 {
		t.Errorf("%d scripts and %d style sheets", scripts, styles)
	}
	for _, x := range evil[:6] {
		if !strings.Contains(text(doc), x) {
			t.Errorf("%s is not to be seen: data must be shown as it is", x)
		}
	}
	if strings.ContainsAny(page, "\x00\x1b") {
		t.Error("control characters are on the page")
	}
	if outside := regexp.MustCompile(`srcdoc="[^"]*"`).ReplaceAllString(page, ""); strings.ContainsAny(outside, "\u202e\u2066") {
		t.Error("marks that turn the direction of reading are outside of bodies")
	}
	policy := attr(find(doc, func(n *html.Node) bool { return attr(n, "http-equiv") == "Content-Security-Policy" })[0], "content")
	for _, must := range []string{"default-src 'none'", "script-src " + hashOf(scriptText) + ";", "base-uri 'none'", "form-action 'none'"} {
		if !strings.Contains(policy, must) {
			t.Errorf("the policy lacks %s: %s", must, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") || strings.Contains(policy, "*") {
		t.Errorf("the policy is not strict: %s", policy)
	}
}

func checkFrame(t *testing.T, frame *html.Node) {
	t.Helper()
	if attr(frame, "sandbox") != "allow-same-origin" {
		t.Errorf("a frame's sandbox is %q", attr(frame, "sandbox"))
	}
	body, ok := strings.CutPrefix(attr(frame, "srcdoc"), frameHead)
	if !ok {
		t.Fatalf("a frame begins with %.80q", attr(frame, "srcdoc"))
	}
	checkBody(t, strings.TrimSuffix(body, frameTail))
}

// checkBody says what a body holds that could act, load or lead away.
func checkBody(t testing.TB, body string) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(body))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF {
				t.Fatal(z.Err())
			}
			return
		case html.CommentToken, html.DoctypeToken:
			t.Fatalf("%s in %q", z.Token(), body)
		case html.StartTagToken, html.SelfClosingTagToken:
			tk := z.Token()
			if !shown(tk.Data) && !isVoid(tk.Data) && tk.Data != "u" {
				t.Fatalf("<%s> in %q", tk.Data, body)
			}
			for _, a := range tk.Attr {
				if a.Key != "title" && a.Key != "class" {
					t.Fatalf("<%s %s> in %q", tk.Data, a.Key, body)
				}
			}
		}
	}
}

func FuzzSafeBody(f *testing.F) {
	for _, x := range evil {
		f.Add(x, 200)
	}
	f.Add(`<p>one<b>two</p><a href="https://x.example/?a=1&b=2">link</a><img alt=cat src=data:x>`+strings.Repeat("<div>", 100), 90)
	f.Add("häßlich &amp; <pre>\n</pre><blockquote>x", 31)
	f.Fuzz(func(t *testing.T, in string, room int) {
		room &= 1<<12 - 1
		out, cut := safeBody(in, room)
		checkBody(t, out)
		if slack := (maxDepth + 1) * len("</blockquote>") * 2; len(out) > room+slack {
			t.Fatalf("%d bytes for a room of %d", len(out), room)
		}
		again, _ := safeBody(out, 8*len(out)+100)
		checkBody(t, again)
		if !cut && strings.Count(out, "<") != strings.Count(again, "<") {
			t.Fatalf("what is safe changes: %q, %q", out, again)
		}
	})
}

func TestSafeBody(t *testing.T) {
	for in, want := range map[string]string{
		`<p>Hello <b>you</b><br>there</p>`:                          `<p>Hello <b>you</b><br>there</p>`,
		`a <a href="https://x.example/?a=1&amp;b">link</a>.`:        `a <u title="https://x.example/?a=1&amp;b">link</u>.`,
		`<img src="https://t.example/pixel.gif" alt="a cat">`:       `<em class="img">[image: a cat]</em>`,
		`<img src="data:image/png;base64,AAAA">`:                    `<em class="img">[image: in the text]</em>`,
		`<script>alert(1)</script>x<style>*{}</style>y`:             `xy`,
		`<font color=red onclick=x()>red</font>`:                    `red`,
		`<p>never <i>closed`:                                        `<p>never <i>closed</i></p>`,
		`5 < 6 &amp; 7 > 2`:                                         `5 &lt; 6 &amp; 7 &gt; 2`,
		`<table><tr><td style="x" colspan=2>cell</td></tr></table>`: `<table><tr><td>cell</td></tr></table>`,
	} {
		if got, cut := safeBody(in, 1000); got != want || cut {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
	got, cut := safeBody(strings.Repeat("ä&", 400), 100)
	if !cut || len(got) > 100 || !strings.HasSuffix(got, "ä") && !strings.HasSuffix(got, ";") {
		t.Errorf("cut badly: %d bytes, %q", len(got), got)
	}
}

func TestMeasures(t *testing.T) {
	d := distinct{}
	for i := range 5000 {
		d.add(digest(fmt.Sprint(i % 1234)))
	}
	if n, atLeast := d.count(); n != 1234 || atLeast {
		t.Errorf("%d different values, want 1234", n)
	}
	x := newTally[int](3)
	for i := range 10 {
		x.add(i%5, 1)
	}
	if len(x.n) != 3 || x.rest != 4 || x.n[0] != 2 {
		t.Errorf("%v, rest %d", x.n, x.rest)
	}
	best := top[int]{size: 3, greater: func(a, b int) int { return b - a }}
	for _, n := range []int{5, 1, 9, 7, 9, 2} {
		best.add(n)
	}
	if !slices.Equal(best.items, []int{9, 9, 7}) {
		t.Error(best.items)
	}
	if got := clip("  a\x00\u202eb \n c"+strings.Repeat("é", 50), 10); got != "ab cééééé…" && got != "ab céééééé…" {
		t.Errorf("%q", got)
	}
}

// A history with impossible dates is drawn all the same, in a bounded number of columns.
func TestChartsOfAnySpan(t *testing.T) {
	for _, years := range []int{0, 1, 12, 40, 200, 8000} {
		m := newMonthly(5)
		total := 0
		for i := range 20 {
			for y := range 3 {
				m.add(party{name: fmt.Sprint("agent ", i)}, (1970+y*years/2)*12+i%12)
				total++
			}
		}
		c, ok := draw(&m, func(p party) string { return p.name }, false)
		sum := 0
		for _, b := range c.Bars {
			sum += b.Total
		}
		if !ok || sum != total || c.Total != total || len(c.Bars) > 4*maxBars || len(c.Legend) > maxSeries {
			t.Errorf("%d years: %d bars hold %d of %d, %d series", years, len(c.Bars), sum, total, len(c.Legend))
		}
	}
}
