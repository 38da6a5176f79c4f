package mapping

import (
	"fmt"
	"strings"

	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// remarks is what a note has to say about a message: copies, files that could not come along. Each line is HTML.
type remarks []string

func (r *remarks) add(format string, args ...any) { *r = append(*r, fmt.Sprintf(format, args...)) }

// chunks are the lines as lists, none longer than room bytes of JSON.
func (r remarks) chunks(room int) []string {
	var out []string
	var b strings.Builder
	used := 0
	flush := func() {
		if b.Len() > 0 {
			out = append(out, "<ul>"+b.String()+"</ul>")
			b.Reset()
			used = 0
		}
	}
	for _, line := range r {
		item := "<li>" + line + "</li>"
		if n := textLen(item); used+n > room-len("<ul></ul>") {
			flush()
			used += n
		} else {
			used += n
		}
		b.WriteString(item)
	}
	flush()
	return out
}

// files sorts the attachments of a message: what can be sent is returned, everything else is named in the remarks.
func (w *work) files(msg *sources.Message, made []*sources.Attachment, rem *remarks) []*sources.Attachment {
	if len(msg.Attachments)+len(made) == 0 {
		return nil
	}
	var out []*sources.Attachment
	for _, list := range [...][]*sources.Attachment{msg.Attachments, made} {
		for _, a := range list {
			if w.sendable(msg, a, rem) {
				out = append(out, a)
			} else {
				w.noted++
			}
		}
	}
	return out
}

// sendable decides about one attachment. One that does not come along is named with its size and SHA-256.
func (w *work) sendable(msg *sources.Message, a *sources.Attachment, rem *remarks) bool {
	at := a.Position
	if at == (sources.Position{}) {
		at = msg.Position
	}
	name := shorten(bareFileName(a.Name), 200)
	switch {
	case a.Missing != "" && webHost(a.Location) != "":
		w.stillThere(a, at, name, rem)
	case a.Missing != "" || a.Open == nil || len(a.SHA256) != 64:
		why := firstOf(a.Missing, "its content could not be read")
		rem.add("Attachment %s is missing: %s", escape(name), escape(shorten(oneLine(why), 300)))
		w.findAt(at, sources.Warning, codeFileMissing, name, "attachment %s has no content: %s; a note names it", quote(name), shorten(oneLine(why), 300))
	case a.Size == 0:
		rem.add("Attachment %s is empty (0 bytes)", escape(name))
		w.findAt(at, sources.Info, codeFileEmpty, name, "attachment %s is empty; a note names it", quote(name))
	case uploadLen(newAttachment(a), a.Size) > w.m.Upload:
		rem.add("Attachment %s (%s, %d bytes) is larger than Help Scout takes; SHA-256 %s", escape(name), humanSize(a.Size), a.Size, escape(a.SHA256))
		w.findAt(at, sources.Warning, codeFileLarge, name, "attachment %s of %s is larger than Help Scout takes; a note names it with its SHA-256", quote(name), humanSize(a.Size))
	default:
		return true
	}
	return false
}

// stillThere is about a file of the old desk that did not come along: it may still be had, or could not be.
func (w *work) stillThere(a *sources.Attachment, at sources.Position, name string, rem *remarks) {
	host, why := webHost(a.Location), shorten(oneLine(a.Missing), 300)
	rem.add("Attachment %s is missing: %s", anchor(a, name), escape(why))
	if a.Pending {
		w.findAt(at, sources.Warning, NotFetched, host, "attachment %s lies with the old desk: %s; hsimport fetch brings it, or else a note names it", quote(name), why)
		return
	}
	w.findAt(at, sources.Warning, codeFileGone, host, "attachment %s has no content: %s; a note names it", quote(name), why)
}

// newAttachment is a file as a plan names it.
func newAttachment(a *sources.Attachment) helpscout.NewAttachment {
	return helpscout.NewAttachment{FileName: bareFileName(a.Name), MIMEType: mimeType(a.MIMEType), Data: "attachment:" + a.SHA256}
}

// mimeType is type/subtype without parameters, or the type of bytes that nobody has described.
func mimeType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	s = strings.ToLower(strings.TrimSpace(s))
	kind, sub, ok := strings.Cut(s, "/")
	if !ok || kind == "" || sub == "" || len(s) > 127 {
		return "application/octet-stream"
	}
	for i := 0; i < len(s); i++ {
		if !alphanumeric(s[i]) && strings.IndexByte("/.+-_", s[i]) < 0 {
			return "application/octet-stream"
		}
	}
	return s
}

// copies are the cc addresses of a message's thread. What cannot be a cc is named in the remarks, and so is bcc: a
// blind copy that was sent as one would show it to the customer's next correspondent.
func (w *work) copies(e *entry, th *helpscout.NewThread, rem *remarks) {
	msg := e.msg
	if len(msg.Bcc) > 0 {
		rem.add("Bcc: %s", peopleList(msg.Bcc))
		w.findAt(msg.Position, sources.Info, codeBcc, "", "%s named in a note and not sent", counted(len(msg.Bcc), "blind copy is", "blind copies are"))
	}
	if w.t.Kind == sources.Mail {
		w.otherRecipients(e, th)
	}
	if len(msg.Cc) == 0 {
		return
	}
	cc := w.goodCopies(e, th, rem)
	switch {
	case len(cc) == 0:
	case th.Type != helpscout.ThreadCustomer && th.Type != helpscout.ThreadReply, w.live && w.m.LiveCc == "note":
		rem.add("Cc: %s", escape(strings.Join(cc, ", ")))
		w.findAt(msg.Position, sources.Info, codeCc, "", "%s named in a note", counted(len(cc), "copy is", "copies are"))
	default:
		th.Cc = cc
	}
}

// goodCopies are the addresses of Cc that a person could be written to at, each once.
func (w *work) goodCopies(e *entry, th *helpscout.NewThread, rem *remarks) []string {
	var cc []string
	var bad []sources.Person
	dropped := 0
	var seen few[string, struct{}]
	seen.put(w.primary.Email, struct{}{})
	if th.Customer != nil && !seen.has(th.Customer.Email) {
		seen.put(th.Customer.Email, struct{}{})
	}
	for _, p := range e.msg.Cc {
		n, ok := usableAddress(p.Email)
		switch {
		case !ok:
			if !unknown(p) {
				bad = append(bad, p)
			}
		case seen.has(n):
		case w.m.atMailbox(n), atLegacyDesk(n), w.m.Placeholder != "" && strings.HasSuffix(n, "@"+w.m.Placeholder):
			dropped++
		default:
			seen.put(n, struct{}{})
			cc = append(cc, n)
		}
	}
	if len(bad) > 0 {
		rem.add("Cc, not usable as an address: %s", peopleList(bad))
		w.findAt(e.msg.Position, sources.Warning, codeAddress, firstOf(bad[0].Email, bad[0].Name), "%s", counted(len(bad), "address in cc is not one that mail could go to; a note names it", "addresses in cc are not ones that mail could go to; a note names them"))
	}
	if dropped > 0 {
		w.findAt(e.msg.Position, sources.Info, codeCcDropped, "", "%s left out of cc", counted(dropped, "address of the team's mailbox, the old desk or a placeholder is", "addresses of the team's mailbox, the old desk or placeholders are"))
	}
	return cc
}

// otherRecipients reports people in To who are not the customer: there is no place for them.
func (w *work) otherRecipients(e *entry, th *helpscout.NewThread) {
	n, first := 0, ""
	for _, p := range e.msg.To {
		a, ok := usableAddress(p.Email)
		if ok && a != w.primary.Email && w.m.outside(p) && (th.Customer == nil || a != th.Customer.Email) {
			n++
			first = firstOf(first, a)
		}
	}
	if n > 0 {
		w.findAt(e.msg.Position, sources.Info, codeTo, first, "%s not carried over, the first is %s", counted(n, "further recipient in To is", "further recipients in To are"), first)
	}
}

// peopleList is names and addresses as HTML.
func peopleList(people []sources.Person) string {
	const most = 100
	var parts []string
	for _, p := range people[:min(len(people), most)] {
		name, email := oneLine(p.Name), oneLine(p.Email)
		switch {
		case name != "" && email != "" && name != email:
			parts = append(parts, shorten(name, 100)+" <"+shorten(email, 254)+">")
		default:
			parts = append(parts, shorten(firstOf(email, name, p.ID), 254))
		}
	}
	if len(people) > most {
		parts = append(parts, fmt.Sprintf("and %d more", len(people)-most))
	}
	return escape(strings.Join(parts, ", "))
}
