// Package fetch brings files of the old desk, named by URL, into a folder of their own, once: what is there is never
// asked for again, and everything later reads only from there.
//
//	store.go    the folder: contents by their SHA-256, and a log that says what each URL gave
//	fetcher.go  one URL: paced, bounded, only from hosts that were named and never from private addresses
//	network.go  whom a request may reach, and which headers may go there
//	content.go  what an answer holds: its type and name, and whether it is a file at all
//	hosts.go    which hosts are meant
//	desk.go     the side of the formats: files in texts, and attachments filled from the folder
//	run.go      all tickets of a source: what is there, what is missing, what could not be had
//
// A URL gives an Object: bytes, or the reason why there are none. A failure is data. One that is the network's or the
// configuration's (Passing) is tried again by the next run; an answer is believed until somebody asks to try again.
//
// A kill at any instant costs the files that were on their way: a content is synced and moved to its place before its
// line is written and synced, and a line without its content is as good as none.
package fetch
