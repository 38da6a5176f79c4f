package importer

import (
	"sort"
	"sync"
	"time"

	"hsimport/mapping"
	"hsimport/sources"
)

// A Report is what a run did, or what a dry run would do.
type Report struct {
	Summary  Summary
	Findings *Findings
	Rejected []Outcome // tickets or parts that were refused, by us or by the server
	Doubtful []Outcome // parts left in doubt, with the candidate if there is one
	Totals   Totals
	Ledger   *sources.Ledger
	Target   mapping.Target
	Cause    *Stop // why the run ended early; nil when it did not
	// Rehearsal is the host when it is not Help Scout's own.
	Rehearsal string
	// Site is where people see a conversation, with its id behind it; empty when there was no account.
	Site    string
	Started time.Time
	Planned time.Duration // how long reading and mapping took
	drift   *Stop
}

// An Outcome is one line about a ticket or part that did not arrive.
type Outcome struct {
	Key       string
	ID        string // legacy number
	Part      int
	Place     string
	Reason    string
	Status    int
	Candidate int64  // a conversation that may be it
	State     string `json:",omitempty"` // rejected, in_doubt, sending, refused, unreadable; empty: as the list it stands in says
}

// Summary is the object that scripts rely on; its JSON is part of the interface.
type Summary struct {
	MessageType   string        `json:"message_type"`
	Command       string        `json:"command"`
	ExitCode      int           `json:"exit_code"`
	Balanced      bool          `json:"balanced"`
	Source        SourceCounts  `json:"source"`
	Conversations Conversations `json:"conversations"`
	Threads       ThreadCounts  `json:"threads"`
	Attachments   Attachments   `json:"attachments"`
	Changes       Changes       `json:"changes"`
	Quota         QuotaCounts   `json:"quota"`
	ElapsedS      float64       `json:"elapsed_s"`
	Cause         string        `json:"cause,omitempty"`
	Copy          string        `json:"checkpoint_copy,omitempty"` // left beside the checkpoint when the command had ended
	Verdict       string        `json:"verdict,omitempty"`
	WorkflowsOff  []string      `json:"workflows_off,omitempty"` // names of those that PauseWorkflows has switched off
	Snapshot      string        `json:"snapshot,omitempty"`      // when the account's side was read, where a file of it took its place; RFC 3339
	Unchecked     []string      `json:"unchecked,omitempty"`     // what a dry run could not check, because the account was not asked
}

// Changes counts what this run has changed of conversations that were there. Kept ones stay as people have made them.
type Changes struct {
	Threads      int `json:"threads"` // appended: messages that came later, and notes about what could not be
	Statuses     int `json:"statuses"`
	StatusesKept int `json:"statuses_kept"`
	Links        int `json:"links"` // between old tickets, that lead to the new conversations by now
	TextsKept    int `json:"texts_kept"`
}

// SourceCounts sums up the ledger. Records found = messages + duplicates + excluded + unreadable.
type SourceCounts struct {
	Bytes       int64 `json:"bytes"`
	Tickets     int   `json:"tickets"`
	Messages    int   `json:"messages"`
	Attachments int   `json:"attachments"`
	Duplicates  int   `json:"duplicates"`
	Excluded    int   `json:"excluded"`
	Unreadable  int   `json:"unreadable"`
}

// Conversations counts parts: Planned is the sum of all the others.
type Conversations struct {
	Planned   int `json:"planned"`
	Created   int `json:"created"`
	Already   int `json:"already"`
	Recovered int `json:"recovered"`
	Adopted   int `json:"adopted"`
	Rejected  int `json:"rejected"`
	InDoubt   int `json:"in_doubt"`
	Pending   int `json:"pending"`
}

// Sum is what Planned has to equal.
func (c Conversations) Sum() int {
	return c.Created + c.Already + c.Recovered + c.Adopted + c.Rejected + c.InDoubt + c.Pending
}

// ThreadCounts tells threads that carry messages from those we add.
type ThreadCounts struct {
	FromMessages int `json:"from_messages"`
	Added        int `json:"added"`
	Appended     int `json:"appended"`
}

// Attachments counts files by the way they go; Planned is the sum of the others. Inline ones go out with their
// conversation; of the others, Uploaded are those that the server has taken (in a dry run: will be sent), Left those that it
// has not: still to be sent, in doubt, or of a conversation that was rejected.
type Attachments struct {
	Planned  int `json:"planned"`
	Inline   int `json:"inline"`
	Uploaded int `json:"uploaded"`
	Noted    int `json:"noted"`
	Left     int `json:"left,omitempty"`
}

// Sum is what Planned has to equal.
func (a Attachments) Sum() int { return a.Inline + a.Uploaded + a.Noted + a.Left }

// QuotaCounts states what the run cost. Settling is the share of Units spent on finding out about lost answers.
type QuotaCounts struct {
	Units       int     `json:"units"`
	Limit       int     `json:"limit"`
	Share       float64 `json:"share"`
	Utilization float64 `json:"utilization"`
	Throttled   int     `json:"throttled"`
	WaitedS     float64 `json:"waited_s"`
	Settling    int     `json:"settling"`
}

// Totals is what the plan adds up to.
type Totals struct {
	Tickets, Parts, Split      int
	Messages, Excluded         int // of tickets the mapping imports; that mapping rules leave out
	ExcludedBy                 map[string]int
	Attachments                int // of all messages read, those of excluded tickets too
	Refused                    int // tickets a finding blocks
	FromMessages, Added        int
	Inline, Uploads, Noted     int
	Units                      int // what delivering the whole plan costs
	UnitsLeft                  int // what is still to be spent of it: all but what the checkpoint knows as done
	Live, Closed               int
	New, Same, Changed, Follow int // against the checkpoint: + = ~, and tickets with messages to add
	NewFiles                   int // files that messages sent before have got since
	Links                      int // in texts, to other tickets of the job; counted by a dry run only
	StatusChanges              int // conversations that are to get another status, unless people have worked on them
	Doubt                      int // ? parts that an earlier run has left in doubt
	Traits                     mapping.Traits
	First, Last                time.Time
	LargestBody                int64
	Statuses                   map[string]int
	Mailboxes                  map[int64]MailboxTotals // by id; 0 without an account
	ExcludedTickets            int
	Complete                   bool // the whole source was planned
}

// Findings collects what was found, counted by code and value, with a few examples of each. It is safe for
// concurrent use and its memory does not grow with the number of tickets.
type Findings struct {
	mu     sync.Mutex
	groups map[findingKey]*FindingGroup
}

type findingKey struct {
	sev   sources.Severity
	code  string
	value string
}

// A FindingGroup is one code with one value: how often, and the first examples in the order of the source.
type FindingGroup struct {
	Severity sources.Severity
	Code     string
	Value    string
	N        int
	Examples []mapping.Finding
}

const (
	maxExamples = 5
	maxValues   = 2000 // distinct values kept for one code; the rest is counted under one heading
	otherValues = "(further values)"
)

// NewFindings returns an empty collection.
func NewFindings() *Findings {
	return &Findings{groups: map[findingKey]*FindingGroup{}}
}

// Add counts one finding.
func (f *Findings) Add(fs ...mapping.Finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range fs {
		k := findingKey{x.Severity, x.Code, x.Value}
		g := f.groups[k]
		if g == nil {
			if len(f.groups) > maxValues {
				k.value = otherValues
				g = f.groups[k]
			}
			if g == nil {
				g = &FindingGroup{Severity: x.Severity, Code: x.Code, Value: k.value}
				f.groups[k] = g
			}
		}
		g.N += max(1, x.N)
		if len(g.Examples) < maxExamples {
			g.Examples = append(g.Examples, x)
		}
	}
}

// Groups lists them: the severest first, then the most frequent, then by code and value.
func (f *Findings) Groups() []FindingGroup {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]FindingGroup, 0, len(f.groups))
	for _, g := range f.groups {
		out = append(out, *g)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		switch {
		case a.Severity != b.Severity:
			return a.Severity > b.Severity
		case a.N != b.N:
			return a.N > b.N
		case a.Code != b.Code:
			return a.Code < b.Code
		}
		return a.Value < b.Value
	})
	return out
}

// Blocking lists the findings that keep a job from starting, but for those whose code was accepted.
func (f *Findings) Blocking(accepted []string) []FindingGroup {
	ok := map[string]bool{}
	for _, c := range accepted {
		ok[c] = true
	}
	var out []FindingGroup
	for _, g := range f.Groups() {
		if g.Severity == sources.BlocksJob && !ok[g.Code] {
			out = append(out, g)
		}
	}
	return out
}
