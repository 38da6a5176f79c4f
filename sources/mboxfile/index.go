package mboxfile

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strings"
	"time"
)

// noDate marks a record whose mail has no usable date.
const noDate = math.MinInt64

// A record is what the index keeps of one mail: 88 bytes without a pointer, so that a million mails are 88 MB that the
// garbage collector never walks.
type record struct {
	off     int64    // of the mail's first byte in its file
	date    int64    // Unix seconds, or noDate
	id      uint64   // idHash of the Message-ID, 0 when it has none
	gmail   uint64   // X-GM-THRID, 0 when it has none
	subject uint64   // of the base subject, 0 when that is empty
	sender  uint64   // idHash of the author's address
	digest  [16]byte // first half of the content digest
	size    uint32
	file    uint32 // of index.files
	check   uint32 // CRC-32C of the bytes, to see that they are the same when read again
	labels  uint32 // of index.labels
	refs    uint32 // of index.refs, its first
	nrefs   uint16
	sep     uint8 // length of the From_ line with its end; 0 when there is none, or a longer one
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
	refs   chunks
	labels labelTable
	files  []file
	ids    *idStore
}

// A file is one file that mails are read from.
type file struct {
	path    string // to open
	name    string // as the person knows it
	quoting quoting
}

func (x *index) at(i int) *record { return &x.blocks[i/indexBlock][i%indexBlock] }

func (x *index) add(r record) {
	if x.n%indexBlock == 0 {
		x.blocks = append(x.blocks, make([]record, 0, indexBlock))
	}
	last := len(x.blocks) - 1
	x.blocks[last] = append(x.blocks[last], r)
	x.n++
}

// chunks is a growing list of hashes that is never copied.
type chunks struct {
	blocks [][]uint64
	n      int
}

func (c *chunks) add(v uint64) {
	if c.n%indexBlock == 0 {
		c.blocks = append(c.blocks, make([]uint64, 0, indexBlock))
	}
	last := len(c.blocks) - 1
	c.blocks[last] = append(c.blocks[last], v)
	c.n++
}

func (c *chunks) at(i int) uint64 { return c.blocks[i/indexBlock][i%indexBlock] }

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
