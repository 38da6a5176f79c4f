package report

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/mapping"
	"hsimport/sources"
)

// generated is ticket i of a large job: years of mail of many agents and customers, with everything that fills tables.
func generated(i int) *sources.Ticket {
	t := ticket(i, epoch.Add(time.Duration(i)*5*time.Minute), 1+i%2, []string{"solved", "solved", "open", "pending", "on hold"}[i%5])
	t.Requester = sources.Person{Name: fmt.Sprint("Customer ", i%30_000), Email: fmt.Sprintf("c%d@customers.example", i%30_000)}
	t.Assignee = &sources.Person{Email: fmt.Sprintf("agent%d@support.example", i%700)}
	t.Tags = []string{fmt.Sprint("tag ", i%3000), "printer"}
	t.Group, t.Channel = fmt.Sprint("group ", i%900), fmt.Sprint("channel ", i%50)
	t.Fields = []sources.Field{{Name: "Priority", Value: fmt.Sprint(i % 40)}, {Name: fmt.Sprint("field ", i%90), Value: fmt.Sprint(i)}}
	for j, m := range t.Messages {
		m.Author.Email = strings.Replace(m.Author.Email, "grace", fmt.Sprint("agent", i%700), 1)
		m.Problems = []sources.Problem{{Severity: sources.Severity(j % 2), Code: fmt.Sprint("odd-", i%70), Text: "something is odd", Position: m.Position}}
		if i%500 == 0 {
			m.Body = strings.Repeat("A long line with <tags> & \"quotes\" in it.\n", 2000)
		}
		if i%9 == 0 {
			attach(m, fmt.Sprintf("file-%d.txt", i), "content")
		}
	}
	return t
}

// see shows n generated tickets to a new collector and makes a report of what the engine would count.
func see(tb testing.TB, n int) (*Collector, *importer.Report) {
	tb.Helper()
	o := options()
	m, _ := mapping.New(o, mapping.Target{})
	c := NewCollector(Options{Mapping: o, Now: began.AddDate(10, 0, 0), Newest: epoch.Add(time.Duration(n) * 5 * time.Minute), Config: "import.yaml"})
	rep := &importer.Report{Findings: importer.NewFindings(), Ledger: &sources.Ledger{}, Started: began}
	for i := range n {
		t := generated(i)
		p := m.Map(t)
		c.See(importer.Seen{Ticket: t, Plan: p})
		rep.Findings.Add(p.Findings...)
		rep.Totals.Tickets++
		rep.Totals.Parts += len(p.Parts)
	}
	rep.Totals.Complete = true
	for i := range 500 {
		rep.Rejected = append(rep.Rejected, importer.Outcome{Key: fmt.Sprint("id:", i), Reason: strings.Repeat("because of this ", 20)})
	}
	return c, rep
}

const largestPage = 5_000_000

func TestPageOfAHundredThousandTickets(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 20_000
	}
	c, rep := see(t, n)
	page := pageOf(t, c, rep)
	if len(page) > largestPage {
		t.Errorf("the page has %d bytes, at most %d are wanted", len(page), largestPage)
	}
	if c.n.conversations != n {
		t.Errorf("%d conversations of %d tickets", c.n.conversations, n)
	}
	if got, _ := c.customers.count(); got != min(n, 30_000) {
		t.Errorf("%d customers", got)
	}
	t.Logf("%d tickets: a page of %d bytes", n, len(page))
}

func BenchmarkSee(b *testing.B) {
	m, _ := mapping.New(options(), mapping.Target{})
	var seen []importer.Seen
	for i := range 2000 {
		t := generated(i)
		seen = append(seen, importer.Seen{Ticket: t, Plan: m.Map(t)})
	}
	c := NewCollector(Options{Mapping: options(), Newest: epoch})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.See(seen[i%len(seen)])
	}
}

func BenchmarkHTML(b *testing.B) {
	c, rep := see(b, 20_000)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.HTML(io.Discard, rep); err != nil {
			b.Fatal(err)
		}
	}
}
