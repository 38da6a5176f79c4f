package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"
)

func TestConcurrentMoves(t *testing.T) {
	s, ctx := create(t), t.Context()
	const n, workers = 400, 8
	var parts []Part
	for i := range n {
		parts = append(parts, somePart("T"+strconv.Itoa(i), 1, 1, int64(i)))
	}
	load(t, s, true, parts...)
	var next, refused, doubted atomic.Int64
	var group errgroup.Group
	for range workers {
		group.Go(func() error {
			for {
				id := next.Add(1)
				if id > n {
					return nil
				}
				key := fmt.Sprintf("m%d", id/2) // two parts each want one message
				var placed *PlacedError
				err := s.Begin(ctx, id, Intent{At: noon, Messages: []NewMessage{{Key: key}}})
				if errors.As(err, &placed) {
					refused.Add(1)
					continue
				}
				if err != nil {
					return err
				}
				if id%7 == 0 {
					doubted.Add(1)
					err = s.Doubt(ctx, id, "timeout", noon)
				} else {
					err = s.Done(ctx, id, id+10, ByCreate, noon)
				}
				if err != nil {
					return err
				}
				// What was acknowledged is there, for every reader, at once.
				if p, err := s.PartByID(ctx, id); err != nil || p.State == Sending || p.State == Pending {
					return fmt.Errorf("part %d after its result: %v, %w", id, p, err)
				}
			}
		})
	}
	ok(t, group.Wait())
	counts, err := s.Counts(ctx)
	ok(t, err)
	want := n/2 - 1 // ids 1 and n have a message for themselves
	if int(refused.Load()) != want || counts.Parts[Pending] != want || counts.Parts[InDoubt] != int(doubted.Load()) ||
		counts.Total() != n {
		t.Errorf("refused %d, doubted %d, %+v", refused.Load(), doubted.Load(), counts.Parts)
	}
	ok(t, s.Check(ctx))
}

// held makes one group of calls: the first one waits in its transaction until the others have come.
func held(t *testing.T, s *Store, calls ...func(tx) error) []error {
	t.Helper()
	entered, release := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		err := s.do(context.Background(), "hold", func(tx) error {
			close(entered)
			<-release
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-entered
	errs := make([]error, len(calls))
	for i, call := range calls {
		group.Go(func() { errs[i] = s.do(context.Background(), "call", call) })
		for waiting := 0; waiting <= i; {
			s.w.mu.Lock()
			waiting = len(s.w.queue)
			s.w.mu.Unlock()
			time.Sleep(time.Millisecond)
		}
	}
	close(release)
	group.Wait()
	return errs
}

func set(key string, err error) func(tx) error {
	return func(t tx) error {
		_, x := t.exec("INSERT INTO fact (key, value) VALUES (?, 'x')", key)
		return errors.Join(x, err)
	}
}

func has(t *testing.T, s *Store, key string) bool {
	t.Helper()
	_, found, err := s.Get(t.Context(), key)
	ok(t, err)
	return found
}

func TestOneCallsErrorHarmsNoOther(t *testing.T) {
	s := create(t)
	mine := errors.New("mine")
	errs := held(t, s, set("a", nil), set("b", mine), set("a", nil), set("c", nil))
	if errs[0] != nil || !errors.Is(errs[1], mine) || errs[2] == nil || errs[3] != nil {
		t.Errorf("errors: %v", errs)
	}
	if !has(t, s, "a") || has(t, s, "b") || !has(t, s, "c") {
		t.Error("a call that failed left traces, or one that did not has none")
	}
}

func TestACallThatEndsTheTransaction(t *testing.T) {
	s := create(t)
	runs := 0
	errs := held(t, s, func(x tx) error { runs++; return set("a", nil)(x) }, func(x tx) error {
		_, _ = x.exec("ROLLBACK") // as SQLite does by itself on a full disk
		return errors.New("spoilt")
	}, set("c", nil))
	if errs[0] != nil || errs[1] == nil || errs[2] != nil || runs != 3 { // at first, with savepoints, and without the one that spoilt it
		t.Errorf("errors: %v, runs %d", errs, runs)
	}
	if !has(t, s, "a") || !has(t, s, "c") {
		t.Error("what was acknowledged is not there")
	}
}

func TestCommitErrorReachesAll(t *testing.T) {
	s := create(t)
	orphan := func(x tx) error { // found out by the commit alone
		_, err := x.exec("PRAGMA defer_foreign_keys = ON")
		if err != nil {
			return err
		}
		_, err = x.exec("INSERT INTO message (key, digest, part_id, thread) VALUES ('m', '', 99, 0)")
		return err
	}
	errs := held(t, s, set("a", nil), orphan, set("c", nil))
	for i, err := range errs {
		if err == nil || !strings.Contains(err.Error(), "FOREIGN KEY") {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if has(t, s, "a") || has(t, s, "c") {
		t.Error("a group whose commit failed left traces")
	}
	ok(t, s.Set(t.Context(), "later", "x")) // and the next one is not affected
}

func TestFullDisk(t *testing.T) {
	s, ctx := create(t), t.Context()
	bound := func(pages int) {
		ok(t, s.do(ctx, "bound", func(x tx) error {
			var now int
			return x.row("PRAGMA max_page_count = " + strconv.Itoa(pages)).Scan(&now)
		}))
	}
	bound(120)
	var kept [8]int
	var group errgroup.Group
	for w := range kept {
		group.Go(func() error {
			for {
				err := s.Set(ctx, fmt.Sprintf("%d %d", w, kept[w]), strings.Repeat("x", 900))
				if err != nil {
					return err
				}
				kept[w]++
			}
		})
	}
	if err := group.Wait(); !strings.Contains(err.Error(), "free some space") {
		t.Errorf("a full disk says: %v", err)
	}
	for w, n := range kept {
		for i := range n {
			if !has(t, s, fmt.Sprintf("%d %d", w, i)) {
				t.Errorf("%d %d was acknowledged and is not there", w, i)
			}
		}
		if has(t, s, fmt.Sprintf("%d %d", w, n)) {
			t.Errorf("%d %d was refused and is there", w, n)
		}
	}
	ok(t, s.Check(ctx))
	bound(10000)
	ok(t, s.Set(ctx, "there is room again", "x"))
}

func TestCancelledCallersWriteNothing(t *testing.T) {
	s := create(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Set(ctx, "a", "b"); !errors.Is(err, context.Canceled) {
		t.Errorf("set: %v", err)
	}
	ok(t, s.Set(context.WithoutCancel(ctx), "b", "b"))
	if has(t, s, "a") || !has(t, s, "b") {
		t.Error("the wrong one was written")
	}
}

func TestFaults(t *testing.T) {
	s, ctx := create(t), t.Context()
	crash := errors.New("crash")
	var seen []string
	apply := false
	s.SetFault(func(op string) (bool, error) {
		seen = append(seen, op)
		if op == "begin" {
			return apply, crash
		}
		return false, nil
	})
	load(t, s, true, somePart("T1", 1, 1, 1))
	id := must(t, s, "T1", 1).ID
	if err := s.Begin(ctx, id, Intent{At: noon}); !errors.Is(err, crash) || must(t, s, "T1", 1).State != Pending {
		t.Errorf("not applied: %v", err)
	}
	apply = true
	if err := s.Begin(ctx, id, Intent{At: noon}); !errors.Is(err, crash) || must(t, s, "T1", 1).State != Sending {
		t.Errorf("applied: %v", err)
	}
	s.SetFault(nil)
	ok(t, s.Done(ctx, id, 1, ByCreate, noon))
	if got := strings.Join(seen, " "); got != "loader load finish_load begin begin" {
		t.Errorf("names: %s", got)
	}
}

// A night's import runs in a bubble with virtual time, on a real file.
func TestInVirtualTime(t *testing.T) {
	path := t.TempDir() + "/import.db"
	synctest.Test(t, func(t *testing.T) {
		s, err := Create(t.Context(), path, testJob)
		ok(t, err)
		load(t, s, true, somePart("T1", 1, 1, 1), somePart("T2", 1, 1, 2))
		var group errgroup.Group
		for id := range int64(2) {
			group.Go(func() error {
				if err := s.Begin(t.Context(), id+1, Intent{At: time.Now()}); err != nil {
					return err
				}
				time.Sleep(time.Hour)
				return s.Done(t.Context(), id+1, id+1, ByCreate, time.Now())
			})
		}
		ok(t, group.Wait())
		p := must(t, s, "T1", 1)
		if took := p.DoneAt.Sub(p.SentAt); took != time.Hour {
			t.Errorf("it took %v", took)
		}
		ok(t, s.Close())
	})
}
