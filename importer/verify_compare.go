package importer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// expected is what a conversation ought to hold: what its create call carried, and what was appended and uploaded.
type expected struct {
	Evidence
	known bool
	last  time.Time // when this job last wrote to it
}

// expect gathers it from the checkpoint.
func (e *engine) expect(ctx context.Context, row *checkpoint.Part) (out expected, err error) {
	out.Evidence, out.known = decodeEvidence(row.Evidence)
	out.last = row.DoneAt
	if !out.known {
		return out, nil
	}
	effects, err := e.store.Effects(ctx, checkpoint.EffectFilter{PartID: row.ID, State: checkpoint.Created})
	if err != nil {
		return out, err
	}
	appended := map[int64]int{} // the place of a thread that an effect has brought
	for i := range effects {
		ev, ok := decodeEffect(effects[i].Evidence)
		if at := effects[i].DoneAt; at.After(out.last) {
			out.last = at
		}
		switch {
		case !ok:
		case effects[i].Kind == kindAppend:
			appended[effects[i].ID] = len(out.Threads)
			out.Threads = append(out.Threads, ev.Find)
		case effects[i].Kind == kindUpload:
			at := ev.Thread
			if ev.Append != 0 {
				at = appended[ev.Append]
			}
			if at < 0 || at >= len(out.Threads) {
				continue
			}
			t := &out.Threads[at]
			t.Files = append(t.Files[:len(t.Files):len(t.Files)], FileEvidence{Name: ev.Name, Size: ev.Size})
		}
	}
	return out, nil
}

// one looks at one conversation: its head, and its threads where they are asked for or the head is not as it was sent.
func (v *verifier) one(ctx context.Context, row *checkpoint.Part, c *helpscout.Conversation, listed, deep bool) (Checked, error) {
	out := Checked{
		MessageType: "checked", Symbol: AsSent, Key: row.Ticket, ID: row.LegacyID, Part: row.Number, Parts: row.Of,
		Conversation: row.ConversationID, URL: conversationURL(v.origin, row.ConversationID),
	}
	want, err := v.expect(ctx, row)
	if err != nil {
		return out, err
	}
	if !listed {
		c, err = read(ctx, v.engine, func() (*helpscout.Conversation, error) { return v.Client.Conversation(ctx, row.ConversationID, false) })
		if err != nil {
			return out, v.notThere(ctx, &out, want, err)
		}
	}
	if !want.known {
		out.Symbol, out.Differences = Unclear, []string{"it is there, but there is no record of what was sent"}
		return out, nil
	}
	head := headDifferences(want.Evidence, c)
	if !deep && len(head) == 0 && c.ThreadCount == len(want.Threads) {
		return out, nil
	}
	threads, err := read(ctx, v.engine, func() ([]helpscout.Thread, error) { return v.Client.Threads(ctx, c.ID) })
	if err != nil {
		if helpscout.KindOf(err) == helpscout.Rejected {
			return out, v.notThere(ctx, &out, want, err)
		}
		return out, err
	}
	out.Threads = true
	lost, more := compareThreads(want.Threads, threads)
	out.Differences = append(head, lost...)
	switch {
	case len(out.Differences) == 0 && more == 0:
	case len(lost) == 0 && (more > 0 || traces(threads) || c.UserUpdatedAt.After(want.last.Add(clocksDiffer))):
		out.Symbol = GoneOn
		if more > 0 {
			out.Differences = append(out.Differences, plural(more, "thread", "threads")+" came since")
		}
	default:
		out.Symbol = Differs
	}
	return out, nil
}

// notThere tells a conversation that is gone from one that was merged, whose threads live on in another one.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/get
func (v *verifier) notThere(ctx context.Context, out *Checked, want expected, err error) error {
	switch helpscout.StatusOf(err) {
	case 404:
		out.Symbol, out.Differences = Absent, []string{"it is not there any more"}
		return nil
	case 301:
	default:
		return err
	}
	into := helpscout.IDFromLocation(locationOf(err))
	out.Symbol, out.Differences = GoneOn, []string{fmt.Sprintf("it was merged into conversation %d", into)}
	if into == 0 || !want.known {
		return nil
	}
	threads, err := read(ctx, v.engine, func() ([]helpscout.Thread, error) { return v.Client.Threads(ctx, into) })
	if err != nil {
		if helpscout.KindOf(err) == helpscout.Rejected {
			out.Symbol, out.Differences = Differs, append(out.Differences, "which cannot be read: "+err.Error())
			return nil
		}
		return err
	}
	out.Threads = true
	if lost, _ := compareThreads(want.Threads, threads); len(lost) > 0 {
		out.Symbol, out.Differences = Differs, append(out.Differences, lost...)
	}
	return nil
}

func locationOf(err error) string {
	var he *helpscout.Error
	if errors.As(err, &he) {
		return he.Location
	}
	return ""
}

// headDifferences compares what a list shows but for the threads.
func headDifferences(ev Evidence, c *helpscout.Conversation) []string {
	ev.Threads = nil
	fatal, other := differences(ev, c, nil)
	return append(fatal, other...)
}

// clocksDiffer is how far the server's clock may be ahead of ours: what a person did is known by its time.
const clocksDiffer = 5 * time.Minute

// traces reports that people or workflows have done something to a conversation: the service notes it as line items.
func traces(threads []helpscout.Thread) bool {
	for _, t := range threads {
		if t.Type == "lineitem" {
			return true
		}
	}
	return false
}

// compareThreads says what of the threads that were sent is not there as it was sent, and how many are there that were
// not sent. Threads of one type, time and text are interchangeable.
func compareThreads(want []ThreadEvidence, got []helpscout.Thread) (lost []string, more int) {
	used := make([]bool, len(got))
	var rest []ThreadEvidence
	for _, w := range want {
		if i := findThread(w, got, used, true); i >= 0 {
			used[i] = true
			lost = append(lost, threadDetails(w, &got[i])...)
		} else {
			rest = append(rest, w)
		}
	}
	for _, w := range rest {
		i := findThread(w, got, used, false)
		if i < 0 {
			lost = append(lost, fmt.Sprintf("the %s of %s is missing", w.Type, stamp(w.At)))
			continue
		}
		used[i] = true
		lost = append(lost, fmt.Sprintf("the text of the %s of %s is another", w.Type, stamp(w.At)))
		lost = append(lost, threadDetails(w, &got[i])...)
	}
	for i := range got {
		if !used[i] && got[i].Type != "lineitem" {
			more++
		}
	}
	return lost, more
}

// findThread prefers, among threads of one type, time and text, one with the files that were sent.
func findThread(w ThreadEvidence, got []helpscout.Thread, used []bool, text bool) int {
	best := -1
	for i := range got {
		t := &got[i]
		if used[i] || t.CreatedType() != w.Type || t.CreatedAt.Unix() != w.At || text && textDigest(t.Body) != w.Text {
			continue
		}
		if best < 0 || len(threadDetails(w, t)) < len(threadDetails(w, &got[best])) {
			best = i
		}
	}
	return best
}

// threadDetails compares author and files of a thread.
func threadDetails(w ThreadEvidence, t *helpscout.Thread) (out []string) {
	name := fmt.Sprintf("the %s of %s", w.Type, stamp(w.At))
	if by := t.CreatedBy; by != nil {
		if w.User != 0 && by.ID != 0 && by.ID != w.User {
			out = append(out, fmt.Sprintf("%s is by user %d instead of %d", name, by.ID, w.User))
		}
		if w.Email != "" && by.Email != "" && !strings.EqualFold(by.Email, w.Email) {
			out = append(out, fmt.Sprintf("%s is by %s instead of %s", name, by.Email, w.Email))
		}
	}
	files := map[FileEvidence]int{}
	for _, a := range t.Embedded.Attachments {
		files[FileEvidence{a.FileName, a.Size}]++
	}
	for _, f := range w.Files {
		key := f
		if files[key] == 0 {
			key.Size = 0 // the server does not say it
		}
		if files[key]--; files[key] < 0 {
			out = append(out, fmt.Sprintf("%s lacks the attachment %q of %d bytes", name, f.Name, f.Size))
		}
	}
	return out
}

var errNoSource = errors.New("this command reads no source")

// noSource is the source of what needs none.
type noSource struct{}

func (noSource) Kind() string                 { return "" }
func (noSource) KeyRule() string              { return "" }
func (noSource) Len() int                     { return 0 }
func (noSource) Entry(int) sources.Entry      { return sources.Entry{} }
func (noSource) Find(sources.Key) (int, bool) { return 0, false }
func (noSource) Ledger() *sources.Ledger      { return &sources.Ledger{} }
func (noSource) Digest() string               { return "" }
func (noSource) Close() error                 { return nil }
func (noSource) Ticket(context.Context, int) (*sources.Ticket, error) {
	return nil, &sources.RecordError{Err: errNoSource}
}
