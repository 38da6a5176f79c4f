package csvfile

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"hsimport/sources"
)

// Ticket reads ticket i again, whole, 0 <= i < Len. A file that has changed since Open is sources.ErrChanged.
func (s *Source) Ticket(ctx context.Context, i int) (*sources.Ticket, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ref, err := s.entries.get(i)
	if err != nil {
		return nil, err
	}
	t, _, err := s.build(&ref, false)
	return t, err
}

// tally is what of a ticket's rows did not become messages of it.
type tally struct {
	duplicates int
	described  int                      // descriptions that stand beside messages
	excluded   int                      // of those: after the cut-over
	attach     sources.AttachmentLedger // of the duplicates
}

// A builder puts one ticket together from its rows.
type builder struct {
	s       *Source
	key     string
	light   bool // attachments are named but not read
	rows    []builtRow
	recs    []record // of all rows
	spans   []span   // of all rows
	raw     []byte   // of all rows
	window  window
	facts   []*ticketFacts
	factRow builtRow       // the row of the last facts
	fact    []*ticketFacts // all there are; those in use stand in facts
	v, w    rowView        // each with a buffer of its own
	msgs    []*draft
	drafts  []*draft // all there are
	drafted int      // of them in use
	order   []*draft // for slotOrder
	stems   map[string]int
	slab    []sources.Message // of the ticket, not yet in use
	scratch []byte
	copies  map[copyKey]int
	notes   []sources.Problem // of records of another format
	tally   tally
	t       *sources.Ticket
}

type builtRow struct {
	f     *file
	rec   *record
	unit  int  // of another format: the row that its record begins with
	inner bool // it stands within the record of a ticket
}

// build reads the rows of a ticket. With light it leaves attachments unread: enough to count.
func (s *Source) build(ref *ticketRef, light bool) (*sources.Ticket, tally, error) {
	b, ok := s.builders.Get().(*builder)
	if !ok {
		b = new(builder)
	}
	// Whatever the ticket keeps is copied out of the buffers, so that the next one can use them.
	defer s.builders.Put(b)
	b.reset(s, string(s.tickets.keys.key(ref.number, &b.scratch)), light)
	if err := s.tickets.keys.err(); err != nil {
		return nil, tally{}, err
	}
	refs, err := s.rows.group(ref.first, ref.first+ref.rows, b.raw)
	if err != nil {
		return nil, tally{}, err
	}
	total := 0
	for _, ref := range refs {
		total += int(ref.size)
	}
	b.recs = slices.Grow(b.recs, len(refs)) // never grows again: the rows point into it
	b.raw = slices.Grow(b.raw[:0], total)
	raw := b.raw[:total]
	for len(refs) > 0 {
		run := adjacent(refs)
		if err := b.readRun(refs[:run], &raw); err != nil {
			return nil, tally{}, err
		}
		refs = refs[run:]
	}
	b.merge()
	b.messages()
	return b.t, b.tally, nil
}

// maxKept is how large a buffer may be that is kept for the next ticket.
const maxKept = 1 << 20

// reset makes the builder ready for another ticket.
func (b *builder) reset(s *Source, key string, light bool) {
	b.s, b.key, b.light = s, key, light
	b.rows, b.recs, b.spans, b.facts, b.msgs = b.rows[:0], b.recs[:0], b.spans[:0], b.facts[:0], b.msgs[:0]
	b.factRow, b.copies, b.tally, b.t, b.notes, b.slab, b.drafted = builtRow{}, nil, tally{}, nil, nil, nil, 0
	clear(b.stems)
	if len(b.drafts) > 1000 { // of one giant
		b.drafts, b.order, b.fact, b.stems = nil, nil, nil, nil
	}
	if cap(b.raw)+cap(b.scratch)+cap(b.v.scratch)+cap(b.w.scratch) > maxKept {
		b.raw, b.scratch, b.v.scratch, b.w.scratch = nil, nil, nil, nil
	}
}

// adjacent is the number of rows at the start of refs that follow each other in one file.
func adjacent(refs []rowRef) int {
	n := 1
	for n < len(refs) && refs[n].where == refs[n-1].where+uint64(refs[n-1].size) {
		n++
	}
	return n
}

// readRun reads rows that follow each other, into the start of raw, and takes that off raw.
func (b *builder) readRun(refs []rowRef, raw *[]byte) error {
	size := 0
	for _, ref := range refs {
		size += int(ref.size)
	}
	f := b.s.files[refs[0].file()]
	if err := b.window.read(f.in.f, (*raw)[:size], refs[0].offset()); err != nil {
		return changedAt(f, refs[0])
	}
	for _, ref := range refs {
		if err := b.read(f, ref, (*raw)[:ref.size:ref.size]); err != nil {
			return err
		}
		*raw = (*raw)[ref.size:]
	}
	return nil
}

// A window is a stretch of a file that was read ahead: in most exports the next ticket's rows stand near the last
// one's.
type window struct {
	f    *os.File
	off  int64
	data []byte
	last int64 // where the reading before ended
}

const readAhead = 1 << 16

// read fills dst from offset off.
func (w *window) read(f *os.File, dst []byte, off int64) error {
	end := off + int64(len(dst))
	near := w.f == f && off >= w.last-readAhead && off <= w.last+readAhead
	if w.f != f {
		w.f, w.data = f, w.data[:0]
	}
	w.last = end
	if off >= w.off && end <= w.off+int64(len(w.data)) {
		copy(dst, w.data[off-w.off:])
		return nil
	}
	if !near || len(dst) > readAhead {
		_, err := f.ReadAt(dst, off)
		return err
	}
	w.data = slices.Grow(w.data[:0], readAhead)[:readAhead]
	n, err := f.ReadAt(w.data, off)
	w.off, w.data = off, w.data[:n]
	if n < len(dst) {
		return cmp.Or(err, io.ErrUnexpectedEOF)
	}
	copy(dst, w.data)
	return nil
}

func changedAt(f *file, ref rowRef) error {
	at := sources.Position{File: f.in.name, Line: int(ref.line), Offset: ref.offset()}
	return fmt.Errorf("%s: %w; run again with the file at rest", at, sources.ErrChanged)
}

// read takes one row that has been read and sees that it is the one that was indexed.
func (b *builder) read(f *file, ref rowRef, raw []byte) error {
	if maphash.Bytes(b.s.seed, raw) != ref.sum {
		return changedAt(f, ref)
	}
	if f.sheet != nil {
		return b.readUnit(f, ref, raw)
	}
	rec, err := b.parse(f, raw)
	if err != nil {
		return changedAt(f, ref)
	}
	rec.off, rec.line = ref.offset(), int(ref.line)
	row := builtRow{f: f, rec: rec}
	b.rows = append(b.rows, row)
	b.factOf(row)
	return nil
}

// factOf keeps what a row says of its ticket.
func (b *builder) factOf(row builtRow) {
	f, rec := row.f, row.rec
	if f.b.shape != ticketRows && f.b.shape != messageRows {
		return
	}
	b.v.f, b.v.rec = f, rec
	if f.b.shape == messageRows && b.sameFacts(row) {
		last := b.facts[len(b.facts)-1]
		last.rows = append(last.rows, rec)
		return
	}
	b.factRow = row
	if len(b.facts) == len(b.fact) {
		b.fact = append(b.fact, new(ticketFacts))
	}
	t := b.fact[len(b.facts)]
	b.s.factsOf(t, &b.v)
	b.facts = append(b.facts, t)
}

// parse splits a row. One that was written well, as nearly all are, needs no second thought.
func (b *builder) parse(f *file, raw []byte) (*record, error) {
	at := len(b.spans)
	n, spans, st := f.d.frame(raw, true, frameStrict, b.spans)
	if width := len(spans) - at; st == frameOK && n == len(raw) && (width > 1 || len(f.b.header) == 1) {
		b.spans = spans
		b.recs = append(b.recs, record{size: int64(n), raw: raw, data: raw, spans: spans[at:]})
		return &b.recs[len(b.recs)-1], nil
	}
	return f.d.parseRow(raw, len(f.b.header))
}

// sameFacts reports whether the row says of the ticket what the row of the last facts says, byte for byte.
func (b *builder) sameFacts(row builtRow) bool {
	last := b.factRow
	if len(b.facts) == 0 || last.f != row.f {
		return false
	}
	for _, c := range row.f.b.factCols {
		if !bytes.Equal(last.rec.rawCell(c), row.rec.rawCell(c)) {
			return false
		}
	}
	return true
}

// ticketFacts is what one or several equal rows say of the ticket itself.
type ticketFacts struct {
	row       builtRow  // the first of them
	rows      []*record // all of them, of one file
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

// factsOf reads into t what a row says of its ticket.
func (s *Source) factsOf(t *ticketFacts, v *rowView) {
	*t = ticketFacts{shape: v.f.b.shape, position: v.position(), row: builtRow{f: v.f, rec: v.rec}, rows: append(t.rows[:0], v.rec)}
	for _, r := range [...]role{ticketID, ticketNumber, subject, status, groupName, inbox, priority, channel, ticketURL} {
		t.text[r] = nullToEmpty(v.text(r))
	}
	t.text[ticketID] = v.text(ticketID)
	t.text[subject] = v.text(subject)
	if v.f.b.shape == messageRows {
		t.text[description] = v.text(description)
	}
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
	t.fields = slices.Grow(t.fields, len(v.f.b.fields))
	for _, fd := range v.f.b.fields {
		value := ""
		for _, c := range fd.cols {
			switch cell := strings.TrimSpace(clean(string(v.rec.cell(c, &v.f.d.dialect, &v.scratch)))); {
			case cell == "":
			case value == "":
				value = cell
			default:
				value += ", " + cell
			}
		}
		t.fields = append(t.fields, sources.Field{Name: fd.name, Value: value})
	}
	if v.f.b.shape == ticketRows {
		t.essence = essence(v.text(description))
	}
}
