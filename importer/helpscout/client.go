package helpscout

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// slowest is the rate, in bytes a second, below which a connection counts as dead.
const slowest = 64 << 10

// Options is what a [Client] needs to know. Only BaseURL, AppID and AppSecret are required.
type Options struct {
	BaseURL   string // https://api.helpscout.net, or the address of a sandbox; a trailing / or /v2 does no harm
	AppID     string
	AppSecret string
	UserAgent string

	// Transport carries every request, the token's too; nil: one of our own.
	Transport http.RoundTripper
	// Timeout is of one request without its body's share, 0: 60 s. Every 64 KiB sent or received add a second.
	Timeout time.Duration
	// Observe is told of every answer of the API (not of the token endpoint) as soon as its head is there. It may be
	// called by several goroutines at once.
	Observe func(Rate)
	// Grant is asked before each read; its error ends the read. Writes are granted by the caller beforehand.
	Grant func(ctx context.Context) error
	// Log gets one debug line for each request; nil: none.
	Log *slog.Logger
}

// Client speaks to one account. It is safe for use by several goroutines.
type Client struct {
	origin   string
	http     *http.Client
	tokens   *tokens
	clean    *cleaner
	agent    string
	timeout  time.Duration
	observe  func(Rate)
	grant    func(context.Context) error
	log      *slog.Logger
	noExpect atomic.Bool // the server does not know Expect: 100-continue
}

// New checks o and makes a client. It sends nothing: see [Client.Login].
func New(o Options) (*Client, error) {
	origin, err := originOf(o.BaseURL)
	if err != nil {
		return nil, err
	}
	if o.AppID == "" || o.AppSecret == "" {
		return nil, errors.New("the app id and the app secret are both needed to log in")
	}
	c := &Client{
		origin:  origin,
		agent:   o.UserAgent,
		timeout: o.Timeout,
		observe: o.Observe,
		grant:   o.Grant,
		log:     o.Log,
		clean:   newCleaner(o.AppSecret),
	}
	if c.agent == "" {
		c.agent = "hsimport"
	}
	if c.timeout <= 0 {
		c.timeout = time.Minute
	}
	if c.observe == nil {
		c.observe = func(Rate) {}
	}
	if c.grant == nil {
		c.grant = func(context.Context) error { return nil }
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	transport := o.Transport
	if transport == nil {
		transport = newTransport()
	}
	c.http = &http.Client{Transport: transport, CheckRedirect: stay}
	c.tokens = newTokens(c, o.AppID, o.AppSecret)
	return c, nil
}

// Origin is scheme://host[:port] of the API: part of a job's identity.
func (c *Client) Origin() string { return c.origin }

// Login fetches a token now, so that wrong credentials are known before anything else happens: an [Error] of kind
// [Stop].
func (c *Client) Login(ctx context.Context) error {
	_, err := c.tokens.get(ctx, "")
	return err
}

// CloseIdleConnections gives back what the transport keeps open.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

// stay keeps net/http from following a redirect: a write must never go out twice, and a token never elsewhere.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 256, 256 // as many as there may be workers
	t.MaxResponseHeaderBytes = 256 << 10
	// A connection that died while the machine slept is noticed by its pings.
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second}
	return t
}

// share is the time that so many bytes may take.
func share(bytes int64) time.Duration {
	return time.Duration(float64(bytes) / slowest * float64(time.Second))
}

// originOf checks a base URL and cuts it to its origin, in the one spelling that can be compared.
func originOf(base string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(base))
	if err != nil {
		return "", fmt.Errorf("base_url: %w", errors.Unwrap(err)) // without the URL, which may hold a password
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	path := strings.TrimSuffix(u.Path, "/")
	switch {
	case u.Scheme != "http" && u.Scheme != "https" || host == "":
		return "", errors.New("base_url: want https://HOST, as in https://api.helpscout.net")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || path != "" && path != "/v2":
		return "", fmt.Errorf("base_url: want only %s://%s, without user, path or query", u.Scheme, u.Host)
	case u.Scheme == "http" && (host == "helpscout.net" || strings.HasSuffix(host, ".helpscout.net")):
		return "", errors.New("base_url: use https, or the app secret would travel in the clear")
	}
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	if port != "" {
		return u.Scheme + "://" + net.JoinHostPort(host, port), nil
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return u.Scheme + "://" + host, nil
}
