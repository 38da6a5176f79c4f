package mboxfile

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"path/filepath"
	"slices"

	"hsimport/sources"
)

// A ledger is the account of the scan while it grows.
type ledger struct {
	sources.Ledger
	uses    map[string]*sources.Use
	folders map[string]*folderLedger
	ends    []string // of each of Ledger.Files: LF, CRLF, mixed
}

// A folderLedger joins the single mails of one folder into one line: a Maildir has a file for every mail.
type folderLedger struct {
	at  int // of Ledger.Files
	n   int
	sum hash.Hash // over the files' sums, in the order they were read
}

func newLedger() *ledger {
	l := &ledger{uses: map[string]*sources.Use{}, folders: map[string]*folderLedger{}}
	l.Records.ExcludedBy = map[string]int{}
	return l
}

func (l *ledger) exclude(rule string) {
	l.Records.Excluded++
	l.Records.ExcludedBy[rule]++
}

// labels counts the labels of one mail. What becomes of a label is for the mapping to say; here they are only excluded
// or not carried over yet.
func (l *ledger) labels(labels []string, subject, file string) {
	for _, name := range labels {
		u := l.uses[name]
		if u == nil {
			u = &sources.Use{Name: name, Class: sources.NotCarried, Example: shorten(subject), File: file}
			l.uses[name] = u
		}
		u.Filled++
	}
}

// file enters the account of one file.
func (l *ledger) file(p *pass, f *framer, sum []byte) {
	t := f.tally
	fl := sources.FileLedger{
		Path: p.name, Stored: p.in.stored, Size: p.size, SHA256: hex.EncodeToString(sum), Encoding: layout(p.in, p.content, f),
		Message: t.message, Separator: t.separator, Preamble: t.preamble, Blank: t.blank, Refused: t.refused, Truncated: t.truncated,
	}
	l.oddities(p, f)
	dir := filepath.Dir(p.in.path)
	if p.content.format != oneMail && p.content.format != emlx {
		l.add(fl, f)
		return
	}
	g := l.folders[dir]
	if g == nil {
		g = &folderLedger{at: len(l.Files), n: 1, sum: sha256.New()}
		g.sum.Write(sum)
		l.folders[dir] = g
		l.add(fl, f)
		return
	}
	if l.ends[g.at] != f.odd.lineEnds() {
		l.ends[g.at] = "mixed"
	}
	g.n++
	g.sum.Write(sum)
	all := &l.Files[g.at]
	all.Path = fmt.Sprintf("%s (%d mails)", filepath.ToSlash(filepath.Dir(p.name)), g.n)
	all.Stored += fl.Stored
	all.Size += fl.Size
	all.Message += fl.Message
	all.Separator += fl.Separator
	all.Preamble += fl.Preamble
	all.Blank += fl.Blank
	all.Refused += fl.Refused
	all.Truncated += fl.Truncated
}

func (l *ledger) add(fl sources.FileLedger, f *framer) {
	l.Files = append(l.Files, fl)
	l.ends = append(l.ends, f.odd.lineEnds())
}

// lineEnds names the line ends of a file, by the first lines of its mails.
func (o *oddities) lineEnds() string {
	switch {
	case o.crlf > 0 && o.lf > 0:
		return "mixed"
	case o.crlf > 0:
		return "CRLF"
	}
	return "LF"
}

// layout names the format of a file for a person.
func layout(in input, c content, f *framer) string {
	name := "mbox"
	seps := f.odd.bareSep + f.odd.datedSep + f.odd.weakSep
	switch {
	case c.format == oneMail:
		name = "mail"
	case c.format == emlx:
		name = "emlx"
	case f.trusted && f.odd.skipped.n > 0:
		name = "mboxcl2"
	case f.trusted:
		name = "mboxcl"
	case f.odd.doubled > 0:
		name = "mboxrd"
	case f.odd.bareSep*2 > seps:
		name = "mbox (bare separators)"
	}
	switch in.format {
	case gzipFile:
		return in.packed + "gzip+" + name
	case zstdFile:
		return in.packed + "zstd+" + name
	}
	return in.packed + name
}

// oddities turns what the framer noticed into problems of the input.
func (l *ledger) oddities(p *pass, f *framer) {
	o := f.odd
	note := func(s sighting, severity sources.Severity, code, format string, args ...any) {
		if s.n == 0 {
			return
		}
		l.Problems = append(l.Problems, sources.Problem{
			Severity: severity, Code: code, Text: fmt.Sprintf(format, args...),
			Position: sources.Position{File: p.name, Offset: s.first},
		})
	}
	whole := func(yes bool) sighting {
		if yes {
			return sighting{n: 1, first: -1}
		}
		return sighting{}
	}
	note(whole(p.size == 0), sources.Warning, "file-empty", "the file is empty")
	note(whole(p.size > 0 && f.tally.blank == p.size), sources.Warning, "file-empty", "the file holds blank lines only")
	if p.content.cut != nil {
		note(whole(true), sources.Warning, "compression-damaged", "the compressed file ends early or is damaged (%v); what comes before is read", p.content.cut)
	}
	note(o.garbage, sources.Warning, "preamble", "%d bytes before the first mail belong to none", f.tally.preamble)
	note(o.empty, sources.Info, "separator-without-mail", "%d separators have no mail behind them", o.empty.n)
	note(o.noBlank, sources.Info, "separator-without-blank-line", "%d mails begin without a blank line before them", o.noBlank.n)
	note(o.fromInBody, sources.Info, "from-line-in-text", "%d lines begin with \"From \" and are text, not a separator", o.fromInBody.n)
	note(o.skipped, sources.Info, "content-length-used", "%d separators are text, as Content-Length says", o.skipped.n)
	if p.index.files[p.file].quoting != quotedNot {
		note(o.quoted, sources.Info, "from-line-unquoted", "%d lines \">From \" lose one \">\" (%s)", o.quoted.n, cmp.Or(p.opts.Quoting, "mboxrd"))
	}
	if f.tally.truncated > 0 {
		note(sighting{1, p.size - f.tally.truncated}, sources.Warning, "truncated", "the file ends within a separator; no mail is behind it")
	}
	if o.cutWhy != "" {
		note(sighting{1, o.cutOff}, sources.Warning, "truncated", "the file ends within its last mail (%s); it is imported as far as it goes", o.cutWhy)
	}
}

// close completes the account when all files are read.
func (l *ledger) close(x exclusion) {
	for _, u := range l.uses {
		u.Of = l.Records.Found - l.Records.Unreadable
		if name, ok := x.match([]string{u.Name}); ok {
			u.Class, u.As = sources.Ignored, "excluded as "+name
		}
		l.Labels = append(l.Labels, *u)
	}
	slices.SortFunc(l.Labels, func(a, b sources.Use) int {
		return cmp.Or(cmp.Compare(b.Filled, a.Filled), cmp.Compare(a.Name, b.Name))
	})
	for _, g := range l.folders {
		if g.n > 1 {
			l.Files[g.at].SHA256 = hex.EncodeToString(g.sum.Sum(nil))
		}
	}
	l.uses, l.folders = nil, nil
}

// shorten cuts a text for a table.
func shorten(s string) string {
	const most = 60
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}

// A fileSum is the SHA-256 of a whole file, made while it is read.
type fileSum struct {
	h hash.Hash
	n int64
}

func newFileSum() *fileSum { return &fileSum{h: sha256.New()} }

func (s *fileSum) write(b []byte) {
	s.h.Write(b)
	s.n += int64(len(b))
}

// rest adds what the framer had no need to read: the property list behind a large .emlx.
func (s *fileSum) rest(r io.ReaderAt, size int64) error {
	if s.n == size {
		return nil
	}
	_, err := io.Copy(s.h, io.NewSectionReader(r, s.n, size-s.n))
	return err
}

func (s *fileSum) done() []byte { return s.h.Sum(nil) }
