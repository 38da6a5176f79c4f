package archive

import (
	"archive/zip"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// readZip takes every member, in the order of the directory at the archive's end, which knows sizes and places of all
// of them, zip64 ones too.
func (w *writer) readZip() error {
	f, err := os.Open(w.u.path)
	if err != nil {
		return w.refuse(plain(err), "")
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return w.refuse(plain(err), "")
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return w.refuse(errors.New("its directory is missing or damaged: the archive is not whole"), hintDamaged)
	}
	z.RegisterDecompressor(12, func(r io.Reader) io.ReadCloser { return io.NopCloser(bzip2.NewReader(r)) })
	z.RegisterDecompressor(zstd.ZipMethodWinZip, zstd.ZipDecompressor(zstd.WithDecoderMaxMemory(256<<20), zstd.WithDecoderConcurrency(1)))
	z.RegisterDecompressor(zstd.ZipMethodPKWare, zstd.ZipDecompressor(zstd.WithDecoderMaxMemory(256<<20), zstd.WithDecoderConcurrency(1)))
	if err := w.judge(z); err != nil {
		return err
	}
	for _, m := range z.File {
		if !m.Mode().IsRegular() {
			if !m.Mode().IsDir() && !strings.HasSuffix(m.Name, "/") {
				w.pass(m.Name, "it is a link, not a file")
			}
			continue
		}
		if err := w.member(m.Name, int64(m.CompressedSize64), w.opener(m)); err != nil {
			return err
		}
	}
	return nil
}

// judge looks at the directory before anything is unpacked.
func (w *writer) judge(z *zip.Reader) error {
	total := int64(0)
	for _, m := range z.File {
		if m.Flags&1 != 0 {
			return w.refuse(fmt.Errorf("%s in it is encrypted", shorten(m.Name)), "unpack it with its password and name the folder")
		}
		if m.UncompressedSize64 > 1<<50 {
			return w.refuse(errors.New("its directory names sizes that cannot be"), hintDamaged)
		}
		total += int64(m.UncompressedSize64)
		if total > w.free && !w.listing && total/maxRatio > w.size {
			return w.refuse(fmt.Errorf("it unpacks to more than %d times its size: it is no export", maxRatio), "")
		}
	}
	if w.listing {
		return nil
	}
	return w.space(total)
}

// opener opens a member; methods that nobody reads are named.
func (w *writer) opener(m *zip.File) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		r, err := m.Open()
		switch {
		case errors.Is(err, zip.ErrAlgorithm):
			return nil, fmt.Errorf("it is packed with %s, which is not read here", method(m.Method))
		case err != nil:
			return nil, err
		}
		// The declared size is a bound too: a directory that says less than what comes is a lie.
		return struct {
			io.Reader
			io.Closer
		}{&exactly{r: r, left: int64(m.UncompressedSize64)}, r}, nil
	}
}

// exactly fails when more comes than was announced.
type exactly struct {
	r    io.Reader
	left int64
}

func (e *exactly) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if e.left -= int64(n); e.left < 0 {
		return 0, errors.New("it is longer than the archive says")
	}
	return n, err
}

// method names the ways of packing that are met in the wild (APPNOTE.TXT section 4.4.5).
func method(m uint16) string {
	switch m {
	case 9:
		return "Deflate64"
	case 14:
		return "LZMA"
	case 95:
		return "XZ"
	case 98:
		return "PPMd"
	case 99:
		return "encryption (AES)"
	}
	return fmt.Sprintf("method %d", m)
}
