package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hsimport/configs"
	"hsimport/importer"
	"hsimport/sources"
	"hsimport/sources/fetch"
)

// fetchFlags are the flags of fetch.
type fetchFlags struct {
	config      string
	retryFailed bool
	dryRun      bool
}

func (a *app) fetchCommand() *cobra.Command {
	var f fetchFlags
	cmd := &cobra.Command{
		Use: "fetch -c import.yaml", Short: "Bring attachments and images from the old desk into a folder, once", Long: fetchText,
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.fetch(cmd.Context(), &f) },
	}
	fl := cmd.Flags()
	fl.StringVarP(&f.config, "config", "c", "import.yaml", "the configuration")
	fl.BoolVar(&f.retryFailed, "retry-failed", false, "ask again for what an earlier run was refused")
	fl.BoolVar(&f.dryRun, "dry-run", false, "only count the files and name their hosts; ask for nothing")
	fl.BoolVar(&a.ui.json, "json", false, "one JSON object a line on stdout, the last one the summary")
	return cmd
}

func (a *app) fetch(parent context.Context, f *fetchFlags) error {
	c, err := a.load(f.config)
	if err != nil {
		return err
	}
	o, err := a.fetchOptions(c, f.dryRun)
	if err != nil {
		return err
	}
	_, soft, done := a.interruptible(parent)
	defer done()
	a.ui.phase("reading " + strings.Join(c.Source.Paths, ", "))
	src, err := openSource(soft, c)
	if err != nil {
		return a.inputError(err)
	}
	defer src.Close()
	job := &fetch.Job{
		Tickets: func(ctx context.Context) iter.Seq2[*sources.Ticket, error] { return eachTicket(ctx, src) },
		Folder:  c.Source.Fetch.Folder, Options: o, RetryFailed: f.retryFailed,
	}
	if f.dryRun {
		r, err := job.Survey(soft)
		if err != nil {
			return a.fetchError(err)
		}
		a.ui.fetchable(r, c)
		return r.Check()
	}
	return a.fetchAll(soft, job, c)
}

// fetchAll brings everything, after a look at whether anything may be asked at all.
func (a *app) fetchAll(soft context.Context, job *fetch.Job, c *configs.Config) error {
	job.Begin = func(r *fetch.Report) error {
		err := noneAllowed(r)
		if err != nil {
			a.ui.fetchable(r, c)
		}
		return err
	}
	n := 0
	job.Found = func(f fetch.Failure) { n++; a.ui.notHad(f, n) }
	job.Progress = func(done, todo int) {
		a.ui.event(importer.Event{Kind: importer.EventPart, Done: done, Todo: todo, At: time.Now()})
	}
	r, err := job.Run(soft)
	var stop *importer.Stop
	if r == nil || errors.As(err, &stop) {
		return a.fetchError(err)
	}
	*a.code = fetchCode(r, err)
	a.ui.fetched(r, c, *a.code, err)
	return r.Check()
}

// fetchOptions are those of the configuration, with the headers' secrets filled in where they are needed.
func (a *app) fetchOptions(c *configs.Config, dryRun bool) (fetch.Options, error) {
	f := &c.Source.Fetch
	o := fetch.Options{
		Hosts: c.FetchHosts(), MaxSize: int64(f.MaxSize), PerSecond: float64(f.Rate), AllowPrivate: f.AllowPrivate,
		UserAgent: "hsimport/" + toolVersion(),
	}
	if dryRun {
		return o, nil
	}
	headers, err := c.FetchHeaders(a.env.lookup)
	if err != nil {
		return o, &importer.Stop{Code: importer.ExitUsage, Err: err, Hint: hintFetchHeader}
	}
	o.Headers = headers
	return o, nil
}

// eachTicket reads a source from its first ticket to its last.
func eachTicket(ctx context.Context, src importer.Source) iter.Seq2[*sources.Ticket, error] {
	return func(yield func(*sources.Ticket, error) bool) {
		for i := range src.Len() {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			t, err := src.Ticket(ctx, i)
			var record *sources.RecordError
			if !yield(t, err) || err != nil && !errors.As(err, &record) {
				return
			}
		}
	}
}

// noneAllowed stops a fetch that could ask for nothing.
func noneAllowed(r *fetch.Report) error {
	var hosts []string
	for _, h := range r.Hosts {
		if h.Allowed {
			return nil
		}
		hosts = append(hosts, h.Host)
	}
	if len(hosts) == 0 {
		return nil
	}
	return &importer.Stop{
		Code: importer.ExitUsage, Err: fmt.Errorf("none of the hosts that have files may be asked: nothing was fetched"),
		Hint: fmt.Sprintf("name those that are the old desk's below source: fetch: {hosts: [%s]}", strings.Join(hosts[:min(len(hosts), 5)], ", ")),
	}
}

// fetchCode is how a fetch ends.
func fetchCode(r *fetch.Report, err error) int {
	switch {
	case errors.Is(err, context.Canceled):
		return importer.ExitInterrupted
	case err != nil:
		return importer.ExitUnexpected
	case r.Left > 0:
		return importer.ExitLeft
	case r.Failed > 0 || r.Skipped > 0:
		return importer.ExitRejected
	}
	return importer.ExitOK
}

func (a *app) fetchError(err error) error {
	var input *sources.InputError
	if errors.As(err, &input) || errors.Is(err, context.Canceled) {
		return a.inputError(err)
	}
	return err
}
