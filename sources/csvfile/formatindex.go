package csvfile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"hsimport/sources"
)

// openLedgers begins the account of every input.
func (x *indexer) openLedgers() {
	x.files = make([]sources.FileLedger, len(x.s.files))
	n := 0
	for _, f := range x.s.files {
		x.files[f.book] = sources.FileLedger{
			Path: f.in.name, Stored: f.in.stored, Size: f.size, Encoding: f.in.encoding, Preamble: f.begin,
		}
		n = max(n, f.book+1)
	}
	x.files = x.files[:n]
}

// row makes a record of a row of a sheet.
func (r *Row) record(off int64, line int, size int64, raw []byte) *record {
	rec := &record{kind: rowRecord, off: off + int64(r.Off), line: line + r.Line, size: size, raw: raw, data: r.Data}
	rec.spans = make([]span, len(r.Ends))
	var start uint32
	for i, end := range r.Ends {
		rec.spans[i] = span{start: start, end: end}
		start = end
	}
	return rec
}

// rows splits a record of the file into rows, the file's own first.
func (f *file) rows(raw []byte, off int64, line int) (rows []builtRow, notes []sources.Problem, err error) {
	split, err := f.sheet.Split(raw)
	if err != nil {
		return nil, nil, err
	}
	if len(split) == 0 || split[0].Sheet != 0 {
		return nil, nil, errors.New("the record has no row of its own")
	}
	for i := range split {
		r, to := &split[i], f
		if r.Sheet > 0 {
			to = f.children[r.Sheet-1]
		}
		rec := r.record(off, line, int64(len(raw)), raw)
		rows = append(rows, builtRow{f: to, rec: rec})
		for _, n := range r.Notes {
			n.Position = sources.Position{File: f.in.name, Line: rec.line, Offset: rec.off}
			notes = append(notes, n)
		}
	}
	return rows, notes, nil
}

// stretches indexes a file of sheets once.
func (x *indexer) stretches(ctx context.Context, f *file) error {
	r := f.sheet.Records()
	x.equal = nil
	for n := 0; ; n++ {
		if n%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		st, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return x.s.inputError(f.in.name, plainError(err), "")
		}
		if err := x.stretch(f, st); err != nil {
			return err
		}
	}
	for _, g := range append([]*file{f}, f.children...) {
		for r := range g.facts {
			g.facts[r].settle()
		}
	}
	return nil
}

// stretch puts one stretch into the index and the ledger. What is not of the file's own records is counted by the first
// sheet of the input alone.
func (x *indexer) stretch(f *file, st *Stretch) error {
	ledger := &x.files[f.book]
	rec := &record{off: st.Off, line: st.Line, size: st.Size, raw: st.Raw}
	switch st.Kind {
	case Record:
		return x.unit(f, st)
	case Foreign:
		return nil
	case Odd:
		if f.counts {
			x.odd = append(x.odd, sources.Problem{
				Severity: sources.Warning, Code: "cut-off", Text: st.Reason, Position: sources.Position{File: f.in.name, Line: st.Line, Offset: st.Off},
			})
		}
		return nil
	case Between:
		switch {
		case !f.counts:
		case ledger.Separator+ledger.Refused+ledger.Truncated == 0 && !f.begun:
			ledger.Preamble += st.Size
		default:
			ledger.Separator += st.Size
		}
		f.begun = true
		return nil
	}
	if !f.counts {
		return nil
	}
	if st.Kind == Cut {
		return x.refuse(f, rec, &ledger.Truncated, st.Reason)
	}
	return x.refuse(f, rec, &ledger.Refused, st.Reason)
}

// unit indexes a record with all rows in it.
func (x *indexer) unit(f *file, st *Stretch) error {
	ledger := &x.files[f.book]
	f.begun = true
	whole := &record{off: st.Off, line: st.Line, size: st.Size, raw: st.Raw}
	rows, notes, err := f.rows(st.Raw, st.Off, st.Line)
	if err != nil {
		return x.refuse(f, whole, &ledger.Refused, err.Error())
	}
	x.v.f, x.v.rec, x.inner = f, rows[0].rec, rows[1:]
	reason, err := x.row(f, rows[0].rec)
	if err != nil {
		return err
	}
	if reason != "" {
		return x.refuse(f, whole, &ledger.Refused, reason)
	}
	ledger.Message += st.Size
	for _, r := range rows {
		r.f.rowCount++
		x.columns(r.f, r.rec)
	}
	for _, n := range notes {
		x.notes(n)
	}
	return nil
}

// notes counts what was odd about records, and keeps the first of each kind.
func (x *indexer) notes(p sources.Problem) {
	if x.noted == nil {
		x.noted = map[string]*noted{}
	}
	key := p.Code + "\x00" + p.Text
	if x.noted[key] == nil {
		x.noted[key] = &noted{}
	}
	x.noted[key].add(p.Position)
}

// innerPieces counts the messages that stand within a ticket's record. Two that may be copies of each other make the
// ticket one whose messages are counted by building it.
func (x *indexer) innerPieces(ref *ticketRef) {
	if len(x.inner) == 0 {
		return
	}
	f, rec := x.v.f, x.v.rec
	marks := map[string]bool{}
	for _, row := range x.inner {
		x.v.f, x.v.rec = row.f, row.rec
		x.mark = x.mark[:0]
		if rule := x.v.dropped(); rule != "" {
			x.records.Found++
			x.exclude(1, rule)
			continue
		}
		found, left := x.countPieces(row.f, ref)
		x.records.Found += found
		if left > 0 {
			x.exclude(left, afterCutOver)
			continue
		}
		x.countAttachments(messageAttachments)
		if marks[string(x.mark)] {
			ref.flags |= needsBuild
		}
		marks[string(x.mark)] = true
	}
	x.v.f, x.v.rec, x.mark = f, rec, x.mark[:0]
}

// ruledOut excludes the row under way if a rule of the configuration says so: a ticket with all in it, and with the
// messages that name it.
func (x *indexer) ruledOut(f *file) string {
	if len(x.s.opts.Exclude) == 0 {
		return ""
	}
	rule := x.v.dropped()
	if rule == "" && f.b.shape == joinedRows {
		rule = x.left[string(x.key)]
	}
	if rule == "" {
		return ""
	}
	n := len(x.inner)
	x.v.pieces(nil, func(piece) { n++ })
	if f.b.shape == ticketRows {
		if x.left == nil {
			x.left = map[string]string{}
		}
		x.left[string(x.key)] = rule
	}
	x.records.Found += n
	x.exclude(n, rule)
	return rule
}

// A dropRule excludes rows by the value of a column.
type dropRule struct {
	cols   []int
	values []string
	name   string
}

// bindRules ties the rules of exclude to a sheet; names counts those that found their column.
func (b *binding) bindRules(rules map[string]string, names map[string]bool) {
	for _, column := range sortedKeys(rules) {
		cols := b.findOne(column)
		if cols == nil {
			continue
		}
		names[column] = true
		r := dropRule{cols: cols, name: column}
		for v := range strings.SplitSeq(rules[column], "|") {
			r.values = append(r.values, strings.TrimSpace(v))
		}
		b.drop = append(b.drop, r)
		b.mark(cols, sources.Mapped, "exclude")
	}
}

// dropped names the rule that excludes the row, or is empty.
func (v *rowView) dropped() string {
	for _, r := range v.f.b.drop {
		for _, c := range r.cols {
			cell := strings.TrimSpace(string(v.rec.cell(c, &v.f.d.dialect, &v.scratch)))
			for _, value := range r.values {
				if strings.EqualFold(cell, value) {
					return r.name + " " + cmp.Or(value, "(empty)")
				}
			}
		}
	}
	return ""
}

// sniffSheet takes the order of day and month from the first records.
func (f *file) sniffSheet() error {
	r := f.sheet.Records()
	for range 200 {
		st, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if st.Kind != Record {
			continue
		}
		rows, _, err := f.rows(st.Raw, st.Off, st.Line)
		if err != nil {
			continue
		}
		for _, row := range rows {
			v := rowView{f: row.f, rec: row.rec}
			v.readDates(&row.f.facts)
		}
	}
	for _, g := range append([]*file{f}, f.children...) {
		g.dates.order = g.order()
		g.facts = [roleCount]dateFacts{}
	}
	return nil
}

// readUnit reads one record with all rows in it again.
func (b *builder) readUnit(f *file, ref rowRef, raw []byte) error {
	rows, notes, err := f.rows(raw, ref.offset(), int(ref.line))
	if err != nil {
		return changedAt(f, ref)
	}
	first := len(b.rows)
	for _, row := range rows {
		row.unit = first
		row.inner = row.f != f
		b.rows = append(b.rows, row)
	}
	b.notes = append(b.notes, notes...)
	b.factOf(b.rows[first])
	return nil
}

// noteProblems words what was odd about records of one kind.
func (x *indexer) noteProblems(add func(sources.Severity, string, string, sources.Position)) {
	keys := make([]string, 0, len(x.noted))
	for k := range x.noted {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		n := x.noted[k]
		code, text, _ := strings.Cut(k, "\x00")
		add(sources.Info, code, fmt.Sprintf("%s: %s, the first at %s", text, sources.Thousands(n.n), n.at), n.at)
	}
	for _, f := range x.s.files {
		if f.sheet != nil {
			for _, p := range f.sheet.Problems {
				add(p.Severity, p.Code, p.Text, sources.Position{File: f.label, Offset: -1})
			}
		}
	}
	for _, p := range x.odd {
		add(p.Severity, p.Code, p.Text, p.Position)
	}
}

// unread are the lists of records that nothing reads, as the columns that nothing maps.
func (s *Source) unread() (out []sources.Use) {
	for _, f := range s.files {
		if f.sheet == nil {
			continue
		}
		for _, u := range f.sheet.Unread {
			u.File, u.Class = f.in.name, sources.NotCarried
			if slices.ContainsFunc(s.opts.IgnoreColumns, func(name string) bool { return strings.EqualFold(name, u.Name) }) {
				u.Class = sources.Ignored
			}
			out = append(out, u)
		}
	}
	return out
}
