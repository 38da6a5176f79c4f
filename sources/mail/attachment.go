package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"

	"hsimport/sources"
)

// attachment keeps a part as a file. An image that the text shows in place, Apple Mail's way, is a piece of the body,
// too.
func (b *builder) attachment(nd, parent *node) []piece {
	t := nd.typ.value
	isImage := strings.HasPrefix(t, "image/")
	if nd.start == nd.end && b.fileName(nd) == "" && (isImage || t == "text/plain" || t == "text/html" || nd.untyped) {
		return nil // an empty part without a name: nothing was ever there
	}
	c := &content{src: b.raw[nd.start:nd.end], enc: nd.enc, lf: isTextual(t)}
	a := &sources.Attachment{
		ContentID: strings.Trim(b.d.text(nd.fields.id), "<> \""),
		Location:  b.d.text(nd.fields.location),
		Inline:    isImage && nd.disp.value == "inline",
	}
	head := b.measure(a, c, needsSniff(nd))
	b.damage(c)
	start, end, enc, lf := nd.start, nd.end, nd.enc, isTextual(t)
	a.Open = b.opener(func(raw []byte) (io.Reader, error) {
		if end > len(raw) {
			return nil, sources.ErrChanged
		}
		return &content{src: raw[start:end], enc: enc, lf: lf}, nil
	})
	b.name(a, nd, head)
	b.add(a, nd)
	if isImage && nd.disp.value == "inline" {
		return []piece{{image: a}}
	}
	return nil
}

// isTextual reports whether the line ends of a content have no meaning of their own, so that its digest must not depend
// on those of the file that it lay in.
func isTextual(t string) bool {
	return strings.HasPrefix(t, "text/") || strings.HasPrefix(t, "message/")
}

// measure fills in size and digest. Where the type has to be recognised it returns the first bytes.
func (b *builder) measure(a *sources.Attachment, c *content, sniffing bool) (head []byte) {
	h := sha256.New()
	for {
		chunk := c.next()
		if chunk == nil {
			break
		}
		if sniffing && len(head) < sniffLen {
			head = append(head, chunk[:min(len(chunk), sniffLen-len(head))]...)
		}
		h.Write(chunk)
		a.Size += int64(len(chunk))
	}
	var sum [sha256.Size]byte
	a.SHA256 = hex.EncodeToString(h.Sum(sum[:0]))
	return head
}

// sniffLen is how many bytes the recognition of a type looks at.
const sniffLen = 3072

// opener makes the Open of an attachment: the raw message again, then what read makes of it.
func (b *builder) opener(read func(raw []byte) (io.Reader, error)) func() (io.ReadCloser, error) {
	reopen := b.reopen
	return func() (io.ReadCloser, error) {
		raw, err := reopen()
		if err != nil {
			return nil, err
		}
		r, err := read(unixEnds(raw))
		if err != nil {
			return nil, err
		}
		return io.NopCloser(r), nil
	}
}

// addDerived adds a file that is packed in another part: pick finds it in the part's decoded content.
func (b *builder) addDerived(nd *node, name, typ string, data []byte, pick func(content []byte) []byte) *sources.Attachment {
	a := &sources.Attachment{MIMEType: typ, Size: int64(len(data))}
	sum := sha256.Sum256(data)
	a.SHA256 = hex.EncodeToString(sum[:])
	start, end, enc := nd.start, nd.end, nd.enc
	a.Open = b.opener(func(raw []byte) (io.Reader, error) {
		if end > len(raw) {
			return nil, sources.ErrChanged
		}
		c := content{src: raw[start:end], enc: enc}
		return bytes.NewReader(pick(c.bytes())), nil
	})
	if a.MIMEType == "" || a.MIMEType == "application/octet-stream" {
		a.MIMEType = sniff(data[:min(len(data), sniffLen)])
	}
	if a.Name = cleanName(name); a.Name == "" {
		a.Name = b.defaultName(a.MIMEType)
	}
	b.add(a, nil)
	return a
}

// attachWhole attaches the message itself, once.
func (b *builder) attachWhole() {
	if b.whole {
		return
	}
	b.whole = true
	b.attachment(&node{
		start: 0, end: len(b.raw), typ: typed{value: "message/rfc822"},
		disp: typed{value: "attachment", params: []param{{"filename", []byte("original.eml")}}},
	}, nil)
}

func (b *builder) add(a *sources.Attachment, nd *node) {
	a.Position = b.at
	place := a.Location
	if nd != nil && nd.fields.base != nil && !strings.Contains(place, "://") {
		place = strings.Trim(b.d.text(nd.fields.base), "\"<> ") + place
	}
	b.files = append(b.files, a)
	b.places = append(b.places, place)
}

// name sets the file's name and type.
func (b *builder) name(a *sources.Attachment, nd *node, head []byte) {
	a.MIMEType = nd.typ.value
	if needsSniff(nd) && !(isTNEFType(a.MIMEType) && bytes.HasPrefix(head, []byte(tnefMagic))) {
		a.MIMEType = sniff(head)
	}
	a.Name = cleanName(b.fileName(nd))
	if a.MIMEType == "message/external-body" { // the content is a description of where the file lies
		a.Name, a.MIMEType = a.Name+".txt", "text/plain"
	}
	if a.Name == "" && a.MIMEType == "text/rfc822-headers" {
		a.Name = "original-headers.txt"
	}
	if a.Name == "" && isMessage(nd.typ.value) {
		a.Name = b.subjectName(nd)
	}
	if a.Name == "" {
		a.Name = b.defaultName(a.MIMEType)
	}
}

// needsSniff reports whether the declared type says nothing, or often lies.
func needsSniff(nd *node) bool {
	t := nd.typ.value
	return nd.untyped && t == "text/plain" || !validType(t) || t == "application/octet-stream" || t == "application/x-unknown" || isTNEFType(t)
}

func isMessage(t string) bool {
	return t == "message/rfc822" || t == "message/global" || t == "message/news"
}

// subjectName names a forwarded mail after its subject.
func (b *builder) subjectName(nd *node) string {
	c := content{src: b.raw[nd.start:min(nd.end, nd.start+maxHeaderBytes)], enc: nd.enc}
	f := collectFields(c.bytes())
	d := decoder{hint: f.charset(), guesses: maxGuesses}
	subject := d.text(f.subject)
	subject = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) {
			return ' '
		}
		return r
	}, subject)
	if name := cleanName(strings.Join(strings.Fields(subject), " ")); name != "" {
		return shortName(name+".eml", maxName255)
	}
	return ""
}

// fileName is the name that the part gives itself, decoded, or empty.
func (b *builder) fileName(nd *node) string {
	if !nd.named {
		nd.named = true
		if nd.name = nd.disp.text("filename", b.d); nd.name == "" {
			nd.name = nd.typ.text("name", b.d)
		}
	}
	return nd.name
}

// maxName255 is how long a file's name may be, in bytes.
const maxName255 = 255

// cleanName cuts the folders off a name and what no file system takes.
func cleanName(s string) string {
	s = strings.ReplaceAll(s, "\\", "/")
	s = path.Base(strings.TrimRight(strings.TrimSpace(s), "/"))
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1 // marks of writing direction hide what a file is
		}
		return r
	}, s)
	s = strings.Trim(strings.TrimSpace(s), "\"")
	if s == "." || s == ".." || s == "/" {
		return ""
	}
	return shortName(s, maxName255)
}

// shortName cuts a name in its middle, so that its extension stays.
func shortName(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	ext := path.Ext(s)
	if len(ext) > 16 {
		ext = ""
	}
	s = s[:limit-len(ext)]
	for len(s) > 0 && !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + ext
}

func (b *builder) defaultName(t string) string {
	kind := "attachment"
	if strings.HasPrefix(t, "image/") {
		kind = "image"
	}
	return fmt.Sprintf("%s-%d%s", kind, len(b.files)+1, extension(t))
}

// extension is the usual one of a type. The standard library's depends on the machine.
func extension(t string) string {
	switch t {
	case "image/jpeg", "image/jpg", "image/pjpeg":
		return ".jpg"
	case "image/png", "image/gif", "image/bmp", "image/webp", "image/tiff", "image/heic":
		return "." + t[len("image/"):]
	case "image/svg+xml":
		return ".svg"
	case "text/plain", "text/rfc822-headers", "message/delivery-status":
		return ".txt"
	case "text/html":
		return ".html"
	case "text/calendar", "application/ics":
		return ".ics"
	case "text/vcard", "text/x-vcard", "text/directory":
		return ".vcf"
	case "text/csv", "text/xml", "text/rtf", "text/css", "application/pdf", "application/zip", "application/json",
		"application/xml", "application/rtf", "audio/wav", "video/mp4":
		return "." + t[strings.IndexByte(t, '/')+1:]
	case "application/gzip", "application/x-gzip":
		return ".gz"
	case "message/rfc822", "message/global", "message/news":
		return ".eml"
	case "application/msword":
		return ".doc"
	case "application/vnd.ms-excel":
		return ".xls"
	case "application/vnd.openxmlformats-officedocument.wordprocessingml.document":
		return ".docx"
	case "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":
		return ".xlsx"
	case "application/pgp-signature":
		return ".asc"
	case "application/pkcs7-signature", "application/x-pkcs7-signature":
		return ".p7s"
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		return ".p7m"
	case "application/ms-tnef", "application/vnd.ms-tnef":
		return ".dat"
	case "audio/mpeg":
		return ".mp3"
	}
	return ".bin"
}

func sniff(head []byte) string {
	t := mimetype.Detect(head).String()
	if i := strings.IndexByte(t, ';'); i >= 0 {
		t = t[:i]
	}
	return strings.ToLower(t)
}

// validType reports whether a type can stand in an HTTP header.
func validType(t string) bool {
	slash := 0
	for i := range len(t) {
		c := t[i]
		if c == '/' {
			slash++
		} else if c <= ' ' || c > 126 || strings.IndexByte(`()<>@,;:\"[]?=`, c) >= 0 {
			return false
		}
	}
	return slash == 1 && t[0] != '/' && t[len(t)-1] != '/' && len(t) < 128
}
