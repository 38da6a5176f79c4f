package configs

import (
	"fmt"
	"slices"
	"strings"

	"hsimport/sources"
)

// json writes the section of JSON files. What the survey read them by is what a run reads them by.
func (d *draft) json(paths []string) {
	tickets, messages, users := jsonFiles(d.survey.Files, paths)
	d.key(1, "paths", items(tickets), "")
	d.until()
	d.put(1, "json:", "")
	for _, part := range []struct {
		role, records, list string
		files               []string
	}{{"tickets", "records", "", nil}, {"messages", "message_records", "messages", messages}, {"users", "user_records", "users", users}} {
		if len(part.files) > 0 {
			d.key(2, part.list, items(part.files), "")
		}
		if place := d.place(part.role); place != "" {
			d.key(2, part.records, value(place), "where the "+part.role+" stand")
		}
	}
	d.oldDesk()
	d.zone()
	d.dateFormats()
	d.jsonColumns()
}

// fileOf is the file of a survey's entry: of several lists in one file each has its list after the name.
func fileOf(f sources.SurveyFile) string { return strings.TrimSuffix(f.Path, " "+f.List) }

// jsonFiles sorts the paths by what stands in them; messages and users beside tickets in one file name no file of their
// own.
func jsonFiles(files []sources.SurveyFile, paths []string) (tickets, messages, users []string) {
	add := func(to *[]string, p string) {
		if !slices.Contains(*to, p) && !slices.Contains(tickets, p) {
			*to = append(*to, p)
		}
	}
	main := "tickets"
	if !slices.ContainsFunc(files, func(f sources.SurveyFile) bool { return f.Role == main }) {
		main = "messages"
	}
	for _, f := range files {
		if f.Role == main {
			add(&tickets, pathOf(fileOf(f), paths))
		}
	}
	for _, f := range files {
		switch p := pathOf(fileOf(f), paths); f.Role {
		case main:
		case "messages":
			add(&messages, p)
		case "users":
			add(&users, p)
		}
	}
	if len(messages)+len(users) == 0 && len(tickets) == len(paths) || tickets == nil {
		return paths, messages, users
	}
	return tickets, messages, users
}

// place is where the records of a role stand, when it is the same in all of their files.
func (d *draft) place(role string) string {
	place, found := "", false
	only := !slices.ContainsFunc(d.survey.Files, func(f sources.SurveyFile) bool { return f.Role == "tickets" })
	for _, f := range d.survey.Files {
		if f.Role != role && (!only || role != "tickets" || f.Role != "messages") || only && role == "messages" {
			continue
		}
		if found && f.List != place {
			return ""
		}
		place, found = f.List, true
	}
	return place
}

// jsonColumns writes the tables of paths, and names those that have no use.
func (d *draft) jsonColumns() {
	for _, table := range []string{"columns", "message_columns", "user_columns"} {
		bound := d.survey.Tables[table]
		if len(bound) == 0 {
			continue
		}
		d.put(2, table+":", "ours: theirs")
		for _, ours := range jsonColumns(table) {
			if theirs, ok := bound[ours]; ok {
				d.key(3, ours, value(theirs), "")
			}
		}
	}
	if rules := d.survey.Tables["exclude"]; len(rules) > 0 {
		d.put(2, "exclude:", "what is left out: path and values")
		for _, path := range sortedKeys(rules) {
			d.key(3, path, value(rules[path]), "")
		}
	}
	d.presetFields()
	var left []sources.SurveyColumn
	users := d.fileOfRole("users")
	for _, c := range d.survey.Columns {
		if c.Filled > 0 && c.Role == "" && !d.used(c.Name) && (users == "" || c.File != users) {
			left = append(left, c)
		}
	}
	d.leftOver(left)
}

// fileOfRole is the name that the columns of a role stand under.
func (d *draft) fileOfRole(role string) string {
	i := slices.IndexFunc(d.survey.Files, func(f sources.SurveyFile) bool { return f.Role == role })
	if i < 0 {
		return ""
	}
	return d.survey.Files[i].Path
}

// used reports whether a path is part of what some column is made of, or handled by the preset.
func (d *draft) used(path string) bool {
	for _, table := range []string{"columns", "message_columns", "exclude"} {
		for ours, spec := range d.survey.Tables[table] {
			if table == "exclude" {
				spec = ours
			}
			for part := range strings.SplitSeq(strings.ReplaceAll(spec, " + ", "|"), "|") {
				part, _, _ = strings.Cut(part, " = ")
				if strings.EqualFold(strings.TrimSpace(part), path) {
					return true
				}
			}
		}
	}
	return d.handled(path)
}

// maxLeft bounds the list of paths without a use: JSON has many.
const maxLeft = 60

// leftOver names the filled columns without a use.
func (d *draft) leftOver(left []sources.SurveyColumn) {
	if len(left) == 0 {
		return
	}
	d.note(2, "Filled paths without a use yet. Name each in fields (Help Scout custom field: path) or in ignore_columns:")
	for _, c := range left[:min(len(left), maxLeft)] {
		d.note(2, fmt.Sprintf("- %s: %s of %s records, such as %s", oneLine(c.Name), sources.Thousands(c.Filled), sources.Thousands(c.Of), oneLine(strings.Join(c.Examples, " | "))))
	}
	if more := len(left) - maxLeft; more > 0 {
		d.note(2, fmt.Sprintf("and %s; hsimport inspect lists all", plural(more, "further path")))
	}
	if len(d.survey.Tables["fields"]) == 0 {
		d.put(2, "fields: {}", "")
	}
	if len(d.preset.Source.IgnoreColumns) == 0 {
		d.put(2, "ignore_columns: []", "")
	}
}
