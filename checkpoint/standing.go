package checkpoint

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// What status asks: each question costs about the same with a thousand parts and with a million.

// A Reason is why some parts, or some effects, stand where they stand.
type Reason struct {
	Kind    string // of the effect; empty: parts
	State   State
	Status  int
	Text    string
	N       int
	Example int64 // one of the parts
}

// Reasons groups what was rejected or is in doubt by its reason, the most frequent first, at most limit groups.
func (s *Store) Reasons(ctx context.Context, limit int) ([]Reason, error) {
	var out []Reason
	err := s.each(ctx, func(rows *sql.Rows) error {
		var r Reason
		err := rows.Scan(&r.Kind, (*stateColumn)(&r.State), &r.Status, &r.Text, &r.N, &r.Example)
		out = append(out, r)
		return err
	}, "SELECT '', state, status, reason, count(*) AS n, min(id) FROM part WHERE state IN (1, 3, 4) GROUP BY state, status, reason "+
		"UNION ALL SELECT kind, state, status, reason, count(*) AS n, min(part_id) FROM effect WHERE state IN (1, 3, 4) "+
		"GROUP BY kind, state, status, reason ORDER BY n DESC, 1, 2, 3, 4 LIMIT ?", limit)
	return out, err
}

// CreatedSince counts the parts that were sent after a time and are created, and returns the time of the earliest of
// them.
func (s *Store) CreatedSince(ctx context.Context, after time.Time) (n int, first time.Time, err error) {
	var at sql.NullInt64
	err = s.row(ctx, "SELECT count(*), min(sent_at) FROM part "+bySent+"state = 2 AND sent_at > ?", stamp(after)).Scan(&n, &at)
	if at.Valid {
		first = time.UnixMilli(at.Int64).UTC()
	}
	return n, first, s.readError(err)
}

// A Holder is the process that has opened the checkpoint for writing, as it said itself. One that was killed has left
// its row behind.
type Holder struct {
	PID   int
	Host  string
	Since time.Time
}

// Holder returns who says that it holds the checkpoint, or nil.
func (s *Store) Holder(ctx context.Context) (*Holder, error) {
	var h Holder
	err := s.row(ctx, "SELECT pid, host, since FROM holder").Scan(&h.PID, &h.Host, (*stamp)(&h.Since))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, s.readError(err)
	}
	return &h, nil
}
