package importer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"hsimport/checkpoint"
)

// A finished command leaves a copy of the checkpoint beside it, named by the moment (UTC):
//
//	import.db.20260301-183000Z.bak
//
// The checkpoint is the one thing whose loss could double a history; a copy, brought up to date by recover, is the
// shortest way back. Copies are files of their own: nothing opens them but a person, and recover's hint.
const (
	copyLayout = "20060102-150405Z"
	copySuffix = ".bak"
	copySpare  = 64 << 20 // bytes that stay free on the disk
)

// keepCopy leaves a copy of the checkpoint of a command that has ended with code, removes the oldest ones beyond
// Job.Copies, and returns its name. One that would hold nothing new is not made. What goes wrong with it is a warning:
// the job itself is done.
func (e *engine) keepCopy(ctx context.Context, code int) string {
	if e.Copies <= 0 || !worthACopy(code) {
		return ""
	}
	path, err := e.copyCheckpoint(ctx, time.Now())
	if err != nil {
		e.tell(Event{Kind: EventWarning, Text: fmt.Sprintf("no copy of the checkpoint was left beside it: %v", err)})
		return ""
	}
	if err := pruneCopies(e.Checkpoint, e.Copies); err != nil {
		e.tell(Event{Kind: EventWarning, Text: fmt.Sprintf("old copies of the checkpoint stay: %v", err)})
	}
	return path
}

// worthACopy says that a command has come to an end of its own: what was interrupted, refused or has failed goes on.
func worthACopy(code int) bool {
	return slices.Contains([]int{ExitOK, ExitRejected, ExitLeft, ExitDoubt}, code)
}

// copyCheckpoint copies the checkpoint and returns the copy's name, or that of the newest copy where nothing has moved
// since.
func (e *engine) copyCheckpoint(ctx context.Context, now time.Time) (string, error) {
	have, err := Copies(e.Checkpoint)
	if err != nil {
		return "", err
	}
	if len(have) > 0 && sameCounts(ctx, e.store, have[0]) {
		return have[0], nil
	}
	size := int64(0)
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(e.store.Path() + suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if err == nil {
			size += info.Size()
		}
	}
	if free := freeSpace(filepath.Dir(e.Checkpoint)); free >= 0 && free < size+copySpare {
		return "", fmt.Errorf("it takes %d MB, the disk has %d MB left", size>>20+1, free>>20)
	}
	if size >= copySpare {
		e.tell(Event{Kind: EventPhase, Text: fmt.Sprintf("copying the checkpoint, %d MB", size>>20)})
	}
	to := e.Checkpoint + "." + now.UTC().Format(copyLayout) + copySuffix
	return to, e.store.CopyTo(ctx, to)
}

// sameCounts reports that a copy stands where the checkpoint stands: every step of a job changes a count. A copy that
// cannot be read is as good as none.
func sameCounts(ctx context.Context, store *checkpoint.Store, path string) bool {
	old, err := checkpoint.View(ctx, path)
	if err != nil {
		return false
	}
	defer old.Close()
	was, err := old.Counts(ctx)
	if err != nil || !old.Job().CreatedAt.Equal(store.Job().CreatedAt) {
		return false
	}
	is, err := store.Counts(ctx)
	return err == nil && reflect.DeepEqual(was, is)
}

// Copies lists the copies that finished commands have left beside a checkpoint, the newest first.
func Copies(path string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	var out []string
	for _, entry := range entries {
		if _, ok := copyTime(filepath.Base(path), entry.Name()); ok && entry.Type().IsRegular() {
			out = append(out, filepath.Join(filepath.Dir(path), entry.Name()))
		}
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out, nil
}

// copyTime is the moment a copy's name tells of.
func copyTime(base, name string) (time.Time, bool) {
	rest, ok := strings.CutPrefix(name, base+".")
	if !ok {
		return time.Time{}, false
	}
	rest, ok = strings.CutSuffix(rest, copySuffix)
	if !ok {
		return time.Time{}, false
	}
	t, err := time.Parse(copyLayout, rest)
	return t, err == nil
}

// pruneCopies removes all but the newest copies.
func pruneCopies(path string, keep int) error {
	have, err := Copies(path)
	if err != nil || len(have) <= keep {
		return err
	}
	for _, old := range have[keep:] {
		if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, suffix := range []string{"-wal", "-shm"} {
			_ = os.Remove(old + suffix) // a view may have left empty ones
		}
	}
	return nil
}

// lostHint is the way on when the account holds what the checkpoint does not know; where a copy of this job was left,
// it is the shorter one.
func (e *engine) lostHint(ctx context.Context) string {
	const plain = "if a checkpoint of this job exists, use it; otherwise `hsimport recover` rebuilds it from the account"
	have, err := Copies(e.Checkpoint)
	if err != nil || e.store == nil {
		return plain
	}
	for _, path := range have {
		if e.knowsMore(ctx, path) {
			at, _ := copyTime(filepath.Base(e.Checkpoint), filepath.Base(path))
			return fmt.Sprintf("a copy of %s is there: `cp %s %s`, then `hsimport recover --merge` brings it up to date; without it `hsimport recover` rebuilds the checkpoint from the account",
				at.Format("2 Jan 2006 15:04 MST"), path, e.Checkpoint)
		}
	}
	return plain
}

// knowsMore reports that a copy is of this job and knows of more conversations than the checkpoint.
func (e *engine) knowsMore(ctx context.Context, path string) bool {
	store, err := checkpoint.View(ctx, path)
	if err != nil {
		return false
	}
	defer store.Close()
	job, want := store.Job(), e.store.Job()
	if job.Origin != want.Origin || job.Account != want.Account || job.SourceKind != want.SourceKind || job.KeyRule != want.KeyRule {
		return false
	}
	has, err := store.Counts(ctx)
	if err != nil {
		return false
	}
	have, err := e.store.Counts(ctx)
	return err == nil && has.Parts[checkpoint.Created] > have.Parts[checkpoint.Created]
}
