package fetch

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// headSize is how much of a content is looked at to tell what it is.
const headSize = 16 << 10

// received is a body on its way to the disk. It keeps its error apart from those of the disk.
type received struct {
	r    io.Reader
	n    int64
	err  error
	head []byte
	sum  hash.Hash
}

// copyBody copies at most one byte more than most. The error it returns is one of out.
func copyBody(out io.Writer, body io.Reader, most int64) (*received, error) {
	in := &received{r: io.LimitReader(body, most+1), sum: sha256.New()}
	_, err := io.Copy(out, in)
	if in.err != nil {
		err = nil
	}
	return in, err
}

func (in *received) Read(p []byte) (int, error) {
	n, err := in.r.Read(p)
	in.n += int64(n)
	in.sum.Write(p[:n])
	if room := headSize - len(in.head); room > 0 {
		in.head = append(in.head, p[:min(n, room)]...)
	}
	if err != nil && err != io.EOF {
		in.err = err
	}
	return n, err
}

func (in *received) digest() string { return hex.EncodeToString(in.sum.Sum(nil)) }

// describe takes type and name from the answer; a type that says nothing is replaced by what the content looks like.
func (o *Object) describe(resp *http.Response, head []byte) {
	o.MIMEType, _, _ = mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch o.MIMEType {
	case "", unknownType, "binary/octet-stream", "application/x-download", "application/force-download":
		o.MIMEType, _, _ = strings.Cut(mimetype.Detect(head).String(), ";")
	}
	if _, params, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition")); err == nil && params["filename"] != "" {
		o.Name = strings.ToValidUTF8(BaseName(params["filename"]), "\ufffd")
	}
}

// signIn recognises the form of a login page.
var signIn = regexp.MustCompile(`(?i)<input[^>]+type\s*=\s*["']?password`)

// notAFile reports whether the answer is a web page that nobody asked for: one with a form to sign in, or HTML where the
// URL names another kind of file, or where the request was led away to a page of another path.
func notAFile(o *Object, resp *http.Response, head []byte) bool {
	declared := o.MIMEType == "text/html" || o.MIMEType == "application/xhtml+xml"
	if !declared && !bytes.HasPrefix([]byte(mimetype.Detect(head).String()), []byte("text/html")) {
		return false
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Disposition")); kind == "attachment" {
		return false // the desk says itself that it is a file
	}
	if signIn.Match(head) {
		return true
	}
	u, err := url.Parse(o.URL)
	if err != nil {
		return true
	}
	switch strings.ToLower(path.Ext(u.Path)) {
	case ".html", ".htm", ".xhtml", ".eml", ".mht", ".mhtml":
		return resp.Request.URL.Path != u.Path
	}
	return true
}
