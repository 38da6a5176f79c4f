package importer_test

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
	"hsimport/sources"
)

var errCrash = errors.New("the process dies here")

// crashJob is small and holds everything: a split ticket, attachments in the create call and after it, twins of one
// second and one customer, live and closed.
func crashJob() []*sources.Ticket {
	split := aTicket("split", epoch, 7, "solved")
	files := aTicket("files", epoch.Add(time.Hour), 2, "open")
	attach(files.Messages[0], "small.txt", "a small file")
	attach(files.Messages[1], "large.txt", strings.Repeat("a large file ", 5000))
	attach(files.Messages[1], "large too.txt", strings.Repeat("another large file ", 5000))
	return append(twins("same text", "same text"), split, files, aTicket("plain", epoch.Add(2*time.Hour), 1, "pending"))
}

// twins are two tickets of one customer, second and subject.
func twins(first, second string) []*sources.Ticket {
	var out []*sources.Ticket
	for i, text := range []string{first, second} {
		t := aTicket(fmt.Sprintf("twin%d", i), epoch.Add(30*time.Minute), 1, "solved")
		t.Subject, t.Requester = "Twins", sources.Person{Name: "T Win", Email: "twin@customers.example"}
		t.Messages[0].Author, t.Messages[0].Body = t.Requester, text
		out = append(out, t)
	}
	return out
}

// lostAnswers are the ways in which an answer can go missing, and which calls it befalls. The calls are chosen so that no
// part loses three: that one would rightly be rejected.
var lostAnswers = map[string]string{
	"no fault":         "",
	"not applied":      "create#2=reset create#5=504 create#7=500 upload#1=504 upload#4=reset",
	"applied":          "create#2=reset,applied create#5=504,applied create#8=html200,applied upload#1=504,applied upload#4=reset,applied",
	"applied 1s later": "create#2=reset,late:1s create#5=504,late:1s create#8=503,late:1s upload#1=504,late:1s upload#4=reset,late:1s",
}

func crashBench(t *testing.T, faults string, workers int) *bench {
	b := newBench(t, crashJob()...)
	b.maps.MaxThreads, b.maps.Headroom = 4, new(int)
	b.maps.InlineSize, b.opts.Workers = mapping.Size(64000), importer.Workers(workers)
	rules, err := sandbox.ParseFaults(faults)
	if err != nil {
		t.Fatal(err)
	}
	b.box.SetFaults(rules)
	return b
}

// untilDone runs until a run ends well, as a person would who repeats the command.
func (b *bench) untilDone() *importer.Report {
	b.t.Helper()
	for range 12 {
		rep := b.run()
		switch rep.Summary.ExitCode {
		case importer.ExitOK:
			return rep
		case importer.ExitLeft, importer.ExitDoubt, importer.ExitUnexpected, importer.ExitInterrupted:
			continue
		}
		b.t.Fatalf("exit %d: %v %v", rep.Summary.ExitCode, rep.Cause, rep.Rejected)
	}
	rep := b.run()
	b.t.Fatalf("not done after 12 runs: exit %d: %v; %+v", rep.Summary.ExitCode, rep.Cause, rep.Summary.Conversations)
	return nil
}

// wantFiles requires every attachment once.
func (b *bench) wantFiles() {
	b.t.Helper()
	held := map[string]int{}
	for c := range b.box.Conversations() {
		if c.Deleted {
			continue
		}
		for _, th := range c.Threads {
			for _, a := range th.Attachments {
				held[a.SHA256]++
			}
		}
	}
	for _, t := range b.src.tickets {
		for _, m := range t.Messages {
			for _, a := range m.Attachments {
				if held[a.SHA256] != 1 {
					b.t.Errorf("attachment %s is there %d times", a.Name, held[a.SHA256])
				}
			}
		}
	}
}

// death is where a process dies: at the k-th durable step, which is still written or not. A dead process writes nothing
// more. With k = 0 it lives, and its steps are counted.
type death struct {
	k     int
	apply bool
	steps int
	op    string
}

func (d *death) String() string { return fmt.Sprintf("step %d (%s), written %t", d.k, d.op, d.apply) }

// dieAt makes what runs next die, until fault is nil again.
func (b *bench) dieAt(k int, apply bool) *death {
	d := &death{k: k, apply: apply}
	b.fault = func(op string) (bool, error) {
		d.steps++
		switch {
		case k == 0 || d.steps < k:
			return true, nil
		case d.steps == k:
			d.op = op
			return apply, errCrash
		}
		return false, errCrash
	}
	return d
}

// steps counts the durable writes of a run without crashes.
func steps(t *testing.T, faults string) (n int) {
	synctest.Test(t, func(t *testing.T) {
		b := crashBench(t, faults, 1)
		all := b.dieAt(0, false)
		b.untilDone()
		b.wantHeld()
		b.wantFiles()
		_ = b.box.Close()
		n = all.steps
	})
	return n
}

// stride is how many durable steps a crash matrix goes on at a time. It is odd: both sides of a step have their turn.
func stride() int {
	switch {
	case os.Getenv("SOAK") != "":
		return 1
	case testing.Short():
		return 7
	}
	return 3
}

// someSteps are those of n durable steps at which a matrix dies. The first one moves on with its scripts, so that three
// of them together have every step; with SOAK each has.
func someSteps(n, script int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for k := 1 + script%stride(); k <= n && yield(k); k += stride() {
		}
	}
}

// TestCrashAtEveryStep kills a run at each durable step, before and after it is written, under every kind of lost
// answer, and lets the same command go on until it is done: each message and each file is there once.
func TestCrashAtEveryStep(t *testing.T) {
	t.Parallel()
	for name, faults := range lostAnswers {
		t.Run(name, func(t *testing.T) {
			n := steps(t, faults)
			if n < 20 {
				t.Fatalf("only %d durable steps: the seam is not where it was", n)
			}
			if testing.Short() {
				for k := 1; k <= n; k += 7 {
					crashAt(t, faults, 4, k, k%2 == 0)
				}
				return
			}
			for _, workers := range []int{1, 4} {
				for k := 1; k <= n; k += 1 + workers/4 { // every step by one worker, every other by four
					crashAt(t, faults, workers, k, k%2 == 0)
					if workers == 1 {
						crashAt(t, faults, workers, k, k%2 != 0)
					}
				}
			}
			t.Logf("%d durable steps", n)
		})
	}
}

func crashAt(t *testing.T, faults string, workers, k int, apply bool) {
	synctest.Test(t, func(t *testing.T) {
		b := crashBench(t, faults, workers)
		end := b.dieAt(k, apply)
		b.run()
		b.fault = nil
		b.untilDone()
		b.wantHeld()
		b.wantFiles()
		_ = b.box.Close()
		if t.Failed() {
			t.Fatalf("crash at %s, %d workers", end, workers)
		}
	})
}

// TestWithoutSettlingItDoubles shows that the matrix bites: with the protection off, lost answers double.
func TestWithoutSettlingItDoubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := crashBench(t, lostAnswers["applied"], 1)
		b.bare = true
		for range 6 {
			if rep := b.run(); rep.Summary.ExitCode == importer.ExitOK {
				break
			}
		}
		if _, doubled := b.compare(); len(doubled) == 0 {
			t.Error("nothing was doubled although lost answers were sent again: the matrix would not notice")
		}
		_ = b.box.Close()
	})
}

// TestTwins settles two parts in doubt of one second that only their texts can tell apart, or nothing can.
func TestTwins(t *testing.T) {
	for _, texts := range [][2]string{{"same", "same"}, {"one", "two"}} {
		for _, applied := range [][2]bool{{true, true}, {true, false}, {false, true}, {false, false}} {
			t.Run(fmt.Sprint(texts, applied), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t, append(twins(texts[0], texts[1]), aTicket("other", epoch, 1, "solved"))...)
					n := 0
					b.box.Inject(func(op sandbox.Op) *sandbox.Fault {
						if op.Kind != "create" || !strings.Contains(string(op.Body), "Twins") || op.Late {
							return nil
						}
						if n++; n > 2 {
							return nil
						}
						f := &sandbox.Fault{Kind: sandbox.Status, Code: 504}
						if applied[n-1] {
							f.Apply = sandbox.ApplyBefore
						}
						return f
					})
					b.untilDone()
					b.wantHeld()
					_ = b.box.Close()
				})
			})
		}
	}
}

// TestAppliedTwoMinutesLater: the settle time is over, the part was sent again, and then the first request is applied
// after all.
func TestAppliedTwoMinutesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, many(12)...)
		b.opts.Settle = mapping.Duration(60 * time.Second)
		rules, err := sandbox.ParseFaults("create#5=504,late:120s")
		if err != nil {
			t.Fatal(err)
		}
		b.box.SetFaults(rules)
		b.untilDone()
		time.Sleep(time.Hour)
		b.wantHeld()
		_ = b.box.Close()
	})
}

// TestLostCheckpoint: a history that is there already is not sent a second time.
func TestLostCheckpoint(t *testing.T) {
	b := newBench(t, many(40)...)
	b.mustRun(importer.ExitOK)
	b.path = filepath.Join(t.TempDir(), "import.db")
	b.mustRun(importer.ExitCheckpoint)
	b.wantHeld()
}

// followJob is a job that was done, and a newer export of it: messages to append, two of them alike, and a file that
// the server refuses and a note names.
func followBench(t *testing.T, faults string) *bench {
	b := newBench(t, append(many(6), aTicket("files", epoch.Add(-time.Hour), 2, "solved"))...)
	b.maps.InlineSize, b.opts.Workers = mapping.Size(64000), 3
	b.mustRun(importer.ExitOK)
	b.grow("1000", 2)
	b.grow("1003", 1)
	i, _ := b.src.Find("id:1000")
	msgs := b.src.tickets[i].Messages
	msgs[2].Body, msgs[2].CreatedAt, msgs[2].Author, msgs[2].Kind = msgs[1].Body, msgs[1].CreatedAt, msgs[1].Author, msgs[1].Kind
	refused := aTicket("refused", epoch.Add(-2*time.Hour), 1, "solved")
	attach(refused.Messages[0], "large.txt", strings.Repeat("a large file ", 6000))
	b.src.add(refused)
	b.faults("upload=413 " + faults)
	return b
}

// TestCrashInFollowUp is TestCrashAtEveryStep for appended messages and notes.
func TestCrashInFollowUp(t *testing.T) {
	t.Parallel()
	for i, faults := range []string{"", "reply#1=504,applied note#1=reset customer#1=504,late:1s", "append#1-2=reset", "append#2=html200,applied append#3=504"} {
		n := 0
		step := func(t *testing.T, k int) {
			b := followBench(t, faults)
			end := b.dieAt(k, k%2 == 0)
			b.run()
			if k == 0 {
				n = end.steps
			}
			b.fault = nil
			var rep *importer.Report
			for range 4 {
				rep = b.run()
			}
			if rep.Summary.ExitCode != importer.ExitRejected || len(rep.Rejected) != 1 { // the file
				t.Errorf("exit %d, %v, %+v", rep.Summary.ExitCode, rep.Cause, rep.Rejected)
			}
			wantBalanced(t, rep)
			b.wantHeld()
			notes := 0
			for _, c := range b.conversations("Ticket refused") {
				for _, th := range c.Threads {
					if strings.Contains(th.Text, "Attachment not imported") {
						notes++
					}
				}
			}
			if notes != 1 {
				t.Errorf("%d notes", notes)
			}
			_ = b.box.Close()
			if t.Failed() {
				t.Fatalf("crash at %s, faults %q", end, faults)
			}
		}
		virtual(t, func(t *testing.T) { step(t, 0) })
		if n < 15 {
			t.Fatalf("only %d durable steps", n)
		}
		for k := range someSteps(n, i) {
			virtual(t, func(t *testing.T) { step(t, k) })
		}
	}
}

// TestCrashWithLateTwin kills a run at each durable step while a request is applied after it was sent again.
func TestCrashWithLateTwin(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, k int) *death {
		b := newBench(t, many(6)...)
		b.faults("create#3=504,late:5s delete#1=504,applied")
		end := b.dieAt(k, k%2 == 0)
		b.run()
		b.fault = nil
		b.untilDone()
		time.Sleep(time.Minute)
		b.untilDone()
		b.wantHeld()
		_ = b.box.Close()
		return end
	})
}

// everywhere plays once without a crash, which tells how many steps there are, and then once with a crash at each.
func everywhere(t *testing.T, play func(t *testing.T, k int) *death) {
	t.Helper()
	n := 0
	for k := 0; k <= n; k++ {
		virtual(t, func(t *testing.T) {
			end := play(t, k)
			n = max(n, end.steps)
			if t.Failed() {
				t.Fatalf("crash at %s", end)
			}
		})
	}
}

// TestTooLarge: a server whose limit nobody knew teaches it: the part goes out with its files after it, and so do the
// next ones; the sums close, also when the run ends in between.
func TestTooLarge(t *testing.T) {
	virtual(t, func(t *testing.T) {
		tickets := many(30)
		for i, ticket := range tickets {
			attach(ticket.Messages[0], "a.txt", strings.Repeat(fmt.Sprint("file of ", i, " "), 100*(i+1)))
		}
		b := newBench(t, tickets...)
		b.box.Configure(func(s *sandbox.Settings) { s.MaxBodyCreate = 20000 })
		b.opts.Workers, b.opts.Limit = 1, 12
		for _, limit := range []int{10, 15, 0} {
			b.opts.Limit = limit
			rep := b.run()
			wantBalanced(t, rep)
			a := rep.Summary.Attachments
			if a.Planned != 30 || a.Sum() != 30 || a.Uploaded != b.box.Stats().Calls["upload"] {
				t.Errorf("%+v", a)
			}
		}
		rep := b.mustRun(importer.ExitOK)
		b.wantHeld()
		b.wantFiles()
		if a := rep.Summary.Attachments; a.Uploaded != b.box.Stats().Calls["upload"] {
			t.Errorf("%+v, %d uploads", a, b.box.Stats().Calls["upload"])
		}
		if n := b.box.Stats().Statuses["413"]; n > 8 {
			t.Errorf("%d answers 413: nothing was learned", n)
		}
		_ = b.box.Close()
	})
}
