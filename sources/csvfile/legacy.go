package csvfile

import (
	"html"
	"io"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"hsimport/sources"
	"hsimport/sources/fetch"
)

// A body's references to files of the old desk: the attribute and the address in HTML, the address alone in text.
var (
	htmlRefs = regexp.MustCompile(`(?i)\b(src|href)\s*=\s*["']?(https?://[^"'\s<>]+)`)
	textRefs = regexp.MustCompile(`()(https?://[^\s<>"')\]]+)`)
)

// legacyRefs finds the images and files in a body that lie with the old desk: every image, and links that name a file
// rather than a page.
func (s *Source) legacyRefs(body string, format sources.Format) []attachmentRef {
	if len(s.opts.LegacyHosts) == 0 || !strings.Contains(body, "://") {
		return nil
	}
	re := textRefs
	if format == sources.HTML {
		re = htmlRefs
	}
	var out []attachmentRef
	for _, m := range re.FindAllStringSubmatch(body, -1) {
		address := m[2]
		if format == sources.HTML {
			address = html.UnescapeString(address)
		}
		image := strings.EqualFold(m[1], "src")
		u, err := url.Parse(address)
		if err != nil || !s.legacyHost(u.Hostname()) || !image && !namesFile(u) {
			continue
		}
		ref := newAttachmentRef(address)
		ref.inline = image
		if name := u.Query().Get("name"); name != "" {
			ref.name = fileName(name)
		}
		if !slices.ContainsFunc(out, func(o attachmentRef) bool { return o.url == address }) {
			out = append(out, ref)
		}
	}
	return out
}

// legacyHost reports whether a host is the old desk's; an entry .example.com means all below it too.
func (s *Source) legacyHost(host string) bool {
	host = strings.ToLower(host)
	return slices.ContainsFunc(s.opts.LegacyHosts, func(h string) bool {
		h = strings.ToLower(strings.TrimSpace(h))
		return host == strings.TrimPrefix(h, ".") || strings.HasPrefix(h, ".") && strings.HasSuffix(host, h)
	})
}

// namesFile tells a link to a file from one to a page.
func namesFile(u *url.URL) bool {
	if strings.Contains(strings.ToLower(u.Path), "attachment") {
		return true
	}
	switch ext := strings.ToLower(path.Ext(u.Path)); ext {
	case "", ".html", ".htm", ".php", ".asp", ".aspx", ".jsp", ".do", ".com", ".org", ".net":
		return false
	default:
		return len(ext) <= 6
	}
}

// openCache opens the folder of fetched files; none yet is no error: then nothing has been fetched.
func (s *Source) openCache() {
	if s.opts.Cache == "" {
		return
	}
	if store, err := fetch.Open(s.opts.Cache); err == nil {
		s.cache = store
	}
}

// fetched fills in what the folder of fetched files has of an address.
func (s *Source) fetched(a *sources.Attachment, address string) {
	if s.cache == nil {
		a.Missing = "it is behind " + address + " and has not been fetched"
		return
	}
	o, ok := s.cache.Find(address)
	switch {
	case !ok:
		a.Missing = "it is behind " + address + " and has not been fetched"
		return
	case o.Failure != "":
		a.Missing = "it could not be fetched from " + address + ": " + o.Failure
		return
	}
	a.Size, a.SHA256 = o.Size, o.SHA256
	if o.MIMEType != "" {
		a.MIMEType = o.MIMEType
	}
	if o.Name != "" && path.Ext(a.Name) == "" {
		a.Name = fileName(o.Name)
	}
	a.Open = func() (io.ReadCloser, error) { return s.cache.Content(o.SHA256) }
}
