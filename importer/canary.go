package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// The canary: the first few conversations carry everything the job uses and are read back before the rest goes out; the
// first upload and the first appended thread are read back too. Each kind has its state in the checkpoint; until it has
// passed, a run's first act is to read back what is there.
const (
	canaryCreate = "canary:create"
	canaryAgain  = "canary:again" // what is looked at once more, and from when on
	canaryPassed = "passed"
	canaryParts  = 3 // of one ticket: more of the same kind show nothing more
)

func canaryOf(kind string) string { return "canary:" + kind }

// canary is what a run knows of it.
type canary struct {
	parts  []int64         // read back in this run
	turn   turn            // held by the first effect of a kind, from its intent until it has been read back
	passed map[string]bool // kinds of effects; guarded by turn
}

// lookAgain is kept in the checkpoint from the moment the first conversations have passed until they were looked at
// once more.
type lookAgain struct {
	Parts []int64 `json:"parts"`
	At    int64   `json:"at"` // unix milliseconds
}

// sing sends the handful and reads it back; an error of code 5 says what differs. It does nothing once it has passed.
func (e *engine) sing(ctx context.Context) error {
	for _, kind := range []string{kindUpload, kindAppend, kindStatus} {
		if err := e.readBackKind(ctx, kind); err != nil {
			return err
		}
	}
	state, _, err := e.store.Get(ctx, canaryCreate)
	if err != nil || state == canaryPassed {
		return err
	}
	for !e.enough() && !e.overTime() {
		if err := e.readBackCreated(ctx); err != nil {
			return err
		}
		if len(e.canary.parts) > 0 {
			return e.passCreate(ctx)
		}
		picked, err := e.pickCanary(ctx)
		if err != nil || len(picked) == 0 {
			return err
		}
		if err := e.sendCanary(ctx, picked); err != nil {
			return err
		}
	}
	return e.readBackCreated(ctx)
}

// sendCanary sends the picked tickets. What was rejected or left in doubt shows nothing: what is in doubt is settled at
// once, and the next handful is picked until one conversation has been created.
func (e *engine) sendCanary(ctx context.Context, picked []*group) error {
	e.tell(Event{Kind: EventPhase, Text: fmt.Sprintf("sending %s first, to be read back", plural(len(picked), "conversation", "conversations"))})
	p := newPool(e.workers)
	for _, g := range picked {
		if e.halted(ctx) != nil || e.enough() || e.overTime() {
			break
		}
		e.dispatch(ctx, p, g)
	}
	_ = p.g.Wait() // its functions return no error
	if err := e.halted(ctx); err != nil {
		return err
	}
	c, err := e.store.Counts(ctx)
	if err != nil || c.Parts[checkpoint.Created] > 0 {
		return err
	}
	_, err = e.settle(ctx)
	return err
}

// passCreate notes that the handful has passed, and that it is to be looked at once more.
func (e *engine) passCreate(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	b, err := json.Marshal(lookAgain{Parts: e.canary.parts, At: time.Now().UnixMilli()})
	if err != nil {
		return err
	}
	if err := e.store.Set(ctx, canaryAgain, string(b)); err != nil {
		return err
	}
	e.again = nil
	return e.store.Set(ctx, canaryCreate, canaryPassed)
}

// pickCanary chooses tickets that together carry everything the job uses, in send order.
func (e *engine) pickCanary(ctx context.Context) ([]*group, error) {
	var pick canaryPick
	for row, err := range e.store.InState(ctx, checkpoint.Pending) {
		if err != nil {
			return nil, err
		}
		if e.chosen == nil || e.chosen[row.Ticket] {
			pick.look(row)
		}
	}
	var out []*group
	for _, ticket := range pick.picks {
		rows, err := e.store.PartsOf(ctx, ticket)
		if err != nil {
			return nil, err
		}
		g := &group{ticket: ticket}
		for _, r := range rows {
			if r.State == checkpoint.Pending && len(g.parts) < canaryParts {
				g.parts = append(g.parts, r)
			}
		}
		out = append(out, g)
	}
	return out, nil
}

// readBackCreated compares every created part that was not looked at yet with what was sent.
func (e *engine) readBackCreated(ctx context.Context) error {
	var rows []*checkpoint.Part
	for row, err := range e.store.InState(ctx, checkpoint.Created) {
		if err != nil {
			return err
		}
		if !slices.Contains(e.canary.parts, row.ID) && row.How != checkpoint.ByAdoption { // adopted: sent by another job
			rows = append(rows, row)
		}
		if len(rows) == 4*maxCanary {
			break
		}
	}
	var g errgroup.Group
	g.SetLimit(maxCanary)
	for _, row := range rows {
		g.Go(func() error { return e.readBack(ctx, row) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, row := range rows {
		e.canary.parts = append(e.canary.parts, row.ID)
	}
	return nil
}

func (e *engine) readBack(ctx context.Context, row *checkpoint.Part) error {
	c, threads, err := e.fetch(ctx, row.ConversationID)
	if err != nil {
		if helpscout.KindOf(err) != helpscout.Rejected {
			return err
		}
		return canaryStop(row, []string{fmt.Sprintf("it cannot be read back (%v)", err)})
	}
	ev, ok := decodeEvidence(row.Evidence)
	if !ok {
		return nil // adopted: nothing of ours to compare with
	}
	fatal, other := differences(ev, c, threads)
	for _, d := range other {
		e.rep.Findings.Add(mapping.Finding{
			Severity: sources.Warning, Code: "read-back-differs", Key: sources.Key(row.Ticket),
			Text: fmt.Sprintf("conversation %d: %s", row.ConversationID, d),
		})
	}
	if len(fatal) > 0 {
		return canaryStop(row, fatal)
	}
	return nil
}

func canaryStop(row *checkpoint.Part, what []string) *Stop {
	return stopf(ExitLeft, "only a handful was written; look at it in Help Scout before anything else is sent",
		"the first conversations do not read back as they were sent: ticket %s, conversation %d: %s", row.Ticket, row.ConversationID, strings.Join(what, "; "))
}

func (e *engine) fetch(ctx context.Context, id int64) (*helpscout.Conversation, []helpscout.Thread, error) {
	c, err := read(ctx, e, func() (*helpscout.Conversation, error) { return e.Client.Conversation(ctx, id, false) })
	if err != nil {
		return nil, nil, err
	}
	ts, err := read(ctx, e, func() ([]helpscout.Thread, error) { return e.Client.Threads(ctx, id) })
	return c, ts, err
}

// differences compares a conversation with what was sent. Fatal ones mean that the server does not do what an import
// needs; the others are findings.
func differences(ev Evidence, c *helpscout.Conversation, threads []helpscout.Thread) (fatal, other []string) {
	if c.MailboxID != ev.Mailbox {
		fatal = append(fatal, fmt.Sprintf("mailbox %d instead of %d", c.MailboxID, ev.Mailbox))
	}
	if !strings.EqualFold(c.Status, ev.Status) && !(ev.Status == "active" && c.Status == "open") {
		fatal = append(fatal, fmt.Sprintf("status %s instead of %s", c.Status, ev.Status))
	}
	if c.CreatedAt.Unix() != ev.Created {
		fatal = append(fatal, fmt.Sprintf("created at %s instead of %s", stamp(c.CreatedAt.Unix()), stamp(ev.Created)))
	}
	if ev.Closed != 0 && !c.ClosedAt.IsZero() && c.ClosedAt.Unix() != ev.Closed {
		fatal = append(fatal, fmt.Sprintf("closed at %s instead of %s", stamp(c.ClosedAt.Unix()), stamp(ev.Closed)))
	}
	if ev.Email != "" && c.Customer != nil && c.Customer.Email != "" && !strings.EqualFold(c.Customer.Email, ev.Email) {
		fatal = append(fatal, fmt.Sprintf("customer %s instead of %s", c.Customer.Email, ev.Email))
	}
	fatal = append(fatal, threadDifferences(ev, threads)...)
	if !sameSubject(c.Subject, ev.Subject) {
		other = append(other, fmt.Sprintf("subject %q instead of %q", c.Subject, ev.Subject))
	}
	var assigned int64
	if c.Assignee != nil {
		assigned = c.Assignee.ID
	}
	if assigned != ev.Assign {
		other = append(other, fmt.Sprintf("assigned to %s instead of %s", userName(assigned), userName(ev.Assign)))
	}
	return fatal, append(other, tagDifferences(ev, c)...)
}

func userName(id int64) string {
	if id == 0 {
		return "nobody"
	}
	return fmt.Sprintf("user %d", id)
}

func tagDifferences(ev Evidence, c *helpscout.Conversation) (out []string) {
	have := map[string]bool{}
	for _, t := range c.Tags {
		have[strings.ToLower(t.Name)] = true
	}
	for _, t := range ev.Tags {
		if !have[t] {
			out = append(out, fmt.Sprintf("tag %q is missing", t))
		}
	}
	values := map[int64]string{}
	for _, f := range c.CustomFields {
		values[f.ID] = string(f.Value)
	}
	for id, v := range ev.Fields {
		if values[id] != v {
			out = append(out, fmt.Sprintf("field %d is %q instead of %q", id, values[id], v))
		}
	}
	slices.Sort(out)
	return out
}

// threadDifferences compares count, types, times and attachments of threads.
func threadDifferences(ev Evidence, threads []helpscout.Thread) (out []string) {
	type id struct {
		kind string
		at   int64
	}
	got, files := map[id]int{}, map[id][]int64{}
	count := 0
	for _, t := range threads {
		if t.Type == "lineitem" {
			continue
		}
		k := id{t.CreatedType(), t.CreatedAt.Unix()}
		got[k]++
		for _, a := range t.Embedded.Attachments {
			files[k] = append(files[k], a.Size)
		}
		count++
	}
	if count != len(ev.Threads) {
		out = append(out, fmt.Sprintf("%s instead of %d", plural(count, "thread", "threads"), len(ev.Threads)))
	}
	for _, t := range ev.Threads {
		k := id{t.Type, t.At}
		if got[k]--; got[k] < 0 {
			out = append(out, fmt.Sprintf("no %s thread of %s", t.Type, stamp(t.At)))
			break
		}
		rest, missing := takeOutFiles(files[k], t.Files)
		if files[k] = rest; missing != "" {
			out = append(out, fmt.Sprintf("attachment %s of the %s thread of %s is missing, or has another size", missing, t.Type, stamp(t.At)))
			break
		}
	}
	return out
}

// takeOutFiles takes files out of the sizes that were read back, and names the first that is not there. A size of 0 is
// one the server does not tell.
func takeOutFiles(sizes []int64, files []FileEvidence) (rest []int64, missing string) {
	for _, f := range files {
		i := slices.IndexFunc(sizes, func(n int64) bool { return n == f.Size || n == 0 })
		if i < 0 {
			return sizes, f.Name
		}
		sizes = slices.Delete(sizes, i, i+1)
	}
	return sizes, ""
}

func stamp(sec int64) string { return time.Unix(sec, 0).UTC().Format(helpscout.TimeLayout) }
