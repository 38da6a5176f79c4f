package importer_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"hsimport/importer"
)

// When a run is over it says where every conversation stands, those of earlier runs too; a run that resumes shows every
// ticket again to who asked for them.
func TestRunSaysWhereEverythingStands(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(30)...)
		b.faults("create#9=504,applied create#14=422")
		b.opts.Limit = 18
		got, seen := map[string]int{}, 0
		run := func(code int) *importer.Report {
			job := b.job()
			clear(got)
			seen = 0
			job.Each = func(importer.Seen) error { seen++; return nil }
			job.Stands = func(p importer.Place, now bool) error {
				got[fmt.Sprint(p.State, " ", p.How, " ", now)]++
				if (p.State == "created") != (p.URL != "") {
					t.Errorf("%+v", p)
				}
				return nil
			}
			rep := importer.Run(t.Context(), job)
			if rep.Summary.ExitCode != code {
				t.Fatalf("exit %d, want %d: %s", rep.Summary.ExitCode, code, rep.Summary.Verdict)
			}
			return rep
		}
		rep := run(importer.ExitLeft)
		if got["created recovered true"] != 1 || got["rejected  true"] != 1 || got["created created true"] != 16 || got["pending  false"] != 12 || seen != 30 {
			t.Errorf("after the first run %v, %d tickets shown", got, seen)
		}
		if want := 24; rep.Totals.UnitsLeft != want {
			t.Errorf("%d units left, want %d", rep.Totals.UnitsLeft, want)
		}
		b.opts.Limit = 0
		run(importer.ExitRejected)
		if got["created created true"] != 12 || got["created created false"] != 16 || got["created recovered false"] != 1 || got["rejected  false"] != 1 || seen != 30 {
			t.Errorf("after the second run %v, %d tickets shown", got, seen)
		}
	})
}

// A run that ends while it plans has counted no tickets: its verdict says what earlier runs have sent, and nothing of
// tickets.
func TestVerdictBeforeThePlan(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(30)...)
		b.opts.Limit = 18
		b.mustRun(importer.ExitLeft)
		job := b.job()
		job.Each = func(importer.Seen) error { return errors.New("the page cannot be written") }
		rep := importer.Run(t.Context(), job)
		c := rep.Summary.Conversations
		if c.Already != 18 || c.Pending != 12 || c.Planned != 30 || !rep.Summary.Balanced {
			t.Errorf("%+v", c)
		}
		v := rep.Summary.Verdict
		if !strings.Contains(v, "nothing was sent; from earlier runs 18 conversations are in") || !strings.HasSuffix(v, ", 12 still to be sent") {
			t.Error(v)
		}
	})
}

// A dry run tells what an earlier run has left in doubt from what is there, and costs only what is left.
func TestDryRunCountsDoubt(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := lagging(t, 24*time.Hour, 24*time.Hour, 20)
		b.faults("create#12=504,applied")
		b.mustRun(importer.ExitDoubt)
		rep := importer.DryRun(t.Context(), b.job())
		c, tot := rep.Summary.Conversations, rep.Totals
		if c.InDoubt == 0 || tot.Doubt != c.InDoubt || tot.Same+tot.Doubt != 20 || tot.New != 0 || !rep.Summary.Balanced {
			t.Errorf("%+v, %d new, %d there, %d in doubt", c, tot.New, tot.Same, tot.Doubt)
		}
		if tot.UnitsLeft != 0 || tot.Units != 40 {
			t.Errorf("%d units left of %d, %d are new", tot.UnitsLeft, tot.Units, tot.New)
		}
	})
}
