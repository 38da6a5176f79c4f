package csvfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hsimport/sources"
)

// A packed comment is a cell that holds `date;author;text`, as Jira writes it.
type packed struct {
	at     cellDate
	has    bool
	author string
	text   []byte
}

// unpack splits a comment cell if its first part is a date.
func (f *file) unpack(cell []byte, facts *dateFacts) packed {
	head := cell[:min(len(cell), 64)]
	i := bytes.IndexByte(head, ';')
	if i < 6 || !hasDigit(head[:i]) {
		return packed{text: cell}
	}
	j := bytes.IndexByte(cell[i+1:], ';')
	if j < 0 || j > 256 || bytes.IndexByte(cell[i+1:i+1+j], '\n') >= 0 {
		return packed{text: cell}
	}
	at := f.dates.read(cell[:i], nil)
	if at.bad || at.t.IsZero() {
		return packed{text: cell}
	}
	if facts != nil {
		f.dates.read(cell[:i], facts)
	}
	return packed{at: at, has: true, author: string(cell[i+1 : i+1+j]), text: cell[i+j+2:]}
}

func hasDigit(b []byte) bool {
	for _, c := range b {
		if c >= '0' && c <= '9' {
			return true
		}
	}
	return false
}

// ticketKey is the row's ticket: its id, else a digest of what never changes. problem says why there is none.
func (v *rowView) ticketKey(dst []byte) (key []byte, problem string) {
	if v.f.b.has(ticketID) {
		return appendID(dst, v.bytes(ticketID))
	}
	h := sha256.New()
	at := v.f.dates.read(v.bytes(createdAt), nil)
	requester := person(v.text(requesterID), v.text(requesterName), v.text(requesterEmail), "")
	for _, part := range []string{
		strings.ToLower(requester.Email), requester.Name, requester.ID, stampText(at.t), v.text(subject), v.firstBody(),
	} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.AppendEncode(append(dst, digestPrefix...), h.Sum(nil)[:12]), ""
}

// digestPrefix begins the keys of tickets that have no id.
const digestPrefix = "digest-"

const maxID = 250

// appendID appends the key of a ticket with this id.
func appendID(dst, id []byte) (key []byte, problem string) {
	switch {
	case len(id) == 0:
		return nil, "the ticket id is empty"
	case bytes.ContainsAny(id, "\n\r\x00"):
		return nil, "the ticket id holds a line break; is it the right column?"
	case len(id) > maxID:
		return nil, "the ticket id is longer than 250 bytes; is it the right column?"
	case bytes.IndexByte(id, '+') > 0 && damagedNumber.Match(id):
		return nil, "the ticket id " + string(id) + digitsLost
	}
	if bytes.HasPrefix(id, []byte(digestPrefix)) {
		dst = append(dst, "id-"...)
	}
	return append(dst, clean(string(id))...), ""
}

// firstBody is the text that a ticket begins with, as far as it names one.
func (v *rowView) firstBody() string {
	if body := v.text(description); body != "" {
		return body
	}
	first := ""
	v.each(comments, func(i int, cell []byte) {
		if first == "" {
			first = clean(string(v.f.unpack(cell, nil).text))
		}
	})
	return first
}

// stampText is a time in digests: to the second, empty when there is none.
func stampText(t time.Time) string { return string(appendStamp(nil, t)) }

// appendStamp appends a time as it stands in keys and digests.
func appendStamp(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	return t.UTC().AppendFormat(dst, time.RFC3339)
}

// A piece is a record of a row: one thing that becomes a message.
type piece struct {
	role role // description, comments, answer or messageBody
	nth  int  // of comments: which column
	at   cellDate
	text []byte
	from string // author of a packed comment
}

// pieces calls f with the records of a row, in the order of the columns.
func (v *rowView) pieces(facts *[roleCount]dateFacts, f func(piece)) {
	switch v.f.b.shape {
	case messageRows, joinedRows:
		at := v.f.dates.read(v.bytes(messageCreatedAt), factsOf(facts, messageCreatedAt))
		f(piece{role: messageBody, at: at, text: v.bytes(messageBody)})
	case ticketRows:
		if v.filled(description) || v.filled(attachments) {
			at := v.f.dates.read(v.bytes(createdAt), nil)
			f(piece{role: description, at: at, text: v.bytes(description)})
		}
		v.each(comments, func(i int, cell []byte) {
			p := v.f.unpack(cell, factsOf(facts, comments))
			if !p.has {
				p.author, p.at = v.beside(i, factsOf(facts, commentDates))
			}
			f(piece{role: comments, nth: i, at: p.at, text: p.text, from: p.author})
		})
		v.each(answer, func(i int, cell []byte) { f(piece{role: answer, nth: i, text: cell}) })
	}
}

func factsOf(facts *[roleCount]dateFacts, r role) *dateFacts {
	if facts == nil {
		return nil
	}
	return &facts[r]
}

// message fills in the message of a piece. The requester is the ticket's, for pieces that have no author of their own;
// with light attachments are named and sized but not read.
func (v *rowView) message(s *Source, m *sources.Message, p piece, requester sources.Person, light bool) {
	m.CreatedAt, m.Position, m.Body = p.at.t, v.position(), clean(string(p.text))
	if m.Body != string(p.text) {
		v.textNotices(m, p.text)
	}
	m.Format = v.formatOf(p.role, m.Body)
	switch p.role {
	case description:
		m.Author, m.Kind = requester, v.text(descriptionKind)
		if by := s.resolve(person(v.text(descriptionAuthorID), v.text(descriptionAuthorName), v.text(descriptionAuthorEmail), "")); !by.IsZero() {
			m.Author = by
		}
		m.Attachments = v.attachments(s, attachments, light)
	case comments:
		m.Author = s.resolve(person(p.from, "", "", ""))
		if m.Author.Email == "" && m.Author.Name == "" && p.from != "" && !lostDigits(p.from) {
			m.Author = s.resolve(person("", p.from, "", ""))
		}
	case answer:
		m.Kind = "agent"
	default:
		v.fill(s, m, light)
	}
	v.showFiles(s, m, p.role)
	v.notices(m, p)
}

// fill reads the columns of a message row.
func (v *rowView) fill(s *Source, m *sources.Message, light bool) {
	if m.ID = v.text(messageID); strings.ContainsFunc(m.ID, unicode.IsSpace) {
		m.ID = strings.Join(strings.Fields(m.ID), " ")
	}
	m.Author = s.resolve(person(v.text(messageAuthorID), v.text(messageAuthorName), v.text(messageAuthorEmail), ""))
	m.Kind = v.text(messageKind)
	m.Channel = v.text(messageChannel)
	if cell := v.text(messagePrivate); cell != "" {
		on, ok := yes(cell)
		m.Private = on && !strings.EqualFold(cell, "public")
		if !ok {
			m.Problems = append(m.Problems, v.problem("bad-flag", "message_private is "+quoteShort(cell)+
				", which is neither yes nor no; the message is kept private"))
			m.Private = true
		}
	}
	if cell := v.text(messagePublic); cell != "" {
		on, ok := yes(cell)
		m.Private = m.Private || !on || strings.EqualFold(cell, "private") || strings.EqualFold(cell, "internal")
		if !ok {
			m.Problems = append(m.Problems, v.problem("bad-flag", "message_public is "+quoteShort(cell)+
				", which is neither yes nor no; the message is kept private"))
		}
	}
	v.each(messageCc, func(_ int, cell []byte) {
		for _, p := range people(clean(string(cell))) {
			m.Cc = append(m.Cc, s.resolve(p))
		}
	})
	m.Attachments = v.attachments(s, messageAttachments, light)
}

// formatOf is the markup of a piece's body.
func (v *rowView) formatOf(r role, body string) sources.Format {
	switch r {
	case description:
		return formatOf(v.format(descriptionFormat), body)
	case messageBody:
		return formatOf(v.format(messageFormat), body)
	}
	return formatOf("", body)
}

// format is what the source says of a body's markup.
func (v *rowView) format(r role) string {
	if w := v.f.b.literal[r]; w != "" {
		return w
	}
	return v.text(r)
}

// notices adds what the reader survived in this row to the message.
func (v *rowView) notices(m *sources.Message, p piece) {
	switch {
	case p.at.bad:
		r := messageCreatedAt
		switch p.role {
		case description:
			r = createdAt
		case comments:
			r = commentDates
		}
		m.Problems = append(m.Problems, v.problem("bad-date", r.String()+" is "+quoteShort(v.text(r))+
			", which is no date of this column's form; the message has no time of its own"))
	case p.at.t.IsZero():
		m.Problems = append(m.Problems, v.problem("no-date", "the message has no time of its own"))
	}
	if m.Author.IsZero() && lostDigits(v.authorID(p)) {
		m.Problems = append(m.Problems, v.problem("author-id-lost", "the author's id "+v.authorID(p)+digitsLost+"; nobody is named"))
	}
	if n := len(v.rec.spans); n < len(v.f.b.header) {
		m.Problems = append(m.Problems, v.problem("short-row", "the row has fewer columns than the header; the missing "+
			"ones are taken as empty"))
	}
	if v.rec.stray {
		m.Problems = append(m.Problems, v.problem("stray-quotes", "the row's quotes are damaged; it is read so that its "+
			"number of columns is the header's"))
	}
}

// textNotices adds what was wrong with the bytes of the body, which raw still holds.
func (v *rowView) textNotices(m *sources.Message, raw []byte) {
	if bytes.IndexByte(raw, 0) >= 0 {
		m.Problems = append(m.Problems, v.problem("nul-bytes", "the text held NUL bytes; they are left out"))
	}
	if !utf8.Valid(raw) {
		m.Problems = append(m.Problems, v.problem("bad-encoding", "the text held bytes that are not "+v.f.in.encoding+
			"; they are replaced by U+FFFD"))
	}
}

func (v *rowView) position() sources.Position {
	return sources.Position{File: v.f.in.name, Line: v.rec.line, Offset: v.rec.off}
}

func (v *rowView) problem(code, text string) sources.Problem {
	return sources.Problem{Severity: sources.Warning, Code: code, Text: text, Position: v.position()}
}

// quoteShort quotes a value and cuts it to what fits into a line.
func quoteShort(s string) string {
	return `"` + shorten(s, 60) + `"`
}

// shorten cuts text to n runes on one line.
func shorten(s string, n int) string {
	s = strings.Join(strings.Fields(s[:min(len(s), 8*n)]), " ")
	i := 0
	for at := range s {
		if i == n {
			return clean(s[:at]) + "…"
		}
		i++
	}
	return clean(s)
}
