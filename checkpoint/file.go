package checkpoint

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/mattn/go-sqlite3"
)

// The database file itself is never opened but by SQLite: closing any other descriptor of it would drop the POSIX
// locks that SQLite holds in this process (sqlite.org/howtocorrupt.html, 2.2).

// maxReaders bounds the connections that read.
const maxReaders = 4

// realPath makes a path absolute and follows symbolic links, so that one file has one lock. The file need not exist.
func realPath(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(abs)
	if err == nil {
		return real, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, filepath.Base(abs)), nil
}

// dsn is the name go-sqlite3 opens. mode is ro or rw, never rwc: nothing comes into being by being opened.
func dsn(real, mode string, more ...string) string {
	p := filepath.ToSlash(real)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // C:/...
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: p}
	params := append([]string{"mode=" + mode, "_txlock=immediate", "_busy_timeout=10000", "_stmt_cache_size=96"}, more...)
	u.RawQuery = strings.Join(params, "&")
	return u.String()
}

// openReaders opens the pool that reads. immutable is for a file in a folder that cannot be written: SQLite then needs
// no shared memory file, and takes it that nobody writes.
func openReaders(real string, immutable bool) (*sql.DB, error) {
	var more []string
	if immutable {
		more = []string{"immutable=1"}
	}
	db, err := sql.Open("sqlite3", dsn(real, "ro", more...))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(maxReaders)
	db.SetMaxIdleConns(maxReaders)
	return db, nil
}

// needsImmutable says that a read-only file could not be opened because its shared memory file cannot be made, and
// that no WAL waits to be read, without which the file alone is the whole truth.
func needsImmutable(real string, err error) bool {
	var e sqlite3.Error
	if !errors.As(err, &e) || (e.Code != sqlite3.ErrCantOpen && e.Code != sqlite3.ErrReadonly) {
		return false
	}
	info, err := os.Stat(real + "-wal")
	return errors.Is(err, fs.ErrNotExist) || (err == nil && info.Size() == 0)
}

// takeLock takes the operating system's lock of a checkpoint, or says who has it.
func takeLock(ctx context.Context, path, real string) (*flock.Flock, error) {
	lock := flock.New(real + ".lock")
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock checkpoint %s: make its folder writable: %w", path, err)
	}
	if !got {
		_ = lock.Close() // nothing is held
		return nil, lockedBy(ctx, path, real)
	}
	return lock, nil
}

// InUse is nil when nobody holds the checkpoint at path, and a *LockedError when somebody does. It changes nothing.
func InUse(ctx context.Context, path string) error {
	real, err := existing(path)
	if err != nil {
		return err
	}
	if _, err := os.Stat(real + ".lock"); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	lock, err := takeLock(ctx, path, real)
	if err != nil {
		return err
	}
	return lock.Close()
}

// lockedBy words the refusal; who holds the lock is only a courtesy, so errors leave it unsaid.
func lockedBy(ctx context.Context, path, real string) error {
	locked := &LockedError{Path: path}
	db, err := openReaders(real, false)
	if err != nil {
		return locked
	}
	defer db.Close()
	var since time.Time
	row := db.QueryRowContext(ctx, "SELECT pid, host, since FROM holder")
	if err := row.Scan(&locked.PID, &locked.Host, (*stamp)(&since)); err != nil {
		return &LockedError{Path: path}
	}
	locked.Since = since
	return locked
}

// createFile makes the file beside its place and renames it, so that it is never seen half made. The lock is held.
func createFile(ctx context.Context, path, real string, job Job) error {
	if err := nothingThere(path, real); err != nil {
		return err
	}
	fresh := real + ".new"
	for _, left := range []string{fresh, fresh + "-journal"} { // by a process that was killed here
		if err := os.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("create checkpoint %s: %w", path, err)
		}
	}
	f, err := os.OpenFile(fresh, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("create checkpoint %s: %w", path, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("create checkpoint %s: %w", path, err)
	}
	if err := fill(ctx, fresh, job); err != nil {
		return errors.Join(explain(path, err), os.Remove(fresh))
	}
	if err := os.Rename(fresh, real); err != nil {
		return fmt.Errorf("create checkpoint %s: %w", path, err)
	}
	return syncDir(filepath.Dir(real))
}

// nothingThere refuses to create over a file, or beside the WAL of one that is gone: SQLite would replay that into the
// new file, and what it says of sent conversations would be lost. An empty WAL, such as a view leaves, says nothing.
func nothingThere(path, real string) error {
	if _, err := os.Lstat(real); err == nil {
		return fmt.Errorf("create checkpoint %s: %w", path, ErrExists)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("create checkpoint %s: %w", path, err)
	}
	for _, suffix := range []string{"-wal", "-journal"} {
		info, err := os.Stat(real + suffix)
		if err == nil && info.Size() > 0 {
			return fmt.Errorf("create checkpoint %s: %s%s is left of a checkpoint that is gone: "+
				"bring that back, or move this file away too: %w", path, path, suffix, ErrExists)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("create checkpoint %s: %w", path, err)
		}
	}
	return nil
}

// fill writes the schema and the job into an empty file.
func fill(ctx context.Context, file string, job Job) error {
	db, err := sql.Open("sqlite3", dsn(file, "rw"))
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "PRAGMA synchronous = FULL"); err != nil {
		return err
	}
	if err := migrate(ctx, conn, 0); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "INSERT INTO job (id, origin, account, source_kind, key_rule, tool_version, "+
		"created_at) VALUES (1, ?, ?, ?, ?, ?, ?)",
		job.Origin, job.Account, job.SourceKind, job.KeyRule, job.ToolVersion, stamp(job.CreatedAt))
	return err
}

// syncDir makes a rename durable. Where folders cannot be synced (Windows) it does nothing.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
