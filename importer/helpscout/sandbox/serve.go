package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// call is one request on its way through the account. Its handler must not depend on the connection: it may run after
// the client has gone.
type call struct {
	*Sandbox
	*account
	set    *Settings
	r      *http.Request
	op     Op
	route  *route
	ids    [3]int64 // of the path, in order
	badID  bool     // one of them is not positive
	body   []byte
	base   string // origin for links
	user   *User  // whom the token speaks for
	number uint64 // of the call, for its Correlation-Id
	now    time.Time
}

// reply is an answer before it is sent.
type reply struct {
	status int
	header map[string]string // in canonical form
	body   []byte
	typ    string
	drop   FaultKind // of a fault on the connection: Reset, Refused, Hang or Cut; else 0
}

// class is the limit of a body.
type class uint8

const (
	bodyNone class = iota
	bodyCreate
	bodyThread
	bodyUpload
	bodyOther
)

func (k class) limit(s *Settings) int64 {
	return [...]int64{64 << 10, s.MaxBodyCreate, s.MaxBodyThread, s.MaxBodyUpload, s.MaxBodyOther}[k]
}

// hardLimit bounds a body whatever the settings say.
const hardLimit = 256 << 20

type route struct {
	kind   string
	body   class
	handle func(*call) reply
}

// ServeHTTP answers the API under /v2 and /v3, the control endpoints under /_sandbox/ and the page under /.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rp := s.serve(r.Context(), r)
	if rp.drop != 0 {
		s.dropConn(w, r, rp)
		return
	}
	rp.writeHeader(w.Header())
	w.WriteHeader(rp.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(rp.body)
	}
}

// writeHeader puts the headers of the answer into h.
func (rp reply) writeHeader(h http.Header) {
	for k, v := range rp.header {
		h[k] = []string{v}
	}
	if rp.typ != "" {
		h["Content-Type"] = []string{rp.typ}
	}
	if rp.typ == halType {
		h["X-Content-Type-Options"] = []string{"nosniff", "nosniff"} // twice, as recorded
	}
	if rp.status != http.StatusNoContent {
		h["Content-Length"] = []string{strconv.Itoa(len(rp.body))}
	}
}

// serve finds the answer to a request; ctx ends when the client gives up.
func (s *Sandbox) serve(ctx context.Context, r *http.Request) reply {
	path := r.URL.Path
	if s.ctx.Err() != nil {
		return reply{drop: Refused} // closed
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	switch {
	case isAPI(path) && preflight(r) && s.set.Load().Preflight:
		return preflightAnswer(r)
	case strings.TrimSuffix(path, "/") == "/v2/oauth2/token":
		return s.serveToken(ctx, r)
	case isAPI(path):
		return s.serveAPI(ctx, r)
	case strings.HasPrefix(path, "/_sandbox"):
		return s.serveControl(r)
	case path == "/authentication/authorizeClientApplication":
		return s.serveAuthorize(r)
	}
	return s.servePage(r)
}

// isAPI says that a program meant the API, be it in a version that is gone or with a slash too many: what is not found
// there is a 404 of the API, never a page for people.
func isAPI(path string) bool {
	version, _, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
	return version == "v1" || version == "v2" || version == "v3"
}

// preflight says that a browser asks on behalf of a page whether it may call. It does so without a token.
func preflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// preflightAnswer allows it. That is a setting and off, for then any page in the browser can read what was imported here.
// https://fetch.spec.whatwg.org/#http-cors-protocol
func preflightAnswer(r *http.Request) reply {
	rp := empty(http.StatusNoContent)
	rp.header["Access-Control-Allow-Origin"] = "*"
	rp.header["Access-Control-Allow-Methods"] = "GET, HEAD, POST, PUT, PATCH, DELETE"
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		rp.header["Access-Control-Allow-Headers"] = asked
	}
	return rp
}

func (s *Sandbox) newCall(r *http.Request) *call {
	c := &call{Sandbox: s, account: s.now.Load(), set: s.set.Load(), r: r, now: time.Now()}
	c.number = c.calls.next()
	c.base = c.set.PublicURL
	if c.base == "" {
		scheme := "http"
		if r.TLS != nil || r.URL.Scheme == "https" {
			scheme = "https"
		}
		host := r.Host
		if host == "" {
			host = r.URL.Host
		}
		c.base = scheme + "://" + host
	}
	return c
}

// serveAPI is the way of an API call: latency, token, quota, route, body, fault, handler, latency.
func (s *Sandbox) serveAPI(ctx context.Context, r *http.Request) reply {
	began := time.Now()
	c := s.newCall(r)
	half := c.latency()
	s.sleep(half)
	c.now = time.Now()
	in := c.inFlight.Add(1)
	rp, units, fault, v := s.admit(ctx, c, int(in))
	c.inFlight.Add(-1)
	if rp.drop == 0 {
		s.sleep(half)
		c.rateHeaders(&rp, v)
		c.commonHeaders(&rp)
	}
	c.calls.add(c, rp, units, fault, v, time.Since(began))
	return rp
}

// admit checks a call at the gate and lets it in.
func (s *Sandbox) admit(ctx context.Context, c *call, inFlight int) (rp reply, units int, fault string, v verdict) {
	found, allowed := c.match()
	c.op.Method, c.op.Path, c.op.Time, c.op.ID = c.r.Method, c.r.URL.RequestURI(), c.now, c.ids[0]
	if rp, ok := c.auth.check(c); !ok {
		c.drain()
		return rp, 0, "", c.quota.look(c.now, c.set)
	}
	units = 2
	switch c.r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		units = 1
	case http.MethodPatch:
		units = c.set.QuotaPatchUnits
	}
	if cap := c.set.MaxInFlight; cap > 0 && inFlight > cap {
		c.drain()
		v = c.quota.look(c.now, c.set)
		return c.throttled(time.Second), 0, "", v
	}
	if v = c.quota.take(c.now, units, c.set); !v.ok {
		c.drain()
		return c.throttled(v.after), 0, "", v
	}
	switch {
	case !found:
		rp = c.notFound()
	case c.badID:
		rp = c.invalid([]fieldError{{
			Path: "id", Message: "must be greater than or equal to 1", Source: "PATH", Links: map[string]href{"about": {docs + "#" + minimum}},
		}})
	case allowed != "" && c.r.Method == http.MethodOptions:
		rp = empty(http.StatusOK)
		rp.header["Allow"] = allowed
	case allowed != "":
		rp = c.failure(http.StatusMethodNotAllowed, "Method Not Allowed")
		rp.header["Allow"] = allowed
	default:
		rp, fault = s.letIn(ctx, c)
	}
	c.drain()
	return rp, units, fault, v
}

// letIn reads the body, then runs the handler, with the fault that befalls it.
func (s *Sandbox) letIn(ctx context.Context, c *call) (reply, string) {
	if bad, ok := c.read(); !ok {
		return bad, ""
	}
	f := c.fault.Load().next(&c.op)
	if f == nil {
		return c.route.handle(c), ""
	}
	return s.befall(ctx, c, f), f.String()
}

// read takes in the body: 415 for what is not JSON, 413 for what is too large.
func (c *call) read() (reply, bool) {
	if c.r.Body == http.NoBody || c.route.body == bodyNone {
		return reply{}, true
	}
	limit := c.route.body.limit(c.set)
	if limit <= 0 || limit > hardLimit {
		limit = hardLimit
	}
	if c.r.ContentLength > limit {
		return c.tooLarge(limit), false
	}
	var buf []byte
	if n := c.r.ContentLength; n > 0 {
		buf = make([]byte, n)
		if _, err := io.ReadFull(c.r.Body, buf); err != nil {
			return c.broken(err), false
		}
	} else {
		var err error
		if buf, err = io.ReadAll(io.LimitReader(c.r.Body, limit+1)); err != nil {
			return c.broken(err), false
		}
		if int64(len(buf)) > limit {
			return c.tooLarge(limit), false
		}
	}
	if len(buf) > 0 && !isJSON(c.r.Header.Get("Content-Type")) {
		return c.failure(http.StatusUnsupportedMediaType, "Content type '"+c.r.Header.Get("Content-Type")+"' not supported"), false
	}
	if coding := c.r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return c.failure(http.StatusUnsupportedMediaType, "Content encoding '"+coding+"' not supported"), false
	}
	c.body, c.op.Body = buf, buf
	return reply{}, true
}

// broken answers a body that ended before its time; nothing was applied.
func (c *call) broken(err error) reply {
	return reply{drop: Reset, status: http.StatusBadRequest, body: []byte(err.Error())}
}

func isJSON(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && (t == "application/json" || strings.HasSuffix(t, "+json"))
}

// drain takes the rest of a body, so that a client that is still sending sees its answer.
func drain(body io.Reader) { _, _ = io.CopyN(io.Discard, body, 32<<20) }

// drain takes the rest of the body, unless the client waits to be asked for it.
func (c *call) drain() {
	if c.r.Header.Get("Expect") == "" {
		drain(c.r.Body)
	}
}

// match finds the route of the path and collects its ids. allowed is set when only the method is wrong.
func (c *call) match() (found bool, allowed string) {
	path := strings.TrimSuffix(c.r.URL.EscapedPath(), "/")
	if i := strings.IndexByte(path, ';'); i >= 0 {
		path = path[:i]
	}
	var key strings.Builder
	n := 0
	for part := range strings.SplitSeq(path[1:], "/") {
		key.WriteByte('/')
		id, err := strconv.ParseInt(part, 10, 64)
		if err != nil || n == len(c.ids) {
			key.WriteString(part)
			continue
		}
		c.ids[n] = id
		c.badID = c.badID || id < 1
		n++
		key.WriteByte('#')
	}
	methods := c.routes[key.String()]
	if methods == nil {
		return false, ""
	}
	method := c.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if c.route = methods[method]; c.route != nil {
		c.op.Kind = c.route.kind
		return true, ""
	}
	for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		if methods[m] != nil {
			allowed += ", " + m
		}
		if m == "GET" && methods[m] != nil {
			allowed += ", HEAD"
		}
	}
	return true, allowed[2:]
}

// befall gives a call its fault.
func (s *Sandbox) befall(ctx context.Context, c *call, f *Fault) reply {
	var real reply
	if f.Apply == ApplyBefore || f.Kind == Slow || f.Kind == Cut {
		real = c.route.handle(c)
	}
	late := func() {
		if f.Apply == ApplyLate {
			again := *c // the call itself goes on to its answer
			again.op.Late = true
			s.later(f.Late, func() { again.now = time.Now(); again.route.handle(&again) })
		}
	}
	switch f.Kind {
	case Hang:
		hold := f.After
		if hold == 0 {
			hold = c.set.HangMax
		}
		s.hang(ctx, hold)
		late()
		return reply{drop: Reset}
	case Reset, Refused:
		late()
		return reply{drop: f.Kind}
	case Slow:
		s.sleep(cmpOr(f.After, 30*time.Second))
		return real
	case Cut:
		real.drop = Cut
		return real
	}
	late()
	return c.faultAnswer(f)
}

func cmpOr(d, other time.Duration) time.Duration {
	if d == 0 {
		return other
	}
	return d
}

// hang holds a call until the client gives up, the time is over or the sandbox closes.
func (s *Sandbox) hang(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-s.done:
	}
}

// faultAnswer is what gateways and broken services say.
func (c *call) faultAnswer(f *Fault) reply {
	const page = "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
	html := func(status int) reply {
		title := fmt.Sprintf("%d %s", status, http.StatusText(status))
		if status == http.StatusOK {
			title = "Service maintenance"
		}
		return reply{status: status, typ: "text/html", body: fmt.Appendf(nil, page, title, title), header: map[string]string{}}
	}
	switch {
	case f.Kind == HTML:
		return html(http.StatusOK)
	case f.Kind == Empty:
		return reply{status: http.StatusOK, typ: "text/plain; charset=UTF-8", header: map[string]string{}}
	case f.Code == http.StatusTooManyRequests:
		after := f.After
		if after == 0 {
			after = c.quota.fits(c.now, c.set.QuotaLimit, c.set)
		}
		return c.throttled(after)
	case f.Code == http.StatusUnauthorized:
		c.auth.revoke(bearer(c.r))
		return unauthorized("invalid_token", "The access token is invalid or has expired")
	case f.Code == http.StatusInternalServerError:
		return c.failure(f.Code, "Internal error")
	case f.Code >= 500:
		return html(f.Code)
	case f.Code < 400:
		rp := html(f.Code)
		rp.header["Location"] = c.base + "/maintenance"
		return rp
	}
	return c.failure(f.Code, http.StatusText(f.Code))
}

// dropConn ends the connection in the way of the fault.
func (s *Sandbox) dropConn(w http.ResponseWriter, r *http.Request, rp reply) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if errors.Is(err, http.ErrNotSupported) || err != nil {
		panic(http.ErrAbortHandler) // HTTP/2: the stream is reset
	}
	defer conn.Close()
	if rp.drop == Cut {
		head := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n", rp.status, http.StatusText(rp.status), rp.typ, len(rp.body)+100)
		_, _ = io.WriteString(conn, head+"\r\n")
		_, _ = conn.Write(rp.body[:len(rp.body)/2])
	}
	if tcp, ok := conn.(*net.TCPConn); ok && rp.drop != Cut {
		_ = tcp.SetLinger(0)
	}
}
