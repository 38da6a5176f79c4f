package configs

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// with puts lines under the minimal configuration; they begin at line 4.
func with(lines string) string { return minimal + lines }

func csvWith(lines string) string {
	return "version: 1\nhelpscout: {mailbox: Support}\nsource:\n  kind: csv\n  paths: [t.csv]\n  csv:\n" + lines
}

// What a person reads when a configuration is wrong, word for word.
func TestErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"mistyped key", with("mapping:\n  defaultstatus: closed\n"), "i.yaml:5:3: mapping.defaultstatus: unknown key; did you mean default_status?"},
		{"swapped letters", with("mapping:\n  agent_domians: [a.example]\n"), "i.yaml:5:3: mapping.agent_domians: unknown key; did you mean agent_domains?"},
		{"nothing near", with("zebra: 1\n"), "i.yaml:4:1: zebra: unknown key (known here: checkpoint, helpscout, mapping, run, source, version)"},
		{"wrong section", with("statuses: {open: active}\n"), "i.yaml:4:1: statuses: unknown key; did you mean mapping.statuses?"},
		{"wrong section, deep", with("mapping: {mailbox: Support}\n"), "i.yaml:4:11: mapping.mailbox: unknown key; did you mean helpscout.mailbox?"},
		{"secret", with("app_secret: hunter2\n"), "i.yaml:4:1: app_secret: secrets do not belong into the configuration (set HELPSCOUT_APP_SECRET in the environment)"},
		{"app id", strings.Replace(minimal, "{mailbox", "{app_id: x, mailbox", 1), "i.yaml:3:13: helpscout.app_id: secrets do not belong into the configuration (set HELPSCOUT_APP_ID in the environment)"},
		{"secret in the address", strings.Replace(minimal, "{mailbox", "{base_url: 'https://id:pw@api.helpscout.net', mailbox", 1), "i.yaml:3:23: helpscout.base_url: credentials do not belong into the address (set HELPSCOUT_APP_ID and HELPSCOUT_APP_SECRET in the environment)"},
		{"duplicate key", with("run: {}\nmapping: {}\nrun: {}\n"), "i.yaml:6:1: run: written twice; first on line 4"},
		{"duplicate in a table", with("mapping:\n  statuses:\n    Open: active\n    open: closed\n"), "i.yaml:7:5: mapping.statuses.open: written twice (case does not count); first on line 6"},
		{"second document", with("---\nversion: 1\n"), "i.yaml:4:1: a second YAML document begins here; a configuration is one"},
		{"tab", with("mapping:\n\tstatuses: {}\n"), "i.yaml:5:1: a tab in the indentation (YAML is indented with blanks)"},
		{"bare question mark", csvWith("    time_zone: ?\n"), `i.yaml:7:16: not valid YAML: mapping keys are not allowed in this context (a question mark is written in quotes: "?")`},
		{"merge key", with("mapping:\n  statuses: {<<: {a: closed}}\n"), `i.yaml:5:14: mapping.statuses: merge keys (<<) are not read (write the keys out; a legacy value << is written "<<")`},
		{"foreign tag", with("mapping: {job_tag: !!binary aGk=}\n"), "i.yaml:4:20: mapping.job_tag: values of type !!binary are not read"},
		{"empty", "# nothing\n", "i.yaml: the configuration is empty (hsimport init FILE drafts one)"},
		{"a list", "- a\n", "i.yaml:1:1: a configuration is a table of keys, this is a list"},
		{"text instead of a section", with("mapping: closed\n"), `i.yaml:4:10: mapping: a section of keys is expected here, this is text ("closed")`},
		{"list instead of a table", with("mapping: {statuses: [open]}\n"), "i.yaml:4:21: mapping.statuses: a table is expected here ({old: new}), this is a list"},
		{"table instead of a list", with("mapping: {agent_domains: {a: b}}\n"), "i.yaml:4:26: mapping.agent_domains: a list is expected here ([a, b]), this is a table"},
		{"list instead of a value", with("mapping: {default_status: [closed]}\n"), "i.yaml:4:27: mapping.default_status: one value is expected here, this is a list"},
		{"word instead of a number", with("mapping: {max_threads: many}\n"), `i.yaml:4:24: mapping.max_threads: a whole number is expected here, this is "many"`},
		{"word instead of a switch", "version: 1\nhelpscout: {mailbox: S}\nsource: {kind: mbox, paths: [a], mbox: {subject_fallback: yes}}\n", `i.yaml:3:59: source.mbox.subject_fallback: true or false is expected here, this is "yes"`},
		{"version", strings.Replace(minimal, "version: 1", "version: 2", 1), "i.yaml:1:10: version: 2 is not known: it is always 1"},
		{"kind", strings.Replace(minimal, "kind: csv", "kind: cvs", 1), `i.yaml:2:16: source.kind: "cvs" is not known; did you mean csv? (allowed: csv, json, mbox)`},
		{"missing mailbox", strings.Replace(minimal, "mailbox: Support", "", 1), "i.yaml:3:12: helpscout.mailbox: missing (write the inbox's name or id)"},
		{"missing section", "version: 1\nsource: {kind: csv, paths: [a]}\n", "i.yaml: helpscout.mailbox: missing (write the inbox's name or id)"},
		{"no paths", strings.Replace(minimal, "[t.csv]", "[]", 1), "i.yaml:2:28: source.paths: missing (write the export's path: [tickets.csv])"},
		{"home", strings.Replace(minimal, "t.csv", "~/t.csv", 1), "i.yaml:2:29: source.paths[0]: ~ is not read in paths (paths are relative to this file; your own folder is ${HOME})"},
		{"layout", csvWith("    layout: message_per_row\n"), `i.yaml:7:13: source.csv.layout: "message_per_row" is not known; did you mean message-per-row? (allowed: ticket-per-row, message-per-row, joined)`},
		{"joined alone", csvWith("    layout: joined\n"), "i.yaml:7:13: source.csv.layout: joined needs the files of messages (write messages: [comments.csv])"},
		{"messages alone", csvWith("    layout: ticket-per-row\n    messages: [c.csv]\n"), "i.yaml:8:15: source.csv.messages: this is for layout: joined, the layout is ticket-per-row"},
		{"section of another kind", "version: 1\nhelpscout: {mailbox: S}\nsource:\n  kind: mbox\n  paths: [a]\n  csv: {layout: joined, messages: [b]}\n", "i.yaml:6:8: source.csv: this section is for kind: csv, the kind is mbox (delete one of them)"},
		{"zone", csvWith("    time_zone: Europe/Berln\n"), `i.yaml:7:16: source.csv.time_zone: "Europe/Berln" is not a time zone; did you mean Europe/Berlin? (write an IANA name such as Europe/Berlin, America/New_York or UTC; "?" leaves it open)`},
		{"zone of the machine", csvWith("    time_zone: Local\n"), `i.yaml:7:16: source.csv.time_zone: "Local" is not a time zone (write an IANA name such as Europe/Berlin, America/New_York or UTC; "?" leaves it open)`},
		{"charset", csvWith("    encoding: utf-9\n"), `i.yaml:7:15: source.csv.encoding: "utf-9" is not a charset (such as utf-8, windows-1252, utf-16le; left out, it is detected)`},
		{"charset that only replaces", csvWith("    encoding: hz-gb-2312x\n"), `i.yaml:7:15: source.csv.encoding: "hz-gb-2312x" is not a charset (such as utf-8, windows-1252, utf-16le; left out, it is detected)`},
		{"delimiter", csvWith("    delimiter: \";;\"\n"), `i.yaml:7:16: source.csv.delimiter: one character is expected here, this is ";;"`},
		{"column of ours", csvWith("    columns: {tcket_id: Id}\n"), "i.yaml:7:15: source.csv.columns.tcket_id: unknown column of ours; did you mean ticket_id?"},
		{"column of another layout", csvWith("    layout: joined\n    messages: [c.csv]\n    user_columns: {subject: Betreff}\n"), "i.yaml:9:20: source.csv.user_columns.subject: this column means nothing here (known here: user_id, user_name, user_last_name, user_email, user_phone, user_role)"},
		{"no header", csvWith("    columns: {tags: }\n"), "i.yaml:7:21: source.csv.columns.tags: no header is named (delete the line when the export has no such column)"},
		{"legacy url", csvWith("    legacy_url: https://a.example/\n"), "i.yaml:7:17: source.csv.legacy_url: the address has no {id} (write {id} where the ticket's number stands)"},
		{"legacy host", csvWith("    legacy_hosts: [https://a.example]\n"), `i.yaml:7:20: source.csv.legacy_hosts[0]: "https://a.example" is not a host (write it without https:// and path)`},
		{"until without zone", strings.Replace(minimal, "paths", "until: 2026-11-30, paths", 1), `i.yaml:2:28: source.until: a moment with its zone is expected here, such as 2026-11-30T18:00:00Z or 2026-11-30T18:00:00+01:00; this is "2026-11-30"`},
		{"status target", with("mapping: {statuses: {open: activ}}\n"), `i.yaml:4:28: mapping.statuses.open: "activ" is not known; did you mean active? (allowed: active, pending, closed, spam, exclude)`},
		{"target of the empty status", with("mapping: {statuses: {\"\": activ}}\n"), `i.yaml:4:26: mapping.statuses."": "activ" is not known; did you mean active? (allowed: active, pending, closed, spam, exclude)`},
		{"status without target", with("mapping: {statuses: {open: }}\n"), `i.yaml:4:28: mapping.statuses.open: "" is not known (allowed: active, pending, closed, spam, exclude)`},
		{"message kind", with("mapping: {message_kinds: {public: agnet}}\n"), `i.yaml:4:35: mapping.message_kinds.public: "agnet" is not known; did you mean agent? (allowed: customer, agent, note)`},
		{"max threads", with("mapping: {max_threads: 101}\n"), "i.yaml:4:24: mapping.max_threads: 101 is out of range: allowed are 1 to 100"},
		{"no threads", with("mapping: {max_threads: 0}\n"), "i.yaml:4:24: mapping.max_threads: 0 is out of range: allowed are 1 to 100"},
		{"share", with("run: {share: 80}\n"), `i.yaml:4:14: run.share: "80" is not a share: did you mean 80%?`},
		{"share above all", with("run: {share: 120%}\n"), `i.yaml:4:14: run.share: "120%" is not a share: it must be above 0 and at most 100%`},
		{"no share", with("run: {share: 0}\n"), `i.yaml:4:14: run.share: "0" is not a share: it must be above 0 and at most 100%`},
		{"workers", with("run: {workers: 0}\n"), `i.yaml:4:16: run.workers: "0" is not a number of workers: write auto or a number from 1 to 256`},
		{"order", with("run: {order: new}\n"), `i.yaml:4:14: run.order: "new" is not known; did you mean newest? (allowed: live-first, oldest, newest)`},
		{"base url", strings.Replace(minimal, "{mailbox", "{base_url: api.helpscout.net, mailbox", 1), `i.yaml:3:23: helpscout.base_url: "api.helpscout.net" is not an address (write https://api.helpscout.net)`},
		{"http", strings.Replace(minimal, "{mailbox", "{base_url: 'http://api.helpscout.net', mailbox", 1), "i.yaml:3:23: helpscout.base_url: http would send the credentials in the clear (write https://api.helpscout.net)"},
		{"variable in a flow list", strings.Replace(minimal, "t.csv", "${A}/t.csv", 1), "i.yaml:2:30: not valid YAML: did not find expected ',' or ']' (inside [ ] and { } a value with ${NAME} is written in quotes)"},
		{"broken variable", with("mapping: {job_tag: \"${A\"}\n"), "i.yaml:4:20: mapping.job_tag: ${A is not a variable (${NAME} is the environment's NAME, $$ is a dollar)"},
		{"secret by variable", with("mapping: {job_tag: \"${HELPSCOUT_APP_SECRET}\"}\n"), "i.yaml:4:20: mapping.job_tag: HELPSCOUT_APP_SECRET does not belong into the configuration (it is read from the environment where it is used)"},
		{"NUL", "version: 1\n\x00\n", "i.yaml:2: byte 0x00 is no text: this is not a YAML file in UTF-8 (save it as UTF-8)"},
		{"Latin-1", with("mapping: {tag_prefix: caf\xe9}\n"), "i.yaml:4: byte 0xe9 is no text: this is not a YAML file in UTF-8 (save it as UTF-8)"},
		{"no blank after a colon", with("mapping: {statuses: {on-hold:pending}}\n"), `i.yaml:4:37: mapping.statuses.on-hold:pending: "" is not known (a blank belongs after the colon)`},
		{"no blank after a key", with("run: {share:80%}\n"), "i.yaml:4:7: run.share:80%: unknown key (a blank belongs after the colon)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("i.yaml", []byte(tt.text), noEnv)
			if err == nil {
				t.Fatalf("loads:\n%s", tt.text)
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What the mapping itself refuses has its line too; the words are the mapping's.
func TestMappingProblemsHaveTheirLine(t *testing.T) {
	for text, want := range map[string]string{
		"mapping: {max_threads: 5, headroom: 5}\n":                              "i.yaml:4:37: mapping.headroom: ",
		"mapping: {agents: {Ada: ada}}\n":                                       "i.yaml:4:25: mapping.agents.Ada: ",
		"mapping:\n  agent_domains:\n  - support.example\n  - help@a.example\n": "i.yaml:7:5: mapping.agent_domains[1]: ",
		"mapping:\n  job_tag: x\n  legacy_reference: field\n":                   "i.yaml:6:21: mapping.legacy_field: ",
		"mapping: {placeholder: create}\n":                                      "i.yaml:4:24: mapping.placeholder_domain: ",
		"mapping: {inline_size: 1}\n":                                           "i.yaml:4:24: mapping.inline_size: ",
		"mapping: {close_inactive: -5d}\n":                                      "i.yaml:4:27: mapping.close_inactive: ",
		"mapping: {close_inactive: soon}\n":                                     "i.yaml:4:27: mapping.close_inactive: ",
		"run: {settle: -5s}\n":                                                  "i.yaml:4:15: run.settle: ",
		"run: {settle: 60}\n":                                                   "i.yaml:4:15: run.settle: ",
		"mapping: {teams: {Second Level: \"\"}}\n":                              "i.yaml:4:33: mapping.teams.Second Level: ",
	} {
		_, err := Parse("i.yaml", []byte(with(text)), noEnv)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one problem that begins %s", text, err, want)
		}
	}
}

// All problems come at once, in the order of the file, and each can be had as data.
func TestAllErrorsAtOnce(t *testing.T) {
	_, err := Parse("i.yaml", []byte("version: 1\nsource: {kind: csv}\nmaping: {}\nmapping:\n  max_threads: x\n  default_status: shut\nrun: {share: 2%%}\n"), noEnv)
	var all *Errors
	if !errors.As(err, &all) {
		t.Fatalf("%T", err)
	}
	var got []string
	for _, e := range all.List {
		got = append(got, fmt.Sprintf("%d:%d %s", e.Line, e.Column, e.Key))
	}
	want := []string{"0:0 helpscout.mailbox", "2:9 source.paths", "3:1 maping", "5:16 mapping.max_threads", "6:19 mapping.default_status", "7:14 run.share"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var one *Error
	if !errors.As(err, &one) || one != all.List[0] {
		t.Errorf("the first is not to be had by errors.As: %v", one)
	}
}

// A file of another kind is refused in a few lines, not in a million.
func TestErrorsAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "key%d: x\n", i)
	}
	_, err := Parse("i.yaml", []byte(b.String()), noEnv)
	var all *Errors
	if !errors.As(err, &all) || len(all.List) != maxErrors+1 || !strings.Contains(all.List[maxErrors].Text, "further problems") {
		t.Fatalf("%d problems listed", len(all.List))
	}
	_, err = Parse("export.csv", make([]byte, maxBytes+1), noEnv)
	if err == nil || !strings.Contains(err.Error(), "is this the export itself?") {
		t.Errorf("a huge file: %v", err)
	}
}

func TestNearest(t *testing.T) {
	candidates := []string{"default_status", "statuses", "agents", "tags", "run", "bulk"}
	for word, want := range map[string]string{
		"defaultStatus": "default_status", "default-status": "default_status", "defualt_status": "default_status",
		"status": "statuses", "agent": "agents", "tag": "tags", "rnu": "run", "xyz": "", "": "", "bulk ": "bulk",
		strings.Repeat("a", 10000): "",
	} {
		if got := nearest(word, candidates); got != want {
			t.Errorf("%.20q: got %q, want %q", word, got, want)
		}
	}
}
