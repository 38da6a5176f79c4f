package importer

import (
	"context"
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
	turn turn
	uses int
}

// lock takes every address of a conversation that the account has not seen yet, in sorted order, so that two workers
// never wait for each other in a circle. Release with seen=true once a create was applied; a part in doubt releases
// them unseen.
func (a *addresses) lock(ctx context.Context, c *helpscout.NewConversation) (release func(seen bool), err error) {
	var held []string
	release = func(seen bool) {
		for _, addr := range held {
			a.release(addr, seen)
		}
	}
	for _, addr := range addressesOf(c) {
		got, err := a.acquire(ctx, addr)
		if err != nil {
			release(false)
			return nil, err
		}
		if got {
			held = append(held, addr)
		}
	}
	return release, nil
}

// acquire locks one address; false when it turned out to be known (perhaps while waiting).
func (a *addresses) acquire(ctx context.Context, addr string) (bool, error) {
	l := a.enter(addr)
	if l == nil {
		return false, nil
	}
	if err := l.turn.take(ctx); err != nil {
		a.leave(addr, l)
		return false, err
	}
	a.mu.Lock()
	known := a.known[addr]
	a.mu.Unlock()
	if known {
		a.release(addr, true)
	}
	return !known, nil
}

// enter counts a user of an address's lock; nil when the address is known.
func (a *addresses) enter(addr string) *addressLock {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known[addr] {
		return nil
	}
	if a.locks == nil {
		a.locks, a.known = map[string]*addressLock{}, map[string]bool{}
	}
	l := a.locks[addr]
	if l == nil {
		l = &addressLock{turn: newTurn()}
		a.locks[addr] = l
	}
	l.uses++
	return l
}

func (a *addresses) leave(addr string, l *addressLock) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l.uses--; l.uses == 0 {
		delete(a.locks, addr)
	}
}

func (a *addresses) release(addr string, seen bool) {
	a.mu.Lock()
	if seen {
		a.known[addr] = true
	}
	l := a.locks[addr]
	a.mu.Unlock()
	l.turn.give()
	a.leave(addr, l)
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
