package sandbox

import (
	"slices"
	"strings"
	"time"
)

// customer as the service holds it.
// https://developer.helpscout.com/mailbox-api/endpoints/customers/get
type customer struct {
	id               int64
	first, last      string
	gender           string // Male, Female, Unknown on the wire; lower case as sent
	jobTitle         string
	location         string
	organization     string
	organizationID   int64
	background       string
	age              string
	photoType        string
	photoURL         string
	emails           []entry
	phones           []entry
	chats            []entry
	social           []entry
	websites         []entry
	address          *Address
	properties       map[string]string
	created, updated int64
	appeared         int64 // real clock, nanoseconds
	deleted          bool
	maker            uint64 // the call that created it
}

// entry is one address, phone number, chat name, profile or website of a customer.
type entry struct {
	id    int64
	value string
	typ   string
}

// Address is a customer's postal address.
// https://developer.helpscout.com/mailbox-api/endpoints/customers/address/get
type Address struct {
	City       string   `json:"city"`
	State      string   `json:"state"`
	PostalCode string   `json:"postalCode"`
	Country    string   `json:"country"` // ISO 3166-1, two letters
	Lines      []string `json:"lines"`
}

func (c *customer) email() string {
	if len(c.emails) == 0 {
		return ""
	}
	return c.emails[0].value
}

// emailKey is the form in which addresses are compared.
func emailKey(address string, s *Settings) string {
	address = strings.TrimSpace(address)
	if s.EmailCase == "fold" {
		return strings.ToLower(address)
	}
	return address
}

// findEmail is the live customer of an address: the oldest, when a race has made several.
func (w *world) findEmail(key string) *customer {
	for _, c := range w.byEmail[key] {
		if !c.deleted {
			return c
		}
	}
	return nil
}

func (w *world) addCustomer(c *customer, now time.Time, s *Settings) {
	c.id = w.nextID(idCustomer)
	c.created, c.updated, c.appeared = now.Unix(), now.Unix(), now.UnixNano()
	if c.photoType == "" {
		c.photoType = "default"
	}
	if s.Enrich {
		c.photoType, c.photoURL = "gravatar", "https://secure.gravatar.com/avatar/"+uuid(w.seed, uint64(c.id))
		if c.jobTitle == "" {
			c.jobTitle = "Manager"
		}
	}
	w.customers[c.id] = c
	w.people = append(w.people, c)
	for i := range c.emails {
		w.linkEmail(c, c.emails[i].value, s)
	}
	for _, set := range []*[]entry{&c.emails, &c.phones, &c.chats, &c.social, &c.websites} {
		for i := range *set {
			if (*set)[i].id == 0 {
				(*set)[i].id = w.nextID(idEntry)
			}
		}
	}
}

func (w *world) linkEmail(c *customer, address string, s *Settings) {
	key := emailKey(address, s)
	if !slices.Contains(w.byEmail[key], c) {
		w.byEmail[key] = append(w.byEmail[key], c)
	}
}

func (w *world) unlinkEmail(c *customer, address string, s *Settings) {
	key := emailKey(address, s)
	list := slices.DeleteFunc(slices.Clone(w.byEmail[key]), func(x *customer) bool { return x == c })
	if len(list) == 0 {
		delete(w.byEmail, key)
		return
	}
	w.byEmail[key] = list
}
