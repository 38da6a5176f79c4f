package checkpoint

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
)

// Job says which job a checkpoint is of. Origin, Account, SourceKind and KeyRule make the job: a file in which one of
// them differs is refused. ToolVersion and CreatedAt are only noted.
type Job struct {
	Origin      string // scheme and host of the API
	Account     string // opaque: compared, never read
	SourceKind  string // csv, mbox, ...
	KeyRule     string // which rule gave tickets and messages their keys
	ToolVersion string
	CreatedAt   time.Time // UTC; Create fills it when zero
}

// A Store is an open checkpoint. Its methods are safe for concurrent use.
type Store struct {
	path  string // as given, for people
	job   Job
	read  *sql.DB // a small pool of read-only connections
	write *sql.DB // its one connection is the writer's; nil in a view
	w     *writer // nil in a view
	lock  *flock.Flock

	run    atomic.Int64 // the run that BeginRun began, 0 before
	fault  atomic.Pointer[func(string) (bool, error)]
	closer sync.Once
	closed error
}

// Create makes the checkpoint of a job and opens it. The file appears complete or not at all, readable by its owner
// only. An existing file is refused with ErrExists, a locked one with *LockedError.
func Create(ctx context.Context, path string, job Job) (*Store, error) {
	real, err := realPath(path)
	if err != nil {
		return nil, fmt.Errorf("create checkpoint %s: %w", path, err)
	}
	lock, err := takeLock(ctx, path, real)
	if err != nil {
		return nil, err
	}
	if job.CreatedAt.IsZero() {
		job.CreatedAt = time.Now()
	}
	if err := createFile(ctx, path, real, job); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return openLocked(ctx, path, real, job, lock)
}

// Open opens the checkpoint of a job for writing. It refuses a file that is missing (ErrMissing), that is something
// else (ErrNotCheckpoint), of another job (*OtherJobError), of a newer schema (*SchemaError), or held by another
// process (*LockedError); none of these changes the file.
func Open(ctx context.Context, path string, job Job) (*Store, error) {
	real, err := existing(path)
	if err != nil {
		return nil, err
	}
	lock, err := takeLock(ctx, path, real)
	if err != nil {
		return nil, err
	}
	return openLocked(ctx, path, real, job, lock)
}

// View opens a checkpoint for reading only, whatever its job. It takes no lock and works while a run writes; every
// answer is a consistent one as of its own moment. It never changes the file, and may leave an empty -wal and a -shm
// file beside it, which the next Open tidies away.
func View(ctx context.Context, path string) (*Store, error) {
	real, err := existing(path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path}
	for _, immutable := range []bool{false, true} {
		if s.read, err = openReaders(real, immutable); err != nil {
			return nil, explain(path, err)
		}
		if s.job, err = inspect(ctx, path, s.read, true); err == nil {
			return s, nil
		}
		_ = s.read.Close() // the error above is the one to tell
		if !needsImmutable(real, err) {
			break
		}
	}
	return nil, explain(path, err)
}

// openLocked opens a file whose lock is held; the lock is released when it cannot be opened.
func openLocked(ctx context.Context, path, real string, job Job, lock *flock.Flock) (_ *Store, err error) {
	s := &Store{path: path, lock: lock}
	defer func() {
		if err != nil {
			err = errors.Join(explain(path, err), s.release())
		}
	}()
	if s.write, err = sql.Open("sqlite3", dsn(real, "rw")); err != nil {
		return nil, err
	}
	s.write.SetMaxOpenConns(1)
	if s.job, err = inspect(ctx, path, s.write, false); err != nil {
		return nil, err
	}
	if err = s.job.same(path, job); err != nil {
		return nil, err
	}
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if err = prepareWriter(ctx, path, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	s.w = newWriter(conn)
	s.read, err = openReaders(real, false)
	return s, err
}

// inspect reads the header and the job of a file without writing to it.
func inspect(ctx context.Context, path string, db *sql.DB, view bool) (Job, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return Job{}, err
	}
	defer conn.Close()
	h, err := readHeader(ctx, conn)
	if err != nil {
		return Job{}, err
	}
	steps, err := migrations()
	if err != nil {
		return Job{}, err
	}
	if err := h.check(path, len(steps), view); err != nil {
		return Job{}, err
	}
	var j Job
	err = conn.QueryRowContext(ctx, "SELECT origin, account, source_kind, key_rule, tool_version, created_at FROM job").
		Scan(&j.Origin, &j.Account, &j.SourceKind, &j.KeyRule, &j.ToolVersion, (*stamp)(&j.CreatedAt))
	return j, err
}

// same refuses a file of another job.
func (j Job) same(path string, want Job) error {
	for _, m := range []struct{ member, have, want string }{
		{"origin", j.Origin, want.Origin},
		{"account", j.Account, want.Account},
		{"source kind", j.SourceKind, want.SourceKind},
		{"key rule", j.KeyRule, want.KeyRule},
	} {
		if m.have != m.want {
			return &OtherJobError{Path: path, Member: m.member, Have: m.have, Want: m.want}
		}
	}
	return nil
}

// prepareWriter sets what a connection that writes needs, brings the schema up to date and says who holds the file.
func prepareWriter(ctx context.Context, path string, conn *sql.Conn) error {
	// The journal mode stays in the file; where the file system cannot do it, SQLite says so in its answer alone.
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("open checkpoint %s: its folder cannot hold a write-ahead log (journal mode %s): "+
			"put it on a local disk", path, mode)
	}
	// FULL: every commit is an fsync of the WAL.
	if _, err := conn.ExecContext(ctx, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON"); err != nil {
		return err
	}
	h, err := readHeader(ctx, conn)
	if err != nil {
		return err
	}
	if err := migrate(ctx, conn, h.version); err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	_, err = conn.ExecContext(ctx, "INSERT OR REPLACE INTO holder (id, pid, host, since) VALUES (1, ?, ?, ?)",
		os.Getpid(), host, stamp(time.Now()))
	return err
}

// Job is the job the file is of, as it says itself.
func (s *Store) Job() Job { return s.job }

// Path is the name the checkpoint was opened by.
func (s *Store) Path() string { return s.path }

// Close waits for the writes that are under way, folds the WAL into the file and releases the lock. Methods called
// after it return ErrClosed. A second Close returns what the first did.
func (s *Store) Close() error {
	s.closer.Do(func() {
		if s.w != nil {
			s.w.close()
		}
		s.closed = explain(s.path, s.release())
	})
	return s.closed
}

// release lets go of everything that is open: readers first, so that the writer is the last and can fold the WAL.
func (s *Store) release() error {
	var errs []error
	if s.read != nil {
		errs = append(errs, s.read.Close())
	}
	if s.w != nil {
		t := tx{s.w.conn}
		_, err := t.exec("DELETE FROM holder")
		errs = append(errs, err)
		_, err = t.exec("PRAGMA wal_checkpoint(TRUNCATE)")
		errs = append(errs, err, s.w.conn.Close())
	}
	if s.write != nil {
		errs = append(errs, s.write.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// SetFault installs a hook for tests, called before each durable write with its name: that of the method in snake case,
// and for a Loader "load" at each batch and "finish_load" at the end. When it returns an error, that error is returned
// to the caller; apply says whether the write is made all the same, as when a process dies right after it. A nil hook,
// or a nil error, is no fault.
func (s *Store) SetFault(f func(op string) (apply bool, err error)) {
	if f == nil {
		s.fault.Store(nil)
		return
	}
	s.fault.Store(&f)
}

// do makes one durable write. A context that is done before the write has begun refuses it; afterwards the outcome is
// waited for, so that the caller always knows it.
func (s *Store) do(ctx context.Context, op string, f func(tx) error) error {
	if s.w == nil {
		return ErrViewOnly
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if hook := s.fault.Load(); hook != nil {
		if apply, err := (*hook)(op); err != nil {
			if apply {
				return errors.Join(err, s.w.do(f))
			}
			return err
		}
	}
	return explain(s.path, s.w.do(f))
}

// existing resolves the path of a file that must be there.
func existing(path string) (string, error) {
	real, err := realPath(path)
	var info fs.FileInfo
	if err == nil {
		info, err = os.Stat(real)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("open checkpoint %s: %w", path, ErrMissing)
	case err != nil:
		return "", fmt.Errorf("open checkpoint %s: %w", path, err)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("open checkpoint %s: %w: it is no regular file", path, ErrNotCheckpoint)
	}
	return real, nil
}
