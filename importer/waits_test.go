package importer_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
)

// TestPausesAreTold: while the server refuses everything for a while, who watches is told at once, with the reason and
// the end, and once for each pause; the same for an outage.
func TestPausesAreTold(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(60)...)
		n := 0
		b.box.Inject(func(op sandbox.Op) *sandbox.Fault {
			if op.Kind != "create" {
				return nil
			}
			if n++; n == 30 {
				return &sandbox.Fault{Kind: sandbox.Status, Code: 429, After: 47 * time.Second}
			}
			return nil
		})
		start := time.Now()
		b.mustRun(importer.ExitOK)
		var told []importer.Event
		for _, ev := range b.events {
			if ev.Kind == importer.EventWait && ev.Why == "429" {
				told = append(told, ev)
			}
		}
		if len(told) != 1 || told[0].Until.Sub(told[0].At).Round(time.Second) != 47*time.Second || !strings.Contains(told[0].Text, "nothing goes out for 47 seconds") {
			t.Errorf("told %+v", told)
		}
		i := slices.IndexFunc(b.events, func(ev importer.Event) bool { return ev.Why == "429" })
		if i >= 0 && b.events[i].At.Sub(start) > 10*time.Second {
			t.Errorf("told only %s after the start", b.events[i].At.Sub(start))
		}
		_ = b.box.Close()
	})
}

// TestSlowQuotaIsTold: where so little of the quota is left that a minute passes between two conversations, the run says
// what it waits for.
func TestSlowQuotaIsTold(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(12)...)
		b.box.Configure(func(s *sandbox.Settings) { s.QuotaLimit = 4 })
		b.mustRun(importer.ExitOK)
		quiet := time.Duration(0)
		for i := 1; i < len(b.events); i++ {
			if d := b.events[i].At.Sub(b.events[i-1].At); b.events[i].Todo > 0 && d > quiet {
				quiet = d
			}
		}
		if !slices.ContainsFunc(b.events, func(ev importer.Event) bool {
			return ev.Kind == importer.EventWait && strings.HasPrefix(ev.Why, "the quota")
		}) {
			t.Errorf("nothing was said of the quota; the longest silence was %s", quiet)
		}
		_ = b.box.Close()
	})
}
