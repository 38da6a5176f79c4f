// Package mapping turns a ticket into a plan. It is pure: no I/O, no clock, no context, no randomness; the same ticket,
// Options and Target give the same Plan, byte for byte, on any machine. It never fails, it finds: whatever is changed,
// replaced or refused is a Finding.
//
// On its left stand the words of package sources (ticket, message, requester, agent), on its right those of Help Scout
// (conversation, thread, customer, user).
//
// # The way of one ticket
//
//	New        Options are checked (check.go), folded (mapper.go) and bound to the account's side
//	Map        work.go: blacken what must not come along (redact.go, redacthtml.go), order the messages, leave out what a
//	           rule leaves out (filters.go, conditions.go), then
//	  people     who is the customer (mail.go for mail, forward.go for forwarded ones), who of the team wrote what (people.go), under which
//	             address (address.go) and name (names.go)
//	  route      the mailbox it goes to (routes.go, conditions.go)
//	  sides      note, customer or reply (sides.go)
//	  status     what it arrives as, live or closed, and when it was closed (status.go; labels of mail: labels.go, and what becomes
//	             of each: labeluse.go)
//	  drafts     one thread a message (drafts.go), one a chat session (chat.go), and notes about what cannot be
//	             carried over in any other way (remarks.go)
//	  text       plain text to HTML (text.go), HTML made safe (html.go), quoted history folded on request (lines.go,
//	             quotes.go), all of it held to its size (body.go)
//	  parts      as many conversations as the number and size of the threads ask for (parts.go), with tags and
//	             assignee (tags.go) and custom fields (fields.go)
//	Append     the threads of single messages, for a ticket that is in Help Scout already (append.go)
//
// The plan file is written and read in planfile.go, two of them are compared in compare.go. findings.go lists every
// code with what it means.
//
// # What stays the same
//
// Every message of a ticket is in exactly one place: a part, Plan.Left, or a plan that is Excluded or Refused as a
// whole. Part.Body is the exact length of the create call. Part.Digest does not depend on whether an attachment
// travels in the create call or after it. Version is bumped when the output of an unchanged ticket changes; a test
// pins it.
package mapping
