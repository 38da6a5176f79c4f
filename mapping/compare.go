package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"hsimport/sources"
)

// A Difference is one thing in which two plans differ. Key is empty where it is about the plan as a whole.
type Difference struct {
	Key    sources.Key
	ID     string
	Part   int
	What   string   // added, removed, changed
	Detail []string // of changed: what, as old -> new where that can be said
}

// String is one line for people.
func (d Difference) String() string {
	name := "the plan"
	if d.Key != "" {
		name = "ticket " + firstOf(d.ID, string(d.Key))
		if d.Part > 1 {
			name += fmt.Sprintf(" part %d", d.Part)
		}
	}
	if len(d.Detail) == 0 {
		return name + ": " + d.What
	}
	return name + ": " + d.What + ": " + strings.Join(d.Detail, ", ")
}

// ComparePlans explains how fresh differs from old: first what they were made from, then each conversation that was
// added, removed or changed, in the order of their keys. Equal plans have no differences.
func ComparePlans(old, fresh *PlanFile) []Difference {
	var out []Difference
	if d := compareHeaders(old.Header, fresh.Header); len(d) > 0 {
		out = append(out, Difference{What: "changed", Detail: d})
	}
	a, b := sortedLines(old.Lines), sortedLines(fresh.Lines)
	for len(a) > 0 || len(b) > 0 {
		order := 0
		switch {
		case len(a) == 0:
			order = 1
		case len(b) == 0:
			order = -1
		default:
			order = compareLines(a[0], b[0])
		}
		switch {
		case order < 0:
			out = append(out, difference(a[0], "removed", nil))
			a = a[1:]
		case order > 0:
			out = append(out, difference(b[0], "added", nil))
			b = b[1:]
		default:
			if detail := changes(a[0], b[0]); len(detail) > 0 {
				out = append(out, difference(b[0], "changed", detail))
			}
			a, b = a[1:], b[1:]
		}
	}
	return out
}

func difference(l *PlanLine, what string, detail []string) Difference {
	return Difference{Key: l.Key, ID: l.ID, Part: l.Part, What: what, Detail: detail}
}

// sortedLines orders by ticket and part; a ticket that becomes nothing stands where its first part would, so that one
// that was refused and no longer is counts as changed.
func sortedLines(lines []PlanLine) []*PlanLine {
	out := make([]*PlanLine, len(lines))
	for i := range lines {
		out[i] = &lines[i]
	}
	slices.SortStableFunc(out, compareLines)
	return out
}

func compareLines(a, b *PlanLine) int {
	return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(max(a.Part, 1), max(b.Part, 1)))
}

func compareHeaders(a, b Header) []string {
	var c changeList
	c.number("mapping version", a.Version, b.Version)
	c.digest("the source's content", a.Source, b.Source)
	c.digest("the mapping", a.Mapping, b.Mapping)
	c.digest("the account's side", a.Target, b.Target)
	c.word("zone database", a.Zones, b.Zones)
	if a.Unbound != b.Unbound {
		c.add("bound to the account: %t -> %t", !a.Unbound, !b.Unbound)
	}
	return c
}

// changes lists in what two lines of one conversation differ.
func changes(a, b *PlanLine) []string {
	var c changeList
	c.word("refused", a.Refused, b.Refused)
	c.word("excluded", a.Excluded, b.Excluded)
	if a.Part == 0 || b.Part == 0 {
		if a.Part != b.Part && len(c) == 0 {
			c.add("conversations %d -> %d", a.Of, b.Of)
		}
		return append(c, findingChanges(a.Findings, b.Findings)...)
	}
	c.word("status", a.Status, b.Status)
	c.word("mailbox of a route", a.Mailbox, b.Mailbox)
	c.word("created", a.Created, b.Created)
	c.number("parts", a.Of, b.Of)
	c.number("threads", a.Threads, b.Threads)
	c.number("messages", a.Messages, b.Messages)
	c.number("messages left out", a.Left, b.Left)
	c.number("attachments", a.Attachments, b.Attachments)
	c.number("uploads", a.Uploads, b.Uploads)
	c.number("units", a.Units, b.Units)
	c.digest("subject, tags, fields, assignee or closing time", a.Head, b.Head)
	c.digest("texts or times", a.Text, b.Text)
	c.digest("people", a.People, b.People)
	c.digest("files", a.Files, b.Files)
	if a.Digest != b.Digest && len(c) == 0 {
		c.add("content")
	}
	return append(c, findingChanges(a.Findings, b.Findings)...)
}

// changeList collects what changed, in words.
type changeList []string

func (c *changeList) add(format string, args ...any) { *c = append(*c, fmt.Sprintf(format, args...)) }

func (c *changeList) word(name, a, b string) {
	if a != b {
		c.add("%s %s -> %s", name, firstOf(a, "none"), firstOf(b, "none"))
	}
}

func (c *changeList) number(name string, a, b int) {
	if a != b {
		c.add("%s %d -> %d", name, a, b)
	}
}

func (c *changeList) digest(name, a, b string) {
	if a != b {
		c.add("%s", name)
	}
}

// findingChanges tells which findings came and which went, counting equal ones.
func findingChanges(a, b []PlanFinding) []string {
	count := map[PlanFinding]int{}
	var order []PlanFinding
	for _, f := range append(slices.Clone(a), b...) {
		if _, seen := count[f]; !seen {
			order = append(order, f)
			count[f] = 0
		}
	}
	for _, f := range a {
		count[f]--
	}
	for _, f := range b {
		count[f]++
	}
	var c changeList
	for _, f := range order {
		name := f.Code
		if f.Value != "" {
			name += " (" + f.Value + ")"
		}
		switch n := count[f]; {
		case n > 0:
			c.add("new finding %s", name)
		case n < 0:
			c.add("finding gone %s", name)
		}
	}
	return c
}
