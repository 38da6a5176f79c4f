package csvfile

import (
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

// resolve fills in what the users table knows of a person's id.
func (s *Source) resolve(p sources.Person) sources.Person {
	if len(s.users) == 0 {
		return p
	}
	if p.ID == "" && p.Name != "" && p.Email == "" {
		// Some exports put the id where the name belongs.
		if u, ok := s.users[p.Name]; ok {
			return u
		}
	}
	u, ok := s.users[p.ID]
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
