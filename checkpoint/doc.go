// Package checkpoint keeps what a job has done, in one SQLite file, so that a run killed at any instant goes on without
// a duplicate or a hole. It is the only room that knows SQL, and it imports none of ours.
//
// # The protocol
//
// Every write to the account has a row here before it is sent and an outcome after it:
//
//	pending --Begin--> sending --Done----> created --MarkDeleted--> deleted
//	                     |  |---Reject--> rejected --Unreject--> pending
//	                     |  |---Back----> pending    (certainly not applied)
//	                     |  `---Doubt---> in_doubt --Done----> created
//	                     |                    |------Reject--> rejected
//	                     |                    |------Near----> in_doubt, with a candidate
//	                     |                    `------Absent--> pending  (proven absent)
//	                     `---- the process dies: Recover makes it in_doubt
//
//	pending --Reject--> rejected    (refused before it is sent)
//	pending --Adopt---> created     (found in the account by recover)
//	deleted --Reopen--> pending     (to be created again; a plan load alone does not do that)
//
// A [Part] is one conversation: its key is (ticket, number), so that "once" is a property of the key. An [Effect] is any
// other write (an upload, an append, a delete, ...) and moves the same way, with methods that end in Effect. A [Message]
// row says where a message of the source went; its key is unique, so that no two parts can carry one message.
//
// # Durability
//
// The file is in WAL mode with synchronous=FULL: a method that writes returns only once its own write is on the disk.
// Calls that arrive while a transaction commits are joined into the next one; each has a savepoint of its own, so one
// call's error does not touch the others. See writer.go.
//
// # One writer
//
// [Create] and [Open] take the operating system's lock on the file's name + ".lock"; it is released by the death of the
// process, whatever the manner. [View] takes no lock and reads while a run writes. Network file systems are not
// supported: their locks lie.
//
// # Tour
//
//	schema/      numbered SQL, applied in order; PRAGMA user_version says how far
//	store.go     Create, Open, View, Close
//	file.go      names, the lock, how a file comes into being
//	writer.go    the group commit
//	moves.go     the state machine of parts
//	effects.go   that of effects
//	load.go      the plan comes in
//	parts.go     questions about parts
//	counts.go    how many stand where
//	records.go   what each run had to say
//	standing.go  what status asks
//	copy.go      CopyTo and Check
package checkpoint
