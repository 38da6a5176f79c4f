package mail

import (
	"fmt"
	"strings"
	"testing"

	"hsimport/sources"
)

func names(m *sources.Message) string {
	var out []string
	for _, a := range m.Attachments {
		out = append(out, a.Name+" "+a.MIMEType)
	}
	return strings.Join(out, "; ")
}

// multipart puts parts into one multipart of the given kind; each part is its header and body.
func multipart(kind string, parts ...string) string {
	b := fmt.Sprintf("b%d", len(strings.Join(parts, "")))
	var out strings.Builder
	fmt.Fprintf(&out, "Content-Type: multipart/%s; boundary=\"%s\"\n\n", kind, b)
	for _, p := range parts {
		fmt.Fprintf(&out, "--%s\n%s\n", b, p)
	}
	fmt.Fprintf(&out, "--%s--\n", b)
	return out.String()
}

const (
	plainPart = "Content-Type: text/plain; charset=utf-8\n\nplain words\n"
	htmlPart  = "Content-Type: text/html; charset=utf-8\n\n<p>rich words</p>\n"
	pdfPart   = "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment\n\nJVBERi0xLjQK\n"
	gifData   = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7\n"
	gifPart   = "Content-Type: image/gif; name=dot.gif\nContent-Transfer-Encoding: base64\n"
)

func TestBodyChoice(t *testing.T) {
	for _, c := range []struct{ name, raw, body, files string }{
		{"alternative", multipart("alternative", plainPart, htmlPart), "<p>rich words</p>\n", ""},
		{"alternative, HTML first", multipart("alternative", htmlPart, plainPart), "<p>rich words</p>\n", ""},
		{"empty HTML", multipart("alternative", plainPart, "Content-Type: text/html\n\n<html><head><title>x</title></head><body>&nbsp;<br></body></html>\n"), "plain words\n", ""},
		{"nothing but a remote image", multipart("alternative", plainPart, "Content-Type: text/html\n\n<img src=\"https://x.org/pixel.gif\">\n"), "plain words\n", ""},
		{"nothing but an image, no words", multipart("alternative", "Content-Type: text/plain\n\n \n", "Content-Type: text/html\n\n<img src=\"https://x.org/a.gif\">\n"), "<img src=\"https://x.org/a.gif\">\n", ""},
		{"HTML in style only", multipart("alternative", plainPart, "Content-Type: text/html\n\n<style>p {}</style><!-- x --><p>\u200b</p>\n"), "plain words\n", ""},
		{"enriched", multipart("alternative", plainPart, "Content-Type: text/enriched\n\n<bold>rich</bold>\n"), "plain words\n", ""},
		{"enriched only", "Content-Type: text/enriched\n\n<bold>rich</bold> <<tag>\n\nwords<param>x</param>", "rich <tag>\nwords", ""},
		{"RTF only", "Content-Type: text/rtf\n\n{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}Gr\\'fc\\u223 ?e\\par all}", "Grüße\nall", ""},
		{"AMP is left out", multipart("alternative", plainPart, "Content-Type: text/x-amp-html\n\n<html amp4email>no</html>\n", htmlPart), "<p>rich words</p>\n", ""},
		{"files of every alternative are kept", multipart("alternative", multipart("mixed", plainPart, pdfPart), htmlPart), "<p>rich words</p>\n", "a.pdf application/pdf"},
		{"calendar", multipart("alternative", plainPart, htmlPart, "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nEND:VCALENDAR\n"), "<p>rich words</p>\n", "attachment-1.ics text/calendar"},
		{"mixed texts", multipart("mixed", plainPart, pdfPart, "Content-Type: text/plain\n\nfooter\n"), "plain words\n\nfooter", "a.pdf application/pdf"},
		{"text and HTML mixed", multipart("mixed", htmlPart, pdfPart, "Content-Type: text/plain\n\na < b\nc\n"), "<p>rich words</p>\n\n<div>a &lt; b<br>\nc</div>", "a.pdf application/pdf"},
		{"HTML twice", multipart("mixed", htmlPart, pdfPart, htmlPart), "<p>rich words</p>\n\n<p>rich words</p>", "a.pdf application/pdf"},
		{"named text after the first is a file", multipart("mixed", plainPart, "Content-Type: text/plain; name=log.txt\n\nlines\n"), "plain words\n", "log.txt text/plain"},
		{"text attachment", multipart("mixed", plainPart, "Content-Type: text/html\nContent-Disposition: attachment; filename=page.html\n\n<p>x\n"), "plain words\n", "page.html text/html"},
		{"the body has a name", "Content-Type: text/html; name=mail.html\n\n<p>x", "<p>x", ""},
		{"the body is said to be an attachment", "Content-Type: text/plain\nContent-Disposition: attachment\n\nhello", "hello", ""},
		{"only a file", "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0xLjQK\n", "", "a.pdf application/pdf"},
		{"HTML without tags", "Content-Type: text/html\n\nline one &amp; more\nline two\n", "line one & more\nline two\n", ""},
		{"HTML said to be plain", "Content-Type: text/plain\n\n<html><head></head><body><p>x</body></html>", "<html><head></head><body><p>x</body></html>", ""},
		{"plain text with a tag and a URL", "Content-Type: text/plain\n\nsee <https://x.org>\nand <b>\n", "see <https://x.org>\nand <b>\n", ""},
		{"type without subtype", "Content-Type: html\n\n<p>x", "<p>x", ""},
		{"nonsense type", "Content-Type: ; charset=utf-8\n\nhello", "hello", ""},
		{"unknown text type", multipart("mixed", "Content-Type: text/x-own\n\nwords\n"), "words\n", ""},
		{"unknown type", multipart("mixed", plainPart, "Content-Type: what ever\n\nwords\n"), "plain words\n\nwords", ""},
		{"binary without type", multipart("mixed", plainPart, "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n"+gifData), "plain words\n", "image-1.gif image/gif"},
		{"no text at all", "\n", "", ""},
	} {
		m := parse(t, simple+c.raw)
		if m.Body != c.body || names(m) != c.files {
			t.Errorf("%s: body %q, files %q; want %q, %q", c.name, m.Body, names(m), c.body, c.files)
		}
	}
}

func TestFormat(t *testing.T) {
	for body, want := range map[string]sources.Format{
		plainPart: sources.Text,
		htmlPart:  sources.HTML,
		"Content-Type: text/plain\n\n<html><head></head><body><p>x</body></html>": sources.HTML,
		"Content-Type: text/html\n\nno tag at all":                                sources.Text,
		multipart("mixed", plainPart, htmlPart):                                   sources.HTML,
		multipart("alternative", plainPart, "Content-Type: text/html\n\n<br>\n"):  sources.Text,
	} {
		if m := parse(t, simple+body); m.Format != want {
			t.Errorf("%q: format %d, want %d", body, m.Format, want)
		}
	}
}

func TestInlineImages(t *testing.T) {
	html := func(src string) string { return "Content-Type: text/html\n\n<p>see <img src=\"" + src + "\"></p>\n" }
	for _, c := range []struct {
		name, raw string
		inline    bool
	}{
		{"cid", multipart("related", html("cid:dot@x"), gifPart+"Content-ID: <dot@x>\n\n"+gifData), true},
		{"cid with percent and entity", multipart("related", html("cid:do%74&amp;@x"), gifPart+"Content-ID: <dot&@x>\n\n"+gifData), true},
		{"not shown", multipart("mixed", html("cid:other@x"), gifPart+"Content-ID: <dot@x>\nContent-Disposition: attachment\n\n"+gifData), false},
		{"Content-Location", multipart("related", html("images/dot.gif"), gifPart+"Content-Location: images/dot.gif\n\n"+gifData), true},
		{"Content-Location with base", multipart("related", html("https://x.org/dot.gif"), gifPart+"Content-Base: \"https://x.org/\"\nContent-Location: dot.gif\n\n"+gifData), true},
		{"start is not the first", strings.Replace(multipart("related", gifPart+"Content-ID: <dot@x>\n\n"+gifData, "Content-ID: <root@x>\n"+html("cid:dot@x")), "related;", "related; start=\"<root@x>\";", 1), true},
	} {
		m := parse(t, simple+c.raw)
		if len(m.Attachments) != 1 || m.Format != sources.HTML || !strings.Contains(m.Body, "<p>see ") {
			t.Errorf("%s: body %q, files %q", c.name, m.Body, names(m))
			continue
		}
		if a := m.Attachments[0]; a.Inline != c.inline || a.Size != 42 || a.MIMEType != "image/gif" {
			t.Errorf("%s: %+v", c.name, a)
		}
	}
}

// Apple Mail cuts a mail where a picture or a PDF stands in it.
func TestImagesBetweenTexts(t *testing.T) {
	inline := gifPart + "Content-Disposition: inline; filename=dot.gif\n\n" + gifData
	m := parse(t, simple+multipart("mixed", htmlPart, inline, "Content-Type: text/html\n\n<p>after</p>\n"))
	a := m.Attachments[0]
	want := "<p>rich words</p>\n\n<div><img src=\"cid:" + a.ContentID + "\"></div>\n<p>after</p>"
	if m.Body != want || !a.Inline || a.ContentID == "" {
		t.Errorf("body %q, want %q; %+v", m.Body, want, a)
	}
	m = parse(t, simple+multipart("alternative", plainPart, multipart("mixed", htmlPart, pdfPart, "Content-Type: text/html\n\n<p>after</p>\n")))
	if !strings.Contains(m.Body, "rich words") || !strings.Contains(m.Body, "after") || names(m) != "a.pdf application/pdf" {
		t.Errorf("body %q, files %q", m.Body, names(m))
	}
	m = parse(t, simple+multipart("mixed", plainPart, inline, "Content-Type: text/plain\n\nafter\n"))
	if m.Body != "plain words\n\nafter" || m.Format != sources.Text || len(m.Attachments) != 1 {
		t.Errorf("body %q, files %q", m.Body, names(m))
	}
}

func TestFlowed(t *testing.T) {
	for _, c := range []struct{ name, param, in, want string }{
		{"joined", "", "a \nb \nc\nd\n", "a b c\nd\n"},
		{"delsp", "; delsp=yes", "\u4f60 \n\u597d\n", "\u4f60\u597d\n"},
		{"quotes", "", "> a \n> b\n>> c\nd\n", "> a b\n>> c\nd\n"},
		{"quote depth ends a paragraph", "", "> a \n>> b\n", "> a \n>> b\n"},
		{"signature", "", "a \n-- \nAnn\n", "a \n-- \nAnn\n"},
		{"stuffed", "", " From me\n >no quote\n", "From me\n>no quote\n"},
	} {
		m := parse(t, simple+"Content-Type: text/plain; charset=utf-8; format=flowed"+c.param+"\n\n"+c.in)
		if m.Body != c.want {
			t.Errorf("%s: %q, want %q", c.name, m.Body, c.want)
		}
	}
}

func TestLongTextIsAttached(t *testing.T) {
	m := read([]byte(simple+"\n"+strings.Repeat("all work and no play\n", maxText/21+1)), nil, Options{})
	check(t, m)
	if len(m.Body) > textStart || !strings.HasPrefix(m.Body, "all work") || len(m.Attachments) != 1 || !hasCode(m.Problems, "text-too-long") {
		t.Errorf("body of %d bytes, files %q, %v", len(m.Body), names(m), m.Problems)
	}
}
