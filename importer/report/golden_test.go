package report

import (
	"encoding/csv"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hsimport/importer"
	"hsimport/mapping"
	"hsimport/sources"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, d)
	}
}

func TestGolden(t *testing.T) {
	_, rep, rows := dryRun(t, job(), options(), account())
	golden(t, "report.csv", rows)
	var b strings.Builder
	if err := JSON(&b, rep); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.json", b.String())
}

func TestJSONEndsWithTheSummary(t *testing.T) {
	_, rep, _ := dryRun(t, job(), options(), account())
	var b strings.Builder
	if err := JSON(&b, rep); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	kinds := map[string]int{}
	for i, l := range lines {
		var o struct {
			MessageType string `json:"message_type"`
		}
		if err := json.Unmarshal([]byte(l), &o); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		kinds[o.MessageType]++
		if (o.MessageType == "summary") != (i == len(lines)-1) {
			t.Errorf("line %d of %d is a %s", i+1, len(lines), o.MessageType)
		}
	}
	var s importer.Summary
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &s); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(rep.Summary, s); d != "" {
		t.Error(d)
	}
	if kinds["rejected_record"] != s.Conversations.Rejected || kinds["unreadable_record"] != s.Source.Unreadable {
		t.Errorf("%v does not fit to the summary %+v", kinds, s.Conversations)
	}
}

func TestTableHasOneLineATicket(t *testing.T) {
	src := job()
	_, rep, rows := dryRun(t, src, options(), account())
	all, err := csv.NewReader(strings.NewReader(rows)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(all)-1 != rep.Totals.Tickets {
		t.Fatalf("%d lines, %d tickets", len(all)-1, rep.Totals.Tickets)
	}
	for i, row := range all[1:] {
		if want := string(src.Entry(i).Key); row[0] != want {
			t.Errorf("line %d is about %s, want %s", i+2, row[0], want)
		}
	}
}

// A spreadsheet must not take a legacy number or a reason for a formula.
func TestTableHoldsNoFormulas(t *testing.T) {
	var b strings.Builder
	table := NewTable(&b)
	for _, id := range []string{"=HYPERLINK(1)", "+1", "-1", "@sum", "\tx", "plain"} {
		if err := table.See(importer.Seen{Ticket: &sources.Ticket{}, Plan: &mapping.Plan{Key: "k", ID: id}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Close(); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		if strings.ContainsAny(row[1][:1], "=+-@\t") {
			t.Errorf("%q is a formula to a spreadsheet", row[1])
		}
	}
	if got := rows[len(rows)-1][1]; got != "plain" {
		t.Errorf("a harmless cell became %q", got)
	}
}
