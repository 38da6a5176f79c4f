package csvfile

import (
	"cmp"
	"strings"

	"hsimport/sources"
)

// user keeps a row of the users table.
func (x *indexer) user() string {
	v := &x.v
	id := v.text(userID)
	if id == "" {
		return "the user id is empty"
	}
	if lostDigits(id) {
		return "the user id " + id + digitsLost
	}
	name := v.text(userName)
	if last := v.text(userLastName); !strings.HasSuffix(name, last) {
		name = strings.TrimSpace(name + " " + last)
	}
	p := person(id, name, v.text(userEmail), v.text(userPhone))
	switch strings.ToLower(v.text(userRole)) {
	case "agent", "admin", "administrator", "owner", "staff", "light agent", "support", "team member", "technician", "standard":
		p.Agent = true
	}
	if x.s.users == nil {
		x.s.users = map[string]sources.Person{}
	}
	if _, ok := x.s.users[id]; !ok {
		x.s.users[id] = p
	}
	return ""
}

// lostDigits reports an id of which a spreadsheet has kept the first digits: by now it is that of many people.
func lostDigits(id string) bool {
	return strings.IndexByte(id, '+') > 0 && damagedNumber.MatchString(id)
}

// authorID is what a row says of the author's id.
func (v *rowView) authorID(p piece) string {
	switch p.role {
	case description:
		return cmp.Or(v.text(descriptionAuthorID), v.text(requesterID))
	case comments:
		return p.from
	}
	return v.text(messageAuthorID)
}

// resolve fills in what the users table knows of a person's id.
func (s *Source) resolve(p sources.Person) sources.Person {
	if lostDigits(p.ID) {
		p.ID = ""
	}
	if len(s.users)+len(s.met) == 0 {
		return p
	}
	if p.ID == "" && p.Name != "" && p.Email == "" {
		// Some exports put the id where the name belongs.
		if u, ok := s.known(p.Name); ok {
			return u
		}
	}
	u, ok := s.known(p.ID)
	if !ok || p.ID == "" {
		return p
	}
	if p.Email != "" && u.Email != "" && !strings.EqualFold(p.Email, u.Email) {
		p.ID = "" // of who filed the message, not of who wrote it
		return p
	}
	if p.Name == "" {
		p.Name = u.Name
	}
	if p.Email == "" {
		p.Email = u.Email
	}
	if p.Phone == "" {
		p.Phone = u.Phone
	}
	p.Agent = p.Agent || u.Agent
	return p
}

// known is who an id is, as the users table says, else as the tickets' own columns do.
func (s *Source) known(id string) (sources.Person, bool) {
	if u, ok := s.users[id]; ok {
		return u, true
	}
	u, ok := s.met[id]
	return u, ok
}

// maxMet bounds what is learned of people from tickets; a desk has fewer agents.
const maxMet = 1 << 16

// meet learns who is behind the ids of a ticket's requester and assignee: its comments may name their authors by id
// alone. Which of several names counts does not depend on the order of rows.
func (x *indexer) meet() {
	v, b := &x.v, x.v.f.b
	if !b.has(comments) {
		return
	}
	for _, r := range [...][3]role{{requesterID, requesterName, requesterEmail}, {assigneeID, assigneeName, assigneeEmail}} {
		if !b.has(r[0]) {
			continue
		}
		p := person(v.text(r[0]), v.text(r[1]), v.text(r[2]), "")
		if p.ID == "" || lostDigits(p.ID) || p.Name == "" && p.Email == "" {
			continue
		}
		old, again := x.s.met[p.ID]
		if again && old.Name+old.Email >= p.Name+p.Email || !again && len(x.s.met) == maxMet {
			continue
		}
		if x.s.met == nil {
			x.s.met = map[string]sources.Person{}
		}
		x.s.met[p.ID] = p
	}
}
