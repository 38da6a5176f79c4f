package mboxfile

import (
	"bytes"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"

	"hsimport/sources"
	"hsimport/sources/mail"
)

// castagnoli is the polynomial that processors compute themselves.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A finding is what one mail tells: its record, and what the index keeps elsewhere.
type finding struct {
	record  record
	place   place
	refs    []uint64
	id      string
	subject string
	labels  []string
	rule    string // why it is excluded; empty when it is not
}

// An analyst analyses one mail after the other and keeps its memory between them.
type analyst struct {
	dig  *digester
	head []byte
}

func newAnalyst() *analyst { return &analyst{dig: newDigester()} }

// analyse reads the header of a mail and makes its digest. It touches nothing that others see.
func (p *pass) analyse(a *analyst, fr *frame) finding {
	if fr.refuse != "" {
		return finding{}
	}
	raw := fr.raw[:min(len(fr.raw), maxHead)]
	own, _ := splitHead(raw)
	if lean, ok := leanHead(a.head[:0], own); ok {
		a.head, raw = lean, lean
	}
	head := mail.ParseHead(raw, p.mailOptions(fr))
	f := finding{subject: head.Subject}
	var expunged bool
	f.labels, expunged = p.labelsOf(head, own)
	if f.rule = p.exclusion(head, f.labels, expunged); f.rule != "" {
		return f
	}
	f.record = p.record(a, fr, head)
	f.place = place{off: fr.off, size: uint32(fr.size), file: p.file, check: crc32.Checksum(fr.raw, castagnoli), sep: separatorLength(fr)}
	f.refs = references(&f.record, head)
	if len(head.MessageID) <= maxKeyID {
		f.id = head.MessageID
	}
	return f
}

// leanHead copies a header without the recipients, which are dear to read and which the index does not need. A header
// with a damaged line is left as it is, and one whose author a mailing list replaced: who that is may depend on them.
func leanHead(dst, head []byte) ([]byte, bool) {
	ok := len(head) > 0
	for len(head) > 0 && ok {
		end := fieldEnd(head)
		field := head[:end]
		head = head[end:]
		colon := bytes.IndexByte(field, ':')
		switch {
		case isEmptyField(field):
		case colon < 1 || bytes.IndexByte(field[:colon], ' ') >= 0 || bytes.IndexByte(field[:colon], '\n') >= 0:
			ok = false
		case colon == 2 && (equalFold(field[:2], "to") || equalFold(field[:2], "cc")), colon == 3 && equalFold(field[:3], "bcc"):
			continue
		case colon == 4 && equalFold(field[:4], "from") && bytes.Contains(field, []byte(" via ")):
			ok = false
		}
		dst = append(dst, field...)
	}
	return dst, ok
}

func isEmptyField(field []byte) bool { return len(bytes.TrimRight(field, "\r\n")) == 0 }

// mailOptions are what the place of a mail tells the decoder.
func (p *pass) mailOptions(fr *frame) mail.Options {
	o := mail.Options{Zone: p.zone, Position: sources.Position{File: p.name, Offset: fr.sepOff}}
	if fr.sep != nil && len(fr.sep) < maxSepDate {
		o.Separator = fr.date
	}
	return o
}

// maxSepDate bounds the From_ lines that a date is taken from, so that the record's byte holds their length.
const maxSepDate = 250

// labelsOf are the labels of one copy of a mail: Gmail's where there are any, else the folder it lies in, and what the
// flags of the mail program say.
func (p *pass) labelsOf(head *mail.Head, own []byte) (labels []string, expunged bool) {
	marked, expunged := readMarks(own).labels()
	switch {
	case len(head.Labels) > 0:
		return unite(head.Labels, marked), expunged
	case len(marked) > 0:
		return unite(p.place, marked), expunged
	}
	return p.place, expunged
}

// placeLabels are the labels that a mail has from where it lies: its folder and the flags in its name.
func placeLabels(in input) []string {
	if in.folder == "" {
		return unite(in.flags)
	}
	return unite([]string{in.folder}, in.flags)
}

// exclusion is the rule that keeps a mail out, or empty.
func (p *pass) exclusion(head *mail.Head, labels []string, expunged bool) string {
	if expunged {
		return "expunged"
	}
	if label, ok := p.exclude.match(labels); ok {
		return "label " + label
	}
	if !p.opts.Until.IsZero() && !head.Date.IsZero() && !head.Date.Before(p.opts.Until) {
		return "after cut-over"
	}
	return ""
}

func (p *pass) record(a *analyst, fr *frame, head *mail.Head) record {
	r := record{date: unix(head.Date)}
	sum := a.dig.digest(fr.raw)
	copy(r.digest[:], sum[:])
	if len(head.MessageID) <= maxKeyID {
		r.id = idHash(head.MessageID)
	}
	if n, err := strconv.ParseUint(head.GmailThread, 10, 64); err == nil {
		r.gmail = n
	}
	base, reply := mail.NormalizeSubject(head.Subject)
	if r.subject = idHash(strings.ToLower(base)); reply {
		r.flags |= isReply
	}
	if len(head.From) > 0 {
		r.sender = idHash(strings.ToLower(head.From[0].Email))
	}
	return r
}

func separatorLength(fr *frame) uint8 {
	if fr.sep == nil || len(fr.sep) >= maxSepDate {
		return 0
	}
	return uint8(fr.off - fr.sepOff)
}

const (
	// minBareID is the least length of a Message-ID without "@" that is believed to name one mail in the world.
	minBareID = 16
	// maxRefs bounds what one mail refers to: its parent, the oldest of its thread, and the nearest.
	maxRefs   = 256
	oldestIDs = 28
)

// references are the mails that a mail answers, as hashes: In-Reply-To, then References from the oldest.
func references(r *record, head *mail.Head) []uint64 {
	var refs []uint64
	older := head.References
	if most := maxRefs - oldestIDs; len(older) > maxRefs {
		older = slices.Concat(older[:oldestIDs], older[len(older)-most:])
	}
	for _, ids := range [][]string{head.InReplyTo[:min(len(head.InReplyTo), maxRefs)], older} {
		for _, id := range ids {
			if len(id) < minBareID && strings.IndexByte(id, '@') < 0 {
				continue // "In-Reply-To: 6667": a number of some web forum
			}
			// In-Reply-To mostly stands in References again.
			if h := idHash(id); h != 0 && h != r.id && !slices.Contains(refs, h) {
				refs = append(refs, h)
			}
		}
	}
	return refs
}
