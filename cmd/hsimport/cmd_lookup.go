package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"hsimport/configs"
	"hsimport/importer"
)

func (a *app) lookupCommand() *cobra.Command {
	var config, export string
	var trial bool
	cmd := &cobra.Command{
		Use: "lookup NUMBER|URL|MESSAGE-ID... -c import.yaml", Short: "Where a ticket went, or a conversation came from", Long: lookupText,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 && export == "" {
				return usageError{errors.New("nothing is named to look up"), c.CommandPath()}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.load(config)
			if err != nil {
				return err
			}
			ofTrial(c, trial)
			_, soft, done := a.interruptible(cmd.Context())
			defer done()
			for _, word := range args {
				if err := a.lookUp(soft, c, word); err != nil {
					return err
				}
			}
			if export == "" {
				return nil
			}
			return a.exportMap(soft, c, export)
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&config, "config", "c", "import.yaml", "the configuration")
	fl.StringVar(&export, "export", "", "write the whole map to `file`; - is stdout")
	trialFlag(fl, &trial, "look in the trial, not in the import")
	fl.BoolVar(&a.ui.json, "json", false, "one JSON object a line on stdout")
	return cmd
}

func (a *app) lookUp(ctx context.Context, c *configs.Config, word string) error {
	places, err := importer.Lookup(ctx, c.Checkpoint, word, func() (importer.Source, error) { return a.oldSide(ctx, c) })
	if err != nil {
		return a.inputError(err)
	}
	if len(places) == 0 {
		*a.code = importer.ExitRejected
	}
	a.ui.places(word, places)
	return nil
}

// oldSide opens the export, if it is there and nothing about it is undecided; without it the checkpoint has to do.
func (a *app) oldSide(ctx context.Context, c *configs.Config) (importer.Source, error) {
	if len(c.Unanswered) > 0 {
		return nil, nil
	}
	src, err := openSource(ctx, c)
	if err != nil && ctx.Err() == nil {
		a.ui.say("the export cannot be read, the checkpoint alone is asked: %v", err)
		return nil, nil
	}
	return src, err
}

func (a *app) exportMap(ctx context.Context, c *configs.Config, path string) (err error) {
	src, err := a.oldSide(ctx, c)
	if err != nil {
		return a.inputError(err)
	}
	if src != nil {
		defer src.Close()
	}
	var to io.Writer = a.env.out
	if path != "-" {
		f, err := os.Create(path)
		if err != nil {
			return &importer.Stop{Code: importer.ExitUsage, Err: err}
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		to = f
	}
	n, err := importer.ExportMap(ctx, c.Checkpoint, src, to)
	if err != nil {
		return a.inputError(err)
	}
	a.ui.say("%s: %s", path, plural(n, "conversation", "conversations"))
	return nil
}

// places shows where a word leads.
func (u *ui) places(word string, places []importer.Place) {
	if u.json {
		for _, p := range places {
			u.object(struct {
				MessageType string `json:"message_type"`
				Asked       string `json:"asked"`
				importer.Place
			}{"place", word, p})
		}
		if len(places) == 0 {
			u.object(map[string]string{"message_type": "not_found", "asked": word})
		}
		return
	}
	if len(places) == 0 {
		u.line(u.env.out, "%s: not known to this import", word)
	}
	for _, p := range places {
		u.line(u.env.out, "%s", placeText(p))
	}
}

func placeText(p importer.Place) string {
	name := p.ID
	if name == "" {
		name = p.Key
	}
	text := fmt.Sprintf("ticket %s (%s)", name, p.Source)
	if p.Parts > 1 {
		text += fmt.Sprintf(" part %d of %d", p.Part, p.Parts)
	}
	switch {
	case p.Conversation != 0:
		text += fmt.Sprintf(" is conversation %d: %s", p.Conversation, p.URL)
		if p.Thread != 0 {
			text += fmt.Sprintf(", thread %d", p.Thread)
		}
	case p.Was != 0:
		text += fmt.Sprintf(" was conversation %d, which this job has deleted", p.Was)
	case p.Candidate != 0:
		text += fmt.Sprintf(" is in doubt; it may be conversation %d: %s", p.Candidate, p.Reason)
	case p.Reason != "":
		text += fmt.Sprintf(" is %s: %s", stateWord(p.State), p.Reason)
	default:
		text += " is " + stateWord(p.State)
	}
	return text
}

func stateWord(state string) string {
	switch state {
	case "pending":
		return "still to be sent"
	case "in_doubt", "sending":
		return "in doubt"
	}
	return state
}
