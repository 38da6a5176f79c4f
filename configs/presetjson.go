package configs

import (
	"slices"
	"strings"

	"hsimport/sources/csvfile"
	"hsimport/sources/jsonfile"
)

// ChooseJSON is the choice that jsonfile.Survey asks for, as ChooseCSV is for tables.
func ChooseJSON(name string) jsonfile.Choose {
	return func(tables []jsonfile.Table) (string, jsonfile.Options, error) {
		var sheets []sheet
		for _, t := range tables {
			sheets = append(sheets, sheet{id: t.Path + "\x00" + t.List, header: t.Header})
		}
		p, c, err := choose(name, JSON, sheets)
		if err != nil || p == nil {
			return "", jsonfile.Options{}, err
		}
		return p.Name, p.jsonOptions(c, sheets), nil
	}
}

// jsonOptions are the options under which a preset reads the lists that were cast. Of several files of one kind all
// paths count: what one file lacks another may have.
func (p *Preset) jsonOptions(c casting, sheets []sheet) jsonfile.Options {
	o := jsonfile.Options{
		TimeZone: p.Source.TimeZone, DateFormats: p.Source.DateFormats, IgnoreColumns: p.Source.IgnoreColumns,
	}
	main := c.tickets
	if len(main) == 0 {
		main, c.messages = c.messages, nil
	}
	var place string
	o.Paths, place = lists(main)
	o.Records = place
	header := headerOfAll(main, sheets)
	o.Columns, o.Fields = presentPaths(p.Source.Columns, header), presentPaths(p.Source.Fields, header)
	o.Exclude = map[string]string{}
	for path, values := range p.Source.Exclude {
		if slices.Contains(header, path) {
			o.Exclude[path] = values
		}
	}
	for _, part := range []struct {
		ids     []string
		columns map[string]string
		files   *[]string
		place   *string
		to      *map[string]string
	}{
		{c.messages, p.Source.MessageColumns, &o.Messages, &o.MessageRecords, &o.MessageColumns},
		{c.users, p.Source.UserColumns, &o.Users, &o.UserRecords, &o.UserColumns},
	} {
		if len(part.ids) == 0 {
			continue
		}
		files, place := lists(part.ids)
		if *part.place = place; !slices.ContainsFunc(files, func(f string) bool { return slices.Contains(o.Paths, f) }) {
			*part.files = files
		}
		*part.to = presentPaths(part.columns, headerOfAll(part.ids, sheets))
	}
	return o
}

// lists are the files of sheets, and the place of their records when it is the same in all.
func lists(ids []string) (files []string, place string) {
	for i, id := range ids {
		file, list, _ := strings.Cut(id, "\x00")
		if files = append(files, file); i == 0 {
			place = list
		}
		if list != place {
			place = ""
		}
	}
	slices.Sort(files)
	return slices.Compact(files), place
}

func headerOfAll(ids []string, sheets []sheet) []string {
	var all []string
	for _, s := range sheets {
		if slices.Contains(ids, s.id) {
			all = append(all, s.header...)
		}
	}
	return all
}

// presentPaths keeps what of a table of paths the records have; of a sum the summands that are there make it stay.
func presentPaths(columns map[string]string, header []string) map[string]string {
	kept := map[string]string{}
	for ours, spec := range columns {
		var parts []string
		for part := range strings.SplitSeq(spec, "|") {
			part = strings.TrimSpace(part)
			path, _, _ := strings.Cut(part, " = ")
			if hasSome(header, strings.Split(path, " + ")) || csvfile.Present(nil, ours, part) != "" {
				parts = append(parts, part)
			}
		}
		if parts != nil {
			kept[ours] = strings.Join(parts, " | ")
		}
	}
	return kept
}

func hasSome(header, columns []string) bool {
	return slices.ContainsFunc(columns, func(c string) bool { return hasAll(header, []string{strings.TrimSpace(c)}) })
}
