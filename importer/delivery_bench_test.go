package importer_test

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/sources"
)

// BenchmarkDelivery is a whole run over sockets, with the quota lifted and a durable checkpoint on the disk of the
// temporary folder: planning, intents, requests, results. The account is a sandbox in the same process, so half of what
// it takes is the server's. A conversation has three threads of 400 bytes.
func BenchmarkDelivery(b *testing.B) {
	for _, workers := range []int{1, 4, 16, 32} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) { deliver(b, workers) })
	}
}

func deliver(b *testing.B, workers int) {
	var tickets []*sources.Ticket
	for i := range max(b.N, 10) {
		t := aTicket(fmt.Sprintf("%08d", i), epoch.Add(time.Duration(i)*7*time.Minute), 3, "solved")
		for _, m := range t.Messages {
			m.Body += strings.Repeat("\nThe printer says that it is out of paper.", 10)
		}
		tickets = append(tickets, t)
	}
	w := newBench(b, tickets...)
	srv := httptest.NewServer(w.box)
	defer srv.Close()
	w.base, w.path = srv.URL, filepath.Join(b.TempDir(), "import.db")
	w.opts.Workers = importer.Workers(workers)
	w.wire = true
	b.ReportAllocs()
	b.ResetTimer()
	w.mustRun(importer.ExitOK)
	b.ReportMetric(float64(len(tickets))/b.Elapsed().Seconds(), "conversations/s")
}
