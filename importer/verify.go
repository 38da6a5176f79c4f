package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// Verifying says how much of what was sent is read back. The head of every conversation always is, by list pages:
// existence, mailbox, subject, status, times, customer, assignee, tags, fields, number of threads.
type Verifying struct {
	All  bool     // read the threads of all conversations
	Read Sample   // of how many the threads are read; zero: 1 %, at least 50
	Seed uint64   // which ones
	Only []string // only these tickets, by key or old number, with their threads
}

// Sample is a share of the conversations, or a number of them.
type Sample struct {
	Share Percent
	N     int
}

// UnmarshalText reads "1%" or "200".
func (s *Sample) UnmarshalText(text []byte) error {
	t := strings.TrimSpace(string(text))
	if n, err := strconv.Atoi(t); err == nil && n > 0 {
		*s = Sample{N: n}
		return nil
	}
	if !strings.HasSuffix(t, "%") {
		return fmt.Errorf("%q is not a sample: write 1%% or 200", t)
	}
	s.N = 0
	return s.Share.UnmarshalText(text)
}

// MarshalText writes what UnmarshalText reads.
func (s Sample) MarshalText() ([]byte, error) {
	if s.N > 0 {
		return []byte(strconv.Itoa(s.N)), nil
	}
	return []byte(s.Share.String()), nil
}

const (
	usualShare = 0.01
	usualLeast = 50
)

// of is how many of n conversations are read.
func (s Sample) of(n int) int {
	switch {
	case s.N > 0:
		return min(s.N, n)
	case s.Share > 0:
		return min(n, max(1, int(float64(n)*float64(s.Share))))
	}
	return min(n, max(usualLeast, int(float64(n)*usualShare)))
}

// The symbols of a conversation that was looked at.
const (
	AsSent  = "=" // all that was looked at is as it was sent
	Differs = "~" // something that was sent is not so
	Absent  = "-" // it is not there
	GoneOn  = "+" // all that was sent is there; people went on with it, or merged it into another
	Unclear = "?" // there is no record of what was sent
)

// Checked is one conversation that verify has looked at.
type Checked struct {
	MessageType  string   `json:"message_type"` // checked
	Symbol       string   `json:"symbol"`
	Key          string   `json:"key"`
	ID           string   `json:"id,omitempty"`
	Part         int      `json:"part"`
	Parts        int      `json:"parts"`
	Conversation int64    `json:"conversation"`
	URL          string   `json:"url"`
	Threads      bool     `json:"threads"` // they were read and compared too
	Differences  []string `json:"differences,omitempty"`
}

// VerifySummary is what scripts rely on.
type VerifySummary struct {
	MessageType string      `json:"message_type"`
	Command     string      `json:"command"`
	ExitCode    int         `json:"exit_code"`
	Balanced    bool        `json:"balanced"`
	Verified    Verified    `json:"verified"`
	Quota       QuotaCounts `json:"quota"`
	ElapsedS    float64     `json:"elapsed_s"`
	Cause       string      `json:"cause,omitempty"`
	Rehearsal   string      `json:"rehearsal,omitempty"` // the host that is not Help Scout's own
	Verdict     string      `json:"verdict"`
}

// Verified counts conversations: Sent = AsSent + Differ + Missing + GoneOn + Unclear + Unseen. The last three were never sent.
type Verified struct {
	Sent    int `json:"sent"`
	AsSent  int `json:"as_sent"`
	Differ  int `json:"differ"`
	Missing int `json:"missing"`
	GoneOn  int `json:"gone_on"`
	Unclear int `json:"unclear"`
	Unseen  int `json:"unseen"`  // not looked at: --only, or the command ended early
	Threads int `json:"threads"` // conversations whose threads were compared

	Pending  int `json:"pending"`
	InDoubt  int `json:"in_doubt"`
	Rejected int `json:"rejected"`
}

// Verify compares what the checkpoint says was sent with what the account holds, and hands every conversation it has
// looked at to each, in the order of their creation times. It needs no source and writes nothing. What people have done
// since is told from damage: a conversation that shows other values, and traces of people, is "gone on with".
//
// The heads cost about one unit for fifty conversations, where the account holds little else; the threads one unit for
// each conversation whose threads are read, which are also those whose head differs. Exit codes: 0 all is as sent;
// 3 differences, or records rejected; 5 some are still to be sent; 6 some are in doubt.
func Verify(ctx context.Context, job *Job, how Verifying, each func(Checked) error) (*VerifySummary, *Stop) {
	v := &verifier{engine: bareEngine(job, "verify"), how: how, each: each}
	v.hard = ctx
	err := v.all(ctx)
	if v.store != nil {
		err = errors.Join(err, v.store.Close())
	}
	var cause *Stop
	if err != nil {
		cause = asStop(err)
	}
	return v.conclude(cause), cause
}

// bareEngine is an engine for what needs no source.
func bareEngine(job *Job, command string) *engine {
	j := *job
	if j.Source == nil {
		j.Source = noSource{}
	}
	return newEngine(&j, command)
}

type verifier struct {
	*engine
	how  Verifying
	each func(Checked) error
	sum  Verified
	read map[int]bool // places whose threads are read
}

// sent is a conversation of ours, in few bytes: there may be a million.
type sent struct {
	second, part int64
}

func (v *verifier) all(ctx context.Context) (err error) {
	if v.store, err = viewCheckpoint(ctx, v.Checkpoint); err != nil {
		return err
	}
	if err := v.sameAccount(ctx); err != nil {
		return err
	}
	list, err := v.list(ctx)
	if err != nil {
		return err
	}
	v.draw(len(list))
	v.tell(Event{Kind: EventPhase, Text: fmt.Sprintf("comparing %s with what was sent, %s of them with their threads", plural(len(list), "conversation", "conversations"), sources.Thousands(len(v.read)))})
	v.todo = len(list)
	for from := 0; from < len(list); {
		to := min(from+batch, len(list))
		for to < len(list) && list[to].second == list[to-1].second {
			to++
		}
		if err := v.some(ctx, list[from:to], from); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// sameAccount refuses to compare with another account than the one it was sent to.
func (e *engine) sameAccount(ctx context.Context) error {
	job := e.store.Job()
	if job.Origin != e.origin {
		return checkpointStop(&checkpoint.OtherJobError{Path: e.Checkpoint, Member: "origin", Have: job.Origin, Want: e.origin})
	}
	users, err := read(ctx, e, func() ([]helpscout.User, error) { return e.Client.Users(ctx) })
	if err != nil {
		return preflightStop(err)
	}
	if id := identity(users); id != job.Account {
		return checkpointStop(&checkpoint.OtherJobError{Path: e.Checkpoint, Member: "account", Have: job.Account, Want: id})
	}
	return nil
}

// list gathers what is to be looked at, by time of creation.
func (v *verifier) list(ctx context.Context) (out []sent, err error) {
	only := byName(v.how.Only)
	for row, err := range v.store.InState(ctx, checkpoint.Created) {
		if err != nil {
			return nil, err
		}
		v.sum.Sent++
		if only.has(row) {
			out = append(out, sent{row.Created, row.ID})
		}
	}
	if err := only.all("no ticket that was sent"); err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b sent) int { return cmp.Or(cmp.Compare(a.second, b.second), cmp.Compare(a.part, b.part)) })
	c, err := v.store.Counts(ctx)
	if err != nil {
		return nil, err
	}
	v.sum.Pending, v.sum.Rejected = c.Parts[checkpoint.Pending], c.Parts[checkpoint.Rejected]
	v.sum.InDoubt = c.Parts[checkpoint.InDoubt] + c.Parts[checkpoint.Sending]
	return out, nil
}

// draw chooses the conversations whose threads are read.
func (v *verifier) draw(n int) {
	k := v.how.Read.of(n)
	if v.how.All || len(v.how.Only) > 0 {
		k = n
	}
	v.read = make(map[int]bool, k)
	r := rand.New(rand.NewPCG(v.how.Seed, 1))
	for _, i := range r.Perm(n)[:k] {
		v.read[i] = true
	}
}

// some looks at one batch: its heads by a few list calls, then whatever needs a closer look.
func (v *verifier) some(ctx context.Context, batch []sent, from int) error {
	var seconds []int64
	for _, s := range batch {
		seconds = append(seconds, s.second)
	}
	held := map[int64]helpscout.Conversation{}
	err := lister{v.engine, false}.ask(ctx, slices.Compact(seconds), func(c helpscout.Conversation) { held[c.ID] = c })
	if err != nil {
		return err
	}
	for i, s := range batch {
		if err := v.halted(ctx); err != nil {
			return err
		}
		row, err := v.store.PartByID(ctx, s.part)
		if err != nil {
			return err
		}
		if row == nil || row.State != checkpoint.Created { // moved by a run that is going on
			continue
		}
		c, ok := held[row.ConversationID]
		got, err := v.one(ctx, row, &c, ok, v.read[from+i])
		if err != nil {
			return err
		}
		if err := v.count(got); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) count(c Checked) error {
	switch c.Symbol {
	case AsSent:
		v.sum.AsSent++
	case Differs:
		v.sum.Differ++
	case Absent:
		v.sum.Missing++
	case GoneOn:
		v.sum.GoneOn++
	default:
		v.sum.Unclear++
	}
	if c.Threads {
		v.sum.Threads++
	}
	v.finished(c.Key, c.Conversation)
	if v.each == nil {
		return nil
	}
	return v.each(c)
}

// conclude makes the summary.
func (v *verifier) conclude(cause *Stop) *VerifySummary {
	s := &v.sum
	s.Unseen = s.Sent - s.AsSent - s.Differ - s.Missing - s.GoneOn - s.Unclear
	v.quotaCounts()
	out := &VerifySummary{
		MessageType: "summary", Command: "verify", Balanced: s.Unseen >= 0, Verified: *s, Quota: v.rep.Summary.Quota,
		ElapsedS: time.Since(v.rep.Started).Seconds(), Verdict: v.verdict(), Rehearsal: v.rep.Rehearsal,
	}
	codes := []int{ExitOK}
	if cause != nil {
		codes, out.Cause = append(codes, cause.Code), cause.Error()
	}
	if s.Pending > 0 {
		codes = append(codes, ExitLeft)
	}
	if s.InDoubt > 0 {
		codes = append(codes, ExitDoubt)
	}
	if s.Differ+s.Missing+s.Unclear+s.Rejected > 0 {
		codes = append(codes, ExitRejected)
	}
	out.ExitCode = worst(codes)
	return out
}

// verdict is the last line of verify.
func (v *verifier) verdict() string {
	s := v.sum
	var b strings.Builder
	if v.rep.Rehearsal != "" {
		fmt.Fprintf(&b, "rehearsal at %s: ", v.rep.Rehearsal)
	}
	fmt.Fprintf(&b, "%s of %s conversations are as they were sent", sources.Thousands(s.AsSent), sources.Thousands(s.Sent))
	for _, x := range []struct {
		n    int
		what string
	}{
		{s.GoneOn, "gone on with since"},
		{s.Differ, verb(s.Differ, "differs", "differ")},
		{s.Missing, "missing"},
		{s.Unclear, "unclear"},
		{s.Unseen, "not looked at"},
		{s.Pending, "still to be sent"},
		{s.InDoubt, "in doubt"},
		{s.Rejected, "rejected"},
	} {
		if x.n > 0 {
			fmt.Fprintf(&b, ", %s %s", sources.Thousands(x.n), x.what)
		}
	}
	fmt.Fprintf(&b, "; the threads of %s were compared", sources.Thousands(s.Threads))
	return b.String()
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
