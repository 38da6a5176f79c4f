package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
)

// A create can be applied minutes after its answer was lost, and so after its absence was proven and the part was sent
// again. Every part that was sent again is therefore watched until three settle times after its first lost answer: a
// twin that turns up, newer than the first request, owned by nobody, equal to the last thread, is deleted under
// an intent row of its own.

// watched is kept in the checkpoint for each re-sent part, so that a later run goes on watching.
type watched struct {
	Part  int64 `json:"part"`
	Floor int64 `json:"floor"`
	Until int64 `json:"until"` // unix milliseconds
}

const watchKey = "watched"

func (e *engine) watching(ctx context.Context) (out []watched, err error) {
	v, ok, err := e.store.Get(ctx, watchKey)
	if err != nil || !ok || v == "" {
		return nil, err
	}
	if err := json.Unmarshal([]byte(v), &out); err != nil {
		return nil, fmt.Errorf("the list of watched parts in the checkpoint: %w", err)
	}
	return out, nil
}

func (e *engine) setWatching(ctx context.Context, ws []watched) error {
	b, err := json.Marshal(ws)
	if err != nil {
		return err
	}
	return e.store.Set(context.WithoutCancel(ctx), watchKey, string(b))
}

// watchFor adds parts that are about to be sent again. It is written before they become pending.
func (e *engine) watchFor(ctx context.Context, left []doubt) error {
	ws, err := e.watching(ctx)
	if err != nil {
		return err
	}
	have := map[int64]bool{}
	for _, w := range ws {
		have[w.Part] = true
	}
	for _, d := range left {
		if !have[d.row.ID] {
			until := d.row.GaveUpAt.Add(watchFactor * e.settleTime())
			ws = append(ws, watched{Part: d.row.ID, Floor: d.floor, Until: until.UnixMilli()})
		}
	}
	return e.setWatching(ctx, ws)
}

// watch looks once, after the time is over, for twins of the parts that were sent again.
func (e *engine) watch(ctx context.Context) error {
	before := e.Quota.Stats().Units
	defer func() { e.settling += e.Quota.Stats().Units - before }()
	ws, err := e.watching(ctx)
	if err != nil || len(ws) == 0 {
		return err
	}
	last := int64(0)
	for _, w := range ws {
		last = max(last, w.Until)
	}
	if d := time.Until(time.UnixMilli(last)); d > 0 {
		e.tell(Event{Kind: EventWait, Why: "watching", Text: fmt.Sprintf("%d conversations were sent again; watching %s more for a late twin", len(ws), d.Round(time.Second))})
		if err := e.sleep(ctx, d); err != nil {
			return err
		}
	}
	var keep []watched
	for _, w := range ws {
		done, err := e.twins(ctx, w)
		if err != nil {
			return err
		}
		if !done {
			keep = append(keep, w)
		}
	}
	return e.setWatching(ctx, keep)
}

// twins deletes the late twins of one part. It is done when the part itself has arrived and no twin is left.
func (e *engine) twins(ctx context.Context, w watched) (done bool, err error) {
	row, err := e.store.PartByID(ctx, w.Part)
	if err != nil || row == nil || row.State == checkpoint.Rejected {
		return true, err
	}
	if row.State != checkpoint.Created {
		return false, nil
	}
	ev, ok := decodeEvidence(row.Evidence)
	if !ok {
		return true, nil
	}
	cands, err := e.atSecond(ctx, ev.Created)
	if err != nil {
		return false, err
	}
	if cands, err = e.unowned(ctx, cands); err != nil {
		return false, err
	}
	threads := map[int64][]helpscout.Thread{}
	for i := range cands {
		c := &cands[i]
		if c.Number <= w.Floor || !byAPI(c) || !alike(ev, c) {
			continue
		}
		same, err := e.sameThreads(ctx, ev, c, threads)
		if err != nil {
			return false, err
		}
		if same {
			if err := e.deleteTwin(ctx, row, c); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// deleteTwin removes one conversation that a request of ours created after we had proven its absence.
func (e *engine) deleteTwin(ctx context.Context, row *checkpoint.Part, c *helpscout.Conversation) error {
	ef, err := e.deleteIntent(ctx, row.ID, "twin:"+strconv.FormatInt(c.ID, 10))
	if err != nil {
		return err
	}
	if ef.State == checkpoint.Created || ef.State == checkpoint.Rejected {
		return nil // the list lags: it was dealt with before
	}
	e.warn("late-twin", fmt.Sprintf("conversation %d (#%d) is ticket %s, created by a request whose answer was lost long ago; it was sent again as conversation %d, so the late one is deleted",
		c.ID, c.Number, row.Ticket, row.ConversationID))
	_, why, err := e.deleteConversation(ctx, ef, c.ID)
	if why != "" {
		e.warn("late-twin", fmt.Sprintf("the late twin of ticket %s: %s", row.Ticket, why))
	}
	return err
}

// deleteConversation is idempotent by nature: asked again, the server says 404. It reports whether the conversation is
// gone for certain, or why it stays. An effect that has its end already is left as it is.
func (e *engine) deleteConversation(ctx context.Context, ef *checkpoint.Effect, id int64) (gone bool, why string, err error) {
	if ef.State == checkpoint.Created || ef.State == checkpoint.Rejected {
		return ef.State == checkpoint.Created, ef.Reason, nil
	}
	for {
		if err := e.reachable(ctx); err != nil {
			return false, "", err
		}
		if err := e.Quota.Write(ctx); err != nil {
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
			return e.notFoundOnDelete(ctx, ef, id)
		case kind == helpscout.Stop:
			return false, "", authStop(err)
		case kind == helpscout.Rejected:
			return e.stays(ctx, ef, status, fmt.Sprintf("conversation %d stays: %v", id, err))
		}
		e.out.doubt()
		pause, patient := e.out.pause(e.patience())
		if !patient {
			return false, "", stopf(ExitLeft, "everything is saved", "conversation %d could not be deleted: %v", id, err)
		}
		if err := e.sleep(ctx, pause); err != nil {
			return false, "", err
		}
	}
}

// stays notes that a conversation will not be deleted.
func (e *engine) stays(ctx context.Context, ef *checkpoint.Effect, status int, why string) (bool, string, error) {
	return false, why, e.store.RejectEffect(context.WithoutCancel(ctx), ef.ID, status, why, time.Now())
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
