package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
)

// freshFor is how many settle times after the import a change counts as the work of an automatism. Later on people
// work on what was imported, and that is what it is for.
const freshFor = 60

// lookOnceMore reads the first conversations again when the settle time is over: what has been done to them that we did
// not send is a workflow or a person at work. It does not hold the run up: before its time it does nothing, and a
// later run makes up for it. Where at least two, and half of them, were answered, moved, closed or deleted, the run
// stops once, before ten thousand customers hear of it; other changes are findings.
func (e *engine) lookOnceMore(ctx context.Context) error {
	due, err := e.lookDue(ctx)
	if err != nil || due == nil {
		return err
	}
	late := time.Since(time.UnixMilli(due.At)) > freshFor*e.settleTime()
	bad, first := 0, ""
	for _, id := range due.Parts {
		row, err := e.store.PartByID(ctx, id)
		if err != nil {
			return err
		}
		if late || row == nil || row.State != checkpoint.Created {
			continue
		}
		grave, err := e.meddling(ctx, row)
		if err != nil {
			return err
		}
		if grave != "" {
			if bad++; first == "" {
				first = grave
			}
		}
	}
	e.again = &lookAgain{}
	if err := e.store.Set(context.WithoutCancel(ctx), canaryAgain, ""); err != nil {
		return err
	}
	if bad >= 2 && 2*bad >= len(due.Parts) {
		return stopf(ExitLeft, "look at these conversations and at the workflows of the account; the same command goes on",
			"%d of the first %d conversations were changed after they were imported, the first: %s: a workflow acts on what is imported", bad, len(due.Parts), first)
	}
	return nil
}

// lookDue returns what is to be looked at now, or nil.
func (e *engine) lookDue(ctx context.Context) (*lookAgain, error) {
	if e.again == nil {
		e.again = &lookAgain{}
		v, ok, err := e.store.Get(ctx, canaryAgain)
		if err != nil {
			return nil, err
		}
		if ok && v != "" {
			if err := json.Unmarshal([]byte(v), e.again); err != nil {
				return nil, fmt.Errorf("%s in the checkpoint: %w", canaryAgain, err)
			}
		}
	}
	if len(e.again.Parts) == 0 || time.Since(time.UnixMilli(e.again.At)) < e.settleTime() {
		return nil, nil
	}
	return e.again, nil
}

// meddling reads one conversation and reports what was done to it; grave is what would disturb customers or undo the
// import.
func (e *engine) meddling(ctx context.Context, row *checkpoint.Part) (grave string, err error) {
	ev, ok := decodeEvidence(row.Evidence)
	if !ok {
		return "", nil
	}
	c, threads, err := e.fetch(ctx, row.ConversationID)
	switch {
	case err != nil && helpscout.KindOf(err) != helpscout.Rejected:
		return "", err
	case err != nil:
		grave, err = "it is not there any more", nil
	default:
		grave, err = e.reportMeddling(ctx, row, ev, c, threads)
	}
	if grave != "" {
		grave = fmt.Sprintf("conversation %d: %s", row.ConversationID, grave)
	}
	return grave, err
}

func (e *engine) reportMeddling(ctx context.Context, row *checkpoint.Part, ev Evidence, c *helpscout.Conversation, threads []helpscout.Thread) (grave string, err error) {
	appended, err := e.store.Effects(ctx, checkpoint.EffectFilter{PartID: row.ID, Kind: kindAppend})
	if err != nil {
		return "", err
	}
	if len(appended) > 0 {
		threads = slices.Clone(threads)
		for _, ef := range appended {
			var a effectEvidence
			if json.Unmarshal(ef.Evidence, &a) == nil {
				if like := matchThreads(threads, a.Find, true); len(like) > 0 {
					threads = slices.DeleteFunc(threads, func(t helpscout.Thread) bool { return t.ID == like[len(like)-1].ID })
				}
			}
		}
	}
	fatal, what := differences(ev, c, threads)
	if len(c.Tags) > len(ev.Tags) {
		what = append(what, "it has tags that were not sent")
	}
	if slices.ContainsFunc(threads, func(t helpscout.Thread) bool { return t.Type == "lineitem" }) {
		what = append(what, "it has a line item")
	}
	grave = strings.Join(fatal, "; ")
	if what = append(fatal, what...); len(what) > 0 {
		e.warn("touched-after-import", fmt.Sprintf("conversation %d was changed after it was imported (%s): a workflow or a person is at work on imported conversations", c.ID, strings.Join(what, "; ")))
	}
	return grave, nil
}

// firstOfKind holds back all effects of a kind but one until that one has been read back; first says that this is the
// one, and release is to be called when it is over. After the kind has passed it costs nothing.
func (e *engine) firstOfKind(ctx context.Context, kind string) (first bool, release func(), err error) {
	if err := e.canary.turn.take(ctx); err != nil {
		return false, nil, err
	}
	if !e.canary.passed[kind] {
		return true, e.canary.turn.give, nil
	}
	e.canary.turn.give()
	return false, func() {}, nil
}

// readBackKind reads back the first effect of a kind that the server says it has applied, unless the kind has passed.
func (e *engine) readBackKind(ctx context.Context, kind string) error {
	if e.canary.passed[kind] {
		return nil
	}
	state, _, err := e.store.Get(ctx, canaryOf(kind))
	if err != nil {
		return err
	}
	if state == canaryPassed {
		e.canary.passed[kind] = true
		return nil
	}
	done, err := e.store.Effects(ctx, checkpoint.EffectFilter{Kind: kind, State: checkpoint.Created})
	if err != nil || len(done) == 0 {
		return err
	}
	for i := range done {
		there, err := e.effectThere(ctx, &done[i])
		if err != nil {
			return err
		}
		if there {
			e.canary.passed[kind] = true
			return e.store.Set(context.WithoutCancel(ctx), canaryOf(kind), canaryPassed)
		}
		if i == maxCanary {
			break
		}
	}
	return stopf(ExitLeft, "only a handful was written; look at it in Help Scout before anything else is sent",
		"the server says that it has taken %s of ticket %s, but does not show it", map[string]string{kindUpload: "an attachment", kindAppend: "a thread", kindStatus: "another status", kindRelink: "another text"}[kind], e.ticketOf(ctx, done[0].PartID))
}

// ticketOf names the ticket of a part, for people.
func (e *engine) ticketOf(ctx context.Context, part int64) string {
	if row, err := e.store.PartByID(ctx, part); err == nil && row != nil {
		return row.Ticket
	}
	return "unknown"
}

// effectThere reports that an applied effect can be read back; a server that needs a moment gets it.
func (e *engine) effectThere(ctx context.Context, ef *checkpoint.Effect) (bool, error) {
	row, err := e.store.PartByID(ctx, ef.PartID)
	if err != nil || row == nil || row.State != checkpoint.Created {
		return false, err
	}
	var ev effectEvidence
	if err := json.Unmarshal(ef.Evidence, &ev); err != nil {
		return false, fmt.Errorf("evidence of %s %d: %w", ef.Kind, ef.ID, err)
	}
	for pause := e.settleTime() / 16; ; pause *= 2 {
		there, err := e.showsEffect(ctx, row.ConversationID, ef, ev)
		if err != nil && helpscout.KindOf(err) == helpscout.Rejected {
			return false, nil
		}
		if err != nil || there {
			return there, err
		}
		if pause > e.settleTime()/2 {
			return false, nil
		}
		if err := e.sleep(ctx, pause); err != nil {
			return false, err
		}
	}
}

// showsEffect asks once.
func (e *engine) showsEffect(ctx context.Context, conversation int64, ef *checkpoint.Effect, ev effectEvidence) (bool, error) {
	if ef.Kind == kindStatus {
		c, err := read(ctx, e, func() (*helpscout.Conversation, error) { return e.Client.Conversation(ctx, conversation, false) })
		return err == nil && (ev.Kept != "" || statusNow(c) == ev.To), err
	}
	threads, err := read(ctx, e, func() ([]helpscout.Thread, error) { return e.Client.Threads(ctx, conversation) })
	if err != nil {
		return false, err
	}
	if ef.Kind == kindRelink {
		t := targetThread(threads, ev)
		return ev.Links == 0 || t != nil && e.leads(ctx, ev, t), nil
	}
	ofID := func(t helpscout.Thread) bool { return t.ID == ef.RemoteID && t.CreatedAt.Unix() == ev.Find.At }
	n, _ := e.shown(ef.Kind, ev, threads)
	return n > ev.Before || ef.RemoteID != 0 && slices.ContainsFunc(threads, ofID), nil
}
