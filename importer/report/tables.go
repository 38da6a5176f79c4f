package report

import (
	"slices"
	"strings"

	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// tables count what each legacy value becomes.
type tables struct {
	agentTable, tagTable map[string]string // of the configuration, folded
	fieldTable           map[string]map[string]string
	prefix               string

	statuses, channels, kinds, groups tally[pair]
	inboxes                           tally[pair]   // to the mailbox as the configuration names it, or usualBox
	boxes                             tally[string] // the same mailboxes
	agents, assignees                 tally[personPair]
	tags                              tally[pair]
	fields                            map[string]*fieldTally
	fieldOrder                        []string
	moreFields                        int // values of fields beyond maxFields
}

// A pair is a legacy value and what it becomes. Open: nobody said so, it is the result of a fallback.
type pair struct {
	from, to string
	open     bool
}

// A personPair is a legacy person and the user or team who takes their place. How is empty, or one of the words below.
type personPair struct {
	from string
	to   party
	how  string
}

const (
	howUnmapped = "unmapped" // the fallback user writes, or nobody is assigned
	howDeparted = "departed" // the table says that they have left
	howAssumed  = "assumed"  // taken to be a user, because the account was not asked
)

// A fieldTally counts the values of one custom field.
type fieldTally struct {
	name   string
	filled int
	values tally[pair]
}

func newTables(o mapping.Options) tables {
	t := tables{agentTable: map[string]string{}, tagTable: map[string]string{}, prefix: o.TagPrefix, fields: map[string]*fieldTally{}, fieldTable: map[string]map[string]string{}}
	for k, v := range o.Agents {
		t.agentTable[fold(k)] = fold(v)
	}
	for k, v := range o.Tags {
		t.tagTable[fold(k)] = strings.Join(strings.Fields(v), " ")
	}
	for name, values := range o.FieldValues {
		table := map[string]string{}
		for k, v := range values {
			table[fold(k)] = strings.TrimSpace(v)
		}
		t.fieldTable[fold(name)] = table
	}
	t.statuses, t.channels, t.kinds, t.groups = newTally[pair](maxWords), newTally[pair](maxWords), newTally[pair](maxWords), newTally[pair](maxWords)
	t.inboxes, t.boxes = newTally[pair](maxWords), newTally[string](maxWords)
	t.agents, t.assignees, t.tags = newTally[personPair](maxParties), newTally[personPair](maxParties), newTally[pair](maxTags)
	return t
}

// found tells which findings a plan has, by code and by code and value.
func found(p *mapping.Plan, code, value string) bool {
	return slices.ContainsFunc(p.Findings, func(f mapping.Finding) bool { return f.Code == code && (value == "" || fold(f.Value) == fold(value)) })
}

// status counts every ticket, those that do not come along too.
func (t *tables) status(ticket *sources.Ticket, p *mapping.Plan) {
	from := clip(ticket.Status, 80)
	if from == "" {
		from = "(none)"
		if ticket.Kind == sources.Mail {
			from = "(mail)"
		}
	}
	x := pair{from: from, open: found(p, "status-unmapped", "") || found(p, "status-defaulted", "")}
	switch {
	case p.Excluded != "":
		x.to = "left out: " + clip(p.Excluded, 80)
	case p.Refused != "":
		x.to = "refused"
	case len(p.Parts) > 0:
		x.to = p.Parts[len(p.Parts)-1].Conversation.Status
		if found(p, "closed-inactive", "") {
			x.to += ", by close_inactive"
		}
	}
	t.statuses.add(x, 1)
}

// see counts the values of a ticket that comes along.
func (t *tables) see(c *Collector, ticket *sources.Ticket, p *mapping.Plan) {
	last := p.Parts[len(p.Parts)-1]
	conv := &last.Conversation
	if ticket.Channel != "" {
		t.channels.add(pair{clip(ticket.Channel, 80), conv.Type, found(p, "channel-assumed", "")}, 1)
	}
	t.boxes.add(p.Mailbox, 1)
	if ticket.Inbox != "" {
		t.inboxes.add(pair{from: clip(ticket.Inbox, 80), to: p.Mailbox}, 1)
	}
	t.assignee(ticket, p, last)
	t.tagsOf(ticket, conv)
	t.fieldsOf(ticket, p)
	for _, part := range p.Parts {
		t.authors(c, p, part)
	}
}

func (t *tables) assignee(ticket *sources.Ticket, p *mapping.Plan, last *mapping.Part) {
	to := last.Conversation.AssignTo
	if a := ticket.Assignee; a != nil && (a.Email != "" || a.Name != "" || a.ID != "") {
		x := personPair{from: label(*a)}
		entry, listed := t.agent(*a)
		switch {
		case listed && entry == "":
			x.how = howDeparted
		case found(p, "assignee-unmapped", ""):
			x.how = howUnmapped
		case to != nil:
			x.to = assignee(ticket, last)
		}
		t.assignees.add(x, 1)
	}
	if ticket.Group != "" {
		x := pair{from: clip(ticket.Group, 80), to: "team", open: found(p, "group-unmapped", "")}
		switch {
		case x.open:
			x.to = ""
		case to != nil && ticket.Assignee != nil:
			x.to = "the assignee goes before it"
		}
		t.groups.add(x, 1)
	}
}

// authors counts who writes the replies and notes that carry messages of the team, and what the source's words for
// whose message it is become.
func (t *tables) authors(c *Collector, p *mapping.Plan, part *mapping.Part) {
	for _, m := range part.Messages {
		msg := c.carrier[m.Message]
		if msg == nil {
			continue
		}
		th := &part.Conversation.Threads[m.Thread]
		if msg.Kind != "" || msg.Private {
			word := clip(msg.Kind, 80)
			if msg.Private {
				word = strings.TrimSpace(word + " (private)")
			}
			t.kinds.add(pair{word, th.Type, found(p, "kind-unmapped", msg.Kind)}, 1)
		}
		if th.Type != helpscout.ThreadReply && th.Type != helpscout.ThreadNote || msg.Auto != sources.Human {
			continue
		}
		x := personPair{from: label(msg.Author), to: party{id: th.User}}
		entry, listed := t.agent(msg.Author)
		switch {
		case listed && entry == "":
			x.how = howDeparted
		case found(p, "agent-unmapped", x.from):
			x.how = howUnmapped
		case th.User == 0 && listed:
			x.to.name = entry
		case found(p, "agent-unchecked", x.from):
			x.how = howAssumed
		}
		t.agents.add(x, 1)
	}
}

// agent looks a person up in the configuration's table: by address, else by id, else by name.
func (t *tables) agent(p sources.Person) (entry string, listed bool) {
	for _, k := range [...]string{p.Email, p.ID, p.Name} {
		if k = fold(k); k != "" {
			if entry, listed = t.agentTable[k]; listed {
				return entry, true
			}
		}
	}
	return "", false
}

// tagsOf counts what becomes of the ticket's tags and labels, by looking for the outcome among those that are sent.
func (t *tables) tagsOf(ticket *sources.Ticket, conv *helpscout.NewConversation) {
	if len(ticket.Tags) == 0 && (ticket.Kind != sources.Mail || len(ticket.Labels) == 0) {
		return
	}
	sent := map[string]string{}
	for _, x := range conv.Tags {
		sent[fold(x)] = x
	}
	legacy := ticket.Tags
	if ticket.Kind == sources.Mail {
		legacy = append(slices.Clone(legacy), ticket.Labels...)
	}
	for _, from := range legacy {
		want, named := t.tagTable[fold(from)]
		if !named {
			want = t.prefix + from
		}
		to, ok := sent[fold(want)]
		t.tags.add(pair{clip(from, 80), clip(to, 80), !ok && !named}, 1)
	}
}

// fieldsOf counts the values of custom fields. That one is not sent is a finding of the mapping.
func (t *tables) fieldsOf(ticket *sources.Ticket, p *mapping.Plan) {
	for _, f := range ticket.Fields {
		value := strings.TrimSpace(f.Value)
		if value == "" {
			continue
		}
		ft := t.field(f.Name)
		if ft == nil {
			t.moreFields++
			continue
		}
		ft.filled++
		x := pair{from: clip(value, 80)}
		if to, ok := t.fieldTable[fold(f.Name)][fold(value)]; ok {
			value = to
		}
		x.open = found(p, "field-unknown", f.Name) || found(p, "field-value-not-carried", clip(f.Name+": "+value, 200))
		if !x.open {
			x.to = clip(value, 80)
		}
		ft.values.add(x, 1)
	}
}

func (t *tables) field(name string) *fieldTally {
	ft := t.fields[name]
	if ft == nil && len(t.fields) < maxFields {
		name = strings.Clone(name)
		ft = &fieldTally{name: name, values: newTally[pair](maxPerField)}
		t.fields[name] = ft
		t.fieldOrder = append(t.fieldOrder, name)
	}
	return ft
}
