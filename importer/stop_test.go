package importer_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
)

// TestStreaks: like refusals in a row stop the run, a dozen if they are the first, fifty later; all are pending again,
// and a mended configuration sends them.
func TestStreaks(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 8} {
		for after, most := range map[int]int{0: 12, 20: 70} {
			t.Run(fmt.Sprint(workers, " workers after ", after), func(t *testing.T) {
				b := newBench(t, many(200)...)
				b.opts.Workers = importer.Workers(workers)
				b.faults(fmt.Sprintf("create#%d-=422", after+1))
				rep := b.mustRun(importer.ExitLeft)
				wantBalanced(t, rep)
				c := rep.Summary.Conversations
				early := workers - 1 // those whose refusal overtook the last success
				if c.Rejected > early || c.Created != after || c.Pending+c.Rejected != 200-after {
					t.Errorf("%+v", c)
				}
				if n := b.box.Stats().Calls["create"]; n > most+2*workers {
					t.Errorf("%d creates", n)
				}
				if !strings.Contains(rep.Summary.Cause, "422") {
					t.Errorf("cause %q", rep.Summary.Cause)
				}
				b.faults("")
				b.opts.RetryRejected = c.Rejected > 0
				b.mustRun(importer.ExitOK)
				b.wantHeld()
			})
		}
	}
}

// TestScattered: refusals that are not in a row are this or that record's, and the others go on.
func TestScattered(t *testing.T) {
	b := newBench(t, many(200)...)
	b.opts.Workers = 1
	b.faults("create%40=422")
	rep := b.mustRun(importer.ExitRejected)
	wantBalanced(t, rep)
	n := rep.Summary.Conversations.Rejected
	if n < 40 || len(rep.Rejected) != n {
		t.Errorf("%d rejected, %d listed", n, len(rep.Rejected))
	}
	b.faults("")
	b.mustRun(importer.ExitRejected) // they stay rejected
	b.opts.RetryRejected = true
	b.mustRun(importer.ExitOK)
	b.wantHeld()
}

// TestForbidden: 403 before anything has worked is about the account, also after a record that was refused for itself.
func TestForbidden(t *testing.T) {
	for _, faults := range []string{"create=403", "create#1=422 create#2-=403", "directory=403", "token=401"} {
		t.Run(faults, func(t *testing.T) {
			b := newBench(t, many(100)...)
			b.faults(faults)
			b.opts.Workers = 1
			wantBalanced(t, b.mustRun(importer.ExitAuth))
			b.faults("")
			b.opts.RetryRejected = true
			b.mustRun(importer.ExitOK)
			b.wantHeld()
		})
	}
}

// TestTokens: a revoked token costs one refresh; credentials that died stop the run with everything saved.
func TestTokens(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(120)...)
		b.box.Inject(func(op sandbox.Op) *sandbox.Fault {
			if op.Kind == "create" && op.N%30 == 0 {
				b.box.RevokeTokens()
			}
			return nil
		})
		b.mustRun(importer.ExitOK)
		b.wantHeld()

		d := newBench(t, many(120)...)
		dead := false
		d.box.Inject(func(op sandbox.Op) *sandbox.Fault {
			if op.Kind == "create" && op.N == 60 {
				dead = true
				d.box.RevokeTokens()
			}
			if dead && op.Kind == "token" {
				return &sandbox.Fault{Kind: sandbox.Status, Code: 401}
			}
			return nil
		})
		rep := d.mustRun(importer.ExitAuth)
		wantBalanced(t, rep)
		if c := rep.Summary.Conversations; c.Created < 50 || c.InDoubt != 0 || c.Rejected != 0 {
			t.Errorf("%+v", c)
		}
		d.box.Inject(nil)
		d.mustRun(importer.ExitOK)
		d.wantHeld()
		_, _ = b.box.Close(), d.box.Close()
	})
}

// TestOutages: shorter than the patience they are waited for, longer ones stop the run; nothing is lost or doubled.
func TestOutages(t *testing.T) {
	t.Parallel()
	for faults, code := range map[string]int{
		"outage@30s+5m": importer.ExitOK, "outage@30s+5m=503": importer.ExitOK, "any@30s+5m=timeout": importer.ExitOK,
		"any@30s+5m=reset,applied": importer.ExitOK, "write@30s+5m=refused": importer.ExitOK, "any@30s+5m=429,after:20s": importer.ExitOK,
		"outage@30s+3h": importer.ExitLeft, "any@30s+3h=timeout,applied": importer.ExitLeft, "write@30s+3h=504": importer.ExitLeft,
		"write@30s+3h=504,applied": importer.ExitLeft, "token@30s+3h=500": importer.ExitOK, "any@30s+3h=429,after:60s": importer.ExitLeft,
	} {
		t.Run(faults, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				b := newBench(t, many(300)...)
				b.opts.Settle, b.opts.OutagePatience = mapping.Duration(30*time.Second), mapping.Duration(20*time.Minute)
				b.box.Configure(func(s *sandbox.Settings) { s.QuotaLimit, s.Latency = 400, 300*time.Millisecond })
				b.faults(faults)
				rep := b.mustRun(code)
				wantBalanced(t, rep)
				if code != importer.ExitOK {
					time.Sleep(4 * time.Hour)
					b.untilDone()
				}
				b.wantHeld()
				_ = b.box.Close()
			})
		})
	}
}

// TestLongSettling: single reads that fail now and then in an hour of reading are no outage.
func TestLongSettling(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(60)...)
		b.opts.Settle, b.opts.OutagePatience = mapping.Duration(5*time.Minute), mapping.Duration(4*time.Minute)
		b.box.Configure(func(s *sandbox.Settings) { s.ListLag, s.IndexLag = 8*time.Minute, 8*time.Minute })
		b.faults("create#30=504 create#31=504,applied list%40=503 get%30=reset")
		b.mustRun(importer.ExitOK)
		b.wantHeld()
		_ = b.box.Close()
	})
}

// TestDoubtsInARow: reads work, writes get no answer: 25 of them and no more.
func TestDoubtsInARow(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(300)...)
		b.faults("create#50-=504,applied")
		rep := b.mustRun(importer.ExitLeft)
		wantBalanced(t, rep)
		if n := rep.Summary.Conversations.InDoubt; n < 25 || n > 30 {
			t.Errorf("%d in doubt", n)
		}
		b.faults("")
		rep = b.mustRun(importer.ExitOK)
		if rep.Summary.Conversations.Recovered < 25 {
			t.Errorf("%+v", rep.Summary.Conversations)
		}
		b.wantHeld()
		_ = b.box.Close()
	})
}

// TestInterrupts: a first and a second Ctrl-C at every call; then the same command goes on.
func TestInterrupts(t *testing.T) {
	t.Parallel()
	for _, hard := range []bool{false, true} {
		for call, over := 1, false; !over; call += stride() {
			virtual(t, func(t *testing.T) {
				b := crashBench(t, lostAnswers["applied"], 2)
				b.box.Configure(func(s *sandbox.Settings) { s.Latency = 200 * time.Millisecond })
				soft, stop := context.WithCancel(t.Context())
				var n atomic.Int64
				b.wrap = func(rt http.RoundTripper) http.RoundTripper {
					return between{rt: rt, request: func(*http.Request) {
						if n.Add(1) == int64(call) {
							time.AfterFunc(100*time.Millisecond, stop)
						}
					}}
				}
				job := b.job()
				ctx := t.Context()
				if hard {
					ctx, job.Soft = soft, nil
				} else {
					job.Soft = soft
				}
				rep := importer.Run(ctx, job)
				over = n.Load() < int64(call)
				stop()
				if code := rep.Summary.ExitCode; !over && code != importer.ExitInterrupted && code != importer.ExitOK {
					t.Errorf("exit %d: %v", code, rep.Cause)
				}
				wantBalanced(t, rep)
				if !hard && rep.Summary.ExitCode == importer.ExitInterrupted && rep.Summary.Conversations.InDoubt > 4 {
					t.Errorf("%+v", rep.Summary.Conversations)
				}
				b.wrap = nil
				b.untilDone()
				b.wantHeld()
				b.wantFiles()
				_ = b.box.Close()
				if t.Failed() {
					t.Fatalf("interrupted at call %d, hard %t", call, hard)
				}
			})
			if t.Failed() {
				return
			}
		}
	}
}

// TestDiskFull: every durable step in turn cannot be written: exit 1 with the cause, and nothing is lost.
func TestDiskFull(t *testing.T) {
	ops := map[string]bool{}
	virtual(t, func(t *testing.T) {
		b := crashBench(t, lostAnswers["applied"], 2)
		b.fault = func(op string) (bool, error) { ops[op] = true; return true, nil }
		b.untilDone()
		_ = b.box.Close()
	})
	for op := range ops {
		t.Run(op, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				b := crashBench(t, lostAnswers["applied"], 2)
				n := 0
				b.fault = func(name string) (bool, error) {
					if name == op {
						if n++; n > 1 || op == "end_run" || op == "begin_run" {
							return false, fmt.Errorf("checkpoint import.db: the disk is full: free some space")
						}
					}
					return true, nil
				}
				rep := b.run()
				if n > 1 && (rep.Summary.ExitCode != importer.ExitUnexpected || rep.Cause == nil || !strings.Contains(rep.Cause.Error(), "disk is full")) {
					t.Errorf("exit %d, %v", rep.Summary.ExitCode, rep.Cause)
				}
				b.fault = nil
				b.untilDone()
				b.wantHeld()
				b.wantFiles()
				_ = b.box.Close()
			})
		})
	}
}

// TestFlags: --limit, --only, --sample, --max-duration and --order do what they say, and the rest follows.
func TestFlags(t *testing.T) {
	t.Parallel()
	sent := func(b *bench) (out []string) {
		for c := range b.box.Conversations() {
			if c.Creation > 0 {
				out = append(out, strings.TrimPrefix(c.Subject, "Ticket "))
			}
		}
		return out
	}
	finish := func(b *bench) {
		b.opts.Limit, b.opts.Only, b.opts.Sample, b.opts.MaxDuration = 0, nil, 0, 0
		wantBalanced(b.t, b.mustRun(importer.ExitOK))
		b.wantHeld()
	}
	for _, limit := range []int{1, 3, 7, 39, 40, 41} {
		b := newBench(t, many(40)...)
		b.opts.Limit = limit
		wantBalanced(t, b.run())
		if n := len(sent(b)); n != min(limit, 40) {
			t.Errorf("--limit %d sent %d", limit, n)
		}
		finish(b)
	}
	b := newBench(t, many(40)...)
	b.opts.Only = []string{"1007", "id:1033"}
	wantBalanced(t, b.mustRun(importer.ExitLeft))
	if got := sent(b); len(got) != 2 || !slices.Contains(got, "1007") || !slices.Contains(got, "1033") {
		t.Errorf("--only sent %v", got)
	}
	b.opts.Only = []string{"no such ticket"}
	b.mustRun(importer.ExitUsage)
	finish(b)
	var samples [][]string
	for _, seed := range []uint64{1, 1, 2} {
		b := newBench(t, many(60)...)
		b.opts.Sample, b.opts.Seed = 12, seed
		wantBalanced(t, b.mustRun(importer.ExitLeft))
		got := sent(b)
		slices.Sort(got)
		samples = append(samples, got)
		finish(b)
	}
	if !slices.Equal(samples[0], samples[1]) || slices.Equal(samples[0], samples[2]) || len(samples[0]) != 12 {
		t.Errorf("samples: %v", samples)
	}
	for order, first := range map[string]string{"oldest": "1000", "newest": "1059", "live-first": "1059", "": "1059"} {
		b := newBench(t, many(60)...)
		b.opts.Order, b.opts.Workers = order, 1
		b.mustRun(importer.ExitOK)
		got := sent(b)
		rest := got[len(got)-40:] // after the canary
		want := slices.Clone(rest)
		slices.Sort(want)
		if order != "oldest" {
			slices.Reverse(want)
		}
		if (order == "oldest" || order == "newest") && !slices.Equal(rest, want) || !slices.Contains(got[:9], first) {
			t.Errorf("--order %s: %v", order, got)
		}
	}
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(300)...)
		b.box.Configure(func(s *sandbox.Settings) { s.QuotaLimit, s.Latency = 400, 200*time.Millisecond })
		b.opts.MaxDuration = mapping.Duration(20 * time.Second)
		began := time.Now()
		wantBalanced(t, b.mustRun(importer.ExitLeft))
		if d := time.Since(began); d > 40*time.Second {
			t.Errorf("--max-duration 20s took %s", d)
		}
		b.opts.MaxDuration = 0
		b.mustRun(importer.ExitOK)
		b.wantHeld()
		_ = b.box.Close()
	})
}

// TestSumsThatDoNotClose: a source that miscounts itself is no success.
func TestSumsThatDoNotClose(t *testing.T) {
	for name, spoil := range map[string]func(*memory){
		"tickets":  func(m *memory) { m.ledger.Records.Tickets++ },
		"messages": func(m *memory) { m.ledger.Records.Messages++; m.ledger.Records.Found++ },
		"records":  func(m *memory) { m.ledger.Records.Found++ },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, many(12)...)
			spoil(b.src)
			rep := b.mustRun(importer.ExitUnexpected)
			if rep.Summary.Balanced || !strings.Contains(rep.Summary.Cause, "sums do not close") {
				t.Errorf("balanced %t, %q", rep.Summary.Balanced, rep.Summary.Cause)
			}
			b.wantHeld()
		})
	}
}
