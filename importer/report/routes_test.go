package report

import (
	"slices"
	"testing"

	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// Each rule of the routes stands with the mailbox it leads to and the tickets that went there, one that fits nothing too.
func TestRoutesAreAmongTheMappings(t *testing.T) {
	var all []*sources.Ticket
	for i, inbox := range []string{"Acme Billing", "Acme Billing", "Acme Shop", "Elsewhere", ""} {
		x := ticket(100+i, epoch.AddDate(0, 0, i), 2, "solved")
		x.Inbox = inbox
		all = append(all, x)
	}
	all[4].Tags = []string{"invoice"}
	o, target := options(), account()
	o.Routes = []mapping.Route{
		{Mailbox: "9", When: mapping.Condition{Inboxes: []string{"acme billing"}}},
		{Mailbox: "Sales", When: mapping.Condition{Inboxes: []string{"Acme Shop", "Acme Market"}, Tags: []string{"printer"}}},
		{Mailbox: "9", When: mapping.Condition{Tags: []string{"invoice"}}},
		{Mailbox: "Complaints", When: mapping.Condition{Groups: []string{"Nobody"}}},
	}
	target.Mailboxes = append(target.Mailboxes, helpscout.Mailbox{ID: 8, Name: "Sales"}, helpscout.Mailbox{ID: 9, Name: "Billing"}, helpscout.Mailbox{ID: 10, Name: "Complaints"})
	c, rep, _ := dryRun(t, newMemory(all), o, target)
	maps := byID(t, parse(t, pageOf(t, c, rep)), "maps")
	for _, want := range [][]string{
		{"route 1: inboxes acme billing; route 3: tags invoice", "Billing", "3"},
		{"route 2: inboxes Acme Shop or Acme Market, tags printer", "Sales", "1"},
		{"route 4: groups Nobody", "Complaints", "0"},
		{"all others", "Support", "1"},
		{"Acme Billing", "Billing", "2"},
		{"Acme Shop", "Sales", "1"},
		{"Elsewhere", "Support", "1"},
	} {
		if got := row(t, maps, want[0]); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
