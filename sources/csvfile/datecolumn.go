package csvfile

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ncruces/go-strftime"
)

// dateFacts is what the cells of one column say of how it writes dates.
type dateFacts struct {
	forms    map[form]int
	last     form // of the cell before, counted in run until another comes
	run      int
	dayFirst int // cells that are dates only with the day first
	monFirst int // cells that are dates only with the month first
	either   int // cells that are dates in both orders, two different ones
	unzoned  int
	serial   int // spreadsheet day numbers
	bad      int
	example  string // of a cell without zone
}

func (f *dateFacts) count(s *stamp) {
	if s.form != f.last {
		f.settle()
		f.last = s.form
	}
	f.run++
	if !s.zoned {
		f.unzoned++
	}
	if s.form&orderMask != dayMonth {
		return
	}
	switch d, m := s.inOrder(dayFirst), s.inOrder(monthFirst); {
	case d && m && s.day != s.month:
		f.either++
	case d && !m:
		f.dayFirst++
	case m && !d:
		f.monFirst++
	}
}

// settle adds the cells of one form in a row to the counts.
func (f *dateFacts) settle() {
	if f.run > 0 {
		if f.forms == nil {
			f.forms = map[form]int{}
		}
		f.forms[f.last] += f.run
		f.run = 0
	}
}

// order is what the column decides: the day first, the month first, or unknown when it decides nothing or both.
func (f *dateFacts) order() dayOrder {
	switch {
	case f.dayFirst > 0 && f.monFirst == 0:
		return dayFirst
	case f.monFirst > 0 && f.dayFirst == 0:
		return monthFirst
	}
	return orderUnknown
}

// add merges the facts of another column that the same program wrote.
func (f *dateFacts) add(g *dateFacts) {
	f.dayFirst += g.dayFirst
	f.monFirst += g.monFirst
	f.either += g.either
}

// layout names the commonest form of the column as a Go layout, iso, epoch, epoch_ms or epoch_us.
func (f *dateFacts) layout(o dayOrder) string {
	f.settle()
	var best form
	n := 0
	for fm, c := range f.forms {
		if c > n || c == n && fm < best {
			best, n = fm, c
		}
	}
	switch {
	case n == 0:
		return ""
	case best.iso():
		return "iso"
	case best&orderMask == dayMonth && o == orderUnknown:
		return "ambiguous day/month"
	}
	return best.layout(o)
}

// A dateFormat is one that the configuration declares.
type dateFormat struct {
	layout string   // Go's
	strf   string   // strftime's, where no layout says the same
	only   form     // the recogniser, for one order of form: iso, epoch, epoch_ms, epoch_us
	order  dayOrder // the recogniser, with this order of day and month
}

// dateFormats reads the option date_formats.
func dateFormats(declared []string) ([]dateFormat, error) {
	var out []dateFormat
	for _, d := range declared {
		f := dateFormat{}
		switch strings.ToLower(strings.TrimSpace(d)) {
		case "iso":
			f.only = isoOrder
		case "epoch":
			f.only = epochOrder
		case "epoch_ms":
			f.only = epochMilli
		case "epoch_us":
			f.only = epochMicro
		case "dmy", "day-first":
			f.order = dayFirst
		case "mdy", "month-first":
			f.order = monthFirst
		default:
			if err := f.pattern(d); err != nil {
				return nil, fmt.Errorf("date_formats: %q: %w", d, err)
			}
		}
		out = append(out, f)
	}
	return out, nil
}

func (f *dateFormat) pattern(d string) error {
	sample := time.Date(2017, 10, 31, 22, 10, 47, 0, time.UTC)
	sameDay := func(t time.Time) bool { return t.Year() == 2017 && t.Month() == 10 && t.Day() == 31 }
	layout := d
	if strings.Contains(d, "%") {
		var err error
		if layout, err = strftime.Layout(d); err != nil {
			t, err := strftime.Parse(d, strftime.Format(d, sample))
			if err != nil || !sameDay(t) {
				return errors.New("this strftime pattern cannot be read back as a date")
			}
			f.strf = d
			return nil
		}
	}
	if t, err := time.Parse(layout, sample.Format(layout)); err != nil || !sameDay(t) {
		return errors.New("not a Go layout (2006-01-02) or strftime pattern (%Y-%m-%d) with year, month and day, nor iso, " +
			"epoch, epoch_ms, epoch_us, dmy, mdy")
	}
	f.layout = layout
	return nil
}

// parse reads text in this format; zoned says that the text names its zone.
func (f *dateFormat) parse(text string, loc *time.Location) (t time.Time, zoned, ok bool) {
	switch {
	case f.strf != "":
		t, err := strftime.Parse(f.strf, text)
		return t.UTC(), strings.Contains(f.strf, "%z") || strings.Contains(f.strf, "%s"), err == nil
	case f.layout != "":
		return f.parseLayout(text, loc)
	}
	s, ok := readStamp(text)
	if !ok || f.only != 0 && s.form&orderMask != f.only {
		return time.Time{}, false, false
	}
	t, ok = s.time(f.order, loc)
	return t, s.zoned, ok
}

func (f *dateFormat) parseLayout(text string, loc *time.Location) (t time.Time, zoned, ok bool) {
	t, err := time.ParseInLocation(f.layout, text, loc)
	if err != nil {
		return t, false, false
	}
	if strings.Contains(f.layout, "MST") {
		// time.Parse takes an abbreviation it does not know for UTC.
		name, offset := t.Zone()
		known, found := abbreviations[strings.ToUpper(name)]
		if !found {
			return t, false, false
		}
		return t.Add(time.Duration(offset-known) * time.Second).UTC(), true, true
	}
	return t.UTC(), strings.Contains(f.layout, "07"), plausibleYear(t)
}

func plausibleYear(t time.Time) bool { return t.Year() >= 1900 && t.Year() <= 2199 }

// A dateReader reads the date cells of one file.
type dateReader struct {
	declared []dateFormat
	order    dayOrder // assumed, until the whole file has been seen
	loc      *time.Location
}

// cellDate is a date cell read: empty, bad, or a time.
type cellDate struct {
	t   time.Time
	bad bool
}

// read reads a cell and counts it in facts, which may be nil.
func (r *dateReader) read(cell []byte, facts *dateFacts) cellDate {
	if len(r.declared) == 0 {
		if s, ok := readISO(cell); ok && s.plausible() { // as most are
			return r.take(&s, cell, facts)
		}
	}
	text := strings.TrimSpace(string(cell))
	if nullWord(text) {
		return cellDate{}
	}
	if len(r.declared) > 0 {
		return r.readDeclared(text, facts)
	}
	s, ok := readStamp(text)
	if !ok {
		if facts != nil {
			facts.bad++
			if serialDate(text) {
				facts.serial++
			}
		}
		return cellDate{bad: true}
	}
	return r.take(&s, cell, facts)
}

// take is the time of a cell's stamp, which it counts.
func (r *dateReader) take(s *stamp, cell []byte, facts *dateFacts) cellDate {
	if facts != nil {
		if !s.zoned && facts.unzoned == 0 {
			facts.example = strings.TrimSpace(string(cell))
		}
		facts.count(s)
	}
	order := r.order
	if order == orderUnknown {
		order = dayFirst
	}
	t, ok := s.time(order, r.loc)
	return cellDate{t: t, bad: !ok}
}

func (r *dateReader) readDeclared(text string, facts *dateFacts) cellDate {
	for i := range r.declared {
		t, zoned, ok := r.declared[i].parse(text, r.loc)
		if !ok {
			continue
		}
		if facts != nil && !zoned {
			if facts.unzoned == 0 {
				facts.example = text
			}
			facts.unzoned++
		}
		return cellDate{t: t}
	}
	if facts != nil {
		facts.bad++
	}
	return cellDate{bad: true}
}

// nullWord reports whether a cell says that there is no value.
func nullWord(text string) bool {
	switch len(text) {
	case 0:
		return true
	case 1:
		return text == "-" || text == "?" || text == "."
	}
	if len(text) > 19 {
		return false
	}
	switch text[0] {
	case 'n', 'N', '(', '\\', '0':
	default:
		return false
	}
	switch strings.ToLower(text) {
	case "null", "none", "nil", "n/a", "na", "nan", "nat", `\n`, "never", "(null)", "0000-00-00", "0000-00-00 00:00:00":
		return true
	}
	return false
}

// serialDate reports whether a cell is a day number as spreadsheets keep dates: 43101.5 is noon on 1 January 2018.
func serialDate(text string) bool {
	days, fraction, dotted := strings.Cut(text, ".")
	if len(days) != 5 || days < "25569" || days > "73050" || !allDigits(days) {
		return false
	}
	return !dotted || allDigits(fraction)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
