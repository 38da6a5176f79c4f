package mboxfile

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// packed makes a ZIP of files by name.
func packed(t *testing.T, path string, files map[string]string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}

// Mail inside an archive is read as if somebody had unpacked it: the same tickets and labels; places name archive and
// member; archives in a named folder are looked into, others inside of them are not.
func TestArchives(t *testing.T) {
	mail := func(id, label string) string {
		return "From a@b.example Mon Jan  1 00:00:00 2024\nFrom: a@b.example\nDate: Mon, 1 Jan 2024 00:00:00 +0000\nX-Gmail-Labels: " + label +
			"\nMessage-ID: <" + id + "@b.example>\n\ntext " + id + "\n"
	}
	dir := t.TempDir()
	files := map[string]string{"Takeout/Mail/Inbox.mbox": mail("1", "Inbox") + "\n" + mail("2", "Inbox"), "Takeout/Mail/Old.mbox.gz": gzipped(mail("3", "Old")), "Takeout/index.html": "<p>", "Takeout/inner.zip": "PK\x03\x04"}
	packed(t, filepath.Join(dir, "takeout.zip"), files)
	packed(t, filepath.Join(dir, "photos.zip"), map[string]string{"a.jpg": "\xff\xd8\xff"})
	tree := tree(t, files)
	want, err := Open(t.Context(), Options{Paths: []string{filepath.Join(tree, "Takeout")}, Base: tree})
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	for _, path := range []string{dir, dir + "/takeout.zip", dir + "/*.zip", dir + "/takeout.zip/Takeout", dir + "/takeout.zip/Takeout/Mail"} {
		if strings.HasSuffix(path, "*.zip") {
			os.Remove(filepath.Join(dir, "photos.zip"))
		}
		s, err := Open(t.Context(), Options{Paths: []string{path}, Base: dir})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if s.Len() != want.Len() || s.Digest() != want.Digest() {
			t.Errorf("%s: %d tickets", path, s.Len())
		}
		tk, err := s.Ticket(t.Context(), 0)
		if err != nil || tk.Position.File != "takeout.zip/Takeout/Mail/Inbox.mbox" {
			t.Errorf("%s: %+v, %v", path, tk, err)
		}
		if f := s.Ledger().Files[0]; f.Path != "takeout.zip/Takeout/Mail/Inbox.mbox" || !strings.HasPrefix(f.Encoding, "zip+mbox") || f.Stored >= f.Size {
			t.Errorf("%s: ledger %+v", path, f)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := os.ReadDir(temp); len(left) != 0 {
			t.Errorf("%s: %s is left", path, left[0])
		}
	}
	_, err = Open(t.Context(), Options{Paths: []string{dir + "/takeout.zip/Mail/x.mbox"}, Base: dir})
	if err == nil || err.Error() != "takeout.zip/Mail/x.mbox: there is no such file or folder" {
		t.Errorf("error %v", err)
	}
}
