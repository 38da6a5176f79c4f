package sandbox

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// view is a conversation as the index shows it, which may lag.
type view struct {
	*conversation
	status   string
	subject  string
	mailbox  *Mailbox
	customer *customer
	tags     []*tag
}

// asOf is the conversation as it was at a moment of the real clock; ok is false when it was not there.
func (conv *conversation) asOf(horizon int64) (v view, ok bool) {
	if conv.appeared > horizon || conv.vanished != 0 && conv.vanished <= horizon || conv.state == "draft" {
		return view{}, false
	}
	v = view{conv, conv.status, conv.subject, conv.mailbox, conv.customer, conv.tags}
	for p := conv.past; p != nil && p.until > horizon; p = p.before {
		v.status, v.subject, v.mailbox, v.customer, v.tags = p.status, p.subject, p.mailbox, p.customer, p.tags
	}
	return v, true
}

// matches evaluates the query on a conversation.
func (q *query) matches(v *view, w *world) bool {
	switch q.op {
	case '&':
		for _, kid := range q.kids {
			if !kid.matches(v, w) {
				return false
			}
		}
		return true
	case '|':
		for _, kid := range q.kids {
			if kid.matches(v, w) {
				return true
			}
		}
		return false
	case '!':
		return !q.kids[0].matches(v, w)
	}
	return q.term(v, w)
}

func (q *query) term(v *view, w *world) bool {
	switch q.field {
	case "subject":
		return hasWords(v.subject, q.words)
	case "body":
		return v.bodyHas(q.words)
	case "name":
		return hasWords(v.customer.first+" "+v.customer.last, q.words)
	case "firstname":
		return hasWords(v.customer.first, q.words)
	case "lastname":
		return hasWords(v.customer.last, q.words)
	case "tag":
		return slices.ContainsFunc(v.tags, func(t *tag) bool { return glob(q.value, strings.ToLower(t.name)) })
	case "email":
		return slices.ContainsFunc(v.customer.emails, func(e entry) bool { return glob(q.value, strings.ToLower(e.value)) })
	case "status":
		return q.value == "all" || q.value == v.status || q.value == "open" && v.status != "closed" && v.status != "spam"
	case "type":
		return q.value == v.typ
	case "assigned":
		return v.assignedTo(q.value, w)
	case "attachment", "attachments":
		return v.hasFiles() == (q.value == "true")
	case "":
		return hasWords(v.subject, q.words) || v.bodyHas(q.words) || hasWords(v.customer.first+" "+v.customer.last, q.words) ||
			slices.ContainsFunc(v.customer.emails, func(e entry) bool { return strings.EqualFold(e.value, q.value) })
	}
	n := v.value(q.field, w)
	return q.from <= n && n <= q.to
}

// value is a field that is a number or a moment.
func (v *view) value(field string, w *world) int64 {
	switch field {
	case "mailboxid", "mailbox":
		return v.mailbox.ID
	case "customerids", "customerid":
		return v.customer.id
	case "number":
		return v.number
	case "folderid":
		return v.folder(w)
	case "createdat":
		return v.created
	case "modifiedat":
		return v.modified
	}
	return v.id
}

func (v *view) assignedTo(value string, w *world) bool {
	if value == "unassigned" {
		return v.assignee == 0
	}
	if value == strconv.FormatInt(v.assignee, 10) {
		return true
	}
	if u := w.user(v.assignee); u != nil {
		return strings.EqualFold(u.FirstName+" "+u.LastName, value) || strings.EqualFold(u.Email, value)
	}
	t := w.team(v.assignee)
	return t != nil && strings.EqualFold(t.Name, value)
}

func (v *view) hasFiles() bool {
	return slices.ContainsFunc(v.threads, func(t *thread) bool { return len(t.files) > 0 })
}

func (v *view) bodyHas(want []string) bool {
	return slices.ContainsFunc(v.threads, func(t *thread) bool { return t.typ != "lineitem" && hasWords(t.text.Value(), want) })
}

// hasWords says that a text holds all words, in any order and any case; a word with a trailing * is a beginning.
func hasWords(text string, want []string) bool {
	if len(want) == 0 {
		return false
	}
	folded := strings.ToLower(text)
	for _, w := range want {
		if !hasWord(folded, w) {
			return false
		}
	}
	return true
}

func hasWord(folded, word string) bool {
	word, prefix := strings.CutSuffix(word, "*")
	if word == "" {
		return prefix
	}
	for at := 0; ; {
		i := strings.Index(folded[at:], word)
		if i < 0 {
			return false
		}
		i += at
		before, _ := utf8.DecodeLastRuneInString(folded[:i])
		after, _ := utf8.DecodeRuneInString(folded[i+len(word):])
		if (i == 0 || !wordRune(before)) && (prefix || i+len(word) == len(folded) || !wordRune(after)) {
			return true
		}
		at = i + len(word)
	}
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// glob compares with * for anything.
func glob(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return strings.HasSuffix(text, last)
}
