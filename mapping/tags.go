package mapping

import (
	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// maxTag is a bound of ours: the server's is not known.
const maxTag = 200

// tags are the ticket's own, renamed and prefixed as configured, a mail's labels but for those that mail programs set,
// and the job's tag. None stands there twice, whatever its case: Help Scout does not tell tags apart by it.
func (w *work) tags() []string {
	var out []string
	var seen few[string, struct{}]
	add := func(tag, prefix string) {
		if tag = oneLine(tag); tag == "" {
			return
		}
		tag, cut := cutUnits(prefix+tag, maxTag)
		if cut {
			w.find(sources.Warning, codeTagCut, tag, "a tag of more than %d characters is shortened to %q", maxTag, tag)
		}
		if key := fold(tag); !seen.has(key) {
			seen.put(key, struct{}{})
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
		id, found, left := w.m.userOf(*a, true)
		who := firstOf(a.Email, a.Name, a.ID)
		switch {
		case found:
			if group := oneLine(w.t.Group); group != "" {
				w.find(sources.Info, codeGroupBehind, group, "group %q is not carried over: the conversation is assigned to %s", shorten(group, 80), who)
			}
			return &id
		case left:
			w.find(sources.Info, codeAssigneeLeft, who, "assignee %s has left; the conversation is not assigned to a person", who)
		default:
			w.find(sources.Warning, codeAssignee, who, "assignee %s has no Help Scout user; the conversation is not assigned to a person", who)
		}
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
	if len(parts) > 0 {
		t |= w.routed()
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
