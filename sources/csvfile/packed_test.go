package csvfile

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hsimport/sources"
)

// An export of two tables with their files, packed: the tables name their files relative to themselves.
var export = []struct{ name, text string }{
	{"data/tickets.csv", "id,subject,created,text,file\n1,s,2024-01-01,hello,files/a.txt\n2,t,2024-01-02,hello again,../../b.txt\n"},
	{"data/files/a.txt", "content of a"},
	{"b.txt", "not below the table"},
}

func zipped(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "export.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	for _, m := range export {
		w, err := z.Create(m.name)
		if err == nil {
			_, err = io.WriteString(w, m.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func tarred(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "export.tar.gz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g := gzip.NewWriter(f)
	w := tar.NewWriter(g)
	for _, m := range export {
		err := w.WriteHeader(&tar.Header{Name: "./" + m.name, Size: int64(len(m.text)), Mode: 0o644})
		if err == nil {
			_, err = io.WriteString(w, m.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []io.Closer{w, g} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// A table inside an archive is read as if somebody had unpacked it: the same tickets, files beside it, places that name
// archive and member, and nothing left when it is closed.
func TestArchives(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	dir := t.TempDir()
	o := perTicket()
	o.Columns = map[string]string{"ticket_id": "id", "subject": "subject", "created_at": "created", "description": "text", "attachments": "file"}
	o.Base = dir
	zipPath, tarPath := zipped(t, dir), tarred(t, dir)
	var digests []string
	for path, name := range map[string]string{
		zipPath: "export.zip", zipPath + "/data": "export.zip", zipPath + "/data/tickets.csv": "export.zip", zipPath + "/data/*.csv": "export.zip",
		tarPath: "export.tar.gz", tarPath + "/data/tickets.csv": "export.tar.gz",
	} {
		o.Paths = []string{path}
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		digests = append(digests, s.Digest())
		tk := ticket(t, s, "1")
		a := tk.Messages[0].Attachments[0]
		if tk.Position.File != name+"/data/tickets.csv" || tk.Position.Line != 2 || a.Missing != "" || a.Size != 12 {
			t.Errorf("%s: %+v, %+v", path, tk.Position, a)
		}
		if r, err := a.Open(); err != nil {
			t.Error(err)
		} else if data, _ := io.ReadAll(r); string(data) != "content of a" {
			t.Errorf("%q", data)
		} else {
			r.Close()
		}
		if a := ticket(t, s, "2").Messages[0].Attachments[0]; !strings.Contains(a.Missing, "leads out") {
			t.Errorf("%+v", a)
		}
		f := s.Ledger().Files[0]
		if f.Path != name+"/data/tickets.csv" || f.Size != int64(len(export[0].text)) || !strings.HasSuffix(f.Encoding, "+utf-8") || f.Stored == 0 {
			t.Errorf("ledger %+v", f)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := os.ReadDir(temp); len(left) != 0 {
			t.Errorf("%s is left", left[0])
		}
	}
	if len(slices.Compact(digests)) != 1 {
		t.Errorf("digests %v", digests)
	}
}

func TestArchiveWithoutTheMember(t *testing.T) {
	dir := t.TempDir()
	o := perTicket()
	o.Base = dir
	path := zipped(t, dir)
	o.Paths = []string{path + "/comments.csv"}
	_, err := Open(t.Context(), o)
	if err == nil || err.Error() != `export.zip: there is no "comments.csv" in it` {
		t.Errorf("error %v", err)
	}
	if in, ok := err.(*sources.InputError); !ok || in.Hint != "it holds data/tickets.csv, data/files/a.txt, b.txt" {
		t.Errorf("hint %+v", err)
	}
	if s, err := Survey(t.Context(), []string{path}, dir, nil); err != nil || s.Tickets != 2 || s.Files[0].Path != "export.zip/data/tickets.csv" {
		t.Errorf("%+v, %v", s, err)
	}
}
