package configs

import (
	"slices"

	"hsimport/sources/csvfile"
	"hsimport/sources/jsonfile"
)

func (d *decoder) checkJSON(c *Config) {
	o := &c.Source.JSON
	d.checkPaths("source.json.messages", o.Messages)
	d.checkPaths("source.json.users", o.Users)
	if !fixedZone(o.TimeZone) {
		d.checkZone("source.json.time_zone", o.TimeZone)
	}
	d.checkEncoding("source.json.encoding", o.Encoding)
	// Messages may stand in their tickets: both kinds of names belong into columns.
	d.checkColumns("source.json.columns", o.Columns, jsonColumns("columns"))
	d.checkColumns("source.json.message_columns", o.MessageColumns, jsonColumns("message_columns"))
	d.checkColumns("source.json.user_columns", o.UserColumns, jsonColumns("user_columns"))
	d.checkHeaders("source.json.fields", o.Fields)
	d.checkLegacy("source.json", o.LegacyURL)
	for _, place := range []struct{ name, path string }{
		{"records", o.Records}, {"message_records", o.MessageRecords}, {"user_records", o.UserRecords},
	} {
		if place.path == "" {
			continue
		}
		if err := jsonfile.CheckPlace(place.path); err != nil {
			d.refuse("source.json."+place.name, err.Error())
		}
	}
}

// jsonColumns are our names of columns in a table of JSON.
func jsonColumns(table string) []string {
	if table != "columns" {
		return csvfile.ColumnNames(table, csvfile.Joined)
	}
	names := csvfile.ColumnNames("columns", csvfile.TicketPerRow)
	for _, n := range csvfile.ColumnNames("columns", csvfile.MessagePerRow) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}
