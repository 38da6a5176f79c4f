package mapping

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// PlanFormat is the version of the plan file's layout.
const PlanFormat = 1

// A Header is the first line of a plan file: what the plan was made from, as digests. It holds no paths and no time,
// so that the same input gives the same file on every machine.
type Header struct {
	Plan    int    `json:"plan"` // PlanFormat
	Version int    `json:"mapping_version"`
	Source  string `json:"source"`  // digest of the input's content
	Mapping string `json:"mapping"` // Mapper.Digest
	Target  string `json:"target"`  // digest of the account's side
	Zones   string `json:"zones"`   // the zone database
	Unbound bool   `json:"unbound"` // made without the account: cannot be run
	// Snapshot is when the account's side was read, where the plan was made from a file of it; RFC 3339, UTC.
	Snapshot string `json:"snapshot,omitempty"`
}

// Header is the first line of a plan that m makes of a source with the given digest.
func (m *Mapper) Header(source string) Header {
	return Header{
		Plan: PlanFormat, Version: Version, Source: source, Mapping: m.Digest(), Target: m.TargetDigest(), Zones: m.Zones, Unbound: !m.bound,
	}
}

// A PlanLine is one conversation of a plan file, or (with Part 0) a ticket that becomes none.
type PlanLine struct {
	Key         sources.Key `json:"key"`
	ID          string      `json:"id,omitempty"`
	Part        int         `json:"part"`
	Of          int         `json:"of,omitempty"`
	Digest      string      `json:"digest,omitempty"` // Part.Digest
	Status      string      `json:"status,omitempty"`
	Mailbox     string      `json:"mailbox,omitempty"` // where a route sends it to another than the usual one
	Created     string      `json:"created,omitempty"`
	Threads     int         `json:"threads,omitempty"`
	Messages    int         `json:"messages,omitempty"`
	Attachments int         `json:"attachments,omitempty"` // inline and uploaded
	Uploads     int         `json:"uploads,omitempty"`
	Units       int         `json:"units,omitempty"`
	// Head, Text, People and Files are short digests that only serve to say what changed.
	Head     string        `json:"head,omitempty"`   // subject, type, tags, fields, assignee, closing time
	Text     string        `json:"text,omitempty"`   // texts, types and times of the threads
	People   string        `json:"people,omitempty"` // customers, users, cc
	Files    string        `json:"files,omitempty"`  // attachments and where they hang
	Left     int           `json:"left,omitempty"`   // messages a rule leaves out
	Excluded string        `json:"excluded,omitempty"`
	Refused  string        `json:"refused,omitempty"`
	Findings []PlanFinding `json:"findings,omitempty"` // of the ticket, in its first line
}

// A PlanFinding is a finding without its wording.
type PlanFinding struct {
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Value    string `json:"value,omitempty"`
}

// A Trailer is the last line of a plan file; without it the file is cut off.
type Trailer struct {
	End           bool   `json:"end"`
	Tickets       int    `json:"tickets"`
	Conversations int    `json:"conversations"`
	Threads       int    `json:"threads"`
	Attachments   int    `json:"attachments"`
	Units         int    `json:"units"`
	Digest        string `json:"digest"` // hex SHA-256 of every byte before this line
}

// Lines are the lines of one plan.
func (p *Plan) Lines() []PlanLine {
	found := make([]PlanFinding, 0, len(p.Findings))
	for _, f := range p.Findings {
		found = append(found, PlanFinding{f.Severity.String(), f.Code, f.Value})
	}
	if len(p.Parts) == 0 {
		return []PlanLine{{Key: p.Key, ID: p.ID, Left: len(p.Left), Excluded: p.Excluded, Refused: p.Refused, Findings: found}}
	}
	lines := make([]PlanLine, len(p.Parts))
	for i, part := range p.Parts {
		lines[i] = part.line()
		lines[i].Key, lines[i].ID, lines[i].Mailbox = p.Key, p.ID, p.Mailbox
	}
	lines[0].Left, lines[0].Findings = len(p.Left), found
	return lines
}

func (p *Part) line() PlanLine {
	c := &p.Conversation
	l := PlanLine{
		Part: p.Number, Of: p.Of, Digest: p.Digest, Status: c.Status, Created: c.CreatedAt.Format(helpscout.TimeLayout),
		Threads: len(c.Threads), Uploads: len(p.Uploads), Units: p.Units(), Attachments: len(p.Uploads),
	}
	seen := map[sources.Key]bool{}
	for _, m := range p.Messages {
		seen[m.Message] = true
	}
	l.Messages = len(seen)
	head, text, people, files := newAspect(), newAspect(), newAspect(), newAspect()
	head.add(c.Subject, c.Type, c.Tags, c.Fields, c.AssignTo, c.ClosedAt, c.MailboxID)
	people.add(c.Customer)
	for i, th := range c.Threads {
		l.Attachments += len(th.Attachments)
		text.add(th.Type, th.CreatedAt, th.Text)
		people.add(th.Customer, th.User, th.Cc)
		for _, a := range th.Attachments {
			files.add(i, a)
		}
	}
	for _, u := range p.Uploads {
		files.add(u.Thread, u.File)
	}
	l.Head, l.Text, l.People, l.Files = head.sum(), text.sum(), people.sum(), files.sum()
	return l
}

// aspect digests some values; one to which nothing was added has no sum.
type aspect struct {
	h    hash.Hash
	used bool
}

func newAspect() *aspect { return &aspect{h: sha256.New()} }

func (a *aspect) add(values ...any) {
	a.used = true
	withJSON(values, func(b []byte) { a.h.Write(b) })
}

func (a *aspect) sum() string {
	if !a.used {
		return ""
	}
	return hex.EncodeToString(a.h.Sum(nil)[:6])
}

// A PlanWriter writes a plan file: canonical JSON lines, one a conversation. Plans are written in the order in which
// they are given; the canonical one is the source's (created, key).
type PlanWriter struct {
	w    *bufio.Writer
	hash hash.Hash
	end  Trailer
	err  error
}

// NewPlanWriter writes the header. An error of w is returned by Close, and by Write after it.
func NewPlanWriter(w io.Writer, h Header) *PlanWriter {
	pw := &PlanWriter{w: bufio.NewWriterSize(w, 64<<10), hash: sha256.New(), end: Trailer{End: true}}
	pw.line(h)
	return pw
}

func (w *PlanWriter) line(v any) {
	withJSON(v, func(b []byte) {
		for _, x := range [...][]byte{b, {'\n'}} {
			w.hash.Write(x)
			if _, err := w.w.Write(x); err != nil && w.err == nil {
				w.err = err
			}
		}
	})
}

// Write adds one ticket's lines.
func (w *PlanWriter) Write(p *Plan) error {
	w.end.Tickets++
	for _, l := range p.Lines() {
		if l.Part > 0 {
			w.end.Conversations++
		}
		w.end.Threads += l.Threads
		w.end.Attachments += l.Attachments
		w.end.Units += l.Units
		w.line(l)
	}
	return w.err
}

// Close writes the trailer and what is still buffered. It does not close the writer below.
func (w *PlanWriter) Close() error {
	w.end.Digest = hex.EncodeToString(w.hash.Sum(nil))
	w.line(w.end)
	if err := w.w.Flush(); err != nil && w.err == nil {
		w.err = err
	}
	return w.err
}

// A PlanFile is a plan as it was read back.
type PlanFile struct {
	Header  Header
	Lines   []PlanLine
	Trailer Trailer
}

// maxPlanLine bounds one line of a plan file: a ticket with many findings has long ones.
const maxPlanLine = 64 << 20

// ReadPlan reads a plan file whole and checks that it is complete and unchanged. Errors name the line.
func ReadPlan(r io.Reader) (*PlanFile, error) {
	p := &PlanFile{}
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), maxPlanLine)
	sum := sha256.New()
	n := 0
	for s.Scan() {
		n++
		if p.Trailer.End {
			return nil, fmt.Errorf("plan, line %d: something follows the last line; write the plan anew with dry-run --plan", n)
		}
		before := hex.EncodeToString(sum.Sum(nil))
		if err := p.readLine(n, s.Bytes()); err != nil {
			return nil, fmt.Errorf("plan, line %d: %w", n, err)
		}
		if p.Trailer.End && p.Trailer.Digest != before {
			return nil, fmt.Errorf("plan, line %d: the plan was changed after it was written; write it anew with dry-run --plan", n)
		}
		sum.Write(s.Bytes())
		sum.Write([]byte{'\n'})
	}
	switch err := s.Err(); {
	case err != nil:
		return nil, fmt.Errorf("plan, line %d: %w", n+1, err)
	case n == 0:
		return nil, errors.New("the plan is empty")
	case !p.Trailer.End:
		return nil, fmt.Errorf("the plan ends after line %d without its last line: it was not written to its end", n)
	}
	return p, p.checkCounts()
}

func (p *PlanFile) readLine(n int, b []byte) error {
	if n == 1 {
		if err := json.Unmarshal(b, &p.Header); err != nil || p.Header.Plan == 0 {
			return errors.New("this is not a plan (dry-run --plan FILE writes one)")
		}
		if p.Header.Plan != PlanFormat {
			return fmt.Errorf("a plan of format %d; this version reads %d", p.Header.Plan, PlanFormat)
		}
		return nil
	}
	if bytes.HasPrefix(b, []byte(`{"end":true`)) {
		return json.Unmarshal(b, &p.Trailer)
	}
	var l PlanLine
	if err := json.Unmarshal(b, &l); err != nil {
		return err
	}
	if l.Key == "" {
		return errors.New("a line without a key")
	}
	p.Lines = append(p.Lines, l)
	return nil
}

// checkCounts holds the trailer against the lines.
func (p *PlanFile) checkCounts() error {
	got := Trailer{End: true, Digest: p.Trailer.Digest}
	for _, l := range p.Lines {
		if l.Part <= 1 {
			got.Tickets++
		}
		if l.Part > 0 {
			got.Conversations++
		}
		got.Threads += l.Threads
		got.Attachments += l.Attachments
		got.Units += l.Units
	}
	if got != p.Trailer {
		return fmt.Errorf("the plan's counts do not add up: its last line says %d tickets and %d conversations, it holds %d and %d",
			p.Trailer.Tickets, p.Trailer.Conversations, got.Tickets, got.Conversations)
	}
	return nil
}
