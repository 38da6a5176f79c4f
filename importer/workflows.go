package importer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
)

// Workflows may act on what is imported; "pending for 3 days: write to the customer" is one of them. They can be
// switched off for the time of an import. Which ones those were is kept beside the checkpoint, in a file of the same
// make (pausedPath): it has to be there before the first run, when there is no checkpoint yet, and while a run holds the
// checkpoint's lock. Nothing but ResumeWorkflows switches them on again.
//
// Each switch is an effect of that file: kindPause or kindResume, its slot the workflow's id and the number of times it
// was switched off before. A request says what the status shall be, not what shall change, so one whose answer was lost
// is asked again until it is answered.
const (
	kindPause  = "workflow-pause"
	kindResume = "workflow-resume"
)

// Statuses of workflows. https://developer.helpscout.com/mailbox-api/endpoints/workflows/list
const (
	workflowActive   = "active"
	workflowInactive = "inactive"
)

// pausedPath is where the workflows that are switched off are kept.
func pausedPath(path string) string { return path + ".paused" }

// A PausedWorkflow is one that PauseWorkflows has switched off and that was not switched on again.
type PausedWorkflow struct {
	ID        int64     `json:"id"`
	MailboxID int64     `json:"mailbox_id"`
	Mailbox   string    `json:"mailbox"`
	Name      string    `json:"name"`
	Since     time.Time `json:"since"`    // when the request went out
	InDoubt   bool      `json:"in_doubt"` // its answer was lost, or it was never sent again after a crash
	slot      string
	gaveUp    time.Time
}

// Switched is what became of one workflow.
type Switched struct {
	MessageType string `json:"message_type"` // workflow
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Mailbox     string `json:"mailbox"`
	Status      string `json:"status"` // what it was to be: active or inactive
	Done        bool   `json:"done"`
	Why         string `json:"why,omitempty"` // why it was not switched, or need not be
}

// pauseEvidence is kept with the intent, so that the file alone can name what is off.
type pauseEvidence struct {
	ID        int64  `json:"id"`
	MailboxID int64  `json:"m"`
	Mailbox   string `json:"b"`
	Name      string `json:"n"`
}

// PausedWorkflows reads, from the file beside the checkpoint at path alone, which workflows are switched off, by id.
// Without such a file there are none.
func PausedWorkflows(ctx context.Context, path string) ([]PausedWorkflow, error) {
	store, err := checkpoint.View(ctx, pausedPath(path))
	if errors.Is(err, checkpoint.ErrMissing) {
		return nil, nil
	}
	if err != nil {
		return nil, checkpointStop(err)
	}
	defer store.Close()
	return pausedIn(ctx, store)
}

// workflowsOff names what is switched off at an origin, for reports; a file that cannot be read is no reason to fail.
func workflowsOff(ctx context.Context, path, origin string) (names []string) {
	if path == "" {
		return nil
	}
	store, err := checkpoint.View(ctx, pausedPath(path))
	if err != nil {
		return nil
	}
	defer store.Close()
	if origin != "" && store.Job().Origin != origin {
		return nil
	}
	off, err := pausedIn(ctx, store)
	if err != nil {
		return nil
	}
	for _, w := range off {
		names = append(names, w.Name)
	}
	return names
}

func pausedIn(ctx context.Context, store *checkpoint.Store) (out []PausedWorkflow, err error) {
	resumed, err := store.Effects(ctx, checkpoint.EffectFilter{Kind: kindResume, State: checkpoint.Created})
	if err != nil {
		return nil, err
	}
	on := map[string]bool{}
	for _, ef := range resumed {
		on[ef.Slot] = true
	}
	paused, err := store.Effects(ctx, checkpoint.EffectFilter{Kind: kindPause})
	if err != nil {
		return nil, err
	}
	for _, ef := range paused {
		if on[ef.Slot] || ef.State == checkpoint.Pending || ef.State == checkpoint.Rejected {
			continue
		}
		var ev pauseEvidence
		if err := json.Unmarshal(ef.Evidence, &ev); err != nil {
			return nil, fmt.Errorf("evidence of workflow %s in %s: %w", ef.Slot, store.Path(), err)
		}
		out = append(out, PausedWorkflow{
			ID: ev.ID, MailboxID: ev.MailboxID, Mailbox: ev.Mailbox, Name: ev.Name, Since: ef.SentAt.UTC(),
			InDoubt: ef.State != checkpoint.Created, slot: ef.Slot, gaveUp: ef.GaveUpAt,
		})
	}
	slices.SortFunc(out, func(a, b PausedWorkflow) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// PauseWorkflows switches off the active automatic workflows of the job's mailbox, and remembers which. What became of
// each is handed to each. Called again it finishes what was interrupted, and switches off what has become active since.
func PauseWorkflows(ctx context.Context, job *Job, each func(Switched)) *Stop {
	s := newSwitcher(ctx, job, each)
	return s.close(s.pause(s.soft))
}

// ResumePlan is what a person is shown before workflows are switched on again.
type ResumePlan struct {
	Origin    string
	Mailbox   string // of the job
	JobTag    string // a condition "tag is not ..." keeps a workflow away from what was imported; empty: there is none
	Workflows []PausedWorkflow
	Live      []LiveGroup // imported conversations of their mailboxes that are active or pending now
	Unknown   bool        // there is no checkpoint that could tell what was imported
}

// LiveGroup counts imported conversations of one status, with the oldest of them.
type LiveGroup struct {
	Status   string
	N        int
	Examples []LiveConversation
}

// LiveConversation is an imported conversation on which a workflow may act.
type LiveConversation struct {
	Number  int64
	Subject string
	Created time.Time
	URL     string
}

// ResumeWorkflows switches on again what PauseWorkflows has switched off, and nothing else. confirm is shown what they
// may act on, and asked once; its error ends it before anything is switched. A nil confirm refuses.
func ResumeWorkflows(ctx context.Context, job *Job, confirm func(context.Context, *ResumePlan) error, each func(Switched)) *Stop {
	s := newSwitcher(ctx, job, each)
	return s.close(s.resume(s.soft, confirm))
}

// acts reports that a workflow acts by itself.
func acts(w helpscout.Workflow) bool {
	return strings.EqualFold(w.Status, workflowActive) && !strings.EqualFold(w.Type, "manual")
}

// inboxes are the ids of the mailboxes that a job writes to.
func inboxes(names []string, all []helpscout.Mailbox) (ids []int64) {
	for i := range all {
		if slices.ContainsFunc(names, func(want string) bool { return mailboxIs(&all[i], want) }) {
			ids = append(ids, all[i].ID)
		}
	}
	return ids
}

// switcher switches workflows. Its store is the file of what is switched off.
type switcher struct {
	*engine
	soft    context.Context
	each    func(Switched)
	refused int
}

func newSwitcher(ctx context.Context, job *Job, each func(Switched)) *switcher {
	s := &switcher{engine: bareEngine(job, "doctor"), soft: ctx, each: each}
	s.hard = ctx
	if job.Soft != nil {
		s.soft = job.Soft
	}
	return s
}

func (s *switcher) close(err error) *Stop {
	if err == nil && s.refused > 0 {
		err = stopf(ExitRejected, "switch it by hand in Help Scout, or ask an administrator", "%s not be switched", plural(s.refused, "workflow could", "workflows could"))
	}
	if s.store != nil {
		if s.run != 0 {
			code := ExitOK
			if err != nil {
				code = asStop(err).Code
			}
			err = errors.Join(err, s.store.EndRun(context.WithoutCancel(s.hard), s.run, code, nil, time.Now()))
		}
		err = errors.Join(err, s.store.Close())
	}
	if err == nil {
		return nil
	}
	return asStop(err)
}

// account reads what is needed of the account: the mailboxes, and who it is.
func (s *switcher) account(ctx context.Context) (boxes []helpscout.Mailbox, id string, err error) {
	if boxes, err = read(ctx, s.engine, func() ([]helpscout.Mailbox, error) { return s.Client.Mailboxes(ctx) }); err != nil {
		return nil, "", preflightStop(err)
	}
	users, err := read(ctx, s.engine, func() ([]helpscout.User, error) { return s.Client.Users(ctx) })
	if err != nil {
		return nil, "", preflightStop(err)
	}
	return boxes, identity(users), nil
}

// open opens the file of what is switched off; where it may be made, it is.
func (s *switcher) open(ctx context.Context, account string, create bool) error {
	path := pausedPath(s.Checkpoint)
	job := checkpoint.Job{Origin: s.origin, Account: account, SourceKind: "workflows", KeyRule: "workflow/v1", ToolVersion: s.Version, CreatedAt: s.rep.Started}
	store, err := checkpoint.Open(ctx, path, job)
	if errors.Is(err, checkpoint.ErrMissing) && create {
		store, err = checkpoint.Create(ctx, path, job)
	}
	if err != nil {
		if errors.Is(err, checkpoint.ErrMissing) {
			return err
		}
		return checkpointStop(err)
	}
	s.store = store
	store.SetFault(s.Fault)
	if _, err := store.Recover(ctx, time.Now()); err != nil {
		return err
	}
	s.run, err = store.BeginRun(ctx, checkpoint.Run{Command: "doctor", ToolVersion: s.Version, StartedAt: s.rep.Started})
	return err
}

func (s *switcher) pause(ctx context.Context) error {
	boxes, account, err := s.account(ctx)
	if err != nil {
		return err
	}
	mine := inboxes(s.Mapping.MailboxNames(), boxes)
	if len(mine) == 0 {
		return stopf(ExitUsage, "hsimport doctor shows what the account has", "the account has no mailbox %q", s.Mapping.Mailbox)
	}
	err = s.open(ctx, account, false)
	if err == nil {
		err = s.quiet(ctx, kindResume) // before it is asked what is on
	}
	if err != nil && !errors.Is(err, checkpoint.ErrMissing) {
		return err
	}
	flows, err := s.workflows(ctx)
	if err != nil {
		return err
	}
	todo := slices.DeleteFunc(flows, func(w helpscout.Workflow) bool {
		return !acts(w) || w.MailboxID != 0 && !slices.Contains(mine, w.MailboxID)
	})
	if s.store == nil && len(todo) > 0 {
		err = s.open(ctx, account, true)
	}
	if err != nil || s.store == nil {
		return err
	}
	if err := s.pauseAll(ctx, todo, boxes); err != nil {
		return err
	}
	return s.readBackOff(ctx, todo, boxes)
}

// readBackOff looks whether they are off.
func (s *switcher) readBackOff(ctx context.Context, todo []helpscout.Workflow, boxes []helpscout.Mailbox) error {
	flows, err := s.workflows(ctx)
	if err != nil {
		return err
	}
	off, err := pausedIn(ctx, s.store)
	if err != nil {
		return err
	}
	for _, w := range flows {
		mine := slices.ContainsFunc(off, func(p PausedWorkflow) bool { return p.ID == w.ID })
		if mine && acts(w) && slices.ContainsFunc(todo, func(t helpscout.Workflow) bool { return t.ID == w.ID }) {
			s.refused++
			s.report(pauseEvidence{ID: w.ID, Mailbox: mailboxName(boxes, w.MailboxID), Name: w.Name}, workflowInactive, false,
				"the server has taken the switch, but still shows it as active")
		}
	}
	return nil
}

// workflows reads all of them; here, unlike before a run, not to know them is an error.
func (s *switcher) workflows(ctx context.Context) ([]helpscout.Workflow, error) {
	flows, err := read(ctx, s.engine, func() ([]helpscout.Workflow, error) { return s.Client.Workflows(ctx) })
	if err != nil {
		return nil, preflightStop(err)
	}
	return flows, nil
}

func (s *switcher) pauseAll(ctx context.Context, todo []helpscout.Workflow, boxes []helpscout.Mailbox) error {
	for _, kind := range []string{kindPause, kindResume} { // what was refused may be allowed by now
		if _, err := s.store.UnrejectEffects(ctx, kind); err != nil {
			return err
		}
	}
	for _, w := range todo {
		ev := pauseEvidence{ID: w.ID, MailboxID: w.MailboxID, Mailbox: mailboxName(boxes, w.MailboxID), Name: w.Name}
		ef, err := s.pauseIntent(ctx, ev)
		if err != nil {
			return err
		}
		if err := s.set(ctx, ef, ev, workflowInactive); err != nil {
			return err
		}
	}
	return s.finishDoubts(ctx, todo)
}

// finishDoubts asks again for what an earlier call left in doubt and what the account shows as inactive by now.
func (s *switcher) finishDoubts(ctx context.Context, done []helpscout.Workflow) error {
	left, err := s.store.Effects(ctx, checkpoint.EffectFilter{Kind: kindPause, State: checkpoint.InDoubt})
	if err != nil {
		return err
	}
	for i := range left {
		var ev pauseEvidence
		if err := json.Unmarshal(left[i].Evidence, &ev); err != nil {
			return fmt.Errorf("evidence of workflow %s: %w", left[i].Slot, err)
		}
		if slices.ContainsFunc(done, func(w helpscout.Workflow) bool { return w.ID == ev.ID }) {
			continue // a newer intent has taken its place
		}
		if resumed, err := s.resumed(ctx, left[i].Slot); err != nil || resumed {
			if err != nil {
				return err
			}
			continue
		}
		if err := s.set(ctx, &left[i], ev, workflowInactive); err != nil {
			return err
		}
	}
	return nil
}

func mailboxName(boxes []helpscout.Mailbox, id int64) string {
	for i := range boxes {
		if boxes[i].ID == id {
			return boxes[i].Name
		}
	}
	return strconv.FormatInt(id, 10)
}

// pauseIntent is the effect that switches off a workflow that is on: one that is not done yet, or a new one.
func (s *switcher) pauseIntent(ctx context.Context, ev pauseEvidence) (*checkpoint.Effect, error) {
	all, err := s.store.Effects(ctx, checkpoint.EffectFilter{Kind: kindPause})
	if err != nil {
		return nil, err
	}
	prefix := strconv.FormatInt(ev.ID, 10) + "."
	n := 0
	for i := range all {
		if !strings.HasPrefix(all[i].Slot, prefix) {
			continue
		}
		n++
		resumed, err := s.resumed(ctx, all[i].Slot)
		switch {
		case err != nil:
			return nil, err
		case resumed:
		case all[i].State != checkpoint.Created:
			return &all[i], nil
		default: // it was switched on: by somebody, or by a call of ours whose answer was lost
			if err := s.isOn(ctx, all[i].Slot, ev); err != nil {
				return nil, err
			}
		}
	}
	return s.intent(ctx, kindPause, fmt.Sprintf("%s%d", prefix, n), ev)
}

// isOn notes that a workflow of ours was found switched on.
func (s *switcher) isOn(ctx context.Context, slot string, ev pauseEvidence) error {
	ef, err := s.intent(ctx, kindResume, slot, ev)
	if err != nil {
		return err
	}
	if ef.State == checkpoint.Pending {
		if err := s.store.BeginEffect(ctx, ef.ID, s.run, time.Now(), nil); err != nil {
			return err
		}
	}
	return s.store.DoneEffect(ctx, ef.ID, ev.ID, time.Now())
}

func (s *switcher) resumed(ctx context.Context, slot string) (bool, error) {
	all, err := s.store.Effects(ctx, checkpoint.EffectFilter{Kind: kindResume, State: checkpoint.Created})
	return slices.ContainsFunc(all, func(ef checkpoint.Effect) bool { return ef.Slot == slot }), err
}

// intent writes an effect down, or finds the one of an earlier call.
func (s *switcher) intent(ctx context.Context, kind, slot string, ev pauseEvidence) (*checkpoint.Effect, error) {
	evidence, err := json.Marshal(ev)
	if err != nil {
		return nil, err
	}
	if err := s.store.AddEffects(ctx, []checkpoint.Effect{{Kind: kind, Slot: slot, State: checkpoint.Pending, Evidence: evidence}}); err != nil {
		return nil, err
	}
	all, err := s.store.Effects(ctx, checkpoint.EffectFilter{Kind: kind})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(ef checkpoint.Effect) bool { return ef.Slot == slot })
	if i < 0 {
		return nil, fmt.Errorf("the intent to switch workflow %s is not in %s", slot, s.store.Path())
	}
	return &all[i], nil
}
