package mboxfile

import (
	"bytes"
	"fmt"
)

// lookBehind is how many bytes before a candidate the search may need: the blank line, and the ">" of a quoted line.
const lookBehind = 256

var fromWord = []byte("From ")

// search finds the first separator at or behind from, or the size of the file. It looks for the word "From " and then
// at the byte before it, which is faster than looking for line starts, and sees the quoted ones in the same pass.
// Candidates before until are text, as a trusted Content-Length says; it is 0 when there is none. Beyond maxMessage
// bytes, and in a preamble, what was read is let go.
func (f *framer) search(from, until int64, preamble bool) (int64, error) {
	pos := from
	for {
		i := bytes.Index(f.w.slice(pos, f.w.end()), fromWord)
		if i < 0 {
			if f.w.atEOF() {
				return f.w.size, nil
			}
			pos = max(pos, f.w.end()-int64(len(fromWord)-1))
			if preamble || pos-from > f.maxMessage {
				f.w.keep = max(f.w.keep, pos-lookBehind)
			}
			if err := f.w.more(); err != nil {
				return 0, err
			}
			continue
		}
		at := pos + int64(i)
		found, err := f.candidate(at, from, until)
		if err != nil || found {
			return at, err
		}
		pos = at + int64(len(fromWord))
	}
}

// candidate decides whether the word "From " at at begins a separator.
func (f *framer) candidate(at, from, until int64) (bool, error) {
	if at > from {
		switch f.w.byteAt(at - 1) {
		case '\n':
		case '>':
			f.seeQuoted(at, from)
			return false, nil
		default:
			return false, nil
		}
	}
	if err := f.w.need(at + maxSeparator + maxLook); err != nil {
		return false, err
	}
	line, rest := cutLine(f.w.slice(at, f.w.end()))
	blank := at == from || f.blankBefore(at, from) || at == until
	ok := false
	if len(line) <= maxSeparator {
		f.last.at = at
		f.last.kind, f.last.date = kindOf(line)
		ok = accepts(f.last.kind, line, blank, look(rest[:min(len(rest), maxLook)], f.w.atEOF() && len(rest) <= maxLook), f.gitFile)
	}
	switch {
	case !ok:
		f.odd.fromInBody.see(at)
	case at < until:
		f.odd.skipped.see(at)
		if contentLength(rest[:min(len(rest), maxLook)]) >= 0 {
			f.odd.skippedCL++
		}
		return false, nil
	case !blank:
		f.odd.noBlank.see(at)
	}
	return ok, nil
}

// blankBefore reports whether the line before the one at at is empty; at follows a line feed.
func (f *framer) blankBefore(at, from int64) bool {
	prev := at - 2
	if prev >= from && f.w.byteAt(prev) == '\r' {
		prev--
	}
	return prev < from || f.w.byteAt(prev) == '\n'
}

// seeQuoted counts a line ">From ": at is the place of its "From ".
func (f *framer) seeQuoted(at, from int64) {
	start := at - 1
	for start > from && start > at-lookBehind+1 && f.w.byteAt(start-1) == '>' {
		start--
	}
	if start != from && f.w.byteAt(start-1) != '\n' {
		return
	}
	f.odd.quoted.see(start)
	if at-start > 1 {
		f.odd.doubled++
	}
}

func tooLarge(size, most int64) string {
	return fmt.Sprintf("the mail has %d bytes, more than the %d that max_message allows", size, most)
}
