package mail

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// maxRTF bounds decompressed RTF.
const maxRTF = 16 << 20

// rtfDictionary is what the compression's window holds at the start ([MS-OXRTFCP] section 2.1.2.1).
const rtfDictionary = `{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbol` +
	`ArialTimes New RomanCourier{\colortbl\red0\green0\blue0` + "\r\n" + `\par \pard\plain\f0\fs20\b\i\u\tab\tx`

// decompressRTF undoes Outlook's compression. A stream that ends early gives what it holds.
func decompressRTF(b []byte) ([]byte, bool) {
	if len(b) < 16 {
		return nil, false
	}
	kind := binary.LittleEndian.Uint32(b[8:])
	src := b[16:]
	switch kind {
	case 0x414c454d: // "MELA": not compressed
		return src, true
	case 0x75465a4c: // "LZFu"
	default:
		return nil, false
	}
	out := unpackLZ(src)
	return out, len(out) > 0
}

// unpackLZ decodes runs of eight tokens under a control byte: literals, and references into a window of 4 KB.
func unpackLZ(src []byte) (out []byte) {
	var window [4096]byte
	at := copy(window[:], rtfDictionary)
	put := func(c byte) {
		out = append(out, c)
		window[at] = c
		at = (at + 1) & 4095
	}
	for len(src) > 0 && len(out) < maxRTF {
		control := src[0]
		src = src[1:]
		for bit := 0; bit < 8 && len(src) > 0; bit++ {
			if control>>bit&1 == 0 {
				put(src[0])
				src = src[1:]
				continue
			}
			if len(src) < 2 {
				return out
			}
			ref := int(src[0])<<8 | int(src[1])
			src = src[2:]
			from, n := ref>>4, ref&15+2
			if from == at {
				return out
			}
			for ; n > 0; n-- {
				put(window[from])
				from = (from + 1) & 4095
			}
		}
	}
	return out
}

// rtfHTML takes the HTML out of RTF that Outlook made of it ([MS-OXRTFEX]). ok is false for RTF that was RTF.
func rtfHTML(rtf []byte) (s string, ok bool) {
	head := string(rtf[:min(len(rtf), 1024)])
	if !strings.Contains(head, `\fromhtml`) {
		return "", false
	}
	r := rtfReader{src: rtf, html: true}
	return cleanText(r.read()), true
}

// rtfToText is the text of an RTF document without its formatting.
func rtfToText(rtf []byte) string {
	r := rtfReader{src: rtf}
	return cleanText(r.read())
}

// An rtfGroup is the state that ends with its brace.
type rtfGroup struct {
	skip    bool // a destination that is no text
	tag     bool // \*\htmltag: HTML as it stood
	htmlrtf bool // RTF beside the HTML, which is not part of it
	uc      int  // how many characters follow \u for readers that do not know it
}

// An rtfReader walks the tokens of an RTF document.
type rtfReader struct {
	src     []byte
	i       int
	html    bool
	charset string
	cur     rtfGroup
	stack   []rtfGroup
	star    bool // \* came: a destination follows that may be ignored
	drop    int  // characters still to be left out after \u
	out     strings.Builder
	pending []byte // bytes in charset
}

func (r *rtfReader) read() string {
	r.charset, r.cur.uc = "windows-1252", 1
	for r.i < len(r.src) && r.out.Len() < maxRTF {
		switch c := r.src[r.i]; c {
		case '{':
			r.i++
			if len(r.stack) < 200 {
				r.stack = append(r.stack, r.cur)
			}
			r.star = false
		case '}':
			r.i++
			if n := len(r.stack); n > 0 {
				r.cur, r.stack = r.stack[n-1], r.stack[:n-1]
			}
			r.drop = 0
		case '\\':
			r.control()
		case '\r', '\n':
			r.i++
		default:
			r.i++
			r.char(c)
		}
	}
	r.flush()
	return r.out.String()
}

// shown reports whether text at this place belongs to the result.
func (r *rtfReader) shown() bool {
	if r.html {
		return r.cur.tag || !r.cur.skip && !r.cur.htmlrtf
	}
	return !r.cur.skip
}

func (r *rtfReader) char(c byte) {
	if r.drop > 0 {
		r.drop--
		return
	}
	if r.shown() {
		r.pending = append(r.pending, c)
	}
}

func (r *rtfReader) text(s string) {
	if r.shown() {
		r.flush()
		r.out.WriteString(s)
	}
}

func (r *rtfReader) flush() {
	if len(r.pending) > 0 {
		s, _ := decodeText(r.pending, r.charset)
		r.out.WriteString(s)
		r.pending = r.pending[:0]
	}
}

// control reads what a backslash begins: an escaped character, \'hh, or a word with a number.
func (r *rtfReader) control() {
	r.i++
	if r.i >= len(r.src) {
		return
	}
	c := r.src[r.i]
	if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
		r.symbol(c)
		return
	}
	start := r.i
	for r.i < len(r.src) && (r.src[r.i] >= 'a' && r.src[r.i] <= 'z' || r.src[r.i] >= 'A' && r.src[r.i] <= 'Z') {
		r.i++
	}
	word := string(r.src[start:r.i])
	start = r.i
	if r.i < len(r.src) && r.src[r.i] == '-' {
		r.i++
	}
	for r.i < len(r.src) && isDigit(r.src[r.i]) {
		r.i++
	}
	number, err := strconv.Atoi(string(r.src[start:r.i]))
	if err != nil {
		number = -1
	}
	if r.i < len(r.src) && r.src[r.i] == ' ' {
		r.i++
	}
	r.word(word, number, err == nil)
}

func (r *rtfReader) symbol(c byte) {
	r.i++
	switch c {
	case '\\', '{', '}':
		r.char(c)
	case '\'':
		if r.i+1 < len(r.src) && unhex(r.src[r.i]) >= 0 && unhex(r.src[r.i+1]) >= 0 {
			r.char(byte(unhex(r.src[r.i])<<4 | unhex(r.src[r.i+1])))
			r.i += 2
		}
	case '~':
		r.text("\u00a0")
	case '_':
		r.text("-")
	case '*':
		r.star = true
	case '\n', '\r':
		r.text("\n")
	}
}

func (r *rtfReader) word(w string, n int, numbered bool) {
	star := r.star
	r.star = false
	switch w {
	case "par", "line", "row", "sect", "page":
		r.text("\n")
	case "tab", "cell":
		r.text("\t")
	case "u":
		if n < 0 {
			n += 65536
		}
		r.text(string(rune(n)))
		r.drop = r.cur.uc
	case "uc":
		r.cur.uc = max(0, min(n, 8))
	case "ansicpg":
		r.flush()
		if n > 0 {
			r.charset = codepageName(uint32(n))
		}
	case "htmltag":
		r.cur.tag, r.cur.skip = true, false
	case "htmlrtf":
		r.flush()
		r.cur.htmlrtf = !numbered || n != 0
	case "fonttbl", "colortbl", "stylesheet", "info", "pict", "header", "footer", "object", "themedata", "datastore",
		"generator", "mhtmltag", "listtable", "fldinst":
		r.cur.skip = true
	case "bullet":
		r.text("\u2022")
	case "lquote", "rquote":
		r.text(map[string]string{"lquote": "\u2018", "rquote": "\u2019"}[w])
	case "ldblquote", "rdblquote":
		r.text(map[string]string{"ldblquote": "\u201c", "rdblquote": "\u201d"}[w])
	case "emdash", "endash":
		r.text(map[string]string{"emdash": "\u2014", "endash": "\u2013"}[w])
	default:
		if star {
			r.cur.skip = true
		}
	}
}
