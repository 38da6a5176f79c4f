package configs

import (
	"maps"

	"hsimport/sources/csvfile"
)

// ChooseCSV is the choice that csvfile.Survey asks for: the named preset, the one that fits when name is empty, none
// with NoPreset.
func ChooseCSV(name string) csvfile.Choose {
	return func(tables []csvfile.Table) (string, csvfile.Options, error) {
		var sheets []sheet
		headers := map[string][]string{}
		for _, t := range tables {
			sheets = append(sheets, sheet{id: t.Path, header: t.Header})
			headers[t.Path] = t.Header
		}
		p, c, err := choose(name, CSV, sheets)
		if err != nil || p == nil {
			return "", csvfile.Options{}, err
		}
		return p.Name, p.csvOptions(c, headers), nil
	}
}

// csvOptions are the options under which a preset reads the files that were cast.
func (p *Preset) csvOptions(c casting, headers map[string][]string) csvfile.Options {
	o := csvfile.Options{
		Layout: p.Source.Layout, TimeZone: p.Source.TimeZone, DateFormats: p.Source.DateFormats,
		IgnoreColumns: p.Source.IgnoreColumns, Users: c.users, NoTexts: p.NoTexts,
	}
	all := func(ids []string) (header []string) {
		for _, id := range ids {
			header = append(header, headers[id]...)
		}
		return header
	}
	if o.Paths, o.Messages = c.tickets, c.messages; len(c.tickets) == 0 {
		o.Paths, o.Messages = c.messages, nil
	}
	o.Columns = present(p.Source.Columns, all(o.Paths))
	o.Fields = present(p.Source.Fields, all(o.Paths))
	o.MessageColumns = present(p.Source.MessageColumns, all(o.Messages))
	o.UserColumns = present(p.Source.UserColumns, all(o.Users))
	return o
}

// present keeps what of a table of columns the header has.
func present(columns map[string]string, header []string) map[string]string {
	kept := maps.Clone(columns)
	for ours, spec := range columns {
		if kept[ours] = csvfile.Present(header, ours, spec); kept[ours] == "" {
			delete(kept, ours)
		}
	}
	return kept
}
