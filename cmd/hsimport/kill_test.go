package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hsimport/configs"
	"hsimport/importer"
)

// lostAnswers strike one call in ten, each kind of loss its own way; the dice are the sandbox's.
const lostAnswers = "create%2=504,applied create%2=reset create%2=reset,applied create%2=html200,applied create%1=500 upload%3=504,applied get%1=503 list%1=reset"

// SOAK (a duration) makes the kills go on for as long.
func soak() time.Duration {
	d, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		return 0
	}
	return d
}

// TestKill starts hsimport against an account that loses answers, kills it -9 at random moments until it has
// survived 12 kills for each kind of source, lets it come to its end, and then compares every message and every
// attachment.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts dozens of processes")
	}
	program := program(t)
	for _, kind := range []string{configs.CSV, configs.Mbox} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for seed, end := uint64(1), time.Now().Add(soak()); ; seed++ {
				killed(t, program, kind, seed)
				if t.Failed() || !time.Now().Before(end) {
					return
				}
			}
		})
	}
}

// TestSoak is TestKill for SOAK on end.
func TestSoak(t *testing.T) {
	if soak() == 0 {
		t.Skip("SOAK is not set")
	}
	TestKill(t)
}

// program is hsimport as a program of its own: the tests' binary under its name (see TestMain), which spares linking another.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "hsimport")
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// killed is one job from its beginning to its end, with kills between.
func killed(t *testing.T, program, kind string, seed uint64) {
	t.Helper()
	const kills = 12
	dir := t.TempDir()
	if err := writeJob(dir, kind, 300); err != nil {
		t.Fatal(err)
	}
	acc, err := newAccount([]string{"latency=20ms", "latency-jitter=15ms", "fault=" + lostAnswers})
	if err != nil {
		t.Fatal(err)
	}
	defer acc.close()
	dice := rand.New(rand.NewPCG(seed, 0))
	config := filepath.Join(dir, kind+".yaml")
	survived := 0
	for range 60 {
		var kill func() bool
		if survived < kills {
			kill = moment(acc, dice)
		}
		code, wasKilled, out := runOnce(t, program, acc, config, kill)
		if wasKilled {
			survived++
			continue
		}
		switch code {
		case importer.ExitOK:
			compareAll(t, acc, config)
			if survived < kills/2 {
				t.Errorf("seed %d: only %d kills: the job is too small", seed, survived)
			}
			t.Logf("seed %d: %d kills survived, %d conversations", seed, survived, acc.live())
			return
		case importer.ExitLeft, importer.ExitDoubt:
		default:
			t.Fatalf("seed %d: exit %d after %d kills\n%s", seed, code, survived, out)
		}
	}
	t.Fatalf("seed %d: not done after 60 runs, %d of them killed", seed, survived)
}

// moment is when to kill: after some more conversations, or after a while, whatever the run is doing then.
func moment(acc *account, dice *rand.Rand) func() bool {
	if dice.IntN(2) == 0 {
		end := time.Now().Add(time.Duration(30+dice.IntN(400)) * time.Millisecond)
		return func() bool { return time.Now().After(end) }
	}
	enough := acc.box.Stats().Created + dice.IntN(50)
	return func() bool { return acc.box.Stats().Created >= enough }
}

// runOnce imports, and is killed when kill says so.
func runOnce(t *testing.T, program string, acc *account, config string, kill func() bool) (code int, wasKilled bool, output string) {
	t.Helper()
	return runProgram(t, program, acc, kill, "run", "-c", config)
}

// runProgram runs the program, and kills it when kill says so.
func runProgram(t *testing.T, program string, acc *account, kill func() bool, args ...string) (code int, wasKilled bool, output string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = []string{configs.BaseURLVariable + "=" + acc.server.URL, "PATH=" + os.Getenv("PATH")}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	done := make(chan struct{})
	if kill != nil {
		wg.Go(func() { wasKilled = killWhen(kill, cmd.Process, done) })
	}
	err := cmd.Wait()
	close(done)
	wg.Wait()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode(), false, out.String()
	case err != nil && exit == nil:
		t.Fatal(err)
	}
	return 0, err != nil && wasKilled, out.String()
}

func compareAll(t *testing.T, acc *account, config string) {
	t.Helper()
	c, err := compareWith(acc, config)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range c.diffs {
		if i == 10 {
			break
		}
		t.Error(d)
	}
	if c.messages == 0 {
		t.Error("no message was compared")
	}
}

// writeJob lays a generated job of n tickets under the canonical configuration into dir. One ticket has 250 messages,
// every seventh an attachment.
func writeJob(dir, kind string, n int) error {
	if err := writeSample(dir); err != nil {
		return err
	}
	if err := hurry(dir); err != nil {
		return err
	}
	if kind == configs.Mbox {
		return os.WriteFile(filepath.Join(dir, "archive.mbox"), manyMails(n), 0o644)
	}
	text, err := manyRows(n)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "tickets.csv"), append(text, longRows()...), 0o644)
}

var begun = time.Date(2022, 1, 3, 8, 0, 0, 0, time.UTC)

// manyRows is a table of n tickets with one to five messages each.
func manyRows(n int) ([]byte, error) {
	head, err := sample.ReadFile("sample/tickets.csv")
	if err != nil {
		return nil, err
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	var b bytes.Buffer
	b.Write(append(line, '\n'))
	w := csv.NewWriter(&b)
	const layout = "2006-01-02 15:04:05"
	for i := range n {
		at := begun.Add(time.Duration(i) * 47 * time.Minute)
		id, customer := strconv.Itoa(10000+i), fmt.Sprintf("c%d@customers.example", i%(n/3+1))
		status := []string{"solved", "closed", "open", "pending", "solved"}[i%5]
		for j := range 1 + i%5 {
			author, side, file := customer, "customer", ""
			if j%2 == 1 {
				author, side = "ada@support.example", "agent"
			}
			if j == 3 {
				side = "note"
			}
			if i%7 == 0 && j == 0 {
				file = "files/router.log"
			}
			body := fmt.Sprintf("Message %d of ticket %s.\n\nÜber <b>Zeichen</b> & „Töne“.", j+1, id)
			if err := w.Write([]string{
				id, "Ticket " + id, status, customer, "Customer " + id, "ada@support.example", at.Format(layout), "", "bug", "normal",
				fmt.Sprint(id, "-", j), author, "", side, body, "text", at.Add(time.Duration(j) * 13 * time.Minute).Format(layout), file, "",
			}); err != nil {
				return nil, err
			}
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// manyMails is an archive of n threads; the last one has 250 mails.
func manyMails(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		mails := 1 + i%4
		if i == n-1 {
			mails = longTicket
		}
		root := fmt.Sprintf("t%d.0@customers.example", i)
		for j := range mails {
			at := begun.Add(time.Duration(i)*53*time.Minute + time.Duration(j)*7*time.Minute)
			from, to := fmt.Sprintf("c%d@customers.example", i%(n/3+1)), "help@support.example"
			if j%2 == 1 {
				from, to = "ada@support.example", from
			}
			fmt.Fprintf(&b, "From %s %s\nDate: %s\nFrom: %s\nTo: %s\nSubject: %sThread %d\nMessage-ID: <t%d.%d@customers.example>\n",
				from, at.Format(time.ANSIC), at.Format(time.RFC1123Z), from, to, strings.Repeat("Re: ", min(j, 1)), i, i, j)
			if j > 0 {
				fmt.Fprintf(&b, "In-Reply-To: <%s>\nReferences: <%s>\n", root, root)
			}
			body := fmt.Sprintf("Mail %d of thread %d.\n\n>From the cellar: Über & <Töne>.\n", j+1, i)
			if i%7 == 0 && j == 0 {
				fmt.Fprintf(&b, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n%s--b\nContent-Type: text/plain; name=log.txt\nContent-Disposition: attachment; filename=log.txt\n\nlog of thread %d\n--b--\n\n", body, i)
				continue
			}
			fmt.Fprintf(&b, "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n%s\n", body)
		}
	}
	return b.Bytes()
}

// TestThousands imports some thousands of tickets, one of 250 messages, from both kinds of source, and compares all.
func TestThousands(t *testing.T) {
	if testing.Short() {
		t.Skip("it imports thousands of tickets")
	}
	program := program(t)
	for _, kind := range []string{configs.CSV, configs.Mbox} {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			if err := writeJob(dir, kind, 3000); err != nil {
				t.Fatal(err)
			}
			acc, err := newAccount(nil)
			if err != nil {
				t.Fatal(err)
			}
			defer acc.close()
			config := filepath.Join(dir, kind+".yaml")
			if code, _, out := runOnce(t, program, acc, config, nil); code != importer.ExitOK {
				t.Fatalf("exit %d\n%s", code, out)
			}
			compareAll(t, acc, config)
			if n := acc.live(); n < 3000 {
				t.Errorf("only %d conversations", n)
			}
		})
	}
}
