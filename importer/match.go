package importer

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
)

// match pairs parts in doubt of one second with the conversations of that second, one to one, and claims the pairs.
// It returns the parts that found nothing. A conversation that is of that second and new, but differs in the rest, is
// a near miss for the parts that found nothing: they stay in doubt and are not returned.
func (e *engine) match(ctx context.Context, group []doubt, cands []helpscout.Conversation) (left []doubt, err error) {
	cands, err = e.unowned(ctx, cands)
	if err != nil || len(cands) == 0 {
		return group, err
	}
	pairs, group, cands, err := e.pairUp(ctx, group, cands)
	if err != nil {
		return nil, err
	}
	for _, p := range pairs {
		claimed, err := e.claim(ctx, p.d, p.c.ID)
		if err != nil {
			return nil, err
		}
		if !claimed {
			group = append(group, p.d)
		}
	}
	for _, d := range group {
		id := nearest(d, cands)
		if id == 0 {
			left = append(left, d)
			continue
		}
		if err := e.near(ctx, d, id, "has the same creation time but differs in the rest"); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// unowned leaves the conversations that no part of this job owns.
func (e *engine) unowned(ctx context.Context, cands []helpscout.Conversation) (out []helpscout.Conversation, err error) {
	if cands, err = e.notOfSibling(ctx, cands); err != nil {
		return nil, err
	}
	seen := map[int64]bool{}
	for _, c := range cands {
		if seen[c.ID] {
			continue // a page that shifted under us
		}
		seen[c.ID] = true
		_, owned, err := e.store.Owner(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		if !owned {
			out = append(out, c)
		}
	}
	return out, nil
}

type pair struct {
	d doubt
	c helpscout.Conversation
}

// pairUp decides who is whose. The threads' times and texts decide; parts with equal threads are interchangeable. One
// part and one candidate need not agree in the texts, which the server may have rewritten, unless the late twin of
// another part of that second may turn up.
func (e *engine) pairUp(ctx context.Context, group []doubt, cands []helpscout.Conversation) (pairs []pair, left []doubt, rest []helpscout.Conversation, err error) {
	slices.SortFunc(cands, func(a, b helpscout.Conversation) int { return cmp.Compare(a.Number, b.Number) })
	threads := map[int64][]helpscout.Thread{}
	used := map[int64]bool{}
	single := len(group) == 1 && len(cands) == 1
	if single {
		if twins, err := e.twinsExpected(ctx, group[0].ev.Created); err != nil {
			return nil, nil, nil, err
		} else if twins {
			single = false
		}
	}
	for _, d := range group {
		found := -1
		for i := range cands {
			c := &cands[i]
			if used[c.ID] || c.Number <= d.floor || !alike(d.ev, c) {
				continue
			}
			sure, err := e.sameThreads(ctx, d.ev, c, threads)
			if err != nil {
				return nil, nil, nil, err
			}
			sure = sure || single && equalTimes(d.ev.Threads, threads[c.ID])
			if sure {
				found = i
				break
			}
		}
		if found < 0 {
			left = append(left, d)
			continue
		}
		used[cands[found].ID] = true
		pairs = append(pairs, pair{d, cands[found]})
	}
	for _, c := range cands {
		if !used[c.ID] {
			rest = append(rest, c)
		}
	}
	return pairs, left, rest, nil
}

// alike compares what a list shows: mailbox, subject, customer, tags and fields. The thread count is compared with the
// threads themselves, because what it counts is not documented.
func alike(ev Evidence, c *helpscout.Conversation) bool {
	if c.MailboxID != ev.Mailbox || !sameSubject(c.Subject, ev.Subject) {
		return false
	}
	if ev.Email != "" && c.Customer != nil && c.Customer.Email != "" && !strings.EqualFold(c.Customer.Email, ev.Email) {
		return false
	}
	have := map[string]bool{}
	for _, t := range c.Tags {
		have[strings.ToLower(t.Name)] = true
	}
	for _, t := range ev.Tags {
		if !have[t] {
			return false
		}
	}
	fields := map[int64]string{}
	for _, f := range c.CustomFields {
		fields[f.ID] = string(f.Value)
	}
	for id, v := range ev.Fields {
		if got, ok := fields[id]; len(c.CustomFields) > 0 && (!ok || strings.TrimSpace(got) != strings.TrimSpace(v)) {
			return false
		}
	}
	return true
}

// sameThreads reads the candidate's threads (once) and compares times, types and texts.
func (e *engine) sameThreads(ctx context.Context, ev Evidence, c *helpscout.Conversation, cache map[int64][]helpscout.Thread) (bool, error) {
	ts, ok := cache[c.ID]
	if !ok {
		var err error
		ts, err = read(ctx, e, func() ([]helpscout.Thread, error) { return e.Client.Threads(ctx, c.ID) })
		if err != nil && helpscout.KindOf(err) != helpscout.Rejected {
			return false, err
		}
		cache[c.ID] = ts
	}
	return equalThreads(ev.Threads, ts), nil
}

// equalThreads compares as multisets: line items that the server adds do not count.
func equalThreads(want []ThreadEvidence, got []helpscout.Thread) bool {
	type id struct {
		kind string
		at   int64
		text string
	}
	n := map[id]int{}
	count := 0
	for _, t := range got {
		if t.Type == "lineitem" {
			continue
		}
		n[id{t.CreatedType(), t.CreatedAt.Unix(), textDigest(t.Body)}]++
		count++
	}
	if count != len(want) {
		return false
	}
	for _, t := range want {
		k := id{t.Type, t.At, t.Text}
		if n[k]--; n[k] < 0 {
			return false
		}
	}
	return true
}

// twinsExpected reports that a part of that second was sent again: a late twin of it looks like one of ours.
func (e *engine) twinsExpected(ctx context.Context, sec int64) (bool, error) {
	ws, err := e.watching(ctx)
	if err != nil {
		return false, err
	}
	for _, w := range ws {
		row, err := e.store.PartByID(ctx, w.Part)
		if err != nil {
			return false, err
		}
		if row != nil && row.Created == sec {
			return true, nil
		}
	}
	return false, nil
}

// equalTimes compares the types and times of threads only.
func equalTimes(want []ThreadEvidence, got []helpscout.Thread) bool {
	bare := make([]ThreadEvidence, len(want))
	for i, t := range want {
		bare[i] = ThreadEvidence{Type: t.Type, At: t.At, Text: textDigest("")}
	}
	texts := slices.Clone(got)
	for i := range texts {
		texts[i].Body = ""
	}
	return equalThreads(bare, texts)
}

// nearest names the newest conversation of the part's second that is newer than its request and nobody's.
func nearest(d doubt, cands []helpscout.Conversation) int64 {
	for i := len(cands) - 1; i >= 0; i-- {
		if c := &cands[i]; c.Number > d.floor && byAPI(c) {
			return c.ID
		}
	}
	return 0
}

// claim takes a conversation for a part, if it answers 200 by its id and nobody else has claimed it meanwhile.
func (e *engine) claim(ctx context.Context, d doubt, id int64) (bool, error) {
	_, err := read(ctx, e, func() (*helpscout.Conversation, error) { return e.Client.Conversation(ctx, id, false) })
	if err != nil {
		if helpscout.KindOf(err) == helpscout.Rejected {
			return false, nil
		}
		return false, err
	}
	err = e.store.Done(context.WithoutCancel(ctx), d.row.ID, id, checkpoint.ByRecovery, time.Now())
	var taken *checkpoint.ClaimedError
	switch {
	case errors.As(err, &taken):
		return false, nil
	case err != nil:
		return false, err
	}
	e.nowFree()
	e.counted(func(c *Conversations) { c.Recovered++ })
	e.finished(d.row.Ticket, id)
	return true, nil
}
