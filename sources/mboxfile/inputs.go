package mboxfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hsimport/sources"
	"hsimport/sources/archive"
)

// An input is one file that holds mails, as found by walking what the person named.
type input struct {
	path   string // to open
	format format
	folder string // name of the mail folder; empty when the file's place says none
	flags  []string
	stored int64  // size on disk
	packed string // by which kind of archive, with a plus; empty: none
}

// A finder collects inputs. Its problems are about files that were passed over.
type finder struct {
	base     string
	seen     map[string]bool
	inputs   []input
	archives *archive.Set
	problems []sources.Problem
	passed   int
	twice    int
	head     []byte // of the file that is looked at
}

// find lists the files of all paths, in the order of the paths, each folder's by name.
func find(ctx context.Context, paths []string, base string, archives *archive.Set) (*finder, error) {
	f := &finder{base: base, archives: archives, seen: map[string]bool{}}
	archives.Name = f.name
	if len(paths) == 0 {
		return nil, &sources.InputError{Err: errors.New("no file is named"), Hint: "set `source.paths`"}
	}
	for _, p := range paths {
		inside, err := f.unpack(ctx, p)
		if err != nil {
			return nil, err
		}
		named, err := expand(inside)
		if err != nil {
			return nil, f.inputError(p, err, "")
		}
		for _, n := range named {
			if err := f.add(ctx, n); err != nil {
				return nil, err
			}
		}
	}
	f.problems = append(f.problems, archives.Problems()...)
	f.done()
	f.forgetShared()
	return f, nil
}

// forgetShared takes away a folder's name that all archives share, as a lone one does: it tells no mail from another.
func (f *finder) forgetShared() {
	for _, in := range f.inputs {
		if in.folder != f.inputs[0].folder || in.format == oneMail || in.format == emlx || wellKnown(in.folder) {
			return
		}
	}
	for i := range f.inputs {
		f.inputs[i].folder = ""
	}
}

// expand resolves a glob; a path that exists is taken as it is, whatever characters are in it.
func expand(p string) ([]string, error) {
	if _, err := os.Stat(p); err == nil || !strings.ContainsAny(p, "*?[") {
		return []string{p}, nil
	}
	names, err := filepath.Glob(p)
	if err != nil {
		return nil, fmt.Errorf("the pattern is malformed: %w", err)
	}
	if len(names) == 0 {
		return nil, errors.New("no file fits this pattern")
	}
	return names, nil
}

// add takes one named path, file or folder.
func (f *finder) add(ctx context.Context, path string) error {
	path, err := f.unpack(ctx, path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f.inputError(path, errors.New("there is no such file or folder"), f.membersOf(ctx, path))
	case err != nil:
		return f.inputError(path, plain(err), "")
	case info.IsDir():
		return f.addFolder(ctx, f.trunk(path))
	case !info.Mode().IsRegular():
		return f.inputError(path, errors.New("it is neither a file nor a folder"), "")
	}
	kind, hint, err := f.sniffFile(path)
	if err != nil {
		return f.inputError(path, err, hint)
	}
	f.take(path, info.Size(), kind, folderOfFile(path, kind), nil)
	return nil
}

// addFolder takes every mail below a named folder. A folder without any is an error: silence would be taken for
// success.
func (f *finder) addFolder(ctx context.Context, root string) error {
	before, problems := len(f.inputs), len(f.problems)
	if err := f.walk(ctx, root); err != nil {
		return err
	}
	if len(f.inputs) > before || f.twice > 0 {
		return nil
	}
	hint := "name a folder that holds mbox files, a Maildir, or .eml files"
	if len(f.problems) > problems {
		hint = f.problems[problems].Position.File + ": " + f.problems[problems].Text
	}
	return f.inputError(root, errors.New("no mail is in this folder"), hint)
}

// walk visits a folder by name. Links to folders are not followed, so that no cycle can be.
func (f *finder) walk(ctx context.Context, root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return f.inputError(path, plain(err), "")
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if d.IsDir() {
			if path != root && strings.HasPrefix(d.Name(), ".") && !isMaildir(path) || isMaildirTmp(path) {
				return fs.SkipDir
			}
			return nil
		}
		return f.visit(ctx, root, path)
	})
}

// visit takes or passes over one file of a folder.
func (f *finder) visit(ctx context.Context, root, path string) error {
	name := filepath.Base(path)
	info, err := os.Stat(path) // follows links to files
	if err != nil || !info.Mode().IsRegular() || isService(name) {
		return nil
	}
	if done, err := f.visitArchive(ctx, path); done || err != nil {
		return err
	}
	kind, hint, err := f.sniffFile(path)
	if err != nil {
		f.pass(path, err, hint)
		return nil
	}
	folder, flags := folderInTree(root, path, kind), []string(nil)
	if dir := filepath.Dir(path); isMaildirLeaf(dir) && kind == oneMail {
		folder, flags = maildirFolder(root, dir), maildirFlags(name)
	}
	f.take(path, info.Size(), kind, folder, flags)
	return nil
}

// take adds a file once, however often and by whatever path it was named.
func (f *finder) take(path string, size int64, kind format, folder string, flags []string) {
	key := path
	if real, err := filepath.EvalSymlinks(path); err == nil && real != path { // else they share their memory
		key = real
	}
	if f.seen[key] {
		f.twice++
		f.note(sources.Problem{
			Severity: sources.Info, Code: "file-named-twice", Text: "this file was named more than once and is read once",
			Position: sources.Position{File: f.name(path), Offset: -1},
		})
		return
	}
	f.seen[key] = true
	in := input{path: path, format: kind, folder: folder, flags: flags, stored: size}
	if n, packing, ok := f.archives.Stored(path); ok {
		in.stored, in.packed = n, packing+"+"
	}
	f.inputs = append(f.inputs, in)
}

// pass notes a file of a folder that holds no mail.
func (f *finder) pass(path string, err error, hint string) {
	severity := sources.Info
	if hint != "" && !strings.Contains(err.Error(), "no mail is in it") {
		severity = sources.Warning // mails may be inside
	}
	text := "passed over: " + err.Error()
	if severity == sources.Warning {
		text += "; " + hint
	}
	f.passed++
	f.note(sources.Problem{
		Severity: severity, Code: "file-passed-over", Text: text, Position: sources.Position{File: f.name(path), Offset: -1},
	})
}

// maxNoted bounds the files that are named one by one.
const maxNoted = 200

// note keeps a problem, but for the hundreds that a folder full of other files has; done says how many these were.
func (f *finder) note(p sources.Problem) {
	if len(f.problems) < maxNoted || p.Severity > sources.Info {
		f.problems = append(f.problems, p)
	}
}

func (f *finder) done() {
	if n := f.passed + f.twice; n > len(f.problems) {
		f.problems = append(f.problems, sources.Problem{
			Severity: sources.Info, Code: "file-passed-over", Text: fmt.Sprintf("%d more files are passed over", n-len(f.problems)),
		})
	}
}

// sniffFile tells what a file is by its first bytes.
func (f *finder) sniffFile(path string) (format, string, error) {
	file, err := os.Open(path)
	if err != nil {
		return notMail, "", plain(err)
	}
	defer file.Close()
	if f.head == nil {
		f.head = make([]byte, 64<<10)
	}
	head := f.head[:64<<10]
	n, err := io.ReadFull(file, head)
	if what, hint := archive.Foreign(path, head[:n]); what != "" {
		return notMail, hint, errors.New("it is " + what)
	}
	whole := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !whole {
		return notMail, "", plain(err)
	}
	kind, hint, err := sniff(head[:n], whole)
	if !whole && (kind == oneMail || err != nil) { // perhaps garbage, or a mail without separator, before the others
		head = slices.Grow(head, sniffBytes)[:sniffBytes]
		f.head = head
		m, _ := io.ReadFull(file, head[n:])
		kind, hint, err = sniff(head[:n+m], n+m < len(head))
	}
	if isSingle(path) {
		return singleMail(kind, hint, err)
	}
	return kind, hint, err
}

// isSingle reports whether a file's name says that it is one mail.
func isSingle(path string) bool {
	return strings.EqualFold(filepath.Ext(path), ".eml") || isMaildirLeaf(filepath.Dir(path))
}

// singleMail corrects what the content leaves open for a file that is one mail by its name: it may begin with a From_
// line or quote one, and have no header at all.
func singleMail(kind format, hint string, err error) (format, string, error) {
	if kind == mboxFile || errors.Is(err, errPlainText) {
		return oneMail, "", nil
	}
	return kind, hint, err
}

// name is the path as the person knows it: relative to the configuration when it lies below it.
func (f *finder) name(path string) string {
	in, inside, packed := f.archives.Inside(path)
	path = f.archives.Original(path)
	if f.base != "" {
		if rel, err := filepath.Rel(f.base, path); err == nil && !strings.HasPrefix(rel, "..") {
			return filepath.ToSlash(rel)
		}
	}
	if packed {
		return filepath.ToSlash(filepath.Join(filepath.Base(in), inside))
	}
	return filepath.Base(path)
}

func (f *finder) inputError(path string, err error, hint string) error {
	return &sources.InputError{Position: sources.Position{File: f.name(path), Offset: -1}, Err: err, Hint: hint}
}

// plain takes the operation and the path off a file error: the position names the file already.
func plain(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
