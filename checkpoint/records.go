package checkpoint

import (
	"context"
	"database/sql"
	"iter"
	"time"
)

// A Record is something a run has to say about a ticket or about the job: a refusal, a finding, the answer of the server.
type Record struct {
	Run                             int64
	Kind, Code, Ticket, Place, Text string

	At          time.Time
	Severity    string
	Value       string // which one of its code
	N           int    // how often it was found; 0: said once
	LegacyID    string
	Part        int    // 1-based; 0: the ticket, or the job
	Status      int    // HTTP status of the answer; 0: there was none
	Correlation string // the server's id of the call
}

// Note keeps records, in one transaction.
func (s *Store) Note(ctx context.Context, records []Record) error {
	if len(records) == 0 {
		return nil
	}
	return s.do(ctx, "note", func(t tx) error {
		for _, r := range records {
			_, err := t.exec("INSERT INTO record (run, kind, code, ticket, place, text, at, severity, value, n, legacy_id, "+
				"part, status, correlation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
				r.Run, r.Kind, r.Code, r.Ticket, r.Place, clip(r.Text), stamp(r.At), r.Severity, clip(r.Value), r.N, r.LegacyID,
				r.Part, r.Status, r.Correlation)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

const recordColumns = "id, run, kind, code, ticket, place, text, at, severity, value, n, legacy_id, part, status, correlation"

func (r *Record) scan(rows *sql.Rows, id *int64) error {
	return rows.Scan(id, &r.Run, &r.Kind, &r.Code, &r.Ticket, &r.Place, &r.Text, (*stamp)(&r.At), &r.Severity, &r.Value, &r.N,
		&r.LegacyID, &r.Part, &r.Status, &r.Correlation)
}

// Records streams the records of a run and a kind, in the order they were noted; run 0 is all runs, an empty kind all
// kinds. An error ends the stream.
func (s *Store) Records(ctx context.Context, run int64, kind string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		last := int64(0)
		for {
			var records []Record
			err := s.each(ctx, func(rows *sql.Rows) error {
				var r Record
				err := r.scan(rows, &last)
				records = append(records, r)
				return err
			}, "SELECT "+recordColumns+" FROM record WHERE (run = ?1 OR ?1 = 0) AND (kind = ?2 OR ?2 = '') "+
				"AND id > ?3 ORDER BY id LIMIT ?4", run, kind, last, page)
			if err != nil {
				yield(Record{}, err)
				return
			}
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
			if len(records) < page {
				return
			}
		}
	}
}

// LastRecords returns the newest records of a kind, the newest first.
func (s *Store) LastRecords(ctx context.Context, kind string, limit int) ([]Record, error) {
	var out []Record
	err := s.each(ctx, func(rows *sql.Rows) error {
		var r Record
		var id int64
		err := r.scan(rows, &id)
		out = append(out, r)
		return err
	}, "SELECT "+recordColumns+" FROM record WHERE kind = ? ORDER BY id DESC LIMIT ?", kind, limit)
	return out, err
}
