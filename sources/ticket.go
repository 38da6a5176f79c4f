package sources

import (
	"fmt"
	"io"
	"time"
)

// A Key names a ticket or a message by its content: it stays the same when the file is renamed, re-sorted,
// concatenated, appended to, or has its line ends converted.
type Key string

// A Position says where something stands in the input, so that a person can look at it.
type Position struct {
	File   string `json:"file"`   // as the person named it, relative to the configuration; never absolute
	Line   int    `json:"line"`   // 1-based; 0 when unknown
	Offset int64  `json:"offset"` // in bytes from the start of the (decoded) file; -1 when unknown
}

// A Person is a name and an address as the source has them. Either may be empty; an address is trimmed but not
// otherwise changed, and may be malformed.
type Person struct {
	ID    string // the old desk's user id, when it has one
	Name  string
	Email string
	Phone string
	// Agent is the source's own mark that this person works for the team (a users table with roles); most have none.
	Agent bool
}

// IsZero reports whether nothing is known of the person.
func (p Person) IsZero() bool {
	return p.ID == "" && p.Name == "" && p.Email == "" && p.Phone == ""
}

// A Ticket is one case of the old desk, or one mail thread, complete with its messages in the order of
// (CreatedAt, Ordinal).
type Ticket struct {
	Key      Key
	Kind     Kind
	ID       string // the number people knew it by; empty in mail
	URL      string // where it was to be seen; empty when unknown
	Subject  string
	Status   string // verbatim; empty when the source has none
	Channel  string // verbatim: email, chat, phone, web, ...; empty when unknown
	Priority string

	Requester Person  // zero in mail: mapping decides who the customer is
	Assignee  *Person // nil when the source names none
	Group     string  // the team it was assigned to
	Inbox     string  // the old desk's inbox or brand that it came in by; empty when the source names none

	CreatedAt time.Time // zero when unknown
	UpdatedAt time.Time
	ClosedAt  time.Time

	Tags   []string
	Labels []string // mail labels and folders, decoded
	Fields []Field  // in the order of the configuration

	Messages []*Message
	Joins    []Join // why the mails of a thread were joined
	Problems []Problem
	Position Position
}

// Kind tells the two families of tickets apart: mapping has different rules for who the customer is.
type Kind uint8

// The families of tickets.
const (
	Desk Kind = iota // a help desk's export: requester, status and agents are columns
	Mail             // an archive of mail: all of that has to be found out
)

// A Field is one custom value of a ticket. A field that the configuration carries over appears even when empty.
type Field struct{ Name, Value string }

// A Join says why a message was put into its thread.
type Join struct {
	Message Key
	Reason  string // "gmail", "references", "in-reply-to", "subject"
	With    string // the Message-ID, Gmail thread id or subject that joined it
}

// Format is the markup of a message's body.
type Format uint8

// The formats of a body.
const (
	Text Format = iota
	HTML
)

// Auto says that a machine wrote a message. Precedence: bulk alone does not make one (pitfall of many importers).
type Auto uint8

// What kind of machine wrote it.
const (
	Human     Auto = iota
	AutoReply      // Auto-Submitted other than no, X-Autoreply, out of office
	Bounce         // multipart/report, null sender
	Bulk           // newsletters and notifications: List-Unsubscribe with Precedence bulk
)

// A Message is one thing somebody wrote.
type Message struct {
	Key    Key    // identity within the job: Message-ID, the desk's id, or a slot; see DESIGN of each format
	Digest string // hex SHA-256 of the content, so that an edit under the same Key is seen as an edit
	ID     string // Message-ID without brackets, or the desk's comment id; empty when it has none

	Author  Person
	Kind    string // the source's own word: customer, agent, note, public, ...; verbatim, empty when none
	Private bool   // the source says that customers did not see it

	// Mail only.
	ReplyTo  []Person
	To       []Person
	Cc       []Person // Cc also for desks that export it
	Bcc      []Person
	Subject  string
	Labels   []string // of this mail: Gmail labels, folder, Mozilla flags
	Auto     Auto
	Mailer   string // X-Mailer or User-Agent
	Channel  string // of this message, where a ticket mixes them: chat, phone, ...
	Received time.Time

	CreatedAt time.Time // UTC; zero only together with a Problem that says so
	Ordinal   int       // stable order among messages of one second

	Body        string // UTF-8, valid; line ends are \n
	Format      Format
	Attachments []*Attachment
	Problems    []Problem
	Position    Position
}

// An Attachment is a file of a message. Size and SHA256 are known without holding the content; Open reads it again.
type Attachment struct {
	Name      string // decoded, without folders; never empty
	MIMEType  string // lower case, as declared or sniffed; never empty
	ContentID string // without brackets; empty when none
	Location  string // Content-Location, or the URL it was fetched from
	Inline    bool   // the body shows it (cid: or inline disposition)
	Size      int64  // of the content, decoded
	SHA256    string // hex, of the content
	// Missing says why there is no content (file not found, link expired, not fetched yet); then Size may be 0,
	// SHA256 is empty and Open is nil. A missing attachment is never dropped: it becomes a note.
	Missing string
	// Pending says of a missing one that it may still be had from Location, an address of the old desk: nobody has asked
	// for it yet, or the asking did not get as far as an answer.
	Pending  bool
	Open     func() (io.ReadCloser, error)
	Position Position
}

// Severity of a Problem or a finding.
type Severity uint8

// From harmless to job-stopping. The last two are used by mapping only.
const (
	Info Severity = iota
	Warning
	BlocksTicket
	BlocksJob
)

// String is the word used in reports.
func (s Severity) String() string {
	return [...]string{"info", "warning", "blocks the ticket", "blocks the job"}[s]
}

// MarshalText writes the word of String.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Problem is something the reader noticed and survived. Code is stable and kebab-case; Text says what was seen and
// what was done about it, lower case, no full stop.
type Problem struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Text     string   `json:"text"`
	Value    string   `json:"value,omitempty"` // what of the source it is about, by which reports count: a column
	Position Position `json:"position"`
}

// An Entry is what the index knows of a ticket without reading it.
type Entry struct {
	Key      Key
	Created  time.Time // of its earliest message (else of the ticket); zero sorts first
	Last     time.Time // of its latest message
	Messages int
}

// UnmarshalText reads what MarshalText writes.
func (s *Severity) UnmarshalText(text []byte) error {
	for v := Info; v <= BlocksJob; v++ {
		if v.String() == string(text) {
			*s = v
			return nil
		}
	}
	return fmt.Errorf("%q is not a severity", text)
}
