package importer

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"hsimport/mapping"
)

// Options is the run section of the configuration.
type Options struct {
	Share          Percent          `yaml:"share"`           // of the account's quota; 0: 100 %
	Workers        Workers          `yaml:"workers"`         // auto, or a number
	Settle         mapping.Duration `yaml:"settle"`          // how long absence must last before a part in doubt is sent again; 0: 60 s
	OutagePatience mapping.Duration `yaml:"outage_patience"` // how long an outage is waited for; 0: 30 minutes
	Timeout        mapping.Duration `yaml:"timeout"`         // of one request without its body's share; 0: 60 s
	RateLimit      int              `yaml:"rate_limit"`      // units a minute until the server says; 0: ask the server
	Order          string           `yaml:"order"`           // live-first, oldest, newest; empty: live-first
	Relinking      Relinking        `yaml:"relink"`          // how texts name other tickets

	// Set by flags, not by keys of this section.
	Limit         int              `yaml:"-"` // stop after so many tickets sent; 0: none
	Sample        int              `yaml:"-"`
	Seed          uint64           `yaml:"-"`
	Only          []string         `yaml:"-"` // ticket keys or ids
	MaxDuration   mapping.Duration `yaml:"-"`
	RetryRejected bool             `yaml:"-"`
	KeepSent      bool             `yaml:"-"`
	RedoChanged   bool             `yaml:"-"`
	Relink        bool             `yaml:"-"` // let links between old tickets lead to the new conversations
	Accept        []string         `yaml:"-"` // codes of job-blocking findings
}

// Percent is a share, 0 < p <= 1; written as 80% or 0.8.
type Percent float64

// Workers is a number of workers, or 0 for auto.
type Workers int

// UnmarshalText reads "80%" or "0.8"; a share is above 0 and at most 1. A bare number above 1 is refused: 80 may mean
// 80 % or eighty times the quota.
func (p *Percent) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	number, percent := strings.CutSuffix(s, "%")
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || math.IsNaN(f) {
		return fmt.Errorf("%q is not a share: write 80%% or 0.8", s)
	}
	if percent {
		f /= 100
	}
	switch {
	case f > 1 && f <= 100 && !percent:
		return fmt.Errorf("%q is not a share: did you mean %s%%?", s, number)
	case f <= 0 || f > 1:
		return fmt.Errorf("%q is not a share: it must be above 0 and at most 100%%", s)
	}
	*p = Percent(f)
	return nil
}

// String is the share in per cent: 80%.
func (p Percent) String() string {
	return strconv.FormatFloat(math.Round(float64(p)*1e6)/1e4, 'f', -1, 64) + "%"
}

// maxWorkers bounds what a person may ask for: each worker holds a connection and one ticket with its attachments.
const maxWorkers = 256

// UnmarshalText reads "auto" or a number from 1 to 256.
func (w *Workers) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if s == "auto" {
		*w = 0
		return nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxWorkers {
		return fmt.Errorf("%q is not a number of workers: write auto or a number from 1 to %d", s, maxWorkers)
	}
	*w = Workers(n)
	return nil
}

// String is auto, or the number.
func (w Workers) String() string {
	if w == 0 {
		return "auto"
	}
	return strconv.Itoa(int(w))
}
