package importer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hsimport/importer"
)

// TestRecordsOfEveryRun: what the server said to each write it did not take stays in the checkpoint, run by run, without
// secrets and without the texts that were sent, also when the part goes out in the end; and what has not arrived is
// listed with its reason.
func TestRecordsOfEveryRun(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(12)...)
		long := aTicket("9001", epoch, 1, "solved")
		long.Messages[0].Body = strings.Repeat("a secret of the customer ", 40) + "."
		b.src.add(long)
		b.faults("create#4=504 create#6=reset,applied create#8=400 create#9=500,applied")
		b.mustRun(importer.ExitRejected)
		var all []string
		for r, err := range importer.Records(t.Context(), b.path) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Run != 1 || r.At.IsZero() {
				t.Errorf("record without run or time: %+v", r)
			}
			if r.Kind == importer.RecordAnswer {
				all = append(all, fmt.Sprint(r.Code, " ", r.Status))
				if r.Ticket == "" || r.LegacyID == "" || r.Part != 1 || r.Place == "" || r.Text == "" || strings.Contains(r.Text, "customer ") {
					t.Errorf("answer %+v", r)
				}
			}
		}
		slices.Sort(all) // four workers: which answer comes first is anybody's guess
		if got := strings.Join(all, ", "); got != "in_doubt 0, in_doubt 500, in_doubt 504, rejected 400" {
			t.Errorf("answers: %s", got)
		}
		rejects := b.rejects()
		if len(rejects) != 1 || !strings.HasPrefix(rejects[0], "rejected 400 ") {
			t.Errorf("rejects %v", rejects)
		}
		b.faults("")
		b.opts.RetryRejected = true
		time.Sleep(time.Minute)
		b.mustRun(importer.ExitOK)
		b.wantHeld()
		if rejects := b.rejects(); len(rejects) != 0 {
			t.Errorf("after all arrived: %v", rejects)
		}
		n := 0
		for r, err := range importer.Records(t.Context(), b.path) {
			if err == nil && r.Kind == importer.RecordAnswer {
				n++
			}
		}
		if n != 4 {
			t.Errorf("%d answers of the first run after the second", n)
		}
		_ = b.box.Close()
	})
}

// rejects lists state, status and reason of what has not arrived.
func (b *bench) rejects() (out []string) {
	b.t.Helper()
	for o, err := range importer.Rejects(b.t.Context(), b.path) {
		if err != nil {
			b.t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %d %s", o.State, o.Status, o.Reason))
	}
	return out
}

// TestRecordsOfThePlan: tickets that the plan refuses, findings and the reason of the end are kept too.
func TestRecordsOfThePlan(t *testing.T) {
	virtual(t, func(t *testing.T) {
		odd := aTicket("9002", epoch, 1, "solved")
		odd.Requester.Email, odd.Messages[0].Author.Email = "", ""
		b := newBench(t, append(many(8), odd)...)
		b.opts.Limit = 3
		b.mustRun(importer.ExitLeft)
		kinds := map[string]int{}
		for r, err := range importer.Records(t.Context(), b.path) {
			if err != nil {
				t.Fatal(err)
			}
			kinds[r.Kind]++
			if r.Kind == importer.RecordStop && !strings.Contains(r.Text, "--limit 3 is reached") {
				t.Errorf("stop %+v", r)
			}
			if r.Kind == importer.RecordFinding && (r.Code == "" || r.N == 0 || r.Severity == "" || r.Text == "") {
				t.Errorf("finding %+v", r)
			}
		}
		found, err := importer.PlanFindings(t.Context(), b.path)
		if err != nil || kinds[importer.RecordStop] != 1 || kinds[importer.RecordFinding] == 0 || len(found) == 0 {
			t.Errorf("records %v, %d findings (%v)", kinds, len(found), err)
		}
		_ = b.box.Close()
	})
}
