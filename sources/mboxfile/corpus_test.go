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

	"hsimport/sources"
)

// Known public archives, counted by Python's mailbox (every line "From " is a separator) with threads by the union of
// bracketed ids, and what is found here. Archives that are not listed agree in mails and threads.
//
//	archive                             Python         here                   why
//	twisted-python 2002-2003 (pipermail) 12436 / 1928  12428 mails, 1927     8 lines "From here on, ..." are prose, each a
//	                                                   tickets               thread of its own there; two threads that an
//	                                                                         address in In-Reply-To joins there are 10
//	                                                                         here; one more is joined by an id that was
//	                                                                         folded. Half of the mails are copies, many
//	                                                                         with differences that only the archiver made:
//	                                                                         6,219 messages for 6,207 Message-IDs, 12
//	                                                                         because one copy lost its text or letters
//	twisted-web 2003-2009 (pipermail)    4406 / 1311   4403 mails, 1307       3 lines "From my perspective, ..." are prose,
//	                                                   tickets               each a thread of its own there; one more is
//	                                                                         joined by an id that lost its closing bracket
//	MimeKit unmunged.mbox                   3 / 3      2 mails               "From Russia with love", "Year: 1963" is prose
//	MimeKit content-length.mbox            29 / 29     29 / 29               4 of its Content-Length fields are wrong, so
//	                                                                         none is trusted
//	korylprince 1.mbox, 5.mbox              1 / 1      0, truncated          half a separator and nothing behind it
//	patchwork charset, msgidheader, 0007,   0 / 0      1 mail each           a mail without a separator before it
//	0008, 0009, 0011, 0016, 0017
//	patchwork codec-null, name-len          2 / 2      1 mail each           "From xl.org, netdev@..." is a damaged address
//	                                                                         list inside the header or text
//	mime4j rlug-0 ... -4, *.patch           -          1 mail each, no mail  single mails; a diff without a header
//
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
	largest, keys := 0, map[sources.Key]bool{}
	for i := range src.Len() {
		tk, err := src.Ticket(context.Background(), i)
		if err != nil {
			t.Errorf("%s: ticket %s: %v", rel, src.Entry(i).Key, err)
			continue
		}
		largest = max(largest, len(tk.Messages))
		if e := src.Entry(i); e.Key != tk.Key || !e.Created.Equal(tk.CreatedAt) || !e.Last.Equal(tk.UpdatedAt) {
			t.Errorf("%s: entry %+v is not of ticket %s", rel, e, tk.Key)
		}
		for n, m := range tk.Messages {
			if keys[m.Key] {
				t.Errorf("%s: two messages have the key %s", rel, m.Key)
			}
			keys[m.Key] = true
			if !m.CreatedAt.IsZero() && (m.CreatedAt.Before(tk.CreatedAt) || m.CreatedAt.After(tk.UpdatedAt)) ||
				n > 0 && m.CreatedAt.Before(tk.Messages[n-1].CreatedAt) && !m.CreatedAt.IsZero() {
				t.Errorf("%s: message %s of ticket %s is out of order", rel, m.Key, tk.Key)
			}
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
