package importer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"hsimport/checkpoint"
	"hsimport/mapping"
	"hsimport/sources"
)

// maxInFlight bounds how many conversations are in flight; the quota lets far fewer through on a real account.
const maxInFlight = 32

// pool is the workers of one round. How many there are follows from rate and latency: on a real account a handful, so
// that no more bodies than needed stand ready.
type pool struct {
	g       errgroup.Group
	busy    int
	freed   chan struct{} // one for each worker that has come back
	allowed func() int
}

func newPool(allowed func() int) *pool {
	return &pool{freed: make(chan struct{}, maxInFlight), allowed: allowed}
}

// run waits for a free worker, in the goroutine that iterates.
func (p *pool) run(f func()) {
	for p.busy >= max(1, min(p.allowed(), maxInFlight)) {
		<-p.freed
		p.busy--
	}
	p.busy++
	p.g.Go(func() error {
		defer func() { p.freed <- struct{}{} }()
		f()
		return nil
	})
}

// pendingGroups yields the pending parts ticket by ticket in send order, without holding them all.
func (e *engine) pendingGroups(ctx context.Context) iter.Seq2[*group, error] {
	const page = 512
	return func(yield func(*group, error) bool) {
		after := int64(-1)
		for {
			rows, err := e.store.Pending(ctx, after, page)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, g := range groupRows(rows) {
				if !yield(g, nil) {
					return
				}
			}
			if len(rows) < page {
				return
			}
			after = rows[len(rows)-1].Rank // a page never cuts a rank, which the parts of one ticket share
		}
	}
}

func groupRows(rows []checkpoint.Part) (out []*group) {
	for _, r := range rows {
		if n := len(out); n > 0 && out[n-1].ticket == r.Ticket {
			out[n-1].parts = append(out[n-1].parts, r)
			continue
		}
		out = append(out, &group{ticket: r.Ticket, parts: []checkpoint.Part{r}})
	}
	for _, g := range out { // plans may have ranked them apart
		slices.SortFunc(g.parts, func(a, b checkpoint.Part) int { return a.Number - b.Number })
	}
	return out
}

// deliver sends everything that is pending. The goroutine that iterates feels the back-pressure of the pool. The last
// ticket is held back until all others are through: sent after every lost answer of the round, it is the fence that
// shows how far the server's list has come.
func (e *engine) deliver(ctx context.Context) error {
	p := newPool(e.workers)
	var held *group
	var err error
	for next, ierr := range e.pendingGroups(ctx) {
		if ierr != nil {
			err = ierr
			break
		}
		if e.halted(ctx) != nil || e.enough() || e.overTime() {
			held = nil
			break
		}
		if !e.wanted(next) {
			continue
		}
		if err = e.lookOnceMore(ctx); err != nil {
			held = nil
			break
		}
		if held != nil {
			e.dispatch(ctx, p, held)
		}
		held = next
	}
	_ = p.g.Wait() // its functions return no error
	if err == nil && held != nil && e.halted(ctx) == nil && !e.enough() && !e.overTime() {
		err = e.ticket(ctx, held)
	}
	return err
}

func (e *engine) workers() int {
	if e.Options.Workers > 0 {
		return int(e.Options.Workers)
	}
	return e.Quota.Workers(maxInFlight)
}

// dispatch gives a ticket to a worker. What goes wrong with one record is in its row; an error that ends the run is
// remembered and seen by all before their next effect.
func (e *engine) dispatch(ctx context.Context, p *pool, next *group) {
	e.begun++
	p.run(func() {
		if err := e.ticket(ctx, next); err != nil {
			e.stop.set(asStop(err))
		}
	})
}

// enough reports that --limit is reached; overTime that --max-duration is.
func (e *engine) enough() bool {
	return e.Options.Limit > 0 && e.begun >= e.Options.Limit
}

func (e *engine) overTime() bool {
	d := time.Duration(e.Options.MaxDuration)
	return d > 0 && time.Since(e.rep.Started) >= d
}

// wanted applies --only and --sample.
func (e *engine) wanted(g *group) bool {
	if e.chosen == nil {
		return true
	}
	return e.chosen[g.ticket]
}

// ticket delivers the pending parts of one ticket, in order.
func (e *engine) ticket(ctx context.Context, g *group) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a defect of this program at ticket %s: %v", g.ticket, p)
		}
	}()
	if waits, err := e.waits(ctx, g); err != nil || waits {
		return err
	}
	m, why, err := e.remap(ctx, g.ticket)
	if err != nil {
		return err
	}
	if why != "" {
		return e.rejectAll(ctx, g, why)
	}
	for i := range g.parts {
		row := &g.parts[i]
		if err := e.halted(ctx); err != nil {
			return err
		}
		sent, err := e.part(ctx, row, m)
		if err != nil {
			return err
		}
		if sent == checkpoint.InDoubt {
			return nil // the next part links to this one: it waits until its fate is known
		}
	}
	return nil
}

// waits reports that the part before the first one of g is in doubt, as after a canary whose answer was lost, or still to
// be sent, as when a newer plan ranks them apart: the link to it cannot be made yet.
func (e *engine) waits(ctx context.Context, g *group) (bool, error) {
	if g.parts[0].Number < 2 {
		return false, nil
	}
	known, err := e.store.PartsOf(ctx, g.ticket)
	if err != nil {
		return false, err
	}
	before := func(states ...checkpoint.State) bool {
		return slices.ContainsFunc(known, func(p checkpoint.Part) bool { return p.Number < g.parts[0].Number && slices.Contains(states, p.State) })
	}
	switch {
	case before(checkpoint.InDoubt):
		return true, nil // settling makes another round
	case before(checkpoint.Pending, checkpoint.Sending):
		e.nowFree() // that is sent in this round: one more, then
		return true, nil
	}
	return false, nil
}

// remap reads a ticket through the index and maps it, as the planning pass did; why says that this is not possible
// any more, because the ticket has become unreadable or is not there.
func (e *engine) remap(ctx context.Context, key string) (m *mapped, why string, err error) {
	i, ok := e.Source.Find(sources.Key(key))
	if !ok { // a newer export may show it under another key
		now, _, err := e.store.Get(ctx, factAlias+key)
		if err != nil {
			return nil, "", err
		}
		if i, ok = e.Source.Find(sources.Key(now)); !ok {
			return nil, "this ticket is not in the source any more", nil
		}
	}
	got, err := mapOne(ctx, e.Source, e.mapper, i)
	switch {
	case errors.Is(err, sources.ErrChanged):
		return nil, "", &Stop{Code: ExitLeft, Err: err, Hint: "run the same command again: it reads the file anew and goes on"}
	case err != nil:
		return nil, "", err
	case got.err != nil:
		return nil, "it cannot be read any more: " + got.err.Error(), nil
	case got.plan.Refused != "":
		return nil, got.plan.Refused, nil
	case got.plan.Excluded != "":
		return nil, "it is excluded by now: " + got.plan.Excluded, nil
	}
	return &got, "", nil
}

// mapAgain is remap for where nothing is sent: what cannot be read is nil, and a finding.
func (e *engine) mapAgain(ctx context.Context, key string) (*mapped, error) {
	m, why, err := e.remap(ctx, key)
	if why != "" {
		e.rep.Findings.Add(mapping.Finding{Severity: sources.Warning, Code: "left-pending", Key: sources.Key(key), Text: why})
	}
	return m, err
}

// rejectAll lists the pending parts of a ticket that cannot be sent: --retry-rejected tries them again.
func (e *engine) rejectAll(ctx context.Context, g *group, why string) error {
	for i := range g.parts {
		if err := e.reject(ctx, &g.parts[i], time.Now(), 0, why, ""); err != nil {
			return err
		}
	}
	return nil
}
