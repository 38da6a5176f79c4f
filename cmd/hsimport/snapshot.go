package main

import (
	"errors"
	"fmt"
	"os"

	"hsimport/configs"
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
		return fmt.Errorf("%s: the file is there already, and is left as it is", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	return errors.Join(err, f.Close())
}

// inPlaceOfAccount is the snapshot that a dry run reads instead of asking the account: the one that was asked for, or the
// configuration's where there are no credentials. Nil: there is none.
func (a *app) inPlaceOfAccount(c *configs.Config, asked string) (*importer.Snapshot, error) {
	path := asked
	if path == "" {
		if _, _, err := a.credentials(c.HelpScout.BaseURL); !errors.Is(err, errNoCredentials) {
			return nil, nil
		}
		path = c.HelpScout.Snapshot
	}
	if path == "" {
		return nil, nil
	}
	s, err := importer.ReadSnapshot(path)
	if err != nil {
		return nil, &importer.Stop{Code: importer.ExitUsage, Err: err, Hint: hintSnapshot}
	}
	return s, nil
}
