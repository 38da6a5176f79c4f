package mapping

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// fataler is what *testing.T and *rapid.T share.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkPlan asserts what must hold of every plan whatsoever.
func checkPlan(t fataler, m *Mapper, ticket *sources.Ticket, p *Plan) {
	t.Helper()
	checkPlaces(t, ticket, p)
	for i, part := range p.Parts {
		if part.Number != i+1 || part.Of != len(p.Parts) {
			t.Fatalf("part %d is numbered %d of %d", i+1, part.Number, part.Of)
		}
		checkPart(t, m, part)
		c := part.Conversation
		if i > 0 {
			checkSuccession(t, p.Parts[i-1], part)
		}
		if last := i == len(p.Parts)-1; !last && (c.Status != "closed" || c.AssignTo != nil) {
			t.Fatalf("part %d of %d is %s, assigned %v: only the last is live", i+1, len(p.Parts), c.Status, c.AssignTo)
		} else if last && p.Live != (c.Status != "closed") {
			t.Fatalf("live %t, status %s", p.Live, c.Status)
		}
	}
}

// checkSuccession asserts what must hold of two parts, one after the other: they go to one mailbox and are one history.
func checkSuccession(t fataler, before, part *Part) {
	t.Helper()
	b, c := before.Conversation, part.Conversation
	ended := b.Threads[len(b.Threads)-1].CreatedAt.Time
	if c.CreatedAt.Before(ended) || !b.ClosedAt.Equal(ended) {
		t.Fatalf("part %d ends at %s and is closed at %s, part %d begins at %s", before.Number, ended, b.ClosedAt, part.Number, c.CreatedAt)
	}
	if c.MailboxID != b.MailboxID {
		t.Fatalf("part %d is of mailbox %d, part %d of %d", before.Number, b.MailboxID, part.Number, c.MailboxID)
	}
}

// checkPlaces asserts that every message is in exactly one place.
func checkPlaces(t fataler, ticket *sources.Ticket, p *Plan) {
	t.Helper()
	places := map[sources.Key]int{}
	for _, part := range p.Parts {
		for _, c := range part.Messages {
			if c.Thread < 0 || c.Thread >= len(part.Conversation.Threads) {
				t.Fatalf("message %s is said to be in thread %d of %d", c.Message, c.Thread, len(part.Conversation.Threads))
			}
			places[c.Message]++
		}
	}
	for _, l := range p.Left {
		places[l.Message]++
	}
	whole := p.Excluded != "" || p.Refused != ""
	if whole && len(p.Parts) > 0 {
		t.Fatalf("excluded %q or refused %q, yet there are parts", p.Excluded, p.Refused)
	}
	if !whole && len(p.Parts) == 0 {
		t.Fatalf("no parts, and no reason given")
	}
	for _, msg := range ticket.Messages {
		if n := places[msg.Key]; n != 1 && (!whole || n > 1) {
			t.Fatalf("message %s is in %d places", msg.Key, n)
		}
	}
}

func checkPart(t fataler, m *Mapper, part *Part) {
	t.Helper()
	c := part.Conversation
	if n := len(c.Threads); n < 1 || n > m.Threads {
		t.Fatalf("part %d has %d threads, at most %d are allowed", part.Number, n, m.Threads)
	}
	if !c.Imported || c.Customer == nil || !validAddress(c.Customer.Email) || strings.TrimSpace(c.Subject) == "" {
		t.Fatalf("part %d: imported %t, customer %+v, subject %q", part.Number, c.Imported, c.Customer, c.Subject)
	}
	if n := utf16Len(c.Subject); n > m.Subject {
		t.Fatalf("the subject has %d characters", n)
	}
	if (c.ClosedAt != nil) != (c.Status == "closed") || c.ClosedAt != nil && c.ClosedAt.Before(c.CreatedAt.Time) {
		t.Fatalf("status %s, created %s, closed %v", c.Status, c.CreatedAt, c.ClosedAt)
	}
	if !c.CreatedAt.Equal(c.Threads[0].CreatedAt.Time) {
		t.Fatalf("created %s, first thread %s", c.CreatedAt, c.Threads[0].CreatedAt)
	}
	for i, th := range c.Threads {
		checkThread(t, m, c, i, th)
	}
	checkBody(t, m, part)
}

func checkThread(t fataler, m *Mapper, c helpscout.NewConversation, i int, th helpscout.NewThread) {
	t.Helper()
	if !th.Imported || strings.TrimSpace(th.Text) == "" || !utf8.ValidString(th.Text) || strings.ContainsRune(th.Text, 0) {
		t.Fatalf("thread %d: imported %t, text %q", i, th.Imported, shorten(th.Text, 100))
	}
	if n := textLen(th.Text); n > max(m.Text, 6_000) {
		t.Fatalf("thread %d has a text of %d bytes, at most %d fit", i, n, m.Text)
	}
	if i > 0 && th.CreatedAt.Before(c.Threads[i-1].CreatedAt.Time) {
		t.Fatalf("thread %d is older than the one before it", i)
	}
	if th.CreatedAt.IsZero() || th.CreatedAt.Nanosecond() != 0 || th.CreatedAt.Location() != time.UTC {
		t.Fatalf("thread %d is dated %v", i, th.CreatedAt.Time)
	}
	isNote := th.Type == helpscout.ThreadNote
	if isNote != (th.Customer == nil) {
		t.Fatalf("thread %d is a %s with customer %+v", i, th.Type, th.Customer)
	}
	if th.User != 0 && !isNote && th.Type != helpscout.ThreadReply {
		t.Fatalf("thread %d is a %s with a user", i, th.Type)
	}
	if th.Type == helpscout.ThreadReply && th.Customer.Email != c.Customer.Email {
		t.Fatalf("reply %d is to %s, the customer is %s", i, th.Customer.Email, c.Customer.Email)
	}
	if th.Customer != nil {
		for _, n := range []string{th.Customer.FirstName, th.Customer.LastName} {
			if utf8.RuneCountInString(n) > maxName || n != strings.TrimSpace(n) {
				t.Fatalf("name %q", n)
			}
		}
	}
	for _, a := range th.Cc {
		if th.Type != helpscout.ThreadCustomer && th.Type != helpscout.ThreadReply || !validAddress(a) || m.atMailbox(a) {
			t.Fatalf("thread %d is a %s with cc %s", i, th.Type, a)
		}
	}
}

// checkBody builds the request as the client does and compares its length with the plan's.
func checkBody(t fataler, m *Mapper, part *Part) {
	t.Helper()
	body, err := helpscout.NewBody(&part.Conversation, func(sum string) (int64, func() (io.ReadCloser, error), error) {
		f := part.Files[sum]
		return f.Size, f.Open, nil
	})
	if err != nil {
		t.Fatalf("part %d: %v", part.Number, err)
	}
	r, _ := body.Open()
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("part %d: %v", part.Number, err)
	}
	if int64(len(raw)) != part.Body {
		t.Fatalf("part %d: the plan says %d bytes, the request has %d", part.Number, part.Body, len(raw))
	}
	if part.Body > m.Inline {
		t.Fatalf("part %d: a create call of %d bytes, at most %d are allowed", part.Number, part.Body, m.Inline)
	}
	var back helpscout.NewConversation
	if err := json.Unmarshal(raw, &back); err != nil || !utf8.Valid(raw) {
		t.Fatalf("part %d: the request is not JSON: %v", part.Number, err)
	}
	for i, th := range back.Threads {
		for j, a := range th.Attachments {
			data, err := base64.StdEncoding.DecodeString(a.Data)
			f := part.fileOf(part.Conversation.Threads[i].Attachments[j])
			if err != nil || int64(len(data)) != f.Size {
				t.Fatalf("attachment %s arrives with %d of %d bytes: %v", a.FileName, len(data), f.Size, err)
			}
		}
	}
	for _, u := range part.Uploads {
		if n := uploadLen(u.File, u.Size); n > m.Upload || part.fileOf(u.File).Size != u.Size {
			t.Fatalf("upload of %d bytes, at most %d are allowed", n, m.Upload)
		}
	}
}

func mustMap(t *testing.T, opts Options, ticket *sources.Ticket) *Plan {
	t.Helper()
	m, job := New(opts, account())
	for _, f := range job {
		if f.Severity == sources.BlocksJob {
			t.Fatalf("unexpected: %s", f.Text)
		}
	}
	p := m.Map(ticket)
	checkPlan(t, m, ticket, p)
	return p
}
