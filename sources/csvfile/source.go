package csvfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"hsimport/sources"
	"hsimport/sources/archive"
	"hsimport/sources/fetch"
)

// A Source is an indexed set of tables. All methods but Close are safe for concurrent use.
type Source struct {
	opts    Options
	format  Format          // nil: delimited text
	inputs  []*input        // of another format
	ruled   map[string]bool // rules of exclude that found their column
	layout  string
	formats []dateFormat
	loc     *time.Location // of dates without a zone
	zoned   bool           // loc was named
	files   []*file
	users   map[string]sources.Person
	met     map[string]sources.Person // by ids that tickets name with their people
	rows    *sortedRows
	tickets *ticketTable
	entries *refTable // of tickets, in the order of entries
	placeOf []uint32  // by number
	ledger  sources.Ledger
	digest  string
	temp    tempDir
	seed    maphash.Seed
	stats   *stats // of a survey; else nil
	later   bool   // what only all bytes of a file tell is read beside the index's pass
	desk    *fetch.Desk

	archives archive.Set       // those that paths lead into
	passed   []sources.Problem // about what folders hold beside tables

	builders sync.Pool // of *builder: their buffers serve one ticket after the other
}

// A file is one table of the source.
type file struct {
	no     int
	in     *input
	d      found
	b      *binding
	dates  dateReader
	facts  [roleCount]dateFacts
	root   *os.Root
	header []byte // the header row as it stands in the file
	begin  int64  // of the first row after the header
	line   int
	size   int64

	rowCount int // read, without blank and refused ones

	book     int    // its ledger: files of another format share one input
	label    string // its name where columns are told; of several sheets of one input the list too
	sheet    *Sheet // of another format; else nil
	counts   bool   // what stands between records is counted with this sheet
	begun    bool   // a record was seen
	outer    *file  // its rows stand within the records of this one
	children []*file
}

// The layouts.
const (
	TicketPerRow  = "ticket-per-row"
	MessagePerRow = "message-per-row"
	Joined        = "joined"
)

// Kind is the name of this format in configurations and checkpoints.
func (s *Source) Kind() string {
	if s.format != nil {
		return s.format.Kind()
	}
	return "csv"
}

// KeyRule names the rule that makes keys: csv/id-v1 where the ticket id is a column, else csv/digest-v1. Under another
// rule the same ticket has another key, so a job never changes its rule.
func (s *Source) KeyRule() string {
	for _, f := range s.files {
		if f.b.shape != userRows && f.outer == nil && !f.b.has(ticketID) {
			return s.Kind() + "/digest-v1"
		}
	}
	return s.Kind() + "/id-v1"
}

// Len is the number of tickets.
func (s *Source) Len() int { return s.entries.n }

// Entry is what the index knows of ticket i, 0 <= i < Len. Where the index itself cannot be read any more the entry is
// zero, and Ticket says why.
func (s *Source) Entry(i int) sources.Entry {
	r, err := s.entries.get(i)
	if err != nil {
		return sources.Entry{}
	}
	var buf []byte
	e := sources.Entry{Key: sources.Key(s.tickets.keys.key(r.number, &buf)), Messages: int(r.messages)}
	if r.created != noTime {
		e.Created = time.Unix(r.created, 0).UTC()
		e.Last = e.Created.Add(time.Duration(r.span) * time.Second)
	}
	return e
}

// Find returns the place of a ticket in the order of entries.
func (s *Source) Find(k sources.Key) (int, bool) {
	var buf []byte
	n, ok := s.tickets.find([]byte(k), &buf)
	if !ok || s.placeOf[n] == noPlace {
		return 0, false
	}
	return int(s.placeOf[n]), true
}

const noPlace = 1<<32 - 1

// Ledger is the account of the input, complete after Open. It must not be changed.
func (s *Source) Ledger() *sources.Ledger { return &s.ledger }

// Digest is a hex SHA-256 over the contents of the files, whatever their names and order.
func (s *Source) Digest() string { return s.digest }

// WriteRejects writes the rows that were refused, with the header of their file before them, so that they can be mended
// and given to a later run as a table of their own. It returns how many stretches it wrote; what a file ends within is
// among them.
func (s *Source) WriteRejects(w io.Writer) (n int, err error) {
	var last *file
	for _, r := range s.ledger.Refused {
		i := slices.IndexFunc(s.files, func(f *file) bool { return f.in.name == r.Position.File })
		if i < 0 {
			continue
		}
		if f := s.files[i]; f != last && f.sheet == nil {
			if _, err := w.Write(withLineEnd(f.header)); err != nil {
				return n, err
			}
			last = f
		}
		raw := make([]byte, min(r.Bytes, s.opts.MaxRecord))
		if _, err := s.files[i].in.f.ReadAt(raw, r.Position.Offset); err != nil {
			return n, s.inputError(r.Position.File, plainError(err), "")
		}
		if sheet := s.files[i].sheet; sheet != nil {
			raw = sheet.Wrap(raw)
		}
		if _, err := w.Write(withLineEnd(raw)); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func withLineEnd(row []byte) []byte {
	if len(row) > 0 && row[len(row)-1] != '\n' && row[len(row)-1] != '\r' {
		return append(row[:len(row):len(row)], '\n')
	}
	return row
}

// Close closes the files and removes temporary copies. Attachments that are still open stay readable.
func (s *Source) Close() error {
	for _, f := range s.files {
		if f.sheet == nil {
			f.in.close()
		}
		if f.root != nil {
			f.root.Close()
		}
	}
	for _, in := range s.inputs {
		in.close()
	}
	s.files, s.inputs = nil, nil
	if s.rows != nil {
		s.rows.close()
	}
	if s.tickets != nil {
		s.tickets.keys.close()
	}
	s.entries.close()
	return errors.Join(s.desk.Close(), s.temp.remove(), s.archives.Close())
}

// Open indexes the tables that the options name. What is wrong with the input as a whole (no file, no header, a column
// that the configuration names and the file lacks) is an *sources.InputError; rows that cannot be read are refusals in
// the ledger; what a person has to decide before a run is a problem in the ledger that blocks the job.
func Open(ctx context.Context, o Options) (*Source, error) {
	s := &Source{opts: o, later: true}
	err := s.open(ctx)
	if errors.Is(err, errNotUTF8) {
		s.Close()
		s = &Source{opts: o} // which looks at all of a file before it takes it for anything
		err = s.open(ctx)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Source) open(ctx context.Context) error {
	if err := s.checkOptions(); err != nil {
		return err
	}
	var err error
	if s.desk, err = fetch.OpenDesk(s.opts.Cache, s.opts.LegacyHosts); err != nil {
		return err
	}
	if err := s.openArchives(ctx); err != nil {
		return err
	}
	openFiles := s.openFiles
	if s.format != nil {
		openFiles = s.openFormat
	}
	if err := openFiles(ctx); err != nil {
		return err
	}
	if err := s.index(ctx); err != nil {
		return err
	}
	return s.ledger.Check()
}

// checkOptions reads those options that can be wrong by themselves.
func (s *Source) checkOptions() error {
	o := &s.opts
	bad := func(err error) error {
		return &sources.InputError{Position: sources.Position{File: "source." + s.Kind()}, Err: err}
	}
	switch o.Layout {
	case "", TicketPerRow, MessagePerRow, Joined:
	default:
		return bad(fmt.Errorf("layout: %q is none of ticket-per-row, message-per-row, joined", o.Layout))
	}
	var err error
	if s.formats, err = dateFormats(o.DateFormats); err != nil {
		return bad(err)
	}
	s.loc = time.UTC
	if o.TimeZone != "" && o.TimeZone != "?" {
		if s.loc, err = zoneNamed(o.TimeZone); err != nil {
			return bad(err)
		}
		s.zoned = true
	}
	if o.MaxRecord == 0 {
		o.MaxRecord = 64 << 20
	}
	if o.MaxRecord < 0 || o.MaxRecord > 1<<31 {
		return bad(fmt.Errorf("max_record: %d is not between 1 and 2147483648 bytes", o.MaxRecord))
	}
	if o.memory == (indexMemory{}) {
		o.memory = defaultMemory
	}
	if len(o.Paths) == 0 {
		return bad(errors.New("paths: no file is named"))
	}
	return nil
}

// zoneNamed loads an IANA zone, or reads a fixed offset as +02:00.
func zoneNamed(name string) (*time.Location, error) {
	if len(name) == 6 && (name[0] == '+' || name[0] == '-') {
		if t, err := time.Parse("-07:00", name); err == nil {
			_, offset := t.Zone()
			return time.FixedZone(name, offset), nil
		}
	}
	if strings.EqualFold(name, "local") {
		return nil, errors.New("time_zone: Local differs from machine to machine; name the zone, such as Europe/Paris")
	}
	loc, err := sources.LoadZone(name)
	if err != nil {
		return nil, fmt.Errorf("time_zone: %q is no IANA zone; write one such as UTC, Europe/Paris, America/New_York", name)
	}
	return loc, nil
}

// openFiles opens every table, reads its header and binds its columns.
func (s *Source) openFiles(ctx context.Context) error {
	o := &s.opts
	groups := []struct {
		paths   []string
		shape   shape
		columns map[string]string
		fields  map[string]string
		key     string
	}{
		{o.Users, userRows, o.UserColumns, nil, "source.csv.user_columns"},
		{o.Paths, ticketRows, o.Columns, o.Fields, "source.csv.columns"},
		{o.Messages, joinedRows, o.MessageColumns, nil, "source.csv.message_columns"},
	}
	for _, g := range groups {
		paths, err := s.expand(g.paths)
		if err != nil {
			return err
		}
		var heads [][]headRow
		for _, p := range paths {
			if err := ctx.Err(); err != nil {
				return err
			}
			head, err := s.openTable(p)
			if err != nil {
				return err
			}
			heads = append(heads, head)
		}
		for _, head := range heads {
			if err := s.bindFile(head[0].file, g.shape, g.columns, g.fields, g.key, heads); err != nil {
				return err
			}
		}
	}
	if s.layout == Joined && len(o.Messages) == 0 {
		return s.inputError(s.files[0].in.name, errors.New("layout joined needs messages: the files of comments"), "")
	}
	return nil
}

// openTable opens one table as far as its first rows.
func (s *Source) openTable(path string) ([]headRow, error) {
	f, err := s.openFile(path)
	if err != nil {
		return nil, err
	}
	rows, err := f.firstRows(s.opts.MaxRecord, headerRows)
	if err == nil && len(rows) == 0 {
		err = errors.New("the file is empty: there is no header")
	}
	if err != nil {
		return nil, s.inputError(f.in.name, err, "")
	}
	return rows, nil
}

// expand makes a sorted list of files of globs and folders.
func (s *Source) expand(paths []string) ([]string, error) {
	var out []string
	for _, p := range paths {
		st, err := os.Stat(p)
		if err == nil && !st.IsDir() {
			out = append(out, p)
			continue
		}
		var found []string
		missing := "there is no such file"
		if err == nil {
			missing = "no " + s.what() + " is in this folder"
			found, err = s.tablesIn(p)
		} else {
			found, err = filepath.Glob(p)
		}
		if err != nil || len(found) == 0 {
			return nil, s.inputError(s.name(p), errors.New(missing), "check source.paths; they are "+
				"relative to the configuration")
		}
		slices.Sort(found)
		out = append(out, found...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// name is how positions call a path: relative to the configuration.
func (s *Source) name(p string) string {
	in, inside, packed := s.archives.Inside(p)
	p = s.archives.Original(p)
	if s.opts.Base != "" {
		if rel, err := filepath.Rel(s.opts.Base, p); err == nil {
			return filepath.ToSlash(rel)
		}
	}
	if packed {
		return filepath.ToSlash(filepath.Join(filepath.Base(in), inside))
	}
	return filepath.ToSlash(filepath.Base(p))
}

func (s *Source) inputError(name string, err error, hint string) error {
	return &sources.InputError{Position: sources.Position{File: name, Offset: -1}, Err: err, Hint: hint}
}

// openFile opens one table as far as its dialect.
func (s *Source) openFile(path string) (*file, error) {
	name := s.name(path)
	in, err := openInput(path, name, s.opts.Encoding, s.later, s.temp.get)
	if err != nil {
		return nil, s.inputError(name, plainError(err), "")
	}
	s.markPacked(in)
	f := &file{no: len(s.files), book: len(s.files), in: in, label: in.name, size: in.size}
	s.files = append(s.files, f)
	sample := make([]byte, sampleSize)
	n, err := in.f.ReadAt(sample, 0)
	if err != nil && err != io.EOF {
		return nil, s.inputError(name, err, "")
	}
	if f.d, err = sniff(sample[:n], int64(n) == f.size, &s.opts); err != nil {
		return nil, s.inputError(name, err, "")
	}
	f.dates = dateReader{declared: s.formats, loc: s.loc}
	return f, nil
}

// plainError takes the path out of an error of the operating system: the position names the file already.
func plainError(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s: %w", pe.Op, pe.Err)
	}
	return err
}

// contentDigest is the digest over the digests of all files.
func (s *Source) contentDigest() string {
	var all []string
	for _, f := range s.files {
		if f.outer == nil {
			all = append(all, fmt.Sprintf("%d %s\n", f.b.shape, f.in.sha))
		}
	}
	slices.Sort(all)
	h := sha256.New()
	for _, line := range all {
		h.Write([]byte(line))
	}
	return hex.EncodeToString(h.Sum(nil))
}
