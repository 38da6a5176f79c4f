package csvfile

import "bytes"

// A dialect is how one file writes its rows.
type dialect struct {
	delim byte
	quote byte // 0: the file quotes nothing
	// escape takes what follows it as text, in quotes and outside; 0: quotes are doubled instead.
	escape byte
	cr     bool // a lone CR ends a row (old Mac files); otherwise only LF and CRLF do
	space  bool // blanks between a delimiter and an opening quote mean nothing
}

// A span is one field of a row: bytes [start,end) of the row's data, without the quotes around it.
type span struct {
	start, end uint32
	doubled    bool // holds doubled quotes, or escapes
	quoted     bool // stood in quotes
}

// frameMode says what a quote inside a quoted field means when neither a delimiter nor a line end follows it.
type frameMode uint8

const (
	frameStrict  frameMode = iota // it is damage
	frameLiteral                  // it is text and the field goes on
	frameLeave                    // the field ends and what follows is text of the same field, unquoted
)

// frameStatus is how framing a row ended.
type frameStatus uint8

const (
	frameOK    frameStatus = iota
	frameMore              // the window ends within the row
	frameOpen              // the input ends within a quoted field
	frameStray             // strict mode met a stray quote
	frameWide              // more fields than any table has
)

// frame splits the row that begins at data[0] into fields. It returns the row's length with its line end, and the
// fields appended to spans. eof says that nothing follows data.
func (d *dialect) frame(data []byte, eof bool, mode frameMode, spans []span) (int, []span, frameStatus) {
	pos, line := 0, -1
	for {
		start := pos
		if d.space {
			if p := skipBlanks(data, pos); p < len(data) && data[p] == d.quote {
				start = p
			}
		}
		if d.quote != 0 && start < len(data) && data[start] == d.quote {
			s, end, st := d.quoted(data, start, eof, mode)
			if st != frameOK {
				return 0, spans, st
			}
			spans = append(spans, s)
			pos = end
		} else {
			var end int
			end, line = d.bare(data, pos, line)
			if end == len(data) && !eof {
				return 0, spans, frameMore
			}
			spans = append(spans, span{start: uint32(pos), end: uint32(end), doubled: d.escape != 0})
			pos = end
		}
		if len(spans) > maxColumns {
			return 0, spans, frameWide
		}
		if pos < len(data) && data[pos] == d.delim {
			pos++
			if pos == len(data) && !eof {
				return 0, spans, frameMore
			}
			continue
		}
		n, st := d.lineEnd(data, pos, eof)
		return n, spans, st
	}
}

// bare returns the end of the unquoted text at pos: a delimiter, a line end, or the end of data. line is where the line
// ends, when that is known and not before pos; it is returned for the next field.
func (d *dialect) bare(data []byte, pos, line int) (end, lineEnd int) {
	if d.escape != 0 { // a line end may be escaped
		return d.escapedBare(data, pos), -1
	}
	if line < pos {
		line = d.endOfLine(data, pos)
	}
	if i := bytes.IndexByte(data[pos:line], d.delim); i >= 0 {
		return d.beforeCR(data, pos, pos+i), line
	}
	return d.beforeCR(data, pos, line), line
}

// endOfLine is the next line feed, or lone CR where such end rows, or the end of data.
func (d *dialect) endOfLine(data []byte, pos int) int {
	end := len(data)
	if i := bytes.IndexByte(data[pos:], '\n'); i >= 0 {
		end = pos + i
	}
	if d.cr {
		if i := bytes.IndexByte(data[pos:end], '\r'); i >= 0 {
			end = pos + i
		}
	}
	return end
}

// beforeCR moves end before the CR of a CRLF, so that it is no part of the field.
func (d *dialect) beforeCR(data []byte, pos, end int) int {
	if end > pos && data[end-1] == '\r' && (end == len(data) || data[end] == '\n') {
		return end - 1
	}
	return end
}

// quoted reads the quoted field whose opening quote is at start and returns it with the position after it.
func (d *dialect) quoted(data []byte, start int, eof bool, mode frameMode) (span, int, frameStatus) {
	s := span{start: uint32(start + 1), doubled: d.escape != 0, quoted: true}
	pos := start + 1
	for {
		i := d.nextQuote(data, pos)
		if i < 0 {
			if eof {
				return s, 0, frameOpen
			}
			return s, 0, frameMore
		}
		pos = i
		if pos+1 == len(data) && !eof {
			return s, 0, frameMore
		}
		if pos+1 < len(data) && data[pos+1] == d.quote {
			s.doubled = true
			pos += 2
			continue
		}
		if after := d.afterQuote(data, pos+1); after >= 0 {
			s.end = uint32(pos)
			return s, after, frameOK
		}
		switch mode {
		case frameStrict:
			return s, 0, frameStray
		case frameLiteral:
			pos++
		case frameLeave:
			if bytes.IndexByte(data[start:pos], '\n') >= 0 {
				return s, 0, frameStray // more likely a quote that is not closed has run into the next row
			}
			end, _ := d.bare(data, pos+1, -1)
			if end == len(data) && !eof {
				return s, 0, frameMore
			}
			s.end, s.doubled = uint32(end), true
			return s, end, frameOK
		}
	}
}

// nextQuote is the place of the next quote at or after pos, or -1.
func (d *dialect) nextQuote(data []byte, pos int) int {
	if d.escape != 0 {
		return d.escapedQuote(data, pos)
	}
	if i := bytes.IndexByte(data[pos:], d.quote); i >= 0 {
		return pos + i
	}
	return -1
}

// afterQuote returns the position where a field that was closed just before pos ends, or -1 if other text follows.
func (d *dialect) afterQuote(data []byte, pos int) int {
	if d.space {
		pos = skipBlanks(data, pos)
	}
	if pos >= len(data) {
		return pos
	}
	switch c := data[pos]; {
	case c == d.delim, c == '\n', c == '\r' && d.cr:
		return pos
	case c == '\r' && (pos+1 == len(data) || data[pos+1] == '\n'):
		return pos
	}
	return -1
}

// lineEnd returns the position after the line end at pos.
func (d *dialect) lineEnd(data []byte, pos int, eof bool) (int, frameStatus) {
	if pos >= len(data) {
		if !eof {
			return 0, frameMore
		}
		return len(data), frameOK
	}
	if data[pos] == '\n' {
		return pos + 1, frameOK
	}
	// A CR: alone, or before an LF.
	if pos+1 == len(data) {
		if !eof {
			return 0, frameMore
		}
		return pos + 1, frameOK
	}
	if data[pos+1] == '\n' {
		return pos + 2, frameOK
	}
	return pos + 1, frameOK
}

func skipBlanks(data []byte, pos int) int {
	for pos < len(data) && data[pos] == ' ' {
		pos++
	}
	return pos
}
