package csvfile

import (
	"bytes"
	"fmt"
	"io"
)

// recordKind is what a stretch of the file turned out to be.
type recordKind uint8

const (
	rowRecord     recordKind = iota
	blankRecord              // no field holds anything
	refusedRecord            // damaged beyond reading; reason says how
	cutRecord                // the file ends within it
)

// A record is a stretch of the file: one row, or a stretch that could not be read as rows. Its slices are valid until
// the next call of next.
type record struct {
	kind   recordKind
	off    int64
	line   int
	size   int64  // bytes in the file
	raw    []byte // those bytes; nil for a refused stretch
	data   []byte // what spans index: raw, or the content of a row that was quoted as a whole
	spans  []span
	stray  bool // read in spite of stray quotes
	reason string
}

// A reader frames a file into records; the sum of their sizes is the size of the file. It holds at most one row, which
// is at most max bytes long.
type reader struct {
	src   io.Reader
	d     dialect
	width int   // columns of the header; 0 until it is known
	max   int64 // bytes of one row

	buf    []byte
	r, w   int
	eof    bool
	err    error // of src, other than io.EOF
	off    int64
	line   int
	budget int64 // bytes that may still be spent on looking ahead in damaged places

	rec    record
	damage *damage
}

// damage is a stretch under way whose rows cannot be told apart.
type damage struct {
	off    int64
	line   int
	reason string
	open   bool // by a quote that nothing closes
}

const (
	readSize   = 1 << 18
	lookahead  = 1 << 16 // how far a damaged place is searched for its end
	maxColumns = 1 << 14 // spreadsheets end there too
	minResync  = 4       // columns a table must have for a row to be recognised after damage
)

func newReader(src io.Reader, d dialect, off int64, line int, limit int64) *reader {
	return &reader{src: src, d: d, max: limit, off: off, line: line, buf: make([]byte, readSize), budget: 1 << 24}
}

// fill makes more bytes available, or sets eof.
func (r *reader) fill() {
	if r.r > 0 {
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	}
	if r.w == len(r.buf) {
		grown := make([]byte, 2*len(r.buf))
		copy(grown, r.buf[:r.w])
		r.buf = grown
	}
	// Whole buffers, however little a call of Read returns: a row is framed again after each fill.
	n, err := io.ReadFull(r.src, r.buf[r.w:])
	r.w += n
	r.budget += 4 * int64(n)
	if err != nil {
		r.eof = true
		if err != io.EOF && err != io.ErrUnexpectedEOF {
			r.err = err
		}
	}
}

// next returns the next record, or io.EOF.
func (r *reader) next() (*record, error) {
	for {
		if r.r == r.w && !r.eof {
			r.fill()
		}
		if r.err != nil {
			return nil, r.err
		}
		if r.r == r.w && r.eof {
			if r.damage != nil {
				return r.endDamage(), nil
			}
			return nil, io.EOF
		}
		if r.damage == nil {
			if rec := r.row(); rec != nil {
				return rec, nil
			}
			continue
		}
		if r.resync() {
			return r.endDamage(), nil
		}
		r.skipLine()
	}
}

// row frames the row at the reader's place. It returns nil after it has noted damage there.
func (r *reader) row() *record {
	for {
		n, spans, st := r.d.frame(r.buf[r.r:r.w], r.eof, frameStrict, r.rec.spans[:0])
		r.rec.spans = spans
		switch st {
		case frameOK:
			return r.take(n, false)
		case frameMore:
			if int64(r.w-r.r) > r.max {
				return r.begin(fmt.Sprintf("the row is longer than %d bytes; a quote that is never closed?", r.max), true)
			}
			r.fill()
			if r.err != nil {
				return nil
			}
		case frameStray:
			if n := r.stray(); n > 0 {
				return r.take(n, true)
			}
			return r.begin("a quote stands where neither a delimiter nor a line end follows it, and no reading gives "+
				"the header's number of columns", false)
		case frameOpen:
			return r.begin("a quote is opened and never closed", true)
		case frameWide:
			return r.begin(fmt.Sprintf("the row has more than %d columns", maxColumns), false)
		}
	}
}

// begin notes damage at the reader's place, whose first line cannot be the start of a good row.
func (r *reader) begin(reason string, open bool) *record {
	r.damage = &damage{off: r.off, line: r.line, reason: reason, open: open}
	r.skipLine()
	return nil
}

// stray finds the length of a row with stray quotes: of the readings that give the header's number of columns the
// shorter one, with the quotes as text, or with the field ending at the first of them. 0 if there is none.
func (r *reader) stray() int {
	window, whole := r.window()
	best, mode := 0, frameStrict
	for _, m := range [...]frameMode{frameLiteral, frameLeave} {
		if r.budget <= 0 {
			return 0
		}
		n, spans, st := r.d.frame(window, whole, m, r.rec.spans[:0])
		r.rec.spans = spans
		if st != frameOK {
			n = len(window)
		}
		r.budget -= int64(n)
		if st == frameOK && (r.width == 0 || len(spans) == r.width) && (best == 0 || n < best) {
			best, mode = n, m
		}
	}
	if best > 0 {
		_, r.rec.spans, _ = r.d.frame(window, whole, mode, r.rec.spans[:0])
	}
	return best
}

// window returns the next bytes, as many as a damaged place is searched, and whether they are all that is left.
func (r *reader) window() ([]byte, bool) {
	for r.w-r.r < lookahead && !r.eof && r.err == nil {
		r.fill()
	}
	if window := r.buf[r.r:r.w]; len(window) <= lookahead {
		return window, r.eof
	}
	return r.buf[r.r : r.r+lookahead], false
}

// resync reports whether a row that can be trusted begins at the reader's place: undamaged, with exactly the header's
// number of columns, in a table wide enough that prose does not look like one.
func (r *reader) resync() bool {
	if r.width < minResync || r.budget <= 0 {
		return false
	}
	window, whole := r.window()
	n, spans, st := r.d.frame(window, whole, frameStrict, r.rec.spans[:0])
	r.rec.spans = spans
	if st != frameOK {
		r.budget -= int64(len(window))
		return false
	}
	r.budget -= int64(n)
	return len(spans) == r.width && !allBlank(window, spans)
}

// skipLine passes one physical line, of any length.
func (r *reader) skipLine() {
	for {
		window := r.buf[r.r:r.w]
		i := bytes.IndexByte(window, '\n')
		if r.d.cr {
			i = bytes.IndexByte(window, '\r')
		}
		if i >= 0 {
			r.advance(i + 1)
			r.line++
			return
		}
		r.advance(len(window))
		if r.eof {
			return
		}
		r.fill()
	}
}

func (r *reader) advance(n int) {
	r.r += n
	r.off += int64(n)
}

// endDamage returns the damaged stretch up to the reader's place as one record.
func (r *reader) endDamage() *record {
	d := r.damage
	r.damage = nil
	kind := refusedRecord
	if d.open && r.eof && r.r == r.w {
		kind = cutRecord
	}
	r.rec = record{kind: kind, off: d.off, line: d.line, size: r.off - d.off, reason: d.reason, spans: r.rec.spans[:0]}
	return &r.rec
}

// take makes a record of the next n bytes.
func (r *reader) take(n int, stray bool) *record {
	raw := r.buf[r.r : r.r+n]
	rec := &r.rec
	rec.kind, rec.off, rec.line, rec.size, rec.raw, rec.data = rowRecord, r.off, r.line, int64(n), raw, raw
	rec.stray, rec.reason = stray, ""
	r.line += r.d.lines(raw)
	r.advance(n)
	if r.width > 1 && len(rec.spans) == 1 {
		r.unwrap(rec)
	}
	if allBlank(rec.data, rec.spans) {
		rec.kind = blankRecord
	}
	return rec
}

// lines counts the line ends of a row.
func (d *dialect) lines(raw []byte) int {
	if d.cr {
		return bytes.Count(raw, []byte{'\r'})
	}
	return bytes.Count(raw, []byte{'\n'})
}

// unwrap mends a row that a second pass through a CSV writer has quoted as a whole: one field whose content is the row.
func (r *reader) unwrap(rec *record) {
	s := rec.spans[0]
	if !s.doubled && bytes.IndexByte(rec.data[s.start:s.end], r.d.delim) < 0 {
		return
	}
	if !s.quoted {
		return
	}
	inner := append([]byte(nil), rec.cell(0, &r.d, new([]byte))...)
	for _, mode := range [...]frameMode{frameStrict, frameLiteral, frameLeave} {
		n, spans, st := r.d.frame(inner, true, mode, nil)
		if st == frameOK && n == len(inner) && len(spans) == r.width {
			rec.data, rec.spans, rec.stray = inner, spans, true
			return
		}
	}
}

// unescape appends field to dst with doubled quotes made single.
func unescape(dst, field []byte, quote byte) []byte {
	for {
		i := bytes.IndexByte(field, quote)
		if i < 0 {
			return append(dst, field...)
		}
		dst = append(dst, field[:i+1]...)
		field = field[i+1:]
		if len(field) > 0 && field[0] == quote {
			field = field[1:]
		}
	}
}

// allBlank reports whether no field holds anything but blanks.
func allBlank(data []byte, spans []span) bool {
	for _, s := range spans {
		for _, c := range data[s.start:s.end] {
			if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
				return false
			}
		}
	}
	return true
}

// cell returns field i without quotes; scratch is used when it holds doubled ones or escapes. Fields that a short row lacks are
// empty.
func (rec *record) cell(i int, d *dialect, scratch *[]byte) []byte {
	if i >= len(rec.spans) {
		return nil
	}
	s := rec.spans[i]
	field := rec.data[s.start:s.end]
	if !s.doubled {
		return field
	}
	if d.escape != 0 {
		if bytes.IndexByte(field, d.escape) < 0 && (!s.quoted || bytes.IndexByte(field, d.quote) < 0) {
			return field
		}
		*scratch = d.unescapeCell((*scratch)[:0], field, s.quoted)
		return *scratch
	}
	*scratch = unescape((*scratch)[:0], field, d.quote)
	return *scratch
}

// rawCell returns field i as it stands in the row, doubled quotes and all.
func (rec *record) rawCell(i int) []byte {
	if i >= len(rec.spans) {
		return nil
	}
	return rec.data[rec.spans[i].start:rec.spans[i].end]
}

// parseRow splits raw, one whole row as the reader took it, again into the same fields.
func (d *dialect) parseRow(raw []byte, width int) (*record, error) {
	r := &reader{d: *d, width: width, max: int64(len(raw)) + 1, buf: raw, w: len(raw), eof: true, budget: 1 << 40, line: 1}
	rec, err := r.next()
	if err != nil {
		return nil, err
	}
	if rec.kind != rowRecord || rec.size != int64(len(raw)) {
		return nil, fmt.Errorf("the row reads differently the second time")
	}
	return rec, nil
}
