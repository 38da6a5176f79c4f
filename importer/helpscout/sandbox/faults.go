package sandbox

import (
	"sync"
	"time"
)

// A Fault is what happens to one call instead of an answer, and whether the call is applied all the same.
type Fault struct {
	Kind  FaultKind
	Code  int           // the status, of Kind Status
	Apply Applied       // whether the account changes
	Late  time.Duration // of ApplyLate: how long after the answer was lost
	After time.Duration // what a 429 tells to wait (0: what the quota says); how long Slow waits (0: 30s); how long Hang holds (0: hang-max)
}

// FaultKind is the shape of a fault.
type FaultKind uint8

// The kinds of faults.
const (
	Status  FaultKind = iota // an answer with Code: 500, 503, 504, 429, 401 (which revokes the token), any other
	Reset                    // the connection is reset
	Hang                     // no answer, until the client gives up
	Slow                     // the right answer, after a while
	HTML                     // 200 with a gateway's page
	Empty                    // 200 without a body
	Cut                      // the right answer, broken off half-way
	Refused                  // the connection is closed before anything is read: certainly not applied
)

// Applied says what became of the call that a fault befell.
type Applied uint8

// What can become of a call.
const (
	NotApplied  Applied = iota
	ApplyBefore         // applied, and then the answer was lost
	ApplyLate           // applied some time after the answer was lost
)

// An Op is a call that has passed authentication and quota, as a fault function sees it.
type Op struct {
	Kind   string    // create, reply, upload, list, ... (see the package documentation)
	Method string    // GET, POST, ...
	Path   string    // with query
	N      int       // the how-manieth of its kind, from 1
	Total  int       // the how-manieth of all, from 1
	Time   time.Time // when it came
	ID     int64     // the first id in the path, or 0
	Body   []byte    // not to be changed
	Late   bool      // it is being applied late; no fault can befall it
}

// Rule is one line of a fault script: which calls, and what happens to them. The zero selectors select everything.
type Rule struct {
	Op       string        // a kind, a group or any
	From, To int           // the first and last of its kind; 0: open
	Chance   float64       // 0..1; 0: always
	Start    time.Duration // since New or Reset; with Length
	Length   time.Duration // 0: for ever
	Times    int           // how often at most; 0: no cap
	Fault    Fault
	Text     string // as it was written
}

// Faults is a script. The first rule that selects a call decides.
type Faults []Rule

// injector decides which fault befalls a call.
type injector struct {
	mu    sync.Mutex
	seed  uint64
	start time.Time
	rules Faults
	hits  []int
	fn    func(Op) *Fault
	seen  map[string]int
	total int
	done  map[string]int // faults by kind of call and text
}

func newInjector(seed uint64, rules Faults, now time.Time) *injector {
	return &injector{seed: seed, start: now, rules: rules, hits: make([]int, len(rules)), seen: map[string]int{}, done: map[string]int{}}
}

// next numbers a call and decides on it.
func (j *injector) next(op *Op) *Fault {
	j.mu.Lock()
	j.total++
	j.seen[op.Kind]++
	op.N, op.Total = j.seen[op.Kind], j.total
	fn := j.fn
	j.mu.Unlock()
	if fn != nil {
		if f := fn(*op); f != nil {
			j.note(op.Kind, f)
			return f
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range j.rules {
		r := &j.rules[i]
		if !r.selects(*op, j.start, j.seed+uint64(i)*1013) || r.Times > 0 && j.hits[i] >= r.Times {
			continue
		}
		j.hits[i]++
		j.done[op.Kind+" "+r.Fault.String()]++
		return &r.Fault
	}
	return nil
}

func (j *injector) note(kind string, f *Fault) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.done[kind+" "+f.String()]++
}

func (r *Rule) selects(op Op, start time.Time, seed uint64) bool {
	if !inGroup(op, r.Op) || op.N < r.From || r.To > 0 && op.N > r.To {
		return false
	}
	if r.Start > 0 || r.Length > 0 {
		since := op.Time.Sub(start)
		if since < r.Start || r.Length > 0 && since >= r.Start+r.Length {
			return false
		}
	}
	if r.Chance <= 0 {
		return true
	}
	dice := float64(mix(seed, hashString(op.Kind), uint64(op.N))>>11) / (1 << 53)
	return dice < r.Chance
}

// opGroups are names for several kinds at once.
var opGroups = map[string][]string{
	"append":    {"customer", "reply", "note", "chat", "phone"},
	"customers": {"customer-create", "customer-get", "customer-list", "customer-update", "customer-delete", "customer-part"},
}

// opKinds are the kinds of calls.
var opKinds = []string{
	"token", "create", "get", "list", "threads", "customer", "reply", "note", "chat", "phone", "thread-update",
	"upload", "attachment", "patch", "tags", "fields", "snooze", "delete", "customer-create", "customer-get",
	"customer-list", "customer-update", "customer-delete", "customer-part", "directory", "workflows", "webhooks",
}

func inGroup(op Op, name string) bool {
	switch name {
	case "outage":
		return true // nothing gets through
	case "", "any":
		return op.Kind != "token"
	case "read":
		return op.Method == "GET" && op.Kind != "token"
	case "write":
		return op.Method != "GET" && op.Kind != "token"
	case op.Kind:
		return true
	}
	for _, kind := range opGroups[name] {
		if kind == op.Kind {
			return true
		}
	}
	return false
}

func hashString(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
