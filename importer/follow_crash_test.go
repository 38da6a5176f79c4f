package importer_test

import (
	"strings"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
)

// crashes lets a run die at each durable step, one before it is written and the next after, under each script of faults, and
// the same command go on until it is done; then check looks at the account. It tells how many steps there are.
func crashes(t *testing.T, scripts []string, setup func(t *testing.T) *bench, check func(b *bench)) {
	t.Helper()
	for i, script := range scripts {
		n := 0
		step := func(t *testing.T, k int) {
			b := setup(t)
			b.faults(script)
			end := b.dieAt(k, k%2 == 0)
			b.run()
			if k == 0 {
				n = end.steps
			}
			b.fault = nil
			rep := b.untilDone()
			wantBalanced(t, rep)
			time.Sleep(time.Minute) // what is applied late is applied by now
			wantBalanced(t, b.untilDone())
			check(b)
			_ = b.box.Close()
			if t.Failed() {
				t.Fatalf("crash at %s, faults %q", end, script)
			}
		}
		virtual(t, func(t *testing.T) { step(t, 0) })
		if n < 10 {
			t.Fatalf("only %d durable steps", n)
		}
		for k := range someSteps(n, i) {
			virtual(t, func(t *testing.T) { step(t, k) })
		}
		t.Logf("%d durable steps under %q", n, script)
	}
}

// TestStatusBehindALostAppend: a message whose answer was lost is ours, and no reason to leave the status as people have
// made it.
func TestStatusBehindALostAppend(t *testing.T) {
	for _, faults := range []string{"append#1=504,applied", "append#1=reset", "append#1=504,late:20s", "append#2=html200,applied append#3=504"} {
		t.Run(faults, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				b := newBench(t, many(8)...)
				b.mustRun(importer.ExitOK)
				time.Sleep(time.Hour)
				b.grow("1000", 2)
				b.ticket("1000").Status = "open"
				b.faults(faults)
				b.mustRun(importer.ExitOK)
				b.wantStatus(map[string]string{"1000": "active"})
				b.wantHeld()
				_ = b.box.Close()
			})
		})
	}
}

// TestNewerExportAfterACrash: a ticket that was closed because nothing was said in it is open again with its new message,
// although the run dies at any step and the next one plans a newer export, which says nothing more of it.
func TestNewerExportAfterACrash(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, k int) *death {
		lately := time.Now().AddDate(0, -1, 0) // no later than the virtual clock: the future is not the source's newest message
		b := newBench(t, aTicket("quiet", lately.AddDate(-1, 0, 0), 1, "open"), aTicket("busy", lately, 2, "open"))
		b.opts.Workers, b.maps.CloseInactive = 2, mapping.Duration(30*24*time.Hour)
		b.mustRun(importer.ExitOK)
		b.wantStatus(map[string]string{"quiet": "closed"})
		b.grow("quiet", 2)
		for _, m := range b.ticket("quiet").Messages[1:] {
			m.CreatedAt = lately.Add(time.Hour)
		}
		end := b.dieAt(k, k%2 == 0)
		b.run()
		b.fault = nil
		b.src.add(aTicket("late", lately.Add(2*time.Hour), 1, "solved"))
		wantBalanced(t, b.untilDone())
		b.wantStatus(map[string]string{"quiet": "active"})
		b.wantHeld()
		_ = b.box.Close()
		return end
	})
}

// TestPartThatIsNotNeeded: the second part of a ticket is lost, the run dies at any step, and the newer export has the
// ticket closed: now it fits into one part, and the same run says so.
func TestPartThatIsNotNeeded(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, k int) *death {
		b := newBench(t, aTicket("long", epoch, 96, "open"), aTicket("other", epoch.Add(time.Hour), 1, "solved"))
		b.opts.Workers = 1
		b.faults("create#2-3=reset")
		end := b.dieAt(k, k%2 == 0)
		b.run()
		b.fault = nil
		b.ticket("long").Status = "solved"
		b.src.add(aTicket("late", epoch.AddDate(0, 1, 0), 1, "solved"))
		wantBalanced(t, b.untilDone())
		b.wantStatus(map[string]string{"long": "closed"})
		b.wantHeld()
		_ = b.box.Close()
		return end
	})
}

// TestCrashInFollowingOn: a follow-up with all that it can hold: a conversation that takes no more threads, changes of
// status, some of which people have forestalled, files for messages that were sent, a message with files too large for
// its call.
func TestCrashInFollowingOn(t *testing.T) {
	t.Parallel()
	scripts := []string{
		"",
		"patch#1=504,applied patch#2=reset patch#3=504,late:1s create#1=504,applied upload#1=504,applied",
		"patch#1=reset create#1=reset upload#1=reset append#1=504,applied",
		"patch#1-2=html200,applied create#1=504,late:1s upload#2=504,late:1s append#2=reset",
	}
	setup := func(t *testing.T) *bench {
		tickets := append(many(10), aTicket("long", epoch.Add(-time.Hour), 3, "open"))
		b := newBench(t, tickets...)
		b.opts.Workers, b.maps.InlineSize = 3, mapping.Size(64000)
		b.mustRun(importer.ExitOK)
		time.Sleep(time.Hour)
		if err := b.box.SetStatus(b.partsOf("1008")[0].ID, "pending"); err != nil {
			t.Fatal(err)
		}
		b.grow("long", 2)
		for key, status := range map[string]string{"1003": "solved", "1008": "solved", "1000": "open", "1005": "pending"} {
			b.ticket(key).Status = status
		}
		m := *b.ticket("1006").Messages[0]
		attach(&m, "late.txt", "a file that came later")
		b.ticket("1006").Messages[0] = &m
		b.grow("1001", 1)
		grown := b.ticket("1001")
		attach(grown.Messages[len(grown.Messages)-1], "large.txt", strings.Repeat("a large file ", 5000))
		b.box.Configure(func(s *sandbox.Settings) { s.MaxBodyThread, s.MaxThreads = 50000, 4 })
		return b
	}
	crashes(t, scripts, setup, func(b *bench) {
		b.wantHeld()
		b.wantFiles()
		cs := b.partsOf("long")
		if len(cs) != 2 || cs[0].Status != "closed" || cs[1].Status != "active" || len(cs[1].Threads) != 3 {
			b.t.Errorf("%d conversations of the full one: %+v", len(cs), cs)
		}
		for key, want := range map[string]string{"1003": "closed", "1008": "pending", "1000": "active", "1005": "pending", "1004": "pending"} {
			if c := b.partsOf(key)[0]; c.Status != want {
				b.t.Errorf("ticket %s is %s, want %s", key, c.Status, want)
			}
		}
	})
}
