package checkpoint

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Begun returns those of the tickets of which a part is not pending any more: it was sent, refused or taken back.
func (s *Store) Begun(ctx context.Context, tickets []string) (map[string]bool, error) {
	found := map[string]bool{}
	query := "SELECT DISTINCT ticket FROM part WHERE state <> 0 AND ticket IN (?" + strings.Repeat(", ?", keysAtOnce-1) + ")"
	for chunk := range slices.Chunk(tickets, keysAtOnce) {
		args := make([]any, keysAtOnce)
		for i := range args {
			args[i] = packed(chunk[min(i, len(chunk)-1)])
		}
		err := s.each(ctx, func(rows *sql.Rows) error {
			var key packed
			err := rows.Scan(&key)
			found[string(key)] = true
			return err
		}, query, args...)
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// MoveOn turns effects that were certainly not applied (pending, or sending and refused) into further parts of their
// ticket, in one transaction: their rows and the places of their messages go, the parts come as pending, and with them
// more, effects of parts that are there. Parts of those keys refuse it.
func (s *Store) MoveOn(ctx context.Context, parts []Part, effects []int64, more []Effect) error {
	return s.do(ctx, "move_on", func(t tx) error {
		for _, id := range effects {
			if err := t.unplaceEffect(id); err != nil {
				return err
			}
			if err := t.moveEffect(id, Pending, "DELETE FROM effect WHERE id = ? AND state IN (0, 1)", id); err != nil {
				return err
			}
		}
		for i := range parts {
			if err := t.putNew(&parts[i]); err != nil {
				return err
			}
		}
		for i := range more {
			if err := t.addEffect(&more[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// putNew stores a pending part that no plan has named yet.
func (t tx) putNew(p *Part) error {
	var n, load int64
	err := t.row("SELECT (SELECT count(*) FROM part WHERE ticket = ? AND number = ?), load FROM job",
		packed(p.Ticket), p.Number).Scan(&n, &load)
	if err != nil {
		return err
	}
	if n > 0 {
		return fmt.Errorf("part %d of ticket %s is there already", p.Number, p.Ticket)
	}
	return t.put(p, load, map[string]int64{})
}

// DropUnsent removes the effects of a kind that are pending and were never sent, those whose slot begins with a prefix:
// a new plan names them anew. It returns how many went.
func (s *Store) DropUnsent(ctx context.Context, kind, prefix string) (int, error) {
	count := int64(0)
	err := s.do(ctx, "drop_unsent", func(t tx) (err error) {
		count, err = t.exec("DELETE FROM effect WHERE state = 0 AND attempts = 0 AND kind = ? AND substr(slot, 1, ?) = ?",
			kind, len(prefix), prefix)
		return err
	})
	return int(count), err
}

// DropEffect removes an effect that is pending and has become pointless.
func (s *Store) DropEffect(ctx context.Context, id int64) error {
	return s.do(ctx, "drop_effect", func(t tx) error {
		return t.moveEffect(id, Pending, "DELETE FROM effect WHERE id = ? AND state = 0", id)
	})
}

// DoneChange is DoneEffect for a change of what a part has sent: with it the part's evidence becomes what the
// conversation is like from now on.
func (s *Store) DoneChange(ctx context.Context, id int64, evidence []byte, at time.Time) error {
	return s.do(ctx, "done_change", func(t tx) error {
		err := t.moveEffect(id, Created, "UPDATE effect SET state = 2, done_at = ?, run = coalesce(?, run) "+
			"WHERE id = ? AND state IN (1, 4)", stamp(at), s.currentRun(), id)
		if err != nil {
			return err
		}
		_, err = t.exec("UPDATE part SET evidence = ? WHERE id = (SELECT part_id FROM effect WHERE id = ?)", evidence, id)
		return err
	})
}

// Facts returns the facts whose key begins with a prefix.
func (s *Store) Facts(ctx context.Context, prefix string) (map[string]string, error) {
	out := map[string]string{}
	err := s.each(ctx, func(rows *sql.Rows) error {
		var key, value string
		err := rows.Scan(&key, &value)
		out[key] = value
		return err
	}, "SELECT key, value FROM fact WHERE substr(key, 1, ?) = ?", len(prefix), prefix)
	return out, err
}
