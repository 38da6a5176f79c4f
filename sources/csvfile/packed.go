package csvfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hsimport/sources/archive"
)

// openArchives puts the files inside archives into the place of the paths that lead there. An archive, or a folder of
// one, stands for all tables in it, however deep.
func (s *Source) openArchives(ctx context.Context) error {
	o := &s.opts
	s.archives.Name = s.name
	for _, list := range []*[]string{&o.Paths, &o.Messages, &o.Users} {
		var out []string
		for _, p := range *list {
			files, err := s.openArchive(ctx, p)
			if err != nil {
				return err
			}
			out = append(out, files...)
		}
		*list = out
	}
	if o.AttachmentsDir == "" {
		return nil
	}
	dir, ok, err := s.archives.Open(ctx, s.attachmentsDir(nil))
	if ok && err == nil {
		o.AttachmentsDir = dir
	}
	return err
}

func (s *Source) openArchive(ctx context.Context, path string) ([]string, error) {
	copied, ok, err := s.archives.Open(ctx, path)
	if err != nil || !ok {
		return []string{path}, err
	}
	info, err := os.Stat(copied)
	switch {
	case err == nil && info.IsDir():
		return s.tablesBelow(copied)
	case err == nil:
		return []string{copied}, nil
	}
	found, err := filepath.Glob(copied)
	if err == nil && len(found) > 0 {
		slices.Sort(found)
		return found, nil
	}
	return nil, s.noMember(ctx, path)
}

// noMember says what is in an archive that lacks what was named.
func (s *Source) noMember(ctx context.Context, path string) error {
	in, inside, _ := archive.Split(path)
	names, err := archive.Names(ctx, in, "")
	if err != nil {
		return err
	}
	return s.inputError(s.name(in), fmt.Errorf("there is no %s in it", quoteShort(inside)), "it holds "+someOf(names))
}

// tablesBelow lists the tables of an unpacked folder by name.
func (s *Source) tablesBelow(dir string) ([]string, error) {
	var tables, others []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			return err
		}
		if s.tableName(path) {
			tables = append(tables, path)
			return nil
		}
		if rel, err := filepath.Rel(dir, path); err == nil {
			others = append(others, filepath.ToSlash(rel))
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, s.inputError(s.name(dir), plainError(err), "")
	case len(tables) > 0:
		s.passOver(dir, others)
		return tables, nil
	case len(others) == 0:
		return nil, s.inputError(s.name(dir), errors.New("the archive is empty"), "")
	}
	return nil, s.inputError(s.name(dir), fmt.Errorf("no %s is in it", s.what()), "it holds "+someOf(others)+"; name what is meant: "+s.name(dir)+"/"+others[0])
}

// someOf names the first of a list.
func someOf(names []string) string {
	const most = 10
	if len(names) == 0 {
		return "nothing"
	}
	more := ""
	if n := len(names) - most; n > 0 {
		names, more = names[:most], fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(names, ", ") + more
}

// markPacked counts an input at what it takes in its archive.
func (s *Source) markPacked(in *input) {
	if n, packing, ok := s.archives.Stored(in.path); ok {
		in.stored, in.encoding = n, packing+"+"+in.encoding
	}
}
