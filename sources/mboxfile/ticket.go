package mboxfile

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"hsimport/sources"
	"hsimport/sources/mail"
)

// Ticket reads the mails of ticket i again and decodes them. Its messages are ordered by date; within one second, those
// with fewer references first. A mail that has changed since Open is sources.ErrChanged.
func (s *Source) Ticket(ctx context.Context, i int) (*sources.Ticket, error) {
	out, members, joins, err := s.begin(i)
	if err != nil {
		return nil, err
	}
	r := reader{s: s}
	defer r.close()
	for n := range members {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		msg, err := r.message(&members[n])
		if err != nil {
			return nil, err
		}
		msg.Ordinal = n
		joins.add(msg, r.head)
		out.Messages = append(out.Messages, msg)
		out.Labels = append(out.Labels, msg.Labels...)
	}
	out.Subject = out.Messages[0].Subject
	out.Labels = unite(out.Labels)
	out.Joins = joins.reasons()
	return out, nil
}

// begin is a ticket as far as the index knows it, its mails, and what finds out why they are in it.
func (s *Source) begin(i int) (*sources.Ticket, []member, *joiner, error) {
	if err := s.threads.err(); err != nil {
		return nil, nil, nil, err
	}
	tk, err := s.threads.ticket(i)
	if err != nil {
		return nil, nil, nil, err
	}
	key, err := s.threads.key(&tk)
	if err != nil {
		return nil, nil, nil, err
	}
	members, err := s.threads.membersOf(&tk)
	if err != nil {
		return nil, nil, nil, err
	}
	root, err := s.index.at(tk.root)
	if err != nil {
		return nil, nil, nil, err
	}
	out := &sources.Ticket{
		Key: sources.Key(key), Kind: sources.Mail, Channel: "email", CreatedAt: timeOf(tk.created),
		UpdatedAt: timeOf(tk.last), Position: s.position(members[0].i),
	}
	return out, members, &joiner{s: s, gmail: root.gmail, several: len(members) > 1}, nil
}

// A reader reads mails by their records and keeps the file open that it read last.
type reader struct {
	s    *Source
	file *os.File
	at   uint32 // number of file
	head *mail.Head
}

func (r *reader) close() {
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}

// open makes the file of a record the open one, and returns where in it the mail stands.
func (r *reader) open(i uint32) (place, error) {
	at, err := r.s.index.places.at(i)
	if err != nil {
		return at, err
	}
	if r.file != nil && r.at == at.file {
		return at, nil
	}
	r.close()
	f, err := os.Open(r.s.index.files[at.file].path)
	if errors.Is(err, fs.ErrNotExist) {
		return at, r.changed(i, "it is gone")
	}
	if err != nil {
		return at, fmt.Errorf("read %s: %w", r.s.nameOf(at.file), plain(err))
	}
	r.file, r.at = f, at.file
	return at, nil
}

// raw reads the bytes of a record with the From_ line before them, and proves that they are those of the index.
func (r *reader) raw(i uint32) (sep, raw []byte, err error) {
	at, err := r.open(i)
	if err != nil {
		return nil, nil, err
	}
	buf := make([]byte, int(at.sep)+int(at.size))
	if n, err := r.file.ReadAt(buf, at.off-int64(at.sep)); n < len(buf) {
		return nil, nil, r.changed(i, fmt.Sprintf("the mail cannot be read whole (%v)", err))
	}
	sep, raw = buf[:at.sep], buf[at.sep:]
	if crc32.Checksum(raw, castagnoli) != at.check {
		return nil, nil, r.changed(i, "the mail there is another one")
	}
	return sep, raw, nil
}

func (r *reader) changed(i uint32, what string) error {
	return fmt.Errorf("%s: %s: %w", r.s.position(i), what, sources.ErrChanged)
}

// message reads and decodes one mail. Its header is in r.head afterwards.
func (r *reader) message(m *member) (*sources.Message, error) {
	s, i := r.s, m.i
	sep, raw, err := r.raw(i)
	if err != nil {
		return nil, err
	}
	rec, err := s.index.at(i)
	if err != nil {
		return nil, err
	}
	opts := mail.Options{Zone: s.scan.zone, Position: s.position(i)}
	if len(sep) > 0 {
		line, _ := cutLine(sep)
		opts.Separator, _ = mail.ParseSeparatorDate(line)
	}
	quoting := s.index.files[r.at].quoting
	reopen := func() ([]byte, error) {
		again := reader{s: s}
		defer again.close()
		_, raw, err := again.raw(i)
		if err != nil {
			return nil, err
		}
		return prepare(raw, quoting), nil
	}
	d := s.sums.Get().(*digester)
	sum := d.digest(raw)
	s.sums.Put(d)
	ready := prepare(raw, quoting)
	msg, head := mail.Read(ready, reopen, opts)
	r.head = head
	msg.Digest = hex.EncodeToString(sum[:])
	msg.Key = sources.Key(appendKey(nil, keyID(r.head.MessageID), &rec, !m.second))
	msg.Labels = slices.Clone(s.index.labels.sets[rec.labels])
	msg.Position = opts.Position
	s.desk.Attach(msg)
	s.noteCopies(msg, m)
	return msg, nil
}

// keyID is the Message-ID that a key is made of.
func keyID(id string) []byte {
	if len(id) > maxKeyID {
		return nil
	}
	return []byte(id)
}

// noteCopies says where the further copies of a mail are.
func (s *Source) noteCopies(msg *sources.Message, m *member) {
	if m.copies == 0 {
		return
	}
	text := fmt.Sprintf("the same mail is at %s too", s.position(m.first))
	if m.copies > 1 {
		text += fmt.Sprintf(" and at %d more places", m.copies-1)
	}
	msg.Problems = append(msg.Problems, sources.Problem{
		Severity: sources.Info, Code: "copy-merged", Text: text, Position: s.position(m.i),
	})
}

// A joiner finds out why the mails of one ticket are together.
type joiner struct {
	s       *Source
	gmail   uint64
	several bool
	parts   []joinPart
}

type joinPart struct {
	key     sources.Key
	id      string
	subject string
	gmail   bool
	refs    []string // nearest first
	parents int      // how many of refs are of In-Reply-To
}

func (j *joiner) add(msg *sources.Message, head *mail.Head) {
	if !j.several {
		return
	}
	p := joinPart{key: msg.Key, id: head.MessageID, subject: msg.Subject, parents: len(head.InReplyTo)}
	if j.gmail != 0 && head.GmailThread == strconv.FormatUint(j.gmail, 10) && j.s.opts.ThreadBy != "references" {
		p.gmail = true
	}
	p.refs = append(p.refs, head.InReplyTo...)
	for i := len(head.References) - 1; i >= 0; i-- {
		p.refs = append(p.refs, head.References[i])
	}
	j.parts = append(j.parts, p)
}

// reasons gives for each mail but the first why it is in the ticket: Gmail's thread, the nearest mail of the ticket
// that it answers, the missing mail that it and another one answer, the mail that answers it, the Message-ID that it
// shares with a twin, or its subject.
func (j *joiner) reasons() []sources.Join {
	if len(j.parts) < 2 {
		return nil
	}
	owners, named := map[string]int{}, map[string]int{}
	for _, p := range j.parts {
		if p.id != "" {
			owners[p.id]++
		}
		seen := map[string]bool{p.id: true}
		for _, ref := range p.refs {
			if !seen[ref] {
				seen[ref] = true
				named[ref]++
			}
		}
	}
	var out []sources.Join
	for _, p := range j.parts[1:] {
		reason, with := p.reason(owners, named)
		if p.gmail {
			reason, with = "gmail", strconv.FormatUint(j.gmail, 10)
		}
		out = append(out, sources.Join{Message: p.key, Reason: reason, With: with})
	}
	return out
}

func (p joinPart) reason(owners, named map[string]int) (reason, with string) {
	word := func(i int) string {
		if i < p.parents {
			return "in-reply-to"
		}
		return "references"
	}
	for i, ref := range p.refs {
		if ref != p.id && owners[ref] > 0 {
			return word(i), ref
		}
	}
	for i, ref := range p.refs {
		if ref != p.id && named[ref] > 1 {
			return word(i), ref
		}
	}
	switch {
	case p.id != "" && named[p.id] > 0:
		return "references", p.id
	case p.id != "" && owners[p.id] > 1:
		return "message-id", p.id
	}
	return "subject", p.subject
}
