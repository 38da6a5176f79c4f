package csvfile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"hsimport/sources"
)

// names lists every ticket and message of a source by key, with the messages' digests.
func names(t testing.TB, s *Source) []string {
	t.Helper()
	var out []string
	for i := range s.Len() {
		tk, err := s.Ticket(context.Background(), i)
		if err != nil {
			t.Fatal(err)
		}
		if e := s.Entry(i); e.Key != tk.Key || e.Messages != len(tk.Messages) {
			t.Errorf("the index says %+v, the ticket %s has %d messages", e, tk.Key, len(tk.Messages))
		}
		if at, ok := s.Find(tk.Key); !ok || at != i {
			t.Errorf("ticket %s is found at %d, it stands at %d", tk.Key, at, i)
		}
		for _, m := range tk.Messages {
			out = append(out, fmt.Sprint(tk.Key, " ", m.Key, " ", m.Digest[:8]))
		}
	}
	slices.Sort(out)
	return out
}

// The rows of identityRows hold messages with and without ids, several in one second, equal ones, and one of two lines.
var identityRows = []string{
	"1,Hello,open,ann@x.example,Ann,,2024-01-02 03:04:05,,,low,m1,ann@x.example,Ann,customer,Hi,text,2024-01-02 03:04:05,,",
	"1,Hello,open,ann@x.example,Ann,,2024-01-02 03:04:05,,,low,,t@x.example,T,agent,One,text,2024-01-03 03:04:05,,",
	"1,Hello,open,ann@x.example,Ann,,2024-01-02 03:04:05,,,low,,t@x.example,T,agent,Two,text,2024-01-03 03:04:05,,",
	"2,World,new,bob@x.example,Bob,,2024-01-01 00:00:00,,,low,,bob@x.example,Bob,customer,\"Two\nlines\",text,2024-01-01 00:00:00,,",
	"2,World,new,bob@x.example,Bob,,2024-01-01 00:00:00,,,low,,bob@x.example,Bob,customer,again,text,2024-01-01 00:00:00,,",
	"2,World,new,bob@x.example,Bob,,2024-01-01 00:00:00,,,low,,bob@x.example,Bob,customer,again,text,2024-01-01 00:00:00,,",
	"3,Late,new,eve@x.example,Eve,,2025-01-01 00:00:00,,,low,,eve@x.example,Eve,customer,x,text,,,",
}

func rowsOf(rows ...string) string { return canonicalHeader + strings.Join(rows, "\n") + "\n" }

// A file that is renamed, sorted in another way, split, converted to CRLF or quoted throughout names the same tickets
// and messages.
func TestKeysComeFromContent(t *testing.T) {
	want := names(t, open(t, canonical(), "a.csv", rowsOf(identityRows...)))
	if len(want) != len(identityRows) {
		t.Fatalf("%d messages of %d rows: %q", len(want), len(identityRows), want)
	}
	reversed := slices.Clone(identityRows)
	slices.Reverse(reversed)
	var quoted []string
	for _, row := range identityRows {
		if !strings.Contains(row, `"`) {
			row = `"` + strings.ReplaceAll(row, ",", `","`) + `"`
		}
		quoted = append(quoted, row)
	}
	for name, files := range map[string][]string{
		"renamed":  {"b.csv", rowsOf(identityRows...)},
		"reversed": {"a.csv", rowsOf(reversed...)},
		"CRLF":     {"a.csv", strings.ReplaceAll(rowsOf(identityRows...), "\n", "\r\n")},
		"quoted":   {"a.csv", rowsOf(quoted...)},
		"BOM":      {"a.csv", "\xef\xbb\xbf" + rowsOf(identityRows...)},
		"split":    {"a.csv", rowsOf(identityRows[:2]...), "b.csv", rowsOf(identityRows[2:]...)},
		"twice":    {"a.csv", rowsOf(identityRows...), "b.csv", rowsOf(identityRows...)},
		"overlap":  {"a.csv", rowsOf(identityRows[:5]...), "b.csv", rowsOf(identityRows[1:]...)},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, canonical(), files...)
			if got := names(t, s); !slices.Equal(got, want) {
				t.Errorf("messages\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			r := s.Ledger().Records
			if r.Messages != len(want) || r.Duplicates != r.Found-len(want) {
				t.Errorf("records %+v of %d messages", r, len(want))
			}
		})
	}
}

// An edit is seen as an edit: the message keeps its key and changes its digest.
func TestEditedMessageKeepsItsKey(t *testing.T) {
	edited := slices.Clone(identityRows)
	edited[6] = strings.Replace(edited[6], ",x,", ",y,", 1)
	edited[0] = strings.Replace(edited[0], ",Hi,", ",Ho,", 1)
	a, b := open(t, canonical(), "a.csv", rowsOf(identityRows...)), open(t, canonical(), "a.csv", rowsOf(edited...))
	for _, key := range []sources.Key{"1", "3"} {
		x, y := ticket(t, a, key).Messages[0], ticket(t, b, key).Messages[0]
		if x.Key != y.Key || x.Digest == y.Digest {
			t.Errorf("ticket %s: keys %s and %s, digests %s and %s", key, x.Key, y.Key, x.Digest, y.Digest)
		}
	}
}

// Without an id a ticket is known by what never changes; equal rows of one file are several tickets, in every order.
func TestTicketsWithoutID(t *testing.T) {
	o := Options{TimeZone: "UTC", Columns: map[string]string{
		"subject": "subject", "requester_email": "from", "created_at": "created", "description": "text", "status": "status",
	}}
	const a = "subject,from,created,text,status\nHi,a@x.example,2024-01-01,One,open\nHi,a@x.example,2024-01-01,One,open\nHo,b@x.example,2024-01-02,Two,open\n"
	const b = "status,subject,from,created,text\nclosed,Ho,b@x.example,2024-01-02,Two\nclosed,Hi,a@x.example,2024-01-01,One\n"
	s := open(t, o, "a.csv", a, "b.csv", b)
	if s.Len() != 3 || s.KeyRule() != "csv/digest-v1" {
		t.Errorf("%d tickets under %s, want 3", s.Len(), s.KeyRule())
	}
	if r := s.Ledger().Records; r.Messages != 3 || r.Duplicates != 2 {
		t.Errorf("records %+v", r)
	}
	one := open(t, o, "b.csv", b)
	for i := range one.Len() {
		if _, ok := s.Find(one.Entry(i).Key); !ok {
			t.Errorf("ticket %s of the newer export is not known", one.Entry(i).Key)
		}
	}
}

// One id for two different tickets blocks that ticket, not the others; a changed status or a Re: does not.
func TestReusedTicketIDBlocks(t *testing.T) {
	rows := []string{
		"1,Printer,open,ann@x.example,Ann,,2024-01-01 00:00:00,,,low,,ann@x.example,,customer,a,text,2024-01-01 00:00:00,,",
		"1,Invoice,open,bob@x.example,Bob,,2019-01-01 00:00:00,,,low,,bob@x.example,,customer,b,text,2019-01-01 00:00:00,,",
		"2,Mouse,open,ann@x.example,Ann,,2024-01-01 00:00:00,,,low,,ann@x.example,,customer,a,text,2024-01-01 00:00:00,,",
		"2,Re: mouse,closed,ANN@x.example,Ann,,2024-01-01 00:00:00,,,low,,ann@x.example,,customer,b,text,2024-01-02 00:00:00,,",
	}
	s := open(t, canonical(), "a.csv", rowsOf(rows...))
	if p := ticket(t, s, "1").Problems; len(p) != 1 || p[0].Severity != sources.BlocksTicket || p[0].Code != "ticket-id-reused" {
		t.Errorf("problems %+v", p)
	}
	if tk := ticket(t, s, "2"); len(tk.Problems) != 0 || tk.Status != "closed" || tk.Subject != "Mouse" {
		t.Errorf("ticket %+v", tk)
	}
}

// The digest of a source is of its content.
func TestSourceDigest(t *testing.T) {
	a := open(t, canonical(), "a.csv", rowsOf(identityRows[:2]...), "b.csv", rowsOf(identityRows[2:]...))
	b := open(t, canonical(), "x.csv", rowsOf(identityRows[2:]...), "y.csv", rowsOf(identityRows[:2]...))
	c := open(t, canonical(), "a.csv", rowsOf(identityRows[:3]...), "b.csv", rowsOf(identityRows[2:]...))
	if a.Digest() != b.Digest() || a.Digest() == c.Digest() {
		t.Errorf("digests %s %s %s", a.Digest(), b.Digest(), c.Digest())
	}
}
