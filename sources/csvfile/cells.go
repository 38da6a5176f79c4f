package csvfile

import (
	"bytes"
	"html"
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"hsimport/sources"
)

// A rowView reads the cells of one row by role.
type rowView struct {
	f       *file
	rec     *record
	scratch []byte
	said    [roleCount]string // what text returned last: many a column says the same in row after row
}

// bytes returns the first filled cell of the role, trimmed; valid until the next call.
func (v *rowView) bytes(r role) []byte {
	for _, c := range v.f.b.cols[r] {
		if cell := bytes.TrimSpace(v.rec.cell(c, &v.f.d.dialect, &v.scratch)); len(cell) > 0 {
			return cell
		}
	}
	return nil
}

// filled reports whether a cell of the role holds anything.
func (v *rowView) filled(r role) bool { return v.bytes(r) != nil }

// text returns the first filled cell of the role, trimmed and made valid.
func (v *rowView) text(r role) string {
	cell := v.bytes(r)
	if len(cell) == 0 {
		return ""
	}
	if string(cell) == v.said[r] {
		return v.said[r]
	}
	s := clean(string(cell))
	if len(s) <= maxSaid {
		v.said[r] = s
	}
	return s
}

// maxSaid is how long a text may be that is kept for the next row.
const maxSaid = 100

// each calls f with every filled cell of the role: its place in the role's list, and the cell.
func (v *rowView) each(r role, f func(i int, cell []byte)) {
	for i, c := range v.f.b.cols[r] {
		if cell := bytes.TrimSpace(v.rec.cell(c, &v.f.d.dialect, &v.scratch)); len(cell) > 0 {
			f(i, cell)
		}
	}
}

// clean makes text valid UTF-8 with \n as line end, without NULs.
func clean(s string) string {
	if strings.IndexByte(s, '\r') < 0 && strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) {
		return s
	}
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(s, "\r\n", "\n")
		s = strings.ReplaceAll(s, "\r", "\n")
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return s
}

// splitList splits a cell that holds several values: a list as Python or JSON writes it, else at the separators.
func splitList(cell, separators string) []string {
	cell = strings.TrimSpace(cell)
	if items, ok := literalList(cell); ok {
		return items
	}
	var out []string
	for _, part := range strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// literalList reads ['a', "b"] and [a, b].
func literalList(cell string) ([]string, bool) {
	if len(cell) < 2 || cell[0] != '[' || cell[len(cell)-1] != ']' {
		return nil, false
	}
	var out []string
	s := cell[1 : len(cell)-1]
	for {
		s = strings.TrimLeft(s, " ,\n\t")
		if s == "" {
			return out, true
		}
		if q := s[0]; q == '\'' || q == '"' {
			item, rest, ok := literalString(s[1:], q)
			if !ok {
				return nil, false
			}
			out, s = append(out, item), rest
			continue
		}
		item, rest, _ := strings.Cut(s, ",")
		out, s = append(out, strings.TrimSpace(item)), rest
	}
}

// literalString reads up to the closing quote q; a backslash takes the next character as it is.
func literalString(s string, q byte) (item, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == q:
			return b.String(), s[i+1:], true
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

// person reads a cell that holds an address, with or without a name before it; name, from another cell, wins.
func person(id, name, email, phone string) sources.Person {
	p := sources.Person{ID: nullToEmpty(id), Name: nullToEmpty(name), Phone: nullToEmpty(phone)}
	n, addr := splitAddress(nullToEmpty(email))
	p.Email = addr
	if p.Name == "" {
		p.Name = n
	}
	if p.Email == "" {
		if n, addr := splitAddress(p.Name); strings.Contains(addr, "@") && !strings.ContainsAny(addr, " \t") {
			p.Name, p.Email = n, addr
		}
	}
	return p
}

// nullToEmpty makes the words for "no value" empty.
func nullToEmpty(s string) string {
	if nullWord(s) {
		return ""
	}
	return s
}

// splitAddress splits `Ann Lee <ann@x.example>`; a text without angle brackets is an address as it is.
func splitAddress(s string) (name, addr string) {
	open := strings.LastIndexByte(s, '<')
	if open < 0 || !strings.HasSuffix(s, ">") {
		return "", strings.TrimSpace(strings.TrimPrefix(s, "mailto:"))
	}
	name = strings.Trim(strings.TrimSpace(s[:open]), `"'`)
	return name, strings.TrimSpace(s[open+1 : len(s)-1])
}

var commas = strings.NewReplacer(";", ",", "\n", ",")

// people reads an address list as in a Cc field; where that is malformed it is split at commas and semicolons.
func people(cell string) []sources.Person {
	if items, ok := literalList(cell); ok {
		cell = strings.Join(items, ", ")
	}
	cell = commas.Replace(cell)
	cell = strings.Trim(cell, ", \t")
	if nullWord(cell) {
		return nil
	}
	var out []sources.Person
	if list, err := mail.ParseAddressList(cell); err == nil {
		for _, a := range list {
			out = append(out, sources.Person{Name: a.Name, Email: a.Address})
		}
		return out
	}
	for part := range strings.SplitSeq(cell, ",") {
		if part = strings.TrimSpace(part); part != "" {
			n, addr := splitAddress(part)
			out = append(out, sources.Person{Name: n, Email: addr})
		}
	}
	return out
}

// yes reads a flag; ok is false for a word that is none.
func yes(cell string) (value, ok bool) {
	switch strings.ToLower(cell) {
	case "true", "t", "yes", "y", "1", "x", "on", "private", "internal", "note", "public":
		return true, true
	case "false", "f", "no", "n", "0", "off", "":
		return false, true
	}
	return false, false
}

// markup finds tags that only HTML has; angle brackets alone (<name>, a <b> c) are not enough.
var markup = regexp.MustCompile(`(?i)<(?:br|hr)\s*/?>|</(?:p|div|span|a|b|i|u|em|strong|ul|ol|li|table|tr|td|th|tbody|` +
	`html|body|head|h[1-6]|pre|code|blockquote|font|center|section)\s*>|<img\s[^>]*src\s*=|<!doctype html`)

// formatOf decides what markup a body is in: by what the source says, else by the tags in it.
func formatOf(declared, body string) sources.Format {
	switch strings.ToLower(declared) {
	case "html", "text/html", "rich", "rich_text":
		return sources.HTML
	case "text", "plain", "text/plain", "plain_text", "txt":
		return sources.Text
	}
	if strings.IndexByte(body, '<') >= 0 && markup.MatchString(body) {
		return sources.HTML
	}
	return sources.Text
}

// essence is what two renderings of one text have in common: letters and digits without tags, case and spacing.
func essence(body string) string {
	if strings.IndexByte(body, '&') >= 0 {
		body = html.UnescapeString(body)
	}
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); {
		c := body[i]
		switch {
		case c == '<':
			i += tagLen(body[i:])
			continue
		case c >= 'A' && c <= 'Z':
			out = append(out, c|0x20)
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			out = append(out, c)
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(body[i:])
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				out = utf8.AppendRune(out, unicode.ToLower(r))
			}
			i += n
			continue
		}
		i++
	}
	return string(out)
}

// plainText is body with every tag made a blank, and its entities read.
func plainText(body string) string {
	body = html.UnescapeString(body)
	var b strings.Builder
	for {
		i := strings.IndexByte(body, '<')
		if i < 0 {
			return b.String() + body
		}
		b.WriteString(body[:i])
		b.WriteByte(' ')
		body = body[i+tagLen(body[i:]):]
	}
}

// tagLen is the length of the tag at the start of s, or 1 where none is. It looks only so far ahead.
func tagLen(s string) int {
	if len(s) < 2 || s[1] != '/' && s[1] != '!' && (s[1]|0x20 < 'a' || s[1]|0x20 > 'z') {
		return 1
	}
	if i := strings.IndexByte(s[:min(len(s), 4096)], '>'); i > 0 {
		return i + 1
	}
	return 1
}

// damagedNumber recognises what a spreadsheet makes of a long number: 1.23E+11.
var damagedNumber = regexp.MustCompile(`^\d[.,]?\d*[eE]\+\d{1,2}$`)

const digitsLost = " has lost its digits in a spreadsheet; export again and do not open the file in one, or format the column as text"
