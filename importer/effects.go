package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// Kinds of effects beside a part's own create call; each has an intent row of its own.
const (
	kindUpload = "upload" // an attachment to its thread
	kindAppend = "append" // a thread to a conversation that exists
	kindDelete = "delete" // of a conversation
)

// effectEvidence is what an upload or append can be recognised by when its answer was lost.
type effectEvidence struct {
	Thread int            `json:"i"`           // upload: index in the create call
	Find   ThreadEvidence `json:"t"`           // the thread: to upload to, or that was appended
	Nth    int            `json:"n,omitempty"` // ordinal among threads of equal type, time and text
	SHA    string         `json:"h,omitempty"`
	Name   string         `json:"f,omitempty"`
	MIME   string         `json:"m,omitempty"`
	Size   int64          `json:"z,omitempty"`
	Note   string         `json:"x,omitempty"` // append of a note of ours: its text
	Before int            `json:"b"`           // how many of its like the server showed before the request went out
}

func (ev effectEvidence) encode() []byte {
	b, err := json.Marshal(ev)
	if err != nil {
		return nil
	}
	return b
}

func uploadEffect(out *outgoing, i int, u mapping.Upload) checkpoint.Effect {
	t := out.conv.Threads[u.Thread]
	ev := effectEvidence{
		Thread: u.Thread, Find: ThreadEvidence{Type: t.Type, At: t.CreatedAt.Unix(), Text: textDigest(t.Text)},
		SHA: u.File.Data[len(attachmentSymbol):], Name: u.File.FileName, MIME: u.File.MIMEType, Size: u.Size,
	}
	for _, before := range out.conv.Threads[:u.Thread] {
		if before.Type == t.Type && before.CreatedAt.Equal(t.CreatedAt.Time) && textDigest(before.Text) == ev.Find.Text {
			ev.Nth++
		}
	}
	return checkpoint.Effect{
		PartID: out.row.ID, Kind: kindUpload, Slot: fmt.Sprintf("%04d", i), Digest: ev.SHA, State: checkpoint.Pending,
		Evidence: ev.encode(),
	}
}

// complete performs the pending effects of one created part, in order.
func (e *engine) complete(ctx context.Context, partID int64) error {
	pending, err := e.store.Effects(ctx, checkpoint.EffectFilter{PartID: partID, State: checkpoint.Pending})
	if err != nil || len(pending) == 0 {
		return err
	}
	row, err := e.store.PartByID(ctx, partID)
	if err != nil || row == nil || row.State != checkpoint.Created {
		return err
	}
	m, err := e.mapAgain(ctx, row.Ticket)
	if err != nil || m == nil {
		return err
	}
	threads, err := read(ctx, e, func() ([]helpscout.Thread, error) { return e.Client.Threads(ctx, row.ConversationID) })
	if err != nil {
		return e.gone(ctx, row, pending, err)
	}
	for i := range pending {
		if err := e.halted(ctx); err != nil {
			return err
		}
		if err := e.effect(ctx, row, m, &pending[i], threads); err != nil {
			return err
		}
	}
	return nil
}

// gone rejects the effects of a conversation that is not there any more (merged or deleted by people).
func (e *engine) gone(ctx context.Context, row *checkpoint.Part, pending []checkpoint.Effect, err error) error {
	if helpscout.KindOf(err) != helpscout.Rejected {
		return err
	}
	for _, ef := range pending {
		reason := fmt.Sprintf("conversation %d is not there any more (%v)", row.ConversationID, err)
		if err := e.store.RejectEffect(ctx, ef.ID, helpscout.StatusOf(err), reason, time.Now()); err != nil {
			return err
		}
	}
	return nil
}

// job is one effect made ready: where it goes and with what.
type effectCall struct {
	row  *checkpoint.Part
	ef   *checkpoint.Effect
	ev   effectEvidence
	body *helpscout.Body
	send func(ctx context.Context) (int64, error)
}

func (e *engine) effect(ctx context.Context, row *checkpoint.Part, m *mapped, ef *checkpoint.Effect, threads []helpscout.Thread) error {
	var call *effectCall
	var err error
	switch ef.Kind {
	case kindUpload:
		call, err = e.uploadCall(row, m, ef, threads)
	case kindAppend:
		call, err = e.appendCall(row, m, ef, threads)
	default:
		return nil
	}
	var local *localError
	if errors.As(err, &local) {
		return e.store.RejectEffect(ctx, ef.ID, 0, local.Error(), time.Now())
	}
	if err != nil {
		return err
	}
	return e.perform(ctx, call)
}

// uploadCall finds the thread an attachment belongs to: by type, time and text, and by its ordinal among equals.
func (e *engine) uploadCall(row *checkpoint.Part, m *mapped, ef *checkpoint.Effect, threads []helpscout.Thread) (*effectCall, error) {
	var ev effectEvidence
	if err := json.Unmarshal(ef.Evidence, &ev); err != nil {
		return nil, fmt.Errorf("evidence of upload %d: %w", ef.ID, err)
	}
	target := nthThread(threads, ev.Find, ev.Nth)
	if target == nil {
		return nil, &localError{fmt.Errorf("attachment %s: its thread is not in conversation %d any more", ev.Name, row.ConversationID)}
	}
	files := filesOf(m.plan)
	ev.Before = countFiles(target, ev.Name, ev.Size)
	body, err := helpscout.NewBody(helpscout.NewAttachment{FileName: ev.Name, MIMEType: ev.MIME, Data: attachmentSymbol + ev.SHA}, opener(files))
	if err != nil {
		return nil, &localError{err}
	}
	send := func(ctx context.Context) (int64, error) {
		return 0, e.Client.Upload(ctx, row.ConversationID, target.ID, body)
	}
	return &effectCall{row: row, ef: ef, ev: ev, body: body, send: send}, nil
}

func filesOf(p *mapping.Plan) map[string]*sources.Attachment {
	all := map[string]*sources.Attachment{}
	for _, part := range p.Parts {
		for sum, f := range part.Files {
			all[sum] = f
		}
	}
	return all
}

// appendCall makes the thread of a message that came after its conversation was sent, or a note of ours.
func (e *engine) appendCall(row *checkpoint.Part, m *mapped, ef *checkpoint.Effect, threads []helpscout.Thread) (*effectCall, error) {
	var thread helpscout.NewThread
	var files map[string]*sources.Attachment
	if len(ef.Messages) == 0 {
		var ev effectEvidence
		if err := json.Unmarshal(ef.Evidence, &ev); err != nil {
			return nil, fmt.Errorf("evidence of append %d: %w", ef.ID, err)
		}
		thread = helpscout.NewThread{Type: helpscout.ThreadNote, Text: ev.Note, Imported: true, CreatedAt: helpscout.At(time.Unix(ev.Find.At, 0))}
	} else {
		ts, _, fs, found := e.mapper.Append(m.ticket, map[sources.Key]bool{sources.Key(ef.Messages[0].Key): true})
		e.rep.Findings.Add(found...)
		if len(ts) == 0 {
			return nil, &localError{fmt.Errorf("message %s is left out by the mapping", ef.Messages[0].Key)}
		}
		thread, files = ts[0], fs
	}
	ev := effectEvidence{Find: ThreadEvidence{Type: thread.Type, At: thread.CreatedAt.Unix(), Text: textDigest(thread.Text), User: thread.User}, Note: noteText(ef, thread)}
	ev.Before = countThreads(threads, ev.Find)
	kind := thread.Type
	thread.Type = ""
	body, err := helpscout.NewBody(thread, opener(files))
	if err != nil {
		return nil, &localError{err}
	}
	send := func(ctx context.Context) (int64, error) {
		return e.Client.AppendThread(ctx, row.ConversationID, kind, body)
	}
	return &effectCall{row: row, ef: ef, ev: ev, body: body, send: send}, nil
}

func noteText(ef *checkpoint.Effect, t helpscout.NewThread) string {
	if len(ef.Messages) > 0 {
		return ""
	}
	return t.Text
}

// perform is the protocol of every effect: quota, intent, request, result.
func (e *engine) perform(ctx context.Context, c *effectCall) error {
	first, release, err := e.firstOfKind(ctx, c.ef.Kind)
	if err != nil {
		return err
	}
	defer release()
	for {
		if err := e.reachable(ctx); err != nil {
			return err
		}
		if err := e.Quota.Write(ctx); err != nil {
			return err
		}
		if err := e.halted(ctx); err != nil {
			return err
		}
		keep := context.WithoutCancel(ctx)
		if err := e.store.BeginEffect(keep, c.ef.ID, e.run, time.Now(), c.ev.encode()); err != nil {
			return err
		}
		id, err := c.send(e.hard)
		again, err := e.effectResult(keep, c, id, err)
		switch {
		case err != nil:
			return err
		case !again && first:
			return e.readBackKind(ctx, c.ef.Kind)
		case !again:
			return nil
		}
	}
}

func (e *engine) effectResult(ctx context.Context, c *effectCall, id int64, err error) (again bool, _ error) {
	if err == nil {
		e.out.applied()
		e.effectDone(c.ef.Kind)
		return false, e.store.DoneEffect(ctx, c.ef.ID, id, time.Now())
	}
	switch helpscout.KindOf(err) {
	case helpscout.Wait:
		if berr := e.store.BackEffect(ctx, c.ef.ID, err.Error()); berr != nil {
			return false, berr
		}
		if helpscout.StatusOf(err) == 0 {
			e.out.refused()
		} else if _, patient := e.out.pause(e.patience()); !patient {
			return false, stopf(ExitLeft, "everything is saved; try again later", "the server has refused every write for %s (%v)", e.patience(), err)
		}
		return true, nil
	case helpscout.Stop:
		if berr := e.store.BackEffect(ctx, c.ef.ID, err.Error()); berr != nil {
			return false, berr
		}
		return false, authStop(err)
	case helpscout.Rejected:
		e.out.applied()
		if rerr := e.store.RejectEffect(ctx, c.ef.ID, helpscout.StatusOf(err), err.Error(), time.Now()); rerr != nil {
			return false, rerr
		}
		return false, e.noteInstead(ctx, c, err)
	}
	if derr := e.store.DoubtEffect(ctx, c.ef.ID, err.Error(), time.Now()); derr != nil {
		return false, derr
	}
	if n := e.out.doubt(); n >= doubtsAtMost {
		return false, stopf(ExitLeft, "everything is saved", "the last %d writes got no answer that says what became of them (%v)", n, err)
	}
	return false, nil
}

// noteInstead names an attachment that the server would not take in a note: nothing is dropped in silence.
func (e *engine) noteInstead(ctx context.Context, c *effectCall, err error) error {
	if c.ef.Kind != kindUpload {
		return nil
	}
	e.counted(func(*Conversations) { e.rep.Summary.Attachments.Noted++ })
	text := fmt.Sprintf("Attachment not imported: %s (%d bytes, SHA-256 %s). The server answered: %s",
		html.EscapeString(c.ev.Name), c.ev.Size, c.ev.SHA, html.EscapeString(err.Error()))
	ev := effectEvidence{Find: ThreadEvidence{Type: helpscout.ThreadNote, At: c.ev.Find.At, Text: textDigest(text)}, Note: text}
	if aerr := e.store.AddEffects(ctx, []checkpoint.Effect{{
		PartID: c.row.ID, Kind: kindAppend, Slot: "note:" + c.ef.Slot, State: checkpoint.Pending, Evidence: ev.encode(),
	}}); aerr != nil {
		return aerr
	}
	return nil
}

func (e *engine) effectDone(kind string) {
	e.counted(func(*Conversations) {
		switch kind {
		case kindUpload:
			e.rep.Summary.Attachments.Uploaded++
		case kindAppend:
			e.rep.Summary.Threads.Appended++
		}
	})
}

// counted changes the summary's counts under the lock that all workers share.
func (e *engine) counted(f func(*Conversations)) {
	e.telling.Lock()
	defer e.telling.Unlock()
	f(&e.rep.Summary.Conversations)
}

// nthThread finds a thread by type, time and text; among equals the oldest id comes first, as they were sent.
func nthThread(threads []helpscout.Thread, want ThreadEvidence, nth int) *helpscout.Thread {
	equal := matchThreads(threads, want, true)
	if len(equal) == 0 {
		equal = matchThreads(threads, want, false) // the server rewrote the text
	}
	if nth < len(equal) {
		return equal[nth]
	}
	return nil
}

// matchThreads lists the threads of one type and second (and text), by id.
func matchThreads(threads []helpscout.Thread, want ThreadEvidence, text bool) (out []*helpscout.Thread) {
	for i := range threads {
		t := &threads[i]
		if t.CreatedType() == want.Type && t.CreatedAt.Unix() == want.At && (!text || textDigest(t.Body) == want.Text) {
			out = append(out, t)
		}
	}
	for i := 1; i < len(out); i++ {
		for j := i; j > 0 && out[j].ID < out[j-1].ID; j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

func countThreads(threads []helpscout.Thread, want ThreadEvidence) int {
	return len(matchThreads(threads, want, true))
}

func countFiles(t *helpscout.Thread, name string, size int64) (n int) {
	for _, a := range t.Embedded.Attachments {
		if a.FileName == name && (a.Size == size || a.Size == 0) {
			n++
		}
	}
	return n
}

// sweep performs every pending effect of parts that exist: uploads that a crash or a lost answer left behind, threads
// that came with a newer export.
func (e *engine) sweep(ctx context.Context) error {
	done := map[int64]bool{}
	for _, kind := range []string{kindUpload, kindAppend} {
		for {
			ids, err := e.store.PartsWithEffects(ctx, kind, checkpoint.Pending, 200)
			if err != nil {
				return err
			}
			fresh := 0
			for _, id := range ids {
				if done[id] {
					continue
				}
				done[id] = true
				fresh++
				if err := e.complete(ctx, id); err != nil {
					return err
				}
			}
			if fresh == 0 {
				break
			}
		}
	}
	return nil
}
