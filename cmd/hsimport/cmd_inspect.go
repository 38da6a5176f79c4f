package main

import (
	"github.com/spf13/cobra"
)

func (a *app) inspectCommand() *cobra.Command {
	var preset string
	cmd := &cobra.Command{
		Use: "inspect FILE...", Short: "What is in an export: columns, dates, statuses, people, oddities", Long: inspectText,
		Args: atLeastOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			_, soft, done := a.interruptible(cmd.Context())
			defer done()
			s, err := survey(soft, args, preset)
			if err != nil {
				return a.inputError(err)
			}
			if a.ui.json {
				a.ui.surveyObject(s)
				return nil
			}
			a.ui.survey(s, false)
			return nil
		},
	}
	cmd.Flags().BoolVar(&a.ui.json, "json", false, "one JSON object on stdout")
	presetFlag(cmd, &preset)
	return cmd
}
