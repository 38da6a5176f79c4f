package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"hsimport/importer"
	"hsimport/importer/report"
	"hsimport/mapping"
)

// screenWidth is how wide the screens of numbers are, on a terminal or not: the same words stand in the same places of
// a log, and what a person pastes into a mail keeps its shape.
const screenWidth = 80

// labelWidth is the room of the words at the left of such a screen.
const labelWidth = 15

// dryRun is the validation report on one screen.
func (u *ui) dryRun(rep *importer.Report, job *importer.Job, offline error) {
	u.clearBar()
	if u.json {
		_ = report.JSON(u.env.out, rep) // a reader that is gone cannot be told
		u.cause(rep)
		return
	}
	if rep.Rehearsal != "" {
		u.line(u.env.out, "rehearsal at %s", rep.Rehearsal)
	}
	if offline != nil {
		u.paragraph(0, fmt.Sprintf("offline: %v; the account was not asked", offline))
	}
	if len(rep.Summary.Unchecked) > 0 && !u.quiet {
		u.paragraph(4, "not checked: "+strings.Join(rep.Summary.Unchecked, "; "))
	}
	if !u.quiet {
		u.sourceLines(rep)
	}
	if rep.Cause != nil && !rep.Totals.Complete {
		u.cause(rep)
		return
	}
	if !u.quiet {
		u.planLines(rep)
		u.timeLines(rep, float64(job.Options.Share))
	}
	u.outcomes("refused", rep.Rejected)
	u.unreadable(rep)
	if !u.quiet {
		u.topFindings(rep)
	}
	if rep.Cause != nil {
		u.cause(rep)
		return
	}
	t := rep.Totals
	wanted := t.Tickets - t.ExcludedTickets
	u.line(u.env.out, "%s of %s tickets would arrive, %s refused, %s unreadable; nothing was written",
		count(wanted-t.Refused), count(wanted), count(t.Refused), count(rep.Ledger.Records.Unreadable))
}

// sourceLines say what is in the files, and that nothing of it is unaccounted for.
func (u *ui) sourceLines(rep *importer.Report) {
	s, t := rep.Summary.Source, rep.Totals
	u.entry("source", humanBytes(s.Bytes)+",", plural(s.Tickets, "ticket,", "tickets,"), plural(s.Attachments, "attachment", "attachments"))
	u.entry("records", count(s.Messages+s.Duplicates+s.Excluded+s.Unreadable), "= "+plural(s.Messages, "message", "messages"),
		"+ "+plural(s.Duplicates, "duplicate", "duplicates"), "+ "+count(s.Excluded)+" excluded", "+ "+count(s.Unreadable)+" unreadable")
	for _, list := range []map[string]int{t.ExcludedBy, rep.Ledger.Records.ExcludedBy} {
		for _, r := range sortedCounts(list) {
			u.entry("  excluded", count(r.n)+" by rule:", r.name)
		}
	}
}

// planLines say what would be done, with a sign for each kind, and what would be there then.
func (u *ui) planLines(rep *importer.Report) {
	t, s := rep.Totals, rep.Summary
	fresh := max(t.New, t.Parts-t.Refused-t.Same-t.Changed-t.Doubt)
	u.entry("plan", "+ "+count(fresh)+" new ", "= "+count(t.Same)+" there already ", "~ "+count(t.Changed)+" differ from what was sent ",
		"! "+count(t.Refused)+" refused ", "? "+count(t.Doubt)+" in doubt")
	if t.Follow > 0 {
		u.entry("", plural(t.Follow, "ticket that is there gets further messages", "tickets that are there get further messages"))
	}
	u.followLines(t)
	terms := []string{count(t.Parts-t.Refused) + ":"}
	for _, r := range sortedCounts(t.Statuses) {
		terms = append(terms, count(r.n)+" "+r.name+",")
	}
	terms[len(terms)-1] = strings.TrimRight(terms[len(terms)-1], ",:")
	if t.Split > 0 {
		terms[len(terms)-1] += ";"
		terms = append(terms, plural(t.Split, "ticket becomes several", "tickets become several"))
	}
	u.entry("conversations", terms...)
	u.mailboxLine(rep)
	u.entry("threads", count(t.FromMessages+t.Added), "= "+count(t.FromMessages)+" with messages", "+ "+count(t.Added)+" added by the import")
	u.attachmentLine(s.Attachments)
	u.oldDesk(rep)
	if !t.First.IsZero() {
		u.entry("dates", t.First.UTC().Format(time.DateOnly), "to", t.Last.UTC().Format(time.DateOnly))
	}
}

func (u *ui) attachmentLine(a importer.Attachments) {
	if a.Planned > 0 {
		terms := []string{count(a.Planned), "= " + count(a.Inline) + " with their message", "+ " + count(a.Uploaded) + " uploaded after it", "+ " + count(a.Noted) + " named in a note"}
		if a.Left > 0 {
			terms = append(terms, "+ "+count(a.Left)+" not uploaded")
		}
		u.entry("attachments", terms...)
	}
}

// timeLines say what the plan costs and when it would be done, on each of Help Scout's plans.
func (u *ui) timeLines(rep *importer.Report, share float64) {
	if share <= 0 || share > 1 {
		share = 1
	}
	t := rep.Totals
	left := t.Units
	if t.Same+t.Changed+t.Doubt > 0 { // some of it is done
		left = t.UnitsLeft
		u.entry("cost", count(left)+" units of the API still to be spent,", "of "+count(t.Units))
	} else {
		u.entry("cost", count(left)+" units of the API's quota")
	}
	if left == 0 {
		return
	}
	shares := []float64{share}
	if share != 1 {
		shares = append(shares, 1)
	}
	head := pad("time, end", labelWidth)
	for _, s := range shares {
		text := importer.Percent(s).String() + " of the quota"
		if s == share && len(shares) > 1 {
			text += ", as configured"
		}
		head += pad(text, 33)
	}
	u.line(u.env.out, "%s", strings.TrimRight(head, " "))
	for _, limit := range []int{200, 400, 800} {
		line := pad(fmt.Sprintf("  %d a minute", limit), labelWidth)
		for _, s := range shares {
			d := importer.Duration(left, limit, s)
			line += pad(human(d)+", "+rep.Started.Add(d).Local().Format("Mon 2 Jan 15:04"), 33)
		}
		u.line(u.env.out, "%s", strings.TrimRight(line, " "))
	}
}

// unreadable lists the first of the records that could not be read.
func (u *ui) unreadable(rep *importer.Report) {
	for i, r := range rep.Ledger.Refused {
		if i == shownOutcomes {
			u.line(u.env.out, "unreadable: and %s more", count(len(rep.Ledger.Refused)-i))
			return
		}
		u.paragraph(4, fmt.Sprintf("unreadable: %s: %s", r.Position, r.Reason))
	}
}

// entry writes a label and terms behind it; what does not fit goes below, and a term is broken only where it is wider
// than the screen.
func (u *ui) entry(label string, terms ...string) {
	writeWrapped(u.env.out, pad(label, labelWidth), strings.Repeat(" ", labelWidth), terms)
}

// paragraph writes text; its second and further lines are set in.
func (u *ui) paragraph(indent int, text string) {
	head := text[:len(text)-len(strings.TrimLeft(text, " "))]
	writeWrapped(u.env.out, head, strings.Repeat(" ", indent), strings.Fields(text))
}

// indented writes text with all of its lines set in.
func (u *ui) indented(indent int, text string) {
	blank := strings.Repeat(" ", indent)
	writeWrapped(u.env.out, blank, blank, strings.Fields(text))
}

func writeWrapped(w io.Writer, head, indent string, terms []string) {
	line, empty := head, true
	flush := func() {
		line = strings.Map(readable, line)
		_, _ = fmt.Fprintln(w, strings.TrimRight(line, " ")) // a terminal that is gone cannot be told
		line, empty = indent, true
	}
	for _, term := range terms {
		if !empty && wide(line)+1+wide(strings.TrimRight(term, " ")) > screenWidth {
			flush()
		}
		if !empty {
			line += " "
		}
		if pieces := strings.Fields(term); len(pieces) > 1 && wide(line)+wide(term) > screenWidth {
			writeWrapped(w, line, indent, pieces)
			line, empty = indent, true
			continue
		}
		line, empty = line+term, false
	}
	if !empty {
		flush()
	}
}

// readable drops what would act on a terminal instead of being read.
func readable(r rune) rune {
	if unicode.IsControl(r) {
		return -1
	}
	return r
}

// wide is the room of a text on a terminal.
func wide(s string) (n int) {
	for _, r := range s {
		n += columns(r)
	}
	return n
}

// mailboxLine says how many conversations go to which mailbox, where routes send them to several.
func (u *ui) mailboxLine(rep *importer.Report) {
	counts := map[string]int{}
	for id, m := range rep.Totals.Mailboxes {
		name := fmt.Sprintf("mailbox %d", id)
		for _, mb := range rep.Target.Mailboxes {
			if mb.ID == id {
				name = oneLine(mb.Name)
			}
		}
		counts[name] += m.Parts
	}
	if len(counts) < 2 && rep.Totals.Traits&mapping.RouteTraits == 0 {
		return
	}
	var terms []string
	for _, r := range sortedCounts(counts) {
		terms = append(terms, count(r.n)+" to "+r.name+",")
	}
	terms[len(terms)-1] = strings.TrimRight(terms[len(terms)-1], ",")
	u.entry("", terms...)
}
