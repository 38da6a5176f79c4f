package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"hsimport/configs"
	"hsimport/importer"
	"hsimport/mapping"
)

// doctorWishes are the flags of doctor.
type doctorWishes struct {
	config, snapshot   string
	pause, resume, yes bool
}

func (a *app) doctorCommand() *cobra.Command {
	var w doctorWishes
	cmd := &cobra.Command{
		Use: "doctor -c import.yaml", Short: "Is everything in place: credentials, mailbox, workflows, disk", Long: doctorText,
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if w.pause && w.resume || (w.pause || w.resume) && w.snapshot != "" {
				return usageError{errOneDoctor, cmd.CommandPath()}
			}
			c, err := a.load(w.config)
			if err != nil {
				return err
			}
			hard, soft, done := a.interruptible(cmd.Context())
			defer done()
			if w.pause || w.resume {
				return a.switchWorkflows(hard, soft, c, &w)
			}
			d := &doctor{app: a, c: c, snapshot: w.snapshot}
			d.examine(soft)
			*a.code = d.code
			a.ui.diagnosis(d)
			return nil
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&w.config, "config", "c", "import.yaml", "the configuration")
	fl.BoolVar(&a.ui.json, "json", false, "one JSON object a line on stdout, the last one the summary")
	fl.StringVar(&w.snapshot, "snapshot", "", "write the account's side to a new `file`, for dry-run --snapshot and for sandbox --seed-file")
	fl.BoolVar(&w.pause, "pause-workflows", false, "switch off the active automatic workflows of the mailbox, and remember which")
	fl.BoolVar(&w.resume, "resume-workflows", false, "switch on again exactly those; shows first what they may act on, and asks")
	fl.BoolVar(&w.yes, "yes", false, "with --resume-workflows: do not ask")
	return cmd
}

// A doctor looks at everything around a job but its tickets, and changes nothing.
type doctor struct {
	*app
	c        *configs.Config
	snapshot string // where the account's side goes; empty: nowhere
	code     int
	stops    int
	warnings int

	origin, identity string // of the account; empty when it was not asked
}

func (d *doctor) examine(ctx context.Context) {
	for _, q := range d.c.Unanswered {
		d.stop(importer.ExitUsage, "configuration", fmt.Sprintf("%s:%d: %s is still to be decided", d.c.Path, q.Line, q.Key), "")
	}
	if len(d.c.Unanswered) == 0 {
		d.ok("configuration", d.c.Path)
	}
	size := d.source()
	d.account(ctx)
	d.memory(ctx)
	d.disk(size)
}

func (d *doctor) ok(what, text string) { d.ui.symptom("ok", what, text, "") }

func (d *doctor) warn(what, text, hint string) {
	d.warnings++
	d.ui.symptom("warn", what, text, hint)
}

func (d *doctor) stop(code int, what, text, hint string) {
	d.stops++
	d.code = importer.Worse(d.code, code)
	d.ui.symptom("stop", what, text, hint)
}

// source looks whether the files are there, and returns about how many bytes they hold once they are unpacked.
func (d *doctor) source() (size sourceSize) {
	for _, path := range d.c.Source.Paths {
		full := path
		if !filepath.IsAbs(full) {
			full = filepath.Join(d.c.Dir, full)
		}
		found, err := filepath.Glob(full)
		if err == nil && len(found) == 0 {
			_, err = os.Stat(full)
			found = []string{full}
		}
		var here sourceSize
		for _, f := range found {
			if err == nil {
				err = here.add(f)
			}
		}
		if err != nil {
			d.stop(importer.ExitUsage, "source", err.Error(), "paths are relative to the configuration")
			continue
		}
		d.ok("source", fmt.Sprintf("%s (%s, %s, %s)", path, d.c.Source.Kind, plural(here.files, "file", "files"), humanBytes(here.bytes)))
		size.join(here)
	}
	return size
}

func mappingFindings(c *configs.Config, target mapping.Target) []mapping.Finding {
	_, found := mapping.New(c.Mapping, target)
	return found
}
