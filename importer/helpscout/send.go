package helpscout

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// How much of an answer is read, in bytes.
const (
	limitWords = 64 << 10 // answers that are not a success, and those of writes
	limitList  = 32 << 20
	limitData  = 64 << 20 // the base64 of an attachment
)

// expectFrom is the size from which a body waits for the server's leave: one that is refused as too large would
// otherwise be cut off by a reset, which looks like a request in doubt.
const expectFrom = 1 << 20

// call is one request.
type call struct {
	method, path string
	query        url.Values
	body         *Body
	limit        int64 // bytes of a successful answer that are of use
}

func (q call) write() bool { return q.method != http.MethodGet }

// answer is the head and the body of what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error // the body is not whole
}

// do sends q, and once more where an answer proves that it was not applied and another try may help. It returns a
// success (2xx), an *Error, or the error of ctx when the request never began.
func (c *Client) do(ctx context.Context, q call) (*answer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !q.write() {
		if err := c.grant(ctx); err != nil {
			return nil, err
		}
	}
	token, err := c.tokens.get(ctx, "")
	if err != nil {
		return nil, err
	}
	fresh := false
	for {
		a, err := c.once(ctx, q, token)
		switch {
		case err != nil:
			return nil, err
		case a.status == http.StatusUnauthorized && !fresh:
			fresh = true
			if token, err = c.tokens.get(ctx, token); err != nil {
				return nil, err
			}
			continue
		case a.status == http.StatusExpectationFailed && q.body != nil && !c.noExpect.Swap(true):
			continue
		case a.status >= 200 && a.status < 300:
			return a, nil
		}
		return nil, c.refusal(q, a)
	}
}

// once sends q one time and reads the answer, whatever its status.
func (c *Client) once(ctx context.Context, q call, token string) (*answer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w := &watch{}
	timed, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(c.timeout+share(q.size()), func() { cancel(errTimeout) })
	defer timer.Stop()
	req, err := c.request(w.trace(timed), q, token, w)
	if err != nil {
		return nil, err
	}
	sent := time.Now()
	resp, err := c.http.Do(req)
	if err != nil {
		c.log.Debug("no answer", "method", q.method, "path", q.path, "took", time.Since(sent), "err", c.clean.error(err))
		return nil, c.noAnswer(ctx, timed, q, w, err)
	}
	defer resp.Body.Close()
	head := time.Now()
	c.observe(rateOf(q, resp, sent, head))
	limit := int64(limitWords)
	if resp.StatusCode < 300 {
		limit = max(limit, q.limit)
	}
	resp.Body = &paced{ReadCloser: resp.Body, progress: func(n int64) {
		timer.Reset(time.Until(head.Add(c.timeout + share(n))))
	}}
	a := &answer{status: resp.StatusCode, header: resp.Header}
	a.body, a.err = readBody(resp, limit)
	if a.err != nil && context.Cause(timed) == errTimeout {
		a.err = errTimeout
	}
	c.log.Debug("answer", "method", q.method, "path", q.path, "status", a.status, "took", time.Since(sent),
		"correlation", c.clean.text(resp.Header.Get("Correlation-Id"), 100))
	return a, nil
}

func (q call) size() int64 {
	if q.body == nil {
		return 0
	}
	return q.body.Size()
}

// request builds the request. GetBody is set, so that net/http may begin again where it has written nothing.
func (c *Client) request(ctx context.Context, q call, token string, w *watch) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, q.method, c.origin+q.path, nil)
	if err != nil {
		return nil, fmt.Errorf("%s %s: not a request that can be sent: %w", q.method, q.path, c.clean.error(err))
	}
	req.URL.RawQuery = q.query.Encode()
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.agent)
	if q.body == nil {
		return req, nil
	}
	req.Header.Set("Content-Type", "application/json")
	req.ContentLength = q.body.Size()
	req.GetBody = func() (io.ReadCloser, error) { return q.body.reader(w.bodyFailed), nil }
	req.Body = q.body.reader(w.bodyFailed)
	if q.body.Size() >= expectFrom && !c.noExpect.Load() {
		req.Header.Set("Expect", "100-continue")
	}
	return req, nil
}

var errTimeout = errors.New("no complete answer in time")

// watch sees how far a request came.
type watch struct {
	asked, got atomic.Bool // a connection was asked for; it was there
	body       atomic.Pointer[BodyError]
}

func (w *watch) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// net/http asks again only where it has written nothing so far.
		GetConn: func(string) { w.asked.Store(true); w.got.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { w.got.Store(true) },
	})
}

func (w *watch) bodyFailed(err error) {
	var e *BodyError
	if errors.As(err, &e) {
		w.body.Store(e)
	}
}

// unsent reports whether err proves that not a byte of the request was written. A transport that is not net/http's
// tells nothing but by its error.
func (w *watch) unsent(err error) bool {
	if w.asked.Load() {
		return !w.got.Load()
	}
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns)
}

// noAnswer sorts a request that brought no head of an answer.
func (c *Client) noAnswer(ctx, timed context.Context, q call, w *watch, err error) error {
	e := &Error{Kind: InDoubt, Method: q.method, Path: q.path, Err: c.clean.error(err)}
	unsent := w.unsent(err)
	switch {
	case w.body.Load() != nil:
		e.Kind, e.Err = Rejected, w.body.Load()
	case ctx.Err() != nil && (unsent || !q.write()):
		return ctx.Err()
	case ctx.Err() != nil:
		e.Err = ctx.Err()
	case unsent:
		e.Kind = Wait
	case context.Cause(timed) == errTimeout:
		e.Err = errTimeout
	}
	return e
}

// paced tells how many bytes of the answer's body have come so far.
type paced struct {
	io.ReadCloser
	n        int64
	progress func(int64)
}

func (p *paced) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	p.n += int64(n)
	p.progress(p.n)
	return n, err
}

var errTooLong = errors.New("the answer is larger than anything expected")

// readBody reads at most limit bytes, unpacking what a gateway packed unasked. What was read is returned with the
// error, if any.
func readBody(resp *http.Response, limit int64) ([]byte, error) {
	var src io.Reader = resp.Body
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		zr, err := gzip.NewReader(resp.Body)
		if err == io.EOF {
			return nil, nil // an empty body, however it is labelled
		}
		if err != nil {
			return nil, err
		}
		src = zr
	}
	body, err := io.ReadAll(io.LimitReader(src, limit+1))
	if int64(len(body)) > limit {
		return body[:limit], errTooLong
	}
	return body, err
}

// rateOf reads what an answer says of the quota.
// https://developer.helpscout.com/mailbox-api/overview/rate-limiting
func rateOf(q call, resp *http.Response, sent, received time.Time) Rate {
	return Rate{
		Limit:     count(resp.Header.Get("X-RateLimit-Limit-Minute")),
		Remaining: count(resp.Header.Get("X-RateLimit-Remaining-Minute")),
		After:     retryAfter(resp.Header),
		Sent:      sent,
		Received:  received,
		Date:      dateOf(resp.Header),
		Status:    resp.StatusCode,
		Write:     q.write(),
	}
}

// dateOf is the server's clock; zero when it does not tell.
func dateOf(h http.Header) time.Time {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return at
}

// count reads a number of units; -1 when there is none.
func count(s string) int {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 32)
	if err != nil || n < 0 {
		return -1
	}
	return int(n)
}

// longest is the longest wait that is believed; the quota's window is a minute.
const longest = time.Hour

// retryAfter is how long the server asks to wait; 0 when it does not say. Help Scout's own header comes first.
func retryAfter(h http.Header) time.Duration {
	for _, name := range []string{"X-RateLimit-Retry-After", "Retry-After"} {
		v := strings.TrimSpace(h.Get(name))
		if v == "" {
			continue
		}
		if s, err := strconv.ParseFloat(v, 64); err == nil {
			if s >= 0 { // not so for NaN
				return time.Duration(min(s, longest.Seconds()) * float64(time.Second))
			}
			continue
		}
		if at, err := http.ParseTime(v); err == nil {
			now := time.Now()
			if t, err := http.ParseTime(h.Get("Date")); err == nil {
				now = t // both by the server's clock
			}
			return min(max(0, at.Sub(now)), longest)
		}
	}
	return 0
}
