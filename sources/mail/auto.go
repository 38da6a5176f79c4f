package mail

import (
	"bytes"
	"strings"

	"hsimport/sources"
)

// auto tells which machine wrote the mail, if one did. "Precedence: bulk" or "list" alone does not make one: people
// write on mailing lists.
func (f *rawFields) auto(h *Head) sources.Auto {
	switch {
	case f.isBounce(h):
		return sources.Bounce
	case f.isBulk(h):
		return sources.Bulk
	case f.isAutoReply(h):
		return sources.AutoReply
	}
	return sources.Human
}

// isBounce recognises delivery reports (RFC 3464) and the older forms that mail servers write from themselves.
func (f *rawFields) isBounce(h *Head) bool {
	if len(f.failedRecipients) > 0 {
		return true
	}
	if containsFold(f.part.contentType, "multipart/report") {
		t := parseTyped(f.part.contentType)
		kind := strings.ToLower(t.get("report-type"))
		return kind != "disposition-notification" && kind != "feedback-report"
	}
	local := ""
	if len(h.From) > 0 {
		local, _, _ = strings.Cut(strings.ToLower(h.From[0].Email), "@")
	}
	switch local {
	case "mailer-daemon":
		return true
	case "postmaster", "":
		return f.nullSender() && bounceSubject(h.Subject)
	}
	return false
}

func bounceSubject(s string) bool {
	s = strings.ToLower(s)
	for _, w := range []string{
		"undeliver", "returned mail", "delivery", "failure notice", "mail failure", "unzustellbar",
		"nicht zugestellt", "non remis", "non recapitabile", "no se puede entregar", "returned to sender",
	} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

func (f *rawFields) nullSender() bool {
	return f.returnPath != nil && len(bytes.Trim(f.returnPath, "<> \t\r\n")) == 0
}

// isBulk recognises newsletters and notifications: they offer to unsubscribe, and nobody can post to them.
func (f *rawFields) isBulk(h *Head) bool {
	if len(f.listUnsubscribe) == 0 || len(f.listPost) > 0 && !containsFold(f.listPost, "no") {
		return false
	}
	switch strings.ToLower(string(f.precedence)) {
	case "bulk", "junk":
		return true
	case "list":
		return false
	}
	return len(f.unsubscribePost) > 0 || len(f.feedbackID) > 0 && len(h.InReplyTo) == 0
}

// isAutoReply recognises automatic answers (RFC 3834) and what Exchange, qmail and vacation programs write instead.
func (f *rawFields) isAutoReply(h *Head) bool {
	auto := strings.ToLower(string(f.autoSubmitted))
	auto, _, _ = strings.Cut(auto, ";")
	switch auto = strings.TrimSpace(auto); auto {
	case "":
	case "no", "auto-forwarded": // a person wrote what a rule passed on
	default:
		return true
	}
	if v := strings.ToLower(string(f.autoReply)); v != "" && v != "no" && v != "false" {
		return true
	}
	p := strings.ToLower(string(f.precedence))
	if p == "auto_reply" || p == "auto-reply" || containsFold(f.part.contentType, "multipart/report") {
		return true
	}
	return (f.nullSender() || len(f.suppress) > 0) && awaySubject(h.Subject)
}

func awaySubject(s string) bool {
	s = strings.ToLower(s)
	for _, w := range []string{
		"automatic reply", "auto-reply", "autoreply", "auto reply", "out of office", "out of the office",
		"abwesenheit", "automatische antwort", "réponse automatique", "absence du bureau", "respuesta automática",
		"fuera de la oficina", "risposta automatica", "fuori sede", "resposta automática", "automatisch antwoord",
		"afwezig", "autosvar", "frånvaro", "автоответ", "vacation", "自動返信", "自动回复",
	} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// unlist puts the author back whom a mailing list or a form service hid behind its own address ("Ann Lee via Support
// <support@lists.example>"): from X-Original-From, else from the one Reply-To that is not the list.
func (h *Head) unlist(f *rawFields, d *decoder, n *notes) {
	if len(h.From) == 0 {
		return
	}
	from := h.From[0]
	name, _, via := cutVia(from.Name)
	if !via {
		return
	}
	for _, v := range [][]byte{f.originalFrom, f.originalSender} {
		for _, p := range parseAddresses(v, d) {
			if p.Email != "" && !strings.EqualFold(p.Email, from.Email) {
				h.rewriteFrom(p, name, from, n)
				return
			}
		}
	}
	for _, p := range h.ReplyTo {
		another := p.Email != "" && !strings.EqualFold(p.Email, from.Email)
		if another && (strings.EqualFold(p.Name, name) || !contains(h.To, p.Email) && !contains(h.Cc, p.Email)) {
			h.rewriteFrom(p, name, from, n)
			return
		}
	}
}

func (h *Head) rewriteFrom(p sources.Person, name string, from sources.Person, n *notes) {
	if p.Name == "" {
		p.Name = name
	}
	h.From[0] = p
	n.add(sources.Info, "from-rewritten-by-list", "the sender %s <%s> stands for %s", quoted(from.Name), from.Email, p.Email)
}

// cutVia splits "'Ann Lee' via Support".
func cutVia(s string) (name, list string, ok bool) {
	i := strings.LastIndex(s, " via ")
	if i <= 0 {
		return "", "", false
	}
	return strings.Trim(s[:i], " '\""), strings.TrimSpace(s[i+5:]), true
}

func contains(people []sources.Person, email string) bool {
	for _, p := range people {
		if strings.EqualFold(p.Email, email) {
			return true
		}
	}
	return false
}
