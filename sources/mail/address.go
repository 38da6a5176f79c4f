package mail

import (
	"bytes"
	"strings"

	"hsimport/sources"
)

// maxPeople bounds one address list.
const maxPeople = 5000

// maxAddress bounds what stands in one pair of angle brackets.
const maxAddress = 2048

// An addressParser reads an address list (RFC 5322 section 3.4) the way people and programs write it: names with
// unquoted commas, comments, groups, "ann at x.org", several addresses in one field, quotes and brackets that never
// close, encoded words anywhere. It runs once over the bytes and never gives up.
type addressParser struct {
	d   *decoder
	v   []byte
	out []sources.Person

	phrase   []byte // words outside of brackets, undecoded
	angle    []byte // inside of <...>; nil when there were none
	comment  []byte
	hasAngle bool
	before   int    // how much of the phrase stood before the angle bracket
	held     string // a name without address before a comma: perhaps the first half of "Lee, Ann <a@b>"
	quoted   bool   // the phrase held a quoted string, so its commas were not torn apart
	noQuote  bool   // no closing quote from here on
	noParen  bool
}

// parseAddresses reads an address list. The people come in the order of the field; an entry without anything
// ("undisclosed-recipients:;") yields nobody.
func parseAddresses(v []byte, d *decoder) []sources.Person {
	p := addressParser{d: d, v: unfold(v)}
	for i := 0; i < len(p.v) && len(p.out) < maxPeople; {
		i = p.step(i)
	}
	p.flush(true)
	return p.out
}

// step takes the character at i and whatever it opens, and returns where to go on.
func (p *addressParser) step(i int) int {
	switch c := p.v[i]; {
	case c == '"' && !p.noQuote:
		return p.quotedString(i)
	case c == '(' && !p.noParen:
		return p.parenthesis(i)
	case c == '<':
		return p.bracket(i)
	case c == ',':
		p.flush(false)
	case c == ';':
		p.flush(true)
	case c == ':' && p.isGroup(i):
		p.phrase = p.phrase[:0] // a group's name
	case c == '=' && i+1 < len(p.v) && p.v[i+1] == '?':
		if _, n := parseWord(p.v[i:]); n > 0 {
			p.phrase = append(p.phrase, p.v[i:i+n]...)
			return i + n
		}
		p.phrase = append(p.phrase, c)
	case c == '\\' && i+1 < len(p.v):
		p.phrase = append(p.phrase, p.v[i+1])
		return i + 2
	default:
		end := i + 1
		for end < len(p.v) && !isAddressSpecial(p.v[end]) {
			end++
		}
		p.phrase = append(p.phrase, p.v[i:end]...)
		return end
	}
	return i + 1
}

// isAddressSpecial reports whether step has to look at a character.
func isAddressSpecial(c byte) bool {
	switch c {
	case '"', '(', '<', ',', ';', ':', '=', '\\':
		return true
	}
	return false
}

// isGroup reports whether the colon at i ends a group's name rather than standing in "mailto:" or a bare address.
func (p *addressParser) isGroup(i int) bool {
	return !p.hasAngle && bytes.IndexByte(p.phrase, '@') < 0 && !bytes.EqualFold(trimSpace(p.phrase), []byte("mailto"))
}

func (p *addressParser) quotedString(i int) int {
	for j := i + 1; j < len(p.v); j++ {
		switch p.v[j] {
		case '\\':
			if j+1 < len(p.v) {
				j++
				p.phrase = append(p.phrase, p.v[j])
			}
		case '"':
			p.quoted = true
			return j + 1
		default:
			p.phrase = append(p.phrase, p.v[j])
		}
	}
	// It never closes: the quote means nothing, and neither does any later one.
	p.noQuote = true
	p.phrase = p.phrase[:len(p.phrase)-unescapedLen(p.v[i+1:])]
	return i + 1
}

// unescapedLen is the length of b without the backslashes that quotedString drops.
func unescapedLen(b []byte) int {
	n := 0
	for j := 0; j < len(b); j++ {
		if b[j] == '\\' {
			if j+1 == len(b) {
				break
			}
			j++
		}
		n++
	}
	return n
}

func (p *addressParser) parenthesis(i int) int {
	depth := 0
	for j := i; j < len(p.v); j++ {
		switch p.v[j] {
		case '\\':
			j++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				if p.comment == nil || len(trimSpace(p.v[i+1:j])) > 0 {
					p.comment = p.v[i+1 : j]
				}
				if n := len(p.phrase); n > 0 && !isSpace(p.phrase[n-1]) {
					p.phrase = append(p.phrase, ' ')
				}
				return j + 1
			}
		}
	}
	p.noParen = true
	p.phrase = append(p.phrase, ' ')
	return i + 1
}

// bracket takes <...>. Without a closing bracket the address ends at the next comma, semicolon or blank.
func (p *addressParser) bracket(i int) int {
	rest := p.v[i+1 : min(len(p.v), i+1+maxAddress)]
	end := bytes.IndexByte(rest, '>')
	next := bytes.IndexByte(rest, '<')
	if next >= 0 && (end < 0 || next < end) {
		if len(trimSpace(rest[:next])) == 0 { // <<ann@x.org>>
			return i + 1
		}
		if bytes.IndexByte(rest[:next], '@') >= 0 || bytes.IndexByte(rest[:next], ',') >= 0 {
			end = -1 // the next bracket is another address
		}
	}
	size := 1
	if end < 0 {
		size = 0
		if end = bytes.IndexAny(rest, ",; "); end < 0 {
			end = len(rest)
		}
	}
	inside := trimSpace(rest[:end])
	if p.hasAngle && len(p.angle) > 0 {
		if bytes.IndexByte(inside, '@') < 0 { // Ann <a@b> <work>
			return i + 1 + end + size
		}
		if bytes.IndexByte(p.angle, '@') >= 0 {
			p.split() // two addresses without a comma between them
		} else {
			p.phrase = append(append(p.phrase, ' '), p.angle...)
		}
	}
	p.angle, p.hasAngle, p.before = inside, true, len(p.phrase)
	for i += 1 + end + size; i < len(p.v) && p.v[i] == '>'; i++ {
	}
	return i
}

// split ends an entry where the next one's bracket opens: the words since the first bracket are the next one's name.
func (p *addressParser) split() {
	name := append([]byte(nil), p.phrase[p.before:]...)
	p.phrase = p.phrase[:p.before]
	p.flush(false)
	p.phrase = append(p.phrase, name...)
}

// flush ends an entry. last says that nothing follows which could need it as the first half of a name.
func (p *addressParser) flush(last bool) {
	person := p.person()
	if person.Email == "" && person.Name != "" && !p.hasAngle && !p.quoted && !last && p.comment == nil {
		p.hold(person.Name)
		p.reset()
		return
	}
	switch {
	case p.held != "" && person.Email != "" && p.hasAngle && person.Name != "" && !p.quoted:
		person.Name = p.held + ", " + person.Name
	case p.held != "":
		p.out = append(p.out, sources.Person{Name: p.held})
	}
	p.held = ""
	if !person.IsZero() {
		p.out = append(p.out, person)
	}
	p.reset()
}

func (p *addressParser) hold(name string) {
	if p.held != "" {
		name = p.held + ", " + name
	}
	p.held = name
	if len(p.held) > 256 { // no name: a list of something else
		p.out = append(p.out, sources.Person{Name: p.held})
		p.held = ""
	}
}

func (p *addressParser) reset() {
	p.phrase, p.angle, p.comment = p.phrase[:0], nil, nil
	p.hasAngle, p.quoted = false, false
}

// person makes one of what the entry holds.
func (p *addressParser) person() sources.Person {
	if p.hasAngle && len(p.angle) > 0 {
		email := p.address(p.angle)
		name := p.name(p.phrase)
		if name == "" {
			name = p.name(p.comment)
		}
		return tidyPerson(name, email)
	}
	email, rest := findAddress(trimSpace(p.phrase))
	if email == nil {
		name := p.name(p.phrase)
		if name == "" {
			name = p.name(p.comment)
		}
		if i := strings.IndexByte(name, '<'); i >= 0 && strings.Contains(name[i:], "@") && strings.Contains(string(p.phrase), "=?") {
			// The whole mailbox was put into one encoded word.
			return tidyPerson(name[:i], strings.TrimSuffix(name[i+1:], ">"))
		}
		return tidyPerson(name, "")
	}
	name := p.name(rest)
	if name == "" || p.comment != nil {
		if c := p.name(p.comment); c != "" {
			name = c
		}
	}
	return tidyPerson(name, p.address(email))
}

// address tidies the inside of brackets: a source route, "mailto:", quotes, blanks, an encoded word around it all.
func (p *addressParser) address(b []byte) string {
	b = trimSpace(b)
	if isPlainAddress(b) {
		return string(b)
	}
	if bytes.Contains(b, []byte("=?")) {
		b = []byte(p.d.text(b))
	}
	if len(b) > 7 && bytes.EqualFold(b[:7], []byte("mailto:")) {
		b = b[7:]
	}
	if len(b) > 0 && b[0] == '@' { // RFC 822's route: <@relay:ann@x.org>
		if i := bytes.IndexByte(b, ':'); i >= 0 {
			b = b[i+1:]
		}
	}
	b = cutComments(b)
	if i := bytes.IndexByte(b, '<'); i > 0 { // ann@x.org<mailto:ann@x.org
		b = b[:i]
	}
	if e, _ := findAddress(b); e != nil {
		b = e
	}
	return strings.Trim(p.d.text(b), " \t'<>,;")
}

// isPlainAddress reports whether there is nothing to tidy.
func isPlainAddress(b []byte) bool {
	at := 0
	for _, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_', c == '+':
		case c == '@':
			at++
		default:
			return false
		}
	}
	return at == 1 && b[0] != '@'
}

// cutComments leaves out what stands in parentheses: <pete(his account)@silly.test>.
func cutComments(b []byte) []byte {
	if bytes.IndexByte(b, '(') < 0 {
		return b
	}
	out, depth := make([]byte, 0, len(b)), 0
	for _, c := range b {
		switch {
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth == 0:
			out = append(out, c)
		}
	}
	return out
}

func (p *addressParser) name(b []byte) string {
	b = trimSpace(b)
	if len(b) == 0 {
		return ""
	}
	s := p.d.text(b)
	if strings.Contains(s, "  ") {
		s = strings.Join(strings.Fields(s), " ")
	}
	return s
}

// findAddress finds an address among words: a word with "@", or "ann at x.org" when that is all, as list archives
// write it. rest is what stands beside it.
func findAddress(b []byte) (email, rest []byte) {
	at := bytes.IndexByte(b, '@')
	if at < 0 {
		f := bytes.Fields(b)
		if len(f) == 3 && bytes.EqualFold(f[1], []byte("at")) && (bytes.IndexByte(f[2], '.') > 0 || string(f[2]) == "localhost") {
			return append(append(append([]byte(nil), f[0]...), '@'), f[2]...), nil
		}
		return nil, b
	}
	start, end := at, at+1
	for start > 0 && !isSpace(b[start-1]) {
		start--
	}
	for end < len(b) && !isSpace(b[end]) {
		end++
	}
	if start == at { // "ann @x.org", "ann @ x.org"
		for start > 0 && isSpace(b[start-1]) {
			start--
		}
		for start > 0 && !isSpace(b[start-1]) {
			start--
		}
	}
	if end == at+1 {
		for end < len(b) && isSpace(b[end]) {
			end++
		}
		for end < len(b) && !isSpace(b[end]) {
			end++
		}
	}
	email = bytes.Join(bytes.Fields(b[start:end]), nil)
	return email, append(append([]byte(nil), b[:start]...), b[end:]...)
}

// tidyPerson cuts quotes that are no part of a name, and a name that only repeats the address.
func tidyPerson(name, email string) sources.Person {
	name = strings.Trim(name, " \t\"")
	if len(name) > 1 && name[0] == '\'' && name[len(name)-1] == '\'' {
		name = strings.Trim(name, "' ")
	}
	if strings.EqualFold(name, email) {
		name = ""
	}
	return sources.Person{Name: name, Email: email}
}
