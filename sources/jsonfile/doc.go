// Package jsonfile reads JSON: exports of help desks, pages of their APIs, one record a line, one array, or an object
// that holds the array. A record becomes rows of tables, and package csvfile does with these what it does with those of
// a CSV: one rule of identity, one way with people, dates, sides and attachments, one ledger.
//
// The way of a file through the package:
//
//	options.go     what the package is told, and what of it is told to csvfile
//	list.go        where records stand in their file: tickets[], [], .
//	reader.go      cuts a file into records and what stands between them, holding one record at a time; damage.go finds
//	               the next record after a place that cannot be read
//	parse.go       reads one record: strict about structure; numbers stay text, so that no digit of a long id is lost
//	shape.go       learns from all records which paths there are: each is a column, comments[].html_body like any other
//	split.go       makes rows of a record: the ticket's, and one for each message that stands within it
//	source.go      the files of a job as sheets of csvfile
//	survey.go      finds tickets, messages and users before there is a configuration
//
// A path is written as in the record: via.channel, tags[], comments[].attachments[].url. Labelled values, as lists of
// custom fields are, have their label in it: custom_fields[id=360001].value. Several paths with a plus between them make
// one column: customer.first + customer.last; and type = note is true or false.
package jsonfile
