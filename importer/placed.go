package importer

import (
	"context"
	"fmt"

	"hsimport/checkpoint"
	"hsimport/mapping"
	"hsimport/sources"
)

// withoutPlaced makes a part ready again without the messages that another conversation carries already: another ticket
// of the export holds them too, or a newer export has shifted where a ticket is split. Each message goes out once, and
// nothing else of the part is lost.
func (e *engine) withoutPlaced(ctx context.Context, out *outgoing) (*outgoing, error) {
	keys := make([]string, len(out.part.Messages))
	for i, c := range out.part.Messages {
		keys[i] = string(c.Message)
	}
	rows, err := e.store.Messages(ctx, keys)
	if err != nil {
		return nil, err
	}
	elsewhere := func(c mapping.Carried) bool {
		r, ok := rows[string(c.Message)]
		return ok && (r.PartID != out.row.ID || r.EffectID != 0)
	}
	n := 0
	other := int64(0)
	for _, c := range out.part.Messages {
		if elsewhere(c) {
			n++
			other = rows[string(c.Message)].PartID
		}
	}
	if n == 0 || n == len(out.part.Messages) {
		return nil, &localError{fmt.Errorf("its messages are carried by ticket %s already", e.ticketOf(ctx, other))}
	}
	e.rep.Findings.Add(mapping.Finding{
		Severity: sources.Warning, Code: "message-shared", Key: out.m.plan.Key, Position: out.m.plan.Position,
		Text: fmt.Sprintf("%s carried by ticket %s already, and not sent a second time", plural(n, "message of this ticket is", "messages of this ticket are"), e.ticketOf(ctx, other)),
	})
	return e.makeReady(ctx, out.row, out.m, dropMessages(out.part, elsewhere))
}

// dropMessages returns a part without some messages: a thread goes when all it carries goes.
func dropMessages(p *mapping.Part, drop func(mapping.Carried) bool) *mapping.Part {
	q := *p
	carries, keeps := map[int]bool{}, map[int]bool{}
	for _, c := range p.Messages {
		carries[c.Thread] = true
		keeps[c.Thread] = keeps[c.Thread] || !drop(c)
	}
	q.Conversation.Threads, q.Messages, q.Uploads, q.LinkThread = nil, nil, nil, -1
	place := map[int]int{} // where a thread has gone
	for i, t := range p.Conversation.Threads {
		if carries[i] && !keeps[i] {
			continue
		}
		place[i] = len(q.Conversation.Threads)
		q.Conversation.Threads = append(q.Conversation.Threads, t)
	}
	for _, c := range p.Messages {
		if to, ok := place[c.Thread]; ok && !drop(c) {
			c.Thread = to
			q.Messages = append(q.Messages, c)
		}
	}
	for _, u := range p.Uploads {
		if to, ok := place[u.Thread]; ok {
			u.Thread = to
			q.Uploads = append(q.Uploads, u)
		}
	}
	if to, ok := place[p.LinkThread]; ok {
		q.LinkThread = to
	}
	return &q
}

// refuseEffects rejects effects that cannot be applied any more, with the reason.
func (e *engine) refuseEffects(ctx context.Context, effects []checkpoint.Effect, status int, why string) error {
	for _, ef := range effects {
		if err := e.refuseEffect(ctx, &ef, status, why); err != nil {
			return err
		}
	}
	return nil
}
