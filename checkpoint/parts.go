package checkpoint

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"math"
	"time"
)

// A Part is one conversation of a ticket: planned, under way or done. (Ticket, Number) is its key.
type Part struct {
	ID            int64
	Ticket        string // key of the ticket
	Number, Of    int    // 1-based
	LegacyID      string // the number people knew the ticket by
	Place         string // file:line, for people
	Digest        string // of the symbolic body; Begin may renew it
	MappingDigest string
	Created       int64 // createdAt of the conversation, unix seconds
	Rank          int64 // send order, ascending
	Threads       int
	Units         int   // API units of delivery
	Bytes         int64 // of the create call
	Traits        int64
	Live          bool

	State          State
	How            How   // how it became ours; empty until created
	ConversationID int64 // 0 unless created
	SentAt         time.Time
	GaveUpAt       time.Time // when the answer was given up, of the last doubt
	DoneAt         time.Time // created or rejected
	Attempts       int       // how often it was sent
	Absences       int       // how often it was proven absent under this digest
	Resends        int       // how often it was sent again after an absence
	Status         int       // HTTP status of a rejection; 0: refused by us
	Reason         string    // why it is where it is; cleared by Begin
	Correlation    string    // the server's id of the call
	Candidate      int64     // conversation of a near miss
	Evidence       []byte    // JSON by the engine: what can be read back
	Run            int64     // the run that moved it last

	DeletedID int64 // the conversation it was; 0 unless deleted
	DeletedAt time.Time
}

// partColumns are what scan reads. The mapping is a subquery, not a join, so that it never leads the plan.
const partColumns = "id, ticket, number, total, legacy_id, place, digest, " +
	"(SELECT m.digest FROM mapping m WHERE m.id = part.mapping), created_at, rank, threads, units, bytes, traits, live, " +
	"state, how, coalesce(conversation_id, 0), sent_at, gave_up_at, done_at, attempts, absences, resends, status, " +
	"reason, correlation, candidate, evidence, run, deleted_id, deleted_at"

func (p *Part) scan(row interface{ Scan(...any) error }) error {
	return row.Scan(&p.ID, (*packed)(&p.Ticket), &p.Number, &p.Of, &p.LegacyID, &p.Place, (*packed)(&p.Digest),
		(*packed)(&p.MappingDigest), &p.Created, &p.Rank, &p.Threads, &p.Units, &p.Bytes, &p.Traits, &p.Live,
		(*stateColumn)(&p.State), (*howColumn)(&p.How), &p.ConversationID, (*stamp)(&p.SentAt), (*stamp)(&p.GaveUpAt),
		(*stamp)(&p.DoneAt), &p.Attempts, &p.Absences, &p.Resends, &p.Status, &p.Reason, &p.Correlation, &p.Candidate,
		&p.Evidence, &p.Run, &p.DeletedID, (*stamp)(&p.DeletedAt))
}

// part returns the one part that the end of a query finds ("WHERE ..."), or nil.
func (s *Store) part(ctx context.Context, find string, args ...any) (*Part, error) {
	p := new(Part)
	p, err := none(p, p.scan(s.row(ctx, "SELECT "+partColumns+" FROM part "+find, args...)))
	return p, s.readError(err)
}

// parts returns the parts a condition finds.
func (s *Store) parts(ctx context.Context, condition string, args ...any) ([]Part, error) {
	var out []Part
	err := s.each(ctx, func(rows *sql.Rows) error {
		var p Part
		err := p.scan(rows)
		out = append(out, p)
		return err
	}, "SELECT "+partColumns+" FROM part WHERE "+condition, args...)
	return out, err
}

// Pending returns the pending parts whose rank is greater than afterRank, by rank and id: limit of them, and more when
// others share the last one's rank, so that the next call, with that rank, misses none. Begin with math.MinInt64.
func (s *Store) Pending(ctx context.Context, afterRank int64, limit int) ([]Part, error) {
	if limit <= 0 {
		return nil, nil
	}
	parts, err := s.parts(ctx, "state = 0 AND rank > ? ORDER BY rank, id LIMIT ?", afterRank, limit)
	if err != nil || len(parts) < limit {
		return parts, err
	}
	last := parts[len(parts)-1]
	ties, err := s.parts(ctx, "state = 0 AND rank = ? AND id > ? ORDER BY id", last.Rank, last.ID)
	return append(parts, ties...), err
}

// Part returns a part by its key, or nil.
func (s *Store) Part(ctx context.Context, ticket string, number int) (*Part, error) {
	return s.part(ctx, "WHERE ticket = ? AND number = ?", packed(ticket), number)
}

// PartByID returns a part, or nil.
func (s *Store) PartByID(ctx context.Context, id int64) (*Part, error) {
	return s.part(ctx, "WHERE id = ?", id)
}

// PartsOf returns the parts of a ticket by number.
func (s *Store) PartsOf(ctx context.Context, ticket string) ([]Part, error) {
	return s.parts(ctx, "ticket = ? ORDER BY number", packed(ticket))
}

// InState streams the parts of a state by rank and id. An error ends the stream. Parts may be moved meanwhile: each is
// as of the moment its page of some hundreds was read, and one that left the state before that is not seen.
func (s *Store) InState(ctx context.Context, st State) iter.Seq2[*Part, error] {
	return func(yield func(*Part, error) bool) {
		rank, id := int64(math.MinInt64), int64(0)
		for {
			parts, err := s.parts(ctx, "state = ? AND (rank, id) > (?, ?) ORDER BY rank, id LIMIT ?",
				stateColumn(st), rank, id, page)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range parts {
				if !yield(&parts[i], nil) {
					return
				}
			}
			if len(parts) < page {
				return
			}
			rank, id = parts[len(parts)-1].Rank, parts[len(parts)-1].ID
		}
	}
}

// Owner returns the part that a conversation belongs to now.
func (s *Store) Owner(ctx context.Context, conversationID int64) (partID int64, ok bool, err error) {
	err = s.row(ctx, "SELECT id FROM part WHERE conversation_id = ?", conversationID).Scan(&partID)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return partID, err == nil, s.readError(err)
}

// bySent names the index: the planner, which keeps no statistics here, would take the one by state and sort.
const bySent = "INDEXED BY part_sent WHERE "

// Newest returns the created part that was sent last, but not after a time; nil when there is none.
func (s *Store) Newest(ctx context.Context, sentBefore time.Time) (*Part, error) {
	return s.part(ctx, bySent+"state = 2 AND sent_at > 0 AND sent_at <= ? ORDER BY sent_at DESC LIMIT 1", stamp(sentBefore))
}

// Fence returns a part that our own call created and that was sent after a time: the earliest such, or nil. Once the
// account's list shows it, what was sent before that time would be shown too.
func (s *Store) Fence(ctx context.Context, sentAfter time.Time) (*Part, error) {
	return s.part(ctx, bySent+"state = 2 AND how = 1 AND sent_at > ? ORDER BY sent_at LIMIT 1", stamp(sentAfter))
}
