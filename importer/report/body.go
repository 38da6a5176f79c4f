package report

import (
	"html"
	"slices"
	"strings"
	"unicode/utf8"

	xhtml "golang.org/x/net/html"
)

// shown tells the elements that the page shows of a body. All of them are harmless without their attributes.
func shown(tag string) bool {
	switch tag {
	case "p", "br", "div", "b", "strong", "i", "em", "u", "s", "strike", "del", "ins", "sub", "sup", "small", "big",
		"blockquote", "pre", "code", "tt", "kbd", "samp", "var", "cite", "q", "abbr", "dfn", "address", "center", "hr", "wbr",
		"h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd",
		"table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th":
		return true
	}
	return false
}

func isVoid(tag string) bool { return tag == "br" || tag == "hr" || tag == "wbr" }

// hidden are elements whose content nobody is meant to read.
func hidden(tag string) bool {
	return slices.Contains([]string{"script", "style", "head", "title", "template", "iframe", "noscript", "textarea", "select", "svg", "math", "object", "xmp", "noembed", "noframes", "plaintext"}, tag)
}

// safeBody writes a thread's HTML anew with nothing but harmless elements and text: a link becomes its words with the
// address as a tooltip, an image its description. It does not trust that the text was sanitised before. At most room
// bytes are written; what was opened is closed.
func safeBody(text string, room int) (safe string, cut bool) {
	b := bodyWriter{room: room}
	z := xhtml.NewTokenizer(strings.NewReader(text[:min(len(text), 8*room)]))
	for !b.full {
		kind := z.Next()
		if kind == xhtml.ErrorToken {
			break
		}
		b.token(z, kind)
	}
	cut = b.full || len(text) > 8*room
	for i := len(b.open) - 1; i >= 0; i-- {
		b.out.WriteString("</" + b.open[i] + ">")
	}
	return b.out.String(), cut
}

type bodyWriter struct {
	out    strings.Builder
	open   []string // elements as they are written
	silent string   // the element whose content is being left out
	room   int
	full   bool
}

// maxDepth bounds how deep elements stand in each other.
const maxDepth = 60

func (b *bodyWriter) token(z *xhtml.Tokenizer, kind xhtml.TokenType) {
	switch kind {
	case xhtml.TextToken:
		if b.silent == "" {
			b.text(string(z.Text()))
		}
	case xhtml.StartTagToken, xhtml.SelfClosingTagToken:
		name, more := z.TagName()
		if b.silent == "" {
			b.start(z, string(name), more, kind == xhtml.SelfClosingTagToken)
		}
	case xhtml.EndTagToken:
		name, _ := z.TagName()
		if b.silent != "" {
			if string(name) == b.silent {
				b.silent = ""
			}
			return
		}
		b.end(string(name))
	}
}

func (b *bodyWriter) text(s string) {
	esc := html.EscapeString(s)
	if room := max(0, b.room-b.out.Len()); len(esc) > room {
		b.full = true
		s = s[:min(len(s), room)]
		for len(s) > 0 && len(html.EscapeString(s)) > room {
			s = s[:len(s)-max(1, (len(html.EscapeString(s))-room)/6)]
		}
		for len(s) > 0 && !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
		esc = html.EscapeString(s)
	}
	b.out.WriteString(esc)
}

func (b *bodyWriter) write(s string) {
	if b.out.Len()+len(s) > b.room {
		b.full = true
		return
	}
	b.out.WriteString(s)
}

func (b *bodyWriter) start(z *xhtml.Tokenizer, tag string, more, closed bool) {
	switch {
	case tag == "img":
		at := attributes(z, more)
		b.write(`<em class="img">[` + html.EscapeString(clip("image: "+firstOf(at["alt"], at["title"], address(at["src"])), 200)) + "]</em>")
	case tag == "a":
		at := attributes(z, more)
		if len(b.open) < maxDepth {
			b.write(`<u title="` + html.EscapeString(clip(at["href"], 300)) + `">`)
			if !b.full {
				b.open = append(b.open, "u")
			}
		}
	case hidden(tag):
		if !closed {
			b.silent = tag
		}
	case isVoid(tag):
		b.write("<" + tag + ">")
	case shown(tag) && len(b.open) < maxDepth:
		b.write("<" + tag + ">")
		if !b.full {
			b.open = append(b.open, tag)
		}
	}
}

// end closes the innermost such element, and those within it that were left open.
func (b *bodyWriter) end(tag string) {
	if tag == "a" {
		tag = "u"
	}
	for i := len(b.open) - 1; i >= 0; i-- {
		if b.open[i] != tag {
			continue
		}
		for j := len(b.open) - 1; j >= i; j-- {
			b.out.WriteString("</" + b.open[j] + ">") // its room was not counted: at most maxDepth short tags
		}
		b.open = b.open[:i]
		return
	}
}

func attributes(z *xhtml.Tokenizer, more bool) map[string]string {
	at := map[string]string{}
	for more {
		var k, v []byte
		k, v, more = z.TagAttr()
		if _, twice := at[string(k)]; !twice {
			at[string(k)] = string(v)
		}
	}
	return at
}

// address is what is said of an image that has no description.
func address(src string) string {
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(src)), "data:") {
		return "in the text"
	}
	return src
}

func firstOf(values ...string) string {
	for _, v := range values {
		if strings.TrimSpace(v) != "" {
			return v
		}
	}
	return ""
}

// escapedLen is the length of s as the value of an attribute.
func escapedLen(s string) int {
	n := len(s)
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '<', '>':
			n += 3
		case '&', '\'', '"', '+':
			n += 4
		}
	}
	return n
}
