package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// A second pass lets links between old tickets lead to the new conversations. Which texts hold such links is known from
// the source, without a call; the text that is changed is the one that the account shows. Only where a link leads is
// changed, never a word that people read, so that whatever recognises a thread by its text still does. A thread whose
// text people have edited stays. The service keeps the text as it was and shows it beside the new one.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/update

// relink plans the changes and makes them; where only a retry asks for it, it makes those that were planned.
func (e *engine) relink(ctx context.Context) error {
	if !e.Options.Relink && !e.linking || e.overTime() {
		return nil
	}
	r := &relinker{engine: e, found: map[string]string{}}
	if err := r.index(ctx); err != nil {
		return err
	}
	if e.Options.Relink {
		if err := r.lookAll(ctx); err != nil {
			return err
		}
	}
	for range 2 * maxAbsences { // what is proven absent is sent again
		if err := r.perform(ctx); err != nil {
			return err
		}
		again, err := e.settleEffects(ctx)
		if err != nil || !again {
			return err
		}
	}
	return nil
}

// lookAll plans the changes of all texts.
func (r *relinker) lookAll(ctx context.Context) error {
	r.tell(Event{Kind: EventPhase, Text: "looking for links between old tickets"})
	if _, err := r.store.DropUnsent(ctx, kindRelink, ""); err != nil {
		return err
	}
	if err := mapAll(ctx, r.Source, r.mapper, func(m mapped) error { return r.look(ctx, m) }); err != nil {
		return err
	}
	return r.store.AddEffects(ctx, r.effects)
}

// relinker finds where links lead.
type relinker struct {
	*engine
	byNumber map[string]string // old numbers that are no keys: the ticket
	found    map[string]string // guarded by telling: what was asked for already
	effects  []checkpoint.Effect
}

// index learns the old numbers that do not name a ticket by its key.
func (r *relinker) index(ctx context.Context) error {
	r.byNumber = map[string]string{}
	for row, err := range r.store.InState(ctx, checkpoint.Created) {
		if err != nil {
			return err
		}
		if row.LegacyID != "" && row.Number == 1 && !slices.Contains(ticketKeys(row.LegacyID), row.Ticket) {
			r.byNumber[row.LegacyID] = row.Ticket
		}
	}
	return nil
}

// target is the address of the conversation that an old ticket has become, or "".
func (r *relinker) target(ctx context.Context) (func(id string) string, *error) {
	var failed error
	return func(id string) string {
		if id == "" || failed != nil {
			return ""
		}
		r.telling.Lock()
		to, ok := r.found[id]
		r.telling.Unlock()
		if ok {
			return to
		}
		keys := append(ticketKeys(id), r.byNumber[id])
		if number, ok := strings.CutPrefix(id, "#"); ok { // people write the number that they knew
			keys = append([]string{r.byNumber[number]}, ticketKeys(number)...)
		}
		for _, key := range keys {
			if key == "" {
				continue
			}
			rows, err := r.store.PartsOf(ctx, key)
			if err != nil {
				failed = err
				return ""
			}
			if i := slices.IndexFunc(rows, func(p checkpoint.Part) bool { return p.State == checkpoint.Created }); i >= 0 {
				to = conversationURL(r.origin, rows[i].ConversationID)
				break
			}
		}
		r.telling.Lock()
		defer r.telling.Unlock()
		if len(r.found) < 1<<20 {
			r.found[id] = to
		}
		return to
	}, &failed
}

// look plans the changes of one ticket's texts.
func (r *relinker) look(ctx context.Context, m mapped) error {
	if m.plan == nil || m.ticket == nil {
		return nil
	}
	target, failed := r.target(ctx)
	var rows map[string]checkpoint.Message
	sent := map[int64]*sentThreads{}
	for _, part := range m.plan.Parts {
		for i, th := range part.Conversation.Threads {
			var leads []string
			_, n := r.links.rewrite(th.Text, func(id string) string {
				to := target(id)
				if to != "" {
					leads = append(leads, id+" "+to)
				}
				return to
			})
			if *failed != nil {
				return *failed
			}
			carried := slices.IndexFunc(part.Messages, func(c mapping.Carried) bool { return c.Thread == i })
			if n == 0 || carried < 0 {
				continue
			}
			if rows == nil {
				var err error
				if rows, err = r.store.Messages(ctx, messageKeys(m.ticket)); err != nil {
					return err
				}
			}
			if err := r.intend(ctx, rows[string(part.Messages[carried].Message)], sent, leads); err != nil {
				return err
			}
		}
	}
	return nil
}

func messageKeys(t *sources.Ticket) (keys []string) {
	for _, m := range t.Messages {
		keys = append(keys, string(m.Key))
	}
	return keys
}

// intend plans the change of one thread. Its slot names where the links lead: it is done once, and again only when more of
// them lead somewhere.
func (r *relinker) intend(ctx context.Context, m checkpoint.Message, sent map[int64]*sentThreads, leads []string) error {
	s, known := sent[m.PartID]
	if !known && m.PartID != 0 {
		row, err := r.store.PartByID(ctx, m.PartID)
		if err != nil {
			return err
		}
		if row != nil && row.State == checkpoint.Created {
			if s, err = r.sentOf(ctx, row); err != nil {
				return err
			}
		}
		sent[m.PartID] = s
	}
	if s == nil {
		return nil
	}
	t := s.of(m)
	if t == nil {
		return nil
	}
	find := t.ThreadEvidence
	find.Files = nil
	ev := effectEvidence{Thread: t.index, Find: find, Nth: t.nth, NthAt: t.nthAt, Append: t.append, ThreadID: t.id}
	sum := rawDigest(strings.Join(leads, "\n"))
	r.effects = append(r.effects, checkpoint.Effect{
		PartID: m.PartID, Kind: kindRelink, Slot: fmt.Sprintf("%d:%d:%s", t.index, t.append, sum), Digest: sum,
		State: checkpoint.Pending, Evidence: ev.encode(),
	})
	return nil
}

func rawDigest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:12])
}

// perform makes the changes that are due, each conversation by one worker.
func (r *relinker) perform(ctx context.Context) error {
	ids, err := r.store.PartsWithEffects(ctx, kindRelink, checkpoint.Pending, 0)
	if err != nil || len(ids) == 0 {
		return err
	}
	r.tell(Event{Kind: EventPhase, Text: fmt.Sprintf("leading links to the new conversations, in %s", plural(len(ids), "conversation", "conversations"))})
	p := newPool(r.workers)
	for _, id := range ids {
		if r.halted(ctx) != nil || r.overTime() {
			break
		}
		p.run(func() {
			if err := r.conversation(ctx, id); err != nil {
				r.stop.set(asStop(err))
			}
		})
	}
	_ = p.g.Wait() // its functions return no error
	return r.halted(ctx)
}

func (r *relinker) conversation(ctx context.Context, part int64) error {
	pending, err := r.store.Effects(ctx, checkpoint.EffectFilter{PartID: part, Kind: kindRelink, State: checkpoint.Pending})
	if err != nil {
		return err
	}
	row, err := r.store.PartByID(ctx, part)
	if err != nil || row == nil || row.State != checkpoint.Created || r.chosen != nil && !r.chosen[row.Ticket] {
		return err
	}
	threads, err := read(ctx, r.engine, func() ([]helpscout.Thread, error) { return r.Client.Threads(ctx, row.ConversationID) })
	if err != nil {
		return r.gone(ctx, row, pending, err)
	}
	for i := range pending {
		if err := r.halted(ctx); err != nil {
			return err
		}
		if err := r.thread(ctx, row, &pending[i], threads); err != nil {
			return err
		}
	}
	return nil
}

// thread changes one text, or notes why it stays.
func (r *relinker) thread(ctx context.Context, row *checkpoint.Part, ef *checkpoint.Effect, threads []helpscout.Thread) error {
	call := &effectCall{row: row, ef: ef}
	if err := json.Unmarshal(ef.Evidence, &call.ev); err != nil {
		return fmt.Errorf("evidence of relink %d: %w", ef.ID, err)
	}
	t := targetThread(threads, call.ev)
	switch {
	case t == nil:
		return r.leave(ctx, call, "it is not there any more")
	case textDigest(t.Body) != call.ev.Find.Text:
		return r.leave(ctx, call, "people have edited it")
	}
	target, failed := r.target(ctx)
	text, n := r.links.rewrite(t.Body, target)
	if *failed != nil {
		return *failed
	}
	call.ev.ThreadID, call.ev.Links, call.ev.Old, call.ev.New = t.ID, n, rawDigest(t.Body), rawDigest(text)
	if n == 0 {
		return r.leave(ctx, call, "")
	}
	call.send = func(ctx context.Context) (int64, error) {
		return 0, r.Client.Patch(ctx, fmt.Sprintf("/v2/conversations/%d/threads/%d", row.ConversationID, t.ID), "replace", "/text", text)
	}
	call.done = func(ctx context.Context) error { return r.relinked(ctx, ef, call.ev) }
	return r.engine.perform(ctx, call)
}

// leave notes that a text stays as it is.
func (r *relinker) leave(ctx context.Context, call *effectCall, why string) error {
	ctx = context.WithoutCancel(ctx)
	call.ev.Kept, call.ev.Links = why, 0
	if err := r.store.BeginEffect(ctx, call.ef.ID, r.run, time.Now(), call.ev.encode()); err != nil {
		return err
	}
	return r.relinked(ctx, call.ef, call.ev)
}

// relinked notes that a change is made, or will not be.
func (e *engine) relinked(ctx context.Context, ef *checkpoint.Effect, ev effectEvidence) error {
	if err := e.store.DoneEffect(ctx, ef.ID, ev.ThreadID, time.Now()); err != nil {
		return err
	}
	e.counted(func(*Conversations) {
		e.rep.Summary.Changes.Links += ev.Links
		if ev.Kept != "" {
			e.rep.Summary.Changes.TextsKept++
		}
	})
	if ev.Kept != "" {
		key := e.ticketOf(ctx, ef.PartID)
		e.rep.Findings.Add(mapping.Finding{
			Severity: sources.Info, Code: "links-kept", Key: sources.Key(key),
			Text: fmt.Sprintf("the links in the %s of %s stay as they are: %s", ev.Find.Type, stamp(ev.Find.At), ev.Kept),
		})
	}
	return nil
}

// settleRelink finds out about a change of text whose answer was lost: the thread shows the old text, the new one, or
// what people have made of it.
func (e *engine) settleRelink(ctx context.Context, row *checkpoint.Part, ef *checkpoint.Effect) (again bool, err error) {
	ev, ok := decodeEffect(ef.Evidence)
	if !ok {
		return false, fmt.Errorf("evidence of relink %d of ticket %s cannot be read", ef.ID, row.Ticket)
	}
	for {
		threads, err := read(ctx, e, func() ([]helpscout.Thread, error) { return e.Client.Threads(ctx, row.ConversationID) })
		if err != nil && helpscout.KindOf(err) == helpscout.Rejected {
			return false, e.gone(ctx, row, []checkpoint.Effect{*ef}, err)
		}
		if err != nil {
			return false, err
		}
		t := targetThread(threads, ev)
		switch {
		case ev.Links == 0: // nothing was sent
			return false, e.relinked(context.WithoutCancel(ctx), ef, ev)
		case t == nil:
			ev.Kept, ev.Links = "it is not there any more", 0
			return false, e.relinked(context.WithoutCancel(ctx), ef, ev)
		case e.leads(ctx, ev, t):
			return false, e.relinked(context.WithoutCancel(ctx), ef, ev)
		case textDigest(t.Body) != ev.Find.Text:
			ev.Kept, ev.Links = "people have edited it", 0
			return false, e.relinked(context.WithoutCancel(ctx), ef, ev)
		}
		if over, err := e.absenceCounts(ctx, ef, "a change of links"); err != nil {
			return false, err
		} else if over {
			return e.absentEffect(ctx, ef, "change of links")
		}
	}
}

// leads reports that a thread shows the new text, or, where the server writes it in its own way, that no link is left.
func (e *engine) leads(ctx context.Context, ev effectEvidence, t *helpscout.Thread) bool {
	if d := rawDigest(t.Body); d == ev.New || d == ev.Old {
		return d == ev.New
	}
	if e.links == nil {
		return false
	}
	r := &relinker{engine: e, found: map[string]string{}}
	if r.index(ctx) != nil {
		return false
	}
	target, failed := r.target(ctx)
	_, n := e.links.rewrite(t.Body, target)
	return n == 0 && *failed == nil && textDigest(t.Body) == ev.Find.Text
}

// editingOff ends a run that may not change texts: every change would be refused.
func (e *engine) editingOff(ctx context.Context, c *effectCall) error {
	if err := e.store.BackEffect(ctx, c.ef.ID, "403: threads may not be edited"); err != nil {
		return err
	}
	return stopf(ExitLeft, "everything is imported; use the credentials of an administrator, or let an administrator allow the editing of threads, and run the same command again",
		"conversation %d: the account does not let this user edit threads: links between old tickets stay as they are", c.row.ConversationID)
}

var errNoLinks = errors.New("nothing says how texts name other tickets: --relink needs run.relink.urls (or numbers: true) in the configuration, or a column with the addresses of the tickets")
