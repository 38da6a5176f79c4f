package importer

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
)

// lost is a part that recover looks for: what it can be recognised by, and what its row needs once it is found.
type lost struct {
	row      checkpoint.Part
	ev       Evidence
	messages []checkpoint.NewMessage
	files    []checkpoint.Effect // an upload for every file, to be left out where the file is there
}

func newLost(row *checkpoint.Part, m *mapped) *lost {
	part := m.plan.Parts[row.Number-1]
	conv := part.Conversation
	conv.Threads = slices.Clone(conv.Threads)
	l := &lost{row: *row, ev: evidenceOf(&conv, part)}
	l.ev.Source = sourceSign(m.ticket)
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
	traces  bool // of what people or workflows have done
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
	held := make([]helpscout.Conversation, 0, len(cands))
	for _, f := range cands {
		held = append(held, f.c)
	}
	if held, err = r.notOfSibling(ctx, held); err != nil {
		return nil, err
	}
	for _, f := range cands {
		_, owned, err := r.store.Owner(ctx, f.c.ID)
		if err != nil {
			return nil, err
		}
		owned = owned || !slices.ContainsFunc(held, func(c helpscout.Conversation) bool { return c.ID == f.c.ID })
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
	f.traces = traces(threads)
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
