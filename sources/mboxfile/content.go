package mboxfile

import (
	"bytes"
	"crypto/sha256"
	"hash"
)

// keyRule is the version of everything that decides identity: the digest below, and the keys made in tickets.go. What one
// version wrote into a checkpoint, the next must find again.
const keyRule = "mail/v1"

// identityFields are the header fields that belong to a mail itself. The others tell of its road (Received, DKIM, List-*)
// or of the folder it was kept in (Status, X-Mozilla-*, X-Gmail-Labels), and differ between copies of one mail.
var identityFields = [...]string{"date", "from", "to", "cc", "subject", "message-id", "content-type", "content-transfer-encoding"}

// maxIdentityValues bounds how often one of these fields is looked at.
const maxIdentityValues = 64

// A digester makes the content digest of mails. It keeps its memory from mail to mail; it is not safe for concurrent
// use.
type digester struct {
	h       hash.Hash
	scratch []byte
	values  [len(identityFields)][][]byte
}

func newDigester() *digester { return &digester{h: sha256.New()} }

// digest is the identity of a mail's content: SHA-256 of the rule's name, of the identity fields in fixed order with
// their white space collapsed, and of the body. It is the same for a mail with LF and with CRLF, with its "From " lines
// quoted in any style, with or without blank lines at its end, and in whatever folder its copies lie.
func (d *digester) digest(raw []byte) [sha256.Size]byte {
	head, body := splitHead(raw)
	for i := range d.values {
		d.values[i] = d.values[i][:0]
	}
	eachField(head, func(name, value []byte) {
		for i, want := range identityFields {
			if len(name) == len(want) && equalFold(name, want) && len(d.values[i]) < maxIdentityValues {
				d.values[i] = append(d.values[i], value)
			}
		}
	})
	d.h.Reset()
	d.scratch = append(append(d.scratch[:0], keyRule...), '\n')
	for i, want := range identityFields {
		for _, v := range d.values[i] {
			d.scratch = append(append(d.scratch, want...), ':')
			d.scratch = append(appendCollapsed(d.scratch, v), '\n')
		}
	}
	d.h.Write(append(d.scratch, '\n'))
	d.writeBody(bytes.TrimRight(body, "\r\n"))
	var sum [sha256.Size]byte
	d.h.Sum(sum[:0])
	return sum
}

// writeBody hashes a body with CRLF as LF and without the ">" of quoted From_ lines.
func (d *digester) writeBody(body []byte) {
	if bytes.IndexByte(body, '\r') >= 0 {
		d.scratch = appendLF(d.scratch[:0], body)
		body = d.scratch
	}
	pos := 0
	for {
		start, from := nextQuoted(body, pos)
		if start < 0 {
			break
		}
		d.h.Write(body[pos:start])
		d.h.Write(fromWord)
		pos = from + len(fromWord)
	}
	d.h.Write(body[pos:])
}

// splitHead cuts a mail behind the blank line that ends its header; a mail that does not begin with a field has none.
// It is simpler than what mail.Read does with damaged headers, and stays as it is: identity depends on it.
func splitHead(raw []byte) (head, body []byte) {
	raw = bytes.TrimLeft(raw, "\r\n")
	line, rest := cutLine(raw)
	if bytes.HasPrefix(line, []byte(">From ")) { // the envelope line of an older hop
		line, _ = cutLine(rest)
	}
	if i := bytes.IndexByte(line, ':'); i < 1 || bytes.ContainsAny(line[:i], " \t") {
		return nil, raw
	}
	if i := blankLine(raw); i >= 0 {
		return raw[:i], raw[i:]
	}
	return raw, nil
}

// eachField calls fn with each field of a header block: its name and its value with the folding still in it.
func eachField(head []byte, fn func(name, value []byte)) {
	for len(head) > 0 {
		end := fieldEnd(head)
		if colon := bytes.IndexByte(head[:end], ':'); colon > 0 {
			fn(bytes.TrimRight(head[:colon], " \t"), head[colon+1:end])
		}
		head = head[end:]
	}
}

// fieldEnd is the offset behind the first field of a header block, its continuation lines included.
func fieldEnd(head []byte) int {
	for end := 0; ; {
		i := bytes.IndexByte(head[end:], '\n') + 1
		if i == 0 {
			return len(head)
		}
		end += i
		if end == len(head) || head[end] != ' ' && head[end] != '\t' {
			return end
		}
	}
}

// appendCollapsed appends v with every run of white space as one blank, and none at its ends.
func appendCollapsed(dst, v []byte) []byte {
	gap, begun := false, false
	for _, c := range v {
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			gap = begun
			continue
		}
		if gap {
			dst = append(dst, ' ')
			gap = false
		}
		dst, begun = append(dst, c), true
	}
	return dst
}

// appendLF appends b with CRLF as LF. A carriage return alone stays.
func appendLF(dst, b []byte) []byte {
	for {
		i := bytes.IndexByte(b, '\r')
		if i < 0 {
			return append(dst, b...)
		}
		dst = append(dst, b[:i]...)
		if i+1 >= len(b) || b[i+1] != '\n' {
			dst = append(dst, '\r')
		}
		b = b[i+1:]
	}
}

// nextQuoted finds the first line of b behind pos that is ">From ", ">>From " and so on: where its ">" begin and where
// its "From " begins. start is -1 when there is none.
func nextQuoted(b []byte, pos int) (start, from int) {
	for {
		i := bytes.Index(b[pos:], []byte(">From "))
		if i < 0 {
			return -1, -1
		}
		from = pos + i + 1
		start = from - 1
		for start > 0 && b[start-1] == '>' {
			start--
		}
		if start == 0 || b[start-1] == '\n' {
			return start, from
		}
		pos = from
	}
}

// equalFold compares a name with one in lower case.
func equalFold(b []byte, lower string) bool {
	for i := range len(lower) {
		c := b[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// A quoting is how a file's writer treated lines of a body that begin "From ".
type quoting uint8

const (
	quotedNot quoting = iota // .eml, Maildir, mboxcl2: the lines stand as they are
	quotedRD                 // mboxrd: ">" before every "From ", ">From ", ...: all lose one
	quotedO                  // mboxo: ">" before "From " only: ">From " loses it, ">>From " was so in the mail
)

// prepare is what of a mail's bytes goes to the decoder: without blank lines at the end, with LF when its header says
// that the file was converted to CRLF, and with its From_ lines unquoted. Thus a copy with other line ends decodes to
// the same texts and attachments. The result shares memory with raw when nothing had to be changed.
func prepare(raw []byte, q quoting) []byte {
	raw = bytes.TrimRight(raw, "\r\n")
	first, _, _ := bytes.Cut(raw, []byte("\n"))
	if bytes.HasSuffix(first, []byte("\r")) {
		raw = appendLF(make([]byte, 0, len(raw)), raw)
	}
	if q == quotedNot {
		return raw
	}
	head, body := splitHead(raw)
	if start, _ := nextQuoted(body, 0); start < 0 {
		return raw
	}
	out := append(make([]byte, 0, len(raw)), head...)
	pos := 0
	for {
		start, from := nextQuoted(body, pos)
		if start < 0 {
			return append(out, body[pos:]...)
		}
		out = append(out, body[pos:start]...)
		if q == quotedRD || from-start == 1 {
			start++
		}
		out = append(append(out, body[start:from]...), fromWord...)
		pos = from + len(fromWord)
	}
}
