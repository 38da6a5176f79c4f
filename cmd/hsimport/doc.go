// Command hsimport moves support history from CSV and JSON exports and mail archives into Help Scout: every message once, with
// its own date, without mailing anybody, and with an account of everything that was left out. This page is the tour of
// the code.
//
// # Words
//
// Left of package mapping we speak of the old desk: a ticket, its messages, the requester, an agent. Right of it we speak
// of Help Scout: a conversation, its threads, the customer, a user. A ticket becomes one conversation, or several parts
// when it has more than 100 threads. A finding is what a person should know about the plan: it informs, warns, blocks one
// ticket, or blocks the job. An effect is one call that changes the account: creating a part, appending a thread,
// uploading a file. A part is in doubt when its answer was lost; settling finds out whether it arrived. A job is what one
// checkpoint knows: one account, one kind of source, one rule for keys.
//
// # The rooms
//
//	sources             the old desk's vocabulary: Ticket, Message, Key, Ledger, Survey
//	sources/csvfile     tables: one row a ticket, one row a message, or joined files
//	sources/jsonfile    JSON, whose records become rows of such tables
//	sources/mboxfile    archives of mail, and how mails become threads
//	sources/fetch       files of the old desk, by address, into a folder, once
//	sources/archive     .zip and .tar.gz, read as if somebody had unpacked them
//	sources/mail        one RFC 5322 message to one sources.Message
//	mapping             pure: a ticket in, a plan out; findings; the plan file
//	checkpoint          SQLite: the intent before each effect, the result after it; the only room that knows SQL
//	importer            the engine: planning, delivery, settling, quota, canary, gate; it prints nothing
//	importer/helpscout  the API client, a leaf
//	importer/helpscout/sandbox  the same API as an http.Handler, with faults
//	configs             the YAML file: strict reading, schema, drafting
//	cmd/hsimport        this room: it speaks with the person and wires the others
//
// Which room may import which is a table in layers_test.go.
//
// # The way of one ticket
//
//	file --csvfile, jsonfile, mboxfile--> sources.Ticket --mapping.Map--> mapping.Plan{Parts, Findings}
//	                                                              | importer
//	                                    checkpoint: pending -> sending --POST--> created(id) | rejected(why) | in doubt
//	                                                              +--> importer.Report --> the screens of this room
//
// The protocol that makes each message arrive once is told in the package comment of importer.
//
// # This room
//
//	main.go        run(ctx, args, env): the world of one invocation is a value; the root command, usage errors
//	cmd_*.go       one file a subcommand
//	doctor_*.go    what doctor looks at: the account, workflows, disk and checkpoint
//	open.go        configuration, source, credentials, client: how a job is wired
//	ui.go          what a person sees while something is going on: phases, progress, the gate, errors
//	screens.go     what a person sees at the end: the reports of dry-run, run, status and doctor
//	screen_dryrun.go  the screen of dry-run, 80 columns wide: sums, signs, times
//	screen_verify.go  what verify shows of the conversations it looks at
//	screen_follow.go  what a newer export changes of what is there
//	against.go     how one plan differs from another, summed up
//	findings.go    findings by code, on the screen and as JSON
//	inspect.go     the screen of inspect, and what init says; inspect_columns.go: its table of columns
//	texts.go       help pages and hints
//	help.go        help pages as wide as every screen
//	texts_fetch.go what fetch says
//	cmd_man.go    manual pages, for those who package it
//	planfiles.go   --plan, --against and --csv
//	formats.go     is a file a table or mail; packed.go: what is in an archive
//	sample.go      the bundled sample of demo
//	child.go       demo's child process, and its kill
//	compare.go     what an account holds against its source, word by word and file by file
//	demo_screens.go  what demo shows
//
// Data goes to stdout, progress and logs to stderr. With --json, stdout is one object a line with a message_type, the last
// one summary. Words: what happened, to which record, what will be done about it, what the person can do; lower case and
// no full stop in messages.
//
// # Exit codes
//
//	0    complete and balanced
//	1    unexpected, or sums that do not close
//	2    usage, configuration, or a finding that blocks the job
//	3    finished, some records rejected or unreadable (dry-run: some would be)
//	4    authentication or permission
//	5    stopped with work left: a limit, an outage, the canary, a streak of rejections
//	6    records in doubt left
//	7    checkpoint locked, of another job, lost or stale
//	8    plan or mapping differs
//	130  interrupted
//
// When several apply, the first of 2, 4, 7, 8, 1, 130, 5, 6, 3 holds. status ends as the last run did.
//
// # How to test
//
//	make test                                            everything, without network
//	go test -run TestScripts ./cmd/hsimport              the command line, as scripts in testdata/script
//	go test -run TestKill -v ./cmd/hsimport              kill -9 at random moments under lost answers, both sources
//	go test -run TestCrashAtEveryStep ./importer         a crash at each durable step, in virtual time
//	make race, make fuzz, make bench, make soak SOAK=1h  see the Makefile
//
// A script test begins in a folder with the bundled sample and an account of its own; script_test.go lists its commands.
package main
