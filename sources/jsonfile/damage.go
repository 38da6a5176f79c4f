package jsonfile

import (
	"slices"

	"hsimport/sources/csvfile"
)

// A framer finds the end of a value in bytes that come piece by piece.
type framer struct {
	from   int // where to go on
	depth  int
	inText bool
	escape bool
	scalar bool // the value is a number or a word
}

// frame returns the length of the value at the start of b, or 0 if b does not reach so far. A further call with more
// bytes goes on where the last one ended.
func (f *framer) frame(b []byte) int {
	for i := f.from; i < len(b); i++ {
		c := b[i]
		switch {
		case f.escape:
			f.escape = false
		case f.inText:
			switch c {
			case '\\':
				f.escape = true
			case '"':
				if f.inText = false; f.depth == 0 {
					return i + 1
				}
			}
		case f.scalar:
			if c == ',' || c == ']' || c == '}' || isBlank(c) {
				return i
			}
		case c == '"':
			f.inText = true
		case c == '{' || c == '[':
			f.depth++
		case c == '}' || c == ']':
			if f.depth--; f.depth <= 0 {
				return i + 1
			}
		case f.depth == 0:
			f.scalar = true
		}
	}
	f.from = len(b)
	return 0
}

// damaged gives up the place where structure is lost.
func (r *reader) damaged(reason string) { r.resync(reason, false) }

// resync passes what cannot be read, up to the next place where a record surely begins, and hands it out as one damaged
// stretch. atEnd says that the file ends within the record at the present place.
func (r *reader) resync(reason string, atEnd bool) {
	r.between()
	off, line := r.off, r.line
	prev := byte(0)
	for first := true; ; first = false {
		i := r.r
		if first && i < r.w {
			prev = r.buf[i]
			i++
		}
		for ; i < r.w; i++ {
			c := r.buf[i]
			if c == '{' && (prev == ',' || prev == '[' || prev == '\n' || prev == '}') {
				r.advance(i - r.r)
				if l := r.recordHere(prev == '\n'); l >= 0 {
					r.giveUp(csvfile.Damaged, off, line, reason)
					r.enter(l)
					return
				}
				i = r.r
			}
			if !isBlank(c) || c == '\n' && prev != ',' && prev != '[' && prev != '}' {
				prev = c
			}
		}
		r.advance(r.w - r.r)
		if r.eof || r.err != nil {
			break
		}
		r.fill()
	}
	kind := csvfile.Damaged
	if atEnd {
		kind = csvfile.Cut
	}
	r.giveUp(kind, off, line, reason)
	r.stack, r.done = nil, true
}

func (r *reader) giveUp(kind csvfile.StretchKind, off int64, line int, reason string) {
	r.queue = append(r.queue, csvfile.Stretch{Kind: kind, Off: off, Line: line, Size: r.off - off, Reason: reason})
	r.mark, r.markLn = r.off, r.line
}

// recordHere is the list whose record surely begins at the present place, or -1: a whole value is there, and it begins
// with the names that the first good record of the list began with. Where every value at the top is a record, one that
// begins a line is enough.
func (r *reader) recordHere(beginsLine bool) int {
	for r.w-r.r < lookahead && !r.eof && r.err == nil {
		r.fill()
	}
	if r.budget <= 0 {
		return -1
	}
	var f framer
	window := r.buf[r.r:min(r.w, r.r+lookahead)]
	n := f.frame(window)
	if n == 0 {
		r.budget -= int64(len(window))
		return -1
	}
	r.budget -= int64(n)
	t, err := parse(window[:n], nil)
	if err != nil {
		return -1
	}
	names := t.firstNames()
	if beginsLine {
		if l := slices.IndexFunc(r.lists, func(p listPath) bool { return len(p.segs) == 0 }); l >= 0 {
			return l
		}
	}
	for l, known := range r.known {
		if known != nil && slices.Equal(known, names) {
			return l
		}
	}
	if !slices.ContainsFunc(r.known, func(k []string) bool { return k != nil }) && len(names) > 1 && len(r.known) > 0 {
		return max(r.last, 0) // no record was good so far
	}
	return -1
}

// enter puts the reader into the container that records of list l stand in.
func (r *reader) enter(l int) {
	r.stack = r.stack[:0]
	path := ""
	segs := r.lists[l].segs
	for i, seg := range segs {
		var cands []int
		for k := range r.lists {
			if len(r.lists[k].segs) > i && slices.Equal(r.lists[k].segs[:i], segs[:i]) {
				cands = append(cands, k)
			}
		}
		r.stack = append(r.stack, frame{array: seg == "[]", cands: cands, path: path})
		if seg == "[]" {
			path += "[]"
		} else if path != "" {
			path += "." + seg
		} else {
			path = seg
		}
	}
}
