package csvfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"os"
	"slices"
)

// A rowRef is what the index keeps of one row.
type rowRef struct {
	where  uint64 // file number << 44 | offset
	sum    uint64 // of the row's bytes, to see that the file has changed
	ticket uint32
	size   uint32
	line   uint32
	mark   uint32 // rows of one ticket with equal marks may be copies of each other
}

const (
	offsetBits = 44
	rowBytes   = 32
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

const defaultMemoryRows = 1 << 19 // 16 MiB

func newRowTable(temp func() (string, error)) *rowTable {
	return &rowTable{memoryRows: defaultMemoryRows, temp: temp}
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
	t.pending = binary.LittleEndian.AppendUint64(t.pending, r.where)
	t.pending = binary.LittleEndian.AppendUint64(t.pending, r.sum)
	t.pending = binary.LittleEndian.AppendUint32(t.pending, r.ticket)
	t.pending = binary.LittleEndian.AppendUint32(t.pending, r.size)
	t.pending = binary.LittleEndian.AppendUint32(t.pending, r.line)
	t.pending = binary.LittleEndian.AppendUint32(t.pending, r.mark)
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

// at returns row i; safe for concurrent use after the last add and flush.
func (t *rowTable) at(i int) (rowRef, error) {
	if i < t.memoryRows {
		return t.chunks[i/chunkRows][i%chunkRows], nil
	}
	var b [rowBytes]byte
	if _, err := t.spill.ReadAt(b[:], int64(i-t.memoryRows)*rowBytes); err != nil {
		return rowRef{}, fmt.Errorf("read the index from %s: %w", t.spill.Name(), err)
	}
	return decodeRow(b[:]), nil
}

func decodeRow(b []byte) rowRef {
	le := binary.LittleEndian
	return rowRef{
		where: le.Uint64(b), sum: le.Uint64(b[8:]), ticket: le.Uint32(b[16:]), size: le.Uint32(b[20:]),
		line: le.Uint32(b[24:]), mark: le.Uint32(b[28:]),
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
	if t.spill != nil {
		t.spill.Close()
		os.Remove(t.spill.Name())
	}
}

// A ticketRef is what the index keeps of one ticket. Times are seconds since 1970; noTime stands for none.
type ticketRef struct {
	created, last int64
	keyAt         uint32 // in keys
	keyLen        uint16
	flags         uint8
	messages      uint32
	file          uint32 // 1 + the last file that had it, of tickets without an id
}

const noTime = -1 << 63

// Flags of a ticket.
const (
	hasTicketRow uint8 = 1 << iota // a row with the ticket's own columns was seen
	hasTime                        // created and last are of its messages
	needsBuild                     // its messages can only be counted by building it
)

// ticketTable holds the tickets and finds them by key.
type ticketTable struct {
	refs  []ticketRef
	keys  []byte
	slots []uint32 // open addressing: 1 + number of a ticket
	seed  maphash.Seed
}

func newTicketTable() *ticketTable {
	return &ticketTable{slots: make([]uint32, 1<<10), seed: maphash.MakeSeed()}
}

func (t *ticketTable) key(i uint32) []byte {
	r := &t.refs[i]
	return t.keys[r.keyAt : r.keyAt+uint32(r.keyLen)]
}

// find returns the number of the ticket with this key.
func (t *ticketTable) find(key []byte) (uint32, bool) {
	mask := uint64(len(t.slots) - 1)
	for h := maphash.Bytes(t.seed, key) & mask; ; h = (h + 1) & mask {
		s := t.slots[h]
		if s == 0 {
			return 0, false
		}
		if string(t.key(s-1)) == string(key) {
			return s - 1, true
		}
	}
}

// put returns the number of the ticket with this key, a new one if need be. Keys are at most 64 KiB long.
func (t *ticketTable) put(key []byte) uint32 {
	if n, ok := t.find(key); ok {
		return n
	}
	if 4*len(t.refs) >= 3*len(t.slots) {
		t.slots = make([]uint32, 2*len(t.slots))
		for i := range t.refs {
			t.place(uint32(i))
		}
	}
	n := uint32(len(t.refs))
	t.refs = append(t.refs, ticketRef{created: noTime, last: noTime, keyAt: uint32(len(t.keys)), keyLen: uint16(len(key))})
	t.keys = append(t.keys, key...)
	t.place(n)
	return n
}

func (t *ticketTable) place(n uint32) {
	mask := uint64(len(t.slots) - 1)
	h := maphash.Bytes(t.seed, t.key(n)) & mask
	for t.slots[h] != 0 {
		h = (h + 1) & mask
	}
	t.slots[h] = n + 1
}

// order returns the tickets by (created, key); those without a time come first.
func (t *ticketTable) order() []uint32 {
	out := make([]uint32, 0, len(t.refs))
	for i := range t.refs {
		out = append(out, uint32(i))
	}
	slices.SortFunc(out, func(a, b uint32) int {
		switch x, y := t.refs[a].created, t.refs[b].created; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return bytes.Compare(t.key(a), t.key(b))
	})
	return out
}
