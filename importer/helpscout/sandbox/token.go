package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// tokens are the access tokens, refresh tokens and codes that were given out.
// https://developer.helpscout.com/mailbox-api/overview/authentication
type tokens struct {
	mu      sync.Mutex
	seed    uint64
	serial  uint64
	live    map[string]time.Time // access tokens and when they die
	refresh map[string]bool
	codes   map[string]bool
}

func newTokens(seed uint64) *tokens {
	return &tokens{seed: seed, live: map[string]time.Time{}, refresh: map[string]bool{}, codes: map[string]bool{}}
}

func (t *tokens) name() string {
	t.serial++
	return strings.ReplaceAll(uuid(t.seed^0x746f6b656e, t.serial), "-", "")
}

// issue gives out an access token. Many may live at once: issuing one does not end another.
func (t *tokens) issue(now time.Time, life time.Duration) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.live) > 10_000 {
		for k, dies := range t.live {
			if !now.Before(dies) {
				delete(t.live, k)
			}
		}
	}
	name := t.name()
	t.live[name] = now.Add(life)
	return name
}

// revoke ends one token, or all of them.
func (t *tokens) revoke(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if name == "" {
		clear(t.live)
		return
	}
	delete(t.live, name)
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// check lets a call in whose token lives.
func (t *tokens) check(c *call) (reply, bool) {
	token := bearer(c.r)
	if token == "" {
		return unauthorized("invalid_request", "The access token is missing"), false
	}
	t.mu.Lock()
	dies, known := t.live[token]
	t.mu.Unlock()
	if !known || !c.now.Before(dies) {
		return unauthorized("invalid_token", "The access token is invalid or has expired"), false
	}
	c.user = c.world.owner()
	return reply{}, true
}

// serveToken answers the token endpoint, which takes JSON, form and query alike and costs no quota.
func (s *Sandbox) serveToken(ctx context.Context, r *http.Request) reply {
	began := time.Now()
	c := s.newCall(r)
	half := c.latency()
	s.sleep(half)
	c.now = time.Now()
	c.op = Op{Kind: "token", Method: r.Method, Path: r.URL.Path, Time: c.now}
	c.route = &route{kind: "token", handle: (*call).grant}
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return c.broken(err)
	}
	c.body, c.op.Body = body, body
	var rp reply
	fault := ""
	if f := c.fault.Load().next(&c.op); f != nil {
		rp, fault = s.befall(ctx, c, f), f.String()
	} else {
		rp = c.grant()
	}
	s.sleep(half)
	c.calls.add(c, rp, 0, fault, verdict{}, time.Since(began))
	return rp
}

// grant gives a token for credentials, a code or a refresh token.
func (c *call) grant() reply {
	if c.r.Method != http.MethodPost {
		return oauthError(http.StatusMethodNotAllowed, "invalid_request", "Only POST is allowed")
	}
	form, ok := c.tokenForm()
	if !ok {
		return oauthError(http.StatusBadRequest, "invalid_request", "The request body could not be read")
	}
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if basicID, basicSecret, ok := c.r.BasicAuth(); ok && id == "" {
		id, secret = basicID, basicSecret
	}
	any := c.opts.AppID == "" && c.opts.AppSecret == ""
	if id == "" || secret == "" || !any && (id != c.opts.AppID || secret != c.opts.AppSecret) {
		return oauthError(c.set.TokenError, "invalid_client", "Invalid client authentication")
	}
	t := c.auth
	next := ""
	switch form.Get("grant_type") {
	case "client_credentials":
	case "authorization_code":
		if next, ok = t.exchange(t.codes, form.Get("code")); !ok {
			return oauthError(http.StatusBadRequest, "invalid_grant", "Invalid code")
		}
	case "refresh_token":
		if next, ok = t.exchange(t.refresh, form.Get("refresh_token")); !ok {
			return oauthError(http.StatusBadRequest, "invalid_grant", "Invalid refresh_token")
		}
	default:
		return oauthError(http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type")
	}
	token := t.issue(c.now, c.set.TokenLifetime)
	text := fmt.Sprintf(`{"token_type":"bearer","access_token":"%s","expires_in":%d`, token, int64(c.set.TokenLifetime/time.Second))
	if next != "" {
		text += `,"refresh_token":"` + next + `"`
	}
	return tokenReply(http.StatusOK, text+"}\n")
}

// exchange uses up a code or refresh token and returns a fresh refresh token.
func (t *tokens) exchange(set map[string]bool, name string) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if name == "" || !set[name] {
		return "", false
	}
	delete(set, name)
	next := t.name()
	t.refresh[next] = true
	return next, true
}

// tokenForm reads the fields from wherever they are.
func (c *call) tokenForm() (url.Values, bool) {
	form := c.r.URL.Query()
	typ, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	switch {
	case len(c.body) == 0:
	case typ == "application/x-www-form-urlencoded":
		sent, err := url.ParseQuery(string(c.body))
		if err != nil {
			return nil, false
		}
		for k, v := range sent {
			form[k] = v
		}
	default:
		var sent map[string]any
		if json.Unmarshal(c.body, &sent) != nil {
			return nil, false
		}
		for k, v := range sent {
			if text, ok := v.(string); ok {
				form.Set(k, text)
			}
		}
	}
	return form, true
}

func tokenReply(status int, text string) reply {
	return reply{status: status, typ: jsonType, body: []byte(text), header: map[string]string{
		"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store", "Pragma": "no-cache",
	}}
}

func oauthError(status int, code, text string) reply {
	return tokenReply(status, fmt.Sprintf("{\"error\":%q,\"error_description\":%q}\n", code, text))
}

// serveAuthorize is the step of the authorization code grant that a person takes in a browser; here everybody agrees.
func (s *Sandbox) serveAuthorize(r *http.Request) reply {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if q.Get("client_id") == "" || err != nil {
		return oauthError(http.StatusBadRequest, "invalid_request", "client_id is missing or redirect_uri is malformed")
	}
	t := s.now.Load().auth
	t.mu.Lock()
	code := t.name()
	t.codes[code] = true
	t.mu.Unlock()
	v := back.Query()
	v.Set("code", code)
	if state := q.Get("state"); state != "" {
		v.Set("state", state)
	}
	back.RawQuery = v.Encode()
	if q.Get("redirect_uri") == "" {
		return tokenReply(http.StatusOK, "{\"code\":\""+code+"\"}\n")
	}
	return reply{status: http.StatusFound, typ: plainType, header: map[string]string{"Location": back.String()}}
}
