package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
)

// seedOf is the account's side as the seed of a sandbox: a rehearsal then meets the real mailboxes, fields, users and
// teams under their real ids. Customers and conversations are none of it.
func seedOf(t mapping.Target, acc *importer.Account) sandbox.Seed {
	s := sandbox.Seed{Owner: t.Owner.ID}
	for _, m := range t.Mailboxes {
		box := sandbox.Mailbox{ID: m.ID, Name: m.Name, Slug: m.Slug, Email: m.Email}
		for _, f := range m.Fields {
			field := sandbox.Field{ID: f.ID, Name: f.Name, Type: f.Type, Required: f.Required, Order: f.Order}
			for _, o := range f.Options {
				field.Options = append(field.Options, sandbox.Option{ID: o.ID, Label: o.Label, Order: o.Order})
			}
			box.Fields = append(box.Fields, field)
		}
		s.Mailboxes = append(s.Mailboxes, box)
	}
	teams := map[int64]bool{} // the users list shows them too
	for _, team := range t.Teams {
		teams[team.ID] = true
		s.Teams = append(s.Teams, sandbox.Team{ID: team.ID, Name: team.Name})
	}
	for _, u := range t.Users {
		if !teams[u.ID] && u.Type != "team" {
			s.Users = append(s.Users, sandbox.User{
				ID: u.ID, FirstName: u.FirstName, LastName: u.LastName, Email: u.Email, Role: u.Role, AlternateEmails: u.AlternateEmails,
			})
		}
	}
	for _, w := range acc.Workflows { // conditions and effects are not told: here they do nothing
		s.Workflows = append(s.Workflows, sandbox.Workflow{ID: w.ID, MailboxID: w.MailboxID, Name: w.Name, Type: w.Type, Status: w.Status})
	}
	return s
}

// writeSnapshot writes a seed to a new file; one that is there is left alone.
func writeSnapshot(path string, s sandbox.Seed) error {
	raw, err := json.MarshalIndent(s, "", "  ")
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
	_, err = f.Write(append(raw, '\n'))
	return errors.Join(err, f.Close())
}
