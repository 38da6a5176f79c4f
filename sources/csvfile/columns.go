package csvfile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hsimport/sources"
)

// A role is one of our names of a column.
type role uint8

// The roles. The names that a configuration uses stand in roleNames; README and the configuration's schema list them.
const (
	ticketID     role = iota
	ticketNumber      // the number people know it by, where the id is another
	subject
	status
	requesterID
	requesterName
	requesterEmail
	requesterPhone
	assigneeID
	assigneeName
	assigneeEmail
	groupName
	inbox
	priority
	channel
	ticketURL
	createdAt
	updatedAt
	closedAt
	tags
	description
	descriptionFormat
	descriptionKind
	descriptionAuthorID
	descriptionAuthorName
	descriptionAuthorEmail
	comments
	commentAuthors // of comments, in the same order
	commentDates   // likewise
	answer
	attachments
	attachmentNames
	messageID
	messageAuthorID
	messageAuthorName
	messageAuthorEmail
	messageKind
	messagePrivate
	messagePublic
	messageChannel
	messageBody
	messageFormat
	messageCreatedAt
	messageAttachments
	messageAttachmentNames
	messageCc
	userID
	userName
	userLastName // added to the name where that does not end with it
	userEmail
	userPhone
	userRole
	roleCount
)

var roleNames = [roleCount]string{
	"ticket_id", "ticket_number", "subject", "status", "requester_id", "requester_name", "requester_email", "requester_phone",
	"assignee_id", "assignee_name", "assignee_email", "group", "inbox", "priority", "channel", "url", "created_at",
	"updated_at", "closed_at", "tags", "description", "description_format", "description_kind", "description_author_id",
	"description_author_name", "description_author_email", "comments", "comment_authors", "comment_dates", "answer", "attachments", "attachment_names",
	"message_id", "message_author_id", "message_author_name", "message_author_email", "message_kind",
	"message_private", "message_public", "message_channel", "message_body", "message_format", "message_created_at",
	"message_attachments", "message_attachment_names", "message_cc", "user_id", "user_name", "user_last_name", "user_email", "user_phone", "user_role",
}

func (r role) String() string { return roleNames[r] }

// list reports whether the role takes all columns it names; another takes the first of them that is filled.
func (r role) list() bool {
	switch r {
	case tags, comments, commentAuthors, commentDates, attachments, attachmentNames, messageAttachments, messageAttachmentNames, messageCc:
		return true
	}
	return false
}

// date reports whether the cells of the role are dates.
func (r role) date() bool {
	switch r {
	case createdAt, updatedAt, closedAt, messageCreatedAt, commentDates:
		return true
	}
	return false
}

// A shape says which roles a file may have.
type shape uint8

const (
	ticketRows  shape = iota // one row per ticket
	messageRows              // one row per message, each with the ticket's columns
	joinedRows               // messages of a joined export
	userRows                 // users of a joined export
)

// allows reports whether columns of the role mean something in files of this shape.
func (s shape) allows(r role) bool {
	switch s {
	case ticketRows:
		return r < messageID
	case messageRows:
		return r <= descriptionFormat || r >= messageID && r < userID
	case joinedRows:
		return r == ticketID || r >= messageID && r < userID
	}
	return r >= userID
}

// A binding ties our names to the columns of one file.
type binding struct {
	shape   shape
	header  []string // as written, repeated names numbered: Comment#1, Comment#2
	raw     []string // as written
	cols    [roleCount][]int
	fields  []boundField
	literal [roleCount]string // of formats: a word instead of a column
	use     []use
	drop    []dropRule
	// factCols are the columns of the ticket's own roles and of the fields: rows in which these are equal say the same
	// of their ticket.
	factCols []int
	// elsewhere reports whether another file of the kind has a column.
	elsewhere func(spec string) bool
}

type boundField struct {
	name string
	cols []int
}

// use is what the ledger says of a column, while it is counted.
type use struct {
	class   sources.UseClass
	as      []string
	filled  int
	example string
}

// nameColumns numbers repeated headers and names blank ones, so that each column has a name of its own.
func nameColumns(header []string) []string {
	count := map[string]int{}
	for _, h := range header {
		count[h]++
	}
	seen := map[string]int{}
	names := make([]string, len(header))
	for i, h := range header {
		switch {
		case h == "":
			names[i] = fmt.Sprintf("column %d", i+1)
		case count[h] > 1:
			seen[h]++
			names[i] = h + "#" + strconv.Itoa(seen[h])
		default:
			names[i] = h
		}
	}
	return names
}

// find returns the columns that spec names: a header, Comment#2, Comment#* or tag_* for all of a kind, or several of
// these separated by | or a comma. A header that itself holds these characters is found first.
func (b *binding) find(spec string) []int {
	if cols := b.findOne(spec); cols != nil {
		return cols
	}
	parts := strings.FieldsFunc(spec, func(r rune) bool { return r == '|' || r == ',' })
	if len(parts) < 2 {
		return nil
	}
	var all []int
	for _, part := range parts {
		cols := b.findOne(part)
		if cols == nil {
			return nil
		}
		all = append(all, cols...)
	}
	return all
}

// findHere is find for a file beside others of its kind: what it lacks and another has is left out. ok is false where a
// column stands nowhere.
func (b *binding) findHere(spec string) (cols []int, ok bool) {
	if cols := b.find(spec); cols != nil || b.elsewhere == nil {
		return cols, cols != nil
	}
	if b.elsewhere(spec) {
		return nil, true
	}
	for part := range strings.SplitSeq(spec, "|") {
		found := b.findOne(part)
		if found == nil && !b.elsewhere(part) {
			return nil, false
		}
		cols = append(cols, found...)
	}
	return cols, true
}

func (b *binding) findOne(spec string) []int {
	spec = strings.TrimSpace(spec)
	if spec == "" {
		return nil
	}
	for _, same := range [...]func(a, b string) bool{
		func(a, b string) bool { return a == b },
		func(a, b string) bool { return strings.EqualFold(a, b) },
	} {
		var cols []int
		for i := range b.header {
			if same(b.header[i], spec) || same(b.raw[i], spec) {
				cols = append(cols, i)
			}
		}
		if cols != nil {
			return cols
		}
	}
	if strings.Contains(spec, numberMark) {
		return b.findNumbered(spec)
	}
	stem, ok := strings.CutSuffix(spec, "*")
	if !ok {
		return nil
	}
	var cols []int
	for i, h := range b.header {
		if h == strings.TrimSuffix(stem, "#") || len(h) > len(stem) && strings.EqualFold(h[:len(stem)], stem) {
			cols = append(cols, i)
		}
	}
	return cols
}

// roleOf looks a name of ours up.
func roleOf(name string) (role, bool) {
	i := slices.Index(roleNames[:], name)
	return role(max(i, 0)), i >= 0
}

// A columnError says which of our names, or which headers, do not exist.
type columnError struct {
	missing int // headers that the file lacks; 0: a name of ours is unknown
	text    string
	hint    string
}

func (e *columnError) Error() string { return e.text }

// bind ties a table of columns, ours to theirs, to a file's header. Columns that the file lacks are an error, but for
// those that stand elsewhere: in another file of its kind. elsewhere may be nil.
func bind(s shape, header []string, columns, fields map[string]string, ignore []string, key string, elsewhere func(string) bool) (*binding, error) {
	b := &binding{shape: s, raw: header, header: nameColumns(header), use: make([]use, len(header)), elsewhere: elsewhere}
	var lacking []lack
	for _, name := range sortedKeys(columns) {
		found, err := b.bindRole(name, columns[name], key)
		if err != nil {
			return nil, err
		}
		if !found {
			lacking = append(lacking, lack{columns[name], name})
		}
	}
	for _, name := range sortedKeys(fields) {
		cols, ok := b.findHere(fields[name])
		if !ok {
			lacking = append(lacking, lack{fields[name], "field " + name})
			continue
		}
		b.fields = append(b.fields, boundField{name, cols})
		b.mark(cols, sources.Mapped, "field "+name)
	}
	if lacking != nil {
		return nil, b.missing(lacking, key)
	}
	for r := range comments { // of rows of messages, the description is a fact of the ticket too
		if r < description || s == messageRows {
			b.factCols = append(b.factCols, b.cols[r]...)
		}
	}
	for _, f := range b.fields {
		b.factCols = append(b.factCols, f.cols...)
	}
	for _, name := range ignore {
		// A column that is not there is ignored as well as can be.
		for _, c := range b.find(name) {
			if b.use[c].class == "" {
				b.use[c].class = sources.Ignored
			}
		}
	}
	return b, nil
}

// bindRole ties one of our names to the columns that spec names; found is false where the header lacks them.
func (b *binding) bindRole(name, spec, key string) (found bool, err error) {
	r, ok := roleOf(name)
	if !ok || !b.shape.allows(r) {
		var known []string
		for r := range roleCount {
			if b.shape.allows(r) {
				known = append(known, r.String())
			}
		}
		return false, &columnError{
			text: fmt.Sprintf("%s: %s is not a column name of this layout", key, name),
			hint: "the nearest one is " + nearest(name, known, 1)[0],
		}
	}
	if strings.TrimSpace(spec) == "" {
		return true, nil
	}
	cols, ok := b.findHere(spec)
	if !ok {
		w := strings.ToLower(spec)
		if (r != messageFormat && r != descriptionFormat) || w != "text" && w != "html" {
			return false, nil
		}
		b.literal[r] = w
		return true, nil
	}
	b.cols[r] = cols
	class := sources.Mapped
	if r == ticketID || r == messageID {
		class = sources.KeyColumn
	}
	b.mark(cols, class, name)
	return true, nil
}

func (b *binding) mark(cols []int, class sources.UseClass, as string) {
	for _, c := range cols {
		if b.use[c].class != sources.KeyColumn {
			b.use[c].class = class
		}
		b.use[c].as = append(b.use[c].as, as)
	}
}

// A lack is a header that the configuration names and the file does not have.
type lack struct{ spec, ours string }

// missing names all that the header lacks, each with the headers that look most like it.
func (b *binding) missing(lacking []lack, key string) error {
	e := &columnError{missing: len(lacking)}
	if first := lacking[0]; len(lacking) == 1 {
		e.text = fmt.Sprintf("%s %s: there is no column %q in the header", key, first.ours, first.spec)
		if near := nearest(first.spec, b.header, 3); len(near) > 0 {
			e.hint = "the nearest headers are " + strings.Join(quoteAll(near), ", ")
		}
		return e
	}
	var lines []string
	for _, l := range lacking {
		line := fmt.Sprintf("%s: %q", l.ours, l.spec)
		if near := nearest(l.spec, b.header, 1); len(near) > 0 && alike(l.spec, near[0]) {
			line += fmt.Sprintf(" (the nearest is %q)", near[0])
		}
		lines = append(lines, line)
	}
	e.text = fmt.Sprintf("%s: the header lacks %d columns\n  %s", key, len(lacking), strings.Join(lines, "\n  "))
	e.hint = "the header has " + shorten(strings.Join(quoteAll(b.header), ", "), 600)
	return e
}

// alike reports whether one word may be meant by the other: one holds the other, or half of their letters agree.
func alike(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	return strings.Contains(a, b) || strings.Contains(b, a) || 2*sources.EditDistance(a, b) <= max(len(a), len(b))
}

// bound is how many of our names have columns.
func (b *binding) bound() (n int) {
	for _, cols := range b.cols {
		n += min(len(cols), 1)
	}
	return n
}

func (b *binding) has(r role) bool { return len(b.cols[r]) > 0 }

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func quoteAll(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = strconv.Quote(w)
	}
	return out
}

// nearest returns the n words that look most like name, the likest first.
func nearest(name string, words []string, n int) []string {
	words = slices.Clone(words)
	name = strings.ToLower(name)
	dist := map[string]int{}
	for _, w := range words {
		l := strings.ToLower(w)
		dist[w] = sources.EditDistance(name, l)
		if strings.Contains(l, name) || strings.Contains(name, l) {
			dist[w] /= 2
		}
	}
	slices.SortStableFunc(words, func(a, b string) int { return dist[a] - dist[b] })
	return words[:min(n, len(words))]
}
