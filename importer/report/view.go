package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"hsimport/importer"
	"hsimport/mapping"
	"hsimport/sources"
)

// A view is what the page's template is given: everything is decided, ordered and worded; the template only lays it out.
type view struct {
	Title, Made, Version string
	Rehearsal, Offline   string
	Ran                  bool // a run's report, not a dry run's
	Bare                 bool // no ticket was looked at: there is nothing to break down
	Happened             *happened
	Verdict              verdict
	Figures              []figure
	Monday               monday
	Losses               []loss
	Customers            customers
	Flow                 []equation
	Charts               []chart
	Mailbox              string // to which all of them go; empty when there are several
	Time                 timeTable
	Maps                 []mapTable
	Findings             []findingGroup
	Refused              outcomes
	Biggest              []ticketList
	Splits               splits
	Previews             []previewView
	Seen, Planned        int
}

// A verdict is the answer to "may we start?". Class is good, warn or bad.
type verdict struct {
	Class, Text string
	Lines       []string
}

type figure struct{ Name, Value, Note string }

// viewer joins the collection with the engine's report.
type viewer struct {
	*Collector
	rep      *importer.Report
	names    map[int64]string // of users and teams
	previews map[string]string
}

func (c *Collector) view(rep *importer.Report) *view {
	v := &viewer{Collector: c, rep: rep, names: map[int64]string{}, previews: map[string]string{}}
	for _, t := range rep.Target.Teams {
		v.names[t.ID] = clip("team "+t.Name, 120)
	}
	for _, u := range rep.Target.Users {
		v.names[u.ID] = clip(firstOf(strings.TrimSpace(u.FirstName+" "+u.LastName), u.Email), 120)
	}
	shown := c.previews.chosen()
	for i, p := range shown {
		v.previews[p.ref.Key] = fmt.Sprintf("t%d", i+1)
	}
	out := &view{
		Ran: v.ran(), Bare: v.bare(), Happened: v.happened(),
		Title: clip(firstOf(c.o.Config, "import"), 200), Made: rep.Started.Format("Mon 2 Jan 2006 15:04 MST"), Version: clip(c.o.Version, 80),
		Rehearsal: clip(rep.Rehearsal, 200), Offline: clip(c.o.Offline, 400), Verdict: v.verdict(), Figures: v.figures(), Monday: v.monday(), Losses: v.losses(),
		Customers: v.customerCounts(), Flow: v.flow(), Charts: v.charts(), Time: v.time(), Maps: v.maps(), Findings: v.findings(),
		Refused: v.refused(), Biggest: v.lists(), Splits: v.splitView(), Seen: c.n.seen, Planned: rep.Totals.Tickets,
	}
	if last := len(out.Charts) - 1; last > 0 && len(out.Charts[last].Legend) == 1 { // a chart of one mailbox says nothing
		out.Mailbox, out.Charts = out.Charts[last].Legend[0].Name, out.Charts[:last]
	}
	for i, p := range shown {
		out.Previews = append(out.Previews, v.preview(fmt.Sprintf("t%d", i+1), p))
	}
	return out
}

// bare says that it ended before a ticket was looked at: what comes of the tickets is not known, which is not to be read
// as nothing.
func (v *viewer) bare() bool { return !v.rep.Totals.Complete && v.n.seen == 0 }

// tense is the first of two wordings for a dry run, the second for a run.
func (v *viewer) tense(dry, ran string) string {
	if v.ran() {
		return ran
	}
	return dry
}

// arriving is the number of tickets that would come along.
func (v *viewer) arriving() int {
	t := v.rep.Totals
	return t.Tickets - t.ExcludedTickets - t.Refused
}

func (v *viewer) verdict() verdict {
	out := v.ranVerdict()
	if !v.ran() {
		out = v.dryVerdict()
	}
	if v.rep.Summary.Balanced {
		out.Lines = append(out.Lines, "every sum closes: 0 records unexplained")
	} else {
		out.Class = "bad"
		out.Lines = append(out.Lines, "the sums do not close: this is a defect of the program, do not trust the counts")
	}
	for i, line := range out.Lines {
		out.Lines[i] = clip(line, 2000)
	}
	out.Lines = slices.DeleteFunc(out.Lines, func(s string) bool { return strings.TrimSpace(s) == "" || s == "0 unexplained" })
	return out
}

func (v *viewer) dryVerdict() (out verdict) {
	t := v.rep.Totals
	lost := len(unreadable(v.rep))
	blocking := v.rep.Findings.Blocking(nil)
	arrive := v.arriving()
	of := t.Tickets - t.ExcludedTickets
	switch {
	case v.rep.Cause != nil && v.rep.Cause.Code == importer.ExitUsage && len(blocking) > 0:
		out.Class, out.Text = "bad", fmt.Sprintf("The import will not start: %s to be answered first", plural(len(codesOf(blocking)), "question has", "questions have"))
	case v.rep.Cause != nil:
		out.Class, out.Text = "bad", "The import will not start as it stands"
	case !t.Complete:
		out.Class, out.Text = "bad", "The source was not read to its end: this report is incomplete"
	case t.Refused > 0:
		out.Class, out.Text = "warn", fmt.Sprintf("%s of %s would arrive, %s would not", count(arrive), plural(of, "ticket", "tickets"), count(t.Refused))
	case lost > 0:
		out.Class, out.Text = "warn", fmt.Sprintf("All %s would arrive, but something of the source cannot be read", plural(arrive, "ticket", "tickets"))
	default:
		out.Class, out.Text = "good", fmt.Sprintf("All %s would arrive", plural(arrive, "ticket", "tickets"))
	}
	if v.rep.Cause != nil {
		out.Lines = append(out.Lines, strings.Split(v.rep.Cause.Error(), "\n")...)
		out.Lines = append(out.Lines, v.rep.Cause.Hint)
	}
	if out.Class == "bad" && t.Complete {
		out.Lines = append(out.Lines, fmt.Sprintf("as it is configured now, %s of %s would arrive", count(arrive), plural(of, "ticket", "tickets")))
	}
	if lost > 0 {
		out.Lines = append(out.Lines, plural(lost, "record of the source cannot be read", "records of the source cannot be read"))
	}
	if t.ExcludedTickets > 0 {
		out.Lines = append(out.Lines, fmt.Sprintf("%s left out by rules that you or the mail program set", plural(t.ExcludedTickets, "further ticket is", "further tickets are")))
	}
	return out
}

func codesOf(groups []importer.FindingGroup) map[string]bool {
	codes := map[string]bool{}
	for _, g := range groups {
		codes[g.Code] = true
	}
	return codes
}

func unreadable(rep *importer.Report) []sources.Refusal {
	return rep.Ledger.Refused
}

func (v *viewer) figures() []figure {
	t, s := v.rep.Totals, v.rep.Summary
	there := figure{"Conversations", count(t.Parts - t.Refused), fmt.Sprintf("of %s", plural(t.Tickets, "ticket", "tickets"))}
	if c := s.Conversations; v.ran() {
		there = figure{"In the account", count(c.Created + c.Already + c.Recovered + c.Adopted), fmt.Sprintf("of %s", plural(c.Planned, "conversation", "conversations"))}
	}
	if v.bare() {
		return v.bareFigures(there)
	}
	out := []figure{
		there,
		{"Messages", count(s.Source.Messages), fmt.Sprintf("in %s", plural(t.FromMessages, "thread", "threads"))},
		{"Attachments", count(s.Attachments.Planned), "sent or named in a note"},
	}
	if !t.First.IsZero() {
		out = append(out, figure{"History", t.First.UTC().Format("Jan 2006") + " – " + t.Last.UTC().Format("Jan 2006"), "first conversation to last thread"})
	}
	if v.ran() {
		return append(out, v.tookFigure())
	}
	d := importer.Duration(t.Units, 400, v.share())
	return append(out, figure{"Duration", human(d), fmt.Sprintf("%s units at 400 a minute, %s", count(t.Units), percent(v.share()))})
}

func (v *viewer) tookFigure() figure {
	s := v.rep.Summary
	return figure{"Took", human(seconds(s.ElapsedS)), plural(s.Quota.Units, "unit of the quota", "units of the quota")}
}

// bareFigures are those that hold although no ticket was looked at.
func (v *viewer) bareFigures(there figure) (out []figure) {
	if !v.ran() {
		return nil
	}
	if v.rep.Summary.Conversations.Planned > 0 {
		out = append(out, there)
	}
	return append(out, v.tookFigure())
}

func (v *viewer) share() float64 {
	if v.o.Share <= 0 || v.o.Share > 1 {
		return 1
	}
	return v.o.Share
}

func percent(share float64) string { return importer.Percent(share).String() }

// who names a party for a person.
func (v *viewer) who(p party, nobody string) string {
	switch {
	case p.id != 0:
		return firstOf(v.names[p.id], fmt.Sprintf("id %d", p.id))
	case p.name != "":
		return p.name
	}
	return nobody
}

// An equation is a row of the flow: a total and what it is made of. Closes tells whether the terms add up to it.
type equation struct {
	Name, Unit string
	Total      int
	Show       func(n int) string
	Terms      []term
	Closes     bool
	Note       string
}

type term struct {
	Name  string
	N     int
	Class string // of its bar: in, own, out, bad
	X, W  float64
}

// flow is what comes in and what goes out, each with its sum.
func (v *viewer) flow() []equation {
	t, s, l := v.rep.Totals, v.rep.Summary, v.rep.Ledger
	var b sources.FileLedger
	for _, f := range l.Files {
		b.Size += f.Size
		b.Message, b.Separator, b.Preamble = b.Message+f.Message, b.Separator+f.Separator, b.Preamble+f.Preamble
		b.Blank, b.Refused, b.Truncated = b.Blank+f.Blank, b.Refused+f.Refused, b.Truncated+f.Truncated
	}
	unread := max(0, t.Messages-v.n.carried-v.n.inRefused)
	c := s.Conversations
	out := []equation{
		sum("Bytes of the input", int(b.Size), "", term{Name: "of records", N: int(b.Message), Class: "in"}, term{Name: "headers and separators", N: int(b.Separator + b.Preamble), Class: "own"},
			term{Name: "blank", N: int(b.Blank), Class: "own"}, term{Name: "of refused records", N: int(b.Refused), Class: "bad"}, term{Name: "cut off at the end", N: int(b.Truncated), Class: "bad"}),
		sum("Records found", l.Records.Found, "", term{Name: "messages", N: s.Source.Messages, Class: "in"}, term{Name: "duplicates", N: s.Source.Duplicates, Class: "own"},
			term{Name: "left out by rule", N: s.Source.Excluded, Class: "out"}, term{Name: "unreadable", N: s.Source.Unreadable, Class: "bad"}),
		sum("Tickets", t.Tickets, "", term{Name: v.tense("would arrive", "to arrive"), N: v.arriving(), Class: "in"}, term{Name: "left out by rule", N: t.ExcludedTickets, Class: "out"}, term{Name: "refused", N: t.Refused, Class: "bad"}),
		sum("Messages", t.Messages, "", term{Name: "carried by threads", N: v.n.carried, Class: "in"}, term{Name: "of refused tickets", N: v.n.inRefused + unread, Class: "bad"}),
		v.conversations(c),
		sum("Threads", s.Threads.FromMessages+s.Threads.Added, "", term{Name: "carry messages", N: s.Threads.FromMessages, Class: "in"}, term{Name: "added: links between parts, references, remarks", N: s.Threads.Added, Class: "own"}),
		sum("Attachments", s.Attachments.Planned, fmt.Sprintf("the source has %s, those of tickets that do not come along among them", count(s.Source.Attachments)),
			term{Name: "with their message", N: s.Attachments.Inline, Class: "in"}, term{Name: "uploaded after it", N: s.Attachments.Uploaded, Class: "in2"}, term{Name: "named in a note", N: s.Attachments.Noted, Class: "out"}),
	}
	out[0].Show = func(n int) string { return humanBytes(int64(n)) }
	return out
}

// conversations is what becomes of the conversations, or has become of them.
func (v *viewer) conversations(c importer.Conversations) equation {
	bad := []term{{Name: "refused", N: c.Rejected, Class: "bad"}, {Name: "in doubt", N: c.InDoubt, Class: "bad"}}
	there := term{Name: "already there", N: c.Already, Class: "own"}
	if !v.ran() {
		return sum("Conversations planned", c.Planned, v.splitNote(), append([]term{{Name: "to be created", N: c.Pending, Class: "in"}, there}, bad...)...)
	}
	return sum("Conversations", c.Planned, v.splitNote(), append([]term{
		{Name: "created by this run", N: c.Created, Class: "in"},
		{Name: "found again after a lost answer", N: c.Recovered, Class: "in2"},
		{Name: "adopted", N: c.Adopted, Class: "in2"},
		there,
		{Name: "still to be sent", N: c.Pending, Class: "out"},
	}, bad...)...)
}

func (v *viewer) splitNote() string {
	if n := v.rep.Totals.Split; n > 0 {
		return plural(n, "ticket becomes", "tickets become") + " several conversations"
	}
	return ""
}

func sum(name string, total int, note string, terms ...term) equation {
	e := equation{Name: name, Total: total, Note: note, Show: count}
	all := 0
	for i := range terms {
		all += terms[i].N
	}
	at := 0.0
	for _, t := range terms {
		if t.N == 0 && t.Class != "bad" && len(terms) > 2 {
			continue
		}
		if all > 0 {
			t.X, t.W = at, 1000*float64(t.N)/float64(all)
			at += t.W
		}
		if t.N == 0 {
			t.Class = "zero"
		}
		e.Terms = append(e.Terms, t)
	}
	e.Closes = all == total
	return e
}

// A timeTable is how long the whole plan takes, by the account's plan and the share of its quota.
type timeTable struct {
	Limits []int
	Costs  []timeCost
	Share  string
}

type timeCost struct {
	Name  string
	Units int
	Rows  []timeRow
}

type timeRow struct {
	Share      string
	Configured bool
	Cells      []timeCell
}

type timeCell struct {
	Duration, End string
	Seconds       int
}

func (v *viewer) time() timeTable {
	t := v.rep.Totals
	out := timeTable{Limits: []int{200, 400, 800}, Share: percent(v.share())}
	if v.ran() {
		if t.UnitsLeft > 0 && v.rep.Summary.Conversations.Pending > 0 {
			out.Costs = append(out.Costs, v.cost("what is still to be sent", t.UnitsLeft))
		}
		return out
	}
	if done := t.Same + t.Changed + t.Doubt; done > 0 {
		out.Costs = append(out.Costs, v.cost("what is still to be sent", t.UnitsLeft))
	}
	out.Costs = append(out.Costs, v.cost("as planned", t.Units))
	if t.Inline > 0 {
		out.Costs[0].Name = "attachments that fit go with their message"
		out.Costs = append(out.Costs, v.cost("every attachment is uploaded after its message", v.n.unitsUploaded))
	}
	return out
}

func (v *viewer) cost(name string, units int) timeCost {
	out := timeCost{Name: name, Units: units}
	shares := []float64{1, 0.8, 0.5}
	if !slices.Contains(shares, v.share()) {
		shares = append(shares, v.share())
		slices.SortFunc(shares, func(a, b float64) int { return cmp.Compare(b, a) })
	}
	for _, share := range shares {
		row := timeRow{Share: percent(share), Configured: share == v.share()}
		for _, limit := range []int{200, 400, 800} {
			d := importer.Duration(units, limit, share)
			row.Cells = append(row.Cells, timeCell{human(d), v.rep.Started.Add(d).Format("Mon 2 Jan 15:04"), int(d / time.Second)})
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// customers are the people of the history.
type customers struct{ All, Replied, Placeholders, Domain string }

func (v *viewer) customerCounts() customers {
	say := func(d *distinct) string {
		n, atLeast := d.count()
		if atLeast {
			return "at least " + count(n)
		}
		return count(n)
	}
	return customers{say(&v.customers), say(&v.replied), say(&v.placeholders), clip(v.o.Mapping.PlaceholderDomain, 120)}
}

// findingGroup is everything found under one code.
type findingGroup struct {
	Severity, Class, Code, Meaning, Hint string
	N                                    int
	Values                               []findingValue
	MoreValues                           int
	Examples                             []findingExample
}

type findingValue struct {
	Value string
	N     int
}

type findingExample struct{ Place, Name, Text, Preview string }

const (
	shownValues   = 12
	shownExamples = 6
)

var severityClass = map[sources.Severity]string{sources.Info: "info", sources.Warning: "warn", sources.BlocksTicket: "bad", sources.BlocksJob: "bad"}

func (v *viewer) findings() []findingGroup {
	type key struct {
		sev  sources.Severity
		code string
	}
	at := map[key]*findingGroup{}
	var order []key
	for _, g := range v.rep.Findings.Groups() { // values of one code come the most frequent first
		k := key{g.Severity, g.Code}
		f := at[k]
		if f == nil {
			f = &findingGroup{Severity: g.Severity.String(), Class: severityClass[g.Severity], Code: clip(g.Code, 80), Meaning: Meaning(g.Code), Hint: Hint(g.Code)}
			at[k] = f
			order = append(order, k)
		}
		f.N += g.N
		switch {
		case g.Value == "":
		case len(f.Values) < shownValues:
			f.Values = append(f.Values, findingValue{clip(g.Value, 120), g.N})
		default:
			f.MoreValues++
		}
		for _, e := range g.Examples {
			if len(f.Examples) < shownExamples {
				f.Examples = append(f.Examples, v.example(e))
			}
		}
	}
	slices.SortStableFunc(order, func(a, b key) int {
		return cmp.Or(-cmp.Compare(a.sev, b.sev), -cmp.Compare(at[a].N, at[b].N), strings.Compare(a.code, b.code))
	})
	out := make([]findingGroup, 0, len(order))
	for _, k := range order {
		out = append(out, *at[k])
	}
	return out
}

func (v *viewer) example(e mapping.Finding) findingExample {
	out := findingExample{Name: clip(string(e.Key), 80), Text: clip(e.Text, 500), Preview: v.previews[clip(string(e.Key), 120)]}
	if e.Position.File != "" {
		out.Place = clip(e.Position.String(), 160)
	}
	return out
}
