package fetch

import (
	"bufio"
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
}

// A Store is a folder of fetched files:
//
//	fetched.jsonl          one Object a line, in the order of fetching; the last line of a URL holds
//	objects/ab/abcdef...   a content by its SHA-256
//
// It is safe for concurrent use by one process.
type Store struct {
	dir  string
	mu   sync.Mutex
	seen map[string]Object
	log  *os.File // nil when opened for reading
}

const (
	logName  = "fetched.jsonl"
	lineSize = 1 << 20
)

// Open opens a store for reading. A folder that holds none is an error that wraps fs.ErrNotExist.
func Open(dir string) (*Store, error) {
	s := &Store{dir: dir, seen: map[string]Object{}}
	f, err := os.Open(filepath.Join(dir, logName))
	if err != nil {
		return nil, fmt.Errorf("open the folder of fetched files %s: %w", filepath.Base(dir), errors.Unwrap(err))
	}
	defer f.Close()
	return s, s.load(f)
}

// Create opens a store for fetching and makes the folder if need be.
func Create(dir string) (*Store, error) {
	if err := os.MkdirAll(filepath.Join(dir, "objects"), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, logName), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, seen: map[string]Object{}, log: f}
	if err := s.load(f); err != nil {
		f.Close()
		return nil, err
	}
	return s, s.endLine()
}

// load reads the log. A last line that a crash has cut is as if it had not been written.
func (s *Store) load(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 4096), lineSize)
	for n := 1; lines.Scan(); n++ {
		var o Object
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil || o.URL == "" {
			continue // the file itself is there under its digest; it will be fetched again
		}
		s.seen[o.URL] = o
	}
	return lines.Err()
}

// endLine sees that what is appended begins on a line of its own.
func (s *Store) endLine() error {
	st, err := s.log.Stat()
	if err != nil || st.Size() == 0 {
		return err
	}
	var last [1]byte
	if _, err := s.log.ReadAt(last[:], st.Size()-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = s.log.WriteString("\n")
	return err
}

// Close closes the log.
func (s *Store) Close() error {
	if s.log == nil {
		return nil
	}
	return s.log.Close()
}

// Find returns what a URL gave when it was last asked; ok is false when it never was.
func (s *Store) Find(url string) (o Object, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok = s.seen[url]
	return o, ok
}

// Content opens the content with this digest.
func (s *Store) Content(sha256 string) (io.ReadCloser, error) {
	if len(sha256) != 64 {
		return nil, fs.ErrNotExist
	}
	return os.Open(s.path(sha256))
}

func (s *Store) path(sha string) string { return filepath.Join(s.dir, "objects", sha[:2], sha) }

// put moves a finished temporary file to its place.
func (s *Store) put(temp, sha string) error {
	if err := os.MkdirAll(filepath.Dir(s.path(sha)), 0o755); err != nil {
		return err
	}
	return os.Rename(temp, s.path(sha))
}

// note writes what a URL gave, after its content is in place.
func (s *Store) note(o Object) error {
	line, err := json.Marshal(o)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.log.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write %s: %w", logName, err)
	}
	if err := s.log.Sync(); err != nil {
		return fmt.Errorf("write %s: %w", logName, err)
	}
	s.seen[o.URL] = o
	return nil
}
