package csvfile

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"hsimport/sources"
)

// perTicket is a configuration of one row per ticket.
func perTicket() Options {
	return Options{TimeZone: "UTC", Columns: map[string]string{
		"ticket_id": "id", "subject": "subject", "created_at": "created", "description": "text",
	}}
}

// codes lists the codes of problems.
func codes(problems []sources.Problem) []string {
	var out []string
	for _, p := range problems {
		out = append(out, p.Code)
	}
	return out
}

func TestInputErrors(t *testing.T) {
	for _, tt := range []struct {
		name, content string
		change        func(*Options)
		want, hint    string
	}{
		{"empty file", "", nil, "a.csv: the file is empty: there is no header", ""},
		{"header missing", "id,subjekt,created,text\n1,a,b,c\n", nil, `a.csv:1: source.csv.columns subject: there is no column "subject" in the header`, `"subjekt"`},
		{
			"several missing", "report of today\nid,subjekt,when,text\n1,a,b,c\n", nil,
			"a.csv:2: source.csv.columns: the header lacks 2 columns\n  created_at: \"created\"\n  " +
				"subject: \"subject\" (the nearest is \"subjekt\")", `the header has "id", "subjekt", "when", "text"`,
		},
		{"unknown name of ours", "id,subject,created,text\n", func(o *Options) { o.Columns["reqester_email"] = "id" }, "a.csv:1: source.csv.columns: reqester_email is not a column name of this layout", "requester_email"},
		{"a name of another layout", "id,subject,created,text\n", func(o *Options) { o.Columns["message_id"] = "id" }, "a.csv:1: source.csv.columns: message_id is not a column name of this layout", ""},
		{"message-per-row without id", "id,subject,created,text\n", func(o *Options) {
			o.Layout = MessagePerRow
			o.Columns = map[string]string{"message_body": "text"}
		}, "a.csv: source.csv.columns: ticket_id is not mapped, and without it nobody can say which rows form a ticket", "ticket_id"},
		{"zone", "id\n", func(o *Options) { o.TimeZone = "Mars/Base" }, `source.csv: time_zone: "Mars/Base" is no IANA zone; write one such as UTC, Europe/Paris, America/New_York`, ""},
		{"layout", "id\n", func(o *Options) { o.Layout = "rows" }, `source.csv: layout: "rows" is none of ticket-per-row, message-per-row, joined`, ""},
		{"charset", "id\n", func(o *Options) { o.Encoding = "klingon" }, `a.csv: encoding: "klingon" is not a known charset; try utf-8, windows-1252, iso-8859-1, utf-16`, ""},
		{"cut archive", "PK\x03\x04....", nil, "a.csv: its directory is missing or damaged: the archive is not whole", "fetch the archive again; or unpack what can be saved and name the folder"},
		{"workbook", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", nil, "a.csv: this is an Outlook message or an old Office document, not an export: save mails as .eml, sheets as CSV UTF-8, and name those", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := perTicket()
			if tt.change != nil {
				tt.change(&o)
			}
			o.Base, o.Paths = write(t, "a.csv", tt.content)
			_, err := Open(context.Background(), o)
			var ie *sources.InputError
			if !errors.As(err, &ie) || err.Error() != tt.want || !strings.Contains(ie.Hint, tt.hint) {
				t.Errorf("error %v (%+v), want %s", err, ie, tt.want)
			}
		})
	}
	o := perTicket()
	o.Paths = []string{filepath.Join(t.TempDir(), "none.csv")}
	if _, err := Open(context.Background(), o); err == nil || !strings.Contains(err.Error(), "none.csv: there is no such file") {
		t.Errorf("error %v", err)
	}
}

// Every byte and every record is in one class, whatever is wrong with the rows.
func TestLedger(t *testing.T) {
	const (
		pre     = "\xef\xbb\xbfid,subject,created,text\n"
		good    = "1,Hi,2024-01-01,Hello\n2,Ho,2024-01-02,World\n"
		blank   = "\n,,,\n"
		short   = "3,He\n"
		long    = "4,a,2024-01-01,b,c\n"
		padded  = "5,a,2024-01-01,b,,\n"
		noID    = ",a,2024-01-01,b\n"
		damaged = "1.23E+11,a,2024-01-01,b\n"
		cut     = "6,a,20"
	)
	s := open(t, perTicket(), "a.csv", pre+good+blank+short+long+padded+noID+damaged+cut)
	l := s.Ledger()
	f := l.Files[0]
	for _, c := range []struct {
		name      string
		got, want int64
	}{
		{"preamble", f.Preamble, int64(len(pre))},
		{"message", f.Message, int64(len(good + short + padded))},
		{"blank", f.Blank, int64(len(blank))},
		{"refused", f.Refused, int64(len(long + noID + damaged))},
		{"truncated", f.Truncated, int64(len(cut))},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d bytes, want %d", c.name, c.got, c.want)
		}
	}
	if err := l.Check(); err != nil {
		t.Error(err)
	}
	var reasons []string
	for _, r := range l.Refused {
		reasons = append(reasons, r.Position.String()+" "+r.Reason)
	}
	want := []string{
		"a.csv:7 the row has 5 columns, the header has 4",
		"a.csv:9 the ticket id is empty",
		"a.csv:10 the ticket id 1.23E+11 has lost its digits in a spreadsheet; export again and do not open the file in one, or format the column as text",
		"a.csv:11 the file ends within this row: it has 3 columns, the header has 4",
	}
	if !slices.Equal(reasons, want) {
		t.Errorf("refusals\n%s", strings.Join(reasons, "\n"))
	}
	if s.Len() != 4 || len(ticket(t, s, "3").Messages) != 0 {
		t.Errorf("%d tickets", s.Len())
	}
	if !slices.Contains(codes(l.Problems), "short-rows") {
		t.Errorf("problems %v", l.Problems)
	}
}

func TestEncodings(t *testing.T) {
	const text = "id,subject,created,text\n1,Привет,2024-01-01,\"Не работает принтер на втором этаже,\nпомогите пожалуйста\"\n2,Ещё один,2024-01-02,Спасибо за ответ\n"
	encode := func(f func() ([]byte, error)) string {
		b, err := f()
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	packed := func(w func(*bytes.Buffer) error) string {
		var b bytes.Buffer
		if err := w(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	gz := packed(func(b *bytes.Buffer) error {
		w := gzip.NewWriter(b)
		w.Write([]byte(text))
		return w.Close()
	})
	zst := packed(func(b *bytes.Buffer) error {
		w, err := zstd.NewWriter(b)
		if err != nil {
			return err
		}
		w.Write([]byte(text))
		return w.Close()
	})
	cp1251 := encode(func() ([]byte, error) { return charmap.Windows1251.NewEncoder().Bytes([]byte(text)) })
	for _, tt := range []struct{ name, content, declared, encoding string }{
		{"utf-8", text, "", "utf-8"},
		{"utf-16 with BOM", encode(func() ([]byte, error) {
			return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(text))
		}), "", "utf-16le"},
		{"utf-16 without BOM declared", encode(func() ([]byte, error) {
			return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder().Bytes([]byte(text))
		}), "utf-16be", "utf-16be"},
		{"windows-1251 found", cp1251, "", "windows-1251"},
		{"windows-1251 declared", cp1251, "cp1251", "windows-1251"},
		{"koi8-r declared", encode(func() ([]byte, error) { return charmap.KOI8R.NewEncoder().Bytes([]byte(text)) }), "koi8-r", "koi8-r"},
		{"gzip", gz, "", "gzip+utf-8"},
		{"zstd", zst, "", "zstd+utf-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := perTicket()
			o.Encoding = tt.declared
			s := open(t, o, "a.csv", tt.content)
			tk := ticket(t, s, "1")
			if tk.Subject != "Привет" || !strings.HasSuffix(tk.Messages[0].Body, "\nпомогите пожалуйста") {
				t.Errorf("subject %q, body %q", tk.Subject, tk.Messages[0].Body)
			}
			f := s.Ledger().Files[0]
			if f.Encoding != tt.encoding || f.Stored != int64(len(tt.content)) || f.Sum() != f.Size {
				t.Errorf("ledger %+v", f)
			}
		})
	}
}

// Damaged UTF-8 is not taken for another charset; the message says so.
// An encoding that is declared and cannot be right is obeyed, and said.
func TestDoubtfulEncoding(t *testing.T) {
	for _, tt := range []struct {
		declared, text string
		doubtful       bool
	}{
		{"windows-1252", "Gr\u00fc\u00dfe", true},
		{"windows-1252", "Gr\xfc\xdfe", false},
		{"windows-1252", "plain", false},
		{"utf-8", "Gr\u00fc\u00dfe", false},
		{"utf-8", "Gr\xfc\xdfe", true},
		{"", "Gr\xfc\xdfe", false},
	} {
		o := perTicket()
		o.Encoding = tt.declared
		s := open(t, o, "a.csv", "id,subject,created,text\n1,a,2024-01-01,"+tt.text+"\n")
		if got := slices.Contains(codes(s.Ledger().Problems), "encoding-doubtful"); got != tt.doubtful {
			t.Errorf("%q declared as %s: %v", tt.text, tt.declared, s.Ledger().Problems)
		}
	}
}

func TestDamagedUTF8(t *testing.T) {
	s := open(t, perTicket(), "a.csv", "id,subject,created,text\n1,Grüße äöü ß éèê ñ,2024-01-01,caf\xe9 caf\x00é\n")
	m := ticket(t, s, "1").Messages[0]
	if m.Body != "caf\uFFFD café" || !slices.Equal(codes(m.Problems), []string{"nul-bytes", "bad-encoding"}) {
		t.Errorf("%q %v", m.Body, m.Problems)
	}
}

// A folder stands for the tables in it, whatever it is called; what lies hidden in it is none: a spreadsheet's lock, and
// what other systems put beside each file.
func TestFolder(t *testing.T) {
	const header = "id,subject,created,text\n"
	folder, _ := write(t, "a.csv", header+"1,s,2024-01-01,hello\n", "B.CSV", header+"2,s,2024-01-02,hello\n",
		".~lock.a.csv#", ",somebody,somewhere;", "._a.csv", "\x00\x05\x16\x07", "notes.txt", "none")
	dir := t.TempDir()
	if err := errors.Join(os.Rename(folder, filepath.Join(dir, "old [1]")), os.Mkdir(filepath.Join(dir, "empty"), 0o755)); err != nil {
		t.Fatal(err)
	}
	o := perTicket()
	o.Base, o.Paths = dir, []string{filepath.Join(dir, "old [1]")}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if files := s.Ledger().Files; s.Len() != 2 || len(files) != 2 || files[0].Path != "old [1]/B.CSV" || files[1].Path != "old [1]/a.csv" {
		t.Errorf("%d tickets in %+v", s.Len(), files)
	}
	o.Paths = []string{filepath.Join(dir, "empty")}
	if _, err := Open(t.Context(), o); err == nil || err.Error() != "empty: no table (.csv, .tsv) is in this folder" {
		t.Errorf("error %v", err)
	}
}

// Close leaves nothing behind in the temporary folder.
func TestCloseRemovesCopies(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	o := perTicket()
	o.Encoding = "windows-1252"
	o.Base, o.Paths = write(t, "a.csv", "id,subject,created,text\n1,Gr\xfc\xdfe,2024-01-01,x\n")
	s, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) != 1 {
		t.Errorf("%d entries while open", len(left))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}

func TestChangedFileStops(t *testing.T) {
	o := perTicket()
	o.Base, o.Paths = write(t, "a.csv", "id,subject,created,text\n1,Hi,2024-01-01,Hello\n")
	s, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := os.WriteFile(o.Paths[0], []byte("id,subject,created,text\n1,Hi,2024-01-01,Hallo\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = s.Ticket(context.Background(), 0)
	var re *sources.RecordError
	if !errors.Is(err, sources.ErrChanged) || errors.As(err, &re) {
		t.Errorf("error %v", err)
	}
}

func TestCutOver(t *testing.T) {
	o := canonical()
	o.Until = time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
	s := open(t, o, "a.csv", rowsOf(identityRows...))
	r := s.Ledger().Records
	if r.Excluded != 3 || r.ExcludedBy["after cut-over"] != 3 || s.Ledger().Check() != nil {
		t.Errorf("records %+v", r)
	}
	// Ticket 3 has no date, so no rule leaves it out.
	if _, ok := s.Find("1"); ok || s.Len() != 2 {
		t.Errorf("%d tickets", s.Len())
	}
	names(t, s)
}

// Attachments never lead out of the table's folder, however the path is spelled.
func TestAttachmentsStayInside(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret.txt"), []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	row := func(cell string) string {
		return "1,s,open,a@x.example,A,,2024-01-01 00:00:00,,,low,,a@x.example,A,customer,b,text,2024-01-01 00:00:00," + cell + ","
	}
	cell := "../secret.txt|" + outside + "/secret.txt|link/secret.txt|sub\\in.txt|sub|a;b.txt"
	dir, paths := write(t, "a.csv", rowsOf(row(cell)), "a;b.txt", "x")
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sub", "in.txt"), []byte("inside"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	o := canonical()
	o.Paths, o.Base = paths, dir
	s, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var got []string
	for _, a := range ticket(t, s, "1").Messages[0].Attachments {
		state := "here"
		if a.Missing != "" {
			state = "missing"
		}
		if (a.Open == nil) != (a.Missing != "") || a.Name == "" || a.MIMEType == "" {
			t.Errorf("attachment %+v", a)
		}
		got = append(got, a.Name+" "+state)
	}
	want := []string{
		"secret.txt missing", "secret.txt missing", "secret.txt missing", "in.txt here", "sub missing", "a missing", "b.txt missing",
	}
	if !slices.Equal(got, want) {
		t.Errorf("attachments %q", got)
	}
	if l := s.Ledger().Attachments; l.Found != 7 || l.Missing != 6 || l.Bytes != 6 {
		t.Errorf("ledger %+v", l)
	}
}

// The index gives the same answers when most of it lies in a file.
func TestSpilledIndex(t *testing.T) {
	const tickets, n = 5000, 20*chunkRows + 5
	of := func(i int) uint32 { return uint32(i*i+i) % tickets }
	var want *sortedRows
	for _, memory := range []int{n, chunkRows} {
		dir := t.TempDir()
		rows := newRowTable(func() (string, error) { return dir, nil })
		rows.memoryRows = memory
		firsts := make([]uint32, tickets+1)
		for i := range n {
			firsts[of(i)+1]++
			if err := rows.add(rowRef{where: uint64(i) * 7, sum: uint64(i) << 32, ticket: of(i), size: uint32(i), line: 2, mark: 3}); err != nil {
				t.Fatal(err)
			}
		}
		if err := rows.flush(); err != nil {
			t.Fatal(err)
		}
		for i := range tickets {
			firsts[i+1] += firsts[i]
		}
		seen := 0
		sorted, err := rows.byTicket(firsts, func(group []rowRef) { seen += len(group) })
		if err != nil || seen != n {
			t.Fatalf("%d rows seen, %v", seen, err)
		}
		rows.close()
		defer sorted.close()
		if want == nil {
			want = sorted
			continue
		}
		if sorted.file == nil {
			t.Fatal("nothing was written to a file")
		}
		for i := range tickets {
			got, err := sorted.group(firsts[i], firsts[i+1], nil)
			if err != nil || !slices.Equal(got, want.mem[firsts[i]:firsts[i+1]]) {
				t.Fatalf("ticket %d: rows %v, %v", i, got, err)
			}
			for k, r := range got {
				if r.ticket != uint32(i) || k > 0 && r.where <= got[k-1].where {
					t.Fatalf("ticket %d: rows %v", i, got)
				}
			}
		}
	}
}

// Tickets may be read by several goroutines at once.
func TestTicketConcurrently(t *testing.T) {
	s := open(t, canonical(), "a.csv", rowsOf(identityRows...))
	want := names(t, s)
	var g errgroup.Group
	for range 4 {
		g.Go(func() error {
			for range 50 {
				for i := range s.Len() {
					tk, err := s.Ticket(context.Background(), i)
					if err != nil {
						return err
					}
					for _, m := range tk.Messages {
						if name := fmt.Sprint(tk.Key, " ", m.Key, " ", m.Digest[:8]); !slices.Contains(want, name) {
							return fmt.Errorf("%s was not read alone", name)
						}
					}
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

// TestForeignBeyondTheFirstBytes: a file is taken for UTF-8 by how it begins, and looked at again when its end says
// otherwise.
func TestForeignBeyondTheFirstBytes(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("id,subject,created,text\n")
	for i := 1; rows.Len() < 2*sampleSize; i++ {
		fmt.Fprintf(&rows, "%d,plain,2024-01-01,nothing but ASCII so far\n", i)
	}
	rows.WriteString("last,Gr\xfc\xdfe,2024-01-01,caf\xe9 vu\n")
	s := open(t, perTicket(), "a.csv", rows.String())
	if got := s.Ledger().Files[0].Encoding; got == "utf-8" {
		t.Errorf("the encoding is %s", got)
	}
	if m := ticket(t, s, "last").Messages[0]; m.Body != "café vu" {
		t.Errorf("the last text is %q", m.Body)
	}
	again := open(t, perTicket(), "a.csv", rows.String()[:2*sampleSize])
	if again.Ledger().Files[0].Encoding != "utf-8" || len(again.Ledger().Files[0].SHA256) != 64 {
		t.Errorf("without its end: %+v", again.Ledger().Files[0])
	}
}
