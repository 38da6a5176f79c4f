package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// A Route sends tickets to another inbox than Options.Mailbox. The first route that fits decides.
type Route struct {
	Mailbox string    `yaml:"mailbox"` // name or id
	When    Condition `yaml:"when"`
}

// route is a Route, folded: Box is an index of Mapper.boxes.
type route struct {
	Box  int
	When condition
}

// box is one mailbox that tickets may go to.
type box struct {
	name    string // as the configuration has it
	mailbox helpscout.Mailbox
	fields  map[string]*field // folded name
}

// MailboxNames are the mailboxes that the configuration names, as names or ids: the usual one first, then those of
// routes, each once.
func (o Options) MailboxNames() []string {
	names := []string{strings.TrimSpace(o.Mailbox)}
	for _, r := range o.Routes {
		name := strings.TrimSpace(r.Mailbox)
		if !slices.ContainsFunc(names, func(n string) bool { return fold(n) == fold(name) }) {
			names = append(names, name)
		}
	}
	return names
}

// routes folds the rules. Addresses of routes are the team's.
func (o Options) routes(team map[string]bool) (out []route) {
	names := o.MailboxNames()
	for _, r := range o.Routes {
		f := route{When: r.When.folded()}
		f.Box = slices.IndexFunc(names, func(n string) bool { return fold(n) == fold(strings.TrimSpace(r.Mailbox)) })
		for _, a := range f.When.Addresses {
			team[a] = true
		}
		out = append(out, f)
	}
	return out
}

func (o Options) checkRoutes(c *checker) {
	for i, r := range o.Routes {
		key := fmt.Sprintf("routes[%d]", i)
		if strings.TrimSpace(r.Mailbox) == "" {
			c.add(key+".mailbox", "names no mailbox")
		}
		c.condition(key+".when", r.When)
	}
}

// route finds the mailbox of a ticket.
func (w *work) route() {
	var by *condition
	for i := range w.m.Routes {
		if r := &w.m.Routes[i]; w.fits(&r.When) {
			w.box, by = r.Box, &r.When
			break
		}
	}
	if in := oneLine(w.t.Inbox); in != "" && (by == nil || !slices.Contains(by.Inboxes, fold(in))) {
		w.find(sources.Info, codeInbox, in, "no route asks for the inbox %q of the old desk; the conversation goes to %s", shorten(in, 80), w.mailboxName())
	}
}

// into is the mailbox that the ticket goes to.
func (w *work) into() *box { return w.m.boxes[w.box] }

func (w *work) mailboxName() string {
	b := w.into()
	return quote(firstOf(b.mailbox.Name, b.name))
}

// routed is the trait of tickets that go to a mailbox of a route, so that the canary sees each of the first sixteen.
func (w *work) routed() Traits {
	if w.box == 0 {
		return 0
	}
	return HasRoute << min(w.box-1, 15)
}

// MailboxesCalled are those of all that the configuration may mean by a name, slug, address or id; an id goes before
// everything else.
func MailboxesCalled(want string, all []helpscout.Mailbox) (found []helpscout.Mailbox) {
	want = strings.TrimSpace(want)
	for _, x := range all {
		if strconv.FormatInt(x.ID, 10) == want {
			return []helpscout.Mailbox{x}
		}
		if want != "" && (fold(x.Name) == fold(want) || fold(x.Slug) == fold(want) || fold(x.Email) == fold(want)) {
			found = append(found, x)
		}
	}
	return found
}

func (b *binder) bindMailboxes() {
	for _, x := range b.target.Mailboxes {
		if n, ok := normalAddress(x.Email); ok {
			b.m.Mailboxes[n] = true
		}
	}
	for i, bx := range b.m.boxes {
		key := "helpscout.mailbox"
		if i > 0 {
			at := slices.IndexFunc(b.opts.Routes, func(r Route) bool { return fold(r.Mailbox) == fold(bx.name) })
			key = fmt.Sprintf("mapping.routes[%d].mailbox", at)
		}
		b.bindMailbox(key, bx)
	}
	b.bindFields()
}

func (b *binder) bindMailbox(key string, bx *box) {
	var names []string
	for _, x := range b.target.Mailboxes {
		names = append(names, x.Name)
	}
	switch found := MailboxesCalled(bx.name, b.target.Mailboxes); {
	case bx.name == "":
		b.block(codeMailbox, "", "%s: no mailbox is named; the account has %s", key, quoted(names))
	case len(found) == 0:
		b.block(codeMailbox, bx.name, "%s: the account has no mailbox %q%s", key, bx.name, didYouMean(bx.name, names))
	case len(found) > 1:
		b.block(codeMailbox, bx.name, "%s: %d mailboxes are called %q; give the id: %d or %d", key, len(found), bx.name, found[0].ID, found[1].ID)
	default:
		bx.mailbox = found[0]
	}
	bx.fields = map[string]*field{}
	for _, f := range bx.mailbox.Fields {
		if _, twice := bx.fields[fold(f.Name)]; !twice {
			bx.fields[fold(f.Name)] = newField(f)
		}
	}
}

// bindFields holds the fields that the configuration names to those of the mailboxes. The old number has to have its
// field in each of them, as it would be lost in the others; a table of values serves one or several.
func (b *binder) bindFields() {
	for _, bx := range b.m.boxes {
		if bx.mailbox.ID != 0 && b.m.Reference == "field" && bx.fields[b.m.LegacyField] == nil {
			b.block(codeField, b.opts.LegacyField, "mapping.legacy_field: mailbox %q has no custom field %q%s",
				bx.mailbox.Name, b.opts.LegacyField, didYouMean(b.opts.LegacyField, bx.fieldNames()))
		}
	}
	if slices.ContainsFunc(b.m.boxes, func(bx *box) bool { return bx.mailbox.ID == 0 }) {
		return // the mailbox itself is the trouble
	}
	for _, k := range slices.Sorted(maps.Keys(b.opts.FieldValues)) {
		if !b.m.knowsField(k) {
			bx := b.m.boxes[0]
			b.block(codeField, k, "mapping.field_values.%s: mailbox %q has no custom field of this name%s", k, bx.mailbox.Name, didYouMean(k, bx.fieldNames()))
		}
	}
}

// knowsField reports that one of the mailboxes has a custom field of this name.
func (m *Mapper) knowsField(name string) bool {
	return slices.ContainsFunc(m.boxes, func(bx *box) bool { return bx.fields[fold(name)] != nil })
}

func (bx *box) fieldNames() []string {
	names := make([]string, 0, len(bx.mailbox.Fields))
	for _, f := range bx.mailbox.Fields {
		names = append(names, f.Name)
	}
	return names
}
