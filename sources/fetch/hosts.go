package fetch

import (
	"net/url"
	"slices"
	"strings"
)

// Hosts are names of hosts: exact ones, or .example.com for a domain and all below it. Case and ports do not count.
type Hosts []string

// Hold reports whether a host is one of those named.
func (h Hosts) Hold(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host != "" && slices.ContainsFunc(h, func(name string) bool { return matches(name, host) })
}

// matches says whether an entry means the host, which is in lower case.
func matches(entry, host string) bool {
	entry = strings.ToLower(strings.TrimSpace(entry))
	return host == strings.TrimPrefix(entry, ".") || strings.HasPrefix(entry, ".") && strings.HasSuffix(host, entry)
}

// maxAddress is the longest address that is asked for, in bytes; longer ones are data, not addresses.
const maxAddress = 8 << 10

// address reads a web address that a request can be made of.
func address(raw string) (*url.URL, bool) {
	if len(raw) > maxAddress {
		return nil, false
	}
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || !strings.EqualFold(u.Scheme, "http") && !strings.EqualFold(u.Scheme, "https") {
		return nil, false
	}
	return u, true
}

// HostOf is the host of a web address in lower case, without its port; empty when it is none.
func HostOf(raw string) string {
	u, ok := address(raw)
	if !ok {
		return ""
	}
	return strings.ToLower(u.Hostname())
}
