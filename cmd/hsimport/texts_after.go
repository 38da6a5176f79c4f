package main

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

It ends with 0 only if everything is there as it was sent (= and +), with 3 when something differs or was rejected, with 5
while some are still to be sent, with 6 while some are in doubt.`
