package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/html"

	"hsimport/importer"
	"hsimport/importer/helpscout"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
	"hsimport/sources"
)

// A comparison holds what an account has against the source: conversation by conversation against the plan, and, so
// that the plan is not its own witness, word by word and file by file against the messages themselves.
type comparison struct {
	conversations int // equal to their plan
	messages      int // found again, each exactly once
	attachments   int
	left          int // messages that a rule leaves out, or of tickets that are refused
	reworded      int // messages whose words the mapping changed, as a finding says
	noted         int // attachments that a note names
	diffs         []string

	held  map[string][]*sandbox.Conversation // by their whole content
	pairs []pair
}

// A pair is a ticket and the conversations that it became.
type pair struct {
	ticket *sources.Ticket
	plan   *mapping.Plan
	convs  []*sandbox.Conversation
}

func newComparison(box *sandbox.Sandbox) *comparison {
	c := &comparison{held: map[string][]*sandbox.Conversation{}}
	for conv := range box.Conversations() {
		if !conv.Deleted {
			k := heldContent(&conv)
			c.held[k] = append(c.held[k], &conv)
		}
	}
	return c
}

// each takes one ticket with its plan, as a dry run hands it out.
func (c *comparison) each(s importer.Seen) error {
	if s.Plan == nil {
		c.left++
		return nil
	}
	if s.Plan.Excluded != "" || s.Plan.Refused != "" {
		c.left += len(s.Ticket.Messages)
		return nil
	}
	p := pair{ticket: s.Ticket, plan: s.Plan}
	for _, part := range s.Plan.Parts {
		k := plannedContent(part)
		found := c.held[k]
		if len(found) == 0 {
			c.differ("ticket %s part %d: no conversation is equal to it", name(s.Plan), part.Number)
			continue
		}
		p.convs = append(p.convs, found[0])
		c.held[k] = found[1:]
		c.conversations++
	}
	if len(p.convs) == len(s.Plan.Parts) {
		c.messagesOf(p)
		c.filesOf(p)
		c.pairs = append(c.pairs, p)
	}
	return nil
}

// close counts what the account holds and the source does not.
func (c *comparison) close() {
	var extra []*sandbox.Conversation
	for _, convs := range c.held {
		extra = append(extra, convs...)
	}
	slices.SortFunc(extra, func(a, b *sandbox.Conversation) int { return cmp.Compare(a.Number, b.Number) })
	for _, conv := range extra {
		c.differ("conversation #%d %q is not of the source, or there twice", conv.Number, conv.Subject)
	}
}

func (c *comparison) differ(format string, args ...any) {
	c.diffs = append(c.diffs, fmt.Sprintf(format, args...))
}

func name(p *mapping.Plan) string { return cmp.Or(p.ID, string(p.Key)) }

// messagesOf looks for the words of every message in the thread that carries it.
func (c *comparison) messagesOf(p pair) {
	threads := map[sources.Key][]*sandbox.Thread{}
	for i, part := range p.plan.Parts {
		held := messageThreads(p.convs[i])
		for _, carried := range part.Messages {
			threads[carried.Message] = append(threads[carried.Message], held[carried.Thread])
		}
	}
	left := map[sources.Key]bool{}
	for _, l := range p.plan.Left {
		left[l.Message] = true
	}
	reworded := slices.ContainsFunc(p.plan.Findings, func(f mapping.Finding) bool { return rewording[f.Code] })
	for _, m := range p.ticket.Messages {
		found := threads[m.Key]
		switch {
		case left[m.Key] && len(found) == 0:
			c.left++
		case len(found) != 1 || left[m.Key]:
			c.differ("ticket %s: the message at %s is there %d times", name(p.plan), m.Position, len(found))
		case strings.Contains(words(images.ReplaceAllString(found[0].Text, ""), sources.HTML), words(m.Body, m.Format)):
			c.messages++
		case reworded:
			c.messages, c.reworded = c.messages+1, c.reworded+1
		default:
			c.differ("ticket %s: the text of the message at %s is another one", name(p.plan), m.Position)
		}
	}
}

// rewording are the findings under which a text may differ from its source.
var rewording = map[string]bool{"text-shortened": true, "html-as-text": true, "characters-removed": true, "body-empty": true, "image-unresolved": true, "redacted": true}

// filesOf looks for the content of every attachment.
func (c *comparison) filesOf(p pair) {
	held := map[string]int{}
	for _, conv := range p.convs {
		for _, th := range conv.Threads {
			for _, a := range th.Attachments {
				held[a.SHA256]++
			}
		}
	}
	noted := p.plan.Noted
	for _, m := range p.ticket.Messages {
		if slices.ContainsFunc(p.plan.Left, func(l mapping.LeftOut) bool { return l.Message == m.Key }) {
			continue
		}
		for _, a := range m.Attachments {
			switch {
			case held[a.SHA256] > 0 && a.SHA256 != "":
				held[a.SHA256]--
				c.attachments++
			case noted > 0:
				noted--
				c.noted++
			default:
				c.differ("ticket %s: attachment %q of the message at %s is not there", name(p.plan), a.Name, m.Position)
			}
		}
	}
}

// messageThreads are the threads of a conversation but for line items, in the order of the create call.
func messageThreads(c *sandbox.Conversation) []*sandbox.Thread {
	var out []*sandbox.Thread
	for i := range c.Threads {
		if c.Threads[i].Action == "" {
			out = append(out, &c.Threads[i])
		}
	}
	return out
}

// links are the links between the parts of one ticket: a symbol in the plan, an address in the account.
var links = regexp.MustCompile(`href="(part:\d+|https?://[^"]*/conversation/\d+[^"]*)"`)

// images are the words that stand where the text showed an attached image.
var images = regexp.MustCompile(`\[image: [^\]]*\]`)

// lines are line breaks, which the service spells in its own way.
var lines = regexp.MustCompile(`<br ?/?>`)

func sameText(text string) string {
	return lines.ReplaceAllString(links.ReplaceAllString(text, `href="part"`), "<br>")
}

// plannedContent and heldContent spell the same conversation in the same way, each from its own side.
func plannedContent(p *mapping.Part) string {
	var b strings.Builder
	v := p.Conversation
	closed := ""
	if v.ClosedAt != nil {
		closed = v.ClosedAt.UTC().Format(helpscout.TimeLayout)
	}
	assignee := int64(0)
	if v.AssignTo != nil {
		assignee = *v.AssignTo
	}
	head(&b, v.Subject, v.Type, v.Status, v.CreatedAt.UTC().Format(helpscout.TimeLayout), closed, v.Customer.Email, v.MailboxID, assignee, v.Tags)
	fields := map[int64]string{}
	for _, f := range v.Fields {
		fields[f.ID] = f.Value
	}
	fieldLines(&b, fields)
	for i, th := range v.Threads {
		kind := th.Type
		if kind == "reply" {
			kind = "message"
		}
		fmt.Fprintf(&b, "%s %s %s\n", kind, th.CreatedAt.UTC().Format(helpscout.TimeLayout), sameText(th.Text))
		var files []string
		for _, a := range th.Attachments {
			files = append(files, fileLine(a.FileName, strings.TrimPrefix(a.Data, "attachment:")))
		}
		for _, u := range p.Uploads {
			if u.Thread == i {
				files = append(files, fileLine(u.File.FileName, strings.TrimPrefix(u.File.Data, "attachment:")))
			}
		}
		fileLines(&b, files)
	}
	return b.String()
}

func heldContent(c *sandbox.Conversation) string {
	var b strings.Builder
	closed := ""
	if !c.ClosedAt.IsZero() {
		closed = c.ClosedAt.UTC().Format(helpscout.TimeLayout)
	}
	head(&b, c.Subject, c.Type, c.Status, c.CreatedAt.UTC().Format(helpscout.TimeLayout), closed, c.Email, c.MailboxID, c.AssigneeID, c.Tags)
	fields := map[int64]string{}
	for _, f := range c.Fields {
		fields[f.ID] = f.Value
	}
	fieldLines(&b, fields)
	for _, th := range messageThreads(c) {
		fmt.Fprintf(&b, "%s %s %s\n", th.Type, th.CreatedAt.UTC().Format(helpscout.TimeLayout), sameText(th.Text))
		var files []string
		for _, a := range th.Attachments {
			files = append(files, fileLine(a.Name, a.SHA256))
		}
		fileLines(&b, files)
	}
	return b.String()
}

func head(b *strings.Builder, subject, kind, status, created, closed, customer string, mailbox, assignee int64, tags []string) {
	sorted := make([]string, 0, len(tags))
	for _, t := range tags {
		sorted = append(sorted, strings.ToLower(t))
	}
	slices.Sort(sorted)
	fmt.Fprintf(b, "%s\n%s %s %s %s %s %d %d %q\n", subject, kind, status, created, closed, strings.ToLower(customer), mailbox, assignee, sorted)
}

func fieldLines(b *strings.Builder, fields map[int64]string) {
	ids := make([]int64, 0, len(fields))
	for id := range fields {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		fmt.Fprintf(b, "field %d %s\n", id, fields[id])
	}
}

func fileLine(name, sum string) string { return "file " + name + " " + sum }

func fileLines(b *strings.Builder, files []string) {
	slices.Sort(files)
	for _, f := range files {
		fmt.Fprintln(b, f)
	}
}

// words is everything of a text that somebody reads: its letters and digits, without markup, blanks and punctuation.
func words(body string, format sources.Format) string {
	if format == sources.HTML {
		body = visible(body)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, body)
}

// visible is the text of HTML, a line for each block.
func visible(body string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(body))
	hidden := 0
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			if hidden == 0 {
				b.WriteString(html.UnescapeString(string(z.Raw())))
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			t := z.Token()
			switch t.Data {
			case "script", "style", "head", "title", "template":
				if t.Type == html.StartTagToken {
					hidden++
				} else if t.Type == html.EndTagToken && hidden > 0 {
					hidden--
				}
			case "br", "p", "div", "li", "tr", "blockquote", "h1", "h2", "h3":
				b.WriteByte('\n')
			}
		}
	}
}
