package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"hsimport/importer/helpscout"
	"hsimport/sources"
)

func basic() Options {
	return Options{
		Statuses: map[string]string{"open": "active", "closed": "closed"}, FallbackUser: "ada@support.example",
		AgentDomains: []string{"support.example"}, PlaceholderDomain: "imported.invalid", Mailbox: "support",
	}
}

// conversationOf is a ticket with n messages, one a minute.
func conversationOf(n int, status string) *sources.Ticket {
	mary := sources.Person{Name: "Mary Evans", Email: "mary@customer.example"}
	t := &sources.Ticket{Key: "id:1", ID: "1001", Subject: "Long", Status: status, Requester: mary}
	for i := range n {
		msg := &sources.Message{
			Key: sources.Key(fmt.Sprint("m", i)), Author: mary, Kind: "customer", Body: fmt.Sprint("text ", i), Ordinal: i,
			CreatedAt: time.Date(2024, 3, 1, 9, i, 0, 0, time.UTC),
		}
		if i%2 == 1 {
			msg.Author, msg.Kind = sources.Person{Email: "grace@support.example"}, "agent"
		}
		t.Messages = append(t.Messages, msg)
	}
	return t
}

func TestSplitting(t *testing.T) {
	for _, c := range []struct {
		name       string
		n          int
		status     string
		maxThreads int
		want       []int // threads of each part
	}{
		{"a closed ticket stays whole up to 100", 100, "closed", 0, []int{100}},
		{"one more than fits", 101, "closed", 0, []int{100, 3}},
		{"a live ticket keeps ten threads free", 90, "open", 0, []int{90}},
		{"a live ticket with one more", 91, "open", 0, []int{90, 3}},
		{"250 messages, closed", 250, "closed", 0, []int{100, 100, 54}},
		{"250 messages, live", 250, "open", 0, []int{90, 90, 74}},
		{"the last part takes one more, having no closing note", 198, "closed", 0, []int{100, 100}},
		{"no room for a closing note", 4, "closed", 2, []int{2, 2, 2}},
		{"no room for any note", 3, "closed", 1, []int{1, 1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := basic()
			opts.MaxThreads = c.maxThreads
			p := mustMap(t, opts, conversationOf(c.n, c.status))
			var got []int
			for _, part := range p.Parts {
				got = append(got, len(part.Conversation.Threads))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("parts of %v threads, want %v", got, c.want)
			}
		})
	}
}

func TestPartsNameEachOther(t *testing.T) {
	ticket := conversationOf(250, "open")
	ticket.Assignee = &sources.Person{Email: "grace@support.example"}
	ticket.Tags = []string{"vip"}
	p := mustMap(t, basic(), ticket)
	first, second, last := p.Parts[0], p.Parts[1], p.Parts[2]
	if got, want := first.Conversation.Threads[89].Text, "<p>continued in part 2 of ticket 1001</p>"; got != want {
		t.Errorf("part 1 ends with %q, want %q", got, want)
	}
	if got, want := last.Conversation.Threads[last.LinkThread].Text, `<p>continues <a href="part:2">part 2</a> of ticket 1001</p>`; got != want {
		t.Errorf("part 3 begins with %q, want %q", got, want)
	}
	if first.LinkThread != -1 || second.Conversation.Subject != "Long (part 2)" || first.Conversation.Subject != "Long" {
		t.Errorf("link thread %d, subjects %q and %q", first.LinkThread, first.Conversation.Subject, second.Conversation.Subject)
	}
	if !slices.Equal(first.Conversation.Tags, last.Conversation.Tags) || *last.Conversation.AssignTo != 12 {
		t.Errorf("tags %v and %v, assigned %v", first.Conversation.Tags, last.Conversation.Tags, last.Conversation.AssignTo)
	}
	if got, want := first.Conversation.ClosedAt.Time, first.Conversation.Threads[89].CreatedAt.Time; !got.Equal(want) {
		t.Errorf("part 1 is closed at %s, its last thread is of %s", got, want)
	}
	if first.Units() != 2 || second.Units() != 3 || p.Traits&HasSplit == 0 {
		t.Errorf("units %d and %d, traits %b", first.Units(), second.Units(), p.Traits)
	}
}

// TestHugeTicketSplitsBySize: texts that would not fit into one create call make a further part.
func TestHugeTicketSplitsBySize(t *testing.T) {
	ticket := conversationOf(30, "closed")
	for _, msg := range ticket.Messages {
		msg.Body = strings.Repeat("0123456789\n", 500)
	}
	opts := basic()
	opts.InlineSize = 64_000
	if p := mustMap(t, opts, ticket); len(p.Parts) < 3 {
		t.Errorf("%d parts for 180 kB of text in calls of 64 kB", len(p.Parts))
	}
}

func TestRemarksStayWithTheirMessage(t *testing.T) {
	ticket := conversationOf(12, "closed")
	for _, msg := range ticket.Messages {
		msg.Bcc = []sources.Person{{Email: "hidden@customer.example"}}
	}
	opts := basic()
	opts.MaxThreads = 6
	p := mustMap(t, opts, ticket)
	for _, part := range p.Parts {
		for _, c := range part.Messages {
			if next := part.Conversation.Threads[c.Thread+1]; !strings.Contains(next.Text, "hidden@customer.example") {
				t.Errorf("part %d: %s is followed by %q", part.Number, c.Message, next.Text)
			}
		}
	}
}

func TestJobFindings(t *testing.T) {
	bad := basic()
	bad.Mailbox = "Suport"
	bad.FallbackUser = "adda@support.example"
	bad.Agents = map[string]string{"x": "grace@suport.example", "y": ""}
	bad.Teams = map[string]string{"l2": "Second lime"}
	bad.Statuses["new"] = "opened"
	bad.Bulk = "tags"
	m, found := New(bad, account())
	var got []string
	for _, f := range found {
		if f.Severity == sources.BlocksJob {
			got = append(got, f.Code+": "+f.Text)
		}
	}
	want := []string{
		`mailbox-unknown: helpscout.mailbox: the account has no mailbox "Suport"; did you mean "Support"?`,
		`option-invalid: mapping.bulk: "tags" is not one of import, tag, exclude; did you mean "tag"?`,
		`option-invalid: mapping.statuses.new: "opened" is not one of active, pending, closed, spam, exclude`,
		`team-unknown: mapping.teams.l2: the account has no team "Second lime"; did you mean "Second line"?`,
		`user-unknown: mapping.fallback_user: the account has no active user "adda@support.example"; did you mean "ada@support.example"?`,
		`user-unknown: mapping.agents.x: the account has no active user "grace@suport.example"; did you mean "grace@support.example"?`,
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if p := m.Map(conversationOf(1, "open")); len(p.Parts) != 1 {
		t.Error("a mapper with findings must still map, so that the report shows everything at once")
	}
}

func TestUnboundSaysSo(t *testing.T) {
	_, found := New(basic(), Target{})
	if len(found) != 1 || found[0].Severity != sources.Info || !strings.Contains(found[0].Text, "users") {
		t.Errorf("found %+v", found)
	}
}

// TestDigestMovesWithOutput: whatever decides output moves the digest, and what means the same does not.
func TestDigestMovesWithOutput(t *testing.T) {
	digest := func(change func(*Options, *Target)) string {
		o, a := basic(), account()
		o.Statuses = maps.Clone(o.Statuses)
		change(&o, &a)
		m, _ := New(o, a)
		return m.Digest()
	}
	base := digest(func(*Options, *Target) {})
	ten := 10
	for name, change := range map[string]func(*Options, *Target){
		"defaults written out": func(o *Options, _ *Target) {
			o.MaxThreads, o.Headroom, o.Bulk, o.InlineSize, o.LegacyReference = 100, &ten, "tag", 10_000_000, "off"
		},
		"case of keys":       func(o *Options, _ *Target) { delete(o.Statuses, "open"); o.Statuses["  OPEN "] = "Active" },
		"mailbox by id":      func(o *Options, _ *Target) { o.Mailbox = "101" },
		"unused newest":      func(o *Options, _ *Target) { o.Newest = time.Now() },
		"a mailbox's name":   func(_ *Options, a *Target) { a.Mailboxes[0].Slug = "x" },
		"fields of another":  func(_ *Options, a *Target) { a.Mailboxes[1].Fields = []helpscout.Field{{ID: 1}} },
		"address in capital": func(o *Options, _ *Target) { o.FallbackUser = "ADA@support.example" },
	} {
		if digest(change) != base {
			t.Errorf("%s: the digest moved, output would not", name)
		}
	}
	seen := map[string]string{base: "nothing"}
	for name, change := range map[string]func(*Options, *Target){
		"a status":       func(o *Options, _ *Target) { o.Statuses["new"] = "active" },
		"max_threads":    func(o *Options, _ *Target) { o.MaxThreads = 99 },
		"headroom":       func(o *Options, _ *Target) { zero := 0; o.Headroom = &zero },
		"mailbox":        func(o *Options, _ *Target) { o.Mailbox = "Sales" },
		"a user's id":    func(_ *Options, a *Target) { a.Users[1].ID = 99 },
		"an option":      func(_ *Options, a *Target) { a.Mailboxes[0].Fields[0].Options[0].ID = 1 },
		"zones":          func(o *Options, _ *Target) { o.Zones = "2026b" },
		"a used newest":  func(o *Options, _ *Target) { o.CloseInactive = Duration(day); o.Newest = time.Unix(1, 0) },
		"another newest": func(o *Options, _ *Target) { o.CloseInactive = Duration(day); o.Newest = time.Unix(2, 0) },
		"unbound":        func(_ *Options, a *Target) { *a = Target{} },
	} {
		d := digest(change)
		if other, twice := seen[d]; twice {
			t.Errorf("%s has the same digest as %s", name, other)
		}
		seen[d] = name
	}
}

func TestCloseInactive(t *testing.T) {
	opts := basic()
	opts.CloseInactive = Duration(180 * day)
	ticket := conversationOf(2, "open")
	opts.Newest = ticket.Messages[1].CreatedAt.Add(180 * day)
	if p := mustMap(t, opts, ticket); !p.Live {
		t.Error("closed on the very day that is still within close_inactive")
	}
	opts.Newest = opts.Newest.Add(time.Second)
	if p := mustMap(t, opts, ticket); p.Live || !hasCode(p, codeInactive) {
		t.Errorf("live %t, findings %v", p.Live, p.Findings)
	}
}

func TestClosedButUnanswered(t *testing.T) {
	opts := basic()
	opts.Newest = time.Date(2024, 3, 31, 0, 0, 0, 0, time.UTC)
	if p := mustMap(t, opts, conversationOf(1, "closed")); !hasCode(p, codeUnanswered) {
		t.Error("the customer spoke last, 30 days before the newest message: nothing said")
	}
	for name, ticket := range map[string]*sources.Ticket{"answered": conversationOf(2, "closed"), "live": conversationOf(1, "open")} {
		if p := mustMap(t, opts, ticket); hasCode(p, codeUnanswered) {
			t.Errorf("%s: counted as closed but unanswered", name)
		}
	}
	opts.Newest = time.Date(2024, 4, 1, 0, 0, 0, 0, time.UTC)
	if p := mustMap(t, opts, conversationOf(1, "closed")); hasCode(p, codeUnanswered) {
		t.Error("31 days is too long ago to warn")
	}
}

func TestLiveMail(t *testing.T) {
	opts := basic()
	opts.Statuses, opts.Newest = nil, time.Date(2024, 3, 20, 0, 0, 0, 0, time.UTC)
	opts.Live = Live{Labels: []string{"INBOX"}, LastFrom: "customer", NewerThan: Duration(30 * day)}
	mail := func(n int, labels ...string) *sources.Ticket {
		t := conversationOf(n, "")
		t.Kind, t.Labels = sources.Mail, labels
		return t
	}
	for _, c := range []struct {
		name   string
		ticket *sources.Ticket
		live   bool
	}{
		{"in the inbox, customer last", mail(1, "Inbox"), true},
		{"archived", mail(1, "Work"), false},
		{"answered", mail(2, "inbox"), false},
	} {
		if p := mustMap(t, opts, c.ticket); p.Live != c.live {
			t.Errorf("%s: live %t", c.name, p.Live)
		}
	}
	opts.Newest = opts.Newest.AddDate(0, 1, 0)
	if p := mustMap(t, opts, mail(1, "Inbox")); p.Live {
		t.Error("an old thread is live")
	}
}

func TestLiveCc(t *testing.T) {
	ticket := conversationOf(1, "open")
	ticket.Messages[0].Cc = []sources.Person{{Email: "boss@customer.example"}, {Email: "mary@customer.example"}}
	opts := basic()
	if p := mustMap(t, opts, ticket); !slices.Equal(p.Parts[0].Conversation.Threads[0].Cc, []string{"boss@customer.example"}) {
		t.Errorf("cc %v", p.Parts[0].Conversation.Threads[0].Cc)
	}
	opts.LiveCc = "note"
	threads := mustMap(t, opts, ticket).Parts[0].Conversation.Threads
	if len(threads) != 2 || threads[0].Cc != nil || !strings.Contains(threads[1].Text, "boss@customer.example") {
		t.Errorf("live_cc: note gives %+v", threads)
	}
}

func TestLongSubjectIsKeptInANote(t *testing.T) {
	ticket := conversationOf(2, "closed")
	ticket.Subject = strings.Repeat("🙂 very long ", 40)
	threads := mustMap(t, basic(), ticket).Parts[0].Conversation.Threads
	if len(threads) != 3 || threads[1].Type != helpscout.ThreadNote || !strings.Contains(threads[1].Text, strings.TrimSpace(ticket.Subject)) {
		t.Errorf("the full subject is nowhere: %+v", threads)
	}
}

// TestCutTextIsAttachedWhole: the file has every byte of the text.
func TestCutTextIsAttachedWhole(t *testing.T) {
	ticket := conversationOf(1, "closed")
	ticket.Messages[0].Body = strings.Repeat("line é <b>\n", 3_000)
	opts := basic()
	opts.MaxText = 10_000
	part := mustMap(t, opts, ticket).Parts[0]
	th := part.Conversation.Threads[0]
	if len(th.Attachments) != 1 || th.Attachments[0].FileName != "full-message.txt" {
		t.Fatalf("attachments %+v", th.Attachments)
	}
	if got := content(t, part.fileOf(th.Attachments[0])); got != ticket.Messages[0].Body {
		t.Errorf("the file has %d bytes, the text %d", len(got), len(ticket.Messages[0].Body))
	}
	opts.AttachmentSize = 10_000
	part = mustMap(t, opts, ticket).Parts[0]
	whole := ""
	for _, a := range part.Conversation.Threads[0].Attachments {
		whole += content(t, part.fileOf(a))
	}
	if whole != ticket.Messages[0].Body {
		t.Error("in several files, the text is not whole")
	}
}

func hasCode(p *Plan, code string) bool {
	return slices.ContainsFunc(p.Findings, func(f Finding) bool { return f.Code == code })
}

// TestPhotosInTheTextAreNotCut: a long body is long because of its images, which become files.
func TestPhotosInTheTextAreNotCut(t *testing.T) {
	ticket := conversationOf(1, "closed")
	photo := strings.Repeat("QUJD", 1<<20)
	ticket.Messages[0].Format = sources.HTML
	ticket.Messages[0].Body = `<p>one <img src="data:image/jpeg;base64,` + photo + `"> two <img src="data:image/jpeg;base64,` + photo + `QUJD"> three</p>`
	part := mustMap(t, basic(), ticket).Parts[0]
	if got, want := part.Conversation.Threads[0].Text, "<p>one <em>[image: image-1.jpg]</em> two <em>[image: image-2.jpg]</em> three</p>"; got != want {
		t.Errorf("got %q, want %q", shorten(got, 200), want)
	}
	if len(part.Files) != 2 {
		t.Errorf("%d files", len(part.Files))
	}
}
