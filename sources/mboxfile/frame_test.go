package mboxfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// cut frames data as a file of its own and returns the mails.
func cut(t testing.TB, data string, change func(*framer)) ([]frame, *framer) {
	t.Helper()
	f := newFramer(strings.NewReader(data), int64(len(data)), 1<<30)
	trusted, err := vote(strings.NewReader(data), int64(len(data)), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	f.trusted = trusted
	if change != nil {
		change(f)
	}
	var out []frame
	for {
		fr, err := f.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		fr.raw = bytes.Clone(fr.raw)
		out = append(out, fr)
	}
	if sum := f.tally.sum(); sum != int64(len(data)) {
		t.Errorf("%d bytes accounted for, the file has %d: %+v", sum, len(data), f.tally)
	}
	return out, f
}

// sum is used by tests only: the ledger adds its own copy of the classes.
func (t tally) sum() int64 {
	return t.message + t.separator + t.preamble + t.blank + t.refused + t.truncated
}

const (
	sep  = "From ann@example.org Mon Jun  1 10:00:00 2009\n"
	one  = "From: ann@example.org\nSubject: one\n\nfirst\n"
	two  = "From: bob@example.org\nSubject: two\n\nsecond\n"
	gone = "From 1844347792267117879@xxx\n"
)

func TestFraming(t *testing.T) {
	sha := strings.Repeat("0123456789", 4)
	for _, c := range []struct {
		name, data string
		want       []string
	}{
		{"two mails", sep + one + "\n" + sep + two, []string{one, two}},
		{"no line end at the end", sep + one + "\n" + sep + strings.TrimSuffix(two, "\n"), []string{one, strings.TrimSuffix(two, "\n")}},
		{"CRLF", crlf(sep + one + "\n" + sep + two), []string{crlf(one), crlf(two)}},
		{"mixed line ends", crlf(sep+one+"\n") + sep + two, []string{crlf(one), two}},
		{"no blank line before a separator", sep + one + sep + two, []string{one, two}},
		{"several blank lines", "\n\n" + sep + one + "\n\n\n\n" + sep + two + "\n\n", []string{one, two}},
		{"byte order mark", "\xef\xbb\xbf" + sep + one, []string{one}},
		{"garbage before the first mail", "some notes\nof mine\n\n" + sep + one, []string{one}},
		{"first mail lost its separator", one + "\n" + sep + two, []string{one, two}},
		{"bare separator", "From -\n" + one + "\nFrom -\n" + two, []string{one, two}},
		{"bare separator with a blank, no blank line", "From - \n" + one + "From - \n" + two, []string{one, two}},
		{"bare From", "From \n" + one + "\nFrom \n" + two, []string{one, two}},
		{"Takeout without a date", gone + one + "\n" + gone + two, []string{one, two}},
		{"zone before the year", "From 1@xxx Thu Apr 16 09:53:04 +0000 2015\n" + one + "\nFrom 2@xxx Thu Apr 16 09:53:04 +0000 2015\n" + two, []string{one, two}},
		{"pipermail", "From ann at example.org  Wed Jan  2 17:33:51 2002\n" + one + "\nFrom bob at example.org  Wed Jan  2 17:33:51 2002\n" + two, []string{one, two}},
		{"mail without a header", sep + "\njust text\n\n" + sep + two, []string{"\njust text\n", two}},
		{"older envelope line", sep + ">From ann@example.org Mon Jun  1 09:00:00 2009 remote from hub\n" + one, []string{">From ann@example.org Mon Jun  1 09:00:00 2009 remote from hub\n" + one}},
		{"damaged first field", sep + one + "\n" + sep + "\x00\x01\n" + two, []string{one, "\x00\x01\n" + two}},
		{"prose", sep + one + "\nFrom Russia with love\nI send you this.\n", []string{one + "\nFrom Russia with love\nI send you this.\n"}},
		{"prose that goes on like a field", sep + one + "\nFrom Russia with love\nYear: 1963\n", []string{one + "\nFrom Russia with love\nYear: 1963\n"}},
		{"prose, a pasted header after it", sep + one + "\nFrom the archive\nTo: ann\nSubject: old\n", []string{one + "\nFrom the archive\nTo: ann\nSubject: old\n"}},
		{"quoted separator in the text", sep + one + "\nFrom bob@example.org Mon Jun  1 10:00:00 2009\nsaid hello.\n", []string{one + "\nFrom bob@example.org Mon Jun  1 10:00:00 2009\nsaid hello.\n"}},
		{"git patch in the text", sep + one + "\nFrom " + sha + " Mon Sep 17 00:00:00 2001\nFrom: bob\nSubject: [PATCH]\n\ndiff\n", []string{one + "\nFrom " + sha + " Mon Sep 17 00:00:00 2001\nFrom: bob\nSubject: [PATCH]\n\ndiff\n"}},
		{"file of git patches", "From " + sha + " Mon Sep 17 00:00:00 2001\n" + one + "\nFrom " + sha + " Mon Sep 17 00:00:00 2001\n" + two, []string{one, two}},
		{"separator without a mail", sep + sep + one, []string{one}},
		{"separator cut off at the end", sep + one + "\n" + sep, []string{one}},
		{"only half a separator", "From ann@example.org Mon Ju", nil},
		{"empty", "", nil},
		{"blank lines only", "\n\n\r\n", nil},
		{"NULs", sep + one + "\x00\x00\n\n" + sep + two, []string{one + "\x00\x00\n", two}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _ := cut(t, c.data, nil)
			if len(got) != len(c.want) {
				t.Fatalf("%d mails, want %d: %s", len(got), len(c.want), show(got))
			}
			for i := range got {
				if string(got[i].raw) != c.want[i] {
					t.Errorf("mail %d is %q, want %q", i, got[i].raw, c.want[i])
				}
			}
		})
	}
}

func show(frames []frame) string {
	var b strings.Builder
	for _, f := range frames {
		fmt.Fprintf(&b, "%q ", f.raw)
	}
	return b.String()
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func TestFramingClasses(t *testing.T) {
	data := "\xef\xbb\xbf\n" + sep + one + "\n\n" + sep + sep + two + "\n" + sep
	_, f := cut(t, data, nil)
	want := tally{
		message: int64(len(one) + len(two)), separator: int64(3 * len(sep)), preamble: 3, blank: 4, truncated: int64(len(sep)),
	}
	if f.tally != want {
		t.Errorf("classes are %+v, want %+v", f.tally, want)
	}
	if f.odd.empty.n != 1 || f.odd.empty.first != int64(4+len(sep)+len(one)+2) {
		t.Errorf("the separator without a mail was seen as %+v", f.odd.empty)
	}
}

// length is a mail whose Content-Length is off by d.
func length(subject, body string, d int) string {
	return fmt.Sprintf("From: ann@example.org\nSubject: %s\nContent-Length: %d\n\n%s", subject, len(body)+d, body)
}

func TestContentLength(t *testing.T) {
	quoting := "see below\n\n" + sep + "From: bob@example.org\nSubject: inner\n\nunquoted\n"
	a, b := length("a", quoting, 0), length("b", "short\n", 0)
	t.Run("true fields are followed", func(t *testing.T) {
		got, f := cut(t, sep+a+"\n"+sep+b, nil)
		if len(got) != 2 || string(got[0].raw) != a || f.odd.skipped.n != 1 {
			t.Errorf("want the inner mail as text of the first: %s", show(got))
		}
	})
	t.Run("true fields, no blank line between mails", func(t *testing.T) {
		got, _ := cut(t, sep+a+sep+b, nil)
		if len(got) != 2 || string(got[0].raw) != a {
			t.Errorf("want the inner mail as text of the first: %s", show(got))
		}
	})
	t.Run("false fields are not", func(t *testing.T) {
		got, f := cut(t, sep+length("a", "x\n", 3)+"\n"+sep+length("b", "y\n", -1)+"\n"+sep+b, nil)
		if len(got) != 3 || f.trusted {
			t.Errorf("want three mails and no trust: %s", show(got))
		}
	})
	t.Run("a field left over from the road swallows nothing", func(t *testing.T) {
		rest := ""
		for i := range 20 {
			rest += "\n" + sep + fmt.Sprintf("From: bob@example.org\nSubject: %d\n\ntext\n", i)
		}
		greedy := fmt.Sprintf("From: eve@example.org\nContent-Length: %d\n\n", len("body\n")+len(rest))
		got, _ := cut(t, sep+greedy+"body\n"+rest, nil)
		if len(got) != 21 {
			t.Errorf("%d mails, want 21", len(got))
		}
	})
	t.Run("a field that points to a mail with a field of its own", func(t *testing.T) {
		far := length("a", "x\n", len("\n"+sep+b))
		got, _ := cut(t, sep+far+"\n"+sep+b+"\n"+sep+b, nil)
		if len(got) != 3 {
			t.Errorf("%d mails, want 3: %s", len(got), show(got))
		}
	})
}

func TestOversizedMailIsRefused(t *testing.T) {
	huge := "From: eve@example.org\nSubject: huge\n\n" + strings.Repeat(strings.Repeat("x", 70)+"\n", 200_000)
	got, f := cut(t, sep+one+"\n"+sep+huge+"\n"+sep+two, func(f *framer) { f.maxMessage = 1 << 20 })
	if len(got) != 3 || got[1].refuse == "" || got[1].raw != nil || string(got[2].raw) != two {
		t.Fatalf("want the middle mail refused and the others whole: %s", show(got))
	}
	if f.tally.refused != int64(len(huge)) || got[1].size != int64(len(huge)) {
		t.Errorf("%d bytes refused, the mail has %d", f.tally.refused, len(huge))
	}
	if c := cap(f.w.buf); c > 8<<20 {
		t.Errorf("the window grew to %d bytes for a mail that is refused", c)
	}
}

func TestOneEndlessLine(t *testing.T) {
	long := "From: eve@example.org\n\n" + strings.Repeat("From me ", 1<<20) + "\n"
	got, _ := cut(t, sep+long+"\n"+sep+two, nil)
	if len(got) != 2 || string(got[0].raw) != long {
		t.Errorf("a line of 8 MB was not kept whole")
	}
}

// TestWindow proves that it does not matter where reads end.
func TestWindow(t *testing.T) {
	var b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&b, "%sFrom: a%d@example.org\nSubject: %d\n\n%s\n>From here\nFrom there\n\n", sep, i, i, strings.Repeat("text ", i%977))
	}
	data := b.String()
	want, f := cut(t, data, nil)
	got, g := cut(t, data, func(f *framer) { f.w.room, f.w.read = 100, 37 })
	if len(want) != 3000 || len(got) != len(want) {
		t.Fatalf("%d and %d mails, want 3000", len(want), len(got))
	}
	for i := range want {
		if !bytes.Equal(got[i].raw, want[i].raw) {
			t.Fatalf("mail %d differs with small reads", i)
		}
	}
	if f.odd != g.odd || f.odd.quoted.n != 3000 || f.odd.fromInBody.n != 3000 {
		t.Errorf("noticed %+v, with small reads %+v", f.odd, g.odd)
	}
}

func FuzzFramer(f *testing.F) {
	for _, s := range []string{
		sep + one + "\n" + sep + two, crlf(sep + one), one, "From -\n" + one + "\nFrom -\n" + two, "\xef\xbb\xbf\n\n" + sep,
		sep + length("a", "b\n", 0) + sep + length("b", "c", 0), gone + one + "\r\n" + gone + "\r\r\n" + two, "From \nFrom \nTo: \n\n",
		sep + "\n\n\n" + sep + ">From x\n>>From y\n", "x\n\n" + sep + one,
	} {
		f.Add([]byte(s), uint16(0), false)
		f.Add([]byte(s), uint16(90), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, most uint16, small bool) {
		frames, fr := cut(t, string(data), func(f *framer) {
			if most > 0 {
				f.maxMessage = int64(most)
			}
			if small {
				f.w.room, f.w.read = 16, 1
			}
		})
		checkFrames(t, data, frames, fr)
	})
}

// checkFrames proves that separators, mails and the gaps between them are the file.
func checkFrames(t *testing.T, data []byte, frames []frame, fr *framer) {
	t.Helper()
	pos := int64(0)
	var message, refused int64
	for i, m := range frames {
		if m.sepOff < pos || m.off < m.sepOff || m.size < 1 || m.off+m.size > int64(len(data)) {
			t.Fatalf("mail %d is out of place: %+v", i, m)
		}
		if gap := data[pos:m.sepOff]; i > 0 && fr.odd.empty.n == 0 && len(bytes.Trim(gap, "\r\n")) > 0 {
			t.Errorf("lost before mail %d: %q", i, gap)
		}
		if m.sep != nil && !bytes.HasPrefix(data[m.sepOff:], m.sep) {
			t.Errorf("separator %d is %q, the file has %q", i, m.sep, data[m.sepOff:m.off])
		}
		if m.refuse == "" {
			message += m.size
			if !bytes.Equal(m.raw, data[m.off:m.off+m.size]) {
				t.Errorf("mail %d is not what the file has at its place", i)
			}
		} else {
			refused += m.size
		}
		pos = m.off + m.size
	}
	if message != fr.tally.message || refused != fr.tally.refused {
		t.Errorf("mails of %d and %d bytes, the ledger says %+v", message, refused, fr.tally)
	}
}

func BenchmarkFramer(b *testing.B) {
	mail := sep + one + strings.Repeat("a line of text as people write it, with From in the middle of it\n", 60) + "\n"
	data := strings.Repeat(mail, 4000)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		f := newFramer(strings.NewReader(data), int64(len(data)), 1<<30)
		for {
			if _, err := f.next(); err != nil {
				break
			}
		}
	}
}

// TestCutInTheMiddle: a file that ends within its last mail says so, and the mail comes as far as it goes.
func TestCutInTheMiddle(t *testing.T) {
	const parts = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=xx\n"
	whole := mbox(letter{id: "1", subject: "first"}, letter{id: "2", subject: "second", extra: parts, body: "--xx\n\nThe whole text.\n\n--xx\nContent-Type: application/octet-stream; name=a.bin\nContent-Transfer-Encoding: base64\n\n" + strings.Repeat("QUJDREVGR0hJSktM\n", 40) + "--xx--\n"})
	if p := problem(open(t, whole), "truncated"); p != "" {
		t.Errorf("a whole file: %s", p)
	}
	src := open(t, whole[:len(whole)-300])
	if p := problem(src, "truncated"); !strings.Contains(p, "within its last mail") {
		t.Errorf("a file cut in an attachment: %q", p)
	}
	l := src.Ledger()
	if l.Records.Messages != 2 || l.Files[0].Truncated != 0 {
		t.Errorf("records %+v, %d bytes truncated", l.Records, l.Files[0].Truncated)
	}
	for i := range src.Len() {
		if m := ticketAt(t, src, i).Messages[0]; m.ID == "2" && (!strings.Contains(m.Body, "The whole text.") || len(m.Attachments) != 1 || m.Attachments[0].Size == 0) {
			t.Errorf("%q with %d attachments", m.Body, len(m.Attachments))
		}
	}
	cut := strings.Index(whole, "Subject: second")
	if p := problem(open(t, whole[:cut+11]), "truncated"); !strings.Contains(p, "its header breaks off") {
		t.Errorf("a file cut in a header: %q", p)
	}
}
