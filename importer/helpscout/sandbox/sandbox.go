package sandbox

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options make a sandbox. The zero value is a small team's empty account with the documented defaults.
type Options struct {
	Settings  Settings // the zero value: Defaults()
	Seed      Seed     // the zero value: DefaultSeed()
	Faults    Faults
	AppID     string // with AppSecret: the only credentials that get a token; both empty: any pair does
	AppSecret string
	Log       string            // file of JSON lines that keeps the state; empty: memory only. An existing one is continued
	Webhooks  http.RoundTripper // how webhooks are delivered; nil: over a connection each
}

// Sandbox is one account of the service. It is an [http.Handler]; all methods may be called at any time from any
// goroutine. It keeps time by the time package alone, so that a sandbox made inside a testing/synctest bubble lives
// in virtual time.
type Sandbox struct {
	opts   Options
	set    atomic.Pointer[Settings]
	now    atomic.Pointer[account] // replaced by Reset
	change sync.Mutex              // serialises Configure and Reset
	log    *stateLog
	routes routeTable

	done   chan struct{}
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	mu     sync.Mutex // guards timers and closed
	timers map[*time.Timer]struct{}
	closed bool
	wg     sync.WaitGroup
}

// account is what Reset replaces. A call keeps the one it came to.
type account struct {
	world    *world
	quota    *quota
	fault    atomic.Pointer[injector]
	auth     *tokens
	calls    *callLog
	hooks    *courier
	dice     atomic.Uint64
	inFlight atomic.Int64
}

// New opens an account: a fresh one, or that of Options.Log.
func New(o Options) (*Sandbox, error) {
	if o.Settings == (Settings{}) {
		o.Settings = Defaults()
	}
	if o.Settings.QuotaWindow == "" || o.Settings.PageSize == 0 || o.Settings.MaxThreads == 0 {
		return nil, errors.New("settings: only a few fields are set; begin with sandbox.Defaults() and change those")
	}
	s := &Sandbox{opts: o, done: make(chan struct{}), timers: map[*time.Timer]struct{}{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	set := o.Settings
	s.set.Store(&set)
	s.routes = routes()
	if err := s.begin(s.opts.Faults); err != nil {
		return nil, err
	}
	if o.Log != "" {
		if err := s.openLog(o.Log); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// begin puts a fresh account in place.
func (s *Sandbox) begin(rules Faults) error {
	w, err := plant(s.opts.Seed)
	if err != nil {
		return err
	}
	a := &account{world: w, quota: &quota{rivalT: time.Now()}, calls: newCallLog(), auth: newTokens(w.seed), hooks: newCourier(s)}
	a.fault.Store(newInjector(w.seed, rules, time.Now()))
	s.now.Store(a)
	return nil
}

// Reset makes the account as it was after New: no conversations, no tokens, a full quota. Settings, fault script and
// fault function stay; the script starts anew. Late effects that are under way get lost.
func (s *Sandbox) Reset() error {
	s.change.Lock()
	defer s.change.Unlock()
	old := s.now.Load().fault.Load()
	old.mu.Lock()
	rules, fn := old.rules, old.fn
	old.mu.Unlock()
	if err := s.begin(rules); err != nil {
		return err
	}
	s.Inject(fn)
	if s.log != nil {
		return s.log.restart()
	}
	return nil
}

// Settings returns the settings in force.
func (s *Sandbox) Settings() Settings { return *s.set.Load() }

// Configure changes settings while the sandbox runs; it holds for calls that come after.
func (s *Sandbox) Configure(change func(*Settings)) {
	s.change.Lock()
	defer s.change.Unlock()
	next := *s.set.Load()
	s.now.Load().quota.look(time.Now(), &next) // what rivals used so far counts by the old share
	change(&next)
	s.set.Store(&next)
}

// Inject lets fn decide on each call before the script does; it returns nil for no fault. A nil fn takes it away.
func (s *Sandbox) Inject(fn func(op Op) *Fault) {
	j := s.now.Load().fault.Load()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.fn = fn
}

// SetFaults replaces the script; ordinals and schedules start anew.
func (s *Sandbox) SetFaults(rules Faults) {
	a := s.now.Load()
	old := a.fault.Load()
	next := newInjector(a.world.seed, rules, time.Now())
	old.mu.Lock()
	next.fn = old.fn
	old.mu.Unlock()
	a.fault.Store(next)
}

// RevokeTokens makes every access token invalid at once.
func (s *Sandbox) RevokeTokens() { s.now.Load().auth.revoke("") }

// Close ends what is going on: calls that hang, webhooks and late effects that are due. It waits for their goroutines
// and closes the log.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	for t := range s.timers {
		if t.Stop() {
			s.wg.Done()
		}
	}
	clear(s.timers)
	close(s.done)
	s.cancel()
	s.mu.Unlock()
	s.wg.Wait()
	if s.log != nil {
		return s.log.close()
	}
	return nil
}

// later runs fn after d unless the sandbox is closed before.
func (s *Sandbox) later(d time.Duration, fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.wg.Add(1)
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		defer s.wg.Done()
		s.mu.Lock()
		delete(s.timers, t)
		closed := s.closed
		s.mu.Unlock()
		if !closed {
			fn()
		}
	})
	s.timers[t] = struct{}{}
}

// goes runs fn in a goroutine that Close waits for; it reports whether it was started.
func (s *Sandbox) goes(fn func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.wg.Go(fn)
	return true
}

// sleep waits for d, or until Close.
func (s *Sandbox) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.done:
	}
}

// latency is half the time of an answer: a call waits for it on its way in and on its way out.
func (c *call) latency() time.Duration {
	if c.set.Latency == 0 && c.set.LatencyJitter == 0 {
		return 0
	}
	dice := float64(mix(c.world.seed, 77, c.dice.Add(1))>>11) / (1 << 53)
	return max(0, c.set.Latency+time.Duration((2*dice-1)*float64(c.set.LatencyJitter))) / 2
}

// errClosed answers round trips of a closed sandbox.
var errClosed = errors.New("sandbox: closed")
