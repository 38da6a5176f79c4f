package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"hsimport/configs"
	"hsimport/importer"
)

// schemaFile is the name of the JSON Schema beside a configuration.
const schemaFile = "hsimport.schema.json"

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of the configuration, for editors", Long: schemaText,
		Args: exactly(0),
		RunE: func(*cobra.Command, []string) error {
			_, err := a.env.out.Write(configs.Schema())
			return err
		},
	}
}

// writeSchema writes the schema into a folder, unless it is there as it is now, and returns its name. Another file of
// that name stays.
func writeSchema(dir string) (name string, err error) {
	path := filepath.Join(dir, schemaFile)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, configs.Schema()) {
		return schemaFile, nil
	}
	err = writeNew(path, configs.Schema())
	var stop *importer.Stop
	if errors.As(err, &stop) {
		stop.Hint = "move it away, or leave --schema out"
	}
	return schemaFile, err
}
