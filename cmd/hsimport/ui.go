package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/lmittmann/tint"
	"github.com/schollz/progressbar/v3"

	"hsimport/importer"
	"hsimport/sources"
)

// ui holds every word a person sees. Data goes to stdout, progress and logs to stderr; a bar only on a terminal, a
// line a minute otherwise; with --json one object a line on stdout.
type ui struct {
	env     *environment
	json    bool
	quiet   bool
	verbose bool

	mu       sync.Mutex
	bar      *progressbar.ProgressBar
	lastLine time.Time // of progress
	waitLine time.Time // of a wait
	lastWait string
}

func newUI(env *environment) *ui { return &ui{env: env} }

func (u *ui) log() *slog.Logger {
	if !u.verbose {
		return slog.New(slog.DiscardHandler)
	}
	noColor := !u.env.errTTY || u.env.get("NO_COLOR") != ""
	return slog.New(tint.NewTextHandler(u.env.err, &tint.Options{Level: slog.LevelDebug, NoColor: noColor, TimeFormat: time.TimeOnly}))
}

// say writes a line to stderr, unless --quiet.
func (u *ui) say(format string, args ...any) {
	if !u.quiet {
		u.line(u.env.err, format, args...)
	}
}

func (u *ui) line(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format+"\n", args...) // a terminal that is gone cannot be told
}

// object writes one line of JSON to stdout.
func (u *ui) object(v any) {
	b, err := json.Marshal(v)
	if err == nil {
		u.line(u.env.out, "%s", b)
	}
}

// fail says what went wrong and returns the exit code.
func (u *ui) fail(err error) int {
	u.clearBar()
	code, hint := importer.ExitUsage, ""
	var usage usageError
	var stop *importer.Stop
	var input *sources.InputError
	switch {
	case errors.As(err, &usage):
		hint = usage.command + " --help"
	case errors.As(err, &stop):
		code, hint = stop.Code, stop.Hint
	case errors.As(err, &input):
		hint = input.Hint
	case isCobraUsage(err):
	default:
		code = importer.ExitUnexpected
	}
	u.problem(err, hint)
	if u.json {
		u.object(map[string]any{"message_type": "error", "exit_code": code, "error": err.Error(), "hint": hint})
	}
	return code
}

func (u *ui) problem(err error, hint string) {
	u.line(u.env.err, "hsimport: %v", err)
	if hint != "" {
		u.line(u.env.err, "hint: %s", hint)
	}
}

// isCobraUsage recognises the complaints of the command library, which have no type of their own.
func isCobraUsage(err error) bool {
	s := err.Error()
	for _, p := range []string{"unknown command", "unknown shorthand", "unknown flag", "required flag", "invalid argument", "flag needs an argument", "accepts "} {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func (u *ui) defect(p any, stack []byte) {
	u.clearBar()
	u.line(u.env.err, "hsimport: unexpected: %v", p)
	u.line(u.env.err, "hint: %s", hintDefect)
	if u.verbose {
		u.line(u.env.err, "%s", stack)
	}
}

// inputError gives an error of a source its exit code: what is wrong with the input is for the person to mend.
func (a *app) inputError(err error) error {
	var stop *importer.Stop
	if errors.As(err, &stop) {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return &importer.Stop{Code: importer.ExitInterrupted, Err: errors.New("interrupted"), Hint: ""}
	}
	hint := ""
	var input *sources.InputError
	if errors.As(err, &input) {
		hint = input.Hint
	}
	return &importer.Stop{Code: importer.ExitUsage, Err: err, Hint: hint}
}

func (u *ui) phase(text string) {
	if u.json {
		u.object(map[string]string{"message_type": "phase", "text": text})
	}
	u.say("%s", text)
}

func (u *ui) interrupted() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.clear()
	u.line(u.env.err, "finishing what is in flight; once more stops now (both are safe)")
}

func (u *ui) serving(addr string) {
	u.line(u.env.out, "sandbox on http://%s", addr)
	u.say("HELPSCOUT_BASE_URL=http://%s points a run at it; Ctrl-C ends it", addr)
}

// event shows what the engine tells.
func (u *ui) event(ev importer.Event) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch ev.Kind {
	case importer.EventPhase:
		u.clear()
		u.phase(ev.Text)
	case importer.EventWarning:
		u.tell("warning", ev)
	case importer.EventRejected:
		u.tell("rejected", ev)
	case importer.EventWait:
		if ev.Why != u.lastWait || time.Since(u.waitLine) > time.Minute {
			u.lastWait, u.waitLine = ev.Why, time.Now()
			u.tell("waiting", ev)
		}
	case importer.EventPart:
		u.lastWait = ""
		u.progress(ev)
	}
}

func (u *ui) tell(kind string, ev importer.Event) {
	if u.json {
		o := map[string]string{"message_type": kind, "text": ev.Text, "key": ev.Key}
		if !ev.Until.IsZero() {
			o["until"] = ev.Until.UTC().Format(time.RFC3339)
		}
		u.object(o)
	}
	u.clear()
	if !ev.Until.IsZero() && ev.Until.Sub(ev.At) >= 10*time.Second {
		ev.Text += ", until " + ev.Until.Local().Format(time.TimeOnly)
	}
	if kind == "rejected" {
		u.say("rejected: %s: %s", ev.Key, ev.Text)
		return
	}
	u.say("%s: %s", kind, ev.Text)
}

// progress draws the bar, or writes a line a minute where there is no terminal or a program reads.
func (u *ui) progress(ev importer.Event) {
	if ev.Todo == 0 {
		return
	}
	if u.env.errTTY && !u.quiet {
		u.draw(ev)
	}
	if u.env.errTTY && !u.json {
		return
	}
	if u.lastLine.IsZero() {
		u.lastLine = ev.At // the first line comes after a minute: a short run needs none
	}
	if ev.At.Sub(u.lastLine) < time.Minute {
		return
	}
	u.lastLine = ev.At
	if !u.env.errTTY {
		u.say("%s", progressText(ev))
	}
	if u.json {
		u.object(map[string]any{"message_type": "progress", "done": ev.Done, "todo": ev.Todo, "units": ev.Units, "why": ev.Why})
	}
}

func (u *ui) draw(ev importer.Event) {
	if u.bar == nil {
		u.bar = progressbar.NewOptions64(int64(ev.Todo), progressbar.OptionSetWriter(u.env.err), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
	}
	u.bar.Describe(progressText(ev))
	_ = u.bar.Set(min(ev.Done, ev.Todo)) // drawing is not worth an error
}

func progressText(ev importer.Event) string {
	text := fmt.Sprintf("%s of %s", count(ev.Done), count(ev.Todo))
	if left := eta(ev); left > 0 {
		text += ", " + human(left) + " left"
	}
	if ev.Why != "" {
		text += " (" + ev.Why + ")"
	}
	return text
}

// eta is what is left by the quota's arithmetic: two units a conversation.
func eta(ev importer.Event) time.Duration {
	if ev.Rate <= 0 || ev.Rate > 1e6 {
		return 0
	}
	return time.Duration(float64(2*(ev.Todo-ev.Done)) / ev.Rate * float64(time.Minute))
}

func (u *ui) clear() {
	if u.bar != nil {
		_ = u.bar.Clear()
	}
}

func (u *ui) clearBar() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.clear()
}

// confirm asks for the mailbox's name before the first write into an account.
func (a *app) confirm(soft context.Context, yes bool) func(context.Context, *importer.Gate) error {
	return func(_ context.Context, g *importer.Gate) error {
		a.ui.clearBar()
		a.ui.gate(g)
		if yes {
			return nil
		}
		if !a.env.inTTY {
			return &importer.Stop{
				Code: importer.ExitUsage, Err: errors.New("the first run into an account has to be confirmed, and there is no terminal to ask"),
				Hint: "--yes confirms it; --plan FILE binds it to a reviewed dry run",
			}
		}
		_, _ = fmt.Fprintf(a.env.err, "Type the %s to begin: ", whichMailbox(g))
		line, err := a.answer(soft)
		if err != nil {
			return err
		}
		if !strings.EqualFold(strings.TrimSpace(line), strings.TrimSpace(g.Mailbox.Name)) {
			return fmt.Errorf("not confirmed: %q is not the mailbox's name; nothing was sent", strings.TrimSpace(line))
		}
		return nil
	}
}

// whichMailbox says whose name is to be typed.
func whichMailbox(g *importer.Gate) string {
	if len(g.Mailboxes) > 1 {
		return "first mailbox's name"
	}
	return "mailbox's name"
}

// answer reads a line from the terminal; Ctrl-C ends the waiting for it.
func (a *app) answer(ctx context.Context) (string, error) {
	lines := make(chan string, 1) // the reader may be left behind: the program ends then
	go func() {
		line, _ := bufio.NewReader(a.env.in).ReadString('\n') // no line is no answer
		lines <- line
	}()
	select {
	case line := <-lines:
		if line == "" {
			return "", errors.New("not confirmed: nothing was sent")
		}
		return line, nil
	case <-ctx.Done():
		return "", &importer.Stop{Code: importer.ExitInterrupted, Err: errors.New("interrupted before anything was sent")}
	}
}

func (u *ui) gate(g *importer.Gate) {
	p := func(format string, args ...any) { u.line(u.env.err, format, args...) }
	p("")
	p("This run writes into %s", g.Origin)
	p("  as           %s %s <%s>", g.Owner.FirstName, g.Owner.LastName, g.Owner.Email)
	if len(g.Mailboxes) < 2 {
		p("  into         %s <%s>", g.Mailbox.Name, g.Mailbox.Email)
	}
	for i, mb := range g.Mailboxes {
		label := "into"
		if i > 0 {
			label = ""
		}
		if len(g.Mailboxes) > 1 {
			p("  %-12s %s <%s>: %s", label, mb.Name, mb.Email, plural(mb.Conversations, "conversation", "conversations"))
		}
	}
	p("  sends        %s conversations: %s", count(g.Totals.Parts-g.Totals.Refused), byCount(g.Totals.Statuses))
	if g.Limit > 0 {
		p("  costs        %s units: about %s at %d %% of %d a minute, until %s", count(g.Units), human(g.Duration), int(g.Share*100), g.Limit,
			time.Now().Add(g.Duration).Format("Mon 15:04"))
	} else {
		p("  costs        %s units", count(g.Units))
	}
	for _, w := range g.Workflows {
		p("  workflow     %q is active and may act on imported conversations; hsimport doctor --pause-workflows", w.Name)
	}
	if len(g.WorkflowsOff) > 0 {
		p("  workflows    %s", stillOff(g.WorkflowsOff))
	}
	for _, h := range g.Webhooks {
		p("  webhook      %s may be called", h.Place())
	}
	if g.LiveWithCc {
		p("  cc           live conversations carry cc: an agent's first answer goes to them too")
	}
	p("")
}
