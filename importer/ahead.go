package importer

import (
	"context"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"hsimport/mapping"
)

// batch is how many tickets are read ahead of the one being looked at: enough to keep all cores busy. batchWeight stops
// reading ahead earlier where tickets are large, so that memory stays flat whatever stands side by side.
const (
	batch       = 256
	batchWeight = 8 << 20
)

// ahead is a window of tickets that are read and mapped on all cores, and handed on in the source's own order. Its
// workers live as long as the pass: a goroutine for each ticket would grow its stack each time anew.
type ahead struct {
	src    Source
	mapper *mapping.Mapper

	mu   sync.Mutex
	some *sync.Cond // something below has changed
	next int        // the first ticket that no worker has taken
	done int        // the first one that has not been handed on
	held int64      // weight of what is mapped and not handed on
	over bool       // nothing more is wanted
	slot [batch]struct {
		mapped
		err   error
		ready bool
	}
}

// mapAll maps every ticket of the source on all cores and hands the results to each in the source's own order
// (created, key). An error of each, or of the source when it is not about one ticket, ends it.
func mapAll(ctx context.Context, src Source, m *mapping.Mapper, each func(mapped) error) error {
	a := &ahead{src: src, mapper: m}
	a.some = sync.NewCond(&a.mu)
	var g errgroup.Group
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			a.work(ctx)
			return nil
		})
	}
	err := a.handOn(ctx, each)
	a.stop()
	_ = g.Wait() // what goes wrong is in the slots
	return err
}

// work takes tickets until there are none.
func (a *ahead) work(ctx context.Context) {
	for {
		i, ok := a.take()
		if !ok {
			return
		}
		got, err := mapOne(ctx, a.src, a.mapper, i)
		a.put(i, got, err)
	}
}

// take waits for room in the window. The ticket that is waited for is always taken, whatever the others weigh.
func (a *ahead) take() (i int, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for !a.over && a.next < a.src.Len() && (a.next-a.done >= batch || a.held > batchWeight && a.next > a.done) {
		a.some.Wait()
	}
	if a.over || a.next >= a.src.Len() {
		return 0, false
	}
	a.next++
	return a.next - 1, true
}

func (a *ahead) put(i int, got mapped, err error) {
	w := got.weight()
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &a.slot[i%batch]
	s.mapped, s.err, s.ready = got, err, true
	a.held += w
	if i == a.done {
		a.some.Broadcast()
	}
}

// handOn gives the tickets to each, in order.
func (a *ahead) handOn(ctx context.Context, each func(mapped) error) error {
	for range a.src.Len() {
		got, err := a.oldest()
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = each(got)
		}
		if err != nil {
			return err
		}
		a.passed(got.weight())
	}
	return ctx.Err()
}

// oldest waits for the first ticket that has not been handed on.
func (a *ahead) oldest() (mapped, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &a.slot[a.done%batch]
	for !s.ready {
		a.some.Wait()
	}
	return s.mapped, s.err
}

// passed lets go of the ticket that was handed on.
func (a *ahead) passed(weight int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &a.slot[a.done%batch]
	s.mapped, s.ready = mapped{}, false
	a.held -= weight
	a.done++
	a.some.Broadcast()
}

func (a *ahead) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	a.some.Broadcast()
}
