package mapping

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/k3a/html2text"
	"github.com/microcosm-cc/bluemonday"
	xhtml "golang.org/x/net/html"

	"hsimport/sources"
)

// conversationPolicy keeps what makes a mail readable (structure, emphasis, tables, links, images from the web) and
// nothing that acts or loads by itself: no script, style, form, frame, handler or class.
func conversationPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements(
		"p", "br", "div", "b", "strong", "i", "em", "u", "s", "strike", "del", "ins", "sub", "sup", "small", "big",
		"blockquote", "pre", "code", "tt", "kbd", "samp", "var", "cite", "q", "abbr", "dfn", "address", "center", "hr", "wbr",
		"h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd",
		"table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "td", "th",
		"section", "article", "header", "footer", "main", "aside", "nav", "figure", "figcaption", "details", "summary",
	)
	p.AllowAttrs("dir").Matching(bluemonday.Direction).Globally()
	p.AllowAttrs("align", "valign").Matching(bluemonday.Paragraph).OnElements("p", "div", "table", "tr", "td", "th", "h1", "h2", "h3", "img")
	p.AllowAttrs("colspan", "rowspan", "border", "cellpadding", "cellspacing", "start").Matching(bluemonday.Integer).OnElements("table", "td", "th", "ol")
	p.AllowAttrs("width", "height").Matching(bluemonday.NumberOrPercent).OnElements("table", "td", "th", "img")
	p.AllowAttrs("color").OnElements("font")
	p.AllowAttrs("title", "alt").OnElements("img", "abbr", "a")
	p.AllowAttrs("href").Matching(linkScheme).OnElements("a")
	p.AllowAttrs("src").OnElements("img")
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.AllowDataURIImages() // prepare lets only small ones through
	p.RequireParseableURLs(true)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	// Their content is text that people read; one that is never closed would swallow the rest of a mail.
	p.AllowElementsContent("object", "frameset", "frame", "nostyle")
	return p
}

// linkScheme is where links may lead; the policy's schemes alone would let data: in as well.
var linkScheme = regexp.MustCompile(`^(?i)\s*(https?|mailto|tel):`)

// maxInlineImage is the longest data: address that stays in a body; a larger image becomes an attachment.
const maxInlineImage = 8 << 10

// page is one HTML body on its way to being safe.
type page struct {
	files    []*sources.Attachment // of the message: what cid: means
	made     []*sources.Attachment // images that were in the text itself
	position sources.Position

	trackers   int                 // remote images of no size, removed
	unresolved []string            // images whose file is not there
	preTag     string              // the element in which line ends count, by its style
	preDepth   int                 // of that element in itself; 0: not in one
	linked     *sources.Attachment // of the link that is open: a file that came along
	cut        bool                // the body is so long that its end was left out
}

// prepare rewrites what would not survive on its own and leaves everything else as it is. The API cannot show
// attachments in the text, so that an image by cid: becomes a mention of its attachment; line ends that count because
// of a style become <br>, for styles are taken out. It reads the markup as browsers do.
func (p *page) prepare(body string) string {
	if !mayHoldImages(body) && !strings.Contains(body, "white-space") && !p.holdsLegacyFiles() {
		return body
	}
	var b strings.Builder
	b.Grow(len(body))
	z := xhtml.NewTokenizer(strings.NewReader(body))
	for {
		switch z.Next() {
		case xhtml.ErrorToken:
			b.WriteString(p.afterLink())
			return b.String()
		case xhtml.StartTagToken, xhtml.SelfClosingTagToken:
			b.WriteString(p.startTag(z))
		case xhtml.EndTagToken:
			b.Write(z.Raw())
			name, _ := z.TagName()
			if p.preDepth > 0 && string(name) == p.preTag {
				p.preDepth--
			}
			if string(name) == "a" {
				b.WriteString(p.afterLink())
			}
		case xhtml.TextToken:
			if p.preDepth > 0 {
				b.WriteString(strings.ReplaceAll(string(z.Raw()), "\n", "<br>"))
				continue
			}
			b.Write(z.Raw())
		default:
			b.Write(z.Raw())
		}
	}
}

// startTag is what stands in the text for a start tag.
func (p *page) startTag(z *xhtml.Tokenizer) string {
	raw := string(z.Raw()) // a copy: reading attributes changes it
	name, more := z.TagName()
	tag := string(name)
	switch {
	case tag == "img":
		t := xhtml.Token{Data: tag}
		for more {
			var k, v []byte
			k, v, more = z.TagAttr()
			t.Attr = append(t.Attr, xhtml.Attribute{Key: string(k), Val: string(v)})
		}
		return p.image(t)
	case tag == "a" && p.holdsLegacyFiles():
		return p.afterLink() + p.link(z, raw, more)
	case p.preDepth > 0:
		if tag == p.preTag {
			p.preDepth++
		}
	case !voidElements[tag] && keepsLines.MatchString(raw):
		p.preTag, p.preDepth = tag, 1
	}
	return raw
}

// keepsLines recognises a style under which line ends are shown.
var keepsLines = regexp.MustCompile(`(?i)white-space\s*:\s*(pre|break-spaces)`)

func mayHoldImages(s string) bool {
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 || len(s)-i < 4 {
			return false
		}
		if strings.EqualFold(s[i+1:i+4], "img") {
			return true
		}
		s = s[i+1:]
	}
}

// image is what stands in the text for an image.
func (p *page) image(t xhtml.Token) string {
	at := map[string]string{}
	for _, a := range t.Attr {
		if _, twice := at[a.Key]; !twice {
			at[a.Key] = a.Val
		}
	}
	src := strings.TrimSpace(at["src"])
	scheme, rest, ok := strings.Cut(src, ":")
	if !ok {
		scheme = ""
	}
	if strings.EqualFold(scheme, "cid") && (hasPrefixFold(rest, "http:") || hasPrefixFold(rest, "https:")) {
		src = rest // seen in the wild: cid:https://...
		scheme, _, _ = strings.Cut(src, ":")
	}
	if f := p.fileOf(src); f != nil {
		return p.imageOf(f)
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		if isTracker(at) {
			p.trackers++
			return ""
		}
		return remoteImage(src, at)
	case "data":
		return p.dataImage(src, at)
	}
	if src == "" || isTracker(at) {
		return ""
	}
	p.unresolved = append(p.unresolved, shorten(src, 80))
	return mention("missing image", firstOf(oneLine(at["alt"]), shorten(src, 80)))
}

func mention(what, name string) string {
	return "<em>[" + what + ": " + escape(oneLine(name)) + "]</em>"
}

func remoteImage(src string, at map[string]string) string {
	var b strings.Builder
	b.WriteString(`<img src="` + escape(src) + `"`)
	for _, k := range [...]string{"alt", "title", "width", "height"} {
		if v := at[k]; v != "" {
			b.WriteString(" " + k + `="` + escape(v) + `"`)
		}
	}
	b.WriteString(">")
	return b.String()
}

// isTracker recognises images that nobody is meant to see.
func isTracker(at map[string]string) bool {
	style := strings.ReplaceAll(strings.ToLower(shorten(at["style"], 1000)), " ", "")
	if strings.Contains(style, "display:none") || strings.Contains(style, "visibility:hidden") {
		return true
	}
	small := func(key string) bool {
		v := strings.TrimSuffix(strings.TrimSpace(at[key]), "px")
		if n, err := strconv.Atoi(v); err == nil {
			return n <= 1
		}
		return strings.Contains(";"+style+";", ";"+key+":1px") || strings.Contains(";"+style, ";"+key+":0")
	}
	return small("width") && small("height")
}

// fileOf finds the attachment that an image's address means: by Content-ID, or by Content-Location.
func (p *page) fileOf(src string) *sources.Attachment {
	if src == "" {
		return nil
	}
	id, isCID := cutPrefixFold(src, "cid:")
	if un, err := url.PathUnescape(id); err == nil {
		id = un
	}
	id = strings.Trim(id, "<>")
	for _, f := range p.files {
		if isCID && f.ContentID != "" && strings.EqualFold(f.ContentID, id) || f.Location != "" && f.Location == src {
			return f
		}
	}
	return nil
}

// imageTypes are the data: images that may stay or become files; SVG can hold script, and only becomes a file.
var imageTypes = map[string]string{
	"image/png": ".png", "image/gif": ".gif", "image/jpeg": ".jpg", "image/jpg": ".jpg", "image/webp": ".webp",
	"image/bmp": ".bmp", "image/svg+xml": ".svg", "image/tiff": ".tif", "image/x-icon": ".ico",
}

// dataImage keeps a small image that is written into the text, and makes a file of a large one.
func (p *page) dataImage(src string, at map[string]string) string {
	head, data, ok := strings.Cut(src[len("data:"):], ",")
	kind, params, _ := strings.Cut(strings.ToLower(head), ";")
	kind = strings.TrimSpace(kind)
	ext, known := imageTypes[kind]
	content, err := decodeData(data, strings.Contains(params, "base64"))
	if !ok || !known || err != nil || len(content) == 0 {
		p.unresolved = append(p.unresolved, "data:"+shorten(head, 40))
		return mention("missing image", firstOf(oneLine(at["alt"]), "in the text"))
	}
	if isTracker(at) {
		p.trackers++
		return ""
	}
	if len(src) <= maxInlineImage && ext != ".svg" && ext != ".tif" && ext != ".ico" && ext != ".bmp" {
		return remoteImage("data:"+kind+";base64,"+base64.StdEncoding.EncodeToString(content), at)
	}
	name := fmt.Sprintf("image-%d%s", len(p.made)+1, ext)
	p.made = append(p.made, memoryFile(name, kind, content, p.position))
	return mention("image", name)
}

func decodeData(data string, isBase64 bool) ([]byte, error) {
	un, err := url.PathUnescape(data)
	if err != nil {
		un = data
	}
	if !isBase64 {
		return []byte(un), nil
	}
	un = strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\n', '\r', '\t', '=':
			return -1
		case '-':
			return '+'
		case '_':
			return '/'
		}
		return r
	}, un)
	return base64.RawStdEncoding.DecodeString(un)
}

// memoryFile is an attachment that the mapping makes itself.
func memoryFile(name, kind string, content []byte, at sources.Position) *sources.Attachment {
	sum := sha256.Sum256(content)
	return &sources.Attachment{
		Name: name, MIMEType: kind, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), Position: at,
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
	}
}

// sanitised is the safe form of an HTML body; p must have prepared it. A body that is only seemingly HTML is treated
// as the text it is, and one of which nothing visible would be left falls back to its text.
func (m *Mapper) sanitised(p *page, body string) (safe string, fallback bool) {
	if !strings.Contains(body, "<") {
		text, _ := cleanText(html.UnescapeString(body))
		return textToHTML(text), false
	}
	body = p.prepare(body)
	if most := m.sanitiserRoom(); len(body) > most {
		body, p.cut = body[:runeStart(body, most)], true
	}
	safe, _ = cleanText(m.policy.Sanitize(body)) // &#1; is a control character by now
	safe = strings.TrimSpace(safe)
	if visible(safe) {
		return safe, false
	}
	text, _ := cleanText(html2text.HTML2TextWithOptions(body, html2text.WithUnixLineBreaks()))
	return textToHTML(strings.TrimSpace(text)), strings.TrimSpace(text) != ""
}

// invisible are the characters that mails are padded with.
const invisible = " \t\n\r\u00a0\u00ad\u034f\u200b\u200c\u200d\u200e\u200f\u2007\u2060\ufeff"

// visible reports whether a reader would see anything of sanitised HTML: text, or an image.
func visible(s string) bool {
	for s != "" {
		open := strings.IndexByte(s, '<')
		text := s
		if open >= 0 {
			text = s[:open]
		}
		if strings.Trim(html.UnescapeString(text), invisible) != "" {
			return true
		}
		if open < 0 {
			return false
		}
		s = s[open:]
		if strings.HasPrefix(s, "<img ") {
			return true
		}
		end := strings.IndexByte(s, '>')
		if end < 0 {
			return false
		}
		s = s[end+1:]
	}
	return false
}

func shorten(s string, n int) string {
	if short, cut := cutUnits(s, n); cut {
		return short + "..."
	}
	return s
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if hasPrefixFold(s, prefix) {
		return s[len(prefix):], true
	}
	return s, false
}
