package mboxfile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// idsInMemory is how many bytes of Message-IDs are held before they go to a temporary file.
const idsInMemory = 2 << 20

// maxKeyID bounds the Message-ID that a key is made of; a longer one counts as none.
const maxKeyID = 500

// An idStore keeps the Message-ID of every record as text until the threads are known: only those of the roots are
// needed afterwards. It is written once in the order of the records and read once in the same order.
type idStore struct {
	temp *tempDir
	mem  bytes.Buffer
	file *os.File
	out  *bufio.Writer
}

// add appends the id of the next record; it may be empty.
func (s *idStore) add(id string) error {
	if s.out == nil && s.mem.Len() > idsInMemory {
		f, err := s.temp.create("message-ids-*")
		if err != nil {
			return err
		}
		s.file, s.out = f, bufio.NewWriterSize(f, 256<<10)
		if _, err := s.mem.WriteTo(s.out); err != nil {
			return fmt.Errorf("keep Message-IDs in %s: %w", f.Name(), err)
		}
		s.mem = bytes.Buffer{}
	}
	var w interface{ WriteString(string) (int, error) } = &s.mem
	if s.out != nil {
		w = s.out
	}
	var n [2]byte
	binary.LittleEndian.PutUint16(n[:], uint16(len(id)))
	if _, err := w.WriteString(string(n[:])); err != nil {
		return err
	}
	_, err := w.WriteString(id)
	return err
}

// each calls fn with the number and the id of every record, and then lets go of all.
func (s *idStore) each(fn func(i int, id []byte)) error {
	defer s.close()
	var r io.Reader = &s.mem
	if s.out != nil {
		if err := s.out.Flush(); err != nil {
			return fmt.Errorf("keep Message-IDs in %s: %w", s.file.Name(), err)
		}
		if _, err := s.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		r = bufio.NewReaderSize(s.file, 256<<10)
	}
	var n [2]byte
	id := make([]byte, maxKeyID)
	for i := 0; ; i++ {
		if _, err := io.ReadFull(r, n[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		id = id[:binary.LittleEndian.Uint16(n[:])]
		if _, err := io.ReadFull(r, id); err != nil {
			return err
		}
		fn(i, id)
	}
}

func (s *idStore) close() {
	s.mem = bytes.Buffer{}
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
		s.file = nil
	}
}
