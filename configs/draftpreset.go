package configs

import (
	"fmt"
	"slices"
	"strings"

	"hsimport/sources"
	"hsimport/sources/csvfile"
)

// fromPreset says which preset the draft follows, why, and how well that is founded.
func (d *draft) fromPreset() {
	p := d.preset
	if p.Name == "" {
		return
	}
	d.paragraph(0, fmt.Sprintf("Read as %s: %s (preset %s, version %d), because there are %s.", p.Desk, p.Title, p.Name, p.Version, p.Needs()))
	if p.Notice != "" {
		d.paragraph(0, "Mind: "+p.Notice)
	}
	for _, s := range p.Seen {
		d.paragraph(0, "Seen in a real file: "+s)
	}
	for _, s := range p.Documented {
		d.paragraph(0, "From the vendor's documentation: "+s)
	}
}

// presetTable writes a table of columns as the preset has it and returns the filled columns that it has no use for.
func (d *draft) presetTable(table, layout string, columns []sources.SurveyColumn) (left []sources.SurveyColumn) {
	for _, c := range columns {
		if c.Filled > 0 && c.Role == "" && !d.handled(c.Name) {
			left = append(left, c)
		}
	}
	bound := d.survey.Tables[table]
	if len(bound) == 0 {
		return left
	}
	d.put(2, table+":", "ours: theirs")
	for _, ours := range csvfile.ColumnNames(table, layout) {
		if theirs, ok := bound[ours]; ok {
			d.key(3, ours, value(theirs), "")
		}
	}
	return left
}

// handled reports whether the preset carries a column over as a field, or ignores it.
func (d *draft) handled(column string) bool {
	same := func(spec string) bool {
		stem, glob := strings.CutSuffix(spec, "*")
		return strings.EqualFold(spec, column) || glob && len(column) > len(stem) && strings.EqualFold(column[:len(stem)], stem)
	}
	if slices.ContainsFunc(d.preset.Source.IgnoreColumns, same) {
		return true
	}
	for _, spec := range d.survey.Tables["fields"] {
		if same(spec) {
			return true
		}
	}
	return false
}

// presetFields writes the custom fields that the preset fills and the columns it leaves out knowingly.
func (d *draft) presetFields() {
	if d.survey.Preset == "" {
		return
	}
	if fields := d.survey.Tables["fields"]; len(fields) > 0 {
		d.put(2, "fields:", "Help Scout custom field: theirs; make these fields in the inbox, or delete the lines")
		for _, name := range sortedKeys(fields) {
			d.key(3, name, value(fields[name]), "")
		}
	}
	var header []string
	for _, c := range d.survey.Columns {
		header = append(header, c.Name)
	}
	ignored := slices.DeleteFunc(slices.Clone(d.preset.Source.IgnoreColumns), func(spec string) bool {
		return csvfile.Present(header, "", spec) == ""
	})
	if len(ignored) > 0 {
		d.key(2, "ignore_columns", items(ignored), "")
	}
}

// types writes what the preset knows of channels.
func (d *draft) types() {
	types := d.preset.Mapping.Types
	if len(types) == 0 {
		return
	}
	d.put(1, "types:", "allowed: "+strings.Join(channelTypes, ", "))
	for _, word := range sortedKeys(types) {
		d.key(2, word, value(types[word]), "")
	}
}

// wordOf looks a word up whatever its case.
func wordOf(table map[string]string, word string) string {
	for _, w := range sortedKeys(table) {
		if strings.EqualFold(strings.TrimSpace(w), strings.TrimSpace(word)) {
			return table[w]
		}
	}
	return ""
}
