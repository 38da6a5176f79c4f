package mapping

import (
	"slices"
	"strconv"

	"hsimport/sources"
)

// A Condition is what a rule of the configuration asks of a ticket: each list that is written has to hold one of the
// ticket's values. One without any list fits nothing. Values are compared trimmed and without regard to case, as the
// source has them.
type Condition struct {
	Inboxes   []string `yaml:"inboxes"`   // of the old desk: the inbox column (a brand, a mailbox)
	Groups    []string `yaml:"groups"`    // the group column
	Statuses  []string `yaml:"statuses"`  // the status column
	Tags      []string `yaml:"tags"`      // any of the ticket's
	Labels    []string `yaml:"labels"`    // of mail; "A & B": one mail has both
	Addresses []string `yaml:"addresses"` // of the team: the one that the thread's first mail with one went to, or came from
}

// condition is a Condition, folded. It is part of the digest.
type condition struct {
	Inboxes   []string `json:",omitempty"`
	Groups    []string `json:",omitempty"`
	Statuses  []string `json:",omitempty"`
	Tags      []string `json:",omitempty"`
	Labels    []string `json:",omitempty"`
	Addresses []string `json:",omitempty"`
}

func (c Condition) folded() condition {
	list := func(in []string, form func(string) string) (out []string) {
		for _, s := range in {
			out = append(out, form(s))
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	return condition{
		list(c.Inboxes, fold), list(c.Groups, fold), list(c.Statuses, fold), list(c.Tags, fold), list(c.Labels, fold), list(c.Addresses, addressOrFold),
	}
}

func (c Condition) empty() bool {
	return len(c.Inboxes)+len(c.Groups)+len(c.Statuses)+len(c.Tags)+len(c.Labels)+len(c.Addresses) == 0
}

// fits reports whether everything that is written holds.
func (w *work) fits(c *condition) bool {
	among := func(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, fold(value)) }
	switch {
	case !among(c.Inboxes, w.t.Inbox), !among(c.Groups, w.t.Group), !among(c.Statuses, w.t.Status):
		return false
	case len(c.Tags) > 0 && !slices.ContainsFunc(w.t.Tags, func(tag string) bool { return slices.Contains(c.Tags, fold(tag)) }):
		return false
	case len(c.Labels) > 0 && !slices.ContainsFunc(c.Labels, w.bears):
		return false
	}
	return len(c.Addresses) == 0 || slices.Contains(c.Addresses, w.reachedAt())
}

// reachedAt is the address of the team under which the thread began: of the oldest mail that names one, where it came
// from if that is an inbox of the team, else the first one in To, then in Cc.
func (w *work) reachedAt() string {
	for _, e := range w.entries {
		if a, ok := usableAddress(e.msg.Author.Email); ok && w.m.atMailbox(a) {
			return a
		}
		for _, list := range [...][]sources.Person{e.msg.To, e.msg.Cc} {
			for _, p := range list {
				if a, ok := usableAddress(p.Email); ok && w.m.atMailbox(a) {
					return a
				}
			}
		}
	}
	return ""
}

// condition complains about a rule that fits nothing, and about addresses that are none.
func (c *checker) condition(key string, cond Condition) {
	if cond.empty() {
		c.add(key, "no condition is written; write inboxes, groups, statuses, tags, labels or addresses")
	}
	for i, a := range cond.Addresses {
		if !validAddress(a) {
			c.add(key+".addresses["+strconv.Itoa(i)+"]", "%q is not an e-mail address", a)
		}
	}
}
