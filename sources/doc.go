// Package sources holds the legacy vocabulary: what an export says, in the words of the desk it came from, before
// anything is decided about Help Scout. It imports none of the other rooms.
//
//	Ticket      one case of the old desk, or one mail thread
//	Message     one thing somebody wrote in it: a mail, a comment, a private note
//	Person      a name and an address as written, either may be empty
//	Attachment  a file that belongs to a message, opened lazily
//	Key         identity that comes from content, never from position
//	Position    where a thing stands: file, line, byte offset
//	Problem     something the reader noticed and survived: data, not a log line
//	Ledger      the account of every byte, record, attachment, column and label
//	Survey      what `hsimport inspect` shows of an input before there is a configuration
//
// Each input format is a folder below this one (csvfile, mboxfile, jsonfile). A format opens its input, scans it once
// into an index, and then reads it ticket by ticket through that index, in any order, from several goroutines:
//
//	Open(ctx, Options) (*Source, error)        scan and index; every problem of the input as a whole is an error here
//	(*Source) Len() int                        number of tickets
//	(*Source) Entry(i int) sources.Entry       what the index knows of ticket i; entries are ordered by (Created, Key)
//	(*Source) Find(k sources.Key) (int, bool)  the ticket's place in that order
//	(*Source) Ticket(ctx, i) (*Ticket, error)  the whole ticket, read again from the file; safe for concurrent use
//	(*Source) Ledger() *sources.Ledger         complete after Open
//	(*Source) Digest() string                  of the input's content: same content, same digest, whatever the paths
//	(*Source) Close() error                    removes temporary files
//
// Ticket returns a *RecordError when only this ticket cannot be had (the caller reports it and goes on), and any other
// error when the run must stop, among them ErrChanged.
package sources
