package importer_test

import (
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
)

// TestDeleteWaitsFor429: a delete that the quota refuses was not applied. It waits like any other write, without asking
// whether the server is there, and a rollback that gives up leaves nothing for the next run to finish.
func TestDeleteWaitsFor429(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(12)...)
		b.mustRun(importer.ExitOK)
		start := b.calls()
		b.mustRollback(importer.ExitOK, importer.RollingBack{})
		plain := b.calls()["directory"] - start["directory"]
		b.mustRun(importer.ExitOK)
		before := b.calls()
		b.faults("delete#2-9=429,after:2s")
		b.mustRollback(importer.ExitOK, importer.RollingBack{})
		after := b.calls()
		if n := after["directory"] - before["directory"] - plain; n != 0 {
			t.Errorf("%d reads to see whether the server answers", n)
		}
		if n := after["delete"] - before["delete"]; n != 12+8 {
			t.Errorf("%d deletes went out for 12 conversations and 8 refusals", n)
		}
		if got := b.there(); len(got) != 0 {
			t.Errorf("left %v", got)
		}
		b.faults("")
		b.mustRun(importer.ExitOK)
		b.faults("delete=429,after:2s")
		b.mustRollback(importer.ExitLeft, importer.RollingBack{})
		b.faults("")
		before = b.calls()
		b.mustRun(importer.ExitOK)
		if after := b.calls(); after["delete"] != before["delete"] || after["create"] != before["create"] {
			t.Errorf("the run that follows has deleted %d and created %d", after["delete"]-before["delete"], after["create"]-before["create"])
		}
		b.wantHeld()
		_ = b.box.Close()
	})
}

// TestDeleteOutage: where every delete stays without an answer, a rollback ends early, and the same call goes on.
func TestDeleteOutage(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(12)...)
		b.mustRun(importer.ExitOK)
		b.faults("delete=504")
		before, began := b.calls(), time.Now()
		b.mustRollback(importer.ExitLeft, importer.RollingBack{})
		if n := b.calls()["delete"] - before["delete"]; n < 25 || n > 25+4 {
			t.Errorf("%d deletes without an answer, in %s", n, time.Since(began))
		}
		b.faults("")
		b.mustRollback(importer.ExitOK, importer.RollingBack{})
		if got := b.there(); len(got) != 0 {
			t.Errorf("left %v", got)
		}
		_ = b.box.Close()
	})
}

// TestDeleteIntoTrash: a service that still shows what was deleted, as deleted, does not keep a rollback from its end.
func TestDeleteIntoTrash(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(10)...)
		b.box.Configure(func(s *sandbox.Settings) { s.Delete = "trash" })
		b.mustRun(importer.ExitOK)
		b.faults("delete#2=504,applied delete#4=401")
		b.rollback(importer.RollingBack{})
		b.faults("")
		b.mustRollback(importer.ExitOK, importer.RollingBack{})
		if got := b.there(); len(got) != 0 {
			t.Errorf("left %v", got)
		}
		b.mustRun(importer.ExitOK)
		b.wantHeld()
		_ = b.box.Close()
	})
}
