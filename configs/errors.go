package configs

import (
	"fmt"
	"slices"
	"strings"

	"hsimport/sources"
)

// An Error is one thing wrong with a configuration and its place.
type Error struct {
	File   string `json:"file"`             // as the person named it; the variable's name when it came from the environment
	Line   int    `json:"line,omitempty"`   // 1-based; 0 when the file as a whole is meant
	Column int    `json:"column,omitempty"` // 1-based, in characters
	Key    string `json:"key,omitempty"`    // the full key: mapping.default_status, source.paths[2]
	Text   string `json:"text"`             // what is wrong
	// Nearest is the known key or allowed value that was most likely meant; empty when nothing is near.
	Nearest string `json:"nearest,omitempty"`
	Hint    string `json:"hint,omitempty"` // what to do about it
}

// Error is file:line:column: key: text; did you mean nearest? (hint)
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
		if e.Column > 0 {
			fmt.Fprintf(&b, ":%d", e.Column)
		}
	}
	b.WriteString(": ")
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Text)
	if e.Nearest != "" {
		b.WriteString("; did you mean " + e.Nearest + "?")
	}
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// Errors is everything wrong with a configuration, in the order of the file.
type Errors struct{ List []*Error }

// Error has one line for each problem.
func (e *Errors) Error() string {
	lines := make([]string, len(e.List))
	for i, one := range e.List {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems one by one, for errors.As.
func (e *Errors) Unwrap() []error {
	all := make([]error, len(e.List))
	for i, one := range e.List {
		all[i] = one
	}
	return all
}

// maxErrors bounds what is reported: nobody mends more at a time, and a file of another kind has one on each line.
const maxErrors = 100

// problems collects errors while a file is read.
type problems struct {
	file string
	list []*Error
}

func (p *problems) add(e *Error) {
	if e.File == "" {
		e.File = p.file
	}
	p.list = append(p.list, e)
}

// err is nil when nothing was wrong. What stands first in the file comes first.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b *Error) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	list := p.list
	if more := len(list) - maxErrors; more > 0 {
		list = append(list[:maxErrors:maxErrors], &Error{File: p.file, Text: fmt.Sprintf("%d further problems", more)})
	}
	return &Errors{List: list}
}

// nearest is the candidate most like word, or "" when none is near: one that it begins, or that is spelled differently
// in at most a third of its letters. Case, dashes, underscores and blanks do not count.
func nearest(word string, candidates []string) string {
	best, bestDistance := "", 1<<30
	folded := fold(word)
	if len(folded) > maxWord {
		return ""
	}
	for _, c := range candidates {
		f := fold(c)
		d := sources.EditDistance(folded, f)
		if len(folded) >= 3 && strings.HasPrefix(f, folded) {
			d = min(d, 1)
		}
		if limit := max(len(f), len(folded)) / 3; d > max(limit, 1) || d >= len(f) || d >= bestDistance {
			continue
		}
		best, bestDistance = c, d
	}
	return best
}

// maxWord bounds the words that are compared: no known key is near to a longer one.
const maxWord = 64

func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(s))
}
