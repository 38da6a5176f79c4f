package checkpoint

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"
)

// The test binary starts itself again, to be killed or to lose its rights: these name what it is to do.
const (
	childVar = "CHECKPOINT_TEST_CHILD"
	pathVar  = "CHECKPOINT_TEST_PATH"
)

func TestMain(m *testing.M) {
	switch path := os.Getenv(pathVar); os.Getenv(childVar) {
	case "":
		goleak.VerifyTestMain(m)
	case "send":
		exit(sendForEver(path))
	case "open":
		exit(tryOpen(path))
	case "bounded":
		exit(writeBounded(path))
	case "unprivileged":
		exit(withoutRights(path))
	}
}

func exit(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// child prepares the test binary as a child.
func child(t *testing.T, what, path string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	ok(t, err)
	c := exec.CommandContext(t.Context(), exe)
	c.Env = append(os.Environ(), childVar+"="+what, pathVar+"="+path)
	c.Stderr = os.Stderr
	return c
}

// sendForEver moves parts from eight goroutines and says on standard output what it was told is durable.
func sendForEver(path string) error {
	ctx := context.Background()
	s, err := Open(ctx, path, testJob)
	if err != nil {
		return err
	}
	var next atomic.Int64
	var group errgroup.Group
	for range 8 {
		group.Go(func() error {
			for {
				p, err := s.PartByID(ctx, next.Add(1))
				if err != nil || p == nil {
					return err
				}
				if p.State != Pending {
					continue
				}
				if err := s.Begin(ctx, p.ID, Intent{At: noon, Messages: []NewMessage{{Key: p.Ticket}}}); err != nil {
					return err
				}
				fmt.Printf("sending %d\n", p.ID)
				if err := s.Done(ctx, p.ID, p.ID+1e6, ByCreate, noon); err != nil {
					return err
				}
				fmt.Printf("created %d\n", p.ID)
			}
		})
	}
	return group.Wait()
}

func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	s := create(t)
	var parts []Part
	for i := range 20000 {
		parts = append(parts, somePart("T"+strconv.Itoa(i), 1, 1, int64(i)))
	}
	load(t, s, true, parts...)
	ok(t, s.Close())
	created := map[int64]bool{}
	for round := range 4 {
		sending := map[int64]bool{}
		killAfter(t, s.Path(), 300*(round+1), sending, created)
		again := open(t, s.Path())
		ok(t, again.Check(t.Context()))
		n, err := again.Recover(t.Context(), noon)
		ok(t, err)
		for id := range sending {
			p, err := again.PartByID(t.Context(), id)
			ok(t, err)
			switch {
			case created[id] && (p.State != Created || p.ConversationID != id+1e6):
				t.Errorf("part %d was said to be created, and is %s", id, p.State)
			case !created[id] && p.State != InDoubt && p.State != Created:
				t.Errorf("part %d was said to be sending, and is %s", id, p.State)
			}
		}
		counts, err := again.Counts(t.Context())
		ok(t, err)
		if counts.Parts[Sending] != 0 || counts.Parts[InDoubt] < n || counts.Parts[Created] < len(created) {
			t.Errorf("after round %d: %+v, recovered %d", round, counts.Parts, n)
		}
		ok(t, again.Close())
	}
}

// killAfter kills a child that sends, once it has said so many things, and notes all it said.
func killAfter(t *testing.T, path string, lines int, sending, created map[int64]bool) {
	t.Helper()
	c := child(t, "send", path)
	out, err := c.StdoutPipe()
	ok(t, err)
	ok(t, c.Start())
	scan := bufio.NewScanner(out)
	for n := 0; scan.Scan(); n++ {
		var word string
		var id int64
		if _, err := fmt.Sscan(scan.Text(), &word, &id); err != nil {
			t.Fatalf("the child says %q", scan.Text())
		}
		if word == "created" {
			created[id] = true
		}
		sending[id] = true
		if n == lines {
			ok(t, c.Process.Kill())
		}
	}
	if err := c.Wait(); err == nil {
		t.Fatal("the child ended before it was killed")
	}
}

func tryOpen(path string) error {
	s, err := Open(context.Background(), path, testJob)
	if err != nil {
		return err
	}
	return s.Close()
}

func TestTwoProcesses(t *testing.T) {
	s := create(t)
	out, err := child(t, "open", s.Path()).Output()
	if want := "locked by pid " + strconv.Itoa(os.Getpid()); err == nil || !strings.Contains(string(out), want) {
		t.Errorf("a second process says %q, %v", out, err)
	}
	ok(t, s.Close())
	if out, err := child(t, "open", s.Path()).Output(); err != nil {
		t.Errorf("after close a second process says %q, %v", out, err)
	}
}

// withoutRights looks at a checkpoint that it may read but not write.
func withoutRights(path string) error {
	if err := dropRights(); err != nil {
		return err
	}
	ctx := context.Background()
	v, err := View(ctx, path)
	if err != nil {
		return fmt.Errorf("view: %w", err)
	}
	counts, err := v.Counts(ctx)
	if err := errors.Join(err, v.Close()); err != nil {
		return fmt.Errorf("view: %w", err)
	}
	fmt.Printf("seen %d\n", counts.Parts[Pending])
	s, err := Open(ctx, path, testJob)
	if err == nil {
		return errors.Join(errors.New("it was opened for writing"), s.Close())
	}
	fmt.Println(err)
	return nil
}

func TestReadOnlyFile(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("rights are dropped as on Linux")
	}
	for name, writableFolder := range map[string]bool{"folder and file": false, "file alone": true} {
		t.Run(name, func(t *testing.T) {
			path := closed(t)
			for dir := filepath.Dir(path); dir != filepath.Dir(dir) && strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
				ok(t, os.Chmod(dir, 0o755)) // for the child to get there
			}
			ok(t, os.Chmod(path, 0o444))
			ok(t, os.Remove(path+".lock"))
			mode := os.FileMode(0o555)
			if writableFolder {
				mode = 0o777
			}
			ok(t, os.Chmod(filepath.Dir(path), mode))
			t.Cleanup(func() { _ = os.Chmod(filepath.Dir(path), 0o755) })
			c := child(t, "unprivileged", path)
			c.Path = copyExecutable(t)
			out, err := c.Output()
			if err != nil {
				t.Fatalf("%s: %v", out, err)
			}
			if text := string(out); !strings.Contains(text, "seen 1\n") || !strings.Contains(text, "writable") {
				t.Errorf("it says %q", text)
			}
		})
	}
}

// copyExecutable puts the test binary where another user may run it.
func copyExecutable(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	ok(t, err)
	from, err := os.Open(exe)
	ok(t, err)
	defer from.Close()
	dir, err := os.MkdirTemp("", "checkpoint")
	ok(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ok(t, os.Chmod(dir, 0o755))
	to, err := os.OpenFile(filepath.Join(dir, "child"), os.O_CREATE|os.O_WRONLY, 0o755)
	ok(t, err)
	_, err = io.Copy(to, from)
	ok(t, errors.Join(err, to.Close()))
	return to.Name()
}

// writeBounded writes until the operating system refuses, as a quota would.
func writeBounded(path string) error {
	ctx := context.Background()
	s, err := Open(ctx, path, testJob)
	if err != nil {
		return err
	}
	if err := boundFiles(2 << 20); err != nil {
		return err
	}
	text := strings.Repeat("x", 1000)
	for i := 0; ; i++ {
		if err = s.Set(ctx, "fact "+strconv.Itoa(i), text); err != nil {
			break
		}
		fmt.Printf("kept %d\n", i)
		if i == 100000 {
			return errors.New("the bound does not hold")
		}
	}
	fmt.Println("error", err)
	fmt.Println("after", s.Set(ctx, "one more", "x"))
	return nil
}

func TestDiskThatRefuses(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the bound is set as on Linux")
	}
	path := closed(t)
	out, err := child(t, "bounded", path).Output()
	if err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	kept := len(lines) - 2
	if kept < 100 || !strings.Contains(lines[kept], "the disk refused") ||
		!strings.Contains(lines[kept+1], "nothing is written since an earlier error") {
		t.Fatalf("after %d: %q", kept, lines[kept:])
	}
	s := open(t, path)
	ok(t, s.Check(t.Context()))
	for i := range kept {
		if _, found, err := s.Get(t.Context(), "fact "+strconv.Itoa(i)); err != nil || !found {
			t.Fatalf("fact %d was acknowledged: %v %v", i, found, err)
		}
	}
	if _, found, _ := s.Get(t.Context(), "one more"); found {
		t.Error("it was written after the refusal")
	}
	ok(t, s.Set(t.Context(), "later", time.Now().String()))
}
