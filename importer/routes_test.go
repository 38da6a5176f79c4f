package importer_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
	"hsimport/sources"
)

// toSales sends the tickets of one group to the second mailbox.
func toSales(b *bench, every int) {
	for i, t := range b.src.tickets {
		if i%every == 0 {
			t.Group = "Sales desk"
		}
	}
	b.maps.Routes = []mapping.Route{{Mailbox: "Sales", When: mapping.Condition{Groups: []string{"sales desk"}}}}
}

// wantMailboxes requires that each conversation stands in the mailbox of its ticket, twins each in theirs.
func (b *bench) wantMailboxes() {
	b.t.Helper()
	boxes := sandbox.DefaultSeed().Mailboxes
	want, got := map[string]bool{}, map[string]bool{}
	for _, t := range b.src.tickets {
		at := boxes[0].ID
		if t.Group != "" {
			at = boxes[1].ID
		}
		want[fmt.Sprint(t.Subject, " in ", at)] = true
	}
	for c := range b.box.Conversations() {
		if c.Live() {
			got[fmt.Sprint(partOf.ReplaceAllString(c.Subject, ""), " in ", c.MailboxID)] = true
		}
	}
	if !maps.Equal(got, want) {
		b.t.Errorf("%v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// TestRoutesHoldOnTheWholeRoad: with answers lost in every way, each conversation arrives once and in its mailbox; verify
// finds them there, a lost checkpoint is rebuilt from both mailboxes, and rollback empties both.
func TestRoutesHoldOnTheWholeRoad(t *testing.T) {
	for name, faults := range lostAnswers {
		virtual(t, func(t *testing.T) {
			b := crashBench(t, faults, 2)
			b.src.add(many(12)...)
			toSales(b, 3)
			b.untilDone()
			b.wantHeld()
			b.wantFiles()
			b.wantMailboxes()
			b.box.SetFaults(nil)
			if sum, _ := b.verify(importer.ExitOK, importer.Verifying{All: true}); sum.ExitCode != importer.ExitOK {
				t.Errorf("%s: verify: %+v", name, sum)
			}
			b.lose()
			b.recover(importer.ExitOK, false)
			b.wantNothingToDo()
			b.wantMailboxes()
			_ = b.box.Close()
		})
	}
}

func TestRollbackOfTwoMailboxes(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(20)...)
		toSales(b, 2)
		b.mustRun(importer.ExitOK)
		b.wantMailboxes()
		sales := b.conversations("Ticket 1002")[0]
		if err := b.box.Move(sales.ID, sandbox.DefaultSeed().Mailboxes[0].ID); err != nil {
			t.Fatal(err)
		}
		b.mustRollback(importer.ExitRejected, importer.RollingBack{})
		if left := b.there(); len(left) != 1 || left[0] != "1002" {
			t.Errorf("left %v, want the one that somebody moved", left)
		}
		_ = b.box.Close()
	})
}

// TestGateNamesEachMailbox: a person sees where how much goes, and a mailbox that gets nothing is not named.
func TestGateNamesEachMailbox(t *testing.T) {
	b := newBench(t, many(30)...)
	b.base = "https://help.example"
	toSales(b, 3)
	b.maps.Routes = append(b.maps.Routes, mapping.Route{Mailbox: fmt.Sprint(otherMailbox), When: mapping.Condition{Tags: []string{"nowhere"}}})
	var shown *importer.Gate
	job := b.job()
	job.Confirm = func(_ context.Context, g *importer.Gate) error { shown = g; return nil }
	rep := importer.Run(t.Context(), job)
	if rep.Summary.ExitCode != importer.ExitOK || shown == nil {
		t.Fatalf("exit %d, %v", rep.Summary.ExitCode, rep.Cause)
	}
	got := ""
	for _, m := range shown.Mailboxes {
		got += fmt.Sprintf("%s %d, ", m.Name, m.Conversations)
	}
	if got != "Support 20, Sales 10, " || shown.Mailbox.Name != "Support" {
		t.Errorf("the gate shows %s and asks for %s", got, shown.Mailbox.Name)
	}
}

// TestCanarySeesEachMailbox: before the rest goes out, a conversation of each mailbox has been read back, however late
// the first one for it comes and however much else there is to look at.
func TestCanarySeesEachMailbox(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t)
		for i := range 40 {
			b.src.add(aTicket(fmt.Sprint(1000+i), epoch.AddDate(0, 0, i), 1, "solved"))
		}
		newest := func(i int) *sources.Ticket { return b.src.tickets[len(b.src.tickets)-2-i] }
		newest(0).Messages[0].Private = true
		newest(1).Tags = []string{"vip"}
		newest(2).Assignee = &sources.Person{Email: "ada@support.example"}
		newest(3).Messages[0].Cc = []sources.Person{{Email: "boss@customers.example"}}
		attach(newest(4).Messages[0], "a.txt", "a")
		newest(5).Requester.Email, newest(5).Messages[0].Author.Email = "", ""
		newest(6).Messages[0].Kind = "agent"
		newest(7).Channel = "phone"
		newest(8).Channel = "chat"
		b.src.tickets[0].Group = "Sales desk" // the oldest: the last to be sent
		b.maps.Routes = []mapping.Route{{Mailbox: "Sales", When: mapping.Condition{Groups: []string{"Sales desk"}}}}
		b.mustRun(importer.ExitOK)
		for c := range b.box.Conversations() {
			if c.MailboxID == otherMailbox && c.Number > firstNumber(b)+40 {
				t.Errorf("the one of the other mailbox was sent as number %d, the first was %d", c.Number, firstNumber(b))
			}
		}
		_ = b.box.Close()
	})
}

func firstNumber(b *bench) (n int64) {
	for c := range b.box.Conversations() {
		if n == 0 || c.Number < n {
			n = c.Number
		}
	}
	return n
}

// TestOverlapIsOfTheMailbox: mail that reached a mailbox by itself is in the way of what goes to that mailbox in the same
// span, and of nothing else.
func TestOverlapIsOfTheMailbox(t *testing.T) {
	for _, c := range []struct {
		name string
		days int
		code int
	}{{"within what goes there", 1, importer.ExitUsage}, {"after the last that goes there", 20, importer.ExitOK}} {
		b := newBench(t, aTicket("a", epoch, 2, "solved"), aTicket("b", epoch.AddDate(0, 0, 2), 2, "solved"), aTicket("c", epoch.AddDate(0, 3, 0), 2, "solved"))
		b.src.tickets[0].Group, b.src.tickets[1].Group = "Sales desk", "Sales desk"
		b.maps.Routes = []mapping.Route{{Mailbox: "Sales", When: mapping.Condition{Groups: []string{"Sales desk"}}}}
		native := sandbox.Native{Mailbox: otherMailbox, Email: "someone@customers.example", Subject: "by mail", CreatedAt: epoch.AddDate(0, 0, c.days)}
		if _, err := b.box.AddNative(native); err != nil {
			t.Fatal(err)
		}
		rep := b.mustRun(c.code)
		if c.code == importer.ExitUsage && !strings.Contains(rep.Cause.Error(), "mailbox Sales already holds") {
			t.Errorf("%s: %v", c.name, rep.Cause)
		}
	}
}

// TestFieldsAreOfTheMailbox: a custom field that only the other mailbox has is left out with a word, one that none has
// blocks the job.
func TestFieldsAreOfTheMailbox(t *testing.T) {
	b := newBench(t, many(4)...)
	toSales(b, 2)
	field := sandbox.DefaultSeed().Mailboxes[0].Fields[0]
	for _, tk := range b.src.tickets {
		tk.Fields = []sources.Field{{Name: field.Name, Value: field.Options[0].Label}}
	}
	rep := b.mustRun(importer.ExitOK)
	n := 0
	for _, g := range rep.Findings.Groups() {
		if g.Code == "field-of-another-mailbox" {
			n += g.N
		}
	}
	with := 0
	for c := range b.box.Conversations() {
		with += len(c.Fields)
	}
	if n != 2 || with != 2 {
		t.Errorf("%d conversations have the field, %d findings say that theirs is left out; want 2 and 2", with, n)
	}
	b = newBench(t, many(4)...)
	toSales(b, 2)
	b.src.tickets[1].Fields = []sources.Field{{Name: "Shoe size", Value: "44"}}
	if rep := b.mustRun(importer.ExitUsage); !strings.Contains(rep.Cause.Error(), "Shoe size") {
		t.Errorf("%v", rep.Cause)
	}
}
