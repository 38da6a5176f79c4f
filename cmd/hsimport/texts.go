package main

import (
	"errors"
	"fmt"
	"strings"

	"hsimport/configs"
)

// The longer texts of the command. Words: what happened, to which record, what will be done about it, what the person
// can do; lower case in messages, no full stop.

const aboutText = `hsimport moves support history from CSV and JSON exports and mail archives into Help Scout: every message once, with its own
date, without mailing anybody, and with an account of everything that was left out.

  hsimport demo                       the whole way on this machine, killed half-way; no account is needed
  hsimport inspect FILE...            what is in an export, before anything is configured
  hsimport init FILE...               drafts import.yaml from what the export holds, and asks what it cannot know
  hsimport fetch -c import.yaml       brings files that lie with the old desk into a folder
  hsimport doctor -c import.yaml      is everything in place; switches workflows off for the import, and on again
  hsimport dry-run -c import.yaml     what would arrive, what would not, and why; writes nothing
  hsimport run -c import.yaml         imports; after an interruption the same line goes on
  hsimport status -c import.yaml      where it stands
  hsimport verify -c import.yaml      reads back what was sent and compares it
  hsimport lookup NUMBER              where a ticket went
  hsimport recover -c import.yaml     rebuilds a lost checkpoint from the account
  hsimport rollback -c import.yaml    deletes what the import created and nobody has touched
  hsimport sandbox                    a Help Scout on this machine to rehearse with
  hsimport schema                     what the configuration may hold, for editors

Exit codes: 0 complete and balanced; 1 unexpected; 2 usage, configuration or a finding that blocks the job; 3 finished,
some records rejected or unreadable (dry-run: some would be; verify: differences; lookup: not found; rollback: touched
ones stay); 4 authentication; 5 stopped with work left; 6 records in doubt left; 7 checkpoint locked, of another job, lost
or stale; 8 plan or mapping differs; 130 interrupted.`

const runText = `Imports what the configuration names. Everything is written down before it is sent, so the run can be stopped at any
instant, by Ctrl-C or by force: the same line goes on from there, without a duplicate and without a hole.

On a newer export it imports the tickets that are new and appends the messages and files that came since. A conversation
that takes no more messages goes on in a further part that links to it. What the source says of a status by now is carried
over, unless people have worked on the conversation since. With --relink, links between old tickets inside texts lead to
the new conversations afterwards; no word of a text is changed.

Credentials come from HELPSCOUT_APP_ID and HELPSCOUT_APP_SECRET, or from a file of such lines that
HELPSCOUT_CREDENTIALS_FILE names. HELPSCOUT_BASE_URL overrides helpscout.base_url.

--trial INBOX sends a sample into another inbox, under a checkpoint of its own beside the import's, which stays untouched;
hsimport rollback --trial removes it, status, verify and lookup look at it with --trial.`

const dryRunText = `Runs the very path of run up to delivery and reports. Nothing is written to the account or to the checkpoint.
Without credentials it works offline and says what it could not check; --snapshot FILE, or helpscout.snapshot, is the
account's side as doctor --snapshot has kept it: with it the report is the one that access would give, and its plan can
be run.`

const inspectText = `Looks at CSV or JSON exports or mail archives (mbox, Maildir, single mails), packed or not (.gz, .zst, .zip,
.tar.gz), and says what is in them. It reads and writes nothing else; no configuration and no account are needed. The
first columns of a table are listed, as wide as the terminal is; --json lists all.`

const initText = `Writes a commented configuration from what the files hold. What only a person can know stands in it as "?"; those
questions are listed, and dry-run and run do not begin before they are answered. An existing file is never overwritten.`

const demoText = `Shows the whole way on this machine, without an account: what is in the export, the dry run, an import into a sandbox
of its own that is killed half-way and loses answers, the same line again to the end, and then every message and every
attachment compared with the source. It ends with 0 only if all of it is equal.

Without files it takes a bundled sample, a CSV export and a mail archive. With files it takes yours, under a
configuration drafted from them. Everything is written into a temporary folder, whose path is printed.`

const statusText = `Says where the import stands, from the checkpoint alone; also while a run is going on: what was sent, what is to be sent and
how long that takes by the quota's arithmetic and at the rate of the last minutes, what was rejected or is in doubt by its
cause and with what to do about it, the last answers that were no success, workflows that are still switched off. It ends
with the exit code of the last run.

--rejects, --findings and --records write tables: what has not arrived and why; what the last plan found; what every run
had to say, the server's answers too.`

const sandboxText = `Serves the Mailbox API on this machine. Point a run at it with HELPSCOUT_BASE_URL=http://127.0.0.1:8080; credentials
are not needed there. Faults are rules such as

  create#7=504,applied      the 7th create call is applied, but answered with a 504
  create%5=reset,late:120s  5 % of the create calls are reset and applied two minutes later
  outage@60s+10m            nothing answers from the 60th second on, for ten minutes

To rehearse against a likeness of the real account, take a snapshot of it with hsimport doctor --snapshot FILE and begin
with --seed-file FILE: it has the mailboxes, fields, users and teams with their ids, and no conversations.`

const (
	hintCredentials = "set both to those of an OAuth2 app of your profile in Help Scout (Your Profile > My Apps)"
	hintPlanAgain   = "look at the difference with hsimport dry-run --against FILE, and review a new plan"
	hintUnanswered  = `write your answer in place of each "?"; the comments beside them say what is asked`
	hintNameFile    = "name a CSV or JSON export, an mbox file, a folder of mail, or a .zip or .tar.gz of these"
	hintOneKind     = "look at tables and at mail one after the other; each becomes an import of its own"
	hintDefect      = "this is a defect of hsimport; everything sent is in the checkpoint, the same command goes on"
)

const nothingSent = "nothing was sent"

var errKeepAndRedo = errors.New("--keep-sent and --redo-changed exclude each other")

// unansweredError lists what a person still has to decide, a line each.
func unansweredError(c *configs.Config) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s still to be decided:", c.Path, plural(len(c.Unanswered), "question is", "questions are"))
	for _, q := range c.Unanswered {
		fmt.Fprintf(&b, "\n  %s:%d: %s", c.Path, q.Line, q.Key)
	}
	return errors.New(b.String())
}

// plural is "1 ticket is", "2,000 tickets are".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

func wrongOrder(s string) error {
	return fmt.Errorf("--order %q: it is live-first, newest or oldest", s)
}

// presetText says how the files are read, and why.
func presetText(p *configs.Preset) string {
	return fmt.Sprintf("%s: %s, %s; because there are %s (--preset %s reads them without)", p.Name, p.Desk, p.Title, p.Needs(), configs.NoPreset)
}
