package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/width"

	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
	"hsimport/sources"
)

// Bounds of what a demo shows.
const (
	shownPairs    = 3
	shownMessages = 3
	shownLines    = 5
	columnWidth   = 58
	shownDiffs    = 10
)

func (u *ui) demoTitle(title string) {
	u.line(u.env.out, "\n== %s", title)
}

func (u *ui) demoCommand(command string, args ...string) {
	u.line(u.env.out, "\n$ %s", strings.Join(append([]string{"hsimport", command}, args...), " "))
}

func (u *ui) demoKilled(created int) {
	u.line(u.env.out, "  ** killed (kill -9) after %s; the same line goes on:", plural(created, "conversation", "conversations"))
}

func (u *ui) demoNotKilled() {
	u.line(u.env.out, "  ** it came to its end before it could be killed; the same line again:")
}

func (u *ui) demoKept(dir string) { u.line(u.env.out, "\neverything is kept in %s", dir) }

func (u *ui) demoDone(dir string, jobs []*rehearsal) {
	u.line(u.env.out, "\neverything arrived once, and nothing else did")
	u.line(u.env.out, "kept in %s:", dir)
	for _, r := range jobs {
		u.line(u.env.out, "  %-12s the configuration of %s; its checkpoint is beside it", filepath.Base(r.config), r.title)
	}
	for _, r := range jobs {
		u.line(u.env.out, "report: %s", r.page())
	}
	u.line(u.env.out, "next: hsimport init FILE... writes a configuration for your own export; hsimport dry-run reads it")
}

func (u *ui) demoServing(jobs []*rehearsal) {
	for _, r := range jobs {
		u.line(u.env.out, "look at what arrived: %s (%s)", r.url, r.title)
	}
	u.line(u.env.out, "Ctrl-C ends it")
}

// comparison is the verdict of one job, and some of it to look at.
func (u *ui) comparison(c *comparison, st sandbox.Stats, pairs int) {
	p := func(format string, args ...any) { u.line(u.env.out, format, args...) }
	p("\ncompared with the source")
	lost := 0
	for _, n := range st.Faults {
		lost += n
	}
	if lost > 0 {
		p("  %s on the way on purpose, besides those in flight at the kill", plural(lost, "answer was lost", "answers were lost"))
	}
	p("  conversations  %s equal to their plan", count(c.conversations))
	p("  messages       %s found again word for word, each once; %s left out by a rule%s", count(c.messages-c.reworded), count(c.left), also(c.reworded, "reworded as a finding says"))
	p("  attachments    %s found again byte for byte%s", count(c.attachments), also(c.noted, "named in a note"))
	p("  differences    %s", count(len(c.diffs)))
	for i, d := range c.diffs {
		if i == shownDiffs {
			p("    and %s more", count(len(c.diffs)-i))
			break
		}
		p("    %s", d)
	}
	for _, pr := range interesting(c.pairs, pairs) {
		u.sideBySide(pr)
	}
}

func also(n int, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %s %s", count(n), what)
}

// interesting chooses the pairs that show the most: files, notes and letters beyond ASCII, and one that was split.
func interesting(pairs []pair, n int) []pair {
	score := func(p pair) (s int) {
		for i, t := range []mapping.Traits{mapping.HasNote, mapping.HasInline, mapping.HasReply, mapping.HasTag} {
			if p.plan.Traits&t != 0 {
				s += 4 - i
			}
		}
		if strings.ContainsFunc(p.ticket.Subject, func(r rune) bool { return r > 127 }) {
			s += 5
		}
		return s
	}
	sorted := slices.Clone(pairs)
	slices.SortStableFunc(sorted, func(a, b pair) int { return cmp.Compare(score(b), score(a)) })
	if i := slices.IndexFunc(sorted, func(p pair) bool { return len(p.convs) > 1 }); i > 0 && n > 1 {
		split := sorted[i]
		sorted = slices.Insert(slices.Delete(sorted, i, i+1), n-1, split)
	}
	return sorted[:min(n, len(sorted))]
}

// sideBySide shows a ticket as the source has it, and beside it what the account holds.
func (u *ui) sideBySide(p pair) {
	left, right := ticketColumn(p.ticket), accountColumn(p)
	u.line(u.env.out, "\n  %s | %s", pad("in the source", columnWidth), "in the account")
	u.line(u.env.out, "  %s-+-%s", strings.Repeat("-", columnWidth), strings.Repeat("-", columnWidth))
	for i := range max(len(left), len(right)) {
		l, r := "", ""
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		u.line(u.env.out, "  %s", strings.TrimRight(pad(l, columnWidth)+" | "+r, " "))
	}
}

func ticketColumn(t *sources.Ticket) []string {
	out := wrap(fmt.Sprintf("%s %s", cmp.Or(t.ID, t.Position.String()), t.Subject), 1)
	out = append(out, wrap(strings.TrimSpace(fmt.Sprintf("%s %s", t.Status, strings.Join(append(slices.Clone(t.Tags), t.Labels...), ", "))), 1)...)
	for i, m := range t.Messages {
		if i == shownMessages {
			return append(out, "", fmt.Sprintf("... and %s", plural(len(t.Messages)-i, "message", "messages")))
		}
		out = append(out, "")
		out = append(out, wrap(fmt.Sprintf("%s %s %s", m.CreatedAt.UTC().Format(time.DateTime), m.Kind, cmp.Or(m.Author.Email, m.Author.Name)), 1)...)
		body := m.Body
		if m.Format == sources.HTML {
			body = visible(body)
		}
		out = append(out, wrap(body, shownLines)...)
		for _, a := range m.Attachments {
			out = append(out, wrap(fmt.Sprintf("[%s, %s]", a.Name, humanBytes(a.Size)), 1)...)
		}
	}
	return out
}

func accountColumn(p pair) []string {
	var out []string
	for n, c := range p.convs {
		if n == 0 {
			out = wrap(fmt.Sprintf("#%d %s", c.Number, c.Subject), 1)
			out = append(out, wrap(fmt.Sprintf("%s %s", c.Status, strings.Join(c.Tags, ", ")), 1)...)
			out = append(out, threadLines(messageThreads(c))...)
			continue
		}
		out = append(out, wrap(fmt.Sprintf("#%d %s: %d threads", c.Number, c.Subject, len(messageThreads(c))), 1)...)
	}
	return out
}

func threadLines(threads []*sandbox.Thread) (out []string) {
	for i, th := range threads {
		if i == shownMessages {
			return append(out, "", fmt.Sprintf("... and %s", plural(len(threads)-i, "thread", "threads")))
		}
		who := th.Email
		if th.ByUser != 0 {
			who = fmt.Sprintf("by user %d", th.ByUser)
		}
		out = append(out, "")
		out = append(out, wrap(fmt.Sprintf("%s %s %s", th.CreatedAt.UTC().Format(time.DateTime), th.Type, who), 1)...)
		out = append(out, wrap(visible(th.Text), shownLines)...)
		for _, a := range th.Attachments {
			out = append(out, wrap(fmt.Sprintf("[%s, %s]", a.Name, humanBytes(a.Size)), 1)...)
		}
	}
	return out
}

// wrap breaks text into at most n lines of the column's width; blank lines go.
func wrap(text string, n int) (out []string) {
	for line := range strings.Lines(text) {
		line = oneLine(line)
		for line != "" {
			if len(out) == n {
				return out
			}
			head := cut(line, columnWidth)
			if i := strings.LastIndexByte(head, ' '); len(head) < len(line) && i > columnWidth/2 && line[len(head)] != ' ' {
				head = head[:i]
			}
			out = append(out, head)
			line = strings.TrimSpace(line[len(head):])
		}
	}
	return out
}

// cut is the beginning of s that fills at most n columns of a terminal.
func cut(s string, n int) string {
	for i, r := range s {
		if n -= columns(r); n < 0 {
			return s[:i]
		}
	}
	return s
}

func pad(s string, n int) string {
	for _, r := range s {
		n -= columns(r)
	}
	return s + strings.Repeat(" ", max(n, 0))
}

// columns is the room that a character takes on a terminal.
func columns(r rune) int {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// listed names files in a sentence.
func listed(files []string) string { return strings.Join(files, ", ") }
