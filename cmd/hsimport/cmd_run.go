package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"hsimport/configs"
	"hsimport/importer"
	"hsimport/mapping"
)

// runFlags are the flags of run that the engine's options do not come with by themselves.
type runFlags struct {
	config      string
	plan        string
	html        string
	trial       string
	maxDuration mapping.Duration
	yes         bool
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	var o importer.Options
	cmd := &cobra.Command{
		Use: "run -c import.yaml", Short: "Import; the same line goes on after an interruption", Long: runText,
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runImport(cmd, &f, &o) },
	}
	fl := cmd.Flags()
	fl.StringVarP(&f.config, "config", "c", "import.yaml", "the configuration")
	fl.StringVar(&f.plan, "plan", "", "bind the run to a reviewed plan `file` of dry-run: refuse to send anything else")
	fl.StringVar(&f.html, "html", "", "write the report of what happened as one page to `file`; a run that resumes plans anew for it")
	fl.IntVar(&o.Limit, "limit", 0, "stop after so many tickets")
	fl.StringVar(&f.trial, "trial", "", "send a sample into another `inbox`, under a checkpoint of its own; hsimport rollback --trial removes it")
	fl.IntVar(&o.Sample, "sample", 0, "send only so many tickets, chosen to show the most")
	fl.Uint64Var(&o.Seed, "seed", 1, "for --sample: which of the ordinary tickets are drawn")
	fl.StringArrayVar(&o.Only, "only", nil, "send only this ticket, by `key` or old number; may be repeated")
	fl.BoolVar(&o.RetryRejected, "retry-rejected", false, "send again what the server rejected")
	fl.TextVar(&f.maxDuration, "max-duration", mapping.Duration(0), "stop after this `time`, such as 45m or 8h")
	fl.Lookup("max-duration").DefValue = "0" // none
	fl.StringVar(&o.Order, "order", "", "which tickets go first: live-first, newest or oldest (default run.order, else live-first)")
	fl.BoolVar(&o.KeepSent, "keep-sent", false, "go on under a changed mapping; what was sent stays as it is")
	fl.BoolVar(&o.RedoChanged, "redo-changed", false, "under a changed mapping, delete and send again what would differ")
	fl.BoolVar(&o.Relink, "relink", false, "let links between old tickets, in texts that are there, lead to the new conversations; run.relink says how they are written")
	fl.StringArrayVar(&o.Accept, "accept", nil, "accept findings of this `code` although they block the job; may be repeated")
	fl.BoolVar(&f.yes, "yes", false, "confirm the first run into an account without asking")
	fl.BoolVar(&a.ui.json, "json", false, "one JSON object a line on stdout, the last one the summary")
	return cmd
}

func (a *app) runImport(cmd *cobra.Command, f *runFlags, o *importer.Options) error {
	c, err := a.loadDecided(f.config)
	if err != nil {
		return err
	}
	if err := mergeOptions(c, f, o); err != nil {
		return err
	}
	trial, err := trialOf(c, f.trial, f)
	if err != nil {
		return err
	}
	hard, soft, done := a.interruptible(cmd.Context())
	defer done()
	job, offline, err := a.job(soft, c)
	if err != nil {
		return a.inputError(err)
	}
	defer job.Source.Close()
	if offline != nil {
		return &importer.Stop{Code: importer.ExitAuth, Err: offline, Hint: hintCredentials}
	}
	job.Soft, job.Confirm = soft, a.confirm(soft, f.yes)
	if job.Trial = trial; trial != nil {
		job.Copies = 0
	}
	if f.plan != "" {
		if err := a.bindPlan(job, f.plan); err != nil {
			return err
		}
	}
	page := newPage(f.html, c, job, nil)
	if page != nil {
		if err := page.watch(job); err != nil {
			return err
		}
	}
	rep := importer.Run(hard, job)
	a.ui.report(rep, job)
	if trial != nil && rep.Cause == nil {
		a.ui.say("look at them in the inbox %s; hsimport rollback --trial -c %s removes them", f.trial, c.Path)
	}
	*a.code = rep.Summary.ExitCode
	if page == nil {
		return nil
	}
	return a.pageOfRun(page, rep)
}

// pageOfRun writes the page of a run. That it cannot be written takes nothing back: a run that ended otherwise than well
// keeps its code.
func (a *app) pageOfRun(page *pageFile, rep *importer.Report) error {
	err := page.write(rep)
	if err == nil {
		a.ui.say("the report is in %s", page.path)
		return nil
	}
	if *a.code == importer.ExitOK {
		return err
	}
	a.ui.problem(err, "")
	return nil
}

// mergeOptions lays the flags over the configuration's run section.
func mergeOptions(c *configs.Config, f *runFlags, o *importer.Options) error {
	switch o.Order {
	case "":
	case "live-first", "newest", "oldest":
		c.Run.Order = o.Order
	default:
		return &importer.Stop{Code: importer.ExitUsage, Err: wrongOrder(o.Order)}
	}
	if o.KeepSent && o.RedoChanged {
		return &importer.Stop{Code: importer.ExitUsage, Err: errKeepAndRedo}
	}
	c.Run.Limit, c.Run.Sample, c.Run.Seed, c.Run.Only = o.Limit, o.Sample, o.Seed, o.Only
	c.Run.RetryRejected, c.Run.KeepSent, c.Run.RedoChanged, c.Run.Relink = o.RetryRejected, o.KeepSent, o.RedoChanged, o.Relink
	c.Run.Accept, c.Run.MaxDuration = o.Accept, f.maxDuration
	return nil
}

// interruptible makes the two contexts of a run: the first Ctrl-C (or SIGTERM, or a terminal that hangs up) ends soft,
// the second ends hard.
func (a *app) interruptible(parent context.Context) (hard, soft context.Context, done func()) {
	hard, stopHard := context.WithCancel(parent)
	soft, stopSoft := context.WithCancel(hard)
	stop := func() { stopSoft(); stopHard() }
	if !a.env.signals {
		return hard, soft, stop
	}
	first, stopFirst := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(first, func() {
		if parent.Err() != nil || hard.Err() != nil {
			return
		}
		a.ui.interrupted()
		second, _ := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		stopSoft()
		context.AfterFunc(second, stopHard)
	})
	return hard, soft, func() { stop(); stopFirst() }
}
