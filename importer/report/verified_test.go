package report_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/report"
)

func verification(t *testing.T, sum *importer.VerifySummary, seen ...importer.Checked) string {
	t.Helper()
	v := &report.Verification{Title: "import.yaml", Version: "v1"}
	for _, c := range seen {
		v.See(c)
	}
	var first, again bytes.Buffer
	at := time.Date(2026, 3, 1, 18, 30, 0, 0, time.UTC)
	if err := v.HTML(&first, sum, at); err != nil {
		t.Fatal(err)
	}
	if err := v.HTML(&again, sum, at); err != nil || again.String() != first.String() {
		t.Errorf("the second page differs (%v)", err)
	}
	return first.String()
}

// TestVerificationPage: what is not as it was sent stands under its heading with its reason and a link; hostile words do
// nothing; the policy lets nothing in.
func TestVerificationPage(t *testing.T) {
	evil := `<script>alert(1)</script>" onload="x`
	page := verification(t,
		&importer.VerifySummary{ExitCode: 3, Verified: importer.Verified{Sent: 4, AsSent: 1, Differ: 1, Missing: 1, GoneOn: 1, Threads: 4}, Rehearsal: "127.0.0.1:8080"},
		importer.Checked{Symbol: importer.AsSent, Key: "fine", Conversation: 1},
		importer.Checked{Symbol: importer.Absent, ID: "4711", Conversation: 2, URL: "https://secure.helpscout.net/conversation/2", Differences: []string{"it is not there any more"}},
		importer.Checked{Symbol: importer.Differs, ID: evil, Parts: 2, Part: 2, Conversation: 3, URL: "javascript:alert(1)", Differences: []string{`subject "` + evil + `" instead of "x"`}},
		importer.Checked{Symbol: importer.GoneOn, ID: "4713", Conversation: 4, URL: "https://secure.helpscout.net/conversation/4", Differences: []string{"1 thread came since"}},
	)
	for _, want := range []string{
		"1 of 4 conversations are as they were sent", `class="verdict bad"`, "Rehearsal at <bdi>127.0.0.1:8080</bdi>", "Not there any more",
		`href="https://secure.helpscout.net/conversation/2"`, "1 thread came since", "1 Mar 2026 18:30 UTC", "default-src 'none'",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "<script>alert") || strings.Contains(page, `href="javascript:`) || strings.Contains(page, ">fine<") {
		t.Error("the page lets something in that it should not")
	}
	if strings.Index(page, "Not there any more") > strings.Index(page, "Not as they were sent") {
		t.Error("the worst does not come first")
	}
}

// TestVerificationOfMany: the page of a hundred thousand differences stays small and says how many there are.
func TestVerificationOfMany(t *testing.T) {
	v := &report.Verification{Title: "x"}
	for i := range 100_000 {
		v.See(importer.Checked{Symbol: importer.Differs, ID: fmt.Sprint(i), Conversation: int64(i), Differences: []string{strings.Repeat("long ", 1000)}})
	}
	var b bytes.Buffer
	if err := v.HTML(&b, &importer.VerifySummary{Verified: importer.Verified{Sent: 100_000, Differ: 100_000}}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 5<<20 || !strings.Contains(b.String(), "100,000 conversations; the first 2,000 are shown") {
		t.Errorf("%d bytes", b.Len())
	}
}

// TestCheckedTable: cells that a spreadsheet would take for formulas are not.
func TestCheckedTable(t *testing.T) {
	var b bytes.Buffer
	w := report.NewCheckedTable(&b)
	if err := w.See(importer.Checked{Symbol: importer.Differs, ID: "=cmd", Key: "k", Part: 1, Parts: 1, Conversation: 7, Differences: []string{"a", "b"}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 2 || strings.Join(rows[1], "|") != "~|'=cmd|k|1|1|7||false|a; b" {
		t.Errorf("%q %v", rows, err)
	}
}
