package main

import (
	"errors"
	"path/filepath"
)

// The help pages of what comes after the import; the rules are those of texts.go.

const recoverText = `Rebuilds the checkpoint of an import from what the account holds: after the file was lost, or where somebody else's import
stopped half-way. Every conversation that the configuration would create is looked for by its second; what reads back equal
is taken as imported, what resembles without being equal is listed and never sent, what is there more than once is listed.
The account is only read. Afterwards hsimport run creates what is missing, and nothing else.

A checkpoint that is there is never replaced. --merge brings one that has become stale, such as a copy of last week, up
to date with what has been sent since.

It costs about one unit for fifty conversations where the mailbox holds little else, and at most three for each second in
which a ticket begins. It ends with 6 when something is ambiguous or there more than once.`

const lookupText = `Says where a ticket went, or where a conversation came from. It takes the number, key or address of an old ticket, a
Message-ID, or the id or address of a conversation. The checkpoint alone is asked, also while a run is going on; the
export is read only for what the checkpoint does not know.

--export writes the whole map, one line a conversation: old_id, old_url, key, part, parts, conversation, new_url.

It ends with 3 when one of the words is known to neither.`

const verifyText = `Reads back what was sent and compares it: of every conversation existence, mailbox, subject, status, times, customer,
assignee, tags and fields, by list pages; of 1 % (at least 50), and wherever that differs, every thread too: type, time,
author, text, attachments by name and size. It needs the checkpoint and the account, not the export, and changes nothing.

  =  as it was sent
  ~  something that was sent is not so
  -  it is not there any more
  +  all that was sent is there; people went on with it since, or merged it into another
  ?  there is no record of what was sent

Of each kind but = the first ten are listed; --csv writes a line for every conversation that was looked at, --json an
object, --html a page.

It ends with 0 only if everything is there as it was sent (= and +), with 3 when something differs or was rejected, with 5
while some are still to be sent, with 6 while some are in doubt.`

const rollbackText = `Deletes the conversations that this import created and that nobody has touched since: the newest first, and each only if
its status, assignee, subject, mailbox and number of threads are, right before the delete, as this import last wrote them.
What people have worked on stays and is listed, and so does what they have merged and what Help Scout refuses to delete
(the first ten of each; --json names all); what recover has found was not created by this import and stays. Deleted
conversations go to Help Scout's trash; their numbers are used up.

First it shows what it would do and asks for the number of conversations. After an interruption the same line goes on.
A job that was rolled back can be run again: hsimport run sends what was deleted once more, and asks first.

Customers that the import has brought along stay. Those that nothing else uses are listed at the end: created since the
import began, with an address that it has sent, and with no conversation but those that were deleted.

It ends with 0 when nothing of what was asked for is left, with 3 when touched, merged or refused ones stay, with 4 when
the credentials may not delete conversations, with 6 when some are in doubt.`

var errRollbackNoTerminal = errors.New("a rollback has to be confirmed, and there is no terminal to ask; nothing was deleted")

// copied says where the copy of the checkpoint is.
func (u *ui) copied(path string) {
	if path != "" {
		u.line(u.env.out, "checkpoint     a copy is beside it: %s", filepath.Base(path))
	}
}
