package mapping

import (
	"strings"
	"testing"

	"hsimport/sources"
)

// TestPhoneOnly: who is known by a phone number alone is one customer over all tickets, with that number, at the
// placeholder's address; without a domain for such addresses the ticket is refused, never sent under another's name.
func TestPhoneOnly(t *testing.T) {
	caller := func(phone string) *sources.Ticket {
		ticket := conversationOf(2, "closed")
		ticket.Requester = sources.Person{Phone: phone}
		ticket.Messages[0].Author = ticket.Requester
		return ticket
	}
	p := mustMap(t, basic(), caller("+49 30 1234"))
	c := p.Parts[0].Conversation.Customer
	if c.Phone != "+49 30 1234" || !strings.HasSuffix(c.Email, "@imported.invalid") || !hasCode(p, codePlaceholder) || hasCode(p, codePhone) {
		t.Errorf("customer %+v, findings %v", c, p.Findings)
	}
	if again := mustMap(t, basic(), caller("+49-30-1234")).Parts[0].Conversation.Customer; again.Email != c.Email {
		t.Errorf("the same number written in another way is %s, was %s", again.Email, c.Email)
	}
	if long := mustMap(t, basic(), caller(strings.Repeat("1234567890", 9))); !hasCode(long, codePhone) || len(long.Parts[0].Conversation.Customer.Phone) != maxPhone {
		t.Errorf("a long number: %+v, %v", long.Parts[0].Conversation.Customer, long.Findings)
	}
	none := basic()
	none.PlaceholderDomain = ""
	m, _ := New(none, account())
	if p := m.Map(caller("+49 30 1234")); p.Refused == "" || len(p.Parts) > 0 {
		t.Errorf("without a placeholder domain: refused %q, %d parts", p.Refused, len(p.Parts))
	}
}
