package jsonfile

import (
	"context"
	"slices"
	"strings"

	"hsimport/sources"
	"hsimport/sources/csvfile"
)

// A Table is one list of records of one file, as a survey finds it.
type Table struct {
	Path   string   // of the file
	List   string   // where in it: tickets[]
	Header []string // all paths of its records: subject, comments[].body
}

// Choose decides how files are read: the name of the preset that fits and its options, with the files sorted into Paths,
// Messages and Users. Without a name the columns are guessed.
type Choose func([]Table) (preset string, o Options, err error)

// Survey looks at files before there is a configuration, as csvfile.Survey does at tables; choose may be nil.
func Survey(ctx context.Context, paths []string, base string, choose Choose) (*sources.Survey, error) {
	s := surveyor{}
	passed, err := csvfile.Inputs(ctx, paths, base, &format{}, func(f *csvfile.File) error {
		found, err := explore(ctx, f, defaultMaxRecord)
		if err == nil && len(found) == 0 {
			err = noRecords(f)
		}
		for _, c := range found {
			s.lists = append(s.lists, &listed{candidate: c, file: f.Path, name: f.Name})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	preset, o := "", Options{}
	if choose != nil {
		if preset, o, err = choose(s.tables()); err != nil {
			return nil, &sources.InputError{Position: sources.Position{File: s.lists[0].name, Offset: -1}, Err: err}
		}
	}
	if preset == "" {
		if o, err = s.draft(); err != nil {
			return nil, err
		}
	}
	if o.Base = base; o.TimeZone == "" {
		o.TimeZone = "?"
	}
	p := o.plan()
	out, err := csvfile.SurveyFormat(ctx, o.table(p), &format{o: o, p: p}, passed)
	if err != nil {
		return nil, err
	}
	out.Preset, out.Tables = preset, o.tables()
	s.leftOut(&o, out)
	return out, nil
}

// tables are the tables of columns as a configuration writes them.
func (o *Options) tables() map[string]map[string]string {
	out := map[string]map[string]string{}
	for name, columns := range map[string]map[string]string{
		"columns": o.Columns, "message_columns": o.MessageColumns, "user_columns": o.UserColumns, "fields": o.Fields, "exclude": o.Exclude,
	} {
		if len(columns) > 0 {
			out[name] = columns
		}
	}
	return out
}

// leftOut names the files that are none of tickets, messages and users.
func (s *surveyor) leftOut(o *Options, out *sources.Survey) {
	told := map[string]bool{}
	for _, l := range s.lists {
		if told[l.file] || slices.Contains(o.Paths, l.file) || slices.Contains(o.Messages, l.file) || slices.Contains(o.Users, l.file) {
			continue
		}
		told[l.file] = true
		out.Oddities = append(out.Oddities, sources.Problem{
			Severity: sources.Warning, Code: "file-not-used", Position: sources.Position{File: l.name, Offset: -1},
			Text: "the file is neither tickets nor messages nor users as far as its records say; it is left out",
		})
	}
}

// A surveyor knows all lists of all files.
type surveyor struct{ lists []*listed }

type listed struct {
	*candidate
	file, name string
}

func (s *surveyor) tables() []Table {
	var out []Table
	for _, l := range s.lists {
		out = append(out, Table{Path: l.file, List: l.path.String(), Header: l.shapes.root.relative()})
	}
	return out
}

// best is the list with the highest score that is at least enough and none of those named.
func (s *surveyor) best(kind, enough int, not ...*listed) *listed {
	var found *listed
	for _, l := range s.lists {
		if slices.ContainsFunc(not, func(n *listed) bool { return n != nil && n.path.String() == l.path.String() && n.alike(l) }) {
			continue
		}
		if score := l.score(kind); score >= enough && (found == nil || score > found.score(kind) ||
			score == found.score(kind) && l.shapes.records > found.shapes.records) {
			found = l
		}
	}
	return found
}

// alike reports whether two lists hold records of one kind: most of their paths agree.
func (l *listed) alike(other *listed) bool {
	a, b := l.shapes.root.relative(), other.shapes.root.relative()
	same := 0
	for _, h := range a {
		if slices.Contains(b, h) {
			same++
		}
	}
	return 2*same > min(len(a), len(b))
}

// draft are the options by what the records look like.
func (s *surveyor) draft() (Options, error) {
	main := s.best(tickets, 2)
	if main == nil {
		main = s.lists[0]
	}
	inner := main.messages()
	header, rows, within, innerRows := main.rows(inner)
	o := Options{Paths: s.files(main), Records: s.place(main)}
	part := csvfile.TicketPart
	var apart *listed
	if inner == nil {
		if apart = s.best(messages, 4, main); apart == nil && csvfile.GuessPart(header, rows) != csvfile.TicketPart {
			part = csvfile.MessagePart
		}
	}
	if o.Columns = guess(part, header, rows, ""); part == csvfile.MessagePart && o.Columns["message_body"] == "" {
		o.Columns = guess(csvfile.TicketPart, header, rows, "")
	}
	if inner != nil {
		for ours, theirs := range guess(csvfile.JoinedPart, within, innerRows, inner.path) {
			if ours != "ticket_id" {
				o.Columns[ours] = theirs
			}
		}
	}
	if apart != nil {
		o.MessageRecords, o.MessageColumns, o.Messages = s.beside(apart, csvfile.JoinedPart, o.Paths)
	}
	if people := s.best(users, 3, main, apart); people != nil {
		o.UserRecords, o.UserColumns, o.Users = s.beside(people, csvfile.UserPart, o.Paths)
	}
	return o, nil
}

// beside are the place, the columns and the files of records that stand beside the tickets; no files when these are the
// tickets' own.
func (s *surveyor) beside(l *listed, part csvfile.Part, main []string) (place string, columns map[string]string, files []string) {
	header, rows, _, _ := l.rows(nil)
	if !slices.Contains(main, l.file) {
		files = s.files(l)
	}
	return s.place(l), guess(part, header, rows, ""), files
}

// files are those with records like these at the same place.
func (s *surveyor) files(like *listed) []string {
	var out []string
	for _, l := range s.lists {
		if l == like || l.path.String() == like.path.String() && l.alike(like) || l.alike(like) && l.score(tickets) >= like.score(tickets)-1 && !slices.Contains(out, l.file) {
			out = append(out, l.file)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// place is where the records stand, if it is the same in all of their files; else it is found file by file.
func (s *surveyor) place(like *listed) string {
	files := s.files(like)
	for _, l := range s.lists {
		if slices.Contains(files, l.file) && l.alike(like) && l.path.String() != like.path.String() {
			return ""
		}
	}
	return like.path.String()
}

// messages is the list within the records that holds messages of tickets, or nil.
func (c *candidate) messages() *shape {
	var best *shape
	score := 1 // a text alone may be anything
	var look func(s *shape)
	look = func(s *shape) {
		if s.seg == "[]" && len(s.kids) > 0 {
			if n := messageScore(s.relative()); n > score {
				best, score = s, n
			}
		}
		for _, k := range s.kids {
			look(k)
		}
	}
	look(c.shapes.root)
	return best
}

// guess ties our names to paths: by csvfile's knowledge of headers, and by how JSON writes names and files.
func guess(part csvfile.Part, header []string, rows [][]string, list string) map[string]string {
	names := slices.Clone(header)
	prefix := ""
	if list != "" {
		prefix = list + "."
		for i, h := range names {
			names[i] = strings.TrimPrefix(h, prefix)
		}
	}
	out := csvfile.Guess(part, names, rows)
	for _, who := range []string{"requester", "assignee", "message_author"} {
		email := out[who+"_email"]
		if i := strings.LastIndexByte(email, '.'); i > 0 && out[who+"_name"] == "" && !strings.ContainsAny(email, "|[") {
			if name := fullName(names, email[:i+1]); name != "" {
				out[who+"_name"] = name
			}
		}
	}
	role := "attachments"
	if part != csvfile.TicketPart {
		role = "message_attachments"
	}
	if url, name := filePaths(names); url != "" && part != csvfile.UserPart {
		out[role] = url
		if name != "" {
			out[strings.TrimSuffix(role, "s")+"_names"] = name
		}
	}
	for ours, spec := range out {
		parts := strings.Split(spec, " | ")
		for i, p := range parts {
			parts[i] = prefix + strings.ReplaceAll(p, " + ", " + "+prefix)
		}
		out[ours] = strings.Join(parts, " | ")
	}
	return out
}

// fullName is the path of the name of whom an address belongs to: one, or first and last.
func fullName(names []string, who string) string {
	for _, pair := range [][2]string{{"name", ""}, {"first", "last"}, {"firstName", "lastName"}, {"first_name", "last_name"}} {
		switch {
		case !slices.Contains(names, who+pair[0]):
		case pair[1] == "":
			return who + pair[0]
		case slices.Contains(names, who+pair[1]):
			return who + pair[0] + " + " + who + pair[1]
		}
	}
	return ""
}

// filePaths are the paths of the addresses and names of attached files.
func filePaths(names []string) (url, name string) {
	for _, h := range names {
		dir, last, ok := strings.Cut(h, "attachments[].")
		if !ok || strings.Contains(dir, "[]") || strings.Contains(last, "[]") {
			continue
		}
		switch last {
		case "content_url", "url", "attachment_url", "href", "data_url", "downloadUrl", "_links.data.href":
			if url == "" {
				url = h
			}
		case "file_name", "filename", "fileName", "name":
			if name == "" {
				name = h
			}
		}
	}
	return url, name
}
