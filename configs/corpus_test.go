package configs

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hsimport/sources"
	"hsimport/sources/csvfile"
	"hsimport/sources/jsonfile"
	"hsimport/sources/mboxfile"
)

// TestCorpusDrafts walks the folder that CORPUS names: whatever survives a survey gets a draft that loads, and the
// rehearsal's draft reads the same tickets and messages that the survey saw.
func TestCorpusDrafts(t *testing.T) {
	root := os.Getenv("CORPUS")
	if root == "" {
		t.Skip("CORPUS names no folder of real exports")
	}
	groups := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		switch strings.ToLower(filepath.Ext(path)) {
		case ".csv", ".tsv":
			groups[path] = []string{path}
			dir := filepath.Dir(path) // and all of its folder together, as people drop them
			groups[dir] = append(groups[dir], path)
		case ".json", ".mbox", ".eml":
			groups[path] = []string{path}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(mapKeys(groups)) {
		if paths := groups[name]; len(paths) > 1 || name == paths[0] {
			corpusDraft(t, root, name, paths)
		}
	}
}

func mapKeys(m map[string][]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func corpusDraft(t *testing.T, root, name string, paths []string) {
	t.Helper()
	dir := filepath.Dir(paths[0])
	name, _ = filepath.Rel(root, name)
	var survey *sources.Survey
	var err error
	switch strings.ToLower(filepath.Ext(paths[0])) {
	case ".csv", ".tsv":
		survey, err = csvfile.Survey(t.Context(), paths, dir, ChooseCSV(""))
	case ".json":
		survey, err = jsonfile.Survey(t.Context(), paths, dir, ChooseJSON(""))
	default:
		survey, err = mboxfile.Survey(t.Context(), paths, dir)
	}
	if err != nil {
		t.Logf("%-60s no survey: %v", name, err)
		return
	}
	config := filepath.Join(dir, "import.yaml")
	text, questions := Draft(survey, paths, DraftOptions{Dir: dir})
	c, err := Parse(config, text, noEnv)
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, text)
		return
	}
	if len(c.Unanswered) != len(questions) {
		t.Errorf("%s: %d questions, %d left open", name, len(questions), len(c.Unanswered))
	}
	text, _ = Draft(survey, paths, DraftOptions{Dir: dir, Rehearsal: true})
	if c, err = Parse(config, text, noEnv); err != nil || len(c.Unanswered) > 0 {
		t.Errorf("%s: rehearsal: %v %v", name, err, c)
		return
	}
	ledger, tickets, err := openConfig(t, c)
	if err != nil && c.Source.Kind == CSV && len(c.Source.CSV.Columns) == 0 {
		t.Logf("%-60s not tickets: %v", name, err)
		return
	}
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, text)
		return
	}
	t.Logf("%-60s %-16s %6d tickets %7d messages, %d questions", name, survey.Layout, tickets, ledger.Records.Messages, len(questions))
	for _, p := range ledger.Problems {
		if p.Severity == sources.BlocksJob && survey.Metrics == "" {
			t.Logf("    %s: %s", p.Code, p.Text)
		}
	}
	excluded := ledger.Records.Excluded > 0 // the draft leaves Spam and Trash out, the survey does not
	if !excluded && (tickets != survey.Tickets || ledger.Records.Messages != survey.Messages) {
		t.Errorf("%s: %d tickets, %d messages; the survey saw %d, %d\n%s", name, tickets, ledger.Records.Messages, survey.Tickets, survey.Messages, text)
	}
}

func openConfig(t *testing.T, c *Config) (*sources.Ledger, int, error) {
	t.Helper()
	if c.Source.Kind == Mbox {
		src, err := mboxfile.Open(t.Context(), c.Source.Mbox)
		if err != nil {
			return nil, 0, err
		}
		defer src.Close()
		return src.Ledger(), src.Len(), nil
	}
	read := func() (*csvfile.Source, error) { return csvfile.Open(t.Context(), c.Source.CSV) }
	if c.Source.Kind == JSON {
		read = func() (*csvfile.Source, error) { return jsonfile.Open(t.Context(), c.Source.JSON) }
	}
	src, err := read()
	if err != nil {
		return nil, 0, err
	}
	defer src.Close()
	return src.Ledger(), src.Len(), nil
}
