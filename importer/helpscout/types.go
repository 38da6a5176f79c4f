package helpscout

import (
	"encoding/json"
	"fmt"
	"net/url"
	"time"
)

// TimeLayout is the only form of a date that the API accepts: UTC, whole seconds, a literal Z.
// https://developer.helpscout.com/mailbox-api/overview/errors (malformed date)
const TimeLayout = "2006-01-02T15:04:05Z"

// A Time is a moment on the wire. It marshals in TimeLayout; it reads every form the API has been seen to send.
type Time struct{ time.Time }

// At converts t, dropping what is below a second.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Second)} }

// MarshalJSON writes TimeLayout.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(`"` + t.UTC().Format(TimeLayout) + `"`), nil
}

// UnmarshalJSON reads RFC 3339 with or without fractions and null or "" as the zero time.
func (t *Time) UnmarshalJSON(b []byte) error {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if s == nil || *s == "" {
		*t = Time{}
		return nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700"} {
		if v, err := time.Parse(layout, *s); err == nil {
			*t = Time{v.UTC()}
			return nil
		}
	}
	return fmt.Errorf("malformed time %q", *s)
}

// NewConversation is the body of POST /v2/conversations.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/create
type NewConversation struct {
	Subject   string       `json:"subject"`
	Customer  *NewCustomer `json:"customer"`
	MailboxID int64        `json:"mailboxId"`
	Type      string       `json:"type"`   // email, chat, phone
	Status    string       `json:"status"` // active, pending, closed
	Imported  bool         `json:"imported"`
	// AssignTo is a user or team id, or an explicit null: when the key is absent the inbox's own rule assigns.
	AssignTo  *int64       `json:"assignTo"`
	CreatedAt Time         `json:"createdAt"`
	ClosedAt  *Time        `json:"closedAt,omitempty"`
	User      int64        `json:"user,omitempty"`
	Tags      []string     `json:"tags,omitempty"`
	Fields    []FieldValue `json:"fields,omitempty"`
	Threads   []NewThread  `json:"threads"` // 1..100, oldest first
}

// NewCustomer names a customer by id or by address; an unknown address creates one, a known one is left as it is.
// https://developer.helpscout.com/mailbox-api/endpoints/customers/create
type NewCustomer struct {
	ID           int64  `json:"id,omitempty"`
	Email        string `json:"email,omitempty"`
	FirstName    string `json:"firstName,omitempty"` // 1..40
	LastName     string `json:"lastName,omitempty"`  // 1..40
	Phone        string `json:"phone,omitempty"`
	JobTitle     string `json:"jobTitle,omitempty"`     // ..60
	Organization string `json:"organization,omitempty"` // ..60
	Background   string `json:"background,omitempty"`   // ..200
	Location     string `json:"location,omitempty"`     // ..60
}

// Types of threads as they are created. A reply reads back as "message".
const (
	ThreadCustomer = "customer"
	ThreadReply    = "reply"
	ThreadNote     = "note"
	ThreadChat     = "chat"
	ThreadPhone    = "phone"
)

// NewThread is a thread inside a create call, or (without Type) the body of one of the five thread endpoints.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/customer and its siblings
type NewThread struct {
	Type        string          `json:"type,omitempty"`
	Customer    *NewCustomer    `json:"customer,omitempty"` // required but on notes
	User        int64           `json:"user,omitempty"`     // reply and note: the author; not accepted on phone
	Text        string          `json:"text"`               // HTML
	Imported    bool            `json:"imported"`
	CreatedAt   Time            `json:"createdAt"`
	Status      string          `json:"status,omitempty"` // appended replies and notes: keeps the conversation as it is
	Cc          []string        `json:"cc,omitempty"`     // customer and reply
	Attachments []NewAttachment `json:"attachments,omitempty"`
}

// NewAttachment is a file in a thread or the body of the upload endpoint. Data is base64, or in a plan the symbol
// "attachment:SHA-256".
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/attachments/create
type NewAttachment struct {
	FileName string `json:"fileName"`
	MIMEType string `json:"mimeType"`
	Data     string `json:"data"`
}

// FieldValue sets a custom field; the value of a dropdown is its option's id.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/custom_fields/update
type FieldValue struct {
	ID    int64  `json:"id"`
	Value string `json:"value"`
}

// Mailbox is an inbox. https://developer.helpscout.com/mailbox-api/endpoints/mailboxes/list
type Mailbox struct {
	ID     int64   `json:"id"`
	Name   string  `json:"name"`
	Slug   string  `json:"slug"`
	Email  string  `json:"email"`
	Fields []Field `json:"-"` // filled by MailboxFields
}

// Folder is a folder of a mailbox. Type is open, mytickets, needs_attn, drafts, assigned, closed, spam, team, ...
// https://developer.helpscout.com/mailbox-api/endpoints/mailboxes/folders/list
type Folder struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
}

// Field is a custom field of a mailbox. Type has been spelled in several ways: compare with Kind.
// https://developer.helpscout.com/mailbox-api/endpoints/mailboxes/custom_fields/list
type Field struct {
	ID       int64    `json:"id"`
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Required bool     `json:"required"`
	Order    int      `json:"order"`
	Options  []Option `json:"options,omitempty"`
}

// Option is one choice of a dropdown.
type Option struct {
	ID    int64  `json:"id"`
	Label string `json:"label"`
	Order int    `json:"order"`
}

// User is an agent. Deleted users are not listed.
// https://developer.helpscout.com/mailbox-api/endpoints/users/list
type User struct {
	ID              int64    `json:"id"`
	FirstName       string   `json:"firstName"`
	LastName        string   `json:"lastName"`
	Email           string   `json:"email"`
	Role            string   `json:"role"`
	Type            string   `json:"type"`
	AlternateEmails []string `json:"alternateEmails,omitempty"`
}

// Team shares the id space of assignees with users.
// https://developer.helpscout.com/mailbox-api/endpoints/teams/list-teams
type Team struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Workflow is an automation of a mailbox; the API does not tell its conditions.
// https://developer.helpscout.com/mailbox-api/endpoints/workflows/list
type Workflow struct {
	ID        int64  `json:"id"`
	MailboxID int64  `json:"mailboxId"`
	Type      string `json:"type"`
	Status    string `json:"status"`
	Name      string `json:"name"`
}

// Webhook is a subscription that an import may set off.
// https://developer.helpscout.com/mailbox-api/endpoints/webhooks/list
type Webhook struct {
	ID         int64    `json:"id"`
	URL        string   `json:"url"` // may hold a secret of its receiver: Place is what may be shown
	State      string   `json:"state"`
	Label      string   `json:"label,omitempty"`
	Events     []string `json:"events"`
	MailboxIDs []int64  `json:"mailboxIds,omitempty"` // empty: all
}

// Place is where the events go, without path and query: those are often a secret of the receiver.
func (h Webhook) Place() string {
	u, err := url.Parse(h.URL)
	if err != nil || u.Host == "" {
		return "an address that cannot be read"
	}
	if u.Path == "" || u.Path == "/" {
		return u.Scheme + "://" + u.Host
	}
	return u.Scheme + "://" + u.Host + "/..."
}

// Conversation is what GET and list return; keys it lacks are not used by the importer.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/get
type Conversation struct {
	ID            int64        `json:"id"`
	Number        int64        `json:"number"`
	ThreadCount   int          `json:"threads"`
	Type          string       `json:"type"`
	Status        string       `json:"status"`
	State         string       `json:"state"`
	Subject       string       `json:"subject"`
	Preview       string       `json:"preview"`
	MailboxID     int64        `json:"mailboxId"`
	Assignee      *PersonRef   `json:"assignee,omitempty"`
	CreatedBy     *PersonRef   `json:"createdBy,omitempty"`
	CreatedAt     Time         `json:"createdAt"`
	ClosedAt      Time         `json:"closedAt"`
	UserUpdatedAt Time         `json:"userUpdatedAt"`
	Source        Source       `json:"source"`
	Tags          []Tag        `json:"tags"`
	Customer      *PersonRef   `json:"primaryCustomer,omitempty"`
	CustomFields  []FieldState `json:"customFields"`
	Embedded      struct {
		Threads []Thread `json:"threads"`
	} `json:"_embedded"`
	Links struct {
		Web struct {
			Href string `json:"href"`
		} `json:"web"`
	} `json:"_links"`
}

// PersonRef is a user, team or customer as other entities show it.
type PersonRef struct {
	ID    int64  `json:"id"`
	Type  string `json:"type"`
	First string `json:"first"`
	Last  string `json:"last"`
	Email string `json:"email"`
}

// Source tells how a conversation or thread came to be: type email, api, web, ...; via customer or user.
type Source struct {
	Type string `json:"type"`
	Via  string `json:"via"`
}

// Tag as conversations show it: the name is under "tag".
type Tag struct {
	ID   int64  `json:"id"`
	Name string `json:"tag"`
}

// FieldState is a custom field as conversations show it.
type FieldState struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Value Loose  `json:"value"`
	Text  string `json:"text"`
}

// Loose is a string that the API may send as a number.
type Loose string

// UnmarshalJSON takes a string, a number, a boolean or null.
func (l *Loose) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*l = Loose(s)
		return nil
	}
	if string(b) == "null" {
		*l = ""
		return nil
	}
	*l = Loose(b)
	return nil
}

// Thread is what the thread list returns, newest first.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/list
type Thread struct {
	ID        int64      `json:"id"`
	Type      string     `json:"type"` // customer, message (a reply), note, chat, phone, lineitem, ...
	Status    string     `json:"status"`
	State     string     `json:"state"`
	Body      string     `json:"body"`
	Source    Source     `json:"source"`
	Customer  *PersonRef `json:"customer,omitempty"`
	CreatedBy *PersonRef `json:"createdBy,omitempty"`
	To        []string   `json:"to"`
	Cc        []string   `json:"cc"`
	Bcc       []string   `json:"bcc"`
	CreatedAt Time       `json:"createdAt"`
	Embedded  struct {
		Attachments []Attachment `json:"attachments"`
	} `json:"_embedded"`
}

// CreatedType is the type the thread was created with.
func (t Thread) CreatedType() string {
	if t.Type == "message" {
		return ThreadReply
	}
	return t.Type
}

// Attachment as the thread list shows it; note "filename" here and "fileName" on create.
type Attachment struct {
	ID       int64  `json:"id"`
	FileName string `json:"filename"`
	MIMEType string `json:"mimeType"`
	Size     int64  `json:"size"`
	State    string `json:"state"`
}

// Customer as the customers list shows it.
// https://developer.helpscout.com/mailbox-api/endpoints/customers/list
type Customer struct {
	ID        int64  `json:"id"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	CreatedAt Time   `json:"createdAt"`
	Embedded  struct {
		Emails []struct {
			ID    int64  `json:"id"`
			Value string `json:"value"`
		} `json:"emails"`
	} `json:"_embedded"`
}

// Page is the paging block of a list.
type Page struct {
	Size          int `json:"size"`
	TotalElements int `json:"totalElements"`
	TotalPages    int `json:"totalPages"`
	Number        int `json:"number"`
}

// Rate is what an answer said of the quota. Limit < 0 means that it said nothing.
type Rate struct {
	Limit     int           // X-RateLimit-Limit-Minute, units a minute for the whole account
	Remaining int           // X-RateLimit-Remaining-Minute
	After     time.Duration // X-RateLimit-Retry-After, else Retry-After; 0 when absent
	Sent      time.Time     // when the request began
	Received  time.Time     // when its head was there
	Date      time.Time     // the server's clock when it answered, in whole seconds; zero when it did not say
	Status    int
	Write     bool // it costs two units, else one
}
