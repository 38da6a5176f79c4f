package mboxfile

import (
	"bytes"
	"context"
	"encoding/binary"
)

// A threader groups mails into tickets. It sees the whole input before it decides anything, and decides by what is in
// the mails alone, so that every order of the input gives the same tickets.
//
// The graph: a node for each mail (copies share one), an edge for each reference, and one between all mails that refer
// to a Message-ID which is not in the input, so that two answers to a missing mail meet.
//
//   - Gmail's thread id, where mails have one, decides for them alone: mails of two Gmail threads are never joined. A
//     group of mails without it that refers to such a thread, or is referred to from one, goes to it; to the oldest if
//     there are several.
//   - Different mails under one id that have one date, sender and subject too (a mail as two archives rendered it) are
//     one place of the thread. Any other id that different mails share is ambiguous: it joins neither its owners nor
//     those who answer it, but for an answer whose subject is that of one owner, which it then follows.
//   - A reference that is some sender's address ("In-Reply-To: <ann@example.org>") is no reference.
//
// What has to meet is sorted and read side by side (refs.go): in memory are only a number and a few bits a mail.
type threader struct {
	x      *index
	mode   string   // auto, gmail, references
	parent []uint32 // union-find over the records; of a copy, which is in no tree, the one that stands for it
	copied bitset   // it is a copy
	gmail  bitset   // Gmail's id decides for it
	bound  bitset   // it refers to a mail that is there
	owner  bitset   // it has its Message-ID for all places of the thread that share it
	second bitset   // an older mail has its Message-ID too
	crowd  *sorter  // the places of ambiguous ids, and the mails that answer such an id
	links  spool    // of groups to Gmail threads, see link
	plain  int      // mails without a Gmail thread
	shared sharedIDs
}

// sharedIDs counts Message-IDs that several mails have.
type sharedIDs struct {
	ids, mails, ambiguous int
	oldest                uint32 // of the mails
	record                record // of oldest
}

// newThreader prepares the threading of an index; rep and shared are from copies and sharingID. It takes rep for its own.
// The caller closes it.
func newThreader(ctx context.Context, x *index, rep []uint32, shared *sorter, mode string) (*threader, error) {
	t := &threader{
		x: x, mode: mode, parent: rep, copied: newBitset(x.n), bound: newBitset(x.n), owner: newBitset(x.n), second: newBitset(x.n),
		gmail: newBitset(x.n), crowd: newSorter(x.temp, "answers"), links: spool{temp: x.temp, what: "links"},
	}
	for i, r := range rep {
		if uint32(i) != r {
			t.copied.set(uint32(i))
		}
	}
	err := x.each(ctx, func(i uint32, r *record) error {
		switch {
		case !t.isRep(i):
		case mode != "references" && r.gmail != 0:
			t.gmail.set(i)
		default:
			t.plain++
		}
		return nil
	})
	if err == nil {
		err = t.separate(ctx, shared)
	}
	if err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *threader) close() {
	t.crowd.close()
	t.links.close()
}

// isRep reports whether a record stands for its copies; only such a one is in a tree of the union-find.
func (t *threader) isRep(i uint32) bool { return !t.copied.has(i) }

// rep is the record that stands for record i.
func (t *threader) rep(i uint32) uint32 {
	if t.copied.has(i) {
		return t.parent[i]
	}
	return i
}

// An idGroup is the mails of one Message-ID while they pass by, in the order of date, sender, subject and age.
type idGroup struct {
	id     uint64
	n      int
	first  uint32
	oldest uint32
	age    record // of oldest
	place  uint32 // the first mail of the last place
	at     record // of place
	places int
}

// separate tells, of the mails of each id, those that are one place of a thread from those that are not.
func (t *threader) separate(ctx context.Context, shared *sorter) error {
	var g idGroup
	err := shared.each(ctx, func(item []byte) error {
		i := last32(item)
		if !t.isRep(i) {
			return nil
		}
		if id := be64(item); id != g.id {
			t.settle(&g)
			g = idGroup{id: id}
		}
		return t.share(&g, i)
	})
	t.settle(&g)
	return err
}

// share takes one more mail of an id.
func (t *threader) share(g *idGroup, i uint32) error {
	r, err := t.x.at(i)
	if err != nil {
		return err
	}
	if g.n++; g.n == 1 {
		g.first, g.oldest, g.place, g.age, g.at, g.places = i, i, i, r, r, 1
		return nil
	}
	if r.older(&g.age) < 0 {
		t.second.set(g.oldest)
		g.oldest, g.age = i, r
	} else {
		t.second.set(i)
	}
	if t.samePlace(g.place, &g.at, i, &r) {
		t.union(g.place, i)
		return nil
	}
	if g.places == 1 {
		if err := t.addPlace(g); err != nil {
			return err
		}
	}
	g.places++
	g.place, g.at = i, r
	return t.addPlace(g)
}

// settle ends a group.
func (t *threader) settle(g *idGroup) {
	if g.n < 2 {
		return
	}
	s := &t.shared
	if s.ids == 0 || g.age.older(&s.record) < 0 {
		s.oldest, s.record = g.oldest, g.age
	}
	s.ids++
	s.mails += g.n
	if g.places > 1 {
		s.ambiguous++
	} else {
		t.owner.set(g.first)
	}
}

func (t *threader) samePlace(i uint32, p *record, k uint32, q *record) bool {
	return p.sameHand(q) && p.subject == q.subject && t.gmail.has(i) == t.gmail.has(k) && (!t.gmail.has(i) || p.gmail == q.gmail)
}

// join connects everything.
func (t *threader) join(ctx context.Context, owners *sorter) error {
	if t.mode != "references" {
		if err := t.joinGmail(ctx); err != nil {
			return err
		}
	}
	if t.mode == "gmail" || t.plain == 0 {
		return nil
	}
	if err := t.joinRefs(ctx, owners); err != nil {
		return err
	}
	if err := t.joinCrowd(ctx); err != nil {
		return err
	}
	return t.joinLinks(ctx)
}

// joinGmail joins the mails of each Gmail thread.
func (t *threader) joinGmail(ctx context.Context) error {
	if !t.x.gmail {
		return nil
	}
	threads := newSorter(t.x.temp, "gmail-threads")
	defer threads.close()
	var item []byte
	err := t.x.each(ctx, func(i uint32, r *record) error {
		if !t.gmail.has(i) {
			return nil
		}
		item = binary.BigEndian.AppendUint64(item[:0], r.gmail)
		return threads.add(binary.BigEndian.AppendUint32(item, i))
	})
	if err == nil {
		err = threads.finish()
	}
	if err != nil {
		return err
	}
	thread, first := uint64(0), uint32(0)
	return threads.each(ctx, func(item []byte) error {
		if g, i := be64(item), last32(item); g == thread {
			t.union(first, i)
		} else {
			thread, first = g, i
		}
		return nil
	})
}

// connect follows a reference of the mail i to the mail target.
func (t *threader) connect(i, target uint32) error {
	if target == i {
		return nil
	}
	t.bound.set(i)
	switch from, to := t.gmail.has(i), t.gmail.has(target); {
	case from && to:
		return nil
	case from:
		return t.link(target, i)
	case to:
		return t.link(i, target)
	}
	t.union(i, target)
	return nil
}

// link notes that the group of a mail without Gmail's id belongs to the thread of one with it.
func (t *threader) link(node, gmail uint32) error {
	return t.links.write(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, node), gmail))
}

// joinLinks brings each group without Gmail's id to the oldest Gmail thread that it is linked with.
func (t *threader) joinLinks(ctx context.Context) error {
	if t.links.size == 0 {
		return nil
	}
	heads, linked, groups := newSorter(t.x.temp, "gmail-heads"), newSorter(t.x.temp, "linked"), newSorter(t.x.temp, "linked-groups")
	defer heads.close()
	defer linked.close()
	defer groups.close()
	if err := t.sortHeads(ctx, heads); err != nil {
		return err
	}
	if err := t.sortLinks(linked); err != nil {
		return err
	}
	if err := meetHeads(ctx, heads, linked, groups); err != nil {
		return err
	}
	var last []byte
	return groups.each(ctx, func(item []byte) error {
		if !bytes.Equal(last, item[:4]) {
			last = append(last[:0], item[:4]...)
			t.union(be32(item), last32(item))
		}
		return nil
	})
}

// sortHeads sorts the mails with Gmail's id by thread and age.
func (t *threader) sortHeads(ctx context.Context, to *sorter) error {
	var item []byte
	err := t.x.each(ctx, func(i uint32, r *record) error {
		if !t.gmail.has(i) {
			return nil
		}
		item = r.appendAge(binary.BigEndian.AppendUint32(item[:0], t.find(i)))
		return to.add(binary.BigEndian.AppendUint32(item, i))
	})
	if err != nil {
		return err
	}
	return to.finish()
}

// sortLinks sorts the links by the roots of the threads and of the groups, as they stand now.
func (t *threader) sortLinks(to *sorter) error {
	if err := t.links.flush(); err != nil {
		return err
	}
	links := t.links.rows(8)
	for {
		l, err := links.next()
		if err != nil {
			return err
		}
		if l == nil {
			return to.finish()
		}
		item := binary.BigEndian.AppendUint32(nil, t.find(last32(l)))
		if err := to.add(binary.BigEndian.AppendUint32(item, t.find(be32(l)))); err != nil {
			return err
		}
	}
}

// meetHeads sorts what the links say by group, and then by the age of the thread's oldest mail.
func meetHeads(ctx context.Context, heads, linked, groups *sorter) error {
	head, err := heads.stream()
	if err != nil {
		return err
	}
	var oldest []byte // of the thread
	err = linked.each(ctx, func(item []byte) error {
		for oldest == nil || be32(oldest) < be32(item) {
			next, err := head.next()
			if err != nil || next == nil {
				return err
			}
			if oldest == nil || be32(next) != be32(oldest) {
				oldest = append(oldest[:0], next...)
			}
		}
		if be32(oldest) != be32(item) {
			return nil
		}
		return groups.add(append(binary.BigEndian.AppendUint32(nil, last32(item)), oldest[4:]...))
	})
	if err != nil {
		return err
	}
	return groups.finish()
}

// find is the root of a record's tree; it halves the path on its way.
func (t *threader) find(i uint32) uint32 {
	for t.parent[i] != i {
		t.parent[i] = t.parent[t.parent[i]]
		i = t.parent[i]
	}
	return i
}

// union joins two trees. The smaller number becomes the root.
func (t *threader) union(a, b uint32) {
	a, b = t.find(a), t.find(b)
	switch {
	case a < b:
		t.parent[b] = a
	case b < a:
		t.parent[a] = b
	}
}
