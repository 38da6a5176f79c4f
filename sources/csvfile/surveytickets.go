package csvfile

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"hsimport/sources"
)

// surveyTickets reads every ticket once for what its messages say.
func (s *Source) surveyTickets(ctx context.Context, out *sources.Survey) error {
	w := surveyor{
		statuses: map[string]int{}, kinds: map[string]int{}, senders: map[string]int{}, agents: map[string]int{},
		requesters: map[string]int{}, months: map[string]int{}, findings: map[string]int{}, out: out, staff: map[string]sources.Person{},
	}
	for _, u := range s.users {
		w.roles = w.roles || u.Agent
	}
	w.users = s.users
	for i := range s.Len() {
		if i%256 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		ref, err := s.entries.get(i)
		if err != nil {
			return err
		}
		t, _, err := s.build(&ref, true)
		if err != nil {
			return err
		}
		w.ticket(t)
	}
	out.Statuses, out.Kinds = ranked(w.statuses, 0), ranked(w.kinds, 0)
	out.Senders, out.Agents, out.Domains = ranked(w.senders, 30), ranked(w.agents, 100), ranked(w.domains(), 10)
	for _, c := range out.Agents {
		p := w.staff[c.Value]
		out.Staff = append(out.Staff, sources.SurveyPerson{ID: p.ID, Name: p.Name, Email: p.Email, N: c.N})
	}
	out.Findings = ranked(w.findings, 0)
	out.Months = w.monthList()
	slices.SortStableFunc(w.largest, func(a, b sources.SurveyItem) int { return cmp.Compare(b.Bytes, a.Bytes) })
	out.Largest = w.largest[:min(len(w.largest), 10)]
	return nil
}

// A surveyor adds up what the tickets of a survey hold.
type surveyor struct {
	statuses, kinds, senders, agents, requesters, months, findings map[string]int

	users   map[string]sources.Person
	staff   map[string]sources.Person // agents as they first appear, with what later tickets add
	roles   bool                      // the users table says who is an agent
	largest []sources.SurveyItem
	out     *sources.Survey
}

// maxSeen bounds the maps of a survey: who comes later than so many others is not among the commonest.
const maxSeen = 1 << 17

func count(m map[string]int, v string) {
	if _, ok := m[v]; ok || len(m) < maxSeen {
		m[v]++
	}
}

func (w *surveyor) ticket(t *sources.Ticket) {
	count(w.statuses, t.Status)
	if t.Assignee != nil {
		w.agent(*t.Assignee)
	}
	if t.Requester.Email != "" {
		count(w.requesters, strings.ToLower(t.Requester.Email))
	}
	for _, p := range t.Problems {
		w.problem(p)
	}
	size := int64(len(t.Subject))
	for _, m := range t.Messages {
		size += w.message(t, m)
	}
	what := "ticket " + string(t.Key)
	w.largest = append(w.largest, sources.SurveyItem{What: what, Bytes: size, Position: t.Position})
	if len(w.largest) > 1000 {
		slices.SortStableFunc(w.largest, func(a, b sources.SurveyItem) int { return cmp.Compare(b.Bytes, a.Bytes) })
		w.largest = w.largest[:10]
	}
}

func (w *surveyor) message(t *sources.Ticket, m *sources.Message) int64 {
	if m.Kind != "" {
		count(w.kinds, m.Kind)
	}
	if who := cmp.Or(strings.ToLower(m.Author.Email), m.Author.Name); who != "" {
		count(w.senders, who)
	}
	if w.byTeam(t, m) {
		w.agent(m.Author)
	}
	if !m.CreatedAt.IsZero() {
		count(w.months, m.CreatedAt.Format("2006-01"))
		if w.out.First.IsZero() || m.CreatedAt.Before(w.out.First) {
			w.out.First = m.CreatedAt
		}
		if m.CreatedAt.After(w.out.Last) {
			w.out.Last = m.CreatedAt
		}
	}
	for _, p := range m.Problems {
		w.problem(p)
	}
	size := int64(len(m.Body))
	for _, a := range m.Attachments {
		size += a.Size
	}
	return size
}

func (w *surveyor) problem(p sources.Problem) {
	if w.findings[p.Code] == 0 {
		w.out.Oddities = append(w.out.Oddities, p)
	}
	w.findings[p.Code]++
}

// byTeam reports whether a message is plainly an agent's: by the users table, by the source's word, or because it is a
// private one that the requester did not write (chats and calls are often kept so).
func (w *surveyor) byTeam(t *sources.Ticket, m *sources.Message) bool {
	if _, known := w.users[m.Author.ID]; w.roles && known || m.Author.Agent {
		return m.Author.Agent
	}
	if samePerson(m.Author, t.Requester) && !t.Requester.IsZero() {
		return false
	}
	k := strings.ToLower(m.Kind)
	return m.Private || k == "agent" || k == "note" || k == "staff"
}

func (w *surveyor) agent(p sources.Person) {
	if p.Name == "" && p.Email == "" && (p.ID == "-1" || p.ID == "0") {
		return // the desk itself
	}
	if who := cmp.Or(strings.ToLower(p.Email), p.Name, p.ID); who != "" {
		count(w.agents, who)
		if known, ok := w.staff[who]; ok || len(w.staff) < maxSeen {
			w.staff[who] = sources.Person{ID: cmp.Or(known.ID, p.ID), Name: cmp.Or(known.Name, p.Name), Email: cmp.Or(known.Email, p.Email)}
		}
	}
}

// domains are those of agents, with their messages, but for public ones and those of too many requesters: a desk for
// the people of the own house.
func (w *surveyor) domains() map[string]int {
	messages, people, asking := map[string]int{}, map[string]int{}, map[string]int{}
	for who, n := range w.agents {
		if _, domain, ok := strings.Cut(who, "@"); ok && !freeMail[domain] {
			messages[domain] += n
			people[domain]++
		}
	}
	for who := range w.requesters {
		_, domain, _ := strings.Cut(who, "@")
		asking[domain]++
	}
	for domain := range messages {
		if n := asking[domain]; n > people[domain] && 5*n > len(w.requesters) {
			delete(messages, domain)
		}
	}
	return messages
}

// freeMail are domains that belong to no team.
var freeMail = map[string]bool{
	"gmail.com": true, "googlemail.com": true, "outlook.com": true, "hotmail.com": true, "yahoo.com": true, "icloud.com": true,
	"gmx.de": true, "gmx.net": true, "web.de": true, "aol.com": true, "live.com": true, "mail.ru": true, "yandex.ru": true,
}

// monthList is every month from the first to the last, also those without messages; at most a hundred years.
func (w *surveyor) monthList() []sources.Count {
	if w.out.First.IsZero() {
		return nil
	}
	var out []sources.Count
	at := time.Date(w.out.First.Year(), w.out.First.Month(), 1, 0, 0, 0, 0, time.UTC)
	for ; !at.After(w.out.Last) && len(out) < 1200; at = at.AddDate(0, 1, 0) {
		m := at.Format("2006-01")
		out = append(out, sources.Count{Value: m, N: w.months[m]})
	}
	return out
}
