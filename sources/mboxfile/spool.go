package mboxfile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"syscall"
)

// tableMemory is how many bytes of a table of the index are held before it goes to a temporary file.
const tableMemory = 4 << 20

// A spool is written from its beginning to its end and read afterwards: in memory while it is short, else in a
// temporary file. After flush it may be read by several goroutines.
type spool struct {
	temp *tempDir
	what string // for the name of the file, and for errors
	mem  []byte
	size int64
	file *os.File
	out  *bufio.Writer
}

func (s *spool) write(b []byte) error {
	s.size += int64(len(b))
	if s.out == nil && len(s.mem)+len(b) > s.temp.tableMemory() {
		f, err := s.temp.createHidden(s.what)
		if err != nil {
			return err
		}
		s.file, s.out = f, bufio.NewWriterSize(f, 256<<10)
		if _, err := s.out.Write(s.mem); err != nil {
			return s.trouble("keep", err)
		}
		s.mem = nil
	}
	if s.out == nil {
		s.mem = append(s.mem, b...)
		return nil
	}
	if _, err := s.out.Write(b); err != nil {
		return s.trouble("keep", err)
	}
	return nil
}

// flush ends the writing.
func (s *spool) flush() error {
	if s.out == nil {
		return nil
	}
	if err := s.out.Flush(); err != nil {
		return s.trouble("keep", err)
	}
	s.out = bufio.NewWriterSize(io.Discard, 16) // lets go of the buffer; nothing is written any more
	return nil
}

func (s *spool) trouble(verb string, err error) error { return indexTrouble(verb, s.what, s.file, err) }

// indexTrouble says what a temporary file of the index has failed with, and what a person can do about it.
func indexTrouble(verb, what string, f *os.File, err error) error {
	place := "memory"
	if f != nil {
		place = f.Name()
	}
	err = fmt.Errorf("%s the %s of the mails in %s: %w", verb, what, place, plain(err))
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = fmt.Errorf("%w; set TMPDIR to a folder on a larger disk", err)
	}
	return err
}

// reader reads everything from the beginning.
func (s *spool) reader() io.Reader {
	if s.file == nil {
		return bytes.NewReader(s.mem)
	}
	return bufio.NewReaderSize(io.NewSectionReader(s.file, 0, s.size), 256<<10)
}

// rows reads rows of one size from the beginning.
func (s *spool) rows(size int) *rows {
	return &rows{s: s, r: s.reader(), left: s.size / int64(size), row: make([]byte, size)}
}

// readAt fills b with what stands at off.
func (s *spool) readAt(b []byte, off int64) error {
	if s.file == nil {
		if off < 0 || off+int64(len(b)) > int64(len(s.mem)) {
			return s.trouble("read", io.ErrUnexpectedEOF)
		}
		copy(b, s.mem[off:])
		return nil
	}
	if _, err := s.file.ReadAt(b, off); err != nil {
		return s.trouble("read", err)
	}
	return nil
}

// writeAt changes what stands at off.
func (s *spool) writeAt(b []byte, off int64) error {
	if s.file == nil {
		copy(s.mem[off:], b)
		return nil
	}
	if _, err := s.file.WriteAt(b, off); err != nil {
		return s.trouble("keep", err)
	}
	return nil
}

// close lets go of everything.
func (s *spool) close() {
	s.mem = nil
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
		s.file, s.out, s.size = nil, nil, 0
	}
}

// rows is a reader of a spool, row by row.
type rows struct {
	s    *spool
	r    io.Reader
	left int64 // rows
	row  []byte
}

// next is the next row, valid until it is called again, or nil at the end.
func (r *rows) next() ([]byte, error) {
	if r.left == 0 {
		return nil, nil
	}
	r.left--
	if _, err := io.ReadFull(r.r, r.row); err != nil {
		return nil, r.s.trouble("read", err)
	}
	return r.row, nil
}

// A place is where a mail stands, and how it is known again.
type place struct {
	off   int64  // of the mail's first byte in its file
	size  uint32 // of the mail
	file  uint32 // of index.files
	check uint32 // CRC-32C of the bytes, to see that they are the same when read again
	sep   uint8  // length of the From_ line with its end; 0 when there is none, or a longer one
}

// placeBytes is the size of a place in the spool.
const placeBytes = 21

// places holds the place of every record.
type places struct{ spool }

func (p *places) add(at place) error {
	var b [placeBytes]byte
	binary.LittleEndian.PutUint64(b[:], uint64(at.off))
	binary.LittleEndian.PutUint32(b[8:], at.size)
	binary.LittleEndian.PutUint32(b[12:], at.file)
	binary.LittleEndian.PutUint32(b[16:], at.check)
	b[20] = at.sep
	return p.write(b[:])
}

// at returns the place of record i.
func (p *places) at(i uint32) (place, error) {
	var b [placeBytes]byte
	if err := p.readAt(b[:], int64(i)*placeBytes); err != nil {
		return place{off: math.MaxInt64}, err
	}
	return decodePlace(b[:]), nil
}

func decodePlace(b []byte) place {
	return place{
		off: int64(binary.LittleEndian.Uint64(b)), size: binary.LittleEndian.Uint32(b[8:]),
		file: binary.LittleEndian.Uint32(b[12:]), check: binary.LittleEndian.Uint32(b[16:]), sep: b[20],
	}
}
