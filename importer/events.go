package importer

import "time"

// An Event is something a person may want to see while a run is going on. Only the members of its Kind are set.
type Event struct {
	Kind EventKind
	At   time.Time
	// Progress: parts done and still to do, and what the quota says.
	Done, Todo   int
	Units        int
	Rate         float64   // units a minute permitted now
	Why          string    // why nothing goes out right now; empty when it does
	Until        time.Time // Wait: when it ends or is looked at again, where that is known
	Text         string
	Key          string
	Conversation int64
}

// EventKind names what an Event tells.
type EventKind uint8

// The kinds of events.
const (
	EventPhase    EventKind = iota // Text: what begins now
	EventPart                      // a part has reached a final state; Done and Todo are counted
	EventWait                      // Why and Text: what is being waited for
	EventWarning                   // Text: something a person should know at once
	EventRejected                  // Key and Text
)

// tell hands an event to whoever watches; the mutex keeps workers from telling two at a time.
func (e *engine) tell(ev Event) {
	if e.Progress == nil {
		return
	}
	e.telling.Lock()
	defer e.telling.Unlock()
	ev.At = time.Now()
	e.toldAt = ev.At
	ev.Done, ev.Todo = e.done, e.todo
	if e.Quota != nil {
		ev.Units, ev.Rate = e.Quota.Stats().Units, e.Quota.Rate()
		if ev.Kind == EventPart && ev.Why == "" {
			ev.Why = e.Quota.Why()
		}
	}
	e.Progress(ev)
}

// finished counts one part that has reached a final state and tells it.
func (e *engine) finished(key string, conversation int64) {
	e.telling.Lock()
	e.done++
	e.telling.Unlock()
	e.tell(Event{Kind: EventPart, Key: key, Conversation: conversation})
}
