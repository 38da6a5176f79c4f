package sandbox

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"time"
	"unique"
)

// world is the account: every entity and the indexes over them. All of it is guarded by mu; texts are shared.
type world struct {
	mu   sync.RWMutex
	seed uint64

	conversations map[int64]*conversation
	numbered      []*conversation // by number, which is the order of creation
	byCreated     ordered
	byModified    ordered
	byCustomer    map[int64][]*conversation // by primary customer, in order of creation
	byTag         map[*tag]int              // conversations that carry it
	counts        map[bucket]int            // live conversations

	customers map[int64]*customer
	people    []*customer            // in order of creation
	byEmail   map[string][]*customer // by folded address; more than one after a race

	attachments map[int64]*attachment
	blobs       map[[32]byte][]byte

	mailboxes []*Mailbox
	users     []*User
	ownerID   int64 // of the tokens; 0: see owner
	teams     []*Team
	tags      []*tag
	tagNames  map[string]*tag
	workflows []*Workflow
	webhooks  []*webhook

	serial  [serials]int64 // how many ids of each kind were given out
	created int            // create calls that were applied
	mails   []Mail         // what the service would have sent to people
}

// bucket is what the plain list counts by without looking at conversations.
type bucket struct {
	mailbox int64
	status  string
}

// Kinds of ids.
const (
	idConversation = iota
	idNumber
	idThread
	idCustomer
	idEntry // addresses, phones and the like of customers
	idAttachment
	idTag
	idWebhook
	idWorkflow
	serials
)

// idBase makes ids look like those of a grown account; the steps leave gaps, as other accounts take ids too.
var idBase = [serials]struct{ base, step int64 }{
	idConversation: {2_900_000_000, 7}, idNumber: {48_000, 2}, idThread: {8_100_000_000, 9}, idCustomer: {610_000_000, 5},
	idEntry: {720_000_000, 3}, idAttachment: {540_000_000, 4}, idTag: {5_200_000, 6}, idWebhook: {91_000, 3}, idWorkflow: {1_260_000, 8},
}

// nextID gives out the next id of a kind. They depend on the seed and the order alone.
func (w *world) nextID(kind int) int64 {
	w.serial[kind]++
	n, b := w.serial[kind], idBase[kind]
	if kind == idNumber && n == 1 {
		return b.base + 1
	}
	return b.base + n*b.step - int64(mix(w.seed, uint64(kind), uint64(n))%uint64(b.step))
}

// mix is a fixed pseudo-random function of its arguments.
func mix(words ...uint64) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, w := range words {
		h ^= w + 0x9e3779b97f4a7c15 + h<<6 + h>>2
		h ^= h >> 30
		h *= 0xbf58476d1ce4e5b9
		h ^= h >> 27
		h *= 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// conversation as the service holds it. Moments are unix seconds, but for those of the real clock in nanoseconds.
type conversation struct {
	id, number                     int64
	typ, status, state, subject    string
	mailbox                        *Mailbox
	customer                       *customer
	assignee                       int64 // user or team; 0 is nobody
	by                             author
	created, modified, userUpdated int64
	closed                         int64 // 0 while it is open
	closedBy                       int64
	appeared, vanished             int64 // real clock: when it came to be; when it was deleted or merged
	merged                         *conversation
	imported, deleted              bool
	serial                         int // the how-manieth create call made it; 0: none did
	sourceType, sourceVia          string
	tags                           []*tag
	fields                         []FieldValue
	cc, bcc                        []string
	threads                        []*thread // in order of arrival
	lineItems                      int
	snoozedUntil, snoozedBy        int64
	unsnoozeOnReply                bool
	past                           *past // what the index still shows
}

// past is what a conversation looked like before its last changes, for as long as the index lags behind them.
type past struct {
	until    int64 // real clock, nanoseconds: the change
	status   string
	subject  string
	mailbox  *Mailbox
	customer *customer
	tags     []*tag
	before   *past
}

// author is a user or a customer.
type author struct {
	user     int64
	customer *customer
}

// thread as the service holds it.
type thread struct {
	id                    int64
	typ, status, state    string
	item                  string // what a line item says
	text                  unique.Handle[string]
	original              string // text before it was edited
	sourceType, sourceVia string
	customer              *customer
	by                    author
	assignee              int64
	to, cc, bcc           []string
	created               int64
	appeared              int64 // real clock, nanoseconds
	imported              bool
	files                 []*attachment
}

// attachment is a file of a thread; its bytes are in the blobs, by digest.
type attachment struct {
	id     int64
	name   string
	mime   string
	size   int64
	digest [32]byte
	conv   *conversation
	thread *thread
}

// tag is a label; the account holds each once.
type tag struct {
	id               int64
	name             string
	color            string
	created, updated int64
}

// visible threads are what the thread count and the limits count.
func (c *conversation) visible() int { return len(c.threads) - c.lineItems }

// gone says that reads no longer find it under its own id.
func (c *conversation) gone() bool { return c.vanished != 0 }

// listed says that the account's lists hold it.
func (c *conversation) listed() bool { return c.vanished == 0 && c.state != "draft" }

// remember keeps what the indexes show until they have caught up.
func (w *world) remember(c *conversation, now time.Time, lag time.Duration) {
	if lag <= 0 {
		c.past = nil
		return
	}
	floor := now.Add(-lag).UnixNano()
	for p := &c.past; *p != nil; p = &(*p).before {
		if (*p).until <= floor {
			*p = nil
			break
		}
	}
	c.past = &past{
		until: now.UnixNano(), status: c.status, subject: c.subject, mailbox: c.mailbox, customer: c.customer,
		tags: c.tags, before: c.past,
	}
}

// add files a new conversation in all indexes.
func (w *world) add(c *conversation) {
	w.conversations[c.id] = c
	w.numbered = append(w.numbered, c)
	w.byCreated.insert(c)
	w.byModified.insert(c)
	w.byCustomer[c.customer.id] = append(w.byCustomer[c.customer.id], c)
	w.count(c, 1)
}

// count keeps the sums of live conversations; call it with -1 before and +1 after a change of mailbox, status or tags.
func (w *world) count(c *conversation, by int) {
	if c.listed() {
		w.counts[bucket{c.mailbox.ID, c.status}] += by
		for _, t := range c.tags {
			w.byTag[t] += by
		}
	}
}

// touch moves the change times of a conversation, which is never backwards.
func (w *world) touch(c *conversation, at int64) {
	if at > c.modified {
		w.byModified.remove(c)
		c.modified = at
		w.byModified.insert(c)
	}
	c.userUpdated = max(c.userUpdated, at)
}

// byNumber finds a conversation by its number, or nil.
func (w *world) byNumber(number int64) *conversation {
	i, found := slices.BinarySearchFunc(w.numbered, number, func(c *conversation, n int64) int { return cmp.Compare(c.number, n) })
	if !found {
		return nil
	}
	return w.numbered[i]
}

// tag finds or makes the tag of a name. Tags come into being by use.
func (w *world) tag(name string, now int64, fold bool) *tag {
	if fold {
		name = strings.ToLower(name)
	}
	if t := w.tagNames[name]; t != nil {
		return t
	}
	t := &tag{id: w.nextID(idTag), name: strings.Clone(name), color: "#A5B2BD", created: now, updated: now}
	w.tags = append(w.tags, t)
	w.tagNames[t.name] = t
	return t
}

// tagSet turns names into tags without repeats, in the order of their ids: the order that was sent is not kept.
func (w *world) tagSet(names []string, now int64, fold bool) []*tag {
	set := make([]*tag, 0, len(names))
	for _, name := range names {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if t := w.tag(name, now, fold); !slices.Contains(set, t) {
			set = append(set, t)
		}
	}
	slices.SortFunc(set, func(a, b *tag) int { return cmp.Compare(a.id, b.id) })
	return set
}

// uuid is a stable name made of a seed and a number.
func uuid(seed, n uint64) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], mix(seed, n, 1))
	binary.BigEndian.PutUint64(b[8:], mix(seed, n, 2))
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	const hex = "0123456789abcdef"
	out := make([]byte, 0, 36)
	for i, x := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out = append(out, '-')
		}
		out = append(out, hex[x>>4], hex[x&15])
	}
	return string(out)
}

// user finds an agent or a team by id, or nil. Deleted ones are not found.
func (w *world) user(id int64) *User {
	for _, u := range w.users {
		if u.ID == id {
			return u
		}
	}
	return nil
}

func (w *world) team(id int64) *Team {
	for _, t := range w.teams {
		if t.ID == id {
			return t
		}
	}
	return nil
}

func (w *world) mailbox(id int64) *Mailbox {
	for _, m := range w.mailboxes {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// owner is the user whom tokens speak for: the one the seed names, else the first with that role, else the first.
func (w *world) owner() *User {
	if u := w.user(w.ownerID); u != nil {
		return u
	}
	for _, u := range w.users {
		if u.Role == "owner" {
			return u
		}
	}
	return w.users[0]
}
