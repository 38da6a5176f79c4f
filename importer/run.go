package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/gofrs/flock"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// Facts kept in the checkpoint beside its rows.
const (
	factPlanned = "planned" // digests of source, mapping and order that the pending rows were made from
	factReport  = "plan"    // what the report tells of the plan, for runs that need not plan again
	factNumber  = "number"  // the account's highest conversation number when the job began
	factInline  = "inline"  // learned from a 413
	factAlias   = "alias:"  // and the key under which a ticket was sent: its key in the source now
)

// Run imports, or goes on importing. It always returns a Report; Report.Cause says why it ended early, if it did.
func Run(ctx context.Context, job *Job) *Report {
	e := newEngine(job, "run")
	e.hard = ctx
	soft := ctx
	if job.Soft != nil {
		soft = job.Soft
	}
	e.conclude(ctx, e.do(soft))
	return e.rep
}

func newEngine(job *Job, command string) *engine {
	e := &engine{Job: job, out: outage{probe: newTurn()}, canary: canary{turn: newTurn(), passed: map[string]bool{}}}
	e.rep = &Report{Findings: NewFindings(), Started: time.Now(), Ledger: job.Source.Ledger()}
	e.rep.Summary = Summary{MessageType: "summary", Command: command}
	if job.Client != nil {
		e.origin = job.Client.Origin()
		e.rep.Rehearsal = rehearsalHost(e.origin)
		e.rep.Site = conversationSite(e.origin)
	}
	return e
}

// do is a run from the first read to the last: the account, the plan, the gate, delivery, settling.
func (e *engine) do(ctx context.Context) error {
	acc, err := e.bind(ctx)
	if err != nil {
		return err
	}
	if e.Options.Relink {
		if err := e.useLinker(ctx); err != nil {
			return err
		}
		if e.links == nil {
			return &Stop{Code: ExitUsage, Err: errNoLinks}
		}
	}
	if err := e.open(ctx, acc); err != nil {
		return err
	}
	if err := e.facts(ctx); err != nil {
		return err
	}
	e.run, err = e.store.BeginRun(ctx, checkpoint.Run{Command: "run", SourceDigest: e.Source.Digest(), MappingDigest: e.mapper.Digest(), ToolVersion: e.Version, StartedAt: e.rep.Started})
	if err != nil {
		return err
	}
	if err := e.redo(ctx); err != nil {
		return err
	}
	if err := e.choose(ctx); err != nil {
		return err
	}
	if err := e.countTodo(ctx); err != nil {
		return err
	}
	if err := e.keepQuota(ctx); err != nil {
		return err
	}
	if err := e.deliverAll(ctx); err != nil {
		return err
	}
	return e.relink(ctx)
}

// bind reads the account and makes the mapper.
func (e *engine) bind(ctx context.Context) (*Account, error) {
	e.tell(Event{Kind: EventPhase, Text: "reading the account"})
	target, acc, err := Preflight(ctx, e.Client, e.Mapping.MailboxNames()...)
	if err != nil {
		return nil, err
	}
	e.rep.Target = target
	e.useMapper(target)
	return acc, nil
}

func (e *engine) useMapper(target mapping.Target) {
	opts := e.Mapping
	opts.Newest, opts.Zones = newest(e.Source, e.rep.Started), sources.Zones
	mapper, found := mapping.New(opts, target)
	e.mapper = mapper
	e.rep.Findings.Add(found...)
	e.rep.Ledger = withLabels(e.rep.Ledger, mapper)
	if e.PlanHeader != nil {
		h := mapper.Header(e.Source.Digest())
		if e.fromSnapshot() {
			h.Snapshot = e.Snapshot.Taken.UTC().Format(time.RFC3339)
		}
		e.PlanHeader(h)
	}
}

func (e *engine) job(acc *Account) checkpoint.Job {
	return checkpoint.Job{Origin: acc.Origin, Account: acc.Identity, SourceKind: e.Source.Kind(), KeyRule: e.Source.KeyRule(), ToolVersion: e.Version, CreatedAt: e.rep.Started}
}

// open opens the checkpoint, or makes a new one after everything that has to be known before the first write.
func (e *engine) open(ctx context.Context, acc *Account) error {
	store, err := checkpoint.Open(ctx, e.Checkpoint, e.job(acc))
	switch {
	case errors.Is(err, checkpoint.ErrMissing):
		return e.begin(ctx, acc)
	case err != nil:
		return checkpointStop(err)
	}
	e.store = store
	store.SetFault(e.Fault)
	if err := e.rightKind(ctx); err != nil {
		return err
	}
	if _, err := store.Recover(ctx, time.Now()); err != nil {
		return err
	}
	if err := e.stillThere(ctx); err != nil {
		return err
	}
	again, err := e.reopenRolledBack(ctx)
	if err != nil {
		return err
	}
	reopened, err := e.finishRedo(ctx)
	if err != nil {
		return err
	}
	if err := e.planOnResume(ctx, reopened || again); err != nil {
		return err
	}
	if err := e.lookOnOpen(ctx); err != nil {
		return err
	}
	return e.confirmRecovered(ctx, acc)
}

func checkpointStop(err error) *Stop {
	if errors.Is(err, context.Canceled) {
		return errInterrupted
	}
	return &Stop{Code: ExitCheckpoint, Err: err}
}

// begin makes a new checkpoint. It is planned beside its place and moved there when nothing speaks against sending, so
// that no checkpoint comes into being by accident.
func (e *engine) begin(ctx context.Context, acc *Account) (err error) {
	unlock, err := e.lockPlanning()
	if err != nil {
		return err
	}
	defer unlock()
	beside := e.Checkpoint + ".planning"
	removeDatabase(beside)
	e.store, err = checkpoint.Create(ctx, beside, e.job(acc))
	if err != nil {
		return checkpointStop(err)
	}
	defer func() {
		if err != nil && e.store != nil && e.store.Path() == beside {
			err = errors.Join(err, e.store.Close())
			e.store = nil
		}
		removeDatabase(beside)
	}()
	if err := e.planNew(ctx, acc); err != nil {
		return err
	}
	if err := e.store.Close(); err != nil {
		return err
	}
	e.store = nil
	if err := os.Link(beside, e.Checkpoint); err != nil {
		if errors.Is(err, os.ErrExist) {
			return checkpointStop(fmt.Errorf("checkpoint %s: another run has created it meanwhile", e.Checkpoint))
		}
		if err := os.Rename(beside, e.Checkpoint); err != nil {
			return checkpointStop(err)
		}
	}
	unlock() // somebody else may be faster now: then it is theirs
	if e.store, err = checkpoint.Open(ctx, e.Checkpoint, e.job(acc)); err != nil {
		return checkpointStop(err)
	}
	e.store.SetFault(e.Fault)
	return nil
}

// lockPlanning keeps a second run from planning in the same place. It is the lock that the checkpoint will have, and its
// file stays, because a lock file that is removed is no lock.
func (e *engine) lockPlanning() (unlock func(), err error) {
	lock := flock.New(e.Checkpoint + ".lock")
	switch got, err := lock.TryLock(); {
	case err != nil:
		return nil, checkpointStop(fmt.Errorf("lock checkpoint %s: make its folder writable: %w", e.Checkpoint, err))
	case !got:
		_ = lock.Close() // nothing is held
		return nil, checkpointStop(fmt.Errorf("checkpoint %s: another run is about to create it; wait for it, or stop it", e.Checkpoint))
	}
	if _, err := os.Stat(e.Checkpoint); err == nil {
		return nil, errors.Join(checkpointStop(fmt.Errorf("checkpoint %s: another run has created it meanwhile", e.Checkpoint)), lock.Close())
	}
	return func() { _ = lock.Close() }, nil // what cannot be unlocked ends with the process
}

func removeDatabase(path string) {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal", ".lock"} {
		_ = os.Remove(path + suffix) // what is not there need not be removed
	}
}

// planNew is everything between an empty checkpoint and the first write.
func (e *engine) planNew(ctx context.Context, acc *Account) error {
	if err := e.beginTrial(ctx); err != nil {
		return err
	}
	e.sideEffects(ctx, acc)
	e.rep.Findings.Add(acc.findings()...)
	if err := e.plan(ctx); err != nil {
		return err
	}
	if err := e.overlaps(ctx); err != nil {
		return err
	}
	if err := e.judge(); err != nil {
		return err
	}
	if err := e.sameAsReviewed(); err != nil {
		return err
	}
	if err := e.lookBeforeNew(ctx); err != nil {
		return err
	}
	n, err := e.highestNumber(ctx)
	if err != nil {
		return err
	}
	if err := e.store.Set(ctx, factNumber, strconv.FormatInt(n, 10)); err != nil {
		return err
	}
	return e.gate(ctx, acc)
}

// highestNumber asks for the newest conversation of the account: what this job creates has a higher number.
func (e *engine) highestNumber(ctx context.Context) (n int64, err error) {
	err = e.pages(ctx, helpscout.ListQuery{Status: "all", SortField: "number", SortOrder: "desc"}, func(cs []helpscout.Conversation) bool {
		for _, c := range cs {
			n = max(n, c.Number)
		}
		return false
	})
	return n, err
}

// plan runs the planning pass and remembers what it was made from.
func (e *engine) plan(ctx context.Context) error {
	e.tell(Event{Kind: EventPhase, Text: "planning " + plural(e.Source.Len(), "ticket", "tickets")})
	if err := e.store.Set(ctx, factPlanned, ""); err != nil { // a load that ends half-way is begun anew
		return err
	}
	if e.Trial != nil {
		if err := e.chooseSample(ctx); err != nil {
			return err
		}
	}
	var err error
	if e.unsure, err = e.inDoubt(ctx); err != nil {
		return err
	}
	if err := e.prepare(ctx); err != nil {
		return err
	}
	return e.planned(ctx)
}

// planned remembers what the pending rows were made from; not while the plan asks for a decision, for conversations to be
// taken back first or for doubts to be settled, so that the next run plans again.
func (e *engine) planned(ctx context.Context) error {
	kept, err := json.Marshal(keptPlan{e.rep.Totals, e.rep.Findings.Groups(), e.rep.Rejected, unreadableOf(e.rep.Ledger)})
	if err != nil {
		return err
	}
	if err := e.store.Set(ctx, factReport, string(kept)); err != nil {
		return err
	}
	if e.rep.drift != nil || len(e.changed) > 0 || e.unsure {
		return nil
	}
	return e.store.Set(ctx, factPlanned, e.planDigest())
}

// keptPlan is what the report of a later run needs of a plan it need not make again.
type keptPlan struct {
	Totals     Totals
	Findings   []FindingGroup
	Rejected   []Outcome
	Unreadable []sources.Refusal
}

func (e *engine) planDigest() string {
	digest := e.Source.Digest() + " " + e.mapper.Digest() + " " + e.Options.Order
	if e.Trial != nil {
		digest += fmt.Sprintf(" trial %d %d", e.Options.Sample, e.Options.Seed)
	}
	return digest
}

// planOnResume plans anew when the source or the mapping has changed since the pending rows were made; otherwise the
// rows are still right, and a run of a million parts goes on at once.
func (e *engine) planOnResume(ctx context.Context, anew bool) error {
	planned, _, err := e.store.Get(ctx, factPlanned)
	if err != nil {
		return err
	}
	kept, ok, err := e.store.Get(ctx, factReport)
	if err != nil {
		return err
	}
	var k keptPlan
	anew = anew || e.Approve != nil || e.Each != nil || e.Options.RedoChanged
	if !anew && planned == e.planDigest() && ok {
		if err := json.Unmarshal([]byte(kept), &k); err != nil {
			return fmt.Errorf("the plan's report in the checkpoint: %w", err)
		}
		e.rep.Totals, e.rep.Rejected = k.Totals, k.Rejected
		e.rep.Findings = restoreFindings(k.Findings)
		return e.judge()
	}
	if err := e.plan(ctx); err != nil {
		return err
	}
	if err := e.judge(); err != nil {
		return err
	}
	return e.sameAsReviewed()
}

func restoreFindings(groups []FindingGroup) *Findings {
	f := NewFindings()
	for i := range groups {
		g := groups[i]
		f.groups[findingKey{g.Severity, g.Code, g.Value}] = &g
	}
	return f
}

// facts reads what the job has learned.
func (e *engine) facts(ctx context.Context) error {
	e.jobStart = e.store.Job().CreatedAt
	for key, into := range map[string]*int64{factNumber: &e.number, factInline: &e.inline} {
		v, ok, err := e.store.Get(ctx, key)
		if err != nil {
			return err
		}
		if ok {
			*into, _ = strconv.ParseInt(v, 10, 64)
		}
	}
	if e.Options.RetryRejected {
		return e.retry(ctx)
	}
	return nil
}

func (e *engine) learnedInline() int64 {
	e.telling.Lock()
	defer e.telling.Unlock()
	return e.inline
}

// learnInline remembers that a create body of that size was too large.
func (e *engine) learnInline(ctx context.Context, size int64) error {
	e.telling.Lock()
	known := e.inline
	if known == 0 || size-1 < known {
		e.inline = size - 1
	}
	learned := e.inline
	e.telling.Unlock()
	if learned == known {
		return nil
	}
	e.warn("inline-size-learned", fmt.Sprintf("the server refuses create calls of %d bytes: larger ones go without their attachments, which follow by calls of their own and cost 2 units each", size))
	return e.store.Set(ctx, factInline, strconv.FormatInt(learned, 10))
}

// deliverAll sends, settles and sends again what was proven absent, until nothing is left or something stops it.
func (e *engine) deliverAll(ctx context.Context) error {
	e.delivering = true
	if err := e.sing(ctx); err != nil {
		return err
	}
	for {
		if err := e.deliver(ctx); err != nil {
			e.stop.set(asStop(err))
		}
		if c := e.stop.get(); c != nil {
			return c
		}
		if err := e.halted(ctx); err != nil {
			return err
		}
		if err := e.sweep(ctx); err != nil {
			return err
		}
		again, err := e.settle(ctx)
		if err != nil {
			return err
		}
		effects, err := e.settleEffects(ctx)
		if err != nil {
			return err
		}
		anew, err := e.planSettled(ctx)
		if err != nil {
			return err
		}
		if !again && !effects && !anew && !e.takeFreed() || e.enough() || e.overTime() {
			break
		}
	}
	if err := e.lookOnceMore(ctx); err != nil {
		return err
	}
	return e.watch(ctx)
}

// takeFreed reports, once, that settling has made something possible: the next part of a ticket, which had to wait, or
// the uploads of a part that was found.
func (e *engine) takeFreed() bool {
	e.telling.Lock()
	defer e.telling.Unlock()
	was := e.freed
	e.freed = false
	return was
}

// nowFree notes that something has become possible that others waited for.
func (e *engine) nowFree() {
	e.telling.Lock()
	defer e.telling.Unlock()
	e.freed = true
}

// countTodo counts what this run has before it.
func (e *engine) countTodo(ctx context.Context) error {
	c, err := e.store.Counts(ctx)
	if err != nil {
		return err
	}
	e.todo = c.Parts[checkpoint.Pending] + c.Parts[checkpoint.InDoubt]
	return nil
}

// sameAsReviewed refuses to send anything but the plan a person has approved.
func (e *engine) sameAsReviewed() error {
	if e.Approve == nil {
		return nil
	}
	return e.Approve()
}
