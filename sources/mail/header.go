package mail

import "bytes"

// Bounds of one header block. What is beyond them is passed over, never an error.
const (
	maxHeaderBytes = 2 << 20   // of one block
	maxValueBytes  = 256 << 10 // of one field; a References field of a thread of 4,000 mails fits
	maxFields      = 10_000
)

// A scanner walks the fields of a header block, in the order of the file. It holds slices of the message only.
//
// It is made for archives: leading blank lines, a From_ line, a byte order mark, blanks before the first name or before
// the colon, continuation lines that lost their indent and a missing blank line before the text are all survived.
type scanner struct {
	raw    []byte
	pos    int  // of the next line; after the last field, where the body starts
	start  int  // of the field that next returned
	part   bool // the header of a MIME part: nothing stands before its first field
	fields int
	begun  bool
	cut    bool // a field or the block was longer than the bounds
	noGap  bool // the text begins without a blank line before it

	// The line that ended the last field has been looked at already: where it stands and ends, and its field name.
	seen, seenEnd, seenName, seenColon int
}

// next returns the next field: its name as written, its value with folding. ok is false at the end of the block.
func (s *scanner) next() (name, value []byte, ok bool) {
	if !s.begun {
		s.begun = true
		if !s.part {
			s.pos = headerStart(s.raw)
		}
	}
	for s.pos < len(s.raw) {
		end, n, colon := s.look()
		line := s.raw[s.pos:end]
		if isBlankLine(line) {
			s.pos = end
			return nil, nil, false
		}
		if n < 0 {
			if isFromLine(line) {
				s.pos = end
				continue
			}
			s.noGap = true
			return nil, nil, false
		}
		name = line[:n]
		s.start = s.pos
		start := s.pos + colon + 1
		s.pos = s.foldedEnd(start, end)
		s.fields++
		if s.fields > maxFields || s.pos > maxHeaderBytes {
			s.cut = true
			continue
		}
		value = s.raw[start:s.pos]
		if len(value) > maxValueBytes {
			s.cut = true
			value = value[:maxValueBytes]
		}
		return name, trimSpace(value), true
	}
	return nil, nil, false
}

// look finds the end of the line at pos and its field name, unless foldedEnd just did.
func (s *scanner) look() (end, n, colon int) {
	if s.seenEnd > s.pos && s.seen == s.pos {
		return s.seenEnd, s.seenName, s.seenColon
	}
	end = lineEnd(s.raw, s.pos)
	n, colon = fieldName(s.raw[s.pos:end])
	return end, n, colon
}

// foldedEnd is the end of a field whose first line ends at end: continuation lines belong to it.
func (s *scanner) foldedEnd(start, end int) int {
	for end < len(s.raw) {
		c := s.raw[end]
		if c == ' ' || c == '\t' {
			next := lineEnd(s.raw, end)
			if len(trimSpace(s.raw[end:next])) == 0 && !goesOn(s.raw, next) {
				return end
			}
			end = next
			continue
		}
		if c == '\n' || c == '\r' {
			return end
		}
		next := lineEnd(s.raw, end)
		line := s.raw[end:next]
		n, colon := fieldName(line)
		s.seen, s.seenEnd, s.seenName, s.seenColon = end, next, n, colon
		if n >= 0 || isFromLine(line) || !isLostIndent(s.raw[start:end], line, s.raw[next:]) {
			return end
		}
		end = next
	}
	return end
}

// isLostIndent reports whether line, which is no field, continues the value before it: a parameter after ";", an
// address after ",", or anything when a field follows.
func isLostIndent(value, line, rest []byte) bool {
	value = trimSpace(value)
	if len(value) > 0 && (value[len(value)-1] == ';' || value[len(value)-1] == ',') {
		return true
	}
	if len(rest) == 0 {
		return false
	}
	return LooksLikeHeader(rest) && len(line) < 998
}

// goesOn reports whether the header block goes on at pos, after a line of blanks only: another field follows before
// the next blank line, perhaps after more lines of the folded one.
func goesOn(raw []byte, pos int) bool {
	for lines := 0; pos < len(raw) && lines < 50; lines++ {
		end := lineEnd(raw, pos)
		if c := raw[pos]; c != ' ' && c != '\t' {
			return LooksLikeHeader(raw[pos:end])
		}
		pos = end
	}
	return false
}

// headerStart skips what stands before the first field: a byte order mark, blank lines, a From_ line, blanks.
func headerStart(raw []byte) int {
	pos := 0
	if bytes.HasPrefix(raw, []byte("\xef\xbb\xbf")) {
		pos = 3
	}
	for i := pos; i < len(raw) && i < pos+1024; {
		end := lineEnd(raw, i)
		line := raw[i:end]
		if isFromLine(line) || len(trimSpace(line)) == 0 {
			i = end
			continue
		}
		blanks := len(line) - len(bytes.TrimLeft(line, " \t"))
		if n, _ := fieldName(line[blanks:]); n >= 0 {
			return i + blanks
		}
		break
	}
	return pos
}

// HeaderEnd is the offset after the blank line that ends the header of raw, or len(raw). A message without a header
// answers 0.
func HeaderEnd(raw []byte) int {
	s := scanner{raw: raw}
	known := false
	for {
		name, _, ok := s.next()
		if !ok {
			break
		}
		known = known || isKnownName(name)
	}
	if !known {
		return 0
	}
	return s.pos
}

// LooksLikeHeader reports whether line begins a header block or goes on with one: a well-known field name, or one with
// a hyphen in it, before a colon. Prose with a colon ("Note: ...", "http://...") does not. line may run on beyond its
// line end.
func LooksLikeHeader(line []byte) bool {
	n, _ := fieldName(line)
	return n > 0 && isKnownName(line[:n])
}

// fieldName is the length of the field name that line begins with and the place of its colon, or -1.
func fieldName(line []byte) (n, colon int) {
	if len(line) > 1 && line[0] == '-' && line[1] == '-' {
		return -1, 0 // a MIME boundary, which may hold colons
	}
	i := 0
	for i < len(line) && line[i] > ' ' && line[i] != ':' && line[i] < 127 {
		i++
	}
	if i == 0 || i == len(line) || i > 200 {
		return -1, 0
	}
	switch line[i] {
	case ':':
		return i, i
	case ' ', '\t':
		if rest := bytes.TrimLeft(line[i:], " \t"); len(rest) > 0 && rest[0] == ':' {
			return i, len(line) - len(rest)
		}
	}
	return -1, 0
}

// isKnownName reports whether name is a field that mail carries: any with a hyphen inside, or one of RFC 5322's and
// the archive formats' short ones.
func isKnownName(name []byte) bool {
	if i := bytes.IndexByte(name, '-'); i > 0 && i < len(name)-1 {
		return isToken(name)
	}
	if len(name) > 16 {
		return false
	}
	var buf [16]byte
	switch string(lower(buf[:0], name)) {
	case "from", "to", "cc", "bcc", "subject", "date", "sender", "received", "status", "lines", "path", "newsgroups",
		"organization", "organisation", "references", "comments", "keywords", "precedence", "importance", "priority",
		"approved", "xref", "distribution", "summary", "sensitivity", "encoding", "supersedes", "control", "messageid",
		"expires", "mailer", "errors", "resent", "delivered", "archived":
		return true
	}
	return false
}

// isToken reports whether name consists of letters, digits, "-", "_" and "." only: a name as programs write them.
func isToken(name []byte) bool {
	for _, c := range name {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return true
}

// isFromLine reports whether line is an mbox separator that got into a header.
func isFromLine(line []byte) bool {
	return bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
}

// lineEnd is the offset after the line that starts at pos.
func lineEnd(raw []byte, pos int) int {
	if i := bytes.IndexByte(raw[pos:], '\n'); i >= 0 {
		return pos + i + 1
	}
	return len(raw)
}

func isBlankLine(line []byte) bool {
	return len(line) == 1 && (line[0] == '\n' || line[0] == '\r') || len(line) == 2 && line[0] == '\r' && line[1] == '\n'
}

// lower appends b to dst with A-Z made a-z.
func lower(dst, b []byte) []byte {
	for _, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// trimSpace cuts ASCII white space off both ends; unlike bytes.TrimSpace it leaves bytes above 127 alone, which may be
// of any charset.
func trimSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f'
}

// unfold joins the lines of a value with one blank each. The result shares memory with v when v is of one line.
func unfold(v []byte) []byte {
	if bytes.IndexByte(v, '\n') < 0 && bytes.IndexByte(v, '\r') < 0 {
		return v
	}
	out := make([]byte, 0, len(v))
	for i := 0; i < len(v); i++ {
		if v[i] != '\r' && v[i] != '\n' {
			out = append(out, v[i])
			continue
		}
		for i+1 < len(v) && isSpace(v[i+1]) {
			i++
		}
		if n := len(out); n > 0 && out[n-1] != ' ' {
			out = append(out, ' ')
		}
	}
	return out
}
