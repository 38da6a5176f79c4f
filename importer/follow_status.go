package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// A conversation gets the status that the source says by now, unless people have worked on it since: then theirs stands,
// and it is not asked about again until the source says something else. Right before the change the conversation is
// read. The change is one PATCH: it mails nobody, leaves a line item, and closes with the present time, because the API
// takes a closedAt in the create call only; workflows and webhooks of the account may act on it.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/update

// statusEffect is the intent to give a conversation another status; n tells it from earlier ones.
func statusEffect(row *checkpoint.Part, to, sign string, n int) checkpoint.Effect {
	return checkpoint.Effect{
		PartID: row.ID, Kind: kindStatus, Slot: fmt.Sprintf("%06d:%s", n, to), State: checkpoint.Pending,
		Evidence: effectEvidence{To: to, Source: sign}.encode(),
	}
}

// statusNumber is the first that no change of status has in its slot, of a part, or of any where part is 0.
func statusNumber(ctx context.Context, store *checkpoint.Store, part int64) (next int, err error) {
	all, err := store.Effects(ctx, checkpoint.EffectFilter{PartID: part, Kind: kindStatus})
	for _, ef := range all {
		number, _, _ := strings.Cut(ef.Slot, ":")
		if n, err := strconv.Atoi(number); err == nil {
			next = max(next, n+1)
		}
	}
	return next, err
}

// changeStatus performs one of them.
func (e *engine) changeStatus(ctx context.Context, call *effectCall) error {
	if err := json.Unmarshal(call.ef.Evidence, &call.ev); err != nil {
		return fmt.Errorf("evidence of status %d: %w", call.ef.ID, err)
	}
	switch ready, pointless, err := e.lastByNow(ctx, call); {
	case err != nil:
		return err
	case pointless:
		return e.store.DropEffect(ctx, call.ef.ID)
	case !ready:
		return nil
	}
	if over, err := e.overtaken(ctx, call); err != nil {
		return err
	} else if over {
		return e.store.DropEffect(ctx, call.ef.ID)
	}
	if waits, err := e.unsettled(ctx, call.row.ID); err != nil || waits {
		return err
	}
	id := call.row.ConversationID
	c, threads, err := e.fetch(ctx, id)
	if err != nil {
		return e.gone(ctx, call.row, []checkpoint.Effect{*call.ef}, err)
	}
	row, err := e.store.PartByID(ctx, call.row.ID) // as the effects before this one have left it
	if err != nil || row == nil {
		return err
	}
	call.row = row
	if statusNow(c) == call.ev.To {
		return e.settled(ctx, call, "")
	}
	why, err := e.touchedSince(ctx, row, c, threads)
	if err != nil {
		return err
	}
	if why != "" {
		return e.settled(ctx, call, why)
	}
	call.send = func(ctx context.Context) (int64, error) {
		return 0, e.Client.Patch(ctx, "/v2/conversations/"+strconv.FormatInt(id, 10), "replace", "/status", call.ev.To)
	}
	call.done = func(ctx context.Context) error { return e.statusDone(ctx, call.row, call.ef, call.ev) }
	return e.perform(ctx, call)
}

// unsettled reports that nobody knows yet whether a message of ours was appended to a part, or an earlier status given to
// it: that would look like the work of people. The status waits for settlePart.
func (e *engine) unsettled(ctx context.Context, part int64) (bool, error) {
	all, err := e.store.Effects(ctx, checkpoint.EffectFilter{PartID: part})
	return slices.ContainsFunc(all, func(ef checkpoint.Effect) bool {
		return looksTouched(&ef) && (ef.State == checkpoint.Sending || ef.State == checkpoint.InDoubt)
	}), err
}

func looksTouched(ef *checkpoint.Effect) bool { return ef.Kind == kindAppend || ef.Kind == kindStatus }

// lastByNow reports whether an earlier part may be closed: the part behind it is there. It is pointless when that part was
// rejected.
func (e *engine) lastByNow(ctx context.Context, call *effectCall) (ready, pointless bool, err error) {
	known, err := e.store.PartsOf(ctx, call.row.Ticket)
	if err != nil {
		return false, false, err
	}
	ready, pointless = true, false
	for _, k := range known {
		if k.Number <= call.row.Number {
			continue
		}
		ready = k.State == checkpoint.Created
		pointless = k.State == checkpoint.Rejected
	}
	return ready, pointless, nil
}

// settled notes that no request is needed: the conversation is as it should be, or why it stays as people have made it.
func (e *engine) settled(ctx context.Context, call *effectCall, why string) error {
	ctx = context.WithoutCancel(ctx)
	call.ev.Kept = why
	if err := e.store.BeginEffect(ctx, call.ef.ID, e.run, time.Now(), call.ev.encode()); err != nil {
		return err
	}
	return e.statusDone(ctx, call.row, call.ef, call.ev)
}

// statusDone writes down what the conversation is like from now on.
func (e *engine) statusDone(ctx context.Context, row *checkpoint.Part, ef *checkpoint.Effect, ev effectEvidence) error {
	sent, ok := decodeEvidence(row.Evidence)
	if !ok {
		return fmt.Errorf("part %d of ticket %s: its evidence cannot be read", row.Number, row.Ticket)
	}
	sent.Source = ev.Source
	if ev.Kept == "" {
		sent.Status, sent.Closed = ev.To, 0 // when it was closed, the server says
	}
	if err := e.store.DoneChange(context.WithoutCancel(ctx), ef.ID, sent.encode(), time.Now()); err != nil {
		return err
	}
	if ev.Kept == "" {
		e.counted(func(*Conversations) { e.rep.Summary.Changes.Statuses++ })
		return nil
	}
	e.counted(func(*Conversations) { e.rep.Summary.Changes.StatusesKept++ })
	e.rep.Findings.Add(mapping.Finding{
		Severity: sources.Info, Code: "status-kept", Key: sources.Key(row.Ticket),
		Text: fmt.Sprintf("the source says %s by now, but people have worked on conversation %d since (%s): it stays as they have made it", ev.To, row.ConversationID, ev.Kept),
	})
	return nil
}

// touchedSince says what of a conversation differs from what this job has made of it, or "".
func (e *engine) touchedSince(ctx context.Context, row *checkpoint.Part, c *helpscout.Conversation, threads []helpscout.Thread) (string, error) {
	want, err := e.expect(ctx, row)
	if err != nil {
		return "", err
	}
	if !want.known {
		return "there is no record of what was sent", nil
	}
	head := *c
	head.ThreadCount = visible(threads)
	if what := touched(row, &head, len(want.Threads)-threadsOf(row)); what != "" {
		return what, nil
	}
	ours, err := e.writtenAt(ctx, row)
	if err != nil {
		return "", err
	}
	for _, t := range threads {
		if t.Type == "lineitem" && !near(ours, t.CreatedAt.Time) {
			return "it has a line item of " + stamp(t.CreatedAt.Unix()), nil
		}
	}
	return "", nil
}

func threadsOf(row *checkpoint.Part) int {
	ev, _ := decodeEvidence(row.Evidence)
	return len(ev.Threads)
}

// writtenAt are the moments at which this job has written to a conversation: what the service notes then is of our making.
func (e *engine) writtenAt(ctx context.Context, row *checkpoint.Part) ([]time.Time, error) {
	effects, err := e.store.Effects(ctx, checkpoint.EffectFilter{PartID: row.ID})
	out := []time.Time{row.SentAt, row.DoneAt}
	for _, ef := range effects {
		out = append(out, ef.SentAt, ef.DoneAt)
	}
	return out, err
}

func near(times []time.Time, at time.Time) bool {
	for _, t := range times {
		if d := at.Sub(t); d > -clocksDiffer && d < clocksDiffer {
			return true
		}
	}
	return false
}

// settleStatus finds out about a change of status whose answer was lost: the conversation says it. A status that is
// neither the old nor the new one is the work of people.
func (e *engine) settleStatus(ctx context.Context, row *checkpoint.Part, ef *checkpoint.Effect) (again bool, err error) {
	ev, ok := decodeEffect(ef.Evidence)
	sent, known := decodeEvidence(row.Evidence)
	if !ok || !known {
		return false, fmt.Errorf("the change of status %d of ticket %s has no record", ef.ID, row.Ticket)
	}
	for {
		c, err := read(ctx, e, func() (*helpscout.Conversation, error) { return e.Client.Conversation(ctx, row.ConversationID, false) })
		if err != nil && helpscout.KindOf(err) == helpscout.Rejected {
			return false, e.gone(ctx, row, []checkpoint.Effect{*ef}, err)
		}
		if err != nil {
			return false, err
		}
		now := statusNow(c)
		switch {
		case now == ev.To:
			ev.Kept = ""
			return false, e.statusDone(ctx, row, ef, ev)
		case ev.Kept != "":
			return false, e.statusDone(ctx, row, ef, ev)
		case now != sent.Status:
			ev.Kept = "its status is " + now
			return false, e.statusDone(ctx, row, ef, ev)
		}
		if over, err := e.absenceCounts(ctx, ef, "a change of status"); err != nil {
			return false, err
		} else if over {
			return e.absentEffect(ctx, ef, "change of status")
		}
	}
}
