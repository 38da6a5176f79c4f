package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
	"unique"
)

// draftConversation is the body of a create call after validation.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/create
type draftConversation struct {
	subject, typ, status string
	customer             draftCustomer
	mailbox              *Mailbox
	imported, autoReply  bool
	assignGiven          bool // the key is there, null or not
	assign               int64
	created, closed      int64
	createdGiven         bool
	closedGiven          bool
	user                 int64
	tags                 []string
	fields               []FieldValue
	threads              []draftThread
}

// draftThread is one thread of it, or the body of a thread call.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/customer and its siblings
type draftThread struct {
	typ, text, status string
	customer          draftCustomer
	user              int64
	imported, draft   bool
	created           int64
	createdGiven      bool
	assignGiven       bool
	assign            int64
	to, cc, bcc       []string
	files             []draftFile
}

type draftFile struct {
	name, mime string
	data       []byte
	sum        [32]byte
}

// threadTypes are those that can be created.
var threadTypes = []string{"note", "chat", "phone", "reply", "customer"}

var conversationStatuses = []string{"active", "spam", "open", "closed", "pending"}

func (c *call) createConversation() reply {
	n, ok := c.parse()
	if !ok {
		return c.unparsable()
	}
	if list, ok := n.m["threads"].([]any); ok && len(list) > c.set.MaxThreads {
		return c.failure(http.StatusPreconditionFailed,
			"Conversation cannot be created with more than "+strconv.Itoa(c.set.MaxThreads)+" threads")
	}
	d := c.draft(n)
	if len(n.errs) > 0 {
		return c.invalid(n.errs)
	}
	if rp, ok := c.preparePeople(d); !ok {
		return rp
	}
	conv := c.commitConversation(d)
	rp := empty(http.StatusCreated)
	c.locate(&rp, "/v2/conversations/", conv.id)
	if c.set.WebLocation {
		rp.header["Web-Location"] = c.webLink(conv)
	}
	return rp
}

// locate names a new entity in the answer.
func (c *call) locate(rp *reply, path string, id int64) {
	text := strconv.FormatInt(id, 10)
	if c.set.ResourceIDs {
		rp.header["Resource-Id"] = text
	}
	if c.set.LocationQuery {
		text += "?from=api"
	}
	rp.header["Location"] = c.base + path + text
}

// draft validates the body of a create call; what is wrong is left in the checker.
func (c *call) draft(n node) *draftConversation {
	d := &draftConversation{
		subject: n.required("subject"), typ: n.oneOf("type", true, "chat", "email", "phone"),
		status: n.oneOf("status", true, conversationStatuses...), imported: n.flag("imported"), autoReply: n.flag("autoReply"),
		user: n.id("user"), tags: n.texts("tags"), fields: n.fieldValues("fields"),
	}
	if m := c.set.MaxSubject; m > 0 && utf8.RuneCountInString(d.subject) > m {
		n.problem("subject", size, "size must be between 1 and "+strconv.Itoa(m), d.subject)
	}
	d.customer, _ = n.customer("customer", true)
	d.created, d.createdGiven = n.time("createdAt")
	d.closed, d.closedGiven = n.time("closedAt")
	_, d.assignGiven = n.m["assignTo"]
	d.assign = n.id("assignTo")
	if list, ok := n.m["threads"].([]any); len(list) == 0 && (ok || !n.has("threads")) {
		n.problem("threads", notEmpty, "may not be empty", nil)
	}
	for _, t := range n.objects("threads") {
		typ := t.oneOf("type", true, threadTypes...)
		d.threads = append(d.threads, t.thread(typ, d.imported && c.set.ThreadImported == "inherit"))
	}
	c.checkConversation(n, d, n.id("mailboxId"))
	return d
}

// checkConversation holds the draft against the account and the rules that are settings.
func (c *call) checkConversation(n node, d *draftConversation, mailbox int64) {
	if !n.has("mailboxId") {
		n.problem("mailboxId", notNull, "may not be null", nil)
	} else if d.mailbox = c.world.mailbox(mailbox); d.mailbox == nil && mailbox > 0 {
		n.problem("mailboxId", business, "Mailbox with ID "+strconv.FormatInt(mailbox, 10)+" does not exist", mailbox)
	}
	switch {
	case d.status == "open":
		d.status = "active"
	case d.status == "spam" && c.set.SpamAtCreate == "active":
		d.status = "active"
	case d.status == "spam" && c.set.SpamAtCreate == "reject":
		n.problem("status", enum, "Expected one of these: 'active', 'closed', 'pending'", d.status)
	}
	if d.createdGiven && !d.imported {
		d.createdGiven = n.onlyImported("createdAt")
	}
	if d.closedGiven && (!d.imported || d.status != "closed") {
		if c.set.ClosedAtOpen == "reject" {
			n.problem("closedAt", business, "can only be used with imported closed conversations", nil)
		}
		d.closedGiven = false
	}
	c.checkUser(n, "user", d.user)
	c.checkAssignee(n, &d.assign, d.mailbox)
	for i := range d.threads {
		c.checkUser(node{n.checker, n.item("threads", i), nil}, "user", d.threads[i].user)
	}
	d.tags = c.checkTags(n, d.tags)
	if d.mailbox != nil {
		d.fields = c.checkFields(n, d.mailbox, d.fields)
	}
}

// onlyImported decides on a createdAt without imported; true keeps it.
func (n node) onlyImported(key string) bool {
	if n.set.CreatedAtNotImported == "reject" {
		n.problem(n.at(key), business, "can only be used with imported set to true", nil)
	}
	return false
}

func (c *call) checkUser(n node, key string, id int64) {
	if id > 0 && c.world.user(id) == nil {
		n.problem(n.at(key), business, "User with ID "+strconv.FormatInt(id, 10)+" does not belong to this company", id)
	}
}

// checkAssignee holds an assignee, a user or a team, against the account and the mailbox.
func (c *call) checkAssignee(n node, id *int64, m *Mailbox) {
	if *id <= 0 {
		return
	}
	if c.world.team(*id) != nil {
		return
	}
	u := c.world.user(*id)
	if u == nil {
		n.problem(n.at("assignTo"), business, "User with ID "+strconv.FormatInt(*id, 10)+" does not belong to this company", *id)
		return
	}
	if m == nil || len(u.Mailboxes) == 0 || slices.Contains(u.Mailboxes, m.ID) {
		return
	}
	switch c.set.AssignOutside {
	case "reject":
		n.problem(n.at("assignTo"), business, "User does not have access to the mailbox", *id)
	case "ignore":
		*id = 0
	}
}

func (c *call) checkTags(n node, tags []string) []string {
	if m := c.set.MaxTags; m > 0 && len(tags) > m {
		n.problem("tags", size, "size must be between 0 and "+strconv.Itoa(m), nil)
	}
	for i, t := range tags {
		if m := c.set.MaxTag; m > 0 && utf8.RuneCountInString(t) > m {
			n.problem(n.item("tags", i), size, "size must be between 1 and "+strconv.Itoa(m), t)
		}
	}
	return tags
}

// preparePeople finds the customers of a draft, and leaves the gap in which another call can create the same one.
func (c *call) preparePeople(d *draftConversation) (reply, bool) {
	people := make([]*draftCustomer, 0, len(d.threads)+1)
	people = append(people, &d.customer)
	for i := range d.threads {
		people = append(people, &d.threads[i].customer)
	}
	return c.findPeople(people)
}

// commitConversation makes the conversation of a valid draft.
func (c *call) commitConversation(d *draftConversation) *conversation {
	text := c.transforms()
	for i := range d.threads {
		d.threads[i].text = text(d.threads[i].text)
	}
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	now := c.now.Unix()
	conv := &conversation{
		id: w.nextID(idConversation), number: w.nextID(idNumber), typ: d.typ, status: d.status, state: "published",
		subject: c.plainText(d.subject), mailbox: d.mailbox, created: now, appeared: c.now.UnixNano(), imported: d.imported,
		assignee: d.assign, sourceType: "api", sourceVia: "customer", fields: d.fields,
	}
	w.created++
	conv.serial = w.created
	conv.customer = w.resolve(c, &d.customer)
	if d.createdGiven && !c.set.IgnoreCreatedAt {
		conv.created = d.created
	}
	conv.tags = w.tagSet(d.tags, now, c.set.TagCase == "lower")
	for i := range d.threads {
		t := w.newThread(c, conv, &d.threads[i], d.user)
		conv.threads = append(conv.threads, t)
		if t.state == "draft" && len(d.threads) == 1 {
			conv.state = "draft"
		}
		c.mailOut(conv, t)
	}
	if d.autoReply && !d.imported {
		w.mails = append(w.mails, Mail{Time: c.now.UTC(), Conversation: conv.id, To: []string{conv.customer.email()}, Kind: "auto-reply"})
	}
	first := conv.threads[0]
	conv.by = first.by
	c.autoAssign(conv, d)
	if first.by.user != 0 {
		conv.sourceVia = "user"
	}
	c.datesOf(conv, d, now)
	w.add(conv)
	w.tally(conv, now)
	c.saveConversation(conv, conv.threads)
	c.newConversation(conv)
	return conv
}

// autoAssign is the inbox's own rule, which an explicit null keeps away.
func (c *call) autoAssign(conv *conversation, d *draftConversation) {
	if d.assignGiven || c.set.AutoAssign == "none" {
		return
	}
	for _, t := range conv.threads {
		if t.typ == "message" {
			conv.assignee = t.by.user
		}
	}
}

// datesOf sets the closing and change times of a new conversation.
func (c *call) datesOf(conv *conversation, d *draftConversation, now int64) {
	last := conv.created
	for _, t := range conv.threads {
		last = max(last, t.created)
	}
	conv.modified = now
	if conv.imported && c.set.ImportedModifiedAt == "historic" {
		conv.modified = last
	}
	conv.userUpdated = conv.modified
	if conv.status != "closed" {
		return
	}
	conv.closedBy = c.user.ID
	switch {
	case d.closedGiven && !c.set.IgnoreCreatedAt:
		conv.closed = d.closed
	case c.set.ClosedWithoutTime == "last-thread":
		conv.closed = last
	case c.set.ClosedWithoutTime == "now":
		conv.closed = now
	}
}

// newThread makes a thread of a valid draft. user is whom the conversation names, or 0.
func (w *world) newThread(c *call, conv *conversation, d *draftThread, user int64) *thread {
	t := &thread{
		id: w.nextID(idThread), typ: d.typ, status: conv.status, state: "published",
		text: unique.Make(d.text), sourceType: "api", sourceVia: "customer", created: c.now.Unix(),
		appeared: c.now.UnixNano(), imported: d.imported, to: d.to, cc: d.cc, bcc: d.bcc, assignee: conv.assignee,
	}
	if d.createdGiven && !c.set.IgnoreCreatedAt {
		t.created = d.created
	}
	t.customer = conv.customer
	if d.customer.given && d.typ != "note" {
		t.customer = w.resolve(c, &d.customer)
	}
	t.by = author{customer: t.customer}
	switch d.typ {
	case "reply":
		t.typ = "message"
		fallthrough
	case "note":
		t.sourceVia = "user"
		t.by = author{user: cmpID(d.user, user, c.user.ID)}
	}
	if d.draft {
		t.state = "draft"
	}
	for _, f := range d.files {
		t.files = append(t.files, w.newFile(c, conv, t, f))
	}
	return t
}

// cmpID is the first id that is set.
func cmpID(ids ...int64) int64 {
	for _, id := range ids {
		if id != 0 {
			return id
		}
	}
	return 0
}

func (w *world) newFile(c *call, conv *conversation, t *thread, f draftFile) *attachment {
	a := &attachment{
		id: w.nextID(idAttachment), name: f.name, mime: f.mime, size: int64(len(f.data)), digest: f.sum, conv: conv, thread: t,
	}
	w.attachments[a.id] = a
	if _, known := w.blobs[f.sum]; !known && c.set.KeepAttachments {
		w.blobs[f.sum] = f.data // once, however often it arrives
		c.saveBlob(f.sum, f.data)
	}
	return a
}

// tally notes that tags were used.
func (w *world) tally(conv *conversation, now int64) {
	for _, t := range conv.tags {
		t.updated = now
	}
}

// transforms is what the service makes of a thread's text.
func (c *call) transforms() func(string) string {
	return func(s string) string {
		s = c.plainText(s)
		switch c.set.Newlines {
		case "br":
			s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "<br>")
		case "collapse":
			s = strings.Join(strings.Fields(s), " ")
		}
		if c.set.HTMLRewrite == "none" {
			return s
		}
		if c.set.HTMLRewrite == "sanitise" {
			s = dropScripts(s)
		}
		return breaks.Replace(s)
	}
}

var breaks = strings.NewReplacer("<br>", "<br />", "<br/>", "<br />", "<BR>", "<br />", "<BR/>", "<br />", "<BR />", "<br />")

// dropScripts cuts script and style elements out, tags and content.
func dropScripts(s string) string {
	for _, name := range []string{"script", "style"} {
		for {
			lower := strings.ToLower(s)
			if len(lower) != len(s) {
				break // folding changed lengths: leave it be
			}
			from := strings.Index(lower, "<"+name)
			if from < 0 {
				break
			}
			end := strings.Index(lower[from:], "</"+name+">")
			if end < 0 {
				s = s[:from]
				break
			}
			s = s[:from] + s[from+end+len("</"+name+">"):]
		}
	}
	return s
}

// plainText is what the service makes of any text it stores.
func (c *call) plainText(s string) string {
	if c.set.Control == "strip" {
		s = strings.Map(func(r rune) rune {
			if r < ' ' && r != '\n' && r != '\r' && r != '\t' {
				return -1
			}
			return r
		}, s)
	}
	if c.set.Emoji == "replace" {
		s = strings.Map(func(r rune) rune {
			if r > 0xffff {
				return '?'
			}
			return r
		}, s)
	}
	return s
}
