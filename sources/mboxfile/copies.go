package mboxfile

import (
	"bytes"
	"cmp"
	"slices"
)

// A slot is a record's number with the hash it is sorted by.
type slot struct {
	hash uint64
	i    uint32
}

// older orders records by what is in the mails alone, so that no order of the input shows: date (unknown is last),
// number of references, content digest. Records that are equal in all three are copies.
func (x *index) older(a, b uint32) int {
	p, q := x.at(int(a)), x.at(int(b))
	if c := compareDates(p.date, q.date); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(p.nrefs, q.nrefs), bytes.Compare(p.digest[:], q.digest[:]))
}

// compareDates orders seconds with the unknown ones last.
func compareDates(a, b int64) int {
	if (a == noDate) != (b == noDate) {
		if a == noDate {
			return 1
		}
		return -1
	}
	return cmp.Compare(a, b)
}

// copies finds the records that are one mail: their content digests, which the Message-ID is part of, are equal. It
// returns for each record the one that stands for it, and counts the others. The standing record gets the labels of
// all, and Gmail's thread from whichever copy knows it.
func (x *index) copies() (rep []uint32, duplicates int, err error) {
	rep = make([]uint32, x.n)
	slots := make([]slot, x.n)
	for i := range x.n {
		d := &x.at(i).digest
		slots[i] = slot{hash: be64(d[:]), i: uint32(i)}
		rep[i] = uint32(i)
	}
	slices.SortFunc(slots, func(a, b slot) int {
		if a.hash != b.hash {
			return cmp.Compare(a.hash, b.hash)
		}
		c, berr := x.betterCopy(a.i, b.i)
		err = cmp.Or(err, berr)
		return c
	})
	if err != nil {
		return nil, 0, err
	}
	for len(slots) > 0 {
		n := 1
		for n < len(slots) && x.at(int(slots[n].i)).digest == x.at(int(slots[0].i)).digest {
			n++
		}
		if n > 1 {
			x.merge(slots[:n], rep)
			duplicates += n - 1
		}
		slots = slots[n:]
	}
	return rep, duplicates, nil
}

// betterCopy orders copies: the earliest known date, then the one with the longest header, then by its bytes.
func (x *index) betterCopy(a, b uint32) (int, error) {
	p, q := x.at(int(a)), x.at(int(b))
	if c := cmp.Or(bytes.Compare(p.digest[:], q.digest[:]), compareDates(p.date, q.date)); c != 0 {
		return c, nil
	}
	at, err := x.places.at(a)
	if err != nil {
		return 0, err
	}
	other, err := x.places.at(b)
	return cmp.Or(cmp.Compare(other.size, at.size), cmp.Compare(at.check, other.check), cmp.Compare(a, b)), err
}

// merge makes the first of group stand for all of it.
func (x *index) merge(group []slot, rep []uint32) {
	first := x.at(int(group[0].i))
	var sets [][]string
	for _, s := range group {
		r := x.at(int(s.i))
		rep[s.i] = group[0].i
		if len(sets) == 0 || r.labels != first.labels {
			sets = append(sets, x.labels.sets[r.labels])
		}
		if r.gmail != 0 && (first.gmail == 0 || r.gmail < first.gmail) {
			first.gmail = r.gmail
		}
	}
	if len(sets) > 1 {
		first.labels = x.labels.number(unite(sets...))
	}
}

func be64(b []byte) uint64 {
	_ = b[7]
	return uint64(b[0])<<56 | uint64(b[1])<<48 | uint64(b[2])<<40 | uint64(b[3])<<32 |
		uint64(b[4])<<24 | uint64(b[5])<<16 | uint64(b[6])<<8 | uint64(b[7])
}

// An idTable maps the hashes of ids to numbers: open addressing, 12 bytes a place, at most two thirds full.
type idTable struct {
	keys []uint64
	vals []uint32
	n    int
}

// newIDTable makes room for n ids; it grows when there are more.
func newIDTable(n int) *idTable {
	size := 64
	for size < n+n/2 {
		size *= 2
	}
	return &idTable{keys: make([]uint64, size), vals: make([]uint32, size)}
}

// get returns the number of an id.
func (t *idTable) get(id uint64) (uint32, bool) {
	mask := uint64(len(t.keys) - 1)
	for p := id & mask; t.keys[p] != 0; p = (p + 1) & mask {
		if t.keys[p] == id {
			return t.vals[p], true
		}
	}
	return 0, false
}

// put sets the number of an id, which is not 0.
func (t *idTable) put(id uint64, v uint32) {
	if (t.n+1)*3 > len(t.keys)*2 {
		t.grow()
	}
	mask := uint64(len(t.keys) - 1)
	p := id & mask
	for ; t.keys[p] != 0 && t.keys[p] != id; p = (p + 1) & mask {
	}
	if t.keys[p] == 0 {
		t.n++
	}
	t.keys[p], t.vals[p] = id, v
}

func (t *idTable) grow() {
	old := *t
	*t = idTable{keys: make([]uint64, 2*len(old.keys)), vals: make([]uint32, 2*len(old.keys))}
	for i, k := range old.keys {
		if k != 0 {
			t.put(k, old.vals[i])
		}
	}
}

// spread makes a hash of a number whose low bits may be all alike; different numbers stay different.
func spread(n uint64) uint64 { return n * 0x9e3779b97f4a7c15 }
