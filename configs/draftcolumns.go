package configs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"hsimport/sources"
	"hsimport/sources/csvfile"
)

// columns writes the tables of columns that were recognised, and names the others.
func (d *draft) columns() {
	layout := d.survey.Layout
	first := d.columnsOf("tickets")
	if layout != csvfile.Joined && first == nil {
		first = d.columnsOf("messages")
	}
	left := d.columnTable("columns", layout, first)
	d.presetFields()
	if layout == csvfile.Joined {
		left = append(left, d.columnTable("message_columns", layout, d.columnsOf("messages"))...)
		left = append(left, d.columnTable("user_columns", layout, d.columnsOf("users"))...)
	}
	if len(left) == 0 {
		return
	}
	d.note(2, "Filled columns without a use yet. Name each in fields (Help Scout custom field: column) or in ignore_columns:")
	for _, c := range left {
		d.note(2, fmt.Sprintf("- %s: %s of %s rows, such as %s", oneLine(c.Name), sources.Thousands(c.Filled), sources.Thousands(c.Of), oneLine(strings.Join(c.Examples, " | "))))
	}
	if len(d.survey.Tables["fields"]) == 0 || d.survey.Preset == "" {
		d.put(2, "fields: {}", "")
	}
	if d.survey.Preset == "" || len(d.preset.Source.IgnoreColumns) == 0 {
		d.put(2, "ignore_columns: []", "")
	}
}

// columnsOf are the columns of the files with this role, each once. A single file has all.
func (d *draft) columnsOf(role string) []sources.SurveyColumn {
	of := map[string]bool{"": true}
	for _, f := range d.survey.Files {
		if f.Role == role {
			of[f.Path] = true
		}
	}
	var all []sources.SurveyColumn
	for _, c := range d.survey.Columns {
		if of[c.File] && !slices.ContainsFunc(all, func(a sources.SurveyColumn) bool { return a.Name == c.Name }) {
			all = append(all, c)
		}
	}
	return all
}

// columnTable writes one table of columns and returns those that have no use in it.
func (d *draft) columnTable(table, layout string, columns []sources.SurveyColumn) (left []sources.SurveyColumn) {
	if d.survey.Preset != "" {
		return d.presetTable(table, layout, columns)
	}
	names := csvfile.ColumnNames(table, layout)
	byRole := map[string][]sources.SurveyColumn{}
	var order []string
	for _, c := range columns {
		switch known := slices.Contains(names, c.Role); {
		case !known && c.Filled == 0:
		case !known:
			left = append(left, c)
		default: // one that is empty today may be filled in a newer export
			if byRole[c.Role] == nil {
				order = append(order, c.Role)
			}
			byRole[c.Role] = append(byRole[c.Role], c)
		}
	}
	if len(order) > 0 {
		d.put(2, table+":", "ours: theirs")
	}
	for _, role := range order {
		header, comment := headerOf(role, byRole[role])
		if spec := d.survey.Tables[table][role]; len(byRole[role]) > 1 && strings.ContainsAny(spec, "*{") {
			header, comment = spec, fmt.Sprintf("all %d of them", len(byRole[role]))
		}
		d.key(3, role, value(header), comment)
	}
	return left
}

// headerOf names the columns of one role: one, all of a repeated header, or several in their order.
func headerOf(role string, columns []sources.SurveyColumn) (header, comment string) {
	if len(columns) == 1 {
		c := columns[0]
		if c.Filled == 0 {
			return c.Name, "empty in this export"
		}
		return c.Name, fmt.Sprintf("%s of %s rows", sources.Thousands(c.Filled), sources.Thousands(c.Of))
	}
	var names []string
	fullest := columns[0]
	for _, c := range columns {
		names = append(names, c.Name)
		if c.Filled > fullest.Filled {
			fullest = c
		}
	}
	switch stem := base(names[0]); {
	case stem != names[0] && !slices.ContainsFunc(names, func(n string) bool { return base(n) != stem }):
		return stem + "#*", fmt.Sprintf("all %d of them", len(names))
	case strings.ContainsAny(strings.Join(names, ""), "|,"): // a list of names would be cut at these
		return fullest.Name, fmt.Sprintf("the fullest of %d", len(names))
	}
	if slices.Contains(listRoles, role) {
		return strings.Join(names, " | "), fmt.Sprintf("all %d of them", len(names))
	}
	return strings.Join(names, " | "), "the first that is filled"
}

// listRoles are the columns of ours that take what is in every one of theirs.
var listRoles = []string{"answer", "attachments", "attachment_names", "comments", "message_attachments", "message_attachment_names", "message_cc", "tags"}

var repeated = regexp.MustCompile(`#\d+$`)

// base is a header without the number that tells it from its namesakes.
func base(name string) string { return repeated.ReplaceAllString(name, "") }
