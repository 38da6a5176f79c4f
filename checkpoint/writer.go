package checkpoint

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/mattn/go-sqlite3"
)

// maxGroup bounds how many calls share one transaction, and with it how long the first of them waits.
const maxGroup = 256

// writer commits calls in groups. The first caller to come leads: it takes every call that waits, runs each in a
// savepoint, commits once, and tells the others. Whoever arrived meanwhile waits for the next group, which is led by
// the first of them. There is no goroutine of its own: with one caller it is a plain transaction, with many the cost
// of the disk is shared.
type writer struct {
	conn *sql.Conn // the only connection that writes; used by the leader alone

	mu      sync.Mutex
	idle    *sync.Cond // signalled when leading becomes false
	queue   []*call
	leading bool
	closed  bool
	broken  error // the disk failed in a commit: nothing more is written
}

// A call is one durable write that waits for its group.
type call struct {
	run  func(tx) error // may run again, when it or another call has spoilt the transaction
	err  error
	done bool          // false when woken to lead
	wake chan struct{} // buffered: the leader never waits
}

func newWriter(conn *sql.Conn) *writer {
	w := &writer{conn: conn}
	w.idle = sync.NewCond(&w.mu)
	return w
}

// do runs f in a transaction and returns once that is on the disk, or has left no trace.
func (w *writer) do(f func(tx) error) error {
	c := &call{run: f, wake: make(chan struct{}, 1)}
	w.mu.Lock()
	if err := w.refusal(); err != nil {
		w.mu.Unlock()
		return err
	}
	w.queue = append(w.queue, c)
	lead := !w.leading
	w.leading = true
	w.mu.Unlock()
	if !lead {
		<-c.wake
		if c.done {
			return c.err
		}
	}
	w.lead()
	return c.err
}

func (w *writer) refusal() error {
	switch {
	case w.closed:
		return ErrClosed
	case w.broken != nil:
		return fmt.Errorf("nothing is written since an earlier error: %w", w.broken)
	}
	return nil
}

// lead commits one group, the caller's own call first among it, and hands the lead on.
func (w *writer) lead() {
	w.mu.Lock()
	n := min(len(w.queue), maxGroup)
	group := append([]*call(nil), w.queue[:n]...)
	w.queue = w.queue[n:]
	broken := w.broken
	w.mu.Unlock()

	if broken != nil {
		settle(group, broken)
	} else {
		broken = w.commit(group)
	}

	w.mu.Lock()
	w.broken = broken
	if len(w.queue) > 0 {
		w.queue[0].wake <- struct{}{}
	} else {
		w.queue = nil
		w.leading = false
		w.idle.Broadcast()
	}
	w.mu.Unlock()
	for _, c := range group[1:] {
		c.done = true
		c.wake <- struct{}{}
	}
}

// commit writes a group. Every call ends with its own error, or with that of the commit they share. The error returned
// is one after which nothing must be written: an fsync that failed once may say yes the next time and still have lost
// the pages, so only a new process, reading what is really there, can go on.
func (w *writer) commit(group []*call) (broken error) {
	for len(group) > 0 {
		spoilt, err := w.attempt(group)
		if spoilt < 0 {
			if err != nil {
				settle(group, err)
			}
			return fatal(err)
		}
		// This call's error made SQLite undo the whole transaction: the others go again without it.
		if fatal(err) != nil {
			settle(group, err)
			return err
		}
		group = append(append([]*call(nil), group[:spoilt]...), group[spoilt+1:]...)
	}
	return nil
}

// attempt runs a group once. spoilt is the index of a call whose error ended the transaction, or -1; err is then that
// call's, else that of the transaction itself. Errors are rare and savepoints cost two statements a call, so the group
// goes without them first; when a call errs, all is undone and the group goes again with them.
func (w *writer) attempt(group []*call) (spoilt int, err error) {
	smooth, err := w.plainly(group)
	if smooth || err != nil {
		return -1, err
	}
	t := tx{w.conn}
	if _, err := t.exec("BEGIN IMMEDIATE"); err != nil {
		return -1, err
	}
	for i, c := range group {
		c.err = t.savepoint(c.run)
		if c.err != nil && (fatal(c.err) != nil || !t.open()) {
			t.rollback()
			return i, c.err
		}
	}
	return -1, t.commit()
}

// plainly runs a group without savepoints. It is not smooth when a call erred: then nothing of the group is left, and
// the error is found again with savepoints. An error is that of the transaction itself.
func (w *writer) plainly(group []*call) (smooth bool, err error) {
	t := tx{w.conn}
	if _, err := t.exec("BEGIN IMMEDIATE"); err != nil {
		return false, err
	}
	for _, c := range group {
		if c.err = c.run(t); c.err != nil {
			t.rollback()
			return false, fatal(c.err)
		}
	}
	return true, t.commit()
}

// settle gives an error to every call that has none of its own.
func settle(group []*call, err error) {
	for _, c := range group {
		if c.err == nil {
			c.err = err
		}
	}
}

// fatal returns the error if the disk, not the call, is to blame.
func fatal(err error) error {
	var e sqlite3.Error
	if errors.As(err, &e) && (e.Code == sqlite3.ErrIoErr || e.Code == sqlite3.ErrCorrupt) {
		return err
	}
	return nil
}

// close refuses further calls and waits for those that are under way.
func (w *writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for w.leading {
		w.idle.Wait()
	}
}

// tx is the transaction a call runs in. Statements are kept prepared by the driver (_stmt_cache_size). The context is
// the background's on purpose: a statement that was begun for several callers is not interrupted for one of them, and
// the driver would start a goroutine for each.
type tx struct{ conn *sql.Conn }

func (t tx) exec(query string, args ...any) (int64, error) {
	r, err := t.conn.ExecContext(context.Background(), query, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// insert returns the new row's id.
func (t tx) insert(query string, args ...any) (int64, error) {
	r, err := t.conn.ExecContext(context.Background(), query, args...)
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

func (t tx) row(query string, args ...any) *sql.Row {
	return t.conn.QueryRowContext(context.Background(), query, args...)
}

// savepoint runs f so that its error leaves no trace of it.
func (t tx) savepoint(f func(tx) error) error {
	if _, err := t.exec("SAVEPOINT call"); err != nil {
		return err
	}
	err := f(t)
	if err != nil && t.open() {
		if _, back := t.exec("ROLLBACK TO call"); back != nil {
			return errors.Join(err, back)
		}
	}
	if t.open() {
		if _, release := t.exec("RELEASE call"); release != nil {
			return errors.Join(err, release)
		}
	}
	return err
}

// commit ends the transaction; on error nothing of it is left.
func (t tx) commit() error {
	_, err := t.exec("COMMIT")
	if err != nil {
		t.rollback()
	}
	return err
}

// rollback undoes the transaction if SQLite has not done so; the error that led here is the one to tell.
func (t tx) rollback() {
	if t.open() {
		_, _ = t.exec("ROLLBACK")
	}
}

// open says whether the transaction still stands: some errors (a full disk, I/O) make SQLite roll it back by itself.
func (t tx) open() bool {
	open := false
	_ = t.conn.Raw(func(c any) error {
		open = !c.(*sqlite3.SQLiteConn).AutoCommit()
		return nil
	})
	return open
}
