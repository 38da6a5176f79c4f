package mapping

import (
	"slices"
	"strings"

	"hsimport/sources"
)

// markedByPeople are labels of mail programs that a person sets by hand: that they go nowhere is worth a line.
var markedByPeople = map[string]bool{"starred": true, "flagged": true, "snoozed": true}

// LabelUse says what becomes of a mail label: it decides something or becomes a tag (Mapped), the configuration drops it
// or a mail program has set it by itself (Ignored), or it goes nowhere (NotCarried). as says so for people; it is empty
// for NotCarried.
func (m *Mapper) LabelUse(label string) (class sources.UseClass, as string) {
	for _, l := range m.statusLabels {
		if namesLabel(l, label) {
			return sources.Mapped, "status " + m.Statuses[l]
		}
	}
	for _, l := range m.Live.Labels {
		if namesLabel(l, label) {
			return sources.Mapped, "live"
		}
	}
	for i := range m.Routes {
		if r := &m.Routes[i]; slices.ContainsFunc(r.When.Labels, func(l string) bool { return namesLabel(l, label) }) {
			return sources.Mapped, "route to " + m.boxes[r.Box].name
		}
	}
	if f := m.Filters; f != nil && slices.ContainsFunc(slices.Concat(f.Only, f.Exclude), func(c condition) bool {
		return slices.ContainsFunc(c.Labels, func(l string) bool { return namesLabel(l, label) })
	}) {
		return sources.Mapped, "filter"
	}
	to, named := m.Tags[fold(label)]
	switch system := isSystemLabel(label); {
	case named && to == "":
		return sources.Ignored, "dropped by tags"
	case named:
		return sources.Mapped, "tag " + to
	case !system:
		return sources.Mapped, "tag " + m.TagPrefix + oneLine(label)
	case markedByPeople[labelName(label)]:
		return sources.NotCarried, ""
	}
	return sources.Ignored, "set by the mail program"
}

// namesLabel reports that a label of the configuration, which may ask for several at once, names this one.
func namesLabel(want, label string) bool {
	for part := range strings.SplitSeq(want, " & ") {
		if bearsLabel([]string{label}, part) {
			return true
		}
	}
	return bearsLabel([]string{label}, want)
}
