package main

import (
	"errors"
	"fmt"
	"os"

	"hsimport/importer"
)

// writeSnapshot writes the account's side to a new file; one that is there is left alone.
func writeSnapshot(path string, s *importer.Snapshot) error {
	raw, err := s.Encode()
	if err != nil {
		return fmt.Errorf("snapshot %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("snapshot %s: the file is there already, and is left as it is", path)
	}
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	_, err = f.Write(raw)
	return errors.Join(err, f.Close())
}
