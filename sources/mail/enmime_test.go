package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/jhillyerd/enmime/v2"

	"hsimport/sources"
)

// soundMails are mails without damage, of the kinds that a support inbox gets: another parser must see the same in them.
func soundMails() map[string]string {
	qp := "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe =\nan alle\n"
	latin := "Content-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: base64\n\nPHA+R3L832U8L3A+\n"
	gif := gifPart + "Content-ID: <dot@x>\nContent-Disposition: inline; filename=\"=?utf-8?Q?Gr=C3=BC=C3=9Fe.gif?=\"\n\n" + gifData
	return map[string]string{
		"plain":       simple + "Content-Type: text/plain; charset=us-ascii\n\nhello\n",
		"qp":          simple + qp,
		"latin1":      simple + latin,
		"koi8-r":      simple + "Content-Type: text/plain; charset=koi8-r\n\n\xf0\xd2\xc9\xd7\xc5\xd4\n",
		"iso-2022-jp": simple + "Content-Type: text/plain; charset=iso-2022-jp\n\n\x1b$B%F%9%H\x1b(B\n",
		"big5":        simple + "Content-Type: text/plain; charset=big5\n\n\xa4\xa4\xb0\xea\n",
		"alternative": simple + multipart("alternative", plainPart, htmlPart),
		"file":        simple + multipart("mixed", plainPart, pdfPart),
		"related":     simple + multipart("related", "Content-Type: text/html\n\n<img src=\"cid:dot@x\">\n", gif),
		"all":         simple + multipart("mixed", multipart("related", multipart("alternative", qp, latin), gif), pdfPart, pdfPart),
		"subject":     strings.Replace(simple, "Hello", "=?utf-8?Q?Gr=C3?=\n =?utf-8?Q?=BC=C3=9Fe?=", 1) + "\nhello\n",
		"person":      strings.Replace(simple, "Ann Lee", "=?iso-8859-1?Q?J=F6rg?=", 1) + "\nhello\n",
	}
}

func TestAgreesWithEnmime(t *testing.T) {
	for name, raw := range soundMails() {
		m := parse(t, raw)
		env, err := enmime.ReadEnvelope(strings.NewReader(raw))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := env.GetHeader("Subject"); got != m.Subject {
			t.Errorf("%s: subject %q, enmime %q", name, m.Subject, got)
		}
		if from, err := env.AddressList("From"); err != nil || from[0].Address != m.Author.Email || from[0].Name != m.Author.Name {
			t.Errorf("%s: from %+v, enmime %v, %v", name, m.Author, from, err)
		}
		if date, err := env.Date(); err != nil || !date.Equal(m.CreatedAt) {
			t.Errorf("%s: date %v, enmime %v, %v", name, m.CreatedAt, date, err)
		}
		body := env.Text
		if m.Format == sources.HTML {
			body = env.HTML
		}
		if strings.TrimSpace(body) != strings.TrimSpace(m.Body) {
			t.Errorf("%s: body %q, enmime %q", name, m.Body, body)
		}
		var theirs, ours []string
		for _, p := range append(append(env.Attachments, env.Inlines...), env.OtherParts...) {
			sum := sha256.Sum256(p.Content)
			theirs = append(theirs, fmt.Sprintf("%s %s %s %s", p.FileName, p.ContentType, p.ContentID, hex.EncodeToString(sum[:])))
		}
		for _, a := range m.Attachments {
			ours = append(ours, fmt.Sprintf("%s %s %s %s", a.Name, a.MIMEType, a.ContentID, a.SHA256))
		}
		if sorted(theirs) != sorted(ours) {
			t.Errorf("%s: files\n%s\nenmime\n%s", name, sorted(ours), sorted(theirs))
		}
	}
}

func sorted(s []string) string {
	for i := range s {
		for j := i; j > 0 && s[j] < s[j-1]; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
	return strings.Join(s, "\n")
}

// benchMails are a mail of 7 KB as people write it and one of 500 KB with a file.
func benchMails() (small, big []byte) {
	received := strings.Repeat("Received: from mx.example.org (mx.example.org [192.0.2.1])\n\tby mail.support.example with ESMTPS id 4F3x2\n\tfor <help@support.example>; Tue, 15 Nov 2022 08:12:35 -0500 (EST)\n", 6)
	words := strings.Repeat("I ordered five of them last week, and only three have arrived so far =\nin good condition. Could you please look =C3=BCber it?\n\n> you wrote something about it before\n", 15)
	text := "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n" + words
	html := "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n<html><body><p>" + words + "</p></body></html>\n"
	file := "Content-Type: application/pdf; name=\"report.pdf\"\nContent-Disposition: attachment; filename=\"report.pdf\"\nContent-Transfer-Encoding: base64\n\n" +
		strings.Repeat("JVBERi0xLjQKJcfsj6IKNSAwIG9iago8PC9MZW5ndGggNiAwIFIvRmlsdGVyIC9GbGF0ZURl\n", 6500)
	small = []byte(received + simple + multipart("alternative", text, html))
	big = []byte(received + simple + multipart("mixed", multipart("alternative", text, html), file))
	return small, big
}

func BenchmarkRead(b *testing.B) {
	small, big := benchMails()
	for name, raw := range map[string][]byte{"small": small, "big": big} {
		b.Run(name+"/ours", func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				read(raw, nil, Options{})
			}
		})
		b.Run(name+"/enmime", func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := enmime.ReadEnvelope(bytes.NewReader(raw)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkHead(b *testing.B) {
	small, _ := benchMails()
	head := small[:HeaderEnd(small)]
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		ParseHead(head, Options{})
	}
}

func BenchmarkBase64(b *testing.B) {
	_, big := benchMails()
	src := big[len(big)-400_000:]
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		c := content{src: src, enc: base64Encoding}
		for c.next() != nil {
		}
	}
}
