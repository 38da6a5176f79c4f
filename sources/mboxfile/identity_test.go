package mboxfile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"hsimport/sources"
)

// family is an archive with something of everything that could depend on how it is stored.
func family() []letter {
	return []letter{
		{id: "q@x", subject: "Printer", body: "Hello\n\nFrom here it smokes.\n>From my desk\n>>From there\nbye\n"},
		{id: "r@x", subject: "Re: Printer", from: "help@team.example", to: "cora@customer.example", at: 1, reply: "q@x", refs: []string{"q@x"}},
		{id: "s@x", subject: "Re: Printer", at: 2, reply: "r@x", refs: []string{"q@x", "r@x"}, body: attached},
		{subject: "no id", at: 2, body: "From nobody\n"},
		{subject: "no id", at: 2, body: "From somebody\n"},
		{id: "same@x", subject: "A", at: 3},
		{id: "same@x", subject: "B", at: 4},
		{id: "t@x", subject: "=?utf-8?q?=C3=9Cber?=", at: 4, extra: gmail("99", "Inbox", "Wichtig")},
		{id: "u@x", subject: "blank lines at the end", at: 5, body: "text\n\n\n\n"},
		{id: "v@x", subject: "empty", at: 6, body: "\n"},
	}
}

const attached = `--b
Content-Type: text/plain

see attachment
--b
Content-Type: text/csv; name=list.csv
Content-Disposition: attachment; filename=list.csv

a,b
From 1,2
--b--
`

// withParts declares in their headers the letters that have parts.
func withParts(letters []letter) []letter {
	for i := range letters {
		if letters[i].body == attached {
			letters[i].extra = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n"
		}
	}
	return letters
}

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

func zstded(s string) string {
	w, _ := zstd.NewWriter(nil)
	return string(w.EncodeAll([]byte(s), nil))
}

// TestContentDecides proves that keys, tickets and the source's digest come from the mails alone: the same mails in any
// order, file, line end, quoting or compression give the same.
func TestContentDecides(t *testing.T) {
	letters := withParts(family())
	ref := open(t, mbox(letters...))
	want := rendered(t, ref)
	rest := mbox(letters[4:]...)
	shuffledLetters := slices.Clone(letters)
	rand.Shuffle(len(shuffledLetters), func(i, j int) {
		shuffledLetters[i], shuffledLetters[j] = shuffledLetters[j], shuffledLetters[i]
	})
	for _, c := range []struct {
		name  string
		files map[string]string
		paths []string
	}{
		{"shuffled", map[string]string{"archive.mbox": mbox(shuffledLetters...)}, []string{"archive.mbox"}},
		{"CRLF", map[string]string{"archive.mbox": crlf(mbox(letters...))}, []string{"archive.mbox"}},
		{"concatenated the other way", map[string]string{"archive.mbox": rest + mbox(letters[:4]...)}, []string{"archive.mbox"}},
		{"in two files of one name", map[string]string{"1/archive.mbox": mbox(letters[:3]...), "2/archive.mbox": mbox(letters[3:]...)}, []string{"2/archive.mbox", "1/archive.mbox"}},
		{"half of it CRLF", map[string]string{"archive.mbox": mbox(letters[:5]...) + crlf(mbox(letters[5:]...))}, []string{"archive.mbox"}},
		{"gzip", map[string]string{"archive.mbox.gz": gzipped(mbox(letters...))}, []string{"archive.mbox.gz"}},
		{"zstd", map[string]string{"archive.zst": zstded(mbox(letters...))}, []string{"archive.zst"}},
		{"twice the same", map[string]string{"archive.mbox": mbox(letters...), "b/archive.mbox": mbox(letters...)}, []string{"archive.mbox", "b/archive.mbox"}},
		{"without the last line end", map[string]string{"archive.mbox": strings.TrimRight(mbox(letters...), "\n")}, []string{"archive.mbox"}},
		{"by a glob", map[string]string{"1/archive.mbox": mbox(letters[:3]...), "2/archive.mbox": mbox(letters[3:]...)}, []string{"*/archive.mbox"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := openFiles(t, c.files, c.paths)
			if got := rendered(t, src); got != want {
				t.Errorf("tickets differ:\n%s", firstDifference(got, want))
			}
			if src.Digest() != ref.Digest() {
				t.Error("the source's digest differs")
			}
		})
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d is %s, want %s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b))
}

// TestSingleFiles proves that keys and digests are those of the mbox when each mail is a file of its own.
func TestSingleFiles(t *testing.T) {
	letters := withParts(family())
	keys := func(src *Source) string {
		var all []string
		for i := range src.Len() {
			tk := ticketAt(t, src, i)
			for _, m := range tk.Messages {
				all = append(all, fmt.Sprint(tk.Key, " ", m.Key, " ", m.Digest, " ", m.Body))
			}
		}
		return strings.Join(all, "\n")
	}
	ref := open(t, mbox(letters...))
	files := map[string]string{}
	for i, l := range letters {
		files[fmt.Sprintf("box/cur/%d.host:2,S", i)] = l.String()
		files[fmt.Sprintf("eml/%d.eml", i)] = crlf(l.String())
	}
	for _, path := range []string{"box", "eml"} {
		src := openFiles(t, files, []string{path})
		if got, want := keys(src), keys(ref); got != want {
			t.Errorf("%s: %s", path, firstDifference(got, want))
		}
		if src.Digest() != ref.Digest() {
			t.Errorf("%s: the source's digest differs", path)
		}
		if fl := src.Ledger().Files; len(fl) != 1 || !strings.Contains(fl[0].Path, "10 mails") {
			t.Errorf("%s: the files are listed as %+v, want one line for the folder", path, fl)
		}
	}
}

// TestDigestSeesContent proves that the digest changes with what matters.
func TestDigestSeesContent(t *testing.T) {
	base := letter{id: "a@x", subject: "S"}
	same := open(t, mbox(base)).Digest()
	for _, other := range []letter{
		{id: "a@x", subject: "S", body: "other\n"}, {id: "a@x", subject: "T"}, {id: "a@x", subject: "S", at: 1}, {id: "b@x", subject: "S"},
	} {
		if other.body == "" {
			other.body = "text of a@x\n"
		}
		if open(t, mbox(other)).Digest() == same {
			t.Errorf("%+v has the digest of another mail", other)
		}
	}
}

func TestQuoting(t *testing.T) {
	stored := sep + "From: a@x.example\nMessage-ID: <q@x>\n\n>From one\n>>From two\n> From three\nx >From four\n"
	for quoting, want := range map[string]string{
		"":       "From one\n>From two\n> From three\nx >From four",
		"mboxrd": "From one\n>From two\n> From three\nx >From four",
		"mboxo":  "From one\n>>From two\n> From three\nx >From four",
		"none":   ">From one\n>>From two\n> From three\nx >From four",
	} {
		src := open(t, stored, func(o *Options) { o.Quoting = quoting })
		if got := strings.TrimRight(ticketAt(t, src, 0).Messages[0].Body, "\n"); got != want {
			t.Errorf("quoting %q: the text is %q, want %q", quoting, got, want)
		}
		if noted := problem(src, "from-line-unquoted") != ""; noted != (quoting != "none") {
			t.Errorf("quoting %q: the unquoting was reported: %v", quoting, noted)
		}
	}
	src := openFiles(t, map[string]string{"a.eml": strings.TrimPrefix(stored, sep)}, []string{"a.eml"})
	if got := ticketAt(t, src, 0).Messages[0].Body; !strings.HasPrefix(got, ">From one") {
		t.Errorf("a single mail was unquoted: %q", got)
	}
}

func TestCopies(t *testing.T) {
	road := func(l letter, lines string) letter { l.extra += lines; return l }
	base := letter{id: "a@x", subject: "Hi", body: "Hello there\n"}
	sent := road(base, "Status: RO\n")
	inbox := road(base, "Received: from a by b; Mon, 1 Jun 2020 12:00:30 +0000\nDKIM-Signature: v=1\n")
	footer := letter{id: "a@x", subject: "[list] Hi", body: "Hello there\n\n_______________________________________________\nlist mailing list\n"}
	t.Run("another road", func(t *testing.T) {
		src := openFiles(t, map[string]string{"Sent": mbox(sent), "Inbox": mbox(inbox)}, []string{"Sent", "Inbox"})
		if r := src.Ledger().Records; r.Duplicates != 1 || r.Messages != 1 || src.Len() != 1 {
			t.Errorf("records are %+v", r)
		}
		m := ticketAt(t, src, 0).Messages[0]
		if !slices.Equal(m.Labels, []string{"Inbox", "Sent"}) {
			t.Errorf("labels are %q, want those of both copies", m.Labels)
		}
		if p := m.Problems[len(m.Problems)-1]; p.Code != "copy-merged" || !strings.Contains(p.Text, "Inbox") && !strings.Contains(p.Text, "Sent") {
			t.Errorf("the copy is reported as %+v", p)
		}
	})
	t.Run("a list's footer", func(t *testing.T) {
		src := open(t, mbox(footer, base))
		if src.Len() != 1 || src.Ledger().Records.Duplicates != 1 {
			t.Fatalf("records are %+v", src.Ledger().Records)
		}
		if m := ticketAt(t, src, 0).Messages[0]; strings.Contains(m.Body, "mailing list") {
			t.Errorf("the copy with the footer stands for both: %q", m.Body)
		}
	})
	t.Run("a robot with one id, one second, one subject", func(t *testing.T) {
		var letters []letter
		for i := range 5 {
			letters = append(letters, letter{id: "robot@x", subject: "Order", body: fmt.Sprintf("Order number %d\n", i)})
		}
		if src := open(t, mbox(letters...)); src.Ledger().Records.Messages != 5 || src.Ledger().Records.Duplicates != 0 {
			t.Errorf("orders were lost: %+v", src.Ledger().Records)
		}
	})
	t.Run("texts of another script", func(t *testing.T) {
		src := open(t, mbox(letter{id: "a@x", subject: "S", body: "Привет, заказ один\n"}, letter{id: "a@x", subject: "S", body: "Прощай, другой заказ\n"}))
		if src.Ledger().Records.Messages != 2 {
			t.Errorf("a mail was lost: %+v", src.Ledger().Records)
		}
	})
	t.Run("a longer text", func(t *testing.T) {
		src := open(t, mbox(base, letter{id: "a@x", subject: "Hi", body: "Hello there\nand one thing more\n"}))
		if src.Ledger().Records.Messages != 2 {
			t.Errorf("a mail was lost: %+v", src.Ledger().Records)
		}
	})
	t.Run("no id", func(t *testing.T) {
		src := open(t, mbox(letter{subject: "S", body: "x\n"}, letter{subject: "S", body: "y\n"}, letter{subject: "S", body: "x\n"}))
		if r := src.Ledger().Records; r.Messages != 2 || r.Duplicates != 1 {
			t.Errorf("records are %+v, want two messages and a duplicate", r)
		}
	})
}

func TestExclusion(t *testing.T) {
	letters := []letter{
		{id: "a@x", extra: gmail("1", "Inbox")},
		{id: "b@x", extra: gmail("2", "Inbox", "=?UTF-8?Q?Entw=C3=BCrfe?=")},
		{id: "c@x", extra: gmail("3", "SPAM")},
		{id: "d@x", extra: "X-Mozilla-Status: 0009\n"},
		{id: "e@x", extra: "X-Mozilla-Status: 0000\n"},
		{id: "f@x", at: 60},
		{id: "g@x", extra: gmail("4", "Old/Trash")},
		{id: "h@x", at: 59, extra: gmail("5", "Trash talk")},
	}
	src := open(t, mbox(letters...), func(o *Options) {
		o.ExcludeLabels = []string{"Spam", "Trash", "Drafts"}
		o.Until = noon.Add(3600e9)
	})
	wantGroups(t, src, "a@x", "e@x", "h@x")
	r := src.Ledger().Records
	want := map[string]int{"label Drafts": 1, "label Spam": 1, "label Trash": 1, "expunged": 1, "after cut-over": 1}
	if fmt.Sprint(r.ExcludedBy) != fmt.Sprint(want) || r.Excluded != 5 || r.Found != 8 || r.Messages != 3 {
		t.Errorf("records are %+v, want excluded by %v", r, want)
	}
	classes := map[string]sources.UseClass{}
	for _, u := range src.Ledger().Labels {
		classes[u.Name] = u.Class
	}
	if classes["SPAM"] != sources.Ignored || classes["Entwürfe"] != sources.Ignored || classes["Inbox"] != sources.NotCarried || classes["Unread"] != sources.NotCarried {
		t.Errorf("labels are in the classes %v", classes)
	}
}

// TestCopyInTrash proves that throwing one copy away does not lose the other.
func TestCopyInTrash(t *testing.T) {
	files := map[string]string{"Inbox": mbox(letter{id: "a@x"}), "Trash": mbox(letter{id: "a@x"}, letter{id: "b@x"})}
	src := openFiles(t, files, []string{"Trash", "Inbox"}, func(o *Options) { o.ExcludeLabels = []string{"trash"} })
	wantGroups(t, src, "a@x")
	if r := src.Ledger().Records; r.Excluded != 2 || r.Messages != 1 || r.Duplicates != 0 {
		t.Errorf("records are %+v", r)
	}
}
