package checkpoint

import (
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// State is where a part or an effect stands.
type State string

// The states; doc.go shows the moves between them. Effects are never Deleted.
const (
	Pending  State = "pending"
	Sending  State = "sending"
	Created  State = "created"
	Rejected State = "rejected"
	InDoubt  State = "in_doubt"
	Deleted  State = "deleted"
)

// How says how a created part came to be ours.
type How string

// The ways: by our own call, found again after a doubt, claimed by recover.
const (
	ByCreate   How = "created"
	ByRecovery How = "recovered"
	ByAdoption How = "adopted"
)

// The codes of the schema are the indexes of these.
var (
	states = [...]State{Pending, Sending, Created, Rejected, InDoubt, Deleted}
	hows   = [...]How{"", ByCreate, ByRecovery, ByAdoption}
)

// stateColumn and howColumn are State and How as the schema has them.
type (
	stateColumn State
	howColumn   How
)

func (c stateColumn) Value() (driver.Value, error) {
	for i, s := range states {
		if s == State(c) {
			return int64(i), nil
		}
	}
	return nil, fmt.Errorf("%q is not a state", string(c))
}

func (c *stateColumn) Scan(v any) error {
	i, ok := v.(int64)
	if !ok || i < 0 || i >= int64(len(states)) {
		return fmt.Errorf("%v is not the code of a state", v)
	}
	*c = stateColumn(states[i])
	return nil
}

func (c howColumn) Value() (driver.Value, error) {
	for i, h := range hows {
		if h == How(c) {
			return int64(i), nil
		}
	}
	return nil, fmt.Errorf("%q is not a way to become ours", string(c))
}

func (c *howColumn) Scan(v any) error {
	i, ok := v.(int64)
	if !ok || i < 0 || i >= int64(len(hows)) {
		return fmt.Errorf("%v is not the code of a way", v)
	}
	*c = howColumn(hows[i])
	return nil
}

// packed is a key or a digest: 64 lower-case hexadecimal digits take 32 bytes, anything else is kept as it is. The
// same string always gives the same value, so packed columns can be compared.
type packed string

func (p packed) Value() (driver.Value, error) {
	if len(p) != 64 {
		return string(p), nil
	}
	for i := range len(p) {
		if c := p[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return string(p), nil
		}
	}
	return hex.DecodeString(string(p))
}

func (p *packed) Scan(v any) error {
	switch v := v.(type) {
	case []byte:
		*p = packed(hex.EncodeToString(v))
	case string:
		*p = packed(v)
	default:
		return fmt.Errorf("%T is neither a key nor a digest", v)
	}
	return nil
}

// stamp is a time in unix milliseconds; the zero time is 0.
type stamp time.Time

func (s stamp) Value() (driver.Value, error) {
	if time.Time(s).IsZero() {
		return int64(0), nil
	}
	return time.Time(s).UnixMilli(), nil
}

func (s *stamp) Scan(v any) error {
	ms, ok := v.(int64)
	if !ok {
		return fmt.Errorf("%T is not a time", v)
	}
	if ms == 0 {
		*s = stamp{}
		return nil
	}
	*s = stamp(time.UnixMilli(ms).UTC())
	return nil
}

// maxReason bounds, in bytes, what a server may say into the database.
const maxReason = 2000

// clip cuts a text to maxReason bytes, at a whole character.
func clip(s string) string {
	if len(s) > maxReason {
		s = s[:maxReason-len("…")] + "…"
	}
	return strings.ToValidUTF8(s, "")
}

// orNil keeps what is stored: an empty digest or evidence is NULL, and the statement takes the old value for NULL.
func orNil[T ~string | ~[]byte](v T) any {
	if len(v) == 0 {
		return nil
	}
	return v
}
