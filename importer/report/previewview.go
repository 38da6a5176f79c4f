package report

import (
	"fmt"
	"path"
	"strings"

	"hsimport/importer/helpscout"
)

// previewView is a sampled ticket as the page lays it out.
type previewView struct {
	ID, Key, Name, Place, Short, Subject string
	Findings                             []findingLine
	Worst                                string // class of the gravest finding
	Parts                                []partView
	MoreParts                            int
	Refused                              string      // why it does not come along
	Unshown                              int         // messages of a refused ticket
	Links                                []standLink // the conversations that it has become
}

type findingLine struct{ Class, Severity, Code, Text string }

type partView struct {
	Head                                             string // "part 1 of 3", or empty
	Subject, Status, Kind, Customer, Address, Assign string
	Created, Closed                                  string
	Tags, Fields                                     []string
	Threads                                          []threadView
}

type threadView struct {
	Class, Who, What, At string
	Cc                   string
	Frame                string // the whole document of the frame
	High                 int    // of the frame until its content is measured, in pixels
	Cut                  bool
	Files                []fileView
	More                 int
	Gap                  int // threads left out before this one
}

type fileView struct{ Name, Type, Size, How string }

func (v *viewer) preview(id string, p *preview) previewView {
	out := previewView{ID: id, Key: p.ref.Key, Name: p.ref.Name(), Place: p.ref.Place, Short: path.Base(p.ref.Place), Subject: p.ref.Subject, MoreParts: p.ref.Parts - len(p.parts), Links: v.links(p.ref.Key), Refused: p.refused, Unshown: p.unshown}
	out.MoreParts = max(0, out.MoreParts)
	for _, f := range p.findings {
		line := findingLine{severityClass[f.Severity], f.Severity.String(), f.Code, f.Text}
		if out.Worst == "" {
			out.Worst = line.Class // they come the gravest first
		}
		out.Findings = append(out.Findings, line)
	}
	for _, part := range p.parts {
		out.Parts = append(out.Parts, v.partView(part))
	}
	return out
}

func (v *viewer) partView(p previewPart) partView {
	out := partView{
		Subject: p.subject, Status: p.status, Kind: p.kind, Customer: p.customer, Address: p.address, Assign: v.who(p.assignee, "nobody"),
		Created: p.created, Closed: p.closed, Tags: p.tags,
	}
	if p.of > 1 {
		out.Head = fmt.Sprintf("part %d of %d", p.number, p.of)
	}
	for _, f := range p.fields {
		out.Fields = append(out.Fields, v.fieldText(f))
	}
	for i, t := range p.threads {
		view := v.threadView(p, t)
		if p.left > 0 && i == len(p.threads)-2 {
			view.Gap = p.left
		}
		out.Threads = append(out.Threads, view)
	}
	return out
}

// fieldText is a custom field as the mailbox shows it: with its name, and the label of a dropdown's option.
func (v *viewer) fieldText(f helpscout.FieldValue) string {
	for _, m := range v.rep.Target.Mailboxes {
		for _, field := range m.Fields {
			if field.ID != f.ID {
				continue
			}
			for _, o := range field.Options {
				if fmt.Sprint(o.ID) == f.Value {
					return clip(field.Name+": "+o.Label, 200)
				}
			}
			return clip(field.Name+": "+f.Value, 200)
		}
	}
	return f.Value
}

// threadWords are how an agent would call the threads.
var threadWords = map[string]string{
	helpscout.ThreadCustomer: "wrote", helpscout.ThreadReply: "replied", helpscout.ThreadNote: "left a note",
	helpscout.ThreadChat: "chatted", helpscout.ThreadPhone: "called",
}

func (v *viewer) threadView(p previewPart, t previewThread) threadView {
	out := threadView{Class: t.kind, What: firstOf(t.word, threadWords[t.kind], t.kind), At: t.at, Cut: t.cut, More: t.more, Cc: strings.Join(t.cc, ", ")}
	switch {
	case t.who != "" && t.who == p.address:
		out.Who = firstOf(p.customer, t.who)
	case t.who != "":
		out.Who = t.who
	default:
		out.Who = v.who(t.author, firstOf(clip(v.o.Mapping.FallbackUser, 120), "the owner of the credentials"))
	}
	if t.ours {
		out.What += ", added by the import"
	}
	out.Frame = frameHead + t.body + frameTail
	out.High = frameHeight(t.body)
	for _, f := range t.files {
		view := fileView{f.Name, f.Type, humanBytes(f.Size), ""}
		if f.Uploaded {
			view.How = "uploaded after the message"
		}
		out.Files = append(out.Files, view)
	}
	return out
}

// frameHeight guesses how high a body will be, for where the page's script does not run.
func frameHeight(body string) int {
	lines := 1 + strings.Count(body, "<br>") + strings.Count(body, "</p>") + strings.Count(body, "</li>") + strings.Count(body, "</div>") + strings.Count(body, "</tr>")
	lines = max(lines, len(body)/110+1)
	return min(24+21*lines, 420)
}
