package main

import (
	"strings"

	"hsimport/importer"
)

// followLines say what else a newer export brings for conversations that are there, and how many links lead to old
// tickets.
func (u *ui) followLines(t importer.Totals) {
	if t.NewFiles > 0 {
		u.entry("", plural(t.NewFiles, "file is new on a message that is there", "files are new on messages that are there"))
	}
	if t.StatusChanges > 0 {
		u.entry("", plural(t.StatusChanges, "conversation gets another status, unless people have worked on it", "conversations get another status, unless people have worked on them"))
	}
	if t.Links > 0 {
		u.entry("links", plural(t.Links, "link between old tickets;", "links between old tickets;"), "run --relink, once all is imported, leads them to the new conversations")
	}
}

// changesLine says what a run has changed of conversations that were there.
func (u *ui) changesLine(c importer.Changes) {
	var terms []string
	for _, x := range []struct {
		n         int
		one, many string
	}{
		{c.Threads, "thread appended", "threads appended"},
		{c.Statuses, "status carried over", "statuses carried over"},
		{c.StatusesKept, "status left as people have made it", "statuses left as people have made them"},
		{c.Links, "link that leads to its new conversation", "links that lead to their new conversations"},
		{c.TextsKept, "text left as people have edited it", "texts left as people have edited them"},
	} {
		if x.n > 0 {
			terms = append(terms, plural(x.n, x.one, x.many)+",")
		}
	}
	if n := len(terms); n > 0 {
		terms[n-1] = strings.TrimSuffix(terms[n-1], ",")
		u.entry("changes", terms...)
	}
}
