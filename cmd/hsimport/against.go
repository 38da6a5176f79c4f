package main

import (
	"regexp"
	"strings"

	"hsimport/mapping"
)

const (
	shownKinds       = 12 // kinds of changes
	shownDifferences = 20 // conversations
)

// differenceObjects writes every difference of two plans as an object.
func (u *ui) differenceObjects(diffs []mapping.Difference) {
	for _, d := range diffs {
		u.object(map[string]any{"message_type": "difference", "text": d.String()})
	}
}

// differences explains how one plan differs from another: in how many conversations, by what, and the first of them.
func (u *ui) differences(path string, diffs []mapping.Difference) {
	if len(diffs) == 0 {
		u.line(u.env.out, "nothing differs from %s", path)
		return
	}
	whole, kinds, what := 0, map[string]int{}, map[string]int{}
	for _, d := range diffs {
		if d.Key == "" {
			whole++
			continue
		}
		what[d.What]++
		once := map[string]bool{} // several findings of one code are one kind of change
		for _, detail := range d.Detail {
			if kind := kindOfChange(detail); !once[kind] {
				once[kind] = true
				kinds[kind]++
			}
		}
	}
	u.line(u.env.out, "compared with %s", path)
	u.entry("conversations", count(what["changed"])+" changed,", count(what["added"])+" added,", count(what["removed"])+" removed")
	for i, k := range sortedCounts(kinds) {
		if i == shownKinds {
			u.entry("", "and "+plural(len(kinds)-i, "further kind of change", "further kinds of changes"))
			break
		}
		u.entry("", count(k.n)+" in", k.name)
	}
	for i, d := range diffs {
		if i == whole+shownDifferences {
			u.line(u.env.out, "  and %s more; --json lists them all", count(len(diffs)-i))
			return
		}
		u.paragraph(4, "  "+d.String())
	}
}

// findingValue is the value in what is said of a finding that came or went.
var findingValue = regexp.MustCompile(` \([^)]*\)$`)

// changed is the name of what has become another number or word.
var changed = regexp.MustCompile(`^(refused|excluded|created|parts|threads|messages left out|messages|attachments|uploads|units|mapping version|zone database) .* -> `)

// kindOfChange is a change without what is its own in one conversation: the value of a finding, a reason, a number.
func kindOfChange(detail string) string {
	if strings.HasPrefix(detail, "finding gone ") || strings.HasPrefix(detail, "new finding ") {
		return findingValue.ReplaceAllString(detail, "")
	}
	if m := changed.FindStringSubmatch(detail); m != nil {
		return m[1]
	}
	return detail
}
