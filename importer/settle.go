package importer

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

const (
	defaultSettle = 60 * time.Second
	maxAbsences   = 3
	fencePatience = 10 // settle times that the list may lag before the parts are left in doubt
	watchFactor   = 3  // settle times after the first lost answer that a re-sent part is watched for a late twin
	maxWalkPages  = 20000
)

// doubt is one part in doubt with what it can be recognised by.
type doubt struct {
	row   checkpoint.Part
	ev    Evidence
	floor int64 // the highest number known to be older than the request; a candidate's is higher
}

func (e *engine) settleTime() time.Duration {
	if s := time.Duration(e.Options.Settle); s > 0 {
		return s
	}
	return defaultSettle
}

// settle finds out what became of every part in doubt, at the end of the queue, where waiting costs nothing. It
// reports whether parts have become pending again.
//
// Found is cheap: one list call for each second in doubt. Absence needs proof: the settle time has passed, the list
// shows a conversation of ours that was created after we gave up (the fence), and a walk from the newest
// conversation down to what was there before the request shows no candidate.
func (e *engine) settle(ctx context.Context) (again bool, err error) {
	before := e.Quota.Stats().Units
	defer func() { e.settling += e.Quota.Stats().Units - before }()
	doubts, err := e.doubts(ctx)
	if err != nil || len(doubts) == 0 {
		return false, err
	}
	if e.NoSettle {
		return e.absent(ctx, doubts, 0)
	}
	e.tell(Event{Kind: EventPhase, Text: fmt.Sprintf("looking for %s whose answer was lost", plural(len(doubts), "conversation", "conversations"))})
	left, err := e.claimBySecond(ctx, doubts)
	if err != nil || len(left) == 0 {
		return false, err
	}
	pr, err := e.awaitProof(ctx, left)
	if err != nil {
		return false, err
	}
	left, err = e.claimByWalk(ctx, left, pr)
	if err != nil || len(left) == 0 {
		return false, err
	}
	if !pr.shown {
		e.warn("list-lags", fmt.Sprintf("the server's list has not shown conversation %d for %s: %s in doubt", pr.fence, time.Duration(fencePatience)*e.settleTime(), plural(len(left), "part stays", "parts stay")))
		return false, nil
	}
	if left, err = e.claimBySecond(ctx, left); err != nil {
		return false, err
	}
	if left, err = e.withoutVanished(ctx, left); err != nil {
		return false, err
	}
	if left, err = e.withoutMerged(ctx, left); err != nil {
		return false, err
	}
	for i := range left {
		left[i].floor = max(left[i].floor, pr.top) // what comes later than this proof has a higher number
	}
	return e.absent(ctx, left, pr.lag)
}

func (e *engine) doubts(ctx context.Context) (out []doubt, err error) {
	for row, rerr := range e.store.InState(ctx, checkpoint.InDoubt) {
		if rerr != nil {
			return nil, rerr
		}
		ev, ok := decodeEvidence(row.Evidence)
		if !ok {
			return nil, fmt.Errorf("part %d of ticket %s: its evidence cannot be read", row.Number, row.Ticket)
		}
		out = append(out, doubt{row: *row, ev: ev, floor: e.number})
	}
	return out, nil
}

// claimBySecond asks the list for each second in doubt, account-wide, and claims what matches. What it returns is
// still unaccounted for.
func (e *engine) claimBySecond(ctx context.Context, doubts []doubt) (left []doubt, err error) {
	for _, group := range bySecond(doubts) {
		if err := e.halted(ctx); err != nil {
			return nil, err
		}
		cands, err := e.atSecond(ctx, group[0].ev.Created)
		if err != nil {
			return nil, err
		}
		rest, err := e.match(ctx, group, cands)
		if err != nil {
			return nil, err
		}
		left = append(left, rest...)
	}
	return left, nil
}

func bySecond(doubts []doubt) (out [][]doubt) {
	sort.SliceStable(doubts, func(i, j int) bool { return doubts[i].ev.Created < doubts[j].ev.Created })
	for i, d := range doubts {
		if i == 0 || d.ev.Created != doubts[i-1].ev.Created {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], d)
	}
	return out
}

// atSecond lists the conversations of the account whose createdAt is that second, whatever their status or mailbox.
func (e *engine) atSecond(ctx context.Context, sec int64) ([]helpscout.Conversation, error) {
	from := time.Unix(sec, 0).UTC()
	q := helpscout.ListQuery{
		Status: "all", SortField: "number", SortOrder: "desc",
		Query: fmt.Sprintf("(createdAt:[%s TO %s])", from.Format(helpscout.TimeLayout), from.Add(time.Second).Format(helpscout.TimeLayout)),
	}
	var out []helpscout.Conversation
	err := e.pages(ctx, q, func(cs []helpscout.Conversation) bool {
		fits := false // a page of other times means that the server does not understand the question
		for _, c := range cs {
			at := c.CreatedAt.Unix()
			fits = fits || at == sec || at == sec+1
			if at == sec {
				out = append(out, c)
			}
		}
		return fits
	})
	return out, err
}

// pages reads a list page by page until visit says that it has seen enough, or there is no more.
func (e *engine) pages(ctx context.Context, q helpscout.ListQuery, visit func([]helpscout.Conversation) bool) error {
	for n := 1; n <= maxWalkPages; n++ {
		if err := e.halted(ctx); err != nil {
			return err
		}
		type answer struct {
			cs []helpscout.Conversation
			p  helpscout.Page
		}
		a, err := read(ctx, e, func() (answer, error) {
			cs, p, err := e.Client.Conversations(ctx, q, n)
			return answer{cs, p}, err
		})
		if err != nil {
			return err
		}
		if len(a.cs) == 0 || !visit(a.cs) || a.p.TotalPages > 0 && n >= a.p.TotalPages {
			return nil
		}
	}
	return nil
}

// floors finds for each doubt the number of a conversation of ours that was complete before its request went out.
func (e *engine) floors(ctx context.Context, left []doubt) error {
	numbers := map[int64]int64{}
	for i := range left {
		p, err := e.completeBefore(ctx, left[i].row.SentAt)
		if err != nil {
			return err
		}
		if p == nil {
			continue
		}
		n, ok := numbers[p.ConversationID]
		if !ok {
			c, err := read(ctx, e, func() (*helpscout.Conversation, error) { return e.Client.Conversation(ctx, p.ConversationID, false) })
			switch {
			case err == nil:
				n = c.Number
			case helpscout.KindOf(err) != helpscout.Rejected:
				return err
			}
			numbers[p.ConversationID] = n
		}
		left[i].floor = max(left[i].floor, n)
	}
	return nil
}

// completeBefore finds a part whose create call was answered before a moment: its number is lower than that of
// anything requested after it. Going back a little further each time soon leaves behind what was still in flight.
func (e *engine) completeBefore(ctx context.Context, at time.Time) (*checkpoint.Part, error) {
	before := at
	for back := time.Millisecond; back < time.Hour; back *= 8 {
		p, err := e.store.Newest(ctx, before)
		if err != nil || p == nil {
			return nil, err
		}
		if p.How == checkpoint.ByCreate && !p.DoneAt.After(at) {
			return p, nil
		}
		before = p.SentAt.Add(-back)
	}
	return nil, nil
}

func lowest(ds []doubt) int64 {
	n := ds[0].floor
	for _, d := range ds {
		n = min(n, d.floor)
	}
	return n
}

// walk lists conversations from the newest down to number floor. A server that does not sort by number is walked to
// its end, because nothing else would be proof.
func (e *engine) walk(ctx context.Context, floor, fence int64) (fresh []helpscout.Conversation, shown bool, err error) {
	shown = fence == 0
	q := helpscout.ListQuery{Status: "all", SortField: "number", SortOrder: "desc"}
	sorted, last := true, int64(-1)
	err = e.pages(ctx, q, func(cs []helpscout.Conversation) bool {
		for _, c := range cs {
			sorted = sorted && (last < 0 || c.Number <= last)
			last = c.Number
			shown = shown || c.ID == fence
			if c.Number > floor {
				fresh = append(fresh, c)
			}
		}
		return !sorted || last > floor
	})
	return fresh, shown, err
}

// matchFresh matches doubts with what the walk has shown, second by second.
func (e *engine) matchFresh(ctx context.Context, left []doubt, fresh []helpscout.Conversation) (rest []doubt, err error) {
	at := map[int64][]helpscout.Conversation{}
	for _, c := range fresh {
		at[c.CreatedAt.Unix()] = append(at[c.CreatedAt.Unix()], c)
	}
	for _, group := range bySecond(left) {
		more, err := e.match(ctx, group, at[group[0].ev.Created])
		if err != nil {
			return nil, err
		}
		if more, err = e.otherTime(ctx, more, fresh); err != nil {
			return nil, err
		}
		rest = append(rest, more...)
	}
	return rest, nil
}

// otherTime notices a new conversation that is the part in all but its time: a server that ignores createdAt. That is
// a near miss, never an absence.
func (e *engine) otherTime(ctx context.Context, group []doubt, fresh []helpscout.Conversation) (rest []doubt, err error) {
	for _, d := range group {
		near := int64(0)
		for i := range fresh {
			c := &fresh[i]
			if c.Number <= d.floor || c.CreatedAt.Before(e.jobStart) || !byAPI(c) || !alike(d.ev, c) {
				continue
			}
			if _, owned, err := e.store.Owner(ctx, c.ID); err != nil {
				return nil, err
			} else if !owned {
				near = c.ID
			}
		}
		if near == 0 {
			rest = append(rest, d)
			continue
		}
		if err := e.near(ctx, d, near, "was created now and not at the time that was sent"); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// byAPI reports that a conversation may have come by the API, as ours do.
func byAPI(c *helpscout.Conversation) bool {
	return c.Source.Type == "" || strings.EqualFold(c.Source.Type, "api")
}

func (e *engine) near(ctx context.Context, d doubt, id int64, how string) error {
	reason := fmt.Sprintf("conversation %d %s: look at it; it may be this one", id, how)
	return e.store.Near(context.WithoutCancel(ctx), d.row.ID, id, reason)
}

// withoutMerged takes out the parts whose messages have turned up inside another conversation of the same customer:
// somebody merged it.
func (e *engine) withoutMerged(ctx context.Context, left []doubt) (rest []doubt, err error) {
	for _, d := range left {
		id, err := e.mergedInto(ctx, d)
		if err != nil {
			return nil, err
		}
		if id == 0 {
			rest = append(rest, d)
			continue
		}
		if err := e.near(ctx, d, id, "holds a message of this part (merged?)"); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

func (e *engine) mergedInto(ctx context.Context, d doubt) (int64, error) {
	if id, err := e.stillHolds(ctx, d); err != nil || id != 0 {
		return id, err
	}
	if d.ev.Email == "" || strings.ContainsAny(d.ev.Email, `"\`) || len(d.ev.Threads) == 0 {
		return 0, nil
	}
	var found int64
	q := helpscout.ListQuery{Status: "all", Query: fmt.Sprintf("(email:%q)", d.ev.Email), EmbedThreads: true}
	n := 0
	var owned []int64
	err := e.pages(ctx, q, func(cs []helpscout.Conversation) bool {
		for _, c := range cs {
			if countThreads(c.Embedded.Threads, d.ev.Threads[0]) > 0 {
				owned = append(owned, c.ID)
			}
		}
		n++
		return n < 3
	})
	if err != nil {
		return 0, err
	}
	for _, id := range owned {
		if mine, err := e.ownedWithText(ctx, id, d.ev.Threads[0]); err != nil {
			return 0, err
		} else if !mine {
			found = id
		}
	}
	return found, nil
}

// ownedWithText reports that a conversation is a part of ours, or of the sibling's, that was itself sent with that thread.
func (e *engine) ownedWithText(ctx context.Context, id int64, want ThreadEvidence) (mine bool, err error) {
	if mine, err = sentWith(ctx, e.store, id, want); err != nil || mine {
		return mine, err
	}
	err = e.atSibling(ctx, func(store *checkpoint.Store) error {
		mine, err = sentWith(ctx, store, id, want)
		return err
	})
	return mine, err
}

func sentWith(ctx context.Context, store *checkpoint.Store, id int64, want ThreadEvidence) (bool, error) {
	partID, ok, err := store.Owner(ctx, id)
	if err != nil || !ok {
		return false, err
	}
	row, err := store.PartByID(ctx, partID)
	if err != nil || row == nil {
		return false, err
	}
	ev, _ := decodeEvidence(row.Evidence)
	return slices.ContainsFunc(ev.Threads, func(t ThreadEvidence) bool {
		return t.Type == want.Type && t.At == want.At && t.Text == want.Text
	}), nil
}

// absent puts the parts whose absence is proven back to pending; after three times the server fails on the record.
func (e *engine) absent(ctx context.Context, left []doubt, lag time.Duration) (again bool, err error) {
	ctx = context.WithoutCancel(ctx)
	if !e.NoSettle {
		if err := e.watchFor(ctx, left, lag); err != nil {
			return false, err
		}
	}
	for _, d := range left {
		n, err := e.store.Absent(ctx, d.row.ID)
		if err != nil {
			return again, err
		}
		if n < maxAbsences {
			again = true
			continue
		}
		if err := e.store.Reject(ctx, d.row.ID, 0, "the server fails on this record: three times it gave no answer and did not create it ("+d.row.Reason+")", "", time.Now()); err != nil {
			return again, err
		}
		e.nowFree()
		e.finished(d.row.Ticket, 0)
	}
	return again, nil
}

func (e *engine) warn(code, text string) {
	e.rep.Findings.Add(mapping.Finding{Severity: sources.Warning, Code: code, Text: text})
	e.tell(Event{Kind: EventWarning, Text: text})
}
