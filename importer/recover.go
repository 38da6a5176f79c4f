package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// Facts that recover leaves for the next run.
const (
	factUnconfirmed = "unconfirmed" // nobody was asked yet whether this job may write into the account
	suffixBeside    = ".recovering" // where a new checkpoint is made, until all is found
)

const (
	recoverQuiet  = 3    // pages of the newest conversations without anything of ours that end the walk
	recoverMerged = 1000 // parts not found that are each looked for inside other conversations, one unit each
)

// Recover makes a checkpoint from what the account holds, or with merge brings a stale one up to date. Every part the
// source would create is looked for by its second; what matches in all that can be read back is adopted, one to one.
// What resembles a part without being equal leaves the part in doubt with the conversation named; what is there more
// than once is listed. The account is only read. The rest is pending: a run creates it.
//
// It costs about one unit for fifty conversations where the account holds little else, at most three for each second
// in which a part was created. A checkpoint appears complete or not at all: what is interrupted begins anew.
//
// Exit codes are those of a run, but parts still pending are no reason to end with 5. 6: something is ambiguous or
// there more than once.
func Recover(ctx context.Context, job *Job, merge bool) *Report {
	e := newEngine(job, "recover")
	e.hard = ctx
	soft := ctx
	if job.Soft != nil {
		soft = job.Soft
	}
	r := &recovery{engine: e, merge: merge}
	err := r.all(soft)
	if err != nil && !merge {
		r.discard()
	}
	e.sum(context.WithoutCancel(ctx), err)
	if err == nil && !merge {
		r.place()
	}
	return e.rep
}

// recovery is one recover in progress.
type recovery struct {
	*engine
	merge   bool
	pool    []*lost // parts whose second has not been asked for yet
	missing []missing
	alike   int   // adopted parts that read back just as they would be sent
	lowest  int64 // number of a conversation that is or may be ours; 0: none
	strange map[[8]byte]int64
	doubled []Outcome

	outdated bool            // the plan of the checkpoint: the next run makes it anew
	plain    *mapping.Mapper // without a clock; made when it is first needed
}

// missing is a part that was not found, in few bytes: there may be a million.
type missing struct {
	second int64
	part   int64
	first  [8]byte // digest of its first thread, to be recognised inside another conversation
}

func (r *recovery) all(ctx context.Context) error {
	acc, err := r.bind(ctx)
	if err != nil {
		return err
	}
	if err := r.openFor(ctx, acc); err != nil {
		return err
	}
	r.tell(Event{Kind: EventPhase, Text: "planning " + plural(r.Source.Len(), "ticket", "tickets")})
	if err := r.plan(ctx); err != nil {
		return err
	}
	if err := r.judge(); err != nil {
		return err
	}
	if err := r.countTodo(ctx); err != nil {
		return err
	}
	r.run, err = r.store.BeginRun(ctx, checkpoint.Run{Command: "recover", SourceDigest: r.Source.Digest(), MappingDigest: r.mapper.Digest(), ToolVersion: r.Version, StartedAt: r.rep.Started})
	if err != nil {
		return err
	}
	r.strange = map[[8]byte]int64{}
	if r.merge {
		if err := r.staleEffects(ctx); err != nil {
			return err
		}
	}
	r.tell(Event{Kind: EventPhase, Text: fmt.Sprintf("looking for %s in the account", plural(r.todo, "conversation", "conversations"))})
	if err := r.bySource(ctx); err != nil {
		return err
	}
	if err := r.newestToo(ctx); err != nil {
		return err
	}
	if err := r.merged(ctx); err != nil {
		return err
	}
	return r.leaveFacts(ctx)
}

// openFor makes a new checkpoint beside its place, or opens the stale one.
func (r *recovery) openFor(ctx context.Context, acc *Account) (err error) {
	if r.merge {
		if r.store, err = checkpoint.Open(ctx, r.Checkpoint, r.job(acc)); err != nil {
			return checkpointStop(err)
		}
		r.store.SetFault(r.Fault)
		if err := r.rightKind(ctx); err != nil {
			return err
		}
		if _, err := r.store.Recover(ctx, time.Now()); err != nil {
			return err
		}
		return r.stillThere(ctx)
	}
	if _, err := os.Lstat(r.Checkpoint); err == nil {
		return &Stop{
			Code: ExitCheckpoint, Err: fmt.Errorf("recover: checkpoint %s: %w", r.Checkpoint, checkpoint.ErrExists),
			Hint: "--merge brings it up to date with what the account holds; or move it away, and a new one is made",
		}
	}
	removeDatabase(r.Checkpoint + suffixBeside)
	if r.store, err = checkpoint.Create(ctx, r.Checkpoint+suffixBeside, r.job(acc)); err != nil {
		return checkpointStop(err)
	}
	r.store.SetFault(r.Fault)
	return nil
}

// discard removes a new checkpoint that did not get done.
func (r *recovery) discard() {
	if r.store == nil {
		return
	}
	_ = r.store.Close() // it is thrown away
	r.store = nil
	removeDatabase(r.Checkpoint + suffixBeside)
}

// place puts the finished checkpoint where runs look for it, and never over another one.
func (r *recovery) place() {
	beside := r.Checkpoint + suffixBeside
	err := os.Link(beside, r.Checkpoint)
	if err != nil && !errors.Is(err, os.ErrExist) { // no hard links here
		err = os.Rename(beside, r.Checkpoint)
	}
	removeDatabase(beside)
	if err != nil {
		r.rep.Cause = checkpointStop(fmt.Errorf("recover: checkpoint %s: %w", r.Checkpoint, err))
		r.rep.Summary.ExitCode, r.rep.Summary.Cause = ExitCheckpoint, r.rep.Cause.Error()
	}
}

// bySource goes through the source in its order, which is that of time, and asks the account for the seconds of each
// batch.
func (r *recovery) bySource(ctx context.Context) error {
	since := 0
	err := mapAll(ctx, r.Source, r.mapper, func(m mapped) error {
		if since >= batch {
			since = 0
			if err := r.look(ctx, r.Source.Entry(m.index).Created.Unix()); err != nil {
				return err
			}
		}
		since++
		found, err := r.lostOf(ctx, m)
		r.pool = append(r.pool, found...)
		return err
	})
	if err != nil {
		return err
	}
	return r.look(ctx, 1<<62)
}

// lostOf lists the parts of a ticket that are to be looked for.
func (r *recovery) lostOf(ctx context.Context, m mapped) (out []*lost, err error) {
	if m.plan == nil || m.plan.Refused != "" || m.plan.Excluded != "" {
		return nil, nil
	}
	rows, err := r.store.PartsOf(ctx, string(m.plan.Key))
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if row := &rows[i]; row.State == checkpoint.Pending && row.Number <= len(m.plan.Parts) && !goesOn(row) {
			out = append(out, newLost(row, &m))
		}
	}
	return out, nil
}

// look asks for all pooled parts of a second before the given one: no later ticket can have a part there.
func (r *recovery) look(ctx context.Context, before int64) error {
	slices.SortStableFunc(r.pool, func(a, b *lost) int { return int(a.ev.Created - b.ev.Created) })
	n := 0
	for n < len(r.pool) && r.pool[n].ev.Created < before {
		n++
	}
	ready := r.pool[:n]
	r.pool = slices.Clone(r.pool[n:])
	var seconds []int64
	for _, l := range ready {
		seconds = append(seconds, l.ev.Created)
	}
	seconds = slices.Compact(seconds)
	at := map[int64][]*found{}
	err := lister{r.engine, true}.ask(ctx, seconds, func(c helpscout.Conversation) {
		sec := c.CreatedAt.Unix()
		if _, ok := slices.BinarySearch(seconds, sec); ok {
			at[sec] = append(at[sec], &found{c: c})
		} else {
			r.remember(c.ID, c.Embedded.Threads)
		}
	})
	if err != nil {
		return err
	}
	for len(ready) > 0 {
		n := 1
		for n < len(ready) && ready[n].ev.Created == ready[0].ev.Created {
			n++
		}
		left, err := r.pair(ctx, ready[:n], at[ready[0].ev.Created])
		if err != nil {
			return err
		}
		for _, l := range left {
			r.missing = append(r.missing, missing{l.ev.Created, l.row.ID, l.firstThread()})
		}
		ready = ready[n:]
	}
	return nil
}

// newestToo walks the newest conversations, because the search by time lags behind what was created last. It ends
// after some pages that show nothing new of ours.
func (r *recovery) newestToo(ctx context.Context) error {
	if len(r.missing) == 0 {
		return nil
	}
	slices.SortStableFunc(r.missing, func(a, b missing) int { return cmp.Compare(a.second, b.second) })
	q := helpscout.ListQuery{Status: "all", SortField: "number", SortOrder: "desc"}
	list := lister{r.engine, true}
	quiet := 0
	for n := 1; quiet < recoverQuiet && n <= maxWalkPages; n++ {
		cs, page, err := list.page(ctx, q, n)
		if err != nil {
			return err
		}
		before := len(r.missing)
		at := map[int64][]*found{}
		for i := range cs {
			at[cs[i].CreatedAt.Unix()] = append(at[cs[i].CreatedAt.Unix()], &found{c: cs[i]})
		}
		if err := r.pairMissing(ctx, at); err != nil {
			return err
		}
		if quiet++; len(r.missing) < before {
			quiet = 0
		}
		if len(cs) == 0 || page.TotalPages > 0 && n >= page.TotalPages {
			return nil
		}
	}
	return nil
}

// pairMissing tries the parts not found against conversations that have turned up since.
func (r *recovery) pairMissing(ctx context.Context, at map[int64][]*found) error {
	for _, second := range sortedKeys(at) {
		from, _ := slices.BinarySearchFunc(r.missing, second, func(m missing, s int64) int { return int(m.second - s) })
		to := from
		for to < len(r.missing) && r.missing[to].second == second {
			to++
		}
		cands, err := r.free(ctx, at[second])
		if err != nil {
			return err
		}
		if from == to || len(cands) == 0 {
			continue
		}
		var group []*lost
		for _, m := range r.missing[from:to] {
			l, err := r.again(ctx, m.part)
			if err != nil {
				return err
			}
			if l != nil {
				group = append(group, l)
			}
		}
		left, err := r.pair(ctx, group, cands)
		if err != nil {
			return err
		}
		stays := map[int64]bool{}
		for _, l := range left {
			stays[l.row.ID] = true
		}
		rest := slices.DeleteFunc(slices.Clone(r.missing[from:to]), func(m missing) bool { return !stays[m.part] })
		r.missing = slices.Replace(r.missing, from, to, rest...)
	}
	return nil
}

func sortedKeys[V any](m map[int64]V) []int64 {
	keys := make([]int64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// again maps the ticket of a part once more; nil when the part is not pending any more.
func (r *recovery) again(ctx context.Context, part int64) (*lost, error) {
	row, err := r.store.PartByID(ctx, part)
	if err != nil || row == nil || row.State != checkpoint.Pending {
		return nil, err
	}
	m, err := r.mapAgain(ctx, row.Ticket)
	if err != nil || m == nil || m.plan == nil || row.Number > len(m.plan.Parts) || goesOn(row) {
		return nil, err
	}
	return newLost(row, m), nil
}

// merged looks for parts whose messages have turned up inside another conversation: people merge conversations, and a
// merged one is not listed any more. What was seen on the way is known by its first thread; a further question for
// each customer is asked where they are not too many.
func (r *recovery) merged(ctx context.Context) error {
	ask := len(r.missing) <= recoverMerged && r.lowest != 0
	if !ask && r.lowest != 0 {
		r.warn("merged-not-asked", fmt.Sprintf("%s conversations were not found; that many are not looked for inside others, into which people may have merged them", sources.Thousands(len(r.missing))))
	}
	for _, m := range r.missing {
		id := r.strange[m.first]
		if id == 0 && !ask {
			continue
		}
		l, err := r.again(ctx, m.part)
		if err != nil {
			return err
		}
		if l == nil {
			continue
		}
		if id == 0 {
			if id, err = r.mergedInto(ctx, doubt{row: l.row, ev: l.ev}); err != nil {
				return err
			}
		}
		if id != 0 {
			if err := r.ambiguous(ctx, l, id, "holds the first message of this part (merged?)"); err != nil {
				return err
			}
		}
	}
	return nil
}

// stillHolds looks into the conversation that was named as a candidate earlier: its messages may stand in that of another
// customer, where a question for the part's own customer does not find them.
func (e *engine) stillHolds(ctx context.Context, d doubt) (int64, error) {
	id := d.row.Candidate
	if id == 0 || len(d.ev.Threads) == 0 {
		return 0, nil
	}
	threads, err := read(ctx, e, func() ([]helpscout.Thread, error) { return e.Client.Threads(ctx, id) })
	if err != nil {
		if helpscout.KindOf(err) == helpscout.Rejected {
			err = nil
		}
		return 0, err
	}
	if countThreads(threads, d.ev.Threads[0]) == 0 {
		return 0, nil
	}
	if mine, err := e.ownedWithText(ctx, id, d.ev.Threads[0]); err != nil || mine {
		return 0, err
	}
	return id, nil
}

// leaveFacts writes down what the next run has to know.
func (r *recovery) leaveFacts(ctx context.Context) error {
	if r.alike > 0 { // they were read back and are as they would be sent, which is all that the canary asks
		if err := r.store.Set(ctx, canaryCreate, canaryPassed); err != nil {
			return err
		}
	}
	r.rep.Doubtful = append(r.rep.Doubtful, r.doubled...)
	r.doubtfulEffects += len(r.doubled) // both end with 6
	if r.merge {
		return nil // it has them
	}
	if err := r.store.Set(ctx, factUnconfirmed, "yes"); err != nil {
		return err
	}
	n := r.lowest - 1
	if r.lowest == 0 {
		var err error
		if n, err = r.highestNumber(ctx); err != nil {
			return err
		}
	}
	return r.store.Set(ctx, factNumber, strconv.FormatInt(n, 10))
}

// confirmRecovered asks what a run asks before the first write of a new checkpoint, once, for one that recover made.
func (e *engine) confirmRecovered(ctx context.Context, acc *Account) error {
	v, _, err := e.store.Get(ctx, factUnconfirmed)
	if err != nil || v == "" {
		return err
	}
	e.sideEffects(ctx, acc)
	e.rep.Findings.Add(acc.findings()...)
	if err := e.overlaps(ctx); err != nil {
		return err
	}
	if err := e.judge(); err != nil {
		return err
	}
	if err := e.gate(ctx, acc); err != nil {
		return err
	}
	return e.store.Set(ctx, factUnconfirmed, "")
}

// explain is a finding about one part.
func (r *recovery) explain(sev sources.Severity, code string, row *checkpoint.Part, text string) {
	r.rep.Findings.Add(mapping.Finding{Severity: sev, Code: code, Key: sources.Key(row.Ticket), Text: text})
}
