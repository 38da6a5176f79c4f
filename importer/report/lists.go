package report

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"hsimport/importer"
	"hsimport/mapping"
	"hsimport/sources"
)

// monday is what a team finds when it comes to work after the import.
type monday struct {
	Live, Active, Pending, Waiting int
	Ages                           []string
	Rows                           []mondayRow
	Total                          mondayRow
	Oldest, Asked                  []ticketRow
	AskedN                         int // all that arrive closed though the customer had the last word
	Newest                         string
	Future                         int
}

type mondayRow struct {
	Name                           string
	Nobody                         bool
	Active, Pending, Waiting, Live int
	Ages                           []int
	Oldest                         string
	OldestSort                     int64
}

// A ticketRow is a line about one ticket.
type ticketRow struct {
	Key, Name, Place, Short, Subject, Customer, Assignee, Status, Created, Last string
	CreatedSort, LastSort                                                       int64
	Parts, Threads, Attached                                                    int
	Files, Bytes                                                                int64
	Age                                                                         string
	Waiting                                                                     bool
	Preview                                                                     string
	Links                                                                       []standLink
}

func (v *viewer) row(r ticketRef) ticketRow {
	return ticketRow{
		Key: r.Key, Name: r.Name(), Place: r.Place, Short: path.Base(r.Place), Subject: r.Subject, Customer: r.Customer, Assignee: v.who(r.Assignee, "unassigned"), Status: r.Status,
		Created: day(r.Created), Last: day(r.Last), CreatedSort: r.Created.Unix(), LastSort: r.Last.Unix(), Parts: r.Parts, Threads: r.Threads,
		Attached: r.Attached, Files: r.Files, Bytes: r.Bytes, Age: age(v.o.Newest.Sub(r.Last)), Waiting: r.Waiting, Preview: v.previews[r.Key],
		Links: v.links(r.Key),
	}
}

// age is a span in days, as one says it of something that lies about.
func age(d time.Duration) string {
	switch days := int(d.Hours() / 24); {
	case days <= 0:
		return "under a day"
	case days < 700:
		return plural(days, "day", "days")
	default:
		return fmt.Sprintf("%.1f years", d.Hours()/24/365.25)
	}
}

func (v *viewer) monday() monday {
	out := monday{Live: v.n.live, Waiting: v.n.waiting, Newest: day(v.o.Newest), Future: v.n.future}
	out.Total = mondayRow{Ages: make([]int, len(ages))}
	for _, a := range ages {
		out.Ages = append(out.Ages, a.Name)
	}
	keys := make([]party, 0, len(v.queues))
	for p := range v.queues {
		keys = append(keys, p)
	}
	slices.SortFunc(keys, party.compare)
	for _, p := range keys {
		r := mondayRowOf(v.who(p, "nobody (unassigned)"), v.queues[p])
		r.Nobody = p == party{}
		out.Rows = append(out.Rows, r)
	}
	slices.SortStableFunc(out.Rows, func(a, b mondayRow) int {
		if a.Nobody != b.Nobody {
			if a.Nobody {
				return -1
			}
			return 1
		}
		return b.Live - a.Live
	})
	if r := mondayRowOf("further assignees", &v.more); r.Live > 0 {
		out.Rows = append(out.Rows, r)
	}
	for _, r := range out.Rows {
		out.Active, out.Pending = out.Active+r.Active, out.Pending+r.Pending
		for i, n := range r.Ages {
			out.Total.Ages[i] += n
		}
	}
	out.Total.Active, out.Total.Pending, out.Total.Waiting, out.Total.Live = out.Active, out.Pending, out.Waiting, out.Live
	for _, r := range v.oldest.items {
		out.Oldest = append(out.Oldest, v.row(r))
	}
	for _, r := range v.asked.items {
		out.Asked = append(out.Asked, v.row(r))
	}
	out.AskedN = v.found(codeUnanswered)
	return out
}

func mondayRowOf(name string, q *queue) mondayRow {
	return mondayRow{Name: name, Active: q.Active, Pending: q.Pending, Waiting: q.Waiting, Live: q.Active + q.Pending, Ages: q.Ages[:], Oldest: day(q.Oldest), OldestSort: q.Oldest.Unix()}
}

// found is how often a code was found.
func (v *viewer) found(code string) (n int) {
	for _, g := range v.rep.Findings.Groups() {
		if g.Code == code {
			n += g.N
		}
	}
	return n
}

// A loss is something that does not come along, or comes along in another place.
type loss struct {
	What    string
	N       int
	Of      int // 0: not said
	Where   string
	Example string
	File    string // of a column or label, where there are several
	Open    bool   // nobody decided it
	Kind    string
}

// losses lists what does not come along: what no import can bring, what this configuration leaves behind, column by
// column and label by label.
func (v *viewer) losses() (out []loss) {
	add := func(kind, what string, n int, where string) {
		if n > 0 {
			out = append(out, loss{What: what, N: n, Where: where, Kind: kind})
		}
	}
	m := v.o.Mapping
	add("ticket", "Legacy ticket numbers", v.n.withID, referenceText(m))
	add("ticket", "Who closed it", v.n.withClosed, "nowhere: Help Scout takes the time of closing, not the person")
	add("ticket", "Priority", v.found("priority-not-carried"), "nowhere: map it to a custom field")
	add("ticket", "Groups without a team", v.found("group-unmapped"), "nowhere: name them in mapping.teams")
	add("ticket", "Groups of tickets that a person is assigned to", v.found("group-behind-assignee"), "nowhere: a conversation has one assignee, the person goes before it")
	add("ticket", "Assignees who have left", v.found("assignee-departed"), "nowhere: the conversation goes to the team of its group, else arrives unassigned")
	add("ticket", "Assignees without a user", v.found("assignee-unmapped"), "the conversation arrives unassigned")
	add("ticket", "Values of custom fields", v.found("field-value-not-carried"), "nowhere: they do not fit the type of the field")
	add("message", "Further recipients in To", v.found("recipients-not-carried"), "nowhere: Help Scout keeps one customer and copies (Cc)")
	add("message", "Cc", v.found("cc-in-note"), "named in a note")
	add("message", "Cc of the team's mailbox, the old desk, placeholders", v.found("cc-left-out"), "left out")
	add("message", "Bcc", v.found("bcc-in-note"), "named in a note, never sent")
	add("message", "Long texts", v.found("text-shortened"), "shortened; the whole text is attached as a file")
	add("message", "Invisible tracking images", v.found("trackers-removed"), "removed")
	add("message", "Images that are not among the attachments", v.found("image-unresolved"), "a mention in the text")
	add("attachment", "Attachments without content", v.found("attachment-missing"), "named in a note")
	add("attachment", "Attachments larger than Help Scout takes", v.found("attachment-too-large"), "named in a note, with size and SHA-256")
	for _, r := range sortedCounts(v.rep.Totals.ExcludedBy) {
		add("rule", "Messages left out by rule: "+clip(r.name, 120), r.n, "left out, as configured")
	}
	for _, r := range sortedCounts(v.rep.Ledger.Records.ExcludedBy) {
		add("rule", "Records left out by rule: "+clip(r.name, 120), r.n, "left out while reading")
	}
	for _, u := range v.rep.Ledger.Columns {
		out = v.appendUse(out, "column", u)
	}
	for _, u := range v.rep.Ledger.Labels {
		out = v.appendUse(out, "label", u)
	}
	slices.SortStableFunc(out, func(a, b loss) int {
		if a.Open != b.Open {
			if a.Open {
				return -1
			}
			return 1
		}
		return b.N - a.N
	})
	return out
}

func (v *viewer) appendUse(out []loss, kind string, u sources.Use) []loss {
	if u.Filled == 0 || u.Class != sources.NotCarried && u.Class != sources.Ignored {
		return out
	}
	l := loss{What: clip(u.Name, 120), N: u.Filled, Of: u.Of, Kind: kind, Example: clip(u.Example, 80), Where: "nowhere: " + firstOf(clip(u.As, 120), "ignored by name")}
	if len(v.rep.Ledger.Files) > 1 {
		l.File = clip(path.Base(u.File), 80)
	}
	if u.Class == sources.NotCarried {
		l.Open = true
		l.Where = "nowhere: nobody mapped it" + hintOf(u.Name)
	}
	return append(out, l)
}

// hints say what Help Scout has for columns that many desks export, by how a word of their name begins.
var hints = []struct {
	words []string
	text  string
}{
	{[]string{"satisf", "rating", "csat", "nps"}, "; Help Scout's API takes no ratings, a custom field could hold them"},
	{[]string{"sla", "breach", "first reply", "first response", "resolution", "reply time", "response time", "handle time"}, "; Help Scout computes such figures itself, only for what happens there"},
	{[]string{"audit", "event", "history", "changed by"}, "; Help Scout writes its own history of changes"},
	{[]string{"closed by", "resolved by", "solved by", "resolver"}, "; Help Scout takes the time of closing, not the person"},
	{[]string{"priority", "urgency"}, "; a custom field could hold it"},
}

func hintOf(name string) string {
	name = " " + strings.NewReplacer("_", " ", "-", " ").Replace(fold(name))
	for _, h := range hints {
		for _, w := range h.words {
			if strings.Contains(name, " "+w) {
				return h.text
			}
		}
	}
	return ""
}

func referenceText(m mapping.Options) string {
	switch fold(m.LegacyReference) {
	case "note":
		return "a note in each conversation, found by search; Help Scout gives numbers of its own"
	case "subject":
		return "the end of each subject; Help Scout gives numbers of its own"
	case "field":
		return "the custom field " + clip(m.LegacyField, 80) + "; Help Scout gives numbers of its own"
	}
	return "nowhere: Help Scout gives numbers of its own; mapping.legacy_reference can keep them"
}

// outcomes are the tickets and records that would not arrive.
type outcomes struct {
	Rows []outcomeRow
	N    int
}

type outcomeRow struct {
	Kind, Name, Place, Reason string
	Candidate                 standLink // a conversation that may be it
	Preview                   string
}

const shownOutcomes = 300

func (v *viewer) refused() (out outcomes) {
	add := func(r outcomeRow) {
		if out.N++; len(out.Rows) < shownOutcomes {
			out.Rows = append(out.Rows, r)
		}
	}
	for _, o := range v.rep.Rejected {
		kind := "refused"
		if o.Part > 0 {
			kind = "rejected" // by the account
		}
		add(v.outcome(kind, o))
	}
	for _, o := range v.rep.Doubtful {
		add(v.outcome("in doubt", o))
	}
	for _, r := range unreadable(v.rep) {
		add(outcomeRow{Kind: "unreadable", Place: clip(r.Position.String(), 160), Reason: clip(r.Reason, 400) + " (" + humanBytes(r.Bytes) + ")"})
	}
	return out
}

func (v *viewer) outcome(kind string, o importer.Outcome) outcomeRow {
	row := outcomeRow{Kind: kind, Name: clip(firstOf(o.ID, o.Key), 120), Place: clip(o.Place, 160), Reason: clip(o.Reason, 400), Preview: v.previews[clip(o.Key, 120)]}
	if o.Part > 1 {
		row.Name += fmt.Sprintf(" (part %d)", o.Part)
	}
	if o.Candidate != 0 && v.rep.Site != "" {
		row.Candidate = standLink{o.Candidate, v.rep.Site + strconv.FormatInt(o.Candidate, 10)}
	}
	return row
}

// links are the conversations that a ticket has become.
func (v *viewer) links(key string) []standLink {
	if v.stands == nil {
		return nil
	}
	return v.stands.links[key]
}

// A ticketList is one of the lists of the biggest.
type ticketList struct {
	Name, Note string
	Rows       []ticketRow
}

func (v *viewer) lists() (out []ticketList) {
	for _, l := range []struct {
		name, note string
		items      []ticketRef
	}{
		{"Most threads", "all parts together", v.longest.items},
		{"Largest bodies", "bytes of the create calls, with the attachments that go in them", v.biggest.items},
		{"Heaviest attachments", "bytes of files, before they are encoded", v.heaviest.items},
	} {
		list := ticketList{Name: l.name, Note: l.note}
		for _, r := range l.items {
			list.Rows = append(list.Rows, v.row(r))
		}
		if len(list.Rows) > 0 {
			out = append(out, list)
		}
	}
	return out
}

type splits struct {
	N    int
	Rows []ticketRow
}

func (v *viewer) splitView() splits {
	out := splits{N: v.rep.Totals.Split}
	for _, r := range v.splits {
		out.Rows = append(out.Rows, v.row(r))
	}
	return out
}

type named struct {
	name string
	n    int
}

func sortedCounts(m map[string]int) (out []named) {
	for k, n := range m {
		if n > 0 {
			out = append(out, named{k, n})
		}
	}
	slices.SortFunc(out, func(a, b named) int {
		if a.n != b.n {
			return b.n - a.n
		}
		return strings.Compare(a.name, b.name)
	})
	return out
}
