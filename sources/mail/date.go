package mail

import (
	"strings"
	"time"
	"unicode/utf8"
)

// A moment is a date as written: zone says whether it named one that we know.
type moment struct {
	at   time.Time
	zone bool
}

// oldest is the first year that a mail date is believed of; a clock that was never set says 1970.
const oldest = 1980

// absurd reports whether a date cannot be one of a mail. What lies in the future is judged by the report, which knows
// the present; the year 2100 needs no clock.
func (m moment) absurd() bool {
	y := m.at.Year()
	return y < oldest || y > 2100
}

// parseDate reads the date of a mail header in any of the shapes that programs have written since 1980: RFC 5322,
// asctime, ISO 8601, month names of eleven languages, two-digit years, AM and PM, named zones, comments. A purely
// numeric date whose day and month could be either is refused, not guessed. Without a zone it is read in loc.
func parseDate(s string, loc *time.Location) (moment, bool) {
	if len(s) > 512 {
		s = s[:512]
	}
	p := dateParser{s: s, day: -1, year: -1, hour: -1}
	if !p.scan() {
		return moment{}, false
	}
	return p.moment(loc)
}

// A dateParser collects what the tokens of a date say. Fields not seen yet are negative, the month zero.
type dateParser struct {
	s                      string
	i                      int
	day, year, hour        int
	month                  time.Month
	minute, second         int
	firstWord              bool // the month was the first word: it may be a weekday ("mar" is mardi, too)
	words, unknown         int
	pm, am                 bool
	zone                   int // seconds east
	numeric, named, beyond bool
	comment                string
}

func (p *dateParser) scan() bool {
	for p.i < len(p.s) {
		c := p.s[p.i]
		ok := true
		switch {
		case c == '(':
			p.skipComment()
		case c >= '0' && c <= '9':
			ok = p.number()
		case (c == '+' || c == '-') && p.hour >= 0 && p.i+1 < len(p.s) && isDigit(p.s[p.i+1]):
			p.offset()
		case isLetter(c):
			p.word()
		default:
			p.i++
		}
		if !ok || p.unknown > 5 {
			return false
		}
	}
	if !p.numeric && !p.named && p.comment != "" {
		p.setZone(p.comment)
	}
	return true
}

// skipComment passes over a comment and keeps the text of the last one: it may be the only place that names a zone.
func (p *dateParser) skipComment() {
	start, depth := p.i+1, 0
	for ; p.i < len(p.s); p.i++ {
		if p.s[p.i] == '(' {
			depth++
		} else if p.s[p.i] == ')' {
			if depth--; depth == 0 {
				p.comment = strings.ToLower(strings.TrimSpace(p.s[start:p.i]))
				p.i++
				return
			}
		}
	}
}

// digits reads a run of digits: its value, capped, and its length.
func (p *dateParser) digits() (v, n int) {
	for p.i < len(p.s) && isDigit(p.s[p.i]) {
		if v < 1_000_000 {
			v = v*10 + int(p.s[p.i]-'0')
		}
		p.i++
		n++
	}
	return v, n
}

// follows reports whether sep and then a digit come next.
func (p *dateParser) follows(sep byte) bool {
	return p.i+1 < len(p.s) && p.s[p.i] == sep && isDigit(p.s[p.i+1])
}

func (p *dateParser) number() bool {
	v, n := p.digits()
	switch {
	case p.hour < 0 && n <= 2 && p.follows(':'):
		return p.clock(v, ':')
	case p.follows('-') && p.month == 0 && p.day < 0:
		return p.numericDate(v, n, '-')
	case p.follows('/') && p.month == 0:
		return p.numericDate(v, n, '/')
	case p.follows('.') && p.month == 0 && p.day < 0:
		return p.numericDate(v, n, '.')
	case p.follows('.') && p.hour < 0 && p.month != 0 && n <= 2 && (p.day >= 0 || p.year >= 0):
		return p.clock(v, '.')
	case n <= 2 && p.day < 0 && v >= 1 && v <= 31:
		p.day = v
	case p.year < 0:
		return p.setYear(v, n)
	}
	return true // a number that nothing needs: some programs add the day of the year
}

// clock reads hh:mm[:ss[.fraction]] of which hh was read.
func (p *dateParser) clock(h int, sep byte) bool {
	p.i++
	m, n := p.digits()
	if h > 24 || m > 59 || n > 2 {
		return false
	}
	p.hour, p.minute = h, m
	if p.follows(sep) {
		p.i++
		p.second, _ = p.digits()
		if p.second == 60 { // a leap second
			p.second = 59
		}
		if p.follows('.') || p.follows(',') {
			p.i++
			p.digits()
		}
	}
	return p.second < 60
}

// numericDate reads the rest of 2003-01-02, 2003/1/2, 15/11/2003, 15.11.2003 or 11/15/03 of which a was read.
func (p *dateParser) numericDate(a, n int, sep byte) bool {
	p.i++
	b, _ := p.digits()
	if !p.follows(sep) {
		return false
	}
	p.i++
	c, cn := p.digits()
	var month int
	switch {
	case n == 4:
		p.year, month, p.day = a, b, c
	case sep == '.': // the point is used for day.month.year only
		p.day, month = a, b
		if !p.setYear(c, cn) {
			return false
		}
	case a > 12 && b <= 12, a == b:
		p.day, month = a, b
		if !p.setYear(c, cn) {
			return false
		}
	case b > 12:
		p.day, month = b, a
		if !p.setYear(c, cn) {
			return false
		}
	default:
		return false // day and month could be either
	}
	p.month = time.Month(month)
	return month >= 1 && month <= 12
}

// setYear takes a year of n digits: RFC 5322 section 4.3 for two and three, and 19103 for what programs wrote that
// printed "19" before the years since 1900.
func (p *dateParser) setYear(v, n int) bool {
	switch {
	case n == 4:
	case n <= 2 && v < 50:
		v += 2000
	case n <= 3:
		v += 1900
	case n == 5 && v >= 19100 && v < 19200:
		v -= 17100
	default:
		return false
	}
	p.year = v
	return true
}

// offset reads a numeric zone: +0100, +01:00, +1, -500. One beyond 15 hours is no zone. It overrides a name, so that
// "GMT+1" and "GMT-0500" mean what they say.
func (p *dateParser) offset() {
	sign := 1
	if p.s[p.i] == '-' {
		sign = -1
	}
	p.i++
	v, n := p.digits()
	h, m := v/100, v%100
	if n <= 2 {
		h, m = v, 0
		if p.follows(':') {
			p.i++
			m, _ = p.digits()
		}
	}
	if p.numeric {
		return
	}
	if n > 4 || h > 15 || m > 59 {
		p.beyond = true
		return
	}
	p.zone, p.numeric = sign*(h*3600+m*60), true
}

// word takes a month, AM or PM, or a zone; other words (weekdays, "de", "at", "Uhr") mean nothing.
func (p *dateParser) word() {
	start := p.i
	for p.i < len(p.s) && isLetter(p.s[p.i]) {
		p.i++
	}
	w := p.s[start:p.i]
	first := p.words == 0
	p.words++
	if len(w) == 1 {
		p.letter(w[0] | 0x20)
		return
	}
	w = strings.ToLower(w)
	if m := monthNamed(w); m != 0 && (p.month == 0 || p.firstWord) {
		p.month, p.firstWord = m, first
		return
	}
	switch {
	case w == "pm":
		p.pm = true
	case w == "am":
		p.am = true
	case p.hour >= 0 && p.setZone(w):
	case !first:
		p.unknown++
	}
}

// letter takes a word of one letter: the a and p of "a.m." and "p.m.", the T of ISO 8601, a military zone (which
// RFC 5322 section 4.3 reads as UTC, because their signs were once printed the wrong way round).
func (p *dateParser) letter(c byte) {
	rest := strings.ToLower(p.s[p.i:min(p.i+2, len(p.s))])
	switch {
	case (c == 'a' || c == 'p') && rest == ".m":
		p.pm, p.am = c == 'p', c == 'a'
		p.i += 2
	case p.hour >= 0 && !p.numeric && c >= 'a' && c <= 'z' && c != 'j':
		p.zone, p.named = 0, true
	}
}

// setZone takes a zone by name.
func (p *dateParser) setZone(w string) bool {
	z, ok := zoneNamed(w)
	if ok && !p.numeric && !p.named {
		p.zone, p.named = z, true
	}
	return ok
}

// moment puts the parts together; what does not exist (31 February) is refused.
func (p *dateParser) moment(loc *time.Location) (moment, bool) {
	if p.day < 1 || p.year < 0 || p.month == 0 {
		return moment{}, false
	}
	if p.day > daysIn(p.month, p.year) {
		return moment{}, false
	}
	h := max(p.hour, 0)
	if h <= 12 && (p.pm || p.am) {
		h %= 12
		if p.pm {
			h += 12
		}
	}
	m := moment{zone: p.numeric || p.named}
	if m.zone {
		m.at = time.Date(p.year, p.month, p.day, h, p.minute, p.second-p.zone, 0, time.UTC)
		return m, true
	}
	if loc == nil {
		loc = time.UTC
	}
	m.at = time.Date(p.year, p.month, p.day, h, p.minute, p.second, 0, loc).UTC()
	return m, true
}

func daysIn(m time.Month, year int) int {
	return time.Date(year, m+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isLetter takes every byte above 127 for part of a word: month names are in any language.
func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}
