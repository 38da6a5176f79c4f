package csvfile

import (
	"strings"
	"testing"

	"hsimport/sources"
)

// An export whose older years lack a column, and one whose messages stand in two kinds of tables, are read as they are;
// a column that stands nowhere is an error all the same.
func TestTablesOfOneKind(t *testing.T) {
	o := perTicket()
	o.Columns["tags"] = "tags"
	s := open(t, o, "2023.csv", "id,subject,created,text\n1,a,2023-01-01,b\n",
		"2024.csv", "Report\nid,subject,created,text,tags\n2,a,2024-01-01,b,x\n")
	if one, two := ticket(t, s, "1"), ticket(t, s, "2"); len(one.Tags) != 0 || len(two.Tags) != 1 {
		t.Errorf("tags %v, %v", one.Tags, two.Tags)
	}
	o.Columns["status"] = "state"
	dir, paths := write(t, "2023.csv", "id,subject,created,text\n", "2024.csv", "id,subject,created,text,tags\n")
	o.Base, o.Paths = dir, paths
	if _, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), `status: there is no column "state"`) {
		t.Errorf("a column that is nowhere: %v", err)
	}
	o = perTicket()
	o.Base, o.Paths = write(t, "2023.csv", "id,subject,created,text\n", "other.csv", "a,b\n1,2\n")
	if _, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "other.csv:1: source.csv.columns: the header lacks 4 columns") {
		t.Errorf("a file of another kind: %v", err)
	}
}

// Cases, their comments and their mails, as one desk exports them: two tables of messages, two of people.
func TestTwoTablesOfMessages(t *testing.T) {
	o := Options{
		Layout: Joined, Columns: map[string]string{"ticket_id": "Id", "ticket_number": "CaseNumber", "subject": "Subject", "requester_id": "ContactId", "created_at": "CreatedDate"},
		MessageColumns: map[string]string{
			"ticket_id": "ParentId", "message_id": "Id", "message_body": "TextBody | CommentBody", "message_author_email": "FromAddress",
			"message_author_id": "CreatedById", "message_kind": "Incoming", "message_public": "IsPublished", "message_created_at": "MessageDate | CreatedDate",
		},
		UserColumns: map[string]string{"user_id": "Id", "user_name": "Name | FirstName", "user_last_name": "LastName", "user_email": "Email", "user_role": "UserType"},
	}
	dir, paths := write(t,
		"Case.csv", "Id,CaseNumber,ContactId,Subject,CreatedDate\n500A,00001,003A,Broken,2024-01-01T10:00:00Z\n",
		"CaseComment.csv", "Id,ParentId,IsPublished,CommentBody,CreatedById,CreatedDate\n00aA,500A,0,He called,005A,2024-01-01T11:00:00Z\n",
		"EmailMessage.csv", "Id,ParentId,TextBody,FromAddress,Incoming,CreatedById,MessageDate\n"+
			"02sA,500A,It broke,jo@else.example,1,005Z,2024-01-01T10:00:00Z\n02sB,500A,Try this,help@team.example,0,005A,2024-01-01T12:00:00Z\n",
		"Contact.csv", "Id,FirstName,LastName,Email\n003A,Jo,Doe,jo@else.example\n",
		"User.csv", "Id,Name,LastName,Email,UserType\n005A,Ada Lee,Lee,ada@team.example,Standard\n005Z,Robot,Robot,robot@team.example,Standard\n",
	)
	o.Base, o.Paths, o.Messages, o.Users = dir, paths[:1], paths[1:3], paths[3:]
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tk, err := s.Ticket(t.Context(), 0)
	if err != nil || len(tk.Messages) != 3 || tk.ID != "00001" || tk.Requester.Name != "Jo Doe" {
		t.Fatalf("%+v, %v", tk, err)
	}
	mail, note, answer := tk.Messages[0], tk.Messages[1], tk.Messages[2]
	// Who filed a mail is not who wrote it.
	if mail.Author != (sources.Person{Email: "jo@else.example"}) || mail.Kind != "1" || mail.Body != "It broke" {
		t.Errorf("mail %+v", mail)
	}
	if !note.Private || note.Author.Email != "ada@team.example" || note.Author.Name != "Ada Lee" || !note.Author.Agent {
		t.Errorf("note %+v", note)
	}
	if answer.Author.Email != "help@team.example" || answer.Kind != "0" {
		t.Errorf("answer %+v", answer)
	}
}

// A table of messages may repeat the ticket's description in each row: it is the first message, unless the first one
// says the same.
func TestDescriptionBesideMessages(t *testing.T) {
	o := Options{Layout: MessagePerRow, TimeZone: "UTC", Columns: map[string]string{
		"ticket_id": "ticket", "subject": "subject", "requester_name": "user", "created_at": "opened", "description": "description",
		"message_body": "text", "message_author_name": "author", "message_created_at": "at",
	}}
	const head = "ticket,subject,user,opened,description,text,author,at\n"
	const rows = "1,A,Jo,2024-01-01 10:00:00,It broke,Which one?,Ada,2024-01-01 11:00:00\n1,A,Jo,2024-01-01 10:00:00,It broke,The left,Jo,2024-01-01 12:00:00\n" +
		"2,B,Jo,2024-01-02 10:00:00,It is late,It is late!,Jo,2024-01-02 10:00:00\n2,B,Jo,2024-01-02 10:00:00,,Sorry,Ada,2024-01-02 11:00:00\n" +
		"3,C,Jo,2024-01-03 10:00:00,,Hello,Jo,2024-01-03 10:00:00\n"
	s := open(t, o, "a.csv", head+rows)
	var got []string
	for _, id := range []sources.Key{"1", "2", "3"} {
		for _, m := range ticket(t, s, id).Messages {
			got = append(got, m.Author.Name+": "+m.Body)
		}
	}
	want := "Jo: It broke|Ada: Which one?|Jo: The left|Jo: It is late!|Ada: Sorry|Jo: Hello"
	if strings.Join(got, "|") != want {
		t.Errorf("messages %q", got)
	}
	if r := s.Ledger().Records; r.Found != 7 || r.Messages != 6 || r.Duplicates != 1 || s.Ledger().Check() != nil {
		t.Errorf("ledger %+v", r)
	}
	if i, _ := s.Find("1"); s.Entry(i).Created != ticket(t, s, "1").Messages[0].CreatedAt || s.Entry(i).Messages != 3 {
		t.Errorf("entry %+v", s.Entry(i))
	}
	o.Until = ticket(t, s, "3").Messages[0].CreatedAt
	s = open(t, o, "a.csv", head+rows+"4,D,Jo,2024-01-09 10:00:00,Later,Old,Jo,2024-01-01 09:00:00\n")
	if r := s.Ledger().Records; r.Excluded != 2 || r.Messages != 6 || s.Ledger().Check() != nil {
		t.Errorf("ledger %+v", r)
	}
}
