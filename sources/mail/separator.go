package mail

import (
	"bytes"
	"time"
)

// ParseSeparatorDate reads the date of an mbox separator line ("From ann@x.org Tue Nov 15 08:12:31 1994"), with or
// without its line end, in UTC where it names no zone. It knows asctime with and without seconds, a zone before or
// after the year, a two-digit year, "remote from HOST" after it, and RFC 5322 and ISO dates. Prose that begins with
// "From " is refused, so a framer can ask it whether a line is a separator; one without any date is refused too.
func ParseSeparatorDate(line []byte) (time.Time, bool) {
	line = bytes.TrimRight(line, "\r\n\t ")
	line = bytes.TrimPrefix(line, []byte(">"))
	if !bytes.HasPrefix(line, []byte("From ")) || len(line) > 1024 {
		return time.Time{}, false
	}
	rest := line[len("From "):]
	if i := bytes.LastIndex(rest, []byte(" remote from ")); i >= 0 {
		rest = rest[:i]
	}
	for i := 0; i < len(rest); i++ {
		if i > 0 && rest[i-1] != ' ' && rest[i-1] != '\t' {
			continue
		}
		if t, ok := separatorDateAt(rest[i:]); ok {
			return t, true
		}
	}
	return time.Time{}, false
}

// separatorDateAt reads a date that begins b and leaves nothing over.
func separatorDateAt(b []byte) (time.Time, bool) {
	if len(b) < 10 || !(isDigit(b[0]) || isWeekday(b)) {
		return time.Time{}, false
	}
	if isWeekday(b) && !separatorWords(b) || isDigit(b[0]) && !numericSeparator(b) {
		return time.Time{}, false
	}
	p := dateParser{s: string(b), day: -1, year: -1, hour: -1}
	if !p.scan() || p.hour < 0 || p.unknown > 1 || p.words > 5 {
		return time.Time{}, false
	}
	m, ok := p.moment(time.UTC)
	return m.at, ok
}

// isWeekday reports whether b begins with an English weekday of three letters and a blank or comma.
func isWeekday(b []byte) bool {
	if len(b) < 4 || b[3] != ' ' && b[3] != ',' {
		return false
	}
	switch string(b[:3]) {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
		return true
	}
	return false
}

// separatorWords reports whether what follows the weekday is a month and a number, or a number and a month.
func separatorWords(b []byte) bool {
	f := bytes.Fields(bytes.ReplaceAll(b[3:], []byte(","), []byte(" ")))
	if len(f) < 3 || len(f) > 9 {
		return false
	}
	month, day := f[0], f[1]
	if isDigit(month[0]) {
		if i := bytes.IndexByte(month, '-'); i > 0 && len(month) > i+3 { // 15-Nov-1994
			return monthNamed(string(bytes.ToLower(month[i+1:i+4]))) != 0
		}
		month, day = day, month
	}
	return monthNamed(string(bytes.ToLower(month))) != 0 && isDigit(day[0])
}

// numericSeparator reports whether b begins like "15 Nov 1994 08:12" or "1994-11-15".
func numericSeparator(b []byte) bool {
	if len(b) >= 16 && b[4] == '-' && b[7] == '-' {
		return true
	}
	f := bytes.Fields(b)
	return len(f) >= 4 && len(f[0]) <= 2 && monthNamed(string(bytes.ToLower(f[1]))) != 0 && isDigit(f[2][0])
}
