package configs

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hsimport/mapping"
	"hsimport/sources"
	"hsimport/sources/csvfile"
)

// presetCase is an export as a desk writes it, and what its messages become.
type presetCase struct {
	preset string
	files  []string // names and contents
	plan   string   // threads of all tickets: type, who, text; empty: the export has no texts
	says   string   // what the draft or the survey says of it
}

var presetCases = []presetCase{
	{
		"jira-csv", []string{
			"issues.csv", "Summary,Issue key,Issue id,Issue Type,Status,Project key,Reporter,Reporter Id,Assignee,Assignee Id,Created,Updated,Resolved,Labels,Labels,Description,Comment,Comment\r\n" +
				"Printer,HD-1,10001,Support,Waiting for customer,HD,Jo Doe,5b:jo,Ada Lee,5b:ada,16/Feb/17 3:26 PM,16/Feb/17 3:29 PM,,office,,It is broken,16/Feb/17 3:29 PM;5b:ada;Which; one?,\r\n",
		}, "Printer pending of anon-c78597684de2ff78@imported.invalid: customer It is broken | note Imported from ticket HD-1 | reply Originally written by Ada Lee Which; one?", "nothing in the table says which of them were internal",
	},
	{
		"salesforce-email", []string{
			"Case.csv", "Id,CaseNumber,ContactId,SuppliedEmail,Subject,Description,Status,OwnerId,Origin,CreatedDate\n" +
				"500A,00001026,003A,,Printer,It is broken,New,005A,Email,2024-01-01T10:00:00.000Z\n",
			"CaseComment.csv", "Id,ParentId,IsPublished,CommentBody,CreatedById,CreatedDate\n00aA,500A,0,He called,005A,2024-01-01T11:00:00.000Z\n",
			"Contact.csv", "Id,AccountId,LastName,FirstName,Email\n003A,001A,Doe,Jo,jo@else.example\n",
			"EmailMessage.csv", "Id,ParentId,TextBody,HtmlBody,Subject,FromName,FromAddress,ToAddress,Incoming,CreatedById,MessageDate\n" +
				"02sA,500A,It is broken,,Printer,Jo Doe,jo@else.example,help@support.example,1,005A,2024-01-01T10:00:00.000Z\n" +
				"02sB,500A,,<p>Which one?</p>,Re: Printer,Ada Lee,ada@support.example,jo@else.example,0,005A,2024-01-01T12:00:00.000Z\n",
			"User.csv", "Id,Username,LastName,FirstName,Email,UserType\n005A,ada@x,Lee,Ada,ada@support.example,Standard\n",
		}, "Printer active of jo@else.example: customer It is broken | note Imported from ticket 00001026 | note He called | reply Which one?", "",
	},
	{
		"salesforce-comments", []string{
			"Case.csv", "Id,CaseNumber,ContactId,Subject,Description,Status,OwnerId,CreatedDate\n500A,00001026,003A,Printer,It is broken,Closed,005A,2024-01-01T10:00:00Z\n",
			"CaseComment.csv", "Id,ParentId,IsPublished,CommentBody,CreatedById,CreatedDate\n00aA,500A,1,Which one?,005A,2024-01-01T11:00:00Z\n",
			"Contact.csv", "Id,AccountId,LastName,FirstName,Email\n003A,001A,Doe,Jo,jo@else.example\n",
			"User.csv", "Id,Username,LastName,FirstName,Email,UserType\n005A,ada@x,Lee,Ada,ada@support.example,Standard\n",
		}, "Printer closed of jo@else.example: customer It is broken | note Imported from ticket 00001026 | reply Which one?", "",
	},
	{
		"syncro-csv", []string{
			"tickets.csv", "ticket customer,ticket number,tech,end user,comment owner,ticket subject,ticket description,ticket response,timestamp,email body,ticket status,ticket issue type,ticket created date,ticket priority\n" +
				"House,3229,Ada Lee,Jo Doe,Jo Doe,Printer,It is broken,It is broken,2025-10-19 20:32:07.301969,It is broken,New,Printers,2025-10-19 20:32:07.301969,High\n" +
				"House,3229,Ada Lee,Jo Doe,Ada Lee,Printer,It is broken,It is broken,2025-10-19 21:32:07.301969,Which one?,New,Printers,2025-10-19 20:32:07.301969,High\n",
		}, "Printer active of anon-0db0d06d5f5abed1@imported.invalid: customer It is broken | note Imported from ticket 3229 | reply Originally written by Ada Lee Which one?", "",
	},
	{
		"servicenow-incidents", []string{
			"i.csv", "number,incident_state,caller_id,opened_at,sys_updated_at,priority\nINC1,New,Caller 1,29/2/2016 01:16,29/2/2016 01:23,3 - Moderate\n",
		}, "", "sys_journal_field",
	},
	{
		"bugzilla-list", []string{
			"b.csv", "bug_id,product,component,assigned_to,bug_status,resolution,short_desc,changeddate\n15,A,B,ada,RESOLVED,FIXED,Broken,2009-07-22 15:27:25\n",
		}, "", "as XML",
	},
	{
		"osticket-list", []string{
			"t.csv", "Ticket Number,Date Created,Subject,From,From Email,Priority,Department,Help Topic,Source,Current Status,Last Updated,Agent Assigned\n1,2024-01-01 10:00:00,Printer,Jo,jo@else.example,Low,IT,General,Email,Open,2024-01-01 10:00:00,Ada\n",
		}, "", "thread_entry",
	},
}

// Each preset is found by what the desk writes, its draft loads, and the messages become what they were.
func TestCSVPresets(t *testing.T) {
	for _, tt := range presetCases {
		t.Run(tt.preset, func(t *testing.T) {
			dir, paths := files(t, tt.files...)
			s, err := csvfile.Survey(t.Context(), paths, dir, ChooseCSV(""))
			if err != nil || s.Preset != tt.preset {
				t.Fatalf("preset %q, %v", s.Preset, err)
			}
			text, _ := Draft(s, paths, DraftOptions{Dir: dir, Rehearsal: true})
			if !strings.Contains(strings.ToLower(string(text)+s.Metrics), strings.ToLower(tt.says)) {
				t.Errorf("nothing says %q: %s\n%s", tt.says, s.Metrics, text)
			}
			if (s.Metrics != "") != (tt.plan == "") {
				t.Errorf("texts: %q", s.Metrics)
			}
			c, err := Parse(filepath.Join(dir, "import.yaml"), text, noEnv)
			if err != nil || len(c.Unanswered) > 0 {
				t.Fatalf("%v %v\n%s", err, c, text)
			}
			if tt.plan == "" {
				return
			}
			if got := threads(t, c); got != tt.plan {
				t.Errorf("plan %s\nwant %s\n%s", got, tt.plan, text)
			}
		})
	}
}

// threads maps every ticket of a configuration and tells what becomes of it.
func threads(t *testing.T, c *Config) string {
	t.Helper()
	src, err := csvfile.Open(t.Context(), c.Source.CSV)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var out []string
	for i := range src.Len() {
		tk, err := src.Ticket(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, ticketText(t, c, tk))
	}
	return strings.Join(out, "\n")
}

// ticketText is the conversation that a ticket becomes, in a line.
func ticketText(t *testing.T, c *Config, tk *sources.Ticket) string {
	t.Helper()
	m, _ := mapping.New(c.Mapping, mapping.Target{})
	p := m.Map(tk)
	if p.Refused != "" || len(p.Parts) != 1 {
		t.Fatalf("ticket %s: refused %q, %d parts", tk.Key, p.Refused, len(p.Parts))
	}
	conv := p.Parts[0].Conversation
	var threads []string
	for _, th := range conv.Threads {
		threads = append(threads, th.Type+" "+strings.Join(strings.Fields(tags.ReplaceAllString(th.Text, " ")), " "))
	}
	return conv.Subject + " " + conv.Status + " of " + conv.Customer.Email + ": " + strings.Join(threads, " | ")
}

var tags = regexp.MustCompile(`<[^>]*>`)
