package mapping

import (
	"strings"
	"testing"

	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// TestForwards: a mail that the team forwarded to itself belongs to the customer it quotes, where that is asked for.
func TestForwards(t *testing.T) {
	const gmail = "See below.\n\n---------- Forwarded message ---------\nFrom: Mary Evans <mary@customer.example>\nDate: Fri, Mar 1, 2024\nSubject: Printer\nTo: <grace@support.example>\n\nIt burns."
	const outlook = `<p>FYI</p><div><p><b>Von:</b> Mary Evans [mailto:mary@customer.example]<br><b>Gesendet:</b> Freitag<br><b>An:</b> Grace<br><b>Betreff:</b> Drucker</p></div><p>Er brennt.</p>`
	for _, c := range []struct {
		name, option, subject, body, to string
		customer, code                  string
	}{
		{"kept by default", "", "Fwd: Printer", gmail, "help@support.example", "grace@support.example", codeInternal},
		{"Gmail", "credit", "Fwd: Printer", gmail, "help@support.example", "mary@customer.example", codeForward},
		{"Outlook in German", "credit", "WG: Drucker", outlook, "help@support.example", "mary@customer.example", codeForward},
		{"sent on to somebody outside", "credit", "Fwd: Printer", gmail, "repairs@shop.example", "repairs@shop.example", ""},
		{"an answer quotes just the same", "credit", "Re: Printer", strings.Replace(gmail, "---------- Forwarded message ---------", "", 1), "help@support.example", "grace@support.example", codeInternal},
		{"no address", "credit", "Fwd: Printer", strings.Replace(gmail, " <mary@customer.example>", "", 1), "help@support.example", "grace@support.example", codeForwardOpen},
		{"of a colleague", "credit", "Fwd: Printer", strings.Replace(gmail, "mary@customer.example", "ada@support.example", 1), "help@support.example", "grace@support.example", codeForwardOpen},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := basic()
			opts.MailboxAddresses, opts.Forwards = []string{"help@support.example"}, c.option
			ticket := mailThread(sources.Text, c.body)
			msg := ticket.Messages[0]
			msg.Author, msg.To = sources.Person{Name: "Grace Hopper", Email: "grace@support.example"}, []sources.Person{{Email: c.to}}
			ticket.Subject, msg.Subject = c.subject, c.subject
			if strings.HasPrefix(c.body, "<") {
				msg.Format = sources.HTML
			}
			p := mustMap(t, opts, ticket)
			conv := p.Parts[0].Conversation
			if conv.Customer.Email != c.customer || c.code != "" && count(p, c.code) != 1 {
				t.Errorf("the customer is %s, want %s; findings %v", conv.Customer.Email, c.customer, p.Findings)
			}
			th := conv.Threads[0]
			credited := th.Type == helpscout.ThreadCustomer && strings.HasPrefix(th.Text, "<p><em>Forwarded by Grace Hopper &lt;grace@support.example&gt;</em></p>")
			if credited != (c.code == codeForward) {
				t.Errorf("%s: %s", th.Type, th.Text)
			}
		})
	}
}
