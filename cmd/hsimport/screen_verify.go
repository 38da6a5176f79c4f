package main

import (
	"fmt"
	"strings"

	"hsimport/importer"
)

// A checkedList is what verify shows of the conversations that it looks at: of each kind the first few, as they are found,
// and in the end how many more there are and where all of them stand.
type checkedList struct {
	ui          *ui
	table, page string // files of this call that have all of them
	n           map[string]int
}

// checkedKinds are the kinds in the order of their worth, with what is said of many.
var checkedKinds = []struct{ symbol, one, many string }{
	{importer.Absent, "is not there any more", "are not there any more"},
	{importer.Differs, "is not as it was sent", "are not as they were sent"},
	{importer.Unclear, "has no record of what was sent", "have no record of what was sent"},
	{importer.GoneOn, "was gone on with", "were gone on with"},
}

// see takes one conversation that was looked at; what is as it was sent has no line.
func (l *checkedList) see(c importer.Checked) error {
	if l.ui.json {
		l.ui.object(c)
		return nil
	}
	if c.Symbol == importer.AsSent || l.ui.quiet && c.Symbol == importer.GoneOn {
		return nil
	}
	if l.n == nil {
		l.n = map[string]int{}
	}
	if l.n[c.Symbol]++; l.n[c.Symbol] > shownOutcomes {
		return nil
	}
	l.ui.clearBar()
	name := c.ID
	if name == "" {
		name = c.Key
	}
	if c.Parts > 1 {
		name += fmt.Sprintf(" part %d", c.Part)
	}
	l.ui.line(l.ui.env.out, "%s %s %s: %s", c.Symbol, name, c.URL, strings.Join(c.Differences, "; "))
	return nil
}

// close says how many were not shown.
func (l *checkedList) close() {
	l.ui.clearBar()
	cut := false
	for _, k := range checkedKinds {
		if more := l.n[k.symbol] - shownOutcomes; more > 0 {
			cut = true
			l.ui.line(l.ui.env.out, "%s and %s", k.symbol, plural(more, "more "+k.one, "more "+k.many))
		}
	}
	switch {
	case !cut:
	case l.table != "":
		l.ui.line(l.ui.env.out, "each of them has its line in %s", l.table)
	case l.page != "":
		l.ui.line(l.ui.env.out, "the page shows them; --csv FILE writes a line for each, however many they are")
	default:
		l.ui.line(l.ui.env.out, "--csv FILE writes a line for each of them, --json an object, --html FILE a page")
	}
}
