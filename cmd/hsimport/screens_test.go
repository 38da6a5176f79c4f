package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"hsimport/importer"
	"hsimport/mapping"
	"hsimport/sources"
)

func testUI() (u *ui, out, errs *bytes.Buffer) {
	out, errs = &bytes.Buffer{}, &bytes.Buffer{}
	return newUI(&environment{out: out, err: errs, in: &bytes.Buffer{}, lookup: func(string) (string, bool) { return "", false }}), out, errs
}

// A code with many values is one entry on the screen: its total, how many values, the commonest ones, one example.
func TestFindingsAreGroupedByCode(t *testing.T) {
	f := importer.NewFindings()
	for i, n := range []int{1, 9, 4, 2} {
		for range n {
			f.Add(mapping.Finding{
				Severity: sources.Info, Code: "recipients-not-carried", Value: string(rune('a' + i)), Text: "text of " + string(rune('a'+i)),
				Position: sources.Position{File: "in.mbox", Offset: int64(10 * (i + 1))},
			})
		}
	}
	f.Add(mapping.Finding{Severity: sources.BlocksJob, Code: "status-unmapped", Value: "hold", Text: "say what hold becomes"},
		mapping.Finding{Severity: sources.BlocksJob, Code: "status-unmapped", Value: "waiting", Text: "say what waiting becomes"})
	u, out, _ := testUI()
	u.topFindings(&importer.Report{Findings: f})
	want := `findings
  blocks the job: status-unmapped (2), 2 values: "hold" 1, "waiting" 1
      say what hold becomes
      say what waiting becomes
      hint: add it to mapping.statuses, or set mapping.default_status
  info: recipients-not-carried (16), 4 values: "b" 9, "c" 4, "d" 2, ...
      in.mbox@20: text of b
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

// Where there is no terminal, progress is a line a minute: a short run has none.
func TestProgressIsALineAMinute(t *testing.T) {
	u, _, errs := testUI()
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for s := range 200 {
		u.event(importer.Event{Kind: importer.EventPart, At: begin.Add(time.Duration(s) * time.Second), Done: s + 1, Todo: 3002})
	}
	if want := "61 of 3,002\n121 of 3,002\n181 of 3,002\n"; errs.String() != want {
		t.Errorf("said %q, want %q", errs, want)
	}
}

// With --json, stdout holds objects only.
func TestEventsAsObjects(t *testing.T) {
	u, out, _ := testUI()
	u.json = true
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	u.event(importer.Event{Kind: importer.EventPhase, At: at, Text: "sending"})
	u.event(importer.Event{Kind: importer.EventWarning, At: at, Text: "look"})
	u.event(importer.Event{Kind: importer.EventRejected, At: at, Key: "7", Text: "too old"})
	u.event(importer.Event{Kind: importer.EventPart, At: at, Done: 1, Todo: 2})
	u.event(importer.Event{Kind: importer.EventPart, At: at.Add(time.Minute), Done: 2, Todo: 2})
	var kinds []string
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "{") {
			t.Errorf("no object: %s", line)
		}
		_, rest, _ := strings.Cut(line, `"message_type":"`)
		kind, _, _ := strings.Cut(rest, `"`)
		kinds = append(kinds, kind)
	}
	if got := strings.Join(kinds, " "); got != "phase warning rejected progress" {
		t.Errorf("objects %q", got)
	}
}

func TestNumbersForPeople(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{count(0), "0"},
		{count(999), "999"},
		{count(1000), "1,000"},
		{count(-1234567), "-1,234,567"},
		{human(29 * time.Second), "29 s"},
		{human(61 * time.Minute), "61 min"},
		{human(150 * time.Minute), "2 h 30 min"},
		{human(60 * time.Hour), "2.5 days"},
		{humanBytes(999), "999 bytes"},
		{humanBytes(1500), "1.5 kB"},
		{humanBytes(37_300_000), "37.3 MB"},
		{shorten("abcdefghij", 8), "abcde..."},
		{plural(1, "file is", "files are"), "1 file is"},
		{plural(2000, "file is", "files are"), "2,000 files are"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// What a terminal shows in two columns is as wide as it says, in any script.
func TestColumnsOfATerminal(t *testing.T) {
	for _, s := range []string{"plain", "領収書のお願い", "Größe", ""} {
		w := 0
		for _, r := range pad(cut(s, 10), 12) {
			w += columns(r)
		}
		if w != 12 {
			t.Errorf("%q is padded to %d columns, want 12", s, w)
		}
	}
	if got := wrap("one two three\n\n  four", 9); strings.Join(got, "/") != "one two three/four" {
		t.Errorf("wrapped to %q", got)
	}
}

// The screen of a dry run is 80 columns wide, whatever is on it; a word that is wider stands alone.
func TestTheScreenFits(t *testing.T) {
	rep := &importer.Report{Findings: importer.NewFindings(), Ledger: &sources.Ledger{}, Started: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	rep.Totals = importer.Totals{
		Tickets: 1_234_567, Parts: 1_234_567, Same: 300_000, Changed: 12_345, Doubt: 1, Refused: 99_999, Follow: 1, Split: 1, Units: 2_400_000, UnitsLeft: 2_000_000, Complete: true,
		Statuses: map[string]int{"active": 111_111, "pending": 222_222, "closed": 333_333, "spam": 1}, ExcludedBy: map[string]int{strings.Repeat("a long rule ", 12): 5},
	}
	rep.Summary.Attachments = importer.Attachments{Planned: 1_000_000, Inline: 999_000, Uploaded: 900, Noted: 100}
	wideWord := strings.Repeat("x", 120)
	rep.Rejected = []importer.Outcome{{Key: "k", Place: "tickets.csv:1", Reason: strings.Repeat("it cannot be ", 30) + wideWord}}
	rep.Findings.Add(mapping.Finding{Severity: sources.Warning, Code: "agent-unmapped", Value: "領収書のお願い", Text: strings.Repeat("領収書のお願い ", 40) + "\x1b[31mred"})
	u, out, _ := testUI()
	u.dryRun(rep, &importer.Job{Options: importer.Options{Share: 0.33}}, nil)
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSuffix(line, "\n")
		if w := wide(line); w > screenWidth && strings.TrimSpace(line) != wideWord && !strings.Contains(line, "would arrive") {
			t.Errorf("%d columns: %s", w, line)
		}
		if strings.Contains(line, "\x1b") {
			t.Errorf("acts on the terminal: %q", line)
		}
	}
	for _, want := range []string{"= 300,000 there already", "~ 12,345 differ", "! 99,999 refused", "? 1 in doubt", "1 ticket that is there gets further messages", "2,000,000 units", "33% of the quota", "hint: add the agent"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not said in\n%s", want, out)
		}
	}
}

// A change that touches every conversation is told once with its count, then by the first conversations.
func TestDifferencesAreSummedUp(t *testing.T) {
	diffs := []mapping.Difference{{What: "changed", Detail: []string{"the mapping"}}}
	for i := range 3000 {
		d := mapping.Difference{Key: sources.Key(fmt.Sprint("id:", i)), Part: 1, What: "changed", Detail: []string{"subject", fmt.Sprintf("units 2 -> %d", 3+i), fmt.Sprintf("new finding agent-unmapped (a%d)", i), "new finding agent-unmapped (b)"}}
		if i%1000 == 0 {
			d = mapping.Difference{Key: d.Key, What: "added"}
		}
		diffs = append(diffs, d)
	}
	u, out, _ := testUI()
	u.differences("old.plan", diffs)
	for _, want := range []string{"compared with old.plan", "2,997 changed, 3 added, 0 removed", "2,997 in subject", "2,997 in units", "2,997 in new finding agent-unmapped\n", "the plan: changed: the mapping", "ticket id:0: added", "and 2,980 more; --json lists them all"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not said in\n%s", want, out)
		}
	}
	if n := strings.Count(out.String(), "\n"); n > 60 {
		t.Errorf("%d lines", n)
	}
}

// A table with more columns than a screen holds says how many it does not show, file by file.
func TestColumnsThatAreNotShownAreCounted(t *testing.T) {
	var cols []sources.SurveyColumn
	for _, file := range []struct {
		name string
		n    int
	}{{"a.csv", shownColumns + 2}, {"b.csv", shownColumns}, {"c.csv", shownColumns + 1}} {
		for i := range file.n {
			cols = append(cols, sources.SurveyColumn{File: file.name, Name: fmt.Sprintf("%s %d", file.name, i+1), Of: 2, Filled: 1})
		}
	}
	u, out, _ := testUI()
	u.columns(cols)
	var got []string
	for line := range strings.Lines(out.String()) {
		if f := strings.Fields(line); f[0] == "columns" || f[0] == "and" {
			got = append(got, strings.Join(f, " "))
		}
	}
	want := []string{
		"columns 42 of a.csv", "and 2 more columns; --json lists all",
		"columns 40 of b.csv",
		"columns 41 of c.csv", "and 1 more column; --json lists all",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", out)
	}
	if !strings.Contains(out.String(), fmt.Sprintf("a.csv %d ", shownColumns)) || strings.Contains(out.String(), fmt.Sprintf("a.csv %d ", shownColumns+1)) {
		t.Errorf("other columns are shown than the first %d", shownColumns)
	}
}

// The table of columns is as wide as the terminal at most, 80 where there is none, in any script, and shows of everything
// what there is room for.
func TestColumnsFitTheTerminal(t *testing.T) {
	long := strings.Repeat("2021-01-02 and so on ", 9)
	cols := []sources.SurveyColumn{
		{Name: "Custom field (Time in status, Operations)", Kind: "number", Role: "requester_organization", Of: 9, Filled: 9, Examples: []string{long, long, long}},
		{Name: "\x1b[31mBetreff\nneu", Kind: "text", Of: 9, Filled: 1, Layout: "2006-01-02T15:04:05.000Z07:00", Examples: []string{long, long, long}},
		{Name: strings.Repeat("見出し", 20), Kind: "status", Role: "status", Of: 9, Examples: []string{strings.Repeat("値", 50), "b", "c"}},
	}
	for terminal, want := range map[int]int{0: 80, 40: 80, 80: 80, 120: 120, 300: 200} {
		u, out, _ := testUI()
		u.env.outWide = terminal
		u.columns(cols)
		most := 0
		for line := range strings.Lines(out.String()) {
			if line = strings.TrimSuffix(line, "\n"); strings.ContainsFunc(line, unicode.IsControl) {
				t.Errorf("%q acts on a terminal", line)
			}
			most = max(most, wide(line))
		}
		if most > want || most < min(want, 110)-2 {
			t.Errorf("on a terminal of %d it is %d wide, want %d\n%s", terminal, most, want, out)
		}
		if strings.Count(out.String(), "\n") != 2+len(cols) || !strings.Contains(out.String(), "2021-01-02") || !strings.Contains(out.String(), "Custom field ") {
			t.Errorf("on a terminal of %d\n%s", terminal, out)
		}
	}
}

// A customer without a name has one blank before the address.
func TestCustomersThatStayWithoutAName(t *testing.T) {
	u, out, _ := testUI()
	l := &leftTable{ui: u}
	for _, c := range []importer.LeftCustomer{{Email: "b@x.example"}, {Name: "Bo", Email: "c@x.example"}} {
		if err := l.add(c); err != nil {
			t.Fatal(err)
		}
	}
	if want := "customer stays: <b@x.example>\ncustomer stays: Bo <c@x.example>\n"; out.String() != want {
		t.Errorf("%q", out)
	}
}

// Of what stays after a rollback the first ten of each kind are shown, the others counted, and none is left out of the sum.
func TestManyThatStay(t *testing.T) {
	u, out, _ := testUI()
	l := &keptList{u, map[string]int{}}
	for i := range 1_200 {
		l.see(importer.Kept{Key: fmt.Sprint("k", i), Because: importer.KeptTouched, Why: "why"})
		if i < shownOutcomes {
			l.see(importer.Kept{Key: fmt.Sprint("r", i), Because: importer.KeptRefused, Why: "why"})
		}
	}
	l.close()
	if n := strings.Count(out.String(), "stays: "); n != 2*shownOutcomes || !strings.Contains(out.String(), "\nstay: 1,190 more that people have worked on\n") ||
		strings.Contains(out.String(), "the server does not delete\n") {
		t.Errorf("%d lines\n%s", n, out)
	}
}

// Values that occur once are named, up to forty of them; of a thousand, three are enough for a screen.
func TestManyValuesAreNotListed(t *testing.T) {
	for n, want := range map[int]int{shownValues + 1: shownValues + 1, listedValues: listedValues, listedValues + 1: shownValues} {
		g := &codeGroup{}
		for i := range n {
			g.values = append(g.values, importer.FindingGroup{Value: fmt.Sprintf("v%d", i), N: 1})
		}
		got := valuesText(g)
		if strings.Count(got, `"`) != 2*want || strings.HasSuffix(got, ", ...") != (want < n) {
			t.Errorf("%d values: %s", n, got)
		}
	}
}

// Dates without a zone are asked for where they stop a job; in mail they are read in UTC unless a key says otherwise.
func TestInspectSaysWhatDatesWithoutZoneNeed(t *testing.T) {
	day := time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
	for format, want := range map[string]string{
		"mbox": "dates       2024-01-02 to 2024-01-02, most without a zone: read in UTC, unless\n            source.mbox.time_zone names another\n",
		"csv":  "dates       2024-01-02 to 2024-01-02, without zones (busiest at 00:00 as\n            written): source time_zone has to say which\n",
	} {
		u, out, _ := testUI()
		u.survey(&sources.Survey{Format: format, First: day, Last: day}, false)
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s:\n%s", format, out)
		}
	}
}

// The help of every command is 80 columns wide, and says no less for that.
func TestHelpFitsTheScreen(t *testing.T) {
	u, _, _ := testUI()
	root := rootCommand(u.env, u, new(int))
	for _, c := range append(root.Commands(), root) {
		_, out, _ := testUI()
		c.SetOut(out)
		if err := c.Help(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if wide(strings.TrimRight(line, " \n")) > screenWidth {
				t.Errorf("%s: %s", c.Name(), line)
			}
		}
	}
	for text, want := range map[string]string{
		"one two\nthree\n\n  as  it is\n  {a: b}\nfour": "one two three\n\n  as  it is\n  {a: b}\nfour",
		"  name   " + strings.Repeat("word ", 16):       "  name   " + strings.Repeat("word ", 13) + "word\n         word word",
	} {
		if got := narrow(text); got != want {
			t.Errorf("%q becomes\n%s", text, got)
		}
	}
}
