package mapping

import (
	"html"
	"slices"
	"strings"
	"unicode"
)

// A line is one line of a text as a reader sees it; blank ones are not among them.
type line struct {
	start, end int    // in the HTML, with the inline elements that begin and end on it
	depth      int    // how deep it is quoted: blockquotes, signs ">", forwarded or answered mails below their header
	text       string // without the signs and the blanks around
	image      bool   // a picture is on it
}

// breaking are the elements that begin and end a line.
var breaking = map[string]bool{
	"p": true, "br": true, "div": true, "blockquote": true, "pre": true, "h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true,
	"ul": true, "ol": true, "li": true, "dl": true, "dt": true, "dd": true, "table": true, "caption": true, "thead": true, "tbody": true,
	"tfoot": true, "tr": true, "td": true, "th": true, "hr": true, "section": true, "article": true, "header": true, "footer": true,
	"main": true, "aside": true, "nav": true, "figure": true, "figcaption": true, "details": true, "summary": true, "address": true, "center": true,
}

// liner cuts HTML of our own making into lines. In it every < begins a tag and no attribute holds a >.
type liner struct {
	s      string
	lines  []line
	text   strings.Builder
	start  int // of the line
	image  bool
	quotes int // open blockquotes
	pre    int
}

func htmlLines(s string) []line {
	l := &liner{s: s}
	for i := 0; i < len(s); {
		if s[i] != '<' {
			n := strings.IndexByte(s[i:], '<')
			if n < 0 {
				n = len(s) - i
			}
			l.words(i, i+n)
			i += n
			continue
		}
		n := strings.IndexByte(s[i:], '>')
		if n < 0 {
			break
		}
		l.tag(i, i+n+1)
		i += n + 1
	}
	l.flush(len(s), len(s))
	bumpBelowHeaders(l.lines)
	return l.lines
}

// words takes the text s[from:to]; in a pre its line ends count.
func (l *liner) words(from, to int) {
	for l.pre > 0 {
		n := strings.IndexByte(l.s[from:to], '\n')
		if n < 0 {
			break
		}
		l.text.WriteString(html.UnescapeString(l.s[from : from+n]))
		l.flush(from+n, from+n+1)
		from += n + 1
	}
	l.text.WriteString(html.UnescapeString(l.s[from:to]))
}

func (l *liner) tag(from, to int) {
	tag := l.s[from:to]
	name := tagName(tag)
	if name == "img" {
		l.image = true
		l.text.WriteString(tag)
	}
	if !breaking[name] {
		return
	}
	l.flush(from, to)
	step := 1
	if strings.HasPrefix(tag, "</") {
		step = -1
	}
	switch name {
	case "blockquote":
		l.quotes = max(0, l.quotes+step)
	case "pre":
		l.pre = max(0, l.pre+step)
	}
}

// flush ends the line at end; the next one begins at next.
func (l *liner) flush(end, next int) {
	text := strings.Trim(l.text.String(), invisible)
	depth := l.quotes
	for strings.HasPrefix(text, ">") {
		depth++
		text = strings.TrimLeft(text[1:], invisible)
	}
	if text != "" || depth > l.quotes {
		l.lines = append(l.lines, line{start: l.start, end: end, depth: depth, text: text, image: l.image})
	}
	l.text.Reset()
	l.start, l.image = next, false
}

// The words that mail programs write before the values of a quoted header, in the languages that are common.
var (
	fromLabels = wordSet("from von de da van från fra od от desde remitente expéditeur mittente lähettäjä feladó kimden gönderen 发件人 差出人 寄件者")
	headLabels = wordSet("sent date to cc subject reply-to gesendet datum an kopie betreff envoyé à objet copie enviado enviada fecha para asunto assunto data inviato a oggetto " +
		"verzonden aan onderwerp skickat till ämne sendt til emne lähetetty vastaanottaja aihe wysłano do temat дата отправлено кому тема копия küldve címzett tárgy " +
		"gönderildi tarih kime konu 发送时间 发送日期 日期 收件人 主题 抄送 送信日時 日時 宛先 件名 寄件日期 收件者 主旨")
)

func wordSet(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

// headerField reads "From: Mary" or "*Von:* Mary".
func headerField(text string) (label, value string) {
	text = strings.TrimLeft(text, "*_ ")
	label, value, ok := strings.Cut(text, ":")
	if !ok {
		label, value, ok = strings.Cut(text, "：")
	}
	if !ok || len(label) > 40 {
		return "", ""
	}
	return fold(strings.TrimRight(label, "*_ \u00a0")), strings.Trim(value, "*_ \u00a0")
}

// maxWrapped is how many lines a field of a quoted header may be wrapped into.
const maxWrapped = 3

// quotedHeader reads the header of a quoted mail that begins at lines[i]: From and at least two of date, recipient and
// subject, in any order. next is the line behind it.
func quotedHeader(lines []line, i int) (from string, next int, ok bool) {
	known, sender, wrapped := 0, false, 0
	next = i
	for n := i; n < len(lines) && n < i+20 && lines[n].depth >= lines[i].depth && wrapped < maxWrapped; n++ {
		label, value := headerField(lines[n].text)
		switch {
		case fromLabels[label] && !sender:
			sender, from = true, value
		case !headLabels[label]:
			if n == i {
				return "", i, false
			}
			wrapped++
			continue
		}
		known++
		next, wrapped = n+1, 0
	}
	return from, next, sender && known >= 3
}

// bumpBelowHeaders counts what stands below the header of a quoted mail as quoted once more: Outlook and forwards mark
// it in no other way.
func bumpBelowHeaders(lines []line) {
	bump := 0
	for i := 0; i < len(lines); i++ {
		own := lines[i].depth
		_, next, ok := quotedHeader(lines, i)
		lines[i].depth += bump
		if !ok {
			continue
		}
		for i++; i < next; i++ {
			lines[i].depth += bump
		}
		i--
		if own == 0 { // in a blockquote or behind signs the depth is told already
			bump++
		}
	}
}

// essence is what of a text must be the same for two to say the same: no blanks, line ends and signs of quoting.
func essence(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '>' || unicode.IsSpace(r) || r >= 0x80 && strings.ContainsRune(invisible, r) {
			return -1
		}
		return r
	}, s)
}

func essenceOf(lines []line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(essence(l.text))
	}
	return b.String()
}

// residue are the tags of a stretch of HTML whose partners stand outside it.
func residue(s string) string {
	var open []string // whole tags
	var closers strings.Builder
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			break
		}
		s = s[i:]
		n := strings.IndexByte(s, '>')
		if n < 0 {
			break
		}
		tag, name := s[:n+1], tagName(s[:n+1])
		s = s[n+1:]
		switch {
		case voidElements[name] || strings.HasSuffix(tag, "/>"):
		case !strings.HasPrefix(tag, "</"):
			open = append(open, tag)
		default:
			at := len(open) - 1
			for at >= 0 && tagName(open[at]) != name {
				at--
			}
			if at < 0 {
				closers.WriteString(tag)
			} else {
				open = slices.Delete(open, at, at+1)
			}
		}
	}
	return closers.String() + strings.Join(open, "")
}
