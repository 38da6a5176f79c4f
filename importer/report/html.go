package report

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"

	"hsimport/importer"
)

//go:embed page.html
var pageText string

//go:embed style.css
var styleText string

//go:embed frame.css
var frameStyle string

//go:embed script.js
var scriptText string

// A body's frame is a document of its own. It inherits the page's policy, and its sandbox lets no script run.
var (
	frameHead = "<!doctype html><style>" + frameStyle + "</style><body>"
	frameTail = "</body>"
)

var page = template.Must(template.New("page").Funcs(template.FuncMap{"count": count, "bytes": humanBytes, "plural": plural, "soft": soft}).Parse(pageText))

// soft lets an address be broken behind its @ rather than anywhere.
func soft(s string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(s), "@", "@<wbr>")) // escaped before anything is put in
}

// HTML writes the page: one file that opens from disk without network. rep is the dry run's report and is not changed.
func (c *Collector) HTML(w io.Writer, rep *importer.Report) error {
	out := bufio.NewWriterSize(w, 64<<10)
	view := c.view(rep)
	// Head and script are written as they are: their hashes stand in the policy, and no data is in them.
	if _, err := out.WriteString(head(view)); err != nil {
		return err
	}
	if err := page.Execute(out, view); err != nil {
		return err
	}
	if _, err := out.WriteString("<script>" + scriptText + "</script>\n</body>\n</html>\n"); err != nil {
		return err
	}
	return out.Flush()
}

// policy lets in the page's own style sheets and script, images that are part of the page, and nothing else: no
// network, no form, no frame but those whose text is in the page itself.
// https://www.w3.org/TR/CSP3/
func policy() string {
	return "default-src 'none'; script-src " + hashOf(scriptText) + "; style-src " + hashOf(styleText) + " " + hashOf(frameStyle) +
		"; img-src data:; base-uri 'none'; form-action 'none'"
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func head(v *view) string {
	kind := "Dry run"
	if v.Ran {
		kind = "Import"
	}
	return headOf(kind + " of " + v.Title)
}

// headOf is everything before the body; a title is data, the rest is fixed.
func headOf(title string) string {
	return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="` + policy() + `">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>` + template.HTMLEscapeString(title) + `</title>
<link rel="icon" href="data:,">
<style>` + styleText + `</style>
</head>
`
}
