package csvfile

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"hsimport/sources"
)

// A Table is one file as its first rows show it.
type Table struct {
	Path   string // as Options.Paths would name it
	Header []string
}

// Choose decides how tables are read: the name of the preset that fits them and its options, with the tables sorted
// into Paths, Messages and Users. Without a name the columns are guessed.
type Choose func([]Table) (preset string, o Options, err error)

// Survey looks at tables before there is a configuration: what they are, what is in them, and which of our names each
// column most likely has. base is the folder that paths are shown relative to; choose, which may be nil, has a say in
// what the columns are. An error is an *sources.InputError about a file that cannot be read at all, or what choose
// refused; everything else is in the survey.
func Survey(ctx context.Context, paths []string, base string, choose Choose) (*sources.Survey, error) {
	tables, passed, err := lookAt(ctx, paths, base)
	if err != nil {
		return nil, err
	}
	preset, o, roles, err := chosen(tables, base, choose)
	if err != nil {
		return nil, err
	}
	s := &Source{opts: o, passed: passed}
	defer s.Close()
	stats := newStats()
	s.stats = stats
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	out := &sources.Survey{Format: "csv", Layout: s.layout, Preset: preset, Tables: tablesOf(&o), Ledger: &s.ledger}
	out.Records, out.Tickets = s.ledger.Records.Found, s.Len()
	out.Messages, out.Attachments = s.ledger.Records.Messages, s.ledger.Attachments.Found
	for _, t := range tables {
		t.file.Role = roles[t.path]
		out.Files = append(out.Files, t.file)
	}
	if len(o.Columns) == 0 {
		out.Layout = "" // rows of which no column is known
	}
	s.surveyColumns(out, stats)
	if err := s.surveyTickets(ctx, out); err != nil {
		return nil, err
	}
	s.surveyFindings(out)
	for _, t := range tables {
		if t.file.Role == "" {
			out.Oddities = append(out.Oddities, sources.Problem{
				Severity: sources.Warning, Code: "file-not-used", Position: sources.Position{File: t.file.Path, Offset: -1},
				Text: "the file is neither tickets nor messages nor users as far as its header says; it is left out",
			})
		}
	}
	out.Oddities = out.Oddities[:min(len(out.Oddities), 10)]
	return out, nil
}

// chosen are the options under which the survey opens the tables, the preset they come from, and the role of each table
// by its path.
func chosen(tables []*table, base string, choose Choose) (preset string, o Options, roles map[string]string, err error) {
	if choose != nil {
		var all []Table
		for _, t := range tables {
			all = append(all, Table{Path: t.path, Header: t.header})
		}
		if preset, o, err = choose(all); err != nil {
			return "", o, nil, &sources.InputError{Position: sources.Position{File: tables[0].file.Path, Offset: -1}, Err: err}
		}
	}
	if preset == "" {
		o, roles = draftOptions(tables, base)
		return "", o, roles, nil
	}
	if o.Base = base; o.TimeZone == "" {
		o.TimeZone = "?"
	}
	roles = map[string]string{}
	for _, group := range []struct {
		paths []string
		role  string
	}{{o.Paths, "tickets"}, {o.Messages, "messages"}, {o.Users, "users"}} {
		for _, p := range group.paths {
			roles[p] = group.role
		}
	}
	if o.Layout == MessagePerRow {
		for _, p := range o.Paths {
			roles[p] = "messages"
		}
	}
	return preset, o, roles, nil
}

// tablesOf are the tables of columns as a configuration would write them.
func tablesOf(o *Options) map[string]map[string]string {
	out := map[string]map[string]string{}
	for name, columns := range map[string]map[string]string{
		"columns": o.Columns, "message_columns": o.MessageColumns, "user_columns": o.UserColumns, "fields": o.Fields,
	} {
		if len(columns) > 0 {
			out[name] = columns
		}
	}
	return out
}

// A table is a file as Survey first sees it.
type table struct {
	path   string
	file   sources.SurveyFile
	header []string
	sample [][]string
	shape  shape
}

// sampleRows is how many rows the survey looks at to tell what a table is.
const sampleRows = 500

// lookAt reads the first rows of each file; passed is about what folders hold besides.
func lookAt(ctx context.Context, paths []string, base string) (out []*table, passed []sources.Problem, err error) {
	s := &Source{opts: Options{Paths: paths, Base: base}}
	defer s.Close()
	if err := s.checkOptions(); err != nil {
		return nil, nil, err
	}
	if err := s.openArchives(ctx); err != nil {
		return nil, nil, err
	}
	all, err := s.expand(s.opts.Paths)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range all {
		f, err := s.openFile(p)
		if err != nil {
			return nil, nil, err
		}
		rows, err := f.firstRows(s.opts.MaxRecord, sampleRows)
		if err == nil && len(rows) == 0 {
			err = errors.New("the file is empty: there is no header")
		}
		if err != nil {
			return nil, nil, s.inputError(f.in.name, err, "")
		}
		rows = rows[titleRows(rows[:min(len(rows), headerRows)]):]
		t := &table{path: s.archives.Original(p), header: rows[0].cells, file: sources.SurveyFile{
			Path: f.in.name, Size: f.size, Encoding: f.in.encoding, Confidence: f.in.confidence,
			Delimiter: delimiterName(f.d.delim), LineEnd: f.d.lineEnd,
		}}
		if f.d.escape != 0 {
			t.file.Escape = string(rune(f.d.escape))
		}
		for _, r := range rows[1:] {
			t.sample = append(t.sample, r.cells)
		}
		t.shape = guessShape(t.header, t.sample)
		out = append(out, t)
	}
	return out, s.passed, nil
}

// titleRows is the number of rows before the header: those narrower than half of the widest, as titles are.
func titleRows(rows []headRow) int {
	widest := 0
	for _, r := range rows {
		widest = max(widest, len(r.cells))
	}
	for i, r := range rows {
		if 2*len(r.cells) > widest {
			return i
		}
	}
	return 0
}

func delimiterName(d byte) string {
	if d == '\t' {
		return "tab"
	}
	return string(rune(d))
}

// draftOptions are the options under which the survey opens the tables, and the role of each by its path.
func draftOptions(tables []*table, base string) (Options, map[string]string) {
	o := Options{Base: base, TimeZone: "?"}
	roles := map[string]string{}
	byShape := map[shape][]*table{}
	for _, t := range tables {
		byShape[t.shape] = append(byShape[t.shape], t)
	}
	if len(byShape[joinedRows]) > 0 && len(byShape[ticketRows]) > 0 {
		o.Layout = Joined
		main := ticketTables(byShape[ticketRows])
		o.Columns = guessColumns(ticketRows, main[0].header, main[0].sample)
		joinColumn(o.Columns, main[0], byShape[joinedRows][0])
		for _, t := range main {
			o.Paths, roles[t.path] = append(o.Paths, t.path), "tickets"
		}
		for _, t := range sameHeader(byShape[joinedRows]) {
			o.Messages, roles[t.path] = append(o.Messages, t.path), "messages"
		}
		for _, t := range sameHeader(byShape[userRows]) {
			o.Users, roles[t.path] = append(o.Users, t.path), "users"
		}
		return o, roles
	}
	// One table, or several of one kind. Messages without a tickets file are tickets of which little is known.
	first := tables[0]
	for _, t := range tables {
		if t.shape == messageRows || t.shape == joinedRows {
			first = t
			break
		}
	}
	sh, role := ticketRows, "tickets"
	o.Layout = TicketPerRow
	if first.shape == messageRows || first.shape == joinedRows {
		sh, role, o.Layout = messageRows, "messages", MessagePerRow
	}
	o.Columns = guessColumns(sh, first.header, first.sample)
	for _, t := range tables {
		if slices.Equal(t.header, first.header) {
			o.Paths, roles[t.path] = append(o.Paths, t.path), role
		}
	}
	return o, roles
}

// joinColumn corrects which column of the tickets the messages point to: a desk may know a ticket by its number and join
// by another id.
func joinColumn(columns map[string]string, tickets, messages *table) {
	ids := messages.values(guessColumns(joinedRows, messages.header, messages.sample)["ticket_id"])
	named := columns["ticket_id"]
	best, most := named, ids.shared(tickets.values(named))
	for _, h := range tickets.header {
		if n := ids.shared(tickets.values(h)); n > most {
			best, most = h, n
		}
	}
	if best == named {
		return
	}
	columns["ticket_id"] = best
	for role, header := range columns {
		if header == best && role != "ticket_id" {
			delete(columns, role)
		}
	}
	if _, ok := columns["ticket_number"]; !ok && named != "" {
		columns["ticket_number"] = named
	}
}

// valueSet are the different cells of a column.
type valueSet map[string]bool

// values are those of the column with this header in the sample.
func (t *table) values(header string) valueSet {
	out := valueSet{}
	if col := slices.Index(t.header, header); col >= 0 {
		for _, row := range t.sample {
			if col < len(row) && row[col] != "" {
				out[row[col]] = true
			}
		}
	}
	return out
}

// shared is how many values both have.
func (v valueSet) shared(w valueSet) (n int) {
	for s := range w {
		if v[s] {
			n++
		}
	}
	return n
}

// ticketTables are the tables among several that hold tickets: those with the most roles of a ticket.
func ticketTables(tables []*table) []*table {
	best := slices.MaxFunc(tables, func(a, b *table) int { return cmp.Compare(a.ticketScore(), b.ticketScore()) })
	var out []*table
	for _, t := range tables {
		if slices.Equal(t.header, best.header) {
			out = append(out, t)
		}
	}
	return out
}

func (t *table) ticketScore() int {
	score := 0
	cols := guessColumns(ticketRows, t.header, t.sample)
	for _, name := range []string{"ticket_id", "subject", "status", "requester_id", "requester_email", "created_at", "description"} {
		if cols[name] != "" {
			score++
		}
	}
	return score
}

// sameHeader keeps the tables with the header of the first.
func sameHeader(tables []*table) []*table {
	var out []*table
	for _, t := range tables {
		if slices.Equal(t.header, tables[0].header) {
			out = append(out, t)
		}
	}
	return out
}

// surveyFindings gathers what is odd, one example of each kind, and counts it.
func (s *Source) surveyFindings(out *sources.Survey) {
	counts := map[string]int{}
	for _, c := range out.Findings {
		counts[c.Value] = c.N
	}
	note := func(p sources.Problem, n int) {
		if counts[p.Code] == 0 {
			out.Oddities = append(out.Oddities, p)
		}
		counts[p.Code] += n
	}
	for _, p := range s.ledger.Problems {
		note(p, 1)
		if p.Code == "no-texts" {
			out.Metrics = strings.TrimPrefix(p.Text, "the export holds no message texts: ")
		}
	}
	for _, r := range s.ledger.Refused {
		note(sources.Problem{
			Severity: sources.Warning, Code: "refused-row", Text: "the row cannot be read: " + r.Reason, Position: r.Position,
		}, 1)
	}
	slices.SortStableFunc(out.Oddities, func(a, b sources.Problem) int { return cmp.Compare(b.Severity, a.Severity) })
	out.Findings = ranked(counts, 0)
}

// ranked orders counts by number, then value; limit 0 keeps all.
func ranked(counts map[string]int, limit int) []sources.Count {
	out := make([]sources.Count, 0, len(counts))
	for v, n := range counts {
		out = append(out, sources.Count{Value: v, N: n})
	}
	slices.SortFunc(out, func(a, b sources.Count) int { return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Value, b.Value)) })
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out
}
