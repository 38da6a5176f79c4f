package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A mapTable is one table of "what becomes of it": open rows first, then the most frequent.
type mapTable struct {
	ID, Name, From, To string
	One, Many          string // what is counted
	Rows               []mapRow
	N, Open, Rest      int
}

type mapRow struct {
	From, To string
	N        int
	Open     bool
}

func (v *viewer) maps() (out []mapTable) {
	add := func(t mapTable) {
		if len(t.Rows) == 0 {
			return
		}
		slices.SortFunc(t.Rows, func(a, b mapRow) int {
			if a.Open != b.Open {
				if a.Open {
					return -1
				}
				return 1
			}
			return cmp.Or(-cmp.Compare(a.N, b.N), strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
		})
		for _, r := range t.Rows {
			t.N += r.N
			if r.Open {
				t.Open++
			}
		}
		t.N += t.Rest
		t.ID = fmt.Sprintf("m%d", len(out)+1)
		out = append(out, t)
	}
	t := &v.tables
	add(v.routes())
	add(v.inboxes())
	add(v.words("Statuses", "Status in the source", "Arrives as", "ticket", &t.statuses, "nothing"))
	add(v.people("Assignees", "Assigned to", "ticket", &t.assignees, false))
	add(v.people("Authors of replies and notes", "Author in the source", "message", &t.agents, true))
	add(v.words("Groups", "Group in the source", "Becomes", "ticket", &t.groups, "nothing"))
	add(v.words("Tags and labels", "Tag in the source", "Arrives as", "tagging", &t.tags, "no tag"))
	add(v.words("Channels", "Channel in the source", "Type of the conversation", "ticket", &t.channels, ""))
	add(v.words("Message kinds", "The source's word", "Type of the thread", "message", &t.kinds, ""))
	for _, name := range t.fieldOrder {
		add(v.field(t.fields[name]))
	}
	return out
}

func (v *viewer) words(name, from, to, what string, t *tally[pair], nothing string) mapTable {
	out := mapTable{Name: name, From: from, To: to, One: what, Many: what + "s", Rest: t.rest}
	for p, n := range t.n {
		out.Rows = append(out.Rows, mapRow{p.from, firstOf(p.to, nothing), n, p.open})
	}
	return out
}

// people says who takes the place of whom.
func (v *viewer) people(name, from, what string, t *tally[personPair], authors bool) mapTable {
	out := mapTable{Name: name, From: from, To: "In Help Scout", One: what, Many: what + "s", Rest: t.rest}
	for p, n := range t.n {
		out.Rows = append(out.Rows, mapRow{p.from, v.standIn(p, authors), n, p.how == howUnmapped})
	}
	return out
}

func (v *viewer) standIn(p personPair, author bool) string {
	if !author {
		switch {
		case p.how == howDeparted:
			return "nobody: unassigned (has left)"
		case p.to == party{}:
			return "nobody: unassigned"
		case p.to.id == 0:
			return sameAddress
		}
		return v.who(p.to, "")
	}
	fallback := firstOf(v.names[p.to.id], clip(v.o.Mapping.FallbackUser, 120), "the owner of the credentials")
	switch {
	case p.how == howDeparted:
		return fallback + namedOnTop + " (has left)"
	case p.how == howAssumed:
		return sameAddress
	case p.to.name != "":
		return p.to.name + " (the account was not asked)"
	case p.how != howUnmapped && p.to.id != 0 && v.is(p.to.id, p.from):
		return v.who(p.to, "")
	case p.how != howUnmapped && p.to.id == 0 && v.isTeam(p.from):
		return sameAddress
	case p.from == nobodyKnown || v.isMailbox(p.from):
		return fallback
	}
	return fallback + namedOnTop
}

const (
	sameAddress = "a user of the same address (the account was not asked)"
	namedOnTop  = ", with the author's name at the top of the text"
)

// is reports that a person of the source is this user: by address, or by the table of the configuration.
func (v *viewer) is(id int64, from string) bool {
	entry := v.tables.agentTable[from]
	for _, u := range v.rep.Target.Users {
		if u.ID == id {
			for _, a := range append([]string{u.Email}, u.AlternateEmails...) {
				if a = fold(a); a == from || a == entry {
					return true
				}
			}
		}
	}
	return false
}

// isTeam reports that the configuration names an address as one of Help Scout's users.
func (v *viewer) isTeam(from string) bool {
	if from == fold(v.o.Mapping.FallbackUser) {
		return true
	}
	for _, to := range v.tables.agentTable {
		if to == from {
			return true
		}
	}
	return false
}

func (v *viewer) isMailbox(from string) bool {
	for _, m := range v.rep.Target.Mailboxes {
		if fold(m.Email) == from {
			return true
		}
	}
	return slices.ContainsFunc(v.o.Mapping.MailboxAddresses, func(a string) bool { return fold(a) == from })
}

func (v *viewer) field(f *fieldTally) mapTable {
	out := mapTable{Name: "Custom field “" + clip(f.name, 80) + "”", From: "Value in the source", To: "Arrives as", One: "ticket", Many: "tickets", Rest: f.values.rest}
	for p, n := range f.values.n {
		out.Rows = append(out.Rows, mapRow{p.from, firstOf(p.to, "nothing"), n, p.open})
	}
	return out
}
