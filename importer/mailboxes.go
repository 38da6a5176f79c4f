package importer

import (
	"context"
	"slices"
	"time"

	"hsimport/importer/helpscout"
	"hsimport/mapping"
)

// MailboxTotals is what a plan sends to one mailbox.
type MailboxTotals struct {
	Parts       int
	First, Last time.Time // of its conversations' beginnings, and of its threads
}

// addMailbox counts a part for the mailbox it goes to.
func (t *Totals) addMailbox(part *mapping.Part) {
	if t.Mailboxes == nil {
		t.Mailboxes = map[int64]MailboxTotals{}
	}
	c := &part.Conversation
	m := t.Mailboxes[c.MailboxID]
	m.Parts++
	if at := c.CreatedAt.Time; m.First.IsZero() || at.Before(m.First) {
		m.First = at
	}
	for _, th := range c.Threads {
		if th.CreatedAt.After(m.Last) {
			m.Last = th.CreatedAt.Time
		}
	}
	t.Mailboxes[c.MailboxID] = m
}

// A GateMailbox is a mailbox that a run writes into, and how many conversations it gets.
type GateMailbox struct {
	helpscout.Mailbox
	Conversations int
}

// mailboxes are those that the plan sends to, the usual one first, then in the order of the configuration. A plan of an
// earlier version does not say: then it is the usual one.
func (e *engine) mailboxes() (out []GateMailbox) {
	t := e.rep.Totals
	for _, name := range e.Mapping.MailboxNames() {
		for _, mb := range mapping.MailboxesCalled(name, e.rep.Target.Mailboxes) {
			n := t.Mailboxes[mb.ID].Parts
			twice := slices.ContainsFunc(out, func(g GateMailbox) bool { return g.ID == mb.ID })
			if t.Mailboxes == nil {
				n = t.Parts - t.Refused
			}
			if n > 0 && !twice && (t.Mailboxes != nil || len(out) == 0) {
				out = append(out, GateMailbox{mb, n})
			}
		}
	}
	return out
}

// overlaps asks each mailbox that the plan sends to for conversations that did not come by the API.
func (e *engine) overlaps(ctx context.Context) error {
	if e.Trial != nil { // it doubles nothing: it is removed again
		return nil
	}
	for _, mb := range e.mailboxes() {
		span, known := e.rep.Totals.Mailboxes[mb.ID]
		if !known {
			span.First, span.Last = e.rep.Totals.First, e.rep.Totals.Last
		}
		f, err := e.overlap(ctx, &mb.Mailbox, span)
		if err != nil {
			return err
		}
		if f != nil {
			e.rep.Findings.Add(*f)
		}
	}
	return nil
}
