package csvfile

import "time"

// Options says how to read tables. Zero values mean: find out by itself.
type Options struct {
	Layout    string `yaml:"layout"`    // ticket-per-row, message-per-row, joined
	Encoding  string `yaml:"encoding"`  // a charset label; empty: detect over the whole file
	Delimiter string `yaml:"delimiter"` // one character, or "tab"; empty: found
	Quote     string `yaml:"quote"`     // one character; empty: "
	TimeZone  string `yaml:"time_zone"` // an IANA name for dates that carry no zone; "" or "?" blocks the job if one needs it
	// DateFormats are Go layouts, strftime patterns (with %), or iso, epoch, epoch_ms; empty: recognised over the column.
	DateFormats []string `yaml:"date_formats"`

	Columns map[string]string `yaml:"columns"` // our name: their header (Comment, Comment#2, Comment#*)
	Fields  map[string]string `yaml:"fields"`  // Help Scout custom field: their header
	// IgnoreColumns are left out knowingly; any other column that is filled and unmapped is reported.
	IgnoreColumns []string `yaml:"ignore_columns"`

	// joined: Paths of the source are tickets; these are beside them.
	Messages []string `yaml:"messages"`
	Users    []string `yaml:"users"`
	// MessageColumns and UserColumns are as Columns, for those files.
	MessageColumns map[string]string `yaml:"message_columns"`
	UserColumns    map[string]string `yaml:"user_columns"`

	AttachmentsDir string   `yaml:"attachments_dir"` // where attachment paths start; empty: the CSV's folder
	LegacyHosts    []string `yaml:"legacy_hosts"`    // hosts of the old desk: their images and links are attachments
	LegacyURL      string   `yaml:"legacy_url"`      // a ticket's address with {id}
	MaxRecord      int64    `yaml:"max_record"`      // bytes of one row; 0: 64 MiB

	// Set by the configuration, not by keys of this section.
	Paths []string  `yaml:"-"` // absolute, with globs and folders expanded by Open
	Base  string    `yaml:"-"` // folder that positions are relative to
	Until time.Time `yaml:"-"` // messages at or after it are excluded: after cut-over; zero: none
	Cache string    `yaml:"-"` // folder of fetched attachments; empty: none
}
