package configs

import (
	"slices"
	"strings"
)

// A keyInfo documents one key. Checks, the JSON Schema and the nearest-key search read this table; a test holds it
// against the types, so that no key is without its line here and no line without its key.
type keyInfo struct {
	key string // full; * stands for every entry of a table or list
	doc string
	// enum are the only values allowed, beside nothing at all and "?".
	enum     []string
	min, max int    // of whole numbers; max 0: unbounded
	example  string // one value, as YAML
}

var (
	statusTargets = []string{"active", "pending", "closed", "spam", "exclude"}
	messageKinds  = []string{"customer", "agent", "note"}
	channelTypes  = []string{"email", "chat", "phone"}
)

// keyTable has the order of the file as a person would write it.
var keyTable = slices.Concat(baseKeys, ruleKeys())

var baseKeys = []keyInfo{
	{key: "version", doc: "Version of this format; always 1.", min: 1, max: 1, example: "1"},

	{key: "source", doc: "What to read."},
	{key: "source.kind", doc: "The kind of input.", enum: []string{CSV, JSON, Mbox}},
	{key: "source.paths", doc: "Files, folders and globs, relative to this file. Mail: mbox files, folders, Maildirs, Apple .mbox folders, .eml. All: .gz and .zst too, and files inside .zip and .tar.gz: export.zip/tickets.csv, or the archive alone.", example: "[tickets.csv]"},
	{key: "source.until", doc: "The cut-over: messages at or after this moment reached Help Scout on their own road and are left out. With its zone.", example: "2026-11-30T18:00:00Z"},

	{key: "source.fetch", doc: "How hsimport fetch brings files from the old desk. Everything else only reads what it brought."},
	{key: "source.fetch.folder", doc: "Where the files are kept; left out: fetched beside this file.", example: "fetched"},
	{key: "source.fetch.hosts", doc: "Hosts that may be asked for files, beside legacy_hosts; .example.com means all below it. No other host is ever asked, but where one of these redirects to it.", example: "[files.acme.example, .acmecdn.example]"},
	{key: "source.fetch.headers", doc: "What a host asks for before it gives files: its headers, by host. They go to that host alone, and only encrypted.", example: "{acme.zendesk.com: {Authorization: \"Basic ${DESK_LOGIN}\"}}"},
	{key: "source.fetch.headers.*", doc: "The headers of this host."},
	{key: "source.fetch.headers.*.*", doc: "The value, with ${NAME} for what comes from the environment."},
	{key: "source.fetch.max_size", doc: "The largest file that is taken; left out: 100 MiB.", example: "100 MB"},
	{key: "source.fetch.rate", doc: "Requests a second; left out: 5.", min: 1, max: 1000, example: "5"},
	{key: "source.fetch.allow_private", doc: "Files may lie on this machine or in one's own network, and headers may go there unencrypted."},

	{key: "source.csv", doc: "How to read tables; what is left out is found by itself."},
	{key: "source.csv.layout", doc: "What a row is. joined: paths are tickets, messages stand in files of their own.", enum: []string{"ticket-per-row", "message-per-row", "joined"}},
	{key: "source.csv.encoding", doc: "Charset of the files; left out: detected over the whole file.", example: "windows-1252"},
	{key: "source.csv.delimiter", doc: `The character between cells, or "tab"; left out: found.`, example: `";"`},
	{key: "source.csv.quote", doc: `The character around cells, or "none"; left out: found.`, example: `"'"`},
	{key: "source.csv.escape", doc: `The character that takes the next one as text, as databases write \" and \N, or "none"; left out: found.`, example: `'\'`},
	{key: "source.csv.time_zone", doc: "IANA name (or +02:00) of the zone of dates that do not carry one. Without it such dates block the job.", example: "Europe/Berlin"},
	{key: "source.csv.date_formats", doc: "How dates are written: Go layouts, strftime patterns, or iso, epoch, epoch_ms, epoch_us; dmy or mdy only say which comes first, day or month; left out: recognised over the column.", example: "[dmy]"},
	{key: "source.csv.columns", doc: "Our names of columns and theirs. A repeated header is Comment#2, all of them are Comment#*; numbered ones are Comment {n}.", example: "{ticket_id: Id}"},
	{key: "source.csv.fields", doc: "Help Scout custom fields and the columns that fill them.", example: "{Priority: priority}"},
	{key: "source.csv.ignore_columns", doc: "Columns left out knowingly; any other filled column without a use is reported.", example: "[internal_hash]"},
	{key: "source.csv.messages", doc: "joined: the files of messages.", example: "[comments.csv]"},
	{key: "source.csv.users", doc: "joined: the files that resolve user ids to names and addresses.", example: "[users.csv]"},
	{key: "source.csv.message_columns", doc: "joined: our names of columns and theirs, in the files of messages."},
	{key: "source.csv.user_columns", doc: "joined: our names of columns and theirs, in the files of users."},
	{key: "source.csv.attachments_dir", doc: "The folder that attachment paths start at; left out: the CSV's own.", example: "files"},
	{key: "source.csv.legacy_hosts", doc: "Hosts of the old desk: their images and links in texts are attachments, which hsimport fetch brings.", example: "[acme.zendesk.com]"},
	{key: "source.csv.legacy_url", doc: "A ticket's address in the old desk, with {id}.", example: "https://acme.zendesk.com/agent/tickets/{id}"},
	{key: "source.csv.max_record", doc: "The most bytes one row may have; 0 is 64 MiB."},

	{key: "source.json", doc: "How to read JSON; what is left out is found by itself."},
	{key: "source.json.records", doc: "Where the tickets stand in their files: tickets[] is the array that tickets holds, [] an array at the top, . one record after the other; left out: found.", example: "tickets[]"},
	{key: "source.json.columns", doc: "Our names of columns and their paths. A message's path that leads through a list (comments[].body) makes each element a message. Joined by | the first that is filled, by + one text; type = note is true or false.", example: `{ticket_id: id, message_body: "comments[].body"}`},
	{key: "source.json.fields", doc: "Help Scout custom fields and the paths that fill them.", example: "{Priority: priority}"},
	{key: "source.json.ignore_columns", doc: "Paths left out knowingly; any other filled path without a use is reported.", example: "[internal_hash]"},
	{key: "source.json.exclude", doc: "Tickets or messages left out by a value: a path, and the values joined by |; nothing between the quotes stands for an empty one.", example: "{state: draft | deleted}"},
	{key: "source.json.messages", doc: "Files of messages, where these do not stand in their tickets.", example: "[comments.json]"},
	{key: "source.json.message_records", doc: "Where the messages stand in their files; without messages: beside the tickets, in the same files.", example: "comments[]"},
	{key: "source.json.message_columns", doc: "Our names of columns and their paths, in those messages."},
	{key: "source.json.users", doc: "Files that resolve user ids to names and addresses.", example: "[users.json]"},
	{key: "source.json.user_records", doc: "Where the users stand in their files; without users: beside the tickets, in the same files.", example: "users[]"},
	{key: "source.json.user_columns", doc: "Our names of columns and their paths, in those users."},
	{key: "source.json.encoding", doc: "Charset of the files; left out: UTF-8 or what is detected.", example: "utf-16"},
	{key: "source.json.time_zone", doc: "IANA name (or +02:00) of the zone of dates that do not carry one. Without it such dates block the job.", example: "Europe/Berlin"},
	{key: "source.json.date_formats", doc: "How dates are written, as for tables; left out: recognised over all records.", example: "[epoch_ms]"},
	{key: "source.json.attachments_dir", doc: "The folder that attachment paths start at; left out: the file's own.", example: "files"},
	{key: "source.json.legacy_hosts", doc: "Hosts of the old desk: their images and links in texts are attachments.", example: "[acme.zendesk.com]"},
	{key: "source.json.legacy_url", doc: "A ticket's address in the old desk, with {id}.", example: "https://acme.zendesk.com/agent/tickets/{id}"},
	{key: "source.json.max_record", doc: "The most bytes one record may have; 0 is 64 MiB."},

	{key: "source.mbox", doc: "How to read mail."},
	{key: "source.mbox.thread_by", doc: "What makes mails one conversation. auto: Gmail's thread id where it is there, else references.", enum: []string{"auto", "gmail", "references"}},
	{key: "source.mbox.subject_fallback", doc: "Join mails that only share their subject, within subject_window."},
	{key: "source.mbox.subject_window", doc: "Two mails further apart are never joined by subject; 0 is 30 days.", example: "30d"},
	{key: "source.mbox.exclude_labels", doc: "Labels and folders that are left out, without regard to case.", example: "[Spam, Trash, Drafts, Chat]"},
	{key: "source.mbox.quoting", doc: `How "From " at the start of a line was quoted.`, enum: []string{"mboxrd", "mboxo", "none"}},
	{key: "source.mbox.time_zone", doc: "IANA name of the zone of dates that do not carry one; left out: UTC, and each is reported.", example: "Europe/Berlin"},
	{key: "source.mbox.legacy_hosts", doc: "Hosts of an old desk: their images and links in mails are attachments, which hsimport fetch brings.", example: "[acme.zendesk.com]"},
	{key: "source.mbox.max_message", doc: "The most bytes one mail may have; 0 is 256 MiB."},

	{key: "helpscout", doc: "Where to. Credentials come from the environment: HELPSCOUT_APP_ID and HELPSCOUT_APP_SECRET."},
	{key: "helpscout.base_url", doc: "The API's address; HELPSCOUT_BASE_URL overrides it.", example: DefaultBaseURL},
	{key: "helpscout.mailbox", doc: "The inbox that the conversations go to: its name or id.", example: "Support"},

	{key: "helpscout.snapshot", doc: "A file of the account's side, written by doctor --snapshot: where there are no credentials, dry-run reads it in the account's place.", example: "account.json"},

	{key: "mapping", doc: "What becomes of tickets, messages and people."},
	{key: "mapping.statuses", doc: "Legacy statuses, or labels of mail, and what they become. A status that is missing here blocks the job unless default_status is set."},
	{key: "mapping.statuses.*", doc: "The status it becomes; exclude leaves the tickets out.", enum: statusTargets},
	{key: "mapping.default_status", doc: "What statuses outside the table become. Mail that is not live arrives as it; left out: closed.", enum: statusTargets},
	{key: "mapping.close_inactive", doc: "Tables: close live tickets whose last message is older than this before the source's newest.", example: "180d"},
	{key: "mapping.live", doc: "Mail: which threads arrive as active; all of what is written must hold."},
	{key: "mapping.live.labels", doc: "The thread has any of these labels; Inbox & Unread asks for one mail with both.", example: "[Inbox & Unread, Starred]"},
	{key: "mapping.live.last_from", doc: "Who wrote its last message.", enum: []string{"customer", "agent", "any"}},
	{key: "mapping.live.newer_than", doc: "Its last message is newer than this before the source's newest.", example: "30d"},
	{key: "mapping.agents", doc: `Legacy agents (address, name or id) and the e-mail of their Help Scout user; "" for one who has left.`, example: "{old.agent@legacy.example: ada@support.example}"},
	{key: "mapping.agents_file", doc: `A CSV file that does the same for many, relative to this one: legacy id, address, name, messages, Help Scout user; "left" for one who has left. hsimport init --agents FILE writes it; agents goes before it.`, example: "agents.csv"},
	{key: "mapping.agent_domains", doc: "Domains whose addresses are the team's.", example: "[support.example]"},
	{key: "mapping.fallback_user", doc: "The e-mail of the Help Scout user who stands in for authors without one; the text names the author.", example: "ada@support.example"},
	{key: "mapping.teams", doc: "Legacy groups and Help Scout teams."},
	{key: "mapping.message_kinds", doc: "The source's words for whose message it is."},
	{key: "mapping.message_kinds.*", doc: "Whose message it is.", enum: messageKinds},
	{key: "mapping.departed_form", doc: "How the author of a text posted as the fallback user is named; {name} and {email} are replaced."},
	{key: "mapping.mailbox_addresses", doc: "The team's own inbox addresses and aliases: never a customer, never cc.", example: "[help@support.example]"},
	{key: "mapping.form_senders", doc: "Senders of contact forms: there, Reply-To is the customer.", example: "[forms@support.example]"},
	{key: "mapping.exclude_senders", doc: "Threads begun by these senders are left out."},
	{key: "mapping.internal", doc: "Mail among the team; left out: import as notes.", enum: []string{"exclude", "import"}},
	{key: "mapping.bulk", doc: "Newsletters and notifications; left out: tag.", enum: []string{"import", "tag", "exclude"}},
	{key: "mapping.auto_replies", doc: "Out-of-office and other automatic answers; left out: note.", enum: []string{"note", "exclude"}},
	{key: "mapping.live_cc", doc: "Copies on live conversations: an agent's first answer would go to all of them; left out: keep.", enum: []string{"keep", "note"}},
	{key: "mapping.quotes", doc: "Quoted history in mails. fold: where it stands word for word in an earlier message of the ticket, a remark takes its place; left out: keep.", enum: []string{"keep", "fold"}},
	{key: "mapping.forwards", doc: "Threads that begin with a mail that somebody of the team forwarded. credit: they are the quoted customer's, and the text names who forwarded it; left out: keep.", enum: []string{"keep", "credit"}},
	{key: "mapping.placeholder_domain", doc: "Customers without an address get one at this domain, each their own. Choose one nobody can receive mail at.", example: "imported.invalid"},
	{key: "mapping.placeholder", doc: "What a customer without an address gets; left out: create when placeholder_domain is set, else refuse.", enum: []string{"create", "refuse"}},
	{key: "mapping.tags", doc: `Legacy tags and what they become; "" drops one. Others are kept.`},
	{key: "mapping.tag_prefix", doc: "Goes before every legacy tag."},
	{key: "mapping.job_tag", doc: "A tag that every imported conversation gets, so that they can be found together.", example: "imported"},
	{key: "mapping.types", doc: "Legacy channels and conversation types."},
	{key: "mapping.types.*", doc: "The conversation type.", enum: channelTypes},
	{key: "mapping.chats", doc: "Chat lines: one thread a session, or one a line; left out: transcript.", enum: []string{"transcript", "messages"}},
	{key: "mapping.field_values", doc: "For each custom field: legacy values and what they become."},
	{key: "mapping.field_values.*", doc: "Legacy values of this field and what they become."},
	{key: "mapping.max_threads", doc: "A longer ticket is split; left out: 100, Help Scout's own limit.", min: 1, max: 100, example: "100"},
	{key: "mapping.headroom", doc: "Threads kept free on live conversations, so that they can go on; left out: 10.", min: 0, max: 99, example: "10"},
	{key: "mapping.legacy_reference", doc: "Where the old number and address go; left out: off.", enum: []string{"note", "subject", "field", "off"}},
	{key: "mapping.legacy_field", doc: "The custom field for legacy_reference: field.", example: "Legacy ID"},
	{key: "mapping.inline_size", doc: "The largest create call, attachments in place; left out: 10 MB.", example: "10 MB"},
	{key: "mapping.attachment_size", doc: "The largest upload call, as sent (base64); left out: 10 MB.", example: "10 MB"},
	{key: "mapping.max_text", doc: "The largest text of one thread; the rest becomes an attachment; left out: 1 MB.", example: "1 MB"},
	{key: "mapping.max_subject", doc: "The most characters of a subject; left out: 250.", min: 40, max: 10000, example: "250"},

	{key: "run", doc: "How fast and in what order."},
	{key: "run.share", doc: "The share of the account's API quota that the run takes; left out: 100%.", example: "80%"},
	{key: "run.workers", doc: "Requests at a time; auto follows quota and latency.", example: "auto"},
	{key: "run.settle", doc: "How long absence must last before a part in doubt is sent again; left out: 60s.", example: "60s"},
	{key: "run.outage_patience", doc: "How long an outage is waited for; left out: 30m.", example: "30m"},
	{key: "run.timeout", doc: "Of one request, without its body's share; left out: 60s.", example: "60s"},
	{key: "run.rate_limit", doc: "Units a minute until the server says; left out: ask the server.", min: 1, max: 100000, example: "400"},
	{key: "run.order", doc: "What goes first; left out: live-first, then newest to oldest.", enum: []string{"live-first", "oldest", "newest"}},

	{key: "run.relink", doc: "How texts name other tickets of the old desk, for run --relink."},
	{key: "run.relink.urls", doc: "Addresses of old tickets with {id} in place of the number; left out: as the source's own addresses are made.", example: "https://desk.example/tickets/{id}"},
	{key: "run.relink.numbers", doc: "A number with a number sign, such as #4711, names a ticket too."},

	{key: "checkpoint", doc: "The job's memory: what was sent, and what is to be sent. Left out: import.db beside this file.", example: DefaultCheckpoint},
}

// infoOf is the line of a key; entries of tables and lists are found under *.
func infoOf(key string) (keyInfo, bool) {
	i := slices.IndexFunc(keyTable, func(k keyInfo) bool { return k.key == key })
	if i < 0 {
		return keyInfo{}, false
	}
	return keyTable[i], true
}

// placeOf is where a key of this name belongs, when it stands in the wrong section.
func placeOf(name string) string {
	for _, k := range keyTable {
		if last := k.key[strings.LastIndexByte(k.key, '.')+1:]; last != "*" && fold(last) == fold(name) {
			return k.key
		}
	}
	return ""
}
