package csvfile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"hsimport/sources"
	"hsimport/sources/fetch"
)

// attachmentRef is an attachment as a cell names it.
type attachmentRef struct {
	name string
	path string // relative to the attachments folder
	url  string
}

// attachmentRefs reads the cells of a role: paths or URLs, one or many in a cell, or `date;author;name;url` as Jira
// writes them.
func (v *rowView) attachmentRefs(r role) []attachmentRef {
	var out []attachmentRef
	names := v.attachmentNames(r)
	v.each(r, func(_ int, cell []byte) {
		text := clean(string(cell))
		if nullWord(text) {
			return
		}
		if ref, ok := v.packedAttachment(text); ok {
			out = append(out, ref)
			return
		}
		if _, err := v.f.stat(text); err == nil {
			// A name that itself holds a separator.
			out = append(out, newAttachmentRef(text))
			return
		}
		for _, part := range splitList(text, ";|\n") {
			out = append(out, newAttachmentRef(part))
		}
	})
	if len(names) == len(out) {
		for i, name := range names {
			out[i].name = fetch.BaseName(name)
		}
	}
	return out
}

// attachmentNames are the names that stand beside the paths or addresses of a role, in their order; they count when
// there are as many.
func (v *rowView) attachmentNames(r role) []string {
	from := attachmentNames
	if r == messageAttachments {
		from = messageAttachmentNames
	}
	var names []string
	if v.f.b.has(from) {
		v.each(from, func(_ int, cell []byte) { names = append(names, splitList(clean(string(cell)), ";|\n")...) })
	}
	return names
}

func (v *rowView) packedAttachment(text string) (attachmentRef, bool) {
	parts := strings.SplitN(text, ";", 4)
	if len(parts) < 4 || !isURL(parts[3]) {
		return attachmentRef{}, false
	}
	if at := v.f.dates.read([]byte(parts[0]), nil); at.bad || at.t.IsZero() {
		return attachmentRef{}, false
	}
	return attachmentRef{name: fetch.BaseName(parts[2]), url: strings.TrimSpace(parts[3])}, true
}

func newAttachmentRef(text string) attachmentRef {
	if isURL(text) {
		p, _, _ := strings.Cut(text, "?")
		return attachmentRef{name: fetch.BaseName(p), url: text}
	}
	return attachmentRef{name: fetch.BaseName(text), path: text}
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

// local is p as a path below the attachments folder; slashes of the other kind are turned.
func local(p string) string {
	return path.Clean(strings.ReplaceAll(strings.TrimPrefix(p, "file://"), `\`, "/"))
}

var errNoFolder = errors.New("the attachments folder cannot be opened")

// stat returns the size of an attachment, if it is a regular file within the folder.
func (f *file) stat(p string) (int64, error) {
	if f.root == nil {
		return 0, errNoFolder
	}
	st, err := f.root.Stat(local(p))
	if err != nil {
		return 0, err
	}
	if !st.Mode().IsRegular() {
		return 0, errors.New("it is not a regular file")
	}
	return st.Size(), nil
}

// attachments returns the attachments of a role with size and digest; what cannot be had is there with the reason.
func (v *rowView) attachments(s *Source, r role, light bool) []*sources.Attachment {
	if !v.f.b.has(r) {
		return nil
	}
	return v.load(s, v.attachmentRefs(r), light)
}

// load makes attachments of references.
func (v *rowView) load(s *Source, refs []attachmentRef, light bool) []*sources.Attachment {
	var out []*sources.Attachment
	for _, ref := range refs {
		a := &sources.Attachment{
			Name: ref.name, MIMEType: "application/octet-stream", Location: ref.url, Position: v.position(),
		}
		if ref.url != "" {
			s.desk.Fill(a, ref.url)
		} else {
			v.f.load(a, ref.path, light)
		}
		out = append(out, a)
	}
	return out
}

// load reads the file p once for its size, digest and type; with light for its size alone.
func (f *file) load(a *sources.Attachment, p string, light bool) {
	size, err := f.stat(p)
	if err != nil {
		a.Missing = whyMissing(p, err)
		return
	}
	if light {
		a.Size = size
		return
	}
	open := func() (io.ReadCloser, error) { return f.root.Open(local(p)) }
	r, err := open()
	if err != nil {
		a.Missing = whyMissing(p, err)
		return
	}
	defer r.Close()
	h := sha256.New()
	head := make([]byte, 3072)
	n, err := io.ReadFull(r, head)
	if err == nil || errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
		h.Write(head[:n])
		var rest int64
		rest, err = io.Copy(h, r)
		a.Size = int64(n) + rest
	}
	if err != nil {
		a.Size, a.Missing = 0, whyMissing(p, err)
		return
	}
	a.MIMEType, _, _ = strings.Cut(mimetype.Detect(head[:n]).String(), ";")
	a.SHA256 = hex.EncodeToString(h.Sum(nil))
	a.Open = open
}

// whyMissing words the reason; the messages of the operating system differ, so only the common ones are told apart.
func whyMissing(p string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no file " + quoteShort(p)
	case errors.Is(err, fs.ErrPermission):
		return "the file " + quoteShort(p) + " may not be read"
	case strings.Contains(err.Error(), "escapes"):
		return quoteShort(p) + " leads out of the attachments folder"
	}
	return "the file " + quoteShort(p) + " cannot be read: " + err.Error()
}

// openRoot opens the folder that attachment paths start in, and cannot leave.
func openRoot(dir string) *os.Root {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil
	}
	return root
}
