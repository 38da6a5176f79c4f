package csvfile

import (
	"strings"
	"testing"

	"hsimport/sources"
)

// A desk words the description of a call anew when it stores it as the first comment: one event, told once. Another
// author or another time is another message.
func TestDescriptionOfTheSameEvent(t *testing.T) {
	const users = "id,name,email\n9,Caller,\n7,Cy,cy@x.example\n"
	const tickets = "id,subject,status,requester_id,created_at,description\n" +
		"1,Voicemail,open,9,2021-03-04T09:00:00Z,Call from 555 at nine\n" +
		"2,Voicemail,open,9,2021-03-04T09:00:00Z,Call from 555 at nine\n" +
		"3,Voicemail,open,9,2021-03-04T09:00:00Z,Call from 555 at nine\n"
	const comments = "id,ticket_id,author_id,public,body,created_at\n" +
		"10,1,9,false,Voicemail: length 16 seconds,2021-03-04T09:00:00Z\n" +
		"20,2,7,false,Voicemail: length 16 seconds,2021-03-04T09:00:00Z\n" +
		"30,3,9,false,Voicemail: length 16 seconds,2021-03-04T09:30:00Z\n"
	dir, paths := write(t, "t.csv", tickets, "c.csv", comments, "u.csv", users)
	s, err := Open(t.Context(), Options{
		Paths: paths[:1], Messages: paths[1:2], Users: paths[2:], Base: dir, Layout: Joined,
		Columns: map[string]string{
			"ticket_id": "id", "subject": "subject", "status": "status", "requester_id": "requester_id",
			"created_at": "created_at", "description": "description",
		},
		MessageColumns: map[string]string{
			"ticket_id": "ticket_id", "message_id": "id", "message_author_id": "author_id",
			"message_public": "public", "message_body": "body", "message_created_at": "created_at",
		},
		UserColumns: map[string]string{"user_id": "id", "user_name": "name", "user_email": "email"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	one := ticket(t, s, "1")
	if len(one.Messages) != 1 || !one.Messages[0].Private || len(one.Problems) != 1 ||
		one.Problems[0].Code != "description-replaced" || !strings.Contains(one.Problems[0].Text, "Call from 555 at nine") {
		t.Errorf("the same author and second: %d messages, problems %+v", len(one.Messages), one.Problems)
	}
	for _, id := range []sources.Key{"2", "3"} {
		if got := ticket(t, s, id); len(got.Messages) != 2 {
			t.Errorf("ticket %s has %d messages; another author or time is another message", id, len(got.Messages))
		}
	}
}
