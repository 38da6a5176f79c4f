package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
)

// A Trial sends a sample of the job into another inbox, for people to look at before the import itself begins. It has a
// checkpoint of its own, which says that it is a trial's: a run refuses it, so that no trial can make the import look
// complete, and a trial refuses the import's. Everything but the sample counts as excluded.
type Trial struct {
	Mailboxes []string // of the import itself, by name or id, those of its routes too: the trial must not go there
}

const (
	// TrialSuffix is added to the path of the import's checkpoint.
	TrialSuffix = ".trial"
	// TrialSample is the usual number of tickets.
	TrialSample = 20

	factTrial   = "trial" // the inbox of a trial: its checkpoint bears it, the import's never does
	notInSample = "not in the sample of the trial"
)

// trialInbox is what a trial's checkpoint says of itself.
type trialInbox struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// inbox finds the trial's inbox, which must not be that of the import.
func (e *engine) inbox() (in trialInbox, err error) {
	for i := range e.rep.Target.Mailboxes {
		mb := &e.rep.Target.Mailboxes[i]
		if !mailboxIs(mb, e.Mapping.Mailbox) {
			continue
		}
		if slices.ContainsFunc(e.Trial.Mailboxes, func(name string) bool { return mailboxIs(mb, name) }) {
			return in, stopf(ExitUsage, "name an inbox that nobody works in; Help Scout's settings make one", "the trial would go into %s, an inbox of the import itself", mb.Name)
		}
		in = trialInbox{mb.ID, mb.Name}
	}
	return in, nil
}

// beginTrial marks a new checkpoint as that of a trial.
func (e *engine) beginTrial(ctx context.Context) error {
	if e.Trial == nil {
		return nil
	}
	in, err := e.inbox()
	if err != nil {
		return err
	}
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return e.store.Set(ctx, factTrial, string(b))
}

// rightKind refuses the checkpoint of a trial to the import, that of the import to a trial, and that of a trial whose
// conversations stand in another inbox.
func (e *engine) rightKind(ctx context.Context) error {
	was, ok, err := trialOf(ctx, e.store)
	switch {
	case err != nil:
		return err
	case e.Trial == nil && ok:
		return stopf(ExitCheckpoint, "name another checkpoint", "%s: it belongs to a trial in the inbox %s, not to the import", e.Checkpoint, was.Name)
	case e.Trial == nil:
		return nil
	case !ok:
		return stopf(ExitCheckpoint, "move it away", "%s: it belongs to an import, not to a trial", e.Checkpoint)
	}
	now, err := e.inbox()
	if err != nil || now.ID == was.ID || now.ID == 0 {
		return err
	}
	c, err := e.store.Counts(ctx)
	if err != nil {
		return err
	}
	if n := c.Parts[checkpoint.Created] + c.Parts[checkpoint.InDoubt] + c.Parts[checkpoint.Sending]; n > 0 {
		return stopf(ExitUsage, "`hsimport rollback --trial` removes it first", "a trial of %s stands in the inbox %s", plural(n, "conversation", "conversations"), was.Name)
	}
	return e.beginTrial(ctx)
}

// trialOf returns the inbox of a trial's checkpoint; ok is false for that of an import.
func trialOf(ctx context.Context, store *checkpoint.Store) (in trialInbox, ok bool, err error) {
	v, ok, err := store.Get(ctx, factTrial)
	if err != nil || !ok {
		return in, false, err
	}
	if err := json.Unmarshal([]byte(v), &in); err != nil {
		return in, false, fmt.Errorf("%s in the checkpoint: %w", factTrial, err)
	}
	return in, true, nil
}

// outside accounts for a ticket that the trial leaves alone.
func (p *planner) outside(m mapped) bool {
	if p.Trial == nil || m.plan != nil && p.chosen[string(m.plan.Key)] {
		return false
	}
	t := &p.rep.Totals
	if t.ExcludedBy == nil {
		t.ExcludedBy, t.Statuses = map[string]int{}, map[string]int{}
	}
	n := 0
	switch {
	case m.ticket != nil:
		n = len(m.ticket.Messages)
	case m.err != nil:
		if i, ok := p.Source.Find(m.err.Key); ok {
			n = p.Source.Entry(i).Messages
		}
	}
	t.Tickets++
	t.ExcludedTickets++
	t.Excluded += n
	t.ExcludedBy[notInSample] += n
	return true
}

// sibling is the checkpoint of the trial for the import, and of the import for the trial: what the one has sent is
// nothing the other may take for its own, or for something of its own that was touched.
func (e *engine) sibling() string {
	if path, ok := strings.CutSuffix(e.Checkpoint, TrialSuffix); ok {
		return path
	}
	return e.Checkpoint + TrialSuffix
}

// atSibling asks the sibling's checkpoint, if there is one. It is opened for each question anew: the other one may be at
// work.
func (e *engine) atSibling(ctx context.Context, ask func(*checkpoint.Store) error) error {
	if _, err := os.Stat(e.sibling()); err != nil {
		return nil
	}
	store, err := checkpoint.View(ctx, e.sibling())
	if err != nil {
		return nil // what cannot be read says nothing
	}
	defer store.Close()
	return ask(store)
}

// notOfSibling leaves the conversations that the sibling does not own.
func (e *engine) notOfSibling(ctx context.Context, cands []helpscout.Conversation) (out []helpscout.Conversation, err error) {
	if len(cands) == 0 {
		return nil, nil
	}
	out = slices.Clone(cands)
	err = e.atSibling(ctx, func(store *checkpoint.Store) (err error) {
		out = slices.DeleteFunc(out, func(c helpscout.Conversation) bool {
			_, owned, oerr := store.Owner(ctx, c.ID)
			err = errors.Join(err, oerr)
			return owned
		})
		return err
	})
	return out, err
}

// accepted are the codes that do not block this job. Custom fields belong to an inbox, so the trial's has hardly those of
// the import: what lacks there is said, and the dry run says what lacks in the right one.
func (e *engine) accepted() []string {
	if e.Trial == nil {
		return e.Options.Accept
	}
	return append(slices.Clone(e.Options.Accept), "field-unknown")
}
