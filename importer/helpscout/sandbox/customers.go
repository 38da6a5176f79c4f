package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// wireCustomerFull: https://developer.helpscout.com/mailbox-api/endpoints/customers/get
type wireCustomerFull struct {
	ID             int64           `json:"id"`
	FirstName      string          `json:"firstName"`
	LastName       string          `json:"lastName"`
	Gender         string          `json:"gender"`
	JobTitle       string          `json:"jobTitle,omitempty"`
	Location       string          `json:"location,omitempty"`
	Organization   string          `json:"organization,omitempty"`
	OrganizationID int64           `json:"organizationId,omitempty"`
	PhotoType      string          `json:"photoType"`
	PhotoURL       string          `json:"photoUrl"`
	Age            string          `json:"age,omitempty"`
	CreatedAt      string          `json:"createdAt"`
	UpdatedAt      string          `json:"updatedAt"`
	Background     string          `json:"background"`
	Embedded       map[string]any  `json:"_embedded"`
	Links          map[string]href `json:"_links"`
}

type wireEntry struct {
	ID    int64  `json:"id"`
	Value string `json:"value"`
	Type  string `json:"type,omitempty"`
}

func wireEntries(list []entry) []wireEntry {
	out := make([]wireEntry, 0, len(list))
	for _, e := range list {
		out = append(out, wireEntry{e.id, e.value, e.typ})
	}
	return out
}

func (c *call) wireCustomerFull(p *customer) any {
	v := wireCustomerFull{
		ID: p.id, FirstName: p.first, LastName: p.last, Gender: "Unknown", JobTitle: p.jobTitle, Location: p.location,
		Organization: p.organization, OrganizationID: p.organizationID, PhotoType: p.photoType, PhotoURL: p.photoURL, Age: p.age,
		CreatedAt: stamp(p.created), UpdatedAt: stamp(p.updated), Background: p.background,
		Embedded: map[string]any{}, Links: map[string]href{"self": c.link("customers/%d", p.id), "address": c.link("customers/%d/address/", p.id)},
	}
	if p.gender != "" {
		v.Gender = strings.ToUpper(p.gender[:1]) + p.gender[1:]
	}
	for _, part := range customerParts {
		v.Embedded[part.key] = wireEntries(*part.of(p))
		v.Links[part.path] = c.link("customers/%d/%s/", p.id, part.path)
	}
	if p.address != nil {
		v.Embedded["address"] = p.address
	}
	if len(p.properties) > 0 {
		v.Embedded["properties"] = p.wireProperties()
	}
	return v
}

func (p *customer) wireProperties() []map[string]string {
	out := []map[string]string{}
	for slug, value := range p.properties {
		out = append(out, map[string]string{"slug": slug, "value": value, "type": "text", "name": slug})
	}
	slices.SortFunc(out, func(a, b map[string]string) int { return strings.Compare(a["slug"], b["slug"]) })
	return out
}

// findCustomer is the one of the path. The account is locked.
func (c *call) findCustomer() *customer {
	if p := c.world.customers[c.ids[0]]; p != nil && !p.deleted {
		return p
	}
	return nil
}

func (c *call) getCustomer() reply {
	c.world.mu.RLock()
	defer c.world.mu.RUnlock()
	if p := c.findCustomer(); p != nil {
		return hal(c.wireCustomerFull(p))
	}
	return c.notFound()
}

// listCustomers: https://developer.helpscout.com/mailbox-api/endpoints/customers/list, with the email parameter of v3.
func (c *call) listCustomers() reply {
	q := c.r.URL.Query()
	k := &checker{set: c.set, now: c.now.Unix()}
	f := filter{status: "all"}
	c.filterIndexed(&f, k, q.Get("query"), q.Get("modifiedSince"))
	mailbox := k.param("mailbox", q.Get("mailbox"))
	if len(k.errs) > 0 {
		return c.invalid(k.errs)
	}
	w := c.world
	w.mu.RLock()
	defer w.mu.RUnlock()
	source := w.people
	address, indexed := f.query.exact("email")
	if strings.HasPrefix(c.r.URL.Path, "/v3/") && q.Get("email") != "" {
		address, indexed = q.Get("email"), true
	}
	if indexed {
		source = w.byEmail[emailKey(address, c.set)]
	}
	var found []*customer
	for _, p := range source {
		if p.deleted || p.appeared > f.horizon || f.none || p.updated < f.since ||
			!equalFoldIf(q.Get("firstName"), p.first) || !equalFoldIf(q.Get("lastName"), p.last) {
			continue
		}
		if mailbox != 0 && !slices.ContainsFunc(w.byCustomer[p.id], func(conv *conversation) bool { return conv.mailbox.ID == mailbox }) {
			continue
		}
		if f.query != nil && !f.query.matches(&view{conversation: &conversation{customer: p}, customer: p, mailbox: w.mailboxes[0]}, w) {
			continue
		}
		found = append(found, p)
	}
	sortCustomers(found, strings.ToLower(q.Get("sortField")), strings.EqualFold(q.Get("sortOrder"), "asc"))
	return pageOf(c, "customers", found, c.wireCustomerFull)
}

func equalFoldIf(want, have string) bool { return want == "" || strings.EqualFold(want, have) }

func sortCustomers(list []*customer, field string, asc bool) {
	slices.SortStableFunc(list, func(a, b *customer) int {
		d := 0
		switch field {
		case "firstname":
			d = strings.Compare(strings.ToLower(a.first), strings.ToLower(b.first))
		case "lastname":
			d = strings.Compare(strings.ToLower(a.last), strings.ToLower(b.last))
		case "modifiedat":
			d = cmp.Compare(a.updated, b.updated)
		}
		if d = cmp.Or(d, cmp.Compare(a.id, b.id)); asc {
			return d
		}
		return -d
	})
}

// draftPerson validates the body of a customer call.
func (c *call) draftPerson(n node) customer {
	p := n.person()
	for _, part := range customerParts {
		for _, o := range n.objects(part.body) {
			set := part.of(&p)
			*set = append(*set, part.entry(o))
		}
	}
	if n.has("email") && len(p.emails) == 0 {
		p.emails = []entry{{value: n.text("email"), typ: "work"}}
	}
	if n.has("phone") && len(p.phones) == 0 {
		p.phones = []entry{{value: n.text("phone"), typ: "work"}}
	}
	if o, ok := n.object("address"); ok {
		p.address = o.address()
	}
	return p
}

func (c *call) createCustomer() reply {
	n, ok := c.parse()
	if !ok {
		return c.unparsable()
	}
	p := c.draftPerson(n)
	if len(n.errs) > 0 {
		return c.invalid(n.errs)
	}
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range p.emails {
		if w.findEmail(emailKey(e.value, c.set)) != nil {
			return c.taken(e.value)
		}
	}
	w.addCustomer(&p, c.now, c.set)
	c.saveCustomer(&p)
	c.tell("customer.created", &p, nil, false)
	rp := empty(http.StatusCreated)
	c.locate(&rp, "/v2/customers/", p.id)
	return rp
}

// taken is the 409 for an address that somebody has.
func (c *call) taken(address string) reply {
	rp := c.failure(http.StatusConflict, "Customer with email "+address+" already exists")
	return rp
}

// changeCustomer runs a change on the customer of the path and answers 204.
func (c *call) changeCustomer(change func(p *customer) (reply, bool)) reply {
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	p := c.findCustomer()
	if p == nil {
		return c.notFound()
	}
	if rp, ok := change(p); !ok {
		return rp
	}
	p.updated = c.now.Unix()
	c.saveCustomer(p)
	c.tell("customer.updated", p, nil, false)
	return empty(http.StatusNoContent)
}

// putCustomer overwrites the plain fields; the entries are sub-resources.
func (c *call) putCustomer() reply {
	n, ok := c.parse()
	if !ok {
		return c.unparsable()
	}
	fresh := n.person()
	if len(n.errs) > 0 {
		return c.invalid(n.errs)
	}
	return c.changeCustomer(func(p *customer) (reply, bool) {
		p.first, p.last, p.jobTitle, p.location = fresh.first, fresh.last, fresh.jobTitle, fresh.location
		p.organization, p.organizationID, p.background, p.age = fresh.organization, fresh.organizationID, fresh.background, fresh.age
		p.gender, p.photoURL, p.photoType = fresh.gender, fresh.photoURL, cmp.Or(fresh.photoType, "default")
		return reply{}, true
	})
}

// patchCustomer takes one operation or, unlike conversations, a list of them.
func (c *call) patchCustomer() reply {
	wrapped := *c
	if body := strings.TrimSpace(string(c.body)); strings.HasPrefix(body, "[") {
		wrapped.body = []byte(`{"ops":` + body + `}`)
	} else {
		wrapped.body = []byte(`{"ops":[` + body + `]}`)
	}
	n, ok := wrapped.parse()
	if !ok {
		return c.unparsable()
	}
	return c.changeCustomer(func(p *customer) (reply, bool) {
		draft := *p
		for _, o := range n.objects("ops") {
			op := o.oneOf("op", true, "replace", "add", "remove")
			field := customerField(&draft, strings.TrimPrefix(o.text("path"), "/"))
			switch {
			case field == nil:
				o.problem(o.at("path"), enum, "Operation is not supported on this path", o.text("path"))
			case op == "remove":
				*field = ""
			default:
				*field = o.text("value")
			}
		}
		if l := len([]rune(draft.first)); l > 40 {
			n.problem("firstName", size, "size must be between 1 and 40", draft.first)
		}
		if l := len([]rune(draft.last)); l > 40 {
			n.problem("lastName", size, "size must be between 1 and 40", draft.last)
		}
		if len(n.errs) > 0 {
			return c.invalid(n.errs), false
		}
		*p = draft
		return reply{}, true
	})
}

func customerField(p *customer, name string) *string {
	switch name {
	case "firstName":
		return &p.first
	case "lastName":
		return &p.last
	case "jobTitle":
		return &p.jobTitle
	case "location":
		return &p.location
	case "organization":
		return &p.organization
	case "background":
		return &p.background
	case "photoUrl":
		return &p.photoURL
	case "photoType":
		return &p.photoType
	case "age":
		return &p.age
	case "gender":
		return &p.gender
	}
	return nil
}

// deleteCustomer is refused for those with a long history.
func (c *call) deleteCustomer() reply {
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	p := c.findCustomer()
	if p == nil {
		return c.notFound()
	}
	if len(w.byCustomer[p.id]) > c.set.MaxDeleteHistory {
		return c.failure(http.StatusConflict, "Customer has more than "+strconv.Itoa(c.set.MaxDeleteHistory)+" conversations")
	}
	for _, e := range p.emails {
		w.unlinkEmail(p, e.value, c.set)
	}
	for _, conv := range slices.Clone(w.byCustomer[p.id]) {
		if !conv.gone() {
			c.remove(conv)
		}
	}
	p.deleted, p.updated = true, time.Now().Unix()
	c.saveCustomer(p)
	c.tell("customer.deleted", p, nil, false)
	return empty(http.StatusNoContent)
}
