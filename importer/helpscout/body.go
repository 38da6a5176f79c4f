package helpscout

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
)

// symbolKey begins the Data of an attachment that is still a symbol, as encoding/json writes it. Text of a person
// cannot hold these bytes: inside a JSON string every quote is escaped.
var symbolKey = []byte(`"data":"attachment:`)

const (
	dataKey  = len(`"data":"`)
	digits   = 2 * sha256.Size
	fileStep = 24 << 10 // bytes of a file read at once; a multiple of 3, so that base64 pads only at the end
)

// An Opener finds the file behind the symbol attachment:SHA-256 (64 lower-case hexadecimal digits): its size in
// bytes, and how to open it, as often as needed.
type Opener = func(sha256 string) (size int64, open func() (io.ReadCloser, error), err error)

// Body is the body of a request: it can be opened any number of times, its size is known before, and the files in it
// are read and turned into base64 while it is sent. Its memory is that of its JSON text plus one chunk.
type Body struct {
	symbolic []byte
	files    []file
	size     int64
}

// file is one symbol of a body.
type file struct {
	start, end int // of the symbol in Body.symbolic
	sha        string
	size       int64
	open       func() (io.ReadCloser, error)
}

// NewBody encodes v, a [NewConversation], [NewThread], [NewAttachment], or anything else that marshals. Each
// attachment whose Data is a symbol is looked up with open, once for each digest; open may be nil where there is none.
// Errors are those of encoding/json and of open, and a symbol that is not one.
func NewBody(v any, open Opener) (*Body, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // bodies are HTML: escaped, they would grow by a third
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode the request body: %w", err)
	}
	b := &Body{symbolic: bytes.TrimSuffix(text.Bytes(), []byte("\n"))}
	b.size = int64(len(b.symbolic))
	known := map[string]file{}
	for at := 0; ; {
		i := bytes.Index(b.symbolic[at:], symbolKey)
		if i < 0 {
			return b, nil
		}
		f, err := b.symbolAt(at+i, known, open)
		if err != nil {
			return nil, err
		}
		b.files = append(b.files, f)
		b.size += int64(base64.StdEncoding.EncodedLen(int(f.size))) - int64(f.end-f.start)
		at = f.end
	}
}

// symbolAt reads the symbol whose key begins at i and finds its file.
func (b *Body) symbolAt(i int, known map[string]file, open Opener) (file, error) {
	start := i + dataKey
	sha := i + len(symbolKey)
	end := sha + digits
	if end >= len(b.symbolic) || b.symbolic[end] != '"' || !lowerHex(b.symbolic[sha:end]) {
		rest := b.symbolic[start:min(len(b.symbolic), start+digits)]
		return file{}, fmt.Errorf("attachment data %q is neither base64 nor a symbol", rest)
	}
	name := string(b.symbolic[sha:end])
	f, ok := known[name]
	if !ok {
		if open == nil {
			return file{}, fmt.Errorf("attachment %s: nowhere to read it from", name)
		}
		size, opener, err := open(name)
		switch {
		case err != nil:
			return file{}, fmt.Errorf("attachment %s: %w", name, err)
		case size < 0 || opener == nil:
			return file{}, fmt.Errorf("attachment %s: no file of a known size", name)
		}
		f = file{sha: name, size: size, open: opener}
		known[name] = f
	}
	f.start, f.end = start, end
	return f, nil
}

func lowerHex(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Size is the number of bytes that go over the wire.
func (b *Body) Size() int64 { return b.size }

// Symbolic is the body with its symbols in place: what digests are made of. It must not be changed.
func (b *Body) Symbolic() []byte { return b.symbolic }

// Open starts the body from its beginning. A file that no longer has the length or the digest it had ends the stream
// with a [*BodyError] before the bytes that would complete the request.
func (b *Body) Open() (io.ReadCloser, error) { return b.reader(nil), nil }

// A BodyError is a file that is not what it was when the body was made. A request with such a body was never sent
// to its end, so it was not applied.
type BodyError struct {
	SHA256 string
	Err    error
}

func (e *BodyError) Error() string { return fmt.Sprintf("attachment %s: %v", e.SHA256, e.Err) }

// Unwrap returns what the file system said.
func (e *BodyError) Unwrap() error { return e.Err }

// bodyReader reads the text between the symbols and the files in their place. net/http may close it from another
// goroutine while it reads, hence the lock.
type bodyReader struct {
	mu     sync.Mutex
	all    io.Reader
	files  []*fileReader
	closed bool
	failed func(error) // told of a file that does not fit
}

func (b *Body) reader(failed func(error)) *bodyReader {
	r := &bodyReader{failed: failed}
	var parts []io.Reader
	at := 0
	for _, f := range b.files {
		fr := &fileReader{file: f}
		r.files = append(r.files, fr)
		parts = append(parts, bytes.NewReader(b.symbolic[at:f.start]), fr)
		at = f.end
	}
	parts = append(parts, bytes.NewReader(b.symbolic[at:]))
	r.all = io.MultiReader(parts...)
	return r
}

func (r *bodyReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, errors.New("read of a closed request body")
	}
	n, err := r.all.Read(p)
	if err != nil && err != io.EOF && r.failed != nil {
		r.failed(err)
	}
	return n, err
}

func (r *bodyReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, f := range r.files {
		f.close()
	}
	return nil
}

// fileReader yields the base64 text of one file. It opens the file at the first Read, and hands out the last chunk
// only after the length and the digest were found right.
type fileReader struct {
	file
	src  io.ReadCloser
	hash hash.Hash
	left int64
	raw  []byte // the chunk's room
	buf  []byte // its base64 room
	text []byte // what of buf is still to be read
	err  error
}

func (f *fileReader) Read(p []byte) (int, error) {
	if len(f.text) == 0 && f.err == nil {
		f.err = f.fill()
	}
	if len(f.text) == 0 {
		return 0, f.err
	}
	n := copy(p, f.text)
	f.text = f.text[n:]
	return n, nil
}

// fill reads one chunk more. It returns io.EOF together with the last one.
func (f *fileReader) fill() error {
	if f.src == nil {
		if err := f.start(); err != nil {
			return f.broken(err)
		}
	}
	raw := f.raw[:min(int64(len(f.raw)), f.left)]
	if n, err := io.ReadFull(f.src, raw); err == io.EOF || err == io.ErrUnexpectedEOF {
		return f.broken(fmt.Errorf("its file has %d bytes, not %d", f.size-f.left+int64(n), f.size))
	} else if err != nil {
		return f.broken(err)
	}
	f.left -= int64(len(raw))
	f.hash.Write(raw)
	if f.left > 0 {
		f.encode(raw)
		return nil
	}
	if err := f.complete(); err != nil {
		return f.broken(err)
	}
	f.encode(raw)
	f.close()
	return io.EOF
}

func (f *fileReader) start() error {
	src, err := f.open()
	if err != nil {
		return err
	}
	f.src, f.hash, f.left = src, sha256.New(), f.size
	f.raw = make([]byte, max(1, min(fileStep, f.size)))
	f.buf = make([]byte, base64.StdEncoding.EncodedLen(len(f.raw)))
	return nil
}

// complete checks that the file ends where it should and is the one that was meant.
func (f *fileReader) complete() error {
	var one [1]byte
	switch n, err := io.ReadFull(f.src, one[:]); {
	case n > 0:
		return fmt.Errorf("its file has more than %d bytes", f.size)
	case err != io.EOF:
		return err
	}
	if sum := hex.EncodeToString(f.hash.Sum(nil)); sum != f.sha {
		return fmt.Errorf("its file changed: it now has the digest %s", sum)
	}
	return nil
}

func (f *fileReader) encode(raw []byte) {
	n := base64.StdEncoding.EncodedLen(len(raw))
	base64.StdEncoding.Encode(f.buf[:n], raw)
	f.text = f.buf[:n]
}

func (f *fileReader) broken(err error) error {
	f.close()
	return &BodyError{SHA256: f.sha, Err: err}
}

func (f *fileReader) close() {
	if f.src != nil {
		f.src.Close()
		f.src = nil
	}
	f.raw = nil
}
