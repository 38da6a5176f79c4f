package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"hsimport/importer"
)

// shownStands is how many conversations of a run the page lists with their addresses; the whole list is a file.
const shownStands = 500

// stands are what a run has come to: how many conversations stand where, the first of them, and the addresses of the
// tickets that the page shows elsewhere.
type stands struct {
	n     map[standing]int
	rows  []standRow
	more  int
	links map[string][]standLink // by ticket, of those that some list or preview of the page shows
}

// A standing is where a conversation stands, and whether this run has brought it there.
type standing struct {
	word string
	now  bool
}

type standRow struct {
	Name, Place, Part, State string
	Link                     standLink
	Class                    string
}

// A standLink leads to a conversation in the account.
type standLink struct {
	ID  int64
	URL string
}

// standWords are the states of the checkpoint as the page names them, in the order it lists them; the class is that of
// their bar and badge.
var standWords = []struct{ word, class, means string }{
	{"created", "in", "the account has answered with their number"},
	{"recovered", "in2", "the answer was lost; they were found in the account"},
	{"adopted", "in2", "recover has found them in the account"},
	{"rejected", "bad", "the account refused them; the list above says why"},
	{"in doubt", "bad", "their answer was lost, and whether they arrived is not known yet"},
	{toBeSent, "own", "the same command goes on with them"},
	{"taken back", "out", "rolled back or sent again since"},
}

// toBeSent is the word for what waits.
const toBeSent = "still to be sent"

func standWord(p importer.Place) string {
	switch p.State {
	case "created":
		return firstOf(p.How, "created")
	case "in_doubt", "sending":
		return "in doubt"
	case "pending":
		return toBeSent
	case "deleted":
		return "taken back"
	}
	return p.State
}

// Stand takes in where one conversation stands after a run (importer.Job.Stands), when all tickets have been seen.
func (c *Collector) Stand(p importer.Place, now bool) {
	if c.stands == nil {
		c.stands = &stands{n: map[standing]int{}, links: map[string][]standLink{}}
		for _, key := range c.shownKeys() {
			c.stands.links[key] = nil
		}
	}
	s := c.stands
	word := standWord(p)
	s.n[standing{word, now}]++
	link := standLink{p.Conversation, p.URL}
	if key := clip(p.Key, 120); p.Conversation != 0 {
		if list, shown := s.links[key]; shown && len(list) < 12 {
			s.links[key] = append(list, link)
		}
	}
	if !now || word == toBeSent {
		return
	}
	if len(s.rows) == shownStands {
		s.more++
		return
	}
	row := standRow{Name: firstOf(clip(p.ID, 120), brief(clip(p.Key, 120))), Place: clip(p.Source, 160), State: word, Link: link}
	if p.Parts > 1 {
		row.Part = fmt.Sprintf("part %d of %d", p.Part, p.Parts)
	}
	for _, w := range standWords {
		if w.word == word && w.class == "bad" {
			row.Class = "bad"
		}
	}
	s.rows = append(s.rows, row)
}

// shownKeys are the tickets that the page tells of one by one.
func (c *Collector) shownKeys() (keys []string) {
	for _, list := range [][]ticketRef{c.oldest.items, c.asked.items, c.biggest.items, c.longest.items, c.heaviest.items, c.splits} {
		for _, r := range list {
			keys = append(keys, r.Key)
		}
	}
	for _, p := range c.previews.chosen() {
		keys = append(keys, p.ref.Key)
	}
	return keys
}

// happened is what the page says of a run.
type happened struct {
	Rows    []happenedRow
	N       int
	Took    []string
	List    []standRow
	More    int
	Earlier bool // something stands from an earlier run
}

type happenedRow struct {
	Word, Class, Means string
	Now, Before, N     int
	Waits              bool // nothing has been done with them
}

// happened is nil for a dry run, of which there is nothing to tell.
func (v *viewer) happened() *happened {
	if !v.ran() {
		return nil
	}
	out := &happened{Took: v.took()}
	if v.stands == nil {
		return out
	}
	for _, w := range standWords {
		row := happenedRow{Word: w.word, Class: w.class, Means: w.means, Now: v.stands.n[standing{w.word, true}], Before: v.stands.n[standing{w.word, false}]}
		if row.N = row.Now + row.Before; row.N == 0 {
			continue
		}
		row.Waits = w.word == toBeSent
		out.Rows, out.N, out.Earlier = append(out.Rows, row), out.N+row.N, out.Earlier || row.Before > 0 && !row.Waits
	}
	out.List, out.More = v.stands.rows, v.stands.more
	return out
}

// ran says that the report is one of a run, not of a dry run.
func (v *viewer) ran() bool { return v.rep.Summary.Command == "run" }

// took says what the run cost and why it was no faster.
func (v *viewer) took() (out []string) {
	q := v.rep.Summary.Quota
	line := fmt.Sprintf("%s of the API's quota in %s", plural(q.Units, "unit", "units"), human(seconds(v.rep.Summary.ElapsedS)))
	if q.Limit > 0 && q.Limit < 1<<30 {
		line += fmt.Sprintf(", %.0f %% of what %s of the plan's %d a minute permitted", q.Utilization*100, percent(v.share()), q.Limit)
	}
	out = append(out, line)
	if q.Settling > 0 {
		out = append(out, fmt.Sprintf("%s of them to find out about lost answers", count(q.Settling)))
	}
	if q.Throttled > 0 {
		out = append(out, plural(q.Throttled, "call was", "calls were")+" told to wait because somebody else uses the quota too")
	}
	return out
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// ranVerdict is the verdict of a run: the engine's own words, the first of them large.
func (v *viewer) ranVerdict() (out verdict) {
	s := v.rep.Summary
	words := s.Verdict
	if v.rep.Rehearsal != "" {
		words = strings.TrimPrefix(words, "rehearsal at "+v.rep.Rehearsal+": ")
	}
	parts := strings.Split(words, ", ")
	// Numbers have commas too, but no blank behind them.
	out.Text, out.Lines = parts[0], parts[1:]
	switch {
	case s.ExitCode == importer.ExitOK:
		out.Class = "good"
	case slices.Contains([]int{importer.ExitRejected, importer.ExitLeft, importer.ExitDoubt, importer.ExitInterrupted}, s.ExitCode):
		out.Class = "warn"
	default:
		out.Class = "bad"
	}
	if !v.rep.Totals.Complete {
		out.Class, out.Text, out.Lines = "bad", "The import did not begin", []string{words}
	}
	if v.rep.Cause != nil {
		out.Lines = append(append(strings.Split(v.rep.Cause.Error(), "\n"), v.rep.Cause.Hint), out.Lines...)
	}
	return out
}
