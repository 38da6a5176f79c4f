package mail

import (
	"bytes"
	"strings"

	"hsimport/sources"
)

// isEncryptedSMIME reports whether a part is an S/MIME message (RFC 8551): enveloped, or signed with its text inside.
// A detached signature is an attachment like others.
func isEncryptedSMIME(nd *node) bool {
	if nd.typ.value != "application/pkcs7-mime" && nd.typ.value != "application/x-pkcs7-mime" {
		return false
	}
	kind := strings.ToLower(nd.typ.get("smime-type"))
	return kind != "certs-only"
}

// smime reads the text inside of a signed message and keeps the whole beside it; an encrypted one gets a placeholder.
func (b *builder) smime(nd, parent *node) []piece {
	c := content{src: b.raw[nd.start:nd.end], enc: nd.enc}
	if inner := signedContent(c.bytes()); inner != nil && b.nested < maxNested {
		pieces := b.inside(nd, inner)
		b.attachment(nd, parent)
		b.n.add(sources.Info, "smime-signed", "the mail is signed; its text was taken out of the signature, which is attached")
		return pieces
	}
	if parent != nil && b.hasText {
		return b.attachment(nd, parent)
	}
	return b.encrypted(nd)
}

// maxNested is how many messages may be packed in one another.
const maxNested = 4

// inside walks the MIME entity that is packed in the content of nd. Its attachments are opened through the same two
// steps.
func (b *builder) inside(nd *node, inner []byte) []piece {
	start, end, enc, outer := nd.start, nd.end, nd.enc, b.reopen
	sub := &builder{raw: inner, d: b.d, n: b.n, at: b.at, nested: b.nested + 1, whole: true}
	sub.files, sub.places = b.files, b.places
	sub.reopen = func() ([]byte, error) {
		raw, err := outer()
		if err != nil {
			return nil, err
		}
		if raw = unixEnds(raw); end > len(raw) {
			return nil, sources.ErrChanged
		}
		c := content{src: raw[start:end], enc: enc}
		return signedContent(c.bytes()), nil
	}
	pieces := sub.walk(parseTree(inner, collectFields(inner), b.n), nil)
	b.files, b.places = sub.files, sub.places
	b.hasText = b.hasText || sub.hasText
	if b.tnef == nil {
		b.tnef = sub.tnef
	}
	return pieces
}

// The object identifiers of PKCS #7 (RFC 5652), as they are encoded.
var oidSignedData = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02}

// signedContent is the MIME entity inside of a signed CMS message, or nil. It walks the BER encoding just as far as
// needed: ContentInfo, SignedData, EncapsulatedContentInfo, OCTET STRING.
func signedContent(b []byte) []byte {
	info, _, ok := berNext(b) // ContentInfo
	if !ok || info.tag != 0x30 {
		return nil
	}
	oid, rest, ok := berNext(info.body)
	if !ok || !bytes.Equal(oid.body, oidSignedData) {
		return nil
	}
	wrap, _, ok := berNext(rest) // [0]
	if !ok {
		return nil
	}
	signed, _, ok := berNext(wrap.body) // SignedData
	if !ok {
		return nil
	}
	_, rest, ok1 := berNext(signed.body) // version
	_, rest, ok2 := berNext(rest)        // digestAlgorithms
	encap, _, ok3 := berNext(rest)
	if !ok1 || !ok2 || !ok3 {
		return nil
	}
	_, rest, ok = berNext(encap.body) // eContentType
	if !ok || len(rest) == 0 {
		return nil
	}
	wrap, _, ok = berNext(rest)
	if !ok {
		return nil
	}
	octets, _, ok := berNext(wrap.body)
	if !ok {
		return nil
	}
	return octets.octets(nil, 0)
}

// A berValue is one value of BER: its tag, and its body without end-of-contents.
type berValue struct {
	tag  byte
	body []byte
}

// berNext reads the value that b begins with.
func berNext(b []byte) (v berValue, rest []byte, ok bool) { return berRead(b, 0) }

func berRead(b []byte, depth int) (v berValue, rest []byte, ok bool) {
	if len(b) < 2 || b[0]&0x1f == 0x1f || depth > 32 {
		return v, nil, false
	}
	v.tag = b[0]
	n, head := int(b[1]), 2
	if n == 0x80 { // indefinite: up to the end-of-contents of this level
		body := b[2:]
		at := 0
		for {
			if len(body)-at >= 2 && body[at] == 0 && body[at+1] == 0 {
				v.body = body[:at]
				return v, body[at+2:], true
			}
			_, next, ok := berRead(body[at:], depth+1)
			if !ok {
				return v, nil, false
			}
			at = len(body) - len(next)
		}
	}
	if n > 0x80 {
		size := n & 0x7f
		if size > 4 || len(b) < 2+size {
			return v, nil, false
		}
		n, head = 0, 2+size
		for _, c := range b[2 : 2+size] {
			n = n<<8 | int(c)
		}
	}
	if n > len(b)-head {
		return v, nil, false
	}
	v.body = b[head : head+n]
	return v, b[head+n:], true
}

// octets joins the pieces of an OCTET STRING.
func (v berValue) octets(dst []byte, depth int) []byte {
	if v.tag&0x20 == 0 {
		return append(dst, v.body...)
	}
	for rest := v.body; len(rest) > 0 && depth < 8; {
		piece, next, ok := berNext(rest)
		if !ok {
			break
		}
		dst = piece.octets(dst, depth+1)
		rest = next
	}
	return dst
}
