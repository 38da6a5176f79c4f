package main

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"hsimport/importer/helpscout/sandbox"
)

// deeds are what people do to a conversation in Help Scout.
var deeds = map[string]func(box *sandbox.Sandbox, id int64) error{
	"delete": (*sandbox.Sandbox).DeleteConversation,
	"answer": func(box *sandbox.Sandbox, id int64) error {
		_, err := box.Reply(id, 0, "somebody has looked at it")
		return err
	},
	"write": func(box *sandbox.Sandbox, id int64) error {
		_, err := box.CustomerReply(id, "is anybody there?")
		return err
	},
	"note":    func(box *sandbox.Sandbox, id int64) error { _, err := box.Note(id, 0, "call them"); return err },
	"retitle": func(box *sandbox.Sandbox, id int64) error { return box.Retitle(id, "what it is really about") },
	"tag":     func(box *sandbox.Sandbox, id int64) error { return box.Tag(id, "vip") },
	"move":    func(box *sandbox.Sandbox, id int64) error { return box.Move(id, sandbox.DefaultSeed().Mailboxes[1].ID) },
	"assign":  func(box *sandbox.Sandbox, id int64) error { return box.Assign(id, sandbox.DefaultSeed().Users[1].ID) },
	"reopen":  func(box *sandbox.Sandbox, id int64) error { return box.SetStatus(id, "active") },
	"park":    func(box *sandbox.Sandbox, id int64) error { return box.SetStatus(id, "pending") },
}

// scriptPeople does what people do in Help Scout while an import is going on, or after it.
func scriptPeople(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || deeds[args[0]] == nil {
		ts.Fatalf("usage: people delete|answer|... N, see deeds")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	box := theAccount(ts).box
	for c := range box.Conversations() {
		if !c.Live() {
			continue
		}
		if n--; n == 0 {
			ts.Check(deeds[args[0]](box, c.ID))
			return
		}
	}
	ts.Fatalf("there are not that many conversations")
}

// scriptAppend adds the lines of one file to another.
func scriptAppend(ts *testscript.TestScript, neg bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_WRONLY, 0)
	ts.Check(err)
	_, err = f.WriteString(ts.ReadFile(args[1]))
	ts.Check(errors.Join(err, f.Close()))
}

// scriptFaults changes what goes wrong in the account.
func scriptFaults(ts *testscript.TestScript, neg bool, args []string) {
	rules, err := sandbox.ParseFaults(strings.Join(args, " "))
	ts.Check(err)
	theAccount(ts).box.SetFaults(rules)
}
