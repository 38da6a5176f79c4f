package importer

import (
	"slices"

	"hsimport/mapping"
	"hsimport/sources"
)

// withLabels is the ledger with what the mapping makes of each label: the reader of mail cannot know that.
func withLabels(l *sources.Ledger, m *mapping.Mapper) *sources.Ledger {
	out := *l
	out.Labels = slices.Clone(l.Labels)
	for i := range out.Labels {
		if u := &out.Labels[i]; u.Class == sources.NotCarried {
			u.Class, u.As = m.LabelUse(u.Name)
		}
	}
	return &out
}
