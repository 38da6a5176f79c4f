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
	"hsimport/sources"
)

// RollingBack says what is to be taken back; all members that are set must hold. The zero value is everything.
type RollingBack struct {
	Only  []string  // tickets, by key or old number
	Part  int       // only this part of split tickets
	Since time.Time // only what was created from this moment on

	// Confirm is asked once, when the plan is made and before anything is deleted. A nil Confirm refuses.
	Confirm func(ctx context.Context, p *RollbackPlan) error
	// Left, if not nil, is handed the customers that came with what was deleted and stay, when all else is done.
	Left func(LeftCustomer) error
}

// RollbackPlan is what a person is shown before anything is deleted. Touched and Gone are as the list shows them; each
// conversation is looked at again right before it is deleted.
type RollbackPlan struct {
	Origin   string
	Delete   int // conversations that this job created and nobody seems to have touched
	Touched  int // stay: people have worked on them
	Gone     int // not there any more
	Adopted  int // stay: this job found them, it did not create them
	InDoubt  int // nobody knows whether they are there
	First    time.Time
	Last     time.Time // when the first and the last of them were sent
	Units    int
	Limit    int
	Share    float64
	Duration time.Duration
}

// RollbackSummary is what scripts rely on.
type RollbackSummary struct {
	MessageType string      `json:"message_type"`
	Command     string      `json:"command"`
	ExitCode    int         `json:"exit_code"`
	Balanced    bool        `json:"balanced"`
	RolledBack  RolledBack  `json:"rolled_back"`
	Quota       QuotaCounts `json:"quota"`
	ElapsedS    float64     `json:"elapsed_s"`
	Cause       string      `json:"cause,omitempty"`
	Copy        string      `json:"checkpoint_copy,omitempty"`
	Verdict     string      `json:"verdict"`
}

// RolledBack counts conversations: Chosen = Deleted + Touched + Merged + Refused + Left.
type RolledBack struct {
	Chosen  int `json:"chosen"`  // created by this job, and asked for
	Deleted int `json:"deleted"` // by this rollback, or gone before
	Touched int `json:"touched"` // stay: people have worked on them
	Merged  int `json:"merged"`  // stay: people have merged them into others
	Refused int `json:"refused"` // stay: the server does not delete them; the next rollback tries again
	Left    int `json:"left"`    // not tried: it ended early
	Adopted int `json:"adopted"` // stay: not created by this job
	InDoubt int `json:"in_doubt"`

	Customers int `json:"customers"` // came with the deleted ones, are used by nothing else, and stay
}

// Stay counts those that were looked at and not deleted.
func (n RolledBack) Stay() int { return n.Touched + n.Merged + n.Refused }

// Kept is a conversation that stays, and why.
type Kept struct {
	MessageType  string `json:"message_type"` // kept
	Key          string `json:"key"`
	ID           string `json:"id,omitempty"`
	Part         int    `json:"part"`
	Conversation int64  `json:"conversation"`
	URL          string `json:"url"`
	Because      string `json:"because"` // touched, merged or refused: the count it is in
	Why          string `json:"why"`
}

// Rollback deletes what this job created and nobody has touched since, the newest first. Right before each delete the
// conversation is read: status, assignee, subject, mailbox and number of threads must be as this job last wrote them.
// What was adopted or merged is never deleted. Each delete has an intent row; the same call goes on after an
// interruption. What is in doubt is settled first. Every conversation that stays is handed to each. Where the server refuses
// one delete after the other, it ends: 4 when the account may not delete, else 5.
//
// It needs no source. A conversation costs three units. The next run creates what was rolled back again, asks for the
// same confirmation as a new job, and reads the first conversations back. Exit codes: 0 nothing of what was chosen is
// left; 3 touched, merged or refused ones stay; 5 it ended early; 6 some are in doubt.
func Rollback(ctx context.Context, job *Job, how RollingBack, each func(Kept)) (*RollbackSummary, *Stop) {
	r := &rollback{engine: bareEngine(job, "rollback"), how: how, each: each}
	r.hard = ctx
	soft := ctx
	if job.Soft != nil {
		soft = job.Soft
	}
	err := r.all(soft)
	return r.conclude(context.WithoutCancel(ctx), err)
}

type rollback struct {
	*engine
	how  RollingBack
	each func(Kept)
	n    RolledBack // guarded by telling
}

// created is a conversation that this job created, in few bytes.
type created struct {
	second, part int64
	at           int64 // when it was done, unix milliseconds
}

func (r *rollback) all(ctx context.Context) error {
	if err := r.openAny(ctx); err != nil {
		return err
	}
	if err := r.settleFirst(ctx); err != nil {
		return err
	}
	list, err := r.list(ctx)
	if err != nil {
		return err
	}
	plan, err := r.plan(ctx, list)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return nil
	}
	if r.how.Confirm == nil {
		return stopf(ExitUsage, "--yes confirms it without a terminal", "a rollback has to be confirmed; nothing was deleted")
	}
	if err := r.how.Confirm(ctx, plan); err != nil {
		return err
	}
	// Whatever is sent from here on is confirmed anew.
	if err := r.store.Set(ctx, factUnconfirmed, "yes"); err != nil {
		return err
	}
	return r.deleteAll(ctx, list)
}

// openAny opens the checkpoint for writing without the source that it is of: the account alone has to be the same.
func (r *rollback) openAny(ctx context.Context) error {
	view, err := viewCheckpoint(ctx, r.Checkpoint)
	if err != nil {
		return err
	}
	r.store = view
	err = r.sameAccount(ctx)
	job := view.Job()
	r.store = nil
	if err = errors.Join(err, view.Close()); err != nil {
		return err
	}
	if r.store, err = checkpoint.Open(ctx, r.Checkpoint, job); err != nil {
		return checkpointStop(err)
	}
	r.store.SetFault(r.Fault)
	if r.Trial != nil {
		if err := r.rightKind(ctx); err != nil {
			return err
		}
	}
	if _, err := r.store.Recover(ctx, time.Now()); err != nil {
		return err
	}
	if err := r.stillThere(ctx); err != nil {
		return err
	}
	r.run, err = r.store.BeginRun(ctx, checkpoint.Run{Command: "rollback", ToolVersion: r.Version, StartedAt: r.rep.Started})
	return err
}

// settleFirst finds out what became of lost answers: what is not known to be there cannot be deleted.
func (r *rollback) settleFirst(ctx context.Context) error {
	v, ok, err := r.store.Get(ctx, factNumber)
	if err != nil {
		return err
	}
	if ok {
		r.number, _ = strconv.ParseInt(v, 10, 64)
	}
	r.jobStart = r.store.Job().CreatedAt
	if _, err = r.settle(ctx); err != nil {
		return err
	}
	c, err := r.store.Counts(ctx)
	r.n.InDoubt = c.Parts[checkpoint.InDoubt] + c.Parts[checkpoint.Sending]
	return err
}

// list gathers what is to be deleted, the newest first.
func (r *rollback) list(ctx context.Context) (out []created, err error) {
	only := byName(r.how.Only)
	for row, err := range r.store.InState(ctx, checkpoint.Created) {
		if err != nil {
			return nil, err
		}
		if !only.has(row) || r.how.Part > 0 && row.Number != r.how.Part || row.DoneAt.Before(r.how.Since) {
			continue
		}
		if row.How == checkpoint.ByAdoption {
			r.n.Adopted++
			continue
		}
		out = append(out, created{row.Created, row.ID, row.DoneAt.UnixMilli()})
	}
	if err := only.all("nothing that this job has sent"); err != nil {
		return nil, err
	}
	r.n.Chosen = len(out)
	slices.SortFunc(out, func(a, b created) int { return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(b.part, a.part)) })
	return out, nil
}

// plan looks at the heads of all of them, by list pages.
func (r *rollback) plan(ctx context.Context, list []created) (*RollbackPlan, error) {
	r.tell(Event{Kind: EventPhase, Text: "looking at " + plural(len(list), "conversation", "conversations")})
	p := &RollbackPlan{Origin: r.origin, Adopted: r.n.Adopted, InDoubt: r.n.InDoubt}
	if len(list) > 0 {
		p.First, p.Last = time.UnixMilli(list[len(list)-1].at).UTC(), time.UnixMilli(list[0].at).UTC()
	}
	byTime := slices.Clone(list)
	slices.SortFunc(byTime, func(a, b created) int { return cmp.Compare(a.second, b.second) })
	for some := range slices.Chunk(byTime, batch) {
		if err := r.planSome(ctx, some, p); err != nil {
			return nil, err
		}
	}
	st := r.Quota.Stats()
	p.Units, p.Limit, p.Share = 3*p.Delete+p.Touched+p.Gone, st.Limit, st.Share
	p.Duration = Duration(p.Units, p.Limit, p.Share)
	return p, nil
}

func (r *rollback) planSome(ctx context.Context, some []created, p *RollbackPlan) error {
	var seconds []int64
	for _, s := range some {
		seconds = append(seconds, s.second)
	}
	held := map[int64]helpscout.Conversation{}
	err := lister{r.engine, false}.ask(ctx, slices.Compact(seconds), func(c helpscout.Conversation) { held[c.ID] = c })
	if err != nil {
		return err
	}
	for _, s := range some {
		row, err := r.store.PartByID(ctx, s.part)
		if err != nil {
			return err
		}
		c, ok := held[row.ConversationID]
		appended, err := r.store.Effects(ctx, checkpoint.EffectFilter{PartID: s.part, Kind: kindAppend, State: checkpoint.Created})
		switch {
		case err != nil:
			return err
		case !ok:
			p.Gone++
		case touched(row, &c, len(appended)) != "":
			p.Touched++
		default:
			p.Delete++
		}
	}
	return nil
}

// deleteAll deletes one after the other, as many at a time as the quota lets through.
func (r *rollback) deleteAll(ctx context.Context, list []created) error {
	r.tell(Event{Kind: EventPhase, Text: fmt.Sprintf("deleting %s, the newest first", plural(len(list), "conversation", "conversations"))})
	r.todo = len(list)
	p := newPool(r.workers)
	for _, c := range list {
		if r.halted(ctx) != nil {
			break
		}
		p.run(func() {
			if err := r.deleteOne(ctx, c.part); err != nil {
				r.stop.set(asStop(err))
			}
		})
	}
	_ = p.g.Wait() // its functions return no error
	if err := r.halted(ctx); err != nil {
		return err
	}
	if err := r.startAfresh(ctx); err != nil {
		return err
	}
	return r.leftCustomers(ctx)
}

func (r *rollback) deleteOne(ctx context.Context, part int64) error {
	row, err := r.store.PartByID(ctx, part)
	if err != nil || row == nil || row.State != checkpoint.Created {
		return err
	}
	_, kept, err := r.tryDelete(ctx, row)
	if kept.stays() {
		return errors.Join(r.keep(ctx, row, kept), err)
	}
	if err != nil {
		return err
	}
	if err := r.store.MarkDeleted(context.WithoutCancel(ctx), row.ID, time.Now()); err != nil {
		return err
	}
	r.counted(func(*Conversations) { r.n.Deleted++ })
	r.finished(row.Ticket, row.ConversationID)
	return nil
}

// keep counts a conversation that stays, by what is true of it.
func (r *rollback) keep(ctx context.Context, row *checkpoint.Part, kept stay) error {
	r.counted(func(*Conversations) {
		switch kept.because {
		case KeptMerged:
			r.n.Merged++
		case KeptRefused:
			r.n.Refused++
		default:
			r.n.Touched++
		}
		if r.each != nil {
			r.each(Kept{"kept", row.Ticket, row.LegacyID, row.Number, row.ConversationID, conversationURL(r.origin, row.ConversationID), kept.because, kept.why})
		}
	})
	r.finished(row.Ticket, row.ConversationID)
	if kept.noted {
		return nil
	}
	return r.answer(ctx, row, "kept", kept.status, kept.why, "")
}

// startAfresh lets the canary sing again where nothing of the job is left: whatever made a person take it all back, the
// next run shows it on a handful.
func (r *rollback) startAfresh(ctx context.Context) error {
	c, err := r.store.Counts(ctx)
	if err != nil || c.Parts[checkpoint.Created] > 0 {
		return err
	}
	for _, fact := range []string{canaryCreate, canaryAgain, canaryOf(kindUpload), canaryOf(kindAppend), canaryOf(kindStatus)} {
		if err := r.store.Set(ctx, fact, ""); err != nil {
			return err
		}
	}
	return nil
}

// reopenRolledBack makes what was rolled back pending again, for the run that begins; it reports whether there was
// anything.
func (e *engine) reopenRolledBack(ctx context.Context) (bool, error) {
	c, err := e.store.Counts(ctx)
	if err != nil || c.Parts[checkpoint.Deleted] == 0 {
		return false, err
	}
	n, err := e.store.Reopen(ctx, nil)
	if err == nil {
		e.tell(Event{Kind: EventPhase, Text: plural(n, "conversation was rolled back: it is sent again", "conversations were rolled back: they are sent again")})
	}
	return n > 0, err
}

func (r *rollback) conclude(ctx context.Context, err error) (*RollbackSummary, *Stop) {
	var cause *Stop
	if err != nil {
		cause = asStop(err)
	}
	r.n.Left = r.n.Chosen - r.n.Deleted - r.n.Stay()
	r.quotaCounts()
	s := &RollbackSummary{
		MessageType: "summary", Command: "rollback", Balanced: r.n.Left >= 0, RolledBack: r.n, Quota: r.rep.Summary.Quota,
		ElapsedS: time.Since(r.rep.Started).Seconds(), Verdict: r.verdict(), ExitCode: r.code(cause),
	}
	if cause != nil {
		s.Cause = cause.Error()
	}
	if r.store == nil {
		return s, cause
	}
	if r.run != 0 {
		err = r.noteEnd(ctx, cause)
		b, merr := json.Marshal(s)
		err = errors.Join(err, merr, r.store.EndRun(ctx, r.run, s.ExitCode, b, time.Now()))
		s.Copy = r.keepCopy(ctx, s.ExitCode)
	} else {
		err = nil
	}
	if err = errors.Join(err, r.store.Close()); err != nil && cause == nil {
		cause = asStop(err)
		s.ExitCode, s.Cause = cause.Code, cause.Error()
	}
	return s, cause
}

func (r *rollback) code(cause *Stop) int {
	codes := []int{ExitOK}
	if cause != nil {
		codes = append(codes, cause.Code)
	}
	if r.n.Left > 0 {
		codes = append(codes, ExitLeft)
	}
	if r.n.InDoubt > 0 {
		codes = append(codes, ExitDoubt)
	}
	if r.n.Stay() > 0 {
		codes = append(codes, ExitRejected)
	}
	return worst(codes)
}

// verdict is the last line of rollback.
func (r *rollback) verdict() string {
	var b strings.Builder
	if r.rep.Rehearsal != "" {
		fmt.Fprintf(&b, "rehearsal at %s: ", r.rep.Rehearsal)
	}
	fmt.Fprintf(&b, "%s of %s conversations are deleted", sources.Thousands(r.n.Deleted), sources.Thousands(r.n.Chosen))
	for _, x := range []struct {
		n    int
		what string
	}{
		{r.n.Touched, "stay because people have touched them"},
		{r.n.Merged, "stay because people have merged them"},
		{r.n.Refused, "stay because Help Scout does not delete them"},
		{r.n.Left, "not deleted yet"},
		{r.n.Adopted, "stay because this job did not create them"},
		{r.n.InDoubt, "in doubt"},
	} {
		if x.n > 0 {
			fmt.Fprintf(&b, ", %s %s", sources.Thousands(x.n), x.what)
		}
	}
	if r.n.Customers > 0 {
		fmt.Fprintf(&b, "; %s", plural(r.n.Customers, "customer that came with them stays", "customers that came with them stay"))
	}
	return b.String()
}
