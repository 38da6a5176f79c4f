package importer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// A ticket that was sent before is held against its rows. What the newer export has more is planned as effects on the
// conversations that are there: threads to append, files for threads, another status. Where a conversation takes no
// more threads, the new messages become a further part of the ticket that links to the one before; the row of such a
// part names its messages, because no split of the ticket tells them any more.

// fullAt is the number of threads with which a conversation takes no more.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/customer
const fullAt = 99

// Slots of effects that a plan makes, and a newer plan makes anew for as long as they were never sent.
const (
	messageSlot = "message:" // and the key of the first message that the thread carries
	fileSlot    = "new:"     // and what the file is
)

// following is one ticket that was sent before.
type following struct {
	*planner
	m       mapped
	key     string
	rows    map[string]checkpoint.Message // of its messages that have a place
	known   []checkpoint.Part
	placed  map[string]bool // messages that an earlier part, a pending part or an append carries
	differs bool            // some part is not as it was sent
	after   int             // the highest number of a part that has a row or gets one
	ends    int             // that of the ticket's last part, as this plan leaves it
}

// follow holds a ticket that was seen before against its rows: parts as they were sent, parts still pending, what has
// come since.
func (p *planner) follow(ctx context.Context, m mapped, rows map[string]checkpoint.Message) error {
	key, err := p.ownTicket(ctx, m, rows)
	if err != nil {
		return err
	}
	known, err := p.store.PartsOf(ctx, key)
	if err != nil {
		return err
	}
	f := &following{planner: p, m: m, key: key, rows: rows, known: known, placed: map[string]bool{}}
	if err := f.parts(ctx); err != nil {
		return err
	}
	if err := f.furtherParts(ctx); err != nil {
		return err
	}
	return f.news(ctx)
}

// knownByKey finds the tickets of the batch that were sent before although none of the messages they show now was: the
// export begins where the last one ended.
func (p *planner) knownByKey(ctx context.Context, rows map[string]checkpoint.Message) error {
	p.begun = nil
	if p.store == nil || p.virgin {
		return nil
	}
	var keys []string
	for _, m := range p.batch {
		if m.plan != nil && !knownTicket(m.ticket, rows) {
			keys = append(keys, string(m.plan.Key))
		}
	}
	if len(keys) == 0 {
		return nil
	}
	begun, err := p.store.Begun(ctx, keys)
	p.begun = begun
	return err
}

// takeOver makes room for a new plan of effects: what was never sent is planned anew; what was sent, and proven absent or
// refused for the moment, stays as it is. So does a change of status, whose cause may be messages that have arrived by now;
// one that is not due any more is dropped when its turn comes.
func (p *planner) takeOver(ctx context.Context) error {
	if p.store == nil {
		return nil
	}
	if p.load != nil {
		for kind, prefix := range map[string]string{kindAppend: messageSlot, kindUpload: fileSlot} {
			if _, err := p.store.DropUnsent(ctx, kind, prefix); err != nil {
				return err
			}
		}
	}
	c, err := p.store.Counts(ctx)
	if err != nil {
		return err
	}
	p.virgin = c.Total() == c.Parts[checkpoint.Pending]
	if len(c.Effects[kindStatus]) > 0 {
		if p.changes, err = statusNumber(ctx, p.store, 0); err != nil {
			return err
		}
	}
	if err := p.nameMapping(ctx); err != nil {
		return err
	}
	p.inherited = map[string]bool{}
	kept, err := p.store.Effects(ctx, checkpoint.EffectFilter{Kind: kindAppend, State: checkpoint.Pending})
	for _, ef := range kept {
		for _, m := range ef.Messages {
			p.inherited[m.Key] = p.inherited[m.Key] || ef.Attempts > 0
		}
	}
	return err
}

// parts compares the parts of the plan with their rows. Where a part has none and none of its messages has a place, it
// and those behind it are new.
func (f *following) parts(ctx context.Context) error {
	byNumber := map[int]*checkpoint.Part{}
	for i := range f.known {
		byNumber[f.known[i].Number] = &f.known[i]
		f.after = max(f.after, f.known[i].Number)
		if f.known[i].State != checkpoint.Pending { // that is put once more, or goes
			f.ends = max(f.ends, f.known[i].Number)
		}
	}
	apart := false // the rows and the plan have gone different ways
	for i, part := range f.m.plan.Parts {
		row := byNumber[part.Number]
		switch {
		case row != nil && goesOn(row):
			apart, f.differs = true, true
		case row != nil && row.State == checkpoint.Pending, row == nil && !apart && !touchesPlaced(part, f.rows):
			f.differs = true
			return f.rest(i, byNumber)
		case row == nil:
			apart, f.differs = true, true
		case row.State == checkpoint.InDoubt || row.State == checkpoint.Sending:
			f.rep.Totals.Doubt++
		case row.State == checkpoint.Rejected:
			f.rep.Totals.Same++
			f.place(part.Messages) // they go out with it when it is tried again
		case row.Digest == part.Digest:
			f.rep.Totals.Same++
		default:
			f.differs = true
			f.held(row, part, func() *mapping.Part { return f.asSent(row) })
		}
	}
	return nil
}

// rest loads the parts of the plan from index i on, up to a number that is taken by something else.
func (f *following) rest(i int, byNumber map[int]*checkpoint.Part) error {
	to := i
	for ; to < len(f.m.plan.Parts); to++ {
		if r := byNumber[f.m.plan.Parts[to].Number]; r != nil && goesOn(r) {
			break
		}
	}
	if err := f.put(f.m, f.key, f.m.plan.Parts[i:to]); err != nil {
		return err
	}
	f.rep.Totals.fresh(f.m.plan.Parts[i:to])
	for _, later := range f.m.plan.Parts[i:to] {
		f.after, f.ends = max(f.after, later.Number), max(f.ends, later.Number)
		if r := byNumber[later.Number]; f.load != nil && r != nil && r.State != checkpoint.Pending && r.State != checkpoint.Rejected {
			f.puts-- // the loader leaves it as it is
		}
		f.place(later.Messages)
	}
	return nil
}

func (f *following) place(cs []mapping.Carried) {
	for _, c := range cs {
		f.placed[string(c.Message)] = true
	}
}

// held counts a part that is not as it was sent: as changed, when that comes from the mapping. again makes the part as it
// would go out now with the messages that its create call carried.
func (f *following) held(row *checkpoint.Part, part *mapping.Part, again func() *mapping.Part) {
	other := row.State == checkpoint.Created && row.MappingDigest != f.mapper.Digest() && !f.bases[row.MappingDigest]
	if !other || f.statusOnly(row, part) || !sameMessages(part, f.rows, row.ID) {
		f.rep.Totals.Same++
		return
	}
	if p := again(); p != nil && p.Digest == row.Digest {
		f.rep.Totals.Same++
		return
	}
	f.changed(row)
}

// statusOnly reports that the source says something else of the ticket's state than it did, and nothing but the status
// of the part is different.
func (f *following) statusOnly(row *checkpoint.Part, part *mapping.Part) bool {
	sent, ok := decodeEvidence(row.Evidence)
	if !ok || sent.Source == "" || sent.Source == sourceSign(f.m.ticket) {
		return false
	}
	now := evidenceOf(&part.Conversation, part)
	now.Status, now.Closed, now.Source, now.Follow = sent.Status, sent.Closed, sent.Source, sent.Follow
	if len(now.Threads) != len(sent.Threads) {
		return false
	}
	for i := range sent.Threads { // the way of the files does not count
		now.Threads[i].Files, sent.Threads[i].Files = nil, nil
	}
	return bytes.Equal(now.encode(), sent.encode())
}

// asSent maps the ticket without the messages that were appended later: then a part differs only by the mapping.
func (f *following) asSent(row *checkpoint.Part) *mapping.Part {
	t := *f.m.ticket
	t.Messages = slices.DeleteFunc(slices.Clone(t.Messages), func(m *sources.Message) bool {
		r, ok := f.rows[string(m.Key)]
		return ok && r.EffectID != 0
	})
	if len(t.Messages) == len(f.m.ticket.Messages) {
		return nil
	}
	plan := f.mapper.Map(&t)
	if row.Number > len(plan.Parts) {
		return nil
	}
	return plan.Parts[row.Number-1]
}

// furtherParts looks at the parts that came of earlier exports. Pending ones are planned anew.
func (f *following) furtherParts(ctx context.Context) error {
	for i := range f.known {
		row := &f.known[i]
		if !goesOn(row) || row.State == checkpoint.Pending {
			continue
		}
		if row.State == checkpoint.InDoubt || row.State == checkpoint.Sending {
			f.rep.Totals.Doubt++
			continue
		}
		f.rep.Totals.Same++
		keys := followed(row)
		if row.State == checkpoint.Rejected {
			for _, k := range keys {
				f.placed[k] = true
			}
		}
		if row.State != checkpoint.Created || row.MappingDigest == f.mapper.Digest() {
			continue
		}
		if again := f.mapper.Continue(f.m.ticket, keySet(keys), row.Number, row.Of); len(again) == 1 && again[0].Digest != row.Digest {
			f.rep.Totals.Same--
			f.held(row, again[0], func() *mapping.Part { return nil })
		}
	}
	return nil
}

// news plans what the export has more than was sent.
func (f *following) news(ctx context.Context) error {
	fresh := f.unplaced()
	if len(fresh) > 0 {
		f.rep.Totals.Follow++
		if err := f.messages(ctx, fresh); err != nil {
			return err
		}
	}
	if f.differs {
		if err := f.details(ctx); err != nil {
			return err
		}
	}
	return f.statuses(ctx, len(fresh) > 0)
}

// unplaced lists the messages of the ticket that nothing carries.
func (f *following) unplaced() (keys []string) {
	left := map[string]bool{}
	for _, l := range f.m.plan.Left {
		left[string(l.Message)] = true
	}
	for _, msg := range f.m.ticket.Messages {
		key := string(msg.Key)
		if _, ok := f.rows[key]; !ok && !f.placed[key] && !left[key] && !f.inherited[key] {
			keys = append(keys, key)
		}
	}
	return keys
}

// messages plans the threads of new messages: appended to the ticket's last conversation, or where that would not take
// them all, further parts.
func (f *following) messages(ctx context.Context, fresh []string) error {
	threads, carried, files, _ := f.mapper.Append(f.m.ticket, keySet(fresh)) // its findings are those of the plan
	if len(threads) == 0 || len(f.known) == 0 {
		return nil
	}
	last := f.last()
	full, err := f.full(ctx, last, len(threads))
	if err != nil {
		return err
	}
	planned := func(row checkpoint.Part) bool { return goesOn(&row) && row.State == checkpoint.Pending }
	if full || slices.ContainsFunc(f.known, planned) { // the server has refused it before
		return f.goOn(fresh)
	}
	byThread := map[int][]checkpoint.NewMessage{}
	for _, c := range carried {
		byThread[c.Thread] = append(byThread[c.Thread], checkpoint.NewMessage{Key: string(c.Message), Digest: c.Digest})
	}
	f.rep.Totals.more(2 * len(threads)) // a write each; what their attachments add is known when they are sent
	slot := ""
	for i, t := range threads {
		ef := checkpoint.Effect{PartID: last.ID, Kind: kindAppend, Digest: textDigest(t.Text), Messages: byThread[i]}
		if len(ef.Messages) > 0 {
			slot = messageSlot + ef.Messages[0].Key
		} else { // a remark of ours about the message before it
			slot += "+"
			ev := effectEvidence{Find: threadEvidence(t, &mapping.Part{Files: files}), Note: t.Text}
			ef.Evidence = ev.encode()
		}
		ef.Slot = slot
		f.appends = append(f.appends, ef)
	}
	return nil
}

// last is the row of the ticket's last conversation: of those that are there or may be, if there are any.
func (f *following) last() *checkpoint.Part {
	for i := range slices.Backward(f.known) {
		switch f.known[i].State {
		case checkpoint.Created, checkpoint.InDoubt, checkpoint.Sending:
			return &f.known[i]
		}
	}
	return &f.known[len(f.known)-1]
}

// full reports that a conversation would not take n more threads. What people have written there is not known here: the
// server says so when it comes to that.
func (f *following) full(ctx context.Context, row *checkpoint.Part, n int) (bool, error) {
	ev, ok := decodeEvidence(row.Evidence)
	if !ok || row.State != checkpoint.Created {
		return false, nil
	}
	appended, err := f.store.Effects(ctx, checkpoint.EffectFilter{PartID: row.ID, Kind: kindAppend})
	have := len(ev.Threads)
	for _, ef := range appended {
		if ef.State != checkpoint.Rejected && (ef.State != checkpoint.Pending || ef.Attempts > 0) {
			have++
		}
	}
	return have+n > fullAt, err
}

// goOn loads further parts of the ticket that carry some messages.
func (f *following) goOn(fresh []string) error {
	parts := f.mapper.Continue(f.m.ticket, keySet(fresh), f.nextNumber(), 0)
	f.rep.Totals.fresh(parts)
	for _, part := range parts {
		f.rep.Totals.Units += partUnits(part)
		f.after, f.ends = max(f.after, part.Number), max(f.ends, part.Number)
	}
	if f.load == nil {
		return nil
	}
	for _, part := range parts {
		row := f.rowOf(f.m, f.key, part)
		row.Evidence = Evidence{Follow: keysOf(part)}.encode()
		if err := f.load.Put(row); err != nil {
			return err
		}
		f.puts++
	}
	return nil
}

// nextNumber is that of the first further part: behind all that is not pending.
func (f *following) nextNumber() int {
	n := f.after + 1
	for _, row := range f.known {
		if goesOn(&row) && row.State == checkpoint.Pending {
			n = min(n, row.Number)
		}
	}
	return n
}

// followed are the messages of a part that came of a later export than the ticket; nil of any other part.
func followed(row *checkpoint.Part) []string {
	if !goesOn(row) {
		return nil
	}
	ev, _ := decodeEvidence(row.Evidence)
	return ev.Follow
}

// goesOn reports that a part came of a later export than the ticket, without reading all its evidence.
func goesOn(row *checkpoint.Part) bool { return bytes.Contains(row.Evidence, []byte(`"fm":[`)) }

func keySet(keys []string) map[sources.Key]bool {
	set := make(map[sources.Key]bool, len(keys))
	for _, k := range keys {
		set[sources.Key(k)] = true
	}
	return set
}

// keysOf are the messages that a part carries, in order.
func keysOf(part *mapping.Part) (out []string) {
	for _, c := range part.Messages {
		out = append(out, string(c.Message))
	}
	return out
}

// sourceSign stands for what the source says of a ticket's state. When it changes, the status is carried over; a status
// that changes because the mapping looks at another clock does not.
func sourceSign(t *sources.Ticket) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00", strings.ToLower(strings.TrimSpace(t.Status)))
	for _, l := range slices.Sorted(slices.Values(t.Labels)) {
		fmt.Fprintf(h, "%s\x00", l)
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// statusNow is what a status is called here.
func statusNow(c *helpscout.Conversation) string {
	if s := strings.ToLower(c.Status); s != "open" {
		return s
	}
	return "active"
}

// more counts units that the changes of what is there cost, beside those of the parts.
func (t *Totals) more(units int) {
	t.Units += units
	t.UnitsLeft += units
}
