package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"hsimport/configs"
	"hsimport/importer"
)

// errKilled says that the child was killed from here.
var errKilled = errors.New("killed")

// child runs this very program with args against the rehearsal's account, showing what it prints. When kill says so, it
// is killed as the operating system kills: it gets no chance to save anything.
func (r *rehearsal) child(ctx context.Context, kill func() bool, args ...string) (code int, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Args[0] = "hsimport"
	cmd.Dir, cmd.Env = r.dir, r.childEnvironment()
	r.ui.demoCommand(args[0], args[1:]...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	var killed bool
	var wg sync.WaitGroup
	done := make(chan struct{})
	if kill != nil {
		wg.Go(func() { killed = killWhen(kill, cmd.Process, done) })
	}
	r.ui.relay(out, r.names)
	err = cmd.Wait()
	close(done)
	wg.Wait()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return 0, &importer.Stop{Code: importer.ExitInterrupted, Err: errors.New("interrupted")}
	case killed:
		return 0, errKilled
	case errors.As(err, &exit):
		return exit.ExitCode(), nil
	}
	return 0, err
}

func killWhen(kill func() bool, p *os.Process, done <-chan struct{}) bool {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return false
		case <-tick.C:
			if kill() {
				return p.Kill() == nil
			}
		}
	}
}

// childEnvironment points at the sandbox and holds no credentials: those of a real account have no business here.
func (r *rehearsal) childEnvironment() []string {
	env := []string{configs.BaseURLVariable + "=" + r.url}
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		switch name {
		case configs.BaseURLVariable, appIDVariable, appSecretVariable, credentialsFileVariable:
		default:
			env = append(env, kv)
		}
	}
	return env
}

// relay shows a child's lines, set off from our own, with files as the person has named them.
func (u *ui) relay(r io.Reader, names *strings.Replacer) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if names != nil {
			line = names.Replace(line)
		}
		if line != "" {
			u.line(u.env.out, "  %s", strings.TrimRight(line, "\r\n"))
		}
		if err != nil {
			return
		}
	}
}
