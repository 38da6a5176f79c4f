package mapping

import (
	"slices"
	"strings"
	"testing"

	xhtml "golang.org/x/net/html"

	"hsimport/sources"
)

func redacting(t testing.TB, list ...Redaction) []redaction {
	t.Helper()
	o := Options{Redact: list}
	if errs := o.Check(); len(errs) > 0 {
		t.Fatal(errs)
	}
	return o.redactions()
}

var password = Redaction{Name: "passwords", Pattern: `(?i)password:\s*\S+`, With: "password: ***"}

func TestRedactText(t *testing.T) {
	rules := redacting(t, password, Redaction{Preset: "cards"}, Redaction{Pattern: `\b\d{4} \d{4}\b`, With: "<pin>"})
	for in, want := range map[string]string{
		"nothing here":                          "nothing here",
		"Password: hunter2, then":               "password: *** then",
		"card 4111 1111 1111 1111.":             "card [redacted].",
		"card 4111-1111-1111-1111 ok":           "card [redacted] ok",
		"4111111111111111":                      "[redacted]",
		"4111111111111112":                      "4111111111111112", // its check digit is wrong
		"12 4111 1111 1111 1111 7":              "12 [redacted] 7",
		"two: 378282246310005 5555555555554444": "two: [redacted] [redacted]",
		"order 20240331123456789":               "order 20240331123456789",
		"phone +49 30 901820 and 1234 5678":     "phone +49 30 901820 and <pin>",
		"password: 1234 5678":                   "password: ***", // what overlaps goes together
	} {
		if got := redactText(rules, in, make([]int, len(rules))); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// TestRedactHTML: the text that people read is searched, however it is written and marked up; tags stay whole.
func TestRedactHTML(t *testing.T) {
	rules := redacting(t, password, Redaction{Preset: "cards", With: "<card>"})
	for in, want := range map[string]string{
		`<p>nothing &amp; <b>here</b></p>`:                                     `<p>nothing &amp; <b>here</b></p>`,
		`<p>Password: <b>hun</b>ter2 x</p>`:                                    `<p>password: ***<b></b> x</p>`,
		`<p>pass&#119;ord:&nbsp;a&lt;b c</p>`:                                  `<p>password: *** c</p>`,
		`<p>4111<span> 1111 </span>1111 1111</p>`:                              `<p>&lt;card&gt;<span></span></p>`,
		`<td>4111 1111</td><td>1111 1111</td>`:                                 `<td>4111 1111</td><td>1111 1111</td>`, // two numbers
		`<a href="https://x.example/?card=4111111111111111">x</a>`:             `<a href="https://x.example/?card=&lt;card&gt;">x</a>`,
		`<img src="data:image/png;base64,4111111111111111" alt="password: x">`: `<img src="data:image/png;base64,4111111111111111" alt="password: ***">`,
		`a<!-- password: x -->b`:                                               `a<!-- password: *** -->b`,
		`<style>.a{} /* password: x */</style>`:                                `<style>.a{} /* password: *** */</style>`,
		`text <b password:x`:                                                   `text <b password: ***`,
		`Password: x<br>Password: y`:                                           `password: ***<br>password: ***`,
	} {
		if got := redactHTML(rules, in, make([]int, len(rules))); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// TestRedactionsAreCounted: everything of the ticket that people wrote is searched, each place is counted under its rule,
// and who the ticket and its messages are does not change by it.
func TestRedactionsAreCounted(t *testing.T) {
	ticket := conversationOf(2, "closed")
	ticket.Subject = "My password: a"
	ticket.Fields = []sources.Field{{Name: "Remarks", Value: "password: b"}}
	ticket.Messages[0].Body = strings.Repeat("password: c\n", 2_000)
	ticket.Messages[1].Format, ticket.Messages[1].Body = sources.HTML, "<p>4111 1111 1111 1111</p>"
	ticket.Messages[1].Attachments = []*sources.Attachment{{Name: "password: d.txt", MIMEType: "text/plain", Missing: "gone"}}
	opts := basic()
	opts.Redact = []Redaction{password, {Preset: "cards"}}
	opts.MaxText = 5_000
	before := mustMap(t, basic(), ticket)
	p := mustMap(t, opts, ticket)
	n := map[string]int{}
	for _, f := range p.Findings {
		if f.Code == codeRedacted {
			n[f.Value] += f.N
		}
	}
	if n["passwords"] != 2003 || n["cards"] != 1 {
		t.Errorf("counted %v", n)
	}
	part := p.Parts[0]
	for sha, f := range part.Files {
		if text := content(t, f); strings.Contains(text, "password: c") || sha != f.SHA256 {
			t.Error("the attached whole of a shortened text holds what was redacted")
		}
	}
	withBody(&part.Conversation, func(b []byte) {
		for _, secret := range []string{"password: a", "password: b", "password: c", "password: d", "4111"} {
			if strings.Contains(string(b), secret) {
				t.Errorf("the create call holds %q", secret)
			}
		}
	})
	if !slices.EqualFunc(part.Messages, before.Parts[0].Messages, func(a, b Carried) bool { return a == b }) {
		t.Errorf("messages %+v, without redaction %+v", part.Messages, before.Parts[0].Messages)
	}
	if ticket.Subject != "My password: a" || !strings.HasPrefix(ticket.Messages[0].Body, "password: c") {
		t.Error("the source's own ticket was changed")
	}
}

// TestRedactedTextIsStillCleaned: what is taken out of a text as no character is told once, with and without redaction.
func TestRedactedTextIsStillCleaned(t *testing.T) {
	for _, body := range []string{"a\x00b and no secret", "password: hun\x00ter2"} {
		o := basic()
		o.Redact = []Redaction{password}
		ticket := conversationOf(2, "closed")
		ticket.Messages[0].Body = body
		told := 0
		for _, f := range mustMap(t, o, ticket).Findings {
			if f.Code == codeCharacters {
				told++
			}
		}
		if told != 1 {
			t.Errorf("%q: told %d times", body, told)
		}
	}
}

func TestWrongRedactions(t *testing.T) {
	bad := Options{Redact: []Redaction{{Pattern: "(a"}, {Pattern: "a*"}, {}, {Preset: "card"}, {Pattern: "a", Preset: "cards"}}}
	var got []string
	for _, err := range bad.Check() {
		got = append(got, err.Error())
	}
	want := []string{
		"mapping.redact[0].pattern: \"(a\" is not a pattern (missing closing ): `(a`)",
		`mapping.redact[1].pattern: "a*" fits every place, even where nothing stands`,
		`mapping.redact[2]: write either pattern or preset`,
		`mapping.redact[3].preset: "card" is not one of cards; did you mean "cards"?`,
		`mapping.redact[4]: write either pattern or preset`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("said\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// FuzzRedactHTML: whatever the markup, nothing of the text that fits stays, and the tags are those that were there.
func FuzzRedactHTML(f *testing.F) {
	for _, s := range []string{"<p>secret1", "sec<b>ret</b>&#49;2", "<a title='secret1'>x</a", "<script>secret1</script>", "<textarea>secret1", "<p a=secret1 b>&lt;", "secret1<br/>secret22"} {
		f.Add(s)
	}
	rules := redacting(f, Redaction{Pattern: `secret\d+`, With: "<*>"})
	f.Fuzz(func(t *testing.T, body string) {
		body, _ = cleanText(body)
		hits := make([]int, 1)
		out := redactHTML(rules, body, hits)
		if hits[0] == 0 && out != body {
			t.Fatalf("%q becomes %q, although nothing fits", body, out)
		}
		text, tags := readable(out)
		if rules[0].re.MatchString(text) {
			t.Fatalf("%q becomes %q, which reads %q", body, out, text)
		}
		if _, was := readable(body); !slices.Equal(tags, was) {
			t.Fatalf("%q becomes %q: tags %v, were %v", body, out, tags, was)
		}
	})
}

// readable is the text of a body, and its tags.
func readable(body string) (text string, tags []string) {
	var b strings.Builder
	z := xhtml.NewTokenizer(strings.NewReader(body))
	for kind := z.Next(); kind != xhtml.ErrorToken; kind = z.Next() {
		tok := z.Token()
		switch kind {
		case xhtml.TextToken:
			b.WriteString(tok.Data)
		case xhtml.StartTagToken, xhtml.SelfClosingTagToken, xhtml.EndTagToken:
			tags = append(tags, kind.String()+" "+tok.Data)
			if !inlineTags[tok.Data] {
				b.WriteByte('\n')
			}
		}
	}
	return b.String(), tags
}
