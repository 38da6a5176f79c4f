package mail

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// maxGuesses bounds how often one message makes the detector run; afterwards it is windows-1252 unasked.
const maxGuesses = 64

// maxWord bounds one encoded word. RFC 2047 allows 75 bytes; some programs never heard of that.
const maxWord = 4 << 10

// A decoder turns the bytes of one message into UTF-8. It remembers what had to be guessed.
type decoder struct {
	hint    string // charset of the message's text, for raw header bytes above 127
	guesses int
	guessed bool // some header value had bytes above 127 in no declared charset, and they are not UTF-8
}

// decode is decodeText with a bound on the number of guesses.
func (d *decoder) decode(b []byte, label string) string {
	s, v := d.decodeBody(b, label)
	d.guessed = d.guessed || v.wrong || v.guessed && v.charset != "utf-8" && v.charset != ""
	return s
}

func (d *decoder) decodeBody(b []byte, label string) (string, verdict) {
	if d.guesses >= maxGuesses && !isASCII(b) {
		if name := canonicalCharset(label); name == "" || name == "us-ascii" || lookupCharset(name) == nil {
			label = "windows-1252"
		}
	}
	s, v := decodeText(b, label)
	if v.guessed || v.wrong {
		d.guesses++
	}
	return s, v
}

// text decodes an unstructured value: RFC 2047 words, raw eight-bit text, line ends. The result is one line of valid
// UTF-8 without control characters.
func (d *decoder) text(v []byte) string {
	v = trimSpace(unfold(v))
	if bytes.Contains(v, []byte("=?")) {
		return oneLine(d.words(v))
	}
	return oneLine(d.raw(v))
}

// raw decodes bytes outside of encoded words: UTF-8 when they are, else the charset of the message's text.
func (d *decoder) raw(b []byte) string {
	if isASCII(b) && bytes.IndexByte(b, 0x1b) < 0 {
		return string(b)
	}
	if utf8.Valid(b) && !isASCII(b) {
		return string(b)
	}
	switch name := canonicalCharset(d.hint); {
	case name == "utf-8", name == "us-ascii", isStateful(name):
		return d.decode(b, "")
	}
	d.guessed = true
	return d.decode(b, d.hint)
}

// words decodes a value that holds "=?". Neighbouring words of one charset are decoded together, because programs cut
// characters of several bytes in two; white space between words is not part of the text (RFC 2047 section 6.2).
func (d *decoder) words(v []byte) string {
	var out strings.Builder
	var pending []byte // decoded bytes of the words so far, in charset
	var charset string
	flush := func() {
		if pending != nil {
			out.WriteString(d.decode(pending, charset))
			pending = nil
		}
	}
	plain := 0 // where the text outside of words began
	for pos := 0; ; {
		i := bytes.Index(v[pos:], []byte("=?"))
		if i < 0 {
			break
		}
		pos += i
		w, n := parseWord(v[pos:])
		if n == 0 {
			pos += 2
			continue
		}
		between := v[plain:pos]
		if pending == nil || len(trimSpace(between)) > 0 {
			flush()
			out.WriteString(d.raw(between))
		}
		if w.charset != charset || isStateful(canonicalCharset(charset)) {
			flush()
		}
		if pending == nil {
			pending = make([]byte, 0, len(w.text)+32)
		}
		charset = w.charset
		pending = w.appendTo(pending)
		pos += n
		plain = pos
	}
	flush()
	out.WriteString(d.raw(v[plain:]))
	return out.String()
}

// An encodedWord is the inside of =?charset?encoding?text?=.
type encodedWord struct {
	charset string
	base64  bool
	text    []byte
}

// parseWord reads the encoded word that v begins with and its length, or 0. Blanks in the text and a missing end are
// survived.
func parseWord(v []byte) (w encodedWord, n int) {
	rest := v[2:]
	q := bytes.IndexByte(rest[:min(len(rest), 64)], '?')
	if q <= 0 || len(rest) < q+3 || rest[q+2] != '?' {
		return w, 0
	}
	charset, enc := string(rest[:q]), rest[q+1]|0x20
	if enc != 'q' && enc != 'b' || strings.ContainsAny(charset, " \t") {
		return w, 0
	}
	if i := strings.IndexByte(charset, '*'); i >= 0 { // RFC 2231 section 5: a language
		charset = charset[:i]
	}
	text := rest[q+3 : min(len(rest), q+3+maxWord)]
	end := wordEnd(text, enc == 'b')
	if end < 0 {
		// Cut off, mostly by a program that counted bytes: take what is there.
		end = len(text)
		if i := bytes.IndexAny(text, " \t\""); i >= 0 {
			end = i
		}
		return encodedWord{charset, enc == 'b', text[:end]}, 2 + q + 3 + end
	}
	return encodedWord{charset, enc == 'b', text[:end]}, 2 + q + 3 + end + 2
}

// wordEnd is the place of the "?=" that ends a word. In quoted-printable words an unencoded question mark may stand
// before an encoded byte ("?=3D"), so the end is one that no two hex digits follow.
func wordEnd(text []byte, b64 bool) int {
	for i := 0; ; {
		j := bytes.Index(text[i:], []byte("?="))
		if j < 0 {
			return -1
		}
		j += i
		if after := text[j+2:]; b64 || len(after) < 2 || unhex(after[0]) < 0 || unhex(after[1]) < 0 {
			return j
		}
		if next := bytes.Index(text[j+2:], []byte("?=")); next < 0 || bytes.Contains(text[j+2:j+2+next], []byte("=?")) {
			return j
		}
		i = j + 2
	}
}

func (w encodedWord) appendTo(dst []byte) []byte {
	if w.base64 {
		dst, _ = appendBase64(dst, w.text)
		return dst
	}
	for i := 0; i < len(w.text); i++ {
		switch c := w.text[i]; {
		case c == '_':
			dst = append(dst, ' ')
		case c == '=' && i+2 < len(w.text) && unhex(w.text[i+1]) >= 0 && unhex(w.text[i+2]) >= 0:
			dst = append(dst, byte(unhex(w.text[i+1])<<4|unhex(w.text[i+2])))
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// unhex is the value of a hexadecimal digit, or -1.
func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// oneLine makes one line of s: control characters and line ends become blanks, NULs vanish.
func oneLine(s string) string {
	clean := true
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			clean = false
			break
		}
	}
	if clean {
		return strings.TrimSpace(s)
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == 0:
			return -1
		case r < ' ' || r == 0x7f:
			return ' '
		}
		return r
	}, s))
}
