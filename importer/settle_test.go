package importer_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
)

// lagging has the service's clocks of a bad day.
func lagging(t *testing.T, list, index time.Duration, n int) *bench {
	b := newBench(t, many(n)...)
	b.opts.Settle = mapping.Duration(time.Minute)
	b.box.Configure(func(s *sandbox.Settings) {
		s.ListLag, s.IndexLag, s.Latency, s.PageSize = list, index, 200*time.Millisecond, 25
	})
	return b
}

// TestLag: the list, the index or both lag by minutes or hours; what was applied is never sent again, wherever in the
// queue its answer was lost, and what was not is.
func TestLag(t *testing.T) {
	t.Parallel()
	for _, lag := range [][2]time.Duration{{0, time.Hour}, {3 * time.Minute, 0}, {5 * time.Minute, 5 * time.Minute}, {2 * time.Minute, 6 * time.Hour}} {
		for _, at := range []int{1, 20, 39, 40} {
			for _, how := range []string{"504,applied", "504", "timeout,applied"} {
				faults := fmt.Sprintf("create#%d=%s", at, how)
				t.Run(fmt.Sprint(lag, faults), func(t *testing.T) {
					virtual(t, func(t *testing.T) {
						b := lagging(t, lag[0], lag[1], 40)
						b.faults(faults)
						rep := b.mustRun(importer.ExitOK)
						wantBalanced(t, rep)
						b.wantHeld()
						if n := b.created(); n != 40 {
							t.Errorf("%d creates were applied", n)
						}
						_ = b.box.Close()
					})
				})
			}
		}
	}
}

// TestLagForEver: a list that never catches up proves no absence: exit 6, and a later run finds it.
func TestLagForEver(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := lagging(t, 24*time.Hour, 24*time.Hour, 40)
		b.faults("create#12=504,applied create#20=504")
		wantBalanced(t, b.mustRun(importer.ExitDoubt))
		if n := b.created(); n != 39 {
			t.Errorf("%d creates were applied", n)
		}
		b.mustRun(importer.ExitDoubt)
		time.Sleep(30 * time.Hour)
		b.mustRun(importer.ExitOK)
		b.wantHeld()
		_ = b.box.Close()
	})
}

// TestLostAtTheEnd: the very last answer is lost, or the process dies with it, and nothing is left that could show how
// far the list has come.
func TestLostAtTheEnd(t *testing.T) {
	for _, how := range []string{"504,applied", "504,late:20s", "504"} {
		t.Run(how, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				b := lagging(t, 4*time.Minute, 10*time.Minute, 30)
				b.faults("create#30=" + how)
				b.fault = func(op string) (bool, error) {
					if op == "doubt" {
						return false, errCrash
					}
					return true, nil
				}
				b.run()
				b.fault = nil
				time.Sleep(10 * time.Second)
				b.untilDone()
				b.wantHeld()
				_ = b.box.Close()
			})
		})
	}
}

// TestUnsorted: a server that does not sort by number is read to the end before anything counts as absent.
func TestUnsorted(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"live-first", "oldest", "newest"} {
		for _, how := range []string{"504,applied", "504"} {
			t.Run(order+" "+how, func(t *testing.T) {
				virtual(t, func(t *testing.T) {
					b := lagging(t, 0, 24*time.Hour, 160)
					b.opts.Order = order
					for i := range 30 {
						at := time.Now().Add(-time.Duration(i) * time.Hour)
						if _, err := b.box.AddNative(sandbox.Native{Email: "n@customers.example", Subject: "native", CreatedAt: at}); err != nil {
							t.Fatal(err)
						}
					}
					b.opts.Accept = []string{"overlap"}
					b.wrap = func(rt http.RoundTripper) http.RoundTripper {
						return between{rt: rt, request: func(r *http.Request) {
							q := r.URL.Query()
							q.Del("sortField")
							r.URL.RawQuery = q.Encode()
						}}
					}
					b.faults("create#50=" + how + " create#158=" + how + " create#160=" + how)
					b.mustRun(importer.ExitOK)
					b.wantHeld()
					_ = b.box.Close()
				})
			})
		}
	}
}

// TestShiftingPages: while the list is walked, agents delete and mails arrive, so that pages shift both ways.
func TestShiftingPages(t *testing.T) {
	for _, delta := range []int{-3, 3} {
		t.Run(fmt.Sprint(delta), func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				b := lagging(t, 0, 24*time.Hour, 200)
				var natives []int64
				sent := false
				var mu sync.Mutex
				b.box.Inject(func(op sandbox.Op) *sandbox.Fault {
					mu.Lock()
					defer mu.Unlock()
					switch {
					case op.Kind == "create" && op.N > 60 && op.N < 120:
						id, err := b.box.AddNative(sandbox.Native{Email: "n@customers.example", Subject: "native"})
						if err == nil {
							natives = append(natives, id)
						}
						if op.N == 100 {
							return &sandbox.Fault{Kind: sandbox.Status, Code: 504, Apply: sandbox.ApplyBefore}
						}
					case op.Kind == "create" && op.N == 200:
						sent = true
					case op.Kind == "list" && sent && !strings.Contains(op.Path, "query"):
						for range max(delta, 0) {
							_, _ = b.box.AddNative(sandbox.Native{Email: "n@customers.example", Subject: "native"})
						}
						for range max(-delta, 0) {
							if n := len(natives); n > 0 {
								_ = b.box.DeleteConversation(natives[n-1])
								natives = natives[:n-1]
							}
						}
					}
					return nil
				})
				b.mustRun(importer.ExitOK)
				b.wantHeld()
				if n := b.created(); n != 200 {
					t.Errorf("%d creates were applied", n)
				}
				_ = b.box.Close()
			})
		})
	}
}

// texts counts the live threads that hold a text.
func (b *bench) texts(text string) (n int) {
	for c := range b.box.Conversations() {
		for _, th := range c.Threads {
			if !c.Deleted && plain(th.Text) == text {
				n++
			}
		}
	}
	return n
}

// TestMeddledInDoubt: people retitle, move, merge or answer a conversation while its part is in doubt, also two at
// once, also under lag: it is never sent a second time.
func TestMeddledInDoubt(t *testing.T) {
	acts := map[string]func(b *bench, id, other int64) error{
		"retitled and moved": func(b *bench, id, _ int64) error {
			if err := b.box.Retitle(id, "other"); err != nil {
				return err
			}
			return b.box.Move(id, otherMailbox)
		},
		"merged into ours":   func(b *bench, id, other int64) error { return b.box.Merge(id, other) },
		"merged into native": func(b *bench, id, _ int64) error { return b.mergeNative(id) },
		"answered and moved": func(b *bench, id, _ int64) error {
			if _, err := b.box.Reply(id, 0, "on it"); err != nil {
				return err
			}
			return b.box.Move(id, otherMailbox)
		},
	}
	for name, act := range acts {
		for _, lag := range []time.Duration{0, 10 * time.Minute} {
			t.Run(fmt.Sprint(name, " ", lag), func(t *testing.T) {
				virtual(t, func(t *testing.T) {
					b := lagging(t, 0, lag, 30)
					for _, ticket := range b.src.tickets {
						ticket.Requester.Email = "same@customers.example"
						for _, m := range ticket.Messages {
							if m.Kind == "customer" {
								m.Author = ticket.Requester
							}
						}
					}
					b.opts.Workers = 1
					lost := ""
					b.box.Inject(func(op sandbox.Op) *sandbox.Fault {
						if op.Kind == "create" && op.N == 15 && lost == "" {
							lost = subjectOf(op.Body)
							return &sandbox.Fault{Kind: sandbox.Status, Code: 504, Apply: sandbox.ApplyBefore}
						}
						if op.Kind == "create" && op.N == 20 {
							id, other := b.conversations(lost)[0].ID, b.conversations("Ticket 1019")
							if len(other) == 0 {
								other = b.conversations("Ticket 1024")
							}
							if err := act(b, id, other[0].ID); err != nil {
								t.Error(err)
							}
						}
						return nil
					})
					rep := b.run()
					if c := rep.Summary.ExitCode; c != importer.ExitDoubt && c != importer.ExitOK {
						t.Errorf("exit %d, %v", c, rep.Cause)
					}
					wantBalanced(t, rep)
					b.run()
					if n := b.texts("message 1 of ticket " + numberOf(lost)); n != 1 {
						t.Errorf("%s is there %d times", lost, n)
					}
					_ = b.box.Close()
				})
			})
		}
	}
}

func (b *bench) mergeNative(id int64) error {
	native, err := b.box.AddNative(sandbox.Native{Email: "same@customers.example", Subject: "a native one"})
	if err != nil {
		return err
	}
	return b.box.Merge(id, native)
}

// TestThreeAbsences: a record on which the server always fails is rejected in the end, and the others go on.
func TestThreeAbsences(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(40)...)
		b.box.Inject(func(op sandbox.Op) *sandbox.Fault {
			if op.Kind == "create" && subjectOf(op.Body) == "Ticket 1013" {
				return &sandbox.Fault{Kind: sandbox.Status, Code: 500}
			}
			return nil
		})
		rep := b.mustRun(importer.ExitRejected)
		wantBalanced(t, rep)
		if len(rep.Rejected) != 1 || !strings.Contains(rep.Rejected[0].Reason, "500") || rep.Rejected[0].Key != "id:1013" {
			t.Errorf("%+v", rep.Rejected)
		}
		b.box.Inject(nil)
		b.opts.RetryRejected = true
		b.mustRun(importer.ExitOK)
		b.wantHeld()
		_ = b.box.Close()
	})
}

// TestLateTwins: a request is applied after its part was sent again; the twin is deleted when nobody has touched it,
// else left and reported. DELETE may be answered in many ways.
func TestLateTwins(t *testing.T) {
	for name, c := range map[string]struct {
		faults string
		lag    time.Duration
		touch  func(*bench, int64) error
		held   int
		codes  []int
	}{
		"plain":             {"", 0, nil, 1, []int{importer.ExitOK}},
		"index lag":         {"", time.Hour, nil, 1, []int{importer.ExitOK}},
		"lost, applied":     {"delete#1=504,applied", 0, nil, 1, []int{importer.ExitOK}},
		"lost, not applied": {"delete#1=504", 0, nil, 1, []int{importer.ExitOK}},
		"404":               {"delete#1-9=404", 0, nil, 2, []int{importer.ExitRejected}},
		"301":               {"delete#1-9=301", 0, nil, 2, []int{importer.ExitRejected}},
		"403":               {"delete#1-9=403", 0, nil, 2, []int{importer.ExitRejected}},
		"answered":          {"", 0, func(b *bench, id int64) error { _, err := b.box.Reply(id, 0, "hello"); return err }, 2, []int{importer.ExitDoubt, importer.ExitRejected, importer.ExitOK}},
		"reopened":          {"", 0, func(b *bench, id int64) error { return b.box.SetStatus(id, "pending") }, 2, []int{importer.ExitDoubt, importer.ExitRejected, importer.ExitOK}},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				b := lagging(t, 0, c.lag, 20)
				b.faults("create#15=504,late:150s " + c.faults)
				if c.touch != nil {
					go func() {
						time.Sleep(160 * time.Second)
						seen := map[string]int{}
						for conv := range b.box.Conversations() {
							if seen[conv.Subject]++; seen[conv.Subject] == 2 {
								if err := c.touch(b, conv.ID); err != nil {
									t.Error(err)
								}
							}
						}
					}()
				}
				rep := b.run()
				ok := false
				for _, code := range c.codes {
					ok = ok || rep.Summary.ExitCode == code
				}
				if !ok {
					t.Errorf("exit %d, %v", rep.Summary.ExitCode, rep.Cause)
				}
				wantBalanced(t, rep)
				most := 0
				seen := map[string]int{}
				for conv := range b.box.Conversations() {
					if conv.Live() {
						seen[conv.Subject]++
						most = max(most, seen[conv.Subject])
					}
				}
				if most != c.held {
					t.Errorf("a conversation is there %d times, want %d", most, c.held)
				}
				if !reports(rep, "late-twin", "") {
					t.Error("nobody is told of the twin")
				}
				lost, doubled := b.compare()
				if len(lost) > 0 || c.held == 1 && len(doubled) > 0 {
					t.Errorf("lost %v, doubled %v", lost, doubled)
				}
				b.run()
				_ = b.box.Close()
			})
		})
	}
}

// TestFoundInOneRun: what waits for a part in doubt (its files, the parts after it) follows in the same run once it is
// found, though many other tickets wait for good, and with --only too.
func TestFoundInOneRun(t *testing.T) {
	for _, only := range []bool{false, true} {
		virtual(t, func(t *testing.T) {
			split, files := aTicket("split", epoch, 9, "solved"), aTicket("files", epoch.Add(time.Hour), 2, "solved")
			attach(files.Messages[1], "large.txt", strings.Repeat("a large file ", 6000))
			b := newBench(t, append(many(90), split, files)...)
			b.maps.InlineSize, b.maps.MaxThreads, b.maps.Headroom = mapping.Size(64000), 5, new(int)
			code := importer.ExitOK
			if only {
				b.opts.Only, code = []string{"split", "files"}, importer.ExitLeft
			}
			var mu sync.Mutex
			lost := map[string]bool{}
			b.box.Inject(func(op sandbox.Op) *sandbox.Fault {
				mu.Lock()
				defer mu.Unlock()
				if s := subjectOf(op.Body); op.Kind == "create" && !lost[s] && (strings.HasPrefix(s, "Ticket split") || s == "Ticket files") {
					lost[s] = true
					return &sandbox.Fault{Kind: sandbox.Status, Code: 504, Apply: sandbox.ApplyBefore}
				}
				return nil
			})
			wantBalanced(t, b.mustRun(code))
			if n := len(b.conversations("Ticket split")); n != 3 || b.filesOf("Ticket files") != 1 {
				t.Errorf("only %t: %d parts, %d files", only, n, b.filesOf("Ticket files"))
			}
			for _, c := range b.conversations("Ticket split") {
				for _, th := range c.Threads {
					if strings.Contains(th.Text, "could not be imported") {
						t.Errorf("a link says %q", th.Text)
					}
				}
			}
			_ = b.box.Close()
		})
	}
}
