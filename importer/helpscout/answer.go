package helpscout

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// Bounds of what is kept of a server's words.
const (
	maxMessage = 300 // characters
	maxField   = 200
	maxFields  = 20
	keptTokens = 8 // tokens that are still looked for in words; an older one is dead anyway
)

// refusal sorts an answer that is not a success.
// https://developer.helpscout.com/mailbox-api/overview/status_codes
func (c *Client) refusal(q call, a *answer) *Error {
	e := &Error{Kind: InDoubt, Method: q.method, Path: q.path, Status: a.status}
	c.describe(e, a.header, parseRefusal(a.body, a.header.Get("Content-Type")))
	switch a.status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusConflict,
		http.StatusPreconditionFailed, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusLocked:
		e.Kind = Rejected
	case http.StatusRequestEntityTooLarge:
		e.Kind, e.TooLarge = Rejected, true
	case http.StatusUnauthorized:
		e.Kind = Stop
	case http.StatusTooManyRequests:
		e.Kind, e.After = Wait, retryAfter(a.header)
	case http.StatusMovedPermanently, http.StatusPermanentRedirect:
		if !q.write() {
			e.Kind = Rejected
		}
	}
	return e
}

// unusable is a success that does not hold what a success must hold.
func (c *Client) unusable(q call, a *answer, why string) *Error {
	e := &Error{Kind: InDoubt, Method: q.method, Path: q.path, Status: a.status}
	words := refusalWords{message: why}
	if looksHTML(a.body) {
		words.message += "; it is a web page: " + htmlWords(a.body)
	}
	if a.err != nil {
		words.message += ": " + a.err.Error()
	}
	c.describe(e, a.header, words)
	return e
}

// describe fills in the server's words, made safe to show.
func (c *Client) describe(e *Error, h http.Header, w refusalWords) {
	e.Message = c.clean.text(w.message, maxMessage)
	if e.Message == "" {
		e.Message = strings.ToLower(http.StatusText(e.Status))
	}
	for _, f := range w.fields[:min(len(w.fields), maxFields)] {
		e.Fields = append(e.Fields, FieldError{
			Path:     c.clean.text(f.Path, maxField),
			Message:  c.clean.text(f.Message, maxField),
			Rejected: c.clean.text(f.Rejected, maxField),
		})
	}
	e.CorrelationID = c.clean.text(h.Get("Correlation-Id"), maxField)
	e.Location = c.clean.text(h.Get("Location"), 2*maxMessage)
}

// refusalWords is what a server says about a request it did not carry out.
type refusalWords struct {
	message string
	fields  []FieldError
}

// parseRefusal reads any body: the documented shape, OAuth's, a gateway's JSON, HTML, plain text, nothing.
// https://developer.helpscout.com/mailbox-api/overview/errors
func parseRefusal(body []byte, contentType string) refusalWords {
	body = bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\ufeff"))
	var shape map[string]json.RawMessage
	if err := json.Unmarshal(body, &shape); err != nil {
		var text string
		switch {
		case json.Unmarshal(body, &text) == nil:
			return refusalWords{message: text}
		case looksHTML(body) || strings.Contains(contentType, "html"):
			return refusalWords{message: htmlWords(body)}
		}
		return refusalWords{message: string(body)}
	}
	var w refusalWords
	for _, key := range []string{"error_description", "message", "error", "detail", "title"} {
		if s := looseText(shape[key]); s != "" {
			w.message = s
			break
		}
	}
	var embedded map[string]json.RawMessage
	if json.Unmarshal(shape["_embedded"], &embedded) != nil || embedded["errors"] == nil {
		embedded = shape
	}
	var entries []map[string]json.RawMessage
	if json.Unmarshal(embedded["errors"], &entries) == nil {
		for _, f := range entries {
			w.fields = append(w.fields, FieldError{
				Path:     looseText(f["path"]),
				Message:  looseText(f["message"]),
				Rejected: looseText(f["rejectedValue"]),
			})
		}
	}
	return w
}

// looseText is a JSON string as it reads, any other value as it is written, null as nothing.
func looseText(raw json.RawMessage) string {
	var l Loose
	if len(raw) == 0 || json.Unmarshal(raw, &l) != nil {
		return ""
	}
	return string(l)
}

func looksHTML(body []byte) bool {
	body = bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\ufeff"))
	return len(body) > 0 && body[0] == '<'
}

var (
	htmlTitle = regexp.MustCompile(`(?is)<(?:title|h1)[^>]*>(.*?)</`)
	htmlTag   = regexp.MustCompile(`(?s)<[^>]*>`)
)

// htmlWords is the title of a gateway's page, else its text.
func htmlWords(body []byte) string {
	if m := htmlTitle.FindSubmatch(body); m != nil {
		body = m[1]
	}
	return html.UnescapeString(string(htmlTag.ReplaceAll(body, []byte(" "))))
}

// cleaner keeps secrets and control characters out of everything that is shown, logged or stored.
type cleaner struct {
	mu     sync.Mutex
	secret []string // every spelling of the app secret
	tokens []string // spellings of the last tokens, oldest first
}

const hidden = "[hidden]"

func newCleaner(secret string) *cleaner { return &cleaner{secret: spellings(secret)} }

// spellings are the forms in which a server or a library may repeat s, longest first.
func spellings(s string) []string {
	quoted := strconv.Quote(s)
	asJSON, _ := json.Marshal(s)
	all := []string{
		s, url.QueryEscape(s), url.PathEscape(s), html.EscapeString(s),
		quoted[1 : len(quoted)-1], string(asJSON[1 : len(asJSON)-1]),
	}
	slices.SortFunc(all, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return slices.DeleteFunc(slices.Compact(all), func(s string) bool { return s == "" })
}

// learn adds a token to what is hidden.
func (c *cleaner) learn(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fresh := spellings(token)
	c.tokens = append(c.tokens, fresh...)
	if extra := len(c.tokens) - keptTokens*6; extra > 0 {
		c.tokens = slices.Delete(c.tokens, 0, extra)
	}
}

func (c *cleaner) hide(s string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, list := range [][]string{c.secret, c.tokens} {
		for _, x := range list {
			s = strings.ReplaceAll(s, x, hidden)
		}
	}
	return s
}

// text is s on one line, without secrets, control and format characters, cut to limit characters.
func (c *cleaner) text(s string, limit int) string {
	s = c.hide(strings.ToValidUTF8(s, "\ufffd"))
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf):
			return -1
		}
		return r
	}, s)
	s = c.hide(strings.Join(strings.Fields(s), " "))
	n := 0
	for i := range s {
		if n == limit {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

// error is err with its text made safe; errors.Is and errors.As still see what is behind it.
func (c *cleaner) error(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // without the URL: its query names customers
	}
	return &cleanError{text: c.text(err.Error(), maxMessage), err: err}
}

// cleanError hides the text of another error, not its nature.
type cleanError struct {
	text string
	err  error
}

func (e *cleanError) Error() string { return e.text }

// Is and As look behind the text. There is no Unwrap, which would give the text away.
func (e *cleanError) Is(target error) bool { return errors.Is(e.err, target) }

// As: see Is.
func (e *cleanError) As(target any) bool { return errors.As(e.err, target) }

var lastNumber = regexp.MustCompile(`/(\d+)/?(?:[?#]|$)`)

// IDFromLocation is the number at the end of the path of a Location header (…/123, …/123?x), 0 when there is none.
func IDFromLocation(location string) int64 {
	m := lastNumber.FindStringSubmatch(location)
	if m == nil {
		return 0
	}
	return positive(m[1])
}

// positive reads an id; 0 when it is none.
func positive(s string) int64 {
	id, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || id < 1 {
		return 0
	}
	return id
}

// createdID is the id that a 201 names: in Resource-ID, else at the end of Location.
func createdID(h http.Header) int64 {
	if id := positive(h.Get("Resource-ID")); id != 0 {
		return id
	}
	return IDFromLocation(h.Get("Location"))
}

// webpage says whether an answer is HTML, which no answer of the API is.
func (a *answer) webpage() bool {
	return looksHTML(a.body) || strings.Contains(a.header.Get("Content-Type"), "text/html")
}

// decode reads a JSON answer into v.
func (c *Client) decode(q call, a *answer, v any) error {
	if a.err != nil {
		return c.unusable(q, a, "the answer is not whole")
	}
	body := bytes.TrimPrefix(bytes.TrimSpace(a.body), []byte("\ufeff"))
	if err := json.Unmarshal(body, v); err != nil {
		return c.unusable(q, a, fmt.Sprintf("the answer is not what the API promises: %v", err))
	}
	return nil
}
