package mail

import (
	"bytes"

	"hsimport/sources"
)

// A uuFile is a uuencoded file within a text: its name, and the place of all of it from "begin" to "end".
type uuFile struct {
	name       string
	start, end int
	data       []byte // its lines, without "begin" and "end"
}

// maxUUFiles bounds the files of one text.
const maxUUFiles = 500

// findUU finds the uuencoded files of a text. One counts only when it begins, its first line decodes, and it ends: a
// sentence that starts with "begin 644" stays a sentence.
func findUU(b []byte) (files []uuFile) {
	for pos := 0; pos < len(b) && len(files) < maxUUFiles; {
		i := bytes.Index(b[pos:], []byte("begin "))
		if i < 0 {
			break
		}
		pos += i
		if pos > 0 && b[pos-1] != '\n' {
			pos++
			continue
		}
		f, ok := uuAt(b, pos)
		if !ok {
			pos++
			continue
		}
		files = append(files, f)
		pos = f.end
	}
	return files
}

// uuAt reads the file that begins at pos.
func uuAt(b []byte, pos int) (f uuFile, ok bool) {
	first := lineEnd(b, pos)
	w := bytes.Fields(b[pos:first])
	if len(w) < 2 || len(w[1]) < 3 || len(w[1]) > 4 || len(bytes.Trim(w[1], "01234567")) > 0 {
		return f, false
	}
	name := trimSpace(b[pos+len("begin ")+len(w[1]) : first])
	f = uuFile{name: string(name), start: pos}
	for at := first; at < len(b); {
		end := lineEnd(b, at)
		line := bytes.TrimRight(b[at:end], "\r\n")
		switch {
		case bytes.Equal(trimSpace(line), []byte("end")):
			f.data, f.end = b[first:at], end
			return f, at > first
		case len(trimSpace(line)) > 0 && !isUULine(line):
			return f, false
		}
		at = end
	}
	return f, false
}

// isUULine reports whether the length that the line's first character states fits the line, give or take a check
// character and blanks lost at the end.
func isUULine(line []byte) bool {
	n := uuLength(line[0])
	want := (n+2)/3*4 + 1
	if line[0] < ' ' || line[0] > '`' || len(line) > want+2 {
		return false
	}
	for _, c := range line {
		if c < ' ' || c > '`' {
			return false
		}
	}
	return len(line) >= want-4 || n == 0
}

func uuLength(c byte) int { return int(c-' ') & 63 }

// decode decodes the file.
func (f uuFile) decode() []byte {
	out := make([]byte, 0, len(f.data)*3/4)
	for at := 0; at < len(f.data); {
		end := lineEnd(f.data, at)
		out = appendUULine(out, bytes.TrimRight(f.data[at:end], "\r\n"))
		at = end
	}
	return out
}

func appendUULine(dst, line []byte) []byte {
	if len(line) == 0 {
		return dst
	}
	n := uuLength(line[0])
	at := func(i int) uint32 {
		if i < len(line) {
			return uint32(line[i]-' ') & 63
		}
		return 0
	}
	for i := 1; n > 0; i += 4 {
		v := at(i)<<18 | at(i+1)<<12 | at(i+2)<<6 | at(i+3)
		group := [3]byte{byte(v >> 16), byte(v >> 8), byte(v)}
		k := min(n, 3)
		dst = append(dst, group[:k]...)
		n -= k
	}
	return dst
}

// firstUU decodes a part whose transfer encoding is uuencode.
func firstUU(b []byte) []byte {
	if files := findUU(b); len(files) > 0 {
		return files[0].decode()
	}
	return b
}

// takeUU makes attachments of the uuencoded files in a plain text and returns the text without them.
func (b *builder) takeUU(nd *node, text []byte) []byte {
	if nd.typ.value != "text/plain" || !bytes.Contains(text, []byte("begin ")) {
		return text
	}
	files := findUU(text)
	if len(files) == 0 {
		return text
	}
	rest := make([]byte, 0, len(text))
	pos := 0
	for i, f := range files {
		rest = append(rest, text[pos:f.start]...)
		pos = f.end
		b.addDerived(nd, b.d.text([]byte(f.name)), "", f.decode(), func(content []byte) []byte {
			if again := findUU(content); i < len(again) {
				return again[i].decode()
			}
			return nil
		})
	}
	b.n.add(sources.Info, "uuencoded", "%d uuencoded files in the text became attachments", len(files))
	return append(rest, text[pos:]...)
}

// hasUU reports whether a text part may hold uuencoded files.
func (b *builder) hasUU(nd *node) bool {
	return nd.enc == identity && bytes.Contains(b.raw[nd.start:nd.end], []byte("\nbegin "))
}
