package mail

import (
	"bytes"
	"html"
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/text/encoding/charmap"

	"hsimport/sources"
)

// cleanText makes line ends "\n" and removes NULs. s is valid UTF-8. The control characters U+0080 to U+009F are
// windows-1252 that some program took for Latin-1; they become the characters that were meant.
func cleanText(s string) string {
	if strings.IndexByte(s, 0xc2) >= 0 {
		s = mendC1(s)
	}
	if strings.IndexByte(s, '\r') < 0 && strings.IndexByte(s, 0) < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == 0:
		case c == '\r' && i+1 < len(s) && s[i+1] == '\n':
		case c == '\r':
			out = append(out, '\n')
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

func mendC1(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x80 && r < 0xa0 {
			return charmap.Windows1252.DecodeByte(byte(r))
		}
		return r
	}, s)
}

// blank reports whether s shows nothing: white space, no-break spaces, zero-width characters.
func blank(s string) bool {
	for _, r := range s {
		if !unicode.IsSpace(r) && r != 0xa0 && !(r >= 0x200b && r <= 0x200f) && r != 0xfeff && r != 0xad && r != 0x2060 &&
			r != 0x34f {
			return false
		}
	}
	return true
}

// visible reports whether HTML holds a word that a reader sees. It looks no further than the first.
func visible(s string) bool {
	for len(s) > 0 {
		i := strings.IndexByte(s, '<')
		text := s
		if i >= 0 {
			text = s[:i]
		}
		if text != "" && !blank(text) && !blank(html.UnescapeString(text)) {
			return true
		}
		if i < 0 {
			return false
		}
		s = skipTag(s[i:])
	}
	return false
}

// skipTag returns what follows the tag that s begins with; with a comment, a style, a script or the head's title its
// content goes, too.
func skipTag(s string) string {
	if strings.HasPrefix(s, "<!--") {
		if i := strings.Index(s, "-->"); i >= 0 {
			return s[i+3:]
		}
		return ""
	}
	for _, name := range []string{"style", "script", "title", "template", "noscript"} {
		if len(s) > len(name)+1 && strings.EqualFold(s[1:len(name)+1], name) {
			if i := indexFold(s, "</"+name); i >= 0 {
				s = s[i:]
			} else {
				return ""
			}
			break
		}
	}
	if i := strings.IndexByte(s, '>'); i >= 0 {
		return s[i+1:]
	}
	return ""
}

// indexFold finds sub, which is in lower case and begins with "<", without regard to case.
func indexFold(s, sub string) int {
	for from := 0; ; {
		i := strings.IndexByte(s[from:], sub[0])
		if i < 0 || len(s)-from-i < len(sub) {
			return -1
		}
		from += i
		if strings.EqualFold(s[from:from+len(sub)], sub) {
			return from
		}
		from++
	}
}

func showsImage(s string) bool { return indexFold(s, "<img") >= 0 }

// looksLikeHTML reports whether a text that is declared plain is an HTML document.
func looksLikeHTML(s string) bool {
	s = strings.TrimLeft(s[:min(len(s), 4096)], " \t\n\ufeff")
	if len(s) < 20 || s[0] != '<' {
		return false
	}
	low := strings.ToLower(s)
	return (strings.HasPrefix(low, "<!doctype html") || strings.HasPrefix(low, "<html")) &&
		(strings.Contains(low, "<body") || strings.Contains(low, "<head"))
}

func unescapeEntities(s string) string { return strings.ReplaceAll(html.UnescapeString(s), "\x00", "") }

// metaCharset is the charset that an HTML document names in its head, or empty.
func metaCharset(b []byte) string {
	b = bytes.ToLower(b[:min(len(b), 2048)])
	i := bytes.Index(b, []byte("charset="))
	if i < 0 || bytes.LastIndex(b[:i], []byte("<meta")) < bytes.LastIndexByte(b[:i], '>') {
		return ""
	}
	v := bytes.TrimLeft(b[i+len("charset="):], "\"' ")
	if end := bytes.IndexAny(v, "\"' />;"); end >= 0 {
		v = v[:end]
	}
	if name := canonicalCharset(string(v)); isStateful(name) && name != "iso-2022-jp" {
		return "" // nobody could read the tag if it were true
	}
	return string(v)
}

// unflow joins the lines of format=flowed text (RFC 3676): a line that ends in a blank goes on in the next one of the
// same quote depth. delSp removes that blank, for scripts that know none.
func unflow(s string, delSp bool) string {
	var out strings.Builder
	out.Grow(len(s))
	flowing, last := false, 0
	for len(s) > 0 {
		var line string
		line, s, _ = strings.Cut(s, "\n")
		depth := 0
		for depth < len(line) && line[depth] == '>' {
			depth++
		}
		line = line[depth:]
		line = strings.TrimPrefix(line, " ") // space-stuffing
		signature := line == "-- "
		if flowing && (depth != last || signature) {
			out.WriteByte('\n')
			flowing = false
		}
		if !flowing && depth > 0 {
			out.WriteString(strings.Repeat(">", depth))
			out.WriteByte(' ')
		}
		flowing = strings.HasSuffix(line, " ") && !signature
		if flowing && delSp {
			line = line[:len(line)-1]
		}
		out.WriteString(line)
		if !flowing {
			out.WriteByte('\n')
		}
		last = depth
	}
	if flowing {
		out.WriteByte('\n')
	}
	return out.String()
}

// stripEnriched turns text/enriched (RFC 1896) and the older text/richtext into plain text.
func stripEnriched(s string) string {
	var out strings.Builder
	params := true // as long as there may be another </param>
	for len(s) > 0 {
		i := strings.IndexAny(s, "<\n")
		if i < 0 {
			out.WriteString(s)
			break
		}
		out.WriteString(s[:i])
		s = s[i:]
		switch {
		case s[0] == '\n': // a single line end is a blank, n of them are n-1 line ends
			n := len(s) - len(strings.TrimLeft(s, "\n"))
			if n == 1 {
				out.WriteByte(' ')
			} else {
				out.WriteString(strings.Repeat("\n", n-1))
			}
			s = s[n:]
		case strings.HasPrefix(s, "<<"):
			out.WriteByte('<')
			s = s[2:]
		case params && len(s) > 7 && strings.EqualFold(s[:7], "<param>"):
			if end := indexFold(s, "</param>"); end >= 0 {
				s = s[end+8:]
			} else {
				s, params = s[7:], false
			}
		default:
			end := strings.IndexByte(s, '>')
			if end < 0 || end > 62 {
				out.WriteByte('<')
				s = s[1:]
				continue
			}
			if tag := strings.ToLower(s[1:end]); tag == "nl" || tag == "lt" {
				out.WriteString(map[string]string{"nl": "\n", "lt": "<"}[tag])
			}
			s = s[end+1:]
		}
	}
	return out.String()
}

// contentIDsIn lists the ids that the body refers to with "cid:", decoded.
func contentIDsIn(body string) (ids []string) {
	for {
		i := strings.Index(body, "cid:")
		if i < 0 {
			return ids
		}
		body = body[i+4:]
		end := strings.IndexAny(body, "\"' >)\n\t")
		if end < 0 {
			end = len(body)
		}
		ids = append(ids, cleanCID(body[:end]))
		body = body[end:]
	}
}

// cleanCID undoes what programs do to an id in a link: entities, percent signs, angle brackets.
func cleanCID(s string) string {
	s = strings.Trim(html.UnescapeString(s), "<>")
	if u, err := url.PathUnescape(s); err == nil {
		s = u
	}
	return s
}

// markInline marks the files that an HTML body shows, by Content-ID or by Content-Location.
func (b *builder) markInline(m *sources.Message) {
	if m.Format != sources.HTML || len(b.files) == 0 {
		return
	}
	shown := map[string]bool{}
	for _, id := range contentIDsIn(m.Body) {
		shown["cid:"+id] = true
	}
	for _, place := range placesIn(m.Body) {
		shown[place] = true
	}
	for i, a := range b.files {
		if a.ContentID != "" && (shown["cid:"+a.ContentID] || shown["cid:"+cleanCID(a.ContentID)]) ||
			a.Location != "" && (shown[a.Location] || shown[b.places[i]]) {
			a.Inline = true
		}
	}
}

// placesIn lists what the images and backgrounds of the body point to.
func placesIn(body string) (places []string) {
	for {
		i := strings.IndexByte(body, '=')
		if i < 0 {
			return places
		}
		name := strings.TrimRight(body[max(0, i-16):i], " \t\n")
		body = strings.TrimLeft(body[i+1:], " \t\n")
		if !hasSuffixFold(name, "src") && !hasSuffixFold(name, "background") {
			continue
		}
		end := strings.IndexAny(body, " \t\n>")
		if body != "" && (body[0] == '"' || body[0] == '\'') {
			quote := body[0]
			body = body[1:]
			end = strings.IndexByte(body, quote)
		}
		if end < 0 {
			return places
		}
		places = append(places, html.UnescapeString(body[:end]))
		body = body[end:]
	}
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}
