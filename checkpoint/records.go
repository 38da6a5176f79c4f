package checkpoint

import (
	"context"
	"database/sql"
	"iter"
)

// A Record is something a run has to say about a ticket or about the job: a refusal, a finding, a difference.
type Record struct {
	Run                             int64
	Kind, Code, Ticket, Place, Text string
}

// Note keeps records, in one transaction.
func (s *Store) Note(ctx context.Context, records []Record) error {
	if len(records) == 0 {
		return nil
	}
	return s.do(ctx, "note", func(t tx) error {
		for _, r := range records {
			_, err := t.exec("INSERT INTO record (run, kind, code, ticket, place, text) VALUES (?, ?, ?, ?, ?, ?)",
				r.Run, r.Kind, r.Code, r.Ticket, r.Place, clip(r.Text))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Records streams the records of a run and a kind, in the order they were noted; an empty kind is all kinds. An error
// ends the stream.
func (s *Store) Records(ctx context.Context, run int64, kind string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		last := int64(0)
		for {
			var records []Record
			err := s.each(ctx, func(rows *sql.Rows) error {
				var r Record
				err := rows.Scan(&last, &r.Run, &r.Kind, &r.Code, &r.Ticket, &r.Place, &r.Text)
				records = append(records, r)
				return err
			}, "SELECT id, run, kind, code, ticket, place, text FROM record WHERE run = ?1 AND (kind = ?2 OR ?2 = '') "+
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
