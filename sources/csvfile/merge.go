package csvfile

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"hsimport/sources"
)

// merge makes the ticket of what its rows say. What never changes comes from the oldest row that says it, what does
// from the newest; which is which is decided by content, never by the place in the file.
func (b *builder) merge() {
	t := &sources.Ticket{Key: sources.Key(b.key), Kind: sources.Desk}
	b.t = t
	if len(b.rows) > 0 {
		first := b.rows[0]
		t.Position = sources.Position{File: first.f.in.name, Line: first.rec.line, Offset: first.rec.off}
	}
	if len(b.facts) == 0 {
		t.ID = b.key
		t.Problems = append(t.Problems, sources.Problem{
			Severity: sources.Warning, Code: "no-ticket-row", Position: t.Position,
			Text: "the messages name ticket " + b.key + ", of which there is no row",
		})
		return
	}
	t.Position = b.facts[0].position
	t.Problems = append(t.Problems, b.notes...)
	if slices.ContainsFunc(b.facts, func(f *ticketFacts) bool { return !f.blank() }) {
		b.facts = slices.DeleteFunc(b.facts, (*ticketFacts).blank) // some desks fill the ticket's columns in its first row only
	}
	b.blockReused()
	if len(b.facts) > 1 {
		b.dateFacts()
		slices.SortStableFunc(b.facts, compareFacts)
	}
	newest := b.facts[len(b.facts)-1]
	t.ID = cmp.Or(b.oldest(ticketNumber), b.facts[0].text[ticketID])
	t.Subject = b.oldest(subject)
	t.Status, t.Channel, t.Priority = b.newest(status), b.newest(channel), b.newest(priority)
	t.Group, t.Inbox, t.URL = b.newest(groupName), b.newest(inbox), b.newest(ticketURL)
	if t.URL == "" && b.s.opts.LegacyURL != "" && t.ID != "" {
		t.URL = strings.ReplaceAll(b.s.opts.LegacyURL, "{id}", t.ID)
	}
	t.Fields = newest.fields
	b.people()
	b.times()
	t.Tags = newest.tags
	for i := len(b.facts) - 1; i >= 0 && len(t.Tags) == 0; i-- {
		t.Tags = b.facts[i].tags
	}
	t.Tags = uniqueWords(t.Tags)
}

// dateFacts finds the newest message among the rows of each facts.
func (b *builder) dateFacts() {
	for _, f := range b.facts {
		b.v.f = f.row.f
		for _, rec := range f.rows {
			b.v.rec = rec
			if at := b.v.f.dates.read(b.v.bytes(messageCreatedAt), nil).t; f.at.Before(at) {
				f.at = at
			}
		}
	}
}

// compareFacts orders rows of one ticket from the oldest state to the newest.
func compareFacts(a, b *ticketFacts) int {
	if c := cmp.Or(a.updated.t.Compare(b.updated.t), a.at.Compare(b.at), a.closed.t.Compare(b.closed.t)); c != 0 {
		return c
	}
	return strings.Compare(a.print(), b.print())
}

// print is all that the row says of the ticket, for an order that content alone decides.
func (f *ticketFacts) print() string {
	var b strings.Builder
	var scratch []byte
	for _, c := range f.row.f.b.factCols {
		b.Write(f.row.rec.cell(c, &f.row.f.d.dialect, &scratch))
		b.WriteByte(0)
	}
	return b.String()
}

// blank reports whether the row says nothing of the ticket but its id.
func (f *ticketFacts) blank() bool {
	for _, r := range [...]role{subject, status, groupName, inbox, priority, channel, ticketURL} {
		if f.text[r] != "" {
			return false
		}
	}
	return f.requester.IsZero() && f.assignee.IsZero() && f.created.t.IsZero() && f.updated.t.IsZero() && f.closed.t.IsZero()
}

// oldest is the first value of a role that is not empty, in the order of compareFacts; newest the last.
func (b *builder) oldest(r role) string {
	for _, f := range b.facts {
		if f.text[r] != "" {
			return f.text[r]
		}
	}
	return ""
}

func (b *builder) newest(r role) string {
	for _, f := range slices.Backward(b.facts) {
		if f.text[r] != "" {
			return f.text[r]
		}
	}
	return ""
}

func (b *builder) people() {
	for _, f := range b.facts {
		if !f.requester.IsZero() {
			b.t.Requester = f.requester
			break
		}
	}
	// An empty assignee in the newest row means that nobody has the ticket any more.
	if a := b.facts[len(b.facts)-1].assignee; !a.IsZero() {
		b.t.Assignee = &a
	}
}

func (b *builder) times() {
	t := b.t
	for _, f := range b.facts {
		if t.CreatedAt.IsZero() {
			t.CreatedAt = f.created.t
		}
		if !f.updated.t.IsZero() {
			t.UpdatedAt = f.updated.t
		}
		if !f.closed.t.IsZero() {
			t.ClosedAt = f.closed.t
		}
		for _, d := range [...]struct {
			role role
			at   cellDate
		}{{createdAt, f.created}, {updatedAt, f.updated}, {closedAt, f.closed}} {
			if d.at.bad {
				t.Problems = append(t.Problems, sources.Problem{
					Severity: sources.Warning, Code: "bad-date", Position: f.position,
					Text: d.role.String() + " is no date of this column's form; it is taken as unknown",
				})
			}
		}
	}
	slices.SortFunc(t.Problems, func(a, b sources.Problem) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), strings.Compare(a.Code, b.Code), strings.Compare(a.Text, b.Text),
			strings.Compare(a.Position.File, b.Position.File), cmp.Compare(a.Position.Line, b.Position.Line))
	})
	t.Problems = slices.Compact(t.Problems)
}

// blockReused blocks a ticket whose rows are plainly of different tickets: an id that two desks, or two years, have
// both given.
func (b *builder) blockReused() {
	first := b.facts[0]
	for _, f := range b.facts[1:] {
		var differ []string
		if !f.created.t.IsZero() && !first.created.t.IsZero() && !f.created.t.Equal(first.created.t) {
			differ = append(differ, "created at "+stampText(first.created.t)+" and "+stampText(f.created.t))
		}
		if !samePerson(first.requester, f.requester) {
			differ = append(differ, "requested by "+calledBy(first.requester)+" and "+calledBy(f.requester))
		}
		if !sameSubject(first.text[subject], f.text[subject]) {
			differ = append(differ, "about "+quoteShort(first.text[subject])+" and "+quoteShort(f.text[subject]))
		}
		text := first.shape == ticketRows && first.essence != "" && f.essence != "" && first.essence != f.essence
		if text {
			differ = append(differ, "with two different descriptions")
		}
		p := sources.Problem{Severity: sources.Warning, Code: "ticket-rows-differ", Position: f.position}
		switch {
		case len(differ) == 0:
			continue
		case len(differ) > 1 || text:
			p.Severity, p.Code = sources.BlocksTicket, "ticket-id-reused"
			p.Text = "rows of different tickets share the id " + b.key + ": " + strings.Join(differ, ", ")
		default:
			p.Text = "the rows of this ticket differ: " + differ[0] + "; the oldest is taken"
		}
		b.t.Problems = append(b.t.Problems, p)
		return
	}
}

// samePerson compares by what both sides know; an unknown person is the same as anyone.
func samePerson(a, b sources.Person) bool {
	switch {
	case a.Email != "" && b.Email != "":
		return strings.EqualFold(a.Email, b.Email)
	case a.ID != "" && b.ID != "":
		return a.ID == b.ID
	case a.Name != "" && b.Name != "":
		return strings.EqualFold(a.Name, b.Name)
	}
	return true
}

func calledBy(p sources.Person) string { return quoteShort(cmp.Or(p.Email, p.Name, p.ID)) }

// sameSubject does not count the prefixes that mail programs add, nor case and spacing.
func sameSubject(a, b string) bool {
	return a == "" || b == "" || essence(bareSubject(a)) == essence(bareSubject(b))
}

func bareSubject(s string) string {
	for {
		s = strings.TrimSpace(s)
		head, rest, ok := strings.Cut(s, ":")
		if !ok {
			return s
		}
		switch strings.ToLower(head) {
		case "re", "aw", "sv", "antw", "fw", "fwd", "wg", "tr", "rv", "res", "enc":
			s = rest
		default:
			return s
		}
	}
}

// uniqueWords leaves out repeated tags, whatever their case; the first spelling stays.
func uniqueWords(words []string) []string {
	if len(words) < 2 {
		return words
	}
	var out []string
	seen := map[string]bool{}
	for _, w := range words {
		if l := strings.ToLower(w); !seen[l] {
			seen[l] = true
			out = append(out, w)
		}
	}
	return out
}

// A draft is a message on its way into the ticket.
type draft struct {
	m     *sources.Message
	role  role
	nth   int // place among the pieces of its row, for pieces of one row
	batch int // copies within one batch are several messages, copies in another batch are duplicates
	place int // in the order of the files
	side  string
	eff   time.Time // the message's time, else that of the one before it
	copy  int       // number among equal messages of its batch
}
