package report

import (
	"cmp"
	"slices"
	"strings"

	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// Bounds of the sample of tickets that the page shows as an agent would see them.
const (
	perCode       = 2         // tickets kept for one code of findings
	ordinaries    = 6         // tickets chosen by their key alone: what most of them look like
	maxSampled    = 120       // tickets kept while reading
	maxThreads    = 14        // threads shown of one ticket: the first ones, and the last two
	maxBody       = 12_000    // bytes of one body, made safe
	maxTicketBody = 48_000    // bytes of the bodies of one ticket
	maxPage       = 2_200_000 // bytes of all bodies, escaped
	maxShownFiles = 20
)

// A sampler chooses tickets to show: the first ones of every kind of finding and trait, and some at random but always the
// same, because the choice goes by the digest of their keys.
type sampler struct {
	kept     map[sources.Key]*preview
	codes    map[string]int
	traits   mapping.Traits
	ordinary top[ordinary]
	nRefused int
}

type ordinary struct {
	rank uint64
	show *preview
}

// A preview is one ticket with its conversations, cut to what the page has room for.
type preview struct {
	ref      ticketRef
	score    int // how ugly: those go first
	findings []mapping.Finding
	parts    []previewPart
	size     int    // bytes of its bodies
	refused  string // why it does not come along; then parts hold the ticket as the source has it
	unshown  int    // messages of a refused ticket that are not shown
}

type previewPart struct {
	number, of            int
	subject, status, kind string
	customer, address     string
	assignee              party
	tags                  []string
	fields                []helpscout.FieldValue
	created, closed       string
	threads               []previewThread
	left                  int // threads not shown, before the last two
}

type previewThread struct {
	kind   string
	word   string // the source's own for its kind, where there is no thread
	author party  // the user of replies and notes
	who    string // the customer's address
	at     string
	cc     []string
	body   string // safe HTML
	cut    bool
	ours   bool // added by the import
	files  []previewFile
	more   int // files not shown
}

type previewFile struct {
	Name, Type string
	Size       int64
	Uploaded   bool
}

func newSampler() sampler {
	return sampler{
		kept: map[sources.Key]*preview{}, codes: map[string]int{},
		ordinary: top[ordinary]{size: ordinaries, greater: func(a, b ordinary) int { return cmp.Compare(a.rank, b.rank) }},
	}
}

func (s *sampler) see(c *Collector, t *sources.Ticket, p *mapping.Plan) {
	if p.Refused != "" {
		s.refused(c, t, p)
	}
	if len(p.Parts) == 0 {
		return
	}
	wanted := p.Traits&^s.traits != 0
	for i, f := range p.Findings {
		if s.codes[f.Code] < perCode && !slices.ContainsFunc(p.Findings[:i], func(g mapping.Finding) bool { return g.Code == f.Code }) {
			wanted = true
		}
	}
	var show *preview
	if wanted && len(s.kept) < maxSampled {
		show = c.preview(t, p)
		s.kept[sources.Key(strings.Clone(string(t.Key)))] = show // the ticket's own may belong to a larger text
		s.traits |= p.Traits
		for i, f := range p.Findings {
			if !slices.ContainsFunc(p.Findings[:i], func(g mapping.Finding) bool { return g.Code == f.Code }) {
				s.codes[f.Code]++
			}
		}
	}
	if x := (ordinary{rank: digest(string(t.Key))}); s.ordinary.wants(x) {
		if x.show = show; show == nil {
			x.show = c.preview(t, p)
		}
		s.ordinary.add(x)
	}
}

// chosen are the tickets to show: the ugliest first, then by key; those the page has no room for are left out from the
// end.
func (s *sampler) chosen() []*preview {
	all := make([]*preview, 0, len(s.kept)+ordinaries)
	for _, p := range s.kept {
		all = append(all, p)
	}
	for _, o := range s.ordinary.items {
		if s.kept[sources.Key(o.show.ref.Key)] != o.show && !slices.Contains(all, o.show) {
			all = append(all, o.show)
		}
	}
	slices.SortFunc(all, func(a, b *preview) int {
		return cmp.Or(-cmp.Compare(a.score, b.score), cmp.Compare(a.ref.Key, b.ref.Key))
	})
	size := 0
	return slices.DeleteFunc(all, func(p *preview) bool {
		if size+p.size > maxPage {
			return true
		}
		size += p.size
		return false
	})
}

var ugliness = map[sources.Severity]int{sources.Info: 1, sources.Warning: 10, sources.BlocksTicket: 100, sources.BlocksJob: 100}

func (c *Collector) preview(t *sources.Ticket, p *mapping.Plan) *preview {
	v := &preview{ref: ref(t, p)}
	v.found(p)
	v.score += 5 * (len(p.Parts) - 1)
	for i, part := range p.Parts {
		if i == 3 {
			break
		}
		v.parts = append(v.parts, c.previewPart(v, t, part))
	}
	return v
}

// found takes in the findings of a plan.
func (v *preview) found(p *mapping.Plan) {
	codes := map[string]bool{}
	for _, f := range p.Findings {
		if !codes[f.Code] {
			codes[f.Code] = true
			v.score += ugliness[f.Severity]
		}
		if len(v.findings) < 12 {
			v.findings = append(v.findings, mapping.Finding{Severity: f.Severity, Code: clip(f.Code, 60), Text: clip(f.Text, 400), Position: f.Position})
		}
	}
}

func (c *Collector) previewPart(v *preview, t *sources.Ticket, part *mapping.Part) previewPart {
	conv := &part.Conversation
	out := previewPart{
		number: part.Number, of: part.Of, subject: clip(conv.Subject, 250), status: conv.Status, kind: conv.Type, assignee: assignee(t, part),
		created: conv.CreatedAt.UTC().Format(stampLayout),
	}
	if conv.ClosedAt != nil {
		out.closed = conv.ClosedAt.UTC().Format(stampLayout)
	}
	if who := conv.Customer; who != nil {
		out.customer, out.address = clip(who.FirstName+" "+who.LastName, 90), clip(who.Email, 254)
	}
	for _, x := range conv.Tags[:min(len(conv.Tags), 20)] {
		out.tags = append(out.tags, clip(x, 80))
	}
	for _, f := range conv.Fields[:min(len(conv.Fields), 20)] {
		out.fields = append(out.fields, helpscout.FieldValue{ID: f.ID, Value: clip(f.Value, 120)})
	}
	carried := map[int]*sources.Message{}
	for _, m := range part.Messages {
		carried[m.Thread] = c.carrier[m.Message]
	}
	for i := range conv.Threads {
		if n := len(conv.Threads); n > maxThreads && i >= maxThreads-2 && i < n-2 {
			out.left++
			continue
		}
		out.threads = append(out.threads, c.previewThread(v, part, i, carried[i]))
	}
	return out
}

// stampLayout is a time as the page shows it.
const stampLayout = "2 Jan 2006 15:04 UTC"

func (c *Collector) previewThread(v *preview, part *mapping.Part, i int, msg *sources.Message) previewThread {
	th := &part.Conversation.Threads[i]
	out := previewThread{kind: th.Type, at: th.CreatedAt.UTC().Format(stampLayout), ours: msg == nil}
	if th.Type == helpscout.ThreadReply || th.Type == helpscout.ThreadNote {
		out.author = c.writer(th.User, nil)
		if th.User == 0 && th.Type == helpscout.ThreadReply {
			out.author = c.writer(0, msg)
		}
	} else if th.Customer != nil {
		out.who = clip(th.Customer.Email, 254)
	}
	for _, a := range th.Cc[:min(len(th.Cc), 20)] {
		out.cc = append(out.cc, clip(a, 254))
	}
	out.body, out.cut = safeBody(th.Text, max(0, min(maxBody, maxTicketBody-v.size)))
	v.size += escapedLen(out.body)
	for _, a := range th.Attachments {
		out.file(part, a, false)
	}
	for _, u := range part.Uploads {
		if u.Thread == i {
			out.file(part, u.File, true)
		}
	}
	return out
}

func (t *previewThread) file(part *mapping.Part, a helpscout.NewAttachment, uploaded bool) {
	if len(t.files) == maxShownFiles {
		t.more++
		return
	}
	f := previewFile{Name: clip(a.FileName, 120), Type: clip(a.MIMEType, 80), Uploaded: uploaded}
	if len(a.Data) > len("attachment:") {
		if file := part.Files[a.Data[len("attachment:"):]]; file != nil {
			f.Size = file.Size
		}
	}
	t.files = append(t.files, f)
}
