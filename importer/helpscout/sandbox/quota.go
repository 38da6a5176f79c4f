package sandbox

import (
	"sync"
	"time"
)

// quota counts the units of the account. Reads cost 1, writes 2, and all programs of the account share one budget a
// minute (developer.helpscout.com/mailbox-api/overview/rate-limiting). Whether the minute is the calendar's or the
// last 60 seconds is not published.
type quota struct {
	mu     sync.Mutex
	minute int64   // fixed window: the calendar minute that used belongs to
	used   int     // units spent in the window
	events []spent // sliding window: what was spent, oldest first
	head   int     // first event that still counts
	rival  float64 // fraction of a unit that other programs have not spent yet
	rivalT time.Time

	units, foreign, refused int64 // totals since the start
}

type spent struct {
	at    time.Time
	units int
}

// verdict is what a call is told about the quota.
type verdict struct {
	ok        bool
	limit     int
	remaining int
	after     time.Duration // when refused: whole seconds until it fits
}

// take asks for units at the moment now.
func (q *quota) take(now time.Time, units int, s *Settings) verdict {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s.QuotaLimit == 0 {
		q.units += int64(units)
		return verdict{ok: true, limit: 1 << 30, remaining: 1 << 30}
	}
	q.roll(now, s)
	q.rivals(now, s)
	v := verdict{ok: q.used+units <= s.QuotaLimit, limit: s.QuotaLimit}
	if v.ok || s.QuotaCharge429 {
		q.spend(now, units, s)
	}
	if v.ok {
		q.units += int64(units)
	} else {
		q.refused++
		v.after = q.fits(now, units, s)
	}
	v.remaining = max(0, s.QuotaLimit-q.used)
	return v
}

// look reads the remaining units without spending any.
func (q *quota) look(now time.Time, s *Settings) verdict {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s.QuotaLimit == 0 {
		return verdict{ok: true, limit: 1 << 30, remaining: 1 << 30}
	}
	q.roll(now, s)
	q.rivals(now, s)
	return verdict{ok: true, limit: s.QuotaLimit, remaining: max(0, s.QuotaLimit-q.used)}
}

// roll forgets what has left the window.
func (q *quota) roll(now time.Time, s *Settings) {
	if s.QuotaWindow == "fixed" {
		if m := now.Unix() / 60; m != q.minute {
			q.minute, q.used = m, 0
			q.events, q.head = q.events[:0], 0
		}
		return
	}
	for q.head < len(q.events) && now.Sub(q.events[q.head].at) >= time.Minute {
		q.used -= q.events[q.head].units
		q.head++
	}
	if q.head > 1024 && q.head > len(q.events)/2 {
		q.events = append(q.events[:0], q.events[q.head:]...)
		q.head = 0
	}
}

func (q *quota) spend(at time.Time, units int, s *Settings) {
	if units <= 0 {
		return
	}
	q.used += units
	if s.QuotaWindow == "fixed" {
		return
	}
	if n := len(q.events); n > q.head && q.events[n-1].at.Equal(at) {
		q.events[n-1].units += units
		return
	}
	q.events = append(q.events, spent{at, units})
}

// rivals lets the other programs of the account spend what they have spent since the last look: evenly, and never
// beyond the limit, for they are refused too.
func (q *quota) rivals(now time.Time, s *Settings) {
	from := q.rivalT
	q.rivalT = now
	if s.Competitor <= 0 || from.IsZero() || !now.After(from) {
		return
	}
	if s.QuotaWindow == "fixed" {
		if start := time.Unix(now.Unix()/60*60, 0); from.Before(start) {
			from = start
		}
	} else if old := now.Add(-time.Minute); from.Before(old) {
		from = old
	}
	perSecond := s.Competitor * float64(s.QuotaLimit) / 60
	for from.Before(now) {
		step := min(now.Sub(from), time.Second)
		from = from.Add(step)
		q.rival += perSecond * step.Seconds()
		whole := int(q.rival)
		q.rival -= float64(whole)
		whole = min(whole, max(0, s.QuotaLimit-q.used))
		q.spend(from, whole, s)
		q.foreign += int64(whole)
	}
}

// fits tells after how many whole seconds a refused call would be accepted if nobody else called.
func (q *quota) fits(now time.Time, units int, s *Settings) time.Duration {
	next := time.Unix((now.Unix()/60+1)*60, 0)
	if s.QuotaWindow == "sliding" {
		next = now.Add(time.Minute)
		over := q.used + units - s.QuotaLimit
		for _, e := range q.events[q.head:] {
			if over -= e.units; over <= 0 {
				next = e.at.Add(time.Minute)
				break
			}
		}
	}
	wait := next.Sub(now)
	return max(time.Second, (wait + time.Second - 1).Truncate(time.Second))
}

// totals are the units spent by calls of ours, by rivals, and the number of refusals.
func (q *quota) totals() (units, foreign, refused int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.units, q.foreign, q.refused
}
