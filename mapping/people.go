package mapping

import (
	"strings"

	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// atMailbox reports that a normal address is the team's inbox, not a person.
func (m *Mapper) atMailbox(address string) bool { return m.Mailboxes[address] }

// ofTeam reports that a normal address belongs to the team: a mailbox, an agent of the table, a Help Scout user, or
// anybody of the team's domains.
func (m *Mapper) ofTeam(address string) bool {
	if address == "" {
		return false
	}
	if m.Mailboxes[address] || m.Team[address] || m.Domains[address[strings.LastIndexByte(address, '@')+1:]] {
		return true
	}
	_, ok := m.Agents[address]
	return ok
}

// agentEntry looks a person up in the agents table: by address, by id, by name. Names are common to many: an outsider
// with an address of their own is not taken for an agent of the same name unless the source says agent.
func (m *Mapper) agentEntry(p sources.Person, saysAgent bool) (user string, ok bool) {
	address, good := usableAddress(p.Email)
	if !good {
		address = fold(p.Email)
	}
	if address != "" {
		if user, ok = m.Agents[address]; ok {
			return user, true
		}
	}
	if p.ID != "" {
		if user, ok = m.Agents[fold(p.ID)]; ok {
			return user, true
		}
	}
	if p.Name == "" || address != "" && !saysAgent && !p.Agent && !m.ofTeam(address) {
		return "", false
	}
	user, ok = m.Agents[fold(p.Name)]
	return user, ok
}

// isAgent decides whether a person works for the team.
func (m *Mapper) isAgent(p sources.Person) bool {
	if p.Agent {
		return true
	}
	if address, ok := usableAddress(p.Email); ok && m.ofTeam(address) {
		return true
	}
	_, ok := m.agentEntry(p, false)
	return ok
}

// usableAddress is a person's address in normal form, mended where that is certain.
func usableAddress(s string) (string, bool) {
	if s == "" {
		return "", false
	}
	if n, ok := normalAddress(s); ok {
		return n, true
	}
	mended, changed := mendAddress(s)
	if !changed {
		return "", false
	}
	return normalAddress(mended)
}

// writer is the Help Scout user who stands for an author.
type writer struct {
	user  int64
	named bool // the author is somebody else and is named at the top of the text
}

// userOf finds the Help Scout user of an agent: by the table, else by address. left tells that the table knows the
// agent as one who has left. Unbound, everybody the table or the team's domains know is taken to have one.
func (m *Mapper) userOf(p sources.Person, saysAgent bool) (id int64, found, left bool) {
	address, good := usableAddress(p.Email)
	if entry, ok := m.agentEntry(p, saysAgent); ok {
		if entry == "" {
			return 0, false, true
		}
		if !m.bound {
			return 0, true, false
		}
		id, found = m.users[entry]
		return id, found, false
	}
	if !good {
		return 0, false, false
	}
	if !m.bound {
		return 0, m.Team[address] || m.Domains[address[strings.LastIndexByte(address, '@')+1:]], false
	}
	id, found = m.users[address]
	return id, found, false
}

// agentWriter is who writes for somebody of the team.
func (w *work) agentWriter(e *entry) writer {
	address, _ := usableAddress(e.author.Email)
	if w.m.atMailbox(address) {
		return writer{user: w.m.fallback}
	}
	if unknown(e.author) {
		w.findAt(e.msg.Position, sources.Warning, codeAuthor, "", "an agent wrote this, the source does not say who; the fallback user stands for them")
		return writer{user: w.m.fallback}
	}
	id, found, left := w.m.userOf(e.author, true)
	if found {
		if w.m.bound {
			return writer{user: id}
		}
		if _, listed := w.m.agentEntry(e.author, true); !listed && !w.m.Team[address] {
			w.findAt(e.msg.Position, sources.Info, codeAgentUnbound, address, "%s is taken to be a Help Scout user; the account was not asked", address)
		}
		return writer{user: id}
	}
	if !left {
		who := firstOf(address, e.author.Name, e.author.Email, e.author.ID)
		w.findAt(e.msg.Position, sources.Warning, codeAgent, who, "agent %s has no Help Scout user; the fallback user writes, with the name at the top of the text", who)
	}
	return writer{user: w.m.fallback, named: true}
}

// noteWriter is who writes a note: the agent, or the fallback user for everybody else.
func (w *work) noteWriter(e *entry) writer {
	if w.m.isAgent(e.author) || w.m.kindOf(e.msg.Kind) == kindAgent {
		return w.agentWriter(e)
	}
	return writer{user: w.m.fallback, named: !unknown(e.author)}
}

// unknown reports that nothing says who a person is.
func unknown(p sources.Person) bool {
	return strings.TrimSpace(p.Email) == "" && strings.TrimSpace(p.Name) == "" && p.ID == ""
}

// samePerson compares people by address, else by id, else by name.
func samePerson(a, b sources.Person) bool {
	if a.ID != "" && a.ID == b.ID {
		return true
	}
	x, xok := usableAddress(a.Email)
	y, yok := usableAddress(b.Email)
	switch {
	case xok && yok:
		return x == y
	case strings.TrimSpace(a.Email) != "" && strings.TrimSpace(b.Email) != "":
		return fold(a.Email) == fold(b.Email)
	case a.ID != "" && b.ID != "":
		return false
	}
	return strings.TrimSpace(a.Name) != "" && fold(a.Name) == fold(b.Name)
}

// authorLine names the author of a text that somebody else posts, in the configured form.
func (m *Mapper) authorLine(p sources.Person) string {
	form := m.Departed
	name, email := shorten(oneLine(p.Name), 200), shorten(strings.TrimSpace(p.Email), 254)
	if n, ok := usableAddress(email); ok {
		email = n
	}
	if name == "" {
		name, email = firstOf(email, p.ID), ""
	}
	if email == "" || name == email {
		for _, x := range []string{" &lt;{email}&gt;", "&lt;{email}&gt;", " ({email})", "({email})", " {email}", "{email}"} {
			form = strings.ReplaceAll(form, x, "")
		}
	}
	return strings.NewReplacer("{name}", escape(oneLine(name)), "{email}", escape(oneLine(email))).Replace(form)
}

// customer makes the customer of a person. A missing or malformed address is handled by the policy: a placeholder
// address, or, where there is none, not ok.
func (w *work) customer(p sources.Person, at sources.Position) (c *helpscout.NewCustomer, ok bool) {
	who := p
	who.Agent = false // what one message says of somebody does not make another person of them
	if c, seen := w.customers.get(who); seen {
		return c, c != nil
	}
	c = w.newCustomer(p, at)
	w.customers.put(who, c)
	return c, c != nil
}

// maxPhone is a bound of ours: the server's is not known, and no number is that long.
const maxPhone = 60

func (w *work) newCustomer(p sources.Person, at sources.Position) *helpscout.NewCustomer {
	address, ok := usableAddress(p.Email)
	if !ok {
		if p.Email != "" {
			w.findAt(at, sources.Warning, codeAddress, p.Email, "%q is not an address that mail could go to", shorten(p.Email, 80))
		}
		if address = w.placeholder(p, at); address == "" {
			return nil
		}
	} else if _, asIs := normalAddress(p.Email); !asIs {
		w.findAt(at, sources.Info, codeMended, p.Email, "%q is read as %s", shorten(p.Email, 80), address)
	}
	phone, cut := cutUnits(oneLine(p.Phone), maxPhone)
	if cut {
		w.findAt(at, sources.Warning, codePhone, p.Phone, "the phone number %q is shortened to %q", shorten(p.Phone, 120), phone)
	}
	c := &helpscout.NewCustomer{Email: address, Phone: phone}
	c.FirstName, c.LastName, cut = splitName(p.Name, p.Email)
	if cut {
		w.findAt(at, sources.Warning, codeName, p.Name, "the name %q is shortened to %q", shorten(p.Name, 120), strings.TrimSpace(c.FirstName+" "+c.LastName))
	}
	return c
}

// placeholder is an address in the chosen domain for somebody who has none; "" where the policy is to refuse.
func (w *work) placeholder(p sources.Person, at sources.Position) string {
	if w.m.Placeholder == "" {
		return ""
	}
	address := placeholderLocal(p, w.t.Key) + "@" + w.m.Placeholder
	w.placeholders = true
	w.findAt(at, sources.Warning, codePlaceholder, address, "%s has no usable address and becomes %s", firstOf(oneLine(p.Name), oneLine(p.Email), p.ID, p.Phone, "the requester"), address)
	return address
}
