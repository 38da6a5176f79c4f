package mboxfile

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"time"
)

// noDate marks a record whose mail has no usable date.
const noDate = math.MinInt64

// A record is what the index keeps of one mail in memory: 64 bytes without a pointer, so that a million mails are 64 MB
// that the garbage collector never walks. What threading does not ask for is in places, refs and ids, which go to
// temporary files when there is much of it.
type record struct {
	date    int64    // Unix seconds, or noDate
	id      uint64   // idHash of the Message-ID, 0 when it has none
	gmail   uint64   // X-GM-THRID, 0 when it has none
	subject uint64   // of the base subject, 0 when that is empty
	sender  uint64   // idHash of the author's address
	digest  [16]byte // first half of the content digest
	labels  uint32   // of index.labels
	nrefs   uint16   // how many of index.refs are this mail's
	flags   recordFlags
}

type recordFlags uint8

const isReply recordFlags = 1 << iota // the subject says so

// indexBlock is the number of records that are allocated at once: growing never copies them.
const indexBlock = 1 << 13

// An index holds the records of all mails that are not excluded, in the order of the input.
type index struct {
	blocks [][]record
	n      int
	places places
	refs   spool // the hashes that the mails refer to, 8 bytes each, in the order of the records
	ids    idStore
	labels labelTable
	files  []file
}

// newIndex makes an empty index; temp is where it lays what does not fit into memory.
func newIndex(temp *tempDir) *index {
	return &index{
		places: places{spool{temp: temp, what: "places"}}, refs: spool{temp: temp, what: "references"},
		ids: idStore{spool{temp: temp, what: "message-ids"}},
	}
}

// A file is one file that mails are read from.
type file struct {
	path    string // to open
	name    string // as the person knows it
	quoting quoting
}

func (x *index) at(i int) *record { return &x.blocks[i/indexBlock][i%indexBlock] }

// add appends a mail: its record, where it stands, what it refers to, and its Message-ID, which may be empty.
func (x *index) add(r record, at place, refs []uint64, id string) error {
	if x.n%indexBlock == 0 {
		x.blocks = append(x.blocks, make([]record, 0, indexBlock))
	}
	r.nrefs = uint16(len(refs))
	last := len(x.blocks) - 1
	x.blocks[last] = append(x.blocks[last], r)
	x.n++
	var hash [8]byte
	for _, ref := range refs {
		binary.BigEndian.PutUint64(hash[:], ref)
		if err := x.refs.write(hash[:]); err != nil {
			return err
		}
	}
	if err := x.places.add(at); err != nil {
		return err
	}
	return x.ids.add(id)
}

// flush ends the writing: from now on the index can be read.
func (x *index) flush() error {
	return errors.Join(x.places.flush(), x.refs.flush(), x.ids.flush())
}

func (x *index) close() {
	x.places.close()
	x.refs.close()
	x.ids.close()
}

// A labelTable numbers the sets of labels that occur; there are few.
type labelTable struct {
	sets  [][]string
	known map[string]uint32
}

func (t *labelTable) number(set []string) uint32 {
	key := strings.Join(set, "\x00")
	if n, ok := t.known[key]; ok {
		return n
	}
	if t.known == nil {
		t.known = map[string]uint32{}
	}
	n := uint32(len(t.sets))
	t.sets = append(t.sets, set)
	t.known[key] = n
	return n
}

// idHash is a number for a Message-ID or an address. It is cut from SHA-256 and not from a faster hash because a
// stranger writes these ids: with 64 bits, two of ten million meet by chance once in 370,000 archives.
func idHash(s string) uint64 {
	if s == "" {
		return 0
	}
	sum := sha256.Sum256([]byte(s))
	h := binary.BigEndian.Uint64(sum[:])
	if h == 0 {
		return 1
	}
	return h
}

// unix is the second of a time, or noDate.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return noDate
	}
	return t.Unix()
}

// timeOf is the opposite of unix.
func timeOf(sec int64) time.Time {
	if sec == noDate {
		return time.Time{}
	}
	return time.Unix(sec, 0).UTC()
}
