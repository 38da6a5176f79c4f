package importer_test

import (
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
)

// TestRecoverGrown: tickets that grew, or got another status, between the run and recover: verify says what stands in
// Help Scout, and the next run brings it up to what the source says, but not where people have worked.
func TestRecoverGrown(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(20)...)
		b.box.Configure(func(s *sandbox.Settings) { s.ImportedModifiedAt = "now" }) // else all are of the clock's future
		b.mustRun(importer.ExitOK)
		b.lose()
		time.Sleep(time.Hour)
		b.grow("1001", 2) // closed, and closed later by now
		b.grow("1002", 1)
		b.ticket("1002").Status = "open"
		b.ticket("1006").Status = "open"   // nothing but the status
		b.ticket("1008").Status = "solved" // and here people have worked
		if err := b.box.SetStatus(b.partsOf("1008")[0].ID, "pending"); err != nil {
			t.Fatal(err)
		}
		m := *b.ticket("1010").Messages[0]
		attach(&m, "late.txt", "a file that came later")
		b.ticket("1010").Messages[0] = &m
		if c := b.recover(importer.ExitOK, false).Summary.Conversations; c.Adopted != 20 {
			t.Errorf("%+v", c)
		}
		sum, got := b.verify(importer.ExitOK, importer.Verifying{All: true})
		if v := sum.Verified; v.AsSent != 19 || v.GoneOn != 1 || got["id:1008/1"].Symbol != importer.GoneOn {
			t.Errorf("after recover: %+v", v)
		}
		wantBalanced(t, b.mustRun(importer.ExitOK))
		b.wantHeld()
		b.wantFiles()
		b.wantStatus(map[string]string{"1001": "closed", "1002": "active", "1006": "active", "1008": "pending", "1000": "closed"})
		sum, _ = b.verify(importer.ExitOK, importer.Verifying{All: true})
		if v := sum.Verified; v.Differ+v.Missing+v.Unclear > 0 {
			t.Errorf("after the run: %+v", v)
		}
		b.wantNothingToDo()
		_ = b.box.Close()
	})
}

// TestRecoverUnderAnotherClock: what only the moment from which "inactive" is measured would make different stays as it is,
// after recover too.
func TestRecoverUnderAnotherClock(t *testing.T) {
	b := newBench(t, many(10)...)
	b.maps.CloseInactive = mapping.Duration(24 * time.Hour)
	b.mustRun(importer.ExitOK)
	b.lose()
	b.src.add(aTicket("late", epoch.AddDate(0, 1, 0), 1, "open"))
	b.ticket("1003").Status = "solved"
	b.recover(importer.ExitOK, false)
	if sum, _ := b.verify(importer.ExitLeft, importer.Verifying{All: true}); sum.Verified.AsSent != 10 {
		t.Errorf("after recover: %+v", sum.Verified)
	}
	rep := b.mustRun(importer.ExitOK)
	if rep.Summary.Changes.Statuses != 1 {
		t.Errorf("%+v", rep.Summary.Changes)
	}
	b.wantStatus(map[string]string{"1003": "closed", "1008": "active"})
	b.wantHeld()
}
