// Package csvfile reads the tables that help desks export: one row per ticket, one row per message, or tickets,
// messages and users in files of their own.
//
// The way of a file through the package:
//
//	decode.go      unpacks gzip, zstd and bzip2, finds the charset, makes a UTF-8 copy where the file is none
//	dialect.go     finds delimiter, quote and line end
//	header.go      finds the header and ties the configuration's columns to it (columns.go)
//	reader.go      frames rows: every byte is in exactly one record, whatever is damaged
//	dates.go       reads a date in any form that means one thing; datecolumn.go lets the column decide day and month
//	index.go       one pass: ticket, place and digest of every row, and the ledger (finish.go)
//	table.go       what the index keeps: 32 bytes a row, in a file beyond half a million rows
//	build.go       one ticket from its rows again: merge.go for the ticket, messages.go for its messages
//	attach.go      files beside the table, which never lead out of their folder
//	survey.go      what inspect shows before there is a configuration; guess.go knows the usual headers
//
// Identity comes from content. A ticket's key is its id; without an id column it is a digest of requester, creation
// time, subject and first text, and equal tickets of one file are numbered. A message's key is its id within the
// ticket, else its slot: whose side, when, and which of several equal ones. So a file may be renamed, sorted in another
// way, appended to or have its line ends converted, and names the same tickets and messages.
package csvfile
