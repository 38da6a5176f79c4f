package checkpoint

import (
	"context"
	"database/sql"
	"errors"
)

// page is how many rows a stream reads at a time. Streams page by key instead of keeping a cursor open: a reader that
// stays open for hours would keep the WAL from being folded into the file.
const page = 500

func (s *Store) row(ctx context.Context, query string, args ...any) *sql.Row {
	return s.read.QueryRowContext(ctx, query, args...)
}

// each calls f for every row of a query.
func (s *Store) each(ctx context.Context, f func(*sql.Rows) error, query string, args ...any) error {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return s.readError(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return s.readError(err)
		}
	}
	return s.readError(rows.Err())
}

// readError words an error of a query.
func (s *Store) readError(err error) error {
	if err != nil && err.Error() == "sql: database is closed" { // database/sql has no value for it
		return ErrClosed
	}
	return explain(s.path, err)
}

// none turns "no row" into nil.
func none[T any](v *T, err error) (*T, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}
