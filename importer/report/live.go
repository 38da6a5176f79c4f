package report

import (
	"time"
)

// ages are the columns of Monday morning: by how long ago the last message was, counted from the source's newest.
var ages = []struct {
	Name string
	max  time.Duration // exclusive; 0: no end
}{
	{"under 1 day", 24 * time.Hour},
	{"1 to 7 days", 7 * 24 * time.Hour},
	{"7 to 30 days", 30 * 24 * time.Hour},
	{"30 to 90 days", 90 * 24 * time.Hour},
	{"over 90 days", 0},
}

// A queue is what one assignee finds on Monday morning.
type queue struct {
	Active, Pending, Waiting int
	Ages                     [5]int
	Oldest                   time.Time // its least recently touched
}

func (c *Collector) queue(r ticketRef) {
	q := c.queues[r.Assignee]
	switch {
	case q != nil:
	case len(c.queues) >= maxQueues:
		q = &c.more
	default:
		q = &queue{}
		c.queues[r.Assignee] = q
	}
	c.n.live++
	if r.Status == "pending" {
		q.Pending++
	} else {
		q.Active++
	}
	if r.Waiting {
		q.Waiting++
		c.n.waiting++
	}
	q.Ages[ageOf(c.o.Newest.Sub(r.Last))]++
	if q.Oldest.IsZero() || r.Last.Before(q.Oldest) {
		q.Oldest = r.Last
	}
}

func ageOf(d time.Duration) int {
	for i, a := range ages {
		if a.max == 0 || d < a.max {
			return i
		}
	}
	return len(ages) - 1
}
