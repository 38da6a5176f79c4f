package importer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hsimport/importer/helpscout"
)

func TestQuotaAlone(t *testing.T) {
	everyModel(t, []int{200, 400, 800}, func(t *testing.T, m *model, complain func(string, ...any)) {
		const minutes = 15
		s := &scene{model: m, quota: NewQuota(1, 0), lo: 100 * time.Millisecond, hi: 400 * time.Millisecond, workers: 16}
		start := time.Now()
		s.play(minutes * time.Minute)
		share := float64(count(m.good["us"], start, start.Add(minutes*time.Minute))) / float64(minutes*m.limit)
		st := s.quota.Stats()
		t.Logf("used %.2f %%, said %.2f %%, 429s %d, waited %v", 100*share, 100*st.Utilization, len(m.tooMany["us"]), st.Waited)
		want := 0.99
		if m.limit < 400 {
			want = 0.98
		}
		if share < want {
			complain("used %.2f %% of the quota, want %.0f %%", 100*share, 100*want)
		}
		if n := len(m.tooMany["us"]); n != 0 {
			complain("%d times 429 although alone", n)
		}
	})
}

// TestQuotaResume: who was killed and comes back at once meets what it used itself, which must not look like a rival.
func TestQuotaResume(t *testing.T) {
	everyModel(t, []int{200, 400}, func(t *testing.T, m *model, complain func(string, ...any)) {
		start := time.Now()
		for range 5 {
			s := &scene{model: m, quota: NewQuota(1, 0), lo: 100 * time.Millisecond, hi: 400 * time.Millisecond, workers: 8}
			s.play(45 * time.Second)
		}
		used := count(m.good["us"], start, start.Add(5*45*time.Second))
		t.Logf("used %d of %d, 429s %d", used, m.limit*5*45/60, len(m.tooMany["us"]))
		// What was in flight when it was killed counts with the server and nobody told us: that may cost one 429.
		if used < m.limit*5*45/60*95/100 || len(m.tooMany["us"]) > 1 {
			complain("used %d of %d, 429s %d", used, m.limit*5*45/60, len(m.tooMany["us"]))
		}
	})
}

// TestQuotaShare: a share of the limit leaves the rest to others, whether they want it or not.
func TestQuotaShare(t *testing.T) {
	everyModel(t, []int{400}, func(t *testing.T, m *model, complain func(string, ...any)) {
		s := &scene{
			model: m, quota: NewQuota(0.5, 0), lo: 100 * time.Millisecond, hi: 400 * time.Millisecond, workers: 8,
			rival: 0.25, habit: "random",
		}
		start := time.Now()
		s.play(10 * time.Minute)
		used := count(m.good["us"], start, start.Add(10*time.Minute))
		if used > 2000 || used < 1950 || len(m.tooMany["us"])+len(m.tooMany["rival"]) > 0 {
			complain("used %d of 2000, 429s %d and %d", used, len(m.tooMany["us"]), len(m.tooMany["rival"]))
		}
	})
}

// TestQuotaProbe: after a 429 nobody goes before it is time, then exactly one, then all.
func TestQuotaProbe(t *testing.T) {
	for _, after := range []time.Duration{0, 12 * time.Second} {
		t.Run(after.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testProbe(t, after) })
		})
	}
}

func testProbe(t *testing.T, after time.Duration) {
	q := NewQuota(1, 0)
	ctx, cancel := context.WithCancel(t.Context())
	answer := func(status int, after time.Duration) {
		q.Observe(helpscout.Rate{Limit: -1, Remaining: -1, Sent: time.Now(), Received: time.Now(), Status: status, After: after})
	}
	if q.Write(ctx) != nil {
		t.Fatal("the first request must go")
	}
	answer(http.StatusTooManyRequests, after)
	begin := time.Now()
	went := make(chan time.Time, 100)
	for range 10 {
		go func() {
			for q.Write(ctx) == nil {
				went <- time.Now()
				time.Sleep(time.Hour)
			}
		}()
	}
	synctest.Wait()
	wait := after
	if wait == 0 {
		wait = time.Minute
	}
	if want := fmt.Sprintf("429, %d s more", int(wait.Seconds())); q.Why() != want {
		t.Errorf("why: %q, want %q", q.Why(), want)
	}
	if first := <-went; first.Sub(begin) != wait {
		t.Errorf("the probe went after %v, want %v", first.Sub(begin), wait)
	}
	time.Sleep(5 * time.Second)
	if len(went) > 0 {
		t.Error("another request went beside the probe")
	}
	answer(http.StatusTooManyRequests, 7*time.Second)
	if again := time.Now(); (<-went).Sub(again) != 7*time.Second {
		t.Error("the second probe did not wait as it was told")
	}
	time.Sleep(time.Millisecond)
	answer(http.StatusCreated, 0)
	synctest.Wait()
	if len(went) != 8 {
		t.Errorf("%d of 8 went on after the probe", len(went))
	}
	if s := q.Stats(); s.Throttled != 2 || s.Units != 22 || s.Limit != 0 || s.Utilization != 0 {
		t.Errorf("stats: %+v", s)
	}
	cancel()
	time.Sleep(2 * time.Hour)
}

// TestQuotaLostProbe: a probe that never gets an answer does not stop the rest for ever.
func TestQuotaLostProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQuota(1, 0)
		start := time.Now()
		for range 3 {
			if q.Read(t.Context()) != nil {
				t.Fatal("not granted")
			}
		}
		if took := time.Since(start); took != 2*patience {
			t.Errorf("three unanswered probes took %v", took)
		}
	})
}

// TestQuotaStraggler: a 429 of a volley that is over, arriving late, closes nothing.
func TestQuotaStraggler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQuota(1, 0)
		rate := func(status int, sent time.Time) {
			q.Observe(helpscout.Rate{Limit: -1, Remaining: -1, Sent: sent, Received: time.Now(), Status: status, After: time.Second})
		}
		q.Read(t.Context())
		old := time.Now()
		rate(http.StatusTooManyRequests, old)
		q.Read(t.Context())
		rate(http.StatusOK, time.Now())
		rate(http.StatusTooManyRequests, old)
		begin := time.Now()
		q.Read(t.Context())
		if time.Since(begin) != 0 {
			t.Error("waited for a 429 of the past")
		}
	})
}

// TestQuotaCancel: who is called off while waiting spends nothing and is told why.
func TestQuotaCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQuota(1, 60)
		for q.Stats().Units < 4 {
			q.Write(t.Context())
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		errs := make(chan error, 5)
		for range 5 {
			go func() { errs <- q.Write(ctx) }()
		}
		for range 5 {
			if err := <-errs; !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
		begin := time.Now()
		q.Write(t.Context())
		if wait := time.Since(begin); wait > 2*time.Second || q.Stats().Units != 6 {
			t.Errorf("after five were called off, the next waited %v; %+v", wait, q.Stats())
		}
		if got := q.Why(); got != "" {
			t.Errorf("nobody waits, but why is %q", got)
		}
	})
}

// TestQuotaWhy: what a person reads while requests wait.
func TestQuotaWhy(t *testing.T) {
	for _, c := range []struct {
		share, rival float64
		want         string
	}{
		{1, 0, "the quota: 400 a minute"},
		{0.5, 0, "the quota: 200 of 400 a minute"},
		{1, 0.5, "another program uses "},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &scene{
				model: newModel(400), quota: NewQuota(c.share, 0), lo: 100 * time.Millisecond, hi: 200 * time.Millisecond,
				workers: 16, rival: c.rival,
			}
			var why string
			time.AfterFunc(5*time.Minute+30*time.Second, func() { why = s.quota.Why() })
			s.play(6 * time.Minute)
			synctest.Wait()
			if !strings.HasPrefix(why, c.want) {
				t.Errorf("why: %q, want %q", why, c.want)
			}
		})
	}
}

// TestQuotaWorkers: as many as are of use: 400 a minute are 3.3 writes a second.
func TestQuotaWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQuota(1, 0)
		if n := q.Workers(64); n != 4 {
			t.Errorf("%d workers before anything is known", n)
		}
		s := &scene{model: newModel(400), quota: q, lo: 2 * time.Second, hi: 2100 * time.Millisecond, workers: 1}
		s.play(3 * time.Minute)
		if n := q.Workers(64); n < 7 || n > 9 {
			t.Errorf("%d workers at 3.3 writes a second of 2 s", n)
		}
		if n := q.Workers(3); n != 3 {
			t.Errorf("%d workers of 3", n)
		}
		mean, spread := q.lag.mean(time.Now()), q.lag.spread(q.Rate(), time.Now())
		if mean < 2*time.Second || mean > 2100*time.Millisecond || spread > 300*time.Millisecond {
			t.Errorf("latency %v, spread %v", mean, spread)
		}
		q.Observe(helpscout.Rate{Limit: 2_000_000, Remaining: 1, Sent: time.Now(), Received: time.Now(), Status: http.StatusOK})
		if n := q.Workers(64); n != 64 || !math.IsInf(q.Rate(), 1) {
			t.Errorf("%d workers, rate %v without a quota", n, q.Rate())
		}
	})
}

// TestQuotaOutlier: one answer of 20 s costs two units a minute, not the seven of a hundred of a spread of 20 s.
func TestQuotaOutlier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(400)
		m.sliding = true
		s := &scene{model: m, quota: NewQuota(1, 0), lo: 100 * time.Millisecond, hi: 200 * time.Millisecond, workers: 8}
		s.play(2 * time.Minute)
		s.quota.Observe(helpscout.Rate{
			Limit: 400, Remaining: 100, Status: http.StatusCreated, Sent: time.Now().Add(-20 * time.Second), Received: time.Now(),
		})
		time.Sleep(time.Second)
		if r := s.quota.Rate(); r < 390 || r > 398 {
			t.Errorf("rate %.1f of 400 a minute", r)
		}
	})
}

// TestQuotaOrder: answers that arrive in any order tell the same of others.
func TestQuotaOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQuota(1, 400)
		q.Write(t.Context())
		time.Sleep(2 * time.Minute)
		q.Write(t.Context())
		sent := time.Now()
		q.Observe(helpscout.Rate{Limit: 400, Remaining: 298, Status: 201, Write: true, Sent: sent, Received: sent})
		for i := range 50 {
			q.Observe(helpscout.Rate{
				Limit: 400, Remaining: rand.IntN(400), Status: 201, Sent: sent.Add(-time.Duration(i) * time.Second), Received: sent,
			})
		}
		if r := q.Rate(); math.Abs(r-299) > 3 {
			t.Errorf("rate %.1f where others use 100 of 400", r)
		}
	})
}

func BenchmarkQuotaLifted(b *testing.B) {
	q := NewQuota(1, 0)
	q.Read(b.Context())
	q.Observe(helpscout.Rate{Limit: 100_000_000, Remaining: 1, Sent: time.Now(), Received: time.Now(), Status: http.StatusOK})
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			q.Write(b.Context())
			now := time.Now()
			q.Observe(helpscout.Rate{Limit: 100_000_000, Remaining: 1, Sent: now, Received: now, Status: http.StatusCreated, Write: true})
		}
	})
}
