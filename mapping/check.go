package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Words that the tables of Options may hold.
var (
	statusWords    = []string{"active", "pending", "closed", "spam", "exclude"}
	kindWords      = []string{"customer", "agent", "note"}
	typeWords      = []string{"email", "chat", "phone"}
	internalWords  = []string{"", "import", "exclude"}
	bulkWords      = []string{"", "import", "tag", "exclude"}
	autoWords      = []string{"", "note", "exclude"}
	ccWords        = []string{"", "keep", "note"}
	placeWords     = []string{"", "create", "refuse"}
	quoteWords     = []string{"", "keep", "fold"}
	forwardWords   = []string{"", "keep", "credit"}
	chatWords      = []string{"", "transcript", "messages"}
	referenceWords = []string{"", "note", "subject", "field", "off"}
	lastFromWords  = []string{"", "customer", "agent", "any"}
)

// An OptionError is a value of the mapping section that cannot be. Key is its path below mapping.
type OptionError struct{ Key, Text string }

func (e *OptionError) Error() string { return "mapping." + e.Key + ": " + e.Text }

// checker collects what is wrong with options.
type checker struct{ errs []error }

func (c *checker) add(key, format string, args ...any) {
	c.errs = append(c.errs, &OptionError{Key: key, Text: fmt.Sprintf(format, args...)})
}

// oneOf complains unless value, folded, is one of words; an empty word stands for "not set".
func (c *checker) oneOf(key, value string, words []string) {
	if slices.Contains(words, fold(value)) {
		return
	}
	known := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" })
	c.add(key, "%q is not one of %s%s", value, strings.Join(known, ", "), didYouMean(value, known))
}

// table complains about each value of a table that is not one of words.
func (c *checker) table(key string, t map[string]string, words []string) {
	for _, k := range slices.Sorted(maps.Keys(t)) {
		name := k
		if k == "" {
			name = `""` // as the file has it
		}
		c.oneOf(key+"."+name, t[k], words)
	}
}

// between complains unless low <= n <= high.
func (c *checker) between(key string, n, low, high int64) {
	if n < low || n > high {
		c.add(key, "%d is not between %d and %d", n, low, high)
	}
}

// Check returns everything that is wrong with o by itself, each an *OptionError naming its key; what only the
// account can tell is found by New.
func (o Options) Check() []error {
	c := &checker{}
	c.table("statuses", o.Statuses, statusWords)
	if o.DefaultStatus != "" {
		c.oneOf("default_status", o.DefaultStatus, statusWords)
	}
	c.table("message_kinds", o.MessageKinds, kindWords)
	c.table("types", o.Types, typeWords)
	c.oneOf("internal", o.Internal, internalWords)
	c.oneOf("bulk", o.Bulk, bulkWords)
	c.oneOf("auto_replies", o.AutoReplies, autoWords)
	c.oneOf("live_cc", o.LiveCc, ccWords)
	c.oneOf("quotes", o.Quotes, quoteWords)
	c.oneOf("forwards", o.Forwards, forwardWords)
	c.oneOf("chats", o.Chats, chatWords)
	c.oneOf("live.last_from", o.Live.LastFrom, lastFromWords)
	o.checkPeople(c)
	o.checkRoutes(c)
	o.Filters.check(c)
	o.checkRedactions(c)
	o.checkLimits(c)
	c.oneOf("legacy_reference", o.LegacyReference, referenceWords)
	if fold(o.LegacyReference) == "field" && strings.TrimSpace(o.LegacyField) == "" {
		c.add("legacy_field", "legacy_reference: field needs the name of a custom field here")
	}
	return c.errs
}

func (o Options) checkPeople(c *checker) {
	for _, k := range slices.Sorted(maps.Keys(o.Agents)) {
		if v := o.Agents[k]; strings.TrimSpace(v) != "" && !validAddress(v) {
			c.add("agents."+k, "%q is not the e-mail of a Help Scout user; leave it empty for one who has left", v)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(o.Teams)) {
		if strings.TrimSpace(o.Teams[k]) == "" {
			c.add("teams."+k, "names no team")
		}
	}
	if o.FallbackUser != "" && !validAddress(o.FallbackUser) {
		c.add("fallback_user", "%q is not an e-mail address", o.FallbackUser)
	}
	for i, d := range o.AgentDomains {
		if _, ok := normalDomain(strings.TrimPrefix(strings.TrimSpace(d), "@")); !ok {
			c.add(fmt.Sprintf("agent_domains[%d]", i), "%q is not a domain", d)
		}
	}
	lists := []struct {
		key  string
		list []string
	}{{"mailbox_addresses", o.MailboxAddresses}, {"form_senders", o.FormSenders}}
	for _, l := range lists {
		for i, a := range l.list {
			if !validAddress(a) {
				c.add(fmt.Sprintf("%s[%d]", l.key, i), "%q is not an e-mail address", a)
			}
		}
	}
	c.oneOf("placeholder", o.Placeholder, placeWords)
	switch _, ok := normalDomain(o.PlaceholderDomain); {
	case o.PlaceholderDomain != "" && !ok:
		c.add("placeholder_domain", "%q is not a domain; imported.invalid is a good one", o.PlaceholderDomain)
	case o.PlaceholderDomain == "" && fold(o.Placeholder) == "create":
		c.add("placeholder_domain", "placeholder: create needs a domain here; imported.invalid is a good one")
	}
}

func (o Options) checkLimits(c *checker) {
	c.between("max_threads", int64(o.MaxThreads), 0, maxThreads)
	if o.Headroom != nil {
		c.between("headroom", int64(*o.Headroom), 0, int64(o.maxThreads()-1))
	}
	sizes := []struct {
		key  string
		size Size
		low  int64
	}{
		{"inline_size", o.InlineSize, 64_000},
		{"attachment_size", o.AttachmentSize, 1_000},
		{"max_text", o.MaxText, 1_000},
	}
	for _, s := range sizes {
		if s.size != 0 {
			c.between(s.key, int64(s.size), s.low, 1_000_000_000)
		}
	}
	if o.MaxSubject != 0 {
		c.between("max_subject", int64(o.MaxSubject), 40, 1_000)
	}
	if o.CloseInactive < 0 {
		c.add("close_inactive", "%s is negative", o.CloseInactive)
	}
	if o.Live.NewerThan < 0 {
		c.add("live.newer_than", "%s is negative", o.Live.NewerThan)
	}
}

// Limits and defaults.
const (
	maxThreads       = 100 // https://developer.helpscout.com/mailbox-api/endpoints/conversations/create
	defaultHeadroom  = 10
	defaultInline    = 10_000_000
	defaultUpload    = 10_000_000
	defaultMaxText   = 1_000_000
	defaultSubject   = 250
	defaultDeparted  = `<p><em>Originally written by {name} &lt;{email}&gt;</em></p>`
	noContent        = "(no content)"
	noSubject        = "(no subject)"
	unansweredWithin = 30 * day
)

func (o Options) maxThreads() int {
	if o.MaxThreads <= 0 || o.MaxThreads > maxThreads {
		return maxThreads
	}
	return o.MaxThreads
}

// headroom is what live conversations keep free, at least one thread being theirs.
func (o Options) headroom() int {
	h := defaultHeadroom
	if o.Headroom != nil {
		h = *o.Headroom
	}
	return max(0, min(h, o.maxThreads()-1))
}

func orDefault(n, def int64) int64 {
	if n <= 0 {
		return def
	}
	return n
}
