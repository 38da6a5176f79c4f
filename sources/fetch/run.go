package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"hsimport/sources"
)

// A Job is one pass over a source's tickets that brings the files it still needs into a folder.
type Job struct {
	// Tickets are those of the source, with its Desk on the same folder. They are read twice. A *sources.RecordError in
	// the place of a ticket skips it; any other error ends the job.
	Tickets func(context.Context) iter.Seq2[*sources.Ticket, error]
	Folder  string
	Options Options
	// RetryFailed asks again for what was refused before; what the network kept back is always asked for again.
	RetryFailed bool
	// Begin sees what was found before anything is asked for; an error ends the job there. It may be nil.
	Begin func(*Report) error
	// Progress is called after each file, one call at a time; it may be nil.
	Progress func(done, todo int)
	// Found is called for each file that could not be had, one call at a time; it may be nil.
	Found func(Failure)
}

// A Failure is a file that could not be had, with the first place of the source that names it.
type Failure struct {
	URL      string           `json:"url"`
	Reason   string           `json:"reason"`
	Position sources.Position `json:"position"`
}

// A Report says what a job found and did. Files are counted once, however often they are named:
//
//	Files = Here + Fetched + Failed + Left
type Report struct {
	Files   int   `json:"files"`   // addresses in the source
	Here    int   `json:"here"`    // those whose content was in the folder before
	Fetched int   `json:"fetched"` // those that came now
	Bytes   int64 `json:"bytes"`   // of Fetched
	Failed  int   `json:"failed"`  // asked for, now or by an earlier run, and not had
	Left    int   `json:"left"`    // not asked for: the job ended before, or their host gave no answer
	Skipped int   `json:"skipped"` // tickets that could not be read

	Hosts   []HostCount `json:"hosts"`   // of Files, by host
	Reasons []Count     `json:"reasons"` // of Failed, the commonest first
}

// A HostCount is what one host has. Here, Fetched, Failed and Left add up to Files.
type HostCount struct {
	Host    string `json:"host"`
	Files   int    `json:"files"`
	Here    int    `json:"here"`
	Fetched int    `json:"fetched"`
	Failed  int    `json:"failed"`
	Left    int    `json:"left"`
	Allowed bool   `json:"allowed"` // it is among the hosts that may be asked
}

// A Count is a reason and how often it was given.
type Count struct {
	Reason string `json:"reason"`
	N      int    `json:"n"`
}

// workers is how many files are on their way at a time.
const workers = 4

// patience is how many files of a host in a row may fail for want of an answer before the host is left alone.
const patience = 5

// Survey counts the files without asking for any and without making the folder: what Run would ask for is Left.
func (j *Job) Survey(ctx context.Context) (*Report, error) {
	c, err := j.survey(ctx)
	if err != nil {
		return nil, err
	}
	return c.report(), nil
}

func (j *Job) survey(ctx context.Context) (*counter, error) {
	c := newCounter(j)
	store, err := Open(j.Folder)
	switch {
	case err == nil:
		defer store.Close()
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	for w, err := range j.walk(ctx, store, &c.skipped) {
		if err != nil {
			return nil, err
		}
		state, reason := j.state(store, w.url)
		c.count(w, state, reason)
	}
	return c, nil
}

// Run brings what is missing. The error is the reason why it ended early; the report holds what was done until then,
// and is nil only if the source could not be read.
func (j *Job) Run(ctx context.Context) (*Report, error) {
	c, err := j.survey(ctx)
	if err != nil {
		return nil, err
	}
	before := c.report()
	if j.Begin != nil {
		if err := j.Begin(before); err != nil {
			return before, err
		}
	}
	if c.todo = before.Left; c.todo == 0 {
		return before, nil
	}
	store, err := Create(j.Folder)
	if err != nil {
		return c.report(), err
	}
	err = j.fetch(ctx, c, store)
	return c.report(), errors.Join(err, store.Close())
}

// fetch asks for what is to do, some files at a time.
func (j *Job) fetch(ctx context.Context, c *counter, store *Store) error {
	f := New(store, j.Options)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for w, err := range j.walk(gctx, store, new(int)) {
		if err != nil {
			return cmp.Or(g.Wait(), err)
		}
		if state, _ := j.state(store, w.url); state == left && !c.silent(w.host) {
			g.Go(func() error { return j.one(gctx, c, f, w) })
		}
	}
	return g.Wait()
}

func (j *Job) one(ctx context.Context, c *counter, f *Fetcher, w wanted) error {
	o, err := f.Get(ctx, w.url)
	if err != nil {
		return err
	}
	c.settle(w, o)
	return nil
}

// wanted is a file that the source names.
type wanted struct {
	url, host string
	at        sources.Position
}

// walk yields every address of the source once; store is nil when nothing was fetched yet. An error of the source is
// the last thing it yields.
func (j *Job) walk(ctx context.Context, store *Store, skipped *int) iter.Seq2[wanted, error] {
	return func(yield func(wanted, error) bool) {
		seen := map[urlKey]bool{}
		for t, err := range j.Tickets(ctx) {
			var record *sources.RecordError
			if errors.As(err, &record) {
				*skipped++
				continue
			}
			if err != nil {
				yield(wanted{}, err)
				return
			}
			for a := range remote(t, store) {
				k := keyOf(a.Location)
				if seen[k] {
					continue
				}
				seen[k] = true
				if !yield(wanted{a.Location, HostOf(a.Location), a.Position}, nil) {
					return
				}
			}
		}
	}
}

// remote yields the attachments of a ticket that lie, or lay, with the old desk. A mail's own file may name an address
// too, that of a page it was taken from: it has its content, and nobody has fetched it.
func remote(t *sources.Ticket, store *Store) iter.Seq[*sources.Attachment] {
	return func(yield func(*sources.Attachment) bool) {
		for _, m := range t.Messages {
			for _, a := range m.Attachments {
				if HostOf(a.Location) == "" {
					continue
				}
				if a.Missing == "" {
					if store == nil {
						continue
					}
					if _, fetched := store.Find(a.Location); !fetched {
						continue
					}
				}
				if !yield(a) {
					return
				}
			}
		}
	}
}

// state is what is to be said about an address before anything is asked: here, failed with its reason, or left.
func (j *Job) state(store *Store, url string) (outcome, string) {
	if store == nil {
		return left, ""
	}
	switch o, ok := store.Find(url); {
	case ok && store.has(o):
		return here, ""
	case ok && o.Failure != "" && !o.Passing && !j.RetryFailed:
		return failed, o.Failure
	}
	return left, ""
}

// An outcome is what became of a file.
type outcome int

const (
	left outcome = iota
	here
	failed
)

// A counter keeps the account of a job. It is safe for concurrent use.
type counter struct {
	job     *Job
	todo    int
	skipped int

	mu      sync.Mutex
	done    int
	bytes   int64
	hosts   map[string]*HostCount
	reasons map[string]int
	streak  map[string]int // failures of a host in a row for want of an answer
}

func newCounter(j *Job) *counter {
	return &counter{job: j, hosts: map[string]*HostCount{}, reasons: map[string]int{}, streak: map[string]int{}}
}

// count takes up one file.
func (c *counter) count(w wanted, o outcome, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.hosts[w.host]
	if h == nil {
		h = &HostCount{Host: w.host, Allowed: c.job.Options.Hosts.Hold(w.host)}
		c.hosts[w.host] = h
	}
	h.Files++
	switch o {
	case here:
		h.Here++
	case failed:
		c.failure(h, w, reason)
	case left:
		h.Left++
	}
}

func (c *counter) failure(h *HostCount, w wanted, reason string) {
	h.Failed++
	c.reasons[reason]++
	if c.job.Found != nil {
		c.job.Found(Failure{shown(w.url), reason, w.at})
	}
}

// settle says what became of a file that was left.
func (c *counter) settle(w wanted, o Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.hosts[w.host]
	h.Left--
	if o.Failure != "" {
		c.failure(h, w, o.Failure)
	} else {
		h.Fetched++
		c.bytes += o.Size
	}
	switch {
	case o.Passing && h.Allowed && o.Failure != errPrivate.Error():
		c.streak[w.host]++
	case c.streak[w.host] < patience:
		c.streak[w.host] = 0
	}
	c.done++
	if c.job.Progress != nil {
		c.job.Progress(c.done, c.todo)
	}
}

// silent says that a host has long given no answer.
func (c *counter) silent(host string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.streak[host] >= patience
}

func (c *counter) report() *Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &Report{Skipped: c.skipped, Bytes: c.bytes, Hosts: []HostCount{}, Reasons: []Count{}}
	for _, h := range c.hosts {
		r.Files, r.Here, r.Fetched, r.Failed, r.Left = r.Files+h.Files, r.Here+h.Here, r.Fetched+h.Fetched, r.Failed+h.Failed, r.Left+h.Left
		r.Hosts = append(r.Hosts, *h)
	}
	slices.SortFunc(r.Hosts, func(a, b HostCount) int {
		return cmp.Or(cmp.Compare(b.Files, a.Files), strings.Compare(a.Host, b.Host))
	})
	for reason, n := range c.reasons {
		r.Reasons = append(r.Reasons, Count{reason, n})
	}
	slices.SortFunc(r.Reasons, func(a, b Count) int { return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Reason, b.Reason)) })
	return r
}

// Silent names the hosts that may be asked and have files left: they gave no answer, or the job ended early.
func (r *Report) Silent() (hosts []string) {
	for _, h := range r.Hosts {
		if h.Left > 0 && h.Allowed {
			hosts = append(hosts, h.Host)
		}
	}
	return hosts
}

// Check reports a sum that does not close; that is an error of ours.
func (r *Report) Check() error {
	if sum := r.Here + r.Fetched + r.Failed + r.Left; sum != r.Files {
		return fmt.Errorf("fetch: %d files accounted for, %d found", sum, r.Files)
	}
	return nil
}
