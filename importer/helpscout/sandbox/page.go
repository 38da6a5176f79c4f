package sandbox

import (
	"bytes"
	"embed"
	"html/template"
	"math"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed page
var pageFiles embed.FS

// pageTemplates are parsed when a page is first asked for.
var pageTemplates = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(pageFiles, "page/*.html"))
})

// pageRules is the policy of the page: nothing but its own style sheet and images, no script at all.
const pageRules = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// frame is what every page shows around its content.
type frame struct {
	Title, Active, Query string
	Refresh              string // seconds, or empty
	Base                 string
	Mailboxes            []sideMailbox
	Limit, Used          int
	Window               string
}

type sideMailbox struct {
	ID          int64
	Name, Email string
	Folders     []sideFolder
}

type sideFolder struct {
	Mailbox, ID int64
	Name        string
	Total       int
	Here        bool
}

// servePage shows the account to a person: mailboxes, conversations as an agent sees them, the call log. It only reads.
func (s *Sandbox) servePage(r *http.Request) reply {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return pageError(http.StatusMethodNotAllowed, "only GET here; the API is under /v2/")
	}
	c := s.newPageCall(r)
	switch p := path.Clean(r.URL.Path); {
	case p == "/":
		return c.pageList(filter{status: "all"}, "All conversations", "")
	case p == "/search":
		return c.pageSearch()
	case strings.HasPrefix(p, "/mailbox/"):
		return c.pageMailbox(p)
	case strings.HasPrefix(p, "/conversation/"):
		return c.pageConversation(pathID(p, 2))
	case strings.HasPrefix(p, "/file/"):
		return c.pageFile(p)
	case p == "/calls":
		return c.pageCalls()
	case p == "/settings":
		return c.pageSettings()
	case strings.HasPrefix(p, "/assets/"):
		return pageAsset(p)
	}
	return pageError(http.StatusNotFound, "no such page; the API is under /v2/, the control endpoints are under /_sandbox/")
}

func (s *Sandbox) newPageCall(r *http.Request) *call {
	c := &call{Sandbox: s, account: s.now.Load(), set: s.set.Load(), r: r, now: time.Now()}
	c.user, c.base = c.world.owner(), "http://"+r.Host
	return c
}

// pathID is the number in the n-th part of a path, or 0.
func pathID(p string, n int) int64 {
	parts := strings.Split(p, "/")
	if n >= len(parts) {
		return 0
	}
	id, _ := strconv.ParseInt(parts[n], 10, 64)
	return id
}

func pageError(status int, text string) reply {
	return reply{status: status, typ: plainType, body: []byte(text + "\n"), header: map[string]string{"X-Content-Type-Options": "nosniff"}}
}

// render fills a template; its header lines keep hostile content harmless.
func render(name string, data any) reply {
	var b bytes.Buffer
	if err := pageTemplates().ExecuteTemplate(&b, name, data); err != nil {
		return pageError(http.StatusInternalServerError, "page "+name+": "+err.Error())
	}
	return reply{status: http.StatusOK, typ: "text/html; charset=utf-8", body: b.Bytes(), header: map[string]string{
		"Content-Security-Policy": pageRules, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		"X-Frame-Options": "DENY",
	}}
}

func pageAsset(p string) reply {
	raw, err := pageFiles.ReadFile("page/" + path.Base(p))
	if err != nil || strings.HasSuffix(p, ".html") {
		return pageError(http.StatusNotFound, "no such file")
	}
	typ := map[string]string{".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}[path.Ext(p)]
	return reply{status: http.StatusOK, typ: typ, body: raw, header: map[string]string{
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": pageRules, "Cache-Control": "max-age=60",
	}}
}

// frame collects the side bar. The account is locked.
func (c *call) frame(title, active string) frame {
	f := frame{Title: title, Active: active, Query: c.r.URL.Query().Get("q"), Base: c.base}
	here, _ := strconv.ParseInt(c.r.URL.Query().Get("folder"), 10, 64)
	folders := c.world.folderLists()
	for _, m := range c.world.mailboxes {
		side := sideMailbox{ID: m.ID, Name: m.Name, Email: m.Email}
		for _, x := range folders[m.ID] {
			if x.Type != "needs_attn" && (x.Total > 0 || x.Type == "open" || x.Type == "closed") {
				side.Folders = append(side.Folders, sideFolder{m.ID, x.ID, x.Name, x.Total, x.ID == here})
			}
		}
		f.Mailboxes = append(f.Mailboxes, side)
	}
	if c.set.QuotaLimit > 0 {
		v := c.quota.look(c.now, c.set)
		f.Limit, f.Used, f.Window = v.limit, v.limit-v.remaining, c.set.QuotaWindow
	}
	return f
}

// listPage is a list of conversations.
type listPage struct {
	frame
	Heading, Problem, Empty string
	Total                   int
	Rows                    []listRow
	Pager                   pager
}

type listRow struct {
	ID, Number                    int64
	Who, Subject, Preview, Status string
	ISO, When                     string
	Tags                          []string
	Files                         int
}

type pager struct {
	Page, Pages int
	Prev, Next  string
}

const pageRows = 50

// pageList shows a filtered list, newest first.
func (c *call) pageList(f filter, heading, problem string) reply {
	f.desc, f.horizon = true, math.MaxInt64
	if f.sort == "" {
		f.sort = "createdat"
	}
	w := c.world
	w.mu.RLock()
	v := listPage{frame: c.frame(heading, "list"), Heading: heading, Problem: problem, Empty: "Nothing here yet."}
	if f.query != nil {
		v.Empty = "Nothing matches. Plain words are looked for in subjects and texts; email:, tag:, status:, number: and createdAt:[… TO …] narrow a search."
	}
	if problem == "" {
		found, p := f.run(c, pageRows)
		v.Total, v.Pager = p.totals, c.pager(p)
		for _, conv := range found {
			v.Rows = append(v.Rows, c.listRow(conv))
		}
	}
	w.mu.RUnlock()
	return render("list", v)
}

func (c *call) listRow(conv *conversation) listRow {
	row := listRow{
		ID: conv.id, Number: conv.number, Who: nameOf(conv.customer), Subject: conv.subject, Preview: plain(conv.preview(), 120), Status: conv.status,
		ISO: stamp(conv.created), When: shortDate(conv.created, c.now),
	}
	for i, t := range conv.tags {
		if i == 4 {
			row.Tags = append(row.Tags, "…")
			break
		}
		row.Tags = append(row.Tags, t.name)
	}
	for _, t := range conv.threads {
		row.Files += len(t.files)
	}
	return row
}

func nameOf(p *customer) string {
	if name := strings.TrimSpace(p.first + " " + p.last); name != "" {
		return name
	}
	if p.email() != "" {
		return p.email()
	}
	return "Customer " + strconv.FormatInt(p.id, 10)
}

func shortDate(unix int64, now time.Time) string {
	t := time.Unix(unix, 0).UTC()
	if t.Year() == now.UTC().Year() {
		return t.Format("2 Jan 15:04")
	}
	return t.Format("2 Jan 2006")
}

func (c *call) pager(p paging) pager {
	to := func(n int) string {
		q := c.r.URL.Query()
		q.Set("page", strconv.Itoa(n))
		return c.r.URL.Path + "?" + q.Encode()
	}
	v := pager{Page: p.number, Pages: p.totalPages}
	if p.number > 1 {
		v.Prev = to(p.number - 1)
	}
	if p.number < p.totalPages {
		v.Next = to(p.number + 1)
	}
	return v
}

func (c *call) pageMailbox(p string) reply {
	m := c.world.mailbox(pathID(p, 2))
	if m == nil {
		return pageError(http.StatusNotFound, "no such mailbox")
	}
	f := filter{status: "all", mailboxes: []int64{m.ID}}
	heading := m.Name
	if id, err := strconv.ParseInt(c.r.URL.Query().Get("folder"), 10, 64); err == nil && id != m.folders["mytickets"] {
		f.folder = id
		for _, k := range folderKinds {
			if m.folders[k.kind] == id {
				heading += " · " + k.name
			}
		}
	} else if err == nil {
		f.assigned, f.status, heading = c.world.owner().ID, "active", heading+" · Mine"
	}
	return c.pageList(f, heading, "")
}

// pageSearch takes the query language of the API, plain words included.
func (c *call) pageSearch() reply {
	text := strings.TrimSpace(c.r.URL.Query().Get("q"))
	f := filter{status: "all"}
	if text == "" {
		return c.pageList(f, "All conversations", "")
	}
	q, err := parseQuery(text)
	if err != nil {
		return c.pageList(f, "Search", "This query cannot be read: "+err.Error())
	}
	f.query = q
	return c.pageList(f, "Search", "")
}

// pageFile hands out an attachment, always as a download.
func (c *call) pageFile(p string) reply {
	w := c.world
	w.mu.RLock()
	defer w.mu.RUnlock()
	a := w.attachments[pathID(p, 2)]
	if a == nil {
		return pageError(http.StatusNotFound, "no such attachment")
	}
	data, kept := w.blobs[a.digest]
	if !kept {
		return pageError(http.StatusNotFound, "the sandbox does not keep the bytes of attachments")
	}
	disposition := mime.FormatMediaType("attachment", map[string]string{"filename": a.name})
	if disposition == "" {
		disposition = "attachment"
	}
	return reply{status: http.StatusOK, typ: "application/octet-stream", body: data, header: map[string]string{
		"Content-Disposition": disposition, "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
	}}
}

// searchLink is a search for one address.
func searchLink(address string) string { return `email:"` + strings.ReplaceAll(address, `"`, "") + `"` }
