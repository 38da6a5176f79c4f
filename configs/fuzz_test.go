package configs

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

// FuzzParse: whatever is in a file, it loads or each problem has a place in it; the same file says the same twice; and
// what loads is accepted for what a person may write in it.
func FuzzParse(f *testing.F) {
	for _, name := range exampleNames(f) {
		data, _ := Example(name)
		f.Add(data)
	}
	text, _ := Draft(tableSurvey(), []string{"t.csv"}, DraftOptions{})
	f.Add(text)
	for _, s := range []string{"", "a: &x [*x]\n", "? a\n: b\n", "version: ${V}\n", with("mapping: {statuses: {? [a] : b}}\n"), "\xef\xbb\xbf" + minimal, "%YAML 1.1\n---\n" + minimal} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("/job/i.yaml", data, env("V", "1"))
		again, err2 := Parse("/job/i.yaml", data, env("V", "1"))
		if (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
			t.Fatalf("two answers:\n%v\n%v", err, err2)
		}
		if err != nil {
			var all *Errors
			if !errors.As(err, &all) || len(all.List) == 0 {
				t.Fatalf("%T: %v", err, err)
			}
			lines := 1 + bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) +
				bytes.Count(data, []byte("\u0085")) + bytes.Count(data, []byte("\u2028")) + bytes.Count(data, []byte("\u2029"))
			for _, e := range all.List {
				if e.Line < 0 || e.Line > lines+1 || e.Text == "" {
					t.Errorf("line %d of %d: %v", e.Line, lines, e)
				}
			}
			return
		}
		if !reflect.DeepEqual(c, again) || c.Digest() != again.Digest() {
			t.Error("two configurations of one file")
		}
		if c.Version != 1 && len(c.Unanswered) == 0 || len(c.Source.CSV.Paths) == 0 && len(c.Unanswered) == 0 || c.Checkpoint == "" || c.Dir == "" {
			t.Errorf("incomplete: %+v", c)
		}
	})
}
