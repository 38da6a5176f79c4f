package helpscout

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Every function of this file only reads: each request is granted by Options.Grant, and may be asked again.

// Me is the user whose token this is.
// https://developer.helpscout.com/mailbox-api/endpoints/users/me
func (c *Client) Me(ctx context.Context) (*User, error) {
	q := call{method: http.MethodGet, path: "/v2/users/me", limit: limitList}
	var u User
	a, err := c.do(ctx, q)
	if err != nil {
		return nil, err
	}
	if err := c.decode(q, a, &u); err != nil {
		return nil, err
	}
	if u.ID < 1 {
		return nil, c.unusable(q, a, "the answer names no user")
	}
	return &u, nil
}

// Users are the agents of the account; deleted ones are not listed.
// https://developer.helpscout.com/mailbox-api/endpoints/users/list
func (c *Client) Users(ctx context.Context) ([]User, error) {
	return listAll[User](ctx, c, "/v2/users", "users")
}

// Teams are the teams of the account.
// https://developer.helpscout.com/mailbox-api/endpoints/teams/list-teams
func (c *Client) Teams(ctx context.Context) ([]Team, error) {
	return listAll[Team](ctx, c, "/v2/teams", "teams")
}

// Mailboxes are the inboxes the token's user may see, without their fields.
// https://developer.helpscout.com/mailbox-api/endpoints/mailboxes/list
func (c *Client) Mailboxes(ctx context.Context) ([]Mailbox, error) {
	return listAll[Mailbox](ctx, c, "/v2/mailboxes", "mailboxes")
}

// MailboxFields are the custom fields of a mailbox.
// https://developer.helpscout.com/mailbox-api/endpoints/mailboxes/custom_fields/list
func (c *Client) MailboxFields(ctx context.Context, mailbox int64) ([]Field, error) {
	return listAll[Field](ctx, c, "/v2/mailboxes/"+strconv.FormatInt(mailbox, 10)+"/fields", "fields")
}

// MailboxFolders are the folders of a mailbox.
// https://developer.helpscout.com/mailbox-api/endpoints/mailboxes/folders/list
func (c *Client) MailboxFolders(ctx context.Context, mailbox int64) ([]Folder, error) {
	return listAll[Folder](ctx, c, "/v2/mailboxes/"+strconv.FormatInt(mailbox, 10)+"/folders", "folders")
}

// Tags are the tags of the account; this list has their names under "name".
// https://developer.helpscout.com/mailbox-api/endpoints/tags/list
func (c *Client) Tags(ctx context.Context) ([]Tag, error) {
	listed, err := listAll[listedTag](ctx, c, "/v2/tags", "tags")
	if err != nil {
		return nil, err
	}
	tags := make([]Tag, len(listed))
	for i, t := range listed {
		tags[i] = Tag(t)
	}
	return tags, nil
}

// listedTag is a tag as the tag list shows it.
type listedTag struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

func (v listedTag) id() int64 { return v.ID }

// Workflows are the automations of all mailboxes.
// https://developer.helpscout.com/mailbox-api/endpoints/workflows/list
func (c *Client) Workflows(ctx context.Context) ([]Workflow, error) {
	return listAll[Workflow](ctx, c, "/v2/workflows", "workflows")
}

// Webhooks are the subscriptions of the account.
// https://developer.helpscout.com/mailbox-api/endpoints/webhooks/list
func (c *Client) Webhooks(ctx context.Context) ([]Webhook, error) {
	return listAll[Webhook](ctx, c, "/v2/webhooks", "webhooks")
}

// Conversation reads one conversation. A deleted one is a 404; one that was merged or moved is a 301, with the
// place where it is now in Error.Location (see [IDFromLocation]). Both are of kind Rejected.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/get
func (c *Client) Conversation(ctx context.Context, id int64, embedThreads bool) (*Conversation, error) {
	q := call{method: http.MethodGet, path: conversationPath(id), limit: limitList}
	if embedThreads {
		q.query = url.Values{"embed": {"threads"}}
	}
	a, err := c.do(ctx, q)
	if err != nil {
		return nil, err
	}
	var v Conversation
	if err := c.decode(q, a, &v); err != nil {
		return nil, err
	}
	if v.ID != id {
		return nil, c.unusable(q, a, "the answer is not that conversation")
	}
	return &v, nil
}

// ListQuery narrows a list of conversations; the zero value is every conversation of the account.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/list
type ListQuery struct {
	Query         string // search syntax, as in (createdAt:[A TO B]); a search sees new conversations late
	Status        string // active, closed, open, pending, spam; empty: all (the server's own default hides the rest)
	Mailbox       int64  // 0: account-wide
	SortField     string // createdAt, modifiedAt, number, ...; empty: createdAt
	SortOrder     string // asc, desc; empty: desc
	Tag           string
	ModifiedSince string // as TimeLayout
	EmbedThreads  bool
	Number        int64
	AssignedTo    int64 // a user or team; 0: whoever
}

func (l ListQuery) values() url.Values {
	v := url.Values{"status": {l.Status}}
	if l.Status == "" {
		v.Set("status", "all")
	}
	texts := [][2]string{
		{"query", l.Query},
		{"sortField", l.SortField},
		{"sortOrder", l.SortOrder},
		{"tag", l.Tag},
		{"modifiedSince", l.ModifiedSince},
	}
	for _, t := range texts {
		if t[1] != "" {
			v.Set(t[0], t[1])
		}
	}
	if l.Mailbox != 0 {
		v.Set("mailbox", strconv.FormatInt(l.Mailbox, 10))
	}
	if l.Number != 0 {
		v.Set("number", strconv.FormatInt(l.Number, 10))
	}
	if l.AssignedTo != 0 {
		v.Set("assigned_to", strconv.FormatInt(l.AssignedTo, 10))
	}
	if l.EmbedThreads {
		v.Set("embed", "threads")
	}
	return v
}

// Conversations lists one page, counted from 1. The list is at its end when page >= Page.TotalPages.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/list
func (c *Client) Conversations(ctx context.Context, l ListQuery, page int) ([]Conversation, Page, error) {
	got, err := listPage[Conversation](ctx, c, "/v2/conversations", "conversations", l.values(), page)
	return got.items, got.page, err
}

// Threads lists all threads of a conversation, newest first, as the server sends them.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/list
func (c *Client) Threads(ctx context.Context, conversation int64) ([]Thread, error) {
	return listAll[Thread](ctx, c, conversationPath(conversation)+"/threads", "threads")
}

// Customers lists one page, counted from 1, of the customers that a search as (email:"a@b.example") finds.
// https://developer.helpscout.com/mailbox-api/endpoints/customers/list
func (c *Client) Customers(ctx context.Context, query string, page int) ([]Customer, Page, error) {
	v := url.Values{}
	if query != "" {
		v.Set("query", query)
	}
	got, err := listPage[Customer](ctx, c, "/v2/customers", "customers", v, page)
	return got.items, got.page, err
}

// CustomersSince lists one page, counted from 1, of the customers that were changed or created since a time (TimeLayout),
// by the time of the change, the oldest first.
// https://developer.helpscout.com/mailbox-api/endpoints/customers/list
func (c *Client) CustomersSince(ctx context.Context, since string, page int) ([]Customer, Page, error) {
	v := url.Values{"modifiedSince": {since}, "sortField": {"modifiedAt"}, "sortOrder": {"asc"}}
	got, err := listPage[Customer](ctx, c, "/v2/customers", "customers", v, page)
	return got.items, got.page, err
}

// AttachmentData reads the bytes of an attachment, up to 48 MB.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/attachments/get-data
func (c *Client) AttachmentData(ctx context.Context, conversation, attachment int64) ([]byte, error) {
	path := conversationPath(conversation) + "/attachments/" + strconv.FormatInt(attachment, 10) + "/data"
	q := call{method: http.MethodGet, path: path, limit: limitData}
	a, err := c.do(ctx, q)
	if err != nil {
		return nil, err
	}
	var v struct {
		Data *string `json:"data"`
	}
	if err := c.decode(q, a, &v); err != nil {
		return nil, err
	}
	if v.Data == nil {
		return nil, c.unusable(q, a, "the answer has no data")
	}
	text := strings.TrimRight(*v.Data, "=\r\n ")
	data, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, c.unusable(q, a, "the data is not base64: "+err.Error())
	}
	return data, nil
}
