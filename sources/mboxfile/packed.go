package mboxfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hsimport/sources"
	"hsimport/sources/archive"
)

// unpack makes of a path that leads into an archive one of its copy; any other path stays as it is.
func (f *finder) unpack(ctx context.Context, path string) (string, error) {
	copied, ok, err := f.archives.Open(ctx, path)
	if err != nil || !ok {
		return path, err
	}
	return copied, nil
}

// trunk is the first folder of an archive's copy, from its top down, that holds more than one folder: where a person
// would look for the mails. The names above it are not those of mail folders.
func (f *finder) trunk(dir string) string {
	if f.archives.Original(dir) == dir {
		return dir
	}
	for !isMaildir(dir) {
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 || !entries[0].IsDir() {
			break
		}
		dir = filepath.Join(dir, entries[0].Name())
	}
	return dir
}

// packings are the endings of archives that may lie in a folder of mail; any other file is not opened to find out.
var packings = []string{".zip", ".tar", ".tgz", ".gz", ".zst", ".bz2", ".tbz2"}

// visitArchive takes the mails of an archive that lies in a named folder. One without mails is passed over: it may well
// be somebody's attachment.
func (f *finder) visitArchive(ctx context.Context, path string) (done bool, err error) {
	if !slices.Contains(packings, strings.ToLower(filepath.Ext(path))) {
		return false, nil
	}
	copied, ok, err := f.archives.Open(ctx, path)
	var in *sources.InputError
	switch {
	case errors.As(err, &in):
		f.pass(path, in.Err, in.Hint)
		return true, nil
	case err != nil || !ok:
		return false, err
	}
	before := len(f.inputs)
	if err := f.walk(ctx, f.trunk(copied)); err != nil {
		return true, err
	}
	if len(f.inputs) == before {
		f.pass(path, errors.New("no mail is in this archive"), "")
	}
	return true, nil
}

// membersOf is the hint for a member that is not there.
func (f *finder) membersOf(ctx context.Context, copied string) string {
	in, _, ok := archive.Split(f.archives.Original(copied))
	if !ok {
		return ""
	}
	names, err := archive.Names(ctx, in, "")
	if err != nil || len(names) == 0 {
		return ""
	}
	const most = 10
	more := ""
	if len(names) > most {
		names, more = names[:most], ", ..."
	}
	return "the archive holds " + strings.Join(names, ", ") + more
}
