package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"hsimport/importer"
	"hsimport/importer/helpscout"
)

// The first write into an account is confirmed by the mailbox's name, and by nothing else.
func TestConfirm(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	never, _ := io.Pipe()
	for _, c := range []struct {
		name string
		in   io.Reader
		ctx  context.Context
		tty  bool
		yes  bool
		code int // -1: not a Stop
		ok   bool
	}{
		{name: "the name", in: strings.NewReader("support \n"), tty: true, ok: true},
		{name: "another name", in: strings.NewReader("yes\n"), tty: true, code: -1},
		{name: "no answer", in: strings.NewReader(""), tty: true, code: -1},
		{name: "no terminal", in: strings.NewReader("Support\n"), code: importer.ExitUsage},
		{name: "no terminal, but yes", in: strings.NewReader(""), yes: true, ok: true},
		{name: "Ctrl-C", in: never, ctx: ended, tty: true, code: importer.ExitInterrupted},
	} {
		t.Run(c.name, func(t *testing.T) {
			var said bytes.Buffer
			env := &environment{in: c.in, out: io.Discard, err: &said, inTTY: c.tty, lookup: func(string) (string, bool) { return "", false }}
			a := &app{env: env, ui: newUI(env)}
			ctx := c.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			g := &importer.Gate{Origin: "https://api.example", Mailbox: helpscout.Mailbox{Name: "Support", Email: "help@support.example"}}
			err := a.confirm(ctx, c.yes)(ctx, g)
			if (err == nil) != c.ok {
				t.Fatalf("error %v", err)
			}
			var stop *importer.Stop
			if !c.ok && errors.As(err, &stop) != (c.code >= 0) || stop != nil && stop.Code != c.code {
				t.Errorf("error %v, want code %d", err, c.code)
			}
			if !strings.Contains(said.String(), "https://api.example") || !strings.Contains(said.String(), "help@support.example") {
				t.Errorf("the gate does not say where it leads: %s", said.String())
			}
		})
	}
}

// TestGateNamesMailboxes: each mailbox that is written to, with its conversations, and whose name is to be typed.
func TestGateNamesMailboxes(t *testing.T) {
	var said bytes.Buffer
	env := &environment{in: strings.NewReader("support\n"), out: io.Discard, err: &said, inTTY: true, lookup: func(string) (string, bool) { return "", false }}
	a := &app{env: env, ui: newUI(env)}
	g := &importer.Gate{Origin: "https://api.example", Mailbox: helpscout.Mailbox{Name: "Support"}}
	for _, name := range []string{"Support", "Sales"} {
		g.Mailboxes = append(g.Mailboxes, importer.GateMailbox{Mailbox: helpscout.Mailbox{Name: name, Email: name + "@x.example"}, Conversations: len(g.Mailboxes) + 1})
	}
	if err := a.confirm(t.Context(), false)(t.Context(), g); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"into         Support <Support@x.example>: 1 conversation\n", "               Sales <Sales@x.example>: 2 conversations\n", "Type the first mailbox's name to begin: "} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("not said: %q\n%s", want, said.String())
		}
	}
}
