package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// customerPart is one of the lists of entries that hang on a customer.
type customerPart struct {
	path, key, body string // in URLs and links, in _embedded, in bodies
	types           []string
	of              func(*customer) *[]entry
}

// customerParts with their types, as published clients agree on them, misspelling included.
var customerParts = []*customerPart{
	{"emails", "emails", "emails", []string{"home", "work", "other"}, func(p *customer) *[]entry { return &p.emails }},
	{"phones", "phones", "phones", []string{"fax", "home", "mobile", "other", "pager", "work"}, func(p *customer) *[]entry { return &p.phones }},
	{"chats", "chats", "chats", []string{"aim", "gtalk", "icq", "msn", "other", "qq", "skype", "xmpp", "yahoo"}, func(p *customer) *[]entry { return &p.chats }},
	{"social-profiles", "social_profiles", "socialProfiles", []string{
		"aboutme", "facebook", "flickr", "forsquare", "google", "googleplus", "linkedin", "other", "quora", "tungleme", "twitter", "youtube",
	}, func(p *customer) *[]entry { return &p.social }},
	{"websites", "websites", "websites", nil, func(p *customer) *[]entry { return &p.websites }},
}

// entry validates one entry.
func (part *customerPart) entry(n node) entry {
	e := entry{value: n.required("value")}
	if part.types != nil {
		if e.typ = n.oneOf("type", false, part.types...); e.typ == "" {
			e.typ = "other"
		}
	}
	if part.key == "emails" && e.value != "" && !wellFormed(e.value) {
		n.problem(n.at("value"), email, "not a well-formed email address", e.value)
	}
	return e
}

func (part *customerPart) list(c *call) reply {
	c.world.mu.RLock()
	defer c.world.mu.RUnlock()
	p := c.findCustomer()
	if p == nil {
		return c.notFound()
	}
	return pageOf(c, part.key, wireEntries(*part.of(p)), func(e wireEntry) any { return e })
}

func (part *customerPart) create(c *call) reply {
	n, ok := c.parse()
	if !ok {
		return c.unparsable()
	}
	e := part.entry(n)
	if len(n.errs) > 0 {
		return c.invalid(n.errs)
	}
	rp := c.changeCustomer(func(p *customer) (reply, bool) {
		if part.key == "emails" {
			if other := c.world.findEmail(emailKey(e.value, c.set)); other != nil {
				return c.taken(e.value), false
			}
			c.world.linkEmail(p, e.value, c.set)
		}
		e.id = c.world.nextID(idEntry)
		set := part.of(p)
		*set = append(slices.Clone(*set), e)
		return reply{}, true
	})
	if rp.status != http.StatusNoContent {
		return rp
	}
	rp = empty(http.StatusCreated)
	rp.header["Resource-Id"] = strconv.FormatInt(e.id, 10)
	return rp
}

func (part *customerPart) update(c *call) reply {
	n, ok := c.parse()
	if !ok {
		return c.unparsable()
	}
	e := part.entry(n)
	if len(n.errs) > 0 {
		return c.invalid(n.errs)
	}
	return c.changeCustomer(func(p *customer) (reply, bool) {
		set := part.of(p)
		i := slices.IndexFunc(*set, func(x entry) bool { return x.id == c.ids[1] })
		if i < 0 {
			return c.notFound(), false
		}
		if part.key == "emails" {
			if other := c.world.findEmail(emailKey(e.value, c.set)); other != nil && other != p {
				return c.taken(e.value), false
			}
			c.world.unlinkEmail(p, (*set)[i].value, c.set)
			c.world.linkEmail(p, e.value, c.set)
		}
		e.id = c.ids[1]
		*set = slices.Clone(*set)
		(*set)[i] = e
		return reply{}, true
	})
}

func (part *customerPart) remove(c *call) reply {
	return c.changeCustomer(func(p *customer) (reply, bool) {
		set := part.of(p)
		i := slices.IndexFunc(*set, func(x entry) bool { return x.id == c.ids[1] })
		if i < 0 {
			return c.notFound(), false
		}
		if part.key == "emails" {
			c.world.unlinkEmail(p, (*set)[i].value, c.set)
		}
		*set = slices.Delete(slices.Clone(*set), i, i+1)
		return reply{}, true
	})
}

// address validates a postal address.
// https://developer.helpscout.com/mailbox-api/endpoints/customers/address/create
func (n node) address() *Address {
	a := &Address{
		City: n.required("city"), State: n.required("state"), PostalCode: n.required("postalCode"), Country: n.required("country"), Lines: texts(n.texts("lines")),
	}
	if a.Country != "" && (len(a.Country) != 2 || strings.ToUpper(a.Country) != a.Country) {
		n.problem(n.at("country"), business, "must be a two-letter country code", a.Country)
	}
	return a
}

func (c *call) getAddress() reply {
	c.world.mu.RLock()
	defer c.world.mu.RUnlock()
	p := c.findCustomer()
	if p == nil || p.address == nil {
		return c.notFound()
	}
	return hal(p.address)
}

func (c *call) putAddress() reply {
	n, ok := c.parse()
	if !ok {
		return c.unparsable()
	}
	a := n.address()
	if len(n.errs) > 0 {
		return c.invalid(n.errs)
	}
	post := c.r.Method == http.MethodPost
	rp := c.changeCustomer(func(p *customer) (reply, bool) {
		if post && p.address != nil {
			return c.failure(http.StatusConflict, "Customer already has an address"), false
		}
		p.address = a
		return reply{}, true
	})
	if post && rp.status == http.StatusNoContent {
		rp = empty(http.StatusCreated)
		rp.header["Location"] = c.link("customers/%d/address", c.ids[0]).Href
	}
	return rp
}

func (c *call) deleteAddress() reply {
	return c.changeCustomer(func(p *customer) (reply, bool) {
		if p.address == nil {
			return c.notFound(), false
		}
		p.address = nil
		return reply{}, true
	})
}

func (c *call) getProperties() reply {
	c.world.mu.RLock()
	defer c.world.mu.RUnlock()
	p := c.findCustomer()
	if p == nil {
		return c.notFound()
	}
	return pageOf(c, "customer-properties", p.wireProperties(), func(m map[string]string) any { return m })
}

// patchProperties takes a list of operations on /slug paths.
func (c *call) patchProperties() reply {
	wrapped := *c
	wrapped.body = append(append([]byte(`{"ops":`), c.body...), '}')
	n, ok := wrapped.parse()
	if !ok {
		return c.unparsable()
	}
	return c.changeCustomer(func(p *customer) (reply, bool) {
		next := map[string]string{}
		for k, v := range p.properties {
			next[k] = v
		}
		for _, o := range n.objects("ops") {
			slug := strings.TrimPrefix(o.required("path"), "/")
			if o.oneOf("op", true, "replace", "add", "remove") == "remove" {
				delete(next, slug)
			} else {
				next[slug] = o.text("value")
			}
		}
		if len(n.errs) > 0 {
			return c.invalid(n.errs), false
		}
		p.properties = next
		return reply{}, true
	})
}
