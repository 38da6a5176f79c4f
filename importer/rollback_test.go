package importer_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
)

var errNotConfirmed = errors.New("not confirmed")

// rollback takes back and returns what was said of it.
func (b *bench) rollback(how importer.RollingBack) (sum *importer.RollbackSummary, kept []importer.Kept, plan *importer.RollbackPlan) {
	b.t.Helper()
	job := b.job()
	job.Source = nil
	confirm := how.Confirm
	how.Confirm = func(ctx context.Context, p *importer.RollbackPlan) error {
		plan = p
		if confirm != nil {
			return confirm(ctx, p)
		}
		return nil
	}
	sum, _ = importer.Rollback(b.t.Context(), job, how, func(k importer.Kept) { kept = append(kept, k) })
	if !sum.Balanced {
		b.t.Errorf("the sums do not close: %+v", sum)
	}
	return sum, kept, plan
}

func (b *bench) mustRollback(code int, how importer.RollingBack) (*importer.RollbackSummary, []importer.Kept, *importer.RollbackPlan) {
	b.t.Helper()
	sum, kept, plan := b.rollback(how)
	if sum.ExitCode != code {
		b.t.Fatalf("rollback: exit %d (%s), want %d: %s", sum.ExitCode, sum.Cause, code, sum.Verdict)
	}
	return sum, kept, plan
}

// there lists the numbers of the tickets whose conversations are there.
func (b *bench) there() (out []string) {
	for c := range b.box.Conversations() {
		if c.Live() {
			out = append(out, strings.TrimPrefix(c.Subject, "Ticket "))
		}
	}
	return out
}

// TestRollbackLeavesTouched: exactly what people have worked on stays; the job can be run again.
func TestRollbackLeavesTouched(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(60)...)
		b.mustRun(importer.ExitOK)
		acts := []func(id int64) error{
			func(id int64) error { _, err := b.box.Reply(id, 0, "hello"); return err },
			func(id int64) error { _, err := b.box.CustomerReply(id, "thanks"); return err },
			func(id int64) error { _, err := b.box.Note(id, 0, "look"); return err },
			func(id int64) error { return b.box.SetStatus(id, "pending") },
			func(id int64) error { return b.box.Assign(id, sandbox.DefaultSeed().Users[0].ID) },
			func(id int64) error { return b.box.Move(id, otherMailbox) },
			func(id int64) error { return b.box.Retitle(id, "Ticket 1002") },
		}
		touchedOnes := []string{"1005", "1010", "1015", "1020", "1025", "1030", "1002"}
		for i, act := range acts {
			subject := "Ticket " + touchedOnes[i]
			if touchedOnes[i] == "1002" {
				subject = "Ticket 1036"
			}
			if err := act(b.conversations(subject)[0].ID); err != nil {
				t.Fatal(err)
			}
		}
		sum, kept, plan := b.mustRollback(importer.ExitRejected, importer.RollingBack{})
		if got := strings.Join(b.there(), " "); len(b.there()) != 7 || sum.RolledBack.Deleted != 53 || sum.RolledBack.Touched != 7 || len(kept) != 7 {
			t.Errorf("left: %s; %+v; %+v", got, sum.RolledBack, kept)
		}
		if plan.Delete != 53 || plan.Touched != 7 || plan.Units != 3*53+7 {
			t.Errorf("plan %+v", plan)
		}
		t.Logf("%d deleted for %d units", sum.RolledBack.Deleted, sum.Quota.Units)
		b.mustRollback(importer.ExitRejected, importer.RollingBack{})
		before := b.box.Stats().Created
		b.mustRun(importer.ExitOK)
		if n := b.box.Stats().Created - before; n != 53 {
			t.Errorf("the next run created %d, want 53", n)
		}
		_ = b.box.Close()
	})
}

// TestRollbackAfterARefusal: what the server would not delete is tried again by the next rollback: by then it may be
// allowed.
func TestRollbackAfterARefusal(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(12)...)
		b.mustRun(importer.ExitOK)
		b.faults("delete#3-5=403")
		sum, kept, _ := b.mustRollback(importer.ExitRejected, importer.RollingBack{})
		if len(b.there()) != 3 || sum.RolledBack.Refused != 3 || sum.RolledBack.Touched != 0 || len(kept) != 3 || !strings.Contains(kept[0].Why, "403") {
			t.Errorf("left %v; %+v; %+v", b.there(), sum.RolledBack, kept)
		}
		b.faults("")
		b.mustRollback(importer.ExitOK, importer.RollingBack{})
		if got := b.there(); len(got) != 0 {
			t.Errorf("left %v", got)
		}
		b.mustRun(importer.ExitOK)
		b.wantHeld()
		_ = b.box.Close()
	})
}

// TestRollbackTellsWhatStays: a conversation that people have worked on, one that they have merged and one that the server
// will not delete are told apart, in each line and in the sums.
func TestRollbackTellsWhatStays(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(20)...)
		b.mustRun(importer.ExitOK)
		if err := b.box.SetStatus(b.conversations("Ticket 1003")[0].ID, "closed"); err != nil {
			t.Fatal(err)
		}
		for _, subject := range []string{"Ticket 1005", "Ticket 1006"} {
			if err := b.mergeNative(b.conversations(subject)[0].ID); err != nil {
				t.Fatal(err)
			}
		}
		locked := b.conversations("Ticket 1010")[0].ID
		hidden := b.conversations("Ticket 1011")[0].ID
		b.box.Inject(func(op sandbox.Op) *sandbox.Fault {
			switch {
			case op.Kind == "delete" && op.ID == locked:
				return &sandbox.Fault{Kind: sandbox.Status, Code: 423}
			case op.Method == http.MethodGet && op.ID == hidden:
				return &sandbox.Fault{Kind: sandbox.Status, Code: 403}
			}
			return nil
		})
		sum, kept, _ := b.mustRollback(importer.ExitRejected, importer.RollingBack{})
		because := map[string]string{}
		for _, k := range kept {
			because[k.ID] = k.Because
		}
		want := map[string]string{"1003": importer.KeptTouched, "1005": importer.KeptMerged, "1006": importer.KeptMerged, "1010": importer.KeptRefused, "1011": importer.KeptRefused}
		if !maps.Equal(because, want) || len(kept) != len(want) {
			t.Errorf("%+v", kept)
		}
		n := sum.RolledBack
		if n.Deleted != 15 || n.Touched != 1 || n.Merged != 2 || n.Refused != 2 || n.Left != 0 {
			t.Errorf("%+v", n)
		}
		const says = "15 of 20 conversations are deleted, 1 stay because people have touched them, 2 stay because people have merged them, 2 stay because Help Scout does not delete them"
		if !strings.Contains(sum.Verdict, says) {
			t.Errorf("verdict %q", sum.Verdict)
		}
		_ = b.box.Close()
	})
}

// TestRollbackNotAllowed: an account that may not delete is told so after a handful of conversations, not after all; with
// the right to do it, the same call goes on.
func TestRollbackNotAllowed(t *testing.T) {
	for fault, code := range map[string]int{"delete=403": importer.ExitAuth, "delete=423": importer.ExitLeft, "get#2-999=403": importer.ExitAuth} {
		virtual(t, func(t *testing.T) {
			b := newBench(t, many(60)...)
			b.mustRun(importer.ExitOK)
			b.faults(fault)
			before := b.calls()
			sum, kept, _ := b.mustRollback(code, importer.RollingBack{})
			n := sum.RolledBack
			if n.Refused < 12 || n.Refused > 12+8 || n.Refused+n.Left != 60 || n.Touched != 0 || len(kept) != n.Refused {
				t.Errorf("%s: %+v, %d said to stay", fault, n, len(kept))
			}
			if calls := b.calls()["get"] - before["get"]; calls > 30 {
				t.Errorf("%s: %d conversations were read", fault, calls)
			}
			if !strings.Contains(sum.Cause, "refused to delete") {
				t.Errorf("%s: cause %q", fault, sum.Cause)
			}
			b.faults("")
			b.mustRollback(importer.ExitOK, importer.RollingBack{})
			if got := b.there(); len(got) != 0 {
				t.Errorf("%s: left %v", fault, got)
			}
			b.mustRun(importer.ExitOK)
			b.wantHeld()
			_ = b.box.Close()
		})
	}
}

// TestRollbackLostAnswers: deletes whose answer is lost are finished, and nothing else is deleted.
func TestRollbackLostAnswers(t *testing.T) {
	for _, script := range []string{"delete#2=504 delete#4=reset delete#6=500", "delete#2=504,applied delete#4=reset,applied delete#6=html200,applied", "delete#2=504,late:3s delete%20=reset,late:1s"} {
		virtual(t, func(t *testing.T) {
			b := newBench(t, many(30)...)
			b.mustRun(importer.ExitOK)
			b.faults(script)
			b.mustRollback(importer.ExitOK, importer.RollingBack{})
			time.Sleep(time.Minute)
			if got := b.there(); len(got) != 0 {
				t.Errorf("%s: left %v", script, got)
			}
			b.faults("")
			b.mustRun(importer.ExitOK)
			b.wantHeld()
			_ = b.box.Close()
		})
	}
}

// TestRollbackCrash ends a rollback at every durable step. The same call goes on; or a run does, and nothing is lost or
// doubled.
func TestRollbackCrash(t *testing.T) {
	steps := 0
	virtual(t, func(t *testing.T) {
		b := crashBench(t, "", 1)
		b.mustRun(importer.ExitOK)
		all := b.dieAt(0, false)
		b.mustRollback(importer.ExitOK, importer.RollingBack{})
		_ = b.box.Close()
		steps = all.steps
	})
	if steps < 12 {
		t.Fatalf("only %d durable steps", steps)
	}
	for i, runNext := range []bool{false, true} {
		for k := range someSteps(steps, i) {
			virtual(t, func(t *testing.T) {
				b := crashBench(t, "", 2)
				b.mustRun(importer.ExitOK)
				end := b.dieAt(k, k%2 == 0)
				b.rollback(importer.RollingBack{})
				b.fault = nil
				if !runNext {
					b.mustRollback(importer.ExitOK, importer.RollingBack{})
					if got := b.there(); len(got) != 0 {
						t.Errorf("crash at %s: left %v", end, got)
					}
				}
				b.untilDone()
				b.wantHeld()
				b.wantFiles()
				_ = b.box.Close()
			})
		}
	}
}

// TestRollbackAsks: nothing is deleted before a person has seen the plan and agreed, and the next run asks again.
func TestRollbackAsks(t *testing.T) {
	b := newBench(t, many(10)...)
	b.mustRun(importer.ExitOK)
	refuse := func(context.Context, *importer.RollbackPlan) error {
		return &importer.Stop{Code: importer.ExitUsage, Err: errNotConfirmed}
	}
	b.mustRollback(importer.ExitUsage, importer.RollingBack{Confirm: refuse})
	job := b.job()
	job.Source = nil
	if sum, stop := importer.Rollback(t.Context(), job, importer.RollingBack{}, nil); sum.ExitCode != importer.ExitUsage || stop == nil {
		t.Errorf("without anybody to ask: %+v", sum)
	}
	if n := b.vanished(); n != 0 {
		t.Errorf("%d conversations deleted without a yes", n)
	}
	b.mustRun(importer.ExitOK) // and the job is as it was
	b.wantHeld()
}

// TestRollbackChooses: --only, --part and --since delete what they name and nothing else.
func TestRollbackChooses(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := crashBench(t, "", 1)
		b.mustRun(importer.ExitOK)
		time.Sleep(time.Hour)
		since := time.Now()
		b.src.add(aTicket("late", epoch.Add(1000*time.Hour), 2, "solved"))
		b.mustRun(importer.ExitOK)
		all := len(b.there())
		b.mustRollback(importer.ExitUsage, importer.RollingBack{Only: []string{"plain", "nobody"}})
		b.mustRollback(importer.ExitOK, importer.RollingBack{Only: []string{"plain"}, Since: since}) // it was sent, but before
		if n := len(b.there()); n != all {
			t.Errorf("only and since: %d of %d left", n, all)
		}
		b.mustRollback(importer.ExitOK, importer.RollingBack{Since: since})
		if n := len(b.there()); n != all-1 || len(b.conversations("Ticket late")) != 0 {
			t.Errorf("since: %d of %d left", n, all)
		}
		b.mustRollback(importer.ExitOK, importer.RollingBack{Only: []string{"plain"}})
		if n := len(b.there()); n != all-2 || len(b.conversations("Ticket plain")) != 0 {
			t.Errorf("only: %d of %d left", n, all)
		}
		b.mustRollback(importer.ExitOK, importer.RollingBack{Part: 2})
		if n := len(b.there()); n != all-3 || len(b.conversations("Ticket split")) == 0 {
			t.Errorf("part: %d of %d left", n, all)
		}
		b.untilDone()
		b.wantHeld()
		_ = b.box.Close()
	})
}

// TestRollbackNotOurs: what was adopted is never deleted, and another account is not touched.
func TestRollbackNotOurs(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(20)...)
		b.opts.Limit = 12
		b.mustRun(importer.ExitLeft)
		b.opts.Limit = 0
		b.lose()
		b.recover(importer.ExitOK, false)
		b.mustRun(importer.ExitOK)
		sum, _, _ := b.mustRollback(importer.ExitOK, importer.RollingBack{})
		if n := len(b.there()); n != 12 || sum.RolledBack.Adopted != 12 || sum.RolledBack.Deleted != 8 {
			t.Errorf("%d left, %+v", n, sum.RolledBack)
		}
		b.base = "http://127.0.0.1:9999"
		b.mustRollback(importer.ExitCheckpoint, importer.RollingBack{})
		_ = b.box.Close()
	})
}

// TestRollbackSettles: a conversation whose answer was lost is found and deleted too.
func TestRollbackSettles(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(20)...)
		b.opts.Workers = 1
		n := 0
		b.fault = func(op string) (bool, error) {
			if op == "done" {
				n++
			}
			if n >= 14 {
				return false, errCrash
			}
			return true, nil
		}
		b.run()
		b.fault = nil
		if len(b.there()) != 14 {
			t.Fatalf("%d there", len(b.there()))
		}
		sum, _, _ := b.mustRollback(importer.ExitOK, importer.RollingBack{})
		if got := b.there(); len(got) != 0 || sum.RolledBack.Deleted != 14 {
			t.Errorf("left %v; %+v", got, sum.RolledBack)
		}
		_ = b.box.Close()
	})
}

// TestRollbackThenAsks: after a rollback the next run into a real account is confirmed like the first.
func TestRollbackThenAsks(t *testing.T) {
	b := newBench(t, many(6)...)
	b.base = "http://helpscout.example"
	b.wrap = func(rt http.RoundTripper) http.RoundTripper { return rt }
	job := b.job()
	job.Confirm = func(context.Context, *importer.Gate) error { return nil }
	if rep := importer.Run(t.Context(), job); rep.Summary.ExitCode != importer.ExitOK {
		t.Fatal(rep.Cause)
	}
	b.mustRollback(importer.ExitOK, importer.RollingBack{})
	b.mustRun(importer.ExitUsage) // nobody to ask
	if got := b.there(); len(got) != 0 {
		t.Errorf("sent without a yes: %v", got)
	}
}

// TestRollbackNamesCustomers: the customers that came with what was deleted are listed; not those that were there before,
// that wrote by themselves since, or whose conversation stays.
func TestRollbackNamesCustomers(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(12)...)
		native := func(n string) {
			if _, err := b.box.AddNative(sandbox.Native{Mailbox: otherMailbox, Subject: "by mail", Email: "c" + n + "@customers.example", Text: "hello"}); err != nil {
				t.Fatal(err)
			}
		}
		native("1003")
		time.Sleep(time.Hour)
		b.mustRun(importer.ExitOK)
		time.Sleep(time.Hour)
		native("1004")
		native("7777")
		if _, err := b.box.Reply(b.conversations("Ticket 1005")[0].ID, 0, "hello"); err != nil {
			t.Fatal(err)
		}
		var left []string
		sum, _, _ := b.mustRollback(importer.ExitRejected, importer.RollingBack{Left: func(c importer.LeftCustomer) error {
			left = append(left, strings.TrimSuffix(strings.TrimPrefix(c.Email, "c"), "@customers.example"))
			return nil
		}})
		slices.Sort(left)
		if got := strings.Join(left, " "); got != "1000 1001 1002 1006 1007 1008 1009 1010 1011" || sum.RolledBack.Customers != 9 {
			t.Errorf("customers %s, counted %d", got, sum.RolledBack.Customers)
		}
		if !strings.HasSuffix(sum.Verdict, "9 customers that came with them stay") {
			t.Errorf("verdict %q", sum.Verdict)
		}
		_ = b.box.Close()
	})
}
