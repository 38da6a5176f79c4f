package mail

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// A verdict says how a text got its characters.
type verdict struct {
	charset string // that was used
	guessed bool   // none was declared, or one that nobody knows
	wrong   bool   // the declared one did not fit
	lossy   bool   // some bytes became U+FFFD
}

// decodeText makes valid UTF-8 of b, which is declared to be in the charset label (empty: none). A declared charset is
// believed unless the bytes contradict it.
func decodeText(b []byte, label string) (string, verdict) {
	name := canonicalCharset(label)
	if isStateful(name) || isASCII(b) {
		return decodeSevenBit(b, name)
	}
	switch name {
	case "", "us-ascii":
		s, v := decodeGuess(b)
		v.guessed, v.wrong = name == "", name != ""
		return s, v
	case "utf-8":
		return decodeUTF8(b)
	}
	enc := lookupCharset(name)
	if enc == nil {
		s, v := decodeGuess(b)
		v.guessed = true
		return s, v
	}
	if cm, ok := enc.(*charmap.Charmap); ok {
		if utf8.Valid(b) {
			return string(b), verdict{charset: "utf-8", wrong: true}
		}
		return decodeCharmap(b, cm), verdict{charset: name}
	}
	return decodeMultibyte(b, name, enc)
}

// decodeUTF8 decodes what claims to be UTF-8. A few stray bytes in a text that otherwise is UTF-8 are replaced; a text
// in which they prevail is in another charset.
func decodeUTF8(b []byte) (string, verdict) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if utf8.Valid(b) {
		return string(b), verdict{charset: "utf-8"}
	}
	if good, bad := countUTF8(b); good >= bad {
		return strings.ToValidUTF8(string(b), "\ufffd"), verdict{charset: "utf-8", lossy: true}
	}
	s, v := decodeGuess(b)
	v.wrong = true
	return s, v
}

// countUTF8 counts characters of several bytes and bytes that belong to none.
func countUTF8(b []byte) (good, bad int) {
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			bad++
		} else {
			good++
		}
		i += n
	}
	return good, bad
}

// decodeMultibyte decodes with an East Asian or other encoding of x/text, and tries UTF-8 and detection when the
// result is full of replacement characters.
func decodeMultibyte(b []byte, name string, enc encoding.Encoding) (string, verdict) {
	// Two letters of GBK can be valid UTF-8 by accident, four cannot.
	if good, bad := countUTF8(b); bad == 0 && good >= 4 {
		return string(b), verdict{charset: "utf-8", wrong: true}
	}
	s := decodeWith(b, enc)
	lost := strings.Count(s, "\ufffd")
	v := verdict{charset: name, lossy: lost > 0}
	if lost == 0 || lost*20 < utf8.RuneCountInString(s) {
		return s, v
	}
	if other, ov := decodeGuess(b); strings.Count(other, "\ufffd") < lost {
		ov.wrong = true
		return other, ov
	}
	return s, v
}

func decodeWith(b []byte, enc encoding.Encoding) string {
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil && len(out) == 0 {
		out = b
	}
	return strings.ToValidUTF8(string(out), "\ufffd")
}

// decodeCharmap is what the charmap's decoder does, five times as fast on text that is mostly ASCII.
func decodeCharmap(b []byte, cm *charmap.Charmap) string {
	out := make([]byte, 0, len(b)+len(b)/8+16)
	for i := 0; i < len(b); {
		start := i
		for i < len(b) && b[i] < utf8.RuneSelf {
			i++
		}
		out = append(out, b[start:i]...)
		for ; i < len(b) && b[i] >= utf8.RuneSelf; i++ {
			out = utf8.AppendRune(out, cm.DecodeByte(b[i]))
		}
	}
	return string(out)
}

// decodeSevenBit decodes the charsets that hide in ASCII: those with escape sequences, UTF-7, UTF-16 and UTF-32, and
// ASCII itself.
func decodeSevenBit(b []byte, name string) (string, verdict) {
	v := verdict{charset: name}
	switch name {
	case "iso-2022-jp":
		return decodeWith(b, japanese.ISO2022JP), v
	case "iso-2022-kr":
		return decodeShifted(b, korean.EUCKR), v
	case "iso-2022-cn":
		return decodeShifted(b, simplifiedchinese.GB18030), v
	case "hz-gb-2312":
		return decodeWith(b, simplifiedchinese.HZGB2312), v
	case "utf-7":
		return decodeUTF7(b), v
	}
	if strings.HasPrefix(name, "utf-16") || strings.HasPrefix(name, "utf-32") {
		return decodeWide(b, name)
	}
	if looksWide(b) {
		s, v := decodeWide(b, "utf-16")
		v.guessed, v.wrong = name == "", name != ""
		return s, v
	}
	if isISO2022JP(b) {
		return decodeWith(b, japanese.ISO2022JP), verdict{charset: "iso-2022-jp", guessed: name == "", wrong: name != ""}
	}
	return string(b), v
}

func isISO2022JP(b []byte) bool {
	return bytes.IndexByte(b, 0x1b) >= 0 && (bytes.Contains(b, []byte("\x1b$B")) || bytes.Contains(b, []byte("\x1b$@")))
}

// decodeShifted decodes ISO-2022-KR and -CN, for which x/text has no decoder: between shift-out and shift-in every
// byte lacks the high bit that the eight-bit form of the same set has.
func decodeShifted(b []byte, enc encoding.Encoding) string {
	out := make([]byte, 0, len(b))
	shifted := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == 0x0e:
			shifted = true
		case c == 0x0f:
			shifted = false
		case c == 0x1b && i+3 < len(b) && b[i+1] == '$' && (b[i+2] == ')' || b[i+2] == '*'):
			i += 3
		case c == '\n':
			shifted = false
			out = append(out, c)
		case shifted && c > ' ':
			out = append(out, c|0x80)
		default:
			out = append(out, c)
		}
	}
	return decodeWith(out, enc)
}

// decodeWide decodes UTF-16 and UTF-32. A mark at the start wins over the label, where zeros stand over a label
// without byte order. Eight-bit text under such a label is read as what it is.
func decodeWide(b []byte, name string) (string, verdict) {
	if !bytes.HasPrefix(b, []byte("\xff\xfe")) && !bytes.HasPrefix(b, []byte("\xfe\xff")) && !looksWide(b) && utf8.Valid(b) &&
		bytes.IndexByte(b, ' ') >= 0 && !oddlyWide(b) {
		return string(b), verdict{charset: "utf-8", wrong: true}
	}
	v := verdict{charset: name}
	if strings.HasPrefix(name, "utf-32") {
		order := utf32.BigEndian
		if name == "utf-32le" || len(b) > 4 && b[0] != 0 {
			order = utf32.LittleEndian
		}
		return decodeWith(b, utf32.UTF32(order, utf32.UseBOM)), v
	}
	order := unicode.BigEndian
	if name == "utf-16le" || name == "utf-16" && zerosAt(b, 1) > zerosAt(b, 0) {
		order = unicode.LittleEndian
	}
	return decodeWith(b[:len(b)&^1], unicode.UTF16(order, unicode.UseBOM)), v
}

// looksWide reports whether b is UTF-16 without saying so: a mark, or zeros in every second place.
func looksWide(b []byte) bool {
	if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
		return len(b)%2 == 0
	}
	if len(b) < 8 || bytes.IndexByte(b, 0) < 0 {
		return false
	}
	even, odd, half := zerosAt(b, 0), zerosAt(b, 1), min(len(b), 512)/2
	return even*10 > half*7 && odd*10 < half || odd*10 > half*7 && even*10 < half
}

// oddlyWide reports whether b, without a zero in sight, may be UTF-16 of a script that is not Latin: most of its
// pairs then share their high byte.
func oddlyWide(b []byte) bool {
	var even, odd [256]int
	n := min(len(b), 512) / 2
	for i := 0; i < n; i++ {
		even[b[2*i]]++
		odd[b[2*i+1]]++
	}
	for c := range even {
		if c < 0x20 && (even[c]*2 > n || odd[c]*2 > n) {
			return true
		}
	}
	return false
}

// zerosAt counts zeros in every second byte of the first 512, from the first or the second on.
func zerosAt(b []byte, from int) (n int) {
	for i := from; i < min(len(b), 512); i += 2 {
		if b[i] == 0 {
			n++
		}
	}
	return n
}

// isASCII reports whether b has no byte above 127.
func isASCII(b []byte) bool {
	for len(b) >= 8 {
		if b[0]|b[1]|b[2]|b[3]|b[4]|b[5]|b[6]|b[7] >= utf8.RuneSelf {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isStateful(name string) bool {
	switch name {
	case "iso-2022-jp", "iso-2022-kr", "iso-2022-cn", "hz-gb-2312", "utf-7":
		return true
	}
	return strings.HasPrefix(name, "utf-16") || strings.HasPrefix(name, "utf-32")
}

// lookupCharset finds the encoding of a canonical name, or nil. What the WHATWG calls "replacement" would turn a whole
// text into one U+FFFD without an error, so it counts as unknown.
func lookupCharset(name string) encoding.Encoding {
	if enc, err := htmlindex.Get(name); err == nil && enc != encoding.Replacement && enc != charmap.XUserDefined {
		return enc
	}
	if enc, err := ianaindex.MIME.Encoding(name); err == nil && enc != nil {
		return enc
	}
	if enc, err := ianaindex.IANA.Encoding(name); err == nil && enc != nil {
		return enc
	}
	return nil
}

// canonicalCharset maps what mail programs write to a name that lookupCharset knows; empty means that nothing is
// declared.
func canonicalCharset(label string) string {
	var buf [40]byte
	if len(label) > len(buf) {
		return "unknown"
	}
	l := strings.Trim(string(lower(buf[:0], []byte(label))), " \t\r\n\"'<>;,")
	if alias, ok := charsetAlias(l); ok {
		return alias
	}
	for _, prefix := range []string{"x-", "charset=", "=", "cs"} {
		if rest, ok := strings.CutPrefix(l, prefix); ok {
			if alias, known := charsetAlias(rest); known {
				return alias
			}
			if lookupCharset(rest) != nil {
				return rest
			}
		}
	}
	return l
}
