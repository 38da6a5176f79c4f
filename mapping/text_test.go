package mapping

import (
	"html"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	xhtml "golang.org/x/net/html"

	"hsimport/sources"
)

func content(t *testing.T, a *sources.Attachment) string {
	t.Helper()
	r, err := a.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTextToHTML(t *testing.T) {
	for in, want := range map[string]string{
		"a < b & c > d":               "a &lt; b &amp; c &gt; d",
		"one\ntwo\n\nthree\n \n":      "one<br>two<br><br>three",
		"  code\n\ttab  x":            "&nbsp; code<br>&nbsp;&nbsp;&nbsp; tab&nbsp; x",
		" a   b\n     c":              "&nbsp;a&nbsp;&nbsp; b<br>&nbsp;&nbsp;&nbsp;&nbsp; c",
		"> quoted\n>> twice":          "&gt; quoted<br>&gt;&gt; twice",
		"see http://x.example/a_(b).": `see <a href="http://x.example/a_(b)" rel="nofollow noreferrer">http://x.example/a_(b)</a>.`,
		"(https://x.example/?a&b)":    `(<a href="https://x.example/?a&amp;b" rel="nofollow noreferrer">https://x.example/?a&amp;b</a>)`,
		"<http://x.example>":          `&lt;<a href="http://x.example" rel="nofollow noreferrer">http://x.example</a>&gt;`,
		"xhttp://no http:// HTTP":     "xhttp://no http:// HTTP",
		"javascript:alert(1)":         "javascript:alert(1)",
	} {
		if got := textToHTML(in); got != want {
			t.Errorf("%q\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestCleanText(t *testing.T) {
	for in, want := range map[string]string{
		"a\r\nb\rc\fd":          "a\nb\nc\nd",
		"\ufeffBOM\x00\x07\x7f": "BOM",
		"lone \xed\xa0\x80!":    "lone !",
		"bad \xff!":             "bad \ufffd!",
		"\u0085\u0081x\uffff":   "\nx",
		"日本 🙂 ok":               "日本 🙂 ok",
	} {
		if got, _ := cleanText(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// safeHTML asserts that nothing in HTML acts or loads by itself but images from the web. It reads the markup as a
// browser would.
func safeHTML(t *testing.T, s string) {
	t.Helper()
	root, err := xhtml.Parse(strings.NewReader(s))
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	for n := range root.Descendants() {
		if n.Type != xhtml.ElementNode {
			continue
		}
		switch n.Data {
		case "script", "style", "iframe", "object", "embed", "form", "input", "link", "meta", "base", "svg", "math", "template", "textarea", "plaintext", "noscript":
			t.Fatalf("<%s> in %q", n.Data, s)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" || a.Key == "background" || a.Key == "class" || a.Key == "id" {
				t.Fatalf("attribute %s in %q", a.Key, s)
			}
			if (a.Key == "href" || a.Key == "src") && !goodAddress.MatchString(a.Val) {
				t.Fatalf("%s=%q in %q", a.Key, a.Val, s)
			}
		}
	}
}

var goodAddress = regexp.MustCompile(`(?i)^\s*(https?:|mailto:|tel:|data:image/(gif|png|jpeg|webp);base64,)`)

var hostile = []string{
	`<p>x</p><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<a href="java&#10;script:alert(1)">x</a>`, `<svg onload=alert(1)>`,
	`<scr<script>ipt>alert(1)</script>`, `<plaintext><script>x`, `<textarea><img src=x onerror=y>`, `<math><mtext><script>x</script>`, `<style><img src=x onerror=y></style>`,
	`<a href=data:text/html,x>x</a>`, `<a href="data:image/png;base64,iVBORw0KGgo=">x</a>`, `<img src="data:image/svg+xml,<svg onload=x>">`, `<table background="http://x">`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`, `<!--><img src=x onerror=y>-->`, `<img src="cid:a&quot; onerror=x">`, `<div style="background:url(//x)">`,
	`<img width=1 height=1 src=http://t.example/p>`, `<object><p>text`, "<a href='http://x\x00y'>z</a>", `&lt;script&gt;`, `<img/src="http://x"/onerror=x>`, `<IMG SRC=CID:x ALT="<script>">`,
	`<xmp><script>`, `<a href="http://a b">sp</a>`, `<p>unclosed <b>bold <a href=http://x`, "<b \"x>y<", `<frameset><frame src=x>after`,
	`<img src=data>`, `<img src=cid>`, `<img src=":">`, `<img src="data:,">`,
}

func TestAuthorLine(t *testing.T) {
	for _, c := range []struct {
		form   string
		person sources.Person
		want   string
	}{
		{"", sources.Person{Name: "Ada <b>", Email: "A@x.example"}, "<p><em>Originally written by Ada &lt;b&gt; &lt;a@x.example&gt;</em></p>"},
		{"", sources.Person{Name: "Ada"}, "<p><em>Originally written by Ada</em></p>"},
		{"", sources.Person{Email: "a@x.example"}, "<p><em>Originally written by a@x.example</em></p>"},
		{"", sources.Person{ID: "7"}, "<p><em>Originally written by 7</em></p>"},
		{"Verfasst von {name} ({email}):", sources.Person{Name: "Ada", Email: "a@x.example"}, "<p>Verfasst von Ada (a@x.example):</p>"},
		{"<b>{name}</b><script>x</script>", sources.Person{Name: "{email}", Email: "a@x.example"}, "<b>{email}</b>"},
	} {
		opts := basic()
		opts.DepartedForm = c.form
		m, _ := New(opts, account())
		if got := m.authorLine(c.person); got != c.want {
			t.Errorf("%q of %+v: got %q, want %q", c.form, c.person, got, c.want)
		}
	}
}

func FuzzHTML(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	m, _ := New(basic(), account())
	file := memoryFile("a<b>.png", "image/png", []byte("x"), sources.Position{})
	file.ContentID = "x"
	f.Fuzz(func(t *testing.T, body string) {
		clean, _ := cleanText(body)
		p := &page{files: []*sources.Attachment{file}}
		safe, _ := m.sanitised(p, clean)
		safeHTML(t, safe)
		if again, removed := cleanText(safe); !utf8.ValidString(safe) || removed > 0 || again != safe {
			t.Fatalf("%q is not a clean text", safe)
		}
		cut := cutHTML(safe, 60)
		if n := textLen(cut); n > 60 {
			t.Fatalf("%q has %d bytes", cut, n)
		}
		safeHTML(t, cut)
	})
}

// FuzzTextToHTML: what a reader sees is the text, and nothing of it became markup.
func FuzzTextToHTML(f *testing.F) {
	for _, s := range append(hostile, "a  b\n\tc", "http://x.example/<script>", "https://a\"b'c>", "http://ü.example/日本。") {
		f.Add(s)
	}
	space := strings.NewReplacer(" ", "", "\t", "", "\n", "", "\u00a0", "")
	f.Fuzz(func(t *testing.T, body string) {
		clean, _ := cleanText(body)
		got := textToHTML(clean)
		safeHTML(t, got)
		seen := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(got, ""))
		if space.Replace(seen) != space.Replace(clean) {
			t.Fatalf("%q is shown as %q", clean, seen)
		}
		if strings.Count(strings.TrimRight(clean, " \t\n"), "\n") != strings.Count(got, "<br>") {
			t.Fatalf("%q has lost line ends: %q", clean, got)
		}
	})
}

func TestHostileHTML(t *testing.T) {
	m, _ := New(basic(), account())
	for _, s := range hostile {
		safe, _ := m.sanitised(&page{}, s)
		safeHTML(t, safe)
	}
	for in, want := range map[string]string{
		"<p>a&#1;&#0;&#13;b": "<p>a\ufffd&#13;b",
		"<div style='white-space: pre-wrap'>a\nb<div>c\nd</div>e\n</div>f\ng": "<div>a<br>b<div>c<br>d</div>e<br></div>f\ng",
		`<object><p>kept`:                                    `<p>kept`,
		`<frameset><frame src=x><p>after`:                    `<p>after`,
		`<p>a</p><img src="cid:https://pics.example/x.png">`: `<p>a</p><img src="https://pics.example/x.png">`,
		`<a href="http://x.example"><img src="http://x.example/i.png" style="display: none"></a>text`: `<a href="http://x.example" rel="nofollow noreferrer"></a>text`,
	} {
		if got, _ := m.sanitised(&page{}, in); got != want {
			t.Errorf("%q\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestLargeDataImageBecomesAFile(t *testing.T) {
	m, _ := New(basic(), account())
	p := &page{}
	got, _ := m.sanitised(p, `<p>x<img src="data:image/png;base64,`+strings.Repeat("QUJD\r\n", 4_000)+`"></p>`)
	if want := `<p>x<em>[image: image-1.png]</em></p>`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(p.made) != 1 || content(t, p.made[0]) != strings.Repeat("ABC", 4_000) {
		t.Error("the image is not whole")
	}
}

func TestSplitName(t *testing.T) {
	for in, want := range map[string][2]string{
		"Mary Ann Evans":                {"Mary", "Ann Evans"},
		"Lovelace, Ada":                 {"Ada", "Lovelace"},
		"Acme, Inc.":                    {"Acme,", "Inc."},
		"\"Zoë\"":                       {"Zoë", ""},
		"":                              {"", ""},
		"zoe@x.example":                 {"", ""},
		"  山田  太郎 ":                     {"山田", "太郎"},
		"a\x00b\tc":                     {"ab", "c"},
		strings.Repeat("🙂", 30):         {strings.Repeat("🙂", 20), ""},
		strings.Repeat("x", 41):         {strings.Repeat("x", 40), ""},
		"A " + strings.Repeat("y ", 40): {"A", strings.TrimSpace(strings.Repeat("y ", 20))},
	} {
		if first, last, _ := splitName(in, "someone@x.example"); first != want[0] || last != want[1] {
			t.Errorf("%q: got %q and %q, want %q", in, first, last, want)
		}
	}
}

func FuzzSplitName(f *testing.F) {
	for _, s := range []string{"Mary Ann", "L, A", ",", " , ", "\u00a0", "🙂🙂", "a\xffb", "'\"'"} {
		f.Add(s, "a@b.example")
	}
	f.Fuzz(func(t *testing.T, name, address string) {
		first, last, _ := splitName(name, address)
		for _, n := range []string{first, last} {
			if utf16Len(n) > maxName || !utf8.ValidString(n) || n != strings.TrimSpace(n) || strings.ContainsAny(n, "\n\x00\r") {
				t.Fatalf("%q of %q", n, name)
			}
		}
		if first == "" && last != "" {
			t.Fatalf("%q has a last name only: %q", name, last)
		}
	})
}

func TestAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"A@B.Example": "a@b.example", " x+tag@y.example ": "x+tag@y.example", "j@bücher.example": "j@xn--bcher-kva.example",
		"no": "", "a@b": "", "a@@b.example": "", ".a@b.example": "", "a..b@c.example": "", "a b@c.example": "", "a@-b.example": "",
		"a@b.example.": "a@b.example", "ü@b.example": "", "a@1.2.3.4": "", "a@b.123": "", `"q"@b.example`: "", strings.Repeat("a", 65) + "@b.example": "",
	} {
		got, ok := normalAddress(in)
		if got != want || ok != (want != "") {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"<a@b.example>": "a@b.example", "Mary <a@b.example>": "a@b.example", "mailto:a@b.example?subject=x": "a@b.example",
		"a@b.example; c@d.example": "a@b.example", "'a@b.example'": "a@b.example", "a@b.example,": "a@b.example", "nobody": "",
	} {
		if got, _ := usableAddress(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"a@b.example", "Mary <a@b.example>", "j@bücher.example", "a@b@c", "@", "<<@>>", "a@xn--.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := usableAddress(s)
		if !ok {
			return
		}
		if again, ok := normalAddress(n); !ok || again != n {
			t.Fatalf("%q becomes %q, which becomes %q", s, n, again)
		}
		for i := 0; i < len(n); i++ {
			if n[i] <= ' ' || n[i] >= 0x7f || n[i] == '<' || n[i] == '>' {
				t.Fatalf("%q becomes %q", s, n)
			}
		}
	})
}

// TestPlaceholders: nobody shares an address, and one person keeps theirs.
func TestPlaceholders(t *testing.T) {
	known := []sources.Person{
		{ID: "4711"},
		{ID: "ab"},
		{ID: "AB"},
		{ID: "a b"},
		{ID: "anon-1"},
		{Name: "Ann"},
		{Name: "Bob"},
		{Phone: "1"},
		{Phone: "2"},
		{Phone: "1", Name: "Ann"},
		{Email: "ann at x"},
		{Email: "Ann"},
		{},
	}
	seen := map[string]int{}
	for i, p := range known {
		l := placeholderLocal(p, "id:1")
		if j, twice := seen[l]; twice {
			t.Errorf("%+v and %+v share %s", p, known[j], l)
		}
		seen[l] = i
		if !validAddress(l + "@imported.invalid") {
			t.Errorf("%q is not a local part", l)
		}
	}
	if placeholderLocal(sources.Person{Name: "ann  LEE"}, "id:1") != placeholderLocal(sources.Person{Name: "Ann Lee"}, "id:2") {
		t.Error("one person has two addresses in two tickets")
	}
	if placeholderLocal(sources.Person{}, "id:1") == placeholderLocal(sources.Person{}, "id:2") {
		t.Error("strangers of two tickets share an address")
	}
}

func TestUnits(t *testing.T) {
	for in, want := range map[string]string{"30d": "30d", "60s": "1m0s", "1d12h": "36h0m0s", "0.5d": "12h0m0s", "0s": "0s", " 90m ": "1h30m0s"} {
		var d Duration
		if err := d.UnmarshalText([]byte(in)); err != nil || d.String() != want {
			t.Errorf("%q: %s, %v", in, d, err)
		}
	}
	for in, want := range map[string]Size{"10 MB": 10_000_000, "10MiB": 10 << 20, "256 kB": 256_000, "7.6MB": 7_600_000, "1000": 1000, "0": 0} {
		var z Size
		if err := z.UnmarshalText([]byte(in)); err != nil || z != want {
			t.Errorf("%q: %d, %v", in, z, err)
		}
	}
	for _, in := range []string{"", "d", "x", "5 apples", "1dd", "-", "nand", "1e9d"} {
		if err := new(Duration).UnmarshalText([]byte(in)); err == nil {
			t.Errorf("duration %q is taken", in)
		}
	}
	for _, in := range []string{"", "MB", "-1", "1 TB", "0x10", "inf", "1e300"} {
		if err := new(Size).UnmarshalText([]byte(in)); err == nil {
			t.Errorf("size %q is taken", in)
		}
	}
}
