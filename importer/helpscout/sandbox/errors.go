package sandbox

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Media types of answers, exactly as recorded or documented.
const (
	halType   = "application/hal+json;charset=UTF-8"
	errorType = "application/vnd.error+json" // without charset: clients compare it as a whole
	plainType = "text/plain; charset=UTF-8"
	jsonType  = "application/json; charset=utf-8"
)

// docs is where error answers link to.
const docs = "http://developer.helpscout.net/mailbox-api/overview/errors"

// vndError is the body of every failure but those of the gateway.
// https://developer.helpscout.com/mailbox-api/overview/errors
type vndError struct {
	LogRef   string `json:"logRef"`
	Message  string `json:"message"`
	Embedded struct {
		Errors []fieldError `json:"errors"`
	} `json:"_embedded"`
	Links map[string]href `json:"_links"`
}

type fieldError struct {
	Path     string          `json:"path"`
	Message  string          `json:"message"`
	Rejected any             `json:"rejectedValue,omitempty"`
	Source   string          `json:"source"`
	Links    map[string]href `json:"_links"`
}

type href struct {
	Href string `json:"href"`
}

func (c *call) vnd(status int, message, rel, anchor string, fields []fieldError) reply {
	e := vndError{LogRef: c.correlation(), Message: message, Links: map[string]href{rel: {docs + anchor}}}
	e.Embedded.Errors = fields
	if fields == nil {
		e.Embedded.Errors = []fieldError{}
	}
	return reply{status: status, typ: errorType, body: encode(e), header: map[string]string{}}
}

// failure is an error about the whole request.
func (c *call) failure(status int, message string) reply {
	return c.vnd(status, message, "about", "", nil)
}

func (c *call) notFound() reply { return c.failure(http.StatusNotFound, "Not Found") }

// invalid is a 400 with the field errors that were found.
func (c *call) invalid(fields []fieldError) reply {
	return c.vnd(http.StatusBadRequest, "Bad request", "about", "", fields)
}

// unparsable is the recorded answer to a body that is no JSON.
func (c *call) unparsable() reply {
	return c.vnd(http.StatusBadRequest, "Error parsing request body into JSON", "self", "#invalid-json", nil)
}

func (c *call) tooLarge(limit int64) reply {
	return c.failure(http.StatusRequestEntityTooLarge, fmt.Sprintf("Request entity is larger than %d bytes", limit))
}

// throttled is the 429 of the gateway.
func (c *call) throttled(after time.Duration) reply {
	seconds := int((after + time.Second - 1) / time.Second)
	return reply{
		status: http.StatusTooManyRequests, typ: jsonType, body: []byte(`{"message":"API rate limit exceeded"}` + "\n"),
		header: map[string]string{"X-Ratelimit-Retry-After": strconv.Itoa(seconds)},
	}
}

// unauthorized is the 401 of the gateway, in the form of OAuth.
func unauthorized(code, text string) reply {
	challenge := `Bearer realm="service"`
	if code == "invalid_token" {
		challenge += ` error="invalid_token" error_description="` + text + `"`
	}
	return reply{
		status: http.StatusUnauthorized, typ: jsonType, header: map[string]string{"Www-Authenticate": challenge},
		body: []byte(`{"error_description":"` + text + `","error":"` + code + `"}` + "\n"),
	}
}

// correlation names the call in answers and logs: <uuid of the node>#<number>.
func (c *call) correlation() string {
	const nodes = 5
	return uuid(c.world.seed, 1000+c.number%nodes) + "#" + strconv.FormatUint(52_197_000+c.number*7, 10)
}

// rateHeaders go on every answer of the API; names as documented, in Go's canonical form.
// https://developer.helpscout.com/mailbox-api/overview/rate-limiting
func (c *call) rateHeaders(rp *reply, v verdict) {
	if c.set.QuotaLimit == 0 && c.set.QuotaUnlimited == "absent" || v.limit == 0 {
		return
	}
	rp.header["X-Ratelimit-Limit-Minute"] = strconv.Itoa(v.limit)
	rp.header["X-Ratelimit-Remaining-Minute"] = strconv.Itoa(v.remaining)
}

// commonHeaders are those of the recorded answers.
func (c *call) commonHeaders(rp *reply) {
	h := rp.header
	h["Access-Control-Allow-Origin"] = "*"
	h["Cache-Control"] = "no-cache, no-store, max-age=0, must-revalidate"
	h["Correlation-Id"] = c.correlation()
	h["Expires"] = "0"
	h["Pragma"] = "no-cache"
	h["X-Content-Type-Options"] = "nosniff"
	h["X-Frame-Options"] = "DENY"
	h["X-Xss-Protection"] = "1; mode=block"
}

// empty is an answer without a body: 204, or 201 with its headers.
func empty(status int) reply {
	return reply{status: status, typ: plainType, header: map[string]string{}}
}

// hal is a 200 with a document.
func hal(v any) reply {
	return reply{status: http.StatusOK, typ: halType, body: encode(v), header: map[string]string{}}
}
