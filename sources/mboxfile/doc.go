// Package mboxfile reads archives of mail: mbox files of every breed, folders of them, Maildirs, Apple Mail and
// Thunderbird folders, single mails; compressed or not. Decoding one mail is package mail's; this one finds the mails,
// tells copies from different mails, and joins them into tickets.
//
// The way of a mail, with the file that does each step:
//
//	inputs.go folders.go sniff.go   what the person named -> files that hold mails, each with its folder and flags
//	packed.go                       archives of them
//	decode.go                       .gz and .zst -> a temporary file, so that offsets mean something
//	window.go frame.go search.go    the framer: a file -> mails, every byte in one class of the ledger
//	separator.go                    which line that begins "From " separates two mails
//	contentlength.go                whether the Content-Length fields of a file are true
//	scan.go index.go idstore.go     one pass: header, labels, exclusion, digest -> a record, a place, hashes, an id
//	spool.go sorter.go              tables and orders, in memory while they are short, else in temporary files
//	content.go                      the content digest, and what of the bytes goes to the decoder
//	copies.go near.go               which records are copies of one mail
//	threads.go refs.go subject.go   which mails belong together
//	tickets.go                      tickets, their keys and their order
//	source.go ticket.go             the Source: what others call
//	labels.go ledger.go survey.go   labels and exclusion; the account; what `inspect` shows
//
// # Framing
//
// A line that begins "From " separates two mails when what follows it is a mail; the rules are at accepts. A mail keeps
// the end of its last line; the blank lines behind it are of the class blank. A separator at the end of a file, without
// a mail behind it, is a truncated tail; a last mail that ends in the middle is read as far as it goes, and reported.
// Lines ">From " lose one ">" as options.Quoting says, but not in files whose Content-Length fields were needed to find
// the mails (mboxcl2), nor in single mails.
//
// # Identity
//
// Everything below depends on the mails alone: renaming, concatenating, sorting, compressing a file or converting its
// line ends changes nothing. The rule's name is mail/v1.
//
// Content digest: SHA-256 of Date, From, To, Cc, Subject, Message-ID, Content-Type and Content-Transfer-Encoding with
// white space collapsed, and of the body with LF, unquoted From_ lines and no blank lines at its end. What the road and
// the folder added is not in it, so the mail in Inbox and the one in Sent are copies.
//
// Key of a message: "mid:" and its Message-ID; of a mail that shares its id with an older and different one "mid:",
// the id, "#" and 32 digits of its digest; of one without an id "sha:" and 32 digits of its digest.
//
// Key of a ticket: "gmail:" and X-GM-THRID; without it, the key of the root: of the mails that answer none of the ticket
// the one with the earliest date, then with the fewest references, then with the smallest digest; where each answers
// one (a circle) the same among all.
//
// Copies: mails with one digest; and mails with one Message-ID, date and sender whose attachments are the same and
// whose texts differ by a mailing list's footer only. They become one message, whose labels are those of all copies.
// Exclusion is decided copy by copy before: a mail in Inbox and in Trash stays.
//
// # Memory
//
// The index of a large archive lies in temporary files, some hundred bytes a mail: each table goes there when
// it is longer than tableMemory. Whatever has to meet, copies, answers and what they answer, the mails of a thread, is
// sorted outside of memory and read side by side. In memory are four bytes and a few bits a mail while tickets are
// made, and nothing afterwards. Where an index lies shows in nothing that comes of it.
//
// # Problem codes
//
// Of the input: file-empty, file-named-twice, file-passed-over, compression-damaged, preamble, separator-without-mail,
// separator-without-blank-line, from-line-in-text, from-line-unquoted, content-length-used, truncated,
// message-id-shared. Of a message: copy-merged, and those of package mail.
package mboxfile
