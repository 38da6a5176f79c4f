package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"hsimport/checkpoint"
	"hsimport/configs"
	"hsimport/importer"
)

// sourceSize is what the files of a source take.
type sourceSize struct {
	files  int
	bytes  int64 // on the disk
	packed int64 // those of them that are compressed
}

// unpackedBy is how much text shrinks when it is compressed, at most as a rule.
const unpackedBy = 10

// add counts a file, or all files of a folder.
func (s *sourceSize) add(path string) error {
	return filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := os.Stat(p) // of what a link leads to
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		s.files++
		s.bytes += info.Size()
		if ext := strings.ToLower(filepath.Ext(p)); ext == ".gz" || ext == ".zst" {
			s.packed += info.Size()
		}
		return nil
	})
}

func (s *sourceSize) join(o sourceSize) {
	s.files, s.bytes, s.packed = s.files+o.files, s.bytes+o.bytes, s.packed+o.packed
}

// text is about how many bytes there are once everything is unpacked.
func (s *sourceSize) text() int64 { return s.bytes + (unpackedBy-1)*s.packed }

// leastSpace is asked for however small the source is.
const leastSpace = 20_000_000

// forCheckpoint is about what the checkpoint grows to: 1.5 kB a conversation, of which a table of short messages has
// many in little text, and an archive of mail few. Its copy takes as much again.
func (s *sourceSize) forCheckpoint(kind string) int64 {
	share := s.text() / 10
	if kind != configs.Mbox {
		share = s.text()
	}
	return leastSpace + 2*share
}

// forTemporary is about what is written while it is read: what is compressed is unpacked once, and a table in
// another charset may be written anew; the index takes little.
func (s *sourceSize) forTemporary(kind string) int64 {
	need := s.text()/10 + unpackedBy*s.packed
	if kind != configs.Mbox {
		need += s.text()
	}
	return leastSpace + need
}

// disk holds what is free against what the import will need, about.
func (d *doctor) disk(size sourceSize) {
	d.space("checkpoint", filepath.Dir(d.c.Checkpoint), size.forCheckpoint(d.c.Source.Kind), "name a checkpoint on another disk, or make room")
	d.space("temporary files", os.TempDir(), size.forTemporary(d.c.Source.Kind), "set TMPDIR to a folder on a larger disk, or make room")
}

func (d *doctor) space(what, dir string, need int64, hint string) {
	free := freeSpace(dir)
	switch text := fmt.Sprintf("%s free in %s, the %s may need %s", humanBytes(max(free, 0)), dir, what, humanBytes(need)); {
	case free < 0:
		d.ok("disk", fmt.Sprintf("what is free in %s cannot be found out here; the %s may need %s", dir, what, humanBytes(need)))
	case free < need/4:
		d.stop(importer.ExitUsage, "disk", text, hint)
	case free < need:
		d.warn("disk", text, hint)
	default:
		d.ok("disk", text)
	}
}

// memory looks at the checkpoint: is it ours, is it free, is it whole, can its folder be written.
func (d *doctor) memory(ctx context.Context) {
	path := d.c.Checkpoint
	if err := writable(filepath.Dir(path)); err != nil {
		d.stop(importer.ExitUsage, "checkpoint", err.Error(), "the checkpoint needs a folder that can be written")
		return
	}
	view, err := checkpoint.View(ctx, path)
	if errors.Is(err, checkpoint.ErrMissing) {
		d.ok("checkpoint", path+" is not there yet: this will be the first run")
		return
	}
	var schema *checkpoint.SchemaError
	if errors.As(err, &schema) && schema.Have < schema.Know {
		d.warn("checkpoint", path+" is of an older version of hsimport: the next run brings it up to date", "")
		return
	}
	if err != nil {
		d.stop(importer.ExitCheckpoint, "checkpoint", err.Error(), "")
		return
	}
	job := view.Job()
	counts, err := view.Counts(ctx)
	if err = errors.Join(err, view.Check(ctx), view.Close()); err == nil {
		err = checkpoint.InUse(ctx, path)
	}
	if err != nil {
		d.stop(importer.ExitCheckpoint, "checkpoint", err.Error(), "")
		return
	}
	if why := d.otherJob(job); why != "" {
		d.stop(importer.ExitCheckpoint, "checkpoint", path+" is of another job: "+why, "name another checkpoint in the configuration, or move this one away")
		return
	}
	d.ok("checkpoint", fmt.Sprintf("%s is whole and not in use; %s of this job begun on %s, %s created, %s to be sent", path,
		plural(counts.Total(), "conversation", "conversations"), job.CreatedAt.UTC().Format("2006-01-02"), count(counts.Parts[checkpoint.Created]), count(counts.Parts[checkpoint.Pending])))
}

// otherJob says in what a checkpoint's job differs from this one, as far as that is known without reading the source.
func (d *doctor) otherJob(job checkpoint.Job) string {
	switch {
	case job.SourceKind != d.c.Source.Kind:
		return fmt.Sprintf("its source is %s, this one's is %s", job.SourceKind, d.c.Source.Kind)
	case d.origin != "" && job.Origin != d.origin:
		return fmt.Sprintf("it imports into %s, this one into %s", job.Origin, d.origin)
	case d.identity != "" && job.Account != d.identity:
		return fmt.Sprintf("it imports into account %s, this one into %s", job.Account, d.identity)
	}
	return ""
}

// writable finds out whether a file can be made in dir, by making one.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".hsimport-doctor-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
