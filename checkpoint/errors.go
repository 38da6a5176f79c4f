package checkpoint

import (
	"errors"
	"fmt"
	"time"

	"github.com/mattn/go-sqlite3"
)

// Errors of the file as a whole. Open and Create wrap them with the path and what to do.
var (
	// ErrExists is returned by Create: a checkpoint is never overwritten.
	ErrExists = errors.New("the file exists already")
	// ErrMissing is returned by Open and View: a checkpoint never comes into being by being opened.
	ErrMissing = errors.New("there is no such file")
	// ErrNotCheckpoint says that the file is something else: empty, or not ours.
	ErrNotCheckpoint = errors.New("the file is not a checkpoint of hsimport")
	// ErrDamaged says that SQLite finds the file's pages inconsistent.
	ErrDamaged = errors.New("the file is damaged")
	// ErrViewOnly is returned by every writing method of a Store that View made.
	ErrViewOnly = errors.New("the checkpoint was opened for reading only")
	// ErrClosed is returned by every method after Close.
	ErrClosed = errors.New("the checkpoint is closed")
	// ErrNoPart says that there is no part of that id.
	ErrNoPart = errors.New("there is no such part")
	// ErrNoEffect says that there is no effect of that id.
	ErrNoEffect = errors.New("there is no such effect")
)

// OtherJobError says that the file belongs to another job: one of the four members that make a job differs.
type OtherJobError struct {
	Path   string
	Member string // origin, account, source kind or key rule
	Have   string // what the file says
	Want   string // what was asked for
}

func (e *OtherJobError) Error() string {
	return fmt.Sprintf("open checkpoint %s: it belongs to another job: its %s is %q, this one's is %q; "+
		"name another checkpoint file for this job", e.Path, e.Member, e.Have, e.Want)
}

// SchemaError says that a newer version of the tool has written the file.
type SchemaError struct {
	Path string
	Have int // the file's schema
	Know int // the newest one this program knows
}

func (e *SchemaError) Error() string {
	if e.Have < e.Know {
		return fmt.Sprintf("open checkpoint %s: its schema %d is older than ours, %d; a run will bring it up to date",
			e.Path, e.Have, e.Know)
	}
	return fmt.Sprintf("open checkpoint %s: its schema %d is newer than ours, %d; use the newer hsimport that wrote it",
		e.Path, e.Have, e.Know)
}

// LockedError says that another process (or another Store of this one) holds the checkpoint. PID is 0 when the holder
// has not said who it is.
type LockedError struct {
	Path  string
	PID   int
	Host  string
	Since time.Time // UTC
}

func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("open checkpoint %s: locked by another process; wait for it, or stop it", e.Path)
	}
	return fmt.Sprintf("open checkpoint %s: locked by pid %d on host %s since %s; wait for it, or stop it",
		e.Path, e.PID, e.Host, e.Since.UTC().Format("2006-01-02 15:04 UTC"))
}

// MoveError refuses a move that the state machine does not know. Exactly one of Part and Effect is set.
type MoveError struct {
	Part, Effect int64
	From, To     State
}

func (e *MoveError) Error() string {
	if e.Effect != 0 {
		return fmt.Sprintf("effect %d is %s, it cannot become %s", e.Effect, e.From, e.To)
	}
	return fmt.Sprintf("part %d is %s, it cannot become %s", e.Part, e.From, e.To)
}

// PlacedError says that a message is in another part already (or was appended by another effect of the same one).
type PlacedError struct {
	Key  string
	Part int64 // the part that has it
}

func (e *PlacedError) Error() string {
	return fmt.Sprintf("message %q is in part %d already, it is not sent again", e.Key, e.Part)
}

// ClaimedError says that a conversation belongs to another part already.
type ClaimedError struct {
	Conversation int64
	Part         int64 // the part that has it
}

func (e *ClaimedError) Error() string {
	return fmt.Sprintf("conversation %d belongs to part %d already", e.Conversation, e.Part)
}

// hintDamaged names the WAL too: left behind, SQLite would replay it into the copy.
const hintDamaged = "move it away together with the files of its name that end in -wal and -shm, then go on from the " +
	"copy that the last finished run left, or rebuild it from the account with recover"

// explain puts what SQLite says about the file into words that say what to do. Errors of other kinds pass unchanged.
func explain(path string, err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case sqlite3.ErrFull:
		return fmt.Errorf("checkpoint %s: the disk is full: free some space and start again; "+
			"whatever was acknowledged is kept: %w", path, err)
	case sqlite3.ErrReadonly:
		return fmt.Errorf("checkpoint %s: it cannot be written: make the file and its folder writable: %w", path, err)
	case sqlite3.ErrCorrupt:
		return fmt.Errorf("checkpoint %s: %w: %w; %s", path, ErrDamaged, err, hintDamaged)
	case sqlite3.ErrNotADB:
		return fmt.Errorf("checkpoint %s: %w: %w", path, ErrNotCheckpoint, err)
	case sqlite3.ErrIoErr:
		return fmt.Errorf("checkpoint %s: the disk refused: nothing more is written to it; "+
			"look after the disk (its health, a quota) and start again: %w", path, err)
	case sqlite3.ErrCantOpen, sqlite3.ErrPerm:
		return fmt.Errorf("checkpoint %s: it cannot be opened: look at the permissions of the file and its folder: %w",
			path, err)
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return fmt.Errorf("checkpoint %s: another program keeps it locked: close it and start again: %w", path, err)
	}
	return fmt.Errorf("checkpoint %s: %w", path, err)
}
