package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"slices"
	"strings"
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
	kindStatus = "status" // of a conversation: what the source says by now
	kindRelink = "relink" // of a thread: links to old tickets that lead to the new conversations
)

// effectEvidence is what an upload or append can be recognised by when its answer was lost.
type effectEvidence struct {
	Thread int            `json:"i"`           // upload: index in the create call
	Find   ThreadEvidence `json:"t"`           // the thread: to upload to, or that was appended
	Nth    int            `json:"n,omitempty"` // ordinal among threads of equal type, time and text
	NthAt  int            `json:"a,omitempty"` // ordinal among threads of equal type and time
	SHA    string         `json:"h,omitempty"`
	Name   string         `json:"f,omitempty"`
	MIME   string         `json:"m,omitempty"`
	Size   int64          `json:"z,omitempty"`
	Note   string         `json:"x,omitempty"` // append of a note of ours: its text
	Before int            `json:"b"`           // how many of its like the server showed before the request went out

	Append   int64  `json:"p,omitempty"`  // upload: the effect that appended the thread; 0: the create call brought it
	ThreadID int64  `json:"ti,omitempty"` // Help Scout's id of the thread, where it is known
	To       string `json:"to,omitempty"` // status: what it becomes
	Source   string `json:"ss,omitempty"` // status: what the source says, see sourceSign
	Kept     string `json:"k,omitempty"`  // a change that was not made, and why: it is settled all the same
	Links    int    `json:"l,omitempty"`  // relink: how many; the digests of the text before and after
	Old      string `json:"ot,omitempty"`
	New      string `json:"nt,omitempty"`
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
		if before.Type == t.Type && before.CreatedAt.Equal(t.CreatedAt.Time) {
			ev.NthAt++
			if textDigest(before.Text) == ev.Find.Text {
				ev.Nth++
			}
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
	if err != nil || row == nil || e.chosen != nil && !e.chosen[row.Ticket] {
		return err
	}
	pending = slices.DeleteFunc(pending, func(ef checkpoint.Effect) bool {
		return ef.Kind == kindDelete || ef.Kind == kindRelink || (ef.Kind == kindStatus || ef.Kind == kindAppend && len(ef.Messages) > 0) && e.enough()
	})
	switch {
	case row.State == checkpoint.Rejected:
		return e.refuseEffects(ctx, pending, row.Status, "its conversation was rejected: "+row.Reason)
	case row.State != checkpoint.Created || len(pending) == 0:
		return nil
	}
	m, why, err := e.remap(ctx, row.Ticket)
	if err != nil {
		return err
	}
	if why != "" {
		return e.refuseEffects(ctx, pending, 0, why)
	}
	var c *helpscout.Conversation
	var threads []helpscout.Thread
	if slices.ContainsFunc(pending, func(ef checkpoint.Effect) bool { return ef.Kind != kindStatus }) { // that reads for itself
		if c, threads, err = e.standing(ctx, row, pending); err != nil {
			return e.gone(ctx, row, pending, err)
		}
	}
	movedOn := false
	for i := range pending {
		if err := e.halted(ctx); err != nil {
			return err
		}
		if movedOn && isMessage(&pending[i]) {
			continue
		}
		call := &effectCall{row: row, ef: &pending[i], now: c, m: m}
		if err := e.effect(ctx, call, m, threads); err != nil {
			return err
		}
		movedOn = movedOn || call.movedOn
	}
	return nil
}

// isMessage tells the append of a message, and of what there is to remark about it, from other notes.
func isMessage(ef *checkpoint.Effect) bool {
	return ef.Kind == kindAppend && strings.HasPrefix(ef.Slot, messageSlot)
}

// standing reads the threads of a conversation, and where something is appended the conversation itself: a thread keeps
// the status that people have given it meanwhile.
func (e *engine) standing(ctx context.Context, row *checkpoint.Part, pending []checkpoint.Effect) (c *helpscout.Conversation, threads []helpscout.Thread, err error) {
	if slices.ContainsFunc(pending, func(ef checkpoint.Effect) bool { return ef.Kind == kindAppend }) {
		return e.fetch(ctx, row.ConversationID)
	}
	threads, err = read(ctx, e, func() ([]helpscout.Thread, error) { return e.Client.Threads(ctx, row.ConversationID) })
	return nil, threads, err
}

// gone rejects the effects of a conversation that is not there any more (merged or deleted by people).
func (e *engine) gone(ctx context.Context, row *checkpoint.Part, pending []checkpoint.Effect, err error) error {
	if helpscout.KindOf(err) != helpscout.Rejected {
		return err
	}
	return e.refuseEffects(ctx, pending, helpscout.StatusOf(err), fmt.Sprintf("conversation %d is not there any more (%v)", row.ConversationID, err))
}

// refuseEffect notes that an effect will not be applied; a person is told at once.
func (e *engine) refuseEffect(ctx context.Context, ef *checkpoint.Effect, status int, why string) error {
	e.tell(Event{Kind: EventRejected, Key: e.ticketOf(ctx, ef.PartID), Text: effectName(ef) + ": " + why})
	if err := e.store.RejectEffect(context.WithoutCancel(ctx), ef.ID, status, why, time.Now()); err != nil {
		return err
	}
	return e.effectAnswer(ctx, ef, string(checkpoint.Rejected), status, why)
}

// effectName is what people call an effect.
func effectName(ef *checkpoint.Effect) string {
	var ev effectEvidence
	_ = json.Unmarshal(ef.Evidence, &ev) // without evidence it has no name
	switch {
	case ef.Kind == kindUpload:
		return fmt.Sprintf("attachment %q", ev.Name)
	case ef.Kind == kindAppend && len(ef.Messages) > 0:
		return "message " + ef.Messages[0].Key + ", which came after its conversation was sent"
	case ef.Kind == kindAppend:
		return "a note about an attachment"
	case ef.Kind == kindStatus:
		return "the status " + ev.To
	case ef.Kind == kindRelink:
		return "links to other tickets in the " + ev.Find.Type + " of " + stamp(ev.Find.At)
	}
	return "a conversation that was to be deleted"
}

// effectCall is one effect on its way: where it goes and with what.
type effectCall struct {
	row     *checkpoint.Part
	now     *helpscout.Conversation // as it stands, for what is appended
	ef      *checkpoint.Effect
	ev      effectEvidence
	people  *helpscout.NewConversation // whose addresses it may create
	send    func(ctx context.Context) (int64, error)
	done    func(ctx context.Context) error // notes that it was applied; nil: as an effect that brings something new
	applied bool

	m       *mapped
	thread  helpscout.NewThread // of an append
	files   map[string]*sources.Attachment
	movedOn bool // the conversation takes no more threads: its messages become a further part
}

func (e *engine) effect(ctx context.Context, call *effectCall, m *mapped, threads []helpscout.Thread) error {
	if came, err := e.cameLate(ctx, call.ef, threads); err != nil || came {
		return err
	}
	var err error
	switch call.ef.Kind {
	case kindUpload:
		err = e.uploadCall(ctx, call, m, threads)
	case kindAppend:
		if isMessage(call.ef) && visible(threads) >= fullAt {
			return e.moveOn(ctx, call)
		}
		err = e.readyAppend(ctx, call, m, threads)
	case kindStatus:
		return e.changeStatus(ctx, call)
	default:
		return nil
	}
	if errors.Is(err, errNotYet) {
		return nil
	}
	var local *localError
	if errors.As(err, &local) {
		return e.refuseEffect(ctx, call.ef, 0, local.Error())
	}
	if err != nil {
		return err
	}
	return e.perform(ctx, call)
}

// cameLate notices that a request which was given up, and whose absence was proven, has been applied after all before
// it is sent again.
func (e *engine) cameLate(ctx context.Context, ef *checkpoint.Effect, threads []helpscout.Thread) (bool, error) {
	var ev effectEvidence
	if ef.Attempts == 0 || json.Unmarshal(ef.Evidence, &ev) != nil {
		return false, nil
	}
	shown, id := e.shown(ef.Kind, ev, threads)
	owned, err := e.ownedLike(ctx, ef, ev)
	if err != nil || shown <= owned {
		return false, err
	}
	ctx = context.WithoutCancel(ctx)
	if err := e.store.BeginEffect(ctx, ef.ID, e.run, time.Now(), nil); err != nil {
		return false, err
	}
	e.effectDone(ef.Kind)
	return true, e.store.DoneEffect(ctx, ef.ID, id, time.Now())
}

// uploadCall finds the thread an attachment belongs to: by type, time and text, and by its ordinal among equals.
func (e *engine) uploadCall(ctx context.Context, call *effectCall, m *mapped, threads []helpscout.Thread) error {
	row, ef := call.row, call.ef
	var ev effectEvidence
	if err := json.Unmarshal(ef.Evidence, &ev); err != nil {
		return fmt.Errorf("evidence of upload %d: %w", ef.ID, err)
	}
	if err := e.appendedFor(ctx, ef, &ev); err != nil {
		return err
	}
	target := targetThread(threads, ev)
	if target == nil && ev.Append != 0 { // it was appended a moment ago
		var err error
		threads, err = read(ctx, e, func() ([]helpscout.Thread, error) { return e.Client.Threads(ctx, row.ConversationID) })
		if err != nil {
			return err
		}
		target = targetThread(threads, ev)
	}
	if target == nil {
		return &localError{fmt.Errorf("attachment %s: its thread is not in conversation %d any more", ev.Name, row.ConversationID)}
	}
	files := filesOf(m.plan)
	ev.Before = countFiles(target, ev.Name, ev.Size)
	body, err := helpscout.NewBody(helpscout.NewAttachment{FileName: ev.Name, MIMEType: ev.MIME, Data: attachmentSymbol + ev.SHA}, opener(files))
	if err != nil {
		return &localError{err}
	}
	call.ev = ev
	call.send = func(ctx context.Context) (int64, error) {
		return 0, e.Client.Upload(ctx, row.ConversationID, target.ID, body)
	}
	return nil
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

// perform is the protocol of every effect: quota, intent, request, result.
func (e *engine) perform(ctx context.Context, c *effectCall) error {
	first, release, err := e.firstOfKind(ctx, c.ef.Kind)
	if err != nil {
		return err
	}
	defer release()
	if c.people != nil {
		free, err := e.seen.lock(ctx, c.people)
		if err != nil {
			return err
		}
		defer func() { free(c.applied) }()
	}
	for {
		if err := e.reachable(ctx); err != nil {
			return err
		}
		if err := e.mayWrite(ctx); err != nil {
			return err
		}
		if err := e.halted(ctx); err != nil {
			return err
		}
		keep := context.WithoutCancel(ctx)
		err := e.store.BeginEffect(keep, c.ef.ID, e.run, time.Now(), c.ev.encode())
		var placed *checkpoint.PlacedError
		if errors.As(err, &placed) {
			return e.refuseEffect(ctx, c.ef, 0, "ticket "+e.ticketOf(ctx, placed.Part)+" carries it already")
		}
		if err != nil {
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
		c.applied = true
		if c.done != nil {
			return false, c.done(ctx)
		}
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
		if again, ok, oerr := e.otherWay(ctx, c, helpscout.StatusOf(err)); ok || oerr != nil {
			return again, oerr
		}
		if nerr := e.noteInstead(ctx, c, err); nerr != nil { // first, so that no crash can come between
			return false, nerr
		}
		return false, e.refuseEffect(ctx, c.ef, helpscout.StatusOf(err), err.Error())
	}
	if derr := e.store.DoubtEffect(ctx, c.ef.ID, err.Error(), time.Now()); derr != nil {
		return false, derr
	}
	if nerr := e.effectAnswer(ctx, c.ef, string(checkpoint.InDoubt), helpscout.StatusOf(err), err.Error()); nerr != nil {
		return false, nerr
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
			e.rep.Summary.Changes.Threads++
		}
	})
}

// counted changes the summary's counts under the lock that all workers share.
func (e *engine) counted(f func(*Conversations)) {
	e.telling.Lock()
	defer e.telling.Unlock()
	f(&e.rep.Summary.Conversations)
}

// targetThread finds the thread of an upload; where the server has rewritten the text, by type and time.
func targetThread(threads []helpscout.Thread, ev effectEvidence) *helpscout.Thread {
	if i := slices.IndexFunc(threads, func(t helpscout.Thread) bool { return t.ID == ev.ThreadID }); i >= 0 && ev.ThreadID != 0 {
		return &threads[i]
	}
	if len(matchThreads(threads, ev.Find, true)) > 0 {
		return nthThread(threads, ev.Find, ev.Nth)
	}
	if equal := matchThreads(threads, ev.Find, false); ev.NthAt < len(equal) {
		return equal[ev.NthAt]
	}
	return nil
}

// nthThread finds a thread by type, time and text; among equals the oldest id comes first, as they were sent.
func nthThread(threads []helpscout.Thread, want ThreadEvidence, nth int) *helpscout.Thread {
	equal := matchThreads(threads, want, true)
	if len(equal) == 0 {
		equal = matchThreads(threads, want, false)
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
