package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the longest first or last name in characters. The server counts UTF-16 units, as Java does; we do too.
// https://developer.helpscout.com/mailbox-api/endpoints/customers/create
const maxName = 40

// splitName makes a first and a last name of what an export or a mail calls somebody. Either may be empty; both are
// if the name is only an address. Nothing is longer than maxName; shortened tells that something was cut.
func splitName(name, address string) (first, last string, shortened bool) {
	name = oneLine(name)
	name = strings.Trim(name, " \"'`<>")
	if name == "" || strings.EqualFold(name, strings.TrimSpace(address)) || validAddress(name) {
		return "", "", false
	}
	if l, f, ok := lastFirst(name); ok {
		first, last = f, l
	} else if first, last, ok = strings.Cut(name, " "); ok {
		last = strings.TrimSpace(last)
	}
	var cutFirst, cutLast bool
	first, cutFirst = cutUnits(first, maxName)
	last, cutLast = cutUnits(last, maxName)
	return first, last, cutFirst || cutLast
}

// suffixes follow a comma in a name without being a first name.
var suffixes = []string{"jr", "sr", "ii", "iii", "iv", "inc", "llc", "ltd", "gmbh", "ag", "co", "corp", "bv", "phd", "md", "esq", "sa", "plc", "limited", "mba", "cpa"}

// lastFirst reads "Lovelace, Ada".
func lastFirst(name string) (last, first string, ok bool) {
	last, first, ok = strings.Cut(name, ",")
	last, first = strings.TrimSpace(last), strings.TrimSpace(first)
	if !ok || last == "" || first == "" || strings.Contains(first, ",") {
		return "", "", false
	}
	bare := strings.ToLower(strings.ReplaceAll(first, ".", ""))
	for _, s := range suffixes {
		if bare == s {
			return "", "", false
		}
	}
	return last, first, true
}

// cutUnits shortens s to at most n UTF-16 units, at a character's end, without white space at the cut.
func cutUnits(s string, n int) (string, bool) {
	if len(s) <= n {
		return s, false
	}
	units := 0
	for i, r := range s {
		if units += unitsOf(r); units > n {
			return strings.TrimRightFunc(s[:i], unicode.IsSpace), true
		}
	}
	return s, false
}

func unitsOf(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

// utf16Len is the length of s as the server counts it.
func utf16Len(s string) (n int) {
	for _, r := range s {
		n += unitsOf(r)
	}
	return n
}

// oneLine makes a single clean line of s: no control characters, no doubled or outer white space.
func oneLine(s string) string {
	if singleLine(s) {
		return s
	}
	s, _ = cleanText(s)
	return strings.Join(strings.Fields(s), " ")
}

// singleLine reports that s is one clean line already; most values are. It may say no where the answer is yes.
func singleLine(s string) bool {
	before := byte(' ')
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c >= 0x7f || c == ' ' && before == ' ' {
			return false
		}
		before = c
	}
	return s == "" || before != ' '
}

// bareFileName is a file's name without folders, control characters and characters that no file system takes, at
// most 200 characters long, its extension kept.
func bareFileName(name string) string {
	name = oneLine(name)
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Trim(name, " .")
	if name == "" {
		return "attachment"
	}
	const most = 200
	if utf8.RuneCountInString(name) <= most {
		return name
	}
	ext := ""
	if i := strings.LastIndexByte(name, '.'); i > 0 && len(name)-i <= 12 {
		ext = name[i:]
	}
	short, _ := cutUnits(strings.TrimSuffix(name, ext), most-len(ext))
	return short + ext
}
