package mapping

import "time"

// Options is the mapping section of the configuration. Tables are looked up trimmed and without regard to case.
type Options struct {
	// Statuses maps legacy status to active, pending, closed, spam or exclude; the last two leave the ticket out, as the
	// create call takes neither. A value outside it blocks the job unless DefaultStatus is set. In mail the table is
	// asked about the thread's labels, and what no rule decides is DefaultStatus, else closed.
	Statuses      map[string]string `yaml:"statuses"`
	DefaultStatus string            `yaml:"default_status"`
	// CloseInactive closes a live ticket of a table whose last message is older than this before the source's newest.
	CloseInactive Duration `yaml:"close_inactive"`
	Live          Live     `yaml:"live"`

	// Agents maps a legacy address, name or id to the e-mail of a Help Scout user; to nothing for one who has left.
	Agents map[string]string `yaml:"agents"`
	// AgentsFile is a CSV file with more of Agents; the configuration reads it into them.
	AgentsFile   string            `yaml:"agents_file"`
	AgentDomains []string          `yaml:"agent_domains"`
	FallbackUser string            `yaml:"fallback_user"`
	Teams        map[string]string `yaml:"teams"` // legacy group: team
	// MessageKinds maps the source's word for whose message it is to customer, agent or note.
	MessageKinds map[string]string `yaml:"message_kinds"`
	// DepartedForm names the author of a text posted as the fallback user; {name} and {email} are replaced.
	DepartedForm string `yaml:"departed_form"`

	MailboxAddresses []string `yaml:"mailbox_addresses"` // the team's own inbox addresses and aliases
	FormSenders      []string `yaml:"form_senders"`      // contact forms: Reply-To is the customer
	ExcludeSenders   []string `yaml:"exclude_senders"`
	Internal         string   `yaml:"internal"`     // exclude, import; empty: import as notes
	Bulk             string   `yaml:"bulk"`         // import, tag, exclude; empty: tag
	AutoReplies      string   `yaml:"auto_replies"` // note, exclude; empty: note
	LiveCc           string   `yaml:"live_cc"`      // keep, note; empty: keep
	Quotes           string   `yaml:"quotes"`       // keep, fold; empty: keep
	Forwards         string   `yaml:"forwards"`     // keep, credit; empty: keep

	Routes []Route `yaml:"routes"` // tickets that go to another inbox than helpscout.mailbox

	Filters Filters     `yaml:"filters"`
	Redact  []Redaction `yaml:"redact"`

	PlaceholderDomain string `yaml:"placeholder_domain"`
	Placeholder       string `yaml:"placeholder"` // create, refuse; empty: create when a domain is set, else refuse

	Tags      map[string]string `yaml:"tags"`       // legacy tag: tag; "" drops it
	TagPrefix string            `yaml:"tag_prefix"` // of tags that the table does not rename
	JobTag    string            `yaml:"job_tag"`
	Types     map[string]string `yaml:"types"` // legacy channel: email, chat, phone; the usual words are known
	Chats     string            `yaml:"chats"` // transcript, messages; empty: transcript
	// FieldValues translates values of a custom field: field, legacy value, value.
	FieldValues map[string]map[string]string `yaml:"field_values"`

	MaxThreads      int    `yaml:"max_threads"`      // 1..100; 0: 100
	Headroom        *int   `yaml:"headroom"`         // threads kept free on live conversations; nil: 10
	LegacyReference string `yaml:"legacy_reference"` // note, subject, field, off; empty: off
	LegacyField     string `yaml:"legacy_field"`

	InlineSize     Size `yaml:"inline_size"`     // largest create call, attachments in place; 64 kB at least; 0: 10 MB
	AttachmentSize Size `yaml:"attachment_size"` // largest upload call, in base64 with its envelope; 0: 10 MB
	MaxText        Size `yaml:"max_text"`        // largest text of one thread, as JSON; 0: 1 MB
	MaxSubject     int  `yaml:"max_subject"`     // characters, 40 to 1000; 0: 250

	// Set by the configuration or the engine, not by keys of this section.
	Mailbox string    `yaml:"-"` // name or id
	Newest  time.Time `yaml:"-"` // the source's newest message: "recent" is measured from it, never from the clock
	Zones   string    `yaml:"-"` // names the zone database that the source's dates were read with; part of Mapper.Digest
}

// Live decides which mail threads arrive as active.
type Live struct {
	Labels    []string `yaml:"labels"`     // any of them; "A & B": one mail has both
	LastFrom  string   `yaml:"last_from"`  // customer, agent, any
	NewerThan Duration `yaml:"newer_than"` // before the source's newest
}
