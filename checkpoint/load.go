package checkpoint

import (
	"context"
	"errors"
	"fmt"
)

// loadBatch is how many parts a loader stores in one transaction.
const loadBatch = 1000

// A Loader brings a plan in: the pending parts. It is for one goroutine; other methods of the Store may be called
// meanwhile. What it has stored is durable batch by batch: a load that ends half-way leaves a mixture of old and new
// pending parts, which the next load replaces.
type Loader struct {
	s     *Store
	ctx   context.Context // of the load as a whole
	load  int64           // its number
	batch []Part
	err   error
}

var errLoadOver = errors.New("this plan load is over")

// Loader begins a plan load. End it with Finish or Abort.
func (s *Store) Loader(ctx context.Context) (*Loader, error) {
	l := &Loader{s: s, ctx: ctx}
	err := s.do(ctx, "loader", func(t tx) error {
		return t.row("UPDATE job SET load = load + 1 RETURNING load").Scan(&l.load)
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Put names a part of the plan. A part of that ticket and number that is pending is replaced (its id, attempts and
// resends stay; its absences too, unless the digest differs), and one that is not pending is left untouched. The last
// part of a ticket (Number equal to Of) also removes pending parts of the ticket with a higher number: they were of an
// earlier splitting. State and all that delivery decides are ignored.
func (l *Loader) Put(p Part) error {
	if l.err != nil {
		return l.err
	}
	if p.Ticket == "" || p.Number < 1 || p.Of < p.Number {
		return fmt.Errorf("part %d of %d of ticket %q: it has no key", p.Number, p.Of, p.Ticket)
	}
	l.batch = append(l.batch, p)
	if len(l.batch) == loadBatch {
		l.flush()
	}
	return l.err
}

// Finish stores what is left. complete says that the load named the whole plan: pending parts that it did not name are
// removed then. Parts that are not pending, and those that came back to pending during the load, are never removed.
func (l *Loader) Finish(complete bool) error {
	if l.err == nil {
		l.flush()
	}
	if l.err == nil && complete {
		l.err = l.s.do(l.ctx, "finish_load", func(t tx) error {
			_, err := t.exec("DELETE FROM part WHERE state = 0 AND load <> ?", l.load)
			return err
		})
	}
	if l.err != nil {
		return l.err
	}
	l.err = errLoadOver
	return nil
}

// Abort ends a load without storing what is still held back. Nothing is removed.
func (l *Loader) Abort() error {
	l.batch = nil
	if l.err == nil {
		l.err = errLoadOver
	}
	return nil
}

func (l *Loader) flush() {
	if len(l.batch) == 0 {
		return
	}
	l.err = l.s.do(l.ctx, "load", func(t tx) error {
		mappings := map[string]int64{}
		for i := range l.batch {
			if err := t.put(&l.batch[i], l.load, mappings); err != nil {
				return err
			}
		}
		return nil
	})
	l.batch = l.batch[:0]
}

// put stores one pending part. mappings remembers, for one transaction, the ids of mapping digests.
func (t tx) put(p *Part, load int64, mappings map[string]int64) error {
	mapping, err := t.mapping(p.MappingDigest, mappings)
	if err != nil {
		return err
	}
	_, err = t.exec("INSERT INTO part (ticket, number, total, legacy_id, place, digest, mapping, created_at, rank, "+
		"threads, units, bytes, traits, live, load, evidence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "+
		"ON CONFLICT (ticket, number) DO UPDATE SET total = excluded.total, legacy_id = excluded.legacy_id, "+
		"place = excluded.place, absences = CASE digest WHEN excluded.digest THEN absences ELSE 0 END, "+
		"digest = excluded.digest, mapping = excluded.mapping, created_at = excluded.created_at, rank = excluded.rank, "+
		"threads = excluded.threads, units = excluded.units, bytes = excluded.bytes, traits = excluded.traits, "+
		"live = excluded.live, load = excluded.load, evidence = excluded.evidence WHERE state = 0",
		packed(p.Ticket), p.Number, p.Of, p.LegacyID, p.Place, packed(p.Digest), mapping, p.Created, p.Rank,
		p.Threads, p.Units, p.Bytes, p.Traits, p.Live, load, orNil(p.Evidence))
	if err != nil || p.Number != p.Of {
		return err
	}
	_, err = t.exec("DELETE FROM part WHERE ticket = ? AND number > ? AND state = 0", packed(p.Ticket), p.Of)
	return err
}

// mapping returns the id of a mapping's digest.
func (t tx) mapping(digest string, known map[string]int64) (int64, error) {
	if id, ok := known[digest]; ok {
		return id, nil
	}
	var id int64
	err := t.row("INSERT INTO mapping (digest) VALUES (?) ON CONFLICT DO UPDATE SET digest = digest RETURNING id",
		packed(digest)).Scan(&id)
	known[digest] = id
	return id, err
}
