package mboxfile

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"time"
)

// noDate marks a record whose mail has no usable date.
const noDate = math.MinInt64

// A record is what the index keeps of one mail. Records are rows of a table in memory or in a temporary file, as places,
// refs and ids are: nothing of a mail stays in memory but the four bytes that threading needs to join it.
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
	idAt    int64 // where its Message-ID stands in index.ids
}

type recordFlags uint8

const isReply recordFlags = 1 << iota // the subject says so

// recordBytes is the size of a record in its table; the place of its id takes five bytes of it.
const recordBytes = 68

// encode writes a record as a row.
func (r *record) encode(b *[recordBytes]byte) {
	binary.LittleEndian.PutUint64(b[0:], uint64(r.date))
	binary.LittleEndian.PutUint64(b[8:], r.id)
	binary.LittleEndian.PutUint64(b[16:], r.gmail)
	binary.LittleEndian.PutUint64(b[24:], r.subject)
	binary.LittleEndian.PutUint64(b[32:], r.sender)
	copy(b[40:], r.digest[:])
	binary.LittleEndian.PutUint32(b[56:], r.labels)
	binary.LittleEndian.PutUint16(b[60:], r.nrefs)
	b[62] = byte(r.flags)
	binary.LittleEndian.PutUint32(b[63:], uint32(r.idAt))
	b[67] = byte(r.idAt >> 32)
}

// decode is the opposite of encode.
func (r *record) decode(b []byte) {
	_ = b[recordBytes-1]
	r.date = int64(binary.LittleEndian.Uint64(b))
	r.id = binary.LittleEndian.Uint64(b[8:])
	r.gmail = binary.LittleEndian.Uint64(b[16:])
	r.subject = binary.LittleEndian.Uint64(b[24:])
	r.sender = binary.LittleEndian.Uint64(b[32:])
	copy(r.digest[:], b[40:])
	r.labels = binary.LittleEndian.Uint32(b[56:])
	r.nrefs = binary.LittleEndian.Uint16(b[60:])
	r.flags = recordFlags(b[62])
	r.idAt = int64(binary.LittleEndian.Uint32(b[63:])) | int64(b[67])<<32
}

// An index holds the records of all mails that are not excluded, in the order of the input.
type index struct {
	n       int
	gmail   bool // some record has Gmail's thread
	temp    *tempDir
	records spool
	places  places
	refs    spool // the hashes that the mails refer to, 8 bytes each, in the order of the records
	ids     idStore
	labels  labelTable
	files   []file
}

// newIndex makes an empty index; temp is where it lays what does not fit into memory.
func newIndex(temp *tempDir) *index {
	return &index{
		temp: temp, records: spool{temp: temp, what: "records"}, places: places{spool{temp: temp, what: "places"}},
		refs: spool{temp: temp, what: "references"}, ids: idStore{spool{temp: temp, what: "message-ids"}},
	}
}

// A file is one file that mails are read from.
type file struct {
	path    string // to open
	name    string // as the person knows it; empty for a mail in a file of its own, of which there may be many: see nameOf
	quoting quoting
}

// at reads record i.
func (x *index) at(i uint32) (r record, err error) {
	var b [recordBytes]byte
	if err := x.records.readAt(b[:], int64(i)*recordBytes); err != nil {
		return record{}, err
	}
	r.decode(b[:])
	return r, nil
}

// put changes record i.
func (x *index) put(i uint32, r *record) error {
	var b [recordBytes]byte
	r.encode(&b)
	return x.records.writeAt(b[:], int64(i)*recordBytes)
}

// each calls fn with every record in the order of the input. The record is valid only during the call.
func (x *index) each(ctx context.Context, fn func(i uint32, r *record) error) error {
	rows := x.records.rows(recordBytes)
	var r record
	for i := range uint32(x.n) {
		if i%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		row, err := rows.next()
		if err != nil {
			return err
		}
		r.decode(row)
		if err := fn(i, &r); err != nil {
			return err
		}
	}
	return nil
}

// errFull says that an archive has more mails than their numbers can count.
var errFull = errors.New("more than four thousand million mails do not fit into the index; import the archive in parts")

// add appends a mail: its record, where it stands, what it refers to, and its Message-ID, which may be empty.
func (x *index) add(r record, at place, refs []uint64, id string) error {
	if uint64(x.n) == math.MaxUint32 {
		return errFull
	}
	r.nrefs, r.idAt = uint16(len(refs)), x.ids.size
	x.gmail = x.gmail || r.gmail != 0
	var row [recordBytes]byte
	r.encode(&row)
	if err := x.records.write(row[:]); err != nil {
		return err
	}
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
	return errors.Join(x.records.flush(), x.places.flush(), x.refs.flush(), x.ids.flush())
}

func (x *index) close() {
	x.records.close()
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
