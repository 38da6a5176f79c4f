package importer

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"hsimport/mapping"
	"hsimport/sources"
)

// mapped is one ticket that has gone through the mapping, or the reason why it has not.
type mapped struct {
	index  int
	ticket *sources.Ticket
	plan   *mapping.Plan
	err    *sources.RecordError
}

// weight is about how many bytes of memory a mapped ticket holds.
func (m *mapped) weight() int64 {
	n := 0
	if m.ticket != nil {
		for _, msg := range m.ticket.Messages {
			n += 1000 + 2*len(msg.Body)
		}
	}
	if m.plan != nil {
		for _, part := range m.plan.Parts {
			for _, th := range part.Conversation.Threads {
				n += len(th.Text)
			}
		}
	}
	return int64(n)
}

// mapOne reads and maps one ticket. A panic in a reader or in the mapping is an error of ours about one ticket: it is
// reported with its place, and the others go on.
func mapOne(ctx context.Context, src Source, m *mapping.Mapper, i int) (out mapped, err error) {
	out.index = i
	key := src.Entry(i).Key
	defer func() {
		if p := recover(); p != nil {
			out.err = &sources.RecordError{Key: key, Err: fmt.Errorf("a defect of this program: %v (%s)", p, firstFrame(debug.Stack()))}
			err = nil
		}
	}()
	t, err := src.Ticket(ctx, i)
	var rec *sources.RecordError
	switch {
	case errors.As(err, &rec):
		out.err = rec
		return out, nil
	case err != nil:
		return out, err
	}
	out.ticket, out.plan = t, m.Map(t)
	return out, nil
}

// firstFrame names the function in which a panic began, for a report a person can send.
func firstFrame(stack []byte) string {
	lines := 0
	for i, b := range stack {
		if b == '\n' {
			if lines++; lines == 8 {
				start := i + 1
				for j := start; j < len(stack); j++ {
					if stack[j] == '(' || stack[j] == '\n' {
						return string(stack[start:j])
					}
				}
			}
		}
	}
	return "unknown place"
}

// newest is the time of the source's latest message: "recent" is measured from it, never from the clock, which only
// tells what cannot be meant. A mail dated 2038 must not make every other ticket look old.
func newest(src Source, now time.Time) (t time.Time) {
	for i := range src.Len() {
		if e := src.Entry(i); e.Last.After(t) && !e.Last.After(now) {
			t = e.Last
		}
	}
	return t
}

// add counts one plan.
func (t *Totals) add(p *mapping.Plan, ticket *sources.Ticket) {
	msgs := len(ticket.Messages)
	for _, m := range ticket.Messages {
		t.Attachments += len(m.Attachments)
	}
	if t.ExcludedBy == nil {
		t.ExcludedBy, t.Statuses = map[string]int{}, map[string]int{}
	}
	t.Tickets++
	if p.Excluded != "" {
		t.ExcludedTickets++
		t.Excluded += msgs
		t.ExcludedBy[p.Excluded] += msgs
		return
	}
	for _, l := range p.Left {
		t.Excluded++
		t.ExcludedBy[l.Rule]++
	}
	t.Messages += msgs - len(p.Left)
	if p.Refused != "" {
		t.Refused++
		t.Parts++ // a refused ticket is one planned conversation that will not be
		return
	}
	if p.Live {
		t.Live++
	} else {
		t.Closed++
	}
	if len(p.Parts) > 1 {
		t.Split++
	}
	t.Traits |= p.Traits
	t.Units += unitsOf(p)
	t.Noted += p.Noted
	for _, part := range p.Parts {
		t.addPart(part)
	}
}

func (t *Totals) addPart(part *mapping.Part) {
	t.Parts++
	t.addMailbox(part)
	carrying := map[int]bool{}
	for _, c := range part.Messages {
		carrying[c.Thread] = true
	}
	t.FromMessages += len(carrying)
	t.Added += len(part.Conversation.Threads) - len(carrying)
	for _, th := range part.Conversation.Threads {
		t.Inline += len(th.Attachments)
	}
	t.Uploads += len(part.Uploads)
	t.Statuses[part.Conversation.Status]++
	t.LargestBody = max(t.LargestBody, part.Body)
	at := part.Conversation.CreatedAt.Time
	if t.First.IsZero() || at.Before(t.First) {
		t.First = at
	}
	for _, th := range part.Conversation.Threads {
		if th.CreatedAt.After(t.Last) {
			t.Last = th.CreatedAt.Time
		}
	}
}

// fresh counts parts that are still to be sent.
func (t *Totals) fresh(parts []*mapping.Part) {
	t.New += len(parts)
	for _, part := range parts {
		t.UnitsLeft += partUnits(part)
	}
}

// unitsOf is what delivering a plan costs: a write is 2 units, a read 1.
// https://developer.helpscout.com/mailbox-api/overview/rate-limiting
func unitsOf(p *mapping.Plan) (n int) {
	for _, part := range p.Parts {
		n += partUnits(part)
	}
	return n
}

func partUnits(part *mapping.Part) int {
	n := 2
	if part.LinkThread >= 0 && part.Number > 1 {
		n++ // the number of the part before, for the link
	}
	if len(part.Uploads) > 0 {
		n += 1 + 2*len(part.Uploads) // the thread list, then each file
	}
	return n
}
