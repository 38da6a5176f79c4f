package main

import (
	"bufio"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// vocabulary makes texts that compress, hash and wrap like mail does; the dice are seeded, so every machine gets one archive.
var vocabulary = strings.Fields("the printer on second floor says that it is out of paper although we filled tray two this " +
	"morning could you please have a look before Friday because invoices for customers abroad must leave with the post " +
	"thank you very much in advance I have restarted spooler and cleared queue nothing changed error code remains same " +
	"Grüße kind regards Ms. O'Neill wrote > quoted & answered <soon> see https://support.example/help?id=4711 for details")

func prose(dice *rand.Rand, n int) string {
	var b strings.Builder
	for width := 0; b.Len() < n; {
		w := vocabulary[dice.IntN(len(vocabulary))]
		b.WriteString(w)
		if width += len(w) + 1; width > 70 {
			b.WriteByte('\n')
			width = 0
			continue
		}
		b.WriteByte(' ')
	}
	return strings.TrimRight(b.String(), " \n") + "\n"
}

// table writes a CSV of tickets with three messages of about 500 bytes each, in the canonical layout.
func table(b *testing.B, path string, tickets int) int64 {
	b.Helper()
	head, err := sample.ReadFile("sample/tickets.csv")
	check(b, err)
	line, _, _ := strings.Cut(string(head), "\n")
	dice := rand.New(rand.NewPCG(1, 2))
	texts := make([]string, 500)
	for i := range texts {
		texts[i] = strings.ReplaceAll(prose(dice, 300+dice.IntN(400)), "\n", " ")
	}
	return write(b, path, func(out *bufio.Writer) {
		out.WriteString(strings.TrimRight(line, "\r") + "\n")
		w := csv.NewWriter(out)
		const layout = "2006-01-02 15:04:05"
		for i := range tickets {
			at := begun.Add(time.Duration(i) * 3 * time.Minute)
			id, customer := strconv.Itoa(10000+i), fmt.Sprintf("c%d@customers.example", i%(tickets/3+1))
			for j := range 3 {
				author, side := customer, "customer"
				if j == 1 {
					author, side = "ada@support.example", "agent"
				}
				check(b, w.Write([]string{
					id, "Ticket " + id, "solved", customer, "Customer " + id, "ada@support.example", at.Format(layout), "", "bug",
					"normal", fmt.Sprint(id, "-", j), author, "", side, fmt.Sprint(texts[(3*i+j)%len(texts)], i, "/", j), "text",
					at.Add(time.Duration(j) * 13 * time.Minute).Format(layout), "", "",
				}))
			}
		}
		w.Flush()
		check(b, w.Error())
	})
}

// archive writes an mboxrd of at least size bytes and returns it with the number of its mails: conversations of one to
// six plain mails; mixed, a third of them is HTML beside its text and one in thirty has a file of 40 kB.
func archive(b *testing.B, path string, size int64, mixed bool) (int64, int) {
	b.Helper()
	dice := rand.New(rand.NewPCG(3, 4))
	mails := 0
	total := write(b, path, func(w *bufio.Writer) {
		for n, written := 0, int64(0); written < size; n++ {
			for j := range 1 + n%6 {
				mail := oneMail(dice, n, j, mixed)
				written += int64(len(mail))
				mails++
				w.WriteString(mail)
			}
		}
	})
	return total, mails
}

func oneMail(dice *rand.Rand, n, j int, mixed bool) string {
	var b strings.Builder
	at := begun.Add(time.Duration(n)*11*time.Minute + time.Duration(j)*7*time.Minute)
	from, to := fmt.Sprintf("Customer %d <c%d@customers.example>", n%997, n%997), "Help <help@support.example>"
	if j%2 == 1 {
		from, to = to, from
	}
	fmt.Fprintf(&b, "From sender@mail.example %s\n", at.Format(time.ANSIC))
	fmt.Fprintf(&b, "Received: from mx.mail.example (mx.mail.example [192.0.2.%d])\n\tby in.support.example with ESMTPS id %x;\n\t%s\n",
		n%250, n, at.Format(time.RFC1123Z))
	fmt.Fprintf(&b, "Message-ID: <t%d.%d@mail.example>\nDate: %s\nFrom: %s\nTo: %s\n", n, j, at.Format(time.RFC1123Z), from, to)
	subject := fmt.Sprintf("Printer %d", n)
	if j > 0 {
		subject = "Re: " + subject
		fmt.Fprintf(&b, "In-Reply-To: <t%d.%d@mail.example>\nReferences:", n, j-1)
		for k := range j {
			fmt.Fprintf(&b, " <t%d.%d@mail.example>", n, k)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "Subject: %s\nMIME-Version: 1.0\n", subject)
	text := strings.ReplaceAll("\n"+prose(dice, 600+dice.IntN(3000)), "\nFrom ", "\n>From ")[1:]
	switch {
	case mixed && (n+j)%30 == 0:
		file := make([]byte, 40_000)
		for i := range file {
			file[i] = byte(dice.Uint32())
		}
		b.WriteString("Content-Type: multipart/mixed; boundary=\"=_m\"\n\n--=_m\nContent-Type: text/plain; charset=utf-8\n\n" + text +
			"\n--=_m\nContent-Type: application/pdf; name=\"invoice.pdf\"\nContent-Disposition: attachment; filename=\"invoice.pdf\"\n" +
			"Content-Transfer-Encoding: base64\n\n")
		for s := base64.StdEncoding.EncodeToString(file); s != ""; {
			cut := min(76, len(s))
			b.WriteString(s[:cut] + "\n")
			s = s[cut:]
		}
		b.WriteString("--=_m--\n")
	case mixed && (n+j)%3 == 0:
		b.WriteString("Content-Type: multipart/alternative; boundary=\"=_a\"\n\n--=_a\nContent-Type: text/plain; charset=utf-8\n\n" + text +
			"\n--=_a\nContent-Type: text/html; charset=utf-8\n\n<html><head><style>p{margin:0}</style></head><body><p>" +
			strings.ReplaceAll(text, "\n", "</p>\n<p class=\"MsoNormal\" style=\"font-family:Arial\">") + "</p></body></html>\n--=_a--\n")
	default:
		b.WriteString("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + text)
	}
	b.WriteByte('\n')
	return b.String()
}

// maildir writes the mails of an archive as one file each, for programs that read no mbox.
func maildir(b *testing.B, mbox, dir string) {
	b.Helper()
	for _, sub := range []string{"cur", "new", "tmp"} {
		check(b, os.MkdirAll(filepath.Join(dir, sub), 0o755))
	}
	in, err := os.Open(mbox)
	check(b, err)
	defer in.Close()
	var mail []byte
	n := 0
	put := func() {
		if mail != nil {
			n++
			check(b, os.WriteFile(filepath.Join(dir, "cur", fmt.Sprintf("1700000000.%d.host:2,S", n)), mail, 0o644))
		}
		mail = mail[:0]
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "From ") {
			put()
			mail = make([]byte, 0, 4096)
			continue
		}
		mail = append(append(mail, lines.Bytes()...), '\n')
	}
	check(b, lines.Err())
	put()
}

func write(b *testing.B, path string, fill func(*bufio.Writer)) int64 {
	b.Helper()
	f, err := os.Create(path)
	check(b, err)
	w := bufio.NewWriterSize(f, 1<<20)
	fill(w)
	check(b, w.Flush())
	st, err := f.Stat()
	check(b, err)
	check(b, f.Close())
	return st.Size()
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
