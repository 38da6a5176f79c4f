package csvfile

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hsimport/sources"
)

// tablesIn lists the tables of a folder, not of those in it, and notes the other files.
func (s *Source) tablesIn(dir string) (found []string, err error) {
	entries, err := os.ReadDir(dir)
	var others []string
	for _, e := range entries {
		switch name := e.Name(); {
		case e.IsDir() || strings.HasPrefix(name, "."):
		case s.tableName(name):
			found = append(found, filepath.Join(dir, name))
		default:
			others = append(others, name)
		}
	}
	s.passOver(dir, others)
	return found, err
}

// tableName tells by its name whether a file of a folder or an archive is one of this source's. Hidden files are not:
// locks of spreadsheets end in .csv too.
func (s *Source) tableName(path string) bool {
	name := strings.ToLower(filepath.Base(path))
	for _, packed := range []string{".gz", ".zst", ".bz2"} {
		name = strings.TrimSuffix(name, packed)
	}
	return !strings.HasPrefix(name, ".") && slices.Contains(s.endings(), filepath.Ext(name))
}

// endings are those of the names of tables.
func (s *Source) endings() []string {
	switch {
	case s.format == nil:
		return []string{".csv", ".tsv", ".tab", ".psv"}
	case s.format.Kind() == "json":
		return []string{".json", ".jsonl", ".ndjson"}
	}
	return []string{"." + s.format.Kind()}
}

// what a folder or an archive was searched for, in words.
func (s *Source) what() string {
	if s.format == nil {
		return "table (.csv, .tsv)"
	}
	return "." + s.format.Kind() + " file"
}

// passOver notes, once for each folder or archive, what of it is not read as a table. That is a warning where a name
// says that it was one: tickets.csv.bak.
func (s *Source) passOver(dir string, others []string) {
	at := sources.Position{File: s.name(dir), Offset: -1}
	if len(others) == 0 || slices.ContainsFunc(s.passed, func(p sources.Problem) bool { return p.Position == at }) {
		return
	}
	var near, rest []string
	for _, name := range others {
		if lower := strings.ToLower(filepath.Base(name)); slices.ContainsFunc(s.endings(), func(e string) bool { return strings.Contains(lower, e) }) {
			near = append(near, name)
		} else {
			rest = append(rest, name)
		}
	}
	p := sources.Problem{Severity: sources.Info, Code: "file-passed-over", Position: at}
	ends := s.endings()
	what := strings.Join(ends[:len(ends)-1], ", ") + " or " + ends[len(ends)-1]
	if len(others) == 1 {
		p.Text = fmt.Sprintf("1 file is not read as an export, because its name does not end in %s: %s", what, others[0])
	} else {
		p.Text = fmt.Sprintf("%d files are not read as exports, because their names do not end in %s: %s", len(others), what, someOf(append(near, rest...)))
	}
	if len(near) > 0 {
		p.Severity = sources.Warning
		p.Text += "; name one in source.paths to read it"
	}
	s.passed = append(s.passed, p)
}
