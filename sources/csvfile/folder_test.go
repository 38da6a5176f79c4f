package csvfile

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsimport/sources"
)

// A folder and an archive of it are the same tables by the same rule, and both tell what they leave aside.
func TestFolderAndArchive(t *testing.T) {
	const row = "id,subject,created,text\n"
	files := map[string]string{
		"a.csv": row + "1,s,2024-01-01,hello\n", "B.TSV": strings.ReplaceAll(row+"2,s,2024-01-02,hello\n", ",", "\t"),
		"c.psv": strings.ReplaceAll(row+"3,s,2024-01-03,hello\n", ",", "|"), "a.csv.bak": row + "1,old,2024-01-01,hello\n",
		"d.csv~": row + "4,s,2024-01-04,hello\n", "notes.txt": "none", ".~lock.a.csv#": ",somebody,somewhere;", ".a.csv": row + "9,s,2024-01-01,x\n",
	}
	dir := t.TempDir()
	folder, packed := filepath.Join(dir, "export"), filepath.Join(dir, "export.zip")
	f, err := os.Create(packed)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	for name, text := range files {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err == nil {
			err = os.MkdirAll(folder, 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	const want = "are not read as exports, because their names do not end in .csv, .tsv, .tab or .psv: a.csv.bak, d.csv~, "
	told := func(problems []sources.Problem, place string) {
		t.Helper()
		n := 0
		for _, p := range problems {
			if p.Code == "file-passed-over" {
				n++
				if !strings.Contains(p.Text, want) || !strings.Contains(p.Text, "notes.txt") || p.Severity != sources.Warning || p.Position.File != place {
					t.Errorf("%s: %s: %v, %s", place, p.Position.File, p.Severity, p.Text)
				}
			}
		}
		if n != 1 {
			t.Errorf("%s: told %d times", place, n)
		}
	}
	for _, path := range []string{folder, packed} {
		o := perTicket()
		o.Base, o.Paths = dir, []string{path}
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if s.Len() != 3 || len(s.Ledger().Files) != 3 || ticket(t, s, "1").Subject != "s" {
			t.Errorf("%s: %d tickets of %+v", path, s.Len(), s.Ledger().Files)
		}
		told(s.Ledger().Problems, filepath.Base(path))
		s.Close()
		sv, err := Survey(t.Context(), o.Paths, dir, nil)
		if err != nil || len(sv.Files) != 3 {
			t.Fatalf("%+v, %v", sv, err)
		}
		told(sv.Oddities, filepath.Base(path))
	}
}
