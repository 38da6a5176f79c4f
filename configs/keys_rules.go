package configs

// ruleKeys documents the lists of rules in the mapping section: where tickets go, which stay behind, what is blackened.
func ruleKeys() []keyInfo {
	keys := []keyInfo{
		{key: "mapping.routes", doc: "Tickets that go to another inbox than helpscout.mailbox; the first route that fits decides. Each has mailbox and when.", example: "[{mailbox: Sales, when: {groups: [Sales]}}]"},
		{key: "mapping.routes.*", doc: "One route."},
		{key: "mapping.routes.*.mailbox", doc: "The inbox they go to: its name or id."},
	}
	keys = append(keys, conditionKeys("mapping.routes.*.when", "Which tickets: everything that is written has to hold, of a list any entry.")...)
	keys = append(keys,
		keyInfo{key: "mapping.filters", doc: "Tickets that do not come along; what is left out is counted by rule."},
		keyInfo{key: "mapping.filters.from", doc: "Tickets whose last message is before this day (midnight UTC) or moment are left out.", example: "2020-01-01"},
		keyInfo{key: "mapping.filters.to", doc: "Tickets whose first message is not before it are left out.", example: "2026-01-01"},
		keyInfo{key: "mapping.filters.only", doc: "Where it is written: tickets that fit none of these rules are left out.", example: "[{groups: [Support]}]"},
		keyInfo{key: "mapping.filters.exclude", doc: "Tickets that fit one of these rules are left out.", example: "[{tags: [test]}, {statuses: [deleted]}]"},
	)
	keys = append(keys, conditionKeys("mapping.filters.only.*", "One rule.")...)
	keys = append(keys, conditionKeys("mapping.filters.exclude.*", "One rule.")...)
	return append(keys,
		keyInfo{key: "mapping.redact", doc: "Text that must not come along, replaced in subjects, texts, custom fields and names of files; what is inside of attachments stays.", example: "[{preset: cards}]"},
		keyInfo{key: "mapping.redact.*", doc: "One rule: a pattern or a preset."},
		keyInfo{key: "mapping.redact.*.name", doc: "The name that it is counted under."},
		keyInfo{key: "mapping.redact.*.pattern", doc: "A pattern in the syntax of RE2; it is looked for in the text that people read, whatever its markup."},
		keyInfo{key: "mapping.redact.*.preset", doc: "cards: numbers of payment cards, by length and check digit.", enum: []string{"cards"}},
		keyInfo{key: "mapping.redact.*.with", doc: "What takes its place; left out: [redacted]."},
	)
}

// conditionKeys documents what a rule can ask of a ticket.
func conditionKeys(key, doc string) []keyInfo {
	return []keyInfo{
		{key: key, doc: doc},
		{key: key + ".inboxes", doc: "Values of the inbox column: the old desk's inbox or brand."},
		{key: key + ".groups", doc: "Values of the group column."},
		{key: key + ".statuses", doc: "Values of the status column."},
		{key: key + ".tags", doc: "Any of the ticket's tags, as the source has them."},
		{key: key + ".labels", doc: "Any of a thread's labels or folders."},
		{key: key + ".addresses", doc: "The team's address that the thread's first mail went to, or came from."},
	}
}
