package mail

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"hsimport/sources"
)

// read is Read without the header.
func read(raw []byte, reopen func() ([]byte, error), opts Options) *sources.Message {
	m, _ := Read(raw, reopen, opts)
	return m
}

// check asserts what holds for every message, however damaged: the body is clean UTF-8, and each attachment opens and
// has the size and digest that it states.
func check(t *testing.T, m *sources.Message) {
	t.Helper()
	if !utf8.ValidString(m.Body) || strings.ContainsAny(m.Body, "\r\x00") {
		t.Errorf("body is not clean UTF-8: %.200q", m.Body)
	}
	if m.CreatedAt.IsZero() && !hasCode(m.Problems, "date-missing") {
		t.Error("no date, and no problem says so")
	}
	for _, s := range []string{m.Subject, m.Author.Name, m.Author.Email, m.ID} {
		if !utf8.ValidString(s) || strings.ContainsAny(s, "\r\n\x00") {
			t.Errorf("header text is not one clean line: %q", s)
		}
	}
	for _, a := range m.Attachments {
		checkFile(t, a)
	}
}

func checkFile(t *testing.T, a *sources.Attachment) []byte {
	t.Helper()
	if a.Name == "" || strings.ContainsAny(a.Name, "/\\\n\x00") || !utf8.ValidString(a.Name) || len(a.Name) > 255 {
		t.Errorf("attachment name %q", a.Name)
	}
	if !validType(a.MIMEType) || a.MIMEType != strings.ToLower(a.MIMEType) {
		t.Errorf("attachment %s: type %q", a.Name, a.MIMEType)
	}
	rc, err := a.Open()
	if err != nil {
		t.Fatalf("attachment %s: %v", a.Name, err)
	}
	defer rc.Close()
	b, err := io.ReadAll(rc)
	if err != nil {
		t.Fatalf("attachment %s: %v", a.Name, err)
	}
	sum := sha256.Sum256(b)
	if int64(len(b)) != a.Size || hex.EncodeToString(sum[:]) != a.SHA256 {
		t.Errorf("attachment %s: opened %d bytes with digest %x, said %d, %s", a.Name, len(b), sum[:4], a.Size, a.SHA256[:8])
	}
	return b
}

func hasCode(problems []sources.Problem, code string) bool {
	for _, p := range problems {
		if p.Code == code {
			return true
		}
	}
	return false
}

// parse decodes a fixture written with "\n" and checks the invariants, with "\n" and with "\r\n": both must say the
// same.
func parse(t *testing.T, raw string) *sources.Message {
	t.Helper()
	m := read([]byte(raw), nil, Options{})
	check(t, m)
	crlf := read([]byte(strings.ReplaceAll(raw, "\n", "\r\n")), nil, Options{})
	check(t, crlf)
	if !strings.Contains(raw, "\r") && (crlf.Body != m.Body || len(crlf.Attachments) != len(m.Attachments)) {
		t.Errorf("CRLF line ends change the message:\n%q\n%q", m.Body, crlf.Body)
	}
	return m
}

const simple = "From: Ann Lee <ann@example.org>\nTo: help@support.example\nSubject: Hello\n" +
	"Date: Tue, 15 Nov 2022 08:12:31 -0500\nMessage-ID: <1@example.org>\n"

func TestPlainMessage(t *testing.T) {
	m := parse(t, simple+"\nMy order is late.\n\nAnn\n")
	if m.Body != "My order is late.\n\nAnn\n" || m.Format != sources.Text {
		t.Errorf("body %q, format %d", m.Body, m.Format)
	}
	if m.Author != (sources.Person{Name: "Ann Lee", Email: "ann@example.org"}) {
		t.Errorf("author %+v", m.Author)
	}
	if m.ID != "1@example.org" || m.Subject != "Hello" || m.CreatedAt.Format("2006-01-02T15:04:05Z07:00") != "2022-11-15T13:12:31Z" {
		t.Errorf("id %q, subject %q, date %v", m.ID, m.Subject, m.CreatedAt)
	}
	if len(m.Problems) != 0 {
		t.Errorf("problems of a sound mail: %v", m.Problems)
	}
}

func TestAlternativeWithAttachment(t *testing.T) {
	m := parse(t, simple+`MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

--outer
Content-Type: multipart/alternative; boundary="outer-inner"

--outer-inner
Content-Type: text/plain

plain words
--outer-inner
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p>rich w=C3=B6rds</p>
--outer-inner--

--outer
Content-Type: application/pdf; name="a.pdf"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="invoice.pdf"

JVBERi0xLjQK
--outer--
`)
	if m.Format != sources.HTML || m.Body != "<p>rich wörds</p>" {
		t.Errorf("format %d, body %q", m.Format, m.Body)
	}
	if len(m.Attachments) != 1 {
		t.Fatalf("%d attachments", len(m.Attachments))
	}
	a := m.Attachments[0]
	if a.Name != "invoice.pdf" || a.MIMEType != "application/pdf" || string(checkFile(t, a)) != "%PDF-1.4\n" {
		t.Errorf("attachment %+v", a)
	}
}
