package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"hsimport/configs"
	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hsimport": main})
}

// TestScripts runs testdata/script. Each script begins in a folder that holds the bundled sample and its two
// configurations, csv.yaml and mbox.yaml, with an empty account of its own behind $HELPSCOUT_BASE_URL. Beside the usual
// commands there are those of the table below.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireUniqueNames: true, RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			for _, kv := range []string{appIDVariable, appSecretVariable, credentialsFileVariable} {
				env.Setenv(kv, "")
			}
			if err := writeSample(env.WorkDir); err != nil {
				return err
			}
			if err := hurry(env.WorkDir); err != nil {
				return err
			}
			acc, err := newAccount(nil)
			if err != nil {
				return err
			}
			env.Values[accountKey{}], env.Values[deskKey{}] = acc, new(oldDesk)
			env.Setenv(configs.BaseURLVariable, acc.server.URL)
			env.Defer(acc.close)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Getuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %s", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     scriptExits,     // exits CODE program args...: runs it; its output can be looked at
			"account":   scriptAccount,   // account [name=value...]: a new account, with sandbox settings or app=, secret=, fault=, seed=FILE
			"equal":     scriptEqual,     // [!] equal CONFIG: the account holds what the source holds, once, and nothing else
			"holds":     scriptHolds,     // holds N: so many conversations
			"arrived":   scriptArrived,   // arrived N: waits until at least so many create calls were applied
			"summary":   scriptSummary,   // summary path=value...: of the last line of stdout, whose sums are checked too
			"restarted": scriptRestarted, // the same address, but an account that is empty
			"people":    scriptPeople,    // people delete|answer|... N: does that to the Nth conversation that is there
			"append":    scriptAppend,    // append FILE LINES: adds the lines of the second file to the first
			"faults":    scriptFaults,    // faults [RULE...]: from now on, instead of those before
			"replace":   scriptReplace,   // replace FILE OLD NEW
			"workflow":  scriptWorkflow,  // workflow NAME...: puts active workflows into the account
			"webhook":   scriptWebhook,   // webhook URL: subscribes it
			"native":    scriptNative,    // native USER: a mail arrives, and is given to that user
			"skewed":    scriptSkewed,    // skewed DURATION: this machine's clock is so far ahead of the account's
			"desk":      scriptDesk,      // desk: an old desk behind $DESK; desk hold|release: it answers when it is released
			"asked":     scriptAsked,     // asked N: waits until the desk was asked N times; asked =N: it was asked just so often since the last asked =
		},
	})
}

type accountKey struct{}

// An account is a sandbox behind a real listener.
type account struct {
	box    *sandbox.Sandbox
	server *httptest.Server
	clock  *dated
}

func newAccount(options []string) (*account, error) {
	o := sandbox.Options{Settings: sandbox.Defaults()}
	o.Settings.QuotaLimit = 0
	for _, kv := range options {
		name, value, _ := strings.Cut(kv, "=")
		var err error
		switch name {
		case "app":
			o.AppID = value
		case "secret":
			o.AppSecret = value
		case "seed":
			o.Seed, err = sandbox.LoadSeed(value)
		case "fault":
			o.Faults, err = sandbox.ParseFaults(value)
		default:
			err = o.Settings.Set(name, value)
		}
		if err != nil {
			return nil, err
		}
	}
	box, err := sandbox.New(o)
	if err != nil {
		return nil, err
	}
	clock := &dated{Handler: box}
	return &account{box, httptest.NewServer(clock), clock}, nil
}

func (a *account) close() {
	a.server.CloseClientConnections()
	a.server.Close()
	_ = a.box.Close()
}

// hurry makes what is in doubt settle at once.
func hurry(dir string) error {
	for _, name := range []string{"csv.yaml", "mbox.yaml"} {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, bytes.Replace(text, []byte("settle: 2s"), []byte("settle: 200ms"), 1), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE program args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s ended with %d, want %d\nstdout:\n%s\nstderr:\n%s", strings.Join(args[1:], " "), got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

func scriptAccount(ts *testscript.TestScript, neg bool, args []string) {
	options := slices.Clone(args)
	for i, kv := range options {
		if file, ok := strings.CutPrefix(kv, "seed="); ok {
			options[i] = "seed=" + ts.MkAbs(file)
		}
	}
	acc, err := newAccount(options)
	ts.Check(err)
	old := ts.Value(accountKey{}).(*account)
	*old, acc = *acc, &account{old.box, old.server, old.clock}
	ts.Defer(acc.close)
	ts.Setenv(configs.BaseURLVariable, old.server.URL)
}

func scriptRestarted(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(theAccount(ts).box.Reset())
}

func theAccount(ts *testscript.TestScript) *account { return ts.Value(accountKey{}).(*account) }

func scriptHolds(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := theAccount(ts).live(); got != want {
		ts.Fatalf("the account holds %d conversations, want %d", got, want)
	}
}

func (a *account) live() (n int) {
	for c := range a.box.Conversations() {
		if !c.Deleted {
			n++
		}
	}
	return n
}

func scriptArrived(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	for range 20000 {
		if theAccount(ts).box.Stats().Created >= want {
			return
		}
		time.Sleep(time.Millisecond)
	}
	ts.Fatalf("only %d create calls were applied in 20 s", theAccount(ts).box.Stats().Created)
}

func scriptEqual(ts *testscript.TestScript, neg bool, args []string) {
	c, err := compareWith(theAccount(ts), ts.MkAbs(args[0]))
	ts.Check(err)
	if (len(c.diffs) > 0) != neg {
		ts.Fatalf("%d differences, %d messages equal: %s", len(c.diffs), c.messages, strings.Join(c.diffs, "\n"))
	}
}

// compareWith holds an account against the source that a configuration names.
func compareWith(acc *account, config string) (*comparison, error) {
	env := &environment{lookup: func(name string) (string, bool) {
		if name == configs.BaseURLVariable {
			return acc.server.URL, true
		}
		return "", false
	}, out: new(bytes.Buffer), err: new(bytes.Buffer), in: new(bytes.Buffer)}
	a := &app{env: env, ui: newUI(env), code: new(int)}
	conf, err := a.load(config)
	if err != nil {
		return nil, err
	}
	job, _, err := a.job(context.Background(), conf)
	if err != nil {
		return nil, err
	}
	defer job.Source.Close()
	c := newComparison(acc.box)
	job.Each, job.Checkpoint = c.each, ""
	if rep := importer.DryRun(context.Background(), job); rep.Cause != nil && rep.Cause.Code != importer.ExitUsage {
		return nil, rep.Cause
	}
	c.close()
	return c, nil
}

func scriptSummary(ts *testscript.TestScript, neg bool, args []string) {
	out := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
	for i, line := range out {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil || o["message_type"] == "" {
			ts.Fatalf("line %d of stdout is no object with a message_type: %s", i+1, line)
		}
		if (o["message_type"] == "summary") != (i == len(out)-1) {
			ts.Fatalf("line %d of %d: the summary, and only it, comes last: %s", i+1, len(out), line)
		}
	}
	var s importer.Summary
	ts.Check(json.Unmarshal([]byte(out[len(out)-1]), &s))
	if !s.Balanced || s.Conversations.Planned != s.Conversations.Sum() ||
		s.Attachments.Planned != s.Attachments.Sum() {
		ts.Fatalf("the sums do not close: %s", out[len(out)-1])
	}
	var o any
	ts.Check(json.Unmarshal([]byte(out[len(out)-1]), &o))
	for _, kv := range args {
		path, want, _ := strings.Cut(kv, "=")
		v := o
		for name := range strings.SplitSeq(path, ".") {
			m, _ := v.(map[string]any)
			v = m[name]
		}
		if got := fmt.Sprint(v); got != want {
			ts.Fatalf("%s is %s, want %s", path, got, want)
		}
	}
}

func scriptReplace(ts *testscript.TestScript, neg bool, args []string) {
	path := ts.MkAbs(args[0])
	text, err := os.ReadFile(path)
	ts.Check(err)
	if !bytes.Contains(text, []byte(args[1])) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(path, bytes.ReplaceAll(text, []byte(args[1]), []byte(args[2])), 0o644))
}
