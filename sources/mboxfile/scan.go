package mboxfile

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"hsimport/sources"
	"hsimport/sources/mail"
)

// castagnoli is the polynomial that processors compute themselves.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A scan is the one pass over all inputs that fills the index and the ledger.
type scan struct {
	opts    Options
	zone    *time.Location
	exclude exclusion
	quoting quoting
	find    *finder
	temp    *tempDir
	index   *index
	ledger  *ledger
	dig     *digester
}

// newScan checks the options.
func newScan(opts Options, find *finder, temp *tempDir) (*scan, error) {
	s := &scan{opts: opts, exclude: newExclusion(opts.ExcludeLabels), find: find, temp: temp, dig: newDigester()}
	s.index = &index{ids: &idStore{temp: temp}}
	s.ledger = newLedger()
	switch opts.Quoting {
	case "", "mboxrd":
		s.quoting = quotedRD
	case "mboxo":
		s.quoting = quotedO
	case "none":
		s.quoting = quotedNot
	default:
		return nil, badOption("quoting", opts.Quoting, "mboxrd, mboxo, none")
	}
	switch opts.ThreadBy {
	case "", "auto", "gmail", "references":
	default:
		return nil, badOption("thread_by", opts.ThreadBy, "auto, gmail, references")
	}
	if opts.TimeZone != "" {
		zone, err := time.LoadLocation(opts.TimeZone)
		if err != nil {
			return nil, badOption("time_zone", opts.TimeZone, "an IANA name like Europe/Paris")
		}
		s.zone = zone
	}
	if s.opts.MaxMessage <= 0 {
		s.opts.MaxMessage = 256 << 20
	}
	s.opts.MaxMessage = min(s.opts.MaxMessage, math.MaxUint32)
	return s, nil
}

func badOption(key, got, want string) error {
	return &sources.InputError{
		Err:  fmt.Errorf("source.mbox.%s is %q", key, got),
		Hint: fmt.Sprintf("it can be %s", want),
	}
}

// input reads one file from its first to its last byte.
func (s *scan) input(ctx context.Context, in input) error {
	c, err := s.temp.open(ctx, in, s.find)
	if err != nil {
		return s.inputError(in, err)
	}
	f, err := os.Open(c.path)
	if err != nil {
		return s.inputError(in, plain(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return s.inputError(in, plain(err))
	}
	p := &pass{scan: s, in: in, content: c, name: s.find.name(in.path), size: info.Size(), file: uint32(len(s.index.files))}
	s.index.files = append(s.index.files, file{path: c.path, name: p.name, quoting: s.quoting})
	err = p.run(ctx, f)
	var ie *sources.InputError
	if err != nil && !errors.As(err, &ie) && ctx.Err() == nil {
		return fmt.Errorf("read %s: %w", p.name, plain(err))
	}
	return err
}

func (s *scan) inputError(in input, err error) error {
	hint := ""
	var ie *sources.InputError
	if errors.As(err, &ie) {
		err, hint = ie.Err, ie.Hint
	}
	return &sources.InputError{Position: sources.Position{File: s.find.name(in.path), Offset: -1}, Err: err, Hint: hint}
}

// A pass is the scan of one file.
type pass struct {
	*scan
	in      input
	content content
	name    string
	size    int64
	file    uint32
}

// run frames the file and takes every mail.
func (p *pass) run(ctx context.Context, r io.ReaderAt) error {
	f := newFramer(r, p.size, p.opts.MaxMessage)
	f.whole, f.emlx = p.content.format == oneMail, p.content.format == emlx
	if p.content.format == mboxFile {
		trusted, err := vote(r, p.size, p.opts.MaxMessage)
		if err != nil {
			return err
		}
		f.trusted = trusted
	}
	sum := newFileSum()
	f.w.tap = sum.write
	for n := 0; ; n++ {
		if n&255 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		fr, err := f.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := p.take(&fr); err != nil {
			return err
		}
	}
	if f.whole || f.emlx || f.trusted && f.odd.skipped.n > 0 {
		p.index.files[p.file].quoting = quotedNot
	}
	p.ledger.file(p, f, sum.done())
	return nil
}

// take puts one mail into the index, or counts why it does not belong there.
func (p *pass) take(fr *frame) error {
	records := &p.ledger.Records
	records.Found++
	if fr.refuse != "" {
		records.Unreadable++
		p.ledger.Refused = append(p.ledger.Refused, sources.Refusal{
			Position: sources.Position{File: p.name, Offset: fr.sepOff}, Bytes: fr.size, Reason: fr.refuse,
		})
		return nil
	}
	head := mail.ParseHead(fr.raw[:min(len(fr.raw), maxHead)], p.mailOptions(fr))
	own, _ := splitHead(fr.raw[:min(len(fr.raw), maxHead)])
	labels, expunged := p.labelsOf(head, own)
	rule := p.exclusion(head, labels, expunged)
	p.ledger.labels(labels, rule, head.Subject, p.name)
	if rule != "" {
		p.ledger.exclude(rule)
		return nil
	}
	r := p.record(fr, head)
	r.labels = p.index.labels.number(labels)
	p.addRefs(&r, head)
	p.index.add(r)
	id := head.MessageID
	if len(id) > maxKeyID {
		id = ""
	}
	return p.index.ids.add(id)
}

// mailOptions are what the place of a mail tells the decoder.
func (p *pass) mailOptions(fr *frame) mail.Options {
	o := mail.Options{Zone: p.zone, Position: sources.Position{File: p.name, Offset: fr.sepOff}}
	if fr.sep != nil && len(fr.sep) < maxSepDate {
		o.Separator, _ = mail.ParseSeparatorDate(fr.sep)
	}
	return o
}

// maxSepDate bounds the From_ lines that a date is taken from, so that the record's byte holds their length.
const maxSepDate = 250

// labelsOf are the labels of one copy of a mail: Gmail's where there are any, else the folder it lies in, and what the
// flags of the mail program say.
func (p *pass) labelsOf(head *mail.Head, own []byte) (labels []string, expunged bool) {
	marked, expunged := readMarks(own).labels()
	if len(head.Labels) > 0 {
		return unite(head.Labels, marked), expunged
	}
	var folder []string
	if p.in.folder != "" {
		folder = []string{p.in.folder}
	}
	return unite(folder, p.in.flags, marked), expunged
}

// exclusion is the rule that keeps a mail out, or empty.
func (p *pass) exclusion(head *mail.Head, labels []string, expunged bool) string {
	if expunged {
		return "expunged"
	}
	if label, ok := p.exclude.match(labels); ok {
		return "label " + label
	}
	if !p.opts.Until.IsZero() && !head.Date.IsZero() && !head.Date.Before(p.opts.Until) {
		return "after cut-over"
	}
	return ""
}

func (p *pass) record(fr *frame, head *mail.Head) record {
	r := record{
		off: fr.off, size: uint32(fr.size), file: p.file, date: unix(head.Date),
		check: crc32.Checksum(fr.raw, castagnoli), sep: separatorLength(fr),
	}
	sum := p.dig.digest(fr.raw)
	copy(r.digest[:], sum[:])
	if len(head.MessageID) <= maxKeyID {
		r.id = idHash(head.MessageID)
	}
	if n, err := strconv.ParseUint(head.GmailThread, 10, 64); err == nil {
		r.gmail = n
	}
	base, reply := mail.NormalizeSubject(head.Subject)
	if r.subject = idHash(strings.ToLower(base)); reply {
		r.flags |= isReply
	}
	if len(head.From) > 0 {
		r.sender = idHash(strings.ToLower(head.From[0].Email))
	}
	if fr.atEnd {
		r.flags |= atFileEnd
	}
	return r
}

func separatorLength(fr *frame) uint8 {
	if fr.sep == nil || len(fr.sep) >= maxSepDate {
		return 0
	}
	return uint8(fr.off - fr.sepOff)
}

// addRefs stores the mails that a mail answers: In-Reply-To, then References from the oldest.
func (p *pass) addRefs(r *record, head *mail.Head) {
	r.refs = uint32(p.index.refs.n)
	add := func(id string) {
		h := idHash(id)
		if h == 0 || h == r.id || r.nrefs == math.MaxUint16 {
			return
		}
		p.index.refs.add(h)
		r.nrefs++
	}
	for i, id := range head.InReplyTo {
		if i == 0 {
			r.flags |= hasParent
		}
		add(id)
	}
	for _, id := range head.References {
		add(id)
	}
}
