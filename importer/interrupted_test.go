package importer_test

import (
	"context"
	"strings"
	"testing"

	"hsimport/importer"
)

// interruptedAfter runs and presses Ctrl-C when so many conversations have reached their end.
func (b *bench) interruptedAfter(n int) *importer.Report {
	b.t.Helper()
	job := b.job()
	soft, stop := context.WithCancel(b.t.Context())
	defer stop()
	job.Soft = soft
	done := 0
	job.Progress = func(ev importer.Event) {
		if ev.Kind == importer.EventPart {
			if done++; done == n {
				stop()
			}
		}
	}
	return importer.Run(b.t.Context(), job)
}

// TestInterruptedAtTheEnd: a Ctrl-C that comes when the last conversation is there interrupts nothing: the run is
// complete, and says so. One conversation earlier it is interrupted, and so is one that still watches for a late twin.
func TestInterruptedAtTheEnd(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(30)...)
		b.opts.Workers = 1
		if rep := b.interruptedAfter(29); rep.Summary.ExitCode != importer.ExitInterrupted || rep.Summary.Conversations.Pending != 1 {
			t.Errorf("with one left: exit %d, %+v", rep.Summary.ExitCode, rep.Summary.Conversations)
		}
		rep := b.interruptedAfter(1)
		if rep.Summary.ExitCode != importer.ExitOK || !strings.Contains(rep.Summary.Verdict, "30 of 30 tickets") || rep.Cause != nil {
			t.Errorf("with none left: exit %d, %v, %s", rep.Summary.ExitCode, rep.Cause, rep.Summary.Verdict)
		}
		wantBalanced(t, rep)
		b.wantHeld()
		_ = b.box.Close()
	})
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(12)...)
		b.opts.Workers = 1
		b.faults("create#4=504")
		if rep := b.interruptedAfter(12); rep.Summary.ExitCode != importer.ExitInterrupted {
			t.Errorf("while it watches: exit %d, %v", rep.Summary.ExitCode, rep.Cause)
		}
		b.mustRun(importer.ExitOK)
		b.wantHeld()
		_ = b.box.Close()
	})
}
