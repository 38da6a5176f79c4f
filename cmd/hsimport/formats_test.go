package main

import (
	"os"
	"path/filepath"
	"testing"

	"hsimport/configs"
)

// A folder is what the files in it are, by any of the endings that a lone file is known by.
func TestKindOfFolder(t *testing.T) {
	for want, folders := range map[string][][]string{
		configs.CSV:  {{"a.csv"}, {"a.tsv"}, {"A.CSV.gz"}, {"a.csv", "settings.json"}, {"a.csv", "attached.eml"}},
		configs.JSON: {{"a.json"}, {"a.ndjson"}, {"a.jsonl.zst"}, {"A.JSON"}},
		configs.Mbox: {{}, {"a.mbox"}, {"Inbox"}, {"a.eml", "settings.json"}, {"a.mbox", "list.csv"}},
	} {
		for _, names := range folders {
			dir := t.TempDir()
			for _, name := range names {
				if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := kindOf(t.Context(), dir); err != nil || got != want {
				t.Errorf("a folder of %q is %s, want %s (%v)", names, got, want, err)
			}
		}
	}
}
