package mail

import (
	"testing"
	"time"
)

func TestDates(t *testing.T) {
	for _, c := range []struct {
		in, want string // RFC 3339 in UTC; empty: refused
		zone     bool
	}{
		{"Tue, 15 Nov 1994 08:12:31 -0500", "1994-11-15T13:12:31Z", true},
		{"Tue, 15 Nov 1994 08:12:31 -0500 (EST)", "1994-11-15T13:12:31Z", true},
		{"15 Nov 94 08:12 EST", "1994-11-15T13:12:00Z", true},
		{"15 Nov 03 08:12 PDT", "2003-11-15T15:12:00Z", true},
		{"Mon, 3 Feb 103 08:12:31 +0000", "2003-02-03T08:12:31Z", true}, // years since 1900
		{"Mon, 3 Jan 19100 08:12:31 GMT", "2000-01-03T08:12:31Z", true}, // "19" before years since 1900
		{"Tue Nov 15 08:12:31 1994", "1994-11-15T08:12:31Z", false},
		{"Tue Nov 15 08:12:31 CET 1994", "1994-11-15T07:12:31Z", true},
		{"Tue, 15 Nov 1994 08:12:31", "1994-11-15T08:12:31Z", false},
		{"Tue, 15 Nov 1994 08:12:31 (MEST)", "1994-11-15T06:12:31Z", true},
		{"Tue, 15 Nov 1994 08:12:31 GMT+1", "1994-11-15T07:12:31Z", true},
		{"Tue, 15 Nov 1994 08:12:31 GMT-0500", "1994-11-15T13:12:31Z", true},
		{"Tue, 15 Nov 1994 08:12:31+0100", "1994-11-15T07:12:31Z", true},
		{"Tue, 15 Nov 1994 08:12:31 +01:00", "1994-11-15T07:12:31Z", true},
		{"Tue, 15 Nov 1994 08:12:31 +9999", "1994-11-15T08:12:31Z", false},
		{"Tue, 15 Nov 1994 8:12 PM -0500", "1994-11-16T01:12:00Z", true},
		{"Tue, 15 Nov 1994 12:05 a.m. UTC", "1994-11-15T00:05:00Z", true},
		{"1994-11-15T08:12:31Z", "1994-11-15T08:12:31Z", true},
		{"1994-11-15 08:12:31.123 +0200", "1994-11-15T06:12:31Z", true},
		{"2003/1/2 08:12:31", "2003-01-02T08:12:31Z", false},
		{"15-Nov-1994 08:12:31 +0000", "1994-11-15T08:12:31Z", true},
		{"15/11/1994 08:12:31 +0000", "1994-11-15T08:12:31Z", true},
		{"11/15/94 08:12:31 +0000", "1994-11-15T08:12:31Z", true},
		{"15.11.1994 08:12:31 +0100", "1994-11-15T07:12:31Z", true},
		{"Tue, 15 Nov 1994 08.12.31 +0000", "1994-11-15T08:12:31Z", true},
		{"15 (the 15th) Nov (cold) 1994 08:12:31 (noonish (really)) +0000", "1994-11-15T08:12:31Z", true},
		{"Di, 15 März 2011 08:12:31 MEZ", "2011-03-15T07:12:31Z", true},
		{"Dienstag, 15. Dezember 2011 08:12:31 +0100", "2011-12-15T07:12:31Z", true},
		{"mar., 15 août 2011 08:12:31 +0200", "2011-08-15T06:12:31Z", true}, // mardi, not mars
		{"mar, 15 mar 2011 08:12:31 +0200", "2011-03-15T06:12:31Z", true},
		{"lun, 15 de ene de 2011 08:12:31 -0300", "2011-01-15T11:12:31Z", true},
		{"gio, 15 giu 2011 08:12:31 +0200", "2011-06-15T06:12:31Z", true},
		{"qui, 15 dez 2011 08:12:31 -0300", "2011-12-15T11:12:31Z", true},
		{"do, 15 mei 2011 08:12:31 +0200", "2011-05-15T06:12:31Z", true},
		{"tor, 15 okt 2011 08:12:31 +0200", "2011-10-15T06:12:31Z", true},
		{"Вт, 15 ноя 2011 08:12:31 +0300", "2011-11-15T05:12:31Z", true},
		{"Tue, 30 Jun 3609 15:33:50 +0600", "3609-06-30T09:33:50Z", true}, // absurd, but what it says
		{"Tue, 31 Feb 1994 08:12:31 +0000", "", false},
		{"02/03/2019 08:12:31", "", false}, // February or March
		{"Tue, 15 Nov 1994 25:12:31 +0000", "", false},
		{"yesterday", "", false},
		{"", "", false},
		{"1058918400", "", false},
	} {
		m, ok := parseDate(c.in, nil)
		got := ""
		if ok {
			got = m.at.Format(time.RFC3339)
		}
		if got != c.want || m.zone != c.zone {
			t.Errorf("%q: %q, zone %v; want %q, %v", c.in, got, m.zone, c.want, c.zone)
		}
	}
}

func TestDateWithoutZoneIsReadInTheGivenOne(t *testing.T) {
	berlin := time.FixedZone("Berlin", 3600)
	m, ok := parseDate("15 Nov 1994 08:12:31", berlin)
	if !ok || m.at.Format(time.RFC3339) != "1994-11-15T07:12:31Z" {
		t.Errorf("%v, %v", m, ok)
	}
	h := ParseHead([]byte("From: a@b.c\nMessage-ID: <x@y>\nDate: 15 Nov 1994 08:12:31\n\n"), Options{Zone: berlin})
	if !hasCode(h.Problems, "date-zone-missing") || h.Date.Hour() != 7 {
		t.Errorf("%v, %v", h.Date, h.Problems)
	}
}

func TestDateFallbacks(t *testing.T) {
	const received = "Received: from a by b; Tue, 15 Nov 1994 10:00:00 +0000\nReceived: from c by d; Tue, 15 Nov 1994 09:00:00 +0000\n"
	sep := time.Date(1994, 11, 20, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, header string
		sep          time.Time
		want, source string
		code         string
	}{
		{"good", received + "Date: Tue, 15 Nov 1994 09:59:00 +0000\n", sep, "1994-11-15T09:59:00Z", "date", ""},
		{"missing", received, sep, "1994-11-15T10:00:00Z", "received", "date-from-received"},
		{"unreadable", received + "Date: soon\n", sep, "1994-11-15T10:00:00Z", "received", "date-unreadable"},
		{"before 1980", received + "Date: Thu, 1 Jan 1970 00:00:00 +0000\n", sep, "1994-11-15T10:00:00Z", "received", "date-absurd"},
		{"after receipt", received + "Date: Tue, 15 Nov 2029 09:59:00 +0000\n", sep, "1994-11-15T10:00:00Z", "received", "date-absurd"},
		{"a day after receipt is a clock", received + "Date: Wed, 16 Nov 1994 09:59:00 +0000\n", sep, "1994-11-16T09:59:00Z", "date", ""},
		{"received unset", "Received: x; Thu, 1 Jan 1970 00:00:00 +0000\n" + received, sep, "1994-11-15T10:00:00Z", "received", "date-from-received"},
		{"separator", "Date: soon\n", sep, "1994-11-20T00:00:00Z", "separator", "date-from-separator"},
		{"nothing", "Date: soon\n", time.Time{}, "0001-01-01T00:00:00Z", "none", "date-missing"},
	} {
		h := ParseHead([]byte("From: a@b.c\nMessage-ID: <x@y>\n"+c.header+"\nbody"), Options{Separator: c.sep})
		if got := h.Date.Format(time.RFC3339); got != c.want || h.DateSource != c.source {
			t.Errorf("%s: %s from %s; want %s from %s", c.name, got, h.DateSource, c.want, c.source)
		}
		if c.code != "" && !hasCode(h.Problems, c.code) || c.code == "" && len(h.Problems) > 0 {
			t.Errorf("%s: problems %v, want %q", c.name, h.Problems, c.code)
		}
	}
}

func TestSeparatorDates(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"From ann@x.org Tue Nov 15 08:12:31 1994", "1994-11-15T08:12:31Z"},
		{"From ann@x.org  Sat Jan  3 01:05:34 1996\r\n", "1996-01-03T01:05:34Z"},
		{"From ann@x.org Tue Nov 15 08:12 1994", "1994-11-15T08:12:00Z"},
		{"From ann@x.org Tue Nov 15 08:12:31 94", "1994-11-15T08:12:31Z"},
		{"From ann@x.org Tue Nov 15 08:12:31 EST 1994", "1994-11-15T13:12:31Z"},
		{"From ann@x.org Tue Nov 15 08:12:31 1994 -0500", "1994-11-15T13:12:31Z"},
		{"From 1462350423423@xxx Tue Mar 12 15:02:25 +0000 2013", "2013-03-12T15:02:25Z"},
		{"From ann at x.org  Tue Nov 15 08:12:31 1994", "1994-11-15T08:12:31Z"},
		{"From ann@x.org Tue Nov 15 08:12:31 1994 remote from host", "1994-11-15T08:12:31Z"},
		{"From ann@x.org Tue, 15 Nov 1994 08:12:31 +0100", "1994-11-15T07:12:31Z"},
		{"From - Tue Nov 15 08:12:31 1994", "1994-11-15T08:12:31Z"},
		{">From ann@x.org Tue Nov 15 08:12:31 1994", "1994-11-15T08:12:31Z"},
		{"From ann@x.org 1994-11-15 08:12:31", "1994-11-15T08:12:31Z"},
		{"From -", ""},
		{"From ann@x.org", ""},
		{"From now on we meet Tue at ten", ""},
		{"From what I saw on Tue Nov 15 it works", ""},
		{"From 2003 to 2004 we had 12:30 lunches", ""},
		{"From: ann@x.org", ""},
		{"", ""},
	} {
		at, ok := ParseSeparatorDate([]byte(c.in))
		got := ""
		if ok {
			got = at.Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}
