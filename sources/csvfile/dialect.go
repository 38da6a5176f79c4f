package csvfile

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

const sampleSize = 1 << 16

// delimiters are tried in this order; an earlier one wins a draw.
var delimiters = [...]byte{',', ';', '\t', '|'}

// A found is what sniffing tells of a file: its dialect and where its rows begin.
type found struct {
	dialect
	start   int // bytes before the first row: BOM, sep= line
	line    int // of the first row
	lineEnd string
}

// sniff finds the dialect of a file from its first bytes; whole says that sample is all of it. What the options declare
// is not searched for.
func sniff(sample []byte, whole bool, o *Options) (found, error) {
	f := found{line: 1}
	if bytes.HasPrefix(sample, utf8BOM) {
		f.start = len(utf8BOM)
	}
	body := sample[f.start:]
	f.lineEnd, f.cr = lineEnds(body)
	if err := f.declared(o); err != nil {
		return f, err
	}
	if line, d, ok := sepLine(body); ok {
		f.start += len(line)
		f.line++
		if o.Delimiter == "" {
			f.delim = d
		}
		body = sample[f.start:]
	}
	f.search(body, whole, o)
	if f.quote == f.delim || f.escape != 0 && (f.escape == f.delim || f.escape == f.quote) {
		return f, fmt.Errorf("of delimiter, quote and escape two are %q", f.delim)
	}
	f.space = blanksBeforeQuotes(body, f.dialect)
	return f, nil
}

var utf8BOM = []byte("\xef\xbb\xbf")

// oneByte reads an option that is one ASCII character or the word tab.
func oneByte(key, value string) (byte, error) {
	switch strings.ToLower(value) {
	case "tab", `\t`:
		return '\t', nil
	case "comma":
		return ',', nil
	case "semicolon":
		return ';', nil
	case "pipe":
		return '|', nil
	}
	if len(value) != 1 || value[0] >= utf8.RuneSelf || value == "\n" || value == "\r" {
		return 0, fmt.Errorf("%s: %q is not one ASCII character or the word tab", key, value)
	}
	return value[0], nil
}

// lineEnds names the line ends of a sample; cr says that there are only lone CRs.
func lineEnds(sample []byte) (name string, cr bool) {
	lf := bytes.Count(sample, []byte{'\n'})
	crlf := bytes.Count(sample, []byte("\r\n"))
	switch {
	case lf == 0 && bytes.IndexByte(sample, '\r') >= 0:
		return "CR", true
	case crlf == 0:
		return "LF", false
	case crlf == lf:
		return "CRLF", false
	}
	return "mixed", false
}

// sepLine recognises the line `sep=;` that Excel writes and reads.
func sepLine(body []byte) (line []byte, delim byte, ok bool) {
	i := bytes.IndexByte(body, '\n')
	if i < 0 || i > 16 {
		return nil, 0, false
	}
	text := bytes.Trim(bytes.TrimRight(body[:i], "\r"), `"`)
	if len(text) != 5 || !bytes.EqualFold(text[:4], []byte("sep=")) {
		return nil, 0, false
	}
	return body[:i+1], text[4], true
}

// declared takes what the options say.
func (f *found) declared(o *Options) (err error) {
	f.quote = '"'
	switch {
	case strings.EqualFold(o.Quote, "none"):
		f.quote = 0
	case o.Quote != "":
		if f.quote, err = oneByte("quote", o.Quote); err != nil {
			return err
		}
	}
	if o.Escape != "" && !strings.EqualFold(o.Escape, "none") {
		if f.escape, err = oneByte("escape", o.Escape); err != nil {
			return err
		}
	}
	if o.Delimiter != "" {
		f.delim, err = oneByte("delimiter", o.Delimiter)
	}
	return err
}

// search tries what is not declared, and takes the dialect whose rows agree best on their number of columns: every
// delimiter; single quotes where the sample holds no double ones; backslash escapes, with and without quotes, where it
// holds what only they write.
func (f *found) search(body []byte, whole bool, o *Options) {
	delims := delimiters[:]
	if f.delim != 0 {
		delims = []byte{f.delim}
	}
	best, winner := -1, f.dialect
	try := func(d dialect, bonus int) {
		if d.delim == d.quote {
			return
		}
		if s := d.score(body, whole) + bonus; s > best {
			best, winner = s, d
		}
	}
	escapes := o.Escape == "" && mayEscape(body)
	for _, q := range f.quotes(body, o) {
		for _, c := range delims {
			d := f.dialect
			d.delim, d.quote = c, q
			try(d, 0)
			if !escapes {
				continue
			}
			d.escape = '\\'
			try(d, 0)
			if o.Quote == "" && q == '"' && nullCells(body, c) && d.bareCells(body) {
				d.quote = 0
				try(d, 1)
			}
		}
	}
	if best <= 0 && f.delim == 0 {
		winner = f.dialect
		winner.delim = ','
	}
	f.dialect = winner
}

// quotes are those to try.
func (f *found) quotes(body []byte, o *Options) []byte {
	if o.Quote == "" && bytes.IndexByte(body, '"') < 0 && bytes.IndexByte(body, '\'') >= 0 {
		return []byte{f.quote, '\''}
	}
	return []byte{f.quote}
}

// score is higher the more rows have the commonest number of columns, then the more columns that is. One column
// scores nothing.
func (d *dialect) score(body []byte, whole bool) int {
	counts := map[int]int{}
	var spans []span
	rows := 0
	for pos := 0; pos < len(body) && rows < 500; {
		n, s, st := d.frame(body[pos:], whole, frameStrict, spans[:0])
		spans = s
		if st == frameMore {
			break
		}
		if st != frameOK {
			// A damaged line counts as a row that disagrees.
			rows++
			i := bytes.IndexByte(body[pos:], '\n')
			if i < 0 {
				break
			}
			pos += i + 1
			continue
		}
		if !allBlank(body[pos:], s) {
			rows++
			counts[len(s)]++
		}
		pos += n
	}
	width, agree := 1, 0
	for w, n := range counts {
		if w > 1 && (n > agree || n == agree && w > width) {
			width, agree = w, n
		}
	}
	if width == 1 || rows == 0 {
		return 0
	}
	return 1000*agree/rows*100 + min(width, 99)
}

// blanksBeforeQuotes reports whether fields are written `, "so"`.
func blanksBeforeQuotes(body []byte, d dialect) bool {
	blank := bytes.Count(body, []byte{d.delim, ' ', d.quote})
	return d.delim != ' ' && blank > 0 && bytes.Count(body, []byte{d.delim, d.quote}) == 0
}
