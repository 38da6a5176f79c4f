package importer_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"hsimport/checkpoint"
	"hsimport/importer"
)

func (b *bench) trial(code, sample int) *importer.Report {
	b.t.Helper()
	job := b.job()
	job.Checkpoint += importer.TrialSuffix
	job.Trial, job.Mapping.Mailbox, job.Options.Sample = &importer.Trial{Mailboxes: []string{b.maps.Mailbox}}, "Sales", sample
	rep := importer.Run(b.t.Context(), job)
	if rep.Summary.ExitCode != code || !rep.Summary.Balanced {
		b.t.Fatalf("trial: exit %d (%v), want %d; %s", rep.Summary.ExitCode, rep.Cause, code, rep.Summary.Verdict)
	}
	return rep
}

// TestTrial: a trial sends its sample once, also when the sample grows, and stands in the way of another inbox; the import
// beside it, whose answers are lost, takes none of its conversations for its own, and neither does recover.
func TestTrial(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(40)...)
		b.trial(importer.ExitOK, 5)
		b.trial(importer.ExitOK, 5)
		if rep := b.trial(importer.ExitOK, 9); rep.Summary.Conversations.Already != 5 || len(b.there()) != 9 {
			t.Errorf("%+v, %d conversations", rep.Summary.Conversations, len(b.there()))
		}
		store, err := checkpoint.View(t.Context(), b.path+importer.TrialSuffix)
		if err != nil {
			t.Fatal(err)
		}
		of := store.Job()
		_ = store.Close()
		if store, err = checkpoint.Open(t.Context(), b.path+importer.TrialSuffix, of); err != nil {
			t.Fatal(err)
		}
		was, _, err := store.Get(t.Context(), "trial")
		if err != nil || !strings.Contains(was, `"name":"Sales"`) {
			t.Fatalf("%s %v", was, err)
		}
		set := func(v string) {
			if err := store.Set(t.Context(), "trial", v); err != nil {
				t.Fatal(err)
			}
		}
		set(`{"id":7,"name":"Elsewhere"}`)
		_ = store.Close()
		if rep := b.trial(importer.ExitUsage, 5); !strings.Contains(rep.Cause.Error(), "9 conversations stands in the inbox Elsewhere") {
			t.Errorf("cause %v", rep.Cause)
		}
		if store, err = checkpoint.Open(t.Context(), b.path+importer.TrialSuffix, of); err != nil {
			t.Fatal(err)
		}
		set(was)
		_ = store.Close()

		var lost []string // every second answer: tickets that the trial sent are among those that did not arrive
		for n := 2; n <= 40; n += 4 {
			lost = append(lost, fmt.Sprintf("create#%d=reset create#%d=504,applied", n, n+2))
		}
		b.faults(strings.Join(lost, " "))
		b.mustRun(importer.ExitOK)
		b.faults("")
		b.lose()
		b.recover(importer.ExitOK, false)
		if rep := b.mustRun(importer.ExitOK); rep.Summary.Conversations.Created != 0 {
			t.Errorf("after recover: %+v", rep.Summary.Conversations)
		}

		job := b.job()
		job.Source, job.Trial = nil, &importer.Trial{}
		job.Checkpoint += importer.TrialSuffix
		sum, _ := importer.Rollback(t.Context(), job, importer.RollingBack{Confirm: func(context.Context, *importer.RollbackPlan) error { return nil }}, func(importer.Kept) {})
		if sum.ExitCode != importer.ExitOK || sum.RolledBack.Deleted != 9 {
			t.Errorf("rollback: %+v", sum)
		}
		b.wantHeld()
		_ = b.box.Close()
	})
}
