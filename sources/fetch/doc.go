// Package fetch brings files of the old desk, named by URL, into a folder of their own, once: what is there is never
// asked for again, and everything later reads only from there.
//
//	store.go    the folder: contents by their SHA-256, and a log that says what each URL gave
//	fetcher.go  one URL: paced, bounded, only from hosts that were named and never from private addresses
//
// A URL gives an Object: bytes, or the reason why there are none. A failure is data, kept until a later run does better.
package fetch
