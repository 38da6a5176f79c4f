package mapping

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"hsimport/sources"
)

// fold is the form in which tables are looked up: trimmed, inner white space single, without regard to case.
func fold(s string) string {
	if plainKey(s) {
		return s
	}
	if singleLine(s) {
		return strings.ToLower(s)
	}
	return strings.ToLower(strings.Join(strings.Fields(s), " "))
}

// plainKey reports that folding would change nothing; most values are such.
func plainKey(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// nearest is the candidate most like want, or "" when none is like it. Of equally near ones the first counts.
func nearest(want string, have []string) string {
	best, at := "", 1+len(want)/2
	for _, h := range have {
		if d := sources.EditDistance(fold(want), fold(h)); d < at {
			best, at = h, d
		}
	}
	return best
}

// didYouMean is the end of a sentence that names the nearest candidate, or "".
func didYouMean(want string, have []string) string {
	if n := nearest(want, have); n != "" {
		return "; did you mean " + strconv.Quote(n) + "?"
	}
	return ""
}
