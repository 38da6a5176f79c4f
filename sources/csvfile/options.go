package csvfile

import "time"

// Options says how to read tables. Zero values mean: find out by itself.
type Options struct {
	Layout    string `yaml:"layout"`    // ticket-per-row, message-per-row, joined
	Encoding  string `yaml:"encoding"`  // a charset label; empty: detect over the whole file
	Delimiter string `yaml:"delimiter"` // one character, or "tab"; empty: found
	Quote     string `yaml:"quote"`     // one character, or "none"; empty: found
	Escape    string `yaml:"escape"`    // one character that takes the next one as text, or "none"; empty: found
	TimeZone  string `yaml:"time_zone"` // an IANA name for dates that carry no zone; "" or "?" blocks the job if one needs it
	// DateFormats are Go layouts, strftime patterns (with %), or iso, epoch, epoch_ms, epoch_us; dmy and mdy only say which of two
	// numbers is the day and leave the rest to be recognised. Empty: recognised over the column. The first that fits wins.
	DateFormats []string `yaml:"date_formats"`

	// Columns is our name: their header. ColumnNames lists ours. A header that is repeated is Comment#2, or Comment#* for
	// all of them; tag_* is all that begin so; Comment {n} all that are numbered; several are joined by |. A list takes all the columns it names, anything
	// else the first that is filled. message_format and description_format may be the word text or html instead.
	Columns map[string]string `yaml:"columns"`
	Fields  map[string]string `yaml:"fields"` // Help Scout custom field: their header
	// IgnoreColumns are left out knowingly; any other column that is filled and unmapped is reported.
	IgnoreColumns []string `yaml:"ignore_columns"`

	// Exclude leaves out records: a column and the values, separated by |, of those that go. On a ticket it leaves out
	// the ticket, on a message the message. Other formats only.
	Exclude map[string]string `yaml:"-"`

	// joined: Paths of the source are tickets; these are beside them.
	Messages []string `yaml:"messages"`
	Users    []string `yaml:"users"`
	// MessageColumns and UserColumns are as Columns, for those files.
	MessageColumns map[string]string `yaml:"message_columns"`
	UserColumns    map[string]string `yaml:"user_columns"`

	AttachmentsDir string   `yaml:"attachments_dir"` // where attachment paths start; empty: the CSV's folder
	LegacyHosts    []string `yaml:"legacy_hosts"`    // hosts of the old desk, .example.com for all below: their images and files in texts are attachments
	LegacyURL      string   `yaml:"legacy_url"`      // a ticket's address with {id}
	MaxRecord      int64    `yaml:"max_record"`      // bytes of one row; 0: 64 MiB

	// Set by the configuration, not by keys of this section.
	Paths   []string  `yaml:"-"` // absolute, with globs and folders expanded by Open
	Base    string    `yaml:"-"` // folder that positions are relative to
	NoTexts string    `yaml:"-"` // of an export that is known to hold no texts: why, and which one does
	Until   time.Time `yaml:"-"` // messages at or after it are excluded: after cut-over; zero: none
	Cache   string    `yaml:"-"` // folder of fetched attachments (package fetch); empty: none

	memory indexMemory // of the index; zero: as much as suits a small machine
}
