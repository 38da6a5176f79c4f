package importer_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"hsimport/importer"
	"hsimport/mapping"
)

// TestLookup finds a ticket from either side, by whatever name people have at hand.
func TestLookup(t *testing.T) {
	b := newBench(t, many(6)...)
	b.maps.MaxThreads, b.maps.Headroom, b.maps.InlineSize = 4, new(int), mapping.Size(64000)
	split := aTicket("split", epoch.Add(30*24*60*60*1e9), 7, "solved")
	split.ID, split.URL, split.Messages[2].ID = "4711", "https://desk.example/case?nr=x", "a.b@mail.example"
	b.src.add(split)
	b.opts.Limit = 4
	b.mustRun(importer.ExitLeft)
	one := b.conversations("Ticket 1005")
	parts := b.conversations("Ticket split")
	if len(one)+len(parts) == 0 {
		t.Fatal("nothing was sent")
	}
	sent := append(one, parts...)[0]
	key := "id:" + strings.TrimPrefix(partOf.ReplaceAllString(sent.Subject, ""), "Ticket ")
	open := func() (importer.Source, error) { return b.src, nil }
	for _, word := range []string{fmt.Sprint(sent.ID), key, strings.TrimPrefix(key, "id:"), fmt.Sprintf("https://secure.helpscout.net/conversation/%d/99", sent.ID), " " + key + " "} {
		got, err := importer.Lookup(t.Context(), b.path, word, nil)
		if err != nil || len(got) == 0 || got[0].Key != key || got[0].Conversation == 0 || got[0].URL != fmt.Sprintf("%s/conversation/%d", b.base, got[0].Conversation) {
			t.Errorf("lookup %q: %+v, %v", word, got, err)
		}
	}
	b.opts.Limit = 0
	b.mustRun(importer.ExitOK)
	for word, n := range map[string]int{
		"4711":                               3, // its parts
		"https://old.example/tickets/4711":   3,
		"https://old.example/#/case/4711":    3,
		"https://old.example/show?case=4711": 3,
		split.URL:                            3, // known to the source only
		"<a.b@mail.example>":                 1,
		"msg:split/2":                        1,
		"nobody@nowhere.example":             0,
		"":                                   0,
		"https://old.example/tickets/9":      0,
	} {
		got, err := importer.Lookup(t.Context(), b.path, word, open)
		if err != nil || len(got) != n {
			t.Errorf("lookup %q: %d places, want %d: %+v, %v", word, len(got), n, got, err)
		}
		for i, p := range got {
			if n == 3 && (p.Part != i+1 || p.Parts != 3 || p.Key != "id:split") {
				t.Errorf("lookup %q: %+v", word, p)
			}
		}
	}
	var stop *importer.Stop
	if _, err := importer.Lookup(t.Context(), filepath.Join(t.TempDir(), "none.db"), "1", nil); !errors.As(err, &stop) || stop.Code != importer.ExitUsage {
		t.Errorf("without a checkpoint: %v", err)
	}
}

// TestExportMap: every conversation is in the map once, with both addresses.
func TestExportMap(t *testing.T) {
	b := newBench(t, many(9)...)
	for _, tk := range b.src.tickets {
		tk.URL = "https://old.example/tickets/" + tk.ID
	}
	b.mustRun(importer.ExitOK)
	var text bytes.Buffer
	n, err := importer.ExportMap(t.Context(), b.path, b.src, &text)
	rows, cerr := csv.NewReader(&text).ReadAll()
	if err != nil || cerr != nil || n != 9 || len(rows) != 10 {
		t.Fatalf("%d lines, %v, %v", n, err, cerr)
	}
	held := map[string]string{}
	for c := range b.box.Conversations() {
		held[fmt.Sprint(c.ID)] = strings.TrimPrefix(c.Subject, "Ticket ")
	}
	for _, r := range rows[1:] {
		if id := r[0]; held[r[5]] != id || r[1] != "https://old.example/tickets/"+id || !strings.HasSuffix(r[6], "/conversation/"+r[5]) {
			t.Errorf("line %v, the account has %q", r, held[r[5]])
		}
		delete(held, r[5])
	}
	if len(held) != 0 {
		t.Errorf("not in the map: %v", held)
	}
}
