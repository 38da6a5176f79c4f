package mail

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// seeds are small messages that reach every branch of the decoder.
var seeds = []string{
	simple + "\nhello\n",
	simple + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: text/html\n\n<b>two</b>\n--b--\n",
	simple + "Content-Type: text/plain; charset=utf-7\n\n+AGEAYg- +-\n",
	simple + "Content-Type: text/plain; format=flowed; delsp=yes\n\n> a \n> b\nc \nd\n-- \nx\n",
	simple + "Content-Transfer-Encoding: base64\n\naGVsbG8= x\n!!==aGk=\n",
	simple + "Content-Transfer-Encoding: quoted-printable\n\na=\nb=C3=BC=zz =\n\n",
	simple + "\nbegin 644 a.txt\n#86)C\n`\nend\n",
	simple + "Content-Type: application/ms-tnef; name=winmail.dat\n\n\x78\x9f\x3e\x22\x01\x00\x01\x0c\x80\x02\x00\x02\x00\x00\x00hi\x00\x00\n",
	simple + "Content-Type: application/pkcs7-mime; smime-type=signed-data\nContent-Transfer-Encoding: base64\n\nMIAGCSqGSIb3DQEHAqCA\n",
	simple + "Content-Type: text/enriched\n\n<bold>x</bold><param>y</param>\n\n<<\n",
	simple + "Content-Type: text/rtf\n\n{\\rtf1\\ansi{\\fonttbl x}a\\'e4\\u8364 ?\\par}\n",
	"From: =?iso-2022-jp?B?GyRCJUYlOSVIGyhC?= <a@b>\nSubject: =?utf-8?Q?a_=C3?= =?utf-8?Q?=BC?=\n\nx",
	"From x\n\n Subject : y\n z\nTo: a, b <c@d>; g: e@f;\n\ntext",
	"\r\n\r\nhello\r\rthere",
	"",
}

func FuzzRead(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		kept := bytes.Clone(raw)
		m := read(raw, func() ([]byte, error) { return bytes.Clone(kept), nil }, Options{})
		check(t, m)
		if !bytes.Equal(raw, kept) {
			t.Error("the message was changed")
		}
		again := read(kept, nil, Options{})
		if again.Body != m.Body || len(again.Attachments) != len(m.Attachments) {
			t.Error("a second reading says otherwise")
		}
		h := ParseHead(raw, Options{})
		if h.Subject != m.Subject || !h.Date.Equal(m.CreatedAt) || h.MessageID != m.ID {
			t.Errorf("head and message differ: %q %q, %v %v", h.Subject, m.Subject, h.Date, m.CreatedAt)
		}
	})
}

func FuzzHeader(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		end := HeaderEnd(raw)
		if end < 0 || end > len(raw) {
			t.Fatalf("header ends at %d of %d", end, len(raw))
		}
		s := scanner{raw: raw}
		last := 0
		for {
			name, _, ok := s.next()
			if !ok {
				break
			}
			if len(name) == 0 || s.start < last || s.pos <= s.start {
				t.Fatalf("field %q from %d to %d after %d", name, s.start, s.pos, last)
			}
			last = s.pos
		}
		// The header alone says what the header of the whole says.
		if end > 0 {
			whole, alone := ParseHead(raw, Options{}), ParseHead(raw[:end], Options{})
			if whole.Subject != alone.Subject || whole.MessageID != alone.MessageID || len(whole.From) != len(alone.From) {
				t.Errorf("cut at %d: %+v\n%+v", end, whole, alone)
			}
		}
	})
}

func FuzzAddresses(f *testing.F) {
	for _, s := range []string{
		`Ann Lee <ann@x.org>, "Lee, Bob" <bob@x.org>`, `Lee, Ann <a@b>`, `a at b.c (Name)`, `g: a@b, c@d;, e@f`, `"unclosed <a@b>`,
		`(unclosed a@b`, `<<a@b>>`, `=?utf-8?Q?a=2C_b?= <c@d>`, `"=?utf-8?B?w7w=?=" <a@b>`, `a@b <c@d> <e@f>`, `\`, `<`, `,;:`, "\xff <a@b>",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, v []byte) {
		people := parseAddresses(v, &decoder{})
		ats := bytes.Count(v, []byte("@"))
		for _, p := range people {
			if p.IsZero() || !utf8.ValidString(p.Name+p.Email) || strings.ContainsAny(p.Name+p.Email, "\r\n\x00") {
				t.Errorf("%q: person %+v", v, p)
			}
		}
		if len(people) == 0 && ats == 1 && bytes.Contains(v, []byte("<ann@x.org>")) && !bytes.ContainsAny(v, `("\=`) {
			t.Errorf("%q: the address is lost", v)
		}
	})
}

func FuzzDate(f *testing.F) {
	for _, s := range []string{
		"Tue, 15 Nov 1994 08:12:31 -0500 (EST)", "15 Nov 94 8:12 PM", "1994-11-15T08:12:31Z", "mar, 15 nov 1994 08:12:31 +0100",
		"Tue Nov 15 08:12:31 1994", "15/11/1994 8.12", "(", "+", "99999999999999999999", "15 ноя 2010 08:12",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, ok := parseDate(s, nil)
		if !ok {
			if !m.at.IsZero() {
				t.Errorf("%q: refused with a date", s)
			}
			return
		}
		if y := m.at.Year(); y < 0 || y > 10_000 {
			t.Errorf("%q: year %d", s, y)
		}
		// What we read is read the same when it is written properly.
		if again, ok := parseDate(m.at.Format(time.RFC1123Z), nil); m.at.Year() >= 1000 && m.at.Year() < 10_000 &&
			(!ok || !again.at.Equal(m.at) || !again.zone) {
			t.Errorf("%q: %v, then %v", s, m.at, again.at)
		}
	})
}

func FuzzWords(f *testing.F) {
	for _, s := range []string{
		"=?utf-8?Q?a_=C3=BC?=", "=?utf-8?B?w7w?= =?utf-8?B?w7w=?=", "=?x?y?z?=", "=?utf-8?q?unclosed", "=?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=",
		"=?utf-7?Q?+AOQ-?=", "=?=?=?", "a =?utf-8*en?q?b c?= d", "=?gb2312?B?1tC5+g==?=",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, v []byte) {
		d := decoder{}
		s := d.text(v)
		if !utf8.ValidString(s) || strings.ContainsAny(s, "\r\n\x00") {
			t.Errorf("%q: %q", v, s)
		}
		if !bytes.Contains(v, []byte("=?")) && isASCII(v) && !bytes.ContainsAny(v, "\x1b\x00\r\n\t\x7f") && len(bytes.Trim(v, " ")) == len(v) &&
			len(bytes.TrimFunc(v, func(r rune) bool { return r < ' ' })) == len(v) && !bytes.ContainsFunc(v, func(r rune) bool { return r < ' ' }) &&
			s != string(v) {
			t.Errorf("plain text %q became %q", v, s)
		}
	})
}

func FuzzParams(f *testing.F) {
	for _, s := range []string{
		`text/plain; charset="utf-8"; name="a;b.txt"`, `attachment; filename*0*=utf-8''a%20; filename*1=b.txt`, `a/b;;c = d (x)`,
		`x; filename*=iso-8859-1'en'%A3.txt`, `x; name="unclosed; y=z`, `x; name==?utf-8?Q?a_b?=`, `x; filename*999999999999=a`, `=;=`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, v []byte) {
		typ := parseTyped(v)
		if !utf8.ValidString(typ.value) || len(typ.params) > maxParams {
			t.Errorf("%q: %+v", v, typ)
		}
		for _, name := range []string{"name", "filename"} {
			if s := typ.text(name, &decoder{}); !utf8.ValidString(s) || strings.ContainsAny(s, "\r\n\x00") {
				t.Errorf("%q: %s = %q", v, name, s)
			}
		}
		if name := cleanName(typ.text("filename", &decoder{})); strings.ContainsAny(name, "/\\") || len(name) > 255 || name == ".." {
			t.Errorf("%q: file name %q", v, name)
		}
	})
}

func FuzzCharset(f *testing.F) {
	for _, label := range []string{
		"", "utf-8", "us-ascii", "windows-1252", "iso-2022-jp", "iso-2022-kr", "hz-gb-2312", "utf-7", "utf-16", "gb2312",
		"big5", "shift_jis", "euc-kr", "koi8-r", "x-unknown", "macintosh", "replacement",
	} {
		f.Add([]byte("Gr\xfc\xdfe \x1b$B%F%9%H\x1b(B +AOQ- ~{VPNC~} \x00a\x00b"), label)
	}
	f.Fuzz(func(t *testing.T, b []byte, label string) {
		s, _ := decodeText(b, label)
		if !utf8.ValidString(s) {
			t.Errorf("%q in %q: not UTF-8: %q", b, label, s)
		}
		if again, _ := decodeText(b, label); again != s {
			t.Errorf("%q in %q: %q, then %q", b, label, s, again)
		}
		if len(b) > 0 && len(s) > 8*len(b)+16 {
			t.Errorf("%d bytes became %d", len(b), len(s))
		}
	})
}

func FuzzTNEF(f *testing.F) {
	f.Add([]byte(seeds[7][len(seeds[7])-21:]), []byte(`{\rtf1\fromhtml1 {\*\htmltag64 <p>}x\htmlrtf y\htmlrtf0}`))
	f.Fuzz(func(t *testing.T, b, rtf []byte) {
		if m, ok := parseTNEF(b); ok {
			if s := m.piece().text; !utf8.ValidString(s) {
				t.Errorf("text %q", s)
			}
		}
		plain, ok := decompressRTF(b)
		if ok && len(plain) > maxRTF+32 {
			t.Errorf("%d bytes of RTF became %d", len(b), len(plain))
		}
		s, _ := rtfHTML(rtf)
		if !utf8.ValidString(s) || !utf8.ValidString(rtfToText(rtf)) {
			t.Errorf("RTF %q", rtf)
		}
		signedContent(b)
	})
}

func FuzzSubject(f *testing.F) {
	f.Add("Re: AW: [list] RE[2]: Fwd: x")
	f.Add("回复：[a]")
	f.Fuzz(func(t *testing.T, s string) {
		base, _ := NormalizeSubject(s)
		if again, reply := NormalizeSubject(base); again != base || reply {
			t.Errorf("%q: %q, then %q", s, base, again)
		}
	})
}

func FuzzSeparator(f *testing.F) {
	f.Add([]byte("From a@b Tue Nov 15 08:12:31 1994"))
	f.Add([]byte("From a@b Tue Nov 15 08:12:31 +0000 1994 remote from x"))
	f.Fuzz(func(t *testing.T, line []byte) {
		at, ok := ParseSeparatorDate(line)
		if ok && (at.IsZero() || !bytes.HasPrefix(bytes.TrimPrefix(line, []byte(">")), []byte("From "))) {
			t.Errorf("%q: %v", line, at)
		}
	})
}
