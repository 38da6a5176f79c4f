package configs

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"

	"hsimport/mapping"
	"hsimport/sources"
	"hsimport/sources/csvfile"
)

// check looks at everything that can be judged without the input and the account, and blames the line.
func (d *decoder) check(c *Config) {
	d.checkTable(reflect.ValueOf(c).Elem(), "", "")
	d.checkRequired(c)
	d.checkSource(&c.Source)
	d.checkCSV(c)
	d.checkFetch(c)
	d.checkJSON(c)
	d.checkHelpScout(&c.HelpScout)
	d.checkMapping(c)
}

// refuse adds a problem at the value of key, or at its section when the key is absent.
func (d *decoder) refuse(key, text string) *Error {
	e := &Error{Key: key, Text: text}
	for at := key; at != ""; at = parent(at) {
		if m, ok := d.marks[at]; ok {
			e.Line, e.Column = m.line, m.column
			break
		}
	}
	d.add(e)
	return e
}

// refuseKey adds a problem at the key itself, not at its value.
func (d *decoder) refuseKey(key, text string) *Error {
	e := d.refuse(key, text)
	if m, ok := d.keys[key]; ok {
		e.Line, e.Column = m.line, m.column
	}
	return e
}

func parent(key string) string {
	return key[:max(strings.LastIndexByte(key, '.'), 0)]
}

// written reports whether the key stands in the file, even without a value.
func (d *decoder) written(key string) bool { _, ok := d.keys[key]; return ok }

// failed reports whether the key's value was refused already, or left open.
func (d *decoder) failed(key string) bool {
	return slices.ContainsFunc(d.list, func(e *Error) bool { return e.Key == key }) ||
		slices.ContainsFunc(d.unanswered, func(u Unanswered) bool { return u.Key == key })
}

// checkTable holds words and numbers against the table of keys. pattern is key with * for entries of tables.
func (d *decoder) checkTable(v reflect.Value, key, pattern string) {
	info, _ := infoOf(pattern)
	switch {
	case isText(v.Type()):
		if v.CanInt() && v.Int() < 0 {
			d.refuse(key, "below nothing: a negative value means nothing here")
		}
	case v.Kind() == reflect.Pointer:
		if !v.IsNil() {
			d.checkTable(v.Elem(), key, pattern)
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if name := yamlName(v.Type().Field(i)); name != "" {
				d.checkTable(v.Field(i), join(key, name), join(pattern, name))
			}
		}
	case v.Kind() == reflect.Map:
		for _, k := range v.MapKeys() {
			d.checkTable(v.MapIndex(k), join(key, k.String()), pattern+".*")
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			d.checkTable(v.Index(i), fmt.Sprintf("%s[%d]", key, i), pattern+".*")
		}
	case v.Kind() == reflect.String:
		d.checkWord(v.String(), key, strings.HasSuffix(pattern, ".*"), info.enum)
	case v.CanInt() && d.written(key) && !d.failed(key):
		d.checkNumber(v.Int(), key, info)
	}
}

// checkWord wants one of the words of enum; nothing at all is as good where it means that the key is left out, which
// it does not in a table.
func (d *decoder) checkWord(s, key string, inTable bool, enum []string) {
	if enum == nil || slices.Contains(enum, s) || s == "" && !inTable {
		return
	}
	e := d.refuse(key, fmt.Sprintf("%s is not known", shorten(s)))
	e.Nearest = nearest(s, enum)
	e.Hint = "allowed: " + strings.Join(enum, ", ")
	if s == "" && strings.Contains(key, ":") {
		e.Hint = "a blank belongs after the colon"
	}
}

func (d *decoder) checkNumber(n int64, key string, info keyInfo) {
	low, high := int64(info.min), int64(info.max)
	switch {
	case n >= low && (high == 0 || n <= high):
	case high == 0:
		d.refuse(key, fmt.Sprintf("%d is too small: the least is %d", n, low))
	case low == high:
		d.refuse(key, fmt.Sprintf("%d is not known: it is always %d", n, low))
	default:
		d.refuse(key, fmt.Sprintf("%d is out of range: allowed are %d to %d", n, low, high))
	}
}

// checkRequired names what has to be there.
func (d *decoder) checkRequired(c *Config) {
	for _, r := range []struct {
		key   string
		empty bool
		hint  string
	}{
		{"version", c.Version == 0, "write version: 1"},
		{"source.kind", c.Source.Kind == "", "write kind: csv, kind: json or kind: mbox"},
		{"source.paths", len(c.Source.Paths) == 0, "write the export's path: [tickets.csv]"},
		{"helpscout.mailbox", c.HelpScout.Mailbox == "", "write the inbox's name or id"},
	} {
		if r.empty && !d.failed(r.key) && !d.failedBelow(r.key) {
			d.refuse(r.key, "missing").Hint = r.hint
		}
	}
}

// failedBelow reports whether an entry of the key's list was refused or left open.
func (d *decoder) failedBelow(key string) bool {
	below := func(k string) bool { return strings.HasPrefix(k, key+"[") }
	return slices.ContainsFunc(d.list, func(e *Error) bool { return below(e.Key) }) ||
		slices.ContainsFunc(d.unanswered, func(u Unanswered) bool { return below(u.Key) })
}

func (d *decoder) checkSource(s *Source) {
	for _, other := range []string{CSV, JSON, Mbox} {
		if key := "source." + other; s.Kind != "" && other != s.Kind && d.written(key) && !d.failed("source.kind") {
			d.refuse(key, fmt.Sprintf("this section is for kind: %s, the kind is %s", other, s.Kind)).Hint = "delete one of them"
		}
	}
	d.checkPaths("source.paths", s.Paths)
	d.checkPaths("source.csv.messages", s.CSV.Messages)
	d.checkPaths("source.csv.users", s.CSV.Users)
	if zone := s.CSV.TimeZone; !fixedZone(zone) {
		d.checkZone("source.csv.time_zone", zone)
	}
	d.checkZone("source.mbox.time_zone", s.Mbox.TimeZone)
	if s.Mbox.SubjectWindow > 0 && !s.Mbox.SubjectFallback {
		d.refuse("source.mbox.subject_window", "without subject_fallback: true it does nothing")
	}
}

func (d *decoder) checkPaths(key string, paths []string) {
	for i, p := range paths {
		at := fmt.Sprintf("%s[%d]", key, i)
		switch {
		case strings.TrimSpace(p) == "":
			d.refuse(at, "an empty path")
		case strings.HasPrefix(p, "~"):
			d.refuse(at, "~ is not read in paths").Hint = "paths are relative to this file; your own folder is ${HOME}"
		case strings.Contains(p, "://"):
			d.refuse(at, "a path is expected here, this is an address").Hint = "download the export first"
		}
	}
}

// checkZone wants a zone that means the same on every machine.
func (d *decoder) checkZone(key, zone string) {
	if zone == "" || zone == open {
		return
	}
	if _, err := sources.LoadZone(zone); err != nil || strings.EqualFold(zone, "local") {
		e := d.refuse(key, fmt.Sprintf("%s is not a time zone", shorten(zone)))
		e.Hint = `write an IANA name such as Europe/Berlin, America/New_York or UTC; "?" leaves it open`
		if nearest := nearest(zone, zoneNames); nearest != zone {
			e.Nearest = nearest
		}
	}
}

// fixedZone knows +02:00, which tables may be in.
func fixedZone(zone string) bool {
	_, err := time.Parse("-07:00", zone)
	return err == nil
}

// zoneNames are those most often mistyped; any other IANA name is as good.
var zoneNames = []string{
	"UTC", "Europe/London", "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/Amsterdam",
	"Europe/Vienna", "Europe/Zurich", "Europe/Warsaw", "Europe/Moscow", "Europe/Kyiv", "Europe/Istanbul", "America/New_York",
	"America/Chicago", "America/Denver", "America/Los_Angeles", "America/Toronto", "America/Sao_Paulo", "Asia/Tokyo",
	"Asia/Singapore", "Asia/Kolkata", "Asia/Shanghai", "Asia/Dubai", "Australia/Sydney",
}

func (d *decoder) checkCSV(c *Config) {
	csv := &c.Source.CSV
	joined := csv.Layout == "joined"
	if joined && len(csv.Messages) == 0 && !d.failed("source.csv.messages") && !d.failedBelow("source.csv.messages") {
		d.refuse("source.csv.layout", "joined needs the files of messages").Hint = "write messages: [comments.csv]"
	}
	if csv.Layout != "" && !joined && !d.failed("source.csv.layout") {
		for _, key := range []string{"messages", "users", "message_columns", "user_columns"} {
			if d.written("source.csv." + key) {
				d.refuse("source.csv."+key, "this is for layout: joined, the layout is "+csv.Layout)
			}
		}
	}
	d.checkEncoding("source.csv.encoding", csv.Encoding)
	d.checkColumns("source.csv.columns", csv.Columns, csvfile.ColumnNames("columns", csv.Layout))
	d.checkColumns("source.csv.message_columns", csv.MessageColumns, csvfile.ColumnNames("message_columns", csv.Layout))
	d.checkColumns("source.csv.user_columns", csv.UserColumns, csvfile.ColumnNames("user_columns", csv.Layout))
	d.checkHeaders("source.csv.fields", csv.Fields)
	d.checkCharacter("source.csv.delimiter", csv.Delimiter, "tab")
	d.checkCharacter("source.csv.quote", csv.Quote, "")
	d.checkLegacy("source.csv", csv.LegacyURL)
}

func (d *decoder) checkLegacy(section, address string) {
	if address != "" && !strings.Contains(address, "{id}") {
		d.refuse(section+".legacy_url", "the address has no {id}").Hint = "write {id} where the ticket's number stands"
	}
}

func (d *decoder) checkEncoding(key, label string) {
	if label != "" && !knownCharset(label) {
		d.refuse(key, fmt.Sprintf("%s is not a charset", shorten(label))).Hint = "such as utf-8, windows-1252, utf-16le; left out, it is detected"
	}
}

// knownCharset accepts what tables can be read in: the labels of the web, the names of IANA, and utf-8-sig.
func knownCharset(label string) bool {
	switch strings.ToLower(label) {
	case "utf8", "utf-8-sig", "utf16", "utf-16", "ascii":
		return true
	}
	if e, _ := charset.Lookup(label); e != nil && e != encoding.Replacement {
		return true
	}
	e, err := ianaindex.IANA.Encoding(label)
	return err == nil && e != nil
}

// checkColumns holds our names of columns to those that there are.
func (d *decoder) checkColumns(key string, columns map[string]string, names []string) {
	every := slices.Concat(csvfile.ColumnNames("columns", ""), csvfile.ColumnNames("message_columns", ""), csvfile.ColumnNames("user_columns", ""))
	for _, ours := range sortedKeys(columns) {
		switch {
		case slices.Contains(names, ours):
		case slices.Contains(every, ours):
			d.refuseKey(key+"."+ours, "this column means nothing here").Hint = "known here: " + strings.Join(names, ", ")
		default:
			e := d.refuseKey(key+"."+ours, "unknown column of ours")
			if e.Nearest = nearest(ours, names); e.Nearest == "" {
				e.Hint = "known here: " + strings.Join(names, ", ") + "; custom fields go into fields"
			}
		}
	}
	d.checkHeaders(key, columns)
}

func (d *decoder) checkHeaders(key string, columns map[string]string) {
	for _, ours := range sortedKeys(columns) {
		if strings.TrimSpace(columns[ours]) == "" {
			d.refuse(key+"."+ours, "no header is named").Hint = "delete the line when the export has no such column"
		}
	}
}

func (d *decoder) checkCharacter(key, s, word string) {
	if r := []rune(s); len(r) > 1 && (word == "" || s != word) {
		d.refuse(key, fmt.Sprintf("one character is expected here, this is %s", shorten(s)))
	}
}

func (d *decoder) checkHelpScout(h *HelpScout) {
	if d.failed("helpscout.base_url") {
		return
	}
	u, err := url.Parse(h.BaseURL)
	text, hint := "", "write "+DefaultBaseURL
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		text = fmt.Sprintf("%s is not an address", shorten(h.BaseURL))
	case u.User != nil:
		text, hint = "credentials do not belong into the address", "set HELPSCOUT_APP_ID and HELPSCOUT_APP_SECRET in the environment"
	case u.RawQuery != "" || u.Fragment != "":
		text = "an address without ? and # is expected here"
	case u.Scheme == "http" && (u.Hostname() == "helpscout.net" || strings.HasSuffix(u.Hostname(), ".helpscout.net")):
		text = "http would send the credentials in the clear"
	default:
		return
	}
	e := d.refuse("helpscout.base_url", text)
	e.Hint = hint
	if _, ours := d.marks["helpscout.base_url"]; !ours {
		e.File, e.Key, e.Line, e.Column = BaseURLVariable, "", 0, 0
	}
}

// checkMapping asks the mapping itself what cannot be, and finds the lines. What is wrong because another key is absent
// is blamed on the key that asks for it.
func (d *decoder) checkMapping(c *Config) {
	asks := map[string]string{"legacy_field": "legacy_reference", "placeholder_domain": "placeholder"}
	for _, err := range c.Mapping.Check() {
		var option *mapping.OptionError
		if !errors.As(err, &option) {
			d.refuse("mapping", err.Error())
			continue
		}
		key := "mapping." + option.Key
		if d.failed(key) {
			continue
		}
		e := d.refuse(key, option.Text)
		if at, ok := d.marks["mapping."+asks[option.Key]]; ok && !d.written(key) {
			e.Line, e.Column = at.line, at.column
		}
	}
	m := &c.Mapping
	if m.LegacyField != "" && m.LegacyReference != "field" && !d.failed("mapping.legacy_reference") {
		d.refuse("mapping.legacy_field", "without legacy_reference: field it does nothing")
	}
}

// plausibleHost accepts names with a dot, in any script, and nothing that could not be a host.
func plausibleHost(host string) bool {
	if host == "localhost" {
		return true
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	if len(host) > 253 || !strings.Contains(host, ".") || strings.ContainsAny(host, " \t\r\n@/\\:;,<>()[]\"'%&=?!*$") {
		return false
	}
	return !slices.ContainsFunc(strings.Split(host, "."), func(label string) bool {
		return label == "" || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-")
	})
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
