package report

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hsimport/sources"
)

// count writes a number with its thousands apart.
func count(n int) string { return sources.Thousands(n) }

// plural is "1 ticket", "2,000 tickets".
func plural(n int, one, many string) string {
	return sources.Counted(n, one, many)
}

// human writes a time span as people say it.
func human(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%d h %02d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%.1f days", d.Hours()/24)
}

func humanBytes(n int64) string {
	const unit = 1000
	if n < unit {
		return plural(int(n), "byte", "bytes")
	}
	v, i := float64(n)/unit, 0
	for v >= unit && i < 3 {
		v, i = v/unit, i+1
	}
	return fmt.Sprintf("%.1f %s", v, [...]string{"kB", "MB", "GB", "TB"}[i])
}

// day is a date as a person reads it; "" for none.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 2006")
}

// clip is s on one line, valid, without characters that act, and at most n characters long. It is a copy: what is kept
// of a ticket must not keep the ticket.
func clip(s string, n int) string {
	if len(s) <= n && isPlain(s) {
		return strings.Clone(s)
	}
	if len(s) > 8*n+64 { // nothing beyond could be kept
		s = s[:8*n+64]
	}
	var b strings.Builder
	used := 0
	for _, r := range strings.Join(strings.Fields(s), " ") {
		if r == utf8.RuneError || unicode.IsControl(r) || isBidi(r) {
			continue
		}
		if used == n {
			return strings.TrimSpace(b.String()) + "…"
		}
		b.WriteRune(r)
		used++
	}
	return b.String()
}

// isPlain reports that there is nothing to mend: visible ASCII with single blanks between.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] > 0x7e || s[i] < ' ' || s[i] == ' ' && (i == 0 || i == len(s)-1 || s[i-1] == ' ') {
			return false
		}
	}
	return true
}

// isBidi recognises marks that change the direction of what follows: they make a name read as another one.
func isBidi(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x061c
}

// fold is how tables of the configuration are looked up: trimmed, blanks as one, without regard to case.
func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
