package mboxfile

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"hsimport/sources"
	"hsimport/sources/mail"
)

// maxNear bounds how many different mails of one Message-ID, date and sender are compared with each other. Beyond it
// they stay different, which loses nothing.
const maxNear = 20

// footerBytes bounds what a mailing list may have added to a text.
const footerBytes = 4 << 10

// sharingID sorts the mails that stand for their copies: all with an id by it, into owners, and those whose id another
// one has by id, date, sender, subject and age, into shared. The caller closes both.
func (x *index) sharingID(ctx context.Context, rep []uint32) (owners, shared *sorter, err error) {
	owners, shared = newSorter(x.temp, "ids"), newSorter(x.temp, "shared-ids")
	var item []byte
	err = x.each(ctx, func(i uint32, r *record) error {
		if r.id == 0 || rep[i] != i {
			return nil
		}
		item = binary.BigEndian.AppendUint64(item[:0], r.id)
		return owners.add(binary.BigEndian.AppendUint32(item, i))
	})
	if err == nil {
		err = owners.finish()
	}
	if err != nil {
		return owners, shared, err
	}
	before, first, listed := uint64(0), uint32(0), false
	err = owners.each(ctx, func(item []byte) error {
		id, i := be64(item), last32(item)
		if id != before {
			before, first, listed = id, i, false
			return nil
		}
		if !listed {
			listed = true
			if err := x.addShared(shared, first); err != nil {
				return err
			}
		}
		return x.addShared(shared, i)
	})
	if err == nil {
		err = shared.finish()
	}
	return owners, shared, err
}

// handBytes is how much of what addShared sorts by tells of the id, the date and the sender.
const handBytes = 24

func (x *index) addShared(to *sorter, i uint32) error {
	r, err := x.at(i)
	if err != nil {
		return err
	}
	item := binary.BigEndian.AppendUint64(make([]byte, 0, 64), r.id)
	item = binary.BigEndian.AppendUint64(item, dateKey(r.date))
	item = binary.BigEndian.AppendUint64(item, r.sender)
	item = binary.BigEndian.AppendUint64(item, r.subject)
	return to.add(binary.BigEndian.AppendUint32(r.appendAge(item), i))
}

// nearCopies merges copies that a mailing list or a gateway has changed on their road: the same Message-ID, date and
// sender, the same attachments, and the same text but for a footer behind a line of dashes or underscores and what
// comparable leaves out. The shortest text stands for them. Such pairs are few, so they are read again.
func (s *Source) nearCopies(ctx context.Context, shared *sorter, rep []uint32) (merged int, err error) {
	var hand [handBytes]byte
	var group []uint32
	end := func() error {
		n, err := s.mergeNear(ctx, group, rep)
		merged += n
		group = group[:0]
		return err
	}
	err = shared.each(ctx, func(item []byte) error {
		if len(group) > 0 && !bytes.Equal(hand[:], item[:handBytes]) {
			if err := end(); err != nil {
				return err
			}
		}
		copy(hand[:], item)
		if dateOf(be64(item[8:])) != noDate && len(group) <= maxNear {
			group = append(group, last32(item))
		}
		return nil
	})
	if err == nil {
		err = end()
	}
	for i := range rep {
		rep[i] = rep[rep[i]]
	}
	return merged, err
}

// mergeNear compares the mails of one Message-ID, date and sender.
func (s *Source) mergeNear(ctx context.Context, group, rep []uint32) (merged int, err error) {
	if len(group) < 2 || len(group) > maxNear {
		return 0, nil
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	r := reader{s: s}
	defer r.close()
	texts := make([]nearText, 0, len(group))
	for _, i := range group {
		t, err := r.nearText(i)
		if err != nil {
			return 0, err
		}
		texts = append(texts, t)
	}
	return s.index.mergeTexts(texts, rep)
}

// sameHand reports whether two mails have one date and one sender.
func (r *record) sameHand(other *record) bool {
	return r.date != noDate && r.date == other.date && r.sender == other.sender
}

// A nearText is what of a mail is compared.
type nearText struct {
	i      uint32
	digest [16]byte
	text   string // as comparable makes it
	format sources.Format
	files  string // sums of the attachments, sorted
}

func (r *reader) nearText(i uint32) (nearText, error) {
	_, raw, err := r.raw(i)
	if err != nil {
		return nearText{}, err
	}
	rec, err := r.s.index.at(i)
	if err != nil {
		return nearText{}, err
	}
	msg, _ := mail.Read(prepare(raw, r.s.index.files[r.at].quoting), nil, mail.Options{})
	t := nearText{i: i, digest: rec.digest, text: comparable(msg.Body), format: msg.Format}
	var sums []string
	for _, a := range msg.Attachments {
		sums = append(sums, a.SHA256)
	}
	slices.Sort(sums)
	t.files = strings.Join(sums, " ")
	return t, nil
}

// scrubbed begins what a list archive (pipermail) writes in the place of an attachment: a few lines with its name, size
// and address, which differ from archive to archive.
const scrubbed = "-------------- next part --------------"

// comparable is a text without what differs between copies of it: the amount of white space, letters that one archive
// kept and another made question marks, and the lines about scrubbed attachments.
func comparable(text string) string {
	head, rest, _ := strings.Cut(text, scrubbed)
	for rest != "" {
		_, after, _ := strings.Cut(rest, "\n\n")
		var more string
		more, rest, _ = strings.Cut(after, scrubbed)
		head += "\n" + more
	}
	head = strings.Join(strings.Fields(head), " ")
	odd := 0
	ascii := strings.Map(func(r rune) rune {
		if r == '?' || r >= 0x80 {
			odd++
			return -1
		}
		return r
	}, head)
	if odd*10 > len(ascii) {
		return head // of another script: nothing would be left to compare
	}
	return strings.Join(strings.Fields(ascii), " ")
}

// mergeTexts lets the shortest of like texts stand for the others.
func (x *index) mergeTexts(texts []nearText, rep []uint32) (merged int, err error) {
	slices.SortFunc(texts, func(a, b nearText) int {
		return cmp.Or(cmp.Compare(len(a.text), len(b.text)), cmp.Compare(a.text, b.text), bytes.Compare(a.digest[:], b.digest[:]))
	})
	for k, t := range texts {
		for _, first := range texts[:k] {
			if rep[first.i] != first.i || !first.standsFor(t) {
				continue
			}
			m := merger{x: x, rep: rep, first: first.i}
			if err := m.take(t.i); err != nil {
				return merged, err
			}
			if err := m.end(); err != nil {
				return merged, err
			}
			merged++
			break
		}
	}
	return merged, nil
}

// standsFor reports whether other is t, perhaps with a footer.
func (t nearText) standsFor(other nearText) bool {
	if t.format != other.format || t.files != other.files || !strings.HasPrefix(other.text, t.text) {
		return false
	}
	rest := strings.TrimSpace(other.text[len(t.text):])
	if rest == "" {
		return true
	}
	return t.text != "" && t.format == sources.Text && len(rest) <= footerBytes &&
		(strings.HasPrefix(rest, "____") || strings.HasPrefix(rest, "----") || strings.HasPrefix(rest, "-- "))
}
