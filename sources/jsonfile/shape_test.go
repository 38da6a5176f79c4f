package jsonfile

import (
	"fmt"
	"strings"
	"testing"
)

// hostile are members of records that make paths without end: thousands of names, and then arrays in arrays under each;
// objects and arrays by turns, at every step of which the paths double; names as long as a mail.
func hostile() map[string][2]string {
	wide := func(value string) string {
		var b strings.Builder
		for i := range 20 {
			fmt.Fprintf(&b, `%s"k%d": {`, strings.Repeat(", ", min(i, 1)), i)
			for j := range 198 {
				fmt.Fprintf(&b, `%s"m%d": %s`, strings.Repeat(", ", min(j, 1)), j, value)
			}
			b.WriteString("}")
		}
		return b.String()
	}
	var fork func(depth int) string
	fork = func(depth int) string {
		if depth == 0 {
			return "1"
		}
		below := fork(depth - 1)
		return fmt.Sprintf(`{"x%d": %s, "y%d": [%s]}`, depth, below, depth, below)
	}
	names := ""
	for i := range 100 {
		names += fmt.Sprintf(`"%d%s": {`, i, strings.Repeat("n", 20_000))
	}
	return map[string][2]string{
		"arrays": {wide("1"), wide(strings.Repeat("[", 120) + "1" + strings.Repeat("]", 120))},
		"forks":  {wide("1"), `"fork": ` + fork(15)},
		"names":  {`"a": 1`, names + `"end": 1` + strings.Repeat("}", 100)},
	}
}

// size is how many shapes there are at and below s, and how many bytes their paths take.
func (s *shape) size() (shapes, bytes int) {
	shapes, bytes = 1, len(s.path)
	for _, k := range s.kids {
		n, b := k.size()
		shapes, bytes = shapes+n, bytes+b
	}
	return shapes, bytes
}

// Whatever records hold, the paths that are kept of them are bounded, and what lies beyond is told as not carried over.
func TestPathsAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it is long beside the race detector")
	}
	for name, members := range hostile() {
		t.Run(name, func(t *testing.T) {
			s := newShapes()
			var records []string
			for i, m := range members {
				records = append(records, fmt.Sprintf(`{"id": %d, "subject": "s%d", "description": "d", %s}`, i, i, m))
				tr, err := parse([]byte(records[i]), nil)
				if err != nil {
					t.Fatal(err)
				}
				s.learn(&tr)
			}
			if n, bytes := s.root.size(); n > 4*maxPaths || bytes > 8<<20 {
				t.Fatalf("%d paths of %d bytes are kept", n, bytes)
			}
			o := Options{Columns: map[string]string{"ticket_id": "id", "subject": "subject", "description": "description"}}
			src := open(t, o, "["+strings.Join(records, ",")+"]")
			if src.Len() != 2 || ticket(t, src, "1").Subject != "s1" {
				t.Errorf("%d tickets", src.Len())
			}
			dir, paths := write(t, "t.json", "["+strings.Join(records, ",")+"]")
			if sv, err := Survey(t.Context(), paths, dir, nil); err != nil || sv.Tickets != 2 {
				t.Errorf("survey %v", err)
			}
			told := 0
			for _, p := range src.Ledger().Problems {
				if p.Code == "column-not-carried" && strings.Contains(p.Text, other) {
					told++
				}
			}
			if told == 0 {
				t.Error("nothing says that there is more")
			}
		})
	}
}

// A record that is nested without end is refused, with the reason, and the next one is read.
func TestNestedWithoutEnd(t *testing.T) {
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	src := open(t, Options{Columns: map[string]string{"ticket_id": "id", "subject": "subject", "description": "description"}},
		`{"id": 1, "subject": "a", "description": "x", "deep": `+deep+"}\n"+`{"id": 2, "subject": "b", "description": "y"}`)
	if r := src.Ledger().Refused; src.Len() != 1 || len(r) != 1 || !strings.Contains(r[0].Reason, "nested more than 200 deep") {
		t.Errorf("%d tickets, %+v", src.Len(), r)
	}
}

// A record of very many messages, one of them with very many members, would make a table of millions of empty cells: it
// is refused, with the reason, and the next one is read.
func TestVeryWideTimesVeryLong(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"id": 1, "subject": "a", "comments": [{"body": "x"`)
	for i := range 9 {
		fmt.Fprintf(&b, `, "a%d": {"k": 0`, i)
		for k := range maxMembers - 2 {
			fmt.Fprintf(&b, `, "k%d": 1`, k)
		}
		b.WriteString("}")
	}
	b.WriteString("}" + strings.Repeat(`,{"body":"y","created_at":"2024-01-01"}`, maxCells/3000) + "]}\n" + `{"id": 2, "subject": "b", "comments": [{"body": "z"}]}`)
	src := open(t, Options{Records: ".", Columns: map[string]string{"ticket_id": "id", "subject": "subject", "message_body": "comments[].body"}}, b.String())
	if r := src.Ledger().Refused; src.Len() != 1 || len(r) != 1 || !strings.Contains(r[0].Reason, "messages with") {
		t.Errorf("%d tickets, %+v", src.Len(), r)
	}
}
