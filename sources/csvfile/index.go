package csvfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"

	"hsimport/sources"
)

// An indexer makes the index of a source in one pass over its files, or in two when the columns turn out to write
// their dates in another order than the first rows let expect.
type indexer struct {
	s       *Source
	seed    maphash.Seed
	rows    *rowTable
	refs    *refTable // by number, until they are in order
	v, w    rowView
	created cellDate // of the row under way
	key     []byte
	ref     ticketRef // what the row under way tells of its ticket
	buf     []byte
	mark    []byte
	marks   []uint32
	records sources.RecordLedger
	files   []sources.FileLedger
	attach  sources.AttachmentLedger
	refused []sources.Refusal
	texts   int // pieces with a text
	short   noted
	stray   noted
	escapes int // of the stray ones: those with a backslash before a quote
	badDate noted
	inner   []builtRow // of a record of another format: the messages in it
	odd     []sources.Problem
	noted   map[string]*noted
	left    map[string]string // tickets that a rule excludes, and the rule
	equal   map[string]int    // of one file: how often a key without id has come, from the second time on
	// lastFile is, of tickets without an id, 1 + the last file that had them.
	lastFile []uint32
}

// noted counts rows with one oddity and keeps the place of the first.
type noted struct {
	n  int
	at sources.Position
}

func (n *noted) add(at sources.Position) {
	if n.n == 0 {
		n.at = at
	}
	n.n++
}

// maxRefused is where a file counts as none of ours: reporting each row would fill the memory.
const maxRefused = 1 << 20

// index scans all files, decides what only the whole input decides, and puts the tickets in order.
func (s *Source) index(ctx context.Context) error {
	for _, f := range s.files {
		if f.outer != nil {
			continue
		}
		if err := f.sniffDates(s.opts.MaxRecord); err != nil {
			return s.inputError(f.in.name, err, "")
		}
	}
	var x *indexer
	for attempt := 0; ; attempt++ {
		x = &indexer{s: s, seed: maphash.MakeSeed()}
		if err := x.scan(ctx); err != nil {
			x.rows.close()
			return err
		}
		if attempt == 1 || !s.decideOrder() {
			break
		}
		x.rows.close()
	}
	defer func() { x.refs.close() }()
	if err := x.group(); err != nil {
		return err
	}
	if err := x.countBuilt(ctx); err != nil {
		return err
	}
	if err := x.order(); err != nil {
		return err
	}
	if err := x.places(); err != nil {
		return err
	}
	x.finish()
	return nil
}

// decideOrder sets the order of day and month of each file to what its columns decide, and reports whether that
// differs from what was assumed.
func (s *Source) decideOrder() (changed bool) {
	for _, f := range s.files {
		if o := f.order(); o != orderUnknown && o != f.dates.order {
			changed = changed || f.dates.order != orderUnknown || o != dayFirst
			f.dates.order = o
		}
	}
	return changed
}

// order is what the date columns of a file decide together: one program wrote them.
func (f *file) order() dayOrder {
	var all dateFacts
	for r := range f.facts {
		all.add(&f.facts[r])
	}
	return all.order()
}

// sniffDates takes the order of day and month from the first rows, so that a second pass is seldom needed.
func (f *file) sniffDates(limit int64) error {
	if f.sheet != nil {
		return f.sniffSheet()
	}
	r := f.reader(limit)
	v := rowView{f: f}
	for range 200 {
		rec, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if rec.kind == rowRecord {
			v.rec = rec
			v.readDates(&f.facts)
		}
	}
	f.dates.order = f.order()
	f.facts = [roleCount]dateFacts{}
	return nil
}

// readDates counts the date cells that are not a message's time.
func (v *rowView) readDates(facts *[roleCount]dateFacts) {
	for _, r := range [...]role{createdAt, updatedAt, closedAt, messageCreatedAt, commentDates} {
		if v.f.b.has(r) {
			v.f.dates.read(v.bytes(r), &facts[r])
		}
	}
}

// reader reads the rows after the header.
func (f *file) reader(limit int64) *reader {
	r := newReader(io.NewSectionReader(f.in.f, f.begin, 1<<62), f.d.dialect, f.begin, f.line, limit)
	r.width = len(f.b.header)
	return r
}

// scan reads every file once.
func (x *indexer) scan(ctx context.Context) error {
	s := x.s
	x.rows = newRowTable(s.temp.get)
	if s.tickets != nil {
		s.tickets.keys.close()
	}
	s.tickets = newTicketTable(s.temp.get)
	x.rows.memoryRows, s.tickets.keys.memory = s.opts.memory.rows, s.opts.memory.keys
	s.users, s.met = nil, nil
	if s.stats != nil {
		s.stats.reset(s.files)
	}
	for _, f := range s.files {
		f.facts = [roleCount]dateFacts{}
		f.rowCount, f.begun = 0, false
		for i := range f.b.use {
			f.b.use[i].filled, f.b.use[i].example = 0, ""
		}
	}
	x.openLedgers()
	for _, f := range s.files {
		if f.outer != nil {
			continue
		}
		read := x.file
		if f.sheet != nil {
			read = x.stretches
		}
		if err := read(ctx, f); err != nil {
			return err
		}
	}
	if err := s.settleInputs(); err != nil {
		return err
	}
	return x.rows.flush()
}

// settleInputs waits until every file has been read to its end for what only that tells.
func (s *Source) settleInputs() error {
	for _, f := range s.files {
		if err := f.in.settle(); err != nil {
			return s.inputError(f.in.name, plainError(err), "")
		}
	}
	return nil
}

func (x *indexer) file(ctx context.Context, f *file) error {
	r := f.reader(x.s.opts.MaxRecord)
	x.v.f = f
	x.equal = nil
	n := 0
	read, err := r.records(func(rec *record) error {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		return x.record(f, rec)
	})
	switch {
	case err != nil:
		return err
	case read != nil:
		return x.s.inputError(f.in.name, plainError(read), "")
	}
	for r := range f.facts {
		f.facts[r].settle()
	}
	if r.off != f.size {
		return fmt.Errorf("%s: %w", f.in.name, sources.ErrChanged)
	}
	return nil
}

// record puts one record of a file into the index and the ledger.
func (x *indexer) record(f *file, rec *record) error {
	ledger := &x.files[f.book]
	switch rec.kind {
	case blankRecord:
		ledger.Blank += rec.size
		return nil
	case refusedRecord:
		return x.refuse(f, rec, &ledger.Refused, rec.reason)
	case cutRecord:
		return x.refuse(f, rec, &ledger.Truncated, "the file ends within this row: "+rec.reason)
	}
	width := len(f.b.header)
	if len(rec.spans) > width && !allBlank(rec.data, rec.spans[width:]) {
		return x.refuse(f, rec, &ledger.Refused, fmt.Sprintf("the row has %d columns, the header has %d",
			len(rec.spans), width))
	}
	x.v.rec = rec
	if len(rec.spans) < width {
		if c := rec.raw[len(rec.raw)-1]; rec.off+rec.size == f.size && c != '\n' && c != '\r' {
			return x.refuse(f, rec, &ledger.Truncated, fmt.Sprintf("the file ends within this row: it has %d columns, "+
				"the header has %d", len(rec.spans), width))
		}
	}
	reason, err := x.row(f, rec)
	if err != nil {
		return err
	}
	if reason != "" {
		return x.refuse(f, rec, &ledger.Refused, reason)
	}
	ledger.Message += rec.size
	f.rowCount++
	x.columns(f, rec)
	if len(rec.spans) < width {
		x.short.add(x.v.position())
	}
	if rec.stray {
		x.stray.add(x.v.position())
		if bytes.Contains(rec.raw, []byte{'\\', f.d.quote}) {
			x.escapes++
		}
	}
	return nil
}

func (x *indexer) refuse(f *file, rec *record, class *int64, reason string) error {
	*class += rec.size
	x.records.Found++
	x.records.Unreadable++
	at := sources.Position{File: f.in.name, Line: rec.line, Offset: rec.off}
	if len(x.refused) == maxRefused {
		return &sources.InputError{
			Position: at, Err: fmt.Errorf("more than %s rows cannot be read, the last because %s", sources.Thousands(maxRefused), reason),
			Hint: "check delimiter, quote and encoding, and that this is the right file",
		}
	}
	x.refused = append(x.refused, sources.Refusal{Position: at, Bytes: rec.size, Reason: reason})
	return nil
}

// row puts one readable row into the index; a reason refuses it.
func (x *indexer) row(f *file, rec *record) (reason string, err error) {
	v := &x.v
	if f.b.shape == userRows {
		return x.user(), nil
	}
	var problem string
	if x.key, problem = v.ticketKey(x.key[:0]); problem != "" {
		return problem, nil
	}
	s := x.s
	if rule := x.ruledOut(f); rule != "" {
		return "", nil
	}
	if f.b.shape == joinedRows {
		if _, ok := s.tickets.find(x.key, &x.buf); !ok {
			return "there is no ticket " + quoteShort(string(x.key)) + " in the tickets file", nil
		}
	}
	x.readDates()
	if !f.b.has(ticketID) {
		if err := x.number(); err != nil {
			return "", err
		}
	}
	n, err := s.tickets.put(x.key)
	if err != nil {
		return "", err
	}
	if err := x.pieces(f, rec, n); err != nil {
		return "", err
	}
	return "", nil
}

// number tells equal tickets without an id apart: within one file they are several, in another they are the same again.
func (x *indexer) number() error {
	if x.equal == nil {
		x.equal = map[string]int{}
	}
	// Only repeated keys stand in the map; whether a key has come in this file before, its ticket knows.
	n, again := x.equal[string(x.key)]
	if !again {
		t, err := x.s.tickets.put(x.key)
		if err != nil {
			return err
		}
		for len(x.lastFile) <= int(t) {
			x.lastFile = append(x.lastFile, 0)
		}
		if x.lastFile[t] != uint32(x.v.f.no)+1 {
			x.lastFile[t] = uint32(x.v.f.no) + 1
			return nil
		}
		n = 1
	}
	x.equal[string(x.key)] = n + 1
	x.key = fmt.Appendf(x.key, "#%d", n+1)
	return nil
}

// readDates reads and counts the ticket's own dates.
func (x *indexer) readDates() {
	v, f := &x.v, x.v.f
	x.created = f.dates.read(v.bytes(createdAt), &f.facts[createdAt])
	for _, r := range [...]role{updatedAt, closedAt} {
		if f.b.has(r) {
			f.dates.read(v.bytes(r), &f.facts[r])
		}
	}
}

// pieces counts what of the row becomes messages and keeps the row, unless all of it is after the cut-over.
func (x *indexer) pieces(f *file, rec *record, n uint32) error {
	x.ref = ticketRef{created: noTime}
	ref := &x.ref
	x.mark = x.mark[:0]
	found, left := x.countPieces(f, ref)
	x.records.Found += found
	if left > 0 {
		x.exclude(left, afterCutOver)
		if left == found && x.s.layout != Joined {
			return nil
		}
	}
	ref.fallback(x.created)
	if f.b.shape == messageRows && x.v.filled(description) {
		ref.flags |= needsBuild
	}
	if f.b.shape == ticketRows {
		x.ticketRow(ref)
		x.meet()
		x.innerPieces(ref)
	} else {
		x.countAttachments(messageAttachments)
	}
	return x.keep(f, rec, n)
}

// countPieces counts what of a row becomes messages of the ticket, and of it what is after the cut-over.
func (x *indexer) countPieces(f *file, ref *ticketRef) (found, left int) {
	s, v := x.s, &x.v
	v.pieces(&f.facts, func(p piece) {
		found++
		if p.at.bad {
			x.badDate.add(v.position())
		}
		if !s.opts.Until.IsZero() && !p.at.t.IsZero() && !p.at.t.Before(s.opts.Until) {
			left++
			return
		}
		if len(p.text) > 0 {
			x.texts++
		}
		ref.messages++
		ref.see(p.at)
		if f.b.shape != ticketRows {
			x.markOf(p)
		}
		x.countShown(p)
	})
	return found, left
}

// keep puts the row into the table of rows.
func (x *indexer) keep(f *file, rec *record, n uint32) error {
	if uint64(rec.size) > 1<<32-1 || rec.off >= 1<<offsetBits || f.no >= 1<<(64-offsetBits) || x.rows.n == 1<<32-1 || n >= maxTickets {
		return errors.New("the input is larger than the index can hold")
	}
	return x.rows.add(rowRef{
		where: uint64(f.no)<<offsetBits | uint64(rec.off), sum: maphash.Bytes(x.seed, rec.raw), ticket: n,
		size: uint32(rec.size), line: uint32(rec.line), mark: x.markSum(),
		created: x.ref.created, span: x.ref.span, messages: x.ref.messages, flags: x.ref.flags,
	})
}

func (x *indexer) exclude(n int, rule string) {
	x.records.Excluded += n
	if x.records.ExcludedBy == nil {
		x.records.ExcludedBy = map[string]int{}
	}
	x.records.ExcludedBy[rule] += n
}

const afterCutOver = "after cut-over"

// ticketRow notes the row of a ticket's own columns. A second one, and a description that a first comment may repeat,
// make the ticket one whose messages are counted by building it.
func (x *indexer) ticketRow(ref *ticketRef) {
	ref.flags |= hasTicketRow
	if x.v.filled(description) && (x.s.layout == Joined || x.mayRepeat()) {
		ref.flags |= needsBuild
	}
	x.countAttachments(attachments)
}

// mayRepeat reports whether a comment of the row begins as the description does.
func (x *indexer) mayRepeat() bool {
	if !x.v.f.b.has(comments) {
		return false
	}
	const enough = 24
	head := essence(string(x.v.bytes(description)[:min(1024, len(x.v.bytes(description)))]))
	head = head[:min(enough, len(head))]
	may := false
	x.v.each(comments, func(_ int, cell []byte) {
		text := x.v.f.unpack(cell, nil).text
		e := essence(string(text[:min(1024, len(text))]))
		n := min(len(e), len(head))
		may = may || n > 0 && e[:n] == head[:n]
	})
	return may
}

func (x *indexer) countAttachments(r role) {
	if !x.v.f.b.has(r) || !x.v.filled(r) {
		return
	}
	for _, ref := range x.v.attachmentRefs(r) {
		if ref.url != "" {
			x.countRemote(ref.url)
			continue
		}
		var a sources.Attachment
		x.v.f.load(&a, ref.path, true)
		x.countAttachment(&a)
	}
}

func (x *indexer) countAttachment(a *sources.Attachment) {
	x.attach.Found++
	if a.Missing != "" {
		x.attach.Missing++
	}
	x.attach.Bytes += a.Size
}
