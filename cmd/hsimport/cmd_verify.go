package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"hsimport/configs"
	"hsimport/importer"
	"hsimport/importer/report"
)

func (a *app) verifyCommand() *cobra.Command {
	var config, table, page string
	var how importer.Verifying
	var trial bool
	cmd := &cobra.Command{
		Use: "verify -c import.yaml", Short: "Read back what was sent and compare it", Long: verifyText,
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.load(config)
			if err != nil {
				return err
			}
			ofTrial(c, trial)
			_, soft, done := a.interruptible(cmd.Context())
			defer done()
			return a.verify(soft, c, how, table, page)
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&config, "config", "c", "import.yaml", "the configuration")
	fl.BoolVar(&how.All, "all", false, "compare the threads of every conversation: one unit each")
	fl.TextVar(&how.Read, "sample", importer.Sample{Share: 0.01}, "compare the threads of a `share`, such as 5%, or of a number, such as 200; without it 1%, at least 50")
	fl.Uint64Var(&how.Seed, "seed", 1, "for --sample: which ones are drawn")
	fl.StringArrayVar(&how.Only, "only", nil, "look only at this ticket, by `key` or old number; may be repeated")
	fl.StringVar(&table, "csv", "", "write one line for each conversation that was looked at to `file`")
	fl.StringVar(&page, "html", "", "write what was found as one page to `file`")
	trialFlag(fl, &trial, "look at the trial, not at the import")
	fl.BoolVar(&a.ui.json, "json", false, "one JSON object a line on stdout, the last one the summary")
	fl.Lookup("sample").DefValue = "0" // the help says it in words
	cmd.PreRun = func(cmd *cobra.Command, _ []string) {
		if !fl.Changed("sample") {
			how.Read = importer.Sample{} // 1 %, but not fewer than 50
		}
	}
	return cmd
}

// accountJob makes a job without a source, for what needs the checkpoint and the account alone.
func (a *app) accountJob(c *configs.Config) (*importer.Job, error) {
	client, quota, err := a.connect(c)
	switch {
	case errors.Is(err, errNoCredentials):
		return nil, &importer.Stop{Code: importer.ExitAuth, Err: err, Hint: hintCredentials}
	case err != nil:
		return nil, &importer.Stop{Code: importer.ExitUsage, Err: err}
	}
	return &importer.Job{
		Client: client, Quota: quota, Mapping: c.Mapping, Checkpoint: c.Checkpoint, Copies: copiesKept, Options: c.Run, Version: toolVersion(),
		Progress: a.ui.event, Log: a.ui.log(),
	}, nil
}

func (a *app) verify(ctx context.Context, c *configs.Config, how importer.Verifying, table, page string) (err error) {
	job, err := a.accountJob(c)
	if err != nil {
		return err
	}
	list := &checkedList{ui: a.ui, table: table, page: page}
	each := list.see
	if table != "" {
		f, err := os.Create(table)
		if err != nil {
			return &importer.Stop{Code: importer.ExitUsage, Err: err}
		}
		t := report.NewCheckedTable(f)
		defer func() { err = errors.Join(err, t.Close(), f.Close()) }()
		each = func(c importer.Checked) error { return errors.Join(list.see(c), t.See(c)) }
	}
	seen := &report.Verification{Title: filepath.Base(c.Path), Version: toolVersion()}
	if page != "" {
		also := each
		each = func(c importer.Checked) error { seen.See(c); return also(c) }
	}
	sum, stop := importer.Verify(ctx, job, how, each)
	list.close()
	a.ui.verified(sum, stop)
	*a.code = sum.ExitCode
	if page == "" || stop != nil && sum.Verified.Sent == 0 {
		return nil
	}
	return a.verifiedPage(page, seen, sum)
}

// verifiedPage writes the page beside its place and moves it there.
func (a *app) verifiedPage(path string, seen *report.Verification, sum *importer.VerifySummary) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".hsimport-*.html")
	if err != nil {
		return &importer.Stop{Code: importer.ExitUsage, Err: err}
	}
	defer func() { _ = os.Remove(f.Name()) }() // after the rename it is not there
	err = errors.Join(seen.HTML(f, sum, time.Now()), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		a.ui.say("the page is in %s", path)
	}
	return err
}

func (u *ui) verified(sum *importer.VerifySummary, stop *importer.Stop) {
	u.clearBar()
	if u.json {
		u.object(sum)
	}
	if stop != nil {
		u.problem(stop, stop.Hint)
	}
	if u.json || stop != nil && sum.Verified.Sent == 0 {
		return
	}
	if !u.quiet {
		u.line(u.env.out, "quota          %s", quotaLine(sum.Quota, sum.ElapsedS))
	}
	u.line(u.env.out, "%s", sum.Verdict)
}
