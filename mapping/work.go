package mapping

import (
	"cmp"
	"slices"
	"time"

	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// work is one ticket on its way through the mapping.
type work struct {
	m       *Mapper
	t       *sources.Ticket
	entries []*entry // in order; messages that a rule leaves out are not among them

	requester    sources.Person
	requesterAt  sources.Position
	primary      *helpscout.NewCustomer
	named        *helpscout.NewCustomer                      // the primary, as threads name them
	customers    few[sources.Person, *helpscout.NewCustomer] // nil: refused
	placeholders bool
	allNotes     bool // an internal thread

	box      int // of Mapper.boxes: where it goes
	status   string
	live     bool
	kind     string // of the conversation: email, chat, phone
	findings []Finding
	left     []LeftOut
	excluded string
	refused  string
	bulk     bool
	noted    int
}

// entry is one message with what was found out about it.
type entry struct {
	msg    *sources.Message
	at     time.Time // never zero
	author sources.Person
	side   side
	// forwarder is who of the team sent it on, where author is the quoted sender whom it is credited to.
	forwarder sources.Person
	essence   string // of its text, as far as quotations are compared with it
}

// side is on whose side of the conversation a message stands.
type side uint8

const (
	sideNote side = iota
	sideCustomer
	sideReply
)

// Map makes the plan of a ticket. It is total: whatever is wrong with the ticket becomes a finding, and at worst the
// plan says why the ticket is refused. It keeps references to the ticket's attachments and is safe for concurrent use.
func (m *Mapper) Map(t *sources.Ticket) *Plan {
	w := m.begin(t)
	p := &Plan{Key: t.Key, ID: t.ID, Position: t.Position}
	if w.decide() {
		w.noticeNotesOnly()
		drafts := w.drafts()
		p.Parts = w.parts(drafts)
		p.Noted = w.noted
		p.Live = w.live
		p.Traits = w.traits(p.Parts)
		if w.box > 0 {
			p.Mailbox = w.into().name
		}
	}
	for _, e := range w.entries {
		if e.at.After(p.Last) {
			p.Last = e.at
		}
	}
	if len(w.entries) == 0 {
		p.Last = t.CreatedAt
	}
	w.refuseIfBlocked()
	if w.refused != "" || w.excluded != "" {
		p.Parts, p.Noted, p.Traits = nil, 0, 0
	}
	sortFindings(w.findings)
	p.Excluded, p.Refused, p.Findings, p.Left = w.excluded, w.refused, w.findings, w.left
	if p.Excluded != "" { // what was wrong with it no longer matters to anybody
		p.Refused, p.Left, p.Findings = "", nil, nil
	}
	return p
}

// begin orders the messages and takes over what the reader noticed.
func (m *Mapper) begin(t *sources.Ticket) *work {
	w := &work{m: m, t: t}
	t = w.redacted(t)
	w.t = t
	for _, p := range t.Problems {
		w.problem(p)
	}
	all := make([]entry, len(t.Messages)) // at once
	w.entries = make([]*entry, len(t.Messages))
	for i, msg := range t.Messages {
		for _, p := range msg.Problems {
			w.problem(p)
		}
		all[i] = entry{msg: msg, at: usableTime(msg.CreatedAt)}
		w.entries[i] = &all[i]
	}
	return w
}

// decide settles everything about the ticket but its threads. It is false when the ticket will not be sent.
func (w *work) decide() bool {
	for _, e := range w.entries {
		e.author = w.effectiveAuthor(e.msg)
	}
	if !w.filter() || !w.order() {
		return false
	}
	if rule := w.filtered(); rule != "" {
		w.exclude(rule)
		return false
	}
	if w.creditForward(); w.excluded != "" {
		return false
	}
	w.people()
	if w.excluded != "" {
		return false
	}
	w.route()
	w.sides()
	w.decideKind()
	w.decideStatus()
	return w.excluded == "" && w.refused == "" && w.primary != nil
}

// noticeNotesOnly counts the tickets in which the customer neither wrote nor was written to.
func (w *work) noticeNotesOnly() {
	for _, e := range w.entries {
		if e.side != sideNote {
			return
		}
	}
	if len(w.entries) > 0 {
		w.find(sources.Info, codeNotesOnly, "", "every message is private: the conversation consists of notes only")
	}
}

func (w *work) exclude(rule string) { w.excluded = rule }

// refuse blocks the ticket: it is listed and never sent.
func (w *work) refuse(code, value, format string, args ...any) {
	w.find(sources.BlocksTicket, code, value, format, args...)
	w.refused = w.findings[len(w.findings)-1].Text
}

// refuseIfBlocked refuses a ticket that the reader has found something grave about.
func (w *work) refuseIfBlocked() {
	for _, f := range w.findings {
		if f.Severity == sources.BlocksTicket && w.refused == "" {
			w.refused = f.Text
		}
	}
}

// filter takes out the messages that a rule leaves out. If none is left, the ticket is excluded by the first rule.
func (w *work) filter() bool {
	if len(w.entries) == 0 {
		return true
	}
	kept := w.entries[:0]
	for _, e := range w.entries {
		if rule := w.leftOut(e); rule != "" {
			w.left = append(w.left, LeftOut{Message: e.msg.Key, Rule: rule})
			continue
		}
		w.bulk = w.bulk || e.msg.Auto == sources.Bulk
		kept = append(kept, e)
	}
	w.entries = kept
	if len(kept) == 0 {
		w.exclude(w.left[0].Rule)
		return false
	}
	return true
}

func (w *work) leftOut(e *entry) string {
	if rule := w.excludedSender(e); rule != "" {
		return rule
	}
	switch auto := e.msg.Auto; {
	case auto == sources.Bulk && w.m.Bulk == "exclude":
		return "bulk"
	case (auto == sources.AutoReply || auto == sources.Bounce) && w.m.AutoReplies == "exclude":
		return "automatic reply"
	}
	return ""
}

// usableTime is t to the second, or zero for a time that cannot be meant: before 1970 or beyond what the wire's
// layout can say.
func usableTime(t time.Time) time.Time {
	t = t.UTC().Truncate(time.Second)
	if t.Unix() <= 0 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// order sorts the messages by time, those of one second by their ordinal. One without a date goes right behind the
// one that stood before it in the source, at the same time. With no date at all the ticket is refused.
func (w *work) order() bool {
	created := usableTime(w.t.CreatedAt)
	var undated []*entry
	dated := w.entries[:0]
	for _, e := range w.entries {
		if e.at.IsZero() {
			undated = append(undated, e)
		} else {
			dated = append(dated, e)
		}
	}
	if len(dated) == 0 && created.IsZero() {
		w.refuse(codeNoDate, "", "neither the ticket nor any of its messages has a date that can be read; correct it in the source")
		return false
	}
	slices.SortStableFunc(dated, func(a, b *entry) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.msg.Ordinal, b.msg.Ordinal))
	})
	for _, e := range undated {
		dated = w.place(e, dated, created)
	}
	w.entries = dated
	return true
}

// place puts a message without a date behind the message that precedes it in the source.
func (w *work) place(e *entry, dated []*entry, created time.Time) []*entry {
	at := -1
	for i, d := range dated {
		if precedes(d.msg, e.msg) && (at < 0 || !precedes(d.msg, dated[at].msg)) {
			at = i
		}
	}
	switch {
	case at >= 0:
		e.at = dated[at].at
	case len(dated) > 0 && (created.IsZero() || created.After(dated[0].at)):
		e.at = dated[0].at
	default:
		e.at = created
	}
	w.findAt(e.msg.Position, sources.Warning, codeMessageDate, "", "the message has no usable date; it is placed at %s, the time of the one before it", e.at.Format(helpscout.TimeLayout))
	return slices.Insert(dated, at+1, e)
}

// precedes tells which of two messages of a ticket stands first in the source.
func precedes(a, b *sources.Message) bool {
	if a.Position.File == b.Position.File && (a.Position.Line != b.Position.Line || a.Position.Offset != b.Position.Offset) {
		return a.Position.Line < b.Position.Line || a.Position.Line == b.Position.Line && a.Position.Offset < b.Position.Offset
	}
	return a.Ordinal < b.Ordinal
}

// people decides who the customer is.
func (w *work) people() {
	w.requester, w.requesterAt = w.t.Requester, w.t.Position
	switch {
	case w.t.Kind == sources.Mail:
		p, at, ok := w.mailCustomer()
		if ok {
			w.requester, w.requesterAt = p, at
		} else {
			w.internal()
		}
	case unknown(w.requester) && w.requester.Phone == "":
		w.assumeRequester()
	}
	if w.excluded != "" {
		return
	}
	var ok bool
	if unknown(w.requester) && w.requester.Phone == "" {
		w.find(sources.Warning, codeRequester, "", "nobody is named as the requester")
	}
	if _, usable := usableAddress(w.requester.Email); !usable && w.t.Kind == sources.Desk {
		w.findAt(w.requesterAt, sources.Warning, codeNoAddress, "", "the requester has no usable address: a customer cannot be written to from here")
	}
	if w.primary, ok = w.customer(w.requester, w.requesterAt); !ok {
		code, what := codeAddress, "the requester's address "+quote(w.requester.Email)+" is not one that mail could go to"
		if w.requester.Email == "" {
			code, what = codeRequester, "the requester has no address"
		}
		w.refuse(code, w.requester.Email, "%s; correct it in the source, or set placeholder_domain", what)
	}
}

// assumeRequester takes the first author from outside the team where the ticket names no requester.
func (w *work) assumeRequester() {
	for _, e := range w.entries {
		kind := w.m.kindOf(e.msg.Kind)
		if e.msg.Private || kind == kindNote || kind == kindAgent || unknown(e.author) {
			continue
		}
		if kind == kindCustomer || !w.m.isAgent(e.author) {
			w.requester, w.requesterAt = e.author, e.msg.Position
			w.find(sources.Warning, codeAssumed, e.author.Email, "the ticket names no requester; the first outside author is taken, %s", firstOf(e.author.Email, e.author.Name, e.author.ID))
			return
		}
	}
}

func quote(s string) string { return "\"" + shorten(oneLine(s), 80) + "\"" }
