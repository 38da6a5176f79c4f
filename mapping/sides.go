package mapping

import (
	"strings"

	"hsimport/sources"
)

// kind is the source's word for whose message it is, understood.
type kind uint8

const (
	kindUnknown kind = iota // no word, or one that nobody has explained
	kindCustomer
	kindAgent
	kindNote
)

// plainKinds are words that mean one thing at every desk; message_kinds goes before them.
var plainKinds = map[string]kind{
	"customer": kindCustomer, "requester": kindCustomer, "end-user": kindCustomer, "end_user": kindCustomer, "incoming": kindCustomer,
	"agent": kindAgent, "reply": kindAgent, "outgoing": kindAgent, "staff": kindAgent,
	"note": kindNote, "private": kindNote, "private note": kindNote, "internal": kindNote, "internal note": kindNote,
}

func (m *Mapper) kindOf(word string) kind {
	if word == "" {
		return kindUnknown
	}
	w := fold(word)
	if v, ok := m.Kinds[w]; ok {
		w = v
	}
	return plainKinds[w]
}

// saysNothing are words that tell that a message is public, not whose it is.
var saysNothing = map[string]bool{"public": true, "comment": true, "message": true, "email": true, "public comment": true}

// sides decides for every message on whose side it stands.
func (w *work) sides() {
	for _, e := range w.entries {
		word := fold(e.msg.Kind)
		k := w.m.kindOf(e.msg.Kind)
		if _, mapped := w.m.Kinds[word]; word != "" && k == kindUnknown && !mapped && !saysNothing[word] {
			w.findAt(e.msg.Position, sources.Warning, codeKind, word, "message kind %q is not in message_kinds; its author decides whose message it is", word)
		}
		e.side = w.sideOf(e, k)
	}
}

// sideOf is the rule, in its order: what customers did not see is a note, whoever wrote it; the source's own word
// decides; the requester is the customer, even an agent; an agent replies; another known person is a customer too;
// of whom nothing is known is a note, never a reply.
func (w *work) sideOf(e *entry, k kind) side {
	switch {
	case w.allNotes, e.msg.Private, k == kindNote:
		return sideNote
	case e.msg.Auto == sources.AutoReply, e.msg.Auto == sources.Bounce:
		return sideNote
	case k == kindCustomer:
		return sideCustomer
	case k == kindAgent:
		return sideReply
	case samePerson(e.author, w.requester):
		return sideCustomer
	case w.m.isAgent(e.author):
		return sideReply
	case !unknown(e.author):
		return sideCustomer
	}
	w.findAt(e.msg.Position, sources.Warning, codeAuthor, "", "nothing tells who wrote this message; it becomes a note")
	return sideNote
}

// plainTypes are the channels that every desk calls alike; the types table goes before them.
var plainTypes = map[string]string{
	"": "email", "email": "email", "e-mail": "email", "mail": "email", "web": "email", "website": "email", "web form": "email",
	"form": "email", "portal": "email", "api": "email", "ticket": "email", "web_widget": "email", "mobile": "email", "mobile_sdk": "email",
	"chat": "chat", "live chat": "chat", "live_chat": "chat", "livechat": "chat", "messaging": "chat", "native_messaging": "chat",
	"phone": "phone", "voice": "phone", "call": "phone", "telephone": "phone", "phone call": "phone",
}

// typeOf is the conversation type of a channel; known is false for one that nobody has explained.
func (m *Mapper) typeOf(channel string) (kind string, known bool) {
	c := fold(channel)
	if t, ok := m.Types[c]; ok {
		return t, true
	}
	t, ok := plainTypes[c]
	if !ok {
		return "email", false
	}
	return t, true
}

func (w *work) decideKind() {
	var known bool
	if w.kind, known = w.m.typeOf(w.t.Channel); !known {
		w.find(sources.Info, codeChannel, w.t.Channel, "channel %q is not email, chat or phone; the conversation becomes an email one (types can say otherwise)", shorten(w.t.Channel, 80))
	}
	if w.t.Priority != "" && !w.carriesPriority() {
		w.find(sources.Info, codePriority, w.t.Priority, "priority %q is not carried over; map it to a custom field", shorten(w.t.Priority, 80))
	}
}

// carriesPriority reports whether some custom field already holds the priority.
func (w *work) carriesPriority() bool {
	for _, f := range w.t.Fields {
		if strings.EqualFold(f.Name, "priority") || f.Value == w.t.Priority {
			return true
		}
	}
	return false
}

// channelOf is the type of one message: its own channel where a ticket mixes them.
func (w *work) channelOf(e *entry) string {
	if e.msg.Channel == "" {
		return w.kind
	}
	t, _ := w.m.typeOf(e.msg.Channel)
	return t
}
