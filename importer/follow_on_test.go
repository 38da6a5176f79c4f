package importer_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
	"hsimport/sources"
)

// ticket finds a ticket of the source, to be changed as a newer export shows it.
func (b *bench) ticket(key string) *sources.Ticket {
	b.t.Helper()
	i, ok := b.src.Find(sources.Key("id:" + key))
	if !ok {
		b.t.Fatalf("no ticket %s", key)
	}
	t := *b.src.tickets[i]
	t.Messages = slices.Clone(t.Messages)
	b.src.tickets[i] = &t
	return &t
}

// parts lists the live conversations of a ticket in the order of their numbers.
func (b *bench) partsOf(key string) []sandbox.Conversation {
	cs := b.conversations("Ticket " + key)
	slices.SortFunc(cs, func(x, y sandbox.Conversation) int { return int(x.Number - y.Number) })
	return cs
}

// calls is how many requests of each kind the service has seen, without those that every run begins with.
func (b *bench) calls() map[string]int { return maps.Clone(b.box.Stats().Calls) }

// TestGoesOn: a conversation that takes no more threads, or is too old for them: the new messages become a further part
// that links to it, the earlier one is closed, and later messages are appended to the further one.
func TestGoesOn(t *testing.T) {
	for name, lock := range map[string]func(*sandbox.Settings){
		"full": func(s *sandbox.Settings) { s.MaxThreads = 4 },
		"old":  func(s *sandbox.Settings) { s.TooOld, s.TooOldStatus = time.Hour, 423 },
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				time.Sleep(22 * 366 * 24 * time.Hour) // virtual time begins before the tickets
				b := newBench(t, append(many(12), aTicket("long", epoch, 3, "open"))...)
				b.mustRun(importer.ExitOK)
				b.box.Configure(lock)
				b.grow("long", 2)
				rep := b.mustRun(importer.ExitOK)
				wantBalanced(t, rep)
				b.wantHeld()
				cs := b.partsOf("long")
				if len(cs) != 2 || cs[0].Status != "closed" || cs[1].Status != "active" || cs[1].Subject != "Ticket long (part 2)" {
					t.Fatalf("conversations: %+v", cs)
				}
				link := fmt.Sprintf("/conversation/%d/%d", cs[0].ID, cs[0].Number)
				if len(cs[1].Threads) != 3 || !slices.ContainsFunc(cs[1].Threads, func(th sandbox.Thread) bool { return strings.Contains(th.Text, link) }) {
					t.Errorf("part 2 does not link to %s: %+v", link, cs[1].Threads)
				}
				if !reports(rep, "goes-on", "2 new messages go on in part 2") {
					t.Errorf("findings %+v", rep.Findings.Groups())
				}
				before := b.calls()
				wantBalanced(t, b.mustRun(importer.ExitOK))
				b.wantSameWrites(before)
				b.box.Configure(func(s *sandbox.Settings) { s.MaxThreads, s.TooOld = 100, 0 })
				b.grow("long", 1)
				wantBalanced(t, b.mustRun(importer.ExitOK))
				b.wantHeld()
				if cs := b.partsOf("long"); len(cs) != 2 || len(cs[1].Threads) != 4 {
					t.Errorf("the next message did not go to part 2: %d conversations", len(cs))
				}
				_ = b.box.Close()
			})
		})
	}
}

// TestRecoverFurtherPart: with the checkpoint gone, a ticket that went on in a further part is left for a person to look
// at; no message is sent a second time.
func TestRecoverFurtherPart(t *testing.T) {
	b := newBench(t, append(many(12), aTicket("long", epoch, 3, "open"))...)
	b.mustRun(importer.ExitOK)
	b.box.Configure(func(s *sandbox.Settings) { s.MaxThreads = 4 })
	b.grow("long", 2)
	b.mustRun(importer.ExitOK)
	b.box.Configure(func(s *sandbox.Settings) { s.MaxThreads = 100 })
	b.path += ".new"
	if rep := importer.Recover(t.Context(), b.job(), false); rep.Summary.ExitCode != importer.ExitDoubt || len(rep.Doubtful) != 1 {
		t.Errorf("exit %d, %+v", rep.Summary.ExitCode, rep.Doubtful)
	}
	b.run()
	b.wantHeld()
}

// wantSameWrites requires that nothing was written since.
func (b *bench) wantSameWrites(before map[string]int) {
	b.t.Helper()
	for _, kind := range []string{"create", "reply", "customer", "note", "upload", "patch", "delete"} {
		if n := b.calls()[kind]; n != before[kind] {
			b.t.Errorf("%d calls of %s more", n-before[kind], kind)
		}
	}
}

// TestGoesOnByCount: the job knows that a conversation of 98 threads takes one more, and does not try the rest; a hundred
// and thirty more need two parts.
func TestGoesOnByCount(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, append(many(6), aTicket("one", epoch, 97, "solved"), aTicket("many", epoch.Add(time.Hour), 90, "solved"))...)
		b.mustRun(importer.ExitOK)
		b.grow("one", 2)
		b.grow("many", 130)
		refusals := b.box.Stats().Statuses["412"]
		rep := b.mustRun(importer.ExitOK)
		wantBalanced(t, rep)
		b.wantHeld()
		if n := b.box.Stats().Statuses["412"] - refusals; n != 0 {
			t.Errorf("%d calls were refused", n)
		}
		if one, more := len(b.partsOf("one")), len(b.partsOf("many")); one != 1 || more < 2 {
			t.Errorf("%d and %d conversations", one, more)
		}
		for _, n := range []int{60, 45} {
			b.grow("one", n)
			wantBalanced(t, b.mustRun(importer.ExitOK))
			b.wantHeld()
		}
		for range 2 {
			wantBalanced(t, b.mustRun(importer.ExitOK))
		}
		b.wantHeld()
		_ = b.box.Close()
	})
}

// TestExportBeginsLater: an export that shows only what is new is appended to what was sent, and what it does not show is
// no event.
func TestExportBeginsLater(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(12)...)
		b.mustRun(importer.ExitOK)
		b.grow("1003", 2)
		whole := b.src.tickets
		only := b.ticket("1003")
		n := len(only.Messages)
		only.Messages = only.Messages[n-2:]
		b.src.tickets = []*sources.Ticket{only}
		b.src.ledger.Records.Tickets, b.src.ledger.Records.Messages, b.src.ledger.Records.Found = 1, 2, 2
		rep := b.mustRun(importer.ExitOK)
		if rep.Summary.Threads.Appended != 2 || b.created() != 12 || !reports(rep, "message-gone", "4 messages that were sent are not in this export") {
			t.Errorf("%d appended, %d conversations, findings %+v", rep.Summary.Threads.Appended, b.created(), rep.Findings.Groups())
		}
		b.src.tickets = whole
		b.wantHeld()
		_ = b.box.Close()
	})
}

// TestStatusFollows: what the source says by now is carried over, but not where people have worked on a conversation;
// nobody is mailed, and a status is asked about once.
func TestStatusFollows(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(40)...)
		b.mustRun(importer.ExitOK)
		time.Sleep(time.Hour)
		for _, key := range []string{"1003", "1008", "1013", "1018", "1023", "1028"} { // they were open
			b.ticket(key).Status = "solved"
		}
		b.ticket("1000").Status, b.ticket("1001").Status = "open", "pending"
		acts := map[string]func(id int64) error{
			"1008": func(id int64) error { return b.box.SetStatus(id, "pending") },
			"1013": func(id int64) error { _, err := b.box.Note(id, 0, "look"); return err },
			"1018": func(id int64) error {
				if err := b.box.SetStatus(id, "closed"); err != nil {
					return err
				}
				return b.box.SetStatus(id, "active")
			},
			"1023": func(id int64) error { return b.box.SetStatus(id, "closed") },
		}
		for key, act := range acts {
			if err := act(b.partsOf(key)[0].ID); err != nil {
				t.Fatal(err)
			}
		}
		mails := len(b.box.Dump().Mails)
		rep := b.mustRun(importer.ExitOK)
		wantBalanced(t, rep)
		if c := rep.Summary.Changes; c.Statuses != 5 || c.StatusesKept != 3 || rep.Totals.StatusChanges != 8 {
			t.Errorf("%+v, %d planned", c, rep.Totals.StatusChanges)
		}
		for key, want := range map[string]string{"1003": "closed", "1008": "pending", "1013": "active", "1018": "active", "1023": "closed", "1028": "closed", "1000": "active", "1001": "pending", "1004": "pending"} {
			if c := b.partsOf(key)[0]; c.Status != want {
				t.Errorf("ticket %s is %s, want %s", key, c.Status, want)
			}
		}
		if n := len(b.box.Dump().Mails); n != mails {
			t.Errorf("%d mails went out", n-mails)
		}
		before := b.calls()
		b.src.add(aTicket("late", epoch.AddDate(0, 0, 1), 1, "solved")) // planned anew
		b.mustRun(importer.ExitOK)
		if n := b.calls()["patch"] - before["patch"]; n != 0 {
			t.Errorf("%d more changes", n)
		}
		b.ticket("1008").Status, b.ticket("1003").Status = "open", "pending"
		rep = b.mustRun(importer.ExitOK)
		if c := rep.Summary.Changes; c.Statuses != 1 || c.StatusesKept != 0 || b.partsOf("1003")[0].Status != "pending" {
			t.Errorf("%+v", c)
		}
		sum, _ := importer.Verify(t.Context(), b.job(), importer.Verifying{All: true}, nil)
		if v := sum.Verified; v.Differ+v.Missing+v.Unclear > 0 || v.AsSent < 35 {
			t.Errorf("verify: %+v", v)
		}
		_ = b.box.Close()
	})
}

// TestStatusUnderAnotherClock: a newer export moves the moment from which "inactive" is measured. What the mapping would
// close today stays as it is: the source has said nothing.
func TestStatusUnderAnotherClock(t *testing.T) {
	virtual(t, func(t *testing.T) {
		then := time.Now().AddDate(0, -2, 0) // the future is not the source's newest message
		b := newBench(t, aTicket("quiet", then.AddDate(0, 0, -2), 1, "open"), aTicket("a", then, 1, "open"), aTicket("b", then, 1, "open"))
		b.maps.CloseInactive = mapping.Duration(24 * time.Hour)
		b.mustRun(importer.ExitOK)
		b.wantStatus(map[string]string{"quiet": "closed", "a": "active", "b": "active"})
		b.src.add(aTicket("late", then.AddDate(0, 1, 0), 1, "open"))
		b.ticket("a").Status = "solved"
		rep := b.mustRun(importer.ExitOK)
		if c := rep.Summary.Changes; c.Statuses != 1 {
			t.Errorf("%+v", c)
		}
		b.wantStatus(map[string]string{"quiet": "closed", "a": "closed", "b": "active"})
		_ = b.box.Close()
	})
}

// TestFilesFollow: files that a message has got since it was sent are added to its thread, of the first run and of a
// follow-up; a text that stays is no edit.
func TestFilesFollow(t *testing.T) {
	for _, faults := range []string{"", "upload#1=504,applied upload#2=reset"} {
		virtual(t, func(t *testing.T) {
			tickets := many(8)
			attach(tickets[3].Messages[0], "first.txt", "the first")
			b := newBench(t, tickets...)
			b.mustRun(importer.ExitOK)
			b.grow("1005", 1)
			b.mustRun(importer.ExitOK)
			was := b.src.tickets[3]
			more := b.ticket("1003")
			m := *was.Messages[0]
			m.Digest = strings.Repeat("ab", 32)
			attach(&m, "second.txt", "the second")
			more.Messages[0] = &m
			grown := b.ticket("1005")
			last := *grown.Messages[len(grown.Messages)-1]
			attach(&last, "third.txt", "the third")
			grown.Messages[len(grown.Messages)-1] = &last
			b.faults(faults)
			rep := b.untilDone()
			wantBalanced(t, rep)
			b.wantHeld()
			b.wantFiles()
			if reports(rep, "message-edited", "") {
				t.Errorf("findings %+v", rep.Findings.Groups())
			}
			b.faults("")
			b.src.add(aTicket("late", epoch.AddDate(0, 0, 1), 1, "solved"))
			before := b.calls()["upload"]
			b.mustRun(importer.ExitOK)
			if n := b.calls()["upload"] - before; n != 0 {
				t.Errorf("%d more uploads", n)
			}
			sum, _ := importer.Verify(t.Context(), b.job(), importer.Verifying{All: true}, nil)
			if sum.Verified.AsSent != 9 {
				t.Errorf("verify: %+v", sum.Verified)
			}
			_ = b.box.Close()
		})
	}
}

// TestFileFoundLater: a file that was missing when its message was sent, and was named in a note, comes with a newer export.
func TestFileFoundLater(t *testing.T) {
	virtual(t, func(t *testing.T) {
		tickets := many(8)
		tickets[3].Messages[0].Attachments = []*sources.Attachment{{Name: "found.txt", MIMEType: "text/plain", Missing: "it is not in the folder"}}
		b := newBench(t, tickets...)
		b.mustRun(importer.ExitOK)
		m := *b.ticket("1003").Messages[0]
		m.Attachments = nil
		attach(&m, "found.txt", "found in the attic")
		b.ticket("1003").Messages[0] = &m
		for i := range 3 {
			b.src.add(aTicket(fmt.Sprint("late", i), epoch.AddDate(0, 0, 1+i), 1, "solved")) // planned anew
			wantBalanced(t, b.mustRun(importer.ExitOK))
			b.wantHeld()
			b.wantFiles()
		}
		_ = b.box.Close()
	})
}

// TestLargeFileOfLaterMessage: a later message whose files the server will not take with it goes out without them, and
// they follow.
func TestLargeFileOfLaterMessage(t *testing.T) {
	for _, faults := range []string{"", "customer#2=504,applied upload#1=reset"} {
		virtual(t, func(t *testing.T) {
			b := newBench(t, many(8)...)
			b.mustRun(importer.ExitOK)
			b.grow("1001", 1)
			grown := b.ticket("1001")
			attach(grown.Messages[len(grown.Messages)-1], "large.txt", strings.Repeat("a large file ", 5000))
			b.box.Configure(func(s *sandbox.Settings) { s.MaxBodyThread = 50000 })
			b.faults(faults)
			wantBalanced(t, b.untilDone())
			b.wantHeld()
			b.wantFiles()
			sum, _ := importer.Verify(t.Context(), b.job(), importer.Verifying{All: true}, nil)
			if sum.Verified.AsSent != 8 {
				t.Errorf("verify: %+v", sum.Verified)
			}
			_ = b.box.Close()
		})
	}
}

// TestUnchangedCostNothing: three thousand tickets that are as they were cost no call of their own, in a run that plans
// anew because of one that is not.
func TestUnchangedCostNothing(t *testing.T) {
	n := 3000
	if testing.Short() {
		n = 600
	}
	b := newBench(t, many(n)...)
	b.opts.Workers = 16
	b.mustRun(importer.ExitOK)
	units := b.run().Summary.Quota.Units // of a run that has nothing to do
	b.grow("1001", 1)
	rep := b.mustRun(importer.ExitOK)
	if more := rep.Summary.Quota.Units - units; more > 12 { // a look back, the new message, and what may be read again a moment later
		t.Errorf("one new message in %d tickets costs %d units more than nothing", n, more)
	}
	t.Logf("%d tickets: %d units when nothing is new, %d for one message", n, units, rep.Summary.Quota.Units)
}
