package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hsimport/configs"
	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
)

func (a *app) demoCommand() *cobra.Command {
	var serve bool
	cmd := &cobra.Command{
		Use: "demo [FILE...]", Short: "The whole way on this machine, with a kill; no account is needed", Long: demoText,
		RunE: func(cmd *cobra.Command, args []string) error {
			_, soft, done := a.interruptible(cmd.Context())
			defer done()
			return a.demo(soft, args, serve)
		},
	}
	cmd.Flags().BoolVar(&serve, "serve", false, "keep the sandbox's page open until Ctrl-C")
	return cmd
}

// A rehearsal is one job of a demo: an input, its configuration, and an account of its own.
type rehearsal struct {
	*app
	title  string
	dir    string
	files  []string // as inspect is given them
	config string
	names  *strings.Replacer // shows files as the person named them; nil: as they are
	box    *sandbox.Sandbox
	server *http.Server
	url    string
	killAt int  // conversations after which the first run is killed
	must   bool // the kill must have come in the middle
}

func (a *app) demo(ctx context.Context, files []string, serve bool) error {
	dir, err := os.MkdirTemp("", "hsimport-demo-")
	if err != nil {
		return fmt.Errorf("a folder for the demo: %w", err)
	}
	jobs, err := a.rehearsals(ctx, dir, files)
	if err != nil {
		return err
	}
	pairs := shownPairs
	for i, r := range jobs {
		if err := r.open(); err != nil {
			return err
		}
		defer r.close()
		n := (pairs + len(jobs) - 1 - i) / len(jobs)
		if err := r.show(ctx, max(n, 1)); err != nil {
			a.ui.demoKept(dir)
			return err
		}
	}
	a.ui.demoDone(dir, jobs)
	if serve {
		a.ui.demoServing(jobs)
		<-ctx.Done()
	}
	return nil
}

// rehearsals lays out the bundled sample, or a draft for a person's own files.
func (a *app) rehearsals(ctx context.Context, dir string, files []string) ([]*rehearsal, error) {
	if len(files) > 0 {
		return a.ownRehearsal(ctx, dir, files)
	}
	if err := writeSample(dir); err != nil {
		return nil, fmt.Errorf("lay out the sample: %w", err)
	}
	return []*rehearsal{
		{app: a, title: "a help desk's export", dir: dir, files: []string{filepath.Join(dir, "tickets.csv")}, config: filepath.Join(dir, "csv.yaml"), must: true},
		{app: a, title: "an archive of mail", dir: dir, files: []string{filepath.Join(dir, "archive.mbox")}, config: filepath.Join(dir, "mbox.yaml"), must: true},
	}, nil
}

func (a *app) ownRehearsal(ctx context.Context, dir string, files []string) ([]*rehearsal, error) {
	a.ui.phase("looking at " + listed(files))
	s, err := survey(ctx, files, "")
	if err != nil {
		return nil, a.inputError(err)
	}
	all := make([]string, len(files))
	for i, f := range files {
		if all[i], err = filepath.Abs(f); err != nil {
			return nil, err
		}
	}
	text, _ := configs.Draft(s, all, configs.DraftOptions{Rehearsal: true})
	config := filepath.Join(dir, "import.yaml")
	if err := os.WriteFile(config, quick(text), 0o644); err != nil {
		return nil, err
	}
	return []*rehearsal{{app: a, title: listed(files), dir: dir, files: files, config: config, names: asGiven(dir, files, all)}}, nil
}

// asGiven makes of the paths that a run under a configuration in dir shows those that the person has given.
func asGiven(dir string, given, absolute []string) *strings.Replacer {
	var pairs []string
	for i, path := range absolute {
		if rel, err := filepath.Rel(dir, path); err == nil {
			pairs = append(pairs, rel, given[i])
		}
		pairs = append(pairs, path, given[i])
	}
	return strings.NewReplacer(pairs...)
}

// open starts the account.
func (r *rehearsal) open() error {
	o := sandbox.Options{Settings: sandbox.Defaults()}
	o.Settings.QuotaLimit, o.Settings.Latency, o.Settings.LatencyJitter = 0, demoLatency, demoLatency/3
	rules, err := sandbox.ParseFaults(demoFaults)
	if err != nil {
		return err
	}
	o.Faults = rules
	if r.box, err = sandbox.New(o); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, r.box.Close())
	}
	r.url = "http://" + l.Addr().String()
	r.server = &http.Server{Handler: r.box, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(l) }() // it ends with close
	return nil
}

func (r *rehearsal) close() {
	_ = r.server.Close() // there is nothing left to save
	_ = r.box.Close()
}

// page is the path of the dry run's report.
func (r *rehearsal) page() string { return strings.TrimSuffix(r.config, ".yaml") + ".html" }

const (
	maxKillAt   = 12
	demoLatency = 120 * time.Millisecond // so that the first run has a middle
	demoFaults  = "create#9=504,applied create#17=reset,applied create#23=reset create#31=html200,applied"
)

// show goes the whole way: inspect, dry-run, run and kill, run to the end, compare.
func (r *rehearsal) show(ctx context.Context, pairs int) error {
	r.ui.demoTitle(r.title)
	s, err := survey(ctx, r.files, "")
	if err != nil {
		return r.inputError(err)
	}
	r.ui.demoCommand("inspect", r.files...)
	r.ui.survey(s, true)
	r.killAt = max(1, min(s.Tickets/3, maxKillAt))
	code, err := r.child(ctx, nil, "dry-run", "-c", r.config, "--html", r.page())
	if err != nil {
		return err
	}
	if code != importer.ExitOK && code != importer.ExitRejected {
		return &importer.Stop{Code: code, Err: fmt.Errorf("the dry run ends with %d: nothing is imported before that is mended", code), Hint: "edit " + r.config + ", then go on with dry-run and run yourself"}
	}
	if err := r.interrupted(ctx); err != nil {
		return err
	}
	r.box.Configure(func(s *sandbox.Settings) { s.Latency, s.LatencyJitter = time.Millisecond, 0 })
	code, err = r.child(ctx, nil, "run", "-c", r.config)
	if err != nil {
		return err
	}
	if code != importer.ExitOK && code != importer.ExitRejected {
		return &importer.Stop{Code: code, Err: fmt.Errorf("the second run ends with %d", code)}
	}
	return r.compare(ctx, pairs)
}

// interrupted starts a run in a process of its own and kills it while it is sending.
func (r *rehearsal) interrupted(ctx context.Context) error {
	before := r.box.Stats().Created
	killed := 0
	_, err := r.child(ctx, func() bool {
		killed = r.box.Stats().Created - before
		return killed >= r.killAt
	}, "run", "-c", r.config)
	if errors.Is(err, errKilled) {
		r.ui.demoKilled(killed)
		return nil
	}
	if err == nil && r.must {
		return errors.New("the first run came to its end before it could be killed")
	}
	if err == nil {
		r.ui.demoNotKilled()
	}
	return err
}

// compare holds the account against the source.
func (r *rehearsal) compare(ctx context.Context, pairs int) error {
	lookup := r.env.lookup
	quiet := *r.env
	quiet.lookup = func(name string) (string, bool) {
		switch name {
		case configs.BaseURLVariable:
			return r.url, true
		case appIDVariable, appSecretVariable, credentialsFileVariable:
			return "", false
		}
		return lookup(name)
	}
	a := &app{env: &quiet, ui: &ui{env: &quiet, quiet: true}, code: new(int)}
	c, err := a.loadDecided(r.config)
	if err != nil {
		return err
	}
	job, _, err := a.job(ctx, c)
	if err != nil {
		return a.inputError(err)
	}
	defer job.Source.Close()
	cmp := newComparison(r.box)
	job.Each, job.PlanHeader = cmp.each, func(mapping.Header) {}
	rep := importer.DryRun(ctx, job)
	if rep.Cause != nil {
		return rep.Cause
	}
	cmp.close()
	r.ui.comparison(cmp, r.box.Stats(), pairs)
	if len(cmp.diffs) > 0 {
		return &importer.Stop{Code: importer.ExitRejected, Err: fmt.Errorf("%s between the source and what arrived", plural(len(cmp.diffs), "difference", "differences"))}
	}
	return nil
}
