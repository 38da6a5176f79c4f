package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/time/rate"
)

// Options says what may be fetched, and how.
type Options struct {
	// Hosts are those that may be asked: exact names, or .example.com for a domain and all below it. A host that is not
	// named is never contacted but by a redirect from one that is.
	Hosts []string
	// Headers are sent to Hosts alone, never along a redirect elsewhere: cookies and tokens of the old desk.
	Headers http.Header
	// MaxSize is the largest file in bytes; 0: 100 MiB.
	MaxSize int64
	// PerSecond is the number of requests a second; 0: 5.
	PerSecond float64
	// AllowPrivate permits loopback, private and link-local addresses, for a desk in one's own network.
	AllowPrivate bool
	// Timeout is of one file; 0: 2 minutes.
	Timeout time.Duration
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
	if o.MaxSize == 0 {
		o.MaxSize = 100 << 20
	}
	if o.PerSecond == 0 {
		o.PerSecond = 5
	}
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Minute
	}
	f := &Fetcher{store: store, o: o, pace: rate.NewLimiter(rate.Limit(o.PerSecond), 1)}
	dialer := &net.Dialer{Timeout: 30 * time.Second, ControlContext: f.guard}
	f.client = &http.Client{
		Timeout:       o.Timeout,
		Transport:     &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute},
		CheckRedirect: f.redirect,
	}
	return f
}

// guard sees the address that is really dialled, after every lookup and redirect, so that no name can lead inside.
func (f *Fetcher) guard(_ context.Context, _, address string, _ syscall.RawConn) error {
	if f.o.AllowPrivate {
		return nil
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %s: %w", address, err)
	}
	ip := ap.Addr().Unmap()
	inside := slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(ip) })
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || inside {
		return errPrivate
	}
	return nil
}

var (
	errPrivate = errors.New("it leads to a private address")
	// special are further networks that are not the public internet (RFC 6890), or that hide an IPv4 address.
	special = []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
		netip.MustParsePrefix("2002::/16"),
	}
)

// redirect sends the headers of the old desk only to its own hosts.
func (f *Fetcher) redirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("more than 10 redirects")
	}
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return errors.New("it redirects to " + req.URL.Scheme)
	}
	for name, values := range f.o.Headers {
		if req.Header.Del(name); f.allowed(req.URL) {
			req.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	return nil
}

// allowed reports whether the URL's host is one of those named.
func (f *Fetcher) allowed(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	return slices.ContainsFunc(f.o.Hosts, func(h string) bool {
		h = strings.ToLower(h)
		return host == strings.TrimPrefix(h, ".") || strings.HasPrefix(h, ".") && strings.HasSuffix(host, h)
	})
}

// Get returns what the URL gives, from the store if it is there. A URL that gives nothing is an Object with a Failure,
// which the next run tries again; an error is about the store or the context.
func (f *Fetcher) Get(ctx context.Context, rawURL string) (Object, error) {
	if o, ok := f.store.Find(rawURL); ok && o.Failure == "" {
		if r, err := f.store.Content(o.SHA256); err == nil {
			return o, r.Close()
		}
	}
	o := Object{URL: rawURL}
	u, err := url.Parse(rawURL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		o.Failure = "it is no http or https address"
	case !f.allowed(u):
		o.Failure = "its host " + u.Hostname() + " is not among the hosts that may be asked"
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
		case <-time.After(max(wait, time.Second<<attempt)):
		}
	}
	return nil
}

// once asks once. again says that asking again may help, after wait.
func (f *Fetcher) once(ctx context.Context, o *Object) (again bool, wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL, nil)
	if err != nil {
		o.Failure = "it is no address that can be asked for"
		return false, 0, nil
	}
	for name, values := range f.o.Headers {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	resp, err := f.client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return false, 0, ctx.Err()
		}
		o.Failure = whyNot(err)
		return !errors.Is(err, errPrivate), 0, nil
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		o.Failure = "the server answered " + resp.Status
		return true, retryAfter(resp.Header.Get("Retry-After")), nil
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		o.Failure = "the server answered " + resp.Status + "; the link may have expired"
		return false, 0, nil
	case resp.StatusCode != http.StatusOK:
		o.Failure = "the server answered " + resp.Status
		return false, 0, nil
	case resp.ContentLength > f.o.MaxSize:
		o.Failure = fmt.Sprintf("it has %d bytes, more than the %d allowed", resp.ContentLength, f.o.MaxSize)
		return false, 0, nil
	}
	return f.receive(ctx, o, resp)
}

// receive stores the body.
func (f *Fetcher) receive(ctx context.Context, o *Object, resp *http.Response) (again bool, wait time.Duration, err error) {
	o.MIMEType, _, _ = mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if _, params, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition")); err == nil {
		o.Name = path.Base(strings.ReplaceAll(params["filename"], `\`, "/"))
	}
	if loginPage(o, resp) {
		o.Failure = "the server sent a web page instead of a file; a login page?"
		return false, 0, nil
	}
	temp, err := os.CreateTemp(filepath.Join(f.store.dir, "objects"), "part-*")
	if err != nil {
		return false, 0, err
	}
	defer os.Remove(temp.Name()) // gone already when all went well
	defer temp.Close()
	h := sha256.New()
	body := &counted{r: io.LimitReader(resp.Body, f.o.MaxSize+1)}
	_, err = io.Copy(io.MultiWriter(temp, h), body)
	switch {
	case ctx.Err() != nil:
		return false, 0, ctx.Err()
	case body.err != nil:
		o.Failure = "the transfer broke off: " + whyNot(body.err)
		return true, 0, nil
	case err != nil:
		return false, 0, fmt.Errorf("write the folder of fetched files: %w", err)
	case body.n > f.o.MaxSize:
		o.Failure = fmt.Sprintf("it has more than the %d bytes allowed", f.o.MaxSize)
		return false, 0, nil
	}
	if err := temp.Sync(); err != nil {
		return false, 0, err
	}
	o.SHA256, o.Size, o.Failure = hex.EncodeToString(h.Sum(nil)), body.n, ""
	return false, 0, f.store.put(temp.Name(), o.SHA256)
}

// counted counts a body's bytes and keeps its error apart from those of the disk.
type counted struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// loginPage reports whether the answer is HTML that nobody asked for: the URL names another kind of file, or the
// request was led away to a page of another path.
func loginPage(o *Object, resp *http.Response) bool {
	if o.MIMEType != "text/html" && o.MIMEType != "application/xhtml+xml" {
		return false
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Disposition")); kind == "attachment" {
		return false // the desk says itself that it is a file
	}
	u, err := url.Parse(o.URL)
	if err != nil {
		return true
	}
	ext := strings.ToLower(path.Ext(u.Path))
	return ext != ".html" && ext != ".htm" || resp.Request.URL.Path != u.Path
}

// whyNot words an error of the network without the URL, which stands beside it.
func whyNot(err error) string {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	var dns *net.DNSError
	switch {
	case errors.Is(err, errPrivate):
		return errPrivate.Error()
	case errors.As(err, &dns):
		return "its host is not known"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "it took too long"
	}
	return err.Error()
}

// retryAfter reads the header in both of its forms (RFC 9110 section 10.2.3), up to a minute.
func retryAfter(header string) time.Duration {
	var wait time.Duration
	if d, err := time.ParseDuration(header + "s"); err == nil {
		wait = d
	} else if at, err := http.ParseTime(header); err == nil {
		wait = time.Until(at)
	}
	return min(max(wait, 0), time.Minute)
}
