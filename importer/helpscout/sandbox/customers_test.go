package sandbox

import (
	"fmt"
	"net/url"
	"testing"
)

func TestCustomers(t *testing.T) {
	c := with(t)
	a := c.want(201, "POST", "/v2/customers", `{"firstName":"Zoe","lastName":"Ray","jobTitle":"CTO","emails":[{"type":"work","value":"zoe@b.example"}],`+
		`"socialProfiles":[{"type":"forsquare","value":"z"}],"websites":[{"value":"https://z.example"}]}`)
	at := fmt.Sprintf("/v2/customers/%d", a.id())
	if a.header.Get("Location") != origin+at || len(a.raw) != 0 {
		t.Errorf("create: %v %q", a.header, a.raw)
	}
	got := c.want(200, "GET", at, "")
	for where, want := range map[string]any{
		"firstName": "Zoe", "gender": "Unknown", "photoType": "default", "_embedded/emails/0/value": "zoe@b.example", "_embedded/social_profiles/0/type": "forsquare",
		"_links/social-profiles/href": origin + at + "/social-profiles/", "_embedded/address": nil,
	} {
		if have := got.at(where); have != want {
			t.Errorf("%s: got %v, want %v", where, have, want)
		}
	}
	c.want(409, "POST", "/v2/customers", `{"emails":[{"type":"home","value":"Zoe@B.example"}]}`)
	c.want(400, "POST", "/v2/customers", `{"firstName":""}`)
	c.want(400, "POST", "/v2/customers", `{"emails":[{"type":"postal","value":"x@y.example"}]}`)
	c.want(204, "PATCH", at, `[{"op":"replace","path":"/firstName","value":"Zora"},{"op":"remove","path":"/jobTitle"}]`)
	c.want(204, "PATCH", at, `{"op":"replace","path":"/lastName","value":"Roy"}`)
	if got = c.want(200, "GET", at, ""); got.at("firstName") != "Zora" || got.at("lastName") != "Roy" || got.at("jobTitle") != nil {
		t.Errorf("after the patches: %s", got.raw)
	}
	second := c.want(201, "POST", at+"/emails", `{"type":"home","value":"z2@b.example"}`).id()
	if got = c.want(200, "GET", "/v2/customers?query="+url.QueryEscape(`(email:"z2@b.example")`), ""); got.at("_embedded/customers/0/id") != float64(a.id()) {
		t.Errorf("search by the second address: %s", got.raw)
	}
	c.want(204, "PUT", fmt.Sprintf("%s/emails/%d", at, second), `{"type":"home","value":"z3@b.example"}`)
	if got = c.want(200, "GET", "/v3/customers?email=z3@b.example", ""); got.at("page/totalElements") != 1.0 {
		t.Errorf("v3 search: %s", got.raw)
	}
	c.want(204, "DELETE", fmt.Sprintf("%s/emails/%d", at, second), "")
	if got = c.want(200, "GET", "/v3/customers?email=z3@b.example", ""); got.at("page/totalElements") != 0.0 {
		t.Errorf("v3 search after the address is gone: %s", got.raw)
	}
	c.want(404, "GET", at+"/address", "")
	c.want(201, "POST", at+"/address", `{"city":"a","state":"b","postalCode":"c","country":"DE","lines":["x"]}`)
	c.want(409, "POST", at+"/address", `{"city":"a","state":"b","postalCode":"c","country":"DE"}`)
	c.want(400, "PUT", at+"/address", `{"city":"a","state":"b","postalCode":"c","country":"Germany"}`)
	c.want(204, "PATCH", at+"/properties", `[{"op":"replace","path":"/plan","value":"gold"}]`)
	if got = c.want(200, "GET", at, ""); got.at("_embedded/properties/0/value") != "gold" || got.at("_embedded/address/city") != "a" {
		t.Errorf("properties and address: %s", got.raw)
	}
	c.want(204, "DELETE", at, "")
	c.want(404, "GET", at, "")
	c.want(201, "POST", "/v2/customers", `{"emails":[{"type":"home","value":"zoe@b.example"}]}`)
}

// TestCustomerOfConversation: an unknown address makes a customer, a known one is left as it is, an id beats both.
func TestCustomerOfConversation(t *testing.T) {
	c := with(t)
	c.want(201, "POST", "/v2/conversations", sample("jo@b.example", "2021-03-04T05:06:07Z", ""))
	who := c.s.Dump().Customers[0]
	if who.FirstName != "Jo" || len(c.s.Dump().Customers) != 1 {
		t.Fatalf("customers: %+v", c.s.Dump().Customers)
	}
	c.want(201, "POST", "/v2/conversations", `{"subject":"s","customer":{"email":"JO@b.example","firstName":"Other"},"mailboxId":254871,"type":"email","status":"active","threads":[{"type":"note","text":"x"}]}`)
	c.want(201, "POST", "/v2/conversations", fmt.Sprintf(`{"subject":"s","customer":{"id":%d,"email":"nobody"},"mailboxId":254871,"type":"email","status":"active","threads":[{"type":"note","text":"x"}]}`, who.ID))
	if got := c.s.Dump().Customers; len(got) != 1 || got[0].FirstName != "Jo" {
		t.Errorf("customers: %+v", got)
	}
	a := c.want(400, "POST", "/v2/conversations", `{"subject":"s","customer":{"id":5},"mailboxId":254871,"type":"email","status":"active","threads":[{"type":"note","text":"x"}]}`)
	if a.at("message") != "Customer with ID 5 does not belong to company with ID 88214" {
		t.Errorf("foreign customer: %s", a.raw)
	}
}

func TestDirectory(t *testing.T) {
	c := with(t)
	for path, wants := range map[string]map[string]any{
		"/v2/mailboxes":                       {"_embedded/mailboxes/0/name": "Support", "_embedded/mailboxes/1/email": "hello@sales.example", "page/totalElements": 2.0},
		"/v2/mailboxes/254871/fields":         {"_embedded/fields/0/name": "Priority", "_embedded/fields/0/type": "dropdown", "_embedded/fields/0/options/3/label": "Urgent", "_embedded/fields/1/type": "singleline"},
		"/v2/mailboxes/254906/fields":         {"_embedded": nil, "page/totalElements": 0.0},
		"/v2/mailboxes/254871/folders":        {"_embedded/folders/0/type": "open", "_embedded/folders/7/type": "team"},
		"/v2/users/me":                        {"email": "ada@support.example", "role": "owner", "initials": "AB"},
		"/v2/users?email=ben@support.example": {"page/totalElements": 1.0, "_embedded/users/0/firstName": "Ben"},
		"/v2/users":                           {"page/totalElements": 4.0, "_embedded/users/3/type": "team"},
		"/v2/teams":                           {"_embedded/teams/0/name": "Second Line"},
		"/v2/teams/512366/members":            {"page/totalElements": 2.0},
		"/v2/tags":                            {"_embedded/tags/0/name": "billing", "_embedded/tags/0/ticketCount": 0.0},
		"/v2/workflows":                       {"_embedded/workflows/0/status": "inactive"},
		"/v2/webhooks":                        {"_embedded": nil},
	} {
		a := c.want(200, "GET", path, "")
		for where, want := range wants {
			if got := a.at(where); got != want {
				t.Errorf("%s %s: got %v, want %v", path, where, got, want)
			}
		}
	}
	c.want(404, "GET", "/v2/users/512347", "")
	c = with(t, "field-types=upper", "teams-in-users=false")
	if got := c.want(200, "GET", "/v2/mailboxes/254871/fields", "").at("_embedded/fields/2/type"); got != "MULTI_LINE" {
		t.Errorf("field type %v", got)
	}
	if got := c.want(200, "GET", "/v2/users", "").at("page/totalElements"); got != 3.0 {
		t.Errorf("%v users", got)
	}
}
