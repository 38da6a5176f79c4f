package importer

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// redo deletes conversations that a changed mapping would make different, and frees their tickets to be sent again.
// Only what nobody has touched since is deleted: status, assignee, subject, mailbox and thread count are compared with
// what was sent, read right before each delete. Adopted conversations are never deleted.
func (e *engine) redo(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	e.tell(Event{Kind: EventPhase, Text: fmt.Sprintf("taking back %d conversations that the changed mapping makes different", len(ids))})
	left := 0
	var free []int64
	for _, id := range ids {
		if err := e.halted(ctx); err != nil {
			return err
		}
		gone, why, err := e.takeBack(ctx, id)
		if err != nil {
			return err
		}
		if gone {
			free = append(free, id)
		} else {
			left++
			e.rep.Findings.Add(mapping.Finding{Severity: sources.Warning, Code: "touched-left", Text: why})
		}
	}
	if left > 0 {
		e.warn("touched-left", fmt.Sprintf("%d conversations were touched since they were sent: they stay as they are", left))
	}
	if _, err := e.store.Reopen(ctx, free); err != nil {
		return err
	}
	again := &planner{engine: e}
	return again.replan(ctx)
}

// replan loads what has become free as pending, under the new mapping.
func (p *planner) replan(ctx context.Context) error {
	load, err := p.store.Loader(ctx)
	if err != nil {
		return err
	}
	p.load = load
	p.rep.Totals, p.rep.Rejected, p.rep.Findings = Totals{}, nil, NewFindings()
	each := p.Each
	p.Each = nil // they were shown already
	defer func() { p.Each = each }()
	keep := p.Options.KeepSent
	p.Options.KeepSent = true // what people touched stays, and is no reason to stop again
	err = p.all(ctx)
	p.Options.KeepSent = keep
	if err != nil {
		return joinAbort(err, load)
	}
	return load.Finish(true)
}

// takeBack deletes the conversation of one part, or says why it stays.
func (e *engine) takeBack(ctx context.Context, id int64) (gone bool, why string, err error) {
	row, err := e.store.PartByID(ctx, id)
	if err != nil || row == nil || row.State != checkpoint.Created {
		return false, "not there", err
	}
	if row.How == checkpoint.ByAdoption {
		return false, fmt.Sprintf("conversation %d was adopted, not created by this job", row.ConversationID), nil
	}
	c, err := read(ctx, e, func() (*helpscout.Conversation, error) { return e.Client.Conversation(ctx, row.ConversationID, false) })
	switch {
	case helpscout.StatusOf(err) == 301:
		return false, fmt.Sprintf("conversation %d was merged into another", row.ConversationID), nil
	case helpscout.StatusOf(err) == 404:
		return true, "", e.store.MarkDeleted(context.WithoutCancel(ctx), row.ID, time.Now())
	case err != nil:
		return false, "", err
	}
	if what := touched(row, c); what != "" {
		return false, fmt.Sprintf("conversation %d (ticket %s) was touched since: %s", row.ConversationID, row.Ticket, what), nil
	}
	slot := "redo:" + strconv.FormatInt(row.ConversationID, 10)
	if err := e.store.AddEffects(ctx, []checkpoint.Effect{{PartID: row.ID, Kind: kindDelete, Slot: slot, State: checkpoint.Pending}}); err != nil {
		return false, "", err
	}
	effects, err := e.store.Effects(ctx, checkpoint.EffectFilter{PartID: row.ID, Kind: kindDelete})
	if err != nil {
		return false, "", err
	}
	for i := range effects {
		if effects[i].Slot != slot {
			continue
		}
		if err := e.deleteConversation(ctx, &effects[i], row.ConversationID); err != nil {
			return false, "", err
		}
	}
	return true, "", e.store.MarkDeleted(context.WithoutCancel(ctx), row.ID, time.Now())
}

// touched says what of a conversation differs from what was sent, or "".
func touched(row *checkpoint.Part, c *helpscout.Conversation) string {
	ev, ok := decodeEvidence(row.Evidence)
	if !ok {
		return "there is no record of what was sent"
	}
	var assigned int64
	if c.Assignee != nil {
		assigned = c.Assignee.ID
	}
	switch {
	case c.Status != ev.Status:
		return "its status is " + c.Status
	case assigned != ev.Assign:
		return "its assignee has changed"
	case !sameSubject(c.Subject, ev.Subject):
		return "its subject has changed"
	case c.MailboxID != ev.Mailbox:
		return "it was moved to another mailbox"
	case c.ThreadCount != len(ev.Threads):
		return fmt.Sprintf("it has %d threads, %d were sent", c.ThreadCount, len(ev.Threads))
	}
	return ""
}
