package importer

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hsimport/mapping"
	"hsimport/sources"
)

// heavy is a source of n tickets with a text of a megabyte each; it counts those that nobody has looked at yet.
type heavy struct {
	Source
	n           int
	ahead, most atomic.Int64
}

func (h *heavy) Len() int                  { return h.n }
func (h *heavy) Entry(i int) sources.Entry { return sources.Entry{Key: sources.Key(fmt.Sprint(i))} }

func (h *heavy) Ticket(_ context.Context, i int) (*sources.Ticket, error) {
	for now := h.ahead.Add(1); ; {
		if most := h.most.Load(); now <= most || h.most.CompareAndSwap(most, now) {
			break
		}
	}
	mary := sources.Person{Email: "mary@customer.example"}
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	return &sources.Ticket{
		Key: h.Entry(i).Key, Subject: "logs", Requester: mary, CreatedAt: at,
		Messages: []*sources.Message{{Key: "m", Author: mary, CreatedAt: at, Body: strings.Repeat("log line\n", 1<<20/9)}},
	}, nil
}

// TestLargeTicketsSideBySideDoNotFillTheMemory: how far is read ahead goes by bytes, not by tickets alone; and all of
// them arrive, in their order.
func TestLargeTicketsSideBySideDoNotFillTheMemory(t *testing.T) {
	src := &heavy{n: 60}
	m, _ := mapping.New(mapping.Options{DefaultStatus: "closed"}, mapping.Target{})
	next := 0
	err := mapAll(context.Background(), src, m, func(got mapped) error {
		if got.index != next {
			t.Errorf("ticket %d comes where %d belongs", got.index, next)
		}
		next++
		src.ahead.Add(-1)
		return nil
	})
	if err != nil || next != src.n {
		t.Fatalf("%d of %d tickets, %v", next, src.n, err)
	}
	if most, bound := src.most.Load(), int64(batchWeight>>20+runtime.GOMAXPROCS(0)+1); most > bound {
		t.Errorf("%d tickets of a megabyte were held at once, want %d at most", most, bound)
	}
}

// dated is a source of tickets whose last messages are of these times.
type dated struct {
	Source
	last []time.Time
}

func (d *dated) Len() int                  { return len(d.last) }
func (d *dated) Entry(i int) sources.Entry { return sources.Entry{Last: d.last[i]} }

// TestNewestIsNotInTheFuture: one mail dated 2038 must not make the rest of the source look decades old, or nothing
// would count as recent any more.
func TestNewestIsNotInTheFuture(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	want := now.Add(-time.Hour)
	src := &dated{last: []time.Time{want, now.AddDate(12, 0, 0), want.AddDate(0, 0, -1)}}
	if got := newest(src, now); !got.Equal(want) {
		t.Errorf("the newest message is of %s, want %s", got, want)
	}
	if got := newest(&dated{last: []time.Time{now.AddDate(12, 0, 0)}}, now); !got.IsZero() {
		t.Errorf("a source that lies in the future altogether has the newest message %s, want none", got)
	}
}

// TestLabelsNobodyNeedNotSee: labels that mail programs set by themselves, that decide a status or become tags are no
// loss and are not reported as one.
func TestLabelsNobodyNeedNotSee(t *testing.T) {
	opts := mapping.Options{
		Statuses: map[string]string{"waiting": "pending"}, Live: mapping.Live{Labels: []string{"Inbox & Unread"}}, Tags: map[string]string{"old": "", "vip": "key account"},
		TagPrefix: "gm-", Routes: []mapping.Route{{Mailbox: "Sales", When: mapping.Condition{Labels: []string{"Important"}}}},
		Filters: mapping.Filters{Exclude: []mapping.Condition{{Labels: []string{"Muted & Inbox"}}}},
	}
	m, _ := mapping.New(opts, mapping.Target{})
	l := &sources.Ledger{}
	for _, name := range []string{"Inbox", "Sent", "Unread", "Waiting", "Old", "VIP", "Billing", "Starred", "Important", "Muted", "Spam"} {
		u := sources.Use{Name: name, Class: sources.NotCarried, Filled: 9, Of: 10}
		if name == "Spam" {
			u.Class, u.As = sources.Ignored, "excluded as Spam"
		}
		l.Labels = append(l.Labels, u)
	}
	var got []string
	seen := withLabels(l, m)
	for _, u := range seen.Labels {
		got = append(got, fmt.Sprintf("%s: %s, %s", u.Name, u.Class, u.As))
	}
	want := []string{
		"Inbox: mapped, live", "Sent: ignored by name, set by the mail program", "Unread: mapped, live", "Waiting: mapped, status pending",
		"Old: ignored by name, dropped by tags", "VIP: mapped, tag key account", "Billing: mapped, tag gm-Billing", "Starred: not carried over, ", "Important: mapped, route to Sales", "Muted: mapped, filter",
		"Spam: ignored by name, excluded as Spam",
	}
	if !slices.Equal(got, want) {
		t.Errorf("labels:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if fs := ledgerFindings(seen); len(fs) != 1 || fs[0].Value != "Starred" || fs[0].Severity != sources.Info {
		t.Errorf("findings %+v, want Starred alone", fs)
	}
	if l.Labels[0].Class != sources.NotCarried {
		t.Error("the reader's own ledger was changed")
	}
}
