package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"hsimport/importer"
	"hsimport/importer/report"
	"hsimport/mapping"
)

// planWriter writes a plan to memory or a file while the engine plans. A plan is small: about 300 bytes a conversation.
type planWriter struct {
	buf bytes.Buffer
	w   *mapping.PlanWriter
}

func (p *planWriter) header(h mapping.Header) { p.w = mapping.NewPlanWriter(&p.buf, h) }

func (p *planWriter) each(s importer.Seen) error {
	if s.Plan != nil {
		return p.w.Write(s.Plan)
	}
	return p.w.Write(&mapping.Plan{Key: s.Err.Key, Position: s.Err.Position, Refused: s.Err.Err.Error()})
}

// readPlanFile reads a plan that was written before.
func readPlanFile(path string) (*mapping.PlanFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &importer.Stop{Code: importer.ExitUsage, Err: fmt.Errorf("read the plan: %w", err)}
	}
	defer f.Close()
	plan, err := mapping.ReadPlan(f)
	if err != nil {
		return nil, &importer.Stop{Code: importer.ExitUsage, Err: fmt.Errorf("read the plan %s: %w", path, err), Hint: hintPlanAgain}
	}
	return plan, nil
}

// bindPlan makes a run send what a person has reviewed, and nothing else.
func (a *app) bindPlan(job *importer.Job, path string) error {
	old, err := readPlanFile(path)
	if err != nil {
		return err
	}
	if old.Header.Unbound {
		return &importer.Stop{Code: importer.ExitUsage, Err: fmt.Errorf("plan %s was made without the account and cannot be run", path), Hint: hintPlanAgain}
	}
	var now planWriter
	job.PlanHeader, job.Each = now.header, now.each
	job.Approve = func() error {
		if err := now.w.Close(); err != nil {
			return err
		}
		fresh, err := mapping.ReadPlan(bytes.NewReader(now.buf.Bytes()))
		if err != nil {
			return err
		}
		diffs := mapping.ComparePlans(old, fresh)
		if len(diffs) == 0 {
			return nil
		}
		return &importer.Stop{Code: importer.ExitDrift, Err: driftError(path, old.Header.Snapshot, diffs), Hint: hintPlanAgain}
	}
	return nil
}

// driftError names in what a plan is out of date. snapshot is when the account's side was read for it, where that was a
// file.
func driftError(path, snapshot string, diffs []mapping.Difference) error {
	var b bytes.Buffer
	if snapshot != "" {
		path += " (made over a snapshot of " + snapshot + ")"
	}
	fmt.Fprintf(&b, "what would be sent now differs from %s in %s:", path, plural(len(diffs), "place", "places"))
	for i, d := range diffs {
		if i == 10 {
			fmt.Fprintf(&b, "\n  and %d more", len(diffs)-10)
			break
		}
		fmt.Fprintf(&b, "\n  %s", d)
	}
	return errors.New(b.String())
}

// dryRunFiles are the files a dry run writes beside its one screen.
type dryRunFiles struct {
	plan, against, table string

	old   *mapping.PlanFile
	now   planWriter
	rows  *report.Table
	page  *pageFile // nil: none is wanted
	file  *os.File
	wants bool // a plan is wanted

	diffs    []mapping.Difference
	compared bool // diffs is how the plan differs from old
}

func (d *dryRunFiles) open(job *importer.Job) (err error) {
	if d.against != "" {
		if d.old, err = readPlanFile(d.against); err != nil {
			return err
		}
	}
	if d.page != nil {
		if err := d.page.check(); err != nil {
			return err
		}
	}
	if d.table != "" {
		if d.file, err = os.Create(d.table); err != nil {
			return &importer.Stop{Code: importer.ExitUsage, Err: fmt.Errorf("write the table: %w", err)}
		}
		d.rows = report.NewTable(d.file)
	}
	d.wants = d.plan != "" || d.old != nil
	if d.wants {
		job.PlanHeader = d.now.header
	}
	job.Each = d.each
	return nil
}

func (d *dryRunFiles) each(s importer.Seen) error {
	if d.wants {
		if err := d.now.each(s); err != nil {
			return err
		}
	}
	if d.page != nil {
		d.page.See(s)
	}
	if d.rows != nil {
		return d.rows.See(s)
	}
	return nil
}

// close finishes the files; a plan of a run that did not get to its end is not written.
func (d *dryRunFiles) close(u *ui, rep *importer.Report) error {
	if d.rows != nil {
		if err := errors.Join(d.rows.Close(), d.file.Close()); err != nil {
			return fmt.Errorf("write %s: %w", d.table, err)
		}
	}
	if d.page != nil {
		if err := d.page.write(rep); err != nil {
			return err
		}
	}
	if !d.wants || !rep.Totals.Complete {
		return nil
	}
	if err := d.now.w.Close(); err != nil {
		return err
	}
	if d.plan != "" {
		if err := os.WriteFile(d.plan, d.now.buf.Bytes(), 0o644); err != nil {
			return fmt.Errorf("write the plan: %w", err)
		}
	}
	if d.old == nil {
		return nil
	}
	fresh, err := mapping.ReadPlan(bytes.NewReader(d.now.buf.Bytes()))
	if err != nil {
		return err
	}
	d.diffs, d.compared = mapping.ComparePlans(d.old, fresh), true
	if u.json { // before the summary, which is the last object
		u.differenceObjects(d.diffs)
	}
	return nil
}
