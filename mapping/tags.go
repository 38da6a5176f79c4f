package mapping

import (
	"strings"

	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// tags are the ticket's own, renamed and prefixed as configured, a mail's labels but for those that mail programs set,
// and the job's tag. None stands there twice, whatever its case: Help Scout does not tell tags apart by it.
func (w *work) tags() []string {
	var out []string
	seen := map[string]bool{}
	add := func(tag, prefix string) {
		if tag = oneLine(tag); tag == "" {
			return
		}
		tag = shorten(prefix+tag, 200)
		if !seen[fold(tag)] {
			seen[fold(tag)] = true
			out = append(out, tag)
		}
	}
	legacy := w.t.Tags
	if w.t.Kind == sources.Mail {
		for _, l := range w.t.Labels {
			if _, named := w.m.Tags[fold(l)]; named || !isSystemLabel(l) {
				legacy = append(legacy[:len(legacy):len(legacy)], l)
			}
		}
	}
	for _, t := range legacy {
		if to, ok := w.m.Tags[fold(t)]; ok {
			add(to, "") // a person has written the whole name
		} else {
			add(t, w.m.TagPrefix)
		}
	}
	if w.bulk && w.m.Bulk == "tag" {
		add("bulk", w.m.TagPrefix)
	}
	add(w.m.JobTag, "")
	return out
}

// assignee is the user or team the conversation belongs to, or nil for an explicit null. Nobody is assigned to a
// person who happens to be the fallback.
func (w *work) assignee() *int64 {
	if a := w.t.Assignee; a != nil && !unknown(*a) {
		if id, found, _ := w.m.userOf(*a, true); found {
			return &id
		}
		who := firstOf(a.Email, a.Name, a.ID)
		w.find(sources.Warning, codeAssignee, who, "assignee %s has no Help Scout user; the conversation arrives unassigned", who)
	}
	return w.team()
}

func (w *work) team() *int64 {
	group := fold(w.t.Group)
	if group == "" {
		return nil
	}
	name, ok := w.m.Groups[group]
	if !ok {
		name = group // the team may be called the same
	}
	id, found := w.m.teams[name]
	if !w.m.bound {
		found = ok
	}
	if !found {
		w.find(sources.Info, codeGroup, w.t.Group, "group %q is not in teams and is not carried over", shorten(w.t.Group, 80))
		return nil
	}
	return &id
}

// traits sums up what the plan makes use of.
func (w *work) traits(parts []*Part) (t Traits) {
	set := func(on bool, bit Traits) {
		if on {
			t |= bit
		}
	}
	set(len(parts) > 0 && w.live, HasLive)
	set(len(parts) > 1, HasSplit)
	set(len(parts) > 0 && w.placeholders, HasPlaceholder)
	for _, p := range parts {
		c := &p.Conversation
		set(c.Status == "closed", HasClosed)
		set(len(c.Tags) > 0, HasTag)
		set(len(c.Fields) > 0, HasField)
		set(c.AssignTo != nil, HasAssignee)
		set(len(p.Uploads) > 0, HasUpload)
		for _, th := range c.Threads {
			set(len(th.Attachments) > 0, HasInline)
			set(len(th.Cc) > 0, HasCc)
			t |= threadTraits[th.Type]
		}
	}
	return t
}

var threadTraits = map[string]Traits{
	helpscout.ThreadCustomer: HasCustomer, helpscout.ThreadReply: HasReply, helpscout.ThreadNote: HasNote,
	helpscout.ThreadChat: HasChat, helpscout.ThreadPhone: HasPhone,
}

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

// Customers are the addresses a plan will create or use, each once, in order: the conversation's customer first.
func (p *Plan) Customers() []string {
	var out []string
	seen := map[string]bool{}
	add := func(c *helpscout.NewCustomer) {
		if c != nil && c.Email != "" && !seen[strings.ToLower(c.Email)] {
			seen[strings.ToLower(c.Email)] = true
			out = append(out, c.Email)
		}
	}
	for _, part := range p.Parts {
		add(part.Conversation.Customer)
		for _, th := range part.Conversation.Threads {
			add(th.Customer)
		}
	}
	return out
}
