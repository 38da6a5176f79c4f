package mapping

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Duration is a time span in configuration: Go's units and d for days ("60s", "1h30m", "30d", "1d12h").
type Duration time.Duration

const day = 24 * time.Hour

// UnmarshalText reads Go's notation with d for days in front.
func (d *Duration) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	rest, days := s, time.Duration(0)
	if head, tail, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseFloat(head, 64)
		if err != nil || math.IsNaN(n) || math.Abs(n) > 100_000 {
			return fmt.Errorf("%q is not a time span; write 60s, 10m, 12h or 30d", s)
		}
		days, rest = time.Duration(n*float64(day)), tail
	}
	if rest == "" && s != "" {
		*d = Duration(days)
		return nil
	}
	v, err := time.ParseDuration(rest)
	if err != nil {
		return fmt.Errorf("%q is not a time span; write 60s, 10m, 12h or 30d", s)
	}
	*d = Duration(days + v)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String is in days where it is whole days, else in Go's notation.
func (d Duration) String() string {
	if v := time.Duration(d); v != 0 && v%day == 0 {
		return strconv.FormatInt(int64(v/day), 10) + "d"
	}
	return time.Duration(d).String()
}

// A Size is a number of bytes in configuration: plain, or with kB, MB, GB (powers of 1000), KiB, MiB, GiB (of 1024).
type Size int64

var sizeUnits = []struct {
	name  string
	bytes float64
}{
	{"kib", 1 << 10},
	{"mib", 1 << 20},
	{"gib", 1 << 30},
	{"kb", 1e3},
	{"mb", 1e6},
	{"gb", 1e9},
	{"b", 1},
}

// UnmarshalText reads "250000", "256 kB", "7.6 MB", "10MiB".
func (z *Size) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	number, factor := strings.ToLower(s), 1.0
	for _, u := range sizeUnits {
		if head, ok := strings.CutSuffix(number, u.name); ok {
			number, factor = strings.TrimSpace(head), u.bytes
			break
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(v) || v < 0 || v*factor > 1<<50 || strings.ContainsAny(number, "xXpP_") {
		return fmt.Errorf("%q is not a size; write 250000, 256 kB or 10 MB", s)
	}
	*z = Size(v * factor)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (z Size) MarshalText() ([]byte, error) { return []byte(strconv.FormatInt(int64(z), 10)), nil }

// humanSize is how people are told a number of bytes.
func humanSize(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n == 1:
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}

// counted is "1 line is", "3 lines are".
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
