package csvfile

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"runtime"
	"slices"
	"strings"

	"hsimport/sources"
)

// group puts the rows of each ticket together.
func (x *indexer) group() error {
	s := x.s
	s.seed = x.seed
	n := s.tickets.n()
	firsts := make([]uint32, n+1)
	if err := x.rows.each(func(_ int, r rowRef) { firsts[r.ticket+1]++ }); err != nil {
		return err
	}
	for i := range n {
		firsts[i+1] += firsts[i]
	}
	var err error
	if x.refs, err = newRefTable(n, s.opts.memory.refs, s.temp.get); err != nil {
		return err
	}
	var failed error
	add := func(r *ticketRef) {
		r.number = uint32(x.refs.n)
		r.first = firsts[r.number]
		if err := x.refs.add(r); err != nil && failed == nil {
			failed = err
		}
	}
	s.rows, err = x.rows.byTicket(firsts, func(group []rowRef) {
		for x.refs.n < int(group[0].ticket) {
			add(&ticketRef{created: noTime}) // all of it is after the cut-over
		}
		add(x.refOf(group))
	})
	x.rows.close()
	for failed == nil && err == nil && x.refs.n < n {
		add(&ticketRef{created: noTime})
	}
	return cmp.Or(err, failed, x.refs.flush())
}

// refOf is what the rows of a ticket tell of it.
func (x *indexer) refOf(group []rowRef) *ticketRef {
	ref := &ticketRef{created: noTime, rows: uint32(len(group))}
	for i := range group {
		ref.join(&group[i])
	}
	if len(group) > 1 && x.repeats(group) {
		ref.flags |= needsBuild
	}
	return ref
}

// repeats reports whether two rows of a ticket may be copies of one message.
func (x *indexer) repeats(group []rowRef) bool {
	x.marks = x.marks[:0]
	for _, r := range group {
		x.marks = append(x.marks, r.mark)
	}
	slices.Sort(x.marks)
	for i := 1; i < len(x.marks); i++ {
		if x.marks[i] == x.marks[i-1] {
			return true
		}
	}
	return false
}

// countBuilt builds the tickets whose messages cannot be counted row by row.
func (x *indexer) countBuilt(ctx context.Context) error {
	for i := range x.refs.n {
		if i%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		ref, err := x.refs.get(i)
		if err != nil {
			return err
		}
		if ref.flags&needsBuild == 0 {
			continue
		}
		t, tally, err := x.s.build(&ref, true)
		if err != nil {
			return err
		}
		x.records.Found += tally.described
		if tally.excluded > 0 {
			x.exclude(tally.excluded, afterCutOver)
		}
		for _, m := range t.Messages {
			ref.see(cellDate{t: m.CreatedAt})
		}
		x.records.Duplicates += tally.duplicates
		x.attach.Found -= tally.attach.Found
		x.attach.Missing -= tally.attach.Missing
		x.attach.Bytes -= tally.attach.Bytes
		ref.messages = uint32(len(t.Messages))
		if err := x.refs.set(i, &ref); err != nil {
			return err
		}
	}
	return nil
}

// manyTickets is where a table over all tickets is worth a collection: eight megabytes.
const manyTickets = 1 << 20

// order puts the tickets in order.
func (x *indexer) order() error {
	s := x.s
	if x.refs.n > manyTickets {
		runtime.GC() // what grouping took must be gone before sorting takes as much
	}
	packed := make([]uint64, 0, x.refs.n)
	for i := range x.refs.n {
		ref, err := x.refs.get(i)
		if err != nil {
			return err
		}
		if ref.rows > 0 {
			packed = append(packed, packOrder(ref.created, ref.number))
		}
	}
	s.tickets.sortOrder(packed)
	var err error
	if s.entries, err = newRefTable(len(packed), s.opts.memory.refs, s.temp.get); err != nil {
		return err
	}
	for _, p := range packed {
		ref, err := x.refs.get(int(p & maxTickets))
		if err != nil {
			return err
		}
		if err := s.entries.add(&ref); err != nil {
			return err
		}
		x.records.Messages += int(ref.messages)
	}
	x.refs.close()
	return cmp.Or(s.entries.flush(), s.tickets.keys.err())
}

// places notes where in the order each ticket stands, once what sorting took is free again.
func (x *indexer) places() error {
	s := x.s
	s.placeOf = make([]uint32, x.refs.n)
	for i := range s.placeOf {
		s.placeOf[i] = noPlace
	}
	for i := range s.entries.n {
		ref, err := s.entries.get(i)
		if err != nil {
			return err
		}
		s.placeOf[ref.number] = uint32(i)
	}
	return nil
}

// finish fills in the ledger.
func (x *indexer) finish() {
	s := x.s
	x.records.Tickets = s.Len()
	for _, f := range s.files {
		x.files[f.book].SHA256 = f.in.sha
	}
	s.digest = s.contentDigest()
	s.ledger = sources.Ledger{
		Files: x.files, Records: x.records, Attachments: x.attach, Refused: x.refused, Columns: s.columnUses(),
	}
	s.ledger.Problems = slices.Concat(s.archives.Problems(), s.passed, x.problems())
}

// columnUses says what happens to each column.
func (s *Source) columnUses() []sources.Use {
	var out []sources.Use
	for _, f := range s.files {
		rows := f.rowCount
		for i, u := range f.b.use {
			name := f.b.header[i]
			use := sources.Use{
				Name: name, Class: u.class, As: strings.Join(u.as, ", "), Filled: u.filled, Of: rows, Example: u.example,
				File: f.label,
			}
			switch {
			case u.class != "":
			case u.filled == 0:
				use.Class = sources.EmptyUse
			default:
				use.Class = sources.NotCarried
			}
			out = append(out, use)
		}
	}
	return append(out, s.unread()...)
}

// problems are those of the input as a whole.
func (x *indexer) problems() []sources.Problem {
	s := x.s
	var out []sources.Problem
	add := func(sev sources.Severity, code, text string, at sources.Position) {
		out = append(out, sources.Problem{Severity: sev, Code: code, Text: text, Position: at})
	}
	if x.texts == 0 && x.records.Found > x.records.Unreadable || x.texts == 0 && s.Len() > 0 {
		add(sources.BlocksJob, "no-texts", "the export holds no message texts: "+s.whyNoTexts(),
			sources.Position{File: s.files[0].in.name, Offset: -1})
	}
	for _, f := range s.files {
		if f.in != nil && f.in.doubt != "" {
			add(sources.Warning, "encoding-doubtful", f.in.doubt, sources.Position{File: f.in.name, Offset: -1})
		}
		x.dateProblems(f, add)
	}
	x.noteProblems(add)
	rows := func(n noted, code, text string) {
		if n.n > 0 {
			add(sources.Warning, code, fmt.Sprintf("%s: %s, the first at %s", text, sources.Thousands(n.n), n.at), n.at)
		}
	}
	rows(x.short, "short-rows", "rows with fewer columns than the header, the missing ones taken as empty")
	stray := "rows with damaged quotes, read so that their number of columns is the header's"
	if 2*x.escapes > x.stray.n {
		stray = `rows with \" in them, where quotes are doubled elsewhere (escape: '\' reads them as written)`
	}
	rows(x.stray, "stray-quotes", stray)
	rows(x.badDate, "bad-dates", "messages whose date cannot be read; none is given the present time")
	for _, u := range s.ledger.Columns {
		if u.Class == sources.NotCarried && 100*u.Filled > u.Of {
			out = append(out, sources.Problem{
				Severity: sources.Warning, Code: "column-not-carried", Value: u.Name, Position: sources.Position{File: u.File, Offset: -1},
				Text: fmt.Sprintf("%s %q is filled in %s of %s %s (such as %q) and is not carried over: map it, or list it in ignore_columns",
					s.word("column", "path"), u.Name, sources.Thousands(u.Filled), sources.Thousands(u.Of), s.word("rows", "records"), u.Example),
			})
		}
	}
	return out
}

// word is one for tables, or that for other formats.
func (s *Source) word(table, other string) string {
	if s.format != nil {
		return other
	}
	return table
}

func (s *Source) whyNoTexts() string {
	if s.opts.NoTexts != "" {
		return s.opts.NoTexts
	}
	for _, f := range s.files {
		if f.b.has(description) || f.b.has(comments) || f.b.has(messageBody) || f.b.has(answer) {
			return "the " + s.word("columns", "paths") + " mapped to texts are empty"
		}
	}
	return "no " + s.word("column", "path") + " is mapped to description, comments or message_body; a metrics report has none, so export the " +
		"tickets with their comments"
}

// dateProblems asks for what the date columns of a file leave open.
func (x *indexer) dateProblems(f *file, add func(sources.Severity, string, string, sources.Position)) {
	s := x.s
	var all dateFacts
	unzoned, serial, example, where := 0, 0, "", role(0)
	for r := range f.facts {
		facts := &f.facts[r]
		all.add(facts)
		serial += facts.serial
		if facts.unzoned > 0 && unzoned == 0 {
			example, where = facts.example, role(r)
		}
		unzoned += facts.unzoned
	}
	at := sources.Position{File: f.in.name, Offset: -1}
	if all.order() == orderUnknown && len(s.formats) == 0 {
		switch {
		case all.dayFirst > 0 && all.monFirst > 0:
			add(sources.BlocksJob, "date-order", fmt.Sprintf("the dates contradict each other: %s can only be day before "+
				"month, %s only month before day; set date_formats", sources.Thousands(all.dayFirst), sources.Thousands(all.monFirst)), at)
		case all.either > 0:
			add(sources.BlocksJob, "date-order", fmt.Sprintf("%s be read as day/month and as month/day, and no "+
				"other decides it; set date_formats to dmy, mdy or a layout", sources.Counted(all.either, "date can", "dates can")), at)
		}
	}
	if unzoned > 0 && !s.zoned {
		add(sources.BlocksJob, "time-zone", fmt.Sprintf("%s no zone (%s is %q) and time_zone is not set: name "+
			"the zone of the old desk", sources.Counted(unzoned, "date names", "dates name"), where, example), at)
	}
	if serial > 0 {
		add(sources.BlocksJob, "spreadsheet-dates", fmt.Sprintf("%s of a spreadsheet, such as 43101.5: "+
			"export again, or format the columns as dates in the form 2018-01-31 12:00", sources.Counted(serial, "date is a day number", "dates are day numbers")), at)
	}
}

// markOf collects what two copies of a message have in common: its id, else its time, author and text.
func (x *indexer) markOf(p piece) {
	w := &x.w // with a buffer of its own: that of x.v may hold the text
	w.f, w.rec = x.v.f, x.v.rec
	if id := w.bytes(messageID); len(id) > 0 {
		x.mark = append(x.mark, id...)
		return
	}
	x.mark = append(x.mark, p.text...)
	x.mark = append(append(x.mark, 0), stampText(p.at.t)...)
	x.mark = append(append(x.mark, 0), w.bytes(messageAuthorEmail)...)
	x.mark = append(append(x.mark, 0), w.bytes(messageAuthorName)...)
}

// markSum is never 0; carriage returns do not count, so that converted line ends make no difference.
func (x *indexer) markSum() uint32 {
	mark := x.mark
	if bytes.IndexByte(mark, '\r') >= 0 {
		mark = bytes.ReplaceAll(mark, []byte{'\r'}, nil)
	}
	return uint32(maphash.Bytes(x.seed, mark)) | 1
}
