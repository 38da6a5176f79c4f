package mail

import (
	"strings"
	"testing"
)

func TestHeaderText(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "Hello there", "Hello there"},
		{"folded", "Hello\r\n there", "Hello there"},
		{"Q", "=?utf-8?Q?Gr=C3=BC=C3=9Fe_an_alle?=", "Grüße an alle"},
		{"B", "=?UTF-8?B?R3LDvMOfZQ==?=", "Grüße"},
		{"B without padding", "=?UTF-8?B?R3LDvMOfZQ?=", "Grüße"},
		{"blank between words vanishes", "=?utf-8?Q?a?= =?utf-8?Q?b?=\r\n =?utf-8?Q?c?= d", "abc d"},
		{"character cut in two", "=?utf-8?Q?Gr=C3?= =?utf-8?Q?=BC=C3?=\r\n =?utf-8?B?n2U=?=", "Grüße"},
		{"gb2312 cut in two", "=?gb2312?B?1tA=?= =?gb2312?B?ufo=?=", "中国"},
		{"iso-2022-jp, each word on its own", "=?iso-2022-jp?B?GyRCJUYlOSVIGyhC?= =?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=", "テストテスト"},
		{"koi8-r", "=?koi8-r?B?8NLJ18XU?=", "Привет"},
		{"windows-1252 as latin1", "=?iso-8859-1?Q?=80uro?=", "€uro"},
		{"blanks in the word", "=?utf-8?Q?a b c?= d", "a b c d"},
		{"no end", "=?utf-8?Q?Gr=C3=BC=C3=9Fe", "Grüße"},
		{"question mark before an escape", "=?utf-8?Q?what?=3F?=", "what??"},
		{"language", "=?utf-8*de?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"},
		{"not a word", "=?x? a =? b", "=?x? a =? b"},
		{"raw UTF-8", "Grüße", "Grüße"},
		{"raw latin1", "Gr\xfc\xdfe", "Grüße"},
		{"raw beside words", "Gr\xfc\xdfe =?utf-8?Q?=C3=BC?=", "Grüße ü"},
		{"unknown charset", "=?x-what?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"},
		{"utf-7", "=?utf-7?Q?Gr+APwA3w-e?=", "Grüße"},
		{"controls", "a\x00b\tc", "ab c"},
	} {
		if got := (&decoder{}).text([]byte(c.in)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestRawSubjectInTheCharsetOfTheText(t *testing.T) {
	m := read([]byte("From: a@b.c\nSubject: \xf0\xd2\xc9\xd7\xc5\xd4\nContent-Type: text/plain; charset=koi8-r\n\n\xf0\xd2\xc9\xd7\xc5\xd4\n"), nil, Options{})
	if m.Subject != "Привет" || m.Body != "Привет\n" {
		t.Errorf("subject %q, body %q", m.Subject, m.Body)
	}
	if !hasCode(m.Problems, "header-charset-guessed") {
		t.Errorf("problems %v", m.Problems)
	}
}

func TestFileNames(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"quoted", `attachment; filename="a b.pdf"`, "a b.pdf"},
		{"bare with blanks", `attachment; filename=a b (1).pdf; size=3`, "a b (1).pdf"},
		{"RFC 2231", `attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.pdf`, "Grüße.pdf"},
		{"RFC 2231 latin1", `attachment; filename*=iso-8859-1'de'Gr%FC%DFe.pdf`, "Grüße.pdf"},
		{"continued, out of order", `attachment; filename*1*=%C3%9Fe; filename*2=".pdf"; filename*0*=utf-8''Gr%C3%BC`, "Grüße.pdf"},
		{"continued, character cut", `attachment; filename*0*=utf-8''Gr%C3; filename*1*=%BC.pdf`, "Grü.pdf"},
		{"continued plain", `attachment; filename*0="long "; filename*1="name.pdf"`, "long name.pdf"},
		{"extended wins", `attachment; filename="Gr__e.pdf"; filename*=utf-8''Gr%C3%BC%C3%9Fe.pdf`, "Grüße.pdf"},
		{"RFC 2047 in quotes", `attachment; filename="=?utf-8?Q?Gr=C3=BC=C3=9Fe.pdf?="`, "Grüße.pdf"},
		{"RFC 2047 bare", `attachment; filename==?utf-8?B?R3LDvMOfZS5wZGY=?=`, "Grüße.pdf"},
		{"RFC 2047 in pieces", "attachment; filename=\"=?utf-8?Q?Gr=C3?=\n =?utf-8?Q?=BC.pdf?=\"", "Grü.pdf"},
		{"raw latin1", "attachment; filename=\"Gr\xfc\xdfe.pdf\"", "Grüße.pdf"},
		{"Windows path", `attachment; filename="C:\docs\new.pdf"`, "new.pdf"},
		{"path", `attachment; filename="../../etc/passwd"`, "passwd"},
		{"escaped quote", `attachment; filename="a \"b\".pdf"`, `a "b".pdf`},
		{"unclosed quote", `attachment; filename="a.pdf; size=3`, "a.pdf"},
		{"hidden direction", "attachment; filename=\"a\u202efdp.exe\"", "afdp.exe"},
		{"nothing but dots", `attachment; filename=".."`, "attachment-1.pdf"},
		{"single quotes", `attachment; filename='a b.pdf'`, "a b.pdf"},
		{"too long", `attachment; filename="` + strings.Repeat("ü", 200) + `.pdf"`, strings.Repeat("ü", 125) + ".pdf"},
		{"none", `attachment`, "attachment-1.pdf"},
	} {
		m := read([]byte(simple+"Content-Type: application/pdf\nContent-Disposition: "+c.in+"\n\n%PDF"), nil, Options{})
		if len(m.Attachments) != 1 || m.Attachments[0].Name != c.want {
			t.Errorf("%s: %+v, want %q", c.name, m.Attachments, c.want)
			continue
		}
		checkFile(t, m.Attachments[0])
	}
}
