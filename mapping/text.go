package mapping

import (
	"strings"
	"unicode/utf8"
)

// cleanText removes what has no place in a text: NUL and other control characters, encoded surrogates, characters
// that are none, a byte order mark. Line ends become \n, bytes that are not UTF-8 become U+FFFD. removed counts.
func cleanText(s string) (clean string, removed int) {
	i := firstUnclean(s)
	if i < 0 {
		return s, 0
	}
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:i])
	for i < len(s) {
		c := s[i]
		if c >= 0x20 && c < 0x7f || c == '\n' || c == '\t' {
			b.WriteByte(c)
			i++
			continue
		}
		n, gone := cleanOne(&b, s[i:])
		i += n
		removed += gone
	}
	return b.String(), removed
}

// firstUnclean is the index of the first byte that needs a look, or -1.
func firstUnclean(s string) int {
	for i := 0; i < len(s); i++ {
		for i+8 <= len(s) {
			x := wordAt(s, i)
			if marks := control(x) | foreign(x) | equal(x, 0x7f); marks != 0 {
				i += lowest(marks)
				break
			}
			i += 8
		}
		if i == len(s) {
			break
		}
		c := s[i]
		switch {
		case c >= 0x20 && c < 0x7f || c == '\n' || c == '\t':
		case c < utf8.RuneSelf:
			return i
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 || r < 0xa0 || r == '\ufeff' || nonCharacter(r) {
				return i
			}
			i += n - 1
		}
	}
	return -1
}

// cleanOne handles the unusual character at the start of s: n bytes are used up, gone tells whether it was removed.
func cleanOne(b *strings.Builder, s string) (n, gone int) {
	switch c := s[0]; {
	case c == '\r':
		b.WriteByte('\n')
		if len(s) > 1 && s[1] == '\n' {
			return 2, 0
		}
		return 1, 0
	case c == '\f' || c == '\v':
		b.WriteByte('\n')
		return 1, 0
	case c < utf8.RuneSelf:
		return 1, 1
	case c == 0xed && len(s) >= 3 && s[1] >= 0xa0 && s[1] <= 0xbf && s[2]&0xc0 == 0x80:
		return 3, 1 // a surrogate, encoded as if it were a character
	}
	r, n := utf8.DecodeRuneInString(s)
	switch {
	case r == utf8.RuneError && n == 1:
		b.WriteRune(utf8.RuneError)
	case r == '\u0085':
		b.WriteByte('\n')
	case r < 0xa0 || r == '\ufeff' || nonCharacter(r):
		return n, 1
	default:
		b.WriteString(s[:n])
	}
	return n, 0
}

// nonCharacter reports the code points that Unicode sets aside as never being characters.
func nonCharacter(r rune) bool {
	return r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef
}

// textToHTML makes HTML of a clean plain text that looks as it did: escaped, each line end a <br>, indentation and
// aligned columns kept by non-breaking spaces, web addresses as links. Quoted lines keep their "> ".
func textToHTML(s string) string {
	var html string
	withBytes(func(b []byte) []byte { return appendText(b, strings.TrimRight(s, " \t\n")) }, func(b []byte) { html = string(b) })
	return html
}

func appendText(b []byte, s string) []byte {
	at := 0
	gapped := strings.Contains(s, "  ")
	for {
		link, n := nextLink(s, at)
		b = appendPlain(b, s, at, link, gapped)
		if n == 0 {
			return b
		}
		b = appendLink(b, s[link:link+n])
		at = link + n
	}
}

// nextLink is where the next web address begins, and its length; 0 at the end of s when there is none.
func nextLink(s string, from int) (at, n int) {
	for look := from; ; {
		i := strings.Index(s[look:], "://")
		if i < 0 {
			return len(s), 0
		}
		look += i
		for _, scheme := range [...]int{len("https"), len("http")} {
			if at := look - scheme; at >= from {
				if n := linkAt(s, at); n > 0 {
					return at, n
				}
			}
		}
		look += len("://")
	}
}

// appendPlain appends s[at:to], in which no web address is, as HTML. gapped says that spaces follow each other somewhere.
func appendPlain(b []byte, s string, at, to int, gapped bool) []byte {
	done := at // s[:done] is in b
	for i := at; i < to; i++ {
		if i = nextSpecial(s, i, to, gapped); i == to {
			break
		}
		c := s[i]
		n, add := 1, entities[c]
		switch c {
		case '\n':
			add = "<br>"
		case '\t':
			add = "&nbsp;&nbsp;&nbsp; "
		case ' ':
			b = append(b, s[done:i]...)
			b, n = appendSpaces(b, s, i)
			add, done = "", i
		}
		if add != "" {
			b = append(append(b, s[done:i]...), add...)
		}
		i += n - 1
		done = i + 1
	}
	return append(b, s[done:to]...)
}

// nextSpecial is the place of the next byte in s[i:to] that HTML would not show as it is, or to: what is markup there,
// a line end or a tab, a space that begins a line or that another one follows.
func nextSpecial(s string, i, to int, gapped bool) int {
	for i < to {
		c := s[i]
		if special[c] || c == ' ' && (i == 0 || s[i-1] == '\n' || s[i+1] == ' ') { // a text ends with no space
			return i
		}
		i++
		for i+8 <= to {
			x := wordAt(s, i)
			marks := control(x) | equal(x|2*ones, '>') | equal(x, '&') // '<'|2 is '>'
			if gapped {
				marks |= gaps(x)
			}
			if marks != 0 {
				i += lowest(marks)
				break
			}
			i += 8
		}
	}
	return to
}

var special = [256]bool{'<': true, '>': true, '&': true, '\n': true, '\t': true}

// appendSpaces appends what stands for the n spaces at s[i]: all but the last do not break, so that none collapses; nor
// does a single one with which a line begins.
func appendSpaces(b []byte, s string, i int) (_ []byte, n int) {
	for i+n+1 < len(s) && s[i+n+1] == ' ' {
		b = append(b, "&nbsp;"...)
		n++
	}
	if n == 0 {
		return append(b, "&nbsp;"...), 1
	}
	return append(b, ' '), n + 1
}

var entities = [256]string{'<': "&lt;", '>': "&gt;", '&': "&amp;", '"': "&quot;"}

func appendEscaped(b []byte, s string) []byte {
	done := 0
	for i := 0; i < len(s); i++ {
		if to := entities[s[i]]; to != "" {
			b = append(append(b, s[done:i]...), to...)
			done = i + 1
		}
	}
	return append(b, s[done:]...)
}

// escape is s as it stands in HTML, in text and in attributes alike.
func escape(s string) string {
	if !strings.ContainsAny(s, `<>&"`) {
		return s
	}
	return string(appendEscaped(nil, s))
}

func appendLink(b []byte, address string) []byte {
	b = append(b, `<a href="`...)
	start := len(b)
	b = appendEscaped(b, address)
	end := len(b)
	b = append(b, `" rel="nofollow noreferrer">`...)
	b = append(b, b[start:end]...)
	return append(b, `</a>`...)
}

// endsLink are the bytes that no web address holds unescaped.
var endsLink = func() (t [256]bool) {
	for c := range byte(' ' + 1) {
		t[c] = true
	}
	for _, c := range []byte("<>\"`{}|\\^\x7f") {
		t[c] = true
	}
	return t
}()

// linkAt is the length of the web address that begins at s[i], or 0. What commonly follows one in prose (a full
// stop, a closing bracket that was opened outside) is not part of it.
func linkAt(s string, i int) int {
	scheme := 0
	for _, p := range [...]string{"https://", "http://"} {
		if len(s)-i > len(p) && strings.EqualFold(s[i:i+len(p)], p) {
			scheme = len(p)
			break
		}
	}
	if scheme == 0 || i > 0 && alphanumeric(s[i-1]) {
		return 0
	}
	const most = 2000
	end := i + scheme
	for end < len(s) && end-i < most && !endsLink[s[end]] {
		r, n := rune(s[end]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[end:])
		}
		if r == '\u00a0' || r == '\u3000' {
			break
		}
		end += n
	}
	end = i + scheme + len(trimLink(s[i+scheme:end]))
	if end == i+scheme {
		return 0
	}
	return end - i
}

func trimLink(s string) string {
	round := strings.Count(s, ")") - strings.Count(s, "(")
	square := strings.Count(s, "]") - strings.Count(s, "[")
	for s != "" {
		switch c := s[len(s)-1]; {
		case strings.IndexByte(".,;:!?'*", c) >= 0:
		case c == ')' && round > 0:
			round--
		case c == ']' && square > 0:
			square--
		default:
			return s
		}
		s = s[:len(s)-1]
	}
	return s
}
