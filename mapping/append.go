package mapping

import (
	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// Append makes the threads of some messages of a ticket that is in Help Scout already, oldest first, for calls of
// their own; keys names the messages. Replies and notes carry the status that the ticket has now, because one without
// would reactivate the conversation (https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/reply).
// Attachments are in their threads whatever their size; files opens them by SHA-256. Each thread keeps its Type, which
// decides the endpoint and is not part of the body there. A ticket that is refused or excluded by now has no threads.
func (m *Mapper) Append(t *sources.Ticket, keys map[sources.Key]bool) (threads []helpscout.NewThread, carried []Carried, files map[string]*sources.Attachment, findings []Finding) {
	w := m.begin(t)
	if w.decide() {
		var chosen []*entry
		for _, e := range w.entries {
			if keys[e.msg.Key] {
				chosen = append(chosen, e)
			}
		}
		p := &Part{}
		for _, d := range w.threadsOf(chosen) {
			if d.thread.Type == helpscout.ThreadReply || d.thread.Type == helpscout.ThreadNote {
				d.thread.Status = w.status
			}
			p.add(d)
		}
		threads, carried, files = p.Conversation.Threads, p.Messages, p.Files
	}
	sortFindings(w.findings)
	return threads, carried, files, w.findings
}

// Continue makes further parts of a ticket that is in Help Scout already, of some messages that its conversations do not
// take any more; keys names them. The first has the given number, and each begins with a note that links to the part
// before; the last carries the ticket's status and assignee. With an of above 0 there is one part, of that many: it is
// made again as it was planned. Nothing comes of a ticket that is refused or excluded by now.
func (m *Mapper) Continue(t *sources.Ticket, keys map[sources.Key]bool, number, of int) []*Part {
	w := m.begin(t)
	if !w.decide() {
		return nil
	}
	var chosen []*entry
	for _, e := range w.entries {
		if keys[e.msg.Key] {
			chosen = append(chosen, e)
		}
	}
	ds := w.threadsOf(chosen)
	if len(ds) == 0 || w.refused != "" {
		return nil
	}
	base := w.conversation()
	cuts := []int{len(ds)}
	if of == 0 {
		cuts = w.cut(ds, base, true)
		of = number + len(cuts) - 1
	}
	var parts []*Part
	from := 0
	for i, to := range cuts {
		parts = append(parts, w.part(base, ds[from:to], number+i, of))
		from = to
	}
	return parts
}
