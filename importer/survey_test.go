package importer

import (
	"context"
	"fmt"
	"runtime"
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
