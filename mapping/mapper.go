package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/microcosm-cc/bluemonday"

	"hsimport/sources"
)

// A Mapper holds the configuration and the account's side in the form in which they are looked up. It never changes
// after New and is safe for concurrent use.
type Mapper struct {
	settings
	bound bool
	boxes []*box           // the usual mailbox, then those of routes
	users map[string]int64 // normal address: id
	teams map[string]int64 // folded name: id
	// fallback is the user who writes for those without one; 0 leaves it to the owner of the credentials.
	fallback int64
	policy   *bluemonday.Policy
	digest   string
}

// settings are Options, checked, with defaults in place and tables folded. They are marshalled for the digest, so
// that only what decides output may stand here, under exported names.
type settings struct {
	Statuses      map[string]string
	DefaultStatus string
	CloseInactive time.Duration
	Live          Live
	Agents        map[string]string // folded address, name or id: normal address, or "" for one who has left
	Team          map[string]bool   // addresses of people of the team
	Mailboxes     map[string]bool   // addresses of the team as such
	Domains       map[string]bool
	Forms         map[string]bool
	Excluded      map[string]bool // addresses, and domains as "@domain"
	Groups        map[string]string
	Kinds         map[string]string
	Types         map[string]string
	Tags          map[string]string
	FieldValues   map[string]map[string]string
	TagPrefix     string
	JobTag        string
	Departed      string
	Internal      string
	Bulk          string
	AutoReplies   string
	LiveCc        string
	Chats         string
	Quotes        string      `json:",omitempty"` // fold, or "" to keep
	Forwards      string      `json:",omitempty"` // credit, or "" to keep
	Filters       *filters    `json:",omitempty"`
	Redactions    []redaction `json:",omitempty"`
	Routes        []route     `json:",omitempty"`
	Placeholder   string      // domain of placeholder addresses; "" refuses
	Reference     string
	LegacyField   string
	Threads       int // of a closed conversation
	LiveThreads   int
	Inline        int64
	Upload        int64
	Text          int // bytes of one thread's text, as JSON
	Subject       int
	Newest        time.Time // zero where nothing depends on it
	Zones         string
	newest        time.Time
	statusLabels  []string // the keys of Statuses, in order
}

// New makes a mapper for a configuration and an account. Its findings are about the job as a whole: values that
// cannot be, and names of the configuration that the account does not have, block it, each with the nearest name
// there is. With an unbound target they say what could not be checked. The mapper is never nil.
func New(opts Options, target Target) (*Mapper, []Finding) {
	m := &Mapper{settings: opts.settings(), bound: target.Bound, policy: conversationPolicy()}
	for _, name := range opts.MailboxNames() {
		m.boxes = append(m.boxes, &box{name: name})
	}
	var job []Finding
	for _, err := range opts.Check() {
		job = append(job, Finding{Severity: sources.BlocksJob, Code: codeOption, Text: err.Error()})
	}
	m.Departed = m.policy.Sanitize(m.Departed)
	if !strings.HasPrefix(m.Departed, "<") { // plain words get a line of their own
		m.Departed = "<p>" + m.Departed + "</p>"
	}
	if target.Bound {
		b := &binder{m: m, opts: opts, target: target}
		b.bind()
		job = append(job, b.findings...)
	} else {
		job = append(job, unbound(opts)...)
	}
	if opts.FallbackUser == "" {
		job = append(job, Finding{
			Severity: sources.Info, Code: codeNoFallback,
			Text: "no fallback_user is set: texts of agents without a Help Scout user will appear as written by the owner of the credentials" + ownerName(target),
		})
	}
	sortFindings(job)
	m.digest = m.makeDigest()
	return m, job
}

func ownerName(t Target) string {
	if t.Owner.Email == "" {
		return ""
	}
	return ", " + t.Owner.Email
}

// unbound names what only the account could tell.
func unbound(o Options) []Finding {
	open := []string{"the mailbox " + strconv.Quote(o.Mailbox), "users", "custom fields"}
	if names := o.MailboxNames(); len(names) > 1 {
		open[0] = "the mailboxes " + quoted(names)
	}
	if len(o.Teams) > 0 {
		open = append(open, "teams")
	}
	return []Finding{{
		Severity: sources.Info, Code: codeUnbound,
		Text: "not checked against the account: " + strings.Join(open, ", ") + "; ids in this plan are 0 and it cannot be run",
	}}
}

// settings resolves defaults and folds tables.
func (o Options) settings() settings {
	s := settings{
		Statuses: foldTable(o.Statuses, fold), DefaultStatus: fold(o.DefaultStatus),
		CloseInactive: time.Duration(o.CloseInactive), Live: o.Live.folded(),
		Agents: foldTable(o.Agents, addressOrFold), Team: map[string]bool{},
		Mailboxes: addressSet(o.MailboxAddresses), Domains: map[string]bool{},
		Forms: addressSet(o.FormSenders), Excluded: senderSet(o.ExcludeSenders),
		Groups: foldTable(o.Teams, fold), Kinds: foldTable(o.MessageKinds, fold), Types: foldTable(o.Types, fold),
		Tags: foldTable(o.Tags, oneLine), TagPrefix: oneLine(o.TagPrefix), JobTag: oneLine(o.JobTag),
		Departed: firstOf(strings.TrimSpace(o.DepartedForm), defaultDeparted),
		Internal: firstOf(fold(o.Internal), "import"), Bulk: firstOf(fold(o.Bulk), "tag"),
		AutoReplies: firstOf(fold(o.AutoReplies), "note"), LiveCc: firstOf(fold(o.LiveCc), "keep"),
		Quotes: unless("keep", o.Quotes), Forwards: unless("keep", o.Forwards),
		Chats: firstOf(fold(o.Chats), "transcript"), Reference: firstOf(fold(o.LegacyReference), "off"),
		LegacyField: fold(o.LegacyField), Threads: o.maxThreads(),
		Inline: orDefault(int64(o.InlineSize), defaultInline), Upload: orDefault(int64(o.AttachmentSize), defaultUpload),
		Subject: int(orDefault(int64(o.MaxSubject), defaultSubject)), Zones: o.Zones, newest: o.Newest,
	}
	for _, d := range o.AgentDomains {
		if n, ok := normalDomain(strings.TrimPrefix(strings.TrimSpace(d), "@")); ok {
			s.Domains[n] = true
		}
	}
	for _, a := range append(slices.Collect(maps.Values(o.Agents)), o.FallbackUser) {
		if n, ok := normalAddress(a); ok {
			s.Team[n] = true
		}
	}
	if d, ok := normalDomain(o.PlaceholderDomain); ok && fold(o.Placeholder) != "refuse" {
		s.Placeholder = d
	}
	s.Routes = o.routes(s.Mailboxes)
	s.Filters, s.Redactions = o.Filters.folded(), o.redactions()
	s.LiveThreads = max(s.Threads-o.headroom(), min(s.Threads, smallestSplit))
	s.Text = int(min(orDefault(int64(o.MaxText), defaultMaxText), max(s.Inline-envelopeRoom, minText)))
	s.FieldValues = map[string]map[string]string{}
	for k, t := range o.FieldValues {
		s.FieldValues[fold(k)] = foldTable(t, strings.TrimSpace)
	}
	s.statusLabels = slices.Sorted(maps.Keys(s.Statuses))
	if s.CloseInactive > 0 || s.Live.NewerThan > 0 {
		s.Newest = o.Newest.UTC()
	}
	return s
}

// envelopeRoom is kept free of a create call for everything but its largest text; minText is what a text may always
// have.
const (
	envelopeRoom = 48_000
	minText      = 1_000
)

// unless is a folded word, or "" for the one that means the default.
func unless(usual, word string) string {
	if word = fold(word); word != usual {
		return word
	}
	return ""
}

func (l Live) folded() Live {
	out := Live{LastFrom: fold(l.LastFrom), NewerThan: l.NewerThan}
	for _, x := range l.Labels {
		out.Labels = append(out.Labels, fold(x))
	}
	slices.Sort(out.Labels)
	return out
}

func (l Live) isZero() bool { return len(l.Labels) == 0 && l.LastFrom == "" && l.NewerThan == 0 }

// foldTable folds the keys of a table. Of two keys that become one the first in order counts.
func foldTable(t map[string]string, value func(string) string) map[string]string {
	out := make(map[string]string, len(t))
	for _, k := range slices.Sorted(maps.Keys(t)) {
		if _, twice := out[fold(k)]; !twice {
			out[fold(k)] = value(t[k])
		}
	}
	return out
}

func addressOrFold(s string) string {
	if n, ok := normalAddress(s); ok {
		return n
	}
	return fold(s)
}

func addressSet(list []string) map[string]bool {
	out := map[string]bool{}
	for _, a := range list {
		if n, ok := normalAddress(a); ok {
			out[n] = true
		}
	}
	return out
}

// senderSet holds addresses, and domains with an @ in front.
func senderSet(list []string) map[string]bool {
	out := addressSet(list)
	for _, a := range list {
		if d, ok := normalDomain(strings.TrimPrefix(strings.TrimSpace(a), "@")); ok {
			out["@"+d] = true
		}
	}
	return out
}

// binder looks up the names of the configuration at the account.
type binder struct {
	m        *Mapper
	opts     Options
	target   Target
	findings []Finding
}

func (b *binder) block(code, value, format string, args ...any) {
	b.findings = append(b.findings, Finding{
		Severity: sources.BlocksJob, Code: code, Value: value, Text: fmt.Sprintf(format, args...),
	})
}

func (b *binder) bind() {
	b.bindUsers()
	b.bindTeams()
	b.bindMailboxes()
}

func (b *binder) bindUsers() {
	m := b.m
	m.users = map[string]int64{}
	var known []string
	for _, u := range b.target.Users {
		for _, a := range append([]string{u.Email}, u.AlternateEmails...) {
			n, ok := normalAddress(a)
			if !ok {
				continue
			}
			if _, twice := m.users[n]; !twice {
				m.users[n] = u.ID
				known = append(known, n)
			}
			m.Team[n] = true
		}
	}
	if b.opts.FallbackUser != "" {
		b.user("fallback_user", b.opts.FallbackUser, known)
		n, _ := normalAddress(b.opts.FallbackUser)
		m.fallback = m.users[n]
	} else {
		m.fallback = b.target.Owner.ID
	}
	for _, k := range slices.Sorted(maps.Keys(b.opts.Agents)) {
		if v := b.opts.Agents[k]; strings.TrimSpace(v) != "" {
			b.user("agents."+k, v, known)
		}
	}
}

// user blocks the job when no user has the address; one that is no address at all was reported by Check.
func (b *binder) user(key, address string, known []string) {
	n, ok := normalAddress(address)
	if _, found := b.m.users[n]; ok && !found {
		b.block(codeUser, address, "mapping.%s: the account has no active user %q%s", key, address, didYouMean(address, known))
	}
}

func (b *binder) bindTeams() {
	b.m.teams = map[string]int64{}
	var known []string
	for _, t := range b.target.Teams {
		if _, twice := b.m.teams[fold(t.Name)]; !twice {
			b.m.teams[fold(t.Name)] = t.ID
			known = append(known, t.Name)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(b.opts.Teams)) {
		if v := b.opts.Teams[k]; b.m.teams[fold(v)] == 0 && strings.TrimSpace(v) != "" {
			b.block(codeTeam, v, "mapping.teams.%s: the account has no team %q%s", k, v, didYouMean(v, known))
		}
	}
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = strconv.Quote(n)
	}
	return strings.Join(q, ", ")
}
