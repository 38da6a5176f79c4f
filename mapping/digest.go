package mapping

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"

	"hsimport/importer/helpscout"
)

// Digest is of everything but the ticket that decides what Map returns: Version, the configuration with its defaults
// resolved, the zone database, and what the account is asked for (ids of users by address, the mailbox, its fields,
// teams). It changes exactly when output may.
func (m *Mapper) Digest() string { return m.digest }

func (m *Mapper) makeDigest() string {
	return digestOf(struct {
		Version  int
		Settings settings
		Bound    bool
		Mailbox  int64
		Users    map[string]int64
		Teams    map[string]int64
		Fields   map[string]*field
		Fallback int64
		Boxes    []boxDigest `json:",omitempty"`
	}{Version, m.settings, m.bound, m.boxes[0].mailbox.ID, m.users, m.teams, m.boxes[0].fields, m.fallback, m.furtherBoxes()})
}

// TargetDigest is of the account's side alone, as far as it decides output.
func (m *Mapper) TargetDigest() string {
	return digestOf(struct {
		Bound    bool
		Mailbox  int64
		Users    map[string]int64
		Teams    map[string]int64
		Fields   map[string]*field
		Fallback int64
		Boxes    []boxDigest `json:",omitempty"`
	}{m.bound, m.boxes[0].mailbox.ID, m.users, m.teams, m.boxes[0].fields, m.fallback, m.furtherBoxes()})
}

// boxDigest is what decides output of a mailbox that routes name.
type boxDigest struct {
	Mailbox int64
	Fields  map[string]*field
}

func (m *Mapper) furtherBoxes() (out []boxDigest) {
	for _, b := range m.boxes[1:] {
		out = append(out, boxDigest{b.mailbox.ID, b.fields})
	}
	return out
}

// digestOf is the hex SHA-256 of v's canonical JSON; maps are written in the order of their keys.
func digestOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("mapping: a value of ours does not marshal: " + err.Error()) // plain structs and maps always do
	}
	return hexDigest(b)
}

// hexDigest is the hex SHA-256 of b.
func hexDigest(b []byte) string {
	sum := sha256.Sum256(b)
	var text [2 * sha256.Size]byte
	hex.Encode(text[:], sum[:])
	return string(text[:])
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// withBytes calls use with what write appends to a buffer that is kept for the next call; the bytes are use's only
// until it returns.
func withBytes(write func([]byte) []byte, use func([]byte)) {
	p := buffers.Get().(*[]byte)
	*p = write((*p)[:0])
	use(*p)
	if cap(*p) < 1<<22 {
		buffers.Put(p)
	}
}

// withBody calls use with the create call of c, its attachments being symbols.
func withBody(c *helpscout.NewConversation, use func([]byte)) {
	withBytes(func(b []byte) []byte { return appendConversation(b, c) }, use)
}

// withJSON calls use with any other value in canonical JSON: HTML is not escaped, there is no final line end.
func withJSON(v any, use func([]byte)) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("mapping: a value of ours does not marshal: " + err.Error()) // they hold no channels, functions or floats
	}
	use(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

func bodyLen(c *helpscout.NewConversation) (n int) {
	withBody(c, func(b []byte) { n = len(b) })
	return n
}

func threadLen(t helpscout.NewThread) (n int) {
	withBytes(func(b []byte) []byte { return appendThread(b, t) }, func(b []byte) { n = len(b) })
	return n
}

func attachmentLen(a helpscout.NewAttachment) (n int) {
	withBytes(func(b []byte) []byte { return appendAttachment(b, a) }, func(b []byte) { n = len(b) })
	return n
}

// textLen is the length of s as a JSON string, without its quotes.
func textLen(s string) int {
	n := len(s)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\' || c == '\n' || c == '\t' || c == '\r' || c == '\b' || c == '\f':
			n++
		case c < 0x20:
			n += 5
		case c == 0xe2 && i+2 < len(s) && s[i+1] == 0x80 && s[i+2]&^1 == 0xa8:
			n += 3 // U+2028 and U+2029 are written \u2028 and \u2029
		}
	}
	return n
}

// longer reports whether the clean text s takes more than n bytes of JSON.
func longer(s string, n int) bool {
	return 2*len(s) > n && textLen(s) > n // JSON at most doubles a clean text
}

// symbolLen is the length of an attachment's symbol; base64Len of what takes its place.
const symbolLen = len("attachment:") + 64

func base64Len(n int64) int64 { return (n + 2) / 3 * 4 }

// uploadLen is the length of the call that uploads a file.
func uploadLen(a helpscout.NewAttachment, size int64) int64 {
	return int64(attachmentLen(a)) - int64(symbolLen) + base64Len(size)
}
