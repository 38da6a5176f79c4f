package report

import (
	"cmp"
	"strings"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// Options is what the page needs to know beside the tickets and the importer.Report.
type Options struct {
	Mapping mapping.Options // to say what tags, agents and field values become
	Share   float64         // of the quota, as configured; 0: all of it
	Now     time.Time       // when the dry run began: what is later lies in the future
	Newest  time.Time       // of the source's messages (Newest): ages are measured from it
	Offline string          // why the account was not asked; empty: it was
	Config  string          // name of the configuration, for the title
	Version string          // of the tool
}

// Bounds of what is kept, whatever the size of the job.
const (
	maxParties  = 400 // agents, assignees
	maxTags     = 1000
	maxWords    = 400 // statuses, channels, kinds, groups
	maxFields   = 60
	maxPerField = 60 // values listed for one field
	maxQueues   = 400
	keptOldest  = 25
	keptAsked   = 40 // closed though the customer had the last word
	keptBiggest = 12
	keptSplits  = 40
)

// A Collector gathers what the page shows, ticket by ticket. It is not safe for concurrent use, as importer.Job.Each is
// not called concurrently.
type Collector struct {
	o      Options
	tables tables
	queues map[party]*queue
	more   queue // of assignees beyond maxQueues
	oldest top[ticketRef]
	asked  top[ticketRef]

	byStatus, byAgent, byMailbox monthly

	biggest, longest, heaviest top[ticketRef]
	splits                     []ticketRef

	customers, replied, placeholders distinct
	n                                tallies
	previews                         sampler
	stands                           *stands                          // nil: this is a dry run, or nothing was sent
	carrier                          map[sources.Key]*sources.Message // of the ticket at hand
}

// tallies are plain numbers of the whole plan.
type tallies struct {
	seen          int // tickets shown
	conversations int
	carried       int // messages in threads
	inRefused     int // messages of refused tickets
	withID        int // tickets with a legacy number
	withClosed    int // conversations that arrive closed
	future        int // tickets with a message later than the dry run
	unitsUploaded int // what all costs when no attachment fits into a create call
	live, waiting int // live tickets, and those of them in which the customer spoke last
}

// NewCollector returns an empty one.
func NewCollector(o Options) *Collector {
	c := &Collector{o: o, queues: map[party]*queue{}, carrier: map[sources.Key]*sources.Message{}}
	c.tables = newTables(o.Mapping)
	c.byStatus, c.byAgent, c.byMailbox = newMonthly(8), newMonthly(maxParties), newMonthly(50)
	c.oldest = top[ticketRef]{size: keptOldest, greater: func(a, b ticketRef) int { return a.Last.Compare(b.Last) }}
	c.asked = top[ticketRef]{size: keptAsked, greater: func(a, b ticketRef) int { return b.Last.Compare(a.Last) }}
	c.biggest = top[ticketRef]{size: keptBiggest, greater: func(a, b ticketRef) int { return cmp.Compare(b.Bytes, a.Bytes) }}
	c.longest = top[ticketRef]{size: keptBiggest, greater: func(a, b ticketRef) int { return cmp.Compare(b.Threads, a.Threads) }}
	c.heaviest = top[ticketRef]{size: keptBiggest, greater: func(a, b ticketRef) int { return cmp.Compare(b.Files, a.Files) }}
	c.previews = newSampler()
	return c
}

// Newest is the time of the source's latest message that is not later than now: a mail dated 2038 must not make every
// other ticket look old.
func Newest(src importer.Source, now time.Time) (newest time.Time) {
	for i := range src.Len() {
		if t := src.Entry(i).Last; t.After(newest) && !t.After(now) {
			newest = t
		}
	}
	return newest
}

// See takes in one ticket. It keeps nothing of it but copies.
func (c *Collector) See(s importer.Seen) {
	c.n.seen++
	if s.Ticket == nil || s.Plan == nil {
		return
	}
	t, p := s.Ticket, s.Plan
	clear(c.carrier)
	for _, m := range t.Messages {
		c.carrier[m.Key] = m
	}
	c.tables.status(t, p)
	c.previews.see(c, t, p)
	if p.Refused != "" {
		c.n.inRefused += len(t.Messages) - len(p.Left)
	}
	if len(p.Parts) == 0 {
		return
	}
	if t.ID != "" {
		c.n.withID++
	}
	if p.Last.After(c.o.Now) && !c.o.Now.IsZero() {
		c.n.future++
	}
	c.tables.see(c, t, p)
	for _, part := range p.Parts {
		c.part(part, p.Mailbox)
	}
	c.notable(t, p)
}

// part counts one conversation; route is the mailbox that a route chose, or empty.
func (c *Collector) part(part *mapping.Part, route string) {
	conv := &part.Conversation
	c.n.conversations++
	if conv.Status == "closed" {
		c.n.withClosed++
	}
	month := conv.CreatedAt.Year()*12 + int(conv.CreatedAt.Month()) - 1
	c.byStatus.add(party{name: conv.Status}, month)
	into := party{id: conv.MailboxID}
	if into.id == 0 { // the account was not asked
		into.name = clip(route, 120)
	}
	c.byMailbox.add(into, month)
	c.byAgent.add(c.lastReplier(part), month)

	inline, answered := 0, false
	for _, th := range conv.Threads {
		inline += len(th.Attachments)
		answered = answered || th.Type == helpscout.ThreadReply
	}
	c.n.unitsUploaded += part.Units() + 2*inline
	if inline > 0 && len(part.Uploads) == 0 {
		c.n.unitsUploaded++ // the thread list
	}
	var before sources.Key
	for i, m := range part.Messages { // several entries may name one message
		if i == 0 || m.Message != before {
			c.n.carried++
		}
		before = m.Message
	}
	c.customer(conv.Customer, answered)
}

func (c *Collector) customer(who *helpscout.NewCustomer, answered bool) {
	if who == nil {
		return
	}
	x := digest(strings.ToLower(who.Email))
	c.customers.add(x)
	if answered {
		c.replied.add(x)
	}
	if d := c.o.Mapping.PlaceholderDomain; d != "" && strings.HasSuffix(who.Email, "@"+strings.ToLower(d)) {
		c.placeholders.add(x)
	}
}

// lastReplier is the agent whose reply is the conversation's last; the zero party where nobody replied.
func (c *Collector) lastReplier(part *mapping.Part) party {
	threads := part.Conversation.Threads
	for i := len(part.Messages) - 1; i >= 0; i-- {
		m := part.Messages[i]
		if th := threads[m.Thread]; th.Type == helpscout.ThreadReply {
			return c.writer(th.User, c.carrier[m.Message])
		}
	}
	return party{}
}

// writer names who writes: the account's user, or, where the account was not asked, the author as the source has it.
func (c *Collector) writer(user int64, m *sources.Message) party {
	if user != 0 || m == nil {
		return party{id: user}
	}
	return party{name: label(m.Author)}
}

// label is a person as the tables of the page name them: by address, else by name, else by id.
func label(p sources.Person) string {
	switch {
	case strings.TrimSpace(p.Email) != "":
		return strings.ToLower(clip(p.Email, 120))
	case strings.TrimSpace(p.Name) != "":
		return clip(p.Name, 120)
	case p.ID != "":
		return "user " + clip(p.ID, 60)
	}
	return nobodyKnown
}

// nobodyKnown is the label of an author of whom the source says nothing.
const nobodyKnown = "(nobody)"

// A ticketRef is a ticket in one of the page's lists.
type ticketRef struct {
	Key, ID, Place, Subject, Customer string
	Status                            string // of its last part
	Assignee                          party
	Created, Last                     time.Time
	Parts, Threads                    int
	Attached                          int
	Files                             int64 // bytes of attachments
	Bytes                             int64 // of the create calls, without attachments that are uploaded
	Waiting                           bool  // the customer spoke last
}

// Name is how people call the ticket: its number, else its key, of which a long one loses its middle.
func (r ticketRef) Name() string { return cmp.Or(r.ID, brief(r.Key)) }

// brief is a key with room for its ends only: that of a mail is as long as its Message-ID.
func brief(key string) string {
	const most = 36
	runes := []rune(strings.TrimPrefix(key, "mid:"))
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:most-16]) + "…" + string(runes[len(runes)-15:])
}

// notable puts a ticket into the lists that want it. Most tickets are wanted by none, and are not described then.
func (c *Collector) notable(t *sources.Ticket, p *mapping.Plan) {
	r := measured(t, p)
	asked := !p.Live && found(p, codeUnanswered, "") && c.asked.wants(r)
	split := r.Parts > 1 && len(c.splits) < keptSplits
	heavy := r.Attached > 0 && c.heaviest.wants(r)
	if p.Live {
		c.queue(r)
	}
	if asked || split || heavy || c.biggest.wants(r) || c.longest.wants(r) || p.Live && c.oldest.wants(r) {
		r.describe(p)
	}
	c.biggest.add(r)
	c.longest.add(r)
	if heavy {
		c.heaviest.add(r)
	}
	if split {
		c.splits = append(c.splits, r)
	}
	if p.Live {
		c.oldest.add(r)
	}
	if asked {
		c.asked.add(r)
	}
}

// codeUnanswered is mapping's code for what arrives closed though the customer spoke last.
const codeUnanswered = "closed-but-unanswered"

// ref is a ticket with its numbers and its names.
func ref(t *sources.Ticket, p *mapping.Plan) ticketRef {
	r := measured(t, p)
	r.describe(p)
	return r
}

// describe fills in what a person knows the ticket by.
func (r *ticketRef) describe(p *mapping.Plan) {
	conv := &p.Parts[0].Conversation
	r.Key, r.ID, r.Place = clip(string(p.Key), 120), clip(p.ID, 60), clip(p.Position.String(), 200)
	r.Subject = clip(conv.Subject, 120)
	if conv.Customer != nil {
		r.Customer = clip(conv.Customer.Email, 120)
	}
}

// measured is a ticket with its numbers alone.
func measured(t *sources.Ticket, p *mapping.Plan) ticketRef {
	first, last := p.Parts[0], p.Parts[len(p.Parts)-1]
	r := ticketRef{
		Status: last.Conversation.Status, Assignee: assignee(t, last), Created: first.Conversation.CreatedAt.Time, Last: p.Last, Parts: len(p.Parts),
	}
	for _, part := range p.Parts {
		r.Threads += len(part.Conversation.Threads)
		r.Bytes += part.Body
		r.Attached += len(part.Uploads)
		for _, th := range part.Conversation.Threads {
			r.Attached += len(th.Attachments)
		}
		for _, f := range part.Files {
			r.Files += f.Size
		}
	}
	r.Waiting = customerLast(last)
	return r
}

// customerLast reports that the last thing said aloud came from the customer.
func customerLast(part *mapping.Part) bool {
	threads := part.Conversation.Threads
	for i := len(threads) - 1; i >= 0; i-- {
		if threads[i].Type != helpscout.ThreadNote {
			return threads[i].Type != helpscout.ThreadReply
		}
	}
	return false
}

// assignee is to whom the conversation belongs: the account's user or team, the source's assignee where the account was
// not asked, the zero party for nobody.
func assignee(t *sources.Ticket, part *mapping.Part) party {
	to := part.Conversation.AssignTo
	switch {
	case to == nil:
		return party{}
	case *to != 0:
		return party{id: *to}
	case t.Assignee != nil:
		return party{name: label(*t.Assignee)}
	}
	return party{name: clip(t.Group, 120)}
}
