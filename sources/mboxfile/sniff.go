package mboxfile

import (
	"bytes"
	"errors"
	"unicode/utf8"
)

// sniffBytes is how much of a file is looked at to tell what it is.
const sniffBytes = 1 << 20

// A format is what a file is, as its first bytes tell.
type format uint8

const (
	notMail format = iota
	emptyFile
	mboxFile
	oneMail // .eml, Maildir
	emlx    // Apple Mail: a line with a number, the mail, a property list
	gzipFile
	zstdFile
)

// magics are the formats that people hand in as mail and that need a step before they are.
var magics = []struct {
	at         int
	magic      string
	what, hint string
}{
	{0, "PK\x03\x04", "it is a ZIP archive", "unpack it and name the folder"},
	{0, "PK\x05\x06", "it is a ZIP archive", "unpack it and name the folder"},
	{0, "!BDN", "it is an Outlook data file (.pst or .ost)", "convert it first, for example with `readpst -r -o FOLDER FILE`, and name the folder"},
	{0, "\xd0\xcf\x11\xe0", "it is an Outlook message or an Office document", "save the mails as .eml, or import them into Thunderbird and name its folder"},
	{0, "BZh", "it is compressed with bzip2", "unpack it first with `bunzip2 -k FILE`"},
	{0, "\xfd7zXZ\x00", "it is compressed with xz", "unpack it first with `unxz -k FILE`"},
	{0, "7z\xbc\xaf\x27\x1c", "it is a 7-Zip archive", "unpack it and name the folder"},
	{0, "Rar!", "it is a RAR archive", "unpack it and name the folder"},
	{257, "ustar", "it is a tar archive", "unpack it with `tar -xf FILE` and name the folder"},
	{0, "SQLite format 3\x00", "it is a database, not a mail folder", "name the folder that holds the mails"},
	{0, "%PDF-", "it is a PDF document", ""},
	{0, "\xff\xfe", "it is text in UTF-16", "convert it first with `iconv -f UTF-16 -t UTF-8`"},
	{0, "\xfe\xff", "it is text in UTF-16", "convert it first with `iconv -f UTF-16 -t UTF-8`"},
	{0, "// <!-- <mdb:mork", "it is a Thunderbird index (.msf), which holds no mails", "name the file of the same name without .msf"},
}

// sniff tells what a file is. head are its first sniffBytes, whole says that this is all of it. For notMail, err says
// what it looks like and hint what can be done.
func sniff(head []byte, whole bool) (f format, hint string, err error) {
	if len(head) == 0 {
		return emptyFile, "", nil
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzipFile, "", nil
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstdFile, "", nil
	}
	for _, m := range magics {
		if len(head) >= m.at+len(m.magic) && string(head[m.at:m.at+len(m.magic)]) == m.magic {
			return notMail, m.hint, errors.New(m.what)
		}
	}
	text := bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	text = bytes.TrimLeft(text, "\r\n")
	if len(text) == 0 {
		return emptyFile, "", nil
	}
	line, rest := cutLine(text)
	if bytes.HasPrefix(line, fromWord) {
		if kind, _ := kindOf(line); acceptsFirst(kind, line, look(rest, whole)) {
			return mboxFile, "", nil
		}
	}
	if isNumber(line) && look(rest, false).header {
		return emlx, "", nil
	}
	if beginsMail(text) {
		if hasSeparator(text, whole) { // the first mail of an archive has lost its separator
			return mboxFile, "", nil
		}
		return oneMail, "", nil
	}
	if hasSeparator(text, whole) {
		return mboxFile, "", nil
	}
	if what := describe(text); what != "" {
		return notMail, hintOther(text), errors.New("no mail is in it: " + what)
	}
	return notMail, hintOther(text), errPlainText
}

// errPlainText says that a file holds text of no known kind.
var errPlainText = errors.New("no mail is in it: it looks like plain text")

// beginsMail reports whether b begins with a header: a well-known field, or two behind a damaged first line.
func beginsMail(b []byte) bool {
	f := look(b, false)
	return f.header || f.known >= 2
}

// hasSeparator reports whether a separator is somewhere in b: garbage stands before the first mail.
func hasSeparator(b []byte, whole bool) bool {
	f := newFramer(bytes.NewReader(b), int64(len(b)), sniffBytes)
	if err := f.w.need(int64(len(b))); err != nil {
		return false
	}
	at, err := f.search(0, 0, true)
	return err == nil && at < int64(len(b)) && (whole || at < int64(len(b))-maxLook)
}

// isNumber reports whether a line holds digits only, with blanks around them.
func isNumber(line []byte) bool {
	line = bytes.TrimSpace(line)
	for _, c := range line {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(line) > 0 && len(line) < 16
}

// describe says what text looks like, for a person who named the wrong file. Of plain text it says nothing.
func describe(text []byte) string {
	line, _ := cutLine(text)
	switch {
	case text[0] == '{' || text[0] == '[':
		return "it looks like JSON"
	case text[0] == '<':
		return "it looks like HTML or XML"
	case bytes.IndexByte(text[:min(len(text), 8192)], 0) >= 0 || !utf8.Valid(line) && len(line) > 4096:
		return "it is binary"
	case looksLikeTable(text):
		return "it looks like a table (CSV)"
	}
	return ""
}

// hintOther says what to do with a table.
func hintOther(text []byte) string {
	if looksLikeTable(text) {
		return "for a CSV export set `source.kind: csv`"
	}
	return "name the archive itself: an mbox file, a folder of mails, a Maildir, or a Thunderbird or Apple Mail folder"
}

// looksLikeTable reports whether the first two lines hold the same number of one delimiter.
func looksLikeTable(text []byte) bool {
	first, rest := cutLine(text)
	second, _ := cutLine(rest)
	for _, d := range []byte{',', ';', '\t', '|'} {
		n := bytes.Count(first, []byte{d})
		if n >= 1 && (len(rest) == 0 || bytes.Count(second, []byte{d}) >= n) {
			return true
		}
	}
	return false
}
