package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
)

const goneText = "it is not there any more"

// set makes a workflow what it is to be. Only what the server has answered counts as done; a refusal is noted with its
// reason. Its error ends the command.
func (s *switcher) set(ctx context.Context, ef *checkpoint.Effect, ev pauseEvidence, status string) error {
	for {
		if err := s.granted(ctx); err != nil {
			return err
		}
		keep := context.WithoutCancel(ctx)
		if ef.State == checkpoint.Pending {
			if err := s.store.BeginEffect(keep, ef.ID, s.run, time.Now(), nil); err != nil {
				return err
			}
			ef.State = checkpoint.Sending
		}
		err := s.Client.Patch(s.hard, "/v2/workflows/"+strconv.FormatInt(ev.ID, 10), "replace", "/status", status)
		if err == nil {
			s.out.applied()
			return s.done(keep, ef, ev, status, "")
		}
		again, err := s.notSet(keep, ef, ev, status, err)
		if err != nil || !again {
			return err
		}
		pause, patient := s.out.pause(s.patience())
		if !patient {
			return stopf(ExitLeft, "the same command goes on from here", "workflow %q could not be switched: nothing was answered for %s", ev.Name, s.patience())
		}
		s.tell(Event{Kind: EventWait, Why: "the server does not answer", Until: time.Now().Add(pause), Text: fmt.Sprintf("switching workflow %q; asking again in %s", ev.Name, pause.Round(time.Second))})
		if err := s.sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// granted returns when a write may go out.
func (s *switcher) granted(ctx context.Context) error {
	if err := s.reachable(ctx); err != nil {
		return err
	}
	if err := s.mayWrite(ctx); err != nil {
		return err
	}
	return s.halted(ctx)
}

func (s *switcher) done(ctx context.Context, ef *checkpoint.Effect, ev pauseEvidence, status, why string) error {
	if err := s.store.DoneEffect(ctx, ef.ID, ev.ID, time.Now()); err != nil {
		return err
	}
	s.report(ev, status, true, why)
	return nil
}

func (s *switcher) report(ev pauseEvidence, status string, done bool, why string) {
	if s.each != nil {
		s.each(Switched{"workflow", ev.ID, ev.Name, ev.Mailbox, status, done, why})
	}
}

// notSet sorts a request that was not answered with success; again says that it may be asked once more.
func (s *switcher) notSet(ctx context.Context, ef *checkpoint.Effect, ev pauseEvidence, status string, cause error) (again bool, err error) {
	sending := ef.State == checkpoint.Sending
	gone := helpscout.StatusOf(cause) == 404
	switch kind := helpscout.KindOf(cause); {
	case gone && status == workflowActive:
		return false, s.done(ctx, ef, ev, status, goneText)
	case gone:
		s.report(ev, status, true, goneText)
		return false, s.store.RejectEffect(ctx, ef.ID, 404, goneText, time.Now())
	case kind == helpscout.Rejected:
		s.refused++
		s.report(ev, status, false, cause.Error())
		return false, s.store.RejectEffect(ctx, ef.ID, helpscout.StatusOf(cause), cause.Error(), time.Now())
	case kind == helpscout.Stop && sending:
		return false, errors.Join(authStop(cause), s.store.BackEffect(ctx, ef.ID, cause.Error()))
	case kind == helpscout.Stop:
		return false, authStop(cause)
	case kind == helpscout.Wait && sending:
		ef.State = checkpoint.Pending
		return true, s.store.BackEffect(ctx, ef.ID, cause.Error())
	case kind == helpscout.Wait:
		return true, nil
	}
	s.out.doubt()
	if sending {
		ef.State = checkpoint.InDoubt
		return true, s.store.DoubtEffect(ctx, ef.ID, cause.Error(), time.Now())
	}
	return true, nil
}

// quiet waits until no request of the other direction whose answer was lost can still be applied: it would undo what is
// about to be done.
func (s *switcher) quiet(ctx context.Context, kind string) error {
	all, err := s.store.Effects(ctx, checkpoint.EffectFilter{Kind: kind})
	if err != nil {
		return err
	}
	var last time.Time
	for _, ef := range all {
		if ef.GaveUpAt.IsZero() {
			continue
		}
		for _, at := range []time.Time{ef.GaveUpAt, ef.DoneAt} { // it was asked again until it was done
			if at.After(last) {
				last = at
			}
		}
	}
	d := time.Until(last.Add(watchFactor * s.settleTime()))
	if last.IsZero() || d <= 0 {
		return nil
	}
	s.tell(Event{Kind: EventWait, Why: "a lost answer", Until: time.Now().Add(d), Text: fmt.Sprintf("an earlier switch got no answer and may still be carried out; waiting %s", d.Round(time.Second))})
	return s.sleep(ctx, d)
}

func (s *switcher) resume(ctx context.Context, confirm func(context.Context, *ResumePlan) error) error {
	boxes, account, err := s.account(ctx)
	if err != nil {
		return err
	}
	if err := s.open(ctx, account, false); err != nil {
		if errors.Is(err, checkpoint.ErrMissing) {
			return nil
		}
		return err
	}
	off, err := pausedIn(ctx, s.store)
	if err != nil || len(off) == 0 {
		return err
	}
	plan := &ResumePlan{Origin: s.origin, JobTag: strings.TrimSpace(s.Mapping.JobTag), Workflows: off}
	for i := range boxes {
		if mailboxIs(&boxes[i], s.Mapping.Mailbox) {
			plan.Mailbox = boxes[i].Name
		}
	}
	if err := s.liveConversations(ctx, plan); err != nil {
		return err
	}
	if confirm == nil {
		return stopf(ExitUsage, "--yes confirms it without a terminal", "to switch workflows on again has to be confirmed; nothing was switched")
	}
	if err := confirm(ctx, plan); err != nil {
		return err
	}
	return s.resumeAll(ctx, off)
}

func (s *switcher) resumeAll(ctx context.Context, off []PausedWorkflow) error {
	if _, err := s.store.UnrejectEffects(ctx, kindResume); err != nil {
		return err
	}
	if err := s.quiet(ctx, kindPause); err != nil {
		return err
	}
	for _, w := range off {
		ev := pauseEvidence{ID: w.ID, MailboxID: w.MailboxID, Mailbox: w.Mailbox, Name: w.Name}
		ef, err := s.intent(ctx, kindResume, w.slot, ev)
		if err != nil {
			return err
		}
		if err := s.set(ctx, ef, ev, workflowActive); err != nil {
			return err
		}
	}
	return nil
}

// shownLive are the examples of each status.
const shownLive = 3

// liveConversations asks the account for the imported conversations that are still active or pending, in the mailboxes
// of the workflows. The checkpoint names those that were sent as such; a list page tells of fifty what became of them.
func (s *switcher) liveConversations(ctx context.Context, plan *ResumePlan) error {
	ids, seconds, err := s.sentLive(ctx)
	if errors.Is(err, checkpoint.ErrMissing) {
		plan.Unknown = true
		return nil
	}
	if err != nil {
		return err
	}
	groups := map[string][]LiveConversation{}
	err = lister{s.engine, false}.ask(ctx, seconds, func(c helpscout.Conversation) {
		status := statusNow(&c)
		if !ids[c.ID] || status != "active" && status != "pending" || !plan.concerns(c.MailboxID) {
			return
		}
		delete(ids, c.ID)
		groups[status] = append(groups[status], LiveConversation{c.Number, c.Subject, c.CreatedAt.Time, conversationURL(s.origin, c.ID)})
	})
	if err != nil {
		return err
	}
	for _, status := range []string{"active", "pending"} {
		all := groups[status]
		slices.SortFunc(all, func(a, b LiveConversation) int {
			return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Number, b.Number))
		})
		if len(all) > 0 {
			plan.Live = append(plan.Live, LiveGroup{status, len(all), all[:min(shownLive, len(all))]})
		}
	}
	return nil
}

// concerns reports that one of the workflows is of a mailbox.
func (p *ResumePlan) concerns(mailbox int64) bool {
	return slices.ContainsFunc(p.Workflows, func(w PausedWorkflow) bool { return w.MailboxID == 0 || w.MailboxID == mailbox })
}

// sentLive lists the conversations of the job that were sent as active or pending, and the seconds they begin at.
func (s *switcher) sentLive(ctx context.Context) (ids map[int64]bool, seconds []int64, err error) {
	view, err := checkpoint.View(ctx, s.Checkpoint)
	if err != nil {
		if errors.Is(err, checkpoint.ErrMissing) {
			return nil, nil, err
		}
		return nil, nil, checkpointStop(err)
	}
	defer view.Close()
	if job := view.Job(); job.Origin != s.origin || job.Account != s.store.Job().Account {
		return nil, nil, checkpointStop(&checkpoint.OtherJobError{Path: s.Checkpoint, Member: "account", Have: job.Origin + " " + job.Account, Want: s.origin + " " + s.store.Job().Account})
	}
	ids = map[int64]bool{}
	for row, err := range view.InState(ctx, checkpoint.Created) {
		if err != nil {
			return nil, nil, err
		}
		if row.Live {
			ids[row.ConversationID] = true
			seconds = append(seconds, row.Created)
		}
	}
	slices.Sort(seconds)
	return ids, slices.Compact(seconds), nil
}
