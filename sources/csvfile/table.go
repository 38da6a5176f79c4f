package csvfile

import (
	"encoding/binary"
	"fmt"
	"os"
)

// A rowRef is what the index keeps of one row.
type rowRef struct {
	where  uint64 // file number << 44 | offset
	sum    uint64 // of the row's bytes, to see that the file has changed
	ticket uint32
	size   uint32
	line   uint32
	mark   uint32 // rows of one ticket with equal marks may be copies of each other
	// What its ticket learns from it, as a ticketRef says it.
	created  int64
	span     uint32
	messages uint32
	flags    uint8
}

const (
	offsetBits = 44
	rowBytes   = 56
	chunkRows  = 1 << 14
)

func (r rowRef) file() int     { return int(r.where >> offsetBits) }
func (r rowRef) offset() int64 { return int64(r.where & (1<<offsetBits - 1)) }

// rowTable holds rows in the order in which they were added: the first memoryRows in memory, the others in a file of
// fixed records.
type rowTable struct {
	chunks     [][]rowRef
	n          int
	memoryRows int
	spill      *os.File
	pending    []byte
	spilled    int
	temp       func() (string, error)
}

func newRowTable(temp func() (string, error)) *rowTable {
	return &rowTable{memoryRows: defaultMemory.rows, temp: temp}
}

func (t *rowTable) add(r rowRef) error {
	i := t.n
	t.n++
	if i < t.memoryRows {
		if i%chunkRows == 0 {
			t.chunks = append(t.chunks, make([]rowRef, 0, chunkRows))
		}
		last := &t.chunks[len(t.chunks)-1]
		*last = append(*last, r)
		return nil
	}
	t.pending = r.encode(t.pending)
	if len(t.pending) >= chunkRows*rowBytes {
		return t.flush()
	}
	return nil
}

// flush writes what is pending to the file.
func (t *rowTable) flush() error {
	if len(t.pending) == 0 {
		return nil
	}
	if t.spill == nil {
		dir, err := t.temp()
		if err != nil {
			return err
		}
		if t.spill, err = os.CreateTemp(dir, "rows-*"); err != nil {
			return err
		}
	}
	if _, err := t.spill.Write(t.pending); err != nil {
		return fmt.Errorf("write the index to %s: %w", t.spill.Name(), err)
	}
	t.spilled += len(t.pending) / rowBytes
	t.pending = t.pending[:0]
	return nil
}

// encode appends the row's fixed record.
func (r rowRef) encode(dst []byte) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint64(le.AppendUint64(dst, r.where), r.sum)
	dst = le.AppendUint32(le.AppendUint32(dst, r.ticket), r.size)
	dst = le.AppendUint32(le.AppendUint32(dst, r.line), r.mark)
	dst = le.AppendUint32(le.AppendUint64(dst, uint64(r.created)), r.span)
	return append(le.AppendUint32(dst, r.messages), r.flags, 0, 0, 0, 0, 0, 0, 0)
}

func decodeRow(b []byte) rowRef {
	le := binary.LittleEndian
	return rowRef{
		where: le.Uint64(b), sum: le.Uint64(b[8:]), ticket: le.Uint32(b[16:]), size: le.Uint32(b[20:]),
		line: le.Uint32(b[24:]), mark: le.Uint32(b[28:]), created: int64(le.Uint64(b[32:])), span: le.Uint32(b[40:]),
		messages: le.Uint32(b[44:]), flags: b[48],
	}
}

// each calls f with every row in order.
func (t *rowTable) each(f func(i int, r rowRef)) error {
	for c, chunk := range t.chunks {
		for i, r := range chunk {
			f(c*chunkRows+i, r)
		}
	}
	buf := make([]byte, chunkRows*rowBytes)
	for i := 0; i < t.spilled; {
		n := min(chunkRows, t.spilled-i)
		part := buf[:n*rowBytes]
		if _, err := t.spill.ReadAt(part, int64(i)*rowBytes); err != nil {
			return fmt.Errorf("read the index from %s: %w", t.spill.Name(), err)
		}
		for k := range n {
			f(t.memoryRows+i+k, decodeRow(part[k*rowBytes:]))
		}
		i += n
	}
	return nil
}

func (t *rowTable) close() {
	t.chunks = nil
	if t.spill != nil {
		t.spill.Close()
		os.Remove(t.spill.Name())
	}
}
