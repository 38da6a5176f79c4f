package importer

import (
	"fmt"
	"testing"
	"time"
)

// TestQuotaRival: beside another program we use what it leaves and leave what it wants. What it wants is what it gets
// from a server where it is alone, and it takes no notice of a 429.
func TestQuotaRival(t *testing.T) {
	shares, limits := []float64{0.02, 0.25, 0.5, 0.75, 0.9}, []int{200, 400}
	if testing.Short() {
		shares, limits = shares[2:3], limits[:1]
	}
	for _, habit := range habits {
		for _, rival := range shares {
			t.Run(fmt.Sprintf("%s/%v", habit, rival), func(t *testing.T) {
				everyModel(t, limits, func(t *testing.T, m *model, complain func(string, ...any)) {
					testRival(t, m, habit, rival, complain)
				})
			})
		}
	}
}

func testRival(t *testing.T, m *model, habit string, rival float64, complain func(string, ...any)) {
	const minutes, first = 20, 5 // the first minutes, when nothing is known of it, do not count
	s := &scene{
		model: m, quota: NewQuota(1, 0), lo: 100 * time.Millisecond, hi: 400 * time.Millisecond, workers: 16,
		rival: rival, habit: habit,
	}
	start := time.Now()
	s.play(minutes * time.Minute)
	from, to := start.Add(first*time.Minute), start.Add(minutes*time.Minute)
	left := (minutes-first)*m.limit - count(s.shadow.taken["rival"], from, to)
	share := float64(count(m.good["us"], from, to)) / float64(left)
	refused := 1 - float64(count(m.good["rival"], from, to))/float64(count(s.shadow.good["rival"], from, to))
	n := volleys(m.tooMany["us"])
	t.Logf("used %.1f %% of what it leaves, took %.1f %% of what it wants, %d volleys of 429s in %d minutes", 100*share, 100*refused, n, minutes)
	least, most := wanted(s)
	if share < least {
		complain("used %.1f %% of what is left, want %.0f %%", 100*share, 100*least)
	}
	if refused > most {
		complain("took %.1f %% of what the other wants, may take %.0f %%", 100*refused, 100*most)
	}
	often := minutes * 5 / 4 // about one a minute, when the other has come back
	if m.sliding && m.charge {
		often = minutes * 3 / 2 // each refused call of the other keeps the count full
	}
	if n > often {
		complain("%d volleys of 429s in %d minutes", n, minutes)
	}
}

// wanted is the least share of what is left that we must use, and the largest share of what the other wants that it
// may miss: just under what is reached. See usage for why it is less than 95 % beside rivals that leave a few writes a
// minute, or that crowd, or that a server counts when it refuses them.
func wanted(s *scene) (share, refused float64) {
	crowd := s.habit == "bursts" || s.habit == "cron"
	charged := s.sliding && s.charge // a call that is refused is lost for a whole window
	switch {
	case s.rival <= 0.25 && charged:
		return 0.92, 0.03
	case s.rival <= 0.25:
		return 0.95, 0.03
	case s.rival <= 0.5 && charged:
		return 0.80, 0.18
	case s.rival <= 0.5:
		return 0.89, 0.06
	case charged && s.habit == "even":
		return 0.76, 0.05
	case charged && s.rival <= 0.75:
		return 0.66, 0.30
	case charged:
		return 0.45, 0.30
	case crowd && s.rival > 0.75:
		return 0.30, 0.20
	case crowd:
		return 0.30, 0.18
	case s.rival <= 0.75:
		return 0.90, 0.13
	}
	return 0.84, 0.15
}
