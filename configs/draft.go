package configs

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"hsimport/mapping"
	"hsimport/sources"
)

// DraftOptions say how a configuration is drafted.
type DraftOptions struct {
	// Dir is the folder that the configuration will stand in: paths are written relative to it. Empty: as given.
	Dir string
	// Answers are what a person said to the questions of an earlier draft, by Question.Key. They are written as they
	// are; Parse checks them.
	Answers map[string]string
	// Rehearsal answers every other question with a guess that does no harm in a sandbox, and marks it as one.
	Rehearsal bool
	// Schema is the file that Schema is written to, relative to the configuration, for editors; empty: none.
	Schema string
	// AgentsFile is the file that AgentsFile's table stands in: agents are asked for there. Empty: here.
	AgentsFile string
	// JobTag is what every imported conversation is tagged with; empty: imported.
	JobTag string
}

// A Question is something about an export that only a person can know.
type Question struct {
	Key     string   // of the configuration: mapping.statuses.waiting
	Line    int      // of the draft, 1-based
	Text    string   // the question, with the evidence
	Choices []string // the only answers, when there are few
	Guess   string   // what a rehearsal takes
	Answer  string   // what the draft says: "?" while it is open, the guess in a rehearsal
	Count   int      // tickets or messages that depend on it; 0 when it concerns all
}

// The account of the demo's sandbox.
const (
	rehearsalUser   = "ada@support.example"
	rehearsalInbox  = "Support"
	rehearsalDomain = "imported.invalid"
)

// Draft writes a commented configuration for what a survey saw at paths, and the questions it leaves. The draft always
// loads with Parse; open questions stand in it as "?". It never writes default_status: a status that turns up later
// must be seen, not swallowed.
func Draft(s *sources.Survey, paths []string, opts DraftOptions) ([]byte, []Question) {
	d := &draft{page: page{line: 1}, survey: s, opts: opts, preset: new(Preset)}
	if p, err := PresetNamed(s.Preset); err == nil && s.Preset != "" {
		d.preset = p
	}
	d.head()
	d.source(relative(paths, opts.Dir))
	d.helpScout()
	d.mapping()
	d.run()
	return []byte(d.b.String()), d.questions
}

type draft struct {
	page
	survey    *sources.Survey
	opts      DraftOptions
	questions []Question
	preset    *Preset // that the survey was read by; an empty one when it was none
}

// ask returns what to write for q, as YAML, and the comment to it. Answers of a person are no questions any more.
func (d *draft) ask(q Question) (string, string) {
	if a, ok := d.opts.Answers[q.Key]; ok {
		return value(a), ""
	}
	q.Line, q.Answer = d.line, open
	comment := q.Text
	if d.opts.Rehearsal {
		q.Answer, comment = q.Guess, "a guess for the rehearsal: "+q.Text
	}
	d.questions = append(d.questions, q)
	return value(q.Answer), comment
}

// question writes a key whose value a person has to decide.
func (d *draft) question(level int, q Question) {
	name := q.Key[strings.LastIndexByte(q.Key, '.')+1:]
	v, comment := d.ask(q)
	d.key(level, name, v, comment)
}

func (d *draft) head() {
	s := d.survey
	if d.opts.Schema != "" {
		d.note(0, "yaml-language-server: $schema="+d.opts.Schema)
	}
	d.note(0, fmt.Sprintf("Drafted by hsimport init from %s: %s.", plural(len(s.Files), "file"), d.counts()))
	if !s.First.IsZero() {
		d.note(0, fmt.Sprintf("Messages from %s to %s.", s.First.Format("2006-01-02"), s.Last.Format("2006-01-02")))
	}
	d.fromPreset()
	if s.Metrics != "" {
		d.note(0, "This export holds no message texts: "+s.Metrics)
	}
	d.note(0, `A value of "?" is for you to decide; hsimport dry-run lists those that are left.`)
	d.put(0, "version: 1", "")
	d.put(0, "", "")
}

func (d *draft) counts() string {
	s := d.survey
	return strings.Join([]string{plural(s.Tickets, "ticket"), plural(s.Messages, "message"), plural(s.Attachments, "attachment")}, ", ")
}

func (d *draft) source(paths []string) {
	d.put(0, "source:", "")
	switch kind := d.survey.Format; kind {
	case CSV:
		d.key(1, "kind", kind, "")
		d.csv(paths)
	case JSON:
		d.key(1, "kind", kind, "")
		d.json(paths)
	case Mbox:
		d.key(1, "kind", kind, "")
		d.key(1, "paths", items(paths), "")
		d.until()
		d.mbox()
	default:
		d.question(1, Question{Key: "source.kind", Text: "the input looks like " + kind, Choices: []string{CSV, JSON, Mbox}, Guess: CSV})
		d.key(1, "paths", items(paths), "")
	}
	d.put(0, "", "")
}

func (d *draft) until() {
	d.note(1, "The cut-over: what is at or after this moment reached Help Scout on its own road.", "until: 2026-11-30T18:00:00Z")
}

func (d *draft) helpScout() {
	d.put(0, "helpscout:", "credentials: HELPSCOUT_APP_ID and HELPSCOUT_APP_SECRET in the environment")
	d.question(1, Question{Key: "helpscout.mailbox", Text: "the inbox to import into: its name or id", Guess: rehearsalInbox})
	d.put(0, "", "")
}

func (d *draft) run() {
	d.put(0, "run:", "")
	d.key(1, "share", "80%", "of the account's API quota; the rest is for everybody else")
	d.put(0, "checkpoint: "+DefaultCheckpoint, "the job's memory: keep it until the import is verified")
}

// mapping writes what becomes of statuses, people and references.
func (d *draft) mapping() {
	d.put(0, "mapping:", "")
	if d.survey.Format == CSV || d.survey.Format == JSON {
		d.statuses()
		d.kinds()
		d.types()
	} else {
		d.mailState()
	}
	d.agents()
	d.domains()
	if d.survey.Format != CSV && d.survey.Format != JSON {
		d.addresses()
	}
	d.question(1, Question{Key: "mapping.fallback_user", Text: "e-mail of the Help Scout user who stands in for authors without one", Guess: rehearsalUser})
	d.question(1, Question{Key: "mapping.placeholder_domain", Text: "customers without an address get one at this domain, such as imported.invalid", Guess: rehearsalDomain})
	if slices.ContainsFunc(d.survey.Columns, func(c sources.SurveyColumn) bool { return c.Role == "inbox" && c.Filled > 0 }) {
		d.note(1, "The export names an inbox or brand: tickets of one can go to a mailbox of their own.", "routes: [{mailbox: Sales, when: {inboxes: [Acme]}}]")
	}
	tag := cmp.Or(d.opts.JobTag, "imported")
	d.key(1, "job_tag", value(tag), "every imported conversation gets it: exclude it in conditions of workflows")
	d.key(1, "legacy_reference", "note", "the old number and address, where search finds them: note, subject, field, off")
	d.put(0, "", "")
}

// maxWords bounds a drafted table: a column with more values is not one of statuses or kinds.
const maxWords = 100

// statuses lists every value that was seen; those that mean one thing at every desk are filled in.
func (d *draft) statuses() {
	seen := merged(d.survey.Statuses)
	if len(seen) == 0 {
		return
	}
	d.put(1, "statuses:", "allowed: "+strings.Join(statusTargets, ", "))
	for _, c := range seen[:min(len(seen), maxWords)] {
		d.word(c, cmp.Or(wordOf(d.preset.Mapping.Statuses, c.Value), guessStatus(c.Value)), "ticket", Question{
			Key: join("mapping.statuses", c.Value), Choices: statusTargets, Guess: "closed", Text: statusAsked(c),
		})
	}
	d.further(len(seen))
}

// kinds lists the source's words for whose message it is. A rehearsal does not guess them: the author decides where
// the word does not, and a wrong word would decide for all.
func (d *draft) kinds() {
	seen := merged(d.survey.Kinds)
	if len(seen) == 0 {
		return
	}
	d.put(1, "message_kinds:", "allowed: "+strings.Join(messageKinds, ", "))
	for _, c := range seen[:min(len(seen), maxWords)] {
		guess := cmp.Or(wordOf(d.preset.Mapping.MessageKinds, c.Value), guessKind(c.Value))
		author := guess == byAuthor
		if author {
			guess = ""
		}
		if _, answered := d.opts.Answers[join("mapping.message_kinds", c.Value)]; !answered && guess == "" && (author || d.opts.Rehearsal || saysNothing(c.Value)) {
			d.note(2, scalar(c.Value)+": "+plural(c.N, "message")+"; left out, agents and agent_domains decide")
			continue
		}
		d.word(c, guess, "message", Question{
			Key: join("mapping.message_kinds", c.Value), Choices: messageKinds, Guess: "note", Text: kindAsked(c),
		})
	}
	d.further(len(seen))
}

func statusAsked(c sources.Count) string {
	tickets := plural(c.N, "ticket")
	switch {
	case c.Value != "":
		return fmt.Sprintf("%s: what does %s become?", tickets, shorten(c.Value))
	case c.N == 1:
		return tickets + " without a status: what does it become?"
	}
	return tickets + " without a status: what do they become?"
}

func kindAsked(c sources.Count) string {
	messages := plural(c.N, "message")
	switch {
	case c.Value != "":
		return fmt.Sprintf("%s: whose is %s?", messages, shorten(c.Value))
	case c.N == 1:
		return messages + " without a kind: whose is it?"
	}
	return messages + " without a kind: whose are they?"
}

// word writes one line of a table of words: the guess that is none, or the question.
func (d *draft) word(c sources.Count, sure, thing string, q Question) {
	count := plural(c.N, thing)
	if _, answered := d.opts.Answers[q.Key]; !answered && sure != "" {
		d.key(2, c.Value, sure, count)
		return
	}
	q.Count = c.N
	v, comment := d.ask(q)
	d.key(2, c.Value, v, cmp.Or(comment, count))
}

func (d *draft) further(seen int) {
	if more := seen - maxWords; more > 0 {
		d.note(2, fmt.Sprintf("and %s: is this the right column?", plural(more, "further value")))
	}
}

// guessStatus is what a word says about a ticket beyond doubt, in most help desks; else nothing.
func guessStatus(word string) string {
	switch strings.NewReplacer("_", " ", "-", " ").Replace(strings.ToLower(word)) {
	case "new", "open", "opened", "active", "reopened", "to do", "todo", "in progress", "waiting for support", "waiting on support":
		return "active"
	case "pending", "hold", "on hold", "onhold", "snoozed", "waiting on customer", "waiting for customer", "awaiting customer":
		return "pending"
	case "closed", "close", "solved", "resolved", "done", "completed", "complete", "archived":
		return "closed"
	case "spam", "junk":
		return "spam"
	}
	return ""
}

func guessKind(word string) string {
	switch strings.NewReplacer("_", " ", "-", " ").Replace(strings.ToLower(word)) {
	case "customer", "end user", "enduser", "requester", "client", "contact", "incoming":
		return "customer"
	case "agent", "reply", "staff", "admin", "outgoing", "operator":
		return "agent"
	case "note", "private", "internal", "private note", "internal note", "comment internal":
		return "note"
	}
	return ""
}

// saysNothing is true for words that tell that a message is public, not whose it is.
func saysNothing(word string) bool {
	switch strings.ToLower(word) {
	case "", "public", "comment", "message", "email", "public comment":
		return true
	}
	return false
}

// Bounds of the drafted table of agents; the survey lists the likeliest first.
const (
	maxAgents = 20 // that are asked for
	maxLikely = 30 // that are named beside them
)

// agents asks who the likely agents are. Addresses of the team's domains need no line: they are agents anyway, and are
// found in Help Scout by their address. Names are asked for where the export has no addresses; else they are mostly
// people who wrote in tickets of others.
func (d *draft) agents() {
	if d.opts.AgentsFile != "" {
		d.key(1, "agents_file", value(relative([]string{d.opts.AgentsFile}, d.opts.Dir)[0]), "fill in its last column; who is not listed is found by address")
		return
	}
	var asked, likely []sources.Count
	all := merged(d.survey.Agents)
	addresses := slices.ContainsFunc(all, func(c sources.Count) bool { return isAddress(c.Value) })
	for _, a := range all {
		switch {
		case isAddress(a.Value) && d.ofTeam(a.Value), a.Value == "":
		case len(asked) < maxAgents && isAddress(a.Value) == addresses:
			asked = append(asked, a)
		case len(likely) < maxLikely:
			likely = append(likely, a)
		}
	}
	if len(asked)+len(likely) == 0 {
		return
	}
	d.put(1, "agents:", `legacy agent: e-mail of the Help Scout user; "" for one who has left`)
	for _, a := range asked {
		d.entry(a.Value, Question{
			Key: "mapping.agents." + a.Value, Guess: "", Count: a.N,
			Text: fmt.Sprintf("%s: who is %s in Help Scout?", plural(a.N, "message"), oneLine(a.Value)),
		})
	}
	if len(likely) > 0 {
		d.note(2, "Perhaps agents, perhaps not; take the # away from those who are:")
	}
	for _, a := range likely {
		if _, answered := d.opts.Answers["mapping.agents."+a.Value]; answered {
			d.entry(a.Value, Question{Key: "mapping.agents." + a.Value})
			continue
		}
		d.put(2, "# "+scalar(a.Value)+`: ""`, plural(a.N, "message"))
	}
}

// entry is question for an entry of a table, whose name may hold dots.
func (d *draft) entry(name string, q Question) {
	v, comment := d.ask(q)
	d.key(2, name, v, comment)
}

func isAddress(s string) bool { return accepted(mapping.Options{MailboxAddresses: []string{s}}) }

// ofTeam says whether an address is of a domain that the draft takes for the team's.
func (d *draft) ofTeam(address string) bool {
	domain := address[strings.LastIndexByte(address, '@')+1:]
	return slices.ContainsFunc(d.teamDomains(), func(t string) bool { return strings.EqualFold(t, domain) })
}

func (d *draft) domains() {
	if names := d.teamDomains(); len(names) > 0 {
		d.key(1, "agent_domains", items(names), "likely the team's: who writes from here is an agent")
		return
	}
	d.note(1, "agent_domains: [support.example]   # who writes from here is an agent")
}

func (d *draft) teamDomains() (names []string) {
	for _, c := range d.survey.Domains {
		if accepted(mapping.Options{AgentDomains: []string{c.Value}}) {
			names = append(names, c.Value)
		}
	}
	return names
}

// accepted says whether a value that was seen could stand in the configuration.
func accepted(o mapping.Options) bool { return len(o.Check()) == 0 }

// merged folds counts whose values differ in case or blanks only, as tables do, keeping their order.
func merged(counts []sources.Count) []sources.Count {
	var all []sources.Count
	at := map[string]int{}
	for _, c := range counts {
		c.Value = strings.TrimSpace(strings.ToValidUTF8(c.Value, "\ufffd"))
		folded := strings.ToLower(c.Value)
		if i, again := at[folded]; again {
			all[i].N += c.N
			continue
		}
		at[folded] = len(all)
		all = append(all, c)
	}
	return all
}

// relative writes paths as seen from dir, with slashes.
func relative(paths []string, dir string) []string {
	all := slices.Clone(paths)
	for i, p := range all {
		if dir != "" {
			from, err1 := filepath.Abs(dir)
			to, err2 := filepath.Abs(p)
			if rel, err := filepath.Rel(from, to); err == nil && err1 == nil && err2 == nil {
				p = rel
			}
		}
		if p = filepath.ToSlash(p); strings.HasPrefix(p, "~") {
			p = "./" + p
		}
		all[i] = p
	}
	return all
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return sources.Thousands(n) + " " + word + "s"
}
