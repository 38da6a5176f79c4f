package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"hsimport/sources"
)

// Bounds of an archive.
const (
	maxMembers = 1_000_000
	maxName    = 4096
	maxRatio   = 200
	freeRatio  = 1 << 30   // an archive may unpack to so many bytes whatever its size
	spaceLeft  = 256 << 20 // bytes that unpacking leaves free on the disk
	spaceEvery = 64 << 20  // bytes written between two looks at the free space
)

// A writer lays the members of an archive into its folder, or only lists them.
type writer struct {
	ctx     context.Context
	u       *unpacked
	root    *os.Root // nothing is ever written outside of it
	size    int64    // of the archive
	free    int64    // it may unpack to so many bytes whatever its size
	written int64
	looked  int64 // of written, when the disk was last looked at
	names   []string
	listing bool
}

func newWriter(ctx context.Context, u *unpacked) (*writer, error) {
	info, err := os.Stat(u.path)
	if err != nil {
		return nil, inputError(u.name, plain(err), "")
	}
	root, err := os.OpenRoot(u.root)
	if err != nil {
		return nil, err
	}
	return &writer{ctx: ctx, u: u, root: root, size: info.Size()}, nil
}

// plain takes operation and path off a file error.
func plain(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// member takes one member: it is listed, or written with what open gives. A name that cannot be is passed over.
func (w *writer) member(name string, packed int64, open func() (io.ReadCloser, error)) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if w.u.members++; w.u.members > maxMembers {
		return w.refuse(fmt.Errorf("it has more than %d members", maxMembers), "unpack it and name the folder, or split it")
	}
	clean, why := cleanName(name)
	if why != "" {
		w.pass(name, why)
		return nil
	}
	if clean == "" || serviceFile(clean) {
		return nil
	}
	if w.listing {
		w.names = append(w.names, clean)
		return nil
	}
	return w.write(clean, packed, open)
}

// write makes the copy of a member.
func (w *writer) write(name string, packed int64, open func() (io.ReadCloser, error)) error {
	out, name, err := w.create(name)
	if err != nil || out == nil {
		return err
	}
	defer out.Close()
	in, err := open()
	if err != nil {
		return w.refuse(fmt.Errorf("%s in it cannot be read: %w", shorten(name), err), hintUnpack)
	}
	defer in.Close()
	if err := w.pour(out, in, name); err != nil {
		return err
	}
	if packed >= 0 {
		w.u.stored[filepath.Join(w.u.root, filepath.FromSlash(name))] = packed
	}
	return out.Close()
}

// create makes the file of a member. A second member of the same name gets a name of its own: which of the two counts
// is not ours to say. What stands where a folder should be is passed over.
func (w *writer) create(name string) (*os.File, string, error) {
	if err := w.root.MkdirAll(filepath.FromSlash(path.Dir(name)), 0o700); err != nil {
		if diskError(err) {
			return nil, "", fmt.Errorf("unpack %s: %w", w.u.name, plain(err))
		}
		w.pass(name, "its folder cannot be made")
		return nil, "", nil
	}
	dir, base := path.Split(name)
	for n := 1; n < 100; n++ {
		if n > 1 {
			name = fmt.Sprintf("%s(%d) %s", dir, n, base)
		}
		f, err := w.root.OpenFile(filepath.FromSlash(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		switch {
		case err == nil:
			return f, name, nil
		case errors.Is(err, os.ErrExist):
		case diskError(err):
			return nil, "", fmt.Errorf("unpack %s: %w", w.u.name, plain(err))
		default:
			w.pass(name, "no file can have this name here: "+plain(err).Error())
			return nil, "", nil
		}
	}
	w.pass(name, "too many members have this name")
	return nil, "", nil
}

// pour copies a member within the bounds.
func (w *writer) pour(out io.Writer, in io.Reader, name string) error {
	buf := make([]byte, 256<<10)
	for {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		n, rerr := in.Read(buf)
		if w.written += int64(n); w.written > w.free && w.written/maxRatio > w.size {
			return w.refuse(fmt.Errorf("it unpacks to more than %d times its size: it is no export", maxRatio), "")
		}
		if err := w.room(); err != nil {
			return err
		}
		if _, err := out.Write(buf[:n]); err != nil {
			return fmt.Errorf("unpack %s: %w", w.u.name, plain(err))
		}
		if rerr == io.EOF {
			return nil
		}
		if rerr != nil {
			return w.refuse(fmt.Errorf("%s in it is damaged: %w", shorten(name), rerr), hintDamaged)
		}
	}
}

const (
	hintUnpack  = "unpack it with another program and name the folder"
	hintDamaged = "fetch the archive again; or unpack what can be saved and name the folder"
)

// room looks from time to time whether the disk can take more.
func (w *writer) room() error {
	if w.written-w.looked < spaceEvery && w.looked > 0 {
		return nil
	}
	w.looked = max(w.written, 1)
	return w.space(spaceEvery)
}

// space says whether the disk can take so many bytes.
func (w *writer) space(n int64) error {
	if free, ok := freeSpace(w.u.root); ok && free < n+spaceLeft {
		return fmt.Errorf("unpack %s into %s: %d MB are free there and %d MB are needed; set TMPDIR to a folder on a larger disk",
			w.u.name, os.TempDir(), free>>20, (n+spaceLeft)>>20)
	}
	return nil
}

func (w *writer) refuse(err error, hint string) error { return inputError(w.u.name, err, hint) }

// maxPassed bounds what is told one by one.
const maxPassed = 100

// pass notes a member that is not read.
func (w *writer) pass(name, why string) {
	if len(w.u.passed) >= maxPassed {
		return
	}
	w.u.passed = append(w.u.passed, sources.Problem{
		Severity: sources.Warning, Code: "member-passed-over", Text: shorten(name) + " is passed over: " + why,
		Position: sources.Position{File: w.u.name, Offset: -1},
	})
}

// shorten quotes a name and keeps it on one line.
func shorten(name string) string {
	const most = 100
	r := []rune(name)
	if len(r) > most {
		return fmt.Sprintf("%q...", string(r[:most]))
	}
	return fmt.Sprintf("%q", name)
}

// cleanName is a member's name as a path that stays where it is; it is empty for folders. why says what is wrong.
func cleanName(name string) (clean, why string) {
	if !utf8.ValidString(name) {
		if text, err := charmap.CodePage437.NewDecoder().String(name); err == nil {
			name = text // what ZIP means where it does not say UTF-8
		}
	}
	name = strings.ReplaceAll(name, `\`, "/")
	if strings.HasSuffix(name, "/") || name == "" {
		return "", ""
	}
	clean = strings.TrimPrefix(path.Clean(name), "./")
	switch {
	case len(clean) > maxName:
		return "", "its name is too long"
	case strings.ContainsFunc(clean, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", "its name holds control characters"
	case strings.HasPrefix(clean, "/"), !filepath.IsLocal(filepath.FromSlash(clean)):
		return "", "its name leads out of the archive"
	case len(clean) > 1 && clean[1] == ':':
		return "", "its name leads out of the archive"
	}
	return clean, ""
}

// serviceFile knows what operating systems put beside the files of an archive.
func serviceFile(name string) bool {
	base := path.Base(name)
	return strings.HasPrefix(name, "__MACOSX/") || strings.HasPrefix(base, "._") || base == ".DS_Store" || strings.EqualFold(base, "thumbs.db") ||
		strings.EqualFold(base, "desktop.ini")
}

// diskError says that nothing more can be written, whatever its name.
func diskError(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EMFILE)
}
