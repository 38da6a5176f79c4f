package csvfile

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsimport/sources"
)

// canonical is the message-per-row configuration that the project promises to keep working.
func canonical() Options {
	return Options{
		Layout: MessagePerRow, TimeZone: "UTC",
		Columns: map[string]string{
			"ticket_id": "ticket_id", "subject": "subject", "status": "status", "requester_email": "requester_email",
			"requester_name": "requester_name", "assignee_email": "assignee_email", "created_at": "created_at",
			"closed_at": "closed_at", "tags": "tags", "message_id": "message_id", "message_author_email": "author_email",
			"message_author_name": "author_name", "message_kind": "kind", "message_body": "body", "message_format": "format",
			"message_created_at": "message_created_at", "message_attachments": "attachments", "message_cc": "cc",
		},
		Fields: map[string]string{"Priority": "priority", "Legacy ID": "ticket_id"},
	}
}

const canonicalHeader = "ticket_id,subject,status,requester_email,requester_name,assignee_email,created_at,closed_at,tags," +
	"priority,message_id,author_email,author_name,kind,body,format,message_created_at,attachments,cc\n"

// write puts files into a folder of the test and returns the paths of the tables (csv, tsv) among them.
func write(t testing.TB, nameAndContent ...string) (dir string, paths []string) {
	t.Helper()
	dir = t.TempDir()
	for i := 0; i < len(nameAndContent); i += 2 {
		p := filepath.Join(dir, nameAndContent[i])
		if err := os.WriteFile(p, []byte(nameAndContent[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(nameAndContent[i], "sv") {
			paths = append(paths, p)
		}
	}
	return dir, paths
}

// open opens tables and closes them at the end of the test.
func open(t testing.TB, o Options, nameAndContent ...string) *Source {
	t.Helper()
	dir, paths := write(t, nameAndContent...)
	o.Paths, o.Base = paths, dir
	s, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ticket reads the ticket with this key.
func ticket(t testing.TB, s *Source, key sources.Key) *sources.Ticket {
	t.Helper()
	i, ok := s.Find(key)
	if !ok {
		t.Fatalf("there is no ticket %q", key)
	}
	tk, err := s.Ticket(context.Background(), i)
	if err != nil {
		t.Fatal(err)
	}
	return tk
}
