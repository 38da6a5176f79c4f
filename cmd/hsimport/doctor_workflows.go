package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hsimport/configs"
	"hsimport/importer"
)

// switchWorkflows switches workflows off, or those on again.
func (a *app) switchWorkflows(hard, soft context.Context, c *configs.Config, w *doctorWishes) error {
	job, err := a.accountJob(c)
	if err != nil {
		return err
	}
	job.Soft = soft
	sw := &switches{ui: a.ui, config: c.Path, resume: w.resume}
	var stop *importer.Stop
	if w.resume {
		stop = importer.ResumeWorkflows(hard, job, a.confirmResume(soft, w.yes), sw.each)
	} else {
		stop = importer.PauseWorkflows(hard, job, sw.each)
	}
	off, err := importer.PausedWorkflows(context.WithoutCancel(hard), c.Checkpoint)
	if err != nil && stop == nil {
		return err
	}
	if stop != nil {
		*a.code = stop.Code
	}
	a.ui.switched(sw, off, stop)
	return nil
}

// switches is what became of each workflow.
type switches struct {
	ui     *ui
	config string
	resume bool
	done   int
}

func (s *switches) each(w importer.Switched) {
	if w.Done {
		s.done++
	}
	if s.ui.json {
		s.ui.object(w)
		return
	}
	state, what := "ok", map[bool]string{true: "is on again", false: "is off"}[s.resume]
	switch {
	case !w.Done:
		state, what = "stop", "was not switched: "+w.Why
	case w.Why != "":
		what = w.Why
	}
	s.ui.symptom(state, "workflow", fmt.Sprintf("%q (%s) %s", w.Name, w.Mailbox, what), "")
}

// switched is the end of it: what is off now, and what comes next.
func (u *ui) switched(s *switches, off []importer.PausedWorkflow, stop *importer.Stop) {
	u.clearBar()
	if stop != nil {
		u.problem(stop, stop.Hint)
	}
	if u.json {
		code, cause := importer.ExitOK, ""
		if stop != nil {
			code, cause = stop.Code, stop.Error()
		}
		if off == nil {
			off = []importer.PausedWorkflow{}
		}
		u.object(map[string]any{"message_type": "summary", "command": "doctor", "exit_code": code, "switched": s.done, "off": off, "cause": cause})
		return
	}
	p := func(format string, args ...any) { u.paragraph(2, fmt.Sprintf(format, args...)) }
	switch {
	case len(off) > 0:
		p("%s switched off by this job; after the import: hsimport doctor --resume-workflows -c %s", plural(len(off), "workflow is", "workflows are"), s.config)
	case stop != nil:
	case s.resume && s.done > 0:
		p("nothing is switched off any more")
	case s.resume:
		p("nothing is to be switched on: this job has no workflow switched off")
	default:
		p("nothing is to be switched off: no workflow that acts by itself is active in this mailbox")
	}
}

// confirmResume shows what the workflows may act on, and asks for the mailbox's name.
func (a *app) confirmResume(soft context.Context, yes bool) func(context.Context, *importer.ResumePlan) error {
	return func(_ context.Context, p *importer.ResumePlan) error {
		a.ui.clearBar()
		a.ui.resumePlan(p)
		if yes {
			return nil
		}
		if !a.env.inTTY {
			return &importer.Stop{Code: importer.ExitUsage, Err: errResumeNoTerminal, Hint: "--yes confirms it"}
		}
		_, _ = fmt.Fprintf(a.env.err, "Type the mailbox's name to switch them on: ")
		line, err := a.answer(soft)
		if err != nil {
			return &importer.Stop{Code: importer.ExitUsage, Err: errors.New("not confirmed: nothing was switched on")}
		}
		if typed := strings.TrimSpace(line); typed == "" || !strings.EqualFold(typed, strings.TrimSpace(p.Mailbox)) {
			return &importer.Stop{Code: importer.ExitUsage, Err: fmt.Errorf("not confirmed: %q is not the mailbox's name; nothing was switched on", typed)}
		}
		return nil
	}
}

func (u *ui) resumePlan(p *importer.ResumePlan) {
	l := func(head, format string, args ...any) {
		writeWrapped(u.env.err, head, strings.Repeat(" ", wide(head)), strings.Fields(fmt.Sprintf(format, args...)))
	}
	entry := func(label, format string, args ...any) { l(pad("  "+label, labelWidth), format, args...) }
	l("", "")
	l("", "This switches on again in %s", p.Origin)
	for _, w := range p.Workflows {
		entry("workflow", "%q of %s, off since %s", w.Name, w.Mailbox, w.Since.Format("2006-01-02 15:04 MST"))
	}
	l("", "They may act at once on what was imported and is still alive:")
	switch {
	case p.Unknown:
		entry("unknown", "there is no checkpoint that could tell what was imported")
	case len(p.Live) == 0:
		entry("nothing", "no imported conversation is active or pending")
	}
	for _, g := range p.Live {
		entry(g.Status, "%s, the oldest:", plural(g.N, "conversation", "conversations"))
		for _, c := range g.Examples {
			entry("", "#%d of %s, %s", c.Number, c.Created.UTC().Format(time.DateOnly), shorten(oneLine(c.Subject), 60))
			entry("", "%s", c.URL)
		}
	}
	switch {
	case len(p.Live) == 0:
	case p.JobTag != "":
		l("", "All of them had the tag %q when they were imported: a condition that excludes it keeps a workflow away from them.", p.JobTag)
	default:
		l("", "Nothing marks them as imported (mapping.job_tag is not set): close what nobody waits for, or read the conditions first.")
	}
	l("", "")
}
