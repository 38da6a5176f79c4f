package sandbox

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// search lists the numbers (as creation ordinals) that a query string brings, over all pages.
func (c *client) search(query string) []int {
	c.t.Helper()
	byID := map[float64]int{}
	for conv := range c.s.Conversations() {
		byID[float64(conv.ID)] = conv.Creation
	}
	var out []int
	for page := 1; ; page++ {
		a := c.want(200, "GET", fmt.Sprintf("/v2/conversations?%s&page=%d", query, page), "")
		list, _ := a.at("_embedded/conversations").([]any)
		for _, v := range list {
			out = append(out, byID[v.(map[string]any)["id"].(float64)])
		}
		if a.at("_links/next/href") == nil {
			if total := a.at("page/totalElements"); total != float64(len(out)) {
				c.t.Errorf("%s: totalElements %v, %d came", query, total, len(out))
			}
			return out
		}
	}
}

func q(text string) string {
	return "status=all&sortField=number&sortOrder=asc&query=" + url.QueryEscape(text)
}

// library is an account of six conversations that differ in everything that can be searched.
func library(t *testing.T) *client {
	c := with(t)
	for i, v := range []struct{ email, first, at, subject, status, more, text string }{
		{"ann@b.example", "Ann", "2021-01-01T00:00:00Z", "Coffee and tea", "closed", `,"tags":["hot"]`, "please send <b>sugar</b>"},
		{"bob@b.example", "Bob", "2021-01-02T00:00:00Z", "Tea only", "active", `,"assignTo":512344`, "nothing else"},
		{"ann@b.example", "Ann", "2021-01-03T00:00:00Z", "Cake", "pending", `,"tags":["hot","sweet"]`, "sugarfree please"},
		{"cyd@c.example", "Cyd", "2021-01-03T00:00:00Z", "Re: coffee", "closed", `,"fields":[{"id":31202,"value":"T-4"}]`, "a \"quoted\" word"},
		{"ann@b.example", "Ann", "2022-01-01T00:00:00Z", "Größe", "spam", ``, "ümlaut"},
		{"dan@d.example", "Dan", "2023-01-01T00:00:00Z", "other inbox", "active", ``, "sugar"},
	} {
		mailbox := "254871"
		if i == 5 {
			mailbox = "254906"
		}
		text := strings.ReplaceAll(v.text, `"`, `\"`)
		c.want(201, "POST", "/v2/conversations", `{"subject":"`+v.subject+`","customer":{"email":"`+v.email+`","firstName":"`+v.first+`"},"mailboxId":`+mailbox+
			`,"type":"email","status":"`+v.status+`","imported":true,"createdAt":"`+v.at+`"`+v.more+`,"threads":[{"type":"customer","createdAt":"`+v.at+`","customer":{"email":"`+v.email+`"},"text":"`+text+`"}]}`)
	}
	return c
}

func TestQueryLanguage(t *testing.T) {
	c := library(t)
	for text, want := range map[string]string{
		`subject:coffee`:                                  "[1 4]",
		`subject:"tea coffee"`:                            "[1]",
		`subject:caf OR subject:cake`:                     "[3]",
		`subject:coff*`:                                   "[1 4]",
		`(subject:"größe")`:                               "[5]",
		`body:sugar`:                                      "[1 6]",
		`body:sugar*`:                                     "[1 3 6]",
		`body:"\"quoted\" word"`:                          "[4]",
		`email:"ann@b.example"`:                           "[1 3 5]",
		`email:"ANN@b.example"`:                           "[1 3 5]",
		`email:*@b.example`:                               "[1 2 3 5]",
		`tag:hot`:                                         "[1 3]",
		`tag:(hot AND sweet)`:                             "[3]",
		`tag:"HOT" NOT tag:sweet`:                         "[1]",
		`tag:hot -tag:sweet`:                              "[1]",
		`NOT (tag:hot OR status:active)`:                  "[4 5]",
		`status:pending OR status:spam`:                   "[3 5]",
		`mailboxid:254906`:                                "[6]",
		`mailboxId:254871 AND subject:tea AND email:bob*`: "[2]",
		`createdAt:[2021-01-03T00:00:00Z TO 2021-01-03T00:00:00Z]`:                             "[3 4]",
		`createdAt:[* TO 2021-01-02T00:00:00Z]`:                                                "[1 2]",
		`createdAt:[2021-01-03T00:00:01Z TO *]`:                                                "[5 6]",
		`(createdAt:[2021-01-03T00:00:00Z TO 2021-01-03T00:00:01Z] AND email:"ann@b.example")`: "[3]",
		`createdAt:[2021-01-01T00:00:00Z TO 2021-01-01T00:00:00Z] OR subject:cake`:             "[1 3]",
		`modifiedAt:[2022-01-01T00:00:00Z TO *]`:                                               "[5 6]",
		`assigned:"Ben Okri"`:                                                                  "[2]",
		`assigned:Unassigned AND status:active`:                                                "[6]",
		`attachment:true`:                                                                      "[]",
		`sugar`:                                                                                "[1 6]",
		`cyd@c.example`:                                                                        "[4]",
		`name:dan`:                                                                             "[6]",
	} {
		if got := fmt.Sprint(c.search(q(text))); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{`(`, `subject:`, `"x`, `nothing:5`, `createdAt:[2021-01-01T00:00:00.000Z TO *]`, `createdAt:[2021 TO *`, `a)`, `number:x`, strings.Repeat("(", 200)} {
		a := c.want(400, "GET", "/v2/conversations?"+q(text), "")
		if fieldsOf(a) != "query" {
			t.Errorf("%s: %s", text, a.raw)
		}
	}
}

func TestListParameters(t *testing.T) {
	c := library(t)
	for query, want := range map[string]string{
		"":                                "[6 2]", // active is the default, newest created first
		"status=all":                      "[6 5 4 3 2 1]",
		"status=all&sortOrder=asc":        "[1 2 3 4 5 6]",
		"status=open&sortField=number":    "[6 3 2]",
		"status=closed&sortField=subject": "[4 1]",
		"status=all&mailbox=254871&sortField=number":                             "[5 4 3 2 1]",
		"status=all&mailbox=254906,254871&sortField=customerEmail&sortOrder=asc": "[1 3 5 2 4 6]",
		"status=all&tag=sweet,nothing":                                           "[3]",
		"status=all&assigned_to=512344":                                          "[2]",
		"status=all&customFieldsByIds=31202:t-4":                                 "[4]",
		"status=all&modifiedSince=2022-01-01T00:00:00Z":                          "[6 5]",
	} {
		if got := fmt.Sprint(c.search(query)); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	number := c.want(200, "GET", "/v2/conversations?status=all&sortField=number", "").at("_embedded/conversations/0/number")
	if got := fmt.Sprint(c.search(fmt.Sprintf("status=all&number=%.0f", number))); got != "[6]" {
		t.Errorf("by number: %s", got)
	}
	if a := c.want(200, "GET", "/v2/conversations?status=all&embed=threads", ""); a.at("_embedded/conversations/0/_embedded/threads/0/body") != "sugar" {
		t.Errorf("embed=threads: %s", a.raw)
	}
	for _, query := range []string{"status=solved", "sortField=age", "sortOrder=up", "mailbox=x", "modifiedSince=yesterday"} {
		c.want(400, "GET", "/v2/conversations?"+query, "")
	}
}

func TestPaging(t *testing.T) {
	c := with(t, "page-size=2")
	for i := range 5 {
		c.want(201, "POST", "/v2/conversations", sample("a@b.example", fmt.Sprintf("2021-03-04T05:06:%02dZ", i), ""))
	}
	a := c.want(200, "GET", "/v2/conversations?status=all&mailbox=254871&page=2", "")
	base := origin + "/v2/conversations?mailbox=254871&status=all"
	for where, want := range map[string]any{
		"page/size": 2.0, "page/totalElements": 5.0, "page/totalPages": 3.0, "page/number": 2.0, "_links/next/href": base + "&page=3",
		"_links/first/href": base + "&page=1", "_links/last/href": base + "&page=3", "_links/page/href": base, "_embedded/conversations/1/createdAt": "2021-03-04T05:06:01Z",
	} {
		if got := a.at(where); got != want {
			t.Errorf("%s: got %v, want %v", where, got, want)
		}
	}
	if a = c.want(200, "GET", "/v2/conversations?status=all&page=9", ""); a.at("_embedded") != nil || a.at("_links/next") != nil {
		t.Errorf("beyond the end: %s", a.raw)
	}
}

// TestLags: GET by id sees at once, the list and the index later, each after its own time.
func TestLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := with(t, "index-lag=60s", "list-lag=5s")
		a := c.want(201, "POST", "/v2/conversations", sample("a@b.example", "2021-03-04T05:06:07Z", ""))
		c.want(200, "GET", convPath(a.id(), ""), "")
		plain, indexed := "status=all&sortField=number", "status=all&query="+url.QueryEscape("createdAt:[2021-03-04T05:06:07Z TO 2021-03-04T05:06:07Z]")
		saw := func(query string, want int) {
			t.Helper()
			if n := len(c.search(query)); n != want {
				t.Errorf("%s: %d, want %d", query, n, want)
			}
		}
		saw(plain, 0)
		time.Sleep(5 * time.Second)
		saw(plain, 1)
		saw(indexed, 0)
		time.Sleep(55 * time.Second)
		saw(indexed, 1)
		if err := c.s.Retitle(a.id(), "Renamed"); err != nil {
			t.Fatal(err)
		}
		saw(q("subject:renamed"), 0)
		saw(q("subject:order"), 1)
		time.Sleep(time.Minute)
		saw(q("subject:renamed"), 1)
		c.want(204, "DELETE", convPath(a.id(), ""), "")
		c.want(404, "GET", convPath(a.id(), ""), "")
		saw(indexed, 1) // the index still shows it
		time.Sleep(time.Minute)
		saw(indexed, 0)
	})
}

// TestIndexesAgreeWithScan compares what the indexes bring with a look at every conversation, over random accounts
// and random queries.
func TestIndexesAgreeWithScan(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	c := with(t)
	at := func() string { return time.Unix(1_600_000_000+rng.Int64N(500), 0).UTC().Format(timeLayout) }
	var ids []int64
	for range 600 {
		body := sample(fmt.Sprintf("p%d@b.example", rng.IntN(20)), at(), "")
		ids = append(ids, c.want(201, "POST", "/v2/conversations", body).id())
	}
	for range 200 {
		id := ids[rng.IntN(len(ids))]
		switch rng.IntN(4) {
		case 0:
			_ = c.s.DeleteConversation(id)
		case 1:
			_ = c.s.Merge(id, ids[rng.IntN(len(ids))])
		case 2:
			_ = c.s.Move(id, 254906)
		case 3:
			_ = c.s.SetStatus(id, []string{"active", "pending", "closed"}[rng.IntN(3)])
		}
	}
	w := c.s.now.Load().world
	set := c.s.Settings()
	for range 400 {
		text := []string{
			"createdAt:[" + at() + " TO " + at() + "]", "createdAt:[" + at() + " TO *] AND status:closed", fmt.Sprintf(`email:"p%d@b.example"`, rng.IntN(25)),
			"modifiedAt:[" + at() + " TO *]", fmt.Sprintf("number:%d", 48_000+rng.IntN(1300)), "NOT createdAt:[" + at() + " TO *]", "",
		}[rng.IntN(7)]
		f := filter{
			status: []string{"all", "active", "closed", "open"}[rng.IntN(4)], horizon: math.MaxInt64, desc: rng.IntN(2) == 0,
			sort: []string{"createdat", "number", "modifiedat", "subject"}[rng.IntN(4)],
		}
		if text != "" {
			f.query, _ = parseQuery(text)
		}
		var want []*conversation
		for _, conv := range w.numbered {
			if f.keeps(conv, w) {
				want = append(want, conv)
			}
		}
		slices.SortStableFunc(want, f.compare)
		seq, sorted := f.source(w, &set)
		var got []*conversation
		for conv := range seq {
			if f.keeps(conv, w) {
				got = append(got, conv)
			}
		}
		if !sorted {
			slices.SortStableFunc(got, f.compare)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q %+v: the index brings %d, a scan %d, or in another order", text, f, len(got), len(want))
		}
		if f.plain() && f.total(w) != len(want) {
			t.Fatalf("%+v: counted %d, there are %d", f, f.total(w), len(want))
		}
	}
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{
		`(createdAt:[2021-01-03T00:00:00Z TO *] AND email:"ann@b.example")`, `tag:(a OR b) NOT c`, `-"x" "y\""`, `number:[1 TO 2]`, `subject:"a" OR (b AND NOT c)`,
	} {
		f.Add(s)
	}
	w, err := plant(Seed{})
	if err != nil {
		f.Fatal(err)
	}
	conv := &conversation{subject: "a b", customer: &customer{emails: []entry{{value: "ann@b.example"}}}, mailbox: w.mailboxes[0], status: "active"}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := parseQuery(text)
		if err != nil {
			return
		}
		v, _ := conv.asOf(math.MaxInt64)
		// What is true of the whole is true of its bounds: an index may never hide a match.
		if from, to, ok := q.bounds("createdat"); ok && q.matches(&v, w) && (conv.created < from || conv.created > to) {
			t.Fatalf("%q matches outside of its bounds %d..%d", text, from, to)
		}
		if address, ok := q.exact("email"); ok && q.matches(&v, w) && address != "ann@b.example" {
			t.Fatalf("%q matches another address than %q", text, address)
		}
		not := &query{op: '!', kids: []*query{q}}
		if not.matches(&v, w) == q.matches(&v, w) {
			t.Fatalf("%q and its negation agree", text)
		}
	})
}
