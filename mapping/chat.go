package mapping

import (
	"strings"
	"time"

	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// sessionGap ends a chat session: who comes back after it begins a new one.
const sessionGap = 30 * time.Minute

// session is how many messages from the first on are lines of one chat session; 0 or 1 when there is none. At least
// one line of it is a customer's, for a chat thread is always somebody's.
func (w *work) session(entries []*entry) int {
	if w.m.Chats != "transcript" {
		return 0
	}
	customer, n := false, 0
	for i, e := range entries {
		if e.side == sideNote || w.channelOf(e) != "chat" || i > 0 && e.at.Sub(entries[i-1].at) > sessionGap {
			break
		}
		customer = customer || e.side == sideCustomer
		n++
	}
	if !customer {
		return 0
	}
	return n
}

// transcript puts the lines of a session into one chat thread; into several where the text would get too long.
func (w *work) transcript(lines []*entry) []*draft {
	var out []*draft
	var d *draft
	var rem remarks
	var text strings.Builder
	used := 0
	flush := func() {
		if d != nil {
			d.thread.Text = text.String()
			out = w.withRemarks(out, d, rem)
			text.Reset()
		}
		d, rem, used = nil, nil, 0
	}
	var before time.Time
	for _, e := range lines {
		r := w.render(e)
		line := chatLine(e, r.html, before)
		before = e.at
		if d != nil && used+textLen(line) > w.m.Text {
			flush()
			line = chatLine(e, r.html, time.Time{})
		}
		if d == nil {
			d = &draft{thread: helpscout.NewThread{
				Type: helpscout.ThreadChat, Customer: w.threadCustomer(), Imported: true, CreatedAt: helpscout.At(e.at),
			}}
		}
		text.WriteString(line)
		used += textLen(line)
		d.carried = append(d.carried, Carried{Message: e.msg.Key, Digest: e.msg.Digest})
		w.copies(e, &d.thread, &rem)
		d.files = append(d.files, w.files(e.msg, r.made, &rem)...)
	}
	flush()
	return out
}

// chatLine is one line of a transcript: who, when, what. The day stands where it is not the line's before.
func chatLine(e *entry, html string, before time.Time) string {
	when := e.at.Format("15:04:05")
	if before.IsZero() || before.YearDay() != e.at.YearDay() || before.Year() != e.at.Year() {
		when = e.at.Format("2006-01-02 15:04:05") + " UTC"
	}
	who := "Customer"
	if e.side == sideReply {
		who = "Agent"
	}
	name := shorten(speaker(e.author, who), 100)
	return "<div><strong>" + escape(name) + "</strong> (" + when + "): " + html + "</div>"
}

func speaker(p sources.Person, otherwise string) string {
	return firstOf(oneLine(p.Name), oneLine(p.Email), oneLine(p.ID), otherwise)
}
