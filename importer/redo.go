package importer

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

const redoSlot = "redo:" // and the conversation's id

// redo deletes conversations that a changed mapping would make different, and frees their tickets to be sent again.
// Only what nobody has touched since is deleted: status, assignee, subject, mailbox and thread count are compared with
// what was sent, read right before each delete. Adopted conversations are never deleted. A split ticket is taken back
// whole or not at all.
func (e *engine) redo(ctx context.Context) error {
	if len(e.changed) == 0 {
		return nil
	}
	e.tell(Event{Kind: EventPhase, Text: fmt.Sprintf("taking back %s that the changed mapping makes different", plural(len(e.changed), "conversation", "conversations"))})
	var left []stay
	for rest := e.changed; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Ticket == rest[0].Ticket {
			n++
		}
		kept, err := e.redoTicket(ctx, rest[:n])
		if err != nil {
			return err
		}
		left = append(left, kept...)
		rest = rest[n:]
	}
	e.changed = nil
	again := &planner{engine: e}
	if err := again.replan(ctx); err != nil {
		return err
	}
	if err := e.planned(ctx); err != nil {
		return err
	}
	for _, kept := range left {
		code := "not-taken-back"
		if kept.because == KeptTouched {
			code = "touched-left"
		}
		e.rep.Findings.Add(mapping.Finding{Severity: sources.Warning, Code: code, Text: kept.why})
	}
	if len(left) > 0 {
		e.tell(Event{Kind: EventWarning, Text: fmt.Sprintf("%s as sent; the first: %s", plural(len(left), "conversation stays", "conversations stay"), left[0].why)})
	}
	return nil
}

// redoTicket takes back the changed parts of one ticket; it returns why some stay.
func (e *engine) redoTicket(ctx context.Context, rows []checkpoint.Part) (left []stay, err error) {
	for i := range rows {
		if err := e.halted(ctx); err != nil {
			return nil, err
		}
		began := time.Now()
		kept, _, err := e.whyStays(ctx, &rows[i])
		if err != nil {
			return nil, err
		}
		if kept.stays() {
			return []stay{kept}, e.refusedInARow(&rows[i], kept, began)
		}
	}
	for i := range rows {
		if err := e.halted(ctx); err != nil {
			return nil, err
		}
		kept, err := e.takeBack(ctx, &rows[i])
		if err != nil {
			return nil, err
		}
		if kept.stays() {
			left = append(left, kept)
		}
	}
	return left, nil
}

// onceMore plans a second time in one run. The findings are those of the plan before, the sums are new.
func (e *engine) onceMore(plan func() error) error {
	each, keep, redo, found := e.Each, e.Options.KeepSent, e.Options.RedoChanged, e.rep.Findings
	e.rep.Totals, e.rep.Rejected, e.rep.Findings = Totals{}, nil, NewFindings()
	e.Each = nil                                            // they were shown already
	e.Options.KeepSent, e.Options.RedoChanged = true, false // what people touched stays, and is no reason to stop again
	err := plan()
	e.Each, e.Options.KeepSent, e.Options.RedoChanged, e.rep.Findings = each, keep, redo, found
	return err
}

// replan loads what has become free as pending, under the new mapping.
func (p *planner) replan(ctx context.Context) error {
	load, err := p.store.Loader(ctx)
	if err != nil {
		return err
	}
	p.load = load
	if err := p.onceMore(func() error { return p.all(ctx) }); err != nil {
		return joinAbort(err, load)
	}
	if err := load.Finish(true); err != nil {
		return err
	}
	return p.loaded(ctx)
}

// whyStays says why the conversation of a part is not deleted; gone says that it is not there any more.
func (e *engine) whyStays(ctx context.Context, row *checkpoint.Part) (kept stay, gone bool, err error) {
	id := row.ConversationID
	if row.How == checkpoint.ByAdoption {
		return stay{because: KeptAdopted, why: fmt.Sprintf("conversation %d was adopted, not created by this job", id)}, false, nil
	}
	c, err := read(ctx, e, func() (*helpscout.Conversation, error) { return e.Client.Conversation(ctx, id, false) })
	switch {
	case err == nil && inTrash(c):
		return stay{}, true, nil
	case err == nil:
	case helpscout.StatusOf(err) == 301:
		return mergedAway(id), false, nil
	case helpscout.StatusOf(err) == 404:
		return stay{}, true, nil
	case helpscout.KindOf(err) == helpscout.Rejected:
		return notShown(id, err), false, nil
	default:
		return stay{}, false, err
	}
	appended, err := e.store.Effects(ctx, checkpoint.EffectFilter{PartID: row.ID, Kind: kindAppend, State: checkpoint.Created})
	if err != nil {
		return stay{}, false, err
	}
	if what := touched(row, c, len(appended)); what != "" {
		kept = stay{because: KeptTouched, why: fmt.Sprintf("conversation %d (ticket %s) was touched since: %s", id, row.Ticket, what)}
	}
	return kept, false, nil
}

// takeBack deletes the conversation of one part and frees the part, or says why it stays.
func (e *engine) takeBack(ctx context.Context, row *checkpoint.Part) (kept stay, err error) {
	gone, kept, err := e.tryDelete(ctx, row)
	if err != nil || !gone {
		return kept, err
	}
	return stay{}, e.free(ctx, row.ID)
}

// free marks a part as deleted and sends it back to pending.
func (e *engine) free(ctx context.Context, id int64) error {
	ctx = context.WithoutCancel(ctx)
	if err := e.store.MarkDeleted(ctx, id, time.Now()); err != nil {
		return err
	}
	_, err := e.store.Reopen(ctx, []int64{id})
	return err
}

// finishRedo ends what an earlier run was taking back when it ended: a delete that was under way is asked again, and
// what is gone is freed to be sent again. It reports whether parts were freed: then the plan is made anew.
func (e *engine) finishRedo(ctx context.Context) (reopened bool, err error) {
	doubtful, err := e.store.Effects(ctx, checkpoint.EffectFilter{Kind: kindDelete, State: checkpoint.InDoubt})
	if err != nil {
		return false, err
	}
	done, err := e.store.Effects(ctx, checkpoint.EffectFilter{Kind: kindDelete, State: checkpoint.Created})
	if err != nil {
		return false, err
	}
	for _, ef := range append(doubtful, done...) {
		if !strings.HasPrefix(ef.Slot, redoSlot) {
			continue
		}
		row, err := e.store.PartByID(ctx, ef.PartID)
		if err != nil {
			return false, err
		}
		freed, err := e.finishOne(ctx, row, &ef)
		if err != nil {
			return false, err
		}
		reopened = reopened || freed
	}
	return reopened, nil
}

func (e *engine) finishOne(ctx context.Context, row *checkpoint.Part, ef *checkpoint.Effect) (freed bool, err error) {
	switch {
	case row == nil:
		return false, nil
	case row.State == checkpoint.Deleted:
		_, err := e.store.Reopen(ctx, []int64{row.ID})
		return err == nil, err
	case row.State != checkpoint.Created || redoSlot+strconv.FormatInt(row.ConversationID, 10) != ef.Slot:
		return false, nil
	}
	if ef.State == checkpoint.InDoubt {
		if kept, _, err := e.whyStays(ctx, row); err != nil {
			return false, err
		} else if kept.stays() {
			_, err := e.stays(ctx, ef, kept)
			return false, err
		}
		if gone, _, err := e.deleteConversation(ctx, ef, row.ConversationID); err != nil || !gone {
			return false, err
		}
	}
	return true, e.free(ctx, row.ID)
}

// touched says what of a conversation differs from what was sent, or "". Threads that this job has appended count as
// sent.
func touched(row *checkpoint.Part, c *helpscout.Conversation, appended int) string {
	ev, ok := decodeEvidence(row.Evidence)
	if !ok {
		return "there is no record of what was sent"
	}
	var assigned int64
	if c.Assignee != nil {
		assigned = c.Assignee.ID
	}
	switch {
	case statusNow(c) != ev.Status:
		return "its status is " + c.Status
	case assigned != ev.Assign:
		return "its assignee has changed"
	case !sameSubject(c.Subject, ev.Subject):
		return "its subject has changed"
	case c.MailboxID != ev.Mailbox:
		return "it was moved to another mailbox"
	case c.ThreadCount != len(ev.Threads)+appended:
		return fmt.Sprintf("it has %s, sent: %d", plural(c.ThreadCount, "thread", "threads"), len(ev.Threads)+appended)
	}
	return ""
}
