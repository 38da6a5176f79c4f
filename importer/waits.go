package importer

import (
	"context"
	"fmt"
	"math"
	"time"
)

// quietFor is how long nothing may have been told before who waits for the quota says so.
const quietFor = 15 * time.Second

// mayWrite waits until two units of the quota may be spent. A pause that the server has asked for is told at once, any
// other wait when nothing has been told for a while: between two finished parts nobody else would.
func (e *engine) mayWrite(ctx context.Context) error {
	e.tellPause()
	late := time.AfterFunc(quietFor, e.tellQuiet)
	defer late.Stop()
	return e.Quota.Write(ctx)
}

// tellPause tells, once for each pause, that the server has answered 429 and until when nothing goes out.
func (e *engine) tellPause() {
	until := e.Quota.Closed()
	if until.IsZero() {
		return
	}
	e.telling.Lock()
	told := !until.After(e.toldPause)
	if !told {
		e.toldPause = until
	}
	e.telling.Unlock()
	if !told {
		left := int(math.Ceil(time.Until(until).Seconds()))
		e.tell(Event{Kind: EventWait, Why: "429", Until: until, Text: fmt.Sprintf("the server answers 429, too many requests: nothing goes out for %s", plural(left, "second", "seconds"))})
	}
}

// tellQuiet says what the quota is waited for, unless something was told a moment ago.
func (e *engine) tellQuiet() {
	e.telling.Lock()
	quiet := time.Since(e.toldAt) >= quietFor
	e.telling.Unlock()
	if why := e.Quota.Why(); quiet && why != "" {
		e.tell(Event{Kind: EventWait, Why: why, Text: why, Until: e.Quota.Closed()})
	}
}
