package checkpoint

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"
)

// NewMessage places a message of the source in a part, or in the effect that appends it.
type NewMessage struct {
	Key    string `json:"key"`
	Digest string `json:"digest"`
	Thread int    `json:"thread"` // index among the part's threads
}

// An Intent is what is written down before a part is sent.
type Intent struct {
	Run      int64
	At       time.Time
	Digest   string // of the symbolic body; empty: as loaded
	Evidence []byte // JSON; empty: as it was
	Messages []NewMessage
	Effects  []Effect // what is due once the part is created: uploads
}

// Begin writes the intent to send a part: pending to sending. The messages get their rows; one that is elsewhere
// already refuses the whole intent with *PlacedError. Reason, status and candidate of earlier attempts are cleared.
func (s *Store) Begin(ctx context.Context, partID int64, in Intent) error {
	return s.do(ctx, "begin", func(t tx) error {
		n, err := t.exec("UPDATE part SET state = 1, sent_at = ?, attempts = attempts + 1, run = ?, gave_up_at = 0, "+
			"done_at = 0, candidate = 0, status = 0, reason = '', correlation = '', "+
			"digest = coalesce(?, digest), evidence = coalesce(?, evidence) WHERE id = ? AND state = 0",
			stamp(in.At), in.Run, orNil(packed(in.Digest)), orNil(in.Evidence), partID)
		if err != nil {
			return err
		}
		if n == 0 {
			return t.refuse(partID, Sending)
		}
		return t.place(partID, in)
	})
}

// Done notes that a part is ours: sending or in doubt to created. With ByAdoption, pending to created too (see Adopt,
// which also places the messages). A conversation that another part has refuses with *ClaimedError. The reason of a
// doubt is cleared: How tells the tale.
func (s *Store) Done(ctx context.Context, partID, conversationID int64, how How, at time.Time) error {
	if conversationID <= 0 || how == "" {
		return fmt.Errorf("part %d: conversation %d, %q: a part is created only with the id of its conversation, and a way",
			partID, conversationID, how)
	}
	return s.do(ctx, "done", func(t tx) error {
		n, err := t.exec("UPDATE part SET state = 2, how = ?, conversation_id = ?, done_at = ?, candidate = 0, "+
			"status = 0, reason = '', correlation = '', run = coalesce(?, run) WHERE id = ? AND (state IN (1, 4) OR (state = 0 AND ? = 3))",
			howColumn(how), conversationID, stamp(at), s.currentRun(), partID, howColumn(how))
		if err == nil && n == 0 {
			return t.refuse(partID, Created)
		}
		return t.claimed(err, conversationID)
	})
}

// Adopt notes that a pending part was found in the account by recover: pending to created, with its messages and
// effects. It is Begin and Done(ByAdoption) in one, but nothing was sent: SentAt stays zero.
func (s *Store) Adopt(ctx context.Context, partID, conversationID int64, in Intent) error {
	if conversationID <= 0 {
		return fmt.Errorf("part %d: conversation %d: a part is adopted only with the id of its conversation",
			partID, conversationID)
	}
	return s.do(ctx, "adopt", func(t tx) error {
		n, err := t.exec("UPDATE part SET state = 2, how = 3, conversation_id = ?, done_at = ?, run = ?, "+
			"candidate = 0, status = 0, reason = '', correlation = '', digest = coalesce(?, digest), "+
			"evidence = coalesce(?, evidence) WHERE id = ? AND state = 0",
			conversationID, stamp(in.At), in.Run, orNil(packed(in.Digest)), orNil(in.Evidence), partID)
		if err != nil {
			return t.claimed(err, conversationID)
		}
		if n == 0 {
			return t.refuse(partID, Created)
		}
		return t.place(partID, in)
	})
}

// Reject notes that a part will not be sent (pending) or was refused by the server (sending, in doubt): to rejected.
// Its messages stay where they are, so that nothing else sends them; its pending effects go.
func (s *Store) Reject(ctx context.Context, partID int64, status int, reason, correlation string, at time.Time) error {
	return s.do(ctx, "reject", func(t tx) error {
		err := t.move(partID, Rejected, "UPDATE part SET state = 3, status = ?, reason = ?, correlation = ?, done_at = ?, "+
			"run = coalesce(?, run) WHERE id = ? AND state IN (0, 1, 4)",
			status, clip(reason), clip(correlation), stamp(at), s.currentRun(), partID)
		if err != nil {
			return err
		}
		return t.dropPending(partID)
	})
}

// Doubt notes that nobody knows whether a part was created: sending to in doubt. gaveUp is when the answer was no
// longer waited for.
func (s *Store) Doubt(ctx context.Context, partID int64, reason string, gaveUp time.Time) error {
	return s.do(ctx, "doubt", func(t tx) error {
		return t.move(partID, InDoubt, "UPDATE part SET state = 4, reason = ?, gave_up_at = ?, run = coalesce(?, run) "+
			"WHERE id = ? AND state = 1", clip(reason), stamp(gaveUp), s.currentRun(), partID)
	})
}

// Back notes that a part was certainly not created: sending to pending. Its messages and effects go; they come again
// with the next Begin.
func (s *Store) Back(ctx context.Context, partID int64, reason string) error {
	return s.do(ctx, "back", func(t tx) error {
		err := t.move(partID, Pending, "UPDATE part SET state = 0, reason = ?, run = coalesce(?, run), "+
			"load = (SELECT load FROM job) WHERE id = ? AND state = 1", clip(reason), s.currentRun(), partID)
		if err != nil {
			return err
		}
		return t.unplace("= ?", partID)
	})
}

// Absent notes that a part in doubt is proven not to be there: in doubt to pending. It returns how often that was so
// under the part's digest; where the process had died before the answer came does not count. Its messages and effects
// go, as with Back.
func (s *Store) Absent(ctx context.Context, partID int64) (absences int, err error) {
	err = s.do(ctx, "absent", func(t tx) error {
		err := t.move(partID, Pending, "UPDATE part SET state = 0, absences = absences + (reason <> ?), resends = resends + 1, "+
			"candidate = 0, run = coalesce(?, run), load = (SELECT load FROM job) WHERE id = ? AND state = 4",
			Died, s.currentRun(), partID)
		if err != nil {
			return err
		}
		if err := t.unplace("= ?", partID); err != nil {
			return err
		}
		return t.row("SELECT absences FROM part WHERE id = ?", partID).Scan(&absences)
	})
	return absences, err
}

// Near notes a conversation that may be a part in doubt, but differs: the part stays in doubt.
func (s *Store) Near(ctx context.Context, partID, candidate int64, reason string) error {
	return s.do(ctx, "near", func(t tx) error {
		return t.move(partID, InDoubt, "UPDATE part SET candidate = ?, reason = ?, run = coalesce(?, run) "+
			"WHERE id = ? AND state = 4", candidate, clip(reason), s.currentRun(), partID)
	})
}

// Unreject sends rejected parts back to pending: those of ids, or all when ids is nil. Ids of parts that are not
// rejected are passed over. It returns how many went. Their absences begin anew.
func (s *Store) Unreject(ctx context.Context, ids []int64) (int, error) {
	return s.reopen(ctx, "unreject", Rejected, ids)
}

// Reopen sends deleted parts back to pending, to be created again: those of ids, or all when ids is nil. Ids of parts
// that are not deleted are passed over. It returns how many went. All effects of the part are forgotten, for they were
// of a conversation that is gone (those about the job, PartID 0, stay); DeletedID still tells which one it was.
func (s *Store) Reopen(ctx context.Context, ids []int64) (int, error) {
	return s.reopen(ctx, "reopen", Deleted, ids)
}

// reopen moves the parts of a state, those of ids or all, back to pending.
func (s *Store) reopen(ctx context.Context, op string, from State, ids []int64) (int, error) {
	count := 0
	err := s.do(ctx, op, func(t tx) error {
		count = 0
		if ids == nil {
			n, err := t.reopen(from, s.currentRun(), "true")
			count = n
			return err
		}
		for _, id := range ids {
			n, err := t.reopen(from, s.currentRun(), "id = ?", id)
			if err != nil {
				return err
			}
			count += n
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return count, nil
}

// reopen moves the parts of a state that a condition selects. Messages and effects go first: they are found by it.
func (t tx) reopen(from State, run any, condition string, args ...any) (int, error) {
	args = append([]any{stateColumn(from)}, args...)
	which := "IN (SELECT id FROM part WHERE state = ? AND " + condition + ")"
	if err := t.unplace(which, args...); err != nil {
		return 0, err
	}
	if from == Deleted {
		if _, err := t.exec("DELETE FROM effect WHERE part_id "+which, args...); err != nil {
			return 0, err
		}
	}
	n, err := t.exec("UPDATE part SET state = 0, how = 0, absences = 0, status = 0, candidate = 0, reason = '', "+
		"correlation = '', done_at = 0, run = coalesce(?, run), load = (SELECT load FROM job) WHERE state = ? AND "+
		condition, append([]any{run}, args...)...)
	return int(n), err
}

// MarkDeleted notes that a part's conversation was deleted: created to deleted. The conversation moves to DeletedID,
// the messages are free again, and effects that were still pending go.
func (s *Store) MarkDeleted(ctx context.Context, partID int64, at time.Time) error {
	return s.do(ctx, "mark_deleted", func(t tx) error {
		err := t.move(partID, Deleted, "UPDATE part SET state = 5, deleted_id = conversation_id, conversation_id = NULL, "+
			"deleted_at = ?, run = coalesce(?, run) WHERE id = ? AND state = 2", stamp(at), s.currentRun(), partID)
		if err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM message WHERE part_id = ?", partID); err != nil {
			return err
		}
		return t.dropPending(partID)
	})
}

// Died is the reason of what was under way when its process ended.
const Died = "the process ended before the answer came"

// Recover puts in doubt whatever an earlier process left in sending: its answers died with it. It returns how many
// parts and effects those were, and is to be called before the first Begin.
func (s *Store) Recover(ctx context.Context, at time.Time) (int, error) {
	count := 0
	err := s.do(ctx, "recover", func(t tx) error {
		parts, err := t.exec("UPDATE part SET state = 4, gave_up_at = ?, reason = ? WHERE state = 1", stamp(at), Died)
		if err != nil {
			return err
		}
		effects, err := t.exec("UPDATE effect SET state = 4, gave_up_at = ?, reason = ? WHERE state = 1", stamp(at), Died)
		count = int(parts + effects)
		return err
	})
	if err != nil {
		return 0, err
	}
	return count, nil
}

// currentRun is the run that is on, or nil, for which statements keep the run they have.
func (s *Store) currentRun() any {
	if id := s.run.Load(); id != 0 {
		return id
	}
	return nil
}

// move runs the update of one part, and says why it found none to change.
func (t tx) move(partID int64, to State, update string, args ...any) error {
	n, err := t.exec(update, args...)
	if err == nil && n == 0 {
		return t.refuse(partID, to)
	}
	return err
}

// refuse says why a part cannot become what was asked.
func (t tx) refuse(partID int64, to State) error {
	var from State
	err := t.row("SELECT state FROM part WHERE id = ?", partID).Scan((*stateColumn)(&from))
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("part %d: %w", partID, ErrNoPart)
	}
	if err != nil {
		return err
	}
	return &MoveError{Part: partID, From: from, To: to}
}

// claimed turns the error of the unique conversation into one that names the owner.
func (t tx) claimed(err error, conversationID int64) error {
	var e sqlite3.Error
	if !errors.As(err, &e) || e.ExtendedCode != sqlite3.ErrConstraintUnique {
		return err
	}
	claimed := &ClaimedError{Conversation: conversationID}
	if err := t.row("SELECT id FROM part WHERE conversation_id = ?", conversationID).Scan(&claimed.Part); err != nil {
		return err
	}
	return claimed
}

// place gives a part that begins its messages and its effects.
func (t tx) place(partID int64, in Intent) error {
	for some := range slices.Chunk(in.Messages, placeAtOnce) {
		if err := t.placeSome(partID, some); err != nil {
			return err
		}
	}
	for i := range in.Effects {
		e := in.Effects[i]
		e.PartID = partID
		if err := t.addEffect(&e); err != nil {
			return err
		}
	}
	return nil
}

// placeAtOnce bounds the messages of one statement, and with it how many statements stay prepared.
const placeAtOnce = 8

// placeSome places messages by one statement; only when one of them is elsewhere is each placed by itself, to find it.
func (t tx) placeSome(partID int64, some []NewMessage) error {
	args := make([]any, 0, 4*placeAtOnce)
	for _, m := range some {
		args = append(args, packed(m.Key), packed(m.Digest), partID, m.Thread)
	}
	n, err := t.exec("INSERT INTO message (key, digest, part_id, thread, effect_id) VALUES (?, ?, ?, ?, 0)"+
		strings.Repeat(", (?, ?, ?, ?, 0)", len(some)-1)+onPlaced, args...)
	if err != nil || n == int64(len(some)) {
		return err
	}
	for _, m := range some {
		if err := t.placeOne(partID, 0, m); err != nil {
			return err
		}
	}
	return nil
}

// onPlaced replaces the row of a message that is of the same part and effect, and leaves one of another alone.
const onPlaced = " ON CONFLICT (key) DO UPDATE SET digest = excluded.digest, thread = excluded.thread, thread_id = 0 " +
	"WHERE part_id = excluded.part_id AND effect_id = excluded.effect_id"

// placeOne places a message, replacing a row of the same part and effect, and refusing one of another.
func (t tx) placeOne(partID, effectID int64, m NewMessage) error {
	n, err := t.exec("INSERT INTO message (key, digest, part_id, thread, effect_id) VALUES (?, ?, ?, ?, ?)"+onPlaced,
		packed(m.Key), packed(m.Digest), partID, m.Thread, effectID)
	if err != nil || n > 0 {
		return err
	}
	placed := &PlacedError{Key: m.Key}
	if err := t.row("SELECT part_id FROM message WHERE key = ?", packed(m.Key)).Scan(&placed.Part); err != nil {
		return err
	}
	return placed
}

// unplace removes the messages of parts and their effects that were not applied; which is a comparison with a part's
// id. What was applied (a customer that was made for the part) stays applied.
func (t tx) unplace(which string, args ...any) error {
	if _, err := t.exec("DELETE FROM message WHERE part_id "+which, args...); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM effect WHERE state = 0 AND part_id "+which, args...)
	return err
}

func (t tx) dropPending(partID int64) error {
	_, err := t.exec("DELETE FROM effect WHERE state = 0 AND part_id = ?", partID)
	return err
}
