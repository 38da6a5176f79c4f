package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsimport/sources/csvfile"
	"hsimport/sources/jsonfile"
	"hsimport/sources/mboxfile"
)

// tables are small exports that the example configurations fit.
var tables = map[string]string{
	"tickets.csv": "ticket_id,subject,status,requester_email,requester_name,assignee_email,created_at,closed_at,tags,message_id," +
		"author_email,author_name,kind,body,format,message_created_at,attachments,cc,priority\n" +
		"7,Broken,open,joe@else.example,Joe,ada@support.example,2024-01-02 10:00,,a,1,joe@else.example,Joe,customer,It broke,text,2024-01-02 10:00,,,high\n" +
		"7,Broken,open,joe@else.example,Joe,ada@support.example,2024-01-02 10:00,,a,2,ada@support.example,Ada,agent,<p>Try again</p>,html,2024-01-02 11:00,,,high\n",
	"joined/tickets.csv":  "id,subject,status,requester_id,assignee_id,group,created_at,updated_at,tags\n7,Broken,open,100,200,Tier 1,2024-01-02 10:00,2024-01-02 11:00,a\n",
	"joined/comments.csv": "id,ticket_id,author_id,public,html_body,created_at,attachments\n1,7,100,true,<p>It broke</p>,2024-01-02 10:00,\n2,7,200,false,<p>Try</p>,2024-01-02 11:00,\n",
	"joined/users.csv":    "id,name,email,role\n100,Joe,joe@else.example,end-user\n200,Ada,ada@support.example,agent\n",
	"json/tickets.json": `{"tickets": [{"id": 7, "subject": "Broken", "status": "open", "requester_id": 100, "assignee_id": 200, "via": {"channel": "web"},
		"created_at": "2024-01-02T10:00:00Z", "tags": ["a"], "custom_fields": [{"id": 360001, "value": "north"}], "comments": [
		{"id": 1, "author_id": 100, "public": true, "html_body": "<p>It broke</p>", "body": "It broke", "created_at": "2024-01-02T10:00:00Z", "attachments": []},
		{"id": 2, "author_id": 200, "public": false, "html_body": "<p>Try</p>", "body": "Try", "created_at": "2024-01-02T11:00:00Z", "attachments": []}]},
		{"id": 8, "status": "deleted", "requester_id": 100, "comments": []}],
		"users": [{"id": 100, "name": "Joe", "email": "joe@else.example", "role": "end-user"}, {"id": 200, "name": "Ada", "email": "ada@support.example", "role": "agent"}]}`,
	"archive.mbox": "From joe@else.example Tue Jan  2 10:00:00 2024\nFrom: Joe <joe@else.example>\nTo: help@support.example\nSubject: Broken\nMessage-ID: <1@else.example>\nDate: Tue, 2 Jan 2024 10:00:00 +0000\n\nIt broke\n",
}

// exampleNames are the names of all example configurations.
func exampleNames(t testing.TB) (names []string) {
	t.Helper()
	entries, err := examples.ReadDir("examples")
	if err != nil || len(entries) == 0 {
		t.Fatalf("%d examples, %v", len(entries), err)
	}
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

func writeTables(t *testing.T, dir string) {
	t.Helper()
	for name, text := range tables {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// The examples read what they say they read, from the file to the last message.
func TestExamplesReadTheirExports(t *testing.T) {
	dir := t.TempDir()
	writeTables(t, dir)
	data, _ := Example("mbox")
	c, err := Parse(filepath.Join(dir, "import.yaml"), data, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	mail, err := mboxfile.Open(t.Context(), c.Source.Mbox)
	if err != nil {
		t.Fatal(err)
	}
	defer mail.Close()
	if mail.Len() != 1 {
		t.Errorf("mbox: %d threads, want 1", mail.Len())
	}
	for name, folder := range map[string]string{"csv": ".", "joined": "joined", "json": "json"} {
		data, _ := Example(name)
		c, err := Parse(filepath.Join(dir, folder, "import.yaml"), data, noEnv)
		if err != nil {
			t.Fatal(err)
		}
		read := func() (*csvfile.Source, error) { return csvfile.Open(t.Context(), c.Source.CSV) }
		if name == "json" {
			read = func() (*csvfile.Source, error) { return jsonfile.Open(t.Context(), c.Source.JSON) }
		}
		src, err := read()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		defer src.Close()
		if src.Len() != 1 {
			t.Fatalf("%s: %d tickets, want 1", name, src.Len())
		}
		ticket, err := src.Ticket(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(ticket.Messages) != 2 || ticket.Requester.Email != "joe@else.example" || ticket.Messages[1].Author.Email != "ada@support.example" || ticket.Fields[0].Name == "" {
			t.Errorf("%s: %+v", name, ticket)
		}
		if private := ticket.Messages[1].Private; private != (name != "csv") {
			t.Errorf("%s: the second message is private: %v", name, private)
		}
		if file := ticket.Messages[0].Position.File; filepath.IsAbs(file) {
			t.Errorf("%s: position %s is not relative to the configuration", name, file)
		}
	}
}
