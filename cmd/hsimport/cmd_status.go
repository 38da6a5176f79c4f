package main

import (
	"github.com/spf13/cobra"

	"hsimport/importer"
)

func (a *app) statusCommand() *cobra.Command {
	var config string
	cmd := &cobra.Command{
		Use: "status -c import.yaml", Short: "Where the import stands, from the checkpoint alone", Long: statusText,
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.load(config)
			if err != nil {
				return err
			}
			st, err := importer.ReadStatus(cmd.Context(), c.Checkpoint)
			if err != nil {
				return err
			}
			a.ui.status(st)
			*a.code = st.ExitCode
			return nil
		},
	}
	cmd.Flags().StringVarP(&config, "config", "c", "import.yaml", "the configuration")
	cmd.Flags().BoolVar(&a.ui.json, "json", false, "one JSON object on stdout")
	return cmd
}
