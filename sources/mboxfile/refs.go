package mboxfile

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
)

// joinRefs follows the references: sorted by the id they name, they are read beside the owners of ids and the addresses
// of all senders. owners is from sharingID.
func (t *threader) joinRefs(ctx context.Context, owners *sorter) error {
	refs, people := newSorter(t.x.temp, "sorted-references"), newSorter(t.x.temp, "senders")
	defer refs.close()
	defer people.close()
	if err := t.sortRefs(ctx, refs, people); err != nil {
		return err
	}
	named := named{t: t}
	var err error
	if named.owners, err = owners.cursor(); err != nil {
		return err
	}
	if named.people, err = people.cursor(); err != nil {
		return err
	}
	return refs.each(ctx, named.refer)
}

const (
	refPlain = 0 // a mail without Gmail's id refers; it comes before
	refGmail = 1 // one with it
)

// sortRefs sorts the references by id, and the senders' addresses, both as hashes.
func (t *threader) sortRefs(ctx context.Context, refs, people *sorter) error {
	in := t.x.refs.reader()
	var hash [8]byte
	var item []byte
	var recent [1 << 10]uint64 // senders who have just been entered
	err := t.x.each(ctx, func(i uint32, r *record) error {
		if r.sender != 0 && recent[r.sender%uint64(len(recent))] != r.sender {
			recent[r.sender%uint64(len(recent))] = r.sender
			item = binary.BigEndian.AppendUint64(item[:0], r.sender)
			if err := people.add(item); err != nil {
				return err
			}
		}
		from := t.rep(i)
		for range r.nrefs {
			if _, err := io.ReadFull(in, hash[:]); err != nil {
				return fmt.Errorf("read the references of the mails again: %w", err)
			}
			side := byte(refPlain)
			if t.gmail.has(from) {
				side = refGmail
			}
			item = append(append(item[:0], hash[:]...), side)
			if err := refs.add(binary.BigEndian.AppendUint32(item, from)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = refs.finish()
	}
	if err == nil {
		err = people.finish()
	}
	return err
}

// named is what one id in a reference names, while the references pass by in the order of ids.
type named struct {
	t              *threader
	owners, people *cursor
	id             uint64
	what           naming
	mail           uint32 // the only owner, or for a missing mail the first that refers to it
	met            bool   // mail is known
}

type naming int

const (
	namesMail    naming = iota // of the input
	namesMany                  // different mails of the input
	namesMissing               // none of the input
	namesPerson                // none: it is an address
)

// refer follows one reference.
func (n *named) refer(item []byte) error {
	if id := be64(item); id != n.id {
		if err := n.look(id); err != nil {
			return err
		}
	}
	t, i := n.t, last32(item)
	switch n.what {
	case namesMail:
		return t.connect(i, n.mail)
	case namesMany:
		return t.addAnswer(n.id, i)
	case namesPerson:
		return nil
	}
	// Two answers to a missing mail are joined with each other. Those without Gmail's id come first.
	gmail := item[8] == refGmail
	switch {
	case n.met && gmail:
		return t.link(n.mail, i)
	case n.met:
		t.union(n.mail, i)
	case !gmail:
		n.mail, n.met = i, true
	}
	return nil
}

// look finds out what an id names.
func (n *named) look(id uint64) error {
	n.id, n.what, n.met = id, namesMissing, false
	found, err := n.owners.seek(id)
	if err != nil {
		return err
	}
	if !found {
		if found, err = n.people.seek(id); found {
			n.what = namesPerson
		}
		return err
	}
	owners := 0
	whole := false // one of them has the id for all
	for n.owners.item != nil && be64(n.owners.item) == id {
		if i := last32(n.owners.item); n.t.isRep(i) {
			owners++
			if !whole {
				n.mail, whole = i, n.t.owner.has(i)
			}
		}
		if err := n.owners.next(); err != nil {
			return err
		}
	}
	if n.what = namesMail; owners > 1 && !whole {
		n.what = namesMany
	}
	return nil
}

// Kinds of what is in the crowd of an ambiguous id.
const (
	crowdPlace  = 0
	crowdAnswer = 1
)

// addPlace enters the last place of a group into the crowd of its id.
func (t *threader) addPlace(g *idGroup) error {
	return t.addCrowd(g.id, &g.at, crowdPlace, uint32(g.places), g.place)
}

// addAnswer enters a mail that answers an ambiguous id.
func (t *threader) addAnswer(id uint64, i uint32) error {
	r, err := t.x.at(i)
	if err != nil {
		return err
	}
	return t.addCrowd(id, &r, crowdAnswer, 0, i)
}

// addCrowd sorts by id, subject and date, a place before the answers of its second.
func (t *threader) addCrowd(id uint64, r *record, kind byte, seq, i uint32) error {
	if r.subject == 0 {
		return nil
	}
	item := binary.BigEndian.AppendUint64(make([]byte, 0, 40), id)
	item = binary.BigEndian.AppendUint64(item, r.subject)
	item = binary.BigEndian.AppendUint64(item, dateKey(r.date))
	item = binary.BigEndian.AppendUint32(append(item, kind), seq)
	return t.crowd.add(binary.BigEndian.AppendUint32(item, i))
}

// joinCrowd brings each answer to an ambiguous id to the mail that it answers: of those of its subject the latest that is
// not younger, or the first where all are.
func (t *threader) joinCrowd(ctx context.Context) error {
	if err := t.crowd.finish(); err != nil {
		return err
	}
	var id, subject uint64
	var target uint32
	var early []uint32 // answers before the first place
	met := false
	return t.crowd.each(ctx, func(item []byte) error {
		if a, b := be64(item), be64(item[8:]); a != id || b != subject {
			id, subject, met, early = a, b, false, early[:0]
		}
		i := last32(item)
		switch {
		case item[24] == crowdPlace:
			target, met = i, true
			for _, e := range early {
				if err := t.connect(e, target); err != nil {
					return err
				}
			}
			early = early[:0]
		case met:
			return t.connect(i, target)
		default:
			early = append(early, i)
		}
		return nil
	})
}
