package jsonfile

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"hsimport/sources/csvfile"
)

const (
	readSize  = 1 << 18
	lookahead = 1 << 20 // how large a record may be that is recognised after damage
)

// A reader hands out a file in stretches: records of its lists, what stands between them, and what cannot be read. It
// holds one record at a time.
type reader struct {
	src   io.ReaderAt
	size  int64
	max   int64 // bytes of one record
	lists []listPath
	own   int // the list whose records are handed out as such; those of others are Foreign; -1: all are
	// explore is asked, of each array of objects that no list names, whether it is one; see surveys.
	explore func(path string) (listPath, bool)
	// last is the list of the record handed out last.
	last int

	buf    []byte
	r, w   int
	pos    int64 // of the next byte to be read into buf
	eof    bool
	err    error
	off    int64 // of buf[r]
	line   int
	mark   int64 // where what stands between records began
	markLn int
	stack  []frame
	queue  []csvfile.Stretch
	out    csvfile.Stretch
	done   bool
	tree   tree
	known  [][]string // of each list, the first names of its first good record
	budget int64      // bytes that may still be spent on looking for records after damage
}

// A frame is an array or object that has been entered on the way to records.
type frame struct {
	array bool
	cands []int // lists whose path leads through here
	path  string
}

func newReader(src io.ReaderAt, size, limit int64, lists []listPath, own int) *reader {
	return &reader{
		src: src, size: size, max: limit, lists: lists, own: own, line: 1, markLn: 1,
		buf: make([]byte, readSize), known: make([][]string, len(lists)), budget: 64 << 20,
	}
}

// Next returns the next stretch, or io.EOF.
func (r *reader) Next() (*csvfile.Stretch, error) {
	for {
		if len(r.queue) > 0 {
			r.out = r.queue[0]
			r.queue = r.queue[1:]
			return &r.out, nil
		}
		if r.done {
			return nil, io.EOF
		}
		r.queue = r.queue[:0]
		r.step()
		if r.err != nil {
			return nil, r.err
		}
	}
}

// fill makes more bytes available, or sets eof.
func (r *reader) fill() {
	if r.r > 0 {
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	}
	if r.w == len(r.buf) {
		r.buf = append(r.buf, make([]byte, len(r.buf))...)
	}
	n, err := r.src.ReadAt(r.buf[r.w:min(int64(len(r.buf)), int64(r.w)+max(r.size-r.pos, 0))], r.pos)
	r.w += n
	r.pos += int64(n)
	r.budget += 4 * int64(n)
	if err != nil || r.pos >= r.size {
		r.eof = true
		if err != nil && err != io.EOF {
			r.err = err
		}
	}
}

// advance passes n bytes.
func (r *reader) advance(n int) {
	r.line += bytes.Count(r.buf[r.r:r.r+n], []byte{'\n'})
	r.r += n
	r.off += int64(n)
}

// peek passes blanks and returns the next byte.
func (r *reader) peek() (byte, bool) {
	for {
		i := r.r
		for i < r.w && isBlank(r.buf[i]) {
			i++
		}
		r.advance(i - r.r)
		if r.r < r.w {
			return r.buf[r.r], true
		}
		if r.eof || r.err != nil {
			return 0, false
		}
		r.fill()
	}
}

// emit queues what stands before the present place and then a stretch of size bytes that begins here.
func (r *reader) emit(kind csvfile.StretchKind, size int, raw []byte, reason string) {
	r.between()
	r.queue = append(r.queue, csvfile.Stretch{Kind: kind, Off: r.off, Line: r.line, Size: int64(size), Raw: raw, Reason: reason})
	r.advance(size)
	r.mark, r.markLn = r.off, r.line
}

func (r *reader) between() {
	if r.off > r.mark {
		r.queue = append(r.queue, csvfile.Stretch{Kind: csvfile.Between, Off: r.mark, Line: r.markLn, Size: r.off - r.mark})
		r.mark, r.markLn = r.off, r.line
	}
}

// step moves on by one token or one record.
func (r *reader) step() {
	c, ok := r.peek()
	switch {
	case r.err != nil:
	case !ok:
		r.finish()
	case len(r.stack) == 0:
		if c != '{' && c != '[' {
			r.advance(1) // garbage before, between and after: a script's variable, a separator
			return
		}
		all := make([]int, len(r.lists))
		for i := range all {
			all[i] = i
		}
		r.value(c, all, "")
	case r.stack[len(r.stack)-1].array:
		r.inArray(c)
	default:
		r.inObject(c)
	}
}

// finish ends the file.
func (r *reader) finish() {
	r.between()
	if len(r.stack) > 0 {
		r.queue = append(r.queue, csvfile.Stretch{
			Kind: csvfile.Odd, Off: r.off, Line: r.line,
			Reason: "the file ends before its lists are closed: the download was probably cut off, and records may be missing",
		})
	}
	r.done = true
}

func (r *reader) inArray(c byte) {
	top := &r.stack[len(r.stack)-1]
	switch c {
	case ']':
		r.stack = r.stack[:len(r.stack)-1]
		r.advance(1)
	case ',':
		r.advance(1)
	case '}', ':':
		r.damaged("a value is expected")
	default:
		r.value(c, r.through(top, "[]"), top.path+"[]")
	}
}

func (r *reader) inObject(c byte) {
	top := &r.stack[len(r.stack)-1]
	switch c {
	case '}':
		r.stack = r.stack[:len(r.stack)-1]
		r.advance(1)
	case ',':
		r.advance(1)
	case '"':
		name, ok := r.name()
		if !ok {
			return
		}
		if c, ok = r.peek(); !ok || c != ':' {
			r.damaged("a colon is expected")
			return
		}
		r.advance(1)
		if c, ok = r.peek(); !ok {
			return
		}
		path := name
		if top.path != "" {
			path = top.path + "." + name
		}
		r.value(c, r.through(top, name), path)
	default:
		r.damaged("a name in quotes is expected")
	}
}

// through are the lists that lead on through a member or the elements of the container at the top.
func (r *reader) through(top *frame, seg string) []int {
	depth := len(r.stack)
	var cands []int
	for _, i := range top.cands {
		if segs := r.lists[i].segs; len(segs) >= depth && segs[depth-1] == seg {
			cands = append(cands, i)
		}
	}
	return cands
}

// maxName bounds the names of members on the way to records.
const maxName = 1 << 12

// name reads the name of a member.
func (r *reader) name() (string, bool) {
	for {
		if i := textEnd(r.buf[r.r:r.w]); i > 0 {
			name := string(appendText(nil, r.buf[r.r+1:r.r+i-1]))
			r.advance(i)
			return name, true
		}
		if r.w-r.r > maxName || r.eof {
			r.damaged("a name is not closed")
			return "", false
		}
		r.fill()
		if r.err != nil {
			return "", false
		}
	}
}

// textEnd is the length of the string at the start of b, or 0 when it is not closed there.
func textEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return 0
}

// value takes the value at the present place: a record, something on the way to one, or something to pass.
func (r *reader) value(c byte, cands []int, path string) {
	for _, i := range cands {
		if len(r.lists[i].segs) == len(r.stack) {
			r.record(c, i)
			return
		}
	}
	deeper := len(cands) > 0
	if r.explore != nil && !deeper && len(r.stack) <= 4 {
		switch c {
		case '{':
			deeper = true
		case '[':
			if l, ok := r.ofObjects(path); ok {
				r.lists = append(r.lists, l)
				r.known = append(r.known, nil)
				cands, deeper = []int{len(r.lists) - 1}, true
			}
		}
	}
	if deeper && (c == '{' || c == '[') {
		r.stack = append(r.stack, frame{array: c == '[', cands: cands, path: path})
		r.advance(1)
		return
	}
	r.pass()
}

// ofObjects asks whether the array at the present place is a list of records.
func (r *reader) ofObjects(path string) (listPath, bool) {
	if slices.ContainsFunc(r.stack, func(f frame) bool { return f.array }) {
		return listPath{}, false
	}
	for {
		for i := r.r + 1; i < r.w; i++ {
			if c := r.buf[i]; c == '{' {
				return r.explore(path + "[]")
			} else if !isBlank(c) {
				return listPath{}, false
			}
		}
		if r.eof || r.err != nil || r.w-r.r > maxName {
			return listPath{}, false
		}
		r.fill()
	}
}

// pass skips a value of any size.
func (r *reader) pass() {
	var f framer
	for {
		n := f.frame(r.buf[r.r:r.w])
		if n > 0 {
			r.advance(n)
			return
		}
		r.advance(r.w - r.r)
		if r.eof || r.err != nil {
			return
		}
		f.from = 0
		r.fill()
	}
}

// record takes the record of list l at the present place.
func (r *reader) record(c byte, l int) {
	r.last = l
	var f framer
	for {
		if n := f.frame(r.buf[r.r:r.w]); n > 0 {
			r.take(c, l, n)
			return
		}
		f.from = r.w - r.r
		switch {
		case int64(r.w-r.r) > r.max:
			r.resync(fmt.Sprintf("the record is longer than %d bytes; a quote that is never closed?", r.max), false)
			return
		case r.eof:
			if c != '{' && c != '[' && c != '"' {
				r.take(c, l, r.w-r.r)
				return
			}
			r.resync("the file ends within this record", true)
			return
		}
		r.fill()
		if r.err != nil {
			return
		}
	}
}

// take hands out n bytes as a record of list l, if they are one.
func (r *reader) take(c byte, l, n int) {
	raw := r.buf[r.r : r.r+n]
	var err error
	if r.tree, err = parse(raw, r.tree.nodes); err != nil {
		r.resync(err.Error(), false)
		return
	}
	if c != '{' {
		r.emit(csvfile.Damaged, n, nil, "a record is an object in braces, and this is "+kindWord(c))
		return
	}
	if r.known[l] == nil {
		r.known[l] = r.tree.firstNames()
	}
	kind := csvfile.Record
	if r.own >= 0 && l != r.own {
		kind = csvfile.Foreign
	}
	r.emit(kind, n, raw, "")
}

func kindWord(c byte) string {
	switch c {
	case '[':
		return "a list"
	case '"':
		return "a text"
	case 'n':
		return "null"
	case 't', 'f':
		return "true or false"
	}
	return "a number"
}

// firstNames are the first names of a record: what another of its kind begins with too.
func (t *tree) firstNames() []string {
	names := []string{}
	for i := t.nodes[0].child; i >= 0 && len(names) < 3; i = t.nodes[i].next {
		names = append(names, t.name(&t.nodes[i]))
	}
	return names
}
