package csvfile

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCorpusSpectrum reads the tables of the folder csvs beside a folder json that says what they hold, wherever CORPUS
// has such a pair.
func TestCorpusSpectrum(t *testing.T) {
	root := os.Getenv("CORPUS")
	if root == "" {
		t.Skip("CORPUS names no folder of real exports")
	}
	var tables []string
	for _, depth := range []string{"", "*", "*/*", "*/*/*"} {
		found, err := filepath.Glob(filepath.Join(root, depth, "csvs", "*.csv"))
		if err != nil {
			t.Fatal(err)
		}
		tables = append(tables, found...)
	}
	for _, path := range tables {
		said, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(path)), "json", strings.TrimSuffix(filepath.Base(path), ".csv")+".json"))
		if err != nil {
			continue
		}
		var want []map[string]string
		if err := json.Unmarshal(said, &want); err != nil {
			t.Logf("%s is not told as rows: %v", path, err)
			continue
		}
		got := rowMaps(t, path)
		if len(got) != len(want) {
			t.Errorf("%s: %d rows, want %d: %q", path, len(got), len(want), got)
			continue
		}
		for i := range want {
			for name, cell := range want[i] {
				// Line ends are made \n; the maker keeps them.
				if strings.ReplaceAll(cell, "\r\n", "\n") != got[i][name] {
					t.Errorf("%s: row %d: %s is %q, want %q", path, i+1, name, got[i][name], cell)
				}
			}
		}
	}
}

// rowMaps are the rows of a table by their headers.
func rowMaps(t *testing.T, path string) (out []map[string]string) {
	t.Helper()
	s := &Source{opts: Options{Paths: []string{path}}}
	defer s.Close()
	if err := s.checkOptions(); err != nil {
		t.Fatal(err)
	}
	rows, err := s.openTable(path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, cell := range row.cells {
			m[rows[0].cells[i]] = cell
		}
		out = append(out, m)
	}
	return out
}

// TestCorpusTables opens every table that CORPUS holds, torture sets and all: whatever is refused has its place and its
// reason, and the ledger closes.
func TestCorpusTables(t *testing.T) {
	root := os.Getenv("CORPUS")
	if root == "" {
		t.Skip("CORPUS names no folder of real exports")
	}
	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if ext := strings.ToLower(filepath.Ext(path)); err != nil || e.IsDir() || ext != ".csv" && ext != ".tsv" && ext != ".bz2" && ext != ".gz" {
			return err
		}
		survey, err := Survey(context.Background(), []string{path}, root, nil)
		if err != nil {
			t.Logf("%s: %v", path, err)
			return nil
		}
		if err := survey.Ledger.Check(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		for _, r := range survey.Ledger.Refused {
			if r.Reason == "" || r.Position.Line == 0 {
				t.Errorf("%s: refused without place or reason: %+v", path, r)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
