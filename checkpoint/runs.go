package checkpoint

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// A Run is one start of a command that writes.
type Run struct {
	ID            int64
	Command       string
	ConfigDigest  string
	SourceDigest  string
	MappingDigest string
	ToolVersion   string
	StartedAt     time.Time
	EndedAt       time.Time // zero while it runs, or when it died
	ExitCode      int       // -1 while it runs, or when it died
	Summary       []byte    // JSON by the engine
}

// BeginRun notes a run that starts and returns its id. From then on, every part this Store moves is noted with it.
// ID, EndedAt, ExitCode and Summary of the argument are ignored.
func (s *Store) BeginRun(ctx context.Context, r Run) (int64, error) {
	var id int64
	err := s.do(ctx, "begin_run", func(t tx) (err error) {
		id, err = t.insert("INSERT INTO run (command, config_digest, source_digest, mapping_digest, tool_version, "+
			"started_at) VALUES (?, ?, ?, ?, ?, ?)",
			r.Command, r.ConfigDigest, r.SourceDigest, r.MappingDigest, r.ToolVersion, stamp(r.StartedAt))
		return err
	})
	if err != nil {
		return 0, err
	}
	s.run.Store(id)
	return id, nil
}

// EndRun notes how a run ended.
func (s *Store) EndRun(ctx context.Context, id int64, exit int, summary []byte, at time.Time) error {
	return s.do(ctx, "end_run", func(t tx) error {
		n, err := t.exec("UPDATE run SET exit_code = ?, summary = ?, ended_at = ? WHERE id = ?",
			exit, orNil(summary), stamp(at), id)
		if err == nil && n == 0 {
			return fmt.Errorf("there is no run %d", id)
		}
		return err
	})
}

// LastRun returns the run that began last, or nil when there was none.
func (s *Store) LastRun(ctx context.Context) (*Run, error) {
	var r Run
	err := s.row(ctx, "SELECT id, command, config_digest, source_digest, mapping_digest, tool_version, started_at, "+
		"ended_at, exit_code, summary FROM run ORDER BY id DESC LIMIT 1").
		Scan(&r.ID, &r.Command, &r.ConfigDigest, &r.SourceDigest, &r.MappingDigest, &r.ToolVersion,
			(*stamp)(&r.StartedAt), (*stamp)(&r.EndedAt), &r.ExitCode, &r.Summary)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, s.readError(err)
	}
	return &r, nil
}

// Get returns a small persisted fact; ok is false when it was never set.
func (s *Store) Get(ctx context.Context, key string) (value string, ok bool, err error) {
	err = s.row(ctx, "SELECT value FROM fact WHERE key = ?", key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return value, err == nil, s.readError(err)
}

// Set keeps a small fact: the state of a canary, a learned size, a workflow that was paused.
func (s *Store) Set(ctx context.Context, key, value string) error {
	return s.do(ctx, "set", func(t tx) error {
		_, err := t.exec("INSERT INTO fact (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
			key, value)
		return err
	})
}
