package importer

import (
	"context"
	"errors"
	"fmt"
	"html"
	"regexp"
	"strings"

	xhtml "golang.org/x/net/html"

	"hsimport/mapping"
	"hsimport/sources"
)

// Relinking is how texts name other tickets of the old desk.
type Relinking struct {
	// URLs are addresses of old tickets, with {id} in place of the number; what follows it does not count. Empty: as the
	// source's own addresses of its tickets are made.
	URLs    []string `yaml:"urls"`
	Numbers bool     `yaml:"numbers"` // "#4711" names a ticket too
}

const (
	idSymbol    = "{id}"
	maxPatterns = 20
	derivedFrom = 50 // tickets whose addresses are looked at
)

// Check refuses what cannot be an address of a ticket.
func (r Relinking) Check() error {
	if len(r.URLs) > maxPatterns {
		return fmt.Errorf("run.relink.urls: %d addresses; %d are the most", len(r.URLs), maxPatterns)
	}
	for _, u := range r.URLs {
		lower := strings.ToLower(strings.TrimSpace(u))
		if !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "https://") || strings.Count(u, idSymbol) != 1 || strings.ContainsAny(u, " <>\"'") {
			return fmt.Errorf("run.relink.urls: %q: write the address of an old ticket with {id} in place of its number, such as https://desk.example/tickets/{id}", u)
		}
	}
	return nil
}

// linker finds what names a ticket inside texts. What people read stays as it is: only where a link leads changes, and a
// bare address or number becomes a link.
type linker struct {
	find  *regexp.Regexp // each alternative has one group, the number
	whole *regexp.Regexp // an address and nothing else
	hints []string       // one of them stands in every text that names a ticket
}

// newLinker returns nil when nothing would be found.
func newLinker(urls []string, numbers bool) *linker {
	l := &linker{}
	var alternatives []string
	for _, u := range urls {
		u = strings.TrimSpace(u)
		_, bare, _ := strings.Cut(u, "://")
		before, after, _ := strings.Cut(bare, idSymbol)
		alternatives = append(alternatives, `(?i:https?://`+regexp.QuoteMeta(before)+`)([A-Za-z0-9_-]{1,64})(?i:`+regexp.QuoteMeta(after)+`)(?:[/?#&][^\s<>"']*)?`)
		host, _, _ := strings.Cut(bare, "/")
		l.hints = append(l.hints, host, strings.ToLower(host))
	}
	if len(alternatives) > 0 {
		l.whole = regexp.MustCompile(`^\s*(?:` + strings.Join(alternatives, "|") + `)\s*$`)
	}
	if numbers {
		alternatives = append(alternatives, `#([0-9]{1,18})\b`)
		l.hints = append(l.hints, "#")
	}
	if len(alternatives) == 0 {
		return nil
	}
	l.find = regexp.MustCompile(strings.Join(alternatives, "|"))
	return l
}

// rewrite lets the links of an HTML text lead where target says, which is asked for what stands in an address, or for a
// number with its sign; an empty target leaves a link as it is. It returns how many it has changed, 0 with the text as it
// was.
func (l *linker) rewrite(text string, target func(id string) string) (string, int) {
	likely := false
	for _, h := range l.hints {
		likely = likely || strings.Contains(text, h)
	}
	if !likely || !l.find.MatchString(text) {
		return text, 0
	}
	var b strings.Builder
	n, within, last := 0, 0, byte(' ') // last: what stands before a text, but for links
	z := xhtml.NewTokenizer(strings.NewReader(text))
	for {
		kind := z.Next()
		raw := string(z.Raw())
		if kind == xhtml.ErrorToken {
			b.WriteString(raw)
			break
		}
		switch kind {
		case xhtml.StartTagToken, xhtml.EndTagToken:
			name, _ := z.TagName()
			if string(name) != "a" {
				last = ' '
			}
			switch string(name) {
			case "script", "style", "textarea", "title":
				within = 2
				if kind == xhtml.EndTagToken {
					within = 0
				}
			case "a":
				within = 1
				if kind == xhtml.EndTagToken {
					within = 0
				} else if tag, ok := l.anchor(raw, target); ok {
					raw = tag
					n++
				}
			}
		case xhtml.TextToken:
			seen := last
			last = raw[len(raw)-1]
			if within == 0 {
				var m int
				raw, m = l.plain(raw, seen, target)
				n += m
			}
		}
		b.WriteString(raw)
	}
	if n == 0 || textDigest(b.String()) != textDigest(text) { // markup so broken that words would change stays
		return text, 0
	}
	return b.String(), n
}

// anchor rewrites the start tag of a link.
func (l *linker) anchor(raw string, target func(string) string) (string, bool) {
	if l.whole == nil {
		return raw, false
	}
	z := xhtml.NewTokenizer(strings.NewReader(raw))
	if z.Next() != xhtml.StartTagToken {
		return raw, false
	}
	tag := z.Token()
	for i, a := range tag.Attr {
		if a.Key != "href" {
			continue
		}
		id := oneOf(l.whole.FindStringSubmatch(a.Val))
		if id == "" {
			return raw, false
		}
		to := target(id)
		if to == "" {
			return raw, false
		}
		tag.Attr[i].Val = to
		return tag.String(), true
	}
	return raw, false
}

// plain makes links of the addresses and numbers that stand in a text by themselves.
// before is the byte in front of it.
func (l *linker) plain(raw string, before byte, target func(string) string) (string, int) {
	var b strings.Builder
	n, from := 0, 0
	for _, at := range l.find.FindAllStringSubmatchIndex(raw, -1) {
		match := raw[at[0]:at[1]]
		if at[0] > 0 {
			before = raw[at[0]-1]
		}
		if match[0] == '#' && !freeStanding(before) {
			continue
		}
		id := ""
		for g := 2; g < len(at); g += 2 {
			if at[g] >= 0 {
				id = raw[at[g]:at[g+1]]
			}
		}
		if match[0] == '#' {
			id = "#" + id
		}
		to := target(id)
		if to == "" {
			continue
		}
		b.WriteString(raw[from:at[0]])
		b.WriteString(`<a href="` + html.EscapeString(to) + `">` + match + `</a>`)
		from = at[1]
		n++
	}
	return b.String() + raw[from:], n
}

// freeStanding says that a number sign behind this byte begins a word: it is no part of an entity or an address.
func freeStanding(c byte) bool {
	return strings.IndexByte(" \t\n\r([{,:>.!?-", c) >= 0
}

// oneOf is the one group that took part in a match.
func oneOf(m []string) string {
	for _, g := range m[min(1, len(m)):] {
		if g != "" {
			return g
		}
	}
	return ""
}

// useLinker makes the linker of the job: of what is configured, else of the addresses that the source has for its tickets.
func (e *engine) useLinker(ctx context.Context) error {
	r := e.Options.Relinking
	if err := r.Check(); err != nil {
		return &Stop{Code: ExitUsage, Err: err}
	}
	urls := r.URLs
	if len(urls) == 0 {
		var err error
		if urls, err = e.ownPatterns(ctx); err != nil {
			return err
		}
	}
	e.links = newLinker(urls, r.Numbers)
	return nil
}

// ownPatterns are the addresses of the first tickets with {id} in place of their number.
func (e *engine) ownPatterns(ctx context.Context) (out []string, err error) {
	seen := map[string]bool{}
	for i := range min(derivedFrom, e.Source.Len()) {
		t, err := e.Source.Ticket(ctx, i)
		var rec *sources.RecordError
		if errors.As(err, &rec) {
			continue
		}
		if err != nil {
			return nil, err
		}
		p := patternOf(t)
		if p != "" && !seen[p] && len(out) < maxPatterns && (Relinking{URLs: []string{p}}).Check() == nil {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out, nil
}

// patternOf is a ticket's address with {id} in place of its number.
func patternOf(t *sources.Ticket) string {
	for _, id := range []string{strings.TrimPrefix(string(t.Key), "id:"), t.ID} {
		u := strings.TrimSpace(t.URL)
		i := strings.LastIndex(u, id)
		if id == "" || i < len("https://") || strings.Contains(u, "{") {
			continue
		}
		if end := i + len(id); (end == len(u) || strings.IndexByte("/?#&", u[end]) >= 0) && strings.IndexByte("/=#", u[i-1]) >= 0 {
			return u[:i] + idSymbol
		}
	}
	return ""
}

// ticketKeys are the keys that a ticket of this number may have.
func ticketKeys(id string) []string { return []string{id, "id:" + id} }

// linksIn counts the links of a plan to tickets that the source has.
func (e *engine) linksIn(p *mapping.Plan) (n int) {
	known := func(id string) string {
		for _, key := range ticketKeys(strings.TrimPrefix(id, "#")) {
			if _, ok := e.Source.Find(sources.Key(key)); ok {
				return "there"
			}
		}
		return ""
	}
	for _, part := range p.Parts {
		for _, th := range part.Conversation.Threads {
			_, m := e.links.rewrite(th.Text, known)
			n += m
		}
	}
	return n
}
