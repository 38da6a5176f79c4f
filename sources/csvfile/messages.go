package csvfile

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"hsimport/sources"
)

// messages fills in the ticket's messages.
func (b *builder) messages() {
	for i, row := range b.rows {
		b.v.f, b.v.rec = row.f, row.rec
		b.w.f, b.w.rec = row.f, row.rec
		batch := row.f.no
		switch {
		case row.inner:
			batch = len(b.s.files) + row.unit // as much a repetition as its ticket's row is
		case row.f.b.shape == ticketRows:
			batch = len(b.s.files) + i
		}
		if row.f.b.shape != ticketRows && b.v.dropped() != "" {
			continue
		}
		nth := 0
		b.v.pieces(nil, func(p piece) {
			nth++
			until := b.s.opts.Until
			if !until.IsZero() && !p.at.t.IsZero() && !p.at.t.Before(until) {
				return
			}
			m := b.message(p)
			d := b.draft()
			*d = draft{m: m, role: p.role, nth: nth, batch: batch, place: len(b.msgs), side: b.side(m, p.role)}
			b.msgs = append(b.msgs, d)
		})
	}
	b.dropRepeated()
	b.describe()
	b.dropDescription()
	b.knowRequester()
	b.sort()
	b.name()
	b.t.Messages = slices.Grow(b.t.Messages, len(b.msgs))
	for i, d := range b.msgs {
		d.m.Ordinal = i
		b.t.Messages = append(b.t.Messages, d.m)
	}
}

// message makes the message of a piece of the row that w looks at.
func (b *builder) message(p piece) *sources.Message {
	if len(b.slab) == 0 {
		b.slab = make([]sources.Message, min(max(len(b.rows), 1), 64)) // of one ticket: it keeps them together
	}
	m := &b.slab[0]
	b.slab = b.slab[1:]
	b.w.message(b.s, m, p, b.t.Requester, b.light)
	m.Digest = b.digestOf(m)
	return m
}

// draft is one that no message of the ticket uses.
func (b *builder) draft() *draft {
	if b.drafted == len(b.drafts) {
		b.drafts = append(b.drafts, new(draft))
	}
	b.drafted++
	return b.drafts[b.drafted-1]
}

// describe makes a message of the description that the rows of a ticket's messages repeat: the oldest one.
func (b *builder) describe() {
	i := slices.IndexFunc(b.facts, func(f *ticketFacts) bool { return f.text[description] != "" && f.shape == messageRows })
	if i < 0 {
		return
	}
	row := b.facts[i].row
	b.v.f, b.v.rec, b.w.f, b.w.rec = row.f, row.rec, row.f, row.rec
	p := piece{role: description, at: b.facts[i].created, text: b.v.bytes(description)}
	b.tally.described++
	if until := b.s.opts.Until; !until.IsZero() && !p.at.t.IsZero() && !p.at.t.Before(until) {
		b.tally.excluded++
		return
	}
	d := b.draft()
	*d = draft{m: b.message(p), role: description, place: -1, side: description.String()}
	b.msgs = slices.Insert(b.msgs, 0, d)
}

// knowRequester takes what the ticket itself does not say of its requester from a message with the requester's id, and
// the other way round: of one id, all is known that is said anywhere.
func (b *builder) knowRequester() {
	r := &b.t.Requester
	if r.ID == "" {
		return
	}
	for _, d := range b.msgs {
		if a := d.m.Author; r.Email == "" && a.ID == r.ID && a.Email != "" {
			r.Email, r.Name = a.Email, cmp.Or(r.Name, a.Name)
		}
	}
	for _, d := range b.msgs {
		if a := &d.m.Author; a.ID == r.ID && a.Email == "" {
			a.Email, a.Name = r.Email, cmp.Or(a.Name, r.Name)
		}
	}
}

// side is whose message it is, as far as the source itself says: part of the slot of a message without an id.
func (b *builder) side(m *sources.Message, r role) string {
	switch {
	case r == description || r == answer || r == comments:
		return r.String()
	case m.Private:
		return "private"
	case m.Kind != "":
		return strings.ToLower(m.Kind)
	case !m.Author.IsZero() && !b.t.Requester.IsZero() && samePerson(m.Author, b.t.Requester):
		return "requester"
	}
	return "other"
}

// digestOf is a hex SHA-256 of what the message says: author, time, text and the names of its files.
func (b *builder) digestOf(m *sources.Message) string {
	out := b.scratch[:0]
	part := func(s string) {
		out = append(strconv.AppendInt(out, int64(len(s)), 10), ':')
		out = append(out, s...)
	}
	for _, s := range [...]string{m.ID, m.Author.ID, m.Author.Name, m.Author.Email, m.Kind, m.Channel} {
		part(s)
	}
	out = strconv.AppendBool(out, m.Private)
	out = appendStamp(strconv.AppendInt(out, int64(m.Format), 10), m.CreatedAt)
	part(m.Body)
	for _, p := range m.Cc {
		part(p.Name)
		part(p.Email)
	}
	for _, a := range m.Attachments {
		// Not by what fetching finds out later: then the message would seem to be edited.
		part(cmp.Or(a.Location, a.Name))
	}
	b.scratch = out
	sum := sha256.Sum256(out)
	var text [2 * sha256.Size]byte
	hex.Encode(text[:], sum[:])
	return string(text[:])
}

// dropRepeated leaves out further copies of a message. With an id, an equal copy anywhere is a duplicate. Without one,
// equal messages of one batch are several messages, and a batch repeats those of another.
func (b *builder) dropRepeated() {
	if len(b.msgs) < 2 || !b.alike() {
		return
	}
	kept := b.msgs[:0]
	for _, d := range b.msgs {
		if d.m.ID == "" {
			d.copy = b.copies[copyKey{d.m.Digest, d.batch}]
			b.countCopy(copyKey{d.m.Digest, d.batch})
		}
		// Batch -1 counts the copies that are kept.
		if d.copy < b.copies[copyKey{d.m.Digest, -1}] {
			b.drop(d)
			continue
		}
		b.countCopy(copyKey{d.m.Digest, -1})
		kept = append(kept, d)
	}
	b.msgs = kept
}

// alike reports whether two messages may be copies of each other; a ticket of few messages needs no table for that.
func (b *builder) alike() bool {
	if len(b.msgs) > 16 {
		return true
	}
	for i, d := range b.msgs {
		for _, e := range b.msgs[:i] {
			if d.m.Digest == e.m.Digest {
				return true
			}
		}
	}
	return false
}

// copyKey is a message's content within one batch.
type copyKey struct {
	digest string
	batch  int
}

func (b *builder) countCopy(k copyKey) {
	if b.copies == nil {
		b.copies = make(map[copyKey]int, 2*len(b.msgs))
	}
	b.copies[k]++
}

func (b *builder) drop(d *draft) {
	b.tally.duplicates++
	for _, a := range d.m.Attachments {
		b.tally.attach.Found++
		if a.Missing != "" {
			b.tally.attach.Missing++
		}
		b.tally.attach.Bytes += a.Size
	}
}

// dropDescription recognises the first message that repeats the ticket's description, and keeps the message: it has an
// id, and its markup. What only the description knows goes over to it.
func (b *builder) dropDescription() {
	at := slices.IndexFunc(b.msgs, func(d *draft) bool { return d.role == description })
	if at < 0 {
		return
	}
	desc := b.msgs[at]
	var first *draft
	for _, d := range b.msgs {
		if d.role != description && d.role != answer && (first == nil || b.before(d, first)) {
			first = d
		}
	}
	if first == nil {
		return
	}
	same, exact := repeatsText(desc.m, first.m)
	if !same {
		if b.s.layout != Joined || !sameEvent(desc.m, first.m) {
			return
		}
		b.t.Problems = append(b.t.Problems, sources.Problem{
			Severity: sources.Warning, Code: "description-replaced", Position: desc.m.Position,
			Text: fmt.Sprintf("the first message has the description's author and second: it is kept, and the description's own wording is left out: %q", shorten(desc.m.Body, 300)),
		})
	} else if !exact {
		b.t.Problems = append(b.t.Problems, sources.Problem{
			Severity: sources.Info, Code: "description-differs", Position: desc.m.Position,
			Text: "the first message repeats the description, though not to the letter; the message is kept",
		})
	}
	b.takeOver(first.m, desc.m)
	b.drop(desc)
	b.msgs = slices.Delete(b.msgs, at, at+1)
}

// takeOver gives first what only the description knows; the attachments that both have stay with the description.
func (b *builder) takeOver(first, desc *sources.Message) {
	if first.CreatedAt.IsZero() && !desc.CreatedAt.IsZero() {
		first.CreatedAt = desc.CreatedAt
		first.Problems = slices.DeleteFunc(first.Problems, func(p sources.Problem) bool { return p.Code == "no-date" })
	}
	if first.Author.IsZero() {
		first.Author = desc.Author
	}
	var again []*sources.Attachment
	for _, a := range desc.Attachments {
		if slices.ContainsFunc(first.Attachments, func(o *sources.Attachment) bool {
			return o.Location == a.Location && a.Location != ""
		}) {
			again = append(again, a)
			continue
		}
		first.Attachments = append(first.Attachments, a)
	}
	desc.Attachments = again
	first.Digest = b.digestOf(first)
}

// sameEvent reports whether two messages are one event told twice: the same author in the same second. Desks that keep
// the first message as a comment word the description of a call or a form anew.
func sameEvent(a, b *sources.Message) bool {
	if a.CreatedAt.IsZero() || b.CreatedAt.IsZero() || a.CreatedAt.Sub(b.CreatedAt).Abs() > time.Second {
		return false
	}
	return a.Author.ID != "" && a.Author.ID == b.Author.ID || a.Author.Email != "" && strings.EqualFold(a.Author.Email, b.Author.Email)
}

// repeatsText reports whether message m repeats the description: its text is the same, or holds it, or, when both are of
// one moment, has four in five of its words (a desk renders a call or a signature in two ways). exact says that nothing
// of the description is missing in m.
func repeatsText(desc, m *sources.Message) (same, exact bool) {
	x, y := essence(desc.Body), essence(m.Body)
	if x == "" || y == "" {
		// Signs alone, such as an emoji.
		same := strings.Join(strings.Fields(plainText(desc.Body)), " ") == strings.Join(strings.Fields(plainText(m.Body)), " ")
		return same, same
	}
	if x == y {
		return true, true
	}
	gap := m.CreatedAt.Sub(desc.CreatedAt).Abs()
	moment := gap <= 5*time.Second && !m.CreatedAt.IsZero() && !desc.CreatedAt.IsZero()
	if strings.Contains(y, x) && (moment || len(x) >= 40) {
		return true, true
	}
	if !moment {
		return false, false
	}
	words, found := 0, 0
	in := wordSet(m.Body)
	for w := range wordSet(desc.Body) {
		words++
		if in[w] {
			found++
		}
	}
	return 5*found >= 4*words, false
}

// wordSet is the words of a body, without tags and case.
func wordSet(body string) map[string]bool {
	words := map[string]bool{}
	for w := range strings.FieldsFuncSeq(plainText(body), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		words[strings.ToLower(w)] = true
	}
	return words
}

// before says which of two comments comes first; without times, the place says.
func (b *builder) before(x, y *draft) bool {
	if x.m.CreatedAt.IsZero() || y.m.CreatedAt.IsZero() || x.m.CreatedAt.Equal(y.m.CreatedAt) {
		return x.place < y.place
	}
	return x.m.CreatedAt.Before(y.m.CreatedAt)
}

// sort puts the messages in order: by time, then by what the source says, never by the place in the file. A message
// without a time follows the one that stands before it.
func (b *builder) sort() {
	for i, d := range b.msgs {
		d.eff = d.m.CreatedAt
		if d.eff.IsZero() && i > 0 {
			d.eff = b.msgs[i-1].eff
		}
	}
	slices.SortStableFunc(b.msgs, func(x, y *draft) int {
		if c := x.eff.Compare(y.eff); c != 0 {
			return c
		}
		xz, yz := x.m.CreatedAt.IsZero(), y.m.CreatedAt.IsZero()
		switch {
		case xz && yz:
			return cmp.Compare(x.place, y.place)
		case xz:
			return 1
		case yz:
			return -1
		}
		return cmp.Or(
			cmp.Compare(sideOrder(x), sideOrder(y)), compareIDs(x.m.ID, y.m.ID), cmp.Compare(x.nth, y.nth),
			strings.Compare(x.side, y.side), strings.Compare(x.m.Digest, y.m.Digest), cmp.Compare(x.copy, y.copy),
		)
	})
}

// sideOrder puts the description before everything else of its second.
func sideOrder(d *draft) int {
	if d.role == description {
		return 0
	}
	return 1
}

// compareIDs compares numbers as numbers.
func compareIDs(a, b string) int {
	if len(a) != len(b) && allDigits(a) && allDigits(b) {
		return cmp.Compare(len(a), len(b))
	}
	return strings.Compare(a, b)
}

// name gives each message its key: its id, or its slot.
func (b *builder) name() {
	order := b.slotOrder()
	if b.stems == nil {
		b.stems = map[string]int{}
	}
	for _, d := range order {
		stem := b.stem(d)
		n := b.stems[stem]
		if len(order) > 1 {
			b.stems[stem]++
		}
		switch {
		case d.m.ID == "":
			stem += strconv.Itoa(n)
		case n > 0:
			stem += "#" + strconv.Itoa(n+1)
			d.m.Problems = append(d.m.Problems, sources.Problem{
				Severity: sources.Warning, Code: "message-id-repeated", Position: d.m.Position,
				Text: "another message of this ticket has the id " + quoteShort(d.m.ID) + " and another content; both are kept",
			})
		}
		d.m.Key = sources.Key(stem)
	}
}

// stem is what the key of a message begins with: its id, or its slot but for the number.
func (b *builder) stem(d *draft) string {
	out := append(append(b.scratch[:0], b.key...), '/')
	switch {
	case len(d.m.ID) > maxID:
		sum := sha256.Sum256([]byte(d.m.ID))
		out = hex.AppendEncode(append(out, digestPrefix...), sum[:12])
	case d.m.ID != "":
		out = append(out, d.m.ID...)
	default:
		out = append(append(out, d.side...), '@')
		out = append(appendStamp(out, d.m.CreatedAt), '#')
	}
	b.scratch = out
	return string(out)
}

// slotOrder is the order in which slots are numbered: by content alone, so that it survives re-sorting.
func (b *builder) slotOrder() []*draft {
	b.order = append(b.order[:0], b.msgs...)
	order := b.order
	if len(order) < 2 {
		return order
	}
	slices.SortStableFunc(order, func(x, y *draft) int {
		return cmp.Or(x.m.CreatedAt.Compare(y.m.CreatedAt), cmp.Compare(x.nth, y.nth),
			strings.Compare(x.m.Digest, y.m.Digest), cmp.Compare(x.copy, y.copy))
	})
	return order
}
