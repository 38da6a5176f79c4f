package fetch

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Options says what may be fetched, and how.
type Options struct {
	// Hosts are those that may be asked. A host that is not named is never contacted but by a redirect from one that is.
	Hosts Hosts
	// Headers are sent to one host alone, named as in Hosts, and never along a redirect elsewhere: cookies and tokens of
	// the old desk. They never go out unencrypted, but with AllowPrivate.
	Headers map[string]http.Header
	// MaxSize is the largest file in bytes; 0: 100 MiB.
	MaxSize int64
	// PerSecond is the number of requests a second; 0: 5.
	PerSecond float64
	// AllowPrivate permits loopback, private and link-local addresses, for a desk in one's own network.
	AllowPrivate bool
	// Timeout is of one file; 0: 2 minutes.
	Timeout time.Duration
	// Pause is waited before a second attempt, twice that before a third; 0: 1 s.
	Pause time.Duration
	// UserAgent names the program; empty: Go's own.
	UserAgent string
}

func (o Options) withDefaults() Options {
	if o.MaxSize == 0 {
		o.MaxSize = 100 << 20
	}
	if o.PerSecond == 0 {
		o.PerSecond = 5
	}
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Minute
	}
	if o.Pause == 0 {
		o.Pause = time.Second
	}
	return o
}

// A Fetcher brings URLs into a store. It is safe for concurrent use.
type Fetcher struct {
	store  *Store
	o      Options
	client *http.Client
	pace   *rate.Limiter
}

// New returns a fetcher that fills store, which was opened with Create.
func New(store *Store, o Options) *Fetcher {
	o = o.withDefaults()
	f := &Fetcher{store: store, o: o, pace: rate.NewLimiter(rate.Limit(o.PerSecond), 1)}
	f.client = &http.Client{Timeout: o.Timeout, Transport: f.transport(), CheckRedirect: f.redirect}
	return f
}

// Get returns what the URL gives, from the store if it is there. A URL that gives nothing is an Object with a Failure;
// an error is about the store or the context.
func (f *Fetcher) Get(ctx context.Context, rawURL string) (Object, error) {
	if o, ok := f.store.Find(rawURL); ok && f.store.has(o) {
		return o, nil
	}
	o := Object{URL: rawURL}
	u, ok := address(rawURL)
	switch {
	case len(rawURL) > maxAddress:
		o.Failure = "its address is too long to be asked for"
		return o, nil // nor is there a line for it in the log
	case !ok:
		o.Failure = "it is no http or https address"
	case !f.o.Hosts.Hold(u.Hostname()):
		o.Failure, o.Passing = "its host "+u.Hostname()+" is not among the hosts that may be asked", true
	default:
		if err := f.try(ctx, &o); err != nil {
			return o, err
		}
	}
	return o, f.store.note(o)
}

// try asks up to three times while the server has passing troubles.
func (f *Fetcher) try(ctx context.Context, o *Object) error {
	for attempt := range 3 {
		if err := f.pace.Wait(ctx); err != nil {
			return err
		}
		again, wait, err := f.once(ctx, o)
		if err != nil || !again || attempt == 2 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(wait, f.o.Pause<<attempt)):
		}
	}
	return nil
}

// fail notes why there is no content. passing: a later run may do better by itself.
func (o *Object) fail(passing bool, format string, args ...any) {
	o.Failure, o.Passing = fmt.Sprintf(format, args...), passing
}

// once asks once. again says that asking again may help, after wait.
func (f *Fetcher) once(ctx context.Context, o *Object) (again bool, wait time.Duration, err error) {
	*o = Object{URL: o.URL}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL, nil)
	if err != nil {
		o.fail(false, "it is no address that can be asked for")
		return false, 0, nil
	}
	if f.o.UserAgent != "" {
		req.Header.Set("User-Agent", f.o.UserAgent)
	}
	f.dress(req)
	resp, err := f.client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return false, 0, ctx.Err()
		}
		why, final := whyNot(err)
		o.fail(true, "%s", why)
		return !final, 0, nil
	}
	defer resp.Body.Close()
	switch status := resp.StatusCode; {
	case status == http.StatusOK && resp.ContentLength > f.o.MaxSize:
		o.fail(false, "it has %d bytes, more than the %d allowed", resp.ContentLength, f.o.MaxSize)
		return false, 0, nil
	case status == http.StatusOK && !plainEncoding(resp.Header.Get("Content-Encoding")):
		o.fail(false, "the server sent it encoded, although it was not asked to")
		return false, 0, nil
	case status == http.StatusOK:
		return f.receive(ctx, o, resp)
	case status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500:
		o.fail(true, "the server answered %s", statusText(status))
		return true, retryAfter(resp.Header.Get("Retry-After")), nil
	default:
		o.fail(false, "the server answered %s%s", statusText(status), f.advice(resp))
		return false, 0, nil
	}
}

func plainEncoding(s string) bool { return s == "" || strings.EqualFold(s, "identity") }

// statusText is the status in our words: a server's own are nobody's to trust.
func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("%d %s", status, text)
	}
	return fmt.Sprint(status)
}

// advice says what a refusal may mean.
func (f *Fetcher) advice(resp *http.Response) string {
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		u := resp.Request.URL
		switch dressed := f.headersFor(u.Hostname()); {
		case dressed != nil && !f.mayDress(u):
			return "; its headers were kept back, because the address is not encrypted"
		case dressed != nil:
			return "; the headers for its host may be out of date, or the link has expired"
		}
		return "; the link may have expired, or its host wants headers"
	case http.StatusNotFound, http.StatusGone:
		return "; the link may have expired"
	}
	return ""
}

// receive stores the body.
func (f *Fetcher) receive(ctx context.Context, o *Object, resp *http.Response) (again bool, wait time.Duration, err error) {
	temp, err := os.CreateTemp(filepath.Join(f.store.dir, "objects"), tempName)
	if err != nil {
		return false, 0, storeError(f.store.dir, err)
	}
	defer os.Remove(temp.Name()) // gone already when all went well
	defer temp.Close()
	body, err := copyBody(temp, resp.Body, f.o.MaxSize)
	switch {
	case ctx.Err() != nil:
		return false, 0, ctx.Err()
	case body.err != nil:
		why, _ := whyNot(body.err)
		o.fail(true, "the transfer broke off: %s", why)
		return true, 0, nil
	case err != nil:
		return false, 0, storeError(f.store.dir, err)
	case body.n > f.o.MaxSize:
		o.fail(false, "it has more than the %d bytes allowed", f.o.MaxSize)
		return false, 0, nil
	}
	o.describe(resp, body.head)
	if notAFile(o, resp, body.head) {
		o.fail(false, "the server sent a web page instead of a file; a login page?")
		return false, 0, nil
	}
	if err := temp.Sync(); err != nil {
		return false, 0, storeError(f.store.dir, err)
	}
	o.SHA256, o.Size = body.digest(), body.n
	return false, 0, f.store.put(temp.Name(), o.SHA256)
}

// headersFor are the headers of a host, or nil; an exact name goes before a domain, a longer one before a shorter.
func (f *Fetcher) headersFor(host string) http.Header {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	best := ""
	for name := range f.o.Headers {
		if !matches(name, host) {
			continue
		}
		if best == "" || better(name, best) {
			best = name
		}
	}
	return f.o.Headers[best]
}

func better(a, b string) bool {
	if aa, bb := strings.HasPrefix(a, "."), strings.HasPrefix(b, "."); aa != bb {
		return bb
	}
	return len(a) > len(b) || len(a) == len(b) && a < b
}

// mayDress says whether headers may go to an address: not where others could read them on the way.
func (f *Fetcher) mayDress(u *url.URL) bool { return u.Scheme == "https" || f.o.AllowPrivate }

// dress puts the headers of its host on a request, and takes those of every other host off.
func (f *Fetcher) dress(req *http.Request) {
	for _, headers := range f.o.Headers {
		for name := range headers {
			req.Header.Del(name)
		}
	}
	if !f.mayDress(req.URL) {
		return
	}
	for name, values := range f.headersFor(req.URL.Hostname()) {
		req.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
}
