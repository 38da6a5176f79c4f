package mail

import (
	"fmt"
	"strconv"
	"strings"

	"hsimport/sources"
)

// maxNotes bounds the problems of one message: ten thousand damaged parts are one problem, not ten thousand.
const maxNotes = 40

// notes collects the problems of one message, each code with one text once.
type notes struct {
	at   sources.Position
	list []sources.Problem
}

func (n *notes) add(sev sources.Severity, code, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for _, p := range n.list {
		if p.Code == code && p.Text == text {
			return
		}
	}
	if len(n.list) < maxNotes {
		n.list = append(n.list, sources.Problem{Severity: sev, Code: code, Text: text, Position: n.at})
	}
}

// quoted shows a piece of a header in a problem's text: shortened, without control characters.
func quoted[T string | []byte](v T) string {
	s := oneLine(strings.ToValidUTF8(string(v[:min(len(v), 120)]), "\ufffd"))
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "..."
	}
	return strconv.Quote(s)
}
