package csvfile

import (
	"fmt"
	"os"
	"slices"
	"sort"
)

// sortedRows are the rows in the order of their tickets, those of one ticket in the order of the files: all in memory,
// or all in a file of fixed records.
type sortedRows struct {
	mem  []rowRef
	file *os.File
}

// bucketRows is how many rows are put in order at a time: 4 MiB.
const bucketRows = 1 << 17

// byTicket sorts the rows; firsts says where those of each ticket begin, and has one entry more than there are tickets.
// visit sees the rows of every ticket that has any.
func (t *rowTable) byTicket(firsts []uint32, visit func([]rowRef)) (*sortedRows, error) {
	if t.spill == nil {
		next := slices.Clone(firsts)
		out := make([]rowRef, t.n)
		err := t.each(func(_ int, r rowRef) {
			out[next[r.ticket]] = r
			next[r.ticket]++
		})
		visitGroups(out, visit)
		return &sortedRows{mem: out}, err
	}
	dir, err := t.temp()
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, "sorted-*")
	if err != nil {
		return nil, err
	}
	s := &sortedRows{file: f}
	bounds := bucketBounds(firsts)
	if err := t.distribute(f, bounds, firsts); err != nil {
		s.close()
		return nil, err
	}
	var b bucket
	for i := range len(bounds) - 1 {
		if err := b.sort(s.file, bounds[i], firsts[bounds[i]:bounds[i+1]+1], visit); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// bucketBounds are the first tickets of ranges that hold about bucketRows rows each, and the number of tickets.
func bucketBounds(firsts []uint32) []int {
	bounds := []int{0}
	tickets := len(firsts) - 1
	for n := 1; n < tickets; n++ {
		if firsts[n+1]-firsts[bounds[len(bounds)-1]] > bucketRows {
			bounds = append(bounds, n)
		}
	}
	return append(bounds, tickets)
}

// distribute writes each row into the stretch of its bucket.
func (t *rowTable) distribute(f *os.File, bounds []int, firsts []uint32) error {
	const batch = 1 << 10
	buckets := make([][]byte, len(bounds)-1)
	at := make([]int64, len(buckets))
	for i := range at {
		at[i] = int64(firsts[bounds[i]]) * rowBytes
	}
	var failed error
	flush := func(b int) {
		if _, err := f.WriteAt(buckets[b], at[b]); err != nil && failed == nil {
			failed = fmt.Errorf("write the index to %s: %w", f.Name(), err)
		}
		at[b] += int64(len(buckets[b]))
		buckets[b] = buckets[b][:0]
	}
	err := t.each(func(_ int, r rowRef) {
		b := sort.SearchInts(bounds, int(r.ticket)+1) - 1
		buckets[b] = r.encode(buckets[b])
		if len(buckets[b]) >= batch*rowBytes {
			flush(b)
		}
	})
	for b := range buckets {
		flush(b)
	}
	if err != nil {
		return err
	}
	return failed
}

// A bucket holds the rows that are put in order at a time; its buffers serve one bucket after the other.
type bucket struct {
	raw  []byte
	out  []rowRef
	next []uint32
}

// sort puts the rows of tickets in order, of which ticket is the first and whose rows begin at firsts.
func (b *bucket) sort(f *os.File, ticket int, firsts []uint32, visit func([]rowRef)) error {
	lo := firsts[0]
	n := int(firsts[len(firsts)-1] - lo)
	b.next = append(b.next[:0], firsts...)
	b.raw = slices.Grow(b.raw[:0], n*rowBytes)[:n*rowBytes]
	b.out = slices.Grow(b.out[:0], n)[:n]
	if _, err := f.ReadAt(b.raw, int64(lo)*rowBytes); err != nil {
		return fmt.Errorf("read the index from %s: %w", f.Name(), err)
	}
	for i := range n {
		r := decodeRow(b.raw[i*rowBytes:])
		at := &b.next[int(r.ticket)-ticket]
		b.out[*at-lo] = r
		*at++
	}
	visitGroups(b.out, visit)
	b.raw = b.raw[:0]
	for _, r := range b.out {
		b.raw = r.encode(b.raw)
	}
	if _, err := f.WriteAt(b.raw, int64(lo)*rowBytes); err != nil {
		return fmt.Errorf("write the index to %s: %w", f.Name(), err)
	}
	return nil
}

// visitGroups calls visit with the rows of each ticket.
func visitGroups(rows []rowRef, visit func([]rowRef)) {
	for start := 0; start < len(rows); {
		end := start + 1
		for end < len(rows) && rows[end].ticket == rows[start].ticket {
			end++
		}
		visit(rows[start:end])
		start = end
	}
}

// group returns the rows from lo to hi, which must not be changed; buf may serve for reading them. Safe for concurrent
// use.
func (s *sortedRows) group(lo, hi uint32, buf []byte) ([]rowRef, error) {
	if s.file == nil {
		return s.mem[lo:hi], nil
	}
	size := int(hi-lo) * rowBytes
	raw := slices.Grow(buf[:0], size)[:size]
	if _, err := s.file.ReadAt(raw, int64(lo)*rowBytes); err != nil {
		return nil, fmt.Errorf("read the index from %s: %w", s.file.Name(), err)
	}
	out := make([]rowRef, hi-lo)
	for i := range out {
		out[i] = decodeRow(raw[i*rowBytes:])
	}
	return out, nil
}

func (s *sortedRows) close() {
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
	}
}
