package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unique"
)

// operation is a JSON-Patch-like object: one to a request, not an array.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/update
type operation struct {
	op, path string
	node     node
}

func (c *call) parseOp() (operation, reply, bool) {
	n, ok := c.parse()
	if !ok {
		return operation{}, c.unparsable(), false
	}
	o := operation{op: n.oneOf("op", true, "replace", "move", "remove", "add"), path: n.required("path"), node: n}
	if len(n.errs) > 0 {
		return o, c.invalid(n.errs), false
	}
	return o, reply{}, true
}

func (c *call) badPath(o operation) reply {
	o.node.problem("path", enum, "Operation "+o.op+" is not supported on this path", o.path)
	return c.invalid(o.node.errs)
}

func (c *call) patchConversation() reply {
	o, rp, ok := c.parseOp()
	if !ok {
		return rp
	}
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	conv, rp := c.findForWrite()
	if conv == nil {
		return rp
	}
	change := c.change(conv, o)
	if change == nil {
		return c.badPath(o)
	}
	if len(o.node.errs) > 0 {
		return c.invalid(o.node.errs)
	}
	c.alter(conv, c.user.ID, change)
	return empty(http.StatusNoContent)
}

// alteration is a change of a conversation: what it does, the line item it leaves, the event it is told as.
type alteration struct {
	do          func()
	item, event string
}

// change finds out what an operation means; nil for one that does not exist.
func (c *call) change(conv *conversation, o operation) *alteration {
	n := o.node
	switch o.op + " " + o.path {
	case "replace /subject":
		subject := n.required("value")
		if m := c.set.MaxSubject; m > 0 && len([]rune(subject)) > m {
			n.problem("value", size, "size must be between 1 and "+strconv.Itoa(m), subject)
		}
		return &alteration{do: func() { conv.subject = c.plainText(subject) }}
	case "replace /primaryCustomer.id":
		who := c.world.customers[n.id("value")]
		if who == nil || who.deleted {
			n.problem("value", business, "Customer does not belong to this company", n.m["value"])
		}
		return &alteration{do: func() { c.rehome(conv, who) }, item: "Customer changed"}
	case "replace /draft":
		n.flag("value")
		return &alteration{do: func() {
			conv.state = "published"
			for _, t := range conv.threads {
				t.state = "published"
			}
		}}
	case "move /mailboxId", "replace /mailboxId":
		m := c.world.mailbox(n.id("value"))
		if m == nil {
			n.problem("value", business, "Mailbox does not exist", n.m["value"])
		}
		return &alteration{do: func() { conv.mailbox, conv.fields = m, nil }, item: "Moved", event: "convo.moved"}
	case "replace /status":
		status := n.oneOf("value", true, conversationStatuses...)
		return &alteration{do: func() { c.setStatus(conv, status) }, item: "Status changed to " + status, event: "convo.status"}
	case "replace /assignTo", "remove /assignTo":
		id := int64(0)
		if o.op == "replace" {
			if !n.has("value") {
				n.problem("value", notNull, "may not be null", nil)
			}
			id = n.id("value")
			c.checkAssignee(n, &id, conv.mailbox)
		}
		return &alteration{do: func() { conv.assignee = id }, item: "Assigned", event: "convo.assigned"}
	}
	return nil
}

// alter carries a change out, with everything that hangs on it. The account is locked.
func (c *call) alter(conv *conversation, by int64, a *alteration) {
	w := c.world
	w.count(conv, -1)
	w.remember(conv, c.now, max(c.set.IndexLag, c.set.ListLag))
	a.do()
	var added []*thread
	if a.item != "" {
		t := &thread{
			id: w.nextID(idThread), typ: "lineitem", status: conv.status, state: "published", item: a.item,
			text: unique.Make(""), sourceType: "web", sourceVia: "user", customer: conv.customer, by: author{user: by},
			created: c.now.Unix(), appeared: c.now.UnixNano(), assignee: conv.assignee,
		}
		conv.threads = append(conv.threads, t)
		conv.lineItems++
		added = append(added, t)
	}
	w.touch(conv, c.now.Unix())
	w.count(conv, 1)
	c.saveConversation(conv, added)
	if a.event != "" {
		c.tell(a.event, nil, conv, false)
	}
}

func (c *call) setStatus(conv *conversation, status string) {
	if status == "open" {
		status = "active"
	}
	if status == conv.status {
		return
	}
	conv.status = status
	conv.closed, conv.closedBy = 0, 0
	if status == "closed" {
		conv.closed, conv.closedBy = c.now.Unix(), c.user.ID
	}
}

// rehome gives a conversation another primary customer.
func (c *call) rehome(conv *conversation, who *customer) {
	w := c.world
	old := conv.customer
	w.byCustomer[old.id] = slices.DeleteFunc(slices.Clone(w.byCustomer[old.id]), func(x *conversation) bool { return x == conv })
	conv.customer = who
	w.byCustomer[who.id] = append(w.byCustomer[who.id], conv)
}

// putTags replaces all tags; an empty list clears them.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/tags/update
func (c *call) putTags() reply {
	n, ok := c.parse()
	if !ok {
		return c.unparsable()
	}
	names := c.checkTags(n, n.texts("tags"))
	return c.put(n, func(conv *conversation) *alteration {
		return &alteration{event: "convo.tags", do: func() {
			conv.tags = c.world.tagSet(names, c.now.Unix(), c.set.TagCase == "lower")
		}}
	})
}

// putFields replaces all custom fields; those that are missing are removed.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/custom_fields/update
func (c *call) putFields() reply {
	n, ok := c.parse()
	if !ok {
		return c.unparsable()
	}
	values := n.fieldValues("fields")
	return c.put(n, func(conv *conversation) *alteration {
		values = c.checkFields(n, conv.mailbox, values)
		return &alteration{do: func() { conv.fields = values }, event: "convo.custom-fields"}
	})
}

// put alters the conversation of the path as soon as its body is found valid.
func (c *call) put(n node, change func(*conversation) *alteration) reply {
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	conv, rp := c.findForWrite()
	if conv == nil {
		return rp
	}
	a := change(conv)
	if len(n.errs) > 0 {
		return c.invalid(n.errs)
	}
	c.alter(conv, c.user.ID, a)
	return empty(http.StatusNoContent)
}

func (c *call) deleteConversation() reply {
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	conv, rp := c.findForWrite()
	if conv == nil {
		return rp
	}
	c.remove(conv)
	return empty(http.StatusNoContent)
}

// remove deletes a conversation. Its number stays used and its customer stays.
func (c *call) remove(conv *conversation) {
	w := c.world
	w.count(conv, -1)
	conv.deleted, conv.vanished, conv.state = true, c.now.UnixNano(), "deleted"
	w.retire(conv, c.set)
	c.saveConversation(conv, nil)
	c.tell("convo.deleted", nil, conv, false)
}

// retire takes a vanished conversation out of the indexes, unless they lag and still show it.
func (w *world) retire(conv *conversation, s *Settings) {
	if s.IndexLag > 0 || s.ListLag > 0 {
		return
	}
	w.byCreated.remove(conv)
	w.byModified.remove(conv)
	id := conv.customer.id
	w.byCustomer[id] = slices.DeleteFunc(slices.Clone(w.byCustomer[id]), func(x *conversation) bool { return x == conv })
}

// snooze holds a conversation back until a moment.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/snooze
func (c *call) snooze() reply {
	n, ok := c.parse()
	if !ok {
		return c.unparsable()
	}
	var until int64
	if text := n.required("snoozedUntil"); text != "" {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil || t.Unix() <= c.now.Unix() {
			n.problem("snoozedUntil", dateForm, "must be a date in the future", text)
		}
		until = t.Unix()
	}
	return c.put(n, func(conv *conversation) *alteration {
		return &alteration{do: func() {
			conv.snoozedUntil, conv.snoozedBy, conv.unsnoozeOnReply = until, c.user.ID, n.flag("unsnoozeOnCustomerReply")
		}}
	})
}

func (c *call) unsnooze() reply {
	return c.put(node{checker: &checker{set: c.set}}, func(conv *conversation) *alteration {
		return &alteration{do: func() { conv.snoozedUntil, conv.snoozedBy = 0, 0 }}
	})
}

// isDate says that text is a calendar date.
func isDate(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil && !strings.HasPrefix(text, "0000")
}
