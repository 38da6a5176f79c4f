package report

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"hsimport/importer"
	"hsimport/mapping"
	"hsimport/sources"
)

// find returns the elements for which ok says so, in the order of the page.
func find(n *html.Node, ok func(*html.Node) bool) (out []*html.Node) {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && ok(d) {
			out = append(out, d)
		}
	}
	return out
}

func tagged(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return n.Data == name }
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func hasClass(n *html.Node, class string) bool {
	return strings.Contains(" "+attr(n, "class")+" ", " "+class+" ")
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func byID(t testing.TB, doc *html.Node, id string) *html.Node {
	t.Helper()
	list := find(doc, func(n *html.Node) bool { return attr(n, "id") == id })
	if len(list) != 1 {
		t.Fatalf("%d elements have the id %s", len(list), id)
	}
	return list[0]
}

func parse(t testing.TB, page string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func number(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.ReplaceAll(regexp.MustCompile(`[\d,]+`).FindString(s), ",", ""))
	if err != nil {
		t.Fatalf("no number in %q", s)
	}
	return n
}

// row is the text of the cells of the row that begins with name.
func row(t testing.TB, table *html.Node, name string) []string {
	t.Helper()
	for _, tr := range find(table, tagged("tr")) {
		var cells []string
		for _, c := range find(tr, func(n *html.Node) bool { return n.Data == "td" || n.Data == "th" }) {
			cells = append(cells, text(c))
		}
		if len(cells) > 0 && strings.HasPrefix(cells[0], name) {
			return cells
		}
	}
	t.Fatalf("no row begins with %q", name)
	return nil
}

func TestSumsOnThePageEqualTheSummary(t *testing.T) {
	c, rep, _ := dryRun(t, job(), options(), account())
	doc := parse(t, pageOf(t, c, rep))
	s, tot := rep.Summary, rep.Totals
	want := map[string][]int{ // total, then terms as they stand in the summary
		"Records found":         {rep.Ledger.Records.Found, s.Source.Messages, s.Source.Duplicates, s.Source.Excluded, s.Source.Unreadable},
		"Tickets":               {tot.Tickets, tot.Tickets - tot.ExcludedTickets - tot.Refused, tot.ExcludedTickets, tot.Refused},
		"Conversations planned": {s.Conversations.Planned, s.Conversations.Pending, s.Conversations.Rejected, s.Conversations.InDoubt},
		"Threads":               {s.Threads.FromMessages + s.Threads.Added, s.Threads.FromMessages, s.Threads.Added},
		"Attachments":           {s.Attachments.Planned, s.Attachments.Inline, s.Attachments.Noted},
		"Messages":              {tot.Messages, tot.Messages - 4, 4}, // two tickets of two messages are refused
	}
	flow := byID(t, doc, "flow")
	seen := 0
	for _, h := range find(flow, tagged("h3")) {
		name, rest, _ := strings.Cut(text(h), ":")
		if !strings.Contains(rest, "the sum closes") {
			t.Errorf("%s: %s", name, rest)
		}
		terms, ok := want[name]
		if !ok {
			continue
		}
		seen++
		got := []int{number(t, rest)}
		for _, b := range find(h.Parent, tagged("b")) {
			got = append(got, number(t, text(b)))
		}
		if fmt.Sprint(got) != fmt.Sprint(terms) {
			t.Errorf("%s: the page says %v, the report %v", name, got, terms)
		}
	}
	if seen != len(want) {
		t.Errorf("%d of %d sums are on the page", seen, len(want))
	}
	conversations := tot.Parts - tot.Refused
	for _, fig := range find(byID(t, doc, "history"), tagged("figure")) {
		sum, cells := 0, 0
		for _, li := range find(fig, tagged("li")) {
			fields := strings.Fields(text(li))
			sum += number(t, fields[len(fields)-1])
		}
		for _, tr := range find(find(fig, tagged("tbody"))[0], tagged("tr")) {
			td := find(tr, tagged("td"))
			cells += number(t, text(td[len(td)-1]))
		}
		if sum != conversations || cells != conversations {
			t.Errorf("%s: %d in the legend, %d in the table, %d conversations", attr(fig, "id"), sum, cells, conversations)
		}
	}
}

func TestMondayAddsUp(t *testing.T) {
	c, rep, _ := dryRun(t, job(), options(), account())
	monday := byID(t, parse(t, pageOf(t, c, rep)), "monday")
	all := row(t, monday, "All")
	if got, want := number(t, all[1])+number(t, all[2]), rep.Totals.Live; got != want {
		t.Errorf("%d tickets on Monday, %d live", got, want)
	}
	if got := number(t, all[1]); got != rep.Totals.Statuses["active"] {
		t.Errorf("%d active, want %d", got, rep.Totals.Statuses["active"])
	}
	aged := 0
	for _, cell := range all[4 : len(all)-1] {
		aged += number(t, cell)
	}
	if aged != rep.Totals.Live {
		t.Errorf("the ages add up to %d, want %d", aged, rep.Totals.Live)
	}
	for i, tr := range find(find(monday, tagged("tbody"))[0], tagged("tr")) {
		name := text(tr)
		if i == 0 && !strings.HasPrefix(name, "nobody") {
			t.Errorf("unassigned ones stand first, not %s", name)
		}
	}
	if got := row(t, monday, "Grace Hopper"); number(t, got[1]) == 0 {
		t.Errorf("Grace has no active tickets: %v", got)
	}
	if rows := row(t, monday, "311"); !strings.Contains(rows[1], "room 311") {
		t.Errorf("a ticket closed though the customer spoke last is not listed: %v", rows)
	}
}

// A mail dated 2038 must not make every other ticket look old, and a person has to know of it.
func TestMessagesFromTheFuture(t *testing.T) {
	late := ticket(2, epoch.AddDate(16, 0, 0), 1, "open")
	c, rep, _ := dryRun(t, newMemory([]*sources.Ticket{ticket(1, epoch, 3, "open"), late}), options(), account())
	monday := byID(t, parse(t, pageOf(t, c, rep)), "monday")
	if !strings.Contains(text(monday), "1 ticket has a message dated later than this dry run") {
		t.Error("the ticket from the future is not mentioned")
	}
	if got := row(t, monday, "1tickets.csv:2"); !strings.Contains(got[5], "under a day") {
		t.Errorf("the newest real ticket is %s old", got[5])
	}
}

func TestWhatBecomesOfEachValue(t *testing.T) {
	c, rep, _ := dryRun(t, job(), options(), account())
	maps := byID(t, parse(t, pageOf(t, c, rep)), "maps")
	for from, want := range map[string][2]string{ // to, how many
		"on hold":               {"unmapped closed", "1"},
		"trash":                 {"left out: status trash", "1"},
		"open":                  {"active", "9"},
		"Tier 2":                {"the assignee goes before it", "1"},
		"nobody@legacy.example": {"unmapped nobody: unassigned", "1"},
		"gone@legacy.example":   {"nobody: unassigned (has left)", "1"},
		"junk":                  {"no tag", "1"},
		"vip":                   {"vip", "1"},
		"printer":               {"hardware", "51"},
		"fax":                   {"unmapped email", "1"},
		"1":                     {"High", "1"},
		"Enormous":              {"unmapped nothing", "1"},
	} {
		got := row(t, maps, from)
		if got[1] != want[0] || got[2] != want[1] {
			t.Errorf("%s: %q, want %q", from, got[1:], want)
		}
	}
	for _, table := range find(maps, tagged("table")) {
		mapped := false
		for _, tr := range find(find(table, tagged("tbody"))[0], tagged("tr")) {
			open := strings.Contains(text(tr), "unmapped")
			if open && mapped {
				t.Errorf("an unmapped row stands below a mapped one: %s", text(tr))
			}
			mapped = mapped || !open
		}
	}
	statuses := 0
	for _, tr := range find(find(find(maps, tagged("table"))[0], tagged("tbody"))[0], tagged("tr")) {
		statuses += number(t, text(find(tr, func(n *html.Node) bool { return hasClass(n, "num") })[0]))
	}
	if readable := rep.Totals.Tickets - 1; statuses != readable {
		t.Errorf("the statuses add up to %d of %d tickets that could be read", statuses, readable)
	}
}

// authors is what the table of authors says of one.
func authors(t *testing.T, doc *html.Node, name string) string {
	t.Helper()
	for _, h := range find(doc, tagged("h3")) {
		if strings.HasPrefix(text(h), "Authors of replies") {
			return row(t, h.Parent, name)[1]
		}
	}
	t.Fatal("there is no table of authors")
	return ""
}

// Everybody who wrote for the team is named with the user who stands for them, and so are customers whose private
// remarks become notes.
func TestWhoWritesForWhom(t *testing.T) {
	o := options()
	o.MailboxAddresses = []string{"help@support.example"}
	by := func(id int, who sources.Person, private bool) *sources.Ticket {
		x := ticket(id, epoch, 2, "solved")
		x.Messages[1].Author, x.Messages[1].Private = who, private
		if private {
			x.Messages[1].Kind = "note"
		}
		return x
	}
	src := func() *memory {
		return newMemory([]*sources.Ticket{
			by(1, sources.Person{Email: "Grace@Support.example"}, false), by(2, sources.Person{Email: "old@legacy.example"}, false),
			by(3, sources.Person{Email: "gone@legacy.example"}, false), by(4, sources.Person{Email: "nobody@legacy.example"}, false),
			by(5, sources.Person{Email: "visitor@customers.example"}, true), by(6, sources.Person{Email: "help@support.example"}, false),
			by(7, sources.Person{}, false),
		})
	}
	const top, unasked = ", with the author's name at the top of the text", " (the account was not asked)"
	for _, x := range []struct {
		target mapping.Target
		want   map[string]string
	}{
		{account(), map[string]string{
			"grace@": "Grace Hopper", "old@": "Grace Hopper", "gone@": "Ada Lovelace" + top + " (has left)", "nobody@": "unmapped Ada Lovelace" + top,
			"visitor@": "Ada Lovelace" + top, "help@": "Ada Lovelace", "(nobody)": "Ada Lovelace",
		}},
		{mapping.Target{}, map[string]string{
			"grace@": "a user of the same address" + unasked, "old@": "grace@support.example" + unasked, "gone@": "ada@support.example" + top + " (has left)",
			"nobody@": "a user of the same address" + unasked, "visitor@": "ada@support.example" + top, "help@": "ada@support.example", "(nobody)": "ada@support.example",
		}},
	} {
		c, rep, _ := dryRun(t, src(), o, x.target)
		doc := parse(t, pageOf(t, c, rep))
		for from, want := range x.want {
			if got := authors(t, doc, from); got != want {
				t.Errorf("bound %v, %s: %q, want %q", x.target.Bound, from, got, want)
			}
		}
	}
}

func TestLossesAndFindings(t *testing.T) {
	c, rep, _ := dryRun(t, job(), options(), account())
	doc := parse(t, pageOf(t, c, rep))
	losses := byID(t, doc, "losses")
	for _, want := range []struct{ name, n, where string }{
		{"CSAT", "40 of 50", "undecided"},
		{"SLA breach", "7 of 50", "ignored by name"},
		{"Priority", "1", "custom field"},
		{"Legacy ticket numbers", "51", "a note"},
		{"Attachments without content", "1", "named in a note"},
		{"Records left out by rule: after cut-over", "2", "left out"},
	} {
		if got := row(t, losses, want.name); got[2] != want.n || !strings.Contains(got[3], want.where) {
			t.Errorf("%s: %q", want.name, got)
		}
	}
	if strings.Contains(text(losses), "void") {
		t.Error("an empty column is no loss")
	}
	found := map[string]int{}
	for _, g := range rep.Findings.Groups() {
		found[g.Code] += g.N
	}
	groups := find(byID(t, doc, "findings"), func(n *html.Node) bool { return hasClass(n, "finding") })
	for _, g := range groups {
		code := text(find(g, tagged("code"))[0])
		n := number(t, text(find(g, func(n *html.Node) bool { return hasClass(n, "n") })[0]))
		if n != found[code] {
			t.Errorf("%s: the page says %d, the report %d", code, n, found[code])
		}
		if meaning := mapping.Meaning(code); meaning != "" && !strings.Contains(text(g), meaning) {
			t.Errorf("%s is not explained", code)
		}
		delete(found, code)
	}
	if len(found) > 0 {
		t.Errorf("not on the page: %v", found)
	}
	links := 0
	for _, a := range find(doc, tagged("a")) {
		if href := attr(a, "href"); !strings.HasPrefix(href, "#") {
			t.Errorf("a link leads away: %s", href)
		} else {
			byID(t, doc, href[1:])
			links++
		}
	}
	if links < 15 {
		t.Errorf("only %d links: examples lead to their previews", links)
	}
}

func TestVerdicts(t *testing.T) {
	fine := newMemory([]*sources.Ticket{ticket(1, epoch, 2, "solved")})
	fine.ledger.Records = sources.RecordLedger{Found: 2, Messages: 2, Tickets: 1}
	fine.ledger.Refused, fine.ledger.Files = nil, nil
	undecided := options()
	undecided.DefaultStatus = ""
	for _, x := range []struct {
		name, class, want string
		src               *memory
		o                 mapping.Options
	}{
		{"all is well", "good", "All 1 ticket would arrive", fine, options()},
		{"some are refused", "warn", "51 of 53 tickets would arrive, 2 would not", job(), options()},
		{"a status is not mapped", "bad", "The import will not start: 1 question has to be answered first", job(), undecided},
	} {
		t.Run(x.name, func(t *testing.T) {
			c, rep, _ := dryRun(t, x.src, x.o, account())
			v := byID(t, parse(t, pageOf(t, c, rep)), "verdict")
			if got := text(find(v, tagged("h2"))[0]); got != x.want || !hasClass(v, x.class) {
				t.Errorf("%q (%s), want %q (%s)", got, attr(v, "class"), x.want, x.class)
			}
			if !strings.Contains(text(v), "0 records unexplained") {
				t.Errorf("the sums are not mentioned: %s", text(v))
			}
		})
	}
}

func TestTheSameInputGivesTheSamePage(t *testing.T) {
	first := ""
	for range 3 {
		c, rep, _ := dryRun(t, job(), options(), account())
		got := pageOf(t, c, rep)
		if first == "" {
			first = got
		}
		if got != first {
			t.Fatal("two dry runs of one input made two pages")
		}
		if again := pageOf(t, c, rep); again != first {
			t.Fatal("the page changes when it is written twice")
		}
	}
}

func TestTimeTable(t *testing.T) {
	c, rep, _ := dryRun(t, job(), options(), account())
	section := byID(t, parse(t, pageOf(t, c, rep)), "time")
	tables := find(section, tagged("table"))
	if len(tables) != 2 {
		t.Fatalf("%d tables: cost is stated twice where attachments may not fit", len(tables))
	}
	// Two parts hold an attachment each way: a thread list (1) and an upload (2) for each of two files of one part.
	for i, units := range []int{rep.Totals.Units, rep.Totals.Units + 1 + 2*rep.Totals.Inline} {
		if got := number(t, text(find(tables[i], tagged("caption"))[0])); got != units {
			t.Errorf("table %d is about %d units, want %d", i, got, units)
		}
		for _, share := range []float64{1, 0.8, 0.5} {
			for _, tr := range find(find(tables[i], tagged("tbody"))[0], tagged("tr")) {
				if !strings.HasPrefix(text(tr), importer.Percent(share).String()) {
					continue
				}
				if configured := strings.Contains(text(tr), "configured"); configured != (share == 0.8) {
					t.Errorf("%v: configured is %v", share, configured)
				}
				for j, td := range find(tr, tagged("td")) {
					d := importer.Duration(units, []int{200, 400, 800}[j], share)
					if attr(td, "data-s") != fmt.Sprint(int(d/time.Second)) || !strings.Contains(text(td), began.Add(d).Format("Mon 2 Jan 15:04")) {
						t.Errorf("%v of plan %d: %s, want %v", share, j, text(td), d)
					}
				}
			}
		}
	}
}

func TestWithoutTheAccount(t *testing.T) {
	o := options()
	src := job()
	c := NewCollector(Options{Mapping: o, Now: began, Newest: Newest(src, began), Offline: "no credentials"})
	_, rep, _ := dryRun(t, src, o, mapping.Target{})
	for i := range src.Len() {
		if tk, err := src.Ticket(t.Context(), i); err == nil {
			m, _ := mapping.New(o, mapping.Target{})
			c.See(importer.Seen{Ticket: tk, Plan: m.Map(tk)})
		}
	}
	doc := parse(t, pageOf(t, c, rep))
	if !strings.Contains(text(doc), "The account was not asked: no credentials.") {
		t.Error("the page does not say that the account was not asked")
	}
	if got := row(t, byID(t, doc, "maps"), "grace@support.example"); !strings.Contains(got[1], "the account was not asked") {
		t.Errorf("what was not checked looks as if it had been: %v", got)
	}
	if !strings.Contains(text(doc), "The breakdowns below cover 53 of 54 tickets") {
		t.Error("a page about fewer tickets than were planned must say so")
	}
}

// A ticket that is refused has a preview too: why, and what the source has of it; the list of the refused leads there.
func TestRefusedTicketsAreShown(t *testing.T) {
	src := job()
	c, rep, _ := dryRun(t, src, options(), account())
	doc := parse(t, pageOf(t, c, rep))
	link := find(byID(t, doc, "refused"), func(n *html.Node) bool { return n.Data == "a" && text(n) == "309" })
	if len(link) != 1 {
		t.Fatal("nothing leads to what is known of ticket 309")
	}
	shown := byID(t, doc, strings.TrimPrefix(attr(link[0], "href"), "#"))
	for _, want := range []string{"309", "Does not come along: ", "The printer of room 309", "c29@customers.example", "as the source has it"} {
		if !strings.Contains(text(shown), want) {
			t.Errorf("%q is not in %s", want, text(shown))
		}
	}
	if frames := find(shown, tagged("iframe")); len(frames) != 2 || !strings.Contains(attr(frames[0], "srcdoc"), "message 1 of ticket 309") {
		t.Errorf("%d messages are shown", len(frames))
	}
}
