package sandbox

import (
	"encoding/hex"
	"iter"
	"slices"
	"time"
)

// State is the whole truth about an account, in a fixed order: what a checker compares with.
type State struct {
	Time          time.Time      `json:"time"`
	Conversations []Conversation `json:"conversations"` // by number; deleted and merged ones too
	Customers     []Customer     `json:"customers"`     // by creation
	Tags          []string       `json:"tags"`          // by creation
	Mails         []Mail         `json:"mails"`         // what people would have got
	Deliveries    []Delivery     `json:"deliveries"`    // webhooks, the last of them
	Stats         Stats          `json:"stats"`
}

// Stats are the counters of an account.
type Stats struct {
	Calls     map[string]int `json:"calls"`    // by kind, refused ones too
	Statuses  map[string]int `json:"statuses"` // by status; 0: no answer was sent
	Faults    map[string]int `json:"faults"`   // by kind of call and fault
	Units     int64          `json:"units"`    // spent by calls that were let in
	Foreign   int64          `json:"foreign"`  // spent by rivals
	Throttled int64          `json:"throttled"`
	Created   int            `json:"created"` // create calls that were applied
	Limit     int            `json:"limit"`
	Remaining int            `json:"remaining"`
}

// Conversation in a dump. Times are UTC; the zero time stands for none.
type Conversation struct {
	ID         int64        `json:"id"`
	Number     int64        `json:"number"`
	Creation   int          `json:"creation"` // the how-manieth create call made it; 0: it did not come by API
	MailboxID  int64        `json:"mailboxId"`
	Type       string       `json:"type"`
	Status     string       `json:"status"`
	State      string       `json:"state"`
	Subject    string       `json:"subject"`
	CustomerID int64        `json:"customerId"`
	Email      string       `json:"customerEmail"`
	AssigneeID int64        `json:"assigneeId,omitempty"`
	ByUser     int64        `json:"createdByUser,omitempty"`
	ByCustomer int64        `json:"createdByCustomer,omitempty"`
	CreatedAt  time.Time    `json:"createdAt"`
	ClosedAt   time.Time    `json:"closedAt,omitzero"`
	ClosedBy   int64        `json:"closedBy,omitempty"`
	ModifiedAt time.Time    `json:"modifiedAt"`
	UpdatedAt  time.Time    `json:"userUpdatedAt"`
	AppearedAt time.Time    `json:"appearedAt"` // real clock
	VanishedAt time.Time    `json:"vanishedAt,omitzero"`
	MergedInto int64        `json:"mergedInto,omitempty"`
	Deleted    bool         `json:"deleted,omitempty"`
	Imported   bool         `json:"imported"`
	SourceType string       `json:"sourceType"`
	SourceVia  string       `json:"sourceVia"`
	SnoozedTo  time.Time    `json:"snoozedUntil,omitzero"`
	SnoozedBy  int64        `json:"snoozedBy,omitempty"`
	Cc         []string     `json:"cc,omitempty"`
	Bcc        []string     `json:"bcc,omitempty"`
	Tags       []string     `json:"tags,omitempty"`
	Fields     []FieldValue `json:"fields,omitempty"`
	Threads    []Thread     `json:"threads,omitempty"` // in order of arrival
}

// Thread in a dump. Type is that of reads: a reply is a message.
type Thread struct {
	ID          int64        `json:"id"`
	Type        string       `json:"type"`
	Status      string       `json:"status"`
	State       string       `json:"state"`
	Action      string       `json:"action,omitempty"` // of a line item
	Text        string       `json:"text"`
	Original    string       `json:"original,omitempty"` // before it was edited
	CustomerID  int64        `json:"customerId"`
	Email       string       `json:"customerEmail"`
	ByUser      int64        `json:"createdByUser,omitempty"`
	ByCustomer  int64        `json:"createdByCustomer,omitempty"`
	AssigneeID  int64        `json:"assigneeId,omitempty"`
	SourceType  string       `json:"sourceType"`
	SourceVia   string       `json:"sourceVia"`
	To          []string     `json:"to,omitempty"`
	Cc          []string     `json:"cc,omitempty"`
	Bcc         []string     `json:"bcc,omitempty"`
	CreatedAt   time.Time    `json:"createdAt"`
	AppearedAt  time.Time    `json:"appearedAt"`
	Imported    bool         `json:"imported"`
	Attachments []Attachment `json:"attachments,omitempty"`
}

// Attachment in a dump.
type Attachment struct {
	ID     int64  `json:"id"`
	Name   string `json:"fileName"`
	MIME   string `json:"mimeType"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Customer in a dump.
type Customer struct {
	ID             int64             `json:"id"`
	FirstName      string            `json:"firstName,omitempty"`
	LastName       string            `json:"lastName,omitempty"`
	Emails         []Entry           `json:"emails,omitempty"`
	Phones         []Entry           `json:"phones,omitempty"`
	Chats          []Entry           `json:"chats,omitempty"`
	Social         []Entry           `json:"socialProfiles,omitempty"`
	Websites       []Entry           `json:"websites,omitempty"`
	JobTitle       string            `json:"jobTitle,omitempty"`
	Location       string            `json:"location,omitempty"`
	Organization   string            `json:"organization,omitempty"`
	OrganizationID int64             `json:"organizationId,omitempty"`
	Background     string            `json:"background,omitempty"`
	Age            string            `json:"age,omitempty"`
	Gender         string            `json:"gender,omitempty"`
	PhotoType      string            `json:"photoType,omitempty"`
	PhotoURL       string            `json:"photoUrl,omitempty"`
	Address        *Address          `json:"address,omitempty"`
	Properties     map[string]string `json:"properties,omitempty"`
	CreatedAt      time.Time         `json:"createdAt"`
	UpdatedAt      time.Time         `json:"updatedAt"`
	Deleted        bool              `json:"deleted,omitempty"`
}

// Entry is an address, a phone number or the like of a customer.
type Entry struct {
	ID    int64  `json:"id"`
	Value string `json:"value"`
	Type  string `json:"type,omitempty"`
}

// Mail is a message that the service would have sent: what a silent import must not have.
type Mail struct {
	Time         time.Time `json:"time"`
	Conversation int64     `json:"conversation"`
	Thread       int64     `json:"thread"`
	To           []string  `json:"to"`
	Kind         string    `json:"kind"` // reply (to the customer), notification (to agents)
}

// Dump returns the whole truth. It copies everything; for a large account use [Sandbox.Conversations].
func (s *Sandbox) Dump() *State {
	st := &State{Time: time.Now().UTC(), Conversations: []Conversation{}, Customers: []Customer{}, Tags: []string{}, Stats: s.Stats(), Deliveries: s.Deliveries()}
	for conv := range s.Conversations() {
		st.Conversations = append(st.Conversations, conv)
	}
	w := s.now.Load().world
	w.mu.RLock()
	defer w.mu.RUnlock()
	for _, p := range w.people {
		st.Customers = append(st.Customers, p.dump())
	}
	for _, t := range w.tags {
		st.Tags = append(st.Tags, t.name)
	}
	st.Mails = slices.Clone(w.mails)
	return st
}

// Conversations yields all conversations by number, each with its threads, deleted and merged ones too.
func (s *Sandbox) Conversations() iter.Seq[Conversation] {
	w := s.now.Load().world
	return func(yield func(Conversation) bool) {
		for i := 0; ; i++ {
			w.mu.RLock()
			if i >= len(w.numbered) {
				w.mu.RUnlock()
				return
			}
			conv := w.numbered[i].dump()
			for _, t := range w.numbered[i].threads {
				conv.Threads = append(conv.Threads, t.dump())
			}
			w.mu.RUnlock()
			if !yield(conv) {
				return
			}
		}
	}
}

// Live says that the conversation is still there under its own id.
func (c *Conversation) Live() bool { return c.VanishedAt.IsZero() }

// Stats returns the counters.
func (s *Sandbox) Stats() Stats {
	a := s.now.Load()
	var st Stats
	st.Calls, st.Statuses, st.Faults = a.calls.counts()
	st.Units, st.Foreign, st.Throttled = a.quota.totals()
	v := a.quota.look(time.Now(), s.set.Load())
	st.Limit, st.Remaining = v.limit, v.remaining
	a.world.mu.RLock()
	st.Created = a.world.created
	a.world.mu.RUnlock()
	return st
}

func moment(unix int64) time.Time {
	if unix == 0 {
		return time.Time{}
	}
	return time.Unix(unix, 0).UTC()
}

func realTime(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}

// dump copies a conversation without its threads.
func (conv *conversation) dump() Conversation {
	d := Conversation{
		ID: conv.id, Number: conv.number, Creation: conv.serial, MailboxID: conv.mailbox.ID, Type: conv.typ, Status: conv.status,
		State: conv.state, Subject: conv.subject, CustomerID: conv.customer.id, Email: conv.customer.email(), AssigneeID: conv.assignee,
		ByUser: conv.by.user, CreatedAt: time.Unix(conv.created, 0).UTC(), ClosedAt: moment(conv.closed), ClosedBy: conv.closedBy,
		ModifiedAt: time.Unix(conv.modified, 0).UTC(), UpdatedAt: time.Unix(conv.userUpdated, 0).UTC(), AppearedAt: realTime(conv.appeared),
		VanishedAt: realTime(conv.vanished), Deleted: conv.deleted, Imported: conv.imported, SourceType: conv.sourceType,
		SourceVia: conv.sourceVia, SnoozedTo: moment(conv.snoozedUntil), SnoozedBy: conv.snoozedBy, Cc: conv.cc, Bcc: conv.bcc,
		Fields: conv.fields,
	}
	if conv.by.customer != nil {
		d.ByCustomer = conv.by.customer.id
	}
	if conv.merged != nil {
		d.MergedInto = conv.merged.id
	}
	for _, t := range conv.tags {
		d.Tags = append(d.Tags, t.name)
	}
	return d
}

func (t *thread) dump() Thread {
	d := Thread{
		ID: t.id, Type: t.typ, Status: t.status, State: t.state, Action: t.item, Text: t.text.Value(), Original: t.original,
		CustomerID: t.customer.id, Email: t.customer.email(), ByUser: t.by.user, AssigneeID: t.assignee, SourceType: t.sourceType,
		SourceVia: t.sourceVia, To: t.to, Cc: t.cc, Bcc: t.bcc, CreatedAt: time.Unix(t.created, 0).UTC(), AppearedAt: realTime(t.appeared),
		Imported: t.imported,
	}
	if t.by.customer != nil {
		d.ByCustomer = t.by.customer.id
	}
	for _, a := range t.files {
		d.Attachments = append(d.Attachments, Attachment{a.id, a.name, a.mime, a.size, hex.EncodeToString(a.digest[:])})
	}
	return d
}

func (p *customer) dump() Customer {
	list := func(entries []entry) []Entry {
		var out []Entry
		for _, e := range entries {
			out = append(out, Entry{e.id, e.value, e.typ})
		}
		return out
	}
	return Customer{
		ID: p.id, FirstName: p.first, LastName: p.last, Emails: list(p.emails), Phones: list(p.phones), Chats: list(p.chats),
		Social: list(p.social), Websites: list(p.websites), JobTitle: p.jobTitle, Location: p.location, Organization: p.organization, OrganizationID: p.organizationID,
		Background: p.background, Age: p.age, Gender: p.gender, PhotoType: p.photoType, PhotoURL: p.photoURL, Address: p.address,
		Properties: p.properties, CreatedAt: moment(p.created), UpdatedAt: moment(p.updated), Deleted: p.deleted,
	}
}

const maxMails = 100_000

// mailOut notes the mail that a thread would have caused; nothing imported does. The account is locked.
func (c *call) mailOut(conv *conversation, t *thread) {
	if t.imported || t.state == "draft" || len(c.world.mails) >= maxMails {
		return
	}
	m := Mail{Time: c.now.UTC(), Conversation: conv.id, Thread: t.id, Kind: "notification"}
	if t.typ == "message" {
		m.Kind = "reply"
		m.To = append(append([]string{t.customer.email()}, t.cc...), t.bcc...)
	} else {
		for _, u := range c.world.users {
			m.To = append(m.To, u.Email)
		}
	}
	c.world.mails = append(c.world.mails, m)
}
