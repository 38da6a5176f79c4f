package mail

import (
	"bytes"
	"io"
	"slices"
)

// A transfer is a Content-Transfer-Encoding.
type transfer uint8

const (
	identity transfer = iota
	quotedPrintable
	base64Encoding
	uuencoding
)

// transferNamed maps the value of the field, with the spellings that occur.
func transferNamed(v []byte) transfer {
	v = trimSpace(v)
	if i := bytes.IndexAny(v, " \t;("); i > 0 {
		v = v[:i]
	}
	if len(v) > 32 {
		return identity
	}
	var buf [32]byte
	switch string(bytes.Trim(lower(buf[:0], v), "\"'")) {
	case "quoted-printable", "quotedprintable", "quoted-printeable", "quoted printable", "qp", "quoted_printable":
		return quotedPrintable
	case "base64", "base-64", "base_64", "b64", "base64encode", "64base":
		return base64Encoding
	case "x-uuencode", "uuencode", "x-uue", "x-uuencoded", "uue":
		return uuencoding
	}
	return identity
}

// chunkSize is how much of an encoded content is decoded at a time.
const chunkSize = 32 << 10

// A content decodes the body of one part chunk by chunk, so that a big attachment never stands in memory decoded.
type content struct {
	src     []byte
	enc     transfer
	lf      bool // line ends become \n: texts are the same whatever the line ends of the file
	damaged bool
	b64     base64State
	buf     []byte
	out     []byte // decoded and not yet read
}

// next is the next decoded chunk, valid until the following call, or nil at the end.
func (c *content) next() []byte {
	c.unpack()
	for {
		if len(c.src) == 0 {
			if c.enc == base64Encoding {
				tail := c.b64.finish(c.buf[:0])
				c.damaged = c.damaged || c.b64.damaged
				if len(tail) > 0 {
					return tail
				}
			}
			return nil
		}
		if c.enc == identity && !c.lf {
			out := c.src
			c.src = nil
			return out
		}
		if c.buf == nil {
			c.buf = make([]byte, 0, min(chunkSize, len(c.src)))
		}
		n := cutChunk(c.src)
		chunk := c.src[:n]
		c.src = c.src[n:]
		if out := c.decode(chunk); len(out) > 0 {
			return out
		}
	}
}

// unpack decodes uuencode, which has a beginning and an end, in one go.
func (c *content) unpack() {
	if c.enc == uuencoding {
		c.src, c.enc = firstUU(c.src), identity
	}
}

func (c *content) decode(chunk []byte) []byte {
	out := c.buf[:0]
	switch c.enc {
	case base64Encoding:
		out = c.b64.append(out, chunk)
		c.damaged = c.b64.damaged
	case quotedPrintable:
		var bad bool
		out, bad = appendQuoted(out, chunk)
		c.damaged = c.damaged || bad
	default:
		out = append(out, chunk...)
	}
	c.buf = out
	if c.lf {
		out = toLF(out)
	}
	return out
}

// cutChunk is where to cut src: after a line end where there is one, never between CR and LF or inside of "=3D".
func cutChunk(src []byte) int {
	if len(src) <= chunkSize {
		return len(src)
	}
	if i := bytes.LastIndexByte(src[:chunkSize], '\n'); i >= 0 {
		return i + 1
	}
	n := chunkSize
	for back := 1; back <= 2; back++ {
		if src[n-back] == '=' || src[n-back] == '\r' {
			return n - back
		}
	}
	return n
}

// Read makes a content an io.Reader.
func (c *content) Read(p []byte) (int, error) {
	if len(c.out) == 0 {
		if c.out = c.next(); c.out == nil {
			return 0, io.EOF
		}
	}
	n := copy(p, c.out)
	c.out = c.out[n:]
	return n, nil
}

// bytes decodes all that is left. The result shares memory with the message where nothing had to be decoded.
func (c *content) bytes() []byte {
	c.unpack()
	if c.enc == identity && !c.lf {
		return c.src
	}
	var out []byte
	switch c.enc {
	case base64Encoding:
		out = c.b64.append(make([]byte, 0, len(c.src)/4*3+3), c.src)
		out = c.b64.finish(out)
		c.damaged = c.b64.damaged
	case quotedPrintable:
		out, c.damaged = appendQuoted(make([]byte, 0, len(c.src)), c.src)
	default:
		out = append(make([]byte, 0, len(c.src)), c.src...)
	}
	c.src = nil
	if c.lf {
		out = toLF(out)
	}
	return out
}

// toLF makes "\r\n" "\n" in place.
func toLF(b []byte) []byte {
	i := bytes.IndexByte(b, '\r')
	if i < 0 {
		return b
	}
	out := b[:i]
	for ; i < len(b); i++ {
		if b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n' {
			continue
		}
		out = append(out, b[i])
	}
	return out
}

// appendQuoted decodes quoted-printable (RFC 2045 section 6.7). What is no escape stands for itself, and damaged says
// so; blanks before a line end were added on the way and go.
func appendQuoted(dst, src []byte) (out []byte, damaged bool) {
	for len(src) > 0 {
		end := lineEnd(src, 0)
		line := src[:end]
		src = src[end:]
		n := len(line)
		for n > 0 && (line[n-1] == '\n' || line[n-1] == '\r') {
			n--
		}
		brk := line[n:]
		for n > 0 && (line[n-1] == ' ' || line[n-1] == '\t') {
			n--
		}
		text := line[:n]
		for {
			i := bytes.IndexByte(text, '=')
			if i < 0 {
				dst = append(dst, text...)
				break
			}
			dst = append(dst, text[:i]...)
			text = text[i+1:]
			if len(text) == 0 { // a soft line break
				brk = nil
				break
			}
			if len(text) >= 2 && unhex(text[0]) >= 0 && unhex(text[1]) >= 0 {
				dst = append(dst, byte(unhex(text[0])<<4|unhex(text[1])))
				text = text[2:]
				continue
			}
			damaged = true
			dst = append(dst, '=')
		}
		dst = append(dst, brk...)
	}
	return dst, damaged
}

// appendBase64 decodes a whole base64 text.
func appendBase64(dst, src []byte) (out []byte, damaged bool) {
	var st base64State
	dst = st.append(dst, src)
	dst = st.finish(dst)
	return dst, st.damaged
}

// A base64State carries what is left of a group of four characters from one chunk to the next. It survives stray
// characters, padding in the middle (joined texts) and a cut end.
type base64State struct {
	acc     uint32
	n       int  // characters in acc
	padded  bool // padding came last
	skip    bool // what follows padding and a blank on one line is no base64
	damaged bool
}

func (s *base64State) append(dst, src []byte) []byte {
	for len(src) > 0 {
		if s.n == 0 && !s.skip {
			var used int
			if dst, used = appendQuads(dst, src); used > 0 {
				src = src[used:]
				continue
			}
		}
		dst = s.one(dst, src[0])
		src = src[1:]
	}
	return dst
}

// appendQuads decodes groups of four clean characters and reports how many bytes of src it took.
func appendQuads(dst, src []byte) (out []byte, used int) {
	at, n := len(dst), len(src)/4
	dst = slices.Grow(dst, 3*n)
	room := dst[at : at+3*n]
	for len(src) >= 4 && len(room) >= 3 {
		a, b, c, d := base64Values[src[0]], base64Values[src[1]], base64Values[src[2]], base64Values[src[3]]
		if a|b|c|d >= 64 {
			break
		}
		v := uint32(a)<<18 | uint32(b)<<12 | uint32(c)<<6 | uint32(d)
		room[0], room[1], room[2] = byte(v>>16), byte(v>>8), byte(v)
		room, src = room[3:], src[4:]
	}
	done := n - len(room)/3
	return dst[:at+3*done], 4 * done
}

// one takes a single character, whatever it is.
func (s *base64State) one(dst []byte, c byte) []byte {
	if s.skip && c != '\n' {
		return dst
	}
	padded := s.padded
	s.padded, s.skip = false, false
	switch v := base64Values[c]; {
	case v < 64:
		s.acc = s.acc<<6 | uint32(v)
		if s.n++; s.n == 4 {
			dst = append(dst, byte(s.acc>>16), byte(s.acc>>8), byte(s.acc))
			s.acc, s.n = 0, 0
		}
	case c == '=':
		if s.n > 0 {
			dst = s.flush(dst)
		}
		s.padded = true
	case c == ' ' && padded:
		s.skip = true
	case !isSpace(c):
		s.damaged = true
	}
	return dst
}

// flush ends a group that has fewer than four characters.
func (s *base64State) flush(dst []byte) []byte {
	switch s.n {
	case 1:
		s.damaged = true
	case 2:
		dst = append(dst, byte(s.acc>>4))
	case 3:
		dst = append(dst, byte(s.acc>>10), byte(s.acc>>2))
	}
	s.acc, s.n = 0, 0
	return dst
}

// finish ends the text. Missing padding is no damage: what is there decodes whole.
func (s *base64State) finish(dst []byte) []byte { return s.flush(dst) }

// base64Values maps a character to its six bits, or 64 and more when it has none. "-" and "_" are the URL alphabet.
var base64Values = func() (t [256]byte) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range t {
		t[i] = 0xff
	}
	for i := range alphabet {
		t[alphabet[i]] = byte(i)
	}
	t['-'], t['_'] = 62, 63
	return t
}()
