package jsonfile

import (
	"errors"
	"maps"
	"strings"
	"time"

	"hsimport/sources"
	"hsimport/sources/csvfile"
)

// Options says how to read JSON. Zero values mean: find out by itself.
type Options struct {
	// Records is where the tickets stand in their files: tickets[] is the array that the member tickets holds, [] an
	// array at the top, . one record after the other (JSON Lines), ticket a single record. Empty: found, file by file.
	Records string `yaml:"records"`
	// Columns is our name: their path within a record. A path of a message that leads through a list makes each element
	// of the list a message of the ticket. Several paths are joined by |, as columns of a CSV are; with + between them
	// they are one text; part_type = note is true where the path has that value, and false elsewhere.
	Columns map[string]string `yaml:"columns"`
	Fields  map[string]string `yaml:"fields"` // Help Scout custom field: their path
	// IgnoreColumns are paths left out knowingly.
	IgnoreColumns []string `yaml:"ignore_columns"`
	// Exclude leaves out tickets or messages by a value: their path, and the values that go, joined by |.
	Exclude map[string]string `yaml:"exclude"`

	// Messages that stand beside the tickets rather than in them: in files of their own, or (without files) in a list of
	// the same files that MessageRecords names.
	Messages       []string          `yaml:"messages"`
	MessageRecords string            `yaml:"message_records"`
	MessageColumns map[string]string `yaml:"message_columns"`
	// Users resolve ids to people, in the same two ways.
	Users       []string          `yaml:"users"`
	UserRecords string            `yaml:"user_records"`
	UserColumns map[string]string `yaml:"user_columns"`

	// As for tables; see package csvfile.
	Encoding       string   `yaml:"encoding"`
	TimeZone       string   `yaml:"time_zone"`
	DateFormats    []string `yaml:"date_formats"`
	AttachmentsDir string   `yaml:"attachments_dir"`
	LegacyHosts    []string `yaml:"legacy_hosts"`
	LegacyURL      string   `yaml:"legacy_url"`
	MaxRecord      int64    `yaml:"max_record"` // bytes of one record; 0: 64 MiB

	// Set by the configuration, not by keys of this section.
	Paths []string  `yaml:"-"`
	Base  string    `yaml:"-"`
	Until time.Time `yaml:"-"`
	Cache string    `yaml:"-"`
}

// Kind is the word of source.kind.
const Kind = "json"

// key is the section of the configuration.
const key = "source.json"

const defaultMaxRecord = 64 << 20

// plan is what the options mean for the three kinds of records.
type plan struct {
	layout   string
	inner    string // the path of messages within a ticket: comments[]; empty: they stand elsewhere, or are the records
	columns  map[string]string
	messages map[string]string
}

// plan reads the layout off the columns.
func (o *Options) plan() plan {
	p := plan{columns: map[string]string{}, messages: o.MessageColumns}
	own := map[string]string{}
	prefix := o.listPrefix()
	columns := maps.Clone(o.Columns)
	if columns["message_body"] == "" && strings.Contains(columns["comments"], "[]") {
		columns["message_body"] = columns["comments"] // a list of texts
		delete(columns, "comments")
	}
	p.inner = listOf(bare(columns["message_body"], prefix))
	for ours, spec := range columns {
		if spec = bare(spec, prefix); strings.HasPrefix(ours, "message_") && p.inner != "" {
			own[ours] = spec
			continue
		}
		p.columns[ours] = spec
	}
	switch {
	case p.inner != "":
		p.layout, p.messages = csvfile.Joined, own
	case len(o.Messages) > 0 || o.MessageRecords != "":
		p.layout = csvfile.Joined
	case p.columns["message_body"] != "":
		p.layout = csvfile.MessagePerRow
	default:
		p.layout = csvfile.TicketPerRow
	}
	return p
}

// listPrefix is what a path may begin with that says again where the records stand: tickets[].
func (o *Options) listPrefix() string {
	if strings.HasSuffix(o.Records, "[]") && o.Records != "[]" {
		return o.Records + "."
	}
	return ""
}

// bare takes the list of the records off the paths of a spec.
func bare(spec, prefix string) string {
	if prefix == "" {
		return spec
	}
	parts := strings.Split(spec, "|")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(" "+strings.TrimSpace(p), " "+prefix, " ")
		parts[i] = strings.TrimSpace(parts[i])
	}
	return strings.Join(parts, " | ")
}

// listOf is the list that a path leads through last: comments[] of comments[].html_body.
func listOf(spec string) string {
	first, _, _ := strings.Cut(spec, "|")
	first, _, _ = strings.Cut(first, " + ")
	i := strings.LastIndex(first, "[]")
	if i < 0 {
		return ""
	}
	return strings.TrimSpace(first[:i+2])
}

// table are the options of csvfile.
func (o *Options) table(p plan) csvfile.Options {
	limit := o.MaxRecord
	if limit == 0 {
		limit = defaultMaxRecord
	}
	return csvfile.Options{
		Layout: p.layout, Encoding: o.Encoding, TimeZone: o.TimeZone, DateFormats: o.DateFormats,
		Columns: p.columns, Fields: o.Fields, IgnoreColumns: o.IgnoreColumns, Exclude: o.Exclude,
		Messages: o.Messages, MessageColumns: p.messages, Users: o.Users, UserColumns: o.UserColumns,
		AttachmentsDir: o.AttachmentsDir, LegacyHosts: o.LegacyHosts, LegacyURL: o.LegacyURL, MaxRecord: limit,
		Paths: o.Paths, Base: o.Base, Until: o.Until, Cache: o.Cache,
	}
}

// check reads those options that can be wrong by themselves.
func (o *Options) check() error {
	bad := func(name string, err error) error {
		return &sources.InputError{Position: sources.Position{File: key + "." + name, Offset: -1}, Err: err}
	}
	for _, place := range []struct{ name, list string }{
		{"records", o.Records}, {"message_records", o.MessageRecords}, {"user_records", o.UserRecords},
	} {
		if place.list == "" {
			continue
		}
		if _, err := parseList(place.list); err != nil {
			return bad(place.name, err)
		}
	}
	p := o.plan()
	if p.inner != "" && (len(o.Messages) > 0 || o.MessageRecords != "") {
		return bad("columns", errors.New("message_body names a list within the tickets ("+p.inner+"), and messages or message_records a place beside them: one of the two has to go"))
	}
	return nil
}
