package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hsimport/checkpoint"
	"hsimport/sources"
)

// conclude closes the run: counts from the checkpoint, the balance, the verdict, the exit code, the row of the run.
func (e *engine) conclude(ctx context.Context, err error) {
	ctx = context.WithoutCancel(ctx)
	if errors.Is(err, errInterrupted) && e.throughAllTheSame(ctx) {
		err = nil
	}
	if err == nil && e.store != nil {
		err = e.remaining(ctx)
	}
	e.sum(ctx, err)
}

// throughAllTheSame reports that a run was interrupted when nothing was left to be sent or to be found out. Only the
// second look at the first conversations may be missing: the next run makes up for it.
func (e *engine) throughAllTheSame(ctx context.Context) bool {
	if !e.delivering || e.remaining(ctx) != nil {
		return false
	}
	c, err := e.store.Counts(ctx)
	if err != nil || c.Parts[checkpoint.InDoubt] > 0 {
		return false
	}
	for _, states := range c.Effects {
		if states[checkpoint.InDoubt] > 0 {
			return false
		}
	}
	ws, err := e.watching(ctx)
	return err == nil && len(ws) == 0
}

// sum makes the summary of whatever the command has done, and closes the checkpoint.
func (e *engine) sum(ctx context.Context, err error) {
	if err != nil {
		e.rep.Cause = asStop(err)
	}
	if nerr := e.noteEnd(ctx, e.rep.Cause); nerr != nil && e.rep.Cause == nil {
		e.rep.Cause = asStop(nerr)
	}
	s := &e.rep.Summary
	s.Source = sourceCounts(e.rep)
	e.quotaCounts()
	arrived := 0
	if e.store != nil {
		var cerr error
		if arrived, cerr = e.checkpointCounts(ctx); cerr != nil && e.rep.Cause == nil {
			e.rep.Cause = asStop(cerr)
		}
	} else {
		s.Conversations.Planned = e.rep.Totals.Parts
		s.Conversations.Rejected = e.rep.Totals.Refused
		s.Conversations.Pending = s.Conversations.Planned - s.Conversations.Rejected
	}
	s.Threads.FromMessages, s.Threads.Added = e.rep.Totals.FromMessages, e.rep.Totals.Added
	s.WorkflowsOff = workflowsOff(ctx, e.Checkpoint, e.origin)
	e.finishSummary(arrived)
	if err := e.tellStands(ctx); err != nil && e.rep.Cause == nil {
		e.rep.Cause = asStop(err)
		s.ExitCode = e.rep.Cause.Code
	}
	e.closeStore(ctx)
}

// tellStands says where every conversation stands.
func (e *engine) tellStands(ctx context.Context) error {
	if e.store == nil || e.Stands == nil {
		return nil
	}
	for _, st := range allStates {
		for row, err := range e.store.InState(ctx, st) {
			if err != nil {
				return err
			}
			if err := e.Stands(placeOf(row, e.origin), row.Run == e.run && e.run != 0); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *engine) finishSummary(arrived int) {
	s := &e.rep.Summary
	unbalanced := e.balance()
	s.Balanced = unbalanced == ""
	if !s.Balanced && (e.rep.Cause == nil || precedence(e.rep.Cause.Code) > precedence(ExitUnexpected)) {
		e.rep.Cause = stopf(ExitUnexpected, "this is a defect of hsimport: nothing is lost, but do not trust the counts", "the sums do not close: %s", unbalanced)
	}
	s.ExitCode = e.exitCode()
	if e.rep.Cause != nil {
		s.Cause = e.rep.Cause.Error()
	}
	s.Verdict = e.verdict(arrived)
	s.ElapsedS = time.Since(e.rep.Started).Seconds()
}

// closeStore writes the run's end and closes the checkpoint; what goes wrong with that is the run's trouble too.
func (e *engine) closeStore(ctx context.Context) {
	if e.store == nil {
		return
	}
	if e.run != 0 {
		b, err := json.Marshal(e.rep.Summary)
		if err == nil {
			err = e.store.EndRun(ctx, e.run, e.rep.Summary.ExitCode, b, time.Now())
		}
		if err != nil && e.rep.Cause == nil {
			e.rep.Cause = asStop(err)
			e.rep.Summary.ExitCode = ExitUnexpected
		}
		e.rep.Summary.Copy = e.keepCopy(ctx, e.rep.Summary.ExitCode)
	}
	if err := e.store.Close(); err != nil && e.rep.Cause == nil {
		e.rep.Cause = asStop(err)
		e.rep.Summary.ExitCode = ExitUnexpected
	}
}

// remaining is the reason when work is left although nothing stopped the run.
func (e *engine) remaining(ctx context.Context) error {
	c, err := e.store.Counts(ctx)
	if err != nil {
		return err
	}
	left := c.Parts[checkpoint.Pending] + c.Parts[checkpoint.Sending]
	for _, st := range []checkpoint.State{checkpoint.Pending, checkpoint.Sending} {
		for kind, states := range c.Effects {
			if kind != kindDelete && (kind != kindRelink || e.Options.Relink || e.linking) { // a delete that has not begun was given up
				left += states[st]
			}
		}
	}
	if left == 0 {
		return nil
	}
	why := "some parts could not be sent in this run"
	switch {
	case e.enough():
		why = fmt.Sprintf("--limit %d is reached", e.Options.Limit)
	case e.overTime():
		why = "--max-duration is reached"
	case e.chosen != nil:
		why = "only the chosen tickets were sent"
	case c.Parts[checkpoint.InDoubt] > 0:
		why = "further parts wait for one that is in doubt"
	}
	return stopf(ExitLeft, "the same command goes on from here", "%s, %s left", why, plural(left, "conversation or file is", "conversations and files are"))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return sources.Thousands(n) + " " + many
}

func sourceCounts(r *Report) SourceCounts {
	l := r.Ledger
	return SourceCounts{
		Bytes: l.Bytes(), Tickets: l.Records.Tickets, Messages: l.Records.Messages - r.Totals.Excluded,
		Attachments: max(l.Attachments.Found, r.Totals.Attachments), Duplicates: l.Records.Duplicates,
		Excluded: l.Records.Excluded + r.Totals.Excluded, Unreadable: l.Records.Unreadable,
	}
}

func (e *engine) quotaCounts() {
	if e.Quota == nil {
		return
	}
	st := e.Quota.Stats()
	e.rep.Summary.Quota = QuotaCounts{
		Units: st.Units, Limit: st.Limit, Share: st.Share, Utilization: st.Utilization,
		Throttled: st.Throttled, WaitedS: st.Waited.Seconds(), Settling: e.settling,
	}
}

// checkpointCounts fills the summary from the checkpoint: what it says is what has happened. It returns the number of
// tickets that have arrived whole.
func (e *engine) checkpointCounts(ctx context.Context) (arrived int, err error) {
	c, err := e.store.Counts(ctx)
	if err != nil {
		return 0, err
	}
	mine := c.ByRun[e.run]
	s := &e.rep.Summary.Conversations
	s.Created, s.Recovered, s.Adopted = mine[checkpoint.ByCreate], mine[checkpoint.ByRecovery], mine[checkpoint.ByAdoption]
	s.Already = c.Parts[checkpoint.Created] - s.Created - s.Recovered - s.Adopted
	s.Rejected = c.Parts[checkpoint.Rejected] + e.rep.Totals.Refused
	s.InDoubt = c.Parts[checkpoint.InDoubt] + c.Parts[checkpoint.Sending]
	s.Pending = c.Parts[checkpoint.Pending]
	s.Planned = c.Total() - c.Parts[checkpoint.Deleted] + e.rep.Totals.Refused
	e.rep.Totals.UnitsLeft = int(c.Units[checkpoint.Pending] + c.Units[checkpoint.InDoubt] + c.Units[checkpoint.Sending])
	e.attachmentCounts(c)
	for _, kind := range c.Effects {
		e.doubtfulEffects += kind[checkpoint.InDoubt] + kind[checkpoint.Sending]
		e.rejectedEffects += kind[checkpoint.Rejected]
	}
	e.rep.Summary.Threads.Appended = c.Effects[kindAppend][checkpoint.Created]
	return e.outcomes(ctx)
}

// attachmentCounts counts as uploaded what the server has taken. What was planned and has no row yet is left, unless all
// conversations are there and recover has found some of them with their files.
func (e *engine) attachmentCounts(c checkpoint.Counts) {
	t, a, uploads := e.rep.Totals, &e.rep.Summary.Attachments, c.Effects[kindUpload]
	begun := 0
	for _, n := range uploads {
		begun += n
	}
	all := max(t.Uploads, begun)
	a.Noted = t.Noted + uploads[checkpoint.Rejected]
	a.Uploaded = uploads[checkpoint.Created]
	open := c.Parts[checkpoint.Pending] + c.Parts[checkpoint.Sending] + c.Parts[checkpoint.InDoubt] + c.Parts[checkpoint.Rejected]
	if c.Created[checkpoint.ByAdoption] > 0 && open == 0 {
		a.Uploaded += all - begun
	}
	a.Left = all - uploads[checkpoint.Rejected] - a.Uploaded
	a.Inline = t.Inline + t.Uploads - all
	a.Planned = t.Inline + t.Uploads + t.Noted
}

// outcomes lists what did not arrive and counts the tickets that did.
func (e *engine) outcomes(ctx context.Context) (arrived int, err error) {
	missing := map[string]bool{}
	for _, st := range []checkpoint.State{checkpoint.Rejected, checkpoint.InDoubt, checkpoint.Sending, checkpoint.Pending} {
		for row, err := range e.store.InState(ctx, st) {
			if err != nil {
				return 0, err
			}
			missing[row.Ticket] = true
			o := Outcome{Key: row.Ticket, ID: row.LegacyID, Part: row.Number, Place: row.Place, Reason: row.Reason, Status: row.Status, Candidate: row.Candidate}
			switch st {
			case checkpoint.Rejected:
				e.rep.Rejected = append(e.rep.Rejected, o)
			case checkpoint.InDoubt, checkpoint.Sending: // sending: the disk was full when the answer came
				e.rep.Doubtful = append(e.rep.Doubtful, o)
			}
		}
	}
	return e.wanting() - e.rep.Totals.Refused - len(missing), e.effectOutcomes(ctx)
}

// effectOutcomes lists the files and the later messages that did not arrive, though their conversation did.
func (e *engine) effectOutcomes(ctx context.Context) error {
	for _, st := range []checkpoint.State{checkpoint.Rejected, checkpoint.InDoubt} {
		effects, err := e.store.Effects(ctx, checkpoint.EffectFilter{State: st})
		if err != nil {
			return err
		}
		for _, ef := range effects {
			row, err := e.store.PartByID(ctx, ef.PartID)
			if err != nil {
				return err
			}
			if row == nil {
				continue
			}
			o := Outcome{Key: row.Ticket, ID: row.LegacyID, Part: row.Number, Place: row.Place, Reason: effectName(&ef) + ": " + ef.Reason, Status: ef.Status, Candidate: row.ConversationID}
			if st == checkpoint.Rejected {
				e.rep.Rejected = append(e.rep.Rejected, o)
			} else {
				e.rep.Doubtful = append(e.rep.Doubtful, o)
			}
		}
	}
	return nil
}

// wanting is the number of tickets that are to arrive: those of the source but for the ones a rule leaves out.
func (e *engine) wanting() int { return e.rep.Totals.Tickets - e.rep.Totals.ExcludedTickets }

// balance names the first sum that does not close, or "".
func (e *engine) balance() string {
	if err := e.rep.Ledger.Check(); err != nil {
		return err.Error()
	}
	s := e.rep.Summary
	if got := s.Conversations.Sum(); got != s.Conversations.Planned {
		return fmt.Sprintf("%d conversations planned, %d accounted for", s.Conversations.Planned, got)
	}
	t := e.rep.Totals
	if !t.Complete {
		return "" // the plan was not made to its end; there is nothing to hold the ledger against
	}
	if got, want := t.Messages+t.Excluded, e.rep.Ledger.Records.Messages; got != want {
		return fmt.Sprintf("%d messages planned or excluded, the source has %d", got, want)
	}
	if got, want := t.Tickets, e.rep.Ledger.Records.Tickets; got != want {
		return fmt.Sprintf("%d tickets planned or excluded, the source has %d", got, want)
	}
	if a := s.Attachments; a.Planned != a.Sum() {
		return fmt.Sprintf("%d attachments planned, %d accounted for", a.Planned, a.Sum())
	}
	return ""
}

// Worse is the one of two exit codes that holds when both apply.
func Worse(a, b int) int {
	if precedence(b) < precedence(a) {
		return b
	}
	return a
}

func worst(codes []int) int {
	return slices.MinFunc(codes, func(a, b int) int { return precedence(a) - precedence(b) })
}

// precedence is the place of an exit code in the order of precedence; 0 is the strongest.
func precedence(code int) int {
	for i, c := range []int{ExitUsage, ExitAuth, ExitCheckpoint, ExitDrift, ExitUnexpected, ExitInterrupted, ExitLeft, ExitDoubt, ExitRejected} {
		if c == code {
			return i
		}
	}
	return 99
}

func (e *engine) exitCode() int {
	codes := []int{ExitOK}
	if e.rep.Cause != nil {
		codes = append(codes, e.rep.Cause.Code)
	}
	c := e.rep.Summary.Conversations
	if c.InDoubt > 0 || e.doubtfulEffects > 0 {
		codes = append(codes, ExitDoubt)
	}
	if c.Rejected > 0 || e.rep.Ledger.Records.Unreadable > 0 || e.rejectedEffects > 0 {
		codes = append(codes, ExitRejected)
	}
	return worst(codes)
}

// verdict is the last line of a run.
func (e *engine) verdict(arrived int) string {
	s := e.rep.Summary.Conversations
	var b strings.Builder
	if e.rep.Rehearsal != "" {
		fmt.Fprintf(&b, "rehearsal at %s: ", e.rep.Rehearsal)
	}
	place := "Help Scout"
	if e.rep.Rehearsal != "" {
		place = "the account"
	}
	if e.Trial != nil {
		place = "the inbox " + e.Mapping.Mailbox
		b.WriteString("trial: ")
	}
	if e.rep.Totals.Complete {
		fmt.Fprintf(&b, "%s of %s tickets are in %s", sources.Thousands(arrived), sources.Thousands(e.wanting()), place)
	} else {
		b.WriteString(e.notBegun(place))
	}
	for _, x := range []struct {
		n         int
		one, many string
	}{
		{s.Rejected, "conversation rejected", "conversations rejected"},
		{s.InDoubt, "in doubt", "in doubt"},
		{s.Pending, "still to be sent", "still to be sent"},
		{e.rep.Ledger.Records.Unreadable, "record unreadable", "records unreadable"},
	} {
		switch {
		case x.n == 1:
			fmt.Fprintf(&b, ", 1 %s", x.one)
		case x.n > 1:
			fmt.Fprintf(&b, ", %s %s", sources.Thousands(x.n), x.many)
		}
	}
	if n := max(s.Planned-s.Sum(), s.Sum()-s.Planned); n > 0 || e.rep.Totals.Complete {
		fmt.Fprintf(&b, ", %s unexplained", sources.Thousands(n))
	}
	if off := e.rep.Summary.WorkflowsOff; len(off) > 0 {
		fmt.Fprintf(&b, "; %s still switched off (%s): hsimport doctor --resume-workflows", plural(len(off), "workflow is", "workflows are"), shortList(off))
	}
	return b.String()
}

// notBegun is the verdict of a command that ended before it knew what there is to do: tickets were not counted, but what
// the checkpoint knows of earlier runs still holds.
func (e *engine) notBegun(place string) string {
	text := "nothing was sent"
	if e.rep.Summary.Command == "recover" {
		text = "nothing was looked for"
	}
	if n := e.rep.Summary.Conversations.Already; n > 0 {
		text += "; from earlier runs " + plural(n, "conversation is", "conversations are") + " in " + place
	}
	return text
}

// shortList quotes the first few names.
func shortList(names []string) string {
	const most = 5
	var quoted []string
	for i, n := range names {
		if i == most {
			quoted = append(quoted, fmt.Sprintf("and %d more", len(names)-most))
			break
		}
		quoted = append(quoted, strconv.Quote(n))
	}
	return strings.Join(quoted, ", ")
}
