package mboxfile

import (
	"bytes"
	"cmp"
	"context"
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

// nearCopies merges copies that a mailing list or a gateway has changed on their road: the same Message-ID, date and
// sender, the same attachments, and the same text but for a footer behind a line of dashes or underscores and what
// comparable leaves out. The shortest text stands for them. Such pairs are few, so they are read again.
func (s *Source) nearCopies(ctx context.Context, rep []uint32) (merged int, err error) {
	x := s.index
	slots := x.sharingID(rep)
	for len(slots) > 0 {
		n := 1
		for n < len(slots) && slots[n].hash == slots[0].hash {
			n++
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		m, err := s.mergeNear(slots[:n], rep)
		if err != nil {
			return 0, err
		}
		merged += m
		slots = slots[n:]
	}
	for i := range rep {
		rep[i] = rep[rep[i]]
	}
	return merged, nil
}

// sharingID lists the different mails whose Message-ID another one has, in the order of id, date and sender.
func (x *index) sharingID(rep []uint32) []slot {
	var slots []slot
	seen := newIDTable(x.n)
	for i := range uint32(x.n) {
		id := x.at(int(i)).id
		if id == 0 || rep[i] != i {
			continue
		}
		first, ok := seen.get(id)
		if !ok {
			seen.put(id, i)
			continue
		}
		if first != taken {
			slots = append(slots, slot{id, first})
			seen.put(id, taken)
		}
		slots = append(slots, slot{id, i})
	}
	slices.SortFunc(slots, func(a, b slot) int {
		p, q := x.at(int(a.i)), x.at(int(b.i))
		return cmp.Or(cmp.Compare(a.hash, b.hash), compareDates(p.date, q.date), cmp.Compare(p.sender, q.sender),
			bytes.Compare(p.digest[:], q.digest[:]))
	})
	return slots
}

// taken marks an id in a table whose first mail is listed already.
const taken = ^uint32(0)

// mergeNear compares the mails of one Message-ID.
func (s *Source) mergeNear(group []slot, rep []uint32) (merged int, err error) {
	r := reader{s: s}
	defer r.close()
	for len(group) > 0 {
		first := s.index.at(int(group[0].i))
		n := 1
		for n < len(group) && s.index.sameHand(first, s.index.at(int(group[n].i))) {
			n++
		}
		if n > 1 && n <= maxNear {
			texts := make([]nearText, 0, n)
			for _, g := range group[:n] {
				t, err := r.nearText(g.i)
				if err != nil {
					return 0, err
				}
				texts = append(texts, t)
			}
			merged += s.index.mergeTexts(texts, rep)
		}
		group = group[n:]
	}
	return merged, nil
}

// sameHand reports whether two mails have one date and one sender.
func (x *index) sameHand(a, b *record) bool {
	return a.date != noDate && a.date == b.date && a.sender == b.sender
}

// A nearText is what of a mail is compared.
type nearText struct {
	i      uint32
	text   string // as comparable makes it
	format sources.Format
	files  string // sums of the attachments, sorted
}

func (r *reader) nearText(i uint32) (nearText, error) {
	_, raw, err := r.raw(i)
	if err != nil {
		return nearText{}, err
	}
	msg, _ := mail.Read(prepare(raw, r.s.index.files[r.at].quoting), nil, mail.Options{})
	t := nearText{i: i, text: comparable(msg.Body), format: msg.Format}
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
func (x *index) mergeTexts(texts []nearText, rep []uint32) (merged int) {
	slices.SortFunc(texts, func(a, b nearText) int {
		p, q := x.at(int(a.i)), x.at(int(b.i))
		return cmp.Or(cmp.Compare(len(a.text), len(b.text)), cmp.Compare(a.text, b.text), bytes.Compare(p.digest[:], q.digest[:]))
	})
	for k, t := range texts {
		for _, first := range texts[:k] {
			if rep[first.i] == first.i && first.standsFor(t) {
				x.merge([]slot{{i: first.i}, {i: t.i}}, rep)
				merged++
				break
			}
		}
	}
	return merged
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
