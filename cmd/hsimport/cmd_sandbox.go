package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
)

func (a *app) sandboxCommand() *cobra.Command {
	var addr string
	var w sandboxWishes
	cmd := &cobra.Command{
		Use: "sandbox", Short: "A Help Scout on this machine, with a page to look at what arrived", Long: sandboxText + settingsText(),
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := w.options()
			if err != nil {
				return &importer.Stop{Code: importer.ExitUsage, Err: err}
			}
			return a.serveSandbox(cmd.Context(), addr, o)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&addr, "addr", "127.0.0.1:8080", "where to listen")
	fl.StringVar(&w.state, "state", "", "keep everything in `file` and come back to it; without, it is gone at the end")
	fl.StringVar(&w.settings, "settings", "", "read settings and fault rules from a YAML or JSON `file`; --set and --fault go first")
	fl.StringVar(&w.seedFile, "seed-file", "", "begin with the account in `file`, such as a snapshot of hsimport doctor")
	fl.StringArrayVar(&w.faults, "fault", nil, "a fault `rule`, such as create#7=504,applied; may be repeated")
	fl.StringArrayVar(&w.set, "set", nil, "a setting, `name=value`; may be repeated")
	fl.Uint64Var(&w.seed, "seed", 0, "decides ids and every dice; 0 is that of --state or --seed-file, else 1")
	return cmd
}

// sandboxWishes are what the flags say about an account.
type sandboxWishes struct {
	state, settings, seedFile string
	faults, set               []string
	seed                      uint64
}

// options puts files and flags together; what stands in a flag holds before what stands in a file.
func (w *sandboxWishes) options() (sandbox.Options, error) {
	o := sandbox.Options{Settings: sandbox.Defaults(), Log: w.state}
	var err error
	if w.seedFile != "" {
		if o.Seed, err = sandbox.LoadSeed(w.seedFile); err != nil {
			return o, err
		}
	}
	if w.seed != 0 {
		o.Seed.Number = w.seed
	}
	var filed sandbox.Faults
	if w.settings != "" {
		if o.Settings, filed, err = sandbox.LoadSettings(w.settings); err != nil {
			return o, err
		}
	}
	for _, s := range w.set {
		name, value, _ := strings.Cut(s, "=")
		if err := o.Settings.Set(name, value); err != nil {
			return o, fmt.Errorf("--set %s: %w", s, err)
		}
	}
	rules, err := sandbox.ParseFaults(strings.Join(w.faults, "\n"))
	o.Faults = append(rules, filed...) // the first rule that selects a call holds
	return o, err
}

// sandboxGC is the collector's pace, unless GOGC or GOMEMLIMIT is set. The account lies in memory and is all pointers:
// walking it again and again took more than half of the server's time.
const sandboxGC = 200

func (a *app) serveSandbox(ctx context.Context, addr string, o sandbox.Options) error {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(sandboxGC)
		debug.SetMemoryLimit(math.MaxInt64) // main's is for an import, whose memory does not grow with what it imports
	}
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
