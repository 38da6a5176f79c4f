//go:build linux || darwin

package main

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"hsimport/configs"
	"hsimport/importer"
)

// BenchmarkDryRun runs the command in this process, over a table and over a mixed archive of mail, for profiles:
//
//	GOGC=300 go test -run '^$' -bench DryRun -cpuprofile cpu.prof ./cmd/hsimport
func BenchmarkDryRun(b *testing.B) {
	f := &figures{dir: b.TempDir()}
	rows := filepath.Join(f.dir, "tickets.csv")
	size := map[string]int64{rows: table(b, rows, 10_000)}
	mails := filepath.Join(f.dir, "archive.mbox")
	size[mails], _ = archive(b, mails, 20_000_000, true)
	for _, of := range []struct{ kind, path string }{{configs.CSV, rows}, {configs.Mbox, mails}} {
		config := f.job(b, of.kind, of.path)
		b.Run(of.kind, func(b *testing.B) {
			b.SetBytes(size[of.path])
			b.ReportAllocs()
			for b.Loop() {
				env := &environment{in: strings.NewReader(""), out: io.Discard, err: io.Discard, lookup: func(string) (string, bool) { return "", false }}
				if code := run(b.Context(), []string{"dry-run", "-c", config, "-q"}, env); code != importer.ExitOK {
					b.Fatal("exit code ", code)
				}
			}
		})
	}
}
