package report

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// everyJob is a history in which nearly everything goes wrong that can: a ticket or two for each family of findings.
func everyJob() *memory {
	var all []*sources.Ticket
	id := 500
	at := epoch
	add := func(n int, status string, change func(t *sources.Ticket)) {
		id, at = id+1, at.Add(26*time.Hour)
		t := ticket(id, at, n, status)
		change(t)
		all = append(all, t)
	}
	mail := func(n int, change func(t *sources.Ticket)) {
		add(n, "", func(t *sources.Ticket) {
			t.Kind, t.ID, t.Requester, t.Assignee, t.Tags = sources.Mail, "", sources.Person{}, nil, nil
			for _, m := range t.Messages {
				m.Kind, m.To = "", []sources.Person{{Email: "help@support.example"}}
			}
			change(t)
		})
	}
	everyDesk(add)
	everyMail(mail)
	return newMemory(all)
}

func everyDesk(add func(n int, status string, change func(t *sources.Ticket))) {
	word := strings.Repeat("long ", 60)
	add(1, "on hold", func(t *sources.Ticket) { t.Channel, t.Group, t.Priority = "fax", "Tier 9", "urgent" })
	add(2, "open", func(t *sources.Ticket) { t.Assignee, t.Group = &sources.Person{Email: "gone@legacy.example"}, "Tier 2" })
	add(2, "open", func(t *sources.Ticket) { t.Assignee = &sources.Person{Email: "who@legacy.example"} })
	add(2, "solved", func(t *sources.Ticket) { t.Messages[1].Author.Email = "unknown@support.example" })
	add(1, "solved", func(t *sources.Ticket) { t.ClosedAt = t.CreatedAt.Add(-time.Hour) })
	add(2, "solved", func(t *sources.Ticket) { t.Messages[1].CreatedAt = time.Time{} })
	add(1, "solved", func(t *sources.Ticket) { t.CreatedAt, t.Messages[0].CreatedAt = time.Time{}, time.Time{} })
	add(0, "solved", func(t *sources.Ticket) {})
	add(1, "solved", func(t *sources.Ticket) { t.Requester = sources.Person{} })
	add(1, "solved", func(t *sources.Ticket) {
		t.Requester, t.Messages[0].Author, t.Messages[0].Kind = sources.Person{}, sources.Person{}, ""
	})
	add(1, "solved", func(t *sources.Ticket) { t.Requester.Email = "not an address"; t.Messages[0].Author = t.Requester })
	add(1, "solved", func(t *sources.Ticket) {
		t.Requester.Email = "Mend <me@customers.example.>"
		t.Messages[0].Author = t.Requester
	})
	add(1, "solved", func(t *sources.Ticket) {
		t.Requester = sources.Person{Name: "No Address"}
		t.Messages[0].Author = t.Requester
	})
	add(1, "solved", func(t *sources.Ticket) {
		t.Requester.Name, t.Requester.Phone = strings.Repeat("N", 50), strings.Repeat("+49 30 1234 ", 30)
		t.Messages[0].Author = t.Requester
	})
	add(1, "solved", func(t *sources.Ticket) { t.Messages[0].Private = true })
	add(2, "solved", func(t *sources.Ticket) {
		t.Messages[1].Kind, t.Messages[1].Author = "robot", sources.Person{Name: "Robot"}
	})
	add(2, "solved", func(t *sources.Ticket) { t.Messages[1].Kind, t.Messages[1].Author = "", sources.Person{} })
	add(1, "solved", func(t *sources.Ticket) { t.Subject = "" })
	add(1, "solved", func(t *sources.Ticket) { t.Subject = word })
	add(1, "solved", func(t *sources.Ticket) { t.Messages[0].Body = "" })
	add(1, "solved", func(t *sources.Ticket) { t.Messages[0].Body = strings.Repeat(word, 90) })
	add(1, "solved", func(t *sources.Ticket) { t.Messages[0].Body = "card 4111 1111 1111 1111" })
	add(1, "solved", func(t *sources.Ticket) { t.Messages[0].Body = "bell \a and form feed \f" })
	add(1, "solved", func(t *sources.Ticket) {
		t.Messages[0].Format, t.Messages[0].Body = sources.HTML, `<p>seen</p><img src="https://t.example/p.gif" width="1" height="1"><img src="cid:nowhere">`
	})
	add(1, "solved", func(t *sources.Ticket) { // the customer has the last word, and it is the newest of all
		t.CreatedAt = epoch.AddDate(0, 0, 170)
		t.Messages[0].CreatedAt = t.CreatedAt
	})
	add(1, "open", func(t *sources.Ticket) {
		t.Messages[0].Cc = []sources.Person{{Email: "dan@two.example"}, {Email: "help@support.example"}}
		t.Messages[0].Bcc = []sources.Person{{Email: "secret@two.example"}}
	})
	add(1, "solved", func(t *sources.Ticket) { t.Tags = []string{strings.Repeat("tag", 100)} })
	add(1, "solved", func(t *sources.Ticket) {
		t.Fields = []sources.Field{{Name: "Nowhere", Value: "x"}, {Name: "Priority", Value: "Enormous"}, {Name: "Remark", Value: strings.Repeat(word, 3)}}
	})
	add(1, "solved", func(t *sources.Ticket) {
		attach(t.Messages[0], "empty.txt", "")
		attach(t.Messages[0], "large.bin", strings.Repeat("x", 200_000))
		t.Messages[0].Attachments = append(t.Messages[0].Attachments, &sources.Attachment{Name: "lost.pdf", MIMEType: "application/pdf", Missing: "file not found"})
	})
	add(120, "solved", func(t *sources.Ticket) { t.Subject = "=cmd|'/c calc'!A0" })
	add(1, "pending", func(t *sources.Ticket) { t.CreatedAt = epoch.AddDate(-2, 0, 0); t.Messages[0].CreatedAt = t.CreatedAt })
}

func everyMail(mail func(n int, change func(t *sources.Ticket))) {
	customer, agent := sources.Person{Name: "Cora", Email: "cora@customers.example"}, sources.Person{Name: "Grace", Email: "grace@support.example"}
	quoted := "On Monday Cora wrote:\n> The printer on the second floor burns again,\n> as it did in March, and there is nobody here\n> who knows what to do about it.\n"
	mail(2, func(t *sources.Ticket) {
		t.Messages[0].Author, t.Messages[1].Author = customer, agent
		t.Messages[0].Body = "The printer on the second floor burns again,\nas it did in March, and there is nobody here\nwho knows what to do about it."
		t.Messages[1].Body = "We are on our way.\n\n" + quoted
		t.Messages[1].To = []sources.Person{customer, {Email: "third@customers.example"}}
	})
	mail(1, func(t *sources.Ticket) {
		t.Messages[0].Author = customer
		t.Messages[0].Body = "see below\n\n" + quoted
	})
	mail(1, func(t *sources.Ticket) {
		t.Messages[0].Author, t.Messages[0].To = agent, []sources.Person{{Email: "ada@support.example"}}
	})
	mail(1, func(t *sources.Ticket) { t.Messages[0].Author = sources.Person{Email: "form@support.example"} })
	mail(1, func(t *sources.Ticket) {
		t.Messages[0].Author, t.Messages[0].Subject = agent, "Fwd: burning"
		t.Messages[0].Body = "---------- Forwarded message ---------\nFrom: Kim <kim@customers.example>\nDate: Mon, 1 Jun 2020\nSubject: burning\nTo: <grace@support.example>\n\nIt burns."
	})
	mail(1, func(t *sources.Ticket) {
		t.Messages[0].Author, t.Messages[0].Subject = agent, "Fwd: burning"
		t.Messages[0].Body = "---------- Forwarded message ---------\nFrom: Ada <ada@support.example>\nDate: Mon, 1 Jun 2020\nSubject: burning\nTo: <grace@support.example>\n\nIt burns."
	})
}

func everyOptions() mapping.Options {
	o := options()
	o.DefaultStatus = ""
	o.Statuses = map[string]string{"open": "active", "pending": "pending", "solved": "closed", "": "closed"}
	o.Quotes, o.Forwards, o.LiveCc, o.LegacyReference = "fold", "credit", "note", "note"
	o.FormSenders, o.MailboxAddresses = []string{"form@support.example"}, []string{"help@support.example"}
	o.MaxText, o.MaxSubject, o.AttachmentSize, o.InlineSize = 20_000, 100, 100_000, 70_000
	o.CloseInactive = mapping.Duration(180 * 24 * time.Hour)
	o.Teams = map[string]string{"Tier 2": "Nobody's team"}
	o.Redact = []mapping.Redaction{{Preset: "cards"}}
	return o
}

// TestGoldenOfEveryFinding keeps the JSON, the table and the plan of a job in which nearly every kind of finding is found.
func TestGoldenOfEveryFinding(t *testing.T) {
	target := account()
	target.Mailboxes[0].Fields = append(target.Mailboxes[0].Fields, helpscout.Field{ID: 32, Name: "Remark", Type: "SINGLE_LINE"})
	var plan, rows, lines strings.Builder
	var w *mapping.PlanWriter
	table := NewTable(&rows)
	rep := importer.DryRun(context.Background(), &importer.Job{
		Source: everyJob(), Mapping: everyOptions(), Target: target,
		PlanHeader: func(h mapping.Header) { w = mapping.NewPlanWriter(&plan, h) },
		Each: func(s importer.Seen) error {
			if err := w.Write(s.Plan); err != nil {
				return err
			}
			return table.See(s)
		},
	})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := table.Close(); err != nil {
		t.Fatal(err)
	}
	rep.Started, rep.Planned, rep.Summary.ElapsedS = began, 0, 0
	if err := JSON(&lines, rep); err != nil {
		t.Fatal(err)
	}
	golden(t, "every.csv", rows.String())
	golden(t, "every.json", lines.String())
	golden(t, "every.plan", plan.String())

	seen := map[string]bool{}
	for _, g := range rep.Findings.Groups() {
		seen[g.Code] = true
	}
	for _, code := range mappingCodes(t) {
		if elsewhere := slices.Contains(notHere, code); seen[code] == elsewhere {
			t.Errorf("%s: found %t, but expected elsewhere: %t; a new code needs a ticket in everyJob, or a place in notHere", code, seen[code], elsewhere)
		}
	}
}

// mappingCodes are the codes of all findings of the mapping, which its own tests keep a list of.
func mappingCodes(t *testing.T) []string {
	t.Helper()
	list, err := os.ReadFile(filepath.Join("..", "..", "mapping", "testdata", "codes.golden"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(list))
}

// notHere are findings that this job cannot have beside the others: about the configuration or the account as a whole,
// about several mailboxes, about files that were to be fetched, about HTML of which nothing is left.
var notHere = []string{
	"account-unchecked", "agent-unchecked", "fallback-user-missing", "mailbox-unknown", "option-invalid", "status-defaulted", "user-unknown",
	"field-of-another-mailbox", "inbox-unrouted", "attachment-not-fetched", "attachment-unavailable", "html-as-text",
}
