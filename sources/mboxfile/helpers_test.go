package mboxfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hsimport/sources"
)

// A letter is a mail to be written into a test's archive.
type letter struct {
	id, from, to, subject string
	at                    int // minutes after noon of 1 June 2020
	reply                 string
	refs                  []string
	extra                 string // further header lines
	body                  string
}

var noon = time.Date(2020, 6, 1, 12, 0, 0, 0, time.UTC)

// String is the mail as it goes over the wire, with LF.
func (l letter) String() string {
	var b strings.Builder
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	if l.from == "" {
		l.from = "cora@customer.example"
	}
	if l.to == "" {
		l.to = "help@team.example"
	}
	field("From", l.from)
	field("To", l.to)
	field("Subject", l.subject)
	field("Date", noon.Add(time.Duration(l.at)*time.Minute).Format(time.RFC1123Z))
	if l.id != "" {
		field("Message-ID", "<"+l.id+">")
	}
	if l.reply != "" {
		field("In-Reply-To", "<"+l.reply+">")
	}
	if len(l.refs) > 0 {
		field("References", "<"+strings.Join(l.refs, ">\n <")+">")
	}
	b.WriteString(l.extra)
	if l.body == "" {
		l.body = "text of " + l.id + "\n"
	}
	return b.String() + "\n" + l.body
}

// mbox writes mails as one mboxrd file.
func mbox(letters ...letter) string {
	var b strings.Builder
	for _, l := range letters {
		b.WriteString("From cora@customer.example Mon Jun  1 12:00:00 2020\n" + quote(l.String()) + "\n")
	}
	return b.String()
}

// quote is the mboxrd quoting of a mail's body.
func quote(mail string) string {
	lines := strings.SplitAfter(mail, "\n")
	for i, l := range lines {
		if strings.HasPrefix(strings.TrimLeft(l, ">"), "From ") {
			lines[i] = ">" + l
		}
	}
	return strings.Join(lines, "")
}

// tree writes files into a folder of the test and returns it.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// open opens one archive of the given content.
func open(t testing.TB, content string, change ...func(*Options)) *Source {
	t.Helper()
	return openFiles(t, map[string]string{"archive.mbox": content}, []string{"archive.mbox"}, change...)
}

// openFiles opens paths in a folder that holds files.
func openFiles(t testing.TB, files map[string]string, paths []string, change ...func(*Options)) *Source {
	t.Helper()
	dir := tree(t, files)
	opts := Options{Base: dir}
	for _, p := range paths {
		opts.Paths = append(opts.Paths, filepath.Join(dir, filepath.FromSlash(p)))
	}
	for _, c := range change {
		c(&opts)
	}
	src, err := Open(context.Background(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := src.Ledger().Check(); err != nil {
		t.Error(err)
	}
	wantSameFromFiles(t, src)
	return src
}

// wantSameFromFiles opens the same archive with hardly any memory for its index, and wants the same to come of it to the
// letter. So every fixture of these tests proves that an index in temporary files is the one in memory.
func wantSameFromFiles(t testing.TB, src *Source) {
	t.Helper()
	found := src.Ledger().Records.Found
	if src.opts.memory != 0 || found > 1000 {
		return
	}
	want := account(t, src)
	for _, memory := range []int{1, 2000} {
		if memory == 1 && found > 100 { // a run for every item of them takes its time
			continue
		}
		opts := src.opts
		opts.memory = memory
		spilled, err := Open(context.Background(), opts)
		if err != nil {
			t.Fatal(err)
		}
		if got := account(t, spilled); got != want {
			t.Errorf("with %d bytes of memory for a table of the index the archive becomes\n%s\nand else\n%s", memory, got, want)
		}
		if err := spilled.Close(); err != nil {
			t.Error(err)
		}
	}
}

// openError opens paths that cannot be opened.
func openError(t testing.TB, files map[string]string, path string, change ...func(*Options)) *sources.InputError {
	t.Helper()
	dir := tree(t, files)
	opts := Options{Base: dir, Paths: []string{filepath.Join(dir, filepath.FromSlash(path))}}
	for _, c := range change {
		c(&opts)
	}
	src, err := Open(context.Background(), opts)
	if err == nil {
		src.Close()
		t.Fatalf("%s was opened", path)
	}
	var ie *sources.InputError
	if !errors.As(err, &ie) {
		t.Fatalf("%v is no InputError", err)
	}
	return ie
}

func ticketAt(t testing.TB, src *Source, i int) *sources.Ticket {
	t.Helper()
	tk, err := src.Ticket(context.Background(), i)
	if err != nil {
		t.Fatal(err)
	}
	return tk
}

// groups lists the Message-IDs of each ticket, in the order of tickets and messages.
func groups(t testing.TB, src *Source) []string {
	t.Helper()
	var out []string
	for i := range src.Len() {
		var ids []string
		for _, m := range ticketAt(t, src, i).Messages {
			ids = append(ids, m.ID)
		}
		out = append(out, strings.Join(ids, " "))
	}
	return out
}

// wantGroups compares groups without regard to the order of the tickets.
func wantGroups(t testing.TB, src *Source, want ...string) {
	t.Helper()
	got := groups(t, src)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("tickets are\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// rendered is everything that a plan could depend on: tickets without their positions, with what their attachments
// hold.
func rendered(t testing.TB, src *Source) string {
	t.Helper()
	var b strings.Builder
	for i := range src.Len() {
		tk := ticketAt(t, src, i)
		if e := src.Entry(i); e.Key != tk.Key || !e.Created.Equal(tk.CreatedAt) || e.Messages != len(tk.Messages) {
			t.Errorf("entry %+v is not of ticket %s", e, tk.Key)
		}
		tk.Position = sources.Position{}
		tk.Problems = nil
		for _, m := range tk.Messages {
			m.Position = sources.Position{}
			m.Problems = nil
			for _, a := range m.Attachments {
				fmt.Fprintf(&b, "%s %s %d %s: %q\n", a.Name, a.MIMEType, a.Size, a.SHA256, read(t, a))
			}
			m.Attachments = nil
			fmt.Fprintf(&b, "%+v\n", *m)
		}
		tk.Messages = nil
		fmt.Fprintf(&b, "%+v\n", *tk)
	}
	return b.String()
}

func read(t testing.TB, a *sources.Attachment) string {
	t.Helper()
	r, err := a.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

// problem is the text of the first problem of the input with this code.
func problem(src *Source, code string) string {
	for _, p := range src.Ledger().Problems {
		if p.Code == code {
			return p.Position.String() + ": " + p.Text
		}
	}
	return ""
}
