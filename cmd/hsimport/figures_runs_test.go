//go:build linux || darwin

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hsimport/configs"
)

// pythonMail decodes each mail with the policy that knows charsets and addresses; pythonBytes with the older one, which
// leaves texts as bytes and names as they are encoded.
const (
	pythonMail = `import mailbox, sys, email.policy, email
for m in mailbox.mbox(sys.argv[1], factory=lambda f: email.message_from_binary_file(f, policy=email.policy.default)):
    for p in m.walk():
        if not p.is_multipart():
            p.get_content() if p.get_content_maintype() == 'text' else p.get_payload(decode=True)
`
	pythonBytes = `import mailbox, sys
for m in mailbox.mbox(sys.argv[1]):
    for p in m.walk():
        if not p.is_multipart():
            p.get_payload(decode=True)
    m['From'], m['Subject'], m['Date']
`
)

func (f *figures) mail(b *testing.B) {
	f.head("what", "program", "s", "MB/s", "MB resident", "times ours")
	for _, kind := range []string{"text", "mixed"} {
		path := filepath.Join(f.dir, kind+".mbox")
		bytes, mails := archive(b, path, int64(size("MAIL", 100))*1_000_000, kind == "mixed")
		config := f.job(b, configs.Mbox, path)
		dir := filepath.Join(f.dir, kind+".maildir")
		maildir(b, path, dir)
		fresh := func(sub string) string {
			at := filepath.Join(f.dir, sub)
			check(b, os.RemoveAll(at))
			check(b, os.MkdirAll(at, 0o755))
			return at
		}
		f.race(b, fmt.Sprintf("%s archive, %d mails, %d MB", kind, mails, bytes/1e6), bytes,
			func() took { return f.dryRun(b, config, mails) }, []rival{
				{"Python mailbox + email", []string{"python3", "--version"}, func(b *testing.B) took {
					return other(b, "python3", "-c", pythonMail, path)
				}},
				{"Python mailbox + email, texts as bytes", []string{"python3", "--version"}, func(b *testing.B) took {
					return other(b, "python3", "-c", pythonBytes, path)
				}},
				{"notmuch new", []string{"notmuch", "--version"}, func(b *testing.B) took {
					at := fresh("notmuch")
					check(b, os.Symlink(dir, filepath.Join(at, "mail")))
					check(b, os.WriteFile(filepath.Join(at, "config"), []byte("[database]\npath="+at+"\n[user]\nprimary_email=a@b.example\n"), 0o644))
					return measured(b, nil, []string{"NOTMUCH_CONFIG=" + filepath.Join(at, "config")}, "notmuch", "new", "--quiet")
				}},
				{"mu index", []string{"mu", "--version"}, func(b *testing.B) took {
					at := fresh("mu")
					other(b, "mu", "init", "--muhome="+at, "--maildir="+dir)
					return other(b, "mu", "index", "--quiet", "--muhome="+at)
				}},
				{"mhonarc", []string{"mhonarc", "-v"}, func(b *testing.B) took {
					return other(b, "mhonarc", "-quiet", "-outdir", fresh("mhonarc"), path)
				}},
			})
		check(b, os.RemoveAll(dir))
	}
}

// growth shows what ten times the tickets cost: everything but the quota, which would take two units for each.
func (f *figures) growth(b *testing.B) {
	f.head("tickets", "export, MB", "dry run, s", "MB resident", "run without quota, s", "conversations/s", "MB resident",
		"checkpoint, bytes/conversation", "finished job again, s", "status, s")
	for n := 1000; n <= size("TICKETS", 100_000); n *= 10 {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				f.grown(b, n)
			}
		})
	}
}

func (f *figures) grown(b *testing.B, n int) {
	path := filepath.Join(f.dir, fmt.Sprintf("t%d.csv", n))
	bytes := table(b, path, n)
	defer os.Remove(path)
	config := f.job(b, configs.CSV, path)
	db := path + ".db"
	for _, old := range []string{db, db + "-wal", db + "-shm"} {
		_ = os.Remove(old)
	}
	account := startSandbox(b, f.program, "--set", "quota-limit=0")
	env := []string{"HELPSCOUT_BASE_URL=" + account.url}
	dry := f.dryRun(b, config, 3*n)
	run := command(b, env, f.program, "run", "-c", config, "-q", "--json")
	if s := summary(b, run.out); s.Conversations.Created != n || !s.Balanced {
		b.Fatalf("%d of %d created, balanced %v", s.Conversations.Created, n, s.Balanced)
	}
	st, err := os.Stat(db)
	check(b, err)
	again := command(b, env, f.program, "run", "-c", config, "-q", "--json")
	if s := summary(b, again.out); s.Conversations.Already != n {
		b.Fatalf("%d of %d known the second time", s.Conversations.Already, n)
	}
	status := command(b, nil, f.program, "status", "-c", config, "-q")
	account.stop()
	b.ReportMetric(float64(n)/run.wall.Seconds(), "conversations/s")
	b.ReportMetric(float64(st.Size())/float64(n), "checkpoint-B/conversation")
	b.ReportMetric(status.wall.Seconds(), "status-s")
	f.row(n, bytes/1e6, dry.wall.Seconds(), int(dry.resident), run.wall.Seconds(), int(float64(n)/run.wall.Seconds()), int(run.resident),
		st.Size()/int64(n), again.wall.Seconds(), status.wall.Seconds())
}

// quota runs at 400 units a minute in real time and tells what each minute of it saw.
func (f *figures) quota(b *testing.B) {
	minutes := size("MINUTES", 0)
	if minutes == 0 {
		b.Skip("MINUTES is not set")
	}
	path := filepath.Join(f.dir, "quota.csv")
	table(b, path, 200*minutes+400)
	config := f.job(b, configs.CSV, path)
	account := startSandbox(b, f.program, "--set", "quota-limit=400", "--set", "latency=150ms", "--set", "latency-jitter=100ms")
	defer account.stop()
	f.head("minute", "conversations", "share of 400 units")
	over, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		f.watch(account, over)
	}()
	t := command(b, []string{"HELPSCOUT_BASE_URL=" + account.url}, "sh", "-c",
		`"$0" run -c "$1" -q --json --max-duration "$2"; test $? -eq 5`, f.program, config, fmt.Sprintf("%dm", minutes))
	close(over)
	<-watched
	s := summary(b, t.out)
	b.ReportMetric(100*s.Quota.Utilization, "%-of-quota")
	b.ReportMetric(float64(s.Quota.Throttled), "429s")
	f.row("all", s.Conversations.Created, fmt.Sprintf("%.1f %%, %d answered 429", 100*s.Quota.Utilization, s.Quota.Throttled))
}

// watch writes a row for every minute.
func (f *figures) watch(account *served, over chan struct{}) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for minute, before := 1, 0; ; minute++ {
		select {
		case <-over:
			return
		case <-tick.C:
			now := account.created()
			share := fmt.Sprintf("%.1f %%", 100*float64(2*(now-before))/400)
			f.row(minute, now-before, share)
			fmt.Fprintf(os.Stderr, "minute %d: %d conversations, %s of 400 units\n", minute, now-before, share)
			before = now
		}
	}
}

// served is a sandbox in a process of its own: what it takes is not counted as ours, except that it takes a core.
type served struct {
	url string
	cmd *exec.Cmd
}

func startSandbox(b *testing.B, program string, args ...string) *served {
	b.Helper()
	cmd := exec.Command(program, append([]string{"sandbox", "--addr", "127.0.0.1:0"}, args...)...)
	out, err := cmd.StdoutPipe()
	check(b, err)
	cmd.Stderr = cmd.Stdout
	check(b, cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, after, ok := strings.Cut(lines.Text(), "http://"); ok {
			host, _, _ := strings.Cut(after, "/")
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return &served{url: "http://" + strings.TrimSpace(host), cmd: cmd}
		}
	}
	b.Fatal("the sandbox has said no address")
	return nil
}

func (s *served) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()
}

// created is how many conversations the account has received, or 0 when it does not say.
func (s *served) created() int {
	var stats struct{ Created int }
	res, err := http.Get(s.url + "/_sandbox/stats")
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	_ = json.NewDecoder(res.Body).Decode(&stats)
	return stats.Created
}
