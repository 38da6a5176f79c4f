package mboxfile

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"
)

// TestCorpus reads every file below the folder that CORPUS names and prints what was found in a table. It asserts what
// must hold for any input: no error but a named one, every byte and record accounted for, every ticket readable.
func TestCorpus(t *testing.T) {
	root := os.Getenv("CORPUS")
	if root == "" {
		t.Skip("set CORPUS to a folder of real archives to walk it")
	}
	var paths []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	for _, path := range paths {
		rel, _ := filepath.Rel(root, path)
		fmt.Println(corpusLine(t, rel, path))
	}
}

func corpusLine(t *testing.T, rel, path string) string {
	start := time.Now()
	src, err := Open(context.Background(), Options{Paths: []string{path}, Base: filepath.Dir(path)})
	if err != nil {
		return fmt.Sprintf("%-60s %v", rel, err)
	}
	defer src.Close()
	ledger := src.Ledger()
	if err := ledger.Check(); err != nil {
		t.Errorf("%s: %v", rel, err)
	}
	codes := map[string]int{}
	for _, p := range ledger.Problems {
		codes[p.Code]++
	}
	largest := 0
	for i := range src.Len() {
		tk, err := src.Ticket(context.Background(), i)
		if err != nil {
			t.Errorf("%s: ticket %s: %v", rel, src.Entry(i).Key, err)
			continue
		}
		largest = max(largest, len(tk.Messages))
		for _, m := range tk.Messages {
			for _, p := range m.Problems {
				codes[p.Code]++
			}
		}
	}
	var findings []string
	for code, n := range codes {
		findings = append(findings, fmt.Sprintf("%s:%d", code, n))
	}
	sort.Strings(findings)
	r := ledger.Records
	return fmt.Sprintf("%-60s %-8s %6d mails %6d messages %5d duplicates %3d unreadable %5d tickets, largest %4d  %.2fs  %s",
		rel, ledger.Files[0].Encoding, r.Found, r.Messages, r.Duplicates, r.Unreadable, r.Tickets, largest,
		time.Since(start).Seconds(), strings.Join(findings, " "))
}
