package mapping

import (
	"strings"
	"testing"
	"time"

	"hsimport/sources"
)

func dayOf(t *testing.T, s string) (d Day) {
	t.Helper()
	if err := d.UnmarshalText([]byte(s)); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestFilters: conversationOf is of 1 March 2024, 09:00 to 09:01 UTC.
func TestFilters(t *testing.T) {
	tag := func(tags ...string) Condition { return Condition{Tags: tags} }
	for _, c := range []struct {
		name string
		f    Filters
		rule string
	}{
		{"none", Filters{}, ""},
		{"its last message is at from", Filters{From: dayOf(t, "2024-03-01T09:01:00Z")}, ""},
		{"all before from", Filters{From: dayOf(t, "2024-03-02")}, "ended before 2024-03-02"},
		{"it begins before to", Filters{To: dayOf(t, "2024-03-02")}, ""},
		{"it begins at to", Filters{To: dayOf(t, "2024-03-01T10:00:00+01:00")}, "began on or after 2024-03-01T09:00:00Z"},
		{"it spans from and to", Filters{From: dayOf(t, "2024-03-01T09:01:00Z"), To: dayOf(t, "2024-03-01T09:01:00Z")}, ""},
		{"a tag to leave out", Filters{Exclude: []Condition{tag("x"), tag(" VIP ")}}, "filter tags vip"},
		{"both have to hold", Filters{Exclude: []Condition{{Tags: []string{"vip"}, Statuses: []string{"closed"}}}}, ""},
		{"both hold", Filters{Exclude: []Condition{{Tags: []string{"vip"}, Statuses: []string{"closed", "OPEN"}}}}, "filter statuses closed or open, tags vip"},
		{"one of those wanted", Filters{Only: []Condition{tag("x"), tag("vip")}}, ""},
		{"none of those wanted", Filters{Only: []Condition{tag("x"), {Groups: []string{"a"}}}}, "fits nothing of filters.only"},
		{"wanted and to leave out", Filters{Only: []Condition{tag("vip")}, Exclude: []Condition{tag("vip")}}, "filter tags vip"},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := basic()
			opts.Filters = c.f
			ticket := conversationOf(2, "open")
			ticket.Tags = []string{"Vip"}
			if c.name == "it spans from and to" {
				opts.Filters.To = dayOf(t, "2024-03-01T09:02:00Z")
			}
			p := mustMap(t, opts, ticket)
			if p.Excluded != c.rule || (len(p.Parts) == 0) != (c.rule != "") {
				t.Errorf("excluded by %q, %d parts; want %q", p.Excluded, len(p.Parts), c.rule)
			}
		})
	}
}

// TestFilterOfATicketWithoutMessages: its own time counts.
func TestFilterOfATicketWithoutMessages(t *testing.T) {
	opts := basic()
	opts.Filters.From = dayOf(t, "2024-01-01")
	ticket := &sources.Ticket{Key: "id:1", Subject: "x", Status: "open", Requester: sources.Person{Email: "m@customer.example"}}
	for year, out := range map[int]bool{2023: true, 2024: false} {
		ticket.CreatedAt = time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)
		if p := mustMap(t, opts, ticket); (p.Excluded != "") != out {
			t.Errorf("of %d: excluded by %q", year, p.Excluded)
		}
	}
}

func TestWrongFilters(t *testing.T) {
	o := Options{Filters: Filters{From: dayOf(t, "2024-01-02"), To: dayOf(t, "2024-01-01"), Exclude: []Condition{{}}}}
	var got []string
	for _, err := range o.Check() {
		got = append(got, err.Error())
	}
	if s := strings.Join(got, "\n"); len(got) != 2 || !strings.Contains(s, "filters.to: 2024-01-01 is not after filters.from, 2024-01-02") || !strings.Contains(s, "filters.exclude[0]: no condition is written") {
		t.Errorf("said\n%s", s)
	}
	var d Day
	if err := d.UnmarshalText([]byte("1.2.2024")); err == nil {
		t.Error("1.2.2024 is read as a day")
	}
}
