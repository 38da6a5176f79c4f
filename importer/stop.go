package importer

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Exit codes, the same for every command. Precedence when several apply: 2, 4, 7, 8, then 1, 130, 5, 6, 3, 0.
const (
	ExitOK          = 0
	ExitUnexpected  = 1 // or sums that do not close
	ExitUsage       = 2 // configuration, or a finding that blocks the job
	ExitRejected    = 3 // finished, some records rejected or unreadable
	ExitAuth        = 4
	ExitLeft        = 5 // stopped with work left
	ExitDoubt       = 6 // records in doubt or ambiguous left
	ExitCheckpoint  = 7 // locked, of another job, lost or stale
	ExitDrift       = 8 // plan or mapping differs
	ExitInterrupted = 130
)

// A Stop is why a run ended before its work was done: one cause, its exit code, and what the person can do.
type Stop struct {
	Code int
	Err  error
	Hint string
}

func (s *Stop) Error() string { return s.Err.Error() }

// Unwrap returns the cause.
func (s *Stop) Unwrap() error { return s.Err }

func stopf(code int, hint, format string, args ...any) *Stop {
	return &Stop{Code: code, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// asStop makes any error a Stop; what nobody foresaw is 1.
func asStop(err error) *Stop {
	var s *Stop
	if errors.As(err, &s) {
		return s
	}
	if errors.Is(err, context.Canceled) {
		return errInterrupted
	}
	return &Stop{Code: ExitUnexpected, Err: err}
}

// stopper remembers the first reason to stop; workers look at it before each new effect.
type stopper struct {
	mu    sync.Mutex
	cause *Stop
}

func (s *stopper) set(c *Stop) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		s.cause = c
	}
}

func (s *stopper) get() *Stop {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}
