package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"hsimport/configs"
	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
)

// soon is a moment to kill a process at, whatever it is doing then.
func soon(dice *rand.Rand, most int) func() bool {
	end := time.Now().Add(time.Duration(20+dice.IntN(most)) * time.Millisecond)
	return func() bool { return time.Now().After(end) }
}

// setFaults changes what goes wrong.
func setFaults(t *testing.T, acc *account, script string) {
	t.Helper()
	rules, err := sandbox.ParseFaults(script)
	if err != nil {
		t.Fatal(err)
	}
	acc.box.SetFaults(rules)
}

func liveIDs(acc *account) (out []int64) {
	for c := range acc.box.Conversations() {
		if c.Live() {
			out = append(out, c.ID)
		}
	}
	slices.Sort(out)
	return out
}

// imported is an account with a finished job of n tickets in it.
func imported(t *testing.T, program string, n int) (acc *account, config string) {
	t.Helper()
	dir := t.TempDir()
	if err := writeJob(dir, configs.CSV, n); err != nil {
		t.Fatal(err)
	}
	acc, err := newAccount(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(acc.close)
	config = filepath.Join(dir, configs.CSV+".yaml")
	if code, _, out := runOnce(t, program, acc, config, nil); code != importer.ExitOK {
		t.Fatalf("exit %d\n%s", code, out)
	}
	return acc, config
}

// untilDone runs a command until it ends by itself with one of the codes, killing it at most kills times; it returns how
// often it was killed.
func untilDone(t *testing.T, program string, acc *account, kills int, kill func() func() bool, codes []int, args ...string) (killed int) {
	t.Helper()
	for range 5 * kills {
		var when func() bool
		if killed < kills {
			when = kill()
		}
		code, was, out := runProgram(t, program, acc, when, args...)
		switch {
		case was:
			killed++
		case slices.Contains(codes, code):
			return killed
		case code != importer.ExitLeft && code != importer.ExitDoubt:
			t.Fatalf("%v: exit %d after %d kills\n%s", args, code, killed, out)
		}
	}
	t.Fatalf("%v: not done after %d kills", args, killed)
	return 0
}

// TestKillRollback: a rollback that is killed -9 at random moments, under answers that are lost, deletes what nobody has
// touched and nothing else; afterwards the job is run again, and everything is there once.
func TestKillRollback(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts dozens of processes")
	}
	program := program(t)
	for seed := range uint64(2) {
		acc, config := imported(t, program, 400)
		acc.box.Configure(func(s *sandbox.Settings) { s.Latency = 10 * time.Millisecond })
		dice := rand.New(rand.NewPCG(seed, 1))
		all := liveIDs(acc)
		var touched []int64
		for _, i := range dice.Perm(len(all))[:7] {
			if _, err := acc.box.Reply(all[i], 0, "hello"); err != nil {
				t.Fatal(err)
			}
			touched = append(touched, all[i])
		}
		slices.Sort(touched)
		setFaults(t, acc, "delete%3=504,applied delete%3=reset,applied delete%3=500 delete%2=reset delete%2=html200,applied get%1=503")
		killed := untilDone(t, program, acc, 8, func() func() bool { return soon(dice, 250) }, []int{importer.ExitRejected}, "rollback", "-c", config, "--yes")
		if got := liveIDs(acc); !slices.Equal(got, touched) {
			t.Errorf("seed %d: %d conversations are left, %v; 7 were touched, %v", seed, len(got), got, touched)
		}
		if killed < 3 {
			t.Errorf("seed %d: only %d kills: the job is too small", seed, killed)
		}
		setFaults(t, acc, lostAnswers)
		untilDone(t, program, acc, 4, func() func() bool { return soon(dice, 400) }, []int{importer.ExitOK}, "run", "-c", config)
		if now := liveIDs(acc); len(now) != len(all) {
			t.Errorf("seed %d: %d conversations after the next run, want %d", seed, len(now), len(all))
		}
		t.Logf("seed %d: %d kills survived", seed, killed)
	}
}

// TestKillRecover: a recover that is killed -9 at random moments writes nothing to the account and leaves no checkpoint
// that is not whole; in the end it finds all that was sent, and a run creates the rest, once.
func TestKillRecover(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts dozens of processes")
	}
	program := program(t)
	dir := t.TempDir()
	if err := writeJob(dir, configs.CSV, 300); err != nil {
		t.Fatal(err)
	}
	acc, err := newAccount([]string{"latency=15ms"})
	if err != nil {
		t.Fatal(err)
	}
	defer acc.close()
	config, path := filepath.Join(dir, configs.CSV+".yaml"), filepath.Join(dir, "import.db")
	if code, _, out := runProgram(t, program, acc, nil, "run", "-c", config, "--limit", "150"); code != importer.ExitLeft {
		t.Fatalf("exit %d\n%s", code, out)
	}
	before := liveIDs(acc)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	setFaults(t, acc, "list%5=reset list%3=503 get%5=504")
	dice := rand.New(rand.NewPCG(7, 7))
	killed := untilDone(t, program, acc, 8, func() func() bool {
		if _, err := os.Stat(path); err == nil {
			t.Error("a recover that was killed has left a checkpoint")
		}
		return soon(dice, 500)
	}, []int{importer.ExitOK, importer.ExitRejected}, "recover", "-c", config)
	if now := liveIDs(acc); !slices.Equal(now, before) {
		t.Errorf("recover has written: %d conversations before, %d after", len(before), len(now))
	}
	if killed < 3 {
		t.Errorf("only %d kills: the job is too small", killed)
	}
	setFaults(t, acc, lostAnswers)
	untilDone(t, program, acc, 4, func() func() bool { return soon(dice, 400) }, []int{importer.ExitOK}, "run", "-c", config)
	compareAll(t, acc, config)
	t.Logf("%d kills survived, %d conversations", killed, acc.live())
}
