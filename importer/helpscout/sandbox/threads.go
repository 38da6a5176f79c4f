package sandbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unique"
)

// threadStatuses are those that a reply or note may set.
var threadStatuses = []string{"active", "all", "closed", "open", "pending", "spam"}

// thread validates a thread; inherited says that its conversation makes it imported.
func (n node) thread(typ string, inherited bool) draftThread {
	d := draftThread{typ: typ, text: n.required("text"), imported: n.flag("imported") || inherited}
	if m := n.set.MaxText; m > 0 && utf8.RuneCountInString(d.text) > m {
		n.problem(n.at("text"), size, "size must be between 1 and "+strconv.Itoa(m), d.text)
	}
	if n.set.Control == "reject" && strings.ContainsFunc(d.text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' }) {
		n.problem(n.at("text"), business, "contains control characters", nil)
	}
	if typ == "note" {
		if o, ok := n.object("customer"); ok {
			_ = o // tolerated: some clients send it with every thread
		}
	} else {
		d.customer, _ = n.customer("customer", true)
	}
	if typ == "note" || typ == "reply" {
		d.user, d.status = n.id("user"), n.oneOf("status", false, threadStatuses...)
	}
	if typ == "customer" || typ == "reply" {
		d.to, d.cc, d.bcc = n.addresses("to"), n.addresses("cc"), n.addresses("bcc")
	}
	if typ == "reply" {
		d.draft = n.flag("draft")
		_, d.assignGiven = n.m["assignTo"]
		d.assign = n.id("assignTo")
	}
	d.created, d.createdGiven = n.time("createdAt")
	if d.createdGiven && !d.imported {
		d.createdGiven = n.onlyImported("createdAt")
	}
	files := n.objects("attachments")
	if m := n.set.MaxAttachments; m > 0 && len(files) > m {
		n.problem(n.at("attachments"), size, "size must be between 0 and "+strconv.Itoa(m), nil)
	}
	for _, f := range files {
		d.files = append(d.files, f.file())
	}
	return d
}

// file validates an attachment. The media type is not looked at: it is stored as it came.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/attachments/create
func (n node) file() draftFile {
	f := draftFile{name: n.required("fileName"), mime: n.required("mimeType")}
	text := n.text("data")
	if text == "" {
		n.problem(n.at("data"), notEmpty, "may not be empty", nil)
		return f
	}
	data, err := base64.StdEncoding.DecodeString(text) // line breaks are skipped
	if err != nil {
		n.problem(n.at("data"), business, "is not valid base64", nil)
	}
	f.data, f.sum = data, sha256.Sum256(data)
	return f
}

// createThread answers the five thread endpoints.
func createThread(typ string) func(*call) reply {
	return func(c *call) reply {
		n, ok := c.parse()
		if !ok {
			return c.unparsable()
		}
		d := n.thread(typ, false)
		c.checkUser(n, "user", d.user)
		if d.assign != 0 {
			c.checkAssignee(n, &d.assign, nil)
		}
		if len(n.errs) > 0 {
			return c.invalid(n.errs)
		}
		return c.appendThread(&d)
	}
}

// createSeedThread answers POST /v2/conversations/{id}/threads, which descriptions of the API name and the service
// does not have: the type is in the body.
func (c *call) createSeedThread() reply {
	if !c.set.SeedThreadsPost {
		return c.notFound()
	}
	n, ok := c.parse()
	if !ok {
		return c.unparsable()
	}
	typ := n.oneOf("type", true, threadTypes...)
	if typ == "" {
		return c.invalid(n.errs)
	}
	return createThread(typ)(c)
}

// appendThread adds a valid thread to a conversation that takes it.
func (c *call) appendThread(d *draftThread) reply {
	w := c.world
	w.mu.RLock()
	conv := w.conversations[c.ids[0]]
	w.mu.RUnlock()
	if conv == nil || conv.gone() { // merged ones too: the page of the customer thread endpoint
		return c.notFound()
	}
	if rp, ok := c.findPeople([]*draftCustomer{&d.customer}); !ok {
		return rp
	}
	d.text = c.transforms()(d.text)
	w.mu.Lock()
	defer w.mu.Unlock()
	if conv.gone() {
		return c.notFound()
	}
	if rp, locked := c.locked(conv, d); locked {
		return rp
	}
	t := w.newThread(c, conv, d, 0)
	c.attach(conv, t, d)
	rp := empty(http.StatusCreated)
	if c.set.ThreadIDs {
		rp.header["Resource-Id"] = strconv.FormatInt(t.id, 10)
	}
	return rp
}

// locked refuses threads on full and on old conversations.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/customer
func (c *call) locked(conv *conversation, d *draftThread) (reply, bool) {
	count := conv.visible()
	if c.set.LineItemsCount {
		count = len(conv.threads)
	}
	if count >= c.set.MaxThreads-1 {
		return c.failure(http.StatusPreconditionFailed, "Conversation has reached the limit of threads"), true
	}
	if old := c.set.TooOld; old > 0 && (!d.imported || c.set.TooOldImported) && c.now.Unix()-conv.created > int64(old/time.Second) {
		return c.failure(c.set.TooOldStatus, "Conversation is locked because it is too old"), true
	}
	return reply{}, false
}

// attach files a new thread and lets it act on its conversation. The account is locked.
func (c *call) attach(conv *conversation, t *thread, d *draftThread) {
	w := c.world
	w.count(conv, -1)
	w.remember(conv, c.now, max(c.set.IndexLag, c.set.ListLag))
	conv.threads = append(conv.threads, t)
	at := c.now.Unix()
	if t.imported && c.set.ImportedModifiedAt == "historic" {
		at = t.created
	}
	if t.state != "draft" {
		c.threadStatus(conv, t, d)
	}
	t.status = conv.status
	w.touch(conv, at)
	w.count(conv, 1)
	c.saveConversation(conv, []*thread{t})
	c.mailOut(conv, t)
	event := map[string]string{"message": "convo.agent.reply.created", "note": "convo.note.created"}[t.typ]
	if event == "" {
		event = "convo.customer.reply.created"
	}
	c.tell(event, nil, conv, t.imported)
}

// threadStatus is what a thread does to the status: a status that is sent is set; without one a reply and a customer's
// message reactivate, unless they are imported.
func (c *call) threadStatus(conv *conversation, t *thread, d *draftThread) {
	status := d.status
	switch {
	case status == "all" || status == "open":
		status = "active"
	case status == "" && !t.imported && (t.typ == "message" || t.typ == "customer" || t.typ == "chat" || t.typ == "phone"):
		status = "active"
	}
	if status != "" && status != conv.status {
		conv.status = status
		conv.closed, conv.closedBy = 0, 0
		if status == "closed" {
			conv.closed, conv.closedBy = c.now.Unix(), c.user.ID
		}
	}
	if d.assignGiven && d.typ == "reply" {
		conv.assignee = d.assign
	}
}

// newest are the threads in the order of the list: by time, the newest first.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/list
func (conv *conversation) newest(s *Settings) []*thread {
	list := slices.Clone(conv.threads)
	if s.EqualTimes == "newest" {
		slices.Reverse(list)
	}
	slices.SortStableFunc(list, func(a, b *thread) int { return cmp.Compare(b.created, a.created) })
	return list
}

func (c *call) listThreads() reply {
	w := c.world
	w.mu.RLock()
	defer w.mu.RUnlock()
	conv, rp := c.find()
	if conv == nil {
		return rp
	}
	list := conv.newest(c.set)
	p := c.page(len(list), c.set.ThreadPageSize)
	items := make([]wireThread, 0, p.to-p.from)
	for _, t := range list[p.from:p.to] {
		items = append(items, c.wireThread(conv, t))
	}
	return p.reply("threads", items, len(items))
}

// find returns the conversation of the path, or what to answer instead. The account is locked.
func (c *call) find() (*conversation, reply) {
	conv := c.world.conversations[c.ids[0]]
	switch {
	case conv == nil || conv.deleted && c.set.Delete == "gone":
		return nil, c.notFound()
	case conv.merged != nil:
		rp := empty(http.StatusMovedPermanently)
		path := strings.Replace(c.r.URL.Path, strconv.FormatInt(conv.id, 10), strconv.FormatInt(conv.target().id, 10), 1)
		rp.header["Location"] = c.base + path
		return nil, rp
	}
	return conv, reply{}
}

// target is where a conversation that was merged, and merged again, is in the end.
func (conv *conversation) target() *conversation {
	for range 100 { // a damaged log may hold a circle
		if conv.merged == nil {
			break
		}
		conv = conv.merged
	}
	return conv
}

// findForWrite is find for writes: merged and deleted ones are not there.
func (c *call) findForWrite() (*conversation, reply) {
	conv := c.world.conversations[c.ids[0]]
	if conv == nil || conv.gone() {
		return nil, c.notFound()
	}
	return conv, reply{}
}

func (conv *conversation) thread(id int64) *thread {
	for _, t := range conv.threads {
		if t.id == id {
			return t
		}
	}
	return nil
}

// updateThread changes a thread's text or hides it, one operation a call.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/update
func (c *call) updateThread() reply {
	op, rp, ok := c.parseOp()
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
	t := conv.thread(c.ids[1])
	switch {
	case t == nil || t.typ == "lineitem":
		return c.notFound()
	case !c.set.ThreadEditing:
		return c.failure(http.StatusForbidden, "Thread editing is not enabled for this account")
	}
	switch op.path {
	case "/text":
		text := op.node.required("value")
		if len(op.node.errs) > 0 {
			return c.invalid(op.node.errs)
		}
		c.retext(conv, t, text)
		return empty(http.StatusNoContent)
	case "/hidden":
		if t.typ != "customer" && t.typ != "message" || t.state == "draft" {
			return c.failure(http.StatusBadRequest, "Only customer threads and replies can be hidden")
		}
		t.state = "published"
		if op.node.flag("value") {
			t.state = "hidden"
		}
	default:
		return c.badPath(op)
	}
	w.touch(conv, c.now.Unix())
	c.saveConversation(conv, []*thread{t})
	return empty(http.StatusNoContent)
}

// retext gives a thread another text. The account is locked.
func (c *call) retext(conv *conversation, t *thread, text string) {
	if t.original == "" {
		t.original = t.text.Value()
	}
	t.text = unique.Make(c.transforms()(text))
	c.world.touch(conv, c.now.Unix())
	c.saveConversation(conv, []*thread{t})
}

// uploadAttachment adds a file to a thread. Nothing keeps a client from doing it twice.
func (c *call) uploadAttachment() reply {
	n, ok := c.parse()
	if !ok {
		return c.unparsable()
	}
	f := n.file()
	if len(n.errs) > 0 {
		return c.invalid(n.errs)
	}
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	conv, rp := c.findForWrite()
	if conv == nil {
		return rp
	}
	t := conv.thread(c.ids[1])
	if t == nil || t.typ == "lineitem" {
		return c.notFound()
	}
	if m := c.set.MaxAttachments; m > 0 && len(t.files) >= m {
		return c.failure(http.StatusPreconditionFailed, "Thread has reached the limit of attachments")
	}
	a := w.newFile(c, conv, t, f)
	t.files = append(t.files, a)
	c.saveConversation(conv, []*thread{t})
	rp = empty(http.StatusCreated)
	if c.set.AttachmentIDs {
		rp.header["Resource-Id"] = strconv.FormatInt(a.id, 10)
	}
	return rp
}

// attachment finds the one of the path in its conversation.
func (c *call) attachment(conv *conversation) *attachment {
	a := c.world.attachments[c.ids[len(c.ids)-1]]
	if a == nil {
		a = c.world.attachments[c.ids[1]]
	}
	if a == nil || a.conv != conv {
		return nil
	}
	return a
}

// withAttachment answers with what show makes of the attachment of the path.
func (c *call) withAttachment(show func(*conversation, *attachment) reply) reply {
	w := c.world
	w.mu.RLock()
	defer w.mu.RUnlock()
	conv, rp := c.find()
	if conv == nil {
		return rp
	}
	if a := c.attachment(conv); a != nil {
		return show(conv, a)
	}
	return c.notFound()
}

func (c *call) getAttachment() reply {
	return c.withAttachment(func(conv *conversation, a *attachment) reply { return hal(c.wireFile(conv, a)) })
}

func (c *call) attachmentData() reply {
	return c.withAttachment(func(_ *conversation, a *attachment) reply {
		data, kept := c.world.blobs[a.digest]
		if !kept {
			return c.failure(http.StatusNotFound, "The sandbox does not keep the bytes of attachments")
		}
		return hal(map[string]string{"data": base64.StdEncoding.EncodeToString(data)})
	})
}

// attachmentFile is the newer download endpoint: the bytes themselves.
func (c *call) attachmentFile() reply {
	return c.withAttachment(func(_ *conversation, a *attachment) reply {
		rp := reply{status: http.StatusOK, typ: "application/octet-stream", body: c.world.blobs[a.digest], header: map[string]string{}}
		rp.header["Content-Disposition"] = `attachment; filename="` + strings.Map(headerSafe, a.name) + `"`
		return rp
	})
}

// headerSafe keeps hostile file names out of headers.
func headerSafe(r rune) rune {
	if r < ' ' || r > '~' || r == '"' || r == '\\' {
		return '_'
	}
	return r
}

func (c *call) deleteAttachment() reply {
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	conv, rp := c.findForWrite()
	if conv == nil {
		return rp
	}
	a := c.attachment(conv)
	if a == nil {
		return c.notFound()
	}
	a.thread.files = slices.DeleteFunc(slices.Clone(a.thread.files), func(x *attachment) bool { return x == a })
	delete(w.attachments, a.id)
	c.saveConversation(conv, []*thread{a.thread})
	return empty(http.StatusNoContent)
}

// originalSource answers for mail that came as mail; nothing that came by API has one.
func (c *call) originalSource() reply {
	w := c.world
	w.mu.RLock()
	defer w.mu.RUnlock()
	conv, rp := c.find()
	if conv == nil {
		return rp
	}
	t := conv.thread(c.ids[1])
	if t == nil || t.sourceType != "email" {
		return c.notFound()
	}
	source := "From: " + t.customer.email() + "\r\nSubject: " + conv.subject + "\r\n\r\n" + t.text.Value() + "\r\n"
	if strings.Contains(c.r.Header.Get("Accept"), "json") {
		return hal(map[string]string{"original": source})
	}
	return reply{status: http.StatusOK, typ: "message/rfc822", body: []byte(source), header: map[string]string{}}
}
