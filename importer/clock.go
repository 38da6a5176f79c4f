package importer

import (
	"time"

	"hsimport/importer/helpscout"
)

// clock compares our clock with the server's, by the Date of its answers. Each answer bounds the difference: the server
// wrote the date, in whole seconds, after the request went out and before its answer was here. The narrowest bounds
// of all answers are kept.
type clock struct {
	known     bool
	low, high time.Duration // our clock minus the server's
}

func (c *clock) observe(r helpscout.Rate) {
	if r.Date.IsZero() || r.Received.Before(r.Sent) {
		return
	}
	low, high := r.Sent.Sub(r.Date)-time.Second, r.Received.Sub(r.Date)
	if !c.known || high-low < c.high-c.low {
		c.known, c.low, c.high = true, low, high
	}
}

// skew is the smallest difference that explains the answers; 0 when none does.
func (c *clock) skew() time.Duration {
	switch {
	case !c.known || c.low <= 0 && c.high >= 0:
		return 0
	case c.low > 0:
		return c.low
	}
	return c.high
}

// Closed is until when nothing at all goes out because the server has answered 429; the zero time when something may.
func (q *Quota) Closed() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.gate.probing || !q.gate.until.After(time.Now()) {
		return time.Time{}
	}
	return q.gate.until
}

// Skew is how far our clock is at least ahead of the server's (behind it when negative). It is not known when no answer
// has told the server's time.
func (q *Quota) Skew() (skew time.Duration, known bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.clock.skew(), q.clock.known
}
