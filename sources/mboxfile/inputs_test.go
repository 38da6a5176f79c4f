package mboxfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"hsimport/sources"
)

// labelsOf maps the Message-ID of every mail to its labels.
func labelsOf(t *testing.T, src *Source) map[string]string {
	t.Helper()
	out := map[string]string{}
	for i := range src.Len() {
		for _, m := range ticketAt(t, src, i).Messages {
			out[m.ID] = strings.Join(m.Labels, ",")
		}
	}
	return out
}

func wantLabels(t *testing.T, src *Source, want map[string]string) {
	t.Helper()
	if got := labelsOf(t, src); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("labels are\n%v\nwant\n%v", got, want)
	}
}

func one1(id string) string { return mbox(letter{id: id}) }

func single(id string) string { return letter{id: id}.String() }

func TestThunderbirdProfile(t *testing.T) {
	src := openFiles(t, map[string]string{
		"Mail/Inbox": one1("a@x"), "Mail/Inbox.msf": "// <!-- <mdb:mork:z v=\"1.4\"/> -->\n", "Mail/Inbox.sbd/Old": one1("b@x"),
		"Mail/Sent": one1("c@x"), "Mail/msgFilterRules.dat": "version=\"9\"\n", "Mail/Empty": "", "Mail/.hidden": one1("z@x"),
	}, []string{"Mail"})
	wantLabels(t, src, map[string]string{"a@x": "Inbox", "b@x": "Inbox/Old", "c@x": "Sent"})
	if problem(src, "file-empty") == "" {
		t.Error("the empty folder is not reported")
	}
}

func TestAppleMail(t *testing.T) {
	emlx := func(id string) string {
		m := single(id)
		return fmt.Sprintf("%-10d\n%s<?xml version=\"1.0\"?>\n<plist><dict/></plist>\n", len(m), m)
	}
	src := openFiles(t, map[string]string{
		"Sent.mbox/mbox": one1("a@x"), "Sent.mbox/table_of_contents": "\x00\x01\x02",
		"INBOX.mbox/Messages/1.emlx": emlx("b@x"), "INBOX.mbox/Messages/2.emlx": emlx("c@x"),
	}, []string{"Sent.mbox", "INBOX.mbox/Messages/1.emlx"})
	wantLabels(t, src, map[string]string{"a@x": "Sent", "b@x": ""})
	for _, f := range src.Ledger().Files {
		whole := sha256.Sum256([]byte(emlx("b@x")))
		if f.Encoding == "emlx" && f.SHA256 != hex.EncodeToString(whole[:]) {
			t.Errorf("the sum of %s is %s, want %x", f.Path, f.SHA256, whole)
		}
	}
	i, _ := src.Find("mid:b@x")
	if body := ticketAt(t, src, i).Messages[0].Body; strings.Contains(body, "plist") || !strings.Contains(body, "text of b@x") {
		t.Errorf("the mail of an .emlx has the text %q", body)
	}
}

func TestMaildir(t *testing.T) {
	src := openFiles(t, map[string]string{
		"Maildir/cur/1.host:2,S": single("a@x"), "Maildir/cur/2.host!2,FS": single("b@x"), "Maildir/new/3.host": single("c@x"),
		"Maildir/tmp/4.host": single("d@x"), "Maildir/cur/5.host:2,ST": single("e@x"), "Maildir/cur/6.host;2,DS": single("f@x"),
		"Maildir/.Sent.2020/cur/7.host:2,S": single("g@x"), "Maildir/dovecot-uidlist": "3 V1\n", "Maildir/cur/dovecot.index": "x",
		"Maildir/.Sent.2020/maildirfolder": "",
	}, []string{"Maildir"}, func(o *Options) { o.ExcludeLabels = []string{"Trash", "Drafts"} })
	wantLabels(t, src, map[string]string{"a@x": "Inbox", "b@x": "Inbox,Starred", "c@x": "Inbox,Unread", "g@x": "Sent/2020"})
}

func TestFolderNames(t *testing.T) {
	src := openFiles(t, map[string]string{
		"Takeout/Mail/All mail.mbox": mbox(letter{id: "a@x", extra: gmail("1", "Inbox", "VIP")}), "Takeout/Mail/Done.mbox.gz": gzipped(one1("b@x")),
		"Takeout/eml/c.eml": single("c@x"), "Takeout/readme.html": "<html></html>", "Takeout/list.csv": "a,b\n1,2\n",
	}, []string{"Takeout"})
	wantLabels(t, src, map[string]string{"a@x": "Inbox,VIP", "b@x": "Mail/Done", "c@x": "eml"})
	var passed []string
	for _, p := range src.Ledger().Problems {
		if p.Code == "file-passed-over" {
			passed = append(passed, p.Position.File)
		}
	}
	if !slices.Equal(passed, []string{"Takeout/list.csv", "Takeout/readme.html"}) {
		t.Errorf("passed over: %q", passed)
	}
}

func TestWrongInput(t *testing.T) {
	files := map[string]string{
		"t.csv": "id,subject\n1,x\n", "t.json": "{\"a\": 1}\n", "t.zip": "PK\x03\x04rest", "t.pst": "!BDNrest", "t.msg": "\xd0\xcf\x11\xe0rest",
		"t.tgz": gzipped(strings.Repeat("\x00", 257) + "ustar\x00" + strings.Repeat("\x00", 300)), "twice.gz": gzipped(gzipped("x")),
		"t.txt": "From here to eternity\nis a novel, not a mail.\n", "u16": "\xff\xfeF\x00", "dir/a.csv": "a,b\n1,2\n", "bad.gz": "\x1f\x8bnonsense",
		"empty/x": "",
	}
	for path, want := range map[string]string{
		"t.csv":    "it looks like a table (CSV)",
		"t.json":   "JSON",
		"t.zip":    "the archive is not whole",
		"t.pst":    "Outlook data file",
		"t.msg":    "Outlook message",
		"t.tgz":    "tar archive",
		"twice.gz": "compressed twice",
		"t.txt":    "plain text",
		"u16":      "UTF-16",
		"dir":      "no mail is in this folder",
		"nowhere":  "no such file",
		"no*.mbox": "no file fits",
		"bad.gz":   "compression cannot be read",
	} {
		ie := openError(t, files, path)
		if !strings.Contains(ie.Error(), want) {
			t.Errorf("%s: %q does not say %q", path, ie.Error(), want)
		}
		if strings.Contains(ie.Error(), os.TempDir()) {
			t.Errorf("%s: %q tells an absolute path", path, ie.Error())
		}
	}
	if ie := openError(t, files, "t.csv"); !strings.Contains(ie.Hint, "kind: csv") {
		t.Errorf("the hint for a CSV is %q", ie.Hint)
	}
	if ie := openError(t, files, "t.pst"); !strings.Contains(ie.Hint, "readpst") {
		t.Errorf("the hint for a .pst is %q", ie.Hint)
	}
	for key, change := range map[string]func(*Options){
		"quoting":   func(o *Options) { o.Quoting = "mboxx" },
		"thread_by": func(o *Options) { o.ThreadBy = "subject" },
		"time_zone": func(o *Options) { o.TimeZone = "Mars/Base" },
	} {
		if ie := openError(t, map[string]string{"a.mbox": one1("a@x")}, "a.mbox", change); !strings.Contains(ie.Error(), key) {
			t.Errorf("%s: %q does not name the key", key, ie.Error())
		}
	}
}

func TestEmptyFileIsReported(t *testing.T) {
	for _, content := range []string{"", "\n\n\n"} {
		src := open(t, content)
		if src.Len() != 0 || !strings.Contains(problem(src, "file-empty"), "archive.mbox") {
			t.Errorf("%q: %d tickets, reported %q", content, src.Len(), problem(src, "file-empty"))
		}
	}
}

func TestNamedTwice(t *testing.T) {
	src := openFiles(t, map[string]string{"a.mbox": one1("a@x")}, []string{"a.mbox", ".", "*.mbox"})
	if r := src.Ledger().Records; r.Found != 1 || problem(src, "file-named-twice") == "" {
		t.Errorf("records are %+v", r)
	}
}

func TestDamagedCompression(t *testing.T) {
	whole := gzipped(mbox(letter{id: "a@x", body: strings.Repeat("some text of a mail\n", 500)}, letter{id: "b@x"}))
	src := openFiles(t, map[string]string{"a.mbox.gz": whole[:len(whole)-12]}, []string{"a.mbox.gz"})
	if src.Len() == 0 || problem(src, "compression-damaged") == "" {
		t.Errorf("%d tickets, reported %q", src.Len(), problem(src, "compression-damaged"))
	}
}

// TestTemporaryFiles proves that decoded copies go away.
func TestTemporaryFiles(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	dir := tree(t, map[string]string{"a.mbox.gz": gzipped(one1("a@x")), "b.csv.gz": gzipped("a,b\n1,2\n")})
	src, err := Open(context.Background(), Options{Paths: []string{filepath.Join(dir, "a.mbox.gz")}})
	if err != nil {
		t.Fatal(err)
	}
	if l, _ := os.ReadDir(tmp); len(l) != 1 {
		t.Errorf("%d temporary files while open, want 1", len(l))
	}
	f := src.Ledger().Files[0]
	if f.Stored >= f.Size || f.Encoding != "gzip+mbox" || f.Sum() != f.Size {
		t.Errorf("the ledger says %+v", f)
	}
	if err := src.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Open(context.Background(), Options{Paths: []string{filepath.Join(dir, "b.csv.gz")}}); err == nil {
		t.Error("a compressed table was opened")
	}
	if l, _ := os.ReadDir(tmp); len(l) != 0 {
		t.Errorf("%d temporary files are left", len(l))
	}
}

func TestChangedFile(t *testing.T) {
	content := mbox(letter{id: "a@x", body: "the first text\n"}, letter{id: "b@x", at: 1, body: "the second text\n"})
	for name, change := range map[string]func(path string) error{
		"edited": func(p string) error {
			return os.WriteFile(p, []byte(strings.Replace(content, "second", "SECOND", 1)), 0o644)
		},
		"shortened":   func(p string) error { return os.Truncate(p, int64(len(content)-40)) },
		"removed":     os.Remove,
		"overwritten": func(p string) error { return os.WriteFile(p, []byte(strings.Repeat("x", len(content))), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t, map[string]string{"a.mbox": content})
			path := filepath.Join(dir, "a.mbox")
			src, err := Open(context.Background(), Options{Paths: []string{path}, Base: dir})
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			if err := change(path); err != nil {
				t.Fatal(err)
			}
			_, err = src.Ticket(context.Background(), 1)
			if !errors.Is(err, sources.ErrChanged) || !strings.Contains(err.Error(), "a.mbox@") {
				t.Errorf("reading a changed file says %v", err)
			}
			var re *sources.RecordError
			if errors.As(err, &re) {
				t.Error("a changed file must stop the run, not one record")
			}
		})
	}
	t.Run("appended", func(t *testing.T) {
		dir := tree(t, map[string]string{"a.mbox": content})
		path := filepath.Join(dir, "a.mbox")
		src, err := Open(context.Background(), Options{Paths: []string{path}})
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		if err := os.WriteFile(path, []byte(content+one1("c@x")), 0o644); err != nil {
			t.Fatal(err)
		}
		ticketAt(t, src, 1)
	})
}

// TestAttachmentsAreLazy proves that an attachment is read when it is opened, and that its bytes are still proved then.
func TestAttachmentsAreLazy(t *testing.T) {
	dir := tree(t, map[string]string{"a.mbox": crlf(mbox(withParts([]letter{{id: "a@x", body: attached}})...))})
	path := filepath.Join(dir, "a.mbox")
	src, err := Open(context.Background(), Options{Paths: []string{path}, Base: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	m := ticketAt(t, src, 0).Messages[0]
	if len(m.Attachments) != 1 || m.Attachments[0].Name != "list.csv" {
		t.Fatalf("attachments are %+v", m.Attachments)
	}
	if got := strings.TrimSpace(read(t, m.Attachments[0])); got != "a,b\nFrom 1,2" {
		t.Errorf("the attachment holds %q", got)
	}
	whole, _ := os.ReadFile(path)
	if err := os.WriteFile(path, []byte(strings.Replace(string(whole), "a,b", "c,d", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := m.Attachments[0].Open()
	if err == nil {
		_, err = io.ReadAll(r)
		r.Close()
	}
	if !errors.Is(err, sources.ErrChanged) {
		t.Errorf("an attachment of a changed mail says %v", err)
	}
}

func TestConcurrentTickets(t *testing.T) {
	var letters []letter
	for i := range 60 {
		letters = append(letters, letter{id: fmt.Sprintf("m%d@x", i), at: i, reply: fmt.Sprintf("m%d@x", i-i%3)})
	}
	src := open(t, mbox(letters...))
	want := rendered(t, src)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if got := rendered(t, src); got != want {
				t.Error("tickets read at the same time differ")
			}
		})
	}
	wg.Wait()
}

func TestOversizedMailInALedger(t *testing.T) {
	src := open(t, mbox(letter{id: "a@x"}, letter{id: "b@x", body: strings.Repeat("long\n", 10_000)}, letter{id: "c@x"}),
		func(o *Options) { o.MaxMessage = 4096 })
	wantGroups(t, src, "a@x", "c@x")
	l := src.Ledger()
	if l.Records.Unreadable != 1 || len(l.Refused) != 1 || !strings.Contains(l.Refused[0].Reason, "max_message") || l.Refused[0].Position.Offset == 0 {
		t.Errorf("refused: %+v", l.Refused)
	}
	if l.Files[0].Refused == 0 {
		t.Errorf("no byte is refused: %+v", l.Files[0])
	}
}

// TestSurvivesBatches proves that nothing is lost or reordered where batches end, and where a mail is too large for one.
func TestSurvivesBatches(t *testing.T) {
	var letters []letter
	for i := range 2600 {
		l := letter{id: fmt.Sprintf("m%d@x", i), at: i, subject: fmt.Sprint(i)}
		if i%900 == 5 {
			l.body = strings.Repeat("a large mail\n", 250_000)
		}
		letters = append(letters, l)
	}
	src := open(t, mbox(letters...))
	if src.Len() != len(letters) {
		t.Fatalf("%d tickets, want %d", src.Len(), len(letters))
	}
	for i := range letters {
		if e := src.Entry(i); e.Key != sources.Key(fmt.Sprintf("mid:m%d@x", i)) {
			t.Fatalf("ticket %d is %s", i, e.Key)
		}
	}
	if tk := ticketAt(t, src, 905); len(tk.Messages[0].Body) < 13*250_000-1 {
		t.Errorf("a large mail has %d bytes of text", len(tk.Messages[0].Body))
	}
}

func TestSurvey(t *testing.T) {
	letters := withParts(family())
	letters[2].extra += "X-Gmail-Labels: Inbox\n"
	for i := range 4 {
		letters = append(letters,
			letter{id: fmt.Sprintf("n%d@x", i), from: fmt.Sprintf("Person %d <p%d@customer.example>", i, i), at: 100 + i},
			letter{id: fmt.Sprintf("o%d@x", i), from: "ada@team.example", to: "p@customer.example", at: 200 + i, reply: fmt.Sprintf("n%d@x", i)})
	}
	dir := tree(t, map[string]string{"a.mbox": mbox(letters...), "b.mbox": ""})
	s, err := Survey(context.Background(), []string{dir}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if s.Format != "mbox" || s.Messages != 18 || s.Tickets != 12 || s.Attachments != 1 || s.Ledger.Attachments.Found != 1 {
		t.Errorf("survey counts %+v", s)
	}
	if len(s.Agents) == 0 || s.Agents[0] != (sources.Count{Value: "ada@team.example", N: 4}) {
		t.Errorf("agents are %+v", s.Agents)
	}
	if len(s.Domains) == 0 || s.Domains[0] != (sources.Count{Value: "team.example", N: 5}) {
		t.Errorf("domains are %+v", s.Domains)
	}
	if s.Senders[0] != (sources.Count{Value: "cora@customer.example", N: 9}) {
		t.Errorf("senders are %+v", s.Senders)
	}
	if len(s.Months) != 1 || s.Months[0] != (sources.Count{Value: "2020-06", N: 18}) || !s.First.Equal(noon) || !s.ZoneKnown {
		t.Errorf("months are %+v from %v, zone known %v", s.Months, s.First, s.ZoneKnown)
	}
	if len(s.Largest) != 1 || !strings.HasPrefix(s.Largest[0].What, "list.csv") {
		t.Errorf("the largest are %+v", s.Largest)
	}
	if !slices.ContainsFunc(s.Oddities, func(p sources.Problem) bool { return p.Code == "file-empty" }) {
		t.Errorf("the empty file is no oddity: %+v", s.Oddities)
	}
	again, err := Survey(context.Background(), []string{dir}, dir)
	if err != nil || fmt.Sprintf("%+v", *again.Ledger) != fmt.Sprintf("%+v", *s.Ledger) || fmt.Sprint(again.Findings, again.Oddities, again.Labels) != fmt.Sprint(s.Findings, s.Oddities, s.Labels) {
		t.Errorf("a second survey differs: %v", err)
	}
}
