package importer

import (
	"context"
	"fmt"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
)

// noFence is how many settle times are waited where no conversation of ours can show how far the list has come.
const noFence = 5

// proof is what has to be seen before an absence counts, and what was seen.
type proof struct {
	fence int64         // the conversation that the list has to show; 0: there is none
	sent  time.Time     // when the fence's request went out
	after bool          // the fence was created after every answer was given up
	extra time.Duration // how much longer the list has to be watched once it shows a fence from before

	shown bool
	top   int64         // the highest number that was shown
	lag   time.Duration // of the list, if it was seen to lag
}

// awaitProof waits until the settle time of all has passed, and chooses the fence: a conversation of ours that was
// created after we gave up. Where nothing was sent since, the settle time doubles, and the newest conversation of ours
// has to do: it tells how far the list has come, and when it shows up, what was sent a while later shows up that while
// later.
func (e *engine) awaitProof(ctx context.Context, left []doubt) (*proof, error) {
	gaveUp, horizon := left[0].row.GaveUpAt, time.Time{}
	for _, d := range left {
		if d.row.GaveUpAt.After(gaveUp) {
			gaveUp = d.row.GaveUpAt
		}
		// A process that died gave up when the next one began; its request was long over.
		if end := d.row.SentAt.Add(noFence * e.settleTime()); end.Before(d.row.GaveUpAt) {
			horizon = later(horizon, end)
		} else {
			horizon = later(horizon, d.row.GaveUpAt)
		}
	}
	wait := e.settleTime()
	f, err := e.store.Fence(ctx, gaveUp)
	if err != nil {
		return nil, err
	}
	pr := &proof{after: f != nil}
	if f == nil {
		wait *= 2
		if f, err = e.store.Newest(ctx, time.Now()); err != nil {
			return nil, err
		}
	}
	switch {
	case f == nil || f.How != checkpoint.ByCreate:
		wait = max(wait, noFence*e.settleTime())
	default:
		pr.fence, pr.sent = f.ConversationID, f.SentAt
		if !pr.after {
			pr.extra = min(max(0, horizon.Sub(f.SentAt)), fencePatience*e.settleTime())
		}
	}
	if d := time.Until(gaveUp.Add(wait)); d > 0 {
		e.tell(Event{Kind: EventWait, Why: "settling", Until: time.Now().Add(d), Text: fmt.Sprintf("%s in doubt; waiting %s before absence counts", plural(len(left), "conversation is", "conversations are"), d.Round(time.Second))})
		if err := e.sleep(ctx, d); err != nil {
			return nil, err
		}
	}
	return pr, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// claimByWalk walks the newest conversations down to the lowest floor and claims what matches. The list is asked again,
// with growing pauses, while it does not show the fence.
func (e *engine) claimByWalk(ctx context.Context, left []doubt, pr *proof) (rest []doubt, err error) {
	if err := e.floors(ctx, left); err != nil {
		return nil, err
	}
	began := time.Now()
	deadline := began.Add(fencePatience * e.settleTime())
	for pause := e.settleTime() / 4; ; pause = min(2*pause, time.Minute) {
		fresh, shown, err := e.walk(ctx, lowest(left), pr.fence)
		if err != nil {
			return nil, err
		}
		pr.note(fresh)
		if left, err = e.matchFresh(ctx, left, fresh); err != nil || len(left) == 0 {
			return nil, err
		}
		switch {
		case shown && (pr.extra == 0 || pr.shown):
			pr.shown = true
			return left, nil
		case shown: // a fence from before: what came after it may follow
			pr.shown = true
			pause = pr.extra
			deadline = time.Now().Add(2 * pause)
		case time.Now().After(deadline):
			return left, nil
		default:
			pr.lag = time.Since(pr.sent)
		}
		e.tell(Event{Kind: EventWait, Why: "settling", Until: time.Now().Add(pause), Text: "the server's list lags behind; looking again in " + pause.Round(time.Second).String()})
		if err := e.sleep(ctx, max(pause, time.Second)); err != nil {
			return nil, err
		}
	}
}

func (p *proof) note(fresh []helpscout.Conversation) {
	for _, c := range fresh {
		p.top = max(p.top, c.Number)
	}
}

// modifiedPages bounds the look at what people have changed since a request went out.
const modifiedPages = 40

// withoutVanished takes out the parts whose messages stand in a conversation that was changed after the request went
// out, and was not sent with them: somebody merged ours into it. The search by customer (see mergedInto) would show that
// too, but it may lag for hours; the list by time of change lags no more than any list.
func (e *engine) withoutVanished(ctx context.Context, left []doubt) (rest []doubt, err error) {
	if len(left) == 0 {
		return nil, nil
	}
	since := left[0].row.SentAt
	for _, d := range left {
		if d.row.SentAt.Before(since) {
			since = d.row.SentAt
		}
	}
	holders := map[int64][]int64{} // by part: who holds its first message
	page := 0
	q := helpscout.ListQuery{Status: "all", SortField: "modifiedAt", SortOrder: "desc", EmbedThreads: true}
	err = e.pages(ctx, q, func(cs []helpscout.Conversation) bool {
		fresh := false
		for _, c := range cs {
			fresh = fresh || !c.UserUpdatedAt.Before(since.Add(-time.Minute)) // clocks differ
			for _, d := range left {
				if len(d.ev.Threads) > 0 && countThreads(c.Embedded.Threads, d.ev.Threads[0]) > 0 {
					holders[d.row.ID] = append(holders[d.row.ID], c.ID)
				}
			}
		}
		page++
		return fresh && page < modifiedPages
	})
	if err != nil {
		return nil, err
	}
	for _, d := range left {
		found := int64(0)
		for _, id := range holders[d.row.ID] {
			mine, err := e.ownedWithText(ctx, id, d.ev.Threads[0])
			if err != nil {
				return nil, err
			}
			if !mine {
				found = id
			}
		}
		if found == 0 {
			rest = append(rest, d)
		} else if err := e.near(ctx, d, found, "holds a message of this part (merged?)"); err != nil {
			return nil, err
		}
	}
	return rest, nil
}
