// Package csvfile reads the tables that help desks export: one row per ticket, one row per message, or tickets,
// messages and users in files of their own.
//
// The way of a file through the package:
//
//	source.go      what the package offers; options.go what it is told
//	folder.go      which files of a folder are tables; packed.go files inside archives
//	decode.go      unpacks gzip, zstd and bzip2, finds the charset, makes a UTF-8 copy where the file is none
//	dialect.go     finds delimiter, quote and line end
//	header.go      finds the header and ties the configuration's columns to it (columns.go, names.go)
//	reader.go      frames rows (frame.go): every byte is in exactly one record, whatever is damaged
//	dates.go       reads a date in any form that means one thing (clock.go, zones.go); datecolumn.go lets the column
//	               decide which number is the day
//	index.go       one pass: ticket, place and digest of every row (users.go: who is behind an id)
//	table.go       what the index keeps of a row, 56 bytes, in a file beyond a quarter of a million rows; sorted.go puts
//	               the rows of each ticket together
//	tickets.go     finds tickets by key (keylog.go) and puts them in order; refs.go is what the index keeps of a ticket:
//	               of millions all but eight bytes each lie in files
//	finish.go      the order of tickets, and the ledger
//	build.go       one ticket from its rows again: row.go and cells.go for the cells, merge.go for the ticket,
//	               messages.go for its messages
//	attach.go      files beside the table, which never lead out of their folder; legacy.go those of the old desk
//	format.go      records of another format (package jsonfile) as rows of tables: formatindex.go puts them into the
//	               index and the ledger, formatsurvey.go looks at them
//	survey.go      what inspect shows before there is a configuration (stats.go, surveytickets.go); guess.go knows the usual headers
//
// Identity comes from content. A ticket's key is its id; without an id column it is a digest of requester, creation
// time, subject and first text, and equal tickets of one file are numbered. A message's key is its id within the
// ticket, else its slot: whose side, when, and which of several equal ones. So a file may be renamed, sorted in another
// way, appended to or have its line ends converted, and names the same tickets and messages.
package csvfile
