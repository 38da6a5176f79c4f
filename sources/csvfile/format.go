package csvfile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"hsimport/sources"
)

// A Format hands the records of files that are no delimited text to this package as rows of tables. It knows where
// records stand and how one is split into cells. What follows is the same for every table: identity, people, dates,
// sides, attachments, the ledger.
type Format interface {
	// Kind is the word of source.kind.
	Kind() string
	// Sheets looks the files of a job through and says, for each, which kinds of records are read from it.
	Sheets(ctx context.Context, files []*File) ([][]*Sheet, error)
}

// A File is an input of a Format: unpacked, in UTF-8, readable at any offset.
type File struct {
	Path     string // as the options name it; of a file inside an archive, that of the archive and on
	Name     string // for positions
	Part     Part   // the list of the options that names it
	Content  io.ReaderAt
	Size     int64
	Encoding string // as found
}

// A Part is what the records of a Sheet are.
type Part uint8

// The parts of an export.
const (
	TicketPart  Part = iota // a ticket each
	MessagePart             // a message each, with the ticket's columns
	JoinedPart              // messages of tickets that stand elsewhere, or in the same record
	UserPart                // users, who resolve ids
)

func (p Part) shape() shape {
	return [...]shape{ticketRows, messageRows, joinedRows, userRows}[p]
}

// A Sheet is one kind of record of one file.
type Sheet struct {
	Part   Part
	List   string   // where in the file its records stand; told beside the file's name when a file has several sheets
	Key    string   // the key of the configuration that its columns come from
	Header []string // all columns of a row
	Hidden int      // the last so many of Header are made of others and are not counted themselves
	// Made are, for each hidden column, the columns of Header it is made of: they count as mapped with it. Taken are
	// those of the sheet that this one is nested in.
	Made, Taken [][]int
	Problems    []sources.Problem // of the sheet as a whole
	Unread      []sources.Use     // lists of records of the file that no sheet reads: name, number, an example
	Nested      []*Sheet          // rows that stand within the records of this one: messages of a ticket
	// Use is called once for every column that the configuration uses, before any Split.
	Use func(column int, use CellUse)
	// Records begins to read. nil for nested sheets, as all below.
	Records func() Records
	// Split makes rows of one record: the first of this sheet, then those nested in it.
	Split func(raw []byte) ([]Row, error)
	// Wrap makes of a damaged record a text that can be given to a later run once it is mended.
	Wrap func(raw []byte) []byte
}

// CellUse says how several values go into one cell.
type CellUse uint8

// The uses of a cell.
const (
	FirstValue CellUse = iota // the first of them
	ListValue                 // all, as a list in brackets and quotes
	TextValue                 // all, separated by commas
)

// A Row is one row within a record. Cell i is Data[Ends[i-1]:Ends[i]].
type Row struct {
	Sheet     int // 0, or 1 + the place in Nested
	Off, Line int // where it stands, from the start of the record
	Data      []byte
	Ends      []uint32
	Notes     []sources.Problem // what was odd about it: code and text
}

// Records hands out a file in stretches, every byte in exactly one.
type Records interface {
	// Next returns the next stretch, valid until the next call, or io.EOF.
	Next() (*Stretch, error)
}

// A Stretch of a file.
type Stretch struct {
	Kind   StretchKind
	Off    int64
	Line   int
	Size   int64
	Raw    []byte // of a Record
	Reason string // of what is damaged or cut
}

// StretchKind says what a stretch is.
type StretchKind uint8

// The kinds of stretches.
const (
	Record  StretchKind = iota
	Between             // what stands around records
	Foreign             // a record of another sheet
	Damaged             // cannot be read
	Cut                 // the file ends within it
	Odd                 // of no size: Reason is a problem of the file as a whole
)

// OpenFormat is Open for files of another format; the columns of the options are those that its sheets have.
func OpenFormat(ctx context.Context, o Options, format Format) (*Source, error) {
	s := &Source{opts: o, format: format}
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Inputs opens the files of paths, one after the other, and shows them to visit. base is the folder that names are
// relative to; passed is about what folders hold besides.
func Inputs(ctx context.Context, paths []string, base string, format Format, visit func(*File) error) (passed []sources.Problem, err error) {
	s := &Source{opts: Options{Paths: paths, Base: base}, format: format}
	defer s.Close()
	if err := s.checkOptions(); err != nil {
		return nil, err
	}
	if err := s.openArchives(ctx); err != nil {
		return nil, err
	}
	all, err := s.expand(s.opts.Paths)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		in, err := s.openAny(p)
		if err != nil {
			return nil, err
		}
		err = visit(s.fileOf(in, TicketPart))
		in.close()
		if err != nil {
			return nil, s.formatError(in, err)
		}
	}
	return s.passed, nil
}

func (s *Source) fileOf(in *input, part Part) *File {
	// The copy of what is in an archive is gone when it is opened again.
	return &File{Path: s.archives.Original(in.path), Name: in.name, Part: part, Content: in.f, Size: in.size, Encoding: in.encoding}
}

// openAny opens and decodes a file of whatever format.
func (s *Source) openAny(path string) (*input, error) {
	name := s.name(path)
	in, err := openInput(path, name, s.opts.Encoding, false, s.temp.get)
	if err != nil {
		return nil, s.inputError(name, plainError(err), "")
	}
	s.markPacked(in)
	return in, nil
}

func (s *Source) formatError(in *input, err error) error {
	var known *sources.InputError
	if errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return s.inputError(in.name, plainError(err), "")
}

// openFormat opens the files of another format and binds the columns of their sheets: users first, then tickets, then
// messages, so that each finds what it refers to.
func (s *Source) openFormat(ctx context.Context) error {
	o := &s.opts
	s.layout, s.ruled = cmp.Or(o.Layout, Joined), map[string]bool{}
	type found struct {
		in    *input
		book  int
		sheet *Sheet
	}
	var all []found
	var files []*File
	for _, g := range []struct {
		paths []string
		part  Part
	}{{o.Users, UserPart}, {o.Paths, TicketPart}, {o.Messages, JoinedPart}} {
		paths, err := s.expand(g.paths)
		if err != nil {
			return err
		}
		for _, p := range paths {
			in, err := s.openAny(p)
			if err != nil {
				return err
			}
			s.inputs = append(s.inputs, in)
			files = append(files, s.fileOf(in, g.part))
		}
	}
	sheets, err := s.format.Sheets(ctx, files)
	if err != nil {
		return s.formatError(s.inputs[0], err)
	}
	for i, of := range sheets {
		for _, sheet := range of {
			all = append(all, found{s.inputs[i], i, sheet})
		}
	}
	order := func(p Part) int { return [...]int{1, 1, 2, 0}[p] }
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(order(a.sheet.Part), order(b.sheet.Part)) })
	counted := map[int]bool{}
	for _, x := range all {
		several := slices.ContainsFunc(all, func(y found) bool { return y.book == x.book && y.sheet != x.sheet })
		f, err := s.addSheet(x.in, x.book, x.sheet, several, nil)
		if err != nil {
			return err
		}
		f.counts = !counted[x.book]
		counted[x.book] = true
	}
	for _, column := range sortedKeys(o.Exclude) {
		if !s.ruled[column] {
			return s.inputError("source."+s.Kind(), fmt.Errorf("exclude: there is no path %q in the records", column), "")
		}
	}
	return nil
}

// addSheet makes a file of a sheet, and of those nested in it.
func (s *Source) addSheet(in *input, book int, sheet *Sheet, several bool, outer *file) (*file, error) {
	f := &file{
		no: len(s.files), book: book, in: in, sheet: sheet, size: in.size, line: 1, label: in.name, outer: outer,
	}
	if several && sheet.List != "" {
		f.label = in.name + " " + sheet.List
	}
	f.dates = dateReader{declared: s.formats, loc: s.loc}
	s.files = append(s.files, f)
	if err := s.bindSheet(f); err != nil {
		return nil, err
	}
	for _, n := range sheet.Nested {
		child, err := s.addSheet(in, book, n, false, f)
		if err != nil {
			return nil, err
		}
		child.label = f.label
		f.children = append(f.children, child)
	}
	return f, nil
}

// bindSheet ties the columns of the configuration to a sheet.
func (s *Source) bindSheet(f *file) error {
	o, sh := &s.opts, f.sheet
	columns, fields := o.Columns, o.Fields
	switch sh.Part {
	case JoinedPart:
		columns, fields = o.MessageColumns, nil
	case UserPart:
		columns, fields = o.UserColumns, nil
	}
	b, err := bind(sh.Part.shape(), sh.Header, columns, fields, o.IgnoreColumns, sh.Key, nil)
	if err != nil {
		var ce *columnError
		if !errors.As(err, &ce) {
			return s.inputError(f.label, err, "")
		}
		return s.inputError(f.label, errors.New(pathWords.Replace(ce.text)), pathWords.Replace(ce.hint))
	}
	f.b = b
	b.bindRules(o.Exclude, s.ruled)
	s.useColumns(f)
	if (b.has(attachments) || b.has(messageAttachments)) && f.root == nil {
		f.root = openRoot(s.attachmentsDir(f))
	}
	return nil
}

// pathWords are the words for what a header is in another format.
var pathWords = strings.NewReplacer(
	"there is no column", "there is no path", "in the header", "in the records", "the nearest headers are", "the nearest paths are",
	"the header lacks", "the records lack", " columns\n", " paths\n", "the header has", "the records have",
)

// useColumns tells the sheet how its cells are used, and counts what hidden columns are made of as mapped.
func (s *Source) useColumns(f *file) {
	b, sh := f.b, f.sheet
	uses := map[int]CellUse{}
	for r := range roleCount {
		for _, c := range b.cols[r] {
			use := FirstValue
			if r.list() {
				use = ListValue
			}
			uses[c] = max(uses[c], use)
		}
	}
	for _, field := range b.fields {
		for _, c := range field.cols {
			if _, used := uses[c]; !used {
				uses[c] = TextValue
			}
		}
	}
	for c := range len(b.header) {
		if u, used := uses[c]; used && sh.Use != nil {
			sh.Use(c, u)
		}
	}
	hidden := b.use[len(b.use)-sh.Hidden:]
	b.use = b.use[:len(b.use)-sh.Hidden]
	b.share(hidden, sh.Made)
	if f.outer != nil {
		f.outer.b.share(hidden, sh.Taken)
	}
}

// share counts the columns that hidden ones are made of as used with them.
func (b *binding) share(hidden []use, made [][]int) {
	for i, u := range hidden {
		if u.class == "" || i >= len(made) {
			continue
		}
		for _, c := range made[i] {
			if b.use[c].class == "" || b.use[c].class == sources.Ignored {
				b.use[c].class = u.class
			}
			b.use[c].as = append(b.use[c].as, u.as...)
		}
	}
}
