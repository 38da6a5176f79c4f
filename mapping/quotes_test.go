package mapping

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hsimport/sources"
)

const question = "Hello team,\nthe printer on the second floor burns again, see the picture\nthat I sent in March. We have a lot to print by Friday, please hurry.\nMary"

// mailThread is a ticket of mails, one an hour, Mary and the team by turns.
func mailThread(format sources.Format, bodies ...string) *sources.Ticket {
	t := &sources.Ticket{Key: "mid:1", Kind: sources.Mail, Subject: "Printer", Channel: "email"}
	people := [2]sources.Person{{Name: "Mary Evans", Email: "mary@customer.example"}, {Name: "Grace", Email: "grace@support.example"}}
	for i, b := range bodies {
		t.Messages = append(t.Messages, &sources.Message{
			Key: sources.Key(fmt.Sprint("m", i)), Author: people[i%2], To: []sources.Person{people[(i+1)%2]}, Body: b, Format: format,
			CreatedAt: time.Date(2024, 3, 1, 9+i, 0, 0, 0, time.UTC), Ordinal: i,
		})
	}
	return t
}

func folding() Options {
	o := basic()
	o.Quotes = "fold"
	return o
}

func texts(p *Plan) (out []string) {
	for _, part := range p.Parts {
		for _, th := range part.Conversation.Threads {
			out = append(out, th.Text)
		}
	}
	return out
}

func cite(s string) string { return "> " + strings.ReplaceAll(s, "\n", "\n> ") }

func count(p *Plan, code string) (n int) {
	for _, f := range p.Findings {
		if f.Code == code {
			n++
		}
	}
	return n
}

// TestQuotesFold: what stands in an earlier message becomes a remark; what does not, be it one word of it, stays.
func TestQuotesFold(t *testing.T) {
	const before = "<em>(quoted history of 4 lines is in the message before)</em>"
	long := strings.Repeat("a line of a log that goes on and on\n", 13)
	for _, c := range []struct {
		name         string
		format       sources.Format
		first, reply string
		want         string
	}{
		{"signs", sources.Text, question, "On it.\n\nOn Friday, Mary wrote:\n" + cite(question), "On it.<br><br>On Friday, Mary wrote:<br>" + before},
		{"lines wrapped anew", sources.Text, question, "On it.\n> Hello team, the printer on the second floor burns again, see\n> the picture that I sent in March. We have a lot to print\n> by Friday, please hurry.\n> Mary", "On it.<br>" + before},
		{"an answer between the quoted lines, quoted by mistake", sources.Text, question, "> Hello team,\n> the printer on the second floor burns again, see the picture\n> which one?\n> that I sent in March. We have a lot to print by Friday, please hurry.", ""},
		{"another word", sources.Text, question, "On it.\n" + cite(strings.Replace(question, "Friday", "Monday", 1)), ""},
		{"a short quotation between answers stays", sources.Text, question, cite(question) + "\nWe hurry.", ""},
		{"a long one between answers", sources.Text, long, cite(strings.TrimSpace(long)) + "\nWe hurry.", "<em>(quoted history of 13 lines is in the message before)</em><br>We hurry."},
		{"too short to be sure", sources.Text, "ok\nyes\nno\n", "Well.\n> ok\n> yes\n> no", ""},
		{"Outlook", sources.Text, question, "On it.\n\n-----Original Message-----\nFrom: Mary Evans <mary@customer.example>\nSent: Friday\nTo: Support\nSubject: Printer\n\n" + question, "On it.<br><br>-----Original Message-----<br>From: Mary Evans &lt;mary@customer.example&gt;<br>Sent: Friday<br>To: Support<br>Subject: Printer<br><br>" + before},
		{"Outlook in German", sources.HTML, "<p>" + strings.ReplaceAll(question, "\n", "<br>") + "</p>", `<p>On it.</p><div><p><b>Von:</b> Mary<br><b>Gesendet:</b> Freitag<br><b>An:</b> Support<br><b>Betreff:</b> Drucker</p></div><p>` + strings.ReplaceAll(question, "\n", "</p><p>") + "</p>", `<p>On it.</p><div><p><b>Von:</b> Mary<br><b>Gesendet:</b> Freitag<br><b>An:</b> Support<br><b>Betreff:</b> Drucker</p></div><p>` + before + "</p><p></p>"},
		{"Gmail", sources.HTML, "<div>" + strings.ReplaceAll(question, "\n", "<br>") + "</div>", `<div>On it.</div><div class="gmail_quote">On Friday Mary wrote:<br><blockquote class="gmail_quote"><div>` + strings.ReplaceAll(question, "\n", "<br>") + "</div></blockquote></div>", "<div>On it.</div><div>On Friday Mary wrote:<br><blockquote><div>" + before + "</div></blockquote></div>"},
		{"a picture that is only in the quotation", sources.HTML, "<p>" + question + "</p>", `<p>On it.</p><blockquote><p>` + question + `<img src="https://x.example/a.png" alt="a"></p></blockquote>`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ticket := mailThread(c.format, c.first, c.reply)
			kept := texts(mustMap(t, basic(), ticket))[1]
			p := mustMap(t, folding(), ticket)
			want, folded := c.want, 1
			if want == "" {
				want, folded = kept, 0
			}
			if got := texts(p)[1]; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if n := count(p, codeQuoteFolded); n != folded {
				t.Errorf("%d findings, want %d", n, folded)
			}
		})
	}
}

// TestThirtyMailsDoNotRepeatThemselves: each mail quotes all before it; folded, every sentence stands there once.
func TestThirtyMailsDoNotRepeatThemselves(t *testing.T) {
	var bodies []string
	for i := range 30 {
		own := fmt.Sprintf("This is what mail number %d has to say about the printer,\nand nothing else, though it takes its time to say it\nand needs a third line for it.", i)
		if i > 0 {
			own += "\n\nOn day " + fmt.Sprint(i) + " somebody wrote:\n" + cite(bodies[i-1])
		}
		bodies = append(bodies, own)
	}
	ticket := mailThread(sources.Text, bodies...)
	p := mustMap(t, folding(), ticket)
	all := strings.Join(texts(p), "\n")
	for i := range 30 {
		if n := strings.Count(all, fmt.Sprintf("mail number %d has", i)); n != 1 {
			t.Errorf("what mail %d says stands there %d times", i, n)
		}
	}
	if kept := len(strings.Join(texts(mustMap(t, basic(), ticket)), "")); len(all) > kept/5 {
		t.Errorf("%d bytes folded, %d kept", len(all), kept)
	}
}

// TestQuotesWithoutTheirMessage: the mail that is quoted is missing, the one it quotes is there.
func TestQuotesWithoutTheirMessage(t *testing.T) {
	missing := "I have looked, it is the toner and not the printer, so that it is yours to change.\n\nOn Friday, Mary wrote:\n" + cite(question)
	p := mustMap(t, folding(), mailThread(sources.Text, question, "Thank you.\n"+cite(missing)))
	got := texts(p)[1]
	if !strings.Contains(got, "it is the toner") || strings.Contains(got, "the second floor") || count(p, codeQuoteKept) != 1 {
		t.Errorf("the missing mail should stay and the one it quotes be folded: %s\n%v", got, p.Findings)
	}
}

// TestAppendedQuotesFold: the message that is quoted was sent in an earlier run.
func TestAppendedQuotesFold(t *testing.T) {
	for _, format := range []sources.Format{sources.Text, sources.HTML} {
		quoted, reply := question, "On it.\n"+cite(question)
		if format == sources.HTML {
			quoted, reply = "<p>"+quoted+"</p>", "<p>On it.</p><blockquote>"+question+"</blockquote>"
		}
		m, _ := New(folding(), account())
		threads, _, _, _ := m.Append(mailThread(format, quoted, reply), map[sources.Key]bool{"m1": true})
		if len(threads) != 1 || strings.Contains(threads[0].Text, "second floor") {
			t.Errorf("%+v", threads)
		}
	}
}

// FuzzFoldQuotes: whatever is folded, nothing that a reader sees is lost but what stands in the earlier message, and
// tags stay balanced as they were.
func FuzzFoldQuotes(f *testing.F) {
	f.Add("<p>"+question+"</p>", "<p>On it.</p><blockquote><p>"+question+"</blockquote></p>")
	f.Add(question, "On it.\n"+cite(question)+"\n-- \nGrace")
	f.Add(question, "From: a\nTo: b\nDate: c\n"+question+"\n> x\n>> y")
	f.Fuzz(func(t *testing.T, first, second string) {
		for _, format := range []sources.Format{sources.Text, sources.HTML} {
			ticket := mailThread(format, first, second)
			kept, folded := mustMap(t, basic(), ticket), mustMap(t, folding(), ticket)
			if count(folded, codeQuoteFolded) == 0 {
				if a, b := texts(kept), texts(folded); strings.Join(a, "\n") != strings.Join(b, "\n") {
					t.Errorf("nothing is said to be folded:\n%q\n%q", a, b)
				}
				continue
			}
			a, b := texts(kept), texts(folded)
			if residue(a[1]) != residue(b[1]) {
				t.Errorf("tags that have no partner: %q before, %q after", residue(a[1]), residue(b[1]))
			}
			earlier := essenceOf(htmlLines(a[0]))
			rest := essenceOf(htmlLines(b[1]))
			whole := essenceOf(htmlLines(a[1]))
			for _, piece := range strings.Split(rest, "(quotedhistoryof") {
				if _, after, ok := strings.Cut(piece, "isinthemessagebefore)"); ok {
					piece = after
				}
				at := strings.Index(whole, piece)
				if at < 0 {
					t.Fatalf("%q is new", piece)
				}
				if gone := whole[:at]; !strings.Contains(earlier, gone) {
					t.Fatalf("%q is gone and in no earlier message", gone)
				}
				whole = whole[at+len(piece):]
			}
			if !strings.Contains(earlier, whole) {
				t.Fatalf("%q is gone at the end", whole)
			}
		}
	})
}
