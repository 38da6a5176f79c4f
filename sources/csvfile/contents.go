package csvfile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
)

// contents is what only all bytes of a file tell: its digest, and how well it is UTF-8. They are read beside other work.
type contents struct {
	sha    string // hex SHA-256
	count  utf8Count
	sample []byte // of lines that are not ASCII
	err    error
	read   chan struct{} // closed when all this is known
}

// readContents reads f from its beginning; closing f ends it early.
func readContents(f *os.File) *contents {
	c := &contents{read: make(chan struct{})}
	go func() {
		defer close(c.read)
		h := sha256.New()
		c.count, c.sample, c.err = countUTF8(io.TeeReader(io.NewSectionReader(f, 0, 1<<62), h))
		c.sha = hex.EncodeToString(h.Sum(nil))
	}()
	return c
}

// all waits for what all bytes of the file tell.
func (in *input) all() (*contents, error) {
	if in.contents == nil {
		in.contents = readContents(in.f)
	}
	<-in.contents.read
	return in.contents, in.contents.err
}

// errNotUTF8 is about a file that was taken for UTF-8 by its beginning.
var errNotUTF8 = errors.New("the file is not UTF-8 throughout")

// settle waits until the file is read, and sees whether it is what it was taken for.
func (in *input) settle() error {
	c, err := in.all()
	if err != nil {
		return err
	}
	in.sha = c.sha
	switch {
	case in.byHead && !c.count.utf8():
		return errNotUTF8
	case in.byHead:
		in.confidence = c.count.confidence()
	case in.declared == "utf-8" && !c.count.utf8():
		in.doubt = "the encoding is declared as utf-8, and the file is not: letters beyond English would be lost; leave source.csv.encoding out and it is found"
	}
	return nil
}

// utf8 reports whether a file is UTF-8, if damaged: then it still has far more good sequences than bad ones, and no
// legacy text has.
func (c utf8Count) utf8() bool { return c.bad == 0 || c.good > 8*c.bad }

// confidence is how sure it is, in percent, that a file is UTF-8.
func (c utf8Count) confidence() int {
	if c.bad == 0 {
		return 100
	}
	return 100 * c.good / (c.good + c.bad)
}
