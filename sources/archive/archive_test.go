package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hsimport/sources"
)

type member struct {
	name, text string
	typ        byte // of tar; 0: a file
	link       string
}

func zipOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
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
	return b.Bytes()
}

func tarOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Size: int64(len(m.text)), Mode: 0o600, Typeflag: m.typ, Linkname: m.link}
		if m.typ == 0 {
			h.Typeflag = tar.TypeReg
		}
		err := w.WriteHeader(h)
		if err == nil {
			_, err = io.WriteString(w, m.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	g := gzip.NewWriter(&b)
	if _, err := g.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func put(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// tree is what an archive unpacks to, by name.
func tree(t testing.TB, root string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		got[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestUnpack(t *testing.T) {
	members := []member{{name: "a.csv", text: "id\n1\n"}, {name: `dir\b.csv`, text: "x"}, {name: "dir/inner.zip", text: "PK\x03\x04"}, {name: "__MACOSX/._a.csv", text: "rubbish"}, {name: "dir/.DS_Store", text: "rubbish"}}
	want := map[string]string{"a.csv": "id\n1\n", "dir/b.csv": "x", "dir/inner.zip": "PK\x03\x04"}
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	for name, data := range map[string][]byte{
		"e.zip": zipOf(t, members...), "e.tar": tarOf(t, members...), "e.tar.gz": gzipped(t, tarOf(t, members...)), "no-ending": gzipped(t, tarOf(t, members...)),
	} {
		path := put(t, name, data)
		var s Set
		root, ok, err := s.Open(t.Context(), path)
		if err != nil || !ok {
			t.Errorf("%s: %v, %v", name, ok, err)
			continue
		}
		if got := tree(t, root); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s unpacks to %q", name, got)
		}
		again, _, err := s.Open(t.Context(), path+"/dir/*.csv")
		if err != nil || again != filepath.Join(root, "dir", "*.csv") || s.Original(filepath.Join(root, "a.csv")) != filepath.Join(path, "a.csv") {
			t.Errorf("%s: %s, %v", name, again, err)
		}
		if _, ok, err := s.Open(t.Context(), filepath.Join(root, "dir", "inner.zip")); ok || err != nil {
			t.Errorf("%s: the archive inside of it is followed: %v", name, err)
		}
		if names, err := Names(t.Context(), path, "dir"); err != nil || !slices.Equal(names, []string{"dir/b.csv", "dir/inner.zip"}) {
			t.Errorf("%s holds %q, %v", name, names, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := os.ReadDir(temp); len(left) != 0 {
		t.Errorf("%s is left", left[0])
	}
}

// Whatever members are called, nothing is written anywhere else, and what is passed over is said.
func TestNamesThatLeadAway(t *testing.T) {
	outside := t.TempDir()
	bad := []member{
		{name: "../../evil.csv", text: "x"},
		{name: "/etc/evil.csv", text: "x"},
		{name: `..\..\evil.csv`, text: "x"},
		{name: `C:\evil.csv`, text: "x"},
		{name: "a/../../evil.csv", text: "x"},
		{name: "new\nline.csv", text: "x"},
		{name: "ok/../fine.csv", text: "fine"},
	}
	links := append(slices.Clone(bad), member{name: "dir", typ: tar.TypeSymlink, link: outside}, member{name: "dir/through.csv", text: "in a folder of its own"},
		member{name: "etc", typ: tar.TypeLink, link: "../../../etc/passwd"}, member{name: "copy.csv", typ: tar.TypeLink, link: "fine.csv"}, member{name: "pipe", typ: tar.TypeFifo})
	for name, data := range map[string][]byte{"a.zip": zipOf(t, bad...), "a.tar": tarOf(t, links...)} {
		var s Set
		root, _, err := s.Open(t.Context(), put(t, name, data))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		got := tree(t, root)
		want := map[string]string{"fine.csv": "fine"}
		passed := 6
		if name == "a.tar" {
			want["copy.csv"], want["dir/through.csv"] = "fine", "in a folder of its own"
			passed += 3
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s unpacks to %q", name, got)
		}
		if all := tree(t, s.dir); len(all) != len(got) {
			t.Errorf("beside it stands %q", all)
		}
		if p := s.Problems(); len(p) != passed || p[0].Position.File != name {
			t.Errorf("%s: %d passed over: %+v", name, len(p), p)
		}
	}
	if left, _ := os.ReadDir(outside); len(left) != 0 {
		t.Errorf("%s was written through a link", left[0])
	}
}

// Two members of one name are two files.
func TestRepeatedNames(t *testing.T) {
	var s Set
	defer s.Close()
	root, _, err := s.Open(t.Context(), put(t, "a.tar", tarOf(t, member{name: "d/a.eml", text: "1"}, member{name: "d/a.eml", text: "2"}, member{name: "d", text: "a file where a folder is"})))
	if err != nil {
		t.Fatal(err)
	}
	if got := tree(t, root); fmt.Sprint(got) != fmt.Sprint(map[string]string{"d/a.eml": "1", "d/(2) a.eml": "2", "(2) d": "a file where a folder is"}) {
		t.Errorf("%q", got)
	}
}

func TestRefused(t *testing.T) {
	whole := zipOf(t, member{name: "a.csv", text: strings.Repeat("many words\n", 1000)})
	packed := gzipped(t, tarOf(t, member{name: "a.csv", text: strings.Repeat("0123456789abcdef\n", 5000)}, member{name: "b.csv", text: "x"}))
	secret := bytes.Clone(whole)
	secret[bytes.LastIndex(secret, []byte("PK\x01\x02"))+8] |= 1 // in the directory
	rare := bytes.Clone(whole)
	rare[bytes.LastIndex(rare, []byte("PK\x01\x02"))+10] = 9
	damaged := bytes.Clone(whole)
	damaged[60] ^= 0xff
	for name, tt := range map[string]struct {
		data       []byte
		want, hint string
	}{
		"cut.zip":     {whole[:len(whole)-30], "its directory is missing or damaged", "fetch the archive again"},
		"secret.zip":  {secret, `"a.csv" in it is encrypted`, "with its password"},
		"rare.zip":    {rare, `"a.csv" in it cannot be read: it is packed with Deflate64, which is not read here`, "another program"},
		"damaged.zip": {damaged, `"a.csv" in it is damaged`, "what can be saved"},
		"cut.tgz":     {packed[:len(packed)/2], "is damaged", "fetch the archive again"},
	} {
		temp := t.TempDir()
		t.Setenv("TMPDIR", temp)
		var s Set
		_, ok, err := s.Open(t.Context(), put(t, name, tt.data))
		var in *sources.InputError
		if !ok || !errors.As(err, &in) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(in.Hint, tt.hint) || in.Position.File != name {
			t.Errorf("%s: %v, %v (%+v)", name, ok, err, in)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := os.ReadDir(temp); len(left) != 0 {
			t.Errorf("%s: %s is left", name, left[0])
		}
	}
}

// An archive that unpacks to far more than any export does is refused before it fills the disk; one that lies about it
// too.
func TestBombs(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("big.csv")
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 1<<20)
	for range 4 {
		if _, err := w.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	liar := bytes.Clone(b.Bytes())
	at := bytes.LastIndex(liar, []byte("PK\x01\x02"))
	copy(liar[at+24:], []byte{100, 0, 0, 0}) // the directory says 100 bytes
	for name, want := range map[string]string{"bomb.zip": "more than 200 times", "liar.zip": "is damaged"} {
		data := b.Bytes()
		if name == "liar.zip" {
			data = liar
		}
		s := Set{free: 1 << 20}
		if _, _, err := s.Open(t.Context(), put(t, name, data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
		s.Close()
	}
	var t2 bytes.Buffer
	g := gzip.NewWriter(&t2)
	if _, err := g.Write(tarOf(t, member{name: "pipe", typ: tar.TypeFifo}, member{name: "big.csv", text: strings.Repeat("0", 4<<20)})); err != nil || g.Close() != nil {
		t.Fatal(err)
	}
	s := Set{free: 1 << 20}
	if _, _, err := s.Open(t.Context(), put(t, "bomb.tgz", t2.Bytes())); err == nil || !strings.Contains(err.Error(), "more than 200 times") {
		t.Errorf("bomb.tgz: %v", err)
	}
	s.Close()
}

func TestSplit(t *testing.T) {
	path := put(t, "e.zip", zipOf(t, member{name: "a/b.csv"}))
	for in, want := range map[string]string{path: "", path + "/a/b.csv": "a/b.csv", path + "/": "", path + "/*.csv": "*.csv"} {
		archive, inside, ok := Split(in)
		if !ok || archive != path || inside != want {
			t.Errorf("%s: %s, %s, %v", in, archive, inside, ok)
		}
	}
	plain := put(t, "a.csv", []byte("id\n"))
	for _, in := range []string{plain, plain + "/x", filepath.Dir(path), filepath.Join(filepath.Dir(path), "none.zip"), ""} {
		if _, _, ok := Split(in); ok {
			t.Errorf("%q leads into an archive", in)
		}
	}
}

func TestForeign(t *testing.T) {
	for name, tt := range map[string]struct{ data, want string }{
		"a.pst": {"!BDNxxxx", "Outlook data file"}, "a.msg": {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Outlook message"},
		"a.xls": {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel workbook"}, "a.csv": {"id,subject\n", ""}, "a.7z": {"7z\xbc\xaf\x27\x1c", "7-Zip"},
		"a.xlsx":    {string(zipOf(t, member{name: "[Content_Types].xml"}, member{name: "xl/workbook.xml"})), "Excel workbook"},
		"a.numbers": {string(zipOf(t, member{name: "Index/Document.iwa"})), "Numbers"},
		"a.ods":     {string(zipOf(t, member{name: "mimetype", text: "application/vnd.oasis.opendocument.spreadsheet"})), "OpenDocument"},
		"a.zip":     {string(zipOf(t, member{name: "a.csv"})), ""},
	} {
		what, hint := Foreign(put(t, name, []byte(tt.data)), []byte(tt.data))
		if (what == "") != (tt.want == "") || !strings.Contains(what, tt.want) || (what != "" && hint == "") {
			t.Errorf("%s is %q (%s), want %q", name, what, hint, tt.want)
		}
		if path := put(t, name, []byte(tt.data)); what != "" && kindOf(path) != none {
			t.Errorf("%s is taken for an archive", name)
		}
	}
}

// FuzzOpen: whatever a file holds, unpacking ends, writes nothing beside its folder, and the names that are listed are
// those of the files that come out.
func FuzzOpen(f *testing.F) {
	f.Add(zipOf(f, member{name: "a/b.csv", text: "id\n"}, member{name: "../x", text: "y"}))
	f.Add(tarOf(f, member{name: "a", text: "1"}, member{name: "b", typ: tar.TypeLink, link: "a"}, member{name: "a", text: "2"}))
	f.Add(gzipped(f, tarOf(f, member{name: "a/b", text: "1"})))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		dir := t.TempDir()
		path := filepath.Join(dir, "a.zip")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		t.Setenv("TMPDIR", dir)
		var s Set
		root, ok, err := s.Open(context.Background(), path)
		if ok && err == nil {
			names, err := Names(context.Background(), path, "")
			if got := tree(t, root); err != nil || len(got)+len(s.Problems()) < len(names) || len(names) < len(got) {
				t.Errorf("%d files of %d names and %d problems, %v", len(got), len(names), len(s.Problems()), err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("%v is left", left)
		}
	})
}

// What a copy takes is told for every archive: packed in a zip, as long as it is in a tar.
func TestStored(t *testing.T) {
	long := member{name: "a.csv", text: strings.Repeat("id,subject\n", 1000)}
	for name, c := range map[string]struct {
		data    []byte
		packing string
		packed  bool
	}{
		"e.zip": {zipOf(t, long), "zip", true}, "e.tar": {tarOf(t, long), "tar", false}, "e.tgz": {gzipped(t, tarOf(t, long)), "tar+gzip", false},
	} {
		var s Set
		copied, _, err := s.Open(t.Context(), put(t, name, c.data)+"/a.csv")
		if err != nil {
			t.Fatal(err)
		}
		n, packing, ok := s.Stored(copied)
		if !ok || packing != c.packing || n == 0 || (n < int64(len(long.text))) != c.packed || n > int64(len(long.text)) {
			t.Errorf("%s: %d bytes of %d, %s, %t", name, n, len(long.text), packing, ok)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, _, ok := (&Set{}).Stored("a.csv"); ok {
		t.Error("a file outside of all archives is in one")
	}
}
