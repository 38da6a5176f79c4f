package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"hsimport/configs"
	"hsimport/sources"
)

// Bounds of one screen.
const (
	shownColumns = 40
	shownCounts  = 8
	barWidth     = 40
)

// survey is what inspect shows: one screen, or with brief its upper half.
func (u *ui) survey(s *sources.Survey, brief bool) {
	p := u.said
	for _, f := range s.Files {
		p("file        %s: %s%s", f.Path, humanBytes(f.Size), fileTraits(f))
	}
	shape := cmp.Or(s.Layout, s.Format)
	p("shape       %s", shape)
	if preset, err := configs.PresetNamed(s.Preset); err == nil && s.Preset != "" {
		p("preset      %s", presetText(preset))
		if preset.Notice != "" {
			p("mind        %s", preset.Notice)
		}
	}
	p("holds       %s, %s, %s in %s", plural(s.Tickets, "ticket", "tickets"), plural(s.Messages, "message", "messages"),
		plural(s.Attachments, "attachment", "attachments"), plural(s.Records, "record", "records"))
	if s.Metrics != "" {
		p("no texts    %s", s.Metrics)
	}
	if !s.First.IsZero() {
		p("dates       %s to %s, %s", s.First.UTC().Format(time.DateOnly), s.Last.UTC().Format(time.DateOnly), zoneText(s))
	}
	u.counts("statuses", s.Statuses)
	u.counts("kinds", s.Kinds)
	u.counts("labels", s.Labels)
	u.counts("agents", s.Agents)
	u.counts("team", s.Domains)
	if !brief {
		u.counts("senders", s.Senders)
		u.columns(s.Columns)
		u.years(s.Months)
		u.largest(s.Largest)
		u.account(s.Ledger)
	}
	u.oddities(s, brief)
}

// said writes a line that begins with a title of twelve characters; what does not fit goes below.
func (u *ui) said(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	u.below(line[:12], strings.Fields(line[12:]))
}

// below writes a title of at most twelve characters and terms behind it.
func (u *ui) below(title string, terms []string) {
	writeWrapped(u.env.out, pad(title, 12), strings.Repeat(" ", 12), terms)
}

func fileTraits(f sources.SurveyFile) string {
	var b strings.Builder
	if f.Encoding != "" {
		fmt.Fprintf(&b, ", %s", f.Encoding)
		if f.Confidence > 0 && f.Confidence < 100 {
			fmt.Fprintf(&b, " (%d %% sure)", f.Confidence)
		}
	}
	if f.Delimiter != "" {
		fmt.Fprintf(&b, ", %s between columns", delimiterWord(f.Delimiter))
	}
	if f.Escape != "" {
		fmt.Fprintf(&b, ", %s escapes", f.Escape)
	}
	if f.LineEnd != "" {
		fmt.Fprintf(&b, ", %s", f.LineEnd)
	}
	switch {
	case f.Role == "":
	case f.List != "":
		fmt.Fprintf(&b, ", %s are at %s", f.Role, f.List)
	default:
		fmt.Fprintf(&b, ", rows are %s", f.Role)
	}
	return b.String()
}

func delimiterWord(d string) string {
	switch d {
	case ",":
		return "comma"
	case ";":
		return "semicolon"
	case "\t", "tab":
		return "tab"
	case "|":
		return "pipe"
	}
	return fmt.Sprintf("%q", d)
}

func zoneText(s *sources.Survey) string {
	if s.ZoneKnown {
		return "with their zones"
	}
	if s.Format == configs.Mbox {
		return "most without a zone: read in UTC, unless source.mbox.time_zone names another"
	}
	busy, n := 0, 0
	for h, c := range s.Hours {
		if c > n {
			busy, n = h, c
		}
	}
	return fmt.Sprintf("without zones (busiest at %02d:00 as written): source time_zone has to say which", busy)
}

func (u *ui) counts(title string, counts []sources.Count) {
	if len(counts) == 0 {
		return
	}
	var parts []string
	for i, c := range counts {
		if i == shownCounts {
			parts = append(parts, fmt.Sprintf("and %s more", count(len(counts)-i)))
			break
		}
		parts = append(parts, fmt.Sprintf("%s %s,", cmp.Or(shorten(c.Value, 40), "(empty)"), count(c.N)))
	}
	last := len(parts) - 1
	parts[last] = strings.TrimSuffix(parts[last], ",")
	u.below(title, parts)
}

// years draws how many messages each year holds; a year without any is shown, because it may be a hole.
func (u *ui) years(months []sources.Count) {
	var years []sources.Count
	for _, m := range months {
		year, _, _ := strings.Cut(m.Value, "-")
		if len(years) == 0 || years[len(years)-1].Value != year {
			years = append(years, sources.Count{Value: year})
		}
		years[len(years)-1].N += m.N
	}
	if len(years) < 2 || len(years) > 30 {
		years = months
	}
	if len(years) > 30 {
		years = years[len(years)-30:]
	}
	most := 1
	for _, y := range years {
		most = max(most, y.N)
	}
	for i, y := range years {
		title := ""
		if i == 0 {
			title = "messages"
		}
		u.line(u.env.out, "%-11s %-8s %8s %s", title, y.Value, count(y.N), strings.Repeat("#", (y.N*barWidth+most-1)/most))
	}
}

func (u *ui) largest(items []sources.SurveyItem) {
	for i, it := range items {
		if i == 3 {
			return
		}
		title := ""
		if i == 0 {
			title = "largest"
		}
		u.said("%-11s %s, %s [%s]", title, shorten(oneLine(it.What), 60), humanBytes(it.Bytes), it.Position)
	}
}

// account is the ledger: every byte and every record is in one class.
func (u *ui) account(l *sources.Ledger) {
	if l == nil {
		return
	}
	for _, f := range l.Files {
		line := fmt.Sprintf("%s in messages", humanBytes(f.Message))
		for _, c := range []struct {
			n    int64
			what string
		}{{f.Separator, "separators"}, {f.Preamble, "before the first"}, {f.Blank, "blank"}, {f.Refused, "unreadable"}, {f.Truncated, "cut off"}} {
			if c.n > 0 {
				line += fmt.Sprintf(" + %s %s", humanBytes(c.n), c.what)
			}
		}
		u.said("bytes       %s = %s (%s)", humanBytes(f.Size), line, f.Path)
	}
	r := l.Records
	u.said("records     %s = %s + %s + %s excluded + %s unreadable", count(r.Found), sources.Counted(r.Messages, "message", "messages"),
		sources.Counted(r.Duplicates, "duplicate", "duplicates"), count(r.Excluded), count(r.Unreadable))
}

func (u *ui) oddities(s *sources.Survey, brief bool) {
	u.counts("oddities", s.Findings)
	for i, o := range s.Oddities {
		if brief && i == 2 {
			return
		}
		u.said("            %s: %s", o.Position, shorten(oneLine(o.Text), 160))
	}
}

// surveyObject is the survey for programs; its names are those of package sources.
func (u *ui) surveyObject(s *sources.Survey) {
	u.object(struct {
		MessageType string `json:"message_type"`
		*sources.Survey
	}{"survey", s})
}

// drafted says what init wrote and what it could not know.
func (u *ui) drafted(path string, s *sources.Survey, questions []configs.Question) {
	p := func(format string, args ...any) { u.line(u.env.out, format, args...) }
	p("%s written: %s, %s", path, plural(s.Tickets, "ticket", "tickets"), plural(s.Messages, "message", "messages"))
	if len(questions) == 0 {
		p("nothing is left to decide; next: hsimport dry-run -c %s", path)
		return
	}
	p("%s left for you:", plural(len(questions), "question is", "questions are"))
	for _, q := range questions {
		choices := ""
		if len(q.Choices) > 0 {
			choices = " (" + strings.Join(q.Choices, ", ") + ")"
		}
		p("  %s:%d: %s: %s%s", path, q.Line, q.Key, q.Text, choices)
	}
	p("next: answer them in the file, then hsimport dry-run -c %s", path)
}

// agentsWritten says what is to be done with the file of agents.
func (u *ui) agentsWritten(path string, s *sources.Survey) {
	u.line(u.env.out, "%s written: %s; fill in the last column with the e-mail of their Help Scout user, or left", path, plural(len(s.Agents), "likely agent", "likely agents"))
}

// oneLine makes white space of any kind a blank.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
