package mail

import (
	"strings"

	"hsimport/sources"
)

// maxText bounds one text part of a body. A longer one is no mail somebody wrote: it stays as an attachment, and its
// beginning is the text.
const (
	maxText   = 8 << 20
	textStart = 64 << 10
)

// A builder turns the tree into a body and attachments.
type builder struct {
	raw    []byte
	reopen func() ([]byte, error)
	d      *decoder
	n      *notes
	at     sources.Position

	files   []*sources.Attachment
	places  []string // Content-Location of each file, resolved
	tnef    *piece   // the body that a winmail.dat holds
	hasText bool     // a body text was seen: later texts with a file name are attachments
	whole   bool     // the whole message is attached
	nested  int      // how many messages this one is packed in
}

// walk returns the pieces of the body that stand below nd and collects the attachments, both in the order of the
// message.
func (b *builder) walk(nd, parent *node) []piece {
	if !nd.multipart {
		return b.leaf(nd, parent)
	}
	switch nd.typ.value {
	case "multipart/alternative":
		return b.alternative(nd)
	case "multipart/related":
		return b.related(nd)
	case "multipart/encrypted":
		return b.encrypted(nd)
	}
	var out []piece
	for _, c := range nd.children {
		out = append(out, b.walk(c, nd)...)
	}
	return out
}

// alternative chooses the richest of the children that shows something; among equals the last, as RFC 2046 section
// 5.1.4 says. Files of the others are kept. Plain text is not even decoded where HTML was found.
func (b *builder) alternative(nd *node) []piece {
	saw := b.hasText
	all := make([][]piece, len(nd.children))
	best, chosen := rankEmpty, -1
	look := func(i int) {
		b.hasText = saw
		all[i] = b.walk(nd.children[i], nd)
		if r := rankOf(all[i]); r > best || r == best && i > chosen {
			best, chosen = r, i
		}
	}
	for i, c := range nd.children {
		if !c.isPlain() {
			look(i)
		}
	}
	onlyImages := best == rankHTML && showsOnlyImages(all[chosen])
	for i, c := range nd.children {
		if c.isPlain() && (best < rankHTML || onlyImages || b.hasUU(c)) {
			look(i)
			if onlyImages && rankOf(all[i]) == rankText {
				chosen = i
			}
		}
	}
	b.hasText = saw || best > rankEmpty
	if chosen < 0 {
		return nil
	}
	return all[chosen]
}

// showsOnlyImages reports whether HTML shows nothing but remote images, which an archive cannot show: words in another
// alternative are better.
func showsOnlyImages(pieces []piece) bool {
	for _, p := range pieces {
		if p.rank > rankEmpty && (!p.html || visible(p.text) || strings.Contains(p.text, "cid:")) {
			return false
		}
	}
	return true
}

func (nd *node) isPlain() bool {
	return !nd.multipart && nd.typ.value == "text/plain" && nd.disp.value != "attachment"
}

// related walks the root first, then what belongs to it. RFC 2387 names the root in a parameter; otherwise it is the
// first.
func (b *builder) related(nd *node) []piece {
	root := 0
	if start := strings.Trim(nd.typ.get("start"), "<> "); start != "" {
		for i, c := range nd.children {
			if strings.Trim(string(trimSpace(c.fields.id)), "<> ") == start {
				root = i
				break
			}
		}
	}
	out := b.walk(nd.children[root], nd)
	for i, c := range nd.children {
		if i == root {
			continue
		}
		for _, p := range b.walk(c, nd) {
			if p.image == nil || rankOf(out) < rankHTML { // an image of HTML is shown where the HTML says
				out = append(out, p)
			}
		}
	}
	return out
}

// encrypted keeps the whole message, because only so somebody with the key can open it again.
func (b *builder) encrypted(nd *node) []piece {
	b.attachWhole()
	b.n.add(sources.Warning, "encrypted", "the mail is encrypted; it is attached whole")
	return []piece{{text: "(this message is encrypted; the original is attached)\n", rank: rankText}}
}

// leaf decides what a part is: text of the body, or an attachment.
func (b *builder) leaf(nd, parent *node) []piece {
	t := nd.typ.value
	switch {
	case t == "message/delivery-status" || t == "message/disposition-notification" || t == "message/feedback-report" ||
		t == "message/global-delivery-status":
		return b.report(nd)
	case t == "text/x-amp-html" || t == "text/watch-html":
		if parent != nil && parent.typ.value == "multipart/alternative" {
			return nil // the same again, for a program that runs it
		}
	case isEncryptedSMIME(nd):
		return b.smime(nd, parent)
	case b.isTNEF(nd):
		if pieces, ok := b.unpackTNEF(nd); ok {
			return pieces
		}
	}
	if b.isBodyText(nd, parent) {
		return b.text(nd)
	}
	return b.attachment(nd, parent)
}

// isBodyText reports whether a part is to be read rather than kept as a file.
func (b *builder) isBodyText(nd, parent *node) bool {
	kind, sub, _ := strings.Cut(nd.typ.value, "/")
	if kind != "text" {
		return false
	}
	switch sub {
	case "calendar", "csv", "comma-separated-values", "vcard", "x-vcard", "directory", "rfc822-headers", "xml", "css",
		"javascript", "x-patch", "x-diff", "tab-separated-values", "x-vcalendar", "x-python", "x-csrc", "x-log", "x-sh":
		return false
	}
	named := b.fileName(nd) != ""
	if nd.disp.value == "attachment" {
		return !named && !b.hasText && (parent == nil || parent.children[0] == nd)
	}
	return !named || !b.hasText && (parent == nil || parent.children[0] == nd || parent.typ.value == "multipart/alternative")
}

// text decodes a part of the body.
func (b *builder) text(nd *node) []piece {
	if nd.end-nd.start > maxText {
		b.n.add(sources.Warning, "text-too-long", "a text of %d bytes is attached; only its beginning is shown", nd.end-nd.start)
		out := b.attachment(nd, nil)
		short := *nd
		short.end = nd.start + textStart
		return append(b.text(&short), out...)
	}
	c := content{src: b.raw[nd.start:nd.end], enc: nd.enc}
	raw := c.bytes()
	b.damage(&c)
	raw = b.takeUU(nd, raw)
	label := nd.typ.get("charset")
	if canonicalCharset(label) == "" && strings.HasSuffix(nd.typ.value, "html") {
		label = metaCharset(raw)
	}
	s, v := b.d.decodeBody(raw, label)
	b.charsetNote(label, v)
	p := b.textPiece(nd, cleanText(s))
	if p.rank > rankEmpty {
		b.hasText = true
	}
	return []piece{p}
}

// textPiece makes a piece of decoded text, in the markup that it really has.
func (b *builder) textPiece(nd *node, s string) piece {
	switch t := nd.typ.value; {
	case t == "text/html" || t == "text/xhtml" || t == "application/xhtml+xml" || looksLikeHTML(s):
		if !strings.ContainsRune(s, '<') {
			return plainPiece(unescapeEntities(s))
		}
		if visible(s) || showsImage(s) {
			return piece{text: s, html: true, rank: rankHTML}
		}
		return piece{html: true}
	case t == "text/enriched" || t == "text/richtext":
		return poorPiece(stripEnriched(s))
	case t == "text/rtf":
		return poorPiece(rtfToText([]byte(s)))
	case strings.EqualFold(nd.typ.get("format"), "flowed"):
		s = unflow(s, strings.EqualFold(nd.typ.get("delsp"), "yes"))
	}
	return plainPiece(s)
}

func plainPiece(s string) piece {
	if blank(s) {
		return piece{}
	}
	return piece{text: s, rank: rankText}
}

func poorPiece(s string) piece {
	p := plainPiece(s)
	p.rank = min(p.rank, rankPoor)
	return p
}

// report shows a delivery report: fields that a person can read.
func (b *builder) report(nd *node) []piece {
	c := content{src: b.raw[nd.start:min(nd.end, nd.start+textStart)], enc: nd.enc}
	s, _ := b.d.decodeBody(c.bytes(), nd.typ.get("charset"))
	return []piece{plainPiece(strings.TrimSpace(cleanText(s)) + "\n")}
}

// damage notes what the transfer encoding lost.
func (b *builder) damage(c *content) {
	if !c.damaged {
		return
	}
	if c.enc == base64Encoding {
		b.n.add(sources.Warning, "base64-damaged", "base64 with characters that do not belong there; what can be decoded is kept")
	} else {
		b.n.add(sources.Info, "quoted-printable-damaged", "quoted-printable with escapes that are none; they stand as written")
	}
}

func (b *builder) charsetNote(label string, v verdict) {
	switch {
	case v.wrong:
		b.n.add(sources.Warning, "charset-wrong", "the text is said to be in %s, which does not fit; read as %s", quoted(label),
			v.charset)
	case v.guessed && v.charset != "" && label == "":
		b.n.add(sources.Info, "charset-guessed", "the text names no charset; read as %s", v.charset)
	case v.guessed && v.charset != "":
		b.n.add(sources.Warning, "charset-guessed", "nobody knows the charset %s; read as %s", quoted(label), v.charset)
	}
	if v.lossy {
		b.n.add(sources.Warning, "charset-damaged", "some characters of the text are damaged and shown as \ufffd")
	}
}
