package jsonfile

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"hsimport/sources"
	"hsimport/sources/csvfile"
)

// A candidate is a list of records that was found in a file.
type candidate struct {
	path   listPath
	shapes *shapes
	sample [][]byte // some of its records
	held   int      // bytes of them
	scores []int    // by kind; nil until they are asked for
}

// Bounds of what a survey keeps of each list.
const (
	sampleRecords = 300
	sampleBytes   = 4 << 20
	headBytes     = 4 << 20 // of a file, to tell an envelope from a record
)

// explore finds the lists of records in a file, in its order.
func explore(ctx context.Context, file *csvfile.File, limit int64) ([]*candidate, error) {
	root, err := rootOf(file)
	if err != nil {
		return nil, err
	}
	r := newReader(file.Content, file.Size, limit, nil, -1)
	var all []*candidate
	add := func(p listPath) { all = append(all, &candidate{path: p, shapes: newShapes()}) }
	if root != nil {
		r.lists, r.known = []listPath{*root}, make([][]string, 1)
		add(*root)
	} else {
		r.explore = func(path string) (listPath, bool) {
			p, err := parseList(path)
			if err != nil || len(all) == maxLists {
				return p, false
			}
			add(p)
			return p, true
		}
	}
	err = r.each(ctx, func(l int, t *tree) {
		c := all[l]
		c.shapes.learn(t)
		if len(c.sample) < sampleRecords && c.held < sampleBytes {
			c.sample = append(c.sample, slices.Clone(t.raw))
			c.held += len(t.raw)
		}
	})
	if err != nil {
		return nil, err
	}
	return filled(all), nil
}

// filled are the lists that hold a record.
func filled(all []*candidate) []*candidate {
	var out []*candidate
	for _, c := range all {
		if c.shapes.records > 0 {
			out = append(out, c)
		}
	}
	return out
}

// rootOf decides whether the values at the top of a file are records themselves, or hold one; nil: they hold lists.
func rootOf(file *csvfile.File) (*listPath, error) {
	head := make([]byte, min(file.Size, headBytes))
	if _, err := file.Content.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	head = []byte(strings.TrimPrefix(string(head), "\uFEFF"))
	s := newShapes()
	for s.records < 50 {
		start := slices.IndexFunc(head, func(c byte) bool { return c == '{' || c == '[' })
		if start < 0 || head[start] == '[' {
			break
		}
		var f framer
		n := f.frame(head[start:])
		if n == 0 {
			break
		}
		if t, err := parse(head[start:start+n], nil); err == nil {
			s.learn(&t)
		}
		head = head[start+n:]
	}
	if s.records == 0 {
		return nil, nil
	}
	return s.root.recordsAt(), nil
}

// recordsAt decides whether the object s is a record (.), an envelope around one (ticket), or one around lists (nil).
func (s *shape) recordsAt() *listPath {
	best, list := 0, false
	var child *shape
	var look func(k *shape, depth int)
	look = func(k *shape, depth int) {
		for _, m := range k.kids {
			switch {
			case m.seg == "[]" && len(m.kids) > 0:
				list = true
				best = max(best, ticketScore(m.relative()))
			case m.seg[0] != '[' && len(m.kids) > 0 && depth < 3:
				if child == nil && hasSubject(m.relative()) {
					child = m
				}
				look(m, depth+1)
			}
		}
	}
	look(s, 0)
	header := s.relative()
	if child != nil {
		header = slices.DeleteFunc(header, func(h string) bool { return strings.HasPrefix(h, child.path+".") })
	}
	own := ticketScore(header)
	if hasSubject(header) {
		child = nil
	}
	switch {
	case own >= 3 && own >= best && child == nil, !list && child == nil:
		return &listPath{}
	case child != nil && ticketScore(child.relative()) > best:
		p, err := parseList(child.path)
		if err != nil {
			return nil
		}
		return &p
	}
	return nil
}

// hasSubject reports whether a subject is among the columns: what tells a ticket from what it holds.
func hasSubject(header []string) bool {
	return csvfile.Guess(csvfile.TicketPart, header, nil)["subject"] != "" && ticketScore(header) >= 3
}

// relative are the paths of the columns at and below s, from s on.
func (s *shape) relative() []string {
	var all []string
	var walk func(k *shape)
	walk = func(k *shape) {
		if k.column() && k != s {
			all = append(all, strings.TrimPrefix(strings.TrimPrefix(k.path, s.path), "."))
		}
		for _, m := range k.kids {
			walk(m)
		}
	}
	walk(s)
	return all
}

// ticketScore counts the columns that make a ticket.
func ticketScore(header []string) int {
	cols := csvfile.Guess(csvfile.TicketPart, header, nil)
	n := 0
	for _, name := range []string{"ticket_id", "subject", "status", "requester_id", "requester_email", "requester_name", "created_at", "description", "assignee_id"} {
		if cols[name] != "" {
			n++
		}
	}
	if cols["subject"] == "" && n > 2 {
		n-- // what has no subject is seldom a ticket
	}
	return n
}

// messageScore counts the columns that make a message of a ticket that stands elsewhere; 0 without a text.
func messageScore(header []string) int {
	cols := csvfile.Guess(csvfile.JoinedPart, header, nil)
	if cols["message_body"] == "" {
		return 0
	}
	n := 1
	for _, name := range []string{"ticket_id", "message_id", "message_created_at", "message_author_id", "message_author_email", "message_author_name", "message_kind", "message_private", "message_public"} {
		if cols[name] != "" {
			n++
		}
	}
	return n
}

// userScore counts the columns that make a user; 0 without an id and an address or name.
func userScore(header []string) int {
	cols := csvfile.Guess(csvfile.UserPart, header, nil)
	if cols["user_id"] == "" || cols["user_email"] == "" && cols["user_name"] == "" {
		return 0
	}
	n := 0
	for _, name := range []string{"user_id", "user_email", "user_name", "user_phone", "user_role"} {
		if cols[name] != "" {
			n++
		}
	}
	return n
}

// score is how much the records look like ones of the kind; called once all of them are learnt.
func (c *candidate) score(kind int) int {
	if c.scores == nil {
		header := c.shapes.root.relative()
		c.scores = []int{tickets: ticketScore(header), messages: messageScore(header), users: userScore(header)}
	}
	return c.scores[kind]
}

func noRecords(file *csvfile.File) error {
	return &sources.InputError{
		Position: sources.Position{File: file.Name, Offset: -1}, Err: errors.New("no list of records is in the file"),
		Hint: "JSON with tickets is an array of objects, an object that holds one, or one object a line",
	}
}

// findList is the list of a file that most likely holds records of the kind.
func findList(ctx context.Context, file *csvfile.File, limit int64, kind int) (listPath, error) {
	all, err := explore(ctx, file, limit)
	if err != nil {
		return listPath{}, err
	}
	if len(all) == 0 {
		return listPath{}, noRecords(file)
	}
	best := slices.MaxFunc(all, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(a.score(kind), b.score(kind)), cmp.Compare(a.shapes.records, b.shapes.records))
	})
	return best.path, nil
}

// rows are the sample of a list as rows of text.
func (c *candidate) rows(inner *shape) (header []string, rows [][]string, within []string, innerRows [][]string) {
	cut := newCutter(c.shapes, inner)
	for _, raw := range c.sample {
		split, err := cut.split(raw)
		if err != nil {
			continue // it was read once: it is only too large to be laid out
		}
		for _, r := range split {
			cells := rowTexts(r.Data, r.Ends)
			if r.Sheet == 0 {
				rows = append(rows, cells)
			} else {
				innerRows = append(innerRows, cells)
			}
		}
	}
	header = cut.tables[0].header
	if inner != nil {
		within = cut.tables[1].header
	}
	return header, rows, within, innerRows
}

// rowTexts are the cells of a row.
func rowTexts(data []byte, ends []uint32) []string {
	var out []string
	start := uint32(0)
	for _, end := range ends {
		out = append(out, strings.TrimSpace(strings.ToValidUTF8(string(data[start:end]), "\uFFFD")))
		start = end
	}
	return out
}
