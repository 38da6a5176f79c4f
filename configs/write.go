package configs

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A page is a YAML file being written line by line: it knows its line number, so that questions can name theirs.
type page struct {
	b    strings.Builder
	line int // of the next line, 1-based
}

// put writes one line, indented by two blanks a level; comment may be empty.
func (p *page) put(level int, text, comment string) {
	if text != "" {
		p.b.WriteString(strings.Repeat("  ", level))
	}
	p.b.WriteString(text)
	if comment = oneLine(comment); comment != "" {
		p.b.WriteString(strings.Repeat(" ", max(1, 40-2*level-utf8.RuneCountInString(text))))
		p.b.WriteString("# " + comment)
	}
	p.b.WriteByte('\n')
	p.line++
}

// note writes comment lines.
func (p *page) note(level int, lines ...string) {
	for _, l := range lines {
		p.put(level, "# "+oneLine(l), "")
	}
}

// paragraph writes a text of ours as comment lines of at most 120 characters.
func (p *page) paragraph(level int, text string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line+word) >= 120 {
			p.note(level, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	p.note(level, line)
}

// key writes name: value.
func (p *page) key(level int, name, value, comment string) {
	p.put(level, scalar(name)+": "+value, comment)
}

// oneLine makes text from an export safe for a comment: one line, printable, not too long.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 160 {
		s = string(r[:160]) + "..."
	}
	return strings.TrimSpace(s)
}

// scalar writes s as a YAML key: plain where nobody could read it otherwise, else in double quotes.
func scalar(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r >= 0x7f && r < 0xa0:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffe || r == 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// value is scalar for a value: there a dollar may begin a variable.
func value(s string) string { return scalar(strings.ReplaceAll(s, "$", "$$")) }

// items is a list of values on one line.
func items(values []string) string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = value(v)
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// isPlain is true for words that every YAML reader takes for text, inside and outside of lists.
func isPlain(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		inside := i > 0 && (r >= '0' && r <= '9' || strings.ContainsRune("_-./@", r) || r == ' ' && i < len(s)-1)
		if !letter && !inside {
			return false
		}
	}
	switch strings.ToLower(s) {
	case "", "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		return false
	}
	return true
}
