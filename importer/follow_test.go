package importer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
	"hsimport/sources"
)

// grow puts further messages at the end of a ticket, as a newer export shows it.
func (b *bench) grow(key string, n int) {
	b.t.Helper()
	i, ok := b.src.Find(sources.Key("id:" + key))
	if !ok {
		b.t.Fatalf("no ticket %s", key)
	}
	was := b.src.tickets[i]
	b.src.tickets[i] = aTicket(key, was.CreatedAt, len(was.Messages)+n, was.Status)
	b.src.ledger.Records.Messages += n
	b.src.ledger.Records.Found += n
}

// TestFollowUp: a newer export appends what is new, with its own time, and leaves the status as people have made it.
func TestFollowUp(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(40)...)
		b.mustRun(importer.ExitOK)
		status := map[string]string{}
		for i, n := range []string{"1000", "1001", "1003", "1004"} {
			c := b.conversations("Ticket " + n)[0]
			if i%2 == 1 {
				if err := b.box.SetStatus(c.ID, "pending"); err != nil {
					t.Fatal(err)
				}
			}
			status[n] = b.conversations("Ticket " + n)[0].Status
			b.grow(n, 1+i)
		}
		mails := len(b.box.Dump().Mails)
		rep := b.mustRun(importer.ExitOK)
		wantBalanced(t, rep)
		b.wantHeld()
		if rep.Summary.Threads.Appended != 10 || rep.Summary.Conversations.Already != 40 {
			t.Errorf("%+v", rep.Summary)
		}
		for n, want := range status {
			c := b.conversations("Ticket " + n)[0]
			if c.Status != want {
				t.Errorf("ticket %s is %s, it was %s", n, c.Status, want)
			}
			i, _ := b.src.Find(sources.Key("id:" + n))
			for _, m := range b.src.tickets[i].Messages {
				if !slices.ContainsFunc(c.Threads, func(th sandbox.Thread) bool { return plain(th.Text) == m.Body && th.CreatedAt.Equal(m.CreatedAt) }) {
					t.Errorf("%s is not there with its own time", m.Key)
				}
			}
		}
		if n := len(b.box.Dump().Mails); n != mails {
			t.Errorf("%d mails went out", n-mails)
		}
		b.mustRun(importer.ExitOK)
		b.wantHeld()
		_ = b.box.Close()
	})
}

// TestFollowUpRefused: a conversation that is gone, or a message the server will not have: the message is listed with the
// reason, the run ends with 3, and --retry-rejected tries it again.
func TestFollowUpRefused(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*bench)
		reason string
		mend   func(*bench)
	}{
		"refused": {func(b *bench) { b.faults("append=422") }, "422", func(b *bench) { b.faults("") }},
		"gone":    {func(b *bench) { _ = b.box.DeleteConversation(b.conversations("Ticket 1001")[0].ID) }, "not there any more", nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, many(20)...)
			b.mustRun(importer.ExitOK)
			c.before(b)
			b.grow("1001", 1)
			for range 2 {
				rep := b.mustRun(importer.ExitRejected)
				wantBalanced(t, rep)
				if len(rep.Rejected) != 1 || rep.Rejected[0].Key != "id:1001" || !strings.Contains(rep.Rejected[0].Reason, c.reason) {
					t.Errorf("rejected: %+v", rep.Rejected)
				}
			}
			if c.mend != nil {
				c.mend(b)
				b.opts.RetryRejected = true
				b.mustRun(importer.ExitOK)
				b.wantHeld()
			}
		})
	}
}

// TestFollowUpOfRejected: what comes later for a conversation that was rejected is listed with it, and goes out with it.
func TestFollowUpOfRejected(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(20)...)
		b.faults("create#15=422")
		rep := b.mustRun(importer.ExitRejected)
		key := strings.TrimPrefix(rep.Rejected[0].Key, "id:")
		b.grow(key, 1)
		rep = b.mustRun(importer.ExitRejected)
		wantBalanced(t, rep)
		if len(rep.Rejected) != 1 {
			t.Errorf("rejected: %+v", rep.Rejected)
		}
		b.opts.RetryRejected = true
		wantBalanced(t, b.mustRun(importer.ExitOK))
		b.wantHeld()
		_ = b.box.Close()
	})
}

// TestManyFollowUps: three hundred that the server refuses do not keep the others from being sent.
func TestManyFollowUps(t *testing.T) {
	b := newBench(t, many(330)...)
	b.mustRun(importer.ExitOK)
	b.box.Inject(func(op sandbox.Op) *sandbox.Fault {
		for i := range 300 {
			if strings.Contains(string(op.Body), fmt.Sprintf("ticket %d", 1000+i)) {
				return &sandbox.Fault{Kind: sandbox.Status, Code: 422}
			}
		}
		return nil
	})
	for i := range 330 {
		b.grow(fmt.Sprint(1000+i), 1)
	}
	rep := b.mustRun(importer.ExitRejected)
	if rep.Summary.Threads.Appended != 30 || len(rep.Rejected) != 300 {
		t.Errorf("%d appended, %d rejected", rep.Summary.Threads.Appended, len(rep.Rejected))
	}
}

// TestSharedMessage: two tickets that carry one message send it once, and nothing else is lost; a newer export that
// shifts where a ticket is split does no harm either.
func TestSharedMessage(t *testing.T) {
	one, two, same := aTicket("one", epoch, 3, "solved"), aTicket("two", epoch.Add(time.Hour), 3, "solved"), aTicket("same", epoch.Add(2*time.Hour), 1, "solved")
	two.Messages[0] = one.Messages[1]
	same.Messages[0] = one.Messages[2]
	b := newBench(t, one, two, same)
	b.opts.Workers = 1
	rep := b.mustRun(importer.ExitRejected)
	wantBalanced(t, rep)
	total := 0
	for c := range b.box.Conversations() {
		total += len(c.Threads)
	}
	if total != 5 || len(rep.Rejected) != 1 || !strings.Contains(rep.Rejected[0].Reason, "already") {
		t.Errorf("%d threads, rejected %+v", total, rep.Rejected)
	}
	if again := b.mustRun(importer.ExitRejected); again.Summary.Conversations.Created != 0 {
		t.Errorf("a second run: %+v", again.Summary.Conversations)
	}
}

// TestShiftedSplit: part 1 is sent, and then a newer export has an older message in it.
func TestShiftedSplit(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, aTicket("split", epoch, 9, "solved"), aTicket("plain", epoch.Add(-time.Hour), 1, "solved"))
		b.maps.MaxThreads, b.maps.Headroom, b.opts.Workers = 5, new(int), 1
		n := 0
		ctx, cancel := context.WithCancel(t.Context())
		b.box.Inject(func(op sandbox.Op) *sandbox.Fault {
			if op.Kind == "create" {
				if n++; n == 1 {
					cancel()
				}
			}
			return nil
		})
		job := b.job()
		job.Soft = ctx
		if rep := importer.Run(t.Context(), job); rep.Summary.ExitCode != importer.ExitInterrupted {
			t.Fatalf("exit %d", rep.Summary.ExitCode)
		}
		i, _ := b.src.Find("id:split")
		ticket := b.src.tickets[i]
		late := aTicket("late", epoch.Add(30*time.Second), 1, "solved").Messages[0]
		late.Author = ticket.Requester
		ticket.Messages = slices.Insert(ticket.Messages, 1, late)
		b.src.ledger.Records.Messages++
		b.src.ledger.Records.Found++
		b.untilDone()
		b.wantHeld()
		_ = b.box.Close()
	})
}

// spoilt is a source in which some tickets cannot be read any more once the plan is made.
type spoilt struct {
	*memory
	bad    map[sources.Key]bool
	served atomic.Int64
}

func (s *spoilt) Ticket(ctx context.Context, i int) (*sources.Ticket, error) {
	if n, t := s.served.Add(1), s.tickets[i]; s.bad[t.Key] && n > int64(s.Len()) {
		return nil, &sources.RecordError{Key: t.Key, Position: t.Position, Err: fmt.Errorf("a disk block is gone")}
	}
	return s.memory.Ticket(ctx, i)
}

// TestBecomesUnreadable: the ticket is listed, the others go on, the run ends with 3.
func TestBecomesUnreadable(t *testing.T) {
	b := newBench(t, many(40)...)
	job := b.job()
	job.Options.Workers = 1
	job.Source = &spoilt{memory: b.src, bad: map[sources.Key]bool{"id:1020": true, "id:1031": true}}
	rep := importer.Run(t.Context(), job)
	wantBalanced(t, rep)
	if rep.Summary.ExitCode != importer.ExitRejected || len(rep.Rejected) != 2 || !strings.Contains(rep.Rejected[0].Reason, "disk block") {
		t.Fatalf("exit %d, %v, rejected %+v", rep.Summary.ExitCode, rep.Cause, rep.Rejected)
	}
	b.opts.RetryRejected = true
	b.mustRun(importer.ExitOK)
	b.wantHeld()
}

// uploadBench has one ticket with two equal files in one thread, and others.
func uploadBench(t *testing.T) *bench {
	files := aTicket("files", epoch.Add(time.Hour), 3, "solved")
	for _, m := range files.Messages[:2] {
		attach(m, "same.txt", strings.Repeat("the same file ", 6000))
		m.Attachments = append(m.Attachments, m.Attachments[0])
	}
	files.Messages[1].CreatedAt = files.Messages[0].CreatedAt
	b := newBench(t, append(many(12), files)...)
	b.maps.InlineSize = mapping.Size(64000)
	return b
}

func (b *bench) filesOf(subject string) (n int) {
	for _, c := range b.conversations(subject) {
		for _, th := range c.Threads {
			n += len(th.Attachments)
		}
	}
	return n
}

// TestUploads: equal files, with answers lost in every way: each is there as often as the source has it.
func TestUploads(t *testing.T) {
	for _, faults := range []string{
		"", "upload#1=504,applied", "upload#2=504,applied", "upload#2=reset", "upload#1-2=504,applied upload#3-4=504",
		"upload#2=504,late:1s", "upload#1-4=reset,applied", "upload#1-4=timeout", "upload#2=504,late:2500ms",
		"upload#1=429,after:3s upload#3=401",
	} {
		t.Run(faults, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				b := uploadBench(t)
				b.faults(faults)
				wantBalanced(t, b.untilDone())
				b.wantHeld()
				if n := b.filesOf("Ticket files"); n != 4 {
					t.Errorf("%d files, want 4", n)
				}
				_ = b.box.Close()
			})
		})
	}
}

// TestUploadRefused: a file that the server will not take is named by a note that leaves the conversation closed.
func TestUploadRefused(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := uploadBench(t)
		b.faults("upload#2=413 note#1=504,applied")
		rep := b.mustRun(importer.ExitRejected)
		wantBalanced(t, rep)
		c := b.conversations("Ticket files")[0]
		notes := 0
		for _, th := range c.Threads {
			if strings.Contains(th.Text, "Attachment not imported: same.txt") {
				notes++
			}
		}
		if notes != 1 || c.Status != "closed" || b.filesOf("Ticket files") != 3 || rep.Summary.Attachments.Noted != 1 {
			t.Errorf("%d notes, status %s, %d files, %+v", notes, c.Status, b.filesOf("Ticket files"), rep.Summary.Attachments)
		}
		_ = b.box.Close()
	})
}

// TestAppendsInDoubt: later messages with answers lost in every way, two of them alike.
func TestAppendsInDoubt(t *testing.T) {
	for _, faults := range []string{
		"append=504,applied", "append#1-2=reset", "append%50=504,applied", "append#1=504,late:1s append#2=504", "append#1-3=html200,applied",
		"append#1=timeout,late:1s", "append#1=504,late:2500ms", "reply#1=503 customer#2=empty,applied",
	} {
		t.Run(faults, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				b := newBench(t, many(12)...)
				b.mustRun(importer.ExitOK)
				b.grow("1000", 3)
				b.grow("1007", 2)
				b.faults(strings.Replace(faults, "append=", "append#1-20=", 1))
				wantBalanced(t, b.untilDone())
				b.wantHeld()
				_ = b.box.Close()
			})
		})
	}
}

// TestRootTurnsUp: a newer archive shows an older first message, and with it the ticket has another key: it is the same
// ticket, and what is new is appended to it.
func TestRootTurnsUp(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(10)...)
		b.mustRun(importer.ExitOK)
		i, _ := b.src.Find("id:1003")
		ticket := *b.src.tickets[i]
		root := aTicket("root", ticket.CreatedAt.Add(-time.Hour), 1, "open")
		ticket.Key, ticket.CreatedAt = "root:1003", root.CreatedAt
		root.Messages[0].Author = ticket.Requester
		last := aTicket("1003", ticket.Messages[0].CreatedAt, len(ticket.Messages)+1, "open")
		ticket.Messages = append(root.Messages, last.Messages...)
		b.src.tickets = slices.Delete(b.src.tickets, i, i+1)
		b.src.ledger.Records.Tickets--
		b.src.ledger.Records.Messages -= len(last.Messages) - 1
		b.src.ledger.Records.Found -= len(last.Messages) - 1
		b.src.add(&ticket)
		rep := b.mustRun(importer.ExitOK)
		wantBalanced(t, rep)
		b.wantHeld()
		if n := b.created(); n != 10 || rep.Summary.Threads.Appended != 2 {
			t.Errorf("%d conversations, %d appended", n, rep.Summary.Threads.Appended)
		}

		j, _ := b.src.Find("id:1005")
		joined := *b.src.tickets[j]
		k, _ := b.src.Find("id:1007")
		joined.Messages = append(slices.Clone(joined.Messages), b.src.tickets[k].Messages...)
		b.src.tickets[j] = &joined
		b.src.tickets = slices.Delete(b.src.tickets, k, k+1)
		b.src.ledger.Records.Tickets--
		rep = b.mustRun(importer.ExitOK)
		if b.created() != 10 || !reports(rep, "tickets-joined", "id:1007") {
			t.Errorf("%d conversations; findings %+v", b.created(), rep.Findings.Groups())
		}
		_ = b.box.Close()
	})
}
