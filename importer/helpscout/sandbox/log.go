package sandbox

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
	"unique"

	"github.com/gofrs/flock"
)

// stateLog keeps an account in a file of JSON lines: the seed, then each entity as it is after each change. The last
// line about an entity holds. A line that was not finished when the process died is cut off at the next start. Two
// sandboxes on one file would each cut off and contradict the other's lines, so the first one locks it.
type stateLog struct {
	lock *flock.Flock // of the file beside it with the suffix .lock, which stays
	mu   sync.Mutex
	f    *os.File
	seed Seed
	err  error // the first one; told by Close
}

// record is one line. T is seed, conversation, thread, customer, tag, workflow, webhook or blob.
type record struct {
	T    string          `json:"t"`
	Conv int64           `json:"conversation,omitempty"` // of a thread
	Gone bool            `json:"gone,omitempty"`         // of a webhook
	V    json.RawMessage `json:"v"`
}

type tagRecord struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	Created int64  `json:"created"`
}

type blobRecord struct {
	SHA256 string `json:"sha256"`
	Data   []byte `json:"data"`
}

type webhookRecord struct {
	webhook
	Secret string `json:"secret"`
}

// openLog continues the account of a log, or begins one.
func (s *Sandbox) openLog(path string) error {
	lock := flock.New(path + ".lock")
	if got, err := lock.TryLock(); err != nil {
		return fmt.Errorf("lock sandbox log %s: make its folder writable: %w", path, err)
	} else if !got {
		_ = lock.Close() // nothing is held
		return fmt.Errorf("sandbox log %s: in use by another sandbox; end that one, or name another file", path)
	}
	if err := s.continueLog(path); err != nil {
		return errors.Join(err, lock.Close())
	}
	s.log.lock = lock
	return nil
}

// continueLog replays a log that is locked and makes ready to write at its end.
func (s *Sandbox) continueLog(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open sandbox log: %w", err)
	}
	fresh, end, err := s.readLog(f)
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return fmt.Errorf("sandbox log %s: %w", path, err)
	}
	l := &stateLog{f: f, seed: s.opts.Seed.whole()}
	if fresh {
		l.write(record{T: "seed"}, l.seed)
	}
	if l.err != nil {
		return errors.Join(l.err, f.Close())
	}
	s.log = l
	return nil
}

// readLog replays the file and returns where its last whole line ends.
func (s *Sandbox) readLog(f *os.File) (fresh bool, end int64, err error) {
	r := bufio.NewReaderSize(f, 1<<20)
	line := 0
	for {
		raw, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			s.now.Load().world.settle(s.set.Load())
			return line == 0, end, nil
		}
		if err != nil {
			return false, end, err
		}
		line++
		var rec record
		if err := json.Unmarshal(raw, &rec); err != nil {
			return false, end, fmt.Errorf("line %d: %w; it is no sandbox log, or damaged", line, err)
		}
		if line == 1 {
			if err := s.adoptSeed(rec); err != nil {
				return false, end, err
			}
		} else if err := s.now.Load().world.restore(rec); err != nil {
			return false, end, fmt.Errorf("line %d: %w", line, err)
		}
		end += int64(len(raw))
	}
}

// adoptSeed takes the account of the log; another one that was asked for is refused.
func (s *Sandbox) adoptSeed(rec record) error {
	var seed Seed
	if rec.T != "seed" {
		return errors.New("line 1: not the seed of an account; it is no sandbox log")
	}
	if err := json.Unmarshal(rec.V, &seed); err != nil {
		return fmt.Errorf("line 1: %w", err)
	}
	asked := s.opts.Seed
	if asked.Users == nil && asked.Mailboxes == nil {
		number := asked.Number // the log knows the rest
		asked = seed
		asked.Number = cmp.Or(number, seed.Number)
	}
	if !bytes.Equal(encode(asked.whole()), encode(seed)) {
		return errors.New("it holds the account of another seed; name another file or leave the seed out")
	}
	s.opts.Seed = seed
	return s.begin(s.opts.Faults)
}

func (l *stateLog) write(rec record, v any) {
	if l == nil {
		return
	}
	rec.V = encode(v)
	raw := encode(rec)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	if _, err := l.f.Write(append(raw, '\n')); err != nil {
		l.err = fmt.Errorf("write sandbox log: %w", err)
	}
}

func (l *stateLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.err, l.f.Close(), l.lock.Close())
}

// restart empties the log for an account that begins anew.
func (l *stateLog) restart() error {
	l.mu.Lock()
	err := l.f.Truncate(0)
	if err == nil {
		_, err = l.f.Seek(0, io.SeekStart)
	}
	l.mu.Unlock()
	if err != nil {
		return fmt.Errorf("empty sandbox log: %w", err)
	}
	l.write(record{T: "seed"}, l.seed)
	return nil
}

// The saves write what a call has changed. The account is locked, so that lines are in the order of the changes.

func (c *call) saveConversation(conv *conversation, threads []*thread) {
	if c.log == nil {
		return
	}
	for _, t := range conv.tags {
		c.log.write(record{T: "tag"}, tagRecord{t.id, t.name, t.created})
	}
	c.log.write(record{T: "conversation"}, conv.dump())
	for _, t := range threads {
		c.log.write(record{T: "thread", Conv: conv.id}, t.dump())
	}
}

func (c *call) saveCustomer(p *customer) {
	if c.log != nil {
		c.log.write(record{T: "customer"}, p.dump())
	}
}

func (c *call) saveBlob(sum [32]byte, data []byte) {
	if c.log != nil {
		c.log.write(record{T: "blob"}, blobRecord{hex.EncodeToString(sum[:]), data})
	}
}

func (c *call) saveWorkflow(f *Workflow) {
	if c.log != nil {
		c.log.write(record{T: "workflow"}, f)
	}
}

func (c *call) saveWebhook(h *webhook, gone bool) {
	if c.log != nil {
		c.log.write(record{T: "webhook", Gone: gone}, webhookRecord{*h, h.secret})
	}
}

// restore replays one record into the account.
func (w *world) restore(rec record) error {
	switch rec.T {
	case "conversation":
		return load(rec.V, w.restoreConversation)
	case "thread":
		return load(rec.V, func(d Thread) error { return w.restoreThread(rec.Conv, d) })
	case "customer":
		return load(rec.V, w.restoreCustomer)
	case "tag":
		return load(rec.V, func(d tagRecord) error {
			if w.tagNames[d.Name] == nil {
				t := &tag{id: d.ID, name: d.Name, color: "#A5B2BD", created: d.Created, updated: d.Created}
				w.tags, w.tagNames[d.Name] = append(w.tags, t), t
			}
			return nil
		})
	case "workflow":
		return load(rec.V, func(d Workflow) error {
			d.created, d.modified = founded, founded
			if f := w.workflow(d.ID); f != nil {
				*f = d
			} else {
				w.workflows = append(w.workflows, &d)
			}
			return nil
		})
	case "webhook":
		return load(rec.V, func(d webhookRecord) error { return w.restoreWebhook(d, rec.Gone) })
	case "blob":
		return load(rec.V, func(d blobRecord) error {
			sum, err := digest(d.SHA256)
			w.blobs[sum] = d.Data
			return err
		})
	}
	return fmt.Errorf("unknown kind of record %q; it was written by a newer version", rec.T)
}

func load[T any](raw json.RawMessage, keep func(T) error) error {
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	return keep(v)
}

func digest(text string) (sum [32]byte, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(sum) {
		return sum, fmt.Errorf("%q is no SHA-256", text)
	}
	return [32]byte(raw), nil
}

func (w *world) restoreWebhook(d webhookRecord, gone bool) error {
	h := d.webhook
	h.secret = d.Secret
	for i, old := range w.webhooks {
		if old.ID == h.ID {
			w.webhooks = append(w.webhooks[:i:i], w.webhooks[i+1:]...)
			break
		}
	}
	if !gone {
		w.webhooks = append(w.webhooks, &h)
	}
	return nil
}

func (w *world) restoreCustomer(d Customer) error {
	list := func(entries []Entry) (out []entry) {
		for _, e := range entries {
			out = append(out, entry{e.ID, e.Value, e.Type})
		}
		return out
	}
	p := w.customers[d.ID]
	if p == nil {
		p = &customer{id: d.ID}
		w.customers[d.ID] = p
		w.people = append(w.people, p)
	}
	*p = customer{
		id: d.ID, first: d.FirstName, last: d.LastName, gender: d.Gender, jobTitle: d.JobTitle, location: d.Location,
		organization: d.Organization, organizationID: d.OrganizationID, background: d.Background, age: d.Age, photoType: d.PhotoType, photoURL: d.PhotoURL,
		emails: list(d.Emails), phones: list(d.Phones), chats: list(d.Chats), social: list(d.Social), websites: list(d.Websites),
		address: d.Address, properties: d.Properties, created: d.CreatedAt.Unix(), updated: d.UpdatedAt.Unix(),
		appeared: d.CreatedAt.UnixNano(), deleted: d.Deleted,
	}
	return nil
}

func (w *world) restoreConversation(d Conversation) error {
	p, m := w.customers[d.CustomerID], w.mailbox(d.MailboxID)
	if p == nil || m == nil {
		return fmt.Errorf("conversation %d: no customer %d or mailbox %d", d.ID, d.CustomerID, d.MailboxID)
	}
	conv := w.conversations[d.ID]
	if conv == nil {
		conv = &conversation{id: d.ID}
		w.conversations[d.ID] = conv
		w.numbered = append(w.numbered, conv)
	}
	threads, items := conv.threads, conv.lineItems
	*conv = conversation{
		id: d.ID, number: d.Number, serial: d.Creation, typ: d.Type, status: d.Status, state: d.State, subject: d.Subject, mailbox: m,
		customer: p, assignee: d.AssigneeID, by: w.author(d.ByUser, d.ByCustomer), created: d.CreatedAt.Unix(), closed: unixOf(d.ClosedAt),
		closedBy: d.ClosedBy, modified: d.ModifiedAt.Unix(), userUpdated: d.UpdatedAt.Unix(), appeared: d.AppearedAt.UnixNano(),
		vanished: nanosOf(d.VanishedAt), deleted: d.Deleted, imported: d.Imported, sourceType: d.SourceType, sourceVia: d.SourceVia,
		fields: d.Fields, cc: d.Cc, bcc: d.Bcc, snoozedUntil: unixOf(d.SnoozedTo), snoozedBy: d.SnoozedBy, merged: w.conversations[d.MergedInto],
		threads: threads, lineItems: items,
	}
	if conv.merged != nil {
		conv.threads, conv.lineItems = nil, 0 // they are the other's now
	}
	for _, name := range d.Tags {
		conv.tags = append(conv.tags, w.tag(name, conv.created, false))
	}
	return nil
}

func (w *world) author(user, who int64) author { return author{user: user, customer: w.customers[who]} }

func unixOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func nanosOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func (w *world) restoreThread(id int64, d Thread) error {
	conv, p := w.conversations[id], w.customers[d.CustomerID]
	if conv == nil || p == nil {
		return fmt.Errorf("thread %d: no conversation %d or customer %d", d.ID, id, d.CustomerID)
	}
	t := conv.thread(d.ID)
	if t == nil {
		t = &thread{id: d.ID}
		conv.threads = append(conv.threads, t)
		if d.Type == "lineitem" {
			conv.lineItems++
		}
	}
	for _, a := range t.files {
		delete(w.attachments, a.id)
	}
	*t = thread{
		id: d.ID, typ: d.Type, status: d.Status, state: d.State, item: d.Action, text: unique.Make(d.Text),
		original: d.Original, sourceType: d.SourceType, sourceVia: d.SourceVia, customer: p, by: w.author(d.ByUser, d.ByCustomer),
		assignee: d.AssigneeID, to: d.To, cc: d.Cc, bcc: d.Bcc, created: d.CreatedAt.Unix(), appeared: d.AppearedAt.UnixNano(), imported: d.Imported,
	}
	for _, f := range d.Attachments {
		sum, err := digest(f.SHA256)
		if err != nil {
			return fmt.Errorf("attachment %d: %w", f.ID, err)
		}
		a := &attachment{id: f.ID, name: f.Name, mime: f.MIME, size: f.Size, digest: sum, conv: conv, thread: t}
		t.files = append(t.files, a)
		w.attachments[a.id] = a
	}
	return nil
}

// settle builds the indexes after a replay, and lets ids go on where they were.
func (w *world) settle(s *Settings) {
	var last [serials]int64
	see := func(kind int, id int64) { last[kind] = max(last[kind], id) }
	for _, conv := range w.numbered {
		see(idConversation, conv.id)
		see(idNumber, conv.number)
		w.created = max(w.created, conv.serial)
		for _, t := range conv.threads {
			see(idThread, t.id)
		}
		if conv.gone() {
			continue
		}
		w.byCreated.insert(conv)
		w.byModified.insert(conv)
		w.byCustomer[conv.customer.id] = append(w.byCustomer[conv.customer.id], conv)
		w.count(conv, 1)
	}
	w.settlePeople(see, s)
	for id := range w.attachments {
		see(idAttachment, id)
	}
	for _, t := range w.tags {
		see(idTag, t.id)
	}
	for _, h := range w.webhooks {
		see(idWebhook, h.ID)
	}
	for _, f := range w.workflows {
		see(idWorkflow, f.ID)
	}
	for kind, id := range last {
		if b := idBase[kind]; id > b.base {
			w.serial[kind] = max(w.serial[kind], (id-b.base+b.step-1)/b.step)
		}
	}
}

func (w *world) settlePeople(see func(kind int, id int64), s *Settings) {
	for _, p := range w.people {
		see(idCustomer, p.id)
		for _, set := range customerParts {
			for _, e := range *set.of(p) {
				see(idEntry, e.id)
			}
		}
		for _, e := range p.emails {
			if !p.deleted {
				w.linkEmail(p, e.value, s)
			}
		}
	}
}
