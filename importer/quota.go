package importer

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"hsimport/importer/helpscout"
)

const (
	window      = time.Minute
	burst       = 2                // units; a write must fit
	fence       = burst - 1        // a bucket of two lets fewer than rate+2 out in a window, and units are whole
	defaultWait = window           // after a 429 that names no time
	patience    = 15 * time.Second // how long a probe may go unanswered before another request probes
	look        = time.Second      // how often who waits looks whether the rate has changed
	tick        = time.Millisecond // shorter waits are not worth a timer; the limiter remembers them
	idleAfter   = 10 * time.Second // a gap without a request as long as this is no work
	unlimited   = 1.2e6            // units a minute from which the quota is as good as lifted
)

// Quota grants units of the account's quota to all workers together: a write costs two, a read one.
//
// One limiter runs at (limit x share - 1 - rate x spread of latency) units a minute, so that no window of the
// server, fixed or sliding, ever sees more than the limit. What others use is taken off (see [usage]). After a 429 a
// gate before the limiter closes for everybody; when it is time, one request probes, and only its success lets the
// others go on. Until the first answer, which tells the limit, one request at a time probes as well.
//
// https://developer.helpscout.com/mailbox-api/overview/rate-limiting
type Quota struct {
	share float64
	turn  chan struct{} // one waits at the limiter, the others for their turn

	mu      sync.Mutex
	limiter *rate.Limiter
	changed chan struct{} // closed when what is waited for may have changed
	limit   int           // units a minute; 0 unknown, or none
	known   bool          // an answer, or the caller, has settled whether there is a limit
	gate    gate
	lag     latency
	clock   clock
	use     usage
	stats   quotaCount
	waiting int
}

// QuotaStats is what became of the quota so far.
type QuotaStats struct {
	Units       int           // granted
	Limit       int           // units a minute of the account; 0 unknown
	Share       float64       // of the limit that we may take
	Utilization float64       // units granted / units permitted (share, less what others used) while there was work; 0 without a limit
	Throttled   int           // 429s seen
	Waited      time.Duration // of all workers together
}

// NewQuota makes a quota of which share (0 < share <= 1) is ours. The limit is in units a minute, 0 when only the first
// answer will tell it.
func NewQuota(share float64, limit int) *Quota {
	if !(share > 0 && share <= 1) {
		share = 1
	}
	q := &Quota{
		share:   share,
		turn:    make(chan struct{}, 1),
		limiter: rate.NewLimiter(rate.Inf, burst),
		changed: make(chan struct{}),
		limit:   max(0, limit),
		known:   limit > 0,
	}
	q.gate.probing = !q.known
	q.adjust(time.Now())
	return q
}

// Read waits until one unit may be spent; its request must go out at once. The only error is that of ctx.
func (q *Quota) Read(ctx context.Context) error { return q.wait(ctx, 1) }

// Write waits until two units may be spent, as Read does for one.
func (q *Quota) Write(ctx context.Context) error { return q.wait(ctx, 2) }

func (q *Quota) wait(ctx context.Context, units int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	asked := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stats.ask(asked, q.waiting > 0, q.permitted())
	if q.limiter.Limit() == rate.Inf && q.gate.pass(asked) {
		q.grant(asked, units)
		return nil
	}
	q.waiting++
	defer func() { q.waiting--; q.stats.waited += time.Since(asked) }()
	q.mu.Unlock()
	var err error
	select {
	case q.turn <- struct{}{}:
		defer func() { <-q.turn }()
	case <-ctx.Done():
		err = ctx.Err()
	}
	q.mu.Lock()
	if err != nil {
		return err
	}
	return q.next(ctx, units)
}

// next waits at the gate, then at the limiter. q.mu is held on entry and on return.
func (q *Quota) next(ctx context.Context, units int) error {
	for {
		now := time.Now()
		q.adjust(now) // time passes without answers too
		wait := q.gate.wait(now)
		var r *rate.Reservation
		if wait == 0 {
			r = q.limiter.ReserveN(now, units)
			wait = r.DelayFrom(now)
		}
		var fired bool
		var err error
		if r == nil || wait >= tick {
			fired, err = q.sleep(ctx, min(wait, look))
			now = time.Now()
		}
		switch {
		case r == nil:
		case (wait < tick || fired && wait <= look) && q.gate.pass(now):
			q.grant(now, units)
			return nil
		default:
			r.CancelAt(now)
		}
		if err != nil {
			return err
		}
	}
}

// sleep gives up q.mu for d, or until something changed, or ctx ends.
func (q *Quota) sleep(ctx context.Context, d time.Duration) (fired bool, err error) {
	changed := q.changed
	q.mu.Unlock()
	defer q.mu.Lock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true, nil
	case <-changed:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// grant writes down that units go out now.
func (q *Quota) grant(now time.Time, units int) {
	q.stats.spend(now, units, q.permitted())
	q.use.spent.add(now, units)
	if q.use.started.IsZero() {
		q.use.started = now
	}
}

// Observe takes in what an answer said. Answers may come in any order.
func (q *Quota) Observe(r helpscout.Rate) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.clock.observe(r)
	q.lag.add(r.Received, r.Received.Sub(r.Sent))
	if r.Status == http.StatusTooManyRequests {
		q.stats.throttled++
	}
	switch {
	case r.Limit > 0:
		q.limit, q.known = r.Limit, true
	case r.Status < 500 && r.Status != http.StatusTooManyRequests:
		q.known = true // whoever answers keeps no count
	}
	measured := q.use.measured
	q.use.observe(r, q.limit)
	if !measured && q.use.measured {
		q.stats.permitted = q.permitted() * q.stats.busy.Minutes() // others were there before we saw it
	}
	if q.gate.observe(r, q.known) {
		q.signal()
	}
	q.adjust(r.Received)
}

// adjust sets the limiter's rate.
func (q *Quota) adjust(now time.Time) {
	target := rate.Inf
	if perMinute := q.rate(now); !math.IsInf(perMinute, 1) {
		target = rate.Limit(perMinute / window.Seconds())
	}
	old := q.limiter.Limit()
	if target == old {
		return
	}
	q.limiter.SetLimitAt(now, target)
	if old == rate.Inf {
		q.limiter.ReserveN(now, burst) // whoever ran before us, and was killed, may have spent the burst of this window
	}
	if target > old*1.05 || target < old*0.95 {
		q.signal()
	}
}

// signal wakes whoever waits, to look again.
func (q *Quota) signal() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// rate is what the limiter should run at, in units a minute.
func (q *Quota) rate(now time.Time) float64 {
	if q.limit == 0 || float64(q.limit)*q.share >= unlimited {
		return math.Inf(1)
	}
	return max(min(q.own(now), q.use.left(now, q.limit)), burst, float64(q.limit)/50)
}

// own is the rate at which we alone fill no window, in units a minute.
func (q *Quota) own(now time.Time) float64 { return q.lag.margin(float64(q.limit)*q.share-fence, now) }

// steady is the mean of rate as long as others go on as they do.
func (q *Quota) steady(now time.Time) float64 {
	perMinute := q.rate(now)
	if math.IsInf(perMinute, 1) {
		return perMinute
	}
	return min(q.own(now), max(float64(q.limit)/50, float64(q.limit)-q.use.foreign))
}

// permitted is what we may use in a minute when nothing is lost to margins; 0 when there is no limit.
func (q *Quota) permitted() float64 {
	return max(0, min(float64(q.limit)*q.share, float64(q.limit)-q.use.foreign))
}

// Why says what a request waits for right now, for people; empty when none waits.
func (q *Quota) Why() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	wait := q.gate.until.Sub(now)
	switch {
	case q.waiting == 0:
		return ""
	case q.gate.probing && wait > 0:
		return fmt.Sprintf("429, %d s more", int(math.Ceil(wait.Seconds())))
	case q.gate.probing && !q.known:
		return "the first answer, which tells the quota"
	case q.gate.probing:
		return "one request tries whether the quota is open again"
	case q.limit == 0:
		return ""
	case q.use.foreign >= 1 && float64(q.limit)-q.use.foreign < float64(q.limit)*q.share:
		return fmt.Sprintf("another program uses %.0f of %d a minute", q.use.foreign, q.limit)
	case q.share < 1:
		return fmt.Sprintf("the quota: %.0f of %d a minute", q.share*float64(q.limit), q.limit)
	}
	return fmt.Sprintf("the quota: %d a minute", q.limit)
}

// Stats is the account of the quota so far.
func (q *Quota) Stats() QuotaStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := QuotaStats{
		Units: q.stats.units, Limit: q.limit, Share: q.share, Throttled: q.stats.throttled, Waited: q.stats.waited,
	}
	if q.stats.permitted > 0 {
		s.Utilization = min(1, float64(s.Units)/(q.stats.permitted+burst))
	}
	return s
}

// Rate is the units a minute that are granted while others go on as they do; +Inf without a limit.
func (q *Quota) Rate() float64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.steady(time.Now())
}

// Workers is how many requests may usefully be in flight, 1..max: as many as go out while one is under way.
func (q *Quota) Workers(most int) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	perMinute := q.steady(now)
	switch {
	case most < 1:
		return 1
	case !q.known:
		return min(most, 4)
	case math.IsInf(perMinute, 1):
		return most
	}
	perSecond := perMinute / window.Seconds() / q.stats.unitsPerRequest()
	slow := q.lag.mean(now) + q.lag.spread(perMinute, now)
	return max(1, min(most, 1+int(math.Ceil(perSecond*slow.Seconds()))))
}

// gate holds back all requests after a 429, and lets one go first.
type gate struct {
	probing bool      // closed: only a probe may pass
	until   time.Time // and that not before
	probe   time.Time // when the last one went; zero: none is under way
	opened  time.Time // when the request was sent whose answer opened the gate last
}

// wait is how long a request has to wait before it may pass.
func (g *gate) wait(now time.Time) time.Duration {
	switch {
	case !g.probing:
		return 0
	case now.Before(g.until):
		return g.until.Sub(now)
	case g.probe.IsZero():
		return 0
	}
	return max(0, g.probe.Add(patience).Sub(now))
}

// pass lets a request through, if it may. The first through a closed gate is the probe.
func (g *gate) pass(now time.Time) bool {
	if g.wait(now) > 0 {
		return false
	}
	if g.probing {
		g.probe = now
	}
	return true
}

// observe closes and opens the gate; it reports whether that changed.
func (g *gate) observe(r helpscout.Rate, known bool) bool {
	if r.Status == http.StatusTooManyRequests {
		if r.Sent.Before(g.opened) {
			return false // of a volley that is over
		}
		after := r.After
		if after <= 0 {
			after = defaultWait
		}
		if until := r.Received.Add(after); until.After(g.until) {
			g.until = until
		}
		g.probing, g.probe = true, time.Time{}
		return true
	}
	if !g.probing || !known || g.probe.IsZero() || r.Sent.Before(g.probe) {
		return false
	}
	g.probing, g.probe, g.opened = false, time.Time{}, r.Sent
	return true
}
