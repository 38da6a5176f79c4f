package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hsimport/importer"
	"hsimport/importer/helpscout"
	"hsimport/sources"
)

// account reads what the account has, and what of the configuration it lacks.
func (d *doctor) account(ctx context.Context) {
	client, quota, err := d.connect(d.c)
	if err != nil {
		d.stop(importer.ExitAuth, "credentials", err.Error(), hintCredentials)
		return
	}
	snap, err := importer.TakeSnapshot(ctx, client, quota, toolVersion())
	if err != nil {
		code, hint := importer.ExitUnexpected, ""
		var stop *importer.Stop
		if errors.As(err, &stop) {
			code, hint = stop.Code, stop.Hint
		}
		d.stop(code, "account", err.Error(), hint)
		return
	}
	d.origin, d.identity = snap.Origin, snap.Account
	acc := snap.AccountFor(d.c.Mapping.MailboxNames()...)
	d.ok("account", fmt.Sprintf("%s answers, and takes these credentials", snap.Origin))
	d.owner(ctx, client, snap)
	d.quota(snap.Limit)
	d.clock(quota)
	d.directory(snap)
	for _, f := range mappingFindings(d.c, snap.Target()) {
		if f.Severity == sources.BlocksJob {
			d.stop(importer.ExitUsage, f.Code, f.Text, "")
			continue
		}
		d.warn(f.Code, f.Text, "")
	}
	for _, u := range acc.Unseen {
		d.warn("account", u, "")
	}
	d.workflows(ctx, acc, snap)
	d.keep(snap)
}

// owner names whose token it is. One who answers customers should not be the face of an import.
func (d *doctor) owner(ctx context.Context, client *helpscout.Client, snap *importer.Snapshot) {
	me := snap.Target().Owner
	if me.ID == 0 {
		return // said already: it could not be read
	}
	who := fmt.Sprintf("%s <%s>, %s", strings.TrimSpace(me.FirstName+" "+me.LastName), me.Email, cmp.Or(me.Role, "user"))
	theirs, _, err := client.Conversations(ctx, helpscout.ListQuery{Status: "active", AssignedTo: me.ID}, 1)
	theirs = slices.DeleteFunc(theirs, func(c helpscout.Conversation) bool { return c.Source.Type == "api" }) // imported ones show nothing
	switch {
	case err == nil && len(theirs) > 0:
		d.warn("token", fmt.Sprintf("belongs to %s, who answers customers, such as in conversation #%d: what the import does appears under this name, and it ends if that user is deactivated", who, theirs[0].Number), hintOwner)
	case slices.ContainsFunc(slices.Collect(maps.Values(d.c.Mapping.Agents)), func(to string) bool { return strings.EqualFold(strings.TrimSpace(to), me.Email) }):
		d.warn("token", fmt.Sprintf("belongs to %s, who is one of the agents of mapping.agents: what the import does appears under this name, and it ends if that user is deactivated", who), hintOwner)
	default:
		d.ok("token", "belongs to "+who)
	}
}

// plans are the limits of Help Scout's plans, as its help pages tell them.
var plans = map[int]string{200: "Standard", 400: "Plus", 800: "Pro"}

func (d *doctor) quota(limit int) {
	if limit <= 0 || limit >= 1<<30 {
		d.ok("quota", "the server names no limit")
		return
	}
	plan := ""
	if name := plans[limit]; name != "" {
		plan = ", as on the " + name + " plan"
	}
	share := cmp.Or(float64(d.c.Run.Share), 1)
	d.ok("quota", fmt.Sprintf("%s units a minute%s: at %.0f %% about %s an hour", count(limit), plan, share*100, plural(int(float64(limit)*share*30), "conversation", "conversations")))
}

func (d *doctor) clock(quota *importer.Quota) {
	switch skew, known := quota.Skew(); {
	case !known:
		d.ok("clock", "not compared: the server does not tell its time")
	case skew.Abs() < importer.MaxSkew:
		d.ok("clock", "agrees with the server's")
	default:
		d.warn("clock", importer.SkewText(skew), "")
	}
}

// directory shows what of the account the mapping can name.
func (d *doctor) directory(snap *importer.Snapshot) {
	var users, teams, tags []string
	for _, u := range snap.Users {
		users = append(users, u.Email)
	}
	for _, t := range snap.Teams {
		teams = append(teams, t.Name)
	}
	tags = append(tags, snap.Tags...)
	d.ok("users", listing(len(users), "user", "users", users))
	d.ok("teams", listing(len(teams), "team", "teams", teams))
	d.ok("tags", listing(len(tags), "tag", "tags", tags))
	for i := range snap.Mailboxes {
		m := &snap.Mailboxes[i]
		if slices.ContainsFunc(d.c.Mapping.MailboxNames(), func(want string) bool { return importer.MailboxIs(m.ID, m.Name, want) }) {
			d.ok("mailbox", fmt.Sprintf("%s <%s>, id %d; one of %s", m.Name, m.Email, m.ID, plural(len(snap.Mailboxes), "mailbox", "mailboxes")))
			d.fields(m)
		}
	}
	d.jobTag(tags)
}

func (d *doctor) fields(m *importer.SnapshotMailbox) {
	var names, shown []string
	for _, f := range m.Fields {
		names = append(names, strings.ToLower(strings.TrimSpace(f.Name)))
		text := f.Name + " (" + f.Type
		for i, o := range f.Options {
			text += cmp.Or(map[int]string{0: ": "}[i], ", ") + o.Label
			if i == shownNames {
				text += ", ..."
				break
			}
		}
		shown = append(shown, text+")")
	}
	d.ok("fields", listing(len(shown), "custom field", "custom fields", shown))
	for _, want := range slices.Sorted(maps.Keys(d.c.Source.Fields())) {
		if !slices.Contains(names, strings.ToLower(strings.TrimSpace(want))) {
			d.warn("fields", fmt.Sprintf("source.%s.fields names %q, which %s does not have%s; a value for it stops the import", d.c.Source.Kind, want, m.Name, didYouMean(want, m.Fields)),
				"name the right one, make it in Help Scout (Manage > Inboxes > Custom Fields), or take it out")
		}
	}
}

// didYouMean names the field that was probably meant.
func didYouMean(want string, fields []helpscout.Field) string {
	best, name := 4, ""
	for _, f := range fields {
		if n := sources.EditDistance(strings.ToLower(want), strings.ToLower(f.Name)); n < best {
			best, name = n, f.Name
		}
	}
	if name == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", name)
}

func (d *doctor) jobTag(tags []string) {
	tag := strings.TrimSpace(d.c.Mapping.JobTag)
	switch there := slices.ContainsFunc(tags, func(t string) bool { return strings.EqualFold(t, tag) }); {
	case tag == "":
		d.warn("job tag", "mapping.job_tag is not set: a workflow's conditions cannot tell what was imported", "job_tag: imported puts a tag on every imported conversation")
	case there:
		d.ok("job tag", fmt.Sprintf("%q is in use already, as after an earlier import; conditions of workflows can exclude it", tag))
	default:
		d.ok("job tag", fmt.Sprintf("%q will be on every imported conversation; exclude it in conditions of workflows", tag))
	}
}

// shownNames bounds what one line lists.
const shownNames = 8

// listing is a count with the first names behind it.
func listing(n int, one, many string, names []string) string {
	text := plural(n, one, many)
	if len(names) == 0 {
		return text
	}
	if len(names) > shownNames {
		names = append(slices.Clone(names[:shownNames]), fmt.Sprintf("and %s more", count(len(names)-shownNames)))
	}
	return text + ": " + strings.Join(names, ", ")
}

// workflows names what an import may set off, and what this job has switched off.
func (d *doctor) workflows(ctx context.Context, acc *importer.Account, snap *importer.Snapshot) {
	for i, w := range acc.Workflows {
		hint := ""
		if i == len(acc.Workflows)-1 {
			hint = "hsimport doctor --pause-workflows -c " + d.c.Path + " switches them off until you switch them on again"
		}
		d.warn("workflow", fmt.Sprintf("%q is active and may act on imported conversations; the API does not tell its conditions: read them", w.Name), hint)
	}
	off, err := importer.PausedWorkflows(ctx, d.c.Checkpoint)
	if err != nil {
		d.stop(importer.ExitCheckpoint, "workflow", err.Error(), "")
		return
	}
	for i, w := range off {
		hint := ""
		if i == len(off)-1 {
			hint = "after the import: hsimport doctor --resume-workflows -c " + d.c.Path
		}
		active := slices.ContainsFunc(snap.Workflows, func(x helpscout.Workflow) bool { return x.ID == w.ID && strings.EqualFold(x.Status, "active") })
		if !active {
			d.warn("workflow", fmt.Sprintf("%q is switched off since %s, by --pause-workflows", w.Name, w.Since.Format("2006-01-02 15:04 MST")), hint)
		}
	}
	if len(acc.Workflows)+len(off) == 0 {
		d.ok("workflow", "none that acts by itself is active in this mailbox")
	}
	for _, h := range acc.Webhooks {
		d.warn("webhook", fmt.Sprintf("%s is told of %s, and may be called for imported conversations", cmp.Or(h.Label, h.Place()), strings.Join(h.Events, ", ")),
			"disable it in Help Scout for the time of the import, if its receiver cannot take that")
	}
}

// keep writes the snapshot that was asked for.
func (d *doctor) keep(snap *importer.Snapshot) {
	if d.snapshot == "" {
		return
	}
	if err := writeSnapshot(d.snapshot, snap); err != nil {
		d.stop(importer.ExitUsage, "snapshot", err.Error(), "")
		return
	}
	d.ok("snapshot", d.snapshot+"; hsimport dry-run --snapshot "+d.snapshot+" reports without access, hsimport sandbox --seed-file "+d.snapshot+" is a likeness of the account")
}
