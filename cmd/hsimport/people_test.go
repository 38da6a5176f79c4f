package main

import (
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"hsimport/importer/helpscout/sandbox"
)

// scriptPeople does what people do in Help Scout while an import is going on, or after it.
func scriptPeople(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: people delete|answer|retitle N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	box := theAccount(ts).box
	for c := range box.Conversations() {
		if !c.Live() {
			continue
		}
		if n--; n > 0 {
			continue
		}
		switch args[0] {
		case "delete":
			ts.Check(box.DeleteConversation(c.ID))
		case "answer":
			_, err := box.Reply(c.ID, 0, "somebody has looked at it")
			ts.Check(err)
		case "retitle":
			ts.Check(box.Retitle(c.ID, "what it is really about"))
		default:
			ts.Fatalf("people do not %s", args[0])
		}
		return
	}
	ts.Fatalf("there are not that many conversations")
}

// scriptFaults changes what goes wrong in the account.
func scriptFaults(ts *testscript.TestScript, neg bool, args []string) {
	rules, err := sandbox.ParseFaults(strings.Join(args, " "))
	ts.Check(err)
	theAccount(ts).box.SetFaults(rules)
}
