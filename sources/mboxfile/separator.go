package mboxfile

import (
	"bytes"
	"time"

	"hsimport/sources/mail"
)

const (
	maxSeparator = 64 << 10 // bytes of a From_ line; a longer line is text
	maxLook      = 8 << 10  // bytes looked at behind a From_ line to see what follows it
	maxLookLines = 32
)

// A separatorKind is how a line that begins "From " looks by itself.
type separatorKind uint8

const (
	weak  separatorKind = iota // a word or an address without a date: Google Takeout, truncated lines, prose
	dated                      // an address and a date in any of the known spellings
	bare                       // "From " or "From -" alone: Netscape, Thunderbird
	patch                      // "From <commit> Mon Sep 17 00:00:00 2001": git format-patch, mostly quoted inside a mail
)

// gitDate is what git format-patch writes instead of a date, so that file(1) knows its output as a mail.
var gitDate = []byte("Mon Sep 17 00:00:00 2001")

// kindOf tells what a line that begins "From " looks like, and the date in it.
func kindOf(line []byte) (separatorKind, time.Time) {
	rest := bytes.TrimSpace(line[len("From "):])
	if len(rest) == 0 || len(rest) == 1 && rest[0] == '-' {
		return bare, time.Time{}
	}
	if i := bytes.IndexByte(rest, ' '); (i == 40 || i == 64) && isHex(rest[:i]) && bytes.Equal(bytes.TrimSpace(rest[i:]), gitDate) {
		return patch, time.Time{}
	}
	if len(line) <= 1024 {
		if at, ok := mail.ParseSeparatorDate(line); ok {
			return dated, at
		}
	}
	return weak, time.Time{}
}

func isHex(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// hasAddress reports whether the first word of a From_ line is an address, as in Google's "1844347792267117879@xxx" and
// pipermail's "ann at example.org".
func hasAddress(line []byte) bool {
	words := bytes.Fields(line[len("From "):])
	return len(words) > 0 && bytes.IndexByte(words[0], '@') >= 0 || len(words) > 2 && string(words[1]) == "at"
}

// A following says what stands behind a From_ line.
type following struct {
	blank  bool // an empty line: a mail without a header
	end    bool // nothing: the file ends there
	from   bool // another From_ line: a separator without a mail
	header bool // a header field
	known  int  // lines of the block that are well-known fields; nobody asks for more than two
}

// look describes the bytes behind a From_ line; atEOF says that the file ends with b.
func look(b []byte, atEOF bool) following {
	var f following
	if len(b) == 0 {
		f.end = atEOF
		return f
	}
	first := true
	for n := 0; n < maxLookLines && len(b) > 0 && f.known < 2; n++ {
		line, rest := cutLine(b)
		switch {
		case isEmptyLine(line):
			f.blank = first
			return f
		case first && bytes.HasPrefix(line, []byte(">From ")): // the envelope line of an older hop
			b = rest
			continue
		case first && bytes.HasPrefix(line, []byte("From ")):
			f.from = true
			return f
		case !first && (line[0] == ' ' || line[0] == '\t'):
		case mail.LooksLikeHeader(line):
			f.known++
			f.header = f.header || first
		}
		first = false
		b = rest
	}
	return f
}

// accepts decides whether a line that begins "From " inside a file separates two mails.
//
//	dated, after a blank line      and a header (damaged at its start, perhaps), an empty line, another From_ line or the
//	                               end of the file follows
//	dated, without a blank line    and a header follows: thousands of such are in real archives
//	bare                           and a header follows: one known field after a blank line, two without
//	weak, after a blank line       an address must stand in it, and two known fields follow (Google Takeout)
//	patch                          only in a file whose first separator is one
//
// Everything else is text: prose ("From Russia with love", even when "Year: 1963" follows), code, quoted patches.
func accepts(kind separatorKind, line []byte, blankBefore bool, f following, gitFile bool) bool {
	switch kind {
	case dated:
		return f.header || blankBefore && (f.blank || f.end || f.from || f.known >= 2)
	case bare:
		return f.header && (blankBefore || f.known >= 2)
	case patch:
		return gitFile && f.header
	}
	return blankBefore && f.header && f.known >= 2 && hasAddress(line)
}

// acceptsFirst is the milder rule for the first line of a file that is not blank: there is no body yet that it could
// belong to.
func acceptsFirst(kind separatorKind, line []byte, f following) bool {
	return kind != weak || f.header || f.known >= 2 || f.end && hasAddress(line)
}

// cutLine splits b after its first line end; line is without it.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return b, nil
	}
	line, rest = b[:i], b[i+1:]
	if i > 0 && line[i-1] == '\r' {
		line = line[:i-1]
	}
	return line, rest
}

// isEmptyLine reports whether a line without its end holds nothing.
func isEmptyLine(line []byte) bool { return len(line) == 0 }
