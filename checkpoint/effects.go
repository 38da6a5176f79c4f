package checkpoint

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// An Effect is a write to the account that is not the create of a part: an upload, an append, a delete, a customer, a
// status, a text, a workflow. (PartID, Kind, Slot) is its key.
type Effect struct {
	ID       int64
	PartID   int64 // 0 when it is about the job
	Kind     string
	Slot     string // tells effects of one kind and part apart
	Digest   string
	State    State // Created: applied
	RemoteID int64 // what it made; 0 when unknown
	Evidence []byte
	Attempts int
	Absences int
	SentAt   time.Time
	GaveUpAt time.Time
	DoneAt   time.Time
	Status   int // HTTP status of a rejection
	Reason   string
	Run      int64        // the run that moved it last
	Messages []NewMessage // an append: placed by BeginEffect
}

const effectColumns = "id, part_id, kind, slot, digest, state, remote_id, evidence, attempts, absences, sent_at, " +
	"gave_up_at, done_at, status, reason, run, messages"

func (e *Effect) scan(row interface{ Scan(...any) error }) error {
	var messages []byte
	err := row.Scan(&e.ID, &e.PartID, &e.Kind, &e.Slot, (*packed)(&e.Digest), (*stateColumn)(&e.State), &e.RemoteID,
		&e.Evidence, &e.Attempts, &e.Absences, (*stamp)(&e.SentAt), (*stamp)(&e.GaveUpAt), (*stamp)(&e.DoneAt),
		&e.Status, &e.Reason, &e.Run, &messages)
	if err != nil || messages == nil {
		return err
	}
	return json.Unmarshal(messages, &e.Messages)
}

// AddEffects writes effects down as pending, in one transaction. One whose key exists is left as it is. Only PartID,
// Kind, Slot, Digest, Evidence and Messages are read.
func (s *Store) AddEffects(ctx context.Context, effects []Effect) error {
	return s.do(ctx, "add_effects", func(t tx) error {
		for i := range effects {
			if err := t.addEffect(&effects[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t tx) addEffect(e *Effect) error {
	var messages any
	if len(e.Messages) > 0 {
		text, err := json.Marshal(e.Messages)
		if err != nil {
			return err
		}
		messages = string(text)
	}
	_, err := t.exec("INSERT INTO effect (part_id, kind, slot, digest, evidence, messages) VALUES (?, ?, ?, ?, ?, ?) "+
		"ON CONFLICT (part_id, kind, slot) DO NOTHING",
		e.PartID, e.Kind, e.Slot, packed(e.Digest), orNil(e.Evidence), messages)
	return err
}

// BeginEffect writes the intent to apply an effect: pending to sending. The messages it appends get their rows; one
// that is elsewhere already refuses with *PlacedError. Empty evidence keeps what is stored.
func (s *Store) BeginEffect(ctx context.Context, id, run int64, at time.Time, evidence []byte) error {
	return s.do(ctx, "begin_effect", func(t tx) error {
		err := t.moveEffect(id, Sending, "UPDATE effect SET state = 1, run = ?, sent_at = ?, attempts = attempts + 1, "+
			"gave_up_at = 0, done_at = 0, status = 0, reason = '', evidence = coalesce(?, evidence) "+
			"WHERE id = ? AND state = 0", run, stamp(at), orNil(evidence), id)
		if err != nil {
			return err
		}
		var e Effect
		if err := e.scan(t.row("SELECT "+effectColumns+" FROM effect WHERE id = ?", id)); err != nil {
			return err
		}
		for _, m := range e.Messages {
			if err := t.placeOne(e.PartID, id, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// DoneEffect notes that an effect was applied: sending or in doubt to created. remoteID, when known, becomes the
// thread of the messages it appended.
func (s *Store) DoneEffect(ctx context.Context, id, remoteID int64, at time.Time) error {
	return s.do(ctx, "done_effect", func(t tx) error {
		err := t.moveEffect(id, Created, "UPDATE effect SET state = 2, remote_id = ?, done_at = ?, run = coalesce(?, run) "+
			"WHERE id = ? AND state IN (1, 4)", remoteID, stamp(at), s.currentRun(), id)
		if err != nil || remoteID == 0 {
			return err
		}
		_, err = t.exec("UPDATE message SET thread_id = ? WHERE effect_id = ? AND effect_id <> 0", remoteID, id)
		return err
	})
}

// RejectEffect notes that an effect will not be applied: pending, sending or in doubt to rejected.
func (s *Store) RejectEffect(ctx context.Context, id int64, status int, reason string, at time.Time) error {
	return s.do(ctx, "reject_effect", func(t tx) error {
		return t.moveEffect(id, Rejected, "UPDATE effect SET state = 3, status = ?, reason = ?, done_at = ?, "+
			"run = coalesce(?, run) WHERE id = ? AND state IN (0, 1, 4)", status, clip(reason), stamp(at), s.currentRun(), id)
	})
}

// DoubtEffect notes that nobody knows whether an effect was applied: sending to in doubt.
func (s *Store) DoubtEffect(ctx context.Context, id int64, reason string, gaveUp time.Time) error {
	return s.do(ctx, "doubt_effect", func(t tx) error {
		return t.moveEffect(id, InDoubt, "UPDATE effect SET state = 4, reason = ?, gave_up_at = ?, "+
			"run = coalesce(?, run) WHERE id = ? AND state = 1", clip(reason), stamp(gaveUp), s.currentRun(), id)
	})
}

// BackEffect notes that an effect was certainly not applied: sending to pending. Its messages go; they come again with
// the next BeginEffect.
func (s *Store) BackEffect(ctx context.Context, id int64, reason string) error {
	return s.do(ctx, "back_effect", func(t tx) error {
		err := t.moveEffect(id, Pending, "UPDATE effect SET state = 0, reason = ?, run = coalesce(?, run) "+
			"WHERE id = ? AND state = 1", clip(reason), s.currentRun(), id)
		if err != nil {
			return err
		}
		return t.unplaceEffect(id)
	})
}

// AbsentEffect notes that an effect in doubt is proven not to have been applied: in doubt to pending. It returns how
// often that was so; where the process had died before the answer came does not count. Its messages go, as with
// BackEffect.
func (s *Store) AbsentEffect(ctx context.Context, id int64) (absences int, err error) {
	err = s.do(ctx, "absent_effect", func(t tx) error {
		err := t.moveEffect(id, Pending, "UPDATE effect SET state = 0, absences = absences + (reason <> ?), run = coalesce(?, run) "+
			"WHERE id = ? AND state = 4", Died, s.currentRun(), id)
		if err != nil {
			return err
		}
		if err := t.unplaceEffect(id); err != nil {
			return err
		}
		return t.row("SELECT absences FROM effect WHERE id = ?", id).Scan(&absences)
	})
	return absences, err
}

// UnrejectEffects sends the rejected effects of a kind back to pending, all kinds when it is empty. It returns how
// many went. Their absences begin anew.
func (s *Store) UnrejectEffects(ctx context.Context, kind string) (int, error) {
	count := int64(0)
	err := s.do(ctx, "unreject_effects", func(t tx) error {
		_, err := t.exec("DELETE FROM message WHERE effect_id IN (SELECT id FROM effect WHERE state = 3 "+
			"AND (kind = ?1 OR ?1 = ''))", kind)
		if err != nil {
			return err
		}
		count, err = t.exec("UPDATE effect SET state = 0, absences = 0, status = 0, reason = '', done_at = 0, "+
			"run = coalesce(?2, run) WHERE state = 3 AND (kind = ?1 OR ?1 = '')", kind, s.currentRun())
		return err
	})
	if err != nil {
		return 0, err
	}
	return int(count), nil
}

// UnrejectEffect is UnrejectEffects for one effect: rejected to pending.
func (s *Store) UnrejectEffect(ctx context.Context, id int64) error {
	return s.do(ctx, "unreject_effect", func(t tx) error {
		err := t.moveEffect(id, Pending, "UPDATE effect SET state = 0, absences = 0, status = 0, reason = '', done_at = 0, "+
			"run = coalesce(?, run) WHERE id = ? AND state = 3", s.currentRun(), id)
		if err != nil {
			return err
		}
		return t.unplaceEffect(id)
	})
}

// EffectFilter selects effects; zero members select all.
type EffectFilter struct {
	PartID int64
	Kind   string
	State  State
}

// Effects returns the effects a filter selects, by id.
func (s *Store) Effects(ctx context.Context, f EffectFilter) ([]Effect, error) {
	query, args := "SELECT "+effectColumns+" FROM effect WHERE true", []any{}
	if f.PartID != 0 {
		query, args = query+" AND part_id = ?", append(args, f.PartID)
	}
	if f.Kind != "" {
		query, args = query+" AND kind = ?", append(args, f.Kind)
	}
	if f.State != "" {
		query, args = query+" AND state = ?", append(args, stateColumn(f.State))
	}
	var out []Effect
	err := s.each(ctx, func(rows *sql.Rows) error {
		var e Effect
		err := e.scan(rows)
		out = append(out, e)
		return err
	}, query+" ORDER BY id", args...)
	return out, err
}

// PartsWithEffects returns the parts that have an effect of a kind in a state, by part: at most limit of them, all
// when limit is 0 or less. Effects about the job are left out.
func (s *Store) PartsWithEffects(ctx context.Context, kind string, st State, limit int) ([]int64, error) {
	if limit <= 0 {
		limit = -1
	}
	var out []int64
	err := s.each(ctx, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		out = append(out, id)
		return err
	}, "SELECT DISTINCT part_id FROM effect WHERE state = ? AND kind = ? AND part_id <> 0 ORDER BY part_id LIMIT ?",
		stateColumn(st), kind, limit)
	return out, err
}

// moveEffect runs the update of one effect, and says why it found none to change.
func (t tx) moveEffect(id int64, to State, update string, args ...any) error {
	n, err := t.exec(update, args...)
	if err != nil || n > 0 {
		return err
	}
	var from State
	err = t.row("SELECT state FROM effect WHERE id = ?", id).Scan((*stateColumn)(&from))
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("effect %d: %w", id, ErrNoEffect)
	}
	if err != nil {
		return err
	}
	return &MoveError{Effect: id, From: from, To: to}
}

func (t tx) unplaceEffect(id int64) error {
	_, err := t.exec("DELETE FROM message WHERE effect_id = ? AND effect_id <> 0", id)
	return err
}
