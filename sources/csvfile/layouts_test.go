package csvfile

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"hsimport/sources"
	"hsimport/sources/fetch"
)

// Comments packed as Jira packs them, in repeated columns, with blank rows behind.
func TestTicketPerRowWithPackedComments(t *testing.T) {
	o := Options{Layout: TicketPerRow, TimeZone: "UTC", Columns: map[string]string{
		"ticket_id": "Issue key", "subject": "Summary", "created_at": "Created", "requester_name": "Reporter",
		"description": "Description", "comments": "Comment#*", "attachments": "Attachment", "tags": "Labels#*",
	}}
	s := open(t, o, "a.csv", "Summary,Issue key,Created,Reporter,Labels,Labels,Description,Comment,Comment,Comment,Attachment\r\n"+
		`Broken,A-1,16/02/2017 15:26,xyz,one,two,It broke,"16/Feb/17 3:29 PM;abc;Provide more; please",plain; remark,,16/Feb/17 3:30 PM;abc;shot.png;https://jira.example/secure/1/shot.png`+"\r\n"+
		strings.Repeat(",,,,,,,,,,\r\n", 3))
	tk := ticket(t, s, "A-1")
	if !slices.Equal(tk.Tags, []string{"one", "two"}) || tk.Requester.Name != "xyz" {
		t.Errorf("ticket %+v", tk)
	}
	if len(tk.Messages) != 3 {
		t.Fatalf("%d messages", len(tk.Messages))
	}
	first, packed, plain := tk.Messages[0], tk.Messages[1], tk.Messages[2]
	if first.Body != "It broke" || first.Author.Name != "xyz" || first.Attachments[0].Name != "shot.png" ||
		first.Attachments[0].Location != "https://jira.example/secure/1/shot.png" || first.Attachments[0].Missing == "" {
		t.Errorf("description %+v", first)
	}
	if packed.Body != "Provide more; please" || packed.Author.Name != "abc" || packed.CreatedAt != time.Date(2017, 2, 16, 15, 29, 0, 0, time.UTC) {
		t.Errorf("packed comment %+v", packed)
	}
	if plain.Body != "plain; remark" || !plain.CreatedAt.IsZero() || !slices.Equal(codes(plain.Problems), []string{"no-date"}) {
		t.Errorf("plain comment %+v", plain)
	}
	if l := s.Ledger(); l.Records.Found != 3 || l.Files[0].Blank == 0 || l.Check() != nil {
		t.Errorf("ledger %+v", l.Records)
	}
}

// One comment column of several is chosen by its number, several by a list.
func TestRepeatedHeaders(t *testing.T) {
	const text = "id,Comment,Comment,Comment\n1,a,b,c\n"
	for spec, want := range map[string]string{
		"Comment#2": "b", "Comment#*": "abc", "Comment": "abc", "comment#1 | Comment#3": "ac", "Com*": "abc",
	} {
		s := open(t, Options{Columns: map[string]string{"ticket_id": "id", "comments": spec}}, "a.csv", text)
		got := ""
		for _, m := range ticket(t, s, "1").Messages {
			got += m.Body
		}
		if got != want {
			t.Errorf("%s gives %q, want %q", spec, got, want)
		}
	}
}

// A column is in exactly one class, also one of several of a name.
func TestColumnClasses(t *testing.T) {
	o := perTicket()
	o.IgnoreColumns = []string{"noise", "not there"}
	s := open(t, o, "a.csv", "id,subject,created,text,noise,extra,void,extra\n1,a,2024-01-01,b,n,e,,f\n2,a,2024-01-01,b,n,,,\n")
	got := map[string]sources.UseClass{}
	for _, u := range s.Ledger().Columns {
		got[u.Name] = u.Class
	}
	want := map[string]sources.UseClass{
		"id": sources.KeyColumn, "subject": sources.Mapped, "created": sources.Mapped, "text": sources.Mapped,
		"noise": sources.Ignored, "extra#1": sources.NotCarried, "void": sources.EmptyUse, "extra#2": sources.NotCarried,
	}
	if len(got) != len(want) {
		t.Errorf("columns %v", got)
	}
	for name, class := range want {
		if got[name] != class {
			t.Errorf("%s is %s, want %s", name, got[name], class)
		}
	}
	if n := strings.Count(strings.Join(codes(s.Ledger().Problems), " "), "column-not-carried"); n != 2 {
		t.Errorf("problems %v", s.Ledger().Problems)
	}
}

func TestNoTexts(t *testing.T) {
	o := perTicket()
	delete(o.Columns, "description")
	s := open(t, o, "a.csv", "id,subject,created,satisfaction\n1,a,2024-01-01,4.2\n")
	if p := s.Ledger().Problems[0]; p.Code != "no-texts" || p.Severity != sources.BlocksJob {
		t.Errorf("problems %+v", s.Ledger().Problems)
	}
}

// The three files of a joined export, as the desk writes them.
const (
	joinedTickets = "id,subject,description,status,requester_id,assignee_id,created_at,tags\n" +
		"10,Password,\"I can't log in, please help\",waiting,1,3,2017-11-13T16:00:37Z,\"['a b', 'c']\"\n" +
		"11,Order,Where is it?,open,2,,2017-11-14T16:00:37Z,[]\n" +
		"12,Call,Call from 555 lasted 3 min on line 7,open,9,,2017-11-15T10:00:00Z,\n" +
		"13,Quiet,\"\",open,2,,2017-11-16T16:00:37Z,\n"
	joinedComments = "id,author_id,html_body,public,created_at,parent_ticket_id\n" +
		"101,3,\"<p>Try &quot;again&quot;<br>now</p>\",True,2017-11-14T08:00:00Z,10\n" +
		"100,1,\"<div><p>I can&#39;t log in,<br> please help</p></div>\",True,2017-11-13T16:00:37Z,10\n" +
		"102,3,<p>He forgot it again</p>,False,2017-11-14T09:00:00Z,10\n" +
		"103,2,<p>Something else entirely</p>,True,2017-11-14T17:00:00Z,11\n" +
		"104,9,<p>Call from 555 lasted 3 min via line 7</p>,True,2017-11-15T10:00:01Z,12\n" +
		"105,2,<p>lost</p>,True,2017-11-15T10:00:01Z,99\n"
	joinedUsers = "id,name,email,role\n1,Ann Lee,ann@x.example,end-user\n2,Bob,,end-user\n3,Cy,cy@team.example,agent\n"
)

func joined() Options {
	return Options{
		Layout: Joined,
		Columns: map[string]string{
			"ticket_id": "id", "subject": "subject", "description": "description", "status": "status",
			"requester_id": "requester_id", "assignee_id": "assignee_id", "created_at": "created_at", "tags": "tags",
		},
		MessageColumns: map[string]string{
			"ticket_id": "parent_ticket_id", "message_id": "id", "message_author_id": "author_id", "message_body": "html_body",
			"message_format": "html", "message_public": "public", "message_created_at": "created_at",
		},
		UserColumns: map[string]string{"user_id": "id", "user_name": "name", "user_email": "email", "user_role": "role"},
	}
}

func openJoined(t testing.TB) *Source {
	t.Helper()
	dir, paths := write(t, "tickets.csv", joinedTickets, "comments.csv", joinedComments, "users.csv", joinedUsers)
	o := joined()
	o.Base, o.Paths, o.Messages, o.Users = dir, paths[:1], paths[1:2], paths[2:]
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestJoined(t *testing.T) {
	s := openJoined(t)
	tk := ticket(t, s, "10")
	if tk.Requester.Email != "ann@x.example" || tk.Assignee == nil || !tk.Assignee.Agent || !slices.Equal(tk.Tags, []string{"a b", "c"}) {
		t.Errorf("ticket %+v", tk)
	}
	var keys []string
	for _, m := range tk.Messages {
		keys = append(keys, string(m.Key))
		if m.Format != sources.HTML {
			t.Errorf("message %s is no HTML", m.Key)
		}
	}
	// The description is not doubled: the first comment repeats it.
	if !slices.Equal(keys, []string{"10/100", "10/101", "10/102"}) {
		t.Errorf("messages %v", keys)
	}
	if m := tk.Messages[2]; !m.Private || tk.Messages[1].Private || m.Author.Name != "Cy" {
		t.Errorf("note %+v", m)
	}
	// Here the description says something else, so it stays, and first.
	if m := ticket(t, s, "11").Messages; len(m) != 2 || m[0].Body != "Where is it?" || m[0].Author.Name != "Bob" {
		t.Errorf("messages %+v", m)
	}
	// Here the comment says the same in slightly other words of the same moment.
	if tk := ticket(t, s, "12"); len(tk.Messages) != 1 || tk.Messages[0].ID != "104" ||
		!slices.Equal(codes(tk.Problems), []string{"description-differs"}) || tk.Requester.ID != "9" {
		t.Errorf("ticket %+v", tk)
	}
	if tk := ticket(t, s, "13"); len(tk.Messages) != 0 {
		t.Errorf("messages %+v", tk.Messages)
	}
	l := s.Ledger()
	if r := l.Records; r.Found != 9 || r.Messages != 6 || r.Duplicates != 2 || r.Unreadable != 1 || r.Tickets != 4 {
		t.Errorf("records %+v", r)
	}
	if r := l.Refused[0]; r.Position.String() != "comments.csv:7" || r.Reason != `there is no ticket "99" in the tickets file` {
		t.Errorf("refusal %+v", r)
	}
	names(t, s)
}

// Survey sees the same three files for what they are, whatever their order.
func TestSurveyJoined(t *testing.T) {
	dir, paths := write(t, "u.csv", joinedUsers, "c.csv", joinedComments, "t.csv", joinedTickets)
	sv, err := Survey(t.Context(), paths, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if sv.Layout != Joined || sv.Tickets != 4 || sv.Messages != 6 || !sv.ZoneKnown {
		t.Errorf("survey %+v", sv)
	}
	roles := map[string]string{}
	for _, c := range sv.Columns {
		if c.Role != "" {
			roles[c.Role+" of "+c.File] = c.Name
		}
	}
	for role, name := range map[string]string{
		"ticket_id of t.csv": "id", "ticket_id of c.csv": "parent_ticket_id", "message_body of c.csv": "html_body",
		"message_public of c.csv": "public", "user_email of u.csv": "email", "requester_id of t.csv": "requester_id",
	} {
		if roles[role] != name {
			t.Errorf("%s is %q, want %q", role, roles[role], name)
		}
	}
	if len(sv.Agents) == 0 || sv.Agents[0].Value != "cy@team.example" || sv.Domains[0].Value != "team.example" {
		t.Errorf("agents %v, domains %v", sv.Agents, sv.Domains)
	}
	if len(sv.Statuses) != 2 || sv.Statuses[0] != (sources.Count{Value: "open", N: 3}) {
		t.Errorf("statuses %v", sv.Statuses)
	}
}

func TestSurveyMessagePerRow(t *testing.T) {
	dir, paths := write(t, "a.csv", rowsOf(identityRows...))
	sv, err := Survey(t.Context(), paths, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := canonical().Columns
	for _, c := range sv.Columns {
		if c.Role != "" && c.Role != "priority" && want[c.Role] != c.Name {
			t.Errorf("%s is %q, want %q", c.Role, c.Name, want[c.Role])
		}
		delete(want, c.Role)
	}
	if len(want) != 0 {
		t.Errorf("not recognised: %v", want)
	}
	if sv.Layout != MessagePerRow || sv.ZoneKnown || sv.Hours[3] != 3 || sv.Tickets != 3 || sv.Largest[0].Bytes == 0 {
		t.Errorf("survey %+v", sv)
	}
	if sv.First.Year() != 2024 || len(sv.Months) != 1 || sv.Months[0] != (sources.Count{Value: "2024-01", N: 6}) {
		t.Errorf("months %v from %s", sv.Months, sv.First)
	}
	if !slices.ContainsFunc(sv.Findings, func(c sources.Count) bool { return c.Value == "time-zone" }) {
		t.Errorf("findings %v", sv.Findings)
	}
}

// Where customers' and agents' texts stand in two columns, none is lost.
func TestTwoColumnsOfTexts(t *testing.T) {
	dir, paths := write(t, "a.csv", "Ticket Number,Ticket Title,Timestamp,User Message,Tech Message\n"+
		"1,Printer,2024-12-21 09:00:00,It is broken,\n1,Printer,2024-12-21 09:05:00,,Is it plugged in?\n")
	sv, err := Survey(t.Context(), paths, dir, nil)
	if err != nil || sv.Layout != MessagePerRow {
		t.Fatalf("%+v, %v", sv, err)
	}
	s, err := Open(t.Context(), Options{Paths: paths, Base: dir, TimeZone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if m := ticket(t, s, "1").Messages; len(m) != 2 || m[0].Body != "It is broken" || m[1].Body != "Is it plugged in?" {
		t.Errorf("messages %+v", m)
	}
}

// A survey tells a metrics report, a table of which it knows no column, and an empty file apart.
func TestSurveyOfOtherTables(t *testing.T) {
	dir, paths := write(t, "metrics.csv", "ticket_id,created_at,satisfaction\n1,2024-01-01 10:00,4\n", "other.csv", "foo,bar\n1,2\n3,4\n", "none.csv", "")
	sv, err := Survey(t.Context(), paths[:1], dir, nil)
	if err != nil || sv.Metrics == "" || sv.Tickets != 1 {
		t.Errorf("%+v, %v", sv, err)
	}
	sv, err = Survey(t.Context(), paths[1:2], dir, nil)
	if err != nil || sv.Layout != "" || len(sv.Columns) != 2 || sv.Columns[0].Examples[1] != "3" {
		t.Errorf("%+v, %v", sv, err)
	}
	if _, err = Survey(t.Context(), paths[2:], dir, nil); err == nil || !strings.Contains(err.Error(), "none.csv: the file is empty") {
		t.Errorf("error %v", err)
	}
}

// Files of the old desk that a body shows or links are attachments, and come from the folder of fetched files.
func TestLegacyHosts(t *testing.T) {
	const page = "<p>See <img src=\"https://desk.example/a/1.png?x=1&amp;y=2\"> and <a href='https://desk.example/attachments/token/7/?name=log.txt'>log</a>, " +
		"<a href='https://desk.example/tickets/12'>ticket</a>, <img src='https://other.example/2.png'></p>"
	content := "id,subject,created,text\n1,s,2024-01-01,\"" + strings.ReplaceAll(page, `"`, `""`) + "\"\n" +
		"2,s,2024-01-01,see https://desk.example/files/report.pdf and https://desk.example/x\n"
	cache := t.TempDir()
	server := httptest.NewServer(http.FileServerFS(fstest.MapFS{"1.png": {Data: []byte("png")}}))
	defer server.Close()
	store, err := fetch.Create(cache)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	got, err := fetch.New(store, fetch.Options{Hosts: []string{"127.0.0.1"}, AllowPrivate: true}).Get(t.Context(), server.URL+"/1.png")
	if err != nil || got.Failure != "" {
		t.Fatal(got, err)
	}
	o := perTicket()
	o.LegacyHosts, o.Cache = []string{"desk.example", "127.0.0.1"}, cache
	s := open(t, o, "a.csv", content+"3,s,2024-01-01,<p><img src='"+server.URL+"/1.png'></p>\n")
	a := ticket(t, s, "1").Messages[0].Attachments
	if len(a) != 2 || a[0].Location != "https://desk.example/a/1.png?x=1&y=2" || !a[0].Inline || a[0].Name != "1.png" ||
		a[1].Name != "log.txt" || a[1].Inline || a[1].Missing == "" {
		t.Errorf("attachments %+v", a)
	}
	if a := ticket(t, s, "2").Messages[0].Attachments; len(a) != 1 || a[0].Name != "report.pdf" {
		t.Errorf("attachments %+v", a)
	}
	if a := ticket(t, s, "3").Messages[0].Attachments[0]; a.Missing != "" || a.Size != 3 || a.MIMEType != "image/png" || a.Open == nil {
		t.Errorf("attachment %+v", a)
	}
	if l := s.Ledger().Attachments; l.Found != 4 || l.Missing != 3 || l.Bytes != 3 {
		t.Errorf("ledger %+v", l)
	}
}

// Refused rows can be mended in a file of their own and given to the next run.
func TestWriteRejects(t *testing.T) {
	s := open(t, perTicket(), "a.csv", "\xef\xbb\xbfid,subject,created,text\r\n1,a,2024-01-01,b\r\n,no id,2024-01-01,b\r\n2,x,2024-01-01,b,c\r\n3,cut")
	var b strings.Builder
	n, err := s.WriteRejects(&b)
	if want := "id,subject,created,text\r\n,no id,2024-01-01,b\r\n2,x,2024-01-01,b,c\r\n3,cut\n"; err != nil || n != 3 || b.String() != want {
		t.Fatalf("%d, %v, %q", n, err, b.String())
	}
	mended := strings.NewReplacer(",no id", "9,no id", "b,c\r", "b\r", "3,cut", "3,cut,,").Replace(b.String())
	if again := open(t, perTicket(), "b.csv", mended); again.Len() != 3 || len(again.Ledger().Refused) != 0 {
		t.Errorf("%d tickets, %v", again.Len(), again.Ledger().Refused)
	}
}

// FuzzOpen: whatever stands in a table, its ledger closes, every ticket can be read, and what the index says of a
// ticket is what the ticket says.
func FuzzOpen(f *testing.F) {
	f.Add(rowsOf(identityRows...))
	f.Add(canonicalHeader + "1,\"a\n2,b\"x\n3,c\n")
	f.Add(strings.ReplaceAll(canonicalHeader, ",", ";") + "1;;;;;;03/02/2019;;;;;;;;x;;16/Feb/17 3:29 PM;;\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			return
		}
		o := canonical()
		o.Base, o.Paths = write(t, "a.csv", canonicalHeader+text)
		s, err := Open(t.Context(), o)
		if err != nil {
			if strings.Contains(err.Error(), "ledger") {
				t.Fatal(err)
			}
			return
		}
		defer s.Close()
		if n := names(t, s); len(n) != s.Ledger().Records.Messages {
			t.Fatalf("%d messages read, the ledger has %+v", len(n), s.Ledger().Records)
		}
	})
}

// An id of which a spreadsheet has kept the first digits names nobody: two people share it, and neither gets the
// other's messages.
func TestUserIDsLostInASpreadsheet(t *testing.T) {
	const lost = "3.61E+11"
	dir, paths := write(t,
		"tickets.csv", "id,subject,description,status,requester_id,assignee_id,created_at,tags\n1,Hi,Where is it?,open,"+lost+",,2024-01-01T10:00:00Z,\n",
		"comments.csv", "parent_ticket_id,id,author_id,html_body,html,public,created_at\n1,100,"+lost+",Look again,no,yes,2024-01-01T11:00:00Z\n",
		"users.csv", "id,name,email,role\n"+lost+",Ann,ann@x.example,end-user\n"+lost+",Bob,bob@x.example,end-user\n")
	o := joined()
	o.Base, o.Paths, o.Messages, o.Users = dir, paths[:1], paths[1:2], paths[2:]
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i, r := range s.Ledger().Refused {
		if want := "the user id 3.61E+11 has lost its digits"; r.Position.Line != i+2 || !strings.Contains(r.Reason, want) {
			t.Errorf("refused %s %s", r.Position, r.Reason)
		}
	}
	if n := len(s.Ledger().Refused); n != 2 {
		t.Errorf("%d records are refused, want both users", n)
	}
	tk := ticket(t, s, "1")
	if !tk.Requester.IsZero() {
		t.Errorf("the requester is %+v", tk.Requester)
	}
	for _, m := range tk.Messages {
		if !m.Author.IsZero() || !slices.Equal(codes(m.Problems), []string{"author-id-lost"}) {
			t.Errorf("%s is of %+v: %v", m.Key, m.Author, m.Problems)
		}
	}
}
