package checkpoint

import (
	"errors"
	"testing"
	"time"
)

// TestMoveOn: what a conversation would not take becomes a further part of its ticket, in one step; the messages are
// free for it, and a part of that number refuses the whole.
func TestMoveOn(t *testing.T) {
	s, ctx := create(t), t.Context()
	p := sent(t, s)
	ok(t, s.AddEffects(ctx, []Effect{
		{PartID: p.ID, Kind: "append", Slot: "message:a", Messages: []NewMessage{{Key: "a"}}},
		{PartID: p.ID, Kind: "append", Slot: "message:b", Messages: []NewMessage{{Key: "b"}}},
	}))
	ok(t, s.BeginEffect(ctx, 1, 1, noon, nil))
	next := somePart(p.Ticket, 2, 2, 9)
	next.Evidence = []byte(`{"fm":["a","b"]}`)
	more := []Effect{{PartID: p.ID, Kind: "status", Slot: "0000"}}
	if err := s.MoveOn(ctx, []Part{somePart(p.Ticket, 1, 1, 9)}, []int64{1, 2}, more); err == nil {
		t.Fatal("a part that is there was made anew")
	}
	ok(t, s.MoveOn(ctx, []Part{next}, []int64{1, 2}, more))
	got := must(t, s, p.Ticket, 2)
	if got.State != Pending || string(got.Evidence) != `{"fm":["a","b"]}` {
		t.Errorf("the further part: %+v", got)
	}
	if rows, err := s.Messages(ctx, []string{"a", "b"}); err != nil || len(rows) != 0 {
		t.Errorf("messages kept their places: %+v %v", rows, err)
	}
	effects, err := s.Effects(ctx, EffectFilter{})
	ok(t, err)
	if len(effects) != 1 || effects[0].Kind != "status" {
		t.Errorf("effects: %+v", effects)
	}
	l, err := s.Loader(ctx)
	ok(t, err)
	ok(t, l.Finish(true))
	if p, err := s.Part(ctx, p.Ticket, 2); err != nil || p != nil {
		t.Errorf("a plan that does not name the part left it: %+v %v", p, err)
	}
	var move *MoveError
	ok(t, s.BeginEffect(ctx, effects[0].ID, 1, noon, nil))
	ok(t, s.DoneEffect(ctx, effects[0].ID, 0, noon))
	if err := s.MoveOn(ctx, []Part{next}, []int64{effects[0].ID}, nil); !errors.As(err, &move) {
		t.Errorf("an effect that was applied was moved: %v", err)
	}
	ok(t, s.Check(ctx))
}

// TestBegun: tickets of which something was sent are known by their keys.
func TestBegun(t *testing.T) {
	s, ctx := create(t), t.Context()
	load(t, s, true, somePart("a", 1, 1, 1), somePart("b", 1, 1, 2), somePart(hexDigest(5), 1, 1, 3))
	ok(t, s.Begin(ctx, must(t, s, "a", 1).ID, Intent{At: noon}))
	ok(t, s.Begin(ctx, must(t, s, hexDigest(5), 1).ID, Intent{At: noon}))
	got, err := s.Begun(ctx, []string{"a", "b", "c", hexDigest(5)})
	if err != nil || len(got) != 2 || !got["a"] || !got[hexDigest(5)] {
		t.Errorf("%v %v", got, err)
	}
}

// TestDropUnsent: a new plan names anew what was never sent, and nothing else goes.
func TestDropUnsent(t *testing.T) {
	s, ctx := create(t), t.Context()
	p := sent(t, s)
	ok(t, s.AddEffects(ctx, []Effect{
		{PartID: p.ID, Kind: "append", Slot: "message:a"},
		{PartID: p.ID, Kind: "append", Slot: "message:b"},
		{PartID: p.ID, Kind: "append", Slot: "note:0000"},
		{PartID: p.ID, Kind: "status", Slot: "message:"},
	}))
	ok(t, s.BeginEffect(ctx, 2, 1, noon, nil))
	ok(t, s.BackEffect(ctx, 2, "429"))
	n, err := s.DropUnsent(ctx, "append", "message:")
	if err != nil || n != 1 {
		t.Errorf("%d went, %v", n, err)
	}
	ok(t, s.DropEffect(ctx, 4))
	effects, err := s.Effects(ctx, EffectFilter{})
	ok(t, err)
	if len(effects) != 2 || effects[0].Slot != "message:b" || effects[1].Slot != "note:0000" {
		t.Errorf("left: %+v", effects)
	}
}

// TestDoneChange: the effect and what the part is like from now on are written together.
func TestDoneChange(t *testing.T) {
	s, ctx := create(t), t.Context()
	p := sent(t, s)
	ok(t, s.AddEffects(ctx, []Effect{{PartID: p.ID, Kind: "status", Slot: "0000"}}))
	ok(t, s.BeginEffect(ctx, 1, 3, noon, nil))
	ok(t, s.DoneChange(ctx, 1, []byte(`{"st":"closed"}`), noon.Add(time.Second)))
	if got := must(t, s, p.Ticket, 1); string(got.Evidence) != `{"st":"closed"}` || got.State != Created {
		t.Errorf("part %+v", got)
	}
	var move *MoveError
	if err := s.DoneChange(ctx, 1, nil, noon); !errors.As(err, &move) {
		t.Errorf("done twice: %v", err)
	}
}
