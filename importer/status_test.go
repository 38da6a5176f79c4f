package importer_test

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"hsimport/checkpoint"
	"hsimport/importer"
)

// TestStatusCauses: reasons that differ in their numbers are one cause, with its hint; what the plan refuses counts too.
func TestStatusCauses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "import.db")
	store := manyParts(t, path, 60)
	for i := int64(1); i <= 40; i++ {
		if err := store.Begin(t.Context(), i, checkpoint.Intent{Run: 1, At: epoch}); err != nil {
			t.Fatal(err)
		}
		reason, status := "400 threads["+strconv.FormatInt(i%9, 10)+"].text may not be empty", 400
		if i > 30 {
			reason, status = "412 thread limit", 412
		}
		if err := store.Reject(t.Context(), i, status, reason, "", epoch); err != nil {
			t.Fatal(err)
		}
	}
	_ = store.Close()
	st, err := importer.ReadStatus(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Causes) != 2 || st.Causes[0].N != 30 || st.Causes[0].Reason != "# threads[#].text may not be empty" || st.Causes[1].N != 10 {
		t.Fatalf("causes %+v", st.Causes)
	}
	if !strings.Contains(st.Causes[0].Hint, "--retry-rejected") || st.Causes[0].Example != "T1" || !strings.Contains(st.Causes[1].Hint, "full or locked") {
		t.Errorf("causes %+v", st.Causes)
	}
	if st.Pending != 20 || st.UnitsLeft != 40 || st.Rejected != 40 {
		t.Errorf("status %+v", st)
	}
}

// manyParts makes a checkpoint of n pending parts.
func manyParts(t testing.TB, path string, n int) *checkpoint.Store {
	t.Helper()
	store, err := checkpoint.Create(t.Context(), path, checkpoint.Job{Origin: "https://api.helpscout.net", Account: "1", SourceKind: "csv", KeyRule: "id"})
	if err != nil {
		t.Fatal(err)
	}
	load, err := store.Loader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= n; i++ {
		if err := load.Put(checkpoint.Part{
			Ticket: "id:" + strconv.Itoa(i), LegacyID: "T" + strconv.Itoa(i), Number: 1, Of: 1, Rank: int64(i), Threads: 3, Units: 2, Created: int64(i),
			Digest: "d", MappingDigest: "m", State: checkpoint.Pending,
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := load.Finish(true); err != nil {
		t.Fatal(err)
	}
	return store
}

// BenchmarkStatus asks a checkpoint of a million parts where it stands; it has to answer within a second.
func BenchmarkStatus(b *testing.B) {
	path := filepath.Join(b.TempDir(), "import.db")
	store := manyParts(b, path, 1_000_000)
	for i := int64(1); i <= 2000; i++ {
		if err := store.Reject(b.Context(), i, 0, "refused "+strconv.FormatInt(i, 10), "", epoch); err != nil {
			b.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if st, err := importer.ReadStatus(b.Context(), path); err != nil || st.Pending != 998_000 {
			b.Fatal(st, err)
		}
	}
}
