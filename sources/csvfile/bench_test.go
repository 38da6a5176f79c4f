//go:build linux || darwin

package csvfile

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// benchFile writes a table of messages in the canonical layout, five to a ticket and the tickets interleaved.
func benchFile(b *testing.B, rows int) (path string, size int64) {
	b.Helper()
	path = filepath.Join(b.TempDir(), "tickets.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	w.WriteString(canonicalHeader)
	body := strings.Repeat("The printer on the second floor says \"\"paper jam\"\" although there is none,\nplease help. ", 5)
	tickets := max(1, rows/5)
	for i := range rows {
		n := i % tickets
		fmt.Fprintf(w, "%d,Printer %d,open,user%d@customer.example,User %d,,2023-%02d-%02d 08:%02d:00,,\"printer,floor\",low,%d,"+
			"user%d@customer.example,User %d,customer,\"%s%d\",text,2023-%02d-%02d 09:%02d:%02d,,\n",
			n, n, n, n, n%12+1, n%28+1, n%60, i, n, n, body, i, n%12+1, n%28+1, n%60, i%60)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	st, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path, st.Size()
}

// perRow reports processor time, which other work on the machine disturbs less than the time on the wall.
func perRow(b *testing.B, f func()) {
	var before, after syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	n := 0
	for b.Loop() {
		f()
		n++
	}
	syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	cpu := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	b.ReportMetric(float64(cpu)/float64(n*benchRows), "cpu-ns/row")
}

const benchRows = 100_000

// BenchmarkEncodingCSV reads the same file once with the standard library: the measure of the others.
func BenchmarkEncodingCSV(b *testing.B) {
	path, size := benchFile(b, benchRows)
	b.SetBytes(size)
	perRow(b, func() {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		r := csv.NewReader(f)
		r.ReuseRecord = true
		for {
			if _, err := r.Read(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
		f.Close()
	})
}

// BenchmarkReader frames the rows.
func BenchmarkReader(b *testing.B) {
	path, size := benchFile(b, benchRows)
	b.SetBytes(size)
	perRow(b, func() {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		r := newReader(f, dialect{delim: ',', quote: '"'}, 0, 1, 1<<20)
		for {
			if _, err := r.next(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
		f.Close()
	})
}

// BenchmarkOpen makes the index.
func BenchmarkOpen(b *testing.B) {
	path, size := benchFile(b, benchRows)
	o := canonical()
	o.Paths = []string{path}
	b.SetBytes(size)
	perRow(b, func() {
		s, err := Open(context.Background(), o)
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	})
}

// BenchmarkOpenAndRead makes the index and reads every ticket, as a dry run does before mapping.
func BenchmarkOpenAndRead(b *testing.B) {
	path, size := benchFile(b, benchRows)
	o := canonical()
	o.Paths = []string{path}
	b.SetBytes(size)
	perRow(b, func() {
		s, err := Open(context.Background(), o)
		if err != nil {
			b.Fatal(err)
		}
		for i := range s.Len() {
			if _, err := s.Ticket(context.Background(), i); err != nil {
				b.Fatal(err)
			}
		}
		s.Close()
	})
}

func BenchmarkReadStamp(b *testing.B) {
	for b.Loop() {
		readStamp("2023-04-05 09:10:11")
	}
}
