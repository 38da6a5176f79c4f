package configs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"hsimport/mapping"
	"hsimport/sources"
	"hsimport/sources/csvfile"
)

// csv writes the section of a table.
func (d *draft) csv(paths []string) {
	s := d.survey
	tickets, messages, users := paths, []string(nil), []string(nil)
	if s.Layout == csvfile.Joined {
		tickets, messages, users = split(paths)
	}
	d.key(1, "paths", items(tickets), "")
	d.until()
	d.put(1, "csv:", "")
	if s.Layout != "" {
		d.key(2, "layout", value(s.Layout), "ticket-per-row, message-per-row, or joined")
	}
	if len(messages) > 0 {
		d.key(2, "messages", items(messages), "")
	}
	if len(users) > 0 {
		d.key(2, "users", items(users), "")
	}
	d.encoding()
	d.zone()
	d.dateFormats()
	d.columns()
}

// split sorts the files of a joined export by their names; the first stays when none looks like tickets.
func split(paths []string) (tickets, messages, users []string) {
	for _, p := range paths {
		name := strings.ToLower(p[strings.LastIndexByte(p, '/')+1:])
		has := func(words ...string) bool {
			return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(name, w) })
		}
		switch {
		case has("comment", "message", "thread", "repl", "event", "note"):
			messages = append(messages, p)
		case has("user", "agent", "contact", "people", "customer"):
			users = append(users, p)
		default:
			tickets = append(tickets, p)
		}
	}
	return tickets, messages, users
}

func (d *draft) encoding() {
	found := map[string]bool{}
	var names []string
	for _, f := range d.survey.Files {
		if f.Encoding != "" && !found[f.Encoding] {
			found[f.Encoding] = true
			names = append(names, fmt.Sprintf("%s (%d%% sure)", f.Encoding, f.Confidence))
		}
	}
	if len(names) > 0 {
		d.note(2, "encoding: "+strings.Join(names, ", ")+" was detected; write it to declare it")
	}
}

func (d *draft) zone() {
	if d.survey.ZoneKnown {
		return
	}
	d.note(2, "Dates carry no zone. Messages by hour of day as written: "+hours(d.survey.Hours))
	d.question(2, Question{Key: "source.csv.time_zone", Guess: "UTC", Text: "IANA zone of the dates, such as Europe/Berlin"})
}

// hours is the histogram that tells a zone: 9 h 120, 10 h 310, ...
func hours(h [24]int) string {
	var all []string
	for hour, n := range h {
		if n > 0 {
			all = append(all, fmt.Sprintf("%dh %s", hour, thousands(n)))
		}
	}
	if all == nil {
		return "none"
	}
	return strings.Join(all, ", ")
}

const ambiguous = "ambiguous day/month"

// dateFormats asks for the order of day and month where the data leaves it open.
func (d *draft) dateFormats() {
	i := slices.IndexFunc(d.survey.Columns, func(c sources.SurveyColumn) bool { return c.Kind == "date" && c.Layout == ambiguous })
	if i < 0 {
		return
	}
	c := d.survey.Columns[i]
	v, comment := d.ask(Question{
		Key: "source.csv.date_formats", Choices: []string{"dmy", "mdy"}, Guess: "dmy",
		Text: fmt.Sprintf("column %s says %s: day first (dmy) or month first (mdy)?", shorten(c.Name), oneLine(strings.Join(c.Examples, " | "))),
	})
	d.key(2, "date_formats", "["+v+"]", comment)
}

// columns writes the table of columns that were recognised, and names the others.
func (d *draft) columns() {
	if d.survey.Layout == csvfile.Joined {
		d.note(2, "columns, message_columns, user_columns: found by their headers; hsimport inspect shows them")
		return
	}
	roles, left := roles(d.survey.Columns, csvfile.ColumnNames("columns", d.survey.Layout))
	if len(roles) > 0 {
		d.put(2, "columns:", "ours: theirs")
		for _, r := range roles {
			d.key(3, r.role, value(r.header), r.comment)
		}
	}
	if len(left) == 0 {
		return
	}
	d.note(2, "Filled columns without a use yet. Name each in fields (Help Scout custom field: column) or in ignore_columns:")
	for _, c := range left {
		d.note(2, fmt.Sprintf("  %s   %s of %s rows, such as %s", scalar(c.Name), thousands(c.Filled), thousands(c.Of), oneLine(strings.Join(c.Examples, " | "))))
	}
	d.put(2, "fields: {}", "")
	d.put(2, "ignore_columns: []", "")
}

type role struct{ role, header, comment string }

// roles gives each of our names that mean something here to the fullest column that may have it. Comments may be many:
// repeated headers are taken all together.
func roles(columns []sources.SurveyColumn, names []string) (found []role, left []sources.SurveyColumn) {
	best := map[string]int{}
	for i, c := range columns {
		if !slices.Contains(names, c.Role) || c.Filled == 0 {
			continue
		}
		if j, taken := best[c.Role]; !taken || c.Filled > columns[j].Filled {
			best[c.Role] = i
		}
	}
	for i, c := range columns {
		j, has := best[c.Role]
		switch {
		case c.Filled == 0:
		case !has:
			left = append(left, c)
		case i == j:
			found = append(found, named(columns, c))
		case base(c.Name) == base(columns[j].Name) && repeatable(c.Role):
		default:
			left = append(left, c)
		}
	}
	return found, left
}

func named(columns []sources.SurveyColumn, c sources.SurveyColumn) role {
	r := role{c.Role, c.Name, fmt.Sprintf("%s of %s rows", thousands(c.Filled), thousands(c.Of))}
	if !repeatable(c.Role) {
		return r
	}
	same := 0
	for _, o := range columns {
		if o.Role == c.Role && base(o.Name) == base(c.Name) {
			same++
		}
	}
	if same > 1 {
		r.header, r.comment = base(c.Name)+"#*", fmt.Sprintf("all %d of them", same)
	}
	return r
}

// repeatable roles are those that take a header as often as it stands in the file.
func repeatable(role string) bool {
	return role == "comments" || role == "tags" || strings.HasSuffix(role, "attachments")
}

var repeated = regexp.MustCompile(`#\d+$`)

// base is a header without the number that tells it from its namesakes.
func base(name string) string { return repeated.ReplaceAllString(name, "") }

// mbox writes the section of mail.
func (d *draft) mbox() {
	d.put(1, "mbox:", "")
	d.key(2, "thread_by", "auto", "auto, gmail, references")
	if labels := merged(d.survey.Labels); len(labels) > 0 {
		var all []string
		for _, l := range labels[:min(len(labels), 20)] {
			all = append(all, fmt.Sprintf("%s (%s)", l.Value, thousands(l.N)))
		}
		d.note(2, "Labels and folders: "+strings.Join(all, ", "))
	}
	d.key(2, "exclude_labels", "[Spam, Trash, Drafts, Chat]", "")
}

// mailState writes which threads are live: mail itself has no status.
func (d *draft) mailState() {
	inbox := slices.ContainsFunc(d.survey.Labels, func(c sources.Count) bool { return strings.EqualFold(strings.TrimSpace(c.Value), "inbox") })
	if !inbox {
		d.note(1, "live: {last_from: customer, newer_than: 30d}   # these threads arrive active, the others closed")
		return
	}
	d.key(1, "live", "{labels: [Inbox], last_from: customer, newer_than: 30d}", "these threads arrive active, the others closed")
}

// addresses asks for the team's own inboxes: they are never customers.
func (d *draft) addresses() {
	team := map[string]bool{}
	for _, c := range d.survey.Domains {
		team[strings.ToLower(c.Value)] = true
	}
	guess := "help@support.example"
	var likely []string
	for _, c := range merged(append(slices.Clone(d.survey.Agents), d.survey.Senders...)) {
		_, domain, _ := strings.Cut(strings.ToLower(c.Value), "@")
		if accepted(mapping.Options{MailboxAddresses: []string{c.Value}}) && (team[domain] || len(team) == 0) && len(likely) < 5 {
			likely = append(likely, c.Value)
		}
	}
	text := "the team's own inbox addresses and aliases"
	if len(likely) > 0 {
		text += ", perhaps among " + strings.Join(likely, ", ")
		guess = likely[0]
	}
	v, comment := d.ask(Question{Key: "mapping.mailbox_addresses", Text: text, Guess: guess})
	d.key(1, "mailbox_addresses", "["+v+"]", comment)
}
