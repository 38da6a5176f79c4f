package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"hsimport/importer"
)

// version is set by the Makefile; go install leaves it to the build's own information.
var version string

func main() {
	signal.Ignore(syscall.SIGPIPE) // a pager that is closed must not end a run half-way
	limitMemory(os.LookupEnv)
	os.Exit(run(context.Background(), os.Args[1:], system()))
}

// memoryLimit is what the garbage collector keeps the program below, where a single mail does not need more: the index
// of a large archive would otherwise be doubled by what is only waiting to be collected.
const memoryLimit = 120 << 20

// garbage is how far the heap may grow beyond what is in use, in percent, below that limit: tickets come and go, and
// collecting them less often is a tenth of a dry run's time.
const garbage = 300

// limitMemory leaves to GOMEMLIMIT and GOGC what a person has set.
func limitMemory(lookup func(string) (string, bool)) {
	if v, set := lookup("GOMEMLIMIT"); !set || v == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	if v, set := lookup("GOGC"); !set || v == "" {
		debug.SetGCPercent(garbage)
	}
}

// environment is the world of one invocation: tests have their own.
type environment struct {
	in       io.Reader
	out, err io.Writer
	lookup   func(string) (string, bool)
	outTTY   bool // stdout is a terminal
	outWide  int  // columns of the terminal that stdout is; 0 when it is none, or that is not known
	errTTY   bool
	inTTY    bool
	signals  bool // install signal handlers
}

func system() *environment {
	tty := func(f *os.File) bool { return isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()) }
	wide, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		wide = 0
	}
	return &environment{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, lookup: os.LookupEnv,
		inTTY: tty(os.Stdin), outTTY: tty(os.Stdout), outWide: wide, errTTY: tty(os.Stderr), signals: true,
	}
}

func (env *environment) get(name string) string {
	v, _ := env.lookup(name)
	return v
}

// run is the whole program: arguments in, exit code out. No panic reaches a person.
func run(ctx context.Context, args []string, env *environment) (code int) {
	u := newUI(env)
	defer func() {
		if p := recover(); p != nil {
			u.defect(p, debug.Stack())
			code = importer.ExitUnexpected
		}
	}()
	cmd := rootCommand(env, u, &code)
	cmd.SetArgs(args)
	if err := cmd.ExecuteContext(ctx); err != nil {
		return u.fail(err)
	}
	return code
}

func rootCommand(env *environment, u *ui, code *int) *cobra.Command {
	root := &cobra.Command{
		Use: "hsimport", Short: "Move support history into Help Scout: once, completely, and without mailing anybody",
		Long: aboutText, Version: toolVersion(), SilenceErrors: true, SilenceUsage: true,
		SuggestionsMinimumDistance: 3,
	}
	root.SetIn(env.in)
	root.SetOut(env.out)
	root.SetErr(env.err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usageError{nearestFlag(c, err), c.CommandPath()} })
	root.PersistentFlags().BoolVarP(&u.quiet, "quiet", "q", false, "say only what went wrong, and the verdict")
	root.PersistentFlags().BoolVarP(&u.verbose, "verbose", "v", false, "say more, on stderr")
	a := &app{env: env, ui: u, code: code}
	root.PersistentFlags().StringVar(&a.credentialsFile, "credentials", "", "read HELPSCOUT_APP_ID and HELPSCOUT_APP_SECRET from `file`")
	root.AddCommand(a.demoCommand(), a.inspectCommand(), a.initCommand(), a.doctorCommand(), a.fetchCommand(), a.dryRunCommand(), a.runCommand(), a.statusCommand(), a.verifyCommand(), a.lookupCommand(), a.recoverCommand(), a.rollbackCommand(), a.sandboxCommand(), a.schemaCommand(), a.manCommand())
	for _, c := range root.Commands() {
		c.DisableFlagsInUseLine = true
	}
	narrowHelp(root)
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages ", fmt.Sprintf(".FlagUsagesWrapped %d ", screenWidth)))
	return root
}

// app is what every subcommand has at hand.
type app struct {
	env             *environment
	ui              *ui
	code            *int
	credentialsFile string
}

// usageError is a mistake in the words of the call; it ends with 2.
type usageError struct {
	err     error
	command string
}

func (e usageError) Error() string { return e.err.Error() }

// nearestFlag adds the flag that was probably meant.
func nearestFlag(c *cobra.Command, err error) error {
	_, wrong, ok := strings.Cut(err.Error(), "unknown flag: --")
	if !ok {
		return err
	}
	best, name := 4, ""
	c.Flags().VisitAll(visitNearest(wrong, &best, &name))
	c.InheritedFlags().VisitAll(visitNearest(wrong, &best, &name))
	if name == "" {
		return err
	}
	return fmt.Errorf("%w; did you mean --%s?", err, name)
}

// toolVersion is the version a person sees and each run stores.
func toolVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

// atLeastOne asks for a file.
func atLeastOne(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usageError{errors.New("no file is named"), c.CommandPath()}
	}
	return nil
}

// exactly refuses superfluous words with a usage error.
func exactly(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		if len(args) > n {
			return usageError{fmt.Errorf("%q is one word too many", args[n]), c.CommandPath()}
		}
		return usageError{errors.New("something is missing"), c.CommandPath()}
	}
}
