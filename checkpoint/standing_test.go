package checkpoint

import (
	"database/sql"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestStanding: what status asks is grouped, counted and dated right.
func TestStanding(t *testing.T) {
	s, ctx := create(t), t.Context()
	var parts []Part
	for i := range 9 {
		parts = append(parts, somePart(fmt.Sprint("t", i), 1, 1, int64(i)))
	}
	load(t, s, true, parts...)
	for i := int64(1); i <= 6; i++ {
		ok(t, s.Begin(ctx, i, Intent{Run: 1, At: noon.Add(time.Duration(i) * time.Minute)}))
	}
	ok(t, s.Reject(ctx, 1, 400, "no subject", "", noon))
	ok(t, s.Reject(ctx, 2, 400, "no subject", "", noon))
	ok(t, s.Doubt(ctx, 3, "504", noon))
	for i := int64(4); i <= 6; i++ {
		ok(t, s.Done(ctx, i, 100+i, ByCreate, noon))
	}
	ok(t, s.AddEffects(ctx, []Effect{{PartID: 4, Kind: "upload", Slot: "a", State: Pending}}))
	effects, err := s.Effects(ctx, EffectFilter{PartID: 4})
	ok(t, err)
	ok(t, s.BeginEffect(ctx, effects[0].ID, 1, noon, nil))
	ok(t, s.RejectEffect(ctx, effects[0].ID, 413, "too large", noon))

	got, err := s.Reasons(ctx, 10)
	ok(t, err)
	if diff := cmp.Diff([]Reason{
		{State: Rejected, Status: 400, Text: "no subject", N: 2, Example: 1},
		{State: InDoubt, Text: "504", N: 1, Example: 3},
		{Kind: "upload", State: Rejected, Status: 413, Text: "too large", N: 1, Example: 4},
	}, got); diff != "" {
		t.Error(diff)
	}
	if got, err = s.Reasons(ctx, 1); err != nil || len(got) != 1 || got[0].N != 2 {
		t.Errorf("the most frequent one: %+v %v", got, err)
	}
	n, first, err := s.CreatedSince(ctx, noon.Add(4*time.Minute))
	if err != nil || n != 2 || !first.Equal(noon.Add(5*time.Minute)) {
		t.Errorf("created since: %d from %v (%v)", n, first, err)
	}
	if n, first, err = s.CreatedSince(ctx, noon.Add(time.Hour)); n != 0 || !first.IsZero() || err != nil {
		t.Errorf("created in the future: %d from %v (%v)", n, first, err)
	}
	h, err := s.Holder(ctx)
	if err != nil || h == nil || h.PID != os.Getpid() || h.Since.IsZero() {
		t.Errorf("holder %+v %v", h, err)
	}
}

// TestRecordsOfAllRuns: every member of a record comes back, and the newest of a kind first.
func TestRecordsOfAllRuns(t *testing.T) {
	s, ctx := create(t), t.Context()
	records := []Record{
		{Run: 1, Kind: "answer", Code: "rejected", Ticket: "t1", LegacyID: "#1", Part: 2, Place: "a.csv:3", Text: "no subject", At: noon, Status: 400, Correlation: "c-1"},
		{Run: 2, Kind: "finding", Severity: "warning", Code: "status", Value: "odd", N: 7, Text: "x", At: noon.Add(time.Hour)},
		{Run: 2, Kind: "answer", Code: "in_doubt", Ticket: "t2", Text: "504", At: noon.Add(time.Hour), Status: 504},
	}
	ok(t, s.Note(ctx, records))
	var got []Record
	for r, err := range s.Records(ctx, 0, "") {
		ok(t, err)
		got = append(got, r)
	}
	if diff := cmp.Diff(records, got); diff != "" {
		t.Error(diff)
	}
	last, err := s.LastRecords(ctx, "answer", 1)
	ok(t, err)
	if diff := cmp.Diff(records[2:], last); diff != "" {
		t.Error(diff)
	}
}

// TestOlderSchema: a file of the first schema is brought up to date by opening it, with what it holds.
func TestOlderSchema(t *testing.T) {
	path := closed(t)
	db, err := sql.Open("sqlite3", path)
	ok(t, err)
	_, err = db.Exec(`DROP TABLE record; CREATE TABLE record (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, kind TEXT NOT NULL,
		code TEXT NOT NULL, ticket TEXT NOT NULL, place TEXT NOT NULL, text TEXT NOT NULL) STRICT;
		INSERT INTO record VALUES (1, 3, 'finding', 'c', 't', 'p', 'from before'); PRAGMA user_version = 1`)
	ok(t, err)
	ok(t, db.Close())
	s, err := Open(t.Context(), path, testJob)
	ok(t, err)
	defer s.Close()
	for r, err := range s.Records(t.Context(), 0, "") {
		ok(t, err)
		if diff := cmp.Diff(Record{Run: 3, Kind: "finding", Code: "c", Ticket: "t", Place: "p", Text: "from before"}, r); diff != "" {
			t.Error(diff)
		}
	}
	ok(t, s.Note(t.Context(), []Record{{Run: 4, Kind: "finding", N: 2}}))
}
