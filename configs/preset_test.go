package configs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hsimport/sources"
	"hsimport/sources/csvfile"
)

// Every preset is well-formed, says where it is from, and has words that the mapping takes.
func TestPresets(t *testing.T) {
	all, err := Presets()
	if err != nil || len(all) == 0 {
		t.Fatalf("%d presets, %v", len(all), err)
	}
	for _, p := range all {
		for _, target := range p.Mapping.Statuses {
			if !slices.Contains(statusTargets, target) {
				t.Errorf("%s: no status becomes %q", p.Name, target)
			}
		}
		for _, kind := range p.Mapping.MessageKinds {
			if !slices.Contains(messageKinds, kind) && kind != byAuthor {
				t.Errorf("%s: no message is %q", p.Name, kind)
			}
		}
		for _, doc := range p.Documented {
			if !strings.Contains(doc, "https://") {
				t.Errorf("%s: documented without an address: %s", p.Name, doc)
			}
		}
		for table, columns := range map[string]map[string]string{
			"columns": p.Source.Columns, "message_columns": p.Source.MessageColumns, "user_columns": p.Source.UserColumns,
		} {
			names := csvfile.ColumnNames(table, p.Source.Layout)
			for ours := range columns {
				if !slices.Contains(names, ours) {
					t.Errorf("%s: %s: there is no column %s", p.Name, table, ours)
				}
			}
		}
	}
}

func TestPresetsAreReadStrictly(t *testing.T) {
	const good = "name: x\nversion: 1\ndesk: X\ntitle: t\nkind: csv\nseen: [a]\nfits: {tickets: [id]}\n"
	if _, err := parsePreset("x.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		good + "zebra: 1\n", strings.Replace(good, "name: x", "name: y", 1), strings.Replace(good, "version: 1\n", "", 1),
		strings.Replace(good, "seen: [a]\n", "", 1), strings.Replace(good, "tickets: [id]", "", 1), "",
	} {
		if _, err := parsePreset("x.yaml", []byte(bad)); err == nil {
			t.Errorf("is read:\n%s", bad)
		}
	}
}

// files writes files and returns their paths.
func files(t *testing.T, pairs ...string) (dir string, paths []string) {
	t.Helper()
	dir = t.TempDir()
	for i := 0; i < len(pairs); i += 2 {
		p := filepath.Join(dir, pairs[i])
		if err := os.WriteFile(p, []byte(pairs[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, p)
	}
	return dir, paths
}

const (
	zendeskTickets  = "id,subject,description,status,requester_id,submitter_id,assignee_id,created_at,tags,region\n7,Broken,It broke,hold,100,100,200,2024-01-02T10:00:00Z,a b,north\n"
	zendeskComments = "id,author_id,html_body,public,created_at,parent_ticket_id\n1,100,<p>It broke</p>,TRUE,2024-01-02T10:00:00Z,7\n2,200,<p>Aha</p>,FALSE,2024-01-02T11:00:00Z,7\n"
	zendeskUsers    = "id,name,email,role\n100,Joe,joe@else.example,end-user\n200,Ada,ada@support.example,agent\n"
)

// A preset is found by the columns of the files, whatever their names and order; the draft says so and reads them.
func TestPresetDraft(t *testing.T) {
	dir, paths := files(t, "a.csv", zendeskComments, "b.csv", zendeskUsers, "c.csv", zendeskTickets)
	s, err := csvfile.Survey(t.Context(), paths, dir, ChooseCSV(""))
	if err != nil {
		t.Fatal(err)
	}
	if s.Preset != "zendesk-csv" || s.Layout != csvfile.Joined || s.Tickets != 1 || s.Messages != 2 {
		t.Fatalf("survey %+v", s)
	}
	text, _ := Draft(s, paths, DraftOptions{Dir: dir, Rehearsal: true})
	for _, want := range []string{
		"preset zendesk-csv, version", "Seen in a real file: ", "documentation: ", "paths: [c.csv]", "messages: [a.csv]", "users: [b.csv]",
		"hold: pending", "- region: 1 of 1 rows",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the draft lacks %q:\n%s", want, text)
		}
	}
	c, err := Parse(filepath.Join(dir, "import.yaml"), text, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	src, err := csvfile.Open(t.Context(), c.Source.CSV)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	ticket, err := src.Ticket(t.Context(), 0)
	if err != nil || len(ticket.Messages) != 2 || !ticket.Messages[1].Private || ticket.Requester.Email != "joe@else.example" {
		t.Errorf("%+v, %v", ticket, err)
	}
}

// A person may choose, and may choose none.
func TestPresetNamed(t *testing.T) {
	dir, paths := files(t, "t.csv", zendeskTickets)
	survey := func(name string) (*sources.Survey, error) {
		return csvfile.Survey(t.Context(), paths, dir, ChooseCSV(name))
	}
	for _, name := range []string{"", NoPreset} {
		if s, err := survey(name); err != nil || s.Preset != "" {
			t.Errorf("--preset %q: %v, %v", name, s, err)
		}
	}
	if _, err := survey("zendesk-csv"); err == nil || !strings.Contains(err.Error(), "does not fit: it needs tickets with id, subject") {
		t.Errorf("without comments: %v", err)
	}
	if _, err := survey("zendsk"); err == nil || !strings.Contains(err.Error(), `no preset "zendsk"; there are `) {
		t.Errorf("a name that is none: %v", err)
	}
}

// What a preset says in the draft, such as that its internal comments arrive as public ones, stands there whole.
func TestPresetRemarksAreWhole(t *testing.T) {
	all, err := Presets()
	if err != nil || len(all) == 0 {
		t.Fatal(len(all), err)
	}
	for _, p := range all {
		text, _ := Draft(&sources.Survey{Format: p.Kind, Preset: p.Name}, nil, DraftOptions{})
		var read strings.Builder
		for line := range strings.Lines(string(text)) {
			if comment, ok := strings.CutPrefix(line, "# "); ok {
				if len([]rune(line)) > 125 && len(strings.Fields(comment)) > 1 {
					t.Errorf("%s: a line of %d characters: %s", p.Name, len([]rune(line)), line)
				}
				read.WriteString(" " + strings.TrimSpace(comment))
			}
		}
		for _, said := range append(append([]string{p.Notice, p.Needs()}, p.Seen...), p.Documented...) {
			if !strings.Contains(read.String(), strings.Join(strings.Fields(said), " ")) {
				t.Errorf("%s: the draft does not say %q:\n%s", p.Name, said, read.String())
			}
		}
	}
}

// Several columns under one of ours are all taken where ours is a list; else the first that is filled counts.
func TestSeveralColumnsUnderOne(t *testing.T) {
	columns := []sources.SurveyColumn{{Name: "A", Filled: 1, Of: 2}, {Name: "B", Filled: 2, Of: 2}}
	for role, want := range map[string]string{"tags": "all 2 of them", "message_cc": "all 2 of them", "message_body": "the first that is filled"} {
		if header, comment := headerOf(role, columns); header != "A | B" || comment != want {
			t.Errorf("%s: %s # %s", role, header, comment)
		}
	}
}
