package importer_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// leftovers lists the files of a checkpoint but for its lock.
func (b *bench) leftovers() (out []string) {
	b.t.Helper()
	found, err := filepath.Glob(b.path + "*")
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range found {
		if !strings.HasSuffix(f, ".lock") {
			out = append(out, filepath.Base(f))
		}
	}
	return out
}

func (b *bench) wantUntouched() {
	b.t.Helper()
	if n := b.created(); n != 0 {
		b.t.Errorf("%d conversations were created", n)
	}
	if l := b.leftovers(); len(l) > 0 {
		b.t.Errorf("left behind: %v", l)
	}
}

// TestGate: the first run against any host but this machine has to be confirmed.
func TestGate(t *testing.T) {
	b := newBench(t, many(30)...)
	b.base = "https://help.example"
	b.maps.LiveCc = "keep"
	if _, err := b.box.AddWorkflow(sandbox.Workflow{Name: "watch out", Query: `(tag:"never")`}); err != nil {
		t.Fatal(err)
	}
	b.mustRun(importer.ExitUsage)
	b.wantUntouched()
	refuse := b.job()
	refuse.Confirm = func(context.Context, *importer.Gate) error { return errors.New("not the right name") }
	if rep := importer.Run(t.Context(), refuse); rep.Summary.ExitCode != importer.ExitUsage || !strings.Contains(rep.Summary.Cause, "right name") {
		t.Errorf("refused: exit %d, %q", rep.Summary.ExitCode, rep.Summary.Cause)
	}
	b.wantUntouched()
	var shown *importer.Gate
	accept := b.job()
	accept.Confirm = func(_ context.Context, g *importer.Gate) error { shown = g; return nil }
	if rep := importer.Run(t.Context(), accept); rep.Summary.ExitCode != importer.ExitOK {
		t.Fatalf("accepted: exit %d, %v", rep.Summary.ExitCode, rep.Cause)
	}
	if shown == nil || shown.Origin != "https://help.example" || shown.Mailbox.Name != "Support" || shown.Owner.Email != "ada@support.example" ||
		shown.Units != 60 || shown.Totals.Statuses["closed"] != 18 || len(shown.Workflows) != 1 || shown.LiveWithCc {
		t.Errorf("the gate shows %+v", shown)
	}
	b.mustRun(importer.ExitOK) // the second run asks nobody
	b.wantHeld()
}

// TestOverlap: a mailbox that already got mail of the source's time by itself blocks the job, however many imported
// conversations stand before it.
func TestOverlap(t *testing.T) {
	b := newBench(t, many(30)...)
	first := newBench(t, many(400)...)
	first.box = b.box
	first.mustRun(importer.ExitOK)
	b.src = newMemory(aTicket("old", epoch.AddDate(-1, 0, 0), 2, "solved"), aTicket("new", epoch.AddDate(0, 1, 0), 2, "solved"))
	native := sandbox.Native{Email: "someone@customers.example", Subject: "came by mail", CreatedAt: epoch.AddDate(0, 0, 7)}
	if _, err := b.box.AddNative(native); err != nil {
		t.Fatal(err)
	}
	was := b.created()
	rep := b.mustRun(importer.ExitUsage)
	if !strings.Contains(rep.Cause.Error(), "overlap") || b.created() != was || len(b.leftovers()) > 0 {
		t.Errorf("%v; %v", rep.Cause, b.leftovers())
	}
	until := b.job()
	until.Until = true
	until.Options.Limit = 1
	if rep := importer.Run(t.Context(), until); rep.Summary.ExitCode != importer.ExitLeft {
		t.Errorf("with source.until: exit %d, %v", rep.Summary.ExitCode, rep.Cause)
	}
	accepted := newBench(t, aTicket("older", epoch.AddDate(-1, 0, 1), 2, "solved"), aTicket("newer", epoch.AddDate(0, 1, 1), 2, "solved"))
	accepted.box, accepted.opts.Accept = b.box, []string{"overlap"}
	accepted.mustRun(importer.ExitOK)
}

// TestStaleCheckpoint: a copy of the checkpoint that was made early is put back after the run went on.
func TestStaleCheckpoint(t *testing.T) {
	for _, only := range []bool{false, true} {
		b := newBench(t, many(60)...)
		b.opts.Limit = 20
		b.mustRun(importer.ExitLeft)
		early, err := os.ReadFile(b.path)
		if err != nil {
			t.Fatal(err)
		}
		b.opts.Limit = 0
		if only {
			b.opts.Limit = 5
			b.run()
			b.opts.Limit = 0
		} else {
			b.mustRun(importer.ExitOK)
		}
		n := b.created()
		if err := os.WriteFile(b.path, early, 0o600); err != nil {
			t.Fatal(err)
		}
		b.mustRun(importer.ExitCheckpoint)
		if b.created() != n {
			t.Errorf("%d conversations were sent again", b.created()-n)
		}
	}
}

// TestAnsweredSince: a lost checkpoint is noticed although customers have answered what was imported.
func TestAnsweredSince(t *testing.T) {
	b := newBench(t, many(20)...)
	b.mustRun(importer.ExitOK)
	for c := range b.box.Conversations() {
		if c.Creation > 0 {
			if _, err := b.box.CustomerReply(c.ID, "one more thing"); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.path = filepath.Join(t.TempDir(), "import.db")
	b.mustRun(importer.ExitCheckpoint)
	if b.created() != 20 {
		t.Errorf("%d created", b.created())
	}
}

// TestOtherServer: a rehearsal never makes the real run say "complete".
func TestOtherServer(t *testing.T) {
	b := newBench(t, many(40)...)
	b.mustRun(importer.ExitOK)
	local := b.base
	b.base = "https://help.example"
	b.mustRun(importer.ExitCheckpoint)
	b.base = local
	if err := b.box.Reset(); err != nil {
		t.Fatal(err)
	}
	b.mustRun(importer.ExitCheckpoint) // the same server, started anew
	other := newBench(t, many(90)[50:]...)
	other.box = b.box
	other.mustRun(importer.ExitOK)
	b.mustRun(importer.ExitCheckpoint) // and filled with something else under the same ids
	if b.created() != 40 {
		t.Errorf("%d created", b.created())
	}
}

// TestTwoRunsAtOnce: one of two runs of one job goes on, the other says 7; also while the first is still planning.
func TestTwoRunsAtOnce(t *testing.T) {
	for range 5 {
		b := newBench(t, many(120)...)
		b.box.Configure(func(s *sandbox.Settings) { s.Latency = 2 * time.Millisecond })
		var wg sync.WaitGroup
		codes := make([]int, 3)
		jobs := []*importer.Job{b.job(), b.job(), b.job()}
		for i, job := range jobs {
			wg.Go(func() { codes[i] = importer.Run(t.Context(), job).Summary.ExitCode })
		}
		wg.Wait()
		ok := 0
		for _, c := range codes {
			switch c {
			case importer.ExitOK:
				ok++
			case importer.ExitCheckpoint:
			default:
				t.Errorf("exit codes %v", codes)
			}
		}
		if ok == 0 {
			t.Errorf("exit codes %v", codes)
		}
		b.mustRun(importer.ExitOK)
		b.wantHeld()
	}
}

// TestPlanningAborted leaves no checkpoint behind.
func TestPlanningAborted(t *testing.T) {
	b := newBench(t, many(30)...)
	for call := 1; ; call++ {
		ctx, cancel := context.WithCancel(t.Context())
		var n atomic.Int64
		b.wrap = func(rt http.RoundTripper) http.RoundTripper {
			return between{rt: rt, request: func(r *http.Request) {
				if n.Add(1) == int64(call) {
					cancel()
				}
			}}
		}
		rep := importer.Run(ctx, b.job())
		cancel()
		if b.created() > 0 {
			if call < 8 {
				t.Errorf("only %d calls before the first write", call)
			}
			break
		}
		if rep.Summary.ExitCode != importer.ExitInterrupted && rep.Summary.ExitCode != importer.ExitLeft {
			t.Errorf("call %d: exit %d, %v", call, rep.Summary.ExitCode, rep.Cause)
		}
		if _, err := os.Stat(b.path); err == nil {
			break // moved to its place: from here on it is a run
		}
		b.wantUntouched()
	}
	b.wrap = nil
	b.maps.Statuses = map[string]string{"open": "active"}
	b.path = filepath.Join(t.TempDir(), "import.db")
	b.mustRun(importer.ExitUsage)
	if l := b.leftovers(); len(l) > 0 {
		t.Errorf("left behind: %v", l)
	}
}

// TestCustomerRace: sixteen workers, many tickets of one new customer, and one customer comes of it.
func TestCustomerRace(t *testing.T) {
	virtual(t, func(t *testing.T) {
		tickets := many(64)
		for i, ticket := range tickets {
			ticket.Requester.Email = []string{"one@customers.example", "ONE@customers.example", "two@customers.example"}[i%3]
			for _, m := range ticket.Messages {
				if m.Kind == "customer" {
					m.Author = ticket.Requester
				}
			}
		}
		b := newBench(t, tickets...)
		b.opts.Workers = 16
		b.box.Configure(func(s *sandbox.Settings) {
			s.Latency, s.LatencyJitter, s.CustomerRace, s.CustomerRaceGap = 300*time.Millisecond, 100*time.Millisecond, true, 50*time.Millisecond
		})
		b.mustRun(importer.ExitOK)
		if n := len(b.box.Dump().Customers); n != 2 {
			t.Errorf("%d customers, want 2", n)
		}
		_ = b.box.Close()
	})
}
