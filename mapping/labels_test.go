package mapping

import (
	"slices"
	"testing"

	"hsimport/sources"
)

// TestLabelsDecideTheStatus: what mail programs marked in whatever language, alone or together on one mail.
func TestLabelsDecideTheStatus(t *testing.T) {
	for _, c := range []struct {
		name   string
		live   []string
		status map[string]string
		labels [][]string // of each mail
		want   string     // of the conversation; empty: excluded
	}{
		{"starred", []string{"Starred"}, nil, [][]string{{"Inbox"}, {"Starred"}}, "active"},
		{"nothing", []string{"Starred"}, nil, [][]string{{"Inbox"}, {"Inbox"}}, "closed"},
		{"starred, in German", []string{"Starred"}, nil, [][]string{{"Posteingang", "Markiert"}}, "active"},
		{"asked for in German", []string{"posteingang"}, nil, [][]string{{"Inbox"}}, "active"},
		{"unread in the inbox", []string{"Inbox & Unread"}, nil, [][]string{{"Inbox"}, {"Inbox", "Unread"}}, "active"},
		{"unread in the inbox, in French", []string{"Inbox & Unread"}, nil, [][]string{{"Boîte de réception", "Non lus"}}, "active"},
		{"unread elsewhere", []string{"Inbox & Unread"}, nil, [][]string{{"Inbox"}, {"Lists", "Unread"}}, "closed"},
		{"a label with that sign", []string{"Sales & Marketing"}, nil, [][]string{{"Sales & Marketing"}}, "active"},
		{"a table", nil, map[string]string{"inbox & unread": "pending"}, [][]string{{"Inbox", "Unread"}}, "pending"},
		{"left out before live", nil, map[string]string{"starred": "active", "private": "exclude"}, [][]string{{"Starred", "Private"}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := basic()
			opts.Live.Labels, opts.Statuses = c.live, c.status
			ticket := mailThread(sources.Text, slices.Repeat([]string{"hello"}, len(c.labels))...)
			for i, l := range c.labels {
				ticket.Messages[i].Labels = l
				ticket.Labels = append(ticket.Labels, l...)
			}
			p := mustMap(t, opts, ticket)
			got := ""
			if len(p.Parts) > 0 {
				got = p.Parts[0].Conversation.Status
			}
			if got != c.want {
				t.Errorf("%q (excluded %q), want %q", got, p.Excluded, c.want)
			}
		})
	}
}

// TestOwnLabelsBecomeTags: a person's labels do, those of mail programs do not, in whatever language.
func TestOwnLabelsBecomeTags(t *testing.T) {
	ticket := mailThread(sources.Text, "hello")
	ticket.Labels = []string{"Posteingang", "[Gmail]/Gesendet", "Ungelesen", "Kunden/Müller", "Starred", "VIP"}
	opts := basic()
	opts.Tags = map[string]string{"vip": "important customer", "starred": "star"}
	if got, want := mustMap(t, opts, ticket).Parts[0].Conversation.Tags, []string{"Kunden/Müller", "star", "important customer"}; !slices.Equal(got, want) {
		t.Errorf("tags %q, want %q", got, want)
	}
}
