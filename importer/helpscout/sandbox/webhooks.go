package sandbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"
)

// webhook is a subscription. https://developer.helpscout.com/mailbox-api/endpoints/webhooks/get
type webhook struct {
	ID             int64    `json:"id"`
	URL            string   `json:"url"`
	State          string   `json:"state"`
	Events         []string `json:"events"`
	Notification   bool     `json:"notification"`
	PayloadVersion string   `json:"payloadVersion"`
	Label          string   `json:"label,omitempty"`
	MailboxIDs     []int64  `json:"mailboxIds,omitempty"`
	secret         string
}

// webhookEvents are those that can be subscribed to.
var webhookEvents = []string{
	"beacon.chat.created", "beacon.chat.customer.replied", "convo.agent.reply.created", "convo.assigned", "convo.created",
	"convo.custom-fields", "convo.customer.reply.created", "convo.deleted", "convo.merged", "convo.moved", "convo.note.created",
	"convo.status", "convo.tags", "customer.created", "customer.deleted", "customer.updated", "message.survey.response.received",
	"satisfaction.ratings", "tag.created", "tag.deleted", "tag.updated",
}

// Delivery is one webhook call that was made.
type Delivery struct {
	Time   time.Time `json:"time"`
	Event  string    `json:"event"`
	URL    string    `json:"url"`
	Status int       `json:"status"` // 0: no answer
	Error  string    `json:"error,omitempty"`
}

// courier delivers webhooks in their order, one at a time.
type courier struct {
	s       *Sandbox
	client  *http.Client
	mu      sync.Mutex
	queue   []parcel
	busy    bool
	done    []Delivery // the last of them
	dropped int
}

type parcel struct {
	url, event, secret string
	body               []byte
}

const maxQueue = 10_000

func newCourier(s *Sandbox) *courier {
	via := s.opts.Webhooks
	if via == nil {
		via = &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment}
	}
	return &courier{s: s, client: &http.Client{Timeout: 10 * time.Second, Transport: via}}
}

// tell puts an event on its way to all who listen. The account is locked.
func (c *call) tell(event string, who *customer, conv *conversation, imported bool) {
	if len(c.world.webhooks) == 0 || event == "" || imported && !c.set.WebhooksOnImported {
		return
	}
	var body []byte
	for _, h := range c.world.webhooks {
		if h.State != "enabled" || !slices.Contains(h.Events, event) ||
			conv != nil && len(h.MailboxIDs) > 0 && !slices.Contains(h.MailboxIDs, conv.mailbox.ID) {
			continue
		}
		if body == nil {
			if conv != nil {
				body = encode(c.wireConversation(conv, true))
			} else {
				body = encode(c.wireCustomerFull(who))
			}
		}
		c.hooks.send(parcel{h.URL, event, h.secret, body})
	}
}

func (k *courier) send(p parcel) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.queue) >= maxQueue {
		k.dropped++
		return
	}
	k.queue = append(k.queue, p)
	if !k.busy {
		k.busy = k.s.goes(k.run)
	}
}

func (k *courier) run() {
	for {
		k.mu.Lock()
		if len(k.queue) == 0 || k.s.ctx.Err() != nil {
			k.busy = false
			k.mu.Unlock()
			return
		}
		p := k.queue[0]
		k.queue = k.queue[1:]
		k.mu.Unlock()
		d := k.deliver(p)
		k.mu.Lock()
		if k.done = append(k.done, d); len(k.done) > 1000 {
			k.done = k.done[len(k.done)-500:]
		}
		k.mu.Unlock()
	}
}

// deliver posts one event: X-HelpScout-Event names it, X-HelpScout-Signature is the base64 of the HMAC-SHA1 of the
// body under the webhook's secret.
func (k *courier) deliver(p parcel) Delivery {
	d := Delivery{Time: time.Now().UTC(), Event: p.event, URL: p.url}
	req, err := http.NewRequestWithContext(k.s.ctx, http.MethodPost, p.url, bytes.NewReader(p.body))
	if err != nil {
		d.Error = err.Error()
		return d
	}
	mac := hmac.New(sha1.New, []byte(p.secret))
	mac.Write(p.body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Help Scout/Webhooks v2")
	req.Header["X-HelpScout-Event"] = []string{p.event}
	req.Header["X-HelpScout-Signature"] = []string{base64.StdEncoding.EncodeToString(mac.Sum(nil))}
	res, err := k.client.Do(req)
	if err != nil {
		d.Error = err.Error()
		return d
	}
	drain(res.Body)
	_ = res.Body.Close()
	d.Status = res.StatusCode
	return d
}

// Deliveries are the last webhook calls that were made, oldest first.
func (s *Sandbox) Deliveries() []Delivery {
	k := s.now.Load().hooks
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.done)
}

func (c *call) wireWebhook(h *webhook) any {
	return struct {
		*webhook
		Links map[string]href `json:"_links"`
	}{h, map[string]href{"self": c.link("webhooks/%d", h.ID)}}
}

func (c *call) listWebhooks() reply {
	c.world.mu.RLock()
	defer c.world.mu.RUnlock()
	return pageOf(c, "webhooks", c.world.webhooks, c.wireWebhook)
}

// draftWebhook validates the body of a webhook call.
func (n node) draftWebhook() *webhook {
	h := &webhook{
		URL: n.required("url"), State: "enabled", Events: n.texts("events"), Notification: n.flag("notification"),
		PayloadVersion: n.oneOf("payloadVersion", false, "V1", "V2", "V3"), Label: n.text("label"),
	}
	if h.PayloadVersion == "" {
		h.PayloadVersion = "V2"
	}
	h.secret = n.required("secret")
	if len(h.secret) > 40 {
		n.problem("secret", size, "size must be between 1 and 40", nil)
	}
	if u, err := url.Parse(h.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		n.problem("url", business, "must be a valid URL", h.URL)
	}
	if len(h.Events) == 0 {
		n.problem("events", notEmpty, "may not be empty", nil)
	}
	for i, e := range h.Events {
		if !slices.Contains(webhookEvents, e) {
			n.problem(n.item("events", i), enum, "unknown event", e)
		}
	}
	for i := range n.list("mailboxIds") {
		id := node{n.checker, n.item("mailboxIds", i), map[string]any{"": n.list("mailboxIds")[i]}}.number("")
		h.MailboxIDs = append(h.MailboxIDs, id)
	}
	return h
}

func (c *call) createWebhook() reply {
	n, ok := c.parse()
	if !ok {
		return c.unparsable()
	}
	h := n.draftWebhook()
	if len(n.errs) > 0 {
		return c.invalid(n.errs)
	}
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	h.ID = w.nextID(idWebhook)
	w.webhooks = append(w.webhooks, h)
	c.saveWebhook(h, false)
	c.hooks.send(parcel{h.URL, "helpscout.test", h.secret, []byte(`{"id":` + strconv.FormatInt(h.ID, 10) + `}`)})
	rp := empty(http.StatusCreated)
	c.locate(&rp, "/v2/webhooks/", h.ID)
	return rp
}

// findWebhook is the index of the one of the path, or -1.
func (c *call) findWebhook() int {
	return slices.IndexFunc(c.world.webhooks, func(h *webhook) bool { return h.ID == c.ids[0] })
}

func (c *call) getWebhook() reply {
	c.world.mu.RLock()
	defer c.world.mu.RUnlock()
	if i := c.findWebhook(); i >= 0 {
		return hal(c.wireWebhook(c.world.webhooks[i]))
	}
	return c.notFound()
}

func (c *call) putWebhook() reply {
	n, ok := c.parse()
	if !ok {
		return c.unparsable()
	}
	h := n.draftWebhook()
	if len(n.errs) > 0 {
		return c.invalid(n.errs)
	}
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	i := c.findWebhook()
	if i < 0 {
		return c.notFound()
	}
	h.ID = c.ids[0]
	w.webhooks[i] = h
	c.saveWebhook(h, false)
	return empty(http.StatusNoContent)
}

func (c *call) deleteWebhook() reply {
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	i := c.findWebhook()
	if i < 0 {
		return c.notFound()
	}
	c.saveWebhook(w.webhooks[i], true)
	w.webhooks = slices.Delete(slices.Clone(w.webhooks), i, i+1)
	return empty(http.StatusNoContent)
}
