package importer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"hsimport/checkpoint"
)

// A Status is what the checkpoint alone says of a job, while a run is going on too. Conversations are parts.
type Status struct {
	MessageType string         `json:"message_type"`
	Origin      string         `json:"origin"`
	Rehearsal   string         `json:"rehearsal,omitempty"`
	Trial       string         `json:"trial,omitempty"` // the inbox of the trial whose checkpoint this is
	Created     int            `json:"created"`
	Recovered   int            `json:"recovered"`
	Adopted     int            `json:"adopted"`
	Pending     int            `json:"pending"`
	Rejected    int            `json:"rejected"` // by the server, or when a file was gone
	InDoubt     int            `json:"in_doubt"`
	UnderWay    int            `json:"under_way"`         // sent by a run that is going on, not answered yet
	Deleted     int            `json:"deleted"`           // rolled back
	Refused     int            `json:"refused"`           // tickets that the last plan would not send
	Unreadable  int            `json:"unreadable"`        // records of the source
	Appended    int            `json:"appended"`          // messages and notes added to conversations that were there
	Uploaded    int            `json:"uploaded"`          // attachments that went by themselves
	Effects     map[string]int `json:"effects,omitempty"` // "upload pending": n
	UnitsLeft   int64          `json:"units_left"`
	Pace        Pace           `json:"pace"`
	Causes      []Cause        `json:"causes,omitempty"` // of what was rejected or is in doubt, the most frequent first
	Last        []LastAnswer   `json:"last_answers,omitempty"`
	Running     bool           `json:"running"` // the last command has not ended: it is going on, or it was killed
	Killed      bool           `json:"killed"`  // and its process is not there any more
	PID         int            `json:"pid,omitempty"`
	LastCommand string         `json:"last_command,omitempty"`
	LastStarted time.Time      `json:"last_started,omitzero"`
	LastEnded   time.Time      `json:"last_ended,omitzero"`
	ExitCode    int            `json:"exit_code"`
	Cause       string         `json:"cause,omitempty"` // why the last command ended before its work was done
	Copy        string         `json:"checkpoint_copy,omitempty"`
	// WorkflowsOff names the workflows that PauseWorkflows has switched off and that are not on again.
	WorkflowsOff []string `json:"workflows_off,omitempty"`
}

// Pace is how fast it goes and how long it takes yet. The quota's arithmetic is that of the last run: the limit the
// server named, the share it was configured with.
type Pace struct {
	PerMinute float64 `json:"conversations_per_minute"` // over the last minutes of a run that is going on; else 0
	Limit     int     `json:"limit,omitempty"`          // units a minute; 0: not known
	Share     float64 `json:"share,omitempty"`
	ByQuotaS  float64 `json:"left_by_quota_s,omitempty"` // what is left by the quota's arithmetic
	ByRateS   float64 `json:"left_by_rate_s,omitempty"`  // what is left at the rate of the last minutes
}

// A Cause is one reason why parts, or files and later messages, stand where they stand.
type Cause struct {
	State   string `json:"state"`          // rejected, in_doubt, sending
	What    string `json:"what,omitempty"` // upload, append; empty: conversations
	Status  int    `json:"status,omitempty"`
	Reason  string `json:"reason"` // numbers that differ from one to the next are #
	N       int    `json:"n"`
	Example string `json:"example"` // a ticket
	Hint    string `json:"hint,omitempty"`
}

// A LastAnswer is one of the last answers that were no success.
type LastAnswer struct {
	At     time.Time `json:"at"`
	Ticket string    `json:"ticket"`
	Became string    `json:"became"` // what became of it: rejected, in_doubt, kept
	Text   string    `json:"text"`
	Hint   string    `json:"hint,omitempty"`
}

const (
	paceSpan    = 5 * time.Minute
	lastAnswers = 5
	mostReasons = 2000 // rows that are grouped to causes
	mostCauses  = 50
	factQuota   = "quota" // what the last run knew of the quota
)

// ReadStatus reads the checkpoint without taking its lock. Its ExitCode is the last run's.
func ReadStatus(ctx context.Context, path string) (*Status, error) {
	store, err := viewCheckpoint(ctx, path)
	if err != nil {
		return nil, noCheckpointYet(ctx, path, err)
	}
	defer store.Close()
	st := &Status{
		MessageType: "status", Origin: store.Job().Origin, Rehearsal: rehearsalHost(store.Job().Origin), Effects: map[string]int{},
	}
	for _, f := range []func(context.Context, *checkpoint.Store) error{st.lastRun, st.counts, st.causes, st.lastAnswers, st.pace} {
		if err := f(ctx, store); err != nil {
			return nil, err
		}
	}
	in, _, err := trialOf(ctx, store)
	if err != nil {
		return nil, err
	}
	st.Trial = in.Name
	st.Copy = newestCopy(ctx, store)
	st.WorkflowsOff = workflowsOff(ctx, path, st.Origin)
	return st, nil
}

// noCheckpointYet adds what is switched off already before the first run.
func noCheckpointYet(ctx context.Context, path string, err error) error {
	var stop *Stop
	if off := workflowsOff(ctx, path, ""); len(off) > 0 && errors.Is(err, checkpoint.ErrMissing) && errors.As(err, &stop) {
		stop.Hint += fmt.Sprintf("; %s switched off (%s): hsimport doctor --resume-workflows", plural(len(off), "workflow is", "workflows are"), shortList(off))
	}
	return err
}

// newestCopy is the newest copy of this very checkpoint; copies of one that was there before it do not count.
func newestCopy(ctx context.Context, store *checkpoint.Store) string {
	copies, err := Copies(store.Path())
	if err != nil {
		return ""
	}
	for _, path := range copies {
		if c, err := checkpoint.View(ctx, path); err == nil {
			same := c.Job().CreatedAt.Equal(store.Job().CreatedAt)
			_ = c.Close() // it was only looked at
			if same {
				return path
			}
		}
	}
	return ""
}

// goingOn reports that the last command has not ended, and that its process is there as far as can be known.
func (st *Status) goingOn() bool { return st.Running && !st.Killed }

func (st *Status) counts(ctx context.Context, store *checkpoint.Store) error {
	c, err := store.Counts(ctx)
	if err != nil {
		return err
	}
	st.Created, st.Recovered, st.Adopted = c.Created[checkpoint.ByCreate], c.Created[checkpoint.ByRecovery], c.Created[checkpoint.ByAdoption]
	st.Pending, st.Rejected, st.Deleted = c.Parts[checkpoint.Pending], c.Parts[checkpoint.Rejected], c.Parts[checkpoint.Deleted]
	st.InDoubt = c.Parts[checkpoint.InDoubt]
	if st.goingOn() {
		st.UnderWay = c.Parts[checkpoint.Sending]
	} else {
		st.InDoubt += c.Parts[checkpoint.Sending]
	}
	st.UnitsLeft = c.Units[checkpoint.Pending]
	st.Appended, st.Uploaded = c.Effects[kindAppend][checkpoint.Created], c.Effects[kindUpload][checkpoint.Created]
	for kind, states := range c.Effects {
		for s, n := range states {
			st.Effects[kind+" "+string(s)] += n
		}
		if kind != kindDelete {
			st.UnitsLeft += 2 * int64(states[checkpoint.Pending])
		}
	}
	return nil
}

// causer groups reasons that differ in numbers only.
type causer struct {
	at   map[Cause]int
	list []Cause
}

// add counts n of a cause whose N, Example and Hint are not set yet; example is asked for the first time only.
func (c *causer) add(x Cause, n int, example func() (string, error)) (err error) {
	k := x
	k.Reason = numbers.ReplaceAllString(x.Reason, "#")
	i, ok := c.at[k]
	if !ok {
		if x.Example, err = example(); err != nil {
			return err
		}
		x.Hint = hintFor(x.What, x.State, x.Status, x.Reason)
		i = len(c.list)
		c.at[k], c.list = i, append(c.list, x)
	} else if c.list[i].Reason != x.Reason {
		c.list[i].Reason = k.Reason
	}
	c.list[i].N += n
	return nil
}

func (st *Status) causes(ctx context.Context, store *checkpoint.Store) error {
	reasons, err := store.Reasons(ctx, mostReasons)
	if err != nil {
		return err
	}
	c := &causer{at: map[Cause]int{}}
	for _, r := range reasons {
		if r.Kind == kindDelete || r.State == checkpoint.Sending && st.goingOn() {
			continue
		}
		if r.State == checkpoint.Sending {
			r.Text = "the run was killed before the answer came"
		}
		err := c.add(Cause{State: string(r.State), What: r.Kind, Status: r.Status, Reason: r.Text}, r.N, func() (string, error) {
			row, err := store.PartByID(ctx, r.Example)
			return exampleName(row), err
		})
		if err != nil {
			return err
		}
	}
	k, err := keptReport(ctx, store)
	if err != nil {
		return err
	}
	st.Refused, st.Unreadable = len(k.Rejected), len(k.Unreadable)
	for _, o := range k.Rejected {
		name := cmp.Or(o.ID, o.Key)
		_ = c.add(Cause{State: RecordRefused, Reason: o.Reason}, 1, func() (string, error) { return name + " at " + o.Place, nil }) // it cannot fail
	}
	for _, r := range k.Unreadable {
		_ = c.add(Cause{State: RecordUnreadable, Reason: r.Reason}, 1, func() (string, error) { return r.Position.String(), nil }) // nor this
	}
	slices.SortStableFunc(c.list, func(a, b Cause) int { return b.N - a.N })
	st.Causes = c.list[:min(len(c.list), mostCauses)]
	return nil
}

func exampleName(row *checkpoint.Part) string {
	if row == nil {
		return ""
	}
	name := row.LegacyID
	if name == "" {
		name = row.Ticket
	}
	if row.Of > 1 {
		name += " part " + strconv.Itoa(row.Number)
	}
	return name
}

// hintFor says what a person can do about an answer; what is the kind of the effect it is about, "" of a conversation.
// https://developer.helpscout.com/mailbox-api/overview/errors
func hintFor(what, state string, status int, reason string) string {
	const again = "then hsimport run --retry-rejected sends it again"
	switch {
	case state == string(checkpoint.InDoubt) || state == string(checkpoint.Sending):
		return "the next hsimport run looks for it in the account before it sends anything again"
	case state == RecordRefused || state == RecordUnreadable:
		return "mend it in the export, or answer it in the configuration: the next hsimport run takes it along"
	case state == "kept" && status == 403:
		return "the app's user may not delete it: look at its role, then repeat the command; or delete it in Help Scout"
	case state == "kept":
		return "look at it in Help Scout; nothing else deletes it"
	case what == kindUpload:
		return "it is not sent again; where the server has refused it, a note in its conversation names it"
	case status == 0:
		return "mend what it names, " + again
	case status == 401 || status == 403:
		return "the app's user may not do this: look at its role and its inboxes, " + again
	case status == 404 || status == 301:
		return "it was deleted or merged in Help Scout; hsimport lookup says where the ticket went"
	case status == 412 || status == 423:
		return "the conversation is full or locked: nothing can be added to it"
	case status == 413:
		return "the server finds it too large: hsimport dry-run lists the biggest, mapping.max_threads makes smaller parts"
	case strings.Contains(strings.ToLower(reason), "email"):
		return "mend the address in the export, or leave it to mapping.placeholder_domain, " + again
	case status >= 400 && status < 500:
		return "mend what the server names, in the export or in the mapping, " + again
	}
	return ""
}

func (st *Status) lastAnswers(ctx context.Context, store *checkpoint.Store) error {
	records, err := store.LastRecords(ctx, RecordAnswer, lastAnswers)
	if err != nil {
		return err
	}
	for _, r := range records {
		name, what := exampleName(&checkpoint.Part{LegacyID: r.LegacyID, Ticket: r.Ticket}), ""
		if strings.HasPrefix(r.Text, `attachment "`) { // see effectName
			what = kindUpload
		}
		st.Last = append(st.Last, LastAnswer{r.At, name, r.Code, r.Text, hintFor(what, r.Code, r.Status, r.Text)})
	}
	return nil
}

func (st *Status) lastRun(ctx context.Context, store *checkpoint.Store) error {
	r, err := store.LastRun(ctx)
	if err != nil || r == nil {
		return err
	}
	st.LastCommand, st.LastStarted, st.LastEnded, st.ExitCode = r.Command, r.StartedAt, r.EndedAt, r.ExitCode
	var sum struct {
		Cause string `json:"cause"`
	}
	if json.Unmarshal(r.Summary, &sum) == nil { // a run that has not ended has none
		st.Cause = sum.Cause
	}
	if r.ExitCode >= 0 {
		return nil
	}
	st.Running, st.ExitCode = true, ExitLeft
	h, err := store.Holder(ctx)
	if err != nil {
		return err
	}
	st.Killed = h == nil
	if h != nil {
		st.PID = h.PID
		host, herr := os.Hostname()
		st.Killed = herr == nil && host == h.Host && !alive(h.PID)
	}
	return nil
}

// quotaFact is what a run leaves for the arithmetic of status.
type quotaFact struct {
	Limit int     `json:"limit"`
	Share float64 `json:"share"`
}

// keepQuota leaves what is known of the quota.
func (e *engine) keepQuota(ctx context.Context) error {
	if e.Quota == nil {
		return nil
	}
	st := e.Quota.Stats()
	b, err := json.Marshal(quotaFact{st.Limit, st.Share})
	if err != nil {
		return err
	}
	if was, _, err := e.store.Get(ctx, factQuota); err != nil || was == string(b) {
		return err
	}
	return e.store.Set(ctx, factQuota, string(b))
}

func (st *Status) pace(ctx context.Context, store *checkpoint.Store) error {
	v, ok, err := store.Get(ctx, factQuota)
	if err != nil {
		return err
	}
	if ok {
		var q quotaFact
		if err := json.Unmarshal([]byte(v), &q); err != nil {
			return fmt.Errorf("%s in the checkpoint: %w", factQuota, err)
		}
		if q.Limit < 1<<30 {
			st.Pace.Limit, st.Pace.Share = q.Limit, q.Share
			st.Pace.ByQuotaS = Duration(int(st.UnitsLeft), q.Limit, q.Share).Round(time.Second).Seconds()
		}
	}
	if !st.goingOn() {
		return nil
	}
	now := time.Now()
	n, first, err := store.CreatedSince(ctx, now.Add(-paceSpan))
	if err != nil || n < 2 {
		return err
	}
	span := max(now.Sub(first), time.Second)
	st.Pace.PerMinute = float64(n) / span.Minutes()
	st.Pace.ByRateS = time.Duration(float64(st.Pending) / float64(n) * float64(span)).Round(time.Second).Seconds()
	return nil
}
