// Package mail turns one RFC 5322 message into a sources.Message: whatever mail programs, gateways and archives have
// written since 1980, and whatever befell it since. It never fails. Damage costs no more than what is damaged, and is
// said in a sources.Problem.
//
// # The way of one message
//
//	raw bytes --scanner (header.go)--> raw fields (fields.go) --head.go--> Head: ids, people, dates, marks
//	          --tree.go--> the MIME tree, as offsets into the raw bytes
//	          --body.go--> pieces of text, HTML and images in their order; attachments as size, digest and a way back
//	          --message.go--> sources.Message
//
// ParseHead does the first row only; it is what an index of millions of mails can afford. Read does all of it.
// Nothing is copied that need not be: the tree is offsets, text that is ASCII becomes a string once, attachments are
// decoded in chunks to be measured and never kept.
//
//	header.go, fields.go    the header block, its field names, its bounds
//	date.go, datenames.go, separator.go, headdate.go    dates of every shape; which of the three sources is believed
//	address.go, words.go, params.go    address lists, RFC 2047 words, RFC 2231 parameters
//	charset.go, charsetnames.go, detect.go    bytes to UTF-8: declared, contradicted, guessed
//	tree.go, transfer.go, uuencode.go    parts, and what they are wrapped in
//	body.go, text.go, message.go, attachment.go    what is read, what is a file
//	tnef.go, rtf.go, smime.go    Outlook's winmail.dat, its RTF, signed S/MIME
//	cut.go     whether a mail ends before its end
//	auto.go    bounces, automatic replies, bulk mail, senders that a list rewrote
//	subject.go    the matter without its prefixes
//
// # What is chosen
//
// Of alternatives the richest that shows something: HTML with a word or an image in it, else plain text, else enriched
// text or RTF. Several texts of one mail are joined in their order, with the inline images between them. Text parts
// with a file name, after the first text, are files. Forwarded mails, calendars, signatures and keys are files; the
// text of a signed S/MIME message is taken out of it. An encrypted mail is attached whole and says so. A winmail.dat is
// unpacked; its text counts when the mail has no other.
//
// # Bounds
//
// Nesting 60, parts 10,000, one text 8 MiB, one header block 2 MiB, one field 256 KiB, one address list 5,000 people, 40
// problems a message. Decoding is linear in the size of the message, whatever is in it.
//
// # Problem codes
//
//	header-missing           no header at all: everything is text
//	header-no-blank-line     the text begins right after the header
//	header-too-long          beyond the bounds
//	header-charset-guessed   letters beyond ASCII in the header, in no declared charset
//	message-id-missing, message-id-malformed
//	from-missing, from-repeated, from-rewritten-by-list
//	date-unreadable          the Date field is no date
//	date-absurd              before 1980, after 2100, or later than the mail's receipt
//	date-from-received, date-from-separator, date-missing
//	date-zone-missing        read in Options.Zone
//	mime-depth, mime-parts   beyond the bounds
//	mime-boundary-guessed, mime-boundary-missing
//	charset-guessed          none declared, or one that nobody knows
//	charset-wrong            the declared one does not fit
//	charset-damaged          some characters are lost
//	base64-damaged, quoted-printable-damaged
//	text-too-long            a text is attached instead
//	uuencoded                files in the text became attachments
//	encrypted                attached whole
//	smime-signed             the text was taken out of the signature
//	tnef-unpacked, tnef-damaged
package mail
