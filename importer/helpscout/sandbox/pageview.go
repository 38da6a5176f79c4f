package sandbox

import (
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/microcosm-cc/bluemonday"
)

// pagePolicy is what is left of a message's HTML on the page: structure and links; no image, no style, no script.
var pagePolicy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("b", "i", "u", "s", "strong", "em", "small", "sub", "sup", "br", "p", "div", "span", "blockquote", "pre", "code", "hr",
		"ul", "ol", "li", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "td", "th")
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowAttrs("href").OnElements("a")
	p.RequireParseableURLs(true)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	return p
})

// shownText bounds what the page shows of one message.
const shownText = 100_000

// conversationPage is a conversation as an agent sees it.
type conversationPage struct {
	frame
	ID, Number              int64
	Subject, Status, Type   string
	Mailbox, Gone           string
	Into                    int64
	Who, WhoEmail, WhoQuery string
	Facts, Fields           []fact
	Tags                    []string
	Threads                 []threadView
}

type fact struct{ Name, Value, Link string }

type threadView struct {
	ID                            int64
	Type, Label, Action           string
	Author, Email, Initials       string
	ISO, When, To, Cc, Bcc, Draft string
	Imported                      bool
	Body                          template.HTML
	Cut                           string
	Files                         []fileView
}

type fileView struct{ Name, Link, Size, MIME string }

func (c *call) pageConversation(id int64) reply {
	w := c.world
	w.mu.RLock()
	conv := w.conversations[id]
	if conv == nil {
		w.mu.RUnlock()
		return pageError(http.StatusNotFound, "no such conversation")
	}
	v := conversationPage{
		frame: c.frame(conv.subject, ""), ID: conv.id, Number: conv.number, Subject: conv.subject, Status: conv.status, Type: conv.typ,
		Mailbox: conv.mailbox.Name, Who: nameOf(conv.customer), WhoEmail: conv.customer.email(), WhoQuery: searchLink(conv.customer.email()),
		Facts: c.facts(conv),
	}
	switch {
	case conv.merged != nil:
		v.Gone, v.Into = "merged into another conversation", conv.target().id
	case conv.deleted:
		v.Gone = "deleted"
	}
	for _, t := range conv.tags {
		v.Tags = append(v.Tags, t.name)
	}
	for _, f := range conv.wireFields() {
		v.Fields = append(v.Fields, fact{Name: f.Name, Value: f.Text})
	}
	threads := make([]thread, 0, len(conv.threads)) // copies: the sanitiser is slow and runs outside of the lock
	for _, t := range conv.newest(c.set) {
		threads = append(threads, *t)
	}
	authors := make([]wirePerson, len(threads))
	for i := range threads {
		authors[i] = c.wireAuthor(threads[i].by)
	}
	w.mu.RUnlock()
	for i := range threads {
		v.Threads = append(v.Threads, c.threadView(&threads[i], authors[i]))
	}
	return render("conversation", v)
}

// facts are the small print beside a conversation.
func (c *call) facts(conv *conversation) []fact {
	who := "nobody"
	if conv.assignee != 0 {
		p := c.wireUser(conv.assignee)
		who = strings.TrimSpace(p.First + " " + p.Last)
	}
	list := []fact{
		{Name: "Assigned to", Value: who}, {Name: "Created", Value: longDate(conv.created)}, {Name: "Changed", Value: longDate(conv.modified)},
	}
	if conv.closed != 0 {
		list = append(list, fact{Name: "Closed", Value: longDate(conv.closed)})
	}
	list = append(list, fact{Name: "Threads", Value: strconv.Itoa(conv.visible())}, fact{Name: "Source", Value: conv.sourceType + ", by " + conv.sourceVia})
	if conv.serial > 0 {
		kind := "no"
		if conv.imported {
			kind = "yes"
		}
		list = append(list, fact{Name: "Imported", Value: kind}, fact{Name: "Create call", Value: "no. " + strconv.Itoa(conv.serial)})
	}
	return append(list,
		fact{Name: "Arrived", Value: time.Unix(0, conv.appeared).UTC().Format("2 Jan 2006 15:04:05")}, fact{Name: "Id", Value: strconv.FormatInt(conv.id, 10)})
}

func longDate(unix int64) string { return time.Unix(unix, 0).UTC().Format("2 Jan 2006 15:04:05") }

// threadLabels say what a thread is.
var threadLabels = map[string]string{"customer": "customer", "message": "reply", "note": "note, private", "chat": "chat", "phone": "phone"}

func (c *call) threadView(t *thread, by wirePerson) threadView {
	v := threadView{
		ID: t.id, Type: t.typ, Label: threadLabels[t.typ], Action: t.item, Author: strings.TrimSpace(by.First + " " + by.Last), Email: by.Email,
		ISO: stamp(t.created), When: longDate(t.created), To: strings.Join(t.to, ", "), Cc: strings.Join(t.cc, ", "), Bcc: strings.Join(t.bcc, ", "),
		Imported: t.imported || t.sourceType != "api",
	}
	if t.state != "published" {
		v.Draft = t.state
	}
	if v.Author == "" {
		v.Author = by.Email
	}
	for i, part := range strings.Fields(v.Author) {
		if i < 2 {
			v.Initials += strings.ToUpper(string([]rune(part)[:1]))
		}
	}
	text := t.text.Value()
	if len(text) > shownText {
		v.Cut = humanSize(int64(len(text) - shownText))
		text = strings.ToValidUTF8(text[:shownText], "")
	}
	v.Body = template.HTML(pagePolicy().Sanitize(text)) // sanitised in this very line
	for _, a := range t.files {
		v.Files = append(v.Files, fileView{
			Name: a.name, Link: fmt.Sprintf("/file/%d/%x/%s", a.id, a.digest[:20], pathSafe(a.name)), Size: humanSize(a.size), MIME: a.mime,
		})
	}
	return v
}

func humanSize(n int64) string {
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1_000_000:
		return strconv.FormatFloat(float64(n)/1e3, 'f', 1, 64) + " kB"
	}
	return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + " MB"
}

// callsPage is the call log with its sums.
type callsPage struct {
	frame
	Tiles  []tile
	Faults []tile
	Script string
	Rows   []callRow
}

type tile struct {
	Name, Value string
	Loud        bool
}

type callRow struct {
	ISO, When, Method, Kind, Path, Status string
	Class, Units, Left                    int
	Fault                                 string
}

const shownCalls = 300

func (c *call) pageCalls() reply {
	c.world.mu.RLock()
	v := callsPage{frame: c.frame("Calls", "calls"), Script: c.script()}
	c.world.mu.RUnlock()
	if c.r.URL.Query().Get("live") != "" {
		v.Refresh = "3"
	}
	st := c.Stats()
	sum := 0
	for _, n := range st.Calls {
		sum += n
	}
	v.Tiles = []tile{
		{"calls", strconv.Itoa(sum), false},
		{"units spent", strconv.FormatInt(st.Units, 10), false},
		{"conversations created", strconv.Itoa(st.Created), false},
		{"refused with 429", strconv.FormatInt(st.Throttled, 10), st.Throttled > 0},
		{"units of other programs", strconv.FormatInt(st.Foreign, 10), false},
	}
	for name, n := range st.Faults {
		v.Faults = append(v.Faults, tile{Name: name, Value: strconv.Itoa(n)})
	}
	slices.SortFunc(v.Faults, func(a, b tile) int { return strings.Compare(a.Name, b.Name) })
	for _, e := range slices.Backward(c.Calls()) {
		if len(v.Rows) == shownCalls {
			break
		}
		row := callRow{
			ISO: e.Time.Format(time.RFC3339Nano), When: e.Time.Format("15:04:05.000"), Method: e.Method, Kind: e.Kind, Path: e.Path,
			Status: strconv.Itoa(e.Status), Class: e.Status / 100, Units: e.Units, Left: e.Remaining, Fault: e.Fault,
		}
		if e.Status == 0 {
			row.Status = "no answer"
		}
		v.Rows = append(v.Rows, row)
	}
	return render("calls", v)
}

// settingsPage lists the settings in force.
type settingsPage struct {
	frame
	Settings []settingRow
}

type settingRow struct {
	Name, Value, Default, Help, OneOf string
	Changed                           bool
}

func (c *call) pageSettings() reply {
	c.world.mu.RLock()
	v := settingsPage{frame: c.frame("Settings", "settings")}
	c.world.mu.RUnlock()
	standard := Defaults()
	for _, st := range SettingNames() {
		now, _ := c.set.Get(st.Name)
		before, _ := standard.Get(st.Name)
		v.Settings = append(v.Settings, settingRow{st.Name, now, before, st.Help, strings.Join(st.OneOf, ", "), now != before})
	}
	return render("settings", v)
}
