package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"syscall"
	"time"
)

// transport dials by itself and through no proxy, so that guard sees every address.
func (f *Fetcher) transport() *http.Transport {
	dialer := &net.Dialer{Timeout: 30 * time.Second, ControlContext: f.guard}
	return &http.Transport{
		DialContext: dialer.DialContext, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 30 * time.Second, ResponseHeaderTimeout: f.o.Timeout, MaxResponseHeaderBytes: 1 << 20,
		DisableCompression: true, // a file is what the server has, not what it unpacks to
	}
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
	ip := ap.Addr().Unmap().WithZone("")
	inside := slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(ip) })
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || inside {
		return errPrivate
	}
	return nil
}

var (
	errPrivate = errors.New("it leads to a private address")
	errLoop    = errors.New("it redirects more than 10 times")
	errScheme  = errors.New("it redirects to something that is no web address")
	// special are further networks that are not the public internet (RFC 6890), or that hide an IPv4 address.
	special = []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
		netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
		netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("2002::/16"),
		netip.MustParsePrefix("fec0::/10"), netip.MustParsePrefix("::/96"),
	}
)

// redirect sends the headers of a host to that host alone, and tells none where the request comes from: the address
// before may hold a token.
func (f *Fetcher) redirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errLoop
	}
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return errScheme
	}
	req.Header.Del("Referer")
	f.dress(req)
	return nil
}

// whyNot words an error of the network without the URL, which stands beside it. final: asking again at once is no use.
func whyNot(err error) (why string, final bool) {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var host x509.HostnameError
	var op *net.OpError
	switch {
	case errors.Is(err, errPrivate):
		return errPrivate.Error(), true
	case errors.Is(err, errLoop), errors.Is(err, errScheme):
		return err.Error(), true
	case errors.As(err, &dns):
		return "its host is not known", dns.IsNotFound
	case errors.As(err, &certificate), errors.As(err, &host):
		return "the server's certificate cannot be trusted", true
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "it took too long", false
	case errors.Is(err, syscall.ECONNREFUSED):
		return "its host refuses connections", false
	case errors.Is(err, syscall.ECONNRESET):
		return "its host closed the connection", false
	case errors.As(err, &op):
		return "its host cannot be reached", false
	}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "it took too long", false
	}
	return err.Error(), false
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
