package importer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
)

// Why a conversation stays that was to be deleted.
const (
	KeptTouched = "touched" // people have worked on it
	KeptMerged  = "merged"  // into another one, by people
	KeptRefused = "refused" // the server does not delete it, or does not show it to us
	KeptAdopted = "adopted" // this job did not create it
)

// stay says why a conversation is not deleted; the zero value: nothing speaks for it.
type stay struct {
	because string // see KeptTouched
	why     string
	status  int    // HTTP status of a refusal
	reason  string // and the server's words alone
	noted   bool   // among the answers of this run
}

func (s stay) stays() bool { return s.because != "" }

// tryDelete deletes the conversation of a part, or says why it stays. Where the server refuses one after the other, the
// account is what is wrong: that ends the command.
func (e *engine) tryDelete(ctx context.Context, row *checkpoint.Part) (gone bool, kept stay, err error) {
	began := time.Now()
	if kept, gone, err = e.whyStays(ctx, row); err != nil || gone {
		return gone, kept, err
	}
	if !kept.stays() {
		if gone, kept, err = e.deleteOwn(ctx, row); err != nil {
			return false, stay{}, err
		}
	}
	if gone {
		e.deletes.success(began)
	}
	return gone, kept, e.refusedInARow(row, kept, began)
}

// refusedInARow ends a command to which the server refuses every delete.
func (e *engine) refusedInARow(row *checkpoint.Part, kept stay, began time.Time) error {
	if kept.because != KeptRefused {
		return nil
	}
	reason := fmt.Sprintf("%d %s", kept.status, kept.reason)
	ids := e.deletes.rejected(row.ID, reason, began)
	if ids == nil {
		return nil
	}
	code, hint := ExitLeft, "mend what the server names, and run the same command again: it tries them once more"
	if kept.status == http.StatusForbidden {
		code = ExitAuth
		hint = "the app's user may not delete conversations: allow it by its role, or use the credentials of an administrator, and run the same command again"
	}
	return stopf(code, hint, "the server has refused to delete %d conversations in a row for one reason: %s", len(ids), reason)
}

// deleteOwn deletes the conversation of a part that nothing speaks for any more (see whyStays), for rollback too: should
// this process end here, the next run finishes the delete. What the server has refused before may be allowed by now.
func (e *engine) deleteOwn(ctx context.Context, row *checkpoint.Part) (gone bool, kept stay, err error) {
	ef, err := e.deleteIntent(ctx, row.ID, redoSlot+strconv.FormatInt(row.ConversationID, 10))
	if err != nil {
		return false, stay{}, err
	}
	if ef.State == checkpoint.Rejected {
		if err := e.store.UnrejectEffect(context.WithoutCancel(ctx), ef.ID); err != nil {
			return false, stay{}, err
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
func (e *engine) deleteConversation(ctx context.Context, ef *checkpoint.Effect, id int64) (gone bool, kept stay, err error) {
	if ef.State == checkpoint.Created || ef.State == checkpoint.Rejected {
		kept.why = ef.Reason
		if ef.State == checkpoint.Rejected {
			kept.because = KeptRefused
		}
		return ef.State == checkpoint.Created, kept, nil
	}
	d := &deletion{e, ef, id, ef.State != checkpoint.Pending}
	for {
		if err := e.reachable(ctx); err != nil {
			return false, stay{}, err
		}
		if err := e.mayWrite(ctx); err != nil {
			return false, stay{}, err
		}
		if err := e.halted(ctx); err != nil {
			return false, stay{}, err
		}
		keep := context.WithoutCancel(ctx)
		if ef.State == checkpoint.Pending {
			if err := e.store.BeginEffect(keep, ef.ID, e.run, time.Now(), nil); err != nil {
				return false, stay{}, err
			}
		}
		ef.State = checkpoint.Sending
		err := e.Client.Delete(e.hard, id)
		status := helpscout.StatusOf(err)
		switch kind := helpscout.KindOf(err); {
		case err == nil:
			e.out.applied()
			return true, stay{}, e.store.DoneEffect(keep, ef.ID, id, time.Now())
		case status == 404 || status >= 300 && status < 400:
			e.out.applied()
			return e.notFoundOnDelete(ctx, ef, id)
		case kind == helpscout.Rejected:
			e.out.applied()
			kept, err := e.stays(ctx, ef, refusal(err, fmt.Sprintf("the server does not delete conversation %d", id)))
			return false, kept, err
		case kind == helpscout.Wait || kind == helpscout.Stop:
			err = d.notApplied(keep, err)
		default:
			err = d.unanswered(ctx, err)
		}
		if err != nil {
			return false, stay{}, err
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

// refusal is what the server has said to a call about a conversation that is to be deleted; what tells the rest.
func refusal(err error, what string) stay {
	s := stay{because: KeptRefused, status: helpscout.StatusOf(err), reason: err.Error()}
	var he *helpscout.Error
	if errors.As(err, &he) {
		s.reason = he.Reason()
	}
	s.why = fmt.Sprintf("%s: %d %s", what, s.status, s.reason)
	return s
}

// stays notes that a conversation will not be deleted.
func (e *engine) stays(ctx context.Context, ef *checkpoint.Effect, kept stay) (stay, error) {
	kept.noted = true
	if err := e.store.RejectEffect(context.WithoutCancel(ctx), ef.ID, kept.status, kept.why, time.Now()); err != nil {
		return kept, err
	}
	return kept, e.effectAnswer(ctx, ef, "kept", kept.status, kept.why)
}

// notFoundOnDelete tells a conversation that is gone from one that was merged: writes to a merged one answer 404 too,
// a read answers 301. Merged ones are left alone and reported.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/delete
func (e *engine) notFoundOnDelete(ctx context.Context, ef *checkpoint.Effect, id int64) (gone bool, kept stay, err error) {
	c, err := read(ctx, e, func() (*helpscout.Conversation, error) { return e.Client.Conversation(ctx, id, false) })
	switch {
	case helpscout.StatusOf(err) == 301:
		kept = mergedAway(id)
	case helpscout.StatusOf(err) == 404 || err == nil && inTrash(c):
		return true, stay{}, e.store.DoneEffect(context.WithoutCancel(ctx), ef.ID, id, time.Now())
	case err == nil:
		kept = stay{because: KeptRefused, why: fmt.Sprintf("conversation %d is there, but the server says of its delete that it is not", id), status: 404, reason: "not found, although it is there"}
	case helpscout.KindOf(err) == helpscout.Rejected:
		kept = notShown(id, err)
	default:
		return false, stay{}, err
	}
	kept, err = e.stays(ctx, ef, kept)
	return false, kept, err
}

// inTrash reports that a conversation is shown although it was deleted; whether the service does that is not documented.
func inTrash(c *helpscout.Conversation) bool { return strings.EqualFold(c.State, "deleted") }

func mergedAway(id int64) stay {
	return stay{because: KeptMerged, why: fmt.Sprintf("conversation %d was merged into another", id), status: http.StatusMovedPermanently}
}

func notShown(id int64, err error) stay {
	return refusal(err, fmt.Sprintf("the server does not show conversation %d", id))
}
