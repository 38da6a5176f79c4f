package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"hsimport/importer"
)

func (a *app) dryRunCommand() *cobra.Command {
	var config, plan, against, table, html, snapshot string
	var accept []string
	cmd := &cobra.Command{
		Use: "dry-run -c import.yaml", Short: "The validation report: what would arrive, what would not, and why", Long: dryRunText,
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.loadDecided(config)
			if err != nil {
				return err
			}
			c.Run.Accept = accept
			inPlace, err := a.inPlaceOfAccount(c, snapshot)
			if err != nil {
				return err
			}
			_, soft, done := a.interruptible(cmd.Context())
			defer done()
			job, offline, err := a.job(soft, c)
			if err != nil {
				return a.inputError(err)
			}
			defer job.Source.Close()
			if inPlace != nil {
				job.Client, job.Quota, job.Snapshot = nil, nil, inPlace
				offline = fmt.Errorf("the account's side is that of %s", inPlace.Taken.UTC().Format("2006-01-02 15:04 MST"))
			}
			out := &dryRunFiles{plan: plan, against: against, table: table, page: newPage(html, c, job, offline)}
			if err := out.open(job); err != nil {
				return err
			}
			rep := importer.DryRun(soft, job)
			err = out.close(a.ui, rep)
			a.ui.dryRun(rep, job, offline)
			if out.compared && !a.ui.json {
				a.ui.differences(against, out.diffs)
			}
			*a.code = rep.Summary.ExitCode
			var stop *importer.Stop
			if errors.As(err, &stop) && rep.Cause == nil {
				return err
			}
			if stop == nil {
				return err
			}
			return nil
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&config, "config", "c", "import.yaml", "the configuration")
	fl.StringVar(&plan, "plan", "", "write the plan to `file`: one line a conversation, the same on every machine")
	fl.StringVar(&against, "against", "", "explain how this plan differs from the one in `file`")
	fl.StringVar(&table, "csv", "", "write one line a ticket to `file`")
	fl.StringVar(&html, "html", "", "write the report as one page to `file`, to be opened without network")
	fl.StringVar(&snapshot, "snapshot", "", "do not ask the account: read its side from `file`, which doctor --snapshot wrote")
	fl.StringArrayVar(&accept, "accept", nil, "accept findings of this `code` although they block the job; may be repeated")
	fl.BoolVar(&a.ui.json, "json", false, "one JSON object a line on stdout, the last one the summary")
	return cmd
}
