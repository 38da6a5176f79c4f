package importer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
)

// virtual runs a test in virtual time and leaves nothing running.
func virtual(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t) })
}

// faults sets the sandbox's fault script.
func (b *bench) faults(script string) {
	b.t.Helper()
	rules, err := sandbox.ParseFaults(script)
	if err != nil {
		b.t.Fatal(err)
	}
	b.box.SetFaults(rules)
}

// conversation finds the live conversations of a ticket by its subject.
func (b *bench) conversations(subject string) (out []sandbox.Conversation) {
	for c := range b.box.Conversations() {
		if c.Live() && partOf.ReplaceAllString(c.Subject, "") == subject {
			out = append(out, c)
		}
	}
	return out
}

// vanished counts the conversations that are not there any more.
func (b *bench) vanished() (n int) {
	for c := range b.box.Conversations() {
		if !c.Live() {
			n++
		}
	}
	return n
}

// reports says whether a finding of that code is in the report, with a text that contains words.
func reports(rep *importer.Report, code, words string) bool {
	for _, g := range rep.Findings.Groups() {
		for _, x := range g.Examples {
			if g.Code == code && strings.Contains(x.Text, words) {
				return true
			}
		}
	}
	return false
}

func wantBalanced(t testing.TB, rep *importer.Report) {
	t.Helper()
	c := rep.Summary.Conversations
	if !rep.Summary.Balanced || c.Sum() != c.Planned {
		t.Errorf("the sums do not close: %+v; %v", rep.Summary, rep.Cause)
	}
}

// redoJob holds a plain ticket, a split one, one with files of both kinds.
func redoBench(t *testing.T) *bench {
	b := newBench(t, crashJob()...)
	b.maps.MaxThreads, b.maps.Headroom, b.maps.InlineSize = 4, new(int), mapping.Size(64000)
	return b
}

// TestMappingThatChangesNothing: another mapping under which no conversation would differ just goes on.
func TestMappingThatChangesNothing(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := redoBench(t)
		once := false
		b.box.Inject(func(op sandbox.Op) *sandbox.Fault {
			if op.Kind != "create" || once || subjectOf(op.Body) != "Ticket files" {
				return nil
			}
			once = true
			return &sandbox.Fault{Kind: sandbox.Status, Code: 413}
		})
		b.mustRun(importer.ExitOK)
		b.maps.Statuses["never used"] = "closed"
		rep := b.mustRun(importer.ExitOK)
		b.wantHeld()
		wantBalanced(t, rep)
		_ = b.box.Close()
	})
}

// TestChangedMapping: exit 8 with the count until the person has decided, however often the command is repeated.
func TestChangedMapping(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := redoBench(t)
		b.mustRun(importer.ExitOK)
		b.maps.JobTag = "moved"
		for range 3 {
			rep := b.mustRun(importer.ExitDrift)
			wantBalanced(t, rep)
			if !strings.Contains(rep.Cause.Error(), fmt.Sprintf(" %d conversations", len(slices.Collect(b.box.Conversations())))) {
				t.Errorf("cause %v", rep.Cause)
			}
		}
		b.opts.KeepSent = true
		b.src.add(aTicket("late", epoch.AddDate(0, 0, 1), 1, "solved"))
		wantBalanced(t, b.mustRun(importer.ExitOK))
		if n := b.vanished(); n != 0 {
			t.Errorf("%d conversations were deleted by --keep-sent", n)
		}
		if late := b.conversations("Ticket late"); len(late) != 1 || !slices.Contains(late[0].Tags, "moved") {
			t.Errorf("the new mapping does not hold for a new ticket: %+v", late)
		}
		b.wantHeld()
		_ = b.box.Close()
	})
}

// TestRedoChanged deletes what nobody has touched and sends it again under the new mapping, also after an exit 8.
func TestRedoChanged(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := redoBench(t)
		b.mustRun(importer.ExitOK)
		touched := b.conversations("Ticket plain")[0].ID
		if _, err := b.box.Reply(touched, 0, "an answer"); err != nil {
			t.Fatal(err)
		}
		split := b.conversations("Ticket split")
		if err := b.box.SetStatus(split[len(split)-1].ID, "active"); err != nil {
			t.Fatal(err)
		}
		b.maps.JobTag = "moved"
		b.mustRun(importer.ExitDrift)
		b.opts.RedoChanged = true
		rep := b.mustRun(importer.ExitOK)
		wantBalanced(t, rep)
		b.wantHeld()
		b.wantFiles()
		for c := range b.box.Conversations() {
			plain := c.ID == touched || strings.HasPrefix(c.Subject, "Ticket split")
			if c.Live() && slices.Contains(c.Tags, "moved") == plain {
				t.Errorf("conversation %d %q has tags %v", c.ID, c.Subject, c.Tags)
			}
		}
		if !reports(rep, "touched-left", "") {
			t.Error("nobody is told of the touched conversation")
		}
		b.opts.RedoChanged = false
		wantBalanced(t, b.mustRun(importer.ExitOK))
		b.wantHeld()
		_ = b.box.Close()
	})
}

// TestRedoBlocked: what blocks the job stops it before anything is taken back.
func TestRedoBlocked(t *testing.T) {
	b := redoBench(t)
	b.mustRun(importer.ExitOK)
	b.maps.JobTag, b.opts.RedoChanged = "moved", true
	b.src.add(aTicket("odd", epoch.AddDate(0, 0, 1), 1, "a status nobody mapped"))
	b.mustRun(importer.ExitUsage)
	if n := b.vanished(); n != 0 {
		t.Errorf("%d conversations were deleted by a run that was blocked", n)
	}
}

// TestRedoRefused: a conversation that the server will not delete is not sent a second time.
func TestRedoRefused(t *testing.T) {
	for _, fault := range []string{"403", "423", "301", "404"} {
		t.Run(fault, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				b := redoBench(t)
				b.mustRun(importer.ExitOK)
				b.maps.JobTag, b.opts.RedoChanged = "moved", true
				b.faults("delete#2=" + fault)
				rep := b.run()
				if rep.Summary.ExitCode != importer.ExitRejected {
					t.Errorf("exit %d, %v", rep.Summary.ExitCode, rep.Cause)
				}
				wantBalanced(t, rep)
				b.wantHeld()
				_ = b.box.Close()
			})
		})
	}
}

// TestRedoNotAllowed: an account that may not delete ends --redo-changed early, and nobody says that people have worked on
// what stays.
func TestRedoNotAllowed(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(40)...)
		b.mustRun(importer.ExitOK)
		b.maps.JobTag, b.opts.RedoChanged = "moved", true
		b.faults("delete=403")
		before := b.calls()
		rep := b.mustRun(importer.ExitAuth)
		if n := b.calls()["delete"] - before["delete"]; n != 12 {
			t.Errorf("%d deletes were tried", n)
		}
		if reports(rep, "touched-left", "") {
			t.Error("what the server refuses is said to be touched")
		}
		b.faults("delete#1=403")
		rep = b.run()
		wantBalanced(t, rep)
		if reports(rep, "touched-left", "") || !reports(rep, "not-taken-back", "") {
			t.Errorf("findings %+v", rep.Findings.Groups())
		}
		b.faults("")
		wantBalanced(t, b.mustRun(importer.ExitOK))
		b.wantHeld()
		_ = b.box.Close()
	})
}

// redoSteps runs a redo to its end and counts its durable steps.
func redoSteps(t *testing.T, faults string) (n int) {
	virtual(t, func(t *testing.T) {
		b := redoBench(t)
		b.mustRun(importer.ExitOK)
		b.maps.JobTag, b.opts.RedoChanged = "moved", true
		b.faults(faults)
		all := b.dieAt(0, false)
		b.untilDone()
		_ = b.box.Close()
		n = all.steps
	})
	return n
}

// TestCrashInRedo kills a redo at each durable step; the next run has --redo-changed, or --keep-sent, or neither.
func TestCrashInRedo(t *testing.T) {
	t.Parallel()
	for i, faults := range []string{"", "delete#1=504,applied delete#3=504"} {
		n := redoSteps(t, faults)
		if n < 20 {
			t.Fatalf("only %d durable steps", n)
		}
		for k := range someSteps(n, i) {
			redoCrash(t, faults, k, k%2 == 0)
		}
	}
}

func redoCrash(t *testing.T, faults string, k int, apply bool) {
	t.Helper()
	virtual(t, func(t *testing.T) {
		b := redoBench(t)
		b.mustRun(importer.ExitOK)
		b.maps.JobTag, b.opts.RedoChanged = "moved", true
		b.faults(faults)
		end := b.dieAt(k, apply)
		b.run()
		b.fault = nil
		switch k % 3 {
		case 0:
			b.opts.RedoChanged, b.opts.KeepSent = false, true
		case 1:
			b.opts.RedoChanged = false
			if code := b.run().Summary.ExitCode; code != importer.ExitOK && code != importer.ExitDrift {
				t.Errorf("exit %d", code)
			}
			b.opts.RedoChanged = true
		}
		wantBalanced(t, b.untilDone())
		b.wantHeld()
		b.wantFiles()
		_ = b.box.Close()
		if t.Failed() {
			t.Fatalf("crash at %s, faults %q", end, faults)
		}
	})
}
