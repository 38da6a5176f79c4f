package importer_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
	"hsimport/sources"
)

// memory is a source in memory: the engine's tests need tickets, not files.
type memory struct {
	tickets []*sources.Ticket
	ledger  sources.Ledger
	places  map[sources.Key]int // of the tickets; made when first asked for
}

func newMemory(tickets ...*sources.Ticket) *memory {
	m := &memory{}
	m.add(tickets...)
	return m
}

// add puts further tickets into the source, as a newer export has them.
func (m *memory) add(tickets ...*sources.Ticket) {
	m.tickets, m.places = append(m.tickets, tickets...), nil
	slices.SortFunc(m.tickets, func(a, b *sources.Ticket) int {
		if c := a.Messages[0].CreatedAt.Compare(b.Messages[0].CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(string(a.Key), string(b.Key))
	})
	for _, t := range tickets {
		m.ledger.Records.Tickets++
		m.ledger.Records.Messages += len(t.Messages)
		m.ledger.Records.Found += len(t.Messages)
	}
}

func (m *memory) Kind() string            { return "csv" }
func (m *memory) KeyRule() string         { return "memory/v1" }
func (m *memory) Len() int                { return len(m.tickets) }
func (m *memory) Ledger() *sources.Ledger { return &m.ledger }
func (m *memory) Close() error            { return nil }

func (m *memory) Entry(i int) sources.Entry {
	t := m.tickets[i]
	return sources.Entry{Key: t.Key, Created: t.Messages[0].CreatedAt, Last: t.Messages[len(t.Messages)-1].CreatedAt, Messages: len(t.Messages)}
}

func (m *memory) Find(k sources.Key) (int, bool) {
	if m.places == nil {
		m.places = make(map[sources.Key]int, len(m.tickets))
		for i, t := range slices.Backward(m.tickets) { // the first of equals
			m.places[t.Key] = i
		}
	}
	if i, ok := m.places[k]; ok && i < len(m.tickets) && m.tickets[i].Key == k {
		return i, true
	}
	i := slices.IndexFunc(m.tickets, func(t *sources.Ticket) bool { return t.Key == k }) // a test has changed the list
	return i, i >= 0
}

func (m *memory) Ticket(_ context.Context, i int) (*sources.Ticket, error) { return m.tickets[i], nil }

func (m *memory) Digest() string {
	h := sha256.New()
	for _, t := range m.tickets {
		fmt.Fprintln(h, t.Key, t.Subject, t.Status)
		for _, msg := range t.Messages {
			fmt.Fprintln(h, msg.Key, msg.Digest)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

var epoch = time.Date(2021, 3, 4, 9, 0, 0, 0, time.UTC)

// aTicket is one ticket of n messages that alternate between customer and agent.
func aTicket(key string, at time.Time, n int, status string) *sources.Ticket {
	t := &sources.Ticket{
		Key: sources.Key("id:" + key), Kind: sources.Desk, ID: key, Subject: "Ticket " + key, Status: status,
		Requester: sources.Person{Name: "Customer " + key, Email: "c" + key + "@customers.example"}, CreatedAt: at,
		Position: sources.Position{File: "tickets.csv", Line: 2},
	}
	for i := range n {
		body := fmt.Sprintf("message %d of ticket %s", i+1, key)
		sum := sha256.Sum256([]byte(body))
		m := &sources.Message{
			Key: sources.Key(fmt.Sprintf("msg:%s/%d", key, i)), Digest: hex.EncodeToString(sum[:]), Author: t.Requester,
			Kind: "customer", CreatedAt: at.Add(time.Duration(i) * time.Minute), Ordinal: i, Body: body, Position: t.Position,
		}
		if i%2 == 1 {
			m.Author, m.Kind = sources.Person{Name: "Ada", Email: "ada@support.example"}, "agent"
		}
		t.Messages = append(t.Messages, m)
	}
	return t
}

func attach(m *sources.Message, name, content string) {
	sum := sha256.Sum256([]byte(content))
	m.Attachments = append(m.Attachments, &sources.Attachment{
		Name: name, MIMEType: "text/plain", Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil },
	})
}

func many(n int) []*sources.Ticket {
	var out []*sources.Ticket
	for i := range n {
		status := []string{"solved", "solved", "solved", "open", "pending"}[i%5]
		out = append(out, aTicket(fmt.Sprint(1000+i), epoch.Add(time.Duration(i)*7*time.Minute), 1+i%4, status))
	}
	return out
}

// bench is one account, one source and one checkpoint; each call of run is a process of its own as far as the engine
// can tell.
type bench struct {
	t    testing.TB
	box  *sandbox.Sandbox
	src  *memory
	path string
	opts importer.Options
	maps mapping.Options

	mu     sync.Mutex
	events []importer.Event
	fault  func(op string) (bool, error)
	bare   bool // without settling
	copies int
	wire   bool // requests go through sockets, to base
	base   string
	wrap   func(http.RoundTripper) http.RoundTripper
}

func newBench(t testing.TB, tickets ...*sources.Ticket) *bench {
	t.Helper()
	set := sandbox.Defaults()
	set.QuotaLimit = 0
	box, err := sandbox.New(sandbox.Options{Settings: set})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	return &bench{
		t: t, box: box, src: newMemory(tickets...), path: filepath.Join(fastDir(t), "import.db"), base: "http://127.0.0.1:8080",
		opts: importer.Options{Settle: mapping.Duration(2 * time.Second), Workers: 4},
		maps: mapping.Options{
			Statuses:     map[string]string{"open": "active", "pending": "pending", "solved": "closed"},
			AgentDomains: []string{"support.example"}, FallbackUser: "ada@support.example", PlaceholderDomain: "imported.invalid",
			Mailbox: "Support",
		},
	}
}

// fastDir is a folder in memory where there is one: hundreds of runs, each with durable writes, are then a matter of
// seconds. The files and the calls are the same.
func fastDir(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "hsimport-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// serial hands the fault to the store one call at a time: writes come from several workers.
func (b *bench) serial() func(op string) (bool, error) {
	if b.fault == nil {
		return nil
	}
	fault := b.fault
	var mu sync.Mutex
	return func(op string) (bool, error) {
		mu.Lock()
		defer mu.Unlock()
		return fault(op)
	}
}

func (b *bench) job() *importer.Job {
	b.t.Helper()
	q := importer.NewQuota(1, 0)
	var rt http.RoundTripper
	if !b.wire {
		rt = b.box.Transport()
	}
	if b.wrap != nil {
		rt = b.wrap(rt)
	}
	c, err := helpscout.New(helpscout.Options{
		BaseURL: b.base, AppID: "id", AppSecret: "secret", Transport: rt, Timeout: 20 * time.Second,
		Observe: q.Observe, Grant: q.Read,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return &importer.Job{
		Source: b.src, Mapping: b.maps, Client: c, Quota: q, Checkpoint: b.path, Options: b.opts, Version: "test",
		Fault: b.serial(), NoSettle: b.bare, Copies: b.copies,
		Progress: func(ev importer.Event) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.events = append(b.events, ev)
		},
	}
}

func (b *bench) run() *importer.Report { return importer.Run(b.t.Context(), b.job()) }

// mustRun runs and requires an exit code.
func (b *bench) mustRun(code int) *importer.Report {
	b.t.Helper()
	rep := b.run()
	if rep.Summary.ExitCode != code {
		b.t.Fatalf("exit %d (%v), want %d; %s", rep.Summary.ExitCode, rep.Cause, code, rep.Summary.Verdict)
	}
	return rep
}

// wantHeld compares what the account holds with the source: each message once, in a conversation of its ticket.
func (b *bench) wantHeld() {
	b.t.Helper()
	if lost, doubled := b.compare(); len(lost)+len(doubled) > 0 {
		b.t.Errorf("%d lost %v, %d doubled %v", len(lost), head(lost), len(doubled), head(doubled))
	}
}

var partOf = regexp.MustCompile(` \(part \d+\)$`)

func head(s []string) []string { return s[:min(5, len(s))] }

// compare counts every message text of the source in the account.
func (b *bench) compare() (lost, doubled []string) {
	held := map[string]int{}
	for c := range b.box.Conversations() {
		if c.Deleted || c.MergedInto != 0 {
			continue
		}
		for _, th := range c.Threads {
			if th.Type != "lineitem" {
				held[partOf.ReplaceAllString(c.Subject, "")+"\x00"+plain(th.Text)]++
			}
		}
	}
	want := map[string]int{}
	for _, t := range b.src.tickets {
		for _, m := range t.Messages {
			want[t.Subject+"\x00"+m.Body]++
		}
	}
	for k, n := range want {
		switch got := held[k]; {
		case got < n:
			lost = append(lost, k)
		case got > n:
			doubled = append(doubled, k)
		}
	}
	slices.Sort(lost)
	slices.Sort(doubled)
	return lost, doubled
}

func plain(s string) string {
	var b strings.Builder
	in := false
	for _, r := range s {
		switch {
		case r == '<':
			in = true
		case r == '>':
			in = false
		case !in:
			b.WriteRune(r)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestRunImportsEverythingOnce(t *testing.T) {
	b := newBench(t, many(60)...)
	rep := b.mustRun(importer.ExitOK)
	b.wantHeld()
	if !rep.Summary.Balanced || rep.Summary.Conversations.Created != 60 {
		t.Errorf("summary %+v", rep.Summary)
	}
	again := b.mustRun(importer.ExitOK)
	if c := again.Summary.Conversations; c.Already != 60 || c.Created != 0 {
		t.Errorf("a second run: %+v", c)
	}
	b.wantHeld()
	if !strings.HasPrefix(rep.Summary.Verdict, "rehearsal at 127.0.0.1:8080: 60 of 60 tickets") {
		t.Errorf("verdict %q", rep.Summary.Verdict)
	}
}
