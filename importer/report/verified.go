package report

import (
	"bufio"
	"cmp"
	_ "embed"
	"encoding/csv"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"hsimport/importer"
)

//go:embed verified.html
var verifiedText string

var verifiedPage = template.Must(template.New("verified").Funcs(template.FuncMap{"count": count, "plural": plural}).Parse(verifiedText))

// maxChecked bounds the rows of each list of the page; what is as it was sent has none.
const maxChecked = 2000

// Verification collects what verify finds for its page. Its memory does not grow with the number of conversations.
type Verification struct {
	Title   string // the configuration's name
	Version string // of the tool
	lists   map[string]*checkedList
}

type checkedList struct {
	ID, Short, Name, Note string
	N                     int
	Rows                  []checkedRow
}

type checkedRow struct {
	Name         string
	Conversation int64
	URL          string
	Deep         bool
	Differences  []string
}

// See takes one conversation that was looked at.
func (v *Verification) See(c importer.Checked) {
	if c.Symbol == importer.AsSent {
		return
	}
	if v.lists == nil {
		v.lists = map[string]*checkedList{}
	}
	l := v.lists[c.Symbol]
	if l == nil {
		l = &checkedList{}
		v.lists[c.Symbol] = l
	}
	if l.N++; len(l.Rows) == maxChecked {
		return
	}
	name := clip(cmp.Or(c.ID, c.Key), 80)
	if c.Parts > 1 {
		name += " part " + strconv.Itoa(c.Part)
	}
	row := checkedRow{Name: name, Conversation: c.Conversation, URL: c.URL, Deep: c.Threads}
	for _, d := range c.Differences {
		row.Differences = append(row.Differences, clip(d, 300))
	}
	l.Rows = append(l.Rows, row)
}

// checkedHeads are the lists of the page, the worst first.
var checkedHeads = []struct {
	symbol string
	checkedList
}{
	{importer.Absent, checkedList{ID: "missing", Short: "Missing", Name: "Not there any more", Note: "Somebody has deleted them since, or they never came to be. hsimport does not send them again by itself."}},
	{importer.Differs, checkedList{ID: "differ", Short: "Different", Name: "Not as they were sent", Note: "Something that was sent is not so, and nothing shows that a person has changed it."}},
	{importer.Unclear, checkedList{ID: "unclear", Short: "Unclear", Name: "No record of what was sent", Note: "They are there. The checkpoint does not say what they ought to hold."}},
	{importer.GoneOn, checkedList{ID: "goneon", Short: "Gone on with", Name: "Gone on with since", Note: "All that was sent is there. People went on with them, or merged them into others: that is no damage."}},
}

// verifiedView is what the template shows.
type verifiedView struct {
	Title, Version, Rehearsal, Made string
	Class, Verdict                  string
	Notes                           []string
	Figures                         []figure
	Lists                           []*checkedList
}

// HTML writes the page: one file that opens from disk without network, under the same policy as the report. at is when
// the verification ended.
func (v *Verification) HTML(w io.Writer, sum *importer.VerifySummary, at time.Time) error {
	out := bufio.NewWriterSize(w, 64<<10)
	view := v.view(sum, at)
	if _, err := out.WriteString(headOf("Verification of " + v.Title)); err != nil {
		return err
	}
	if err := verifiedPage.Execute(out, view); err != nil {
		return err
	}
	if _, err := out.WriteString("<script>" + scriptText + "</script>\n</body>\n</html>\n"); err != nil {
		return err
	}
	return out.Flush()
}

func (v *Verification) view(sum *importer.VerifySummary, at time.Time) *verifiedView {
	n := sum.Verified
	out := &verifiedView{
		Title: v.Title, Version: v.Version, Rehearsal: sum.Rehearsal, Made: at.UTC().Format("2 Jan 2006 15:04 MST"), Class: "good",
		Verdict: fmt.Sprintf("%s of %s are as they were sent", count(n.AsSent), plural(n.Sent, "conversation", "conversations")),
	}
	if n.AsSent+n.GoneOn == n.Sent && n.GoneOn > 0 {
		out.Verdict = fmt.Sprintf("Everything that was sent is there; people have gone on with %s of %s", count(n.GoneOn), plural(n.Sent, "conversation", "conversations"))
	}
	switch {
	case n.Missing+n.Differ+n.Unclear > 0 || sum.Cause != "":
		out.Class = "bad"
	case sum.ExitCode != importer.ExitOK || n.Unseen > 0:
		out.Class = "warn"
	}
	if sum.Cause != "" {
		out.Notes = append(out.Notes, "It ended early: "+clip(sum.Cause, 500))
	}
	for _, x := range []struct {
		n              int
		one, many, rem string
	}{
		{n.Unseen, "conversation was", "conversations were", "not looked at"},
		{n.Pending, "conversation is", "conversations are", "still to be sent"},
		{n.InDoubt, "conversation is", "conversations are", "in doubt"},
		{n.Rejected, "conversation was", "conversations were", "rejected"},
	} {
		if x.n > 0 {
			out.Notes = append(out.Notes, plural(x.n, x.one, x.many)+" "+x.rem)
		}
	}
	out.Figures = []figure{
		{Name: "As sent", Value: count(n.AsSent), Note: "all that was looked at"},
		{Name: "Gone on with", Value: count(n.GoneOn), Note: "by people, since"},
		{Name: "Different", Value: count(n.Differ + n.Unclear), Note: "something is not so"},
		{Name: "Missing", Value: count(n.Missing), Note: "not there any more"},
		{Name: "Read to the last thread", Value: count(n.Threads), Note: "of the others the list's own data"},
		{Name: "Cost", Value: count(sum.Quota.Units), Note: "units of the quota"},
	}
	for _, h := range checkedHeads {
		if l := v.lists[h.symbol]; l != nil {
			head := h.checkedList
			head.N, head.Rows = l.N, slices.Clone(l.Rows)
			out.Lists = append(out.Lists, &head)
		}
	}
	return out
}

var checkedHeader = []string{"symbol", "old_id", "key", "part", "parts", "conversation", "url", "threads_compared", "differences"}

// A CheckedTable writes one line a conversation that verify has looked at, as CSV.
type CheckedTable struct{ w *csv.Writer }

// NewCheckedTable writes the header. An error of w is returned by Close.
func NewCheckedTable(w io.Writer) *CheckedTable {
	t := &CheckedTable{csv.NewWriter(w)}
	_ = t.w.Write(checkedHeader) // the writer keeps its error
	return t
}

// See writes the line of one conversation.
func (t *CheckedTable) See(c importer.Checked) error {
	return t.w.Write([]string{ // a symbol is no formula: nothing follows it
		c.Symbol, harmless(c.ID), harmless(c.Key), strconv.Itoa(c.Part), strconv.Itoa(c.Parts), strconv.FormatInt(c.Conversation, 10), c.URL,
		strconv.FormatBool(c.Threads), harmless(strings.Join(c.Differences, "; ")),
	})
}

// Close writes what is still buffered; it does not close the writer below.
func (t *CheckedTable) Close() error {
	t.w.Flush()
	return t.w.Error()
}
