package importer

import (
	"context"

	"hsimport/checkpoint"
)

// A plan over a newer export cannot say what a conversation lacks while nobody knows what has arrived: files that a
// message in doubt has got since, messages behind it, another status, a part that is not needed any more. Such a plan is
// made again once the doubts are settled, before anything more is sent; at the latest by the next run.

// inDoubt reports whether conversations, or messages appended to them, are in doubt.
func (e *engine) inDoubt(ctx context.Context) (bool, error) {
	c, err := e.store.Counts(ctx)
	if err != nil {
		return false, err
	}
	return c.Parts[checkpoint.InDoubt]+c.Effects[kindAppend][checkpoint.InDoubt] > 0, nil
}

// planSettled plans what could not be planned before, and reports that it did. The sums stay those of the plan that people
// were shown.
func (e *engine) planSettled(ctx context.Context) (bool, error) {
	if !e.unsure || e.enough() || e.overTime() {
		return false, nil
	}
	var err error
	if e.unsure, err = e.inDoubt(ctx); err != nil || e.unsure {
		return false, err
	}
	e.tell(Event{Kind: EventPhase, Text: "planning again what was in doubt"})
	shown, rejected := e.rep.Totals, e.rep.Rejected
	if err := e.onceMore(func() error { return e.prepare(ctx) }); err != nil {
		return false, err
	}
	if err := e.planned(ctx); err != nil {
		return false, err
	}
	e.rep.Totals, e.rep.Rejected = shown, rejected
	return true, nil
}
