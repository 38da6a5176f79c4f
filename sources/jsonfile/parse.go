package jsonfile

import (
	"fmt"
	"unicode/utf8"
)

// maxDepth bounds how deep values may be nested within a record.
const maxDepth = 200

// maxValues bounds the values of one record: each takes some thirty bytes while the record is read.
const maxValues = 1 << 22

// A node is one value of a record, by its place in the text.
type node struct {
	kind       byte   // { [ " 0 (a number) t f n
	start, end uint32 // of the value; of a string without its quotes
	key, keyTo uint32 // of a member's name, without its quotes
	child      int32  // the first value within; -1: none
	next       int32  // the next value beside it; -1: none
}

// A tree is a record read into nodes; node 0 is the record.
type tree struct {
	raw   []byte
	nodes []node
}

// A parser reads one value.
type parser struct {
	tree
	at int
}

// syntaxError says what is wrong at which byte of a record.
type syntaxError struct {
	at   int
	text string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("%s at byte %d of the record", e.text, e.at) }

// parse reads raw, which is one value and blanks around it. It is strict about structure and lenient about what stands
// in strings: control characters and bytes that are no UTF-8 are the reader's to notice later.
func parse(raw []byte, nodes []node) (tree, error) {
	p := parser{tree: tree{raw: raw, nodes: nodes[:0]}}
	p.blanks()
	if _, err := p.value(0, 0, 0); err != nil {
		return tree{}, err
	}
	if p.blanks(); p.at < len(raw) {
		return tree{}, p.fail("something stands after the value")
	}
	return p.tree, nil
}

func (p *parser) fail(text string) error { return &syntaxError{p.at, text} }

func (p *parser) blanks() {
	for p.at < len(p.raw) && isBlank(p.raw[p.at]) {
		p.at++
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// value reads one value and returns its node.
func (p *parser) value(depth int, key, keyTo uint32) (int32, error) {
	if depth > maxDepth {
		return 0, p.fail(fmt.Sprintf("values are nested more than %d deep", maxDepth))
	}
	if p.at >= len(p.raw) {
		return 0, p.fail("the value is missing")
	}
	if len(p.nodes) == maxValues {
		return 0, p.fail(fmt.Sprintf("the record has more than %d values", maxValues))
	}
	at := int32(len(p.nodes))
	c := p.raw[p.at]
	p.nodes = append(p.nodes, node{kind: c, start: uint32(p.at), key: key, keyTo: keyTo, child: -1, next: -1})
	var err error
	switch {
	case c == '{':
		err = p.object(at, depth)
	case c == '[':
		err = p.array(at, depth)
	case c == '"':
		p.nodes[at].start++
		err = p.text()
		p.nodes[at].end = uint32(max(p.at-1, 0))
		return at, err
	case c == '-' || c >= '0' && c <= '9':
		p.nodes[at].kind = '0'
		err = p.number()
	default:
		err = p.word(at)
	}
	p.nodes[at].end = uint32(p.at)
	return at, err
}

// object reads the members of an object whose brace is the next byte.
func (p *parser) object(at int32, depth int) error {
	last := int32(-1)
	for p.at++; ; p.at++ {
		p.blanks()
		if p.is('}') && last < 0 {
			p.at++
			return nil
		}
		if !p.is('"') {
			return p.fail("a name in quotes is expected")
		}
		key := uint32(p.at + 1)
		if err := p.text(); err != nil {
			return err
		}
		keyTo := uint32(p.at - 1)
		if p.blanks(); !p.is(':') {
			return p.fail("a colon is expected")
		}
		p.at++
		p.blanks()
		n, err := p.value(depth+1, key, keyTo)
		if err != nil {
			return err
		}
		p.link(at, &last, n)
		if p.blanks(); p.is('}') {
			p.at++
			return nil
		}
		if !p.is(',') {
			return p.fail("a comma or a closing brace is expected")
		}
	}
}

// array reads the values of an array whose bracket is the next byte.
func (p *parser) array(at int32, depth int) error {
	last := int32(-1)
	for p.at++; ; p.at++ {
		p.blanks()
		if p.is(']') && last < 0 {
			p.at++
			return nil
		}
		n, err := p.value(depth+1, 0, 0)
		if err != nil {
			return err
		}
		p.link(at, &last, n)
		if p.blanks(); p.is(']') {
			p.at++
			return nil
		}
		if !p.is(',') {
			return p.fail("a comma or a closing bracket is expected")
		}
	}
}

func (p *parser) link(parent int32, last *int32, n int32) {
	if *last < 0 {
		p.nodes[parent].child = n
	} else {
		p.nodes[*last].next = n
	}
	*last = n
}

func (p *parser) is(c byte) bool { return p.at < len(p.raw) && p.raw[p.at] == c }

// text passes a string whose quote is the next byte.
func (p *parser) text() error {
	for i := p.at + 1; i < len(p.raw); i++ {
		switch p.raw[i] {
		case '"':
			p.at = i + 1
			return nil
		case '\\':
			i++
		}
	}
	p.at = len(p.raw)
	return p.fail("a string is not closed")
}

// number takes what looks like one; it is kept as text, so that no digit of a long id is lost.
func (p *parser) number() error {
	begin, digits := p.at, 0
	for p.at < len(p.raw) {
		switch c := p.raw[p.at]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '-' && p.at == begin && p.follows("Infinity"):
			p.nodes[len(p.nodes)-1].kind = 'n'
			p.at += len("-Infinity")
			return nil
		case c == '+' || c == '-' || c == '.' || c == 'e' || c == 'E':
		default:
			if digits == 0 {
				return p.fail("a number without digits")
			}
			return nil
		}
		p.at++
	}
	if digits == 0 {
		return p.fail("a number without digits")
	}
	return nil
}

// follows reports whether w stands after the next byte.
func (p *parser) follows(w string) bool {
	return len(p.raw) > p.at+len(w) && string(p.raw[p.at+1:p.at+1+len(w)]) == w
}

// word takes true, false and null, and what some writers put for no number at all.
func (p *parser) word(at int32) error {
	for _, w := range [...]struct {
		text string
		kind byte
	}{{"true", 't'}, {"false", 'f'}, {"null", 'n'}, {"NaN", 'n'}, {"Infinity", 'n'}} {
		if len(p.raw)-p.at >= len(w.text) && string(p.raw[p.at:p.at+len(w.text)]) == w.text {
			p.at += len(w.text)
			p.nodes[at].kind = w.kind
			return nil
		}
	}
	return p.fail("a value is expected")
}

// empty reports whether a value says nothing: null, or a string without a character.
func (n *node) empty() bool { return n.kind == 'n' || n.kind == '"' && n.start == n.end }

func (n *node) scalar() bool { return n.kind != '{' && n.kind != '[' }

// name is the name of a member as it was written by a program: escapes are read.
func (t *tree) name(n *node) string {
	return string(appendText(nil, t.raw[n.key:n.keyTo]))
}

// appendValue appends a scalar as text: strings read, numbers and words as written, null as nothing.
func (t *tree) appendValue(dst []byte, n *node) []byte {
	switch n.kind {
	case '"':
		return appendText(dst, t.raw[n.start:n.end])
	case 'n', '{', '[':
		return dst
	}
	return append(dst, t.raw[n.start:n.end]...)
}

// appendText appends the content of a string with its escapes read. Half of a surrogate pair is appended as the bytes
// that no UTF-8 has, so that whoever checks the text notices; an escape that is none stays as it stands.
func appendText(dst, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			dst = append(dst, s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case '"', '\\', '/':
			dst = append(dst, c)
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, ok := hex4(s[i+1:])
			if !ok {
				dst = append(dst, '\\', 'u')
				continue
			}
			i += 4
			if r >= 0xd800 && r < 0xdc00 && i+2 < len(s) && s[i+1] == '\\' && s[i+2] == 'u' {
				if low, ok := hex4(s[i+3:]); ok && low >= 0xdc00 && low < 0xe000 {
					r = (r-0xd800)<<10 + low - 0xdc00 + 0x10000
					i += 6
				}
			}
			dst = appendRune(dst, r)
		default:
			dst = append(dst, '\\', c)
		}
	}
	return dst
}

func appendRune(dst []byte, r rune) []byte {
	if r >= 0xd800 && r < 0xe000 {
		return append(dst, 0xe0|byte(r>>12), 0x80|byte(r>>6&0x3f), 0x80|byte(r&0x3f))
	}
	return utf8.AppendRune(dst, r)
}

func hex4(s []byte) (r rune, ok bool) {
	if len(s) < 4 {
		return 0, false
	}
	for _, c := range s[:4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
