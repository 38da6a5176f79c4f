package importer

import (
	"testing"
	"time"

	"hsimport/importer/helpscout"
)

// TestClock: the skew is what the narrowest answer leaves no doubt about, and nothing where all is explained.
func TestClock(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 400e6, time.UTC)
	answer := func(date time.Time, took time.Duration) helpscout.Rate {
		return helpscout.Rate{Sent: at, Received: at.Add(took), Date: date.Truncate(time.Second), Status: 200}
	}
	for name, c := range map[string]struct {
		answers  []helpscout.Rate
		from, to time.Duration
	}{
		"no date":        {[]helpscout.Rate{{Sent: at, Received: at.Add(time.Second)}}, 0, 0},
		"the same clock": {[]helpscout.Rate{answer(at, 200*time.Millisecond)}, 0, 0},
		"a slow answer":  {[]helpscout.Rate{answer(at.Add(20*time.Second), 40*time.Second)}, 0, 0},
		"behind":         {[]helpscout.Rate{answer(at.Add(40*time.Second), 100*time.Millisecond)}, -40 * time.Second, -39 * time.Second},
		"ahead":          {[]helpscout.Rate{answer(at.Add(-2*time.Minute), 0)}, 119 * time.Second, 2 * time.Minute},
		"the narrowest":  {[]helpscout.Rate{answer(at, 5*time.Minute), answer(at.Add(time.Minute), time.Second), answer(at, time.Hour)}, -time.Minute, -58 * time.Second},
	} {
		q := NewQuota(1, 400)
		for _, r := range c.answers {
			q.Observe(r)
		}
		if got, known := q.Skew(); got < c.from || got > c.to || known != (name != "no date") {
			t.Errorf("%s: %s, %t, want %s to %s", name, got, known, c.from, c.to)
		}
	}
}
