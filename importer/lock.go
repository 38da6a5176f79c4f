package importer

import "context"

// A turn is a lock that is held over network calls: waiting for it ends with the context, and it blocks in a way that
// virtual time understands (a mutex does not). The zero value is not usable.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// take waits for the turn, or for the end of ctx.
func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return errInterrupted
	}
}

func (t turn) give() { <-t }
