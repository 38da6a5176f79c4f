package mapping

import (
	"time"

	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// Version is part of every plan and stored with every part: whatever changes what Map returns for an unchanged ticket
// and configuration bumps it.
const Version = 5

// A Plan is what becomes of one ticket: the parts that will be created, or the reason why there are none. Every
// message of the ticket is in exactly one place: a part, or Excluded.
type Plan struct {
	Key      sources.Key
	ID       string // the legacy number, for people
	Position sources.Position
	Parts    []*Part   // in order; empty when the ticket is excluded or refused
	Findings []Finding // in the order of severity, then code, then place
	// Excluded is the rule that leaves the whole ticket out ("status spam", "internal"); empty otherwise.
	Excluded string
	// Left are messages of an imported ticket that a rule leaves out, and why.
	Left []LeftOut
	// Refused is set when a finding blocks this ticket; it is then listed as rejected, never sent.
	Refused string
	Live    bool      // active or pending: delivered first, split with headroom
	Last    time.Time // of its newest message: newest first after the live ones
	Traits  Traits
	Mailbox string // the one that a route chose, as the configuration names it; empty: the usual one
	Noted   int    // attachments that a note names because they cannot be sent: missing, empty, too large
}

// LeftOut is a message that a rule leaves out of an imported ticket.
type LeftOut struct {
	Message sources.Key
	Rule    string
}

// Traits is what a plan makes use of: the canary's handful is chosen to cover all that a job uses.
type Traits uint32

// What a conversation can carry.
const (
	HasClosed Traits = 1 << iota
	HasLive
	HasCustomer
	HasReply
	HasNote
	HasChat
	HasPhone
	HasSplit
	HasInline // attachments in the create call
	HasUpload // attachments after it
	HasField
	HasTag
	HasPlaceholder
	HasAssignee
	HasCc
	HasRoute // into the first mailbox of routes; the next fifteen bits stand for the others
)

// RouteTraits are all bits that stand for a mailbox of routes.
const RouteTraits = Traits(0xffff) * HasRoute

// A Part is one conversation to be created. Its body holds symbols for what only the importer can know:
//
//	attachment:SHA-256   as the Data of an attachment: base64 of that content
//	part:N               as the href in thread LinkThread: the web address of part N of the same ticket
type Part struct {
	Number, Of   int // 1-based
	Conversation helpscout.NewConversation
	// LinkThread is the index of the thread that links to the part before, or -1.
	LinkThread int
	// Messages tells which message each thread carries; threads that we add (link notes) have none, a transcript
	// has several. Several entries may name one thread.
	Messages []Carried
	// Uploads are attachments sent to their thread after the create call, because they would not fit into it.
	Uploads []Upload // ordered by thread
	// Files opens every attachment of this part by its SHA-256.
	Files map[string]*sources.Attachment
	// Digest is the hex SHA-256 of the symbolic body with every attachment in its thread, so that it is the same
	// whether a file goes inline or as an upload.
	Digest string
	Body   int64 // bytes of the create call with attachments in place
}

// Carried says that a thread carries a message.
type Carried struct {
	Thread  int // index in Conversation.Threads
	Message sources.Key
	Digest  string // of the message, as the source states it
}

// An Upload is an attachment that goes to its thread by a call of its own.
type Upload struct {
	Thread int // index in Conversation.Threads
	File   helpscout.NewAttachment
	Size   int64 // of the content
}

// A Finding is something a person should know about the plan. Codes are stable and kebab-case; Text says what will
// happen, lower case, no full stop.
type Finding struct {
	Severity sources.Severity
	Code     string
	Text     string
	Key      sources.Key // the ticket; empty when it is about the job
	Position sources.Position
	// Value is the legacy value the finding is about (a status, an address), by which reports count.
	Value string
	N     int // of places in a message, where a finding is about several; 0: one
}

// Target is the account's side as a value. The zero Target is unbound: ids are then 0 in the plan, and such a plan
// cannot be run.
type Target struct {
	Bound     bool
	Mailboxes []helpscout.Mailbox // with their Fields
	Users     []helpscout.User
	Teams     []helpscout.Team
	Owner     helpscout.User // of the token
}
