package fetch

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// An Object is what a URL gave: a content, or a Failure.
type Object struct {
	URL      string `json:"url"`
	SHA256   string `json:"sha256,omitempty"` // hex, of the content
	Size     int64  `json:"size,omitempty"`   // bytes
	MIMEType string `json:"type,omitempty"`   // lower case, without parameters
	Name     string `json:"name,omitempty"`   // as the server calls the file; may be empty
	Failure  string `json:"failure,omitempty"`
	// Passing says that a later run may do better by itself: the network or the server was in trouble, or the
	// configuration did not allow the request.
	Passing bool `json:"passing,omitempty"`
}

// A Store is a folder of fetched files:
//
//	fetched.jsonl          one Object a line, in the order of fetching; the last line of a URL holds
//	objects/ab/abcdef...   a content by its SHA-256
//
// In memory it keeps where the line of each URL is, some 50 bytes a URL. It is safe for concurrent use by one process.
type Store struct {
	dir   string
	mu    sync.Mutex
	lines map[urlKey]line
	log   *os.File
	end   int64 // of the log
}

// A urlKey is the first half of a URL's SHA-256.
type urlKey [16]byte

func keyOf(url string) urlKey {
	sum := sha256.Sum256([]byte(url))
	return urlKey(sum[:16])
}

// A line is where an Object stands in the log.
type line struct {
	at   int64
	size int32
}

const (
	logName  = "fetched.jsonl"
	maxLine  = 1 << 20 // a longer line is none of ours
	tempName = "part-*"
)

// Open opens a store for reading. A folder that holds none is an error that wraps fs.ErrNotExist.
func Open(dir string) (*Store, error) {
	f, err := os.Open(filepath.Join(dir, logName))
	if err != nil {
		return nil, storeError(dir, err)
	}
	s := &Store{dir: dir, lines: map[urlKey]line{}, log: f}
	if err := s.load(); err != nil {
		f.Close()
		return nil, storeError(dir, err)
	}
	return s, nil
}

// Create opens a store for fetching, makes the folder if need be, and removes what a killed run has left half-way.
func Create(dir string) (*Store, error) {
	if err := os.MkdirAll(filepath.Join(dir, "objects"), 0o755); err != nil {
		return nil, storeError(dir, err)
	}
	left, err := filepath.Glob(filepath.Join(escapeGlob(dir), "objects", tempName))
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	if err != nil {
		return nil, storeError(dir, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, logName), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, storeError(dir, err)
	}
	s := &Store{dir: dir, lines: map[urlKey]line{}, log: f}
	if err := errors.Join(s.load(), s.endLine()); err != nil {
		f.Close()
		return nil, storeError(dir, err)
	}
	return s, nil
}

func escapeGlob(dir string) string {
	var b []byte
	for i := range len(dir) {
		if bytes.IndexByte([]byte(`*?[\`), dir[i]) >= 0 && filepath.Separator == '/' {
			b = append(b, '\\')
		}
		b = append(b, dir[i])
	}
	return string(b)
}

func storeError(dir string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = fmt.Errorf("%s %s: %w", pe.Op, filepath.Base(pe.Path), pe.Err)
	}
	return fmt.Errorf("the folder of fetched files %s: %w", filepath.Base(dir), err)
}

// load reads the log. What is no line of ours, a last one that a crash has cut above all, is as if it had not been
// written: the content itself is there under its digest, and is fetched again.
func (s *Store) load() error {
	r := bufio.NewReaderSize(io.NewSectionReader(s.log, 0, 1<<62), 1<<16)
	for {
		text, size, err := readLine(r)
		if err != nil && err != io.EOF {
			return err
		}
		var o Object
		if json.Unmarshal(text, &o) == nil && o.URL != "" {
			s.lines[keyOf(o.URL)] = line{s.end, int32(len(text))}
		}
		s.end += size
		if err == io.EOF {
			return nil
		}
	}
}

// readLine returns the next line without its end, or nothing of one that is too long, and how many bytes it took.
func readLine(r *bufio.Reader) (text []byte, size int64, err error) {
	for {
		part, err := r.ReadSlice('\n')
		size += int64(len(part))
		if len(text)+len(part) <= maxLine {
			text = append(text, part...)
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if size > maxLine {
			text = nil
		}
		return bytes.TrimRight(text, "\r\n"), size, err
	}
}

// endLine sees that what is appended begins on a line of its own.
func (s *Store) endLine() error {
	if s.end == 0 {
		return nil
	}
	var last [1]byte
	if _, err := s.log.ReadAt(last[:], s.end-1); err != nil || last[0] == '\n' {
		return err
	}
	n, err := s.log.WriteString("\n")
	s.end += int64(n)
	return err
}

// Close closes the log.
func (s *Store) Close() error { return s.log.Close() }

// Find returns what a URL gave when it was last asked; ok is false when it never was.
func (s *Store) Find(url string) (o Object, ok bool) {
	s.mu.Lock()
	at, ok := s.lines[keyOf(url)]
	s.mu.Unlock()
	if !ok {
		return Object{}, false
	}
	text := make([]byte, at.size)
	if _, err := s.log.ReadAt(text, at.at); err != nil && err != io.EOF {
		return Object{}, false
	}
	if json.Unmarshal(text, &o) != nil || o.URL != url {
		return Object{}, false
	}
	return o, true
}

// Content opens the content with this digest.
func (s *Store) Content(sha256 string) (io.ReadCloser, error) {
	if !isDigest(sha256) {
		return nil, fs.ErrNotExist
	}
	return os.Open(s.path(sha256))
}

// has reports whether the content of an object is in its place, in its full length.
func (s *Store) has(o Object) bool {
	if o.Failure != "" || !isDigest(o.SHA256) {
		return false
	}
	st, err := os.Stat(s.path(o.SHA256))
	return err == nil && st.Mode().IsRegular() && st.Size() == o.Size
}

// isDigest keeps what a damaged log may hold from becoming a path.
func isDigest(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == 64
}

func (s *Store) path(sha string) string { return filepath.Join(s.dir, "objects", sha[:2], sha) }

// put moves a finished temporary file to its place.
func (s *Store) put(temp, sha string) error {
	if err := os.MkdirAll(filepath.Dir(s.path(sha)), 0o755); err != nil {
		return storeError(s.dir, err)
	}
	if err := os.Rename(temp, s.path(sha)); err != nil {
		return storeError(s.dir, err)
	}
	return nil
}

// note writes what a URL gave, after its content is in place.
func (s *Store) note(o Object) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.log.Write(append(text, '\n'))
	at := s.end
	s.end += int64(n)
	if err == nil {
		err = s.log.Sync()
	}
	if err != nil {
		return storeError(s.dir, err)
	}
	s.lines[keyOf(o.URL)] = line{at, int32(len(text))}
	return nil
}
