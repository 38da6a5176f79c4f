package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// checker collects what is wrong with a body. Properties that nobody asks for are tolerated, as at the service.
type checker struct {
	set  *Settings
	now  int64
	errs []fieldError
}

// node is an object of the body and the path to it.
type node struct {
	*checker
	path string
	m    map[string]any
}

// parse reads the body of a call as one JSON object.
func (c *call) parse() (node, bool) {
	n := node{checker: &checker{set: c.set, now: c.now.Unix()}}
	var v any
	d := json.NewDecoder(bytes.NewReader(c.body))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return n, false
	}
	if _, err := d.Token(); err != io.EOF {
		return n, false
	}
	m, ok := v.(map[string]any)
	n.m = m
	return n, ok
}

// The anchors of the error page.
const (
	notEmpty = "NotEmpty"
	notNull  = "NotNull"
	enum     = "EnumValue"
	size     = "Size"
	email    = "Email"
	dateForm = "DateTimeFormat"
	badType  = "Type"
	minimum  = "Min"
	business = "Invalid"
)

func (k *checker) problem(path, anchor, message string, rejected any) {
	if text, ok := rejected.(string); ok && len(text) > 200 {
		rejected = text[:200]
		for !utf8.ValidString(rejected.(string)) {
			rejected = rejected.(string)[:len(rejected.(string))-1]
		}
	}
	k.errs = append(k.errs, fieldError{
		Path: path, Message: message, Rejected: rejected, Source: "JSON", Links: map[string]href{"about": {docs + "#" + anchor}},
	})
}

// at is the path of a property.
func (n node) at(key string) string {
	if n.path == "" {
		return key
	}
	return n.path + "." + key
}

// item is the path of an element of a list.
func (n node) item(key string, i int) string {
	if n.set.NestedPath == "dots" {
		return n.at(key) + "." + strconv.Itoa(i)
	}
	return n.at(key) + "[" + strconv.Itoa(i) + "]"
}

// has says that the property is there and not null.
func (n node) has(key string) bool { return n.m[key] != nil }

// text reads a text property; "" when it is absent or null. Numbers and booleans are taken as their spelling.
func (n node) text(key string) string {
	switch v := n.m[key].(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	n.problem(n.at(key), badType, "must be a string", nil)
	return ""
}

// required reads a text property that may not be empty.
func (n node) required(key string) string {
	before := len(n.errs)
	v := n.text(key)
	if strings.TrimSpace(v) == "" && len(n.errs) == before {
		n.problem(n.at(key), notEmpty, "may not be empty", nil)
	}
	return v
}

// sized reads a text property of a length in characters, if it is there.
func (n node) sized(key string, least, most int) string {
	v := n.text(key)
	if n.has(key) && most > 0 {
		if l := utf8.RuneCountInString(v); l < least || l > most {
			n.problem(n.at(key), size, fmt.Sprintf("size must be between %d and %d", least, most), v)
		}
	}
	return v
}

// oneOf reads a text property with a closed set of values.
func (n node) oneOf(key string, need bool, values ...string) string {
	v := n.text(key)
	if v == "" {
		if need {
			n.problem(n.at(key), notEmpty, "may not be empty", nil)
		}
		return ""
	}
	if !slices.Contains(values, v) {
		n.problem(n.at(key), enum, "Expected one of these: '"+strings.Join(values, "', '")+"'", v)
		return ""
	}
	return v
}

// id reads an identifier; numbers in quotes are taken, as recorded. 0 when it is absent or null.
func (n node) id(key string) int64 {
	v := n.number(key)
	if n.has(key) && v < 1 && (len(n.errs) == 0 || n.errs[len(n.errs)-1].Path != n.at(key)) {
		n.problem(n.at(key), minimum, "must be greater than or equal to 1", v)
	}
	return v
}

func (n node) number(key string) int64 {
	var text string
	switch v := n.m[key].(type) {
	case nil:
		return 0
	case json.Number:
		text = v.String()
	case string:
		text = strings.TrimSpace(v)
	default:
		n.problem(n.at(key), badType, "must be a number", nil)
		return 0
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f)
	}
	n.problem(n.at(key), badType, "must be a number", text)
	return 0
}

func (n node) flag(key string) bool {
	switch v := n.m[key].(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		if b, err := strconv.ParseBool(v); err == nil {
			return b
		}
	}
	n.problem(n.at(key), badType, "must be true or false", nil)
	return false
}

// object reads a nested object.
func (n node) object(key string) (node, bool) {
	switch v := n.m[key].(type) {
	case nil:
		return node{}, false
	case map[string]any:
		return node{n.checker, n.at(key), v}, true
	}
	n.problem(n.at(key), badType, "must be an object", nil)
	return node{}, false
}

// list reads an array; what is there in another shape is a problem.
func (n node) list(key string) []any {
	switch v := n.m[key].(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	n.problem(n.at(key), badType, "must be an array", nil)
	return nil
}

// objects reads an array of objects; a null or other element is a problem.
func (n node) objects(key string) []node {
	list := n.list(key)
	nodes := make([]node, 0, len(list))
	for i, v := range list {
		m, ok := v.(map[string]any)
		if !ok {
			n.problem(n.item(key, i), badType, "must be an object", nil)
			continue
		}
		nodes = append(nodes, node{n.checker, n.item(key, i), m})
	}
	return nodes
}

// texts reads an array of texts.
func (n node) texts(key string) []string {
	list := n.list(key)
	if len(list) == 0 {
		return nil
	}
	out := make([]string, 0, len(list))
	for i, v := range list {
		text, ok := v.(string)
		if !ok {
			n.problem(n.item(key, i), badType, "must be a string", nil)
			continue
		}
		out = append(out, text)
	}
	return out
}

// addresses reads an array of mail addresses.
func (n node) addresses(key string) []string {
	list := n.texts(key)
	for i, v := range list {
		if !wellFormed(v) {
			n.problem(n.item(key, i), email, "not a well-formed email address", v)
		}
	}
	return list
}

// timeLayout is the only form of a date that is accepted.
const timeLayout = "2006-01-02T15:04:05Z"

// time reads a moment in unix seconds; ok is false when it is absent or malformed.
func (n node) time(key string) (int64, bool) {
	if !n.has(key) {
		return 0, false
	}
	before := len(n.errs)
	text := n.text(key)
	if len(n.errs) > before {
		return 0, false
	}
	t, err := time.Parse(timeLayout, text)
	if err != nil || len(text) != len(timeLayout) {
		n.problem(n.at(key), dateForm, "Malformed date, expected format is yyyy-MM-dd'T'HH:mm:ss'Z'", text)
		return 0, false
	}
	if n.set.FutureDates == "reject" && t.Unix() > n.now {
		n.problem(n.at(key), business, "must be in the past", text)
		return 0, false
	}
	return t.Unix(), true
}

// wellFormed is the service's idea of a mail address: one @, a dotted-atom or odd local part without blanks or list
// characters, and a domain of non-empty labels.
func wellFormed(address string) bool {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || local == "" || domain == "" || len(address) > 320 || strings.ContainsAny(address, " \t\r\n,;<>()[]\"\\:\x00") {
		return false
	}
	if strings.Contains(domain, "@") || strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
	}
	return utf8.ValidString(address)
}

// encode writes JSON as the service does: no escaping of <, > and &.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte("{}") // our own types always encode
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
