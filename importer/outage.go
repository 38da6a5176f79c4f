package importer

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"time"

	"hsimport/importer/helpscout"
)

const (
	doubtsInARow    = 5  // after so many no write goes out until a read has succeeded
	doubtsAtMost    = 25 // after so many without one success, the run stops: reads work, writes do not
	probeFirst      = time.Second
	probeLongest    = time.Minute
	defaultPatience = 30 * time.Minute
)

// outage notices that the server is away. It is probed with reads, never with a POST, in growing pauses; writes wait
// meanwhile. Beyond the patience the run stops with everything saved.
type outage struct {
	probe  turn // held by the worker that probes; the others wait for it before each write
	count  sync.Mutex
	doubts int // in a row, over all workers
	since  time.Time
	away   bool
}

// doubt counts an answer that was lost; applied forgets them.
func (o *outage) doubt() int {
	o.count.Lock()
	defer o.count.Unlock()
	o.doubts++
	if o.doubts%doubtsInARow == 0 {
		o.away = true
	}
	return o.doubts
}

func (o *outage) applied() {
	o.count.Lock()
	defer o.count.Unlock()
	o.doubts, o.since = 0, time.Time{}
}

// answered says that a read has succeeded: whoever waited for that has waited to the end. Lost writes still count.
func (o *outage) answered() {
	o.count.Lock()
	defer o.count.Unlock()
	if o.doubts == 0 {
		o.since = time.Time{}
	}
}

// refused says that the server could not be reached at all: no need to count to five.
func (o *outage) refused() {
	o.count.Lock()
	defer o.count.Unlock()
	o.away = true
}

func (o *outage) isAway() bool {
	o.count.Lock()
	defer o.count.Unlock()
	return o.away
}

// pause returns how long to wait before a write that was refused is tried again, growing while nothing gets through;
// false when patience has run out.
func (o *outage) pause(patience time.Duration) (time.Duration, bool) {
	o.count.Lock()
	defer o.count.Unlock()
	now := time.Now()
	if o.since.IsZero() {
		o.since = now
	}
	waited := now.Sub(o.since)
	return min(max(waited/4, probeFirst), probeLongest), waited < patience
}

// reachable returns when writes may go out: at once, or when a cheap read has succeeded again.
func (e *engine) reachable(ctx context.Context) error {
	if !e.out.isAway() {
		return nil
	}
	if err := e.out.probe.take(ctx); err != nil {
		return err
	}
	defer e.out.probe.give()
	if !e.out.isAway() {
		return nil
	}
	for {
		if err := e.halted(ctx); err != nil {
			return err
		}
		_, err := e.Client.Me(ctx)
		if err == nil || helpscout.KindOf(err) == helpscout.Rejected {
			break
		}
		if helpscout.KindOf(err) == helpscout.Stop {
			return authStop(err)
		}
		pause, patient := e.out.pause(e.patience())
		if !patient {
			return stopf(ExitLeft, "everything is saved; the same command goes on when the server is back",
				"the server has not answered for %s (%v)", e.patience().Round(time.Second), err)
		}
		e.tell(Event{
			Kind: EventWait, Why: "the server does not answer", Until: time.Now().Add(pause),
			Text: fmt.Sprintf("the server does not answer (%v); asking again in %s", err, pause.Round(time.Second)),
		})
		if err := e.sleep(ctx, pause); err != nil {
			return err
		}
	}
	e.out.count.Lock()
	e.out.away = false
	e.out.count.Unlock()
	return nil
}

func (e *engine) patience() time.Duration {
	if p := time.Duration(e.Options.OutagePatience); p > 0 {
		return p
	}
	return defaultPatience
}

func authStop(err error) *Stop {
	hint := "check HELPSCOUT_APP_ID and HELPSCOUT_APP_SECRET; the app must belong to an active user with access to the API"
	if helpscout.StatusOf(err) == 403 {
		hint = "the token is valid but may not do this: check the user's role and mailbox permissions"
	}
	return &Stop{Code: ExitAuth, Err: err, Hint: hint}
}

// sleep waits, but not beyond a Ctrl-C.
func (e *engine) sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return errInterrupted
	}
}

var errInterrupted = &Stop{Code: ExitInterrupted, Err: fmt.Errorf("interrupted"), Hint: "everything is saved; the same command goes on from here"}

// halted says why nothing new may begin, or nil.
func (e *engine) halted(ctx context.Context) error {
	if ctx.Err() != nil {
		return errInterrupted
	}
	if c := e.stop.get(); c != nil {
		return c
	}
	return nil
}

// streak ends a run early when every record is refused for the same reason: then the configuration or the account is
// wrong, not the records.
type streak struct {
	mu      sync.Mutex
	reason  string
	ids     []int64
	results int // of this run so far
	good    int
	since   time.Time // when the first request of the streak went out
	broken  bool
}

// numbers are what makes one reason look like many.
var numbers = regexp.MustCompile(`\d+`)

const (
	streakLong  = 50
	streakFirst = 12 // when they are the very first results of a run
)

// rejected counts a refusal; it returns the ids of the streak when it has become one.
func (s *streak) rejected(id int64, reason string, sent time.Time) []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results++
	if reason = numbers.ReplaceAllString(reason, "#"); reason != s.reason { // threads[3] and threads[7] are alike
		s.reason, s.ids, s.since = reason, nil, sent
	}
	s.ids = append(s.ids, id)
	if !s.broken && (len(s.ids) >= streakLong || len(s.ids) >= streakFirst && len(s.ids) == s.results) {
		s.broken = true
		return s.ids
	}
	if s.broken { // workers that were still in flight
		return s.ids
	}
	return nil
}

// success ends a streak, unless its request went out before the streak began.
func (s *streak) success(sent time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results++
	s.good++
	if !s.broken && !sent.Before(s.since) {
		s.reason, s.ids = "", nil
	}
}

// any reports that something has been created in this run.
func (s *streak) any() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.good > 0
}
