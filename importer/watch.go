package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
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
func (e *engine) watchFor(ctx context.Context, left []doubt, lag time.Duration) error {
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
			until := d.row.GaveUpAt.Add(watchFactor*e.settleTime() + lag)
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
		e.tell(Event{Kind: EventWait, Why: "watching", Until: time.Now().Add(d), Text: fmt.Sprintf("%s sent again; watching %s more for a late twin", plural(len(ws), "conversation was", "conversations were"), d.Round(time.Second))})
		if err := e.sleep(ctx, d); err != nil {
			return err
		}
	}
	floor := ws[0].Floor
	for _, w := range ws {
		floor = min(floor, w.Floor)
	}
	fresh, _, err := e.walk(ctx, floor, 0)
	if err != nil {
		return err
	}
	var keep []watched
	for _, w := range ws {
		done, err := e.twins(ctx, w, fresh)
		if err != nil {
			return err
		}
		if !done && time.Since(time.UnixMilli(w.Until)) < watchLongest {
			keep = append(keep, w)
		}
	}
	return e.setWatching(ctx, keep)
}

// watchLongest ends the watch over a part that never comes to an end itself.
const watchLongest = 7 * 24 * time.Hour

// twins deletes the late twins of one part. It is done when the part itself has arrived, the list is as far as that,
// and no twin is left.
func (e *engine) twins(ctx context.Context, w watched, fresh []helpscout.Conversation) (done bool, err error) {
	row, err := e.store.PartByID(ctx, w.Part)
	if err != nil || row == nil || row.State == checkpoint.Rejected || row.State == checkpoint.Deleted {
		return true, err
	}
	if row.State != checkpoint.Created {
		return false, nil
	}
	ev, ok := decodeEvidence(row.Evidence)
	if !ok {
		return true, nil
	}
	if rivals, err := e.doubtAt(ctx, ev.Created); err != nil || rivals {
		return false, err // it may be theirs
	}
	cands, err := e.atSecond(ctx, ev.Created)
	if err != nil {
		return false, err
	}
	for _, c := range fresh {
		done = done || c.ID == row.ConversationID
		if c.CreatedAt.Unix() == ev.Created {
			cands = append(cands, c)
		}
	}
	if cands, err = e.unowned(ctx, cands); err != nil {
		return false, err
	}
	for i := range cands {
		if c := &cands[i]; c.Number > w.Floor && byAPI(c) {
			if err := e.twin(ctx, row, ev, c); err != nil {
				return false, err
			}
		}
	}
	return done, nil
}

// doubtAt reports that a part of that second is in doubt.
func (e *engine) doubtAt(ctx context.Context, sec int64) (bool, error) {
	for row, err := range e.store.InState(ctx, checkpoint.InDoubt) {
		if err != nil || row.Created == sec {
			return err == nil, err
		}
	}
	return false, nil
}

// twin deals with one conversation that nobody owns and that is newer than the proof of absence: what was sent, and
// nothing else, is deleted; what holds more is left and reported.
func (e *engine) twin(ctx context.Context, row *checkpoint.Part, ev Evidence, c *helpscout.Conversation) error {
	now, threads, err := e.fetch(ctx, c.ID)
	switch {
	case err != nil && helpscout.KindOf(err) == helpscout.Rejected:
		return nil // it is gone, and the list has not noticed
	case err != nil:
		return err
	case !holdsAny(ev, threads):
		return nil
	}
	same := alike(ev, now) && equalThreads(ev.Threads, threads)
	now.ThreadCount = len(ev.Threads)
	what := touched(row, now, 0)
	if same && what == "" {
		return e.deleteTwin(ctx, row, c)
	}
	ef, err := e.deleteIntent(ctx, row.ID, "twin:"+strconv.FormatInt(c.ID, 10))
	if err != nil || ef.State != checkpoint.Pending {
		return err
	}
	if what == "" {
		what = "it holds something else too"
	}
	why := fmt.Sprintf("conversation %d (#%d) seems to be ticket %s once more, beside conversation %d; people have worked on it (%s), so it stays: look at the two", c.ID, c.Number, row.Ticket, row.ConversationID, what)
	_, err = e.stays(ctx, ef, stay{because: KeptTouched, why: why})
	e.warn("late-twin", why)
	return err
}

// holdsAny reports that a conversation holds a thread of a part.
func holdsAny(ev Evidence, threads []helpscout.Thread) bool {
	return slices.ContainsFunc(ev.Threads, func(t ThreadEvidence) bool { return countThreads(threads, t) > 0 })
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
	_, kept, err := e.deleteConversation(ctx, ef, c.ID)
	if kept.stays() {
		e.warn("late-twin", fmt.Sprintf("the late twin of ticket %s: %s", row.Ticket, kept.why))
	}
	return err
}
