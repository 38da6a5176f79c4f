package mboxfile

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzContent proves that a mail's digest does not see how it is stored, and that quoting and unquoting are inverse.
func FuzzContent(f *testing.F) {
	for _, s := range []string{
		letter{id: "a@x", body: "From me\n>From you\n>>From them\n\n\n"}.String(), "no header\n>From x", ">From a\nTo: b\n\nx", "\n\nSubject: x\n\n",
		"Subject: x\n y\n\tz\n\n", "A: b", "From: a\n\n>>>", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, mail string) {
		mail = strings.ReplaceAll(mail, "\r", "")
		head, body := splitHead([]byte(mail))
		d := newDigester()
		want := d.digest([]byte(mail))
		for what, stored := range map[string]string{
			"CRLF": crlf(mail), "blank lines at the end": mail + "\n\n", "quoted": string(head) + quote(string(body)),
			"quoted twice": string(head) + quote(quote(string(body))), "CRLF, quoted": crlf(string(head) + quote(string(body))),
		} {
			if got, _ := splitHead([]byte(stored)); bytes.Count(got, []byte(":")) != bytes.Count(head, []byte(":")) {
				continue // the header itself is changed: a mail without one
			}
			if d.digest([]byte(stored)) != want {
				t.Errorf("%s: another digest for %q", what, stored)
			}
		}
		plain := bytes.TrimRight([]byte(mail), "\n")
		head, body = splitHead(plain)
		skipped := plain[:len(plain)-len(head)-len(body)] // blank lines before the header
		stored := string(skipped) + string(head) + quote(string(body))
		if got, _ := splitHead([]byte(stored)); len(got) != len(head) {
			return // a mail without a header whose quoted text looks like one
		}
		if got := prepare([]byte(stored), quotedRD); !bytes.Equal(bytes.TrimLeft(got, "\n"), bytes.TrimLeft(plain, "\n")) {
			t.Errorf("%q was stored as %q and comes back as %q", plain, stored, got)
		}
		if got := prepare([]byte(stored), quotedNot); string(got) != stored {
			t.Errorf("%q was changed to %q", stored, got)
		}
	})
}

// What another program stores another way is still the same mail, and what somebody wrote another way is another one.
func TestDigest(t *testing.T) {
	const head = "From: Ann <ann@x.example>\nDate: Tue, 15 Nov 2022 08:12:31 +0000\nSubject: Hello\n"
	const mail = head + "\nbody\n"
	d := newDigester()
	want := d.digest([]byte(mail))
	for name, raw := range map[string]string{
		"CRLF":                 crlf(mail),
		"no final line end":    strings.TrimSuffix(mail, "\n"),
		"blank line after it":  mail + "\n",
		"folded":               strings.Replace(mail, "15 Nov", "15\n Nov", 1),
		"Gmail's labels":       "X-GM-THRID: 1\nX-Gmail-Labels: a,\n b\n" + mail,
		"Thunderbird's status": strings.Replace(mail, "Subject:", "X-Mozilla-Status: 0001\nX-Mozilla-Keys:    \nSubject:", 1),
		"mbox fields":          strings.Replace(mail, "\n\n", "\nStatus: RO\nContent-Length: 5\nLines: 1\nX-UID: 3\n\n", 1),
		"another road":         "Received: from a by b\n" + mail,
	} {
		if d.digest([]byte(raw)) != want {
			t.Errorf("%s: another digest", name)
		}
	}
	for name, raw := range map[string]string{
		"other body":    head + "\nbody!\n",
		"other subject": strings.Replace(mail, "Hello", "Hullo", 1),
		"in the body":   head + "\nStatus: RO\nbody\n",
		"more people":   "Cc: b@x.example\n" + mail,
	} {
		if d.digest([]byte(raw)) == want {
			t.Errorf("%s: the same digest", name)
		}
	}
	long := strings.Repeat("x\r\n", 1<<16)
	if d.digest([]byte(head+"\n"+long)) != d.digest([]byte(head+"\n"+strings.ReplaceAll(long, "\r\n", "\n"))) {
		t.Error("line ends of a long body count")
	}
}

// FuzzSniff proves that what is taken for an mbox holds mails, and that nothing else is called empty.
func FuzzSniff(f *testing.F) {
	for _, s := range []string{sep + one, one, "12\n" + one, "a,b\n1,2\n", "{}", "x\n\n" + sep + one, sep, "From the desk\nof Bob", "\x1f\x8b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data string) {
		kind, hint, err := sniff([]byte(data), true)
		if (err != nil) != (kind == notMail) || hint != "" && err == nil {
			t.Errorf("sniff says %d, %q, %v", kind, hint, err)
		}
		if kind == emptyFile && strings.Trim(strings.TrimPrefix(data, "\xef\xbb\xbf"), "\r\n") != "" {
			t.Errorf("%q is called empty", data)
		}
		if kind != mboxFile {
			return
		}
		if got, fr := cut(t, data, nil); len(got) == 0 && fr.tally.truncated+fr.tally.separator == 0 {
			t.Errorf("%q is called an mbox and holds no mail", data)
		}
	})
}

func TestSniff(t *testing.T) {
	for _, c := range []struct {
		name, data string
		want       format
	}{
		{"damaged first line", " From: a@x.example\nSubject: x\nTo: b@x.example\n\ntext\n", oneMail},
		{"unknown first field", "Recieved: from a\n by b\nReceived: from c\nSubject: x\n\n", oneMail},
		{"prose", "Dear Bob,\nTo: be or not to be\n", notMail},
		{"a first mail without separator", one + "\n" + sep + two, mboxFile},
		{"garbage first", "notes\n\n" + sep + two, mboxFile},
		{"Apple Mail", "45\n" + one, emlx},
	} {
		if got, _, err := sniff([]byte(c.data), true); got != c.want {
			t.Errorf("%s: %d (%v), want %d", c.name, got, err, c.want)
		}
	}
}

// TestNameSaysOneMail proves that an .eml and a file of a Maildir are one mail, whatever they quote or lack.
func TestNameSaysOneMail(t *testing.T) {
	odd := one + "\n" + sep + two
	src := openFiles(t, map[string]string{"a.eml": odd, "M/cur/1:2,S": sep + odd, "M/new/2": "just text\n"}, []string{"a.eml", "M"})
	if r := src.Ledger().Records; r.Found != 3 {
		t.Errorf("%d mails found, want 3", r.Found)
	}
	src = openFiles(t, map[string]string{"a": odd}, []string{"a"})
	if r := src.Ledger().Records; r.Found != 2 {
		t.Errorf("%d mails found, want 2", r.Found)
	}
}

func TestFolderNameOfPath(t *testing.T) {
	for _, c := range []struct {
		root, path string
		kind       format
		want       string
	}{
		{"/m", "/m/Inbox", mboxFile, "Inbox"},
		{"/m", "/m/Inbox.sbd/2020", mboxFile, "Inbox/2020"},
		{"/m", "/m/Sent.mbox/mbox", mboxFile, "Sent"},
		{"/m/Sent.mbox", "/m/Sent.mbox/mbox", mboxFile, "Sent"},
		{"/m", "/m/a.mbox.gz", gzipFile, "a"},
		{"/m", "/m/x/1.eml", oneMail, "x"},
		{"/m/x", "/m/x/1.eml", oneMail, "x"},
		{"/m", "/m/.mbox", mboxFile, ".mbox"},
	} {
		if got := folderInTree(c.root, c.path, c.kind); got != c.want {
			t.Errorf("%s below %s is the folder %q, want %q", c.path, c.root, got, c.want)
		}
	}
}

func TestMarks(t *testing.T) {
	for head, want := range map[string]string{
		"X-Mozilla-Status: 0001\n":           "",
		"X-Mozilla-Status: 0000\n":           "Unread",
		"x-mozilla-status: 0005\n":           "Starred",
		"Status: RO\nX-Status: F\n":          "Starred",
		"Status: O\n":                        "Unread",
		"Status: resolved\n":                 "",
		"X-Status: TD\n":                     "Drafts Trash",
		"X-Mozilla-Status: zz\nSubject: x\n": "",
		"Subject: Status: O\n":               "",
	} {
		got, expunged := readMarks([]byte(head)).labels()
		if strings.Join(got, " ") != want || expunged {
			t.Errorf("%q says %q, expunged %v; want %q", head, got, expunged, want)
		}
	}
	if _, expunged := readMarks([]byte("X-Mozilla-Status: 0009\n")).labels(); !expunged {
		t.Error("0x0008 is expunged")
	}
}

func BenchmarkDigest(b *testing.B) {
	mail := []byte(letter{id: "a@x", subject: "S", body: strings.Repeat("a line of text as people write it\n", 120)}.String())
	d := newDigester()
	b.SetBytes(int64(len(mail)))
	for b.Loop() {
		d.digest(mail)
	}
}
