package importer_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
	"hsimport/sources"
)

// lose moves the checkpoint away.
func (b *bench) lose() {
	b.t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(b.path + suffix); err != nil && !os.IsNotExist(err) {
			b.t.Fatal(err)
		}
	}
}

// keep copies the checkpoint; back puts the copy in its place.
func (b *bench) keep() (back func()) {
	b.t.Helper()
	text, err := os.ReadFile(b.path)
	if err != nil {
		b.t.Fatal(err)
	}
	return func() {
		b.lose()
		if err := os.WriteFile(b.path, text, 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *bench) recover(code int, merge bool) *importer.Report {
	b.t.Helper()
	writes := b.box.Stats()
	rep := importer.Recover(b.t.Context(), b.job(), merge)
	if rep.Summary.ExitCode != code {
		b.t.Fatalf("recover: exit %d (%v), want %d; %s %v", rep.Summary.ExitCode, rep.Cause, code, rep.Summary.Verdict, rep.Doubtful)
	}
	if now := b.box.Stats(); now.Created != writes.Created {
		b.t.Errorf("recover has written: %d creates before, %d after", writes.Created, now.Created)
	}
	return rep
}

// wantNothingToDo runs and requires that nothing is created.
func (b *bench) wantNothingToDo() {
	b.t.Helper()
	before := b.box.Stats().Created
	rep := b.mustRun(importer.ExitOK)
	if n := b.box.Stats().Created - before; n != 0 || rep.Summary.Conversations.Created != 0 {
		b.t.Errorf("%d conversations were created after recover", n)
	}
	b.wantHeld()
	b.wantFiles()
}

// TestRecoverWhole: after a full run whose checkpoint is lost, everything is found and nothing is sent again.
func TestRecoverWhole(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := crashBench(t, "", 4)
		b.src.add(many(80)...)
		first := b.mustRun(importer.ExitOK)
		b.lose()
		b.mustRun(importer.ExitCheckpoint)
		rep := b.recover(importer.ExitOK, false)
		c := rep.Summary.Conversations
		if c.Adopted != first.Summary.Conversations.Created || c.Pending != 0 || c.Adopted != c.Planned {
			t.Errorf("created %d, recover says %+v", first.Summary.Conversations.Created, c)
		}
		t.Logf("%d conversations adopted for %d units", c.Adopted, rep.Summary.Quota.Units)
		if u := rep.Summary.Quota.Units; u > 30 {
			t.Errorf("%d units for %d conversations that are all there", u, c.Adopted)
		}
		b.wantNothingToDo()
		b.recover(importer.ExitCheckpoint, false) // a checkpoint is never overwritten
		b.wantNothingToDo()
		_ = b.box.Close()
	})
}

// TestRecoverHalf: what is missing, and only that, is sent afterwards; a checkpoint file is there only when recover is
// done.
func TestRecoverHalf(t *testing.T) {
	for _, noise := range []int{0, 400} {
		virtual(t, func(t *testing.T) {
			b := newBench(t, many(100)...)
			b.opts.Limit = 40
			b.mustRun(importer.ExitLeft)
			b.opts.Limit = 0
			b.lose()
			b.nativeMail(noise)
			rep := b.recover(importer.ExitOK, false)
			if c := rep.Summary.Conversations; c.Adopted != 40 || c.Pending != 60 {
				t.Errorf("noise %d: %+v", noise, c)
			}
			t.Logf("noise %d: %d units", noise, rep.Summary.Quota.Units)
			b.mustRun(importer.ExitOK)
			if got := b.leftovers(); len(got) != 1 {
				t.Errorf("files left: %v", got)
			}
			b.wantOurs()
			_ = b.box.Close()
		})
	}
}

// nativeMail puts conversations of the same time into the account that have nothing to do with the job.
func (b *bench) nativeMail(n int) {
	b.t.Helper()
	other := newBench(b.t)
	other.box = b.box
	for i := range n {
		t := aTicket(fmt.Sprintf("native%d", i), epoch.Add(time.Duration(i)*97*time.Second), 1, "solved")
		t.Subject = "Something else"
		t.Messages[0].Body = fmt.Sprintf("native mail %d", i)
		other.src.add(t)
	}
	if n > 0 {
		other.mustRun(importer.ExitOK)
	}
}

// wantOurs is wantHeld without conversations that are not the job's.
func (b *bench) wantOurs() {
	b.t.Helper()
	lost, doubled := b.compare()
	if len(lost)+len(doubled) > 0 {
		b.t.Errorf("%d lost %v, %d doubled %v", len(lost), head(lost), len(doubled), head(doubled))
	}
}

// TestRecoverIndexLag: the search lags by hours; what it does not show yet is found by walking the newest.
func TestRecoverIndexLag(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(120)...)
		b.mustRun(importer.ExitOK)
		b.lose()
		b.box.Configure(func(s *sandbox.Settings) { s.IndexLag = 6 * time.Hour })
		if c := b.recover(importer.ExitOK, false).Summary.Conversations; c.Adopted != 120 {
			t.Errorf("%+v", c)
		}
		b.wantNothingToDo()
		_ = b.box.Close()
	})
}

// TestRecoverTwins: tickets that nothing tells apart are interchangeable; one too many is listed.
func TestRecoverTwins(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, append(many(10), twins("same", "same")...)...)
		b.mustRun(importer.ExitOK)
		b.lose()
		b.recover(importer.ExitOK, false)
		b.wantNothingToDo()

		b.lose()
		b.src = newMemory(b.src.tickets[:len(b.src.tickets):len(b.src.tickets)]...)
		gone := b.src.tickets[:0:0]
		for _, tk := range b.src.tickets {
			if tk.Key != "id:twin1" {
				gone = append(gone, tk)
			}
		}
		b.src = newMemory(gone...)
		rep := b.recover(importer.ExitDoubt, false)
		if c := rep.Summary.Conversations; len(rep.Doubtful) != 1 || !strings.Contains(rep.Doubtful[0].Reason, "more than once") || c.Adopted != 11 || c.InDoubt != 0 {
			t.Errorf("doubled: %+v %+v", rep.Doubtful, c)
		}
		_ = b.box.Close()
	})
}

// TestRecoverTouched: what people did to an imported conversation never makes it be sent a second time.
func TestRecoverTouched(t *testing.T) {
	acts := map[string]struct {
		act     func(b *bench, id, other int64) error
		code    int // of recover
		pending int
	}{
		"answered":  {func(b *bench, id, _ int64) error { _, err := b.box.CustomerReply(id, "thanks"); return err }, importer.ExitOK, 0},
		"retitled":  {func(b *bench, id, _ int64) error { return b.box.Retitle(id, "something else") }, importer.ExitOK, 0},
		"moved":     {func(b *bench, id, _ int64) error { return b.box.Move(id, otherMailbox) }, importer.ExitOK, 0},
		"closed":    {func(b *bench, id, _ int64) error { return b.box.SetStatus(id, "closed") }, importer.ExitOK, 0},
		"merged":    {func(b *bench, id, other int64) error { return b.box.Merge(id, other) }, importer.ExitDoubt, 0},
		"deleted":   {func(b *bench, id, _ int64) error { return b.box.DeleteConversation(id) }, importer.ExitOK, 1},
		"untouched": {func(*bench, int64, int64) error { return nil }, importer.ExitOK, 0},
	}
	for name, a := range acts {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				b := newBench(t, many(20)...)
				b.mustRun(importer.ExitOK)
				b.lose()
				one, two := b.conversations("Ticket 1013")[0], b.conversations("Ticket 1014")[0]
				if err := a.act(b, one.ID, two.ID); err != nil {
					t.Fatal(err)
				}
				rep := b.recover(a.code, false)
				if c := rep.Summary.Conversations; c.Pending != a.pending {
					t.Errorf("%+v %+v", c, rep.Doubtful)
				}
				before := b.box.Stats().Created
				b.run()
				if n := b.box.Stats().Created - before; n != a.pending {
					t.Errorf("the run created %d, want %d", n, a.pending)
				}
				_ = b.box.Close()
			})
		})
	}
}

// TestRecoverAmbiguous: something of the same second that resembles a part keeps it from being sent until a person has
// taken it away.
func TestRecoverAmbiguous(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(8)...)
		tk := b.src.tickets[3]
		body, title := tk.Messages[1].Body, tk.Subject
		tk.Messages[1].Body, tk.Subject = "what somebody else made of it", "another title"
		b.mustRun(importer.ExitOK)
		held := b.conversations(tk.Subject)
		tk.Messages[1].Body, tk.Subject = body, title
		b.lose()
		rep := b.recover(importer.ExitDoubt, false)
		if len(held) != 1 || len(rep.Doubtful) != 1 || rep.Doubtful[0].Candidate != held[0].ID {
			t.Fatalf("%+v", rep.Doubtful)
		}
		b.mustRun(importer.ExitDoubt)
		if n := len(b.conversations(tk.Subject)); n != 0 {
			t.Errorf("the ambiguous ticket was sent %d times", n)
		}
		if err := b.box.DeleteConversation(held[0].ID); err != nil {
			t.Fatal(err)
		}
		b.untilDone()
		b.wantHeld()
		_ = b.box.Close()
	})
}

// TestRecoverMissingFiles: a crash between a create call and its uploads is made good, and no file comes twice.
func TestRecoverMissingFiles(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := crashBench(t, "upload#2=400", 1)
		b.mustRun(importer.ExitRejected)
		b.faults("")
		b.lose()
		// The note that stands for the refused file is a thread more: people may as well have written it.
		rep := b.recover(importer.ExitOK, false)
		if rep.Summary.Conversations.Pending != 0 {
			t.Errorf("%+v", rep.Summary.Conversations)
		}
		b.run()
		b.wantHeldBut("Attachment not imported")
		_ = b.box.Close()

		b = crashBench(t, "", 1)
		n := 0
		b.fault = func(op string) (bool, error) {
			if op == "begin_effect" {
				n++
			}
			if n >= 2 {
				return false, errCrash
			}
			return true, nil
		}
		b.run()
		b.fault = nil
		b.lose()
		b.recover(importer.ExitOK, false)
		b.untilDone()
		b.wantHeld()
		b.wantFiles()
		_ = b.box.Close()
	})
}

// wantHeldBut is wantHeld where threads with some words are no message.
func (b *bench) wantHeldBut(words string) {
	b.t.Helper()
	notes := 0
	for c := range b.box.Conversations() {
		for _, th := range c.Threads {
			if strings.Contains(th.Text, words) {
				notes++
			}
		}
	}
	if lost, doubled := b.compare(); len(lost)+len(doubled) > 0 || notes != 1 {
		b.t.Errorf("lost %v, doubled %v, %d notes", head(lost), head(doubled), notes)
	}
}

// TestRecoverNewerExport: the checkpoint is lost and the export has grown; the new messages are appended.
func TestRecoverNewerExport(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(12)...)
		b.mustRun(importer.ExitOK)
		b.lose()
		older := b.src.tickets
		grown := aTicket("1003", epoch.Add(3*7*time.Minute), 6, older[3].Status)
		b.src = newMemory(append(append([]*sources.Ticket{}, older[:3]...), older[4:]...)...)
		b.src.add(grown, aTicket("new", epoch.Add(90*24*time.Hour), 2, "open"))
		if c := b.recover(importer.ExitOK, false).Summary.Conversations; c.Adopted != 12 || c.Pending != 1 {
			t.Errorf("%+v", c)
		}
		rep := b.mustRun(importer.ExitOK)
		if rep.Summary.Conversations.Created != 1 {
			t.Errorf("%+v", rep.Summary.Conversations)
		}
		b.wantHeld()
		_ = b.box.Close()
	})
}

// TestRecoverShared: a message that two tickets of the export hold has one place, in a recovered checkpoint too.
func TestRecoverShared(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(6)...)
		b.mustRun(importer.ExitOK)
		b.lose()
		b.src.tickets[4].Messages[0].Key = b.src.tickets[3].Messages[0].Key
		if c := b.recover(importer.ExitOK, false).Summary.Conversations; c.Adopted != 6 {
			t.Errorf("%+v", c)
		}
		_ = b.box.Close()
	})
}

// TestRecoverStale: a checkpoint of last week is brought up to date: conversations, files and appended messages of
// since then are noted, none comes twice.
func TestRecoverStale(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(40)...)
		b.maps.MaxThreads, b.maps.Headroom, b.maps.InlineSize = 4, new(int), mapping.Size(64000)
		b.opts.Limit = 15
		b.mustRun(importer.ExitLeft)
		b.opts.Limit = 0
		back := b.keep()
		b.src.add(crashJob()...)
		b.mustRun(importer.ExitOK)
		live := b.sent(t)
		more := aTicket(live, b.entryOf(live).CreatedAt, len(b.entryOf(live).Messages)+1, b.entryOf(live).Status)
		b.replace(more)
		b.mustRun(importer.ExitOK)
		b.wantHeld()
		back()
		b.mustRun(importer.ExitCheckpoint)
		b.recover(importer.ExitCheckpoint, false)
		b.recover(importer.ExitOK, true)
		b.wantNothingToDo()
		_ = b.box.Close()
	})
}

// sent names a ticket of one part that the first, limited run has sent: the newest live one.
func (b *bench) sent(t *testing.T) string {
	t.Helper()
	for i := len(b.src.tickets) - 1; i >= 0; i-- {
		if tk := b.src.tickets[i]; tk.Status == "open" && len(tk.Messages) < 3 && tk.ID != "files" {
			return tk.ID
		}
	}
	t.Fatal("no live ticket")
	return ""
}

func (b *bench) entryOf(id string) *sources.Ticket {
	for _, tk := range b.src.tickets {
		if tk.ID == id {
			return tk
		}
	}
	return nil
}

func (b *bench) replace(tk *sources.Ticket) {
	all := []*sources.Ticket{tk}
	for _, old := range b.src.tickets {
		if old.ID != tk.ID {
			all = append(all, old)
		}
	}
	b.src = newMemory(all...)
}

// TestRecoverCrash ends recover at every durable step: nothing is left behind, and the next one does it all.
func TestRecoverCrash(t *testing.T) {
	n := 0
	virtual(t, func(t *testing.T) { recoverCrash(t, 0, &n) })
	if n < 10 {
		t.Fatalf("only %d durable steps", n)
	}
	for k := 1; k <= n; k++ {
		virtual(t, func(t *testing.T) { recoverCrash(t, k, new(int)) })
	}
}

func recoverCrash(t *testing.T, at int, steps *int) {
	b := crashBench(t, "", 2)
	b.mustRun(importer.ExitOK)
	b.lose()
	end := b.dieAt(at, at%2 == 0)
	if at > 0 {
		rep := importer.Recover(t.Context(), b.job(), false)
		b.fault = nil
		if rep.Cause == nil {
			t.Errorf("%s: recover noticed nothing", end)
		}
		if _, err := os.Stat(b.path); err == nil { // only its last words are missing
			b.wantNothingToDo()
			b.lose()
		} else if got := b.leftovers(); len(got) > 0 {
			t.Errorf("%s: left behind: %v", end, got)
		}
	}
	b.recover(importer.ExitOK, false)
	*steps = end.steps
	b.fault = nil
	b.wantNothingToDo()
	_ = b.box.Close()
}

// TestRecoverAsks: a recovered job is confirmed like a new one before it first writes.
func TestRecoverAsks(t *testing.T) {
	b := newBench(t, many(10)...)
	b.opts.Limit = 4
	b.mustRun(importer.ExitLeft)
	b.opts.Limit = 0
	b.path = filepath.Join(t.TempDir(), "import.db")
	b.base = "http://helpscout.example"
	b.wrap = func(rt http.RoundTripper) http.RoundTripper { return rt }
	b.recover(importer.ExitOK, false)
	b.mustRun(importer.ExitUsage)
	if n := b.box.Stats().Created; n != 4 {
		t.Errorf("%d conversations without anybody having been asked", n-4)
	}
}

// TestRecoverAfterAKill: what a process that was killed has left beside the checkpoint, its journal too, is cleared away.
func TestRecoverAfterAKill(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(5)...)
		for _, name := range []string{".planning", ".recovering"} {
			for _, suffix := range []string{"", "-journal", "-wal", ".new", ".new-journal"} {
				if err := os.WriteFile(b.path+name+suffix, []byte("left by a process that was killed"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		b.mustRun(importer.ExitOK)
		b.lose()
		b.recover(importer.ExitOK, false)
		b.wantNothingToDo()
		_ = b.box.Close()
	})
}
