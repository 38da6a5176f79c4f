package main

import (
	"github.com/spf13/cobra"

	"hsimport/importer"
)

func (a *app) recoverCommand() *cobra.Command {
	var config string
	var merge bool
	var accept []string
	cmd := &cobra.Command{
		Use: "recover -c import.yaml", Short: "Rebuild a lost checkpoint from what the account holds", Long: recoverText,
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.loadDecided(config)
			if err != nil {
				return err
			}
			c.Run.Accept = accept
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
			job.Soft = soft
			rep := importer.Recover(hard, job, merge)
			a.ui.recovered(rep)
			*a.code = rep.Summary.ExitCode
			return nil
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&config, "config", "c", "import.yaml", "the configuration")
	fl.BoolVar(&merge, "merge", false, "bring a stale checkpoint up to date instead of making a new one")
	fl.StringArrayVar(&accept, "accept", nil, "accept findings of this `code` although they block the job; may be repeated")
	fl.BoolVar(&a.ui.json, "json", false, "one JSON object a line on stdout, the last one the summary")
	return cmd
}

// recovered is the end of recover: what is ambiguous, the sums, what to do next.
func (u *ui) recovered(rep *importer.Report) {
	u.clearBar()
	if u.json {
		u.findings(rep)
		for _, o := range rep.Doubtful {
			u.object(map[string]any{"message_type": "ambiguous", "key": o.Key, "id": o.ID, "part": o.Part, "conversation": o.Candidate, "text": o.Reason})
		}
		u.object(rep.Summary)
		u.cause(rep)
		return
	}
	p := func(format string, args ...any) { u.line(u.env.out, format, args...) }
	if notBegun(rep) {
		u.cause(rep)
		return
	}
	c := rep.Summary.Conversations
	u.outcomes("refused", rep.Rejected)
	u.outcomes("ambiguous", rep.Doubtful)
	if !u.quiet {
		p("conversations  %s planned = %s found + %s known before + %s ambiguous + %s refused + %s missing",
			count(c.Planned), count(c.Adopted), count(c.Already), count(c.InDoubt), count(c.Rejected), count(c.Pending))
		p("quota          %s", quotaLine(rep.Summary.Quota, rep.Summary.ElapsedS))
		u.copied(rep.Summary.Copy)
	}
	u.cause(rep)
	p("%s", rep.Summary.Verdict)
	if rep.Cause == nil && c.Pending > 0 && !u.quiet {
		u.say("hsimport run creates the %s", plural(c.Pending, "missing one", "missing ones"))
	}
}
