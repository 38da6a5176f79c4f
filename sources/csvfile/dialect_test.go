package csvfile

import (
	"testing"
)

func TestSniff(t *testing.T) {
	for _, tt := range []struct {
		name, text   string
		delim, quote byte
		lineEnd      string
		start        int
	}{
		{"commas", "a,b,c\n1,2,3\n", ',', '"', "LF", 0},
		{"semicolons with decimal commas", "a;b;c\n1,5;2,5;x\n2,5;3,5;y\n", ';', '"', "LF", 0},
		{"tabs with commas in the text", "id\ttext\n1\tone, two, three\n2\tfour, five\n", '\t', '"', "LF", 0},
		{"pipes", "a|b\r\n1|2\r\n", '|', '"', "CRLF", 0},
		{"BOM", "\xef\xbb\xbfa;b\n1;2\n", ';', '"', "LF", 3},
		{"sep line", "sep=;\r\na,x;b\r\n1;2\r\n", ';', '"', "CRLF", 7},
		{"quoted delimiters and lines", "a,b\n\"1;2;3\n4;5;6\",x\n\";;;\",y\n", ',', '"', "LF", 0},
		{"single quotes", "a,b\n'x,y',1\n'z,w',2\n", ',', '\'', "LF", 0},
		{"apostrophes are no quotes", "a,b\nit's,1\ndon't,2\n", ',', '"', "LF", 0},
		{"one column", "name\nAnn\nBob\n", ',', '"', "LF", 0},
		{"old Mac", "a;b\r1;2\r", ';', '"', "CR", 0},
		{"nothing", "", ',', '"', "LF", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := sniff([]byte(tt.text), true, &Options{})
			if err != nil {
				t.Fatal(err)
			}
			if f.delim != tt.delim || f.quote != tt.quote || f.lineEnd != tt.lineEnd || f.start != tt.start {
				t.Errorf("delimiter %q, quote %q, line end %s, start %d", f.delim, f.quote, f.lineEnd, f.start)
			}
		})
	}
}

func TestSniffObeysOptions(t *testing.T) {
	f, err := sniff([]byte("a,b;c\n1,2;3\n"), true, &Options{Delimiter: "semicolon", Quote: "'"})
	if err != nil || f.delim != ';' || f.quote != '\'' {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err = sniff([]byte("sep=;\na,b;c\n1,2;3\n"), true, &Options{Delimiter: ","}); err != nil || f.delim != ',' || f.start != 6 {
		t.Errorf("beside a sep= line: %+v, %v", f, err)
	}
	for _, o := range []Options{{Delimiter: "ab"}, {Quote: "é"}, {Delimiter: "\n"}, {Delimiter: ";", Quote: ";"}} {
		if _, err := sniff([]byte("a;b\n"), true, &o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

// FuzzSniff: whatever a file begins with, a dialect comes out under which every byte of it is accounted for.
func FuzzSniff(f *testing.F) {
	for _, s := range []string{"a,b\n1,2", "sep=|\na|b\n", "\xef\xbb\xbf\"a\";\"b\"\r\n", "'a'\t'b'\n", "\r\r\r", "\"", "sep=\"\n\"\n"} {
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, sample []byte, whole bool) {
		if len(sample) > 1<<14 {
			return
		}
		d, err := sniff(sample, whole, &Options{})
		if err != nil {
			return // a sep= line that names the quote
		}
		if d.delim == d.quote || d.delim == 0 || d.start > len(sample) {
			t.Fatalf("%+v", d)
		}
		frames(t, string(sample[d.start:]), d.dialect, 3)
	})
}
