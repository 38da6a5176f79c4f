package csvfile

import (
	"strings"
	"time"
)

// A stamp is a date as a cell has it, before day and month are told apart and before a zone is put to it.
type stamp struct {
	year, month, day     int // with dayMonth: month is the first number and day the second, whichever they are
	hour, min, sec, nsec int
	offset               int  // seconds east of UTC
	zoned                bool // the cell names its offset
	form                 form
}

// A form is how a date is written: the parts of a layout, packed so that forms can be compared and counted.
type form uint32

// The order of day, month and year, in the low bits of a form.
const (
	orderMask  form = 0xf
	isoOrder   form = iota // 2017-10-31
	dayMonth               // 31/10/2017 or 10/31/2017: the column has to decide
	dayName                // 31 Oct 2017
	nameDay                // Oct 31, 2017
	nameDayEnd             // Oct 31 22:10:47 2017, the year last
	compact                // 20171031, 20171031T221047
	epochOrder             // seconds since 1970
	epochMilli             // milliseconds since 1970
	epochMicro             // microseconds since 1970
)

// The other parts of a form.
const (
	sepSlash form = 1 << (iota + 4)
	sepDot
	sepDash
	shortYear
	longMonth
	weekday
	withT
	withTime
	withSeconds
	withFraction
	withAMPM
	zoneZ
	zoneColon
	zonePlain
	zoneHour
	zoneName
	commaDate
	commaTime
)

const sepMask = sepSlash | sepDot | sepDash

// dayOrder says which of two numbers is the day.
type dayOrder uint8

const (
	orderUnknown dayOrder = iota
	dayFirst
	monthFirst
)

// readStamp reads a date in any form that means one thing only, but for the order of day and month. It refuses what it
// does not know in full: a date half understood is a wrong date.
func readStamp(text string) (stamp, bool) {
	if st, ok := readISO(text); ok {
		return st, st.plausible()
	}
	p := dateParser{s: strings.TrimSpace(text)}
	if strings.ContainsAny(p.s[:min(len(p.s), 128)], "\u00a0\u202f") {
		p.s = hardBlanks.Replace(p.s) // browsers write one before AM and PM
	}
	if p.s == "" || len(p.s) > 64 {
		return stamp{}, false
	}
	if p.epoch() || p.compact() {
		return p.stamp, true
	}
	p.weekday()
	if !p.date() {
		return stamp{}, false
	}
	if p.i < len(p.s) && !p.clock() {
		return stamp{}, false
	}
	if p.form&orderMask == nameDayEnd && p.year == 0 {
		return stamp{}, false
	}
	if p.i != len(p.s) || !p.plausible() {
		return stamp{}, false
	}
	return p.stamp, true
}

// hardBlanks makes the blanks that do not break a line plain ones.
var hardBlanks = strings.NewReplacer("\u00a0", " ", "\u202f", " ")

// readISO reads the commonest form of all, 2017-10-31T22:10:47 with a blank or a T and with or without Z, the short way.
func readISO[T string | []byte](s T) (st stamp, ok bool) {
	const shape = "0000-00-00 00:00:00Z"
	if len(s) != len(shape) && len(s) != len(shape)-1 {
		return st, false
	}
	for i := range len(s) {
		c := s[i]
		if shape[i] == '0' {
			if c-'0' > 9 {
				return st, false
			}
		} else if c != shape[i] && (i != 10 || c != 'T') {
			return st, false
		}
	}
	two := func(i int) int { return int(s[i]-'0')*10 + int(s[i+1]-'0') }
	st = stamp{
		year: two(0)*100 + two(2), month: two(5), day: two(8), hour: two(11), min: two(14), sec: two(17),
		form: isoOrder | sepDash | withTime | withSeconds,
	}
	if s[10] == 'T' {
		st.form |= withT
	}
	if len(s) == len(shape) {
		st.form |= zoneZ
		st.zoned = true
	}
	return st, true
}

// counted reports whether the date is a count since 1970.
func (s *stamp) counted() bool {
	switch s.form & orderMask {
	case epochOrder, epochMilli, epochMicro:
		return true
	}
	return false
}

// plausible checks the ranges; of day and month only what holds in either order.
func (s *stamp) plausible() bool {
	if s.year < 1900 || s.year > 2199 || s.hour > 23 || s.min > 59 || s.sec > 59 {
		return false
	}
	if s.form&orderMask == dayMonth {
		return s.inOrder(dayFirst) || s.inOrder(monthFirst)
	}
	return validDay(s.year, s.month, s.day)
}

// inOrder reports whether the stamp is a date when its day and month stand in order o.
func (s *stamp) inOrder(o dayOrder) bool {
	if o == dayFirst {
		return validDay(s.year, s.day, s.month)
	}
	return validDay(s.year, s.month, s.day)
}

func validDay(year, month, day int) bool {
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return false
	}
	if day <= 28 {
		return true
	}
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() == day
}

// time is the instant, in UTC; loc is the zone of stamps that carry none.
func (s *stamp) time(o dayOrder, loc *time.Location) (time.Time, bool) {
	month, day := s.month, s.day
	if s.form&orderMask == dayMonth {
		if !s.inOrder(o) {
			return time.Time{}, false
		}
		if o == dayFirst {
			month, day = day, month
		}
	}
	if s.zoned {
		t := time.Date(s.year, time.Month(month), day, s.hour, s.min, s.sec, s.nsec, time.UTC)
		return t.Add(-time.Duration(s.offset) * time.Second), true
	}
	return time.Date(s.year, time.Month(month), day, s.hour, s.min, s.sec, s.nsec, loc).UTC(), true
}

// A dateParser walks over one date.
type dateParser struct {
	stamp
	s string
	i int
}

// number reads between lo and hi digits; a further one is left to what comes next, which refuses it.
func (p *dateParser) number(lo, hi int) (n, digits int, ok bool) {
	for p.i+digits < len(p.s) && digits < hi {
		c := p.s[p.i+digits]
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int(c-'0')
		digits++
	}
	if digits < lo {
		return 0, 0, false
	}
	p.i += digits
	return n, digits, true
}

// word reads letters, those of other scripts too.
func (p *dateParser) word() string {
	start := p.i
	for p.i < len(p.s) {
		c := p.s[p.i] | 0x20
		if (c < 'a' || c > 'z') && p.s[p.i] < 0x80 {
			break
		}
		p.i++
	}
	return p.s[start:p.i]
}

func (p *dateParser) skip(c byte) bool {
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *dateParser) blanks() (any bool) {
	for p.skip(' ') {
		any = true
	}
	return any
}

func (p *dateParser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

// epoch reads a date that is a count of seconds, milliseconds or microseconds; other counts (a spreadsheet's days) are no dates.
func (p *dateParser) epoch() bool {
	digits := len(p.s)
	if dot := strings.IndexByte(p.s, '.'); dot == 10 {
		digits = dot
		for _, c := range p.s[dot+1:] {
			if c < '0' || c > '9' {
				return false
			}
		}
	}
	if digits != 10 && digits != 13 && digits != 16 {
		return false
	}
	var n int64
	for _, c := range []byte(p.s[:digits]) {
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + int64(c-'0')
	}
	t, f := time.Unix(n, 0).UTC(), epochOrder
	switch digits {
	case 13:
		t, f = time.UnixMilli(n).UTC(), epochMilli
	case 16:
		t, f = time.UnixMicro(n).UTC(), epochMicro
	}
	p.set(t, f)
	return p.plausible()
}

func (p *dateParser) set(t time.Time, f form) {
	p.stamp = stamp{
		year: t.Year(), month: int(t.Month()), day: t.Day(), hour: t.Hour(), min: t.Minute(), sec: t.Second(),
		nsec: t.Nanosecond(), zoned: true, form: f,
	}
}

// compact reads 20171031, 20171031221047 and 20171031T221047Z.
func (p *dateParser) compact() bool {
	s := strings.TrimSuffix(p.s, "Z")
	f := compact
	if len(s) != len(p.s) {
		f |= zoneZ
	}
	layout := "20060102"
	switch {
	case len(s) == 14:
		layout += "150405"
		f |= withTime
	case len(s) == 15 && s[8] == 'T':
		layout += "T150405"
		f |= withTime | withT
	case len(s) != 8 || f&zoneZ != 0:
		return false
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return false
	}
	p.set(t, f)
	p.zoned = f&zoneZ != 0
	return p.plausible()
}

// weekday passes a day's name at the start; it adds nothing, and one that is no day's name is left to date.
func (p *dateParser) weekday() {
	start := p.i
	w := strings.ToLower(p.word())
	if len(w) >= 2 && weekdays[first3(w)] && monthOf(w) == 0 {
		p.skip('.')
		p.skip(',')
		if p.blanks() {
			p.form |= weekday
			return
		}
	}
	p.i = start
}

// date reads the part up to the clock.
func (p *dateParser) date() bool {
	n, digits, ok := p.number(1, 4)
	if !ok {
		return p.nameFirst()
	}
	sep := p.peek()
	switch sep {
	case '-', '/', '.', ' ':
		p.i++
		if sep == '.' {
			p.blanks() // 31. Oktober 2017
		}
	default:
		return false
	}
	if digits == 4 {
		return p.yearFirst(n, sep)
	}
	if digits > 2 {
		return false
	}
	if c := p.peek(); c < '0' || c > '9' {
		return p.dayThenName(n, sep)
	}
	return p.numeric(n, sep)
}

func sepForm(sep byte) form {
	switch sep {
	case '/':
		return sepSlash
	case '.':
		return sepDot
	case '-':
		return sepDash
	}
	return 0
}

func (p *dateParser) yearFirst(year int, sep byte) bool {
	p.form |= isoOrder | sepForm(sep)
	p.year = year
	var ok bool
	if p.month, _, ok = p.number(1, 2); !ok || sep == ' ' || !p.skip(sep) {
		return false
	}
	p.day, _, ok = p.number(1, 2)
	return ok
}

func (p *dateParser) numeric(first int, sep byte) bool {
	p.form |= dayMonth | sepForm(sep)
	second, _, ok := p.number(1, 2)
	if !ok || sep == ' ' || !p.skip(sep) {
		return false
	}
	p.month, p.day = first, second
	return p.readYear()
}

func (p *dateParser) dayThenName(day int, sep byte) bool {
	p.form |= dayName | sepForm(sep)
	p.day = day
	p.of()
	if !p.readMonth() {
		return false
	}
	dotted := p.skip('.')
	if !p.skip(sep) && !p.skip(' ') && !dotted {
		return false
	}
	p.blanks()
	p.of()
	return p.readYear()
}

// of passes the `de` of `31 de octubre de 2017`.
func (p *dateParser) of() {
	start := p.i
	switch strings.ToLower(p.word()) {
	case "de", "del":
		if p.blanks() {
			return
		}
	}
	p.i = start
}

func (p *dateParser) nameFirst() bool {
	if !p.readMonth() {
		return false
	}
	p.skip('.')
	if !p.blanks() {
		return false
	}
	var ok bool
	if p.day, _, ok = p.number(1, 2); !ok {
		return false
	}
	if p.skip(',') {
		p.form |= commaDate
	}
	p.blanks()
	start := p.i
	if _, digits, ok := p.number(4, 4); ok && digits == 4 && p.peek() != ':' {
		p.i = start
		p.form |= nameDay
		return p.readYear()
	}
	p.i = start
	p.form |= nameDayEnd
	return true
}

func (p *dateParser) readMonth() bool {
	w := p.word()
	p.month = monthOf(strings.ToLower(w))
	if len(w) > 3 {
		p.form |= longMonth
	}
	return p.month != 0
}

// readYear reads a year of four digits, or of two, which lie between 1970 and 2069.
func (p *dateParser) readYear() bool {
	n, digits, ok := p.number(2, 4)
	if !ok || digits == 3 {
		return false
	}
	if digits == 2 {
		p.form |= shortYear
		n += 1900
		if n < 1970 {
			n += 100
		}
	}
	p.year = n
	return true
}
