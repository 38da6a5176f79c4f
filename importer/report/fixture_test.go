package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// memory is a source in memory. Tickets with a nil Messages slot in broken cannot be read.
type memory struct {
	tickets []*sources.Ticket
	broken  map[sources.Key]bool
	ledger  sources.Ledger
}

func (m *memory) Kind() string            { return "csv" }
func (m *memory) KeyRule() string         { return "memory/v1" }
func (m *memory) Len() int                { return len(m.tickets) }
func (m *memory) Ledger() *sources.Ledger { return &m.ledger }
func (m *memory) Close() error            { return nil }
func (m *memory) Digest() string          { return "digest of memory" }

func (m *memory) Entry(i int) sources.Entry {
	t := m.tickets[i]
	e := sources.Entry{Key: t.Key, Created: t.CreatedAt, Last: t.CreatedAt, Messages: len(t.Messages)}
	if n := len(t.Messages); n > 0 {
		e.Last = t.Messages[n-1].CreatedAt
	}
	return e
}

func (m *memory) Find(k sources.Key) (int, bool) {
	i := slices.IndexFunc(m.tickets, func(t *sources.Ticket) bool { return t.Key == k })
	return i, i >= 0
}

func (m *memory) Ticket(_ context.Context, i int) (*sources.Ticket, error) {
	t := m.tickets[i]
	if m.broken[t.Key] {
		return nil, &sources.RecordError{Key: t.Key, Position: t.Position, Err: errors.New("two tickets have this number and differ")}
	}
	return t, nil
}

// newMemory makes a source whose ledger is in order.
func newMemory(tickets []*sources.Ticket, broken ...sources.Key) *memory {
	m := &memory{tickets: tickets, broken: map[sources.Key]bool{}}
	for _, k := range broken {
		m.broken[k] = true
	}
	slices.SortStableFunc(m.tickets, func(a, b *sources.Ticket) int { return a.CreatedAt.Compare(b.CreatedAt) })
	l := &m.ledger
	for _, t := range tickets {
		l.Records.Tickets++
		l.Records.Messages += len(t.Messages)
	}
	l.Records.Duplicates, l.Records.Excluded, l.Records.Unreadable = 3, 2, 1
	l.Records.ExcludedBy = map[string]int{"after cut-over": 2}
	l.Records.Found = l.Records.Messages + 6
	l.Refused = []sources.Refusal{{Position: sources.Position{File: "tickets.csv", Line: 900}, Bytes: 77, Reason: "a quote is never closed"}}
	l.Files = []sources.FileLedger{{Path: "tickets.csv", Size: 1000, Message: 800, Separator: 50, Preamble: 60, Blank: 13, Refused: 77}}
	return m
}

var epoch = time.Date(2022, 11, 28, 9, 0, 0, 0, time.UTC)

// began is when the dry run of every test began.
var began = time.Date(2024, 6, 3, 7, 30, 0, 0, time.UTC)

// ticket is one of n messages, a day apart, that alternate between customer and agent.
func ticket(id int, at time.Time, n int, status string) *sources.Ticket {
	t := &sources.Ticket{
		Key: sources.Key(fmt.Sprint("id:", id)), Kind: sources.Desk, ID: fmt.Sprint(id), Subject: fmt.Sprintf("The printer of room %d", id), Status: status,
		Requester: sources.Person{Name: fmt.Sprintf("Customer %d", id%40), Email: fmt.Sprintf("c%d@customers.example", id%40)}, CreatedAt: at,
		Assignee: &sources.Person{Email: "grace@support.example"}, Tags: []string{"printer"}, Position: sources.Position{File: "tickets.csv", Line: id + 1},
	}
	for i := range n {
		m := message(t, i, at.Add(time.Duration(i)*24*time.Hour), fmt.Sprintf("message %d of ticket %d\n\nIt says \"paper jam\" & does not stop.", i+1, id))
		if i%2 == 1 {
			m.Author, m.Kind = sources.Person{Name: "Grace", Email: "grace@support.example"}, "agent"
		}
		t.Messages = append(t.Messages, m)
	}
	return t
}

func message(t *sources.Ticket, i int, at time.Time, body string) *sources.Message {
	sum := sha256.Sum256([]byte(body))
	return &sources.Message{
		Key: sources.Key(fmt.Sprintf("%s/%d", t.Key, i)), Digest: hex.EncodeToString(sum[:]), Author: t.Requester, Kind: "customer",
		CreatedAt: at, Ordinal: i, Body: body, Position: t.Position,
	}
}

func attach(m *sources.Message, name, content string) {
	sum := sha256.Sum256([]byte(content))
	m.Attachments = append(m.Attachments, &sources.Attachment{
		Name: name, MIMEType: "text/plain", Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil },
	})
}

func options() mapping.Options {
	return mapping.Options{
		Statuses: map[string]string{"open": "active", "pending": "pending", "solved": "closed", "trash": "exclude"}, DefaultStatus: "closed",
		Agents: map[string]string{"old@legacy.example": "grace@support.example", "gone@legacy.example": ""}, AgentDomains: []string{"support.example", "legacy.example"},
		FallbackUser: "ada@support.example", PlaceholderDomain: "imported.invalid", Mailbox: "Support", LegacyReference: "note",
		Tags: map[string]string{"junk": "", "printer": "hardware"}, FieldValues: map[string]map[string]string{"Priority": {"1": "High"}},
	}
}

func account() mapping.Target {
	return mapping.Target{
		Bound: true,
		Mailboxes: []helpscout.Mailbox{{ID: 7, Name: "Support", Email: "help@support.example", Fields: []helpscout.Field{
			{ID: 31, Name: "Priority", Type: "DROPDOWN", Options: []helpscout.Option{{ID: 501, Label: "High"}, {ID: 502, Label: "Low"}}},
		}}},
		Users: []helpscout.User{
			{ID: 11, FirstName: "Ada", LastName: "Lovelace", Email: "ada@support.example"},
			{ID: 12, FirstName: "Grace", LastName: "Hopper", Email: "grace@support.example"},
		},
		Owner: helpscout.User{ID: 11, Email: "ada@support.example"},
	}
}

// job is a small history with one of everything.
func job() *memory {
	var all []*sources.Ticket
	for i := range 40 {
		all = append(all, ticket(100+i, epoch.AddDate(0, 0, 13*i), 1+i%4, []string{"solved", "solved", "open", "pending", "solved"}[i%5]))
	}
	at := func(days int) time.Time { return epoch.AddDate(0, 0, days) }
	odd := func(id, days, n int, status string, change func(t *sources.Ticket)) {
		t := ticket(id, at(days), n, status)
		change(t)
		all = append(all, t)
	}
	odd(300, 5, 260, "solved", func(t *sources.Ticket) { t.Subject = "The long one" })
	odd(301, 30, 2, "on hold", func(t *sources.Ticket) { t.Group = "Tier 2"; t.Channel = "fax"; t.Priority = "urgent" })
	odd(302, 31, 3, "solved", func(t *sources.Ticket) {
		t.Messages[1].Author = sources.Person{Name: "Gone", Email: "gone@legacy.example"}
		t.Assignee = &sources.Person{Email: "gone@legacy.example"}
	})
	odd(303, 32, 2, "solved", func(t *sources.Ticket) {
		t.Messages[1].Author = sources.Person{Name: "Nobody Knows", Email: "nobody@legacy.example"}
		t.Assignee = &sources.Person{Email: "nobody@legacy.example"}
	})
	odd(304, 33, 2, "solved", func(t *sources.Ticket) {
		t.Requester = sources.Person{Name: "No Address"}
		t.Messages[0].Author = t.Requester
	})
	odd(305, 34, 2, "trash", func(t *sources.Ticket) {})
	odd(306, 35, 2, "solved", func(t *sources.Ticket) {
		attach(t.Messages[0], "photo.txt", "the photo")
		attach(t.Messages[1], "big.bin", strings.Repeat("x", 900))
		t.Messages[0].Attachments = append(t.Messages[0].Attachments, &sources.Attachment{Name: "lost.pdf", MIMEType: "application/pdf", Missing: "file not found"})
	})
	odd(307, 36, 2, "solved", func(t *sources.Ticket) {
		t.Fields = []sources.Field{{Name: "Priority", Value: "1"}}
		t.Tags = []string{"junk", "vip", "printer"}
	})
	odd(308, 37, 2, "solved", func(t *sources.Ticket) { t.Fields = []sources.Field{{Name: "Priority", Value: "Enormous"}} })
	odd(309, 38, 2, "solved", func(t *sources.Ticket) { // no date at all: refused
		t.CreatedAt = time.Time{}
		t.Messages[0].CreatedAt, t.Messages[1].CreatedAt = time.Time{}, time.Time{}
	})
	odd(310, 39, 2, "solved", func(t *sources.Ticket) {})
	odd(311, 510, 1, "solved", func(t *sources.Ticket) {}) // the customer has the last word
	odd(312, 505, 3, "open", func(t *sources.Ticket) { t.Assignee = nil })
	odd(313, 40, 2, "solved", func(t *sources.Ticket) { t.Assignee, t.Group = nil, "Tier 3" })
	m := newMemory(all, "id:310")
	m.ledger.Columns = []sources.Use{
		{Name: "subject", Class: sources.Mapped, As: "subject", Filled: 50, Of: 50},
		{Name: "CSAT", Class: sources.NotCarried, Filled: 40, Of: 50, Example: "good"},
		{Name: "SLA breach", Class: sources.Ignored, Filled: 7, Of: 50, Example: "yes"},
		{Name: "void", Class: sources.EmptyUse, Of: 50},
	}
	return m
}

// dryRun goes the way of the command: through the engine, with the collector and the table watching.
func dryRun(t testing.TB, src *memory, o mapping.Options, target mapping.Target) (*Collector, *importer.Report, string) {
	t.Helper()
	var rows strings.Builder
	table := NewTable(&rows)
	c := NewCollector(Options{Mapping: o, Share: 0.8, Now: began, Newest: Newest(src, began), Config: "import.yaml", Version: "test"})
	rep := importer.DryRun(context.Background(), &importer.Job{
		Source: src, Mapping: o, Target: target, Each: func(s importer.Seen) error { c.See(s); return table.See(s) },
	})
	if err := table.Close(); err != nil {
		t.Fatal(err)
	}
	rep.Started, rep.Planned, rep.Summary.ElapsedS = began, 0, 0
	return c, rep, rows.String()
}

func pageOf(t testing.TB, c *Collector, rep *importer.Report) string {
	t.Helper()
	var b strings.Builder
	if err := c.HTML(&b, rep); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
