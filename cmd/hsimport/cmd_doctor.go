package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"hsimport/checkpoint"
	"hsimport/configs"
	"hsimport/importer"
	"hsimport/mapping"
	"hsimport/sources"
)

func (a *app) doctorCommand() *cobra.Command {
	var config, snapshot string
	cmd := &cobra.Command{
		Use: "doctor -c import.yaml", Short: "Is everything in place: credentials, mailbox, users, fields, checkpoint", Long: doctorText,
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.load(config)
			if err != nil {
				return err
			}
			_, soft, done := a.interruptible(cmd.Context())
			defer done()
			d := &doctor{app: a, c: c, snapshot: snapshot}
			d.examine(soft)
			*a.code = d.code
			a.ui.diagnosis(d)
			return nil
		},
	}
	cmd.Flags().StringVarP(&config, "config", "c", "import.yaml", "the configuration")
	cmd.Flags().BoolVar(&a.ui.json, "json", false, "one JSON object a line on stdout, the last one the summary")
	cmd.Flags().StringVar(&snapshot, "snapshot", "", "write the account's mailboxes, fields, users and teams to a new `file`, for hsimport sandbox --seed-file")
	return cmd
}

// A doctor looks at everything around a job but its tickets, and changes nothing.
type doctor struct {
	*app
	c        *configs.Config
	snapshot string // where the account's side goes; empty: nowhere
	code     int
	bad      int
}

func (d *doctor) examine(ctx context.Context) {
	for _, q := range d.c.Unanswered {
		d.wrong(importer.ExitUsage, "configuration", fmt.Sprintf("%s:%d: %s is still to be decided", d.c.Path, q.Line, q.Key), "")
	}
	if len(d.c.Unanswered) == 0 {
		d.well("configuration", d.c.Path)
	}
	d.source()
	d.account(ctx)
	d.memory(ctx)
}

func (d *doctor) well(what, text string) { d.ui.symptom("ok", what, text, "") }

func (d *doctor) wrong(code int, what, text, hint string) {
	if d.bad++; d.code == 0 {
		d.code = code
	}
	d.ui.symptom("mend", what, text, hint)
}

func (d *doctor) source() {
	for _, path := range d.c.Source.Paths {
		if !filepath.IsAbs(path) {
			path = filepath.Join(d.c.Dir, path)
		}
		found, err := filepath.Glob(path)
		if err == nil && len(found) == 0 {
			_, err = os.Stat(path)
		}
		if err != nil {
			d.wrong(importer.ExitUsage, "source", err.Error(), "paths are relative to the configuration")
			continue
		}
		d.well("source", fmt.Sprintf("%s (%s)", path, d.c.Source.Kind))
	}
}

// account reads what the account has, and what of the configuration it lacks.
func (d *doctor) account(ctx context.Context) {
	client, quota, err := d.connect(d.c)
	if err != nil {
		d.wrong(importer.ExitAuth, "credentials", err.Error(), hintCredentials)
		return
	}
	target, acc, err := importer.Preflight(ctx, client, d.c.HelpScout.Mailbox)
	if err != nil {
		code, hint := importer.ExitUnexpected, ""
		var stop *importer.Stop
		if errors.As(err, &stop) {
			code, hint = stop.Code, stop.Hint
		}
		d.wrong(code, "account", err.Error(), hint)
		return
	}
	acc.SideEffects(ctx, client)
	d.well("account", fmt.Sprintf("%s as %s <%s>", acc.Origin, target.Owner.FirstName+" "+target.Owner.LastName, target.Owner.Email))
	d.well("quota", quotaText(quota.Stats().Limit))
	for _, f := range mappingFindings(d.c, target) {
		if f.Severity == sources.BlocksJob {
			d.wrong(importer.ExitUsage, f.Code, f.Text, "")
			continue
		}
		d.ui.symptom("look", f.Code, f.Text, "")
	}
	d.well("people", fmt.Sprintf("%s, %s, %s", plural(len(target.Users), "user", "users"), plural(len(target.Teams), "team", "teams"), plural(len(target.Mailboxes), "mailbox", "mailboxes")))
	d.keep(target, acc)
	for _, u := range acc.Unseen {
		d.ui.symptom("look", "account", u, "")
	}
	for _, w := range acc.Workflows {
		d.ui.symptom("look", "workflow", fmt.Sprintf("%q is active and may act on imported conversations", w.Name), "switch it off while the import runs")
	}
	for _, h := range acc.Webhooks {
		d.ui.symptom("look", "webhook", h.URL+" may be called for imported conversations", "")
	}
}

// keep writes the snapshot that was asked for.
func (d *doctor) keep(target mapping.Target, acc *importer.Account) {
	if d.snapshot == "" {
		return
	}
	if err := writeSnapshot(d.snapshot, seedOf(target, acc)); err != nil {
		d.wrong(importer.ExitUsage, "snapshot", err.Error(), "")
		return
	}
	d.well("snapshot", d.snapshot+"; rehearse with hsimport sandbox --seed-file "+d.snapshot)
}

func mappingFindings(c *configs.Config, target mapping.Target) []mapping.Finding {
	_, found := mapping.New(c.Mapping, target)
	return found
}

// memory looks at the checkpoint: is it ours, is it free, can its folder be written.
func (d *doctor) memory(ctx context.Context) {
	path := d.c.Checkpoint
	if err := writable(filepath.Dir(path)); err != nil {
		d.wrong(importer.ExitUsage, "checkpoint", err.Error(), "the checkpoint needs a folder that can be written")
		return
	}
	view, err := checkpoint.View(ctx, path)
	if errors.Is(err, checkpoint.ErrMissing) {
		d.well("checkpoint", path+" is not there yet: this will be the first run")
		return
	}
	if err != nil {
		d.wrong(importer.ExitCheckpoint, "checkpoint", err.Error(), "")
		return
	}
	job := view.Job()
	if err := view.Close(); err != nil {
		d.wrong(importer.ExitCheckpoint, "checkpoint", err.Error(), "")
		return
	}
	store, err := checkpoint.Open(ctx, path, job)
	if err == nil {
		err = errors.Join(store.Check(ctx), store.Close())
	}
	if err != nil {
		d.wrong(importer.ExitCheckpoint, "checkpoint", err.Error(), "")
		return
	}
	d.well("checkpoint", fmt.Sprintf("%s is of %s, whole, and not in use", path, job.Origin))
}

// writable finds out whether a file can be made in dir, by making one.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".hsimport-doctor-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
