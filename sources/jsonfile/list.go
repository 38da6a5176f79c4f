package jsonfile

import (
	"fmt"
	"slices"
	"strings"
)

// A listPath says where the records of a kind stand in a file: . is every value at the top, [] every element of an array
// at the top, tickets[] every element of the array that a member holds, data.tickets[] deeper, ticket a single record.
type listPath struct {
	segs []string // names of members; [] for the elements of an array
}

// maxLists bounds the lists that are looked for in one file: an envelope whose names are data has no end of them.
const maxLists = 200

// maxListDepth bounds how deep records may stand in their file.
const maxListDepth = 16

// parseList reads a list path.
func parseList(text string) (listPath, error) {
	text = strings.TrimSpace(text)
	var p listPath
	bad := func(why string) (listPath, error) {
		return listPath{}, fmt.Errorf("%q is not a place of records: %s; write tickets[], data.tickets[], [] for an array, or . for one record after the other", text, why)
	}
	switch {
	case text == "":
		return bad("it is empty")
	case text == ".":
		return p, nil
	}
	for i, part := range strings.Split(text, ".") {
		name, lists := part, 0
		for strings.HasSuffix(name, "[]") {
			name, lists = strings.TrimSuffix(name, "[]"), lists+1
		}
		switch {
		case name == "" && (i > 0 || lists == 0):
			return bad("a name is missing")
		case strings.ContainsAny(name, "[]"):
			return bad("brackets are only written as []")
		}
		if name != "" {
			p.segs = append(p.segs, name)
		}
		p.segs = append(p.segs, slices.Repeat([]string{"[]"}, lists)...)
	}
	if len(p.segs) > maxListDepth {
		return bad("it is too deep")
	}
	return p, nil
}

// CheckPlace says what is wrong with a place of records, as source.json.records has it.
func CheckPlace(place string) error {
	_, err := parseList(place)
	return err
}

// String is the path as it is written.
func (p listPath) String() string {
	if len(p.segs) == 0 {
		return "."
	}
	var b strings.Builder
	for i, s := range p.segs {
		if i > 0 && s != "[]" {
			b.WriteByte('.')
		}
		b.WriteString(s)
	}
	return b.String()
}

// wrap makes a file of one record, with what stands around it, so that the same path finds it.
func (p listPath) wrap(raw []byte) []byte {
	var head, tail string
	for _, s := range p.segs {
		if s == "[]" {
			head, tail = head+"[", "]"+tail
			continue
		}
		head, tail = head+"{"+quoteJSON(s)+":", "}"+tail
	}
	return append(append([]byte(head), raw...), tail...)
}

// quoteJSON writes a string as JSON does.
func quoteJSON(s string) string {
	b := []byte{'"'}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}
