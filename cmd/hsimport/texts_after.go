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
