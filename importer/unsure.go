package importer

import (
	"context"

	"hsimport/checkpoint"
)

// A plan over a newer export cannot say what a conversation lacks while nobody knows what has arrived: files that a
// message in doubt has got since, messages behind it, another status. Such a plan is made again once the doubts are
// settled, in the same run, or by the next one.

// inDoubt reports whether conversations, or messages appended to them, are in doubt.
func (e *engine) inDoubt(ctx context.Context) (bool, error) {
	c, err := e.store.Counts(ctx)
	if err != nil {
		return false, err
	}
	return c.Parts[checkpoint.InDoubt]+c.Effects[kindAppend][checkpoint.InDoubt] > 0, nil
}

// planSettled plans what could not be planned before, and delivers it. The sums stay those of the plan that people were
// shown, with what came to it.
func (e *engine) planSettled(ctx context.Context) error {
	if !e.unsure || e.enough() || e.overTime() {
		return nil
	}
	var err error
	if e.unsure, err = e.inDoubt(ctx); err != nil || e.unsure {
		return err
	}
	e.tell(Event{Kind: EventPhase, Text: "planning again what was in doubt"})
	shown, rejected := e.rep.Totals, e.rep.Rejected
	if err := e.onceMore(func() error { return e.prepare(ctx) }); err != nil {
		return err
	}
	if err := e.planned(ctx); err != nil {
		return err
	}
	now := e.rep.Totals
	shown.New, shown.Follow = shown.New+now.New, shown.Follow+now.Follow
	shown.NewFiles, shown.StatusChanges = shown.NewFiles+now.NewFiles, shown.StatusChanges+now.StatusChanges
	e.rep.Totals, e.rep.Rejected = shown, rejected
	return e.deliverAll(ctx)
}
