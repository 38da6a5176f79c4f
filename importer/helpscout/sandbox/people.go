package sandbox

import (
	"fmt"
	"strconv"
	"strings"
)

// draftCustomer is a customer in a body: by id, or by address with what a new one shall be.
// https://developer.helpscout.com/mailbox-api/endpoints/customers/create
type draftCustomer struct {
	given bool
	id    int64
	email string
	fresh customer  // what to create
	known *customer // found before; nil: create
}

var (
	photoTypes = []string{"unknown", "gravatar", "twitter", "facebook", "googleprofile", "googleplus", "linkedin", "instagram", "default"}
	genders    = []string{"male", "female", "unknown", "Male", "Female", "Unknown"}
)

// person validates the fields that all customer bodies share.
func (n node) person() customer {
	return customer{
		first: n.sized("firstName", 1, 40), last: n.sized("lastName", 1, 40), jobTitle: n.sized("jobTitle", 0, 60),
		location: n.sized("location", 0, 60), organization: n.sized("organization", 0, 60), background: n.sized("background", 0, 200),
		photoURL: n.sized("photoUrl", 0, 200), age: n.text("age"), organizationID: n.id("organizationId"),
		photoType: n.oneOf("photoType", false, photoTypes...), gender: strings.ToLower(n.oneOf("gender", false, genders...)),
	}
}

// customer validates the customer of a conversation or thread.
func (n node) customer(key string, need bool) (draftCustomer, bool) {
	o, ok := n.object(key)
	if !ok {
		if need && !n.has(key) {
			n.problem(n.at(key), notNull, "may not be null", nil)
		}
		return draftCustomer{}, false
	}
	d := draftCustomer{given: true, id: o.id("id")}
	if d.id > 0 {
		return d, true // everything else is ignored
	}
	d.email = strings.TrimSpace(o.text("email"))
	switch {
	case d.email == "" && !o.has("id"):
		n.problem(o.at("email"), notEmpty, "may not be empty", nil)
	case d.email != "" && !wellFormed(d.email):
		n.problem(o.at("email"), email, "not a well-formed email address", d.email)
	}
	d.fresh = o.person()
	d.fresh.emails = []entry{{value: strings.Clone(d.email), typ: "work"}}
	if phone := o.text("phone"); phone != "" {
		d.fresh.phones = []entry{{value: phone, typ: "work"}}
	}
	return d, true
}

// findPeople looks the customers of a call up. One that is not found is created when the call is applied; with
// customer-race, another call of the same moment does not see that coming.
func (c *call) findPeople(people []*draftCustomer) (reply, bool) {
	w := c.world
	fresh := false
	w.mu.RLock()
	for _, d := range people {
		switch {
		case !d.given:
		case d.id > 0:
			if d.known = w.customers[d.id]; d.known == nil || d.known.deleted {
				w.mu.RUnlock()
				return c.failure(400, fmt.Sprintf("Customer with ID %d does not belong to company with ID %d", d.id, companyID)), false
			}
		default:
			d.known = w.findEmail(emailKey(d.email, c.set))
			fresh = fresh || d.known == nil
		}
	}
	w.mu.RUnlock()
	if fresh && c.set.CustomerRace {
		c.sleep(c.set.CustomerRaceGap)
	}
	return reply{}, true
}

const companyID = 88_214

// resolve returns the customer of a draft, who is created if nobody had the address when the call came.
func (w *world) resolve(c *call, d *draftCustomer) *customer {
	if d.known != nil {
		return d.known
	}
	key := emailKey(d.email, c.set)
	for _, other := range w.byEmail[key] {
		// One call creates one customer for an address, however often it names it; without the race, so do two.
		if !other.deleted && (!c.set.CustomerRace || other.maker == c.number) {
			d.known = other
			return other
		}
	}
	fresh := d.fresh
	fresh.maker = c.number
	d.known = &fresh
	w.addCustomer(d.known, c.now, c.set)
	c.saveCustomer(d.known)
	c.tell("customer.created", d.known, nil, false)
	return d.known
}

// FieldValue is a custom field of a conversation: a dropdown's value is the id of its option.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/custom_fields/update
type FieldValue struct {
	ID    int64  `json:"id"`
	Value string `json:"value"`
}

func (n node) fieldValues(key string) []FieldValue {
	var out []FieldValue
	for _, o := range n.objects(key) {
		id := o.id("id")
		if !o.has("id") {
			n.problem(o.at("id"), notNull, "may not be null", nil)
		}
		out = append(out, FieldValue{ID: id, Value: o.text("value")})
	}
	return out
}

// checkFields holds custom fields against those of the mailbox.
func (c *call) checkFields(n node, m *Mailbox, values []FieldValue) []FieldValue {
	kept := values[:0]
	set := map[int64]bool{}
	for i, v := range values {
		f := m.field(v.ID)
		path := n.item("fields", i)
		if f == nil {
			if c.set.ForeignField == "reject" && v.ID > 0 {
				n.problem(path+".id", business, "Custom field with ID "+strconv.FormatInt(v.ID, 10)+" does not belong to the mailbox", v.ID)
			}
			continue
		}
		if problem := f.refuses(v.Value); problem != "" {
			n.problem(path+".value", business, problem, v.Value)
		}
		if v.Value != "" && !set[v.ID] {
			set[v.ID] = true
			kept = append(kept, v)
		}
	}
	if c.set.RequiredFields == "enforce" {
		for _, f := range m.Fields {
			if f.Required && !set[f.ID] {
				n.problem("fields", notEmpty, "custom field "+f.Name+" is required", nil)
			}
		}
	}
	return kept
}

func (m *Mailbox) field(id int64) *Field {
	for i := range m.Fields {
		if m.Fields[i].ID == id {
			return &m.Fields[i]
		}
	}
	return nil
}

// refuses says what is wrong with a value, or "". Rules: the page of the custom fields endpoint.
func (f *Field) refuses(value string) string {
	if value == "" {
		return ""
	}
	switch fieldKind(f.Type) {
	case "dropdown":
		if f.option(value) == nil {
			return "must be the id of one of the field's options"
		}
	case "number":
		if len(value) > 255 || strings.Trim(strings.TrimPrefix(value, "-"), "0123456789") != "" || value == "-" {
			return "must be an integer of at most 255 digits"
		}
	case "date":
		if !isDate(value) {
			return "must be a date in the form YYYY-MM-DD"
		}
	case "multiline":
		if len([]rune(value)) > 15_000 {
			return "size must be between 0 and 15000"
		}
	default:
		if len([]rune(value)) > 255 {
			return "size must be between 0 and 255"
		}
	}
	return ""
}

func (f *Field) option(value string) *Option {
	for i := range f.Options {
		if strconv.FormatInt(f.Options[i].ID, 10) == value {
			return &f.Options[i]
		}
	}
	return nil
}
