package mail

import (
	"bytes"
	"crypto/sha256"
	"hash"
)

// Digest is the SHA-256 of a message as it was sent: line ends are "\n", blank lines at the end do not count, and the
// fields that mail programs and archives add when they store it (X-Mozilla-Status, X-Gmail-Labels, Status, ...) are
// left out. So two copies in two folders, or in a file with other line ends, have one digest.
func Digest(raw []byte) [sha256.Size]byte {
	raw = unixEnds(raw)
	raw = bytes.TrimRight(raw, "\r\n")
	w := &digestWriter{h: sha256.New()}
	start := 0
	s := scanner{raw: raw}
	for {
		name, _, ok := s.next()
		if !ok {
			break
		}
		if isStorageField(name) {
			w.write(raw[start:s.start])
			start = s.pos
		}
	}
	w.write(raw[start:])
	return w.sum()
}

// isStorageField reports whether a field says where a copy lies and not what the mail is.
func isStorageField(name []byte) bool {
	if len(name) > 24 {
		return false
	}
	var buf [24]byte
	key := lower(buf[:0], name)
	switch string(key) {
	case "status", "x-status", "content-length", "lines", "x-uid", "x-uidl", "x-keywords", "x-imap", "x-imapbase",
		"x-gmail-labels", "x-gm-thrid", "x-gm-msgid", "x-evolution", "x-evolution-source", "x-account-key", "x-label",
		"x-folder", "x-gmail-received":
		return true
	}
	return bytes.HasPrefix(key, []byte("x-mozilla-")) || bytes.HasPrefix(key, []byte("x-apple-"))
}

// A digestWriter hashes with "\r\n" made "\n".
type digestWriter struct {
	h   hash.Hash
	buf []byte
}

func (w *digestWriter) write(b []byte) {
	if bytes.IndexByte(b, '\r') < 0 {
		w.h.Write(b)
		return
	}
	if w.buf == nil {
		w.buf = make([]byte, 0, min(len(b), chunkSize))
	}
	for len(b) > 0 {
		n := min(len(b), chunkSize)
		if n < len(b) && b[n-1] == '\r' && n > 1 {
			n--
		}
		w.buf = append(w.buf[:0], b[:n]...)
		w.h.Write(toLF(w.buf))
		b = b[n:]
	}
}

func (w *digestWriter) sum() (out [sha256.Size]byte) {
	w.h.Sum(out[:0])
	return out
}
