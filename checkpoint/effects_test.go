package checkpoint

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sent makes a part that is created, with one message.
func sent(t *testing.T, s *Store) *Part {
	t.Helper()
	load(t, s, true, somePart("T1", 1, 1, 1), somePart("T2", 1, 1, 2))
	id := must(t, s, "T1", 1).ID
	ok(t, s.Begin(t.Context(), id, Intent{Run: 1, At: noon, Messages: []NewMessage{{Key: "m1", Digest: "d1"}}}))
	ok(t, s.Done(t.Context(), id, 5, ByCreate, noon))
	return must(t, s, "T1", 1)
}

func TestAnAppend(t *testing.T) {
	s, ctx := create(t), t.Context()
	p := sent(t, s)
	want := Effect{
		ID: 1, PartID: p.ID, Kind: "append", Slot: "m2", Digest: hexDigest(3), State: Pending, Evidence: []byte("{}"),
		Messages: []NewMessage{{Key: "m2", Digest: "d2", Thread: 3}, {Key: "m3 \"quoted\" <x>", Digest: "d3", Thread: 3}},
	}
	ok(t, s.AddEffects(ctx, []Effect{want}))
	changed := want
	changed.Digest = "another"
	ok(t, s.AddEffects(ctx, []Effect{changed})) // it is left as it is
	read := func() Effect {
		t.Helper()
		effects, err := s.Effects(ctx, EffectFilter{PartID: p.ID})
		ok(t, err)
		if len(effects) != 1 {
			t.Fatalf("effects: %+v", effects)
		}
		return effects[0]
	}
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Error(diff)
	}
	placed := func(n int) map[string]Message {
		t.Helper()
		messages, err := s.Messages(ctx, []string{"m2", want.Messages[1].Key})
		ok(t, err)
		if len(messages) != n {
			t.Errorf("%d messages have a row, not %d", len(messages), n)
		}
		return messages
	}
	placed(0)
	ok(t, s.BeginEffect(ctx, 1, 7, noon, []byte(`{"more":1}`)))
	placed(2)
	ok(t, s.BackEffect(ctx, 1, "429"))
	placed(0)
	ok(t, s.BeginEffect(ctx, 1, 8, noon.Add(time.Minute), nil))
	ok(t, s.DoubtEffect(ctx, 1, "reset", noon.Add(2*time.Minute)))
	n, err := s.AbsentEffect(ctx, 1)
	ok(t, err)
	placed(0)
	e := read()
	if n != 1 || e.Absences != 1 || e.Attempts != 2 || e.Run != 8 || string(e.Evidence) != `{"more":1}` || e.State != Pending {
		t.Errorf("after an absence: %+v", e)
	}
	ok(t, s.BeginEffect(ctx, 1, 8, noon, nil))
	ok(t, s.DoneEffect(ctx, 1, 900, noon.Add(time.Hour)))
	for _, m := range placed(2) {
		if m.ThreadID != 900 || m.EffectID != 1 || m.PartID != p.ID || m.Thread != 3 {
			t.Errorf("an appended message: %+v", m)
		}
	}
	if e := read(); e.State != Created || e.RemoteID != 900 || !e.DoneAt.Equal(noon.Add(time.Hour)) || e.Reason != "" {
		t.Errorf("applied: %+v", e)
	}
}

func TestNoMessageIsAppendedTwice(t *testing.T) {
	s, ctx := create(t), t.Context()
	p := sent(t, s)
	m1, m2 := []NewMessage{{Key: "m1"}}, []NewMessage{{Key: "m2"}}
	ok(t, s.AddEffects(ctx, []Effect{
		{PartID: p.ID, Kind: "append", Slot: "of the part", Messages: m1},
		{PartID: p.ID, Kind: "append", Slot: "first", Messages: m2},
		{PartID: p.ID, Kind: "append", Slot: "second", Messages: m2},
	}))
	ok(t, s.BeginEffect(ctx, 2, 1, noon, nil))
	for _, id := range []int64{1, 3} {
		var placed *PlacedError
		if err := s.BeginEffect(ctx, id, 1, noon, nil); !errors.As(err, &placed) || placed.Part != p.ID {
			t.Errorf("effect %d: %v", id, err)
		}
	}
	effects, err := s.Effects(ctx, EffectFilter{Kind: "append", State: Pending})
	ok(t, err)
	if len(effects) != 2 || effects[0].Attempts != 0 {
		t.Errorf("a refused intent left traces: %+v", effects)
	}
}

func TestEffectMoves(t *testing.T) {
	s, ctx := create(t), t.Context()
	reach := map[State]func(id int64) error{
		Pending: func(int64) error { return nil },
		Sending: func(id int64) error { return s.BeginEffect(ctx, id, 1, noon, nil) },
		InDoubt: func(id int64) error {
			return errors.Join(s.BeginEffect(ctx, id, 1, noon, nil), s.DoubtEffect(ctx, id, "", noon))
		},
		Created: func(id int64) error {
			return errors.Join(s.BeginEffect(ctx, id, 1, noon, nil), s.DoneEffect(ctx, id, 0, noon))
		},
		Rejected: func(id int64) error { return s.RejectEffect(ctx, id, 404, "no", noon) },
	}
	moves := map[string]struct {
		from []State
		to   State
		move func(id int64) error
	}{
		"begin":  {[]State{Pending}, Sending, func(id int64) error { return s.BeginEffect(ctx, id, 1, noon, nil) }},
		"done":   {[]State{Sending, InDoubt}, Created, func(id int64) error { return s.DoneEffect(ctx, id, 3, noon) }},
		"reject": {[]State{Pending, Sending, InDoubt}, Rejected, func(id int64) error { return s.RejectEffect(ctx, id, 4, "", noon) }},
		"doubt":  {[]State{Sending}, InDoubt, func(id int64) error { return s.DoubtEffect(ctx, id, "", noon) }},
		"back":   {[]State{Sending}, Pending, func(id int64) error { return s.BackEffect(ctx, id, "") }},
		"absent": {[]State{InDoubt}, Pending, func(id int64) error { _, err := s.AbsentEffect(ctx, id); return err }},
		"again":  {[]State{Rejected}, Pending, func(id int64) error { return s.UnrejectEffect(ctx, id) }},
	}
	id := int64(0)
	for name, m := range moves {
		for from, get := range reach {
			id++
			ok(t, s.AddEffects(ctx, []Effect{{Kind: "workflow", Slot: name + " " + string(from)}}))
			ok(t, get(id))
			allowed := false
			for _, f := range m.from {
				allowed = allowed || f == from
			}
			var refused *MoveError
			err := m.move(id)
			if allowed && err != nil || !allowed && (!errors.As(err, &refused) || refused.Effect != id || refused.From != from || refused.To != m.to) {
				t.Errorf("%s from %s: %v", name, from, err)
			}
		}
	}
	if err := s.DoneEffect(ctx, 999, 0, noon); !errors.Is(err, ErrNoEffect) {
		t.Errorf("an effect that is not there: %v", err)
	}
	counts, err := s.Counts(ctx)
	ok(t, err)
	rejected, err := s.Effects(ctx, EffectFilter{State: Rejected})
	ok(t, err)
	n, err := s.UnrejectEffects(ctx, "workflow")
	ok(t, err)
	if n != len(rejected) || n != counts.Effects["workflow"][Rejected] || n == 0 {
		t.Errorf("%d were rejected, %d counted, %d came back", len(rejected), counts.Effects["workflow"][Rejected], n)
	}
	if n, err := s.UnrejectEffects(ctx, ""); n != 0 || err != nil {
		t.Errorf("again: %d %v", n, err)
	}
	ok(t, s.Check(ctx))
}

func TestRecoverPutsEffectsInDoubt(t *testing.T) {
	s, ctx := create(t), t.Context()
	p := sent(t, s)
	ok(t, s.AddEffects(ctx, []Effect{{PartID: p.ID, Kind: "upload", Slot: "1"}, {PartID: p.ID, Kind: "upload", Slot: "2"}, {Kind: "workflow", Slot: "9"}}))
	ok(t, s.BeginEffect(ctx, 1, 1, noon, nil))
	ok(t, s.Begin(ctx, must(t, s, "T2", 1).ID, Intent{At: noon}))
	n, err := s.Recover(ctx, noon.Add(time.Hour))
	ok(t, err)
	effects, err := s.Effects(ctx, EffectFilter{State: InDoubt})
	ok(t, err)
	part := must(t, s, "T2", 1)
	if n != 2 || len(effects) != 1 || effects[0].ID != 1 || !effects[0].GaveUpAt.Equal(noon.Add(time.Hour)) ||
		part.State != InDoubt || !part.GaveUpAt.Equal(noon.Add(time.Hour)) || part.Reason == "" {
		t.Errorf("recovered %d: %+v, %+v", n, effects, part)
	}
	parts, err := s.PartsWithEffects(ctx, "upload", Pending, 10)
	ok(t, err)
	if len(parts) != 1 || parts[0] != p.ID {
		t.Errorf("parts with uploads: %v", parts)
	}
	if parts, err := s.PartsWithEffects(ctx, "workflow", Pending, 0); err != nil || len(parts) != 0 {
		t.Errorf("the job is no part: %v %v", parts, err)
	}
}

func TestRejectedAppendsComeBackWithoutMessages(t *testing.T) {
	s, ctx := create(t), t.Context()
	p := sent(t, s)
	ok(t, s.AddEffects(ctx, []Effect{{PartID: p.ID, Kind: "append", Slot: "m2", Messages: []NewMessage{{Key: "m2"}}}}))
	ok(t, s.BeginEffect(ctx, 1, 1, noon, nil))
	ok(t, s.RejectEffect(ctx, 1, 422, "too long", noon))
	if messages, err := s.Messages(ctx, []string{"m2"}); err != nil || len(messages) != 1 {
		t.Errorf("a rejected message is placed, so that nothing else sends it: %v %v", messages, err)
	}
	if n, err := s.UnrejectEffects(ctx, ""); n != 1 || err != nil {
		t.Errorf("came back: %d %v", n, err)
	}
	if messages, err := s.Messages(ctx, []string{"m2"}); err != nil || len(messages) != 0 {
		t.Errorf("a pending append has no messages: %v %v", messages, err)
	}
	ok(t, s.BeginEffect(ctx, 1, 1, noon, nil))
}
