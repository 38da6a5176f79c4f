package csvfile

import "bytes"

// Some programs write a backslash before what would end a cell instead of doubling quotes: MySQL's SELECT INTO OUTFILE
// (https://dev.mysql.com/doc/refman/8.4/en/load-data.html, field and line handling), PostgreSQL's COPY in its text form
// (https://www.postgresql.org/docs/current/sql-copy.html, file formats), and CSV writers told to escape rather than
// double. Both databases write \N for NULL.

// escapedBare is bare for a dialect with escapes: what follows a backslash ends nothing.
func (d *dialect) escapedBare(data []byte, pos int) int {
	for i := pos; i < len(data); i++ {
		switch c := data[i]; {
		case c == d.escape:
			if i++; i+1 < len(data) && data[i] == '\r' && data[i+1] == '\n' {
				i++
			}
		case c == d.delim || c == '\n':
			return d.beforeCR(data, pos, i)
		case c == '\r' && d.cr:
			return i
		}
	}
	return d.beforeCR(data, pos, len(data))
}

// escapedQuote is the place of the next quote at or after pos that no backslash stands before; -1 when there is none.
// pos is never right after an odd backslash.
func (d *dialect) escapedQuote(data []byte, pos int) int {
	for i := pos; i < len(data); i++ {
		switch data[i] {
		case d.escape:
			i++
		case d.quote:
			return i
		}
	}
	return -1
}

// unescapeCell appends field to dst without its escapes. Letters mean control characters only in cells that are not
// quoted, as the databases write them: elsewhere a backslash before a letter is one of C:\new.
func (d *dialect) unescapeCell(dst, field []byte, quoted bool) []byte {
	if !quoted && len(field) == 2 && field[0] == d.escape && field[1] == 'N' {
		return dst
	}
	for i := 0; i < len(field); i++ {
		c := field[i]
		switch {
		case c == d.quote && quoted && i+1 < len(field) && field[i+1] == d.quote:
			i++
		case c == d.escape && i+1 < len(field):
			i++
			dst = d.escaped(dst, field[i], quoted)
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// escaped appends what a backslash before c means.
func (d *dialect) escaped(dst []byte, c byte, quoted bool) []byte {
	if c == d.escape || c == d.quote || c == d.delim || c == '\n' || c == '\r' {
		return append(dst, c)
	}
	if !quoted {
		if i := bytes.IndexByte([]byte("nrtbfv0"), c); i >= 0 {
			return append(dst, "\n\r\t\b\f\v\x00"[i])
		}
	}
	return append(dst, d.escape, c)
}

// mayEscape reports whether a sample holds what only a dialect with escapes writes.
func mayEscape(body []byte) bool {
	for _, mark := range []string{`\"`, "\\\t", "\\\n", "\\\r\n", `\N`} {
		if bytes.Contains(body, []byte(mark)) {
			return true
		}
	}
	return false
}

// bareCells reports whether fewer cells of a sample begin and end with a quote than not: its quotes are text.
func (d *dialect) bareCells(body []byte) bool {
	quoted := bytes.Count(body, []byte{d.quote, d.delim}) + bytes.Count(body, []byte{d.quote, '\n'})
	return 2*quoted < bytes.Count(body, []byte{d.delim})
}

// nullCells reports whether whole cells of an unquoted sample are \N, as both databases write NULL.
func nullCells(body []byte, delim byte) bool {
	for line := range bytes.Lines(body) {
		for cell := range bytes.SplitSeq(bytes.TrimRight(line, "\r\n"), []byte{delim}) {
			if string(cell) == `\N` {
				return true
			}
		}
	}
	return false
}
