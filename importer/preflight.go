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
	"time"

	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// Account is what preflight learns of the account beyond what the mapping needs.
type Account struct {
	Origin    string
	Identity  string               // stored with the job: the same account gives the same string, whoever's token it is
	Workflows []helpscout.Workflow // those that act by themselves in the job's mailboxes, and are active
	Webhooks  []helpscout.Webhook  // those that are told of the job's mailboxes
	Unseen    []string             // what could not be asked, and why
	Skew      time.Duration        // how far our clock is ahead of the server's; 0 when that is not known
	inboxes   []int64
}

// MaxSkew is how far the two clocks may differ before it is worth a warning.
const MaxSkew = 30 * time.Second

// Preflight reads the account's side: users, teams, and mailboxes, those that the job writes to (by name, address or id)
// with their custom fields.
func Preflight(ctx context.Context, c *helpscout.Client, mailboxes ...string) (mapping.Target, *Account, error) {
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
		if slices.ContainsFunc(mailboxes, func(want string) bool { return mailboxIs(mb, want) }) {
			mb.Fields, err = c.MailboxFields(ctx, mb.ID)
			acc.unseen("custom fields of "+mb.Name, err)
		}
	}
	t.Bound = true
	acc.Identity = identity(t.Users)
	acc.inboxes = inboxes(mailboxes, t.Mailboxes)
	return t, acc, nil
}

// SideEffects asks for what an import might set off; it is asked once, before the first write of a job.
func (a *Account) SideEffects(ctx context.Context, c *helpscout.Client) {
	flows, err := c.Workflows(ctx)
	a.unseen("workflows", err)
	hooks, err := c.Webhooks(ctx)
	a.unseen("webhooks", err)
	a.sideEffects(flows, hooks)
}

// sideEffects keeps what may be set off in the job's mailboxes; in all of them where those are not known.
func (a *Account) sideEffects(flows []helpscout.Workflow, hooks []helpscout.Webhook) {
	mine := func(id int64) bool { return id == 0 || len(a.inboxes) == 0 || slices.Contains(a.inboxes, id) }
	for _, w := range flows {
		if acts(w) && mine(w.MailboxID) {
			a.Workflows = append(a.Workflows, w)
		}
	}
	for _, h := range hooks {
		if !strings.EqualFold(h.State, "disabled") && (len(h.MailboxIDs) == 0 || slices.ContainsFunc(h.MailboxIDs, mine)) {
			a.Webhooks = append(a.Webhooks, h)
		}
	}
}

func (a *Account) unseen(what string, err error) {
	if err != nil {
		a.Unseen = append(a.Unseen, fmt.Sprintf("%s could not be read (%v)", what, err))
	}
}

// preflightStop sorts an answer to one of the first reads: nothing was written yet, so the only question is what the
// person has to do.
func preflightStop(err error) error {
	var stop *Stop
	if errors.As(err, &stop) {
		return stop // somebody has sorted it already
	}
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

// mailboxIs reports that a mailbox is meant by what the configuration says.
func mailboxIs(mb *helpscout.Mailbox, want string) bool {
	return len(mapping.MailboxesCalled(want, []helpscout.Mailbox{*mb})) > 0
}

// MailboxIs reports that the configuration's word for a mailbox, its name or id, means this one.
func MailboxIs(id int64, name, want string) bool {
	return mailboxIs(&helpscout.Mailbox{ID: id, Name: name}, want)
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

// SkewText says what a wrong clock means; s is what Quota.Skew tells.
func SkewText(s time.Duration) string {
	way := "ahead of"
	if s < 0 {
		s, way = -s, "behind"
	}
	return fmt.Sprintf("this machine's clock is %s %s the server's: set it right before the import, because what became of a lost answer is found out by time", s.Round(time.Second), way)
}

// findings about the account that the report shows.
func (a *Account) findings() (out []mapping.Finding) {
	for _, u := range a.Unseen {
		out = append(out, mapping.Finding{Severity: sources.Info, Code: "account-not-read", Text: u})
	}
	if s := a.Skew; s >= MaxSkew || s <= -MaxSkew {
		out = append(out, mapping.Finding{Severity: sources.Warning, Code: "clock-skew", Text: SkewText(s)})
	}
	for _, w := range a.Workflows {
		out = append(out, mapping.Finding{
			Severity: sources.Warning, Code: "active-workflow", Value: w.Name,
			Text: fmt.Sprintf("the %s workflow %q is active and may act on imported conversations; hsimport doctor --pause-workflows switches it off", w.Type, w.Name),
		})
	}
	for _, h := range a.Webhooks {
		out = append(out, mapping.Finding{
			Severity: sources.Warning, Code: "webhook", Value: h.Place(),
			Text: fmt.Sprintf("a webhook sends %s to %s and may be called for imported conversations", plural(len(h.Events), "kind of event", "kinds of events"), h.Place()),
		})
	}
	return out
}
