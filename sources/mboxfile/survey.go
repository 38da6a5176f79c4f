package mboxfile

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"hsimport/sources"
)

// Bounds of what a survey lists.
const (
	topSenders  = 30
	topAgents   = 20
	topDomains  = 10
	topLargest  = 10
	topOddities = 10
	maxMonths   = 600 // beyond it, a date is absurd, and months without mails are not listed
)

// Survey opens an archive without excluding anything, decodes every mail of it and sums up what is inside. Its Ledger
// has the attachments counted.
func Survey(ctx context.Context, paths []string, base string) (*sources.Survey, error) {
	src, err := Open(ctx, Options{Paths: paths, Base: base})
	if err != nil {
		return nil, err
	}
	c := newCollector()
	err = c.all(ctx, src)
	if closeErr := src.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	return c.survey(src), nil
}

// A collector sums up tickets in any order: all that it keeps is a sum, a smallest or a largest.
type collector struct {
	mu       sync.Mutex
	senders  map[string]int
	answered map[string]int // tickets in which an address answered somebody else
	domains  map[string]int
	months   map[string]int
	hours    [24]int
	first    time.Time
	last     time.Time
	kinds    map[string]int
	findings map[string]int
	oddest   map[string]sources.Problem // of each code, the one that stands first
	largest  []sources.SurveyItem
	attached sources.AttachmentLedger
	messages int
	zoneless int
}

func newCollector() *collector {
	return &collector{
		senders: map[string]int{}, answered: map[string]int{}, domains: map[string]int{}, months: map[string]int{},
		kinds: map[string]int{}, findings: map[string]int{}, oddest: map[string]sources.Problem{},
	}
}

// all decodes every ticket, on all processors.
func (c *collector) all(ctx context.Context, src *Source) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range src.Len() {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error {
			t, err := src.Ticket(ctx, i)
			if err != nil {
				return err
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			c.ticket(t)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, p := range src.Ledger().Problems {
		c.problem(p)
	}
	return nil
}

func (c *collector) ticket(t *sources.Ticket) {
	starter := address(t.Messages[0])
	answered := map[string]bool{}
	for _, m := range t.Messages {
		c.message(m)
		if a := address(m); a != "" && starter != "" && a != starter {
			answered[a] = true
		}
	}
	for a := range answered {
		c.answered[a]++
		if d := domain(a); d != "" {
			c.domains[d]++
		}
	}
}

func (c *collector) message(m *sources.Message) {
	c.messages++
	if a := address(m); a != "" {
		c.senders[a]++
	}
	if t := m.CreatedAt; !t.IsZero() {
		c.months[t.Format("2006-01")]++
		c.hours[t.Hour()]++
		if c.first.IsZero() || t.Before(c.first) {
			c.first = t
		}
		if t.After(c.last) {
			c.last = t
		}
	}
	c.kinds[kindName(m.Auto)]++
	for _, p := range m.Problems {
		c.problem(p)
	}
	for _, a := range m.Attachments {
		c.attached.Found++
		c.attached.Bytes += a.Size
		if a.Missing != "" {
			c.attached.Missing++
		}
		c.largest = append(c.largest, sources.SurveyItem{What: a.Name + " (" + a.MIMEType + ")", Bytes: a.Size, Position: a.Position})
	}
	if len(c.largest) > 1000 {
		c.trim()
	}
}

func kindName(a sources.Auto) string {
	switch a {
	case sources.AutoReply:
		return "automatic reply"
	case sources.Bounce:
		return "bounce"
	case sources.Bulk:
		return "bulk"
	}
	return "written by a person"
}

// trim keeps the largest attachments.
func (c *collector) trim() {
	slices.SortFunc(c.largest, func(a, b sources.SurveyItem) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), comparePositions(a.Position, b.Position), cmp.Compare(a.What, b.What))
	})
	c.largest = slices.Clip(c.largest[:min(len(c.largest), topLargest)])
}

func comparePositions(a, b sources.Position) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Offset, b.Offset))
}

func (c *collector) problem(p sources.Problem) {
	c.findings[p.Code]++
	if p.Code == "date-zone-missing" {
		c.zoneless++
	}
	if old, ok := c.oddest[p.Code]; !ok || comparePositions(p.Position, old.Position) < 0 {
		c.oddest[p.Code] = p
	}
}

// survey puts the sums in order.
func (c *collector) survey(src *Source) *sources.Survey {
	c.trim()
	l := *src.Ledger()
	l.Attachments = c.attached
	s := &sources.Survey{
		Format: "mbox", Layout: layouts(&l), Records: l.Records.Found, Tickets: src.Len(), Messages: l.Records.Messages,
		Attachments: c.attached.Found, First: c.first, Last: c.last, Months: c.everyMonth(), Hours: c.hours,
		ZoneKnown: c.zoneless*2 <= c.messages, Kinds: counts(c.kinds, 0, 0), Senders: counts(c.senders, topSenders, 0),
		Largest: c.largest, Oddities: c.oddities(), Findings: counts(c.findings, 0, 0), Ledger: &l,
	}
	least := max(2, src.Len()/100)
	s.Agents = counts(c.answered, topAgents, least)
	s.Domains = counts(c.domains, topDomains, least)
	for i, f := range l.Files {
		s.Files = append(s.Files, sources.SurveyFile{Path: f.Path, Size: f.Size, Encoding: f.Encoding, Confidence: 100, LineEnd: src.scan.ledger.ends[i]})
	}
	for _, u := range l.Labels {
		s.Labels = append(s.Labels, sources.Count{Value: u.Name, N: u.Filled})
	}
	return s
}

// layouts names the formats of the files, the commonest first.
func layouts(l *sources.Ledger) string {
	n := map[string]int{}
	for _, f := range l.Files {
		n[f.Encoding]++
	}
	var names []string
	for _, c := range counts(n, 0, 0) {
		names = append(names, c.Value)
	}
	return strings.Join(names, ", ")
}

// everyMonth lists the months from the first to the last mail, those without mails too unless the dates are absurd.
func (c *collector) everyMonth() []sources.Count {
	if c.first.IsZero() {
		return nil
	}
	var out []sources.Count
	for t := time.Date(c.first.Year(), c.first.Month(), 1, 0, 0, 0, 0, time.UTC); !t.After(c.last); t = t.AddDate(0, 1, 0) {
		if len(out) == maxMonths {
			out = counts(c.months, 0, 0)
			slices.SortFunc(out, func(a, b sources.Count) int { return cmp.Compare(a.Value, b.Value) })
			return out
		}
		month := t.Format("2006-01")
		out = append(out, sources.Count{Value: month, N: c.months[month]})
	}
	return out
}

// oddities are the first sightings of the rarest problems, warnings before the rest.
func (c *collector) oddities() []sources.Problem {
	var all []sources.Problem
	for _, p := range c.oddest {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b sources.Problem) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(c.findings[a.Code], c.findings[b.Code]), cmp.Compare(a.Code, b.Code))
	})
	return all[:min(len(all), topOddities)]
}

// counts lists a table by count, then name: at most top of it (0: all), and nothing below least.
func counts(n map[string]int, top, least int) []sources.Count {
	var out []sources.Count
	for v, k := range n {
		if k >= least {
			out = append(out, sources.Count{Value: v, N: k})
		}
	}
	slices.SortFunc(out, func(a, b sources.Count) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Value, b.Value))
	})
	if top > 0 && len(out) > top {
		out = out[:top]
	}
	return out
}

// address is the author's address for counting.
func address(m *sources.Message) string { return strings.ToLower(m.Author.Email) }

// domain is what stands behind the @ of an address, or nothing.
func domain(a string) string {
	if i := strings.LastIndexByte(a, '@'); i >= 0 {
		return a[i+1:]
	}
	return ""
}
