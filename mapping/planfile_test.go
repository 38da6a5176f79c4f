package mapping

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hsimport/sources"
)

// planOf writes the plan of some tickets.
func planOf(t *testing.T, opts Options, tickets ...*sources.Ticket) []byte {
	t.Helper()
	m, _ := New(opts, account())
	var b bytes.Buffer
	w := NewPlanWriter(&b, m.Header("source-digest"))
	for _, ticket := range tickets {
		if err := w.Write(m.Map(ticket)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t *testing.T, b []byte) *PlanFile {
	t.Helper()
	p, err := ReadPlan(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// corpus are the tickets of all fixtures, each under a key of its own.
func corpus(t *testing.T) (tickets []*sources.Ticket) {
	t.Helper()
	paths, _ := filepath.Glob("testdata/*.json")
	for _, path := range paths {
		_, ticket := readFixture(t, path)
		ticket.Key = sources.Key(filepath.Base(path))
		tickets = append(tickets, ticket)
	}
	return tickets
}

func TestPlanFileReadsBack(t *testing.T) {
	tickets := append(corpus(t), conversationOf(250, "open"))
	first := planOf(t, basic(), tickets...)
	if second := planOf(t, basic(), tickets...); !bytes.Equal(first, second) {
		t.Fatal("written twice, two files")
	}
	p := read(t, first)
	m, _ := New(basic(), account())
	var want []PlanLine
	for _, ticket := range tickets {
		want = append(want, m.Map(ticket).Lines()...)
	}
	for i := range want {
		if len(want[i].Findings) == 0 {
			want[i].Findings = nil
		}
	}
	if diff := cmp.Diff(want, p.Lines); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	if p.Trailer.Tickets != len(tickets) || p.Header != m.Header("source-digest") {
		t.Errorf("trailer %+v, header %+v", p.Trailer, p.Header)
	}
	if diffs := ComparePlans(p, read(t, first)); len(diffs) != 0 {
		t.Errorf("equal plans differ: %v", diffs)
	}
}

func TestDamagedPlansAreRefused(t *testing.T) {
	good := string(planOf(t, basic(), conversationOf(3, "open"), conversationOf(101, "closed")))
	lines := strings.SplitAfter(good, "\n")
	for name, c := range map[string]struct{ plan, says string }{
		"empty":               {"", "empty"},
		"another file":        {"a,b,c\n", "line 1: this is not a plan"},
		"another format":      {strings.Replace(good, `"plan":1`, `"plan":9`, 1), "format 9"},
		"cut off":             {strings.Join(lines[:len(lines)-2], ""), "ends after line 4"},
		"cut inside a line":   {good[:len(good)-3], "line 5"},
		"a line taken out":    {lines[0] + lines[1] + strings.Join(lines[3:], ""), "changed after it was written"},
		"a digest changed":    {strings.Replace(good, `"threads":3`, `"threads":4`, 1), "changed after it was written"},
		"something follows":   {good + lines[1], "line 6: something follows"},
		"a line without key":  {lines[0] + "{}\n" + lines[4], "line 2: a line without a key"},
		"a line of something": {lines[0] + "[]\n" + lines[4], "line 2"},
	} {
		if _, err := ReadPlan(strings.NewReader(c.plan)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want it to say %q", name, err, c.says)
		}
	}
}

func TestComparePlansExplains(t *testing.T) {
	old := []*sources.Ticket{conversationOf(3, "open"), conversationOf(2, "closed"), conversationOf(120, "closed"), conversationOf(1, "open")}
	fresh := []*sources.Ticket{conversationOf(3, "open"), conversationOf(2, "closed"), conversationOf(120, "closed"), conversationOf(1, "open")}
	for i := range old {
		old[i].Key = sources.Key("id:" + itoa(i))
		old[i].ID = itoa(i)
		fresh[i].Key, fresh[i].ID = old[i].Key, old[i].ID
	}
	fresh[0].Messages[1].Body = "another text"
	fresh[1].Status = "odd"
	fresh[2].Messages = fresh[2].Messages[:100]
	fresh[3].Key, fresh[3].ID = "id:9", "9"
	opts := basic()
	a := read(t, planOf(t, opts, old...))
	opts.DefaultStatus = "pending"
	b := read(t, planOf(t, opts, fresh...))
	var got []string
	for _, d := range ComparePlans(a, b) {
		got = append(got, d.String())
	}
	want := []string{
		"the plan: changed: the mapping",
		"ticket 0: changed: texts or times",
		"ticket 1: changed: status closed -> pending, subject, tags, fields, assignee or closing time, new finding status-defaulted (odd)",
		"ticket 2: changed: parts 2 -> 1, messages 99 -> 100, subject, tags, fields, assignee or closing time, texts or times, people, finding gone split",
		"ticket 2 part 2: removed",
		"ticket 3: removed",
		"ticket 9: added",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPlanWriterReportsAFullDisk(t *testing.T) {
	full := errors.New("no space left on device")
	w := NewPlanWriter(failing{full}, Header{Plan: 1})
	if err := w.Close(); !errors.Is(err, full) {
		t.Errorf("closed with %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// FuzzReadPlan: whatever a plan file holds, reading it ends in a plan whose counts add up, or in an error.
func FuzzReadPlan(f *testing.F) {
	f.Add([]byte("{\"plan\":1}\n{\"key\":\"a\",\"part\":1}\n{\"end\":true}\n"))
	f.Add([]byte("{\"plan\":1}\n{\"end\":true,\"tickets\":1}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ReadPlan(bytes.NewReader(b))
		if err != nil {
			return
		}
		if p.checkCounts() != nil || len(ComparePlans(p, p)) != 0 {
			t.Fatalf("%q was taken", b)
		}
	})
}
