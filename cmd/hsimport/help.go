package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// narrowHelp makes the help pages as wide as every other screen.
func narrowHelp(c *cobra.Command) {
	c.Long = narrow(c.Long)
	for _, sub := range c.Commands() {
		narrowHelp(sub)
	}
}

// narrow breaks a text between words. Lines that are set in keep their beginning, and what does not fit of them goes
// below their second column.
func narrow(text string) string {
	var b strings.Builder
	var words []string
	flush := func() {
		writeWrapped(&b, "", "", words)
		words = nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \n")
		switch trimmed := strings.TrimLeft(line, " "); {
		case line == "":
			flush()
			b.WriteByte('\n')
		case trimmed == line:
			words = append(words, strings.Fields(line)...)
		case wide(line) <= screenWidth:
			flush()
			b.WriteString(line + "\n")
		default:
			flush()
			at := len(line) - len(trimmed)
			if i := strings.Index(trimmed, "  "); i > 0 {
				at = len(line) - len(strings.TrimLeft(trimmed[i:], " "))
			}
			writeWrapped(&b, line[:at], strings.Repeat(" ", at), strings.Fields(line[at:]))
		}
	}
	flush()
	return strings.TrimRight(b.String(), "\n")
}
