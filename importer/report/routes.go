package report

import (
	"fmt"
	"strings"

	"hsimport/mapping"
)

// usualBox is a pair's mailbox where no route has chosen one.
const usualBox = ""

// routes says where tickets go, and by which rules: those that fit no ticket are shown too.
func (v *viewer) routes() mapTable {
	out := mapTable{Name: "Mailboxes", From: "Tickets", To: "Mailbox", One: "ticket", Many: "tickets", Rest: v.tables.boxes.rest}
	if len(v.o.Mapping.Routes) == 0 {
		return out
	}
	for i, name := range v.o.Mapping.MailboxNames() {
		var rules []string
		for n, r := range v.o.Mapping.Routes {
			if fold(r.Mailbox) == fold(name) {
				rules = append(rules, fmt.Sprintf("route %d: %v", n+1, r.When))
			}
		}
		key := name
		if i == 0 {
			key, rules = usualBox, append(rules, "all others")
		}
		out.Rows = append(out.Rows, mapRow{From: clip(strings.Join(rules, "; "), 300), To: v.mailboxNamed(key), N: v.tables.boxes.n[key]})
	}
	return out
}

// inboxes says which mailbox an inbox of the old desk becomes.
func (v *viewer) inboxes() mapTable {
	t := v.words("Inboxes", "Inbox of the old desk", "Mailbox", "ticket", &v.tables.inboxes, "")
	for i := range t.Rows {
		t.Rows[i].To = v.mailboxNamed(t.Rows[i].To)
	}
	return t
}

// mailboxNamed is the mailbox that the configuration means, by the account's own name where that is known.
func (v *viewer) mailboxNamed(name string) string {
	if name == usualBox {
		name = v.o.Mapping.Mailbox
	}
	if found := mapping.MailboxesCalled(name, v.rep.Target.Mailboxes); len(found) == 1 {
		name = found[0].Name
	}
	return firstOf(clip(name, 120), "(not named)")
}
