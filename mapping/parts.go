package mapping

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"hsimport/importer/helpscout"
	"hsimport/sources"
)

func itoa(n int) string { return strconv.Itoa(n) }

// smallestSplit is the least number of threads with which a part can hold both link notes and a message.
const smallestSplit = 3

// parts distributes the threads over as many conversations as their number and size ask for.
func (w *work) parts(ds []*draft) []*Part {
	if len(ds) == 0 || w.refused != "" {
		return nil
	}
	base := w.conversation()
	cuts := w.cut(ds, base, false)
	if len(cuts) > 1 {
		w.find(sources.Info, codeSplit, "", "%d threads become %d conversations", len(ds), len(cuts))
	}
	parts := make([]*Part, 0, len(cuts))
	from := 0
	for i, to := range cuts {
		parts = append(parts, w.part(base, ds[from:to], i+1, len(cuts)))
		from = to
	}
	return parts
}

// conversation is what all parts share.
func (w *work) conversation() helpscout.NewConversation {
	if oneLine(w.t.Subject) == "" && w.fullSubject() == noSubject+w.subjectSuffix() {
		w.find(sources.Info, codeSubjectEmpty, "", "the subject is empty; %q stands in its place", noSubject)
	}
	return helpscout.NewConversation{
		Customer: w.primary, MailboxID: w.into().mailbox.ID, Type: w.kind, Status: "closed", Imported: true,
		Tags: w.tags(), Fields: w.fieldValues(),
	}
}

// display is how notes name the ticket: by the number that people know.
func (w *work) display() string { return shorten(oneLine(firstOf(w.t.ID, string(w.t.Key))), 200) }

func (w *work) closingNote(next int, at time.Time) helpscout.NewThread {
	return w.note("<p>continued in part "+itoa(next)+" of ticket "+escape(w.display())+"</p>", at)
}

// openingNote links to the part before; its address is a symbol until that part exists.
func (w *work) openingNote(prev int, at time.Time) helpscout.NewThread {
	n := itoa(prev)
	return w.note(`<p>continues <a href="part:`+n+`">part `+n+`</a> of ticket `+escape(w.display())+"</p>", at)
}

// splitter finds where parts end.
type splitter struct {
	sizes            []int // of each thread in JSON, with its comma
	limit            int   // threads of one part
	room             int   // bytes of all threads of one part
	opening, closing int   // threads that link notes take
	notes            int   // bytes that both take
	goesOn           bool  // the first of them begins with a link too
}

// cut returns the end of each part: parts are filled from the oldest thread, up to the number of threads that a
// conversation takes and the size that a create call takes without its attachments. goesOn says that parts stand before
// the first of them.
func (w *work) cut(ds []*draft, base helpscout.NewConversation, goesOn bool) []int {
	limit := w.m.Threads
	if w.live {
		limit = w.m.LiveThreads
	}
	total := 0
	for _, d := range ds {
		total += 2*len(d.thread.Text) + 300*len(d.thread.Cc) + 1_000 // a bound: JSON at most doubles a clean text
	}
	if len(ds) <= limit && int64(total) < w.m.Inline-envelopeRoom && !goesOn {
		return []int{len(ds)}
	}
	s := &splitter{limit: limit, sizes: make([]int, len(ds)), goesOn: goesOn}
	for i, d := range ds {
		s.sizes[i] = threadLen(d.thread) + 1
	}
	base.Subject, base.Threads = w.subject(9_999), []helpscout.NewThread{}
	base.ClosedAt, base.AssignTo = &helpscout.Time{}, new(int64(1<<62))
	s.room = int(w.m.Inline) - bodyLen(&base)
	if limit >= smallestSplit {
		s.closing = 1
	}
	if limit >= smallestSplit-1 {
		s.opening = 1
	}
	s.notes = 2 + threadLen(w.openingNote(9_999, time.Time{})) + threadLen(w.closingNote(9_999, time.Time{}))
	return s.cuts(ds)
}

func (s *splitter) cuts(ds []*draft) []int {
	var ends []int
	for from := 0; from < len(ds); {
		opening := s.opening
		if from == 0 && !s.goesOn {
			opening = 0
		}
		if s.fits(from, len(ds), s.limit-opening) {
			return append(ends, len(ds))
		}
		to := from + 1
		for to < len(ds) && s.fits(from, to+1, s.limit-opening-s.closing) {
			to++
		}
		if back := s.together(ds, from, to); back > from {
			to = back
		}
		ends = append(ends, to)
		from = to
	}
	return ends
}

// fits reports whether the threads from..to-1 are not too many and not too large for one part.
func (s *splitter) fits(from, to, threads int) bool {
	if to-from > threads {
		return false
	}
	size := s.notes
	for _, n := range s.sizes[from:to] {
		size += n
	}
	return size <= s.room
}

// together moves a cut in front of a message whose remarks would stand in the next part; it returns from when the
// part would be empty then.
func (s *splitter) together(ds []*draft, from, to int) int {
	for to > from && to < len(ds) && ds[to].follows {
		to--
	}
	return to
}

// part makes one conversation of its threads.
func (w *work) part(base helpscout.NewConversation, ds []*draft, number, of int) *Part {
	p := &Part{Number: number, Of: of, Conversation: base, LinkThread: -1}
	c := &p.Conversation
	begun := ds[0].thread.CreatedAt.Time
	ended := ds[len(ds)-1].thread.CreatedAt.Time
	limit := w.m.Threads
	if w.live {
		limit = w.m.LiveThreads
	}
	c.Subject, c.CreatedAt = w.subject(number), helpscout.At(begun)
	c.Threads = make([]helpscout.NewThread, 0, len(ds)+2)
	p.Messages = make([]Carried, 0, len(ds))
	if number > 1 && limit >= smallestSplit-1 {
		p.LinkThread = 0
		c.Threads = append(c.Threads, w.openingNote(number-1, begun))
	}
	for _, d := range ds {
		p.add(d)
	}
	if number < of && limit >= smallestSplit {
		c.Threads = append(c.Threads, w.closingNote(number+1, ended))
	}
	if number == of {
		c.Status, c.AssignTo = w.status, w.assignee()
	}
	if c.Status == "closed" {
		at := helpscout.At(w.closedAt(number == of, begun, ended))
		c.ClosedAt = &at
	}
	w.m.finish(p)
	return p
}

// add appends a draft's thread with its attachments in place.
func (p *Part) add(d *draft) {
	th := d.thread
	for _, f := range d.files {
		if p.Files == nil {
			p.Files = map[string]*sources.Attachment{}
		}
		if p.Files[f.SHA256] == nil {
			p.Files[f.SHA256] = f
		}
		th.Attachments = append(th.Attachments, newAttachment(f))
	}
	for _, c := range d.carried {
		c.Thread = len(p.Conversation.Threads)
		p.Messages = append(p.Messages, c)
	}
	p.Conversation.Threads = append(p.Conversation.Threads, th)
}

// finish digests the part and moves attachments that do not fit into the create call to uploads.
func (m *Mapper) finish(p *Part) {
	withBody(&p.Conversation, func(b []byte) {
		p.Digest = hexDigest(b)
		p.Body = int64(len(b)) + p.inlineGrowth()
	})
	if p.Body <= m.Inline || len(p.Files) == 0 {
		return
	}
	p.moveOut(m.Inline)
	p.Body = int64(bodyLen(&p.Conversation)) + p.inlineGrowth()
}

// inlineGrowth is by how much the create call grows when the symbols of its attachments are replaced.
func (p *Part) inlineGrowth() (n int64) {
	for _, th := range p.Conversation.Threads {
		for _, a := range th.Attachments {
			n += base64Len(p.fileOf(a).Size) - int64(symbolLen)
		}
	}
	return n
}

func (p *Part) fileOf(a helpscout.NewAttachment) *sources.Attachment {
	return p.Files[a.Data[len("attachment:"):]]
}

// inlined is one attachment that would like to stay in the create call.
type inlined struct {
	thread, index int
	cost          int64
}

// moveOut keeps the smallest attachments in the create call for as long as it fits: that leaves the fewest uploads.
func (p *Part) moveOut(limit int64) {
	threads := p.Conversation.Threads
	var all []inlined
	body := p.Body
	for i, th := range threads {
		for j, a := range th.Attachments {
			cost := int64(attachmentLen(a)) + 1 + base64Len(p.fileOf(a).Size) - int64(symbolLen)
			all = append(all, inlined{i, j, cost})
			body -= cost
		}
	}
	slices.SortStableFunc(all, func(a, b inlined) int { return cmp.Compare(a.cost, b.cost) })
	stays := map[[2]int]bool{}
	for _, a := range all {
		if body+a.cost > limit {
			break
		}
		body += a.cost
		stays[[2]int{a.thread, a.index}] = true
	}
	for i := range threads {
		var keep []helpscout.NewAttachment
		for j, a := range threads[i].Attachments {
			if stays[[2]int{i, j}] {
				keep = append(keep, a)
			} else {
				p.Uploads = append(p.Uploads, Upload{Thread: i, File: a, Size: p.fileOf(a).Size})
			}
		}
		threads[i].Attachments = keep
	}
}

// Units is what delivering the part costs of the quota: the create call and each upload is a write of 2 units; the
// number of the part before and the list of thread ids for uploads are reads of 1.
// https://developer.helpscout.com/mailbox-api/overview/rate-limiting
func (p *Part) Units() int {
	n := 2 + 2*len(p.Uploads)
	if len(p.Uploads) > 0 {
		n++
	}
	if p.LinkThread >= 0 {
		n++
	}
	return n
}
