package sandbox

import (
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The shapes of reads, in the order of keys that was recorded.

// wireConversation: https://developer.helpscout.com/mailbox-api/endpoints/conversations/get
type wireConversation struct {
	ID           int64           `json:"id"`
	Number       int64           `json:"number"`
	Threads      int             `json:"threads"`
	Type         string          `json:"type"`
	FolderID     int64           `json:"folderId"`
	Status       string          `json:"status"`
	State        string          `json:"state"`
	Subject      string          `json:"subject"`
	Preview      string          `json:"preview"`
	MailboxID    int64           `json:"mailboxId"`
	Assignee     *wirePerson     `json:"assignee,omitempty"`
	CreatedBy    wirePerson      `json:"createdBy"`
	CreatedAt    string          `json:"createdAt"`
	ClosedBy     int64           `json:"closedBy"`
	ClosedByUser *wirePerson     `json:"closedByUser,omitempty"`
	ClosedAt     string          `json:"closedAt,omitempty"`
	UserUpdated  string          `json:"userUpdatedAt"`
	Waiting      wireWaiting     `json:"customerWaitingSince"`
	Source       wireSource      `json:"source"`
	Tags         []wireConvTag   `json:"tags"`
	Cc           []string        `json:"cc"`
	Bcc          []string        `json:"bcc"`
	Customer     wirePerson      `json:"primaryCustomer"`
	Snooze       *wireSnooze     `json:"snooze,omitempty"`
	Fields       []wireField     `json:"customFields"`
	Embedded     *wireEmbedded   `json:"_embedded,omitempty"`
	Links        map[string]href `json:"_links"`
}

type wireEmbedded struct {
	Threads []wireThread `json:"threads"`
}

type wirePerson struct {
	ID       int64  `json:"id"`
	Type     string `json:"type,omitempty"`
	First    string `json:"first"`
	Last     string `json:"last"`
	PhotoURL string `json:"photoUrl,omitempty"`
	Email    string `json:"email"`
}

type wireWaiting struct {
	Time     string `json:"time"`
	Friendly string `json:"friendly"`
	From     string `json:"latestReplyFrom,omitempty"`
}

type wireSource struct {
	Type string `json:"type"`
	Via  string `json:"via"`
}

type wireConvTag struct {
	ID    int64  `json:"id"`
	Color string `json:"color"`
	Tag   string `json:"tag"`
}

type wireField struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Value string `json:"value"`
	Text  string `json:"text"`
}

type wireSnooze struct {
	By    int64  `json:"snoozedBy"`
	Until string `json:"snoozedUntil"`
	Reply bool   `json:"unsnoozeOnCustomerReply"`
}

// wireThread: https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/list
type wireThread struct {
	ID         int64           `json:"id"`
	Type       string          `json:"type"`
	Status     string          `json:"status"`
	State      string          `json:"state"`
	Action     wireAction      `json:"action"`
	Body       string          `json:"body"`
	Source     wireSource      `json:"source"`
	Customer   wirePerson      `json:"customer"`
	CreatedBy  wirePerson      `json:"createdBy"`
	AssignedTo *wirePerson     `json:"assignedTo,omitempty"`
	SavedReply *int64          `json:"savedReplyId,omitempty"`
	To         []string        `json:"to"`
	Cc         []string        `json:"cc"`
	Bcc        []string        `json:"bcc"`
	CreatedAt  string          `json:"createdAt"`
	Embedded   wireFiles       `json:"_embedded"`
	Links      map[string]href `json:"_links"`
}

type wireAction struct {
	Type string `json:"type"`
	Text string `json:"text,omitempty"`
}

type wireFiles struct {
	Attachments []wireFile `json:"attachments"`
}

type wireFile struct {
	ID       int64           `json:"id"`
	Filename string          `json:"filename"` // fileName on create
	MimeType string          `json:"mimeType"`
	Width    int             `json:"width"`
	Height   int             `json:"height"`
	Size     int64           `json:"size"`
	State    string          `json:"state"`
	Links    map[string]href `json:"_links"`
}

func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format(timeLayout) }

func (c *call) link(format string, args ...any) href {
	return href{c.base + "/v2/" + fmt.Sprintf(format, args...)}
}

func (c *call) webLink(conv *conversation) string {
	return c.base + "/conversation/" + strconv.FormatInt(conv.id, 10) + "/" + strconv.FormatInt(conv.number, 10)
}

func texts(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func (c *call) wireCustomer(p *customer, typ string) wirePerson {
	return wirePerson{ID: p.id, Type: typ, First: p.first, Last: p.last, PhotoURL: p.photoURL, Email: p.email()}
}

// wireUser shows a user, a team or one who is no longer there.
func (c *call) wireUser(id int64) wirePerson {
	if u := c.world.user(id); u != nil {
		return wirePerson{ID: id, Type: "user", First: u.FirstName, Last: u.LastName, PhotoURL: u.PhotoURL, Email: u.Email}
	}
	if t := c.world.team(id); t != nil {
		return wirePerson{ID: id, Type: "team", First: t.Name}
	}
	return wirePerson{ID: id, Type: "user", First: "Deleted", Last: "User", Email: "none@nowhere.com"}
}

func (c *call) wireAuthor(a author) wirePerson {
	if a.customer != nil {
		return c.wireCustomer(a.customer, "customer")
	}
	return c.wireUser(a.user)
}

// createdBy is the link to an author, whose key tells the kind.
func (c *call) createdBy(links map[string]href, a author) {
	if a.customer != nil {
		links["createdByCustomer"] = c.link("customers/%d", a.customer.id)
		return
	}
	links["createdByUser"] = c.link("users/%d", a.user)
}

// wireConversation renders a conversation. The account is locked.
func (c *call) wireConversation(conv *conversation, threads bool) wireConversation {
	v := wireConversation{
		ID: conv.id, Number: conv.number, Threads: conv.visible(), Type: conv.typ, FolderID: conv.folder(c.world),
		Status: conv.status, State: conv.state, Subject: conv.subject, Preview: conv.preview(), MailboxID: conv.mailbox.ID,
		CreatedBy: c.wireAuthor(conv.by), CreatedAt: stamp(conv.created), ClosedBy: conv.closedBy, UserUpdated: stamp(conv.userUpdated),
		Waiting: c.waiting(conv), Source: wireSource{conv.sourceType, conv.sourceVia}, Tags: []wireConvTag{},
		Cc: texts(conv.cc), Bcc: texts(conv.bcc), Customer: c.wireCustomer(conv.customer, "customer"), Fields: []wireField{},
	}
	v.Links = map[string]href{
		"closedBy": c.link("users/%d", conv.closedBy), "mailbox": c.link("mailboxes/%d", conv.mailbox.ID),
		"primaryCustomer": c.link("customers/%d", conv.customer.id), "self": c.link("conversations/%d", conv.id),
		"threads": c.link("conversations/%d/threads/", conv.id), "web": {c.webLink(conv)},
	}
	c.createdBy(v.Links, conv.by)
	if conv.assignee != 0 {
		p := c.wireUser(conv.assignee)
		v.Assignee = &p
		v.Links["assignee"] = c.link("users/%d", conv.assignee)
	}
	if conv.closed != 0 {
		v.ClosedAt = stamp(conv.closed)
	}
	if conv.closedBy != 0 {
		p := c.wireUser(conv.closedBy)
		v.ClosedByUser = &p
	}
	for _, t := range conv.tags {
		v.Tags = append(v.Tags, wireConvTag{t.id, t.color, t.name})
	}
	v.Fields = conv.wireFields()
	if conv.snoozedUntil > c.now.Unix() {
		v.Snooze = &wireSnooze{conv.snoozedBy, stamp(conv.snoozedUntil), conv.unsnoozeOnReply}
	}
	if threads {
		v.Embedded = &wireEmbedded{Threads: []wireThread{}}
		for _, t := range conv.newest(c.set) {
			v.Embedded.Threads = append(v.Embedded.Threads, c.wireThread(conv, t))
		}
	}
	return v
}

func (conv *conversation) wireFields() []wireField {
	out := make([]wireField, 0, len(conv.fields))
	for _, f := range conv.fields {
		v := wireField{ID: f.ID, Value: f.Value, Text: f.Value}
		if def := conv.mailbox.field(f.ID); def != nil {
			v.Name = def.Name
			if o := def.option(f.Value); o != nil && fieldKind(def.Type) == "dropdown" {
				v.Text = o.Label
			}
		}
		out = append(out, v)
	}
	return out
}

// folder is the mailbox folder that shows the conversation.
func (conv *conversation) folder(w *world) int64 {
	kind := "open"
	switch {
	case conv.state == "draft":
		kind = "drafts"
	case conv.status == "spam" || conv.status == "closed":
		kind = conv.status
	case conv.assignee != 0:
		kind = "assigned"
		if w.team(conv.assignee) != nil {
			kind = teamFolder(conv.assignee)
		}
	}
	return conv.mailbox.folders[kind]
}

// latest is the newest thread that is not a line item, or nil.
func (conv *conversation) latest() *thread {
	var last *thread
	for _, t := range conv.threads {
		if t.typ != "lineitem" && (last == nil || t.created >= last.created) {
			last = t
		}
	}
	return last
}

// preview is the start of the latest thread, without its tags.
func (conv *conversation) preview() string {
	t := conv.latest()
	if t == nil {
		return ""
	}
	return plain(t.text.Value(), 250)
}

// plain strips the tags of HTML, up to a length in characters.
func plain(s string, most int) string {
	if len(s) < 1<<16 && strings.Contains(s, "<s") {
		s = dropScripts(s)
	}
	var b strings.Builder
	inTag := false
	for i := 0; i < len(s) && b.Len() < most*2; i++ {
		switch ch := s[i]; {
		case ch == '<':
			inTag = true
		case ch == '>' && inTag:
			inTag = false
			b.WriteByte(' ')
		case !inTag:
			b.WriteByte(ch)
		}
	}
	runes := []rune(strings.TrimSpace(html.UnescapeString(strings.ToValidUTF8(b.String(), ""))))
	if len(runes) > most {
		runes = runes[:most]
	}
	return string(runes)
}

// waiting tells since when the customer waits: since their last message, or since the conversation was closed.
func (c *call) waiting(conv *conversation) wireWaiting {
	at, from := conv.created, "customer"
	if conv.closed != 0 {
		at = conv.closed
	} else {
		for _, t := range conv.threads {
			if t.by.customer != nil {
				at = max(at, t.created)
			}
		}
	}
	if t := conv.latest(); t != nil && t.by.user != 0 {
		from = "user"
	}
	return wireWaiting{Time: stamp(at), Friendly: friendly(at, c.now), From: from}
}

// friendly words a moment as the service does.
func friendly(at int64, now time.Time) string {
	t := time.Unix(at, 0).UTC()
	ago := func(n int64, unit string) string {
		if n != 1 {
			unit += "s"
		}
		return strconv.FormatInt(n, 10) + " " + unit + " ago"
	}
	switch d := now.Unix() - at; {
	case d < 60:
		return "Just now" // as recorded
	case d < 3600:
		return ago(d/60, "min")
	case d < 86400:
		return ago(d/3600, "hour")
	case d < 7*86400:
		return ago(d/86400, "day")
	case t.Year() == now.UTC().Year():
		return t.Format("Jan 2")
	}
	return t.Format("Jan 2, '06")
}

// nobody is how threads of unassigned conversations show their assignee.
var nobody = wirePerson{ID: 1, First: "Help", Last: "Scout", Email: "none@nowhere.com"}

func (c *call) wireThread(conv *conversation, t *thread) wireThread {
	v := wireThread{
		ID: t.id, Type: t.typ, Status: t.status, State: t.state, Action: wireAction{"default", t.item}, Body: t.text.Value(),
		Source: wireSource{t.sourceType, t.sourceVia}, Customer: c.wireCustomer(t.customer, ""), CreatedBy: c.wireAuthor(t.by),
		To: texts(t.to), Cc: texts(t.cc), Bcc: texts(t.bcc), CreatedAt: stamp(t.created),
		Links: map[string]href{"customer": c.link("customers/%d", t.customer.id)},
	}
	c.createdBy(v.Links, t.by)
	who := nobody
	if t.assignee != 0 {
		who = c.wireUser(t.assignee)
	}
	if t.typ != "chat" { // recorded: a chat shows neither
		v.AssignedTo = &who
		v.Links["assignedTo"] = c.link("users/%d", who.ID)
	}
	if t.typ == "message" || t.typ == "customer" {
		v.SavedReply = new(int64)
	}
	v.Embedded.Attachments = make([]wireFile, 0, len(t.files))
	for _, a := range t.files {
		v.Embedded.Attachments = append(v.Embedded.Attachments, c.wireFile(conv, a))
	}
	return v
}

func (c *call) wireFile(conv *conversation, a *attachment) wireFile {
	self := c.link("conversations/%d/attachments/%d", conv.id, a.id)
	return wireFile{
		ID: a.id, Filename: a.name, MimeType: a.mime, Size: a.size, State: "valid",
		Links: map[string]href{
			"data": {self.Href + "/data"}, "self": self,
			"web": {fmt.Sprintf("%s/file/%d/%x/%s", c.base, a.id, a.digest[:20], pathSafe(a.name))},
		},
	}
}

// pathSafe keeps hostile file names out of links.
func pathSafe(name string) string {
	return strings.Map(func(r rune) rune {
		if headerSafe(r) == '_' || strings.ContainsRune(" /?#%&<>", r) {
			return '_'
		}
		return r
	}, name)
}

func (c *call) getConversation() reply {
	w := c.world
	w.mu.RLock()
	defer w.mu.RUnlock()
	conv, rp := c.find()
	if conv == nil {
		return rp
	}
	return hal(c.wireConversation(conv, c.embeds("threads")))
}

// embeds says that the request wants a sub-resource.
func (c *call) embeds(what string) bool {
	for _, v := range c.r.URL.Query()["embed"] {
		for part := range strings.SplitSeq(v, ",") {
			if strings.TrimSpace(part) == what {
				return true
			}
		}
	}
	return false
}

// paging is one page of a list.
type paging struct {
	c                  *call
	from, to           int
	size, number       int
	totals, totalPages int
	selfOnly           bool
}

// page reads the page parameter, which begins with 1, against the size of a list.
func (c *call) page(total, size int) paging {
	size = max(size, 1)
	number, _ := strconv.Atoi(c.r.URL.Query().Get("page"))
	number = max(number, 1)
	p := paging{c: c, size: size, number: number, totals: total, totalPages: (total + size - 1) / size}
	p.from = min(total, min(number-1, p.totalPages)*size)
	p.to = min(total, p.from+size)
	return p
}

// reply wraps the items of a page; _embedded is absent when there are none.
func (p paging) reply(key string, items any, count int) reply {
	type block struct {
		Size          int `json:"size"`
		TotalElements int `json:"totalElements"`
		TotalPages    int `json:"totalPages"`
		Number        int `json:"number"`
	}
	v := struct {
		Embedded map[string]any  `json:"_embedded,omitempty"`
		Links    map[string]href `json:"_links"`
		Page     block           `json:"page"`
	}{Links: p.links(), Page: block{p.size, p.totals, p.totalPages, p.number}}
	if count > 0 {
		v.Embedded = map[string]any{key: items}
	}
	rp := hal(v)
	rp.status = http.StatusOK
	return rp
}

// links keep the parameters of the request; paths end in a slash but for the conversation list, as recorded.
func (p paging) links() map[string]href {
	c := p.c
	path := c.base + strings.TrimSuffix(c.r.URL.Path, "/")
	if !strings.HasSuffix(path, "/conversations") {
		path += "/"
	}
	q := c.r.URL.Query()
	q.Del("page")
	rest := q.Encode()
	plain := path
	if rest != "" {
		plain += "?" + rest
		rest += "&"
	}
	if p.selfOnly {
		return map[string]href{"self": {plain}}
	}
	to := func(n int) href { return href{path + "?" + rest + "page=" + strconv.Itoa(n)} }
	links := map[string]href{"first": to(1), "last": to(max(p.totalPages, 1)), "page": {plain}, "self": {plain}}
	if p.number > 1 {
		links["self"] = to(p.number)
		links["previous"] = to(p.number - 1)
	}
	if p.number < p.totalPages {
		links["next"] = to(p.number + 1)
	}
	return links
}
