package csvfile

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"hsimport/sources"
)

// headerRows is how many rows are searched for the header: some exports begin with a title or blank lines.
const headerRows = 20

// bindFile finds the header of a file and ties the columns of the configuration to it.
func (s *Source) bindFile(f *file, sh shape, columns, fields map[string]string, key string) error {
	rows, err := f.firstRows(s.opts.MaxRecord, headerRows)
	if err != nil {
		return s.inputError(f.in.name, err, "")
	}
	if len(rows) == 0 {
		return s.inputError(f.in.name, errors.New("the file is empty: there is no header"), "")
	}
	if len(columns) == 0 {
		columns = s.guessed(sh, rows)
	}
	if sh == ticketRows {
		sh = s.ticketShape(columns)
	}
	var nearestErr error // of the row that lacks least: the header, before which titles may stand
	at, least := rows[0].line, 0
	for _, row := range rows {
		b, err := bind(sh, row.cells, columns, fields, s.opts.IgnoreColumns, key)
		if err == nil {
			f.b = b
			f.header, f.begin, f.line = row.raw, row.end, row.next
			if b.has(attachments) || b.has(messageAttachments) {
				f.root = openRoot(s.attachmentsDir(f))
			}
			return s.checkBinding(f, columns, key)
		}
		var ce *columnError
		if !errors.As(err, &ce) {
			return s.inputError(f.in.name, err, "")
		}
		if nearestErr == nil || ce.missing < least {
			nearestErr, at, least = err, row.line, ce.missing
		}
		if ce.missing == 0 {
			break
		}
	}
	var ce *columnError
	errors.As(nearestErr, &ce)
	return &sources.InputError{
		Position: sources.Position{File: f.in.name, Line: at, Offset: -1}, Err: nearestErr, Hint: ce.hint,
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
	case s.layout == Joined && f.b.shape == ticketRows:
		return need(ticketID, "without it no message finds its ticket")
	case f.b.shape == userRows:
		return need(userID, "without it no id finds its user")
	}
	if len(columns) == 0 && s.stats == nil {
		return s.inputError(f.in.name, fmt.Errorf("%s: no column is mapped", key), "hsimport init writes a draft")
	}
	return nil
}

// A headRow is one of the first rows of a file.
type headRow struct {
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
		row := headRow{raw: append([]byte(nil), rec.raw...), line: rec.line, end: rec.off + rec.size, next: r.line}
		var scratch []byte
		for i := range rec.spans {
			cell := strings.TrimSpace(clean(string(rec.cell(i, &f.d.dialect, &scratch))))
			row.cells = append(row.cells, strings.TrimPrefix(cell, "\uFEFF"))
		}
		out = append(out, row)
	}
	return out, nil
}
