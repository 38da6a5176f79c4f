package importer

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"hsimport/checkpoint"
	"hsimport/mapping"
)

// choose applies --only and --sample: it fills chosen, or leaves it nil for everything.
func (e *engine) choose(ctx context.Context) error {
	switch {
	case e.Trial != nil: // nothing else has a row
		return nil
	case len(e.Options.Only) > 0:
		return e.chooseOnly(ctx)
	case e.Options.Sample > 0:
		return e.chooseSample(ctx)
	}
	return nil
}

// named are the tickets that --only names, by key or by the number people knew them by. Nobody named means everybody.
type named struct {
	names   []string
	missing map[string]bool // named, and not come across yet
}

func byName(names []string) *named {
	n := &named{names: names, missing: map[string]bool{}}
	for _, name := range names {
		n.missing[name] = true
	}
	return n
}

// has reports whether the ticket of a part is among them.
func (n *named) has(row *checkpoint.Part) bool {
	if len(n.names) == 0 {
		return true
	}
	by := func(name string) bool { return name != "" && slices.Contains(n.names, name) }
	if !by(row.Ticket) && !by(row.LegacyID) {
		return false
	}
	delete(n.missing, row.Ticket)
	delete(n.missing, row.LegacyID)
	return true
}

// all refuses when has has not come across all of them; none says what there is none of.
func (n *named) all(none string) error {
	if len(n.missing) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(n.missing))
	return stopf(ExitUsage, "a ticket is named by its key or its old number, as the reports show it", "%s is called %s", none, strings.Join(names, ", "))
}

// chooseOnly finds the tickets that --only names.
func (e *engine) chooseOnly(ctx context.Context) error {
	e.chosen = map[string]bool{}
	only := byName(e.Options.Only)
	for _, st := range []checkpoint.State{checkpoint.Pending, checkpoint.Created, checkpoint.InDoubt, checkpoint.Rejected} {
		for row, err := range e.store.InState(ctx, st) {
			if err != nil {
				return err
			}
			if only.has(row) {
				e.chosen[row.Ticket] = true
			}
		}
	}
	return only.all("no ticket to import")
}

// sampler chooses tickets that together show the most: the longest, one that splits, the biggest attachments, each
// trait, each charset and each class of finding; the rest of the sample is drawn by seed.
type sampler struct {
	seen            map[string]bool
	notable, others []string
	longest, big    string
	threads         int
	bytes           int64
}

func (s *sampler) look(m mapped) {
	if m.plan == nil || len(m.plan.Parts) == 0 || m.plan.Refused != "" || m.plan.Excluded != "" {
		return
	}
	key, n, size := string(m.plan.Key), 0, int64(0)
	fresh := false
	for bit := mapping.Traits(1); bit != 0 && bit <= m.plan.Traits; bit <<= 1 {
		if m.plan.Traits&bit != 0 && s.first("trait", string(rune('a'+bitIndex(bit)))) {
			fresh = true
		}
	}
	for _, f := range m.plan.Findings {
		value := ""
		if strings.HasPrefix(f.Code, "charset") {
			value = f.Value
		}
		fresh = s.first(f.Code, value) || fresh
	}
	for _, p := range m.plan.Parts {
		n += len(p.Conversation.Threads)
		for _, f := range p.Files {
			size = max(size, f.Size)
		}
	}
	if n > s.threads {
		s.longest, s.threads = key, n
	}
	if size > s.bytes {
		s.big, s.bytes = key, size
	}
	if fresh {
		s.notable = append(s.notable, key)
	} else {
		s.others = append(s.others, key)
	}
}

func bitIndex(t mapping.Traits) (n int) {
	for t > 1 {
		t >>= 1
		n++
	}
	return n
}

func (s *sampler) first(code, value string) bool {
	k := code + "\x00" + value
	if s.seen[k] {
		return false
	}
	s.seen[k] = true
	return true
}

// pick returns n tickets: the notable ones first, then some drawn by seed.
func (s *sampler) pick(n int, seed uint64) map[string]bool {
	out := map[string]bool{}
	add := func(k string) {
		if k != "" && len(out) < n {
			out[k] = true
		}
	}
	add(s.longest)
	add(s.big)
	for _, k := range s.notable {
		add(k)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	for _, i := range r.Perm(len(s.others)) {
		add(s.others[i])
	}
	return out
}

// chooseSample maps the source once more to see what each ticket shows.
func (e *engine) chooseSample(ctx context.Context) error {
	s := &sampler{seen: map[string]bool{}}
	if err := mapAll(ctx, e.Source, e.mapper, func(m mapped) error { s.look(m); return nil }); err != nil {
		return err
	}
	e.chosen = s.pick(e.Options.Sample, e.Options.Seed)
	return nil
}
