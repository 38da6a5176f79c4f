package main

import (
	"bytes"
	"embed"
	"encoding/csv"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"hsimport/configs"
)

// sample is what demo shows when nobody names a file: an export of a small shop's help desk with files beside it, and an
// archive of its mail.
//
//go:embed sample
var sample embed.FS

// longTicket is the number of messages of the one ticket that has to be split.
const longTicket = 250

// writeSample lays the sample and its two configurations into dir.
func writeSample(dir string) error {
	err := fs.WalkDir(sample, "sample", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := sample.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel("sample", filepath.FromSlash(name))
		if err != nil {
			return err
		}
		if rel == "tickets.csv" {
			data = append(data, longRows()...)
		}
		return writeFile(filepath.Join(dir, rel), data)
	})
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, "files", "räksmörgås.txt"), []byte("Namnet på filen har å, ä och ö.\n")); err != nil {
		return err
	}
	for _, name := range []string{configs.CSV, configs.Mbox} {
		text, ok := configs.Example(name)
		if !ok {
			return fmt.Errorf("the example configuration %s is not there", name)
		}
		if name == configs.Mbox {
			text = bytes.Replace(text, []byte("checkpoint: import.db"), []byte("checkpoint: mail.db"), 1)
		}
		if err := writeFile(filepath.Join(dir, name+".yaml"), quick(text)); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// longRows are the rows of one ticket that a customer and an agent wrote to and fro for most of a year.
func longRows() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	const layout = "2006-01-02 15:04:05"
	begun := time.Date(2024, 2, 3, 10, 0, 0, 0, time.UTC)
	for i := range longTicket {
		at := begun.Add(time.Duration(i) * 29 * time.Hour)
		author, name, kind := "tom.baker@baker.example", "Tom Baker", "customer"
		if i%2 == 1 {
			author, name, kind = "ada@support.example", "Ada Byron", "agent"
		}
		body := fmt.Sprintf("Night %d of the log: the sensor in the cellar reads %d degrees.\n\nShall I go on?", i+1, 4+i%17)
		_ = w.Write([]string{ // into memory: it cannot fail
			"2500", "The sensor that never sleeps", "solved", "tom.baker@baker.example", "Tom Baker", "ada@support.example", begun.Format(layout),
			begun.Add(longTicket * 29 * time.Hour).Format(layout), "bug", "low", strconv.Itoa(95000 + i), author, name, kind, body, "text", at.Format(layout), "", "",
		})
	}
	w.Flush()
	return b.Bytes()
}

// quick gives a configuration a short settle time: in a rehearsal on this machine nothing arrives late.
func quick(text []byte) []byte {
	const line = "  settle: 2s\n"
	lines := bytes.SplitAfter(text, []byte("\n"))
	for i, l := range lines {
		if bytes.HasPrefix(l, []byte("  settle:")) {
			lines[i] = []byte(line)
			return bytes.Join(lines, nil)
		}
	}
	for i, l := range lines {
		if bytes.HasPrefix(l, []byte("run:")) {
			lines[i] = append(bytes.Clone(l), line...)
			return bytes.Join(lines, nil)
		}
	}
	return append(append(bytes.TrimRight(text, "\n"), "\nrun:\n"...), line...)
}
