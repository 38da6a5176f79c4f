package importer

import (
	"math"
	"net/http"
	"slices"
	"time"

	"hsimport/importer/helpscout"
)

// unsettled is how long the count may still be that of the window before.
const unsettled = 2 * time.Second

// horizon is how far ahead the use of a sliding window is planned.
const horizon = 5 * time.Second

// ledger counts units by time, for a little more than the last two windows.
type ledger struct {
	base  time.Time        // of the slots; the clock of the machine may be set while a run goes on
	total [ledgerSlots]int // all units up to the end of a slot
	last  int64            // the newest slot
}

const (
	ledgerSlot  = 50 * time.Millisecond
	ledgerSlots = int64(130 * time.Second / ledgerSlot)
)

func (l *ledger) slot(t time.Time) int64 { return int64(t.Sub(l.base)/ledgerSlot) + 1 }

func (l *ledger) add(t time.Time, units int) {
	if l.base.IsZero() {
		l.base = t
	}
	slot := max(l.slot(t), l.last)
	total := l.total[l.last%ledgerSlots]
	for s := max(l.last+1, slot-ledgerSlots+1); s <= slot; s++ {
		l.total[s%ledgerSlots] = total
	}
	l.last = slot
	l.total[slot%ledgerSlots] = total + units
}

// upTo is all units until t.
func (l *ledger) upTo(t time.Time) int {
	slot := min(l.slot(t), l.last)
	return l.total[max(slot, l.last-ledgerSlots+1, 0)%ledgerSlots]
}

func (l *ledger) between(from, to time.Time) int { return l.upTo(to) - l.upTo(from) }

// usage tells what other programs use of the account's quota, and what they leave.
//
// The server's count, limit - Remaining, is of its current window: the last 60 s where windows slide, the time since
// the last full minute (of its clock) where they are fixed. What of it is not ours is theirs. Nobody has published
// which kind it is, so it is found out: a count that is far below what we ourselves were granted in the last 60 s
// proves that a fixed window has begun in between. Without that, our own units of the window before would hide what
// others use until the window is used up, and the others, who are the account's daily business, would be turned away
// at the end of every one.
//
// In a sliding window we send what brings the count to the limit, less what is kept free, five seconds from now: what
// is free and what of ours will have left the window by then. A plan for a whole minute would follow others a minute
// late. In a fixed window we spread over its rest what others will leave of it, who go on as in the windows before
// (their profile) and as they have begun in this one.
//
// What is kept free is what polite costs. A count at its limit refuses others too, and who is refused counts for less
// than they want, so that whoever fills every gap drives them out unseen. See keep.
//
// Where others leave little, 95 % of it is out of reach. Beside 90 % of 200 a minute 20 are left, and one write kept
// free is 10 % of them; of 400, 5 %. Others who ask at random, 360 times a minute, vary by their square root, 19, of
// the 40 that they leave; our own units stay in a sliding window for a minute, so that 19 is what would have to be
// kept free. Where 429s are charged, each call of theirs that meets a full count keeps it full.
type usage struct {
	spent     ledger    // granted
	refused   ledger    // answered 429: not counted by some servers
	confirmed ledger    // answered, and surely counted
	started   time.Time // first grant

	measured bool // foreign can be believed, the first two minutes are over

	newest  time.Time // when the newest answer seen was sent
	used    int       // units in the server's window, as it said
	foreign float64   // units a minute of others; 0 in the first minute
	mean    float64   // foreign over the last seconds, of sliding windows
	retryAt time.Time // when the last 429 promised an end
	volley  time.Time // when the last 429 came that was not of the same volley as the one before
	care    float64   // units kept free, see keep

	begin   time.Time // of the fixed window; zero: no proof that windows are fixed
	proven  time.Time // when that was proven last
	settled bool      // this window was seen to begin, not only foreseen
	current float64   // of others in this window
	full    bool      // this window was used up before its last step
	usual   profile   // of others in the windows before
	plan    profile   // of others in this one, as far as it is known, and as foreseen from there
}

// observe takes in an answer. Only the newest sent counts: the others tell an older story.
func (u *usage) observe(r helpscout.Rate, limit int) {
	units := 1
	if r.Write {
		units = 2
	}
	switch {
	case r.Status == http.StatusTooManyRequests:
		u.refused.add(r.Received, units)
		if limit > 0 && r.Sent.After(u.volley) {
			u.volley = r.Received
			u.care += float64(limit) / 200
		}
		if r.After > 0 {
			u.retryAt = r.Received.Add(r.After)
		}
	case r.Status < 500 && r.Status != http.StatusUnauthorized:
		u.confirmed.add(r.Received, units)
	}
	if limit <= 0 || r.Remaining < 0 || !r.Sent.After(u.newest) {
		return
	}
	before, had := u.newest, u.used
	u.newest, u.used = r.Sent, max(0, limit-r.Remaining)
	if !before.IsZero() {
		u.keep(r.Sent.Sub(before), r.Remaining)
	}
	u.findWindow(before, had)
	if u.started.IsZero() || r.Sent.Sub(u.started) < window {
		return
	}
	u.measured = r.Sent.Sub(u.started) >= 2*window
	if u.begin.IsZero() {
		u.foreign = max(0, float64(u.used-u.mine(r.Sent.Add(-window), r.Sent)))
		u.mean += (u.foreign - u.mean) * (1 - math.Exp(-r.Sent.Sub(before).Seconds()/8))
		return
	}
	if !u.settled && r.Sent.Sub(u.begin) < unsettled {
		return // it may still be of the window before
	}
	u.current = max(0, float64(u.used-u.mine(u.begin, r.Sent)))
	u.full = u.full || r.Remaining < burst && u.rest(r.Sent) > step.Seconds()
	u.foresee()
}

// keep adjusts what is kept free for others, so that they find room and we meet no 429: it grows with every volley
// (see observe), and by a fifth of what others would have used while the count was full, when they were refused and
// so count for less than they want; it is forgotten in two minutes.
func (u *usage) keep(since time.Duration, remaining int) {
	u.care *= math.Exp(-since.Minutes() / 2)
	if remaining < burst {
		u.care += min(since, 10*time.Second).Minutes() * u.foreign / 5
	}
}

// mine is what of the server's count is ours: what was granted, less what was refused.
func (u *usage) mine(from, to time.Time) int {
	return u.spent.between(from, to) - u.refused.between(from, to)
}

// findWindow proves fixed windows and finds where they begin, or drops what is not proven any more. Before and had
// are of the answer that was the newest until now.
func (u *usage) findWindow(before time.Time, had int) {
	const enough = 6 // units that prove something
	for !u.begin.IsZero() && u.newest.Sub(u.begin) >= window {
		u.close()
		u.begin, u.settled = u.begin.Add(window), false
	}
	foreseen := before.Before(u.begin) && u.newest.Sub(before) < window/4 // then less is enough
	ours := u.confirmed.between(u.newest.Add(-window), u.newest)
	switch {
	case !foreseen && ours < enough:
	case (foreseen || 2*u.used < ours) && 2*u.used < had:
		u.proven, u.settled = u.newest, true
		u.restart(before)
	case !u.begin.IsZero() && u.newest.Sub(u.proven) > 5*window/2:
		u.begin, u.current, u.full = time.Time{}, 0, false
	}
}

// restart is told that the window began between two answers, before and newest.
func (u *usage) restart(before time.Time) {
	at := u.newest.Add(-u.newest.Sub(before) / 2)
	switch {
	case u.begin.After(before) && !u.begin.After(u.newest):
		return // as foreseen
	case u.retryAt.After(before) && u.retryAt.Before(u.newest):
		at = u.retryAt
	}
	switch {
	case u.begin.IsZero():
		u.usual.even(u.foreign)
		u.plan = u.usual
	case at.Sub(u.begin) > unsettled: // else it was closed when it was foreseen
		u.close()
	}
	u.begin, u.current = at, 0
}

// close ends a fixed window: what others used in it is what the next one begins with. Where the count was full early,
// they were refused and wanted more than they got.
func (u *usage) close() {
	for i, usual := range u.usual {
		u.usual[i] = (usual + u.plan[i]) / 2
		if u.full {
			u.usual[i] = max(usual, u.plan[i])
		}
	}
	u.plan, u.current, u.full = u.usual, 0, false
}

// foresee tells what others will have used at the end of this fixed window: they go on as in the windows before,
// and, the longer this window lasts the more, as in this one.
func (u *usage) foresee() {
	const trust = 30 * time.Second // that the past weighs
	at := u.newest.Sub(u.begin)
	usual := u.usual.upTo(at)
	more := (u.current - usual) / (at + trust).Seconds()
	for i := range u.plan {
		if end := time.Duration(i+1) * step; end > at {
			u.plan[i] = max(u.current, u.current+u.usual[i]-usual+more*(end-at).Seconds())
		}
	}
	u.foreign = u.plan[len(u.plan)-1]
}

// profile is what others have used by the end of each step of a fixed window.
type profile [12]float64

const step = window / 12

func (p *profile) even(units float64) {
	for i := range p {
		p[i] = units * float64(i+1) / float64(len(p))
	}
}

// upTo is what others have used in the first d of the window.
func (p *profile) upTo(d time.Duration) float64 {
	i := min(int(max(0, d)/step), len(p)-1)
	before := 0.0
	if i > 0 {
		before = p[i-1]
	}
	return before + (p[i]-before)*min(1, (d-time.Duration(i)*step).Seconds()/step.Seconds())
}

// rest is the time left in the fixed window, in seconds.
func (u *usage) rest(t time.Time) float64 { return max(0, u.begin.Add(window).Sub(t).Seconds()) }

// left is the rate, in units a minute, at which what others leave is used up and no more; +Inf when it does not
// matter.
func (u *usage) left(now time.Time, limit int) float64 {
	if u.foreign <= u.noise(now, limit) {
		return math.Inf(1)
	}
	if u.begin.IsZero() {
		others := u.foreign + max(0, u.foreign-u.mean)
		free := float64(limit) - others - 1 - u.care - float64(u.mine(now.Add(horizon-window), now))
		return free / horizon.Minutes()
	}
	if now.Sub(u.begin) >= window {
		return float64(limit) - u.usual[len(u.usual)-1]
	}
	rest := max(1, u.rest(now))
	free := float64(limit) - u.foreign - float64(u.mine(u.begin, now))
	return free / rest * window.Seconds()
}

// noise is what foreign use may seem to be although we are alone: the server has counted some of what was sent after
// the answer, and not yet some of what was sent before. Who has seen a 429 lately is not alone.
func (u *usage) noise(now time.Time, limit int) float64 {
	if u.begin.IsZero() && now.Sub(u.volley) < 10*window {
		return 1
	}
	return max(4, float64(limit)/50)
}

// latency keeps the times that answers took, of the last minute or two.
type latency struct {
	samples []sample
	next    int
	sorted  []time.Duration
	at      time.Time // when sorted was made
	sum     time.Duration
}

type sample struct {
	at   time.Time
	took time.Duration
}

const (
	maxSamples = 512
	firstGuess = 300 * time.Millisecond // the spread until there is a minute of answers
)

func (l *latency) add(at time.Time, took time.Duration) {
	if took < 0 {
		return
	}
	s := sample{at, took}
	if len(l.samples) < maxSamples {
		l.samples = append(l.samples, s)
		return
	}
	l.samples[l.next] = s
	l.next = (l.next + 1) % maxSamples
}

// recent brings sorted up to date, at most once a second.
func (l *latency) recent(now time.Time) []time.Duration {
	if l.at.IsZero() || now.Sub(l.at) >= time.Second {
		l.at, l.sum, l.sorted = now, 0, l.sorted[:0]
		for _, s := range l.samples {
			if now.Sub(s.at) <= 2*window {
				l.sorted = append(l.sorted, s.took)
				l.sum += s.took
			}
		}
		slices.Sort(l.sorted)
	}
	return l.sorted
}

func (l *latency) mean(now time.Time) time.Duration {
	if n := len(l.recent(now)); n > 0 {
		return l.sum / time.Duration(n)
	}
	return 0
}

// cut finds the spread that costs least at a rate in units a minute: either all answers are within it, or those
// beyond it are outliers, each of which can bring two units late into a window.
func (l *latency) cut(perMinute float64, now time.Time) (spread time.Duration, outliers int) {
	all := l.recent(now)
	n := len(all)
	if n == 0 {
		return firstGuess, 0
	}
	best := math.Inf(1)
	for out := 0; out < n && out <= 10; out++ {
		d := all[n-1-out] - all[0]
		if cost := perMinute*d.Minutes() + float64(burst*out); cost < best {
			best, spread, outliers = cost, d, out
		}
	}
	if n < 50 {
		spread = max(spread, firstGuess)
	}
	return spread, outliers
}

func (l *latency) spread(perMinute float64, now time.Time) time.Duration {
	if math.IsInf(perMinute, 1) {
		all := l.recent(now)
		if len(all) == 0 {
			return 0
		}
		return all[len(all)-1] - all[0]
	}
	d, _ := l.cut(perMinute, now)
	return d
}

// margin takes off what may arrive in one window although it was sent in two: rate x spread.
func (l *latency) margin(perMinute float64, now time.Time) float64 {
	spread, outliers := l.cut(perMinute, now)
	return (perMinute - float64(burst*outliers)) / (1 + (spread + tick).Minutes())
}

// quotaCount is the account for Stats.
type quotaCount struct {
	units, requests int
	throttled       int
	waited          time.Duration
	permitted       float64       // units that could have been granted while there was work
	busy            time.Duration // with work
	seen            time.Time     // until when permitted is counted
}

// ask counts the time since the last event as work, unless nobody asked for long.
func (c *quotaCount) ask(now time.Time, waiting bool, perMinute float64) {
	if !waiting && now.Sub(c.seen) > idleAfter {
		c.seen = now
	}
	c.advance(now, perMinute)
}

func (c *quotaCount) advance(now time.Time, perMinute float64) {
	if d := now.Sub(c.seen); d > 0 {
		c.permitted += perMinute * d.Minutes()
		c.busy += d
		c.seen = now
	}
}

func (c *quotaCount) spend(now time.Time, units int, perMinute float64) {
	c.advance(now, perMinute)
	c.units += units
	c.requests++
}

func (c *quotaCount) unitsPerRequest() float64 {
	if c.requests == 0 {
		return burst
	}
	return float64(c.units) / float64(c.requests)
}
