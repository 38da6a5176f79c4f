package csvfile

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"hsimport/sources"
)

// headerRows is how many rows are searched for the header: some exports begin with a title or blank lines.
const headerRows = 20

// bindFile finds the header of a file and ties the columns of the configuration to it. heads are the first rows of all
// files of its kind.
func (s *Source) bindFile(f *file, sh shape, columns, fields map[string]string, key string, heads [][]headRow) error {
	rows := heads[slices.IndexFunc(heads, func(h []headRow) bool { return len(h) > 0 && h[0].file == f })]
	if len(columns) == 0 {
		columns = s.guessed(sh, rows)
	}
	if sh == ticketRows {
		sh = s.ticketShape(columns)
	}
	var found headRow
	var lacking error // of the row that lacks least: the header, before which titles may stand
	at, least := rows[0].line, 0
	for _, row := range rows {
		b, err := bind(sh, row.cells, columns, fields, s.opts.IgnoreColumns, key, elsewhere(f, heads))
		if err == nil && (f.b == nil || b.bound() > f.b.bound()) {
			f.b, found = b, row
		}
		if err == nil && len(heads) == 1 {
			break
		}
		var ce *columnError
		if errors.As(err, &ce) && (lacking == nil || ce.missing < least) {
			lacking, at, least = err, row.line, ce.missing
		}
	}
	if f.b == nil || f.b.bound() == 0 && len(columns) > 0 {
		return missingColumns(f, rows, columns, fields, key, sh, lacking, at)
	}
	f.header, f.begin, f.line = found.raw, found.end, found.next
	if f.b.has(attachments) || f.b.has(messageAttachments) {
		f.root = openRoot(s.attachmentsDir(f))
	}
	return s.checkBinding(f, columns, key)
}

// missingColumns is the error about a file without the columns of the configuration.
func missingColumns(f *file, rows []headRow, columns, fields map[string]string, key string, sh shape, lacking error, at int) error {
	if lacking == nil {
		// Others of its kind have them all, and it has none.
		_, lacking = bind(sh, rows[0].cells, columns, fields, nil, key, nil)
	}
	e := &sources.InputError{Position: sources.Position{File: f.in.name, Line: at, Offset: -1}, Err: lacking}
	if ce := (*columnError)(nil); errors.As(lacking, &ce) {
		e.Hint = ce.hint
	}
	return e
}

// elsewhere reports of a column whether another file has it: an export may have grown columns, or keep its messages in
// two kinds of tables.
func elsewhere(f *file, heads [][]headRow) func(string) bool {
	if len(heads) < 2 {
		return nil
	}
	return func(spec string) bool {
		for _, rows := range heads {
			for _, row := range rows {
				if row.file != f && (&binding{raw: row.cells, header: nameColumns(row.cells)}).find(spec) != nil {
					return true
				}
			}
		}
		return false
	}
}

// attachmentsDir is where the attachment paths of a file start.
func (s *Source) attachmentsDir(f *file) string {
	switch dir := s.opts.AttachmentsDir; {
	case dir == "":
		return filepath.Dir(f.in.path)
	case filepath.IsAbs(dir):
		return dir
	default:
		return filepath.Join(s.opts.Base, dir)
	}
}

// guessed maps the columns of a file that the configuration says nothing about.
func (s *Source) guessed(sh shape, rows []headRow) map[string]string {
	var sample [][]string
	for _, r := range rows[1:] {
		sample = append(sample, r.cells)
	}
	if sh == ticketRows && (s.opts.Layout == MessagePerRow ||
		s.opts.Layout == "" && len(s.opts.Messages) == 0 && guessShape(rows[0].cells, sample) != ticketRows) {
		sh = messageRows
	}
	return guessColumns(sh, rows[0].cells, sample)
}

// ticketShape decides between the two layouts of one table.
func (s *Source) ticketShape(columns map[string]string) shape {
	if s.layout == "" {
		s.layout = s.opts.Layout
	}
	if s.layout == "" {
		switch {
		case len(s.opts.Messages) > 0:
			s.layout = Joined
		case columns["message_body"] != "":
			s.layout = MessagePerRow
		default:
			s.layout = TicketPerRow
		}
	}
	if s.layout == MessagePerRow {
		return messageRows
	}
	return ticketRows
}

// checkBinding refuses a table whose rows could not be told apart.
func (s *Source) checkBinding(f *file, columns map[string]string, key string) error {
	need := func(r role, why string) error {
		if f.b.has(r) {
			return nil
		}
		hint := "map " + r.String() + " to the header that holds it"
		if near := nearest(r.String(), f.b.header, 3); len(near) > 0 {
			hint += "; the nearest headers are " + strings.Join(quoteAll(near), ", ")
		}
		return s.inputError(f.in.name, fmt.Errorf("%s: %s is not mapped, and %s", key, r, why), hint)
	}
	switch {
	case f.b.shape == messageRows, f.b.shape == joinedRows:
		return need(ticketID, "without it nobody can say which rows form a ticket")
	case s.layout == Joined && f.b.shape == ticketRows && !f.b.has(ticketID):
		return need(ticketID, "without it no message finds its ticket")
	case f.b.shape == userRows:
		return need(userID, "without it no id finds its user")
	}
	if err := s.checkComments(f, key); err != nil {
		return err
	}
	if len(columns) == 0 && s.stats == nil {
		return s.inputError(f.in.name, fmt.Errorf("%s: no column is mapped", key), "hsimport init writes a draft")
	}
	return nil
}

// A headRow is one of the first rows of a file.
type headRow struct {
	file  *file
	cells []string
	raw   []byte
	line  int
	end   int64 // where the next row begins
	next  int   // its line
}

// firstRows reads up to n rows from the start, the header among them, without blank and damaged ones.
func (f *file) firstRows(limit int64, n int) ([]headRow, error) {
	r := newReader(io.NewSectionReader(f.in.f, int64(f.d.start), 1<<62), f.d.dialect, int64(f.d.start), f.d.line, limit)
	var out []headRow
	for range 10 * n {
		rec, err := r.next()
		if err == io.EOF || len(out) == n {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if rec.kind != rowRecord {
			continue
		}
		row := headRow{file: f, raw: append([]byte(nil), rec.raw...), line: rec.line, end: rec.off + rec.size, next: r.line}
		var scratch []byte
		for i := range rec.spans {
			cell := strings.TrimSpace(clean(string(rec.cell(i, &f.d.dialect, &scratch))))
			row.cells = append(row.cells, strings.TrimPrefix(cell, "\uFEFF"))
		}
		out = append(out, row)
	}
	return out, nil
}
