package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
)

func (a *app) sandboxCommand() *cobra.Command {
	var addr, state string
	var faults, settings []string
	var seed uint64
	cmd := &cobra.Command{
		Use: "sandbox", Short: "A Help Scout on this machine, with a page to look at what arrived", Long: sandboxText + settingsText(),
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := sandbox.Options{Settings: sandbox.Defaults(), Log: state}
			o.Seed.Number = seed
			for _, s := range settings {
				name, value, _ := strings.Cut(s, "=")
				if err := o.Settings.Set(name, value); err != nil {
					return &importer.Stop{Code: importer.ExitUsage, Err: fmt.Errorf("--set %s: %w", s, err)}
				}
			}
			rules, err := sandbox.ParseFaults(strings.Join(faults, "\n"))
			if err != nil {
				return &importer.Stop{Code: importer.ExitUsage, Err: err}
			}
			o.Faults = rules
			return a.serveSandbox(cmd.Context(), addr, o)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&addr, "addr", "127.0.0.1:8080", "where to listen")
	fl.StringVar(&state, "state", "", "keep everything in `file` and come back to it; without, it is gone at the end")
	fl.StringArrayVar(&faults, "fault", nil, "a fault `rule`, such as create#7=504,applied; may be repeated")
	fl.StringArrayVar(&settings, "set", nil, "a setting, `name=value`; may be repeated")
	fl.Uint64Var(&seed, "seed", 1, "decides ids and every dice")
	return cmd
}

func (a *app) serveSandbox(ctx context.Context, addr string, o sandbox.Options) error {
	box, err := sandbox.New(o)
	if err != nil {
		return &importer.Stop{Code: importer.ExitUsage, Err: err}
	}
	defer box.Close()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return &importer.Stop{Code: importer.ExitUsage, Err: err, Hint: "--addr 127.0.0.1:0 takes any free port"}
	}
	_, soft, done := a.interruptible(ctx)
	defer done()
	srv := &http.Server{Handler: box, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(soft, func() { _ = srv.Close() })
	a.ui.serving(l.Addr().String())
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// settingsText lists every knob for the help page.
func settingsText() string {
	var b strings.Builder
	b.WriteString("\n\nSettings (--set name=value):\n")
	for _, s := range sandbox.SettingNames() {
		fmt.Fprintf(&b, "  %-24s %s (default %s)\n", s.Name, s.Help, s.Default)
	}
	return b.String()
}
