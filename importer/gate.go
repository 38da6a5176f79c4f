package importer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// A Gate is what a person is shown before the first write of a new job.
type Gate struct {
	Origin     string
	Owner      helpscout.User
	Mailbox    helpscout.Mailbox // whose name is asked for: the first of Mailboxes
	Mailboxes  []GateMailbox     // all that the plan sends to
	Totals     Totals
	Units      int
	Limit      int
	Share      float64
	Duration   time.Duration
	Workflows  []helpscout.Workflow
	Webhooks   []helpscout.Webhook
	LiveWithCc bool
	// WorkflowsOff names the workflows that PauseWorkflows has switched off.
	WorkflowsOff []string
}

// gate shows what is about to happen and asks; on this very machine nobody is asked.
func (e *engine) gate(ctx context.Context, acc *Account) error {
	if isLoopback(e.origin) || e.Approve != nil {
		return nil
	}
	if e.Confirm == nil {
		return stopf(ExitUsage, "--yes confirms it without a terminal", "the first run into an account has to be confirmed")
	}
	st := e.Quota.Stats()
	g := &Gate{
		Origin: e.origin, Owner: e.rep.Target.Owner, Totals: e.rep.Totals, Units: e.rep.Totals.Units, Limit: st.Limit, Share: st.Share,
		Duration: Duration(e.rep.Totals.Units, st.Limit, st.Share), Workflows: acc.Workflows, Webhooks: acc.Webhooks,
		WorkflowsOff: workflowsOff(ctx, e.Checkpoint, e.origin),
	}
	if g.Mailboxes = e.mailboxes(); len(g.Mailboxes) > 0 {
		g.Mailbox = g.Mailboxes[0].Mailbox
	}
	g.LiveWithCc = e.rep.Totals.Traits&(mapping.HasLive|mapping.HasCc) == mapping.HasLive|mapping.HasCc
	if err := e.Confirm(ctx, g); err != nil {
		var s *Stop
		if errors.As(err, &s) {
			return s
		}
		return &Stop{Code: ExitUsage, Err: err}
	}
	return nil
}

// Duration is how long so many units take at a limit a minute and a share of it. The limiter keeps two units back.
func Duration(units, limit int, share float64) time.Duration {
	perMinute := float64(limit)*share - 2
	if limit <= 0 || perMinute <= 0 {
		return 0
	}
	return time.Duration(float64(units) / perMinute * float64(time.Minute))
}

const (
	lookFirst  = 10 // parts in send order that are looked for before a checkpoint is created
	lookSpread = 10 // and so many spread over the rest
	lookOpened = 3  // when one is opened
)

// look asks the account for conversations of this job that no checkpoint knows of. A lost or stale checkpoint is the
// one way left to double a history.
func (e *engine) look(ctx context.Context, parts []*lookPart) error {
	hits := make([]int64, len(parts))
	var g errgroup.Group
	g.SetLimit(lookFirst)
	for i, p := range parts {
		g.Go(func() (err error) {
			hits[i], err = e.lookFor(ctx, p)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	found, first := 0, -1
	for i, id := range hits {
		if id != 0 {
			if found++; first < 0 {
				first = i
			}
		}
	}
	if found == 0 {
		return nil
	}
	return stopf(ExitCheckpoint, e.lostHint(ctx),
		"the account already holds %d of the %d conversations looked for, which this checkpoint does not know: ticket %s is conversation %d; sending would double the history",
		found, len(parts), parts[first].ticket, hits[first])
}

// lookFor returns the conversation that a part seems to be already, or 0.
func (e *engine) lookFor(ctx context.Context, p *lookPart) (int64, error) {
	cands, err := e.atSecond(ctx, p.ev.Created)
	if err != nil {
		return 0, err
	}
	if cands, err = e.unowned(ctx, cands); err != nil {
		return 0, err
	}
	for i := range cands {
		c := &cands[i]
		if !alike(p.ev, c) {
			continue
		}
		there, err := e.holdsThreads(ctx, p.ev, c.ID)
		if err != nil {
			return 0, err
		}
		if there {
			return c.ID, nil
		}
	}
	return 0, nil
}

// holdsThreads reports that a conversation is there and holds what a part would send, whatever else has been said in it
// since. What counts are types and times: texts may have been rewritten, and the link to a part before is not known yet.
func (e *engine) holdsThreads(ctx context.Context, ev Evidence, id int64) (bool, error) {
	_, threads, err := e.fetch(ctx, id)
	if err != nil {
		if helpscout.KindOf(err) == helpscout.Rejected {
			return false, nil // it was deleted, and the list has not noticed
		}
		return false, err
	}
	for _, t := range ev.Threads {
		if len(matchThreads(threads, t, false)) == 0 {
			return false, nil
		}
	}
	return true, nil
}

type lookPart struct {
	ticket string
	ev     Evidence
}

// lookBeforeNew looks for parts of a job that has no checkpoint yet: the first in send order, then a spread over the
// source.
func (e *engine) lookBeforeNew(ctx context.Context) error {
	rows, err := e.store.Pending(ctx, -1, lookFirst)
	if err != nil {
		return err
	}
	var idx []int
	for _, g := range groupRows(rows) {
		if i, ok := e.Source.Find(sources.Key(g.ticket)); ok {
			idx = append(idx, i)
		}
	}
	idx = append(idx, spread(e.Source.Len())...)
	var parts []*lookPart
	for n, i := range idx {
		if slices.Contains(idx[:n], i) {
			continue
		}
		m, err := mapOne(ctx, e.Source, e.mapper, i)
		if err != nil {
			return err
		}
		if m.plan == nil || len(m.plan.Parts) == 0 || m.plan.Refused != "" || m.plan.Excluded != "" {
			continue
		}
		p := m.plan.Parts[0]
		parts = append(parts, &lookPart{string(m.plan.Key), evidenceOf(&p.Conversation, p)})
	}
	return e.look(ctx, parts)
}

// spread chooses lookSpread places evenly over n.
func spread(n int) (out []int) {
	if n <= lookSpread {
		for i := range n {
			out = append(out, i)
		}
		return out
	}
	for i := range lookSpread {
		out = append(out, i*(n-1)/(lookSpread-1))
	}
	return out
}

// lookOnOpen looks for the next pending parts, unless a part in doubt shares their second: then settling decides.
func (e *engine) lookOnOpen(ctx context.Context) error {
	doubtful := map[int64]bool{}
	for row, err := range e.store.InState(ctx, checkpoint.InDoubt) {
		if err != nil {
			return err
		}
		doubtful[row.Created] = true
	}
	rows, err := e.store.Pending(ctx, -1, 4*lookOpened)
	if err != nil {
		return err
	}
	var parts []*lookPart
	for _, r := range rows {
		if doubtful[r.Created] || r.Resends > 0 || len(parts) >= lookOpened || goesOn(&r) {
			continue
		}
		i, ok := e.Source.Find(sources.Key(r.Ticket))
		if !ok {
			continue
		}
		m, err := mapOne(ctx, e.Source, e.mapper, i)
		if err != nil {
			return err
		}
		if m.plan != nil && r.Number <= len(m.plan.Parts) {
			p := m.plan.Parts[r.Number-1]
			parts = append(parts, &lookPart{r.Ticket, evidenceOf(&p.Conversation, p)})
		}
	}
	return e.look(ctx, parts)
}

// stillThere reads back a few conversations that the checkpoint knows: when none of them is there, this is not the
// server they were sent to, however alike it looks (a sandbox that was started anew, and has given the same ids to
// others meanwhile). What this job was deleting itself does not count.
func (e *engine) stillThere(ctx context.Context) error {
	deleting, err := e.store.Effects(ctx, checkpoint.EffectFilter{Kind: kindDelete})
	if err != nil {
		return err
	}
	asked, first := 0, int64(0)
	for row, err := range e.store.InState(ctx, checkpoint.Created) {
		if err != nil {
			return err
		}
		if asked == 3 {
			break
		}
		slot := redoSlot + strconv.FormatInt(row.ConversationID, 10)
		if slices.ContainsFunc(deleting, func(ef checkpoint.Effect) bool { return ef.PartID == row.ID && ef.Slot == slot }) {
			continue
		}
		asked++
		c, err := read(ctx, e, func() (*helpscout.Conversation, error) { return e.Client.Conversation(ctx, row.ConversationID, false) })
		switch {
		case err == nil && ours(row, c), helpscout.StatusOf(err) == 301:
			return nil
		case helpscout.StatusOf(err) == 403:
			return authStop(err)
		case err != nil && helpscout.StatusOf(err) != 404:
			return err
		}
		if first == 0 {
			first = row.ConversationID
		}
	}
	if asked == 0 {
		return nil
	}
	if err := e.store.Close(); err != nil {
		return err
	}
	e.store = nil // what it counts as sent says nothing of this server
	return stopf(ExitCheckpoint, "a sandbox that was started anew needs a new checkpoint: move "+e.Checkpoint+" away",
		"%s holds none of the conversations that the checkpoint knows (conversation %d is not there, or is another one): this is another server, or they were deleted", e.origin, first)
}

// ours reports that a conversation may be the one that was sent: nobody can change when it was created, and a server
// that ignores what we say about that is noticed by the canary.
func ours(row *checkpoint.Part, c *helpscout.Conversation) bool {
	ev, ok := decodeEvidence(row.Evidence)
	return !ok || c.CreatedAt.Unix() == ev.Created || sameSubject(c.Subject, ev.Subject)
}

// overlapPages are looked at from the newest and from the oldest end of the source's dates.
const overlapPages = 3

// overlap asks a mailbox for conversations that did not come by the API. Where their dates overlap those of what is to
// go there, the same mail would stand there twice, unless source.until says where the source ends.
func (e *engine) overlap(ctx context.Context, mb *helpscout.Mailbox, t MailboxTotals) (*mapping.Finding, error) {
	if t.First.IsZero() || e.Until {
		return nil, nil
	}
	n := 0
	seen := map[int64]bool{}
	var example helpscout.Conversation
	for _, order := range []string{"desc", "asc"} { // an earlier import may fill many pages in between
		q := helpscout.ListQuery{
			Status: "all", Mailbox: mb.ID, SortField: "createdAt", SortOrder: order,
			Query: fmt.Sprintf("(createdAt:[%s TO %s])", t.First.UTC().Format(helpscout.TimeLayout), t.Last.UTC().Format(helpscout.TimeLayout)),
		}
		page := 0
		err := e.pages(ctx, q, func(cs []helpscout.Conversation) bool {
			for _, c := range cs {
				at := c.CreatedAt.Time
				if c.MailboxID == mb.ID && !byAPI(&c) && !seen[c.ID] && !at.Before(t.First) && !at.After(t.Last) {
					seen[c.ID] = true
					if n++; n == 1 {
						example = c
					}
				}
			}
			page++
			return page < overlapPages
		})
		if err != nil {
			return nil, err
		}
	}
	if n == 0 {
		return nil, nil
	}
	return &mapping.Finding{
		Severity: sources.BlocksJob, Code: "overlap",
		Text: fmt.Sprintf("mailbox %s already holds conversations that came by %s within the source's dates (%d seen, one is #%d of %s): set source.until to the moment from which mail reached Help Scout by itself",
			mb.Name, example.Source.Type, n, example.Number, stamp(example.CreatedAt.Unix())),
	}, nil
}
