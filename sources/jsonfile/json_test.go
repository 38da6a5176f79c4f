package jsonfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsimport/sources"
	"hsimport/sources/csvfile"
)

// write puts files, given as name and content in turn, into a folder.
func write(t *testing.T, pairs ...string) (dir string, paths []string) {
	t.Helper()
	dir = t.TempDir()
	for i := 0; i < len(pairs); i += 2 {
		p := filepath.Join(dir, filepath.FromSlash(pairs[i]))
		if err := os.WriteFile(p, []byte(pairs[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, p)
	}
	return dir, paths
}

// open opens one file's content under the options.
func open(t *testing.T, o Options, content string) *csvfile.Source {
	t.Helper()
	dir, paths := write(t, "t.json", content)
	o.Paths, o.Base = paths, dir
	return openAll(t, o)
}

func openAll(t *testing.T, o Options) *csvfile.Source {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Ledger().Check(); err != nil {
		t.Fatal(err)
	}
	return s
}

func ticket(t *testing.T, s *csvfile.Source, key string) *sources.Ticket {
	t.Helper()
	i, ok := s.Find(sources.Key(key))
	if !ok {
		t.Fatalf("there is no ticket %s", key)
	}
	tk, err := s.Ticket(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	return tk
}

// nested are tickets with their comments in them.
func nested() Options {
	return Options{
		Columns: map[string]string{
			"ticket_id": "id", "subject": "subject", "status": "status", "requester_email": "requester.email",
			"requester_name": "requester.first + requester.last", "created_at": "created_at", "tags": "tags[]",
			"message_id": "comments[].id", "message_body": "comments[].html_body", "message_author_email": "comments[].author.email",
			"message_public": "comments[].public", "message_created_at": "comments[].created_at",
			"message_attachments": "comments[].attachments[].url", "message_attachment_names": "comments[].attachments[].name",
			"message_cc": "comments[].cc[]",
		},
		Fields: map[string]string{"Region": "custom_fields[id=7].value"},
	}
}

const nestedTicket = `{"id": 9007199254740993, "subject": "Printer \u201eA\u201c", "status": "open", "vip": true, "none": null,
  "requester": {"first": "Joe", "last": "Else", "email": "joe@else.example"}, "created_at": "2024-01-02T10:00:00Z",
  "tags": ["a, b", "c"], "custom_fields": [{"id": 7, "value": "north"}, {"id": 8, "value": null}],
  "comments": [
    {"id": 1, "html_body": "<p>It broke</p>", "public": true, "created_at": "2024-01-02T10:00:00Z", "author": {"email": "joe@else.example"},
     "cc": ["amy@else.example"], "attachments": [{"url": "https://files.example/token/x", "name": "photo.jpg"}]},
    {"id": 2, "html_body": "Note \ud83d\ude00 \ud83d", "public": false, "created_at": "2024-01-02T11:00:00Z", "author": {"email": "ada@support.example"}, "attachments": []}
  ]}`

// One ticket in each of the ways that records stand in a file.
func TestPlacesOfRecords(t *testing.T) {
	second := strings.NewReplacer("9007199254740993", "9007199254740994", `"id": 1`, `"id": 3`, `"id": 2`, `"id": 4`).Replace(nestedTicket)
	oneLine := func(s string) string { return strings.ReplaceAll(s, "\n", " ") }
	for name, tt := range map[string]struct{ records, text string }{
		"array":       {"", "[" + nestedTicket + ",\n" + second + "]"},
		"lines":       {"", oneLine(nestedTicket) + "\n\n" + oneLine(second) + "\n"},
		"concat":      {"", nestedTicket + second},
		"object":      {"", `{"count": 2, "tickets": [` + nestedTicket + "," + second + `], "next_page": null}`},
		"pages":       {"", `{"tickets": [` + nestedTicket + `], "next_page": "x"}` + "\n" + `{"next_page": null, "tickets": [` + second + `]}`},
		"deep":        {"data.list[]", `{"data": {"list": [` + nestedTicket + "," + second + `], "other": [{"id": 1}]}}`},
		"declared":    {"tickets[]", `{"a": [{"subject": "x", "id": 5, "status": "y"}], "tickets": [` + nestedTicket + "," + second + `]}`},
		"single":      {"", `{"ticket": ` + nestedTicket + "}\n" + `{"ticket": ` + second + "}"},
		"array lines": {"", "[" + nestedTicket + "]\n[" + second + "]"},
		"script":      {"", "\uFEFFvar tickets = [" + nestedTicket + "," + second + "];\n"},
	} {
		t.Run(name, func(t *testing.T) {
			o := nested()
			o.Records = tt.records
			s := open(t, o, tt.text)
			if s.Len() != 2 || s.Kind() != "json" || s.KeyRule() != "json/id-v1" {
				t.Fatalf("%d tickets, kind %s, rule %s", s.Len(), s.Kind(), s.KeyRule())
			}
			l := s.Ledger()
			if l.Records.Found != 4 || l.Records.Messages != 4 || len(l.Refused) != 0 {
				t.Errorf("records %+v, refused %v", l.Records, l.Refused)
			}
			checkNested(t, ticket(t, s, "9007199254740993"))
			ticket(t, s, "9007199254740994")
		})
	}
}

func checkNested(t *testing.T, tk *sources.Ticket) {
	t.Helper()
	if tk.Subject != "Printer „A“" || tk.Requester.Name != "Joe Else" || tk.Requester.Email != "joe@else.example" || tk.Status != "open" {
		t.Errorf("ticket %+v", tk)
	}
	if fmt.Sprint(tk.Tags) != "[a, b c]" || len(tk.Tags) != 2 || fmt.Sprint(tk.Fields) != "[{Region north}]" {
		t.Errorf("tags %q, fields %v", tk.Tags, tk.Fields)
	}
	if len(tk.Messages) != 2 {
		t.Fatalf("%d messages", len(tk.Messages))
	}
	one, two := tk.Messages[0], tk.Messages[1]
	if one.Body != "<p>It broke</p>" || one.Format != sources.HTML || one.Private || one.Cc[0].Email != "amy@else.example" || one.CreatedAt.Hour() != 10 {
		t.Errorf("first message %+v", one)
	}
	if a := one.Attachments; len(a) != 1 || a[0].Name != "photo.jpg" || a[0].Location != "https://files.example/token/x" {
		t.Errorf("attachments %+v", a)
	}
	if !two.Private || two.Body != "Note 😀 \uFFFD" && two.Body != "Note 😀 \uFFFD\uFFFD\uFFFD" || len(two.Problems) != 1 || two.Problems[0].Code != "bad-encoding" {
		t.Errorf("second message %+v", two)
	}
	if two.Position.Line <= one.Position.Line && strings.Contains(t.Name(), "array") {
		t.Errorf("positions %s, %s", one.Position, two.Position)
	}
}

// Every path is in one class, with its fill and an example.
func TestPathsAreAccountedFor(t *testing.T) {
	o := nested()
	o.IgnoreColumns = []string{"vip"}
	s := open(t, o, "["+nestedTicket+"]")
	got := map[string]string{}
	for _, u := range s.Ledger().Columns {
		got[u.Name] = fmt.Sprintf("%s %s %d/%d %s", u.Class, u.As, u.Filled, u.Of, u.Example)
	}
	for name, want := range map[string]string{
		"id": "key ticket_id 1/1 9007199254740993", "vip": "ignored by name  1/1 true", "none": "empty  0/1 ",
		"requester.first": "mapped requester_name 1/1 Joe", "custom_fields[id=7].value": "mapped field Region 1/1 north",
		"custom_fields[id=8].value": "empty  0/1 ", "comments[].id": "key message_id 2/2 1", "comments[].public": "mapped message_public 2/2 true",
		"comments[].attachments[].url": `mapped message_attachments 1/2 ["https://files.example/token/x"]`,
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	if l := s.Ledger(); l.Files[0].Message != int64(len(nestedTicket)) || l.Files[0].Preamble != 1 || l.Files[0].Separator != 1 {
		t.Errorf("bytes %+v", l.Files[0])
	}
}

// Tickets, comments and users in one file and in files of their own read alike.
func TestJoined(t *testing.T) {
	const tickets = `[{"id": 7, "subject": "Broken", "status": "open", "requester_id": 100, "assignee_id": 200, "created_at": "2024-01-02T10:00:00Z", "description": "It broke"}]`
	const comments = `[{"id": 1, "ticket_id": 7, "author_id": 100, "public": true, "body": "It broke", "created_at": "2024-01-02T10:00:00Z"},
		{"id": 2, "ticket_id": 7, "author_id": 200, "public": false, "body": "Aha", "created_at": "2024-01-02T11:00:00Z"},
		{"id": 3, "ticket_id": 8, "author_id": 200, "public": false, "body": "Lost", "created_at": "2024-01-02T11:00:00Z"}]`
	const people = `[{"id": 100, "name": "Joe", "email": "joe@else.example", "role": "end-user"}, {"id": 200, "name": "Ada", "email": "ada@support.example", "role": "agent"}]`
	o := Options{
		Columns: map[string]string{
			"ticket_id": "id", "subject": "subject", "status": "status", "requester_id": "requester_id", "assignee_id": "assignee_id",
			"created_at": "created_at", "description": "description",
		},
		MessageColumns: map[string]string{
			"ticket_id": "ticket_id", "message_id": "id", "message_author_id": "author_id", "message_public": "public",
			"message_body": "body", "message_created_at": "created_at",
		},
		UserColumns: map[string]string{"user_id": "id", "user_name": "name", "user_email": "email", "user_role": "role"},
	}
	apart := o
	dir, paths := write(t, "t.json", tickets, "c.json", comments, "u.json", people)
	apart.Base, apart.Paths, apart.Messages, apart.Users = dir, paths[:1], paths[1:2], paths[2:]
	together := o
	together.Records, together.MessageRecords, together.UserRecords = "tickets[]", "comments[]", "users[]"
	for name, s := range map[string]*csvfile.Source{
		"apart": openAll(t, apart), "together": open(t, together, `{"users": `+people+`, "comments": `+comments+`, "tickets": `+tickets+`}`),
	} {
		tk := ticket(t, s, "7")
		if len(tk.Messages) != 2 || tk.Requester.Name != "Joe" || tk.Assignee == nil || !tk.Assignee.Agent || !tk.Messages[1].Private || tk.Messages[0].ID != "1" {
			t.Errorf("%s: %+v", name, tk)
		}
		l := s.Ledger()
		if l.Records.Duplicates != 1 || len(l.Refused) != 1 || !strings.Contains(l.Refused[0].Reason, `no ticket "8"`) {
			t.Errorf("%s: records %+v, refused %v", name, l.Records, l.Refused)
		}
	}
}

// One record a message, with the ticket's columns in each.
func TestMessagePerRecord(t *testing.T) {
	s := open(t, Options{Columns: map[string]string{
		"ticket_id": "case", "subject": "subject", "requester_email": "customer", "message_body": "text", "message_created_at": "at",
		"message_kind": "kind",
	}}, `{"case": "A1", "subject": "x", "customer": "joe@else.example", "text": "one", "at": 1704189600, "kind": "customer"}
{"case": "A1", "subject": "x", "customer": "joe@else.example", "text": "two", "at": 1704193200, "kind": "agent"}
`)
	if tk := ticket(t, s, "A1"); len(tk.Messages) != 2 || tk.Messages[1].CreatedAt.Hour() != 11 || tk.Messages[1].Kind != "agent" {
		t.Errorf("%+v", tk)
	}
}

// A rule leaves out messages and tickets, and the ledger names it.
func TestExclude(t *testing.T) {
	o := nested()
	o.Exclude = map[string]string{"comments[].public": "false", "status": "spam | deleted"}
	spam := strings.NewReplacer("9007199254740993", "5", `"open"`, `"Spam"`).Replace(nestedTicket)
	s := open(t, o, "["+nestedTicket+","+spam+"]")
	if tk := ticket(t, s, "9007199254740993"); len(tk.Messages) != 1 {
		t.Errorf("%d messages", len(tk.Messages))
	}
	if r := s.Ledger().Records; s.Len() != 1 || r.Excluded != 3 || r.ExcludedBy["comments[].public false"] != 1 || r.ExcludedBy["status spam"] != 2 {
		t.Errorf("%d tickets, %+v", s.Len(), r)
	}
	o.Exclude = map[string]string{"nothing": "x"}
	dir, paths := write(t, "t.json", "["+nestedTicket+"]")
	o.Base, o.Paths = dir, paths
	if _, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), `no path "nothing"`) {
		t.Errorf("%v", err)
	}
}

// What cannot be read is refused alone, with its place; the records around it are read.
func TestDamage(t *testing.T) {
	rec := func(id int) string {
		return fmt.Sprintf(`{"id": %d, "subject": "s", "description": "text %d", "created_at": "2024-01-02T10:00:00Z"}`, id, id)
	}
	o := Options{Columns: map[string]string{"ticket_id": "id", "subject": "subject", "description": "description", "created_at": "created_at"}}
	for name, tt := range map[string]struct {
		text    string
		tickets int
		refused []string // at:reason
		cut     bool
	}{
		"missing comma inside": {"[" + rec(1) + ",\n{\"id\": 2 \"subject\": \"s\"},\n" + rec(3) + "]", 2, []string{"t.json:2 a comma"}, false},
		"open quote":           {"[" + rec(1) + ",\n{\"id\": 2, \"subject\": \"s, \"created_at\": 5},\n" + rec(3) + ",\n" + rec(4) + "]", 3, []string{"t.json:2 "}, false},
		"lines":                {rec(1) + "\n{\"id\": 2, \"sub\n" + rec(3) + "\n", 2, []string{"t.json:2 "}, false},
		"no object":            {"[" + rec(1) + ", 17, null, \"x\", [1]," + rec(3) + "]", 2, []string{"a number", "null", "a text", "a list"}, false},
		"cut":                  {"[" + rec(1) + ",\n" + rec(2)[:40], 1, []string{"t.json:2 the file ends within this record"}, true},
		"cut between":          {"[" + rec(1) + ",\n", 1, nil, false},
		"too deep":             {"[" + rec(1) + `,{"id": 2, "x": ` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + "}," + rec(3) + "]", 2, []string{"nested more than"}, false},
		"no id":                {"[" + rec(1) + `,{"subject": "x"}]`, 1, []string{"the ticket id is empty"}, false},
		"lost id":              {"[" + rec(1) + "," + strings.Replace(rec(2), "2,", "1.23E+11,", 1) + "]", 1, []string{"spreadsheet"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, o, tt.text)
			l := s.Ledger()
			if s.Len() != tt.tickets || len(l.Refused) != len(tt.refused) {
				t.Fatalf("%d tickets, refused %v", s.Len(), l.Refused)
			}
			for i, want := range tt.refused {
				if got := l.Refused[i].Position.String() + " " + l.Refused[i].Reason; !strings.Contains(got, want) {
					t.Errorf("refused %q, want %q", got, want)
				}
			}
			if cut := l.Files[0].Truncated > 0; cut != tt.cut {
				t.Errorf("cut off: %v", cut)
			}
			if name == "cut between" && (len(l.Problems) == 0 || l.Problems[len(l.Problems)-1].Code != "cut-off") {
				t.Errorf("problems %v", l.Problems)
			}
		})
	}
}

// Refused records, mended, are a file of their own that the same configuration reads.
func TestRejects(t *testing.T) {
	o := Options{Records: "data.tickets[]", Columns: map[string]string{"ticket_id": "id", "subject": "subject", "description": "text"}}
	s := open(t, o, `{"data": {"tickets": [{"id": 1, "subject": "a", "text": "x"}, {"id": 2, "subject": , "text": "y"}, {"id": 3, "subject": "a", "text": "z"}]}}`)
	var b strings.Builder
	if n, err := s.WriteRejects(&b); err != nil || n != 1 {
		t.Fatalf("%d, %v", n, err)
	}
	mended := open(t, o, strings.Replace(b.String(), `"subject": ,`, `"subject": "b",`, 1))
	if tk := ticket(t, mended, "2"); tk.Subject != "b" || mended.Len() != 1 {
		t.Errorf("%+v from %s", tk, b.String())
	}
}

// A file that changes between indexing and reading stops the run.
func TestChanged(t *testing.T) {
	o := nested()
	dir, paths := write(t, "t.json", "["+nestedTicket+"]")
	o.Base, o.Paths = dir, paths
	s := openAll(t, o)
	if err := os.WriteFile(paths[0], []byte(strings.Replace("["+nestedTicket+"]", "It broke", "It works", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ticket(t.Context(), 0); !errors.Is(err, sources.ErrChanged) {
		t.Errorf("%v", err)
	}
}

// Mistakes in the configuration are named with what is near.
func TestMistakes(t *testing.T) {
	dir, paths := write(t, "t.json", "["+nestedTicket+"]")
	for want, change := range map[string]func(*Options){
		`no list comment[] in the records`:     func(o *Options) { o.Columns["message_body"] = "comment[].html_body" },
		`there is no path "subjct"`:            func(o *Options) { o.Columns["subject"] = "subjct" },
		`no record stands at ticket[]`:         func(o *Options) { o.Records = "ticket[]" },
		`"a[0]" is not a place of records`:     func(o *Options) { o.Records = "a[0]" },
		`one of the two has to go`:             func(o *Options) { o.MessageRecords = "comments[]" },
		`requester_nam is not a column name`:   func(o *Options) { o.Columns["requester_nam"] = "x" },
		`there is no path "comments[].author"`: func(o *Options) { o.Columns["message_author_name"] = "comments[].author" },
	} {
		o := nested()
		o.Base, o.Paths = dir, paths
		change(&o)
		_, err := Open(t.Context(), o)
		var input *sources.InputError
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		} else if !errors.As(err, &input) {
			t.Errorf("%v is no InputError", err)
		}
	}
}

// Of several places that are wrong it is always the first that is told.
func TestFirstBadPlace(t *testing.T) {
	o := Options{Records: "a[0]", MessageRecords: "b[0]", UserRecords: "c[0]"}
	for range 20 {
		if _, err := Open(t.Context(), o); err == nil || !strings.HasPrefix(err.Error(), "source.json.records: ") {
			t.Fatalf("%v", err)
		}
	}
}
