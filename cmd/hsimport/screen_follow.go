package main

import "hsimport/importer"

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
	if n := c.Statuses + c.StatusesKept; n > 0 {
		terms = append(terms, plural(n, "status,", "statuses,"), count(c.StatusesKept)+" of them left as people have made them")
	}
	if c.Links+c.TextsKept > 0 {
		terms = append(terms, plural(c.Links, "link leads to its new conversation,", "links lead to their new conversations,"),
			plural(c.TextsKept, "text stays as people have edited it", "texts stay as people have edited them"))
	}
	if len(terms) > 0 {
		u.entry("changes", terms...)
	}
}
