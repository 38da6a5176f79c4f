package mboxfile

import (
	"bytes"
	"io"
	"strconv"
	"time"

	"hsimport/sources/mail"
)

// A frame is one mail as it stands in a file: what separates it from the one before, its bytes, and the blank lines
// behind it.
type frame struct {
	sepOff int64
	sep    []byte    // the From_ line without its line end; nil where a mail stands without one
	date   time.Time // in the From_ line; zero when there is none
	off    int64     // of the mail's first byte
	size   int64     // of the mail, up to and with the end of its last line that is not blank
	raw    []byte    // the mail; valid until the next call of next; nil when refused
	refuse string    // why it cannot be had; empty when it can
}

// A tally counts the bytes of one file by class; its sum is the file's size. See sources.FileLedger.
type tally struct {
	message, separator, preamble, blank, refused, truncated int64
}

// A sighting counts one oddity of a file and remembers where it was seen first.
type sighting struct {
	n     int
	first int64
}

func (s *sighting) see(off int64) {
	if s.n == 0 {
		s.first = off
	}
	s.n++
}

// oddities are what the framer noticed in one file.
type oddities struct {
	fromInBody sighting // lines "From " that were taken as text
	noBlank    sighting // separators without a blank line before them
	quoted     sighting // lines ">From "
	empty      sighting // separators without a mail behind them
	skipped    sighting // separators that a trusted Content-Length says are text
	skippedCL  int      // those of them whose mail has a Content-Length of its own
	garbage    sighting // a preamble that is neither blank nor a byte order mark
	crlf, lf   int      // mails by the line end of their first line
	bareSep    int      // separators by kind, for the name of the layout
	datedSep   int
	weakSep    int
	doubled    int    // lines ">>From ": somebody quoted reversibly
	cutOff     int64  // of the last mail, when it ends in the middle
	cutWhy     string // empty when it does not
}

// A framer cuts an mbox into mails. Its window is bounded by the largest mail, and by maxMessage.
type framer struct {
	w          window
	pos        int64 // of the next separator, or of a mail without one
	maxMessage int64
	trusted    bool // Content-Length fields of this file are right
	gitFile    bool
	whole      bool // the file is one mail: .eml, Maildir
	emlx       bool // one mail between its length and a property list: Apple Mail
	started    bool
	naked      bool // the next mail has no separator
	last       lastSeparator
	tally      tally
	odd        oddities
}

// A lastSeparator is what the search knows of the line that it looked at last.
type lastSeparator struct {
	at   int64
	kind separatorKind
	date time.Time
}

// newFramer cuts size bytes of r. A mail of more than maxMessage bytes is refused, which costs no memory.
func newFramer(r io.ReaderAt, size, maxMessage int64) *framer {
	return &framer{w: window{r: r, size: size, room: windowBytes, read: readBytes}, maxMessage: maxMessage, last: lastSeparator{at: -1}}
}

// next returns the next mail, or io.EOF. After io.EOF the tally is complete.
func (f *framer) next() (frame, error) {
	if !f.started {
		f.started = true
		if err := f.start(); err != nil {
			return frame{}, err
		}
	}
	for f.pos < f.w.size {
		fr, ok, err := f.one()
		if err != nil || ok {
			return fr, err
		}
	}
	return frame{}, io.EOF
}

// start passes over what stands before the first mail.
func (f *framer) start() error {
	if err := f.w.need(maxSeparator + maxLook); err != nil {
		return err
	}
	if bytes.HasPrefix(f.w.slice(0, min(3, f.w.end())), []byte("\xef\xbb\xbf")) {
		f.pos, f.tally.preamble = 3, 3
	}
	if err := f.skipBlank(); err != nil || f.pos >= f.w.size {
		return err
	}
	if err := f.w.need(f.pos + maxSeparator + maxLook); err != nil {
		return err
	}
	head := f.w.slice(f.pos, f.w.end())
	line, rest := cutLine(head)
	if f.emlx {
		f.whole = true
		f.unwrap(line)
	}
	if f.whole {
		f.naked = true
		return nil
	}
	if bytes.HasPrefix(line, []byte("From ")) && len(line) <= maxSeparator {
		kind, _ := kindOf(line)
		if acceptsFirst(kind, line, look(rest, f.w.atEOF())) {
			f.gitFile = kind == patch
			return nil
		}
	}
	if beginsMail(head) {
		f.naked = true
		return nil
	}
	return f.skipPreamble()
}

// unwrap takes the first line of an .emlx, the length of the mail, and what follows the mail as preamble.
func (f *framer) unwrap(line []byte) {
	n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
	first := int64(bytes.IndexByte(f.w.slice(f.pos, f.w.end()), '\n') + 1)
	if err != nil || n < 0 || n > f.w.size-f.pos-first {
		n = f.w.size - f.pos - first
	}
	f.pos += first
	f.tally.preamble += first + f.w.size - f.pos - n
	f.w.size = f.pos + n
	if f.w.end() > f.w.size {
		f.w.buf = f.w.buf[:f.w.size-f.w.base]
	}
}

// skipBlank passes over blank lines.
func (f *framer) skipBlank() error {
	for {
		for f.pos < f.w.end() {
			if c := f.w.byteAt(f.pos); c != '\n' && c != '\r' {
				return nil
			}
			f.pos++
			f.tally.blank++
		}
		if f.w.atEOF() {
			return nil
		}
		f.w.keep = f.pos
		if err := f.w.more(); err != nil {
			return err
		}
	}
}

// skipPreamble passes over bytes before the first separator.
func (f *framer) skipPreamble() error {
	at, err := f.search(f.pos, 0, true)
	if err != nil {
		return err
	}
	f.odd.garbage.see(f.pos)
	f.tally.preamble += at - f.pos
	f.pos = at
	return nil
}

// one reads the separator at pos and the mail behind it. ok is false when there is no mail.
func (f *framer) one() (fr frame, ok bool, err error) {
	f.w.keep = max(f.w.keep, f.pos-2)
	fr.sepOff, fr.off = f.pos, f.pos
	if !f.naked {
		if fr.sep, fr.off, err = f.separatorLine(); err != nil {
			return fr, false, err
		}
		fr.date = f.last.date
	}
	f.naked = false
	end, size, err := f.extent(fr.off)
	if err != nil {
		return fr, false, err
	}
	f.pos = end
	f.account(&fr, end, size)
	return fr, fr.size > 0, nil
}

// noticeCut looks whether the last mail of the file ends before its end. A file of its own must lack its last line end
// too: whoever wrote single mails without closing delimiters wrote all of them so.
func (f *framer) noticeCut(fr *frame) {
	if f.whole && bytes.HasSuffix(fr.raw, []byte("\n")) {
		return
	}
	f.odd.cutOff, f.odd.cutWhy = fr.sepOff, mail.Cut(fr.raw)
}

// separatorLine reads the From_ line at pos; off is what follows it.
func (f *framer) separatorLine() (line []byte, off int64, err error) {
	if err := f.w.need(f.pos + maxSeparator + maxLook); err != nil {
		return nil, 0, err
	}
	b := f.w.slice(f.pos, f.w.end())
	line, rest := cutLine(b)
	if f.last.at != f.pos {
		f.last.at = f.pos
		f.last.kind, f.last.date = kindOf(line)
	}
	switch f.last.kind {
	case dated:
		f.odd.datedSep++
	case bare:
		f.odd.bareSep++
	default:
		f.odd.weakSep++
	}
	// The window's memory may move before the caller is done with the line.
	return bytes.Clone(line[:min(len(line), maxSeparator)]), f.w.end() - int64(len(rest)), nil
}

// extent finds where the mail at off ends: end is the place of the next separator or the end of the file, size is
// without the blank lines before it.
func (f *framer) extent(off int64) (end, size int64, err error) {
	switch {
	case f.whole && f.w.size-off > f.maxMessage:
		end, err = f.w.size, f.drain()
	case f.whole:
		end, err = f.w.size, f.w.need(f.w.size)
	default:
		until := int64(0)
		if f.trusted {
			until, _ = f.landing(off)
		}
		end, err = f.search(off, until, false)
	}
	if err != nil {
		return 0, 0, err
	}
	return end, f.trimmed(off, end) - off, nil
}

// drain reads to the end of the file and holds nothing but the last bytes.
func (f *framer) drain() error {
	for !f.w.atEOF() {
		f.w.keep = max(f.w.keep, f.w.end()-lookBehind)
		if err := f.w.more(); err != nil {
			return err
		}
	}
	return nil
}

// trimmed is the end of the bytes [off, end) without the blank lines at their end; the last line keeps its line end.
func (f *framer) trimmed(off, end int64) int64 {
	low := max(off, f.w.base)
	last := end
	for last > low {
		if c := f.w.byteAt(last - 1); c != '\n' && c != '\r' {
			break
		}
		last--
	}
	if last == off || last == end {
		return last
	}
	if f.w.byteAt(last) == '\r' {
		last++
		if last == end || f.w.byteAt(last) != '\n' {
			return last
		}
	}
	return last + 1
}

// account puts the bytes from the separator up to end into their classes and completes the frame.
func (f *framer) account(fr *frame, end, size int64) {
	sepBytes := fr.off - fr.sepOff
	f.tally.blank += end - fr.off - size
	if size == 0 {
		if end >= f.w.size {
			f.tally.truncated += sepBytes
		} else {
			f.tally.separator += sepBytes
			f.odd.empty.see(fr.sepOff)
		}
		return
	}
	f.tally.separator += sepBytes
	fr.size = size
	if size > f.maxMessage || fr.off < f.w.base {
		f.tally.refused += size
		fr.refuse = tooLarge(size, f.maxMessage)
		return
	}
	f.tally.message += size
	fr.raw = f.w.slice(fr.off, fr.off+size)
	if line, _, _ := bytes.Cut(fr.raw[:min(size, maxLook)], []byte("\n")); bytes.HasSuffix(line, []byte("\r")) {
		f.odd.crlf++
	} else {
		f.odd.lf++
	}
}
