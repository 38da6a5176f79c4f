package sources

import "time"

// A Survey is what `inspect` shows of an input and what a configuration is drafted from. Every list is ordered by
// count, then name, so that the same input gives the same survey.
type Survey struct {
	Format string       `json:"format"` // "csv", "mbox", "json"
	Files  []SurveyFile `json:"files"`
	Layout string       `json:"layout"` // tables: "ticket-per-row", "message-per-row", "joined"; mail: "mboxrd", "maildir", ...
	Preset string       `json:"preset"` // the name of the preset that the columns fit and that they were read by, or empty
	// Tables are the columns as the survey read them, by table of the configuration (columns, message_columns, ...):
	// ours and theirs.
	Tables      map[string]map[string]string `json:"tables,omitempty"`
	Records     int                          `json:"records"`
	Tickets     int                          `json:"tickets"`
	Messages    int                          `json:"messages"`
	Attachments int                          `json:"attachments"`
	// Metrics says that the export holds no message texts, and which export of that desk does.
	Metrics string `json:"metrics"`

	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	Months    []Count   `json:"months"`     // "2024-03" and messages in it, every month from first to last
	Hours     [24]int   `json:"hours"`      // messages by hour of day as written: the evidence for a time zone
	ZoneKnown bool      `json:"zone_known"` // the dates carry their zones

	Columns  []SurveyColumn `json:"columns"`
	Statuses []Count        `json:"statuses"`
	Kinds    []Count        `json:"kinds"`
	Labels   []Count        `json:"labels"`
	Senders  []Count        `json:"senders"`         // the thirty commonest, as addresses
	Agents   []Count        `json:"agents"`          // likely agents, by address or name
	Domains  []Count        `json:"domains"`         // likely domains of the team
	Staff    []SurveyPerson `json:"staff,omitempty"` // the likely agents with all that is known of them
	Largest  []SurveyItem   `json:"largest"`
	Oddities []Problem      `json:"oddities"` // the ten oddest things with their place
	Findings []Count        `json:"findings"` // problems by code
	Ledger   *Ledger        `json:"ledger"`
}

// A SurveyFile is one input file as found.
type SurveyFile struct {
	Path       string `json:"path"`
	Size       int64  `json:"size"`
	Encoding   string `json:"encoding"`
	Confidence int    `json:"confidence"` // of Encoding, in percent
	Delimiter  string `json:"delimiter"`
	Escape     string `json:"escape"`         // the character that takes the next one as text; empty: quotes are doubled
	LineEnd    string `json:"line_end"`       // "LF", "CRLF", "CR", "mixed"
	List       string `json:"list,omitempty"` // JSON: where in the file the records stand: tickets[]
	Role       string `json:"role"`           // tables: what its rows are: "tickets", "messages", "users"; empty when it is none of these
}

// A Count is a value and how often it occurs.
type Count struct {
	Value string `json:"value"`
	N     int    `json:"n"`
}

// A SurveyPerson is a likely agent and how many messages and assignments are theirs.
type SurveyPerson struct {
	ID    string `json:"id"` // the old desk's
	Name  string `json:"name"`
	Email string `json:"email"`
	N     int    `json:"n"`
}

// A SurveyColumn is one column of a table.
type SurveyColumn struct {
	Name     string   `json:"name"`
	Kind     string   `json:"kind"`   // "id", "date", "email", "name", "status", "html", "text", "number", "list", "flag", "empty"
	Role     string   `json:"role"`   // our name of the column it most likely is: ticket_id, subject, ...; empty when none
	Layout   string   `json:"layout"` // of dates: the layout that fits all of them; "ambiguous day/month" when two do
	Filled   int      `json:"filled"`
	Of       int      `json:"of"`
	Examples []string `json:"examples"` // at most three, shortened
	File     string   `json:"file"`     // the path of its SurveyFile; empty when there is one file only
}

// A SurveyItem is one of the biggest or longest things.
type SurveyItem struct {
	What     string   `json:"what"`
	Bytes    int64    `json:"bytes"`
	Position Position `json:"position"`
}
