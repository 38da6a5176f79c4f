package checkpoint

import (
	"context"
	"database/sql"
	"slices"
	"strings"
)

// A Message says where a message of the source went. It has a row from the moment its part (or the effect that
// appends it) begins; a pending or deleted part has none. Whether the part was created is the part's State.
type Message struct {
	Key, Digest string
	PartID      int64
	Thread      int   // index among the part's threads
	ThreadID    int64 // Help Scout's id; known of appended ones only, else 0
	EffectID    int64 // the effect that appends it; 0 when it went with the part itself
}

const messageColumns = "key, digest, part_id, thread, thread_id, effect_id"

func (m *Message) scan(rows *sql.Rows) error {
	return rows.Scan((*packed)(&m.Key), (*packed)(&m.Digest), &m.PartID, &m.Thread, &m.ThreadID, &m.EffectID)
}

// keysAtOnce is how many keys one query looks up.
const keysAtOnce = 50

// Messages returns those of the keys that have a row.
func (s *Store) Messages(ctx context.Context, keys []string) (map[string]Message, error) {
	found := make(map[string]Message, len(keys))
	query := "SELECT " + messageColumns + " FROM message WHERE key IN (?" + strings.Repeat(", ?", keysAtOnce-1) + ")"
	for chunk := range slices.Chunk(keys, keysAtOnce) {
		args := make([]any, keysAtOnce)
		for i := range args {
			args[i] = packed(chunk[min(i, len(chunk)-1)]) // the last one fills up: one statement serves all
		}
		err := s.each(ctx, func(rows *sql.Rows) error {
			var m Message
			err := m.scan(rows)
			found[m.Key] = m
			return err
		}, query, args...)
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// MessagesOf returns the messages of a part by thread and key, appended ones among them.
func (s *Store) MessagesOf(ctx context.Context, partID int64) ([]Message, error) {
	var out []Message
	err := s.each(ctx, func(rows *sql.Rows) error {
		var m Message
		err := m.scan(rows)
		out = append(out, m)
		return err
	}, "SELECT "+messageColumns+" FROM message WHERE part_id = ? ORDER BY thread, key", partID)
	return out, err
}
