package mapping

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"hsimport/sources"
)

// rendered is the text of a message as Help Scout gets it, with the files that came into being on the way.
type rendered struct {
	html string
	made []*sources.Attachment
	cut  bool // the body's end was left out already
}

// lineRoom is kept free of a thread's text for the author's line and for what is said about a cut.
const lineRoom = 2_500

func (m *Mapper) textRoom() int { return max(m.Text-lineRoom, m.Text/2) }

// sanitiserRoom is how much of a body is looked at: nothing beyond it could be kept, and a hostile one would cost time.
func (m *Mapper) sanitiserRoom() int { return 4*m.textRoom() + 1<<20 }

// noteRemoved tells how many bytes of a text were no characters.
func (w *work) noteRemoved(n int, at sources.Position) {
	if n > 0 {
		w.findAt(at, sources.Info, codeCharacters, "", "%s removed from the text", counted(n, "control or invalid character was", "control or invalid characters were"))
	}
}

// render makes safe HTML of a message's body, never empty and never longer than fits.
func (w *work) render(e *entry) rendered {
	msg := e.msg
	body, removed := cleanText(msg.Body)
	w.noteRemoved(removed, msg.Position)
	room := w.m.textRoom()
	out := rendered{}
	if msg.Format == sources.HTML {
		out = w.renderHTML(e, body)
	} else {
		end := runeStart(body, w.m.sanitiserRoom())
		out.html, out.cut = textToHTML(body[:end]), end < len(body)
	}
	if out.html == "" || strings.TrimSpace(out.html) == "" {
		w.emptyBody(e)
		out.html = noContent
		return out
	}
	if w.m.Quotes == "fold" && !out.cut {
		out.html = w.foldQuotes(e, out.html)
	}
	if out.cut || longer(out.html, room) {
		w.cutBody(e, &out, body, room)
	}
	return out
}

func (w *work) renderHTML(e *entry, body string) rendered {
	p := &page{files: e.msg.Attachments, position: e.msg.Position}
	safe, fallback := w.m.sanitised(p, body)
	at := e.msg.Position
	if fallback {
		w.findAt(at, sources.Info, codeBodyText, "", "nothing of the HTML would be visible; its plain text is taken")
	}
	if p.trackers > 0 {
		w.findAt(at, sources.Info, codeTracker, "", "%s removed", counted(p.trackers, "invisible remote image was", "invisible remote images were"))
	}
	if len(p.unresolved) > 0 {
		w.findAt(at, sources.Warning, codeImage, p.unresolved[0], "%s not among the attachments, the first is %s", counted(len(p.unresolved), "image in the text is", "images in the text are"), p.unresolved[0])
	}
	return rendered{html: safe, made: p.made, cut: p.cut}
}

func (w *work) emptyBody(e *entry) {
	sev, what := sources.Warning, "the message has no text"
	if len(e.msg.Attachments) > 0 {
		sev, what = sources.Info, "the message has attachments and no text"
	}
	w.findAt(e.msg.Position, sev, codeBodyEmpty, "", "%s; %q stands in its place", what, noContent)
}

// cutBody shortens a text and attaches the whole of it, in several files where one would be too large.
func (w *work) cutBody(e *entry, out *rendered, whole string, room int) {
	kind, ext := "text/plain", ".txt"
	if e.msg.Format == sources.HTML {
		kind, ext = "text/html", ".html"
	}
	most := int((w.m.Upload - 500) / 4 * 3)
	name := "full-message" + ext
	for n, rest := 1, whole; rest != ""; n++ {
		end := runeStart(rest, most)
		if n > 1 || end < len(rest) {
			name = fmt.Sprintf("full-message-%d%s", n, ext)
		}
		out.made = append(out.made, memoryFile(name, kind, []byte(rest[:end]), e.msg.Position))
		rest = rest[end:]
	}
	out.html = cutHTML(out.html, room) + fmt.Sprintf("<p><em>(shortened; the whole text of %s is attached as %s)</em></p>", humanSize(int64(len(whole))), out.made[len(out.made)-1].Name)
	w.findAt(e.msg.Position, sources.Warning, codeBodyCut, "", "the text of %s is longer than one thread may hold; it is shortened, the whole of it is attached", humanSize(int64(len(whole))))
}

// runeStart is the last index at or before n at which a character begins.
func runeStart(s string, n int) int {
	if n >= len(s) {
		return len(s)
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// voidElements have no end tag.
var voidElements = map[string]bool{"br": true, "hr": true, "img": true, "wbr": true, "col": true}

// cutHTML shortens HTML of our own making to at most room bytes of JSON, between tags and characters, and closes what
// is open. In that HTML every < begins a tag and no attribute holds a >.
func cutHTML(s string, room int) string {
	var open []string
	used, end, closing := 0, 0, 0
	for end < len(s) {
		if s[end] != '<' {
			next := strings.IndexByte(s[end:], '<')
			if next < 0 {
				next = len(s) - end
			}
			n := fitText(s[end:end+next], room-used-closing)
			used += textLen(s[end : end+n])
			end += n
			if n < next {
				break
			}
			continue
		}
		close := strings.IndexByte(s[end:], '>')
		if close < 0 {
			break
		}
		tag := s[end : end+close+1]
		name := tagName(tag)
		cost, ends := textLen(tag), 0
		switch {
		case strings.HasPrefix(tag, "</"):
			if len(open) > 0 && open[len(open)-1] == name {
				open = open[:len(open)-1]
				closing -= len(name) + 3
			}
		case !voidElements[name]:
			ends = len(name) + 3
		}
		if used+cost+closing+ends > room {
			break
		}
		if ends > 0 {
			open = append(open, name)
			closing += ends
		}
		used += cost
		end += len(tag)
	}
	var b strings.Builder
	b.WriteString(s[:end])
	for i := len(open) - 1; i >= 0; i-- {
		b.WriteString("</" + open[i] + ">")
	}
	return b.String()
}

func tagName(tag string) string {
	name := strings.Trim(tag, "</>")
	if i := strings.IndexAny(name, " \t\n/"); i >= 0 {
		name = name[:i]
	}
	return strings.ToLower(name)
}

// fitText is how much of an escaped text fits into room bytes of JSON without cutting a character or an entity.
func fitText(s string, room int) int {
	if !longer(s, room) {
		return len(s)
	}
	used, last := 0, 0
	for i := 0; i < len(s); {
		n := 1
		if s[i] == '&' {
			if semi := strings.IndexByte(s[i:min(len(s), i+12)], ';'); semi > 0 {
				n = semi + 1
			}
		} else {
			_, n = utf8.DecodeRuneInString(s[i:])
		}
		if used += textLen(s[i : i+n]); used > room {
			return last
		}
		i += n
		last = i
	}
	return last
}
