package sources

import "time"

// A Survey is what `inspect` shows of an input and what a configuration is drafted from. Every list is ordered by
// count, then name, so that the same input gives the same survey.
type Survey struct {
	Format      string // "csv", "mbox", "json"
	Files       []SurveyFile
	Layout      string // tables: "ticket-per-row", "message-per-row", "joined"; mail: "mboxrd", "maildir", ...
	Preset      string // the name of the preset that the headers fit, or empty
	Records     int
	Tickets     int
	Messages    int
	Attachments int
	// Metrics says that the export holds no message texts, and which export of that desk does.
	Metrics string

	First, Last time.Time
	Months      []Count // "2024-03" and messages in it, every month from first to last
	Hours       [24]int // messages by hour of day as written: the evidence for a time zone
	ZoneKnown   bool    // the dates carry their zones

	Columns  []SurveyColumn
	Statuses []Count
	Kinds    []Count
	Labels   []Count
	Senders  []Count // the thirty commonest, as addresses
	Agents   []Count // likely agents, by address or name
	Domains  []Count // likely domains of the team
	Largest  []SurveyItem
	Oddities []Problem // the ten oddest things with their place
	Findings []Count   // problems by code
	Ledger   *Ledger
}

// A SurveyFile is one input file as found.
type SurveyFile struct {
	Path       string
	Size       int64
	Encoding   string
	Confidence int // of Encoding, in percent
	Delimiter  string
	LineEnd    string // "LF", "CRLF", "CR", "mixed"
	Role       string // tables: what its rows are: "tickets", "messages", "users"; empty when it is none of these
}

// A Count is a value and how often it occurs.
type Count struct {
	Value string
	N     int
}

// A SurveyColumn is one column of a table.
type SurveyColumn struct {
	Name     string
	Kind     string // "id", "date", "email", "name", "status", "html", "text", "number", "list", "flag", "empty"
	Role     string // our name of the column it most likely is: ticket_id, subject, ...; empty when none
	Layout   string // of dates: the layout that fits all of them; "ambiguous day/month" when two do
	Filled   int
	Of       int
	Examples []string // at most three, shortened
	File     string   // the path of its SurveyFile; empty when there is one file only
}

// A SurveyItem is one of the biggest or longest things.
type SurveyItem struct {
	What     string
	Bytes    int64
	Position Position
}
