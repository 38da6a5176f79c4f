package csvfile

import (
	"strings"
	"unicode/utf8"
)

// zone reads Z, an offset, or the abbreviation of a zone whose offset is beyond doubt. None is right too.
func (p *dateParser) zone() bool {
	start := p.i
	p.blanks()
	c := p.peek()
	switch {
	case c == '+' || c == '-':
		return p.offsetZone()
	case (c|0x20) >= 'a' && (c|0x20) <= 'z':
		return p.namedZone()
	}
	p.i = start
	return true
}

func (p *dateParser) offsetZone() bool {
	sign := 1
	if p.s[p.i] == '-' {
		sign = -1
	}
	p.i++
	h, _, ok := p.number(2, 2)
	if !ok {
		return false
	}
	m := 0
	switch colon := p.skip(':'); {
	case colon:
		p.form |= zoneColon
		m, _, ok = p.number(2, 2)
	case p.peek() >= '0' && p.peek() <= '9':
		p.form |= zonePlain
		m, _, ok = p.number(2, 2)
	default:
		p.form |= zoneHour
	}
	if !ok || h > 15 || m > 59 {
		return false
	}
	p.offset, p.zoned = sign*(h*3600+m*60), true
	return p.comment()
}

func (p *dateParser) namedZone() bool {
	name := strings.ToUpper(p.word())
	if name == "Z" {
		p.form |= zoneZ
		p.zoned = true
		return true
	}
	offset, ok := abbreviations[name]
	if !ok {
		return false
	}
	if (name == "UTC" || name == "GMT") && (p.peek() == '+' || p.peek() == '-') {
		return p.offsetZone()
	}
	p.form |= zoneName
	p.offset, p.zoned = offset, true
	return true
}

// comment passes the name that some programs write behind an offset, as in `+0000 (UTC)`.
func (p *dateParser) comment() bool {
	rest := strings.TrimLeft(p.s[p.i:], " ")
	if strings.HasPrefix(rest, "(") && strings.HasSuffix(rest, ")") {
		p.i = len(p.s)
	}
	return true
}

// abbreviations are those that mean one offset all over the world, and those of RFC 5322 section 4.3. IST, BST, AST
// and the like mean several, so a date with one of them is not read.
var abbreviations = map[string]int{
	"UTC": 0, "GMT": 0, "UT": 0,
	"EST": -5 * 3600, "EDT": -4 * 3600, "CST": -6 * 3600, "CDT": -5 * 3600,
	"MST": -7 * 3600, "MDT": -6 * 3600, "PST": -8 * 3600, "PDT": -7 * 3600,
	"CET": 3600, "CEST": 2 * 3600, "EET": 2 * 3600, "EEST": 3 * 3600, "WET": 0, "WEST": 3600,
}

// months are the beginnings of month names in English, German, French, Spanish, Italian, Portuguese, Dutch, Polish and
// Russian, where they differ; none of them means two months.
var months = map[string]int{
	"jan": 1, "ene": 1, "gen": 1, "sty": 1, "янв": 1,
	"feb": 2, "fév": 2, "fev": 2, "lut": 2, "фев": 2,
	"mar": 3, "mär": 3, "mrz": 3, "maa": 3, "mrt": 3, "мар": 3,
	"apr": 4, "avr": 4, "abr": 4, "kwi": 4, "апр": 4,
	"may": 5, "mai": 5, "mei": 5, "mag": 5, "maj": 5, "мая": 5, "май": 5,
	"jun": 6, "giu": 6, "cze": 6, "июн": 6,
	"jul": 7, "lug": 7, "lip": 7, "июл": 7,
	"aug": 8, "aoû": 8, "aou": 8, "ago": 8, "sie": 8, "авг": 8,
	"sep": 9, "set": 9, "wrz": 9, "сен": 9,
	"oct": 10, "okt": 10, "out": 10, "ott": 10, "paź": 10, "окт": 10,
	"nov": 11, "lis": 11, "ноя": 11,
	"dec": 12, "dez": 12, "déc": 12, "dic": 12, "gru": 12, "дек": 12,
}

var weekdays = map[string]bool{
	"mon": true, "tue": true, "wed": true, "thu": true, "fri": true, "sat": true, "sun": true,
	"mo": true, "di": true, "mi": true, "do": true, "fr": true, "sa": true, "so": true,
	"die": true, "mit": true, "don": true, "fre": true, "sam": true, "son": true,
	"lun": true, "mer": true, "jeu": true, "ven": true, "dim": true,
}

// monthOf is the month that a lower-case name or its abbreviation means, or 0.
func monthOf(w string) int {
	switch {
	case strings.HasPrefix(w, "juin"):
		return 6
	case strings.HasPrefix(w, "juil"):
		return 7
	}
	if m := months[first3(w)]; m != 0 && utf8.RuneCountInString(w) <= 12 {
		return m
	}
	return 0
}

// first3 is the first three letters of w, or all of it.
func first3(w string) string {
	n := 0
	for i := range w {
		if n == 3 {
			return w[:i]
		}
		n++
	}
	return w
}

// layout is the Go layout of dates in this form.
func (f form) layout(o dayOrder) string {
	switch f & orderMask {
	case epochOrder:
		return "epoch"
	case epochMilli:
		return "epoch_ms"
	case epochMicro:
		return "epoch_us"
	case compact:
		return f.compactLayout()
	}
	year, month, sep := f.parts()
	var b strings.Builder
	if f&weekday != 0 {
		b.WriteString("Mon ")
	}
	switch f & orderMask {
	case isoOrder:
		b.WriteString(year + sep + "01" + sep + "02")
	case dayMonth:
		if o == monthFirst {
			b.WriteString("1" + sep + "2" + sep + year)
		} else {
			b.WriteString("2" + sep + "1" + sep + year)
		}
	case dayName:
		b.WriteString("2" + sep + month + sep + year)
	case nameDay:
		b.WriteString(month + " 2" + f.with(commaDate, ",") + " " + year)
	case nameDayEnd:
		b.WriteString(month + " 2")
	}
	b.WriteString(f.clockLayout())
	if f&orderMask == nameDayEnd {
		b.WriteString(" 2006")
	}
	return b.String()
}

// parts are the layouts of year and month, and what stands between the parts of the date.
func (f form) parts() (year, month, sep string) {
	year, month, sep = "2006", "Jan", " "
	if f&shortYear != 0 {
		year = "06"
	}
	if f&longMonth != 0 {
		month = "January"
	}
	switch f & sepMask {
	case sepSlash:
		sep = "/"
	case sepDot:
		sep = "."
	case sepDash:
		sep = "-"
	}
	return year, month, sep
}

// with is text where the form has the bit.
func (f form) with(bit form, text string) string {
	if f&bit != 0 {
		return text
	}
	return ""
}

func (f form) compactLayout() string {
	return "20060102" + f.with(withT, "T") + f.with(withTime, "150405") + f.with(zoneZ, "Z07:00")
}

func (f form) clockLayout() string {
	if f&withTime == 0 {
		return ""
	}
	sep := " "
	switch {
	case f&withT != 0:
		sep = "T"
	case f&commaTime != 0:
		sep = ", "
	}
	hour := "15"
	if f&withAMPM != 0 {
		hour = "3"
	}
	s := sep + hour + ":04" + f.with(withSeconds, ":05") + f.with(withFraction, ".999999999") + f.with(withAMPM, " PM")
	switch {
	case f&zoneZ != 0:
		s += "Z07:00"
	case f&zoneColon != 0:
		s += "-07:00"
	case f&zonePlain != 0:
		s += " -0700"
	case f&zoneHour != 0:
		s += "-07"
	case f&zoneName != 0:
		s += " MST"
	}
	return s
}

// iso reports whether the form is one that ISO 8601 or its common spelling with a blank describes.
func (f form) iso() bool { return f&orderMask == isoOrder && f&sepMask == sepDash && f&withAMPM == 0 }
