package mboxfile

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"math"
	"slices"
)

// older orders records by what is in the mails alone, so that no order of the input shows: date (unknown is last),
// number of references, content digest. Records that are equal in all three are copies.
func (r *record) older(other *record) int {
	return cmp.Or(cmp.Compare(dateKey(r.date), dateKey(other.date)), cmp.Compare(r.nrefs, other.nrefs),
		bytes.Compare(r.digest[:], other.digest[:]))
}

// dateKey is a number that orders seconds, with the unknown ones last.
func dateKey(sec int64) uint64 {
	if sec == noDate {
		return math.MaxUint64
	}
	return uint64(sec) ^ 1<<63
}

// dateOf is the opposite of dateKey.
func dateOf(key uint64) int64 {
	if key == math.MaxUint64 {
		return noDate
	}
	return int64(key ^ 1<<63)
}

// ageBytes is the size of what appendAge appends.
const ageBytes = 8 + 2 + 16

// appendAge appends bytes that sort as older does.
func (r *record) appendAge(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, dateKey(r.date))
	return append(binary.BigEndian.AppendUint16(dst, r.nrefs), r.digest[:]...)
}

// copies finds the records that are one mail: their content digests, which the Message-ID is part of, are equal. It
// returns for each record the one that stands for it, and counts the others. The standing record gets the labels of
// all, and Gmail's thread from whichever copy knows it. byDigest holds all records in the order of their digests; the
// caller closes it.
func (x *index) copies(ctx context.Context) (rep []uint32, byDigest *sorter, duplicates int, err error) {
	byDigest = newSorter(x.temp, "digests")
	if err := x.sortCopies(ctx, byDigest); err != nil {
		return nil, byDigest, 0, err
	}
	rep = make([]uint32, x.n)
	for i := range rep {
		rep[i] = uint32(i)
	}
	var digest [16]byte
	m := merger{x: x, rep: rep}
	started := false
	err = byDigest.each(ctx, func(item []byte) error {
		i := last32(item)
		if started && bytes.Equal(digest[:], item[:16]) {
			duplicates++
			return m.take(i)
		}
		copy(digest[:], item)
		started = true
		return m.begin(i)
	})
	if err == nil {
		err = m.end()
	}
	return rep, byDigest, duplicates, err
}

// sortCopies sorts all records by their digests, and copies by which is the better one: the earliest known date, then
// the one with the longest header, then by its bytes.
func (x *index) sortCopies(ctx context.Context, to *sorter) error {
	places := x.places.rows(placeBytes)
	var item []byte
	err := x.each(ctx, func(i uint32, r *record) error {
		row, err := places.next()
		if err != nil {
			return err
		}
		at := decodePlace(row)
		item = append(item[:0], r.digest[:]...)
		item = binary.BigEndian.AppendUint64(item, dateKey(r.date))
		item = binary.BigEndian.AppendUint32(item, ^at.size)
		item = binary.BigEndian.AppendUint32(item, at.check)
		return to.add(binary.BigEndian.AppendUint32(item, i))
	})
	if err != nil {
		return err
	}
	return to.finish()
}

// A merger makes one record after the other stand for its copies.
type merger struct {
	x      *index
	rep    []uint32
	first  uint32
	r      record   // of first, once there is a copy
	any    bool     // there is one
	new    bool     // r differs from what the table has
	sets   []uint32 // of labels, that of first before the others
	labels []string
}

// begin starts with the record that stands for those that are taken.
func (m *merger) begin(first uint32) error {
	err := m.end()
	m.first = first
	return err
}

// take counts record i as a copy.
func (m *merger) take(i uint32) (err error) {
	if !m.any {
		if m.r, err = m.x.at(m.first); err != nil {
			return err
		}
		m.any, m.new, m.sets, m.labels = true, false, append(m.sets[:0], m.r.labels), m.x.labels.sets[m.r.labels]
	}
	r, err := m.x.at(i)
	if err != nil {
		return err
	}
	m.rep[i] = m.first
	if !slices.Contains(m.sets, r.labels) {
		m.sets, m.new = append(m.sets, r.labels), true
		m.labels = unite(m.labels, m.x.labels.sets[r.labels])
	}
	if r.gmail != 0 && (m.r.gmail == 0 || r.gmail < m.r.gmail) {
		m.r.gmail, m.new = r.gmail, true
	}
	return nil
}

// end writes what the standing record has learnt.
func (m *merger) end() error {
	if !m.any || !m.new {
		m.any = false
		return nil
	}
	m.any = false
	if len(m.sets) > 1 {
		m.r.labels = m.x.labels.number(m.labels)
	}
	return m.x.put(m.first, &m.r)
}

// A bitset holds one bit for each record.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, n/64+1) }

func (b bitset) has(i uint32) bool { return b[i/64]&(1<<(i%64)) != 0 }

func (b bitset) set(i uint32) { b[i/64] |= 1 << (i % 64) }
