package mboxfile

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// TestBig opens the archive that BIG names and prints the rate; with BIG_READ set it decodes every ticket too. It is
// for measuring by hand: go test -run TestBig -c, then /usr/bin/time -v.
func TestBig(t *testing.T) {
	path := os.Getenv("BIG")
	if path == "" {
		t.Skip("set BIG to an archive to measure")
	}
	start := time.Now()
	src, err := Open(context.Background(), Options{Paths: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	report := func(what string) {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		mb := float64(src.Ledger().Bytes()) / 1e6
		s := time.Since(start).Seconds()
		fmt.Printf("%s: %.0f MB in %.2f s, %.0f MB/s; %+v; %d tickets; heap %d MB\n", what, mb, s, mb/s, src.Ledger().Records,
			src.Len(), m.HeapAlloc>>20)
	}
	report("index")
	if os.Getenv("BIG_READ") == "" {
		return
	}
	start = time.Now()
	for i := range src.Len() {
		if _, err := src.Ticket(context.Background(), i); err != nil {
			t.Fatal(err)
		}
	}
	report("decode")
}
