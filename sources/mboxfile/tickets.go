package mboxfile

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"

	"hsimport/sources"
)

// A ticket is what is kept of one thread: its mails are members[start : start+n], oldest first.
type ticket struct {
	created int64
	last    int64
	start   uint32
	n       uint32
	root    uint32 // the record that its key is taken from
	key     uint32 // place in keys
	keyLen  uint16
}

// threads are all tickets, in the order of (created, key).
type threads struct {
	tickets []ticket
	members []uint32
	keys    []byte
	byKey   []uint32
	shared  map[uint64]uint32 // Message-IDs of several mails: the oldest, which has the id to itself in its key
}

// collect makes tickets of the joined mails. The key of a ticket is Gmail's thread id where there is one, else that of
// its root: of the mails that answer none of the input (of all, when each does: a circle) the oldest, in the order of
// index.older.
func (t *threader) collect() (*threads, error) {
	th := &threads{shared: t.twins}
	number := make([]uint32, t.x.n) // of the ticket, by record; for roots first
	for i := range uint32(t.x.n) {
		if !t.isRep(int(i)) {
			continue
		}
		root := t.find(i)
		if root == i {
			number[i] = uint32(len(th.tickets))
			th.tickets = append(th.tickets, ticket{root: math.MaxUint32})
		} else {
			number[i] = number[root]
		}
		th.tickets[number[i]].n++
	}
	t.fill(th, number)
	for k := range th.tickets {
		t.finish(th, &th.tickets[k])
	}
	if err := t.keys(th, number); err != nil {
		return nil, err
	}
	th.sort()
	return th, nil
}

// fill distributes the mails.
func (t *threader) fill(th *threads, number []uint32) {
	sum := uint32(0)
	for k := range th.tickets {
		th.tickets[k].start = sum
		sum += th.tickets[k].n
		th.tickets[k].n = 0
	}
	th.members = make([]uint32, sum)
	for i := range uint32(t.x.n) {
		if t.isRep(int(i)) {
			tk := &th.tickets[number[i]]
			th.members[tk.start+tk.n] = i
			tk.n++
		}
	}
}

// finish orders the mails of one ticket and finds its root.
func (t *threader) finish(th *threads, tk *ticket) {
	members := th.members[tk.start : tk.start+tk.n]
	slices.SortFunc(members, t.x.older)
	tk.created, tk.last, tk.root = noDate, noDate, members[0]
	for _, i := range members {
		if d := t.x.at(int(i)).date; d != noDate {
			if tk.created == noDate {
				tk.created = d
			}
			tk.last = d
		}
	}
	for _, i := range members {
		if !t.isBound(i) {
			tk.root = i
			break
		}
	}
	for _, i := range members { // a mail without Gmail's id may have come to the thread
		if t.hasGmail(i) {
			tk.root = i
			break
		}
	}
}

// keys writes the key of every ticket, from the stored Message-IDs of the roots.
func (t *threader) keys(th *threads, number []uint32) error {
	err := t.x.ids.each(func(i int, id []byte) {
		if !t.isRep(i) {
			return
		}
		tk := &th.tickets[number[i]]
		if tk.root != uint32(i) {
			return
		}
		start := len(th.keys)
		if r := t.x.at(i); t.hasGmail(uint32(i)) {
			th.keys = strconv.AppendUint(append(th.keys, "gmail:"...), r.gmail, 10)
		} else {
			th.keys = appendKey(th.keys, id, r, th.alone(uint32(i), r))
		}
		tk.key, tk.keyLen = uint32(start), uint16(len(th.keys)-start)
	})
	if err == nil && len(th.keys) > math.MaxUint32 {
		err = fmt.Errorf("the keys of %d tickets do not fit into the index; import the archive in parts", len(th.tickets))
	}
	return err
}

// alone reports whether a mail has its Message-ID to itself: nobody shares it, or it is the oldest that does. So a mail
// that comes later under the same id does not change the key of one that was already sent.
func (th *threads) alone(i uint32, r *record) bool {
	first, shared := th.shared[r.id]
	return !shared || first == i
}

// appendKey appends the identity of a mail: "mid:" and its Message-ID, followed by "#" and its digest when it shares the
// id with an older, different mail; "sha:" and its digest when it has no id. An id that holds a "#" itself is always
// followed by the digest, so that nobody can write an id that is another mail's key.
func appendKey(dst, id []byte, r *record, alone bool) []byte {
	if len(id) == 0 {
		return hex.AppendEncode(append(dst, "sha:"...), r.digest[:])
	}
	dst = append(append(dst, "mid:"...), id...)
	if !alone || bytes.IndexByte(id, '#') >= 0 {
		dst = hex.AppendEncode(append(dst, '#'), r.digest[:])
	}
	return dst
}

// key is the key of a ticket as bytes of the store.
func (th *threads) key(tk *ticket) []byte { return th.keys[tk.key : tk.key+uint32(tk.keyLen)] }

// sort brings the tickets into the order of (created, key), unknown dates first, and makes the list to find them by.
func (th *threads) sort() {
	slices.SortFunc(th.tickets, func(a, b ticket) int {
		return cmp.Or(cmp.Compare(a.created, b.created), bytes.Compare(th.key(&a), th.key(&b)))
	})
	th.byKey = make([]uint32, len(th.tickets))
	for i := range th.byKey {
		th.byKey[i] = uint32(i)
	}
	slices.SortFunc(th.byKey, func(a, b uint32) int {
		return bytes.Compare(th.key(&th.tickets[a]), th.key(&th.tickets[b]))
	})
}

// find is the place of a key.
func (th *threads) find(k sources.Key) (int, bool) {
	want := []byte(k)
	i, ok := slices.BinarySearchFunc(th.byKey, want, func(a uint32, want []byte) int {
		return bytes.Compare(th.key(&th.tickets[a]), want)
	})
	if !ok {
		return 0, false
	}
	return int(th.byKey[i]), true
}
