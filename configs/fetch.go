package configs

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"hsimport/mapping"
)

// DefaultFolder is where fetched files are kept, beside the configuration.
const DefaultFolder = "fetched"

// Fetch says how hsimport fetch brings files from the old desk, and where everything else finds them.
type Fetch struct {
	Folder string `yaml:"folder"` // absolute after Resolve
	// Hosts may be asked beside legacy_hosts: exact names, or .example.com for all below it.
	Hosts []string `yaml:"hosts"`
	// Headers are what a host asks for, by host and name.
	Headers      map[string]map[string]Template `yaml:"headers"`
	MaxSize      mapping.Size                   `yaml:"max_size"` // bytes of one file; 0: 100 MiB
	Rate         int                            `yaml:"rate"`     // requests a second; 0: 5
	AllowPrivate bool                           `yaml:"allow_private"`
}

// A Template is a value with ${NAME} in it that is filled in where it is used, and nowhere kept: a secret may be in it.
type Template string

// UnmarshalText keeps the text as it was written.
func (t *Template) UnmarshalText(text []byte) error { *t = Template(text); return nil }

// Expand replaces ${NAME} by the environment's NAME and $$ by $. The error names the variable, never its value.
func (t Template) Expand(env func(string) (string, bool)) (string, error) {
	var b strings.Builder
	rest := string(t)
	for {
		before, after, found := strings.Cut(rest, "$")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		switch {
		case strings.HasPrefix(after, "$"):
			b.WriteByte('$')
			rest = after[1:]
		case strings.HasPrefix(after, "{"):
			name, tail, closed := strings.Cut(after[1:], "}")
			if !closed || !isVariable(name) {
				return "", fmt.Errorf("${%s is not a variable", strings.Trim(shorten(name), `"`))
			}
			value, set := env(name)
			if !set || value == "" {
				return "", fmt.Errorf("the environment variable %s is not set", name)
			}
			b.WriteString(value)
			rest = tail
		default:
			b.WriteByte('$')
			rest = after
		}
	}
}

// hasVariable reports whether something of the value comes from the environment.
func (t Template) hasVariable() bool {
	return strings.Contains(strings.ReplaceAll(string(t), "$$", ""), "${")
}

// FetchHosts are all hosts that may be asked for files.
func (c *Config) FetchHosts() []string {
	hosts := slices.Concat(c.Source.Fetch.Hosts, c.LegacyHosts())
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// LegacyHosts are those of the section of the source's kind.
func (c *Config) LegacyHosts() []string {
	switch c.Source.Kind {
	case CSV:
		return c.Source.CSV.LegacyHosts
	case JSON:
		return c.Source.JSON.LegacyHosts
	case Mbox:
		return c.Source.Mbox.LegacyHosts
	}
	return nil
}

// FetchHeaders fills in the headers of each host. The error names the key and the variable that is not set.
func (c *Config) FetchHeaders(env func(string) (string, bool)) (map[string]http.Header, error) {
	all := map[string]http.Header{}
	for host, headers := range c.Source.Fetch.Headers {
		h := http.Header{}
		for name, template := range headers {
			value, err := template.Expand(env)
			if err == nil && strings.ContainsAny(value, "\r\n\x00") {
				err = fmt.Errorf("its value holds a line break")
			}
			if err != nil {
				return nil, fmt.Errorf("%s: source.fetch.headers: %s of %s: %w", c.Path, name, host, err)
			}
			h.Set(name, value)
		}
		all[strings.ToLower(host)] = h
	}
	return all, nil
}

// checkFetch looks at hosts and headers.
func (d *decoder) checkFetch(c *Config) {
	f := &c.Source.Fetch
	d.checkHosts("source.fetch.hosts", f.Hosts)
	d.checkHosts("source.csv.legacy_hosts", c.Source.CSV.LegacyHosts)
	d.checkHosts("source.json.legacy_hosts", c.Source.JSON.LegacyHosts)
	d.checkHosts("source.mbox.legacy_hosts", c.Source.Mbox.LegacyHosts)
	for _, host := range sortedHosts(f.Headers) {
		key := "source.fetch.headers." + host
		if !fetchHost(host) {
			d.refuseKey(key, fmt.Sprintf("%s is not a host", shorten(host))).Hint = "write the headers below the host they are for, without https:// and path"
			continue
		}
		for name, value := range f.Headers[host] {
			d.checkHeader(key+"."+name, name, value)
		}
	}
}

func (d *decoder) checkHosts(key string, hosts []string) {
	for i, host := range hosts {
		if !fetchHost(host) {
			d.refuse(fmt.Sprintf("%s[%d]", key, i), fmt.Sprintf("%s is not a host", shorten(host))).Hint = "write it without https:// and path"
		}
	}
}

// fetchHost accepts a host, .example.com for all below it, and an address of one's own network.
func fetchHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return plausibleHost(strings.TrimPrefix(host, "."))
}

// harmless are headers that hold no secret: their values may stand in the file.
var harmless = []string{"accept", "accept-language", "user-agent", "referer", "x-requested-with"}

func (d *decoder) checkHeader(key, name string, value Template) {
	lower := strings.ToLower(name)
	switch {
	case !isToken(name):
		d.refuseKey(key, fmt.Sprintf("%s is not a header's name", shorten(name)))
	case lower == "host" || lower == "content-length" || lower == "transfer-encoding" || lower == "connection" || lower == "accept-encoding":
		d.refuseKey(key, "this header is written by hsimport itself")
	case d.failed(key):
	case strings.TrimSpace(string(value)) == "":
		d.refuse(key, "no value is written").Hint = "write ${NAME}, the environment's NAME"
	case !value.hasVariable() && !slices.Contains(harmless, lower):
		d.refuse(key, "secrets do not belong into the configuration").Hint = "write ${NAME}, and set NAME in the environment"
	}
}

// isToken says whether a name is one that a header may have (RFC 9110 section 5.6.2).
func isToken(s string) bool {
	for _, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r) {
			return false
		}
	}
	return s != ""
}

func sortedHosts(m map[string]map[string]Template) []string {
	hosts := make([]string, 0, len(m))
	for h := range m {
		hosts = append(hosts, h)
	}
	slices.Sort(hosts)
	return hosts
}
