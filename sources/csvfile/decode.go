package csvfile

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/gogs/chardet"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"hsimport/sources/archive"
)

// An input is one file of the source, open for reading at any offset of its decoded content.
type input struct {
	path       string // as opened
	name       string // as the person named it, for positions
	f          *os.File
	stored     int64
	encoding   string
	confidence int
	doubt      string // what speaks against the encoding that was declared
	temp       bool   // f is a decoded copy in the temporary folder
	size       int64
	sha        string // of the decoded content, hex; empty until settle
	// later leaves to settle what only all bytes of the file tell; byHead says that the encoding is a guess until then.
	later    bool
	byHead   bool
	declared string // the encoding that the configuration names, as it is called here
	contents *contents
}

// openInput opens path. What is compressed is unpacked and what is not UTF-8 is decoded, once, into a file in the
// folder temp() names. With later the input must be settled before its digest is known and its encoding certain.
func openInput(path, name, declared string, later bool, temp func() (string, error)) (*input, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	in := &input{path: path, name: name, f: f, stored: st.Size(), later: later}
	err = in.decode(declared, temp)
	if err == nil {
		err = in.begin()
	}
	if err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

// begin notes the size of the decoded content and has all of it read.
func (in *input) begin() error {
	st, err := in.f.Stat()
	if err != nil {
		return err
	}
	in.size = st.Size()
	if in.contents == nil {
		in.contents = readContents(in.f)
	}
	if in.later {
		return nil
	}
	return in.settle()
}

func (in *input) close() {
	if in.f != nil {
		in.f.Close()
	}
	if in.contents != nil {
		<-in.contents.read
		in.contents = nil
	}
	if in.temp {
		os.Remove(in.f.Name())
	}
}

// decode unpacks and transcodes as far as it is needed and sets encoding and confidence.
func (in *input) decode(declared string, temp func() (string, error)) error {
	packed := ""
	head := make([]byte, sampleSize)
	n, err := in.f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	head = head[:n]
	if open, name := unpacker(head); open != nil {
		if err := in.replace(temp, open); err != nil {
			return fmt.Errorf("unpack %s: %w", name, err)
		}
		packed = name + "+"
		if n, err = in.f.ReadAt(head[:cap(head)], 0); err != nil && err != io.EOF {
			return err
		}
		head = head[:n]
	}
	if what := notATable(in.path, head); what != "" {
		return errors.New(what)
	}
	enc, name, err := in.charset(head, declared)
	if err != nil {
		return err
	}
	in.encoding = packed + name
	if declared != "" {
		in.declared = name
	}
	if enc == nil {
		return nil
	}
	if declared != "" {
		if err := in.weigh(name); err != nil {
			return err
		}
	}
	err = in.replace(temp, func(r io.Reader) (io.Reader, error) { return transform.NewReader(r, enc.NewDecoder()), nil })
	if err != nil {
		return fmt.Errorf("decode %s: %w", name, err)
	}
	return nil
}

// replace puts a decoded copy into the place of in.f.
func (in *input) replace(temp func() (string, error), open func(io.Reader) (io.Reader, error)) error {
	if _, err := in.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r, err := open(bufio.NewReaderSize(in.f, 1<<16))
	if err != nil {
		return err
	}
	dir, err := temp()
	if err != nil {
		return err
	}
	out, err := os.CreateTemp(dir, "csv-*")
	if err != nil {
		return err
	}
	if err = copyWatched(out, r, dir); err != nil {
		out.Close()
		os.Remove(out.Name())
		return err
	}
	in.close()
	in.f, in.temp = out, true
	return nil
}

// reserve is what a decoded copy leaves free on the disk of the temporary folder.
const reserve = 256 << 20

// copyWatched copies r to out and stops before the disk of dir is full: what a small archive unpacks to cannot be
// known before.
func copyWatched(out io.Writer, r io.Reader, dir string) error {
	const step = 32 << 20
	for {
		if free := freeSpace(dir); free >= 0 && free < reserve+step {
			return fmt.Errorf("only %d MiB are free in %s, too little for a decoded copy; set TMPDIR to a larger disk",
				free>>20, dir)
		}
		if _, err := io.CopyN(out, r, step); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
	}
}

// unpacker recognises a compressed file by its first bytes.
func unpacker(head []byte) (func(io.Reader) (io.Reader, error), string) {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b, 8}):
		return func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }, "gzip"
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return func(r io.Reader) (io.Reader, error) {
			return zstd.NewReader(r, zstd.WithDecoderMaxMemory(256<<20), zstd.WithDecoderConcurrency(1))
		}, "zstd"
	case bytes.HasPrefix(head, []byte("BZh")) && len(head) > 10 && bytes.HasPrefix(head[4:], []byte("1AY&SY")):
		return func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }, "bzip2"
	}
	return nil, ""
}

// notATable names the formats that people take for CSV and that are not, with what to do.
func notATable(path string, head []byte) string {
	what, hint := archive.Foreign(path, head)
	switch {
	case what != "" && hint != "":
		return "this is " + what + ", not an export: " + hint
	case what != "":
		return "this is " + what + ", not an export"
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "this is a ZIP archive inside another file: unpack it and name what is in it"
	}
	return ""
}

// charset decides how the content is encoded; a nil encoding is UTF-8, with or without damage.
func (in *input) charset(head []byte, declared string) (encoding.Encoding, string, error) {
	in.confidence = 100
	if declared != "" {
		return declaredCharset(declared, head)
	}
	if enc, name := utf16Of(head); enc != nil {
		return enc, name, nil
	}
	if bytes.HasPrefix(head, utf8BOM) {
		return nil, "utf-8", nil
	}
	var begins utf8Count
	begins.add(head, false)
	if in.byHead = in.later && begins.utf8(); in.byHead {
		return nil, "utf-8", nil
	}
	// The same reading gives the digest, if the file turns out to need no decoding.
	c, err := in.all()
	if err != nil {
		return nil, "", err
	}
	if c.count.utf8() {
		in.confidence = c.count.confidence()
		return nil, "utf-8", nil
	}
	return in.guess(c.sample)
}

// guess asks the detector about the lines that are not ASCII.
func (in *input) guess(sample []byte) (encoding.Encoding, string, error) {
	name := "windows-1252"
	in.confidence = 50
	if res, err := chardet.NewTextDetector().DetectBest(sample); err == nil && res != nil {
		if enc, _ := charset.Lookup(res.Charset); enc != nil && enc != encoding.Replacement && res.Charset != "UTF-8" {
			name, in.confidence = strings.ToLower(res.Charset), res.Confidence
		}
	}
	enc, canonical := charset.Lookup(name)
	return enc, canonical, nil
}

// weigh sees what speaks against another encoding than UTF-8 that the configuration declares.
func (in *input) weigh(name string) error {
	if strings.HasPrefix(name, "utf-16") {
		return nil
	}
	c, err := in.all()
	if err != nil {
		return err
	}
	if c.count.bad == 0 && c.count.good > 0 {
		in.doubt = "the encoding is declared as " + name + ", and every byte of the file is right in utf-8: letters beyond English would be garbled; " +
			"leave source.csv.encoding out and it is found"
	}
	return nil
}

// declaredCharset looks up an encoding that the configuration names.
func declaredCharset(label string, head []byte) (encoding.Encoding, string, error) {
	switch strings.ToLower(strings.TrimSpace(label)) {
	case "utf-8", "utf8", "utf-8-sig", "ascii", "us-ascii":
		return nil, "utf-8", nil
	case "utf-16", "utf16":
		if enc, name := utf16Of(head); enc != nil {
			return enc, name, nil
		}
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "utf-16le", nil
	}
	enc, name := charset.Lookup(label)
	if enc == nil || enc == encoding.Replacement {
		enc, _ = ianaindex.IANA.Encoding(label)
		name = strings.ToLower(label)
	}
	if enc == nil {
		return nil, "", fmt.Errorf("encoding: %q is not a known charset; try utf-8, windows-1252, iso-8859-1, utf-16", label)
	}
	if name == "utf-8" {
		return nil, name, nil
	}
	return enc, name, nil
}

// utf16Of recognises UTF-16 by its BOM, or by every second byte being NUL.
func utf16Of(head []byte) (encoding.Encoding, string) {
	le := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	be := unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return le, "utf-16le"
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return be, "utf-16be"
	case len(head) < 8:
		return nil, ""
	}
	var zero [2]int
	for i, c := range head[:min(len(head), 1024)&^1] {
		if c == 0 {
			zero[i%2]++
		}
	}
	half := min(len(head), 1024) / 2
	switch {
	case zero[1] > half*3/4 && zero[0] == 0:
		return le, "utf-16le"
	case zero[0] > half*3/4 && zero[1] == 0:
		return be, "utf-16be"
	}
	return nil, ""
}

// A utf8Count says how well a file is UTF-8: sequences of several bytes that are right, and bytes that fit nowhere.
type utf8Count struct{ good, bad int }

// countUTF8 reads all of r. It returns the counts and up to 64 KiB of lines that are not ASCII, for the detector.
func countUTF8(r io.Reader) (utf8Count, []byte, error) {
	var c utf8Count
	var sample []byte
	buf := make([]byte, 1<<18)
	kept := 0
	for {
		n, err := io.ReadFull(r, buf[kept:])
		window := buf[:kept+n]
		last := err != nil
		if last && err != io.EOF && err != io.ErrUnexpectedEOF {
			return c, nil, err
		}
		rest := c.add(window, last)
		if c.bad > 0 && len(sample) < sampleSize {
			sample = appendForeign(sample, window)
		}
		if last {
			return c, sample, nil
		}
		kept = copy(buf, rest)
	}
}

// firstForeign is the index of the first byte that is not ASCII, or -1; it looks at eight at a time.
func firstForeign(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if binary.LittleEndian.Uint64(b[i:])&0x8080808080808080 != 0 {
			break
		}
	}
	for ; i < len(b); i++ {
		if b[i] >= utf8.RuneSelf {
			return i
		}
	}
	return -1
}

// add counts the sequences of window and returns what of its end may go on in the next one.
func (c *utf8Count) add(window []byte, last bool) []byte {
	whole := window
	if !last {
		whole = window[:len(window)-partialRune(window)]
	}
	if utf8.Valid(whole) {
		if i := firstForeign(window); i >= 0 {
			// One good sequence in a window is enough to weigh it: counting all would cost more than reading.
			c.good += 1 + bytes.Count(window[i:], window[i:i+1])
		}
		return window[len(whole):]
	}
	for len(window) > 0 {
		if window[0] < utf8.RuneSelf {
			window = window[1:]
			continue
		}
		if !last && !utf8.FullRune(window) {
			return window
		}
		r, n := utf8.DecodeRune(window)
		if r == utf8.RuneError && n == 1 {
			c.bad++
		} else {
			c.good++
		}
		window = window[n:]
	}
	return nil
}

// partialRune is the number of bytes at the end of window that begin a sequence and do not end it.
func partialRune(window []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(window); n++ {
		if tail := window[len(window)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

// appendForeign appends the lines of window that hold bytes beyond ASCII.
func appendForeign(dst, window []byte) []byte {
	for line := range bytes.Lines(window) {
		if len(dst) >= sampleSize {
			break
		}
		for _, b := range line {
			if b >= utf8.RuneSelf {
				dst = append(dst, line[:min(len(line), 4096)]...)
				break
			}
		}
	}
	return dst
}

// tempDir makes the folder for decoded copies at the first call.
type tempDir struct{ path string }

func (t *tempDir) get() (string, error) {
	if t.path == "" {
		dir, err := os.MkdirTemp("", "hsimport-")
		if err != nil {
			return "", err
		}
		t.path = dir
	}
	return filepath.Clean(t.path), nil
}

func (t *tempDir) remove() error {
	if t.path == "" {
		return nil
	}
	return os.RemoveAll(t.path)
}
