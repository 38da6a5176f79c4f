package report

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"time"

	"hsimport/importer"
)

// The tables that status writes from the checkpoint alone. Scripts rely on their columns: new ones go to the end.
var (
	rejectsHeader  = []string{"state", "old_id", "key", "part", "place", "http_status", "reason", "conversation"}
	findingsHeader = []string{"severity", "code", "value", "count", "key", "place", "text"}
	recordsHeader  = []string{
		"run", "at", "kind", "code", "severity", "value", "count", "old_id", "key", "part", "place", "http_status", "correlation_id", "text",
	}
)

// lines is a table of cells that no spreadsheet takes for formulas.
type lines struct {
	w *csv.Writer
	n int
}

func newLines(to io.Writer, header []string) *lines {
	l := &lines{w: csv.NewWriter(to)}
	_ = l.w.Write(header) // the writer keeps its error
	return l
}

func (l *lines) add(cells ...string) error {
	l.n++
	for i, c := range cells {
		cells[i] = harmless(c)
	}
	return l.w.Write(cells)
}

func (l *lines) end() (int, error) {
	l.w.Flush()
	return l.n, l.w.Error()
}

// orEmpty is the number, or nothing for 0.
func orEmpty[N int | int64](n N) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(int64(n), 10)
}

// Rejects writes one line for everything of the checkpoint at path that has not arrived and will not by itself, as
// importer.Rejects lists it, and returns their number.
func Rejects(ctx context.Context, path string, to io.Writer) (int, error) {
	l := newLines(to, rejectsHeader)
	for o, err := range importer.Rejects(ctx, path) {
		if err != nil {
			return l.n, err
		}
		if err := l.add(o.State, o.ID, o.Key, orEmpty(o.Part), o.Place, orEmpty(o.Status), o.Reason, orEmpty(o.Candidate)); err != nil {
			return l.n, err
		}
	}
	return l.end()
}

// PlanFindings writes one line for each example of each finding of the last plan; count is that of the finding's code
// and value, not of the example.
func PlanFindings(ctx context.Context, path string, to io.Writer) (int, error) {
	groups, err := importer.PlanFindings(ctx, path)
	if err != nil {
		return 0, err
	}
	l := newLines(to, findingsHeader)
	for _, g := range groups {
		for _, x := range g.Examples {
			if err := l.add(g.Severity.String(), g.Code, g.Value, strconv.Itoa(g.N), string(x.Key), x.Position.String(), x.Text); err != nil {
				return l.n, err
			}
		}
	}
	return l.end()
}

// RunRecords writes one line for everything that the runs of a job had to say: findings, refusals, the server's answers.
func RunRecords(ctx context.Context, path string, to io.Writer) (int, error) {
	l := newLines(to, recordsHeader)
	for r, err := range importer.Records(ctx, path) {
		if err != nil {
			return l.n, err
		}
		if err := l.add(strconv.FormatInt(r.Run, 10), r.At.UTC().Format(time.RFC3339), r.Kind, r.Code, r.Severity, r.Value, orEmpty(r.N), r.LegacyID, r.Ticket,
			orEmpty(r.Part), r.Place, orEmpty(r.Status), r.Correlation, r.Text); err != nil {
			return l.n, err
		}
	}
	return l.end()
}

var customersHeader = []string{"id", "name", "email", "created_at"}

// A CustomerTable writes one line for each customer that a rollback leaves, as CSV.
type CustomerTable struct{ l *lines }

// NewCustomerTable writes the header. An error of w is returned by Close.
func NewCustomerTable(w io.Writer) *CustomerTable {
	return &CustomerTable{newLines(w, customersHeader)}
}

// See writes the line of one customer.
func (t *CustomerTable) See(c importer.LeftCustomer) error {
	return t.l.add(strconv.FormatInt(c.ID, 10), c.Name, c.Email, c.Created.UTC().Format(time.RFC3339))
}

// Close writes what is still buffered; it does not close the writer below.
func (t *CustomerTable) Close() error {
	_, err := t.l.end()
	return err
}
