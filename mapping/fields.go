package mapping

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// Limits of custom field values.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/custom_fields/update
const (
	maxSingleLine = 255
	maxMultiLine  = 15_000
)

// field is a custom field of the mailbox. Exported names are part of the digest.
type field struct {
	ID      int64
	Name    string
	Kind    string // singleline, multiline, number, date, dropdown; else as the server spells it
	Options map[string]string
	labels  []string
}

func newField(f helpscout.Field) *field {
	kind := strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(f.Type))
	out := &field{ID: f.ID, Name: f.Name, Kind: kind, Options: map[string]string{}}
	for _, o := range f.Options {
		if _, twice := out.Options[fold(o.Label)]; !twice {
			out.Options[fold(o.Label)] = strconv.FormatInt(o.ID, 10)
			out.labels = append(out.labels, o.Label)
		}
	}
	return out
}

// fieldValues are the ticket's custom fields in the form their types ask for, by id. A field that is named twice
// keeps its first value; empty ones are not sent.
func (w *work) fieldValues() []helpscout.FieldValue {
	var out []helpscout.FieldValue
	var given few[string, struct{}]
	add := func(name, value string) {
		value, _ = cleanText(strings.TrimSpace(value))
		key := fold(name)
		if value == "" || given.has(key) {
			return
		}
		given.put(key, struct{}{})
		if fv, ok := w.fieldValue(name, key, value); ok {
			out = append(out, fv)
		}
	}
	for _, f := range w.t.Fields {
		add(f.Name, f.Value)
	}
	if w.m.Reference == "field" {
		add(w.m.LegacyField, firstOf(w.t.ID, w.t.URL))
	}
	slices.SortStableFunc(out, func(a, b helpscout.FieldValue) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// fieldValue is one value of the field of this name; key is the name, folded.
func (w *work) fieldValue(name, key, value string) (helpscout.FieldValue, bool) {
	if t := w.m.FieldValues[key]; t != nil {
		if v, ok := t[fold(value)]; ok {
			value = v
		}
	}
	if value == "" {
		return helpscout.FieldValue{}, false
	}
	if !w.m.bound {
		return helpscout.FieldValue{Value: value}, true
	}
	bx := w.into()
	f := bx.fields[key]
	if f == nil {
		switch {
		case bx.mailbox.ID == 0: // the mailbox itself is the trouble
		case w.m.knowsField(name):
			w.find(sources.Warning, codeFieldElsewhere, bx.mailbox.Name+": "+name, "mailbox %q has no custom field %q, which another one has; its value is left out", bx.mailbox.Name, name)
		default:
			w.find(sources.BlocksJob, codeField, name, "mailbox %q has no custom field %q%s; its values would be lost",
				bx.mailbox.Name, name, didYouMean(name, bx.fieldNames()))
		}
		return helpscout.FieldValue{}, false
	}
	v, why := f.value(value)
	if why != "" {
		w.find(sources.Warning, codeFieldValue, f.Name+": "+value, "custom field %q: %q %s; it is left out", f.Name, shorten(value, 80), why)
		return helpscout.FieldValue{}, false
	}
	if short, cut := cutUnits(v, f.limit()); cut {
		w.find(sources.Warning, codeFieldCut, f.Name, "custom field %q: %d characters are cut to %d", f.Name, utf16Len(v), f.limit())
		v = short
	}
	return helpscout.FieldValue{ID: f.ID, Value: v}, true
}

func (f *field) limit() int {
	if f.Kind == "multiline" {
		return maxMultiLine
	}
	return maxSingleLine
}

// value converts a value to the field's type; why says what is wrong with one that does not fit.
func (f *field) value(v string) (converted, why string) {
	switch f.Kind {
	case "dropdown":
		if id, ok := f.Options[fold(v)]; ok {
			return id, ""
		}
		return "", "is not one of its options" + didYouMean(v, f.labels)
	case "number":
		return wholeNumber(v)
	case "date":
		return calendarDay(v)
	case "multiline":
		return v, ""
	}
	return oneLine(v), ""
}

// wholeNumber reads an integer, which is all that the field takes; a fraction of zeros is no loss.
func wholeNumber(v string) (string, string) {
	v = strings.TrimSpace(v)
	if head, zeros, ok := strings.Cut(v, "."); ok && zeros != "" && strings.Trim(zeros, "0") == "" {
		v = head
	}
	digits := strings.TrimLeft(v, "+-")
	if digits == "" || len(v)-len(digits) > 1 || strings.Trim(digits, "0123456789") != "" {
		return "", "is not a whole number, which is all that the field takes"
	}
	return strings.TrimPrefix(v, "+"), ""
}

// dayLayouts are those that can be read in one way only.
var dayLayouts = []string{
	"2006-01-02", "2006/01/02", "2006.01.02", "20060102", time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05",
	"2006-01-02 15:04", "2006-01-02 15:04:05 UTC", "2006-01-02 15:04:05 -0700", "2 Jan 2006", "Jan 2, 2006", "2 January 2006", "January 2, 2006",
}

func calendarDay(v string) (string, string) {
	for _, l := range dayLayouts {
		if t, err := time.Parse(l, strings.TrimSpace(v)); err == nil && t.Year() > 0 && t.Year() < 10_000 {
			return t.Format("2006-01-02"), ""
		}
	}
	return "", "is not a date that can be read in one way only (write 2024-03-31)"
}
