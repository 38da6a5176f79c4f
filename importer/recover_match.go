package importer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// lost is a part that recover looks for: what it can be recognised by, and what its row needs once it is found.
type lost struct {
	row      checkpoint.Part
	ev       Evidence
	messages []checkpoint.NewMessage
	files    []checkpoint.Effect // an upload for every file, to be left out where the file is there
}

func newLost(row *checkpoint.Part, part *mapping.Part) *lost {
	conv := part.Conversation
	conv.Threads = slices.Clone(conv.Threads)
	l := &lost{row: *row, ev: evidenceOf(&conv, part)}
	for _, c := range part.Messages {
		l.messages = append(l.messages, checkpoint.NewMessage{Key: string(c.Message), Digest: c.Digest, Thread: c.Thread})
	}
	out := &outgoing{row: &l.row, part: part, conv: &conv, uploads: slices.Clone(part.Uploads)}
	out.moveAttachments()
	for i, u := range out.uploads {
		l.files = append(l.files, uploadEffect(out, i, u))
	}
	return l
}

// found is a conversation of the account, with its threads once they are asked for.
type found struct {
	c       helpscout.Conversation
	threads []helpscout.Thread // without line items; nil: not known yet
	ids     map[threadID]int
	known   bool
}

// threadID is what a thread is recognised by.
type threadID struct {
	kind string
	at   int64
	text string
}

func (t threadID) short() (d [8]byte) {
	sum := sha256.Sum256([]byte(t.kind + "\x00" + strconv.FormatInt(t.at, 10) + "\x00" + t.text))
	return [8]byte(sum[:8])
}

func (l *lost) firstThread() [8]byte {
	if len(l.ev.Threads) == 0 {
		return [8]byte{}
	}
	t := l.ev.Threads[0]
	return threadID{t.Type, t.At, t.Text}.short()
}

// page asks for one page of a list with its threads. Where that is more than one answer can hold, it asks without.
func (r *recovery) page(ctx context.Context, q helpscout.ListQuery, n int) ([]helpscout.Conversation, helpscout.Page, error) {
	if err := r.halted(ctx); err != nil {
		return nil, helpscout.Page{}, err
	}
	var p helpscout.Page
	cs, err := read(ctx, r.engine, func() (cs []helpscout.Conversation, err error) {
		cs, p, err = r.Client.Conversations(ctx, q, n)
		if helpscout.StatusOf(err) == 200 && q.EmbedThreads {
			bare := q
			bare.EmbedThreads = false
			cs, p, err = r.Client.Conversations(ctx, bare, n)
		}
		return cs, err
	})
	return cs, p, err
}

// ask finds the conversations of some seconds, given in order. One question covers the whole span where its pages cost
// less than a question for each second; otherwise each half is asked for by itself.
func (r *recovery) ask(ctx context.Context, seconds []int64, at map[int64][]*found) error {
	if len(seconds) == 0 {
		return nil
	}
	last := time.Unix(seconds[len(seconds)-1]+1, 0).UTC()
	q := helpscout.ListQuery{
		Status: "all", SortField: "number", SortOrder: "desc", EmbedThreads: true,
		Query: fmt.Sprintf("(createdAt:[%s TO %s])", stamp(seconds[0]), last.Format(helpscout.TimeLayout)),
	}
	for try := 1; ; try++ {
		cs, total, pages, err := r.span(ctx, q, len(seconds))
		if err != nil {
			return err
		}
		if pages > len(seconds) && len(seconds) > 1 {
			half := len(seconds) / 2
			if err := r.ask(ctx, seconds[:half], at); err != nil {
				return err
			}
			return r.ask(ctx, seconds[half:], at)
		}
		if total < 0 && try < 3 {
			continue // the list changed while its pages were turned: one may have slipped through
		}
		r.take(cs, seconds, at)
		return nil
	}
}

// span reads all pages of a question, or only the first when there are more than worth it and the question can be cut.
// total is -1 when the list has changed its length meanwhile.
func (r *recovery) span(ctx context.Context, q helpscout.ListQuery, worth int) (all []helpscout.Conversation, total, pages int, err error) {
	for n := 1; n <= maxWalkPages; n++ {
		cs, p, err := r.page(ctx, q, n)
		if err != nil {
			return nil, 0, 0, err
		}
		all = append(all, cs...)
		if n == 1 {
			total, pages = p.TotalElements, p.TotalPages
			if pages > worth && worth > 1 {
				return nil, total, pages, nil
			}
		} else if p.TotalElements != total {
			total = -1
		}
		if len(cs) == 0 || p.TotalPages > 0 && n >= p.TotalPages {
			break
		}
	}
	return all, total, pages, nil
}

// take sorts conversations under their seconds, each once; those of other seconds are only remembered by their
// threads.
func (r *recovery) take(cs []helpscout.Conversation, seconds []int64, at map[int64][]*found) {
	seen := map[int64]bool{}
	for _, c := range cs {
		sec := c.CreatedAt.Unix()
		if seen[c.ID] {
			continue
		}
		seen[c.ID] = true
		if _, ok := slices.BinarySearch(seconds, sec); ok {
			at[sec] = append(at[sec], &found{c: c})
		} else {
			r.remember(c.ID, c.Embedded.Threads)
		}
	}
}

// remember keeps the threads of a conversation that is nobody's: those of a merged one may be among them.
func (r *recovery) remember(id int64, threads []helpscout.Thread) {
	if len(r.strange) > 1<<20 {
		return
	}
	for _, t := range threads {
		if t.Type != "lineitem" {
			r.strange[threadID{t.CreatedType(), t.CreatedAt.Unix(), textDigest(t.Body)}.short()] = id
		}
	}
}

// free leaves the conversations that no part of this job owns and that are still there, by number.
func (r *recovery) free(ctx context.Context, cands []*found) (out []*found, err error) {
	for _, f := range cands {
		_, owned, err := r.store.Owner(ctx, f.c.ID)
		if err != nil {
			return nil, err
		}
		if !owned && !strings.EqualFold(f.c.State, "deleted") {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b *found) int { return int(a.c.Number - b.c.Number) })
	return out, nil
}

// load reads the threads of a conversation, once: they came with the list, or cost a call.
func (r *recovery) load(ctx context.Context, f *found) error {
	if f.known {
		return nil
	}
	f.known, f.ids = true, map[threadID]int{}
	threads := f.c.Embedded.Threads
	if len(threads) < max(f.c.ThreadCount, 1) {
		var err error
		threads, err = read(ctx, r.engine, func() ([]helpscout.Thread, error) { return r.Client.Threads(ctx, f.c.ID) })
		if err != nil && helpscout.KindOf(err) != helpscout.Rejected {
			return err
		}
	}
	for _, t := range threads {
		if t.Type != "lineitem" {
			f.threads = append(f.threads, t)
			f.ids[threadID{t.CreatedType(), t.CreatedAt.Unix(), textDigest(t.Body)}]++
		}
	}
	return nil
}

// A likeness says how sure it is that a conversation is a part.
type likeness int

const (
	notAlike  likeness = iota
	resembles          // something of it: the part must not be sent, but whether it is this one a person has to say
	shorter            // some of our threads and no others: messages came to the source since
	goneOn             // all our threads, and more, or other head data: people went on with it
	rewritten          // head data, and type and time of every thread, but not the texts
	equal              // everything that can be read back
)

func (r *recovery) compare(l *lost, f *found) likeness {
	have := 0
	left := map[threadID]int{}
	for _, t := range l.ev.Threads {
		id := threadID{t.Type, t.At, t.Text}
		if left[id]++; left[id] <= f.ids[id] {
			have++
		}
	}
	head := alike(l.ev, &f.c)
	ours := byAPI(&f.c)
	same := len(l.ev.Threads) == len(f.threads)
	switch {
	case head && same && have == len(f.threads) && ours:
		return equal
	case head && same && ours && len(threadDifferences(sansFiles(l.ev), f.threads)) == 0:
		return rewritten
	case have > 0 && have == len(l.ev.Threads) && ours && r.tagged(f):
		return goneOn
	case head && have > 0 && have == len(f.threads) && ours:
		return shorter
	case head && same, ours && (have > 0 || sameSubject(f.c.Subject, l.ev.Subject) && f.c.MailboxID == l.ev.Mailbox):
		return resembles
	}
	return notAlike
}

// tagged reports that a conversation bears the job's tag, where the job has one.
func (r *recovery) tagged(f *found) bool {
	want := strings.TrimSpace(r.Mapping.JobTag)
	return want == "" || slices.ContainsFunc(f.c.Tags, func(t helpscout.Tag) bool { return strings.EqualFold(t.Name, want) })
}

func sansFiles(ev Evidence) Evidence {
	ev.Threads = slices.Clone(ev.Threads)
	for i := range ev.Threads {
		ev.Threads[i].Files = nil
	}
	return ev
}

// pair matches the parts of one second with the conversations of that second, one to one. Equal parts are
// interchangeable; any lesser likeness must be the only one on both sides. It returns the parts that nothing resembles.
func (r *recovery) pair(ctx context.Context, group []*lost, cands []*found) (left []*lost, err error) {
	cands, err = r.free(ctx, cands)
	if err != nil || len(cands) == 0 {
		return group, err
	}
	for _, f := range cands {
		if err := r.load(ctx, f); err != nil {
			return nil, err
		}
	}
	// Those with more tags choose first: a conversation with a tag too many is alike to a part without it.
	slices.SortStableFunc(group, func(a, b *lost) int { return len(b.ev.Tags) - len(a.ev.Tags) })
	whole := group
	likes := make(map[*lost]map[*found]likeness, len(group))
	for _, l := range group {
		likes[l] = map[*found]likeness{}
		for _, f := range cands {
			if k := r.compare(l, f); k != notAlike {
				likes[l][f] = k
			}
		}
	}
	for _, k := range []likeness{equal, rewritten, goneOn, shorter} {
		if group, cands, err = r.claimAt(ctx, k, group, cands, likes); err != nil {
			return nil, err
		}
	}
	r.surplus(whole, cands, likes)
	for _, l := range group {
		id := int64(0)
		for _, f := range cands {
			if likes[l][f] != notAlike {
				id = f.c.ID
			}
		}
		if id == 0 {
			left = append(left, l)
			continue
		}
		if err := r.ambiguous(ctx, l, id, "is of the same second and resembles it, but is not clearly it"); err != nil {
			return nil, err
		}
	}
	for _, f := range cands {
		r.remember(f.c.ID, f.threads)
	}
	return left, nil
}

// claimAt adopts the pairs of one likeness.
func (r *recovery) claimAt(ctx context.Context, k likeness, group []*lost, cands []*found, likes map[*lost]map[*found]likeness) (rest []*lost, free []*found, err error) {
	used := map[*found]bool{}
	for _, l := range group {
		var mine []*found
		for _, f := range cands {
			if !used[f] && likes[l][f] == k {
				mine = append(mine, f)
			}
		}
		if len(mine) == 0 || k != equal && (len(mine) > 1 || rivals(group, mine[0], k, likes) > 1) {
			rest = append(rest, l)
			continue
		}
		if err := r.adopt(ctx, l, mine[0], k); err != nil {
			return nil, nil, err
		}
		used[mine[0]] = true
	}
	free = slices.DeleteFunc(slices.Clone(cands), func(f *found) bool { return used[f] })
	return rest, free, nil
}

func rivals(group []*lost, f *found, k likeness, likes map[*lost]map[*found]likeness) (n int) {
	for _, l := range group {
		if likes[l][f] == k {
			n++
		}
	}
	return n
}

// surplus lists the conversations that are equal to a part and left over when every part has its own.
func (r *recovery) surplus(group []*lost, cands []*found, likes map[*lost]map[*found]likeness) {
	for _, f := range cands {
		for _, l := range group {
			if likes[l][f] != equal {
				continue
			}
			r.doubled = append(r.doubled, Outcome{
				Key: l.row.Ticket, ID: l.row.LegacyID, Part: l.row.Number, Place: l.row.Place, Candidate: f.c.ID,
				Reason: fmt.Sprintf("the account holds it more than once: conversation %d (#%d) too; look at both and delete one", f.c.ID, f.c.Number),
			})
			break
		}
	}
}

// adopt takes a conversation for a part: its messages have their place, its files are due only where they are missing.
func (r *recovery) adopt(ctx context.Context, l *lost, f *found, k likeness) error {
	ev, messages, files := l.ev, l.messages, l.missingFiles(f)
	if k == shorter {
		ev, messages, files = l.only(f)
		if err := r.store.Set(ctx, factPlanned, ""); err != nil { // the next run plans anew and appends the rest
			return err
		}
	}
	in := checkpoint.Intent{Run: r.run, At: time.Now(), Evidence: ev.encode(), Messages: messages, Effects: files}
	err := r.store.Adopt(context.WithoutCancel(ctx), l.row.ID, f.c.ID, in)
	var taken *checkpoint.ClaimedError
	if errors.As(err, &taken) {
		return nil // it stays pending; the next look finds it again
	}
	if err != nil {
		return r.placed(err)
	}
	if fatal, _ := differences(sansFiles(ev), &f.c, f.threads); len(fatal) == 0 && k == equal {
		r.alike++
	}
	switch k {
	case rewritten:
		r.explain(sources.Warning, "text-differs", &l.row, fmt.Sprintf("conversation %d is taken for it, but not all its texts read as they would be sent", f.c.ID))
	case goneOn:
		r.remember(f.c.ID, f.beyond(ev))
		r.explain(sources.Info, "gone-on-with", &l.row, fmt.Sprintf("conversation %d was changed since it was imported; all that was sent is there", f.c.ID))
	}
	r.number(f.c.Number)
	r.finished(l.row.Ticket, f.c.ID)
	return nil
}

// beyond lists the threads of a conversation that a part does not account for.
func (f *found) beyond(ev Evidence) (out []helpscout.Thread) {
	mine := map[threadID]int{}
	for _, t := range ev.Threads {
		mine[threadID{t.Type, t.At, t.Text}]++
	}
	for _, t := range f.threads {
		id := threadID{t.CreatedType(), t.CreatedAt.Unix(), textDigest(t.Body)}
		if mine[id]--; mine[id] < 0 {
			out = append(out, t)
		}
	}
	return out
}

func (r *recovery) number(n int64) {
	if r.lowest == 0 || n < r.lowest {
		r.lowest = n
	}
}

// missingFiles are the uploads of files that their threads do not show. A thread with as many files as were sent has
// them, whatever the server calls them, and one that the server refused is named in a note.
func (l *lost) missingFiles(f *found) (out []checkpoint.Effect) {
	for _, ef := range l.files {
		ev, ok := decodeEffect(ef.Evidence)
		if !ok {
			continue
		}
		noted := slices.ContainsFunc(f.threads, func(t helpscout.Thread) bool { return strings.Contains(t.Body, ev.SHA) })
		t := nthThread(f.threads, ev.Find, ev.Nth)
		if noted || t != nil && (countFiles(t, ev.Name, ev.Size) > 0 || len(t.Embedded.Attachments) >= l.filesOf(ev.Thread)) {
			continue
		}
		out = append(out, ef)
	}
	return out
}

func (l *lost) filesOf(thread int) (n int) {
	for _, ef := range l.files {
		if ev, ok := decodeEffect(ef.Evidence); ok && ev.Thread == thread {
			n++
		}
	}
	return n
}

// only cuts a part down to the threads that a conversation has: the other messages have come to the source since.
func (l *lost) only(f *found) (ev Evidence, messages []checkpoint.NewMessage, files []checkpoint.Effect) {
	there := map[int]bool{}
	used := map[threadID]int{}
	ev = l.ev
	ev.Threads = nil
	for i, t := range l.ev.Threads {
		id := threadID{t.Type, t.At, t.Text}
		if used[id]++; used[id] <= f.ids[id] {
			there[i] = true
			ev.Threads = append(ev.Threads, t)
		}
	}
	for _, m := range l.messages {
		if there[m.Thread] {
			messages = append(messages, m)
		}
	}
	for _, ef := range l.missingFiles(f) {
		if e, ok := decodeEffect(ef.Evidence); ok && there[e.Thread] {
			files = append(files, ef)
		}
	}
	return ev, messages, files
}

// ambiguous leaves a part in doubt, with the conversation that may be it: it is not sent before a person has looked, or
// the conversation is gone.
func (r *recovery) ambiguous(ctx context.Context, l *lost, id int64, how string) error {
	keep := context.WithoutCancel(ctx)
	now := time.Now()
	in := checkpoint.Intent{Run: r.run, At: now, Evidence: l.ev.encode(), Messages: l.messages}
	if err := r.store.Begin(keep, l.row.ID, in); err != nil {
		return r.placed(err)
	}
	if err := r.store.Doubt(keep, l.row.ID, "recover: ambiguous", now); err != nil {
		return err
	}
	if r.lowest == 0 || id != 0 {
		if c, err := read(ctx, r.engine, func() (*helpscout.Conversation, error) { return r.Client.Conversation(ctx, id, false) }); err == nil {
			r.number(c.Number)
		} else if helpscout.KindOf(err) != helpscout.Rejected {
			return err
		}
	}
	return r.near(keep, doubt{row: l.row}, id, how)
}
