package mapping

import (
	"fmt"
	"strings"
	"time"
)

// Filters leave tickets out. What they leave out is counted by rule.
type Filters struct {
	From Day `yaml:"from"` // a ticket whose last message is before it is left out
	To   Day `yaml:"to"`   // so is one whose first message is not before it
	// Only, where it is written, leaves out what fits none of its rules; Exclude leaves out what fits one of its own.
	Only    []Condition `yaml:"only"`
	Exclude []Condition `yaml:"exclude"`
}

// A Day is a moment in configuration: a date, which begins at midnight UTC, or a time with its zone.
type Day time.Time

// UnmarshalText reads 2024-03-31 or 2024-03-31T18:00:00+02:00.
func (d *Day) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	for _, layout := range [...]string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			*d = Day(t.UTC())
			return nil
		}
	}
	return fmt.Errorf("%q is not a day; write 2024-03-31, or 2024-03-31T18:00:00Z", s)
}

// MarshalText writes what UnmarshalText reads.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String is a date where it begins a day, else a time in UTC.
func (d Day) String() string {
	t := time.Time(d)
	if t.Equal(t.Truncate(day)) {
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339)
}

// filters are Filters, folded; nil where nothing is filtered.
type filters struct {
	From, To      time.Time
	Only, Exclude []condition `json:",omitempty"`
}

func (f Filters) folded() *filters {
	if len(f.Only)+len(f.Exclude) == 0 && time.Time(f.From).IsZero() && time.Time(f.To).IsZero() {
		return nil
	}
	out := &filters{From: time.Time(f.From), To: time.Time(f.To)}
	for _, c := range f.Only {
		out.Only = append(out.Only, c.folded())
	}
	for _, c := range f.Exclude {
		out.Exclude = append(out.Exclude, c.folded())
	}
	return out
}

func (f Filters) check(c *checker) {
	if from, to := time.Time(f.From), time.Time(f.To); !from.IsZero() && !to.IsZero() && !from.Before(to) {
		c.add("filters.to", "%s is not after filters.from, %s", f.To, f.From)
	}
	for i, x := range f.Only {
		c.condition(fmt.Sprintf("filters.only[%d]", i), x)
	}
	for i, x := range f.Exclude {
		c.condition(fmt.Sprintf("filters.exclude[%d]", i), x)
	}
}

// filtered names the filter that leaves the ticket out, or "". The messages are in order.
func (w *work) filtered() string {
	f := w.m.Filters
	if f == nil {
		return ""
	}
	first, last := usableTime(w.t.CreatedAt), usableTime(w.t.CreatedAt)
	if len(w.entries) > 0 {
		first, last = w.entries[0].at, w.entries[len(w.entries)-1].at
	}
	switch {
	case !f.From.IsZero() && last.Before(f.From):
		return "ended before " + Day(f.From).String()
	case !f.To.IsZero() && !first.Before(f.To):
		return "began on or after " + Day(f.To).String()
	}
	for i := range f.Exclude {
		if w.fits(&f.Exclude[i]) {
			return "filter " + f.Exclude[i].String()
		}
	}
	for i := range f.Only {
		if w.fits(&f.Only[i]) {
			return ""
		}
	}
	if len(f.Only) > 0 {
		return "fits nothing of filters.only"
	}
	return ""
}

// String is the condition as a person would say it, in the configuration's words.
func (c Condition) String() string { return condition(c).String() }

// String is the condition as a person would say it: tags test or demo, groups old.
func (c condition) String() string {
	var parts []string
	for _, l := range [...]struct {
		name string
		list []string
	}{{"inboxes", c.Inboxes}, {"groups", c.Groups}, {"statuses", c.Statuses}, {"tags", c.Tags}, {"labels", c.Labels}, {"addresses", c.Addresses}} {
		if len(l.list) > 0 {
			parts = append(parts, l.name+" "+shorten(strings.Join(l.list, " or "), 80))
		}
	}
	return strings.Join(parts, ", ")
}
