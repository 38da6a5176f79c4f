package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unique"
)

// pageOf answers a list of things that are rendered one by one.
func pageOf[T any](c *call, key string, list []T, render func(T) any) reply {
	p := c.page(len(list), c.set.PageSize)
	items := make([]any, 0, p.to-p.from)
	for _, v := range list[p.from:p.to] {
		items = append(items, render(v))
	}
	return p.reply(key, items, len(items))
}

// wireMailbox: https://developer.helpscout.com/mailbox-api/endpoints/mailboxes/get
func (c *call) wireMailbox(m *Mailbox) any {
	return struct {
		ID        int64           `json:"id"`
		Name      string          `json:"name"`
		Slug      string          `json:"slug"`
		Email     string          `json:"email"`
		CreatedAt string          `json:"createdAt"`
		UpdatedAt string          `json:"updatedAt"`
		Links     map[string]href `json:"_links"`
	}{m.ID, m.Name, m.Slug, m.Email, stamp(m.CreatedAt.Unix()), stamp(m.UpdatedAt.Unix()), map[string]href{
		"fields": c.link("mailboxes/%d/fields/", m.ID), "folders": c.link("mailboxes/%d/folders/", m.ID), "self": c.link("mailboxes/%d", m.ID),
	}}
}

func (c *call) listMailboxes() reply { return pageOf(c, "mailboxes", c.world.mailboxes, c.wireMailbox) }

func (c *call) getMailbox() reply {
	if m := c.world.mailbox(c.ids[0]); m != nil {
		return hal(c.wireMailbox(m))
	}
	return c.notFound()
}

// listFields: https://developer.helpscout.com/mailbox-api/endpoints/mailboxes/custom_fields/list
func (c *call) listFields() reply {
	m := c.world.mailbox(c.ids[0])
	if m == nil {
		return c.notFound()
	}
	return pageOf(c, "fields", m.Fields, func(f Field) any {
		f.Type = spellFieldType(f.Type, c.set)
		return f
	})
}

// listFolders: https://developer.helpscout.com/mailbox-api/endpoints/mailboxes/folders/list
func (c *call) listFolders() reply {
	m := c.world.mailbox(c.ids[0])
	if m == nil {
		return c.notFound()
	}
	c.world.mu.RLock()
	folders := c.world.folderList(m)
	c.world.mu.RUnlock()
	p := c.page(len(folders), c.set.PageSize)
	p.selfOnly = true // recorded: this list has no other links
	folders = folders[p.from:p.to]
	return p.reply("folders", folders, len(folders))
}

type folder struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	Type    string `json:"type"`
	UserID  int64  `json:"userId"`
	Total   int    `json:"totalCount"`
	Active  int    `json:"activeCount"`
	Updated string `json:"updatedAt"`
}

// folderList counts the conversations of each folder. The account is locked.
func (w *world) folderList(m *Mailbox) []folder { return w.folderLists()[m.ID] }

// folderLists counts those of all mailboxes in one pass.
func (w *world) folderLists() map[int64][]folder {
	count := w.countFolders()
	lists := make(map[int64][]folder, len(w.mailboxes))
	for _, m := range w.mailboxes {
		list := make([]folder, 0, len(m.folders))
		for _, k := range folderKinds {
			list = append(list, folder{ID: m.folders[k.kind], Name: k.name, Type: k.kind})
		}
		list[1].UserID = w.owner().ID
		for _, t := range w.teams {
			list = append(list, folder{ID: m.folders[teamFolder(t.ID)], Name: t.Name, Type: "team", UserID: t.ID})
		}
		for i := range list {
			s := count[list[i].ID]
			list[i].Total, list[i].Active, list[i].Updated = s.total, s.active, stamp(max(s.updated, m.UpdatedAt.Unix()))
		}
		lists[m.ID] = list
	}
	return lists
}

// folderSums are the counts of one folder.
type folderSums struct {
	total, active int
	updated       int64
}

// countFolders sums up by folder id.
func (w *world) countFolders() map[int64]folderSums {
	count := map[int64]folderSums{}
	mine := w.owner().ID
	add := func(id int64, conv *conversation) {
		s := count[id]
		s.total++
		if conv.status == "active" {
			s.active++
		}
		s.updated = max(s.updated, conv.modified)
		count[id] = s
	}
	for _, conv := range w.numbered {
		if conv.gone() {
			continue
		}
		add(conv.folder(w), conv)
		if conv.assignee == mine && conv.status == "active" {
			add(conv.mailbox.folders["mytickets"], conv)
		}
	}
	return count
}

// wireUserFull: https://developer.helpscout.com/mailbox-api/endpoints/users/get
func (c *call) wireUserFull(u *User) any {
	type shape struct {
		ID        int64           `json:"id"`
		FirstName string          `json:"firstName"`
		LastName  string          `json:"lastName"`
		Email     string          `json:"email"`
		Role      string          `json:"role"`
		Timezone  string          `json:"timezone"`
		PhotoURL  string          `json:"photoUrl,omitempty"`
		CreatedAt string          `json:"createdAt"`
		UpdatedAt string          `json:"updatedAt"`
		Type      string          `json:"type"`
		Mention   string          `json:"mention"`
		Initials  string          `json:"initials"`
		JobTitle  string          `json:"jobTitle"`
		Phone     string          `json:"phone"`
		Alternate []string        `json:"alternateEmails"`
		Links     map[string]href `json:"_links"`
	}
	first, last, typ := []rune(u.FirstName+" "), []rune(u.LastName+" "), "user"
	if c.world.team(u.ID) != nil {
		typ = "team"
	}
	return shape{
		u.ID, u.FirstName, u.LastName, u.Email, u.Role, u.Timezone, u.PhotoURL, stamp(u.CreatedAt.Unix()), stamp(u.UpdatedAt.Unix()), typ,
		u.Mention, strings.TrimSpace(string(first[:1]) + string(last[:1])), u.JobTitle, u.Phone, texts(u.AlternateEmails),
		map[string]href{"self": c.link("users/%d", u.ID)},
	}
}

func (c *call) listUsers() reply {
	q := c.r.URL.Query()
	list := slices.DeleteFunc(slices.Clone(c.world.users), func(u *User) bool {
		if e := q.Get("email"); e != "" && !strings.EqualFold(e, u.Email) {
			return true
		}
		m, err := strconv.ParseInt(q.Get("mailbox"), 10, 64)
		return err == nil && len(u.Mailboxes) > 0 && !slices.Contains(u.Mailboxes, m)
	})
	if c.set.TeamsInUsers && q.Get("email") == "" {
		for _, t := range c.world.teams {
			list = append(list, &User{
				ID: t.ID, FirstName: t.Name, Role: "user", Timezone: "UTC", Mention: t.Mention, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
			})
		}
		slices.SortStableFunc(list, func(a, b *User) int { return strings.Compare(a.FirstName, b.FirstName) })
	}
	return pageOf(c, "users", list, c.wireUserFull)
}

func (c *call) getMe() reply { return hal(c.wireUserFull(c.user)) }

func (c *call) getUser() reply {
	if u := c.world.user(c.ids[0]); u != nil {
		return hal(c.wireUserFull(u))
	}
	return c.notFound()
}

// wireTeam: https://developer.helpscout.com/mailbox-api/endpoints/teams/list-teams
func (c *call) wireTeam(t *Team) any {
	return struct {
		ID        int64           `json:"id"`
		Name      string          `json:"name"`
		CreatedAt string          `json:"createdAt"`
		UpdatedAt string          `json:"updatedAt"`
		Timezone  string          `json:"timezone"`
		PhotoURL  string          `json:"photoUrl"`
		Mention   string          `json:"mention"`
		Initials  string          `json:"initials"`
		Links     map[string]href `json:"_links"`
	}{
		t.ID, t.Name, stamp(t.CreatedAt.Unix()), stamp(t.UpdatedAt.Unix()), "UTC", "", t.Mention, "",
		map[string]href{"members": c.link("teams/%d/members", t.ID), "self": c.link("teams/%d", t.ID)},
	}
}

func (c *call) listTeams() reply { return pageOf(c, "teams", c.world.teams, c.wireTeam) }

func (c *call) getTeam() reply {
	if t := c.world.team(c.ids[0]); t != nil {
		return hal(c.wireTeam(t))
	}
	return c.notFound()
}

func (c *call) listMembers() reply {
	t := c.world.team(c.ids[0])
	if t == nil {
		return c.notFound()
	}
	list := slices.DeleteFunc(slices.Clone(c.world.users), func(u *User) bool { return !slices.Contains(t.Members, u.ID) })
	return pageOf(c, "users", list, c.wireUserFull)
}

// wireTag: https://developer.helpscout.com/mailbox-api/endpoints/tags/list
func (c *call) wireTag(t *tag) any {
	return struct {
		ID        int64  `json:"id"`
		Name      string `json:"name"`
		Slug      string `json:"slug"`
		Color     string `json:"color"`
		CreatedAt string `json:"createdAt"`
		UpdatedAt string `json:"updatedAt"`
		Count     int    `json:"ticketCount"`
	}{t.id, t.name, strings.ReplaceAll(strings.ToLower(t.name), " ", "-"), t.color, stamp(t.created), stamp(t.updated), c.world.byTag[t]}
}

func (c *call) listTags() reply {
	c.world.mu.RLock()
	defer c.world.mu.RUnlock()
	return pageOf(c, "tags", c.world.tags, c.wireTag)
}

func (c *call) getTag() reply {
	c.world.mu.RLock()
	defer c.world.mu.RUnlock()
	for _, t := range c.world.tags {
		if t.id == c.ids[0] {
			return hal(c.wireTag(t))
		}
	}
	return c.notFound()
}

// wireWorkflow: https://developer.helpscout.com/mailbox-api/endpoints/workflows/list
func (c *call) wireWorkflow(f *Workflow) any {
	return struct {
		ID         int64  `json:"id"`
		MailboxID  int64  `json:"mailboxId"`
		Type       string `json:"type"`
		Status     string `json:"status"`
		Order      int    `json:"order"`
		Name       string `json:"name"`
		CreatedAt  string `json:"createdAt"`
		ModifiedAt string `json:"modifiedAt"`
	}{f.ID, f.MailboxID, f.Type, f.Status, f.Order, f.Name, stamp(f.created.Unix()), stamp(f.modified.Unix())}
}

func (c *call) listWorkflows() reply {
	c.world.mu.RLock()
	defer c.world.mu.RUnlock()
	q := c.r.URL.Query()
	list := slices.DeleteFunc(slices.Clone(c.world.workflows), func(f *Workflow) bool {
		m, err := strconv.ParseInt(q.Get("mailboxId"), 10, 64)
		return err == nil && f.MailboxID != m || q.Get("type") != "" && q.Get("type") != f.Type
	})
	return pageOf(c, "workflows", list, c.wireWorkflow)
}

func (w *world) workflow(id int64) *Workflow {
	for _, f := range w.workflows {
		if f.ID == id {
			return f
		}
	}
	return nil
}

// patchWorkflow switches a workflow on or off.
func (c *call) patchWorkflow() reply {
	o, rp, ok := c.parseOp()
	if !ok {
		return rp
	}
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.workflow(c.ids[0])
	if f == nil {
		return c.notFound()
	}
	if o.op != "replace" || o.path != "/status" {
		return c.badPath(o)
	}
	status := o.node.oneOf("value", true, "active", "inactive")
	if len(o.node.errs) > 0 {
		return c.invalid(o.node.errs)
	}
	f.Status, f.modified = status, c.now
	c.saveWorkflow(f)
	return empty(http.StatusNoContent)
}

// runWorkflow runs a manual workflow on up to 50 conversations.
func (c *call) runWorkflow() reply {
	n, ok := c.parse()
	if !ok {
		return c.unparsable()
	}
	list := n.list("conversationIds")
	if len(list) == 0 || len(list) > 50 {
		n.problem("conversationIds", size, "size must be between 1 and 50", nil)
		return c.invalid(n.errs)
	}
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.workflow(c.ids[0])
	if f == nil {
		return c.notFound()
	}
	for i := range list {
		id := node{n.checker, n.item("conversationIds", i), map[string]any{"": list[i]}}.number("")
		if conv := w.conversations[id]; conv != nil && !conv.gone() {
			c.act(f, conv)
		}
	}
	return empty(http.StatusNoContent)
}

// newConversation is what the account does about a new conversation: webhooks and workflows. It is locked.
func (c *call) newConversation(conv *conversation) {
	c.tell("convo.created", nil, conv, conv.imported)
	if conv.imported && !c.set.WorkflowsOnImported {
		return
	}
	for _, f := range c.world.workflows {
		if f.Status != "active" || f.Type == "manual" || f.MailboxID != conv.mailbox.ID {
			continue
		}
		again := *c
		c.later(c.set.WorkflowDelay, func() {
			again.now = time.Now()
			again.world.mu.Lock()
			defer again.world.mu.Unlock()
			if again.conditionHolds(f, conv) {
				again.act(f, conv)
			}
		})
	}
}

func (c *call) conditionHolds(f *Workflow, conv *conversation) bool {
	if conv.gone() || f.Status != "active" {
		return false
	}
	if f.Query == "" {
		return true
	}
	q, err := parseQuery(f.Query)
	v, ok := conv.asOf(c.now.UnixNano())
	return err == nil && ok && q.matches(&v, c.world)
}

// act carries out what a workflow does. The account is locked.
func (c *call) act(f *Workflow, conv *conversation) {
	w := c.world
	again := *c
	again.user = w.owner()
	c.alter(conv, again.user.ID, &alteration{item: "Workflow: " + f.Name, do: func() {
		if f.AddTag != "" {
			t := w.tag(f.AddTag, c.now.Unix(), c.set.TagCase == "lower")
			if !slices.Contains(conv.tags, t) {
				conv.tags = append(slices.Clone(conv.tags), t)
			}
		}
		if f.Assign != 0 {
			conv.assignee = f.Assign
		}
		if f.SetStatus != "" {
			again.setStatus(conv, f.SetStatus)
		}
		if m := w.mailbox(f.Move); m != nil {
			conv.mailbox = m
		}
	}})
	if f.Reply != "" {
		again.say(conv, "message", f.Reply)
	}
	if f.Note != "" {
		again.say(conv, "note", f.Note)
	}
	if f.Delete {
		again.remove(conv)
	}
}

// say adds a thread that a person or a workflow writes in the service itself. The account is locked.
func (c *call) say(conv *conversation, typ, text string) *thread {
	w := c.world
	t := &thread{
		id: w.nextID(idThread), typ: typ, status: conv.status, state: "published", text: unique.Make(text),
		sourceType: "web", sourceVia: "user", customer: conv.customer, by: author{user: c.user.ID}, assignee: conv.assignee,
		created: c.now.Unix(), appeared: c.now.UnixNano(),
	}
	d := draftThread{typ: typ}
	if typ == "customer" {
		t.by, t.sourceVia, t.sourceType = author{customer: conv.customer}, "customer", "email"
	}
	c.attach(conv, t, &d)
	return t
}
