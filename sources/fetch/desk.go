package fetch

import (
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"hsimport/sources"
)

// A Desk is the old desk as a format sees it: the hosts that its files lie at, and the folder of what was fetched from
// there. The zero Desk knows no host and has fetched nothing. It is safe for concurrent use.
type Desk struct {
	hosts Hosts
	store *Store // nil: nothing has been fetched
}

// OpenDesk opens the folder of fetched files for reading. That there is none yet is no error: then nothing has been
// fetched. hosts are those whose images and files in texts are attachments.
func OpenDesk(folder string, hosts []string) (*Desk, error) {
	d := &Desk{hosts: hosts}
	if folder == "" {
		return d, nil
	}
	store, err := Open(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &sources.InputError{
			Position: sources.Position{File: "source.fetch.folder", Offset: -1}, Err: err, Hint: "name another folder, or mend this one",
		}
	}
	d.store = store
	return d, nil
}

// Close closes the folder; attachments that are still open stay readable.
func (d *Desk) Close() error {
	if d == nil || d.store == nil {
		return nil
	}
	return d.store.Close()
}

// A Reference is a file that a text shows or links to.
type Reference struct {
	URL    string
	Name   string // of the file, as far as the address tells; never empty
	Inline bool   // the text shows it: an image
}

// A text's references to files: the attribute and the address in HTML, the address alone in plain text.
var (
	htmlRefs = regexp.MustCompile(`(?i)\b(src|href)\s*=\s*(?:"\s*(https?://[^"<>]+)"|'\s*(https?://[^'<>]+)'|(https?://[^"'\s<>]+))`)
	textRefs = regexp.MustCompile(`()(https?://[^\s<>"')\]]+)()()`)
)

// References finds the images and files in a text that lie with the old desk, each once, in their order: every image,
// and links that name a file rather than a page.
func (d *Desk) References(body string, format sources.Format) []Reference {
	if d == nil || len(d.hosts) == 0 || !strings.Contains(body, "://") {
		return nil
	}
	re := textRefs
	if format == sources.HTML {
		re = htmlRefs
	}
	var out []Reference
	seen := map[string]int{}
	for _, m := range re.FindAllStringSubmatch(body, -1) {
		raw, image := strings.TrimSpace(m[2]+m[3]+m[4]), strings.EqualFold(m[1], "src")
		if format == sources.HTML {
			raw = html.UnescapeString(raw)
		} else {
			raw = strings.TrimRight(raw, ".,;:!?")
		}
		u, ok := address(raw)
		if !ok || !d.hosts.Hold(u.Hostname()) || !image && !namesFile(u) {
			continue
		}
		if i, again := seen[raw]; again {
			out[i].Inline = out[i].Inline || image
			continue
		}
		seen[raw] = len(out)
		out = append(out, Reference{URL: raw, Name: nameOf(u), Inline: image})
	}
	return out
}

// Attach adds to a message the files of the old desk that its text shows or links to. Those that are among its
// attachments already stay as they are.
func (d *Desk) Attach(m *sources.Message) {
	for _, ref := range d.References(m.Body, m.Format) {
		if slices.ContainsFunc(m.Attachments, func(a *sources.Attachment) bool { return a.Location == ref.URL }) {
			continue
		}
		a := &sources.Attachment{Name: ref.Name, Inline: ref.Inline, Position: m.Position}
		d.Fill(a, ref.URL)
		m.Attachments = append(m.Attachments, a)
	}
}

// Fill makes a the file behind an address: with its content when it was fetched, else with the reason why it has none.
// a.Name, if there is one, is kept but for an ending that only the server knows.
func (d *Desk) Fill(a *sources.Attachment, address string) {
	a.Location, a.Size, a.SHA256, a.Open, a.Missing, a.Pending = address, 0, "", nil, "", false
	if a.MIMEType == "" {
		a.MIMEType = unknownType
	}
	if a.Name == "" {
		a.Name = nameOfAddress(address)
	}
	o, ok := d.find(address)
	switch {
	case !ok && len(address) > maxAddress:
		a.Missing = fmt.Sprintf("its address has %d characters, more than can be asked for", len(address))
	case !ok:
		a.Missing, a.Pending = "it is behind "+shown(address)+" and has not been fetched", true
	case o.Failure != "":
		a.Missing, a.Pending = "it could not be fetched from "+shown(address)+": "+o.Failure, o.Passing
	case !d.store.has(o):
		a.Missing, a.Pending = "it was fetched from "+shown(address)+", but is no longer in the folder of fetched files", true
	default:
		d.give(a, o)
	}
}

// shown is an address without a password that may stand in it.
func shown(raw string) string {
	if u, ok := address(raw); ok && u.User != nil {
		return u.Redacted()
	}
	return raw
}

func (d *Desk) find(address string) (Object, bool) {
	if d.store == nil {
		return Object{}, false
	}
	return d.store.Find(address)
}

// give fills in a content of the folder.
func (d *Desk) give(a *sources.Attachment, o Object) {
	a.Size, a.SHA256 = o.Size, o.SHA256
	if o.MIMEType != "" {
		a.MIMEType = o.MIMEType
	}
	if path.Ext(a.Name) == "" && o.Name != "" {
		a.Name = BaseName(o.Name)
	}
	if known := mimetype.Lookup(a.MIMEType); path.Ext(a.Name) == "" && known != nil {
		a.Name += known.Extension()
	}
	store := d.store
	a.Open = func() (io.ReadCloser, error) { return store.Content(o.SHA256) }
}

// unknownType is the type of bytes that nobody has described.
const unknownType = "application/octet-stream"

// namesFile tells a link to a file from one to a page.
func namesFile(u *url.URL) bool {
	if strings.Contains(strings.ToLower(u.Path), "attachment") {
		return true
	}
	switch ext := strings.ToLower(path.Ext(u.Path)); ext {
	case "", ".", ".html", ".htm", ".php", ".asp", ".aspx", ".jsp", ".do", ".com", ".org", ".net":
		return false
	default:
		return len(ext) <= 6
	}
}

func nameOfAddress(raw string) string {
	if u, ok := address(raw); ok {
		return nameOf(u)
	}
	raw, _, _ = strings.Cut(raw, "?")
	return BaseName(raw)
}

// nameOf is what an address calls its file: by the parameter that desks use for it, else by the end of its path.
func nameOf(u *url.URL) string {
	q := u.Query()
	for _, key := range []string{"name", "filename"} {
		if name := q.Get(key); strings.TrimSpace(name) != "" {
			return BaseName(name)
		}
	}
	return BaseName(u.Path)
}

// BaseName is the name of a file by its path or address: the last part, behind slashes of either kind; never empty.
func BaseName(p string) string {
	p = strings.TrimRight(strings.ReplaceAll(p, `\`, "/"), "/")
	if p = strings.TrimSpace(path.Base(p)); p == "" || p == "." || p == ".." || p == "/" {
		return "attachment"
	}
	return p
}
