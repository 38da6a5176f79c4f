package csvfile

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"hsimport/sources"
)

// stats collects what a survey says of columns while the index is made.
type stats struct {
	files [][]columnStats
}

// columnStats counts the kinds of cells of one column.
type columnStats struct {
	filled, null, date, email, html, number, list, flag, long int
	examples                                                  []string
	values                                                    map[string]int // until there are too many
	many                                                      bool
	facts                                                     dateFacts
	hours                                                     [24]int
	first, last                                               time.Time
}

const manyValues = 200

func newStats() *stats { return &stats{} }

// reset forgets what an earlier pass has seen.
func (st *stats) reset(files []*file) {
	st.files = make([][]columnStats, len(files))
	for i, f := range files {
		st.files[i] = make([]columnStats, len(f.b.header))
	}
}

func (st *stats) add(f *file, col int, cell string) {
	c := &st.files[f.no][col]
	cell = strings.TrimSpace(cell)
	if cell == "" {
		return
	}
	c.filled++
	if len(c.examples) < 3 {
		if e := shorten(cell, 60); !slices.Contains(c.examples, e) {
			c.examples = append(c.examples, e)
		}
	}
	c.value(cell)
	if nullWord(cell) {
		c.null++
		return
	}
	if s, ok := readStamp(cell); ok {
		c.date++
		c.facts.count(&s)
		c.when(&s)
		return
	}
	_, flag := yes(cell)
	switch {
	case flag:
		c.flag++
	case isNumber(cell):
		c.number++
	case strings.Contains(cell, "@") && len(cell) < 255 && !strings.ContainsAny(cell, " \n") || strings.HasSuffix(cell, ">") &&
		strings.Contains(cell, "@") && len(cell) < 255:
		c.email++
	case len(cell) > 1 && cell[0] == '[' && cell[len(cell)-1] == ']':
		c.list++
	case markup.MatchString(cell[:min(len(cell), 4096)]):
		c.html++
	case len(cell) > 60 || strings.Contains(cell, "\n"):
		c.long++
	}
}

// columns counts the filled cells.
func (x *indexer) columns(f *file, rec *record) {
	for i := range min(len(rec.spans), len(f.b.use)) {
		sp := rec.spans[i]
		if sp.start == sp.end {
			continue
		}
		cell := rec.data[sp.start:sp.end]
		if !filledCell(cell) || f.d.escape != 0 && !sp.quoted && string(cell) == `\N` {
			continue
		}
		u := &f.b.use[i]
		if u.filled == 0 {
			u.example = shorten(string(rec.cell(i, &f.d.dialect, &x.v.scratch)), 60)
		}
		u.filled++
		if x.s.stats != nil {
			x.s.stats.add(f, i, string(rec.cell(i, &f.d.dialect, &x.v.scratch)))
		}
	}
}

func filledCell(cell []byte) bool {
	for _, c := range cell {
		if c > ' ' {
			return true
		}
	}
	return false
}

// isNumber reports whether a cell is a number as people write it.
func isNumber(cell string) bool {
	digits := 0
	for i := range len(cell) {
		switch c := cell[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '-' && i == 0, c == '.', c == ',':
		default:
			return false
		}
	}
	return digits > 0
}

func (c *columnStats) value(cell string) {
	if c.many || len(cell) > 80 {
		c.many = true
		return
	}
	if c.values == nil {
		c.values = map[string]int{}
	}
	c.values[cell]++
	if len(c.values) > manyValues {
		c.many, c.values = true, nil
	}
}

// when counts the hour as written, and the month.
func (c *columnStats) when(s *stamp) {
	if s.form&withTime != 0 || s.counted() {
		c.hours[s.hour]++
	}
	if t, ok := s.time(dayFirst, time.UTC); ok {
		if c.first.IsZero() || t.Before(c.first) {
			c.first = t
		}
		if t.After(c.last) {
			c.last = t
		}
	}
}

// kind names what most cells of the column are.
func (c *columnStats) kind(r string) string {
	said := c.filled - c.null
	most := func(n int) bool { return 10*n >= 9*said }
	switch {
	case said == 0:
		return "empty"
	case strings.HasSuffix(r, "_id") && r != "":
		return "id"
	case most(c.date):
		return "date"
	case most(c.email):
		return "email"
	case r == "status":
		return "status"
	case strings.HasSuffix(r, "_name"):
		return "name"
	case most(c.flag):
		return "flag"
	case most(c.number):
		return "number"
	case most(c.list) || r == "tags" || strings.HasSuffix(r, "attachments"):
		return "list"
	case 10*c.html > said:
		return "html"
	case proseRole(r):
	case !c.many && len(c.values) <= 20 && c.filled >= 4*len(c.values):
		return "status"
	}
	return "text"
}

// proseRole reports whether a role holds texts, however few different ones.
func proseRole(name string) bool {
	r, ok := roleOf(name)
	return ok && (r == subject || r == description || r == messageBody || r == comments || r == answer)
}

// surveyColumns describes the columns and, from those of dates, when the messages were written.
func (s *Source) surveyColumns(out *sources.Survey, st *stats) {
	out.ZoneKnown = true
	for _, f := range s.files {
		for i, name := range f.b.header[:len(f.b.use)] {
			c := &st.files[f.no][i]
			role := ""
			for r := range roleCount {
				if slices.Contains(f.b.cols[r], i) {
					role = r.String()
					break
				}
			}
			col := sources.SurveyColumn{
				Name: name, Kind: c.kind(role), Role: role, Filled: c.filled, Of: f.rowCount, Examples: c.examples,
			}
			if len(s.files) > 1 {
				col.File = f.label
			}
			if col.Kind == "date" {
				col.Layout = c.facts.layout(cmp.Or(f.order(), c.facts.order()))
			}
			out.Columns = append(out.Columns, col)
			if r, ok := roleOf(role); ok && role != "" && r.date() {
				out.ZoneKnown = out.ZoneKnown && c.facts.unzoned == 0
				if r == messageCreatedAt || r == commentDates || r == createdAt && s.layout == TicketPerRow {
					for h, n := range c.hours {
						out.Hours[h] += n
					}
				}
			}
		}
	}
}
