package importer_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/sources"
)

// linked are tickets whose texts name others: by address as text and as a link, by number, one that is not there.
func linked() []*sources.Ticket {
	tickets := many(10)
	for _, t := range tickets {
		t.URL = "https://desk.example/tickets/" + t.ID
	}
	say := func(i, n int, format sources.Format, body string) {
		tickets[i].Messages[n].Body, tickets[i].Messages[n].Format = body, format
	}
	say(1, 0, sources.Text, "as in https://desk.example/tickets/1003, see there")
	say(3, 1, sources.HTML, `<p>the <a href="https://desk.example/tickets/1001#comment-5">other one</a> and #1005</p>`)
	say(5, 1, sources.Text, "https://desk.example/tickets/4711 is not ours, https://desk.example/tickets/1001 is")
	say(6, 0, sources.Text, "&#1003; is no number, nor is https://elsewhere.example/tickets/1003")
	return tickets
}

// leads counts the links of the account's texts that lead to a conversation of the account.
func (b *bench) leads() (n int) {
	for c := range b.box.Conversations() {
		if !c.Live() {
			continue
		}
		for _, th := range c.Threads {
			n += strings.Count(th.Text, fmt.Sprintf(`href="%s/conversation/`, b.base))
		}
	}
	return n
}

// TestRelink: links between old tickets lead to the new conversations, words stay, verify finds all as sent, a second pass
// changes nothing and costs nothing, and a ticket that comes later gets its links then.
func TestRelink(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, linked()...)
		dry := importer.DryRun(t.Context(), b.job())
		if dry.Totals.Links != 3 {
			t.Errorf("the dry run counts %d links", dry.Totals.Links)
		}
		b.opts.Relinking.Numbers = true
		b.mustRun(importer.ExitOK)
		if b.leads() != 0 {
			t.Error("links were changed without being asked for")
		}
		b.opts.Relink = true
		rep := b.mustRun(importer.ExitOK)
		wantBalanced(t, rep)
		if b.leads() != 4 || rep.Summary.Changes.Links != 4 {
			t.Errorf("%d links, %+v", b.leads(), rep.Summary.Changes)
		}
		to := b.partsOf("1003")[0].ID
		if text := b.partsOf("1001")[0].Threads[0].Text; !strings.Contains(text, fmt.Sprintf(`<a href="%s/conversation/%d"`, b.base, to)) || !strings.Contains(text, ">https://desk.example/tickets/1003</a>, see there") {
			t.Errorf("text: %s", text)
		}
		before, units := b.calls()["thread-update"], b.calls()["threads"]
		if rep := b.mustRun(importer.ExitOK); rep.Summary.Changes.Links != 0 || b.calls()["thread-update"] != before || b.calls()["threads"] != units {
			t.Errorf("a second pass: %+v, %d changes", rep.Summary.Changes, b.calls()["thread-update"]-before)
		}
		late := aTicket("4711", epoch.AddDate(0, 0, 1), 1, "solved")
		b.src.add(late)
		if rep := b.mustRun(importer.ExitOK); rep.Summary.Changes.Links != 1 || b.leads() != 5 {
			t.Errorf("a ticket that came later: %+v, %d links", rep.Summary.Changes, b.leads())
		}
		sum, _ := importer.Verify(t.Context(), b.job(), importer.Verifying{All: true}, nil)
		if sum.Verified.AsSent != 11 {
			t.Errorf("verify: %+v", sum.Verified)
		}
		if n := len(b.box.Dump().Mails); n != 0 {
			t.Errorf("%d mails", n)
		}
		sumBack, _, _ := b.mustRollback(importer.ExitOK, importer.RollingBack{})
		if sumBack.RolledBack.Deleted != 11 {
			t.Errorf("rollback: %+v", sumBack.RolledBack)
		}
		_ = b.box.Close()
	})
}

// TestRelinkLeavesEdited: what people have edited stays, and is told of once; an account that lets nobody edit threads
// ends the pass at the first refusal, and the same command goes on when it does.
func TestRelinkLeavesEdited(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, linked()...)
		b.mustRun(importer.ExitOK)
		b.opts.Relink = true
		b.box.Configure(func(s *sandbox.Settings) { s.ThreadEditing = false })
		rep := b.mustRun(importer.ExitLeft)
		wantBalanced(t, rep)
		if !strings.Contains(rep.Cause.Error(), "does not let this user edit threads") {
			t.Errorf("cause %v", rep.Cause)
		}
		b.opts.Relink = false
		b.mustRun(importer.ExitOK) // the import itself is complete
		b.opts.Relink = true
		b.box.Configure(func(s *sandbox.Settings) { s.ThreadEditing = true })
		c := b.partsOf("1001")[0]
		if err := b.box.EditThread(c.ID, c.Threads[0].ID, "people know better: https://desk.example/tickets/1003"); err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			rep = b.mustRun(importer.ExitOK)
			if ch := rep.Summary.Changes; i == 0 && (ch.Links != 2 || ch.TextsKept != 1) || i == 1 && ch != (importer.Changes{}) {
				t.Errorf("%+v", ch)
			}
		}
		if text := b.partsOf("1001")[0].Threads[0].Text; strings.Contains(text, "/conversation/") {
			t.Errorf("an edited text was changed: %s", text)
		}
		_ = b.box.Close()
	})
}

// TestCrashInRelink ends the pass at each durable step, with answers lost in every way.
func TestCrashInRelink(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T) *bench {
		b := newBench(t, linked()...)
		b.opts.Relinking.Numbers = true
		b.mustRun(importer.ExitOK)
		b.opts.Relink = true
		time.Sleep(time.Hour)
		return b
	}
	scripts := []string{
		"", "thread-update#1=504,applied thread-update#2=reset thread-update#3=504,late:1s",
		"thread-update#1-2=reset", "thread-update#2=html200,applied thread-update#3=504",
	}
	crashes(t, scripts, setup, func(b *bench) {
		if n := b.leads(); n != 4 {
			b.t.Errorf("%d links lead to conversations", n)
		}
		for c := range b.box.Conversations() {
			for _, th := range c.Threads {
				if strings.Contains(th.Text, "<a href") && strings.Count(th.Text, "<a ") != strings.Count(th.Text, "</a>") {
					b.t.Errorf("broken text: %s", th.Text)
				}
			}
		}
	})
}

// TestRelinkNeedsWords: without anything that says how texts name tickets the flag is refused.
func TestRelinkNeedsWords(t *testing.T) {
	b := newBench(t, many(3)...)
	b.opts.Relink = true
	if rep := b.mustRun(importer.ExitUsage); !strings.Contains(rep.Cause.Error(), "run.relink.urls") {
		t.Errorf("cause %v", rep.Cause)
	}
}
