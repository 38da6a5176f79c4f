package mapping

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hsimport/sources"
)

const paragraph = `Hello team,

the printer on the second floor does not print any more since the last update was put on it. It says "paper jam" although
there is no paper in it & no jam either. I have switched it off and on again, as the manual says on page 12, and I have
called the shop where we bought it; they say that you are the ones to ask. The log is at http://printers.example/2?floor=2
in case that helps you.

> What does the display say?

"PC LOAD LETTER", whatever that means. Could somebody look at it before Friday? We have a lot to print by then.

Best regards,
  Mary Evans
`

// benchTicket is a ticket as exports hold them: a question, an answer, a private note.
func benchTicket(i int, format sources.Format, body string) *sources.Ticket {
	mary := sources.Person{Name: "Mary Evans", Email: fmt.Sprintf("mary%d@customer.example", i)}
	t := &sources.Ticket{
		Key: sources.Key(fmt.Sprint("id:", i)), ID: fmt.Sprint(i), Subject: "Printer on fire", Status: "closed", Requester: mary,
		Assignee: &sources.Person{Email: "grace@support.example"}, Tags: []string{"printer", "vip"},
		Fields: []sources.Field{{Name: "Priority", Value: "High"}, {Name: "Legacy ID", Value: fmt.Sprint(i)}},
	}
	for j, kind := range []string{"customer", "agent", "note"} {
		msg := &sources.Message{
			Key: sources.Key(fmt.Sprint("m", j)), Digest: strings.Repeat("d", 64), Author: mary, Kind: kind, Body: body, Format: format, Ordinal: j,
			CreatedAt: time.Date(2024, 3, 1, 9, j, 0, 0, time.UTC),
		}
		if kind != "customer" {
			msg.Author = sources.Person{Name: "Grace", Email: "grace@support.example"}
		}
		t.Messages = append(t.Messages, msg)
	}
	return t
}

func benchmarkMap(b *testing.B, t *sources.Ticket) {
	m, _ := New(basic(), account())
	size := 0
	for _, msg := range t.Messages {
		size += len(msg.Body)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if p := m.Map(t); len(p.Parts) == 0 {
			b.Fatal(p.Refused)
		}
	}
}

func BenchmarkMapShortText(b *testing.B) { benchmarkMap(b, benchTicket(1, sources.Text, paragraph)) }

func BenchmarkMapText(b *testing.B) {
	benchmarkMap(b, benchTicket(1, sources.Text, strings.Repeat(paragraph, 3)))
}

func BenchmarkMapHTML(b *testing.B) {
	one := `<div dir="ltr"><p style="margin:0">Hello <b>team</b>,</p><p>the printer is <a href="http://printers.example/2">on fire</a> again.<br></p><table border="0"><tr><td width="10">1</td><td>2</td></tr></table></div>`
	benchmarkMap(b, benchTicket(1, sources.HTML, strings.Repeat(one, 10)))
}

func BenchmarkMapLongTicket(b *testing.B) {
	t := conversationOf(250, "open")
	for _, msg := range t.Messages {
		msg.Body = paragraph
	}
	benchmarkMap(b, t)
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		New(basic(), account())
	}
}
