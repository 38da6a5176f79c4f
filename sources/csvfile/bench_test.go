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
	"time"
)

// benchFile writes a table of messages in the canonical layout, five to a ticket, in the order of tickets and of time,
// or with the rows of each ticket far apart.
func benchFile(b *testing.B, rows int, scattered bool) (path string, size int64) {
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
		n := i / 5
		if scattered {
			n = i % tickets
		}
		day := time.Date(2023, 1, 1, 8, n, 0, 0, time.UTC).Format(time.DateTime)
		fmt.Fprintf(w, "%d,Printer %d,open,user%d@customer.example,User %d,,%s,,\"printer,floor\",low,%d,"+
			"user%d@customer.example,User %d,customer,\"%s%d\",text,%s,,\n", n, n, n, n, day, i, n, n, body, i, day)
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
	path, size := benchFile(b, benchRows, false)
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
	path, size := benchFile(b, benchRows, false)
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
	path, size := benchFile(b, benchRows, false)
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
func BenchmarkOpenAndRead(b *testing.B) { benchOpenAndRead(b, false) }

// BenchmarkOpenAndReadScattered is the worst case: each row of a ticket is read by itself.
func BenchmarkOpenAndReadScattered(b *testing.B) { benchOpenAndRead(b, true) }

func benchOpenAndRead(b *testing.B, scattered bool) {
	path, size := benchFile(b, benchRows, scattered)
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
