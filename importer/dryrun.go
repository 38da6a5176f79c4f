package importer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"hsimport/checkpoint"
	"hsimport/mapping"
	"hsimport/sources"
)

// Seen is one ticket as a dry run shows it: what it was, what becomes of it, and where it stands.
type Seen struct {
	Ticket *sources.Ticket // nil when it could not be read
	Plan   *mapping.Plan   // nil when it could not be read
	Err    *sources.RecordError
}

// DryRun runs the code path of Run up to delivery and writes nothing, neither to the account nor to the checkpoint.
// It always returns a Report.
func DryRun(ctx context.Context, job *Job) *Report {
	e := newEngine(job, "dry-run")
	err := e.rehearse(ctx)
	if err == nil {
		err = e.judge()
	}
	if err != nil {
		e.rep.Cause = asStop(err)
	}
	s := &e.rep.Summary
	s.Source = sourceCounts(e.rep)
	e.quotaCounts()
	if e.fromSnapshot() {
		s.Quota.Limit, s.Snapshot = e.Snapshot.Limit, e.Snapshot.Taken.UTC().Format(time.RFC3339)
	}
	s.Unchecked = Unchecked(job)
	t := e.rep.Totals
	s.Conversations = Conversations{Planned: t.Parts, Already: t.Same + t.Changed, Rejected: t.Refused, InDoubt: t.Doubt}
	s.Conversations.Pending = t.Parts - s.Conversations.Already - s.Conversations.Rejected - s.Conversations.InDoubt
	s.Threads = ThreadCounts{FromMessages: t.FromMessages, Added: t.Added}
	s.Attachments = Attachments{Planned: t.Inline + t.Uploads + t.Noted, Inline: t.Inline, Uploaded: t.Uploads, Noted: t.Noted}
	e.finishSummary(0)
	s.Verdict = ""
	if e.store != nil {
		if err := e.store.Close(); err != nil && e.rep.Cause == nil {
			e.rep.Cause = asStop(err)
			s.ExitCode = e.rep.Cause.Code
		}
	}
	return e.rep
}

func (e *engine) rehearse(ctx context.Context) error {
	if err := e.bindOrNot(ctx); err != nil {
		return err
	}
	if err := e.view(ctx); err != nil {
		return err
	}
	if err := e.useLinker(ctx); err != nil {
		return err
	}
	e.countLinks = true
	e.tell(Event{Kind: EventPhase, Text: "reading and mapping every ticket"})
	p := &planner{engine: e}
	start := time.Now()
	if err := p.all(ctx); err != nil {
		return err
	}
	e.rep.Planned = time.Since(start)
	if e.Client == nil {
		return nil
	}
	return e.overlaps(ctx)
}

// bindOrNot makes the mapper for the account, for a snapshot of it, or for none.
func (e *engine) bindOrNot(ctx context.Context) error {
	var acc *Account
	switch {
	case e.Client != nil:
		var err error
		if acc, err = e.bind(ctx); err != nil {
			return err
		}
		e.sideEffects(ctx, acc)
	case e.fromSnapshot():
		acc = e.Snapshot.AccountFor(e.Mapping.MailboxNames()...)
		e.origin, e.rep.Rehearsal, e.rep.Target = acc.Origin, rehearsalHost(acc.Origin), e.Snapshot.Target()
		e.useMapper(e.rep.Target)
	default:
		e.rep.Target = e.Target
		e.useMapper(e.Target)
		return nil
	}
	e.rep.Findings.Add(acc.findings()...)
	return nil
}

// Unchecked is what only the account could tell a dry run, and is not asked for.
func Unchecked(e *Job) (out []string) {
	if e.Client != nil {
		return nil
	}
	if e.Snapshot != nil {
		out = append(out, "what has changed in the account since the snapshot was taken")
	} else {
		out = append(out,
			fmt.Sprintf("whether the mailbox %q is there", e.Mapping.Mailbox), "which agents are users of Help Scout, and which teams there are",
			"custom fields and their options", "which workflows and webhooks the import might set off", "the quota")
	}
	if !e.Until {
		out = append(out, "whether mail of the same dates is in the mailbox already")
	}
	return out
}

func (e *engine) fromSnapshot() bool { return e.Client == nil && e.Snapshot != nil }

// sideEffects asks what an import might set off, and what the answers so far say of the clocks.
func (e *engine) sideEffects(ctx context.Context, acc *Account) {
	acc.SideEffects(ctx, e.Client)
	if e.Quota != nil {
		acc.Skew, _ = e.Quota.Skew()
	}
}

// view opens the checkpoint for reading, if there is one, so that the report can tell new from sent.
func (e *engine) view(ctx context.Context) error {
	if e.Checkpoint == "" {
		return nil
	}
	if _, err := os.Stat(e.Checkpoint); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	store, err := checkpoint.View(ctx, e.Checkpoint)
	if err != nil {
		return checkpointStop(err)
	}
	e.store = store
	return nil
}
