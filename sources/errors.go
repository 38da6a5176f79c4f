package sources

import (
	"errors"
	"fmt"
)

// ErrChanged is wrapped by an error that stops a run: a record read again has another digest than at indexing.
var ErrChanged = errors.New("the file changed since it was indexed")

// A RecordError says that one ticket cannot be had; the others can. It never ends a stream.
type RecordError struct {
	Key      Key
	Position Position
	Err      error
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("%s: %v", e.Position, e.Err)
}

// Unwrap returns the cause.
func (e *RecordError) Unwrap() error { return e.Err }

// An InputError is about the input as a whole: missing, empty, of the wrong kind, without a named column. Hint says
// what the person can do and may be empty.
type InputError struct {
	Position Position
	Err      error
	Hint     string
}

func (e *InputError) Error() string {
	return fmt.Sprintf("%s: %v", e.Position, e.Err)
}

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// String is file:line, or file@offset where lines mean nothing.
func (p Position) String() string {
	switch {
	case p.Line > 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	case p.Offset > 0:
		return fmt.Sprintf("%s@%d", p.File, p.Offset)
	}
	return p.File
}
