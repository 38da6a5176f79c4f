package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hsimport/configs"
	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
)

// An office is a folder with a configuration, and an account of its own.
type office struct {
	t   *testing.T
	dir string
	acc *account
}

const mailConfig = `version: 1
source:
  kind: mbox
  paths: [PATHS]
  mbox: {thread_by: references}
UNTIL
helpscout: {mailbox: Support}
mapping:
  mailbox_addresses: [help@support.example]
  agent_domains: [support.example]
  fallback_user: ada@support.example
  default_status: closed
run: {settle: 1s}
checkpoint: import.db
`

func newOffice(t *testing.T) *office {
	t.Helper()
	acc, err := newAccount(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(acc.close)
	return &office{t: t, dir: t.TempDir(), acc: acc}
}

func (o *office) write(name, text string) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, name), []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// mails says which archives are imported, and from which moment on mail came by itself.
func (o *office) mails(until string, paths ...string) {
	if until != "" {
		until = "  until: " + until
	}
	o.write("import.yaml", strings.NewReplacer("PATHS", strings.Join(paths, ", "), "UNTIL", until).Replace(mailConfig))
}

// run runs and returns the summary; the exit code has to be the one that is wanted.
func (o *office) run(code int, args ...string) importer.Summary {
	o.t.Helper()
	var out, said bytes.Buffer
	env := &environment{in: strings.NewReader(""), out: &out, err: &said, lookup: func(name string) (string, bool) {
		return o.acc.server.URL, name == configs.BaseURLVariable
	}}
	args = append([]string{"run", "-c", filepath.Join(o.dir, "import.yaml"), "--json"}, args...)
	if got := run(o.t.Context(), args, env); got != code {
		o.t.Fatalf("%v: exit %d, want %d\n%s%s", args, got, code, out.String(), said.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var s importer.Summary
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &s); err != nil || !s.Balanced {
		o.t.Fatalf("summary %s: %v", lines[len(lines)-1], err)
	}
	return s
}

// held counts the live conversations and their threads.
func (o *office) held() (conversations, threads int) {
	for c := range o.acc.box.Conversations() {
		if c.Live() {
			conversations++
			threads += len(c.Threads)
		}
	}
	return conversations, threads
}

var mailEpoch = time.Date(2024, 5, 6, 8, 0, 0, 0, time.UTC)

// aMail is one mail of thread n, the k-th in it; odd ones are answers of the team.
func aMail(n, k int, at time.Time) string {
	from, to := fmt.Sprintf("Customer %d <c%d@customers.example>", n, n), "help@support.example"
	if k%2 == 1 {
		from, to = "Ada <ada@support.example>", fmt.Sprintf("c%d@customers.example", n)
	}
	refs := ""
	for i := range k {
		refs += fmt.Sprintf(" <%d.%d@mail.example>", n, i)
	}
	if refs != "" {
		refs = fmt.Sprintf("In-Reply-To: <%d.%d@mail.example>\nReferences:%s\n", n, k-1, refs)
	}
	return fmt.Sprintf("From x@y %s\nMessage-ID: <%d.%d@mail.example>\nFrom: %s\nTo: %s\nSubject: Question %d\nDate: %s\n%s\nmail %d of thread %d\n\n",
		at.Format(time.ANSIC), n, k, from, to, n, at.Format(time.RFC1123Z), refs, k, n)
}

// TestInboxThenSent: the inbox first, a week later the inbox and what was sent: every answer goes to its thread, and no
// thread is there twice, whatever mail of it comes first now.
func TestInboxThenSent(t *testing.T) {
	o := newOffice(t)
	var inbox, sent strings.Builder
	for n := range 30 {
		at := mailEpoch.Add(time.Duration(n) * time.Hour)
		if n%3 == 0 { // it began with a mail of the team
			sent.WriteString(aMail(n, 1, at.Add(10*time.Minute)))
			inbox.WriteString(aMail(n, 2, at.Add(20*time.Minute)))
			continue
		}
		inbox.WriteString(aMail(n, 0, at))
		sent.WriteString(aMail(n, 1, at.Add(10*time.Minute)))
		inbox.WriteString(aMail(n, 2, at.Add(20*time.Minute)))
	}
	o.write("inbox.mbox", inbox.String())
	o.write("sent.mbox", sent.String())
	o.mails("", "inbox.mbox")
	if s := o.run(importer.ExitOK); s.Conversations.Created != 30 {
		t.Fatalf("%+v", s.Conversations)
	}
	o.mails("", "inbox.mbox", "sent.mbox")
	if s := o.run(importer.ExitOK); s.Conversations.Created != 0 || s.Threads.Appended != 30 {
		t.Errorf("%+v, %+v", s.Conversations, s.Threads)
	}
	o.mails("", "sent.mbox") // and the other way round: only the new archive
	if s := o.run(importer.ExitOK); s.Conversations.Created != 0 || s.Threads.Appended != 30 {
		t.Errorf("sent alone: %+v, %+v", s.Conversations, s.Threads)
	}
	if c, n := o.held(); c != 30 || n != 80 {
		t.Errorf("%d conversations with %d threads, want 30 with 80", c, n)
	}
}

// TestBehindUntil: after the cut-over forty mails reached Help Scout by themselves, and a newer archive has them too: none
// is imported, neither as a ticket nor as a message of an old thread.
func TestBehindUntil(t *testing.T) {
	o := newOffice(t)
	cut := mailEpoch.Add(24 * time.Hour)
	var old, newer strings.Builder
	for n := range 20 {
		old.WriteString(aMail(n, 0, mailEpoch.Add(time.Duration(n)*time.Minute)))
	}
	newer.WriteString(old.String())
	for n := range 40 {
		at := cut.Add(time.Duration(n) * time.Minute)
		k := 0
		if n < 20 {
			k = 2 // of an old thread
		}
		newer.WriteString(aMail(n, k, at))
		native := sandbox.Native{Email: fmt.Sprintf("c%d@customers.example", n), Subject: fmt.Sprintf("Question %d", n), Text: fmt.Sprintf("mail %d of thread %d", k, n), CreatedAt: at}
		if _, err := o.acc.box.AddNative(native); err != nil {
			t.Fatal(err)
		}
	}
	o.write("all.mbox", old.String())
	o.mails(cut.Format(time.RFC3339), "all.mbox")
	o.run(importer.ExitOK)
	o.write("all.mbox", newer.String())
	s := o.run(importer.ExitOK)
	if s.Conversations.Created != 0 || s.Threads.Appended != 0 || s.Source.Excluded != 40 {
		t.Errorf("%+v, %+v, %+v", s.Conversations, s.Threads, s.Source)
	}
	if c, n := o.held(); c != 60 || n != 60 {
		t.Errorf("%d conversations with %d threads, want 60 with 60", c, n)
	}
}

// TestRedoChangedAgents: twenty were sent, then somebody notices that the agents table is wrong: the run stops until it is
// told what to do, and then there are twenty right ones, none twice.
func TestRedoChangedAgents(t *testing.T) {
	o := newOffice(t)
	var rows strings.Builder
	rows.WriteString("id,subject,status,customer,opened,message,author,body,at\n")
	for n := range 20 {
		at := mailEpoch.Add(time.Duration(n) * time.Hour)
		for k, author := range []string{fmt.Sprintf("c%d@customers.example", n), "old.agent@legacy.example"} {
			fmt.Fprintf(&rows, "%d,Question %d,solved,c%d@customers.example,%s,%d.%d,%s,mail %d,%s\n", 500+n, n, n, at.Format(time.DateTime), n, k, author, k, at.Add(time.Duration(k)*time.Minute).Format(time.DateTime))
		}
	}
	o.write("tickets.csv", rows.String())
	config := func(agents string) {
		o.write("import.yaml", `version: 1
source:
  kind: csv
  paths: [tickets.csv]
  csv:
    layout: message-per-row
    time_zone: UTC
    columns: {ticket_id: id, subject: subject, status: status, requester_email: customer, created_at: opened, message_id: message, message_author_email: author, message_body: body, message_created_at: at}
helpscout: {mailbox: Support}
mapping:
  statuses: {solved: closed}
  agent_domains: [support.example, legacy.example]
  agents: {`+agents+`}
  fallback_user: ada@support.example
run: {settle: 1s}
checkpoint: import.db
`)
	}
	config("")
	if s := o.run(importer.ExitOK); s.Conversations.Created != 20 {
		t.Fatalf("%+v", s.Conversations)
	}
	other := sandbox.DefaultSeed().Users[1]
	config("old.agent@legacy.example: " + other.Email)
	if s := o.run(importer.ExitDrift); !strings.Contains(s.Cause, "20 conversations") {
		t.Errorf("cause %q", s.Cause)
	}
	if s := o.run(importer.ExitOK, "--redo-changed"); s.Conversations.Created != 20 {
		t.Errorf("%+v", s.Conversations)
	}
	o.run(importer.ExitOK)
	seen := map[string]bool{}
	for c := range o.acc.box.Conversations() {
		if !c.Live() {
			continue
		}
		if seen[c.Subject] || len(c.Threads) != 2 || c.Threads[1].ByUser != other.ID || strings.Contains(c.Threads[1].Text, "old.agent") {
			t.Errorf("%s: twice, or not as the table says: %+v", c.Subject, c.Threads)
		}
		seen[c.Subject] = true
	}
	if len(seen) != 20 {
		t.Errorf("%d conversations", len(seen))
	}
}
