package jsonfile

import (
	"bytes"
	"strings"
)

// Bounds of what is learnt of the shape of records: a record whose names are data (ids, addresses) has no end of them.
const (
	maxMembers = 400  // names of one object, and labels of one list of labelled values
	maxPaths   = 4000 // of one kind of record; beyond, each keeps one for the elements of its list and one for the rest
	maxPath    = 1000 // bytes of one path
	other      = "*"  // the path of all further ones
)

// A shape is what is known of the values at one path of records, learnt from all of them. Each path is a column.
type shape struct {
	seg    string // name of a member, [] for the elements of an array, [id=7] for the one with that label
	path   string
	label  string   // of a labelled value: the member that its label is, which is no column of its own
	kids   []*shape // in the order in which they were first seen
	byName map[string]*shape
	seen   int // values
	filled int // of them, scalars that are not empty

	table int // of the rows that its elements make; 0: the record's own
	begin bool
	col   int // in its table; -1: none
	list  bool
	sum   *shapes
}

// shapes is the root of the shapes of one kind of record.
type shapes struct {
	root    *shape
	paths   int
	records int
}

func newShapes() *shapes {
	s := &shapes{}
	s.root = &shape{sum: s, col: -1}
	return s
}

// kid is the shape one step further; a new one if need be. Beyond the bounds it is that of the rest, which takes in
// whatever lies below it: no value is without a path.
func (s *shape) kid(seg string) *shape {
	if k, ok := s.byName[seg]; ok {
		return k
	}
	full := s.sum.paths >= maxPaths || len(s.path)+len(seg) > maxPath
	if full && s.seg == other {
		return s
	}
	ownList := seg == "[]" && s.seg != "[]" && s.seg != other
	if seg != other && (full && !ownList || len(s.kids) >= maxMembers && seg != "[]") {
		return s.kid(other)
	}
	path := s.path + seg
	if s.path != "" && seg[0] != '[' {
		path = s.path + "." + seg
	}
	k := &shape{seg: seg, path: path, col: -1, sum: s.sum}
	if seg[0] == '[' {
		k.label, _, _ = strings.Cut(seg[1:], "=")
	}
	if s.byName == nil {
		s.byName = map[string]*shape{}
	}
	s.byName[seg] = k
	s.kids = append(s.kids, k)
	s.sum.paths++
	return k
}

// known is the shape one step further that was learnt, or nil.
func (s *shape) known(seg string) *shape {
	if k, ok := s.byName[seg]; ok {
		return k
	}
	if k, ok := s.byName[other]; ok || s.seg != other {
		return k
	}
	return s
}

// member is the shape of a member: one that is known, else what make makes of its name. nil for a name that is no path.
func (s *shape) member(t *tree, n *node, make func(string) *shape) *shape {
	raw := t.raw[n.key:n.keyTo]
	if k, ok := s.byName[string(raw)]; ok && bytes.IndexByte(raw, '\\') < 0 {
		return k
	}
	name := t.name(n)
	if name == "" || name == s.label {
		return nil
	}
	return make(name)
}

// learn adds one record.
func (s *shapes) learn(t *tree) {
	s.records++
	s.root.learn(t, 0)
}

func (s *shape) learn(t *tree, at int32) {
	n := &t.nodes[at]
	s.seen++
	switch n.kind {
	case '{':
		for i := n.child; i >= 0; i = t.nodes[i].next {
			if k := s.member(t, &t.nodes[i], s.kid); k != nil {
				k.learn(t, i)
			}
		}
	case '[':
		if n.child < 0 {
			s.kid("[]")
		}
		for i := n.child; i >= 0; i = t.nodes[i].next {
			s.kid(t.element(i)).learn(t, i)
		}
	default:
		if !n.empty() {
			s.filled++
		}
	}
}

// element is the step to an element of an array: [], or its label where the array is one of labelled values, as lists of
// custom fields are: {"id": 7, "value": "x"}.
func (t *tree) element(at int32) string {
	if t.nodes[at].kind != '{' {
		return "[]"
	}
	label, value, members := "", false, 0
	for i := t.nodes[at].child; i >= 0; i = t.nodes[i].next {
		n := &t.nodes[i]
		members++
		name := string(t.raw[n.key:n.keyTo])
		switch {
		case !n.scalar() && name != "value":
			return "[]"
		case name == "value":
			value = true
		case name == "name" || (name == "id" || name == "key" || name == "field") && label == "":
			if !n.empty() {
				label = name + "=" + string(t.appendValue(nil, n))
			}
		}
	}
	if !value || label == "" || members > 6 || strings.ContainsAny(label, "[]|,\n") || len(label) > 100 {
		return "[]"
	}
	return "[" + label + "]"
}

// find is the shape at a path as it is written in shape.path.
func (s *shape) find(path string) *shape {
	if s.path == path {
		return s
	}
	for _, k := range s.kids {
		if strings.HasPrefix(path, k.path) {
			if found := k.find(path); found != nil {
				return found
			}
		}
	}
	return nil
}

// column reports whether the values at the path are a column of their own.
func (s *shape) column() bool { return s.filled > 0 || len(s.kids) == 0 && s.path != "" }

// layOut numbers the columns below s in table and returns their paths. Shapes that begin a table are left out.
func (s *shape) layOut(table int, list bool, header []string) []string {
	s.table, s.list = table, list || strings.HasSuffix(s.seg, other)
	s.col = -1
	if s.column() {
		s.col = len(header)
		header = append(header, s.path)
	}
	for _, k := range s.kids {
		if k.begin {
			continue
		}
		header = k.layOut(table, s.list || k.seg == "[]", header)
	}
	return header
}
