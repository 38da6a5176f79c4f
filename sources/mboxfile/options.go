package mboxfile

import "time"

// Options says how to read an archive of mail. Zero values mean the defaults that README documents.
type Options struct {
	ThreadBy        string `yaml:"thread_by"` // auto, gmail, references; empty is auto
	SubjectFallback bool   `yaml:"subject_fallback"`
	// SubjectWindow bounds the fallback: two mails further apart are never joined by subject; 0: 30 days.
	SubjectWindow time.Duration `yaml:"subject_window"`
	ExcludeLabels []string      `yaml:"exclude_labels"` // of labels and folders, without regard to case
	Quoting       string        `yaml:"quoting"`        // mboxrd, mboxo, none; empty: mboxrd
	TimeZone      string        `yaml:"time_zone"`      // for dates without zone; empty: UTC with a finding
	MaxMessage    int64         `yaml:"max_message"`    // bytes of one mail; 0: 256 MiB
	// LegacyHosts are those of an old desk, .example.com for all below: their images and files in mails are attachments.
	LegacyHosts []string `yaml:"legacy_hosts"`

	// Set by the configuration, not by keys of this section.
	Paths []string  `yaml:"-"` // absolute: mbox files, folders, Maildirs, Apple .mbox folders, .eml, .gz, .zst, globs
	Base  string    `yaml:"-"` // folder that positions are relative to
	Until time.Time `yaml:"-"` // mails at or after it are excluded: after cut-over; zero: none
	Cache string    `yaml:"-"` // folder of fetched attachments (package fetch); empty: none

	memory int // bytes of each table of the index before it goes to a temporary file; 0: tableMemory
}
