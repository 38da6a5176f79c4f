package main

import (
	"cmp"
	"errors"

	"github.com/spf13/pflag"

	"hsimport/configs"
	"hsimport/importer"
)

var (
	errTrialAndOnly = errors.New("--trial and --only exclude each other: a trial chooses its sample itself, --sample N says how many")
	errTrialAndPlan = errors.New("--trial and --plan exclude each other: the plan is of the import itself")
)

// trialOf turns a configuration into that of its trial in another inbox, and returns what the engine has to know of it;
// nil without an inbox.
func trialOf(c *configs.Config, inbox string, f *runFlags) (*importer.Trial, error) {
	switch {
	case inbox == "":
		return nil, nil
	case len(c.Run.Only) > 0:
		return nil, &importer.Stop{Code: importer.ExitUsage, Err: errTrialAndOnly}
	case f.plan != "":
		return nil, &importer.Stop{Code: importer.ExitUsage, Err: errTrialAndPlan}
	}
	t := &importer.Trial{Mailboxes: []string{c.Mapping.Mailbox}}
	for _, r := range c.Mapping.Routes {
		t.Mailboxes = append(t.Mailboxes, r.Mailbox)
	}
	c.Mapping.Mailbox, c.Mapping.Routes = inbox, nil
	c.Checkpoint += importer.TrialSuffix
	c.Run.Sample = cmp.Or(c.Run.Sample, importer.TrialSample)
	return t, nil
}

// trialFlag lets a command look at the checkpoint of the trial instead of the import's.
func trialFlag(fl *pflag.FlagSet, trial *bool, what string) {
	fl.BoolVar(trial, "trial", false, what)
}

// ofTrial points a configuration to the checkpoint of the trial.
func ofTrial(c *configs.Config, trial bool) {
	if trial {
		c.Checkpoint += importer.TrialSuffix
	}
}
