package importer_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
)

// flowBench is an account with three active automatic workflows in the job's mailbox and, besides, a manual one, one that
// is off, and one of another mailbox, which no call may touch.
func flowBench(t *testing.T) *bench {
	b := newBench(t, many(20)...)
	for _, f := range []sandbox.Workflow{
		{Name: "escalate", Query: `(tag:"never")`},
		{Name: "remind", Query: `(tag:"never")`},
		{Name: "tidy", Query: `(tag:"never")`},
		{Name: "by hand", Type: "manual"},
		{Name: "off", Status: "inactive"},
		{Name: "elsewhere", MailboxID: otherMailbox},
	} {
		if _, err := b.box.AddWorkflow(f); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// active lists the names of the workflows that are on.
func (b *bench) active() string {
	b.t.Helper()
	flows, err := b.job().Client.Workflows(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	var names []string
	for _, f := range flows {
		if f.Status == "active" {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func (b *bench) paused() string {
	b.t.Helper()
	off, err := importer.PausedWorkflows(b.t.Context(), b.path)
	if err != nil {
		b.t.Fatal(err)
	}
	var names []string
	for _, w := range off {
		names = append(names, w.Name)
	}
	return strings.Join(names, ", ")
}

func (b *bench) pause() (code int, said []importer.Switched) {
	stop := importer.PauseWorkflows(b.t.Context(), b.job(), func(s importer.Switched) { said = append(said, s) })
	return codeOf(stop), said
}

func (b *bench) resume() (code int, plan *importer.ResumePlan, said []importer.Switched) {
	stop := importer.ResumeWorkflows(b.t.Context(), b.job(), func(_ context.Context, p *importer.ResumePlan) error { plan = p; return nil },
		func(s importer.Switched) { said = append(said, s) })
	return codeOf(stop), plan, said
}

func codeOf(stop *importer.Stop) int {
	if stop == nil {
		return importer.ExitOK
	}
	return stop.Code
}

const (
	allOn    = "by hand, elsewhere, escalate, remind, tidy"
	theirsOn = "by hand, elsewhere"
	oursOff  = "escalate, remind, tidy"
)

// TestPauseAndResume: exactly the active automatic workflows of the job's mailbox go off, and exactly those come on
// again, after what was imported and is alive was shown; the import between does not need to know.
func TestPauseAndResume(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := flowBench(t)
		if code, said := b.pause(); code != importer.ExitOK || len(said) != 3 || b.active() != theirsOn || b.paused() != oursOff {
			t.Fatalf("exit %d, %+v; active: %s; paused: %s", code, said, b.active(), b.paused())
		}
		if _, err := os.Stat(b.path); err == nil {
			t.Error("a checkpoint has come into being: the first run would take itself for a later one")
		}
		rep := b.mustRun(importer.ExitOK)
		if !strings.Contains(rep.Summary.Verdict, "3 workflows are still switched off") || len(rep.Summary.WorkflowsOff) != 3 {
			t.Errorf("the run does not say that workflows are off: %q, %v", rep.Summary.Verdict, rep.Summary.WorkflowsOff)
		}
		st, err := importer.ReadStatus(t.Context(), b.path)
		if err != nil || len(st.WorkflowsOff) != 3 {
			t.Errorf("status: %+v, %v", st, err)
		}
		if err := b.box.SetStatus(b.conversations("Ticket 1003")[0].ID, "closed"); err != nil {
			t.Fatal(err)
		}
		refuse := func(context.Context, *importer.ResumePlan) error { return errors.New("not confirmed") }
		if stop := importer.ResumeWorkflows(t.Context(), b.job(), refuse, nil); stop == nil || b.active() != theirsOn {
			t.Errorf("not confirmed: %v; active: %s", stop, b.active())
		}
		code, plan, said := b.resume()
		if code != importer.ExitOK || len(said) != 3 || b.active() != allOn || b.paused() != "" {
			t.Errorf("exit %d, %+v; active: %s; paused: %s", code, said, b.active(), b.paused())
		}
		if len(plan.Live) != 2 || plan.Live[0].Status != "active" || plan.Live[0].N != 3 || plan.Live[1].N != 4 || plan.Live[1].Examples[0].Subject != "Ticket 1004" {
			t.Errorf("the plan shows %+v", plan.Live)
		}
		if code, plan, _ := b.resume(); code != importer.ExitOK || plan != nil || b.active() != allOn {
			t.Errorf("a second time: exit %d, %+v", code, plan)
		}
		if b.mustRun(importer.ExitOK).Summary.WorkflowsOff != nil {
			t.Error("a later run still says that workflows are off")
		}
		_ = b.box.Close()
	})
}

// TestPauseAgain: what becomes active later is switched off by a second call, what people switched on by hand stays
// on, and a second round of both works like the first.
func TestPauseAgain(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := flowBench(t)
		for range 2 {
			b.pause()
			if _, err := b.box.AddWorkflow(sandbox.Workflow{Name: "new", Query: `(tag:"never")`}); err != nil {
				t.Fatal(err)
			}
			if code, said := b.pause(); code != importer.ExitOK || len(said) != 1 || b.active() != theirsOn {
				t.Fatalf("exit %d, %+v; active: %s", code, said, b.active())
			}
			if code, _, said := b.resume(); code != importer.ExitOK || len(said) < 4 {
				t.Fatalf("exit %d, %+v", code, said)
			}
			b.pause()
			if b.active() != theirsOn {
				t.Fatalf("active: %s", b.active())
			}
			b.resume()
		}
		if want := "by hand, elsewhere, escalate, new, new, remind, tidy"; b.active() != want || b.paused() != "" {
			t.Errorf("active: %s; paused: %s", b.active(), b.paused())
		}
		_ = b.box.Close()
	})
}

// TestPauseOfOtherAccount: what is kept for one account is never used on another.
func TestPauseOfOtherAccount(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := flowBench(t)
		b.pause()
		b.base = "https://help.example"
		if code, _ := b.pause(); code != importer.ExitCheckpoint {
			t.Errorf("pause: exit %d", code)
		}
		if code, _, _ := b.resume(); code != importer.ExitCheckpoint || b.active() != theirsOn {
			t.Errorf("resume: exit %d; active: %s", code, b.active())
		}
		_ = b.box.Close()
	})
}

// TestPauseInterrupted: a Ctrl-C, and an account that does not answer, are told as what they are.
func TestPauseInterrupted(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := flowBench(t)
		job := b.job()
		soft, stop := context.WithCancel(t.Context())
		stop()
		job.Soft = soft
		if end := importer.PauseWorkflows(t.Context(), job, nil); codeOf(end) != importer.ExitInterrupted || b.active() != allOn {
			t.Errorf("interrupted: %v; active: %s", end, b.active())
		}
		b.faults("directory=503")
		b.opts.OutagePatience = mapping.Duration(time.Minute)
		if end := importer.PauseWorkflows(t.Context(), b.job(), nil); codeOf(end) != importer.ExitLeft || !strings.Contains(end.Error(), "has not answered") {
			t.Errorf("an outage: %v", end)
		}
		_ = b.box.Close()
	})
}

// TestPauseRefused: a token that may not switch workflows leaves them on, and says so.
func TestPauseRefused(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := flowBench(t)
		b.refuseSwitches(403)
		code, said := b.pause()
		if code != importer.ExitRejected || len(said) != 3 || said[0].Done || said[0].Why == "" || b.paused() != "" {
			t.Errorf("exit %d, %+v; paused: %s", code, said, b.paused())
		}
		b.box.Inject(nil)
		if code, _ := b.pause(); code != importer.ExitOK || b.active() != theirsOn || b.paused() != oursOff {
			t.Errorf("allowed: exit %d; active: %s", code, b.active())
		}
		_ = b.box.Close()
	})
}

func (b *bench) refuseSwitches(code int) {
	b.box.Inject(func(op sandbox.Op) *sandbox.Fault {
		if op.Kind != "workflows" || op.Method != "PATCH" {
			return nil
		}
		return &sandbox.Fault{Kind: sandbox.Status, Code: code}
	})
}

// switchFaults befall the switches, counted over pause and resume.
func (b *bench) switchFaults(lost map[int]sandbox.Fault) {
	n := 0
	b.box.Inject(func(op sandbox.Op) *sandbox.Fault {
		if op.Kind != "workflows" || op.Method != "PATCH" || op.Late {
			return nil
		}
		n++
		if f, ok := lost[n]; ok {
			return &f
		}
		return nil
	})
}

// TestCrashInPause kills pause and resume at each durable step, under every kind of lost answer, one of them carried
// out minutes later: the same command goes on, the right ones are off in between, and in the end everything is as it
// was, for good.
func TestCrashInPause(t *testing.T) {
	t.Parallel()
	gateway := func(how sandbox.Applied, late time.Duration) sandbox.Fault {
		return sandbox.Fault{Kind: sandbox.Status, Code: 504, Apply: how, Late: late}
	}
	for i, lost := range []map[int]sandbox.Fault{
		nil,
		{1: gateway(0, 0), 2: {Kind: sandbox.Reset}, 6: gateway(0, 0)},
		{1: gateway(sandbox.ApplyBefore, 0), 3: {Kind: sandbox.Reset, Apply: sandbox.ApplyBefore}, 5: gateway(sandbox.ApplyBefore, 0)},
		{1: gateway(sandbox.ApplyLate, 4*time.Second), 5: gateway(sandbox.ApplyLate, 4*time.Second)},
	} {
		t.Run([]string{"no fault", "not applied", "applied", "late"}[i], func(t *testing.T) {
			n := 0
			step := func(t *testing.T, k int) {
				b := flowBench(t)
				b.switchFaults(lost)
				end := b.dieAt(k, k%2 == 0)
				b.pause()
				b.resume()
				n = max(n, end.steps)
				b.fault = nil
				if code, _ := b.pause(); code != importer.ExitOK || b.active() != theirsOn || b.paused() != oursOff {
					t.Errorf("after the crash: exit %d; active: %s; paused: %s", code, b.active(), b.paused())
				}
				if code, _, _ := b.resume(); code != importer.ExitOK || b.paused() != "" {
					t.Errorf("resumed: exit %d; paused: %s", code, b.paused())
				}
				time.Sleep(time.Hour)
				if b.active() != allOn {
					t.Errorf("an hour later, active: %s", b.active())
				}
				_ = b.box.Close()
				if t.Failed() {
					t.Fatalf("crash at %s", end)
				}
			}
			virtual(t, func(t *testing.T) { step(t, 0) })
			if n < 15 {
				t.Fatalf("only %d durable steps", n)
			}
			for k := range someSteps(n, i) {
				virtual(t, func(t *testing.T) { step(t, k) })
			}
		})
	}
}
