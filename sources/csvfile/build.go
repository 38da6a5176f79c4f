package csvfile

import (
	"context"
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	"hsimport/sources"
)

// Ticket reads ticket i again, whole, 0 <= i < Len. A file that has changed since Open is sources.ErrChanged.
func (s *Source) Ticket(ctx context.Context, i int) (*sources.Ticket, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t, _, err := s.build(s.byTime[i], false)
	return t, err
}

// tally is what of a ticket's rows did not become messages of it.
type tally struct {
	duplicates int
	attach     sources.AttachmentLedger // of the duplicates
}

// A builder puts one ticket together from its rows.
type builder struct {
	s     *Source
	key   string
	light bool // attachments are named but not read
	rows  []builtRow
	facts []*ticketFacts
	msgs  []*draft
	tally tally
	t     *sources.Ticket
}

type builtRow struct {
	f   *file
	rec *record
}

// build reads the rows of ticket n. With light it leaves attachments unread: enough to count.
func (s *Source) build(n uint32, light bool) (*sources.Ticket, tally, error) {
	b := builder{s: s, key: string(s.tickets.key(n)), light: light}
	for _, row := range s.rowsOf[s.firsts[n]:s.firsts[n+1]] {
		ref, err := s.rows.at(int(row))
		if err != nil {
			return nil, tally{}, err
		}
		if err := b.read(ref); err != nil {
			return nil, tally{}, err
		}
	}
	b.merge()
	b.messages()
	return b.t, b.tally, nil
}

// read reads one row and sees that it is the one that was indexed.
func (b *builder) read(ref rowRef) error {
	f := b.s.files[ref.file()]
	raw := make([]byte, ref.size)
	changed := func() error {
		return fmt.Errorf("%s: %w; run again with the file at rest", sources.Position{
			File: f.in.name, Line: int(ref.line), Offset: ref.offset(),
		}, sources.ErrChanged)
	}
	if _, err := f.in.f.ReadAt(raw, ref.offset()); err != nil || maphash.Bytes(b.s.seed, raw) != ref.sum {
		return changed()
	}
	rec, err := f.d.parseRow(raw, len(f.b.header))
	if err != nil {
		return changed()
	}
	rec.off, rec.line = ref.offset(), int(ref.line)
	b.rows = append(b.rows, builtRow{f, rec})
	if f.b.shape == ticketRows || f.b.shape == messageRows {
		b.addFacts(&rowView{f: f, rec: rec})
	}
	return nil
}

// ticketFacts is what one or several equal rows say of the ticket itself.
type ticketFacts struct {
	print     string // of the cells: equal prints, equal facts
	shape     shape
	at        time.Time // of the newest message among its rows
	text      [roleCount]string
	requester sources.Person
	assignee  sources.Person
	created   cellDate
	updated   cellDate
	closed    cellDate
	tags      []string
	fields    []sources.Field
	position  sources.Position
	essence   string // of the description
}

// addFacts notes what the row says of the ticket, unless the row before said the same.
func (b *builder) addFacts(v *rowView) {
	var print strings.Builder
	for r := range description {
		for _, c := range v.f.b.cols[r] {
			print.Write(v.rec.cell(c, v.f.d.quote, &v.scratch))
			print.WriteByte(0)
		}
	}
	for _, fd := range v.f.b.fields {
		for _, c := range fd.cols {
			print.Write(v.rec.cell(c, v.f.d.quote, &v.scratch))
			print.WriteByte(0)
		}
	}
	at := v.f.dates.read(v.bytes(messageCreatedAt), nil).t
	if n := len(b.facts); n > 0 && v.f.b.shape == messageRows && b.facts[n-1].print == print.String() {
		if b.facts[n-1].at.Before(at) {
			b.facts[n-1].at = at
		}
		return
	}
	b.facts = append(b.facts, b.s.factsOf(v, print.String(), at))
}

func (s *Source) factsOf(v *rowView, print string, at time.Time) *ticketFacts {
	t := &ticketFacts{print: print, shape: v.f.b.shape, at: at, position: v.position()}
	for _, r := range [...]role{ticketID, subject, status, groupName, priority, channel, ticketURL} {
		t.text[r] = nullToEmpty(v.text(r))
	}
	t.text[ticketID] = v.text(ticketID)
	t.text[subject] = v.text(subject)
	t.requester = s.resolve(person(v.text(requesterID), v.text(requesterName), v.text(requesterEmail), v.text(requesterPhone)))
	t.assignee = s.resolve(person(v.text(assigneeID), v.text(assigneeName), v.text(assigneeEmail), ""))
	t.created = v.f.dates.read(v.bytes(createdAt), nil)
	t.updated = v.f.dates.read(v.bytes(updatedAt), nil)
	t.closed = v.f.dates.read(v.bytes(closedAt), nil)
	v.each(tags, func(_ int, cell []byte) {
		for _, tag := range splitList(clean(string(cell)), ",;\n") {
			if !nullWord(tag) {
				t.tags = append(t.tags, tag)
			}
		}
	})
	for _, fd := range v.f.b.fields {
		var values []string
		for _, c := range fd.cols {
			if cell := strings.TrimSpace(clean(string(v.rec.cell(c, v.f.d.quote, &v.scratch)))); cell != "" {
				values = append(values, cell)
			}
		}
		t.fields = append(t.fields, sources.Field{Name: fd.name, Value: strings.Join(values, ", ")})
	}
	if v.f.b.shape == ticketRows {
		t.essence = essence(v.text(description))
	}
	return t
}
