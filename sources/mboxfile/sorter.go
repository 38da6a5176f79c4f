package mboxfile

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"slices"
)

// A sorter brings items into the order of their bytes: in memory while they are few, else as sorted runs in a temporary
// file that are merged when they are read. Whoever wants an order writes it as bytes, most significant first.
type sorter struct {
	temp  *tempDir
	what  string // for the name of the file, and for errors
	arena []byte
	slots []sortSlot
	file  *os.File
	size  int64
	runs  []int64 // where each ends in file
}

// A sortSlot is an item of the arena.
type sortSlot struct {
	prefix uint64 // its first bytes: they mostly decide
	off    uint32
	n      uint32
}

const (
	slotBytes = 16
	maxItem   = 4 << 10  // bytes of an item, its length included
	mergeRead = 64 << 10 // read at a time of each run, when they are few
)

// newSorter makes an empty one.
func newSorter(temp *tempDir, what string) *sorter { return &sorter{temp: temp, what: what} }

// add takes a copy of an item.
func (s *sorter) add(item []byte) error {
	if len(s.arena)+len(item)+slotBytes*(len(s.slots)+1) > s.temp.tableMemory() && len(s.slots) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.slots = append(s.slots, sortSlot{prefix: prefix(item), off: uint32(len(s.arena)), n: uint32(len(item))})
	s.arena = append(s.arena, item...)
	return nil
}

// prefix is a number that sorts as the first bytes of an item do.
func prefix(item []byte) uint64 {
	if len(item) >= 8 {
		return binary.BigEndian.Uint64(item)
	}
	var b [8]byte
	copy(b[:], item)
	return binary.BigEndian.Uint64(b[:])
}

func (s *sorter) item(i int) []byte {
	sl := s.slots[i]
	return s.arena[sl.off : sl.off+sl.n]
}

func (s *sorter) sort() {
	slices.SortFunc(s.slots, func(a, b sortSlot) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return bytes.Compare(s.arena[a.off:a.off+a.n], s.arena[b.off:b.off+b.n])
	})
}

// spill writes what is in memory as a run.
func (s *sorter) spill() error {
	if s.file == nil {
		f, err := s.temp.createHidden(s.what)
		if err != nil {
			return err
		}
		s.file = f
	}
	s.sort()
	out := bufio.NewWriterSize(s.file, mergeRead)
	var n [2]byte
	for i := range s.slots {
		item := s.item(i)
		binary.LittleEndian.PutUint16(n[:], uint16(len(item)))
		_, err := out.Write(n[:])
		if err == nil {
			_, err = out.Write(item)
		}
		if err != nil {
			return indexTrouble("keep", s.what, s.file, err)
		}
		s.size += int64(len(n) + len(item))
	}
	if err := out.Flush(); err != nil {
		return indexTrouble("keep", s.what, s.file, err)
	}
	s.runs = append(s.runs, s.size)
	s.arena, s.slots = s.arena[:0], s.slots[:0]
	return nil
}

// finish ends the adding: from now on there are streams.
func (s *sorter) finish() error {
	if s.file == nil {
		s.sort()
		return nil
	}
	if len(s.slots) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.arena, s.slots = nil, nil
	return nil
}

// each calls fn with every item in order. The item is valid only during the call.
func (s *sorter) each(ctx context.Context, fn func(item []byte) error) error {
	st, err := s.stream()
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		if n%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		item, err := st.next()
		if err != nil || item == nil {
			return err
		}
		if err := fn(item); err != nil {
			return err
		}
	}
}

// checkEvery is how many rows are worked on between two looks at the context.
const checkEvery = 1 << 14

// close lets go of everything.
func (s *sorter) close() {
	s.arena, s.slots = nil, nil
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
		s.file = nil
	}
}

// A stream reads the items of a sorter in order.
type stream struct {
	s    *sorter
	at   int    // in memory: the next item
	heap []*run // of a file: the runs, the one with the smallest item first
	open bool   // the first run's item has been returned
}

// stream begins at the first item. There may be several.
func (s *sorter) stream() (*stream, error) {
	st := &stream{s: s}
	size := max(maxItem, min(mergeRead, s.temp.tableMemory()/max(1, len(s.runs))))
	begin := int64(0)
	for _, end := range s.runs {
		r := &run{s: s, off: begin, end: end, size: size}
		if err := r.advance(); err != nil {
			return nil, err
		}
		st.heap = append(st.heap, r)
		begin = end
	}
	for i := len(st.heap)/2 - 1; i >= 0; i-- {
		st.down(i)
	}
	return st, nil
}

// next is the next item, valid until it is called again, or nil at the end.
func (st *stream) next() ([]byte, error) {
	if st.s.file == nil {
		if st.at == len(st.s.slots) {
			return nil, nil
		}
		st.at++
		return st.s.item(st.at - 1), nil
	}
	if st.open {
		first := st.heap[0]
		if err := first.advance(); err != nil {
			return nil, err
		}
		if first.item == nil {
			last := len(st.heap) - 1
			st.heap[0] = st.heap[last]
			st.heap = st.heap[:last]
		}
		st.down(0)
	}
	if st.open = len(st.heap) > 0; !st.open {
		return nil, nil
	}
	return st.heap[0].item, nil
}

// down brings the run at i to its place.
func (st *stream) down(i int) {
	for {
		least := i
		for _, c := range [...]int{2*i + 1, 2*i + 2} {
			if c < len(st.heap) && st.heap[c].before(st.heap[least]) {
				least = c
			}
		}
		if least == i {
			return
		}
		st.heap[i], st.heap[least] = st.heap[least], st.heap[i]
		i = least
	}
}

// A run is a sorted stretch of a sorter's file while it is read.
type run struct {
	s        *sorter
	off, end int64 // what of the file is still to be read
	size     int   // read at a time
	buf      []byte
	at       int // in buf, behind item
	item     []byte
	prefix   uint64
}

func (r *run) before(other *run) bool {
	if r.prefix != other.prefix {
		return r.prefix < other.prefix
	}
	return bytes.Compare(r.item, other.item) < 0
}

// advance goes to the next item; item is nil at the end.
func (r *run) advance() error {
	if len(r.buf)-r.at < maxItem && r.off < r.end {
		if err := r.fill(); err != nil {
			return err
		}
	}
	if r.at == len(r.buf) {
		r.item = nil
		return nil
	}
	n := 0
	if len(r.buf)-r.at > 2 {
		n = int(binary.LittleEndian.Uint16(r.buf[r.at:]))
	}
	if n > len(r.buf)-r.at-2 {
		return indexTrouble("read", r.s.what, r.s.file, errDamaged)
	}
	r.item = r.buf[r.at+2 : r.at+2+n]
	r.at += 2 + n
	r.prefix = prefix(r.item)
	return nil
}

// errDamaged says that a run is not what was written.
var errDamaged = errors.New("the file has been changed by somebody else")

// fill reads on behind what is left of buf.
func (r *run) fill() error {
	if r.buf == nil {
		r.buf = make([]byte, 0, r.size+maxItem)
	}
	rest := copy(r.buf[:cap(r.buf)], r.buf[r.at:])
	n := min(int64(cap(r.buf)-rest), r.end-r.off)
	r.buf, r.at = r.buf[:rest+int(n)], 0
	if _, err := r.s.file.ReadAt(r.buf[rest:], r.off); err != nil {
		return indexTrouble("read", r.s.what, r.s.file, err)
	}
	r.off += n
	return nil
}

// A cursor goes through a sorter beside something else that is in the same order, by the first eight bytes of the
// items, a hash.
type cursor struct {
	st   *stream
	item []byte
}

func (s *sorter) cursor() (*cursor, error) {
	st, err := s.stream()
	if err != nil {
		return nil, err
	}
	c := &cursor{st: st}
	return c, c.next()
}

func (c *cursor) next() (err error) {
	c.item, err = c.st.next()
	return err
}

// seek goes to the first item whose hash is not below h and reports whether it is of h.
func (c *cursor) seek(h uint64) (bool, error) {
	for c.item != nil {
		if have := be64(c.item); have >= h {
			return have == h, nil
		}
		if err := c.next(); err != nil {
			return false, err
		}
	}
	return false, nil
}

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

func be64(b []byte) uint64 { return binary.BigEndian.Uint64(b) }

// last32 is the number that an item ends with.
func last32(item []byte) uint32 { return be32(item[len(item)-4:]) }
