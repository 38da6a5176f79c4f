package mail

import (
	"html"
	"slices"
	"strings"

	"hsimport/sources"
)

// Read decodes a whole message and returns its header beside it. It never fails: whatever is damaged gives the best
// readable text, and Problems say what was seen. Key and Digest are not set: identity is the format's to decide, which
// knows how its copies differ. Attachments carry size and SHA-256; their Open calls reopen, which returns the same raw
// bytes again, and decodes from there, so that nothing of a message stays in memory. With a nil reopen they hold raw.
func Read(raw []byte, reopen func() ([]byte, error), opts Options) (*sources.Message, *Head) {
	if reopen == nil {
		held := raw
		reopen = func() ([]byte, error) { return held, nil }
	}
	raw = unixEnds(raw)
	h, f, d := readHead(raw, opts)
	m := &sources.Message{
		ID:        h.MessageID,
		ReplyTo:   h.ReplyTo,
		To:        h.To,
		Cc:        h.Cc,
		Bcc:       h.Bcc,
		Subject:   h.Subject,
		Labels:    h.Labels,
		Auto:      h.Auto,
		Mailer:    h.Mailer,
		Received:  h.Received,
		CreatedAt: h.Date,
		Position:  opts.Position,
	}
	m.Author = h.author()
	n := &notes{at: opts.Position, list: h.Problems}
	b := &builder{raw: raw, reopen: reopen, d: d, n: n, at: opts.Position}
	root := parseTree(raw, f, n)
	b.finish(b.walk(root, nil), m)
	m.Attachments = b.files
	m.Problems = n.list
	return m, h
}

// author is who wrote the mail: the first From, else Sender, else Reply-To.
func (h *Head) author() sources.Person {
	for _, people := range [][]sources.Person{h.From, h.Sender, h.ReplyTo} {
		if hasAddress(people) {
			if len(h.From) > 0 && h.From[0].Email == "" && h.From[0].Name != "" && people[0].Name == "" {
				people[0].Name = h.From[0].Name
			}
			return people[0]
		}
	}
	if len(h.From) > 0 {
		return h.From[0]
	}
	return sources.Person{}
}

// A piece is a stretch of the body in the order of the message: text, HTML, or an image that stands between them.
type piece struct {
	text  string
	html  bool
	image *sources.Attachment
	rank  int // how rich it is: what multipart/alternative chooses by
}

// The ranks of a piece.
const (
	rankEmpty = iota
	rankPoor  // enriched text, RTF: shown only when there is nothing else
	rankText
	rankHTML
)

func rankOf(pieces []piece) int {
	best := rankEmpty
	for _, p := range pieces {
		best = max(best, p.rank)
	}
	return best
}

// finish makes the body of the pieces and marks the attachments that it shows.
func (b *builder) finish(pieces []piece, m *sources.Message) {
	if rankOf(pieces) == rankEmpty && b.tnef != nil {
		pieces = append(pieces, *b.tnef)
	}
	if rankOf(pieces) == rankHTML {
		m.Body, m.Format = joinHTML(pieces), sources.HTML
	} else {
		m.Body, m.Format = joinText(pieces), sources.Text
	}
	b.markInline(m)
}

// joinText joins text pieces with a blank line between them.
func joinText(pieces []piece) string {
	var texts []string
	for _, p := range pieces {
		if p.image == nil && p.rank > rankEmpty {
			texts = append(texts, p.text)
		}
	}
	if len(texts) == 1 {
		return texts[0]
	}
	for i := range texts {
		texts[i] = strings.Trim(texts[i], "\n")
	}
	return strings.Join(texts, "\n\n")
}

// joinHTML joins pieces of which one at least is HTML. Text between them is escaped; an image that no HTML shows stands
// where it stood in the message.
func joinHTML(pieces []piece) string {
	pieces = slices.DeleteFunc(pieces, func(p piece) bool { return p.image == nil && p.rank == rankEmpty })
	if len(pieces) == 1 {
		return pieces[0].text
	}
	shown := map[string]bool{}
	for _, p := range pieces {
		if p.html {
			for _, id := range contentIDsIn(p.text) {
				shown[id] = true
			}
		}
	}
	var out strings.Builder
	for _, p := range pieces {
		switch {
		case p.html:
			out.WriteString(p.text)
		case p.image != nil:
			if p.image.ContentID == "" {
				p.image.ContentID = p.image.SHA256[:16] + "@inline"
			}
			if !shown[p.image.ContentID] {
				out.WriteString(`<div><img src="cid:` + html.EscapeString(p.image.ContentID) + `"></div>`)
			}
		case p.rank > rankEmpty:
			text := html.EscapeString(strings.Trim(p.text, "\n"))
			out.WriteString("<div>" + strings.ReplaceAll(text, "\n", "<br>\n") + "</div>")
		}
		out.WriteByte('\n')
	}
	return strings.TrimRight(out.String(), "\n")
}
