package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hsimport/importer"
)

func (a *app) rollbackCommand() *cobra.Command {
	var config, since, customers string
	var yes, trial bool
	var how importer.RollingBack
	cmd := &cobra.Command{
		Use: "rollback -c import.yaml", Short: "Delete what this import created and nobody has touched since", Long: rollbackText,
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if how.Since, err = parseSince(since); err != nil {
				return err
			}
			c, err := a.load(config)
			if err != nil {
				return err
			}
			ofTrial(c, trial)
			hard, soft, done := a.interruptible(cmd.Context())
			defer done()
			job, err := a.accountJob(c)
			if err != nil {
				return err
			}
			if trial {
				job.Trial, job.Copies = &importer.Trial{}, 0
			}
			job.Soft, how.Confirm = soft, a.confirmRollback(yes)
			left := &leftTable{ui: a.ui}
			if err := left.open(customers); err != nil {
				return err
			}
			how.Left = left.add
			kept := &keptList{a.ui, map[string]int{}}
			sum, stop := importer.Rollback(hard, job, how, kept.see)
			kept.close()
			left.said(sum.RolledBack.Customers)
			a.ui.rolledBack(sum, stop)
			*a.code = sum.ExitCode
			return left.close()
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&config, "config", "c", "import.yaml", "the configuration")
	fl.StringArrayVar(&how.Only, "only", nil, "only this ticket, by `key` or old number; may be repeated")
	fl.IntVar(&how.Part, "part", 0, "only this part of tickets that were split")
	fl.StringVar(&since, "since", "", "only what was sent from this `time` on, such as 2026-03-01 or 2026-03-01T18:30:00Z")
	fl.StringVar(&customers, "customers", "", "write the customers that came with what was deleted, and stay, to `file.csv`")
	fl.BoolVar(&yes, "yes", false, "confirm it without asking")
	trialFlag(fl, &trial, "remove the trial that run --trial has sent; the import stays")
	fl.BoolVar(&a.ui.json, "json", false, "one JSON object a line on stdout, the last one the summary")
	return cmd
}

// parseSince reads a day or a moment; what has no zone is UTC.
func parseSince(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError{fmt.Errorf("--since %q: it is a time such as 2026-03-01 or 2026-03-01T18:30:00Z", text), "hsimport rollback"}
}

// confirmRollback shows the plan and asks for the number of conversations.
func (a *app) confirmRollback(yes bool) func(context.Context, *importer.RollbackPlan) error {
	return func(_ context.Context, p *importer.RollbackPlan) error {
		a.ui.clearBar()
		a.ui.rollbackPlan(p)
		if yes {
			return nil
		}
		if !a.env.inTTY {
			return &importer.Stop{Code: importer.ExitUsage, Err: errRollbackNoTerminal, Hint: "--yes confirms it"}
		}
		_, _ = fmt.Fprintf(a.env.err, "Type the number of conversations to delete them: ")
		line, err := bufio.NewReader(a.env.in).ReadString('\n')
		if err != nil && line == "" {
			return &importer.Stop{Code: importer.ExitUsage, Err: fmt.Errorf("not confirmed: nothing was deleted")}
		}
		typed := strings.ReplaceAll(strings.TrimSpace(line), ",", "")
		if typed != fmt.Sprint(p.Delete) {
			return &importer.Stop{Code: importer.ExitUsage, Err: fmt.Errorf("not confirmed: %q is not %d; nothing was deleted", typed, p.Delete)}
		}
		return nil
	}
}

func (u *ui) rollbackPlan(p *importer.RollbackPlan) {
	l := func(format string, args ...any) { u.line(u.env.err, format, args...) }
	l("")
	l("This rollback deletes from %s", p.Origin)
	l("  deletes      %s, sent from %s to %s", plural(p.Delete, "conversation", "conversations"), p.First.Format(time.DateTime), p.Last.Format(time.DateTime+" MST"))
	for _, x := range []struct {
		n    int
		what string
	}{
		{p.Touched, "that people have worked on"}, {p.Adopted, "that this import found and did not create"}, {p.InDoubt, "in doubt: nobody knows whether they are there"},
	} {
		if x.n > 0 {
			l("  leaves       %s %s", count(x.n), x.what)
		}
	}
	if p.Gone > 0 {
		l("  misses       %s that are not there any more", count(p.Gone))
	}
	if p.Limit > 0 {
		l("  costs        %s units: about %s at %d %% of %d a minute", count(p.Units), human(p.Duration), int(p.Share*100), p.Limit)
	} else {
		l("  costs        %s units", count(p.Units))
	}
	l("")
}

// A keptList is what rollback shows of the conversations that stay: of each kind the first few, as they are met, and in
// the end how many more there are.
type keptList struct {
	ui *ui
	n  map[string]int // by what keeps them
}

// see says what stays, and why.
func (l *keptList) see(k importer.Kept) {
	if l.ui.json {
		l.ui.object(k)
		return
	}
	if l.n[k.Because]++; l.n[k.Because] > shownOutcomes {
		return
	}
	l.ui.clearBar()
	l.ui.line(l.ui.env.out, "stays: %s %s: %s", cmp.Or(k.ID, k.Key), k.URL, k.Why)
}

func (l *keptList) close() {
	l.ui.clearBar()
	cut := false
	for _, x := range []struct{ because, what string }{
		{importer.KeptTouched, "that people have worked on"}, {importer.KeptMerged, "that people have merged"},
		{importer.KeptRefused, "that the server does not delete"},
	} {
		if more := l.n[x.because] - shownOutcomes; more > 0 {
			cut = true
			l.ui.line(l.ui.env.out, "stay: %s more %s", count(more), x.what)
		}
	}
	if cut {
		l.ui.line(l.ui.env.out, "the same line with --json names each of them")
	}
}

func (u *ui) rolledBack(sum *importer.RollbackSummary, stop *importer.Stop) {
	u.clearBar()
	if u.json {
		u.object(sum)
	}
	if stop != nil {
		u.problem(stop, stop.Hint)
	}
	if u.json || stop != nil && sum.RolledBack.Deleted+sum.RolledBack.Stay() == 0 {
		return
	}
	if !u.quiet {
		u.line(u.env.out, "quota          %s", quotaLine(sum.Quota, sum.ElapsedS))
		u.copied(sum.Copy)
	}
	u.line(u.env.out, "%s", sum.Verdict)
}
