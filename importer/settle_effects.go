package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
)

// settleEffects finds out about uploads and appended threads whose answer was lost: they were applied only if the
// thread list shows more of their like than it showed before the request, and than we already own. It reports whether
// some are pending again.
func (e *engine) settleEffects(ctx context.Context) (again bool, err error) {
	before := e.Quota.Stats().Units
	defer func() { e.settling += e.Quota.Stats().Units - before }()
	effects, err := e.store.Effects(ctx, checkpoint.EffectFilter{State: checkpoint.InDoubt})
	if err != nil {
		return false, err
	}
	for len(effects) > 0 {
		n := 1
		for n < len(effects) && effects[n].PartID == effects[0].PartID {
			n++
		}
		more, err := e.settlePart(ctx, effects[:n])
		if err != nil {
			return again, err
		}
		again = again || more
		effects = effects[n:]
	}
	if again {
		return true, e.sweep(ctx)
	}
	return false, nil
}

// settlePart settles the effects in doubt of one part.
func (e *engine) settlePart(ctx context.Context, effects []checkpoint.Effect) (again bool, err error) {
	row, err := e.store.PartByID(ctx, effects[0].PartID)
	if err != nil || row == nil {
		return false, err
	}
	for i := range effects {
		if err := e.halted(ctx); err != nil {
			return again, err
		}
		if effects[i].Kind == kindDelete {
			if err := e.deleteAgain(ctx, &effects[i]); err != nil {
				return again, err
			}
			continue
		}
		if row.ConversationID == 0 {
			continue
		}
		settle := e.settleEffect
		switch effects[i].Kind {
		case kindStatus:
			settle = e.settleStatus
		case kindRelink:
			settle = e.settleRelink
		}
		pending, err := settle(ctx, row, &effects[i])
		if err != nil {
			return again, err
		}
		again = again || pending
	}
	if again || !slices.ContainsFunc(effects, func(ef checkpoint.Effect) bool { return looksTouched(&ef) }) {
		return again, nil
	}
	waiting, err := e.store.Effects(ctx, checkpoint.EffectFilter{PartID: row.ID, Kind: kindStatus, State: checkpoint.Pending})
	return len(waiting) > 0, err // for these, see unsettled
}

// deleteAgain finishes the delete of a late twin whose answer was lost: it is simply asked again. What --redo-changed
// takes back is finished before the next plan is made (see finishRedo).
func (e *engine) deleteAgain(ctx context.Context, ef *checkpoint.Effect) error {
	var id int64
	if _, err := fmt.Sscanf(ef.Slot, "twin:%d", &id); err != nil {
		return nil
	}
	_, _, err := e.deleteConversation(ctx, ef, id)
	return err
}

func (e *engine) settleEffect(ctx context.Context, row *checkpoint.Part, ef *checkpoint.Effect) (again bool, err error) {
	var ev effectEvidence
	if err := json.Unmarshal(ef.Evidence, &ev); err != nil {
		return false, fmt.Errorf("evidence of %s %d: %w", ef.Kind, ef.ID, err)
	}
	for {
		threads, err := read(ctx, e, func() ([]helpscout.Thread, error) { return e.Client.Threads(ctx, row.ConversationID) })
		if helpscout.KindOf(err) == helpscout.Rejected && err != nil {
			return false, e.gone(ctx, row, []checkpoint.Effect{*ef}, err)
		}
		if err != nil {
			return false, err
		}
		shown, id := e.shown(ef.Kind, ev, threads)
		owned, err := e.ownedLike(ctx, ef, ev)
		if err != nil {
			return false, err
		}
		if shown > owned {
			e.effectDone(ef.Kind)
			return false, e.store.DoneEffect(context.WithoutCancel(ctx), ef.ID, id, time.Now())
		}
		if over, err := e.absenceCounts(ctx, ef, "an "+ef.Kind); err != nil {
			return false, err
		} else if over {
			return e.absentEffect(ctx, ef, ef.Kind)
		}
	}
}

// absenceCounts reports that the settle time of an effect in doubt is over. Where it is not, it waits for its end, for the
// caller to look once more.
func (e *engine) absenceCounts(ctx context.Context, ef *checkpoint.Effect, what string) (bool, error) {
	wait := time.Until(ef.GaveUpAt.Add(e.settleTime()))
	if wait <= 0 {
		return true, nil
	}
	e.tell(Event{Kind: EventWait, Why: "settling", Until: time.Now().Add(wait), Text: fmt.Sprintf("%s is in doubt; waiting %s before its absence counts", what, wait.Round(time.Second))})
	return false, e.sleep(ctx, wait)
}

// absentEffect makes an effect pending again whose absence is proven; after three times the server fails on it.
func (e *engine) absentEffect(ctx context.Context, ef *checkpoint.Effect, what string) (again bool, err error) {
	ctx = context.WithoutCancel(ctx)
	n, err := e.store.AbsentEffect(ctx, ef.ID)
	if err != nil || n < maxAbsences {
		return err == nil, err
	}
	return false, e.refuseEffect(ctx, ef, 0, "the server fails on this "+what+": three times it gave no answer and did not apply it")
}

// shown counts what the server shows of an effect's like, and names the newest.
func (e *engine) shown(kind string, ev effectEvidence, threads []helpscout.Thread) (n int, id int64) {
	if kind == kindUpload {
		if t := targetThread(threads, ev); t != nil {
			return countFiles(t, ev.Name, ev.Size), 0
		}
		return 0, 0
	}
	like := matchThreads(threads, ev.Find, true)
	if len(like) == 0 {
		return 0, 0
	}
	return len(like), like[len(like)-1].ID
}

// ownedLike counts the effects of the same part and like that were applied for sure, and what was there before the
// first of them.
func (e *engine) ownedLike(ctx context.Context, ef *checkpoint.Effect, ev effectEvidence) (int, error) {
	all, err := e.store.Effects(ctx, checkpoint.EffectFilter{PartID: ef.PartID, Kind: ef.Kind})
	if err != nil {
		return 0, err
	}
	first := ev.Before
	n := 0
	for _, other := range all {
		var o effectEvidence
		if other.ID == ef.ID || json.Unmarshal(other.Evidence, &o) != nil || !likeEffect(ev, o) || other.State != checkpoint.Created {
			continue
		}
		n++
		first = min(first, o.Before)
	}
	return first + n, nil
}

func likeEffect(a, b effectEvidence) bool {
	return a.Find.Type == b.Find.Type && a.Find.At == b.Find.At && a.Find.Text == b.Find.Text && a.Nth == b.Nth && a.Name == b.Name && a.Size == b.Size
}
