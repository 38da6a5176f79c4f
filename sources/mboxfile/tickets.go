package mboxfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"math"
	"sort"
	"strconv"
	"sync/atomic"

	"hsimport/sources"
)

// A ticket is what is kept of one thread: its mails are the members start to start+n, oldest first.
type ticket struct {
	created int64
	last    int64
	start   uint32
	n       uint32
	root    uint32 // the record that its key is taken from
	key     int64  // place in threads.keys
	keyLen  uint16
}

// ticketBytes is the size of a ticket in its table; the place of its key takes six bytes of it.
const ticketBytes = 36

// A member is one mail of a ticket.
type member struct {
	i      uint32
	second bool   // an older mail has its Message-ID too
	copies uint32 // further records of the same mail,
	first  uint32 // and the first of them
}

const memberBytes = 13

// threads are all tickets, in the order of (created, key): tables in memory or in temporary files.
type threads struct {
	n       int
	tickets spool
	members spool
	keys    spool
	byKey   spool                 // hash of a key and number of its ticket, in the order of the hashes
	failed  atomic.Pointer[error] // of reading them: the first
}

const byKeyBytes = 12

func newThreads(temp *tempDir) *threads {
	return &threads{
		tickets: spool{temp: temp, what: "tickets"}, members: spool{temp: temp, what: "members"},
		keys: spool{temp: temp, what: "keys"}, byKey: spool{temp: temp, what: "hashed-keys"},
	}
}

func (th *threads) close() {
	th.tickets.close()
	th.members.close()
	th.keys.close()
	th.byKey.close()
}

// collect makes tickets of the joined mails.
func (t *threader) collect(ctx context.Context) (*threads, error) {
	th := newThreads(t.x.temp)
	mails, tickets, hashes := newSorter(t.x.temp, "mails"), newSorter(t.x.temp, "sorted-tickets"), newSorter(t.x.temp, "sorted-keys")
	defer mails.close()
	defer tickets.close()
	defer hashes.close()
	err := t.sortMails(ctx, mails)
	if err == nil {
		c := gatherer{t: t, th: th, tickets: tickets}
		err = c.all(ctx, mails)
	}
	mails.close()
	if err == nil {
		err = th.order(ctx, tickets, hashes)
	}
	if err == nil {
		err = hashes.each(ctx, th.byKey.write)
	}
	if err == nil {
		err = th.byKey.flush()
	}
	if err != nil {
		th.close()
		return nil, err
	}
	return th, nil
}

// sortMails sorts the mails that stand for their copies by thread and age, each with the first and the number of those.
func (t *threader) sortMails(ctx context.Context, to *sorter) error {
	copies := newSorter(t.x.temp, "copies")
	defer copies.close()
	var item []byte
	for i := range uint32(t.x.n) {
		if t.isRep(i) {
			continue
		}
		item = binary.BigEndian.AppendUint32(item[:0], t.rep(i))
		if err := copies.add(binary.BigEndian.AppendUint32(item, i)); err != nil {
			return err
		}
	}
	if err := copies.finish(); err != nil {
		return err
	}
	at, err := copies.cursor()
	if err != nil {
		return err
	}
	err = t.x.each(ctx, func(i uint32, r *record) error {
		if !t.isRep(i) {
			return nil
		}
		first, n := uint32(0), uint32(0)
		for at.item != nil && be32(at.item) == i {
			if n++; n == 1 {
				first = last32(at.item)
			}
			if err := at.next(); err != nil {
				return err
			}
		}
		item = r.appendAge(binary.BigEndian.AppendUint32(item[:0], t.find(i)))
		item = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(item, first), n)
		return to.add(binary.BigEndian.AppendUint32(item, i))
	})
	if err != nil {
		return err
	}
	return to.finish()
}

// A gatherer makes tickets of the mails in the order of thread and age.
type gatherer struct {
	t       *threader
	th      *threads
	tickets *sorter
	at      ticket
	thread  uint32 // root of the union-find
	known   rootRank
	members uint32
	item    []byte
}

// A rootRank says how good a mail is as the root of its ticket. The key of a ticket is Gmail's thread id where there is
// one, else that of its root: of the mails that answer none of the input (of all, when each does: a circle) the oldest.
type rootRank int

const (
	noRoot rootRank = iota
	boundRoot
	freeRoot
	gmailRoot // others may have come to the thread
)

func (t *threader) rank(i uint32) rootRank {
	switch {
	case t.gmail.has(i):
		return gmailRoot
	case t.bound.has(i):
		return boundRoot
	}
	return freeRoot
}

// all takes the mails in the order of sortMails.
func (g *gatherer) all(ctx context.Context, mails *sorter) error {
	err := mails.each(ctx, func(item []byte) error {
		if thread := be32(item); g.at.n == 0 || thread != g.thread {
			if err := g.end(); err != nil {
				return err
			}
			g.thread, g.known = thread, noRoot
			g.at = ticket{created: noDate, last: noDate, start: g.members}
		}
		return g.mail(item)
	})
	if err == nil {
		err = g.end()
	}
	if err == nil {
		err = g.th.members.flush()
	}
	if err == nil {
		err = g.tickets.finish()
	}
	return err
}

func (g *gatherer) mail(item []byte) error {
	i := last32(item)
	if d := dateOf(be64(item[4:])); d != noDate {
		if g.at.created == noDate {
			g.at.created = d
		}
		g.at.last = d
	}
	if rank := g.t.rank(i); rank > g.known {
		g.at.root, g.known = i, rank
	}
	g.at.n++
	g.members++
	copies := item[4+ageBytes:]
	m := member{i: i, second: g.t.second.has(i), first: be32(copies), copies: be32(copies[4:])}
	return g.th.members.write(m.encode())
}

func (m *member) encode() []byte {
	b := make([]byte, memberBytes)
	binary.BigEndian.PutUint32(b, m.i)
	binary.BigEndian.PutUint32(b[4:], m.first)
	binary.BigEndian.PutUint32(b[8:], m.copies)
	if m.second {
		b[12] = 1
	}
	return b
}

func decodeMember(b []byte) member {
	return member{i: be32(b), first: be32(b[4:]), copies: be32(b[8:]), second: b[12] != 0}
}

// end enters a ticket with its key: sorted by (created, key), unknown dates first.
func (g *gatherer) end() error {
	if g.at.n == 0 {
		return nil
	}
	r, err := g.t.x.at(g.at.root)
	if err != nil {
		return err
	}
	var key []byte
	if g.known == gmailRoot {
		key = strconv.AppendUint([]byte("gmail:"), r.gmail, 10)
	} else {
		id, err := g.t.x.ids.read(nil, r.idAt)
		if err != nil {
			return err
		}
		key = appendKey(nil, id, &r, !g.t.second.has(g.at.root))
	}
	g.item = binary.BigEndian.AppendUint64(g.item[:0], uint64(g.at.created)^1<<63)
	g.item = appendEscaped(g.item, key)
	g.item = binary.BigEndian.AppendUint64(g.item, uint64(g.at.last))
	g.item = binary.BigEndian.AppendUint32(g.item, g.at.start)
	g.item = binary.BigEndian.AppendUint32(g.item, g.at.n)
	return g.tickets.add(binary.BigEndian.AppendUint32(g.item, g.at.root))
}

// appendEscaped appends a text that something may follow, so that the whole sorts by the text first: its end is 0 1, and a
// 0 of its own 0 255.
func appendEscaped(dst, text []byte) []byte {
	for _, c := range text {
		if dst = append(dst, c); c == 0 {
			dst = append(dst, 255)
		}
	}
	return append(dst, 0, 1)
}

// cutEscaped is the opposite: it appends the text to dst and returns what follows.
func cutEscaped(dst, b []byte) (text, rest []byte) {
	for {
		i := bytes.IndexByte(b, 0)
		if i < 0 || i+1 == len(b) {
			return append(dst, b...), nil
		}
		dst = append(dst, b[:i]...)
		if b[i+1] == 1 {
			return dst, b[i+2:]
		}
		dst, b = append(dst, 0), b[i+2:]
	}
}

// order writes the tickets and their keys in their order, and sorts the hashes of the keys.
func (th *threads) order(ctx context.Context, tickets, hashes *sorter) error {
	var key []byte
	err := tickets.each(ctx, func(item []byte) error {
		var rest []byte
		key, rest = cutEscaped(key[:0], item[8:])
		tk := ticket{
			created: int64(be64(item) ^ 1<<63), last: int64(be64(rest)), start: be32(rest[8:]), n: be32(rest[12:]), root: be32(rest[16:]),
			key: th.keys.size, keyLen: uint16(len(key)),
		}
		hash := binary.BigEndian.AppendUint64(make([]byte, 0, byKeyBytes), idHash(string(key)))
		if err := hashes.add(binary.BigEndian.AppendUint32(hash, uint32(th.n))); err != nil {
			return err
		}
		th.n++
		if err := th.keys.write(key); err != nil {
			return err
		}
		return th.tickets.write(tk.encode())
	})
	if err == nil {
		err = th.keys.flush()
	}
	if err == nil {
		err = th.tickets.flush()
	}
	if err == nil {
		err = hashes.finish()
	}
	return err
}

func (tk *ticket) encode() []byte {
	b := make([]byte, ticketBytes, ticketBytes+2)
	binary.BigEndian.PutUint64(b, uint64(tk.created))
	binary.BigEndian.PutUint64(b[8:], uint64(tk.last))
	binary.BigEndian.PutUint32(b[16:], tk.start)
	binary.BigEndian.PutUint32(b[20:], tk.n)
	binary.BigEndian.PutUint32(b[24:], tk.root)
	binary.BigEndian.PutUint64(b[28:], uint64(tk.key)<<16|uint64(tk.keyLen))
	return b
}

// ticket reads ticket i.
func (th *threads) ticket(i int) (tk ticket, err error) {
	var b [ticketBytes]byte
	if err := th.tickets.readAt(b[:], int64(i)*ticketBytes); err != nil {
		return tk, th.fail(err)
	}
	key := be64(b[28:])
	return ticket{
		created: int64(be64(b[:])), last: int64(be64(b[8:])), start: be32(b[16:]), n: be32(b[20:]), root: be32(b[24:]),
		key: int64(key >> 16), keyLen: uint16(key & math.MaxUint16),
	}, nil
}

// key reads the key of a ticket.
func (th *threads) key(tk *ticket) ([]byte, error) {
	key := make([]byte, tk.keyLen)
	if err := th.keys.readAt(key, tk.key); err != nil {
		return nil, th.fail(err)
	}
	return key, nil
}

// membersOf reads the mails of a ticket.
func (th *threads) membersOf(tk *ticket) ([]member, error) {
	raw := make([]byte, int(tk.n)*memberBytes)
	if err := th.members.readAt(raw, int64(tk.start)*memberBytes); err != nil {
		return nil, th.fail(err)
	}
	out := make([]member, tk.n)
	for k := range out {
		out[k] = decodeMember(raw[k*memberBytes:])
	}
	return out, nil
}

// find is the place of a key.
func (th *threads) find(k sources.Key) (int, bool) {
	h := idHash(string(k))
	var row [byKeyBytes]byte
	read := func(i int) bool {
		err := th.byKey.readAt(row[:], int64(i)*byKeyBytes)
		if err != nil {
			_ = th.fail(err)
		}
		return err == nil
	}
	for i := sort.Search(th.n, func(i int) bool { return read(i) && be64(row[:]) >= h }); i < th.n; i++ {
		if !read(i) || be64(row[:]) != h {
			break
		}
		at := int(last32(row[:]))
		tk, err := th.ticket(at)
		if err != nil {
			break
		}
		if key, err := th.key(&tk); err == nil && string(key) == string(k) {
			return at, true
		}
	}
	return 0, false
}

// fail remembers what reading the tables has failed with: those who ask for an entry get no error, so whoever reads a
// ticket afterwards does.
func (th *threads) fail(err error) error {
	th.failed.CompareAndSwap(nil, &err)
	return err
}

func (th *threads) err() error {
	if p := th.failed.Load(); p != nil {
		return *p
	}
	return nil
}

// appendKey appends the identity of a mail: "mid:" and its Message-ID, followed by "#" and its digest when it shares the
// id with an older, different mail, so that a mail which comes later under the same id does not change the key of one
// that was already sent; "sha:" and its digest when it has no id. An id that holds a "#" itself is always followed by the
// digest, so that nobody can write an id that is another mail's key.
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
