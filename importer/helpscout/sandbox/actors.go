package sandbox

import (
	"cmp"
	"fmt"
	"time"
	"unique"
)

// The methods here are what people do in the service while an importer runs: agents, customers by mail, and rivals
// for the quota. Each is an error for a conversation that is not there.

// actor is a call that comes from inside: it costs no quota and is in no log.
func (s *Sandbox) actor(user int64) (*call, error) {
	c := &call{Sandbox: s, account: s.now.Load(), set: s.set.Load(), now: time.Now()}
	c.base = c.set.PublicURL
	if c.user = c.world.user(user); c.user == nil {
		if user != 0 {
			return nil, fmt.Errorf("user %d: not in the account", user)
		}
		c.user = c.world.owner()
	}
	return c, nil
}

// with runs an action of a user (0: the owner) on a conversation that is there.
func (s *Sandbox) with(user, id int64, act func(c *call, conv *conversation) error) error {
	c, err := s.actor(user)
	if err != nil {
		return err
	}
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	conv := c.world.conversations[id]
	if conv == nil || conv.gone() {
		return fmt.Errorf("conversation %d: not in the account", id)
	}
	return act(c, conv)
}

// Retitle changes a subject.
func (s *Sandbox) Retitle(id int64, subject string) error {
	return s.with(0, id, func(c *call, conv *conversation) error {
		c.alter(conv, c.user.ID, &alteration{do: func() { conv.subject = subject }})
		return nil
	})
}

// Move puts a conversation into another mailbox; it loses its custom fields.
func (s *Sandbox) Move(id, mailbox int64) error {
	return s.with(0, id, func(c *call, conv *conversation) error {
		m := c.world.mailbox(mailbox)
		if m == nil {
			return fmt.Errorf("mailbox %d: not in the account", mailbox)
		}
		c.alter(conv, c.user.ID, &alteration{do: func() { conv.mailbox, conv.fields = m, nil }, item: "Moved", event: "convo.moved"})
		return nil
	})
}

// Merge moves all threads of a conversation into another one. From then on a GET of the first answers 301 with the
// Location of the other, and writes to it 404.
func (s *Sandbox) Merge(from, into int64) error {
	return s.with(0, from, func(c *call, conv *conversation) error {
		w := c.world
		target := w.conversations[into]
		if target == nil || target.gone() || target == conv {
			return fmt.Errorf("conversation %d: not in the account, or the same", into)
		}
		w.count(conv, -1)
		conv.merged, conv.vanished = target, c.now.UnixNano()
		w.retire(conv, c.set)
		moved := conv.threads
		c.alter(target, c.user.ID, &alteration{item: "Merged", event: "convo.merged", do: func() {
			for _, t := range moved {
				for _, a := range t.files {
					a.conv = target
				}
			}
			target.threads = append(target.threads, moved...)
			target.lineItems += conv.lineItems
			conv.threads, conv.lineItems = nil, 0
			c.saveConversation(target, moved)
		}})
		c.saveConversation(conv, nil)
		return nil
	})
}

// Reply lets an agent (0: the owner) answer in the service; it returns the thread's id.
func (s *Sandbox) Reply(id, user int64, text string) (thread int64, err error) {
	return s.speak(id, user, "message", text)
}

// Note lets an agent (0: the owner) write a note.
func (s *Sandbox) Note(id, user int64, text string) (thread int64, err error) {
	return s.speak(id, user, "note", text)
}

// CustomerReply lets the customer of a conversation answer by mail, which reactivates it.
func (s *Sandbox) CustomerReply(id int64, text string) (thread int64, err error) {
	return s.speak(id, 0, "customer", text)
}

func (s *Sandbox) speak(id, user int64, typ, text string) (thread int64, err error) {
	err = s.with(user, id, func(c *call, conv *conversation) error {
		thread = c.say(conv, typ, text).id
		return nil
	})
	return thread, err
}

// EditThread lets an agent (the owner) change what a thread says; the service keeps the text as it was.
func (s *Sandbox) EditThread(id, thread int64, text string) error {
	return s.with(0, id, func(c *call, conv *conversation) error {
		t := conv.thread(thread)
		if t == nil {
			return fmt.Errorf("thread %d: not in conversation %d", thread, id)
		}
		c.retext(conv, t, text)
		return nil
	})
}

// SetStatus lets an agent close, reopen or otherwise mark a conversation.
func (s *Sandbox) SetStatus(id int64, status string) error {
	return s.with(0, id, func(c *call, conv *conversation) error {
		c.alter(conv, c.user.ID, &alteration{
			do: func() { c.setStatus(conv, status) }, item: "Status changed to " + status, event: "convo.status",
		})
		return nil
	})
}

// Assign gives a conversation to a user or a team; 0 to nobody.
func (s *Sandbox) Assign(id, assignee int64) error {
	return s.with(0, id, func(c *call, conv *conversation) error {
		if assignee != 0 && c.world.user(assignee) == nil && c.world.team(assignee) == nil {
			return fmt.Errorf("user or team %d: not in the account", assignee)
		}
		c.alter(conv, c.user.ID, &alteration{do: func() { conv.assignee = assignee }, item: "Assigned", event: "convo.assigned"})
		return nil
	})
}

// Tag replaces the tags of a conversation.
func (s *Sandbox) Tag(id int64, tags ...string) error {
	return s.with(0, id, func(c *call, conv *conversation) error {
		c.alter(conv, c.user.ID, &alteration{event: "convo.tags", do: func() {
			conv.tags = c.world.tagSet(tags, c.now.Unix(), c.set.TagCase == "lower")
		}})
		return nil
	})
}

// DeleteConversation deletes a conversation as an agent would.
func (s *Sandbox) DeleteConversation(id int64) error {
	return s.with(0, id, func(c *call, conv *conversation) error {
		c.remove(conv)
		return nil
	})
}

// Native is a conversation that did not come by API.
type Native struct {
	Mailbox   int64     `json:"mailboxId"` // 0: the first
	Email     string    `json:"email"`     // of the customer
	FirstName string    `json:"firstName"`
	LastName  string    `json:"lastName"`
	Subject   string    `json:"subject"`
	Text      string    `json:"text"`
	Status    string    `json:"status"`    // empty: active
	Source    string    `json:"source"`    // empty: email
	CreatedAt time.Time `json:"createdAt"` // zero: now
}

// AddNative lets a mail of a customer arrive; it returns the id of the new conversation.
func (s *Sandbox) AddNative(n Native) (int64, error) {
	c, err := s.actor(0)
	if err != nil {
		return 0, err
	}
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.mailboxes[0]
	if n.Mailbox != 0 {
		if m = w.mailbox(n.Mailbox); m == nil {
			return 0, fmt.Errorf("mailbox %d: not in the account", n.Mailbox)
		}
	}
	if !wellFormed(n.Email) {
		return 0, fmt.Errorf("customer %q: not a mail address", n.Email)
	}
	n.Source, n.Status = cmp.Or(n.Source, "email"), cmp.Or(n.Status, "active")
	conv := c.native(n, m)
	w.add(conv)
	w.tally(conv, c.now.Unix())
	c.saveConversation(conv, conv.threads)
	c.newConversation(conv)
	return conv.id, nil
}

// native makes the conversation of a mail that arrived.
func (c *call) native(n Native, m *Mailbox) *conversation {
	w := c.world
	who := w.findEmail(emailKey(n.Email, c.set))
	if who == nil {
		who = &customer{first: n.FirstName, last: n.LastName, emails: []entry{{value: n.Email, typ: "work"}}}
		w.addCustomer(who, c.now, c.set)
		c.saveCustomer(who)
	}
	at := c.now.Unix()
	if !n.CreatedAt.IsZero() {
		at = n.CreatedAt.Unix()
	}
	conv := &conversation{
		id: w.nextID(idConversation), number: w.nextID(idNumber), typ: "email", status: n.Status, state: "published", subject: n.Subject,
		mailbox: m, customer: who, by: author{customer: who}, created: at, modified: at, userUpdated: at, appeared: c.now.UnixNano(),
		sourceType: n.Source, sourceVia: "customer",
	}
	if n.Status == "closed" {
		conv.closed, conv.closedBy = at, c.user.ID
	}
	conv.threads = []*thread{{
		id: w.nextID(idThread), typ: "customer", status: n.Status, state: "published", text: unique.Make(n.Text),
		sourceType: n.Source, sourceVia: "customer", customer: who, by: conv.by, to: []string{m.Email}, created: at, appeared: c.now.UnixNano(),
	}}
	return conv
}

// AddWorkflow puts a workflow into the account and returns its id.
func (s *Sandbox) AddWorkflow(f Workflow) (int64, error) {
	c, err := s.actor(0)
	if err != nil {
		return 0, err
	}
	if f.Query != "" {
		if _, err := parseQuery(f.Query); err != nil {
			return 0, fmt.Errorf("workflow %q: %w", f.Name, err)
		}
	}
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	f.ID, f.created, f.modified, f.Order = w.nextID(idWorkflow), c.now, c.now, len(w.workflows)+1
	if f.MailboxID == 0 {
		f.MailboxID = w.mailboxes[0].ID
	}
	if f.Type == "" {
		f.Type = "automatic"
	}
	if f.Status == "" {
		f.Status = "active"
	}
	w.workflows = append(w.workflows, &f)
	c.saveWorkflow(&f)
	return f.ID, nil
}

// SetCompetitor sets the share of the quota, 0 to 1, that other programs use from now on.
func (s *Sandbox) SetCompetitor(share float64) {
	s.Configure(func(set *Settings) { set.Competitor = min(max(share, 0), 1) })
}
