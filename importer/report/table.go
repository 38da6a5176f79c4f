package report

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"

	"hsimport/importer"
)

// tableHeader names the columns of the table. Scripts rely on them: new ones go to the end.
var tableHeader = []string{"key", "id", "place", "parts", "threads", "attachments", "units", "live", "findings", "excluded", "refused"}

// A Table writes one line a ticket as CSV (RFC 4180, UTF-8, LF), in the order of the plan: key, legacy number, place in
// the source, conversations, threads, attachments sent, units of the quota, whether it arrives live, the codes of its
// findings, the rule that leaves it out, the reason why it is refused.
type Table struct{ w *csv.Writer }

// NewTable writes the header. An error of w is returned by Close.
func NewTable(w io.Writer) *Table {
	t := &Table{csv.NewWriter(w)}
	_ = t.w.Write(tableHeader) // the writer keeps its error
	return t
}

// See writes the line of one ticket.
func (t *Table) See(s importer.Seen) error {
	row := tableRow(s)
	for i, cell := range row {
		row[i] = harmless(cell)
	}
	return t.w.Write(row)
}

// Close writes what is still buffered; it does not close the writer below.
func (t *Table) Close() error {
	t.w.Flush()
	return t.w.Error()
}

func tableRow(s importer.Seen) []string {
	if s.Plan == nil {
		return []string{string(s.Err.Key), "", s.Err.Position.String(), "0", "0", "0", "0", "", "", "", s.Err.Err.Error()}
	}
	p := s.Plan
	threads, files, units := 0, 0, 0
	for _, part := range p.Parts {
		threads += len(part.Conversation.Threads)
		files += len(part.Uploads)
		for _, th := range part.Conversation.Threads {
			files += len(th.Attachments)
		}
		units += part.Units()
	}
	var codes []string
	for _, f := range p.Findings {
		if !slices.Contains(codes, f.Code) {
			codes = append(codes, f.Code)
		}
	}
	return []string{
		string(p.Key), p.ID, p.Position.String(), strconv.Itoa(len(p.Parts)), strconv.Itoa(threads), strconv.Itoa(files),
		strconv.Itoa(units), strconv.FormatBool(p.Live), strings.Join(codes, " "), p.Excluded, p.Refused,
	}
}

// harmless keeps a spreadsheet from taking a cell of the data for a formula: it begins with an apostrophe then.
// https://owasp.org/www-community/attacks/CSV_Injection
func harmless(cell string) string {
	if cell != "" && strings.IndexByte("=+-@\t\r", cell[0]) >= 0 {
		return "'" + cell
	}
	return cell
}
