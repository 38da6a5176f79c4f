package importer

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hsimport/checkpoint"
	"hsimport/mapping"
	"hsimport/sources"
)

// prepare is the planning pass of a run: every ticket is mapped and held against the checkpoint. What has no row yet is
// loaded as pending, in send order; what was sent under another mapping is counted.
func (e *engine) prepare(ctx context.Context) error {
	load, err := e.store.Loader(ctx)
	if err != nil {
		return err
	}
	p := &planner{engine: e, load: load}
	if err := p.takeOver(ctx); err != nil {
		return joinAbort(err, load)
	}
	if err := p.all(ctx); err != nil {
		return joinAbort(err, load)
	}
	if err := load.Finish(true); err != nil {
		return err
	}
	if err := p.loaded(ctx); err != nil {
		return err
	}
	e.changed = p.redo
	return e.store.AddEffects(ctx, p.appends)
}

// loaded holds the plan against the rows that came of it: each part that is to be sent has one.
func (p *planner) loaded(ctx context.Context) error {
	c, err := p.store.Counts(ctx)
	if err != nil {
		return err
	}
	if have := c.Parts[checkpoint.Pending] + c.Parts[checkpoint.Rejected]; have < p.puts {
		return fmt.Errorf("a defect of this program: %d conversations are to be sent, but the checkpoint holds %d", p.puts, have)
	}
	return nil
}

// all maps the whole source and judges the job.
func (p *planner) all(ctx context.Context) error {
	p.rep.Findings.Add(ledgerFindings(p.rep.Ledger)...)
	err := mapAll(ctx, p.Source, p.mapper, func(m mapped) error {
		p.batch = append(p.batch, m)
		p.held += m.weight()
		if len(p.batch) < batch && p.held < batchWeight {
			return nil
		}
		return p.flush(ctx)
	})
	if err == nil {
		err = p.flush(ctx)
	}
	if err != nil {
		return err
	}
	p.rep.Totals.Complete = true
	if n := p.rep.Totals.Changed; n > 0 && !p.Options.KeepSent && !p.Options.RedoChanged {
		p.rep.drift = stopf(ExitDrift, "--keep-sent goes on and leaves them as they are, --redo-changed deletes and sends them again",
			"the mapping has changed: %s would now look different, the first is ticket %s", plural(n, "conversation already sent", "conversations already sent"), p.firstChanged)
	}
	return nil
}

// judge says whether what was planned may be sent.
func (e *engine) judge() error {
	if e.Source.Len() == 0 { // an empty import that calls itself complete would be the worst kind of success
		return stopf(ExitUsage, "hsimport inspect FILE... shows what is in it, and what was left out by a rule", "the source holds no ticket to import")
	}
	if b := e.rep.Findings.Blocking(e.accepted()); len(b) > 0 {
		return blockedBy(b)
	}
	if e.rep.drift != nil {
		return e.rep.drift
	}
	return nil
}

// ledgerFindings makes findings of the problems of the input as a whole.
func ledgerFindings(l *sources.Ledger) (out []mapping.Finding) {
	for _, p := range l.Problems {
		out = append(out, mapping.Finding{Severity: p.Severity, Code: p.Code, Value: p.Value, Text: p.Text, Position: p.Position})
	}
	for _, u := range l.Labels { // columns that are not carried over are problems of the table already
		if u.Class == sources.NotCarried {
			out = append(out, mapping.Finding{
				Severity: sources.Info, Code: "label-not-carried", Value: u.Name, Position: sources.Position{File: u.File},
				Text: fmt.Sprintf("label %q is not carried over: %s of %s mails have it, such as %q; mapping.tags can make a tag of it", u.Name, sources.Thousands(u.Filled), sources.Thousands(u.Of), u.Example),
			})
		}
	}
	return out
}

func joinAbort(err error, load *checkpoint.Loader) error {
	if aerr := load.Abort(); aerr != nil {
		return fmt.Errorf("%w (and: %w)", err, aerr)
	}
	return err
}

func blockedBy(groups []FindingGroup) *Stop {
	var lines []string
	for _, g := range groups {
		line := g.Code
		if g.Value != "" {
			line += " " + strconv.Quote(g.Value)
		}
		line += fmt.Sprintf(" (%s)", sources.Thousands(g.N))
		if len(g.Examples) > 0 {
			line += ": " + g.Examples[0].Text
		}
		lines = append(lines, line)
	}
	more := ""
	if len(lines) > 10 {
		more = fmt.Sprintf("\n  and %s more", sources.Thousands(len(lines)-10))
		lines = lines[:10]
	}
	return stopf(ExitUsage, "answer them in the configuration, or accept one knowingly with --accept CODE",
		"nothing was sent: %s the job:\n  %s%s", plural(len(groups), "finding blocks", "findings block"), strings.Join(lines, "\n  "), more)
}

// planner holds one batch of mapped tickets against the checkpoint.
type planner struct {
	*engine
	load         *checkpoint.Loader
	batch        []mapped
	held         int64           // bytes that batch takes, about
	begun        map[string]bool // tickets of the batch of which something was sent, though none of the messages shown here
	inherited    map[string]bool // messages that appends of an earlier plan carry, which may have been applied
	virgin       bool            // nothing was sent yet
	changes      int             // of status that earlier plans have made
	bases        map[string]bool // digests of mappings: do they differ from the present one by the clock alone
	puts         int             // parts that have to be pending after the load
	appends      []checkpoint.Effect
	redo         []checkpoint.Part // created parts that would look different now, in the order of the source
	firstChanged string
}

func (p *planner) flush(ctx context.Context) error {
	var keys []string
	for _, m := range p.batch {
		if m.ticket != nil {
			for _, msg := range m.ticket.Messages {
				keys = append(keys, string(msg.Key))
			}
		}
	}
	rows, err := p.known(ctx, keys)
	if err != nil {
		return err
	}
	if err := p.knownByKey(ctx, rows); err != nil {
		return err
	}
	for _, m := range p.batch {
		if p.Each != nil {
			if err := p.Each(Seen{m.ticket, m.plan, m.err}); err != nil {
				return err
			}
		}
		if err := p.ticket(ctx, m, rows); err != nil {
			return err
		}
	}
	clear(p.batch) // lets go of the tickets
	p.batch, p.held = p.batch[:0], 0
	return nil
}

// known looks messages up in the checkpoint; a dry run may have none.
func (p *planner) known(ctx context.Context, keys []string) (map[string]checkpoint.Message, error) {
	if p.store == nil {
		return nil, nil
	}
	return p.store.Messages(ctx, keys)
}

func (p *planner) ticket(ctx context.Context, m mapped, rows map[string]checkpoint.Message) error {
	if p.outside(m) {
		return nil
	}
	if m.err != nil {
		p.unreadable(m.err)
		return nil
	}
	p.count(m)
	if m.plan.Excluded != "" {
		return nil
	}
	if m.plan.Refused != "" {
		p.refuse(m.plan)
		return nil
	}
	if !knownTicket(m.ticket, rows) && !p.begun[string(m.plan.Key)] {
		p.rep.Totals.fresh(m.plan.Parts)
		return p.put(m, string(m.plan.Key), m.plan.Parts)
	}
	return p.follow(ctx, m, rows)
}

// count adds a mapped ticket to what the report tells of the plan.
func (e *engine) count(m mapped) {
	e.rep.Findings.Add(m.plan.Findings...)
	e.rep.Totals.add(m.plan, m.ticket)
	if e.countLinks && e.links != nil {
		e.rep.Totals.Links += e.linksIn(m.plan)
	}
}

func (e *engine) unreadable(err *sources.RecordError) {
	e.rep.Totals.Tickets++
	e.rep.Totals.Refused++
	e.rep.Totals.Parts++
	i, ok := e.Source.Find(err.Key)
	if ok {
		e.rep.Totals.Messages += e.Source.Entry(i).Messages
	}
	e.rep.Rejected = append(e.rep.Rejected, Outcome{Key: string(err.Key), Place: err.Position.String(), Reason: err.Err.Error()})
}

func (e *engine) refuse(p *mapping.Plan) {
	e.rep.Rejected = append(e.rep.Rejected, Outcome{Key: string(p.Key), ID: p.ID, Place: p.Position.String(), Reason: p.Refused})
}

func knownTicket(t *sources.Ticket, rows map[string]checkpoint.Message) bool {
	return slices.ContainsFunc(t.Messages, func(m *sources.Message) bool {
		_, ok := rows[string(m.Key)]
		return ok
	})
}

// put loads parts of a plan as pending rows.
func (p *planner) put(m mapped, key string, parts []*mapping.Part) error {
	if p.load == nil {
		return nil
	}
	for _, part := range parts {
		if err := p.load.Put(p.rowOf(m, key, part)); err != nil {
			return err
		}
		p.puts++
	}
	return nil
}

// rowOf is the row of a part that is to be sent.
func (e *engine) rowOf(m mapped, key string, part *mapping.Part) checkpoint.Part {
	return checkpoint.Part{
		Ticket: key, Number: part.Number, Of: part.Of, LegacyID: m.plan.ID, Place: m.plan.Position.String(),
		Digest: part.Digest, MappingDigest: e.mapper.Digest(), Created: part.Conversation.CreatedAt.Unix(),
		Rank: rank(e.Options.Order, m.plan.Live, m.plan.Last, m.index), Threads: len(part.Conversation.Threads),
		Units: partUnits(part), Bytes: part.Body, Traits: int64(m.plan.Traits), Live: m.plan.Live, State: checkpoint.Pending,
	}
}

// ownTicket is the ticket a known one was sent as: its key may have changed since (a root mail turned up later), its
// messages name it. Of several, the earliest part counts; that they are one by now is a finding, never a merge. Where
// the key has changed, the way from the old one to the new is kept.
func (p *planner) ownTicket(ctx context.Context, m mapped, rows map[string]checkpoint.Message) (string, error) {
	first := int64(0)
	var parts []int64
	for _, msg := range m.ticket.Messages {
		if r, ok := rows[string(msg.Key)]; ok {
			parts = append(parts, r.PartID)
			if first == 0 || r.PartID < first {
				first = r.PartID
			}
		}
	}
	row, err := p.store.PartByID(ctx, first)
	if err != nil || row == nil {
		return string(m.plan.Key), err
	}
	slices.Sort(parts)
	for _, id := range slices.Compact(parts)[1:] { // the first one is row
		if other, err := p.store.PartByID(ctx, id); err != nil {
			return "", err
		} else if other != nil && other.Ticket != row.Ticket {
			p.rep.Findings.Add(mapping.Finding{
				Severity: sources.Warning, Code: "tickets-joined", Key: m.plan.Key, Position: m.plan.Position,
				Text: fmt.Sprintf("this ticket holds messages that were sent as tickets %s and %s: what is new goes to the first, they are not merged", row.Ticket, other.Ticket),
			})
			break
		}
	}
	if row.Ticket != string(m.plan.Key) && p.load != nil {
		return row.Ticket, p.store.Set(ctx, factAlias+row.Ticket, string(m.plan.Key))
	}
	return row.Ticket, nil
}

func (p *planner) changed(row *checkpoint.Part) {
	p.rep.Totals.Changed++
	if p.firstChanged == "" {
		p.firstChanged = row.Ticket
	}
	if p.Options.RedoChanged && row.State == checkpoint.Created {
		p.redo = append(p.redo, *row)
	}
}

func touchesPlaced(part *mapping.Part, rows map[string]checkpoint.Message) bool {
	return slices.ContainsFunc(part.Messages, func(c mapping.Carried) bool {
		_, ok := rows[string(c.Message)]
		return ok
	})
}

// sameMessages reports whether the part carries just what the row's conversation carries, unedited: then a different
// digest comes from the mapping.
func sameMessages(part *mapping.Part, rows map[string]checkpoint.Message, id int64) bool {
	for _, c := range part.Messages {
		r, ok := rows[string(c.Message)]
		if !ok || r.PartID != id || r.Digest != c.Digest {
			return false
		}
	}
	return true
}
