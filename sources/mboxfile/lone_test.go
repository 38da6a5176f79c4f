package mboxfile

import (
	"path/filepath"
	"testing"

	"hsimport/sources/archive"
)

// TestLoneArchiveIsNoLabel: the name of the one file that is imported says nothing about its mails, unless it is that of
// a folder every mail program has; among several, each name does.
func TestLoneArchiveIsNoLabel(t *testing.T) {
	const mail = "From a@b.example Mon Jan  1 00:00:00 2024\nFrom: a@b.example\nDate: Mon, 1 Jan 2024 00:00:00 +0000\nMessage-ID: <1@b.example>\n\ntext\n"
	folders := func(names ...string) (got []string) {
		files, paths := map[string]string{}, []string(nil)
		for _, n := range names {
			files[n] = mail
		}
		dir := tree(t, files)
		for _, n := range names {
			paths = append(paths, filepath.Join(dir, n))
		}
		f, err := find(t.Context(), paths, dir, new(archive.Set))
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range f.inputs {
			got = append(got, in.folder)
		}
		return got
	}
	for name, want := range map[string]string{"support-2024.mbox": "", "Sent.mbox": "Sent", "Papierkorb": "Papierkorb", "INBOX": "INBOX", "archive.mbox": ""} {
		if got := folders(name); got[0] != want {
			t.Errorf("a lone %s is the folder %q, want %q", name, got[0], want)
		}
	}
	if got := folders("support.mbox", "sales.mbox"); got[0] != "support" || got[1] != "sales" {
		t.Errorf("two archives are the folders %q", got)
	}
}
