package mail

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hsimport/sources"
)

func TestHeaders(t *testing.T) {
	for _, c := range []struct{ name, raw, subject, body, code string }{
		{"usual", "Subject: x\nTo: a@b.c\n\nbody", "x", "body", ""},
		{"blank lines first", "\n\nSubject: x\n\nbody", "x", "body", ""},
		{"mark first", "\xef\xbb\xbfSubject: x\n\nbody", "x", "body", ""},
		{"separator first", "From a@b Tue Nov 15 08:12:31 1994\nSubject: x\n\nbody", "x", "body", ""},
		{"separator inside", "To: a@b.c\n>From a@b Tue Nov 15 08:12:31 1994\nSubject: x\n\nbody", "x", "body", ""},
		{"blanks first", "  Subject: x\nTo: a@b.c\n\nbody", "x", "body", ""},
		{"blank before the colon", "Subject : x\n\nbody", "x", "body", ""},
		{"folded", "Subject: x\n y\n\tz\n\nbody", "x y z", "body", ""},
		{"folded over a line of blanks", "Subject: x\n \n\ty\nTo: a@b.c\n\nbody", "x y", "body", ""},
		{"line of blanks ends it", "Subject: x\n \nbody", "x", " \nbody", "header-no-blank-line"},
		{"lost indent", "Subject: x\nand more of it\nTo: a@b.c\n\nbody", "x and more of it", "body", ""},
		{"no blank line", "Subject: x\nTo: a@b.c\nbody text\nmore\n", "x", "body text\nmore\n", "header-no-blank-line"},
		{"no body", "Subject: x\n", "x", "", ""},
		{"no header", "just text\nSubject: x\n", "", "just text\nSubject: x\n", "header-missing"},
		{"prose with a colon", "Note: this is text\n\nmore\n", "", "Note: this is text\n\nmore\n", "header-missing"},
		{"old Macintosh", "Subject: x\rTo: a@b.c\r\rbody\rmore\r", "x", "body\nmore\n", ""},
		{"first of two", "Subject: x\nSubject: y\n\nbody", "x", "body", ""},
		{"first that is filled", "Subject:\nSubject: y\n\nbody", "y", "body", ""},
		{"any case", "SUBJECT: x\n\nbody", "x", "body", ""},
		{"empty", "", "", "", "header-missing"},
	} {
		m := read([]byte(c.raw), nil, Options{})
		check(t, m)
		if m.Subject != c.subject || m.Body != c.body {
			t.Errorf("%s: subject %q, body %q; want %q, %q", c.name, m.Subject, m.Body, c.subject, c.body)
		}
		for _, code := range []string{"header-missing", "header-no-blank-line"} {
			if hasCode(m.Problems, code) != (c.code == code) {
				t.Errorf("%s: problems %v, want %q", c.name, m.Problems, c.code)
			}
		}
	}
}

func TestHeaderEnd(t *testing.T) {
	for raw, want := range map[string]int{
		"Subject: x\n\nbody":       12,
		"Subject: x\r\n\r\nbody":   14,
		"Subject: x\n":             11,
		"Subject: x\nno colon\n":   11,
		"no header\n\nbody":        0,
		"\nSubject: x\n\nbody":     13,
		"Subject: x\n more\n\nb":   18,
		"":                         0,
		"Subject: x":               10,
		"Subject: x\n\n\n\nbody\n": 12,
	} {
		if got := HeaderEnd([]byte(raw)); got != want {
			t.Errorf("%q: %d, want %d", raw, got, want)
		}
	}
}

func TestLooksLikeHeader(t *testing.T) {
	for line, want := range map[string]bool{
		"From: ann@x.org":             true,
		"subject: x":                  true,
		"Message-ID: <x@y>":           true,
		"X-Own: y":                    true,
		"Received: from a":            true,
		"Content-Type : text/plain":   true,
		"From ann@x.org Tue":          false,
		"Dear Ann: hello":             false,
		"http://x.org/":               false,
		"Note: prose":                 false,
		"--boundary:x":                false,
		"":                            false,
		": x":                         false,
		"no colon":                    false,
		"date":                        false,
		"Subject: x\nmore lines here": true,
	} {
		if got := LooksLikeHeader([]byte(line)); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func TestHeadOfAnExportedMail(t *testing.T) {
	h := ParseHead([]byte(`X-GM-THRID: 1530000000000000001
X-Gmail-Labels: =?UTF-8?Q?Bo=C3=AEte_de_r=C3=A9ception,Important,?=
 =?UTF-8?Q?"Clients,_VIP",Important?=
X-Mozilla-Status: 0009
X-Mozilla-Status2: 00800000
Message-ID:
 <abc
 def@x.org>
In-Reply-To: Your message of Monday <a@x.org>
References: <a@x.org>
	<b@x.org><c@x.org>
List-Id: Friends of x <friends.x.org>
Thread-Index: AdC0xOxF
 wE/t
X-Mailer: Thing 1.0
Date: Tue, 15 Nov 2022 08:12:31 +0000
From: Ann <ann@x.org>
Cc: bob@x.org
Bcc: c@x.org
`), Options{Position: sources.Position{File: "a.mbox", Line: 3}})
	want := &Head{
		MessageID: "abcdef@x.org", InReplyTo: []string{"a@x.org"}, References: []string{"a@x.org", "b@x.org", "c@x.org"},
		Date: time.Date(2022, 11, 15, 8, 12, 31, 0, time.UTC), DateSource: DateFromDate,
		From: []sources.Person{person("Ann", "ann@x.org")}, Cc: []sources.Person{person("", "bob@x.org")}, Bcc: []sources.Person{person("", "c@x.org")},
		GmailThread: "1530000000000000001", Labels: []string{"Boîte de réception", "Important", "Clients, VIP"},
		MozillaStatus: 0x800009, ListID: "friends.x.org", ThreadIndex: "AdC0xOxFwE/t", Mailer: "Thing 1.0",
	}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMessageIDs(t *testing.T) {
	for _, c := range []struct{ field, want, code string }{
		{"<a@b>", "a@b", ""},
		{"a@b", "a@b", ""},
		{"<a@b", "a@b", ""},
		{"<a b@c>", "ab@c", ""},
		{"<>", "", "message-id-malformed"},
		{"", "", "message-id-missing"},
		{"<" + strings.Repeat("x", 25000) + "@y>", "", "message-id-malformed"},
		{"<no-at-sign>", "no-at-sign", ""},
	} {
		h := ParseHead([]byte("From: a@b.c\nDate: Tue, 15 Nov 2022 08:12:31 +0000\nMessage-ID: "+c.field+"\n\n"), Options{})
		if h.MessageID != c.want || c.code != "" && !hasCode(h.Problems, c.code) || c.code == "" && len(h.Problems) > 0 {
			t.Errorf("%.60q: %q, %v", c.field, h.MessageID, h.Problems)
		}
	}
	for field, want := range map[string]string{
		"<a@b> <c@d>":            "a@b c@d",
		"Ann's message of 3 May": "",
		"a@b":                    "a@b",
		"Message from ann@x.org of Monday <a@b> ": "a@b",
	} {
		if h := ParseHead([]byte("In-Reply-To: "+field+"\n\n"), Options{}); strings.Join(h.InReplyTo, " ") != want {
			t.Errorf("%q: %q", field, h.InReplyTo)
		}
	}
}

func TestProblemsSayWhere(t *testing.T) {
	at := sources.Position{File: "a.mbox", Line: 7, Offset: 99}
	m := read([]byte("From: a@b.c\n\n\xff\xfe\xfd"+strings.Repeat("x", 9)), nil, Options{Position: at})
	if m.Position != at || len(m.Problems) < 3 {
		t.Fatalf("%v, %v", m.Position, m.Problems)
	}
	for _, p := range m.Problems {
		if p.Position != at {
			t.Errorf("%s stands at %v", p.Code, p.Position)
		}
	}
}

func TestSubjects(t *testing.T) {
	for _, c := range []struct {
		in, base string
		reply    bool
	}{
		{"Hello", "Hello", false},
		{"Re: Hello", "Hello", true},
		{"RE: AW: Re[2]: Hello", "Hello", true},
		{"Antw: Hello", "Hello", true},
		{"SV: Hello", "Hello", true},
		{"Re^2: Hello", "Hello", true},
		{"Re (3): Hello", "Hello", true},
		{"Fwd: Hello", "Hello", false},
		{"WG: Hello", "Hello", false},
		{"TR: RE : Hello", "Hello", true},
		{"回复：Hello", "Hello", true},
		{"[list] Re: Hello", "[list] Hello", true},
		{"Re: [list] Re: [list] Hello", "[list] Hello", true},
		{"[#1234] Hello", "[#1234] Hello", false},
		{"Re:  two   blanks", "two blanks", true},
		{"Reminder: pay", "Reminder: pay", false},
		{"Regarding: x", "Regarding: x", false},
		{"Hello (fwd)", "Hello", false},
		{"Re:", "", true},
		{"", "", false},
	} {
		if base, reply := NormalizeSubject(c.in); base != c.base || reply != c.reply {
			t.Errorf("%q: %q, %v", c.in, base, reply)
		}
	}
}

func TestMachines(t *testing.T) {
	for _, c := range []struct {
		name, header string
		want         sources.Auto
	}{
		{"a person", "", sources.Human},
		{"on a mailing list", "Precedence: list\nList-Id: <l.x.org>\nList-Unsubscribe: <mailto:u@x.org>\nList-Post: <mailto:l@x.org>\n", sources.Human},
		{"on an old mailing list", "Precedence: bulk\nList-Unsubscribe: <mailto:u@x.org>\nList-Post: <mailto:l@x.org>\n", sources.Human},
		{"precedence alone", "Precedence: bulk\n", sources.Human},
		{"passed on by a rule", "Auto-Submitted: auto-forwarded\n", sources.Human},
		{"says no", "Auto-Submitted: no\n", sources.Human},
		{"vacation", "Auto-Submitted: auto-replied (vacation)\n", sources.AutoReply},
		{"X-Autoreply", "X-Autoreply: yes\n", sources.AutoReply},
		{"precedence auto_reply", "Precedence: auto_reply\n", sources.AutoReply},
		{"out of office", "X-Auto-Response-Suppress: All\nSubject: Automatic reply: x\n", sources.AutoReply},
		{"a person about an office", "Subject: Out of office hours?\n", sources.Human},
		{"receipt", "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n", sources.AutoReply},
		{"delivery report", "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n", sources.Bounce},
		{"mailer-daemon", "From: MAILER-DAEMON@x.org\nSubject: failure notice\n", sources.Bounce},
		{"null sender", "From: postmaster@x.org\nReturn-Path: <>\nSubject: Undeliverable: x\n", sources.Bounce},
		{"exim", "X-Failed-Recipients: a@b.c\n", sources.Bounce},
		{"postmaster writes", "From: postmaster@x.org\nSubject: Delivery problems\n", sources.Human},
		{"newsletter", "List-Unsubscribe: <https://x.org>\nPrecedence: bulk\n", sources.Bulk},
		{"newsletter with one click", "List-Unsubscribe: <https://x.org>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n", sources.Bulk},
	} {
		if got := ParseHead([]byte(c.header+"From: Ann <ann@x.org>\nTo: b@c.d\n\n"), Options{}).Auto; got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
