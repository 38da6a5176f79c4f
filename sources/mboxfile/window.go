package mboxfile

import (
	"errors"
	"fmt"
	"io"

	"hsimport/sources"
)

const (
	windowBytes = 4 << 20
	readBytes   = 1 << 20
)

// A window is the part of a file that the framer looks at. It slides forward only, and grows no further than the mail
// that it has to hold.
type window struct {
	r    io.ReaderAt
	size int64        // of the file when it was opened
	base int64        // file offset of buf[0]
	keep int64        // bytes before this offset are no longer needed
	buf  []byte       // what has been read
	tap  func([]byte) // sees every byte once, in order
	room int          // what the window holds while mails are small
	read int          // least that one read asks for
}

// end is the file offset behind what has been read.
func (w *window) end() int64 { return w.base + int64(len(w.buf)) }

// atEOF reports whether everything has been read.
func (w *window) atEOF() bool { return w.end() >= w.size }

// slice returns the bytes [a, b) of the file, which must have been read and kept. They are valid until more is called.
func (w *window) slice(a, b int64) []byte { return w.buf[a-w.base : b-w.base] }

// byteAt is the byte at off, or 0 when it is not in the window.
func (w *window) byteAt(off int64) byte {
	if off < w.base || off >= w.end() {
		return 0
	}
	return w.buf[off-w.base]
}

// need reads on until off is behind the window's end or the file ends.
func (w *window) need(off int64) error {
	for w.end() < off && !w.atEOF() {
		if err := w.more(); err != nil {
			return err
		}
	}
	return nil
}

// more reads the next piece. A file that has become shorter since it was opened is ErrChanged.
func (w *window) more() error {
	w.makeRoom()
	n := min(int64(cap(w.buf)-len(w.buf)), w.size-w.end())
	piece := w.buf[len(w.buf) : len(w.buf)+int(n)]
	got, err := w.r.ReadAt(piece, w.end())
	if got < len(piece) {
		if err == nil || errors.Is(err, io.EOF) {
			return fmt.Errorf("it ends at byte %d, it had %d bytes when it was opened: %w", w.end()+int64(got), w.size, sources.ErrChanged)
		}
		return err
	}
	w.buf = w.buf[:len(w.buf)+got]
	if w.tap != nil {
		w.tap(piece)
	}
	return nil
}

// makeRoom leaves room for one read: it drops what is not kept, and grows when that is not enough.
func (w *window) makeRoom() {
	if w.buf == nil {
		w.buf = make([]byte, 0, min(int64(w.room), max(w.size, 1)))
		return
	}
	if cap(w.buf)-len(w.buf) >= w.read {
		return
	}
	live := w.buf[w.keep-w.base:]
	capacity := cap(w.buf)
	switch {
	case len(live)+w.read > capacity:
		capacity += max(capacity/2, w.read)
	case capacity > 4*w.room && len(live) < w.read:
		capacity = w.room // a huge mail has passed
	}
	if capacity != cap(w.buf) {
		w.buf = append(make([]byte, 0, capacity), live...)
	} else {
		w.buf = w.buf[:copy(w.buf, live)]
	}
	w.base = w.keep
}
