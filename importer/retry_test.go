package importer_test

import (
	"strings"
	"testing"
	"time"

	"hsimport/importer"
)

// reopened is a job whose conversations are there, and in whose newer export three tickets have another status.
func reopened(t *testing.T) *bench {
	b := newBench(t, many(20)...)
	b.mustRun(importer.ExitOK)
	time.Sleep(time.Hour)
	b.ticket("1003").Status, b.ticket("1008").Status, b.ticket("1000").Status = "solved", "solved", "open"
	return b
}

func (b *bench) wantStatus(want map[string]string) {
	b.t.Helper()
	for key, status := range want {
		if c := b.partsOf(key)[0]; c.Status != status {
			b.t.Errorf("ticket %s is %s, want %s", key, c.Status, status)
		}
	}
}

// TestRetryRejectedStatus: --retry-rejected makes the changes of status that the server has rejected, once.
func TestRetryRejectedStatus(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := reopened(t)
		b.faults("patch=400")
		for range 2 {
			wantBalanced(t, b.mustRun(importer.ExitRejected))
		}
		b.faults("")
		before := b.calls()
		b.opts.RetryRejected = true
		rep := b.mustRun(importer.ExitOK)
		wantBalanced(t, rep)
		if n := b.calls()["patch"] - before["patch"]; n != 3 || rep.Summary.Changes.Statuses != 3 {
			t.Errorf("%d changes of status, %+v", n, rep.Summary.Changes)
		}
		b.wantStatus(map[string]string{"1003": "closed", "1008": "closed", "1000": "active"})
		b.mustRun(importer.ExitOK)
		if n := b.calls()["patch"] - before["patch"]; n != 3 {
			t.Errorf("a second time: %d changes of status", n)
		}
		_ = b.box.Close()
	})
}

// TestRetryRejectedStatusStale: a rejected status is not made any more when the source says something else by now, and
// when a later one was made already.
func TestRetryRejectedStatusStale(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := reopened(t)
		b.faults("patch=400")
		b.mustRun(importer.ExitRejected)
		b.faults("")
		b.ticket("1003").Status, b.ticket("1008").Status = "open", "pending" // 1003 is again as it was sent
		b.mustRun(importer.ExitRejected)
		b.wantStatus(map[string]string{"1003": "active", "1008": "pending", "1000": "active"})
		before := b.calls()
		b.opts.RetryRejected = true
		wantBalanced(t, b.mustRun(importer.ExitOK))
		if n := b.calls()["patch"] - before["patch"]; n != 0 {
			t.Errorf("%d changes of status", n)
		}
		b.opts.RetryRejected = false
		b.ticket("1008").Status = "solved" // what was dropped does not stand in the way of what comes
		b.mustRun(importer.ExitOK)
		b.wantStatus(map[string]string{"1003": "active", "1008": "closed", "1000": "active"})
		_ = b.box.Close()
	})
}

// TestRetryRejectedLinks: --retry-rejected changes the links that the server has rejected, with --relink and without.
func TestRetryRejectedLinks(t *testing.T) {
	for _, relink := range []bool{false, true} {
		virtual(t, func(t *testing.T) {
			b := newBench(t, linked()...)
			b.opts.Relinking.Numbers = true
			b.mustRun(importer.ExitOK)
			b.opts.Relink = true
			b.faults("thread-update=422")
			wantBalanced(t, b.mustRun(importer.ExitRejected))
			b.faults("")
			b.opts.Relink, b.opts.RetryRejected = relink, true
			rep := b.mustRun(importer.ExitOK)
			wantBalanced(t, rep)
			if b.leads() != 4 || rep.Summary.Changes.Links != 4 {
				t.Errorf("%d links, %+v", b.leads(), rep.Summary.Changes)
			}
			before := b.calls()["thread-update"]
			b.mustRun(importer.ExitOK)
			if n := b.calls()["thread-update"] - before; n != 0 {
				t.Errorf("a second time: %d texts were changed", n)
			}
			_ = b.box.Close()
		})
	}
}

// TestRetryHints: status sends nobody to --retry-rejected for what it does not send again.
func TestRetryHints(t *testing.T) {
	b := crashBench(t, "upload=400", 1)
	b.mustRun(importer.ExitRejected)
	st, err := importer.ReadStatus(t.Context(), b.path)
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Causes) != 1 || strings.Contains(st.Causes[0].Hint, "--retry-rejected") || !strings.Contains(st.Causes[0].Hint, "a note in its conversation names it") {
		t.Errorf("causes %+v", st.Causes)
	}
	for _, a := range st.Last {
		if strings.Contains(a.Hint, "--retry-rejected") {
			t.Errorf("%+v", a)
		}
	}
}

// TestCrashInRetry ends --retry-rejected at each durable step, with answers lost in every way: each status and each link
// is changed, and none twice.
func TestCrashInRetry(t *testing.T) {
	t.Parallel()
	scripts := []string{
		"",
		"patch#1=504,applied patch#2=reset thread-update#1=504,applied thread-update#2=reset",
		"patch#1=504,late:1s patch#3=html200,applied thread-update#1=reset thread-update#3=504,late:1s",
	}
	setup := func(t *testing.T) *bench {
		b := newBench(t, linked()...)
		b.opts.Relinking.Numbers = true
		b.mustRun(importer.ExitOK)
		b.ticket("1003").Status, b.ticket("1008").Status, b.ticket("1000").Status = "solved", "solved", "open"
		b.opts.Relink = true
		b.faults("patch=400 thread-update=422")
		b.mustRun(importer.ExitRejected)
		b.opts.Relink, b.opts.RetryRejected = false, true
		time.Sleep(time.Hour)
		return b
	}
	crashes(t, scripts, setup, func(b *bench) {
		b.wantStatus(map[string]string{"1003": "closed", "1008": "closed", "1000": "active"})
		if n := b.leads(); n != 4 {
			b.t.Errorf("%d links lead to conversations", n)
		}
		for _, key := range []string{"1003", "1008", "1000"} {
			items := 0
			for _, th := range b.partsOf(key)[0].Threads {
				if th.Type == "lineitem" {
					items++
				}
			}
			if items > 1 {
				b.t.Errorf("the status of %s was changed %d times", key, items)
			}
		}
	})
}
