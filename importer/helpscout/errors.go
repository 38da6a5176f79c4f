package helpscout

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind sorts failures by what the caller must do. It is decided once, here, and nowhere else.
type Kind uint8

// The kinds of failure.
const (
	// Rejected: the server refused this record and certainly did not apply it (400, 403, 404, 409, 412, 415, 422,
	// 423 and 413, which has TooLarge set).
	Rejected Kind = iota + 1
	// Wait: certainly not applied, and nothing is wrong with the record: 429, connection refused, no such host.
	Wait
	// InDoubt: it may have been applied, now or in a while: time-out, reset, EOF, any 5xx, 408, a 3xx on a write,
	// an unknown 4xx, a 2xx without a usable id. For a read it only means: no answer, ask again.
	InDoubt
	// Stop: nothing will work until a person does something: 401 with a fresh token, credentials refused.
	Stop
)

// String is the word used in logs.
func (k Kind) String() string {
	return [...]string{"", "rejected", "wait", "in doubt", "stop"}[k]
}

// An Error is a request that did not bring what it was sent for.
type Error struct {
	Kind          Kind
	Method, Path  string // without query and without any secret
	Status        int    // 0 when there was no answer
	Message       string // the server's words, shortened; never a secret
	Fields        []FieldError
	CorrelationID string        // the server's name for this request, for its support
	After         time.Duration // of a 429: how long to wait; 0 when the server did not say
	TooLarge      bool          // a 413: the same record may go out in smaller pieces
	Location      string        // of a 301: where the entity is now
	Err           error         // the transport's error, when there was no answer
}

// A FieldError is one entry of the server's validation answer.
// https://developer.helpscout.com/mailbox-api/overview/errors
type FieldError struct {
	Path     string `json:"path"`
	Message  string `json:"message"`
	Rejected string `json:"rejectedValue"`
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: ", e.Method, e.Path)
	if e.Status != 0 {
		fmt.Fprintf(&b, "%d ", e.Status)
	}
	b.WriteString(e.Reason())
	return b.String()
}

// Reason is the server's words without the request: the cause that reports group by.
func (e *Error) Reason() string {
	parts := make([]string, 0, len(e.Fields)+1)
	for _, f := range e.Fields {
		parts = append(parts, strings.TrimSpace(f.Path+" "+f.Message))
	}
	switch {
	case len(parts) > 0:
		return strings.Join(parts, "; ")
	case e.Message != "":
		return e.Message
	case e.Err != nil:
		return e.Err.Error()
	}
	return "no explanation"
}

// Unwrap returns the transport's error.
func (e *Error) Unwrap() error { return e.Err }

// KindOf sorts any error of the client; one it does not know is InDoubt, the careful choice.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return InDoubt
}

// StatusOf is the HTTP status behind err, or 0.
func StatusOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}
