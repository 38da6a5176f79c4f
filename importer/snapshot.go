package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"hsimport/importer/helpscout"
	"hsimport/mapping"
)

// SnapshotFormat is the version of the snapshot file's layout.
const SnapshotFormat = 1

// maxSnapshot bounds a snapshot file: that of an account with ten thousand users is 3 MB.
const maxSnapshot = 64 << 20

// A Snapshot is the account's side as one file: a dry run over it tells what one with access to the account tells, and a
// sandbox that is seeded with it is a likeness of the account. It holds the names and addresses of the team, because
// mapping looks users up by them; it holds no customers, no conversations, no credentials, and of webhooks no address
// beyond the host.
type Snapshot struct {
	Snapshot  int                  `json:"snapshot"` // SnapshotFormat
	Taken     time.Time            `json:"taken"`    // UTC, whole seconds
	Origin    string               `json:"origin"`   // scheme and host of the API
	Account   string               `json:"account"`  // as checkpoints have it
	Tool      string               `json:"tool"`     // version of hsimport
	Limit     int                  `json:"limit"`    // units a minute; 0: the server named none
	Owner     int64                `json:"owner"`    // the user whose token read it; 0: not known
	Mailboxes []SnapshotMailbox    `json:"mailboxes"`
	Users     []helpscout.User     `json:"users"`
	Teams     []helpscout.Team     `json:"teams"`
	Tags      []string             `json:"tags"`
	Workflows []helpscout.Workflow `json:"workflows"` // active or not
	Webhooks  []helpscout.Webhook  `json:"webhooks"`
	Unseen    []string             `json:"unseen"` // what could not be read, and why
}

// SnapshotMailbox is a mailbox with everything in it that is not a conversation.
type SnapshotMailbox struct {
	ID      int64              `json:"id"`
	Name    string             `json:"name"`
	Slug    string             `json:"slug"`
	Email   string             `json:"email"`
	Fields  []helpscout.Field  `json:"fields"`
	Folders []helpscout.Folder `json:"folders"`
}

// TakeSnapshot reads the account's side whole: two reads for each mailbox, and about eight more. The limit and the
// skew of the clocks come from quota, which has seen the answers.
func TakeSnapshot(ctx context.Context, c *helpscout.Client, quota *Quota, version string) (*Snapshot, error) {
	target, acc, err := Preflight(ctx, c, "")
	if err != nil {
		return nil, err
	}
	s := &Snapshot{
		Snapshot: SnapshotFormat, Taken: time.Now().UTC().Truncate(time.Second), Origin: acc.Origin, Account: acc.Identity, Tool: version,
		Owner: target.Owner.ID, Users: target.Users, Teams: target.Teams,
	}
	if target.Owner.ID != 0 && !slices.ContainsFunc(s.Users, func(u helpscout.User) bool { return u.ID == target.Owner.ID }) {
		s.Users = append(s.Users, target.Owner)
	}
	for i := range target.Mailboxes {
		m := &target.Mailboxes[i]
		box := SnapshotMailbox{ID: m.ID, Name: m.Name, Slug: m.Slug, Email: m.Email}
		box.Fields, err = c.MailboxFields(ctx, m.ID)
		acc.unseen("custom fields of "+m.Name, err)
		box.Folders, err = c.MailboxFolders(ctx, m.ID)
		acc.unseen("folders of "+m.Name, err)
		s.Mailboxes = append(s.Mailboxes, box)
	}
	s.directory(ctx, c, acc)
	s.Unseen, s.Limit = acc.Unseen, quota.Stats().Limit
	if ctx.Err() != nil {
		return nil, errInterrupted
	}
	return s, nil
}

func (s *Snapshot) directory(ctx context.Context, c *helpscout.Client, acc *Account) {
	tags, err := c.Tags(ctx)
	acc.unseen("tags", err)
	for _, t := range tags {
		s.Tags = append(s.Tags, t.Name)
	}
	s.Workflows, err = c.Workflows(ctx)
	acc.unseen("workflows", err)
	hooks, err := c.Webhooks(ctx)
	acc.unseen("webhooks", err)
	for _, h := range hooks {
		h.URL = h.Place()
		s.Webhooks = append(s.Webhooks, h)
	}
}

// Target is the account's side as mapping wants it.
func (s *Snapshot) Target() mapping.Target {
	t := mapping.Target{Bound: true, Users: slices.Clone(s.Users), Teams: slices.Clone(s.Teams)}
	for _, u := range s.Users {
		if u.ID == s.Owner {
			t.Owner = u
		}
	}
	for _, m := range s.Mailboxes {
		t.Mailboxes = append(t.Mailboxes, helpscout.Mailbox{ID: m.ID, Name: m.Name, Slug: m.Slug, Email: m.Email, Fields: m.Fields})
	}
	return t
}

// AccountFor is what preflight would learn of the account for a job of these mailboxes.
func (s *Snapshot) AccountFor(mailboxes ...string) *Account {
	acc := &Account{Origin: s.Origin, Identity: s.Account, Unseen: slices.Clone(s.Unseen)}
	acc.inboxes = inboxes(mailboxes, s.Target().Mailboxes)
	acc.sideEffects(s.Workflows, s.Webhooks)
	return acc
}

// Encode is the file: indented JSON with a final line end.
func (s *Snapshot) Encode() ([]byte, error) {
	raw, err := json.MarshalIndent(s, "", "  ")
	return append(raw, '\n'), err
}

// ReadSnapshot reads the file at path. Whatever it does not know, or finds incomplete, is an error: half an account
// would make a report that looks right.
func ReadSnapshot(path string) (*Snapshot, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the snapshot: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxSnapshot+1))
	if err != nil {
		return nil, fmt.Errorf("read the snapshot %s: %w", path, err)
	}
	s, err := DecodeSnapshot(raw)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", path, err)
	}
	return s, nil
}

// DecodeSnapshot is ReadSnapshot for a file in memory.
func DecodeSnapshot(raw []byte) (*Snapshot, error) {
	if len(raw) > maxSnapshot {
		return nil, fmt.Errorf("it is larger than %d MB, which no account is", maxSnapshot>>20)
	}
	var kind struct {
		Snapshot *int `json:"snapshot"`
	}
	if err := json.Unmarshal(raw, &kind); err != nil {
		return nil, fmt.Errorf("%sit is not JSON: %w", lineOf(raw, err), err)
	}
	if kind.Snapshot == nil {
		return nil, errors.New("it is not a snapshot of an account; hsimport doctor --snapshot FILE writes one")
	}
	if *kind.Snapshot != SnapshotFormat {
		return nil, fmt.Errorf("it is of format %d, and this version reads %d: take it anew with hsimport doctor --snapshot FILE", *kind.Snapshot, SnapshotFormat)
	}
	var s Snapshot
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("%s%s", lineOf(raw, err), wordsOfJSON(err))
	}
	return &s, s.check()
}

// wordsOfJSON are the words of encoding/json, without its talk of Go.
func wordsOfJSON(err error) string {
	var typ *json.UnmarshalTypeError
	if errors.As(err, &typ) {
		return fmt.Sprintf("%s cannot be a %s", typ.Field, typ.Value)
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// lineOf is where an error of encoding/json is, when it says so.
func lineOf(raw []byte, err error) string {
	at := int64(0)
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &typ):
		at = typ.Offset
	default:
		return ""
	}
	return fmt.Sprintf("line %d: ", 1+bytes.Count(raw[:min(at, int64(len(raw)))], []byte{'\n'}))
}

// check refuses what no account can be.
func (s *Snapshot) check() error {
	if len(s.Mailboxes) == 0 || len(s.Users) == 0 {
		return fmt.Errorf("%s and %s: an account has at least one of each", plural(len(s.Mailboxes), "mailbox", "mailboxes"), plural(len(s.Users), "user", "users"))
	}
	if s.Taken.IsZero() || strings.TrimSpace(s.Origin) == "" || s.Account == "" {
		return errors.New("it does not say of which account it is, and of when")
	}
	people, boxes := map[int64]bool{}, map[int64]bool{}
	for _, u := range s.Users {
		if u.ID < 1 || people[u.ID] {
			return fmt.Errorf("user %q: id %d is none, or is there twice", u.Email, u.ID)
		}
		people[u.ID] = true
	}
	if s.Owner != 0 && !people[s.Owner] {
		return fmt.Errorf("the owner is user %d, who is not among its users", s.Owner)
	}
	for _, m := range s.Mailboxes {
		if m.ID < 1 || boxes[m.ID] {
			return fmt.Errorf("mailbox %q: id %d is none, or is there twice", m.Name, m.ID)
		}
		boxes[m.ID] = true
		if err := checkFields(m); err != nil {
			return err
		}
	}
	return nil
}

func checkFields(m SnapshotMailbox) error {
	fields, options := map[int64]bool{}, map[int64]bool{}
	for _, f := range m.Fields {
		if f.ID < 1 || fields[f.ID] {
			return fmt.Errorf("mailbox %q, custom field %q: id %d is none, or is there twice", m.Name, f.Name, f.ID)
		}
		fields[f.ID] = true
		for _, o := range f.Options {
			if o.ID < 1 || options[o.ID] {
				return fmt.Errorf("mailbox %q, custom field %q, option %q: id %d is none, or is there twice", m.Name, f.Name, o.Label, o.ID)
			}
			options[o.ID] = true
		}
	}
	return nil
}
