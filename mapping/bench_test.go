package mapping

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hsimport/sources"
)

const paragraph = "Hello team,\n\nthe printer on the second floor is \"on fire\" again; see http://printers.example/2?floor=2&x=1 for the log.\n  1 & 2 < 3\n\n"

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
	benchmarkMap(b, benchTicket(1, sources.Text, strings.Repeat(paragraph, 15)))
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
