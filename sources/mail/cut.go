package mail

import "bytes"

// Cut says why a mail seems to end before its end, or nothing: its header breaks off within a line, or a multipart has
// begun whose closing delimiter (RFC 2046, section 5.1.2) never comes. It is meant for the last mail of a file: others
// end where the next one begins, and some programs forget the delimiter.
func Cut(raw []byte) (why string) {
	raw = unixEnds(raw)
	f := collectFields(raw)
	if f.known && f.end >= len(raw) && !bytes.HasSuffix(raw, []byte("\n")) {
		return "its header breaks off"
	}
	root := &node{fields: f.part}
	root.describe("text/plain")
	for _, b := range boundaries(root.typ.get("boundary")) {
		at := bytes.LastIndex(raw, []byte("\n--"+b))
		if at < 0 {
			continue
		}
		line := raw[at+1 : lineEnd(raw, at+1)]
		if rest := bytes.TrimRight(line[2+len(b):], " \t\r\n"); !bytes.HasSuffix(rest, []byte("--")) {
			return "the end of its parts is missing"
		}
	}
	return ""
}
