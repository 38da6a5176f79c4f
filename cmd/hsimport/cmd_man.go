package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"hsimport/importer"
)

// manCommand is for those who package the program.
func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use: "man FOLDER", Short: "Write the manual pages", Hidden: true, Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return &importer.Stop{Code: importer.ExitUsage, Err: fmt.Errorf("write the manual pages: %w", err)}
			}
			return doc.GenManTree(cmd.Root(), &doc.GenManHeader{Title: "HSIMPORT", Section: "1", Source: "hsimport"}, args[0])
		},
	}
}
