package importer

import (
	"strings"
	"testing"

	"hsimport/sources"
)

// TestRewrite: links lead to the new place, words stay, and what names no ticket is left alone.
func TestRewrite(t *testing.T) {
	l := newLinker([]string{"https://desk.example/agent/tickets/{id}", "http://old.example/view.php?id={id}"}, true)
	to := func(id string) string {
		if id = strings.TrimPrefix(id, "#"); id == "9" || id == "" {
			return ""
		}
		return "https://new/" + id
	}
	for _, c := range []struct{ text, want string }{
		{`see https://desk.example/agent/tickets/12.`, `see <a href="https://new/12">https://desk.example/agent/tickets/12</a>.`},
		{`<a href="https://desk.example/agent/tickets/12" rel="nofollow">https://desk.example/agent/tickets/12</a>`, `<a href="https://new/12" rel="nofollow">https://desk.example/agent/tickets/12</a>`},
		{`<A HREF='http://DESK.example/agent/tickets/12#comment-4'>this</A>`, `<a href="https://new/12">this</A>`},
		{`<a href="http://old.example/view.php?id=A-1&amp;page=2">x</a>`, `<a href="https://new/A-1">x</a>`},
		{`old.example #12, (#34) and &#38;#56 &#12; a#12 x/#12 #12a`, `old.example <a href="https://new/12">#12</a>, (<a href="https://new/34">#34</a>) and &#38;#56 &#12; a#12 x/#12 #12a`},
		{`https://desk.example/agent/tickets/9 #9`, `https://desk.example/agent/tickets/9 #9`},
		{`https://desk.example/agent/ticketsX/12`, `https://desk.example/agent/ticketsX/12`},
		{`<a href="https://evil/?https://desk.example/agent/tickets/12">x</a>`, `<a href="https://evil/?https://desk.example/agent/tickets/12">x</a>`},
		{`<a href="https://other">#12 https://desk.example/agent/tickets/12</a> <b>#12</b>`, `<a href="https://other">#12 https://desk.example/agent/tickets/12</a> <b><a href="https://new/12">#12</a></b>`},
		{`<img src="https://desk.example/agent/tickets/12"><script>"#12"</script>`, `<img src="https://desk.example/agent/tickets/12"><script>"#12"</script>`},
		{`<p>broken <a href="https://desk.example/agent/tickets/12`, `<p>broken <a href="https://desk.example/agent/tickets/12`},
	} {
		got, n := l.rewrite(c.text, to)
		if got != c.want || (n == 0) != (c.text == c.want) {
			t.Errorf("%s\nbecomes %s (%d)\nwant    %s", c.text, got, n, c.want)
		}
	}
	if l := newLinker(nil, false); l != nil {
		t.Error("a linker that finds nothing")
	}
}

// FuzzRewrite: what a reader sees never changes, a second pass finds nothing, and numbers without a target change nothing.
func FuzzRewrite(f *testing.F) {
	for _, s := range []string{
		`see https://desk.example/t/12.`, `<a href="https://desk.example/t/12">x</a>`, `#12 &#12; <p #12>`, "<a href='https://desk.example/t/1", `<textarea>#1</textarea>#1`,
		`<a><a href=https://desk.example/t/1>#1</a>#2</a>`, "\x00#1<", `https://desk.example/t/1"#2`, `<svg><title>#1</title></svg>`,
	} {
		f.Add(s)
	}
	l := newLinker([]string{"https://desk.example/t/{id}"}, true)
	f.Fuzz(func(t *testing.T, s string) {
		out, n := l.rewrite(s, func(id string) string { return "https://secure.helpscout.net/conversation/" + id })
		if textDigest(out) != textDigest(s) {
			t.Errorf("%q\nbecame %q: other words", s, out)
		}
		if (n == 0) != (out == s) {
			t.Errorf("%d changes of %q: %q", n, s, out)
		}
		if again, m := l.rewrite(out, func(id string) string { return "https://secure.helpscout.net/conversation/" + id }); m != 0 {
			t.Errorf("a second pass over %q changes it to %q", out, again)
		}
		if same, m := l.rewrite(s, func(string) string { return "" }); m != 0 || same != s {
			t.Errorf("without targets %q becomes %q", s, same)
		}
	})
}

// TestPatternOf: the address of a ticket tells how all of them are made.
func TestPatternOf(t *testing.T) {
	for _, c := range []struct{ key, id, url, want string }{
		{"id:12", "12", "https://desk.example/tickets/12", "https://desk.example/tickets/{id}"},
		{"id:12", "12", "https://desk.example/12/tickets/12?x=1", "https://desk.example/12/tickets/{id}"},
		{"id:77", "12", "https://desk.example/tickets/12", "https://desk.example/tickets/{id}"},
		{"id:12", "12", "https://desk.example/tickets/112", ""},
		{"id:12", "12", "https://desk.example/tickets", ""},
		{"id:12", "12", "", ""},
		{"mid:x@y", "", "https://desk.example/tickets/12", ""},
	} {
		if got := patternOf(&sources.Ticket{Key: sources.Key(c.key), ID: c.id, URL: c.url}); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// TestRelinkingCheck: what cannot be an address of a ticket is refused with an example.
func TestRelinkingCheck(t *testing.T) {
	for _, u := range []string{"desk.example/{id}", "https://desk.example/", "https://desk.example/{id}/{id}", "https://a b/{id}"} {
		if err := (Relinking{URLs: []string{u}}).Check(); err == nil || !strings.Contains(err.Error(), "{id}") {
			t.Errorf("%s: %v", u, err)
		}
	}
	if err := (Relinking{URLs: []string{"https://desk.example/t/{id}"}}).Check(); err != nil {
		t.Error(err)
	}
}
