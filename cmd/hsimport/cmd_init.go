package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"hsimport/configs"
	"hsimport/importer"
)

func (a *app) initCommand() *cobra.Command {
	var out, preset, agents string
	var schema bool
	cmd := &cobra.Command{
		Use: "init FILE... [-o import.yaml]", Short: "Write a commented configuration from what the export holds", Long: initText,
		Args: atLeastOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			_, soft, done := a.interruptible(cmd.Context())
			defer done()
			for _, path := range []string{out, agents} {
				if _, err := os.Lstat(path); path != "" && err == nil {
					return existsAlready(path)
				}
			}
			s, err := survey(soft, args, preset)
			if err != nil {
				return a.inputError(err)
			}
			o := configs.DraftOptions{Dir: filepath.Dir(out), AgentsFile: agents}
			if schema {
				if o.Schema, err = writeSchema(o.Dir); err != nil {
					return err
				}
			}
			text, questions := configs.Draft(s, args, o)
			if agents != "" {
				if err := writeNew(agents, configs.AgentsFile(s)); err != nil {
					return err
				}
			}
			if err := writeNew(out, text); err != nil {
				return err
			}
			if agents != "" {
				a.ui.agentsWritten(agents, s)
			}
			a.ui.drafted(out, s, questions)
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "import.yaml", "the `file` to write")
	cmd.Flags().BoolVar(&schema, "schema", false, "write the format's JSON Schema beside it, as "+schemaFile+", and name it for editors")
	cmd.Flags().StringVar(&agents, "agents", "", "write the likely agents into this CSV `file` to be filled in, instead of asking for each in the configuration")
	presetFlag(cmd, &preset)
	return cmd
}

// presetFlag adds --preset.
func presetFlag(cmd *cobra.Command, preset *string) {
	cmd.Flags().StringVar(preset, "preset", "", "read the files as this `preset`; none for no preset (default: the one whose columns are there)")
}

func existsAlready(path string) error {
	return &importer.Stop{Code: importer.ExitUsage, Err: fmt.Errorf("%s is there already and is left as it is", path), Hint: "-o FILE writes another one"}
}

// writeNew writes a file that must not be there yet.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return existsAlready(path)
	}
	if err == nil {
		_, err = f.Write(data)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return &importer.Stop{Code: importer.ExitUsage, Err: fmt.Errorf("write the configuration: %w", err)}
	}
	return nil
}
