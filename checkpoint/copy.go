package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// CopyTo leaves a complete copy of the checkpoint, as of one moment, at path. A copy that is there already is replaced
// once the new one is on the disk. Writes may go on meanwhile; they are not in the copy.
func (s *Store) CopyTo(ctx context.Context, path string) error {
	to, err := realPath(path)
	if err != nil {
		return fmt.Errorf("copy checkpoint %s to %s: %w", s.path, path, err)
	}
	if own, err := realPath(s.path); err != nil || own == to {
		return errors.Join(err, fmt.Errorf("copy checkpoint %s: the copy needs a name of its own", s.path))
	}
	fresh := to + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("copy checkpoint %s to %s: %w", s.path, path, err)
	}
	f, err := os.OpenFile(fresh, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("copy checkpoint %s to %s: %w", s.path, path, err)
	}
	defer f.Close()
	// VACUUM INTO reads one snapshot, and accepts an existing file that is empty.
	if _, err := s.read.ExecContext(ctx, "VACUUM INTO ?", fresh); err != nil {
		return errors.Join(s.readError(err), os.Remove(fresh))
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("copy checkpoint %s to %s: %w", s.path, path, err)
	}
	if err := os.Rename(fresh, to); err != nil {
		return fmt.Errorf("copy checkpoint %s to %s: %w", s.path, path, err)
	}
	return syncDir(filepath.Dir(to))
}

// Check reads the whole file and reports damage as ErrDamaged; so do counts that do not agree with the rows.
func (s *Store) Check(ctx context.Context) error {
	var verdict string
	if err := s.row(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return s.readError(err)
	}
	if verdict != "ok" {
		return fmt.Errorf("checkpoint %s: %w: %s; %s", s.path, ErrDamaged, verdict, hintDamaged)
	}
	for _, c := range []struct{ what, query string }{
		{"its counts differ from its parts", "SELECT count(*) FROM (SELECT state, how, run, count(*) AS n, " +
			"sum(threads) AS threads, sum(units) AS units FROM part GROUP BY state, how, run EXCEPT " +
			"SELECT state, how, run, n, threads, units FROM tally WHERE kind = '')"},
		{"it counts parts that are not there", "SELECT (SELECT coalesce(sum(n), 0) FROM tally WHERE kind = '') - " +
			"(SELECT count(*) FROM part)"},
		{"its counts differ from its effects", "SELECT count(*) FROM (SELECT kind, state, count(*) AS n FROM effect " +
			"GROUP BY kind, state EXCEPT SELECT kind, state, n FROM tally WHERE kind <> '')"},
		{"a message belongs to a part that has none", "SELECT count(*) FROM message m LEFT JOIN part p " +
			"ON p.id = m.part_id WHERE p.id IS NULL OR p.state IN (0, 5)"},
	} {
		var wrong int
		if err := s.row(ctx, c.query).Scan(&wrong); err != nil {
			return s.readError(err)
		}
		if wrong != 0 {
			return fmt.Errorf("checkpoint %s: %w: %s; %s", s.path, ErrDamaged, c.what, hintDamaged)
		}
	}
	return nil
}
