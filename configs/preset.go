package configs

import (
	"cmp"
	"embed"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
)

// The presets: how the exports of one desk are read. A new one is one more file here.
//
//go:embed presets/*.yaml
var presetFiles embed.FS

// A Preset says how one export of one desk is read. It is chosen by the columns of the files, and what it says goes
// into the draft, where a person sees it and may change it: nothing reads a preset at the time of a run.
type Preset struct {
	Name    string `yaml:"name"`    // as --preset takes it and as the file is called
	Version int    `yaml:"version"` // counted up when what it says changes
	Desk    string `yaml:"desk"`    // the product: Zendesk
	Title   string `yaml:"title"`   // which export of it, in a few words
	Kind    string `yaml:"kind"`    // of source: csv, json
	// Seen says what of it was seen in a real file, Documented what the vendor's own pages say, with their addresses.
	Seen       []string `yaml:"seen"`
	Documented []string `yaml:"documented"`

	Fits Fits `yaml:"fits"`
	// NoTexts says, of an export without message texts, which export of this desk has them.
	NoTexts string `yaml:"no_texts"`
	// Notice says what else a person has to know of this export before they import it.
	Notice  string        `yaml:"notice"`
	Source  PresetSource  `yaml:"source"`
	Mapping PresetMapping `yaml:"mapping"`
}

// Fits are the columns by which the files of an export are known: all of them must stand in one file (or list of
// records). An empty list asks for no such file. Case does not count.
type Fits struct {
	Tickets  []string `yaml:"tickets"`
	Messages []string `yaml:"messages"`
	Users    []string `yaml:"users"`
	// Optional are the columns by which further files are known when they are there: messages in another kind of table,
	// users in one kind and in another.
	OptionalMessages []string `yaml:"optional_messages"`
	OptionalUsers    []string `yaml:"optional_users"`
	MoreUsers        []string `yaml:"more_users"`
}

// PresetSource is the part of source that a preset answers. In columns a header that the export lacks is left out;
// of several joined by | those that are there stay.
type PresetSource struct {
	Layout         string            `yaml:"layout"`
	Records        string            `yaml:"records"` // of JSON; left out: where they are found
	TimeZone       string            `yaml:"time_zone"`
	DateFormats    []string          `yaml:"date_formats"`
	Columns        map[string]string `yaml:"columns"`
	MessageColumns map[string]string `yaml:"message_columns"`
	UserColumns    map[string]string `yaml:"user_columns"`
	Fields         map[string]string `yaml:"fields"`
	IgnoreColumns  []string          `yaml:"ignore_columns"`
	Exclude        map[string]string `yaml:"exclude"` // of JSON
}

// PresetMapping are the words of the desk that mean one thing there. Words that are not in the export are not drafted. A
// kind of message that says nothing about whose it is becomes author: who wrote it decides.
type PresetMapping struct {
	Statuses     map[string]string `yaml:"statuses"`
	MessageKinds map[string]string `yaml:"message_kinds"`
	Types        map[string]string `yaml:"types"`
}

const byAuthor = "author"

// NoPreset is the name that asks for none.
const NoPreset = "none"

// Presets are all embedded presets by name. An error is a mistake in one of them; a test reads all.
func Presets() ([]*Preset, error) {
	entries, err := presetFiles.ReadDir("presets")
	if err != nil {
		return nil, err
	}
	var all []*Preset
	for _, e := range entries {
		data, err := presetFiles.ReadFile("presets/" + e.Name())
		if err != nil {
			return nil, err
		}
		p, err := parsePreset(e.Name(), data)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *Preset) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// parsePreset reads one preset as strictly as a configuration.
func parsePreset(file string, data []byte) (*Preset, error) {
	none := func(string) (string, bool) { return "", false }
	d := &decoder{problems: problems{file: file}, env: none, marks: map[string]mark{}, keys: map[string]mark{}}
	p := &Preset{}
	if root := d.document(data); root != nil {
		d.section(root, reflect.ValueOf(p).Elem(), "")
	}
	switch {
	case len(d.list) > 0:
	case p.Name+".yaml" != path.Base(file):
		d.add(&Error{Text: fmt.Sprintf("the preset is called %q, not as its file", p.Name)})
	case p.Version < 1 || p.Desk == "" || p.Title == "" || p.Kind == "":
		d.add(&Error{Text: "version, desk, title and kind are needed"})
	case len(p.Fits.Tickets)+len(p.Fits.Messages) == 0:
		d.add(&Error{Text: "without fits no export is recognised"})
	case len(p.Seen)+len(p.Documented) == 0:
		d.add(&Error{Text: "where is the format from: write seen or documented"})
	}
	return p, d.err()
}

// PresetNamed is the preset of that name.
func PresetNamed(name string) (*Preset, error) {
	all, err := Presets()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range all {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return nil, fmt.Errorf("there is no preset %q; there are %s, and %s for no preset", name, strings.Join(names, ", "), NoPreset)
}

// A sheet is one file or list of records as a preset looks at it.
type sheet struct {
	id     string // path, or path and list
	header []string
}

// A casting says which sheets of an export play which part.
type casting struct{ tickets, messages, users []string }

// cast finds the parts of a preset among sheets; ok is false when one that it needs is not there. Further sheets with
// the very header of one that was found belong to it.
func (p *Preset) cast(sheets []sheet) (c casting, ok bool) {
	taken := map[string]bool{}
	// The part that asks for most columns chooses first: what fits users may fit messages too.
	type part struct {
		columns []string
		needed  bool
		to      *[]string
	}
	parts := []part{
		{p.Fits.Tickets, true, &c.tickets},
		{p.Fits.Messages, true, &c.messages},
		{p.Fits.Users, true, &c.users},
		{p.Fits.OptionalMessages, false, &c.messages},
		{p.Fits.OptionalUsers, false, &c.users},
		{p.Fits.MoreUsers, false, &c.users},
	}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(len(b.columns), len(a.columns)) })
	for _, part := range parts {
		ids := find(sheets, taken, part.columns)
		if ids == nil && part.needed && len(part.columns) > 0 {
			return casting{}, false
		}
		*part.to = append(*part.to, ids...)
	}
	return c, true
}

// find takes the sheets that have the columns: the widest, and those with its very header.
func find(sheets []sheet, taken map[string]bool, columns []string) (ids []string) {
	var widest *sheet
	for i, s := range sheets {
		if len(columns) > 0 && !taken[s.id] && hasAll(s.header, columns) && (widest == nil || len(s.header) > len(widest.header)) {
			widest = &sheets[i]
		}
	}
	if widest == nil {
		return nil
	}
	for _, s := range sheets {
		if !taken[s.id] && slices.Equal(s.header, widest.header) {
			taken[s.id] = true
			ids = append(ids, s.id)
		}
	}
	return ids
}

// hasAll reports whether all columns stand in the header, whatever their case.
func hasAll(header, columns []string) bool {
	for _, c := range columns {
		if !slices.ContainsFunc(header, func(h string) bool { return strings.EqualFold(h, c) }) {
			return false
		}
	}
	return true
}

// weight is how much a preset asks for: of several that fit, the most exact is taken.
func (p *Preset) weight() int {
	return len(p.Fits.Tickets) + len(p.Fits.Messages) + len(p.Fits.Users)
}

// choose is the preset for sheets: the named one, or the most exact that fits. nil is none.
func choose(name, kind string, sheets []sheet) (best *Preset, c casting, err error) {
	if name == NoPreset {
		return nil, casting{}, nil
	}
	all, err := Presets()
	if err != nil {
		return nil, casting{}, err
	}
	if name != "" {
		p, err := PresetNamed(name)
		if err != nil {
			return nil, casting{}, err
		}
		if all = []*Preset{p}; p.Kind != kind {
			return nil, casting{}, fmt.Errorf("preset %s reads %s, these files are %s", name, p.Kind, kind)
		}
	}
	for _, p := range all {
		if p.Kind != kind || best != nil && p.weight() <= best.weight() {
			continue
		}
		if found, ok := p.cast(sheets); ok {
			best, c = p, found
		}
	}
	if name != "" && best == nil {
		return nil, casting{}, fmt.Errorf("preset %s does not fit: it needs %s", name, all[0].Needs())
	}
	return best, c, nil
}

// Needs says in words which columns a preset is recognised by.
func (p *Preset) Needs() string {
	var parts []string
	for _, part := range []struct {
		what    string
		columns []string
	}{{"tickets", p.Fits.Tickets}, {"messages", p.Fits.Messages}, {"users", p.Fits.Users}} {
		if len(part.columns) > 0 {
			parts = append(parts, part.what+" with "+strings.Join(part.columns, ", "))
		}
	}
	return strings.Join(parts, "; ")
}
