// Package importer is the engine: it plans, delivers exactly once, settles what is in doubt, and reports. It prints
// nothing and asks nobody; what a person sees is made of its events and its Report by the command.
//
// # Why this is difficult
//
// The Mailbox API has no idempotency key. A create call whose answer is lost (a time-out, a reset, a 504) may have been
// applied, may not have been, or may be applied a minute later. Search lags behind writes, sometimes for hours. A
// program that sends again doubles a customer's history; one that does not leaves a hole. So nothing that may have
// been applied is ever sent again before its absence is proven.
//
// # The way of a part
//
// A part is one conversation to be created. Its row in the checkpoint is always ahead of the world:
//
//	pending --quota granted, intent durable--> sending --POST--> created(id)     an id came back
//	                                              |-----------> rejected(why)   the server refused the record
//	                                              |-----------> pending         certainly not applied
//	                                              `-----------> in doubt        nobody knows
//	in doubt --found, claimed--> created(id)
//	in doubt --proven absent---> pending    (three times: rejected, the server fails on this record)
//
// A process that dies leaves rows as sending; the next run opens them as in doubt. Everything else that changes the
// account (an upload, an appended thread, a delete) has an intent row of its own with the same states.
//
// # What each answer means
//
//	429, connection refused, no such host                     certainly not applied: back to pending, wait
//	413 with attachments in the create call                   not applied: again, attachments go by themselves
//	401                                                       not applied: once more with a fresh token, then stop (4)
//	403 before the first success                              stop (4)
//	400, 403, 404, 409, 412, 415, 422, 423                    rejected: this record, with the server's words
//	50 like rejections in a row (12 if they are the first)    stop (5); they are pending again, not rejected
//	time-out, reset, EOF, 5xx, 408, 3xx, 2xx without an id    in doubt
//	five doubts in a row                                      no write until a read succeeds
//	25 doubts in a row                                        stop (5): reads work, writes do not
//	no answer at all for run.outage_patience                  stop (5), everything saved
//
// # Settling
//
// Parts in doubt are settled at the end of the queue, where waiting costs nothing, in groups of one createdAt second.
// createdAt is under our control and has whole seconds, so one list call for that second, account-wide and with every
// status, finds nearly all of them. What is found must match in all that can be read back, must not belong to another
// part, and must answer 200 by its id; parts and candidates are paired one to one, by thread times and texts where
// several remain. A conversation of that second which differs in the rest was touched by somebody: a near miss. The
// part stays in doubt and names it.
//
// Absence is proven by three things together: run.settle has passed since we gave up; the newest conversations, walked
// down to the highest number known before the request, show no candidate; and the same list shows a conversation of
// ours that was created after we gave up, the fence, so the list does not lag behind the question. The last ticket of
// a round is held back to be that fence. With nothing left to send, the settle time doubles, and the newest
// conversation of ours has to do: once the list shows it, it is watched for as much longer as the lost request went out
// later. A last look goes to what was changed since, and to the customer's other conversations: somebody may have
// merged it.
//
// A request can be applied later than any settle time. Therefore a part that was sent again is watched until three
// settle times after its first lost answer; a twin that turns up by then is deleted, under an intent row, unless
// somebody has worked on it: then it is listed. What is applied later still is the one thing the API gives no means to
// see. The same holds for an upload or an appended thread that is applied after it was sent again: what comes before
// that is noticed, what comes after is not.
//
// # A newer export
//
// What was sent is known by its messages, else by its ticket's key. What the export has more is planned as effects on the
// conversations that are there, each with an intent row: threads to append, files for threads, another status. A
// conversation that takes no more threads (99 of them, or an answer 412 or 423) is left as it is, and what was still to
// be appended becomes a further part of the ticket, in one transaction; its row names its messages, because no split of
// the ticket tells them any more. A status follows the source only where the conversation is as this job has made it,
// read right before; then the part's evidence is what the conversation is like from now on. Edited and vanished messages
// are reported. A ticket that is as it was costs no call.
//
// # Before the first write
//
// A new checkpoint is planned beside its place and moved there only when nothing speaks against sending: no finding
// blocks the job, the mailbox holds no mail of the same dates that came by itself, up to 20 list calls find none of
// the job's conversations in the account (a lost checkpoint would double them), and a person has confirmed it. Then
// the canary: the first few conversations carry everything the job uses and are read back before the rest goes out.
//
// # Where to read
//
//	job.go run.go         a run from the first read to the last
//	prepare.go survey.go  the planning pass, shared with dryrun.go
//	gate.go preflight.go  before the first write; snapshot.go the account's side as a file, clock.go its clock
//	workflows*.go         switched off for an import, and on again
//	deliver.go send.go    the pool, one part
//	effects.go sweep.go   uploads and appended threads; placed.go messages that have their place already
//	follow*.go append.go  a newer export held against what was sent: messages, files, statuses, further parts
//	retry.go              --retry-rejected: what the server has rejected, once more
//	links.go relink.go    links between old tickets that lead to the new conversations
//	settle.go proof.go    what became of a lost answer, and when absence counts
//	match.go              who is whose; settle_effects.go the same for effects
//	watch.go redo.go      twins that came late; a changed mapping
//	canary.go outage.go   when to stop early; aftermath.go the second look, and the first effect of each kind
//	quota.go              one limiter for all; waits.go says what is waited for
//	finish.go report.go   sums, verdict, exit code
//	recover*.go           a lost checkpoint, rebuilt from the account; seconds.go asks for many seconds at once
//	verify*.go            what the account holds against what was sent
//	rollback.go delete.go what this job created, taken back
//	rollback_customers.go the customers that came with it, and stay
//	trial.go              a sample into another inbox, with a checkpoint of its own
//	lookup.go             where a ticket went, from the checkpoint alone
//	status.go records.go  where a job stands; what each run has found and was answered
//	copies.go             copies of the checkpoint that finished commands leave
package importer
