//go:build linux || darwin

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hsimport/configs"
	"hsimport/importer"
)

// BenchmarkFigures measures whole commands on generated, always equal files, beside other programs that are installed,
// and writes what it found as a table to the file that FIGURES names. Sizes: MAIL and ROWS, MINUTES of real time at 400
// units a minute, TICKETS as the largest job, LARGE megabytes of mail and LARGEROWS rows to show memory. Programs that are not there are left out and named.
func BenchmarkFigures(b *testing.B) {
	f := &figures{program: buildFor(b), dir: b.TempDir()}
	b.Run("mail", f.mail)
	b.Run("csv", f.csv)
	b.Run("large", f.large)
	b.Run("rows", f.manyRows)
	b.Run("growth", f.growth)
	b.Run("quota", f.quota)
	f.write(b)
}

func size(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// figures collects the rows of the table.
type figures struct {
	program string
	dir     string
	out     bytes.Buffer
}

func (f *figures) head(columns ...string) {
	fmt.Fprintf(&f.out, "\n| %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
}

func (f *figures) row(cells ...any) {
	for _, c := range cells {
		if v, isFloat := c.(float64); isFloat {
			c = strconv.FormatFloat(v, 'f', 2, 64)
		}
		fmt.Fprintf(&f.out, "| %v ", c)
	}
	f.out.WriteString("|\n")
}

func (f *figures) write(b *testing.B) {
	text := fmt.Sprintf("%s, %d cores, %s/%s\n%s", runtime.Version(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, f.out.String())
	if path := os.Getenv("FIGURES"); path != "" {
		check(b, os.WriteFile(path, []byte(text), 0o644))
		return
	}
	b.Log("\n" + text)
}

func buildFor(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "hsimport")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", path, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// took is what one run of a program cost.
type took struct {
	wall, cpu time.Duration
	resident  float64 // MB
	out       []byte
}

// command runs a program to its end and keeps what it prints. Exit code 3, some tickets that would be refused, is a
// result too.
func command(b *testing.B, env []string, name string, args ...string) took {
	b.Helper()
	var out bytes.Buffer
	t := measured(b, &out, env, name, args...)
	t.out = out.Bytes()
	return t
}

// other runs a rival; what it prints would only make this process large, and those it starts seem so.
func other(b *testing.B, name string, args ...string) took {
	b.Helper()
	return measured(b, nil, nil, name, args...)
}

func measured(b *testing.B, out io.Writer, env []string, name string, args ...string) took {
	b.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	var errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &errs
	start := time.Now()
	err := cmd.Run()
	t := took{wall: time.Since(start)}
	if err != nil && cmd.ProcessState.ExitCode() != importer.ExitRejected {
		b.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, errs.Bytes())
	}
	t.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		t.resident = float64(u.Maxrss) / 1024
		if runtime.GOOS == "darwin" {
			t.resident /= 1024
		}
	}
	return t
}

// best runs something so many times and keeps the fastest: the rest is other work on the machine.
func best(b *testing.B, times int, run func() took) (fastest took) {
	b.Helper()
	debug.FreeOSMemory() // a process that is started counts what its parent held as its own
	for b.Loop() {
		for range times {
			if t := run(); fastest.wall == 0 || t.wall < fastest.wall {
				fastest = t
			}
		}
	}
	b.ReportMetric(fastest.wall.Seconds(), "s")
	b.ReportMetric(fastest.cpu.Seconds(), "cpu-s")
	b.ReportMetric(fastest.resident, "MB-resident")
	return fastest
}

// a rival is another program that does comparable work on the same file.
type rival struct {
	name string
	ask  []string // its version
	run  func(b *testing.B) took
}

// race measures us, then each rival that is installed, and writes a row for each with the ratio.
func (f *figures) race(b *testing.B, what string, bytes int64, us func() took, rivals []rival) {
	var ours took
	b.Run(what+"/hsimport", func(b *testing.B) { ours = best(b, 3, us) })
	mb := float64(bytes) / 1e6
	f.row(what, "`hsimport dry-run`", ours.wall.Seconds(), mb/ours.wall.Seconds(), ours.resident, "1")
	for _, r := range rivals {
		version, err := exec.Command(r.ask[0], r.ask[1:]...).CombinedOutput()
		if err != nil {
			fmt.Fprintf(&f.out, "| %s | %s is not installed | | | | |\n", what, r.name)
			continue
		}
		line, _, _ := strings.Cut(strings.TrimSpace(string(version)), "\n")
		b.Run(what+"/"+strings.ReplaceAll(r.name, " ", "_"), func(b *testing.B) {
			t := best(b, 1, func() took { return r.run(b) })
			f.row(what, r.name+" ("+line+")", t.wall.Seconds(), mb/t.wall.Seconds(), t.resident,
				fmt.Sprintf("%.1f", t.wall.Seconds()/ours.wall.Seconds()))
		})
	}
}

// job writes a configuration beside the file it is for.
func (f *figures) job(b *testing.B, kind, path string) string {
	b.Helper()
	text, ok := configs.Example(kind)
	if !ok {
		b.Fatal("no example of ", kind)
	}
	base := filepath.Base(path)
	text = bytes.Replace(text, []byte("[tickets.csv]"), []byte("["+base+"]"), 1)
	text = bytes.Replace(text, []byte("[archive.mbox]"), []byte("["+base+"]"), 1)
	text = bytes.Replace(text, []byte("checkpoint: import.db"), []byte("checkpoint: "+base+".db"), 1)
	config := path + ".yaml"
	check(b, os.WriteFile(config, text, 0o644))
	return config
}

// dryRun is the command that has no quota and must feel instant; it must have seen every message.
func (f *figures) dryRun(b *testing.B, config string, messages int) took {
	b.Helper()
	t := command(b, nil, f.program, "dry-run", "-c", config, "-q", "--json")
	if s := summary(b, t.out); s.Source.Messages != messages || !s.Balanced {
		b.Fatalf("%d messages, want %d; balanced %v", s.Source.Messages, messages, s.Balanced)
	}
	return t
}

func summary(b *testing.B, out []byte) importer.Summary {
	b.Helper()
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	var s importer.Summary
	check(b, json.Unmarshal(lines[len(lines)-1], &s))
	return s
}

func (f *figures) csv(b *testing.B) {
	path := filepath.Join(f.dir, "tickets.csv")
	rows := size("ROWS", 90_000)
	bytes := table(b, path, rows/3)
	f.head("what", "program", "s", "MB/s", "MB resident", "times ours")
	config := f.job(b, configs.CSV, path)
	f.race(b, fmt.Sprintf("CSV, %d messages, %d MB", rows, bytes/1e6), bytes, func() took { return f.dryRun(b, config, rows/3*3) }, []rival{
		{"encoding/csv alone", []string{"go", "version"}, func(b *testing.B) took { return standard(b, path, false) }},
		{"encoding/csv, ReuseRecord", []string{"go", "version"}, func(b *testing.B) took { return standard(b, path, true) }},
		{"Python csv alone", []string{"python3", "--version"}, func(b *testing.B) took {
			return other(b, "python3", "-c", "import csv,sys\nfor r in csv.reader(open(sys.argv[1], newline='')): pass", path)
		}},
		{"csvstat --count", []string{"csvstat", "--version"}, func(b *testing.B) took { return other(b, "csvstat", "--count", path) }},
		{"mlr --icsv --ojson cat", []string{"mlr", "--version"}, func(b *testing.B) took { return other(b, "mlr", "--icsv", "--ojson", "cat", path) }},
	})
}

// standard reads the table once with the standard library, in this process.
func standard(b *testing.B, path string, reuse bool) took {
	start := time.Now()
	in, err := os.Open(path)
	check(b, err)
	defer in.Close()
	r := csv.NewReader(in)
	r.ReuseRecord = reuse
	for {
		if _, err := r.Read(); err == io.EOF {
			break
		} else if err != nil {
			b.Fatal(err)
		}
	}
	return took{wall: time.Since(start)}
}
