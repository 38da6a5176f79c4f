package csvfile

import (
	"slices"
	"strings"
	"testing"
)

func TestEscapes(t *testing.T) {
	for _, tt := range []struct {
		name, text    string
		delim, quote  byte
		escape        byte
		second, third []string // the rows after the header
	}{
		{
			"escaped quotes in quotes", "id,text,more\n1,\"he said \\\"no\\\", twice\",x\n2,\"C:\\\\new\\\\\",y\n", ',', '"', '\\',
			[]string{"1", `he said "no", twice`, "x"},
			[]string{"2", `C:\new\`, "y"},
		},
		{
			"doubled quotes beside escaped ones", "id,text,more\n1,\"a \\\"b\\\", c\",x\n2,\"a \"\"b\"\"\",y\n", ',', '"', '\\',
			[]string{"1", `a "b", c`, "x"},
			[]string{"2", `a "b"`, "y"},
		},
		{
			"a folder at the end of a cell is no escape", "id,text,more\n1,\"C:\\new\\\",x\n2,\"D:\\\",\"y\"\n", ',', '"', 0,
			[]string{"1", `C:\new\`, "x"},
			[]string{"2", `D:\`, "y"},
		},
		{
			"a database's table of tabs", "id\ttext\tmore\n1\tone\\\ttwo\\\nthree\\nfour\t\\N\n2\t\"quoted\" and more\tC:\\\\new\n", '\t', 0, '\\',
			[]string{"1", "one\ttwo\nthree\nfour", ""},
			[]string{"2", `"quoted" and more`, `C:\new`},
		},
		{
			"nulls of a warehouse that doubles quotes", "id,text,more\n1,\"say \"\"hi\"\" in C:\\new\",\\N\n2,\"b\",\"c\"\n", ',', '"', 0,
			[]string{"1", `say "hi" in C:\new`, `\N`},
			[]string{"2", "b", "c"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := sniff([]byte(tt.text), true, &Options{})
			if err != nil || f.delim != tt.delim || f.quote != tt.quote || f.escape != tt.escape {
				t.Fatalf("delimiter %q, quote %q, escape %q, %v", f.delim, f.quote, f.escape, err)
			}
			rows, refused := frames(t, tt.text, f.dialect, 3)
			if len(rows) != 3 || len(refused) > 0 || !slices.Equal(rows[1], tt.second) || !slices.Equal(rows[2], tt.third) {
				t.Errorf("rows %q, refused %q", rows, refused)
			}
		})
	}
}

func TestEscapesAreDeclared(t *testing.T) {
	const text = "id,text\n1,a\\,b\n2,c\n"
	for escape, want := range map[string]int{`\`: 2, "none": 3} {
		f, err := sniff([]byte(text), true, &Options{Escape: escape, Delimiter: ","})
		if err != nil {
			t.Fatal(err)
		}
		if rows, _ := frames(t, text, f.dialect, 2); len(rows[1]) != want {
			t.Errorf("escape %s gives %q", escape, rows)
		}
	}
	if _, err := sniff([]byte(text), true, &Options{Escape: ",", Delimiter: ","}); err == nil {
		t.Error("a delimiter that is the escape was taken")
	}
}

// NULL is nothing, wherever the database has written it.
func TestEscapedTable(t *testing.T) {
	s := open(t, perTicket(), "a.csv", "id\tsubject\tcreated\ttext\n1\t\\N\t2024-01-01 10:00:00\tfirst\\\nsecond\n2\tTwo\t\\N\t\\N\n")
	one := ticket(t, s, "1")
	if one.Subject != "" || one.Messages[0].Body != "first\nsecond" {
		t.Errorf("ticket %+v, message %+v", one, one.Messages[0])
	}
	if two := ticket(t, s, "2"); !two.CreatedAt.IsZero() || len(two.Messages) != 0 || len(two.Problems) != 0 {
		t.Errorf("ticket %+v", two)
	}
	for _, u := range s.Ledger().Columns {
		if want := map[string]int{"id": 2, "subject": 1, "created": 1, "text": 1}[u.Name]; u.Filled != want {
			t.Errorf("%s is filled in %d rows, want %d", u.Name, u.Filled, want)
		}
	}
}

// Escapes that begin far behind the first rows are not found, but named with the rows that they damage.
func TestLateEscapesAreNamed(t *testing.T) {
	text := "id,subject,created,text\n" + strings.Repeat("1,a,2024-01-01,\""+strings.Repeat("x", 1000)+"\"\n", 100) +
		"2,b,2024-01-01,\"he said \\\"no\\\" twice\"\n"
	s := open(t, perTicket(), "a.csv", text)
	for _, p := range s.Ledger().Problems {
		if p.Code == "stray-quotes" && strings.Contains(p.Text, `escape: '\'`) {
			return
		}
	}
	t.Errorf("problems %+v", s.Ledger().Problems)
}

// FuzzEscapes: cells written with escapes are read back as they were, whatever they hold.
func FuzzEscapes(f *testing.F) {
	f.Add("a", "b", true)
	f.Add(`say "no"`, `C:\new\`, true)
	f.Add("tab\there\nand \\N", `\`, false)
	f.Fuzz(func(t *testing.T, a, b string, quoted bool) {
		if len(a)+len(b) > 1<<12 || strings.ContainsAny(a+b, "\r") {
			t.Skip()
		}
		d := dialect{delim: '\t', escape: '\\'}
		escapes := strings.NewReplacer(`\`, `\\`, "\t", "\\\t", "\n", "\\\n")
		around := ""
		if quoted {
			d = dialect{delim: ',', quote: '"', escape: '\\'}
			escapes, around = strings.NewReplacer(`\`, `\\`, `"`, `\"`), `"`
		}
		text := "x" + string(d.delim) + around + escapes.Replace(a) + around + string(d.delim) + around + escapes.Replace(b) + around + "\n"
		rows, refused := frames(t, text, d, 3)
		if len(refused) > 0 || len(rows) != 1 || !slices.Equal(rows[0], []string{"x", a, b}) {
			t.Fatalf("%q is read as %q, refused %q", text, rows, refused)
		}
	})
}
