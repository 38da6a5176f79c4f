package importer

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hsimport/importer/helpscout"
)

// model is a server that counts units as Help Scout may. Everything that nobody has published is a field.
type model struct {
	limit   int
	sliding bool          // windows: the last 60 s, or calendar minutes
	phase   time.Duration // where fixed windows begin
	charge  bool          // a 429 is counted too
	mute    bool          // no rate headers
	noAfter bool          // a 429 does not say how long

	mu      sync.Mutex
	hits    []hit
	begin   time.Time
	used    int
	tooMany map[string][]time.Time // 429s by program
	good    map[string][]hit       // accepted
	taken   map[string][]hit       // counted
}

type hit struct {
	at    time.Time
	units int
}

func newModel(limit int) *model {
	return &model{limit: limit, tooMany: map[string][]time.Time{}, good: map[string][]hit{}, taken: map[string][]hit{}}
}

// roll forgets what has left the window.
func (m *model) roll(now time.Time) {
	if !m.sliding {
		if b := now.Add(-m.phase).Truncate(window).Add(m.phase); b.After(m.begin) {
			m.begin, m.used = b, 0
		}
		return
	}
	for len(m.hits) > 0 && now.Sub(m.hits[0].at) >= window {
		m.used -= m.hits[0].units
		m.hits = m.hits[1:]
	}
}

// arrive is a request reaching the server.
func (m *model) arrive(who string, units int) helpscout.Rate {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.roll(now)
	r := helpscout.Rate{Limit: m.limit, Status: http.StatusCreated, Write: units == 2}
	ok := m.used+units <= m.limit
	if ok || m.charge {
		m.used += units
		m.hits = append(m.hits, hit{now, units})
		m.taken[who] = append(m.taken[who], hit{now, units})
	}
	if ok {
		m.good[who] = append(m.good[who], hit{now, units})
	} else {
		r.Status, r.After = http.StatusTooManyRequests, m.after(now, units)
		m.tooMany[who] = append(m.tooMany[who], now)
	}
	r.Remaining = max(0, m.limit-m.used)
	if m.noAfter {
		r.After = 0
	}
	if m.mute {
		r.Limit, r.Remaining = -1, -1
	}
	return r
}

// after is the whole seconds until a request of so many units can succeed.
func (m *model) after(now time.Time, units int) time.Duration {
	until := m.begin.Add(window)
	if m.sliding {
		free := m.limit - m.used
		for _, h := range m.hits {
			if free += h.units; free >= units {
				until = h.at.Add(window)
				break
			}
		}
	}
	return time.Duration(math.Ceil(until.Sub(now).Seconds())) * time.Second
}

// count is the units of who that were accepted from..to after the start.
func count(hits []hit, from, to time.Time) (units int) {
	for _, h := range hits {
		if !h.at.Before(from) && h.at.Before(to) {
			units += h.units
		}
	}
	return units
}

// volleys counts groups of 429s that lie more than a second apart.
func volleys(at []time.Time) (n int) {
	var last time.Time
	for _, t := range at {
		if t.Sub(last) > time.Second {
			n++
		}
		last = t
	}
	return n
}

// scene is one run against a model.
type scene struct {
	*model
	quota   *Quota
	lo, hi  time.Duration // latency of an answer, evenly spread
	workers int
	rival   float64 // share of the limit that another program wants
	habit   string  // how it asks, of habits
	seed    uint64
	shadow  *model // sees the rival only: what it would have had without us
}

// habits are how rivals ask: at regular moments, at random, in bursts, or all at the full minute; in waves, for some minutes more
// than the mean and for some less.
var habits = []string{"even", "random", "bursts", "cron", "waves"}

// play runs for so long; it returns when all workers have stopped.
func (s *scene) play(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	s.shadow = newModel(s.limit)
	s.shadow.sliding, s.shadow.charge, s.shadow.phase = s.sliding, s.charge, s.phase
	defer cancel()
	var wg sync.WaitGroup
	for i := range s.workers {
		rnd := rand.New(rand.NewPCG(1, uint64(i)))
		wg.Go(func() {
			for s.quota.Write(ctx) == nil {
				s.request(rnd)
			}
		})
	}
	wg.Go(func() { s.compete(ctx) })
	wg.Wait()
}

func (s *scene) request(rnd *rand.Rand) helpscout.Rate {
	sent := time.Now()
	took := s.lo + time.Duration(rnd.Float64()*float64(s.hi-s.lo))
	there := time.Duration(rnd.Float64() * float64(took)) // the road there may be all of it
	time.Sleep(there)
	r := s.arrive("us", 2)
	time.Sleep(took - there)
	r.Sent, r.Received = sent, time.Now()
	s.quota.Observe(r)
	return r
}

// compete is another program, which takes no notice of what it is told.
func (s *scene) compete(ctx context.Context) {
	if s.rival == 0 {
		return
	}
	rnd := rand.New(rand.NewPCG(2, 3+s.seed))
	start := time.Now()
	for {
		time.Sleep(s.gap(rnd, time.Since(start)))
		if ctx.Err() != nil {
			return
		}
		s.arrive("rival", 1)
		s.shadow.arrive("rival", 1)
	}
}

// gap is the time from one request of the rival to its next.
func (s *scene) gap(rnd *rand.Rand, at time.Duration) time.Duration {
	mean := window.Seconds() / (s.rival * float64(s.limit)) * float64(time.Second)
	crowd := func(period, busy time.Duration) time.Duration {
		if at%period < busy {
			return time.Duration(mean * busy.Seconds() / period.Seconds())
		}
		return period - at%period
	}
	switch s.habit {
	case "random":
		return time.Duration(rnd.ExpFloat64() * mean)
	case "bursts":
		return crowd(20*time.Second, 4*time.Second)
	case "cron":
		return crowd(window, 10*time.Second)
	case "waves":
		more := min(0.6, 0.95/s.rival-1)
		if at%(6*time.Minute) < 3*time.Minute {
			more = -more
		}
		return time.Duration(mean / (1 + more))
	}
	return time.Duration(mean)
}

func (m *model) String() string {
	kind := "fixed"
	if m.sliding {
		kind = "sliding"
	}
	charged := "free429"
	if m.charge {
		charged = "charged429"
	}
	return fmt.Sprintf("%d/%s/%s", m.limit, kind, charged)
}

// A night judges one play by its sums; complain notes what was not as it should be.
type night func(t *testing.T, m *model, complain func(format string, args ...any))

// everyModel plays a night for each way a server may count. Calls meet in another order each time, even on virtual time, so
// that one play in a hundred is unlucky: a complaint counts when the next play has one too.
func everyModel(t *testing.T, limits []int, play night) {
	for _, limit := range limits {
		for _, sliding := range []bool{false, true} {
			for _, charge := range []bool{false, true} {
				fresh := func() *model {
					m := newModel(limit)
					m.sliding, m.charge, m.phase = sliding, charge, 17*time.Second
					return m
				}
				t.Run(fresh().String(), func(t *testing.T) {
					for try := range 2 {
						var complaints []string
						complain := func(format string, args ...any) { complaints = append(complaints, fmt.Sprintf(format, args...)) }
						synctest.Test(t, func(t *testing.T) { play(t, fresh(), complain) })
						if len(complaints) == 0 {
							return
						}
						t.Logf("play %d: %s", try+1, strings.Join(complaints, "; "))
					}
					t.Error("twice in a row")
				})
			}
		}
	}
}
