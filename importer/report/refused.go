package report

import (
	"html"
	"strings"

	"hsimport/mapping"
	"hsimport/sources"
)

// Bounds of what the page shows of tickets that are refused.
const (
	keptRefused    = 12 // tickets
	refusedThreads = 5  // messages of each
)

// refused keeps some of the tickets that do not come along, each as the source has it: there is no conversation to show.
func (s *sampler) refused(c *Collector, t *sources.Ticket, p *mapping.Plan) {
	if s.nRefused == keptRefused || len(s.kept) >= maxSampled {
		return
	}
	s.nRefused++
	s.kept[sources.Key(strings.Clone(string(t.Key)))] = c.refusedPreview(t, p)
}

func (c *Collector) refusedPreview(t *sources.Ticket, p *mapping.Plan) *preview {
	v := &preview{refused: clip(p.Refused, 400)}
	v.ref = ticketRef{
		Key: clip(string(p.Key), 120), ID: clip(p.ID, 60), Place: clip(p.Position.String(), 200), Subject: clip(firstOf(t.Subject, "(no subject)"), 120),
		Customer: label(t.Requester), Status: clip(t.Status, 80),
	}
	v.found(p)
	part := previewPart{
		number: 1, of: 1, subject: clip(firstOf(t.Subject, "(no subject)"), 250), status: "refused", kind: "as the source has it",
		customer: clip(t.Requester.Name, 90), address: clip(t.Requester.Email, 254), created: "at no known time",
	}
	if t.Assignee != nil {
		part.assignee = party{name: label(*t.Assignee)}
	}
	if !t.CreatedAt.IsZero() {
		part.created = t.CreatedAt.UTC().Format(stampLayout)
	}
	for i, m := range t.Messages {
		if i == refusedThreads {
			v.unshown = len(t.Messages) - i
			break
		}
		part.threads = append(part.threads, c.refusedThread(v, m))
	}
	v.parts = []previewPart{part}
	return v
}

func (c *Collector) refusedThread(v *preview, m *sources.Message) previewThread {
	out := previewThread{kind: "source", word: clip(firstOf(m.Kind, "wrote"), 40), who: label(m.Author), at: "no date"}
	if !m.CreatedAt.IsZero() {
		out.at = m.CreatedAt.UTC().Format(stampLayout)
	}
	text := m.Body
	if m.Format != sources.HTML {
		text = strings.ReplaceAll(html.EscapeString(text[:min(len(text), 4*maxBody)]), "\n", "<br>")
	}
	out.body, out.cut = safeBody(text, max(0, min(maxBody/2, maxTicketBody-v.size)))
	v.size += escapedLen(out.body)
	for _, a := range m.Attachments[:min(len(m.Attachments), maxShownFiles)] {
		out.files = append(out.files, previewFile{Name: clip(a.Name, 120), Type: clip(a.MIMEType, 80), Size: a.Size})
	}
	out.more = len(m.Attachments) - len(out.files)
	return out
}
