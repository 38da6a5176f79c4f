package importer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// Account is what preflight learns of the account beyond what the mapping needs.
type Account struct {
	Origin    string
	Identity  string               // stored with the job: the same account gives the same string, whoever's token it is
	Workflows []helpscout.Workflow // active ones
	Webhooks  []helpscout.Webhook
	Unseen    []string // what could not be asked, and why
}

// Preflight reads the account's side: users, teams, mailboxes with their custom fields, workflows and webhooks.
func Preflight(ctx context.Context, c *helpscout.Client, mailbox string) (mapping.Target, *Account, error) {
	var t mapping.Target
	acc := &Account{Origin: c.Origin()}
	if err := c.Login(ctx); err != nil {
		return t, acc, preflightStop(err)
	}
	var err error
	if t.Mailboxes, err = c.Mailboxes(ctx); err != nil {
		return t, acc, preflightStop(err)
	}
	if t.Users, err = c.Users(ctx); err != nil {
		return t, acc, preflightStop(err)
	}
	t.Users = slices.DeleteFunc(t.Users, func(u helpscout.User) bool { return strings.EqualFold(u.Type, "team") })
	me, err := c.Me(ctx)
	if me != nil {
		t.Owner = *me
	}
	acc.unseen("the token's owner", err)
	t.Teams, err = c.Teams(ctx)
	acc.unseen("teams", err)
	for i := range t.Mailboxes {
		mb := &t.Mailboxes[i]
		if mailboxIs(mb, mailbox) {
			mb.Fields, err = c.MailboxFields(ctx, mb.ID)
			acc.unseen("custom fields of "+mb.Name, err)
		}
	}
	t.Bound = true
	acc.Identity = identity(t.Users)
	return t, acc, nil
}

// SideEffects asks for what an import might set off; it is asked once, before the first write of a job.
func (a *Account) SideEffects(ctx context.Context, c *helpscout.Client) {
	flows, err := c.Workflows(ctx)
	a.unseen("workflows", err)
	for _, w := range flows {
		if strings.EqualFold(w.Status, "active") {
			a.Workflows = append(a.Workflows, w)
		}
	}
	a.Webhooks, err = c.Webhooks(ctx)
	a.unseen("webhooks", err)
}

func (a *Account) unseen(what string, err error) {
	if err != nil {
		a.Unseen = append(a.Unseen, fmt.Sprintf("%s could not be read (%v)", what, err))
	}
}

// preflightStop sorts an answer to one of the first reads: nothing was written yet, so the only question is what the
// person has to do.
func preflightStop(err error) error {
	if errors.Is(err, context.Canceled) {
		return errInterrupted
	}
	switch helpscout.KindOf(err) {
	case helpscout.Stop:
		return authStop(err)
	case helpscout.Rejected:
		if s := helpscout.StatusOf(err); s == 401 || s == 403 {
			return authStop(err)
		}
		return stopf(ExitUsage, "is helpscout.base_url the address of a Mailbox API?", "the account cannot be read: %v", err)
	}
	return stopf(ExitLeft, "nothing was sent; try again when it answers", "the server does not answer: %v", err)
}

// identity names the account by its oldest user, which every token of the account can see.
func identity(users []helpscout.User) string {
	if len(users) == 0 {
		return "unknown"
	}
	ids := make([]int64, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	return "user:" + strconv.FormatInt(slices.Min(ids), 10)
}

func mailboxIs(mb *helpscout.Mailbox, want string) bool {
	want = strings.TrimSpace(want)
	return strings.EqualFold(strings.TrimSpace(mb.Name), want) || strconv.FormatInt(mb.ID, 10) == want
}

// helpScoutHost is where an import is real; everything else is a rehearsal.
const helpScoutHost = "api.helpscout.net"

// rehearsalHost is the host to name in front of a verdict, or "" for Help Scout itself.
func rehearsalHost(origin string) string {
	u, err := url.Parse(origin)
	if err != nil || strings.EqualFold(u.Hostname(), helpScoutHost) {
		return ""
	}
	return u.Host
}

// isLoopback reports that a host is this very machine: no gate is needed there.
func isLoopback(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || ip != nil && ip.IsLoopback()
}

// findings about the account that the report shows.
func (a *Account) findings() (out []mapping.Finding) {
	for _, u := range a.Unseen {
		out = append(out, mapping.Finding{Severity: sources.Info, Code: "account-not-read", Text: u})
	}
	for _, w := range a.Workflows {
		out = append(out, mapping.Finding{
			Severity: sources.Warning, Code: "active-workflow", Value: w.Name,
			Text: fmt.Sprintf("the %s workflow %q is active and may act on imported conversations", w.Type, w.Name),
		})
	}
	for _, h := range a.Webhooks {
		out = append(out, mapping.Finding{
			Severity: sources.Warning, Code: "webhook", Value: h.URL,
			Text: fmt.Sprintf("a webhook sends %d kinds of events to %s and may be called for imported conversations", len(h.Events), h.URL),
		})
	}
	return out
}
