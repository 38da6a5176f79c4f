package mapping

import (
	"fmt"
	"slices"
	"strings"

	"hsimport/sources"
)

// Bounds of folding. They are about cost and about what is worth it; whether something may be folded at all is decided
// by the text.
const (
	lookBack     = 100       // messages that quoted text is looked for in
	maxEssence   = 256 << 10 // bytes of one message that are kept for that
	maxCompared  = 64 << 20  // bytes that are compared for one message
	maxQuoteDeep = 8
	minEssence   = 40 // bytes; anything shorter could stand anywhere by chance
)

// foldQuotes replaces the quoted history of a message by a remark, as far as it stands word for word in an earlier
// message of the ticket. What the earlier message itself quotes counts too: it is there, or folded there under the same
// rule. Nothing else is touched, and the line that says who wrote it and when stays.
func (w *work) foldQuotes(e *entry, s string) string {
	lines := htmlLines(s)
	at := slices.Index(w.entries, e)
	e.essence = bounded(essenceOf(lines))
	if at > lookBack {
		w.entries[at-lookBack-1].essence = "" // nobody looks back so far any more
	}
	f := folder{w: w, at: at, lines: lines, where: make([]int, len(lines)), budget: maxCompared}
	for i := range f.where {
		f.where[i] = -1
	}
	for level := 1; level <= maxQuoteDeep; level++ {
		if !f.level(level) {
			break
		}
	}
	if f.folded > 0 {
		w.findAt(e.msg.Position, sources.Info, codeQuoteFolded, "", "%s folded", counted(f.folded, "line of quoted history stands in an earlier message and is", "lines of quoted history stand in earlier messages and are"))
		s = f.replace(s)
	}
	if kept := f.worth - f.folded; kept > 0 {
		w.findAt(e.msg.Position, sources.Info, codeQuoteKept, "", "%s", counted(kept, "line of quoted history is in no earlier message of the ticket, not in these words, and stays", "lines of quoted history are in no earlier message of the ticket, not in these words, and stay"))
	}
	return s
}

func bounded(essence string) string { return essence[:runeStart(essence, maxEssence)] }

// A folder folds one message.
type folder struct {
	w      *work
	at     int // of the message among the ticket's
	lines  []line
	where  []int // for each line the earlier message that has it and whose remark stands for it, or -1
	budget int
	folded int // lines
	worth  int // lines that would be worth it
}

// level folds what is quoted at least so deep and not folded yet; it is false when nothing is.
func (f *folder) level(level int) (any bool) {
	for i := 0; i < len(f.lines); {
		if f.lines[i].depth < level || f.where[i] >= 0 {
			i++
			continue
		}
		any = true
		from := i
		for i < len(f.lines) && f.lines[i].depth >= level && f.where[i] < 0 {
			i++
		}
		f.run(from, i, level)
	}
	return any
}

// run folds lines[from:to] if that is worth it and the text is known. At the end of a message less is worth it than
// between two answers, where a short quotation is what the answer is to.
func (f *folder) run(from, to, level int) {
	text := essenceOf(f.lines[from:to])
	minLines, minBytes := 3, 100
	if to < len(f.lines) && f.lines[to].depth == 0 {
		minLines, minBytes = 12, 1000
	}
	if len(text) < minEssence || to-from < minLines && len(text) < minBytes {
		return
	}
	if level == 1 {
		f.worth += to - from
	}
	if j := f.known(text); j >= 0 {
		f.folded += to - from
		for i := from; i < to; i++ {
			f.where[i] = j
		}
	}
}

// known is the nearest earlier message that has the text, or -1.
func (f *folder) known(text string) int {
	for j := f.at - 1; j >= 0 && j >= f.at-lookBack; j-- {
		earlier := f.w.essenceOf(f.w.entries[j])
		if f.budget -= len(earlier); f.budget < 0 {
			return -1
		}
		if strings.Contains(earlier, text) {
			return j
		}
	}
	return -1
}

// essenceOf is the essence of an earlier message. It is there already, unless only later ones are being sent.
func (w *work) essenceOf(e *entry) string {
	if e.essence == "" {
		e.essence = bounded(essenceOf(htmlLines(w.plainHTML(e))))
	}
	return e.essence
}

// plainHTML is the text of a message as it is shown, without noticing anything about it.
func (w *work) plainHTML(e *entry) string {
	body, _ := cleanText(e.msg.Body)
	body = body[:runeStart(body, w.m.sanitiserRoom())]
	if e.msg.Format == sources.Text {
		return textToHTML(body)
	}
	safe, _ := w.m.sanitised(&page{files: e.msg.Attachments, position: e.msg.Position}, body)
	return safe
}

// replace puts a remark in the place of each stretch that was folded into one message.
func (f *folder) replace(s string) string {
	var b strings.Builder
	done := 0
	for i := 0; i < len(f.lines); {
		j, from := f.where[i], i
		if i++; j < 0 {
			continue
		}
		for i < len(f.lines) && f.where[i] == j {
			i++
		}
		start, end := f.lines[from].start, f.lines[i-1].end
		b.WriteString(s[done:start])
		fmt.Fprintf(&b, "<em>(quoted history of %s is in %s)</em>", lineCount(i-from), f.name(j))
		b.WriteString(residue(s[start:end]))
		done = end
	}
	b.WriteString(s[done:])
	return b.String()
}

func lineCount(n int) string {
	if n == 1 {
		return "1 line"
	}
	return itoa(n) + " lines"
}

// name is how a person finds an earlier message.
func (f *folder) name(j int) string {
	if j == f.at-1 {
		return "the message before"
	}
	return "the message of " + f.w.entries[j].at.Format("2006-01-02 15:04") + " UTC"
}
