package csvfile

import "strings"

// ColumnNames are our names of columns that a table of the configuration may use, in the order of documentation. table
// is columns, message_columns or user_columns; layout is Options.Layout, and empty where it is still to be found.
func ColumnNames(table, layout string) []string {
	var shapes []shape
	switch {
	case table == "user_columns":
		shapes = []shape{userRows}
	case table == "message_columns":
		shapes = []shape{joinedRows}
	case layout == MessagePerRow:
		shapes = []shape{messageRows}
	case layout == "":
		shapes = []shape{ticketRows, messageRows}
	default:
		shapes = []shape{ticketRows}
	}
	var names []string
	for r := range roleCount {
		for _, s := range shapes {
			if s.allows(r) {
				names = append(names, r.String())
				break
			}
		}
	}
	return names
}

// Present is what of a column's spec a header has: of several joined by | those that are there, and the words text and
// html where a format is asked for. Empty when none is there.
func Present(header []string, ours, spec string) string {
	b := binding{raw: header, header: nameColumns(header)}
	if b.findOne(spec) != nil {
		return spec
	}
	if r, ok := roleOf(ours); ok && (r == messageFormat || r == descriptionFormat) && (spec == "text" || spec == "html") {
		return spec
	}
	var kept []string
	for part := range strings.SplitSeq(spec, "|") {
		if part = strings.TrimSpace(part); b.findOne(part) != nil {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, " | ")
}

// Guess ties our names to the columns of records of a part, by what exports call them and by what sample rows hold.
func Guess(part Part, header []string, sample [][]string) map[string]string {
	return guessColumns(part.shape(), header, sample)
}

// GuessPart says what the rows of a table most likely are.
func GuessPart(header []string, sample [][]string) Part {
	switch guessShape(header, sample) {
	case messageRows:
		return MessagePart
	case joinedRows:
		return JoinedPart
	case userRows:
		return UserPart
	}
	return TicketPart
}

// Nearest are the n words that look most like name, the likest first.
func Nearest(name string, words []string, n int) []string { return nearest(name, words, n) }
