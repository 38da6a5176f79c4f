package csvfile

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"slices"
)

// A ticketTable numbers tickets by key. Of a ticket it holds four to eight bytes in memory, however long its key is.
type ticketTable struct {
	keys keyLog
	// slots is open addressing. A slot is 0, or 1 + the number of a ticket in its low bits, as many as slots has, and
	// bits of the key's hash in the others, so that few keys are looked at in vain.
	slots []uint32
	seed  maphash.Seed
	buf   []byte // of put
}

func newTicketTable(temp func() (string, error)) *ticketTable {
	return &ticketTable{
		keys: keyLog{temp: temp, memory: defaultMemory.keys}, slots: make([]uint32, 1<<10), seed: maphash.MakeSeed(),
	}
}

// n is the number of tickets.
func (t *ticketTable) n() int { return t.keys.n }

// find returns the number of the ticket with this key; buf may serve for reading. Safe for concurrent use once no ticket
// is put any more.
func (t *ticketTable) find(key []byte, buf *[]byte) (uint32, bool) {
	hash := maphash.Bytes(t.seed, key)
	mask := uint32(len(t.slots) - 1)
	tag := uint32(hash>>32) &^ mask
	for h := uint32(hash) & mask; ; h = (h + 1) & mask {
		s := t.slots[h]
		if s == 0 {
			return 0, false
		}
		if n := s&mask - 1; s&^mask == tag && bytes.Equal(t.keys.key(n, buf), key) {
			return n, true
		}
	}
}

// put returns the number of the ticket with this key, a new one if need be.
func (t *ticketTable) put(key []byte) (uint32, error) {
	if n, ok := t.find(key, &t.buf); ok {
		return n, nil
	}
	n := uint32(t.n())
	if err := t.keys.add(key); err != nil {
		return 0, err
	}
	if 4*t.n() >= 3*len(t.slots) {
		t.slots = make([]uint32, 2<<bits.Len(uint(t.n())))
		t.keys.each(t.place)
	} else {
		t.place(n, key)
	}
	return n, t.keys.err()
}

func (t *ticketTable) place(n uint32, key []byte) {
	hash := maphash.Bytes(t.seed, key)
	mask := uint32(len(t.slots) - 1)
	h := uint32(hash) & mask
	for t.slots[h] != 0 {
		h = (h + 1) & mask
	}
	t.slots[h] = uint32(hash>>32)&^mask | (n + 1)
}

// The order of tickets packs the time and the number of each into one word: seconds since 1890 in 34 bits, more than
// five centuries, 0 for none, and the number in 30.
const (
	numberBits = 30
	maxTickets = 1<<numberBits - 1
	orderEpoch = -2524521600
)

func packOrder(created int64, n uint32) uint64 {
	at := uint64(0)
	if created != noTime {
		at = uint64(min(max(created-orderEpoch, 1), 1<<(64-numberBits)-1))
	}
	return at<<numberBits | uint64(n)
}

// sortOrder sorts packed tickets by (created, key).
func (t *ticketTable) sortOrder(packed []uint64) {
	slices.Sort(packed)
	for start := 0; start < len(packed); {
		end := start + 1
		for end < len(packed) && packed[end]>>numberBits == packed[start]>>numberBits {
			end++
		}
		if end > start+1 {
			t.sortByKey(packed[start:end])
		}
		start = end
	}
}

// sortByKey sorts tickets of one second.
func (t *ticketTable) sortByKey(packed []uint64) {
	type keyed struct {
		key  string
		word uint64
	}
	all := make([]keyed, len(packed))
	for i, p := range packed {
		all[i] = keyed{string(t.keys.key(uint32(p&maxTickets), &t.buf)), p}
	}
	slices.SortFunc(all, func(a, b keyed) int { return bytes.Compare([]byte(a.key), []byte(b.key)) })
	for i, k := range all {
		packed[i] = k.word
	}
}
