package csvfile

import (
	"slices"
	"strings"
	"testing"
	"time"

	"hsimport/sources"
)

func TestReadStamp(t *testing.T) {
	for _, tt := range []struct {
		text  string
		want  string // RFC 3339 in UTC; empty: refused
		zoned bool
	}{
		{"2017-10-31T22:10:47Z", "2017-10-31T22:10:47Z", true},
		{"2017-10-31 22:10:47", "2017-10-31T22:10:47Z", false},
		{"2017-10-31", "2017-10-31T00:00:00Z", false},
		{"2017/10/31 22:10", "2017-10-31T22:10:00Z", false},
		{"2017-10-31T22:10:47.123456+02:00", "2017-10-31T20:10:47Z", true},
		{"2017-10-31 22:10:47 +0530", "2017-10-31T16:40:47Z", true},
		{"2017-10-31 22:10:47 UTC", "2017-10-31T22:10:47Z", true},
		{"2017-10-31 22:10:47 EST", "2017-11-01T03:10:47Z", true},
		{"2017-10-31 22:10:47 IST", "", false}, // three zones are called so
		{"Tue Oct 31 22:10:47 +0000 2017", "2017-10-31T22:10:47Z", true},
		{"Tue Oct 31 22:10:47 2017", "2017-10-31T22:10:47Z", false},
		{"Tue, 31 Oct 2017 22:10:47 +0000 (UTC)", "2017-10-31T22:10:47Z", true},
		{"16/Feb/17 3:29 PM", "2017-02-16T15:29:00Z", false},
		{"16/Feb/17 12:05 am", "2017-02-16T00:05:00Z", false},
		{"October 31, 2017 at 10:10 PM", "2017-10-31T22:10:00Z", false},
		{"Oct 31, 2017, 22:10", "2017-10-31T22:10:00Z", false},
		{"31. Dezember 2017 08:00", "2017-12-31T08:00:00Z", false},
		{"31 déc. 2017", "2017-12-31T00:00:00Z", false},
		{"1 juillet 2017", "2017-07-01T00:00:00Z", false},
		{"20171031T221047Z", "2017-10-31T22:10:47Z", true},
		{"1509487847", "2017-10-31T22:10:47Z", true},
		{"1509487847123", "2017-10-31T22:10:47Z", true},
		{"1509487847123456", "2017-10-31T22:10:47Z", true},
		{"31/10/2017, 10:10:47\u202fPM", "2017-10-31T22:10:47Z", false},
		{"31 de octubre de 2017 22:10", "2017-10-31T22:10:00Z", false},
		{"31 Październik 2017", "2017-10-31T00:00:00Z", false},
		{"31 de octubre del 2017", "2017-10-31T00:00:00Z", false},
		{"31 de de octubre 2017", "", false},
		{"29/2/2016 01:16", "2016-02-29T01:16:00Z", false},
		{"31/12/69", "2069-12-31T00:00:00Z", false},
		{"31/12/70", "1970-12-31T00:00:00Z", false},

		{"", "", false},
		{"2017-02-30", "", false},
		{"2017-13-01", "", false},
		{"2017-10-31 24:00:00", "", false},
		{"2017-10-31 13:00 PM", "", false},
		{"31/31/2017", "", false},
		{"43101.5", "", false},
		{"12:30", "", false},
		{"20190304123", "", false},
		{"0000-00-00 00:00:00", "", false},
		{"2017-10-31 22:10:47 and more", "", false},
		{"soon", "", false},
		{"1234", "", false},
	} {
		s, ok := readStamp(tt.text)
		if !ok {
			if tt.want != "" {
				t.Errorf("%q was refused", tt.text)
			}
			continue
		}
		at, ok := s.time(dayFirst, time.UTC)
		if got := at.Format(time.RFC3339); !ok || got != tt.want || s.zoned != tt.zoned {
			t.Errorf("%q is %s (zoned %v), want %s (%v)", tt.text, got, s.zoned, tt.want, tt.zoned)
		}
	}
}

// What a form's layout prints is read back as the same time: init offers that layout as a setting.
func TestFormLayouts(t *testing.T) {
	for _, text := range []string{
		"2017-10-31T22:10:47Z", "2017-10-31 22:10:47", "31/10/2017 22:10", "31.10.17", "Tue, 31 Oct 2017 22:10:47 +0100",
		"16/Feb/17 3:29 PM", "October 31, 2017 22:10", "Tue Oct 31 22:10:47 +0000 2017", "20171031T221047Z", "31-10-2017 22:10:47.5",
	} {
		s, ok := readStamp(text)
		if !ok {
			t.Errorf("%q was refused", text)
			continue
		}
		want, _ := s.time(dayFirst, time.UTC)
		layout := s.form.layout(dayFirst)
		again, ok := readStamp(want.Format(layout))
		if !ok {
			t.Errorf("%q has the layout %q, which prints %q, which is refused", text, layout, want.Format(layout))
			continue
		}
		if got, _ := again.time(dayFirst, time.UTC); !got.Equal(want) {
			t.Errorf("%q has the layout %q, which prints %q, which is %s", text, layout, want.Format(layout), got)
		}
	}
}

func TestDeclaredFormats(t *testing.T) {
	berlin, err := zoneNamed("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ format, text, want string }{
		{"02/01/2006 15:04", "03/02/2019 12:00", "2019-02-03T11:00:00Z"},
		{"%d.%m.%Y %H:%M", "03.07.2019 12:00", "2019-07-03T10:00:00Z"},
		{"mdy", "03/02/2019 12:00", "2019-03-02T11:00:00Z"},
		{"dmy", "3.2.19 12:00", "2019-02-03T11:00:00Z"},
		{"iso", "2019-02-03T12:00:00Z", "2019-02-03T12:00:00Z"},
		{"iso", "3.2.2019", ""},
		{"epoch", "1549195200", "2019-02-03T12:00:00Z"},
		{"epoch_ms", "1549195200", ""},
		{"epoch_us", "1549195200000000", "2019-02-03T12:00:00Z"},
		{"2006-01-02 15:04:05 MST", "2019-02-03 12:00:00 EST", "2019-02-03T17:00:00Z"},
		{"2006-01-02 15:04:05 MST", "2019-02-03 12:00:00 QQQ", ""},
	} {
		formats, err := dateFormats([]string{tt.format})
		if err != nil {
			t.Errorf("%s: %v", tt.format, err)
			continue
		}
		r := dateReader{declared: formats, loc: berlin}
		got := r.read([]byte(tt.text), nil)
		if got.bad != (tt.want == "") || !got.bad && got.t.Format(time.RFC3339) != tt.want {
			t.Errorf("%s of %q is %+v, want %s", tt.format, tt.text, got, tt.want)
		}
	}
	for _, f := range []string{"hello", "15:04", "%Y", "2006"} {
		if _, err := dateFormats([]string{f}); err == nil {
			t.Errorf("%q was taken as a date format", f)
		}
	}
}

// FuzzReadStamp: what is recognised is a real time in a sane range, whichever order of day and month is put to it, and
// its own layout prints something that is recognised as the same time.
func FuzzReadStamp(f *testing.F) {
	for _, s := range []string{
		"2017-10-31T22:10:47Z", "31/10/2017 3:29 PM", "Tue Oct 31 22:10:47 +0000 2017", "1509487847", "31. Okt. 2017", "20171031",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, ok := readStamp(text)
		if !ok {
			return
		}
		read := false
		for _, o := range []dayOrder{dayFirst, monthFirst} {
			at, ok := s.time(o, time.UTC)
			if !ok {
				continue
			}
			read = true
			if at.Year() < 1899 || at.Year() > 2200 {
				t.Fatalf("%q is %s", text, at)
			}
			if s.zoned || s.form&shortYear != 0 || s.counted() {
				continue
			}
			layout := s.form.layout(o)
			again, ok := readStamp(at.Format(layout))
			if !ok {
				t.Fatalf("%q has the layout %q, which prints %q, which is refused", text, layout, at.Format(layout))
			}
			if got, _ := again.time(o, time.UTC); !got.Truncate(time.Second).Equal(at.Truncate(time.Second)) {
				t.Fatalf("%q has the layout %q, which prints %q, which is %s instead of %s", text, layout, at.Format(layout), got, at)
			}
		}
		if !read {
			t.Fatalf("%q is recognised and is a date in neither order", text)
		}
	})
}

func TestDates(t *testing.T) {
	open := func(zone string, formats []string, dates ...string) *Source {
		text := "id,subject,created,text\n"
		for i, d := range dates {
			text += string(rune('1'+i)) + ",s," + d + ",x\n"
		}
		o := perTicket()
		o.TimeZone, o.DateFormats = zone, formats
		return open(t, o, "a.csv", text)
	}
	at := func(s *Source, key sources.Key) string {
		return ticket(t, s, key).Messages[0].CreatedAt.Format(time.RFC3339)
	}
	blocks := func(s *Source) []string {
		return codes(slices.DeleteFunc(slices.Clone(s.Ledger().Problems), func(p sources.Problem) bool {
			return p.Severity != sources.BlocksJob
		}))
	}
	if s := open("UTC", nil, "03/02/2019", "04/02/2019"); !slices.Equal(blocks(s), []string{"date-order"}) {
		t.Errorf("an undecided order gives %v", blocks(s))
	}
	if s := open("UTC", nil, "03/02/2019", "25/02/2019"); len(blocks(s)) > 0 || at(s, "1") != "2019-02-03T00:00:00Z" {
		t.Errorf("day first: %v %s", blocks(s), at(s, "1"))
	}
	if s := open("UTC", nil, "03/02/2019", "02/25/2019"); len(blocks(s)) > 0 || at(s, "1") != "2019-03-02T00:00:00Z" {
		t.Errorf("month first: %v %s", blocks(s), at(s, "1"))
	}
	if s := open("UTC", nil, "25/02/2019", "02/25/2019"); !slices.Equal(blocks(s), []string{"date-order"}) {
		t.Errorf("a contradiction gives %v", blocks(s))
	}
	if s := open("UTC", []string{"mdy"}, "03/02/2019"); len(blocks(s)) > 0 || at(s, "1") != "2019-03-02T00:00:00Z" {
		t.Errorf("declared: %v %s", blocks(s), at(s, "1"))
	}
	if s := open("?", nil, "2019-02-03 12:00"); !slices.Equal(blocks(s), []string{"time-zone"}) {
		t.Errorf("no zone gives %v", blocks(s))
	}
	if s := open("", nil, "2019-02-03T12:00:00Z"); len(blocks(s)) > 0 {
		t.Errorf("a zone in every cell gives %v", blocks(s))
	}
	if s := open("Europe/Berlin", nil, "2019-07-03 12:00"); len(blocks(s)) > 0 || at(s, "1") != "2019-07-03T10:00:00Z" {
		t.Errorf("Berlin: %v %s", blocks(s), at(s, "1"))
	}
	if s := open("UTC", nil, "43101.5", "2019-02-03"); !slices.Equal(blocks(s), []string{"spreadsheet-dates"}) {
		t.Errorf("day numbers give %v", blocks(s))
	}
	s := open("UTC", nil, "2019-02-03", "yesterday")
	if m := ticket(t, s, "2").Messages[0]; !m.CreatedAt.IsZero() || !slices.Equal(codes(m.Problems), []string{"bad-date"}) {
		t.Errorf("a bad date gives %s %v", m.CreatedAt, m.Problems)
	}
}

// The order of day and month is decided by the whole column, also where the first thousand rows leave it open.
func TestDateOrderDecidedLate(t *testing.T) {
	text := "id,subject,created,text\n" + strings.Repeat("1,s,03/02/2019,x\n", 1000) + "2,s,02/25/2019,x\n"
	s := open(t, perTicket(), "a.csv", text)
	if e := s.Entry(0); e.Key != "2" || e.Created.Month() != time.February {
		t.Errorf("first is %+v", e)
	}
	if e := s.Entry(1); e.Created.Month() != time.March {
		t.Errorf("second is %+v", e)
	}
}
