package configs

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"hsimport/sources"
	"hsimport/sources/csvfile"
)

// csv writes the section of a table.
func (d *draft) csv(paths []string) {
	s := d.survey
	tickets, messages, users := split(s.Files, paths)
	d.key(1, "paths", items(tickets), "")
	d.until()
	d.put(1, "csv:", "")
	if s.Layout != "" {
		d.key(2, "layout", value(s.Layout), "ticket-per-row, message-per-row, or joined")
	}
	if s.Layout == csvfile.Joined {
		d.key(2, "messages", items(messages), "")
		if len(users) > 0 {
			d.key(2, "users", items(users), "")
		}
	}
	d.encoding()
	d.oldDesk()
	d.zone()
	d.dateFormats()
	d.columns()
}

// oldDesk mentions the key that nobody would look for: what texts show is with the old desk as long as there is one.
func (d *draft) oldDesk() {
	d.note(2, "legacy_hosts: [desk.example]   # images and files in texts that lie there; hsimport fetch brings them")
}

// split sorts the paths of tables by what the survey found in them. Where it found nothing at all, all are tickets;
// beside files that are used, one that is not is left out.
func split(files []sources.SurveyFile, paths []string) (tickets, messages, users []string) {
	joined := slices.ContainsFunc(files, func(f sources.SurveyFile) bool { return f.Role == "tickets" })
	for _, f := range files {
		p := pathOf(f.Path, paths)
		switch {
		case f.Role == "users":
			users = append(users, p)
		case f.Role == "messages" && joined:
			messages = append(messages, p)
		case f.Role != "":
			tickets = append(tickets, p)
		}
	}
	if len(messages)+len(users) == 0 && len(tickets) == len(files) || tickets == nil {
		return paths, messages, users // folders and globs stay as the person wrote them
	}
	return tickets, messages, users
}

// pathOf is the path that a person gave for a file of the survey, or the survey's own when it came from a folder.
func pathOf(file string, paths []string) string {
	for _, same := range []func(a, b string) bool{
		func(a, b string) bool { return a == b },
		func(a, b string) bool { return path.Base(a) == path.Base(b) },
	} {
		if i := slices.IndexFunc(paths, func(p string) bool { return same(p, file) }); i >= 0 {
			return paths[i]
		}
	}
	for _, p := range paths { // a file inside of an archive that was named
		if rest, ok := strings.CutPrefix(file, path.Base(p)+"/"); ok {
			return path.Join(p, rest)
		}
	}
	return file
}

func (d *draft) encoding() {
	found := map[string]bool{}
	var names []string
	for _, f := range d.survey.Files {
		if f.Encoding != "" && !found[f.Encoding] {
			found[f.Encoding] = true
			name := f.Encoding[strings.LastIndexByte(f.Encoding, '+')+1:] // without what it is packed in
			names = append(names, fmt.Sprintf("%s (%d%% sure)", name, f.Confidence))
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
	if zone := d.preset.Source.TimeZone; zone != "" {
		d.key(2, "time_zone", value(zone), "of every export of "+d.preset.Desk)
		return
	}
	d.note(2, "Dates carry no zone. Messages by hour of day as written, of which most should be working hours:")
	d.note(2, hours(d.survey.Hours)...)
	d.question(2, Question{Key: "source." + d.survey.Format + ".time_zone", Guess: "UTC", Text: "IANA zone of the dates, such as Europe/Berlin"})
}

// hours is the histogram that tells a zone, eight hours a line: 9h 120, 10h 310, ...
func hours(h [24]int) (lines []string) {
	for from := 0; from < len(h); from += 8 {
		var part []string
		for hour, n := range h[from : from+8] {
			if n > 0 {
				part = append(part, fmt.Sprintf("%dh %s", from+hour, sources.Thousands(n)))
			}
		}
		if part != nil {
			lines = append(lines, strings.Join(part, ", "))
		}
	}
	if lines == nil {
		return []string{"none"}
	}
	return lines
}

const ambiguous = "ambiguous day/month"

// dateFormats asks for the order of day and month where the data leaves it open.
func (d *draft) dateFormats() {
	if formats := d.preset.Source.DateFormats; len(formats) > 0 {
		d.key(2, "date_formats", items(formats), "")
		return
	}
	i := slices.IndexFunc(d.survey.Columns, func(c sources.SurveyColumn) bool { return c.Kind == "date" && c.Layout == ambiguous })
	if i < 0 {
		return
	}
	c := d.survey.Columns[i]
	v, comment := d.ask(Question{
		Key: "source." + d.survey.Format + ".date_formats", Choices: []string{"dmy", "mdy"}, Guess: "dmy",
		Text: fmt.Sprintf("column %s says %s: day first (dmy) or month first (mdy)?", shorten(c.Name), oneLine(strings.Join(c.Examples, " | "))),
	})
	d.key(2, "date_formats", "["+v+"]", comment)
}

// mbox writes the section of mail.
func (d *draft) mbox() {
	d.put(1, "mbox:", "")
	d.key(2, "thread_by", "auto", "auto, gmail, references")
	if labels := merged(d.survey.Labels); len(labels) > 0 {
		var all []string
		for _, l := range labels[:min(len(labels), 20)] {
			all = append(all, fmt.Sprintf("%s (%s)", l.Value, sources.Thousands(l.N)))
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
	guess := "help@support.example"
	var likely []string
	unknown := len(d.teamDomains()) == 0
	for _, c := range merged(append(slices.Clone(d.survey.Agents), d.survey.Senders...)) {
		if isAddress(c.Value) && (unknown || d.ofTeam(c.Value)) && len(likely) < 5 {
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
