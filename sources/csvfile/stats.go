package csvfile

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"hsimport/sources"
)

// stats collects what a survey says of columns while the index is made.
type stats struct {
	files [][]columnStats
}

// columnStats counts the kinds of cells of one column.
type columnStats struct {
	filled, date, email, html, number, list, flag, long int
	examples                                            []string
	values                                              map[string]int // until there are too many
	many                                                bool
	facts                                               dateFacts
	hours                                               [24]int
	first, last                                         time.Time
}

const manyValues = 200

func newStats() *stats { return &stats{} }

// reset forgets what an earlier pass has seen.
func (st *stats) reset(files []*file) {
	st.files = make([][]columnStats, len(files))
	for i, f := range files {
		st.files[i] = make([]columnStats, len(f.b.header))
	}
}

func (st *stats) add(f *file, col int, cell string) {
	c := &st.files[f.no][col]
	cell = strings.TrimSpace(cell)
	if cell == "" {
		return
	}
	c.filled++
	if len(c.examples) < 3 {
		if e := shorten(cell, 60); !slices.Contains(c.examples, e) {
			c.examples = append(c.examples, e)
		}
	}
	c.value(cell)
	if s, ok := readStamp(cell); ok {
		c.date++
		c.facts.count(&s)
		c.when(&s)
		return
	}
	_, flag := yes(cell)
	switch {
	case flag:
		c.flag++
	case isNumber(cell):
		c.number++
	case strings.Contains(cell, "@") && len(cell) < 255 && !strings.ContainsAny(cell, " \n") || strings.HasSuffix(cell, ">") &&
		strings.Contains(cell, "@") && len(cell) < 255:
		c.email++
	case len(cell) > 1 && cell[0] == '[' && cell[len(cell)-1] == ']':
		c.list++
	case markup.MatchString(cell[:min(len(cell), 4096)]):
		c.html++
	case len(cell) > 60 || strings.Contains(cell, "\n"):
		c.long++
	}
}

// columns counts the filled cells.
func (x *indexer) columns(f *file, rec *record) {
	for i := range min(len(rec.spans), len(f.b.use)) {
		sp := rec.spans[i]
		if sp.start == sp.end {
			continue
		}
		cell := rec.data[sp.start:sp.end]
		if !filledCell(cell) || f.d.escape != 0 && !sp.quoted && string(cell) == `\N` {
			continue
		}
		u := &f.b.use[i]
		if u.filled == 0 {
			u.example = shorten(string(rec.cell(i, &f.d.dialect, &x.v.scratch)), 60)
		}
		u.filled++
		if x.s.stats != nil {
			x.s.stats.add(f, i, string(rec.cell(i, &f.d.dialect, &x.v.scratch)))
		}
	}
}

func filledCell(cell []byte) bool {
	for _, c := range cell {
		if c > ' ' {
			return true
		}
	}
	return false
}

// isNumber reports whether a cell is a number as people write it.
func isNumber(cell string) bool {
	digits := 0
	for i := range len(cell) {
		switch c := cell[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '-' && i == 0, c == '.', c == ',':
		default:
			return false
		}
	}
	return digits > 0
}

func (c *columnStats) value(cell string) {
	if c.many || len(cell) > 80 {
		c.many = true
		return
	}
	if c.values == nil {
		c.values = map[string]int{}
	}
	c.values[cell]++
	if len(c.values) > manyValues {
		c.many, c.values = true, nil
	}
}

// when counts the hour as written, and the month.
func (c *columnStats) when(s *stamp) {
	if s.form&withTime != 0 || s.counted() {
		c.hours[s.hour]++
	}
	if t, ok := s.time(dayFirst, time.UTC); ok {
		if c.first.IsZero() || t.Before(c.first) {
			c.first = t
		}
		if t.After(c.last) {
			c.last = t
		}
	}
}

// kind names what most cells of the column are.
func (c *columnStats) kind(r string) string {
	most := func(n int) bool { return 10*n >= 9*c.filled }
	switch {
	case c.filled == 0:
		return "empty"
	case strings.HasSuffix(r, "_id") && r != "":
		return "id"
	case most(c.date):
		return "date"
	case most(c.email):
		return "email"
	case r == "status":
		return "status"
	case strings.HasSuffix(r, "_name"):
		return "name"
	case most(c.flag):
		return "flag"
	case most(c.number):
		return "number"
	case most(c.list) || r == "tags" || strings.HasSuffix(r, "attachments"):
		return "list"
	case 10*c.html > c.filled:
		return "html"
	case !c.many && len(c.values) <= 20 && c.filled >= 4*len(c.values):
		return "status"
	}
	return "text"
}

// surveyColumns describes the columns and, from those of dates, when the messages were written.
func (s *Source) surveyColumns(out *sources.Survey, st *stats) {
	out.ZoneKnown = true
	for _, f := range s.files {
		for i, name := range f.b.header {
			c := &st.files[f.no][i]
			role := ""
			for r := range roleCount {
				if slices.Contains(f.b.cols[r], i) {
					role = r.String()
					break
				}
			}
			col := sources.SurveyColumn{
				Name: name, Kind: c.kind(role), Role: role, Filled: c.filled, Of: f.rowCount, Examples: c.examples,
			}
			if len(s.files) > 1 {
				col.File = f.in.name
			}
			if col.Kind == "date" {
				col.Layout = c.facts.layout(cmp.Or(f.order(), c.facts.order()))
			}
			out.Columns = append(out.Columns, col)
			if r, ok := roleOf(role); ok && role != "" && r.date() {
				out.ZoneKnown = out.ZoneKnown && c.facts.unzoned == 0
				if r == messageCreatedAt || r == createdAt && s.layout == TicketPerRow {
					for h, n := range c.hours {
						out.Hours[h] += n
					}
				}
			}
		}
	}
}

// surveyTickets reads every ticket once for what its messages say.
func (s *Source) surveyTickets(ctx context.Context, out *sources.Survey) error {
	w := surveyor{
		statuses: map[string]int{}, kinds: map[string]int{}, senders: map[string]int{}, agents: map[string]int{},
		domains: map[string]int{}, months: map[string]int{}, findings: map[string]int{}, out: out,
	}
	for i, n := range s.byTime {
		if i%256 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		t, _, err := s.build(n, true)
		if err != nil {
			return err
		}
		w.ticket(t)
	}
	out.Statuses, out.Kinds = ranked(w.statuses, 0), ranked(w.kinds, 0)
	out.Senders, out.Agents, out.Domains = ranked(w.senders, 30), ranked(w.agents, 100), ranked(w.domains, 10)
	out.Findings = ranked(w.findings, 0)
	out.Months = w.monthList()
	slices.SortStableFunc(w.largest, func(a, b sources.SurveyItem) int { return cmp.Compare(b.Bytes, a.Bytes) })
	out.Largest = w.largest[:min(len(w.largest), 10)]
	return nil
}

// A surveyor adds up what the tickets of a survey hold.
type surveyor struct {
	statuses, kinds, senders, agents, domains, months, findings map[string]int
	largest                                                     []sources.SurveyItem
	out                                                         *sources.Survey
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
	// A private note and a word for the team are written by agents.
	if k := strings.ToLower(m.Kind); m.Private || m.Author.Agent || k == "agent" || k == "note" || k == "staff" {
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

func (w *surveyor) agent(p sources.Person) {
	if who := cmp.Or(strings.ToLower(p.Email), p.Name, p.ID); who != "" {
		count(w.agents, who)
	}
	if _, domain, ok := strings.Cut(strings.ToLower(p.Email), "@"); ok && !freeMail[domain] {
		count(w.domains, domain)
	}
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
