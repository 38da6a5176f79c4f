package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Seed is the account before the first call: what the API cannot create (mailboxes, users, teams, custom fields) and
// what may be there already. The zero value stands for [DefaultSeed]. Ids that are 0 are given out.
type Seed struct {
	Number    uint64     `json:"number,omitempty"` // decides ids, tokens and every dice; 0 is 1
	Mailboxes []Mailbox  `json:"mailboxes"`
	Users     []User     `json:"users"`           // never empty
	Owner     int64      `json:"owner,omitempty"` // the user whose tokens they are; 0: the first with role owner, else the first
	Teams     []Team     `json:"teams,omitempty"`
	Tags      []string   `json:"tags,omitempty"`
	Workflows []Workflow `json:"workflows,omitempty"`
}

// Mailbox is an inbox. https://developer.helpscout.com/mailbox-api/endpoints/mailboxes/get
type Mailbox struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	Slug      string    `json:"slug"`
	Email     string    `json:"email"`
	CreatedAt time.Time `json:"createdAt,omitzero"`
	UpdatedAt time.Time `json:"updatedAt,omitzero"`
	Fields    []Field   `json:"fields,omitempty"`

	folders map[string]int64 // id by type; team folders by "team:" and the team's id
}

// Field is a custom field of a mailbox. Type is singleline, multiline, number, date or dropdown, in any spelling.
// https://developer.helpscout.com/mailbox-api/endpoints/mailboxes/custom_fields/list
type Field struct {
	ID       int64    `json:"id"`
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Required bool     `json:"required"`
	Order    int      `json:"order"`
	Options  []Option `json:"options,omitempty"`
}

// Option is a choice of a dropdown.
type Option struct {
	ID    int64  `json:"id"`
	Label string `json:"label"`
	Order int    `json:"order"`
}

// User is an agent. https://developer.helpscout.com/mailbox-api/endpoints/users/get
type User struct {
	ID              int64     `json:"id"`
	FirstName       string    `json:"firstName"`
	LastName        string    `json:"lastName"`
	Email           string    `json:"email"`
	Role            string    `json:"role"` // owner, admin, user
	Timezone        string    `json:"timezone"`
	PhotoURL        string    `json:"photoUrl,omitempty"`
	JobTitle        string    `json:"jobTitle,omitempty"`
	Phone           string    `json:"phone,omitempty"`
	Mention         string    `json:"mention,omitempty"`
	AlternateEmails []string  `json:"alternateEmails,omitempty"`
	CreatedAt       time.Time `json:"createdAt,omitzero"`
	UpdatedAt       time.Time `json:"updatedAt,omitzero"`
	Mailboxes       []int64   `json:"mailboxes,omitempty"` // access; empty: all
}

// Team shares the id space of assignees with users.
// https://developer.helpscout.com/mailbox-api/endpoints/teams/list-teams
type Team struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	Mention   string    `json:"mention,omitempty"`
	Members   []int64   `json:"members,omitempty"` // users
	CreatedAt time.Time `json:"createdAt,omitzero"`
	UpdatedAt time.Time `json:"updatedAt,omitzero"`
}

// Workflow is an automation: when it is active, each new conversation of its mailbox that its Query matches is acted
// on, once. The API shows neither condition nor effect; here they are part of the seed.
// https://developer.helpscout.com/mailbox-api/endpoints/workflows/list
type Workflow struct {
	ID        int64  `json:"id"`
	MailboxID int64  `json:"mailboxId"` // 0: the first mailbox
	Name      string `json:"name"`
	Type      string `json:"type"`   // automatic or manual
	Status    string `json:"status"` // active, inactive, invalid
	Order     int    `json:"order"`

	Query     string `json:"query,omitempty"`  // in the language of the conversation list; empty matches all
	AddTag    string `json:"addTag,omitempty"` // effects, each done if set
	Assign    int64  `json:"assign,omitempty"` // user or team
	SetStatus string `json:"setStatus,omitempty"`
	Reply     string `json:"reply,omitempty"` // mails the customer
	Note      string `json:"note,omitempty"`
	Move      int64  `json:"move,omitempty"` // mailbox
	Delete    bool   `json:"delete,omitempty"`
	created   time.Time
	modified  time.Time
}

// founded is when everything seeded came to be.
var founded = time.Date(2019, 5, 6, 9, 0, 0, 0, time.UTC)

// DefaultSeed is a small team: the inboxes Support and Sales, custom fields of all five types in Support, three
// agents (the owner is ada@support.example; the ids have a gap where an agent was deleted), one team, a few tags,
// and one workflow, inactive. There are no conversations.
func DefaultSeed() Seed {
	return Seed{
		Number: 1,
		Mailboxes: []Mailbox{
			{ID: 254871, Name: "Support", Slug: "6fbb23940e98eba9", Email: "help@support.example", Fields: []Field{
				{ID: 31201, Name: "Priority", Type: "dropdown", Order: 1, Options: []Option{
					{ID: 90511, Label: "Low", Order: 1},
					{ID: 90512, Label: "Normal", Order: 2},
					{ID: 90513, Label: "High", Order: 3},
					{ID: 90514, Label: "Urgent", Order: 4},
				}},
				{ID: 31202, Name: "Legacy ID", Type: "singleline", Order: 2},
				{ID: 31203, Name: "Details", Type: "multiline", Order: 3},
				{ID: 31204, Name: "Order Number", Type: "number", Order: 4},
				{ID: 31205, Name: "Due Date", Type: "date", Order: 5},
			}},
			{ID: 254906, Name: "Sales", Slug: "fe5239d630f1cae7", Email: "hello@sales.example"},
		},
		Users: []User{
			{ID: 512341, FirstName: "Ada", LastName: "Byron", Email: "ada@support.example", Role: "owner", Timezone: "Europe/London"},
			{
				ID: 512344, FirstName: "Ben", LastName: "Okri", Email: "ben@support.example", Role: "admin", Timezone: "Africa/Lagos",
				AlternateEmails: []string{"ben.okri@support.example"},
			},
			// 512347 was deleted: it is not listed, and naming it is an error.
			{ID: 512351, FirstName: "Cleo", LastName: "Marsh", Email: "cleo@support.example", Role: "user", Timezone: "America/New_York"},
		},
		Teams:     []Team{{ID: 512366, Name: "Second Line", Mention: "second-line", Members: []int64{512344, 512351}}},
		Tags:      []string{"billing", "bug", "vip"},
		Workflows: []Workflow{{ID: 1259811, Name: "Auto-tag new mail", Type: "automatic", Status: "inactive", Order: 1, AddTag: "triage"}},
	}
}

// LoadSeed reads a seed from a JSON file: one object with the keys of [Seed], in any case. What the API itself tells
// about mailboxes, their fields, users, teams and workflows has the same keys, so that a snapshot of a real account is
// a seed. The owner may be an id or a whole user, and tags may be texts or whole tags; keys that are not known are
// ignored. A file without mailboxes and users is an error, lest an account of the same name be taken for the real one.
func LoadSeed(path string) (Seed, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Seed{}, fmt.Errorf("read seed: %w", err)
	}
	var s struct { // shadows what has two spellings
		Seed
		Owner ownerID   `json:"owner"`
		Tags  []tagName `json:"tags"`
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return Seed{}, fmt.Errorf("seed %s: %w", path, err)
	}
	if len(s.Mailboxes) == 0 || len(s.Users) == 0 {
		return Seed{}, fmt.Errorf("seed %s: %d mailboxes and %d users; an account has at least one of each", path, len(s.Mailboxes), len(s.Users))
	}
	s.Seed.Owner = int64(s.Owner)
	for _, t := range s.Tags {
		s.Seed.Tags = append(s.Seed.Tags, string(t))
	}
	return s.Seed, nil
}

// ownerID reads a user's id, alone or in a user.
type ownerID int64

func (o *ownerID) UnmarshalJSON(raw []byte) error {
	var user struct{ ID int64 }
	if json.Unmarshal(raw, (*int64)(o)) == nil {
		return nil
	}
	err := json.Unmarshal(raw, &user)
	*o = ownerID(user.ID)
	return err
}

// tagName reads a tag's name, alone or in a tag.
type tagName string

func (n *tagName) UnmarshalJSON(raw []byte) error {
	var tag struct{ Name string }
	if json.Unmarshal(raw, (*string)(n)) == nil {
		return nil
	}
	err := json.Unmarshal(raw, &tag)
	*n = tagName(tag.Name)
	return err
}

// whole is the seed with its defaults filled in.
func (seed Seed) whole() Seed {
	if seed.Mailboxes == nil && seed.Users == nil {
		number := seed.Number
		seed = DefaultSeed()
		seed.Number = number
	}
	seed.Number = max(seed.Number, 1)
	return seed
}

// plant builds the account of a seed.
func plant(seed Seed) (*world, error) {
	seed = seed.whole()
	if len(seed.Users) == 0 || len(seed.Mailboxes) == 0 {
		return nil, fmt.Errorf("seed: %d users and %d mailboxes; an account has at least one of each", len(seed.Users), len(seed.Mailboxes))
	}
	w := &world{
		seed: seed.Number, conversations: map[int64]*conversation{}, byCustomer: map[int64][]*conversation{},
		byTag: map[*tag]int{}, counts: map[bucket]int{}, customers: map[int64]*customer{}, byEmail: map[string][]*customer{},
		attachments: map[int64]*attachment{}, blobs: map[[32]byte][]byte{}, tagNames: map[string]*tag{},
	}
	w.byCreated.key = func(c *conversation) int64 { return c.created }
	w.byModified.key = func(c *conversation) int64 { return c.modified }
	if err := w.plantPeople(seed); err != nil {
		return nil, err
	}
	if seed.Owner != 0 && w.user(seed.Owner) == nil {
		return nil, fmt.Errorf("seed: the owner is user %d, who is not among its users", seed.Owner)
	}
	w.ownerID = seed.Owner
	w.plantMailboxes(seed)
	for _, name := range seed.Tags {
		w.tag(name, founded.Unix(), false)
	}
	for i, f := range seed.Workflows {
		f.created, f.modified = founded, founded
		if f.ID == 0 {
			f.ID = w.nextID(idWorkflow)
		}
		if f.MailboxID == 0 {
			f.MailboxID = w.mailboxes[0].ID
		}
		f.Order = max(f.Order, i+1)
		w.workflows = append(w.workflows, &f)
	}
	return w, nil
}

func (w *world) plantPeople(seed Seed) error {
	taken := map[int64]string{}
	for _, u := range seed.Users {
		w.users = append(w.users, &u)
		u.CreatedAt, u.UpdatedAt = orFounded(u.CreatedAt), orFounded(u.UpdatedAt)
		if u.Timezone == "" {
			u.Timezone = "UTC"
		}
		if u.Mention == "" {
			u.Mention = strings.ToLower(u.FirstName)
		}
	}
	for _, t := range seed.Teams {
		t.CreatedAt, t.UpdatedAt = orFounded(t.CreatedAt), orFounded(t.UpdatedAt)
		w.teams = append(w.teams, &t)
	}
	next := int64(512_400)
	name := func(id *int64, what string) error {
		if *id == 0 {
			next += 3
			*id = next
		}
		if other := taken[*id]; other != "" {
			return fmt.Errorf("seed: %s and %s have the same id %d; users and teams share one id space", other, what, *id)
		}
		taken[*id] = what
		return nil
	}
	for _, u := range w.users {
		if err := name(&u.ID, "user "+u.Email); err != nil {
			return err
		}
	}
	for _, t := range w.teams {
		if err := name(&t.ID, "team "+t.Name); err != nil {
			return err
		}
	}
	return nil
}

// folderKinds are the folders that every mailbox has.
var folderKinds = []struct{ kind, name string }{
	{"open", "Unassigned"},
	{"mytickets", "Mine"},
	{"needs_attn", "Needs Attention"},
	{"drafts", "Drafts"},
	{"assigned", "Assigned"},
	{"closed", "Closed"},
	{"spam", "Spam"},
}

func (w *world) plantMailboxes(seed Seed) {
	for i, m := range seed.Mailboxes {
		if m.ID == 0 {
			m.ID = 254_800 + int64(i+1)*35
		}
		if m.Slug == "" {
			m.Slug = strings.ReplaceAll(uuid(w.seed, uint64(m.ID)), "-", "")[:16]
		}
		m.CreatedAt, m.UpdatedAt = orFounded(m.CreatedAt), orFounded(m.UpdatedAt)
		m.folders = map[string]int64{}
		id := 1_675_900 + m.ID%997*40
		for _, f := range folderKinds {
			id++
			m.folders[f.kind] = id
		}
		for _, t := range w.teams {
			id++
			m.folders[teamFolder(t.ID)] = id
		}
		m.Fields = slices.Clone(m.Fields) // the seed is the caller's
		for j := range m.Fields {
			f := &m.Fields[j]
			f.Options = slices.Clone(f.Options)
			if f.ID == 0 {
				f.ID = m.ID*10 + int64(j)
			}
			for k := range f.Options {
				if f.Options[k].ID == 0 {
					f.Options[k].ID = f.ID*100 + int64(k)
				}
			}
		}
		w.mailboxes = append(w.mailboxes, &m)
	}
}

func teamFolder(id int64) string { return fmt.Sprintf("team:%d", id) }

func orFounded(t time.Time) time.Time {
	if t.IsZero() {
		return founded
	}
	return t.UTC()
}

var joints = strings.NewReplacer("_", "", "-", "", " ", "")

// fieldKind reduces the spellings of a field's type to one.
func fieldKind(typ string) string { return joints.Replace(strings.ToLower(typ)) }

// spellFieldType writes a field's type as the settings say.
func spellFieldType(typ string, s *Settings) string {
	kind := fieldKind(typ)
	if s.FieldTypes == "lower" {
		return kind
	}
	if before, ok := strings.CutSuffix(kind, "line"); ok {
		kind = before + "_line"
	}
	if s.FieldTypes == "upper" {
		return strings.ToUpper(kind)
	}
	return kind
}
