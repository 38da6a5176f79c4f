package mail

import (
	"bytes"
	"strings"

	"hsimport/sources"
)

// rawFields are the fields of a header that mean something to us, undecoded. Of a field that may stand once, the first
// that is not empty counts.
type rawFields struct {
	end               int // where the body starts
	known, noGap, cut bool

	messageID, inReplyTo, references, subject, sender, date []byte
	received                                                []byte // the newest, which stands first
	olderReceived                                           []byte // the next one
	from, to, cc, bcc, replyTo                              multi

	gmailThread, gmailLabels, mozillaStatus, mozillaStatus2 []byte
	listID, listPost, listUnsubscribe, unsubscribePost      []byte
	threadIndex, mailer, originalFrom, originalSender       []byte
	autoSubmitted, precedence, returnPath, autoReply        []byte
	suppress, failedRecipients, feedbackID                  []byte
	part                                                    partFields
}

// partFields are the fields that say what a part is; a message is one, too.
type partFields struct {
	contentType, encoding, disposition, id, location, base []byte
}

// multi is a field that may stand several times.
type multi struct {
	first []byte
	more  [][]byte
}

func (m *multi) add(v []byte) {
	switch {
	case m.first == nil:
		m.first = v
	case len(m.more) < 100:
		m.more = append(m.more, v)
	}
}

// dropSeparator leaves out a first value that is an mbox separator which some program made a field of ("From: ann@x.org
// Mon Sep  2 16:22:12 2002"), when another follows.
func (m *multi) dropSeparator() {
	if len(m.more) == 0 {
		return
	}
	if _, ok := ParseSeparatorDate(append([]byte("From "), m.first...)); ok {
		m.first, m.more = m.more[0], m.more[1:]
	}
}

// addresses reads the people of all fields.
func (m *multi) addresses(d *decoder) []sources.Person {
	people := parseAddresses(m.first, d)
	for _, v := range m.more {
		if len(people) < maxPeople {
			people = append(people, parseAddresses(v, d)...)
		}
	}
	return people
}

// collectFields walks the header once.
func collectFields(raw []byte) *rawFields {
	f := &rawFields{}
	s := scanner{raw: raw}
	for {
		name, value, ok := s.next()
		if !ok {
			break
		}
		f.known = f.known || isKnownName(name)
		f.take(name, value)
	}
	f.end, f.noGap, f.cut = s.pos, s.noGap && s.pos < len(raw), s.cut
	if !f.known {
		*f = rawFields{}
	}
	return f
}

// maxName is the length of the longest field name that we look at.
const maxName = 26

func (f *rawFields) take(name, value []byte) {
	if len(name) > maxName {
		return
	}
	var buf [maxName]byte
	key := lower(buf[:0], name)
	if bytes.HasPrefix(key, []byte("content-")) {
		f.part.take(key, value)
		return
	}
	switch string(key) {
	case "from":
		f.from.add(value)
	case "to":
		f.to.add(value)
	case "cc":
		f.cc.add(value)
	case "bcc":
		f.bcc.add(value)
	case "reply-to":
		f.replyTo.add(value)
	case "received":
		if f.received == nil {
			f.received = value
		} else if f.olderReceived == nil {
			f.olderReceived = value
		}
	default:
		if slot := f.slot(key); slot != nil && len(*slot) == 0 {
			*slot = value
		}
	}
}

// slot is where the value of a field goes, or nil for one that means nothing to us.
func (f *rawFields) slot(key []byte) *[]byte {
	switch string(key) {
	case "message-id", "messageid":
		return &f.messageID
	case "in-reply-to":
		return &f.inReplyTo
	case "references":
		return &f.references
	case "subject":
		return &f.subject
	case "sender":
		return &f.sender
	case "date":
		return &f.date
	case "x-gm-thrid":
		return &f.gmailThread
	case "x-gmail-labels":
		return &f.gmailLabels
	case "x-mozilla-status":
		return &f.mozillaStatus
	case "x-mozilla-status2":
		return &f.mozillaStatus2
	case "thread-index":
		return &f.threadIndex
	case "x-mailer", "user-agent":
		return &f.mailer
	case "x-original-from":
		return &f.originalFrom
	case "x-original-sender":
		return &f.originalSender
	}
	return f.robotSlot(key)
}

// robotSlot holds the fields that tell machines from people.
func (f *rawFields) robotSlot(key []byte) *[]byte {
	switch string(key) {
	case "list-id":
		return &f.listID
	case "list-post":
		return &f.listPost
	case "list-unsubscribe":
		return &f.listUnsubscribe
	case "list-unsubscribe-post":
		return &f.unsubscribePost
	case "auto-submitted":
		return &f.autoSubmitted
	case "precedence":
		return &f.precedence
	case "return-path":
		return &f.returnPath
	case "x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-auto-respond", "x-mail-autoreply":
		return &f.autoReply
	case "x-auto-response-suppress":
		return &f.suppress
	case "x-failed-recipients":
		return &f.failedRecipients
	case "feedback-id":
		return &f.feedbackID
	}
	return nil
}

// take keeps a Content- field; key is in lower case.
func (p *partFields) take(key, value []byte) {
	var slot *[]byte
	switch string(key) {
	case "content-type":
		slot = &p.contentType
	case "content-transfer-encoding":
		slot = &p.encoding
	case "content-disposition":
		slot = &p.disposition
	case "content-id":
		slot = &p.id
	case "content-location":
		slot = &p.location
	case "content-base":
		slot = &p.base
	default:
		return
	}
	if len(*slot) == 0 {
		*slot = value
	}
}

// charset is the charset that the message declares for its own text, the best guess for raw letters in its header.
func (f *rawFields) charset() string {
	if f.part.contentType == nil || !containsFold(f.part.contentType, "charset") {
		return ""
	}
	t := parseTyped(f.part.contentType)
	return t.get("charset")
}

// containsFold reports whether b holds s, which is in lower case, in any case.
func containsFold(b []byte, s string) bool {
	for i := 0; i+len(s) <= len(b); i++ {
		if b[i]|0x20 == s[0] && strings.EqualFold(string(b[i:i+len(s)]), s) {
			return true
		}
	}
	return false
}
