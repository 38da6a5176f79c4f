package checkpoint

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// applicationID is "HSim" in PRAGMA application_id: it tells our files from any other SQLite database.
const applicationID = 0x4853696d

// migrations are the statements of the schema in order: the first brings a file from version 0 to 1. fs.ReadDir sorts
// by name, and the names begin with their number.
func migrations() ([]string, error) {
	entries, err := fs.ReadDir(schemaFiles, "schema")
	if err != nil {
		return nil, err
	}
	var out []string
	for i, e := range entries {
		var n int
		if _, err := fmt.Sscanf(e.Name(), "%04d_", &n); err != nil || n != i+1 {
			return nil, fmt.Errorf("schema file %s is out of order", e.Name())
		}
		text, err := schemaFiles.ReadFile("schema/" + e.Name())
		if err != nil {
			return nil, err
		}
		out = append(out, string(text))
	}
	return out, nil
}

// header is what a file says of itself before anything of its schema is known.
type header struct {
	application, version int
}

func readHeader(ctx context.Context, c *sql.Conn) (header, error) {
	var h header
	if err := c.QueryRowContext(ctx, "PRAGMA application_id").Scan(&h.application); err != nil {
		return h, err
	}
	err := c.QueryRowContext(ctx, "PRAGMA user_version").Scan(&h.version)
	return h, err
}

// check refuses a file that is not ours or whose schema is newer than the newest we know; a view, which cannot bring
// a file up to date, refuses an older one too.
func (h header) check(path string, know int, view bool) error {
	if h.application != applicationID || h.version < 1 {
		return fmt.Errorf("open checkpoint %s: %w", path, ErrNotCheckpoint)
	}
	if h.version > know || (view && h.version < know) {
		return &SchemaError{Path: path, Have: h.version, Know: know}
	}
	return nil
}

// migrate brings the schema up to date in one transaction; a file that is up to date is not written to.
func migrate(ctx context.Context, c *sql.Conn, from int) error {
	steps, err := migrations()
	if err != nil || from == len(steps) {
		return err
	}
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	for _, step := range steps[from:] {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return err
		}
	}
	marks := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(steps))
	if _, err := tx.ExecContext(ctx, marks); err != nil {
		return err
	}
	return tx.Commit()
}
