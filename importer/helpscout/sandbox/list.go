package sandbox

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// filter is what a list request asks for.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/list
type filter struct {
	status    string // "all", or one
	mailboxes []int64
	folder    int64
	tags      []string // any of them
	assigned  int64
	since     int64 // modifiedSince; 0: none
	number    int64
	query     *query
	fields    []FieldValue // all of them
	sort      string
	desc      bool
	horizon   int64 // real clock: what changed later is not yet seen
	none      bool  // a query that cannot be read, with bad-query=empty
}

// sortFields of the list, in the spelling of the page; compared without case.
var sortFields = []string{
	"createdAt", "customerEmail", "customerName", "mailboxid", "modifiedAt", "number", "score", "status", "subject", "waitingSince",
}

// filter reads the parameters; what is wrong is left in the checker.
func (c *call) filter(defaultStatus string) (filter, *checker) {
	q := c.r.URL.Query()
	k := &checker{set: c.set, now: c.now.Unix()}
	f := filter{
		status: cmp.Or(q.Get("status"), defaultStatus), desc: true, sort: "createdat",
		folder: k.param("folder", q.Get("folder")), assigned: k.param("assigned_to", q.Get("assigned_to")), number: k.param("number", q.Get("number")),
	}
	if !slices.Contains([]string{"active", "all", "closed", "open", "pending", "spam"}, f.status) {
		k.problem("status", enum, "Expected one of these: 'active', 'all', 'closed', 'open', 'pending', 'spam'", f.status)
	}
	for _, m := range splitList(q["mailbox"]) {
		f.mailboxes = append(f.mailboxes, k.param("mailbox", m))
	}
	for _, t := range splitList(q["tag"]) {
		f.tags = append(f.tags, strings.ToLower(t))
	}
	if name := q.Get("sortField"); name != "" {
		f.sort = strings.ToLower(name)
		if !slices.ContainsFunc(sortFields, func(s string) bool { return strings.EqualFold(s, name) }) {
			k.problem("sortField", enum, "Expected one of these: '"+strings.Join(sortFields, "', '")+"'", name)
		}
	}
	switch strings.ToLower(q.Get("sortOrder")) {
	case "asc":
		f.desc = false
	case "", "desc":
	default:
		k.problem("sortOrder", enum, "Expected one of these: 'asc', 'desc'", q.Get("sortOrder"))
	}
	for _, pair := range splitList(q["customFieldsByIds"]) {
		id, value, _ := strings.Cut(pair, ":")
		f.fields = append(f.fields, FieldValue{k.param("customFieldsByIds", id), strings.ToLower(value)})
	}
	c.filterIndexed(&f, k, q.Get("query"), q.Get("modifiedSince"))
	return f, k
}

// filterIndexed reads the parameters that ask the search index, which lags more than the list.
func (c *call) filterIndexed(f *filter, k *checker, text, since string) {
	lag := c.set.ListLag
	if text != "" || since != "" {
		lag = c.set.IndexLag
	}
	f.horizon = math.MaxInt64
	if lag > 0 {
		f.horizon = c.now.Add(-lag).UnixNano()
	}
	if since != "" {
		t, err := time.Parse(timeLayout, since)
		if err != nil {
			k.problem("modifiedSince", dateForm, "Malformed date, expected format is yyyy-MM-dd'T'HH:mm:ss'Z'", since)
		}
		f.since = max(t.Unix(), 1)
	}
	if text == "" {
		return
	}
	var err error
	if f.query, err = parseQuery(text); err == nil {
		return
	}
	switch c.set.BadQuery {
	case "reject":
		k.problem("query", business, "Invalid query: "+err.Error(), text)
	case "empty":
		f.none = true
	}
}

// param reads a number of the query string.
func (k *checker) param(name, text string) int64 {
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		k.problem(name, badType, "must be a number", text)
	}
	return n
}

func splitList(values []string) []string {
	var out []string
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
	}
	return out
}

// plain says that counting does not need a look at each conversation.
func (f *filter) plain() bool {
	return f.query == nil && f.since == 0 && f.number == 0 && f.folder == 0 && f.assigned == 0 && len(f.tags) == 0 &&
		len(f.fields) == 0 && f.horizon == math.MaxInt64 && f.status != "open" && !f.none &&
		(f.sort == "createdat" || f.sort == "number" || f.sort == "modifiedat")
}

// keeps says that a conversation is in the list.
func (f *filter) keeps(conv *conversation, w *world) bool {
	v, ok := conv.asOf(f.horizon)
	switch {
	case !ok,
		len(f.mailboxes) > 0 && !slices.Contains(f.mailboxes, v.mailbox.ID),
		f.number != 0 && v.number != f.number,
		f.assigned != 0 && v.assignee != f.assigned,
		f.since != 0 && v.modified < f.since,
		f.folder != 0 && v.folder(w) != f.folder && v.mailbox.folders["mytickets"] != f.folder:
		return false
	case f.status == "open":
		if v.status == "closed" || v.status == "spam" {
			return false
		}
	case f.status != "all" && f.status != v.status:
		return false
	}
	if len(f.tags) > 0 && !slices.ContainsFunc(v.tags, func(t *tag) bool { return slices.Contains(f.tags, strings.ToLower(t.name)) }) {
		return false
	}
	for _, want := range f.fields {
		if !slices.ContainsFunc(conv.wireFields(), func(have wireField) bool {
			return have.ID == want.ID && (strings.EqualFold(have.Value, want.Value) || strings.EqualFold(have.Text, want.Value))
		}) {
			return false
		}
	}
	return f.query == nil || f.query.matches(&v, w)
}

// source is the smallest set of conversations that an index gives, and whether it is in the order of the list.
func (f *filter) source(w *world, s *Settings) (iter.Seq[*conversation], bool) {
	if f.none {
		return func(func(*conversation) bool) {}, true
	}
	number := f.number
	if from, to, ok := f.query.bounds("number"); ok && from == to {
		number = from
	}
	if number != 0 {
		if conv := w.byNumber(number); conv != nil {
			return slices.Values([]*conversation{conv}), true
		}
		return func(func(*conversation) bool) {}, true
	}
	if address, ok := f.query.exact("email"); ok && s.IndexLag == 0 && s.ListLag == 0 && s.EmailCase == "fold" {
		return f.ofAddress(w, address), false
	}
	if from, to, ok := f.query.bounds("createdat"); ok {
		return w.byCreated.within(from, to), f.sort == "createdat" && !f.desc
	}
	from, to, ok := f.query.bounds("modifiedat")
	if from = max(from, f.since); (ok || f.since != 0) && from > math.MinInt64 {
		return w.byModified.within(from, to), f.sort == "modifiedat" && !f.desc
	}
	switch f.sort {
	case "createdat":
		return w.byCreated.all(f.desc), true
	case "modifiedat":
		return w.byModified.all(f.desc), true
	case "number":
		return w.inOrder(f.desc), true
	}
	return w.inOrder(false), false
}

func (f *filter) ofAddress(w *world, address string) iter.Seq[*conversation] {
	return func(yield func(*conversation) bool) {
		for _, who := range w.byEmail[address] {
			for _, conv := range w.byCustomer[who.id] {
				if !yield(conv) {
					return
				}
			}
		}
	}
}

// inOrder yields conversations in the order of their numbers.
func (w *world) inOrder(desc bool) iter.Seq[*conversation] {
	if !desc {
		return slices.Values(w.numbered)
	}
	return func(yield func(*conversation) bool) {
		for _, conv := range slices.Backward(w.numbered) {
			if !yield(conv) {
				return
			}
		}
	}
}

// run finds one page. The account is locked.
func (f *filter) run(c *call, size int) ([]*conversation, paging) {
	w := c.world
	seq, sorted := f.source(w, c.set)
	if f.plain() {
		p := c.page(f.total(w), size)
		return f.slice(w, seq, p), p
	}
	var found []*conversation
	for conv := range seq {
		if f.keeps(conv, w) {
			found = append(found, conv)
		}
	}
	if !sorted {
		slices.SortStableFunc(found, f.compare)
	}
	p := c.page(len(found), size)
	return found[p.from:p.to], p
}

// total adds up the counters of what a plain list shows.
func (f *filter) total(w *world) int {
	n := 0
	for b, count := range w.counts {
		if (f.status == "all" || f.status == b.status) && (len(f.mailboxes) == 0 || slices.Contains(f.mailboxes, b.mailbox)) {
			n += count
		}
	}
	return n
}

// slice cuts a page out of a plain list.
func (f *filter) slice(w *world, seq iter.Seq[*conversation], p paging) []*conversation {
	page := make([]*conversation, 0, p.to-p.from)
	at := 0
	if p.from == p.to {
		return page
	}
	for conv := range seq {
		if !f.keeps(conv, w) {
			continue
		}
		if at >= p.from {
			page = append(page, conv)
		}
		if at++; at >= p.to {
			break
		}
	}
	return page
}

// compare orders by the sort field, then by number, both in the direction of the list.
func (f *filter) compare(a, b *conversation) int {
	d := 0
	switch f.sort {
	case "createdat":
		d = cmp.Compare(a.created, b.created)
	case "modifiedat":
		d = cmp.Compare(a.modified, b.modified)
	case "waitingsince":
		d = cmp.Compare(a.created, b.created)
	case "customeremail":
		d = cmp.Compare(strings.ToLower(a.customer.email()), strings.ToLower(b.customer.email()))
	case "customername":
		d = cmp.Compare(strings.ToLower(a.customer.first+" "+a.customer.last), strings.ToLower(b.customer.first+" "+b.customer.last))
	case "mailboxid":
		d = cmp.Compare(a.mailbox.ID, b.mailbox.ID)
	case "status":
		d = cmp.Compare(a.status, b.status)
	case "subject":
		d = cmp.Compare(strings.ToLower(a.subject), strings.ToLower(b.subject))
	}
	d = cmp.Or(d, cmp.Compare(a.number, b.number))
	if f.desc {
		return -d
	}
	return d
}

func (c *call) listConversations() reply { return c.list("active") }

func (c *call) list(defaultStatus string) reply {
	f, k := c.filter(defaultStatus)
	if len(k.errs) > 0 {
		for i := range k.errs {
			k.errs[i].Source = "QUERY"
		}
		return c.invalid(k.errs)
	}
	w := c.world
	w.mu.RLock()
	defer w.mu.RUnlock()
	found, p := f.run(c, c.set.PageSize)
	items := make([]wireConversation, 0, len(found))
	threads := c.embeds("threads")
	for _, conv := range found {
		items = append(items, c.wireConversation(conv, threads))
	}
	return p.reply("conversations", items, len(items))
}

// listV3 is GET /v3/conversations: like the list, but of every status unless one is asked for.
func (c *call) listV3() reply { return c.list("all") }

// searchV3 is GET /v3/conversations/search: the query alone, every status, newest id first; a bad query is a 400.
func (c *call) searchV3() reply {
	text := c.r.URL.Query().Get("query")
	k := &checker{set: c.set, now: c.now.Unix()}
	f := filter{status: "all", sort: "number", desc: true}
	strict := *c.set
	strict.BadQuery = "reject"
	c.set = &strict
	if c.filterIndexed(&f, k, text, ""); text == "" {
		k.problem("query", notEmpty, "may not be empty", nil)
	}
	if len(k.errs) > 0 {
		return c.invalid(k.errs)
	}
	w := c.world
	w.mu.RLock()
	defer w.mu.RUnlock()
	found, p := f.run(c, c.set.PageSize)
	items := make([]wireConversation, 0, len(found))
	for _, conv := range found {
		items = append(items, c.wireConversation(conv, false))
	}
	return p.reply("conversations", items, len(items))
}
