package importer

import "hsimport/mapping"

// Options is the run section of the configuration.
type Options struct {
	Share          Percent          `yaml:"share"`           // of the account's quota; 0: 100 %
	Workers        Workers          `yaml:"workers"`         // auto, or a number
	Settle         mapping.Duration `yaml:"settle"`          // how long absence must last before a part in doubt is sent again; 0: 60 s
	OutagePatience mapping.Duration `yaml:"outage_patience"` // how long an outage is waited for; 0: 30 minutes
	Timeout        mapping.Duration `yaml:"timeout"`         // of one request without its body's share; 0: 60 s
	RateLimit      int              `yaml:"rate_limit"`      // units a minute until the server says; 0: ask the server
	Order          string           `yaml:"order"`           // live-first, oldest, newest; empty: live-first

	// Set by flags, not by keys of this section.
	Limit         int              `yaml:"-"` // stop after so many tickets sent; 0: none
	Sample        int              `yaml:"-"`
	Seed          uint64           `yaml:"-"`
	Only          []string         `yaml:"-"` // ticket keys or ids
	MaxDuration   mapping.Duration `yaml:"-"`
	RetryRejected bool             `yaml:"-"`
	KeepSent      bool             `yaml:"-"`
	RedoChanged   bool             `yaml:"-"`
	Accept        []string         `yaml:"-"` // codes of job-blocking findings
}

// Percent is a share, 0 < p <= 1; written as 80% or 0.8.
type Percent float64

// Workers is a number of workers, or 0 for auto.
type Workers int
