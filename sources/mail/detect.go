package mail

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gogs/chardet"
	"golang.org/x/text/encoding/charmap"
)

// detectWindow is how much of a text the detector sees: from a little before its first byte above 127.
const detectWindow = 4096

// decodeGuess decodes b, which has bytes above 127 and no charset to believe in.
func decodeGuess(b []byte) (string, verdict) {
	if looksWide(b) {
		return decodeWide(b, "utf-16")
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if utf8.Valid(b) {
		return string(b), verdict{charset: "utf-8"}
	}
	if good, bad := countUTF8(b); good > 8*bad {
		return strings.ToValidUTF8(string(b), "\ufffd"), verdict{charset: "utf-8", lossy: true}
	}
	name := detectCharset(b)
	if cm, ok := lookupCharset(name).(*charmap.Charmap); ok {
		return decodeCharmap(b, cm), verdict{charset: name}
	}
	if enc := lookupCharset(name); enc != nil {
		if s := decodeWith(b, enc); strings.Count(s, "\ufffd")*50 < len(s) {
			return s, verdict{charset: name, lossy: strings.Contains(s, "\ufffd")}
		}
	}
	return decodeCharmap(b, charmap.Windows1252), verdict{charset: "windows-1252"}
}

// detectCharset names the likeliest charset of a text that is not UTF-8. In Western text letters with accents stand
// alone among plain ones; in Cyrillic, Greek or East Asian text they stand in rows. Where the rows are missing, only a
// confident detector is believed over windows-1252.
func detectCharset(b []byte) string {
	window := detectionWindow(b)
	results, err := chardet.NewTextDetector().DetectAll(window)
	if err != nil {
		return "windows-1252"
	}
	// The detector's own order of equals depends on the scheduler.
	slices.SortFunc(results, func(a, b chardet.Result) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), strings.Compare(a.Charset, b.Charset))
	})
	dense, rows := density(window)
	for _, r := range results {
		name := canonicalCharset(r.Charset)
		switch name {
		case "windows-1252", "iso-8859-1":
			return "windows-1252"
		case "utf-8", "utf-16", "utf-16le", "utf-16be", "utf-32le", "utf-32be", "iso-2022-jp", "iso-2022-kr", "iso-2022-cn":
			continue // these were tried before
		case "iso-8859-2", "iso-8859-9", "windows-1250", "windows-1254":
			if r.Confidence >= 25 {
				return name
			}
			continue
		}
		if rows && r.Confidence >= 10 || dense && r.Confidence >= 30 {
			return name
		}
	}
	return "windows-1252"
}

func detectionWindow(b []byte) []byte {
	first := bytes.IndexFunc(b, func(r rune) bool { return r >= utf8.RuneSelf })
	start := max(0, min(first-256, len(b)-detectWindow))
	return b[start:min(len(b), start+detectWindow)]
}

// density looks at the bytes above 127: dense says that they are a quarter of all letters, rows that most of them stand
// in rows of three and more.
func density(b []byte) (dense, rows bool) {
	high, inRows, row, letters := 0, 0, 0, 0
	for _, c := range b {
		switch {
		case c >= utf8.RuneSelf:
			high++
			if row++; row == 3 {
				inRows += 3
			} else if row > 3 {
				inRows++
			}
			continue
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			letters++
		}
		row = 0
	}
	return high*3 > letters, inRows*2 > high
}
