package importer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"hsimport/importer/helpscout"
	"hsimport/mapping"
)

// Evidence is what can be read back of a part: it is stored with the intent to create it, so that a lost answer can be
// settled, the canary compared and the whole job verified without the source and whatever the mapping has become since.
type Evidence struct {
	Mailbox int64            `json:"m"`
	Subject string           `json:"s"`
	Email   string           `json:"e,omitempty"` // of the customer, lower case
	Status  string           `json:"st"`
	Created int64            `json:"c"` // unix seconds
	Closed  int64            `json:"x,omitempty"`
	Assign  int64            `json:"a,omitempty"`
	Tags    []string         `json:"t,omitempty"` // lower case
	Fields  map[int64]string `json:"f,omitempty"`
	Threads []ThreadEvidence `json:"th"`
	// Source stands for what the source said of the ticket's state (see sourceSign) when Status was decided.
	Source string `json:"ss,omitempty"`
	// Follow are the messages of a part that came of a later export than the ticket: no split of the ticket tells them.
	Follow []string `json:"fm,omitempty"`
}

// ThreadEvidence is one thread as it can be read back.
type ThreadEvidence struct {
	Type  string         `json:"k"`
	At    int64          `json:"at"`
	Text  string         `json:"tx"` // digest of the visible text
	User  int64          `json:"u,omitempty"`
	Email string         `json:"e,omitempty"`
	Files []FileEvidence `json:"fs,omitempty"`
}

// FileEvidence is an attachment as it can be read back.
type FileEvidence struct {
	Name string `json:"n"`
	Size int64  `json:"z"`
}

// evidenceOf describes a part as it goes out. Attachments that are uploaded afterwards are not part of the create
// call, so they are not evidence of it.
func evidenceOf(c *helpscout.NewConversation, part *mapping.Part) Evidence {
	ev := Evidence{
		Mailbox: c.MailboxID, Subject: c.Subject, Status: c.Status, Created: c.CreatedAt.Unix(),
	}
	if c.Customer != nil {
		ev.Email = strings.ToLower(c.Customer.Email)
	}
	if c.ClosedAt != nil {
		ev.Closed = c.ClosedAt.Unix()
	}
	if c.AssignTo != nil {
		ev.Assign = *c.AssignTo
	}
	for _, t := range c.Tags {
		ev.Tags = append(ev.Tags, strings.ToLower(t))
	}
	for _, f := range c.Fields {
		if ev.Fields == nil {
			ev.Fields = map[int64]string{}
		}
		ev.Fields[f.ID] = f.Value
	}
	for _, t := range c.Threads {
		ev.Threads = append(ev.Threads, threadEvidence(t, part))
	}
	return ev
}

func threadEvidence(t helpscout.NewThread, part *mapping.Part) ThreadEvidence {
	te := ThreadEvidence{Type: t.Type, At: t.CreatedAt.Unix(), Text: textDigest(t.Text), User: t.User}
	if t.Customer != nil && t.Type == helpscout.ThreadCustomer {
		te.Email = strings.ToLower(t.Customer.Email)
	}
	for _, a := range t.Attachments {
		f := FileEvidence{Name: a.FileName}
		if file := part.Files[strings.TrimPrefix(a.Data, attachmentSymbol)]; file != nil {
			f.Size = file.Size
		}
		te.Files = append(te.Files, f)
	}
	return te
}

const attachmentSymbol = "attachment:"

func (ev Evidence) encode() []byte {
	b, err := json.Marshal(ev)
	if err != nil {
		return nil // a struct of strings and numbers marshals
	}
	return b
}

func decodeEvidence(b []byte) (ev Evidence, ok bool) {
	return ev, len(b) > 0 && json.Unmarshal(b, &ev) == nil
}

// textDigest is of what a reader sees: tags, entities, white space and the server's known rewrites (<br> to <br />,
// attribute order, added rel) do not count.
func textDigest(s string) string {
	visible := make([]byte, 0, len(s))
	in := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '<':
			in = true
		case c == '>' && in:
			in = false
		case !in:
			visible = append(visible, c)
		}
	}
	if bytes.IndexByte(visible, '&') >= 0 {
		visible = []byte(html.UnescapeString(string(visible)))
	}
	sum := sha256.Sum256(inked(visible))
	return hex.EncodeToString(sum[:12])
}

// inked takes out what leaves no mark, in place; bytes that are not UTF-8 become the replacement character.
func inked(text []byte) []byte {
	out := text[:0]
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			if i++; c != ' ' && (c < '\t' || c > '\r') {
				out = append(out, c)
			}
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 { // one byte becomes three: not in place
			return inked([]byte(string([]rune(string(slices.Concat(out, text[i:]))))))
		}
		if !unicode.IsSpace(r) && r != '\u00a0' && r != '\u200b' {
			out = append(out, text[i:i+n]...)
		}
		i += n
	}
	return out
}

func sameSubject(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}
