package csvfile

import (
	"context"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
)

func TestZZMem(t *testing.T) {
	p := os.Getenv("MEMCSV")
	if p == "" {
		t.Skip()
	}
	s, err := Open(context.Background(), Options{Layout: TicketPerRow, TimeZone: "UTC", Paths: []string{p}, Columns: map[string]string{"ticket_id": "id", "subject": "subject", "status": "status", "requester_email": "requester_email", "requester_name": "requester_name", "created_at": "created_at", "description": "description"}})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("%d tickets, heap %d MB, sys %d MB", s.Len(), m.HeapAlloc>>20, m.Sys>>20)
	f, _ := os.Create("/tmp/csv/mem/heap.prof")
	pprof.WriteHeapProfile(f)
	f.Close()
	b, _ := os.ReadFile("/proc/self/status")
	t.Logf("%s", b[:0])
	for i := 0; i < s.Len(); i += 1000 {
		if _, err := s.Ticket(context.Background(), i); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
}
