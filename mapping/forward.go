package mapping

import (
	"strings"

	"hsimport/sources"
)

// How mail programs say that a mail is sent on, in the languages that are common.
var (
	forwardPrefixes = wordSet("fwd fw wg tr rv enc vs vb doorst vl pd i továbbítás ynt 转发 轉寄")
	forwardMarks    = []string{
		"forwarded message", "begin forwarded message", "weitergeleitete nachricht", "message transféré", "message transmis", "mensaje reenviado",
		"messaggio inoltrato", "mensagem encaminhada", "doorgestuurd bericht", "vidarebefordrat meddelande", "videresendt", "przekazana wiadomość", "пересылаемое сообщение", "转发的消息", "転送",
	}
)

// creditForward gives a thread that begins with a mail which somebody of the team sent on to the team to the customer
// whom that mail quotes. One that went to somebody outside is a letter to them, and stays the agent's.
func (w *work) creditForward() {
	if w.m.Forwards != "credit" || w.t.Kind != sources.Mail || len(w.entries) == 0 {
		return
	}
	e := w.entries[0]
	if e.msg.Auto == sources.AutoReply || e.msg.Auto == sources.Bounce || unknown(e.author) || w.m.outside(e.author) {
		return
	}
	if _, out := w.outsideRecipient(e.msg); out {
		return
	}
	from, ok := w.forwardedFrom(e)
	if !ok {
		return
	}
	p := quotedPerson(from)
	if !validAddress(p.Email) || !w.m.outside(p) {
		w.findAt(e.msg.Position, sources.Warning, codeForwardOpen, from, "the forwarded mail is from %s, which is no outside address; it stays with %s", quote(from), firstOf(e.author.Email, e.author.Name))
		return
	}
	e.forwarder, e.author = e.author, p
	w.findAt(e.msg.Position, sources.Info, codeForward, p.Email, "a mail of %s, forwarded by %s, is credited to its author", p.Email, firstOf(e.forwarder.Email, e.forwarder.Name))
	if rule := w.excludedSender(e); rule != "" {
		w.exclude(rule)
	}
}

// forwardedFrom is the sender in the header of the forwarded mail; ok tells that the message is a forward with a header.
func (w *work) forwardedFrom(e *entry) (from string, ok bool) {
	prefix, _, _ := strings.Cut(e.msg.Subject, ":")
	forward := forwardPrefixes[fold(prefix)]
	lines := htmlLines(w.plainHTML(e))
	for i, l := range lines {
		if from, _, ok = quotedHeader(lines, i); ok {
			return from, forward
		}
		forward = forward || isForwardMark(l.text)
	}
	return "", false
}

func isForwardMark(text string) bool {
	if len(text) > 100 {
		return false
	}
	text = strings.Trim(fold(text), "-_*:= ")
	for _, m := range forwardMarks {
		if strings.HasPrefix(text, m) || strings.HasSuffix(text, m) {
			return true
		}
	}
	return false
}

// quotedPerson reads a name and an address as mail programs show them: Mary <m@x>, Mary [mailto:m@x], m@x.
func quotedPerson(s string) sources.Person {
	s = strings.NewReplacer("[mailto:", "<", "<mailto:", "<", "]", ">").Replace(oneLine(s))
	name, address := "", s
	if open := strings.IndexByte(s, '<'); open >= 0 {
		name, address = s[:open], s[open+1:]
		address, _, _ = strings.Cut(address, ">")
	} else if open := strings.IndexByte(s, '('); open >= 0 {
		address, name = s[:open], strings.Trim(s[open:], "() ")
	}
	name = strings.Trim(name, " \"'`*")
	return sources.Person{Name: name, Email: strings.TrimSpace(address)}
}

// forwarderLine names who sent a mail on.
func forwarderLine(p sources.Person) string {
	return "<p><em>Forwarded by " + peopleList([]sources.Person{p}) + "</em></p>"
}
