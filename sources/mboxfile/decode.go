package mboxfile

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"hsimport/sources"
)

const (
	spaceEvery = 64 << 20  // bytes written between two looks at the free space
	spaceLeft  = 256 << 20 // bytes that decoding leaves free on the disk
)

// A tempDir is made when the first file has to be decoded, and removed at Close.
type tempDir struct {
	path   string
	memory int // of each table of the index, before it goes to a file; 0: tableMemory
}

func (t *tempDir) tableMemory() int { return cmp.Or(t.memory, tableMemory) }

// createHidden makes a file for a table of the index. Where the system permits, it has no name any more: then it is gone
// with the program, however that ends.
func (t *tempDir) createHidden(what string) (*os.File, error) {
	f, err := os.CreateTemp("", "hsimport-mail-*") // 0600
	if err != nil {
		return nil, fmt.Errorf("keep the %s of the mails in %s: %w; set TMPDIR to a folder that can be written to", what, os.TempDir(), plain(err))
	}
	_ = os.Remove(f.Name())
	return f, nil
}

func (t *tempDir) create(pattern string) (*os.File, error) {
	if t.path == "" {
		path, err := os.MkdirTemp("", "hsimport-mail-")
		if err != nil {
			return nil, fmt.Errorf("make a folder for temporary files: %w", err)
		}
		t.path = path
	}
	return os.CreateTemp(t.path, pattern)
}

func (t *tempDir) remove() error {
	if t.path == "" {
		return nil
	}
	return os.RemoveAll(t.path)
}

// decode writes the content of a compressed file into the temporary folder. cut says that the compressed stream ends
// early or is damaged: what could be read before that is there.
func (t *tempDir) decode(ctx context.Context, in input) (path string, cut error, err error) {
	src, err := os.Open(in.path)
	if err != nil {
		return "", nil, plain(err)
	}
	defer src.Close()
	r, closeReader, err := decompressor(in.format, bufio.NewReaderSize(src, readBytes))
	if err != nil {
		return "", nil, fmt.Errorf("its compression cannot be read: %w", err)
	}
	defer closeReader()
	dst, err := t.create("*-" + filepath.Base(in.path))
	if err != nil {
		return "", nil, err
	}
	defer dst.Close()
	cut, err = pour(ctx, dst, r)
	if err == nil {
		err = dst.Close()
	}
	return dst.Name(), cut, err
}

func decompressor(f format, r io.Reader) (io.Reader, func(), error) {
	if f == gzipFile {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, err
		}
		return z, func() { z.Close() }, nil
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}

// pour copies r to dst and stops while the disk still has room. An error of r is returned as cut.
func pour(ctx context.Context, dst *os.File, r io.Reader) (cut, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if free, ok := freeSpace(dst.Name()); ok && free < spaceLeft+spaceEvery {
			return nil, fmt.Errorf("decode into %s: only %d MB are free there; set TMPDIR to a folder on a larger disk",
				filepath.Dir(dst.Name()), free>>20)
		}
		lr := &readErr{r: io.LimitReader(r, spaceEvery)}
		n, err := io.Copy(dst, lr)
		switch {
		case lr.err != nil:
			return lr.err, nil
		case err != nil:
			return nil, fmt.Errorf("decode into %s: %w", dst.Name(), err)
		case n < spaceEvery:
			return nil, nil
		}
	}
}

// readErr keeps the error of a reader apart from that of the writer.
type readErr struct {
	r   io.Reader
	err error
}

func (e *readErr) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		e.err = err
		err = io.EOF
	}
	return n, err
}

// content is an input after decoding: what the framer reads.
type content struct {
	path   string // to open: the file itself or its decoded copy
	format format
	cut    error // the compression ended early
}

// open decodes an input where needed and tells what is inside.
func (t *tempDir) open(ctx context.Context, in input, f *finder) (content, error) {
	if in.format != gzipFile && in.format != zstdFile {
		return content{path: in.path, format: in.format}, nil
	}
	path, cut, err := t.decode(ctx, in)
	if err != nil {
		return content{}, err
	}
	kind, hint, err := f.sniffFile(path)
	if err == nil && (kind == gzipFile || kind == zstdFile) {
		err, hint = errors.New("it is compressed twice"), "unpack it once and name the result"
	}
	if err != nil {
		return content{}, &sources.InputError{Err: fmt.Errorf("inside the compression: %w", err), Hint: hint}
	}
	return content{path: path, format: kind, cut: cut}, nil
}
