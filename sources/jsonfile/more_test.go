package jsonfile

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"hsimport/sources"
)

// What is compressed or in UTF-16 reads as the file itself does; the ledger names both sizes.
func TestPackedAndUTF16(t *testing.T) {
	text := "[" + nestedTicket + "]"
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(text)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	wide := binary.LittleEndian.AppendUint16(nil, 0xfeff)
	for _, u := range utf16.Encode([]rune(text)) {
		wide = binary.LittleEndian.AppendUint16(wide, u)
	}
	for encoding, content := range map[string]string{"gzip+utf-8": packed.String(), "utf-16le": string(wide)} {
		s := open(t, nested(), content)
		f := s.Ledger().Files[0]
		if f.Encoding != encoding || f.Stored != int64(len(content)) || f.Message < int64(len(nestedTicket)) {
			t.Errorf("%s: %+v", encoding, f)
		}
		checkNested(t, ticket(t, s, "9007199254740993"))
	}
}

// A file inside an archive is surveyed and read in its place.
func TestInsideAnArchive(t *testing.T) {
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	w, err := z.Create("export/tickets.json")
	if err == nil {
		_, err = w.Write([]byte("[" + nestedTicket + "]"))
	}
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	dir, paths := write(t, "e.zip", packed.String())
	sv, err := Survey(t.Context(), paths, dir, nil)
	if err != nil || sv.Tickets != 1 || !strings.HasPrefix(sv.Files[0].Path, "e.zip/export/tickets.json") {
		t.Fatalf("%+v, %v", sv, err)
	}
	o := nested()
	o.Paths, o.Base = paths, dir
	checkNested(t, ticket(t, openAll(t, o), "9007199254740993"))
}

// Which keys a ticket and its messages have does not depend on how the file is written.
func TestKeysAreOfContent(t *testing.T) {
	o := nested()
	delete(o.Columns, "message_id")
	keys := func(text string) (all []sources.Key) {
		s := open(t, o, text)
		for i := range s.Len() {
			tk, err := s.Ticket(t.Context(), i)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, tk.Key)
			for _, m := range tk.Messages {
				all = append(all, m.Key+sources.Key(m.Digest))
			}
		}
		return all
	}
	other := strings.Replace(nestedTicket, "9007199254740993", "5", 1)
	want := keys("[" + nestedTicket + "," + other + "]")
	flat := strings.ReplaceAll(other, "\n", "") + "\n" + strings.ReplaceAll(nestedTicket, "\n", "\r\n")
	for _, text := range []string{flat, `{"x": [` + other + "," + nestedTicket + "]}", "[" + nestedTicket + "," + other + "," + nestedTicket + "]"} {
		got := keys(text)
		if len(got) != len(want) {
			t.Fatalf("%d keys, want %d", len(got), len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("key %s, want %s", got[i], want[i])
			}
		}
	}
}

// What is at or after the cut-over is left out and counted.
func TestUntil(t *testing.T) {
	o := nested()
	o.Until = time.Date(2024, 1, 2, 11, 0, 0, 0, time.UTC)
	s := open(t, o, "["+nestedTicket+"]")
	if tk := ticket(t, s, "9007199254740993"); len(tk.Messages) != 1 || s.Ledger().Records.ExcludedBy["after cut-over"] != 1 {
		t.Errorf("%d messages, %+v", len(tk.Messages), s.Ledger().Records)
	}
}

// A name that a record says twice, a path that no record has and a list that nothing reads are told.
func TestOddities(t *testing.T) {
	o := Options{Records: "tickets[]", Columns: map[string]string{
		"ticket_id": "id", "subject": "subject", "description": "text", "created_at": "at", "closed_at": "closed", "tags": "tags[]",
	}}
	s := open(t, o, `{"tickets": [{"id": 1, "subject": "a", "subject": "b", "text": "x", "at": "2024-01-02T10:00:00Z", "closed": 1704190000}],
		"groups": [{"id": 5}, {"id": 6}]}`)
	tk := ticket(t, s, "1")
	if tk.Subject != "b" || len(tk.Problems) != 1 || tk.Problems[0].Code != "duplicate-name" {
		t.Errorf("%q %v", tk.Subject, tk.Problems)
	}
	codes := map[string]string{}
	for _, p := range s.Ledger().Problems {
		codes[p.Code] = p.Text
	}
	if !strings.Contains(codes["path-absent"], "tags[]") || !strings.Contains(codes["duplicate-name"], "subject twice") ||
		!strings.Contains(codes["column-not-carried"], `"groups[]" is filled in 2 of 2`) {
		t.Errorf("%v", codes)
	}
	o.IgnoreColumns = []string{"groups[]"}
	s = open(t, o, `{"tickets": [{"id": 1, "subject": "a", "text": "x", "at": "2024-01-02T10:00:00Z", "tags": ["x"], "closed": null}], "groups": [{"id": 5}]}`)
	for _, p := range s.Ledger().Problems {
		t.Errorf("%s: %s", p.Code, p.Text)
	}
}

// The survey finds what the records are by itself, in one file and in several.
func TestSurveyGuesses(t *testing.T) {
	dir, paths := write(t, "t.json", "["+nestedTicket+"]", "notes.txt.json", `[{"a": 1}]`)
	s, err := Survey(t.Context(), paths, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"ticket_id": "id", "subject": "subject", "requester_email": "requester.email", "requester_name": "requester.first + requester.last",
		"message_id": "comments[].id", "message_body": "comments[].html_body", "message_public": "comments[].public",
		"message_author_email": "comments[].author.email", "message_created_at": "comments[].created_at",
		"message_attachments": "comments[].attachments[].url", "message_attachment_names": "comments[].attachments[].name",
		"message_cc": "comments[].cc[]", "tags": "tags[]",
	}
	for ours, theirs := range want {
		if got := s.Tables["columns"][ours]; got != theirs {
			t.Errorf("%s is %q, want %q", ours, got, theirs)
		}
	}
	if s.Tickets != 1 || s.Messages != 2 || s.Format != "json" || s.Files[0].List != "[]" || s.Files[0].Role != "tickets" {
		t.Errorf("survey %+v", s)
	}
	unused := false
	for _, o := range s.Oddities {
		unused = unused || o.Code == "file-not-used" && o.Position.File == "notes.txt.json"
	}
	if !unused {
		t.Errorf("oddities %v", s.Oddities)
	}
	dir, paths = write(t, "c.json", `[{"id": 1, "ticket_id": 7, "author_id": 5, "body": "x", "created_at": "2024-01-02T10:00:00Z"}]`,
		"t.json", `{"tickets": [{"id": 7, "subject": "a", "status": "open", "requester_id": 5, "created_at": "2024-01-02T10:00:00Z"}]}`,
		"u.json", `{"id": 5, "name": "Joe", "email": "joe@else.example", "role": "agent"}`)
	if s, err = Survey(t.Context(), paths, dir, nil); err != nil || s.Tickets != 1 || s.Messages != 1 || s.Layout != "joined" {
		t.Fatalf("%+v, %v", s, err)
	}
	if s.Tables["message_columns"]["ticket_id"] != "ticket_id" || s.Tables["user_columns"]["user_email"] != "email" {
		t.Errorf("tables %v", s.Tables)
	}
}

// However many names and values a file has, what is kept of it is bounded.
func TestBounds(t *testing.T) {
	if _, err := parse([]byte("["+strings.Repeat("1,", maxValues)+"1]"), nil); err == nil || !strings.Contains(err.Error(), "values") {
		t.Errorf("%v", err)
	}
	var b strings.Builder
	b.WriteString(`{"tickets": [{"id": 1, "subject": "a", "description": "x"`)
	for i := range 3 * maxMembers {
		fmt.Fprintf(&b, `, "name %d": %d`, i, i)
	}
	b.WriteString("}]")
	for i := range 2 * maxLists {
		fmt.Fprintf(&b, `, "list %d": [{"id": %d}]`, i, i)
	}
	s := open(t, Options{Columns: map[string]string{"ticket_id": "id", "subject": "subject", "description": "description"}}, b.String()+"}")
	if n := len(s.Ledger().Columns); n > maxMembers+maxLists+10 || s.Len() != 1 {
		t.Errorf("%d columns, %d tickets", n, s.Len())
	}
}

// A folder is its .json, .jsonl and .ndjson files; what an editor or somebody careful left beside them is told.
func TestFolder(t *testing.T) {
	line := strings.ReplaceAll(nestedTicket, "\n", "")
	dir, _ := write(t, "a.json", "["+nestedTicket+"]", "b.ndjson", strings.Replace(line, "9007199254740993", "2", 1),
		"c.jsonl", strings.Replace(line, "9007199254740993", "3", 1), "a.json~", "[1", "a.json.bak", "["+nestedTicket+"]")
	o := nested()
	o.Base, o.Paths = filepath.Dir(dir), []string{dir}
	s := openAll(t, o)
	sv, err := Survey(t.Context(), o.Paths, o.Base, nil)
	if err != nil || s.Len() != 3 || sv.Tickets != 3 {
		t.Fatalf("%d tickets, survey %+v, %v", s.Len(), sv, err)
	}
	for _, problems := range [][]sources.Problem{s.Ledger().Problems, sv.Oddities} {
		n := 0
		for _, p := range problems {
			if strings.Contains(p.Text, "do not end in .json, .jsonl or .ndjson: a.json.bak, a.json~") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("told %d times: %v", n, problems)
		}
	}
}
