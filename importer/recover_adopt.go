package importer

import (
	"context"
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

// adopt takes a conversation for a part: its messages have their place, its files are due only where they are missing.
func (r *recovery) adopt(ctx context.Context, l *lost, f *found, k likeness) error {
	ev, messages, files := l.ev, l.messages, l.missingFiles(f)
	if k == shorter {
		if id, err := r.further(ctx, l, f); err != nil {
			return err
		} else if id != 0 {
			return r.ambiguous(ctx, l, id, "holds later messages of this ticket, as a further part does, beside conversation "+strconv.FormatInt(f.c.ID, 10))
		}
		ev, messages, files = l.only(f)
	}
	ev.Threads = withoutFiles(ev.Threads, files)
	var err error
	if k != goneOn {
		if ev, err = r.standing(ctx, l, f, ev); err != nil {
			return err
		}
	}
	if err := r.planAnew(ctx, k == shorter || ev.Source == anotherSource); err != nil {
		return err
	}
	in := checkpoint.Intent{Run: r.run, At: time.Now(), Evidence: ev.encode(), Messages: messages, Effects: files}
	err = r.elsewhere(&in, func() error { return r.store.Adopt(context.WithoutCancel(ctx), l.row.ID, f.c.ID, in) })
	var taken *checkpoint.ClaimedError
	if errors.As(err, &taken) {
		return nil // it stays pending; the next look finds it again
	}
	if err != nil {
		return err
	}
	if fatal, _ := differences(sansFiles(l.ev), &f.c, f.threads); len(fatal) == 0 && k == equal {
		r.alike++
	}
	switch k {
	case rewritten:
		r.explain(sources.Warning, "text-differs", &l.row, fmt.Sprintf("conversation %d is taken for it, but not all its texts read as they would be sent", f.c.ID))
	case goneOn:
		r.remember(f.c.ID, f.beyond(ev))
		r.explain(sources.Info, "gone-on-with", &l.row, fmt.Sprintf("conversation %d was changed since it was imported; all that was sent is there", f.c.ID))
	}
	r.number(f.c.Number)
	r.finished(l.row.Ticket, f.c.ID)
	return nil
}

// anotherSource is the sign of a state of the source that is not known: whatever it says now is something else.
const anotherSource = "?"

// standing takes over what may have been otherwise when a conversation was sent than it would be now: its status, when it
// was closed, and whose it is. Where people or workflows have done something, it is theirs, and not taken for what was sent.
func (r *recovery) standing(ctx context.Context, l *lost, f *found, ev Evidence) (Evidence, error) {
	if f.traces {
		return ev, nil
	}
	if now := statusNow(&f.c); now != ev.Status {
		ev.Status = now
		if other, err := r.saysOtherwise(ctx, l, now); err != nil {
			return ev, err
		} else if other {
			ev.Source = anotherSource
		}
	}
	switch {
	case ev.Status != "closed":
		ev.Closed = 0
	case !f.c.ClosedAt.IsZero():
		ev.Closed = f.c.ClosedAt.Unix()
	}
	ev.Assign = 0
	if f.c.Assignee != nil {
		ev.Assign = f.c.Assignee.ID
	}
	return ev, nil
}

// saysOtherwise reports that the source says another status by now than a part has, which a run carries over: not only the
// moment from which the mapping measures what is recent.
func (r *recovery) saysOtherwise(ctx context.Context, l *lost, has string) (bool, error) {
	m, err := r.mapAgain(ctx, l.row.Ticket)
	if err != nil || m == nil || m.ticket == nil {
		return false, err
	}
	if r.plain == nil {
		r.plain = r.timeless()
	}
	parts := r.plain.Map(m.ticket).Parts
	return l.row.Number > len(parts) || parts[l.row.Number-1].Conversation.Status != has, nil
}

// planAnew lets the next run plan anew, and bring up what is not as the source says by now.
func (r *recovery) planAnew(ctx context.Context, due bool) error {
	if !due || r.outdated {
		return nil
	}
	r.outdated = true
	return r.store.Set(ctx, factPlanned, "")
}

// withoutFiles takes out of the evidence the files that are due by themselves: they are not there yet.
func withoutFiles(threads []ThreadEvidence, due []checkpoint.Effect) []ThreadEvidence {
	out := slices.Clone(threads)
	for _, ef := range due {
		ev, ok := decodeEffect(ef.Evidence)
		if !ok || ev.Thread >= len(out) {
			continue
		}
		t := &out[ev.Thread]
		if i := slices.Index(t.Files, FileEvidence{Name: ev.Name, Size: ev.Size}); i >= 0 {
			t.Files = slices.Delete(slices.Clone(t.Files), i, i+1)
		}
	}
	return out
}

// further finds another conversation that holds the first of the messages that this one lacks: they were sent already.
func (r *recovery) further(ctx context.Context, l *lost, f *found) (int64, error) {
	ev := l.ev
	ev.Threads = nil
	used := map[threadID]int{}
	for _, t := range l.ev.Threads {
		id := threadID{t.Type, t.At, t.Text}
		if used[id]++; used[id] > f.ids[id] {
			ev.Threads = append(ev.Threads, t)
		}
	}
	return r.mergedInto(ctx, doubt{row: l.row, ev: ev})
}

// elsewhere writes an intent without the messages that another part carries already: the export holds them twice.
func (r *recovery) elsewhere(in *checkpoint.Intent, write func() error) error {
	for {
		err := write()
		var placed *checkpoint.PlacedError
		if !errors.As(err, &placed) {
			return err
		}
		n := len(in.Messages)
		in.Messages = slices.DeleteFunc(slices.Clone(in.Messages), func(m checkpoint.NewMessage) bool { return m.Key == placed.Key })
		if len(in.Messages) == n {
			return err
		}
	}
}

// beyond lists the threads of a conversation that a part does not account for.
func (f *found) beyond(ev Evidence) (out []helpscout.Thread) {
	mine := map[threadID]int{}
	for _, t := range ev.Threads {
		mine[threadID{t.Type, t.At, t.Text}]++
	}
	for _, t := range f.threads {
		id := threadID{t.CreatedType(), t.CreatedAt.Unix(), textDigest(t.Body)}
		if mine[id]--; mine[id] < 0 {
			out = append(out, t)
		}
	}
	return out
}

func (r *recovery) number(n int64) {
	if r.lowest == 0 || n < r.lowest {
		r.lowest = n
	}
}

// missingFiles are the uploads of files that their threads do not show. A thread with as many files as were sent has
// them, whatever the server calls them, and one that the server refused is named in a note.
func (l *lost) missingFiles(f *found) (out []checkpoint.Effect) {
	for _, ef := range l.files {
		ev, ok := decodeEffect(ef.Evidence)
		if !ok {
			continue
		}
		noted := slices.ContainsFunc(f.threads, func(t helpscout.Thread) bool { return strings.Contains(t.Body, ev.SHA) })
		t := nthThread(f.threads, ev.Find, ev.Nth)
		if noted || t != nil && (countFiles(t, ev.Name, ev.Size) > 0 || len(t.Embedded.Attachments) >= l.filesOf(ev.Thread)) {
			continue
		}
		out = append(out, ef)
	}
	return out
}

func (l *lost) filesOf(thread int) (n int) {
	for _, ef := range l.files {
		if ev, ok := decodeEffect(ef.Evidence); ok && ev.Thread == thread {
			n++
		}
	}
	return n
}

// only cuts a part down to the threads that a conversation has: the other messages have come to the source since. What
// names a thread by its place names the new one.
func (l *lost) only(f *found) (ev Evidence, messages []checkpoint.NewMessage, files []checkpoint.Effect) {
	place := map[int]int{}
	used := map[threadID]int{}
	ev = l.ev
	ev.Threads = nil
	for i, t := range l.ev.Threads {
		id := threadID{t.Type, t.At, t.Text}
		if used[id]++; used[id] <= f.ids[id] {
			place[i] = len(ev.Threads)
			ev.Threads = append(ev.Threads, t)
		}
	}
	for _, m := range l.messages {
		if at, there := place[m.Thread]; there {
			m.Thread = at
			messages = append(messages, m)
		}
	}
	for _, ef := range l.missingFiles(f) {
		e, ok := decodeEffect(ef.Evidence)
		if at, there := place[e.Thread]; ok && there {
			e.Thread = at
			ef.Evidence = e.encode()
			files = append(files, ef)
		}
	}
	return ev, messages, files
}

// ambiguous leaves a part in doubt, with the conversation that may be it: it is not sent before a person has looked, or
// the conversation is gone.
func (r *recovery) ambiguous(ctx context.Context, l *lost, id int64, how string) error {
	keep := context.WithoutCancel(ctx)
	now := time.Now()
	in := checkpoint.Intent{Run: r.run, At: now, Evidence: l.ev.encode(), Messages: l.messages}
	if err := r.elsewhere(&in, func() error { return r.store.Begin(keep, l.row.ID, in) }); err != nil {
		return err
	}
	if err := r.store.Doubt(keep, l.row.ID, "recover: ambiguous", now); err != nil {
		return err
	}
	if r.lowest == 0 || id != 0 {
		if c, err := read(ctx, r.engine, func() (*helpscout.Conversation, error) { return r.Client.Conversation(ctx, id, false) }); err == nil {
			r.number(c.Number)
		} else if helpscout.KindOf(err) != helpscout.Rejected {
			return err
		}
	}
	return r.near(keep, doubt{row: l.row}, id, how)
}
