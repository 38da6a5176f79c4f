package sandbox

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// query is a parsed search expression. Its language is that of the conversation list: field:value terms, quoted
// values, ranges, AND, OR, NOT (or a minus sign), parentheses; terms side by side are joined by AND.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/list
type query struct {
	op       byte     // '&', '|', '!', or 't' for a term
	kids     []*query // of an operator
	field    string   // of a term, in lower case; "" searches everywhere
	value    string   // of a term, folded
	words    []string // of a term on a text
	from, to int64    // of a term on a number or moment, inclusive
}

// Bounds of what a query may be.
const (
	maxQuery = 8 << 10
	maxDepth = 64
)

// fields of the language, and how their values are read.
var queryFields = map[string]byte{
	"subject": 'w', "body": 'w', "tag": 's', "email": 's', "name": 'w', "status": 's', "assigned": 's', "attachment": 'b',
	"attachments": 'b', "mailboxid": 'n', "mailbox": 'n', "customerids": 'n', "customerid": 'n', "number": 'n', "id": 'n',
	"createdat": 't', "modifiedat": 't', "folderid": 'n', "type": 's', "firstname": 'w', "lastname": 'w',
}

type queryParser struct {
	text  string
	pos   int
	depth int
}

// parseQuery reads an expression; the error says what is wrong at which character.
func parseQuery(text string) (*query, error) {
	if len(text) > maxQuery {
		return nil, fmt.Errorf("query is longer than %d bytes", maxQuery)
	}
	p := &queryParser{text: text}
	q, err := p.or("")
	if err != nil {
		return nil, err
	}
	if p.skip(); p.pos < len(p.text) {
		return nil, p.errorf("unexpected %q", p.text[p.pos:p.pos+1])
	}
	return q, nil
}

func (p *queryParser) errorf(format string, args ...any) error {
	return fmt.Errorf("%s at character %d", fmt.Sprintf(format, args...), p.pos+1)
}

func (p *queryParser) skip() {
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t' || p.text[p.pos] == '\n' || p.text[p.pos] == '\r') {
		p.pos++
	}
}

// word takes a keyword if it stands here.
func (p *queryParser) word(keyword string) bool {
	p.skip()
	rest := p.text[p.pos:]
	if !strings.HasPrefix(rest, keyword) {
		return false
	}
	if after := rest[len(keyword):]; after != "" && !strings.ContainsAny(after[:1], " \t\r\n(\"") {
		return false
	}
	p.pos += len(keyword)
	return true
}

// or reads alternatives; field is that of a group such as tag:(a OR b).
func (p *queryParser) or(field string) (*query, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.errorf("query is nested too deeply")
	}
	defer func() { p.depth-- }()
	left, err := p.and(field)
	if err != nil {
		return nil, err
	}
	q := &query{op: '|', kids: []*query{left}}
	for p.word("OR") || p.word("||") {
		right, err := p.and(field)
		if err != nil {
			return nil, err
		}
		q.kids = append(q.kids, right)
	}
	if len(q.kids) == 1 {
		return left, nil
	}
	return q, nil
}

func (p *queryParser) and(field string) (*query, error) {
	q := &query{op: '&'}
	for {
		kid, err := p.not(field)
		if err != nil {
			return nil, err
		}
		q.kids = append(q.kids, kid)
		if p.word("AND") || p.word("&&") {
			continue
		}
		if p.skip(); p.pos == len(p.text) || p.text[p.pos] == ')' || p.peek("OR") || p.peek("||") {
			break
		}
	}
	if len(q.kids) == 1 {
		return q.kids[0], nil
	}
	return q, nil
}

func (p *queryParser) peek(keyword string) bool {
	at := p.pos
	ok := p.word(keyword)
	p.pos = at
	return ok
}

func (p *queryParser) not(field string) (*query, error) {
	negative := false
	for {
		p.skip()
		if p.word("NOT") {
			negative = !negative
			continue
		}
		if p.pos+1 < len(p.text) && (p.text[p.pos] == '-' || p.text[p.pos] == '!') && p.text[p.pos+1] != ' ' {
			p.pos++
			negative = !negative
			continue
		}
		break
	}
	q, err := p.primary(field)
	if err == nil && negative {
		q = &query{op: '!', kids: []*query{q}}
	}
	return q, err
}

func (p *queryParser) primary(field string) (*query, error) {
	p.skip()
	if p.pos == len(p.text) {
		return nil, p.errorf("a term is missing")
	}
	switch ch := p.text[p.pos]; {
	case ch == '(':
		p.pos++
		q, err := p.or(field)
		if err != nil {
			return nil, err
		}
		if p.skip(); p.pos == len(p.text) || p.text[p.pos] != ')' {
			return nil, p.errorf("a closing parenthesis is missing")
		}
		p.pos++
		return q, nil
	case ch == '"' || ch == '[' || field != "":
		return p.term(field)
	}
	start := p.pos
	for p.pos < len(p.text) && (p.text[p.pos] == '_' || unicode.IsLetter(rune(p.text[p.pos])) || unicode.IsDigit(rune(p.text[p.pos]))) {
		p.pos++
	}
	if p.pos == len(p.text) || p.text[p.pos] != ':' || p.pos == start {
		p.pos = start
		return p.term("")
	}
	name := strings.ToLower(p.text[start:p.pos])
	p.pos++
	if queryFields[name] == 0 {
		p.pos = start
		return nil, p.errorf("unknown field %q", name)
	}
	if p.skip(); p.pos < len(p.text) && p.text[p.pos] == '(' {
		return p.primary(name)
	}
	return p.term(name)
}

// term reads a value: quoted, a range, or one word.
func (p *queryParser) term(field string) (*query, error) {
	if p.skip(); p.pos == len(p.text) {
		return nil, p.errorf("a value is missing")
	}
	if p.text[p.pos] == '[' {
		return p.span(field)
	}
	start := p.pos
	value, err := p.value(" \t\r\n()\"[]")
	if err != nil {
		return nil, err
	}
	q, err := newTerm(field, value)
	if err != nil {
		p.pos = start
		return nil, p.errorf("%v", err)
	}
	return q, nil
}

func (p *queryParser) value(stops string) (string, error) {
	if p.text[p.pos] != '"' {
		start := p.pos
		for p.pos < len(p.text) && !strings.ContainsRune(stops, rune(p.text[p.pos])) {
			p.pos++
		}
		if p.pos == start {
			return "", p.errorf("unexpected %q", p.text[p.pos:p.pos+1])
		}
		return p.text[start:p.pos], nil
	}
	var b strings.Builder
	for i := p.pos + 1; i < len(p.text); i++ {
		switch {
		case p.text[i] == '\\' && i+1 < len(p.text):
			i++
			b.WriteByte(p.text[i])
		case p.text[i] == '"':
			p.pos = i + 1
			return b.String(), nil
		default:
			b.WriteByte(p.text[i])
		}
	}
	return "", p.errorf("a closing quote is missing")
}

// span reads [A TO B]; * is an open end.
func (p *queryParser) span(field string) (*query, error) {
	start := p.pos
	kind := queryFields[field]
	if kind != 't' && kind != 'n' {
		return nil, p.errorf("a range needs a field with dates or numbers")
	}
	p.pos++
	var bounds [2]string
	for i := range bounds {
		if p.skip(); p.pos == len(p.text) {
			return nil, p.errorf("a range is not closed")
		}
		v, err := p.value(" \t\r\n[]()\"")
		if err != nil {
			return nil, err
		}
		if bounds[i] = v; i == 0 && !p.word("TO") {
			return nil, p.errorf("TO is missing in a range")
		}
	}
	if p.skip(); p.pos == len(p.text) || p.text[p.pos] != ']' {
		return nil, p.errorf("a range is not closed")
	}
	p.pos++
	q := &query{op: 't', field: field, from: math.MinInt64, to: math.MaxInt64}
	var err1, err2 error
	if bounds[0] != "*" {
		q.from, err1 = readBound(kind, bounds[0])
	}
	if bounds[1] != "*" {
		q.to, err2 = readBound(kind, bounds[1])
	}
	if err := errors.Join(err1, err2); err != nil {
		p.pos = start
		return nil, p.errorf("%v", err)
	}
	return q, nil
}

func readBound(kind byte, text string) (int64, error) {
	if kind == 'n' {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%q is not a number", text)
		}
		return n, nil
	}
	for _, layout := range []string{timeLayout, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil && len(text) == len(layout) { // no milliseconds
			return t.Unix(), nil
		}
	}
	return 0, fmt.Errorf("%q is not a date in the form yyyy-MM-dd'T'HH:mm:ss'Z'", text)
}

func newTerm(field, value string) (*query, error) {
	q := &query{op: 't', field: field, value: strings.ToLower(strings.TrimSpace(value))}
	var err error
	switch queryFields[field] {
	case 'n', 't':
		q.from, err = readBound(queryFields[field], value)
		q.to = q.from
	case 'b':
		if q.value != "true" && q.value != "false" {
			err = fmt.Errorf("%q is neither true nor false", value)
		}
	case 's':
	default:
		q.words = words(q.value)
	}
	return q, err
}

// words splits a folded text at everything that is neither letter nor digit; a trailing * stays with its word.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '*' })
}

// bounds is the range that every match must lie in, of the terms of one field that are joined by AND.
func (q *query) bounds(field string) (from, to int64, ok bool) {
	from, to = math.MinInt64, math.MaxInt64
	if q == nil {
		return from, to, false
	}
	switch {
	case q.op == 't' && q.field == field:
		return q.from, q.to, true
	case q.op == '&':
		for _, kid := range q.kids {
			if a, b, found := kid.bounds(field); found {
				from, to, ok = max(from, a), min(to, b), true
			}
		}
	}
	return from, to, ok
}

// exact is a value that every match must have in a field, of terms that are joined by AND.
func (q *query) exact(field string) (string, bool) {
	if q == nil {
		return "", false
	}
	if q.op == 't' && q.field == field && !strings.Contains(q.value, "*") {
		return q.value, true
	}
	if q.op == '&' {
		for _, kid := range q.kids {
			if v, ok := kid.exact(field); ok {
				return v, true
			}
		}
	}
	return "", false
}
