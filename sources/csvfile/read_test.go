package csvfile

import (
	"io"
	"testing"

	"hsimport/sources"
)

// The canonical configuration reads tickets whose rows lie apart, with a file beside the table.
func TestCanonicalMessagePerRow(t *testing.T) {
	s := open(t, canonical(), "a.csv", canonicalHeader+
		`1,Hello,open,ann@x.example,Ann,,2024-01-02 03:04:05,,"a,b;c",high,m1,ann@x.example,Ann,customer,"Hi`+"\n"+
		`there",text,2024-01-02 03:04:05,x.txt;nope.txt,"Bob <bob@x.example>, c@x.example"`+"\n"+
		"2,World,new,bob@x.example,Bob,,2024-01-02 03:04:04,,,low,,bob@x.example,Bob,customer,<p>Hi</p>,html,2024-01-01 03:04:05,,\n"+
		"1,Hello,solved,ann@x.example,Ann,t@x.example,2024-01-02 03:04:05,2024-02-01 00:00:00,c,low,m2,t@x.example,T,agent,Re,text,2024-01-03 03:04:05,,\n",
		"x.txt", "hello")
	if s.Len() != 2 || s.Entry(0).Key != "2" || s.Entry(1).Messages != 2 {
		t.Fatalf("%d tickets, the first %+v", s.Len(), s.Entry(0))
	}
	tk := ticket(t, s, "1")
	if tk.Status != "solved" || tk.Requester.Email != "ann@x.example" || tk.Assignee == nil || tk.ClosedAt.IsZero() {
		t.Errorf("the newest row's state is not the ticket's: %+v", tk)
	}
	if f := tk.Fields; len(f) != 2 || f[0] != (sources.Field{Name: "Legacy ID", Value: "1"}) || f[1].Value != "low" {
		t.Errorf("fields %v", f)
	}
	m := tk.Messages[0]
	if m.Body != "Hi\nthere" || m.Key != "1/m1" || m.Kind != "customer" || m.Position.Line != 2 {
		t.Errorf("message %+v", m)
	}
	if len(m.Cc) != 2 || m.Cc[0].Name != "Bob" || m.Cc[1].Email != "c@x.example" {
		t.Errorf("cc %v", m.Cc)
	}
	if len(m.Attachments) != 2 || m.Attachments[1].Missing == "" {
		t.Fatalf("attachments %+v", m.Attachments)
	}
	r, err := m.Attachments[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if data, _ := io.ReadAll(r); string(data) != "hello" || m.Attachments[0].Size != 5 || m.Attachments[0].MIMEType != "text/plain" {
		t.Errorf("attachment %q %+v", data, m.Attachments[0])
	}
	if err := s.Ledger().Check(); err != nil {
		t.Error(err)
	}
	if p := s.Ledger().Problems; len(p) != 0 {
		t.Errorf("problems of a clean file: %v", p)
	}
}
