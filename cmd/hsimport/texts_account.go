package main

import "errors"

// The words about the account and what is around an import; the rules are those of texts.go.

const doctorText = `Looks at everything around the import but the tickets themselves, and changes nothing: the configuration, the files, the
credentials and whose they are, the quota, the clock, what the account has of mailboxes, users, teams, fields and tags,
the workflows and webhooks that an import might set off, the checkpoint, and the disk. Each line begins with ok, warn
(worth a look) or stop (the import would not begin, or would not end well). dry-run and run do all of it too, as far as
it concerns them.

--snapshot FILE keeps the account's side in a file: hsimport dry-run --snapshot FILE makes the report on a machine without
access, hsimport sandbox --seed-file FILE serves a likeness of the account. It holds names and addresses of the team, no
customers, no conversations and no credentials.

--pause-workflows switches off the active automatic workflows of the mailbox, because "pending for 3 days: write to the
customer" may fit 800 imported conversations at once. Which ones they were is kept beside the checkpoint, in a file whose
name ends in .paused; it may be done before the first run and while one is going on. Nothing switches them on by itself:
run and status name those that are off, and --resume-workflows switches on exactly those, after it has shown the
imported conversations they may act on.

It ends with 0 when nothing says stop, otherwise with the code that the import would end with.`

const schemaText = `Prints the JSON Schema of the configuration: what each key is for, and what it may be. Editors that know YAML complete
and check with it:

  hsimport schema > hsimport.schema.json

and in the first line of the configuration

  # yaml-language-server: $schema=hsimport.schema.json

hsimport init --schema writes both.`

const hintOwner = "make a user for the import in Help Scout (Manage > Users) and let the app belong to that one"

const hintSnapshot = "hsimport doctor --snapshot FILE writes one where there is access; without one, leave it out, and the dry run says what it could not check"

var errOneDoctor = errors.New("--pause-workflows, --resume-workflows and --snapshot are asked for one at a time")

var errResumeNoTerminal = errors.New("switching workflows on again has to be confirmed, and there is no terminal to ask; nothing was switched on")
