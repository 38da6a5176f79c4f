package mapping

import (
	"net/url"
	"strings"

	xhtml "golang.org/x/net/html"

	"hsimport/sources"
)

// Files of the old desk: an attachment whose Location is a web address lay there. Texts show and link to it by that
// address, which ends with the old account; so where it came along, a mention takes the place of the address.

// Codes of findings about them.
const (
	// NotFetched is about files that may still be had; the value is their host.
	NotFetched   = "attachment-not-fetched"
	codeFileGone = "attachment-unavailable"
)

// webHost is the host of a web address, or empty.
func webHost(address string) string {
	if !hasPrefixFold(address, "http://") && !hasPrefixFold(address, "https://") {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// cameAlong reports whether a file has its content.
func cameAlong(f *sources.Attachment) bool { return f.Missing == "" && f.Open != nil }

// holdsLegacyFiles reports whether a message has files whose addresses its text may hold.
func (p *page) holdsLegacyFiles() bool {
	for _, f := range p.files {
		if webHost(f.Location) != "" {
			return true
		}
	}
	return false
}

// link is what stands in the text for the start of a link; a link to a file that came along is none any more, and its
// mention follows it.
func (p *page) link(z *xhtml.Tokenizer, raw string, more bool) string {
	href := ""
	for more {
		var k, v []byte
		k, v, more = z.TagAttr()
		if href == "" && string(k) == "href" {
			href = strings.TrimSpace(string(v))
		}
	}
	f := p.fileOf(href)
	if f == nil || webHost(f.Location) == "" || !cameAlong(f) {
		return raw
	}
	p.linked = f
	return "<a>"
}

// afterLink is what follows a link to a file that came along.
func (p *page) afterLink() string {
	f := p.linked
	if p.linked = nil; f == nil {
		return ""
	}
	return " " + mention("file", f.Name)
}

// imageOf is what stands in the text for an image that is an attachment: its mention, or the address that it can still
// be looked at for as long as there is the old account.
func (p *page) imageOf(f *sources.Attachment) string {
	if p.linked == f {
		p.linked = nil // one mention is enough
	}
	if cameAlong(f) || webHost(f.Location) == "" {
		return mention("image", f.Name)
	}
	return "<em>[" + anchor(f, "image: "+oneLine(f.Name)) + "]</em>"
}

// anchor is a link to where a file was, unless its address is none that may be written down.
func anchor(f *sources.Attachment, text string) string {
	const longest = 2000
	u, err := url.Parse(f.Location)
	if err != nil || webHost(f.Location) == "" || u.User != nil || len(f.Location) > longest {
		return escape(text)
	}
	return `<a href="` + escape(f.Location) + `">` + escape(text) + "</a>"
}
