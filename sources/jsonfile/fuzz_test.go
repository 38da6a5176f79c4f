package jsonfile

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"hsimport/sources/csvfile"
)

// Whatever the bytes, each of them is in exactly one stretch, in order, and a record reads the same the second time.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		"[" + nestedTicket + "]", `{"tickets": [{"id": 1}, {"id": 2,}, {"id": 3}], "users": [{"id": 9}]}`, "{\"id\": 1}\n{\"id\"\n{\"id\": 3}\n",
		`[{"id": "a`, "\uFEFF[1, null, {\"id\": \"\\ud83d\"}]", `{"a": {"tickets": [[{"id": 1}], {"id": 2}]`, "x = {}", strings.Repeat("[", 400),
	} {
		for _, list := range []string{".", "[]", "tickets[]", "a.tickets[]", "ticket"} {
			f.Add([]byte(seed), list)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, list string) {
		p, err := parseList(list)
		if err != nil {
			return
		}
		beside, _ := parseList("users[]")
		at, line := int64(0), 1
		r := newReader(bytes.NewReader(data), int64(len(data)), 1<<12, []listPath{p, beside}, 0)
		for {
			st, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if st.Off != at || st.Size < 0 || st.Size == 0 && st.Kind != csvfile.Odd {
				t.Fatalf("stretch %+v begins at %d", st, at)
			}
			if st.Line != line {
				t.Fatalf("stretch at %d is in line %d, not %d", st.Off, line, st.Line)
			}
			line += bytes.Count(data[at:at+st.Size], []byte{'\n'})
			at += st.Size
			if st.Kind == csvfile.Record {
				if !bytes.Equal(st.Raw, data[st.Off:at]) {
					t.Fatalf("record %q is not at its place", st.Raw)
				}
				if _, err := parse(bytes.Clone(st.Raw), nil); err != nil {
					t.Fatalf("record %q: %v", st.Raw, err)
				}
			}
		}
		if at != int64(len(data)) {
			t.Fatalf("%d of %d bytes accounted for", at, len(data))
		}
	})
}

// The ledger of a whole file closes, whatever is in it.
func FuzzLedger(f *testing.F) {
	f.Add([]byte("[" + nestedTicket + "]"))
	f.Add([]byte(`{"tickets": [{"id": 1, "comments": [{"html_body": "x"}, {"html_body": "x"}, 7]}, {"id": 1, "comments": {}}]}`))
	f.Add([]byte(`{"id": 1, "comments": [{"html_body": ["a", {"b": 1}]}], "id": 2}` + "\n" + `{"id": 3`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "t.json")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), Options{
			Columns: map[string]string{"ticket_id": "id", "message_body": "comments[].html_body", "tags": "tags[]", "requester_name": "a + b"},
			Paths:   []string{path}, Base: dir, TimeZone: "UTC",
		})
		if err != nil {
			return // a file in which the columns are not found
		}
		defer s.Close()
		if err := s.Ledger().Check(); err != nil {
			t.Fatal(err)
		}
		messages := 0
		for i := range s.Len() {
			tk, err := s.Ticket(t.Context(), i)
			if err != nil {
				t.Fatal(err)
			}
			messages += len(tk.Messages)
			for _, m := range tk.Messages {
				if !utf8.ValidString(m.Body) || !utf8.ValidString(string(m.Key)) {
					t.Fatalf("message %q is not UTF-8", m.Key)
				}
			}
		}
		if messages != s.Ledger().Records.Messages {
			t.Fatalf("%d messages built, %d counted", messages, s.Ledger().Records.Messages)
		}
	})
}

// A place of records is read as it is written, and what it wraps is found there again.
func FuzzPlace(f *testing.F) {
	for _, seed := range []string{".", "[]", "tickets[]", "data.list[]", "a[][].b", "a..b", "[]x", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseList(text)
		if err != nil {
			return
		}
		again, err := parseList(p.String())
		if err != nil || again.String() != p.String() {
			t.Fatalf("%q is written as %q and read as %q, %v", text, p.String(), again.String(), err)
		}
		wrapped := p.wrap([]byte(`{"id": 1}`))
		r := newReader(bytes.NewReader(wrapped), int64(len(wrapped)), 1<<20, []listPath{p}, 0)
		found := 0
		for st, err := r.Next(); err == nil; st, err = r.Next() {
			if st.Kind == csvfile.Record {
				found++
			}
		}
		if found != 1 && utf8.ValidString(text) && !strings.Contains(text, `\`) && len(text) < maxName {
			t.Fatalf("%q: %d records in %s", text, found, wrapped)
		}
	})
}

// What encoding/json takes for an object is read here too, with the same names and values.
func FuzzParse(f *testing.F) {
	f.Add([]byte(nestedTicket))
	f.Add([]byte(`{"a": -1.5e+10, "b": "\u00e9\n", "c": [true, null, {}], "": ""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		tr, err := parse(data, nil)
		if !json.Valid(data) {
			return
		}
		if err != nil {
			if strings.Contains(err.Error(), "nested more than") {
				return
			}
			t.Fatalf("%q: %v", data, err)
		}
		var want map[string]any
		if json.Unmarshal(data, &want) != nil {
			return
		}
		for i := tr.nodes[0].child; i >= 0; i = tr.nodes[i].next {
			n := &tr.nodes[i]
			value, ok := want[strings.ToValidUTF8(tr.name(n), "\uFFFD")]
			if text, isText := value.(string); ok && isText && n.kind == '"' && utf8.Valid(data) && !bytes.Contains(data, []byte(`\u`)) && once(&tr, n) {
				if got := string(tr.appendValue(nil, n)); got != text {
					t.Fatalf("%q is read as %q", text, got)
				}
			}
		}
	})
}

// once reports whether no other member has the node's name.
func once(t *tree, n *node) bool {
	same := 0
	for i := t.nodes[0].child; i >= 0; i = t.nodes[i].next {
		if t.name(&t.nodes[i]) == t.name(n) {
			same++
		}
	}
	return same == 1
}
