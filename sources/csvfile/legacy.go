package csvfile

import (
	"slices"

	"hsimport/sources"
	"hsimport/sources/fetch"
)

// shown are the files of the old desk that the text of a piece shows or links to, but for those that the columns of the
// same message name already.
func (v *rowView) shown(s *Source, r role, body string, format sources.Format) []fetch.Reference {
	refs := s.desk.References(body, format)
	column := messageAttachments
	switch r {
	case description:
		column = attachments
	case comments, answer:
		return refs // columns of files are not theirs
	}
	if len(refs) == 0 || !v.f.b.has(column) {
		return refs
	}
	named := v.attachmentRefs(column)
	return slices.DeleteFunc(refs, func(ref fetch.Reference) bool {
		return slices.ContainsFunc(named, func(n attachmentRef) bool { return n.url == ref.URL })
	})
}

// showFiles makes attachments of what the text of a message shows.
func (v *rowView) showFiles(s *Source, m *sources.Message, r role) {
	for _, ref := range v.shown(s, r, m.Body, m.Format) {
		a := &sources.Attachment{Name: ref.Name, Inline: ref.Inline, Position: v.position()}
		s.desk.Fill(a, ref.URL)
		m.Attachments = append(m.Attachments, a)
	}
}

// countShown counts what the text of a piece shows.
func (x *indexer) countShown(p piece) {
	if len(x.s.opts.LegacyHosts) == 0 {
		return
	}
	body := clean(string(p.text))
	for _, ref := range x.v.shown(x.s, p.role, body, x.v.formatOf(p.role, body)) {
		x.countRemote(ref.URL)
	}
}

func (x *indexer) countRemote(address string) {
	var a sources.Attachment
	x.s.desk.Fill(&a, address)
	x.countAttachment(&a)
}
