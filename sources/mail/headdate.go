package mail

import (
	"bytes"
	"time"

	"hsimport/sources"
)

// clockSlack is how much later than its receipt a mail may say it was written, for zones that are wrong and clocks
// that go fast. Beyond it the sender's clock is not believed.
const clockSlack = 48 * time.Hour

// dates finds when the mail was written: its Date field, else when it was received, else the separator's date.
func (h *Head) dates(f *rawFields, opts Options, n *notes) {
	received, haveReceived := newestReceived(f, opts)
	if haveReceived {
		h.Received = received
	}
	why := "there is no Date field"
	if len(trimSpace(f.date)) > 0 {
		m, ok := readDate(f.date, opts.Zone)
		switch {
		case !ok:
			why = "the Date field " + quoted(f.date) + " cannot be read"
			n.add(sources.Warning, "date-unreadable", "%s", why)
		case m.absurd():
			why = "the Date field " + quoted(f.date) + " cannot be right"
			n.add(sources.Warning, "date-absurd", "%s", why)
		case haveReceived && m.at.Sub(received) > clockSlack:
			why = "the Date field " + quoted(f.date) + " is later than the mail's receipt"
			n.add(sources.Warning, "date-absurd", "%s", why)
		default:
			if !m.zone {
				n.add(sources.Info, "date-zone-missing", "the Date field %s names no zone that is known; it is read in %s",
					quoted(f.date), zoneName(opts.Zone))
			}
			h.Date, h.DateSource = m.at, DateFromDate
			return
		}
	}
	switch {
	case haveReceived:
		h.Date, h.DateSource = received, DateFromReceived
		n.add(sources.Info, "date-from-received", "%s; the time of its receipt is taken", why)
	case !opts.Separator.IsZero() && !(moment{at: opts.Separator}).absurd():
		h.Date, h.DateSource = opts.Separator.UTC(), DateFromSeparator
		n.add(sources.Info, "date-from-separator", "%s; the separator line's date is taken", why)
	default:
		h.DateSource = DateFromNone
		n.add(sources.Warning, "date-missing", "%s, and nothing else says when the mail was written", why)
	}
}

func zoneName(loc *time.Location) string {
	if loc == nil {
		return "UTC"
	}
	return loc.String()
}

// readDate parses a Date field; encoded words and raw letters in it are decoded first.
func readDate(v []byte, loc *time.Location) (moment, bool) {
	v = trimSpace(unfold(v))
	if isASCII(v) && !bytes.Contains(v, []byte("=?")) {
		return parseDate(string(v), loc)
	}
	d := decoder{}
	return parseDate(d.text(v), loc)
}

// newestReceived reads the date of the last station that took the mail. Stations put theirs on top; one whose clock
// was never set is passed over for the next.
func newestReceived(f *rawFields, opts Options) (time.Time, bool) {
	for _, v := range [][]byte{f.received, f.olderReceived} {
		i := bytes.LastIndexByte(v, ';')
		if i < 0 {
			continue
		}
		if m, ok := readDate(v[i+1:], opts.Zone); ok && !m.absurd() {
			return m.at, true
		}
	}
	return time.Time{}, false
}
