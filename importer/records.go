package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"hsimport/checkpoint"
	"hsimport/sources"
)

// Kinds of the records that each run leaves in the checkpoint.
const (
	RecordAnswer     = "answer"     // what the server said to a write it did not take, or did not say; Code tells what became of it
	RecordRefused    = "refused"    // a ticket that this program would not send
	RecordUnreadable = "unreadable" // bytes of the source that are no record
	RecordFinding    = "finding"    // one code with one value, how often, and the first example
	RecordStop       = "stop"       // why the run ended before its work was done
)

const (
	recordText  = 400              // bytes of what the server said
	recordsHeld = 64               // answers kept in memory: what a crash can take with it; the part's row has its reason all the same
	recordsWait = 10 * time.Second // how long they wait for company
	recordsMost = 10_000           // answers of one run
	recordsEach = 1000             // refused, unreadable and findings of one run, each
)

// notes collects what a run has to say until it is worth a transaction.
type notes struct {
	mu   sync.Mutex
	list []checkpoint.Record
	last time.Time // when something was written
	n    int       // answers of this run
}

// answer keeps what the server answered to a part, or that it did not: the words have been shortened and freed of
// secrets by the client, and hold nothing of what was sent but the names of its members.
func (e *engine) answer(ctx context.Context, row *checkpoint.Part, code string, status int, text, correlation string) error {
	r := checkpoint.Record{
		Run: e.run, Kind: RecordAnswer, Code: code, Ticket: row.Ticket, LegacyID: row.LegacyID, Part: row.Number, Place: row.Place,
		Status: status, Text: shortened(text), Correlation: correlation, At: time.Now(),
	}
	if status == 0 && code == string(checkpoint.Rejected) {
		r.Kind = RecordRefused
	}
	return e.note(ctx, r)
}

// effectAnswer is answer for an upload, an appended thread or a delete.
func (e *engine) effectAnswer(ctx context.Context, ef *checkpoint.Effect, code string, status int, text string) error {
	row, err := e.store.PartByID(ctx, ef.PartID)
	if err != nil {
		return err
	}
	if row == nil {
		row = &checkpoint.Part{}
	}
	return e.answer(ctx, row, code, status, effectName(ef)+": "+text, "")
}

func shortened(s string) string {
	if len(s) <= recordText {
		return s
	}
	return strings.ToValidUTF8(s[:recordText], "") + "…"
}

func (e *engine) note(ctx context.Context, r checkpoint.Record) error {
	e.notes.mu.Lock()
	if e.notes.n++; e.notes.n > recordsMost {
		e.notes.mu.Unlock()
		return nil
	}
	e.notes.list = append(e.notes.list, r)
	due := len(e.notes.list) >= recordsHeld || !e.notes.last.IsZero() && r.At.Sub(e.notes.last) >= recordsWait
	if e.notes.last.IsZero() {
		e.notes.last = r.At
	}
	e.notes.mu.Unlock()
	if !due {
		return nil
	}
	return e.writeNotes(ctx, r.At)
}

func (e *engine) writeNotes(ctx context.Context, at time.Time) error {
	e.notes.mu.Lock()
	list := e.notes.list
	e.notes.list, e.notes.last = nil, at
	e.notes.mu.Unlock()
	return e.store.Note(context.WithoutCancel(ctx), list)
}

// noteEnd keeps what a run has found and why it ended; it comes before the outcomes are gathered, when the report's list
// holds only what the plan refuses.
func (e *engine) noteEnd(ctx context.Context, cause *Stop) error {
	if e.store == nil || e.run == 0 {
		return nil
	}
	at := time.Now()
	var out []checkpoint.Record
	for _, g := range e.rep.Findings.Groups() {
		out = append(out, findingRecord(g))
	}
	out = bounded(out, RecordFinding, "further findings")
	var refused, unreadable []checkpoint.Record
	for _, o := range e.rep.Rejected {
		refused = append(refused, checkpoint.Record{Kind: RecordRefused, Code: "plan", Ticket: o.Key, LegacyID: o.ID, Part: o.Part, Place: o.Place, Text: shortened(o.Reason)})
	}
	for _, r := range e.rep.Ledger.Refused {
		unreadable = append(unreadable, checkpoint.Record{Kind: RecordUnreadable, Place: r.Position.String(), N: int(r.Bytes), Text: shortened(r.Reason)})
	}
	out = append(out, bounded(refused, RecordRefused, "further tickets refused: hsimport status --rejects has them all")...)
	out = append(out, bounded(unreadable, RecordUnreadable, "further records that cannot be read: hsimport status --rejects has them all")...)
	if cause != nil {
		out = append(out, checkpoint.Record{Kind: RecordStop, N: cause.Code, Text: cause.Error()})
	}
	for i := range out {
		out[i].Run, out[i].At = e.run, at
	}
	e.notes.mu.Lock()
	e.notes.list = append(e.notes.list, out...)
	e.notes.mu.Unlock()
	return e.writeNotes(ctx, at)
}

func findingRecord(g FindingGroup) checkpoint.Record {
	r := checkpoint.Record{Kind: RecordFinding, Severity: g.Severity.String(), Code: g.Code, Value: g.Value, N: g.N}
	if len(g.Examples) > 0 {
		x := g.Examples[0]
		r.Ticket, r.Place, r.Text = string(x.Key), x.Position.String(), shortened(x.Text)
	}
	return r
}

// bounded keeps the first records, and counts the rest.
func bounded(list []checkpoint.Record, kind, rest string) []checkpoint.Record {
	if len(list) <= recordsEach {
		return list
	}
	return append(list[:recordsEach:recordsEach], checkpoint.Record{Kind: kind, N: len(list) - recordsEach, Text: rest})
}

// Records streams what all runs have left in the checkpoint, in the order it was said. An error ends the stream.
func Records(ctx context.Context, path string) iter.Seq2[checkpoint.Record, error] {
	return func(yield func(checkpoint.Record, error) bool) {
		store, err := viewCheckpoint(ctx, path)
		if err != nil {
			yield(checkpoint.Record{}, err)
			return
		}
		defer store.Close()
		for r, err := range store.Records(ctx, 0, "") {
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// keptReport reads what the last plan found.
func keptReport(ctx context.Context, store *checkpoint.Store) (k keptPlan, err error) {
	text, ok, err := store.Get(ctx, factReport)
	if err != nil || !ok {
		return k, err
	}
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return k, fmt.Errorf("the plan's report in the checkpoint: %w", err)
	}
	return k, nil
}

// PlanFindings lists the findings of the last plan, as Findings.Groups does, from the checkpoint alone.
func PlanFindings(ctx context.Context, path string) ([]FindingGroup, error) {
	store, err := viewCheckpoint(ctx, path)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	k, err := keptReport(ctx, store)
	return k.Findings, err
}

// Rejects streams what has not arrived and will not by itself, from the checkpoint alone: bytes that are no record,
// tickets that the plan refuses, parts the server rejected, parts in doubt, and files and later messages of either
// kind. An error ends the stream.
func Rejects(ctx context.Context, path string) iter.Seq2[Outcome, error] {
	return func(yield func(Outcome, error) bool) {
		if err := rejects(ctx, path, func(o Outcome) bool { return yield(o, nil) }); err != nil {
			yield(Outcome{}, err)
		}
	}
}

func rejects(ctx context.Context, path string, yield func(Outcome) bool) error {
	store, err := viewCheckpoint(ctx, path)
	if err != nil {
		return err
	}
	defer store.Close()
	k, err := keptReport(ctx, store)
	if err != nil {
		return err
	}
	for _, r := range k.Unreadable {
		if !yield(Outcome{State: RecordUnreadable, Place: r.Position.String(), Reason: r.Reason}) {
			return nil
		}
	}
	for _, o := range k.Rejected {
		if o.State = RecordRefused; !yield(o) {
			return nil
		}
	}
	for _, st := range []checkpoint.State{checkpoint.Rejected, checkpoint.InDoubt, checkpoint.Sending} {
		for row, err := range store.InState(ctx, st) {
			if err != nil {
				return err
			}
			if !yield(outcomeOf(row)) {
				return nil
			}
		}
		effects, err := store.Effects(ctx, checkpoint.EffectFilter{State: st})
		if err != nil {
			return err
		}
		if done, err := rejectedEffects(ctx, store, effects, yield); err != nil || done {
			return err
		}
	}
	return nil
}

func rejectedEffects(ctx context.Context, store *checkpoint.Store, effects []checkpoint.Effect, yield func(Outcome) bool) (done bool, err error) {
	for i := range effects {
		ef := &effects[i]
		row, err := store.PartByID(ctx, ef.PartID)
		if err != nil {
			return false, err
		}
		if row == nil || ef.Kind == kindDelete {
			continue
		}
		o := outcomeOf(row)
		o.State, o.Status, o.Candidate, o.Reason = string(ef.State), ef.Status, row.ConversationID, effectName(ef)+": "+ef.Reason
		if !yield(o) {
			return true, nil
		}
	}
	return false, nil
}

func outcomeOf(row *checkpoint.Part) Outcome {
	return Outcome{
		Key: row.Ticket, ID: row.LegacyID, Part: row.Number, Place: row.Place, Reason: row.Reason, Status: row.Status,
		Candidate: row.Candidate, State: string(row.State),
	}
}

// unreadableOf bounds what the plan's report keeps of what could not be read.
func unreadableOf(l *sources.Ledger) []sources.Refusal {
	return slices.Clone(l.Refused[:min(len(l.Refused), 50_000)])
}
