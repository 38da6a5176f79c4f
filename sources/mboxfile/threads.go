package mboxfile

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// A threader groups mails into tickets. It sees the whole input before it decides anything, and decides by what is in
// the mails alone, so that every order of the input gives the same tickets.
//
// The graph: a node for each mail (copies share one), and one for each Message-ID that is referred to but not in the
// input, so that two answers to a missing mail meet. An edge for each reference.
//
//   - Gmail's thread id, where mails have one, decides for them alone: mails of two Gmail threads are never joined. A
//     group of mails without it that refers to such a thread, or is referred to from one, goes to it; to the oldest if
//     there are several.
//   - Different mails under one id that have one date, sender and subject too (a mail as two archives rendered it) are
//     one place of the thread. Any other id that different mails share is ambiguous: it joins neither its owners nor
//     those who answer it, but for an answer whose subject is that of one owner, which it then follows.
//   - A reference that is some sender's address ("In-Reply-To: <ann@example.org>") is no reference.
type threader struct {
	x      *index
	rep    []uint32
	mode   string // auto, gmail, references
	owner  *idTable
	shared map[uint64][]uint32 // owners of ambiguous ids, oldest first, one for each (date, sender, subject)
	twins  map[uint64]uint32   // ids that several mails have: the oldest of them
	many   int                 // mails that have such an id
	parent []uint32            // union-find over mails (by record number) and missing ids (behind them)
	bound  []uint64            // one bit a record: it refers to a mail that is there
	links  []link
	plain  int // mails without a Gmail thread
}

// A link says that a group of mails without Gmail's id belongs to the thread of one with it.
type link struct{ node, gmail uint32 }

// newThreader prepares the threading of an index; rep is from copies.
func newThreader(x *index, rep []uint32, mode string) *threader {
	t := &threader{x: x, rep: rep, mode: mode, owner: newIDTable(x.n), shared: map[uint64][]uint32{}}
	t.parent = make([]uint32, x.n)
	t.bound = make([]uint64, x.n/64+1)
	for i := range t.parent {
		t.parent[i] = uint32(i)
	}
	for i := range x.n {
		if t.isRep(i) {
			t.own(uint32(i))
			if !t.hasGmail(uint32(i)) {
				t.plain++
			}
		}
	}
	t.separate()
	return t
}

// separate tells, of the mails of each id, those that are one place of a thread from those that are not.
func (t *threader) separate() {
	t.twins = make(map[uint64]uint32, len(t.shared))
	for id, owners := range t.shared {
		t.twins[id] = slices.MinFunc(owners, t.x.older)
		t.many += len(owners)
		slices.SortFunc(owners, t.x.byPlace)
		places := owners[:1]
		for _, o := range owners[1:] {
			if p := places[len(places)-1]; t.samePlace(p, o) {
				t.union(p, o)
				continue
			}
			places = append(places, o)
		}
		t.owner.put(id, owners[0])
		if t.shared[id] = places; len(places) == 1 {
			delete(t.shared, id)
		}
	}
}

// byPlace orders mails by date, and brings those of one sender and subject together.
func (x *index) byPlace(a, b uint32) int {
	p, q := x.at(int(a)), x.at(int(b))
	return cmp.Or(compareDates(p.date, q.date), cmp.Compare(p.sender, q.sender), cmp.Compare(p.subject, q.subject), x.older(a, b))
}

func (t *threader) samePlace(a, b uint32) bool {
	p, q := t.x.at(int(a)), t.x.at(int(b))
	return t.x.sameHand(p, q) && p.subject == q.subject && t.hasGmail(a) == t.hasGmail(b) && (!t.hasGmail(a) || p.gmail == q.gmail)
}

func (t *threader) isRep(i int) bool { return t.rep[i] == uint32(i) }

// hasGmail reports whether Gmail's id decides for a mail.
func (t *threader) hasGmail(i uint32) bool {
	return t.mode != "references" && t.x.at(int(i)).gmail != 0
}

// own notes which mail a Message-ID names.
func (t *threader) own(i uint32) {
	id := t.x.at(int(i)).id
	if id == 0 {
		return
	}
	other, taken := t.owner.get(id)
	switch {
	case !taken:
		t.owner.put(id, i)
	case t.shared[id] == nil:
		t.shared[id] = []uint32{other, i}
	default:
		t.shared[id] = append(t.shared[id], i)
	}
}

// join connects everything.
func (t *threader) join() error {
	if t.mode != "references" {
		t.joinGmail()
	}
	if t.mode == "gmail" || t.plain == 0 {
		return nil
	}
	people := t.senders()
	refs, err := t.x.refs.reader()
	if err != nil {
		return err
	}
	var hash [8]byte
	for i := range t.x.n {
		for range t.x.at(i).nrefs {
			if _, err := io.ReadFull(refs, hash[:]); err != nil {
				return fmt.Errorf("read the references of the mails again: %w", err)
			}
			t.refer(t.rep[i], be64(hash[:]), people)
		}
	}
	t.joinLinks()
	return nil
}

// joinGmail joins the mails of each Gmail thread.
func (t *threader) joinGmail() {
	first := newIDTable(64)
	for i := range t.x.n {
		g := t.x.at(i).gmail
		if g == 0 || !t.isRep(i) {
			continue
		}
		if other, ok := first.get(spread(g)); ok {
			t.union(other, uint32(i))
		} else {
			first.put(spread(g), uint32(i))
		}
	}
}

// senders are the addresses of all authors, as hashes.
func (t *threader) senders() *idTable {
	people := newIDTable(64)
	for i := range t.x.n {
		if h := t.x.at(i).sender; h != 0 {
			people.put(h, 0)
		}
	}
	return people
}

// refer follows one reference of the mail i.
func (t *threader) refer(i uint32, id uint64, people *idTable) {
	target, known := t.owner.get(id)
	switch {
	case known && t.shared[id] != nil:
		if target, known = t.among(i, t.shared[id]); !known {
			return
		}
	case !known:
		if _, address := people.get(id); address {
			return
		}
		target = uint32(len(t.parent))
		t.parent = append(t.parent, target)
		t.owner.put(id, target)
	}
	if target == i {
		return
	}
	missing := int(target) >= t.x.n
	if !missing {
		t.bound[i/64] |= 1 << (i % 64)
	}
	switch from, to := t.hasGmail(i), !missing && t.hasGmail(target); {
	case from && to:
	case from:
		t.links = append(t.links, link{node: target, gmail: i})
	case to:
		t.links = append(t.links, link{node: i, gmail: target})
	default:
		t.union(i, target)
	}
}

// among picks the mail that i answers from those that share an id: of the same subject, the latest that is not younger
// than i.
func (t *threader) among(i uint32, owners []uint32) (uint32, bool) {
	r := t.x.at(int(i))
	found, ok := uint32(0), false
	for _, o := range owners { // oldest first
		p := t.x.at(int(o))
		if o == i || p.subject != r.subject || p.subject == 0 {
			continue
		}
		if ok && compareDates(p.date, r.date) > 0 {
			break
		}
		found, ok = o, true
	}
	return found, ok
}

// joinLinks brings each group without Gmail's id to the oldest Gmail thread that it is linked with.
func (t *threader) joinLinks() {
	if len(t.links) == 0 {
		return
	}
	start := map[uint32]uint32{} // root of a Gmail thread: its oldest mail
	for i := range uint32(t.x.n) {
		if t.isRep(int(i)) && t.hasGmail(i) {
			root := t.find(i)
			if old, ok := start[root]; !ok || t.x.older(i, old) < 0 {
				start[root] = i
			}
		}
	}
	best := map[uint32]uint32{} // root of a group: the oldest mail of its thread
	for _, l := range t.links {
		group, thread := t.find(l.node), start[t.find(l.gmail)]
		if old, ok := best[group]; !ok || t.x.older(thread, old) < 0 {
			best[group] = thread
		}
	}
	for group, thread := range best {
		t.union(group, thread)
	}
	t.links = nil
}

// find is the root of a node's tree; it halves the path on its way.
func (t *threader) find(i uint32) uint32 {
	for t.parent[i] != i {
		t.parent[i] = t.parent[t.parent[i]]
		i = t.parent[i]
	}
	return i
}

// union joins two trees. The smaller number becomes the root, so that roots are mails, not missing ids.
func (t *threader) union(a, b uint32) {
	a, b = t.find(a), t.find(b)
	switch {
	case a < b:
		t.parent[b] = a
	case b < a:
		t.parent[a] = b
	}
}

// isBound reports whether a mail refers to another one of the input.
func (t *threader) isBound(i uint32) bool { return t.bound[i/64]&(1<<(i%64)) != 0 }
