package configs

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hsimport/sources"
)

var update = flag.Bool("update", false, "write the golden drafts anew")

func count(pairs ...any) (all []sources.Count) {
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, sources.Count{Value: pairs[i].(string), N: pairs[i+1].(int)})
	}
	return all
}

func tableSurvey() *sources.Survey {
	col := func(name, kind, role string, filled int, examples ...string) sources.SurveyColumn {
		return sources.SurveyColumn{Name: name, Kind: kind, Role: role, Filled: filled, Of: 900, Examples: examples}
	}
	created := col("Created", "date", "created_at", 900, "03/04/2021 12:30")
	created.Layout = "ambiguous day/month"
	closed := col("Closed", "date", "closed_at", 400, "2021-04-03T12:30:00")
	closed.Layout = "2006-01-02T15:04:05"
	return &sources.Survey{
		Format: "csv", Layout: "ticket-per-row", Tickets: 900, Messages: 2200, Attachments: 1,
		Files: []sources.SurveyFile{{Path: "t.csv", Encoding: "windows-1252", Confidence: 87, Delimiter: ";"}},
		First: time.Date(2019, 1, 2, 0, 0, 0, 0, time.UTC), Last: time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC),
		Hours: [24]int{8: 12, 9: 1500, 17: 688},
		Columns: []sources.SurveyColumn{
			col("Id", "id", "ticket_id", 900, "1"), col("Betreff: neu", "text", "subject", 899), created, closed,
			col("Comment#1", "text", "comments", 900), col("Comment#2", "text", "comments", 500),
			col("Priority", "status", "", 880, "high", "low\n# x"), col("Nothing", "empty", "", 0),
			col("no", "flag", "", 3, "yes"),
		},
		Statuses: count("Closed", 500, "Waiting", 200, "open", 100, "0123", 50, "no", 30, "Open", 20),
		Kinds:    count("public", 2000, "Private Note", 200),
		Agents:   count("ada@old.example", 1000, "joe@left.example", 300, "Ghost: \"G\" $HOME ${X}", 100),
		Domains:  count("old.example", 1100, "not a domain", 1),
	}
}

func mailSurvey() *sources.Survey {
	return &sources.Survey{
		Format: "mbox", Layout: "mboxrd", Tickets: 10, Messages: 25, ZoneKnown: true,
		Labels:  count("INBOX", 20, "Sent", 5),
		Senders: count("help@team.example", 12, "joe@else.example", 3),
		Domains: count("team.example", 12),
	}
}

// The whole draft, as a person gets it.
func TestDraftGolden(t *testing.T) {
	for _, tt := range []struct {
		name   string
		survey *sources.Survey
		opts   DraftOptions
	}{
		{"table", tableSurvey(), DraftOptions{}},
		{"table-rehearsal", tableSurvey(), DraftOptions{Rehearsal: true}},
		{"mail", mailSurvey(), DraftOptions{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := Draft(tt.survey, []string{"t.csv"}, tt.opts)
			path := filepath.Join("testdata", tt.name+".yaml")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A draft loads, and what it leaves open is exactly what it asks, on the line that it names.
func TestDraftAsksWhatItLeavesOpen(t *testing.T) {
	for name, survey := range map[string]*sources.Survey{"table": tableSurvey(), "mail": mailSurvey(), "nothing": {}} {
		text, questions := Draft(survey, []string{"t.csv"}, DraftOptions{})
		c := mustParse(t, string(text))
		if c.Mapping.DefaultStatus != "" || strings.Contains(string(text), "default_status") {
			t.Errorf("%s: default_status is written", name)
		}
		var asked, left []string
		for _, q := range questions {
			asked = append(asked, q.Key)
		}
		for _, u := range c.Unanswered {
			left = append(left, strings.TrimSuffix(u.Key, "[0]"))
		}
		if diff := cmp.Diff(left, asked); diff != "" {
			t.Errorf("%s: %s", name, diff)
			continue
		}
		for i, q := range questions {
			if c.Unanswered[i].Line != q.Line {
				t.Errorf("%s: %s is on line %d, the question says %d", name, q.Key, c.Unanswered[i].Line, q.Line)
			}
		}
	}
}

// The demo runs without asking.
func TestRehearsalLeavesNothingOpen(t *testing.T) {
	text, questions := Draft(tableSurvey(), []string{"t.csv"}, DraftOptions{Rehearsal: true})
	c := mustParse(t, string(text))
	if len(c.Unanswered) > 0 || len(questions) == 0 {
		t.Errorf("open: %v, guessed: %d", c.Unanswered, len(questions))
	}
	m := c.Mapping
	if c.Source.CSV.TimeZone != "UTC" || m.FallbackUser != "ada@support.example" || m.PlaceholderDomain != "imported.invalid" || m.Mailbox != "Support" {
		t.Errorf("%q %+v", c.Source.CSV.TimeZone, m)
	}
	want := map[string]string{"Closed": "closed", "Waiting": "closed", "open": "active", "0123": "closed", "no": "closed"}
	if diff := cmp.Diff(want, m.Statuses); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"dmy"}, c.Source.CSV.DateFormats); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"joe@left.example": ""}, m.Agents); diff != "" {
		t.Error("of three likely agents one is of the team's domain, one has no address:", diff)
	}
	if c.Source.CSV.Columns["comments"] != "Comment#*" || c.Source.CSV.Columns["subject"] != "Betreff: neu" {
		t.Errorf("columns %v", c.Source.CSV.Columns)
	}
}

// An export that knows agents by name only asks for names.
func TestAgentsWithoutAddresses(t *testing.T) {
	s := tableSurvey()
	s.Agents = nil
	for i := range 60 {
		s.Agents = append(s.Agents, sources.Count{Value: fmt.Sprintf("Agent: %d", i), N: 100 - i})
	}
	text, questions := Draft(s, []string{"t.csv"}, DraftOptions{})
	mustParse(t, string(text))
	asked := 0
	for _, q := range questions {
		if strings.HasPrefix(q.Key, "mapping.agents.Agent: ") {
			asked++
		}
	}
	if asked != maxAgents || strings.Count(string(text), `# "Agent: `) != maxLikely {
		t.Errorf("%d asked for, the draft is\n%s", asked, text)
	}
	text, _ = Draft(s, []string{"t.csv"}, DraftOptions{Answers: map[string]string{"mapping.agents.Agent: 0": "ada@support.example", "mapping.agents.Agent: 49": "bob@support.example"}})
	if m := mustParse(t, string(text)).Mapping.Agents; m["Agent: 0"] != "ada@support.example" || m["Agent: 49"] != "bob@support.example" {
		t.Errorf("answers became %v", m)
	}
}

// Asked once, answered, drafted again: nothing is left, and the answers stand in the file.
func TestAnswers(t *testing.T) {
	_, questions := Draft(tableSurvey(), []string{"t.csv"}, DraftOptions{})
	answers := map[string]string{}
	for _, q := range questions {
		answers[q.Key] = q.Guess
	}
	answers["helpscout.mailbox"] = "Sales & $upport"
	text, left := Draft(tableSurvey(), []string{"t.csv"}, DraftOptions{Answers: answers})
	if len(left) > 0 {
		t.Errorf("still asked: %v", left)
	}
	if c := mustParse(t, string(text)); len(c.Unanswered) > 0 || c.Mapping.Mailbox != "Sales & $upport" {
		t.Errorf("open: %v; mailbox %q", c.Unanswered, c.Mapping.Mailbox)
	}
}

func TestDraftPaths(t *testing.T) {
	dir := t.TempDir()
	text, _ := Draft(mailSurvey(), []string{filepath.Join(dir, "mail", "in box.mbox"), filepath.Join(dir, "~x")}, DraftOptions{Dir: dir})
	c, err := Parse(filepath.Join(dir, "import.yaml"), text, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"mail/in box.mbox", "./~x"}, c.Source.Paths); diff != "" {
		t.Error(diff)
	}
	if want := filepath.Join(dir, "mail", "in box.mbox"); c.Source.Mbox.Paths[0] != want {
		t.Errorf("%s, want %s", c.Source.Mbox.Paths[0], want)
	}
}

// Three files, one of them of no use: each goes where it belongs, with the columns of its own.
func TestJoinedDraft(t *testing.T) {
	file := func(path, role string) sources.SurveyFile { return sources.SurveyFile{Path: path, Role: role} }
	col := func(file, name, role string, filled int) sources.SurveyColumn {
		return sources.SurveyColumn{File: file, Name: name, Role: role, Kind: "text", Filled: filled, Of: 10}
	}
	s := &sources.Survey{
		Format: "csv", Layout: "joined", ZoneKnown: true,
		Files: []sources.SurveyFile{file("x/a.csv", "tickets"), file("x/a2.csv", "tickets"), file("x/b.csv", "messages"), file("x/c.csv", "users"), file("x/d.csv", "")},
		Columns: []sources.SurveyColumn{
			col("x/a.csv", "Id", "ticket_id", 10), col("x/a.csv", "Title", "subject", 4), col("x/a.csv", "Topic", "subject", 6), col("x/a.csv", "Colour", "", 3),
			col("x/a2.csv", "Id", "ticket_id", 10), col("x/a2.csv", "Colour", "", 3),
			col("x/b.csv", "Ticket", "ticket_id", 10), col("x/b.csv", "Text", "message_body", 10), col("x/b.csv", "Cc, all", "message_cc", 2),
			col("x/b.csv", "File#1", "message_attachments", 2), col("x/b.csv", "File#2", "message_attachments", 1),
			col("x/c.csv", "Mail", "user_email", 10), col("x/d.csv", "Other", "subject", 10),
		},
	}
	text, _ := Draft(s, []string{"x/a.csv", "x/a2.csv", "x/b.csv", "x/c.csv", "x/d.csv"}, DraftOptions{})
	c := mustParse(t, string(text))
	csv := c.Source.CSV
	files := [][]string{c.Source.Paths, csv.Messages, csv.Users}
	if diff := cmp.Diff([][]string{{"x/a.csv", "x/a2.csv"}, {"/job/x/b.csv"}, {"/job/x/c.csv"}}, files); diff != "" {
		t.Error(diff)
	}
	columns := []map[string]string{csv.Columns, csv.MessageColumns, csv.UserColumns}
	want := []map[string]string{
		{"ticket_id": "Id", "subject": "Title | Topic"},
		{"ticket_id": "Ticket", "message_body": "Text", "message_cc": "Cc, all", "message_attachments": "File#*"},
		{"user_email": "Mail"},
	}
	if diff := cmp.Diff(want, columns); diff != "" {
		t.Error(diff)
	}
	if n := strings.Count(string(text), "Colour"); n != 1 {
		t.Errorf("the column without a use is named %d times", n)
	}
}

// Whatever an export holds, its draft loads and asks what it leaves open.
func TestEveryDraftLoads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"?", "no", "~", "0x1", "a: b", "- a", "# c", "", "a\nb", "\x00", "\u2028", "\ufeff", "\xff", "$", "${A}", "<<", "*a", "&a", "!t", "a\t"}))
		counts := func(name string) []sources.Count {
			return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) sources.Count {
				return sources.Count{Value: word.Draw(t, "value"), N: rapid.IntRange(1, 1e6).Draw(t, "n")}
			}), 0, 6).Draw(t, name)
		}
		s := &sources.Survey{
			Format:   rapid.SampledFrom([]string{"csv", "mbox", "json", ""}).Draw(t, "format"),
			Layout:   rapid.SampledFrom([]string{"ticket-per-row", "message-per-row", ""}).Draw(t, "layout"),
			Metrics:  word.Draw(t, "metrics"),
			Statuses: counts("statuses"), Kinds: counts("kinds"), Labels: counts("labels"), Senders: counts("senders"),
			Agents: counts("agents"), Domains: counts("domains"),
			Columns: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) sources.SurveyColumn {
				return sources.SurveyColumn{
					Name: "c" + word.Draw(t, "name"), Kind: rapid.SampledFrom([]string{"date", "text"}).Draw(t, "kind"),
					Role:   rapid.SampledFrom([]string{"", "subject", "comments", "tags"}).Draw(t, "role"),
					Layout: rapid.SampledFrom([]string{"", ambiguous}).Draw(t, "columnLayout"),
					Filled: rapid.IntRange(0, 2).Draw(t, "filled"), Examples: []string{word.Draw(t, "example")},
				}
			}), 0, 5).Draw(t, "columns"),
		}
		text, questions := Draft(s, []string{"t" + word.Draw(t, "path")}, DraftOptions{JobTag: word.Draw(t, "tag")})
		if c, err := Parse("i.yaml", text, noEnv); err != nil {
			t.Fatalf("%v\n%s", err, text)
		} else if left := len(c.Unanswered); left < len(questions) {
			t.Fatalf("%d questions, %d left open\n%s", len(questions), left, text)
		}
		guessed, _ := Draft(s, []string{"t.csv"}, DraftOptions{Rehearsal: true, JobTag: "x"})
		c, err := Parse("i.yaml", guessed, noEnv)
		if err != nil {
			t.Fatalf("%v\n%s", err, guessed)
		}
		if i := slices.IndexFunc(c.Unanswered, func(Unanswered) bool { return true }); i >= 0 {
			t.Fatalf("a rehearsal leaves %s open\n%s", c.Unanswered[i].Key, guessed)
		}
	})
}

// FuzzScalar: any text written as a key or value is read back as it was.
func FuzzScalar(f *testing.F) {
	for _, s := range []string{"", "a", "?", "no", "a: b", "\x7f\u0085", "\"\\", "0123", "$$", "${A}", "\u2028", "\U0001F600", " a "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := strings.ToValidUTF8(s, "\ufffd")
		if s != want || strings.TrimSpace(s) == open {
			t.Skip()
		}
		c, err := Parse("i.yaml", []byte(with("mapping:\n  tags:\n    "+scalar(s)+": "+value(s)+"\n  exclude_senders: "+items([]string{s, s})+"\n")), noEnv)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := c.Mapping.Tags[strings.TrimSpace(s)]
		if !ok || got != s || c.Mapping.ExcludeSenders[1] != s {
			t.Errorf("%q came back as %q", s, c.Mapping.Tags)
		}
	})
}

// An empty status is a value like another: its question shows that it is meant, and the answer in the file is read as
// one about it.
func TestDraftOfTheEmptyStatus(t *testing.T) {
	survey := tableSurvey()
	survey.Statuses, survey.Kinds = count("open", 20, "", 2), nil
	text, questions := Draft(survey, []string{"t.csv"}, DraftOptions{})
	i := slices.IndexFunc(questions, func(q Question) bool { return strings.HasPrefix(q.Key, "mapping.statuses") })
	if i < 0 {
		t.Fatalf("nobody asks: %v", questions)
	}
	q := questions[i]
	if q.Key != `mapping.statuses.""` || q.Text != "2 tickets without a status: what do they become?" {
		t.Errorf("%s: %s", q.Key, q.Text)
	}
	lines := strings.Split(string(text), "\n")
	if !strings.HasPrefix(lines[q.Line-1], `    "": "?" `) {
		t.Errorf("line %d is %s", q.Line, lines[q.Line-1])
	}
	if !slices.ContainsFunc(mustParse(t, string(text)).Unanswered, func(u Unanswered) bool { return u.Key == q.Key && u.Line == q.Line }) {
		t.Error("the configuration does not say that it is open")
	}
	c := mustParse(t, strings.Replace(string(text), `"": "?"`, `"": pending`, 1))
	if c.Mapping.Statuses[""] != "pending" || slices.ContainsFunc(c.Unanswered, func(u Unanswered) bool { return u.Key == q.Key }) {
		t.Errorf("%q, open: %v", c.Mapping.Statuses, c.Unanswered)
	}
}
