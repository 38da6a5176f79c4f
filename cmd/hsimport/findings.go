package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hsimport/importer"
	"hsimport/importer/report"
	"hsimport/sources"
)

const (
	shownFindings = 10
	shownValues   = 3
	listedValues  = 40
)

// A codeGroup is everything found under one code: its values, the commonest first.
type codeGroup struct {
	severity sources.Severity
	code     string
	n        int
	values   []importer.FindingGroup
}

// byCode folds the groups of one code with many values into one, and keeps their order: the severest first, then the
// most frequent.
func byCode(groups []importer.FindingGroup) []*codeGroup {
	type key struct {
		sev  sources.Severity
		code string
	}
	at := map[key]*codeGroup{}
	var out []*codeGroup
	for _, g := range groups {
		k := key{g.Severity, g.Code}
		if at[k] == nil {
			at[k] = &codeGroup{severity: g.Severity, code: g.Code}
			out = append(out, at[k])
		}
		at[k].n += g.N
		at[k].values = append(at[k].values, g)
	}
	slices.SortStableFunc(out, func(a, b *codeGroup) int {
		return cmp.Or(-cmp.Compare(a.severity, b.severity), -cmp.Compare(a.n, b.n), strings.Compare(a.code, b.code))
	})
	return out
}

// topFindings shows what blocks, then the most frequent kinds, each with its commonest values, one example, and what can
// be done.
func (u *ui) topFindings(rep *importer.Report) {
	groups := byCode(rep.Findings.Groups())
	if len(groups) == 0 {
		return
	}
	u.line(u.env.out, "findings")
	for i, g := range groups {
		if i >= shownFindings && g.severity < sources.BlocksJob {
			u.line(u.env.out, "  and %s: --json lists them all, --html explains them", plural(len(groups)-i, "further kind", "further kinds"))
			return
		}
		u.finding(g)
	}
}

func (u *ui) finding(g *codeGroup) {
	u.paragraph(4, fmt.Sprintf("  %s: %s (%s)%s", g.severity, g.code, count(g.n), valuesText(g)))
	shown := 1
	if g.severity == sources.BlocksJob { // each is something to mend
		shown = shownOutcomes
	}
	for i, v := range g.values {
		if i == shown {
			if g.severity == sources.BlocksJob {
				u.line(u.env.out, "      and %s more", count(len(g.values)-i))
			}
			break
		}
		u.example(v)
	}
	if hint := report.Hint(g.code); hint != "" {
		u.indented(6, "hint: "+hint)
	}
}

func (u *ui) example(g importer.FindingGroup) {
	if len(g.Examples) == 0 {
		return
	}
	e := g.Examples[0]
	place := ""
	if e.Position.File != "" {
		place = e.Position.String() + ": "
	}
	u.indented(6, place+shorten(e.Text, 240))
}

// valuesText names the commonest values of a code that has several.
func valuesText(g *codeGroup) string {
	if len(g.values) < 2 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, ", %s values", count(len(g.values)))
	if g.values[0].N == 1 && len(g.values) > shownValues { // each once: names say more than numbers, unless there are too many
		shown := len(g.values)
		if shown > listedValues {
			shown = shownValues
		}
		for i, v := range g.values[:shown] {
			b.WriteString([]string{": ", ", "}[min(i, 1)] + strconv.Quote(shorten(v.Value, 40)))
		}
		if len(g.values) > shown {
			b.WriteString(", ...")
		}
		return b.String()
	}
	for i, v := range g.values {
		if i == shownValues {
			b.WriteString(", ...")
			break
		}
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		fmt.Fprintf(&b, "%s%q %s", sep, shorten(v.Value, 40), count(v.N))
	}
	return b.String()
}

// shorten cuts s to at most n characters.
func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-3]) + "..."
}

// findings writes every group, and every record that did not arrive, as an object.
func (u *ui) findings(rep *importer.Report) {
	_ = report.Records(u.env.out, rep) // a reader that is gone cannot be told
}
