package csvfile

import (
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// frames reads text into rows as a table of the given width, and returns what was refused beside them. It fails the
// test when a byte is in no record or in two.
func frames(t testing.TB, text string, d dialect, width int) (rows [][]string, refused []string) {
	t.Helper()
	r := newReader(strings.NewReader(text), d, 0, 1, 1<<20)
	r.width = width
	var scratch []byte
	var at int64
	for {
		rec, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec.off != at || rec.size <= 0 {
			t.Fatalf("a record at %d of %d bytes follows one that ended at %d", rec.off, rec.size, at)
		}
		if want := 1 + strings.Count(text[:at], "\n"); !d.cr && rec.line != want {
			t.Fatalf("the record at %d is said to be on line %d, it is on %d", at, rec.line, want)
		}
		at += rec.size
		switch rec.kind {
		case rowRecord:
			var row []string
			for i := range rec.spans {
				row = append(row, string(rec.cell(i, &d, &scratch)))
			}
			rows = append(rows, row)
		case refusedRecord, cutRecord:
			refused = append(refused, text[rec.off:rec.off+rec.size])
		}
	}
	if at != int64(len(text)) {
		t.Fatalf("the records end at %d, the text at %d", at, len(text))
	}
	return rows, refused
}

var comma = dialect{delim: ',', quote: '"'}

func TestReader(t *testing.T) {
	for _, tt := range []struct {
		name    string
		text    string
		width   int
		rows    [][]string
		refused []string
	}{
		{"plain", "a,b\nc,d", 2, [][]string{{"a", "b"}, {"c", "d"}}, nil},
		{"quoted line breaks", "a,\"b\r\nc\"\r\nd,e\r\n", 2, [][]string{{"a", "b\r\nc"}, {"d", "e"}}, nil},
		{"doubled quotes", `a,"say ""hi"""`, 2, [][]string{{"a", `say "hi"`}}, nil},
		{"blank rows", "a,b\n\n , \n,\nc,d\n", 2, [][]string{{"a", "b"}, {"c", "d"}}, nil},
		{"quote within a bare field", "5\" pipe,b\n", 2, [][]string{{`5" pipe`, "b"}}, nil},
		{"stray quotes within a field", "1,\"he said \"no\" twice\",x\n2,b,c\n", 3, [][]string{{"1", `he said "no" twice`, "x"}, {"2", "b", "c"}}, nil},
		{"text after a closing quote", "1,\"abc\"def,x\n2,\"y\",z\n", 3, [][]string{{"1", `abc"def`, "x"}, {"2", "y", "z"}}, nil},
		{"ragged", "a,b,c,d\nx\ny,z\n", 4, [][]string{{"a", "b", "c", "d"}, {"x"}, {"y", "z"}}, nil},
		{"row quoted as a whole", "1,a,b,c\n\"2,x,\"\"a, b\"\",c\"\n", 4, [][]string{{"1", "a", "b", "c"}, {"2", "x", "a, b", "c"}}, nil},
		{
			"a quote that is never closed costs one row", "1,\"open,b,c\n2,a,\"b\",c\n3,a,b,c\n", 4,
			[][]string{{"2", "a", "b", "c"}, {"3", "a", "b", "c"}},
			[]string{"1,\"open,b,c\n"},
		},
		{"the file ends within quotes", "1,a,b,c\n2,a,\"b", 4, [][]string{{"1", "a", "b", "c"}}, []string{"2,a,\"b"}},
		{"a narrow table is not resynchronised by guess", "1,\"a\n2,\"b\n3,c\n", 2, nil, []string{"1,\"a\n2,\"b\n3,c\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows, refused := frames(t, tt.text, comma, tt.width)
			if !slices.EqualFunc(rows, tt.rows, slices.Equal[[]string]) {
				t.Errorf("rows %q, want %q", rows, tt.rows)
			}
			if !slices.Equal(refused, tt.refused) {
				t.Errorf("refused %q, want %q", refused, tt.refused)
			}
		})
	}
}

func TestReaderOldMacLines(t *testing.T) {
	rows, _ := frames(t, "a,b\r1,\"x\ry\"\r2,z", dialect{delim: ',', quote: '"', cr: true}, 2)
	if len(rows) != 3 || rows[1][1] != "x\ry" {
		t.Errorf("rows %q", rows)
	}
}

// A row beyond the limit is refused without being held in memory, and reading goes on behind it.
func TestReaderLimitsRows(t *testing.T) {
	const limit = 1 << 19
	text := "a,b,c,d\n1,\"" + strings.Repeat("x", 3*limit) + "\n2,a,b,c\n3,a,b,c\n"
	r := newReader(iotest.OneByteReader(strings.NewReader(text)), comma, 0, 1, limit)
	r.width = 4
	var kinds []recordKind
	for {
		rec, err := r.next()
		if err != nil {
			break
		}
		kinds = append(kinds, rec.kind)
	}
	if want := []recordKind{rowRecord, refusedRecord, rowRecord, rowRecord}; !slices.Equal(kinds, want) {
		t.Errorf("kinds %v, want %v", kinds, want)
	}
	if len(r.buf) > 4*limit {
		t.Errorf("the buffer has grown to %d bytes under a limit of %d", len(r.buf), limit)
	}
}

// FuzzReader holds the reader to its ledger, and to encoding/csv wherever that takes the text as it is.
func FuzzReader(f *testing.F) {
	for _, s := range []string{
		"a,b\n1,2\n", "a,\"b\n\"\"c\",d\n", "\"a\"b,c\nd,\"e", "a,b\r\nc,d\r\n", "\"1,2,3,4\"\n\"\"\"x\"\",2,3,4\"\n", "a\x00,b\n", "\r\n\r",
	} {
		f.Add(s, 4)
	}
	f.Fuzz(func(t *testing.T, text string, width int) {
		if len(text) > 1<<16 {
			return
		}
		width = 1 + (width&0xff)%8
		rows, refused := frames(t, text, comma, width)
		std := csv.NewReader(strings.NewReader(text))
		std.FieldsPerRecord = -1
		want, err := std.ReadAll()
		if err != nil || strings.ContainsAny(text, "\r\x00") || width == 2 {
			return
		}
		if len(refused) > 0 {
			t.Fatalf("refused %q, which encoding/csv reads", refused)
		}
		if slices.ContainsFunc(want, func(row []string) bool { return len(row) == 1 }) {
			return // it may be a row that was quoted as a whole
		}
		want = slices.DeleteFunc(want, func(row []string) bool {
			return !slices.ContainsFunc(row, func(c string) bool { return strings.Trim(c, " \t\r\n") != "" })
		})
		if !slices.EqualFunc(rows, want, slices.Equal[[]string]) {
			t.Fatalf("rows %q, encoding/csv %q", rows, want)
		}
	})
}
