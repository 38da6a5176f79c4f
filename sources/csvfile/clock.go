package csvfile

import "strings"

// clock reads what follows the date: a separator, the time, AM or PM, the zone, and the year where it comes last.
func (p *dateParser) clock() bool {
	start := p.i
	switch {
	case p.skip('T'), p.skip('t'):
		p.form |= withT
	case p.skip(','):
		p.form |= commaTime
		p.blanks()
	case p.blanks():
	case p.form&orderMask != nameDayEnd:
		return false
	}
	if word := p.i; strings.EqualFold(p.word(), "at") {
		p.blanks()
	} else {
		p.i = word
	}
	var ok bool
	if p.hour, _, ok = p.number(1, 2); !ok || !p.skip(':') {
		p.i = start
		return false
	}
	if p.min, _, ok = p.number(2, 2); !ok {
		return false
	}
	p.form |= withTime
	return p.seconds() && p.meridiem() && p.zone() && p.lastYear()
}

func (p *dateParser) seconds() bool {
	if !p.skip(':') {
		return true
	}
	var ok bool
	if p.sec, _, ok = p.number(2, 2); !ok {
		return false
	}
	p.form |= withSeconds
	if c := p.peek(); c != '.' && c != ',' {
		return true
	}
	p.i++
	n, digits, ok := p.number(1, 9)
	if !ok {
		return false
	}
	for ; digits < 9; digits++ {
		n *= 10
	}
	p.nsec = n
	p.form |= withFraction
	return true
}

func (p *dateParser) meridiem() bool {
	start := p.i
	p.blanks()
	if c := p.peek() | 0x20; c != 'a' && c != 'p' {
		p.i = start
		return true
	}
	rest := strings.ToLower(p.s[p.i:])
	for _, m := range [...]string{"am", "pm", "a.m.", "p.m."} {
		if !strings.HasPrefix(rest, m) {
			continue
		}
		if p.hour < 1 || p.hour > 12 {
			return false
		}
		p.hour %= 12
		if m[0] == 'p' {
			p.hour += 12
		}
		p.i += len(m)
		p.form |= withAMPM
		return true
	}
	p.i = start
	return true
}

// lastYear reads the year of `Oct 31 22:10:47 +0000 2017`.
func (p *dateParser) lastYear() bool {
	if p.form&orderMask != nameDayEnd {
		return true
	}
	return p.blanks() && p.readYear() && p.form&shortYear == 0
}
