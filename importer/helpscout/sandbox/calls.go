package sandbox

import (
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Call is one entry of the call log.
type Call struct {
	Number    uint64        `json:"number"`
	Time      time.Time     `json:"time"`
	Kind      string        `json:"kind"`
	Method    string        `json:"method"`
	Path      string        `json:"path"`
	Status    int           `json:"status"` // 0: no answer was sent
	Units     int           `json:"units"`
	Remaining int           `json:"remaining"`
	Fault     string        `json:"fault,omitempty"`
	Bytes     int           `json:"bytes"` // of the request body
	Took      time.Duration `json:"tookNanos"`
}

// callLog counts the calls and keeps the last of them.
type callLog struct {
	mu       sync.Mutex
	serial   uint64
	ring     []Call
	head     int
	kinds    map[string]int
	statuses map[string]int
	faults   map[string]int
}

const keptCalls = 2000

func newCallLog() *callLog {
	return &callLog{kinds: map[string]int{}, statuses: map[string]int{}, faults: map[string]int{}}
}

// next numbers a call.
func (l *callLog) next() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.serial++
	return l.serial
}

func (l *callLog) add(c *call, rp reply, units int, fault string, v verdict, took time.Duration) {
	e := Call{
		Number: c.number, Time: c.now.UTC(), Kind: c.op.Kind, Method: c.r.Method, Path: c.r.URL.RequestURI(), Status: rp.status,
		Units: units, Remaining: v.remaining, Fault: fault, Bytes: len(c.body), Took: took,
	}
	if rp.drop != 0 {
		e.Status = 0
	}
	if e.Kind == "" {
		e.Kind = "unknown"
	}
	if e.Kind == "token" {
		e.Path = "/v2/oauth2/token" // a secret may be in the query
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kinds[e.Kind]++
	l.statuses[strconv.Itoa(e.Status)]++
	if fault != "" {
		l.faults[e.Kind+" "+fault]++
	}
	if len(l.ring) < keptCalls {
		l.ring = append(l.ring, e)
		return
	}
	l.ring[l.head] = e
	l.head = (l.head + 1) % keptCalls
}

// Calls are the last calls, oldest first, in the order in which they were answered.
func (s *Sandbox) Calls() []Call {
	l := s.now.Load().calls
	l.mu.Lock()
	defer l.mu.Unlock()
	return append(slices.Clone(l.ring[l.head:]), l.ring[:l.head]...)
}

// counts copies the sums.
func (l *callLog) counts() (kinds, statuses, faults map[string]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.kinds), maps.Clone(l.statuses), maps.Clone(l.faults)
}
