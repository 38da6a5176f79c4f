package mapping

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hsimport/sources"
)

var people = []sources.Person{
	{},
	{Name: "Mary Evans", Email: "mary@customer.example"},
	{Name: "MARY", Email: " Mary@Customer.EXAMPLE "},
	{Name: "Ada", Email: "ada@support.example"},
	{Name: "Old", Email: "old.agent@legacy.example"},
	{Name: "Gone", Email: "who@legacy.example", Agent: true},
	{Name: "No Address", ID: "4711"},
	{Email: "not an address"},
	{Name: "Help", Email: "help@support.example"},
	{Name: strings.Repeat("Wörterbuch 🙂 ", 20), Email: "long@kunde.example"},
	{Name: "Jürgen", Email: "jürgen@bücher.example"},
	{Phone: "+49 30 1234"},
}

var bodies = []string{
	"", "hello", "a\nb\n  c\td", "<p>hi <b>there</b></p>", "\x00\x07\xff\xed\xa0\x80", "\u2028 \"quotes\" \\ \\", "<img src=cid:x><img src=\"data:image/png;base64,iVBORw0KGgo=\">",
	strings.Repeat("word ", 3000), strings.Repeat("<b><i>é\"", 2000), "https://a.example/?x=(y)", strings.Repeat("\u2029", 4000), "<script>x</script>",
	strings.Repeat("&<>", 3000), strings.Repeat("<div>", 5000),
}

func genAttachment(t *rapid.T) *sources.Attachment {
	size := rapid.SampledFrom([]int{0, 1, 2, 3, 1000, 30_000, 47_000, 160_000}).Draw(t, "size")
	content := bytes.Repeat([]byte{byte(rapid.IntRange(0, 3).Draw(t, "fill"))}, size)
	sum := sha256.Sum256(content)
	a := &sources.Attachment{
		Name:     rapid.SampledFrom([]string{"a.txt", "../x/ü\".pdf", "", "a\x00b.png", strings.Repeat("n", 400) + ".jpeg"}).Draw(t, "name"),
		MIMEType: rapid.SampledFrom([]string{"text/plain", "", "image/PNG; x=y", "no\"type"}).Draw(t, "mime"), ContentID: "x", Size: int64(size), SHA256: hex.EncodeToString(sum[:]),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
	}
	if rapid.IntRange(0, 9).Draw(t, "missing") == 0 {
		a.Missing, a.Open, a.SHA256 = "link expired", nil, ""
	}
	return a
}

func genMessage(t *rapid.T, i int) *sources.Message {
	m := &sources.Message{
		Key: sources.Key(fmt.Sprintf("m%d", i)), Digest: fmt.Sprintf("d%d", i), Author: rapid.SampledFrom(people).Draw(t, "author"),
		Kind:    rapid.SampledFrom([]string{"", "", "customer", "agent", "note", "Odd"}).Draw(t, "kind"),
		Private: rapid.IntRange(0, 5).Draw(t, "private") == 0,
		Auto:    sources.Auto(rapid.SampledFrom([]int{0, 0, 0, 1, 2, 3}).Draw(t, "auto")),
		Channel: rapid.SampledFrom([]string{"", "", "chat", "phone"}).Draw(t, "channel"),
		Body:    rapid.SampledFrom(bodies).Draw(t, "body"), Format: sources.Format(rapid.IntRange(0, 1).Draw(t, "format")), Ordinal: i,
	}
	if s := rapid.IntRange(-1, 5_000).Draw(t, "second"); s >= 0 {
		m.CreatedAt = time.Date(2024, 3, 1, 9, 0, s, 500_000_000, time.FixedZone("x", 3600))
	}
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(t, "files") {
		m.Attachments = append(m.Attachments, genAttachment(t))
	}
	m.Cc = rapid.SliceOfN(rapid.SampledFrom(people), 0, 2).Draw(t, "cc")
	m.Bcc = rapid.SliceOfN(rapid.SampledFrom(people), 0, 1).Draw(t, "bcc")
	m.To = rapid.SliceOfN(rapid.SampledFrom(people), 0, 2).Draw(t, "to")
	m.ReplyTo = rapid.SliceOfN(rapid.SampledFrom(people), 0, 1).Draw(t, "replyto")
	return m
}

func genTicket(t *rapid.T) *sources.Ticket {
	ticket := &sources.Ticket{
		Key: "id:1", ID: rapid.SampledFrom([]string{"", "1001", strings.Repeat("9", 300), "a\"<b>"}).Draw(t, "id"),
		Kind:    sources.Kind(rapid.IntRange(0, 1).Draw(t, "mail")),
		Subject: rapid.SampledFrom([]string{"", "Hi", strings.Repeat("long 🙂 ", 100), "a\nb\x00"}).Draw(t, "subject"),
		Status:  rapid.SampledFrom([]string{"open", "closed", "odd", "", "junk"}).Draw(t, "status"), Channel: rapid.SampledFrom([]string{"", "chat", "phone", "fax"}).Draw(t, "chan"),
		Requester: rapid.SampledFrom(people).Draw(t, "requester"), Group: rapid.SampledFrom([]string{"", "second line", "x"}).Draw(t, "group"),
		Tags: rapid.SliceOfN(rapid.SampledFrom([]string{"a", "A", " b ", "", "drop"}), 0, 4).Draw(t, "tags"), URL: "javascript:alert(1)",
		Labels: rapid.SliceOfN(rapid.SampledFrom([]string{"Inbox", "Work", "[Gmail]/Sent Mail"}), 0, 3).Draw(t, "labels"),
	}
	if rapid.Bool().Draw(t, "created") {
		ticket.CreatedAt = time.Date(2024, 2, 1, 0, 0, 0, 0, time.UTC)
	}
	if rapid.Bool().Draw(t, "closed") {
		ticket.ClosedAt = time.Date(2024, 3, 1, 8, 30, 0, 0, time.UTC)
	}
	n := rapid.SampledFrom([]int{0, 1, 2, 5, 20, 60}).Draw(t, "messages")
	for i := range n {
		ticket.Messages = append(ticket.Messages, genMessage(t, i))
	}
	return ticket
}

func genOptions(t *rapid.T) Options {
	opts := Options{
		Statuses: map[string]string{"Open": "active", "closed": "closed", "junk": "spam"}, Agents: map[string]string{"old.agent@legacy.example": "ada@support.example"},
		FallbackUser: "ada@support.example", AgentDomains: []string{"support.example"}, MailboxAddresses: []string{"help@support.example"},
		DefaultStatus: "pending", Tags: map[string]string{"drop": ""}, Mailbox: "Support", Newest: time.Date(2024, 3, 2, 0, 0, 0, 0, time.UTC),
		MaxThreads:      rapid.SampledFrom([]int{0, 1, 2, 3, 4, 7, 30}).Draw(t, "maxThreads"),
		InlineSize:      Size(rapid.SampledFrom([]int{0, 64_000, 100_000}).Draw(t, "inline")),
		AttachmentSize:  Size(rapid.SampledFrom([]int{0, 60_000}).Draw(t, "upload")),
		MaxText:         Size(rapid.SampledFrom([]int{0, 6_000}).Draw(t, "text")),
		LegacyReference: rapid.SampledFrom([]string{"", "note", "subject"}).Draw(t, "reference"),
		Chats:           rapid.SampledFrom([]string{"", "messages"}).Draw(t, "chats"),
		Quotes:          rapid.SampledFrom([]string{"", "fold"}).Draw(t, "quotes"),
		Forwards:        rapid.SampledFrom([]string{"", "credit"}).Draw(t, "forwards"),
		LiveCc:          rapid.SampledFrom([]string{"", "note"}).Draw(t, "livecc"),
		Bulk:            rapid.SampledFrom([]string{"", "exclude"}).Draw(t, "bulk"),
		AutoReplies:     rapid.SampledFrom([]string{"", "exclude"}).Draw(t, "autoreplies"),
	}
	if rapid.Bool().Draw(t, "routes") {
		opts.Routes = []Route{
			{"Sales", Condition{Groups: []string{"Second line"}}}, {"Support", Condition{Tags: []string{"b"}}}, {"102", Condition{Labels: []string{"work"}}},
		}
	}
	if rapid.Bool().Draw(t, "redact") {
		opts.Redact = []Redaction{{Pattern: `word |<|e`, With: "<*>"}, {Preset: "cards"}}
	}
	if rapid.Bool().Draw(t, "filters") {
		opts.Filters = Filters{From: Day(time.Date(2024, 2, 15, 0, 0, 0, 0, time.UTC)), Exclude: []Condition{{Tags: []string{"drop"}, Groups: []string{"x"}}}}
	}
	if rapid.Bool().Draw(t, "placeholders") {
		opts.PlaceholderDomain = "imported.invalid"
	}
	return opts
}

// TestPlansHold maps tickets of every kind and holds each plan against what must be true of all.
func TestPlansHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opts, ticket := genOptions(t), genTicket(t)
		m, _ := New(opts, account())
		p := m.Map(ticket)
		checkPlan(t, m, ticket, p)
		for _, f := range p.Findings {
			if Meaning(f.Code) == "" || f.Text == "" || strings.ContainsAny(f.Text, "\n\x00") {
				t.Fatalf("finding %+v", f)
			}
		}
		if again := m.Map(ticket); show(again) != show(p) {
			t.Fatalf("mapped twice, two plans:\n%s\n%s", show(p), show(again))
		}
	})
}

// TestOrderOfMessagesDoesNotMatter: messages that are told apart by time and ordinal may come in any order.
func TestOrderOfMessagesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opts, ticket := genOptions(t), genTicket(t)
		for i, msg := range ticket.Messages {
			if msg.CreatedAt.IsZero() {
				msg.CreatedAt = time.Date(2024, 3, 1, 0, 0, i%7, 0, time.UTC)
			}
		}
		m, _ := New(opts, account())
		want := m.Map(ticket)
		shuffled := *ticket
		shuffled.Messages = rapid.Permutation(ticket.Messages).Draw(t, "order")
		if got := m.Map(&shuffled); digests(got) != digests(want) {
			t.Fatalf("another order, another plan")
		}
	})
}

func digests(p *Plan) string {
	var b strings.Builder
	for _, part := range p.Parts {
		b.WriteString(part.Digest + " ")
	}
	return b.String()
}

// TestAppendCarriesJustTheMessages: what is appended are the chosen messages, no more, with a status on everything
// that would reactivate the conversation.
func TestAppendCarriesJustTheMessages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opts, ticket := genOptions(t), genTicket(t)
		m, _ := New(opts, account())
		p := m.Map(ticket)
		keys, want := map[sources.Key]bool{}, map[sources.Key]bool{}
		for _, part := range p.Parts {
			for _, c := range part.Messages {
				if rapid.Bool().Draw(t, "chosen") {
					keys[c.Message], want[c.Message] = true, true
				}
			}
		}
		for _, l := range p.Left {
			keys[l.Message] = true
		}
		threads, carried, files, _ := m.Append(ticket, keys)
		for _, c := range carried {
			if !want[c.Message] {
				t.Fatalf("message %s was not asked for, or came twice", c.Message)
			}
			delete(want, c.Message)
		}
		if len(want) > 0 {
			t.Fatalf("missing: %v", want)
		}
		for i, th := range threads {
			if (th.Type == "reply" || th.Type == "note") != (th.Status != "") {
				t.Fatalf("a %s with status %q", th.Type, th.Status)
			}
			if i > 0 && th.CreatedAt.Before(threads[i-1].CreatedAt.Time) {
				t.Fatalf("thread %d is older than the one before", i)
			}
			for _, a := range th.Attachments {
				if files[strings.TrimPrefix(a.Data, "attachment:")] == nil {
					t.Fatalf("no file for %s", a.Data)
				}
			}
		}
	})
}

// TestInlineSizeDoesNotMoveDigests: a learned size changes where attachments travel, never what a part is.
func TestInlineSizeDoesNotMoveDigests(t *testing.T) {
	ticket := &sources.Ticket{Key: "id:1", Subject: "x", Status: "closed", Requester: people[1]}
	for i := range 3 {
		msg := &sources.Message{Key: sources.Key(itoa(i)), Author: people[1], Body: "x", CreatedAt: time.Unix(1_700_000_000+int64(i), 0)}
		msg.Attachments = []*sources.Attachment{memoryFile("f.bin", "application/zip", bytes.Repeat([]byte{byte(i)}, 20_000*(3-i)), sources.Position{})}
		ticket.Messages = append(ticket.Messages, msg)
	}
	opts := Options{Statuses: map[string]string{"closed": "closed"}, FallbackUser: "ada@support.example", Mailbox: "101"}
	whole := mustMap(t, opts, ticket)
	opts.InlineSize = 100_000
	less := mustMap(t, opts, ticket)
	if len(whole.Parts[0].Uploads) != 0 || len(less.Parts[0].Uploads) != 1 || less.Parts[0].Uploads[0].Thread != 0 {
		t.Fatalf("uploads: %v and %v; the largest file alone should go by itself", whole.Parts[0].Uploads, less.Parts[0].Uploads)
	}
	if whole.Parts[0].Digest != less.Parts[0].Digest {
		t.Error("the digest depends on where attachments travel")
	}
	if got, want := less.Parts[0].Units(), 2+1+2; got != want {
		t.Errorf("%d units, want %d", got, want)
	}
	if !slices.Equal([]Traits{less.Traits & (HasUpload | HasInline)}, []Traits{HasUpload | HasInline}) {
		t.Errorf("traits %b", less.Traits)
	}
}
