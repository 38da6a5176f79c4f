package mboxfile

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"hsimport/sources/mail"
)

const (
	voteBytes = 32 << 20 // of a file that are looked at to decide whether its Content-Length fields can be trusted
	voteMails = 400
	voteFirst = 20 // when none of the first so many mails has the field, nobody votes
)

// vote decides whether the Content-Length fields of a file are right. One program wrote them for the whole file, or
// they are left over from the road of each mail. Those of the first kind are in nearly every mail, and land, all of
// them, on a separator or the end of the file; one in fifty may miss, as that of a mail edited by hand. A mail that
// they make text of another one must not have the field itself, and there must not be many such.
func vote(r io.ReaderAt, size, maxMessage int64) (bool, error) {
	f := newFramer(r, size, maxMessage)
	f.trusted = true
	mails, voters, misses := 0, 0, 0
	for ; mails < voteMails && f.pos < voteBytes && (mails < voteFirst || voters > 0); mails++ {
		fr, err := f.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return false, err
		}
		if fr.raw == nil || contentLength(fr.raw[:min(len(fr.raw), maxHead)]) < 0 {
			continue
		}
		voters++
		if _, ok := f.landing(fr.off); !ok {
			misses++
		}
	}
	misses += f.odd.skippedCL
	return voters > 0 && voters*10 >= mails*9 && misses*50 <= voters && f.odd.skipped.n <= voters, nil
}

// maxHead bounds the header block that Content-Length is looked for in.
const maxHead = 256 << 10

// landing is the place that the Content-Length field of the mail at off points to, when a separator or the end of the
// file is there.
func (f *framer) landing(off int64) (int64, bool) {
	head := f.headAt(off)
	n := contentLength(head)
	if n < 0 {
		return 0, false
	}
	at := off + int64(mail.HeaderEnd(head)) + n
	if at >= f.w.size {
		return f.w.size, at <= f.w.size+1 // a file that lost its last line end
	}
	buf := make([]byte, maxLook)
	got, err := f.w.r.ReadAt(buf, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, false // search will meet the error again
	}
	rest := bytes.TrimLeft(buf[:got], "\r\n")
	if len(rest) == 0 {
		return at, got < len(buf)
	}
	if !bytes.HasPrefix(rest, fromWord) || !f.lineStart(at, buf[:got]) {
		return 0, false
	}
	line, next := cutLine(rest)
	kind, _ := kindOf(line)
	return at, accepts(kind, line, true, look(next, got < len(buf)), f.gitFile)
}

// lineStart reports whether at is the start of a line; b are the bytes there.
func (f *framer) lineStart(at int64, b []byte) bool {
	if b[0] == '\n' || b[0] == '\r' {
		return true
	}
	var before [1]byte
	n, _ := f.w.r.ReadAt(before[:], at-1)
	return n == 1 && before[0] == '\n'
}

// headAt is the header block at off, as far as it is read cheaply.
func (f *framer) headAt(off int64) []byte {
	for n := int64(maxLook); ; n *= 4 {
		if f.w.need(off+n) != nil {
			return nil
		}
		b := f.w.slice(off, min(off+n, f.w.end()))
		if i := blankLine(b); i >= 0 {
			return b[:i]
		}
		if int64(len(b)) < n || n >= maxHead {
			return b
		}
	}
}

// blankLine is the offset behind the first blank line of b, or -1.
func blankLine(b []byte) int {
	for pos := 0; ; {
		i := bytes.IndexByte(b[pos:], '\n')
		if i < 0 {
			return -1
		}
		pos += i + 1
		switch {
		case pos < len(b) && b[pos] == '\n':
			return pos + 1
		case pos+1 < len(b) && b[pos] == '\r' && b[pos+1] == '\n':
			return pos + 2
		}
	}
}

// contentLength is the value of the Content-Length field of a header block, or -1.
func contentLength(head []byte) int64 {
	const name = "content-length:"
	for len(head) > 0 {
		line, rest := cutLine(head)
		if isEmptyLine(line) {
			break
		}
		if len(line) > len(name) && (line[0] == 'C' || line[0] == 'c') && bytes.EqualFold(line[:len(name)], []byte(name)) {
			n, err := strconv.ParseInt(string(bytes.TrimSpace(line[len(name):])), 10, 64)
			if err != nil || n < 0 || n > 1<<40 {
				return -1
			}
			return n
		}
		head = rest
	}
	return -1
}
