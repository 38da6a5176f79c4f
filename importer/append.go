package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// appendCall is the append of a message that came after its conversation was sent, or of a note of ours.
func (e *engine) appendCall(ctx context.Context, row *checkpoint.Part, m *mapped, ef *checkpoint.Effect, threads []helpscout.Thread) (*effectCall, error) {
	call := &effectCall{row: row, ef: ef}
	return call, e.readyAppend(ctx, call, m, threads)
}

// readyAppend makes the thread of an append ready.
func (e *engine) readyAppend(ctx context.Context, call *effectCall, m *mapped, threads []helpscout.Thread) error {
	thread, files, err := e.appended(call.ef, m)
	if err != nil {
		return err
	}
	apart, err := e.filesApart(ctx, call.ef)
	if err != nil {
		return err
	}
	if apart {
		thread.Attachments = nil
	}
	call.keepStatus(&thread)
	call.thread, call.files = thread, files
	call.ev = effectEvidence{Note: noteText(call.ef, thread)}
	call.people = &helpscout.NewConversation{Threads: []helpscout.NewThread{thread}}
	if err := e.threadBody(call); err != nil {
		return err
	}
	call.ev.Before = countThreads(threads, call.ev.Find)
	return nil
}

// threadBody makes the request of an append.
func (e *engine) threadBody(call *effectCall) error {
	thread, kind, conversation := call.thread, call.thread.Type, call.row.ConversationID
	call.ev.Find = threadEvidence(thread, &mapping.Part{Files: call.files})
	thread.Type = ""
	body, err := helpscout.NewBody(thread, opener(call.files))
	if err != nil {
		return &localError{err}
	}
	call.send = func(ctx context.Context) (int64, error) {
		return e.Client.AppendThread(ctx, conversation, kind, body)
	}
	return nil
}

// appended is the thread of an append, with what opens its attachments.
func (e *engine) appended(ef *checkpoint.Effect, m *mapped) (thread helpscout.NewThread, files map[string]*sources.Attachment, err error) {
	if len(ef.Messages) == 0 {
		var ev effectEvidence
		if err := json.Unmarshal(ef.Evidence, &ev); err != nil {
			return thread, nil, fmt.Errorf("evidence of append %d: %w", ef.ID, err)
		}
		return helpscout.NewThread{Type: helpscout.ThreadNote, Text: ev.Note, Imported: true, CreatedAt: helpscout.At(time.Unix(ev.Find.At, 0))}, nil, nil
	}
	keys := map[sources.Key]bool{}
	for _, msg := range ef.Messages {
		keys[sources.Key(msg.Key)] = true
	}
	ts, _, files, _ := e.mapper.Append(m.ticket, keys) // its findings are those of the plan
	if len(ts) == 0 {
		return thread, nil, &localError{fmt.Errorf("message %s is left out by the mapping", ef.Messages[0].Key)}
	}
	return ts[0], files, nil
}

// keepStatus lets a reply or note leave the status as it is; what the source says by now is an effect of its own. A thread
// without a status would reactivate the conversation.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/reply
func (c *effectCall) keepStatus(t *helpscout.NewThread) {
	if c.now == nil || t.Type != helpscout.ThreadReply && t.Type != helpscout.ThreadNote {
		return
	}
	t.Status = statusNow(c.now)
}

func noteText(ef *checkpoint.Effect, t helpscout.NewThread) string {
	if len(ef.Messages) > 0 {
		return ""
	}
	return t.Text
}
