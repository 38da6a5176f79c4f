package mail

import (
	"bytes"
	"strings"

	"hsimport/sources"
)

// Bounds of a MIME tree. Real mail stays far below them.
const (
	maxDepth = 60
	maxParts = 10_000
)

// A node is one entity of the MIME tree: a leaf, or a multipart with children. start and end are its body in the raw
// message, without header and delimiter lines.
type node struct {
	typ, disp  typed
	enc        transfer
	fields     partFields
	start, end int
	head       int // where its header starts
	children   []*node
	multipart  bool // it has children
	untyped    bool // no Content-Type of its own

	name  string // of the file, once it was asked for
	named bool
}

// A tree finds the parts of a message in one pass: the boundaries of all open multiparts lie on a stack, and each line
// that begins with "--" is compared with them, the innermost first. So a part that lost its closing delimiter ends
// where its parent goes on, and depth costs no time.
type tree struct {
	raw   []byte
	stack [][]byte // "--boundary" of each open multipart
	parts int
	n     *notes
}

// A hit is a delimiter line: the body before it ends at at, the next part begins at after. level is its boundary's
// place on the stack, or -1 at the end of the message.
type hit struct {
	at, after, level int
	closing          bool
}

// parseTree reads the tree of a message whose header has been read.
func parseTree(raw []byte, f *rawFields, n *notes) *node {
	t := &tree{raw: raw, n: n}
	root := &node{fields: f.part, start: f.end}
	root.describe("text/plain")
	t.body(root, 0)
	return root
}

// describe parses the fields that say what the node is.
func (nd *node) describe(fallback string) {
	nd.untyped = len(trimSpace(nd.fields.contentType)) == 0
	if !nd.untyped {
		nd.typ = parseTyped(nd.fields.contentType)
	}
	if nd.typ.value == "" || !strings.Contains(nd.typ.value, "/") {
		switch nd.typ.value {
		case "multipart", "html", "text":
			nd.typ.value = map[string]string{"multipart": "multipart/mixed", "html": "text/html", "text": "text/plain"}[nd.typ.value]
		default:
			nd.typ.value = fallback
		}
	}
	if nd.fields.disposition != nil {
		nd.disp = parseTyped(nd.fields.disposition)
	}
	if nd.fields.encoding != nil {
		nd.enc = transferNamed(nd.fields.encoding)
	}
}

// body finds the end of the node and, when it is a multipart, its children. It returns the delimiter that ends it.
func (t *tree) body(nd *node, depth int) hit {
	if !strings.HasPrefix(nd.typ.value, "multipart/") {
		return t.leaf(nd)
	}
	if depth >= maxDepth {
		t.n.add(sources.Warning, "mime-depth", "parts are nested more than %d deep; what is deeper stays as it is", maxDepth)
		nd.typ = typed{value: "application/octet-stream"}
		return t.leaf(nd)
	}
	for _, b := range boundaries(nd.typ.get("boundary")) {
		if h := t.multipart(nd, []byte("--"+b), depth); len(nd.children) > 0 {
			return h
		}
	}
	if b := t.guessBoundary(nd.start); b != nil {
		if h := t.multipart(nd, b, depth); len(nd.children) > 0 {
			t.n.add(sources.Info, "mime-boundary-guessed", "the boundary of a multipart is missing or wrong; it was found in the text")
			return h
		}
	}
	t.n.add(sources.Info, "mime-boundary-missing", "a multipart has no parts; it is read as text")
	nd.typ = typed{value: "text/plain"}
	return t.leaf(nd)
}

// maxBoundary bounds a boundary. RFC 2046 allows 70 characters; some generators write a thousand.
const maxBoundary = 32 << 10

// boundaries lists what the delimiter lines may say when the parameter says b: the same, or with the blanks that
// folding added made one.
func boundaries(b string) []string {
	b = strings.TrimRight(b, " \t")
	if b == "" || len(b) > maxBoundary {
		return nil
	}
	if joined := strings.Join(strings.Fields(b), " "); joined != b {
		return []string{b, joined}
	}
	return []string{b}
}

func (t *tree) leaf(nd *node) hit {
	h := t.delimiter(nd.start)
	nd.end = max(nd.start, h.at)
	return h
}

// multipart reads the children of nd, whose delimiter lines begin with boundary. A part after the closing delimiter is
// still a part.
func (t *tree) multipart(nd *node, boundary []byte, depth int) hit {
	level := len(t.stack)
	t.stack = append(t.stack, boundary)
	h := t.delimiter(nd.start)
	for h.level == level {
		if h.closing {
			h = t.delimiter(h.after)
			continue
		}
		child := &node{head: h.after}
		nd.children = append(nd.children, child)
		h = t.part(child, nd, depth+1)
	}
	t.stack = t.stack[:level]
	nd.end = max(nd.start, h.at)
	nd.multipart = len(nd.children) > 0
	return h
}

// part reads one child: its header, then its body.
func (t *tree) part(nd, parent *node, depth int) hit {
	if t.parts++; t.parts == maxParts {
		t.n.add(sources.Warning, "mime-parts", "the mail has more than %d parts; the rest stays in the last one", maxParts)
	}
	s := scanner{raw: t.raw[nd.head:], part: true}
	for {
		name, value, ok := s.next()
		if !ok {
			break
		}
		if len(name) <= maxName {
			var buf [maxName]byte
			nd.fields.take(lower(buf[:0], name), value)
		}
	}
	nd.start = nd.head + s.pos
	fallback := "text/plain"
	if parent.typ.value == "multipart/digest" {
		fallback = "message/rfc822"
	}
	nd.describe(fallback)
	return t.body(nd, depth)
}

// delimiter finds the next delimiter line of any open multipart from pos on, which is the start of a line.
func (t *tree) delimiter(pos int) hit {
	end := hit{at: len(t.raw), after: len(t.raw), level: -1}
	if len(t.stack) == 0 || t.parts >= maxParts {
		return end
	}
	for from := pos; from < len(t.raw); {
		line := from
		if from != pos || !bytes.HasPrefix(t.raw[from:], []byte("--")) {
			i := bytes.Index(t.raw[from:], []byte("\n--"))
			if i < 0 {
				return end
			}
			line = from + i + 1
		}
		if h, ok := t.match(line); ok {
			return h
		}
		from = line + 1
	}
	return end
}

// match compares the line at pos with all open boundaries.
func (t *tree) match(pos int) (hit, bool) {
	rest := t.raw[pos:]
	for level := len(t.stack) - 1; level >= 0; level-- {
		b := t.stack[level]
		if !bytes.HasPrefix(rest, b) {
			continue
		}
		after := rest[len(b):]
		end := bytes.IndexByte(after, '\n')
		next := pos + len(b) + end + 1
		if end < 0 {
			end, next = len(after), len(t.raw)
		}
		tail := after[:end]
		closing := len(tail) >= 2 && tail[0] == '-' && tail[1] == '-'
		if closing {
			tail = tail[2:]
		}
		if len(tail) > 0 && !isSpace(tail[0]) {
			continue // the boundary of another multipart that begins like this one
		}
		at := pos
		if at > 0 && t.raw[at-1] == '\n' {
			at--
			if at > 0 && t.raw[at-1] == '\r' {
				at--
			}
		}
		return hit{at: at, after: next, level: level, closing: closing}, true
	}
	return hit{}, false
}

// guessBoundary looks for the first line that begins with "--" and is followed by a header line: the delimiter of a
// multipart that names none, or another.
func (t *tree) guessBoundary(pos int) []byte {
	for lines := 0; pos < len(t.raw) && lines < 100; lines++ {
		end := lineEnd(t.raw, pos)
		line := bytes.TrimRight(t.raw[pos:end], "\r\n \t")
		if len(line) > 4 && line[0] == '-' && line[1] == '-' && len(line) < maxBoundary && end < len(t.raw) &&
			hasPrefixFold(t.raw[end:], "content-") {
			return line
		}
		pos = end
	}
	return nil
}

func hasPrefixFold(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && strings.EqualFold(string(b[:len(prefix)]), prefix)
}
