package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hsimport/importer"
	"hsimport/importer/report"
	"hsimport/sources"
)

// report is the end of a run: what did not arrive, the sums, the verdict.
func (u *ui) report(rep *importer.Report, job *importer.Job) {
	u.clearBar()
	if u.json {
		_ = report.JSON(u.env.out, rep) // a reader that is gone cannot be told
		u.cause(rep)
		return
	}
	s := rep.Summary
	c := s.Conversations
	p := func(format string, args ...any) { u.line(u.env.out, format, args...) }
	if notBegun(rep) {
		u.cause(rep)
		if c.Planned > 0 { // by earlier runs
			p("%s", s.Verdict)
		} else {
			p("%s", nothingSent)
		}
		return
	}
	if !u.quiet {
		u.outcomes("rejected", rep.Rejected)
		u.outcomes("in doubt", rep.Doubtful)
		u.sourceLines(rep)
		u.entry("conversations", count(c.Planned)+" planned", "= "+count(c.Created)+" created", "+ "+count(c.Already)+" already there", "+ "+count(c.Recovered+c.Adopted)+" recovered",
			"+ "+count(c.Rejected)+" rejected", "+ "+count(c.InDoubt)+" in doubt", "+ "+count(c.Pending)+" to be sent")
		u.attachmentLine(s.Attachments)
		u.changesLine(s.Changes)
		u.entry("quota", strings.Fields(quotaLine(s.Quota, s.ElapsedS))...)
		u.warningLine(rep)
		u.copied(s.Copy)
	}
	u.cause(rep)
	p("%s", s.Verdict)
}

// warningLine says how much there is to read, and where.
func (u *ui) warningLine(rep *importer.Report) {
	n, kinds := 0, map[string]bool{}
	for _, g := range rep.Findings.Groups() {
		if g.Severity == sources.Warning {
			n += g.N
			kinds[g.Code] = true
		}
	}
	if n > 0 {
		u.entry("warnings", count(n), "of", plural(len(kinds), "kind;", "kinds;"), "dry-run explains them,", "status --findings FILE.csv lists them")
	}
}

// notBegun says that a run ended before it knew what there is to do: its sums say nothing.
func notBegun(rep *importer.Report) bool {
	return rep.Cause != nil && !rep.Totals.Complete
}

func (u *ui) cause(rep *importer.Report) {
	if rep.Cause != nil {
		u.problem(rep.Cause, rep.Cause.Hint)
	}
}

func quotaLine(q importer.QuotaCounts, elapsed float64) string {
	line := fmt.Sprintf("%s units in %s", count(q.Units), human(time.Duration(elapsed*float64(time.Second))))
	if q.Limit > 0 && q.Limit < 1<<30 {
		line += fmt.Sprintf(", %.0f %% of what was permitted at %d a minute", q.Utilization*100, q.Limit)
	}
	if q.Settling > 0 {
		line += fmt.Sprintf(", %s of them to find out about lost answers", count(q.Settling))
	}
	if q.Throttled > 0 {
		line += fmt.Sprintf(", %s calls were answered 429", count(q.Throttled))
	}
	return line
}

const shownOutcomes = 10

// outcomes lists the first of what did not arrive; the whole list is in the JSON and CSV reports.
func (u *ui) outcomes(what string, list []importer.Outcome) {
	for i, o := range list {
		if i == shownOutcomes {
			u.line(u.env.out, "%s: and %s more", what, count(len(list)-i))
			return
		}
		name := o.ID
		if name == "" {
			name = o.Key
		}
		part := ""
		if o.Part > 1 {
			part = fmt.Sprintf(" (part %d)", o.Part)
		}
		u.paragraph(4, fmt.Sprintf("%s: %s%s at %s: %s", what, name, part, o.Place, o.Reason))
	}
}

// symptom is one line of doctor.
func (u *ui) symptom(state, what, text, hint string) {
	if u.json {
		u.object(map[string]string{"message_type": "check", "state": state, "what": what, "text": text, "hint": hint})
		return
	}
	head := pad(state, stateWidth) + pad(what, labelWidth)
	if wide(what) >= labelWidth {
		head += " "
	}
	blank := strings.Repeat(" ", stateWidth+labelWidth)
	writeWrapped(u.env.out, head, blank, strings.Fields(text))
	if hint != "" {
		writeWrapped(u.env.out, blank, blank+"      ", strings.Fields("hint: "+hint))
	}
}

// stateWidth is the room of ok, warn and stop at the left.
const stateWidth = 6

func (u *ui) diagnosis(d *doctor) {
	if u.json {
		u.object(map[string]any{"message_type": "summary", "command": "doctor", "exit_code": d.code, "to_mend": d.stops, "to_look_at": d.warnings})
		return
	}
	look := plural(d.warnings, "thing wants a look", "things want a look")
	switch {
	case d.stops > 0 && d.warnings > 0:
		u.line(u.env.out, "%s the import, and %s", plural(d.stops, "thing stops", "things stop"), look)
	case d.stops > 0:
		u.line(u.env.out, "%s the import", plural(d.stops, "thing stops", "things stop"))
	case d.warnings > 0:
		u.line(u.env.out, "everything is in place, and %s; next: hsimport dry-run -c %s", look, d.c.Path)
	default:
		u.line(u.env.out, "everything is in place; next: hsimport dry-run -c %s", d.c.Path)
	}
}

// stillOff names the workflows that this job has switched off.
func stillOff(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = strconv.Quote(n)
	}
	return listing(len(names), "is switched off", "are switched off", quoted) + "; hsimport doctor --resume-workflows switches them on again"
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
	slices.SortFunc(out, func(a, b named) int { return cmp.Or(cmp.Compare(b.n, a.n), strings.Compare(a.name, b.name)) })
	return out
}

func byCount(m map[string]int) string {
	var parts []string
	for _, r := range sortedCounts(m) {
		parts = append(parts, count(r.n)+" "+r.name)
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// count writes a number with its thousands apart.
func count(n int) string { return sources.Thousands(n) }

// human writes a time span as people say it.
func human(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h %02.0f min", float64(d/time.Hour), (d % time.Hour).Minutes())
	}
	return fmt.Sprintf("%.1f days", d.Hours()/24)
}

func humanBytes(n int64) string {
	const unit = 1000
	if n < unit {
		return sources.Counted(int(n), "byte", "bytes")
	}
	v, i := float64(n)/unit, 0
	for v >= unit && i < 3 {
		v, i = v/unit, i+1
	}
	return fmt.Sprintf("%.1f %s", v, [...]string{"kB", "MB", "GB", "TB"}[i])
}
