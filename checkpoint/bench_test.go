package checkpoint

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// BenchmarkTransitions sends parts of three messages each: Begin, then Done, each durable. transitions/s counts both.
func BenchmarkTransitions(b *testing.B) {
	for _, workers := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			s := create(b)
			parts := make([]Part, b.N)
			for i := range parts {
				parts[i] = somePart("T"+strconv.Itoa(i), 1, 1, int64(i))
			}
			load(b, s, true, parts...)
			next, evidence := atomic.Int64{}, []byte(`{"mailbox":1,"subject":"a subject","customer":"a@b.example"}`)
			var group errgroup.Group
			b.ResetTimer()
			for range workers {
				group.Go(func() error {
					for {
						id := next.Add(1) // ids are 1.. in the order of the load
						if id > int64(b.N) {
							return nil
						}
						in := Intent{Run: 1, At: noon, Evidence: evidence}
						for m := range 3 {
							in.Messages = append(in.Messages, NewMessage{
								Key: fmt.Sprintf("<%d.%d@mail.example>", id, m), Digest: hexDigest(m), Thread: m,
							})
						}
						if err := s.Begin(b.Context(), id, in); err != nil {
							return err
						}
						if err := s.Done(b.Context(), id, id+1000, ByCreate, noon); err != nil {
							return err
						}
					}
				})
			}
			if err := group.Wait(); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(2*b.N)/b.Elapsed().Seconds(), "transitions/s")
		})
	}
}

// BenchmarkLoad stores parts of a plan, in its transactions of 1,000.
func BenchmarkLoad(b *testing.B) {
	s := create(b)
	l, err := s.Loader(b.Context())
	ok(b, err)
	b.ResetTimer()
	for i := range b.N {
		ok(b, l.Put(somePart("T"+strconv.Itoa(i), 1, 1, int64(i))))
	}
	ok(b, l.Finish(true))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "parts/s")
}

// million makes a checkpoint with a million created parts of three messages each, and 1,000 pending ones behind them.
func million(b *testing.B) *Store {
	s := create(b)
	start := time.Now()
	l, err := s.Loader(b.Context())
	ok(b, err)
	const n = 1_000_000
	for i := range n + 1000 {
		ok(b, l.Put(somePart("T"+strconv.Itoa(i), 1, 1, int64(i))))
	}
	ok(b, l.Finish(true))
	b.Logf("load of a million parts: %v", time.Since(start).Round(time.Millisecond))
	ok(b, s.do(b.Context(), "bench", func(t tx) error {
		_, err := t.exec("WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 3000000) " +
			"INSERT INTO message (key, digest, part_id, thread) SELECT '<' || (n * 7919 % 3000017) || '.abcdef@mail.example>', " +
			"randomblob(32), 1 + (n - 1) / 3, n % 3 FROM i")
		if err != nil {
			return err
		}
		_, err = t.exec("UPDATE part SET state = 2, how = 1, conversation_id = id + 7000, sent_at = 1700000000000 + id, "+
			"done_at = 1700000000500 + id, attempts = 1, run = 1, "+
			"evidence = CAST('{\"mailbox\":1,\"subject\":\"a subject of usual length\",\"customer\":\"ann@example.org\"}' AS BLOB) "+
			"WHERE id <= ?", n)
		return err
	}))
	return s
}

// BenchmarkMillion measures questions to a checkpoint with a million parts done. Run it with -benchtime 1x -v first.
func BenchmarkMillion(b *testing.B) {
	if testing.Short() {
		b.Skip("it fills a file of several hundred megabytes")
	}
	s := million(b)
	ctx := b.Context()
	step := int64(0)
	for _, q := range []struct {
		name string
		ask  func() error
	}{
		{"Pending", func() error { _, err := s.Pending(ctx, math.MinInt64, 100); return err }},
		{"Counts", func() error { _, err := s.Counts(ctx); return err }},
		{"Part", func() error { _, err := s.Part(ctx, "T500000", 1); return err }},
		{"Messages50", func() error {
			keys := make([]string, 50)
			for i := range keys {
				keys[i] = fmt.Sprintf("<%d.abcdef@mail.example>", i*40009)
			}
			_, err := s.Messages(ctx, keys)
			return err
		}},
		{"Newest", func() error { _, err := s.Newest(ctx, time.UnixMilli(1700000500000)); return err }},
		{"Fence", func() error { _, err := s.Fence(ctx, time.UnixMilli(1700000500000)); return err }},
		{"Owner", func() error { _, _, err := s.Owner(ctx, 507000); return err }},
		{"BeginAndBack", func() error {
			step++
			in := Intent{Run: 1, At: noon}
			for m := range int64(3) {
				in.Messages = append(in.Messages, NewMessage{Key: fmt.Sprintf("<%d.x@mail.example>", (step*3+m)*40009%3000017)})
			}
			id := 1_000_001 + step%1000
			if err := s.Begin(ctx, id, in); err != nil {
				return err
			}
			return s.Back(ctx, id, "429")
		}},
		{"PutDone1000", func() error {
			l, err := s.Loader(ctx)
			if err != nil {
				return err
			}
			for i := range 1000 {
				if err := l.Put(somePart("T"+strconv.Itoa(i*997), 1, 1, int64(i))); err != nil {
					return err
				}
			}
			return l.Finish(false)
		}},
		{"StreamCreated", func() error {
			for _, err := range s.InState(ctx, Created) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"Check", func() error { return s.Check(ctx) }},
		{"CopyTo", func() error { return s.CopyTo(ctx, filepath.Join(b.TempDir(), "copy.db")) }},
	} {
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				ok(b, q.ask())
			}
		})
	}
	ok(b, s.Close())
	info, err := os.Stat(s.Path())
	ok(b, err)
	b.Run("Open", func(b *testing.B) {
		for b.Loop() {
			again, err := Open(ctx, s.Path(), testJob)
			ok(b, err)
			_, err = again.Pending(ctx, math.MinInt64, 1)
			ok(b, err)
			ok(b, again.Close())
		}
		b.ReportMetric(float64(info.Size())/1_001_000, "bytes/part")
	})
}
