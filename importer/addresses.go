package importer

import (
	"slices"
	"strings"
	"sync"

	"hsimport/importer/helpscout"
)

// addresses serialises the first use of each customer address: two creates that carry one new address at the same time
// may create the customer twice. An address the account has seen is not locked any more.
type addresses struct {
	mu    sync.Mutex
	locks map[string]*addressLock
	known map[string]bool
}

type addressLock struct {
	mu   sync.Mutex
	uses int
}

// lock takes every address of a conversation that the account has not seen yet, in sorted order, so that two workers
// never wait for each other in a circle. Release with seen=true once a create was applied; a part in doubt releases
// them unseen.
func (a *addresses) lock(c *helpscout.NewConversation) (release func(seen bool)) {
	var held []string
	for _, addr := range addressesOf(c) {
		if a.acquire(addr) {
			held = append(held, addr)
		}
	}
	return func(seen bool) {
		for _, addr := range held {
			a.release(addr, seen)
		}
	}
}

// acquire locks one address; false when it turned out to be known (perhaps while waiting).
func (a *addresses) acquire(addr string) bool {
	a.mu.Lock()
	if a.known[addr] {
		a.mu.Unlock()
		return false
	}
	if a.locks == nil {
		a.locks, a.known = map[string]*addressLock{}, map[string]bool{}
	}
	l := a.locks[addr]
	if l == nil {
		l = &addressLock{}
		a.locks[addr] = l
	}
	l.uses++
	a.mu.Unlock()
	l.mu.Lock()
	a.mu.Lock()
	known := a.known[addr]
	a.mu.Unlock()
	if known {
		a.release(addr, true)
		return false
	}
	return true
}

func (a *addresses) release(addr string, seen bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if seen {
		a.known[addr] = true
	}
	l := a.locks[addr]
	l.mu.Unlock()
	if l.uses--; l.uses == 0 {
		delete(a.locks, addr)
	}
}

// addressesOf lists every customer address of a conversation once, sorted.
func addressesOf(c *helpscout.NewConversation) []string {
	var out []string
	add := func(cu *helpscout.NewCustomer) {
		if cu != nil && cu.Email != "" {
			out = append(out, strings.ToLower(cu.Email))
		}
	}
	add(c.Customer)
	for _, t := range c.Threads {
		add(t.Customer)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
