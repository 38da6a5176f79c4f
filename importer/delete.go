package importer

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
)

// deleteOwn deletes the conversation of a part that nothing speaks for any more (see whyStays), for rollback too: should
// this process end here, the next run finishes the delete. What the server has refused before may be allowed by now.
func (e *engine) deleteOwn(ctx context.Context, row *checkpoint.Part) (gone bool, why string, err error) {
	ef, err := e.deleteIntent(ctx, row.ID, redoSlot+strconv.FormatInt(row.ConversationID, 10))
	if err != nil {
		return false, "", err
	}
	if ef.State == checkpoint.Rejected {
		if err := e.store.UnrejectEffect(context.WithoutCancel(ctx), ef.ID); err != nil {
			return false, "", err
		}
		ef.State = checkpoint.Pending
	}
	return e.deleteConversation(ctx, ef, row.ConversationID)
}

// deleteIntent writes down that a conversation is to be deleted, and returns the row of it.
func (e *engine) deleteIntent(ctx context.Context, part int64, slot string) (*checkpoint.Effect, error) {
	if err := e.store.AddEffects(ctx, []checkpoint.Effect{{PartID: part, Kind: kindDelete, Slot: slot, State: checkpoint.Pending}}); err != nil {
		return nil, err
	}
	effects, err := e.store.Effects(ctx, checkpoint.EffectFilter{PartID: part, Kind: kindDelete})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(effects, func(ef checkpoint.Effect) bool { return ef.Slot == slot })
	if i < 0 {
		return nil, fmt.Errorf("the intent %s of part %d is not in the checkpoint", slot, part)
	}
	return &effects[i], nil
}

// deletion is one delete on its way. It is idempotent by nature: asked again, the server says 404.
type deletion struct {
	*engine
	ef   *checkpoint.Effect
	id   int64 // of the conversation
	lost bool  // the answer to an earlier request was lost: it may have been applied, whatever comes of this one
}

// deleteConversation reports whether a conversation is gone for certain, or why it stays. An effect that has its end
// already is left as it is.
func (e *engine) deleteConversation(ctx context.Context, ef *checkpoint.Effect, id int64) (gone bool, why string, err error) {
	if ef.State == checkpoint.Created || ef.State == checkpoint.Rejected {
		return ef.State == checkpoint.Created, ef.Reason, nil
	}
	d := &deletion{e, ef, id, ef.State != checkpoint.Pending}
	for {
		if err := e.reachable(ctx); err != nil {
			return false, "", err
		}
		if err := e.mayWrite(ctx); err != nil {
			return false, "", err
		}
		if err := e.halted(ctx); err != nil {
			return false, "", err
		}
		keep := context.WithoutCancel(ctx)
		if ef.State == checkpoint.Pending {
			if err := e.store.BeginEffect(keep, ef.ID, e.run, time.Now(), nil); err != nil {
				return false, "", err
			}
		}
		ef.State = checkpoint.Sending
		err := e.Client.Delete(e.hard, id)
		status := helpscout.StatusOf(err)
		switch kind := helpscout.KindOf(err); {
		case err == nil:
			e.out.applied()
			return true, "", e.store.DoneEffect(keep, ef.ID, id, time.Now())
		case status == 404 || status >= 300 && status < 400:
			e.out.applied()
			return e.notFoundOnDelete(ctx, ef, id)
		case kind == helpscout.Rejected:
			e.out.applied()
			return e.stays(ctx, ef, status, fmt.Sprintf("conversation %d stays: %v", id, err))
		case kind == helpscout.Wait || kind == helpscout.Stop:
			err = d.notApplied(keep, err)
		default:
			err = d.unanswered(ctx, err)
		}
		if err != nil {
			return false, "", err
		}
	}
}

// notApplied puts a delete back that the server would not take just now, unless an earlier request may have been applied.
func (d *deletion) notApplied(ctx context.Context, err error) error {
	if !d.lost {
		if berr := d.store.BackEffect(ctx, d.ef.ID, err.Error()); berr != nil {
			return berr
		}
		d.ef.State = checkpoint.Pending
	}
	if helpscout.KindOf(err) == helpscout.Stop {
		return authStop(err)
	}
	if helpscout.StatusOf(err) == 0 {
		d.out.refused()
	} else if _, patient := d.out.pause(d.patience()); !patient {
		return stopf(ExitLeft, "everything is saved; try again later", "the server has refused every write for %s (%v)", d.patience(), err)
	}
	return nil
}

// unanswered waits before a delete whose answer was lost is asked again.
func (d *deletion) unanswered(ctx context.Context, err error) error {
	d.lost = true
	if n := d.out.doubt(); n >= doubtsAtMost {
		return stopf(ExitLeft, "everything is saved; the same command goes on", "the last %d writes got no answer that says what became of them (%v)", n, err)
	}
	pause, patient := d.out.pause(d.patience())
	if !patient {
		return stopf(ExitLeft, "everything is saved", "conversation %d could not be deleted: %v", d.id, err)
	}
	return d.sleep(ctx, pause)
}

// stays notes that a conversation will not be deleted.
func (e *engine) stays(ctx context.Context, ef *checkpoint.Effect, status int, why string) (bool, string, error) {
	if err := e.store.RejectEffect(context.WithoutCancel(ctx), ef.ID, status, why, time.Now()); err != nil {
		return false, why, err
	}
	return false, why, e.effectAnswer(ctx, ef, "kept", status, why)
}

// notFoundOnDelete tells a conversation that is gone from one that was merged: writes to a merged one answer 404 too,
// a read answers 301. Merged ones are left alone and reported.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/delete
func (e *engine) notFoundOnDelete(ctx context.Context, ef *checkpoint.Effect, id int64) (gone bool, why string, err error) {
	_, err = read(ctx, e, func() (*helpscout.Conversation, error) { return e.Client.Conversation(ctx, id, false) })
	switch {
	case helpscout.StatusOf(err) == 301:
		return e.stays(ctx, ef, 301, fmt.Sprintf("conversation %d was merged into another: it stays", id))
	case helpscout.StatusOf(err) == 404:
		return true, "", e.store.DoneEffect(context.WithoutCancel(ctx), ef.ID, id, time.Now())
	case err == nil:
		return e.stays(ctx, ef, 404, fmt.Sprintf("conversation %d is there, but the server will not delete it", id))
	}
	return false, "", err
}
