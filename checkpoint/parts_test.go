package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func tickets(parts []Part) string {
	var out []string
	for _, p := range parts {
		out = append(out, fmt.Sprintf("%s/%d", p.Ticket, p.Number))
	}
	return strings.Join(out, " ")
}

func stream(t *testing.T, s *Store, st State) string {
	t.Helper()
	var parts []Part
	for p, err := range s.InState(t.Context(), st) {
		ok(t, err)
		parts = append(parts, *p)
	}
	return tickets(parts)
}

func TestAPartComesBackAsItWent(t *testing.T) {
	s := create(t)
	in := Part{
		Ticket: "täg\x00\xff'", Number: 2, Of: 3, LegacyID: "#1", Place: "a b.csv:12", Digest: strings.ToUpper(hexDigest(10)),
		MappingDigest: "", Created: -12, Rank: math.MinInt64 + 1, Threads: 100, Units: 4, Bytes: 1 << 40, Traits: math.MaxInt64,
		Live: true, State: Created, ConversationID: 12, Evidence: []byte{0, 1},
	}
	load(t, s, true, in)
	want := in
	want.ID, want.State, want.ConversationID = 1, Pending, 0
	if diff := cmp.Diff(want, *must(t, s, in.Ticket, 2)); diff != "" {
		t.Error(diff)
	}
	if p, err := s.Part(t.Context(), in.Ticket, 1); p != nil || err != nil {
		t.Errorf("a part that is not there: %v %v", p, err)
	}
	if p, err := s.PartByID(t.Context(), 99); p != nil || err != nil {
		t.Errorf("a part that is not there: %v %v", p, err)
	}
}

func TestPendingInOrder(t *testing.T) {
	s, ctx := create(t), t.Context()
	load(t, s, true, somePart("c", 1, 2, 5), somePart("c", 2, 2, 5), somePart("a", 1, 1, -1), somePart("d", 1, 1, 9),
		somePart("b", 1, 3, 5), somePart("b", 2, 3, 5), somePart("b", 3, 3, 5))
	var got []string
	for after := int64(math.MinInt64); ; {
		parts, err := s.Pending(ctx, after, 2)
		ok(t, err)
		if len(parts) == 0 {
			break
		}
		got = append(got, tickets(parts))
		after = parts[len(parts)-1].Rank
	}
	// A page of two, but the four more that share a rank come along: the next page begins after that rank.
	if want := "a/1 c/1 c/2 b/1 b/2 b/3 | d/1"; strings.Join(got, " | ") != want {
		t.Errorf("pages: %s", strings.Join(got, " | "))
	}
	if parts, err := s.Pending(ctx, math.MinInt64, 0); err != nil || parts != nil {
		t.Errorf("a page of none: %v %v", parts, err)
	}
	if got := stream(t, s, Pending); got != "a/1 c/1 c/2 b/1 b/2 b/3 d/1" {
		t.Errorf("stream: %s", got)
	}
	parts, err := s.PartsOf(ctx, "b")
	ok(t, err)
	if tickets(parts) != "b/1 b/2 b/3" {
		t.Errorf("parts of b: %s", tickets(parts))
	}
}

func TestStreamsOfManyPages(t *testing.T) {
	s, ctx := create(t), t.Context()
	const n = 2*page + 7
	var parts []Part
	for i := range n {
		parts = append(parts, somePart(strconv.Itoa(i), 1, 1, int64(i%3)))
	}
	load(t, s, true, parts...)
	seen := map[int64]bool{}
	for p, err := range s.InState(ctx, Pending) {
		ok(t, err)
		if seen[p.ID] {
			t.Fatalf("part %d came twice", p.ID)
		}
		seen[p.ID] = true
		if p.ID%10 == 0 { // moving parts away does not upset the stream
			ok(t, s.Reject(ctx, p.ID, 0, "no", "", noon))
		}
	}
	if len(seen) != n {
		t.Errorf("%d of %d came", len(seen), n)
	}
	for range s.InState(ctx, Rejected) {
		break
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	errs := 0
	for p, err := range s.InState(gone, Rejected) {
		if !errors.Is(err, context.Canceled) || p != nil {
			t.Errorf("%v %v", p, err)
		}
		errs++
	}
	if errs != 1 {
		t.Errorf("a cancelled stream gave %d errors", errs)
	}
}

func TestFenceAndNewest(t *testing.T) {
	s, ctx := create(t), t.Context()
	load(t, s, true, somePart("a", 1, 1, 1), somePart("b", 1, 1, 2), somePart("c", 1, 1, 3), somePart("d", 1, 1, 4))
	at := func(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }
	for i, how := range []How{ByCreate, ByRecovery, ByCreate} {
		id := int64(i + 1)
		ok(t, s.Begin(ctx, id, Intent{At: at(10 * i)}))
		ok(t, s.Done(ctx, id, id, how, at(10*i+1)))
	}
	ok(t, s.Done(ctx, 4, 4, ByAdoption, at(50)))
	for _, c := range []struct {
		seconds       int
		fence, newest string
	}{
		{-1, "a", ""},
		{0, "c", "a"}, // b was recovered: it is no fence
		{10, "c", "b"},
		{19, "c", "b"},
		{20, "", "c"},
		{90, "", "c"}, // d was adopted, never sent
	} {
		name := func(p *Part, err error) string {
			ok(t, err)
			if p == nil {
				return ""
			}
			return p.Ticket
		}
		if got := name(s.Fence(ctx, at(c.seconds))); got != c.fence {
			t.Errorf("fence after %d s: %q, not %q", c.seconds, got, c.fence)
		}
		if got := name(s.Newest(ctx, at(c.seconds))); got != c.newest {
			t.Errorf("newest until %d s: %q, not %q", c.seconds, got, c.newest)
		}
	}
}

func TestLoadReplacesOnlyWhatIsPending(t *testing.T) {
	s, ctx := create(t), t.Context()
	load(t, s, true, somePart("sent", 1, 1, 1), somePart("edited", 1, 1, 2), somePart("gone", 1, 1, 3),
		somePart("doubt", 1, 1, 4), somePart("shrunk", 1, 3, 5), somePart("shrunk", 2, 3, 5), somePart("shrunk", 3, 3, 5), somePart("back", 1, 1, 8))
	sent, edited, doubt := must(t, s, "sent", 1), must(t, s, "edited", 1), must(t, s, "doubt", 1)
	ok(t, s.Begin(ctx, sent.ID, Intent{At: noon}))
	ok(t, s.Done(ctx, sent.ID, 1, ByCreate, noon))
	back := must(t, s, "back", 1)
	ok(t, s.Begin(ctx, back.ID, Intent{At: noon}))
	for _, id := range []int64{edited.ID, doubt.ID} {
		ok(t, s.Begin(ctx, id, Intent{At: noon}))
		ok(t, s.Doubt(ctx, id, "timeout", noon))
	}
	_, err := s.Absent(ctx, edited.ID)
	ok(t, err)

	again := somePart("edited", 1, 1, 2)
	load(t, s, false, again) // a load of a few names no others, and removes none
	if p := must(t, s, "edited", 1); p.Absences != 1 || p.ID != edited.ID {
		t.Errorf("loaded again as it was: %+v", p)
	}
	again.Digest, again.Rank, again.MappingDigest = hexDigest(77), 40, hexDigest(98)
	resent := somePart("sent", 1, 1, 99)
	shrunk := []Part{somePart("shrunk", 1, 2, 6), somePart("shrunk", 2, 2, 6)}
	load(t, s, false, append(shrunk, again, resent)...)
	p := must(t, s, "edited", 1)
	if p.ID != edited.ID || p.Digest != hexDigest(77) || p.Rank != 40 || p.Absences != 0 || p.Resends != 1 ||
		p.Attempts != 1 || p.MappingDigest != hexDigest(98) {
		t.Errorf("loaded again with other content: %+v", p)
	}
	if p := must(t, s, "sent", 1); p.Rank != 1 || p.State != Created {
		t.Errorf("a sent part was touched: %+v", p)
	}
	if got := stream(t, s, Pending); got != "gone/1 shrunk/1 shrunk/2 edited/1" {
		t.Errorf("pending: %s", got)
	}

	l, err := s.Loader(ctx)
	ok(t, err)
	ok(t, l.Put(somePart("new", 1, 1, 50)))
	_, err = s.Absent(ctx, doubt.ID) // two come back to pending while the load is on
	ok(t, err)
	ok(t, s.Back(ctx, back.ID, "429"))
	ok(t, l.Finish(true))
	if got := stream(t, s, Pending); got != "doubt/1 back/1 new/1" {
		t.Errorf("pending after a complete load: %s", got)
	}
	load(t, s, true, somePart("new", 1, 1, 50))
	if got := stream(t, s, Pending); got != "new/1" {
		t.Errorf("pending after the next one: %s", got)
	}
	if err := l.Put(again); err == nil {
		t.Error("put after finish")
	}
	if err := l.Finish(true); err == nil {
		t.Error("finished twice")
	}
	ok(t, s.Check(ctx))
}

func TestLoadEndsEarly(t *testing.T) {
	s := create(t)
	load(t, s, true, somePart("old", 1, 1, 0))
	ctx, cancel := context.WithCancel(t.Context())
	l, err := s.Loader(ctx)
	ok(t, err)
	for i := range loadBatch + 10 {
		ok(t, l.Put(somePart(strconv.Itoa(i), 1, 1, int64(i))))
	}
	ok(t, l.Abort())
	if err := l.Finish(true); err == nil {
		t.Error("finished after abort")
	}
	counts, err := s.Counts(t.Context())
	ok(t, err)
	if counts.Parts[Pending] != loadBatch+1 { // a whole batch is durable, the rest is forgotten, old stays
		t.Errorf("after abort: %+v", counts.Parts)
	}
	l, err = s.Loader(ctx)
	ok(t, err)
	ok(t, l.Put(somePart("x", 1, 1, 1)))
	cancel()
	if err := l.Finish(true); !errors.Is(err, context.Canceled) {
		t.Errorf("finished though cancelled: %v", err)
	}
	if p := must(t, s, "old", 1); p.State != Pending {
		t.Errorf("a load that did not finish removed parts: %+v", p)
	}
	for _, p := range []Part{{}, {Ticket: "a"}, {Ticket: "a", Number: 2, Of: 1}} {
		l, err := s.Loader(t.Context())
		ok(t, err)
		if err := l.Put(p); err == nil {
			t.Errorf("put without a key: %+v", p)
		}
	}
}

// A deleted part stays deleted, whatever is loaded, until somebody reopens it.
func TestDeletedPartsStayDeleted(t *testing.T) {
	s, ctx := create(t), t.Context()
	load(t, s, true, somePart("a", 1, 1, 1))
	effect := Effect{Kind: "upload", Slot: "1"}
	again := func(conversation int64) {
		t.Helper()
		ok(t, s.Begin(ctx, 1, Intent{At: noon, Messages: []NewMessage{{Key: "m"}}, Effects: []Effect{effect}}))
		ok(t, s.Done(ctx, 1, conversation, ByCreate, noon))
	}
	again(5)
	ok(t, s.AddEffects(ctx, []Effect{{PartID: 1, Kind: "delete", Slot: "d"}, {Kind: "customer", Slot: "a@b.example"}}))
	ok(t, s.BeginEffect(ctx, 2, 1, noon, nil))
	ok(t, s.MarkDeleted(ctx, 1, noon))
	ok(t, s.DoneEffect(ctx, 2, 0, noon))
	load(t, s, true, somePart("a", 1, 1, 2))
	if p := must(t, s, "a", 1); p.State != Deleted || p.DeletedID != 5 || p.Rank != 1 {
		t.Errorf("after a load: %+v", p)
	}
	if messages, err := s.Messages(ctx, []string{"m"}); err != nil || len(messages) != 0 {
		t.Errorf("messages of a deleted part: %v %v", messages, err)
	}
	n, err := s.Reopen(ctx, []int64{1, 2})
	ok(t, err)
	if p := must(t, s, "a", 1); n != 1 || p.State != Pending || p.How != "" {
		t.Errorf("reopened %d: %+v", n, p)
	}
	effects, err := s.Effects(ctx, EffectFilter{})
	ok(t, err)
	if len(effects) != 1 || effects[0].Kind != "customer" {
		t.Errorf("effects after reopening: %+v", effects)
	}
	again(6)
	ok(t, s.Check(ctx))
}
