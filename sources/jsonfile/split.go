package jsonfile

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"hsimport/sources"
	"hsimport/sources/csvfile"
)

// A cutter makes rows of records of one kind: the record's own, and one for each message that stands within it.
type cutter struct {
	shapes *shapes
	tables []*table // 0: the record's own
	pool   sync.Pool
}

// A table is the columns of one kind of row.
type table struct {
	header   []string
	lists    []bool // columns that hold several values
	uses     []csvfile.CellUse
	hidden   []hidden
	problems []sources.Problem
}

// A hidden column is made of others, with a blank between them; or it says whether one has a value.
type hidden struct {
	name  string
	parts []place
	test  bool
	value string
}

// A place is a column of a table.
type place struct{ table, col int }

// newCutter lays out the columns of shapes. inner is the path whose elements are rows of their own; nil: none.
func newCutter(s *shapes, inner *shape) *cutter {
	c := &cutter{shapes: s}
	if inner != nil {
		inner.begin = true
	}
	c.tables = append(c.tables, newTable(s.root.layOut(0, false, nil)))
	if inner != nil {
		c.tables = append(c.tables, newTable(inner.layOut(1, false, nil)))
	}
	s.root.mark(c.tables)
	return c
}

func newTable(header []string) *table {
	t := &table{header: header, lists: make([]bool, len(header)), uses: make([]csvfile.CellUse, len(header))}
	for i := range t.uses {
		t.uses[i] = csvfile.ListValue
	}
	return t
}

// mark notes which columns hold several values.
func (s *shape) mark(tables []*table) {
	if s.col >= 0 {
		tables[s.table].lists[s.col] = s.list
	}
	for _, k := range s.kids {
		k.mark(tables)
	}
}

// find is the place of a path, in the table asked for first.
func (c *cutter) find(path string, first int) (place, bool) {
	for _, t := range []int{first, 0} {
		if i := slices.Index(c.tables[t].header, path); i >= 0 {
			return place{t, i}, true
		}
	}
	return place{}, false
}

// A cell is one value on its way into a row.
type cell struct {
	row, col int32
	node     int32
}

// A cut is the work on one record.
type cut struct {
	c      *cutter
	t      tree
	cells  []cell
	rows   []csvfile.Row
	tables []int // of each row
	arena  []byte
	starts []int // of each row in arena
	twice  string
}

// split makes the rows of a record.
func (c *cutter) split(raw []byte) ([]csvfile.Row, error) {
	w, ok := c.pool.Get().(*cut)
	if !ok {
		w = &cut{c: c}
	}
	defer c.pool.Put(w)
	t, err := parse(raw, w.t.nodes)
	if err != nil {
		return nil, err
	}
	w.t, w.cells, w.rows, w.tables, w.starts = t, w.cells[:0], nil, w.tables[:0], w.starts[:0]
	w.arena, w.twice = make([]byte, 0, len(raw)+len(raw)/4), ""
	w.begin(0, 0)
	w.walk(0, c.shapes.root, 0)
	if err := w.bounded(); err != nil {
		return nil, err
	}
	w.assemble()
	w.lines(raw)
	if w.twice != "" {
		w.rows[0].Notes = append(w.rows[0].Notes, sources.Problem{
			Severity: sources.Info, Code: "duplicate-name", Text: "a record says " + w.twice + " twice; the last value counts",
		})
	}
	w.t.raw = nil
	return w.rows, nil
}

// begin begins a row of a table at a node.
func (w *cut) begin(table int, at int32) int32 {
	w.rows = append(w.rows, csvfile.Row{Sheet: table, Off: w.textStart(at)})
	w.tables = append(w.tables, table)
	return int32(len(w.rows) - 1)
}

// textStart is where a value begins, quotes and all.
func (w *cut) textStart(at int32) int {
	n := &w.t.nodes[at]
	if n.kind == '"' {
		return int(n.start) - 1
	}
	return int(n.start)
}

// walk takes the values at and below a node into the row.
func (w *cut) walk(at int32, s *shape, row int32) {
	n := &w.t.nodes[at]
	switch n.kind {
	case '{':
		for i := n.child; i >= 0; i = w.t.nodes[i].next {
			if k := s.member(&w.t, &w.t.nodes[i], s.known); k != nil {
				w.walk(i, k, row)
			}
		}
	case '[':
		for i := n.child; i >= 0; i = w.t.nodes[i].next {
			k := s.known(w.t.element(i))
			switch {
			case k == nil:
			case k.begin:
				w.walk(i, k, w.begin(1, i))
			default:
				w.walk(i, k, row)
			}
		}
	default:
		if s.col >= 0 && !n.empty() {
			w.cells = append(w.cells, cell{row, int32(s.col), at})
		}
	}
}

// maxCells bounds the cells of one record's rows, most of which may be empty.
const maxCells = 1 << 24

// bounded refuses a record of very many rows for which others have made very many columns.
func (w *cut) bounded() error {
	cells := 0
	for _, t := range w.tables {
		cells += len(w.c.tables[t].header) + len(w.c.tables[t].hidden)
	}
	if cells > maxCells {
		t := w.c.tables[w.tables[len(w.tables)-1]]
		return fmt.Errorf("the record has %d messages with %d columns, more than one ticket can be read with", len(w.rows)-1, len(t.header))
	}
	return nil
}

// assemble writes the cells of all rows, one after the other.
func (w *cut) assemble() {
	slices.SortStableFunc(w.cells, func(a, b cell) int {
		if a.row != b.row {
			return int(a.row - b.row)
		}
		return int(a.col - b.col)
	})
	next := 0
	for i := range w.rows {
		t := w.c.tables[w.tables[i]]
		w.starts = append(w.starts, len(w.arena))
		ends := make([]uint32, 0, len(t.header)+len(t.hidden))
		for col := range t.header {
			from := next
			for next < len(w.cells) && w.cells[next].row == int32(i) && w.cells[next].col == int32(col) {
				next++
			}
			w.cell(t, col, w.cells[from:next])
			ends = append(ends, uint32(len(w.arena)-w.starts[i]))
		}
		w.rows[i].Ends = ends
		for _, h := range t.hidden {
			w.made(i, h)
			w.rows[i].Ends = append(w.rows[i].Ends, uint32(len(w.arena)-w.starts[i]))
		}
	}
	for i := range w.rows {
		end := len(w.arena)
		if i+1 < len(w.rows) {
			end = w.starts[i+1]
		}
		w.rows[i].Data = w.arena[w.starts[i]:end:end]
	}
}

// cell writes the values of one column.
func (w *cut) cell(t *table, col int, values []cell) {
	if len(values) == 0 {
		return
	}
	value := func(c cell) *node { return &w.t.nodes[c.node] }
	if !t.lists[col] {
		if len(values) > 1 && w.twice == "" {
			w.twice = t.header[col]
		}
		w.arena = w.t.appendValue(w.arena, value(values[len(values)-1]))
		return
	}
	switch t.uses[col] {
	case csvfile.FirstValue:
		w.arena = w.t.appendValue(w.arena, value(values[0]))
	case csvfile.TextValue:
		for i, v := range values {
			if i > 0 {
				w.arena = append(w.arena, ", "...)
			}
			w.arena = w.t.appendValue(w.arena, value(v))
		}
	default:
		w.arena = append(w.arena, '[')
		for i, v := range values {
			if i > 0 {
				w.arena = append(w.arena, ", "...)
			}
			w.arena = append(w.arena, '"')
			from := len(w.arena)
			w.arena = w.t.appendValue(w.arena, value(v))
			w.escape(from)
			w.arena = append(w.arena, '"')
		}
		w.arena = append(w.arena, ']')
	}
}

// escape puts a backslash before the quotes and backslashes from a place on.
func (w *cut) escape(from int) {
	if !bytes.ContainsAny(w.arena[from:], `"\`) {
		return
	}
	text := slices.Clone(w.arena[from:])
	w.arena = w.arena[:from]
	for _, c := range text {
		if c == '"' || c == '\\' {
			w.arena = append(w.arena, '\\')
		}
		w.arena = append(w.arena, c)
	}
}

// made writes a hidden column of row i.
func (w *cut) made(i int, h hidden) {
	begin := len(w.arena)
	for _, p := range h.parts {
		row := i
		if p.table != w.tables[i] {
			row = 0
		}
		start, ends := w.starts[row], w.rows[row].Ends
		from := 0
		if p.col > 0 {
			from = int(ends[p.col-1])
		}
		part := bytes.TrimSpace(w.arena[start+from : start+int(ends[p.col])])
		if h.test {
			w.arena = strconv.AppendBool(w.arena, strings.EqualFold(string(part), h.value))
			return
		}
		if len(part) == 0 {
			continue
		}
		if len(w.arena) > begin {
			w.arena = append(w.arena, ' ')
		}
		w.arena = append(w.arena, part...)
	}
}

// lines counts the line that each row begins in.
func (w *cut) lines(raw []byte) {
	line, at := 0, 0
	for i := range w.rows {
		if off := w.rows[i].Off; off > at {
			line += bytes.Count(raw[at:off], []byte{'\n'})
			at = off
		}
		w.rows[i].Line = line
	}
}
