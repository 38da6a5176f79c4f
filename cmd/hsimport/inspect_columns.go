package main

import (
	"cmp"
	"fmt"
	"strings"

	"hsimport/sources"
)

// A columnTable is how wide each column of the table of columns is: as wide as what stands in it, within its bounds, and
// all of them together no wider than the terminal.
type columnTable struct{ name, kind, role, examples int }

// Bounds of the table of columns.
const (
	mostName      = 28
	leastName     = 16
	fullWidth     = 5  // "100 %"
	leastExamples = 16 // names are shortened for these
	mostExamples  = 80
)

// columnTableOf fits the table of these columns into width.
func columnTableOf(cols []sources.SurveyColumn, width int) columnTable {
	t := columnTable{name: wide("theirs"), kind: wide("kind"), role: wide("ours")}
	for _, c := range cols {
		t.name = max(t.name, min(wide(plainLine(c.Name)), mostName))
		t.kind, t.role = max(t.kind, wide(c.Kind)), max(t.role, wide(c.Role))
	}
	rest := width - wide(t.row("", "", "", "", "x")) + 1
	if lack := leastExamples - rest; lack > 0 {
		lack = max(0, min(lack, t.name-leastName))
		t.name, rest = t.name-lack, rest+lack
	}
	t.examples = max(0, min(rest, mostExamples))
	return t
}

func (t columnTable) row(name, kind, full, role, examples string) string {
	return strings.TrimRight("  "+pad(name, t.name)+"  "+pad(kind, t.kind)+"  "+fmt.Sprintf("%*s", fullWidth, full)+"  "+pad(role, t.role)+"  "+examples, " ")
}

// columns lists what each column is, and which of ours it most likely is, file by file.
func (u *ui) columns(cols []sources.SurveyColumn) {
	for len(cols) > 0 {
		n := 1
		for n < len(cols) && cols[n].File == cols[0].File {
			n++
		}
		t := columnTableOf(cols[:min(n, shownColumns)], max(u.env.outWide, screenWidth))
		title := []string{count(n)}
		if cols[0].File != "" {
			title = []string{count(n), "of", cols[0].File}
		}
		u.below("columns", title)
		u.line(u.env.out, "%s", t.row("theirs", "kind", "full", "ours", "examples"))
		for _, c := range cols[:min(n, shownColumns)] {
			u.line(u.env.out, "%s", t.column(c))
		}
		if more := n - shownColumns; more > 0 {
			u.line(u.env.out, "  and %s; --json lists all", plural(more, "more column", "more columns"))
		}
		cols = cols[n:]
	}
}

func (t columnTable) column(c sources.SurveyColumn) string {
	full := "-"
	if c.Of > 0 {
		full = fmt.Sprintf("%d %%", 100*c.Filled/c.Of)
	}
	return t.row(fitted(plainLine(c.Name), t.name), c.Kind, full, cmp.Or(c.Role, "-"), fitted(columnExamples(c), t.examples))
}

func columnExamples(c sources.SurveyColumn) string {
	var parts []string
	for _, e := range c.Examples {
		parts = append(parts, fitted(plainLine(e), 24))
	}
	text := strings.Join(parts, " | ")
	if c.Layout != "" {
		text = c.Layout + ": " + text
	}
	return text
}

// plainLine is a text on one line, without what would act on a terminal.
func plainLine(s string) string { return strings.Map(readable, oneLine(s)) }

// fitted shortens s to at most n columns of a terminal, and shows that it did.
func fitted(s string, n int) string {
	if wide(s) <= n {
		return s
	}
	return cut(s, n-3) + "..."
}
