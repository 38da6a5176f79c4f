package mapping

import (
	"strings"
	"time"

	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// draft is one thread before it is known in which part it will stand.
type draft struct {
	thread  helpscout.NewThread // without attachments
	files   []*sources.Attachment
	carried []Carried // Thread is not set yet
	// follows keeps a remark in the part of the message it is about.
	follows bool
}

// drafts are all threads of the ticket, in order.
func (w *work) drafts() []*draft {
	if len(w.entries) == 0 {
		return w.withNotes(w.emptyTicket())
	}
	return w.withNotes(w.threadsOf(w.entries))
}

// threadsOf makes the threads of some messages, in order; chat lines of one session become one thread.
func (w *work) threadsOf(entries []*entry) []*draft {
	out := make([]*draft, 0, len(entries)+2)
	each := make([]struct { // at once
		draft   draft
		carried [1]Carried
	}, len(entries))
	for i := 0; i < len(entries); {
		if n := w.session(entries[i:]); n > 1 {
			out = append(out, w.transcript(entries[i:i+n])...)
			i += n
			continue
		}
		d := &each[i].draft
		d.carried = each[i].carried[:]
		out = w.message(out, d, entries[i])
		i++
	}
	return out
}

// emptyTicket stands for a ticket without messages: its subject is all there is to show.
func (w *work) emptyTicket() []*draft {
	if oneLine(w.t.Subject) == "" && unknown(w.t.Requester) {
		w.refuse(codeNoMessages, "", "the ticket has neither a message nor a subject nor a requester")
		return nil
	}
	w.find(sources.Warning, codeNoMessages, "", "the ticket has no message; %q stands for it", noContent)
	th := helpscout.NewThread{
		Type: helpscout.ThreadCustomer, Customer: w.threadCustomer(), Text: noContent,
		Imported: true, CreatedAt: helpscout.At(usableTime(w.t.CreatedAt)),
	}
	if w.kind != "email" {
		th.Type = w.kind
	}
	return []*draft{{thread: th}}
}

// message appends the thread of one message, which it makes in d, and behind it a note with what else there is to say
// about it.
func (w *work) message(out []*draft, d *draft, e *entry) []*draft {
	text := w.render(e)
	d.carried[0] = Carried{Message: e.msg.Key, Digest: e.msg.Digest}
	d.thread = helpscout.NewThread{Imported: true, CreatedAt: helpscout.At(e.at)}
	named := false
	switch e.side {
	case sideCustomer:
		named = w.customerThread(e, &d.thread)
	case sideReply:
		by := w.agentWriter(e)
		d.thread.Type, d.thread.User, named = helpscout.ThreadReply, by.user, by.named
		d.thread.Customer = w.threadCustomer()
	default:
		by := w.noteWriter(e)
		d.thread.Type, d.thread.User, named = helpscout.ThreadNote, by.user, by.named
	}
	var rem remarks
	w.copies(e, &d.thread, &rem)
	d.files = w.files(e.msg, text.made, &rem)
	d.thread.Text = text.html
	if !unknown(e.forwarder) {
		d.thread.Text = forwarderLine(e.forwarder) + d.thread.Text
	}
	if named {
		d.thread.Text = w.m.authorLine(e.author) + d.thread.Text
	}
	return w.withRemarks(out, d, rem)
}

// customerThread fills a thread that somebody outside wrote: as the conversation's customer, or under their own
// address. Who has none and gets no placeholder is named at the top; unless the source says customer, in a note.
func (w *work) customerThread(e *entry, th *helpscout.NewThread) (named bool) {
	th.Type = helpscout.ThreadCustomer
	if k := w.channelOf(e); k != "email" {
		th.Type = k
	}
	th.Customer = w.threadCustomer()
	if unknown(e.author) || samePerson(e.author, w.requester) {
		return false
	}
	c, ok := w.customer(e.author, e.msg.Position)
	switch {
	case ok && c.Email != w.primary.Email:
		th.Customer = c
	case !ok && w.m.kindOf(e.msg.Kind) == kindCustomer:
		return true
	case !ok:
		w.findAt(e.msg.Position, sources.Warning, codeAuthor, firstOf(e.author.Email, e.author.Name), "%s has no usable address; the message becomes a note", firstOf(oneLine(e.author.Name), oneLine(e.author.Email), e.author.ID))
		th.Type, th.Customer, th.User = helpscout.ThreadNote, nil, w.m.fallback
		return true
	}
	return false
}

// threadCustomer names the conversation's customer in a thread; the conversation itself says the rest about them.
func (w *work) threadCustomer() *helpscout.NewCustomer {
	if w.named == nil {
		w.named = &helpscout.NewCustomer{Email: w.primary.Email}
	}
	return w.named
}

// withRemarks appends a thread with its remarks: at the end of a note, or in notes of their own.
func (w *work) withRemarks(out []*draft, d *draft, rem remarks) []*draft {
	out = append(out, d)
	if len(rem) == 0 {
		return out
	}
	chunks := rem.chunks(w.m.textRoom())
	if d.thread.Type == helpscout.ThreadNote && len(chunks) == 1 && textLen(d.thread.Text)+textLen(chunks[0]) <= w.m.Text {
		d.thread.Text += chunks[0]
		return out
	}
	for _, c := range chunks {
		out = append(out, &draft{thread: w.note(c, d.thread.CreatedAt.Time), follows: true})
	}
	return out
}

// note is a note of ours.
func (w *work) note(html string, at time.Time) helpscout.NewThread {
	return helpscout.NewThread{Type: helpscout.ThreadNote, User: w.m.fallback, Text: html, Imported: true, CreatedAt: helpscout.At(at)}
}

// withNotes adds, behind the first thread and at its time, what is to be said about the ticket as a whole: the old
// number and address where people will search for them, and a subject that was too long.
func (w *work) withNotes(ds []*draft) []*draft {
	if len(ds) == 0 {
		return ds
	}
	var notes []*draft
	at := ds[0].thread.CreatedAt.Time
	if w.m.Reference == "note" && (w.t.ID != "" || w.t.URL != "") {
		notes = append(notes, &draft{thread: w.note(w.reference(), at), follows: true})
	}
	if full := w.fullSubject(); utf16Len(full) > w.m.Subject {
		w.find(sources.Warning, codeSubjectCut, "", "the subject has %d characters and is cut to %d; a note has the whole of it", utf16Len(full), w.m.Subject)
		whole := cutHTML(escape(full), w.m.textRoom())
		notes = append(notes, &draft{thread: w.note("<p>Subject: "+whole+"</p>", at), follows: true})
	}
	if len(notes) == 0 {
		return ds
	}
	out := append([]*draft{}, ds[0])
	out = append(out, notes...)
	return append(out, ds[1:]...)
}

// reference is the text of the note that says where the ticket came from.
func (w *work) reference() string {
	var b strings.Builder
	b.WriteString("<p>Imported from ticket")
	if w.t.ID != "" {
		b.WriteString(" " + escape(shorten(oneLine(w.t.ID), 200)))
	}
	if u := oneLine(w.t.URL); u != "" && len(u) <= 2_000 {
		if linkScheme.MatchString(u) {
			b.WriteString(": ")
			b.Write(appendLink(nil, u))
		} else {
			b.WriteString(": " + escape(u))
		}
	}
	b.WriteString("</p>")
	return b.String()
}

// fullSubject is the subject with the old number where the configuration wants it there, however long.
func (w *work) fullSubject() string {
	s := oneLine(w.t.Subject)
	if s == "" {
		for _, e := range w.entries {
			if s = oneLine(e.msg.Subject); s != "" {
				break
			}
		}
	}
	return firstOf(s, noSubject) + w.subjectSuffix()
}

func (w *work) subjectSuffix() string {
	if w.m.Reference != "subject" || w.t.ID == "" {
		return ""
	}
	id, _ := cutUnits(oneLine(w.t.ID), 20)
	return " [#" + id + "]"
}

// subject is the subject of a part, held to its limit; what comes behind it is never cut.
func (w *work) subject(part int) string {
	full := w.fullSubject()
	suffix := w.subjectSuffix()
	base := strings.TrimSuffix(full, suffix)
	if part > 1 {
		suffix += " (part " + itoa(part) + ")"
	}
	short, cut := cutUnits(base, w.m.Subject-utf16Len(suffix))
	if cut {
		short, _ = cutUnits(base, w.m.Subject-utf16Len(suffix)-1)
		short += "…"
	}
	return short + suffix
}
