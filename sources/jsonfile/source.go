package jsonfile

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"hsimport/sources"
	"hsimport/sources/csvfile"
)

// Open indexes the files that the options name. Its errors and problems are those of csvfile.Open.
func Open(ctx context.Context, o Options) (*csvfile.Source, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	p := o.plan()
	return csvfile.OpenFormat(ctx, o.table(p), &format{o: o, p: p})
}

// A format is the files of one job.
type format struct {
	o Options
	p plan

	kinds [3]*kind // tickets, messages, users
}

// A kind is one kind of record, over all files.
type kind struct {
	part   csvfile.Part
	key    string
	shapes *shapes
	cutter *cutter
}

const (
	tickets = iota
	messages
	users
)

// Kind is the word of source.kind.
func (f *format) Kind() string { return Kind }

// Sheets looks all files through for the paths that there are: a path that one file lacks may stand in another.
func (f *format) Sheets(ctx context.Context, files []*csvfile.File) ([][]*csvfile.Sheet, error) {
	part := csvfile.TicketPart
	if f.p.layout == csvfile.MessagePerRow {
		part = csvfile.MessagePart
	}
	f.kinds = [3]*kind{
		{part: part, key: key + ".columns", shapes: newShapes()},
		{part: csvfile.JoinedPart, key: key + ".message_columns", shapes: newShapes()},
		{part: csvfile.UserPart, key: key + ".user_columns", shapes: newShapes()},
	}
	lists := make([]fileLists, len(files))
	for i, file := range files {
		var err error
		if lists[i], err = f.lists(ctx, file); err != nil {
			return nil, err
		}
		if err := f.learn(ctx, file, &lists[i]); err != nil {
			return nil, err
		}
	}
	if err := f.lay(files); err != nil {
		return nil, err
	}
	out := make([][]*csvfile.Sheet, len(files))
	for i, file := range files {
		out[i] = f.sheets(file, lists[i])
	}
	return out, nil
}

// fileLists are the lists of one file that are read, and what their records are.
type fileLists struct {
	paths  []listPath
	kinds  []int
	unread []sources.Use // other lists of the file
}

func (l *fileLists) add(p listPath, kind int) {
	l.paths, l.kinds = append(l.paths, p), append(l.kinds, kind)
}

// lists says which lists of a file are read.
func (f *format) lists(ctx context.Context, file *csvfile.File) (fileLists, error) {
	var out fileLists
	main, kind := f.o.Records, tickets
	switch file.Part {
	case csvfile.JoinedPart:
		main, kind = f.o.MessageRecords, messages
	case csvfile.UserPart:
		main, kind = f.o.UserRecords, users
	}
	p, err := parseList(main)
	if main == "" {
		if p, err = findList(ctx, file, f.limit(), kind); err != nil {
			return out, err
		}
	} else if err != nil {
		return out, err
	}
	out.add(p, kind)
	if file.Part != csvfile.TicketPart {
		return out, nil
	}
	for _, beside := range []struct {
		list  string
		files []string
		kind  int
	}{{f.o.MessageRecords, f.o.Messages, messages}, {f.o.UserRecords, f.o.Users, users}} {
		if beside.list == "" || len(beside.files) > 0 {
			continue
		}
		p, err := parseList(beside.list)
		if err != nil {
			return out, err
		}
		if p.String() == out.paths[0].String() {
			return out, fmt.Errorf("tickets and other records are both said to stand at %s", p)
		}
		out.add(p, beside.kind)
	}
	return out, nil
}

func (f *format) limit() int64 {
	if f.o.MaxRecord > 0 {
		return f.o.MaxRecord
	}
	return defaultMaxRecord
}

// learn reads every record of a file for its paths.
func (f *format) learn(ctx context.Context, file *csvfile.File, lists *fileLists) error {
	r := newReader(file.Content, file.Size, f.limit(), slices.Clone(lists.paths), -1)
	if !slices.ContainsFunc(lists.paths, func(p listPath) bool { return len(p.segs) == 0 }) {
		r.explore = func(path string) (listPath, bool) {
			p, err := parseList(path)
			if err != nil || len(lists.unread) == maxLists {
				return p, false
			}
			lists.unread = append(lists.unread, sources.Use{Name: path})
			return p, true
		}
	}
	return r.each(ctx, func(l int, t *tree) {
		if l < len(lists.kinds) {
			f.kinds[lists.kinds[l]].shapes.learn(t)
			return
		}
		u := &lists.unread[l-len(lists.kinds)]
		if u.Filled++; u.Filled == 1 {
			u.Example = short(t.raw)
		}
		u.Of = u.Filled
	})
}

// short is the start of a record, for people.
func short(raw []byte) string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(raw[:min(len(raw), 240)]), "")), " ")
	if r := []rune(text); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return text
}

// each calls visit with every good record.
func (r *reader) each(ctx context.Context, visit func(list int, t *tree)) error {
	for n := 0; ; n++ {
		if n%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		st, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if st.Kind == csvfile.Record {
			visit(r.last, &r.tree)
		}
	}
}

// lay lays out the columns of every kind.
func (f *format) lay(files []*csvfile.File) error {
	t := f.kinds[tickets]
	for i, place := range []struct{ list, name string }{
		{f.o.Records, "records"}, {f.o.MessageRecords, "message_records"}, {f.o.UserRecords, "user_records"},
	} {
		if f.kinds[i].shapes.records == 0 && (i == tickets || place.list != "") {
			return &sources.InputError{
				Position: sources.Position{File: files[0].Name, Offset: -1},
				Err:      fmt.Errorf("no record stands at %s", cmp.Or(place.list, "any list that could be found")),
				Hint:     "hsimport inspect shows what is in the file; " + key + "." + place.name + " says where these records are",
			}
		}
	}
	var inner *shape
	if f.p.inner != "" {
		if inner = t.shapes.root.find(f.p.inner); inner == nil {
			return f.noList(files[0], t)
		}
	}
	t.cutter = newCutter(t.shapes, inner)
	t.cutter.hide(0, f.p.columns, false)
	t.cutter.hide(0, f.o.Fields, true)
	if inner != nil {
		t.cutter.hide(1, f.p.messages, inner.seen == 0)
	}
	for i, columns := range []map[string]string{messages: f.p.messages, users: f.o.UserColumns} {
		if i != tickets {
			f.kinds[i].cutter = newCutter(f.kinds[i].shapes, nil)
			f.kinds[i].cutter.hide(0, columns, false)
		}
	}
	return nil
}

// noList says that the records hold no list of messages under the name that the configuration gives.
func (f *format) noList(file *csvfile.File, t *kind) error {
	lists := t.shapes.root.lists(nil)
	hint := "the records hold no list at all"
	if len(lists) > 0 {
		hint = "the lists in them are " + strings.Join(csvfile.Nearest(f.p.inner, lists, 5), ", ")
	}
	return &sources.InputError{
		Position: sources.Position{File: file.Name, Offset: -1},
		Err:      fmt.Errorf("%s.columns: message_body: there is no list %s in the records", key, f.p.inner), Hint: hint,
	}
}

// lists are the paths of all lists at and below s.
func (s *shape) lists(all []string) []string {
	if s.seg == "[]" {
		all = append(all, s.path)
	}
	for _, k := range s.kids {
		all = k.lists(all)
	}
	return all
}

// hide adds the columns that are made of others: those with a plus, and those of messages that stand outside of their
// list. A path that no record has is an empty column where records may well do without; all of them may with anyway.
func (c *cutter) hide(table int, columns map[string]string, anyway bool) {
	t := c.tables[table]
	for _, ours := range slices.Sorted(maps.Keys(columns)) {
		spec, some := columns[ours], false
		for part := range strings.SplitSeq(spec, "|") {
			some = c.hidePart(t, table, strings.TrimSpace(part)) || some
		}
		if some || slices.Contains(t.header, spec) || strings.HasSuffix(spec, "*") || !anyway && !mayLack(ours) {
			continue
		}
		t.hidden = append(t.hidden, hidden{name: spec})
		t.problems = append(t.problems, sources.Problem{
			Severity: sources.Info, Code: "path-absent",
			Text: fmt.Sprintf("no record has %s, which %s is read from; it is taken as empty", spec, ours),
		})
	}
}

// hidePart adds one of the paths of a spec, and reports whether the records have it.
func (c *cutter) hidePart(t *table, table int, part string) bool {
	if slices.ContainsFunc(t.header, func(h string) bool { return strings.EqualFold(h, part) }) ||
		slices.ContainsFunc(t.hidden, func(h hidden) bool { return h.name == part && h.parts != nil }) {
		return true
	}
	h := hidden{name: part}
	if path, value, ok := strings.Cut(part, " = "); ok {
		h.test, h.value = true, strings.TrimSpace(value)
		part = path
	}
	for p := range strings.SplitSeq(part, " + ") {
		if at, found := c.find(strings.TrimSpace(p), table); found {
			h.parts = append(h.parts, at)
		}
	}
	if h.parts == nil {
		return false
	}
	t.hidden = append(t.hidden, h)
	return true
}

// mayLack reports whether exports leave a name out of all records where nothing is to be said: what nobody misses, and
// what does not decide whose a message is and who may see it.
func mayLack(ours string) bool {
	switch ours {
	case "closed_at", "updated_at", "tags", "group", "priority", "channel", "url", "requester_phone", "assignee_id", "assignee_name",
		"assignee_email", "attachments", "attachment_names", "message_attachments", "message_attachment_names", "message_cc",
		"message_channel", "user_phone", "user_role", "user_name", "user_email", "requester_name":
		return true
	}
	return false
}

// sheets are the sheets of one file.
func (f *format) sheets(file *csvfile.File, lists fileLists) []*csvfile.Sheet {
	var out []*csvfile.Sheet
	for i, k := range lists.kinds {
		kind, own := f.kinds[k], i
		sheet := kind.cutter.sheet(0)
		sheet.Part, sheet.Key, sheet.List = kind.part, kind.key, lists.paths[i].String()
		sheet.Records = func() csvfile.Records {
			return newReader(file.Content, file.Size, f.limit(), lists.paths, own)
		}
		sheet.Split, sheet.Wrap = kind.cutter.split, lists.paths[i].wrap
		if len(kind.cutter.tables) > 1 {
			inner := kind.cutter.sheet(1)
			inner.Part, inner.Key, inner.List = csvfile.JoinedPart, kind.key, f.p.inner
			sheet.Nested = append(sheet.Nested, inner)
		}
		if i == 0 {
			sheet.Unread = lists.unread
		}
		out = append(out, sheet)
	}
	return out
}

// sheet describes a table of the cutter.
func (c *cutter) sheet(table int) *csvfile.Sheet {
	t := c.tables[table]
	s := &csvfile.Sheet{Header: slices.Clone(t.header), Hidden: len(t.hidden), Problems: t.problems}
	for _, h := range t.hidden {
		s.Header = append(s.Header, h.name)
		var made, taken []int
		for _, p := range h.parts {
			if p.table == table {
				made = append(made, p.col)
			} else {
				taken = append(taken, p.col)
			}
		}
		s.Made, s.Taken = append(s.Made, made), append(s.Taken, taken)
	}
	s.Use = func(col int, use csvfile.CellUse) {
		if col < len(t.uses) {
			t.uses[col] = use
			return
		}
		for _, p := range t.hidden[col-len(t.uses)].parts {
			if c.tables[p.table].uses[p.col] == csvfile.ListValue {
				c.tables[p.table].uses[p.col] = csvfile.FirstValue
			}
		}
	}
	return s
}
