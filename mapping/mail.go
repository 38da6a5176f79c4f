package mapping

import (
	"strings"

	"hsimport/sources"
)

// effectiveAuthor is who wrote a message: for contact forms, and for mails that the team's own systems send in the
// name of somebody outside, that is Reply-To.
func (w *work) effectiveAuthor(msg *sources.Message) sources.Person {
	from := msg.Author
	if w.t.Kind != sources.Mail {
		return from
	}
	address, ok := usableAddress(from.Email)
	if !ok {
		return from
	}
	form := w.m.Forms[address]
	if !form && !w.m.ofTeam(address) {
		return from
	}
	for _, r := range msg.ReplyTo {
		if n, ok := usableAddress(r.Email); ok && n != address && !w.m.ofTeam(n) {
			return r
		}
	}
	if form {
		w.findAt(msg.Position, sources.Warning, codeForm, address, "a form mail from %s has no outside Reply-To; it is treated as written by %s", address, address)
	}
	return from
}

// excludedSender names the rule that leaves a message out because of who sent it, or "".
func (w *work) excludedSender(e *entry) string {
	if len(w.m.Excluded) == 0 {
		return ""
	}
	for _, p := range [...]sources.Person{e.author, e.msg.Author} {
		if n, ok := usableAddress(p.Email); ok {
			if w.m.Excluded[n] || w.m.Excluded[n[strings.LastIndexByte(n, '@'):]] {
				return "sender " + n
			}
		}
	}
	return ""
}

// outside reports that a person has an address and is not of the team. An address that is malformed is outside.
func (m *Mapper) outside(p sources.Person) bool {
	n, ok := usableAddress(p.Email)
	if !ok {
		return strings.TrimSpace(p.Email) != ""
	}
	return !m.ofTeam(n) && !atLegacyDesk(n)
}

// mailCustomer finds whom a mail thread is with: the first outside sender, else the first outside recipient. Machines
// that answered or bounced come last: the person they stand for is among the recipients.
func (w *work) mailCustomer() (sources.Person, sources.Position, bool) {
	var machine *entry
	for _, e := range w.entries {
		switch {
		case !w.m.outside(e.author):
		case e.msg.Auto != sources.AutoReply && e.msg.Auto != sources.Bounce:
			return e.author, e.msg.Position, true
		case machine == nil:
			machine = e
		}
	}
	for _, e := range w.entries {
		if p, ok := w.outsideRecipient(e.msg); ok {
			return p, e.msg.Position, true
		}
	}
	if machine != nil {
		return machine.author, machine.msg.Position, true
	}
	return sources.Person{}, sources.Position{}, false
}

func (w *work) outsideRecipient(msg *sources.Message) (sources.Person, bool) {
	for _, list := range [...][]sources.Person{msg.To, msg.Cc} {
		for _, p := range list {
			if w.m.outside(p) {
				return p, true
			}
		}
	}
	return sources.Person{}, false
}

// internal handles a thread in which nobody outside takes part: it is left out, or becomes notes under the address of
// who began it.
func (w *work) internal() {
	if w.m.Internal == "exclude" {
		w.exclude("internal")
		return
	}
	w.allNotes = true
	for _, e := range w.entries {
		if !unknown(e.author) {
			w.requester, w.requesterAt = e.author, e.msg.Position
			break
		}
	}
	w.find(sources.Info, codeInternal, "", "nobody outside the team takes part; the messages become notes")
}

// systemLabels are those that mail programs set by themselves; they say nothing that a tag should.
var systemLabels = map[string]bool{
	"inbox": true, "sent": true, "sent mail": true, "sent items": true, "sent messages": true, "opened": true, "unread": true,
	"read": true, "seen": true, "starred": true, "flagged": true, "important": true, "archived": true, "archive": true,
	"all mail": true, "draft": true, "drafts": true, "spam": true, "junk": true, "trash": true, "deleted items": true,
	"chat": true, "answered": true, "replied": true, "forwarded": true, "passed": true, "snoozed": true, "new": true, "cur": true,
	"category personal": true, "category social": true, "category promotions": true, "category updates": true,
	"category forums": true, "category purchases": true, "muted": true, "scheduled": true, "outbox": true,
}

// isSystemLabel recognises Gmail's and mail programs' own labels, with their prefixes.
func isSystemLabel(label string) bool {
	l := fold(label)
	for _, p := range [...]string{"[gmail]/", "[google mail]/", "^"} {
		l = strings.TrimPrefix(l, p)
	}
	l = labelName(l)
	return l == "" || systemLabels[l] || systemLabels[strings.ReplaceAll(l, "_", " ")]
}
