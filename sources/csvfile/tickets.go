package csvfile

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// A ticketRef is what the index keeps of one ticket. The time is in seconds since 1970; noTime stands for none.
type ticketRef struct {
	created  int64
	span     uint32 // last is so many seconds later
	keyAt    uint32 // in keys
	messages uint32
	keyLen   uint16
	flags    uint8
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
	chunks [][]ticketRef // in pieces: a slice that grows would be held twice
	n      int
	keys   []byte
	slots  []uint32 // open addressing: 1 + number of a ticket
	seed   maphash.Seed
}

func newTicketTable() *ticketTable {
	return &ticketTable{slots: make([]uint32, 1<<10), seed: maphash.MakeSeed()}
}

const chunkTickets = 1 << 12

// at returns ticket i.
func (t *ticketTable) at(i uint32) *ticketRef { return &t.chunks[i/chunkTickets][i%chunkTickets] }

func (t *ticketTable) key(i uint32) []byte {
	r := t.at(i)
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
	if 4*t.n >= 3*len(t.slots) {
		t.slots = make([]uint32, 2*len(t.slots))
		for i := range t.n {
			t.place(uint32(i))
		}
	}
	n := uint32(t.n)
	t.n++
	if n%chunkTickets == 0 {
		t.chunks = append(t.chunks, make([]ticketRef, 0, chunkTickets))
	}
	last := &t.chunks[len(t.chunks)-1]
	*last = append(*last, ticketRef{created: noTime, keyAt: uint32(len(t.keys)), keyLen: uint16(len(key))})
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
	out := make([]uint32, 0, t.n)
	for i := range t.n {
		out = append(out, uint32(i))
	}
	slices.SortFunc(out, func(a, b uint32) int {
		switch x, y := t.at(a).created, t.at(b).created; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return bytes.Compare(t.key(a), t.key(b))
	})
	return out
}
