package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hsimport/importer"
	"hsimport/importer/report"
)

// exports are the files that status writes beside its screen; - is stdout.
type exports struct{ rejects, findings, records string }

func (a *app) statusCommand() *cobra.Command {
	var config string
	var to exports
	var trial bool
	cmd := &cobra.Command{
		Use: "status -c import.yaml", Short: "Where the import stands, from the checkpoint alone", Long: statusText,
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.load(config)
			if err != nil {
				return err
			}
			ofTrial(c, trial)
			st, err := importer.ReadStatus(cmd.Context(), c.Checkpoint)
			if err != nil {
				return err
			}
			if err := a.export(cmd.Context(), c.Checkpoint, to); err != nil {
				return err
			}
			if !slices.Contains([]string{to.rejects, to.findings, to.records}, "-") {
				a.ui.status(st)
			}
			*a.code = st.ExitCode
			return nil
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&config, "config", "c", "import.yaml", "the configuration")
	fl.StringVar(&to.rejects, "rejects", "", "write what has not arrived, and why, to `file.csv`; - is stdout")
	fl.StringVar(&to.findings, "findings", "", "write the findings of the last plan to `file.csv`")
	fl.StringVar(&to.records, "records", "", "write what every run had to say, the server's answers too, to `file.csv`")
	trialFlag(fl, &trial, "look at the trial, not at the import")
	fl.BoolVar(&a.ui.json, "json", false, "one JSON object on stdout")
	return cmd
}

// export writes the tables that were asked for.
func (a *app) export(ctx context.Context, path string, to exports) error {
	for _, x := range []struct {
		name  string
		write func(context.Context, string, io.Writer) (int, error)
	}{{to.rejects, report.Rejects}, {to.findings, report.PlanFindings}, {to.records, report.RunRecords}} {
		if x.name == "" {
			continue
		}
		if x.name == "-" {
			if _, err := x.write(ctx, path, a.env.out); err != nil {
				return err
			}
			continue
		}
		f, err := os.Create(x.name)
		if err != nil {
			return &importer.Stop{Code: importer.ExitUsage, Err: err}
		}
		n, err := x.write(ctx, path, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		a.ui.say("%s: %s", x.name, plural(n, "line", "lines"))
	}
	return nil
}

// status shows where a job stands.
func (u *ui) status(st *importer.Status) {
	if u.json {
		u.object(st)
		return
	}
	p := func(format string, args ...any) { u.line(u.env.out, format, args...) }
	if st.Rehearsal != "" {
		p("rehearsal at %s", st.Rehearsal)
	}
	if st.Trial != "" {
		p("trial in the inbox %s", st.Trial)
	}
	p("sent         %s", sentText(st))
	if st.UnderWay > 0 {
		p("under way    %s", count(st.UnderWay))
	}
	p("to be sent   %s", leftText(st))
	u.causes("rejected", rejectedText(st), st.Causes, "rejected", "refused", "unreadable")
	u.causes("in doubt", count(st.InDoubt), st.Causes, "in_doubt", "sending")
	if st.Deleted > 0 {
		p("rolled back  %s; hsimport run sends them again", count(st.Deleted))
	}
	if len(st.Last) > 0 && !u.quiet {
		p("last answers that were no success")
		for _, l := range st.Last {
			p("  %s  %s %s: %s", l.At.Local().Format(time.DateTime), l.Ticket, strings.ReplaceAll(l.Became, "_", " "), l.Text)
		}
	}
	if len(st.WorkflowsOff) > 0 {
		p("workflows    %s", stillOff(st.WorkflowsOff))
	}
	if st.Copy != "" {
		p("copy         %s, beside the checkpoint", filepath.Base(st.Copy))
	}
	u.lastCommand(st)
}

func sentText(st *importer.Status) string {
	text := plural(st.Created+st.Recovered+st.Adopted, "conversation", "conversations")
	var more []string
	for _, x := range []struct {
		n    int
		what string
	}{{st.Recovered, "recovered after a lost answer"}, {st.Adopted, "adopted"}} {
		if x.n > 0 {
			more = append(more, count(x.n)+" "+x.what)
		}
	}
	if len(more) > 0 {
		text += " (" + strings.Join(more, ", ") + ")"
	}
	if st.Appended > 0 {
		text += ", " + plural(st.Appended, "message appended", "messages appended")
	}
	if st.Uploaded > 0 {
		text += ", " + plural(st.Uploaded, "attachment uploaded by itself", "attachments uploaded by themselves")
	}
	return text
}

// leftText is what is left and how long it takes, by the quota's arithmetic and at the rate of the last minutes.
func leftText(st *importer.Status) string {
	text := plural(st.Pending, "conversation", "conversations")
	for _, kind := range []string{"upload", "append"} {
		if n := st.Effects[kind+" pending"]; n > 0 {
			text += ", " + map[string]string{"upload": plural(n, "attachment", "attachments"), "append": plural(n, "message", "messages")}[kind]
		}
	}
	if st.UnitsLeft == 0 {
		return text
	}
	text += ", " + plural(int(st.UnitsLeft), "unit", "units")
	if st.Pace.ByQuotaS > 0 {
		left := time.Duration(st.Pace.ByQuotaS * float64(time.Second))
		text += fmt.Sprintf(": %s at %.0f %% of %s units a minute", human(left), st.Pace.Share*100, count(st.Pace.Limit))
	}
	if st.Pace.PerMinute > 0 {
		left := time.Duration(st.Pace.ByRateS * float64(time.Second))
		text += fmt.Sprintf("; %s, until %s, at the rate of the last minutes (%s a minute)",
			human(left), time.Now().Add(left).Format("Mon 15:04"), plural(int(st.Pace.PerMinute), "conversation", "conversations"))
	}
	return text
}

func rejectedText(st *importer.Status) string {
	text := count(st.Rejected)
	if st.Refused > 0 {
		text += fmt.Sprintf(", and %s refused before it came to that", plural(st.Refused, "ticket", "tickets"))
	}
	if st.Unreadable > 0 {
		text += ", and " + plural(st.Unreadable, "record that cannot be read", "records that cannot be read")
	}
	return text
}

// causes shows the causes of some states under their sum.
func (u *ui) causes(name, sum string, list []importer.Cause, states ...string) {
	u.line(u.env.out, "%-12s %s", name, sum)
	shown := 0
	for _, c := range list {
		if !slices.Contains(states, c.State) {
			continue
		}
		if shown++; shown > shownOutcomes {
			u.line(u.env.out, "  and further causes; --rejects FILE.csv lists all")
			return
		}
		what := map[string]string{"upload": "attachment ", "append": "later message "}[c.What]
		status := ""
		if c.Status != 0 && !strings.HasPrefix(c.Reason, fmt.Sprint(c.Status)) {
			status = fmt.Sprint(c.Status, " ")
		}
		u.line(u.env.out, "  %s× %s%s%s (such as %s)", count(c.N), what, status, c.Reason, c.Example)
		if c.Hint != "" {
			u.line(u.env.out, "     hint: %s", c.Hint)
		}
	}
}

func (u *ui) lastCommand(st *importer.Status) {
	p := func(format string, args ...any) { u.line(u.env.out, format, args...) }
	began := st.LastStarted.Local().Format(time.DateTime)
	switch {
	case st.Killed:
		p("last run     %s, began %s and was killed; the same command goes on", st.LastCommand, began)
	case st.Running && st.PID != 0:
		p("last run     %s, began %s and is going on (process %d)", st.LastCommand, began, st.PID)
	case st.Running:
		p("last run     %s, began %s and has not ended: it is going on, or it was killed; the same command goes on", st.LastCommand, began)
	case st.LastCommand != "":
		p("last run     %s, ended %s with %d", st.LastCommand, st.LastEnded.Local().Format(time.DateTime), st.ExitCode)
		if st.Cause != "" {
			p("             %s", st.Cause)
		}
	}
}
