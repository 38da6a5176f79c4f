package mail

import (
	"fmt"
	"strings"
	"testing"

	"hsimport/sources"
)

func TestDamagedMultiparts(t *testing.T) {
	for _, c := range []struct{ name, raw, body, files, code string }{
		{"no closing delimiter", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n", "one\n\ntwo", "", ""},
		{"blanks after the delimiter", "Content-Type: multipart/mixed; boundary=b\n\n--b  \n\none\n--b-- \n", "one", "", ""},
		{"garbage after the delimiter", "Content-Type: multipart/mixed; boundary=b\n\n--b here\n\none\n--b-- end\nepilogue\n", "one", "", ""},
		{"part after the closing delimiter", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n--b\n\ntwo\n--b--\n", "one\n\ntwo", "", ""},
		{"inner boundary begins like the outer", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b2\n\n--b2\n\none\n--b2--\n--b\n\ntwo\n--b--\n", "one\n\ntwo", "", ""},
		{"inner never closed", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--b\n\ntwo\n--b--\n", "one\n\ntwo", "", ""},
		{"wrong boundary", "Content-Type: multipart/mixed; boundary=x\n\n--right\nContent-Type: text/plain\n\none\n--right--\n", "one", "", "mime-boundary-guessed"},
		{"no boundary", "Content-Type: multipart/mixed\n\n--right\nContent-Type: text/plain\n\none\n--right--\n", "one", "", "mime-boundary-guessed"},
		{"folded boundary", "Content-Type: multipart/mixed; boundary=\"a_\n    b\"\n\n--a_ b\n\none\n--a_ b--\n", "one", "", ""},
		{"no parts", "Content-Type: multipart/mixed; boundary=x\n\njust text\n", "just text\n", "", "mime-boundary-missing"},
		{"semicolons twice", "Content-Type: multipart/mixed;; boundary=b;\n\n--b\n\none\n--b--\n", "one", "", ""},
		{"no semicolon", "Content-Type: multipart/mixed boundary=b\n\n--b\n\none\n--b--\n", "one", "", ""},
		{"boundary with a colon", "Content-Type: multipart/mixed; boundary=\"a:b\"\n\n--a:b\nContent-Type: text/plain\n--a:b\n\none\n--a:b--\n", "one", "", ""},
		{"part without blank line", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\nsome words here\n--b--\n", "some words here", "", ""},
		{"parameter lost its indent", "Content-Type: multipart/mixed;\nboundary=b\nX-Foo: bar\n\n--b\nContent-Type: application/pdf;\nname=a.pdf\n\n%PDF\n--b--\n", "", "a.pdf application/pdf", ""},
		{"empty part", "Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n\none\n--b--\n", "one", "", ""},
		{"digest", "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: first\n\none\n--b--\n", "", "first.eml message/rfc822", ""},
	} {
		m := parse(t, simple+c.raw)
		if m.Body != c.body || names(m) != c.files || c.code != "" && !hasCode(m.Problems, c.code) || c.code == "" && len(m.Problems) > 0 {
			t.Errorf("%s: body %q, files %q, %v; want %q, %q, %q", c.name, m.Body, names(m), m.Problems, c.body, c.files, c.code)
		}
	}
}

// Hostile mails end, and what they hold is not lost.
func TestHostileNesting(t *testing.T) {
	var nested strings.Builder
	nested.WriteString(simple)
	for i := range 5000 {
		fmt.Fprintf(&nested, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	nested.WriteString("\nat the bottom\n")
	m := read([]byte(nested.String()), nil, Options{})
	check(t, m)
	if !hasCode(m.Problems, "mime-depth") || len(m.Attachments) != 1 || !strings.Contains(string(checkFile(t, m.Attachments[0])), "at the bottom") {
		t.Errorf("files %q, %v", names(m), m.Problems)
	}

	many := simple + "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 3*maxParts) + "--b\n\nthe end\n--b--\n"
	m = read([]byte(many), nil, Options{})
	check(t, m)
	if !hasCode(m.Problems, "mime-parts") || !strings.Contains(m.Body, "the end") {
		t.Errorf("body of %d bytes, %v", len(m.Body), m.Problems)
	}

	files := simple + "Content-Type: multipart/mixed; boundary=b\n\n" +
		strings.Repeat("--b\nContent-Type: image/gif\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment\n\n"+gifData, 2000) + "--b--\n"
	if m = read([]byte(files), nil, Options{}); len(m.Attachments) != 2000 {
		t.Errorf("%d attachments", len(m.Attachments))
	}
	check(t, m)
}

func TestForwardedMail(t *testing.T) {
	inner := "From: bob@x.org\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe/alle?=\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\ninner\n--c--\n"
	m := parse(t, simple+multipart("mixed", plainPart, "Content-Type: message/rfc822\n\n"+inner))
	if m.Body != "plain words\n" || names(m) != "Grüße alle.eml message/rfc822" {
		t.Fatalf("body %q, files %q", m.Body, names(m))
	}
	again := read(checkFile(t, m.Attachments[0]), nil, Options{})
	if again.Body != "inner" || again.Author.Email != "bob@x.org" {
		t.Errorf("the forwarded mail reads %q from %+v", again.Body, again.Author)
	}
	m = parse(t, simple+multipart("mixed", plainPart, "Content-Type: message/rfc822; name=\"fwd.eml\"\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoKaGkK\n"))
	if names(m) != "fwd.eml message/rfc822" || string(checkFile(t, m.Attachments[0])) != "Subject: x\n\nhi\n" {
		t.Errorf("files %q", names(m))
	}
}

func TestBounce(t *testing.T) {
	report := multipart("report", "\nYour mail could not be delivered.\n",
		"Content-Type: message/delivery-status\n\nReporting-MTA: dns; x.org\n\nFinal-Recipient: rfc822; bob@x.org\nStatus: 5.1.1\n",
		"Content-Type: text/rfc822-headers\n\nSubject: Hello\n")
	m := parse(t, simple+strings.Replace(report, "report;", "report; report-type=delivery-status;", 1))
	want := "Your mail could not be delivered.\n\nReporting-MTA: dns; x.org\n\nFinal-Recipient: rfc822; bob@x.org\nStatus: 5.1.1"
	if m.Body != want || names(m) != "original-headers.txt text/rfc822-headers" || m.Auto != sources.Bounce {
		t.Errorf("body %q, files %q, auto %d", m.Body, names(m), m.Auto)
	}
}

// What is opened later is decoded from the raw bytes read again, not from memory.
func TestAttachmentsAreReadAgain(t *testing.T) {
	raw := []byte(simple + multipart("mixed", plainPart, pdfPart))
	reads := 0
	m := read(raw, func() ([]byte, error) { reads++; return raw, nil }, Options{})
	if reads != 0 {
		t.Errorf("read again %d times before anything was opened", reads)
	}
	checkFile(t, m.Attachments[0])
	checkFile(t, m.Attachments[0])
	if reads != 2 {
		t.Errorf("read again %d times", reads)
	}
	short := read(raw, func() ([]byte, error) { return raw[:10], nil }, Options{})
	if _, err := short.Attachments[0].Open(); err == nil {
		t.Error("a file that shrank opens without an error")
	}
}
