package mapping

import (
	"slices"
	"strings"
	"testing"

	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// TestRoutes: the first route for which everything written holds decides; nothing else does.
func TestRoutes(t *testing.T) {
	opts := basic()
	opts.MailboxAddresses = []string{"help@support.example"}
	opts.Routes = []Route{
		{"Sales", Condition{Inboxes: []string{"Acme Pro", "acme"}}},
		{"sales@support.example", Condition{Groups: []string{"Field"}, Tags: []string{"quote", "offer"}}},
		{"102", Condition{Addresses: []string{"Orders@Support.example"}}},
		{"Sales", Condition{Labels: []string{"Gesendet & Deals"}}},
		{"Sales", Condition{Statuses: []string{"lead"}}},
	}
	opts.Statuses["lead"] = "active"
	person := func(list ...string) (out []sources.Person) {
		for _, a := range list {
			out = append(out, sources.Person{Email: a})
		}
		return out
	}
	for _, c := range []struct {
		name   string
		change func(*sources.Ticket)
		sales  bool
	}{
		{"nothing", func(*sources.Ticket) {}, false},
		{"an inbox, whatever its case", func(t *sources.Ticket) { t.Inbox = " ACME  pro" }, true},
		{"an inbox of no route", func(t *sources.Ticket) { t.Inbox = "Other" }, false},
		{"only half of what is written holds", func(t *sources.Ticket) { t.Group = "field" }, false},
		{"all of it holds", func(t *sources.Ticket) { t.Group, t.Tags = "field", []string{"x", "Offer"} }, true},
		{"a status", func(t *sources.Ticket) { t.Status = "Lead" }, true},
		{"sent to an alias", func(t *sources.Ticket) { t.Messages[0].To = person("boss@customer.example", "orders@support.example") }, true},
		{"a copy to an alias", func(t *sources.Ticket) { t.Messages[0].Cc = person("orders@support.example") }, true},
		{"written from an alias", func(t *sources.Ticket) { t.Messages[0].Author = sources.Person{Email: "orders@support.example"} }, true},
		{"to the usual address first", func(t *sources.Ticket) {
			t.Messages[0].To = person("help@support.example", "orders@support.example")
		}, false},
		{"later only", func(t *sources.Ticket) {
			t.Messages[0].To, t.Messages[1].To = person("help@support.example"), person("orders@support.example")
		}, false},
		{"a mail with both labels", func(t *sources.Ticket) {
			t.Kind, t.Labels, t.Messages[1].Labels = sources.Mail, []string{"Sent", "Deals"}, []string{"Sent", "Deals"}
		}, true},
		{"two mails with one label each", func(t *sources.Ticket) {
			t.Kind, t.Labels, t.Messages[0].Labels, t.Messages[1].Labels = sources.Mail, []string{"Sent", "Deals"}, []string{"Deals"}, []string{"Sent"}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ticket := conversationOf(2, "closed")
			c.change(ticket)
			p := mustMap(t, opts, ticket)
			want := int64(101)
			if c.sales {
				want = 102
			}
			if got := p.Parts[0].Conversation.MailboxID; got != want {
				t.Errorf("mailbox %d, want %d", got, want)
			}
			if (p.Mailbox != "") != c.sales || (p.Traits&RouteTraits != 0) != c.sales || (p.Lines()[0].Mailbox != "") != c.sales {
				t.Errorf("the plan says mailbox %q, traits %b", p.Mailbox, p.Traits)
			}
			if unrouted := ticket.Inbox == "Other"; hasCode(p, codeInbox) != unrouted {
				t.Errorf("inbox %q, findings %v", ticket.Inbox, p.Findings)
			}
		})
	}
}

// TestRoutesOffline: without the account the plan still says where each conversation would go.
func TestRoutesOffline(t *testing.T) {
	opts := basic()
	opts.Routes = []Route{{"Sales", Condition{Groups: []string{"field"}}}, {"Billing", Condition{Tags: []string{"invoice"}}}, {"support", Condition{Tags: []string{"bug"}}}}
	m, found := New(opts, Target{})
	if len(found) != 1 || !strings.Contains(found[0].Text, `the mailboxes "support", "Sales", "Billing"`) {
		t.Errorf("found %+v", found)
	}
	var got []string
	for _, tag := range []string{"invoice", "bug", "x"} {
		ticket := conversationOf(1, "closed")
		ticket.Tags = []string{tag}
		got = append(got, m.Map(ticket).Mailbox)
	}
	if !slices.Equal(got, []string{"Billing", "", ""}) {
		t.Errorf("mailboxes %q", got)
	}
}

func TestWrongRoutes(t *testing.T) {
	bad := basic()
	bad.Routes = []Route{
		{"", Condition{Tags: []string{"a"}}}, {"Sales", Condition{}}, {"Sales", Condition{Addresses: []string{"sales"}}}, {"Sails", Condition{Tags: []string{"a"}}},
	}
	bad.LegacyReference, bad.LegacyField = "field", "Legacy ID"
	_, found := New(bad, account())
	var got []string
	for _, f := range found {
		if f.Severity == sources.BlocksJob {
			got = append(got, f.Text)
		}
	}
	want := []string{
		`helpscout.mailbox`, `mapping.routes[0].mailbox: names no mailbox`, `mapping.routes[1].when: no condition is written; write inboxes, groups, statuses, tags, labels or addresses`,
		`mapping.routes[2].when.addresses[0]: "sales" is not an e-mail address`, `mapping.routes[3].mailbox: the account has no mailbox "Sails"; did you mean "Sales"?`,
		`mapping.legacy_field: mailbox "Sales" has no custom field "Legacy ID"`,
	}
	for _, w := range want[1:] {
		if !slices.Contains(got, w) {
			t.Errorf("not said: %s\nsaid: %s", w, strings.Join(got, "\n"))
		}
	}
}

// TestDigestKnowsRoutes: the account's side of a routed mailbox decides output like the usual one's.
func TestDigestKnowsRoutes(t *testing.T) {
	digest := func(change func(*Options, *Target)) string {
		o, a := basic(), account()
		o.Routes = []Route{{"Sales", Condition{Groups: []string{"Field"}}}}
		change(&o, &a)
		m, _ := New(o, a)
		return m.Digest()
	}
	base := digest(func(*Options, *Target) {})
	if digest(func(o *Options, _ *Target) {
		o.Routes[0] = Route{" sales ", Condition{Groups: []string{"FIELD", "field"}}}
	}) != base {
		t.Error("another spelling of the same route moves the digest")
	}
	for name, change := range map[string]func(*Options, *Target){
		"no route":     func(o *Options, _ *Target) { o.Routes = nil },
		"another word": func(o *Options, _ *Target) { o.Routes[0].When.Groups = []string{"x"} },
		"its id":       func(_ *Options, a *Target) { a.Mailboxes[1].ID = 103 },
		"its fields": func(_ *Options, a *Target) {
			a.Mailboxes[1].Fields = []helpscout.Field{{ID: 1, Name: "x", Type: "date"}}
		},
	} {
		if digest(change) == base {
			t.Errorf("%s: the digest stays", name)
		}
	}
}
