package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"hsimport/sources"
)

// A Set unpacks the archives of one source. The zero Set is ready; Close removes what it has made. It is not safe for
// concurrent use while it opens.
type Set struct {
	Name func(path string) string // how errors call an archive; nil: by its base name

	free     int64  // what an archive may unpack to whatever its size; 0: freeRatio
	dir      string // temporary; empty until something is unpacked
	archives []*unpacked
}

// An unpacked archive is a folder below dir that is named as the archive.
type unpacked struct {
	path    string // of the archive
	name    string // for errors and positions
	root    string // of its copy
	kind    kind
	stored  map[string]int64 // packed sizes by path of the copy; none in a tar
	passed  []sources.Problem
	members int
}

// Open returns the path of the copy of what path leads to inside an archive, which is unpacked at the first call. A
// pattern stays one. ok is false, and nothing is done, for a path that leads into no archive. An error is a
// *sources.InputError, or of the context or the disk.
func (s *Set) Open(ctx context.Context, path string) (copied string, ok bool, err error) {
	if s.Holds(path) {
		return "", false, nil // an archive inside an archive is a file
	}
	archive, inside, ok := Split(path)
	if !ok {
		return "", false, nil
	}
	u := s.of(archive)
	if u == nil {
		if u, err = s.unpack(ctx, archive); err != nil {
			return "", true, err
		}
	}
	return filepath.Join(escapeIn(u.root, inside), filepath.FromSlash(inside)), true, nil
}

// escapeIn keeps characters of the folder's own name from being a pattern, where what follows is one.
func escapeIn(root, inside string) string {
	if filepath.Separator != '/' || !strings.ContainsAny(inside, `*?[`) {
		return root
	}
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`).Replace(root)
}

func (s *Set) of(archive string) *unpacked {
	for _, u := range s.archives {
		if u.path == archive {
			return u
		}
	}
	return nil
}

// holder is the archive whose copy a path lies in.
func (s *Set) holder(copied string) (u *unpacked, inside string) {
	for _, u := range s.archives {
		if rel, err := filepath.Rel(u.root, copied); err == nil && filepath.IsLocal(rel) {
			return u, rel
		}
	}
	return nil, ""
}

// Original is the path by which a person knows a copy: that of the archive, and on inside of it. Any other path is
// returned as it is.
func (s *Set) Original(copied string) string {
	u, rel := s.holder(copied)
	switch {
	case u == nil:
		return copied
	case rel == ".":
		return u.path
	}
	return filepath.Join(u.path, rel)
}

// Inside tells of a copy which archive it is of, and where in it. ok is false for any other path.
func (s *Set) Inside(copied string) (archive, inside string, ok bool) {
	u, rel := s.holder(copied)
	if u == nil {
		return "", "", false
	}
	return u.path, filepath.ToSlash(rel), true
}

// Holds reports whether a path is that of a copy.
func (s *Set) Holds(path string) bool {
	u, _ := s.holder(path)
	return u != nil
}

// Stored is what a copy takes in its archive, in bytes, and how it is packed there: zip. In a tar no member is packed by
// itself; what it takes is its own size there, whatever the tar as a whole is packed with: tar, tar+gzip. ok is false
// for a path that is no copy, and for a copy that is gone.
func (s *Set) Stored(copied string) (n int64, packing string, ok bool) {
	u, _ := s.holder(copied)
	if u == nil {
		return 0, "", false
	}
	if n, ok = u.stored[copied]; ok {
		return n, u.kind.String(), true
	}
	info, err := os.Stat(copied)
	if err != nil {
		return 0, u.kind.String(), false
	}
	return info.Size(), u.kind.String(), true
}

// Problems are about members that were passed over, with their places.
func (s *Set) Problems() (all []sources.Problem) {
	for _, u := range s.archives {
		all = append(all, u.passed...)
	}
	return all
}

// Close removes all copies.
func (s *Set) Close() error {
	if s == nil || s.dir == "" {
		return nil
	}
	dir := s.dir
	s.dir, s.archives = "", nil
	return os.RemoveAll(dir)
}

// unpack makes the copy of an archive.
func (s *Set) unpack(ctx context.Context, path string) (*unpacked, error) {
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "hsimport-archive-")
		if err != nil {
			return nil, fmt.Errorf("make a folder for unpacked files: %w", err)
		}
		s.dir = dir
	}
	root := filepath.Join(s.dir, fmt.Sprint(len(s.archives)+1), filepath.Base(path))
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, err
	}
	u := &unpacked{path: path, name: filepath.Base(path), root: root, kind: kindOf(path), stored: map[string]int64{}}
	if s.Name != nil {
		u.name = s.Name(path)
	}
	w, err := newWriter(ctx, u)
	if err != nil {
		return nil, err
	}
	w.free = cmp.Or(s.free, freeRatio)
	defer w.root.Close()
	read := w.readTar
	if u.kind == zipArchive {
		read = w.readZip
	}
	if err := read(); err != nil {
		err = errors.Join(err, os.RemoveAll(filepath.Dir(root)))
		return nil, err
	}
	s.archives = append(s.archives, u)
	return u, nil
}

// Names lists the members of an archive below inside without unpacking it: files only, with slashes, in its order. Of a
// packed tar the whole has to be read for that.
func Names(ctx context.Context, archive, inside string) ([]string, error) {
	u := &unpacked{path: archive, name: filepath.Base(archive), kind: kindOf(archive)}
	w := &writer{ctx: ctx, u: u, listing: true, free: freeRatio}
	read := w.readTar
	if u.kind == zipArchive {
		read = w.readZip
	}
	if err := read(); err != nil {
		return nil, err
	}
	var names []string
	for _, n := range w.names {
		if inside == "" || n == inside || strings.HasPrefix(n, inside+"/") {
			names = append(names, n)
		}
	}
	return names, nil
}
