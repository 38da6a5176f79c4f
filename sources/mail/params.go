package mail

import (
	"bytes"
	"sort"
	"strconv"
	"strings"
)

// A typed is a value with parameters: Content-Type or Content-Disposition.
type typed struct {
	value  string // lower case: "text/html", "attachment"
	params []param
}

// A param is one parameter as written. value has its quotes removed and nothing decoded.
type param struct {
	name  string // lower case, with RFC 2231's "*0*"
	value []byte
}

// get is the raw value of a parameter, continuations not joined.
func (t *typed) get(name string) string {
	for _, p := range t.params {
		if p.name == name {
			return string(p.value)
		}
	}
	return ""
}

// maxParams bounds the parameters of one field.
const maxParams = 200

// parseTyped reads a Content-Type or Content-Disposition field, with all the things that programs get wrong: missing
// semicolons, doubled ones, missing quotes, backslashes of Windows paths.
func parseTyped(v []byte) typed {
	v = unfold(v)
	end := bytes.IndexAny(v, "; \t")
	if end < 0 {
		end = len(v)
	}
	var t typed
	t.value = strings.Trim(strings.ToLower(strings.ToValidUTF8(string(v[:end]), "")), "\"'<>,")
	rest := v[end:]
	if i := strings.IndexByte(t.value, '='); i >= 0 && !strings.Contains(t.value[:i], "/") {
		t.value, rest = "", v // a parameter where the type should be
	}
	for len(rest) > 0 && len(t.params) < maxParams {
		var p param
		var ok bool
		if p, rest, ok = nextParam(rest); ok {
			t.params = append(t.params, p)
		}
	}
	return t
}

// nextParam reads one parameter. ok is false for a piece that is none.
func nextParam(v []byte) (p param, rest []byte, ok bool) {
	v = bytes.TrimLeft(v, "; \t\r\n,")
	if len(v) > 0 && v[0] == '(' { // a comment
		if i := bytes.IndexByte(v, ')'); i >= 0 {
			return p, v[i+1:], false
		}
	}
	i := bytes.IndexAny(v, "=; \t")
	if i < 0 {
		return p, nil, false
	}
	name := v[:i]
	v = bytes.TrimLeft(v[i:], " \t")
	if len(v) == 0 || v[0] != '=' {
		return p, v, false
	}
	v = bytes.TrimLeft(v[1:], " \t")
	p.name = strings.ToLower(strings.ToValidUTF8(string(name), ""))
	if len(v) > 0 && (v[0] == '"' || v[0] == '\'' && quoteCloses(v)) {
		p.value, rest = quotedValue(v)
		return p, rest, true
	}
	p.value, rest = bareValue(p.name, v)
	return p, rest, true
}

// quoteCloses reports whether a value in single quotes, which no RFC knows, ends with one.
func quoteCloses(v []byte) bool {
	i := bytes.IndexByte(v[1:], '\'')
	return i >= 0 && (i+2 == len(v) || v[i+2] == ';' || isSpace(v[i+2]))
}

// quotedValue reads a quoted string. A backslash escapes quotes and backslashes only: "C:\docs\a.pdf" keeps its own.
func quotedValue(v []byte) (value, rest []byte) {
	quote := v[0]
	for i := 1; i < len(v); i++ {
		switch {
		case v[i] == '\\' && i+1 < len(v) && (v[i+1] == quote || v[i+1] == '\\'):
			value = append(value, v[i+1])
			i++
		case v[i] == quote:
			return value, v[i+1:]
		default:
			value = append(value, v[i])
		}
	}
	// The quote never closes: the value ends where the next parameter begins.
	if i := bytes.IndexByte(v, ';'); i > 0 {
		return trimSpace(v[1:i]), v[i:]
	}
	return trimSpace(v[1:]), nil
}

// bareValue reads a value without quotes. File names may hold blanks and parentheses, other values end at them.
func bareValue(name string, v []byte) (value, rest []byte) {
	end := bytes.IndexByte(v, ';')
	if end < 0 {
		end = len(v)
	}
	value, rest = trimSpace(v[:end]), v[end:]
	if strings.HasPrefix(name, "name") || strings.HasPrefix(name, "filename") {
		return value, rest
	}
	if i := bytes.IndexAny(value, " \t"); i >= 0 && !bytes.HasPrefix(value, []byte("=?")) {
		return value[:i], v[i:]
	}
	return value, rest
}

// text is the decoded value of a parameter: RFC 2231 with charset and continuations, else RFC 2047 words (which
// programs write although the RFC forbids it), else raw bytes.
func (t *typed) text(name string, d *decoder) string {
	if s, ok := t.extended(name, d); ok {
		return s
	}
	for _, p := range t.params {
		if p.name == name && len(p.value) > 0 {
			return d.text(p.value)
		}
	}
	return ""
}

// A segment is one piece of a parameter written in pieces: name*3*="...".
type segment struct {
	index   int
	encoded bool
	value   []byte
}

// extended joins RFC 2231's pieces in the order of their numbers, whatever order they stand in.
func (t *typed) extended(name string, d *decoder) (string, bool) {
	var segs []segment
	for _, p := range t.params {
		rest, ok := strings.CutPrefix(p.name, name+"*")
		if !ok {
			continue
		}
		number, encoded := strings.CutSuffix(rest, "*")
		if rest == "" {
			segs = append(segs, segment{0, true, p.value})
			continue
		}
		if n, err := strconv.Atoi(number); err == nil && n >= 0 {
			segs = append(segs, segment{n, encoded, p.value})
		}
	}
	if len(segs) == 0 {
		return "", false
	}
	sort.SliceStable(segs, func(i, j int) bool { return segs[i].index < segs[j].index })
	return joinSegments(segs, d), true
}

func joinSegments(segs []segment, d *decoder) string {
	var b []byte
	charset, anyEncoded := "", false
	for i, s := range segs {
		v := s.value
		if i == 0 && s.encoded {
			if parts := bytes.SplitN(v, []byte("'"), 3); len(parts) == 3 {
				charset, v = string(parts[0]), parts[2]
			}
		}
		anyEncoded = anyEncoded || s.encoded
		if s.encoded {
			b = appendPercent(b, v)
		} else {
			b = append(b, v...)
		}
	}
	if !anyEncoded || charset == "" && bytes.Contains(b, []byte("=?")) {
		return d.text(b)
	}
	return oneLine(d.decode(b, charset))
}

func appendPercent(dst, v []byte) []byte {
	for i := 0; i < len(v); i++ {
		if v[i] == '%' && i+2 < len(v) && unhex(v[i+1]) >= 0 && unhex(v[i+2]) >= 0 {
			dst = append(dst, byte(unhex(v[i+1])<<4|unhex(v[i+2])))
			i += 2
			continue
		}
		dst = append(dst, v[i])
	}
	return dst
}
