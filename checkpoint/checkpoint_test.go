package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"testing"
	"time"
)

var (
	testJob = Job{
		Origin: "https://api.helpscout.net", Account: "company 1", SourceKind: "csv", KeyRule: "csv-1",
		ToolVersion: "v0", CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
)

// create makes a checkpoint in a folder of its own; it is closed, and checked, at the end of the test.
func create(tb testing.TB) *Store {
	tb.Helper()
	s, err := Create(tb.Context(), filepath.Join(tb.TempDir(), "import.db"), testJob)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error("close:", err)
		}
	})
	return s
}

func hexDigest(n int) string { return fmt.Sprintf("%064x", n) }

// somePart is part number of total of a ticket.
func somePart(ticket string, number, total int, rank int64) Part {
	return Part{
		Ticket: ticket, Number: number, Of: total, LegacyID: "#" + ticket, Place: "tickets.csv:12",
		Digest: hexDigest(int(rank)), MappingDigest: hexDigest(99), Created: noon.Unix(), Rank: rank,
		Threads: 3, Units: 2, Bytes: 4096, Traits: 5, Live: true,
	}
}

// load stores parts as a complete plan.
func load(tb testing.TB, s *Store, complete bool, parts ...Part) {
	tb.Helper()
	l, err := s.Loader(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	for _, p := range parts {
		if err := l.Put(p); err != nil {
			tb.Fatal(err)
		}
	}
	if err := l.Finish(complete); err != nil {
		tb.Fatal(err)
	}
}

// must returns the part of a key.
func must(tb testing.TB, s *Store, ticket string, number int) *Part {
	tb.Helper()
	p, err := s.Part(context.Background(), ticket, number)
	if err != nil || p == nil {
		tb.Fatalf("part %d of %s: %v, %v", number, ticket, p, err)
	}
	return p
}

func ok(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func TestWayOfOnePart(t *testing.T) {
	s, ctx := create(t), t.Context()
	load(t, s, true, somePart("T1", 1, 1, 7))
	run, err := s.BeginRun(ctx, Run{Command: "run", StartedAt: noon})
	ok(t, err)
	pending, err := s.Pending(ctx, math.MinInt64, 10)
	ok(t, err)
	if len(pending) != 1 || pending[0].Ticket != "T1" || pending[0].MappingDigest != hexDigest(99) {
		t.Fatalf("pending: %+v", pending)
	}
	id := pending[0].ID
	ok(t, s.Begin(ctx, id, Intent{
		Run: run, At: noon, Evidence: []byte(`{"subject":"x"}`),
		Messages: []NewMessage{{Key: "<m1@x>", Digest: hexDigest(1)}, {Key: hexDigest(2), Digest: hexDigest(2), Thread: 1}},
		Effects:  []Effect{{Kind: "upload", Slot: "1/a.png", Digest: hexDigest(3)}},
	}))
	ok(t, s.Done(ctx, id, 4711, ByCreate, noon.Add(time.Second)))
	p := must(t, s, "T1", 1)
	if p.State != Created || p.How != ByCreate || p.ConversationID != 4711 || p.Run != run || p.Attempts != 1 ||
		!p.SentAt.Equal(noon) || string(p.Evidence) != `{"subject":"x"}` || p.Digest != hexDigest(7) || !p.Live {
		t.Errorf("part: %+v", p)
	}
	messages, err := s.Messages(ctx, []string{"<m1@x>", hexDigest(2), "nowhere"})
	ok(t, err)
	if len(messages) != 2 || messages[hexDigest(2)].Thread != 1 || messages["<m1@x>"].PartID != id {
		t.Errorf("messages: %+v", messages)
	}
	if owner, found, err := s.Owner(ctx, 4711); err != nil || !found || owner != id {
		t.Errorf("owner: %d %v %v", owner, found, err)
	}
	parts, err := s.PartsWithEffects(ctx, "upload", Pending, 0)
	ok(t, err)
	if len(parts) != 1 || parts[0] != id {
		t.Errorf("parts with uploads: %v", parts)
	}
	counts, err := s.Counts(ctx)
	ok(t, err)
	if counts.Parts[Created] != 1 || counts.Created[ByCreate] != 1 || counts.ByRun[run][ByCreate] != 1 ||
		counts.Effects["upload"][Pending] != 1 || counts.Total() != 1 {
		t.Errorf("counts: %+v", counts)
	}
	ok(t, s.Check(ctx))
}

func TestRefusals(t *testing.T) {
	s, ctx := create(t), t.Context()
	load(t, s, true, somePart("T1", 1, 1, 1), somePart("T2", 1, 1, 2))
	a, b := must(t, s, "T1", 1).ID, must(t, s, "T2", 1).ID
	m := []NewMessage{{Key: "m"}}
	ok(t, s.Begin(ctx, a, Intent{At: noon, Messages: m}))

	var placed *PlacedError
	if err := s.Begin(ctx, b, Intent{At: noon, Messages: m}); !errors.As(err, &placed) || placed.Part != a {
		t.Errorf("a message in two parts: %v", err)
	}
	if p := must(t, s, "T2", 1); p.State != Pending || p.Attempts != 0 {
		t.Errorf("a refused intent left traces: %+v", p)
	}
	var move *MoveError
	if err := s.Begin(ctx, a, Intent{At: noon}); !errors.As(err, &move) || move.From != Sending {
		t.Errorf("begun twice: %v", err)
	}
	if err := s.Begin(ctx, 999, Intent{At: noon}); !errors.Is(err, ErrNoPart) {
		t.Errorf("begin of nothing: %v", err)
	}
	ok(t, s.Done(ctx, a, 5, ByCreate, noon))
	ok(t, s.Begin(ctx, b, Intent{At: noon}))
	var claimed *ClaimedError
	if err := s.Done(ctx, b, 5, ByRecovery, noon); !errors.As(err, &claimed) || claimed.Part != a {
		t.Errorf("a conversation of two parts: %v", err)
	}
}
