package csvfile

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"sync"
)

// A ticketRef is what the index keeps of one ticket. The time is in seconds since 1970; noTime stands for none.
type ticketRef struct {
	created  int64
	span     uint32 // last is so many seconds later
	messages uint32
	first    uint32 // where its rows begin among the sorted ones
	rows     uint32
	number   uint32
	flags    uint8
}

const noTime = -1 << 63

// Flags of a row and of its ticket.
const (
	hasTicketRow uint8 = 1 << iota // the row has the ticket's own columns
	hasTime                        // created and span are of messages
	needsBuild                     // the ticket's messages can only be counted by building it
)

// see widens the span of time to a message's.
func (r *ticketRef) see(at cellDate) {
	if at.t.IsZero() {
		return
	}
	if r.flags&hasTime == 0 {
		r.flags |= hasTime
		r.created, r.span = at.t.Unix(), 0
		return
	}
	r.widen(at.t.Unix(), at.t.Unix())
}

// fallback dates a ticket none of whose messages has a time by its own.
func (r *ticketRef) fallback(at cellDate) {
	if r.flags&hasTime == 0 && !at.t.IsZero() {
		r.created, r.span = at.t.Unix(), 0
	}
}

func (r *ticketRef) widen(first, last int64) {
	last = max(r.created+int64(r.span), last)
	r.created = min(r.created, first)
	r.span = uint32(min(last-r.created, 1<<32-1))
}

// join adds a row of the ticket to it: times of messages count before the ticket's own.
func (r *ticketRef) join(row *rowRef) {
	r.messages += row.messages
	if r.flags&row.flags&hasTicketRow != 0 {
		r.flags |= needsBuild
	}
	switch timed := row.flags & hasTime; {
	case row.created == noTime, timed < r.flags&hasTime:
	case r.created == noTime, timed > r.flags&hasTime:
		r.created, r.span = row.created, row.span
	default:
		r.widen(row.created, row.created+int64(row.span))
	}
	r.flags |= row.flags
}

// A refTable holds fixed records of tickets: few in memory, many in a file. add and set are for one goroutine, get for
// several.
type refTable struct {
	n       int
	mem     []ticketRef
	file    *os.File
	pending []byte
	mu      sync.Mutex
	window  window
	record  [refBytes]byte
}

const (
	refBytes = 32
)

// indexMemory says how much of an index stays in memory, what is beyond lies in files: rows, bytes of keys, and tickets.
type indexMemory struct{ rows, keys, refs int }

var defaultMemory = indexMemory{rows: 1 << 18, keys: 8 << 20, refs: 1 << 19} // 14, 8 and 16 MiB

// newRefTable is a table for up to n tickets, of which so many as memory stay there.
func newRefTable(n, memory int, temp func() (string, error)) (*refTable, error) {
	t := &refTable{}
	if n <= memory {
		t.mem = make([]ticketRef, 0, n)
		return t, nil
	}
	dir, err := temp()
	if err != nil {
		return nil, err
	}
	t.file, err = os.CreateTemp(dir, "tickets-*")
	return t, err
}

func (t *refTable) add(r *ticketRef) error {
	t.n++
	if t.file == nil {
		t.mem = append(t.mem, *r)
		return nil
	}
	if t.pending = r.encode(t.pending); len(t.pending) >= pendingBytes {
		return t.flush()
	}
	return nil
}

// flush writes what is pending; after it every record can be had.
func (t *refTable) flush() error {
	if len(t.pending) == 0 {
		return nil
	}
	at := int64(t.n)*refBytes - int64(len(t.pending))
	if _, err := t.file.WriteAt(t.pending, at); err != nil {
		return fmt.Errorf("write the index to %s: %w", t.file.Name(), err)
	}
	t.pending = slices.Delete(t.pending, 0, len(t.pending))
	return nil
}

// get returns record i. Records are mostly asked for in their order.
func (t *refTable) get(i int) (ticketRef, error) {
	if t.file == nil {
		return t.mem[i], nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.window.read(t.file, t.record[:], int64(i)*refBytes); err != nil {
		return ticketRef{created: noTime}, fmt.Errorf("read the index from %s: %w", t.file.Name(), err)
	}
	return decodeRef(t.record[:]), nil
}

// set writes record i anew.
func (t *refTable) set(i int, r *ticketRef) error {
	if t.file == nil {
		t.mem[i] = *r
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.window.data = t.window.data[:0]
	if _, err := t.file.WriteAt(r.encode(nil), int64(i)*refBytes); err != nil {
		return fmt.Errorf("write the index to %s: %w", t.file.Name(), err)
	}
	return nil
}

func (t *refTable) close() {
	if t != nil && t.file != nil {
		t.file.Close()
		os.Remove(t.file.Name())
	}
}

// encode appends the ticket's fixed record.
func (r *ticketRef) encode(dst []byte) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint32(le.AppendUint64(dst, uint64(r.created)), r.span)
	dst = le.AppendUint32(le.AppendUint32(dst, r.messages), r.first)
	dst = le.AppendUint32(le.AppendUint32(dst, r.rows), r.number)
	return append(dst, r.flags, 0, 0, 0)
}

func decodeRef(b []byte) ticketRef {
	le := binary.LittleEndian
	return ticketRef{
		created: int64(le.Uint64(b)), span: le.Uint32(b[8:]), messages: le.Uint32(b[12:]), first: le.Uint32(b[16:]),
		rows: le.Uint32(b[20:]), number: le.Uint32(b[24:]), flags: b[28],
	}
}
