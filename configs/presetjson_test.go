package configs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hsimport/sources"
	"hsimport/sources/csvfile"
	"hsimport/sources/jsonfile"
)

// Each preset of JSON reads its example from the file to the last message: survey, draft, configuration, tickets.
func TestPresetsReadJSON(t *testing.T) {
	all, err := Presets()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.Kind != JSON {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			path := filepath.Join("testdata", "presets", p.Name+".json")
			s, err := jsonfile.Survey(t.Context(), []string{path}, filepath.Dir(path), ChooseJSON(""))
			if err != nil {
				t.Fatal(err)
			}
			if s.Preset != p.Name {
				t.Fatalf("read as %q", s.Preset)
			}
			text, _ := Draft(s, []string{path}, DraftOptions{Dir: filepath.Dir(path), Rehearsal: true})
			c, err := Parse(filepath.Join("testdata", "presets", "import.yaml"), text, noEnv)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			src, err := jsonfile.Open(t.Context(), c.Source.JSON)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			defer src.Close()
			if err := src.Ledger().Check(); err != nil {
				t.Error(err)
			}
			got := dump(t, c, src)
			golden := strings.TrimSuffix(path, ".json") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s\n%s", diff, text)
			}
		})
	}
}

// dump says what a source holds, as a person would check it against the file.
func dump(t *testing.T, c *Config, src *csvfile.Source) string {
	t.Helper()
	var b strings.Builder
	who := func(p sources.Person) string {
		role := ""
		if p.Agent {
			role = " (agent)"
		}
		return fmt.Sprintf("%s %s <%s>%s", p.ID, p.Name, p.Email, role)
	}
	for i := range src.Len() {
		k, err := src.Ticket(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "ticket %s, number %s, %q, %s -> %s, %s, by %s, tags %v\n", k.Key, k.ID, k.Subject, k.Status, c.Mapping.Statuses[k.Status], k.Channel, who(k.Requester), k.Tags)
		if k.Assignee != nil {
			fmt.Fprintf(&b, "  assigned to %s\n", who(*k.Assignee))
		}
		for _, m := range k.Messages {
			fmt.Fprintf(&b, "  %s %s: %s", m.Key, m.CreatedAt.Format("2006-01-02 15:04"), who(m.Author))
			if m.Kind != "" {
				fmt.Fprintf(&b, ", %s -> %s", m.Kind, c.Mapping.MessageKinds[m.Kind])
			}
			if m.Private {
				b.WriteString(", private")
			}
			fmt.Fprintf(&b, ": %s\n", m.Body)
			for _, p := range m.Cc {
				fmt.Fprintf(&b, "    cc %s\n", p.Email)
			}
			for _, a := range m.Attachments {
				fmt.Fprintf(&b, "    file %s at %s\n", a.Name, a.Location)
			}
			for _, p := range m.Problems {
				fmt.Fprintf(&b, "    %s: %s\n", p.Code, p.Text)
			}
		}
	}
	r := src.Ledger().Records
	fmt.Fprintf(&b, "%d records: %d messages, %d duplicates, %d excluded %v, %d unreadable\n", r.Found, r.Messages, r.Duplicates, r.Excluded, r.ExcludedBy, r.Unreadable)
	for _, p := range src.Ledger().Problems {
		fmt.Fprintf(&b, "%s: %s\n", p.Code, p.Text)
	}
	return b.String()
}
