package importer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// errNotYet leaves an effect pending: it waits for another one.
var errNotYet = errors.New("it waits for another effect")

// visible counts the threads of a conversation; line items, which the service adds by itself, are none.
func visible(threads []helpscout.Thread) (n int) {
	for _, t := range threads {
		if t.Type != "lineitem" {
			n++
		}
	}
	return n
}

// otherWay finds another way for what the server would not take as it was: the messages of a conversation that is full
// or locked become a further part, and the files of a thread that is too large follow by themselves.
func (e *engine) otherWay(ctx context.Context, c *effectCall, status int) (again, ok bool, err error) {
	switch {
	case c.ef.Kind == kindRelink && status == 403:
		return false, true, e.editingOff(ctx, c)
	case !isMessage(c.ef):
	case status == 412 || status == 423:
		if len(c.ef.Messages) == 0 {
			return false, false, nil
		}
		if err := e.store.BackEffect(ctx, c.ef.ID, "the conversation takes no more threads"); err != nil {
			return false, true, err
		}
		return false, true, e.moveOn(ctx, c)
	case status == 413 && len(c.thread.Attachments) > 0:
		return true, true, e.filesFollow(ctx, c)
	}
	return false, false, nil
}

// moveOn makes a further part of all messages that were still to be appended to a conversation, in one step of the
// checkpoint. An earlier part is closed once the further one is there: only the last one is live.
func (e *engine) moveOn(ctx context.Context, c *effectCall) error {
	if len(c.ef.Messages) == 0 {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	all, err := e.store.Effects(ctx, checkpoint.EffectFilter{PartID: c.row.ID, Kind: kindAppend})
	if err != nil {
		return err
	}
	known, err := e.store.PartsOf(ctx, c.row.Ticket)
	if err != nil {
		return err
	}
	c.movedOn = true
	if slices.ContainsFunc(all, func(ef checkpoint.Effect) bool { return isMessage(&ef) && ef.State == checkpoint.InDoubt }) {
		return nil // that one comes first: this one waits until its fate is known
	}
	var moved []int64
	keys := map[sources.Key]bool{}
	for i := range all {
		ef := &all[i]
		if !isMessage(ef) || ef.State != checkpoint.Pending {
			continue
		}
		moved = append(moved, ef.ID)
		for _, m := range ef.Messages {
			keys[sources.Key(m.Key)] = true
		}
	}
	number := known[len(known)-1].Number + 1
	var rows []checkpoint.Part
	for _, part := range e.mapper.Continue(c.m.ticket, keys, number, 0) {
		row := e.rowOf(*c.m, c.row.Ticket, part)
		row.Evidence = Evidence{Follow: keysOf(part)}.encode()
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return e.refuseEffect(ctx, c.ef, 0, "its conversation takes no more threads, and the mapping leaves the message out by now")
	}
	var more []checkpoint.Effect
	if ev, ok := decodeEvidence(c.row.Evidence); ok && ev.Status != "closed" {
		n, err := statusNumber(ctx, e.store, c.row.ID)
		if err != nil {
			return err
		}
		more = append(more, statusEffect(c.row, "closed", sourceSign(c.m.ticket), n))
	}
	if err := e.store.MoveOn(ctx, rows, moved, more); err != nil {
		return err
	}
	e.nowFree()
	e.counted(func(*Conversations) { e.todo += len(rows) })
	e.rep.Findings.Add(mapping.Finding{
		Severity: sources.Info, Code: "goes-on", Key: c.m.plan.Key, Position: c.m.plan.Position,
		Text: fmt.Sprintf("conversation %d takes no more threads: %s in part %d, which links to it", c.row.ConversationID,
			plural(len(keys), "new message goes on", "new messages go on"), number),
	})
	return nil
}

// filesFollow sends a thread again without its files; each has an intent of its own before that.
func (e *engine) filesFollow(ctx context.Context, c *effectCall) error {
	if err := e.store.BackEffect(ctx, c.ef.ID, "413: attachments go by themselves"); err != nil {
		return err
	}
	find := c.ev.Find
	find.Files = nil
	var uploads []checkpoint.Effect
	for i, a := range c.thread.Attachments {
		sum := a.Data[len(attachmentSymbol):]
		ev := effectEvidence{Thread: -1, Find: find, SHA: sum, Name: a.FileName, MIME: a.MIMEType, Size: c.files[sum].Size, Append: c.ef.ID}
		uploads = append(uploads, checkpoint.Effect{
			PartID: c.row.ID, Kind: kindUpload, Slot: fmt.Sprintf("of:%d:%04d", c.ef.ID, i), Digest: sum,
			State: checkpoint.Pending, Evidence: ev.encode(),
		})
	}
	if err := e.store.AddEffects(ctx, uploads); err != nil {
		return err
	}
	c.thread.Attachments = nil
	e.nowFree()
	return e.threadBody(c)
}

// filesApart reports that the files of an append have intents of their own already.
func (e *engine) filesApart(ctx context.Context, ef *checkpoint.Effect) (bool, error) {
	uploads, err := e.store.Effects(ctx, checkpoint.EffectFilter{PartID: ef.PartID, Kind: kindUpload})
	prefix := fmt.Sprintf("of:%d:", ef.ID)
	return slices.ContainsFunc(uploads, func(u checkpoint.Effect) bool { return strings.HasPrefix(u.Slot, prefix) }), err
}

// appendedFor completes the evidence of an upload to a thread that was appended: with the thread's id, where the server
// has told it.
func (e *engine) appendedFor(ctx context.Context, ef *checkpoint.Effect, ev *effectEvidence) error {
	if ev.Append == 0 {
		return nil
	}
	all, err := e.store.Effects(ctx, checkpoint.EffectFilter{PartID: ef.PartID, Kind: kindAppend})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(a checkpoint.Effect) bool { return a.ID == ev.Append })
	switch {
	case i < 0 || all[i].State == checkpoint.Rejected:
		return &localError{fmt.Errorf("attachment %s: its message was not taken", ev.Name)}
	case all[i].State != checkpoint.Created:
		return errNotYet
	}
	ev.ThreadID = all[i].RemoteID
	return nil
}
