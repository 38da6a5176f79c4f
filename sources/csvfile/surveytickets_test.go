package csvfile

import (
	"slices"
	"testing"

	"hsimport/sources"
)

// surveyOf surveys files given by name and content.
func surveyOf(t *testing.T, pairs ...string) *sources.Survey {
	t.Helper()
	dir, paths := write(t, pairs...)
	s, err := Survey(t.Context(), paths, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func values(counts []sources.Count) (out []string) {
	for _, c := range counts {
		out = append(out, c.Value)
	}
	return out
}

// Who is an agent the users table says; a customer is none for having written where others cannot read, and the desk
// itself is nobody.
func TestSurveyKnowsAgents(t *testing.T) {
	s := surveyOf(t,
		"tickets.csv", "id,subject,status,requester_id,assignee_id,created_at\n"+
			"1,Chat,open,10,20,2024-01-01T00:00:00Z\n2,Mail,open,11,-1,2024-01-01T00:00:00Z\n",
		"comments.csv", "id,author_id,html_body,public,created_at,parent_ticket_id\n"+
			"1,10,<p>a</p>,False,2024-01-01T00:00:00Z,1\n2,-1,<p>b</p>,False,2024-01-01T00:01:00Z,1\n"+
			"3,21,<p>c</p>,True,2024-01-01T00:02:00Z,1\n4,11,<p>d</p>,True,2024-01-01T00:03:00Z,2\n",
		"users.csv", "id,name,email,role\n10,Joe,joe@house.example,end-user\n11,Ann,ann@house.example,end-user\n"+
			"20,Ada,ada@house.example,admin\n21,Bob,bob@house.example,agent\n",
	)
	if got := values(s.Agents); !slices.Equal(got, []string{"ada@house.example", "bob@house.example"}) {
		t.Errorf("agents %v", got)
	}
	// Of four people at the house two ask: a domain of customers too.
	if got := values(s.Domains); !slices.Equal(got, []string{"house.example"}) {
		t.Errorf("domains %v", got)
	}
}

// A domain that most requesters have is that of the house, not of the team.
func TestSurveyKnowsHouses(t *testing.T) {
	text := "id,subject,requester_email,assignee_email,created_at,description\n"
	for _, who := range []string{"a", "b", "c", "d"} {
		text += who + ",x," + who + "@house.example,ada@house.example,2024-01-01T00:00:00Z,text\n"
	}
	if s := surveyOf(t, "t.csv", text); len(s.Domains) != 0 || !slices.Equal(values(s.Agents), []string{"ada@house.example"}) {
		t.Errorf("domains %v, agents %v", s.Domains, s.Agents)
	}
}

// Messages may point to another id than the number that people know.
func TestSurveyFindsTheJoin(t *testing.T) {
	s := surveyOf(t,
		"comment.csv", "id,author_id,body,created,issue_id\n1,u,a,2024-01-01 00:00:00,10015\n2,u,b,2024-01-01 00:00:00,10016\n",
		"issue.csv", "id,key,summary,status,created\n10015,TP-1,One,open,2024-01-01 00:00:00\n10016,TP-2,Two,open,2024-01-01 00:00:00\n",
	)
	if c := s.Tables["columns"]; c["ticket_id"] != "id" || c["ticket_number"] != "key" || s.Messages != 2 || s.Ledger.Records.Unreadable != 0 {
		t.Errorf("columns %v, %d messages", c, s.Messages)
	}
}

func TestTicketNumber(t *testing.T) {
	o := perTicket()
	o.Columns["ticket_number"] = "number"
	s := open(t, o, "a.csv", "id,number,subject,created,text\n500A,00001,a,2024-01-01,b\n500B,,a,2024-01-01,b\n")
	if one, two := ticket(t, s, "500A"), ticket(t, s, "500B"); one.ID != "00001" || two.ID != "500B" {
		t.Errorf("ids %q, %q", one.ID, two.ID)
	}
}

// Words for "no value" are no kind of value, and a text is one however seldom it changes.
func TestSurveyKinds(t *testing.T) {
	text := "id,subject,created_at,description,vendor,closed_at\n"
	for range 10 {
		text += "1,Same,2024-01-01,Same,?,?\n"
	}
	got := map[string]string{}
	for _, c := range surveyOf(t, "t.csv", text+"2,Same,2024-01-02,Same,?,2024-01-03\n").Columns {
		got[c.Name] = c.Kind
	}
	for name, want := range map[string]string{"subject": "text", "description": "text", "vendor": "empty", "closed_at": "date"} {
		if got[name] != want {
			t.Errorf("%s is %s, want %s", name, got[name], want)
		}
	}
}
