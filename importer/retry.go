package importer

import (
	"context"

	"hsimport/checkpoint"
	"hsimport/mapping"
)

// retry makes pending again what the server has rejected: conversations, messages and statuses that came later, links.
// An attachment stays as it is: a note of its conversation names it.
func (e *engine) retry(ctx context.Context) error {
	if _, err := e.store.Unreject(ctx, nil); err != nil {
		return err
	}
	for _, kind := range []string{kindAppend, kindStatus} { // a status that is not due any more is dropped when its turn comes
		if _, err := e.store.UnrejectEffects(ctx, kind); err != nil {
			return err
		}
	}
	return e.retryLinks(ctx)
}

// retryLinks does so for links. Without --relink it plans no others; what an earlier retry has left pending goes on.
func (e *engine) retryLinks(ctx context.Context) error {
	c, err := e.store.Counts(ctx)
	if err != nil || c.Effects[kindRelink][checkpoint.Rejected]+c.Effects[kindRelink][checkpoint.Pending] == 0 {
		return err
	}
	if e.links == nil {
		if err := e.useLinker(ctx); err != nil || e.links == nil { // nothing says any more how texts name tickets
			return err
		}
	}
	e.linking = true
	_, err = e.store.UnrejectEffects(ctx, kindRelink)
	return err
}

// overtaken reports that a change of status that was planned earlier is not due any more: a later one was planned for the
// same conversation, or the source says something else by now.
func (e *engine) overtaken(ctx context.Context, call *effectCall) (bool, error) {
	all, err := e.store.Effects(ctx, checkpoint.EffectFilter{PartID: call.row.ID, Kind: kindStatus})
	if err != nil {
		return false, err
	}
	for _, other := range all {
		if other.ID > call.ef.ID && other.State != checkpoint.Rejected {
			return true, nil
		}
	}
	known, err := e.store.PartsOf(ctx, call.row.Ticket)
	if err != nil || len(known) == 0 {
		return false, err
	}
	want := lastStatus(call.m.plan)
	if known[len(known)-1].Number > call.row.Number {
		want = "closed"
	}
	return want != "" && want != call.ev.To, nil
}

// lastStatus is the status that a plan gives the last conversation of a ticket; "" where it has none.
func lastStatus(p *mapping.Plan) string {
	if n := len(p.Parts); n > 0 {
		return p.Parts[n-1].Conversation.Status
	}
	return ""
}
