package archive

import (
	"archive/tar"
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// unpacker undoes the compression of a tar.
func unpacker(k kind, r io.Reader) (io.Reader, func(), error) {
	switch k {
	case tarGzip:
		z, err := gzip.NewReader(bufio.NewReaderSize(r, 256<<10))
		if err != nil {
			return nil, nil, err
		}
		return z, func() { z.Close() }, nil
	case tarZstd:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	case tarBzip2:
		return bzip2.NewReader(bufio.NewReaderSize(r, 256<<10)), func() {}, nil
	}
	return bufio.NewReaderSize(r, 256<<10), func() {}, nil
}

// readTar takes every member in its order.
func (w *writer) readTar() error {
	f, err := os.Open(w.u.path)
	if err != nil {
		return w.refuse(plain(err), "")
	}
	defer f.Close()
	r, closeReader, err := unpacker(w.u.kind, f)
	if err != nil {
		return w.refuse(fmt.Errorf("its compression cannot be read: %w", err), hintDamaged)
	}
	defer closeReader()
	t := tar.NewReader(&bounded{r: r, w: w})
	for {
		h, err := t.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil && !errors.Is(err, tar.ErrInsecurePath):
			return w.tarError(err)
		}
		if err := w.tarMember(t, h); err != nil {
			return err
		}
	}
}

// tarError words what is wrong with the stream; a reason of ours stays as it is.
func (w *writer) tarError(err error) error {
	var ours *boundError
	if errors.As(err, &ours) {
		return ours.err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return w.refuse(errors.New("it ends early: the archive is not whole"), hintDamaged)
	}
	return w.refuse(fmt.Errorf("it is damaged: %w", err), hintDamaged)
}

func (w *writer) tarMember(t *tar.Reader, h *tar.Header) error {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
		if h.Size < 0 {
			return w.refuse(errors.New("it names sizes that cannot be"), hintDamaged)
		}
		return w.member(h.Name, -1, func() (io.ReadCloser, error) { return io.NopCloser(t), nil })
	case tar.TypeLink:
		return w.hardLink(h)
	case tar.TypeDir, tar.TypeXGlobalHeader:
		return nil
	}
	w.pass(h.Name, "it is a link or a device, not a file")
	return nil
}

// hardLink copies a member that stands earlier in the archive: backups of Maildirs store a mail in two folders so.
func (w *writer) hardLink(h *tar.Header) error {
	target, why := cleanName(h.Linkname)
	if why != "" || target == "" {
		w.pass(h.Name, "it is a link that leads out of the archive")
		return nil
	}
	return w.member(h.Name, -1, func() (io.ReadCloser, error) {
		f, err := w.root.Open(filepath.FromSlash(target))
		if err != nil {
			return nil, errors.New("it is a link to a file that is not before it")
		}
		return f, nil
	})
}

// bounded watches how much a compressed tar unpacks to, also in what the tar skips.
type bounded struct {
	r io.Reader
	w *writer
	n int64
}

// A boundError carries a reason of ours through the tar reader.
type boundError struct{ err error }

func (e *boundError) Error() string { return e.err.Error() }

func (b *bounded) Read(p []byte) (int, error) {
	if err := b.w.ctx.Err(); err != nil {
		return 0, &boundError{err}
	}
	n, err := b.r.Read(p)
	if b.n += int64(n); b.n > b.w.free && b.w.size > 0 && b.n/maxRatio > b.w.size {
		return n, &boundError{b.w.refuse(fmt.Errorf("it unpacks to more than %d times its size: it is no export", maxRatio), "")}
	}
	return n, err
}
