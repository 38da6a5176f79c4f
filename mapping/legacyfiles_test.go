package mapping

import (
	"strings"
	"testing"

	"hsimport/sources"
)

// What lay with the old desk and came along is mentioned where its address stood; what did not come along keeps its
// address, in the text and in a note, and is found.
func TestFilesOfTheOldDesk(t *testing.T) {
	have := memoryFile("shot.png", "image/png", []byte("png"), sources.Position{})
	have.Location = "https://desk.example/a/1.png?x=1&y=2"
	log := memoryFile("log.txt", "text/plain", []byte("log"), sources.Position{})
	log.Location = "https://desk.example/attachments/7/?name=log.txt"
	gone := &sources.Attachment{
		Name: "gone.png", Location: "https://desk.example/gone.png", MIMEType: "image/png",
		Missing: "it could not be fetched from https://desk.example/gone.png: the server answered 404 Not Found",
	}
	later := &sources.Attachment{
		Name: "later.pdf", Location: "https://files.desk.example/later.pdf", MIMEType: "application/pdf", Pending: true,
		Missing: "it is behind https://files.desk.example/later.pdf and has not been fetched",
	}
	ticket := conversationOf(1, "closed")
	m := ticket.Messages[0]
	m.Format, m.Attachments = sources.HTML, []*sources.Attachment{have, log, gone, later}
	m.Body = `<p>See <a href="https://desk.example/a/1.png?x=1&amp;y=2"><img src="https://desk.example/a/1.png?x=1&amp;y=2"></a>, ` +
		`<a href='https://desk.example/attachments/7/?name=log.txt' title=t>the <b>log</b></a>, ` +
		`<img src="https://desk.example/gone.png">, <a href="https://files.desk.example/later.pdf">later</a>, ` +
		`<a href="https://desk.example/tickets/4">a ticket</a></p>`
	p := mustMap(t, basic(), ticket)
	c := p.Parts[0].Conversation
	for _, want := range []string{
		`See <em>[image: shot.png]</em>, the <b>log</b> <em>[file: log.txt]</em>, `,
		`<em>[<a href="https://desk.example/gone.png" rel="nofollow noreferrer">image: gone.png</a>]</em>`,
		`<a href="https://files.desk.example/later.pdf" rel="nofollow noreferrer">later</a>, `,
		`<a href="https://desk.example/tickets/4" rel="nofollow noreferrer">a ticket</a>`,
	} {
		if !strings.Contains(c.Threads[0].Text, want) {
			t.Errorf("the text has no %s: %s", want, c.Threads[0].Text)
		}
	}
	if len(c.Threads[0].Attachments) != 2 || p.Noted != 2 || len(c.Threads) != 2 {
		t.Fatalf("%d attachments, %d noted, %d threads", len(c.Threads[0].Attachments), p.Noted, len(c.Threads))
	}
	for _, want := range []string{`<a href="https://desk.example/gone.png">gone.png</a> is missing`, "404 Not Found", `<a href="https://files.desk.example/later.pdf">later.pdf</a> is missing`} {
		if !strings.Contains(c.Threads[1].Text, want) {
			t.Errorf("the note has no %s: %s", want, c.Threads[1].Text)
		}
	}
	values := map[string]string{}
	for _, f := range p.Findings {
		values[f.Code] = f.Value
	}
	if values[NotFetched] != "files.desk.example" || values[codeFileGone] != "desk.example" {
		t.Errorf("findings %v", p.Findings)
	}
}

// An address with a password in it is written nowhere.
func TestPasswordsInAddresses(t *testing.T) {
	f := &sources.Attachment{Name: "a.png", Location: "https://joe:secret@desk.example/a.png", Missing: "gone"}
	if s := anchor(f, "a.png"); s != "a.png" {
		t.Errorf("%s", s)
	}
}
