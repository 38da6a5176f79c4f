package csvfile

import (
	"strings"
	"testing"
)

const numberedTable = "ID,Title,Requester,Created,Text,Comment 1,Comment 1 Author,Comment 1 Date,Comment 10,Comment 10 Author,Comment 10 Date,Comment 2,Comment 2 Author,Comment 2 Date\n" +
	"1,Printer,jo@else.example,2024-01-01 10:00:00,It is broken,\"Which \"\"one\"\"?\",Ada Lee <ada@team.example>,2024-01-01 11:00:00,Bye,Jo,2024-01-01 13:00:00,The left,Jo,soon\n"

// Each comment has columns of its own for its author and its time, and they stay together.
func TestNumberedComments(t *testing.T) {
	o := Options{TimeZone: "UTC", Columns: map[string]string{
		"ticket_id": "ID", "subject": "Title", "requester_email": "Requester", "created_at": "Created", "description": "Text",
		"comments": "Comment {n}", "comment_authors": "Comment {n} Author", "comment_dates": "comment {n} date",
	}}
	s := open(t, o, "a.csv", numberedTable)
	var got []string
	for _, m := range ticket(t, s, "1").Messages {
		at := "never"
		if !m.CreatedAt.IsZero() {
			at = m.CreatedAt.Format("15:04")
		}
		got = append(got, at+" "+m.Author.Name+m.Author.Email+" "+m.Body)
	}
	want := "10:00 jo@else.example It is broken|11:00 Ada Leeada@team.example Which \"one\"?|never Jo The left|13:00 Jo Bye"
	if strings.Join(got, "|") != want {
		t.Errorf("messages %q", got)
	}
	if i := s.Ledger().Problems; len(i) != 1 || i[0].Code != "bad-dates" {
		t.Errorf("problems %v", i)
	}
	o.Columns["comment_dates"] = "Comment 1 Date"
	dir, paths := write(t, "a.csv", numberedTable)
	o.Base, o.Paths = dir, paths
	if _, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "comments names 3 columns and comment_dates names 1") {
		t.Errorf("one time for three comments: %v", err)
	}
}

func TestSurveyFindsNumberedComments(t *testing.T) {
	s := surveyOf(t, "a.csv", numberedTable)
	for ours, theirs := range map[string]string{
		"comments": "Comment {n}", "comment_authors": "Comment {n} Author", "comment_dates": "Comment {n} Date", "description": "Text",
	} {
		if got := s.Tables["columns"][ours]; got != theirs {
			t.Errorf("%s is %q, want %q", ours, got, theirs)
		}
	}
	if s.Messages != 4 || s.Ledger.Check() != nil {
		t.Errorf("%d messages, %+v", s.Messages, s.Ledger.Records)
	}
	for _, c := range s.Columns {
		if strings.HasPrefix(c.Name, "Comment") && c.Role == "" {
			t.Errorf("%s has no use", c.Name)
		}
	}
}
